/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A consumer that attaches while a producer runs, and one that leaves meanwhile.
 *
 * Modelled: gate_limit() with gate_slowest() and the repeated scan; the producer's
 * `limit` that it keeps until it runs out, its sleep, publishing;
 * gate_attach() with choose_start(), newest_position() and oldest_position(), the
 * provisional gate and the wake-up; gate_detach(). The claim, the limit, the
 * stamps, the gates and `attaches` lie behind store buffers.
 * Left out: upstreams (leave.pml); `gone`; gates_used (all entries are scanned);
 * DISRUPTOR_AT_POSITION, which is between newest and oldest; free runs.
 *
 * Properties: an event is whole, and of its lap, when the new consumer reads it, from where it
 * begins: no producer laps it; no gate stands behind a position that is claimed and not published;
 * it misses nothing that is published after the attach has returned; the gate never moves
 * backwards; everyone goes on (no deadlock).
 *
 * @run newest quick -DEVENTS=3 -DCAPACITY=1
 * @run oldest quick -DEVENTS=3 -DCAPACITY=1 -DOLDEST
 * @run oldest2 -DEVENTS=4 -DCAPACITY=2 -DOLDEST
 * @run newest2 -DEVENTS=4 -DCAPACITY=2
 * @run stays -DEVENTS=2 -DCAPACITY=1 -DFIRST_READS=2
 * @run pairs -DEVENTS=4 -DCAPACITY=2 -DOLDEST -DPAIRS
 *
 * @mutant 1 newest gate_attach() passes no fence
 * @mutant 2 oldest2 gate_limit() passes no fence
 * @mutant 3 newest gate_attach() does not look again once the gate is shown
 * @mutant 4 oldest2 gate_attach() counts the attach before it shows the gate
 * @mutant 5 oldest2 gate_limit() does not scan again
 * @mutant 6 newest a newest start is the claim position
 * @mutant 7 pairs an older start may be before the provisional gate
 * @mutant 8 newest2 gate_detach() does not wake producers
 * @mutant 9 oldest2 gate_limit() notes the limit behind the fence
 * @mutant 10 oldest2 an older start goes by the claim position, not by limits
 * @mutant 11 stays gate_attach() wakes nobody once the gate is set
 * @mutant 12 newest gate_attach() shows no gate before it knows the start
 */
#define PRODUCER 0 /* threads */
#define FIRST 1    /* attached from the beginning; leaves after an event */
#define NEW 2      /* attaches */
#define THREADS 3
#define DEPTH 3

/* words */
#define STAMP 0           /* of each slot */
#define CLAIMED CAPACITY  /* `claimed` */
#define LIMIT (CAPACITY + 1)
#define GATE (CAPACITY + 2) /* of FIRST, then of NEW */
#define ATTACHES (CAPACITY + 4)
#define WAKE (CAPACITY + 5)
#define TO_CONSUMERS 0
#define TO_PRODUCERS 1
#define EDGES 2
#define WORDS (CAPACITY + 7)

#define VACANT 100
#ifndef FIRST_READS
#define FIRST_READS 1
#endif

#include "edge.inc"

#define SLOT(position) ((position) % CAPACITY)

byte writing = 255;     /* the position that is claimed, and not yet published */
byte published;         /* how many, as the producer's own order has it */
bool has_left;          /* the new consumer, again */

/* ---- the producer ---- */

inline scan_gate(gate)
{
	d_step {
		if
		:: mem[GATE + gate] != VACANT ->
			found++;
			low = (mem[GATE + gate] < low -> mem[GATE + gate] : low)
		:: else
		fi
	}
}

/* gate_slowest() */
inline gate_slowest()
{
	found = 0;
	low = next;
	scan_gate(0);
	scan_gate(1)
}

/* disruptor_room(): a gate further behind than the capacity counts as full */
#define ROOM (next - low < CAPACITY -> CAPACITY - (next - low) : 0)

/* gate_limit(): `limit` is the producer's own copy of its word */
inline gate_limit()
{
	look(PRODUCER, ATTACHES, now);
	do
	:: gate_slowest();
		limit = next + (found > 0 -> ROOM : 0);
		seen = now;
#ifdef MUTANT_9
		fence(PRODUCER);
		look(PRODUCER, ATTACHES, now);
		store(PRODUCER, LIMIT, limit);
#elif defined(MUTANT_2)
		store(PRODUCER, LIMIT, limit);
		look(PRODUCER, ATTACHES, now);
#else
		store(PRODUCER, LIMIT, limit); /* ATTACH.grant */
		fence(PRODUCER);               /* ATTACH.fence */
		look(PRODUCER, ATTACHES, now);
#endif
#ifndef MUTANT_5
		if
		:: now == seen -> break
		:: else
		fi
#else
		break
#endif
	od;
	now = 0;
	seen = 0
}

proctype producer()
{
	byte next, limit, low, found, now, seen, n = 1;

	do
	:: next == EVENTS -> break
#ifdef PAIRS
	:: n == 1 && next + 2 <= EVENTS -> n = 2 /* it may claim two at a time */
#endif
	:: next < EVENTS && limit >= next + n -> /* room is known: disruptor_claim_n() */
		store(PRODUCER, CLAIMED, next + n); /* or a mark; behind it the compiler's fence only */
		do
		:: n == 0 -> break
		:: n > 0 ->
			d_step {
				assert(mem[GATE] == VACANT || mem[GATE] + CAPACITY > next);
				writing = next
			}
			d_step {
				published++;
				writing = 255
			}
			store(PRODUCER, STAMP + SLOT(next), next + 1); /* PUB.release */
			next++;
			n--
		od;
		n = 1;
		edge_signal(PRODUCER, TO_CONSUMERS, next)
	:: next < EVENTS && limit < next + n ->
		gate_limit(); /* look_for_room() */
		if
		:: limit >= next + n
		:: limit < next + n && found == 0 -> /* E_NO_CONSUMER: it tries again once there is one */
			if
			:: mem[GATE + 1] != VACANT
			:: has_left -> goto out
			fi
		:: limit < next + n && found > 0 ->
			/* wait_for_room(): wait_block() with room_look() */
			edge_arm(PRODUCER, TO_PRODUCERS, (next + n - CAPACITY));
			wait_heavy_barrier(PRODUCER);
			gate_slowest();
			if
			:: found == 0 || ROOM >= n
			:: else -> epoch_sleep(PRODUCER, TO_PRODUCERS)
			fi;
			epoch_forget(PRODUCER)
		fi;
		found = 0;
		low = 0
	od;
out:
	skip
}

/* ---- consumers ---- */

/* Handle `events` of them from `next` on: each is there, whole, until it is released. */
inline consume(t, gate, events)
{
	do
	:: events == 0 || next == EVENTS -> break
	:: else ->
		if
		:: mem[STAMP + SLOT(next)] == next + 1 -> goto there
		:: mem[STAMP + SLOT(next)] > next + 1 -> assert(false) /* lapped */
		:: else
		fi;
		edge_arm(t, TO_CONSUMERS, (next + 1));
		wait_heavy_barrier(t);
		if
		:: mem[STAMP + SLOT(next)] == next + 1 -> goto there
		:: mem[STAMP + SLOT(next)] > next + 1 -> assert(false)
		:: else
		fi;
		epoch_sleep(t, TO_CONSUMERS);
		goto again;
there:
		epoch_forget(t);
		/* it reads: nothing writes to the slot */
		assert(writing == 255 || SLOT(writing) != SLOT(next));
		next++;
		events--;
		assert(mem[STAMP + SLOT(next - 1)] == next);
		store(t, GATE + gate, next); /* FREE.release */
		edge_signal(t, TO_PRODUCERS, next);
again:
		skip
	od
}

/* Reads an event, then detaches; or stays to the end. */
proctype first()
{
	byte next, events = FIRST_READS;

	consume(FIRST, 0, events);
	/* gate_detach() */
	store(FIRST, GATE, VACANT);
#ifndef MUTANT_8
	edge_wake_all(FIRST, TO_PRODUCERS)
#endif
}

/* ring_first_unpublished(): in `newest` */
inline newest_position()
{
#ifdef MUTANT_6
	newest = mem[CLAIMED];
#else
	end = mem[CLAIMED];
	newest = (end > CAPACITY -> end - CAPACITY : 0);
	d_step { /* what any consumer has released was published */
		if
		:: mem[GATE] != VACANT && mem[GATE] > newest && mem[GATE] <= end -> newest = mem[GATE]
		:: else
		fi
	}
	do /* a later lap's stamp is of a slot published, too */
	:: newest < end && mem[STAMP + SLOT(newest)] > newest -> newest++
	:: newest >= end || mem[STAMP + SLOT(newest)] <= newest -> break
	od;
	end = 0;
#endif
}

/* choose_start(): in `at` */
inline choose_start()
{
	newest_position();
	at = newest;
#ifdef OLDEST
	end = mem[CLAIMED]; /* oldest_position() */
#ifndef MUTANT_10
	end = (mem[LIMIT] > end -> mem[LIMIT] : end); /* ATTACH.grant */
#endif
	end = (end > CAPACITY -> end - CAPACITY : 0);
	at = (end < newest -> end : newest);
	end = 0;
#endif
	newest = 0
}

proctype new()
{
	byte next, at, newest, end, provisional, events = 1;

	/* gate_attach(), under the lock */
	choose_start();
	provisional = at;
#ifdef MUTANT_4
	store(NEW, ATTACHES, 1);
	fence(NEW);
	store(NEW, GATE + 1, provisional);
#else
#ifndef MUTANT_12
	store(NEW, GATE + 1, provisional); /* ATTACH.show */
#endif
	store(NEW, ATTACHES, 1);           /* ATTACH.count */
#endif
#ifndef MUTANT_1
	fence(NEW); /* ATTACH.fence */
#endif
#ifndef MUTANT_3
	choose_start();
#endif
#ifndef MUTANT_7
	at = (at < provisional -> provisional : at);
#endif
	store(NEW, GATE + 1, at);
	next = at;
#ifndef MUTANT_11
	edge_wake_all(NEW, TO_PRODUCERS);
#endif
	d_step {
		/* nothing that is published from now on is missed, and what is unpublished is guarded */
		assert(at <= published);
		assert(mem[CLAIMED] <= at + CAPACITY);
		at = 0;
		provisional = 0
	}
	consume(NEW, 1, events);
	store(NEW, GATE + 1, VACANT);
	edge_wake_all(NEW, TO_PRODUCERS);
	has_left = true
}

init {
	d_step {
		mem[GATE + 1] = VACANT
	}
	atomic {
		run first();
		run new();
		run producer()
	}
}
