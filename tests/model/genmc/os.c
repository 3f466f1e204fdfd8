/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * src/os/os.h and src/error.c for a model checker that knows mutexes and nothing else of a system.
 * Who sleeps looks at the word that wakers change; where nobody does any more, the checker has a
 * thread that never ends. Time stands still, membarrier is not to be had.
 */
#include "os/os.h"

#include "checker.h"
#include "error.h"

#include <stdlib.h>

/* Texts are not checked, and would be most of what is. */
void error_tell(const char *format, ...)
{
	(void)format;
}

const char *disruptor_error_detail(void)
{
	return "";
}

/* Go on only where the word is no longer @p seen. */
static void wait_for_change(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen)
{
	__VERIFIER_loop_begin();
	__VERIFIER_spin_start();
	/* relaxed: the system's own */
	__VERIFIER_spin_end(disruptor_load_relaxed(word) != seen);
}

uint64_t os_now(void)
{
	return 1;
}

uint64_t os_now_coarse(void)
{
	return 1;
}

uint64_t disruptor_now(void)
{
	return 1;
}

uint64_t disruptor_in(uint64_t ns)
{
	return ns < DISRUPTOR_FOREVER - 1 ? ns + 1 : DISRUPTOR_FOREVER;
}

void os_sleep(uint64_t ns)
{
	(void)ns;
	__VERIFIER_spin_end(false);
}

void os_yield(void)
{
	__VERIFIER_spin_end(false);
}

void os_pause(void)
{
	__VERIFIER_spin_end(false);
}

/* What a monitor's bytes are here: a mutex of the checker's, and a count of broadcasts. */
static void *mutex_of(struct os_monitor *m)
{
	return &m->mutex;
}

static DISRUPTOR_ATOMIC(uint32_t) * broadcasts(struct os_monitor *m)
{
	return (DISRUPTOR_ATOMIC(uint32_t) *)(void *)&m->changed;
}

int os_monitor_init(struct os_monitor *m)
{
	(void)m; /* zeroed, as it comes */
	return 0;
}

void os_monitor_destroy(struct os_monitor *m)
{
	(void)m;
}

void os_lock(struct os_monitor *m)
{
	__VERIFIER_mutex_lock(mutex_of(m));
}

void os_unlock(struct os_monitor *m)
{
	__VERIFIER_mutex_unlock(mutex_of(m));
}

void os_broadcast(struct os_monitor *m)
{
	/* relaxed: the system's own */
	disruptor_fetch_add_relaxed(broadcasts(m), 1u);
}

bool os_monitor_wait(struct os_monitor *m, uint64_t deadline)
{
	/* relaxed: the system's own */
	uint32_t seen = disruptor_load_relaxed(broadcasts(m));

	(void)deadline;
	os_unlock(m);
	wait_for_change(broadcasts(m), seen);
	os_lock(m);
	return true;
}

unsigned os_rungs(void)
{
	return 1u << DISRUPTOR_RUNG_FENCE | 1u << DISRUPTOR_RUNG_MUTEX;
}

void os_membarrier(void)
{
	abort(); /* os_rungs() does not offer it */
}

bool os_can_park(void)
{
	return true;
}

void os_park(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	(void)deadline;
	wait_for_change(word, seen);
}

void os_unpark_all(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	(void)word;
}

int os_event_open(struct os_event *e)
{
	(void)e;
	return error_set(DISRUPTOR_E_SYSTEM, "event: there are none");
}

void os_event_set(struct os_event *e)
{
	(void)e;
}

void os_event_clear(struct os_event *e)
{
	(void)e;
}

void os_event_close(struct os_event *e)
{
	(void)e;
}

int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options)
{
	(void)m, (void)size, (void)options;
	return error_set(DISRUPTOR_E_NOMEM, "memory: clients bring their own");
}

void os_unmap(struct os_memory *m)
{
	(void)m;
}

int os_lock_memory(void *base, size_t size)
{
	(void)base, (void)size;
	return 0;
}

void os_unlock_memory(void *base, size_t size)
{
	(void)base, (void)size;
}

uint64_t os_thread_id(void)
{
	return (uint64_t)__VERIFIER_thread_self() + 1;
}

int os_thread_check(const struct os_thread_plan *p)
{
	(void)p;
	return 0;
}

int os_thread_start(struct os_thread *t, const struct os_thread_plan *p, void *(*run)(void *),
		    void *argument)
{
	(void)t, (void)p, (void)run, (void)argument;
	return error_set(DISRUPTOR_E_SYSTEM, "thread: clients bring their own");
}

void os_thread_join(struct os_thread *t)
{
	(void)t;
}

unsigned os_cores(void)
{
	return 2;
}

const char *os_platform(void)
{
	return "checked";
}
