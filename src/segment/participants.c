/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who has a segment; and finding out, by the kernel's word, that one of them is dead. */
#include "error.h"
#include "ring/repair.h"
#include "segment/segment.h"

#include <stdio.h>
#include <string.h>

static struct segment_participant *place_of(const struct os_share *share,
					    const struct segment_header *h, uint32_t i)
{
	return (struct segment_participant *)(void *)(share->base + h->participants_at) + i;
}

static struct segment_participant *participant(const struct disruptor_segment *s, uint32_t i)
{
	return place_of(&s->share, &s->header, i);
}

void segment_copy(void *to, const void *from, size_t bytes)
{
	unsigned char *t = to;
	const unsigned char *f = from;
	uint64_t word;

	while (bytes != 0) {
		if ((uintptr_t)f % sizeof(word) == 0 && bytes >= sizeof(word)) {
			/* relaxed (figure), both: the caller finds out what it is worth */
			word = disruptor_load_relaxed((const atomic_word *)(const void *)f);
			memcpy(t, &word, sizeof(word));
			t += sizeof(word), f += sizeof(word), bytes -= sizeof(word);
		} else {
			/* relaxed (figure): as above */
			*t++ = disruptor_load_relaxed(
				(const DISRUPTOR_ATOMIC(unsigned char) *)(const void *)f++);
			bytes--;
		}
	}
}

/* relaxed (lock): written by who has the participant's lock, or the cold side's if that is dead */
static bool is_present(const struct segment_participant *p)
{
	return disruptor_load_relaxed(&p->state) & SEGMENT_PRESENT;
}

void segment_lock(void *context)
{
	/* it fails only on memory that no lock can be had for; then this process's lock has to do */
	(void)os_share_lock(&((struct disruptor_segment *)context)->share, SEGMENT_ADMIN_BYTE);
}

void segment_unlock(void *context)
{
	os_share_unlock(&((struct disruptor_segment *)context)->share, SEGMENT_ADMIN_BYTE);
}

/*
 * The cold side's lock is held, and nobody has the participant's. What was claimed when that was found
 * first is to be settled before its place is free; somebody who lives may be in the way (repair.h).
 */
static bool bury(struct disruptor_segment *s, uint32_t i)
{
	struct segment_participant *p = participant(s, i);
	/* relaxed (lock), all */
	uint64_t end = disruptor_load_relaxed(&p->left);

	if (end == 0) {
		end = ring_claimed(s->ring) + 1;
		disruptor_store_relaxed(&p->left, end);
	}
	if (!ring_repair(s->ring, i + 1, end - 1))
		return false;
	disruptor_store_relaxed(&p->left, UINT64_C(0));
	ring_step();
	disruptor_store_relaxed(&p->state, UINT64_C(0));
	return true;
}

void segment_tend(void *context)
{
	struct disruptor_segment *s = context;
	bool found = false;

	for (uint32_t i = 0; i < s->header.participants && !found; i++)
		found = (!s->present || i != s->place) && is_present(participant(s, i)) &&
			!os_share_is_locked(&s->share, SEGMENT_FIRST_BYTE + i);
	if (!found)
		return;
	ring_lock(s->ring);
	for (uint32_t i = 0; i < s->header.participants; i++)
		/* once more: the place may have been left, and taken, before we had the lock */
		if ((!s->present || i != s->place) && is_present(participant(s, i)) &&
		    !os_share_is_locked(&s->share, SEGMENT_FIRST_BYTE + i))
			(void)bury(s, i);
	ring_unlock(s->ring);
}

/* Lock held. A place that nobody has, alive or dead; its lock is the proof that we live. */
static int take_place(struct disruptor_segment *s)
{
	for (uint32_t i = 0; i < s->header.participants; i++) {
		if (!os_share_try_lock(&s->share, SEGMENT_FIRST_BYTE + i))
			continue;
		if (!is_present(participant(s, i)) || bury(s, i)) {
			s->place = i;
			s->present = true;
			s->ring->peers.self = i + 1;
			return 0;
		}
		os_share_unlock(&s->share, SEGMENT_FIRST_BYTE + i);
	}
	return error_set(DISRUPTOR_E_BUSY, "%s: all places for %u processes are taken", s->name,
			 s->header.participants);
}

int segment_enter(struct disruptor_segment *s, const char *name)
{
	uint64_t pid = os_process_id();
	struct segment_participant *me;
	int rc;

	segment_tend(s);
	ring_lock(s->ring);
	rc = take_place(s);
	if (rc == 0) {
		me = participant(s, s->place);
		/* relaxed (lock), all */
		disruptor_store_relaxed(&me->pid, pid);
		disruptor_store_relaxed(&me->started, os_process_start(pid));
		disruptor_store_relaxed(&me->heartbeat, disruptor_now());
		memset(me->name, 0, sizeof(me->name));
		if (name)
			(void)snprintf(me->name, sizeof(me->name), "%s", name);
		else
			(void)snprintf(me->name, sizeof(me->name), "%llu", (unsigned long long)pid);
		disruptor_store_relaxed(&me->left, UINT64_C(0));
		disruptor_store_relaxed(&me->state, (uint64_t)SEGMENT_PRESENT);
	}
	ring_unlock(s->ring);
	return rc;
}

bool segment_is_last(const struct disruptor_segment *s)
{
	for (uint32_t i = 0; i < s->header.participants; i++)
		if (i != s->place && is_present(participant(s, i)) &&
		    os_share_is_locked(&s->share, SEGMENT_FIRST_BYTE + i))
			return false;
	for (uint32_t i = 0; i < s->ring->max_consumers; i++)
		if (s->ring->consumer_table[i].used)
			return false;
	return true;
}

void segment_leave(struct disruptor_segment *s)
{
	if (!s->present)
		return;
	/* relaxed (lock): as in segment_enter() */
	disruptor_store_relaxed(&participant(s, s->place)->state, UINT64_C(0));
	os_share_unlock(&s->share, SEGMENT_FIRST_BYTE + s->place);
	s->present = false;
}

void segment_tell(const struct os_share *share, const struct segment_header *h,
		  const struct disruptor_ring *r, uint32_t index, struct disruptor_participant *out)
{
	const struct segment_participant *p = place_of(share, h, index);

	memset(out, 0, sizeof(*out));
	if (!is_present(p))
		return;
	out->present = 1;
	out->alive = os_share_is_locked(share, SEGMENT_FIRST_BYTE + index);
	/* relaxed (figure), all */
	out->pid = disruptor_load_relaxed(&p->pid);
	out->started = disruptor_load_relaxed(&p->started);
	segment_copy(out->name, p->name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	for (uint32_t i = 0; i < r->max_producers; i++)
		out->producers += disruptor_load_relaxed(&r->producer_table[i].participant) ==
				  index + 1;
	for (uint32_t i = 0; i < r->max_consumers; i++)
		out->consumers += disruptor_load_relaxed(&r->consumer_table[i].participant) ==
				  index + 1;
}

int disruptor_segment_participant(const struct disruptor_segment *segment, uint32_t index,
				  struct disruptor_participant *out)
{
	if (!segment || !out)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL",
				 segment ? "participant" : "segment");
	memset(out, 0, sizeof(*out));
	if (index >= segment->header.participants)
		return error_set(DISRUPTOR_E_NOT_FOUND, "index: %u of %u", index,
				 segment->header.participants);
	segment_tell(&segment->share, &segment->header, segment->ring, index, out);
	out->self = out->present && segment->present && index == segment->place;
	if (out->self) /* our own lock is none in our way */
		out->alive = 1;
	return 0;
}
