/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Who is blocking whom, seen from outside: a look at every gate, the claims
 * and what each thread has left word of, and what it comes to.
 *
 * Nobody is stopped for it. Gates are read first, then the claim position, then
 * how far all is published: each can only have moved on since the one before
 * it was read, so no stage is ever seen ahead of what it was given.
 */
#include "graph/diagnose.h"

#include "error.h"
#include "graph/pool.h"
#include "graph/stats.h"

#include <string.h>

/* A look under way. */
struct look {
	struct disruptor *d;
	struct disruptor_ring *r;
	struct disruptor_diagnosis *out;
	uint64_t at[DISRUPTOR_MAX_CONSUMERS]; /* of each gate; VACANT if nobody's */
	uint32_t *gate;                       /* of each of out->stages … */
	const struct disruptor_stage *stage[DISRUPTOR_MAX_CONSUMERS]; /* … and NULL if it is none */
};

static uint64_t age(uint64_t now, uint64_t since)
{
	return since != 0 && since < now ? now - since : 0;
}

static uint64_t length(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* Of at most 31 bytes; it need not end, where others may write it. */
static void copy_name(char (*to)[32], const char *name)
{
	const char *end = memchr(name, '\0', sizeof(*to) - 1);
	size_t n = end ? (size_t)(end - name) : sizeof(*to) - 1;

	memcpy(*to, name, n);
	(*to)[n] = '\0';
}

/* ---- looking ---- */

static void add_entry(struct look *l, uint32_t gate, const struct disruptor_stage *s)
{
	struct disruptor_stage_diagnosis *e = &l->out->stages[l->out->stage_count];

	copy_name(&e->name, l->r->gates[gate].name);
	e->is_stage = s != NULL;
	e->position = l->at[gate];
	l->stage[l->out->stage_count] = s;
	l->gate[l->out->stage_count++] = gate;
}

/* Every gate that is held: first the stages', then the others'. The ring's lock is held. */
static void read_gates(struct look *l)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < l->r->max_consumers; i++)
		/* STAGE.acquire: what has been released was published, and claimed, before we look */
		l->at[i] = disruptor_load_acquire(&l->r->gates[i].sequence);
	for_each_stage (s, l->d) {
		if (l->at[s->consumer.index] == DISRUPTOR_VACANT)
			continue; /* a pool's worker without work */
		add_entry(l, s->consumer.index, s);
		taken |= UINT64_C(1) << s->consumer.index;
	}
	for (uint32_t i = 0; i < l->r->max_consumers; i++)
		if (l->r->consumer_table[i].used && !(taken >> i & 1))
			add_entry(l, i, NULL);
}

static void read_claims(struct look *l)
{
	struct disruptor_diagnosis *out = l->out;
	struct graph_seen *seen = &l->d->seen;
	uint64_t published;

	out->claimed = ring_claimed(l->r);
	published = ring_first_unpublished_from(l->r, seen->published);
	if (published >= out->claimed) {
		*seen = (struct graph_seen){ .published = published };
		out->unpublished = out->claimed;
		return;
	}
	if (seen->since == 0 || seen->published != published)
		*seen = (struct graph_seen){ .published = published, .since = out->now };
	out->unpublished = published;
	out->unpublished_ns = out->now - seen->since;
	copy_name(&out->unpublished_by, ring_claimer(l->r, published));
}

/* The slowest of the gates before @p gate, or -1. */
static int slowest_upstream(const struct look *l, uint32_t gate)
{
	/* relaxed (lock): the ring's, which is held */
	uint64_t set = disruptor_load_relaxed(&l->r->gates[gate].upstreams);
	int slowest = -1;

	for (; set; set &= set - 1) {
		int i = __builtin_ctzll(set);

		if (slowest < 0 || l->at[i] < l->at[slowest])
			slowest = i;
	}
	return slowest;
}

/* It is in no batch: for what, then, does it wait? */
static enum disruptor_activity find_wait(const struct look *l, struct disruptor_stage_diagnosis *e,
					 int upstream)
{
	const struct disruptor_diagnosis *out = l->out;

	if (e->position >= out->claimed)
		return DISRUPTOR_ACTIVITY_AWAITS_EVENTS;
	if (e->ready > 0)
		return DISRUPTOR_ACTIVITY_HAS_EVENTS;
	if (upstream < 0) {
		copy_name(&e->waits_for, out->unpublished_by);
		return DISRUPTOR_ACTIVITY_AWAITS_PRODUCER;
	}
	copy_name(&e->waits_for, l->r->gates[upstream].name);
	return DISRUPTOR_ACTIVITY_AWAITS_STAGE;
}

/* Whether a stage is in no state to wait or to handle; its activity then. */
static bool is_not_in_loop(const struct disruptor *d, const struct disruptor_stage *s,
			   enum disruptor_activity *activity)
{
	bool running = disruptor_stage_running(s);
	/* relaxed (figure) */
	bool has_run = d->state != DISRUPTOR_INIT || disruptor_load_relaxed(&s->figures.batches);

	if (!s->reported && (running || d->state == DISRUPTOR_STARTING))
		*activity = DISRUPTOR_ACTIVITY_STARTING;
	else if (running)
		return false;
	else
		*activity = has_run ? DISRUPTOR_ACTIVITY_ENDED : DISRUPTOR_ACTIVITY_NOT_STARTED;
	return true;
}

/* Entry @p i; of stage @p s, or of a consumer that is none. */
static void find_activity(const struct look *l, uint32_t i, const struct disruptor_stage *s)
{
	struct disruptor_stage_diagnosis *e = &l->out->stages[i];
	int upstream = slowest_upstream(l, l->gate[i]);
	uint64_t now = l->out->now, waits, batch;

	e->behind = length(e->position, l->out->claimed);
	e->ready = length(e->position, upstream < 0 ? l->out->unpublished : l->at[upstream]);
	if (s && s->is_head)
		s = pool_slowest(s->pool); /* it does what the worker that holds it up does */
	if (s && is_not_in_loop(l->d, s, &e->activity))
		return;
	/* relaxed (figure), both: a stale one is as true as the position read before it */
	waits = disruptor_load_relaxed(&l->r->consumer_table[l->gate[i]].waits_since);
	batch = disruptor_load_relaxed(s ? s->figures.batch_at
					 : &l->r->consumer_table[l->gate[i]].batch_at);
	if (batch & 1) {
		e->activity = DISRUPTOR_ACTIVITY_HANDLING;
		e->for_ns = age(now, batch & ~UINT64_C(1));
		return;
	}
	e->activity = find_wait(l, e, upstream);
	e->for_ns = age(now, waits);
	/* without figures: what has events and does not wait handles them */
	if (s && s->figures.off && e->activity == DISRUPTOR_ACTIVITY_HAS_EVENTS && waits == 0)
		e->activity = DISRUPTOR_ACTIVITY_HANDLING;
}

/* Of those furthest behind, one that does not wait for another of them. */
static uint32_t find_slowest(const struct disruptor_diagnosis *out)
{
	const struct disruptor_stage_diagnosis *e = out->stages;
	uint32_t slowest = 0;

	for (uint32_t i = 1; i < out->stage_count; i++)
		if (e[i].position < e[slowest].position ||
		    (e[i].position == e[slowest].position &&
		     e[slowest].activity == DISRUPTOR_ACTIVITY_AWAITS_STAGE))
			slowest = i;
	return slowest;
}

/* The producers that wait for room. The ring's lock is held. */
static void read_producers(struct look *l)
{
	struct disruptor_diagnosis *out = l->out;

	for (uint32_t i = 0; i < l->r->max_producers; i++) {
		const struct ring_producer *p = &l->r->producer_table[i];
		struct disruptor_producer_diagnosis *b;
		/* relaxed (figure), both: a new wait's time with the last one's need is as good */
		uint64_t since = disruptor_load_relaxed(&p->blocked_since);

		if (!p->used || since == 0 || out->blocked_count++ >= DISRUPTOR_BLOCKED_MAX)
			continue;
		b = &out->blocked[out->blocked_count - 1];
		copy_name(&b->name, p->name);
		b->needs = disruptor_load_relaxed(&p->blocked_for);
		b->for_ns = age(out->now, since);
		if (out->slowest < out->stage_count &&
		    out->stages[out->slowest].position < b->needs)
			copy_name(&b->waits_for, out->stages[out->slowest].name);
	}
}

void diagnose_look(struct disruptor *d, struct disruptor_diagnosis *out,
		   uint32_t gate[DISRUPTOR_MAX_CONSUMERS])
{
	struct look l = { .d = d, .r = d->ring, .out = out, .gate = gate };

	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->state = d->state;
	out->capacity = d->ring->capacity;
	out->now = os_now();
	ring_lock(d->ring);
	read_gates(&l);
	read_claims(&l);
	for (uint32_t i = 0; i < out->stage_count; i++)
		find_activity(&l, i, l.stage[i]);
	out->slowest = find_slowest(out);
	read_producers(&l);
	ring_unlock(d->ring);
}

/* ---- concluding ---- */

static enum disruptor_finding find(const struct disruptor_diagnosis *out)
{
	const struct disruptor_stage_diagnosis *e = &out->stages[out->slowest];

	if (out->state == DISRUPTOR_FAILED)
		return DISRUPTOR_FINDING_FAILED;
	if (out->stage_count == 0 || e->behind == 0)
		return DISRUPTOR_FINDING_IDLE;
	if (e->activity == DISRUPTOR_ACTIVITY_AWAITS_PRODUCER)
		return DISRUPTOR_FINDING_UNPUBLISHED;
	if (out->blocked_count > 0 || e->behind >= out->capacity)
		return DISRUPTOR_FINDING_FULL;
	if (e->activity == DISRUPTOR_ACTIVITY_NOT_STARTED ||
	    e->activity == DISRUPTOR_ACTIVITY_ENDED)
		return DISRUPTOR_FINDING_NOT_RUN;
	return out->stalled_ns ? DISRUPTOR_FINDING_STALLED : DISRUPTOR_FINDING_RUNNING;
}

static void say_unpublished(struct report *r, const struct disruptor_diagnosis *out)
{
	report_add(r, "position %llu, claimed", (unsigned long long)out->unpublished);
	if (out->unpublished_by[0])
		report_add(r, " by producer '%s'", out->unpublished_by);
	report_duration(r, " at least ", out->unpublished_ns, " ago");
	report_add(r, ", is neither published nor aborted: every stage waits for it");
}

static void say_slowest(struct report *r, const struct disruptor_diagnosis *out)
{
	const struct disruptor_stage_diagnosis *e = &out->stages[out->slowest];

	report_add(r, "%s: %s '%s' is %llu behind, ", disruptor_finding_name(out->finding),
		   e->is_stage ? "stage" : "consumer", e->name, (unsigned long long)e->behind);
	report_activity(r, e);
}

void diagnose_conclude(const struct disruptor *d, struct disruptor_diagnosis *out)
{
	struct report r = { .buffer = out->verdict, .size = sizeof(out->verdict) };

	out->finding = find(out);
	switch (out->finding) {
	case DISRUPTOR_FINDING_FAILED:
		report_add(&r, "failed: stage '%s': %s answered %d at position %llu",
			   d->failure.stage, d->failure.hook, d->failure.code,
			   (unsigned long long)d->failure.position);
		break;
	case DISRUPTOR_FINDING_IDLE:
		report_add(&r, "idle: everything published has been released");
		break;
	case DISRUPTOR_FINDING_UNPUBLISHED:
		say_unpublished(&r, out);
		break;
	default:
		say_slowest(&r, out);
	}
}

int disruptor_diagnose(struct disruptor *d, struct disruptor_diagnosis *out)
{
	uint32_t gate[DISRUPTOR_MAX_CONSUMERS];
	struct disruptor_diagnosis known;

	if (!d || !out)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "out" : "d");
	os_lock(&d->monitor);
	diagnose_look(d, &known, gate);
	diagnose_conclude(d, &known);
	os_unlock(&d->monitor);
	return stats_give("diagnosis", out, out->size, &known, sizeof(known));
}
