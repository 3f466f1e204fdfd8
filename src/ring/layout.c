/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/layout.h"

#include "error.h"
#include "ring/loop.h"
#include "ring/ring.h"
#include "wait/core.h"

#define MAX_CELL (1 << 20)

/* Every fact on which the inline functions, the block and the next release rely. */
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #field " moved")
AT(struct disruptor_shared, claimed, 0);
AT(struct disruptor_shared, cursor, 8);
AT(struct disruptor_shared, wake_consumers, 128);
AT(struct disruptor_shared, voids_end, 136);
AT(struct disruptor_shared, end, 144);
AT(struct disruptor_shared, state, 152);
AT(struct disruptor_shared, consumers_epoch, 156);
AT(struct disruptor_shared, wake_producers, 256);
AT(struct disruptor_shared, producers_epoch, 264);
AT(struct disruptor_gate, sequence, 0);
AT(struct disruptor_gate, wake, 8);
AT(struct disruptor_gate, upstreams, 16);
AT(struct disruptor_gate, sleeps, 24);
AT(struct disruptor_gate, alert, 32);
AT(struct disruptor_gate, epoch, 36);
AT(struct disruptor_gate, name, 40);
AT(struct ring_producer, limit, 56);
AT(struct ring_producer, name, 80);
AT(struct ring_consumer, until, 16);
_Static_assert(sizeof(struct ring_producer) == DISRUPTOR_APART, "layout 1");
_Static_assert(sizeof(struct ring_consumer) == DISRUPTOR_APART, "layout 1");
AT(struct ring_header, capacity, 40);
AT(struct ring_header, gates_used, 80);
AT(struct ring_header, attaches, 84);
AT(struct ring_header, mirror_at, 88);
AT(struct ring_header, cells_at, 104);
_Static_assert(sizeof(struct ring_header) == DISRUPTOR_APART, "layout 1");
_Static_assert(sizeof(atomic_word) == 8, "a position is 64 bits in every build");
_Static_assert(ATOMIC_LLONG_LOCK_FREE != 0, "64-bit atomics are never lock-free here");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics are not always lock-free here");
struct word_behind_a_byte {
	char byte;
	atomic_word word;
};
_Static_assert(offsetof(struct word_behind_a_byte, word) == 8,
	       "words that straddle two lines are not atomic (gcc for i386 before 11.1)");
#if UINTPTR_MAX > UINT32_MAX
AT(struct disruptor_producer, offset, 64);
AT(struct disruptor_producer, event_size, 92);
AT(struct disruptor_consumer, offset, 60);
#endif

static bool power_of_two(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static int check_type(const struct disruptor_type *type)
{
	if (!type)
		return error_set(DISRUPTOR_E_INVAL, "type: NULL");
	if (!type->name || !type->name[0])
		return error_set(DISRUPTOR_E_INVAL, "type: it has no name");
	if (type->size == 0)
		return error_set(DISRUPTOR_E_INVAL, "type '%s': size: 0", type->name);
	if (!power_of_two(type->align) || type->align > DISRUPTOR_MAX_ALIGN)
		return error_set(DISRUPTOR_E_INVAL,
				 "type '%s': align: %u is not a power of two up to %d", type->name,
				 type->align, DISRUPTOR_MAX_ALIGN);
	if (type->size % type->align != 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "type '%s': size: %u is not a multiple of its alignment %u",
				 type->name, type->size, type->align);
	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct disruptor_field *f = &type->fields[i];

		if (f->offset > type->size || f->size > type->size - f->offset)
			return error_set(DISRUPTOR_E_INVAL,
					 "type '%s': field '%s' reaches beyond the event",
					 type->name, f->name);
	}
	return 0;
}

static int check_cell(const struct disruptor_options *o, const struct disruptor_type *type)
{
	if (o->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", o->reserved);
	if (o->cell == 0)
		return 0;
	if (!power_of_two(o->cell) || o->cell < 8 || o->cell > MAX_CELL)
		return error_set(DISRUPTOR_E_INVAL, "cell: %u is not a power of two from 8 to %d",
				 o->cell, MAX_CELL);
	if (type->size != 8 || type->align != 8)
		return error_set(
			DISRUPTOR_E_INVAL,
			"cell: of a ring of records, whose type is disruptor_record_type(), "
			"not '%s'",
			type->name);
	if (o->layout == DISRUPTOR_PACKED)
		return error_set(DISRUPTOR_E_INVAL, "layout: a ring of records is stamped");
	if (o->flags & DISRUPTOR_LOSSY)
		return error_set(DISRUPTOR_E_UNSUPPORTED,
				 "flags: DISRUPTOR_LOSSY: not of a ring of records");
	if (o->init || o->fini)
		return error_set(DISRUPTOR_E_INVAL, "%s: records are of no type that has one",
				 o->init ? "init" : "fini");
	return 0;
}

static int check_memory(const struct disruptor_options *o)
{
	const unsigned pages = DISRUPTOR_HUGE_PAGES_TRY | DISRUPTOR_HUGE_PAGES_REQUIRE |
			       DISRUPTOR_PREFAULT | DISRUPTOR_BIND_NODE;
	const unsigned known = pages | DISRUPTOR_LOCK_MEMORY | DISRUPTOR_FREE_RUN | DISRUPTOR_LOSSY;

	if (o->flags & ~known)
		return error_set(DISRUPTOR_E_INVAL, "flags: 0x%x is unknown", o->flags & ~known);
	if (!o->allocator.allocate != !o->allocator.release)
		return error_set(DISRUPTOR_E_INVAL, "allocator: allocate and release go together");
	if ((o->flags & DISRUPTOR_FREE_RUN) && o->producers == DISRUPTOR_MANY)
		return error_set(DISRUPTOR_E_INVAL,
				 "flags: DISRUPTOR_FREE_RUN: only for a single producer");
	if (o->memory && o->allocator.allocate)
		return error_set(DISRUPTOR_E_INVAL, "memory: not together with allocator");
	if ((o->memory || o->allocator.allocate) && (o->flags & pages))
		return error_set(DISRUPTOR_E_INVAL,
				 "flags: 0x%x concerns pages, which memory or allocator bring",
				 o->flags & pages);
	return 0;
}

static int check_options(const struct disruptor_options *o)
{
	int rc;

	if (o->capacity > DISRUPTOR_MAX_CAPACITY)
		return error_set(DISRUPTOR_E_TOO_BIG, "capacity: %llu is above %llu",
				 (unsigned long long)o->capacity,
				 (unsigned long long)DISRUPTOR_MAX_CAPACITY);
	if (!power_of_two(o->capacity))
		return error_set(DISRUPTOR_E_INVAL, "capacity: %llu is not a power of two",
				 (unsigned long long)o->capacity);
	if (o->layout > DISRUPTOR_PACKED)
		return error_set(DISRUPTOR_E_INVAL, "layout: %d is none", (int)o->layout);
	if (o->producers > DISRUPTOR_MANY)
		return error_set(DISRUPTOR_E_INVAL, "producers: %d is neither single nor many",
				 (int)o->producers);
	if (o->layout == DISRUPTOR_PACKED && o->producers == DISRUPTOR_MANY)
		return error_set(DISRUPTOR_E_INVAL, "layout: a packed ring has a single producer");
	if (o->producers == DISRUPTOR_SINGLE && o->max_producers > 1)
		return error_set(DISRUPTOR_E_INVAL, "max_producers: %u of a single producer",
				 o->max_producers);
	if (o->max_producers > 65535)
		return error_set(DISRUPTOR_E_TOO_BIG, "max_producers: %u is above 65535",
				 o->max_producers);
	if (o->max_consumers > DISRUPTOR_MAX_CONSUMERS)
		return error_set(DISRUPTOR_E_TOO_BIG, "max_consumers: %u is above %d",
				 o->max_consumers, DISRUPTOR_MAX_CONSUMERS);
	if (o->rung > DISRUPTOR_RUNG_MUTEX)
		return error_set(DISRUPTOR_E_INVAL, "rung: %d is none", (int)o->rung);
	rc = wait_check("wait", &o->wait);
	return rc != 0 ? rc : check_memory(o);
}

/* Up to a line a power of two, so that nothing straddles two lines; above it whole lines. */
static uint64_t stride_of(uint64_t need, uint64_t align)
{
	uint64_t stride;

	if (need > DISRUPTOR_LINE)
		return round_up(need, align > DISRUPTOR_LINE ? align : DISRUPTOR_LINE);
	for (stride = 16; stride < need; stride *= 2)
		;
	return stride;
}

/*
 * One producer's slots of more than a line lie close together where none then touches more lines
 * than if each began with one: neighbours share the line between them, which is moved once.
 */
static uint64_t close_stride_of(uint64_t need, uint64_t align)
{
	uint64_t stride = stride_of(need, align);
	uint64_t close = round_up(need, 8);
	uint64_t most = round_up(close + DISRUPTOR_LINE - 8, DISRUPTOR_LINE);

	return align == 8 && need > DISRUPTOR_LINE && most <= stride ? close : stride;
}

/* A stamped slot is the stamp, then the event at its own alignment. */
static void lay_slot(struct ring_header *h)
{
	uint64_t offset;

	if (h->layout == DISRUPTOR_PACKED) {
		h->event_offset = 0;
		h->slot_stride = h->event_size;
		return;
	}
	offset = h->event_align > 8 ? h->event_align : 8;
	h->event_offset = (uint32_t)offset;
	h->slot_stride = (uint32_t)(h->producers == DISRUPTOR_SINGLE
					    ? close_stride_of(offset + h->event_size, offset)
					    : stride_of(offset + h->event_size, offset));
}

/* Behind the slots: an entry for each is a stamp, then the event in whole words. */
static void lay_mirror(struct ring_header *h)
{
	h->mirror_at = h->block_bytes;
	h->mirror_stride = (uint32_t)stride_of(8 + round_up(h->event_size, 8), 8);
	/* at most 2^31 * 2^31, as the slots: no overflow */
	h->block_bytes = round_up(h->mirror_at + h->capacity * h->mirror_stride, DISRUPTOR_APART);
}

/* Behind the slots, a cell for each; aligned as what they may hold, up to a page. */
static void lay_cells(struct ring_header *h, uint32_t cell, uint64_t *align)
{
	uint64_t at;

	if (cell > *align)
		*align = cell < DISRUPTOR_MAX_ALIGN ? cell : DISRUPTOR_MAX_ALIGN;
	at = round_up(h->block_bytes, *align);
	/* at most 2^31 * 2^20 and as much as the slots: no overflow */
	h->cell = cell;
	h->cells_at = at;
	h->block_bytes = round_up(at + h->capacity * cell, DISRUPTOR_APART);
}

int layout_make(struct ring_layout *l, const struct disruptor_type *type,
		const struct disruptor_options *options)
{
	struct ring_header *h = &l->header;
	uint64_t align, slots, at;
	int rc = check_type(type);

	if (rc == 0)
		rc = check_options(options);
	if (rc == 0)
		rc = check_cell(options, type);
	if (rc != 0)
		return rc;
	if (type->size > INT32_MAX / 2)
		return error_set(DISRUPTOR_E_TOO_BIG, "type '%s': size: %u", type->name,
				 type->size);
	*l = (struct ring_layout){
		.header = { .magic = RING_MAGIC,
			    .layout_version = DISRUPTOR_LAYOUT_VERSION,
			    .layout = options->layout,
			    .producers = options->producers,
			    .max_consumers = options->max_consumers ? options->max_consumers : 16,
			    .event_size = type->size,
			    .event_align = type->align,
			    .capacity = options->capacity },
	};
	lay_slot(h);
	l->max_producers = options->producers == DISRUPTOR_SINGLE ? 1
			   : options->max_producers               ? options->max_producers
								  : 16;
	align = type->align > DISRUPTOR_APART ? type->align : DISRUPTOR_APART;
	h->shared_at = sizeof(struct ring_header);
	h->gates_at = h->shared_at + sizeof(struct disruptor_shared);
	h->slots_at =
		round_up(h->gates_at + h->max_consumers * sizeof(struct disruptor_gate), align);
	slots = h->capacity * h->slot_stride; /* at most 2^31 * 2^31: no overflow */
	h->block_bytes = round_up(h->slots_at + slots, DISRUPTOR_APART);
	if (options->flags & DISRUPTOR_LOSSY)
		lay_mirror(h);
	if (options->cell)
		lay_cells(h, options->cell, &align);
	l->align = (size_t)align;
	at = h->block_bytes;
	l->common_at = (size_t)at;
	at = at + sizeof(struct ring_common);
	l->producers_at = (size_t)at;
	at = at + l->max_producers * sizeof(struct ring_producer);
	l->consumers_at = (size_t)at;
	at = at + h->max_consumers * sizeof(struct ring_consumer);
	l->shared_bytes = (size_t)at;
	l->ring_at = (size_t)at;
	at = round_up(at + sizeof(struct disruptor_ring), DISRUPTOR_APART);
	l->own_producers_at = (size_t)at;
	at = round_up(at + l->max_producers * sizeof(struct ring_own_producer), DISRUPTOR_APART);
	l->own_consumers_at = (size_t)at;
	at = round_up(at + h->max_consumers * sizeof(struct ring_own_consumer), DISRUPTOR_APART);
	l->loops_at = (size_t)at;
	at = round_up(at + h->max_consumers * sizeof(struct consumer_loop), align);
	l->bytes = (size_t)at;
	if (at > PTRDIFF_MAX)
		return error_set(DISRUPTOR_E_TOO_BIG,
				 "capacity: %llu slots of %u bytes do not fit the address space",
				 (unsigned long long)h->capacity, h->slot_stride);
	return 0;
}
