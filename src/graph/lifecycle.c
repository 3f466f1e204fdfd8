/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * INIT → STARTING → RUNNING → DRAINING → STOPPED, and FAILED from any of the
 * running ones. Everything here is cold: one monitor, whose condition is
 * broadcast on every change.
 */
#include "error.h"
#include "hook.h"
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
	struct disruptor *locked = (struct disruptor *)d;
	enum disruptor_state state;

	os_lock(&locked->monitor);
	state = d->state;
	os_unlock(&locked->monitor);
	return state;
}

struct disruptor_failure disruptor_failure(const struct disruptor *d)
{
	struct disruptor *locked = (struct disruptor *)d;
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
	HOOK(HOOK_FAIL);
	/* under the monitor: of two failures the same one is the first, here and there */
	ring_fail(d->ring, failure);
	os_unlock(&d->monitor);
}

/* Monitor held. */
static void hear_failure(struct disruptor *d)
{
	struct disruptor_failure failure = disruptor_ring_failure(d->ring);

	if (d->failure.code != 0 || failure.code == 0)
		return;
	/* behind the thread's next question the name is another */
	memcpy(d->failed_stage, failure.stage, strlen(failure.stage) + 1);
	failure.stage = d->failed_stage;
	d->failure = failure;
	d->state = DISRUPTOR_FAILED;
	os_broadcast(&d->monitor);
}

void graph_hear_failure(struct disruptor *d)
{
	os_lock(&d->monitor);
	hear_failure(d);
	os_unlock(&d->monitor);
}

void graph_report(struct disruptor_stage *s)
{
	os_lock(&s->owner->monitor);
	s->reported = true;
	os_broadcast(&s->owner->monitor);
	os_unlock(&s->owner->monitor);
}

bool graph_is_own_thread(const struct disruptor *d)
{
	for (uint32_t i = 0; i < d->worker_count; i++)
		if (d->workers[i].thread_id == os_thread_id())
			return true;
	return watchdog_is_caller(d);
}

static void halt_all(struct disruptor *d)
{
	for_each_stage (s, d)
		disruptor_stage_stop(s);
}

/*
 * Join the threads; all their runs have ended, and nobody who detaches a stage joins one. The
 * monitor is held throughout: let go of, another stop could end this run and a start begin the next.
 */
static void join_all(struct disruptor *d)
{
	for (uint32_t i = 0; i < d->worker_count; i++) {
		struct graph_worker *w = &d->workers[i];
		bool ran = w->made || d->driven;

		if (w->made)
			os_thread_join(&w->thread);
		w->made = false;
		worker_close(w, ran);
	}
	d->active = false;
	/* a stop that met a run already over is not the next run's, nor a detach that timed out */
	for_each_stage (s, d)
		if (!disruptor_stage_running(s)) /* a caller's thread may run it on */
			consumer_forget_requests(&s->consumer);
}

/* Whether a thread is being joined by who detaches its stage. Monitor held. */
static bool is_any_leaving(const struct disruptor *d)
{
	for (uint32_t i = 0; i < d->worker_count; i++)
		if (d->workers[i].leaving)
			return true;
	return false;
}

/* Wait until all runs have ended, or until the deadline: false then. Monitor held. */
static bool await_runs(struct disruptor *d, uint64_t deadline)
{
	const uint64_t run = d->starts;

	while ((d->alive > 0 || is_any_leaving(d)) && d->starts == run) {
		if (d->driven && !d->driving)
			poll_to_end(d, deadline);
		else
			(void)os_monitor_wait(&d->monitor,
					      d->alive > 0 ? deadline : DISRUPTOR_FOREVER);
		if (d->alive > 0 && d->starts == run && deadline != DISRUPTOR_FOREVER &&
		    os_now() >= deadline)
			return false;
	}
	return true;
}

/* What a start that fails has begun. A stage that runs in a thread of the caller's goes on. */
static void halt_and_join(struct disruptor *d)
{
	for_each_stage (s, d)
		if (is_unit(s) && (d->driven || d->workers[s->worker].made))
			disruptor_stage_stop(s);
	(void)await_runs(d, DISRUPTOR_FOREVER);
	join_all(d);
}

static bool all_reported(struct disruptor *d)
{
	for_each_stage (s, d)
		if (is_unit(s) && !s->reported)
			return false;
	return true;
}

/* A ring of ours is open from now on; another's may be closed, and then it is read to its end. */
static int open_ring(struct disruptor *d)
{
	return d->borrows ? ring_tell_failure(d->ring) : disruptor_ring_reopen(d->ring);
}

static int may_start(struct disruptor *d)
{
	int rc;

	/* who waits for a stage's end has asked the last run for it, and joins a thread of that */
	while (d->leavers > 0 && !d->active && d->state != DISRUPTOR_STARTING)
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	if (d->active || d->state == DISRUPTOR_STARTING)
		return error_set(DISRUPTOR_E_STATE, "it is %s already; stop it first",
				 disruptor_state_name(d->state));
	if (!next_stage(d, d->stages))
		return error_set(DISRUPTOR_E_STATE, "it has no stage: add one before start");
	for_each_stage (s, d)
		if (disruptor_stage_running(s))
			return error_set(DISRUPTOR_E_STATE, "stage '%s' runs in another thread",
					 s->name);
	rc = check_order(d);
	if (rc == 0)
		rc = checked_run_prepare(d);
	if (rc == 0)
		rc = executor_map(d);
	return rc != 0 ? rc : open_ring(d);
}

static int open_workers(struct disruptor *d)
{
	for (uint32_t i = 0; i < d->worker_count; i++) {
		int rc = d->workers[i].count ? worker_open(&d->workers[i]) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The caller is to drive: the stages' on_start run here. Monitor held. */
static void begin_driven(struct disruptor *d)
{
	struct graph_worker *w = &d->workers[0];

	d->alive = 1;
	d->driving = true;
	w->thread_id = os_thread_id();
	os_unlock(&d->monitor);
	worker_enter(w);
	worker_begin(w);
	worker_leave(w);
	os_lock(&d->monitor);
	d->driving = false;
	w->thread_id = 0;
	if (w->live == 0)
		d->alive = 0;
}

int worker_make_thread(struct graph_worker *w)
{
	const struct os_thread_plan plan = executor_plan(w);
	int rc = os_thread_start(&w->thread, &plan, worker_thread, w);

	if (rc == 0) {
		w->made = true;
		w->owner->alive++;
	}
	return rc;
}

static int make_threads(struct disruptor *d)
{
	int rc;

	d->active = true;
	d->alive = 0;
	for_each_stage (s, d)
		s->reported = false;
	rc = open_workers(d);
	if (rc != 0)
		return rc;
	if (d->driven)
		begin_driven(d);
	for (uint32_t i = 0; i < d->worker_count && !d->driven; i++) {
		rc = d->workers[i].count ? worker_make_thread(&d->workers[i]) : 0;
		if (rc != 0)
			return rc;
	}
	/* a stop may have joined them already, and stages come since that are in no run */
	while (d->active && !all_reported(d))
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
	os_unlock(&d->monitor); /* the callback may ask for the state */
	HOOK(HOOK_START);
	check_warn(d);
	os_lock(&d->monitor);
	rc = watchdog_start(d);
	if (rc == 0)
		rc = make_threads(d);
	if (rc != 0) {
		halt_and_join(d);
		if (before == DISRUPTOR_STOPPED && !d->borrows)
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

int disruptor_await(struct disruptor *d, enum disruptor_state state, uint64_t deadline)
{
	int rc = 0;

	if (!d || (unsigned)state > DISRUPTOR_FAILED)
		return error_set(DISRUPTOR_E_INVAL, d ? "state: %d is none" : "d: NULL",
				 (int)state);
	os_lock(&d->monitor);
	if (graph_is_own_thread(d) && d->state != state)
		rc = error_set(DISRUPTOR_E_DEADLK,
			       "a stage, or the watchdog, cannot wait for what needs it to go on");
	while (rc == 0 && d->state != state) {
		if (d->state == DISRUPTOR_FAILED)
			rc = ring_failed_by(&d->failure);
		else if (!os_monitor_wait(&d->monitor, deadline) && d->state != state)
			rc = error_set(DISRUPTOR_E_TIMEOUT, "it is %s",
				       disruptor_state_name(d->state));
	}
	os_unlock(&d->monitor);
	return rc;
}

/* Tell what a deferred stage has read that nobody has released; false if there is nothing. */
static bool say_what_is_unreleased(struct disruptor *d, int code)
{
	for_each_stage (s, d) {
		uint64_t read = disruptor_stage_read(s), released = disruptor_stage_position(s);

		if (read <= released)
			continue;
		(void)error_set(code,
				"stage '%s' has read up to position %llu and released up to %llu: "
				"disruptor_stage_release() the rest",
				s->name, (unsigned long long)read, (unsigned long long)released);
		return true;
	}
	return false;
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
	for_each_stage (s, d)
		if (!slowest || disruptor_stage_position(s) < disruptor_stage_position(slowest))
			slowest = s;
	if (say_what_is_unreleased(d, DISRUPTOR_E_TIMEOUT))
		return DISRUPTOR_E_TIMEOUT;
	if (!slowest)
		return error_set(DISRUPTOR_E_TIMEOUT, "its stages have left, its threads not yet");
	return error_set(DISRUPTOR_E_TIMEOUT, "stage '%s' is at position %llu, %llu before the end",
			 slowest->name, (unsigned long long)disruptor_stage_position(slowest),
			 (unsigned long long)(end - disruptor_stage_position(slowest)));
}

/* The monitor is held. */
static int await_end(struct disruptor *d, enum disruptor_stop_mode mode, uint64_t deadline)
{
	const uint64_t run = d->starts;

	if (!await_runs(d, deadline)) {
		if (mode != DISRUPTOR_DRAIN_THEN_HALT)
			return say_what_is_left(d);
		halt_all(d);
		(void)await_runs(d, DISRUPTOR_FOREVER);
	}
	if (d->starts != run)
		return 0; /* another thread has stopped it, and started the next run */
	HOOK(HOOK_STOP_ENDED);
	if (d->active)
		join_all(d);
	hear_failure(d); /* who was told to stop has not looked */
	if (d->state == DISRUPTOR_FAILED)
		return ring_failed_by(&d->failure);
	d->state = DISRUPTOR_STOPPED;
	os_broadcast(&d->monitor);
	(void)say_what_is_unreleased(d, 0);
	return 0;
}

/* E_DEADLK in a thread that the end waits for. Monitor held. */
static int may_await_end(const struct disruptor *d)
{
	if (!graph_is_own_thread(d))
		return 0;
	return error_set(
		DISRUPTOR_E_DEADLK,
		"a stage, or the watchdog, cannot wait for its own end; answer DISRUPTOR_STOP, or use "
		"disruptor_stage_stop()");
}

/* Let the runs end, by @p mode: nothing more comes for them. Monitor held. */
static void ask_to_end(struct disruptor *d, enum disruptor_stop_mode mode)
{
	if (!d->borrows)
		disruptor_ring_close(d->ring);
	HOOK(HOOK_STOP_CLOSED);
	if (mode == DISRUPTOR_NOW)
		halt_all(d);
	for_each_stage (s, d)
		if (d->borrows && mode != DISRUPTOR_NOW)
			consumer_end_at_claimed(&s->consumer);
}

int disruptor_stop(struct disruptor *d, enum disruptor_stop_mode mode, uint64_t deadline)
{
	int rc;

	if ((unsigned)mode > DISRUPTOR_DRAIN_THEN_HALT)
		return error_set(DISRUPTOR_E_INVAL, "mode: %d is none", (int)mode);
	os_lock(&d->monitor);
	rc = may_await_end(d);
	if (rc == 0 && d->active) {
		if (d->state == DISRUPTOR_RUNNING || d->state == DISRUPTOR_STARTING)
			d->state = DISRUPTOR_DRAINING;
		ask_to_end(d, mode);
		rc = await_end(d, mode, deadline);
	}
	os_unlock(&d->monitor);
	watchdog_stop(d);
	return rc;
}

int disruptor_join(struct disruptor *d, uint64_t deadline)
{
	int rc;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	os_lock(&d->monitor);
	rc = may_await_end(d);
	if (rc == 0 && d->active)
		rc = await_end(d, DISRUPTOR_DRAIN, deadline);
	os_unlock(&d->monitor);
	watchdog_stop(d);
	return rc;
}
