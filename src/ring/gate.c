/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The gate table: who holds producers back. The one place that scans
 * sequences.
 *
 * Stale answers are safe: a consumer only moves forward, so an old position
 * claims less room than there is, never more. That is why a scan takes no lock
 * and each producer may keep its result until it runs out.
 *
 * A consumer that attaches while producers run starts at the first position not
 * published, so no gate ever stands behind a slot that is still being filled,
 * and whoever detaches leaves such a slot guarded. A producer's limit is the
 * slowest gate plus the capacity. Its scan may miss the new gate; then the
 * attacher must see at least what the scan's gates had seen published, or the
 * limit would reach over it:
 *
 *	producer                        attacher
 *	n = attaches                    attaches + 1
 *	scan the gates                  show the gate, provisional
 *	fence                           fence
 *	again, if attaches is not n     find the first position not published, start there
 *
 * If the producer's second look misses the count, its fence is before the
 * attacher's, and all that the scanned gates had released is visible to it.
 */
#include "ring/gate.h"

#include "hook.h"
#include "wait/core.h"

uint64_t gate_slowest(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached)
{
	uint64_t low = cap;
	/* acquire: the entries below it are initialised, ATTACH.show in gate_attach() */
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

uint64_t gate_limit(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached)
{
	uint32_t seen, now;
	uint64_t low;

	/* acquire: the scan comes after it */
	now = disruptor_load_acquire(&r->header->attaches);
	do {
		seen = now;
		low = gate_slowest(r, cap, attached);
		/* ATTACH.fence, pairs with the one in gate_attach(): the scan, then the count */
		disruptor_fence_seq_cst();
		/* acquire: if it has changed, the next scan sees the gate it counts */
		now = disruptor_load_acquire(&r->header->attaches);
	} while (now != seen);
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
		uint64_t at = disruptor_load_acquire(&r->gates[__builtin_ctzll(set)].sequence);

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
			found |= disruptor_load_relaxed(&r->gates[__builtin_ctzll(set)].upstreams);
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

/*
 * Where a new consumer may start. Without a consumer a free-running producer
 * does not wait for what is unpublished: there it is the claim position.
 */
static uint64_t attach_position(const struct disruptor_ring *r)
{
	return r->free_run ? ring_claimed(r) : ring_first_unpublished(r);
}

uint64_t gate_attach(struct disruptor_ring *r, uint32_t index)
{
	struct disruptor_gate *gate = &r->gates[index];
	uint64_t start = attach_position(r);

	/* release: ATTACH.show; the count stands before the gate, for scans that see only this */
	disruptor_store_release(&r->header->attaches,
				disruptor_load_relaxed(&r->header->attaches) + 1);
	disruptor_store_release(&gate->sequence, start);
	/* relaxed: changes under the lock only */
	if (index >= disruptor_load_relaxed(&r->header->gates_used))
		/* release: ATTACH.show: the entry, then its being scanned */
		disruptor_store_release(&r->header->gates_used, index + 1);
	HOOK(HOOK_ATTACH_PROVISIONAL);
	/* ATTACH.fence, pairs with the one in gate_limit(): the count, then the stamps */
	disruptor_fence_seq_cst();
	start = attach_position(r);
	/* release: as any release of the positions before it, FREE.release */
	disruptor_store_release(&gate->sequence, start);
	/* a producer may sleep because of the provisional position */
	edge_wake_all(r, edge_to_producers(r));
	return start;
}

void gate_detach(struct disruptor_ring *r, uint32_t index)
{
	/* FREE.release: our last access is over; pairs with FREE.acquire in gate_slowest() */
	disruptor_store_release(&r->gates[index].sequence, DISRUPTOR_VACANT);
	edge_wake_all(r, edge_to_producers(r));
}
