/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Processor time, context switches, memory: what the system tells of this process. */
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"

#include <math.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The clocks, as a running thread's processor time in getrusage(2) may be a tick old. */
static double cpu_time(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		bench_fail("this system does not tell how long a thread has run");
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void read_switches(int who, struct bench_usage *now)
{
	struct rusage usage;

	if (getrusage(who, &usage) != 0)
		bench_fail("this system does not tell what a process has used");
	now->voluntary = (double)usage.ru_nvcsw;
	now->involuntary = (double)usage.ru_nivcsw;
}

void bench_usage_process(struct bench_usage *now)
{
	now->cpu_ns = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
	read_switches(RUSAGE_SELF, now);
}

void bench_usage_thread(struct bench_usage *now)
{
	now->cpu_ns = cpu_time(CLOCK_THREAD_CPUTIME_ID);
#if defined(RUSAGE_THREAD)
	read_switches(RUSAGE_THREAD, now);
#else
	now->voluntary = now->involuntary = NAN; /* not told of a thread */
#endif
}

void bench_usage_add(struct bench_usage *sum, const struct bench_usage *from,
		     const struct bench_usage *to)
{
	sum->cpu_ns += to->cpu_ns - from->cpu_ns;
	sum->voluntary += to->voluntary - from->voluntary;
	sum->involuntary += to->involuntary - from->involuntary;
}

double bench_resident(void)
{
	unsigned long pages = 0;
#if defined(__linux__)
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL)
		return 0;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes no number that is too large */
	if (fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	(void)fclose(file);
#endif
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
