/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Announce, look again, sleep; and the other side: look, clear, wake. See core.h. */
#include "wait/core.h"

#include "hook.h"

void wait_heavy_barrier(struct disruptor_ring *r)
{
	switch (r->rung) {
	case DISRUPTOR_RUNG_MEMBARRIER:
		os_membarrier();
		break;
	case DISRUPTOR_RUNG_MUTEX:
		/* a critical section of the waker's is before ours, or sees what we announced */
		os_lock(&r->lot);
		os_unlock(&r->lot);
		break;
	default:
		disruptor_fence_seq_cst();
	}
}

/* Ask to be woken at @p count or before; what the word then says. */
static uint64_t edge_arm(atomic_word *edge, uint64_t count)
{
	/* acquire: who finds the word set by another sleeper must not look before it */
	uint64_t standing = disruptor_load_acquire(edge);

	while (standing == 0 || standing > count)
		/* WAKE.announce, pairs with WAKE.progress; ordered by the heavy barrier that follows */
		if (disruptor_cas_acq_rel(edge, &standing, count))
			return count;
	return standing;
}

static void edge_park(struct disruptor_ring *r, atomic_word *edge, uint64_t armed,
		      uint64_t deadline)
{
	if (r->parks) {
		os_park(edge, armed, deadline);
		return;
	}
	os_lock(&r->lot);
	/* relaxed: who clears the word takes this lock before it broadcasts */
	if (disruptor_load_relaxed(edge) == armed)
		(void)os_monitor_wait(&r->lot, deadline);
	os_unlock(&r->lot);
}

static void edge_unpark(struct disruptor_ring *r, atomic_word *edge)
{
	if (r->parks) {
		os_unpark_all(edge);
		return;
	}
	os_lock(&r->lot);
	os_broadcast(&r->lot);
	os_unlock(&r->lot);
}

int64_t wait_block(const struct wait_request *q, const struct wait_need *need, uint64_t deadline)
{
	struct wait_need now;
	uint64_t armed;
	int64_t result;

	HOOK(HOOK_WAIT_BEFORE_ARM);
	armed = edge_arm(need->edge, need->count);
	/* WAKE.announce: the store-load barrier between the word and the look */
	wait_heavy_barrier(q->ring);
	result = q->look(q->who, &now);
	if (result != 0)
		return result; /* the word stays set: the next waker clears it, for one wake-up too many */
	if (now.edge != need->edge || now.count != need->count)
		return 0; /* part of what we wait for has come: the rest is another edge's */
	HOOK(HOOK_WAIT_BEFORE_PARK);
	tally(q->sleeps);
	edge_park(q->ring, need->edge, armed, deadline);
	return 0;
}

bool edge_wake(struct disruptor_ring *r, atomic_word *edge, uint64_t reached)
{
	/* relaxed: the caller's barrier orders it; the exchange below is what counts */
	uint64_t standing = disruptor_load_relaxed(edge);

	while (standing - 1 < reached) /* 0 < standing <= reached */
		/* acq_rel: the next sleeper that raises it again sees our progress */
		if (disruptor_cas_acq_rel(edge, &standing, UINT64_C(0))) {
			edge_unpark(r, edge);
			return true;
		}
	return false;
}

void edge_wake_all(struct disruptor_ring *r, atomic_word *edge)
{
	/*
	 * WAKE.progress: what has changed stands before the look. An exchange, not a look first, so
	 * that even a sleeper on the mutex rung is ordered by the word itself.
	 */
	disruptor_fence_seq_cst();
	if (disruptor_exchange_acq_rel(edge, UINT64_C(0)) != 0)
		edge_unpark(r, edge);
}

bool edge_signal(struct disruptor_ring *r, atomic_word *edge, uint64_t reached)
{
	bool asleep;
	uint64_t standing;

	if (r->rung != DISRUPTOR_RUNG_MUTEX) {
		/* WAKE.progress on the fence rung; on membarrier's the caller did not come here */
		disruptor_fence_seq_cst();
		return edge_wake(r, edge, reached);
	}
	/* WAKE.progress on the mutex rung: this critical section is the barrier */
	os_lock(&r->lot);
	standing = disruptor_load_relaxed(edge); /* relaxed: under the lock */
	asleep = standing - 1 < reached;
	if (asleep) {
		/* release, and under the lock: who raises it again sees our progress */
		disruptor_store_release(edge, UINT64_C(0));
		os_broadcast(&r->lot);
	}
	os_unlock(&r->lot);
	return asleep;
}
