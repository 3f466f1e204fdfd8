/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_STRESS_H
#define SUPPORT_STRESS_H

/* What the stress programs share: how much to do, and noticing that nothing happens any more. */

#include "probe.h"

/* So many events, or as many as fit into some milliseconds, whichever is less. */
struct budget {
	uint64_t left;
	uint64_t deadline;
	uint32_t until_clock; /* the clock is read now and then only */
};

/*
 * Of both, DISRUPTOR_STRESS_PERCENT: less where an emulator runs it, more for `make litmus`.
 * Sanitizers get a tenth of the events.
 */
struct budget budget_of(uint64_t events, unsigned ms);
/* Take one of it; false once it is used up. */
bool budget_take(struct budget *b);

/* What threads count up while they get on. */
struct progress {
	DISRUPTOR_ATOMIC(uint64_t) count;
};

void progress_made(struct progress *p);
/*
 * Join the threads. If @p p does not move for 2 s (longer under a sanitizer), say so and end the
 * program with a failure: a wake-up was lost.
 */
void join_with_progress(struct runner *threads, size_t n, struct progress *p);

/* A number of [from, to] at random. */
uint64_t random_in(uint64_t *state, uint64_t from, uint64_t to);
/* Pass some time at random, mostly none, sometimes a short sleep. */
void random_pause(uint64_t *state);

/* Open a producer that blocks by @p wait; a consumer likewise. Both fail the program if refused. */
void open_producer(struct tick_producer *p, struct disruptor_ring *ring,
		   struct disruptor_wait wait);
void open_consumer(struct tick_consumer *c, struct disruptor_ring *ring,
		   struct disruptor_wait wait);

/* A stage that checks that positions come without a gap, each with its value. */
struct checker {
	struct disruptor_handler handler;
	struct disruptor_stage *stage;
	uint64_t next;  /* position */
	uint64_t wrong; /* values, gaps, repetitions */
	uint64_t starts, stops;
	struct progress *progress; /* may be NULL */
};

void checker_init(struct checker *c, const char *name, struct progress *progress);
void checker_add(struct checker *c, struct disruptor *d);

#endif
