/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_MIRROR_H
#define RING_MIRROR_H

/*
 * The mirror of a lossy ring: behind the slots, for each of them one more copy
 * of its event, which may be read while it is overwritten.
 *
 * The slots cannot serve for that. A producer fills an event in place, by plain
 * stores, while the slot's stamp still names the event of a lap before; to read
 * it then would be a data race, and equal stamps before and after would prove
 * nothing. So at publish the event is copied to the mirror, each entry a seqlock
 * whose words are all atomic:
 *
 *	producer                        reader
 *	stamp := position, writing      stamp                  (acquire)
 *	release fence                   copy the words         (relaxed, each)
 *	copy the words (relaxed, each)  acquire fence
 *	stamp := position   (release)   the stamp is still the same?
 *
 * A stamp says of which position it is even while it is written, so a reader
 * can tell "not yet" from "a lap ahead". Stamps of a slot only grow.
 */

#include "ring/ring.h"

/* What an entry has for a position. */
enum mirror_state {
	MIRROR_NOT_YET, /* not published, or being written just now */
	MIRROR_EVENT,
	MIRROR_VOIDED, /* the claim was given up */
	MIRROR_LAPPED  /* overwritten, or being overwritten, by a later lap */
};

/* Copy @p event there, as @p position's. By the position's producer, before its stamp. */
void mirror_put(const struct disruptor_ring *r, uint64_t position, const void *event);
/* Say there that @p position is void. Likewise. */
void mirror_void(const struct disruptor_ring *r, uint64_t position);
/*
 * Copy the event of @p position out. MIRROR_EVENT, or why not, and then @p event holds anything.
 * If LAPPED, *@p at is the later position; all that one producer claimed before it is there.
 */
enum mirror_state mirror_get(const struct disruptor_ring *r, uint64_t position, void *event,
			     uint64_t *at);
/* The same without copying: whether @p position was put or voided, if only long ago. */
bool mirror_has(const struct disruptor_ring *r, uint64_t position);

#endif
