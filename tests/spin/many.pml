/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Many producers: claims by compare and swap, publishing out of order, voids, and
 * a close among them.
 *
 * Modelled: claim_many() with the limit that each producer keeps, room_look(),
 * disruptor_publish_n(), give_up_stamped() with `voids_end`; close_locked() by
 * fetch-or; a first stage by stamps, and a later one by its sequence and
 * `voids_end`: consumer_is_void(), skip_voids(); disruptor_consumer_finished().
 * Without store buffers (claims are read-modify-writes, and what is acquired is
 * transitive: the explorer's part). A claim of many producers is never taken back:
 * the closed bit is in the word that it compares; take_back() is in drain.pml.
 *
 * Properties: each granted position is one producer's; nothing is claimed behind the end; no slot is
 * written that a stage has not released; each stage is handed each event once, in order, and no
 * void; all end at the end (no deadlock).
 *
 * @run many quick -DSTAGES=1 -DROUNDS=1 -DCAPACITY=1 -DAT_ONCE
 * @run pairs quick -DSTAGES=1 -DROUNDS=1 -DCAPACITY=2 -DAT_ONCE -DRUN_OF=2
 * @run late quick -DSTAGES=1 -DROUNDS=1 -DCAPACITY=1 -DAT_ONCE -DCLOSES_LATE
 * @run later quick -DSTAGES=2 -DPRODUCERS=1 -DROUNDS=2 -DCAPACITY=1 -DAT_ONCE
 * @run more -DSTAGES=1 -DROUNDS=2 -DCAPACITY=2 -DAT_ONCE
 *
 * @mutant 1 many claim_many() stores the claim it has looked at
 * @mutant 2 many claim_many() claims though its limit lies behind what others have claimed
 * @mutant 3 many close_locked() reads the claim word, then sets the bit
 * @mutant 4 many a claim does not look at the closed bit
 * @mutant 5 later give_up_stamped() raises voids_end behind the stamp
 * @mutant 6 more voids_end is lowered by who aborts an earlier position later
 * @mutant 7 later a later stage does not look for voids
 * @mutant 8 many an aborted position is not stamped
 * @mutant 9 late room_look() sleeps for the position that it has, not for a lap before it
 * @mutant 10 later a later stage releases over a void without a wake-up
 * @mutant 11 pairs a run is published from its first slot to its last by one stamp
 * @mutant 12 many disruptor_consumer_finished() goes by the claim word, which others still raise
 */
#ifndef RUN_OF
#define RUN_OF 1
#endif
#ifndef PRODUCERS
#define PRODUCERS 2 /* threads 2 and 3; the stages' are 0 and 1 */
#endif
#define CLOSER 4
#define THREADS 5

/* words */
#define STAMP 0                 /* of each slot */
#define SEQUENCE CAPACITY       /* of each stage */
#define WAKE (CAPACITY + 2)
#define TO_CONSUMERS 0
#define TO_PRODUCERS 1
#define FROM 2
#define EDGES 4
#define WORDS (CAPACITY + 6)

#define VOID 64
#define CLOSED 128
#define NO_END 255

#include "edge.inc"

#define SLOT(position) ((position) % CAPACITY)
#define LAST (PRODUCERS * ROUNDS * RUN_OF)

byte claimed;         /* the claim word, with CLOSED */
byte voids_end;
byte end = NO_END;    /* with ENDED in the state */
byte owner[LAST + 2]; /* of each position: producer + 1 */
byte voided;          /* a bit each */
byte passed[2];       /* what each stage has handled or passed */
byte producers_done;

/* ---- stages ---- */

#define IS_THERE (t == 0 -> (mem[STAMP + SLOT(next)] & 63) == next + 1 : mem[SEQUENCE] > next)
#ifdef MUTANT_12
#define HAS_FINISHED ((claimed & CLOSED) && next >= (claimed & 63) - 1)
#else
#define HAS_FINISHED (end != NO_END && next >= end)
#endif

proctype stage(byte t)
{
	byte next;
	bool is_void;

	do
	:: IS_THERE ->
		/* consumer_is_void(): behind what made the position available */
		is_void = voids_end > next && (mem[STAMP + SLOT(next)] & VOID) != 0;
#ifdef MUTANT_7
		is_void = is_void && t == 0;
#endif
		d_step {
			assert((mem[STAMP + SLOT(next)] & 63) == next + 1);
			assert(is_void == (voided >> next & 1)); /* no void is handed out, no event passed */
			assert(passed[t] == next && (t == 0 || passed[0] > next));
			passed[t]++
		}
		next++;
		store(t, SEQUENCE + t, next);
#ifdef MUTANT_10
		if
		:: is_void -> goto again
		:: else
		fi;
#endif
		edge_signal(t, FROM + t, next);
		edge_signal(t, TO_PRODUCERS, next);
again:
		is_void = false
	:: !IS_THERE && HAS_FINISHED -> break
	:: !IS_THERE && !HAS_FINISHED ->
		edge_arm(t, (t == 0 -> TO_CONSUMERS : FROM), (next + 1));
		if
		:: IS_THERE || HAS_FINISHED -> epoch_forget(t)
		:: else -> epoch_sleep(t, 0)
		fi
	od;
	assert(next == (claimed & 63)) /* all that was granted, and no more will be */
}

/* ---- producers ---- */

/* gate_slowest(), one gate */
#define SCAN(gate) low = (mem[SEQUENCE + gate] < low -> mem[SEQUENCE + gate] : low)

inline look_for_room()
{
	low = at;
	SCAN(0);
#if STAGES > 1
	SCAN(1);
#endif
	limit = (low + CAPACITY > at -> low + CAPACITY : at);
	low = 0
}

inline give_up(position)
{
	voided = voided | 1 << position;
#ifndef MUTANT_5
#ifdef MUTANT_6
	voids_end = position + 1;
#else
	atomic { voids_end = (voids_end < position + 1 -> position + 1 : voids_end) }
#endif
#endif
#ifndef MUTANT_8
	mem[STAMP + SLOT(position)] = (position + 1) | VOID;
#endif
#ifdef MUTANT_5
	atomic { voids_end = (voids_end < position + 1 -> position + 1 : voids_end) }
#endif
}

proctype producer(byte t)
{
	byte at, limit, low, rounds, first;

	do
	:: rounds == ROUNDS -> break
	:: else ->
		at = claimed; /* claim_many() */
retry:
#ifndef MUTANT_4
		if
		:: at & CLOSED -> goto out /* E_CLOSED */
		:: else
		fi;
#else
		at = at & 63;
#endif
		if
		:: limit < at + RUN_OF -> look_for_room()
		:: else
		fi;
#ifdef MUTANT_2
		if
		:: limit < at + RUN_OF && limit < CAPACITY ->
#else
		if
		:: limit < at + RUN_OF ->
#endif
			/* E_FULL, if the claim word says so still: wait_for_room() */
			if
			:: claimed != at -> at = claimed; goto retry
			:: else
			fi;
#ifdef MUTANT_9
			edge_arm(t, TO_PRODUCERS, (at + RUN_OF));
#else
			edge_arm(t, TO_PRODUCERS, (at + RUN_OF - CAPACITY));
#endif
			at = claimed; /* room_look() */
			if
			:: at & CLOSED -> epoch_forget(t)
			:: else ->
				look_for_room();
				if
				:: limit >= at + RUN_OF -> epoch_forget(t)
				:: limit < at + RUN_OF -> epoch_sleep(t, TO_PRODUCERS)
				fi
			fi;
			at = claimed;
			goto retry
		:: else
		fi;
#ifdef MUTANT_1
		claimed = at + RUN_OF;
#else
		if
#ifdef MUTANT_4
		:: atomic { (claimed & 63) == at -> claimed = claimed + RUN_OF }
		:: atomic { (claimed & 63) != at -> at = claimed } goto retry
#else
		:: atomic { claimed == at -> claimed = at + RUN_OF }
		:: atomic { claimed != at -> at = claimed } goto retry
#endif
		fi;
#endif
		d_step {
			assert(end == NO_END || at + RUN_OF <= end);
			assert(owner[at] == 0 && owner[at + RUN_OF - 1] == 0);
			owner[at] = t;
			owner[at + RUN_OF - 1] = t;
			assert(passed[0] + CAPACITY >= at + RUN_OF);
			assert(passed[STAGES - 1] + CAPACITY >= at + RUN_OF)
		}
		/* disruptor_publish_n(), from the last to the first; or disruptor_abort() */
		if
		:: true ->
			first = at;
			at = at + RUN_OF;
#ifdef MUTANT_11
			mem[STAMP + SLOT(first)] = first + 1;
#else
			do
			:: at == first -> break
			:: else ->
				at--;
				mem[STAMP + SLOT(at)] = at + 1
			od;
#endif
			first = 0
#if RUN_OF == 1
		:: true -> give_up(at)
#endif
		fi;
		edge_signal(t, TO_CONSUMERS, (at + RUN_OF));
		rounds++;
		at = 0
	od;
out:
	producers_done++
}

/* disruptor_ring_close(), at any time */
proctype closer()
{
	byte was;

#ifdef CLOSES_LATE
	producers_done == PRODUCERS;
#endif
#ifdef MUTANT_3
	was = claimed;
	claimed = claimed | CLOSED;
#else
	d_step {
		was = claimed;
		claimed = claimed | CLOSED
	}
#endif
	end = was; /* then ENDED, by release */
	edge_wake_all(CLOSER, TO_CONSUMERS);
	edge_wake_all(CLOSER, TO_PRODUCERS);
	edge_wake_all(CLOSER, FROM);
	edge_wake_all(CLOSER, (FROM + 1))
}

init {
	atomic {
		run stage(0);
#if STAGES > 1
		run stage(1);
#endif
		run producer(2);
#if PRODUCERS > 1
		run producer(3);
#endif
		run closer()
	}
}
