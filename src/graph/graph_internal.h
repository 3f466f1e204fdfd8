/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_GRAPH_INTERNAL_H
#define GRAPH_GRAPH_INTERNAL_H

#include "os/os.h"
#include "ring/consumer.h"

#include <disruptor/graph.h>
#include <disruptor/stats.h>

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

/*
 * What a stage counts, once for each batch; written by the thread that runs it and apart from
 * all else, so that readers slow down this line and no other.
 */
struct stage_figures {
	char apart_before[DISRUPTOR_APART];
	atomic_word events, batches, batch_max;
	atomic_word lag_max;
	/* os_now_coarse() as the last batch began; the lowest bit is set while it is in hand */
	atomic_word batch_at;
	uint64_t unseen; /* the owner's: what has passed since it looked how much waits */
	bool off;        /* fixed */
	char apart_behind[DISRUPTOR_APART];
};

/* What was seen when somebody last looked at the whole, for what no clock is read elsewhere. */
struct graph_seen {
	uint64_t published; /* everything before it was published */
	uint64_t since;     /* since when it has been met as the first unpublished, or 0 */
};

struct watched {
	uint64_t position;
	uint64_t since; /* it has not moved, and has had work to do; 0: neither */
	uint64_t due;   /* tell once it has lasted so long */
};

/* The watchdog; see watchdog.c. */
struct watch {
	struct disruptor_watchdog ask; /* `stalled` is NULL: there is to be none */
	struct os_thread thread;
	uint64_t thread_id; /* of its thread, while there is one */
	bool made, leaving, quit;
	struct watched claim;
	struct watched gates[DISRUPTOR_MAX_CONSUMERS];
};

struct disruptor_stage {
	struct disruptor *owner;
	struct disruptor_handler handler; /* its name and cpus point to the copies below */
	struct disruptor_consumer consumer;
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
	struct stage_figures figures;
};

struct disruptor {
	struct disruptor_ring *ring;
	struct disruptor_allocator allocator;
	size_t bytes;
	bool trusts_handlers;
	struct os_monitor monitor; /* of all that follows */
	enum disruptor_state state;
	uint32_t threads; /* made and not yet joined */
	uint32_t alive;   /* of them, those whose run has not ended */
	uint64_t starts;  /* tells one run from the next */
	struct disruptor_failure failure;
	bool counts; /* fixed: no DISRUPTOR_NO_STATS */
	struct graph_seen seen;
	struct watch watch;
	uint32_t stage_count;
	uint32_t stage_max;
	struct disruptor_stage stages[];
};

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
