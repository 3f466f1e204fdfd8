/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Waiting: a stage behind one that sleeps 300 ms for each event, each on a
 * thread of its own. What is measured is the processor time of the waiting one.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <errno.h>
#include <time.h>

struct waiting_event {
	uint64_t value;
};

DISRUPTOR_EVENT(waiting_event, struct waiting_event, DISRUPTOR_U64(struct waiting_event, value));

enum { EVENTS = 8, SLEEP_MS = 300 };

/** What the waiting stage saw. */
struct waiter {
	uint64_t seen;
	uint64_t wrong;
	double cpu_ms; /* of its thread, from on_start to on_stop */
	uint64_t began, ended;
};

static void must(bool good, const char *what)
{
	if (!good)
		bench_fail("%s: %s", what, disruptor_error_detail());
}

static double thread_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		bench_fail("this system does not tell a thread's processor time");
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Each event is released when it is done with, so that the other stage may go on. */
static int on_slow(void *context, void *event, uint64_t position, int last)
{
	struct timespec left = { .tv_nsec = SLEEP_MS * 1000000L };

	(void)context, (void)event, (void)position, (void)last;
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
	return DISRUPTOR_RELEASE;
}

static int on_start(void *context)
{
	struct waiter *w = context;

	w->cpu_ms = thread_ms();
	w->began = disruptor_now();
	return 0;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct waiter *w = context;

	(void)last;
	w->wrong |= ((const struct waiting_event *)event)->value ^ position;
	w->seen++;
	return DISRUPTOR_CONTINUE;
}

static int on_stop(void *context)
{
	struct waiter *w = context;

	w->ended = disruptor_now();
	w->cpu_ms = thread_ms() - w->cpu_ms;
	return 0;
}

static void publish(struct disruptor *d)
{
	struct waiting_event_producer producer;

	must(waiting_event_producer_open(&producer, disruptor_ring(d), NULL) == 0,
	     "opening a producer");
	for (uint64_t i = 0; i < EVENTS; i++) {
		struct waiting_event *event = waiting_event_claim(&producer);

		must(event != NULL, "claiming");
		event->value = i;
		must(waiting_event_publish(&producer) == 0, "publishing");
	}
	must(waiting_event_producer_close(&producer) == 0, "closing a producer");
}

static void waiting_cpu(const struct bench_entry *entry, const struct bench_params *params,
			struct bench_sample *sample)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = params->capacity,
						   .wait = params->wait,
						   .rung = params->rung };
	const struct disruptor_executor executor = { .size = sizeof(executor),
						     .mapping = DISRUPTOR_MAP_DEDICATED };
	struct waiter w = { 0 };
	const struct disruptor_handler slow = {
		.size = sizeof(slow), .name = "slow", .reads = "", .on_event = on_slow
	};
	const struct disruptor_handler waits = { .size = sizeof(waits),
						 .name = "waiting",
						 .context = &w,
						 .reads = "value",
						 .on_start = on_start,
						 .on_event = on_event,
						 .on_stop = on_stop };
	struct disruptor_stage *stages[2];
	struct disruptor *d;

	(void)entry;
	must(disruptor_create(&d, &waiting_event_type, &options) == 0, "creating a disruptor");
	stages[0] = disruptor_stage(d, &slow);
	stages[1] = disruptor_stage(d, &waits);
	must(stages[0] != NULL && stages[1] != NULL, "adding stages");
	must(disruptor_pipeline(stages, 2) == 0, "ordering the stages");
	must(disruptor_set_executor(d, &executor) == 0, "setting the executor");
	must(disruptor_start(d) == 0, "starting");
	publish(d);
	must(disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) == 0, "stopping");
	if (w.seen != EVENTS || w.wrong != 0)
		bench_fail("the waiting stage saw %llu of %d events, or others",
			   (unsigned long long)w.seen, EVENTS);
	sample->seconds = (double)(w.ended - w.began) / 1e9;
	sample->value = w.cpu_ms / sample->seconds;
	sample->rung = disruptor_rung_name(disruptor_ring_info(disruptor_ring(d)).rung);
	sample->stages = sample->threads = 2;
	must(disruptor_destroy(&d) == 0, "destroying");
}

const struct bench_scenario scenario_waiting = {
	.name = "waiting",
	.what = "processor time of a stage whose upstream sleeps 300 ms an event, in a second",
	.unit = "ms of CPU/s",
	.better = BENCH_LESS,
	.bars = { { .bar = 20 } },
	.rounds = 3,
	.seconds = EVENTS * SLEEP_MS / 1e3,
	.defaults = BENCH_PARAMS(8, 64, BLOCKING),
	.entries = { { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = waiting_cpu,
};
