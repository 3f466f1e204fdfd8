/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_GRAPH_INTERNAL_H
#define GRAPH_GRAPH_INTERNAL_H

#include "os/os.h"
#include "ring/consumer.h"

#include <disruptor/graph.h>

/* Fields of the event, a bit each in the order of the schema; or all of it. */
struct access_set {
	bool all;
	uint64_t *fields;
};

#define STAGE_NOWHERE UINT64_MAX

/* How often the same thing has failed in a row. */
struct stage_attempts {
	const char *hook;  /* which … */
	uint64_t position; /* … and where: the event, or of rewinds the batch's first */
	uint64_t count;
	bool of_batch;    /* the last one concerned the batch, not the event alone */
	uint64_t give_up; /* the event to skip once those before it are done, or STAGE_NOWHERE */
};

struct disruptor_stage {
	struct disruptor *owner;
	struct disruptor_handler handler; /* its name and cpus point to the copies below */
	struct disruptor_consumer consumer;
	/* the handler's, or what a checked run puts in its place; fixed during a run */
	int (*on_event)(void *context, void *event, uint64_t position, int last);
	void *event_context;
	struct stage_check *check; /* of a checked run */
	bool in_conflict;          /* what on_event has just answered is a checked run's answer */
	DISRUPTOR_ATOMIC(uint32_t) running; /* a run is in progress */
	/* of the thread that runs it; others read the counters */
	atomic_word skipped, retries, rewinds;
	struct stage_attempts attempts;
	/* the rest under the owner's monitor */
	struct os_thread thread;
	uint64_t thread_id; /* of the thread that start() made, while it lives */
	bool reported;      /* its on_start is done, or has failed */
	struct disruptor_policy policy;
	char name[32];
	char cpus[64];
	struct access_set reads, writes; /* fixed once added */
	bool declared;                   /* neither is a guess */
};

struct disruptor {
	struct disruptor_ring *ring;
	struct disruptor_allocator allocator;
	size_t bytes;
	bool trusts_handlers;
	struct graph_checks *checks; /* NULL: none were set */
	struct checked_run *checked; /* NULL: runs are ordinary ones */
	struct os_monitor monitor;   /* of all that follows */
	enum disruptor_state state;
	uint32_t threads; /* made and not yet joined */
	uint32_t alive;   /* of them, those whose run has not ended */
	uint64_t starts;  /* tells one run from the next */
	struct disruptor_failure failure;
	uint32_t stage_count;
	uint32_t stage_max;
	struct disruptor_stage stages[];
};

/* The disruptor's allocator, or malloc(3); zeroed. */
void *graph_allocate(const struct disruptor_allocator *a, size_t bytes);
void graph_release(const struct disruptor_allocator *a, void *memory, size_t bytes);
/* Take note of a failure, the first one, and make everyone return. */
void graph_fail(struct disruptor *d, const struct disruptor_failure *failure);
/* A thread's stage has done its on_start (or could not). */
void graph_report(struct disruptor_stage *s);
/*
 * What is to be done about @p failure, by the policy of @p s: FAIL, SKIP, RETRY or REWIND. A
 * failure of code 0 is a verdict that asks for @p wanted. Counts the attempt, and pauses if there
 * is to be another. @p batch is the first position of the batch in hand, STAGE_NOWHERE if a hook
 * failed. A REWIND with attempts.give_up set is the last: it is to end before that event.
 */
enum disruptor_remedy policy_remedy(struct disruptor_stage *s,
				    const struct disruptor_failure *failure,
				    enum disruptor_remedy wanted, uint64_t batch);
/* What a stage's thread runs. */
void *stage_thread(void *stage);

#endif
