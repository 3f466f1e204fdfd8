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
 *	n = attaches                    show the gate, provisional
 *	scan the gates, note the limit  attaches + 1
 *	fence                           fence
 *	again, if attaches is not n     find where to start from stamps and limits, start there
 *
 * The gate stands before the count: a scan behind a look that met the count
 * meets the gate, too. The other way round the count could be met before the
 * gate is there, by both looks, and no scan be repeated. If the second look
 * misses the count, the producer's fence is before the attacher's: all that the
 * scanned gates had released is visible to it, and the limit that was noted.
 *
 * One that asks for an older position starts no earlier than a lap before the
 * furthest limit that any producer has noted, and not before its provisional
 * gate, which a scan may have counted on.
 */
#include "ring/gate.h"

#include "error.h"
#include "hook.h"
#include "wait/core.h"
#include "wait/watch.h"

#include <string.h>

uint64_t gate_slowest(const struct disruptor_ring *r, uint64_t cap, uint32_t *attached)
{
	uint64_t low = cap;
	/* relaxed (hint): an entry that was never used is vacant; a gate that counts comes with the count */
	uint32_t used = ring_gates_used(r, disruptor_load_relaxed(&r->header->gates_used));
	uint32_t found = 0;

	for (uint32_t i = 0; i < used; i++) {
		HOOK(HOOK_GATE_SCAN);
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

void gate_limit(const struct disruptor_ring *r, uint64_t claimed, atomic_word *limit,
		uint32_t *attached)
{
	uint32_t seen, now;

	/* ATTACH.count.acquire: the scan comes after it, and meets every gate it counts */
	now = disruptor_load_acquire(&r->header->attaches);
	do {
		uint64_t low = gate_slowest(r, claimed, attached);
		uint64_t room = *attached || r->free_run ? disruptor_room(claimed, low, r->capacity)
							 : 0;

		seen = now;
		/*
		 * ATTACH.grant, relaxed, pairs with ATTACH.show in oldest_position(): ordered by the
		 * fence. A gate more than a lap behind counts as full; it is provisional, or in a
		 * free run.
		 */
		disruptor_store_relaxed(limit, claimed + room);
		HOOK(HOOK_LIMIT_NOTED);
		/* ATTACH.grant, pairs with ATTACH.show in gate_attach(): scan and grant, then the count */
		disruptor_fence_seq_cst();
		/* ATTACH.count.acquire: if it has changed, the next scan sees the gate it counts */
		now = disruptor_load_acquire(&r->header->attaches);
	} while (now != seen);
}

uint64_t gate_slowest_of(const struct disruptor_ring *r, uint64_t set)
{
	uint64_t low = DISRUPTOR_VACANT;

	for (set &= r->gate_set; set; set &= set - 1) {
		HOOK(HOOK_GATE_SCAN);
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
	for (set &= r->gate_set; set; set &= set - 1) {
		int i = __builtin_ctzll(set);

		/* relaxed (hint): only whom to wait for; the position is read again before it is used */
		if (disruptor_load_relaxed(&r->gates[i].sequence) < count)
			return i;
	}
	return -1;
}

uint64_t gate_ancestors(const struct disruptor_ring *r, uint32_t index)
{
	/* relaxed (lock), all: upstreams change under it only; the caller holds it */
	uint64_t found = disruptor_load_relaxed(&r->gates[index].upstreams);
	uint64_t before;

	do {
		before = found;
		for (uint64_t set = found & r->gate_set; set; set &= set - 1)
			found |= disruptor_load_relaxed(&r->gates[__builtin_ctzll(set)].upstreams);
	} while (found != before);
	return found;
}

uint64_t gate_dependants(const struct disruptor_ring *r, uint32_t index)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* relaxed (lock): changes under it only; the caller holds it */
		if (r->consumer_table[i].used &&
		    (disruptor_load_relaxed(&r->gates[i].upstreams) >> index & 1))
			found |= UINT64_C(1) << i;
	return found;
}

uint64_t gate_named(const struct disruptor_ring *r, const char *name)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < r->max_consumers; i++)
		if (r->consumer_table[i].used && r->consumer_table[i].attached &&
		    strncmp(r->gates[i].name, name, sizeof(r->gates[i].name)) == 0)
			found |= UINT64_C(1) << i;
	return found;
}

/*
 * Where a new consumer starts that asks for the newest. Without a consumer a free-running producer
 * does not wait for what is unpublished: there it is the claim position.
 */
static uint64_t newest_position(const struct disruptor_ring *r)
{
	return r->free_run ? ring_claimed(r) : ring_first_unpublished(r);
}

/* First position that no producer may overwrite: a lap before the furthest that one may claim. */
static uint64_t oldest_position(const struct disruptor_ring *r)
{
	uint64_t far = ring_claimed(r), oldest;

	for (uint32_t i = 0; i < r->max_producers; i++) {
		/* ATTACH.show, relaxed: the grants, behind the fence in gate_attach() */
		uint64_t limit = disruptor_load_relaxed(&r->producer_table[i].limit);

		if (r->producer_table[i].used && limit > far)
			far = limit;
	}
	oldest = far > r->capacity ? far - r->capacity : 0;
	return oldest > r->common->gone ? oldest : r->common->gone;
}

int gate_check(uint64_t position)
{
	if (position >> 62 == 0)
		return 0;
	return error_set(DISRUPTOR_E_FORMAT,
			 "position: the ring says 0x%llx, which is none: its words are damaged",
			 (unsigned long long)position);
}

static int choose_start(const struct disruptor_ring *r, const struct gate_place *place,
			uint64_t *start)
{
	uint64_t newest = newest_position(r), oldest = oldest_position(r);

	*start = newest;
	if (place->at == DISRUPTOR_AT_OLDEST && oldest < newest)
		*start = oldest;
	if (place->at != DISRUPTOR_AT_POSITION)
		return gate_check(*start);
	*start = place->position;
	if (place->position >= oldest && place->position <= newest)
		return 0;
	return error_set(DISRUPTOR_E_RANGE, "position: %llu is not in %llu … %llu",
			 (unsigned long long)place->position,
			 (unsigned long long)(oldest < newest ? oldest : newest),
			 (unsigned long long)newest);
}

/*
 * Allow the events of [from, to). Behind the gate that guards them: who releases decides what to
 * forbid under the same lock (poison_released()), so it has done so before us, or sees the gate.
 */
static void allow_events(struct disruptor_ring *r, uint64_t from, uint64_t to)
{
#if DISRUPTOR_ASAN
	if (from < to && to - from > r->capacity)
		from = to - r->capacity;
	os_lock(&r->lot);
	ring_unpoison(r, from, to);
	os_unlock(&r->lot);
#else
	(void)r, (void)from, (void)to;
#endif
}

int gate_attach(struct disruptor_ring *r, uint32_t index, const struct gate_place *place,
		uint64_t *start)
{
	struct disruptor_gate *gate = &r->gates[index];
	uint64_t provisional;
	/* what cannot be had now is refused before anybody is held back by it */
	int rc = choose_start(r, place, &provisional);

	if (rc != 0)
		return rc;
	HOOK(HOOK_ATTACH_CHOSEN);
	/* FREE.release: as any release of the positions before it */
	disruptor_store_release(&gate->sequence, provisional);
	HOOK(HOOK_ATTACH_SHOWN);
	/* relaxed (lock), both: changes under it only; carried to scans by the count below */
	if (index >= disruptor_load_relaxed(&r->header->gates_used))
		disruptor_store_relaxed(&r->header->gates_used, index + 1);
	/*
	 * ATTACH.count.release, pairs with ATTACH.count.acquire in gate_limit(): who meets it meets
	 * the gate, and its being scanned. relaxed (lock): as above
	 */
	disruptor_store_release(&r->header->attaches,
				disruptor_load_relaxed(&r->header->attaches) + 1);
	HOOK(HOOK_ATTACH_PROVISIONAL);
	/* ATTACH.show, pairs with ATTACH.grant in gate_limit(): the count, then stamps and grants */
	disruptor_fence_seq_cst();
	rc = choose_start(r, place, start);
	/* a producer that has looked anew may have noted less, and counts on the provisional gate */
	if (rc == 0 && *start < provisional)
		*start = provisional;
	HOOK(HOOK_ATTACH_SETTLED);
	/* FREE.release: as any release of the positions before it */
	disruptor_store_release(&gate->sequence, rc == 0 ? *start : DISRUPTOR_VACANT);
	if (rc == 0)
		allow_events(r, *start, newest_position(r));
	HOOK(HOOK_ATTACHED);
	/* a producer may sleep because of the provisional position */
	edge_wake_all(r, edge_to_producers(r));
	return rc;
}

void gate_hand_over(struct disruptor_ring *r, uint32_t index)
{
	/* relaxed (lock), all: upstreams change under it only */
	uint64_t before = disruptor_load_relaxed(&r->gates[index].upstreams);

	for (uint64_t set = gate_dependants(r, index); set; set &= set - 1) {
		struct disruptor_gate *gate = &r->gates[__builtin_ctzll(set)];
		uint64_t upstreams = disruptor_load_relaxed(&gate->upstreams);

		/*
		 * LEAVE.release, pairs with LEAVE.acquire in consumer_available(), behind every load
		 * of a sequence: whoever sees our entry vacant, or another's, sees this.
		 */
		disruptor_store_release(&gate->upstreams,
					(upstreams & ~(UINT64_C(1) << index)) | before);
		HOOK(HOOK_HAND_OVER);
	}
}

void gate_detach(struct disruptor_ring *r, uint32_t index)
{
	HOOK(HOOK_DETACH);
	/* FREE.release, STAGE.release: our last access is over; so is what LEAVE.release ordered */
	disruptor_store_release(&r->gates[index].sequence, DISRUPTOR_VACANT);
	HOOK(HOOK_DETACHED);
	edge_wake_all(r, edge_to_producers(r));
	/* dependants that were handed over wait on other edges from now on */
	edge_wake_all(r, edge_from(&r->gates[index]));
	watch_notify_all(r);
}
