/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#include "shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char shared_directory[64];

int shared_setup(void **state)
{
	(void)state;
	(void)snprintf(shared_directory, sizeof(shared_directory), "/tmp/disruptor-test-XXXXXX");
	return mkdtemp(shared_directory) ? 0 : -1;
}

int shared_teardown(void **state)
{
	(void)state;
	return rmdir(shared_directory);
}

bool shared_there_are(void)
{
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;

	if (disruptor_segment_make(&s, &tick_type, &ring, NULL) == DISRUPTOR_E_UNSUPPORTED) {
		puts("skipped: no memory between processes on this platform layer");
		return false;
	}
	(void)disruptor_segment_close(&s);
	return true;
}

bool shared_there_are_on_this_rung(void)
{
	if (fixture_rung() != DISRUPTOR_RUNG_MUTEX)
		return shared_there_are();
	puts("skipped: this rung is one process's own");
	return false;
}

struct disruptor_segment_options shared_where(unsigned flags)
{
	return (struct disruptor_segment_options){ .size = sizeof(struct disruptor_segment_options),
						   .directory = shared_directory,
						   .flags = flags };
}

struct disruptor_options shared_options(uint64_t capacity, enum disruptor_producers producers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.producers = producers;
	if (o.rung == DISRUPTOR_RUNG_MUTEX)
		o.rung = DISRUPTOR_RUNG_AUTO;
	return o;
}
