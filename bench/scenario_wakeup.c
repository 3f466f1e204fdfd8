/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Wake-up: a ping-pong in which each side sleeps until the other wakes it. Each
 * lets some time pass before it sends, so that the other has gone to sleep; the
 * blocking strategy here does so without looking around first. How many of the
 * hops ended a sleep is counted, by the subject and by the kernel: a sample in
 * which too many did not is no measurement of waking, and is left out.
 */
#include "bench.h"

#include <math.h>

/* The part of the hops that has to have slept. */
static const double enough = 0.95;

/* Longer than it takes to go to sleep, barrier included. */
enum { PAUSE = 60000 };

/** What part of the hops slept, by the lower of the counts that there are; 0: there are none. */
static double part_that_slept(const struct bench_sample *sample)
{
	double hops = 2 * sample->events, slept = hops;

	if (sample->sleeps >= 0)
		slept = fmin(slept, sample->sleeps);
	if (!isnan(sample->usage.voluntary))
		slept = fmin(slept, sample->usage.voluntary);
	else if (sample->sleeps < 0)
		return 0;
	return fmax(slept / hops, 1e-9);
}

void bench_judge_sleep(struct bench_sample *sample)
{
	sample->slept = part_that_slept(sample);
	if (sample->slept != 0 && sample->slept < enough)
		sample->value = NAN;
}

void bench_wake_up(const struct bench_entry *entry, const struct bench_params *params,
		   struct bench_sample *sample)
{
	struct bench_params own = *params;

	own.wait.spins = own.wait.yields = 0; /* as few looks as it does with */
	bench_slow_round_trip(entry, &own, PAUSE, sample);
	bench_judge_sleep(sample);
}

const struct bench_scenario scenario_wakeup = {
	.name = "wakeup",
	.what = "a round trip over two rings in which each side sleeps and is woken",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.bars = { { .bar = 1.3, .against = BENCH_LIMIT_FUTEX } },
	.threads = true,
	.latency = true,
	.rounds = 15,
	.sample_seconds = 0.08, /* a thousand hops */
	.defaults = BENCH_PARAMS(32, 1024, BLOCKING),
	.entries = { { .subject = &limit_futex, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_wake_up,
};
