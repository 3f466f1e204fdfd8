/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stages that come and go while the others run. */
#include "error.h"
#include "hook.h"
#include "graph/check.h"
#include "graph/graph_internal.h"
#include "graph/pool.h"
#include "ring/deferred.h"

/* ---- coming ---- */

static int check_place(const struct disruptor *d, const struct disruptor_attach *how)
{
	if (how->after_count > DISRUPTOR_MAX_CONSUMERS || (how->after_count && !how->after))
		return error_set(DISRUPTOR_E_INVAL, "after: %s, but after_count is %zu",
				 how->after ? "at most 64" : "NULL", how->after_count);
	if (how->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", how->reserved);
	for (size_t i = 0; i < how->after_count; i++)
		if (!how->after[i] || how->after[i]->owner != d || !how->after[i]->used)
			return error_set(DISRUPTOR_E_INVAL,
					 "after[%zu]: not a stage of this disruptor", i);
	for (size_t i = 0; i < how->after_count; i++)
		for (size_t k = 0; k < i; k++)
			if (how->after[k] == how->after[i])
				return error_set(DISRUPTOR_E_INVAL,
						 "after[%zu]: '%s' is listed twice", i,
						 how->after[i]->name);
	return 0;
}

int attach_allowed(const struct disruptor *d)
{
	if (d->state == DISRUPTOR_STARTING || d->state == DISRUPTOR_DRAINING ||
	    d->state == DISRUPTOR_FAILED)
		return error_set(DISRUPTOR_E_STATE, "it is %s: no stage can join it",
				 disruptor_state_name(d->state));
	if (d->active && d->checked)
		return error_set(DISRUPTOR_E_STATE, "no stage can join a checked run");
	if (d->driving && d->workers[0].thread_id != os_thread_id())
		return error_set(DISRUPTOR_E_BUSY, "another thread drives it");
	if (d->active && d->driven && d->alive == 0)
		return error_set(DISRUPTOR_E_STATE, "every stage has ended: stop it first");
	return 0;
}

/* A worker that runs nothing, with a place in the order for one stage. NULL with the detail set. */
static struct graph_worker *take_worker(struct disruptor *d)
{
	uint64_t taken = 0;
	uint32_t i = 0;

	for (uint32_t k = 0; k < d->worker_count; k++)
		for (uint32_t n = 0; d->workers[k].made && n < d->workers[k].count; n++)
			taken |= UINT64_C(1) << (d->workers[k].first + n);
	while (i < d->worker_count && d->workers[i].made)
		i++;
	if (i == d->stage_max || !~taken || (uint32_t)__builtin_ctzll(~taken) >= d->stage_max) {
		(void)error_set(DISRUPTOR_E_BUSY,
				"threads of %u stages have to be joined first, by a stop",
				d->stage_max);
		return NULL;
	}
	if (i == d->worker_count)
		d->worker_count++;
	d->workers[i].owner = d;
	d->workers[i].first = (uint32_t)__builtin_ctzll(~taken);
	d->workers[i].count = 1;
	d->workers[i].attached = true;
	return &d->workers[i];
}

static int begin_thread(struct disruptor *d, struct disruptor_stage *s)
{
	struct graph_worker *w = take_worker(d);
	const uint64_t run = d->starts;
	int rc;

	if (!w)
		return DISRUPTOR_E_BUSY;
	d->order[w->first] = s;
	s->worker = (uint32_t)(w - d->workers);
	rc = worker_open(w);
	if (rc == 0)
		rc = worker_make_thread(w);
	if (rc != 0) {
		worker_close(w, false);
		w->count = 0;
		return rc;
	}
	while (!s->reported && d->starts == run)
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	return 0;
}

/* Let what was taken be taken again by the next start. */
static void forget_thread(struct disruptor *d, struct disruptor_stage *s)
{
	struct graph_worker *w = &d->workers[s->worker];

	if (!d->active || d->driven || s->is_head)
		return;
	if (!w->made || w->leaving || w->count != 1 || d->order[w->first] != s)
		return;
	w->leaving = true;
	os_unlock(&d->monitor); /* it takes the monitor at its end */
	HOOK(HOOK_JOINING);
	os_thread_join(&w->thread);
	os_lock(&d->monitor);
	w->leaving = false;
	w->made = false;
	worker_close(w, true);
	w->count = 0;
	os_broadcast(&d->monitor);
}

int attach_begin(struct disruptor_stage *s)
{
	struct disruptor *d = s->owner;
	const uint64_t run = d->starts;
	int rc = 0;

	if (!d->active)
		return 0;
	s->attaching = true;
	if (d->driven) {
		(void)stage_take(s);
		worker_add(&d->workers[0], s);
	} else {
		rc = begin_thread(d, s);
	}
	/* a start since then has counted it in, and tells itself what fails */
	if (rc == 0 && s->failed_to_start && d->starts == run) {
		forget_thread(d, s); /* it may still be about to write down its result */
		rc = error_set(DISRUPTOR_E_FAILED, "stage '%s': on_start answered %d", s->name,
			       s->result);
	}
	return rc;
}

static void remove_stage(struct disruptor_stage *s)
{
	if (is_worker(s)) {
		/* its hand, which is open, stays in the pool's sight until the pool goes */
		s->retired = true;
		return;
	}
	graph_leave_ring(s);
	s->used = false;
	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++) {
		consumer_detach(&s->pool->workers[i]->consumer);
		s->pool->workers[i]->used = false;
	}
	if (s->is_head)
		pool_release(s->owner, s->pool);
	os_broadcast(&s->owner->monitor);
}

struct disruptor_stage *disruptor_attach(struct disruptor *d, const struct disruptor_handler *given,
					 const struct disruptor_attach *where)
{
	const struct disruptor_consumer *after[DISRUPTOR_MAX_CONSUMERS];
	struct disruptor_attach how = { .size = sizeof(how) };
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	struct disruptor_stage *s = NULL;
	struct disruptor_handler handler;

	if (!d) {
		(void)error_set(DISRUPTOR_E_INVAL, "d: NULL");
		return NULL;
	}
	if (where && ring_copy_options("attach", &how, sizeof(how), where) != 0)
		return NULL;
	if (graph_copy_handler(&handler, given) != 0)
		return NULL;
	os_lock(&d->monitor);
	if (attach_allowed(d) != 0 || check_place(d, &how) != 0)
		goto out;
	for (size_t i = 0; i < how.after_count; i++)
		after[i] = &how.after[i]->consumer;
	options.after = after;
	options.after_count = how.after_count;
	options.after_names = how.after_names;
	options.after_name_count = how.after_name_count;
	options.at = how.at;
	options.position = how.position;
	s = graph_add(d, &handler, &options);
	if (s && (check_order(d) != 0 || attach_begin(s) != 0)) {
		remove_stage(s);
		s = NULL;
	}
out:
	os_unlock(&d->monitor);
	return s;
}

/* ---- going ---- */

/* NOLINTNEXTLINE(misc-no-recursion): a pool asks its workers, which are no pools */
static bool runs_here(const struct disruptor_stage *s)
{
	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
		if (runs_here(s->pool->workers[i]))
			return true;
	return is_unit(s) && s->owner->workers[s->worker].thread_id == os_thread_id();
}

/* The monitor is held. */
static int may_detach(const struct disruptor_stage *s)
{
	const struct disruptor *d = s->owner;

	if (d->state == DISRUPTOR_STARTING)
		return error_set(DISRUPTOR_E_STATE, "it is STARTING: no stage can leave it");
	if (d->active && d->checked)
		return error_set(DISRUPTOR_E_STATE, "no stage can leave a checked run");
	if (is_worker(s) && s->pool->key)
		return error_set(DISRUPTOR_E_UNSUPPORTED,
				 "worker '%s' has keys that nobody else handles: detach the pool",
				 s->name);
	if (d->active && runs_here(s))
		return error_set(DISRUPTOR_E_DEADLK,
				 "stage '%s' runs in this thread, which cannot wait for its end",
				 s->name);
	if (!d->active && disruptor_stage_running(s))
		return error_set(DISRUPTOR_E_STATE, "stage '%s' runs in a thread of the caller's",
				 s->name);
	return 0;
}

/* Wait for the end of its run; false at the deadline. The monitor is held. */
static bool await_its_end(struct disruptor_stage *s, uint64_t deadline)
{
	struct disruptor *d = s->owner;

	while (disruptor_stage_running(s)) {
		if (d->driven && !d->driving)
			poll_until_ended(d, s, deadline);
		else
			(void)os_monitor_wait(&d->monitor, deadline);
		if (disruptor_stage_running(s) && deadline != DISRUPTOR_FOREVER &&
		    os_now() >= deadline)
			return false;
	}
	return true;
}

/* The monitor is held. */
static int end_run(struct disruptor_stage *s, enum disruptor_stop_mode mode, uint64_t deadline)
{
	if (mode == DISRUPTOR_NOW)
		disruptor_stage_stop(s);
	else if (!s->is_head)
		consumer_end_at_claimed(&s->consumer);
	for (uint32_t i = 0; mode != DISRUPTOR_NOW && s->is_head && i < s->pool->count; i++)
		consumer_end_at_claimed(&s->pool->workers[i]->consumer);
	if (await_its_end(s, deadline))
		return 0;
	if (mode == DISRUPTOR_DRAIN_THEN_HALT) {
		disruptor_stage_stop(s);
		(void)await_its_end(s, DISRUPTOR_FOREVER);
		return 0;
	}
	return error_set(DISRUPTOR_E_TIMEOUT, "stage '%s' is at position %llu and has not ended",
			 s->name, (unsigned long long)disruptor_stage_position(s));
}

int disruptor_detach(struct disruptor_stage *s, enum disruptor_stop_mode mode, uint64_t deadline)
{
	struct disruptor *d;
	uint64_t unreleased;
	int rc;

	if (!s || (unsigned)mode > DISRUPTOR_DRAIN_THEN_HALT)
		return error_set(DISRUPTOR_E_INVAL, s ? "mode: %d is none" : "stage: NULL",
				 (int)mode);
	d = s->owner;
	os_lock(&d->monitor);
	rc = may_detach(s);
	d->leavers++;
	if (rc == 0 && disruptor_stage_running(s))
		rc = end_run(s, mode, deadline);
	if (rc == 0) {
		HOOK(HOOK_ENDED_ALONE);
		unreleased = deferred_unreleased(&s->consumer);
		if (unreleased)
			(void)error_set(0,
					"stage '%s' had read %llu positions that nobody released",
					s->name, (unsigned long long)unreleased);
		for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
			forget_thread(d, s->pool->workers[i]);
		forget_thread(d, s);
		remove_stage(s);
	}
	d->leavers--;
	os_broadcast(&d->monitor);
	os_unlock(&d->monitor);
	return rc;
}
