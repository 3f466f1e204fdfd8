/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_DIAGNOSE_H
#define GRAPH_DIAGNOSE_H

/* A diagnosis in two steps, so that the watchdog can judge what was seen in between. */

#include "graph/graph_internal.h"

/*
 * Fill @p out but for what it comes to; @p gate receives the gate of each of out->stages. The
 * monitor is held.
 */
void diagnose_look(struct disruptor *d, struct disruptor_diagnosis *out,
		   uint32_t gate[DISRUPTOR_MAX_CONSUMERS]);
/* What it comes to. The monitor is still held. */
void diagnose_conclude(const struct disruptor *d, struct disruptor_diagnosis *out);

/* A text in a buffer that may be too short for it. */
struct report {
	char *buffer;
	size_t size;
	size_t length; /* of the whole */
};

void report_add(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_duration(struct report *r, const char *before, uint64_t ns, const char *behind);
/* The activity of @p s, as disruptor_activity_text(). */
void report_activity(struct report *r, const struct disruptor_stage_diagnosis *s);

#endif
