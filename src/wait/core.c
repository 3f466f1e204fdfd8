/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Announce, look again, sleep; and the other side: look, clear, wake. See core.h. */
#include "wait/core.h"

#include "hook.h"
#include "wait/watch.h"

/* The longest sleep on a ring that other processes have. */
#define SLEEP_AMONG_MORTALS_NS UINT64_C(10000000)

/* Of what the callers need it for, WAKE.announce above all */
void wait_heavy_barrier(struct disruptor_ring *r)
{
	switch (r->rung) {
	case DISRUPTOR_RUNG_MEMBARRIER:
		/* WAKE.announce, all: and those of other processes, if they have the ring */
		if (r->between)
			os_membarrier_between();
		else
			os_membarrier();
		break;
	case DISRUPTOR_RUNG_MUTEX:
		/* WAKE.announce: a waker's critical section is before ours, or sees what we announced */
		os_lock(&r->lot);
		os_unlock(&r->lot);
		break;
	default:
		disruptor_fence_seq_cst();
	}
}

uint32_t edge_arm(struct edge edge, uint64_t count)
{
	/*
	 * WAKE.epoch.acquire, relaxed: carried by the swap below, which releases this look to whoever
	 * clears the word behind us: what he then counts is noticed
	 */
	uint32_t seen = disruptor_load_relaxed(edge.epoch);
	/* WAKE.word.acquire: who finds the word set by another sleeper must not look before it */
	uint64_t standing = disruptor_load_acquire(edge.word);

	HOOK(HOOK_ARM_SEEN);
	/*
	 * WAKE.announce, ordered by the heavy barrier that follows. WAKE.word.acquire: what the one
	 * who cleared it last did before. WAKE.word.release: our look at the epoch; the word is
	 * written even where it stands, so whoever clears it has acquired that.
	 */
	while (!disruptor_cas_acq_rel(edge.word, &standing,
				      standing - 1 < count ? standing : count))
		;
	HOOK(HOOK_ARMED);
	return seen;
}

void epoch_sleep(atomic_epoch *epoch, struct os_monitor *lot, uint32_t seen, uint64_t deadline)
{
	if (!lot) {
		os_park(epoch, seen, deadline);
		return;
	}
	os_lock(lot);
	/* relaxed (lock): who counts it up takes this one before it broadcasts */
	if (disruptor_load_relaxed(epoch) == seen)
		(void)os_monitor_wait(lot, deadline);
	os_unlock(lot);
}

void epoch_wake(atomic_epoch *epoch, struct os_monitor *lot)
{
	/* WAKE.epoch.release, relaxed: carried by the clearing of what was raised, which acquired */
	disruptor_fetch_add_relaxed(epoch, 1u);
	HOOK(HOOK_WAKE_COUNTED);
	if (!lot) {
		os_unpark_all(epoch);
		return;
	}
	os_lock(lot);
	os_broadcast(lot);
	os_unlock(lot);
}

/* Where threads sleep on the ring's edges: NULL, on their epochs. */
static struct os_monitor *lot_of(struct disruptor_ring *r)
{
	return r->parks ? NULL : &r->lot;
}

/* Those who sleep on several edges, too. */
static void notify_watches(struct disruptor_ring *r, struct edge edge)
{
	/*
	 * WATCH.expect.acquire, relaxed: carried by WAKE. We are behind our barrier; if that came before
	 * the one of who added a watch that we miss, his look sees our progress
	 */
	if (disruptor_unlikely(disruptor_load_relaxed(&r->watches) != 0))
		watch_notify(r, edge.word);
}

/* The word was cleared: everyone who sleeps by an older epoch looks again. */
static void edge_unpark(struct disruptor_ring *r, struct edge edge)
{
	HOOK(HOOK_WAKE_CLEARED);
	if (r->between) {
		/* WAKE.epoch.release, relaxed: as in epoch_wake() */
		disruptor_fetch_add_relaxed(edge.epoch, 1u);
		HOOK(HOOK_WAKE_COUNTED);
		os_unpark_all_between(edge.epoch);
	} else {
		epoch_wake(edge.epoch, lot_of(r));
	}
	HOOK(HOOK_WAKE_TELL);
	notify_watches(r, edge);
}

/* Whoever is to wake us may die before he does: then somebody who waits has to notice. */
static uint64_t soon(uint64_t deadline)
{
	uint64_t cap = disruptor_in(SLEEP_AMONG_MORTALS_NS);

	return cap < deadline ? cap : deadline;
}

int64_t wait_block(const struct wait_request *q, const struct wait_need *need, uint64_t deadline)
{
	struct wait_need now;
	int64_t result;
	uint32_t seen;

	HOOK(HOOK_WAIT_BEFORE_ARM);
	seen = edge_arm(need->edge, need->count);
	/* WAKE.announce, LEAVE.alert.sleep: the barrier between the word and the look */
	wait_heavy_barrier(q->ring);
	result = q->look(q->who, &now);
	if (result != 0)
		return result; /* the word stays set: the next waker clears it, for nobody */
	if (now.edge.word != need->edge.word || now.count != need->count)
		return 0; /* part of what we wait for has come: the rest is another edge's */
	HOOK(HOOK_WAIT_BEFORE_PARK);
	/* relaxed (figure): a ring's lossy readers share one */
	disruptor_fetch_add_relaxed(q->sleeps, UINT64_C(1));
	if (q->ring->between)
		os_park_between(need->edge.epoch, seen, soon(deadline));
	else
		epoch_sleep(need->edge.epoch, lot_of(q->ring), seen, deadline);
	HOOK(HOOK_WAIT_AWAKE);
	return 0;
}

bool edge_wake(struct disruptor_ring *r, struct edge edge, uint64_t reached)
{
	/* WAKE.progress, relaxed: the caller's barrier orders it; the exchange below counts */
	uint64_t standing = disruptor_load_relaxed(edge.word);

	while (standing - 1 < reached) { /* 0 < standing <= reached */
		HOOK(HOOK_WAKE_FOUND);
		/* WAKE.word.release, WAKE.word.acquire: our progress; the sleeper's look at the epoch */
		if (disruptor_cas_acq_rel(edge.word, &standing, UINT64_C(0))) {
			edge_unpark(r, edge);
			return true;
		}
	}
	return false;
}

void edge_wake_all(struct disruptor_ring *r, struct edge edge)
{
	/*
	 * WAKE.progress: what has changed stands before the look. An exchange, not a look first, so
	 * that even a sleeper on the mutex rung is ordered by the word itself.
	 */
	disruptor_fence_seq_cst();
	HOOK(HOOK_WAKE_ALL);
	/* WAKE.word.release, WAKE.word.acquire: as in edge_wake() */
	if (disruptor_exchange_acq_rel(edge.word, UINT64_C(0)) != 0)
		edge_unpark(r, edge);
}

bool edge_signal(struct disruptor_ring *r, struct edge edge, uint64_t reached)
{
	bool asleep;

	if (r->rung != DISRUPTOR_RUNG_MUTEX) {
		/* WAKE.progress, on the fence rung; on membarrier's the caller did not come here */
		disruptor_fence_seq_cst();
		return edge_wake(r, edge, reached);
	}
	/* WAKE.progress, on the mutex rung: this critical section is the barrier */
	os_lock(&r->lot);
	/* WAKE.progress, relaxed: under the lock; the exchange is what clears */
	asleep = disruptor_load_relaxed(edge.word) - 1 < reached;
	if (asleep) {
		/* WAKE.word.release, WAKE.word.acquire: as in edge_wake() */
		(void)disruptor_exchange_acq_rel(edge.word, UINT64_C(0));
		/* WAKE.epoch.release, relaxed: as in epoch_wake() */
		disruptor_fetch_add_relaxed(edge.epoch, 1u);
		os_broadcast(&r->lot);
	}
	os_unlock(&r->lot);
	if (asleep) {
		HOOK(HOOK_WAKE_TELL);
		notify_watches(r, edge);
	}
	return asleep;
}
