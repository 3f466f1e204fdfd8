/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Consumers in loops of other things: a descriptor to poll(2), and one wait for several rings. */
#include "ring/loop.h"

#include "error.h"
#include "ring/hold.h"

static struct consumer_loop *loop_of(struct disruptor_consumer *c)
{
	return &c->ring->loop_table[c->index];
}

static int open_loop(struct disruptor_consumer *c)
{
	struct consumer_loop *l = loop_of(c);
	struct wait_parker *p = &l->group.parker;
	int rc;

	l->member = (struct group_member){ .consumer = c };
	rc = group_open(&l->group, &l->member, 1);
	if (rc != 0)
		return rc;
	rc = os_event_open(&p->event);
	if (rc != 0) {
		group_close(&l->group);
		return rc;
	}
	p->has_event = true;
	l->cleared = 0;
	l->open = true;
	return 0;
}

void loop_close(struct disruptor_ring *r, uint32_t index)
{
	struct consumer_loop *l = &r->loop_table[index];

	if (l->open)
		group_close(&l->group);
	l->open = false;
}

int disruptor_consumer_fd(struct disruptor_consumer *c)
{
	int rc;

	if (!c || !c->ring)
		return error_set(DISRUPTOR_E_INVAL, "consumer: not open");
	rc = loop_of(c)->open ? 0 : open_loop(c);
	return rc != 0 ? rc : loop_of(c)->group.parker.event.fd;
}

static int64_t look(struct disruptor_consumer *c)
{
	struct wait_need unused;
	int64_t found = consumer_look(c, &unused);

	if (found == DISRUPTOR_E_INTERRUPTED)
		(void)consumer_take_alert(c);
	ring_hold_note(c);
	return found;
}

int64_t disruptor_consumer_arm(struct disruptor_consumer *c)
{
	struct consumer_loop *l;
	uint32_t seen;
	int64_t found;

	if (!c || !c->ring)
		return error_set(DISRUPTOR_E_INVAL, "consumer: not open");
	l = loop_of(c);
	if (!l->open)
		return error_set(
			DISRUPTOR_E_STATE,
			"consumer '%.31s' has no descriptor: disruptor_consumer_fd() first",
			c->gate->name);
	found = look(c);
	if (found != 0)
		return found;
	/*
	 * WAKE.epoch.acquire, relaxed: carried by the watch lock. Who counted it up held that one, and
	 * we take it before we look again; and the event is set, and cleared, by system calls.
	 */
	seen = disruptor_load_relaxed(&l->group.parker.epoch);
	if (seen != l->cleared) {
		os_event_clear(&l->group.parker.event);
		l->cleared = seen;
	}
	return group_arm(&l->group, &seen) == 0 ? 0 : look(c);
}

/* Whether all may be waited for. */
static int check_consumers(struct disruptor_consumer *const *c, size_t count)
{
	if (!c || count == 0 || count > DISRUPTOR_MAX_CONSUMERS)
		return error_set(DISRUPTOR_E_INVAL, "count: %zu is not in 1 … %d", c ? count : 0,
				 DISRUPTOR_MAX_CONSUMERS);
	for (size_t i = 0; i < count; i++)
		if (!c[i] || !c[i]->ring)
			return error_set(DISRUPTOR_E_INVAL, "consumers[%zu]: not open", i);
	return 0;
}

int64_t disruptor_wait_any(struct disruptor_consumer *const *consumers, size_t count,
			   uint64_t deadline)
{
	struct group_member members[DISRUPTOR_MAX_CONSUMERS];
	struct consumer_group group;
	struct disruptor_consumer *first;
	struct wait_need unused;
	int64_t found;
	int rc = check_consumers(consumers, count);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (consumer_look(consumers[i], &unused) != 0)
			return (int64_t)i;
	for (size_t i = 0; i < count; i++)
		members[i] = (struct group_member){ .consumer = consumers[i] };
	rc = group_open(&group, members, (uint32_t)count);
	if (rc != 0)
		return rc;
	first = consumers[0];
	found = group_wait(&group, first->ring, &first->ring->own_consumers[first->index].wait,
			   &first->spins, &first->gate->sleeps, deadline);
	group_close(&group);
	return found > 0 ? (int64_t)group.found : found;
}
