/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One stage's run: wait for events, hand them to the handler batch by batch,
 * release them.
 *
 * A request to stop belongs to a run: it is set by whoever asks and consumed
 * when a run ends, never when one begins, so one that comes before the loop is
 * not lost and one that ended a run does not end the next.
 */
#include "error.h"
#include "graph/graph_internal.h"
#include "graph/stats.h"
#include "hook.h"
#include "ring/hold.h"
#include "wait/core.h"

/* Why a batch ended, when it was not its last event. */
enum { BATCH_DONE = 0, BATCH_STOP = 1, BATCH_REWOUND = 2 };

static int fail(struct disruptor_stage *s, const char *hook, uint64_t position, int code)
{
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = hook, .position = position
	};

	graph_fail(s->owner, &failure);
	return code;
}

/* Whether it is to end without another attempt: told to, or the ring has failed. */
static bool is_called_off(const struct disruptor_stage *s)
{
	/* relaxed, both: only whether to try once more; the loop looks again before it ends */
	return disruptor_load_relaxed(&s->consumer.gate->alert) != 0 ||
	       (disruptor_load_relaxed(&s->consumer.shared->state) & DISRUPTOR_STATE_FAILED);
}

/* A hook answered @p code: 0 to go on as if it had not, 1 to call it again, or the failure's code. */
static int hook_failed(struct disruptor_stage *s, const char *hook, int code)
{
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = hook, .position = s->consumer.next
	};

	switch (policy_remedy(s, &failure, DISRUPTOR_REMEDY_FAIL, STAGE_NOWHERE)) {
	case DISRUPTOR_REMEDY_SKIP:
		return 0;
	case DISRUPTOR_REMEDY_RETRY:
	case DISRUPTOR_REMEDY_REWIND:
		return is_called_off(s) ? 0 : 1;
	default:
		return fail(s, hook, failure.position, code);
	}
}

/* 0, or the code of a failure that the policy did not remedy. */
static int call(struct disruptor_stage *s, const char *hook, int (*function)(void *))
{
	int rc;

	if (!function)
		return 0;
	do {
		rc = function(s->handler.context);
		if (disruptor_likely(rc >= 0))
			break;
		rc = hook_failed(s, hook, rc);
	} while (rc > 0);
	if (rc == 0)
		s->attempts.count = 0;
	return rc < 0 ? rc : 0;
}

/* ---- one batch ---- */

struct batch {
	struct consumer_window w;
	uint64_t begin;
	uint64_t at;    /* the event in hand */
	bool released;  /* something of it, early */
	uint64_t voids; /* met so far */
};

static int skip(struct disruptor_stage *s, struct batch *b)
{
	tally(&s->skipped);
	b->at++;
	return BATCH_DONE;
}

static int again(struct disruptor_stage *s, struct batch *b)
{
	tally(&s->retries);
	if (!is_called_off(s))
		return BATCH_DONE;
	consumer_release_to(&s->consumer, b->at);
	return BATCH_STOP;
}

/* The batch comes again from its beginning. */
static int rewind_batch(struct disruptor_stage *s, struct batch *b)
{
	tally(&s->rewinds);
	if (s->handler.on_rewind)
		s->handler.on_rewind(s->handler.context, b->begin, b->at);
	return is_called_off(s) ? BATCH_STOP : BATCH_REWOUND;
}

/* An event that was not handled: a failure (code < 0), or a verdict that asks to repeat it. */
static int remedy(struct disruptor_stage *s, struct batch *b, int code,
		  enum disruptor_remedy wanted)
{
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = "on_event", .position = b->at
	};
	enum disruptor_remedy r = policy_remedy(s, &failure, wanted, b->begin);

	if (r == DISRUPTOR_REMEDY_SKIP)
		return skip(s, b);
	if (r == DISRUPTOR_REMEDY_RETRY)
		return again(s, b);
	if (r == DISRUPTOR_REMEDY_REWIND && !b->released)
		return rewind_batch(s, b);
	if (r == DISRUPTOR_REMEDY_REWIND)
		code = DISRUPTOR_E_INVAL; /* others may have seen what was released */
	else if (!s->attempts.of_batch)
		consumer_release_to(&s->consumer, b->at);
	return fail(s, "on_event", b->at, code < 0 ? code : DISRUPTOR_E_FAILED);
}

/* A verdict other than to go on. */
static int answer(struct disruptor_stage *s, struct batch *b, int verdict)
{
	switch (verdict) {
	case DISRUPTOR_RELEASE:
	case DISRUPTOR_STOP:
		consumer_release_to(&s->consumer, ++b->at);
		b->released = true;
		return verdict == DISRUPTOR_STOP ? BATCH_STOP : BATCH_DONE;
	case DISRUPTOR_SKIP:
		return skip(s, b);
	case DISRUPTOR_RETRY:
		return remedy(s, b, 0, DISRUPTOR_REMEDY_RETRY);
	case DISRUPTOR_REWIND:
		return remedy(s, b, 0, DISRUPTOR_REMEDY_REWIND);
	default:
		return remedy(s, b, verdict < 0 ? verdict : DISRUPTOR_E_INVAL,
			      DISRUPTOR_REMEDY_FAIL);
	}
}

/* The event at b->at, which then is the next one's. BATCH_DONE to go on. */
static int handle(struct disruptor_stage *s, struct batch *b)
{
	struct disruptor_consumer *c = &s->consumer;
	void *event = disruptor_consumer_slot(c, b->at) + c->offset;
	int verdict = s->handler.on_event(s->handler.context, event, b->at, b->at == b->w.last);

	if (disruptor_likely(verdict == DISRUPTOR_CONTINUE)) {
		b->at++;
		return BATCH_DONE;
	}
	return answer(s, b, verdict);
}

/* Cut the batch before the event that rewinding did not help. How many events are left. */
static uint64_t end_before(struct disruptor_stage *s, struct batch *b, uint64_t position)
{
	b->w.end = position;
	b->w.events = 0;
	for (uint64_t at = b->begin; at < position; at++)
		if (!b->w.voids || !consumer_is_void(&s->consumer, at)) {
			b->w.events++;
			b->w.last = at;
		}
	return b->w.events;
}

/* What is ready, as a batch. False if that was only an event to be skipped. */
static bool begin_batch(struct disruptor_stage *s, struct batch *b)
{
	uint64_t give_up = s->attempts.give_up;

	*b = (struct batch){ .begin = s->consumer.next, .at = s->consumer.next };
	consumer_window(&s->consumer, &b->w);
	if (disruptor_likely(give_up == STAGE_NOWHERE))
		return true;
	if (end_before(s, b, give_up) != 0)
		return true;
	s->attempts.give_up = STAGE_NOWHERE;
	tally(&s->skipped);
	consumer_release_to(&s->consumer, give_up + 1);
	stats_passed(s, 1);
	return false;
}

static int announce(struct disruptor_stage *s, const struct batch *b)
{
	int rc;

	if (!s->handler.on_batch)
		return 0;
	do {
		rc = s->handler.on_batch(s->handler.context, b->w.events,
					 consumer_depth(&s->consumer, b->w.events));
		if (disruptor_likely(rc >= 0))
			break;
		rc = hook_failed(s, "on_batch", rc);
	} while (rc > 0);
	return rc < 0 ? rc : 0;
}

static int work_through(struct disruptor_stage *s, struct batch *b)
{
	struct disruptor_consumer *c = &s->consumer;
	int rc = announce(s, b);

	if (rc != 0)
		return rc;
	while (b->at < b->w.end) {
		if (disruptor_unlikely(b->w.voids) && consumer_is_void(c, b->at)) {
			b->at++;
			b->voids++;
			continue;
		}
		rc = handle(s, b);
		if (disruptor_unlikely(rc != BATCH_DONE))
			return rc == BATCH_REWOUND ? BATCH_DONE : rc;
		/* relaxed: a look that is too early is followed by the next (STOP) */
		if (disruptor_unlikely(disruptor_load_relaxed(&c->gate->alert) != 0)) {
			consumer_release_to(c, b->at);
			return BATCH_STOP;
		}
	}
	consumer_release_to(c, b->w.end);
	return BATCH_DONE;
}

/* All that is ready now, within the batch limit; voids among it are passed over. */
static int handle_batch(struct disruptor_stage *s)
{
	struct batch b;
	int rc;

	if (!begin_batch(s, &b))
		return BATCH_DONE;
	stats_begin(s, b.w.end - b.begin);
	rc = work_through(s, &b);
	stats_end(s, b.begin, b.voids);
	return rc;
}

/* Until told to stop, the ring's end, or a failure; the run's result. */
static int loop(struct disruptor_stage *s)
{
	struct disruptor_consumer *c = &s->consumer;
	int64_t n;
	int rc;

	for (;;) {
		if (consumer_take_alert(c))
			return 0;
		n = disruptor_ready_until(c, DISRUPTOR_FOREVER);
		if (n > 0)
			rc = handle_batch(s);
		else if (n == DISRUPTOR_E_TIMEOUT)
			rc = call(s, "on_idle", s->handler.on_idle);
		else if (n == DISRUPTOR_E_INTERRUPTED || n == DISRUPTOR_E_CLOSED)
			return 0;
		else if (n == DISRUPTOR_E_FAILED)
			return DISRUPTOR_E_FAILED;
		else
			rc = fail(s, "wait", c->next, (int)n);
		if (rc != BATCH_DONE)
			return rc < 0 ? rc : 0;
	}
}

int disruptor_stage_run(struct disruptor_stage *s)
{
	struct ring_hold hold = { .ring = s->owner->ring,
				  .sequence = &s->consumer.gate->sequence,
				  .name = s->name };
	uint32_t idle = 0;
	int rc, stopped;

	do {
		if (idle != 0)
			return error_set(DISRUPTOR_E_BUSY, "stage '%s' is running", s->name);
		/* OWNER: acquire, the last run's view of the consumer; release, ours to the next */
	} while (!disruptor_cas_acq_rel(&s->running, &idle, 1u));
	ring_hold_push(&hold);
	HOOK(HOOK_STAGE_BEFORE_LOOP);
	rc = call(s, "on_start", s->handler.on_start);
	graph_report(s);
	if (rc == 0)
		rc = loop(s);
	stopped = call(s, "on_stop", s->handler.on_stop);
	if (rc == 0)
		rc = stopped;
	ring_hold_pop(&hold);
	(void)consumer_take_alert(&s->consumer);
	/* OWNER.release: the consumer's private state, to whoever runs it next */
	disruptor_store_release(&s->running, 0u);
	return rc;
}

void disruptor_stage_stop(struct disruptor_stage *s)
{
	disruptor_consumer_interrupt(&s->consumer);
}

uint64_t disruptor_stage_position(const struct disruptor_stage *s)
{
	/* acquire: who sees the position sees what the stage did before it */
	return disruptor_load_acquire(&s->consumer.gate->sequence);
}

const char *disruptor_stage_name(const struct disruptor_stage *s)
{
	return s->name;
}

int disruptor_stage_running(const struct disruptor_stage *s)
{
	/* acquire, OWNER: who sees it ended sees what it did */
	return disruptor_load_acquire(&s->running) != 0;
}
