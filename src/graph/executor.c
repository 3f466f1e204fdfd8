/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Which thread runs which stage: worked out at each start, since the stages, the
 * affinity mask and the quota may have changed.
 */
#include "error.h"
#include "graph/graph_internal.h"
#include "graph/pool.h"
#include "wait/core.h"

#include <stdio.h>
#include <string.h>

/* ---- what the caller asks for ---- */

static bool has_table(const struct disruptor_executor *e)
{
	return e->mapping == DISRUPTOR_MAP_SHARED || e->mapping == DISRUPTOR_MAP_PLACED;
}

static int check_thread(const struct disruptor_thread *t, uint32_t i)
{
	char number[16], name[32];
	struct os_thread_plan plan = { .what = "thread",
				       .name = number,
				       .cpus = t->cpus,
				       .scheduling = t->scheduling,
				       .priority = t->priority,
				       .stack_size = t->stack_size };
	int rc;

	(void)snprintf(number, sizeof(number), "%u", i);
	rc = t->name ? ring_name(&name, t->name, "") : 0;
	if (rc == 0 && t->cpus && strlen(t->cpus) >= sizeof(((struct graph_worker *)0)->cpus))
		rc = error_set(DISRUPTOR_E_INVAL, "thread '%u': cpus: more than %zu bytes", i,
			       sizeof(((struct graph_worker *)0)->cpus) - 1);
	return rc != 0 ? rc : os_thread_check(&plan);
}

static int check_executor(const struct disruptor *d, const struct disruptor_executor *e)
{
	if ((unsigned)e->mapping > DISRUPTOR_MAP_NONE)
		return error_set(DISRUPTOR_E_INVAL, "executor: mapping: %d is none",
				 (int)e->mapping);
	if (has_table(e) ? e->threads == 0 || e->threads > d->stage_max : e->threads != 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "executor: threads: %u; with SHARED and PLACED it is 1 … "
				 "max_consumers (%u), else 0",
				 e->threads, d->stage_max);
	if (e->thread && !has_table(e))
		return error_set(DISRUPTOR_E_INVAL,
				 "executor: thread: only with the mappings SHARED and PLACED");
	for (uint32_t i = 0; e->thread && i < e->threads; i++) {
		int rc = check_thread(&e->thread[i], i);

		if (rc != 0)
			return rc;
	}
	return wait_check("executor: wait", &e->wait);
}

/* While it runs, threads are as they are. Monitor held. */
static int refuse_if_active(const struct disruptor *d)
{
	if (!d->active && d->state != DISRUPTOR_STARTING)
		return 0;
	return error_set(DISRUPTOR_E_STATE, "threads are fixed while it is %s: stop it first",
			 disruptor_state_name(d->state));
}

static void copy_threads(struct disruptor *d, const struct disruptor_executor *e)
{
	for (uint32_t i = 0; i < d->stage_max; i++) {
		struct graph_worker *w = &d->workers[i];

		w->plan = e->thread && i < e->threads ? e->thread[i]
						      : (struct disruptor_thread){ 0 };
		w->name[0] = w->cpus[0] = '\0';
		if (w->plan.name)
			(void)ring_name(&w->name, w->plan.name, "");
		if (w->plan.cpus)
			memcpy(w->cpus, w->plan.cpus, strlen(w->plan.cpus) + 1);
		w->plan.name = NULL;
		w->plan.cpus = w->cpus[0] ? w->cpus : NULL;
	}
}

int disruptor_set_executor(struct disruptor *d, const struct disruptor_executor *given)
{
	struct disruptor_executor known;
	int rc;

	if (!d || !given)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "executor" : "d");
	rc = ring_copy_options("executor", &known, sizeof(known), given);
	if (rc == 0)
		rc = check_executor(d, &known);
	if (rc != 0)
		return rc;
	os_lock(&d->monitor);
	rc = refuse_if_active(d);
	if (rc == 0) {
		copy_threads(d, &known);
		d->executor = known;
		d->executor.thread = NULL;
	}
	os_unlock(&d->monitor);
	return rc;
}

/* What cannot be had on a thread that is shared. */
static bool wants_own(const struct disruptor_stage *s)
{
	return s->handler.cpus || s->handler.stack_size ||
	       s->handler.scheduling != DISRUPTOR_SCHEDULE_INHERIT;
}

static int check_placed(const struct disruptor_stage *s)
{
	if (s->retired || !wants_own(s))
		return 0;
	return error_set(DISRUPTOR_E_INVAL,
			 "stage '%s': cpus, scheduling and stack_size are its thread's when it is "
			 "placed: set them in the executor",
			 s->name);
}

/* All of a pool's workers, or none. */
int disruptor_place(struct disruptor_stage *s, uint32_t thread)
{
	uint32_t workers;
	int rc;

	if (!s)
		return error_set(DISRUPTOR_E_INVAL, "stage: NULL");
	os_lock(&s->owner->monitor);
	workers = s->is_head ? s->pool->count : 0;
	rc = refuse_if_active(s->owner);
	if (rc == 0)
		rc = check_placed(s);
	for (uint32_t i = 0; rc == 0 && i < workers; i++)
		rc = check_placed(s->pool->workers[i]);
	for (uint32_t i = 0; rc == 0 && i < workers; i++)
		s->pool->workers[i]->placed = thread;
	if (rc == 0)
		s->placed = thread;
	os_unlock(&s->owner->monitor);
	return rc;
}

uint32_t disruptor_thread_count(const struct disruptor *d)
{
	struct disruptor *locked = (struct disruptor *)d;
	uint32_t count = 0;

	os_lock(&locked->monitor);
	for (uint32_t i = 0; i < d->worker_count; i++)
		count += d->workers[i].made;
	os_unlock(&locked->monitor);
	return count;
}

uint32_t disruptor_stage_thread(const struct disruptor_stage *s)
{
	struct disruptor *locked = s->owner;
	uint32_t worker;

	os_lock(&locked->monitor);
	worker = s->worker;
	os_unlock(&locked->monitor);
	return worker;
}

/* ---- the order of the graph ---- */

static uint64_t upstreams_of(const struct disruptor *d, const struct disruptor_stage *s)
{
	/* relaxed (lock): fixed while the monitor is held and nothing runs */
	uint64_t of = disruptor_load_relaxed(&d->ring->gates[s->consumer.index].upstreams);

	/* who comes after a pool comes after its workers */
	for (const struct graph_pool *p = d->pools; p; p = p->next)
		for (uint32_t i = 0; of >> p->head->consumer.index & 1 && i < p->count; i++)
			of |= UINT64_C(1) << p->workers[i]->consumer.index;
	return of;
}

/*
 * Into d->order so that each stage stands behind those it comes after, and if it can right behind
 * the last of them: what shares a thread then finds the events in the cache.
 */
static void sort_stages(struct disruptor *d)
{
	uint64_t waiting = 0; /* gates of stages not yet placed */
	uint32_t n = 0;

	for_each_stage (s, d)
		if (is_unit(s))
			waiting |= UINT64_C(1) << s->consumer.index;
	while (waiting) {
		uint64_t last = n ? UINT64_C(1) << d->order[n - 1]->consumer.index : 0;
		struct disruptor_stage *next = NULL;

		for_each_stage (s, d) {
			uint64_t ups = upstreams_of(d, s);

			if (!(waiting >> s->consumer.index & 1) || (ups & waiting))
				continue;
			if (!next)
				next = s;
			if (ups & last) {
				next = s;
				break;
			}
		}
		d->order[n++] = next;
		/* a graph has no cycles, so there was one */
		/* cppcheck-suppress nullPointer */
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		waiting &= ~(UINT64_C(1) << next->consumer.index);
	}
}

/* ---- mapping ---- */

static uint32_t count_stages(struct disruptor *d, bool own)
{
	uint32_t n = 0;

	for_each_stage (s, d)
		n += is_unit(s) && (!own || wants_own(s));
	return n;
}

/* Each a worker of its own, in the order in which they were added. */
static uint32_t map_dedicated(struct disruptor *d)
{
	uint32_t n = 0;

	for_each_stage (s, d)
		if (is_unit(s))
			s->worker = n++;
	return n;
}

/* @p threads shared ones, contiguous in d->order, and one for each stage that wants its own. */
static uint32_t map_shared(struct disruptor *d, uint32_t threads)
{
	uint32_t stages = count_stages(d, false);
	uint32_t shared = stages - count_stages(d, true);
	uint32_t own, k = 0;

	if (threads > shared)
		threads = shared;
	own = threads;
	for (uint32_t i = 0; i < stages; i++) {
		struct disruptor_stage *s = d->order[i];

		/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): this one is among the shared */
		s->worker = wants_own(s) ? own++ : k++ * threads / shared;
	}
	return own;
}

static uint32_t map_auto(struct disruptor *d)
{
	uint32_t stages = count_stages(d, false), own = count_stages(d, true);
	uint32_t cores = os_cores();
	uint32_t free_cores = cores > 1 ? cores - 1 : 1; /* one is the producer's */

	if (stages <= free_cores)
		return map_dedicated(d);
	return map_shared(d, free_cores > own ? free_cores - own : 1);
}

static int map_placed(struct disruptor *d)
{
	for_each_stage (s, d) {
		if (!is_unit(s))
			continue;
		if (s->placed == WORKER_NONE)
			return error_set(DISRUPTOR_E_INVAL,
					 "stage '%s' has no place: disruptor_place() it", s->name);
		if (s->placed >= d->executor.threads)
			return error_set(DISRUPTOR_E_INVAL,
					 "stage '%s' is placed on thread %u of %u", s->name,
					 s->placed, d->executor.threads);
		s->worker = s->placed;
	}
	d->worker_count = d->executor.threads;
	return 0;
}

/* Whether all the workers of each shared pool run on one thread: who of them waits, waits for all. */
static void find_lone_pools(struct disruptor *d)
{
	for (struct graph_pool *p = d->pools; p; p = p->next) {
		p->on_one_thread = true;
		for (uint32_t i = 0; i < p->count; i++)
			if (is_unit(p->workers[i]) &&
			    p->workers[i]->worker != p->workers[0]->worker)
				p->on_one_thread = false;
	}
}

/* From each stage's worker, each worker's stages. */
static void gather(struct disruptor *d)
{
	struct disruptor_stage *sorted[DISRUPTOR_MAX_CONSUMERS];
	uint32_t stages = count_stages(d, false), n = 0;

	for (uint32_t i = 0; i < stages; i++)
		sorted[i] = d->order[i];
	for (uint32_t i = 0; i < d->worker_count; i++) {
		struct graph_worker *w = &d->workers[i];

		w->owner = d;
		w->attached = false;
		w->first = n;
		for (uint32_t k = 0; k < stages; k++)
			if (sorted[k]->worker == i)
				d->order[n++] = sorted[k];
		w->count = n - w->first;
	}
}

int executor_map(struct disruptor *d)
{
	int rc = 0;

	sort_stages(d);
	d->driven = d->executor.mapping == DISRUPTOR_MAP_NONE;
	switch (d->executor.mapping) {
	case DISRUPTOR_MAP_DEDICATED:
		d->worker_count = map_dedicated(d);
		break;
	case DISRUPTOR_MAP_SHARED:
		d->worker_count = map_shared(d, d->executor.threads);
		break;
	case DISRUPTOR_MAP_PLACED:
		rc = map_placed(d);
		break;
	case DISRUPTOR_MAP_NONE:
		for_each_stage (s, d)
			s->worker = 0;
		d->worker_count = 1;
		break;
	default:
		d->worker_count = map_auto(d);
	}
	if (rc == 0) {
		gather(d);
		find_lone_pools(d);
	}
	return rc;
}

struct os_thread_plan executor_plan(const struct graph_worker *w)
{
	const struct disruptor_stage *s = w->owner->order[w->first];
	const bool own = w->attached || wants_own(s);
	const bool named = w->name[0] && !own;
	struct os_thread_plan plan = { .what = "thread",
				       .name = named ? w->name : s->name,
				       .cpus = w->plan.cpus,
				       .scheduling = w->plan.scheduling,
				       .priority = w->plan.priority,
				       .stack_size = w->plan.stack_size };

	if (w->count == 1 && !named)
		plan.what = "stage";
	if (own) {
		plan.cpus = s->handler.cpus;
		plan.scheduling = s->handler.scheduling;
		plan.priority = s->handler.priority;
		plan.stack_size = s->handler.stack_size;
	}
	return plan;
}
