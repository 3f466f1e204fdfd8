/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Idle: a stage waits on its ring, a producer is open and says nothing. What
 * is measured is the processor time of the whole process meanwhile.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

struct idle_event {
	uint64_t value;
};

DISRUPTOR_EVENT(idle_event, struct idle_event, DISRUPTOR_U64(struct idle_event, value));

static const double idle_seconds = 2;

static void must(bool good, const char *what)
{
	if (!good)
		bench_fail("%s: %s", what, disruptor_error_detail());
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void sleep_for(double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds,
				 .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	(void)event;
	(void)position;
	(void)last;
	++*(uint64_t *)context;
	return DISRUPTOR_CONTINUE;
}

static void idle_cpu(const struct bench_entry *entry, const struct bench_params *params,
		     struct bench_sample *sample)
{
	struct disruptor_options options = { .size = sizeof(options),
					     .capacity = params->capacity,
					     .wait = params->wait,
					     .rung = params->rung };
	uint64_t seen = 0;
	struct disruptor_handler handler = {
		.size = sizeof(handler), .name = "idle", .context = &seen, .on_event = on_event
	};
	struct idle_event_producer producer;
	struct disruptor *d;

	(void)entry;
	must(disruptor_create(&d, &idle_event_type, &options) == 0, "creating a disruptor");
	must(disruptor_stage(d, &handler) != NULL, "adding a stage");
	must(idle_event_producer_open(&producer, disruptor_ring(d), NULL) == 0,
	     "opening a producer");
	must(disruptor_start(d) == 0, "starting");

	double before = cpu_ms();

	sleep_for(idle_seconds);
	sample->value = cpu_ms() - before;
	sample->seconds = idle_seconds;
	sample->rung = disruptor_rung_name(disruptor_ring_info(disruptor_ring(d)).rung);

	/* it was alive all the while */
	struct idle_event *event = idle_event_claim(&producer);

	must(event != NULL && idle_event_publish(&producer) == 0, "publishing");
	must(idle_event_producer_close(&producer) == 0, "closing a producer");
	must(disruptor_stop(d, DISRUPTOR_DRAIN, disruptor_in(UINT64_C(5000000000))) == 0,
	     "stopping");
	if (seen != 1)
		bench_fail("the idle stage did not wake for an event");
	must(disruptor_destroy(&d) == 0, "destroying");
}

const struct bench_scenario scenario_idle = {
	.name = "idle",
	.what = "processor time of the whole process in 2 s, a stage waiting and a producer open",
	.unit = "ms of CPU",
	.better = BENCH_LESS,
	.bars = { { .bar = 10 } },
	.rounds = 3,
	.seconds = 2,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = idle_cpu,
};
