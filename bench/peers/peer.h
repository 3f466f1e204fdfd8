/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * What the adapters share. Valid in C11 and in C++20.
 *
 * An adapter has functions of its own for each event size, as a user's program
 * is compiled for the size of its events, and again for several producers,
 * whose threads may outnumber the processors. A channel begins with a pointer
 * to those that it is to be used by.
 */

#include "loop.h"

#include <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/* the subject of each adapter that is built */
extern const struct bench_subject subject_rte, subject_ck, subject_urcu, subject_boost,
	subject_rwqueue, subject_cqueue, subject_atomic, subject_tbb, subject_iceoryx;

enum {
	PEER_TAKEN = 64,  /* events taken at once, at most, where a peer can */
	PEER_BATCH = 64,  /* events a publish, at most, where they are copied in */
	PEER_SPINS = 100, /* looks at a queue before a thread that may be in the way yields */
};

struct peer_loops {
	void (*produce)(void *channel, struct bench_task *task);
	void (*consume)(void *channel, struct bench_task *task);
	void (*produce_many)(void *channel, struct bench_task *task);
	void (*consume_many)(void *channel, struct bench_task *task);
	void (*serve)(void *const *channels, struct bench_task *task);
	void (*answer)(void *const *channels, struct bench_task *task);
};

/** What every channel begins with. */
struct peer_channel {
	const struct peer_loops *loops;
};

static inline const struct peer_loops *peer_loops_of(void *channel)
{
	return ((const struct peer_channel *)channel)->loops;
}

static inline void peer_produce(void *channel, struct bench_task *task)
{
	if (task->producers > 1)
		peer_loops_of(channel)->produce_many(channel, task);
	else
		peer_loops_of(channel)->produce(channel, task);
}

static inline void peer_consume(void *channel, struct bench_task *task)
{
	if (task->producers > 1)
		peer_loops_of(channel)->consume_many(channel, task);
	else
		peer_loops_of(channel)->consume(channel, task);
}

static inline void peer_serve(void *const *channels, struct bench_task *task)
{
	peer_loops_of(channels[0])->serve(channels, task);
}

static inline void peer_answer(void *const *channels, struct bench_task *task)
{
	peer_loops_of(channels[0])->answer(channels, task);
}

/**
 * A look that was in vain. Two threads have a processor each and spin; of several producers and
 * their consumer one may hold the processor that the other needs (@p many, a constant).
 */
LOOP_INLINE void peer_wait(uint32_t *looks, bool many)
{
	if (many && ++*looks % PEER_SPINS == 0)
		sched_yield();
}

#ifdef __cplusplus
}
#endif

#endif
