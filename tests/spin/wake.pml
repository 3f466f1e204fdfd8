/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One edge of src/wait/core.c, on each rung of the ladder: sleepers that need
 * different counts, a waker, and one who interrupts.
 *
 * Modelled: edge_arm(), wait_block(), epoch_sleep(), edge_wake(), epoch_wake(),
 * edge_signal(), edge_wake_all(), wait_heavy_barrier(), as they stand; the
 * progress, the word and the alert behind store buffers; the kernel's compare of
 * a futex as one step with its enqueueing; a monitor as a lock and a set of
 * sleepers.
 * Left out: spinning before wait_block() (more looks, of which none is relied
 * on); the epoch's wrap; a CPU that delays a waker's compare and swap behind its
 * later loads, of which there are none.
 *
 * PATIENT: sleeper 0 needs what never comes, and may sleep for ever; the other may not.
 *
 * Properties: who needs a count that is reached, or is interrupted, wakes: at the end nobody
 * sleeps (a sleeper for ever is a deadlock). Nobody returns before his count.
 *
 * @run membarrier quick -DRUNG=1
 * @run fence quick -DRUNG=2
 * @run mutex quick -DRUNG=3
 * @run parkless quick -DRUNG=2 -DMONITOR
 * @run timeout quick -DRUNG=2 -DTIMEOUT
 * @run timeout1 -DRUNG=1 -DTIMEOUT
 * @run patient quick -DRUNG=2 -DPATIENT
 * @run interrupt quick -DRUNG=2 -DINTERRUPT -DEVENTS=2
 * @run interrupt1 -DRUNG=1 -DINTERRUPT -DEVENTS=2
 * @run interrupt3 -DRUNG=3 -DINTERRUPT -DEVENTS=2
 * @run three -DRUNG=1 -DSLEEPERS=3 -DEVENTS=2
 * @run live ltl=woken -DRUNG=1 -DEVENTS=2
 *
 * @mutant 1 membarrier wait_block() passes no heavy barrier
 * @mutant 2 fence wait_block() passes no heavy barrier
 * @mutant 3 mutex wait_heavy_barrier() does not take the lot
 * @mutant 4 membarrier wait_block() does not look again
 * @mutant 5 fence edge_signal() passes no fence
 * @mutant 6 mutex edge_signal() does not take the lot
 * @mutant 7 membarrier the waker looks at the word before it makes progress
 * @mutant 8 membarrier a sleeper sleeps while the word stands, not while the epoch does
 * @mutant 9 membarrier epoch_wake() does not count the epoch up
 * @mutant 10 membarrier edge_arm() reads the epoch behind the word
 * @mutant 11 patient edge_arm() stores its count over a lower one
 * @mutant 12 membarrier edge_wake() does not look anew at a word that was lowered under it
 * @mutant 13 membarrier os_unpark_all() wakes one
 * @mutant 14 membarrier a sleeper that finds its progress made clears the word
 * @mutant 15 membarrier edge_wake() takes a count that is just reached for one that is not
 * @mutant 16 interrupt disruptor_consumer_interrupt() wakes before it sets the alert
 * @mutant 17 interrupt edge_wake_all() looks without a fence, and disruptor_consumer_interrupt() passes no barrier
 * @mutant 18 parkless epoch_wake() broadcasts without the monitor, and epoch_sleep() compares outside it
 * @mutant 19 timeout a sleeper that has run out of time clears the word
 */
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef EVENTS
#define EVENTS 3
#endif

#define WAKER SLEEPERS             /* its thread */
#define INTERRUPTER (SLEEPERS + 1) /* its thread */
#define THREADS (SLEEPERS + 2)
#define DEPTH 2

/* words */
#define PROGRESS 0 /* a stamp, cursor or sequence */
#define WORD 1     /* the edge's word */
#define ALERT 2    /* the gate's alert of sleeper 0 */
#define WORDS 3

#include "store.inc"

byte epoch;            /* the edge's epoch: read-modify-writes only */
bool asleep[SLEEPERS]; /* in os_park(), or in os_monitor_wait() */
bool lot;              /* the mutex of r->lot is taken */
byte gone;             /* sleepers that have returned for good */

#define lock() atomic { !lot -> lot = true }
/* by release: what was stored before is seen before */
#define unlock(t) atomic { settled(t) -> lot = false }

inline wait_heavy_barrier(t)
{
#if RUNG == 1
	membarrier(t);
#elif RUNG == 2
	fence(t);
#elif defined(MUTANT_3)
	skip
#else
	lock();
	unlock(t);
#endif
}

#if RUNG == 3 || defined(MONITOR)
#define SLEEPS_ON_LOT
#endif

inline epoch_sleep(t, seen)
{
#ifdef SLEEPS_ON_LOT
#ifdef MUTANT_18
	if
	:: epoch == seen ->
		asleep[t] = true;
		!asleep[t]
	:: else
	fi;
#else
	lock();
	if
	:: atomic { epoch == seen ->
		asleep[t] = true; /* os_monitor_wait(): sleeps and gives the mutex back in one */
		lot = false }
		atomic { !asleep[t] && !lot -> lot = true }
	:: else
	fi;
	unlock(t);
#endif
#else
	/* os_park(): the kernel compares and enqueues under its own lock */
#ifdef MUTANT_8
	if
	:: atomic { mem[WORD] == need -> asleep[t] = true }
#else
	if
	:: atomic { epoch == seen -> asleep[t] = true }
#endif
		if
#ifdef PATIENT
		:: t == 0 ->
end:			!asleep[t]
		:: t != 0 ->
			!asleep[t]
#else
		:: !asleep[t]
#endif
#ifdef TIMEOUT
		:: t == 0 -> asleep[t] = false; late = true
#endif
		fi
	:: else
	fi;
#endif
}

inline wake_sleepers()
{
	d_step {
#ifdef MUTANT_13
		if
		:: asleep[0] -> asleep[0] = false
		:: else -> asleep[1] = false
		fi;
#else
		asleep[0] = false;
		asleep[1] = false;
#if SLEEPERS > 2
		asleep[2] = false;
#endif
#endif
	}
}

inline epoch_wake(t)
{
#ifndef MUTANT_9
	atomic { settled(t) -> epoch++ }
#endif
#ifdef SLEEPS_ON_LOT
#ifdef MUTANT_18
	wake_sleepers();
#else
	lock();
	wake_sleepers(); /* os_broadcast() */
	unlock(t);
#endif
#else
	wake_sleepers(); /* os_unpark_all() */
#endif
}

#ifdef MUTANT_15
#define REACHED(standing, count) (standing != 0 && standing < count)
#else
#define REACHED(standing, count) (standing != 0 && standing <= count)
#endif

inline edge_wake(t, reached)
{
	look(t, WORD, standing);
	do
	:: REACHED(standing, reached) ->
		if
		:: atomic { settled(t) && mem[WORD] == standing -> mem[WORD] = 0 }
			epoch_wake(t);
			break
#ifdef MUTANT_12
		:: atomic { settled(t) && mem[WORD] != standing } break
#else
		:: atomic { settled(t) && mem[WORD] != standing -> standing = mem[WORD] }
#endif
		fi
	:: else -> break
	od;
	standing = 0
}

/* On the mutex rung the critical section is the barrier. */
inline edge_signal_under_lot(t, reached)
{
#ifndef MUTANT_6
	lock();
#endif
	look(t, WORD, standing);
	if
	:: REACHED(standing, reached) ->
		atomic { settled(t) -> mem[WORD] = 0 }
		atomic { settled(t) -> epoch++ }
		wake_sleepers() /* os_broadcast() */
	:: else
	fi;
	standing = 0;
#ifndef MUTANT_6
	unlock(t);
#endif
}

inline edge_wake_all(t)
{
#ifdef MUTANT_17
	look(t, WORD, standing);
	if
	:: standing == 0
	:: else -> atomic { settled(t) -> mem[WORD] = 0; standing = 0 } epoch_wake(t)
	fi;
#else
	fence(t);
	if
	:: atomic { settled(t) && mem[WORD] != 0 -> mem[WORD] = 0 } epoch_wake(t)
	:: atomic { settled(t) && mem[WORD] == 0 }
	fi
#endif
}

/* disruptor_published(), disruptor_release(): progress, the light side, the look. */
inline make_progress(t, count)
{
#ifdef MUTANT_7
	edge_wake(t, count);
	store(t, PROGRESS, count);
#else
	store(t, PROGRESS, count); /* WAKE.progress: a stamp or a sequence, by release */
#if RUNG == 1
	edge_wake(t, count); /* behind disruptor_fence_compiler() only */
#elif RUNG == 2
#ifndef MUTANT_5
	fence(t); /* edge_signal() */
#endif
	edge_wake(t, count);
#else
	edge_signal_under_lot(t, count);
#endif
#endif
}

/* events_look(): is it done? */
inline look_for_it(t)
{
	look(t, PROGRESS, at);
	done = at >= need;
	at = 0;
#ifdef INTERRUPT
	if
	:: !done && t == 0 -> look(t, ALERT, done)
	:: else
	fi
#endif
}

/* One who waits for `need`, then for as many more, and so on up to `last`. */
proctype sleeper(byte t; byte need; byte more; byte last)
{
	byte seen, at;
	bool done;
#ifdef TIMEOUT
	bool late;
#endif

	do
	:: need > last -> break
	:: else ->
		look_for_it(t); /* wait_rounds() */
		if
		:: done -> goto next
		:: else
		fi;
		/* wait_block() */
#ifdef MUTANT_10
		lower(t, WORD, need);
		seen = epoch;
#elif defined(MUTANT_11)
		seen = epoch;
		atomic { settled(t) -> mem[WORD] = need }
#else
		seen = epoch;         /* edge_arm(): before the word is raised */
		lower(t, WORD, need); /* WAKE.announce */
#endif
#if !defined(MUTANT_1) && !defined(MUTANT_2)
		wait_heavy_barrier(t);
#endif
#ifndef MUTANT_4
		look_for_it(t);
		if
		:: done ->
#ifdef MUTANT_14
			atomic { settled(t) -> mem[WORD] = 0 }
#endif
			goto next
		:: else
		fi;
#endif
		epoch_sleep(t, seen);
		seen = 0;
#ifdef TIMEOUT
		if
		:: late ->
#ifdef MUTANT_19
			mem[WORD] = 0;
#endif
			goto out
		:: else
		fi;
#endif
		goto again;
next:
#ifdef INTERRUPT
		assert(t == 0 || mem[PROGRESS] >= need);
#else
		assert(mem[PROGRESS] >= need);
#endif
		done = false;
		seen = 0;
		need = need + more;
again:
		skip
	od;
out:
	gone++
}

proctype waker()
{
	byte count = 1, standing;

	do
	:: count > EVENTS -> break
	:: else ->
		make_progress(WAKER, count);
		count++
	od
}

#ifdef INTERRUPT
/* disruptor_consumer_interrupt() of sleeper 0, which waits for what does not come. */
proctype interrupter()
{
	byte standing;

#ifdef MUTANT_16
	edge_wake_all(INTERRUPTER);
	store(INTERRUPTER, ALERT, 1);
#else
	store(INTERRUPTER, ALERT, 1); /* STOP.ask */
#ifndef MUTANT_17
	wait_heavy_barrier(INTERRUPTER); /* consumer_wake_gate() */
#endif
	edge_wake_all(INTERRUPTER);
#endif
	standing = 0
}
#endif

init {
	atomic {
#ifdef INTERRUPT
		run sleeper(0, EVENTS + 1, 1, EVENTS + 1);
		run sleeper(1, 1, 1, EVENTS);
		run interrupter();
#elif defined(PATIENT)
		run sleeper(0, EVENTS + 1, 1, EVENTS + 1);
		run sleeper(1, 1, 1, EVENTS);
#else
		run sleeper(0, 2, EVENTS - 2 + (EVENTS == 2), EVENTS);
		run sleeper(1, 1, 1, EVENTS);
#if SLEEPERS > 2
		run sleeper(2, EVENTS, 1, EVENTS);
#endif
#endif
		run waker();
	}
}

ltl woken { <> (gone == SLEEPERS) }
