/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/group.h"

#include "error.h"
#include "hook.h"
#include "ring/deferred.h"

int group_open(struct consumer_group *g, struct group_member *members, uint32_t count)
{
	int rc = 0;

	/* whoever joins the group later has the ring of one that is in it */
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = bridge_start(members[i].consumer->ring);
	if (rc == 0)
		rc = parker_init(&g->parker);
	if (rc != 0)
		return rc;
	g->members = members;
	g->count = count;
	g->found = 0;
	for (uint32_t i = 0; i < count; i++) {
		members[i].watch.parker = &g->parker;
		watch_add(members[i].consumer->ring, &members[i].watch);
	}
	return 0;
}

void group_drop(struct consumer_group *g, uint32_t index)
{
	struct group_member *m = &g->members[index];

	if (!m->consumer)
		return;
	watch_remove(m->consumer->ring, &m->watch);
	m->consumer = NULL;
}

void group_close(struct consumer_group *g)
{
	for (uint32_t i = 0; i < g->count; i++)
		group_drop(g, i);
	parker_destroy(&g->parker);
}

/* Whether the edge is one of the group's own: it cannot move while its thread sleeps. */
static bool is_own(const struct consumer_group *g, const struct wait_need *need)
{
	for (uint32_t i = 0; i < g->count; i++)
		if (g->members[i].consumer && !is_deferred(g->members[i].consumer) &&
		    need->edge.word == &g->members[i].consumer->gate->wake)
			return true;
	return false;
}

static int64_t group_look(void *who, struct wait_need *need)
{
	struct consumer_group *g = who;

	(void)need; /* each member has its own */
	for (uint32_t i = 0; i < g->count; i++) {
		struct group_member *m = &g->members[i];

		if (m->consumer && consumer_look(m->consumer, &m->need) != 0) {
			g->found = i;
			return 1;
		}
	}
	return 0;
}

/* Tell every edge that somebody waits, and pass the barriers. */
static void ask(struct consumer_group *g)
{
	const struct disruptor_ring *passed = NULL;

	for (uint32_t i = 0; i < g->count; i++) {
		struct group_member *m = &g->members[i];

		m->asked = m->need;
		if (m->consumer && !is_own(g, &m->need))
			watch_expect(m->consumer->ring, &m->watch, m->need.edge, m->need.count);
	}
	HOOK(HOOK_GROUP_ASKED);
	for (uint32_t i = 0; i < g->count; i++) {
		struct disruptor_consumer *c = g->members[i].consumer;

		if (!c || c->ring == passed)
			continue;
		passed = c->ring;
		/* WAKE.announce: the store-load barrier between the words and the looks */
		wait_heavy_barrier(c->ring);
	}
}

/* Whether the last look asked for what the one before it did. */
static bool asks_the_same(const struct consumer_group *g)
{
	for (uint32_t i = 0; i < g->count; i++) {
		const struct group_member *m = &g->members[i];

		if (m->consumer &&
		    (m->need.edge.word != m->asked.edge.word || m->need.count != m->asked.count))
			return false;
	}
	return true;
}

int64_t group_arm(struct consumer_group *g, uint32_t *seen)
{
	struct wait_need unused;

	if (group_look(g, &unused) != 0)
		return 1;
	do {
		HOOK(HOOK_WAIT_BEFORE_ARM);
		*seen = parker_arm(&g->parker);
		ask(g);
		if (group_look(g, &unused) != 0) {
			parker_disarm(&g->parker);
			return 1;
		}
	} while (!asks_the_same(g)); /* part has come: the rest is another edge's */
	return 0;
}

static int64_t group_block(const struct wait_request *q, uint64_t deadline)
{
	struct consumer_group *g = q->who;
	uint32_t seen;

	if (group_arm(g, &seen) != 0)
		return 1;
	HOOK(HOOK_WAIT_BEFORE_PARK);
	tally(q->sleeps);
	parker_park(&g->parker, seen, deadline);
	HOOK(HOOK_WAIT_AWAKE);
	parker_disarm(&g->parker);
	return 0;
}

int64_t group_wait(struct consumer_group *g, struct disruptor_ring *r,
		   const struct disruptor_wait *policy, uint32_t *spins, atomic_word *sleeps,
		   uint64_t deadline)
{
	const struct wait_request request = {
		.ring = r,
		.policy = policy,
		.spins = spins,
		.look = group_look,
		.who = g,
		.deadline = deadline,
		.sleeps = sleeps,
		.block = group_block,
	};

	return wait_until(&request);
}
