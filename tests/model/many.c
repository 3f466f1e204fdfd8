/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Claims of many producers. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producers[2];
static struct tick_consumer consumer;
static uint64_t lost;

static void setup_of(uint64_t capacity)
{
	struct disruptor_options o = model_options(capacity);

	o.producers = DISRUPTOR_MANY;
	o.max_producers = 2;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producers[0], ring, NULL));
	model_ok(tick_producer_open(&producers[1], ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	lost = 0;
}

static void setup_one(void)
{
	setup_of(1);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producers[0]));
	model_ok(tick_producer_close(&producers[1]));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

static void produce_first(void)
{
	model_produce_busy(&producers[0], 1);
}

static void produce_second(void)
{
	model_produce_busy(&producers[1], 1);
}

static void consume(void)
{
	model_consume_busy(&consumer, 2);
}

const struct model_client model_many_claim = {
	.name = "many_claim",
	.about = "two producers share one slot: each position is one's alone, each event whole",
	.setup = setup_one,
	.threads = { produce_first, produce_second, consume },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void produce_first_blocking(void)
{
	model_produce(&producers[0], 1);
}

static void produce_second_blocking(void)
{
	model_produce(&producers[1], 1);
}

static void consume_both(void)
{
	model_consume_busy(&consumer, 2);
}

const struct model_client model_many_sleep = {
	.name = "many_sleep",
	.about = "WAKE: two producers sleep for the same slot",
	.setup = setup_one,
	.threads = { produce_first_blocking, produce_second_blocking, consume_both },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};
