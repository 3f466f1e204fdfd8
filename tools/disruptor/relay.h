/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_RELAY_H
#define DISRUPTOR_RELAY_H

/*
 * A thread that takes records or events out of a shared ring as fast as they come into a ring of
 * this process, as records, and drops what does not fit there: so who is slow holds nobody else up.
 */

#include <disruptor/record.h>

#include <pthread.h>
#include <stdbool.h>

struct relay {
	struct disruptor_consumer *from; /* the thread's, until it has ended */
	bool positions;                  /* each record begins with the position of what it is of */
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c; /* what is read instead */
	pthread_t thread;
	DISRUPTOR_ATOMIC(uint64_t) dropped;
	DISRUPTOR_ATOMIC(int) stops;
	int64_t ended; /* why: what waiting answered; once it has ended */
};

/* As large as the other, and at least 64 KiB. A code, with its detail. */
int relay_start(struct relay *r, struct disruptor_consumer *from, bool positions);
/* End the thread, if the shared ring has not. What it has taken may still be read before. */
void relay_stop(struct relay *r);

#endif
