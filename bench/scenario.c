/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The scenarios there are, in the order in which `all` runs them. */
#include "bench.h"

const struct bench_scenario *const bench_scenarios[] = {
	&scenario_pingpong,       &scenario_pingpong_one, &scenario_wakeup,    &scenario_burst,
	&scenario_unicast,        &scenario_sizes,        &scenario_capacity,  &scenario_steady,
	&scenario_array,          &scenario_batch,        &scenario_poller,    &scenario_blocking,
	&scenario_keepup,         &scenario_producers,    &scenario_three,     &scenario_threes,
	&scenario_consumers,      &scenario_pipeline,     &scenario_multicast, &scenario_diamond,
	&scenario_oversubscribed, &scenario_shared,       &scenario_stats,     &scenario_wide,
	&scenario_create,         &scenario_waiting,      &scenario_idle,      NULL,
};
