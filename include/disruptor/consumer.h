/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_CONSUMER_H
#define DISRUPTOR_CONSUMER_H

/**
 * @file disruptor/consumer.h
 * The reading side: see what is ready, read it in place, release it.
 *
 * A consumer is one thread's private view of a ring. Every consumer sees every
 * event, and holds producers back (it is a gate) until it has released it. A
 * consumer without others before it waits for producers; one that comes after
 * others waits until all of them have released an event.
 *
 * The loop is
 *
 *	n = disruptor_ready_until(&c, DISRUPTOR_FOREVER);
 *	for (i = 0; i < n; i++)
 *		handle(disruptor_at(&c, i));
 *	disruptor_release(&c, n);
 *
 * Releasing fewer is an early release inside the batch: what was at(k) before
 * release(k) is at(0) after it. Voids (claims given up) are never seen: a
 * batch ends before one, and the next begins behind it.
 */

#include <disruptor/error.h>
#include <disruptor/producer.h>
#include <disruptor/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_consumer;

/** Where a consumer begins. */
enum disruptor_at {
	DISRUPTOR_AT_NEWEST = 0, /**< at the first position not published */
	/**
	 * At the oldest that is still there: a lap before the furthest that a producer may claim
	 * without looking at the gates again. So it lies between a whole lap and nothing behind the
	 * newest, by how long ago the producers looked; nothing if they run free.
	 */
	DISRUPTOR_AT_OLDEST = 1,
	DISRUPTOR_AT_POSITION = 2 /**< at `position`, if that is still there */
};

/** Of a ring that processes share: what becomes of a consumer whose process dies. */
enum disruptor_if_dead {
	/**
	 * It goes on holding producers back, without a process, until it is opened again under its name,
	 * and then goes on where it stopped: what it had read and not released it sees again.
	 */
	DISRUPTOR_REQUIRED = 0,
	DISRUPTOR_OPTIONAL = 1 /**< it leaves, and producers go on */
};

/** What a consumer is opened with; zero means the default. */
struct disruptor_consumer_options {
	size_t size;      /**< sizeof(struct disruptor_consumer_options) */
	const char *name; /**< for reports; copied, at most 31 bytes; NULL is "consumer" */
	/** The consumers that must have released an event before this one sees it. */
	const struct disruptor_consumer *const *after;
	size_t after_count;
	uint32_t batch; /**< most events ready at a time; 0 is a quarter of the capacity, at most 1024 */
	/** Not 0: this consumer may take (see disruptor_take()); it must then be the last stage alone. */
	uint32_t take;
	struct disruptor_wait wait; /**< default: the ring's */
	enum disruptor_at at;       /**< where it begins */
	uint32_t if_dead;           /**< enum disruptor_if_dead; of a ring of one process, zero */
	uint64_t position;          /**< of DISRUPTOR_AT_POSITION, else zero */
	/** As `after`, by their names: consumers of other processes, too, dead or alive. */
	const char *const *after_names;
	size_t after_name_count;
};

/**
 * One thread's view of a ring that it reads; fill it with disruptor_consumer_open().
 *
 * The fields serve the inline functions below; their layout is part of the ABI. Do not touch.
 */
struct disruptor_consumer {
	unsigned char *slots; /* slot 0 */
	uint64_t next;        /* first not released: at(0) */
	uint64_t read;        /* first not handed out by ready() or poll() */
	uint64_t limit;       /* first not known to be available */
	DISRUPTOR_ATOMIC(uint64_t) *
		source;              /* the one position to wait for; NULL: stamps, or several */
	struct disruptor_gate *gate; /* its entry in the ring's table */
	uint32_t mask;               /* capacity - 1 */
	uint32_t stride;             /* bytes from slot to slot */
	uint32_t batch;              /* most events ready at a time */
	uint16_t offset;             /* bytes from slot to event */
	uint16_t flags;              /* enum disruptor_view_flag */
	struct disruptor_shared *shared; /* the words beside the slots */
	/* cold */
	struct disruptor_ring *ring;
	uint32_t index; /* entry in the gate table */
	uint32_t spins; /* what the adaptive wait has learnt */
	uint32_t take;
	uint32_t least;     /* events that a wait is for; 0 is 1 */
	uint64_t open_mark; /* not 0: the view is open */
	uint64_t aimed;     /* the upstreams that `source` and `flags` were made from */
	uint32_t pace;      /* pauses before the next wait's first look: learnt, too */
	uint32_t attaches;  /* of the ring's, when its being alone was found */
	uint64_t cursor;    /* of a ring of records: the first not handed out by next */
};
DISRUPTOR_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(struct disruptor_consumer) == 128,
			"frozen by ABI 0");

/** Events that lie at a fixed distance from each other. */
struct disruptor_span {
	void *first;       /**< the first event; NULL if count is 0 */
	size_t stride;     /**< bytes from one to the next; sizeof the event in a packed ring */
	uint64_t count;    /**< how many */
	uint64_t position; /**< of the first */
};

/** The out-of-line halves of the functions below; nothing else should need them. */
DISRUPTOR_API uint64_t disruptor_consumer_ready_slow(struct disruptor_consumer *c);
DISRUPTOR_API int disruptor_consumer_release_slow(struct disruptor_consumer *c, uint64_t n);
DISRUPTOR_API void disruptor_consumer_wake(struct disruptor_consumer *c);
DISRUPTOR_API void disruptor_consumer_do_unshare(struct disruptor_consumer *c, uint64_t upto);

/** disruptor_consumer_open() with sizeof *c, which refuses a caller compiled against another layout. */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_consumer_open_sized(struct disruptor_consumer *c, struct disruptor_ring *ring,
			      const struct disruptor_type *type,
			      const struct disruptor_consumer_options *options, size_t view_size);

/**
 * Attach a consumer, also while producers run. Unless the options say otherwise it starts at the
 * first position not yet published: it misses nothing that is published after this returns.
 * disruptor_consumer_position() tells where it is. @p options may be NULL.
 *
 * On a ring that processes share, a name whose process has died is taken up again, where it stopped,
 * wherever the options say to begin; it has to come after whatever it came after (DISRUPTOR_E_INVAL).
 *
 * Threads: any; the view is then used by one thread at a time.
 * Errors:  the view is then a closed one. DISRUPTOR_E_BUSY if the gate table is full, or it asks to take beside another last
 *          stage, or another takes; E_INVAL (an `after` that is not a consumer of this ring, a name that
 *          several have), E_NOT_FOUND (a name that no consumer has),
 *          E_UNSUPPORTED (take, on a ring with DISRUPTOR_LOSSY), E_TYPE, E_VERSION; E_RANGE if the position is not there (the detail tells the oldest and
 *          the newest that are); E_FORMAT if another process has
 *          written over what the ring says of itself.
 */
DISRUPTOR_INLINE DISRUPTOR_NODISCARD int
disruptor_consumer_open(struct disruptor_consumer *c, struct disruptor_ring *ring,
			const struct disruptor_type *type,
			const struct disruptor_consumer_options *options)
{
	return disruptor_consumer_open_sized(c, ring, type, options, sizeof(*c));
}

/**
 * Detach the consumer: it gates no longer, and producers blocked by it go on.
 *
 * Threads: the one that uses the view.
 * Errors:  DISRUPTOR_E_INVAL if it is not open, E_BUSY if others come after it (the detail
 *          names one).
 */
DISRUPTOR_API int disruptor_consumer_close(struct disruptor_consumer *c);

/** The slot of a position: its stamp, or in a packed ring its event. */
DISRUPTOR_INLINE unsigned char *disruptor_consumer_slot(const struct disruptor_consumer *c,
							uint64_t position)
{
	return c->slots + (size_t)(position & c->mask) * c->stride;
}

/** The position of at(0): the first event not released. */
DISRUPTOR_INLINE uint64_t disruptor_consumer_position(const struct disruptor_consumer *c)
{
	return c->next;
}

/** The @p i th event that is ready, 0 <= i < what disruptor_ready() returned. */
DISRUPTOR_INLINE void *disruptor_at(const struct disruptor_consumer *c, uint64_t i)
{
	return disruptor_consumer_slot(c, c->next + i) + c->offset;
}

/**
 * With one producer a stamp tells of all positions before it: their events were written before any
 * stamp of the same publish. Go from @p at towards @p end by steps of @p step, and stop where a
 * step finds no stamp, or may pass a void.
 */
DISRUPTOR_INLINE uint64_t disruptor_leap(const struct disruptor_consumer *c, uint64_t at,
					 uint64_t end, uint64_t step)
{
	while (end - at >= step) {
		/* PUB.acquire, as in disruptor_ready(); for every position up to this one */
		uint64_t stamp = disruptor_load_acquire((DISRUPTOR_ATOMIC(
			uint64_t) *)(void *)disruptor_consumer_slot(c, at + step - 1));

		/* VOID.acquire, relaxed: carried by the acquire above */
		if (stamp - at != step || disruptor_load_relaxed(&c->shared->voids_end) > at)
			break;
		at += step;
	}
	return at;
}

/**
 * Tell how many events are ready now, from the first not released: at most the batch limit.
 *
 * Threads: the view's. Progress: wait-free. Errors: none; 0 is none.
 */
DISRUPTOR_INLINE uint64_t disruptor_ready(struct disruptor_consumer *c)
{
	uint64_t end = c->next + c->batch;
	uint64_t at = c->limit;
	int leaps = c->flags & DISRUPTOR_VIEW_ORDERED;

	if (disruptor_unlikely(!(c->flags & DISRUPTOR_VIEW_FIRST)) || disruptor_unlikely(at > end))
		return disruptor_consumer_ready_slow(c);
	while (at < end) {
		DISRUPTOR_HOOK(READY);
		/*
		 * PUB.acquire, pairs with PUB.release in disruptor_stamp(). Orders the stamp
		 * before our reads of the event. If relaxed: torn events are read.
		 */
		uint64_t stamp = disruptor_load_acquire(
			(DISRUPTOR_ATOMIC(uint64_t) *)(void *)disruptor_consumer_slot(c, at));

		/*
		 * The difference, not equality: told that they are equal, a compiler may take the
		 * stamp for the position, and so chain each load to the last (ADR 0006).
		 */
		if (stamp - at != 1) {
			if (disruptor_unlikely(stamp == ((at + 1) | DISRUPTOR_VOID)) &&
			    at == c->next)
				return disruptor_consumer_ready_slow(c);
			break;
		}
		at++;
		if (leaps != 0) {
			at = disruptor_leap(c, at, end, 256);
			at = disruptor_leap(c, at, end, 32);
			at = disruptor_leap(c, at, end, 4);
			leaps = 0;
		}
	}
	c->limit = at;
	c->read = at;
	return at - c->next;
}

/**
 * disruptor_ready(), but waits, by the view's wait strategy, until something is.
 *
 * Returns how many events are ready (> 0), or DISRUPTOR_E_TIMEOUT (the deadline or the strategy's
 * own), E_CLOSED (the ring is closed and this consumer has released all), E_FAILED (a stage has
 * failed: the detail names it, the hook, the code and the position), E_INTERRUPTED, or what a
 * custom strategy returned.
 *
 * Threads: the view's. Progress: the strategy's.
 */
DISRUPTOR_API int64_t disruptor_ready_until(struct disruptor_consumer *c, uint64_t deadline);

/**
 * Release the first @p n events that were ready: dependants may read them, and
 * if this is the slowest consumer, producers may claim their slots.
 *
 * Threads:  the view's. Progress: wait-free; a system call only if someone sleeps on it.
 * Errors:   DISRUPTOR_E_INVAL if fewer were handed out by ready() or poll(); nothing is released.
 */
DISRUPTOR_INLINE int disruptor_release(struct disruptor_consumer *c, uint64_t n)
{
	uint64_t next = c->next + n;

	if (disruptor_unlikely(n > c->read - c->next))
		return DISRUPTOR_E_INVAL;
	if (disruptor_unlikely(c->flags & DISRUPTOR_VIEW_HEAVY) || DISRUPTOR_ASAN)
		return disruptor_consumer_release_slow(c, n);
	/* their lines, for the producer to take alone; a round trip of single events gains nothing by it */
	if (n > 1)
		disruptor_consumer_do_unshare(c, next);
	c->next = next;
	DISRUPTOR_HOOK(RELEASE);
	/*
	 * STAGE.release, FREE.release; pair with STAGE.acquire in consumer_available() and
	 * FREE.acquire in gate_slowest(). Orders our reads and writes of the events before a
	 * dependant's, and before a producer's next lap. If relaxed: either may overtake us.
	 */
	disruptor_store_release(&c->gate->sequence, next);
	DISRUPTOR_HOOK(RELEASED);
	/* WAKE.progress, pairs with WAKE.announce in edge_arm(); see disruptor_published() */
	disruptor_fence_compiler();
	/* WAKE.progress, relaxed, both: a stale 0 is impossible; nothing is read through them */
	if (disruptor_unlikely(disruptor_load_relaxed(&c->gate->wake) - 1 < next) ||
	    disruptor_unlikely(disruptor_load_relaxed(&c->shared->wake_producers) - 1 < next))
		disruptor_consumer_wake(c);
	return 0;
}

/**
 * Release everything before @p position, handed out or not: for a consumer that is a sequence of
 * the caller's own and holds the ring by it, without reading events, or by something done with them
 * elsewhere.
 *
 * Threads: the view's. Progress: as disruptor_release().
 * Errors:  DISRUPTOR_E_RANGE if it lies before what is released, or behind what is available to
 *          this consumer; nothing is released.
 */
DISRUPTOR_API int disruptor_release_to(struct disruptor_consumer *c, uint64_t position);

/**
 * The ready events as spans: the contiguous run of slots from the first not released.
 *
 * Fills @p span with as many of the ready events as lie before the end of the ring's memory, and
 * returns how many; release them and ask again for the rest. In a packed ring they lie side by
 * side; in a stamped one @p span->stride apart.
 *
 * Threads: the view's. Progress: wait-free.
 */
DISRUPTOR_API uint64_t disruptor_ready_span(struct disruptor_consumer *c,
					    struct disruptor_span *span);

/**
 * Hand out up to @p limit events that were not handed out before, for a caller
 * with a loop of its own. What is handed out stays unreleased, so a caller may
 * poll on while earlier events are still in use, up to the ring's capacity.
 *
 * Fills @p span (contiguous: it may be shorter than what is available) and returns its count; 0 if
 * nothing new is there. Release in order with disruptor_release(), which refuses more than was
 * handed out. A void is passed only once everything before it has been released. Do not mix with
 * disruptor_ready() while polled events are unreleased: ready() starts at the first of them. The
 * other way, what ready(), a wait or a span has named counts as handed out: release it all, until
 * disruptor_ready_span() has none, before the next poll, which begins behind it.
 *
 * Threads: the view's. Progress: wait-free. Errors: none.
 */
DISRUPTOR_API uint64_t disruptor_consumer_poll(struct disruptor_consumer *c, uint64_t limit,
					       struct disruptor_span *span);

/**
 * Move the first ready event out: copy it to @p event, give its slot a fresh
 * value (zeroes, then the ring's init), and release it. What was moved out
 * belongs to the caller; the ring's fini meets the fresh value. So each value
 * is finished exactly once.
 *
 * Returns 1, or 0 if no event is ready.
 *
 * Threads: the view's. Progress: wait-free but for init.
 * Errors:  DISRUPTOR_E_STATE if the view was not opened with `take`.
 */
DISRUPTOR_API int disruptor_take(struct disruptor_consumer *c, void *event);

/**
 * Tell that the calling thread uses the view from now on, and will release what it has handed out.
 * The thread that used it must be done with it.
 *
 * A thread that was handed events by disruptor_ready_until(), disruptor_ready_span() or
 * disruptor_consumer_poll(), and has not released them, is refused a claim on the same ring that
 * would wait for their release (DISRUPTOR_E_DEADLK): nobody else could release them. So who lets
 * another thread release them hands the view over before it claims. What disruptor_ready() alone
 * has handed out leaves no trace: such a wait is not noticed.
 *
 * Threads: the new user. Errors: DISRUPTOR_E_INVAL if the view is not open.
 */
DISRUPTOR_API int disruptor_consumer_handoff(struct disruptor_consumer *c);

/**
 * Make the current wait of this view, or its next one, return DISRUPTOR_E_INTERRUPTED. Once.
 *
 * Threads: any, while the view is open. Progress: one barrier (see enum disruptor_rung); a system
 * call if the view sleeps.
 */
DISRUPTOR_API void disruptor_consumer_interrupt(struct disruptor_consumer *c);

/**
 * A file descriptor that becomes readable when this consumer, having gone idle, can go on: for
 * poll(2), epoll(7) and the event loops built on them. Wait for readability only; it belongs to the
 * view, which closes it.
 *
 * It is armed by disruptor_consumer_arm(), and only then do publishers write to it, once: a ring
 * that is busy makes no system calls. The loop is
 *
 *	for (;;) {
 *		while ((n = disruptor_consumer_arm(&c)) > 0)
 *			… handle and release n events …
 *		if (n < 0)
 *			break;
 *		epoll_wait(…);
 *	}
 *
 * Returns the descriptor (>= 0).
 *
 * Threads: the view's. Errors: DISRUPTOR_E_SYSTEM if there is no descriptor left, or no thread that a
 * ring which processes share needs for it, E_NOMEM, E_INVAL.
 */
DISRUPTOR_API int disruptor_consumer_fd(struct disruptor_consumer *c);

/**
 * Tell how many events are ready; if none is, arm the descriptor: it becomes readable once one is,
 * the ring ends, or the view is interrupted. It may also become readable for nothing.
 *
 * Returns how many are ready (> 0; the descriptor is then not armed), 0 if it is armed, or as
 * disruptor_ready_until() DISRUPTOR_E_CLOSED, E_FAILED, E_INTERRUPTED.
 *
 * Threads: the view's. Progress: system calls only if nothing is ready.
 * Errors:  DISRUPTOR_E_STATE without a disruptor_consumer_fd() before, E_INVAL.
 */
DISRUPTOR_API int64_t disruptor_consumer_arm(struct disruptor_consumer *c);

/**
 * Wait, by the first one's wait strategy, until one of @p count consumers can go on, of one ring
 * or of several: events are ready, or disruptor_ready_until() on it would return a code at once.
 *
 * Returns its index (>= 0), the lowest if there are several; DISRUPTOR_E_TIMEOUT, or what a custom
 * strategy returned.
 *
 * Threads: that of all the views. Progress: the strategy's.
 * Errors:  DISRUPTOR_E_INVAL (count is not in 1 … DISRUPTOR_MAX_CONSUMERS, or one is not open),
 *          E_NOMEM, E_SYSTEM as disruptor_consumer_fd().
 */
DISRUPTOR_API int64_t disruptor_wait_any(struct disruptor_consumer *const *consumers, size_t count,
					 uint64_t deadline);

/** Whether the ring is closed and this consumer has released everything. Threads: the view's. */
DISRUPTOR_API int disruptor_consumer_finished(const struct disruptor_consumer *c);

#ifdef __cplusplus
}
#endif
#endif
