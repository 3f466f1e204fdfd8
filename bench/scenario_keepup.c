/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Keep-up: the producer works for about 5 ns on each event, and the consumer,
 * which is faster, runs right behind it: the load of most real programs. What
 * is measured is what publishing adds to the producer's work: its loop with
 * publishing less the same loop without, both in every sample.
 */
#include "bench.h"
#include "loop.h"

static const double work_target = 5; /* ns an event */

struct calibration {
	double step; /* ns a step of the work */
};

static double time_work(uint32_t steps)
{
	const uint64_t events = 2000000;
	uint64_t value = 0;
	uint64_t began = disruptor_now();

	for (uint64_t i = 0; i < events; i++)
		value = loop_work(value, steps);

	double took = (double)(disruptor_now() - began);

	return value == 0 ? 0 : took / (double)events; /* never 0, but the work must be done */
}

static void calibrate(void *context)
{
	struct calibration *c = context;

	for (int i = 0; i < 5; i++) { /* the quickest: disturbances only add */
		double step = time_work(LOOP_WORK) / LOOP_WORK;

		if (c->step == 0 || step < c->step)
			c->step = step;
	}
}

static void prepare(struct bench_params *params)
{
	struct calibration c = { 0 };
	struct bench_side side = { calibrate, &c };
	uint32_t steps;

	bench_run_sides(1, params->cpus, &side);
	steps = (uint32_t)(work_target / c.step + 0.5);
	params->work = steps < 1 ? 1 : steps > LOOP_WORK ? LOOP_WORK : steps;
}

static void publish_cost(const struct bench_entry *entry, const struct bench_params *params,
			 struct bench_sample *sample)
{
	struct bench_stream stream;
	double events;

	bench_stream(entry, params, &stream);
	events = stream.events;
	sample->value = (stream.sent - stream.alone) / events;
	sample->work = stream.alone / events;
	bench_tell_stream(&stream, sample);
}

const struct bench_scenario scenario_keepup = {
	.name = "keepup",
	.what = "cost of a publish while the consumer keeps up, the producer's own work subtracted",
	.unit = "ns/publish",
	.better = BENCH_LESS,
	.bars = { { .bar = 0.3, .against = "limit:cursor" } },
	.threads = true,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = { { .subject = &limit_store },
		     { .subject = &limit_cursor, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:blocking",
		       .wait = DISRUPTOR_WAIT_BLOCKING },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.prepare = prepare,
	.sample = publish_cost,
};
