/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_CONSUMER_H
#define RING_CONSUMER_H

/* What stages ask of a consumer beyond the public view. */

#include "ring/ring.h"

/* Part of what is available, voids included: positions [next, end). */
struct consumer_window {
	uint64_t end;
	uint64_t events; /* not void */
	uint64_t last;   /* the last event's position */
	bool voids;      /* some are void: look before handing one out */
};

/* After ready() found events: all that is available behind voids, too, within the batch limit. */
void consumer_window(struct disruptor_consumer *c, struct consumer_window *w);
bool consumer_is_void(const struct disruptor_consumer *c, uint64_t position);
/* First position of [from, end) that is not available, voids included. */
uint64_t consumer_available(struct disruptor_consumer *c, uint64_t from, uint64_t end);
/* Let it look again, whatever edge it sleeps on. Any thread. */
void consumer_wake_up(const struct disruptor_consumer *c);
void consumer_wake_gate(struct disruptor_ring *r, uint32_t index);
/* Release everything before @p position. */
void consumer_release_to(struct disruptor_consumer *c, uint64_t position);
/* Positions that wait for this consumer beyond those released: an estimate, at least @p least. */
uint64_t consumer_depth(const struct disruptor_consumer *c, uint64_t least);
/* Whether more than @p depth may wait for it: one look, where finding how many takes many. */
bool consumer_may_be_deeper(const struct disruptor_consumer *c, uint64_t depth);
/* Positions that wait for the consumer of gate @p index, which stands at @p position. */
uint64_t consumer_lag(const struct disruptor_ring *r, uint32_t index, uint64_t position);
/* Whether it was interrupted, and forget it. */
bool consumer_take_alert(struct disruptor_consumer *c);
struct wait_need;
/*
 * Look whether @p c can go on: how many events are ready, or E_INTERRUPTED (consumer_take_alert()
 * forgets it), E_CLOSED, E_FAILED; 0 if not, and @p need tells what to sleep on.
 */
int64_t consumer_look(struct disruptor_consumer *c, struct wait_need *need);
/*
 * Open one for a stage, by options that are the library's own: who runs the stage tells what it holds
 * by ring_hold_push(), the view itself keeps no note. On a ring that processes share its name is its
 * alone (E_BUSY). *@p resumed: it goes on where a dead one stopped.
 */
int consumer_open_stage(struct disruptor_consumer *c, struct disruptor_ring *ring,
			const struct disruptor_consumer_options *options, bool *resumed);
/* Close one that is resumed; its place is the dead one's again. */
void consumer_put_back(struct disruptor_consumer *c);
/* Make @p c come after @p earlier; nothing may have been consumed. Codes as disruptor_after(). */
int consumer_add_upstream(struct disruptor_consumer *c, const struct disruptor_consumer *earlier);
/* Let its waits end, as if interrupted, once it has released all that is claimed. Any thread. */
void consumer_end_at_claimed(struct disruptor_consumer *c);
bool consumer_is_at_its_end(const struct disruptor_consumer *c);
/* Forget what it was asked for, an interrupt and an end: its run is over. */
void consumer_forget_requests(struct disruptor_consumer *c);
/* Detach; those that come after it come after those before it from then on. */
void consumer_detach(struct disruptor_consumer *c);

#endif
