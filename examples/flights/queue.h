/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_QUEUE_H
#define FLIGHTS_QUEUE_H

/*
 * A bounded queue between one thread and another: a circle of elements under
 * a mutex. The conditions are signalled at the edge only, when the queue stops
 * being empty or full: with one thread on each side nobody can be waiting
 * otherwise, and a signal that nobody waits for still costs.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	size_t element, capacity; /* bytes; elements */
	size_t first, count;
	bool closed;
	unsigned char *elements;
};

/* 0, or an error number. */
int queue_open(struct queue *queue, size_t capacity, size_t element);
void queue_free(struct queue *queue);

/* Put copies of @count elements; waits while it is full, as often as it takes. */
void queue_put(struct queue *queue, const void *elements, size_t count);

/* Take 1 to @most elements; waits while it is empty. 0: it is empty and closed. */
size_t queue_take(struct queue *queue, void *elements, size_t most);

/* No more will be put. Threads: the one that puts. */
void queue_close(struct queue *queue);

#endif
