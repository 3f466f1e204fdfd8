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
	/* where its name is, if it has one; NULL: the default directory */
	char *directory, *file;
};

/* Bytes of the file that are locked: one for the cold side, then one for each participant. */
#define SEGMENT_ADMIN_BYTE 0
#define SEGMENT_FIRST_BYTE 1

/* Copy what others may be writing: each word is one of those that stood there. */
void segment_copy(void *to, const void *from, size_t bytes);
/*
 * A private copy of what a segment begins with, checked: the header, how the ring lies in its block,
 * and the type, which is the caller's on success, by free(). E_FORMAT, E_VERSION, E_NOMEM.
 */
int segment_examine(const struct os_share *share, const char *name, struct segment_header *h,
		    struct ring_layout *l, struct segment_type **type);
/* Whether it was made since the machine was started: nobody has one of before. */
bool segment_is_current(const struct segment_header *h);
/* What the ring was made from, as its header says. */
struct disruptor_options segment_options(const struct segment_header *h);
/* Who has place @p index, which is one, of a segment whose ring is @p r. */
void segment_tell(const struct os_share *share, const struct segment_header *h,
		  const struct disruptor_ring *r, uint32_t index,
		  struct disruptor_participant *out);

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
