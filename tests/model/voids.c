/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* VOID and runs that are taken back. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer first, second;
static uint64_t published;

static void setup(void)
{
	const struct disruptor_consumer *after = &first.view;
	const struct disruptor_consumer_options c = { .size = sizeof(c),
						      .after = &after,
						      .after_count = 1 };
	struct disruptor_options o = model_options(2);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	model_ok(tick_consumer_open(&second, ring, &c));
}

static void finish(void)
{
	model_assert(disruptor_consumer_position(&first.view) ==
		     disruptor_consumer_position(&second.view));
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&second));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

/* A void, whose slot holds what nobody is to see, and an event behind it. */
static void abort_one(void)
{
	struct tick *t;

	model_own(&producer);
	t = tick_claim(&producer);
	model_assert(t != NULL);
	model_write(&t->value, 99);
	model_ok(tick_abort(&producer));
	model_produce_busy(&producer, 1);
}

static void consume_first(void)
{
	model_consume_busy(&first, 2);
}

static void consume_second(void)
{
	model_consume_busy(&second, 2);
}

const struct model_client model_abort = {
	.name = "abort",
	.about = "VOID: neither the first stage nor the next is handed a void",
	.setup = setup,
	.threads = { abort_one, consume_first, consume_second },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* A later stage that sleeps is woken by a void that the first one passes, and ends behind it. */
static void abort_last(void)
{
	model_produce(&producer, 1);
	model_consume_busy(&first, 1);
	model_assert(tick_claim(&producer) != NULL);
	model_ok(tick_abort(&producer));
	model_assert(tick_ready(&first) == 0); /* passes it */
	disruptor_ring_close(ring);
}

static void sleep_second(void)
{
	int64_t n;

	while ((n = model_consume(&second)) > 0)
		;
	model_assert(n == DISRUPTOR_E_CLOSED);
	model_assert(disruptor_consumer_position(&second.view) == 2);
}

const struct model_client model_abort_last = {
	.name = "abort_last",
	.about = "VOID, WAKE: a void at the end, and the later stage ends behind it",
	.setup = setup,
	.threads = { abort_last, sleep_second },
	.finish = finish,
	.bound = 1,
	.stale = 1,
};

/* A packed run is given up: its position comes again. */
static void setup_packed(void)
{
	struct disruptor_options o = model_options(2);

	o.layout = DISRUPTOR_PACKED;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	published = 0;
}

static void take_back(void)
{
	struct tick *t;

	model_own(&producer);
	t = tick_claim(&producer);
	if (t) { /* else it was closed */
		model_write(&t->value, 99);
		model_ok(tick_abort(&producer));
		t = tick_claim(&producer);
	}
	if (t) {
		model_write(&t->value, 1);
		model_ok(tick_publish(&producer));
		published = 1;
	}
}

static void sleep_to_the_end(void)
{
	int64_t n;

	while ((n = model_consume(&first)) > 0)
		;
	model_assert(n == DISRUPTOR_E_CLOSED);
}

static void close_ring(void)
{
	disruptor_ring_close(ring);
}

static void finish_packed(void)
{
	model_assert(disruptor_consumer_position(&first.view) == published);
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_take_back = {
	.name = "take_back",
	.about = "CLOSE.end: a packed run is given up while the ring is closed",
	.setup = setup_packed,
	.threads = { take_back, sleep_to_the_end, close_ring },
	.finish = finish_packed,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};
