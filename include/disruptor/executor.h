/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_EXECUTOR_H
#define DISRUPTOR_EXECUTOR_H

/**
 * @file disruptor/executor.h
 * Which thread runs which stage.
 *
 * Threads are a resource, and the graph is not a thread plan: each stage may
 * have a thread of its own, several may share one, or the caller drives them all
 * from a loop of its own. Stages that share a thread run in turn, batch by batch,
 * each after those it comes after, so that a later stage finds the events of an
 * earlier one in the cache. A shared thread sleeps when none of its stages can go
 * on, and whatever lets one go on wakes it.
 *
 * On a shared thread a handler that sleeps or waits holds up the others there.
 */

#include <disruptor/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How stages get their threads. */
enum disruptor_mapping {
	/**
	 * A thread for each stage as long as there are cores for them beside one for the producer,
	 * by the affinity mask and the control group's quota at start; else that many shared
	 * threads, at least one. Stages that ask for CPUs, scheduling or a stack have one to
	 * themselves.
	 */
	DISRUPTOR_MAP_AUTO = 0,
	DISRUPTOR_MAP_DEDICATED = 1, /**< a thread for each stage */
	/**
	 * `threads` threads, each with neighbours in the order of the graph, and one more for each
	 * stage that asks for CPUs, scheduling or a stack.
	 */
	DISRUPTOR_MAP_SHARED = 2,
	DISRUPTOR_MAP_PLACED = 3, /**< as disruptor_place() says: every stage has been placed */
	DISRUPTOR_MAP_NONE = 4    /**< none: the caller drives with disruptor_poll() */
};

/** How a shared or placed thread is to be; zero means the system's default. */
struct disruptor_thread {
	const char *name; /**< at most 31 bytes; NULL: its first stage's, or "disruptor-<n>" */
	const char *cpus; /**< the CPUs it may run on, as "2" or "0-3,8"; NULL: any */
	enum disruptor_scheduling scheduling;
	int priority;      /**< of FIFO and ROUND_ROBIN */
	size_t stack_size; /**< 0 is the system's default */
};

/** The executor of a disruptor. A zeroed one (but for its size) is the default. */
struct disruptor_executor {
	size_t size; /**< sizeof(struct disruptor_executor) */
	enum disruptor_mapping mapping;
	uint32_t threads; /**< SHARED, PLACED: how many; others: zero */
	/** How threads with several stages wait; default: the ring's. */
	struct disruptor_wait wait;
	/** SHARED, PLACED: how each of the `threads` is to be; copied. May be NULL. */
	const struct disruptor_thread *thread;
};

/**
 * Choose how stages are mapped to threads. It holds from the next start on.
 *
 * Threads: one at a time, while it does not run.
 * Errors:  DISRUPTOR_E_INVAL (the detail names the field), E_STATE if it runs, E_VERSION; the
 *          mapping is then as before.
 */
DISRUPTOR_API int disruptor_set_executor(struct disruptor *d,
					 const struct disruptor_executor *executor);

/**
 * Place a stage on thread number @p thread, for DISRUPTOR_MAP_PLACED.
 *
 * Threads: one at a time, while it does not run.
 * Errors:  DISRUPTOR_E_INVAL if the stage asks for CPUs, scheduling or a stack of its own, which
 *          are the thread's to have; E_STATE if it runs. Of a pool all workers are placed, or
 *          none. Whether the number is below `threads` is looked at by disruptor_start().
 */
DISRUPTOR_API int disruptor_place(struct disruptor_stage *stage, uint32_t thread);

/** Number of threads that run stages now; 0 if it does not run. Threads: any. */
DISRUPTOR_API uint32_t disruptor_thread_count(const struct disruptor *d);

/** Number of the thread that runs @p stage in the present or last run. Threads: any. */
DISRUPTOR_API uint32_t disruptor_stage_thread(const struct disruptor_stage *stage);

/**
 * Drive the stages of a disruptor with DISRUPTOR_MAP_NONE, in the calling thread: each in the
 * order of the graph handles what is ready for it, again until nothing is or @p budget events
 * have been handled, all stages counted. Never waits.
 *
 * Returns how many events were handled; 0: none was ready. Once every stage has ended (see
 * disruptor_stop()) E_CLOSED, or E_FAILED.
 *
 * Threads: any, one at a time; not from a handler.
 * Errors:  DISRUPTOR_E_STATE if it was not started so; E_BUSY if another thread drives it, or a
 *          handler calls; E_INVAL if @p budget is 0.
 */
DISRUPTOR_API int64_t disruptor_poll(struct disruptor *d, uint64_t budget);

/**
 * disruptor_poll(), but waits, by the executor's wait strategy, until a stage can go on.
 * Meanwhile on_idle is called for stages whose wait strategy has a timeout.
 *
 * Threads: as disruptor_poll(). Errors: its, and DISRUPTOR_E_TIMEOUT at the deadline.
 */
DISRUPTOR_API int64_t disruptor_poll_until(struct disruptor *d, uint64_t budget, uint64_t deadline);

#ifdef __cplusplus
}
#endif
#endif
