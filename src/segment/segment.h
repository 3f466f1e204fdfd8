/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SEGMENT_SEGMENT_H
#define SEGMENT_SEGMENT_H

/* A segment as one process has it, and who else has it. */

#include "os/share.h"
#include "ring/ring.h"
#include "segment/format.h"

#include <disruptor/segment.h>

struct disruptor_segment {
	struct os_share share;
	struct segment_header header; /* a copy, checked: the other is never looked at again */
	struct ring_layout layout;
	struct segment_type *found; /* NULL: the caller's is as good */
	struct disruptor_ring *ring;
	uint32_t place; /* ours among the participants */
	bool present;
	char name[64]; /* for messages */
	/* of a temporary one, to remove it; NULL: the default */
	bool temporary;
	char *directory, *file;
};

/* The cold side of all processes, beside the ring's own lock. @p context is the segment. */
void segment_lock(void *context);
void segment_unlock(void *context);
/* Find out who has died, and repair what they have left. @p context is the segment. */
void segment_tend(void *context);

/* Become a participant: E_BUSY if all places are taken. Repairs what the dead have left first. */
int segment_enter(struct disruptor_segment *s, const char *name);
/* Whether no other process that lives has it, and no consumer's place is kept. Lock held. */
bool segment_is_last(const struct disruptor_segment *s);
/* Be none any more; no view is open. */
void segment_leave(struct disruptor_segment *s);

#endif
