/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* MIRROR: lossy readers copy events while they may be overwritten. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;
static struct tick_reader reader;
static uint64_t reason;

static void setup_of(uint64_t capacity, unsigned flags)
{
	struct disruptor_options o = model_options(capacity);

	o.flags = DISRUPTOR_LOSSY | flags;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	if (!(flags & DISRUPTOR_FREE_RUN))
		model_ok(tick_consumer_open(&consumer, ring, NULL));
	model_ok(tick_reader_open(&reader, ring, NULL));
}

static void setup(void)
{
	setup_of(1, DISRUPTOR_FREE_RUN);
}

static void setup_two(void)
{
	setup_of(2, 0);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	if (consumer.view.open_mark)
		model_ok(tick_consumer_close(&consumer));
	model_ok(tick_reader_close(&reader));
	model_ok(disruptor_ring_destroy(&ring));
}

static void produce(void)
{
	model_produce_busy(&producer, 3);
}

/* What it is given is the event of the position that it says, or it has missed some. */
static void read_some(void)
{
	for (int i = 0; i < 3; i++) {
		struct tick t;

		if (tick_reader_next(&reader, &t) == 1)
			model_assert(t.value == reader.view.next);
	}
}

const struct model_client model_mirror = {
	.name = "mirror",
	.about = "MIRROR, MIRROR.tear: a lossy reader is never given a torn event",
	.setup = setup,
	.threads = { produce, read_some },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void produce_and_void(void)
{
	model_produce_busy(&producer, 1);
	model_assert(tick_claim(&producer) != NULL);
	model_ok(tick_abort(&producer));
	disruptor_ring_close(ring);
}

static void read_to_the_end(void)
{
	struct tick t;
	int rc;

	while ((rc = tick_reader_next_until(&reader, &t, DISRUPTOR_FOREVER)) == 1)
		model_assert(t.value == reader.view.next && t.value == 1);
	model_assert(rc == DISRUPTOR_E_CLOSED);
	model_assert(reader.view.next == 2);
}

const struct model_client model_mirror_sleep = {
	.name = "mirror_sleep",
	.about =
		"MIRROR, WAKE: a lossy reader sleeps, and is woken by events, voids, and the close",
	.setup = setup_two,
	.threads = { produce_and_void, read_to_the_end },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 2,
};

static void produce_one(void)
{
	model_produce(&producer, 1);
}

/* Nothing but the event wakes it. */
static void sleep_for_one(void)
{
	struct tick t;

	model_assert(tick_reader_next_until(&reader, &t, DISRUPTOR_FOREVER) == 1);
	model_assert(t.value == 1);
}

const struct model_client model_mirror_wake = {
	.name = "mirror_wake",
	.about = "MIRROR, WAKE: a lossy reader sleeps, and is woken by an event",
	.setup = setup_two,
	.threads = { produce_one, sleep_for_one },
	.finish = finish,
	.rungs = true,
	.bound = 3,
	.stale = 2,
};

static void produce_and_close(void)
{
	model_produce_busy(&producer, 1);
	model_write(&reason, 5);
	disruptor_ring_close(ring);
}

static void read_until_closed(void)
{
	struct tick t;
	int rc;

	while ((rc = tick_reader_next(&reader, &t)) >= 0)
		if (rc == 0)
			model_pause();
	model_assert(rc == DISRUPTOR_E_CLOSED && reader.view.next == 1);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_mirror_end = {
	.name = "mirror_end",
	.about =
		"CLOSE.end: a lossy reader ends behind all events, and sees what was before the close",
	.setup = setup_two,
	.threads = { produce_and_close, read_until_closed },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 3,
};

static void setup_packed(void)
{
	struct disruptor_options o = model_options(2);

	o.flags = DISRUPTOR_LOSSY;
	o.layout = DISRUPTOR_PACKED;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	model_ok(tick_reader_open(&reader, ring, NULL));
}

/* It changes each event: the copy for lossy readers has been made. */
static void consume(void)
{
	for (int i = 0; i < 3; i++) {
		while (!tick_ready(&consumer))
			model_pause();
		model_write(&tick_at(&consumer, 0)->value, 0);
		model_ok(tick_release(&consumer, 1));
	}
}

const struct model_client model_mirror_packed = {
	.name = "mirror_packed",
	.about = "PUB: a consumer of a packed, lossy ring changes what was copied for readers",
	.setup = setup_packed,
	.threads = { produce, consume },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};
