/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unicast, swept: over sizes of events and of rings. */
#include "bench.h"

/* The larger events in fewer slots: 2 MiB of them at most. */
const struct bench_point bench_sizes[] = {
	{ .label = "8 B", .event_bytes = 8, .capacity = 8192 },
	{ .label = "16 B", .event_bytes = 16, .capacity = 8192 },
	{ .label = "32 B", .event_bytes = 32, .capacity = 8192 },
	{ .label = "64 B", .event_bytes = 64, .capacity = 8192 },
	{ .label = "128 B", .event_bytes = 128, .capacity = 8192 },
	{ .label = "256 B", .event_bytes = 256, .capacity = 8192 },
	{ .label = "1 KiB", .event_bytes = 1024, .capacity = 2048 },
	{ .label = "4 KiB", .event_bytes = 4096, .capacity = 512 },
	{ .label = NULL },
};

#define BESIDE_MEMORY                                                                              \
	{                                                                                          \
		{ .subject = &limit_copy, .role = BENCH_LIMIT }, { .subject = &limit_alone },      \
			{ .subject = &limit_cursor },                                              \
			{ .subject = &subject_disruptor, .role = BENCH_MAIN },                     \
			{ .subject = &subject_disruptor, .role = BENCH_AGAIN },                    \
	}

const struct bench_scenario scenario_sizes = {
	.name = "sizes",
	.what = "unicast, events of 8 B to 4 KiB",
	BENCH_STREAM,
	.rounds = 15,
	.sample_seconds = 0.016,
	.points = bench_sizes,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = BESIDE_MEMORY,
	.sample = bench_throughput,
};

static const struct bench_point capacities[] = {
	{ .label = "256 slots", .capacity = 256 },
	{ .label = "4096 slots", .capacity = 4096 },
	{ .label = "65536 slots", .capacity = 65536 },
	{ .label = "1 Mi slots", .capacity = 1 << 20 },
	{ .label = "4 Mi slots", .capacity = 1 << 22 },
	{ .label = NULL },
};

const struct bench_scenario scenario_capacity = {
	.name = "capacity",
	.what = "unicast, rings that fit the nearest cache to such as fit none",
	BENCH_STREAM,
	.rounds = 11,
	.sample_seconds = 0.03,
	.points = capacities,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = BESIDE_MEMORY,
	.sample = bench_throughput,
};

const struct bench_scenario scenario_array = {
	.name = "array",
	.what = "unicast, events of 2048 words that are all written and all read",
	BENCH_STREAM,
	.rounds = 31,
	.defaults = BENCH_PARAMS(2048 * 8, 64, BUSY_SPIN),
	.entries = { { .subject = &limit_copy, .role = BENCH_LIMIT },
		     { .subject = &limit_alone },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};
