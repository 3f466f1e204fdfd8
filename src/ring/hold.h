/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_HOLD_H
#define RING_HOLD_H

/*
 * What the calling thread holds: a list, one entry for each stage that it runs.
 *
 * A thread that runs a stage cannot release that stage's events while it waits
 * for room in the same ring. So before a claim waits, it looks through this
 * list, its own thread's alone, for a sequence that it would wait for.
 */

#include "ring/ring.h"

struct ring_hold {
	struct ring_hold *next;
	const struct disruptor_ring *ring;
	const atomic_word *sequence; /* moves only while the thread is not waiting */
	const char *name;
};

/* The calling thread runs what @p hold tells of, until it pops it. */
void ring_hold_push(struct ring_hold *hold);
void ring_hold_pop(struct ring_hold *hold);

/* A hold of the calling thread on @p r that stands before @p need, or NULL. */
const struct ring_hold *ring_hold_behind(const struct disruptor_ring *r, uint64_t need);

#endif
