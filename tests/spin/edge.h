/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The edges of a ring, as wake.pml has checked one of them: for models that are
 * about something else. On the membarrier rung, or with -DRUNG=2 on that of
 * fences.
 *
 * A model defines EDGES and WAKE, the word of edge 0, before it includes this.
 * An edge_wake() looks, clears and wakes in one step where it clears: if the word
 * changed between look and clearing, the compare and swap would fail and look
 * again; between clearing and waking wake.pml has looked.
 */
#ifndef RUNG
#define RUNG 1
#endif

#include "store.h"

/*
 * An epoch is looked at only to tell whether it has changed since edge_arm(): so all that is kept
 * is whether it has, of the edge that a thread has armed last. 0, or an edge's number + 1.
 */
byte seen_still[THREADS]; /* what it has seen is the epoch of that edge still */
byte sleeps_on[THREADS];  /* it is in os_park() */

#define STANDS_FOR(edge, reached) (mem[WAKE + edge] != 0 && mem[WAKE + edge] <= reached)

inline wait_heavy_barrier(t)
{
#if RUNG == 1
	membarrier(t);
#else
	fence(t);
#endif
}

#ifdef AT_ONCE
#define edge_arm(t, edge, count)                                                                   \
	d_step {                                                                                   \
		seen_still[t] = edge + 1;                                                          \
		mem[WAKE + edge] =                                                                 \
			(STANDS_FOR(edge, (count)) -> mem[WAKE + edge] : (count))                  \
	}
#else
#define edge_arm(t, edge, count)                                                                   \
	seen_still[t] = edge + 1;                                                                  \
	lower(t, WAKE + edge, count)
#endif

/* epoch_sleep() on a futex */
#define epoch_sleep(t, edge)                                                                       \
	atomic {                                                                                   \
		sleeps_on[t] = seen_still[t];                                                      \
		seen_still[t] = 0                                                                  \
	}                                                                                          \
	sleeps_on[t] == 0
/* a wait that ends without sleeping */
#define epoch_forget(t) seen_still[t] = 0

#define WAKE_IF_ON(t, edge)                                                                        \
	seen_still[t] = (seen_still[t] == edge + 1 -> 0 : seen_still[t]);                          \
	sleeps_on[t] = (sleeps_on[t] == edge + 1 -> 0 : sleeps_on[t])

/*
 * epoch_wake(): counts up, then wakes all who sleep on it. In one step: who would go to sleep
 * between the two does not, by the epoch.
 */
inline epoch_wake(t, edge)
{
	d_step {
		WAKE_IF_ON(0, edge);
		WAKE_IF_ON(1, edge);
#if THREADS > 2
		WAKE_IF_ON(2, edge);
#endif
#if THREADS > 3
		WAKE_IF_ON(3, edge);
#endif
#if THREADS > 4
		WAKE_IF_ON(4, edge);
#endif
#if THREADS > 5
		WAKE_IF_ON(5, edge);
#endif
	}
}

#ifdef edge_notify /* notify_watches(), where there are any: behind the clearing */
#define NOTIFY(t, edge) ; edge_notify(t, edge)
#else
#define NOTIFY(t, edge)
#endif

inline edge_wake(t, edge, reached)
{
	if
	:: !STANDS_FOR(edge, reached)
	:: atomic { STANDS_FOR(edge, reached) && settled(t) ->
		mem[WAKE + edge] = 0;
		epoch_wake(t, edge) } NOTIFY(t, edge)
	fi
}

/* The light side, behind the store that makes progress, and the look. */
inline edge_signal(t, edge, reached)
{
#if RUNG == 2 && !defined(AT_ONCE)
	fence(t);
#endif
	edge_wake(t, edge, reached)
}

inline edge_wake_all(t, edge)
{
	if
	:: atomic { settled(t) && mem[WAKE + edge] != 0 ->
		mem[WAKE + edge] = 0;
		epoch_wake(t, edge) } NOTIFY(t, edge)
	:: settled(t) && mem[WAKE + edge] == 0
	fi
}
