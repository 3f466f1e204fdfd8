/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stages without threads: whoever calls drives them, all in one worker. */
#include "error.h"
#include "graph/graph_internal.h"

/* Rounds until nothing moves, or the budget is used; how many events were handled. */
static uint64_t rounds(struct graph_worker *w, uint64_t budget)
{
	uint64_t handled = 0, spent = 0;
	bool moved;

	do {
		uint64_t n = worker_round(w, budget - spent, &moved);

		handled += n;
		spent += n ? n : 1; /* a batch that was rewound, or an end */
	} while (moved && w->live > 0 && spent < budget);
	return handled;
}

/* The calling thread drives from now on. Monitor held. */
static void take_over(struct disruptor *d)
{
	d->driving = true;
	d->workers[0].thread_id = os_thread_id();
}

static void hand_back(struct disruptor *d)
{
	struct graph_worker *w = &d->workers[0];

	d->driving = false;
	w->thread_id = 0;
	if (w->live == 0)
		d->alive = 0;
	os_broadcast(&d->monitor);
}

void poll_to_end(struct disruptor *d, uint64_t deadline)
{
	poll_until_ended(d, NULL, deadline);
}

void poll_until_ended(struct disruptor *d, const struct disruptor_stage *s, uint64_t deadline)
{
	struct graph_worker *w = &d->workers[0];
	bool moved, late = false;

	take_over(d);
	os_unlock(&d->monitor);
	worker_enter(w);
	while (w->live > 0 && !late && !(s && !disruptor_stage_running(s))) {
		(void)worker_round(w, UINT64_MAX, &moved);
		if (w->live > 0 && !(s && !disruptor_stage_running(s)))
			late = moved ? deadline != DISRUPTOR_FOREVER && os_now() >= deadline
				     : !worker_wait(w, deadline);
	}
	worker_leave(w);
	os_lock(&d->monitor);
	hand_back(d);
}

/* Whether it may be driven now; a code. Monitor held. */
static int may_drive(const struct disruptor *d)
{
	if (!d->active || !d->driven)
		return error_set(DISRUPTOR_E_STATE,
				 "it is %s%s: polling needs the mapping NONE and a start",
				 disruptor_state_name(d->state),
				 d->active ? ", with threads of its own" : "");
	if (d->driving)
		return error_set(DISRUPTOR_E_BUSY, "another call drives it");
	if (d->alive == 0)
		return d->state == DISRUPTOR_FAILED ? DISRUPTOR_E_FAILED : DISRUPTOR_E_CLOSED;
	return 0;
}

static int64_t poll(struct disruptor *d, uint64_t budget, bool wait, uint64_t deadline)
{
	struct graph_worker *w;
	uint64_t handled;
	int rc;

	if (!d || budget == 0)
		return error_set(DISRUPTOR_E_INVAL, "%s", d ? "budget: 0" : "d: NULL");
	os_lock(&d->monitor);
	rc = may_drive(d);
	if (rc == 0)
		take_over(d);
	os_unlock(&d->monitor);
	if (rc != 0)
		return rc;
	w = &d->workers[0];
	worker_enter(w);
	do
		handled = rounds(w, budget);
	while (wait && handled == 0 && w->live > 0 && worker_wait(w, deadline));
	worker_leave(w);
	os_lock(&d->monitor);
	hand_back(d);
	if (handled == 0 && d->alive == 0)
		rc = may_drive(d);
	else if (handled == 0 && wait)
		rc = DISRUPTOR_E_TIMEOUT;
	os_unlock(&d->monitor);
	return handled ? (int64_t)handled : rc;
}

int64_t disruptor_poll(struct disruptor *d, uint64_t budget)
{
	return poll(d, budget, false, 0);
}

int64_t disruptor_poll_until(struct disruptor *d, uint64_t budget, uint64_t deadline)
{
	return poll(d, budget, true, deadline);
}
