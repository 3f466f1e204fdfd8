/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The gate table: who holds producers back. The one place that scans
 * sequences.
 *
 * Stale answers are safe: a consumer only moves forward, so an old position
 * claims less room than there is, never more. That is why a scan takes no lock
 * and each producer may keep its result until it runs out.
 *
 * A consumer that attaches while producers run: a producer's limit is
 * min(claimed, gates) + capacity, taken after a fence; the attacher shows a
 * provisional gate, then a fence, then reads the claim position again and
 * starts there. Either the producer's scan saw the gate, or the attacher saw
 * the claim that the scan's limit was made from; so no producer's limit is more
 * than a lap ahead of where the consumer starts.
 */
#include "ring/gate.h"

#include "hook.h"
#include "wait/core.h"

uint64_t gate_slowest(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached)
{
	uint64_t low = cap;
	/*
	 * ATTACH.scan, pairs with ATTACH.show in gate_attach(); the caller's fence stands before.
	 * acquire: the entries below it are then initialised.
	 */
	uint32_t used = disruptor_load_acquire(&r->header->gates_used);
	uint32_t found = 0;

	for (uint32_t i = 0; i < used; i++) {
		/*
		 * FREE.acquire, pairs with FREE.release in disruptor_release(). Orders each
		 * consumer's last access to a slot before our next write to it. If relaxed: we
		 * may overwrite an event still being read.
		 */
		uint64_t at = disruptor_load_acquire(&r->gates[i].sequence);

		if (at == DISRUPTOR_VACANT)
			continue;
		found++;
		if (at < low)
			low = at;
	}
	*attached = found;
	return low;
}

uint64_t gate_slowest_of(const struct disruptor_ring *r, uint64_t set)
{
	uint64_t low = DISRUPTOR_VACANT;

	for (; set; set &= set - 1) {
		/*
		 * STAGE.acquire, pairs with STAGE.release in disruptor_release(). Orders the
		 * upstream's accesses to the event before ours. If relaxed: we may miss its writes.
		 */
		uint64_t at = disruptor_load_acquire(
			&r->gates[__builtin_ctzll(set)].sequence);

		if (at < low)
			low = at;
	}
	return low;
}

int gate_behind(const struct disruptor_ring *r, uint64_t set, uint64_t count)
{
	for (; set; set &= set - 1) {
		int i = __builtin_ctzll(set);

		/* relaxed: only whom to wait for; the position is read again before it is used */
		if (disruptor_load_relaxed(&r->gates[i].sequence) < count)
			return i;
	}
	return -1;
}

uint64_t gate_ancestors(const struct disruptor_ring *r, uint32_t index)
{
	/* relaxed: upstreams change under the lock only, which the caller holds */
	uint64_t found = disruptor_load_relaxed(&r->gates[index].upstreams);
	uint64_t before;

	do {
		before = found;
		for (uint64_t set = found; set; set &= set - 1)
			found |= disruptor_load_relaxed(
				&r->gates[__builtin_ctzll(set)].upstreams);
	} while (found != before);
	return found;
}

uint64_t gate_dependants(const struct disruptor_ring *r, uint32_t index)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* relaxed: changes under the lock only, which the caller holds */
		if (r->consumer_table[i].used &&
		    (disruptor_load_relaxed(&r->gates[i].upstreams) >> index & 1))
			found |= UINT64_C(1) << i;
	return found;
}

uint64_t gate_attach(struct disruptor_ring *r, uint32_t index)
{
	struct disruptor_gate *gate = &r->gates[index];
	uint64_t start = ring_claimed(r);

	/* ATTACH.show, pairs with ATTACH.scan in gate_slowest(): entry, then its being scanned */
	disruptor_store_release(&gate->sequence, start);
	/* relaxed: changes under the lock only */
	if (index >= disruptor_load_relaxed(&r->header->gates_used))
		/* release: ATTACH.show */
		disruptor_store_release(&r->header->gates_used, index + 1);
	HOOK(HOOK_ATTACH_PROVISIONAL);
	/* ATTACH.fence, pairs with the one in look_for_room(): a store-load edge both ways */
	disruptor_fence_seq_cst();
	start = ring_claimed(r);
	/* release: as any release of the positions before it, FREE.release */
	disruptor_store_release(&gate->sequence, start);
	return start;
}

void gate_detach(struct disruptor_ring *r, uint32_t index)
{
	/* FREE.release: our last access is over; pairs with FREE.acquire in gate_slowest() */
	disruptor_store_release(&r->gates[index].sequence, DISRUPTOR_VACANT);
	edge_wake_all(r, &r->shared->wake_producers);
}
