/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:cursor and limit:packed. A bare ring for one producer and one consumer
 * in the classic layout: events side by side, and beside them a cursor, alone
 * on its line, that says how far they are published. Each side keeps what it
 * needs in registers and the other side's position in a cache of its own: the
 * producer looks at the consumer's sequence only when its last look no longer
 * shows room; the consumer takes all that one look at the cursor shows, and
 * stores its sequence once for it.
 *
 * With one event a publish this is the best that the classic layout can do
 * (limit:cursor); with batches of 16, the least that streaming in bulk must do
 * (limit:packed). Nobody can be woken, closed, or added; it only spins.
 */
#include "bench.h"
#include "loop.h"

#include <stdlib.h>

struct cursor_ring {
	_Alignas(DISRUPTOR_APART) unsigned char *slots;
	uint64_t capacity;
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) cursor;   /* first not published */
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) sequence; /* first not consumed */
	_Alignas(DISRUPTOR_APART) uint64_t room; /* the producer's: first not known to be free */
};

static void *cursor_open(const struct bench_params *params)
{
	struct cursor_ring *r = bench_alloc(sizeof(*r));

	r->slots = bench_alloc((size_t)params->capacity * params->event_bytes);
	r->capacity = params->capacity;
	r->room = params->capacity;
	return r;
}

static void cursor_close(void *channel)
{
	struct cursor_ring *r = channel;

	free(r->slots);
	free(r);
}

/** One side's view; in registers, as far as the compiler can. */
struct cursor_end {
	unsigned char *slots;
	uint64_t capacity;
	uint64_t next;
	uint64_t room;
	_Atomic(uint64_t) *cursor;
	_Atomic(uint64_t) *sequence;
};

LOOP_INLINE void *cursor_claim(void *end, uint64_t n, uint32_t bytes)
{
	struct cursor_end *e = end;

	while (disruptor_unlikely(e->room - e->next < n))
		e->room = disruptor_load_acquire(e->sequence) + e->capacity;
	return e->slots + (size_t)(e->next & (e->capacity - 1)) * bytes;
}

/* capacity is a multiple of the batch: a batch never wraps */
LOOP_INLINE void *cursor_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void cursor_publish(void *end, uint64_t n, uint32_t bytes)
{
	struct cursor_end *e = end;

	(void)bytes;
	e->next += n;
	disruptor_store_release(e->cursor, e->next);
}

/** Events up to the end of the memory, so that the loop over them has no wrap in it. */
LOOP_INLINE uint64_t cursor_ready(void *end, uint32_t bytes)
{
	struct cursor_end *e = end;
	uint64_t straight = e->capacity - (e->next & (e->capacity - 1));
	uint64_t n;

	(void)bytes;
	do {
		n = disruptor_load_acquire(e->cursor) - e->next;
	} while (n == 0);
	return n < straight ? n : straight;
}

LOOP_INLINE const void *cursor_at(void *end, uint64_t i, uint32_t bytes)
{
	const struct cursor_end *e = end;

	return e->slots + (size_t)((e->next & (e->capacity - 1)) + i) * bytes;
}

LOOP_INLINE void cursor_release(void *end, uint64_t n)
{
	struct cursor_end *e = end;

	e->next += n;
	disruptor_store_release(e->sequence, e->next);
}

LOOP_INLINE uint64_t cursor_lag(void *end)
{
	const struct cursor_end *e = end;

	/* relaxed: a number for the report */
	return disruptor_load_relaxed(e->cursor) - e->next;
}

static const struct loop_end cursor_use = {
	.claim = cursor_claim,
	.claimed = cursor_claimed,
	.publish = cursor_publish,
	.ready = cursor_ready,
	.at = cursor_at,
	.release = cursor_release,
	.lag = cursor_lag,
};

static struct cursor_end cursor_producer(struct cursor_ring *r)
{
	return (struct cursor_end){
		.slots = r->slots,
		.capacity = r->capacity,
		.next = disruptor_load_relaxed(&r->cursor), /* relaxed: we alone store it */
		.room = r->room,
		.cursor = &r->cursor,
		.sequence = &r->sequence,
	};
}

static struct cursor_end cursor_consumer(struct cursor_ring *r)
{
	return (struct cursor_end){
		.slots = r->slots,
		.capacity = r->capacity,
		.next = disruptor_load_relaxed(&r->sequence), /* relaxed: we alone store it */
		.cursor = &r->cursor,
		.sequence = &r->sequence,
	};
}

LOOP_INLINE void produce_cursor(void *channel, struct bench_task *task, uint32_t bytes,
				uint32_t batch)
{
	struct cursor_ring *r = channel;
	struct cursor_end end = cursor_producer(r);

	loop_produce(&cursor_use, &end, task, bytes, batch);
	r->room = end.room;
}
LOOP_PRODUCES(cursor_produce, produce_cursor, void)

LOOP_INLINE void consume_cursor(void *channel, struct bench_task *task, uint32_t bytes)
{
	struct cursor_end end = cursor_consumer(channel);

	loop_consume(&cursor_use, &end, task, bytes);
}
LOOP_CONSUMES(cursor_consume, consume_cursor, void)

LOOP_INLINE void serve_cursor(void *const *channels, struct bench_task *task, uint32_t bytes,
			      bool watched)
{
	struct cursor_ring *to = channels[0];
	struct cursor_end out = cursor_producer(to), in = cursor_consumer(channels[1]);

	loop_serve(&cursor_use, &out, &in, task, bytes, watched);
	to->room = out.room;
}
LOOP_SERVES(cursor_serve, serve_cursor, void *const)

LOOP_INLINE void answer_cursor(void *const *channels, struct bench_task *task, uint32_t bytes,
			       bool late)
{
	struct cursor_ring *to = channels[1];
	struct cursor_end out = cursor_producer(to), in = cursor_consumer(channels[0]);

	loop_answer(&cursor_use, &out, &in, task, bytes, late);
	to->room = out.room;
}
LOOP_ANSWERS(cursor_answer, answer_cursor, void *const)

const struct bench_subject limit_cursor = {
	.name = "limit:cursor",
	.waits = "busy-spin",
	.open = cursor_open,
	.close = cursor_close,
	.produce = cursor_produce,
	.consume = cursor_consume,
	.serve = cursor_serve,
	.answer = cursor_answer,
};

const struct bench_subject limit_packed = {
	.name = "limit:packed",
	.waits = "busy-spin",
	.open = cursor_open,
	.close = cursor_close,
	.produce = cursor_produce,
	.consume = cursor_consume,
	.serve = cursor_serve,
	.answer = cursor_answer,
};
