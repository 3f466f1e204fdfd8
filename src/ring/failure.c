/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Why a ring has failed, and telling those who are refused for it. */
#include "error.h"
#include "ring/ring.h"

struct disruptor_failure disruptor_ring_failure(const struct disruptor_ring *r)
{
	struct disruptor_ring *locked = (struct disruptor_ring *)r;
	struct disruptor_failure failure;

	ring_lock(locked);
	failure = r->failure;
	ring_unlock(locked);
	return failure;
}

int ring_failed_by(const struct disruptor_failure *f)
{
	if (f->detail[0])
		return error_set(DISRUPTOR_E_FAILED, "stage '%s' failed: %s %s, at position %llu",
				 f->stage, f->hook, f->detail, (unsigned long long)f->position);
	return error_set(DISRUPTOR_E_FAILED, "stage '%s' failed: %s answered %d at position %llu",
			 f->stage, f->hook, f->code, (unsigned long long)f->position);
}

void ring_tell_failure(const struct disruptor_ring *r)
{
	const struct disruptor_failure failure = disruptor_ring_failure(r);

	if (failure.code != 0)
		(void)ring_failed_by(&failure);
}
