/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_LAYOUT_H
#define RING_LAYOUT_H

/*
 * Where everything lies in a ring's memory. The block (header, shared words,
 * gate table, slots) holds offsets only and could be mapped anywhere, as do the
 * tables behind it of what is to be known of producers and consumers. The private
 * part behind those (struct disruptor_ring and its own tables) belongs to one
 * process.
 */

#include <disruptor/event.h>
#include <disruptor/ring.h>

#define RING_MAGIC UINT64_C(0x474e495252534944) /* "DISRRING" in memory, little-endian */

/* The block's first bytes; immutable once the ring is made, but for the last two words. */
struct ring_header {
	uint64_t magic;
	uint32_t layout_version;
	uint32_t layout;    /* enum disruptor_layout */
	uint32_t producers; /* enum disruptor_producers */
	uint32_t max_consumers;
	uint32_t event_size;
	uint32_t event_align;
	uint32_t slot_stride;
	uint32_t event_offset;
	uint64_t capacity;
	uint64_t shared_at; /* offsets from the block's beginning */
	uint64_t gates_at;
	uint64_t slots_at;
	uint64_t block_bytes;
	/* entries of the gate table from here on were never used: scans end before it */
	DISRUPTOR_ATOMIC(uint32_t) gates_used;
	/* counts attaches, once the gate is shown: a scan that met one is repeated */
	DISRUPTOR_ATOMIC(uint32_t) attaches;
	uint64_t mirror_at; /* of a lossy ring, else 0: see ring/mirror.h */
	uint32_t mirror_stride;
	uint32_t cell;     /* bytes, of a ring of records, else 0: see ring/record.c … */
	uint64_t cells_at; /* … and where they are */
	uint32_t reserved[4];
};

struct ring_layout {
	struct ring_header header; /* what the block's will be */
	size_t align;              /* of the whole */
	size_t common_at;          /* behind the block: struct ring_common */
	size_t producers_at;       /* struct ring_producer */
	size_t consumers_at;       /* struct ring_consumer */
	size_t shared_bytes;       /* of the block and these */
	size_t ring_at;            /* the private part: struct disruptor_ring … */
	size_t own_producers_at;   /* … and its tables */
	size_t own_consumers_at;
	size_t loops_at; /* of consumers' event loops */
	size_t bytes;    /* of the whole */
	uint32_t max_producers;
};

static inline uint64_t round_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) / align * align;
}

/* Check the options and lay the ring out; a code with its detail set. */
int layout_make(struct ring_layout *l, const struct disruptor_type *type,
		const struct disruptor_options *options);

#endif
