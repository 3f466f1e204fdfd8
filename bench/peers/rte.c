/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * DPDK's rte_ring, in memory of our own: rte_ring_init() needs neither the
 * environment layer nor huge pages nor root.
 */
#include "sized.h"

#include <stdlib.h>

#include <rte_ring.h>

struct channel {
	const struct peer_loops *loops;
	struct rte_ring *ring;
	struct copies {
		_Alignas(DISRUPTOR_APART) unsigned char *to_send;
	} copies[BENCH_PRODUCERS];
};

struct out {
	struct rte_ring *ring;
	unsigned char *to_send; /* of several producers, who copy in */
};

struct in {
	struct rte_ring *ring;
	const unsigned char *first;
};

LOOP_INLINE struct out out_begin(struct channel *c, uint32_t index)
{
	return (struct out){ c->ring, c->copies[index].to_send };
}

LOOP_INLINE void out_end(struct channel *c, uint32_t index, const struct out *out)
{
	(void)c, (void)index, (void)out;
}

LOOP_INLINE struct in in_begin(struct channel *c)
{
	return (struct in){ c->ring, NULL };
}

LOOP_INLINE void in_end(struct channel *c, const struct in *in)
{
	(void)c, (void)in;
}

/* One producer fills its slots in place. Our batches divide the ring's size, so that none wraps. */

LOOP_INLINE void *one_claim(void *end, uint64_t n, uint32_t bytes)
{
	struct out *o = end;
	struct rte_ring_zc_data at;

	while (!rte_ring_enqueue_zc_bulk_elem_start(o->ring, bytes, (unsigned)n, &at, NULL))
		;
	return at.ptr1;
}

LOOP_INLINE void *claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void one_publish(void *end, uint64_t n, uint32_t bytes)
{
	(void)bytes;
	rte_ring_enqueue_zc_elem_finish(((struct out *)end)->ring, (unsigned)n);
}

/* Several copy in what they have filled elsewhere. */

LOOP_INLINE void *many_claim(void *end, uint64_t n, uint32_t bytes)
{
	(void)n, (void)bytes;
	return ((struct out *)end)->to_send;
}

LOOP_INLINE void many_publish(void *end, uint64_t n, uint32_t bytes)
{
	struct out *o = end;
	uint32_t looks = 0;

	while (!rte_ring_enqueue_bulk_elem(o->ring, o->to_send, bytes, (unsigned)n, NULL))
		peer_wait(&looks, true);
}

/* The one consumer reads in place: what lies side by side, and the rest at its next look. */

LOOP_INLINE uint64_t ready(struct in *in, uint32_t bytes, bool many)
{
	struct rte_ring_zc_data at;
	uint32_t looks = 0;

	while (!rte_ring_dequeue_zc_burst_elem_start(in->ring, bytes, PEER_TAKEN, &at, NULL))
		peer_wait(&looks, many);
	in->first = at.ptr1;
	return at.n1;
}

LOOP_INLINE uint64_t one_ready(void *end, uint32_t bytes)
{
	return ready(end, bytes, false);
}

LOOP_INLINE uint64_t many_ready(void *end, uint32_t bytes)
{
	return ready(end, bytes, true);
}

LOOP_INLINE const void *at(void *end, uint64_t i, uint32_t bytes)
{
	return ((struct in *)end)->first + i * bytes;
}

LOOP_INLINE void release(void *end, uint64_t n)
{
	rte_ring_dequeue_zc_elem_finish(((struct in *)end)->ring, (unsigned)n);
}

static const struct loop_end use_one = {
	.claim = one_claim,
	.claimed = claimed,
	.publish = one_publish,
	.ready = one_ready,
	.at = at,
	.release = release,
};

static const struct loop_end use_many = {
	.claim = many_claim,
	.claimed = claimed,
	.publish = many_publish,
	.ready = many_ready,
	.at = at,
	.release = release,
};

PEER_LOOPS_TO_128
PEER_LOOPS(any, task->bytes)

static void *rte_open(const struct bench_params *params)
{
	bool many = params->producers > 1;
	/* one slot is always free: not even a bulk of all would ever fit */
	unsigned slots = (unsigned)params->capacity << (params->batch >= params->capacity);
	struct channel *c = bench_alloc(sizeof(*c));
	unsigned flags = RING_F_SC_DEQ;

	/* more: one that was put off in the middle of enqueuing is not waited for */
	if (params->producers > 2)
		flags |= RING_F_MP_RTS_ENQ;
	else if (params->producers == 1)
		flags |= RING_F_SP_ENQ;

	c->loops = PEER_LOOPS_OF(params->event_bytes, &loops_any);
	c->ring = bench_alloc(sizeof(*c->ring) + (size_t)slots * params->event_bytes);
	if (rte_ring_init(c->ring, "bench", slots, flags) != 0)
		bench_fail("rte_ring: no ring of %u slots", slots);
	for (uint32_t i = 0; many && i < params->producers; i++)
		c->copies[i].to_send = bench_alloc((size_t)params->batch * params->event_bytes);
	return c;
}

static void rte_close(void *channel)
{
	struct channel *c = channel;

	for (uint32_t i = 0; i < BENCH_PRODUCERS; i++)
		free(c->copies[i].to_send);
	free(c->ring);
	free(c);
}

const struct bench_subject subject_rte = {
	.name = "DPDK rte_ring",
	.waits = "spin",
	.open = rte_open,
	.close = rte_close,
	.produce = peer_produce,
	.consume = peer_consume,
	.serve = peer_serve,
	.answer = peer_answer,
};
