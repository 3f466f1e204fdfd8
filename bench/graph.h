/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_GRAPH_H
#define BENCH_GRAPH_H

/* Graphs of handlers, for the scenarios that stream through them: scenario_graph.c. */

#include "bench.h"

enum bench_shape {
	GRAPH_CHAIN,  /* one after another */
	GRAPH_SIDES,  /* side by side */
	GRAPH_DIAMOND /* two side by side, then one after both */
};

struct bench_graph {
	enum bench_shape shape;
	uint32_t stages;
	enum disruptor_mapping mapping;
	uint32_t threads; /* of SHARED */
	unsigned flags;   /* of the ring */
	bool spans;       /* the handlers get the events of a batch at once */
};

/**
 * A stream through the entry's graph as a sample, in millions of events a second. Of a limit, what
 * one thread does that reads for as many consumers as there are stages.
 */
void bench_graph_throughput(const struct bench_entry *entry, const struct bench_params *params,
			    struct bench_sample *sample);

#endif
