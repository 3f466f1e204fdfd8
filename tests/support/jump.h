/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_JUMP_H
#define SUPPORT_JUMP_H

/* For tests of what happens far out: a ring that no stream has to be run through to come there. */

#include "ring/ring.h"

/* A fresh ring, as if everything before @p position had been published and released. */
static inline void ring_jump(struct disruptor_ring *ring, uint64_t position)
{
	uint64_t lap = position < ring->capacity ? position : ring->capacity;

	disruptor_store_relaxed(&ring->shared->claimed, position);
	disruptor_store_relaxed(&ring->shared->cursor, position);
	if (ring->layout == DISRUPTOR_STAMPED)
		for (uint64_t p = position - lap; p < position; p++)
			disruptor_store_relaxed(ring_stamp(ring, p), p + 1);
}

#endif
