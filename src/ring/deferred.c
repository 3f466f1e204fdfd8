/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/deferred.h"

#include "error.h"
#include "hook.h"
#include "ring/ring.h"
#include "wait/core.h"

static struct ring_consumer *entry_of(const struct disruptor_consumer *c)
{
	return &c->ring->consumer_table[c->index];
}

void deferred_open(struct disruptor_consumer *c, uint64_t ahead)
{
	struct ring_consumer *entry = entry_of(c);

	entry->ahead = ahead;
	/* relaxed (private): nobody else knows the view yet */
	disruptor_store_relaxed(&entry->read, c->next);
	entry->deferred = true;
	/* every release takes the out-of-line path, where it becomes a read */
	c->flags |= DISRUPTOR_VIEW_DEFERRED | DISRUPTOR_VIEW_HEAVY;
}

/* Move the gate over voids, from where it stands up to `read`. */
static void carry(const struct disruptor_consumer *c)
{
	/* DEFER.read.acquire: what lies before it was looked at, and is an event or a void for good */
	uint64_t read = disruptor_load_acquire(&entry_of(c)->read);
	/* relaxed (hint): where to begin; the exchange goes on with what other carriers have released */
	uint64_t at = disruptor_load_relaxed(&c->gate->sequence);

	for (;;) {
		uint64_t to = at;

		while (to < read && consumer_is_void(c, to))
			to++;
		HOOK(HOOK_DEFER_CARRY);
		/* STAGE.release, FREE.release: as a release; that of the events was passed on to us */
		if (to == at || disruptor_cas_release(&c->gate->sequence, &at, to))
			return;
	}
}

static void wake_others(const struct disruptor_consumer *c)
{
	/* relaxed (hint): at least what we have stored ourselves */
	uint64_t reached = disruptor_load_relaxed(&c->gate->sequence);

	(void)edge_signal(c->ring, edge_from(c->gate), reached);
	(void)edge_signal(c->ring, edge_to_producers(c->ring), reached);
}

void deferred_read(struct disruptor_consumer *c, uint64_t position)
{
	/* VOID.acquire, relaxed: carried by what made the positions available */
	bool voids = disruptor_load_relaxed(&c->shared->voids_end) > c->next;

	c->next = position;
	/* DEFER.read.release, pairs with DEFER.read.acquire in deferred_release(): our reads of the events, before the releaser may free them */
	disruptor_store_release(&entry_of(c)->read, position);
	HOOK(HOOK_DEFER_READ);
	if (!voids)
		return;
	/* DEFER.void.read, pairs with DEFER.void.gate in deferred_release(): `read`, then the gate */
	disruptor_fence_seq_cst();
	carry(c);
	wake_others(c);
}

uint64_t deferred_unreleased(const struct disruptor_consumer *c)
{
	/* STAGE.acquire: what the releaser did before it made room for us */
	return is_deferred(c) ? c->next - disruptor_load_acquire(&c->gate->sequence) : 0;
}

uint64_t deferred_room(const struct disruptor_consumer *c)
{
	uint64_t unreleased = deferred_unreleased(c);

	return unreleased < entry_of(c)->ahead ? entry_of(c)->ahead - unreleased : 0;
}

uint64_t deferred_next(const struct disruptor_consumer *c)
{
	return c->next - entry_of(c)->ahead + 1;
}

int deferred_release(struct disruptor_consumer *c, uint64_t position)
{
	/* DEFER.read.acquire: what was read is released after it was read */
	uint64_t read = disruptor_load_acquire(&entry_of(c)->read);
	/* relaxed (hint): where to begin; the exchange below is what counts */
	uint64_t at = disruptor_load_relaxed(&c->gate->sequence);

	if (position > read)
		return error_set(DISRUPTOR_E_INVAL,
				 "position: %llu, but '%s' has read up to %llu only",
				 (unsigned long long)position, c->gate->name,
				 (unsigned long long)read);
	while (at < position)
		/* STAGE.release, FREE.release: several release, and each goes on with what the last has */
		if (disruptor_cas_release(&c->gate->sequence, &at, position))
			break;
	HOOK(HOOK_DEFER_RELEASED);
	/* DEFER.void.gate, pairs with DEFER.void.read in deferred_read(): the gate, then `read` */
	disruptor_fence_seq_cst();
	carry(c);
	wake_others(c);
	return 0;
}

uint64_t deferred_position(const struct disruptor_consumer *c)
{
	return disruptor_load_acquire(&entry_of(c)->read); /* DEFER.read.acquire */
}
