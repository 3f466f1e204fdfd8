/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: futex, membarrier, affinity, eventfd. */
#define _GNU_SOURCE
#include "error.h"
#include "os/os.h"
#include "os/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *os_platform(void)
{
	return "linux";
}

uint64_t os_now_coarse(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

unsigned os_rungs(void)
{
	unsigned rungs = 1u << DISRUPTOR_RUNG_FENCE | 1u << DISRUPTOR_RUNG_MUTEX;
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
		rungs |= 1u << DISRUPTOR_RUNG_MEMBARRIER;
	return rungs;
}

unsigned os_rungs_between(void)
{
	unsigned rungs = 1u << DISRUPTOR_RUNG_FENCE;
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (commands > 0 && (commands & MEMBARRIER_CMD_GLOBAL_EXPEDITED) &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0)
		rungs |= 1u << DISRUPTOR_RUNG_MEMBARRIER;
	return rungs;
}

static void membarrier(int command)
{
	if (syscall(SYS_membarrier, command, 0, 0) == 0)
		return;
	/* it was offered when the ring was made; without it wake-ups would be lost in silence */
	perror("disruptor: membarrier was taken away from this process (a seccomp filter?); "
	       "create rings with DISRUPTOR_RUNG_FENCE");
	abort();
}

void os_membarrier(void)
{
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

void os_membarrier_between(void)
{
	membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

bool os_can_park(void)
{
	return true;
}

#if defined(SYS_futex_time64)
/* 32 bits: the call that takes 64 of time, whatever time_t has; before Linux 5.1 there was none. */
static void futex_wait(DISRUPTOR_ATOMIC(uint32_t) * word, int whose, uint32_t seen,
		       uint64_t deadline)
{
	const int operation = FUTEX_WAIT_BITSET | whose;
	const bool forever = deadline == DISRUPTOR_FOREVER;
	struct {
		int64_t seconds, nanoseconds;
	} t = { (int64_t)(deadline / UINT64_C(1000000000)),
		(int64_t)(deadline % UINT64_C(1000000000)) };
	struct {
		int32_t seconds, nanoseconds;
	} old = { t.seconds < INT32_MAX ? (int32_t)t.seconds : INT32_MAX, (int32_t)t.nanoseconds };

	if (syscall(SYS_futex_time64, word, operation, seen, forever ? NULL : &t, NULL,
		    FUTEX_BITSET_MATCH_ANY) != 0 &&
	    errno == ENOSYS)
		(void)syscall(SYS_futex, word, operation, seen, forever ? NULL : &old, NULL,
			      FUTEX_BITSET_MATCH_ANY);
}
#else
static void futex_wait(DISRUPTOR_ATOMIC(uint32_t) * word, int whose, uint32_t seen,
		       uint64_t deadline)
{
	struct timespec t = os_timespec(deadline);

	(void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET | whose, seen,
		      deadline == DISRUPTOR_FOREVER ? NULL : &t, NULL, FUTEX_BITSET_MATCH_ANY);
}
#endif

/* Between two looks, where the kernel cannot wait for several words. */
#define LOOK_NS UINT64_C(1000000)

void os_park(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	/* any error is a return for no reason: the caller looks again */
	futex_wait(word, FUTEX_PRIVATE_FLAG, seen, deadline);
}

void os_park_between(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	futex_wait(word, 0, seen, deadline);
}

#ifndef SYS_futex_waitv /* Linux 5.16 has it, under one number everywhere */
#define SYS_futex_waitv 449
#endif
#define WAITV_32_BITS 2u /* FUTEX_32, which older headers do not know */

/* As the kernel has them, whatever its headers know. */
struct waitv {
	uint64_t seen;
	uint64_t word;
	uint32_t flags;
	uint32_t reserved;
};

struct waitv_time {
	int64_t seconds, nanoseconds;
};

static bool has_changed(const struct os_word *words, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (disruptor_load_relaxed(words[i].word) != words[i].seen) /* relaxed (hint) */
			return true;
	return false;
}

void os_park_any(const struct os_word *words, uint32_t count, uint64_t deadline)
{
	const struct waitv_time t = { .seconds = (int64_t)(deadline / UINT64_C(1000000000)),
				      .nanoseconds = (int64_t)(deadline % UINT64_C(1000000000)) };
	struct waitv all[128];

	for (uint32_t i = 0; i < count; i++)
		all[i] = (struct waitv){
			.seen = words[i].seen,
			.word = (uint64_t)(uintptr_t)words[i].word,
			.flags = WAITV_32_BITS | (words[i].between ? 0 : FUTEX_PRIVATE_FLAG),
		};
	/* any error but one is a return for no reason: the caller looks again */
	if (syscall(SYS_futex_waitv, all, count, 0, deadline == DISRUPTOR_FOREVER ? NULL : &t,
		    CLOCK_MONOTONIC) >= 0 ||
	    errno != ENOSYS)
		return;
	while (!has_changed(words, count) && os_now() < deadline)
		os_sleep(LOOK_NS);
}

void os_unpark_all(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL, NULL, 0);
}

void os_unpark_all_between(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* ---- threads ---- */

static void set_of(cpu_set_t *set, const struct os_cpu_set *cpus)
{
	CPU_ZERO(set);
	for (unsigned cpu = 0; cpu < OS_CPU_MAX; cpu++)
		if (cpus->bits[cpu / 64] >> (cpu % 64) & 1)
			CPU_SET(cpu, set);
}

#if defined(__GLIBC__)
int os_attribute_cpus(pthread_attr_t *a, const struct os_cpu_set *cpus,
		      const struct os_thread_plan *p, struct os_cpus_before *before)
{
	cpu_set_t set;
	int rc;

	(void)before;
	set_of(&set, cpus);
	rc = pthread_attr_setaffinity_np(a, sizeof(set), &set);
	if (rc != 0)
		return error_set(DISRUPTOR_E_SYSTEM, "%s '%s': cpus: \"%s\": %s", p->what, p->name,
				 p->cpus, os_error_text(rc));
	return 0;
}

void os_cpus_back(const struct os_cpus_before *before)
{
	(void)before;
}
#else
/* No such attribute, as in musl: but a thread inherits what its maker is restricted to. */
int os_attribute_cpus(pthread_attr_t *a, const struct os_cpu_set *cpus,
		      const struct os_thread_plan *p, struct os_cpus_before *before)
{
	cpu_set_t set, own;

	(void)a;
	set_of(&set, cpus);
	if (sched_getaffinity(0, sizeof(own), &own) != 0 ||
	    sched_setaffinity(0, sizeof(set), &set) != 0)
		return error_set(DISRUPTOR_E_SYSTEM, "%s '%s': cpus: \"%s\": thread: %s", p->what,
				 p->name, p->cpus, os_error_text(errno));
	before->changed = true;
	for (unsigned cpu = 0; cpu < OS_CPU_MAX; cpu++)
		if (CPU_ISSET(cpu, &own))
			before->cpus.bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	return 0;
}

void os_cpus_back(const struct os_cpus_before *before)
{
	cpu_set_t own;

	if (!before->changed)
		return;
	set_of(&own, &before->cpus);
	(void)sched_setaffinity(0, sizeof(own), &own);
}
#endif

void os_name_thread(struct os_thread *t, const char *name)
{
	char cut[16];

	(void)snprintf(cut, sizeof(cut), "%s", name);
	(void)pthread_setname_np(t->handle, cut);
}

/* ---- events ---- */

int os_event_open(struct os_event *e)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return error_set(DISRUPTOR_E_SYSTEM, "eventfd: %s", os_error_text(errno));
	*e = (struct os_event){ .fd = fd, .set_fd = fd };
	return 0;
}

void os_event_set(struct os_event *e)
{
	const uint64_t one = 1;
	int before = os_cancel_off();

	/* a full counter is set already */
	while (write(e->set_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	os_cancel_back(before);
}

void os_event_clear(struct os_event *e)
{
	uint64_t count;
	int before = os_cancel_off();

	while (read(e->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	os_cancel_back(before);
}

void os_event_close(struct os_event *e)
{
	int before = os_cancel_off();

	close(e->fd);
	os_cancel_back(before);
}
