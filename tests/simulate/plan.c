/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "plan.h"

#include "schedule.h"

#include <stdio.h>
#include <string.h>

struct drawing {
	struct plan *p;
	uint64_t random;
};

static bool wants(const struct drawing *d, unsigned feature)
{
	return (d->p->features & feature) != 0;
}

static uint64_t below(struct drawing *d, uint64_t n)
{
	return random_below(&d->random, n);
}

static bool once_in(struct drawing *d, uint64_t n)
{
	return random_once_in(&d->random, n);
}

/* Whether it is wanted; else by chance. */
static bool has(struct drawing *d, unsigned feature, uint64_t n)
{
	bool chance = once_in(d, n);

	return wants(d, feature) || chance;
}

/* ---- waiting ---- */

static struct disruptor_wait draw_wait(struct drawing *d)
{
	static const enum disruptor_wait_kind kinds[] = {
		DISRUPTOR_WAIT_BLOCKING, DISRUPTOR_WAIT_BLOCKING, DISRUPTOR_WAIT_BLOCKING,
		DISRUPTOR_WAIT_BLOCKING, DISRUPTOR_WAIT_PHASED,   DISRUPTOR_WAIT_SLEEPING,
		DISRUPTOR_WAIT_YIELDING, DISRUPTOR_WAIT_SPIN,     DISRUPTOR_WAIT_BUSY_SPIN,
	};
	struct disruptor_wait w = { .kind = kinds[below(d, sizeof(kinds) / sizeof(*kinds))] };

	if (wants(d, PLAN_BLOCK))
		w.kind = DISRUPTOR_WAIT_BLOCKING;
	if (w.kind == DISRUPTOR_WAIT_BLOCKING || w.kind == DISRUPTOR_WAIT_SLEEPING ||
	    w.kind == DISRUPTOR_WAIT_YIELDING) {
		w.spins = (uint32_t)below(d, 2);
		w.yields = (uint32_t)below(d, 2);
	}
	if (w.kind == DISRUPTOR_WAIT_SLEEPING) {
		w.sleep_min_ns = 200;
		w.sleep_max_ns = 2000;
	}
	return w;
}

/* ---- nodes ---- */

static void draw_trouble(struct drawing *d, struct node_plan *n)
{
	static const enum disruptor_remedy remedies[] = {
		DISRUPTOR_REMEDY_FAIL,  DISRUPTOR_REMEDY_SKIP,   DISRUPTOR_REMEDY_SKIP,
		DISRUPTOR_REMEDY_RETRY, DISRUPTOR_REMEDY_REWIND,
	};

	n->policy = (struct disruptor_policy){ .size = sizeof(n->policy) };
	if (!has(d, PLAN_TROUBLE | PLAN_FAIL | PLAN_LEAVE, 3))
		return;
	n->policy.remedy = remedies[below(d, sizeof(remedies) / sizeof(*remedies))];
	if (n->policy.remedy == DISRUPTOR_REMEDY_RETRY ||
	    n->policy.remedy == DISRUPTOR_REMEDY_REWIND) {
		n->policy.times = (uint32_t)(1 + below(d, 2));
		n->policy.then = once_in(d, 2) ? DISRUPTOR_REMEDY_SKIP : DISRUPTOR_REMEDY_FAIL;
		n->policy.pause_ns = once_in(d, 4) ? 500 : 0;
	}
	n->release_in = once_in(d, 2) ? 3 : 0;
	n->skip_in = once_in(d, 4) ? 4 : 0;
	n->retry_in = once_in(d, 3) ? 3 : 0;
	n->rewind_in = once_in(d, 3) ? 4 : 0;
	n->fail_in = has(d, PLAN_FAIL, 3) ? 3 : 0;
	n->stop_in = wants(d, PLAN_LEAVE) ? 2 : once_in(d, 6) ? 4 : 0;
	/* what has been released early cannot be rewound */
	if (n->rewind_in || n->policy.remedy == DISRUPTOR_REMEDY_REWIND)
		n->release_in = 0;
	if (wants(d, PLAN_FAIL))
		n->policy = (struct disruptor_policy){ .size = sizeof(n->policy) };
}

static void draw_kind(struct drawing *d, struct node_plan *n, unsigned i)
{
	uint64_t most = d->p->ring.capacity < 3 ? d->p->ring.capacity : 3;
	/* beside the pool that is wanted there may have to be a stage that only a stage can be */
	bool wanted = wants(d, PLAN_POOL | PLAN_LEAVE) &&
		      (i == 0 || !wants(d, PLAN_DEFER | PLAN_CONFLATE));
	bool pool = wanted || (once_in(d, 4) && !wants(d, PLAN_TAKE | PLAN_DEFER | PLAN_CONFLATE));

	if (pool) {
		n->kind = !wanted && once_in(d, 3) ? NODE_KEYED : NODE_POOL;
		n->workers = (uint32_t)(1 + below(d, PLAN_WORKERS));
		if (wanted)
			n->workers = (uint32_t)(2 + below(d, PLAN_WORKERS - 1));
		if (n->kind == NODE_POOL)
			n->chunk = (uint32_t)(1 + below(d, most));
		if (n->kind == NODE_POOL && wants(d, PLAN_LEAVE))
			n->chunk = (uint32_t)most;
		return;
	}
	if (once_in(d, 5) && d->p->ring.capacity > 1) {
		n->batch_min = (uint32_t)(2 + below(d, d->p->ring.capacity - 1));
		n->linger_ns = 300 + below(d, 2000);
		if (n->batch && n->batch < n->batch_min)
			n->batch = n->batch_min;
		if (!n->batch)
			n->batch = (uint32_t)d->p->ring.capacity;
	}
	if (has(d, PLAN_DEFER, 6))
		n->deferred = (uint32_t)(1 + below(d, d->p->ring.capacity));
	/* a batch that waits for more than it may read would linger in vain each time: that is allowed */
}

static void draw_node(struct drawing *d, unsigned i)
{
	struct node_plan *n = &d->p->node[i];

	for (unsigned k = 0; k < i; k++)
		if (d->p->node[k].there && !d->p->node[k].comes &&
		    (once_in(d, 2) || wants(d, PLAN_JOIN) || (wants(d, PLAN_CHAIN) && k + 1 == i)))
			n->after |= 1u << k;
	n->there = true;
	n->batch = once_in(d, 2) ? 0 : (uint32_t)(1 + below(d, d->p->ring.capacity));
	draw_kind(d, n, i);
	n->wait = once_in(d, 2) ? draw_wait(d) : (struct disruptor_wait){ 0 };
	n->idles = n->kind == NODE_STAGE && once_in(d, 6);
	if (n->idles)
		n->wait.timeout_ns = 500 + below(d, 1000);
	n->conflates = n->kind == NODE_STAGE && has(d, PLAN_CONFLATE, 8);
	if (i > 0 && wants(d, PLAN_FAIL | PLAN_TROUBLE))
		n->conflates = false; /* another is to fail */
	if (!n->conflates)
		draw_trouble(d, n);
	else
		n->policy = (struct disruptor_policy){ .size = sizeof(n->policy) };
	n->spans = !n->conflates && once_in(d, 5);
	if (n->deferred) { /* what was read is not handed out again unless the batch is rewound */
		n->release_in = 0;
	}
}

/* Whether a failure may be left without a remedy. */
static bool may_fail(const struct node_plan *n)
{
	const struct disruptor_policy *p = &n->policy;

	return n->fail_in && p->remedy != DISRUPTOR_REMEDY_SKIP &&
	       (p->remedy == DISRUPTOR_REMEDY_FAIL || p->then == DISRUPTOR_REMEDY_FAIL);
}

static void draw_nodes(struct drawing *d)
{
	struct plan *p = d->p;
	bool both = wants(d, PLAN_POOL | PLAN_LEAVE | PLAN_FAIL | PLAN_TROUBLE) &&
		    wants(d, PLAN_DEFER | PLAN_CONFLATE);
	unsigned least = wants(d, PLAN_JOIN) ? 3 : wants(d, PLAN_CHAIN) || both ? 2 : 1;

	if (!wants(d, PLAN_GRAPH) && once_in(d, 4))
		return; /* a bare ring */
	p->nodes = least + (unsigned)below(d, 4 - least);
	for (unsigned i = 0; i < p->nodes; i++)
		draw_node(d, i);
	if (!wants(d, PLAN_TAKE) && has(d, PLAN_ATTACH, 4)) {
		struct node_plan *n = &p->node[p->nodes];

		draw_node(d, p->nodes++);
		n->comes = true;
		n->there = false;
		n->kind = NODE_STAGE;
		n->deferred = 0;
		n->conflates = false;
		n->rewind_in = 0;
		n->policy = (struct disruptor_policy){ .size = sizeof(n->policy) };
		n->at = once_in(d, 2) ? DISRUPTOR_AT_NEWEST : DISRUPTOR_AT_OLDEST;
	}
	for (unsigned i = 0; i < p->nodes; i++)
		p->node[i].goes = !p->node[i].deferred && !p->node[i].conflates &&
				  has(d, PLAN_DETACH, 4);
	for (unsigned i = 0; i < p->nodes; i++)
		p->early = p->early || p->node[i].stop_in || may_fail(&p->node[i]);
}

static void draw_executor(struct drawing *d)
{
	struct disruptor_executor *e = &d->p->executor;

	*e = (struct disruptor_executor){ .size = sizeof(*e), .mapping = DISRUPTOR_MAP_DEDICATED };
	if (has(d, PLAN_GROUP, 2)) {
		e->mapping = once_in(d, 3) ? DISRUPTOR_MAP_NONE : DISRUPTOR_MAP_SHARED;
		if (e->mapping == DISRUPTOR_MAP_SHARED)
			e->threads = (uint32_t)(1 + below(d, 2));
	} else if (once_in(d, 8)) {
		e->mapping = DISRUPTOR_MAP_AUTO;
	}
	e->wait = once_in(d, 2) ? draw_wait(d) : (struct disruptor_wait){ 0 };
}

/* ---- the ring ---- */

static void draw_ring(struct drawing *d)
{
	struct disruptor_options *o = &d->p->ring;

	o->size = sizeof(*o);
	o->capacity = UINT64_C(1) << below(d, 4);
	if (wants(d, PLAN_QUICK)) /* room is known for several */
		o->capacity = 8;
	if (wants(d, PLAN_LAPPED) && o->capacity > 2)
		o->capacity = 2;
	if (wants(d, PLAN_RUNS | PLAN_VOIDS | PLAN_QUICK) && o->capacity < 2)
		o->capacity = 2;
	if (wants(d, PLAN_LEAVE) && o->capacity < 4)
		o->capacity = 4;
	o->max_consumers = 16;
	o->max_producers = 4;
	o->flags = DISRUPTOR_TRUST_HANDLERS;
	o->producers = wants(d, PLAN_MANY)     ? DISRUPTOR_MANY
		       : wants(d, PLAN_SINGLE) ? DISRUPTOR_SINGLE
		       : once_in(d, 2)         ? DISRUPTOR_MANY
					       : DISRUPTOR_SINGLE;
	if (o->producers == DISRUPTOR_SINGLE && !wants(d, PLAN_STAMPED | PLAN_VOIDS) &&
	    (has(d, PLAN_PACKED, 3) || (wants(d, PLAN_BACK) && once_in(d, 2))))
		o->layout = DISRUPTOR_PACKED;
	if (o->producers == DISRUPTOR_SINGLE)
		o->max_producers = 0;
	if (!wants(d, PLAN_TAKE) && has(d, PLAN_LOSSY, 4)) {
		o->flags |= DISRUPTOR_LOSSY;
		d->p->readers = (unsigned)(1 + below(d, 2));
	}
	if (once_in(d, 8))
		o->flags |= DISRUPTOR_NO_STATS;
	if (o->producers == DISRUPTOR_SINGLE && once_in(d, 6))
		o->flags |= DISRUPTOR_FREE_RUN;
	o->rung = wants(d, PLAN_QUICK) ? DISRUPTOR_RUNG_MEMBARRIER
				       : (enum disruptor_rung)(1 + below(d, 3));
	o->wait = draw_wait(d);
	d->p->no_parking = once_in(d, 4);
}

/* ---- who else ---- */

static void draw_producers(struct drawing *d)
{
	struct plan *p = d->p;

	p->producers = p->ring.producers == DISRUPTOR_SINGLE
			       ? 1
			       : (unsigned)(1 + below(d, PLAN_PRODUCERS));
	if (wants(d, PLAN_MANY) && p->producers < 2)
		p->producers = 2;
	for (unsigned i = 0; i < p->producers; i++) {
		struct producer_plan *q = &p->producer[i];

		q->operations = (unsigned)(2 + below(d, 4)) + (wants(d, PLAN_LAPPED) ? 3 : 0);
		q->options = (struct disruptor_producer_options){ .size = sizeof(q->options) };
		if (once_in(d, 3))
			q->options.overflow = (enum disruptor_overflow)below(d, 4);
		if (q->options.overflow == DISRUPTOR_UNTIL)
			q->options.timeout_ns = 500 + below(d, 2000);
		if (once_in(d, 2))
			q->options.wait = draw_wait(d);
		q->reopens = once_in(d, 5);
	}
}

/* Who takes must be the last stage, alone: behind all, and nobody joins. */
static bool may_take(const struct plan *p)
{
	for (unsigned i = 0; i < p->nodes; i++)
		if (p->node[i].comes || p->node[i].kind != NODE_STAGE)
			return false;
	return !(p->ring.flags & DISRUPTOR_LOSSY);
}

static void draw_views(struct drawing *d)
{
	struct plan *p = d->p;
	bool take = may_take(p) && has(d, PLAN_TAKE, 6);

	p->views = (unsigned)below(d, p->nodes ? 2 : PLAN_VIEWS);
	if (p->views == 0 && (p->nodes == 0 || wants(d, PLAN_VIEW | PLAN_ATTACH)))
		p->views = 1;
	if (wants(d, PLAN_JOIN) && p->nodes == 0)
		p->views = PLAN_VIEWS;
	for (unsigned i = 0; i < p->views; i++) {
		struct view_plan *v = &p->view[i];

		v->way = (enum view_way)below(d, VIEW_TAKE);
		if (has(d, PLAN_GROUP, 6))
			v->way = once_in(d, 2) ? VIEW_LOOP : VIEW_ANY;
		if (once_in(d, 8))
			v->way = VIEW_SELF;
		v->after = (unsigned)below(d, 1u << p->nodes);
		for (unsigned k = 0; k < p->nodes; k++)
			if (p->node[k].comes)
				v->after &= ~(1u << k);
		v->at = once_in(d, 2) ? DISRUPTOR_AT_NEWEST : DISRUPTOR_AT_OLDEST;
		v->batch = once_in(d, 2) ? 0 : (uint32_t)(1 + below(d, p->ring.capacity));
		v->leaves_after = has(d, PLAN_DETACH, 3) ? 1 + below(d, 4) : 0;
		v->times_out = once_in(d, 3);
		v->wait = once_in(d, 2) ? draw_wait(d) : (struct disruptor_wait){ 0 };
	}
	if (take) {
		p->views = 1;
		p->view[0].way = VIEW_TAKE;
		p->view[0].leaves_after = 0;
		p->view[0].after = (1u << p->nodes) - 1;
	}
}

static void draw_acts(struct drawing *d)
{
	struct plan *p = d->p;
	bool goes = false, comes = false;

	for (unsigned i = 0; i < p->nodes; i++) {
		goes = goes || p->node[i].goes;
		comes = comes || p->node[i].comes;
	}
	if (goes)
		p->acts[p->act_count++] = ACT_DETACH;
	if (goes && once_in(d, 2))
		p->acts[p->act_count++] = ACT_DETACH;
	if (comes)
		p->acts[p->act_count++] = ACT_ATTACH;
	if (has(d, PLAN_ALERT, 3))
		p->acts[p->act_count++] = once_in(d, 2) || p->nodes == 0 ? ACT_INTERRUPT
									 : ACT_STOP_STAGE;
	if (has(d, PLAN_CLOSE, 8) || (wants(d, PLAN_BACK) && p->ring.layout != DISRUPTOR_PACKED))
		p->acts[p->act_count++] = ACT_CLOSE;
	else if (wants(d, PLAN_STOPS) || (p->nodes && once_in(d, 10)))
		p->acts[p->act_count++] = ACT_STOP;
	else if (has(d, PLAN_LEAVE, 6) && p->nodes)
		p->acts[p->act_count++] = ACT_REPLACE;
	for (unsigned i = p->act_count; i > 1; i--) {
		unsigned k = (unsigned)below(d, i);
		enum act other = p->acts[k];

		p->acts[k] = p->acts[i - 1];
		p->acts[i - 1] = other;
	}
	for (unsigned i = 0; i < p->act_count; i++)
		p->early = p->early || p->acts[i] == ACT_STOP_STAGE || p->acts[i] == ACT_CLOSE ||
			   p->acts[i] == ACT_STOP;
	/* another worker in the place of one has no policy but to fail */
	for (unsigned i = 0; i < p->act_count; i++)
		for (unsigned k = 0; k < p->nodes; k++)
			p->early = p->early || (p->acts[i] == ACT_REPLACE && p->node[k].fail_in);
}

static void draw_end(struct drawing *d)
{
	static const enum disruptor_stop_mode modes[] = { DISRUPTOR_DRAIN, DISRUPTOR_DRAIN,
							  DISRUPTOR_DRAIN_THEN_HALT,
							  DISRUPTOR_NOW };
	struct plan *p = d->p;

	p->rounds = has(d, PLAN_AGAIN, 4) ? 2 : 1;
	p->mode = modes[below(d, 4)];
	p->hasty = has(d, PLAN_CLOSE | PLAN_QUICK, 3);
	p->eager = has(d, PLAN_AGAIN, 4);
	p->visited = (p->eager || once_in(d, 4)) && !(p->views && p->view[0].way == VIEW_TAKE);
	p->patience_ns = once_in(d, 3) ? 500 + below(d, 3000) : 0;
	if (p->mode == DISRUPTOR_NOW)
		p->early = true;
	if (p->early || p->hasty) {
		/* somebody may stand still before the end of the stream: no drain would end */
		if (p->mode == DISRUPTOR_DRAIN)
			p->mode = DISRUPTOR_DRAIN_THEN_HALT;
		if (p->patience_ns == 0)
			p->patience_ns = 1000;
	}
}

void plan_draw(struct plan *p, uint64_t seed, unsigned features)
{
	struct drawing drawing = { .p = p, .random = seed ^ UINT64_C(0xd15c) }, *d = &drawing;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->features = features;
	if (features & (PLAN_POOL | PLAN_LEAVE | PLAN_DEFER | PLAN_CONFLATE | PLAN_FAIL |
			PLAN_TROUBLE | PLAN_CHAIN | PLAN_JOIN | PLAN_STOPS))
		p->features |= PLAN_GRAPH;
	draw_ring(d);
	draw_nodes(d);
	draw_executor(d);
	draw_producers(d);
	draw_views(d);
	draw_acts(d);
	draw_end(d);
}

/* ---- telling ---- */

static void print_node(const struct node_plan *n, unsigned i)
{
	static const char *const kinds[] = { "stage", "shared pool", "keyed pool" };

	(void)printf("  node %u: %s", i, kinds[n->kind]);
	if (n->kind != NODE_STAGE)
		(void)printf(" of %u, chunk %u", n->workers, n->chunk);
	for (unsigned k = 0; k < i; k++)
		if (n->after >> k & 1)
			(void)printf(", after %u", k);
	(void)printf("%s%s%s%s", n->comes ? ", attached later" : "", n->goes ? ", detached" : "",
		     n->spans ? ", spans" : "", n->conflates ? ", conflates" : "");
	if (n->batch)
		(void)printf(", batch %u", n->batch);
	if (n->batch_min)
		(void)printf(", lingers for %u", n->batch_min);
	if (n->deferred)
		(void)printf(", deferred %u", n->deferred);
	(void)printf(", waits %s",
		     n->wait.kind ? disruptor_wait_name(n->wait.kind) : "as the ring");
	(void)printf(", remedy %d times %u then %d\n", (int)n->policy.remedy, n->policy.times,
		     (int)n->policy.then);
}

void plan_print(const struct plan *p)
{
	static const char *const mappings[] = { "auto", "dedicated", "shared", "placed", "none" };
	static const char *const ways[] = {
		"ready", "spans", "poll", "loop", "any", "take", "self"
	};
	static const char *const acts[] = { "-",      "attach", "detach", "interrupt", "stop stage",
					    "policy", "pause",  "close",  "replace",   "stop" };

	(void)printf("seed %llu\n", (unsigned long long)p->seed);
	(void)printf("  ring of %llu, %s, %s, rung %s, waits %s%s%s%s\n",
		     (unsigned long long)p->ring.capacity,
		     p->ring.layout == DISRUPTOR_PACKED ? "packed" : "stamped",
		     p->ring.producers == DISRUPTOR_MANY ? "many producers" : "one producer",
		     disruptor_rung_name(p->ring.rung), disruptor_wait_name(p->ring.wait.kind),
		     p->ring.flags & DISRUPTOR_LOSSY ? ", lossy" : "",
		     p->ring.flags & DISRUPTOR_FREE_RUN ? ", free run" : "",
		     p->no_parking ? ", no parking" : "");
	for (unsigned i = 0; i < p->nodes; i++)
		print_node(&p->node[i], i);
	if (p->nodes)
		(void)printf("  mapping %s, threads %u\n", mappings[p->executor.mapping],
			     p->executor.threads);
	for (unsigned i = 0; i < p->producers; i++)
		(void)printf("  producer %u: %u operations, overflow %d\n", i,
			     p->producer[i].operations, (int)p->producer[i].options.overflow);
	for (unsigned i = 0; i < p->views; i++)
		(void)printf("  view %u: by %s, after nodes %x, batch %u, leaves after %llu\n", i,
			     ways[p->view[i].way], p->view[i].after, p->view[i].batch,
			     (unsigned long long)p->view[i].leaves_after);
	(void)printf("  lossy readers: %u; acts:", p->readers);
	for (unsigned i = 0; i < p->act_count; i++)
		(void)printf(" %s", acts[p->acts[i]]);
	(void)printf("; rounds %u, %s%sstop mode %d, patience %llu ns\n", p->rounds,
		     p->early ? "ends early, " : "",
		     p->hasty     ? "hasty, "
		     : p->visited ? "visited, "
		     : p->eager   ? "eager, "
				  : "",
		     (int)p->mode, (unsigned long long)p->patience_ns);
}
