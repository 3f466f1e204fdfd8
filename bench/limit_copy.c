/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:memcpy. One thread copies events, in pieces of up to 64 KiB, into a
 * ring's memory, round and round: no event that is written by one and read by
 * another can pass faster than the memory takes it.
 */
#include "bench.h"
#include "loop.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_PIECE = 65536 };

struct copy {
	unsigned char *slots, *from;
	size_t size; /* of the slots */
	size_t at;
	size_t piece; /* copied at a time, and the size of `from` */
};

static void *copy_open(const struct bench_params *params)
{
	struct copy *c = bench_alloc(sizeof(*c));

	c->size = (size_t)params->capacity * params->event_bytes;
	c->piece = c->size < COPY_PIECE ? c->size : COPY_PIECE;
	if (c->piece < params->event_bytes)
		c->piece = params->event_bytes;
	c->piece -= c->piece % params->event_bytes;
	c->slots = bench_alloc(c->size);
	c->from = bench_alloc(c->piece);
	for (size_t i = 0; i < c->piece; i++)
		c->from[i] = (unsigned char)(i * 7 + 1);
	return c;
}

static void copy_close(void *channel)
{
	struct copy *c = channel;

	free(c->from);
	free(c->slots);
	free(c);
}

static void copy_produce(void *channel, struct bench_task *task)
{
	struct copy *c = channel;
	size_t left = (size_t)task->events * task->bytes;

	while (left != 0) {
		size_t n = left < c->piece ? left : c->piece;

		n = n < c->size - c->at ? n : c->size - c->at;
		memcpy(c->slots + c->at, c->from, n);
		if (memcmp(c->slots + c->at + n - 8, c->from + n - 8, 8) != 0)
			bench_fail("limit:memcpy: the copy is not what was copied");
		c->at = c->at + n == c->size ? 0 : c->at + n;
		left -= n;
	}
}

const struct bench_subject limit_copy = {
	.name = "limit:memcpy",
	.waits = "never",
	.open = copy_open,
	.close = copy_close,
	.produce = copy_produce,
};
