/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Start and stop of a graph, again and again, while others stop, detach and
 * attach: src/graph/lifecycle.c, worker.c, attach.c, and a run's parts in stage.c.
 *
 * Modelled: disruptor_start() with make_threads(), halt_and_join(), await_runs(),
 * join_all(); disruptor_stop() with await_end(); graph_fail(), graph_report(),
 * stage_run(), stage_finish(), worker_ended(); disruptor_detach() with
 * end_run(), forget_thread(); disruptor_attach() with begin_thread(). The
 * monitor is a lock and a set of who waits; a thread is its stage's; to join it
 * is to wait until it has returned, and may be done once.
 * A stage's wait is one step that is open while there is something to do: how it
 * is woken is in wake.pml and graph.pml. It has one event in each run, which it
 * may answer with STOP or a failure.
 * TELL: a third thread tells both stages to stop in their first run, however early. DETACH: in the
 * last run the stop comes after the detach.
 * Left out: the watchdog, stages without threads, pools, several stages a thread.
 *
 * Properties: start returns when all have reported, or leaves no thread; who stops and is not told
 * E_TIMEOUT finds no run of his in progress; drain leaves no event but for a verdict or a failure; a
 * request to stop ends the run that it meets, and no later one; no thread is joined twice; after a
 * failure everyone ends; everything returns (no deadlock).
 *
 * @run start quick -DRUNS=2 -DTHREADS_FAIL
 * @run stops -DRUNS=2 -DSTOPPER
 * @run told quick -DRUNS=2 -DTELL
 * @run detach -DRUNS=2 -DDETACH
 * @run detach2 -DRUNS=1 -DDETACH -DSTOPPER
 * @run attach -DRUNS=2 -DATTACH
 * @run attach2 -DRUNS=2 -DATTACH -DSTOPPER
 * @run live ltl=returned -DRUNS=1 -DSTOPPER
 *
 * @mutant 1 start graph_report() does not broadcast
 * @mutant 2 start worker_ended() does not broadcast
 * @mutant 3 start a stage whose on_start failed does not report
 * @mutant 4 start make_threads() does not wait for the reports
 * @mutant 5 start halt_and_join() does not halt those that have begun
 * @mutant 6 told a run that begins takes the alert
 * @mutant 7 told join_all() does not forget what a run was asked for that was over
 * @mutant 8 start disruptor_stop() does not close the ring
 * @mutant 9 start join_all() before all runs have ended
 * @mutant 10 stops await_end() does not look whether its run is still the present one
 * @mutant 11 start await_end() says STOPPED of what has failed
 * @mutant 12 start graph_fail() does not fail the ring
 * @mutant 13 start disruptor_start() does not reopen the ring
 * @mutant 14 detach join_all() while a thread is being joined by who detaches its stage
 * @mutant 15 detach forget_thread() joins with the monitor taken, before the thread has ended
 * @mutant 16 detach2 who has joined a thread, and detached its stage, does not broadcast
 * @mutant 17 attach who attaches does not wait for the report
 * @mutant 18 attach a failed on_start of a stage that joins fails all
 * @mutant 19 detach a start does not wait for who detaches
 */
#define STAGES 2
#define CALLERS 3 /* who start and stop, who stop, who detach or attach */

mtype = { INIT, STARTING, RUNNING, DRAINING, STOPPED, FAILED };
mtype = { NOTHING, ON_START, ON_EVENT };

/* struct disruptor */
bool monitor;          /* taken */
bool waits[CALLERS];   /* in os_monitor_wait() */
mtype state = INIT;
mtype failure = NOTHING;
bool is_active;
byte alive, starts, leavers;

/* struct disruptor_stage, graph_worker */
bool used[STAGES], reported[STAGES], running[STAGES], made[STAGES], leaving[STAGES];
bool attaching[STAGES], failed_to_start[STAGES];
bool alert[STAGES];    /* of its consumer's gate */
byte pending[STAGES];  /* events of this run that it has not handled */
bool excused[STAGES];  /* it was told to stop, in this run, or answered so */

/* the ring's state */
bool closed, ring_failed;

/* threads: none, to run, running, returned and not joined */
mtype = { NONE, MADE, LIVES, RETURNED };
mtype thread[STAGES] = NONE;

byte returned_callers;
bool has_told, has_left;

#define lock() atomic { !monitor -> monitor = true }
#define unlock() monitor = false
#define broadcast()                                                                                \
	d_step {                                                                                   \
		waits[0] = false;                                                                  \
		waits[1] = false;                                                                  \
		waits[2] = false                                                                   \
	}
/* until a broadcast, or at the deadline if there is one: `late` then */
#define monitor_wait(me)                                                                           \
	atomic {                                                                                   \
		waits[me] = true;                                                                  \
		monitor = false                                                                    \
	}                                                                                          \
	atomic { !waits[me] && !monitor -> monitor = true }
#define monitor_wait_until(me)                                                                     \
	atomic {                                                                                   \
		waits[me] = true;                                                                  \
		monitor = false                                                                    \
	}                                                                                          \
	if                                                                                         \
	:: atomic { !waits[me] && !monitor -> monitor = true }                                     \
	:: atomic { !monitor -> monitor = true; waits[me] = false; late = true }                   \
	fi

/* os_thread_join() */
#define join(s)                                                                                    \
	assert(thread[s] != NONE);                                                                 \
	thread[s] == RETURNED;                                                                     \
	thread[s] = NONE

/* disruptor_stage_stop() */
#define stage_stop(s)                                                                              \
	d_step {                                                                                   \
		alert[s] = true;                                                                   \
		excused[s] = excused[s] || running[s]                                              \
	}

/* ---- a stage's thread ---- */

inline graph_fail(hook)
{
	lock();
	failure = (failure == NOTHING -> hook : failure);
	state = FAILED;
	broadcast();
#ifndef MUTANT_12
	closed = true; /* ring_fail(); and wakes everyone */
	ring_failed = true;
#endif
	unlock()
}

proctype worker_thread(byte s)
{
end_none: /* nobody has made the thread */
	do
	:: atomic { thread[s] == MADE -> thread[s] = LIVES }
		/* stage_begin(): on_start */
#ifdef MUTANT_6
		alert[s] = false;
#endif
		if
		:: failed_to_start[s] = false
		:: failed_to_start[s] = true;
			if
#ifdef MUTANT_18
			:: true -> graph_fail(ON_START)
#else
			:: !attaching[s] -> graph_fail(ON_START)
#endif
			:: attaching[s]
			fi
		fi;
		attaching[s] = false;
#ifdef MUTANT_3
		if
		:: failed_to_start[s] -> goto finish
		:: else
		fi;
#endif
		lock(); /* graph_report() */
		reported[s] = true;
#ifndef MUTANT_1
		broadcast();
#endif
		unlock();
		if
		:: failed_to_start[s] -> goto finish
		:: else
		fi;
		/* loop() */
		do
		:: alert[s] -> alert[s] = false; break /* consumer_take_alert() */
		:: !alert[s] && ring_failed -> break
		:: !alert[s] && !ring_failed && pending[s] > 0 ->
			pending[s]--;
			if
			:: true /* DISRUPTOR_CONTINUE */
			:: excused[s] = true; break /* DISRUPTOR_STOP */
			:: graph_fail(ON_EVENT); break
			fi
		:: !alert[s] && closed && pending[s] == 0 -> break /* E_CLOSED */
		od;
finish:
		alert[s] = false; /* stage_finish(): consumer_take_alert() */
		lock();
		running[s] = false; /* OWNER.release */
		broadcast();
		unlock();
		lock(); /* worker_ended() */
		alive--;
#ifndef MUTANT_2
		broadcast();
#endif
		unlock();
		thread[s] = RETURNED
	od
}

/* ---- lifecycle.c ---- */

#define IS_ANY_LEAVING (leaving[0] || leaving[1])
#define ALL_REPORTED ((!used[0] || reported[0]) && (!used[1] || reported[1]))

inline halt(s)
{
	if
	:: used[s] && made[s] -> stage_stop(s)
	:: else
	fi
}

inline worker_make_thread(s)
{
	made[s] = true;
	alive++;
	assert(thread[s] == NONE);
	thread[s] = MADE
}

/* The monitor is held throughout. */
inline join_one(s)
{
	if
	:: made[s] -> join(s); made[s] = false
	:: else
	fi
}

inline forget(s)
{
#ifndef MUTANT_7
	alert[s] = (running[s] -> alert[s] : false); /* consumer_forget_requests() */
#endif
	skip
}

inline join_all()
{
	join_one(0);
	join_one(1);
	is_active = false;
	forget(0);
	forget(1)
}

#ifdef MUTANT_9
#define RUNS_GO_ON false
#elif defined(MUTANT_14)
#define RUNS_GO_ON (alive > 0 && starts == my_run)
#else
#define RUNS_GO_ON ((alive > 0 || IS_ANY_LEAVING) && starts == my_run)
#endif

/* await_runs(); with `timed` it may set `late` instead */
inline await_runs(me, timed)
{
	do
	:: RUNS_GO_ON ->
		if
		:: timed && alive > 0 -> monitor_wait_until(me)
		:: !(timed && alive > 0) -> monitor_wait(me)
		fi;
		if
		:: late && alive > 0 && starts == my_run -> break
		:: else -> late = false
		fi
	:: else -> break
	od
}

/* make_threads(), one of them; sets `refused` if there is no thread to be had */
inline make_thread(s)
{
	if
	:: used[s] && !refused -> worker_make_thread(s)
#ifdef THREADS_FAIL
	:: used[s] && !refused -> refused = true
#endif
	:: !used[s] || refused
	fi
}

inline new_run(s)
{
	reported[s] = false;
	pending[s] = used[s];
	excused[s] = false;
	running[s] = used[s] /* worker_open(): stage_take() */
}

inline give_back(s) /* worker_close(): what did not run */
{
	if
	:: running[s] && !made[s] -> running[s] = false
	:: else
	fi
}

/* disruptor_start(): `started` tells whether it returned 0 */
inline disruptor_start(me)
{
	started = false;
	refused = false;
	lock();
#ifndef MUTANT_19
	do
	:: leavers > 0 && !is_active && state != STARTING -> monitor_wait(me)
	:: else -> break
	od;
#endif
	if
	:: is_active || state == STARTING || running[0] || running[1] || (!used[0] && !used[1]) ->
		goto refuse /* may_start() */
	:: else
	fi;
#ifndef MUTANT_13
	closed = false; /* disruptor_ring_reopen() */
	ring_failed = false;
#endif
	before = (state == FAILED -> STOPPED : state);
	failure = NOTHING;
	state = STARTING;
	starts++;
	unlock(); /* check_warn() */
	lock();
	my_run = starts;
	is_active = true;
	alive = 0;
	d_step {
		/* an alert of before is forgotten; one from now on is this run's */
#ifndef TELL
		assert(!alert[0] && !alert[1]);
#endif
		new_run(0);
		new_run(1)
	}
	make_thread(0);
	make_thread(1);
	if
	:: refused ->
		d_step {
			give_back(0);
			give_back(1)
		}
		halt_and_join(me);
		closed = (before == STOPPED -> true : closed);
		state = before
	:: else ->
#ifndef MUTANT_4
		do
		:: !ALL_REPORTED -> monitor_wait(me)
		:: else -> break
		od;
#endif
		if
		:: state == FAILED && failure == ON_START -> halt_and_join(me)
		:: state == STARTING ->
			state = RUNNING;
			assert(!closed && ALL_REPORTED);
			started = true
		:: else ->
			assert(ALL_REPORTED);
			started = true
		fi
	fi;
	broadcast();
refuse:
	assert(started || !made[0] && !made[1]);
	unlock();
	my_run = 0
}

inline halt_and_join(me)
{
#ifndef MUTANT_5
	halt(0);
	halt(1);
#endif
	await_runs(me, false);
	join_all()
}

/* disruptor_stop(): NOW, DRAIN without a deadline, or with one */
inline disruptor_stop(me, now, timed)
{
	lock();
	if
	:: is_active ->
		state = (state == RUNNING || state == STARTING -> DRAINING : state);
#ifndef MUTANT_8
		closed = true; /* disruptor_ring_close() */
#endif
		if
		:: now -> d_step {
			if
			:: used[0] -> stage_stop(0)
			:: else
			fi;
			if
			:: used[1] -> stage_stop(1)
			:: else
			fi }
		:: else
		fi;
		my_run = starts; /* await_end() */
		await_runs(me, timed);
		if
		:: late -> late = false /* E_TIMEOUT: stopping goes on */
#ifndef MUTANT_10
		:: !late && starts != my_run /* another has stopped it, and started the next run */
#endif
		:: else ->
			if
			:: is_active -> join_all()
			:: else
			fi;
			assert(!running[0] && !running[1] && alive == 0);
			assert(failure != NOTHING || now || pending[0] == 0 || excused[0] || !used[0] ||
			       failed_to_start[0]);
			assert(failure != NOTHING || now || pending[1] == 0 || excused[1] || !used[1] ||
			       failed_to_start[1]);
#ifdef MUTANT_11
			state = STOPPED;
#else
			state = (state == FAILED -> FAILED : STOPPED);
#endif
			assert((failure != NOTHING) == (state == FAILED));
			broadcast()
		fi;
		my_run = 0
	:: else
	fi;
	unlock()
}

/* ---- who calls ---- */

proctype controller()
{
	byte runs, my_run;
	mtype before;
	bool refused, started, late;

	do
	:: runs < RUNS ->
		disruptor_start(0);
		if
		:: started && state == FAILED -> alive == 0 /* by ring_fail(), without a stop */
#ifdef TELL
		:: started && state != FAILED && runs == 0 -> /* all of them end, without a stop */
			has_told;
			alive == 0 || !excused[0] || !excused[1]
#endif
#ifdef DETACH
		:: started && state != FAILED && runs == RUNS - 1 -> has_left /* without a stop */
#endif
		:: else
		fi;
#ifdef TELL
		has_told;
		disruptor_stop(0, false, false);
		assert(runs == 0 || !started || failure != NOTHING || !alert[0] && !alert[1]);
#else
		if
		:: disruptor_stop(0, false, false)
		:: disruptor_stop(0, true, false)
		fi;
#endif
		runs++
	:: else -> break
	od;
	returned_callers++
}

#ifdef TELL
/* disruptor_stage_stop() of both, as soon as their first run has begun, if only just. */
proctype teller()
{
	if
	:: atomic { running[0] && running[1] ->
		stage_stop(0);
		stage_stop(1) }
	:: starts > 0 && !(running[0] && running[1]) /* too late */
	fi;
	has_told = true
}
#endif

#ifdef STOPPER
/* Another who stops, at any time; it may run out of time. */
proctype stopper()
{
	byte my_run;
	bool late;

	if
	:: disruptor_stop(1, false, true)
	:: disruptor_stop(1, true, false)
	fi;
	returned_callers++
}
#endif

/* forget_thread() of stage 1 */
inline forget_thread()
{
	if
	:: is_active && made[1] && !leaving[1] ->
#ifdef MUTANT_15
		join(1);
#else
		leaving[1] = true;
		unlock(); /* it takes the monitor at its end */
		join(1);
		lock();
		leaving[1] = false;
#endif
		made[1] = false;
#ifndef MUTANT_16
		broadcast()
#endif
	:: else
	fi
}

#ifdef DETACH
/* disruptor_detach() of stage 1, NOW, without a deadline */
proctype detacher()
{
	lock();
	if
	:: state != STARTING && !(!is_active && running[1]) -> /* may_detach() */
		leavers++;
		if
		:: running[1] ->
			stage_stop(1); /* end_run() */
#ifndef MUTANT_15
			do
			:: running[1] -> monitor_wait(2) /* await_its_end() */
			:: else -> break
			od
#else
			skip
#endif
		:: else
		fi;
		forget_thread();
		assert(!running[1] && !made[1]);
		used[1] = false; /* remove_stage() */
		alert[1] = false;
		leavers--;
#ifndef MUTANT_16
		broadcast()
#endif
	:: else
	fi;
	unlock();
	has_left = true;
	returned_callers++
}
#endif

#ifdef ATTACH
/* disruptor_attach() of stage 1 */
proctype attacher()
{
	lock();
	if
	:: state == STARTING || state == DRAINING || state == FAILED /* attach_allowed() */
	:: else ->
		used[1] = true; /* graph_add() */
		if
		:: is_active -> /* attach_begin() */
			attaching[1] = true;
			d_step { new_run(1) }
			worker_make_thread(1); /* begin_thread() */
#ifndef MUTANT_17
			do
			:: !reported[1] -> monitor_wait(2)
			:: else -> break
			od;
#endif
			assert(reported[1]);
			if
			:: failed_to_start[1] ->
				forget_thread();
				used[1] = false;
				broadcast()
			:: else
			fi
		:: else
		fi
	fi;
	assert(!failed_to_start[1] || failure != ON_START || failed_to_start[0] || used[1]);
	unlock();
	returned_callers++
}
#endif

init {
	atomic {
		used[0] = true;
#ifndef ATTACH
		used[1] = true;
#endif
		run worker_thread(0);
		run worker_thread(1);
#ifdef TELL
		run teller();
#endif
#ifdef STOPPER
		run stopper();
#endif
#ifdef DETACH
		run detacher();
#endif
#ifdef ATTACH
		run attacher();
#endif
		run controller()
	}
}

#ifdef STOPPER
ltl returned { <> (returned_callers == 2) }
#endif
