/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* DEFER: one thread reads, another releases. */
#include "model.h"

#include "ring/deferred.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;
static uint64_t note;

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

/* It does not ask what has been read, but tries. */
static void release_when_allowed(void)
{
	while (deferred_release(&consumer.view, 1) != 0)
		model_pause();
}

const struct model_client model_deferred_blind = {
	.name = "deferred_blind",
	.about = "DEFER.read: who releases without having asked is refused until it was read",
	.setup = setup,
	.threads = { produce_over, read_one, release_when_allowed },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

static void read_and_note(void)
{
	model_write(&note, 1);
	read_one();
}

static void see_the_note(void)
{
	while (deferred_position(&consumer.view) == 0)
		model_pause();
	model_assert(model_read(&note) == 1);
}

const struct model_client model_deferred_seen = {
	.name = "deferred_seen",
	.about = "DEFER.read: who sees what was read sees what was done before",
	.setup = setup,
	.threads = { read_and_note, see_the_note },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

/* Reader and releaser share a table with as many places as it reads ahead: one. */
static void setup_ahead(void)
{
	setup_of(1);
	model_produce(&producer, 1);
	model_consume_busy(&consumer, 1);
	note = 0;
}

static void release_the_place(void)
{
	model_assert(model_read(&note) == 0);
	model_ok(deferred_release(&consumer.view, 1));
}

static void use_the_place(void)
{
	while (deferred_room(&consumer.view) == 0)
		model_pause();
	model_write(&note, 1);
}

const struct model_client model_deferred_room = {
	.name = "deferred_room",
	.about =
		"STAGE: who has room to read on sees what was done before the release that made it",
	.setup = setup_ahead,
	.threads = { release_the_place, use_the_place },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

/*
 * Two producers: one gives up the second slot, which it has written; the other writes it in the
 * next lap. Whoever carries the gate over the void has to pass on what its producer did.
 */
static struct tick_producer giver;

static void setup_given_up(void)
{
	struct disruptor_options o = model_options(2);

	o.producers = DISRUPTOR_MANY;
	o.max_producers = 2;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_producer_open(&giver, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	deferred_open(&consumer.view, 2);
	model_produce(&producer, 1);
}

static void read_and_give_up(void)
{
	struct tick *t;

	read_one();
	model_own(&giver);
	t = tick_try_claim(&giver);
	if (!t) /* the other has taken it */
		return;
	model_write(&t->value, 99);
	model_ok(tick_abort(&giver));
	(void)tick_ready(&consumer); /* passes the void */
}

static void try_two(void)
{
	model_own(&producer);
	for (int i = 0; i < 2; i++) {
		struct tick *t = tick_try_claim(&producer);

		if (!t)
			return;
		model_write(&t->value, 1);
		model_ok(tick_publish(&producer));
	}
}

static void finish_given_up(void)
{
	model_ok(tick_producer_close(&giver));
	finish();
}

const struct model_client model_deferred_carry = {
	.name = "deferred_carry",
	.about =
		"DEFER.read, FREE: who carries the gate over a void passes on what its producer did",
	.setup = setup_given_up,
	.threads = { read_and_give_up, release_read, try_two },
	.finish = finish_given_up,
	.bound = 1,
	.stale = 1,
};
