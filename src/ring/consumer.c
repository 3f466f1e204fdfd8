/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The reading side's out-of-line half: attaching, order, voids, waiting, polling, taking. */
#include "ring/consumer.h"

#include "error.h"
#include "hook.h"
#include "ring/deferred.h"
#include "ring/gate.h"
#include "ring/hold.h"
#include "ring/loop.h"
#include "ring/pace.h"
#include "ring/repair.h"
#include "ring/ring.h"
#include "ring/share.h"
#include "wait/core.h"
#include "wait/watch.h"

#include <string.h>

#define OPEN_MARK UINT64_C(0x636f6e73756d6572)
#define DEFAULT_BATCH 1024

/* ---- open and close ---- */

static bool is_open_on(const struct disruptor_consumer *c, const struct disruptor_ring *r)
{
	return c && c->open_mark == OPEN_MARK && c->ring == r;
}

/* Whether every attached consumer but @p index is among @p before. Lock held. */
static bool is_last_alone(const struct disruptor_ring *r, uint32_t index, uint64_t before)
{
	for (uint32_t i = 0; i < r->max_consumers; i++)
		if (i != index && r->consumer_table[i].used && !(before >> i & 1))
			return false;
	return true;
}

static const char *taker(const struct disruptor_ring *r)
{
	for (uint32_t i = 0; i < r->max_consumers; i++)
		if (r->consumer_table[i].used && r->consumer_table[i].take)
			return r->gates[i].name;
	return NULL;
}

static int check_options(const struct disruptor_ring *r, const struct disruptor_consumer_options *o)
{
	if (o->batch > r->capacity)
		return error_set(DISRUPTOR_E_TOO_BIG, "batch: %u is above the capacity %llu",
				 o->batch, (unsigned long long)r->capacity);
	if (o->after_count && !o->after)
		return error_set(DISRUPTOR_E_INVAL, "after: NULL, but after_count is %zu",
				 o->after_count);
	if (o->after_name_count && !o->after_names)
		return error_set(DISRUPTOR_E_INVAL,
				 "after_names: NULL, but after_name_count is %zu",
				 o->after_name_count);
	if ((unsigned)o->at > DISRUPTOR_AT_POSITION)
		return error_set(DISRUPTOR_E_INVAL, "at: %d is no place", (int)o->at);
	if (o->if_dead > DISRUPTOR_OPTIONAL)
		return error_set(DISRUPTOR_E_INVAL, "if_dead: %u is neither required nor optional",
				 o->if_dead);
	if (o->if_dead != DISRUPTOR_REQUIRED && !r->between)
		return error_set(DISRUPTOR_E_INVAL,
				 "if_dead: %u, but no other process has this ring", o->if_dead);
	if (o->position != 0 && o->at != DISRUPTOR_AT_POSITION)
		return error_set(DISRUPTOR_E_INVAL,
				 "position: %llu, but `at` is not DISRUPTOR_AT_POSITION",
				 (unsigned long long)o->position);
	return wait_check("wait", &o->wait);
}

/* One of those who share a stream says nothing of what the others have released. */
static int refuse_member(const struct disruptor_ring *r, uint32_t index)
{
	const struct ring_share *share = r->own_consumers[index].share;

	if (!share)
		return 0;
	return error_set(DISRUPTOR_E_INVAL,
			 "'%.31s' is a worker of pool '%.31s', which stands for it in the order",
			 r->gates[index].name, share->whole->name);
}

/* Lock held. */
static int find_named(const struct disruptor_ring *r, const char *name, uint32_t *index)
{
	uint64_t found = gate_named(r, name);

	if (!found)
		return error_set(DISRUPTOR_E_NOT_FOUND, "there is no consumer '%s'", name);
	if (found & (found - 1))
		return error_set(DISRUPTOR_E_INVAL, "%d consumers are called '%s'",
				 __builtin_popcountll(found), name);
	*index = (uint32_t)__builtin_ctzll(found);
	return refuse_member(r, *index);
}

/* Lock held. */
static int upstreams_of(const struct disruptor_ring *r, const struct disruptor_consumer_options *o,
			uint64_t *upstreams)
{
	uint32_t index = 0;
	int rc = 0;

	*upstreams = 0;
	for (size_t k = 0; rc == 0 && k < o->after_count; k++) {
		if (!is_open_on(o->after[k], r))
			return error_set(DISRUPTOR_E_INVAL,
					 "after[%zu]: not an open consumer of this ring", k);
		rc = refuse_member(r, o->after[k]->index);
		*upstreams |= UINT64_C(1) << o->after[k]->index;
	}
	for (size_t k = 0; rc == 0 && k < o->after_name_count; k++) {
		if (!o->after_names[k])
			return error_set(DISRUPTOR_E_INVAL, "after_names[%zu]: NULL", k);
		rc = find_named(r, o->after_names[k], &index);
		*upstreams |= UINT64_C(1) << index;
	}
	return rc;
}

/* Whether gate @p later would come after itself, if it came after gate @p earlier. Lock held. */
static int refuse_cycle(const struct disruptor_ring *r, uint32_t later, uint32_t earlier)
{
	if (later != earlier && !(gate_ancestors(r, earlier) >> later & 1))
		return 0;
	return error_set(DISRUPTOR_E_INVAL,
			 "'%.31s' after '%.31s' would close a cycle: '%.31s' comes after '%.31s'",
			 r->gates[later].name, r->gates[earlier].name, r->gates[earlier].name,
			 r->gates[later].name);
}

/* What is this process's own of an entry that it has now. */
static void own_entry(struct disruptor_ring *r, uint32_t i,
		      const struct disruptor_consumer_options *o)
{
	struct ring_own_consumer *own = &r->own_consumers[i];

	own->wait = wait_choose(&o->wait, &r->wait);
	own->share = NULL;
	own->chunk_end = 0;
	own->of_stage = false;
	/* relaxed (own), both: nobody else has this thread's number, which has no events yet */
	disruptor_store_relaxed(&own->holder, UINT64_C(0));
	disruptor_store_relaxed(&own->handed, UINT64_C(0));
	own->deferred = false;
	own->open = true;
	/* relaxed (private): its own thread's, from the moment it is attached */
	disruptor_store_relaxed(&r->consumer_table[i].until, UINT64_MAX);
	disruptor_store_relaxed(&r->consumer_table[i].batch_at, UINT64_C(0)); /* relaxed (figure) */
	/* relaxed (private): nobody looks at a vacant gate's alert */
	disruptor_store_relaxed(&r->gates[i].alert, 0u);
	r->consumer_table[i].if_dead = o->if_dead;
}

/* What the dead one came after is not to be forgotten; it may come after others, too. Lock held. */
static int keep_order(struct disruptor_ring *r, uint32_t i,
		      const struct disruptor_consumer_options *o)
{
	/* relaxed (lock), both: changes under it only */
	uint64_t before = disruptor_load_relaxed(&r->gates[i].upstreams) & r->gate_set;
	uint64_t upstreams, missing;
	int rc = upstreams_of(r, o, &upstreams);

	for (uint64_t set = upstreams & ~before; rc == 0 && set; set &= set - 1)
		rc = refuse_cycle(r, i, (uint32_t)__builtin_ctzll(set));
	missing = before & ~upstreams;
	if (rc == 0 && missing)
		rc = error_set(DISRUPTOR_E_INVAL,
			       "after: '%s', whose process has died, came after '%.31s'", o->name,
			       r->gates[__builtin_ctzll(missing)].name);
	if (rc == 0)
		disruptor_store_relaxed(&r->gates[i].upstreams, upstreams);
	return rc;
}

/* A required consumer of that name whose process has died goes on here. 0: there is none. */
static int take_up(struct disruptor_ring *r, const struct disruptor_consumer_options *o,
		   uint32_t *index, uint64_t *start)
{
	int i = r->between && o->name ? ring_dead_consumer(r, o->name) : -1;
	int rc;

	if (i < 0)
		return 0;
	/* relaxed (lock): nobody moves it */
	*start = disruptor_load_relaxed(&r->gates[i].sequence);
	rc = gate_check(*start);
	if (rc == 0 && o->at == DISRUPTOR_AT_POSITION && o->position != *start)
		rc = error_set(
			DISRUPTOR_E_RANGE,
			"position: %llu, but consumer '%s', whose process has died, goes on at %llu",
			(unsigned long long)o->position, o->name, (unsigned long long)*start);
	if (rc == 0 && !r->consumer_table[i].take != !o->take)
		rc = error_set(DISRUPTOR_E_INVAL, "take: it was %u of the consumer that died",
			       r->consumer_table[i].take);
	if (rc == 0)
		rc = keep_order(r, (uint32_t)i, o);
	if (rc != 0)
		return rc;
	own_entry(r, (uint32_t)i, o);
	/* relaxed (lock): last, as until then it is the dead one's */
	disruptor_store_relaxed(&r->consumer_table[i].participant, r->peers.self);
	*index = (uint32_t)i;
	return 1;
}

static int take_entry(struct disruptor_ring *r, const struct disruptor_consumer_options *o,
		      uint32_t *index)
{
	uint64_t upstreams;
	const char *name;
	uint32_t i;
	int rc;

	for (i = 0; i < r->max_consumers && r->consumer_table[i].used; i++)
		;
	if (i == r->max_consumers)
		return error_set(DISRUPTOR_E_BUSY,
				 "the gate table is full: %u consumers; raise max_consumers", i);
	name = taker(r);
	if (name)
		return error_set(
			DISRUPTOR_E_BUSY,
			"consumer '%.31s' takes events: no other can join after it was opened",
			name);
	if (o->take && r->mirror)
		return error_set(
			DISRUPTOR_E_UNSUPPORTED,
			"take: not on a ring with DISRUPTOR_LOSSY, whose readers copy what "
			"it would move out");
	if (ring_name(&r->gates[i].name, o->name, "consumer") != 0)
		return DISRUPTOR_E_INVAL;
	rc = upstreams_of(r, o, &upstreams);
	if (rc != 0)
		return rc;
	/* relaxed (lock): changes and is read under it, or by this consumer's own thread */
	disruptor_store_relaxed(&r->gates[i].upstreams, upstreams);
	if (o->take && !is_last_alone(r, i, gate_ancestors(r, i)))
		return error_set(
			DISRUPTOR_E_BUSY,
			"take: other consumers are not before this one, and would see what "
			"it moves out");
	own_entry(r, i, o);
	r->consumer_table[i].take = o->take != 0;
	r->consumer_table[i].attached = 0;
	r->consumer_table[i].access = 0;
	/* relaxed (lock): whose it is, before it is anybody's: see repair.h */
	disruptor_store_relaxed(&r->consumer_table[i].participant, r->peers.self);
	ring_step();
	r->consumer_table[i].used = 1;
	/*
	 * WAKE.word.release, relaxed: a dependant of the one that left may still arm this edge, from
	 * an old look. It has to acquire what the leaver's wake-up left there, so that its next look
	 * sees the new order (LEAVE). An exchange goes on with what that released; a store would part
	 * the two.
	 */
	(void)disruptor_exchange_relaxed(&r->gates[i].wake, UINT64_C(0));
	*index = i;
	return 0;
}

/* Where the news comes from: one word where that is enough. */
static void aim(struct disruptor_consumer *c)
{
	struct disruptor_ring *r = c->ring;
	/*
	 * LEAVE.acquire, pairs with LEAVE.release in gate_hand_over(). Orders the leaver's last
	 * accesses before ours: of its sequences we may have read an old one. If relaxed: what it has
	 * written and released is not seen.
	 */
	uint64_t upstreams = disruptor_load_acquire(&c->gate->upstreams);

	c->flags &= (uint16_t) ~(DISRUPTOR_VIEW_FIRST | DISRUPTOR_VIEW_ORDERED);
	c->source = NULL;
	c->aimed = upstreams;
	upstreams &= r->gate_set;
	if (upstreams == 0 && r->layout == DISRUPTOR_STAMPED)
		c->flags |= r->producers == DISRUPTOR_SINGLE
				    ? DISRUPTOR_VIEW_FIRST | DISRUPTOR_VIEW_ORDERED
				    : DISRUPTOR_VIEW_FIRST;
	else if (upstreams == 0)
		c->source = &r->shared->cursor;
	else if ((upstreams & (upstreams - 1)) == 0)
		c->source = &r->gates[__builtin_ctzll(upstreams)].sequence;
}

static uint32_t default_batch(uint64_t capacity)
{
	uint64_t quarter = capacity / 4 ? capacity / 4 : 1;

	return (uint32_t)(quarter < DEFAULT_BATCH ? quarter : DEFAULT_BATCH);
}

/* Lock held. */
static int attach(struct disruptor_ring *r, uint32_t index,
		  const struct disruptor_consumer_options *o, uint64_t *start)
{
	const struct gate_place place = { .at = o->at, .position = o->position };
	int rc = gate_attach(r, index, &place, start);

	if (rc != 0) {
		r->own_consumers[index].open = false;
		r->consumer_table[index].used = 0;
		ring_step();
		/* relaxed (lock): last, see repair.h */
		disruptor_store_relaxed(&r->consumer_table[index].participant, 0u);
	}
	ring_step();
	r->consumer_table[index].attached = rc == 0;
	return rc;
}

/* Lock held. */
static void begin_view(struct disruptor_consumer *c, struct disruptor_ring *ring, uint32_t index,
		       const struct disruptor_consumer_options *o, uint64_t start)
{
	*c = (struct disruptor_consumer){
		.slots = ring->slots,
		.next = start,
		.read = start,
		.limit = start,
		.cursor = start,
		.gate = &ring->gates[index],
		.mask = ring->mask,
		.stride = ring->stride,
		.batch = o->batch ? o->batch : default_batch(ring->capacity),
		.offset = (uint16_t)ring->offset,
		.flags = ring->rung != DISRUPTOR_RUNG_MEMBARRIER ? DISRUPTOR_VIEW_HEAVY : 0,
		.shared = ring->shared,
		.ring = ring,
		.index = index,
		.spins = UINT32_MAX,
		.take = o->take,
		.open_mark = OPEN_MARK,
	};
	aim(c);
}

/* Lock held. 1 if it goes on for a dead one. */
static int open_locked(struct disruptor_consumer *c, struct disruptor_ring *ring,
		       const struct disruptor_consumer_options *o)
{
	uint64_t start = 0;
	uint32_t index = 0;
	int rc = take_up(ring, o, &index, &start);

	if (rc == 0) {
		rc = take_entry(ring, o, &index);
		if (rc == 0)
			rc = attach(ring, index, o, &start);
	}
	if (rc >= 0)
		begin_view(c, ring, index, o, start);
	return rc;
}

int disruptor_consumer_open_sized(struct disruptor_consumer *c, struct disruptor_ring *ring,
				  const struct disruptor_type *type,
				  const struct disruptor_consumer_options *options,
				  size_t view_size)
{
	struct disruptor_consumer_options o = { .size = sizeof(o) };
	int rc = ring_check_open("consumer", c, view_size, sizeof(*c), ring, type);

	if (rc == 0 && options)
		rc = ring_copy_options("consumer options", &o, sizeof(o), options);
	if (rc == 0)
		rc = check_options(ring, &o);
	if (rc != 0)
		return rc;
	ring_lock(ring);
	rc = open_locked(c, ring, &o);
	ring_unlock(ring);
	return rc < 0 ? rc : 0;
}

int consumer_open_stage(struct disruptor_consumer *c, struct disruptor_ring *ring,
			const struct disruptor_consumer_options *o, bool *resumed)
{
	int rc = check_options(ring, o);

	if (rc != 0)
		return rc;
	ring_lock(ring);
	/* of several processes each has its own, and finds the others' by their names */
	if (ring->between && gate_named(ring, o->name) && ring_dead_consumer(ring, o->name) < 0)
		rc = error_set(DISRUPTOR_E_BUSY, "a consumer '%s' is on the ring already", o->name);
	else
		rc = open_locked(c, ring, o);
	if (rc >= 0)
		ring->own_consumers[c->index].of_stage = true;
	ring_unlock(ring);
	*resumed = rc > 0;
	return rc < 0 ? rc : 0;
}

void consumer_put_back(struct disruptor_consumer *c)
{
	struct disruptor_ring *r = c->ring;

	ring_lock(r);
	r->own_consumers[c->index].open = false;
	/* relaxed (lock): changes under it only */
	disruptor_store_relaxed(&r->consumer_table[c->index].participant, RING_DEAD);
	ring_unlock(r);
	c->open_mark = 0;
}

/* The lock is held. */
static void detach(struct disruptor_consumer *c)
{
	loop_close(c->ring, c->index);
	if (c->take && c->next > c->ring->common->gone)
		c->ring->common->gone = c->next;
	c->ring->own_consumers[c->index].open = false;
	c->ring->consumer_table[c->index].used = 0;
	gate_detach(c->ring, c->index);
	ring_step();
	/* relaxed (lock): last, see repair.h */
	disruptor_store_relaxed(&c->ring->consumer_table[c->index].participant, 0u);
	c->open_mark = 0;
}

void consumer_detach(struct disruptor_consumer *c)
{
	ring_lock(c->ring);
	gate_hand_over(c->ring, c->index);
	detach(c);
	ring_unlock(c->ring);
}

int disruptor_consumer_close(struct disruptor_consumer *c)
{
	struct disruptor_ring *r;
	uint64_t dependants;
	int rc = 0;

	if (!c || c->open_mark != OPEN_MARK)
		return error_set(DISRUPTOR_E_INVAL, "consumer: not open");
	r = c->ring;
	ring_lock(r);
	dependants = gate_dependants(r, c->index);
	if (dependants)
		rc = error_set(DISRUPTOR_E_BUSY,
			       "consumer '%.31s' comes after '%.31s': close it first",
			       r->gates[__builtin_ctzll(dependants)].name, c->gate->name);
	else
		detach(c);
	ring_unlock(r);
	return rc;
}

int consumer_add_upstream(struct disruptor_consumer *c, const struct disruptor_consumer *earlier)
{
	struct disruptor_ring *r = c->ring;
	uint64_t bit = UINT64_C(1) << earlier->index;
	uint64_t upstreams;
	int rc;

	ring_lock(r);
	/* relaxed (lock), both: changes under it only */
	upstreams = disruptor_load_relaxed(&c->gate->upstreams);
	rc = refuse_member(r, earlier->index);
	if (rc == 0 && (upstreams & bit))
		rc = error_set(DISRUPTOR_E_INVAL, "'%.31s' comes after '%.31s' already",
			       c->gate->name, earlier->gate->name);
	if (rc == 0)
		rc = refuse_cycle(r, c->index, earlier->index);
	if (rc == 0)
		disruptor_store_relaxed(&c->gate->upstreams, upstreams | bit);
	ring_unlock(r);
	aim(c);
	return rc;
}

/* ---- what is available ---- */

bool consumer_is_void(const struct disruptor_consumer *c, uint64_t position)
{
	/*
	 * VOID.acquire, relaxed: carried by the acquire that made the position available. In a
	 * packed ring it stays 0: what would be the stamp there is the caller's event.
	 */
	if (disruptor_load_relaxed(&c->shared->voids_end) <= position)
		return false;
	/* VOID.acquire, relaxed: we came here by an acquire of this stamp, or of who released it */
	return disruptor_load_relaxed(ring_stamp(c->ring, position)) ==
	       ((position + 1) | DISRUPTOR_VOID);
}

/* First position of [from, end) that is not available, going by stamps; voids count as there. */
static uint64_t scan_stamps(const struct disruptor_consumer *c, uint64_t from, uint64_t end)
{
	for (; from != end; from++) {
		HOOK(HOOK_READY);
		/* PUB.acquire, pairs with PUB.release in disruptor_stamp() */
		uint64_t stamp = disruptor_load_acquire(ring_stamp(c->ring, from));

		if ((stamp & ~DISRUPTOR_VOID) != from + 1)
			break;
	}
	return from;
}

uint64_t consumer_available(struct disruptor_consumer *c, uint64_t from, uint64_t end)
{
	uint64_t upto;

	for (;;) {
		if (c->flags & DISRUPTOR_VIEW_FIRST)
			return scan_stamps(c, from, end);
		if (c->source)
			/*
			 * STAGE.acquire, PUB.acquire: the upstream's sequence, or the packed
			 * cursor. Orders its accesses to the event before ours. If relaxed: torn
			 * events are read.
			 */
			upto = disruptor_load_acquire(c->source);
		else
			upto = gate_slowest_of(c->ring, c->aimed);
		HOOK(HOOK_AVAILABLE);
		/*
		 * LEAVE.acquire, relaxed, pairs with LEAVE.release in gate_hand_over(): carried by
		 * the acquire above, if that met what became of the entry of one that has left; else
		 * by aim(), if the order has changed.
		 */
		if (disruptor_likely(disruptor_load_relaxed(&c->gate->upstreams) == c->aimed))
			break;
		aim(c);
	}
	if (upto <= from)
		return from;
	return upto - c->next < end - c->next ? upto : end;
}

/* First void of [from, end), or end. */
static uint64_t first_void(const struct disruptor_consumer *c, uint64_t from, uint64_t end)
{
	/*
	 * VOID.acquire, relaxed: carried by the acquire that made the positions available. No void
	 * lies at or behind it, so a stream without voids is never scanned for them.
	 */
	uint64_t voids_end = disruptor_load_relaxed(&c->shared->voids_end);

	if (voids_end <= from)
		return end;
	while (from < end && !consumer_is_void(c, from))
		from++;
	return from;
}

/* Pass voids that stand right at the front; they are released without being seen. */
static bool skip_voids(struct disruptor_consumer *c, uint64_t end)
{
	uint64_t at = c->next;

	while (at < end && consumer_is_void(c, at))
		at++;
	if (at == c->next)
		return false;
	HOOK(HOOK_VOID_SKIP);
	consumer_release_to(c, at);
	return true;
}

/* Move the limit to at most @p end, up to the next void; a void with nothing before it is passed. */
static void extend(struct disruptor_consumer *c, uint64_t length)
{
	uint64_t end, there;

	do {
		end = c->next + length;
		if (c->limit >= end)
			return;
		there = consumer_available(c, c->limit, end);
		if (there == c->limit)
			return;
		c->limit = first_void(c, c->limit, there);
	} while (c->limit == c->next && skip_voids(c, there));
}

uint64_t disruptor_consumer_ready_slow(struct disruptor_consumer *c)
{
	uint64_t n;

	extend(c, c->batch);
	/* a poll may have looked further than a batch */
	n = c->limit - c->next < c->batch ? c->limit - c->next : c->batch;
	if (c->read - c->next < n)
		c->read = c->next + n;
	return n;
}

/* The contiguous part of [from, from + n). */
static uint64_t make_span(const struct disruptor_consumer *c, uint64_t from, uint64_t n,
			  struct disruptor_span *span)
{
	uint64_t to_wrap = (uint64_t)c->mask + 1 - (from & c->mask);

	*span = (struct disruptor_span){
		.first = n ? disruptor_consumer_slot(c, from) + c->offset : NULL,
		.stride = c->stride,
		.count = n < to_wrap ? n : to_wrap,
		.position = from,
	};
	return span->count;
}

uint64_t disruptor_ready_span(struct disruptor_consumer *c, struct disruptor_span *span)
{
	uint64_t n = disruptor_ready(c); /* moves `next` past voids: before it is read */

	ring_hold_note(c);
	return make_span(c, c->next, n, span);
}

uint64_t disruptor_consumer_poll(struct disruptor_consumer *c, uint64_t limit,
				 struct disruptor_span *span)
{
	uint64_t capacity = (uint64_t)c->mask + 1;
	uint64_t ahead = c->read - c->next;
	uint64_t length = limit < capacity - ahead ? ahead + limit : capacity;
	uint64_t n;

	extend(c, length);
	/* passing voids has moved `next`, and `read` with it, only if nothing was unreleased */
	n = c->limit - c->read;
	n = make_span(c, c->read, n < limit ? n : limit, span);
	c->read += n;
	ring_hold_note(c);
	return n;
}

/* ---- windows: what a stage works through at once ---- */

void consumer_window(struct disruptor_consumer *c, struct consumer_window *w)
{
	uint64_t there;

	*w = (struct consumer_window){ .end = c->limit,
				       .events = c->limit - c->next,
				       .last = c->limit - 1 };
	/* VOID.acquire, relaxed: see first_void() */
	if (disruptor_load_relaxed(&c->shared->voids_end) <= c->limit)
		return;
	there = consumer_available(c, c->limit, c->next + c->batch);
	for (; w->end < there; w->end++) {
		if (consumer_is_void(c, w->end)) {
			w->voids = true;
			continue;
		}
		w->events++;
		w->last = w->end;
	}
}

uint64_t consumer_lag(const struct disruptor_ring *r, uint32_t index, uint64_t position)
{
	/* relaxed (figure): an estimate */
	uint64_t upstreams = disruptor_load_relaxed(&r->gates[index].upstreams);
	uint64_t upto = upstreams ? gate_slowest_of(r, upstreams) : DISRUPTOR_VACANT;

	if (upto == DISRUPTOR_VACANT) /* or the last of them has just left */
		upto = ring_claimed(r);
	return upto > position ? upto - position : 0;
}

bool consumer_may_be_deeper(const struct disruptor_consumer *c, uint64_t depth)
{
	uint64_t position = c->next + depth;

	if (depth >= c->ring->capacity)
		return false;
	/* relaxed (own) */
	if (!ring_marks_claims(c->ring) || disruptor_load_relaxed(&c->gate->upstreams) != 0)
		return true; /* there the claim position is a word, and so are those of the others */
	/* relaxed (figure): an estimate; an open run behind what is published is left out */
	return ring_is_settled(c->ring, disruptor_load_relaxed(ring_stamp(c->ring, position)),
			       position);
}

uint64_t consumer_depth(const struct disruptor_consumer *c, uint64_t least)
{
	uint64_t lag = consumer_lag(c->ring, c->index, c->next);

	return lag > least ? lag : least;
}

/* ---- releasing ---- */

/*
 * AddressSanitizer builds forbid an event to everyone once its last consumer
 * releases it, so that a late read traps. Before the sequence is stored no
 * producer can claim the slot, so allowing it again comes later.
 */
static void poison_released(struct disruptor_consumer *c, uint64_t upto)
{
#if DISRUPTOR_ASAN
	uint64_t low = upto;

	/* or it may forbid what another, attaching at an older position, has just been allowed */
	os_lock(&c->ring->lot);
	for (uint32_t i = 0; i < c->ring->max_consumers; i++) {
		/* FREE.acquire: the others' reads are over for what we forbid */
		uint64_t at = disruptor_load_acquire(&c->ring->gates[i].sequence);

		if (i != c->index && at < low)
			low = at;
	}
	ring_poison(c->ring, c->next, low);
	os_unlock(&c->ring->lot);
#else
	(void)c, (void)upto;
#endif
}

int disruptor_consumer_release_slow(struct disruptor_consumer *c, uint64_t n)
{
	bool woke;

	if (is_deferred(c)) {
		deferred_read(c, c->next + n);
		return 0;
	}
	if (c->flags & DISRUPTOR_VIEW_POOLED) {
		share_release(c, c->next + n);
		return 0;
	}
	if (n > 1)
		disruptor_consumer_do_unshare(c, c->next + n);
	poison_released(c, c->next + n);
	c->next += n;
	HOOK(HOOK_RELEASE);
	/* STAGE.release, FREE.release; see disruptor_release() */
	disruptor_store_release(&c->gate->sequence, c->next);
	HOOK(HOOK_RELEASED);
	if (c->flags & DISRUPTOR_VIEW_HEAVY) {
		woke = edge_signal(c->ring, edge_from(c->gate), c->next);
		woke |= edge_signal(c->ring, edge_to_producers(c->ring), c->next);
		if (woke)
			tally(&c->ring->consumer_table[c->index].wakes);
	} else {
		/* WAKE.progress; see disruptor_release() */
		disruptor_fence_compiler();
		disruptor_consumer_wake(c);
	}
	return 0;
}

void disruptor_consumer_wake(struct disruptor_consumer *c)
{
	bool woke = edge_wake(c->ring, edge_from(c->gate), c->next);

	woke |= edge_wake(c->ring, edge_to_producers(c->ring), c->next);
	if (woke)
		tally(&c->ring->consumer_table[c->index].wakes);
}

int disruptor_release_to(struct disruptor_consumer *c, uint64_t position)
{
	/* the first not available, if that lies before it */
	uint64_t there = position;

	if (position > c->limit && position - c->next <= (uint64_t)c->mask + 1)
		there = consumer_available(c, c->limit, position);
	if (position < c->next || position - c->next > (uint64_t)c->mask + 1 || there < position)
		return error_set(DISRUPTOR_E_RANGE,
				 "position: %llu, but '%.31s' has released up to %llu, and what is "
				 "available ends before it",
				 (unsigned long long)position, c->gate->name,
				 (unsigned long long)c->next);
	consumer_release_to(c, position);
	return 0;
}

void consumer_release_to(struct disruptor_consumer *c, uint64_t position)
{
	if (c->limit < position)
		c->limit = position;
	if (c->read < position)
		c->read = position;
	(void)disruptor_release(c, position - c->next);
}

int disruptor_take(struct disruptor_consumer *c, void *event)
{
	struct disruptor_ring *r = c->ring;
	void *slot;

	if (!c->take)
		return error_set(DISRUPTOR_E_STATE, "consumer '%.31s' was not opened with take",
				 c->gate->name);
	if (disruptor_ready(c) == 0)
		return 0;
	slot = disruptor_at(c, 0);
	memcpy(event, slot, r->event_size);
	HOOK(HOOK_TAKEN_OUT);
	memset(slot, 0, r->event_size);
	if (r->init)
		r->init(slot, r->context);
	(void)disruptor_release(c, 1);
	return 1;
}

/* ---- waiting ---- */

int disruptor_consumer_finished(const struct disruptor_consumer *c)
{
	/* CLOSE.end.acquire, pairs with CLOSE.end.release in ring_close_locked(): the flag, then the end */
	if (!(disruptor_load_acquire(&c->shared->state) & DISRUPTOR_STATE_ENDED))
		return 0;
	HOOK(HOOK_FINISH_FLAG);
	/* CLOSE.end.acquire, relaxed: the flag has brought the end; a claim taken back may have lowered it */
	return c->next >= disruptor_load_relaxed(&c->shared->end);
}

bool consumer_take_alert(struct disruptor_consumer *c)
{
	/* relaxed (hint): a stale 0 is only possible before the interrupter's wake-up (STOP) */
	if (disruptor_load_relaxed(&c->gate->alert) == 0)
		return false;
	/* STOP.acquire, pairs with STOP.release in disruptor_consumer_interrupt() */
	return disruptor_exchange_acquire(&c->gate->alert, 0u) != 0;
}

/* It waits until @p gate has come to @p count. 0, for the look. */
static int64_t wait_for_gate(struct wait_need *need, struct disruptor_gate *gate, uint64_t count)
{
	need->edge = edge_from(gate);
	need->count = count;
	return 0;
}

static bool has_read_to_its_end(const struct disruptor_consumer *c)
{
	/*
	 * STOP.acquire, pairs with STOP.release in consumer_end_at_claimed(): what the asker did before.
	 * A stale one is only possible before the asker's wake-up.
	 */
	return disruptor_load_acquire(&c->ring->consumer_table[c->index].until) <= c->next;
}

/* A deferred one that is to read no further: it ends once others have released what it has read. */
static int64_t look_for_releases(struct disruptor_consumer *c, struct wait_need *need)
{
	/* relaxed (hint), both: a stale 0 is only possible before the asker's wake-up (STOP) */
	if (disruptor_load_relaxed(&c->gate->alert) != 0 || consumer_is_at_its_end(c))
		return DISRUPTOR_E_INTERRUPTED;
	if (disruptor_load_relaxed(&c->shared->state) & DISRUPTOR_STATE_FAILED)
		return DISRUPTOR_E_FAILED;
	return wait_for_gate(need, c->gate, c->next);
}

/* NOLINTNEXTLINE(misc-no-recursion): once, when the upstreams arrive between two looks */
int64_t consumer_look(struct disruptor_consumer *c, struct wait_need *need)
{
	uint64_t n = share_takes(c) ? share_look(c) : disruptor_ready(c);
	bool held_up = n != 0 && deferred_allowance(c) == 0;
	uint64_t upstreams;
	int behind;

	if (is_deferred(c) && has_read_to_its_end(c))
		return look_for_releases(c, need);
	if (n >= c->least && n != 0 && !held_up)
		return (int64_t)n;
	HOOK(HOOK_LOOK_EMPTY);
	/* relaxed (hint): a stale 0 is only possible before the interrupter's wake-up (STOP) */
	if (disruptor_load_relaxed(&c->gate->alert) != 0)
		return DISRUPTOR_E_INTERRUPTED;
	if (n == 0 && consumer_is_at_its_end(c))
		return DISRUPTOR_E_INTERRUPTED;
	/* relaxed (hint): by WAKE it is seen at the latest after the announcement */
	if (disruptor_load_relaxed(&c->shared->state) != 0) {
		if (n != 0 && !held_up)
			return (int64_t)n; /* there may be no more to wait for */
		/* CLOSE.end.acquire: it is acted on */
		if (disruptor_load_acquire(&c->shared->state) & DISRUPTOR_STATE_FAILED)
			return DISRUPTOR_E_FAILED;
		if (disruptor_consumer_finished(c)) {
			if (deferred_unreleased(c) != 0)
				return wait_for_gate(need, c->gate, c->next);
			if (share_is_needed(c, c->next))
				return wait_for_gate(need, share_whole(c), c->next);
			return DISRUPTOR_E_CLOSED;
		}
	}
	if (held_up)
		return wait_for_gate(need, c->gate, deferred_next(c));
	/* a void ends what can be ready at a time */
	if (n != 0 && consumer_available(c, c->limit, c->limit + 1) != c->limit &&
	    consumer_is_void(c, c->limit))
		return (int64_t)n;
	need->count = c->next + (c->least ? c->least : 1);
	need->edge = edge_to_consumers(c->ring);
	/* relaxed (hint): as in aim() */
	upstreams = disruptor_load_relaxed(&c->gate->upstreams) & c->ring->gate_set;
	if (upstreams) {
		behind = gate_behind(c->ring, upstreams, need->count);
		if (behind < 0) {
			/* who goes by stamps is never told of an order: if one is there, it was not made by us */
			if (c->flags & DISRUPTOR_VIEW_FIRST)
				aim(c);
			return consumer_look(c, need); /* the last of them has just arrived */
		}
		need->edge = edge_from(&c->ring->gates[behind]);
	}
	return 0;
}

static int64_t events_look(void *who, struct wait_need *need)
{
	struct disruptor_consumer *c = who;
	int64_t found = consumer_look(c, need);

	if (found == DISRUPTOR_E_INTERRUPTED)
		(void)consumer_take_alert(c);
	return found;
}

/* Apart, so that who finds events does not lay out a wait for them. */
static int64_t wait_for_events(struct disruptor_consumer *c, uint64_t deadline)
{
	struct wait_request request = {
		.ring = c->ring,
		.policy = &c->ring->own_consumers[c->index].wait,
		.spins = &c->spins,
		.look = events_look,
		.who = c,
		.deadline = deadline,
		.sleeps = &c->gate->sleeps,
		.since = &c->ring->consumer_table[c->index].waits_since,
	};

	return wait_until(&request);
}

int64_t disruptor_ready_until(struct disruptor_consumer *c, uint64_t deadline)
{
	int64_t n = 0;

	/* of those it is not for the stamps alone to say what they may have */
	if (!is_deferred(c) && !share_takes(c))
		n = (int64_t)disruptor_ready(c);
	if (pace_is_close(c, n)) {
		enum pace_end end = pace(c, n, deadline);

		n = n == 0 || n < c->least ? wait_for_events(c, deadline)
					   : (int64_t)disruptor_ready(c);
		pace_learn(c, end, n);
	} else if (n == 0 || n < c->least) {
		n = wait_for_events(c, deadline);
	}
	ring_hold_note(c);
	if (disruptor_unlikely(n == DISRUPTOR_E_FAILED))
		(void)ring_tell_failure(c->ring);
	return n;
}

int disruptor_consumer_handoff(struct disruptor_consumer *c)
{
	if (!c || c->open_mark != OPEN_MARK)
		return error_set(DISRUPTOR_E_INVAL, "consumer: not open");
	ring_hold_note(c);
	return 0;
}

void disruptor_consumer_interrupt(struct disruptor_consumer *c)
{
	/* STOP.release, pairs with STOP.acquire in consumer_take_alert() */
	disruptor_store_release(&c->gate->alert, 1u);
	consumer_wake_up(c);
}

void consumer_end_at_claimed(struct disruptor_consumer *c)
{
	struct disruptor_ring *r = c->ring;

	ring_lock(r); /* a claim that is given back meanwhile takes the end back with it */
	/* STOP.release: as an interrupt; what the asker did before, to who ends by it */
	disruptor_store_release(&r->consumer_table[c->index].until, ring_claimed(r));
	ring_unlock(r);
	consumer_wake_up(c);
}

bool consumer_is_at_its_end(const struct disruptor_consumer *c)
{
	return has_read_to_its_end(c) && deferred_unreleased(c) == 0;
}

void consumer_forget_requests(struct disruptor_consumer *c)
{
	(void)consumer_take_alert(c);
	/* relaxed (lock): who asks next and who runs next come after the caller, by one of theirs */
	disruptor_store_relaxed(&c->ring->consumer_table[c->index].until, UINT64_MAX);
}

void consumer_wake_up(const struct disruptor_consumer *c)
{
	HOOK(HOOK_ALERT_SET);
	consumer_wake_gate(c->ring, c->index);
}

void consumer_wake_gate(struct disruptor_ring *r, uint32_t index)
{
	const struct ring_own_consumer *e = &r->own_consumers[index];
	uint64_t upstreams;

	/*
	 * LEAVE.alert.ask, pairs with LEAVE.alert.sleep in wait_block(): a sleeper that has missed
	 * what has changed passed its barrier first, so the order that it armed for is visible here.
	 * Without it we may wake the edge that it slept on before one of them left.
	 */
	wait_heavy_barrier(r);
	HOOK(HOOK_ALERT_BARRIER);
	/* LEAVE.alert.ask, relaxed: if they change again, who leaves wakes the edge, and it is seen then */
	upstreams = disruptor_load_relaxed(&r->gates[index].upstreams) & r->gate_set;
	if (e->deferred)
		edge_wake_all(r, edge_from(&r->gates[index]));
	if (e->share)
		edge_wake_all(r, edge_from(e->share->whole));
	if (!upstreams)
		edge_wake_all(r, edge_to_consumers(r));
	for (; upstreams; upstreams &= upstreams - 1)
		edge_wake_all(r, edge_from(&r->gates[__builtin_ctzll(upstreams)]));
	/* its thread may wait for others, too, and on another edge */
	watch_notify_all(r);
}
