/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* DEFER: one thread reads, another releases. */
#include "model.h"

#include "ring/deferred.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;

static void setup_of(uint64_t capacity)
{
	struct disruptor_options o = model_options(capacity);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	deferred_open(&consumer.view, capacity);
}

static void setup(void)
{
	setup_of(1);
	model_produce(&producer, 1);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

static void produce_over(void)
{
	model_produce_busy(&producer, 1);
}

static void read_one(void)
{
	model_consume_busy(&consumer, 1);
}

static void release_read(void)
{
	while (deferred_position(&consumer.view) == 0)
		model_pause();
	model_ok(deferred_release(&consumer.view, 1));
}

const struct model_client model_deferred = {
	.name = "deferred",
	.about = "DEFER.read: what is released by another thread has been read",
	.setup = setup,
	.threads = { produce_over, read_one, release_read },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

/* An event and a void behind it: whoever comes last of reader and releaser carries the gate over. */
static void setup_void(void)
{
	setup_of(2);
	model_produce(&producer, 1);
	model_assert(tick_claim(&producer) != NULL);
	model_ok(tick_abort(&producer));
}

static void read_event_and_void(void)
{
	model_assert(tick_ready(&consumer) == 1);
	model_ok(tick_release(&consumer, 1));
	(void)tick_ready(&consumer); /* passes the void */
}

static void finish_carried(void)
{
	/* relaxed: all have ended */
	model_assert(disruptor_load_relaxed(&consumer.view.gate->sequence) == 2);
	finish();
}

const struct model_client model_deferred_void = {
	.name = "deferred_void",
	.about = "DEFER.void: the gate is carried over a void by the reader or the releaser",
	.setup = setup_void,
	.threads = { read_event_and_void, release_read },
	.finish = finish_carried,
	.bound = 2,
	.stale = 2,
};
