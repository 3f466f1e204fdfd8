/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef WAIT_CORE_H
#define WAIT_CORE_H

/*
 * The one wait/notify core. Every edge of a ring (producers to the first
 * stage, a stage to its dependants, the last stages to producers) has a 64-bit
 * word: 0, nobody sleeps; else wake the sleepers once the other side's count
 * has reached it. Beside it an epoch counts how often the word was cleared.
 *
 *	sleeper                        waker
 *	seen = epoch                   progress = count        (stamp, sequence)
 *	word = count it needs          light barrier
 *	heavy barrier                  look at the word
 *	look at the progress           if 0 < word <= count:
 *	sleep while epoch is seen          word = 0, epoch + 1, wake all
 *
 * Between each side's store and look stands a store-load barrier, so one of
 * them sees the other (WAKE). With membarrier(2) the sleeper's barrier counts
 * for both. Count and flag are one word because two could not be cleared
 * together: a count lost between them is a wake-up lost. The epoch is apart
 * from it because the word may be cleared and raised again, by another
 * sleeper, to the very value that this one raised it to.
 */

#include "ring/ring.h"

#include <disruptor/wait.h>

struct edge {
	atomic_word *word;
	atomic_epoch *epoch;
};

static inline struct edge edge_to_consumers(const struct disruptor_ring *r)
{
	return (struct edge){ &r->shared->wake_consumers, &r->shared->consumers_epoch };
}

static inline struct edge edge_to_producers(const struct disruptor_ring *r)
{
	return (struct edge){ &r->shared->wake_producers, &r->shared->producers_epoch };
}

/* From the consumer of that gate to its dependants. */
static inline struct edge edge_from(struct disruptor_gate *gate)
{
	return (struct edge){ &gate->wake, &gate->epoch };
}

/* What a fruitless look asks to sleep on. */
struct wait_need {
	struct edge edge;
	uint64_t count;
};

/*
 * Look whether the wait is over: not 0 if it is, and the wait's result. If not,
 * say where the news will come from.
 */
typedef int64_t (*wait_look)(void *who, struct wait_need *need);

/* One wait. */
struct wait_request {
	struct disruptor_ring *ring;
	const struct disruptor_wait *policy;
	uint32_t *spins; /* what the blocking strategy has learnt, kept in the view */
	wait_look look;
	void *who;
	uint64_t deadline;
	atomic_word *sleeps; /* counts */
	/* instead of wait_block(), for who waits on several edges; NULL otherwise */
	int64_t (*block)(const struct wait_request *q, uint64_t deadline);
	/* since when it has been waiting, 0: it is not, or not for long; owner-written; or NULL */
	atomic_word *since;
	uint64_t began; /* when it began, if that was an earlier wait for the same; or 0 */
};

/* Wait by the request's policy; the look's result, or E_TIMEOUT, or a custom policy's code. */
int64_t wait_until(const struct wait_request *q);

/* Announce, look again, and sleep once; the look's result, 0 to go on waiting. */
int64_t wait_block(const struct wait_request *q, const struct wait_need *need, uint64_t deadline);

/* Sleep while the epoch is @p seen: on itself, or if @p lot is not NULL, on that. */
void epoch_sleep(atomic_epoch *epoch, struct os_monitor *lot, uint32_t seen, uint64_t deadline);
/* Count it up and wake all who sleep so. */
void epoch_wake(atomic_epoch *epoch, struct os_monitor *lot);
/* Ask to be woken at @p count or before; the epoch to sleep on. */
uint32_t edge_arm(struct edge edge, uint64_t count);
/* After progress to @p reached: the light side on every rung but membarrier, and edge_wake(). */
bool edge_signal(struct disruptor_ring *r, struct edge edge, uint64_t reached);
/* Wake those who need @p reached or less; the barrier has been passed. True if any were asleep. */
bool edge_wake(struct disruptor_ring *r, struct edge edge, uint64_t reached);
/* Wake all who sleep, whatever they need: something other than progress has changed. */
void edge_wake_all(struct disruptor_ring *r, struct edge edge);
/* The heavy side: every other thread's accesses are ordered against ours. */
void wait_heavy_barrier(struct disruptor_ring *r);

/* Refuse a strategy that is none; names @p what. */
int wait_check(const char *what, const struct disruptor_wait *w);
/* The strategy to use: @p own unless it is the default, then @p inherited, then blocking. */
struct disruptor_wait wait_choose(const struct disruptor_wait *own,
				  const struct disruptor_wait *inherited);

/* Add to a counter that one thread writes and others may read. */
static inline void tally_by(atomic_word *counter, uint64_t n)
{
	/* relaxed (figure): owner-written */
	disruptor_store_relaxed(counter, disruptor_load_relaxed(counter) + n);
}

static inline void tally(atomic_word *counter)
{
	tally_by(counter, 1);
}

#endif
