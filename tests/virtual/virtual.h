/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef VIRTUAL_VIRTUAL_H
#define VIRTUAL_VIRTUAL_H

/*
 * A virtual operating system: all of src/os/os.h on fibers, on one thread, with
 * a clock of its own. Nothing happens by chance: whoever schedules decides at
 * each point which thread goes on, so the same decisions give the same run.
 *
 * Threads switch only at points: at the calls of os.h that other threads can
 * notice, and wherever a test calls virtual_point(), e.g. from a hook.
 */

#include <disruptor/base.h>

#include <stdbool.h>

/* Threads at a time, the first included; one that was joined makes room for another. */
#define VIRTUAL_THREADS 64

/* Why somebody is to be chosen. */
enum virtual_point {
	VIRTUAL_START,   /* a thread was started */
	VIRTUAL_LOCK,    /* about to take a lock */
	VIRTUAL_UNLOCK,  /* has given it back */
	VIRTUAL_PARK,    /* about to compare and sleep */
	VIRTUAL_WAKE,    /* about to wake who sleeps on an address, or waits for a broadcast */
	VIRTUAL_BARRIER, /* about to pass a barrier of the whole process */
	VIRTUAL_LOOP,    /* looks in a loop: os_pause(), os_yield() */
	VIRTUAL_ACCESS,  /* a test's: about to access what others see */
	VIRTUAL_HOOK,    /* a test's: at one of the library's hooks */
	VIRTUAL_BLOCK,   /* cannot go on: who called is not among those that can */
	VIRTUAL_END,     /* has ended, likewise */
	VIRTUAL_POINTS
};

/* Who schedules. Functions that are NULL do nothing, or the usual. */
struct virtual_scheduler {
	void *context;
	/*
	 * Which thread is to run: one of ready[0 … count), count > 0. The thread that has come to the
	 * point is the first of them, unless it cannot go on.
	 */
	unsigned (*choose)(void *context, enum virtual_point point, const unsigned *ready,
			   unsigned count);
	/* The running thread was chosen, and goes on from the point that it had come to. */
	void (*goes_on)(void *context, enum virtual_point point, const void *object);
	/* No thread can run, and none waits for a time. The run is abandoned when this returns. */
	void (*stuck)(void *context);
	/* What must not happen has: @p what tells what. The run is abandoned when this returns. */
	void (*fail)(void *context, const char *what);
	/* Whether a thread that is not blocked may run; NULL: yes. */
	bool (*may_run)(void *context, unsigned thread);
	/* The running thread has looked in vain, and is about to come to VIRTUAL_LOOP. */
	void (*looked)(void *context);
	/*
	 * What the running thread did is to happen before what another does after acquire() of the
	 * same object: a lock that is given back and taken, a thread that starts, or ends.
	 */
	void (*release)(void *context, const void *object);
	void (*acquire)(void *context, const void *object);
	/* The running thread passes a barrier on all threads of the process. */
	void (*barrier)(void *context);
	/* The word that a thread sleeps on if it has this value; NULL: what stands there. */
	uint32_t (*load)(void *context, const void *word);
	/* Memory was given back; it stays readable until the run is over. */
	void (*unmapped)(void *context, const void *base, size_t size);

	/* What the system is like. */
	unsigned rungs;     /* as os_rungs(); 0: all */
	unsigned cores;     /* 0: 2 */
	bool no_parking;    /* os_can_park() says no */
	uint64_t tick;      /* how far os_now(), os_pause(), and os_yield() move the clock, in ns */
	bool time_may_pass; /* who waits for a time counts as ready: choosing it moves the clock */
};

/*
 * Run run(argument) as thread 0, and all threads that it starts. True if all have ended, false if
 * the run was abandoned. Within it os.h is at work; not outside.
 */
bool virtual_run(const struct virtual_scheduler *s, void (*run)(void *argument), void *argument);
/* End the run at once, from any of its threads; what was mapped is unmapped. */
_Noreturn void virtual_abandon(void);
/* Tell the scheduler's fail(), and abandon. */
_Noreturn void virtual_fail(const char *what);

/* Let the scheduler choose. */
void virtual_point(enum virtual_point point);
void virtual_point_at(enum virtual_point point, const void *object);
/* Sleep until virtual_wake() of that address, or the deadline: false. */
bool virtual_block(const void *address, uint64_t deadline);
void virtual_wake(const void *address);

/* The thread that runs; one more than the highest of all so far; what one is called. */
unsigned virtual_self(void);
unsigned virtual_count(void);
const char *virtual_name(unsigned thread);
/* "ready", "ended", or what it waits for. */
const char *virtual_state(unsigned thread);
/* The address that it sleeps on, or the lock that it waits for; NULL if it does neither. */
const void *virtual_waits_for(unsigned thread);
/* What the point is about that is being chosen at: a lock, a word; NULL if it is nothing. */
const void *virtual_object(void);
/* A plain thread, as os_thread_start() gives. */
unsigned virtual_start(const char *name, void *(*run)(void *), void *argument);
void virtual_join(unsigned thread);

/* The clock; virtual_pass() moves it. */
uint64_t virtual_now(void);
void virtual_pass(uint64_t ns);

struct virtual_mutex {
	unsigned owner; /* 0: nobody, else the thread + 1 */
};
void virtual_lock(struct virtual_mutex *m);
void virtual_unlock(struct virtual_mutex *m);

/* In place of poll(2) on what os_event_open() gave: until it is set, or the deadline: false. */
bool virtual_event_wait(int fd, uint64_t deadline);

/* os_virtual.c: what a run has left is given back. */
void virtual_os_reset(void);
/* The scheduler of the run. */
const struct virtual_scheduler *virtual_scheduler(void);

#endif
