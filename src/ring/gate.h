/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_GATE_H
#define RING_GATE_H

#include "ring/ring.h"

/*
 * The slowest attached consumer's position, or @p cap if all are further or
 * there are none; *@p attached tells how many there are.
 */
uint64_t gate_slowest(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached);

/* gate_slowest(), repeated if a consumer attached meanwhile: what a producer's limit is made from. */
uint64_t gate_limit(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached);

/* The slowest of the gates in @p set, a bit each. */
uint64_t gate_slowest_of(const struct disruptor_ring *r, uint64_t set);

/* A gate of @p set that has not released @p count positions, or -1. */
int gate_behind(const struct disruptor_ring *r, uint64_t set, uint64_t count);

/* The gates that stand before gate @p index, transitively. */
uint64_t gate_ancestors(const struct disruptor_ring *r, uint32_t index);

/* Gates of which gate @p index is an upstream. */
uint64_t gate_dependants(const struct disruptor_ring *r, uint32_t index);

/* Make gate @p index stand at the first position not published; returns it. Lock held. */
uint64_t gate_attach(struct disruptor_ring *r, uint32_t index);

/* Make it stand nowhere, and wake who waited for it. Lock held. */
void gate_detach(struct disruptor_ring *r, uint32_t index);

#endif
