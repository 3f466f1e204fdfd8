/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A thread that runs stages. With one it waits as that stage asks. With several
 * it goes round, a batch of each, in the order of the graph; when a whole round
 * has moved nothing it sleeps until one of them can go on.
 */
#include "error.h"
#include "hook.h"
#include "graph/graph_internal.h"
#include "wait/core.h"

/* Its @p i th stage; NULL once that has ended, and may have been detached. */
static struct disruptor_stage *stage_of(const struct graph_worker *w, uint32_t i)
{
	return w->owner->order[w->first + i];
}

/* One with a single stage waits as that asks; the others for all of theirs at once. */
static bool is_grouped(const struct graph_worker *w)
{
	return w->count > 1 || w->owner->driven;
}

static void give_back(struct graph_worker *w, uint32_t count)
{
	while (count > 0)
		stage_give_back(stage_of(w, --count));
}

int worker_open(struct graph_worker *w)
{
	struct group_member *members = &w->owner->members[w->first];
	int rc = 0;

	w->spins = UINT32_MAX;
	w->live = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		if (!stage_take(stage_of(w, i))) {
			rc = error_set(DISRUPTOR_E_STATE, "stage '%s' runs in another thread",
				       stage_of(w, i)->name);
			give_back(w, i);
			return rc;
		}
		members[i] = (struct group_member){ .consumer = &stage_of(w, i)->consumer };
	}
	if (is_grouped(w))
		rc = group_open(&w->group, members, w->count);
	w->opened = rc == 0;
	if (rc != 0)
		give_back(w, w->count);
	return rc;
}

void worker_close(struct graph_worker *w, bool ran)
{
	if (!w->opened)
		return;
	if (is_grouped(w))
		group_close(&w->group);
	w->opened = false;
	if (!ran)
		give_back(w, w->count);
}

/* ---- holds: the stages that the calling thread runs ---- */

void worker_enter(struct graph_worker *w)
{
	w->cancel_before = os_cancel_off();
	for (uint32_t i = 0; i < w->count; i++)
		if (stage_of(w, i))
			ring_hold_push(&stage_of(w, i)->hold);
}

void worker_leave(struct graph_worker *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (stage_of(w, i))
			ring_hold_pop(&stage_of(w, i)->hold);
	os_cancel_back(w->cancel_before);
}

/* ---- running several ---- */

static void end(struct graph_worker *w, uint32_t i)
{
	struct disruptor_stage *s = stage_of(w, i);

	group_drop(&w->group, i);
	w->owner->order[w->first + i] = NULL;
	w->live--;
	(void)stage_finish(s); /* from then on it may be detached */
}

/* Behind the others, or if all places are used in that of one which has ended. */
static uint32_t free_place(const struct graph_worker *w)
{
	uint32_t i = 0;

	if (w->count < w->owner->stage_max)
		return w->count;
	while (stage_of(w, i))
		i++;
	return i;
}

void worker_add(struct graph_worker *w, struct disruptor_stage *s)
{
	struct disruptor *d = w->owner;
	uint32_t at = free_place(w);
	struct group_member *m = &d->members[at];
	/* in a handler the calling thread drives already; else it does for the moment */
	bool inside = w->thread_id == os_thread_id();
	int cancel_before = os_cancel_off();

	d->driving = true;
	w->thread_id = os_thread_id();
	os_unlock(&d->monitor);
	s->worker = 0;
	d->order[at] = s;
	*m = (struct group_member){ .consumer = &s->consumer, .watch.parker = &w->group.parker };
	watch_add(d->ring, &m->watch);
	ring_hold_push(&s->hold);
	if (at == w->count)
		w->group.count = ++w->count;
	w->live++;
	if (stage_begin(s) == STAGE_ENDED)
		end(w, at);
	else if (!inside)
		ring_hold_pop(&s->hold);
	os_cancel_back(cancel_before);
	os_lock(&d->monitor);
	if (inside)
		return;
	d->driving = false;
	w->thread_id = 0;
	os_broadcast(&d->monitor);
}

void worker_begin(struct graph_worker *w)
{
	w->live = w->count;
	for (uint32_t i = 0; i < w->count; i++)
		if (stage_begin(stage_of(w, i)) == STAGE_ENDED)
			end(w, i);
}

/* A stage without events: on_idle once its strategy's timeout has passed, and again. */
static enum stage_progress rest(struct disruptor_stage *s)
{
	uint64_t timeout = s->consumer.ring->own_consumers[s->consumer.index].wait.timeout_ns;
	enum stage_progress p = STAGE_IDLE;

	if (timeout == 0 || !s->handler.on_idle)
		return STAGE_IDLE;
	if (s->idle_at != 0 && os_now() >= s->idle_at) {
		p = stage_idle(s);
		s->idle_at = 0;
	}
	if (s->idle_at == 0)
		s->idle_at = disruptor_in(timeout);
	return p == STAGE_ENDED ? STAGE_ENDED : STAGE_IDLE;
}

/* One batch of one stage, or its end; how many positions it moved, and whether it did. */
static uint64_t step(struct graph_worker *w, uint32_t i, uint64_t most, bool *moved)
{
	struct disruptor_stage *s = stage_of(w, i);
	enum stage_progress p;
	uint64_t passed;

	if (!s)
		return 0;
	p = stage_step(s, most);
	passed = s->moved;
	if (p == STAGE_IDLE)
		p = rest(s);
	else
		s->idle_at = 0;
	if (p == STAGE_ENDED)
		end(w, i);
	*moved |= p != STAGE_IDLE;
	return passed;
}

uint64_t worker_round(struct graph_worker *w, uint64_t budget, bool *moved)
{
	uint64_t handled = 0;

	*moved = false;
	for (uint32_t i = 0; i < w->count && handled < budget; i++)
		handled += step(w, i, budget - handled, moved);
	return handled;
}

/* When a stage is to be looked at though nothing wakes its thread. */
static uint64_t next_idle(const struct graph_worker *w, uint64_t deadline)
{
	for (uint32_t i = 0; i < w->count; i++) {
		const struct disruptor_stage *s = stage_of(w, i);

		if (s && s->idle_at != 0 && s->idle_at < deadline)
			deadline = s->idle_at;
		if (s && s->linger_at != 0 && s->linger_at < deadline)
			deadline = s->linger_at;
	}
	return deadline;
}

static void wait_failed(struct graph_worker *w, int code)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (stage_of(w, i))
			stage_wait_failed(stage_of(w, i), code);
}

bool worker_wait(struct graph_worker *w, uint64_t deadline)
{
	struct disruptor *d = w->owner;
	struct disruptor_wait policy = wait_choose(&d->executor.wait, &d->ring->wait);
	atomic_word *sleeps;
	uint32_t i = 0;
	int64_t found;

	while (!stage_of(w, i))
		i++;
	sleeps = &stage_of(w, i)->consumer.gate->sleeps;
	policy.timeout_ns = 0; /* each stage's own is looked after by rest() */
	found = group_wait(&w->group, d->ring, &policy, &w->spins, sleeps, next_idle(w, deadline));
	if (found == DISRUPTOR_E_TIMEOUT)
		return deadline == DISRUPTOR_FOREVER || os_now() < deadline;
	if (found < 0)
		wait_failed(w, (int)found);
	return true;
}

/* ---- the thread ---- */

static void worker_ended(struct graph_worker *w)
{
	struct disruptor *d = w->owner;

	HOOK(HOOK_WORKER_ENDED);
	os_lock(&d->monitor);
	w->thread_id = 0;
	d->alive--;
	os_broadcast(&d->monitor);
	os_unlock(&d->monitor);
}

static void run_several(struct graph_worker *w)
{
	bool moved;

	worker_enter(w);
	worker_begin(w);
	while (w->live > 0) {
		(void)worker_round(w, UINT64_MAX, &moved);
		if (!moved && w->live > 0)
			(void)worker_wait(w, DISRUPTOR_FOREVER);
	}
	worker_leave(w);
}

void *worker_thread(void *worker)
{
	struct graph_worker *w = worker;

	(void)os_cancel_off(); /* handlers run here; a stop waits for their end */
	os_lock(&w->owner->monitor);
	w->thread_id = os_thread_id();
	os_unlock(&w->owner->monitor);
	if (is_grouped(w))
		run_several(w);
	else
		(void)stage_run(stage_of(w, 0));
	worker_ended(w);
	return NULL;
}
