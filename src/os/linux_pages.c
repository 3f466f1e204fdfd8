/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: the pages that rings lie on: huge, of a NUMA node, there before they are used. */
#define _GNU_SOURCE
#include "error.h"
#include "os/pages.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 5.14 and 6.1 have them, whatever the C library's headers know. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
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

bool os_wants_huge(unsigned flags)
{
	return (flags & (DISRUPTOR_HUGE_PAGES_TRY | DISRUPTOR_HUGE_PAGES_REQUIRE)) != 0;
}

int os_refuse_huge(size_t size, size_t page)
{
	return error_set(DISRUPTOR_E_UNSUPPORTED,
			 "flags: DISRUPTOR_HUGE_PAGES_REQUIRE: %zu pages of %zu bytes: %s; reserve "
			 "them in /proc/sys/vm/nr_hugepages",
			 size / page, page, os_error_text(errno));
}

bool os_collapse(void *base, size_t size)
{
	size_t page = os_huge_page_size();
	size_t skipped = (page - (uintptr_t)base % page) % page;

	/* less than a page is made huge in no time, and so is nothing */
	return size >= skipped + page && madvise(base, size, MADV_COLLAPSE) == 0;
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
	if (os_wants_huge(flags)) {
		size_t huge = os_huge_page_size();

		m->size = (size + huge - 1) / huge * huge;
		m->base = map_pages(m->size, MAP_HUGETLB);
		m->pages = DISRUPTOR_PAGES_HUGE;
		if (m->base)
			return 0;
		if (flags & DISRUPTOR_HUGE_PAGES_REQUIRE)
			return os_refuse_huge(m->size, huge);
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

/* As many as a kernel may be made for, whatever the size of its words. */
enum { NODES = 1024 };

int os_bind_node(void *base, size_t size, int node)
{
	enum { BITS = 8 * sizeof(unsigned long) };
	unsigned long mask[NODES / BITS] = { 0 };

	if (node < 0 || node >= NODES)
		return error_set(DISRUPTOR_E_INVAL, "numa_node: %d is not in 0 … %d", node,
				 NODES - 1);
	mask[(unsigned)node / BITS] = 1ul << ((unsigned)node % BITS);
	if (syscall(SYS_mbind, base, size, MPOL_BIND, mask, (unsigned long)NODES, 0) != 0)
		return error_set(DISRUPTOR_E_UNSUPPORTED, "numa_node: %d: %s", node,
				 os_error_text(errno));
	return 0;
}

int os_prefault(void *base, size_t size)
{
	unsigned char *bytes = base;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (madvise(base, size, MADV_POPULATE_WRITE) == 0)
		return 0;
	/* memory that was promised and is not there: a write to it would end the process */
	if (errno == ENOMEM || errno == EFAULT || errno == EHWPOISON)
		return error_set(DISRUPTOR_E_NOMEM,
				 "flags: DISRUPTOR_PREFAULT: %zu bytes for the ring: %s", size,
				 os_error_text(errno));
	/*
	 * Older kernels: an addition to each page, of nothing, as others may write to what is shared.
	 * relaxed (private): what the page holds stays as it is
	 */
	for (size_t at = 0; at < size; at += page)
		(void)disruptor_fetch_add_relaxed(
			(DISRUPTOR_ATOMIC(uint32_t) *)(void *)(bytes + at), 0u);
	return 0;
}

int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options)
{
	int rc = map_base(m, size, options->flags);

	if (rc != 0)
		return rc;
	if (options->flags & DISRUPTOR_BIND_NODE)
		rc = os_bind_node(m->base, m->size, options->numa_node);
	if (rc == 0 && (options->flags & DISRUPTOR_PREFAULT))
		rc = os_prefault(m->base, m->size);
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
