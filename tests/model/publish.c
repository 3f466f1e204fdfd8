/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* PUB and FREE: two slots, four events, both sides looking without sleeping. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;

static void setup(void)
{
	struct disruptor_options o = model_options(2);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
}

static void produce(void)
{
	for (uint64_t i = 0; i < 3; i++) {
		struct tick *t;

		while (!(t = tick_try_claim(&producer)))
			model_pause();
		model_write(&t->value, 10 + i);
		model_ok(tick_publish(&producer));
	}
}

static void consume(void)
{
	uint64_t n;

	for (uint64_t at = 0; at != 3; at += n) {
		while (!(n = tick_ready(&consumer)))
			model_pause();
		for (uint64_t i = 0; i < n; i++)
			model_assert(model_read(&tick_at(&consumer, i)->value) == 10 + at + i);
		model_ok(tick_release(&consumer, n));
	}
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_publish = {
	.name = "publish",
	.about = "PUB, FREE: published events are whole, and not overwritten while they are read",
	.setup = setup,
	.threads = { produce, consume },
	.finish = finish,
	.rungs = true,
};
