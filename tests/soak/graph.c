/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A graph at random: made by its seed, disturbed while it runs, and checked at its end. */
#define _POSIX_C_SOURCE 200809L
#include "soak.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = { "plain", "spans", "deferred", "latest",
					  "pool",  "keyed", "later" };
/* How long anything that has to end may take. */
#define PATIENCE UINT64_C(120000000000)

/* Mostly those that give way: there are more threads than cores. */
struct disruptor_wait random_wait(uint64_t *random)
{
	struct disruptor_wait w = fixture_wait(next_random(random) % FIXTURE_WAITS);
	bool spins = w.kind == DISRUPTOR_WAIT_BUSY_SPIN || w.kind == DISRUPTOR_WAIT_SPIN;

	return spins && !one_in(random, 6) ? disruptor_wait_blocking() : w;
}

/* ---- building ---- */

static void choose_options(struct world *w)
{
	const unsigned rungs = disruptor_version().rungs;
	uint64_t *r = &w->random;
	struct disruptor_options *o = &w->options;
	enum disruptor_rung rung;

	*o = (struct disruptor_options){ .size = sizeof(*o), .max_consumers = 40 };
	o->capacity = UINT64_C(1) << random_in(r, 0, 12);
	w->sources = (uint32_t)random_in(r, 1, SOURCES);
	o->producers = w->sources > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	if (w->sources == 1 && one_in(r, 3))
		o->layout = DISRUPTOR_PACKED;
	do
		rung = (enum disruptor_rung)random_in(r, 1, DISRUPTOR_RUNG_MUTEX);
	while (!(rungs >> rung & 1));
	o->rung = fixture_rung() == DISRUPTOR_RUNG_AUTO ? rung : fixture_rung();
	o->wait = random_wait(r);
	o->flags = DISRUPTOR_TRUST_HANDLERS;
	o->flags |= one_in(r, 2) ? DISRUPTOR_LOSSY : 0u;
	o->flags |= one_in(r, 5) ? DISRUPTOR_NO_STATS : 0u;
	o->flags |= one_in(r, 4) ? DISRUPTOR_PREFAULT : 0u;
	w->mapping = (enum disruptor_mapping)random_in(r, 0, DISRUPTOR_MAP_NONE);
}

static uint64_t source_of(const void *event, void *context)
{
	(void)context;
	return ((const struct load *)event)->source;
}

static void choose_kind(struct world *w, struct node *n, uint32_t i)
{
	n->w = w;
	n->random = next_random(&w->random) | 1;
	n->before = w->shape.before[i];
	n->view.known = (1u << w->sources) - 1; /* it begins at the first event */
	for (uint32_t k = 0; k < i; k++)
		n->marked |= (n->before >> k & 1) && (w->node[k].marked || w->node[k].kind == POOL);
	switch (next_random(&w->random) % 10) {
	case 0:
	case 1:
		n->kind = w->pool == UINT32_MAX ? POOL : PLAIN;
		break;
	case 2:
		n->kind = w->pool == UINT32_MAX ? KEYED : PLAIN;
		break;
	case 3:
		n->kind = w->table ? PLAIN : LATEST;
		break;
	case 4:
		n->kind = DEFERRED;
		break;
	case 5:
	case 6:
		n->kind = SPANS;
		break;
	default:
		n->kind = PLAIN;
	}
	if (n->kind == POOL || n->kind == KEYED)
		w->pool = i;
}

static void build_pool(struct world *w, struct node *n)
{
	static const char *const names[WORKERS] = { "worker-0", "worker-1", "worker-2" };
	struct disruptor_handler handlers[WORKERS];
	struct disruptor_pool_options o = { .size = sizeof(o),
					    .name = n->kind == POOL ? "pool" : "keyed",
					    .handlers = handlers,
					    .count = WORKERS };

	for (uint32_t i = 0; i < WORKERS; i++) {
		struct node *c = &w->crew[i];

		c->w = w;
		c->kind = n->kind;
		c->worker = true;
		c->before = n->before;
		c->marked = n->marked;
		c->view.known = (1u << w->sources) - 1;
		c->random = next_random(&w->random) | 1;
		node_handler(c, names[i]);
		handlers[i] = c->handler;
	}
	o.chunk = n->kind == POOL ? (uint32_t)random_in(&w->random, 0, 16) : 0;
	if (o.chunk > w->options.capacity)
		o.chunk = 0;
	o.key = n->kind == KEYED ? source_of : NULL;
	n->handler.name = o.name;
	n->stage = disruptor_pool(w->d, &o);
	for (uint32_t i = 0; n->stage && i < WORKERS; i++)
		w->crew[i].stage = disruptor_pool_worker(n->stage, i);
}

static void build_node(struct world *w, uint32_t i)
{
	static const char *const names[DAG_NODES] = {
		"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"
	};
	const struct disruptor_conflate_options o = { .size = sizeof(o),
						      .keys = SOURCES,
						      .key = source_of };
	struct node *n = &w->node[i];

	choose_kind(w, n, i);
	if (n->kind == LATEST && disruptor_conflate_create(&w->table, &load_type, &o) != 0)
		die(w, "table: %s", disruptor_error_detail());
	if (n->kind == POOL || n->kind == KEYED) {
		build_pool(w, n);
	} else {
		node_handler(n, names[i]);
		n->stage = disruptor_stage(w->d, &n->handler);
	}
	if (!n->stage)
		die(w, "stage %u: %s", i, disruptor_error_detail());
}

static void describe(struct world *w)
{
	static const char *const mappings[] = { "auto", "dedicated", "shared", "placed", "driven" };
	int n = snprintf(w->text, sizeof(w->text),
			 "%s, %s, %llu slots, %s%s, %u source%s, %u reader%s:",
			 disruptor_rung_name(w->options.rung),
			 w->options.layout == DISRUPTOR_PACKED ? "packed" : "stamped",
			 (unsigned long long)w->options.capacity, mappings[w->mapping],
			 w->options.flags & DISRUPTOR_LOSSY ? ", lossy" : "", w->sources,
			 w->sources > 1 ? "s" : "", w->readers, w->readers == 1 ? "" : "s");

	for (uint32_t i = 0; i < w->shape.count && n > 0 && (size_t)n < sizeof(w->text); i++)
		n += snprintf(w->text + n, sizeof(w->text) - (size_t)n, " %s/%x",
			      kind_names[w->node[i].kind], w->node[i].before);
}

/* What each thread runs, for the mapping: of a pool its workers. */
static int map_stages(struct world *w, struct disruptor_stage *const *stages)
{
	struct disruptor_stage *units[DAG_NODES + WORKERS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < w->shape.count; i++) {
		if (i != w->pool) {
			units[count++] = stages[i];
			continue;
		}
		for (uint32_t k = 0; k < WORKERS; k++)
			units[count++] = w->crew[k].stage;
	}
	return dag_map(w->d, units, count, w->mapping, random_wait(&w->random), &w->random);
}

void world_build(struct world *w, uint64_t seed, uint64_t run_ns)
{
	struct disruptor_stage *stages[DAG_NODES];
	int rc;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->random = (seed ^ seed >> 31) * UINT64_C(0x9e3779b97f4a7c15) | 1; /* small seeds, too */
	for (unsigned i = 0; i < 8; i++)
		(void)next_random(&w->random);
	w->run_ns = run_ns;
	w->pool = UINT32_MAX;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	choose_options(w);
	w->shape = dag_shape(&w->random);
	w->readers = (uint32_t)random_in(&w->random, 0, READERS);
	rc = disruptor_create(&w->d, &load_type, &w->options);
	if (rc != 0)
		die(w, "create: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	w->ring = disruptor_ring(w->d);
	for (uint32_t i = 0; i < w->shape.count; i++) {
		build_node(w, i);
		stages[i] = w->node[i].stage;
	}
	describe(w);
	if (dag_connect(&w->shape, stages) != 0 || map_stages(w, stages) != 0)
		die(w, "%s", disruptor_error_detail());
	for (uint32_t i = 0; i < w->shape.count; i++)
		if (i != w->pool)
			node_policy(&w->node[i]);
	for (uint32_t i = 0; w->pool != UINT32_MAX && i < WORKERS; i++)
		node_policy(&w->crew[i]);
}

/* ---- starting and stopping ---- */

/* Those that came while it ran have no place yet. */
static void place(struct world *w, const struct node *nodes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (nodes[i].stage && disruptor_place(nodes[i].stage, 0) != 0)
			die(w, "place: %s", disruptor_error_detail());
}

static void start(struct world *w)
{
	int rc;

	if (w->mapping == DISRUPTOR_MAP_PLACED) {
		place(w, w->late, LATE);
		if (w->pool != UINT32_MAX)
			place(w, w->crew, WORKERS);
	}
	rc = disruptor_start(w->d);
	if (rc != 0)
		die(w, "start: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
}

static void await_parked(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->parked != w->live)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void let_go(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	disruptor_store_release(&w->halt, 0u);
	w->generation++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static bool is_failed(struct world *w)
{
	return disruptor_state(w->d) == DISRUPTOR_FAILED;
}

/* Stop it, whatever it is about, by one mode or another, and start it again. */
static void cycle(struct world *w)
{
	enum disruptor_stop_mode mode = (enum disruptor_stop_mode)random_in(&w->random, 0, 2);
	int rc = disruptor_stop(w->d, mode, disruptor_in(random_in(&w->random, 0, 20000000)));

	while (rc == DISRUPTOR_E_TIMEOUT)
		rc = disruptor_stop(w->d, DISRUPTOR_NOW, disruptor_in(PATIENCE));
	if (rc != 0 && (rc != DISRUPTOR_E_FAILED || !is_failed(w)))
		die(w, "stop: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	if (rc == DISRUPTOR_E_FAILED)
		count_by(FAILURES, 1);
	disruptor_store_release(&w->halt, 1u);
	await_parked(w);
	start(w);
	count_by(RESTARTS, 1);
	let_go(w);
}

/* Whether something has ended by itself, so that the rest cannot go on. */
static bool has_ended(struct world *w)
{
	if (is_failed(w))
		return true;
	for (uint32_t i = 0; i < w->shape.count; i++)
		if (i != w->pool && !disruptor_stage_running(w->node[i].stage))
			return true;
	for (uint32_t i = 0; w->pool != UINT32_MAX && i < WORKERS; i++)
		if (w->crew[i].stage && !disruptor_stage_running(w->crew[i].stage))
			return true;
	for (uint32_t i = 0; i < LATE; i++)
		if (w->late[i].stage && !disruptor_stage_running(w->late[i].stage))
			return true;
	return false;
}

/* ---- disturbing ---- */

/* A stage may be refused only because of what the graph is about just now. */
static void expect_refusal(struct world *w, const char *what)
{
	static const char *const reasons[] = { "FAILED", "DRAINING", "drives it", "ended",
					       "have to be joined" };

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strstr(disruptor_error_detail(), reasons[i]))
			return;
	die(w, "%s: %s", what, disruptor_error_detail());
}

static void come(struct world *w, struct node *n, const char *name)
{
	const uint32_t k = (uint32_t)random_in(&w->random, 0, w->shape.count - 1);
	struct disruptor_attach how = { .size = sizeof(how), .after = &w->node[k].stage };

	memset(n, 0, sizeof(*n));
	n->w = w;
	n->kind = LATER;
	n->random = next_random(&w->random) | 1;
	how.after_count = one_in(&w->random, 2);
	how.at = one_in(&w->random, 2) ? DISRUPTOR_AT_OLDEST : DISRUPTOR_AT_NEWEST;
	n->before = how.after_count ? 1u << k : 0;
	n->marked = how.after_count && (w->node[k].marked || w->node[k].kind == POOL);
	node_handler(n, name);
	n->stage = disruptor_attach(w->d, &n->handler, &how);
	if (!n->stage) {
		expect_refusal(w, name);
		return;
	}
	node_policy(n);
	count_by(ATTACHED, 1);
}

static bool detach(struct world *w, struct disruptor_stage *s)
{
	enum disruptor_stop_mode mode = (enum disruptor_stop_mode)random_in(&w->random, 0, 2);
	int rc = disruptor_detach(s, mode, disruptor_in(random_in(&w->random, 0, 5000000)));

	if (rc == DISRUPTOR_E_TIMEOUT)
		rc = disruptor_detach(s, DISRUPTOR_NOW, disruptor_in(PATIENCE));
	if (rc != 0)
		die(w, "detach: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	return true;
}

static void come_or_go(struct world *w)
{
	static const char *const names[LATE] = { "late-0", "late-1", "late-2" };
	const size_t i = random_in(&w->random, 0, LATE - 1);
	struct node *n = &w->late[i];

	if (!n->stage) {
		come(w, n, names[i]);
	} else if (detach(w, n->stage)) {
		n->stage = NULL;
		count_by(DETACHED, 1);
	}
}

static void join_crew(struct world *w, struct node *c)
{
	disruptor_store_release(&c->set, 0u);
	c->stage = disruptor_pool_attach(w->node[w->pool].stage, &c->handler);
	if (!c->stage) {
		expect_refusal(w, c->handler.name);
		return;
	}
	node_policy(c);
	count_by(WORKERS_CHANGED, 1);
}

/* A worker of the shared pool leaves, or another takes its place. The first one stays. */
static void change_crew(struct world *w)
{
	struct node *c = &w->crew[random_in(&w->random, 1, WORKERS - 1)];

	if (w->pool == UINT32_MAX || w->node[w->pool].kind != POOL)
		return;
	if (!c->stage) {
		join_crew(w, c);
	} else if (detach(w, c->stage)) {
		c->stage = NULL;
		count_by(WORKERS_CHANGED, 1);
	}
}

static void look_at_it(struct world *w)
{
	struct disruptor_diagnosis found = { .size = sizeof(found) };
	struct disruptor_ring_stats s = disruptor_ring_stats(w->ring);

	if (s.remaining > w->options.capacity || disruptor_diagnose(w->d, &found) != 0 ||
	    found.stage_count < w->shape.count)
		die(w, "it cannot be looked at: %s", found.verdict);
}

static void disturb(struct world *w)
{
	random_pause(&w->random);
	pause_ms((unsigned)random_in(&w->random, 0, 3));
	if (has_ended(w)) {
		if (is_set(&w->calm) || one_in(&w->random, 3))
			cycle(w);
		return;
	}
	if (is_set(&w->calm))
		return;
	switch (next_random(&w->random) % 24) {
	case 0:
		cycle(w);
		break;
	case 1:
	case 2:
	case 3:
		come_or_go(w);
		break;
	case 4:
	case 5:
		change_crew(w);
		break;
	case 6:
		look_at_it(w);
		break;
	default:
		break;
	}
}

/* ---- the run ---- */

static void employ(struct world *w, struct worker *t, const char *what, void (*run)(void *),
		   bool parks)
{
	t->w = w;
	t->random = next_random(&w->random) | 1;
	if (parks) {
		pthread_mutex_lock(&w->lock);
		w->live++;
		pthread_mutex_unlock(&w->lock);
	}
	runner_start(&t->thread, what, run, t);
}

static void dismiss(struct worker *t)
{
	disruptor_store_release(&t->ended, 1u);
	runner_join_within(&t->thread, PATIENCE / 1000000);
}

static bool has(const struct world *w, enum kind kind)
{
	for (uint32_t i = 0; i < w->shape.count; i++)
		if (w->node[i].kind == kind)
			return true;
	return false;
}

static void employ_all(struct world *w)
{
	if (w->mapping == DISRUPTOR_MAP_NONE)
		employ(w, &w->driver, "the driver", drive, false);
	if (has(w, DEFERRED))
		employ(w, &w->reaper, "the reaper", reap_deferred, false);
	if (w->table)
		employ(w, &w->taker, "the taker", take_latest, false);
	if (w->options.flags & DISRUPTOR_LOSSY)
		employ(w, &w->lossy, "the lossy reader", read_lossily, true);
	for (uint32_t i = 0; i < w->readers; i++)
		employ(w, &w->reader[i], "a consumer", consume, true);
	for (uint32_t i = 0; i < w->sources; i++) {
		w->source[i].index = i;
		employ(w, &w->source[i], "a producer", produce, true);
	}
}

static bool all_sent(struct world *w)
{
	for (uint32_t i = 0; i < w->sources; i++)
		if (!runner_done(&w->source[i].thread))
			return false;
	return true;
}

/* No more trouble: what was sent is handled by everybody, and they end. */
static void finish(struct world *w)
{
	int rc;

	cycle(w); /* everybody runs */
	for (uint32_t i = 0; i < w->sources; i++)
		dismiss(&w->source[i]);
	disruptor_store_release(&w->over, 1u);
	rc = disruptor_stop(w->d, DISRUPTOR_DRAIN, disruptor_in(PATIENCE));
	if (rc != 0)
		die(w, "the last stop: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	for (uint32_t i = 0; i < w->readers; i++)
		dismiss(&w->reader[i]);
	if (w->options.flags & DISRUPTOR_LOSSY)
		dismiss(&w->lossy);
	if (w->table) {
		disruptor_conflate_close(w->table);
		dismiss(&w->taker);
		count_by(CONFLATED, disruptor_conflate_conflated(w->table));
		disruptor_conflate_destroy(&w->table);
	}
	if (has(w, DEFERRED))
		dismiss(&w->reaper);
	if (w->mapping == DISRUPTOR_MAP_NONE)
		dismiss(&w->driver);
}

static void check(struct world *w)
{
	uint64_t sent = 0, pooled = disruptor_load_acquire(&w->pooled);
	const bool shared = w->pool != UINT32_MAX && w->node[w->pool].kind == POOL;

	for (uint32_t i = 0; i < w->sources; i++)
		sent += w->source[i].sent;
	for (uint32_t i = 0; i < w->shape.count; i++)
		if (i != w->pool)
			node_check(&w->node[i]);
	for (uint32_t i = 0; i < LATE; i++)
		if (w->late[i].stage)
			node_check(&w->late[i]);
	if (shared && pooled != sent)
		die(w, "the pool has handled %llu events of %llu", (unsigned long long)pooled,
		    (unsigned long long)sent);
	for (uint32_t i = 0; !shared && w->pool != UINT32_MAX && i < w->sources; i++) {
		const uint32_t lane = disruptor_pool_lane(w->node[w->pool].stage, i);

		if (w->crew[lane].view.number[i] != w->source[i].sent)
			die(w, "the pool: worker %u has had %llu of producer %u, of %llu", lane,
			    (unsigned long long)w->crew[lane].view.number[i], i,
			    (unsigned long long)w->source[i].sent);
	}
}

void world_run(struct world *w)
{
	const uint64_t until = disruptor_in(w->run_ns);

	start(w);
	employ_all(w);
	while (disruptor_now() < until)
		disturb(w);
	disruptor_store_release(&w->calm, 1u);
	disruptor_store_release(&w->finish, 1u);
	while (!all_sent(w))
		disturb(w);
	finish(w);
	check(w);
	if (disruptor_destroy(&w->d) != 0)
		die(w, "destroy: %s", disruptor_error_detail());
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	count_by(GRAPHS, 1);
}
