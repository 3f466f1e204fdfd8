/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The run's first thread: makes everything, starts the others, stops, judges, and clears away. */
#include "world.h"

#include "graph/graph_internal.h"
#include "os/os.h"
#include "virtual.h"

#include <stdio.h>
#include <string.h>

#define ULL(x) ((unsigned long long)(x))
#define ARENA_SIZE ((size_t)512 * 1024)

struct world world;

/* ---- memory: all of a run's in one piece ---- */

static _Alignas(4096) unsigned char arena[ARENA_SIZE];
static size_t arena_used;

static void *take_memory(void *unused, size_t size, size_t align)
{
	size_t at = (arena_used + align - 1) / align * align;

	(void)unused;
	if (at + size > ARENA_SIZE)
		schedule_fail("the arena is too small");
	arena_used = at + size;
	return arena + at;
}

/* Who still uses it is found out. */
static void give_memory_back(void *unused, void *memory, size_t size)
{
	(void)unused;
	memset(memory, 0xdb, size);
}

static const struct disruptor_allocator allocator = { .allocate = take_memory,
						      .release = give_memory_back };

/* ---- making it ---- */

static void must(const char *what, int rc)
{
	if (rc != 0)
		schedule_fail("%s answers %s: %s", what, disruptor_error_name(rc),
			      disruptor_error_detail());
}

static uint64_t key_of(const void *event, void *unused)
{
	(void)unused;
	return ((const struct item *)event)->value % KEYS;
}

static struct disruptor_stage *make_pool(struct node *n)
{
	struct disruptor_handler handlers[PLAN_WORKERS];
	struct disruptor_pool_options o = {
		.size = sizeof(o),
		.name = n->f->name,
		.handlers = handlers,
		.count = n->plan->workers,
		.chunk = n->plan->chunk,
		.key = n->plan->kind == NODE_KEYED ? key_of : NULL,
	};
	struct disruptor_stage *pool;

	for (unsigned i = 0; i < n->plan->workers; i++)
		handlers[i] = node_handler(n, i);
	pool = disruptor_pool(world.d, &o);
	for (unsigned i = 0; pool && i < n->plan->workers; i++)
		n->hands[i].stage = disruptor_pool_worker(pool, i);
	return pool;
}

static void make_table(struct node *n)
{
	const struct disruptor_conflate_options o = {
		.size = sizeof(o), .keys = KEYS, .key = key_of, .allocator = allocator
	};

	must("a table", disruptor_conflate_create(&n->table, &item_type, &o));
}

static void make_node(struct node *n)
{
	struct disruptor_handler h;
	unsigned ups = 0;
	char name[16];

	for (unsigned k = 0; k < n->index; k++)
		if (n->plan->after >> k & 1)
			ups |= model_bit(world.nodes[k].f);
	(void)snprintf(name, sizeof(name), "node %u", n->index);
	n->f = model_follow(name, ups);
	n->f->pooled = n->plan->kind != NODE_STAGE;
	n->f->explicit_release = n->plan->deferred != 0;
	if (n->plan->kind == NODE_STAGE) {
		h = node_handler(n, 0);
		n->stage = n->hands[0].stage = disruptor_stage(world.d, &h);
	} else {
		n->stage = make_pool(n);
	}
	if (!n->stage)
		schedule_fail("'%s' is refused: %s", name, disruptor_error_detail());
	model_attached(n->f, 0, true);
	for (unsigned k = 0; k < n->index; k++)
		if (n->plan->after >> k & 1)
			must("an order", disruptor_after(n->stage, world.nodes[k].stage));
	must("a policy", disruptor_stage_set_policy(n->stage, &n->plan->policy));
	if (n->plan->conflates)
		make_table(n);
}

static void make(const struct plan *p)
{
	struct disruptor_options o = p->ring;

	memset(&world, 0, sizeof(world));
	world.plan = p;
	world.random = p->seed ^ UINT64_C(0x3031d);
	arena_used = 0;
	model_reset(o.capacity, (o.flags & DISRUPTOR_FREE_RUN) != 0);
	o.allocator = allocator;
	must("making it", disruptor_create(&world.d, &item_type, &o));
	world.ring = disruptor_ring(world.d);
	for (unsigned i = 0; i < p->nodes; i++) {
		world.nodes[i].plan = &p->node[i];
		world.nodes[i].index = i;
		if (p->node[i].there)
			make_node(&world.nodes[i]);
	}
	for (unsigned i = 0; i < p->views; i++) {
		world.views[i].plan = &p->view[i];
		world.views[i].index = i;
	}
	if (p->nodes)
		must("the executor", disruptor_set_executor(world.d, &p->executor));
}

/* ---- the threads of a round ---- */

struct crew {
	unsigned producers[PLAN_PRODUCERS], readers[2], conflaters[PLAN_NODES];
	unsigned driver, acts[2], visitor;
	bool driven, acts_joined, views_sent;
};

static bool is_driven(void)
{
	return world.plan->nodes && world.plan->executor.mapping == DISRUPTOR_MAP_NONE;
}

/* They may be at work before it is started. */
static void send_out_producers(struct crew *c)
{
	const struct plan *p = world.plan;

	for (unsigned i = 0; i < p->nodes; i++)
		if (world.nodes[i].stage && p->node[i].deferred)
			world.nodes[i].releaser =
				virtual_start("releaser", node_releaser, &world.nodes[i]);
	for (unsigned i = 0; i < p->producers; i++)
		c->producers[i] = virtual_start("producer", producer_thread,
						(void *)(uintptr_t)&p->producer[i]);
	if (p->visited)
		c->visitor = virtual_start("visitor", visitor_thread, NULL);
}

/* Not while it is opened again: they wait. */
static void send_out_views(struct crew *c)
{
	const struct plan *p = world.plan;

	c->views_sent = true;
	for (unsigned i = 0; i < p->readers; i++)
		c->readers[i] = virtual_start("reader", reader_thread, NULL);
	for (unsigned i = 0; i < p->views; i++)
		world.views[i].thread = virtual_start("view", view_thread, &world.views[i]);
}

static void send_out(struct crew *c)
{
	const struct plan *p = world.plan;

	c->driven = is_driven();
	if (c->driven)
		c->driver = virtual_start("driver", driver_thread, NULL);
	if (!c->views_sent)
		send_out_views(c);
	if (!p->eager)
		send_out_producers(c);
	for (unsigned i = 0; i < 2; i++)
		c->acts[i] = virtual_start("actor", act_thread, (void *)(uintptr_t)i);
}

static void join_act(struct crew *c)
{
	if (c->acts_joined)
		return;
	c->acts_joined = true;
	virtual_join(c->acts[0]);
	virtual_join(c->acts[1]);
}

static void join_producers(const struct crew *c)
{
	for (unsigned i = 0; i < world.plan->producers; i++)
		virtual_join(c->producers[i]);
}

/* Everything that is published reaches everybody. */
static bool is_complete(void)
{
	const struct plan *p = world.plan;

	return !p->early && !p->hasty && !world.crippled &&
	       !(p->mode == DISRUPTOR_DRAIN_THEN_HALT && p->patience_ns);
}

static void call_in(const struct crew *c)
{
	const struct plan *p = world.plan;

	world.over = true;
	world.leave = !is_complete();
	for (unsigned i = 0; world.leave && i < p->views; i++)
		view_interrupt(&world.views[i]);
	for (unsigned i = 0; i < p->views; i++)
		virtual_join(world.views[i].thread);
	for (unsigned i = 0; i < p->readers; i++)
		virtual_join(c->readers[i]);
	for (unsigned i = 0; i < p->nodes; i++)
		if (world.nodes[i].stage && p->node[i].deferred)
			virtual_join(world.nodes[i].releaser);
	if (c->driven)
		virtual_join(c->driver);
	if (p->visited)
		virtual_join(c->visitor);
}

/* ---- stopping ---- */

void world_begin_closing(void)
{
	model.closing = true;
	world.quiet = false;
}

void world_stop(void)
{
	const struct plan *p = world.plan;
	int rc;

	world_begin_closing();
	do {
		schedule_begin("stop, mode %d", (int)p->mode);
		rc = disruptor_stop(world.d, p->mode,
				    p->patience_ns ? disruptor_in(p->patience_ns)
						   : DISRUPTOR_FOREVER);
		schedule_end("%s", disruptor_error_name(rc));
	} while (rc == DISRUPTOR_E_TIMEOUT);
	model.closed = true;
	if (rc != 0 && !(rc == DISRUPTOR_E_FAILED && model.failing))
		schedule_fail("stop answers %s: %s", disruptor_error_name(rc),
			      disruptor_error_detail());
	if (rc == 0 && model.failing && disruptor_state(world.d) != DISRUPTOR_STOPPED &&
	    disruptor_state(world.d) != DISRUPTOR_FAILED)
		schedule_fail("a handler has failed, and it is %s behind the stop",
			      disruptor_state_name(disruptor_state(world.d)));
}

static void stop(void)
{
	if (world.plan->nodes) {
		world_stop();
		return;
	}
	world_begin_closing();
	schedule_begin("close");
	disruptor_ring_close(world.ring);
	schedule_end("done");
	model.closed = true;
}

/* ---- judging ---- */

/* What it has handled is released, but for what comes again. */
static void check_position(struct node *n)
{
	uint64_t at = disruptor_stage_position(n->stage);

	if (at > model_furthest_released(n->f) && n->f->begun)
		schedule_fail("'%s' stands at %llu, and is done up to %llu", n->f->name, ULL(at),
			      ULL(model_furthest_released(n->f)));
	for (uint64_t p = at; n->f->begun && p < n->f->expected && p < model.claimed; p++)
		if (n->f->done[p] && !n->f->again[p] && !model_is_void(p))
			schedule_fail("'%s' has ended at position %llu, and has handled %llu",
				      n->f->name, ULL(at), ULL(p));
}

static void judge(void)
{
	const struct plan *p = world.plan;
	struct disruptor_ring_stats s = disruptor_ring_stats(world.ring);

	for (unsigned i = 0; i < p->nodes; i++) {
		struct node *n = &world.nodes[i];

		if (!n->stage)
			continue;
		for (unsigned k = 0; k <= PLAN_WORKERS; k++)
			if (n->hands[k].running)
				schedule_fail("'%s' runs behind a stop", n->f->name);
		node_check_counts(n);
		if (n->plan->kind == NODE_STAGE && !n->plan->deferred)
			check_position(n);
		if (is_complete() && !n->stopped)
			model_saw_all(n->f);
	}
	if (s.claimed != model.claimed || s.voids != model.voids)
		schedule_fail("the ring counts %llu claims and %llu voids; there were %llu and "
			      "%llu",
			      ULL(s.claimed), ULL(s.voids), ULL(model.claimed), ULL(model.voids));
	if (s.open_producers != 0)
		schedule_fail("%u producers are still open", s.open_producers);
}

/* ---- a round ---- */

static void reset_for(unsigned round)
{
	if (round > 0)
		model.openings++;
	model.closing = model.closed = model.failing = false;
	model.opening = true;
	world.over = world.leave = false;
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++)
		model.followers[i].told_end = false;
	for (unsigned i = 0; i < PLAN_VIEWS; i++)
		world.views[i].seen = world.views[i].interrupts = 0;
	for (unsigned i = 0; i < world.plan->nodes; i++)
		world.nodes[i].stopped = false;
}

static bool has_stage(void)
{
	for (unsigned i = 0; i < world.plan->nodes; i++)
		if (world.nodes[i].stage)
			return true;
	return false;
}

static void start(unsigned round, struct crew *crew)
{
	int rc;

	reset_for(round);
	/* where there is no stage somebody has to be there; and who takes must be the last to come */
	if (world.plan->views && (world.plan->nodes == 0 || world.plan->view[0].way == VIEW_TAKE))
		view_open(&world.views[0]);
	if (world.plan->eager)
		send_out_producers(crew);
	if (world.plan->eager && round == 0)
		send_out_views(crew);
	schedule_begin("start");
	rc = world.plan->nodes ? disruptor_start(world.d) : disruptor_ring_reopen(world.ring);
	model.opening = false;
	world.quiet = !model.closing;
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0 && !(rc == DISRUPTOR_E_FAILED && model.failing))
		must("start", rc);
}

static bool has_act(enum act act)
{
	for (unsigned i = 0; i < world.plan->act_count; i++)
		if (world.plan->acts[i] == act)
			return true;
	return false;
}

static bool run_round(unsigned round)
{
	struct crew crew = { .driven = false };
	bool complete = is_complete();

	if (world.plan->nodes && !has_stage())
		return false;
	start(round, &crew);
	send_out(&crew);
	if (complete)
		join_producers(&crew);
	else
		os_sleep(random_below(&world.random, 4000));
	if (random_once_in(&world.random, 2) || (complete && has_act(ACT_REPLACE)))
		join_act(&crew); /* a pool that has lost its last worker would not be drained */
	stop();
	if (!complete)
		join_producers(&crew);
	join_act(&crew);
	call_in(&crew);
	judge();
	return true;
}

/* ---- clearing away ---- */

static void clear(unsigned *conflaters)
{
	for (unsigned i = 0; i < world.plan->nodes; i++) {
		struct node *n = &world.nodes[i];

		if (!n->table)
			continue;
		disruptor_conflate_close(n->table);
		virtual_join(conflaters[i]);
		disruptor_conflate_destroy(&n->table);
	}
	must("destroying it", disruptor_destroy(&world.d));
}

void world_run(void *plan)
{
	unsigned conflaters[PLAN_NODES];

	make(plan);
	for (unsigned i = 0; i < world.plan->nodes; i++)
		if (world.nodes[i].table)
			conflaters[i] =
				virtual_start("table", node_conflate_reader, &world.nodes[i]);
	for (unsigned round = 0; round < world.plan->rounds; round++)
		if (!run_round(round))
			break;
	clear(conflaters);
}
