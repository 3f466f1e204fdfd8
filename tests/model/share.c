/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* SHARE: workers that share a stream, and the gate that stands for them all. */
#include "model.h"

#include "ring/share.h"

#include <string.h>

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer whole, members[3], after;
static struct ring_share share;
static uint64_t handled[4];

static void setup(void)
{
	const struct disruptor_consumer *whole_view = &whole.view;
	const struct disruptor_consumer_options c = { .size = sizeof(c),
						      .after = &whole_view,
						      .after_count = 1 };
	struct disruptor_options o = model_options(2);

	memset(handled, 0, sizeof(handled));
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&whole, ring, NULL));
	model_ok(share_open(&share, &whole.view, true));
	for (int i = 0; i < 2; i++) {
		model_ok(tick_consumer_open(&members[i], ring, NULL));
		share_join(&share, &members[i].view, 1);
	}
	model_ok(tick_consumer_open(&after, ring, &c));
	model_produce(&producer, 2);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&after));
	model_ok(tick_consumer_close(&members[0]));
	model_ok(tick_consumer_close(&members[1]));
	model_ok(tick_consumer_close(&whole));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

/* Take what is there, one at a time, and change it. */
static void work(struct tick_consumer *c)
{
	while (share_take(&c->view)) {
		model_write(&handled[c->view.next], 1);
		model_ok(disruptor_consumer_release_slow(&c->view, 1));
	}
}

static void work_first(void)
{
	work(&members[0]);
}

static void work_second(void)
{
	work(&members[1]);
}

/* The gate of the whole comes to the end, and not before the workers. */
static void come_after(void)
{
	for (uint64_t at = 0; at < 2; at++) {
		while (!tick_ready(&after))
			model_pause();
		model_assert(model_read(&handled[at]) == 1);
		model_ok(tick_release(&after, 1));
	}
}

const struct model_client model_shared_pool = {
	.name = "shared_pool",
	.about = "SHARE: two workers take chunks; who comes after them reads what they wrote",
	.setup = setup,
	.threads = { work_first, work_second, come_after },
	.finish = finish,
	.bound = 1,
	.stale = 2,
};

/* It takes one, handles nothing, and leaves it to the other. */
static void take_and_leave(void)
{
	if (share_take(&members[0].view))
		share_leave(&members[0].view);
}

/* Until there is nothing left; what the other has in hand may yet be left. */
static void work_until_done(void)
{
	for (;;) {
		work(&members[1]);
		if (!share_is_needed(&members[1].view, 2))
			break;
		if (share_look(&members[1].view) == 0)
			model_pause();
	}
}

const struct model_client model_shared_leave = {
	.name = "shared_leave",
	.about = "SHARE.leave: what one worker leaves another takes up",
	.setup = setup,
	.threads = { take_and_leave, work_until_done, come_after },
	.finish = finish,
	.bound = 1,
	.stale = 1,
};

/* The last one to release moves the gate: nobody else will. */
static void finish_settled(void)
{
	/* relaxed: all have ended */
	model_assert(disruptor_load_relaxed(&whole.view.gate->sequence) == 2);
	finish();
}

const struct model_client model_shared_settle = {
	.name = "shared_settle",
	.about = "SHARE.settle: of two who release at once one moves the gate to the end",
	.setup = setup,
	.threads = { work_first, work_second },
	.finish = finish_settled,
	.bound = 2,
	.stale = 2,
};

/* Three members: the second has the first event in hand, the third the one behind it. */
static void setup_of_three(void)
{
	struct disruptor_options o = model_options(2);

	o.max_consumers = 5;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&whole, ring, NULL));
	model_ok(share_open(&share, &whole.view, true));
	for (int i = 0; i < 3; i++) {
		model_ok(tick_consumer_open(&members[i], ring, NULL));
		share_join(&share, &members[i].view, 1);
	}
	model_produce(&producer, 2);
	model_assert(share_take(&members[1].view) && share_take(&members[2].view));
}

static void take_up_first(void)
{
	(void)share_take(&members[0].view);
}

static void leave_second(void)
{
	share_leave(&members[1].view);
}

static void release_third(void)
{
	model_ok(disruptor_consumer_release_slow(&members[2].view, 1));
}

/* The first event is in the first one's hand, or noted: the whole is not beyond it. */
static void finish_of_three(void)
{
	/* relaxed: all have ended */
	model_assert(disruptor_load_relaxed(&whole.view.gate->sequence) == 0);
	model_ok(tick_producer_close(&producer));
	for (int i = 0; i < 3; i++)
		model_ok(tick_consumer_close(&members[i]));
	model_ok(tick_consumer_close(&whole));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_shared_hand_over = {
	.name = "shared_hand_over",
	.about = "SHARE.leave: who settles while a chunk goes from hand to hand does not pass it",
	.setup = setup_of_three,
	.threads = { take_up_first, leave_second, release_third },
	.finish = finish_of_three,
	.bound = 2,
	.stale = 2,
};

/* The first one has the first event in hand; the second takes the next while that is released. */
static void setup_one_held(void)
{
	setup();
	model_assert(share_take(&members[0].view));
}

static void release_first(void)
{
	model_write(&handled[0], 1);
	model_ok(disruptor_consumer_release_slow(&members[0].view, 1));
}

static void take_second(void)
{
	model_assert(share_take(&members[1].view));
}

static void finish_one_held(void)
{
	/* relaxed: all have ended */
	model_assert(disruptor_load_relaxed(&whole.view.gate->sequence) == 1);
	finish();
}

const struct model_client model_shared_take = {
	.name = "shared_take",
	.about = "SHARE.take: who settles sees the hand on what has been taken",
	.setup = setup_one_held,
	.threads = { release_first, take_second },
	.finish = finish_one_held,
	.bound = 3,
	.stale = 2,
};

static void setup_both_held(void)
{
	setup_one_held();
	model_assert(share_take(&members[1].view));
}

static void release_second(void)
{
	model_write(&handled[1], 1);
	model_ok(disruptor_consumer_release_slow(&members[1].view, 1));
}

const struct model_client model_shared_carry = {
	.name = "shared_carry",
	.about = "SHARE.done, STAGE: one of two moves the gate for both; what both did is seen",
	.setup = setup_both_held,
	.threads = { release_first, release_second, come_after },
	.finish = finish,
	.bound = 2,
	.stale = 1,
};

static void release_and_end(void)
{
	release_second();
	while (share_is_needed(&members[1].view, 2))
		model_pause();
	model_assert(model_read(&handled[0]) == 1);
}

const struct model_client model_shared_end = {
	.name = "shared_end",
	.about =
		"STAGE: a worker that ends since nothing can be left to it sees what all have done",
	.setup = setup_both_held,
	.threads = { release_first, release_and_end },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

/* One worker that takes two at a time, and a bystander who asks where it is. */
static void setup_of_one(void)
{
	struct disruptor_options o = model_options(2);

	memset(handled, 0, sizeof(handled));
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&whole, ring, NULL));
	model_ok(share_open(&share, &whole.view, true));
	model_ok(tick_consumer_open(&members[0], ring, NULL));
	share_join(&share, &members[0].view, 2);
	model_produce(&producer, 2);
}

static void handle_and_leave(void)
{
	model_assert(share_take(&members[0].view));
	release_first();
	share_leave(&members[0].view);
}

static void ask_where(void)
{
	uint64_t at = share_position(&members[0].view);

	model_assert(at <= 1);
	if (at == 1)
		model_assert(model_read(&handled[0]) == 1);
}

static void finish_of_one(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&members[0]));
	model_ok(tick_consumer_close(&whole));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_shared_place = {
	.name = "shared_place",
	.about = "SHARE.take, SHARE.done, SHARE.leave: a worker's place as others see it",
	.setup = setup_of_one,
	.threads = { handle_and_leave, ask_where },
	.finish = finish_of_one,
	.bound = 3,
	.stale = 3,
};

/* Four events: the first two are in hand; of the rest one is another's, who may have left it. */
static void setup_four(bool left)
{
	struct disruptor_options o = model_options(4);

	o.max_consumers = 5;
	memset(handled, 0, sizeof(handled));
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&whole, ring, NULL));
	model_ok(share_open(&share, &whole.view, true));
	for (int i = 0; i < 3; i++) {
		model_ok(tick_consumer_open(&members[i], ring, NULL));
		share_join(&share, &members[i].view, 1);
	}
	model_produce(&producer, 4);
	for (int i = 0; i < 3; i++)
		model_assert(share_take(&members[i].view));
	if (left)
		share_leave(&members[2].view);
}

static void setup_next(void)
{
	setup_four(false);
}

static void setup_note(void)
{
	setup_four(true);
}

static void release_and_take(void)
{
	release_second();
	model_assert(share_take(&members[1].view));
}

/* Whether it moved the gate over the second one's event, or found it moved: that was handled. */
static void release_and_look(void)
{
	release_first();
	if (!share_is_needed(&members[0].view, 2))
		model_assert(model_read(&handled[1]) == 1);
}

static void finish_four(void)
{
	model_ok(tick_producer_close(&producer));
	for (int i = 0; i < 3; i++)
		model_ok(tick_consumer_close(&members[i]));
	model_ok(tick_consumer_close(&whole));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_shared_next = {
	.name = "shared_next",
	.about = "SHARE.done: who sees a hand on the next chunk sees what was done with the last",
	.setup = setup_next,
	.threads = { release_and_take, release_and_look },
	.finish = finish_four,
	.bound = 2,
	.stale = 2,
};

const struct model_client model_shared_note = {
	.name = "shared_note",
	.about =
		"SHARE.done, SHARE.leave: the same where the next chunk is one that another has left",
	.setup = setup_note,
	.threads = { release_and_take, release_and_look },
	.finish = finish_four,
	.bound = 2,
	.stale = 2,
};

/* One slot: while the first looks, the second takes what is there, and it is published over. */
static void setup_one_slot(void)
{
	struct disruptor_options o = model_options(1);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&whole, ring, NULL));
	model_ok(share_open(&share, &whole.view, true));
	for (int i = 0; i < 2; i++) {
		model_ok(tick_consumer_open(&members[i], ring, NULL));
		share_join(&share, &members[i].view, 1);
	}
}

static void sleep_for_one(void)
{
	while (!share_take(&members[0].view))
		model_assert(tick_ready_until(&members[0], DISRUPTOR_FOREVER) == 1);
	model_ok(disruptor_consumer_release_slow(&members[0].view, 1));
}

static void take_one(void)
{
	if (share_take(&members[1].view))
		model_ok(disruptor_consumer_release_slow(&members[1].view, 1));
}

static void publish_two(void)
{
	model_own(&producer);
	for (int i = 0; i < 2; i++) {
		while (!tick_try_claim(&producer))
			model_pause();
		model_ok(tick_publish(&producer));
	}
}

static void finish_one_slot(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&members[0]));
	model_ok(tick_consumer_close(&members[1]));
	model_ok(tick_consumer_close(&whole));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_shared_asleep = {
	.name = "shared_asleep",
	.about = "WAKE: a worker whose last look met another's taking is woken by what comes next",
	.setup = setup_one_slot,
	.threads = { sleep_for_one, take_one, publish_two },
	.finish = finish_one_slot,
	.bound = 1,
	.stale = 1,
};
