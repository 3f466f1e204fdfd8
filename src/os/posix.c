/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Any POSIX system: what Linux offers beyond it is refused by name, or done without. */
#define _POSIX_C_SOURCE 200809L
#include "error.h"
#include "os/os.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *os_platform(void)
{
	return "posix";
}

uint64_t os_now_coarse(void)
{
	return os_now();
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
	return false;
}

void os_park(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	(void)word;
	(void)seen;
	(void)deadline;
	abort(); /* os_can_park() says no */
}

void os_unpark_all(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	(void)word;
	abort();
}

int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options)
{
	if (options->flags & DISRUPTOR_HUGE_PAGES_REQUIRE)
		return error_set(DISRUPTOR_E_UNSUPPORTED,
				 "flags: DISRUPTOR_HUGE_PAGES_REQUIRE needs the Linux build");
	if (options->flags & DISRUPTOR_BIND_NODE)
		return error_set(DISRUPTOR_E_UNSUPPORTED, "numa_node needs the Linux build");
	m->size = size;
	m->pages = DISRUPTOR_PAGES_NORMAL;
	if (posix_memalign(&m->base, DISRUPTOR_MAX_ALIGN, size) != 0)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the ring", size);
	memset(m->base, 0, size); /* prefaults, too */
	if (options->flags & DISRUPTOR_LOCK_MEMORY) {
		int rc = os_lock_memory(m->base, size);

		if (rc != 0) {
			os_unmap(m);
			return rc;
		}
	}
	return 0;
}

void os_unmap(struct os_memory *m)
{
	free(m->base);
	m->base = NULL;
}

int os_attribute_cpus(pthread_attr_t *a, const struct os_cpu_set *cpus,
		      const struct os_thread_plan *p, struct os_cpus_before *before)
{
	(void)a;
	(void)cpus;
	(void)before;
	return error_set(DISRUPTOR_E_UNSUPPORTED, "%s '%s': cpus needs the Linux build", p->what,
			 p->name);
}

void os_cpus_back(const struct os_cpus_before *before)
{
	(void)before;
}

void os_name_thread(struct os_thread *t, const char *name)
{
	(void)t;
	(void)name; /* POSIX has no name for a thread */
}

unsigned os_cores(void)
{
#ifdef _SC_NPROCESSORS_ONLN
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (online > 0)
		return (unsigned)online;
#endif
	return 1;
}

/* ---- events: a pipe ---- */

int os_event_open(struct os_event *e)
{
	int ends[2];

	if (pipe(ends) != 0)
		return error_set(DISRUPTOR_E_SYSTEM, "pipe: %s", os_error_text(errno));
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
	}
	*e = (struct os_event){ .fd = ends[0], .set_fd = ends[1] };
	return 0;
}

void os_event_set(struct os_event *e)
{
	int before = os_cancel_off();

	/* a full pipe is set already */
	while (write(e->set_fd, "", 1) < 0 && errno == EINTR)
		;
	os_cancel_back(before);
}

void os_event_clear(struct os_event *e)
{
	int before = os_cancel_off();
	char drop[64];
	ssize_t n;

	do
		n = read(e->fd, drop, sizeof(drop));
	while (n > 0 || (n < 0 && errno == EINTR));
	os_cancel_back(before);
}

void os_event_close(struct os_event *e)
{
	int before = os_cancel_off();

	close(e->fd);
	close(e->set_fd);
	os_cancel_back(before);
}

/* ---- between processes: there are no such rings here ---- */

unsigned os_rungs_between(void)
{
	return 0;
}

void os_membarrier_between(void)
{
}

void os_park_between(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	(void)word, (void)seen, (void)deadline;
}

void os_park_any(const struct os_word *words, uint32_t count, uint64_t deadline)
{
	(void)words, (void)count, (void)deadline;
}

void os_unpark_all_between(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	(void)word;
}
