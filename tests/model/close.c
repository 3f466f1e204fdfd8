/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* CLOSE: a claim is either refused or counted; consumers end behind what was published. */
#include "model.h"

#include "ring/ring.h"

static struct disruptor_ring *ring;
static struct tick_producer producers[2];
static struct tick_consumer consumer;
static uint64_t published;

static void setup_of(enum disruptor_producers many, enum disruptor_layout layout, uint64_t capacity)
{
	struct disruptor_options o = model_options(capacity);

	o.producers = many;
	o.max_producers = many == DISRUPTOR_MANY ? 2 : 0;
	o.layout = layout;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producers[0], ring, NULL));
	if (many == DISRUPTOR_MANY)
		model_ok(tick_producer_open(&producers[1], ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	published = 0;
}

static void setup_one(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_STAMPED, 1);
}

static void setup_two_slots(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_STAMPED, 2);
}

static void setup_packed(void)
{
	setup_of(DISRUPTOR_SINGLE, DISRUPTOR_PACKED, 1);
}

static void setup_many(void)
{
	setup_of(DISRUPTOR_MANY, DISRUPTOR_STAMPED, 2);
}

/* The consumer has seen all that was published. */
static void finish(void)
{
	model_assert(disruptor_consumer_position(&consumer.view) == published);
	model_ok(tick_producer_close(&producers[0]));
	if (producers[1].view.ring)
		model_ok(tick_producer_close(&producers[1]));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

static void produce(struct tick_producer *p, int most)
{
	struct tick *t;

	model_own(p);
	while (most-- != 0 && (t = tick_claim(p)) != NULL) {
		model_write(&t->value, disruptor_producer_position(&p->view) + 1);
		model_ok(tick_publish(p));
	}
}

static void produce_first(void)
{
	produce(&producers[0], 2);
	published = disruptor_producer_position(&producers[0].view);
}

static void close_ring(void)
{
	disruptor_ring_close(ring);
}

static void consume(void)
{
	int64_t n;

	while ((n = model_consume(&consumer)) > 0)
		;
	model_assert(n == DISRUPTOR_E_CLOSED);
}

static void produce_one(void)
{
	produce(&producers[0], 1);
	published = disruptor_producer_position(&producers[0].view);
}

const struct model_client model_close_claim_sleep = {
	.name = "close_claim_sleep",
	.about = "CLOSE, CLOSE.back, WAKE: close against a claim, and a consumer that sleeps",
	.setup = setup_one,
	.threads = { produce_one, close_ring, consume },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void close_and_consume(void)
{
	disruptor_ring_close(ring);
	consume();
}

const struct model_client model_close_claim = {
	.name = "close_claim",
	.about = "CLOSE: close against the claims of one producer",
	.setup = setup_two_slots,
	.threads = { produce_first, close_and_consume },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 1,
};

const struct model_client model_close_claim_packed = {
	.name = "close_claim_packed",
	.about = "CLOSE: the same with a cursor, where the claim position is a word",
	.setup = setup_packed,
	.threads = { produce_first, close_and_consume },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static DISRUPTOR_ATOMIC(uint64_t) granted;

static void setup_two_producers(void)
{
	setup_many();
	disruptor_store_relaxed(&granted, UINT64_C(0)); /* relaxed, all: a count */
}

static void produce_counted(struct tick_producer *p)
{
	uint64_t before = 0;
	struct tick *t;

	model_own(p);
	t = tick_claim(p);
	if (!t)
		return;
	before = disruptor_producer_position(&p->view);
	model_write(&t->value, before + 1);
	model_ok(tick_publish(p));
	(void)disruptor_fetch_add_relaxed(&granted, UINT64_C(1));
}

static void produce_one_first(void)
{
	produce_counted(&producers[0]);
}

static void produce_one_second(void)
{
	produce_counted(&producers[1]);
}

static void finish_many(void)
{
	published = disruptor_load_relaxed(&granted);
	finish();
}

const struct model_client model_close_claim_many = {
	.name = "close_claim_many",
	.about = "CLOSE: close against the claims of two producers",
	.setup = setup_two_producers,
	.threads = { produce_one_first, produce_one_second, close_and_consume },
	.finish = finish_many,
	.rungs = true,
	.bound = 1,
	.stale = 2,
};

/* Several slots claimed, some published: the close finds the rest by its mark. */
static void produce_in_parts(void)
{
	model_own(&producers[0]);
	if (!tick_claim_n(&producers[0], 2))
		return;
	model_write(&tick_claimed_at(&producers[0], 0)->value, 1);
	model_write(&tick_claimed_at(&producers[0], 1)->value, 2);
	model_ok(tick_publish_n(&producers[0], 1));
	model_ok(tick_publish_n(&producers[0], 1));
	published = disruptor_producer_position(&producers[0].view);
}

const struct model_client model_mark = {
	.name = "mark",
	.about =
		"CLOSE: a run that is published in parts, found by its mark in the slot (ADR 0019)",
	.setup = setup_two_slots,
	.threads = { produce_in_parts, close_ring, consume },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

/* Who looks on while claims are marked in slots: never less than was known before, nor too far. */
static void look_on(void)
{
	uint64_t claimed = 0;

	for (int i = 0; i < 2; i++) {
		uint64_t now = ring_claimed(ring);

		model_assert(now >= claimed && now <= 3);
		claimed = now;
	}
}

static void produce_three(void)
{
	model_produce_busy(&producers[0], 3);
	published = 3;
}

static void consume_three(void)
{
	model_consume_busy(&consumer, 3);
}

const struct model_client model_mark_seen = {
	.name = "mark_seen",
	.about = "the claim position as a bystander sees it, while claims are marked and covered",
	.setup = setup_two_slots,
	.threads = { produce_three, consume_three, look_on },
	.finish = finish,
	.bound = 1,
	.stale = 2,
};

/* ---- a ring that fails, and one that is open again ---- */

static void fail_ring(void)
{
	const struct disruptor_failure f = { .code = -77, .stage = "S", .hook = "wait" };

	ring_fail(ring, &f);
}

/* Refused or not; never for another reason than the one that is told. */
static void claim_until_failed(void)
{
	struct tick *t;

	model_own(&producers[0]);
	while ((t = tick_try_claim(&producers[0])) != NULL) {
		model_write(&t->value, 1);
		model_ok(tick_publish(&producers[0]));
		if (disruptor_producer_position(&producers[0].view) == 2)
			break;
	}
	if (!t)
		model_assert(tick_status(&producers[0]) == DISRUPTOR_E_FAILED);
	published = 0;
}

const struct model_client model_fail_many = {
	.name = "fail_many",
	.about = "CLOSE.bit: who meets the closed bit sees why",
	.setup = setup_many,
	.threads = { claim_until_failed, fail_ring },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_fail_one = {
	.name = "fail_one",
	.about = "CLOSE: a claim of one producer, refused by a ring that fails",
	.setup = setup_two_slots,
	.threads = { claim_until_failed, fail_ring },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void setup_closed(void)
{
	setup_one();
	disruptor_ring_close(ring);
}

static void setup_closed_many(void)
{
	setup_many();
	disruptor_ring_close(ring);
}

static void reopen(void)
{
	model_ok(disruptor_ring_reopen(ring));
}

static void claim_until_open(void)
{
	struct tick *t;

	model_own(&producers[0]);
	while (!(t = tick_try_claim(&producers[0]))) {
		model_assert(tick_status(&producers[0]) == DISRUPTOR_E_CLOSED);
		model_pause();
	}
	model_write(&t->value, 1);
	model_ok(tick_publish(&producers[0]));
	published = 0;
}

const struct model_client model_reopen = {
	.name = "reopen",
	.about = "CLOSE.open: a ring is opened again under a producer that looks",
	.setup = setup_closed,
	.threads = { claim_until_open, reopen },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

const struct model_client model_reopen_many = {
	.name = "reopen_many",
	.about = "CLOSE.open, CLOSE.bit: the same of many producers",
	.setup = setup_closed_many,
	.threads = { claim_until_open, reopen },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};
