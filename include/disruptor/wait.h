/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_WAIT_H
#define DISRUPTOR_WAIT_H

/**
 * @file disruptor/wait.h
 * Wait strategies: how a thread passes the time until the other side has moved.
 *
 * A strategy is a value: take one from a function below, change its fields if
 * you like, and hand it to a ring, a producer, a consumer or a stage. All of
 * them are policies over one wait/notify core; only the blocking one sleeps
 * until it is woken, and it costs the waking side nothing while nobody sleeps.
 *
 *   strategy   waits by                                   CPU idle   for
 *   busy_spin  looking, without pause                     a core     own cores, lowest latency
 *   spin       looking, with the processor's pause hint   a core     own cores, shared with SMT
 *   yielding   looking, then sched_yield()                a core     more threads than cores
 *   sleeping   looking, yielding, sleeps that double      a few %    background work
 *   phased     looking for a time, yielding for a time,   little     rare events that matter
 *              then blocking
 *   blocking   looking for a while, then a futex          none       everything else: the default
 *   custom     calling you back                           yours      anything else
 */

#include <disruptor/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Kinds of wait strategy. */
enum disruptor_wait_kind {
	DISRUPTOR_WAIT_DEFAULT = 0, /**< inherit: a stage's from its ring; a ring's is blocking */
	DISRUPTOR_WAIT_BUSY_SPIN = 1,
	DISRUPTOR_WAIT_SPIN = 2,
	DISRUPTOR_WAIT_YIELDING = 3,
	DISRUPTOR_WAIT_SLEEPING = 4,
	DISRUPTOR_WAIT_PHASED = 5,
	DISRUPTOR_WAIT_BLOCKING = 6,
	DISRUPTOR_WAIT_CUSTOM = 7
};

/**
 * The caller's own way to pass the time between two looks.
 *
 * Called with the number of fruitless looks so far (from 1). Return 0 to look
 * again, or a negative code, which the waiting call then returns. It must not
 * call functions on the same view.
 */
typedef int (*disruptor_wait_function)(void *context, uint64_t round);

/** A wait strategy. A zeroed one is the default. */
struct disruptor_wait {
	enum disruptor_wait_kind kind;
	uint32_t spins;        /**< looks before anything dearer; adaptive up to this if blocking */
	uint32_t yields;       /**< sched_yield() between looks, this often, before sleeping */
	uint32_t reserved;     /**< zero */
	uint64_t spin_ns;      /**< phased: look for this long */
	uint64_t yield_ns;     /**< phased: then yield for this long */
	uint64_t sleep_min_ns; /**< sleeping: the first sleep; each is twice the last */
	uint64_t sleep_max_ns; /**< sleeping: no sleep is longer */
	/** If not 0, every wait ends with DISRUPTOR_E_TIMEOUT after so long without progress. */
	uint64_t timeout_ns;
	disruptor_wait_function function; /**< custom */
	void *context;                    /**< custom */
};

/** Look without pause. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_busy_spin(void);
/** Look with the processor's pause hint in between. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_spin(void);
/** Look 100 times, then yield the processor between looks. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_yielding(void);
/** Look, yield, then sleep @p min_ns, doubling up to @p max_ns until there is progress. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_sleeping(uint64_t min_ns, uint64_t max_ns);
/** Look for @p spin_ns, yield for @p yield_ns, then block. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_phased(uint64_t spin_ns, uint64_t yield_ns);
/** Look for a while that adapts to how often that helps, then sleep until woken. The default. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_blocking(void);
/** Call @p function between looks. */
DISRUPTOR_API struct disruptor_wait disruptor_wait_custom(disruptor_wait_function function,
							  void *context);

/** The strategy's name ("busy-spin", "blocking", …); NULL if @p kind is none. Threads: any. */
DISRUPTOR_API const char *disruptor_wait_name(enum disruptor_wait_kind kind);

/**
 * Find a strategy by its name, with its default parameters; custom has none.
 *
 * Threads: any. Errors: DISRUPTOR_E_INVAL if no strategy has that name; @p wait is then unchanged.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int disruptor_wait_parse(struct disruptor_wait *wait,
							   const char *name);

#ifdef __cplusplus
}
#endif
#endif
