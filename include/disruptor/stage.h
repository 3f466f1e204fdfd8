/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_STAGE_H
#define DISRUPTOR_STAGE_H

/**
 * @file disruptor/stage.h
 * A stage: a consumer with the user's callbacks, and the thread that drives it.
 */

#include <disruptor/error.h>
#include <disruptor/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_stage;

/** What a handler answers; a negative answer is a failure, with that code. */
enum disruptor_verdict {
	DISRUPTOR_CONTINUE = 0, /**< go on; the event is released with its batch */
	DISRUPTOR_RELEASE = 1,  /**< go on, and release up to and with this event now */
	DISRUPTOR_STOP = 2      /**< release up to and with this event and end this stage's run */
};

/** Scheduling policy of a stage's thread. */
enum disruptor_scheduling {
	DISRUPTOR_SCHEDULE_INHERIT = 0, /**< as the thread that starts it */
	DISRUPTOR_SCHEDULE_OTHER = 1,
	DISRUPTOR_SCHEDULE_FIFO = 2, /**< needs the privilege, and `priority` */
	DISRUPTOR_SCHEDULE_ROUND_ROBIN = 3
};

/**
 * A stage's callbacks and how its thread is to be. All run on the stage's
 * thread, one at a time; `context` is handed to each. A negative answer of any
 * but on_stop fails the ring: every stage ends once it has handled what was ready,
 * every producer returns DISRUPTOR_E_FAILED, and disruptor_failure() names the stage and the position.
 */
struct disruptor_handler {
	size_t size;      /**< sizeof(struct disruptor_handler) */
	const char *name; /**< of the stage and its thread; copied; at most 31 bytes */
	void *context;

	/** A run begins. Paired with on_stop, whatever happens in between. May be NULL. */
	int (*on_start)(void *context);
	/** A batch begins: @p size events (> 0) of the @p depth (>= size) that wait. May be NULL. */
	int (*on_batch)(void *context, uint64_t size, uint64_t depth);
	/** One event; @p last of its batch or not. Answers an enum disruptor_verdict. */
	int (*on_event)(void *context, void *event, uint64_t position, int last);
	/** The wait strategy's timeout passed without an event; repeats while idle. May be NULL. */
	int (*on_idle)(void *context);
	/** The run ends. May be NULL. */
	void (*on_stop)(void *context);

	struct disruptor_wait wait; /**< default: the ring's */
	uint32_t batch; /**< most events of a batch; 0 is a quarter of the ring, at most 1024 */
	enum disruptor_scheduling scheduling;
	int priority;      /**< of FIFO and ROUND_ROBIN */
	uint32_t reserved; /**< zero */
	const char *cpus;  /**< the CPUs its thread may run on, as "2" or "0-3,8"; NULL: any */
	size_t stack_size; /**< of its thread; 0 is the system's default */
	/**
	 * The fields of the event that its callbacks read, and those that they write, by their
	 * names in the schema: "price, quantity"; "*" is the whole event, padding included; "" is
	 * nothing. Copied. If one is NULL it is "". If both are, the handler is undeclared: it
	 * counts as writing everything. disruptor_start() refuses stages without an order that
	 * touch the same bytes, unless both only read them.
	 */
	const char *reads;
	const char *writes;
};

/**
 * Run a stage in the calling thread until it is stopped, the ring is closed
 * and drained, or fails. For callers who bring their own threads; use
 * disruptor_start() otherwise.
 *
 * Returns 0, or what ended the run: DISRUPTOR_E_FAILED, or a negative answer of its own handler.
 *
 * Threads: any, one at a time for a stage. Errors: DISRUPTOR_E_BUSY if it already runs.
 */
DISRUPTOR_API int disruptor_stage_run(struct disruptor_stage *stage);

/**
 * Ask a stage's current run to end after the event in hand; if it has none,
 * its next run ends at once (on_start and on_stop are called). Does not wait.
 *
 * Threads: any, also the stage's own.
 */
DISRUPTOR_API void disruptor_stage_stop(struct disruptor_stage *stage);

/** First position this stage has not released. Threads: any. */
DISRUPTOR_API uint64_t disruptor_stage_position(const struct disruptor_stage *stage);

/** The stage's name. Threads: any. */
DISRUPTOR_API const char *disruptor_stage_name(const struct disruptor_stage *stage);

/** Whether a run of this stage is in progress. Threads: any. */
DISRUPTOR_API int disruptor_stage_running(const struct disruptor_stage *stage);

#ifdef __cplusplus
}
#endif
#endif
