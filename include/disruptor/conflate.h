/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_CONFLATE_H
#define DISRUPTOR_CONFLATE_H

/**
 * @file disruptor/conflate.h
 * Conflation: the latest event of each key, for a reader that cannot follow them all.
 *
 * A stage or a consumer puts every event into a table; one reader takes from it
 * at its own pace. What has not been taken when a newer event of its key comes is
 * replaced. So the reader never has more to do than there are keys, is never
 * out of date, and never holds the ring back: a put does not wait for the reader,
 * whatever the reader does, and takes a lock only to wake it.
 *
 *	disruptor_conflate_create(&c, &tick_type, &(struct disruptor_conflate_options){
 *		.size = sizeof(struct disruptor_conflate_options),
 *		.keys = 1000, .key = instrument_of});
 *	disruptor_stage(d, &(struct disruptor_handler){
 *		.size = sizeof(struct disruptor_handler), .name = "latest", .reads = "*",
 *		.on_event = disruptor_conflate_on_event, .context = c});
 *	…
 *	while (disruptor_conflate_take_until(c, &tick, NULL, DISRUPTOR_FOREVER) == 1)
 *		show(&tick);
 */

#include <disruptor/error.h>
#include <disruptor/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_conflate;

/** The most keys a table may have. */
#define DISRUPTOR_CONFLATE_MAX_KEYS (UINT32_C(1) << 24)

/** What a table is made from. Zero means the default where there is one. */
struct disruptor_conflate_options {
	size_t size;       /**< sizeof(struct disruptor_conflate_options) */
	uint32_t keys;     /**< the most different keys: 1 … DISRUPTOR_CONFLATE_MAX_KEYS */
	uint32_t reserved; /**< zero */
	/** The key of an event: any 64-bit number. Called by whoever puts. */
	uint64_t (*key)(const void *event, void *context);
	void *context;                        /**< of key */
	struct disruptor_allocator allocator; /**< instead of malloc(3) */
};

/**
 * Create a table for events of @p type, whose size alone matters. It takes three events' memory for
 * each key, all of it here.
 *
 * Threads: any. Errors: DISRUPTOR_E_INVAL (the detail names the option), E_TOO_BIG, E_NOMEM,
 * E_VERSION; *@p c is then NULL.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_conflate_create(struct disruptor_conflate **c, const struct disruptor_type *type,
			  const struct disruptor_conflate_options *options);

/**
 * Destroy a table and set *@p c to NULL; NULL in it is allowed. Nobody may put or take any more.
 *
 * Threads: one.
 */
DISRUPTOR_API void disruptor_conflate_destroy(struct disruptor_conflate **c);

/**
 * Make @p event, published at @p position, the latest of its key.
 *
 * Threads:  one at a time, which need not be the one that takes.
 * Progress: wait-free; a mutex and a wake-up only if the reader sleeps.
 * Errors:   DISRUPTOR_E_FULL if it is of a new key and there are `keys` already (the detail names
 *           the key), E_CLOSED; nothing is changed then.
 */
DISRUPTOR_API int disruptor_conflate_put(struct disruptor_conflate *c, const void *event,
					 uint64_t position);

/**
 * disruptor_conflate_put() as a stage's on_event; its context is the table. A full table is a
 * failure of the stage, with DISRUPTOR_E_FULL.
 */
DISRUPTOR_API int disruptor_conflate_on_event(void *table, void *event, uint64_t position,
					      int last);

/**
 * Take the next key that has changed since it was last taken, in the order of their first change:
 * copy its latest event to @p event and, unless NULL, its position to @p position.
 *
 * Returns 1, or 0 if none has changed.
 *
 * Threads:  one at a time, which need not be the one that puts. Progress: wait-free.
 * Errors:   DISRUPTOR_E_CLOSED if none has and none will.
 */
DISRUPTOR_API int disruptor_conflate_take(struct disruptor_conflate *c, void *event,
					  uint64_t *position);

/**
 * disruptor_conflate_take(), but sleeps until a key has changed.
 *
 * Returns 1, or DISRUPTOR_E_TIMEOUT, E_CLOSED.
 *
 * Threads: as take. Progress: blocks.
 */
DISRUPTOR_API int disruptor_conflate_take_until(struct disruptor_conflate *c, void *event,
						uint64_t *position, uint64_t deadline);

/** No more will be put: the reader takes what is left, and then E_CLOSED. Threads: any. */
DISRUPTOR_API void disruptor_conflate_close(struct disruptor_conflate *c);

/** How many events were replaced before they were taken. Threads: any; a relaxed counter. */
DISRUPTOR_API uint64_t disruptor_conflate_conflated(const struct disruptor_conflate *c);

/** How many different keys there are by now. Threads: any; a relaxed counter. */
DISRUPTOR_API uint64_t disruptor_conflate_keys(const struct disruptor_conflate *c);

#ifdef __cplusplus
}
#endif
#endif
