/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_GROUP_H
#define RING_GROUP_H

/* Several consumers that one thread drives: wait until one of them can go on. */

#include "ring/consumer.h"
#include "wait/watch.h"

struct group_member {
	struct disruptor_consumer *consumer; /* NULL: it is not waited for any more */
	struct wait_watch watch;
	struct wait_need need;  /* what the last look asked to sleep on; no word: nothing */
	struct wait_need asked; /* what it has asked the other side for */
};

struct consumer_group {
	struct wait_parker parker;
	struct group_member *members;
	uint32_t count;
	uint32_t found; /* who could go on */
};

/* Make a group of @p count members, whose consumers are set; E_NOMEM with its detail set. */
int group_open(struct consumer_group *g, struct group_member *members, uint32_t count);
void group_close(struct consumer_group *g);
/* Wait for member @p index no more. */
void group_drop(struct consumer_group *g, uint32_t index);
/*
 * Wait until a member can go on: events, its end, an interrupt; @p found tells who. 1 then, or
 * E_TIMEOUT, or a custom strategy's code.
 */
int64_t group_wait(struct consumer_group *g, struct disruptor_ring *r,
		   const struct disruptor_wait *policy, uint32_t *spins, atomic_word *sleeps,
		   uint64_t deadline);
/*
 * Ask that the parker be notified once a member can go on, unless one can already: 1 then. The
 * epoch to sleep on is in *@p seen.
 */
int64_t group_arm(struct consumer_group *g, uint32_t *seen);

#endif
