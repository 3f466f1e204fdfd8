/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_POOL_H
#define GRAPH_POOL_H

/*
 * A shared pool. Its head holds a gate that nobody runs; each worker's own gate
 * is its hand: the first position of its chunk that it has not handled, vacant
 * while it has none.
 *
 *	worker                               whoever settles
 *	hand = next                          n = next
 *	fence                                look at what was left, at the hands, at what was left
 *	next: from hand to hand + chunk      the head's gate = the least of all
 *
 * Whoever sees `next` behind a chunk sees the hand on it (POOL.take). What a
 * worker leaves is noted before its hand opens, and a hand is on it before that
 * note goes: so it is seen here or there (POOL.leave). And whoever opens a hand
 * settles afterwards, behind a fence: of two who do, one sees both (POOL.settle).
 */

#include "graph/graph_internal.h"

#include <disruptor/pool.h>

struct pool_left {
	atomic_word from; /* what a worker that ended had taken and not handled; VACANT: nothing */
	uint64_t to;      /* under the pool's lock */
};

struct graph_pool {
	struct graph_pool *next; /* of the disruptor's */
	size_t bytes;
	struct disruptor_stage *head;
	uint64_t chunk;
	uint64_t (*key)(const void *event, void *context);
	void *context;
	uint32_t count;
	bool on_one_thread;     /* all its workers, in the present run */
	struct os_monitor lock; /* of what is left */
	atomic_word left_count;
	char apart[DISRUPTOR_APART];
	atomic_word taken; /* first position that no worker has taken: the next */
	char apart_taken[DISRUPTOR_APART - 8];
	struct pool_left left[DISRUPTOR_MAX_CONSUMERS];
	struct disruptor_stage *workers[];
};

/* Whether @p s is a worker that shares its events with the others. */
static inline bool pool_shares(const struct disruptor_stage *s)
{
	return s->pool && !s->pool->key;
}

/* The event at @p position belongs to another worker of a keyed pool. */
bool pool_is_anothers(const struct disruptor_stage *s, uint64_t position);
/* What is left of the chunk in hand, or a new one, at most @p most of it. False if there is none. */
bool pool_window(struct disruptor_stage *s, struct consumer_window *w, uint64_t most);
/* The worker has moved on; what all have done becomes the pool's position. */
void pool_settle(struct disruptor_stage *s);
/* Its run is over: leave what it has taken to the others. */
void pool_leave(struct disruptor_stage *s);
/* The first position of a worker's chunk that it has not handled; without one, the next to take. */
uint64_t pool_position(const struct disruptor_stage *s);
/* The worker that holds the pool back; NULL if none does. */
struct disruptor_stage *pool_slowest(const struct graph_pool *p);
void pool_release(struct disruptor *d, struct graph_pool *p);

#endif
