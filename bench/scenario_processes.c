/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Between processes: the same ring as between threads, in a segment. A ping-pong, a stream, and a
 * ping-pong in which each side sleeps; beside the same between threads, and beside what the kernel
 * offers, which does not care whose the two threads are.
 */
#include "bench.h"

#include <string.h>

static const char *unavailable(void)
{
	return strcmp(disruptor_version().platform, "linux") == 0
		       ? NULL
		       : "rings between processes need Linux";
}

const struct bench_scenario scenario_processes = {
	.name = "processes",
	.what = "a round trip of one event over two rings between two processes",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.bars = { { .bar = 1.05, .against = "disruptor:threads" },
		  { .bar = 0.02, .against = "pipe" },
		  { .bar = 0.02, .against = "socket" },
		  { .bar = 0.5, .entry = "disruptor:default", .against = "pipe" },
		  { .bar = 0.5, .entry = "disruptor:default", .against = "socket" },
		  { .bar = 1, .against = "iceoryx", .peer = true } },
	.threads = true,
	.defaults = BENCH_PARAMS(32, 1024, BUSY_SPIN),
	.entries = { { .subject = &limit_line, .role = BENCH_LIMIT },
		     { .subject = &subject_process, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .name = "disruptor:threads" },
		     { .subject = &subject_process,
		       .name = "disruptor:default",
		       .wait = DISRUPTOR_WAIT_BLOCKING },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_process, .role = BENCH_AGAIN } },
	.unavailable = unavailable,
	.sample = bench_round_trip,
};

const struct bench_scenario scenario_processes_stream = {
	.name = "processes-stream",
	.what = "one producer to one consumer in another process, one event a publish",
	BENCH_STREAM,
	.bars = { { .bar = 0.95, .against = "disruptor:threads" } },
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = { { .subject = &limit_store, .role = BENCH_LIMIT },
		     { .subject = &subject_process, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .name = "disruptor:threads" },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_process, .role = BENCH_AGAIN } },
	.unavailable = unavailable,
	.sample = bench_throughput,
};

const struct bench_scenario scenario_processes_wakeup = {
	.name = "processes-wakeup",
	.what = "a round trip between two processes, each of which sleeps and is woken",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.bars = { { .bar = 1.11, .against = "pipe" }, { .bar = 1.11, .against = "socket" } },
	.threads = true,
	.latency = true,
	.rounds = 15,
	.sample_seconds = 0.08,
	.defaults = BENCH_PARAMS(32, 1024, BLOCKING),
	.entries = { { .subject = &limit_futex, .role = BENCH_LIMIT },
		     { .subject = &subject_process, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .name = "disruptor:threads" },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_process, .role = BENCH_AGAIN } },
	.unavailable = unavailable,
	.sample = bench_wake_up,
};
