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
#include "graph/check.h"
#include "graph/graph_internal.h"
#include "graph/pool.h"
#include "graph/stats.h"
#include "hook.h"
#include "ring/deferred.h"
#include "wait/core.h"

/* Why a batch ended, when it was not its last event. */
enum { BATCH_DONE = 0, BATCH_STOP = 1, BATCH_REWOUND = 2 };

static int fail(struct disruptor_stage *s, const char *hook, uint64_t position, int code)
{
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = hook, .position = position
	};

	if (!s->attaching)
		graph_fail(s->owner, &failure);
	return code;
}

/* Whether it is to end without another attempt: told to, or the ring has failed. */
static bool is_called_off(const struct disruptor_stage *s)
{
	/* relaxed (hint): only whether to try once more; the loop looks again before it ends */
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

/* A void, or another worker's event. */
static bool passes_over(const struct disruptor_stage *s, uint64_t position)
{
	return consumer_is_void(&s->consumer, position) || pool_is_anothers(s, position);
}

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
	const char *hook = s->handler.on_span ? "on_span" : "on_event";
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = hook, .position = b->at
	};
	enum disruptor_remedy r = policy_remedy(s, &failure, wanted, b->begin);

	HOOK(HOOK_REMEDY);
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
	return fail(s, hook, b->at, code < 0 ? code : DISRUPTOR_E_FAILED);
}

/* A checked run has found a write that is none of the stage's: no policy remedies that. */
static int conflict(struct disruptor_stage *s, struct batch *b)
{
	consumer_release_to(&s->consumer, b->at);
	return checked_run_fail(s, b->at);
}

/* A verdict other than to go on. */
static int answer(struct disruptor_stage *s, struct batch *b, int verdict)
{
	HOOK(HOOK_VERDICT);
	if (disruptor_unlikely(s->in_conflict))
		return conflict(s, b);
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

/* The events from b->at that lie at one distance. */
static struct disruptor_span span_at(const struct disruptor_stage *s, const struct batch *b)
{
	const struct disruptor_consumer *c = &s->consumer;
	uint64_t to_wrap = (uint64_t)c->mask + 1 - (b->at & c->mask);
	struct disruptor_span span = { .first = disruptor_consumer_slot(c, b->at) + c->offset,
				       .stride = c->stride,
				       .count = b->w.end - b->at,
				       .position = b->at };

	if (span.count > to_wrap)
		span.count = to_wrap;
	for (uint64_t i = 1; b->w.voids && i < span.count; i++)
		if (passes_over(s, b->at + i))
			span.count = i;
	return span;
}

/* The next span; b->at then stands behind what was handled. BATCH_DONE to go on. */
static int handle_span(struct disruptor_stage *s, struct batch *b)
{
	struct disruptor_span span = span_at(s, b);
	uint64_t handled = span.count;
	int verdict = s->handler.on_span(s->handler.context, &span, &handled,
					 b->at + span.count > b->w.last);

	switch (verdict) {
	case DISRUPTOR_CONTINUE:
	case DISRUPTOR_RELEASE:
	case DISRUPTOR_STOP:
	case DISRUPTOR_SKIP:
		if (handled > span.count || (handled == 0 && verdict != DISRUPTOR_STOP))
			return fail(s, "on_span", b->at, DISRUPTOR_E_INVAL);
		b->at += handled;
		break;
	default:
		b->at += handled < span.count ? handled : 0;
		return answer(s, b, verdict);
	}
	if (verdict == DISRUPTOR_SKIP)
		tally_by(&s->skipped, handled);
	if (verdict == DISRUPTOR_RELEASE || verdict == DISRUPTOR_STOP) {
		consumer_release_to(&s->consumer, b->at);
		b->released = true;
	}
	return verdict == DISRUPTOR_STOP ? BATCH_STOP : BATCH_DONE;
}

/* Whether a stop was asked for, so that the batch ends after the event in hand. */
static bool is_alerted(const struct disruptor_consumer *c)
{
	/* relaxed (hint): a look that is too early is followed by the next (STOP) */
	return disruptor_unlikely(disruptor_load_relaxed(&c->gate->alert) != 0);
}

/*
 * Hand out events from b->at on, at least one, as long as the handler goes on, their slots lie side
 * by side and no stop is asked for. This is where a stage's time goes: what changes with each event
 * is in locals, which a call leaves in registers. Answers the last verdict; b->at is then the event
 * that it is about, or if it is CONTINUE the next one.
 */
static int hand_out(struct disruptor_stage *s, struct batch *b, uint64_t end)
{
	const struct disruptor_consumer *c = &s->consumer;
	unsigned char *event = disruptor_consumer_slot(c, b->at) + c->offset;
	const uint64_t to_wrap = (uint64_t)c->mask + 1 - (b->at & c->mask);
	const uint64_t last = b->w.last;
	int (*const on_event)(void *, void *, uint64_t, int) = s->on_event;
	void *const context = s->event_context;
	uint64_t at = b->at;
	int verdict;

	if (end - at > to_wrap)
		end = at + to_wrap;
	do {
		verdict = on_event(context, event, at, at == last);
		if (disruptor_unlikely(verdict != DISRUPTOR_CONTINUE))
			break;
		at++;
		event += c->stride;
	} while (at != end && !is_alerted(c));
	b->at = at;
	return verdict;
}

/* Cut the batch before the event that rewinding did not help. How many events are left. */
static uint64_t end_before(struct disruptor_stage *s, struct batch *b, uint64_t position)
{
	b->w.end = position;
	b->w.events = 0;
	for (uint64_t at = b->begin; at < position; at++)
		if (!b->w.voids || !passes_over(s, at)) {
			b->w.events++;
			b->w.last = at;
		}
	return b->w.events;
}

/* What a worker of a pool has before it. False if there is none for it. */
static bool begin_of_pool(struct disruptor_stage *s, struct batch *b, uint64_t most)
{
	struct disruptor_consumer *c = &s->consumer;

	*b = (struct batch){ .begin = c->next };
	if (share_takes(c)) {
		if (!pool_window(s, &b->w, most))
			return false;
		b->begin = b->at = c->next;
		return true;
	}
	b->at = b->begin;
	consumer_window(c, &b->w);
	b->w.voids = true; /* and others' events, which are passed over like them */
	if (b->w.end - b->begin > most)
		b->w.end = b->begin + most;
	if (end_before(s, b, b->w.end) != 0)
		return true;
	consumer_release_to(&s->consumer, b->w.end);
	return false;
}

/* What is ready, as a batch. False if that was only an event to be skipped. */
static bool begin_batch(struct disruptor_stage *s, struct batch *b, uint64_t most)
{
	uint64_t give_up = s->attempts.give_up;

	if (disruptor_unlikely(s->pool != NULL)) {
		if (!begin_of_pool(s, b, most))
			return false;
	} else {
		*b = (struct batch){ .begin = s->consumer.next, .at = s->consumer.next };
		consumer_window(&s->consumer, &b->w);
	}
	if (disruptor_unlikely(b->w.end - b->begin > most))
		(void)end_before(s, b, b->begin + most);
	if (disruptor_likely(give_up == STAGE_NOWHERE))
		return true;
	if (give_up < b->begin) /* a pool's worker that has left that chunk to another */
		s->attempts.give_up = STAGE_NOWHERE;
	if (give_up < b->begin ||
	    give_up >= b->w.end) /* a budget may have cut the batch before it */
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

/* From b->at, where an event stands, as many as are handed out at once. */
static int handle(struct disruptor_stage *s, struct batch *b)
{
	int verdict;

	if (s->handler.on_span && !s->check)
		return handle_span(s, b);
	verdict = hand_out(s, b, disruptor_unlikely(b->w.voids) ? b->at + 1 : b->w.end);
	return disruptor_likely(verdict == DISRUPTOR_CONTINUE) ? BATCH_DONE : answer(s, b, verdict);
}

static int work_through(struct disruptor_stage *s, struct batch *b)
{
	struct disruptor_consumer *c = &s->consumer;
	int rc = announce(s, b);

	if (rc != 0)
		return rc;
	while (b->at < b->w.end) {
		if (disruptor_unlikely(b->w.voids) && passes_over(s, b->at)) {
			b->at++;
			b->voids++;
			continue;
		}
		rc = handle(s, b);
		if (disruptor_unlikely(rc != BATCH_DONE))
			return rc == BATCH_REWOUND ? BATCH_DONE : rc;
		if (is_alerted(c)) {
			consumer_release_to(&s->consumer, b->at);
			return BATCH_STOP;
		}
	}
	consumer_release_to(&s->consumer, b->w.end);
	return BATCH_DONE;
}

/* All that is ready now, within the limits; voids among it are passed over. */
static int handle_batch(struct disruptor_stage *s, uint64_t most)
{
	struct batch b;
	int rc;

	if (!begin_batch(s, &b, most))
		return BATCH_DONE;
	HOOK(HOOK_BATCH_BEGIN);
	stats_begin(s, b.w.end - b.begin);
	rc = work_through(s, &b);
	HOOK(HOOK_BATCH_END);
	s->moved = s->consumer.next - b.begin;
	stats_end(s, b.begin, b.voids);
	return rc;
}

/* Act on what a look or a wait found: @p n events, or a code. */
static int advance(struct disruptor_stage *s, int64_t n, uint64_t most)
{
	if (n > 0)
		return handle_batch(s, most);
	switch (n) {
	case DISRUPTOR_E_TIMEOUT:
		return call(s, "on_idle", s->handler.on_idle);
	case DISRUPTOR_E_INTERRUPTED:
	case DISRUPTOR_E_CLOSED:
		return BATCH_STOP;
	case DISRUPTOR_E_FAILED:
		graph_hear_failure(s->owner);
		return DISRUPTOR_E_FAILED;
	default:
		return fail(s, "wait", s->consumer.next, (int)n);
	}
}

/* ---- a run, in parts ---- */

bool stage_take(struct disruptor_stage *s)
{
	uint32_t idle = 0;

	do {
		if (idle != 0)
			return false;
		/* OWNER.acquire: the last run's view of the consumer */
	} while (!disruptor_cas_acquire(&s->running, &idle, 1u));
	s->idle_at = 0;
	s->linger_at = 0;
	s->result = 0;
	s->consumer.least = 0;
	s->hold = (struct ring_hold){ .ring = s->owner->ring,
				      .sequence = &s->consumer.gate->sequence,
				      .name = s->name };
	/* a pool that no other thread works for moves as little while one of its workers waits */
	if (share_takes(&s->consumer) && s->pool->on_one_thread)
		s->hold.sequence = &s->pool->head->consumer.gate->sequence;
	if (s->handler.deferred != 0) /* the gate another thread may move meanwhile */
		s->hold.sequence = &s->owner->ring->own_consumers[s->consumer.index].read;
	return true;
}

void stage_give_back(struct disruptor_stage *s)
{
	/* OWNER.release: the consumer's private state, to whoever runs it next */
	disruptor_store_release(&s->running, 0u);
}

static enum stage_progress progress(struct disruptor_stage *s, int rc)
{
	if (rc == BATCH_DONE)
		return STAGE_MOVED;
	s->result = rc < 0 ? rc : 0;
	return STAGE_ENDED;
}

enum stage_progress stage_begin(struct disruptor_stage *s)
{
	int rc;

	HOOK(HOOK_STAGE_BEFORE_LOOP);
	rc = call(s, "on_start", s->handler.on_start);
	s->failed_to_start = rc < 0;
	if (rc < 0) /* before the report, after which whoever attaches it reads it */
		s->result = rc;
	else
		s->resumed = false;
	s->attaching = false;
	HOOK(HOOK_STAGE_REPORT);
	graph_report(s);
	return rc < 0 ? STAGE_ENDED : progress(s, rc);
}

/*
 * On a shared thread: whether to wait for a larger batch. A look with `least` set finds a smaller
 * one only if there is no more to come.
 */
static bool lingers(struct disruptor_stage *s, int64_t found)
{
	struct disruptor_consumer *c = &s->consumer;

	if (found == 0 && c->least == 0)
		return true; /* nothing is there at all */
	if (found > 0 && found < s->handler.batch_min && c->least == 0) {
		c->least = s->handler.batch_min;
		s->linger_at = disruptor_in(s->handler.linger_ns);
		return true;
	}
	if (found == 0 && os_now() < s->linger_at)
		return true;
	c->least = 0;
	s->linger_at = 0;
	return false;
}

enum stage_progress stage_step(struct disruptor_stage *s, uint64_t most)
{
	struct wait_need unused;
	int64_t n;

	s->moved = 0;
	if (consumer_take_alert(&s->consumer) || consumer_is_at_its_end(&s->consumer))
		return progress(s, BATCH_STOP);
	n = consumer_look(&s->consumer, &unused);
	if (disruptor_unlikely(s->handler.batch_min > 1)) {
		if (lingers(s, n))
			return STAGE_IDLE;
		n = consumer_look(&s->consumer, &unused);
	}
	if (disruptor_unlikely(s->handler.deferred != 0)) {
		/* behind the look, which found some: it only grows */
		uint64_t allowance = deferred_allowance(&s->consumer);

		most = allowance < most ? allowance : most;
	}
	return n == 0 ? STAGE_IDLE : progress(s, advance(s, n, most));
}

enum stage_progress stage_idle(struct disruptor_stage *s)
{
	return progress(s, advance(s, DISRUPTOR_E_TIMEOUT, UINT64_MAX));
}

void stage_wait_failed(struct disruptor_stage *s, int code)
{
	(void)fail(s, "wait", s->consumer.next, code);
}

int stage_finish(struct disruptor_stage *s)
{
	struct disruptor *d = s->owner;
	int rc, stopped;

	HOOK(HOOK_STAGE_ENDING);
	stopped = call(s, "on_stop", s->handler.on_stop);
	rc = s->result != 0 ? s->result : stopped;
	ring_hold_pop(&s->hold);
	if (s->pool)
		share_leave(&s->consumer);
	(void)consumer_take_alert(&s->consumer);
	HOOK(HOOK_STAGE_ENDED);
	/* under the monitor: who sees it ended may detach it, and destroy the whole, behind us only */
	os_lock(&d->monitor);
	/* OWNER.release: the consumer's private state, to whoever runs it next */
	disruptor_store_release(&s->running, 0u);
	os_broadcast(&d->monitor); /* for who detaches it */
	os_unlock(&d->monitor);
	return rc;
}

/* Some events are there, fewer than the handler asks for: give the others time to come. */
static int64_t linger(struct disruptor_stage *s)
{
	struct disruptor_consumer *c = &s->consumer;
	uint64_t deadline = disruptor_in(s->handler.linger_ns);
	struct wait_need unused;
	int64_t n;

	c->least = s->handler.batch_min;
	do /* the strategy's own timeout may be shorter */
		n = disruptor_ready_until(c, deadline);
	while (n == DISRUPTOR_E_TIMEOUT && os_now() < deadline);
	c->least = 0;
	return n == DISRUPTOR_E_TIMEOUT ? consumer_look(c, &unused) : n;
}

/* Until told to stop, the ring's end, or a failure. */
static void loop(struct disruptor_stage *s)
{
	enum stage_progress p;

	do {
		int64_t n;

		if (consumer_take_alert(&s->consumer) || consumer_is_at_its_end(&s->consumer))
			n = DISRUPTOR_E_INTERRUPTED;
		else
			n = disruptor_ready_until(&s->consumer, DISRUPTOR_FOREVER);
		if (disruptor_unlikely(n > 0 && n < s->handler.batch_min))
			n = linger(s);
		p = progress(s, advance(s, n, deferred_allowance(&s->consumer)));
	} while (p != STAGE_ENDED);
}

int stage_run(struct disruptor_stage *s)
{
	ring_hold_push(&s->hold);
	if (stage_begin(s) != STAGE_ENDED)
		loop(s);
	return stage_finish(s);
}

int disruptor_stage_run(struct disruptor_stage *s)
{
	int cancel_before, rc;

	if (!is_unit(s))
		return error_set(DISRUPTOR_E_INVAL, "'%s' stands for a pool: run its workers",
				 s->name);
	if (!stage_take(s))
		return error_set(DISRUPTOR_E_BUSY, "stage '%s' is running", s->name);
	cancel_before = os_cancel_off();
	rc = stage_run(s);
	os_cancel_back(cancel_before);
	return rc;
}

void disruptor_stage_stop(struct disruptor_stage *s)
{
	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
		disruptor_consumer_interrupt(&s->pool->workers[i]->consumer);
	if (s->is_head)
		return;
	disruptor_consumer_interrupt(&s->consumer);
}

uint64_t disruptor_stage_position(const struct disruptor_stage *s)
{
	if (s->pool && !s->is_head && !s->pool->key)
		return share_position(&s->consumer);
	/* STAGE.acquire: who sees the position sees what the stage did before it */
	return disruptor_load_acquire(&s->consumer.gate->sequence);
}

int disruptor_stage_release(struct disruptor_stage *s, uint64_t position)
{
	if (s->handler.deferred == 0)
		return error_set(DISRUPTOR_E_STATE,
				 "stage '%s' releases what it has handled: its handler has no "
				 "`deferred`",
				 s->name);
	return deferred_release(&s->consumer, position);
}

uint64_t disruptor_stage_read(const struct disruptor_stage *s)
{
	return s->handler.deferred != 0 ? deferred_position(&s->consumer)
					: disruptor_stage_position(s);
}

const char *disruptor_stage_name(const struct disruptor_stage *s)
{
	return s->name;
}

/* NOLINTNEXTLINE(misc-no-recursion): a pool asks its workers, which are no pools */
int disruptor_stage_running(const struct disruptor_stage *s)
{
	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
		if (disruptor_stage_running(s->pool->workers[i]))
			return 1;
	/* OWNER.acquire: who sees it ended sees what it did */
	return disruptor_load_acquire(&s->running) != 0;
}
