/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_STAGE_H
#define FLIGHTS_STAGE_H

/*
 * A stage of the job, as every way of handing events over sees it: a function
 * to call for each flight, in order. It has the shape of a disruptor handler's
 * on_event, so that no way needs an adapter in between.
 */

#include <stdatomic.h>
#include <stdint.h>

struct stage {
	const char *name;
	/* Returns 0. `last`: no further event is at hand at the moment. */
	int (*on_event)(void *self, void *event, uint64_t position, int last);
	void *self;
};

/*
 * How many events a stage has done, for the stage after it to check. It lies
 * in a line of its own, or the check would cost more than what it checks.
 */
struct mark {
	_Alignas(128) _Atomic uint64_t done;
	char apart[128 - sizeof(uint64_t)];
};

static inline void mark_set(struct mark *mark, uint64_t done)
{
	/* relaxed: what carries the event to the next stage carries this with it, or has a bug */
	atomic_store_explicit(&mark->done, done, memory_order_relaxed);
}

static inline uint64_t mark_get(struct mark *mark)
{
	/* relaxed: see mark_set() */
	return atomic_load_explicit(&mark->done, memory_order_relaxed);
}

#endif
