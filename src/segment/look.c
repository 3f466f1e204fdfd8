/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A segment seen from outside, by who trusts nothing that stands there.
 *
 * The ring's own functions answer most of it, on a view whose numbers all come from the checked copy
 * of the segment's header: where things lie, how many there are, how large an event is. What is read
 * from the memory itself are positions, which are only ever masked and compared, and figures. Loops over
 * positions end after a lap at most, whatever the words say.
 *
 * Orders are those of the functions that are used. No lock is taken, so what changes under one is read
 * as it comes, a word at a time.
 */
#include "error.h"
#include "graph/stats.h"
#include "ring/gate.h"
#include "ring/mirror.h"
#include "ring/record.h"
#include "ring/repair.h"
#include "segment/segment.h"
#include "wait/core.h"

#include <disruptor/look.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct disruptor_look {
	struct os_share share;
	struct segment_header header; /* copies, checked, both */
	struct ring_layout layout;
	struct segment_type *type;
	struct disruptor_ring
		ring;  /* only what ring_place() sets, the rung, and `header`: that of `layout` */
	char name[64]; /* for messages */
};

/* ---- opening ---- */

static int check_options(struct disruptor_segment_options *known,
			 const struct disruptor_segment_options *given)
{
	const char *what = NULL;
	int rc = ring_copy_options("segment options", known, sizeof(*known), given);

	if (rc != 0)
		return rc;
	if (known->flags)
		what = "flags";
	else if (known->participant || known->participants)
		what = known->participant ? "participant" : "participants";
	else if (known->reserved)
		what = "reserved";
	if (what)
		return error_set(DISRUPTOR_E_INVAL, "%s: not zero, but a look takes no part", what);
	if (known->mode & ~0666u)
		return error_set(DISRUPTOR_E_INVAL, "mode: %03o has more than reading and writing",
				 known->mode);
	return 0;
}

/* What is there, as a ring whose numbers nobody can change. */
static void place_ring(struct disruptor_look *l)
{
	const struct disruptor_options o = segment_options(&l->header);

	/* all gates are looked at: how many were ever used stands in the memory */
	l->layout.header.gates_used = l->header.max_consumers;
	ring_place(&l->ring, &l->layout, l->share.base + l->header.block_at, &l->type->type, &o);
	l->ring.header = &l->layout.header;
	l->ring.rung = o.rung;
	l->ring.between = true;
}

int disruptor_look_open(struct disruptor_look **look, const char *name,
			const struct disruptor_segment_options *options)
{
	struct disruptor_segment_options o = { .size = sizeof(o) };
	struct disruptor_look *l;
	int rc = 0;

	if (!look)
		return error_set(DISRUPTOR_E_INVAL, "look: NULL");
	*look = NULL;
	if (!name)
		return error_set(DISRUPTOR_E_INVAL, "name: NULL");
	if (options)
		rc = check_options(&o, options);
	if (rc != 0)
		return rc;
	l = calloc(1, sizeof(*l));
	if (!l)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the look", sizeof(*l));
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	rc = os_share_open(&l->share,
			   &(struct os_place){ .directory = o.directory,
					       .name = name,
					       .mode = o.mode ? o.mode : 0666 },
			   sizeof(l->header), true);
	if (rc == 0)
		rc = segment_examine(&l->share, l->name, &l->header, &l->layout, &l->type);
	if (rc != 0) {
		disruptor_look_close(&l);
		return rc;
	}
	place_ring(l);
	*look = l;
	return 0;
}

void disruptor_look_close(struct disruptor_look **look)
{
	if (!look || !*look)
		return;
	os_share_close(&(*look)->share);
	free((*look)->type);
	free(*look);
	*look = NULL;
}

/* ---- what it is ---- */

int disruptor_look_facts(const struct disruptor_look *l, struct disruptor_look_facts *out)
{
	struct disruptor_look_facts known;
	const struct segment_header *h;

	if (!l || !out)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", l ? "out" : "look");
	h = &l->header;
	known = (struct disruptor_look_facts){
		.major = h->major,
		.minor = h->minor,
		.bytes = h->bytes,
		.created_ns = h->created_ns,
		.current = segment_is_current(h),
		.participants = h->participants,
		.capacity = h->capacity,
		.event_size = h->event_size,
		.event_align = h->event_align,
		.slot_stride = l->layout.header.slot_stride,
		.event_offset = l->layout.header.event_offset,
		.layout = l->ring.layout,
		.producers = l->ring.producers,
		.rung = l->ring.rung,
		.flags = h->flags,
		.max_producers = h->max_producers,
		.max_consumers = h->max_consumers,
		.cell = h->cell,
	};
	memcpy(known.id, h->id, sizeof(known.id));
	return stats_give("look facts", out, out->size, &known, sizeof(known));
}

const struct disruptor_type *disruptor_look_type(const struct disruptor_look *l)
{
	return l ? &l->type->type : NULL;
}

/* ---- how it does ---- */

/* What every question about the memory begins with. */
static int check_look(const struct disruptor_look *l, const void *out, const char *what)
{
	if (!l || !out)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", l ? what : "look");
	if (!os_share_is_whole(&l->share))
		return error_set(DISRUPTOR_E_FORMAT, "%s: the file has been cut short", l->name);
	return 0;
}

static int check_index(const struct disruptor_look *l, const void *out, uint32_t index,
		       uint32_t places)
{
	int rc = check_look(l, out, "out");

	if (rc == 0 && index >= places)
		rc = error_set(DISRUPTOR_E_NOT_FOUND, "index: %u of %u", index, places);
	return rc;
}

static void copy_name(char (*to)[32], const char *from)
{
	segment_copy(*to, from, sizeof(*to));
	(*to)[sizeof(*to) - 1] = '\0';
}

/* Words that change under the ring's lock, and are no atomic words. */
static uint32_t look_at(const uint32_t *word)
{
	uint32_t value;

	segment_copy(&value, word, sizeof(value));
	return value;
}

static uint64_t look_at_long(const uint64_t *word)
{
	uint64_t value;

	segment_copy(&value, word, sizeof(value));
	return value;
}

static uint64_t length(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint64_t age(uint64_t since)
{
	return since ? length(since, disruptor_now()) : 0;
}

/* Its words may be of two failures, of which one was forgotten meanwhile. */
static void tell_failure(const struct ring_common *from, struct disruptor_look_state *out)
{
	struct ring_common c;

	segment_copy(&c, from, sizeof(c));
	out->failure_code = c.failed_code;
	if (c.failed_code == 0)
		return;
	out->failure_at = c.failed_at;
	(void)snprintf(out->failure_hook, sizeof(out->failure_hook), "%s",
		       ring_hook_name(c.failed_hook));
	memcpy(out->failure_stage, c.failed_stage, sizeof(out->failure_stage) - 1);
}

int disruptor_look_state(const struct disruptor_look *l, struct disruptor_look_state *out)
{
	const unsigned bits = DISRUPTOR_STATE_CLOSED | DISRUPTOR_STATE_FAILED |
			      DISRUPTOR_STATE_ENDED;
	struct disruptor_look_state known;
	struct disruptor_ring_stats s;
	const struct ring_common *common;
	int rc = check_look(l, out, "out");

	if (rc != 0)
		return rc;
	s = disruptor_ring_stats(&l->ring);
	common = l->ring.common;
	/* relaxed (figure), all */
	known = (struct disruptor_look_state){
		.state = s.state & bits,
		.open_producers = s.open_producers,
		.consumers = s.consumers,
		.claimed = s.claimed,
		.published = ring_first_unpublished_from(&l->ring, s.released),
		.released = s.released,
		.remaining = s.remaining,
		.oldest = look_at_long(&common->gone),
		.end = s.state & DISRUPTOR_STATE_ENDED
			       ? disruptor_load_relaxed(&l->ring.shared->end)
			       : 0,
		.voids = s.voids,
		.dropped = s.dropped,
		.slow_claims = s.slow_claims,
		.sleeps = s.sleeps,
		.wakes = s.wakes,
		.dead_producers = disruptor_load_relaxed(&common->dead_producers),
		.dead_consumers = disruptor_load_relaxed(&common->dead_consumers),
		.orphans = disruptor_load_relaxed(&common->orphans),
	};
	if (known.state & DISRUPTOR_STATE_FAILED)
		tell_failure(common, &known);
	/* it went on between the two looks */
	if (known.published > known.claimed)
		known.published = known.claimed;
	return stats_give("look state", out, out->size, &known, sizeof(known));
}

/* From a table's word: from 1, 0 is nobody. */
static uint32_t whose(const struct disruptor_look *l, uint32_t participant)
{
	return participant == 0 || participant > l->header.participants ? DISRUPTOR_LOOK_NOBODY
									: participant - 1;
}

/* Of many producers its own entry tells; else it is all that is claimed and not published. */
static void find_run(const struct disruptor_look *l, const struct ring_producer *p,
		     struct disruptor_look_producer *out)
{
	const struct disruptor_ring *r = &l->ring;
	bool many = r->producers == DISRUPTOR_MANY;
	uint64_t claimed = ring_claimed(r);
	/* relaxed (figure), both */
	uint64_t first = many ? disruptor_load_relaxed(&p->run_first) : ring_first_unpublished(r);
	uint64_t end = many ? disruptor_load_relaxed(&p->run_end) : claimed;

	/* what it is about to claim it has not; and a run is no longer than the ring */
	end = end < claimed ? end : claimed;
	if (length(first, end) > r->capacity)
		return;
	/* relaxed (figure) */
	while (many && first < end &&
	       ring_is_settled(r, disruptor_load_relaxed(ring_stamp(r, first)), first))
		first++;
	if (first >= end)
		return;
	out->run_first = first;
	out->run_end = end;
}

int disruptor_look_producer(const struct disruptor_look *l, uint32_t index,
			    struct disruptor_look_producer *out)
{
	struct disruptor_look_producer known;
	const struct ring_producer *p;
	int rc = check_index(l, out, index, l ? l->ring.max_producers : 0);

	if (rc != 0)
		return rc;
	p = &l->ring.producer_table[index];
	/* relaxed (figure), all */
	known = (struct disruptor_look_producer){
		.open = disruptor_load_relaxed(&p->opened) != 0,
		.participant = DISRUPTOR_LOOK_NOBODY,
		.dropped = disruptor_load_relaxed(&p->dropped),
		.slow_claims = disruptor_load_relaxed(&p->slow_claims),
		.sleeps = disruptor_load_relaxed(&p->sleeps),
		.wakes = disruptor_load_relaxed(&p->wakes),
	};
	if (known.open) {
		copy_name(&known.name, p->name);
		/* relaxed (figure), all */
		known.participant = whose(l, disruptor_load_relaxed(&p->participant));
		known.blocked_ns = age(disruptor_load_relaxed(&p->blocked_since));
		known.blocked_for = known.blocked_ns ? disruptor_load_relaxed(&p->blocked_for) : 0;
		find_run(l, p, &known);
	}
	return stats_give("look producer", out, out->size, &known, sizeof(known));
}

/* ---- consumers ---- */

/* What it waits for the next of: those before it, or what is published. */
static uint64_t bound_of(const struct disruptor_look *l, uint64_t upstreams, uint64_t position)
{
	uint64_t low;

	if (!upstreams)
		return ring_first_unpublished_from(&l->ring, position);
	low = gate_slowest_of(&l->ring, upstreams);
	return low == DISRUPTOR_VACANT ? position : low;
}

/* Whether those whose news it waits for are asked to wake. */
static bool is_asked_for(const struct disruptor_look *l, uint64_t upstreams, uint64_t position)
{
	const atomic_word *word = &l->ring.shared->wake_consumers;
	int behind = upstreams ? gate_behind(&l->ring, upstreams, position + 1) : -1;

	if (upstreams && behind < 0)
		return false; /* its news is there */
	if (behind >= 0)
		word = &l->ring.gates[behind].wake;
	/* relaxed (figure) */
	return disruptor_load_relaxed(word) != 0;
}

static void find_progress(const struct disruptor_look *l, const struct disruptor_gate *gate,
			  struct disruptor_look_consumer *out)
{
	/* entries behind the table's end are nobody's */
	const uint64_t places = l->header.max_consumers == 64
					? UINT64_MAX
					: (UINT64_C(1) << l->header.max_consumers) - 1;

	/* what it has released was claimed, and published, before we look for those */
	out->position = gate_slowest_of(&l->ring, UINT64_C(1) << (gate - l->ring.gates));
	out->attached = out->attached && out->position != DISRUPTOR_VACANT;
	/* relaxed (figure), both */
	out->upstreams = disruptor_load_relaxed(&gate->upstreams) & places;
	out->sleeps = disruptor_load_relaxed(&gate->sleeps);
	if (!out->attached) {
		out->position = 0;
		return;
	}
	out->ready = length(out->position, bound_of(l, out->upstreams, out->position));
	out->lag = length(out->position, ring_claimed(&l->ring));
	out->sleeping = out->waiting_ns != 0 && is_asked_for(l, out->upstreams, out->position);
	/* it went on between the two looks */
	if (out->ready > out->lag)
		out->ready = out->lag;
}

static uint64_t in_hand(uint64_t batch_at)
{
	return batch_at & 1 ? age(batch_at & ~UINT64_C(1)) : 0;
}

int disruptor_look_consumer(const struct disruptor_look *l, uint32_t index,
			    struct disruptor_look_consumer *out)
{
	struct disruptor_look_consumer known = { .participant = DISRUPTOR_LOOK_NOBODY };
	const struct ring_consumer *c;
	uint32_t participant;
	int rc = check_index(l, out, index, l ? l->ring.max_consumers : 0);

	if (rc != 0)
		return rc;
	c = &l->ring.consumer_table[index];
	known.open = look_at(&c->used) != 0;
	if (known.open) {
		/* relaxed (figure), all */
		participant = disruptor_load_relaxed(&c->participant);
		known.participant = whose(l, participant);
		known.dead = participant == RING_DEAD;
		known.if_dead = look_at(&c->if_dead) ? DISRUPTOR_OPTIONAL : DISRUPTOR_REQUIRED;
		known.takes = look_at(&c->take) != 0;
		known.attached = look_at(&c->attached) != 0;
		known.wakes = disruptor_load_relaxed(&c->wakes);
		if (!known.dead) { /* else it is as old as the process */
			known.waiting_ns = age(disruptor_load_relaxed(&c->waits_since));
			known.handling_ns = in_hand(disruptor_load_relaxed(&c->batch_at));
		}
		copy_name(&known.name, l->ring.gates[index].name);
		find_progress(l, &l->ring.gates[index], &known);
	}
	return stats_give("look consumer", out, out->size, &known, sizeof(known));
}

/* ---- participants ---- */

int disruptor_look_participant(const struct disruptor_look *l, uint32_t index,
			       struct disruptor_participant *out)
{
	int rc = check_index(l, out, index, l ? l->header.participants : 0);

	if (rc == 0)
		segment_tell(&l->share, &l->header, &l->ring, index, out);
	return rc;
}

/* ---- events ---- */

/* What the stamp says, or the cursor. */
static enum disruptor_look_event judge(const struct disruptor_ring *r, uint64_t position)
{
	uint64_t claimed = ring_claimed(r), stamp;

	if (position >= claimed)
		return DISRUPTOR_LOOK_UNCLAIMED;
	if (disruptor_ring_published(r, position))
		return DISRUPTOR_LOOK_PUBLISHED;
	if (r->layout == DISRUPTOR_PACKED)
		return claimed - position > r->capacity ? DISRUPTOR_LOOK_GONE
							: DISRUPTOR_LOOK_CLAIMED;
	/* relaxed (figure): nothing is read behind it */
	stamp = disruptor_load_relaxed(ring_stamp(r, position));
	if (stamp == ((position + 1) | DISRUPTOR_VOID))
		return DISRUPTOR_LOOK_VOID;
	/* just published, behind the look above */
	if (stamp == position + 1 && claimed - position <= r->capacity)
		return DISRUPTOR_LOOK_CLAIMED;
	return ring_is_settled(r, stamp, position) ? DISRUPTOR_LOOK_GONE : DISRUPTOR_LOOK_CLAIMED;
}

/*
 * Whether nobody may have written at @p position since it was published. Behind the copy: a producer
 * notes how far it may go, and has a fence behind that, before it writes there (gate_limit()).
 */
static bool is_kept(const struct disruptor_ring *r, uint64_t position)
{
	for (uint32_t i = 0; i < r->max_producers; i++) {
		const struct ring_producer *p = &r->producer_table[i];

		/* relaxed (figure): on the processor's word alone; see above */
		if (look_at(&p->used) && disruptor_load_relaxed(&p->limit) > position + r->capacity)
			return false;
	}
	return position >= look_at_long(&r->common->gone);
}

static enum disruptor_look_event copy_mirrored(const struct disruptor_ring *r, uint64_t position,
					       void *event)
{
	uint64_t at;

	switch (mirror_get(r, position, event, &at)) {
	case MIRROR_EVENT:
		return DISRUPTOR_LOOK_PUBLISHED;
	case MIRROR_VOIDED:
		return DISRUPTOR_LOOK_VOID;
	case MIRROR_LAPPED:
		return DISRUPTOR_LOOK_GONE;
	default:
		return position < ring_claimed(r) ? DISRUPTOR_LOOK_CLAIMED
						  : DISRUPTOR_LOOK_UNCLAIMED;
	}
}

static enum disruptor_look_event copy_event(const struct disruptor_ring *r, uint64_t position,
					    void *event)
{
	enum disruptor_look_event state = judge(r, position);

	if (state != DISRUPTOR_LOOK_PUBLISHED)
		return state;
	if (event)
		segment_copy(event, ring_slot(r, position) + r->offset, r->header->event_size);
	/* MIRROR.tear.acquire: what was copied, then the look whether it was left alone; see is_kept() */
	disruptor_fence_acquire();
	state = judge(r, position);
	if (state == DISRUPTOR_LOOK_PUBLISHED && !is_kept(r, position))
		state = DISRUPTOR_LOOK_UNSURE;
	return state;
}

int disruptor_look_event(const struct disruptor_look *l, uint64_t position, void *event,
			 enum disruptor_look_event *state)
{
	int rc = check_look(l, state, "state");

	if (rc != 0)
		return rc;
	if (position >> 62)
		return error_set(DISRUPTOR_E_INVAL, "position: %llu is above all that there are",
				 (unsigned long long)position);
	*state = l->ring.mirror && event ? copy_mirrored(&l->ring, position, event)
					 : copy_event(&l->ring, position, event);
	if (event && *state != DISRUPTOR_LOOK_PUBLISHED && *state != DISRUPTOR_LOOK_UNSURE)
		memset(event, 0, l->header.event_size);
	return 0;
}

int disruptor_look_record(const struct disruptor_look *l, uint64_t position, void *bytes,
			  size_t room, size_t *size, enum disruptor_look_event *state)
{
	uint64_t word = 0, cells;
	int rc = check_look(l, state, "state");

	if (rc == 0 && (!size || (!bytes && room)))
		rc = error_set(DISRUPTOR_E_INVAL, "%s: NULL", size ? "bytes" : "size");
	if (rc == 0 && !l->ring.cells)
		rc = error_set(DISRUPTOR_E_TYPE, "%s: not a ring of records", l->name);
	if (rc == 0)
		rc = disruptor_look_event(l, position, &word, state);
	if (rc != 0)
		return rc;
	*size = 0;
	if (*state != DISRUPTOR_LOOK_PUBLISHED && *state != DISRUPTOR_LOOK_UNSURE)
		return 0;
	if (record_read(&l->ring, word, position, size, &cells) != RECORD_FIRST)
		return 0;
	segment_copy(bytes, record_cell(&l->ring, position), *size < room ? *size : room);
	/* as in copy_event(): what was copied, then the look whether it was left alone */
	rc = disruptor_look_event(l, position, NULL, state);
	if (rc == 0 && (*state == DISRUPTOR_LOOK_PUBLISHED || *state == DISRUPTOR_LOOK_UNSURE))
		return 1;
	*size = 0;
	return rc;
}

const char *disruptor_look_event_name(enum disruptor_look_event state)
{
	static const char *const names[] = { "unclaimed", "claimed", "published",
					     "unsure",    "void",    "gone" };

	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}
