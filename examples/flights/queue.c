/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int queue_open(struct queue *queue, size_t capacity, size_t element)
{
	memset(queue, 0, sizeof(*queue));
	queue->elements = malloc(capacity * element);
	if (!queue->elements)
		return ENOMEM;
	queue->capacity = capacity;
	queue->element = element;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->not_empty, NULL);
	pthread_cond_init(&queue->not_full, NULL);
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue->elements)
		return;
	pthread_cond_destroy(&queue->not_full);
	pthread_cond_destroy(&queue->not_empty);
	pthread_mutex_destroy(&queue->lock);
	free(queue->elements);
	queue->elements = NULL;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Where the elements from position @at on lie, and how many of @count before the circle's seam. */
static unsigned char *run_at(struct queue *queue, size_t at, size_t *count)
{
	if (at >= queue->capacity)
		at -= queue->capacity;
	*count = smaller(*count, queue->capacity - at);
	return queue->elements + at * queue->element;
}

void queue_put(struct queue *queue, const void *elements, size_t count)
{
	const unsigned char *from = elements;

	pthread_mutex_lock(&queue->lock);
	while (count > 0) {
		size_t n;
		unsigned char *to;

		while (queue->count == queue->capacity)
			pthread_cond_wait(&queue->not_full, &queue->lock);
		n = smaller(count, queue->capacity - queue->count);
		to = run_at(queue, queue->first + queue->count, &n);
		memcpy(to, from, n * queue->element);
		if (queue->count == 0)
			pthread_cond_signal(&queue->not_empty);
		queue->count += n;
		from += n * queue->element;
		count -= n;
	}
	pthread_mutex_unlock(&queue->lock);
}

size_t queue_take(struct queue *queue, void *elements, size_t most)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	while (queue->count == 0 && !queue->closed)
		pthread_cond_wait(&queue->not_empty, &queue->lock);
	n = smaller(most, queue->count);
	if (n > 0) {
		unsigned char *from = run_at(queue, queue->first, &n);

		memcpy(elements, from, n * queue->element);
		if (queue->count == queue->capacity)
			pthread_cond_signal(&queue->not_full);
		queue->first += n;
		if (queue->first == queue->capacity)
			queue->first = 0;
		queue->count -= n;
	}
	pthread_mutex_unlock(&queue->lock);
	return n;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_signal(&queue->not_empty);
	pthread_mutex_unlock(&queue->lock);
}
