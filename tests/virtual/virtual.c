/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Threads on fibers, one of them chosen at each point; blocking, and a clock. */
#include "virtual.h"

#include "fiber.h"

#include <stdio.h>
#include <stdlib.h>

struct thread {
	struct fiber *fiber;
	void *(*run)(void *argument);
	void *argument;
	const void *waits_for;             /* an address; NULL: it is not asleep */
	const struct virtual_mutex *wants; /* a lock */
	uint64_t deadline;                 /* of the sleep */
	bool timed_out;
	bool ended;
	bool joined; /* its place is for another */
	char name[32];
};

static struct {
	const struct virtual_scheduler *scheduler;
	struct thread threads[VIRTUAL_THREADS];
	unsigned count;
	unsigned self;
	unsigned alive;
	uint64_t now;
	const void *object; /* of the point */
	struct fiber *home; /* who called virtual_run() */
} sys;

const struct virtual_scheduler *virtual_scheduler(void)
{
	return sys.scheduler;
}

unsigned virtual_self(void)
{
	return sys.self;
}

unsigned virtual_count(void)
{
	return sys.count;
}

const char *virtual_name(unsigned thread)
{
	return sys.threads[thread].name;
}

const char *virtual_state(unsigned thread)
{
	const struct thread *t = &sys.threads[thread];

	if (t->ended)
		return "ended";
	if (t->wants)
		return "waits for a lock";
	return t->waits_for ? "sleeps" : "ready";
}

const void *virtual_waits_for(unsigned thread)
{
	const struct thread *t = &sys.threads[thread];

	return t->wants ? (const void *)t->wants : t->waits_for;
}

const void *virtual_object(void)
{
	return sys.object;
}

uint64_t virtual_now(void)
{
	return sys.now;
}

void virtual_pass(uint64_t ns)
{
	sys.now += ns;
}

/* ---- choosing ---- */

static bool is_ready(unsigned i)
{
	const struct virtual_scheduler *s = sys.scheduler;
	const struct thread *t = &sys.threads[i];

	if (t->ended)
		return false;
	if (t->wants)
		return t->wants->owner == 0;
	if (t->waits_for)
		return t->deadline != DISRUPTOR_FOREVER &&
		       (s->time_may_pass || t->deadline <= sys.now);
	return !s->may_run || s->may_run(s->context, i);
}

/* Who can run, the running thread first. */
static unsigned list_ready(unsigned ready[VIRTUAL_THREADS])
{
	unsigned count = 0;

	if (is_ready(sys.self))
		ready[count++] = sys.self;
	for (unsigned i = 0; i < sys.count; i++)
		if (i != sys.self && is_ready(i))
			ready[count++] = i;
	return count;
}

/* Nobody can run: let the clock come to the first who waits for it. False if nobody does. */
static bool skip_time(void)
{
	uint64_t first = DISRUPTOR_FOREVER;

	for (unsigned i = 0; i < sys.count; i++)
		if (sys.threads[i].waits_for && sys.threads[i].deadline < first)
			first = sys.threads[i].deadline;
	if (first == DISRUPTOR_FOREVER)
		return false;
	sys.now = first > sys.now ? first : sys.now;
	return true;
}

void virtual_point(enum virtual_point point)
{
	virtual_point_at(point, NULL);
}

void virtual_point_at(enum virtual_point point, const void *object)
{
	const struct virtual_scheduler *s = sys.scheduler;
	unsigned ready[VIRTUAL_THREADS];
	unsigned count = list_ready(ready);
	struct thread *t;

	if (count == 0 && skip_time())
		count = list_ready(ready);
	if (count == 0) {
		if (s->stuck)
			s->stuck(s->context);
		virtual_abandon();
	}
	sys.object = object;
	sys.self = s->choose ? s->choose(s->context, point, ready, count) : ready[0];
	t = &sys.threads[sys.self];
	if (t->waits_for) {
		sys.now = t->deadline > sys.now ? t->deadline : sys.now;
		t->waits_for = NULL;
		t->timed_out = true;
	}
	t->wants = NULL;
	fiber_switch(t->fiber);
	if (s->goes_on)
		s->goes_on(s->context, point, object);
}

bool virtual_block(const void *address, uint64_t deadline)
{
	struct thread *t = &sys.threads[sys.self];

	t->waits_for = address;
	t->deadline = deadline;
	t->timed_out = false;
	virtual_point(VIRTUAL_BLOCK);
	return !t->timed_out;
}

void virtual_wake(const void *address)
{
	for (unsigned i = 0; i < sys.count; i++)
		if (sys.threads[i].waits_for == address)
			sys.threads[i].waits_for = NULL;
}

/* ---- locks ---- */

static void release(const void *object)
{
	if (sys.scheduler->release)
		sys.scheduler->release(sys.scheduler->context, object);
}

static void acquire(const void *object)
{
	if (sys.scheduler->acquire)
		sys.scheduler->acquire(sys.scheduler->context, object);
}

void virtual_lock(struct virtual_mutex *m)
{
	virtual_point_at(VIRTUAL_LOCK, m);
	while (m->owner) {
		sys.threads[sys.self].wants = m;
		virtual_point(VIRTUAL_BLOCK);
	}
	m->owner = sys.self + 1;
	acquire(m);
}

void virtual_unlock(struct virtual_mutex *m)
{
	if (m->owner != sys.self + 1)
		virtual_fail("a lock is given back by a thread that does not hold it");
	release(m);
	m->owner = 0;
	virtual_point_at(VIRTUAL_UNLOCK, m);
}

/* ---- threads ---- */

static void thread_body(void *argument)
{
	struct thread *t = argument;

	acquire(t);
	t->run(t->argument);
	release(t);
	t->ended = true;
	virtual_wake(t);
	if (--sys.alive == 0)
		virtual_abandon();
	virtual_point(VIRTUAL_END);
}

static unsigned add_thread(const char *name, void *(*run)(void *), void *argument)
{
	struct thread *t;
	unsigned i;

	for (i = 0; i < sys.count && !sys.threads[i].joined; i++)
		;
	if (i == VIRTUAL_THREADS)
		virtual_fail("too many threads: raise VIRTUAL_THREADS");
	t = &sys.threads[i];
	if (i == sys.count)
		sys.count++;
	else
		fiber_free(t->fiber);
	*t = (struct thread){ .run = run, .argument = argument };
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	t->fiber = fiber_make(thread_body, t);
	sys.alive++;
	return i;
}

unsigned virtual_start(const char *name, void *(*run)(void *), void *argument)
{
	unsigned thread = add_thread(name, run, argument);

	release(&sys.threads[thread]);
	virtual_point(VIRTUAL_START);
	return thread;
}

void virtual_join(unsigned thread)
{
	struct thread *t = &sys.threads[thread];

	while (!t->ended)
		(void)virtual_block(t, DISRUPTOR_FOREVER);
	acquire(t);
	t->joined = true;
}

/* ---- a run ---- */

struct first {
	void (*run)(void *argument);
	void *argument;
};

static void *run_first(void *argument)
{
	const struct first *f = argument;

	f->run(f->argument);
	return NULL;
}

bool virtual_run(const struct virtual_scheduler *s, void (*run)(void *argument), void *argument)
{
	struct first first = { .run = run, .argument = argument };

	sys.scheduler = s;
	sys.count = 0;
	sys.alive = 0;
	sys.self = 0;
	sys.now = UINT64_C(1000000000);
	sys.home = fiber_self();
	(void)add_thread("main", run_first, &first);
	fiber_switch(sys.threads[0].fiber);
	/* the last first: so the next run's threads get the same stacks */
	for (unsigned i = sys.count; i-- != 0;)
		fiber_free(sys.threads[i].fiber);
	virtual_os_reset();
	sys.scheduler = NULL;
	return sys.alive == 0;
}

void virtual_abandon(void)
{
	fiber_switch(sys.home);
	abort();
}

void virtual_fail(const char *what)
{
	if (!sys.scheduler || !sys.scheduler->fail) {
		(void)fprintf(stderr, "virtual: %s\n", what);
		abort();
	}
	sys.scheduler->fail(sys.scheduler->context, what);
	virtual_abandon();
}
