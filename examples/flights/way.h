/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_WAY_H
#define FLIGHTS_WAY_H

/*
 * A way of handing events over. Each runs the same job with the same threads:
 *
 *	source ──┬── journal ─────┬── report
 *	         └── statistics ──┘
 *
 * The caller's thread asks the source for events, and each stage has a thread.
 * A way calls each stage's on_event for each event, in order, and the report's
 * only after journal and statistics are both done with that event. It copies
 * no code of theirs; the hand-over is all in which ways differ.
 */

#include "failure.h"
#include "source.h"
#include "stage.h"

#include <stddef.h>

struct job {
	struct failure failure;
	struct source source;
	struct stage journal, statistics, report;
	size_t capacity;  /* events that ring, pipe and queue each hold */
	const char *wait; /* the ring's wait strategy, by name */
};

struct way {
	const char *name;
	const char *what; /* one line: how it hands over */
	size_t batch;     /* most events that it hands over at a time, where it has the choice */
	/* Run the job to its source's end, all threads joined. What fails is in job->failure. */
	void (*run)(const struct way *way, struct job *job);
};

extern const struct way ways[];
extern const size_t way_count;

void via_disruptor(const struct way *way, struct job *job);
void via_pipe(const struct way *way, struct job *job);
void via_queue(const struct way *way, struct job *job);

#endif
