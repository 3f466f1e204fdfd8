/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef OS_OS_H
#define OS_OS_H

/*
 * All that the library asks of the operating system. linux.c and posix.c give
 * it, one of them is built; nothing above knows which. Tests have a third, on
 * fibers: tests/virtual/.
 */

#include <disruptor/base.h>
#include <disruptor/ring.h>
#include <disruptor/stage.h>

#include <pthread.h>
#include <stdbool.h>

/* ---- time ---- */

uint64_t os_now(void);
/* The same clock, read cheaply: as of the last tick, at most some milliseconds ago. */
uint64_t os_now_coarse(void);
void os_sleep(uint64_t ns);
/* For the C library; what its time_t cannot tell, 68 years if it has 32 bits, is its last second. */
struct timespec os_timespec(uint64_t ns);
void os_yield(void);

/* Tell the processor that this is a loop of looks; a hint, without any ordering. */
#ifdef DISRUPTOR_VIRTUAL /* the tests' own system: let others look */
void os_pause(void);
#else
static inline void os_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#elif defined(__arm__)
	__asm__ volatile("yield");
#endif
}
#endif

/* ---- mutual exclusion on the cold side ---- */

struct os_monitor {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
};

int os_monitor_init(struct os_monitor *m);
void os_monitor_destroy(struct os_monitor *m);
void os_lock(struct os_monitor *m);
void os_unlock(struct os_monitor *m);
void os_broadcast(struct os_monitor *m);
/* Wait for a broadcast, with the lock held; false once the deadline has passed. */
bool os_monitor_wait(struct os_monitor *m, uint64_t deadline);

/* ---- the three functions of the wait/notify core: sleep, wake, heavy barrier ---- */

/* Bit r is set if rung r is to be had. Registers the process for membarrier(2). */
unsigned os_rungs(void);
/* The same for rings that processes share; registers the process, once more. */
unsigned os_rungs_between(void);
/* A full barrier on every running thread of every process that is registered so. */
void os_membarrier_between(void);
/* A full barrier on every running thread of this process. Only after os_rungs() offered it. */
void os_membarrier(void);
/* Whether os_park() sleeps on the word itself; if not, everyone sleeps on a monitor. */
bool os_can_park(void);
/* Sleep while *word is @p seen, until woken or the deadline; may return early for no reason. */
void os_park(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline);
void os_unpark_all(DISRUPTOR_ATOMIC(uint32_t) * word);
/* The same for words that processes share. */
void os_park_between(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline);
void os_unpark_all_between(DISRUPTOR_ATOMIC(uint32_t) * word);

/* A word to sleep on, of this process, or that processes share. */
struct os_word {
	DISRUPTOR_ATOMIC(uint32_t) * word;
	uint32_t seen;
	bool between;
};

/* Sleep while each of at most 128 is as seen, until one is woken or the deadline; may return early. */
void os_park_any(const struct os_word *words, uint32_t count, uint64_t deadline);

/* ---- an event that poll(2) can wait for ---- */

struct os_event {
	int fd;     /* readable while it is set */
	int set_fd; /* what sets it */
};

/* E_SYSTEM with its detail set if there is no descriptor left. */
int os_event_open(struct os_event *e);
void os_event_set(struct os_event *e);
void os_event_clear(struct os_event *e);
void os_event_close(struct os_event *e);

/* ---- memory ---- */

struct os_memory {
	void *base;
	size_t size;
	enum disruptor_pages pages;
};

/* Zeroed pages as @p options ask; an error code with its detail set. */
int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options);
void os_unmap(struct os_memory *m);
/* mlock(2) and munlock(2), for memory that the caller supplied. */
int os_lock_memory(void *base, size_t size);
void os_unlock_memory(void *base, size_t size);

/* ---- threads ---- */

struct os_thread {
	pthread_t handle;
};

/* A number for the calling thread, never 0, unlike that of any other live one. */
uint64_t os_thread_id(void);
/* How a thread is to be. */
struct os_thread_plan {
	const char *what; /* "stage" or "thread": how an error calls it … */
	const char *name; /* … and its name */
	const char *cpus; /* as "0-3,8"; NULL: any */
	enum disruptor_scheduling scheduling;
	int priority;
	size_t stack_size;
};

/* Check what @p p asks of a thread without making one; the detail names the field. */
int os_thread_check(const struct os_thread_plan *p);
/* A thread as @p p asks, asynchronous signals blocked; an error code with its detail set. */
int os_thread_start(struct os_thread *t, const struct os_thread_plan *p, void *(*run)(void *),
		    void *argument);
void os_thread_join(struct os_thread *t);

/*
 * Cancellation off for the calling thread; what to put back by the other. Whatever may act on a
 * request (waits on a monitor, sleeps, reads, joins) and whatever calls back is put between the
 * two, as a thread that ended there would leave a lock taken, or a run that never ends.
 */
static inline int os_cancel_off(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void os_cancel_back(int before)
{
	pthread_setcancelstate(before, &before);
}

/* How many threads of this process can run at once: its CPUs, or its share of their time. */
unsigned os_cores(void);

const char *os_platform(void);

/* What errno's value @p code means; until the thread's next call. */
const char *os_error_text(int code);

#endif
