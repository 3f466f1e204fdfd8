/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H

/*
 * A stage that follows a script and keeps a record of how it was called.
 *
 * The atomics may be read at any time, the rest of the record once the run has
 * ended. A probe takes ticks whose value is their position, as publish_ticks()
 * makes them, and counts those that are not.
 */

#include "fixture.h"

#define PROBE_NEVER UINT64_MAX
#define PROBE_RECORD 512

struct probe {
	struct disruptor_handler handler; /* may be changed before probe_add() */
	struct disruptor_stage *stage;

	/* the script */
	uint64_t verdict_at; /* answer `verdict` at this position, once */
	int verdict;
	int start_answer, batch_answer, idle_answer, stop_answer;
	DISRUPTOR_ATOMIC(uint64_t) hold_at; /* stay in the handler of this position */
	void (*act)(void *context);         /* called in each on_event, if not NULL */
	void *act_context;

	/* the record */
	DISRUPTOR_ATOMIC(uint64_t) events;
	DISRUPTOR_ATOMIC(uint64_t) idles;
	DISRUPTOR_ATOMIC(uint64_t) starts;
	DISRUPTOR_ATOMIC(uint64_t) stops;
	DISRUPTOR_ATOMIC(uint64_t) holding; /* it stays in a handler now */
	uint64_t wrong;                     /* events whose value was not their position */
	uint64_t position[PROBE_RECORD];    /* of each event, as far as there is place */
	unsigned char last[PROBE_RECORD];
	uint64_t batches;
	uint64_t size[PROBE_RECORD]; /* what on_batch was told */
	uint64_t depth[PROBE_RECORD];
	char calls[PROBE_RECORD]; /* s(tart) b(atch) e(vent) i(dle) x, a letter each, in order */
	size_t call_count;
	uint64_t cpu_ns; /* of the thread, when on_stop was called */
};

/* A probe with every hook; it goes on at every event. */
void probe_init(struct probe *p, const char *name);
/* Make it a stage of @p d; fails the test if it is refused. */
void probe_add(struct probe *p, struct disruptor *d);
/* Forget the record, keep the script and the stage. */
void probe_forget(struct probe *p);

/* Wait until it stays in the handler of `hold_at`, and let it go on. */
void probe_await_hold(struct probe *p);
void probe_let_go(struct probe *p);
/* Wait until it has been handed @p events since the record began. */
void probe_await(struct probe *p, uint64_t events);
/* Wait until on_start (on_stop) has been called @p times. */
void probe_await_starts(struct probe *p, uint64_t times);
void probe_await_stops(struct probe *p, uint64_t times);

/* The record says: exactly the positions [from, to), in order, each with its own value. */
void probe_expect(const struct probe *p, uint64_t from, uint64_t to);

/* ---- the disruptors they are stages of ---- */

/* A disruptor of ticks on the rung under test; fails the test with the library's detail. */
struct disruptor *graph_open(const struct disruptor_options *options);
/* Map its stages to threads; it was opened with one for each. */
void graph_map(struct disruptor *d, enum disruptor_mapping mapping, uint32_t threads);
/* Stop it now if it runs, and destroy it. */
void graph_close(struct disruptor **d);
void graph_start(struct disruptor *d);
/* Stop it after the last event; fails the test if it does not end. */
void graph_drain(struct disruptor *d);

/* Start it, and stop it after a stage's failure, which may come before the start returns. */
void graph_run_to_failure(struct disruptor *d);

/* A producer that publishes ticks and waits, rather than fail, while the ring is full. */
void probe_producer(struct tick_producer *p, struct disruptor *d);
void probe_publish(struct tick_producer *p, uint64_t n);

/* The deadline in so many milliseconds. */
uint64_t in_ms(unsigned ms);

#endif
