/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a segment begins with: laid out, sealed, and checked by those who open it. */
#include "segment/format.h"

#include "error.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

_Static_assert(sizeof(struct segment_header) == 256, "format 1");
_Static_assert(offsetof(struct segment_header, bytes) == 48, "format 1");
_Static_assert(offsetof(struct segment_header, schema_at) == 96, "format 1");
_Static_assert(offsetof(struct segment_header, capacity) == 144, "format 1");
_Static_assert(offsetof(struct segment_header, check) == 252, "format 1");
_Static_assert(sizeof(struct segment_schema) == 16, "format 1");
_Static_assert(sizeof(struct segment_field) == 24, "format 1");

/* CRC-32C (Castagnoli), bit by bit: it is a page that is checked, and seldom. */
uint32_t segment_crc(const void *bytes, size_t size)
{
	const unsigned char *b = bytes;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

/* ---- the schema ---- */

static size_t names_bytes(const struct disruptor_type *type)
{
	size_t bytes = strlen(type->name) + 1;

	for (uint32_t i = 0; i < type->field_count; i++)
		bytes += strlen(type->fields[i].name) + 1;
	return bytes;
}

size_t segment_schema_bytes(const struct disruptor_type *type)
{
	return sizeof(struct segment_schema) + type->field_count * sizeof(struct segment_field) +
	       names_bytes(type);
}

static uint32_t put_name(char *names, uint32_t *at, const char *name)
{
	uint32_t began = *at;
	size_t bytes = strlen(name) + 1;

	memcpy(names + began, name, bytes);
	*at += (uint32_t)bytes;
	return began;
}

void segment_schema_write(const struct disruptor_type *type, unsigned char *to)
{
	struct segment_schema *schema = (struct segment_schema *)(void *)to;
	struct segment_field *fields = (struct segment_field *)(void *)(schema + 1);
	char *names = (char *)(fields + type->field_count);
	uint32_t at = 0;

	*schema = (struct segment_schema){ .fields = type->field_count,
					   .names_bytes = (uint32_t)names_bytes(type) };
	schema->name_at = put_name(names, &at, type->name);
	for (uint32_t i = 0; i < type->field_count; i++)
		fields[i] = (struct segment_field){
			.name_at = put_name(names, &at, type->fields[i].name),
			.offset = type->fields[i].offset,
			.size = type->fields[i].size,
			.width = type->fields[i].width,
			.kind = (uint32_t)type->fields[i].kind,
		};
}

/* A name that ends within them, is not empty, and that a terminal may be shown. */
static bool is_name(const char *names, uint32_t bytes, uint32_t at)
{
	uint32_t i;

	if (at >= bytes)
		return false;
	for (i = at; i < bytes && names[i]; i++)
		if ((unsigned char)names[i] < 0x20 || names[i] == 0x7f)
			return false;
	return i < bytes && i != at;
}

static int check_field(const struct segment_field *f, const char *names, uint32_t bytes,
		       const struct segment_header *h, uint32_t i)
{
	const char *what = NULL;

	if (!is_name(names, bytes, f->name_at))
		what = "name";
	else if (f->kind > DISRUPTOR_KIND_TIME || f->zero != 0)
		what = "kind";
	else if (f->offset > h->event_size || f->size > h->event_size - f->offset || f->size == 0)
		what = "size";
	else if (f->width == 0 || f->size % f->width != 0)
		what = "width";
	return what ? error_set(DISRUPTOR_E_FORMAT, "schema: field %u: %s", i, what) : 0;
}

int segment_schema_read(const unsigned char *from, size_t bytes, const struct segment_header *h,
			struct segment_type **type)
{
	struct segment_schema schema;
	const struct segment_field *fields;
	struct segment_type *t;
	const char *names;
	size_t fields_bytes, whole;
	char *copy;

	*type = NULL;
	if (bytes < sizeof(schema))
		return error_set(DISRUPTOR_E_FORMAT, "schema: %zu bytes", bytes);
	memcpy(&schema, from, sizeof(schema));
	fields_bytes = (size_t)schema.fields * sizeof(*fields);
	if (schema.fields > SEGMENT_MAX_FIELDS || schema.zero != 0 ||
	    schema.names_bytes != bytes - sizeof(schema) - fields_bytes ||
	    fields_bytes > bytes - sizeof(schema))
		return error_set(DISRUPTOR_E_FORMAT, "schema: %u fields do not fit its %zu bytes",
				 schema.fields, bytes);
	fields = (const struct segment_field *)(const void *)(from + sizeof(schema));
	names = (const char *)(fields + schema.fields);
	if (!is_name(names, schema.names_bytes, schema.name_at))
		return error_set(DISRUPTOR_E_FORMAT, "schema: the type's name");
	for (uint32_t i = 0; i < schema.fields; i++) {
		int rc = check_field(&fields[i], names, schema.names_bytes, h, i);

		if (rc != 0)
			return rc;
	}
	whole = sizeof(*t) + schema.fields * sizeof(t->fields[0]) + schema.names_bytes;
	t = malloc(whole);
	if (!t)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the schema", whole);
	copy = (char *)&t->fields[schema.fields];
	memcpy(copy, names, schema.names_bytes);
	t->type = (struct disruptor_type){ .name = copy + schema.name_at,
					   .size = h->event_size,
					   .align = h->event_align,
					   .fields = t->fields,
					   .field_count = schema.fields };
	for (uint32_t i = 0; i < schema.fields; i++)
		t->fields[i] = (struct disruptor_field){
			.name = copy + fields[i].name_at,
			.offset = fields[i].offset,
			.size = fields[i].size,
			.width = fields[i].width,
			.kind = (enum disruptor_kind)fields[i].kind,
		};
	*type = t;
	return 0;
}

/* ---- the header ---- */

static uint64_t up(uint64_t at, uint64_t align)
{
	return (at + align - 1) / align * align;
}

/* Everything from the places on follows from the first arguments; the two sides must agree on it. */
static void place_all(struct segment_header *h, const struct ring_layout *l)
{
	h->schema_at = up(sizeof(*h), 64);
	h->participants_at = up(h->schema_at + h->schema_bytes, PAGE);
	h->participant_bytes = sizeof(struct segment_participant);
	h->block_at =
		up(h->participants_at + (uint64_t)h->participants * h->participant_bytes, PAGE);
	h->block_bytes = l->shared_bytes;
	h->bytes = up(h->block_at + h->block_bytes, PAGE);
}

int segment_lay_out(struct segment_header *h, struct ring_layout *l,
		    const struct disruptor_type *type, const struct disruptor_options *options,
		    uint32_t participants)
{
	int rc = layout_make(l, type, options);

	if (rc != 0)
		return rc;
	if (type->field_count > SEGMENT_MAX_FIELDS)
		return error_set(DISRUPTOR_E_TOO_BIG, "type '%s': %u fields, at most %d",
				 type->name, type->field_count, SEGMENT_MAX_FIELDS);
	if (participants == 0 || participants > SEGMENT_MAX_PARTICIPANTS)
		return error_set(DISRUPTOR_E_INVAL, "participants: %u is not in 1 … %d",
				 participants, SEGMENT_MAX_PARTICIPANTS);
	*h = (struct segment_header){
		.magic = SEGMENT_MAGIC,
		.order = SEGMENT_ORDER,
		.major = SEGMENT_MAJOR,
		.minor = SEGMENT_MINOR,
		.header_bytes = sizeof(*h),
		.kind = options->cell ? SEGMENT_RECORDS : SEGMENT_RING,
		.schema_bytes = segment_schema_bytes(type),
		.participants = participants,
		.capacity = l->header.capacity,
		.layout = l->header.layout,
		.producers = l->header.producers,
		.max_consumers = l->header.max_consumers,
		.max_producers = l->max_producers,
		.rung = (uint32_t)options->rung,
		.flags = options->flags & (DISRUPTOR_FREE_RUN | DISRUPTOR_LOSSY),
		.event_size = type->size,
		.event_align = type->align,
		.cell = options->cell,
	};
	place_all(h, l);
	return 0;
}

void segment_seal(struct segment_header *h, const unsigned char *schema)
{
	h->schema_check = segment_crc(schema, (size_t)h->schema_bytes);
	h->check = segment_crc(h, offsetof(struct segment_header, check));
}

/* ---- checking ---- */

static int damaged(const char *name, const char *what)
{
	return error_set(DISRUPTOR_E_FORMAT, "%s: %s", name, what);
}

static int check_kind(const struct segment_header *h, const char *name)
{
	static const unsigned char zero[sizeof(h->zero)];

	if (h->magic != SEGMENT_MAGIC)
		return damaged(name, "not a segment: its first eight bytes are others");
	if (h->order != SEGMENT_ORDER)
		return damaged(name, "of a machine with another order of bytes");
	if (h->major != SEGMENT_MAJOR)
		return error_set(DISRUPTOR_E_VERSION, "%s: format %u.%u, this library knows %d.%d",
				 name, h->major, h->minor, SEGMENT_MAJOR, SEGMENT_MINOR);
	if (h->check != segment_crc(h, offsetof(struct segment_header, check)))
		return damaged(name, "its header does not have its checksum");
	if (h->header_bytes != sizeof(*h) || memcmp(h->zero, zero, sizeof(zero)) != 0)
		return damaged(name, "header_bytes, or what should be zero");
	if (h->features_needed != 0)
		return error_set(DISRUPTOR_E_VERSION,
				 "%s: it needs features 0x%llx, which this library does not have",
				 name, (unsigned long long)h->features_needed);
	return 0;
}

int segment_check(const struct segment_header *h, struct ring_layout *l, const char *name,
		  uint64_t bytes)
{
	/* what the event consists of is checked with the schema; here only how large it is */
	const struct disruptor_type type = { .name = "event",
					     .size = h->event_size,
					     .align = h->event_align };
	struct disruptor_options options = {
		.size = sizeof(options),
		.capacity = h->capacity,
		.layout = (enum disruptor_layout)h->layout,
		.producers = (enum disruptor_producers)h->producers,
		.rung = (enum disruptor_rung)h->rung,
		.flags = h->flags,
		.max_consumers = h->max_consumers,
		.max_producers = h->max_producers,
		.cell = h->cell,
	};
	struct segment_header expected = *h;
	int rc = check_kind(h, name);

	if (rc != 0)
		return rc;
	if (h->kind != (h->cell ? SEGMENT_RECORDS : SEGMENT_RING))
		return damaged(name, "kind");
	if (h->flags & ~(unsigned)(DISRUPTOR_FREE_RUN | DISRUPTOR_LOSSY))
		return damaged(name, "flags");
	/* one that processes can share, and chosen: all have the same */
	if (h->rung != DISRUPTOR_RUNG_MEMBARRIER && h->rung != DISRUPTOR_RUNG_FENCE)
		return damaged(name, "rung");
	if (h->participants == 0 || h->participants > SEGMENT_MAX_PARTICIPANTS)
		return damaged(name, "participants");
	if (h->schema_bytes > SEGMENT_MAX_SCHEMA)
		return damaged(name, "schema_bytes");
	rc = layout_make(l, &type, &options);
	if (rc != 0) {
		char detail[128];

		(void)snprintf(detail, sizeof(detail), "%s", disruptor_error_detail());
		return error_set(DISRUPTOR_E_FORMAT, "%s: %s", name, detail);
	}
	place_all(&expected, l);
	expected.bytes = h->bytes < expected.bytes ? expected.bytes
						   : h->bytes; /* huge pages round up */
	if (memcmp(&expected, h, sizeof(expected)) != 0)
		return damaged(name, "its parts do not lie where they should");
	if (h->bytes != bytes)
		return error_set(DISRUPTOR_E_FORMAT, "%s: %llu bytes, its header says %llu", name,
				 (unsigned long long)bytes, (unsigned long long)h->bytes);
	return 0;
}
