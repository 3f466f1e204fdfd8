/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "wait/watch.h"

#include "hook.h"
#include "wait/bridge.h"

int parker_init(struct wait_parker *p)
{
	*p = (struct wait_parker){ .has_event = false };
	return os_monitor_init(&p->lot);
}

void parker_destroy(struct wait_parker *p)
{
	os_monitor_destroy(&p->lot);
	if (p->has_event)
		os_event_close(&p->event);
}

uint32_t parker_arm(struct wait_parker *p)
{
	/* WAKE.epoch.acquire, relaxed: carried by the exchange below, as in edge_arm() */
	uint32_t seen = disruptor_load_relaxed(&p->epoch);

	/*
	 * WAKE.word.release, pairs with WAKE.word.acquire in parker_notify(): our look at the epoch,
	 * to who finds us armed. What others have changed comes by the lock: see watch_expect().
	 */
	(void)disruptor_exchange_release(&p->armed, 1u);
	HOOK(HOOK_PARKER_ARMED);
	return seen;
}

void parker_disarm(struct wait_parker *p)
{
	/* relaxed (hint): whoever still finds it armed notifies it for nothing */
	disruptor_store_relaxed(&p->armed, 0u);
}

static struct os_monitor *lot_of(struct wait_parker *p)
{
	return os_can_park() ? NULL : &p->lot;
}

void parker_park(struct wait_parker *p, uint32_t seen, uint64_t deadline)
{
	epoch_sleep(&p->epoch, lot_of(p), seen, deadline);
}

static void parker_notify(struct wait_parker *p)
{
	/* WAKE.word.acquire, pairs with WAKE.word.release in parker_arm(): before we count it up */
	if (disruptor_exchange_acquire(&p->armed, 0u) == 0)
		return;
	/* set before it is counted: who meets the count, and clears, clears what was set for it */
	if (p->has_event)
		os_event_set(&p->event);
	HOOK(HOOK_WATCH_NEWS);
	epoch_wake(&p->epoch, lot_of(p));
}

void watch_add(struct disruptor_ring *r, struct wait_watch *w)
{
	os_lock(&r->watch_lock);
	w->expects = NULL;
	w->epoch = NULL;
	w->next = r->watch_list;
	r->watch_list = w;
	/* WATCH.expect.release, relaxed: carried by WAKE. relaxed (lock): the load */
	disruptor_store_relaxed(&r->watches, disruptor_load_relaxed(&r->watches) + 1);
	os_unlock(&r->watch_lock);
}

void watch_remove(struct disruptor_ring *r, struct wait_watch *w)
{
	struct wait_watch **at = &r->watch_list;

	os_lock(&r->watch_lock);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	/* relaxed (lock) */
	disruptor_store_relaxed(&r->watches, disruptor_load_relaxed(&r->watches) - 1);
	os_unlock(&r->watch_lock);
}

void watch_expect(struct disruptor_ring *r, struct wait_watch *w, struct edge edge, uint64_t count)
{
	uint32_t seen;

	/*
	 * WATCH.arm, pairs with WATCH.news in watch_notify() and WATCH.news in watch_notify_all(): armed
	 * before, the looks after. Who has news is before us, and then the looks see it; or behind
	 * us, and then he finds us armed.
	 */
	os_lock(&r->watch_lock);
	w->expects = edge.word;
	w->epoch = NULL;
	os_unlock(&r->watch_lock);
	HOOK(HOOK_WATCH_EXPECT);
	seen = edge_arm(edge, count);
	if (!r->between)
		return;
	os_lock(&r->watch_lock);
	if (w->expects == edge.word) { /* else it has been told */
		w->epoch = edge.epoch;
		w->seen = seen;
	}
	os_unlock(&r->watch_lock);
	bridge_ask(r);
}

void watch_tell(struct wait_watch *w)
{
	w->expects = NULL;
	w->epoch = NULL;
	HOOK(HOOK_WATCH_FOUND);
	parker_notify(w->parker);
}

void watch_notify(struct disruptor_ring *r, const atomic_word *edge)
{
	/* WATCH.news, pairs with WATCH.arm in watch_expect(): the progress stands before */
	os_lock(&r->watch_lock);
	for (struct wait_watch *w = r->watch_list; w; w = w->next)
		if (w->expects == edge)
			watch_tell(w);
	os_unlock(&r->watch_lock);
}

void watch_notify_all(struct disruptor_ring *r)
{
	/* WATCH.news, pairs with WATCH.arm in watch_expect(): what has changed stands before */
	os_lock(&r->watch_lock);
	for (struct wait_watch *w = r->watch_list; w; w = w->next)
		parker_notify(w->parker);
	os_unlock(&r->watch_lock);
}
