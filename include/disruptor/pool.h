/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_POOL_H
#define DISRUPTOR_POOL_H

/**
 * @file disruptor/pool.h
 * Work that is shared: each event goes to one of several workers.
 *
 * A pool stands in the graph like one stage. Its workers are stages of their
 * own, with a handler and a policy each, run by the executor like any other. In a
 * shared pool whoever is free takes the next few events; in a keyed one each key
 * belongs to one worker, which sees its events in order.
 */

#include <disruptor/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a pool is to be; zero means the default for every field but the first four. */
struct disruptor_pool_options {
	size_t size;      /**< sizeof(struct disruptor_pool_options) */
	const char *name; /**< of the pool; copied; at most 31 bytes */
	/** One for each worker, with a context each; `batch_min` and `deferred` are not for them. */
	const struct disruptor_handler *handlers;
	uint32_t count; /**< of them: at least 1 */
	/** Shared: the most positions a worker takes at a time; 0 is 16, or less in a small ring. */
	uint32_t chunk;
	/**
	 * Keyed: events whose key is the same go to the same worker, in order. Called by every worker
	 * for every event, so it reads what nobody writes at the time. NULL: a shared pool.
	 */
	uint64_t (*key)(const void *event, void *context);
	void *key_context;
};

/**
 * Add a pool. What is returned stands for the whole: in disruptor_after() and disruptor_pipeline();
 * for disruptor_stage_position(), before which every event has been handled;
 * disruptor_stage_stop() and disruptor_stage_set_policy(), which reach every worker; and
 * disruptor_detach(). A worker has them for itself, see disruptor_pool_worker().
 *
 * A pool takes one place in the gate table beside one for each worker. Nothing comes after a single
 * worker. A shared pool hands out only what is published, voids left out. A worker holds its chunk
 * until it has handled it; a batch, and a rewind, is what is left of the chunk. What a worker that
 * ends has taken and not handled goes to the others, or waits for the next run. In a keyed pool each
 * worker goes through all events and passes over what is not its own.
 *
 * Threads: one at a time, before start.
 * Errors:  NULL; disruptor_error_detail() names the field or the worker that was refused.
 */
DISRUPTOR_API struct disruptor_stage *disruptor_pool(struct disruptor *d,
						     const struct disruptor_pool_options *options);

/** Worker number @p i of a pool, or NULL if there is none, or not any more. Threads: any. */
DISRUPTOR_API struct disruptor_stage *disruptor_pool_worker(const struct disruptor_stage *pool,
							    uint32_t i);

/**
 * Add a worker to a shared pool in the place of one that was detached, also while the disruptor runs:
 * with a thread of its own, or to what the caller drives. It takes what is next, or what others have
 * left. Returns when it has reported in.
 *
 * Threads: any, also a stage's own.
 * Errors:  NULL, and the pool is as before; disruptor_error_detail() says why: no worker of it was
 *          detached, it is keyed, or as disruptor_attach().
 */
DISRUPTOR_API struct disruptor_stage *
disruptor_pool_attach(struct disruptor_stage *pool, const struct disruptor_handler *handler);

/** How many workers it was made with; 0: it is not a pool. Threads: any. */
DISRUPTOR_API uint32_t disruptor_pool_count(const struct disruptor_stage *pool);

/** Number of the worker that events of @p key go to: its hash, modulo the count. Threads: any. */
DISRUPTOR_API uint32_t disruptor_pool_lane(const struct disruptor_stage *pool, uint64_t key);

#ifdef __cplusplus
}
#endif
#endif
