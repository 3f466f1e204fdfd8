/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_PACE_H
#define RING_PACE_H

/*
 * The distance of a consumer to those before it.
 *
 * A consumer right behind its producer takes the lines that are being written,
 * and gives both a line's journey for each event. As neither is faster then,
 * they stay so for long: it finds some events at each look, and never none. So
 * a consumer whose last waits ended with several events at once, and who finds
 * none or only few, lets those before it get ahead, by an eighth of the ring:
 * it looks at the place there, which nobody writes to until they come to it.
 * It pauses for so long at most as it has learnt: twice as long as the last
 * time while that did not suffice; half as long when no second event came. Who
 * waits for one event at a time, an answer or a trickle, is never made to
 * pause; nor is for long who has read the last event of a burst: when nothing
 * more has come within a glance, what was learnt is forgotten.
 */

#include "os/os.h"
#include "ring/gate.h"
#include "ring/ring.h"

#include <disruptor/consumer.h>

#include <stdbool.h>

enum {
	PACE_MOST = 256,  /* pauses: three to ten microseconds */
	PACE_GLANCE = 32, /* pauses after which something must have come */
	PACE_LOOK = 8,    /* pauses between two looks ahead */
	PACE_AHEAD = 8,   /* the part of the ring that is far enough */
	PACE_CLOSE = 64   /* the part of it that is close */
};

enum pace_end {
	PACE_OVER, /* it has paused for as long as it has learnt */
	PACE_FAR,  /* an eighth of the ring has come */
	PACE_IDLE  /* nothing more comes */
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

/*
 * Whether it is to let them get ahead before it takes the @p n events that it finds. A small ring has
 * no room for that.
 */
static inline bool pace_is_close(const struct disruptor_consumer *c, int64_t n)
{
	uint64_t close = ((uint64_t)c->mask + 1) / PACE_CLOSE;

	if (n == 0)
		return close != 0;
	return c->pace != 0 && n < c->batch && (uint64_t)n < close;
}

/* Let them, until @p deadline: who comes when it is past does not pause. */
static inline enum pace_end pace(const struct disruptor_consumer *c, int64_t n, uint64_t deadline)
{
	uint64_t ahead = c->next + ((uint64_t)c->mask + 1) / PACE_AHEAD - 1;

	if (c->pace != 0 && deadline != DISRUPTOR_FOREVER && os_now() >= deadline)
		return PACE_OVER;
	for (uint32_t i = 0; i < c->pace; i++) {
		if (i % PACE_LOOK == 0 && pace_is_passed(c, ahead))
			return PACE_FAR;
		if (i == PACE_GLANCE && !pace_is_passed(c, c->next + (uint64_t)n))
			return PACE_IDLE;
		os_pause();
	}
	return PACE_OVER;
}

/* Then it had @p found events, or a code, after pauses that ended so. */
static inline void pace_learn(struct disruptor_consumer *c, enum pace_end end, int64_t found)
{
	if (end == PACE_IDLE)
		c->pace = 0;
	else if (found <= 1)
		c->pace /= 2;
	else if (end == PACE_OVER)
		c->pace = c->pace < PACE_MOST / 2 ? c->pace * 2 + 1 : PACE_MOST;
}

#endif
