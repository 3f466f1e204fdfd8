/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_PACE_H
#define RING_PACE_H

/*
 * The distance of a consumer to those before it.
 *
 * A consumer right behind its producer takes the lines that are being written,
 * and gives both a line's journey for each event. So a consumer whose last
 * wait ended with several events at once lets those before it get ahead, by
 * half of the ring: it looks at the place there, which nobody writes to until
 * they come to it, and not at the next one. It pauses for so long at most as
 * it has learnt: twice as long as the last time while that brings more; half
 * as long when they bring enough without having got there, or one event, or
 * nothing within a glance. Who waits for one event at a time, an answer or a
 * trickle, is never made to pause.
 */

#include "os/os.h"
#include "ring/gate.h"
#include "ring/ring.h"

#include <disruptor/consumer.h>

#include <stdbool.h>

enum {
	PACE_MOST = 1024, /* pauses: ten to forty microseconds */
	PACE_GLANCE = 32, /* pauses after which something must have come */
	PACE_LOOK = 8     /* pauses between two looks at half of the ring ahead */
};

enum pace_end {
	PACE_OVER, /* it has paused for as long as it has learnt */
	PACE_FAR,  /* half of the ring has come */
	PACE_IDLE  /* nothing comes */
};

/* Whether those before it have passed @p position. */
static inline bool pace_is_passed(const struct disruptor_consumer *c, uint64_t position)
{
	if (c->flags & DISRUPTOR_VIEW_FIRST)
		/* relaxed (hint): it only ends the pauses */
		return ring_is_settled(
			c->ring, disruptor_load_relaxed(ring_stamp(c->ring, position)), position);
	if (c->source)
		return disruptor_load_relaxed(c->source) > position; /* relaxed (hint) */
	return gate_behind(c->ring, c->aimed, position + 1) < 0;
}

/* Before the first look of a wait until @p deadline: who comes when it is past only looks. */
static inline enum pace_end pace(const struct disruptor_consumer *c, uint64_t deadline)
{
	uint64_t half = c->next + c->mask / 2;

	if (c->pace != 0 && deadline != DISRUPTOR_FOREVER && os_now() >= deadline)
		return PACE_OVER;
	for (uint32_t i = 0; i < c->pace; i++) {
		if (i % PACE_LOOK == 0 && pace_is_passed(c, half))
			return PACE_FAR;
		if (i == PACE_GLANCE && !pace_is_passed(c, c->next))
			return PACE_IDLE;
		os_pause();
	}
	return PACE_OVER;
}

/* It ended with @p found events, or with a code, after pauses that ended so. */
static inline void pace_learn(struct disruptor_consumer *c, enum pace_end end, int64_t found)
{
	int64_t enough = c->batch / 2;

	if (found <= 1 || end == PACE_IDLE || (end == PACE_OVER && found > enough))
		c->pace /= 2;
	else if (end == PACE_OVER)
		c->pace = c->pace < PACE_MOST / 2 ? c->pace * 2 + 1 : PACE_MOST;
}

#endif
