/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What processes leave that die with views of a ring open. See repair.h. */
#include "ring/repair.h"

#include "error.h"
#include "hook.h"
#include "ring/gate.h"
#include "wait/core.h"

#include <string.h>

/* How often who waits looks for the dead. */
#define TEND_NS UINT64_C(10000000)

/* ---- claims ---- */

/* Whether somebody who may be alive says that he has claimed @p position, or may have. */
static bool is_somebodys(const struct disruptor_ring *r, uint64_t position)
{
	for (uint32_t i = 0; i < r->max_producers; i++) {
		const struct ring_producer *p = &r->producer_table[i];
		uint64_t first;

		if (!p->used)
			continue;
		if (r->producers == DISRUPTOR_SINGLE)
			return true;
		/*
		 * INTENT.acquire, pairs with INTENT.release in intend(): the first position, then the end
		 * that was written before it; and what was published before both. If relaxed: a claim that
		 * lives is missed, or a stamp.
		 */
		first = disruptor_load_acquire(&p->run_first);
		/* INTENT.acquire, relaxed: behind the load above; a later end covers more */
		if (first <= position && position < disruptor_load_relaxed(&p->run_end))
			return true;
	}
	return false;
}

static bool is_settled(const struct disruptor_ring *r, uint64_t position)
{
	/* relaxed (hint): behind INTENT.acquire; what is nobody's and not settled then stays so */
	return ring_is_settled(r, disruptor_load_relaxed(ring_stamp(r, position)), position);
}

/* Make voids of what is nobody's before @p end; whether all before it is settled then. */
static bool void_orphans(struct disruptor_ring *r, uint64_t end)
{
	uint64_t claimed = ring_claimed(r);
	uint64_t at = ring_first_unpublished(r);
	bool settled = true;

	/* two looks at a word that is not to be trusted: a lap is all that there is */
	if (at < claimed && claimed - at > r->capacity)
		at = claimed - r->capacity;
	while (at < claimed) {
		uint64_t from = at;

		/* whose it is, then whether it is settled: see repair.h */
		while (at < claimed && !is_somebodys(r, at) && !is_settled(r, at))
			at++;
		if (at != from) {
			HOOK(HOOK_REPAIR_VOID);
			disruptor_fetch_add_relaxed(&r->common->orphans,
						    at - from); /* relaxed (figure) */
			ring_void(r, from, at, at);
			continue;
		}
		if (at < end && !is_settled(r, at))
			settled = false;
		at++;
	}
	return settled;
}

/* A packed ring has no voids: what was claimed behind the cursor is not claimed any more. */
static void unclaim(struct disruptor_ring *r)
{
	/* relaxed (lock): its one producer is dead, or somebody's */
	uint64_t cursor = disruptor_load_relaxed(&r->shared->cursor);
	uint64_t claimed = ring_claimed(r);

	if (!is_somebodys(r, cursor) && claimed != cursor)
		ring_unclaim(r, claimed, cursor);
}

/* ---- views ---- */

static void repair_consumer(struct disruptor_ring *r, uint32_t index)
{
	struct ring_consumer *c = &r->consumer_table[index];

	if (c->used && c->attached && c->if_dead == DISRUPTOR_REQUIRED) {
		disruptor_fetch_add_relaxed(&r->common->dead_consumers,
					    UINT64_C(1)); /* relaxed (figure) */
		/* relaxed (lock): changes under it only */
		disruptor_store_relaxed(&c->participant, RING_DEAD);
		return;
	}
	/* what it has moved out nobody can know */
	if (c->take && r->common->gone < ring_first_unpublished(r))
		r->common->gone = ring_first_unpublished(r);
	gate_hand_over(r, index);
	c->used = 0;
	gate_detach(r, index);
	HOOK(HOOK_REPAIR_CONSUMER);
	ring_step();
	/* relaxed (lock): as above; last, so that whoever comes after us does the same again */
	disruptor_store_relaxed(&c->participant, 0u);
}

static void repair_producer(struct disruptor_ring *r, struct ring_producer *p)
{
	/* relaxed (lock): nobody writes it any more */
	uint64_t limit = disruptor_load_relaxed(&p->limit);

	if (p->used) {
		/* it may have begun to write a lap before its limit, whatever it had claimed */
		if (limit > r->capacity && limit - r->capacity > r->common->gone)
			r->common->gone = limit - r->capacity;
		disruptor_fetch_add_relaxed(&r->common->dead_producers,
					    UINT64_C(1)); /* relaxed (figure) */
	}
	p->used = 0;
	/* relaxed (figure), all */
	disruptor_store_relaxed(&p->opened, UINT64_C(0));
	disruptor_store_relaxed(&p->blocked_since, UINT64_C(0));
	HOOK(HOOK_REPAIR_PRODUCER);
	ring_step();
	/* relaxed (lock): as above */
	disruptor_store_relaxed(&p->participant, 0u);
}

/* A close that was begun is finished, and so is an opening. */
static void repair_state(struct disruptor_ring *r)
{
	/* relaxed (lock), both: the state changes under it only, and so does the closed bit */
	uint32_t state = disruptor_load_relaxed(&r->shared->state);
	bool bit = (disruptor_load_relaxed(&r->shared->claimed) & DISRUPTOR_CLOSED) != 0;

	if ((state & DISRUPTOR_STATE_CLOSED) && !(state & DISRUPTOR_STATE_ENDED))
		ring_close_locked(r, 0);
	else if ((state & DISRUPTOR_STATE_ENDED) && r->producers == DISRUPTOR_MANY && !bit)
		ring_reopen_locked(r);
}

bool ring_repair(struct disruptor_ring *r, uint32_t who, uint64_t end)
{
	bool settled = true;

	HOOK(HOOK_REPAIR);
	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* DEATH.found, relaxed, both: behind the kernel's lock, which says that it is dead */
		if (disruptor_load_relaxed(&r->consumer_table[i].participant) == who)
			repair_consumer(r, i);
	for (uint32_t i = 0; i < r->max_producers; i++)
		if (disruptor_load_relaxed(&r->producer_table[i].participant) == who)
			repair_producer(r, &r->producer_table[i]);
	repair_state(r);
	if (r->layout == DISRUPTOR_PACKED)
		unclaim(r);
	else
		settled = void_orphans(r, end);
	HOOK(HOOK_REPAIRED);
	/* it may have published or released, and not come to wake anybody */
	ring_wake_everyone(r);
	return settled;
}

/* ---- required consumers ---- */

int ring_dead_consumer(const struct disruptor_ring *r, const char *name)
{
	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* relaxed (lock): changes under it only */
		if (r->consumer_table[i].used &&
		    disruptor_load_relaxed(&r->consumer_table[i].participant) == RING_DEAD &&
		    strncmp(r->gates[i].name, name, sizeof(r->gates[i].name)) == 0)
			return (int)i;
	return -1;
}

int ring_dismiss(struct disruptor_ring *r, const char *name)
{
	int index = ring_dead_consumer(r, name);

	if (index < 0) {
		for (uint32_t i = 0; i < r->max_consumers; i++)
			if (r->consumer_table[i].used &&
			    strncmp(r->gates[i].name, name, sizeof(r->gates[i].name)) == 0)
				return error_set(DISRUPTOR_E_BUSY, "consumer '%s' lives", name);
		return error_set(DISRUPTOR_E_NOT_FOUND, "there is no consumer '%s'", name);
	}
	r->consumer_table[index].if_dead = DISRUPTOR_OPTIONAL;
	repair_consumer(r, (uint32_t)index);
	return 0;
}

const char *ring_dead_gate(const struct disruptor_ring *r, uint64_t position)
{
	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* relaxed (figure), both: for a message */
		if (disruptor_load_relaxed(&r->consumer_table[i].participant) == RING_DEAD &&
		    disruptor_load_relaxed(&r->gates[i].sequence) < position)
			return r->gates[i].name;
	return NULL;
}

/* ---- who looks ---- */

void ring_tend(struct disruptor_ring *r)
{
	uint64_t now = os_now_coarse();
	/* relaxed (hint), both: who comes at the same time is not needed */
	uint64_t due = disruptor_load_relaxed(&r->peers.tend_at);

	if (now < due || !r->peers.tend)
		return;
	if (disruptor_cas_relaxed(&r->peers.tend_at, &due, now + TEND_NS))
		r->peers.tend(r->peers.context);
}
