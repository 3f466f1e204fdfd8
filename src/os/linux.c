/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: futex, membarrier, huge pages, NUMA nodes, affinity. */
#define _GNU_SOURCE
#include "error.h"
#include "os/os.h"
#include "os/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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

/* ---- memory ---- */

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 has it, whatever the C library's headers know */
#define MADV_POPULATE_WRITE 23
#endif

size_t os_huge_page_size(void)
{
	static const char name[] = "Hugepagesize:";
	int before = os_cancel_off();
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long kilobytes = 0;
	char line[128];

	while (kilobytes == 0 && f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, sizeof(name) - 1) == 0)
			kilobytes = strtoul(line + sizeof(name) - 1, NULL, 10);
	if (f)
		(void)fclose(f);
	os_cancel_back(before);
	return (kilobytes ? kilobytes : 2048) * 1024;
}

static void *map_pages(size_t size, int flags)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			  -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	return base;
}

static int map_base(struct os_memory *m, size_t size, unsigned flags)
{
	if (flags & (DISRUPTOR_HUGE_PAGES_TRY | DISRUPTOR_HUGE_PAGES_REQUIRE)) {
		size_t huge = os_huge_page_size();

		m->size = (size + huge - 1) / huge * huge;
		m->base = map_pages(m->size, MAP_HUGETLB);
		m->pages = DISRUPTOR_PAGES_HUGE;
		if (m->base)
			return 0;
		if (flags & DISRUPTOR_HUGE_PAGES_REQUIRE)
			return error_set(DISRUPTOR_E_UNSUPPORTED,
					 "flags: DISRUPTOR_HUGE_PAGES_REQUIRE: %zu pages of %zu "
					 "bytes: %s; reserve them in /proc/sys/vm/nr_hugepages",
					 m->size / huge, huge, os_error_text(errno));
	}
	m->size = size;
	m->base = map_pages(size, 0);
	m->pages = DISRUPTOR_PAGES_NORMAL;
	if (!m->base)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the ring: %s", size,
				 os_error_text(errno));
	if ((flags & DISRUPTOR_HUGE_PAGES_TRY) && madvise(m->base, size, MADV_HUGEPAGE) == 0)
		m->pages = DISRUPTOR_PAGES_TRANSPARENT;
	return 0;
}

static int bind_node(struct os_memory *m, int node)
{
	unsigned long mask[16] = { 0 };
	unsigned bits = 8 * sizeof(mask[0]);

	if (node < 0 || (size_t)node >= 8 * sizeof(mask))
		return error_set(DISRUPTOR_E_INVAL, "numa_node: %d is not in 0 … %zu", node,
				 8 * sizeof(mask) - 1);
	mask[(unsigned)node / bits] = 1ul << ((unsigned)node % bits);
	if (syscall(SYS_mbind, m->base, m->size, MPOL_BIND, mask, 8 * sizeof(mask), 0) != 0)
		return error_set(DISRUPTOR_E_UNSUPPORTED, "numa_node: %d: %s", node,
				 os_error_text(errno));
	return 0;
}

static int prefault(struct os_memory *m)
{
	unsigned char *bytes = m->base;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (madvise(m->base, m->size, MADV_POPULATE_WRITE) == 0)
		return 0;
	/* memory that was promised and is not there: a write to it would end the process */
	if (errno == ENOMEM || errno == EFAULT || errno == EHWPOISON)
		return error_set(DISRUPTOR_E_NOMEM,
				 "flags: DISRUPTOR_PREFAULT: %zu bytes for the ring: %s", m->size,
				 os_error_text(errno));
	/*
	 * Older kernels: a write to each page; the block is zero already, so nothing changes.
	 * relaxed (private): nobody else knows the block yet
	 */
	for (size_t at = 0; at < m->size; at += page)
		disruptor_store_relaxed((DISRUPTOR_ATOMIC(unsigned char) *)(void *)(bytes + at), 0);
	return 0;
}

int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options)
{
	int rc = map_base(m, size, options->flags);

	if (rc != 0)
		return rc;
	if (options->flags & DISRUPTOR_BIND_NODE)
		rc = bind_node(m, options->numa_node);
	if (rc == 0 && (options->flags & DISRUPTOR_PREFAULT))
		rc = prefault(m);
	if (rc == 0 && (options->flags & DISRUPTOR_LOCK_MEMORY))
		rc = os_lock_memory(m->base, m->size);
	if (rc != 0)
		os_unmap(m);
	return rc;
}

void os_unmap(struct os_memory *m)
{
	munmap(m->base, m->size);
	m->base = NULL;
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
