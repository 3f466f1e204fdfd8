/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Unicast, repeated until its worst is known.
 *
 * A host may move a virtual machine's CPUs many times a second, to cores that
 * share a cache or to such as share none, which is a change of three to five
 * times to whatever is measured. So a sample is made of slices of some
 * milliseconds, and between each two of them a bare line's round trip tells
 * what the machine is like: beside a slice that counts it has stayed what it
 * was. The sample is what those of them come to that the machine treated alike,
 * fast and slow ones together.
 */
#include "bench.h"

#include <math.h>

enum {
	SLICES = 12,
	SLICES_ALIKE = 3 /* fewer, and the sample tells nothing */
};

/** The sample is what those slices come to together that the machine treated alike: the most of them. */
static void sum_up(struct bench_beside *slice, unsigned n, struct bench_sample *sample)
{
	unsigned first = 0, most = 0;
	double took = 0; /* of as many events each */

	bench_sort_beside(slice, n);
	for (unsigned from = 0, to; from < n; from = to) {
		to = bench_alike(slice, n, from);
		if (to - from > most) {
			first = from;
			most = to - from;
		}
	}
	sample->value = sample->line = NAN;
	if (most < SLICES_ALIKE)
		return;
	for (unsigned i = first; i < first + most; i++)
		took += 1 / slice[i].value;
	sample->value = most / took;
	sample->line = slice[first + most / 2].line;
}

/** Take one; what it used is added to the sample's. In millions of events a second. */
static double take_slice(const struct bench_entry *entry, const struct bench_params *params,
			 struct bench_sample *sample)
{
	const struct bench_usage none = { 0 };
	struct bench_sample slice = { .sleeps = -1 };

	bench_throughput(entry, params, &slice);
	slice.seconds += sample->seconds;
	slice.events += sample->events;
	if (sample->sleeps > 0)
		slice.sleeps += sample->sleeps;
	bench_usage_add(&slice.usage, &none, &sample->usage);
	*sample = slice;
	return slice.value;
}

static void sample_steady(const struct bench_entry *entry, const struct bench_params *params,
			  struct bench_sample *sample)
{
	struct bench_params part = *params;
	struct bench_beside slice[SLICES];
	double before = bench_line_now(params);
	unsigned n = 0;

	part.events = params->events > SLICES ? params->events / SLICES : 1;
	for (int i = 0; i < SLICES; i++) {
		double value = take_slice(entry, &part, sample), behind = bench_line_now(params);

		if (bench_one_speed(before, behind))
			slice[n++] = (struct bench_beside){ fmax(before, behind), value };
		before = behind;
	}
	sum_up(slice, n, sample);
}

const struct bench_scenario scenario_steady = {
	.name = "steady",
	.what = "unicast, 20 times at each size: how far its worst is from its best",
	BENCH_STREAM,
	.bars = { { .bar = 0.5, .against = BENCH_OWN_BEST } },
	.rounds = 20,
	.sample_seconds = 0.02,
	.points = bench_sizes,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = { { .subject = &limit_alone, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = sample_steady,
};
