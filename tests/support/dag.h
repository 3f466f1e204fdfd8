/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_DAG_H
#define SUPPORT_DAG_H

/* Graphs at random: what comes after what, and which thread runs it. */

#include "stress.h"

#define DAG_NODES 8

struct dag_shape {
	uint32_t count;
	uint32_t before[DAG_NODES]; /* a bit for each node that it comes after, all of them earlier */
};

/* 1 … DAG_NODES nodes, with an edge from a third of all earlier ones: so there is no cycle. */
struct dag_shape dag_shape(uint64_t *seed);
/* Put the stages into that order; a code. */
int dag_connect(const struct dag_shape *shape, struct disruptor_stage *const *stages);
/* Map @p count stages to threads, on 1 … 3 of them where they are shared; a code. */
int dag_map(struct disruptor *d, struct disruptor_stage *const *stages, uint32_t count,
	    enum disruptor_mapping mapping, struct disruptor_wait wait, uint64_t *seed);

#endif
