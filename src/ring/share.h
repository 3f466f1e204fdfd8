/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_SHARE_H
#define RING_SHARE_H

/*
 * Consumers that share a stream, and one gate for the whole: it stands before
 * the first position that one of them has not released. Nobody reads through it;
 * dependants come after it alone. Whoever releases, settles: works out the
 * whole's place anew, and raises it.
 *
 * Where members take chunks, each position is for one of them. A member's own
 * gate is then its hand: the first position of its chunk that it has not
 * released, vacant while it has none.
 *
 *	member                               whoever settles
 *	hand = next                          m = moved, n = taken
 *	fence                                look at the hands, then at what was left
 *	taken: from hand to hand + chunk     again, if `moved` is not m
 *	                                     the whole = the least of all
 *
 * Whoever sees `taken` behind a chunk sees the hand on it (SHARE.take). What a
 * member leaves is noted before its hand opens: who sees the hand open sees the
 * note. A hand is on it and counted in `moved` before that note goes: who sees the
 * note gone sees the count, and so looks for the hand anew (SHARE.leave). And
 * whoever moves a hand settles afterwards, behind a fence: of two who do, one sees
 * both (SHARE.settle).
 *
 * Where they do not, each goes through everything, and passes over what is
 * another's; `taken` is then vacant, behind everything.
 */

#include "ring/consumer.h"

struct share_left {
	atomic_word from; /* what a member that ended had taken and not released; VACANT: nothing */
	uint64_t to;      /* under the lock */
};

struct ring_share {
	struct disruptor_gate *whole;
	uint32_t count;         /* members: fixed before they run */
	bool chunks;            /* each position is for one of them */
	struct os_monitor lock; /* of what is left */
	atomic_word left_count;
	atomic_word moved; /* how often a member has taken up what another had left */
	const struct disruptor_gate *members[DISRUPTOR_MAX_CONSUMERS];
	char apart[DISRUPTOR_APART];
	atomic_word taken; /* first position that no member has taken: the next */
	char apart_taken[DISRUPTOR_APART - 8];
	struct share_left left[DISRUPTOR_MAX_CONSUMERS];
};

/* A stream shared behind @p whole, which stands where members begin. E_NOMEM with its detail set. */
int share_open(struct ring_share *s, const struct disruptor_consumer *whole, bool chunks);
void share_close(struct ring_share *s);
/* A member, which takes at most @p at_a_time positions, if it takes chunks. Before any runs. */
void share_join(struct ring_share *s, struct disruptor_consumer *c, uint64_t at_a_time);

/* Whether it takes chunks, and so its events from the others. Its own thread's question. */
static inline bool share_takes(const struct disruptor_consumer *c)
{
	return disruptor_unlikely(c->flags & DISRUPTOR_VIEW_POOLED) &&
	       c->ring->consumer_table[c->index].share->chunks;
}

/* What it has in hand, else whether there is something to take: how many positions, at least. */
uint64_t share_look(struct disruptor_consumer *c);
/* Have something in hand, [next, limit): what is left of its chunk, or a new one. False if not. */
bool share_take(struct disruptor_consumer *c);
/* A member has released all before @p position. */
void share_release(struct disruptor_consumer *c, uint64_t position);
/* Its run is over: leave what it has taken to the others. */
void share_leave(struct disruptor_consumer *c);
/* Whether another member may yet leave it something of what is before @p end. */
bool share_is_needed(const struct disruptor_consumer *c, uint64_t end);
/* The gate of the whole; NULL if it is no member. Any thread. */
struct disruptor_gate *share_whole(const struct disruptor_consumer *c);
/* First position that is for it and not released, or the next that it might take. Any thread. */
uint64_t share_position(const struct disruptor_consumer *c);

#endif
