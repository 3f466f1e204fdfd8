/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:store. A bare store loop: each event is stored in its place in a ring
 * and each publish stores a position, by release, in a line of its own. There
 * is no consumer, so no line ever leaves the producer's cache: what publishing
 * costs when handing over costs nothing.
 */
#include "bench.h"
#include "loop.h"

#include <stdlib.h>

struct store {
	_Alignas(DISRUPTOR_APART) unsigned char *slots;
	uint64_t next;
	uint64_t mask;
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) cursor;
};

static void *store_open(const struct bench_params *params)
{
	struct store *s = bench_alloc(sizeof(*s));

	s->slots = bench_alloc((size_t)params->capacity * params->event_bytes);
	s->mask = params->capacity - 1;
	return s;
}

static void store_close(void *channel)
{
	struct store *s = channel;

	free(s->slots);
	free(s);
}

/** What the loop uses: registers, as far as the compiler can. */
struct store_end {
	unsigned char *slots;
	uint64_t next;
	uint64_t mask;
	_Atomic(uint64_t) *cursor;
};

LOOP_INLINE void *store_claim(void *end, uint64_t n, uint32_t bytes)
{
	const struct store_end *e = end;

	(void)n;
	return e->slots + (size_t)(e->next & e->mask) * bytes;
}

/* capacity is a multiple of the batch: a batch never wraps */
LOOP_INLINE void *store_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void store_publish(void *end, uint64_t n, uint32_t bytes)
{
	struct store_end *e = end;

	(void)bytes;
	e->next += n;
	disruptor_store_release(e->cursor, e->next);
}

static const struct loop_end store_use = {
	.claim = store_claim,
	.claimed = store_claimed,
	.publish = store_publish,
};

LOOP_INLINE void produce_store(void *channel, struct bench_task *task, uint32_t bytes,
			       uint32_t batch)
{
	struct store *s = channel;
	struct store_end end = { s->slots, s->next, s->mask, &s->cursor };

	loop_produce(&store_use, &end, task, bytes, batch);
	s->next = end.next;
}
LOOP_PRODUCES(store_produce, produce_store, void)

const struct bench_subject limit_store = {
	.name = "limit:store",
	.waits = "never",
	.open = store_open,
	.close = store_close,
	.produce = store_produce,
};
