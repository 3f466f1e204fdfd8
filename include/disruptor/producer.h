/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_PRODUCER_H
#define DISRUPTOR_PRODUCER_H

/**
 * @file disruptor/producer.h
 * The writing side: claim slots, fill them in place, publish them.
 *
 * A producer is one thread's private view of a ring: the ring's geometry, and
 * what this thread last learnt of the consumers' progress, so that the common
 * claim touches no line that others write.
 *
 * A view has at most one open run: slots claimed and not yet published. A
 * claim extends the run at its end; publish and abort take from its front.
 */

#include <disruptor/error.h>
#include <disruptor/ring.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a producer does when the ring is full. */
enum disruptor_overflow {
	DISRUPTOR_BLOCK = 0, /**< wait, by its wait strategy, until there is room */
	DISRUPTOR_UNTIL = 1, /**< wait at most `timeout_ns`, then DISRUPTOR_E_TIMEOUT */
	DISRUPTOR_FAIL = 2,  /**< DISRUPTOR_E_FULL at once */
	DISRUPTOR_DROP = 3   /**< drop the new events, count them, DISRUPTOR_E_DROPPED */
};

/** What a producer is opened with; zero means the default. */
struct disruptor_producer_options {
	size_t size;      /**< sizeof(struct disruptor_producer_options) */
	const char *name; /**< for reports; copied, at most 31 bytes; NULL is "producer" */
	enum disruptor_overflow overflow;
	uint32_t reserved;          /**< zero */
	uint64_t timeout_ns;        /**< of DISRUPTOR_UNTIL */
	struct disruptor_wait wait; /**< when full; default: the ring's */
};

/** Bits of a view's flags. */
enum disruptor_view_flag {
	DISRUPTOR_VIEW_PACKED = 1,    /**< the ring is packed */
	DISRUPTOR_VIEW_HEAVY = 2,     /**< the rung needs more than a compiler barrier */
	DISRUPTOR_VIEW_FIRST = 4,     /**< a consumer that looks at stamps */
	DISRUPTOR_VIEW_ORDERED = 8,   /**< stamps appear in order: one producer */
	DISRUPTOR_VIEW_LOSSY = 16,    /**< a producer that also writes the mirror */
	DISRUPTOR_VIEW_DEFERRED = 32, /**< a consumer whose gate others move */
	DISRUPTOR_VIEW_POOLED = 64,   /**< a consumer that takes its events from others' */
	DISRUPTOR_VIEW_ALONE = 128    /**< no other consumer reads the ring */
};

/**
 * One thread's view of a ring that it publishes to; fill it with disruptor_producer_open().
 *
 * The fields serve the inline functions below; their layout is part of the ABI. Do not touch.
 */
struct disruptor_producer {
	struct disruptor_shared *shared; /* the words beside the slots */
	uint64_t next;                   /* end of the open run: next to claim */
	uint64_t open;                   /* its beginning: next to publish */
	uint64_t fast;                   /* claims up to here need no look at anything */
	unsigned char *slot;             /* the slot of `open`, computed ahead of its use */
	unsigned char *slots;            /* slot 0 */
	unsigned char *slots_end;        /* where the slots' memory ends */
	size_t stride;                   /* bytes from slot to slot */
	size_t offset;                   /* bytes from slot to event */
	uint32_t mask;                   /* capacity - 1 */
	uint32_t flags;                  /* enum disruptor_view_flag; 0 is the common case */
	struct disruptor_ring *ring;     /* NULL: not open */
	uint32_t index;                  /* entry in the ring's table of producers */
	uint32_t event_size;             /* bytes */
	uint64_t reserved[4];
};
DISRUPTOR_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(struct disruptor_producer) == 128,
			"frozen by ABI 0");

/** The part of a view that moves: what the out-of-line halves give back. */
struct disruptor_run {
	uint64_t next, open, fast;
};

/*
 * The out-of-line halves of the functions below; nothing else should need them.
 *
 * They are never handed the view itself. So the address of a local view does
 * not leave its function, and a compiler may keep it in registers across the
 * stores that publish (ADR 0006). What changes seldom (the limit learnt from the gates, the policy,
 * the status) is kept beside the ring.
 */
DISRUPTOR_API int disruptor_producer_do_open(struct disruptor_producer *p,
					     struct disruptor_ring *ring,
					     const struct disruptor_type *type,
					     const struct disruptor_producer_options *options,
					     size_t view_size);
DISRUPTOR_API int disruptor_producer_do_close(struct disruptor_ring *ring, uint32_t index,
					      uint64_t next, uint64_t open);
DISRUPTOR_API int disruptor_producer_do_handoff(struct disruptor_ring *ring, uint32_t index);
DISRUPTOR_API int disruptor_producer_do_check_owner(struct disruptor_ring *ring, uint32_t index);
DISRUPTOR_API int disruptor_producer_do_status(const struct disruptor_ring *ring, uint32_t index);
DISRUPTOR_API uint64_t disruptor_producer_do_claim(struct disruptor_ring *ring, uint32_t index,
						   uint64_t next, uint64_t open, uint64_t n,
						   struct disruptor_run *run);
DISRUPTOR_API uint64_t disruptor_producer_do_take_back(struct disruptor_ring *ring, uint32_t index,
						       uint64_t next, uint64_t open, uint64_t n,
						       struct disruptor_run *run);
DISRUPTOR_API uint64_t disruptor_producer_do_try_claim(struct disruptor_ring *ring, uint32_t index,
						       uint64_t next, uint64_t open, uint64_t n,
						       struct disruptor_run *run);
DISRUPTOR_API uint64_t disruptor_producer_do_claim_until(struct disruptor_ring *ring,
							 uint32_t index, uint64_t next,
							 uint64_t open, uint64_t n,
							 uint64_t deadline,
							 struct disruptor_run *run);
DISRUPTOR_API uint64_t disruptor_producer_do_claim_up_to(struct disruptor_ring *ring,
							 uint32_t index, uint64_t next,
							 uint64_t open, uint64_t n,
							 struct disruptor_run *run);
DISRUPTOR_API int disruptor_producer_do_abort(struct disruptor_ring *ring, uint32_t index,
					      uint64_t next, uint64_t open, uint64_t n,
					      struct disruptor_run *run);
DISRUPTOR_API int disruptor_producer_do_copy_refused(struct disruptor_ring *ring, uint32_t index,
						     uint64_t run);
DISRUPTOR_API void disruptor_producer_do_wake(struct disruptor_ring *ring, uint32_t index,
					      uint64_t end);
DISRUPTOR_API void disruptor_producer_do_signal(struct disruptor_ring *ring, uint32_t index,
						uint64_t end);
DISRUPTOR_API void disruptor_producer_do_show(struct disruptor_ring *ring, uint64_t at,
					      uint64_t end);

/**
 * Open a view to publish through. @p options may be NULL.
 *
 * Threads: any; the calling thread owns the view (see disruptor_producer_handoff()).
 * Errors:  the view is then a closed one. DISRUPTOR_E_BUSY if the ring's producers are all open (one, of DISRUPTOR_SINGLE),
 *          E_TYPE if @p type is not the ring's, E_INVAL, E_VERSION.
 */
DISRUPTOR_INLINE DISRUPTOR_NODISCARD int
disruptor_producer_open(struct disruptor_producer *p, struct disruptor_ring *ring,
			const struct disruptor_type *type,
			const struct disruptor_producer_options *options)
{
	struct disruptor_producer view;
	int rc;

	memset(&view, 0, sizeof(view));
	rc = disruptor_producer_do_open(p != NULL ? &view : NULL, ring, type, options,
					sizeof(view));

	if (p != NULL)
		*p = view;
	return rc;
}

/**
 * Close the view. An open run is aborted.
 *
 * Threads: the owner. Errors: DISRUPTOR_E_INVAL if the view is not open.
 */
DISRUPTOR_INLINE int disruptor_producer_close(struct disruptor_producer *p)
{
	int rc = disruptor_producer_do_close(p->ring, p->index, p->next, p->open);

	p->ring = NULL;
	p->fast = p->next; /* no claim goes the fast way any more, and nothing is open */
	p->open = p->next;
	return rc;
}

/**
 * Make the calling thread the owner of the view. The old owner must be done with it.
 *
 * Errors: DISRUPTOR_E_INVAL if the view is not open.
 */
DISRUPTOR_INLINE int disruptor_producer_handoff(struct disruptor_producer *p)
{
	return disruptor_producer_do_handoff(p->ring, p->index);
}

/** Why the last claim of this view that failed did so: a code, or 0 if none has. */
DISRUPTOR_INLINE int disruptor_producer_status(const struct disruptor_producer *p)
{
	return disruptor_producer_do_status(p->ring, p->index);
}

/** The position at the front of the open run: the next to be published. */
DISRUPTOR_INLINE uint64_t disruptor_producer_position(const struct disruptor_producer *p)
{
	return p->open;
}

/** How many slots the open run has: claimed, not yet published. */
DISRUPTOR_INLINE uint64_t disruptor_claimed(const struct disruptor_producer *p)
{
	return p->next - p->open;
}

/** The slot of a position: its stamp, or in a packed ring its event. */
DISRUPTOR_INLINE unsigned char *disruptor_producer_slot(const struct disruptor_producer *p,
							uint64_t position)
{
	return p->slots + (size_t)(position & p->mask) * p->stride;
}

/** The @p i th event of the open run, 0 <= i < disruptor_claimed(). */
DISRUPTOR_INLINE void *disruptor_claimed_at(const struct disruptor_producer *p, uint64_t i)
{
	return disruptor_producer_slot(p, p->open + i) + p->offset;
}

/** Take what an out-of-line half gives back into the view. */
DISRUPTOR_INLINE void disruptor_producer_follow(struct disruptor_producer *p,
						const struct disruptor_run *run)
{
	p->next = run->next;
	p->open = run->open;
	p->fast = run->fast;
	if (disruptor_likely(p->ring != NULL)) /* a view that is not open has no slots */
		p->slot = disruptor_producer_slot(p, run->open);
}

/** The first of @p n slots that an out-of-line half has claimed; NULL if it was refused. */
DISRUPTOR_INLINE void *disruptor_producer_first(struct disruptor_producer *p,
						const struct disruptor_run *run, uint64_t n)
{
	disruptor_producer_follow(p, run);
	return n != 0 ? disruptor_producer_slot(p, run->next - n) + p->offset : NULL;
}

/**
 * Note that [first, end) is claimed. Where one producer stamps, by a mark in the first slot of its
 * run, on a line that is about to be written anyway: a store elsewhere for each event would part
 * the stores to the slots, which the processor otherwise combines (ADR 0019).
 *
 * CLOSE.claim, pairs with CLOSE.close in ring_close_locked(): our claim, then the state; the closer's
 * state, a heavy barrier, then our claim. So either we see the state, or it counts our claim.
 * relaxed: that barrier orders both; the compiler must not.
 */
DISRUPTOR_INLINE unsigned char *disruptor_note_claim(const struct disruptor_producer *p,
						     uint64_t first, uint64_t end)
{
	/* CLOSE.claim, relaxed, all: the mark, or the word; then the barrier and the state */
	if (disruptor_likely(first == p->open)) {
		if (disruptor_likely(p->flags == 0))
			/* the complement: a bit in a wide constant would take a register */
			disruptor_store_relaxed((DISRUPTOR_ATOMIC(uint64_t) *)(void *)p->slot,
						~end);
		else
			disruptor_store_relaxed(&p->shared->claimed, end);
		return p->slot;
	}
	disruptor_store_relaxed(&p->shared->claimed, end);
	return disruptor_producer_slot(p, first);
}

/**
 * Claim the next @p n slots; what happens while the ring is full is the view's overflow policy.
 *
 * Returns the first of the n events; the others are disruptor_claimed_at(). The slots are this
 * view's to write until they are published, and hold what an earlier lap left in them.
 *
 * Threads:  the owner.
 * Progress: wait-free while room is known (one producer), lock-free (many), else the policy's.
 * Errors:   NULL; disruptor_producer_status() is then DISRUPTOR_E_INVAL (n is 0), E_TOO_BIG (n is
 *           above the capacity), E_DEADLK (above what the open run leaves of it, or the room
 *           waits for what the calling thread itself holds: events of a stage whose handler it
 *           runs, events that a consumer has handed it (see disruptor_consumer_handoff()), or the
 *           open run of another view of its own; the detail names it), E_FULL,
 *           E_TIMEOUT, E_DROPPED (by policy), E_CLOSED, E_FAILED (disruptor_error_detail() names
 *           the stage, the hook, the code and the position), E_NO_CONSUMER, E_BUSY (many
 *           producers: another has claimed behind the open run, publish it first), E_OWNER
 *           (debug builds). The view is otherwise unchanged.
 */
DISRUPTOR_INLINE void *disruptor_claim_n(struct disruptor_producer *p, uint64_t n)
{
	uint64_t first = p->next;
	unsigned char *slot;
	struct disruptor_run run;

#ifdef DISRUPTOR_DEBUG
	if (disruptor_producer_do_check_owner(p->ring, p->index) != 0)
		return NULL;
#endif
	/* n = 0 wraps to the largest, and `fast` of many producers is `next`: both go the slow way */
	if (disruptor_unlikely(n - 1 >= p->fast - first) || DISRUPTOR_ASAN) {
		n = disruptor_producer_do_claim(p->ring, p->index, first, p->open, n, &run);
		return disruptor_producer_first(p, &run, n);
	}
	DISRUPTOR_HOOK(CLAIM_KNOWN);
	slot = disruptor_note_claim(p, first, first + n);
	p->next = first + n;
	DISRUPTOR_HOOK(CLAIM_NOTED);
	/* CLOSE.claim, pairs with CLOSE.close in ring_close_locked(): our claim, then the state */
	disruptor_fence_compiler();
	/* CLOSE.claim, relaxed: only its being zero matters; the slow half looks again */
	if (disruptor_unlikely(disruptor_load_relaxed(&p->shared->state) != 0)) {
		n = disruptor_producer_do_take_back(p->ring, p->index, first + n, p->open, n, &run);
		return disruptor_producer_first(p, &run, n);
	}
	return slot + p->offset;
}

/** disruptor_claim_n() of one slot. */
DISRUPTOR_INLINE void *disruptor_claim(struct disruptor_producer *p)
{
	return disruptor_claim_n(p, 1);
}

/** disruptor_claim_n(), but never waits: DISRUPTOR_E_FULL, whatever the policy. */
DISRUPTOR_INLINE void *disruptor_try_claim_n(struct disruptor_producer *p, uint64_t n)
{
	struct disruptor_run run;

	if (disruptor_likely(n - 1 < p->fast - p->next))
		return disruptor_claim_n(p, n);
	n = disruptor_producer_do_try_claim(p->ring, p->index, p->next, p->open, n, &run);
	return disruptor_producer_first(p, &run, n);
}

/** disruptor_try_claim_n() of one slot. */
DISRUPTOR_INLINE void *disruptor_try_claim(struct disruptor_producer *p)
{
	return disruptor_try_claim_n(p, 1);
}

/** disruptor_claim_n(), but waits until @p deadline (see disruptor_in()), whatever the policy. */
DISRUPTOR_INLINE void *disruptor_claim_until(struct disruptor_producer *p, uint64_t n,
					     uint64_t deadline)
{
	struct disruptor_run run;

	n = disruptor_producer_do_claim_until(p->ring, p->index, p->next, p->open, n, deadline,
					      &run);
	return disruptor_producer_first(p, &run, n);
}

/**
 * Claim as many slots as are free now, at most @p n; wait as disruptor_claim_n() does only while
 * there is none. Returns how many: disruptor_claimed_at() has them. 0 if none, as for NULL there.
 */
DISRUPTOR_INLINE uint64_t disruptor_claim_up_to(struct disruptor_producer *p, uint64_t n)
{
	struct disruptor_run run;

	n = disruptor_producer_do_claim_up_to(p->ring, p->index, p->next, p->open, n, &run);
	disruptor_producer_follow(p, &run);
	return n;
}

/** Stamp a slot with its position: the store that publishes it. */
DISRUPTOR_INLINE void disruptor_stamp(unsigned char *slot, uint64_t position)
{
	/*
	 * PUB.release, pairs with PUB.acquire in disruptor_ready(). Orders the event's bytes before
	 * the stamp that shows them. If relaxed: torn events are read.
	 */
	disruptor_store_release((DISRUPTOR_ATOMIC(uint64_t) *)(void *)slot, position + 1);
}

/** After the stamps: wake the consumers that have slept for them. */
DISRUPTOR_INLINE int disruptor_published(struct disruptor_producer *p, uint64_t end)
{
	p->open = end;
	DISRUPTOR_HOOK(PUBLISHED);
	/*
	 * WAKE.progress, pairs with WAKE.announce in edge_arm(). The sleeper's heavy barrier
	 * stands in for our store-load fence; the compiler must keep the look below the stamp.
	 */
	disruptor_fence_compiler();
	/* WAKE.progress, relaxed: a stale 0 is impossible; nothing is read through it */
	if (disruptor_unlikely(disruptor_load_relaxed(&p->shared->wake_consumers) - 1 < end))
		disruptor_producer_do_wake(p->ring, p->index, end);
	return DISRUPTOR_OK;
}

/**
 * Publish the first @p n slots of the open run: consumers may read them.
 *
 * Threads:  the owner. Progress: wait-free; a system call only if a consumer sleeps.
 * Signals:  async-signal-safe on the rungs membarrier and fence of the Linux build, by a view that
 *           signal handlers alone use, one at a time, each after disruptor_producer_handoff(). So is
 *           disruptor_try_claim(). Neither is so where the signal interrupts, on the same ring, a
 *           function that takes its lock (open, close, attach, start, stop), disruptor_wait_any(),
 *           disruptor_consumer_arm() or disruptor_poll(): block it around those. errno may change.
 * Errors:   DISRUPTOR_E_INVAL if n is 0 or the open run is shorter, E_OWNER (debug builds); nothing
 *           is published then.
 */
DISRUPTOR_INLINE int disruptor_publish_n(struct disruptor_producer *p, uint64_t n)
{
	uint64_t at = p->open;
	uint64_t end = at + n;

	if (disruptor_unlikely(n - 1 >= p->next - at))
		return DISRUPTOR_E_INVAL;
#ifdef DISRUPTOR_DEBUG
	if (disruptor_producer_do_check_owner(p->ring, p->index) != 0)
		return DISRUPTOR_E_OWNER;
#endif
	DISRUPTOR_HOOK(PUBLISH);
	/* lossy rings are told apart behind tests that there are anyway, so that others pay nothing */
	if ((p->flags & (DISRUPTOR_VIEW_PACKED | DISRUPTOR_VIEW_LOSSY)) != 0) {
		if (disruptor_unlikely(p->flags & DISRUPTOR_VIEW_LOSSY))
			disruptor_producer_do_show(p->ring, at, end);
		else
			/* PUB.release, the cursor in place of stamps; see disruptor_stamp() */
			disruptor_store_release(&p->shared->cursor, end);
	} else {
		if (disruptor_unlikely(end != p->next))
			/* CLOSE.claim, relaxed: the rest begins there; carried by the stamps' release */
			disruptor_store_relaxed((DISRUPTOR_ATOMIC(uint64_t) *)(void *)
							disruptor_producer_slot(p, end),
						~p->next);
		/* from the last to the first, so that who waits for the first sees them all */
		size_t bytes = (size_t)n * p->stride; /* step by step, where it does not wrap */
		int wraps = bytes > (size_t)(p->slots_end - p->slot);
		unsigned char *slot = wraps ? p->slot : p->slot + bytes;

		while (--n != 0) {
			slot = wraps ? disruptor_producer_slot(p, at + n) : slot - p->stride;
			disruptor_stamp(slot, at + n);
			DISRUPTOR_HOOK(PUBLISH_PART);
		}
		disruptor_stamp(p->slot, at);
	}
	p->slot = disruptor_producer_slot(p, end);
	if (disruptor_likely(!(p->flags & (DISRUPTOR_VIEW_HEAVY | DISRUPTOR_VIEW_LOSSY))))
		return disruptor_published(p, end);
	p->open = end;
	disruptor_producer_do_signal(p->ring, p->index, end);
	return DISRUPTOR_OK;
}

/** Publish the whole open run; see disruptor_publish_n(). */
DISRUPTOR_INLINE int disruptor_publish(struct disruptor_producer *p)
{
	uint64_t at = p->open;
	uint64_t end = p->next;

#ifndef DISRUPTOR_DEBUG /* in debug builds all go the general way, which checks the owner */
	/* one event, stamped, on the membarrier rung: the next slot is the neighbour */
	if (disruptor_likely(((end - at - 1) | p->flags) == 0)) {
		DISRUPTOR_HOOK(PUBLISH);
		disruptor_stamp(p->slot, at);
		p->slot += p->stride;
		if (disruptor_unlikely(p->slot == p->slots_end))
			p->slot = p->slots;
		return disruptor_published(p, end);
	}
#endif
	return disruptor_publish_n(p, end - at);
}

/**
 * Give up the first @p n slots of the open run: each becomes a void, which consumers skip.
 *
 * On a packed ring, which has no stamps to mark, only the whole run can be given up; its positions
 * are then claimed again.
 *
 * Threads: the owner. Progress: as disruptor_publish_n().
 * Errors:  DISRUPTOR_E_INVAL if n is 0 or the open run is shorter, E_UNSUPPORTED for a part of a
 *          run of a packed ring; nothing is given up then.
 */
DISRUPTOR_INLINE int disruptor_abort_n(struct disruptor_producer *p, uint64_t n)
{
	struct disruptor_run run;
	int rc = disruptor_producer_do_abort(p->ring, p->index, p->next, p->open, n, &run);

	disruptor_producer_follow(p, &run);
	return rc;
}

/** Give up the whole open run; see disruptor_abort_n(). */
DISRUPTOR_INLINE int disruptor_abort(struct disruptor_producer *p)
{
	return disruptor_abort_n(p, p->next - p->open);
}

/**
 * Publish a copy of @p n events that lie side by side at @p events: all or none of them.
 *
 * Waits as disruptor_claim_n() does. Not while a run is open: DISRUPTOR_E_STATE.
 *
 * Threads: the owner. Errors: 0, or the code disruptor_producer_status() has, as for claim.
 */
DISRUPTOR_INLINE int disruptor_publish_copy(struct disruptor_producer *p, const void *events,
					    uint64_t n)
{
	size_t size = p->event_size;
	const unsigned char *from = (const unsigned char *)events;

	if (disruptor_unlikely(p->next != p->open))
		return disruptor_producer_do_copy_refused(p->ring, p->index, p->next - p->open);
	if (disruptor_claim_n(p, n) == NULL)
		return disruptor_producer_status(p);
	for (uint64_t i = 0; i < n; i++)
		memcpy(disruptor_claimed_at(p, i), from + (size_t)i * size, size);
	return disruptor_publish_n(p, n);
}

#ifdef __cplusplus
}
#endif
#endif
