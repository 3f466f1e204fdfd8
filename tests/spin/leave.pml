/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A stage leaves while another comes after it: its upstreams are handed over, its
 * entry is used again, and somebody interrupts the other meanwhile.
 *
 * z, then a, then b. a leaves after an event; b comes after z from then on. A new
 * consumer, of which b knows nothing, takes a's entry and stands further on.
 *
 * Modelled: gate_hand_over(), gate_detach(); consumer_available() with its look at
 * `upstreams` behind the sequence, and aim(); wait_block(), which sleeps only if
 * the look behind the barrier names the same edge; take_entry()'s exchange of the
 * wake word; disruptor_consumer_interrupt() and consumer_wake_gate(). Sequences,
 * `upstreams` and the alert lie behind store buffers.
 * Left out: the producer: z's events are there.
 *
 * Properties: b never passes what z has released; it is handed every event; it is interrupted if
 * somebody asks for it, and ends else at the last event (who sleeps for ever is a deadlock).
 *
 * @run leave quick -DEVENTS=2
 * @run again quick -DEVENTS=2 -DREUSED
 * @run alert -DEVENTS=1 -DINTERRUPT
 * @run alert2 -DEVENTS=1 -DINTERRUPT -DRUNG=2
 * @run again3 -DEVENTS=3 -DREUSED
 *
 * @mutant 1 leave gate_hand_over() hands nothing over
 * @mutant 2 leave gate_detach() stands before gate_hand_over()
 * @mutant 3 leave consumer_available() does not look at `upstreams` again
 * @mutant 4 leave gate_detach() does not wake the edge of the gate that leaves
 * @mutant 5 leave wait_block() sleeps on though the look names another edge
 * @mutant 6 alert2 consumer_wake_gate() passes no heavy barrier
 * @mutant 7 alert disruptor_consumer_interrupt() wakes by upstreams that it read before the alert
 * @mutant 8 again take_entry() is followed by a store of the sequence before the handing over is seen
 */
#define Z 0 /* gates, and threads of z and b */
#define A 1
#define B 2
#define LEAVER 1 /* threads: a's own, which then detaches it */
#define INTERRUPTER 3
#define THREADS 4
#define DEPTH 2

/* words */
#define SEQUENCE 0  /* of z and a */
#define UPSTREAMS 2 /* of b: Z or A */
#define ALERT 3     /* of b */
#define WAKE 4      /* of z and a */
#define EDGES 2
#define WORDS 6

#define VACANT 100

#include "edge.inc"

byte z_released; /* as z's own order has it */
byte handled;    /* by b */
bool interrupted;

proctype z()
{
	do
	:: z_released == EVENTS -> break
	:: else ->
		z_released++;
		store(Z, SEQUENCE + Z, z_released);
		edge_signal(Z, Z, z_released)
	od
}

/* a: an event, if it gets so far, then it leaves */
proctype leaver()
{
	if
	:: mem[SEQUENCE + Z] > 0 ->
		store(LEAVER, SEQUENCE + A, 1);
		edge_signal(LEAVER, A, 1)
	:: true
	fi;
#ifdef MUTANT_2
	store(LEAVER, SEQUENCE + A, VACANT);
	store(LEAVER, UPSTREAMS, Z);
#else
#ifndef MUTANT_1
	store(LEAVER, UPSTREAMS, Z); /* gate_hand_over(): LEAVE.order */
#endif
	store(LEAVER, SEQUENCE + A, VACANT); /* gate_detach() */
#endif
#ifndef MUTANT_4
	edge_wake_all(LEAVER, A);
#endif
#ifdef REUSED
	/* take_entry(), gate_attach(): another consumer, far ahead */
	atomic { settled(LEAVER) -> mem[WAKE + A] = 0 }
#ifdef MUTANT_8
	mem[UPSTREAMS] = A;
#endif
	store(LEAVER, SEQUENCE + A, EVENTS)
#endif
}

/* consumer_available(): `upto` */
inline available()
{
	do
	:: upto = mem[SEQUENCE + aimed]; /* acquire */
#ifdef MUTANT_3
		break
#else
		if
		:: mem[UPSTREAMS] == aimed -> break /* LEAVE.look */
		:: else -> aimed = mem[UPSTREAMS]   /* aim() */
		fi
#endif
	od
}

/* consumer_look(): done, or what to sleep on */
inline consumer_look()
{
	available();
	done = upto > next;
	if
	:: !done -> look(B, ALERT, done); interrupted = done
	:: else
	fi;
	/* relaxed: this consumer's own upstreams, and gate_behind(); looks again if none is */
	edge = mem[UPSTREAMS]
}

proctype b()
{
	byte next, upto, aimed = A, edge, asked;
	bool done;

	do
	:: next == EVENTS || interrupted -> break
	:: else ->
		consumer_look();
		if
		:: done -> goto found
		:: else
		fi;
		asked = edge;
		edge_arm(B, asked, (next + 1));
		wait_heavy_barrier(B);
		consumer_look();
		if
		:: done -> goto found
#ifndef MUTANT_5
		:: !done && edge != asked -> goto again
#endif
		:: else
		fi;
		epoch_sleep(B, asked);
		goto again;
found:
		if
		:: interrupted
		:: !interrupted ->
			assert(next < z_released); /* behind z, whoever left */
			next++;
			handled++
		fi;
again:
		epoch_forget(B);
		done = false;
		upto = 0
	od;
#ifdef INTERRUPT
	/* it waits for more, which does not come, until it is interrupted */
	do
	:: interrupted -> break
	:: else ->
		consumer_look();
		if
		:: interrupted -> break
		:: else
		fi;
		asked = edge;
		edge_arm(B, asked, (next + 1));
		wait_heavy_barrier(B);
		consumer_look();
		if
		:: interrupted -> break
		:: !interrupted && edge == asked -> epoch_sleep(B, asked)
		:: !interrupted && edge != asked
		fi
	od
#else
	assert(handled == EVENTS)
#endif
}

#ifdef INTERRUPT
/* disruptor_consumer_interrupt() of b: STOP.ask, then consumer_wake_gate() */
proctype interrupter()
{
	byte upstreams;

#ifdef MUTANT_7
	upstreams = mem[UPSTREAMS];
	store(INTERRUPTER, ALERT, 1);
	wait_heavy_barrier(INTERRUPTER);
#else
	store(INTERRUPTER, ALERT, 1);
#ifndef MUTANT_6
	wait_heavy_barrier(INTERRUPTER); /* LEAVE.alert */
#endif
	upstreams = mem[UPSTREAMS];
#endif
	edge_wake_all(INTERRUPTER, upstreams)
}
#endif

init {
	atomic {
		mem[UPSTREAMS] = A;
		run z();
		run leaver();
#ifdef INTERRUPT
		run interrupter();
#endif
		run b()
	}
}
