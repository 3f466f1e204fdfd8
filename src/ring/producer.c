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
#include "hook.h"
#include "ring/gate.h"
#include "ring/hold.h"
#include "ring/mirror.h"
#include "ring/repair.h"
#include "ring/ring.h"
#include "wait/core.h"

/* A view at work in an out-of-line half: what was passed in, and what goes back. */
struct run {
	struct disruptor_ring *ring;
	struct ring_producer *entry;
	struct ring_own_producer *own;
	uint64_t next;
	uint64_t open;
	uint64_t fast;
};

/* How a claim behaves when there is no room. */
struct claim {
	uint64_t least; /* take at least so many … */
	uint64_t most;  /* … and as many as this if they are there */
	bool wait;
	uint64_t deadline;
};

static bool is_many(const struct run *p)
{
	return p->ring->producers == DISRUPTOR_MANY;
}

/* First position not claimed: of one producer its own. */
static uint64_t claimed_of(const struct run *p)
{
	return is_many(p) ? ring_claimed(p->ring) : p->next;
}

/* A view that is not open has no ring, and nothing to give back but itself. */
static bool enter(struct run *p, struct disruptor_ring *ring, uint32_t index, uint64_t next,
		  uint64_t open)
{
	*p = (struct run){ .ring = ring,
			   .entry = ring ? &ring->producer_table[index] : NULL,
			   .own = ring ? &ring->own_producers[index] : NULL,
			   .next = next,
			   .open = open,
			   .fast = next };
	return ring != NULL;
}

static void leave(const struct run *p, struct disruptor_run *run)
{
	run->next = p->next;
	run->open = p->open;
	run->fast = p->fast;
}

/* ---- open and close ---- */

static int check_options(const struct disruptor_producer_options *o)
{
	if (o->overflow > DISRUPTOR_DROP)
		return error_set(DISRUPTOR_E_INVAL, "overflow: %d is no policy", (int)o->overflow);
	if (o->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", o->reserved);
	if (o->overflow == DISRUPTOR_UNTIL && o->timeout_ns == 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "timeout_ns: 0; use DISRUPTOR_FAIL to never wait");
	return wait_check("wait", &o->wait);
}

static int take_entry(struct disruptor_ring *r, const struct disruptor_producer_options *o,
		      uint32_t *index)
{
	struct ring_own_producer *own;
	struct ring_producer *entry;
	uint32_t i;

	for (i = 0; i < r->max_producers && r->producer_table[i].used; i++)
		;
	if (i == r->max_producers)
		return error_set(DISRUPTOR_E_BUSY,
				 "all %u producers of this ring are open, among them '%.31s'; %s",
				 i, r->producer_table[0].name,
				 r->producers == DISRUPTOR_SINGLE
					 ? "create it with DISRUPTOR_MANY for more"
					 : "raise max_producers for more");
	entry = &r->producer_table[i];
	if (ring_name(&entry->name, o->name, "producer") != 0)
		return DISRUPTOR_E_INVAL;
	own = &r->own_producers[i];
	own->wait = wait_choose(&o->wait, &r->wait);
	/* relaxed (lock): as the attacher that reads it */
	disruptor_store_relaxed(&entry->limit, ring_claimed(r));
	own->timeout_ns = o->timeout_ns;
	own->overflow = o->overflow;
	own->status = 0;
	own->gave_up_for = 0;
	own->spins = UINT32_MAX;
	/* relaxed (lock), both: as is_somebodys() reads them */
	disruptor_store_relaxed(&entry->run_first, UINT64_C(0));
	disruptor_store_relaxed(&entry->run_end, UINT64_C(0));
	/* relaxed (lock): whose it is, before it is anybody's: see ring/repair.h */
	disruptor_store_relaxed(&entry->participant, r->peers.self);
	ring_step();
	entry->used = 1;
	own->open = true;
	/* relaxed (figure), both */
	disruptor_store_relaxed(&entry->opened, UINT64_C(1));
	disruptor_store_relaxed(&own->owner, os_thread_id());
	*index = i;
	HOOK(HOOK_PRODUCER_OPENED);
	return 0;
}

int disruptor_producer_do_open(struct disruptor_producer *p, struct disruptor_ring *ring,
			       const struct disruptor_type *type,
			       const struct disruptor_producer_options *options, size_t view_size)
{
	struct disruptor_producer_options o = { .size = sizeof(o) };
	uint32_t index = 0;
	int rc = ring_check_open("producer", p, view_size, sizeof(*p), ring, type);

	if (rc == 0 && options)
		rc = ring_copy_options("producer options", &o, sizeof(o), options);
	if (rc == 0)
		rc = check_options(&o);
	if (rc != 0)
		return rc;
	ring_lock(ring);
	rc = take_entry(ring, &o, &index);
	if (rc == 0) {
		uint64_t claimed = ring_claimed(ring);

		*p = (struct disruptor_producer){
			.shared = ring->shared,
			.next = claimed,
			.open = claimed,
			.fast = claimed,
			.slot = ring_slot(ring, claimed),
			.slots = ring->slots,
			.slots_end = ring->slots + ring->capacity * ring->stride,
			.stride = ring->stride,
			.offset = ring->offset,
			.mask = ring->mask,
			.flags = (ring->layout == DISRUPTOR_PACKED ? DISRUPTOR_VIEW_PACKED : 0u) |
				 (ring->rung != DISRUPTOR_RUNG_MEMBARRIER ? DISRUPTOR_VIEW_HEAVY
									  : 0u) |
				 (ring->mirror ? DISRUPTOR_VIEW_LOSSY : 0u),
			.ring = ring,
			.index = index,
			.event_size = ring->event_size,
		};
	}
	ring_unlock(ring);
	return rc;
}

static void give_up(struct run *p, uint64_t n);

int disruptor_producer_do_close(struct disruptor_ring *ring, uint32_t index, uint64_t next,
				uint64_t open)
{
	struct run run, *p = &run;

	if (!enter(p, ring, index, next, open))
		return error_set(DISRUPTOR_E_INVAL, "producer: not open");
	if (p->next != p->open)
		give_up(p, p->next - p->open);
	HOOK(HOOK_PRODUCER_CLOSING);
	ring_lock(ring);
	p->entry->used = 0;
	p->own->open = false;
	/* relaxed (figure), both */
	disruptor_store_relaxed(&p->entry->opened, UINT64_C(0));
	disruptor_store_relaxed(&p->own->owner, UINT64_C(0));
	ring_step();
	/* relaxed (lock): as when it was opened, and last */
	disruptor_store_relaxed(&p->entry->participant, 0u);
	ring_unlock(ring);
	return 0;
}

int disruptor_producer_do_handoff(struct disruptor_ring *ring, uint32_t index)
{
	if (!ring)
		return error_set(DISRUPTOR_E_INVAL, "producer: not open");
	/* relaxed (own): the two threads have their own order, or could not hand the view over */
	disruptor_store_relaxed(&ring->own_producers[index].owner, os_thread_id());
	return 0;
}

int disruptor_producer_do_check_owner(struct disruptor_ring *ring, uint32_t index)
{
	/* relaxed (own): compared only; a view that is not open is refused by the claim itself */
	if (!ring || disruptor_load_relaxed(&ring->own_producers[index].owner) == os_thread_id())
		return 0;
	ring->own_producers[index].status = DISRUPTOR_E_OWNER;
	return error_set(DISRUPTOR_E_OWNER,
			 "producer '%.31s' belongs to another thread; hand it over with "
			 "disruptor_producer_handoff(), or open one view a thread",
			 ring->producer_table[index].name);
}

int disruptor_producer_do_status(const struct disruptor_ring *ring, uint32_t index)
{
	return ring ? ring->own_producers[index].status : DISRUPTOR_E_INVAL;
}

/* ---- claiming ---- */

/* relaxed (own) */
static uint64_t own_limit(const struct run *p)
{
	return disruptor_load_relaxed(&p->entry->limit);
}

/*
 * Learn from the gates how far @p p may claim, given that positions below
 * @p claimed are claimed. E_NO_CONSUMER if nobody is there to hold it back.
 */
static int look_for_room(struct run *p, uint64_t claimed)
{
	struct disruptor_ring *r = p->ring;
	uint32_t consumers;
	gate_limit(r, claimed, &p->entry->limit, &consumers);
	return consumers == 0 && !r->free_run ? DISRUPTOR_E_NO_CONSUMER : 0;
}

/*
 * Put back what the mark of a run that begins at @p first was written over: the last lap's stamp. It
 * is settled, as everybody has released it or nobody was there; where it may have been a void, it is
 * one from now on, and no one can come to it any more (`gone`). Lock held.
 */
static void unmark(const struct disruptor_ring *r, uint64_t first)
{
	uint64_t before = first >= r->capacity ? first - r->capacity + 1 : 0;

	/* relaxed (own), all: only this producer writes stamps and voids; who looks has the lock */
	if (!ring_is_mark(disruptor_load_relaxed(ring_stamp(r, first))))
		return;
	if (before != 0 && disruptor_load_relaxed(&r->shared->voids_end) >= before)
		before |= DISRUPTOR_VOID;
	disruptor_store_relaxed(ring_stamp(r, first), before);
}

/* Whoever was to end behind claims that are given back ends before them. Lock held. */
static void end_earlier(struct disruptor_ring *r, uint64_t claimed)
{
	for (uint32_t i = 0; i < r->max_consumers; i++) {
		atomic_word *until = &r->consumer_table[i].until;
		/* relaxed (hint): set under the lock, and forgotten at any time: the exchange tells */
		uint64_t end = disruptor_load_relaxed(until);

		while (end != UINT64_MAX && end > claimed)
			/* STOP.release, relaxed: it goes on with what who set it has released */
			if (disruptor_cas_relaxed(until, &end, claimed))
				break;
	}
}

void ring_unclaim(struct disruptor_ring *r, uint64_t claimed, uint64_t to)
{
	/* the run has written over the last lap's events, though its positions come again */
	if (claimed > r->capacity && claimed - r->capacity > r->common->gone)
		r->common->gone = claimed - r->capacity;
	/* CLOSE.back.release: readers of the position act on what is before it */
	disruptor_store_release(&r->shared->claimed, to);
	HOOK(HOOK_TAKEN_BACK);
	/* relaxed (lock): change under it only */
	if ((disruptor_load_relaxed(&r->shared->state) & DISRUPTOR_STATE_ENDED) &&
	    disruptor_load_relaxed(&r->shared->end) > to)
		/* CLOSE.end.release, relaxed: a number; who waits for what will not come is woken later */
		disruptor_store_relaxed(&r->shared->end, to);
	end_earlier(r, to);
}

/*
 * A claim of ours and the close met: take the claim back, and the end with it
 * if the closer has counted it. The closer holds the lock while it decides.
 */
static void take_back(struct run *p, uint64_t n)
{
	struct disruptor_ring *r = p->ring;

	HOOK(HOOK_TAKE_BACK);
	ring_lock(r);
	p->next -= n;
	p->fast = p->next;
	if (ring_marks_claims(r) && p->next == p->open)
		unmark(r, p->next);
	/*
	 * What was granted beyond it counted on the claim: a free run has no other gate, and who
	 * attaches next may start right here. relaxed (lock): as the attacher that reads it
	 */
	disruptor_store_relaxed(&p->entry->limit, p->next);
	ring_unclaim(r, p->next + n, p->next);
	ring_unlock(r);
	HOOK(HOOK_TAKE_BACK_TOLD);
	ring_wake_everyone(r);
}

/* relaxed (hint): which code to return; the claim has been refused by an ordered access */
static int closed_code(const struct disruptor_ring *r)
{
	return disruptor_load_relaxed(&r->shared->state) & DISRUPTOR_STATE_FAILED
		       ? DISRUPTOR_E_FAILED
		       : DISRUPTOR_E_CLOSED;
}

/* The claim was refused with @p code; a failed ring tells who failed, where, and with what. */
static void refuse(const struct run *p, int code)
{
	p->own->status = code;
	if (code == DISRUPTOR_E_FAILED)
		(void)ring_tell_failure(p->ring);
}

/* One producer: room, then a store. How many were taken, or a code. */
static int64_t claim_single(struct run *p, uint64_t least, uint64_t most)
{
	struct disruptor_ring *r = p->ring;
	uint64_t limit, room;
	int rc;

	/* CLOSE.open.acquire: a ring that is open again is so with all that its closing did */
	if (disruptor_load_acquire(&r->shared->state) != 0)
		return closed_code(r);
	if (own_limit(p) - p->next < most) {
		tally(&p->entry->slow_claims);
		rc = look_for_room(p, p->next);
		if (rc != 0)
			return rc;
	}
	/* a free run has no gate to keep it from its own open run */
	limit = p->open + r->capacity;
	limit = own_limit(p) < limit ? own_limit(p) : limit;
	room = limit - p->next;
	if (room < least)
		return DISRUPTOR_E_FULL;
	if (most > room)
		most = room;
	HOOK(HOOK_CLAIM_ROOM);
	p->next += most;
	/* CLOSE.claim, relaxed: see disruptor_note_claim() */
	disruptor_store_relaxed(&r->shared->claimed, p->next);
	/* CLOSE.claim, both: the claim, then the state; the barrier here is the rung's */
	if (r->rung == DISRUPTOR_RUNG_MEMBARRIER) {
		disruptor_fence_compiler();
		p->fast = limit;
	} else {
		wait_heavy_barrier(r);
		p->fast = p->next;
	}
	HOOK(HOOK_CLAIM_NOTED);
	/* CLOSE.claim, relaxed: only its being zero matters */
	if (disruptor_load_relaxed(&r->shared->state) != 0) {
		take_back(p, most);
		return closed_code(r);
	}
	return (int64_t)most;
}

/*
 * Many producers: what we are about to claim, or have: before the claim word moves, so that who finds
 * us dead knows which claims may be ours, and who finds another dead, which may not be his.
 */
static void intend(struct ring_producer *entry, uint64_t first, uint64_t end)
{
	/* INTENT.release, relaxed: carried by the next */
	disruptor_store_relaxed(&entry->run_end, end);
	/*
	 * INTENT.release, pairs with INTENT.acquire in is_somebodys(): what we have published, and the
	 * end, before the first. If relaxed: a repairer makes voids of events.
	 */
	disruptor_store_release(&entry->run_first, first);
}

/* Many producers: room, then compare and swap. How many were taken, or a code. */
static int64_t claim_many(struct run *p, uint64_t least, uint64_t most)
{
	struct disruptor_ring *r = p->ring;
	/* CLOSE.bit.acquire, all: who meets the closed bit sees the state that goes with it */
	uint64_t claimed = disruptor_load_acquire(&r->shared->claimed);
	bool run_open = p->next != p->open;
	uint64_t n;
	int rc;

	for (;;) {
		if (claimed & DISRUPTOR_CLOSED)
			return closed_code(r);
		if (run_open && claimed != p->next)
			return DISRUPTOR_E_BUSY;
		/* limit may lie behind, where others have claimed past it */
		if (own_limit(p) < claimed + most) {
			tally(&p->entry->slow_claims);
			rc = look_for_room(p, claimed);
			if (rc != 0)
				return rc;
		}
		if (own_limit(p) < claimed + least) {
			/* `claimed` may be old: what it says of the room is then old, too */
			uint64_t now = disruptor_load_acquire(&r->shared->claimed);

			if (now == claimed)
				return DISRUPTOR_E_FULL;
			claimed = now;
			continue;
		}
		n = own_limit(p) - claimed < most ? own_limit(p) - claimed : most;
		intend(p->entry, run_open ? p->open : claimed, claimed + n);
		HOOK(HOOK_CLAIM_SWAP);
		/*
		 * CLOSE.bit.acquire, for whoever meets that bit: the state that goes with it.
		 * INTENT.release: what we intend, before the claim that a repairer meets. Nothing else is
		 * released: the slots' being free was acquired by our own scan (FREE), their being
		 * published is the stamp's (PUB); the closed bit is in the word itself (CLOSE).
		 */
		if (disruptor_cas_acq_rel(&r->shared->claimed, &claimed, claimed + n))
			break;
	}
	HOOK(HOOK_CLAIM_SWAPPED);
	if (!run_open)
		p->open = claimed;
	p->next = claimed + n;
	p->fast = p->next;
	return (int64_t)n;
}

static int64_t claim_once(struct run *p, uint64_t least, uint64_t most)
{
	int64_t taken;

	if (!is_many(p))
		return claim_single(p, least, most);
	taken = claim_many(p, least, most);
	/* what was not won is not intended any more: a repairer may be waiting for us to say so */
	if (taken <= 0)
		intend(p->entry, p->open, p->next);
	return taken;
}

/* Whom a wait for room asks: the gates, for the position that would have to be free. */
struct room {
	struct run *p;
	uint64_t least;
};

static int64_t room_look(void *who, struct wait_need *need)
{
	struct room *w = who;
	struct disruptor_ring *r = w->p->ring;
	uint64_t claimed = claimed_of(w->p);
	uint32_t consumers;
	uint64_t low;

	/* CLOSE.open.acquire: as in claim_single(); behind the announcement it sees a close before it */
	if (disruptor_load_acquire(&r->shared->state) != 0)
		return closed_code(r);
	/* others have claimed behind our open run: it cannot grow, and they may wait for it */
	if (is_many(w->p) && w->p->next != w->p->open && claimed != w->p->next)
		return 1;
	low = gate_slowest(r, claimed, &consumers);
	if (consumers == 0 || disruptor_room(claimed, low, r->capacity) >= w->least)
		return 1;
	need->edge = edge_to_producers(r);
	need->count = claimed + w->least - r->capacity;
	return 0;
}

/* The deadline has passed: whether it could have come at all. */
static int blame(const struct disruptor_ring *r, uint64_t position)
{
	const char *dead = r->between ? ring_dead_gate(r, position) : NULL;

	if (!dead)
		return DISRUPTOR_E_TIMEOUT;
	return error_set(
		DISRUPTOR_E_PEER_DEAD,
		"the process of consumer '%.31s' has died, and position %llu waits for it: open "
		"it again under its name, or dismiss it",
		dead, (unsigned long long)position - 1);
}

static int wait_for_room(struct run *p, uint64_t least, uint64_t deadline)
{
	struct ring_producer *entry = p->entry;
	struct ring_own_producer *own = p->own;
	struct room room = { .p = p, .least = least };
	const uint64_t needs = claimed_of(p) + least - p->ring->capacity;
	struct wait_request request = {
		.ring = p->ring,
		.policy = &own->wait,
		.spins = &own->spins,
		.look = room_look,
		.who = &room,
		.deadline = deadline,
		.sleeps = &entry->sleeps,
		.since = &entry->blocked_since,
	};
	int64_t result;

	HOOK(HOOK_CLAIM_WAIT);
	/* who waits in steps waits for one thing all the time */
	if (deadline != DISRUPTOR_FOREVER)
		request.began = own->gave_up_for == needs ? own->gave_up_since : os_now_coarse();
	/* relaxed (figure): the ring was full, so this is above 0 */
	disruptor_store_relaxed(&entry->blocked_for, needs);
	result = wait_until(&request);
	if (result != DISRUPTOR_E_TIMEOUT)
		return result > 0 ? 0 : (int)result;
	own->gave_up_for = needs;
	own->gave_up_since = request.began;
	return blame(p->ring, claimed_of(p) + least - p->ring->capacity);
}

/*
 * Whether a wait for @p least slots would be a wait for the calling thread itself: E_DEADLK then,
 * with the cause as its detail, else 0.
 */
static int waits_for_itself(const struct run *p, uint64_t least)
{
	struct disruptor_ring *r = p->ring;
	/* the consumers would have to pass what we have not published */
	if (p->next - p->open + least > r->capacity)
		return error_set(DISRUPTOR_E_DEADLK,
				 "the open run of %llu and %llu more are above the capacity %llu: "
				 "publish or abort it first",
				 (unsigned long long)(p->next - p->open), (unsigned long long)least,
				 (unsigned long long)r->capacity);
	/* the position that every gate has to reach; the ring is full, so this is above 0 */
	return ring_hold_check(r, p->entry, claimed_of(p) + least - r->capacity);
}

/* The claim, with waiting. How many were taken; 0 with the status set. */
static uint64_t claim(struct run *p, const struct claim *how)
{
	uint64_t capacity = p->ring->capacity;
	int64_t taken;

#ifdef DISRUPTOR_DEBUG
	if (disruptor_producer_do_check_owner(p->ring,
					      (uint32_t)(p->entry - p->ring->producer_table)) != 0)
		return 0;
#endif
	taken = how->least == 0         ? DISRUPTOR_E_INVAL
		: how->least > capacity ? DISRUPTOR_E_TOO_BIG
					: claim_once(p, how->least, how->most);

	while (taken == DISRUPTOR_E_FULL && how->wait) {
		taken = waits_for_itself(p, how->least);
		if (taken != 0)
			break;
		taken = wait_for_room(p, how->least, how->deadline);
		if (taken == 0)
			taken = claim_once(p, how->least, how->most);
	}
	if (taken > 0) {
		ring_unpoison(p->ring, p->next - (uint64_t)taken, p->next);
		return (uint64_t)taken;
	}
	refuse(p, (int)taken);
	return 0;
}

/* What the view's overflow policy makes of a claim. */
static uint64_t claim_by_policy(struct run *p, uint64_t least, uint64_t most)
{
	struct ring_producer *entry = p->entry;
	struct ring_own_producer *own = p->own;
	struct claim how = { .least = least,
			     .most = most,
			     .wait = own->overflow == DISRUPTOR_BLOCK ||
				     own->overflow == DISRUPTOR_UNTIL,
			     .deadline = DISRUPTOR_FOREVER };
	uint64_t taken;

	if (own->overflow == DISRUPTOR_UNTIL)
		how.deadline = disruptor_in(own->timeout_ns);
	taken = claim(p, &how);
	if (taken == 0 && own->status == DISRUPTOR_E_FULL && own->overflow == DISRUPTOR_DROP) {
		/* relaxed (figure): owner-written */
		disruptor_store_relaxed(&entry->dropped,
					disruptor_load_relaxed(&entry->dropped) + least);
		own->status = DISRUPTOR_E_DROPPED;
	}
	return taken;
}

/*
 * claim_many() where nothing is open and room for @p n is known: false if it is not, or the ring is
 * closed. The first guess, where our last claim ended, is right if nobody has claimed since; a look
 * first would fetch the line twice, to read and to write.
 */
static bool claim_known(struct disruptor_ring *r, struct ring_producer *entry, uint64_t guess,
			uint64_t n, struct disruptor_run *run)
{
	/* relaxed (own) */
	uint64_t limit = disruptor_load_relaxed(&entry->limit), claimed = guess;

	if (n - 1 >= r->capacity)
		return false;
	do {
		/* DISRUPTOR_CLOSED in it is above every limit, too */
		if (limit < claimed + n)
			return false;
		intend(entry, claimed, claimed + n);
		HOOK(HOOK_CLAIM_SWAP);
		/* CLOSE.bit.acquire, INTENT.release: as in claim_many() */
	} while (!disruptor_cas_acq_rel(&r->shared->claimed, &claimed, claimed + n));
	HOOK(HOOK_CLAIM_SWAPPED);
	*run = (struct disruptor_run){ .next = claimed + n, .open = claimed, .fast = claimed + n };
	ring_unpoison(r, claimed, claimed + n);
	return true;
}

uint64_t disruptor_producer_do_claim(struct disruptor_ring *ring, uint32_t index, uint64_t next,
				     uint64_t open, uint64_t n, struct disruptor_run *run)
{
	struct run p;
	uint64_t taken = 0;

	if (ring && ring->producers == DISRUPTOR_MANY && next == open &&
	    claim_known(ring, &ring->producer_table[index], next, n, run))
		return n;
	if (enter(&p, ring, index, next, open))
		taken = claim_by_policy(&p, n, n);
	leave(&p, run);
	return taken;
}

uint64_t disruptor_producer_do_take_back(struct disruptor_ring *ring, uint32_t index, uint64_t next,
					 uint64_t open, uint64_t n, struct disruptor_run *run)
{
	struct run p;

	if (enter(&p, ring, index, next, open)) {
		take_back(&p, n);
		refuse(&p, closed_code(ring));
	}
	leave(&p, run);
	return 0;
}

uint64_t disruptor_producer_do_try_claim(struct disruptor_ring *ring, uint32_t index, uint64_t next,
					 uint64_t open, uint64_t n, struct disruptor_run *run)
{
	const struct claim how = { .least = n, .most = n };
	struct run p;
	uint64_t taken = 0;

	if (enter(&p, ring, index, next, open))
		taken = claim(&p, &how);
	leave(&p, run);
	return taken;
}

uint64_t disruptor_producer_do_claim_until(struct disruptor_ring *ring, uint32_t index,
					   uint64_t next, uint64_t open, uint64_t n,
					   uint64_t deadline, struct disruptor_run *run)
{
	const struct claim how = { .least = n, .most = n, .wait = true, .deadline = deadline };
	struct run p;
	uint64_t taken = 0;

	if (enter(&p, ring, index, next, open))
		taken = claim(&p, &how);
	leave(&p, run);
	return taken;
}

uint64_t disruptor_producer_do_claim_up_to(struct disruptor_ring *ring, uint32_t index,
					   uint64_t next, uint64_t open, uint64_t n,
					   struct disruptor_run *run)
{
	struct run p;
	uint64_t taken = 0;

	if (enter(&p, ring, index, next, open)) {
		if (n == 0 || n > ring->capacity)
			p.own->status = n == 0 ? DISRUPTOR_E_INVAL : DISRUPTOR_E_TOO_BIG;
		else
			taken = claim_by_policy(&p, 1, n);
	}
	leave(&p, run);
	return taken;
}

/* ---- publishing and giving up ---- */

void disruptor_producer_do_wake(struct disruptor_ring *r, uint32_t index, uint64_t end)
{
	if (edge_wake(r, edge_to_consumers(r), end))
		tally(&r->producer_table[index].wakes);
}

/* After the stamps, the cursor and the mirror: wake who has slept for them. */
static void announce(struct disruptor_ring *r, struct ring_producer *entry, uint64_t end)
{
	bool woke;

	HOOK(HOOK_PUBLISHED);
	if (r->rung != DISRUPTOR_RUNG_MEMBARRIER) {
		woke = edge_signal(r, edge_to_consumers(r), end);
	} else {
		/* WAKE.progress, as in disruptor_published() */
		disruptor_fence_compiler();
		woke = edge_wake(r, edge_to_consumers(r), end);
	}
	if (woke)
		tally(&entry->wakes);
}

void disruptor_producer_do_signal(struct disruptor_ring *r, uint32_t index, uint64_t end)
{
	announce(r, &r->producer_table[index], end);
}

/* Lossy rings only. */
void disruptor_producer_do_show(struct disruptor_ring *r, uint64_t at, uint64_t end)
{
	/* before the stamps: from then on a consumer may change the event */
	for (uint64_t i = at; i != end; i++)
		mirror_put(r, i, ring_slot(r, i) + r->offset);
	if (r->layout == DISRUPTOR_PACKED)
		/* PUB.release, the cursor in place of stamps; see disruptor_stamp() */
		disruptor_store_release(&r->shared->cursor, end);
	else
		for (uint64_t i = end; i-- != at;) {
			disruptor_stamp(ring_slot(r, i), i);
			HOOK(HOOK_PUBLISH_PART);
		}
}

void ring_void(struct disruptor_ring *r, uint64_t from, uint64_t end, uint64_t rest)
{
	uint64_t before;

	disruptor_fetch_add_relaxed(&r->common->voids, end - from); /* relaxed (figure) */
	before = disruptor_load_relaxed(&r->shared->voids_end);     /* relaxed (hint) */
	/*
	 * VOID.release, relaxed, pairs with VOID.acquire in first_void(): the highest void, before
	 * the stamps that make them visible; carried by PUB.release below. Whoever has come to a
	 * void's position through stamps and sequences sees an end behind it.
	 */
	while (before < end && !disruptor_cas_relaxed(&r->shared->voids_end, &before, end))
		;
	HOOK(HOOK_VOID_END);
	for (uint64_t at = from; r->mirror && at != end; at++)
		mirror_void(r, at);
	if (ring_marks_claims(r) && end != rest)
		/* CLOSE.claim, relaxed: the rest begins there; carried by the stamps' release */
		disruptor_store_relaxed(ring_stamp(r, end), ~rest);
	for (uint64_t at = end; at != from;) {
		at--;
		/* PUB.release: as a publish, with the void bit */
		disruptor_store_release(ring_stamp(r, at), (at + 1) | DISRUPTOR_VOID);
		HOOK(HOOK_VOID_PART);
	}
	HOOK(HOOK_VOIDED);
}

/* The first @p n of the run become voids, which consumers skip. */
static void give_up_stamped(struct run *p, uint64_t n)
{
	uint64_t end = p->open + n;

	ring_void(p->ring, p->open, end, p->next);
	p->open = end;
	announce(p->ring, p->entry, end);
}

static void give_up(struct run *p, uint64_t n)
{
	/* a packed ring has no stamps to mark: the claim goes back */
	if (p->ring->layout == DISRUPTOR_PACKED)
		take_back(p, n);
	else
		give_up_stamped(p, n);
}

int disruptor_producer_do_abort(struct disruptor_ring *ring, uint32_t index, uint64_t next,
				uint64_t open, uint64_t n, struct disruptor_run *run)
{
	unsigned long long length = next - open;
	struct run p;
	int rc = 0;

	if (!enter(&p, ring, index, next, open) || n - 1 >= length)
		rc = error_set(DISRUPTOR_E_INVAL, "n: %llu is not in 1 … %llu, the open run",
			       (unsigned long long)n, length);
	else if (ring->layout == DISRUPTOR_PACKED && n != length)
		rc = error_set(DISRUPTOR_E_UNSUPPORTED,
			       "a packed ring gives up the whole open run of %llu, not %llu",
			       length, (unsigned long long)n);
	else
		give_up(&p, n);
	leave(&p, run);
	return rc;
}

int disruptor_producer_do_copy_refused(struct disruptor_ring *ring, uint32_t index, uint64_t run)
{
	if (ring)
		ring->own_producers[index].status = DISRUPTOR_E_STATE;
	return error_set(DISRUPTOR_E_STATE, "a run of %llu is open: publish or abort it first",
			 (unsigned long long)run);
}
