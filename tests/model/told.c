/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who is told that the ring is closed, or open again, or how far it has come, sees what went before. */
#include "model.h"

#include "ring/consumer.h"
#include "ring/ring.h"
#include "wait/core.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;
static uint64_t reason;

static void setup_of(enum disruptor_producers many, enum disruptor_layout layout, uint64_t capacity)
{
	const struct disruptor_consumer_options all = { .size = sizeof(all),
							.batch = (uint32_t)capacity };
	struct disruptor_options o = model_options(capacity);

	o.producers = many;
	o.max_producers = many == DISRUPTOR_MANY ? 1 : 0;
	o.layout = layout;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, &all));
	reason = 0;
}

static void setup(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_STAMPED, 2);
}

static void setup_packed(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_PACKED, 2);
}

static void setup_many(void)
{
	setup_of(DISRUPTOR_MANY, DISRUPTOR_STAMPED, 2);
}

static void setup_full(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_STAMPED, 1);
	model_produce(&producer, 1);
}

/* Room for one more is known, and the ring is closed. */
static void setup_known(void)
{
	setup_many();
	model_produce(&producer, 1);
	disruptor_ring_close(ring);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

/* ---- closed ---- */

static void tell_and_close(void)
{
	model_write(&reason, 5);
	disruptor_ring_close(ring);
}

static void produce_and_close(void)
{
	model_produce_busy(&producer, 1);
	tell_and_close();
}

static void consume_until_finished(void)
{
	while (!disruptor_consumer_finished(&consumer.view)) {
		if (tick_ready(&consumer))
			model_consume_busy(&consumer, 1);
		else
			model_pause();
	}
	model_assert(disruptor_consumer_position(&consumer.view) == 1);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_told_finished = {
	.name = "told_finished",
	.about =
		"CLOSE.end: who sees that it has finished has seen all, and what was before the close",
	.setup = setup,
	.threads = { produce_and_close, consume_until_finished },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void fail_ring(void)
{
	const struct disruptor_failure f = { .code = -77, .stage = "S", .hook = "wait" };

	model_write(&reason, 5);
	ring_fail(ring, &f);
}

/* As a loop of the caller's own does, which does not ask for the detail. */
static void look_until_failed(void)
{
	struct wait_need need;

	while (consumer_look(&consumer.view, &need) != DISRUPTOR_E_FAILED)
		model_pause();
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_told_failed = {
	.name = "told_failed",
	.about = "CLOSE.end: who looks, and finds that the ring has failed, sees what went before",
	.setup = setup,
	.threads = { fail_ring, look_until_failed },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void claim_until_closed(void)
{
	struct tick *t;

	model_own(&producer);
	do {
		t = tick_try_claim(&producer);
		if (t)
			model_ok(tick_publish(&producer));
		else if (tick_status(&producer) == DISRUPTOR_E_FULL)
			model_pause();
	} while (t || tick_status(&producer) == DISRUPTOR_E_FULL);
	model_assert(tick_status(&producer) == DISRUPTOR_E_CLOSED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_told_one = {
	.name = "told_one",
	.about = "CLOSE.open, CLOSE: a producer that is refused sees what was before the close",
	.setup = setup,
	.threads = { tell_and_close, claim_until_closed },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_told_many = {
	.name = "told_many",
	.about = "CLOSE.bit: the same of many producers",
	.setup = setup_many,
	.threads = { tell_and_close, claim_until_closed },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

static void claim_asleep(void)
{
	model_own(&producer);
	model_assert(tick_claim(&producer) == NULL);
	model_assert(tick_status(&producer) == DISRUPTOR_E_CLOSED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_told_asleep = {
	.name = "told_asleep",
	.about = "CLOSE.open, WAKE: the same of a producer that waits for room",
	.setup = setup_full,
	.threads = { tell_and_close, claim_asleep },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* ---- open again ---- */

static void setup_closed(void)
{
	setup();
	disruptor_ring_close(ring);
}

static void setup_closed_many(void)
{
	setup_many();
	disruptor_ring_close(ring);
}

static void reopen(void)
{
	model_write(&reason, 5);
	model_ok(disruptor_ring_reopen(ring));
}

static void claim_until_open(void)
{
	model_own(&producer);
	while (!tick_claim(&producer))
		model_pause();
	model_assert(model_read(&reason) == 5);
	model_ok(tick_publish(&producer));
}

const struct model_client model_told_open = {
	.name = "told_open",
	.about =
		"CLOSE.open: who was refused until the ring was open again sees what was before that",
	.setup = setup_closed,
	.threads = { claim_until_open, reopen },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_told_open_many = {
	.name = "told_open_many",
	.about = "CLOSE.bit: the same of many producers",
	.setup = setup_closed_many,
	.threads = { claim_until_open, reopen },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_told_open_known = {
	.name = "told_open_known",
	.about = "CLOSE.bit: the same where room is known, and only the claim word is looked at",
	.setup = setup_known,
	.threads = { claim_until_open, reopen },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

/* ---- how far it has come ---- */

static void give_back(void)
{
	model_own(&producer);
	model_assert(tick_claim(&producer) != NULL);
	model_write(&reason, 5);
	model_ok(tick_abort(&producer));
}

static void see_it_given_back(void)
{
	bool was_claimed = false;

	for (int i = 0; i < 3; i++) {
		uint64_t claimed = ring_claimed(ring);

		if (was_claimed && claimed == 0)
			model_assert(model_read(&reason) == 5);
		was_claimed = claimed == 1;
	}
}

const struct model_client model_told_given_back = {
	.name = "told_given_back",
	.about = "CLOSE.back: who sees that a run was given back sees what its producer did before",
	.setup = setup_packed,
	.threads = { give_back, see_it_given_back },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

static void produce_one(void)
{
	model_produce_busy(&producer, 1);
}

static void read_first(void)
{
	model_assert(model_read(&tick_at(&consumer, 0)->value) == 1);
}

static void read_published(void)
{
	while (!disruptor_ring_published(ring, 0))
		model_pause();
	read_first();
}

const struct model_client model_told_published = {
	.name = "told_published",
	.about = "PUB: a bystander who is told that an event is published may read it",
	.setup = setup,
	.threads = { produce_one, read_published },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_told_published_packed = {
	.name = "told_published_packed",
	.about = "PUB: the same of a packed ring",
	.setup = setup_packed,
	.threads = { produce_one, read_published },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void read_settled(void)
{
	while (ring_first_unpublished(ring) == 0)
		model_pause();
	read_first();
}

const struct model_client model_told_settled = {
	.name = "told_settled",
	.about = "PUB: what lies before the first position not published has been published",
	.setup = setup,
	.threads = { produce_one, read_settled },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void setup_four(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_STAMPED, 4);
}

static void produce_a_line(void)
{
	model_own(&producer);
	model_assert(tick_claim_n(&producer, 4) != NULL);
	model_write(&reason, 5);
	model_ok(tick_publish_n(&producer, 4));
}

/* All at once: it then writes their stamps again. */
static void release_a_line(void)
{
	while (tick_ready(&consumer) != 4)
		model_pause();
	model_ok(tick_release(&consumer, 4));
}

static void read_the_last(void)
{
	while (!disruptor_ring_published(ring, 3))
		model_pause();
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_told_unshared = {
	.name = "told_unshared",
	.about = "PUB: a stamp that the consumer has written again tells as much as the producer's",
	.setup = setup_four,
	.threads = { produce_a_line, release_a_line, read_the_last },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

const struct model_client model_told_settled_packed = {
	.name = "told_settled_packed",
	.about = "PUB: the same of a packed ring",
	.setup = setup_packed,
	.threads = { produce_one, read_settled },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void consume_one(void)
{
	model_consume_busy(&consumer, 1);
}

static void read_released(void)
{
	while (ring_first_unpublished(ring) == 0)
		model_pause();
	model_assert(model_read((uint64_t *)(void *)(ring_slot(ring, 0) + ring->offset)) == 1);
}

const struct model_client model_told_released = {
	.name = "told_released",
	.about = "STAGE: the same where a consumer's place says it, and no stamp is looked at",
	.setup = setup,
	.threads = { produce_one, consume_one, read_released },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};
