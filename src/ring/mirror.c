/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events copied word by word, so that they may be read while they are overwritten. */
#include "ring/mirror.h"

#include "hook.h"

#include <string.h>

/* The entry of that position is being written; positions stay below this bit. */
#define WRITING (UINT64_C(1) << 62)

/* The entry's stamp; the event's words follow it. */
static atomic_word *entry_of(const struct disruptor_ring *r, uint64_t position)
{
	return (atomic_word *)(void *)(r->mirror + (size_t)(position & r->mask) * r->mirror_stride);
}

void mirror_put(const struct disruptor_ring *r, uint64_t position, const void *event)
{
	atomic_word *stamp = entry_of(r, position), *word = stamp + 1;
	const unsigned char *from = event;
	size_t left = r->event_size;
	uint64_t bits;

	/* MIRROR.tear.release, relaxed, all: the fence orders the stamp, and the words behind it */
	disruptor_store_relaxed(stamp, (position + 1) | WRITING);
	/*
	 * MIRROR.tear.release, pairs with MIRROR.tear.acquire in mirror_get(): who has read one of
	 * the words below finds the stamp changed. If weaker: a torn event passes for the one before.
	 */
	disruptor_fence_release();
	HOOK(HOOK_MIRROR_WRITING);
	for (; left >= sizeof(bits); left -= sizeof(bits), from += sizeof(bits)) {
		memcpy(&bits, from, sizeof(bits));
		disruptor_store_relaxed(word++, bits);
	}
	if (left) {
		bits = 0;
		memcpy(&bits, from, left);
		disruptor_store_relaxed(word, bits);
	}
	HOOK(HOOK_MIRROR_WRITTEN);
	/*
	 * MIRROR.release, pairs with MIRROR.acquire in mirror_get(): the words before the stamp that
	 * shows them. If relaxed: words of the lap before are read as this event's.
	 */
	disruptor_store_release(stamp, position + 1);
}

void mirror_void(const struct disruptor_ring *r, uint64_t position)
{
	/* MIRROR.release, relaxed: no word changes, so nothing is read through it or can be torn */
	disruptor_store_relaxed(entry_of(r, position), (position + 1) | DISRUPTOR_VOID);
}

static enum mirror_state judge(uint64_t stamp, uint64_t position, uint64_t *at)
{
	uint64_t count = stamp & ~(DISRUPTOR_VOID | WRITING);

	if (count > position + 1) {
		*at = count - 1;
		return MIRROR_LAPPED;
	}
	if (count <= position || (stamp & WRITING))
		return MIRROR_NOT_YET;
	return stamp & DISRUPTOR_VOID ? MIRROR_VOIDED : MIRROR_EVENT;
}

enum mirror_state mirror_get(const struct disruptor_ring *r, uint64_t position, void *event,
			     uint64_t *at)
{
	const atomic_word *stamp = entry_of(r, position), *word = stamp + 1;
	unsigned char *to = event;
	size_t left = r->event_size;
	/* MIRROR.acquire, pairs with MIRROR.release in mirror_put(): at least that event's words */
	uint64_t before = disruptor_load_acquire(stamp);
	enum mirror_state state = judge(before, position, at);
	uint64_t bits;

	if (state != MIRROR_EVENT)
		return state;
	HOOK(HOOK_MIRROR_READING);
	for (; left >= sizeof(bits); left -= sizeof(bits), to += sizeof(bits)) {
		/* MIRROR.tear.acquire, relaxed: the fence orders it; the stamp says if it was torn */
		bits = disruptor_load_relaxed(word++);
		memcpy(to, &bits, sizeof(bits));
	}
	if (left) {
		/* MIRROR.tear.acquire, relaxed: as above */
		bits = disruptor_load_relaxed(word);
		memcpy(to, &bits, left);
	}
	HOOK(HOOK_MIRROR_READ);
	/* MIRROR.tear.acquire: a word of a later event, then its stamp; see mirror_put() */
	disruptor_fence_acquire();
	/* MIRROR.tear.acquire, relaxed: the fence orders it behind the words */
	return judge(disruptor_load_relaxed(stamp), position, at);
}

bool mirror_has(const struct disruptor_ring *r, uint64_t position)
{
	uint64_t at;
	/* relaxed (hint): only where to begin reading */
	uint64_t stamp = disruptor_load_relaxed(entry_of(r, position));

	return judge(stamp, position, &at) != MIRROR_NOT_YET;
}
