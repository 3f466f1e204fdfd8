/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/hold.h"

#include "error.h"

/* ---- stages ---- */

static _Thread_local struct ring_hold *holds;

void ring_hold_push(struct ring_hold *hold)
{
	hold->next = holds;
	holds = hold;
}

void ring_hold_pop(struct ring_hold *hold)
{
	struct ring_hold **at = &holds;

	while (*at != hold)
		at = &(*at)->next;
	*at = hold->next;
}

static int check_stages(const struct disruptor_ring *r, uint64_t need)
{
	for (const struct ring_hold *h = holds; h; h = h->next) {
		/* relaxed (own): this thread's stores, as far as they move while it looks */
		uint64_t at = disruptor_load_relaxed(h->sequence);

		if (h->ring == r && at < need)
			return error_set(
				DISRUPTOR_E_DEADLK,
				"the handler of stage '%s' makes this claim, and the ring is full "
				"because that stage has not released position %llu: use try_claim, "
				"or another ring",
				h->name, (unsigned long long)at);
	}
	return 0;
}

/* ---- events handed out and not released ---- */

void ring_hold_note(struct disruptor_consumer *c)
{
	struct ring_own_consumer *e = &c->ring->own_consumers[c->index];
	uint64_t me;

	if (e->of_stage) /* who runs it is in the list above */
		return;
	me = os_thread_id();
	/* relaxed (own): written by whoever uses the view, one thread at a time */
	if (disruptor_load_relaxed(&e->holder) == me &&
	    disruptor_load_relaxed(&e->handed) == c->read)
		return;
	/* HOLD.release, relaxed: carried by the store below */
	disruptor_store_relaxed(&e->holder, me);
	/*
	 * HOLD.release, pairs with HOLD.acquire in check_consumers(). Orders the new holder before
	 * what it was handed. If relaxed: the last holder may take for its own what we were handed,
	 * and be refused a claim that our release would let through.
	 */
	disruptor_store_release(&e->handed, c->read);
}

static int check_consumers(const struct disruptor_ring *r, uint64_t need)
{
	/* relaxed (own): the views that this thread uses were opened before it did */
	uint32_t used = ring_gates_used(r, disruptor_load_relaxed(&r->header->gates_used));
	uint64_t me = os_thread_id();

	for (uint32_t i = 0; i < used; i++) {
		const struct ring_own_consumer *e = &r->own_consumers[i];
		/* HOLD.acquire, pairs with HOLD.release in ring_hold_note() */
		uint64_t handed = disruptor_load_acquire(&e->handed);
		uint64_t at;

		/* relaxed (own): if it is this thread's it was stored by it; so was what it was handed */
		if (disruptor_load_relaxed(&e->holder) != me)
			continue;
		/* relaxed (own): a number to compare; nothing is read through it. Vacant is above all */
		at = disruptor_load_relaxed(&r->gates[i].sequence);
		if (at < handed && at < need)
			return error_set(
				DISRUPTOR_E_DEADLK,
				"consumer '%.31s' has handed this thread the events before position "
				"%llu, and the ring is full because position %llu is not released: "
				"release it, or use try_claim",
				r->gates[i].name, (unsigned long long)handed,
				(unsigned long long)at);
	}
	return 0;
}

/* ---- open runs ---- */

/* First position of a view's run that is neither published nor void; the run's end if none. */
static uint64_t first_open(const struct disruptor_ring *r, uint64_t at, uint64_t end)
{
	/*
	 * relaxed (own): stamped by this thread, or by who handed the view over to it. A run
	 * ends with its last position, and a later lap's stamp is above it.
	 */
	if (at < end && ring_is_settled(r, disruptor_load_relaxed(ring_stamp(r, end - 1)), end - 1))
		return end;
	/* relaxed (own): as above */
	while (at < end && ring_is_settled(r, disruptor_load_relaxed(ring_stamp(r, at)), at))
		at++;
	return at;
}

static int check_producers(const struct disruptor_ring *r, const struct ring_producer *self,
			   uint64_t need)
{
	uint64_t me = os_thread_id();

	for (uint32_t i = 0; r->producers == DISRUPTOR_MANY && i < r->max_producers; i++) {
		const struct ring_producer *e = &r->producer_table[i];
		uint64_t end, at;

		/* relaxed (own), all: if the view is this thread's, so is what it says of its run */
		if (e == self || disruptor_load_relaxed(&r->own_producers[i].owner) != me)
			continue;
		end = disruptor_load_relaxed(&e->run_end);
		at = first_open(r, disruptor_load_relaxed(&e->run_first), end);
		if (at < end && at < need)
			return error_set(
				DISRUPTOR_E_DEADLK,
				"producer '%.31s', of the same thread, has claimed position %llu and "
				"not published it, and no consumer passes it: publish or abort it "
				"first, or use try_claim",
				e->name, (unsigned long long)at);
	}
	return 0;
}

int ring_hold_check(const struct disruptor_ring *r, const struct ring_producer *self, uint64_t need)
{
	int rc = check_stages(r, need);

	if (rc == 0)
		rc = check_consumers(r, need);
	return rc == 0 ? check_producers(r, self, need) : rc;
}
