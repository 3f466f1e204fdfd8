/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A thread that runs stages. With one it waits as that stage asks. With several
 * it goes round, a batch of each, in the order of the graph; when a whole round
 * has moved nothing it sleeps until one of them can go on.
 */
#include "error.h"
#include "graph/graph_internal.h"
#include "wait/core.h"

static struct disruptor_stage *stage_of(const struct graph_worker *w, uint32_t i)
{
	return w->owner->order[w->first + i];
}

/* Of stages that were taken but have not run: let others run them. */
static void give_back(struct graph_worker *w, uint32_t count)
{
	while (count > 0) {
		struct disruptor_stage *s = stage_of(w, --count);

		s->ended = true;
		/* OWNER.release: the consumer's private state, to whoever runs it next */
		disruptor_store_release(&s->running, 0u);
	}
}

int worker_open(struct graph_worker *w)
{
	struct group_member *members = &w->owner->members[w->first];
	int rc;

	w->spins = UINT32_MAX;
	w->live = 0;
	if (w->count == 1 && !w->owner->driven)
		return 0;
	for (uint32_t i = 0; i < w->count; i++)
		if (!stage_take(stage_of(w, i))) {
			rc = error_set(DISRUPTOR_E_STATE, "stage '%s' runs in another thread",
				       stage_of(w, i)->name);
			give_back(w, i);
			return rc;
		}
	for (uint32_t i = 0; i < w->count; i++)
		members[i] = (struct group_member){ .consumer = &stage_of(w, i)->consumer };
	rc = group_open(&w->group, members, w->count);
	w->grouped = rc == 0;
	if (rc != 0)
		give_back(w, w->count);
	return rc;
}

void worker_close(struct graph_worker *w, bool ran)
{
	if (!w->grouped)
		return;
	group_close(&w->group);
	w->grouped = false;
	if (!ran)
		give_back(w, w->count);
}

/* ---- holds: the stages that the calling thread runs ---- */

void worker_enter(struct graph_worker *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (!stage_of(w, i)->ended)
			ring_hold_push(&stage_of(w, i)->hold);
}

void worker_leave(struct graph_worker *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (!stage_of(w, i)->ended)
			ring_hold_pop(&stage_of(w, i)->hold);
}

/* ---- running several ---- */

static void end(struct graph_worker *w, uint32_t i)
{
	(void)stage_finish(stage_of(w, i));
	group_drop(&w->group, i);
	w->live--;
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
	uint64_t timeout = s->consumer.ring->consumer_table[s->consumer.index].wait.timeout_ns;
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

/* One batch of one stage, or its end; true if it moved. */
static bool step(struct graph_worker *w, uint32_t i, uint64_t most)
{
	struct disruptor_stage *s = stage_of(w, i);
	enum stage_progress p;

	if (s->ended)
		return false;
	p = stage_step(s, most);
	if (p == STAGE_IDLE)
		p = rest(s);
	else
		s->idle_at = 0;
	if (p == STAGE_ENDED)
		end(w, i);
	return p != STAGE_IDLE;
}

uint64_t worker_round(struct graph_worker *w, uint64_t budget, bool *moved)
{
	uint64_t handled = 0;

	*moved = false;
	for (uint32_t i = 0; i < w->count && handled < budget; i++) {
		const struct disruptor_consumer *c = &stage_of(w, i)->consumer;
		uint64_t before = c->next;

		if (step(w, i, budget - handled)) {
			*moved = true;
			handled += c->next - before;
		}
	}
	return handled;
}

/* When a stage is to be looked at though nothing wakes its thread. */
static uint64_t next_idle(const struct graph_worker *w, uint64_t deadline)
{
	for (uint32_t i = 0; i < w->count; i++) {
		const struct disruptor_stage *s = stage_of(w, i);

		if (!s->ended && s->idle_at != 0 && s->idle_at < deadline)
			deadline = s->idle_at;
		if (!s->ended && s->linger_at != 0 && s->linger_at < deadline)
			deadline = s->linger_at;
	}
	return deadline;
}

static void wait_failed(struct graph_worker *w, int code)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (!stage_of(w, i)->ended)
			stage_wait_failed(stage_of(w, i), code);
}

bool worker_wait(struct graph_worker *w, uint64_t deadline)
{
	struct disruptor *d = w->owner;
	struct disruptor_wait policy = wait_choose(&d->executor.wait, &d->ring->wait);
	atomic_word *sleeps = &stage_of(w, 0)->consumer.gate->sleeps;
	int64_t found;

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

	os_lock(&d->monitor);
	w->thread_id = 0;
	for (uint32_t i = 0; i < w->count; i++)
		stage_of(w, i)->reported = true;
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

	os_lock(&w->owner->monitor);
	w->thread_id = os_thread_id();
	os_unlock(&w->owner->monitor);
	if (w->grouped)
		run_several(w);
	else
		(void)disruptor_stage_run(stage_of(w, 0));
	worker_ended(w);
	return NULL;
}
