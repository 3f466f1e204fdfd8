/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/share.h"

#include "hook.h"
#include "ring/ring.h"
#include "wait/core.h"

static struct ring_own_consumer *entry_of(const struct disruptor_consumer *c)
{
	return &c->ring->own_consumers[c->index];
}

static void hold(struct disruptor_consumer *c, uint64_t from, uint64_t to)
{
	c->next = c->read = from;
	c->limit = to;
	entry_of(c)->chunk_end = to;
}

int share_open(struct ring_share *s, const struct disruptor_consumer *whole, bool chunks)
{
	int rc = os_monitor_init(&s->lock);

	if (rc != 0)
		return rc;
	s->whole = whole->gate;
	s->count = 0;
	s->chunks = chunks;
	/* relaxed (private), all: nobody else knows it yet */
	disruptor_store_relaxed(&s->left_count, UINT64_C(0));
	disruptor_store_relaxed(&s->moved, UINT64_C(0));
	disruptor_store_relaxed(&s->taken, chunks ? whole->next : DISRUPTOR_VACANT);
	for (uint32_t i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++)
		disruptor_store_relaxed(&s->left[i].from, DISRUPTOR_VACANT);
	return 0;
}

void share_close(struct ring_share *s)
{
	os_monitor_destroy(&s->lock);
}

void share_join(struct ring_share *s, struct disruptor_consumer *c, uint64_t at_a_time)
{
	struct ring_own_consumer *e = entry_of(c);

	/* every release takes the out-of-line path, where it settles */
	c->flags |= DISRUPTOR_VIEW_POOLED | DISRUPTOR_VIEW_HEAVY;
	e->share = s;
	e->share_index = s->count;
	e->at_a_time = at_a_time;
	s->members[s->count++] = c->gate;
	if (!s->chunks)
		return;
	hold(c, c->next, c->next);
	/* SHARE.done.release, relaxed: it has done nothing; it holds nothing until it takes something */
	disruptor_store_relaxed(&c->gate->sequence, DISRUPTOR_VACANT);
}

/* ---- settling ---- */

static uint64_t least_left(const struct ring_share *s, uint64_t least)
{
	for (uint32_t i = 0; i < s->count; i++) {
		/* SHARE.leave.acquire: who sees the note gone sees that it was counted */
		uint64_t from = disruptor_load_acquire(&s->left[i].from);

		least = from < least ? from : least;
	}
	return least;
}

static uint64_t least_in_hand(const struct ring_share *s, uint64_t least)
{
	for (uint32_t i = 0; i < s->count; i++) {
		/* SHARE.done.acquire: what the member did with the events before its gate */
		uint64_t at = disruptor_load_acquire(&s->members[i]->sequence);

		least = at < least ? at : least;
	}
	return least;
}

/* What all have released: before it no member has anything in hand, and nothing is left. */
static uint64_t least_of_all(const struct ring_share *s)
{
	/* SHARE.leave.acquire: the hands that took up what was left, as far as they are counted */
	uint64_t least, seen, now = disruptor_load_acquire(&s->moved);

	do {
		seen = now;
		/* SHARE.take.acquire: before the hands that are on what lies before it */
		least = disruptor_load_acquire(&s->taken);
		least = least_in_hand(s, least);
		HOOK(HOOK_POOL_HANDS);
		least = least_left(s, least);
		/* SHARE.leave.acquire: if it has changed, a hand may have been looked at too early */
		now = disruptor_load_acquire(&s->moved);
	} while (now != seen);
	return least;
}

/* The own gate has been moved: what all have released becomes the whole's place. */
static void settle(const struct disruptor_consumer *c)
{
	const struct ring_share *s = entry_of(c)->share;
	struct disruptor_ring *r = c->ring;
	uint64_t least, at;
	bool woke;

	/* SHARE.settle.both: our gate, then the others' */
	disruptor_fence_seq_cst();
	least = least_of_all(s);
	HOOK(HOOK_POOL_SETTLE);
	/* relaxed (hint): where to begin; the exchange is what counts */
	at = disruptor_load_relaxed(&s->whole->sequence);
	while (at < least)
		/* STAGE.release, FREE.release, of all members, whose gates were acquired above */
		if (disruptor_cas_release(&s->whole->sequence, &at, least))
			break;
	/* relaxed (hint): at least what we have stored or seen */
	at = disruptor_load_relaxed(&s->whole->sequence);
	woke = edge_signal(r, edge_from(s->whole), at);
	woke |= edge_signal(r, edge_to_producers(r), at);
	if (woke)
		tally(&r->consumer_table[c->index].wakes);
}

void share_release(struct disruptor_consumer *c, uint64_t position)
{
	const struct ring_own_consumer *e = entry_of(c);
	bool done = e->share->chunks && position >= e->chunk_end;

	c->next = position;
	/* SHARE.done.release: what was done with the events, then the gate behind them */
	disruptor_store_release(&c->gate->sequence, done ? DISRUPTOR_VACANT : position);
	HOOK(HOOK_POOL_RELEASED);
	settle(c);
}

/* ---- taking ---- */

struct disruptor_gate *share_whole(const struct disruptor_consumer *c)
{
	/* not by the view's flag, which its own thread may be writing (LEAVE) */
	const struct ring_share *s = entry_of(c)->share;

	return s ? s->whole : NULL;
}

/* relaxed (hint): a late look takes one chunk more; what is left then is for the next run */
static bool has_failed(const struct disruptor_consumer *c)
{
	return (disruptor_load_relaxed(&c->shared->state) & DISRUPTOR_STATE_FAILED) != 0;
}

uint64_t share_look(struct disruptor_consumer *c)
{
	const struct ring_own_consumer *e = entry_of(c);
	const struct ring_share *s = e->share;
	uint64_t at;

	if (c->next < e->chunk_end)
		return e->chunk_end - c->next;
	if (has_failed(c))
		return 0;
	/* relaxed (hint): who leaves something wakes us */
	if (disruptor_load_relaxed(&s->left_count) != 0)
		return 1;
	/*
	 * relaxed (hint): what is there the stamps say; who takes it does so by a swap. Another may take
	 * it meanwhile, and a producer publish over it; behind our announcement he finds the word, which
	 * asks for less than that.
	 */
	at = disruptor_load_relaxed(&s->taken);
	hold(c, at, at);
	HOOK(HOOK_POOL_LOOK);
	return consumer_available(c, at, at + 1) != at;
}

/* What another member has left. */
static bool take_up(struct disruptor_consumer *c)
{
	const struct ring_own_consumer *e = entry_of(c);
	struct ring_share *s = e->share;
	bool found = false;

	/* relaxed (hint): looked at again under the lock; a later one has its maker's wake-up */
	if (disruptor_likely(disruptor_load_relaxed(&s->left_count) == 0))
		return false;
	os_lock(&s->lock);
	/* its own first: so it has no note while it holds a chunk, and has one to leave that by */
	for (uint32_t k = 0; k < s->count && !found; k++) {
		struct share_left *left = &s->left[(e->share_index + k) % s->count];
		uint64_t from = disruptor_load_relaxed(&left->from); /* relaxed (lock) */

		if (from == DISRUPTOR_VACANT)
			continue;
		/* SHARE.leave.release, all: the hand, then its being counted, then the note goes */
		disruptor_store_release(&c->gate->sequence, from);
		HOOK(HOOK_POOL_TAKE_UP);
		/* relaxed (lock): counted under it only */
		disruptor_store_release(&s->moved, disruptor_load_relaxed(&s->moved) + 1);
		HOOK(HOOK_POOL_MOVED);
		disruptor_store_release(&left->from, DISRUPTOR_VACANT);
		/* relaxed (lock): only whether to look */
		disruptor_store_relaxed(&s->left_count, disruptor_load_relaxed(&s->left_count) - 1);
		hold(c, from, left->to);
		found = true;
	}
	os_unlock(&s->lock);
	return found;
}

/* As much as it takes at a time of what is available and nobody has taken. */
static bool take_next(struct disruptor_consumer *c)
{
	const struct ring_own_consumer *e = entry_of(c);
	struct ring_share *s = e->share;
	/* relaxed (hint): what is there the stamps say; the swap below is what counts */
	uint64_t from = disruptor_load_relaxed(&s->taken);
	bool tried = false;
	uint64_t to;

	for (;;) {
		hold(c, from, from);
		to = consumer_available(c, from, from + e->at_a_time);
		if (to == from)
			break;
		tried = true;
		/* SHARE.take.release, both: the hand, then `taken` behind it */
		disruptor_store_release(&c->gate->sequence, from);
		disruptor_fence_seq_cst();
		HOOK(HOOK_POOL_HAND);
		/* SHARE.take.release: who reads it sees the hand, and those before, whose swaps it goes on */
		if (disruptor_cas_release(&s->taken, &from, to)) {
			HOOK(HOOK_POOL_TAKEN);
			hold(c, from, to);
			return true;
		}
	}
	if (tried) /* the hand was on what is another's */
		share_release(c, from);
	return false;
}

bool share_take(struct disruptor_consumer *c)
{
	if (c->next < entry_of(c)->chunk_end)
		return true;
	return !has_failed(c) && (take_up(c) || take_next(c));
}

void share_leave(struct disruptor_consumer *c)
{
	struct ring_own_consumer *e = entry_of(c);
	struct ring_share *s = e->share;
	struct share_left *left = &s->left[e->share_index];

	if (!share_takes(c) || c->next >= e->chunk_end)
		return;
	os_lock(&s->lock);
	left->to = e->chunk_end;
	/* SHARE.leave.release: the note, then the hand opens; with all that was done */
	disruptor_store_release(&left->from, c->next);
	HOOK(HOOK_POOL_NOTED);
	/* relaxed (lock): those who wait are woken below */
	disruptor_store_relaxed(&s->left_count, disruptor_load_relaxed(&s->left_count) + 1);
	os_unlock(&s->lock);
	hold(c, c->next, c->next);
	share_release(c, c->next);
	HOOK(HOOK_POOL_LEFT);
	for (uint32_t i = 0; i < s->count; i++)
		consumer_wake_gate(c->ring, (uint32_t)(s->members[i] - c->ring->gates));
}

bool share_is_needed(const struct disruptor_consumer *c, uint64_t end)
{
	/* STAGE.acquire: once the whole has come so far nothing is left */
	return share_takes(c) && disruptor_load_acquire(&share_whole(c)->sequence) < end;
}

uint64_t share_position(const struct disruptor_consumer *c)
{
	const struct ring_share *s = entry_of(c)->share;
	/* SHARE.take.acquire: who sees the position sees what was done before it */
	uint64_t taken = disruptor_load_acquire(&s->taken);
	/* SHARE.done.acquire: the same */
	uint64_t at = disruptor_load_acquire(&c->gate->sequence);

	if (at == DISRUPTOR_VACANT)
		/* SHARE.leave.acquire: the same */
		at = disruptor_load_acquire(&s->left[entry_of(c)->share_index].from);
	return at == DISRUPTOR_VACANT ? taken : at;
}
