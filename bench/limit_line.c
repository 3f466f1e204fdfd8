/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:line and limit:lines. A bare cache-line ping-pong: one side stores a
 * number in a word that is alone on its line; the other spins until it is
 * there. No hand-over between two cores can be faster than the line that
 * carries it.
 *
 * With limit:line each direction has one line, which always lies in the nearest
 * cache. With limit:lines it has one for each slot of the ring and goes from
 * one to the next, as a ring does: what it takes above limit:line is due to the
 * lines, not to what a ring does with them.
 */
#include "loop.h"

#include <stdlib.h>

struct line {
	_Alignas(DISRUPTOR_LINE) _Atomic(uint64_t) word;
};

struct lines {
	struct line *line;
	uint64_t mask;
};

static void *lines_of(uint64_t count)
{
	struct lines *l = bench_alloc(sizeof(*l));

	l->line = bench_alloc(count * sizeof(*l->line));
	l->mask = count - 1;
	return l;
}

static void *line_open(const struct bench_params *params)
{
	(void)params;
	return lines_of(1);
}

static void *lines_open(const struct bench_params *params)
{
	return lines_of(params->capacity);
}

static void lines_close(void *channel)
{
	struct lines *l = channel;

	free(l->line);
	free(l);
}

LOOP_INLINE _Atomic(uint64_t) *word_of(const struct lines *l, uint64_t value)
{
	return &l->line[value & l->mask].word;
}

static void lines_serve(void *const *channels, struct bench_task *task)
{
	struct lines out = *(struct lines *)channels[0], in = *(struct lines *)channels[1];
	uint64_t value = task->value, began = disruptor_now();

	for (uint64_t i = 0; i < task->events; i++) {
		value++;
		disruptor_store_release(word_of(&out, value), value);
		while (disruptor_load_acquire(word_of(&in, value)) != value)
			;
		if (task->took != NULL) {
			uint64_t ended = disruptor_now();

			task->took[i] = ended - began;
			began = ended;
		}
	}
	task->value = value;
}

static void lines_answer(void *const *channels, struct bench_task *task)
{
	struct lines in = *(struct lines *)channels[0], out = *(struct lines *)channels[1];
	uint64_t value = task->value;

	for (uint64_t left = task->events; left != 0; left--) {
		value++;
		while (disruptor_load_acquire(word_of(&in, value)) != value)
			;
		disruptor_store_release(word_of(&out, value), value);
	}
	task->value = value;
}

const struct bench_subject limit_line = {
	.name = "limit:line",
	.waits = "busy-spin",
	.open = line_open,
	.close = lines_close,
	.serve = lines_serve,
	.answer = lines_answer,
};

const struct bench_subject limit_lines = {
	.name = "limit:lines",
	.waits = "busy-spin",
	.open = lines_open,
	.close = lines_close,
	.serve = lines_serve,
	.answer = lines_answer,
};
