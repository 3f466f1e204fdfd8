/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "wait/bridge.h"

#include "ring/repair.h"
#include "wait/watch.h"

/* The two edges of the ring itself, one of each gate, and what the bridge is asked. */
#define MOST_WORDS (3 + DISRUPTOR_MAX_CONSUMERS)
/* Whoever is to wake us may die before he does. */
#define LOOK_AT_MORTALS_NS UINT64_C(10000000)

static bool is_among(const struct os_word *words, uint32_t count, const atomic_epoch *epoch)
{
	for (uint32_t i = 0; i < count; i++)
		if (words[i].word == epoch)
			return true;
	return false;
}

/*
 * Whether somebody has taken the word that this watch had raised. He counts up the epoch next, unless
 * he died between the two: then nobody does, and nobody finds the word again.
 */
static bool has_news(const struct wait_watch *w)
{
	/*
	 * WAKE.epoch.acquire, relaxed, both: who is told looks, and before he sleeps again he arms, by
	 * an exchange of the word that who counted has cleared, as in edge_arm()
	 */
	return disruptor_load_relaxed(w->epoch) != w->seen ||
	       disruptor_load_relaxed(w->expects) == 0;
}

/* The epochs to sleep on; who has news already is told. The watch lock is held. */
static uint32_t gather(struct disruptor_ring *r, struct os_word *words)
{
	uint32_t n = 1;

	/* relaxed (lock): whoever asks has changed the watches under it before */
	words[0] = (struct os_word){ .word = &r->bridge.asked,
				     .seen = disruptor_load_relaxed(&r->bridge.asked) };
	for (struct wait_watch *w = r->watch_list; w; w = w->next) {
		if (!w->epoch)
			continue;
		if (has_news(w))
			watch_tell(w);
		else if (n < MOST_WORDS && !is_among(words, n, w->epoch))
			words[n++] = (struct os_word){ .word = w->epoch,
						       .seen = w->seen,
						       .between = true };
	}
	return n;
}

static void *run(void *ring)
{
	struct disruptor_ring *r = ring;
	struct os_word words[MOST_WORDS];
	uint32_t n;

	for (;;) {
		os_lock(&r->watch_lock);
		n = r->bridge.quit ? 0 : gather(r, words);
		os_unlock(&r->watch_lock);
		if (n == 0)
			return NULL;
		if (n > 1)
			ring_tend(r);
		os_park_any(words, n, n > 1 ? disruptor_in(LOOK_AT_MORTALS_NS) : DISRUPTOR_FOREVER);
	}
}

int bridge_start(struct disruptor_ring *r)
{
	const struct os_thread_plan plan = { .what = "thread", .name = "disruptor-news" };
	int rc = 0;

	if (!r->between)
		return 0;
	os_lock(&r->watch_lock);
	if (!r->bridge.made)
		rc = os_thread_start(&r->bridge.thread, &plan, run, r);
	if (rc == 0)
		r->bridge.made = true;
	os_unlock(&r->watch_lock);
	return rc;
}

void bridge_ask(struct disruptor_ring *r)
{
	/* WAKE.epoch.release, relaxed: carried by the watch lock */
	disruptor_fetch_add_relaxed(&r->bridge.asked, 1u);
	os_unpark_all(&r->bridge.asked);
}

void bridge_stop(struct disruptor_ring *r)
{
	bool made;

	os_lock(&r->watch_lock);
	made = r->bridge.made;
	r->bridge.quit = made;
	os_unlock(&r->watch_lock);
	if (!made)
		return;
	bridge_ask(r);
	os_thread_join(&r->bridge.thread);
	os_lock(&r->watch_lock);
	r->bridge.made = r->bridge.quit = false;
	os_unlock(&r->watch_lock);
}
