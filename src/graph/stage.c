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
#include "hook.h"
#include "ring/hold.h"

/* Why a batch ended, when it was not its last event. */
enum { BATCH_DONE = 0, BATCH_STOP = 1 };

static int fail(struct disruptor_stage *s, const char *hook, uint64_t position, int code)
{
	const struct disruptor_failure failure = {
		.code = code, .stage = s->name, .hook = hook, .position = position
	};

	graph_fail(s->owner, &failure);
	return code;
}

static int call(struct disruptor_stage *s, const char *hook, int (*function)(void *))
{
	int rc = function ? function(s->handler.context) : 0;

	return rc < 0 ? fail(s, hook, s->consumer.next, rc) : 0;
}

/*
 * One event. BATCH_DONE to go on, BATCH_STOP, or the failure's code. What came
 * before a failed event is released; the event itself is not.
 */
static int handle(struct disruptor_stage *s, uint64_t position, int last)
{
	struct disruptor_consumer *c = &s->consumer;
	void *event = disruptor_consumer_slot(c, position) + c->offset;
	int verdict = s->handler.on_event(s->handler.context, event, position, last);

	if (disruptor_likely(verdict == DISRUPTOR_CONTINUE))
		return BATCH_DONE;
	if (verdict < 0 || verdict > DISRUPTOR_STOP) {
		consumer_release_to(c, position);
		return fail(s, "on_event", position, verdict < 0 ? verdict : DISRUPTOR_E_INVAL);
	}
	consumer_release_to(c, position + 1);
	return verdict == DISRUPTOR_STOP ? BATCH_STOP : BATCH_DONE;
}

/* All that is ready now, within the batch limit; voids among it are passed over. */
static int handle_batch(struct disruptor_stage *s)
{
	struct disruptor_consumer *c = &s->consumer;
	struct consumer_window w;
	int rc;

	consumer_window(c, &w);
	if (s->handler.on_batch) {
		rc = s->handler.on_batch(s->handler.context, w.events, consumer_depth(c, w.events));
		if (rc < 0)
			return fail(s, "on_batch", c->next, rc);
	}
	for (uint64_t at = c->next; at < w.end; at++) {
		if (disruptor_unlikely(w.voids) && consumer_is_void(c, at))
			continue;
		rc = handle(s, at, at == w.last);
		if (disruptor_unlikely(rc != BATCH_DONE))
			return rc;
		/* relaxed: a look that is too early is followed by the next (STOP) */
		if (disruptor_unlikely(disruptor_load_relaxed(&c->gate->alert) != 0)) {
			consumer_release_to(c, at + 1);
			return BATCH_STOP;
		}
	}
	consumer_release_to(c, w.end);
	return BATCH_DONE;
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
	int rc;

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
	if (s->handler.on_stop)
		s->handler.on_stop(s->handler.context);
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
