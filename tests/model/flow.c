/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* PUB and FREE: from one producer to one consumer and back, both looking without sleeping. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;

static void open_ring(const struct disruptor_options *o, uint32_t batch)
{
	const struct disruptor_consumer_options c = { .size = sizeof(c), .batch = batch };

	ring = model_ring(o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, &c));
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

static void setup_two(void)
{
	struct disruptor_options o = model_options(2);

	open_ring(&o, 0);
}

static void produce(void)
{
	model_produce_busy(&producer, 3);
}

static void consume(void)
{
	model_consume_busy(&consumer, 3);
}

const struct model_client model_publish = {
	.name = "publish",
	.about = "PUB, FREE: events are whole, and not overwritten while they are read",
	.setup = setup_two,
	.threads = { produce, consume },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void setup_packed(void)
{
	struct disruptor_options o = model_options(2);

	o.layout = DISRUPTOR_PACKED;
	open_ring(&o, 0);
}

const struct model_client model_packed = {
	.name = "packed",
	.about = "PUB, FREE with a cursor in place of stamps",
	.setup = setup_packed,
	.threads = { produce, consume },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void setup_eight(void)
{
	struct disruptor_options o = model_options(8);

	open_ring(&o, 8);
}

/* The @p n that are claimed, with the values from @p first on. */
static void publish_from(uint64_t n, uint64_t first)
{
	for (uint64_t i = 0; i < n; i++)
		model_write(&tick_claimed_at(&producer, i)->value, first + i);
	model_ok(tick_publish_n(&producer, n));
}

static void produce_batch(void)
{
	model_own(&producer);
	model_assert(tick_claim_n(&producer, 6) != NULL);
	publish_from(6, 1);
}

static void consume_batch(void)
{
	model_consume_busy(&consumer, 6);
}

const struct model_client model_publish_n = {
	.name = "publish_n",
	.about = "PUB of several at once, which the consumer leaps over",
	.setup = setup_eight,
	.threads = { produce_batch, consume_batch },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

static void produce_five(void)
{
	model_produce_busy(&producer, 5);
}

static void consume_five(void)
{
	model_consume_busy(&consumer, 5);
}

const struct model_client model_leap = {
	.name = "leap",
	.about =
		"PUB: a stamp that the consumer leaps to tells of those before it, published one by one",
	.setup = setup_eight,
	.threads = { produce_five, consume_five },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

static void setup_one(void)
{
	struct disruptor_options o = model_options(1);

	open_ring(&o, 0);
}

/* What the consumer leaves in the slot is the producer's to find. */
static void produce_answered(void)
{
	model_own(&producer);
	for (uint64_t i = 0; i < 2; i++) {
		struct tick *t;

		while (!(t = tick_try_claim(&producer)))
			model_pause();
		model_assert(i == 0 || model_read(&t->value) == 100);
		model_write(&t->value, i + 1);
		model_ok(tick_publish(&producer));
	}
}

static void answer(void)
{
	for (uint64_t i = 0; i < 2; i++) {
		while (!tick_ready(&consumer))
			model_pause();
		model_assert(model_read(&tick_at(&consumer, 0)->value) == i + 1);
		model_write(&tick_at(&consumer, 0)->value, 100);
		model_ok(tick_release(&consumer, 1));
	}
}

const struct model_client model_reuse = {
	.name = "reuse",
	.about =
		"FREE: what a consumer writes into an event is there when the slot is claimed again",
	.setup = setup_one,
	.threads = { produce_answered, answer },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void setup_four(void)
{
	struct disruptor_options o = model_options(4);

	open_ring(&o, 4);
	model_produce(&producer, 4);
}

/* Four slots are a line, which the consumer writes to before it releases it. */
static void produce_a_lap(void)
{
	model_own(&producer);
	while (!disruptor_try_claim_n(&producer.view, 4))
		model_pause();
	publish_from(4, 5);
}

static void consume_two_laps(void)
{
	model_consume_busy(&consumer, 8);
}

const struct model_client model_unshare = {
	.name = "unshare",
	.about =
		"FREE: what a consumer writes again into the stamps is there before the next lap's",
	.setup = setup_four,
	.threads = { produce_a_lap, consume_two_laps },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

/* The second lap is claimed where room was known from before, by the inline half. */
static void produce_known(void)
{
	model_produce_busy(&producer, 2);
	while (!tick_claim_up_to(&producer, 2))
		model_pause();
	publish_from(disruptor_claimed(&producer.view), 3);
}

static void consume_known(void)
{
	model_consume_busy(&consumer, 3);
}

static void setup_known(void)
{
	const struct disruptor_producer_options p = { .size = sizeof(p),
						      .overflow = DISRUPTOR_FAIL };
	struct disruptor_options o = model_options(2);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, &p));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
}

const struct model_client model_claim_up_to = {
	.name = "claim_up_to",
	.about = "FREE: as many as are free",
	.setup = setup_known,
	.threads = { produce_known, consume_known },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};
