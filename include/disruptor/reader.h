/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_READER_H
#define DISRUPTOR_READER_H

/**
 * @file disruptor/reader.h
 * The lossy reader: copies events out of a ring and never holds a producer back.
 *
 * A consumer is a gate: producers wait for the slowest. A lossy reader is none:
 * producers overwrite what it has not read, and it is told how many events it
 * missed. It is for whoever must not slow the others down: a monitor, a
 * sampler, a display, a process of a lower rank.
 *
 * Lossy readers exist on rings that were created with DISRUPTOR_LOSSY, of any
 * layout, for one producer or many. There each publish also copies the event
 * aside; what a reader gets is that copy, whole or not at all, as it was when it
 * was published: what stages change later is not in it. An event must
 * mean the same when its bytes are copied: one that owns memory does not, and a
 * consumer with `take` is refused on such a ring.
 *
 *	while ((n = disruptor_reader_next_until(&r, &tick, DISRUPTOR_FOREVER)) == 1) {
 *		if (disruptor_reader_missed_before(&r))
 *			…
 *		show(&tick);
 *	}
 *
 * A ring with lossy readers alone needs DISRUPTOR_FREE_RUN: a reader is not a
 * consumer, and a ring without one refuses claims.
 */

#include <disruptor/error.h>
#include <disruptor/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a lossy reader starts. */
enum disruptor_reader_from {
	DISRUPTOR_READER_NEWEST = 0,  /**< at the first position not yet published */
	DISRUPTOR_READER_OLDEST = 1,  /**< at the oldest that the ring still has */
	DISRUPTOR_READER_POSITION = 2 /**< at `position`, if the ring still has it */
};

/** What a reader is opened with; zero means the default. */
struct disruptor_reader_options {
	size_t size; /**< sizeof(struct disruptor_reader_options) */
	enum disruptor_reader_from from;
	uint32_t reserved;          /**< zero */
	struct disruptor_wait wait; /**< default: the ring's */
	uint64_t position;          /**< of DISRUPTOR_READER_POSITION, else zero */
};

/**
 * One thread's lossy view of a ring; fill it with disruptor_reader_open(). Do not touch its fields.
 */
struct disruptor_reader {
	struct disruptor_ring *ring;
	uint64_t next;   /* position to read next */
	uint64_t missed; /* in all */
	uint64_t before; /* of these, right before the last event read */
	uint64_t gap;    /* since the last event read */
	uint64_t voids;  /* positions passed that were given up */
	uint64_t open_mark;
	uint32_t spins; /* what the adaptive wait has learnt */
	uint32_t reserved0;
	struct disruptor_wait wait;
	uint64_t reserved[7];
};
DISRUPTOR_STATIC_ASSERT(sizeof(void *) != 8 || sizeof(struct disruptor_reader) == 192,
			"frozen by ABI 0");

/** disruptor_reader_open() with sizeof *r: refuses a caller compiled against another layout. */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_reader_open_sized(struct disruptor_reader *r, struct disruptor_ring *ring,
			    const struct disruptor_type *type,
			    const struct disruptor_reader_options *options, size_t view_size);

/**
 * Open a lossy reader, also while producers run. @p options may be NULL.
 *
 * Threads: any; the view is then used by one thread at a time.
 * Progress: takes the ring's lock. With many producers NEWEST and OLDEST look at up to a lap of
 *          stamps, with one at a few.
 * Errors:  the view is then a closed one. DISRUPTOR_E_UNSUPPORTED if the ring was not created with
 *          DISRUPTOR_LOSSY, E_TYPE, E_INVAL, E_VERSION; E_RANGE if the position is older than the
 *          oldest or newer than the newest (the detail tells both).
 */
DISRUPTOR_INLINE DISRUPTOR_NODISCARD int
disruptor_reader_open(struct disruptor_reader *r, struct disruptor_ring *ring,
		      const struct disruptor_type *type,
		      const struct disruptor_reader_options *options)
{
	return disruptor_reader_open_sized(r, ring, type, options, sizeof(*r));
}

/**
 * Close the reader. A ring cannot be destroyed while one is open.
 *
 * Threads: the one that uses the view. Errors: DISRUPTOR_E_INVAL if it is not open.
 */
DISRUPTOR_API int disruptor_reader_close(struct disruptor_reader *r);

/**
 * Copy the next event to @p event, which has room for one of the ring's type, at any alignment.
 *
 * A reader that producers have overtaken goes on a little behind the oldest event there is (by an
 * eighth of the ring), so that it is not overtaken again at once; what it passes over is missed.
 *
 * Returns 1, or 0 if nothing new is published yet; @p event then holds anything.
 *
 * Threads:  the view's.
 * Progress: lock-free: it starts again only when a producer has overwritten what it was reading.
 * Errors:   DISRUPTOR_E_CLOSED (the ring is closed and this was all), E_FAILED (a stage has, and
 *           nothing is left to read), E_INVAL (not open).
 */
DISRUPTOR_API int disruptor_reader_next(struct disruptor_reader *r, void *event);

/**
 * disruptor_reader_next(), but waits, by the view's wait strategy, until there is something. While
 * it sleeps it costs producers what a sleeping consumer does: one load a publish, and a wake-up.
 *
 * Returns 1, or a code: DISRUPTOR_E_TIMEOUT (the deadline or the strategy's own), those of next(),
 * or what a custom strategy returned.
 *
 * Threads: the view's. Progress: the strategy's.
 */
DISRUPTOR_API int disruptor_reader_next_until(struct disruptor_reader *r, void *event,
					      uint64_t deadline);

/**
 * Go to the newest published event, so that the next read returns it. What is passed over counts as
 * missed. Returns how many positions that were; 0 if at most one is left to read.
 *
 * Threads: the view's. Progress: as disruptor_reader_open(), without the lock.
 * Errors:  0 if the view is not open.
 */
DISRUPTOR_API uint64_t disruptor_reader_skip_to_newest(struct disruptor_reader *r);

/**
 * How many positions were overwritten before this reader had read them, since it was opened, as far
 * as it knows by now. A void (a claim given up) counts only if it was overwritten, too, since then
 * it cannot be told from an event: position = start + read + missed + voids.
 *
 * Threads: the view's.
 */
DISRUPTOR_INLINE uint64_t disruptor_reader_missed(const struct disruptor_reader *r)
{
	return r->missed;
}

/** How many of them lie between the last event read and the one before it. Threads: the view's. */
DISRUPTOR_INLINE uint64_t disruptor_reader_missed_before(const struct disruptor_reader *r)
{
	return r->before;
}

/** How many voids this reader has passed without missing them. Threads: the view's. */
DISRUPTOR_INLINE uint64_t disruptor_reader_voids(const struct disruptor_reader *r)
{
	return r->voids;
}

/** The position to be read next; that of the event just read is one less. Threads: the view's. */
DISRUPTOR_INLINE uint64_t disruptor_reader_position(const struct disruptor_reader *r)
{
	return r->next;
}

#ifdef __cplusplus
}
#endif
#endif
