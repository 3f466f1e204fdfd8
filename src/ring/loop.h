/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_LOOP_H
#define RING_LOOP_H

/* A consumer that an event loop watches, by a descriptor: see disruptor_consumer_fd(). */

#include "ring/group.h"

struct consumer_loop {
	bool open;
	struct consumer_group group; /* of the one consumer; its parker has the event */
	struct group_member member;
	uint32_t cleared; /* the parker's epoch when the descriptor was last cleared */
};

/* Close the descriptor if there is one. */
void loop_close(struct disruptor_ring *r, uint32_t index);

#endif
