/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:alone. One thread does the work of all: it stores some events in a
 * ring, then reads them as often as there are consumers, and so on. Nothing is
 * handed over and nobody waits: what the events themselves cost.
 */
#include "bench.h"
#include "loop.h"

#include <stdlib.h>

enum { ALONE_RUN = 1024 }; /* events stored before they are read, at most */

struct alone {
	unsigned char *slots;
	uint64_t capacity;
	uint64_t next;
	uint32_t readers;
	uint64_t sum; /* of what was read, by all readers together */
};

static void *alone_open(const struct bench_params *params)
{
	struct alone *a = bench_alloc(sizeof(*a));

	a->slots = bench_alloc((size_t)params->capacity * params->event_bytes);
	a->capacity = params->capacity;
	a->readers = params->consumers;
	return a;
}

static void alone_close(void *channel)
{
	struct alone *a = channel;

	free(a->slots);
	free(a);
}

/** Store @p n events side by side; the last one's value. */
LOOP_INLINE uint64_t alone_fill(unsigned char *slot, uint64_t n, uint64_t value, uint32_t bytes)
{
	for (uint64_t i = 0; i < n; i++)
		loop_fill(slot + i * bytes, ++value, bytes);
	return value;
}

LOOP_INLINE uint64_t alone_read(const unsigned char *slot, uint64_t n, uint32_t bytes,
				uint64_t *torn)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += loop_read(slot + i * bytes, bytes, torn);
	return sum;
}

LOOP_INLINE void alone_sized(struct alone *a, struct bench_task *task, uint32_t bytes)
{
	uint64_t most = a->capacity < ALONE_RUN ? a->capacity : ALONE_RUN;

	for (uint64_t left = task->events; left != 0;) {
		uint64_t at = a->next & (a->capacity - 1), n = left < most ? left : most;
		unsigned char *slot = a->slots + (size_t)at * bytes;

		n = n < a->capacity - at ? n : a->capacity - at;
		task->value = alone_fill(slot, n, task->value, bytes);
		for (uint32_t i = 0; i < a->readers; i++) {
			disruptor_fence_compiler(); /* each reader reads for itself */
			a->sum += bytes == 8 ? alone_read(slot, n, 8, &task->torn)
					     : alone_read(slot, n, bytes, &task->torn);
		}
		a->next += n;
		left -= n;
	}
}

static void alone_produce(void *channel, struct bench_task *task)
{
	struct alone *a = channel;
	uint64_t n;

	if (disruptor_likely(task->bytes == 8)) /* loops of what is seldom are not aligned */
		alone_sized(a, task, 8);
	else
		alone_sized(a, task, task->bytes);
	n = a->next;
	/* each reader's sum is 1 + 2 + … + n */
	if (a->sum != a->readers * (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n) ||
	    task->torn != 0)
		bench_fail("limit:alone: the events read are not those that were stored");
}

const struct bench_subject limit_alone = {
	.name = "limit:alone",
	.waits = "never",
	.open = alone_open,
	.close = alone_close,
	.produce = alone_produce,
};
