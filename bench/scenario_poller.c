/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Unicast to a consumer that polls from a loop of its own: subject_poller.c. */
#include "bench.h"

const struct bench_scenario scenario_poller = {
	.name = "poller",
	.what = "unicast to a consumer that polls from a loop of its own",
	BENCH_STREAM,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = { { .subject = &limit_store, .role = BENCH_LIMIT },
		     { .subject = &limit_cursor },
		     { .subject = &subject_poller, .role = BENCH_MAIN },
		     { .subject = &subject_driven },
		     { .subject = &subject_disruptor, .name = "disruptor:unicast" },
		     { .subject = &subject_poller, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};
