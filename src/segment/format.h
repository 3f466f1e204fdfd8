/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SEGMENT_FORMAT_H
#define SEGMENT_FORMAT_H

/*
 * A segment's first pages: what it is, written once by its maker before anybody else can see it, and
 * checked by whoever opens it. docs/shm-format.md has it byte by byte.
 *
 * Whoever opens one copies the header, checks the copy, and never looks at the header again. The
 * places of everything behind it are not taken from it either: they follow from the event's type
 * and the ring's options, and what the header says has to agree.
 */

#include "ring/layout.h"

#include <disruptor/event.h>

#define SEGMENT_MAGIC                                                                              \
	UINT64_C(0x0a1a474553534944) /* "DISSEG", ^Z, newline: as bytes, little-endian */
#define SEGMENT_ORDER UINT32_C(0x01020304)
#define SEGMENT_MAJOR 1 /* another one is not understood */
#define SEGMENT_MINOR 0
#define SEGMENT_MAX_FIELDS 1024
#define SEGMENT_MAX_SCHEMA (1 << 20)
#define SEGMENT_MAX_PARTICIPANTS 256

/* All numbers are the machine's own; `order` tells which. */
struct segment_header {
	uint64_t magic;
	uint32_t order;
	uint16_t major, minor;
	uint32_t header_bytes; /* of this */
	uint32_t kind;         /* enum segment_kind */
	/* what is not known here: refuse, open to read only, or pass over */
	uint64_t features_needed;
	uint64_t features_to_write;
	uint64_t features_optional;
	uint64_t bytes; /* of the whole */
	uint64_t created_ns;
	uint8_t id[16];
	uint8_t boot[16];
	/* places, in bytes from the beginning */
	uint64_t schema_at, schema_bytes;
	uint64_t participants_at;
	uint32_t participants, participant_bytes;
	uint64_t block_at, block_bytes;
	/* what the ring in the block is made from; all else follows */
	uint64_t capacity;
	uint32_t layout, producers;
	uint32_t max_consumers, max_producers;
	uint32_t rung, flags;
	uint32_t event_size, event_align;
	uint32_t cell;    /* of SEGMENT_RECORDS, else 0 */
	uint8_t zero[60]; /* of later minor versions */
	uint32_t schema_check;
	uint32_t check; /* CRC-32C of everything before it */
};

enum segment_kind { SEGMENT_RING = 1, SEGMENT_RECORDS = 2 };

/* Of features_optional. */
#define SEGMENT_TEMPORARY UINT64_C(1)

#define SEGMENT_PRESENT 1

/*
 * One process that has attached. The proof that it lives is a lock on its byte of the file, nothing
 * that is written here: that is for people.
 */
struct segment_participant {
	DISRUPTOR_ATOMIC(uint64_t) state; /* SEGMENT_PRESENT */
	DISRUPTOR_ATOMIC(uint64_t) pid;
	DISRUPTOR_ATOMIC(uint64_t) started;   /* the process, in the kernel's ticks */
	DISRUPTOR_ATOMIC(uint64_t) heartbeat; /* disruptor_now() of its last sign of life */
	DISRUPTOR_ATOMIC(uint64_t) pid_space; /* of which its pid is a number */
	/* of one found dead: what was claimed then, and one, until all of that is settled */
	DISRUPTOR_ATOMIC(uint64_t) left;
	char name[32];
	char apart[DISRUPTOR_APART - 80];
};

/* The schema: this, then a field each, then the names, each ended by a NUL. */
struct segment_schema {
	uint32_t fields;
	uint32_t names_bytes;
	uint32_t name_at; /* in the names: of the type */
	uint32_t zero;
};

struct segment_field {
	uint32_t name_at, offset, size, width, kind, zero;
};

/* A schema that was read: the type, and what it points to; one allocation. */
struct segment_type {
	struct disruptor_type type;
	struct disruptor_field fields[];
};

uint32_t segment_crc(const void *bytes, size_t size);

size_t segment_schema_bytes(const struct disruptor_type *type);
void segment_schema_write(const struct disruptor_type *type, unsigned char *to);
/*
 * Read one of @p bytes bytes that nobody else can change. E_FORMAT names the field; on success it is
 * the caller's, by free().
 */
int segment_schema_read(const unsigned char *from, size_t bytes, const struct segment_header *h,
			struct segment_type **type);

/* What goes into a new segment, and how large that is. */
int segment_lay_out(struct segment_header *h, struct ring_layout *l,
		    const struct disruptor_type *type, const struct disruptor_options *options,
		    uint32_t participants);
void segment_seal(struct segment_header *h, const unsigned char *schema);

/*
 * Check a private copy of a header against the size of what it was read from: everything but the
 * schema's bytes. *@p l is then how the ring lies in its block. E_FORMAT, E_VERSION with a detail that names what is wrong.
 */
int segment_check(const struct segment_header *h, struct ring_layout *l, const char *name,
		  uint64_t bytes);

#endif
