/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * queue:mutex. A bounded queue with a mutex and two condition variables, as
 * one writes it who knows how: events are copied in and out, a batch to a
 * lock; a side is signalled only when the queue leaves the state that it may
 * be waiting for, and after the mutex was given back.
 */
#include "bench.h"
#include "loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct mutex_queue {
	_Alignas(DISRUPTOR_APART) pthread_mutex_t mutex;
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	unsigned char *slots;
	uint64_t capacity;
	uint64_t head; /* first not taken */
	uint64_t tail; /* first not put */
	uint32_t batch;
	/* what each side copies from and to */
	_Alignas(DISRUPTOR_APART) unsigned char *to_send;
	_Alignas(DISRUPTOR_APART) unsigned char *received;
};

static void *mutex_open(const struct bench_params *params)
{
	struct mutex_queue *q = bench_alloc(sizeof(*q));
	size_t batch = (size_t)params->batch * params->event_bytes;

	if (pthread_mutex_init(&q->mutex, NULL) != 0 ||
	    pthread_cond_init(&q->not_empty, NULL) != 0 ||
	    pthread_cond_init(&q->not_full, NULL) != 0)
		bench_fail("queue:mutex: cannot make a mutex or a condition variable");
	q->slots = bench_alloc((size_t)params->capacity * params->event_bytes);
	q->capacity = params->capacity;
	q->batch = params->batch;
	q->to_send = bench_alloc(batch);
	q->received = bench_alloc(batch);
	return q;
}

static void mutex_close(void *channel)
{
	struct mutex_queue *q = channel;

	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->mutex);
	free(q->received);
	free(q->to_send);
	free(q->slots);
	free(q);
}

LOOP_INLINE unsigned char *mutex_slot(const struct mutex_queue *q, uint64_t at, uint32_t bytes)
{
	return q->slots + (size_t)(at & (q->capacity - 1)) * bytes;
}

LOOP_INLINE void *mutex_claim(void *end, uint64_t n, uint32_t bytes)
{
	(void)n;
	(void)bytes;
	return ((struct mutex_queue *)end)->to_send;
}

LOOP_INLINE void *mutex_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void mutex_publish(void *end, uint64_t n, uint32_t bytes)
{
	struct mutex_queue *q = end;
	bool was_empty;

	pthread_mutex_lock(&q->mutex);
	while (q->capacity - (q->tail - q->head) < n)
		pthread_cond_wait(&q->not_full, &q->mutex);
	was_empty = q->tail == q->head;
	for (uint64_t i = 0; i < n; i++)
		memcpy(mutex_slot(q, q->tail + i, bytes), q->to_send + i * bytes, bytes);
	q->tail += n;
	pthread_mutex_unlock(&q->mutex);
	if (was_empty)
		pthread_cond_signal(&q->not_empty);
}

LOOP_INLINE uint64_t mutex_ready(void *end, uint32_t bytes)
{
	struct mutex_queue *q = end;
	uint64_t n;
	bool was_full;

	pthread_mutex_lock(&q->mutex);
	while ((n = q->tail - q->head) == 0)
		pthread_cond_wait(&q->not_empty, &q->mutex);
	/* full is where a whole batch did not fit: there the producer may wait */
	was_full = q->capacity - n < q->batch;
	n = n < q->batch ? n : q->batch;
	for (uint64_t i = 0; i < n; i++)
		memcpy(q->received + i * bytes, mutex_slot(q, q->head + i, bytes), bytes);
	q->head += n;
	pthread_mutex_unlock(&q->mutex);
	if (was_full)
		pthread_cond_signal(&q->not_full);
	return n;
}

LOOP_INLINE const void *mutex_at(void *end, uint64_t i, uint32_t bytes)
{
	return ((struct mutex_queue *)end)->received + i * bytes;
}

/* taking was releasing: the event was copied out */
LOOP_INLINE void mutex_release(void *end, uint64_t n)
{
	(void)end;
	(void)n;
}

LOOP_INLINE uint64_t mutex_lag(void *end)
{
	struct mutex_queue *q = end;
	uint64_t n;

	pthread_mutex_lock(&q->mutex);
	n = q->tail - q->head;
	pthread_mutex_unlock(&q->mutex);
	return n;
}

static const struct loop_end mutex_use = {
	.claim = mutex_claim,
	.claimed = mutex_claimed,
	.publish = mutex_publish,
	.ready = mutex_ready,
	.at = mutex_at,
	.release = mutex_release,
	.lag = mutex_lag,
};

LOOP_CHANNEL(mutex, &mutex_use)

const struct bench_subject subject_mutex = {
	.name = "queue:mutex",
	.waits = "condvar",
	.open = mutex_open,
	.close = mutex_close,
	.produce = mutex_produce,
	.consume = mutex_consume,
	.serve = mutex_serve,
	.answer = mutex_answer,
};
