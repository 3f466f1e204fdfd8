/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A thread that runs several stages waits for all of them at once: src/wait/watch.c
 * and src/ring/group.c.
 *
 * x, then b, then y. x and y share a thread; b has one of its own, which sleeps on
 * one edge as any. When a round of x and y moves nothing their thread arms its
 * parker, then both edges, looks again, and sleeps on the parker.
 *
 * Modelled: worker_round(); group_look(), group_arm(), ask(), asks_the_same();
 * parker_arm(), parker_park(), parker_notify(); watch_expect(), watch_notify(),
 * under the watch lock; b's wait_block(). Without store buffers: the barriers are
 * those of wake.pml.
 * Left out: capacity (the producer publishes freely); a descriptor instead of the
 * sleep; more than one ring.
 *
 * Properties: every event comes through x, b and y, in order; who sleeps for ever is a deadlock.
 *
 * @run watch quick -DEVENTS=2 -DAT_ONCE
 * @run watch3 -DEVENTS=3 -DAT_ONCE
 * @run live ltl=all_through -DEVENTS=2 -DAT_ONCE
 *
 * @mutant 1 watch group_arm() does not look again
 * @mutant 2 watch group_arm() arms the parker behind the edges
 * @mutant 3 watch a watch says which edge it expects behind the look
 * @mutant 4 watch parker_notify() does not count its epoch
 * @mutant 5 watch ask() asks the first edge only
 * @mutant 6 watch edge_unpark() does not notify watches
 * @mutant 7 watch watch_notify() forgets the watches of other edges, too
 * @mutant 8 watch parker_arm() reads the epoch behind the exchange, and parker_notify() counts it before
 */
#define WORKER 0 /* threads; x's and y's */
#define SECOND 1 /* b's */
#define PRODUCER 2
#define THREADS 3

/* words */
#define STAMPS 0   /* how many are stamped */
#define SEQUENCE 1 /* of x and b */
#define WAKE 3
#define TO_CONSUMERS 0
#define FROM_X 1
#define FROM_B 2
#define EDGES 3
#define WORDS 6

#define NOTHING 255

byte expects[2] = NOTHING; /* the watches of x and y: an edge; under the watch lock */
bool watch_lock;
bool parker_armed, parker_seen_still, parker_sleeps;

#define lock() atomic { !watch_lock -> watch_lock = true }
#define unlock() watch_lock = false

/* parker_notify(): the exchange; then count and wake, of which wake.pml has looked between */
inline parker_notify()
{
	if
	:: atomic { parker_armed -> parker_armed = false }
#ifndef MUTANT_4
		d_step {
			parker_seen_still = false;
			parker_sleeps = false
		}
#endif
	:: !parker_armed
	fi
}

/* watch_notify() */
inline edge_notify(t, edge)
{
#ifndef MUTANT_6
	lock();
	if
	:: expects[0] == edge -> expects[0] = NOTHING; parker_notify()
	:: else
	fi;
	if
	:: expects[1] == edge -> expects[1] = NOTHING; parker_notify()
	:: else
	fi;
#ifdef MUTANT_7
	expects[0] = NOTHING;
	expects[1] = NOTHING;
#endif
	unlock()
#else
	skip
#endif
}
#define HAS_WATCHES

#include "edge.inc"

byte through; /* events that have come through y */

proctype producer()
{
	byte next;

	do
	:: next == EVENTS -> break
	:: else ->
		next++;
		store(PRODUCER, STAMPS, next);
		edge_signal(PRODUCER, TO_CONSUMERS, next)
	od
}

/* b, after x */
proctype second()
{
	byte next;

	do
	:: next == EVENTS -> break
	:: mem[SEQUENCE] > next ->
		next++;
		store(SECOND, SEQUENCE + 1, next);
		edge_signal(SECOND, FROM_B, next)
	:: next < EVENTS && mem[SEQUENCE] <= next ->
		edge_arm(SECOND, FROM_X, (next + 1));
		if
		:: mem[SEQUENCE] > next -> epoch_forget(SECOND)
		:: else -> epoch_sleep(SECOND, FROM_X)
		fi
	od
}

#define X_IS_READY (x < EVENTS && mem[STAMPS] > x)
#define Y_IS_READY (y < EVENTS && mem[SEQUENCE + 1] > y)

/* watch_expect() */
inline watch_expect(which, edge, count)
{
#ifdef MUTANT_3
	edge_arm(WORKER, edge, count)
#else
	lock();
	expects[which] = edge;
	unlock();
	edge_arm(WORKER, edge, count)
#endif
}

inline parker_arm()
{
	/* the epoch, then the exchange */
	parker_seen_still = true;
	parker_armed = true
}

proctype worker()
{
	byte x, y;

	do
	:: y == EVENTS -> break
	:: y < EVENTS && X_IS_READY -> /* worker_round() */
		x++;
		store(WORKER, SEQUENCE, x);
		edge_signal(WORKER, FROM_X, x)
	:: y < EVENTS && Y_IS_READY ->
		assert(x > y);
		y++;
		through = y
	:: y < EVENTS && !X_IS_READY && !Y_IS_READY ->
		/* group_block(): group_arm() */
#ifdef MUTANT_8
		parker_armed = true;
		parker_seen_still = true;
#elif !defined(MUTANT_2)
		parker_arm();
#endif
		if
		:: x < EVENTS -> watch_expect(0, TO_CONSUMERS, (x + 1)) /* ask() */
		:: else
		fi;
#ifndef MUTANT_5
		watch_expect(1, FROM_B, (y + 1));
#endif
		epoch_forget(WORKER); /* it does not sleep on the edges */
#ifdef MUTANT_2
		parker_arm();
#endif
		if
#ifndef MUTANT_1
		:: X_IS_READY || Y_IS_READY -> parker_armed = false /* parker_disarm() */
		:: else ->
#else
		:: true ->
#endif
#ifdef MUTANT_3
			lock();
			expects[0] = TO_CONSUMERS;
			expects[1] = FROM_B;
			unlock();
#endif
			atomic {
				parker_sleeps = parker_seen_still;
				parker_seen_still = false
			}
			!parker_sleeps; /* parker_park() */
			parker_armed = false
		fi
	od
}

init {
	atomic {
		run producer();
		run second();
		run worker()
	}
}

ltl all_through { <> (through == EVENTS) }
