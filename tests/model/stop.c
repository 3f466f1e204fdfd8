/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* STOP: what is not progress ends a wait, too. */
#include "model.h"

#include "ring/consumer.h"
#include "ring/ring.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer first, second;
static uint64_t reason;

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
	reason = 0;
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&second));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

static void interrupt(void)
{
	model_write(&reason, 5);
	disruptor_consumer_interrupt(&first.view);
}

static void wait_first(void)
{
	model_assert(model_consume(&first) == DISRUPTOR_E_INTERRUPTED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_wake_stop = {
	.name = "wake_stop",
	.about = "STOP, WAKE: an interrupt, and a consumer that goes to sleep",
	.setup = setup,
	.threads = { interrupt, wait_first },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void interrupt_second(void)
{
	model_write(&reason, 5);
	disruptor_consumer_interrupt(&second.view);
}

static void wait_second(void)
{
	model_assert(model_consume(&second) == DISRUPTOR_E_INTERRUPTED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_wake_stop_stage = {
	.name = "wake_stop_stage",
	.about = "STOP, WAKE: an interrupt, and a later stage that goes to sleep",
	.setup = setup,
	.threads = { interrupt_second, wait_second },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void close_ring(void)
{
	disruptor_ring_close(ring);
}

static void wait_for_close(void)
{
	model_assert(model_consume(&first) == DISRUPTOR_E_CLOSED);
}

static void wait_for_close_second(void)
{
	model_assert(model_consume(&second) == DISRUPTOR_E_CLOSED);
}

const struct model_client model_wake_close = {
	.name = "wake_close",
	.about = "CLOSE.end, WAKE: close, and consumers that go to sleep",
	.setup = setup,
	.threads = { close_ring, wait_for_close, wait_for_close_second },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void end_at_claimed(void)
{
	model_write(&reason, 5);
	consumer_end_at_claimed(&first.view);
}

static void produce_one(void)
{
	model_produce(&producer, 1);
}

static void wait_to_the_end(void)
{
	int64_t found = model_consume(&first);

	if (found == 1) /* claimed before it was told */
		found = model_consume(&first);
	model_assert(found == DISRUPTOR_E_INTERRUPTED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_wake_end = {
	.name = "wake_end",
	.about = "STOP: a consumer is told where to end, before or after it has come there",
	.setup = setup,
	.threads = { end_at_claimed, produce_one, wait_to_the_end },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

/* A producer that sleeps for room when the ring is closed. */
static void setup_full(void)
{
	setup();
	model_produce(&producer, 2);
}

static void claim_in_vain(void)
{
	model_own(&producer);
	model_assert(tick_claim(&producer) == NULL);
	model_assert(tick_status(&producer) == DISRUPTOR_E_CLOSED);
}

const struct model_client model_wake_close_producer = {
	.name = "wake_close_producer",
	.about = "CLOSE, WAKE: close, and a producer that goes to sleep",
	.setup = setup_full,
	.threads = { close_ring, claim_in_vain },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

/* Nothing to consume, and no room. */
static void setup_full_first(void)
{
	setup_full();
	model_consume_to(&first, 2);
}

static void fail_ring(void)
{
	const struct disruptor_failure failure = { .code = -7, .stage = "S", .hook = "wait" };

	ring_fail(ring, &failure);
}

static void wait_for_failure(void)
{
	model_assert(model_consume(&first) == DISRUPTOR_E_FAILED);
}

static void claim_in_failed(void)
{
	model_own(&producer);
	model_assert(tick_claim(&producer) == NULL);
	model_assert(tick_status(&producer) == DISRUPTOR_E_FAILED);
}

const struct model_client model_wake_fail = {
	.name = "wake_fail",
	.about = "CLOSE, WAKE: a failure, a consumer that goes to sleep, and a producer",
	.setup = setup_full_first,
	.threads = { fail_ring, wait_for_failure, claim_in_failed },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

/* A claim is given back while a consumer is told to end behind it. */
static void setup_claimed(void)
{
	struct disruptor_options o = model_options(2);

	o.layout = DISRUPTOR_PACKED;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	model_assert(tick_claim(&producer) != NULL);
}

static void finish_claimed(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

static void give_back(void)
{
	model_own(&producer);
	model_ok(tick_abort(&producer));
}

static void tell_to_end(void)
{
	consumer_end_at_claimed(&first.view);
}

static void wait_for_end(void)
{
	model_assert(model_consume(&first) == DISRUPTOR_E_INTERRUPTED);
}

const struct model_client model_wake_end_back = {
	.name = "wake_end_back",
	.about = "STOP, CLOSE.back: where a consumer is to end is given back",
	.setup = setup_claimed,
	.threads = { give_back, tell_to_end, wait_for_end },
	.finish = finish_claimed,
	.rungs = true,
	.bound = 2,
	.stale = 1,
};
