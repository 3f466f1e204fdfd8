/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What stages of different graphs on one ring touch, whichever processes they are in. Each graph tells it
 * in the ring's table of consumers when it is about to run, and compares its stages with those that are
 * there already, under the ring's lock: of two that come at the same time the second sees the first.
 * There are no pools on such a ring, so no workers for which another stands.
 */
#include "error.h"
#include "graph/check.h"
#include "ring/gate.h"

#include <string.h>

/* ---- what the table holds ---- */

/* The fields of a set; true if there are more than it has room for, or all of the event is meant. */
static bool tell_set(uint64_t *fields, const struct access_set *set,
		     const struct disruptor_type *type)
{
	memset(fields, 0, RING_ACCESS_WORDS * sizeof(*fields));
	if (set->all || type->field_count > RING_ACCESS_WORDS * CHECK_WORD_BITS)
		return true;
	for (uint32_t i = 0; i < type->field_count; i++)
		fields[i / CHECK_WORD_BITS] |= set->fields[i / CHECK_WORD_BITS] &
					       UINT64_C(1) << (i % CHECK_WORD_BITS);
	return false;
}

/* Lock held. */
static void tell(struct disruptor *d, const struct disruptor_stage *s)
{
	struct ring_consumer *c = &d->ring->consumer_table[s->consumer.index];
	unsigned access = RING_ACCESS_TOLD;

	if (s->declared)
		access |= RING_ACCESS_DECLARED;
	if (d->trusts_handlers)
		access |= RING_ACCESS_TRUSTED;
	if (tell_set(c->reads, &s->reads, d->ring->type))
		access |= RING_ACCESS_READS_ALL;
	if (tell_set(c->writes, &s->writes, d->ring->type))
		access |= RING_ACCESS_WRITES_ALL;
	c->access = access;
}

/* What another graph has told of its stage; others may write to it, so it is a copy. Lock held. */
struct told {
	char name[32];
	uint64_t reads[RING_ACCESS_WORDS], writes[RING_ACCESS_WORDS];
	unsigned access;
};

static void hear(struct told *t, const struct disruptor_ring *r, uint32_t index)
{
	const struct ring_consumer *c = &r->consumer_table[index];

	memcpy(t->name, r->gates[index].name, sizeof(t->name));
	t->name[sizeof(t->name) - 1] = '\0';
	memcpy(t->reads, c->reads, sizeof(t->reads));
	memcpy(t->writes, c->writes, sizeof(t->writes));
	t->access = c->access;
	/* with so many fields no bits are told */
	if (r->type->field_count > RING_ACCESS_WORDS * CHECK_WORD_BITS)
		t->access |= RING_ACCESS_READS_ALL | RING_ACCESS_WRITES_ALL;
}

/* ---- ours and theirs ---- */

static int compare_with(struct disruptor *d, const struct disruptor_stage *s, uint32_t index)
{
	const struct check_side ours = check_side(s);
	struct told t;
	struct check_side theirs;

	hear(&t, d->ring, index);
	theirs = (struct check_side){
		.name = t.name,
		.declared = t.access & RING_ACCESS_DECLARED,
		.reads = { .all = t.access & RING_ACCESS_READS_ALL, .fields = t.reads },
		.writes = { .all = t.access & RING_ACCESS_WRITES_ALL, .fields = t.writes },
	};
	if ((d->trusts_handlers || (t.access & RING_ACCESS_TRUSTED)) &&
	    (!ours.declared || !theirs.declared))
		return 0;
	return check_two(d->ring->type, &ours, &theirs);
}

static uint64_t gates_of(struct disruptor *d)
{
	uint64_t gates = 0;

	for_each_stage (s, d)
		gates |= UINT64_C(1) << s->consumer.index;
	return gates;
}

/* Lock held. */
static int compare_all(struct disruptor *d, uint64_t ours)
{
	const struct disruptor_ring *r = d->ring;

	for_each_stage (s, d) {
		uint64_t before = gate_ancestors(r, s->consumer.index);

		for (uint32_t i = 0; i < r->max_consumers; i++) {
			const struct ring_consumer *c = &r->consumer_table[i];
			int rc;

			if (!c->used || !(c->access & RING_ACCESS_TOLD) || (ours >> i & 1) ||
			    (before >> i & 1) || (gate_ancestors(r, i) >> s->consumer.index & 1))
				continue;
			rc = compare_with(d, s, i);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

int check_others(struct disruptor *d)
{
	int rc;

	ring_lock(d->ring);
	rc = compare_all(d, gates_of(d));
	for_each_stage (s, d)
		if (rc == 0)
			tell(d, s);
	ring_unlock(d->ring);
	return rc;
}
