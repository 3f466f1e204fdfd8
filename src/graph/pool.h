/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_POOL_H
#define GRAPH_POOL_H

/*
 * A pool: its head holds the gate of the whole and is run by nobody; the workers
 * are stages whose consumers share the stream (ring/share.h). In a shared pool
 * they take chunks, in a keyed one each goes through all and passes over what is
 * another's.
 */

#include "graph/graph_internal.h"
#include "ring/share.h"

#include <disruptor/pool.h>

struct graph_pool {
	struct graph_pool *next; /* of the disruptor's */
	size_t bytes;
	struct disruptor_stage *head;
	uint64_t chunk;
	uint64_t (*key)(const void *event, void *context);
	void *context;
	uint32_t count;
	bool on_one_thread; /* all its workers, in the present run */
	struct ring_share share;
	struct disruptor_stage *workers[];
};

/* The event at @p position belongs to another worker of a keyed pool. */
bool pool_is_anothers(const struct disruptor_stage *s, uint64_t position);
/*
 * What a worker of a shared pool has in hand of its chunk, or of a new one, at most @p most
 * positions. False if there is nothing.
 */
bool pool_window(struct disruptor_stage *s, struct consumer_window *w, uint64_t most);
/* The worker that holds the pool back; if none does one that runs, or if none runs any. */
struct disruptor_stage *pool_slowest(const struct graph_pool *p);
void pool_release(struct disruptor *d, struct graph_pool *p);

#endif
