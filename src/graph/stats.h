/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_STATS_H
#define GRAPH_STATS_H

/*
 * What a stage counts of each batch: a clock and a few stores to lines of its own. The other
 * side's line is looked at seldom, see `lag_max` in disruptor/stats.h.
 */

#include "graph/graph_internal.h"
#include "wait/core.h"

/* How much passes between two looks at all that waits: events, and so many more for each batch. */
#define STATS_LOOK 1024
#define STATS_PER_BATCH 16

static inline void stats_raise(atomic_word *high, uint64_t value)
{
	/* relaxed (figure): owner-written */
	if (disruptor_load_relaxed(high) < value)
		disruptor_store_relaxed(high, value);
}

/* A batch of @p size positions begins. */
static inline void stats_begin(struct disruptor_stage *s, uint64_t size)
{
	struct stage_figures *f = &s->figures;

	if (f->off)
		return;
	/* relaxed (figure): owner-written */
	disruptor_store_relaxed(f->batch_at, os_now_coarse() | 1);
	if (f->unseen >= STATS_LOOK) {
		f->unseen = 0;
		stats_raise(&f->lag_max, size);
		/* relaxed (own) */
		if (consumer_may_be_deeper(&s->consumer, disruptor_load_relaxed(&f->lag_max)))
			stats_raise(&f->lag_max, consumer_depth(&s->consumer, size));
	} else {
		stats_raise(&f->lag_max, size);
	}
	f->unseen += size + STATS_PER_BATCH;
}

/* @p events have been released, or passed over, for good. */
static inline void stats_passed(struct disruptor_stage *s, uint64_t events)
{
	struct stage_figures *f = &s->figures;

	if (f->off)
		return;
	/* relaxed (figure): owner-written */
	disruptor_store_relaxed(&f->events, disruptor_load_relaxed(&f->events) + events);
}

/*
 * The batch that began at position @p begin is over, with @p voids met on the way. What was
 * released counts: all of it, the part before a stop or a failure, or of a rewound one nothing.
 */
static inline void stats_end(struct disruptor_stage *s, uint64_t begin, uint64_t voids)
{
	struct stage_figures *f = &s->figures;
	uint64_t released = s->consumer.next - begin;

	if (f->off)
		return;
	if (disruptor_likely(released > voids)) {
		stats_passed(s, released - voids);
		tally(&f->batches);
		stats_raise(&f->batch_max, released - voids);
	}
	/* relaxed (figure): owner-written */
	disruptor_store_relaxed(f->batch_at, disruptor_load_relaxed(f->batch_at) & ~UINT64_C(1));
}

/* Copy @p known to a structure of the caller that begins with its size, as far as that goes. */
int stats_give(const char *what, void *out, size_t out_size, const void *known, size_t known_size);

#endif
