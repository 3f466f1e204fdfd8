/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * crossbeam-channel: its bounded channel. The loops are in Rust, in
 * crossbeam/src/lib.rs; here they are called. Its senders and receivers spin a
 * little, yield, then sleep. It has no calls that take several events.
 */
#include "bench.h"

#if defined(BENCH_CROSSBEAM)

#include <string.h>

/* As src/lib.rs has it. */
struct crossbeam_task {
	uint64_t events;
	uint64_t mark;
	uint64_t value;
	uint64_t sum;
	uint64_t torn;
	uint64_t wrong;
	uint64_t seen[BENCH_PRODUCERS];
};

_Static_assert(BENCH_PRODUCERS == 8, "src/lib.rs has the number too");

void *crossbeam_open(uint32_t words, uint64_t capacity);
void crossbeam_close(void *channel);
void crossbeam_produce(const void *channel, struct crossbeam_task *task);
void crossbeam_consume(const void *channel, struct crossbeam_task *task);
void crossbeam_consume_marked(const void *channel, struct crossbeam_task *task);
void crossbeam_serve(const void *there, const void *back, struct crossbeam_task *task);
void crossbeam_answer(const void *there, const void *back, struct crossbeam_task *task);

enum { BYTES = 256, MARK = 48 };

static void *open(const struct bench_params *params)
{
	void *channel = crossbeam_open(params->event_bytes / 8, params->capacity);

	if (channel == NULL)
		bench_fail("crossbeam-channel: events of %u bytes", params->event_bytes);
	return channel;
}

static void produce(void *channel, struct bench_task *task)
{
	struct crossbeam_task t = { .events = task->events,
				    .value = task->value,
				    .mark = (uint64_t)task->index << MARK };

	crossbeam_produce(channel, &t);
	task->value = t.value;
}

static void consume(void *channel, struct bench_task *task)
{
	struct crossbeam_task t = { .events = task->events };

	if (task->producers > 1) {
		memcpy(t.seen, task->seen, sizeof(t.seen));
		crossbeam_consume_marked(channel, &t);
		memcpy(task->seen, t.seen, sizeof(t.seen));
	} else {
		crossbeam_consume(channel, &t);
	}
	task->sum += t.sum;
	task->torn |= t.torn;
	task->wrong |= t.wrong;
}

static void serve(void *const *channels, struct bench_task *task)
{
	struct crossbeam_task t = { .events = task->events, .value = task->value };

	if (task->took == NULL)
		crossbeam_serve(channels[0], channels[1], &t);
	for (uint64_t i = 0; task->took != NULL && i < task->events; i++) {
		uint64_t began = disruptor_now();

		t.events = 1;
		crossbeam_serve(channels[0], channels[1], &t);
		task->took[i] = disruptor_now() - began;
	}
	task->value = t.value;
	task->torn |= t.torn;
}

static void answer(void *const *channels, struct bench_task *task)
{
	struct crossbeam_task t = { .events = task->events };

	crossbeam_answer(channels[0], channels[1], &t);
	task->torn |= t.torn;
}

static const struct bench_subject subject_crossbeam = {
	.name = "crossbeam-channel",
	.waits = "spin, park",
	.open = open,
	.close = crossbeam_close,
	.produce = produce,
	.consume = consume,
	.serve = serve,
	.answer = answer,
};

#define SUBJECT &subject_crossbeam
#else
enum { BYTES = 256 };
#define SUBJECT NULL
#endif

static const char *const scenarios[] = {
	"pingpong", "unicast", "sizes", "producers", "three", NULL
};

const struct bench_peer peer_crossbeam = {
	.name = "crossbeam-channel",
	.package = "librust-crossbeam-channel-dev",
	.config = "bounded(capacity), send and recv, which spin and then park; its loops in Rust",
	.subject = SUBJECT,
	.scenarios = scenarios,
	.producers = BENCH_PRODUCERS,
	.event_bytes = BYTES,
	.sized = true,
};
