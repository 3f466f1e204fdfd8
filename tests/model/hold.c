/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* HOLD and OWNER: which thread has what. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;
static DISRUPTOR_ATOMIC(uint64_t) yours;

static void setup(void)
{
	struct disruptor_options o = model_options(1);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	model_produce(&producer, 1);
	/* relaxed: nobody else runs yet */
	disruptor_store_relaxed(&yours, UINT64_C(0));
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

/*
 * It consumed the first event, so it is the holder that is known. The view goes to the other; the
 * claim must wait for the other's release, and not be refused for what this thread held.
 */
static void consume_then_claim(void)
{
	model_consume_to(&consumer, 1);
	model_produce(&producer, 1);
	disruptor_store_release(&yours, UINT64_C(1)); /* release: the view, with all in it */
	model_produce(&producer, 1);
}

static void consume_second(void)
{
	while (disruptor_load_acquire(&yours) == 0) /* acquire: the view */
		model_pause();
	model_consume_to(&consumer, 2);
}

const struct model_client model_hold = {
	.name = "hold",
	.about = "HOLD: a claim is not refused for events that another thread was handed",
	.setup = setup,
	.threads = { consume_then_claim, consume_second },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};
