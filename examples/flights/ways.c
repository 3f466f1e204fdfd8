/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The table of ways. The first is what the others are compared with. */
#include "way.h"

const struct way ways[] = {
	{ "disruptor", "one ring: each event is parsed in place and published by itself", 1,
	  via_disruptor },
	{ "pipe", "pipe(2), each as large; up to 64 KiB a write, less in a pause", 0, via_pipe },
	{ "queue", "mutex and conditions, signalled at the edges only; one event a lock", 1,
	  via_queue },
	{ "queue-64", "the same; up to 64 events a lock, fewer in a pause", 64, via_queue },
};
const size_t way_count = sizeof(ways) / sizeof(ways[0]);
