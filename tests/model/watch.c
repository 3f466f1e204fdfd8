/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* WATCH: a thread that waits on several edges at once. */
#include "model.h"

#include "ring/group.h"

static struct disruptor_ring *rings[2];
static struct tick_producer producers[2];
static struct tick_consumer consumers[2];

static void setup(void)
{
	struct disruptor_options o = model_options(2);

	for (int i = 0; i < 2; i++) {
		rings[i] = model_ring(&o);
		model_ok(tick_producer_open(&producers[i], rings[i], NULL));
		model_ok(tick_consumer_open(&consumers[i], rings[i], NULL));
	}
}

static void finish(void)
{
	for (int i = 0; i < 2; i++) {
		model_ok(tick_producer_close(&producers[i]));
		model_ok(tick_consumer_close(&consumers[i]));
		model_ok(disruptor_ring_destroy(&rings[i]));
	}
}

static void produce_first(void)
{
	model_produce(&producers[0], 1);
}

static void produce_second(void)
{
	model_produce(&producers[1], 1);
}

static void wait_for_both(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };
	int64_t i = disruptor_wait_any(views, 2, DISRUPTOR_FOREVER);

	model_assert(i == 0 || i == 1);
	model_assert(model_consume(&consumers[i]) == 1);
	model_assert(model_consume(&consumers[1 - i]) == 1);
}

const struct model_client model_watch = {
	.name = "watch",
	.about = "WATCH, WAKE: one thread sleeps on two rings",
	.setup = setup,
	.threads = { produce_first, produce_second, wait_for_both },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void wait_for_first(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };

	model_assert(disruptor_wait_any(views, 2, DISRUPTOR_FOREVER) == 0);
	model_assert(model_consume(&consumers[0]) == 1);
}

const struct model_client model_watch_one = {
	.name = "watch_one",
	.about = "WATCH, WAKE: one of two rings has news",
	.setup = setup,
	.threads = { produce_first, wait_for_first },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void interrupt_second(void)
{
	disruptor_consumer_interrupt(&consumers[1].view);
}

static void wait_for_interrupt(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };

	model_assert(disruptor_wait_any(views, 2, DISRUPTOR_FOREVER) == 1);
	model_assert(tick_ready_until(&consumers[1], DISRUPTOR_FOREVER) == DISRUPTOR_E_INTERRUPTED);
}

const struct model_client model_watch_stop = {
	.name = "watch_stop",
	.about = "WATCH, STOP: who sleeps on two rings is interrupted at one, which is no progress",
	.setup = setup,
	.threads = { interrupt_second, wait_for_interrupt },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static struct consumer_group group;

/* The edge was raised for the first event by who has found it since, which leaves it so. */
static void setup_raised(void)
{
	setup();
	(void)edge_arm(edge_to_consumers(rings[0]), 1);
}

static void produce_two(void)
{
	model_produce(&producers[0], 2);
}

/* Whoever clears it for the first event tells who has asked for the second meanwhile. */
static void wait_for_second(void)
{
	struct disruptor_consumer *const c = &consumers[0].view;
	struct group_member member = { .consumer = c };

	model_consume_busy(&consumers[0], 1);
	model_ok(group_open(&group, &member, 1));
	if (disruptor_consumer_position(c) < 2) {
		model_assert(group_wait(&group, rings[0], &rings[0]->own_consumers[c->index].wait,
					&c->spins, &c->gate->sleeps, DISRUPTOR_FOREVER) == 1);
		model_assert(model_consume(&consumers[0]) == 1);
	}
	group_close(&group);
}

const struct model_client model_watch_more = {
	.name = "watch_more",
	.about =
		"WATCH.expect: who clears for the first event what stands for the second tells of it",
	.setup = setup_raised,
	.threads = { produce_two, wait_for_second },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 1,
};

/* ---- one ring ---- */

static struct tick_consumer last;

/* Two consumers: side by side and another after @p before of them, 0 or 2; or a row of two. */
static void setup_one_of(int before)
{
	const struct disruptor_consumer *after[] = { &consumers[0].view, &consumers[1].view };
	const struct disruptor_consumer_options c = { .size = sizeof(c),
						      .after = after,
						      .after_count = (size_t)before };
	struct disruptor_options o = model_options(2);

	rings[0] = model_ring(&o);
	model_ok(tick_producer_open(&producers[0], rings[0], NULL));
	model_ok(tick_consumer_open(&consumers[0], rings[0], NULL));
	if (before != 1)
		model_ok(tick_consumer_open(&consumers[1], rings[0], NULL));
	if (before != 0)
		model_ok(tick_consumer_open(before == 1 ? &consumers[1] : &last, rings[0], &c));
}

static void finish_one(void)
{
	model_ok(tick_producer_close(&producers[0]));
	model_ok(tick_consumer_close(&consumers[1]));
	model_ok(tick_consumer_close(&consumers[0]));
	model_ok(disruptor_ring_destroy(&rings[0]));
}

/* An event that the first consumer has yet to release, and one that comes after it. */
static void setup_chain(void)
{
	setup_one_of(1);
	model_produce(&producers[0], 1);
}

static void finish_chain(void)
{
	model_ok(tick_producer_close(&producers[0]));
	model_ok(tick_consumer_close(&consumers[1]));
	model_ok(disruptor_ring_destroy(&rings[0]));
}

static void leave(void)
{
	consumer_detach(&consumers[0].view);
}

static void wait_behind(void)
{
	struct disruptor_consumer *const view = &consumers[1].view;

	model_assert(disruptor_wait_any(&view, 1, DISRUPTOR_FOREVER) == 0);
	model_assert(model_consume(&consumers[1]) == 1);
}

const struct model_client model_watch_leave = {
	.name = "watch_leave",
	.about = "WATCH.expect, LEAVE: who waits behind the one that leaves is told",
	.setup = setup_chain,
	.threads = { leave, wait_behind },
	.finish = finish_chain,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void close_first(void)
{
	disruptor_ring_close(rings[0]);
}

static void wait_for_close(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };

	model_assert(disruptor_wait_any(views, 2, DISRUPTOR_FOREVER) == 0);
	model_assert(model_consume(&consumers[0]) == DISRUPTOR_E_CLOSED);
}

const struct model_client model_watch_close = {
	.name = "watch_close",
	.about = "WATCH.expect, CLOSE: one of two rings is closed",
	.setup = setup,
	.threads = { close_first, wait_for_close },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* What is left of an earlier wait of the group's may be met by who tells late. */
static void wait_twice(void)
{
	struct disruptor_consumer *const c = &consumers[0].view;
	struct group_member member = { .consumer = c };

	model_ok(group_open(&group, &member, 1));
	while (disruptor_consumer_position(c) < 2) {
		model_assert(group_wait(&group, rings[0], &rings[0]->own_consumers[c->index].wait,
					&c->spins, &c->gate->sleeps, DISRUPTOR_FOREVER) == 1);
		model_assert(model_consume(&consumers[0]) > 0);
	}
	group_close(&group);
}

const struct model_client model_watch_again = {
	.name = "watch_again",
	.about = "WATCH, WAKE.epoch: a group that waits twice, and a late word of what it has seen",
	.setup = setup,
	.threads = { produce_two, wait_twice },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 1,
};

static void setup_side_by_side(void)
{
	setup_one_of(0);
}

static void wait_for(struct tick_consumer *c)
{
	struct disruptor_consumer *const view = &c->view;

	model_assert(disruptor_wait_any(&view, 1, DISRUPTOR_FOREVER) == 0);
	model_assert(model_consume(c) == 1);
}

static void first_waits(void)
{
	wait_for(&consumers[0]);
}

static void second_waits(void)
{
	wait_for(&consumers[1]);
}

const struct model_client model_watch_two = {
	.name = "watch_two",
	.about = "WATCH.expect: two threads wait on the same edge, each with others",
	.setup = setup_side_by_side,
	.threads = { produce_first, first_waits, second_waits },
	.finish = finish_one,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void setup_join(void)
{
	setup_one_of(2);
	model_produce(&producers[0], 1);
}

static void finish_join(void)
{
	model_ok(tick_consumer_close(&last));
	finish_one();
}

static void first_releases(void)
{
	model_consume_busy(&consumers[0], 1);
}

static void second_releases(void)
{
	model_consume_busy(&consumers[1], 1);
}

static void last_waits(void)
{
	wait_for(&last);
}

const struct model_client model_watch_join = {
	.name = "watch_join",
	.about = "WATCH: who comes after two waits on one's edge, then on the other's",
	.setup = setup_join,
	.threads = { first_releases, second_releases, last_waits },
	.finish = finish_join,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};
