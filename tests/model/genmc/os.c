/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * src/os/os.h for a model checker that knows pthread mutexes and nothing else of a system: nobody
 * sleeps, the fence rung is the only one, time stands still.
 */
#include "os/os.h"

#include "error.h"

#include <stdlib.h>

void __VERIFIER_assume(int condition);

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
	__VERIFIER_assume(0);
}

void os_yield(void)
{
	__VERIFIER_assume(0);
}

void os_pause(void)
{
	__VERIFIER_assume(0);
}

int os_monitor_init(struct os_monitor *m)
{
	return pthread_mutex_init(&m->mutex, NULL);
}

void os_monitor_destroy(struct os_monitor *m)
{
	pthread_mutex_destroy(&m->mutex);
}

void os_lock(struct os_monitor *m)
{
	pthread_mutex_lock(&m->mutex);
}

void os_unlock(struct os_monitor *m)
{
	pthread_mutex_unlock(&m->mutex);
}

void os_broadcast(struct os_monitor *m)
{
	(void)m;
}

bool os_monitor_wait(struct os_monitor *m, uint64_t deadline)
{
	(void)m, (void)deadline;
	__VERIFIER_assume(0);
	return false;
}

unsigned os_rungs(void)
{
	return 1u << DISRUPTOR_RUNG_FENCE;
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
	/* relaxed: the kernel's own; only executions in which it does not sleep are followed */
	__VERIFIER_assume(disruptor_load_relaxed(word) != seen);
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

/* By what pthread_self() tells: a variable's address would be one for each thread, too. */
uint64_t os_thread_id(void)
{
	return (uint64_t)pthread_self() + 1;
}

int os_thread_check(const struct os_thread_plan *p)
{
	(void)p;
	return 0;
}

int os_thread_start(struct os_thread *t, const struct os_thread_plan *p, void *(*run)(void *),
		    void *argument)
{
	(void)p;
	return pthread_create(&t->handle, NULL, run, argument);
}

void os_thread_join(struct os_thread *t)
{
	(void)pthread_join(t->handle, NULL);
}

unsigned os_cores(void)
{
	return 2;
}

const char *os_platform(void)
{
	return "checked";
}
