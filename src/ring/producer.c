/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The writing side's out-of-line half: claims that have to look at the gates,
 * claims of many producers, waiting for room, giving claims up.
 *
 * Every claim can be refused: the capacity is checked first, then the claim
 * word moves, by a private store (one producer) or by compare and swap (many).
 * A fetch-and-add would be faster under contention and could not be taken back.
 */
#include "error.h"
#include "ring/gate.h"
#include "ring/ring.h"
#include "wait/core.h"

#include <string.h>

#define OPEN_MARK UINT32_C(0x70726f64)

/* How a claim behaves when there is no room. */
struct claim {
	uint64_t least; /* take at least so many … */
	uint64_t most;  /* … and as many as this if they are there */
	bool wait;
	uint64_t deadline;
};

static struct ring_producer *entry_of(const struct disruptor_producer *p)
{
	return &p->ring->producer_table[p->index];
}

static bool is_many(const struct disruptor_producer *p)
{
	return p->ring->producers == DISRUPTOR_MANY;
}

/* Follow the run's ends with the pointers that the inline functions keep beside them. */
static void aim(struct disruptor_producer *p)
{
	p->next_slot = disruptor_producer_slot(p, p->next);
	p->open_slot = disruptor_producer_slot(p, p->open);
}

/* ---- open and close ---- */

static int check_options(const struct disruptor_producer_options *o)
{
	int rc = ring_check_size("producer options", o->size, sizeof(*o));

	if (rc != 0)
		return rc;
	if (o->overflow > DISRUPTOR_DROP)
		return error_set(DISRUPTOR_E_INVAL, "overflow: %d is no policy", (int)o->overflow);
	if (o->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", o->reserved);
	if (o->overflow == DISRUPTOR_UNTIL && o->timeout_ns == 0)
		return error_set(DISRUPTOR_E_INVAL, "timeout_ns: 0; use DISRUPTOR_FAIL to never wait");
	return wait_check("wait", &o->wait);
}

static int take_entry(struct disruptor_ring *r, const struct disruptor_producer_options *o,
		      uint32_t *index)
{
	struct ring_producer *entry;
	uint32_t i;

	for (i = 0; i < r->max_producers && r->producer_table[i].used; i++)
		;
	if (i == r->max_producers)
		return error_set(DISRUPTOR_E_BUSY,
				 "all %u producers of this ring are open, among them '%s'; %s", i,
				 r->producer_table[0].name,
				 r->producers == DISRUPTOR_SINGLE
					 ? "create it with DISRUPTOR_MANY for more"
					 : "raise max_producers for more");
	entry = &r->producer_table[i];
	if (ring_name(&entry->name, o->name, "producer") != 0)
		return DISRUPTOR_E_INVAL;
	entry->wait = wait_choose(&o->wait, &r->wait);
	entry->used = true;
	/* relaxed: reports */
	disruptor_store_relaxed(&entry->run_first, UINT64_C(0));
	disruptor_store_relaxed(&entry->run_end, UINT64_C(0));
	disruptor_store_relaxed(&entry->owner, os_thread_id());
	*index = i;
	return 0;
}

int disruptor_producer_open_sized(struct disruptor_producer *p, struct disruptor_ring *ring,
				  const struct disruptor_type *type,
				  const struct disruptor_producer_options *options,
				  size_t view_size)
{
	struct disruptor_producer_options o = {.size = sizeof(o)};
	uint32_t index = 0;
	int rc;

	if (!p || !ring || !type)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL",
				 !p ? "producer" : !ring ? "ring" : "type");
	rc = ring_check_size("producer view", view_size, sizeof(*p));
	if (rc == 0 && options) {
		o = *options;
		rc = check_options(&o);
	}
	if (rc != 0)
		return rc;
	if (!disruptor_type_equal(type, ring->type))
		return error_set(DISRUPTOR_E_TYPE, "type: '%s', the ring's is '%s'", type->name,
				 ring->type->name);
	os_lock(&ring->lock);
	rc = take_entry(ring, &o, &index);
	if (rc == 0) {
		uint64_t claimed = ring_claimed(ring);

		*p = (struct disruptor_producer){
			.slots = ring->slots,
			.slots_end = ring->slots + ring->capacity * ring->stride,
			.shared = ring->shared,
			.next = claimed,
			.open = claimed,
			.fast = claimed,
			.mask = ring->mask,
			.stride = ring->stride,
			.offset = ring->offset,
			.flags = (ring->layout == DISRUPTOR_PACKED ? DISRUPTOR_VIEW_PACKED : 0u) |
				 (ring->rung != DISRUPTOR_RUNG_MEMBARRIER ? DISRUPTOR_VIEW_HEAVY : 0u),
			.ring = ring,
			.limit = claimed,
			.timeout_ns = o.timeout_ns,
			.index = (uint16_t)index,
			.overflow = (uint16_t)o.overflow,
			.spins = UINT32_MAX,
			.mark = OPEN_MARK,
		};
		aim(p);
	}
	os_unlock(&ring->lock);
	return rc;
}

int disruptor_producer_close(struct disruptor_producer *p)
{
	struct ring_producer *entry;
	struct disruptor_ring *r;

	if (!p || p->mark != OPEN_MARK)
		return error_set(DISRUPTOR_E_INVAL, "producer: not open");
	if (p->next != p->open)
		(void)disruptor_abort(p);
	r = p->ring;
	entry = entry_of(p);
	os_lock(&r->lock);
	entry->used = false;
	disruptor_store_relaxed(&entry->owner, UINT64_C(0)); /* relaxed: a report */
	os_unlock(&r->lock);
	p->mark = 0;
	p->fast = p->next; /* no claim goes the fast way any more */
	return 0;
}

void disruptor_producer_handoff(struct disruptor_producer *p)
{
	/* relaxed: the two threads have their own order, or the view could not be handed over */
	disruptor_store_relaxed(&entry_of(p)->owner, os_thread_id());
}

int disruptor_producer_check_owner(struct disruptor_producer *p)
{
	/* relaxed: compared only */
	if (p->mark == OPEN_MARK &&
	    disruptor_load_relaxed(&entry_of(p)->owner) == os_thread_id())
		return 0;
	p->status = DISRUPTOR_E_OWNER;
	return error_set(p->status, "%s",
			 p->mark == OPEN_MARK
				 ? "this view belongs to another thread; hand it over with "
				   "disruptor_producer_handoff(), or open one view a thread"
				 : "this view is not open");
}

/* ---- claiming ---- */

/*
 * Learn from the gates how far @p p may claim, given that positions below
 * @p claimed are claimed. E_NO_CONSUMER if nobody is there to hold it back.
 */
static int look_for_room(struct disruptor_producer *p, uint64_t claimed)
{
	struct disruptor_ring *r = p->ring;
	uint32_t consumers;
	uint64_t low;

	/* ATTACH.fence, pairs with the one in gate_attach(): our position, then the gates */
	disruptor_fence_seq_cst();
	low = gate_slowest(r, claimed, &consumers);
	if (consumers == 0 && !r->free_run)
		return DISRUPTOR_E_NO_CONSUMER;
	/* a gate more than a lap behind is a provisional one: the ring counts as full */
	p->limit = claimed + disruptor_room(claimed, low, r->capacity);
	return 0;
}

/*
 * A claim of ours and the close met: take the claim back, and the end with it
 * if the closer has counted it. The closer holds the lock while it decides.
 */
static void take_back(struct disruptor_producer *p, uint64_t n)
{
	struct disruptor_ring *r = p->ring;

	os_lock(&r->lock);
	p->next -= n;
	p->fast = p->next;
	aim(p);
	/* release: as the claim it takes back; readers of the position act on what is before it */
	disruptor_store_release(&r->shared->claimed, p->next);
	/* relaxed, both: change under the lock only */
	if ((disruptor_load_relaxed(&r->shared->state) & DISRUPTOR_STATE_ENDED) &&
	    disruptor_load_relaxed(&r->shared->end) > p->next)
		/* CLOSE.end: consumers that wait for what will not come look again */
		disruptor_store_release(&r->shared->end, p->next);
	os_unlock(&r->lock);
	ring_wake_everyone(r);
}

/* relaxed: which code to return; the claim itself has been refused by an ordered access */
static int closed_code(const struct disruptor_ring *r)
{
	return disruptor_load_relaxed(&r->shared->state) & DISRUPTOR_STATE_FAILED
		       ? DISRUPTOR_E_FAILED
		       : DISRUPTOR_E_CLOSED;
}

/* One producer: room, then a store. How many were taken, or a code. */
static int64_t claim_single(struct disruptor_producer *p, uint64_t least, uint64_t most)
{
	struct disruptor_ring *r = p->ring;
	uint64_t room;
	int rc;

	/* acquire: CLOSE; a ring that is open again is so with all that its closing did */
	if (disruptor_load_acquire(&r->shared->state) != 0)
		return closed_code(r);
	if (p->limit - p->next < most) {
		tally(&entry_of(p)->slow_claims);
		rc = look_for_room(p, p->next);
		if (rc != 0)
			return rc;
	}
	room = p->limit - p->next;
	if (room < least)
		return DISRUPTOR_E_FULL;
	if (most > room)
		most = room;
	p->next += most;
	/* CLOSE.claim, ATTACH: see disruptor_claim_n(); the barrier here is the rung's */
	disruptor_store_relaxed(&r->shared->claimed, p->next);
	if (r->rung == DISRUPTOR_RUNG_MEMBARRIER) {
		disruptor_fence_compiler();
		p->fast = p->limit;
	} else {
		wait_heavy_barrier(r);
		p->fast = p->next;
	}
	/* relaxed: only its being zero matters */
	if (disruptor_load_relaxed(&r->shared->state) != 0) {
		take_back(p, most);
		return closed_code(r);
	}
	return (int64_t)most;
}

/* Many producers: room, then compare and swap. How many were taken, or a code. */
static int64_t claim_many(struct disruptor_producer *p, uint64_t least, uint64_t most)
{
	struct disruptor_ring *r = p->ring;
	/* relaxed: the compare and swap decides */
	uint64_t claimed = disruptor_load_relaxed(&r->shared->claimed);
	bool run_open = p->next != p->open;
	uint64_t n;
	int rc;

	for (;;) {
		if (claimed & DISRUPTOR_CLOSED)
			return closed_code(r);
		if (run_open && claimed != p->next)
			return DISRUPTOR_E_BUSY;
		/* limit may lie behind, where others have claimed past it */
		if (p->limit < claimed + most) {
			tally(&entry_of(p)->slow_claims);
			rc = look_for_room(p, claimed);
			if (rc != 0)
				return rc;
		}
		if (p->limit < claimed + least) {
			/* `claimed` may be old: what it says of the room is then old, too */
			uint64_t now = disruptor_load_relaxed(&r->shared->claimed);

			if (now == claimed)
				return DISRUPTOR_E_FULL;
			claimed = now;
			continue;
		}
		n = p->limit - claimed < most ? p->limit - claimed : most;
		/*
		 * relaxed: the slots' being free was acquired by our own scan (FREE), their being
		 * published is the stamp's (PUB); the closed bit is in the word itself (CLOSE).
		 */
		if (disruptor_cas_relaxed(&r->shared->claimed, &claimed, claimed + n))
			break;
	}
	if (!run_open) {
		p->open = claimed;
		disruptor_store_relaxed(&entry_of(p)->run_first, claimed); /* relaxed: a report */
	}
	p->next = claimed + n;
	p->fast = p->next;
	disruptor_store_relaxed(&entry_of(p)->run_end, p->next); /* relaxed: a report */
	return (int64_t)n;
}

static int64_t claim_once(struct disruptor_producer *p, uint64_t least, uint64_t most)
{
	return is_many(p) ? claim_many(p, least, most) : claim_single(p, least, most);
}

/* Whom a wait for room asks: the gates, for the position that would have to be free. */
struct room {
	struct disruptor_producer *p;
	uint64_t least;
};

static int64_t room_look(void *who, struct wait_need *need)
{
	struct room *w = who;
	struct disruptor_ring *r = w->p->ring;
	uint64_t claimed = ring_claimed(r);
	uint32_t consumers;
	uint64_t low;

	/* acquire: CLOSE; the look that follows the announcement sees a close before it */
	if (disruptor_load_acquire(&r->shared->state) != 0)
		return closed_code(r);
	low = gate_slowest(r, claimed, &consumers);
	if (consumers == 0 || disruptor_room(claimed, low, r->capacity) >= w->least)
		return 1;
	need->edge = &r->shared->wake_producers;
	need->count = claimed + w->least - r->capacity;
	return 0;
}

static int wait_for_room(struct disruptor_producer *p, uint64_t least, uint64_t deadline)
{
	struct ring_producer *entry = entry_of(p);
	struct room room = {.p = p, .least = least};
	struct wait_request request = {
		.ring = p->ring,
		.policy = &entry->wait,
		.spins = &p->spins,
		.look = room_look,
		.who = &room,
		.deadline = deadline,
		.sleeps = &entry->sleeps,
	};
	int64_t result = wait_until(&request);

	return result > 0 ? 0 : (int)result;
}

/* The claim, with waiting. How many were taken; 0 with the status set. */
static uint64_t claim(struct disruptor_producer *p, const struct claim *how)
{
	uint64_t capacity = p->ring->capacity;
	int64_t taken;

	if (p->mark != OPEN_MARK || how->least == 0)
		p->status = DISRUPTOR_E_INVAL;
	else if (how->least > capacity)
		p->status = DISRUPTOR_E_TOO_BIG;
	else
		p->status = 0;
	if (p->status != 0)
		return 0;
	while ((taken = claim_once(p, how->least, how->most)) == DISRUPTOR_E_FULL && how->wait) {
		/* the consumers would have to pass what we have not published */
		if (p->next - p->open + how->least > capacity) {
			taken = DISRUPTOR_E_DEADLK;
			break;
		}
		taken = wait_for_room(p, how->least, how->deadline);
		if (taken != 0)
			break;
	}
	if (taken > 0) {
		aim(p);
		ring_unpoison(p->ring, p->next - (uint64_t)taken, p->next);
		return (uint64_t)taken;
	}
	p->status = (int32_t)taken;
	return 0;
}

/* What the view's overflow policy makes of a claim. */
static uint64_t claim_by_policy(struct disruptor_producer *p, uint64_t least, uint64_t most)
{
	struct claim how = {.least = least,
			    .most = most,
			    .wait = p->overflow == DISRUPTOR_BLOCK || p->overflow == DISRUPTOR_UNTIL,
			    .deadline = DISRUPTOR_FOREVER};
	struct ring_producer *entry;
	uint64_t taken;

	if (p->overflow == DISRUPTOR_UNTIL && p->limit - p->next < most)
		how.deadline = disruptor_in(p->timeout_ns);
	taken = claim(p, &how);
	if (taken == 0 && p->status == DISRUPTOR_E_FULL && p->overflow == DISRUPTOR_DROP) {
		entry = entry_of(p);
		/* relaxed, both: a statistic, owner-written */
		disruptor_store_relaxed(&entry->dropped,
					disruptor_load_relaxed(&entry->dropped) + least);
		p->status = DISRUPTOR_E_DROPPED;
	}
	return taken;
}

static void *event_at(const struct disruptor_producer *p, uint64_t position)
{
	return disruptor_producer_slot(p, position) + p->offset;
}

void *disruptor_producer_claim_slow(struct disruptor_producer *p, uint64_t n)
{
#ifdef DISRUPTOR_DEBUG
	if (disruptor_producer_check_owner(p) != 0)
		return NULL;
#endif
	return claim_by_policy(p, n, n) ? event_at(p, p->next - n) : NULL;
}

void *disruptor_producer_claim_late(struct disruptor_producer *p, uint64_t n)
{
	take_back(p, n);
	p->status = closed_code(p->ring);
	return NULL;
}

void *disruptor_try_claim_n(struct disruptor_producer *p, uint64_t n)
{
	const struct claim how = {.least = n, .most = n};

	return claim(p, &how) ? event_at(p, p->next - n) : NULL;
}

void *disruptor_try_claim(struct disruptor_producer *p)
{
	return disruptor_try_claim_n(p, 1);
}

void *disruptor_claim_until(struct disruptor_producer *p, uint64_t n, uint64_t deadline)
{
	const struct claim how = {.least = n, .most = n, .wait = true, .deadline = deadline};

	return claim(p, &how) ? event_at(p, p->next - n) : NULL;
}

uint64_t disruptor_claim_up_to(struct disruptor_producer *p, uint64_t n)
{
	if (n == 0 || n > p->ring->capacity) {
		p->status = n == 0 ? DISRUPTOR_E_INVAL : DISRUPTOR_E_TOO_BIG;
		return 0;
	}
	return claim_by_policy(p, 1, n);
}

/* ---- publishing and giving up ---- */

void disruptor_producer_wake(struct disruptor_producer *p)
{
	if (edge_wake(p->ring, &p->shared->wake_consumers, p->open))
		tally(&entry_of(p)->wakes);
}

void disruptor_producer_signal(struct disruptor_producer *p)
{
	edge_signal(p->ring, &p->shared->wake_consumers, p->open);
}

/* A packed ring has no stamps to mark: the claim goes back. */
static int abort_packed(struct disruptor_producer *p, uint64_t n)
{
	if (n != p->next - p->open)
		return error_set(DISRUPTOR_E_UNSUPPORTED,
				 "a packed ring gives up the whole open run of %llu, not %llu",
				 (unsigned long long)(p->next - p->open), (unsigned long long)n);
	take_back(p, n);
	p->fast = p->next;
	return 0;
}

int disruptor_abort_n(struct disruptor_producer *p, uint64_t n)
{
	struct disruptor_ring *r = p->ring;
	uint64_t end = p->open + n;
	uint64_t before;

	if (n - 1 >= p->next - p->open)
		return error_set(DISRUPTOR_E_INVAL, "n: %llu is not in 1 … %llu, the open run",
				 (unsigned long long)n,
				 (unsigned long long)(p->next - p->open));
	if (p->flags & DISRUPTOR_VIEW_PACKED)
		return abort_packed(p, n);
	disruptor_fetch_add_relaxed(&r->voids, n); /* relaxed: a statistic */
	/*
	 * VOID.end: the highest void, before the stamps that make them visible: whoever has come
	 * to a void's position through stamps and sequences sees an end behind it.
	 * relaxed: carried by PUB.release below.
	 */
	before = disruptor_load_relaxed(&r->shared->voids_end);
	while (before < end && !disruptor_cas_relaxed(&r->shared->voids_end, &before, end))
		;
	for (uint64_t at = end; at != p->open;) {
		at--;
		/* PUB.release, pairs with PUB.acquire: as a publish, with the void bit */
		disruptor_store_release(ring_stamp(r, at), (at + 1) | DISRUPTOR_VOID);
	}
	p->open = end;
	aim(p);
	if (p->flags & DISRUPTOR_VIEW_HEAVY) {
		disruptor_producer_signal(p);
	} else {
		/* WAKE.progress, as in disruptor_publish_n() */
		disruptor_fence_compiler();
		disruptor_producer_wake(p);
	}
	return 0;
}

int disruptor_abort(struct disruptor_producer *p)
{
	return disruptor_abort_n(p, p->next - p->open);
}

int disruptor_publish_copy(struct disruptor_producer *p, const void *events, uint64_t n)
{
	size_t size = p->ring->header->event_size;
	const unsigned char *from = events;
	uint64_t first;

	if (p->next != p->open)
		return error_set(p->status = DISRUPTOR_E_STATE,
				 "a run of %llu is open: publish or abort it first",
				 (unsigned long long)(p->next - p->open));
	if (!disruptor_claim_n(p, n))
		return p->status;
	if (p->flags & DISRUPTOR_VIEW_PACKED) {
		/* in two pieces at most, where the ring's memory ends */
		first = p->ring->capacity - (p->open & p->mask);
		first = first < n ? first : n;
		memcpy(event_at(p, p->open), from, (size_t)first * size);
		memcpy(event_at(p, p->open + first), from + (size_t)first * size,
		       (size_t)(n - first) * size);
	} else {
		for (uint64_t i = 0; i < n; i++)
			memcpy(event_at(p, p->open + i), from + (size_t)i * size, size);
	}
	return disruptor_publish_n(p, n);
}
