/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_DEFERRED_H
#define RING_DEFERRED_H

/*
 * Reading and releasing as two positions. The consumer's thread reads ahead, up
 * to `read`; another thread, which knows when something is done with, moves the
 * gate. A void needs no release: whoever comes to one, the reader or the
 * releaser, carries the gate over it.
 *
 *	reader                          releaser
 *	read = past the void            gate = up to the void
 *	fence                           fence
 *	carry the gate from where       carry the gate from where
 *	it stands up to `read`          it stands up to `read`
 *
 * Of the two one sees the other's store (DEFER.void).
 */

#include "ring/consumer.h"

/* Its own thread's question: what others ask is in the table. */
static inline bool is_deferred(const struct disruptor_consumer *c)
{
	return (c->flags & DISRUPTOR_VIEW_DEFERRED) != 0;
}

/* From now on it reads at most @p ahead positions ahead of its gate, which others move. */
void deferred_open(struct disruptor_consumer *c, uint64_t ahead);
/* It has read up to @p position. */
void deferred_read(struct disruptor_consumer *c, uint64_t position);
/* What it has read and nobody has released; 0 unless it is deferred. */
uint64_t deferred_unreleased(const struct disruptor_consumer *c);
/* How many positions it may read now. */
uint64_t deferred_room(const struct disruptor_consumer *c);
/* The same; any number unless it is deferred. */
static inline uint64_t deferred_allowance(const struct disruptor_consumer *c)
{
	return disruptor_unlikely(is_deferred(c)) ? deferred_room(c) : UINT64_MAX;
}

/* The count that its gate has to come to before it may read on, when it may not. */
uint64_t deferred_next(const struct disruptor_consumer *c);
/* Move its gate to @p position; E_INVAL with its detail if it has not read so far. Any thread. */
int deferred_release(struct disruptor_consumer *c, uint64_t position);
/* First position that it has not read, as another thread sees it. */
uint64_t deferred_position(const struct disruptor_consumer *c);

#endif
