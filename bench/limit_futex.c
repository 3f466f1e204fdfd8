/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:futex. A word that one side stores and wakes for, and on which the
 * other sleeps: a futex(2) and nothing else. Before it sleeps a side pays the
 * barrier that the library's sleepers pay, membarrier(2), so that the other
 * side need not. Where there is no futex it is a mutex and a condition
 * variable, and called limit:condvar.
 */
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"
#include "loop.h"

#include <stdlib.h>

#if defined(__linux__)

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

struct word {
	_Alignas(DISRUPTOR_APART) _Atomic(uint32_t) value;
	bool membarrier;
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) sleeps; /* of the reader */
};

static void *word_open(const struct bench_params *params)
{
	struct word *w = bench_alloc(sizeof(*w));

	/* asking for the rungs registers this process for the barrier, too */
	w->membarrier = (params->rung == DISRUPTOR_RUNG_AUTO ||
			 params->rung == DISRUPTOR_RUNG_MEMBARRIER) &&
			(disruptor_version().rungs & 1u << DISRUPTOR_RUNG_MEMBARRIER) != 0;
	return w;
}

static void word_close(void *channel)
{
	free(channel);
}

static void word_store(struct word *w, uint32_t value)
{
	/* release: what a reader of the word may look at stands before it */
	disruptor_store_release(&w->value, value);
	syscall(SYS_futex, &w->value, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

static void word_await(struct word *w, uint32_t value)
{
	uint32_t seen;

	for (;;) {
		if (!w->membarrier)
			disruptor_fence_seq_cst();
		else if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
			bench_fail("limit:futex: membarrier was refused");
		seen = disruptor_load_acquire(&w->value);
		if (seen == value)
			return;
		/* relaxed: a number for the report */
		if (syscall(SYS_futex, &w->value, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, seen, NULL, NULL,
			    0) == 0)
			disruptor_fetch_add_relaxed(&w->sleeps, UINT64_C(1));
		else if (errno != EAGAIN && errno != EINTR)
			bench_fail("limit:futex: futex was refused");
		if (disruptor_load_acquire(&w->value) == value)
			return;
	}
}

static uint64_t word_sleeps(void *channel)
{
	struct word *w = channel;

	return disruptor_load_relaxed(&w->sleeps);
}

#else

#include <pthread.h>

struct word {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint32_t value;
	uint64_t sleeps;
};

static void *word_open(const struct bench_params *params)
{
	struct word *w = bench_alloc(sizeof(*w));

	(void)params;
	if (pthread_mutex_init(&w->mutex, NULL) != 0 || pthread_cond_init(&w->changed, NULL) != 0)
		bench_fail("limit:condvar: cannot make a mutex or a condition variable");
	return w;
}

static void word_close(void *channel)
{
	struct word *w = channel;

	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

static void word_store(struct word *w, uint32_t value)
{
	pthread_mutex_lock(&w->mutex);
	w->value = value;
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_signal(&w->changed);
}

static void word_await(struct word *w, uint32_t value)
{
	pthread_mutex_lock(&w->mutex);
	while (w->value != value) {
		w->sleeps++;
		pthread_cond_wait(&w->changed, &w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
}

static uint64_t word_sleeps(void *channel)
{
	struct word *w = channel;
	uint64_t sleeps;

	pthread_mutex_lock(&w->mutex);
	sleeps = w->sleeps;
	pthread_mutex_unlock(&w->mutex);
	return sleeps;
}

#endif

static void word_serve(void *const *channels, struct bench_task *task)
{
	for (uint64_t i = 0; i < task->events; i++) {
		uint64_t began = task->pause != 0 ? loop_pause(task->pause) : disruptor_now();

		task->value++;
		word_store(channels[0], (uint32_t)task->value);
		word_await(channels[1], (uint32_t)task->value);
		if (task->took != NULL)
			task->took[i] = disruptor_now() - began;
	}
}

static void word_answer(void *const *channels, struct bench_task *task)
{
	for (uint64_t left = task->events; left != 0; left--) {
		task->value++;
		word_await(channels[0], (uint32_t)task->value);
		if (task->pause != 0)
			(void)loop_pause(task->pause);
		word_store(channels[1], (uint32_t)task->value);
	}
}

const struct bench_subject limit_futex = {
	.name = BENCH_LIMIT_FUTEX,
	.waits = "sleeps",
	.open = word_open,
	.close = word_close,
	.serve = word_serve,
	.answer = word_answer,
	.sleeps = word_sleeps,
};
