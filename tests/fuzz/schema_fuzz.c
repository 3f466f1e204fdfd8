/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A segment's schema of any bytes: refused with a detail, or read whole, and then as its writer would
 * have written it.
 *
 * Input: the size of the event (4 bytes), the schema.
 */
#include "fuzz.h"

#include "segment/format.h"

#include <string.h>

/* What was accepted holds together, and says the same when it is written and read again. */
static void check(const struct segment_type *found, const struct segment_header *h)
{
	const struct disruptor_type *t = &found->type;
	size_t bytes = segment_schema_bytes(t);
	unsigned char *again = malloc(bytes);
	struct segment_type *second;

	FUZZ_NEED(again);
	FUZZ_NEED(t->name[0] && t->size == h->event_size);
	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct disruptor_field *f = &t->fields[i];

		FUZZ_NEED(f->name[0] && f->size != 0 && f->size <= t->size);
		FUZZ_NEED(f->offset <= t->size - f->size && f->size % f->width == 0);
	}
	segment_schema_write(t, again);
	FUZZ_NEED(segment_schema_read(again, bytes, h, &second) == 0);
	FUZZ_NEED(disruptor_type_equal(t, &second->type));
	free(second);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct segment_header h = { .event_size = (uint32_t)fuzz_number(&in, 4), .event_align = 8 };
	/* a copy of exactly its size, so that a sanitizer sees what lies behind it */
	unsigned char *schema = malloc(in.left ? in.left : 1);
	struct segment_type *found = NULL;

	FUZZ_NEED(schema);
	memcpy(schema, in.at, in.left);
	if (segment_schema_read(schema, in.left, &h, &found) == 0) {
		check(found, &h);
		free(found);
	} else {
		FUZZ_NEED(!found && disruptor_error_detail()[0]);
	}
	free(schema);
	return 0;
}
