/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * limit:line. A bare cache-line ping-pong: each channel is one word alone on
 * its line; one side stores a number in it, the other spins until it is there.
 * No hand-over between two cores can be faster than the line that carries it.
 */
#include "bench.h"

#include <stdlib.h>

struct line {
	_Alignas(DISRUPTOR_APART) _Atomic(uint64_t) word;
};

static void *line_open(const struct bench_params *params)
{
	(void)params;
	return bench_alloc(sizeof(struct line));
}

static void line_serve(void *const *channels, struct bench_task *task)
{
	struct line *out = channels[0], *in = channels[1];
	uint64_t value = task->value, began = disruptor_now();

	for (uint64_t i = 0; i < task->events; i++) {
		value++;
		disruptor_store_release(&out->word, value);
		while (disruptor_load_acquire(&in->word) != value)
			;
		if (task->took != NULL) {
			uint64_t ended = disruptor_now();

			task->took[i] = ended - began;
			began = ended;
		}
	}
	task->value = value;
}

static void line_answer(void *const *channels, struct bench_task *task)
{
	struct line *in = channels[0], *out = channels[1];
	uint64_t value = task->value;

	for (uint64_t left = task->events; left != 0; left--) {
		value++;
		while (disruptor_load_acquire(&in->word) != value)
			;
		disruptor_store_release(&out->word, value);
	}
	task->value = value;
}

const struct bench_subject limit_line = {
	.name = "limit:line",
	.waits = "busy-spin",
	.open = line_open,
	.close = free,
	.serve = line_serve,
	.answer = line_answer,
};
