/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* DEFER, SHARE and WAKE: who sleeps for what another thread releases, of a deferred stage or a pool. */
#include "model.h"

#include "ring/deferred.h"
#include "ring/share.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;

static void setup_of(uint64_t capacity, uint64_t ahead)
{
	struct disruptor_options o = model_options(capacity);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	deferred_open(&consumer.view, ahead);
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

/* One slot, its event read and not released. */
static void setup_read(void)
{
	setup_of(1, 1);
	model_produce(&producer, 1);
	model_consume_to(&consumer, 1);
}

static void produce_one(void)
{
	model_produce(&producer, 1);
}

static void release_one(void)
{
	while (deferred_position(&consumer.view) == 0)
		model_pause();
	model_ok(deferred_release(&consumer.view, 1));
}

const struct model_client model_held_producer = {
	.name = "held_producer",
	.about = "WAKE: a producer sleeps for what is released of a deferred stage",
	.setup = setup_read,
	.threads = { produce_one, release_one },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* One slot, with a void in it: nobody is to release it. */
static void setup_void(void)
{
	setup_of(1, 1);
	model_assert(tick_claim(&producer) != NULL);
	model_ok(tick_abort(&producer));
}

static void pass_void(void)
{
	model_consume_to(&consumer, 2);
}

const struct model_client model_held_void = {
	.name = "held_void",
	.about = "WAKE: a producer sleeps for a void that a deferred stage passes",
	.setup = setup_void,
	.threads = { produce_one, pass_void },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* Two events, of which it may have one in hand. */
static void setup_two(void)
{
	setup_of(2, 1);
	model_produce(&producer, 2);
}

static void read_two(void)
{
	model_consume_to(&consumer, 2);
}

const struct model_client model_held_up = {
	.name = "held_up",
	.about = "WAKE: a deferred stage sleeps until the one release that lets it read on",
	.setup = setup_two,
	.threads = { read_two, release_one },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void read_until_interrupted(void)
{
	int64_t found;

	do
		found = model_consume(&consumer);
	while (found == 1);
	model_assert(found == DISRUPTOR_E_INTERRUPTED);
}

static void interrupt(void)
{
	disruptor_consumer_interrupt(&consumer.view);
}

const struct model_client model_held_stop = {
	.name = "held_stop",
	.about = "STOP, WAKE: an interrupt, and a deferred stage that sleeps for a release",
	.setup = setup_two,
	.threads = { read_until_interrupted, interrupt },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void setup_closed(void)
{
	setup_of(1, 1);
	model_produce(&producer, 1);
	disruptor_ring_close(ring);
}

/* It has ended once all that it read is released. */
static void read_to_the_end(void)
{
	model_assert(model_consume(&consumer) == 1);
	model_assert(model_consume(&consumer) == DISRUPTOR_E_CLOSED);
	model_assert(deferred_unreleased(&consumer.view) == 0);
}

const struct model_client model_held_end = {
	.name = "held_end",
	.about = "CLOSE.end, WAKE: a deferred stage ends behind the last release",
	.setup = setup_closed,
	.threads = { read_to_the_end, release_one },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* ---- a pool of one worker ---- */

static struct tick_consumer worker;
static struct ring_share share;

static void setup_pool(void)
{
	struct disruptor_options o = model_options(1);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	model_ok(share_open(&share, &consumer.view, true));
	model_ok(tick_consumer_open(&worker, ring, NULL));
	share_join(&share, &worker.view, 1);
	model_produce(&producer, 1);
}

static void finish_pool(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&worker));
	model_ok(tick_consumer_close(&consumer));
	share_close(&share);
	model_ok(disruptor_ring_destroy(&ring));
}

static void work_one(void)
{
	model_assert(share_take(&worker.view));
	model_assert(model_read(&tick_at(&worker, 0)->value) == 1);
	model_ok(disruptor_consumer_release_slow(&worker.view, 1));
}

const struct model_client model_held_pool = {
	.name = "held_pool",
	.about = "SHARE.done, WAKE: a producer sleeps for what a pool's worker releases",
	.setup = setup_pool,
	.threads = { produce_one, work_one },
	.finish = finish_pool,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};
