/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Several handlers as one: every hook reaches every member. */
#include <disruptor/aggregate.h>

#include "error.h"

/* What counts for more: a failure, then the verdicts as the header lists them. */
static int weight(int answer)
{
	static const int verdicts[] = {
		[DISRUPTOR_CONTINUE] = 0, [DISRUPTOR_SKIP] = 1,   [DISRUPTOR_RELEASE] = 2,
		[DISRUPTOR_RETRY] = 3,    [DISRUPTOR_REWIND] = 4, [DISRUPTOR_STOP] = 5,
	};

	/* none of them: the stage makes a failure of it */
	if (answer < 0 || (size_t)answer >= sizeof(verdicts) / sizeof(verdicts[0]))
		return 6;
	return verdicts[answer];
}

static int heavier(int a, int b)
{
	return weight(b) > weight(a) ? b : a;
}

static int each_start(void *context)
{
	struct disruptor_aggregate *a = context;
	int answer = 0;

	for (a->started = 0; a->started < a->count; a->started++) {
		const struct disruptor_handler *m = &a->members[a->started];

		if (m->on_start)
			answer = heavier(answer, m->on_start(m->context));
	}
	return answer;
}

static int each_batch(void *context, uint64_t size, uint64_t depth)
{
	const struct disruptor_aggregate *a = context;
	int answer = 0;

	for (const struct disruptor_handler *m = a->members; m < a->members + a->count; m++)
		if (m->on_batch)
			answer = heavier(answer, m->on_batch(m->context, size, depth));
	return answer;
}

static int each_event(void *context, void *event, uint64_t position, int last)
{
	const struct disruptor_aggregate *a = context;
	int answer = DISRUPTOR_CONTINUE;

	for (const struct disruptor_handler *m = a->members; m < a->members + a->count; m++)
		answer = heavier(answer, m->on_event(m->context, event, position, last));
	return answer;
}

static int each_idle(void *context)
{
	const struct disruptor_aggregate *a = context;
	int answer = 0;

	for (const struct disruptor_handler *m = a->members; m < a->members + a->count; m++)
		if (m->on_idle)
			answer = heavier(answer, m->on_idle(m->context));
	return answer;
}

static int each_stop(void *context)
{
	struct disruptor_aggregate *a = context;
	int answer = 0;

	while (a->started > 0) {
		const struct disruptor_handler *m = &a->members[--a->started];

		if (m->on_stop)
			answer = heavier(answer, m->on_stop(m->context));
	}
	return answer;
}

static void each_rewind(void *context, uint64_t from, uint64_t to)
{
	const struct disruptor_aggregate *a = context;

	for (const struct disruptor_handler *m = a->members; m < a->members + a->count; m++)
		if (m->on_rewind)
			m->on_rewind(m->context, from, to);
}

static int check_members(const struct disruptor_aggregate *a)
{
	if (!a || !a->members || a->count == 0)
		return error_set(DISRUPTOR_E_INVAL, "aggregate: it has no members");
	for (size_t i = 0; i < a->count; i++)
		if (!a->members[i].on_event || a->members[i].on_span)
			return error_set(DISRUPTOR_E_INVAL, "aggregate: members[%zu]: %s", i,
					 a->members[i].on_span ? "on_span is set; use on_event"
							       : "on_event: NULL");
	return 0;
}

struct disruptor_handler disruptor_aggregate_handler(const char *name,
						     struct disruptor_aggregate *a)
{
	struct disruptor_handler h = { .size = sizeof(h), .name = name, .context = a };

	if (check_members(a) != 0)
		return h;
	h.on_start = each_start;
	h.on_batch = each_batch;
	h.on_event = each_event;
	h.on_idle = each_idle;
	h.on_stop = each_stop;
	h.on_rewind = each_rewind;
	return h;
}
