/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* WAKE: whoever sleeps on an edge is woken by the progress that it waits for. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumers[2];

static void setup_of(uint64_t capacity, unsigned count, bool chain)
{
	const struct disruptor_consumer *after = &consumers[0].view;
	struct disruptor_options o = model_options(capacity);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	for (unsigned i = 0; i < count; i++) {
		struct disruptor_consumer_options c = { .size = sizeof(c) };

		if (i != 0 && chain) {
			c.after = &after;
			c.after_count = 1;
		}
		model_ok(tick_consumer_open(&consumers[i], ring, &c));
	}
}

static void setup_two_slots(void)
{
	setup_of(2, 1, false);
}

static void setup_one_slot(void)
{
	setup_of(1, 1, false);
}

static void setup_side_by_side(void)
{
	setup_of(2, 2, false);
}

static void setup_chain(void)
{
	setup_of(2, 2, true);
}

static void finish_one(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumers[0]));
	model_ok(disruptor_ring_destroy(&ring));
}

static void finish_two(void)
{
	model_ok(tick_consumer_close(&consumers[1]));
	finish_one();
}

static void produce_one(void)
{
	model_produce(&producer, 1);
}

static void produce_two(void)
{
	model_produce(&producer, 2);
}

static void consume_one(void)
{
	model_consume_to(&consumers[0], 1);
}

static void consume_two(void)
{
	model_consume_to(&consumers[0], 2);
}

const struct model_client model_wake_consumer = {
	.name = "wake_consumer",
	.about = "WAKE: publish, and a consumer that goes to sleep",
	.setup = setup_two_slots,
	.threads = { produce_two, consume_two },
	.finish = finish_one,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void consume_two_busy(void)
{
	model_consume_busy(&consumers[0], 2);
}

const struct model_client model_wake_producer = {
	.name = "wake_producer",
	.about = "WAKE: release, and a producer that goes to sleep",
	.setup = setup_one_slot,
	.threads = { produce_two, consume_two_busy },
	.finish = finish_one,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

/* By the half out of line, which AddressSanitizer builds take. */
static void release_out_of_line(void)
{
	for (int i = 0; i < 2; i++) {
		while (!tick_ready(&consumers[0]))
			model_pause();
		model_ok(disruptor_consumer_release_slow(&consumers[0].view, 1));
	}
}

const struct model_client model_wake_producer_slow = {
	.name = "wake_producer_slow",
	.about = "WAKE: a release out of line, and a producer that goes to sleep",
	.setup = setup_one_slot,
	.threads = { produce_two, release_out_of_line },
	.finish = finish_one,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

const struct model_client model_wake_both = {
	.name = "wake_both",
	.about = "WAKE: one slot, both sides sleep",
	.setup = setup_one_slot,
	.threads = { produce_two, consume_two },
	.finish = finish_one,
	.rungs = true,
	.bound = 1,
	.stale = 2,
};

static void consume_one_second(void)
{
	model_consume_to(&consumers[1], 1);
}

const struct model_client model_wake_two = {
	.name = "wake_two",
	.about =
		"WAKE: two sleep on one edge for the same count; the epoch tells old wake-ups from new",
	.setup = setup_side_by_side,
	.threads = { produce_one, consume_one, consume_one_second },
	.finish = finish_two,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void setup_published(void)
{
	setup_chain();
	model_produce(&producer, 1);
}

const struct model_client model_wake_stage = {
	.name = "wake_stage",
	.about = "WAKE: release, and a later stage that goes to sleep",
	.setup = setup_published,
	.threads = { consume_one, consume_one_second },
	.finish = finish_two,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

/* Who sleeps for two is not woken by one, and is by the other. */
static void setup_full(void)
{
	setup_of(2, 1, false);
	model_produce(&producer, 2);
}

static void setup_full_of_two(void)
{
	setup_of(2, 2, false);
	model_produce(&producer, 2);
}

static void produce_pair(void)
{
	model_own(&producer);
	model_assert(tick_claim_n(&producer, 2) != NULL);
	model_write(&tick_claimed_at(&producer, 0)->value, 3);
	model_write(&tick_claimed_at(&producer, 1)->value, 4);
	model_ok(tick_publish_n(&producer, 2));
}

static void release_two(void)
{
	model_consume_to(&consumers[0], 2);
}

const struct model_client model_wake_count = {
	.name = "wake_count",
	.about = "WAKE: a producer that needs two slots, of a consumer who releases one at a time",
	.setup = setup_full,
	.threads = { produce_pair, release_two },
	.finish = finish_one,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* Detaching makes room, and wakes. */
static void leave_now(void)
{
	model_ok(tick_consumer_close(&consumers[1]));
}

const struct model_client model_wake_detach = {
	.name = "wake_detach",
	.about = "WAKE, FREE: a producer sleeps on what a consumer holds, which detaches",
	.setup = setup_full_of_two,
	.threads = { produce_pair, release_two, leave_now },
	.finish = finish_one,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};
