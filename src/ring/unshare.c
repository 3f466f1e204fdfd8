/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Handing lines back that nobody shares (docs/adr/0028-unshared-lines.md).
 *
 * A consumer writes to each line of the events that it is about to release what stands there. The
 * producer then takes a line that this processor alone has, instead of one that both have, where it
 * would first have to ask for the other copy's end: several times as dear.
 *
 * With several consumers each would take the lines from the next, so only who is alone does it. That is
 * looked up anew when another has come, and is no more than a hint, which suffices for stamps: nobody
 * writes these between publish and release. A line that holds later slots, too, is left alone: they may
 * be being written.
 */
#include "hook.h" /* first: the inline functions have hooks, too */

#include "ring/gate.h"
#include "ring/ring.h"

#include <disruptor/consumer.h>

/*
 * Write a word of each whole line of these bytes again. They are an event's: another consumer may write
 * to it, and what he writes meanwhile would be lost. So there must be no place for another.
 */
static void unshare_lines(unsigned char *from, const unsigned char *end)
{
	size_t within = (uintptr_t)from % DISRUPTOR_LINE;

	for (from += within != 0 ? DISRUPTOR_LINE - within : 0; from + DISRUPTOR_LINE <= end;
	     from += DISRUPTOR_LINE) {
		atomic_word *word = (atomic_word *)(void *)from;

		/* relaxed (same), both: nobody else writes to it, and nothing is read through it */
		disruptor_store_relaxed(word, disruptor_load_relaxed(word));
	}
}

static void unshare_events(const struct disruptor_consumer *c, uint64_t upto)
{
	uint64_t first = c->next & c->mask, end = first + (upto - c->next);
	uint64_t capacity = (uint64_t)c->mask + 1, wrapped = end > capacity ? end - capacity : 0;

	unshare_lines(c->slots + first * c->stride, c->slots + (end - wrapped) * c->stride);
	unshare_lines(c->slots, c->slots + wrapped * c->stride);
}

/* The stamps; and the lines of a large slot behind its stamp's, and the next one's. */
static void unshare_slots(const struct disruptor_consumer *c, uint64_t upto)
{
	uint64_t step = c->stride < DISRUPTOR_LINE ? DISRUPTOR_LINE / c->stride : 1;

	for (uint64_t at = c->next | (step - 1); at < upto; at += step) {
		atomic_word *stamp = ring_stamp(c->ring, at);
		unsigned char *slot = (unsigned char *)stamp;
		/* PUB.acquire, relaxed: carried by the look that found it ready */
		uint64_t value = disruptor_load_relaxed(stamp);

		/*
		 * PUB.release, pairs with PUB.acquire in is_settled(): who has the stamp from here
		 * sees the event, as we do. If relaxed: he reads a torn one. The caller's release
		 * keeps it before the next lap's.
		 */
		disruptor_store_release(stamp, value);
		if (c->stride > DISRUPTOR_LINE && c->ring->max_consumers == 1)
			unshare_lines(slot + sizeof(value), slot + c->stride);
	}
}

void disruptor_consumer_do_unshare(struct disruptor_consumer *c, uint64_t upto)
{
	/* relaxed (hint): who has come unseen has some lines taken from it */
	uint32_t attaches = disruptor_load_relaxed(&c->ring->header->attaches);

	if (c->attaches != attaches) {
		uint32_t attached;

		(void)gate_slowest(c->ring, c->next, &attached);
		c->attaches = attaches;
		c->flags &= (uint16_t)~DISRUPTOR_VIEW_ALONE;
		if (attached == 1)
			c->flags |= DISRUPTOR_VIEW_ALONE;
	}
	if (!(c->flags & DISRUPTOR_VIEW_ALONE))
		return;
	if (c->ring->layout == DISRUPTOR_STAMPED)
		unshare_slots(c, upto);
	else if (c->ring->max_consumers == 1)
		unshare_events(c, upto);
}
