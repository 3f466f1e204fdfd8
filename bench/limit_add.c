/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:add. What a total order of several producers' events costs: each of
 * them takes its next position from one counter by an atomic addition, and
 * stores the event in a ring of its own. There is no consumer, and only the
 * counter's line moves between the producers.
 */
#include "bench.h"
#include "loop.h"

#include <stdlib.h>

struct adders {
	uint64_t mask;
	unsigned char *slots[BENCH_PRODUCERS];
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) claimed;
	char apart[DISRUPTOR_APART - sizeof(uint64_t)];
};

static void *add_open(const struct bench_params *params)
{
	struct adders *a = bench_alloc(sizeof(*a));

	a->mask = params->capacity - 1;
	for (uint32_t i = 0; i < params->producers; i++)
		a->slots[i] = bench_alloc((size_t)params->capacity * params->event_bytes);
	return a;
}

static void add_close(void *channel)
{
	struct adders *a = channel;

	for (size_t i = 0; i < BENCH_PRODUCERS; i++)
		free(a->slots[i]);
	free(a);
}

struct add_end {
	unsigned char *slots;
	uint64_t mask;
	_Atomic(uint64_t) *claimed;
};

LOOP_INLINE void *add_claim(void *end, uint64_t n, uint32_t bytes)
{
	const struct add_end *e = end;
	/* relaxed: nothing is read through it */
	uint64_t position = disruptor_fetch_add_relaxed(e->claimed, n);

	return e->slots + (size_t)(position & e->mask) * bytes;
}

/* capacity is a multiple of the batch: a batch never wraps */
LOOP_INLINE void *add_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void add_publish(void *end, uint64_t n, uint32_t bytes)
{
	(void)end, (void)n, (void)bytes;
}

static const struct loop_end add_use = {
	.claim = add_claim,
	.claimed = add_claimed,
	.publish = add_publish,
};

static void add_produce(void *channel, struct bench_task *task)
{
	struct adders *a = channel;
	struct add_end end = { a->slots[task->index], a->mask, &a->claimed };

	loop_produce_many(&add_use, &end, task);
}

const struct bench_subject limit_add = {
	.name = "limit:add",
	.waits = "never",
	.open = add_open,
	.close = add_close,
	.produce = add_produce,
};
