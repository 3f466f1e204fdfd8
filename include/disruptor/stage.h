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
struct disruptor_span;
struct disruptor_consumer;

/**
 * What a handler answers; a negative answer is a failure, with that code, and
 * what is done about it is the stage's policy.
 */
enum disruptor_verdict {
	DISRUPTOR_CONTINUE = 0, /**< go on; the event is released with its batch */
	DISRUPTOR_RELEASE = 1,  /**< go on, and release up to and with this event now */
	DISRUPTOR_STOP = 2,     /**< release up to and with this event and end this stage's run */
	DISRUPTOR_RETRY = 3,    /**< hand out this event again */
	/**
	 * Hand out the batch again, from its first event; nothing of it has been released, so no
	 * other stage has seen it. Not after a RELEASE in the same batch: that fails the ring, with
	 * DISRUPTOR_E_INVAL.
	 */
	DISRUPTOR_REWIND = 4,
	DISRUPTOR_SKIP = 5 /**< as CONTINUE, and counted: this stage does not want it */
};

/** What to do about a failure. */
enum disruptor_remedy {
	DISRUPTOR_REMEDY_FAIL = 0,   /**< stop the ring: it is FAILED, producers are told */
	DISRUPTOR_REMEDY_SKIP = 1,   /**< go on behind the event, as if it had been handled */
	DISRUPTOR_REMEDY_RETRY = 2,  /**< hand out the event again; of a hook: call it again */
	DISRUPTOR_REMEDY_REWIND = 3, /**< hand out the batch again; of a hook: call it again */
	DISRUPTOR_REMEDY_ASK = 4     /**< whatever `ask` answers, one of the others */
};

/** A stage's failure policy. A zeroed one (but for its size) fails the ring. */
struct disruptor_policy {
	size_t size; /**< sizeof(struct disruptor_policy) */
	enum disruptor_remedy remedy;
	/**
	 * RETRY: so many attempts more at the same event, REWIND: at the same batch; then `then`. It
	 * bounds the verdicts RETRY and REWIND alike; under other remedies they are not bounded.
	 */
	uint32_t times;
	/**
	 * FAIL, or SKIP. After rewinds SKIP hands out the events before the failing one once more,
	 * as a batch of their own, and goes on behind it; FAIL fails the batch: nothing of it is
	 * released.
	 */
	enum disruptor_remedy then;
	uint32_t reserved; /**< zero */
	uint64_t pause_ns; /**< between two attempts; a stop does not wait for it */
	/**
	 * Called in the stage's thread with what failed and how many attempts have failed in a row,
	 * from 1; unless the answer is FAIL, SKIP, RETRY or REWIND, the ring fails.
	 */
	enum disruptor_remedy (*ask)(void *context, const struct disruptor_failure *failure,
				     uint64_t attempt);
	void *context; /**< of ask */
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
 * is a failure, for which the stage's policy has a remedy. Unless one was set with
 * disruptor_stage_set_policy(), the ring fails: every stage ends once it has handled what was
 * ready, every producer returns DISRUPTOR_E_FAILED, and disruptor_failure() names the stage, the
 * hook and the position.
 *
 * They run with cancellation off, also in a thread of the caller's (disruptor_stage_run(),
 * disruptor_poll()), and end by their return: one that is left otherwise leaves a stage that runs
 * for ever. Nothing ends one that does not return: see disruptor_stop() and disruptor_set_watchdog().
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
	int (*on_stop)(void *context);

	struct disruptor_wait wait; /**< default: the ring's */
	uint32_t batch; /**< most events of a batch; 0 is a quarter of the ring, at most 1024 */
	enum disruptor_scheduling scheduling;
	int priority;      /**< of FIFO and ROUND_ROBIN */
	uint32_t if_dead;  /**< enum disruptor_if_dead; of a ring of one process, zero */
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
	/** The events from @p from up to @p to, handled in vain, come again. May be NULL. */
	void (*on_rewind)(void *context, uint64_t from, uint64_t to);
	/**
	 * Instead of on_event: as many events of the batch as lie at one distance in memory; in a
	 * packed ring side by side. Spans end at the end of the ring's memory and before voids.
	 * @p handled, preset to the span's count, may be set lower: so many have been handled, and
	 * the rest is handed out again. The verdict is about those; a failure, RETRY and REWIND
	 * about the event behind them, or the first one if @p handled was left as it was. Only
	 * those and a STOP may have handled none.
	 */
	int (*on_span)(void *context, const struct disruptor_span *span, uint64_t *handled,
		       int last);
	/**
	 * A batch begins once this many events wait, or `linger_ns` after the first of them was
	 * seen, or at the end of the ring; at most `batch`. 0 and 1: at once.
	 */
	uint32_t batch_min;
	/**
	 * Not 0: handling is not releasing. The stage reads at most so many positions ahead of what
	 * has been released, by any thread, with disruptor_stage_release(); at most the capacity.
	 */
	uint32_t deferred;
	uint64_t linger_ns; /**< of batch_min, and needed with it */
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

/**
 * Set what is done when one of the stage's callbacks fails. It holds from the next failure on.
 *
 * Threads: any, at any time, also while the stage runs, and from its callbacks.
 * Errors:  DISRUPTOR_E_INVAL (the detail names the field; RETRY and REWIND need `times`, ASK needs
 *          `ask`), E_VERSION; the policy is then as before.
 */
DISRUPTOR_API int disruptor_stage_set_policy(struct disruptor_stage *stage,
					     const struct disruptor_policy *policy);

/** What became of a stage's events otherwise than by being handled once. */
struct disruptor_stage_trouble {
	uint64_t skipped; /**< events passed over, by verdict or policy */
	uint64_t retries; /**< events handed out again */
	uint64_t rewinds; /**< batches handed out again */
};

/** Tell how often the stage has skipped, retried and rewound. Threads: any; relaxed counters. */
DISRUPTOR_API struct disruptor_stage_trouble
disruptor_stage_trouble(const struct disruptor_stage *stage);

/**
 * Release everything before @p position, of a stage whose handler is `deferred`: an I/O completion,
 * an acknowledgement. Voids behind it that the stage has passed are released with it. A position
 * that was released already changes nothing.
 *
 * A drain waits until everything has been released. What was read and not released when a stage
 * ends otherwise stays so, over a restart too, until it is released; disruptor_stop() tells of it.
 *
 * Threads: any, several at once, also the stage's own callbacks. Progress: lock-free; a system
 *          call if somebody sleeps on it.
 * Errors:  DISRUPTOR_E_INVAL if the stage has not read so far (see disruptor_stage_read()),
 *          E_STATE if it is not deferred; nothing is released then.
 */
DISRUPTOR_API int disruptor_stage_release(struct disruptor_stage *stage, uint64_t position);

/** First position this stage has not read: not before the one it has not released. Threads: any. */
DISRUPTOR_API uint64_t disruptor_stage_read(const struct disruptor_stage *stage);

/** First position this stage has not released. Threads: any. */
DISRUPTOR_API uint64_t disruptor_stage_position(const struct disruptor_stage *stage);

/**
 * The stage's consumer, for the `after` of one that the caller opens; for nothing else.
 *
 * Threads: any.
 */
DISRUPTOR_API const struct disruptor_consumer *
disruptor_stage_consumer(const struct disruptor_stage *stage);

/** The stage's name. Threads: any. */
DISRUPTOR_API const char *disruptor_stage_name(const struct disruptor_stage *stage);

/** Whether a run of this stage is in progress. Threads: any. */
DISRUPTOR_API int disruptor_stage_running(const struct disruptor_stage *stage);

#ifdef __cplusplus
}
#endif
#endif
