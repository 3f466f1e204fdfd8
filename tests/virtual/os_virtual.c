/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* src/os/os.h on virtual threads: in place of linux.c or posix.c, common.c and thread.c. */
#define _POSIX_C_SOURCE 200809L
#include "os/os.h"

#include "error.h"
#include "virtual.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_MAX 64
#define EVENT_FD 1000 /* the first: no descriptor of the process, so that using it as one fails */

struct monitor {
	struct monitor *next;
	struct virtual_mutex mutex;
	bool alive;
};

struct mapping {
	struct mapping *next;
	void *base;
	size_t size;
};

static struct monitor *monitors, *idle_monitors;
static struct mapping *mappings, *idle_mappings;
static bool event_set[EVENT_MAX];
static int events;

void virtual_os_reset(void)
{
	while (monitors) {
		struct monitor *m = monitors;

		monitors = m->next;
		m->next = idle_monitors;
		idle_monitors = m;
	}
	while (mappings) {
		struct mapping *m = mappings;

		mappings = m->next;
		m->next = idle_mappings;
		idle_mappings = m;
	}
	events = 0;
}

/* ---- time ---- */

uint64_t os_now(void)
{
	virtual_pass(virtual_scheduler()->tick);
	return virtual_now();
}

uint64_t os_now_coarse(void)
{
	return virtual_now();
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

void os_sleep(uint64_t ns)
{
	char nobody_else; /* knows this address */

	(void)virtual_block(&nobody_else, disruptor_in(ns));
}

void os_yield(void)
{
	const struct virtual_scheduler *s = virtual_scheduler();

	virtual_pass(s->tick);
	if (s->looked)
		s->looked(s->context);
	virtual_point(VIRTUAL_LOOP);
}

void os_pause(void)
{
	os_yield();
}

/* ---- mutual exclusion ---- */

/* The monitor's memory holds the address of ours. */
static struct monitor *monitor_of(const struct os_monitor *m)
{
	struct monitor *own;

	memcpy(&own, &m->mutex, sizeof(own));
	if (!own || !own->alive)
		virtual_fail("a monitor is used that is not, or no more");
	return own;
}

int os_monitor_init(struct os_monitor *m)
{
	struct monitor *own = idle_monitors;

	if (own)
		idle_monitors = own->next;
	else
		own = malloc(sizeof(*own));
	if (!own)
		return error_set(DISRUPTOR_E_NOMEM, "mutex: no memory");
	*own = (struct monitor){ .alive = true, .next = monitors };
	monitors = own;
	memcpy(&m->mutex, &own, sizeof(own));
	return 0;
}

void os_monitor_destroy(struct os_monitor *m)
{
	struct monitor *own = monitor_of(m);

	if (own->mutex.owner != 0)
		virtual_fail("a monitor is destroyed that is locked");
	own->alive = false;
}

void os_lock(struct os_monitor *m)
{
	virtual_lock(&monitor_of(m)->mutex);
}

void os_unlock(struct os_monitor *m)
{
	virtual_unlock(&monitor_of(m)->mutex);
}

void os_broadcast(struct os_monitor *m)
{
	virtual_wake(monitor_of(m));
}

bool os_monitor_wait(struct os_monitor *m, uint64_t deadline)
{
	struct monitor *own = monitor_of(m);
	const struct virtual_scheduler *s = virtual_scheduler();
	bool in_time;

	/* giving the lock back and going to sleep are one step */
	if (s->release)
		s->release(s->context, &own->mutex);
	own->mutex.owner = 0;
	in_time = virtual_block(own, deadline);
	virtual_lock(&monitor_of(m)->mutex);
	return in_time;
}

/* ---- sleep, wake, heavy barrier ---- */

unsigned os_rungs(void)
{
	unsigned rungs = virtual_scheduler()->rungs;

	return rungs ? rungs
		     : 1u << DISRUPTOR_RUNG_MEMBARRIER | 1u << DISRUPTOR_RUNG_FENCE |
			       1u << DISRUPTOR_RUNG_MUTEX;
}

void os_membarrier(void)
{
	const struct virtual_scheduler *s = virtual_scheduler();

	virtual_point(VIRTUAL_BARRIER);
	if (s->barrier)
		s->barrier(s->context);
}

bool os_can_park(void)
{
	return !virtual_scheduler()->no_parking;
}

void os_park(DISRUPTOR_ATOMIC(uint32_t) * word, uint32_t seen, uint64_t deadline)
{
	const struct virtual_scheduler *s = virtual_scheduler();
	uint32_t now;

	virtual_point_at(VIRTUAL_PARK, word);
	/* comparing and going to sleep are one step; relaxed: the kernel's own, it orders nothing */
	now = s->load ? s->load(s->context, word) : disruptor_load_relaxed(word);
	if (now == seen)
		(void)virtual_block(word, deadline);
}

void os_unpark_all(DISRUPTOR_ATOMIC(uint32_t) * word)
{
	virtual_point_at(VIRTUAL_WAKE, word);
	virtual_wake(word);
}

/* ---- events ---- */

int os_event_open(struct os_event *e)
{
	if (events == EVENT_MAX)
		return error_set(DISRUPTOR_E_SYSTEM, "event: all %d are open", EVENT_MAX);
	event_set[events] = false;
	*e = (struct os_event){ .fd = EVENT_FD + events, .set_fd = EVENT_FD + events };
	events++;
	return 0;
}

static bool *event_of(int fd)
{
	if (fd < EVENT_FD || fd >= EVENT_FD + events)
		virtual_fail("an event is used that is not open");
	return &event_set[fd - EVENT_FD];
}

void os_event_set(struct os_event *e)
{
	bool *set = event_of(e->set_fd);

	virtual_point_at(VIRTUAL_WAKE, set);
	*set = true;
	virtual_wake(set);
}

void os_event_clear(struct os_event *e)
{
	bool *set = event_of(e->fd);

	virtual_point_at(VIRTUAL_WAKE, set);
	*set = false;
}

void os_event_close(struct os_event *e)
{
	(void)event_of(e->fd); /* its number is not given again in this run */
}

bool virtual_event_wait(int fd, uint64_t deadline)
{
	bool *set = event_of(fd);

	virtual_point_at(VIRTUAL_PARK, set);
	return *set || virtual_block(set, deadline) || *set;
}

/* ---- memory ---- */

int os_map(struct os_memory *m, size_t size, const struct disruptor_options *options)
{
	struct mapping **at = &idle_mappings, *made;

	(void)options;
	while (*at && (*at)->size != size)
		at = &(*at)->next;
	made = *at;
	if (made) {
		*at = made->next;
	} else {
		made = malloc(sizeof(*made));
		if (!made || posix_memalign(&made->base, DISRUPTOR_MAX_ALIGN, size) != 0) {
			free(made);
			return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the ring", size);
		}
		made->size = size;
	}
	memset(made->base, 0, size);
	made->next = mappings;
	mappings = made;
	*m = (struct os_memory){ .base = made->base,
				 .size = size,
				 .pages = DISRUPTOR_PAGES_NORMAL };
	return 0;
}

/* It is given to somebody else in the next run only: who still uses it is found out. */
void os_unmap(struct os_memory *m)
{
	const struct virtual_scheduler *s = virtual_scheduler();

	if (s->unmapped)
		s->unmapped(s->context, m->base, m->size);
	memset(m->base, 0xdb, m->size);
	m->base = NULL;
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

/* ---- threads ---- */

uint64_t os_thread_id(void)
{
	return virtual_self() + UINT64_C(1);
}

int os_thread_check(const struct os_thread_plan *p)
{
	if (p->cpus || p->scheduling != DISRUPTOR_SCHEDULE_INHERIT || p->priority != 0)
		return error_set(
			DISRUPTOR_E_UNSUPPORTED,
			"%s '%s': a virtual system has no CPUs to choose and no priorities",
			p->what, p->name);
	return 0;
}

int os_thread_start(struct os_thread *t, const struct os_thread_plan *p, void *(*run)(void *),
		    void *argument)
{
	int rc = os_thread_check(p);
	unsigned thread;

	if (rc != 0)
		return rc;
	thread = virtual_start(p->name, run, argument);
	memcpy(&t->handle, &thread, sizeof(thread));
	return 0;
}

void os_thread_join(struct os_thread *t)
{
	unsigned thread;

	memcpy(&thread, &t->handle, sizeof(thread));
	virtual_join(thread);
}

unsigned os_cores(void)
{
	return virtual_scheduler()->cores ? virtual_scheduler()->cores : 2;
}

const char *os_platform(void)
{
	return "virtual";
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
