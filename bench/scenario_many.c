/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Streaming from several producers, and to several consumers: scenario_stream.c
 * with more threads than there are processors, so that waiting must let others
 * run.
 */
#include "bench.h"

static const struct bench_point producers[] = {
	{ .label = "2 producers", .producers = 2 },
	{ .label = "4 producers", .producers = 4 },
	{ .label = "8 producers", .producers = 8 },
	{ .label = NULL },
};

const struct bench_scenario scenario_producers = {
	.name = "producers",
	.what = "several producers to one consumer",
	BENCH_STREAM,
	.bars = { { .bar = 3, .against = BENCH_BEST_ORDERED },
		  { .bar = 1, .against = "moodycamel::ConcurrentQueue", .peer = true } },
	.rounds = 21,
	.sample_seconds = 0.03,
	.points = producers,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_add, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:yielding",
		       .wait = DISRUPTOR_WAIT_YIELDING },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};

static const struct bench_point three[] = {
	{ .label = "3 to 1", .producers = 3 },
	{ .label = NULL },
};

const struct bench_scenario scenario_three = {
	.name = "three",
	.what = "three producers to one consumer",
	BENCH_STREAM,
	.rounds = 21,
	.sample_seconds = 0.03,
	.points = three,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_add, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};

static const struct bench_point consumers[] = {
	{ .label = "1 consumer", .consumers = 1 },
	{ .label = "2 consumers", .consumers = 2 },
	{ .label = "4 consumers", .consumers = 4 },
	{ .label = "8 consumers", .consumers = 8 },
	{ .label = "16 consumers", .consumers = 16 },
	{ .label = "32 consumers", .consumers = 32 },
	{ .label = NULL },
};

const struct bench_scenario scenario_consumers = {
	.name = "consumers",
	.what = "one producer to several consumers, each of which sees every event",
	BENCH_STREAM,
	.rounds = 9,
	.sample_seconds = 0.03,
	.points = consumers,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_alone, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:yielding",
		       .wait = DISRUPTOR_WAIT_YIELDING },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};
