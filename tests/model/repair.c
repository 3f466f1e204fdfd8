/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a dead process has left among claims of the living. */
#include "model.h"

#include "ring/repair.h"

static struct disruptor_ring *ring;
static struct tick_producer dead, living;
static struct tick_consumer consumer;

static void setup(void)
{
	struct disruptor_options o = model_options(4);

	o.producers = DISRUPTOR_MANY;
	o.max_producers = 2;
	ring = model_ring(&o);
	ring->peers.self = 2;
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	model_ok(tick_producer_open(&living, ring, NULL));
	ring->peers.self = 1;
	model_ok(tick_producer_open(&dead, ring, NULL));
	ring->peers.self = 2;
	model_assert(tick_try_claim(&dead));
}

static void live(void)
{
	model_produce_busy(&living, 2);
	model_produce(&living, 1);
}

static void repair(void)
{
	uint64_t end = 0;

	for (bool done = false; !done;) {
		ring_lock(ring);
		if (end == 0)
			end = ring_claimed(ring);
		done = ring_repair(ring, 1, end);
		ring_unlock(ring);
		if (!done)
			model_pause();
	}
}

static void finish(void)
{
	model_consume_busy(&consumer, 4);
	model_assert(disruptor_ring_stats(ring).voids == 1);
	model_assert(disruptor_ring_stats(ring).open_producers == 1);
	ring->own_producers[dead.view.index].open = false; /* it was of that process */
	model_ok(tick_producer_close(&living));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_orphan = {
	.name = "orphan",
	.about = "INTENT, DEATH: claims of the dead become voids, those of who lives do not",
	.setup = setup,
	.threads = { live, repair },
	.finish = finish,
	.bound = 1,
	.stale = 2,
};
