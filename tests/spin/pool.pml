/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Workers that share a stream: src/ring/share.c, and pool_is_anothers() of keyed
 * ones.
 *
 * Modelled: share_look(), take_next(), take_up(), share_release(), settle(),
 * share_leave(), share_is_needed(); a keyed worker's passing over what is
 * another's, and its settling. The hands lie behind store buffers: SHARE.take and
 * SHARE.settle are about a store and a look. Everything is published, and the
 * ring closed, before they begin; a worker that finds nothing to do waits for the
 * edge on which share.c wakes it: the whole's, or a gate's of those who leave.
 * LEAVES: worker 0 ends at any moment, by a stop or a failure, with its chunk.
 * Left out: the producer (the events lie there); voids, which are like events.
 *
 * Properties: each event is handled once, by one worker, or else lies with what was left; the
 * whole's gate never passes an event in hand, left, or not taken; once all are done it stands at the
 * end; each worker ends (no deadlock).
 *
 * @run share quick -DEVENTS=2 -DCHUNK=1
 * @run chunks -DEVENTS=4 -DCHUNK=2
 * @run leave quick -DEVENTS=2 -DCHUNK=2 -DLEAVES
 * @run leave3 -DEVENTS=3 -DCHUNK=2 -DLEAVES
 * @run keyed quick -DEVENTS=3 -DCHUNK=1 -DKEYED
 *
 * @mutant 1 share take_next() passes no fence
 * @mutant 2 share take_next() lays its hand behind the exchange
 * @mutant 3 share settle() looks at the hands before it reads `taken`
 * @mutant 4 share settle() passes no fence
 * @mutant 5 share settle() stores the whole's place, however far it stands
 * @mutant 6 leave share_leave() opens the hand before the note is there
 * @mutant 7 leave take_up() takes the note away before its hand is on it
 * @mutant 8 leave3 settle() looks at the notes before the hands
 * @mutant 9 leave settle() does not look again where a note was taken up meanwhile
 * @mutant 10 leave share_leave() wakes nobody
 * @mutant 11 share take_next() keeps its hand on what another has taken
 * @mutant 12 leave share_release() releases the chunk with its first event
 * @mutant 13 leave a worker ends though another may yet leave it something
 * @mutant 14 keyed a keyed worker releases to the end as soon as nothing more is its own
 * @mutant 15 keyed settle() leaves one worker out
 * @mutant 16 leave share_leave() does not settle
 */
#define WORKERS 2
#define THREADS 2
#define DEPTH 2

/* words */
#define HAND 0   /* a worker's gate: WORKERS of them */
#define WAKE 2   /* not used by edges of their own here */
#define WORDS 3

#define VACANT 100

#include "store.inc"

byte taken;               /* read-modify-writes only, as the whole's sequence */
byte whole;
byte left_from[WORKERS] = VACANT;
byte left_to[WORKERS];
byte left_count;
byte moved;               /* how often a note was taken up */
bool lock_taken;          /* of what is left */
byte news;                /* counts wake-ups of those who wait: an edge's epoch */
byte handled;             /* events, a bit each */
byte come_to[WORKERS];       /* keyed: what each has come to */
byte ended;

#define lock() atomic { !lock_taken -> lock_taken = true }
#define unlock(t) atomic { settled(t) -> lock_taken = false }

/* The whole never passes what is not handled. */
#ifdef KEYED
#define WHOLE_IS_RIGHT (whole <= come_to[0] && whole <= come_to[1])
#else
#define WHOLE_IS_RIGHT ((handled & ((1 << whole) - 1)) == (1 << whole) - 1)
#endif

#define LEAST(n) least = ((n) < least -> (n) : least)

inline least_left()
{
	LEAST(left_from[0]);
	LEAST(left_from[1])
}

inline least_in_hand()
{
	LEAST(mem[HAND]);
#ifndef MUTANT_15
	LEAST(mem[HAND + 1])
#endif
}

inline settle(t)
{
#ifndef MUTANT_4
	fence(t); /* SHARE.settle */
#endif
	do
	:: seen_moved = moved; /* SHARE.leave */
#ifdef MUTANT_3
		least = VACANT;
		least_in_hand();
		LEAST(taken);
		least_left();
#else
#ifdef KEYED
		least = VACANT; /* `taken` */
#else
		least = taken; /* SHARE.take */
#endif
#ifdef MUTANT_8
		least_left();
		least_in_hand();
#else
		least_in_hand();
		least_left();
#endif
#endif
		if
#ifdef MUTANT_9
		:: true -> break
#else
		:: moved == seen_moved -> break
		:: moved != seen_moved
#endif
		fi
	od;
	seen_moved = 0;
#ifdef MUTANT_5
	whole = least;
	assert(WHOLE_IS_RIGHT);
#else
	atomic { /* a compare and swap, as long as it is less */
		settled(t);
		if
		:: whole < least -> whole = least
		:: else
		fi;
		assert(WHOLE_IS_RIGHT)
	}
#endif
	least = 0;
	/* edge_signal(): also workers that wait for the whole, to come to the end */
	news = news + (whole >= EVENTS -> 1 : 0)
}

inline share_release(t, position)
{
	next = position;
	store(t, HAND + t, (next >= chunk_end -> VACANT : next)); /* SHARE.done */
	settle(t)
}

/* What another member has left; sets `found`. */
inline take_up(t)
{
	if
	:: left_count == 0
	:: else ->
		lock();
		i = (left_from[t] != VACANT -> t : 1 - t); /* its own first */
		if
		:: left_from[i] == VACANT
		:: else ->
			next = left_from[i];
			chunk_end = left_to[i];
#ifdef MUTANT_7
			left_from[i] = VACANT;
			store(t, HAND + t, next);
#else
			store(t, HAND + t, next); /* SHARE.leave: the hand, its count, then the note goes */
			atomic { settled(t) -> moved++ };
			left_from[i] = VACANT;
#endif
			left_count--;
			found = true
		fi;
		i = 0;
		unlock(t)
	fi
}

/* As much as it takes of what nobody has taken; sets `found`. */
inline take_next(t)
{
	from = taken;
	tried = false;
	do
	:: from == EVENTS -> break
	:: else ->
		to = (from + CHUNK < EVENTS -> from + CHUNK : EVENTS);
		tried = true;
#ifndef MUTANT_2
		store(t, HAND + t, from); /* SHARE.take: the hand, then `taken` */
#endif
#ifdef MUTANT_1
		/* a relaxed exchange may be seen before the hand */
		if
		:: atomic { taken == from -> taken = to }
#else
		fence(t);
		if
		:: atomic { taken == from -> taken = to }
#endif
#ifdef MUTANT_2
			store(t, HAND + t, from);
#endif
			next = from;
			chunk_end = to;
			found = true;
			break
		:: atomic { taken != from -> from = taken }
		fi
	od;
	to = 0;
	if
#ifndef MUTANT_11
	:: !found && tried -> /* the hand was on what is another's */
		chunk_end = from;
		share_release(t, from)
#endif
	:: else
	fi;
	from = 0;
	tried = false
}

inline share_leave(t)
{
	if
	:: next >= chunk_end
	:: else ->
		lock();
		left_to[t] = chunk_end;
#ifdef MUTANT_6
		store(t, HAND + t, VACANT);
		atomic { settled(t) -> left_from[t] = next }
#else
		atomic { settled(t) -> left_from[t] = next } /* SHARE.leave: the note, then the hand opens */
#endif
		left_count++;
		unlock(t);
		chunk_end = next;
#ifdef MUTANT_16
		store(t, HAND + t, VACANT);
		news++;
#else
		share_release(t, next);
#endif
#ifndef MUTANT_10
		news++ /* consumer_wake_gate() of each */
#endif
	fi
}

proctype worker(byte t)
{
	byte next, chunk_end, from, to, least, seen, seen_moved, i;
	bool found, tried;

	do
	:: found = next < chunk_end; /* share_take() */
		if
		:: found
		:: else -> take_up(t)
		fi;
		if
		:: found
		:: else -> take_next(t)
		fi;
		if
		:: !found ->
			/* consumer_look(): finished, but for what others may leave */
			seen = news; /* edge_arm() of the whole's edge, and the barrier */
			if
#ifdef MUTANT_13
			:: true -> break
#endif
			:: whole >= EVENTS -> break /* !share_is_needed() */
			:: whole < EVENTS && left_count == 0 && taken == EVENTS -> news != seen
			:: left_count != 0 || taken != EVENTS
			fi;
			seen = 0
		:: else ->
			found = false;
			do
			:: next >= chunk_end -> break
			:: next < chunk_end ->
#ifdef LEAVES
				if
				:: t == 0 -> goto leave /* told to stop, or failed, at this event */
				:: true
				fi;
#endif
				d_step {
					assert(!(handled >> next & 1));
					handled = handled | 1 << next
				}
#ifdef MUTANT_12
				share_release(t, chunk_end)
#else
				share_release(t, next + 1)
#endif
			od
		fi
	od;
	goto out;
leave:
	share_leave(t);
out:
	ended++
}

/* Each goes through everything, and passes over what is another's. */
proctype keyed_worker(byte t)
{
	byte next, chunk_end = EVENTS + 1, least, seen_moved;

	do
	:: next == EVENTS -> break
	:: else ->
		if
		:: next % WORKERS == t -> handled = handled | 1 << next
		:: else
		fi;
#ifdef MUTANT_14
		if
		:: next + 2 >= EVENTS -> share_release(t, EVENTS)
		:: else -> come_to[t] = next + 1; share_release(t, next + 1)
		fi
#else
		come_to[t] = next + 1;
		share_release(t, next + 1)
#endif
	od;
	ended++
}

init {
	atomic {
#ifdef KEYED
		run keyed_worker(0);
		run keyed_worker(1);
#else
		mem[HAND] = VACANT;
		mem[HAND + 1] = VACANT;
		run worker(0);
		run worker(1);
#endif
	}
	ended == WORKERS;
	assert(whole == EVENTS && handled == (1 << EVENTS) - 1);
}
