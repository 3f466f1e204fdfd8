/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unicast, swept: over sizes of events and of rings, and repeated until its worst is known. */
#include "bench.h"

#define SPINNING(bytes, slots)                                                                     \
	{                                                                                          \
		.event_bytes = (bytes), .capacity = (slots), .batch = 1,                           \
		.wait = { .kind = DISRUPTOR_WAIT_BUSY_SPIN },                                      \
	}

/* The larger events in fewer slots: 2 MiB of them at most. */
static const struct bench_point sizes[] = {
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

const struct bench_scenario scenario_sizes = {
	.name = "sizes",
	.what = "unicast, events of 8 B to 4 KiB",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.threads = true,
	.rounds = 5,
	.sample_seconds = 0.04,
	.points = sizes,
	.defaults = SPINNING(8, 8192),
	.entries = { { .subject = &limit_copy, .role = BENCH_LIMIT },
		     { .subject = &limit_alone },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};

const struct bench_scenario scenario_steady = {
	.name = "steady",
	.what = "unicast, 20 times at each size: how far its worst is from its best",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.bars = { { .bar = 0.5, .against = BENCH_OWN_BEST } },
	.threads = true,
	.rounds = 20,
	.sample_seconds = 0.02,
	.points = sizes,
	.defaults = SPINNING(8, 8192),
	.entries = { { .subject = &limit_alone, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
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
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.threads = true,
	.rounds = 5,
	.sample_seconds = 0.06,
	.points = capacities,
	.defaults = SPINNING(8, 8192),
	.entries = { { .subject = &limit_copy, .role = BENCH_LIMIT },
		     { .subject = &limit_alone },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};

const struct bench_scenario scenario_array = {
	.name = "array",
	.what = "unicast, events of 2048 words that are all written and all read",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.threads = true,
	.rounds = 7,
	.defaults = SPINNING(2048 * 8, 64),
	.entries = { { .subject = &limit_copy, .role = BENCH_LIMIT },
		     { .subject = &limit_alone },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};
