/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * INIT → STARTING → RUNNING → DRAINING → STOPPED, and FAILED from any of the
 * running ones. Everything here is cold: one monitor, whose condition is
 * broadcast on every change.
 */
#include "error.h"
#include "graph/check.h"
#include "graph/graph_internal.h"
#include "graph/watchdog.h"
#include "ring/gate.h"

#include <string.h>

const char *disruptor_state_name(enum disruptor_state state)
{
	static const char *const names[] = { "INIT",     "STARTING", "RUNNING",
					     "DRAINING", "STOPPED",  "FAILED" };

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

enum disruptor_state disruptor_state(const struct disruptor *d)
{
	struct disruptor *locked = (struct disruptor *)(uintptr_t)d;
	enum disruptor_state state;

	os_lock(&locked->monitor);
	state = d->state;
	os_unlock(&locked->monitor);
	return state;
}

struct disruptor_failure disruptor_failure(const struct disruptor *d)
{
	struct disruptor *locked = (struct disruptor *)(uintptr_t)d;
	struct disruptor_failure failure;

	os_lock(&locked->monitor);
	failure = d->failure;
	os_unlock(&locked->monitor);
	return failure;
}

void graph_fail(struct disruptor *d, const struct disruptor_failure *failure)
{
	os_lock(&d->monitor);
	if (d->failure.code == 0)
		d->failure = *failure;
	d->state = DISRUPTOR_FAILED;
	os_broadcast(&d->monitor);
	os_unlock(&d->monitor);
	ring_fail(d->ring);
}

void graph_report(struct disruptor_stage *s)
{
	os_lock(&s->owner->monitor);
	s->reported = true;
	os_broadcast(&s->owner->monitor);
	os_unlock(&s->owner->monitor);
}

void *stage_thread(void *stage)
{
	struct disruptor_stage *s = stage;
	struct disruptor *d = s->owner;

	os_lock(&d->monitor);
	s->thread_id = os_thread_id();
	os_unlock(&d->monitor);
	(void)disruptor_stage_run(s);
	os_lock(&d->monitor);
	s->thread_id = 0;
	s->reported = true;
	d->alive--;
	os_broadcast(&d->monitor);
	os_unlock(&d->monitor);
	return NULL;
}

static bool is_own_thread(const struct disruptor *d)
{
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (d->stages[i].thread_id == os_thread_id())
			return true;
	return watchdog_is_caller(d);
}

static void halt_all(struct disruptor *d)
{
	for (uint32_t i = 0; i < d->stage_count; i++)
		disruptor_stage_stop(&d->stages[i]);
}

/* Join the first d->threads stages' threads; all their runs have ended. Monitor held. */
static void join_all(struct disruptor *d)
{
	for (; d->threads > 0; d->threads--)
		os_thread_join(&d->stages[d->threads - 1].thread);
	/* a stop that met a run already over is not the next run's */
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (!disruptor_stage_running(&d->stages[i])) /* a caller's thread may run it on */
			(void)consumer_take_alert(&d->stages[i].consumer);
}

static void halt_and_join(struct disruptor *d)
{
	halt_all(d);
	while (d->alive > 0)
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	join_all(d);
}

static bool all_reported(const struct disruptor *d)
{
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (!d->stages[i].reported)
			return false;
	return true;
}

static int may_start(struct disruptor *d)
{
	int rc;

	if (d->threads > 0 || d->state == DISRUPTOR_STARTING)
		return error_set(DISRUPTOR_E_STATE, "it is %s already; stop it first",
				 disruptor_state_name(d->state));
	if (d->stage_count == 0)
		return error_set(DISRUPTOR_E_STATE, "it has no stage: add one before start");
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (disruptor_stage_running(&d->stages[i]))
			return error_set(DISRUPTOR_E_STATE, "stage '%s' runs in another thread",
					 d->stages[i].name);
	rc = check_order(d);
	return rc != 0 ? rc : disruptor_ring_reopen(d->ring);
}

static int make_threads(struct disruptor *d)
{
	for (uint32_t i = 0; i < d->stage_count; i++)
		d->stages[i].reported = false;
	for (; d->threads < d->stage_count; d->threads++) {
		struct disruptor_stage *s = &d->stages[d->threads];
		int rc = os_thread_start(&s->thread, &s->handler, stage_thread, s);

		if (rc != 0)
			return rc;
		d->alive++;
	}
	while (!all_reported(d))
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	return 0;
}

/* Whether it was an on_start; another hook's failure is the run's, and stop() tells of it. */
static bool failed_to_start(const struct disruptor *d)
{
	return strcmp(d->failure.hook, "on_start") == 0;
}

int disruptor_start(struct disruptor *d)
{
	enum disruptor_state before;
	int rc;

	os_lock(&d->monitor);
	rc = may_start(d);
	if (rc != 0)
		goto out;
	before = d->state == DISRUPTOR_FAILED ? DISRUPTOR_STOPPED : d->state;
	d->failure = (struct disruptor_failure){ 0 };
	d->state = DISRUPTOR_STARTING;
	d->starts++;
	rc = watchdog_start(d);
	if (rc == 0)
		rc = make_threads(d);
	if (rc != 0) {
		halt_and_join(d);
		if (before == DISRUPTOR_STOPPED)
			disruptor_ring_close(d->ring);
		d->state = before;
	} else if (d->state == DISRUPTOR_FAILED && failed_to_start(d)) {
		halt_and_join(d);
		rc = error_set(DISRUPTOR_E_FAILED, "stage '%s': %s answered %d", d->failure.stage,
			       d->failure.hook, d->failure.code);
	} else if (d->state == DISRUPTOR_STARTING) {
		d->state = DISRUPTOR_RUNNING;
	}
	os_broadcast(&d->monitor);
out:
	os_unlock(&d->monitor);
	watchdog_stop(d);
	return rc;
}

/* What a drain that ran out of time has left, and where. */
static int say_what_is_left(struct disruptor *d)
{
	uint64_t end = ring_claimed(d->ring), position;
	const struct disruptor_stage *slowest = NULL;
	const char *producer;

	if (disruptor_ring_unpublished(d->ring, &position, &producer))
		return error_set(
			DISRUPTOR_E_TIMEOUT,
			"position %llu, claimed by producer '%s', is neither published nor "
			"aborted",
			(unsigned long long)position, producer);
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (!slowest ||
		    disruptor_stage_position(&d->stages[i]) < disruptor_stage_position(slowest))
			slowest = &d->stages[i];
	return error_set(DISRUPTOR_E_TIMEOUT, "stage '%s' is at position %llu, %llu before the end",
			 slowest->name, (unsigned long long)disruptor_stage_position(slowest),
			 (unsigned long long)(end - disruptor_stage_position(slowest)));
}

/* The monitor is held. */
static int await_end(struct disruptor *d, enum disruptor_stop_mode mode, uint64_t deadline)
{
	const uint64_t run = d->starts;

	while (d->alive > 0 && d->starts == run) {
		if (os_monitor_wait(&d->monitor, deadline) || d->alive == 0 || d->starts != run)
			continue;
		if (mode == DISRUPTOR_DRAIN_THEN_HALT) {
			halt_all(d);
			mode = DISRUPTOR_NOW;
			deadline = DISRUPTOR_FOREVER;
			continue;
		}
		return say_what_is_left(d);
	}
	if (d->starts != run)
		return 0; /* another thread has stopped it, and started the next run */
	join_all(d);
	if (d->state == DISRUPTOR_FAILED)
		return error_set(DISRUPTOR_E_FAILED, "stage '%s': %s answered %d at position %llu",
				 d->failure.stage, d->failure.hook, d->failure.code,
				 (unsigned long long)d->failure.position);
	d->state = DISRUPTOR_STOPPED;
	os_broadcast(&d->monitor);
	return 0;
}

int disruptor_stop(struct disruptor *d, enum disruptor_stop_mode mode, uint64_t deadline)
{
	int rc = 0;

	if ((unsigned)mode > DISRUPTOR_DRAIN_THEN_HALT)
		return error_set(DISRUPTOR_E_INVAL, "mode: %d is none", (int)mode);
	os_lock(&d->monitor);
	if (is_own_thread(d))
		rc = error_set(
			DISRUPTOR_E_DEADLK,
			"a stage, or the watchdog, cannot wait for its own end; answer DISRUPTOR_STOP, or use "
			"disruptor_stage_stop()");
	else if (d->threads > 0) {
		if (d->state == DISRUPTOR_RUNNING || d->state == DISRUPTOR_STARTING)
			d->state = DISRUPTOR_DRAINING;
		disruptor_ring_close(d->ring);
		if (mode == DISRUPTOR_NOW)
			halt_all(d);
		rc = await_end(d, mode, deadline);
	}
	os_unlock(&d->monitor);
	watchdog_stop(d);
	return rc;
}
