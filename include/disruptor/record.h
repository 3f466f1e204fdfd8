/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_RECORD_H
#define DISRUPTOR_RECORD_H

/**
 * @file disruptor/record.h
 * Records: messages of any length, lines, packets and blobs, in a ring.
 *
 * A ring of records is one whose options name the bytes of a cell. Beside its slots it has as many
 * cells, and a record is a run of them, side by side, so that it is written and read in place, however
 * long it is. One that would reach beyond the last cell begins at the first, and those between are
 * void. Positions, capacity, lag and batches count cells. All else is as in any ring: one producer or
 * many, consumers after one another, wait strategies, closing, and processes that share it and may
 * die; views are opened with disruptor_record_type().
 *
 *	void *line = disruptor_record_claim(&p, length);
 *	memcpy(line, text, length);
 *	disruptor_record_publish(&p, length);
 *
 *	while (disruptor_record_ready_until(&c, DISRUPTOR_FOREVER) > 0) {
 *		while (disruptor_record_next(&c, &record) > 0)
 *			fwrite(record.bytes, 1, record.size, stdout);
 *		disruptor_record_release(&c);
 *	}
 *
 * The calls of producer.h and consumer.h that handle single events (disruptor_claim(),
 * disruptor_at(), …) are not for such a ring, but for disruptor_abort(), and what opens, closes,
 * asks, interrupts or waits for a view.
 */

#include <disruptor/consumer.h>
#include <disruptor/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A record that a consumer has been handed: its own until it releases it. */
struct disruptor_record {
	void *bytes;       /**< aligned to the cell, or to 4096 if that is less */
	size_t size;       /**< how many; may be 0 */
	uint64_t position; /**< of its first cell */
};

/** The type of the events of a ring of records. */
DISRUPTOR_API const struct disruptor_type *disruptor_record_type(void);

/** The longest record that the ring takes, in bytes: all its cells. 0 if it is not one of records. */
DISRUPTOR_API size_t disruptor_record_limit(const struct disruptor_ring *ring);

/**
 * Claim room for a record of up to @p bytes bytes; while the ring is full the view's overflow policy
 * holds. The room is contiguous.
 *
 * Where the end of the cells is in the way, two claims follow one another, each by the policy: a
 * timeout may then be waited for twice. One that never waits may be refused there though the ring
 * was empty, until consumers have passed the cells before the end.
 *
 * Threads: the view's. Progress: as disruptor_claim_n().
 * Errors:  NULL; disruptor_producer_status() is then one of those of disruptor_claim_n(), with
 *          DISRUPTOR_E_TOO_BIG above disruptor_record_limit(), E_STATE while a run is open, E_TYPE if
 *          the ring is not one of records. Nothing is claimed then.
 */
DISRUPTOR_API void *disruptor_record_claim(struct disruptor_producer *p, size_t bytes);

/** disruptor_record_claim(), but never waits: DISRUPTOR_E_FULL, whatever the policy. */
DISRUPTOR_API void *disruptor_record_try_claim(struct disruptor_producer *p, size_t bytes);

/** disruptor_record_claim(), but waits until @p deadline (see disruptor_in()), whatever the policy. */
DISRUPTOR_API void *disruptor_record_claim_until(struct disruptor_producer *p, size_t bytes,
						 uint64_t deadline);

/**
 * Publish the first @p bytes bytes of the room that is claimed, as one record. Cells that it does
 * not need are given back as voids. disruptor_abort() gives the whole room back.
 *
 * Threads: the view's. Progress: wait-free; a system call only if a consumer sleeps.
 * Errors:  DISRUPTOR_E_INVAL if nothing, or less than that, is claimed; nothing is published then.
 *          E_TYPE. E_OWNER (debug builds).
 */
DISRUPTOR_API int disruptor_record_publish(struct disruptor_producer *p, size_t bytes);

/** Claim, copy and publish. Returns 0, or the code that disruptor_record_claim() leaves. */
DISRUPTOR_API int disruptor_record_publish_copy(struct disruptor_producer *p, const void *from,
						size_t bytes);

/**
 * Tell how many cells of records are ready, from the first not released: at most a batch, but at
 * least one record, however long. disruptor_record_next() gives them out.
 *
 * Threads: the view's. Progress: wait-free.
 * Errors:  0 if none; DISRUPTOR_E_TYPE, E_FORMAT: as disruptor_record_next().
 */
DISRUPTOR_API int64_t disruptor_record_ready(struct disruptor_consumer *c);

/**
 * disruptor_record_ready(), but waits, by the view's wait strategy, until there is a record. What else it
 * returns is as for disruptor_ready_until().
 */
DISRUPTOR_API int64_t disruptor_record_ready_until(struct disruptor_consumer *c, uint64_t deadline);

/**
 * Hand out the next of the records that are ready: 1, or 0 if they have all been.
 *
 * Threads: the view's. Progress: wait-free.
 * Errors:  DISRUPTOR_E_FORMAT: what stands there is no record. Somebody has written to the slots who
 *          should not have; disruptor_consumer_position() tells where, and disruptor_release_to() passes it.
 */
DISRUPTOR_API int disruptor_record_next(struct disruptor_consumer *c,
					struct disruptor_record *record);

/**
 * Release what has been handed out: the records' memory is then no longer the caller's.
 *
 * Threads: the view's. Progress: as disruptor_release(). Errors: as that.
 */
DISRUPTOR_API int disruptor_record_release(struct disruptor_consumer *c);

#ifdef __cplusplus
}
#endif
#endif
