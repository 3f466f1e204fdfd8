/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Why a ring has failed, and telling those who are refused for it. What has failed may be another
 * process's, or be gone: so the tables have the failure, all but its detail, and a name is the
 * reader's own copy.
 */
#include "error.h"
#include "ring/repair.h"
#include "ring/ring.h"

#include <string.h>

static const char *const hooks[] = { "a handler", "on_start", "on_batch", "on_event",
				     "on_span",   "on_idle",  "on_stop",  "wait" };

#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

static uint32_t hook_number(const char *name)
{
	for (uint32_t i = 1; i < HOOKS; i++)
		if (strcmp(hooks[i], name) == 0)
			return i;
	return 0;
}

const char *ring_hook_name(uint32_t hook)
{
	return hooks[hook < HOOKS ? hook : 0];
}

void ring_keep_failure(struct disruptor_ring *r, const struct disruptor_failure *failure)
{
	struct ring_common *c = r->common;

	if (c->failed_code != 0)
		return;
	memcpy(r->failed_detail, failure->detail, sizeof(r->failed_detail));
	c->failed_at = failure->position;
	c->failed_hook = hook_number(failure->hook);
	memset(c->failed_stage, 0, sizeof(c->failed_stage));
	memcpy(c->failed_stage, failure->stage, strlen(failure->stage)); /* at most 31 */
	ring_step();
	c->failed_code = failure->code;
}

void ring_forget_failure(struct disruptor_ring *r)
{
	r->common->failed_code = 0;
	r->failed_detail[0] = '\0';
}

struct disruptor_failure disruptor_ring_failure(const struct disruptor_ring *r)
{
	static _Thread_local char stage[sizeof(r->common->failed_stage)];
	struct disruptor_ring *locked = (struct disruptor_ring *)r;
	const struct ring_common *c = r->common;
	struct disruptor_failure f = { .stage = stage };
	uint32_t hook;

	ring_lock(locked);
	f.code = c->failed_code;
	f.position = c->failed_at;
	hook = c->failed_hook;
	/* what others may write need not end */
	memcpy(stage, c->failed_stage, sizeof(stage) - 1);
	memcpy(f.detail, r->failed_detail, sizeof(f.detail));
	ring_unlock(locked);
	f.hook = ring_hook_name(hook);
	return f.code != 0 ? f : (struct disruptor_failure){ 0 };
}

int ring_failed_by(const struct disruptor_failure *f)
{
	if (f->detail[0])
		return error_set(DISRUPTOR_E_FAILED, "stage '%s' failed: %s %s, at position %llu",
				 f->stage, f->hook, f->detail, (unsigned long long)f->position);
	return error_set(DISRUPTOR_E_FAILED, "stage '%s' failed: %s answered %d at position %llu",
			 f->stage, f->hook, f->code, (unsigned long long)f->position);
}

int ring_tell_failure(const struct disruptor_ring *r)
{
	const struct disruptor_failure failure = disruptor_ring_failure(r);

	return failure.code != 0 ? ring_failed_by(&failure) : 0;
}
