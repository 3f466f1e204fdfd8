/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef WAIT_WATCH_H
#define WAIT_WATCH_H

/*
 * Sleeping on several edges at once.
 *
 * A thread that sleeps on one edge sleeps on that edge's epoch. One that waits
 * for several has a parker of its own to sleep on, and a watch on each ring for
 * each of the things it waits for: whoever clears the edge that a watch expects
 * notifies its parker, too. An event loop is such a thread whose parker is a file
 * descriptor.
 *
 * The parker is armed before the edges are, so the waker that clears one of
 * them finds it armed; and it is notified once, by the first.
 */

#include "wait/core.h"

struct wait_parker {
	atomic_epoch armed; /* 1: whoever has news is to notify it, and set 0 */
	atomic_epoch epoch; /* counts the notifications */
	bool has_event;
	struct os_monitor lot; /* to sleep on, where the epoch cannot serve */
	struct os_event event;
};

/* E_NOMEM with its detail set if there is no monitor. */
int parker_init(struct wait_parker *p);
void parker_destroy(struct wait_parker *p);
/* From now on whoever has news notifies it. The epoch to sleep on. */
uint32_t parker_arm(struct wait_parker *p);
void parker_disarm(struct wait_parker *p);
/* Sleep until notified since the epoch was @p seen, or the deadline. */
void parker_park(struct wait_parker *p, uint32_t seen, uint64_t deadline);

struct wait_watch {
	struct wait_watch *next;
	struct wait_parker *parker;
	/* under the ring's watch lock: the edge it waits on … */
	const atomic_word *expects;
	/* … and on a ring that processes share, until it is told, the epoch of that as it was armed */
	atomic_epoch *epoch;
	uint32_t seen;
};

void watch_add(struct disruptor_ring *r, struct wait_watch *w);
void watch_remove(struct disruptor_ring *r, struct wait_watch *w);
/* Wait on @p edge until it has come to @p count, from now on. */
void watch_expect(struct disruptor_ring *r, struct wait_watch *w, struct edge edge, uint64_t count);
/* What @p w expects has come. The watch lock is held. */
void watch_tell(struct wait_watch *w);
/* @p edge was cleared: notify those who expect it. */
void watch_notify(struct disruptor_ring *r, const atomic_word *edge);
/* Something other than progress has changed: notify all. */
void watch_notify_all(struct disruptor_ring *r);

#endif
