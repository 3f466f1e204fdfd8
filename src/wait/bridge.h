/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef WAIT_BRIDGE_H
#define WAIT_BRIDGE_H

/*
 * News of other processes for who sleeps on several edges, or watches a descriptor.
 *
 * Who has news in another process clears the edge that was raised, counts up its epoch and wakes who
 * sleeps on that; of watches, which are one process's own, he knows nothing. So on a ring that processes
 * share a thread of this one sleeps on the epochs of all edges that are expected, and tells the watches.
 * It is there from the first watch to the ring's end, and publishers pay for it as for any sleeper.
 */

#include "os/os.h"

#include <disruptor/base.h>

struct disruptor_ring;

struct wait_bridge {
	struct os_thread thread;
	bool made, quit;                  /* under the ring's watch lock, both */
	DISRUPTOR_ATOMIC(uint32_t) asked; /* counts what it has not gathered yet */
};

/* Have one if the ring needs it; a code with its detail set. */
int bridge_start(struct disruptor_ring *r);
/* The watches expect something else. */
void bridge_ask(struct disruptor_ring *r);
/* End it, if there is one; nobody watches. */
void bridge_stop(struct disruptor_ring *r);

#endif
