/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_HOLD_H
#define RING_HOLD_H

/*
 * What the calling thread holds of a ring: the events of the stages that it
 * runs, the events that it was handed through a consumer and has not released,
 * and the open runs of its producers. While it waits for room it can give back
 * none of them. So before a claim waits, it looks whether it would wait for one.
 *
 * A refusal is for what cannot end well; who might be helped by another thread
 * waits.
 */

#include "ring/ring.h"

/* A stage that the calling thread runs: one entry of a list, its thread's alone. */
struct ring_hold {
	struct ring_hold *next;
	const struct disruptor_ring *ring;
	const atomic_word *sequence; /* moves only while the thread is not waiting */
	const char *name;
};

/* The calling thread runs what @p hold tells of, until it pops it. */
void ring_hold_push(struct ring_hold *hold);
void ring_hold_pop(struct ring_hold *hold);

/* The calling thread uses @p c: it is the one that will release what was handed out. */
void ring_hold_note(struct disruptor_consumer *c);

/*
 * E_DEADLK, with the cause as its detail, if the calling thread itself holds something below
 * @p need, the position that every gate must reach before the claim of @p self can be; else 0.
 */
int ring_hold_check(const struct disruptor_ring *r, const struct ring_producer *self,
		    uint64_t need);

#endif
