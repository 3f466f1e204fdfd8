/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_PACE_H
#define RING_PACE_H

/*
 * The distance of a consumer to those before it.
 *
 * A consumer right behind its producer takes the lines that are being written,
 * and gives both a line's journey for each event. So a consumer whose last
 * wait ended with several events at once lets them get ahead before it looks
 * again, by some pauses of the processor: twice as many as the last time while
 * it is given less than enough, half as many when it is given more, or one
 * event. Who waits for one event at a time, an answer or a trickle, is never
 * made to pause.
 */

#include "os/os.h"

#include <disruptor/consumer.h>

enum { PACE_MOST = 256 }; /* pauses: three to ten microseconds */

/* Before a wait's first look. */
static inline void pace(const struct disruptor_consumer *c)
{
	for (uint32_t i = 0; i < c->pace; i++)
		os_pause();
}

/* It ended with @p found events, or with a code. */
static inline void pace_learn(struct disruptor_consumer *c, int64_t found)
{
	int64_t enough = c->batch / 2;

	if (found <= 1 || found > enough)
		c->pace /= 2;
	else if (found < enough / 2)
		c->pace = c->pace < PACE_MOST / 2 ? c->pace * 2 + 1 : PACE_MOST;
}

#endif
