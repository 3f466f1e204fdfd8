/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Concurrency Kit's ck_ring: a ring of events by value, one type for each size. */
#include "sized.h"

#include <stdlib.h>

#include <ck_ring.h>

#define CK_EVENT(bytes)                                                                            \
	struct event_##bytes {                                                                     \
		uint64_t word[(bytes) / sizeof(uint64_t)];                                         \
	};                                                                                         \
	CK_RING_PROTOTYPE(bytes, event_##bytes)

CK_EVENT(8)
CK_EVENT(16)
CK_EVENT(32)
CK_EVENT(64)
CK_EVENT(128)
CK_EVENT(256)

struct channel {
	_Alignas(DISRUPTOR_APART) const struct peer_loops *loops;
	void *slots;
	_Alignas(DISRUPTOR_APART) struct ck_ring ring;
};

struct out {
	struct ck_ring *ring;
	void *slots;
	unsigned ticket;
};

struct in {
	struct ck_ring *ring;
	void *slots;
	uint64_t event[256 / sizeof(uint64_t)];
};

LOOP_INLINE struct out out_begin(struct channel *c, uint32_t index)
{
	(void)index;
	return (struct out){ &c->ring, c->slots, 0 };
}

LOOP_INLINE void out_end(struct channel *c, uint32_t index, const struct out *out)
{
	(void)c, (void)index, (void)out;
}

LOOP_INLINE struct in in_begin(struct channel *c)
{
	return (struct in){ .ring = &c->ring, .slots = c->slots };
}

LOOP_INLINE void in_end(struct channel *c, const struct in *in)
{
	(void)c, (void)in;
}

/* The size is a constant wherever this is. */
#define CK_OF_SIZE(bytes, of)                                                                      \
	switch (bytes) {                                                                           \
	case 8:                                                                                    \
		return of(8);                                                                      \
	case 16:                                                                                   \
		return of(16);                                                                     \
	case 32:                                                                                   \
		return of(32);                                                                     \
	case 64:                                                                                   \
		return of(64);                                                                     \
	case 128:                                                                                  \
		return of(128);                                                                    \
	}                                                                                          \
	return of(256)

LOOP_INLINE void *reserve_one(struct out *o, uint32_t bytes)
{
#define RESERVE(n) ck_ring_enqueue_reserve_spsc_##n(o->ring, o->slots)
	CK_OF_SIZE(bytes, RESERVE);
#undef RESERVE
}

LOOP_INLINE void *reserve_many(struct out *o, uint32_t bytes)
{
#define RESERVE(n) ck_ring_enqueue_reserve_mpsc_##n(o->ring, o->slots, &o->ticket)
	CK_OF_SIZE(bytes, RESERVE);
#undef RESERVE
}

/* the one consumer's half is the same whatever the number of producers */
LOOP_INLINE bool dequeue(struct in *in, uint32_t bytes)
{
#define DEQUEUE(n) ck_ring_dequeue_spsc_##n(in->ring, in->slots, (struct event_##n *)in->event)
	CK_OF_SIZE(bytes, DEQUEUE);
#undef DEQUEUE
}

/* A slot is reserved, filled and committed for each event, also of a batch. */

LOOP_INLINE void *one_claim(void *end, uint64_t n, uint32_t bytes)
{
	void *slot;

	(void)n;
	while ((slot = reserve_one(end, bytes)) == NULL)
		;
	return slot;
}

LOOP_INLINE void one_publish(void *end, uint64_t n, uint32_t bytes)
{
	(void)n, (void)bytes;
	ck_ring_enqueue_commit_spsc(((struct out *)end)->ring);
}

LOOP_INLINE void *one_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	if (i == 0)
		return first;
	one_publish(end, 1, bytes);
	return one_claim(end, 1, bytes);
}

LOOP_INLINE void *many_claim(void *end, uint64_t n, uint32_t bytes)
{
	uint32_t looks = 0;
	void *slot;

	(void)n;
	while ((slot = reserve_many(end, bytes)) == NULL)
		peer_wait(&looks, true);
	return slot;
}

LOOP_INLINE void many_publish(void *end, uint64_t n, uint32_t bytes)
{
	struct out *o = end;

	(void)n, (void)bytes;
	ck_ring_enqueue_commit_mpsc(o->ring, o->ticket);
}

LOOP_INLINE void *many_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	if (i == 0)
		return first;
	many_publish(end, 1, bytes);
	return many_claim(end, 1, bytes);
}

LOOP_INLINE uint64_t one_ready(void *end, uint32_t bytes)
{
	while (!dequeue(end, bytes))
		;
	return 1;
}

LOOP_INLINE uint64_t many_ready(void *end, uint32_t bytes)
{
	uint32_t looks = 0;

	while (!dequeue(end, bytes))
		peer_wait(&looks, true);
	return 1;
}

LOOP_INLINE const void *at(void *end, uint64_t i, uint32_t bytes)
{
	(void)i, (void)bytes;
	return ((struct in *)end)->event;
}

/* dequeuing was releasing: the event was copied out */
LOOP_INLINE void release(void *end, uint64_t n)
{
	(void)end, (void)n;
}

static const struct loop_end use_one = {
	.claim = one_claim,
	.claimed = one_claimed,
	.publish = one_publish,
	.ready = one_ready,
	.at = at,
	.release = release,
};

static const struct loop_end use_many = {
	.claim = many_claim,
	.claimed = many_claimed,
	.publish = many_publish,
	.ready = many_ready,
	.at = at,
	.release = release,
};

PEER_LOOPS_TO_128
PEER_LOOPS(256, 256)

static void *ck_open(const struct bench_params *params)
{
	struct channel *c = bench_alloc(sizeof(*c));

	c->loops = PEER_LOOPS_OF(params->event_bytes, &loops_256);
	c->slots = bench_alloc((size_t)params->capacity * params->event_bytes);
	ck_ring_init(&c->ring, (unsigned)params->capacity);
	return c;
}

static void ck_close(void *channel)
{
	struct channel *c = channel;

	free(c->slots);
	free(c);
}

const struct bench_subject subject_ck = {
	.name = "ck_ring",
	.waits = "spin",
	.open = ck_open,
	.close = ck_close,
	.produce = peer_produce,
	.consume = peer_consume,
	.serve = peer_serve,
	.answer = peer_answer,
};
