/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The end of a stream: one producer, two stages one after the other, and who
 * closes the ring at any moment; or a stage that fails.
 *
 * Modelled: disruptor_claim_n() and claim_single(): the claim noted, the light
 * barrier, the look at the state; take_back(); wait_for_room(); give_up_stamped();
 * close_locked(), ring_fail(), ring_wake_everyone(); consumer_look() with
 * disruptor_consumer_finished() and the failed state; graph_fail() of a handler's
 * verdict. Stores of the claim, the state and the stamps lie behind store buffers:
 * the handshake of a close is one of store and look. The lock of the ring is a lock.
 * Left out: marks in the slots (the claim is the word `claimed`, as on the other
 * rungs); the sleep between a look and a wake-up where it is not about the end:
 * who finds nothing waits for a wake-up of an edge, as in graph.pml.
 *
 * Properties: an event that was granted is handled by each stage, once, in order, by the later stage
 * behind the earlier; each stage ends at the end and not before, and the later one behind the
 * earlier's end; no claim is granted behind the end; a producer that waits for room returns; after
 * a failure all return (who does not is a deadlock).
 *
 * @run close quick -DSTAGES=1 -DEVENTS=1
 * @run close2 -DSTAGES=1 -DEVENTS=2
 * @run fence -DSTAGES=1 -DEVENTS=2 -DRUNG=2
 * @run fail quick -DSTAGES=2 -DEVENTS=2 -DFAILS -DAT_ONCE
 * @run order -DSTAGES=2 -DEVENTS=3 -DAT_ONCE
 * @run live ltl=all_returned -DSTAGES=2 -DEVENTS=2 -DAT_ONCE
 *
 * @mutant 1 close close_locked() passes no heavy barrier
 * @mutant 2 close claim_single() looks at the state before it notes the claim only
 * @mutant 3 close take_back() leaves the end as it is
 * @mutant 4 close take_back() wakes nobody
 * @mutant 5 close close_locked() says ENDED before the end is there
 * @mutant 6 close disruptor_ring_close() wakes nobody
 * @mutant 7 fail disruptor_ring_close() wakes consumers only
 * @mutant 8 close disruptor_consumer_finished() compares one position too early
 * @mutant 9 close a stage ends when the ring is closed and nothing is there, whatever the end
 * @mutant 10 fail ring_fail() wakes nobody
 * @mutant 11 fail room_look() does not look at the state
 * @mutant 12 fail a stage that has failed releases the event in hand
 * @mutant 13 close take_back() does not take the lock
 */
#define CAPACITY 1
#define PRODUCER STAGES /* its thread; the stages' are 0 and on */
#define CLOSER (STAGES + 1)
#define THREADS (STAGES + 2)
#define DEPTH 2

/* words */
#define STAMP 0    /* of each slot: p + 1, or p + 1 + VOID */
#define SEQUENCE 1 /* of each stage's gate */
#define CLAIMED 3  /* `claimed` */
#define STATE 4    /* CLOSED, FAILED, ENDED */
#define END 5      /* `end` */
#define WAKE 6
#define TO_CONSUMERS 0
#define TO_PRODUCERS 1
#define FROM 2
#define EDGES 4
#define WORDS 10

#define VOID 64
#define CLOSED 1
#define FAILED 2
#define ENDED 4

#include "edge.inc"

/* What each does in one look is one step where there are no buffers: those who look see all. */
#ifdef AT_ONCE
#define AT_A_LOOK atomic
#else
#define AT_A_LOOK
#endif

bool ring_lock;
byte granted;           /* the producer's claims that were not refused */
byte voided;            /* a bit each */
byte handled[2];
bool failed;            /* some stage has */
byte returned;

/* the ring's lock; its giving back shows what was stored before */
#define lock() atomic { !ring_lock -> ring_lock = true }
#define unlock(t) atomic { settled(t) -> ring_lock = false }

inline ring_wake_everyone(t)
{
	edge_wake_all(t, TO_CONSUMERS);
#ifndef MUTANT_7
	edge_wake_all(t, TO_PRODUCERS);
#endif
	edge_wake_all(t, FROM)
}

/* close_locked(), with the lock */
inline close_locked(t, bits)
{
	ended = mem[STATE] & ENDED;
	/* CLOSE.close: a read-modify-write, whose store the barrier below has to show */
	store(t, STATE, mem[STATE] | bits | CLOSED);
	if
	:: ended
	:: else ->
#ifdef MUTANT_1
		end = mem[CLAIMED];
#else
		wait_heavy_barrier(t);
		end = mem[CLAIMED];
#endif
#ifdef MUTANT_5
		store(t, STATE, bits | CLOSED | ENDED);
		store(t, END, end);
#else
		store(t, END, end); /* CLOSE.end */
		store(t, STATE, bits | CLOSED | ENDED);
#endif
		settled(t)
	fi;
	ended = 0;
	end = 0
}

/* ---- a stage ---- */

#define IS_THERE (t == 0 -> (mem[STAMP] & 63) == next + 1 : mem[SEQUENCE] > next)

/* consumer_look(): 1 there is an event, 2 it has ended, 3 the ring has failed, 0 nothing */
inline consumer_look(t)
{
	AT_A_LOOK {
	found = 0;
	if
	:: IS_THERE -> found = 1
	:: else ->
		look(t, STATE, state); /* relaxed; acquire where it is acted on: the same here */
		if
		:: state & FAILED -> found = 3
#ifdef MUTANT_9
		:: !(state & FAILED) && (state & CLOSED) ->
			if
			:: IS_THERE -> found = 1
			:: else -> found = 2
			fi
#else
		:: !(state & FAILED) && (state & ENDED) ->
			look(t, END, end); /* acquire: behind the flag */
#ifdef MUTANT_8
			found = (next + 1 >= end -> 2 : 0);
#else
			found = (next >= end -> 2 : 0);
#endif
			end = 0
#endif
		:: else
		fi;
		state = 0
	fi
	}
}

inline ring_fail(t)
{
	failed = true;
	lock();
	close_locked(t, FAILED);
	unlock(t);
#ifndef MUTANT_10
	ring_wake_everyone(t)
#endif
}

proctype stage(byte t)
{
	byte next, found, state, end, ended;

	do
	:: consumer_look(t);
		if
		:: found == 0 -> /* wait_block() */
			edge_arm(t, (t == 0 -> TO_CONSUMERS : FROM), (next + 1));
			wait_heavy_barrier(t);
			consumer_look(t);
			if
			:: found == 0 -> epoch_sleep(t, 0)
			:: else
			fi
		:: else
		fi;
		epoch_forget(t);
		if
		:: found == 0
		:: found > 1 -> break
		:: found == 1 ->
#ifdef FAILS
			if
			:: !failed ->
#ifdef MUTANT_12
				store(t, SEQUENCE + t, next + 1);
#endif
				ring_fail(t); /* the handler's verdict, FAIL */
				break
			:: true
			fi;
#endif
			d_step {
				/* the state of the slot stays as it is until it is released */
				assert((mem[STAMP] & 63) == next + 1);
				assert(handled[t] == next && (t == 0 || handled[0] > next));
				assert((mem[STAMP] & VOID) != 0 == (voided >> next & 1));
				handled[t]++
			}
			next++;
			store(t, SEQUENCE + t, next); /* STAGE.release, FREE.release */
			edge_signal(t, FROM + t, next);
			edge_signal(t, TO_PRODUCERS, next)
		fi
	od;
	/* E_CLOSED: at the end, for good, and behind the stage before it; all that was granted */
	assert(found != 2 || failed || next == granted && mem[SEQUENCE] == granted || t == 0 &&
	       next == granted);
	assert(!(mem[STATE] & ENDED) || failed || found != 2 || next == mem[END]);
	returned++
}

/* ---- the producer ---- */

/* room_look(): 1 there is room, 2 the ring is closed */
inline room_look()
{
	AT_A_LOOK {
	room = 0;
#ifndef MUTANT_11
	look(PRODUCER, STATE, state);
#endif
	if
	:: state != 0 -> room = 2
	:: else ->
		low = next;
		low = (mem[SEQUENCE] < low -> mem[SEQUENCE] : low); /* gate_slowest() */
#if STAGES > 1
		low = (mem[SEQUENCE + 1] < low -> mem[SEQUENCE + 1] : low);
#endif
		room = (next + 1 <= low + CAPACITY -> 1 : 0);
		low = 0
	fi;
	state = 0
	}
}

inline take_back()
{
#ifndef MUTANT_13
	lock();
#endif
	store(PRODUCER, CLAIMED, next);
#ifndef MUTANT_3
	if
	:: (mem[STATE] & ENDED) && mem[END] > next ->
		store(PRODUCER, END, next) /* CLOSE.end */
	:: else
	fi;
#endif
#ifndef MUTANT_13
	unlock(PRODUCER);
#endif
#ifndef MUTANT_4
	ring_wake_everyone(PRODUCER)
#endif
}

proctype producer()
{
	byte next, room, low, state;

	do
	:: next == EVENTS -> break
	:: else ->
		room_look();
		if
		:: room == 0 -> /* wait_block() */
			edge_arm(PRODUCER, TO_PRODUCERS, (next + 1 - CAPACITY));
			wait_heavy_barrier(PRODUCER);
			room_look();
			if
			:: room == 0 -> epoch_sleep(PRODUCER, TO_PRODUCERS)
			:: else
			fi
		:: else
		fi;
		epoch_forget(PRODUCER);
		if
		:: room == 0
		:: room == 2 -> break
		:: room == 1 ->
#ifdef MUTANT_2
			look(PRODUCER, STATE, state);
			store(PRODUCER, CLAIMED, next + 1);
#else
			store(PRODUCER, CLAIMED, next + 1); /* CLOSE.claim */
#if RUNG == 2
			fence(PRODUCER);
#endif
			look(PRODUCER, STATE, state);
#endif
			if
			:: state != 0 -> take_back(); break
			:: else
			fi;
			granted++;
			assert(handled[0] + CAPACITY > next && handled[STAGES - 1] + CAPACITY > next);
			if
			:: store(PRODUCER, STAMP, next + 1) /* disruptor_publish() */
#if STAGES == 1
			:: voided = voided | 1 << next;    /* disruptor_abort() */
				store(PRODUCER, STAMP, next + 1 + VOID)
#endif
			fi;
			next++;
			edge_signal(PRODUCER, TO_CONSUMERS, next)
		fi
	od;
	returned++
}

/* disruptor_ring_close(), at any time */
proctype closer()
{
	byte ended, end;

	lock();
	close_locked(CLOSER, 0);
	unlock(CLOSER);
#ifdef MUTANT_6
	skip;
#else
	ring_wake_everyone(CLOSER);
#endif
	returned++
}

init {
	atomic {
		run stage(0);
#if STAGES > 1
		run stage(1);
#endif
		run producer();
		run closer()
	}
}

ltl all_returned { <> (returned == STAGES + 2) }
