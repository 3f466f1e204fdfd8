/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The watchdog: a thread that looks at the whole now and then, and calls back
 * if something that has work to do stands still.
 *
 * It lives from start() to the end of the stop() that has joined the stages. It
 * sleeps on the disruptor's monitor, and takes nothing else while it calls back.
 * So it is joined without the monitor: `leaving` keeps the next run's start, and
 * other stops, waiting until that is done.
 */
#include "graph/watchdog.h"

#include "error.h"
#include "graph/diagnose.h"

#include <stdio.h>
#include <string.h>

#define LOOKS_PER_THRESHOLD 4
#define THRESHOLD_MIN_NS UINT64_C(1000000)

static int check(const struct disruptor_watchdog *w)
{
	if (!w->stalled)
		return error_set(DISRUPTOR_E_INVAL, "watchdog: stalled: NULL");
	if (w->threshold_ns < THRESHOLD_MIN_NS)
		return error_set(DISRUPTOR_E_INVAL, "watchdog: threshold_ns: %llu is below 1 ms",
				 (unsigned long long)w->threshold_ns);
	if (w->flags != 0)
		return error_set(DISRUPTOR_E_INVAL, "watchdog: flags: 0x%x is unknown", w->flags);
	if (w->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "watchdog: reserved: %u is not zero",
				 w->reserved);
	return 0;
}

int disruptor_set_watchdog(struct disruptor *d, const struct disruptor_watchdog *given)
{
	struct disruptor_watchdog known = { 0 };
	int rc = d ? 0 : error_set(DISRUPTOR_E_INVAL, "d: NULL");

	if (rc == 0 && given)
		rc = ring_copy_options("watchdog", &known, sizeof(known), given);
	if (rc == 0 && given)
		rc = check(&known);
	if (rc != 0)
		return rc;
	os_lock(&d->monitor);
	if (d->active || d->state == DISRUPTOR_STARTING || d->watch.made)
		rc = error_set(DISRUPTOR_E_STATE, "the watchdog is set before start; it is %s",
			       disruptor_state_name(d->state));
	else
		d->watch.ask = known;
	os_unlock(&d->monitor);
	return rc;
}

/* ---- judging ---- */

/* How long it has had work to do and stood still. */
static uint64_t stands(struct watched *w, bool works, uint64_t position, const struct watch *of,
		       uint64_t now)
{
	if (works && w->since != 0 && w->position == position)
		return now - w->since;
	*w = (struct watched){ .position = position,
			       .since = works ? now : 0,
			       .due = of->ask.threshold_ns };
	return 0;
}

/* Whether that is to be told now; then again when it has lasted twice as long. */
static bool is_due(struct watched *w, uint64_t stood)
{
	if (stood == 0 || stood < w->due)
		return false;
	w->due = stood < UINT64_MAX / 2 ? 2 * stood : UINT64_MAX;
	return true;
}

static bool is_watched(enum disruptor_state state)
{
	return state == DISRUPTOR_STARTING || state == DISRUPTOR_RUNNING ||
	       state == DISRUPTOR_DRAINING;
}

/* Compare with the last look. Whether to call back. */
static bool judge(struct watch *w, struct disruptor_diagnosis *seen, const uint32_t *gate)
{
	bool watched = is_watched(seen->state);
	uint64_t stood = stands(&w->claim, watched && seen->unpublished < seen->claimed,
				seen->unpublished, w, seen->now);
	bool due = is_due(&w->claim, stood);
	uint64_t longest = stood, met = 0;

	for (uint32_t i = 0; i < seen->stage_count; i++) {
		const struct disruptor_stage_diagnosis *e = &seen->stages[i];

		stood = stands(&w->gates[gate[i]], watched && e->ready > 0, e->position, w,
			       seen->now);
		due |= is_due(&w->gates[gate[i]], stood);
		longest = stood > longest ? stood : longest;
		met |= UINT64_C(1) << gate[i];
	}
	for (uint32_t i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++)
		if (!(met >> i & 1))
			w->gates[i].since = 0;
	seen->stalled_ns = due ? longest : 0;
	return due;
}

/* ---- the thread ---- */

static void *watch(void *disruptor)
{
	struct disruptor *d = disruptor;
	struct watch *w = &d->watch;
	const uint64_t pause = w->ask.threshold_ns / LOOKS_PER_THRESHOLD;
	uint32_t gate[DISRUPTOR_MAX_CONSUMERS];
	struct disruptor_diagnosis seen;
	uint64_t next = disruptor_in(pause);

	(void)os_cancel_off(); /* a stop waits for the callback's end */
	os_lock(&d->monitor);
	w->thread_id = os_thread_id();
	while (!w->quit) {
		if (os_monitor_wait(&d->monitor, next) && os_now() < next)
			continue;
		diagnose_look(d, &seen, gate);
		next = disruptor_in(pause);
		if (w->quit || !judge(w, &seen, gate))
			continue;
		diagnose_conclude(d, &seen);
		os_unlock(&d->monitor);
		w->ask.stalled(w->ask.context, &seen);
		os_lock(&d->monitor);
	}
	w->thread_id = 0;
	os_unlock(&d->monitor);
	return NULL;
}

bool watchdog_is_caller(const struct disruptor *d)
{
	return d->watch.thread_id == os_thread_id();
}

int watchdog_start(struct disruptor *d)
{
	const struct os_thread_plan as = { .what = "thread", .name = "watchdog" };
	struct watch *w = &d->watch;
	int rc;

	if (watchdog_is_caller(d))
		return error_set(DISRUPTOR_E_DEADLK, "the watchdog cannot start the next run");
	while (w->leaving)
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	/* one whose stop had not come to join it when this start began serves this run, too */
	if (!w->ask.stalled || w->made)
		return 0;
	memset(&w->claim, 0, sizeof(w->claim));
	memset(w->gates, 0, sizeof(w->gates));
	w->quit = false;
	rc = os_thread_start(&w->thread, &as, watch, d);
	w->made = rc == 0;
	return rc;
}

void watchdog_stop(struct disruptor *d)
{
	struct watch *w = &d->watch;
	bool join;

	os_lock(&d->monitor);
	join = w->made && !w->leaving && !d->active && d->state != DISRUPTOR_STARTING &&
	       !watchdog_is_caller(d);
	if (join) {
		w->leaving = true;
		w->quit = true;
		os_broadcast(&d->monitor);
		os_unlock(&d->monitor);
		os_thread_join(&w->thread);
		os_lock(&d->monitor);
		w->made = false;
		w->leaving = false;
		os_broadcast(&d->monitor);
	}
	while (w->leaving && !watchdog_is_caller(d))
		(void)os_monitor_wait(&d->monitor, DISRUPTOR_FOREVER);
	os_unlock(&d->monitor);
}
