/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Threads on cores, memory, failing. Linux pins by its own calls; elsewhere threads are not pinned. */
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void bench_fail(const char *format, ...)
{
	va_list arguments;

	bench_progress_clear();
	(void)fputs("disruptor bench: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	(void)fflush(NULL);
	_exit(1); /* other threads may be in the middle of anything */
}

void *bench_alloc(size_t size)
{
	const size_t page = 4096;
	size_t whole = (size + page - 1) / page * page;
	void *memory = aligned_alloc(page, whole);

	if (memory == NULL)
		bench_fail("no memory for %zu bytes", size);
	memset(memory, 0, whole);
	return memory;
}

void bench_meet(struct bench_meeting *meeting)
{
	unsigned mine = atomic_fetch_add(&meeting->arrived, 1);
	unsigned all = (mine / meeting->parties + 1) * meeting->parties;

	while (atomic_load(&meeting->arrived) < all)
		if (meeting->parties > BENCH_CPUS)
			sched_yield(); /* those who are to come need this CPU */
}

static void *side_thread(void *argument)
{
	const struct bench_side *side = argument;

	side->run(side->context);
	return NULL;
}

static int start_on(pthread_t *thread, unsigned count, const int *cpus,
		    const struct bench_side *side)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
#if defined(__linux__)
	cpu_set_t set, own;

	/* a thread inherits it; not every C library has an attribute for it */
	CPU_ZERO(&set);
	for (unsigned i = 0; i < count; i++)
		CPU_SET((unsigned)cpus[i], &set);
	if (sched_getaffinity(0, sizeof(own), &own) != 0 ||
	    sched_setaffinity(0, sizeof(set), &set) != 0)
		error = errno;
#else
	(void)count, (void)cpus;
#endif
	if (error == 0)
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): a context is no const; it is not written */
		error = pthread_create(thread, &attributes, side_thread, (void *)(uintptr_t)side);
#if defined(__linux__)
	(void)sched_setaffinity(0, sizeof(own), &own);
#endif
	pthread_attr_destroy(&attributes);
	return error;
}

void bench_run_sides(unsigned count, const int *cpus, const struct bench_side *sides)
{
	pthread_t thread[BENCH_PRODUCERS + BENCH_CONSUMERS];

	for (unsigned i = 0; i < count; i++) {
		int error = count > BENCH_CPUS ? start_on(&thread[i], BENCH_CPUS, cpus, &sides[i])
					       : start_on(&thread[i], 1, &cpus[i], &sides[i]);

		if (error != 0)
			bench_fail("cannot start thread %u: %s", i, bench_error_text(error));
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
}

void bench_run_within(unsigned count, const int *cpus, void (*run)(void *context), void *context)
{
	struct bench_side side = { .run = run, .context = context };
	pthread_t thread;
	int error = start_on(&thread, count, cpus, &side);

	if (error != 0)
		bench_fail("cannot start a thread: %s", bench_error_text(error));
	pthread_join(thread, NULL);
}

unsigned bench_cpus(int *cpus, unsigned max)
{
	unsigned count = 0;

#if defined(__linux__)
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		bench_fail("cannot read the affinity mask: %s", bench_error_text(errno));
	for (int cpu = 0; cpu < CPU_SETSIZE && count < max; cpu++) {
		if (CPU_ISSET((unsigned)cpu, &set))
			cpus[count++] = cpu;
	}
#else
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	while (count < max && (long)count < online) {
		cpus[count] = (int)count;
		count++;
	}
#endif
	return count;
}
