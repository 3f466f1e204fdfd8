/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What every POSIX system offers alike. */
#define _POSIX_C_SOURCE 200809L
#include "os/os.h"

#include "error.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

uint64_t os_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t disruptor_now(void)
{
	return os_now();
}

uint64_t disruptor_in(uint64_t ns)
{
	uint64_t now = os_now();

	return ns < DISRUPTOR_FOREVER - now ? now + ns : DISRUPTOR_FOREVER;
}

struct timespec os_timespec(uint64_t ns)
{
	const uint64_t last = sizeof(time_t) < sizeof(int64_t) ? INT32_MAX : INT64_MAX;
	uint64_t seconds = ns / UINT64_C(1000000000);

	return (struct timespec){
		.tv_sec = (time_t)(seconds < last ? seconds : last),
		.tv_nsec = (long)(ns % UINT64_C(1000000000)),
	};
}

void os_sleep(uint64_t ns)
{
	struct timespec t = os_timespec(ns);

	int before = os_cancel_off();

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
	os_cancel_back(before);
}

void os_yield(void)
{
	sched_yield();
}

int os_monitor_init(struct os_monitor *m)
{
	pthread_condattr_t attributes;
	int rc = pthread_mutex_init(&m->mutex, NULL);

	if (rc != 0)
		return error_set(DISRUPTOR_E_NOMEM, "mutex: %s", strerror(rc));
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&m->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (rc != 0) {
		pthread_mutex_destroy(&m->mutex);
		return error_set(DISRUPTOR_E_NOMEM, "condition variable: %s", strerror(rc));
	}
	return 0;
}

void os_monitor_destroy(struct os_monitor *m)
{
	pthread_cond_destroy(&m->changed);
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
	pthread_cond_broadcast(&m->changed);
}

bool os_monitor_wait(struct os_monitor *m, uint64_t deadline)
{
	struct timespec t = os_timespec(deadline);
	int before = os_cancel_off();
	int rc = deadline == DISRUPTOR_FOREVER ? pthread_cond_wait(&m->changed, &m->mutex)
					       : pthread_cond_timedwait(&m->changed, &m->mutex, &t);

	os_cancel_back(before);
	return rc != ETIMEDOUT;
}

int os_lock_memory(void *base, size_t size)
{
	if (mlock(base, size) != 0)
		return error_set(
			DISRUPTOR_E_SYSTEM,
			"flags: DISRUPTOR_LOCK_MEMORY of %zu bytes: %s; raise the limit with "
			"'ulimit -l'",
			size, strerror(errno));
	return 0;
}

void os_unlock_memory(void *base, size_t size)
{
	(void)munlock(base, size);
}

/* The address of a thread's own variable tells it from every other live thread. */
uint64_t os_thread_id(void)
{
	static _Thread_local char own;

	return (uint64_t)(uintptr_t)&own;
}

void os_thread_join(struct os_thread *t)
{
	int before = os_cancel_off();

	pthread_join(t->handle, NULL);
	os_cancel_back(before);
}
