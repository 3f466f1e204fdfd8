/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What most clients begin with, whoever runs them. */
#include "model.h"

struct disruptor_options model_options(uint64_t capacity)
{
	struct disruptor_options o = { .size = sizeof(o), .capacity = capacity };

	o.rung = model_rung();
	o.wait = disruptor_wait_blocking();
	o.wait.spins = 0;
	o.wait.yields = 0;
	o.max_consumers = 4;
	o.allocator = model_allocator();
	return o;
}

struct disruptor_ring *model_ring(const struct disruptor_options *options)
{
	struct disruptor_ring *r;

	model_ok(disruptor_ring_create(&r, &tick_type, options));
	return r;
}

void model_check(int rc, const char *what, const char *file, unsigned line)
{
	if (rc != 0)
		model_failed(disruptor_error_detail()[0] ? disruptor_error_detail() : what, file,
			     line);
}
