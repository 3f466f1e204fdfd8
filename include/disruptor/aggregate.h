/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_AGGREGATE_H
#define DISRUPTOR_AGGREGATE_H

/**
 * @file disruptor/aggregate.h
 * Several handlers as one stage: each event goes through all of them in turn, in
 * one thread, while it is in the cache. LMAX calls it AggregateEventHandler.
 */

#include <disruptor/stage.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The members; must outlive the stage, and be one stage's. Zeroed but for the first two fields.
 * Of each member the callbacks (with on_event, not on_span) and the context count, the rest is the
 * stage's.
 */
struct disruptor_aggregate {
	const struct disruptor_handler *members;
	size_t count;
	size_t started;    /**< the library's: members whose on_start was called */
	void *reserved[4]; /**< zero */
};

/**
 * A handler that calls every member's callback where its own is called, in their order, with the
 * member's context; in it, wait strategy, batch, CPUs and declared fields may be set as in any.
 *
 * Every hook reaches every member, also behind one that failed; on_stop, each whose on_start was
 * called, in reverse order. The stage's answer is the first failure, or of the verdicts the one
 * that comes last in CONTINUE, SKIP, RELEASE, RETRY, REWIND, STOP. What is handed out again goes
 * to every member again.
 *
 * Threads: any.
 * Errors:  on_event is NULL, with a detail, if a member has no on_event, has on_span, or there is
 *          none; disruptor_stage() then refuses the handler.
 */
DISRUPTOR_API struct disruptor_handler disruptor_aggregate_handler(const char *name,
								   struct disruptor_aggregate *a);

#ifdef __cplusplus
}
#endif
#endif
