/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A checked run: does a handler write only what it declares?
 *
 * The stage's on_event is replaced by one that copies the event, calls the
 * handler and compares; so an ordinary run pays nothing. What a stage beside
 * it writes meanwhile, rightly, would be laid at the handler's door: so the
 * handlers of one event take turns. Turns are by the event, not by a table of
 * locks that different events share: a handler that waits, for room in another
 * ring, say, must not hold up the stages at other events, which may be who
 * makes that room.
 */
#include "error.h"
#include "graph/check.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

struct bytes {
	uint32_t from, to;
};

struct stage_check {
	struct bytes *closed; /* what its handler must not change */
	uint32_t closed_count;
	uint32_t changed;      /* the first byte that it did */
	unsigned char *before; /* the event, as it was */
	/* under the run's monitor */
	uint64_t in_hand; /* the event in its handler, or STAGE_NOWHERE */
	uint64_t thread;
};

struct checked_run {
	struct os_monitor turns;
	uint32_t waiting; /* for their turn */
	uint32_t count;
	size_t bytes;
	struct stage_check stages[];
};

/* ---- turns ---- */

/* A thread does not wait for itself, should a handler run another stage. */
static bool is_taken(const struct checked_run *run, const struct stage_check *own,
		     uint64_t position)
{
	for (uint32_t i = 0; i < run->count; i++) {
		const struct stage_check *c = &run->stages[i];

		if (c != own && c->in_hand == position && c->thread != os_thread_id())
			return true;
	}
	return false;
}

static void enter(struct checked_run *run, struct stage_check *own, uint64_t position)
{
	os_lock(&run->turns);
	run->waiting++;
	while (is_taken(run, own, position))
		(void)os_monitor_wait(&run->turns, DISRUPTOR_FOREVER);
	run->waiting--;
	own->in_hand = position;
	own->thread = os_thread_id();
	os_unlock(&run->turns);
}

static void leave(struct checked_run *run, struct stage_check *own)
{
	os_lock(&run->turns);
	own->in_hand = STAGE_NOWHERE;
	if (run->waiting > 0)
		os_broadcast(&run->turns);
	os_unlock(&run->turns);
}

/* ---- one event ---- */

static bool is_unchanged(struct stage_check *c, const unsigned char *event)
{
	for (uint32_t i = 0; i < c->closed_count; i++) {
		uint32_t at = c->closed[i].from;

		if (memcmp(c->before + at, event + at, c->closed[i].to - at) == 0)
			continue;
		while (c->before[at] == event[at])
			at++;
		c->changed = at;
		return false;
	}
	return true;
}

/* A span handler is handed spans of one event, so that it can be said which it was. */
static int call_with_span(const struct disruptor_stage *s, void *event, uint64_t position, int last)
{
	const struct disruptor_span span = {
		.first = event, .stride = s->consumer.stride, .count = 1, .position = position
	};
	uint64_t handled = 1;
	int verdict = s->handler.on_span(s->handler.context, &span, &handled, last);

	if (handled > 1 || (handled == 0 && verdict >= 0 && verdict != DISRUPTOR_RETRY &&
			    verdict != DISRUPTOR_REWIND))
		return DISRUPTOR_E_INVAL;
	return verdict;
}

static int checked_on_event(void *context, void *event, uint64_t position, int last)
{
	struct disruptor_stage *s = context;
	struct checked_run *run = s->owner->checked;
	struct stage_check *c = s->check;
	bool unchanged;
	int verdict;

	enter(run, c, position);
	if (c->closed_count != 0)
		memcpy(c->before, event, s->owner->ring->type->size);
	verdict = s->handler.on_span
			  ? call_with_span(s, event, position, last)
			  : s->handler.on_event(s->handler.context, event, position, last);
	unchanged = is_unchanged(c, event);
	leave(run, c);
	if (unchanged)
		return verdict;
	s->in_conflict = true;
	return DISRUPTOR_E_CONFLICT;
}

int checked_run_fail(struct disruptor_stage *s, uint64_t position)
{
	const struct disruptor_type *type = s->owner->ring->type;
	struct disruptor_failure failure = { .code = DISRUPTOR_E_CONFLICT,
					     .stage = s->name,
					     .hook = s->handler.on_span ? "on_span" : "on_event",
					     .position = position };
	uint32_t at = s->check->changed;
	uint32_t i = 0;

	s->in_conflict = false;
	while (i < type->field_count &&
	       (at < type->fields[i].offset || at - type->fields[i].offset >= type->fields[i].size))
		i++;
	if (i < type->field_count)
		(void)snprintf(failure.detail, sizeof(failure.detail),
			       "changed %s (byte %u), which it does not declare to write",
			       type->fields[i].name, at);
	else
		(void)snprintf(failure.detail, sizeof(failure.detail),
			       "changed padding at byte %u, which it does not declare to write",
			       at);
	graph_fail(s->owner, &failure);
	return failure.code;
}

/* ---- before the run ---- */

/* What lies between the fields that @p s declares to write, in order; undeclared is everything. */
static void find_closed(const struct disruptor_stage *s, struct stage_check *c)
{
	const struct disruptor_type *type = s->owner->ring->type;
	struct touched t;

	for (uint32_t at = 0; at < type->size;) {
		uint32_t to = type->size, written = at;

		for (uint32_t i = 0; check_next(type, &s->writes, &i, &t);) {
			if (t.from <= at && t.to > written)
				written = t.to;
			if (t.from > at && t.from < t.to && t.from < to)
				to = t.from;
		}
		if (written == at)
			c->closed[c->closed_count++] = (struct bytes){ at, to };
		at = written == at ? to : written;
	}
}

void checked_run_release(struct disruptor *d)
{
	struct checked_run *run = d->checked;

	for_each_stage (s, d) {
		s->on_event = s->handler.on_event;
		s->event_context = s->handler.context;
		s->check = NULL;
	}
	d->checked = NULL;
	if (!run)
		return;
	os_monitor_destroy(&run->turns);
	graph_release(&d->allocator, run, run->bytes);
}

/* Each stage's ranges lie behind the stages, and the copies behind them. */
static void place(struct disruptor *d, struct checked_run *run)
{
	const struct disruptor_type *type = d->ring->type;
	struct bytes *closed = (struct bytes *)(void *)&run->stages[run->count];
	unsigned char *before =
		(unsigned char *)(closed + (size_t)run->count * (type->field_count + 1));

	for_each_stage (s, d) {
		size_t i = (size_t)(s - d->stages);
		struct stage_check *c = &run->stages[i];

		c->closed = closed + i * (type->field_count + 1);
		c->before = before + i * type->size;
		c->in_hand = STAGE_NOWHERE;
		find_closed(s, c);
		s->check = c;
		s->on_event = checked_on_event;
		s->event_context = s;
	}
}

int checked_run_prepare(struct disruptor *d)
{
	const struct disruptor_type *type = d->ring->type;
	size_t each = sizeof(struct stage_check) +
		      ((size_t)type->field_count + 1) * sizeof(struct bytes) + type->size;
	size_t bytes = sizeof(struct checked_run) + d->stage_count * each;
	struct checked_run *run;
	int rc;

	checked_run_release(d);
	if (!d->checks || !(d->checks->given.flags & DISRUPTOR_CHECK_RUN))
		return 0;
	run = graph_allocate(&d->allocator, bytes);
	if (!run)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for a checked run", bytes);
	rc = os_monitor_init(&run->turns);
	if (rc != 0) {
		graph_release(&d->allocator, run, bytes);
		return rc;
	}
	run->bytes = bytes;
	run->count = d->stage_count;
	d->checked = run;
	place(d, run);
	return 0;
}
