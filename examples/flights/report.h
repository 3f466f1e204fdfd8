/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_REPORT_H
#define FLIGHTS_REPORT_H

/*
 * The report stage: runs after journal and statistics have both done an
 * event. It checks that this is so and that no event is lost or out of order,
 * takes the time that a paced event has been under way, and prints the answer.
 */

#include "failure.h"
#include "histogram.h"
#include "stage.h"
#include "statistics.h"

#include <stdio.h>

struct report {
	struct mark mark; /* what it has done: for the progress bar */
	struct failure *failure;
	struct mark *before[2]; /* of journal and statistics */
	uint64_t next;          /* number of the event that is due */
	struct histogram latency;
};

void report_begin(struct report *report);

/* The stage's on_event. */
int report_event(void *self, void *event, uint64_t position, int last);

void report_print(FILE *out, const struct answer *answer);
void report_print_json(FILE *out, const struct answer *answer);

#endif
