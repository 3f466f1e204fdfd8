/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Wake-ups over a whole graph: a producer and stages, each in a thread of its
 * own, none of which looks twice before it sleeps.
 *
 * Modelled: the producer's room_look(), claim, disruptor_publish_n() and
 * disruptor_published(); a stage's consumer_look() with gate_behind(),
 * wait_block(), handling, and disruptor_release(), which wakes its dependants
 * and the producers. Stamps, events, sequences and wake words lie behind store
 * buffers.
 * Left out: spinning; limits that a producer keeps (attach.pml); voids
 * (many.pml); the end (drain.pml).
 *
 * SHAPE 1: a, then b. 2: a and b, c after both. 3: a, then b and c.
 * LEAST: how many slots the producer claims at a time.
 *
 * Properties: each stage is handed each event once, in order, as it was written, behind those it
 * comes after; no slot is written that a stage has not released; everything is handled (who sleeps
 * for ever is a deadlock; and as an LTL claim).
 *
 * @run chain quick -DSHAPE=1 -DCAPACITY=1 -DEVENTS=3 -DAT_ONCE
 * @run chain2 -DSHAPE=1 -DCAPACITY=2 -DEVENTS=4 -DLEAST=2 -DAT_ONCE
 * @run join -DSHAPE=2 -DCAPACITY=1 -DEVENTS=2 -DAT_ONCE
 * @run join2 -DSHAPE=2 -DCAPACITY=2 -DEVENTS=2 -DAT_ONCE
 * @run fork -DSHAPE=3 -DCAPACITY=1 -DEVENTS=2 -DAT_ONCE
 * @run buffers -DSHAPE=1 -DCAPACITY=1 -DEVENTS=2
 * @run fences -DSHAPE=1 -DCAPACITY=1 -DEVENTS=3 -DRUNG=2
 * @run live ltl=all_handled -DSHAPE=1 -DCAPACITY=1 -DEVENTS=3 -DAT_ONCE
 *
 * @mutant 1 join wait_block() sleeps on though the look behind the barrier names another edge
 * @mutant 2 chain disruptor_release() wakes dependants only
 * @mutant 3 chain disruptor_release() wakes producers only
 * @mutant 4 chain room_look() goes by what the first look has seen of the gates
 * @mutant 5 chain a producer claims one slot more than is free
 * @mutant 6 chain a stage releases before it handles
 * @mutant 7 chain a stage releases one event less than it has handled
 * @mutant 8 join a stage after two looks at one of them
 * @mutant 9 chain disruptor_publish_n() stamps before the event is written
 * @mutant 10 chain room_look() asks for one position too many
 * @mutant 11 chain2 room_look() asks for the first slot, and the producer goes on when that is free
 * @mutant 12 fences disruptor_release() passes no fence
 * @mutant 13 chain a stage asks for the count that it has, not for one more
 */
#ifndef LEAST
#define LEAST 1
#endif
#if SHAPE == 1
#define STAGES 2
#else
#define STAGES 3
#endif

#define PRODUCER STAGES /* its thread; stages' are 0 and on */
#define THREADS (STAGES + 1)
#define DEPTH 2

/* words */
#define STAMP 0                  /* of each slot */
#define EVENT CAPACITY           /* of each slot */
#define SEQUENCE (2 * CAPACITY)  /* of each stage's gate */
#define WAKE (2 * CAPACITY + STAGES)
#define TO_CONSUMERS 0           /* edges */
#define TO_PRODUCERS 1
#define FROM 2                   /* from the gate of stage 0 */
#define EDGES (2 + STAGES)
#define WORDS (2 * CAPACITY + STAGES + EDGES)

#include "edge.inc"

#define SLOT(position) ((position) % CAPACITY)
#define IS_AFTER(stage, upstream) (upstreams >> (upstream) & 1)

byte ended;
byte handled[STAGES]; /* what each stage has come to, for the assertions */

/* scan_stamps() */
inline scan_stamps()
{
	d_step {
		limit = next;
		do
		:: limit < next + CAPACITY && mem[STAMP + SLOT(limit)] == limit + 1 -> limit++
		:: else -> break
		od
	}
}

/* gate_slowest_of(), one gate: if it counts, `low` is at most its sequence */
inline scan_gate(gate, counts, low)
{
	d_step {
		if
		:: (counts) && mem[SEQUENCE + gate] < low -> low = mem[SEQUENCE + gate]
		:: else
		fi
	}
}

/* consumer_available(): first position that is not; in `limit` */
inline available(t)
{
	if
	:: upstreams == 0 -> scan_stamps()
	:: else ->
		limit = 255;
		scan_gate(0, IS_AFTER(t, 0), limit);
#if SHAPE == 2 && !defined(MUTANT_8)
		scan_gate(1, IS_AFTER(t, 1), limit)
#endif
	fi
}

/* consumer_look(): if nothing is there, which edge to sleep on: `edge`, or NOWHERE to look again */
#define NOWHERE 255
#define IS_BEHIND(t, gate) (IS_AFTER(t, gate) && mem[SEQUENCE + gate] < next + 1)
inline consumer_look(t)
{
	available(t);
	d_step {
		if
		:: limit > next || upstreams == 0 -> edge = TO_CONSUMERS
		:: else -> /* gate_behind() */
			if
			:: IS_BEHIND(t, 0) -> edge = FROM
#if SHAPE == 2
			:: !IS_BEHIND(t, 0) && IS_BEHIND(t, 1) -> edge = FROM + 1
#endif
			:: else -> edge = NOWHERE
			fi
		fi
	}
}

inline release(t)
{
	next = limit;
#ifdef MUTANT_7
	store(t, SEQUENCE + t, next - 1);
#else
	store(t, SEQUENCE + t, next); /* STAGE.release, FREE.release */
#endif
#ifdef MUTANT_12
	edge_wake(t, FROM + t, next);
	edge_wake(t, TO_PRODUCERS, next);
#else
#ifndef MUTANT_3
	edge_signal(t, FROM + t, next);
#endif
#ifndef MUTANT_2
	edge_signal(t, TO_PRODUCERS, next);
#endif
#endif
}

/* The handler: events of [next, limit). That they stay as they are meanwhile the producer asserts. */
inline handle(t)
{
	d_step {
		i = next;
		do
		:: i == limit -> break
		:: else ->
			assert(mem[EVENT + SLOT(i)] == i + 1); /* whole, and of this lap */
			assert(handled[t] == i);
			assert(!IS_AFTER(t, 0) || handled[0] > i);
			assert(!IS_AFTER(t, 1) || handled[1] > i);
			handled[t]++;
			i++
		od;
		i = 0
	}
}

#ifdef MUTANT_13
#define NEED next
#else
#define NEED next + 1
#endif

proctype stage(byte t; byte upstreams)
{
	byte next, limit, edge, asked, i;

	do
	:: next == EVENTS -> break
	:: else ->
look:		consumer_look(t);
		if
		:: limit > next -> goto found
		:: limit <= next && edge == NOWHERE -> goto look
		:: else
		fi;
		limit = 0;
		/* wait_block() */
		asked = edge;
		edge_arm(t, asked, NEED);
		wait_heavy_barrier(t);
again:		consumer_look(t);
		if
		:: limit > next -> goto found
		:: limit <= next && edge == NOWHERE -> goto again
#ifndef MUTANT_1
		:: limit <= next && edge != NOWHERE && edge != asked -> goto look
#endif
		:: else
		fi;
		epoch_sleep(t, asked);
		goto look;
found:
		epoch_forget(t);
		asked = 0;
		edge = 0;
#ifdef MUTANT_6
		i = next;
		release(t);
		next = i;
		handle(t);
		next = limit;
#else
		handle(t);
		release(t);
#endif
		limit = 0
	od;
	ended++
}

/* gate_slowest() of all; in `low` */
inline scan_gates()
{
	low = claimed;
	scan_gate(0, true, low);
	scan_gate(1, true, low);
#if STAGES > 2
	scan_gate(2, true, low);
#endif
}

#ifdef MUTANT_5
#define HAS_ROOM (claimed + LEAST <= low + CAPACITY + 1)
#elif defined(MUTANT_11)
#define HAS_ROOM (claimed + 1 <= low + CAPACITY)
#else
#define HAS_ROOM (claimed + LEAST <= low + CAPACITY)
#endif
#ifdef MUTANT_10
#define ROOM_COUNT (claimed + LEAST - CAPACITY + 1)
#elif defined(MUTANT_11)
#define ROOM_COUNT (claimed + 1 - CAPACITY)
#else
#define ROOM_COUNT (claimed + LEAST - CAPACITY)
#endif

proctype producer()
{
	byte claimed, low, i;

	do
	:: claimed == EVENTS -> break
	:: else ->
look:		scan_gates(); /* claim_single(), then wait_until(): room_look() */
		if
		:: HAS_ROOM -> goto found
		:: else
		fi;
		/* wait_block() */
		edge_arm(PRODUCER, TO_PRODUCERS, ROOM_COUNT);
		wait_heavy_barrier(PRODUCER);
#ifndef MUTANT_4
		scan_gates();
#endif
		if
		:: HAS_ROOM -> goto found
		:: else
		fi;
		epoch_sleep(PRODUCER, TO_PRODUCERS);
		goto look;
found:
		epoch_forget(PRODUCER);
		low = 0;
		i = claimed;
		claimed = claimed + LEAST;
		do
		:: i == claimed -> break
		:: i < claimed ->
			assert(handled[0] + CAPACITY > i && handled[1] + CAPACITY > i &&
			       handled[STAGES - 1] + CAPACITY > i);
#ifdef MUTANT_9
			store(PRODUCER, STAMP + SLOT(i), i + 1);
			store(PRODUCER, EVENT + SLOT(i), i + 1);
#else
			store(PRODUCER, EVENT + SLOT(i), i + 1); /* the caller fills it */
			store(PRODUCER, STAMP + SLOT(i), i + 1); /* PUB.release */
#endif
			i++
		od;
		i = 0;
		edge_signal(PRODUCER, TO_CONSUMERS, claimed) /* disruptor_published() */
	od;
	ended++
}

init {
	atomic {
#if SHAPE == 1
		run stage(0, 0);
		run stage(1, 1);
#elif SHAPE == 2
		run stage(0, 0);
		run stage(1, 0);
		run stage(2, 3);
#else
		run stage(0, 0);
		run stage(1, 1);
		run stage(2, 1);
#endif
		run producer()
	}
}

ltl all_handled { <> (ended == STAGES + 1) }
