/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The table of ways. The first is what the others are compared with. */
#include "way.h"

const struct way ways[] = {
	{ "disruptor", "one ring: an event is claimed, parsed in place and published by itself", 1,
	  via_disruptor },
	{ "pipe", "pipe(2), as large as the ring; up to 64 KiB a write, less when the source idles",
	  0, via_pipe },
	{ "queue", "mutex and conditions, signalled at the empty and full edge; an event a lock", 1,
	  via_queue },
	{ "queue-64", "the same; up to 64 events a lock, fewer when the source idles", 64,
	  via_queue },
};
const size_t way_count = sizeof(ways) / sizeof(ways[0]);
