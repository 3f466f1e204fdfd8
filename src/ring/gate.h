/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_GATE_H
#define RING_GATE_H

#include "ring/ring.h"

/*
 * The slowest attached consumer's position, or @p cap if all are further or
 * there are none; *@p attached tells how many there are.
 */
uint64_t gate_slowest(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached);

/*
 * How far a producer may claim, given that positions below @p claimed are: to *@p limit. The scan
 * is repeated if a consumer attached meanwhile.
 */
void gate_limit(const struct disruptor_ring *r, uint64_t claimed, atomic_word *limit,
		uint32_t *attached);

/* The slowest of the gates in @p set, a bit each. */
uint64_t gate_slowest_of(const struct disruptor_ring *r, uint64_t set);

/* A gate of @p set that has not released @p count positions, or -1. */
int gate_behind(const struct disruptor_ring *r, uint64_t set, uint64_t count);

/* The gates that stand before gate @p index, transitively. */
uint64_t gate_ancestors(const struct disruptor_ring *r, uint32_t index);

/* Gates of which gate @p index is an upstream. */
uint64_t gate_dependants(const struct disruptor_ring *r, uint32_t index);

/* The gates that are called so. Lock held. */
uint64_t gate_named(const struct disruptor_ring *r, const char *name);

/* Where a consumer is to begin. */
struct gate_place {
	enum disruptor_at at;
	uint64_t position; /* of DISRUPTOR_AT_POSITION */
};

/* E_FORMAT: @p position, which was read in the ring, is none; positions stay below 2^62. */
int gate_check(uint64_t position);
/*
 * Make gate @p index stand at @p place, which is told in *@p start; E_RANGE with its detail if
 * that cannot be had, and the gate is then vacant. Lock held.
 */
int gate_attach(struct disruptor_ring *r, uint32_t index, const struct gate_place *place,
		uint64_t *start);

/*
 * Before gate @p index becomes vacant: whoever comes after it comes after those before it. Lock
 * held.
 */
void gate_hand_over(struct disruptor_ring *r, uint32_t index);

/* Make it stand nowhere, and wake who waited for it. Lock held. */
void gate_detach(struct disruptor_ring *r, uint32_t index);

#endif
