/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Events of every size and alignment in both layouts, what a schema says, and that views of another
 * type are refused. Mixing two typed handles does not compile, which is tested with the headers.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

/* ---- sizes and alignments ---- */

struct bytes_ring {
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c;
	struct disruptor_ring_info info;
};

static void bytes_open(struct bytes_ring *b, const struct disruptor_type *type, int layout)
{
	struct disruptor_consumer_options co = { .size = sizeof(co), .batch = 4 };
	struct disruptor_options o = fixture_options(4);

	o.layout = (enum disruptor_layout)layout;
	assert_code(disruptor_ring_create(&b->ring, type, &o), 0);
	assert_code(disruptor_producer_open(&b->p, b->ring, type, NULL), 0);
	assert_code(disruptor_consumer_open(&b->c, b->ring, type, &co), 0);
	b->info = disruptor_ring_info(b->ring);
}

static void bytes_close(struct bytes_ring *b)
{
	assert_code(disruptor_consumer_close(&b->c), 0);
	assert_code(disruptor_producer_close(&b->p), 0);
	assert_code(disruptor_ring_destroy(&b->ring), 0);
}

static unsigned char mark(uint64_t position, size_t byte)
{
	return (unsigned char)(position * 37 + byte * 11 + 5);
}

/* Fill whole events, all four, and find every byte again: no two overlap, none is cut. */
static void fill_and_find(struct bytes_ring *b)
{
	size_t size = b->info.event_size, align = b->info.event_align;

	for (int lap = 0; lap < 2; lap++) {
		uint64_t first = b->p.next;

		for (uint64_t i = 0; i < 4; i++) {
			unsigned char *e = disruptor_claim(&b->p);

			assert_non_null(e);
			assert_int_equal((uintptr_t)e % align, 0);
			assert_ptr_equal(e, disruptor_claimed_at(&b->p, i));
			for (size_t k = 0; k < size; k++)
				e[k] = mark(first + i, k);
		}
		assert_code(disruptor_publish(&b->p), 0);
		assert_int_equal(disruptor_ready(&b->c), 4);
		for (uint64_t i = 0; i < 4; i++) {
			const unsigned char *e = disruptor_at(&b->c, i);

			for (size_t k = 0; k < size; k++)
				if (e[k] != mark(first + i, k))
					fail_msg("size %zu align %zu: byte %zu of event %llu", size,
						 align, k, (unsigned long long)i);
		}
		assert_code(disruptor_release(&b->c, 4), 0);
	}
}

static uint64_t lines_of(uint64_t bytes)
{
	return (bytes + DISRUPTOR_LINE - 1) / DISRUPTOR_LINE;
}

/* The most lines that a slot touches, wherever it lies. */
static uint64_t lines_touched(const struct disruptor_ring_info *info)
{
	uint64_t most = 0;

	for (uint64_t i = 0; i < DISRUPTOR_LINE; i++) {
		uint64_t at = i * info->slot_stride % DISRUPTOR_LINE;
		uint64_t lines = lines_of(at + info->event_offset + info->event_size);

		most = lines > most ? lines : most;
	}
	return most;
}

static void check_geometry(const struct disruptor_ring_info *info)
{
	if (info->layout == DISRUPTOR_PACKED) {
		assert_int_equal(info->slot_stride, info->event_size);
		assert_int_equal(info->event_offset, 0);
		return;
	}
	assert_true(info->event_offset >= 8);
	assert_true(info->slot_stride >= info->event_offset + info->event_size);
	assert_int_equal(info->event_offset % info->event_align, 0);
	assert_int_equal(info->slot_stride % info->event_align, 0);
	assert_int_equal(info->slot_stride % 8, 0); /* each stamp lies on a word of its own */
	if (info->slot_stride <= DISRUPTOR_LINE)    /* and no such slot straddles two lines */
		assert_int_equal(DISRUPTOR_LINE % info->slot_stride, 0);
	else /* nor one of more than a line more of them than it must */
		assert_int_equal(lines_touched(info),
				 lines_of(info->event_offset + info->event_size));
}

static void try_size(uint32_t size, uint32_t align)
{
	struct disruptor_type type = bytes_type(size, align);

	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct bytes_ring b;

		bytes_open(&b, &type, layout);
		assert_int_equal(b.info.event_size, size);
		assert_int_equal(b.info.event_align, align);
		check_geometry(&b.info);
		fill_and_find(&b);
		bytes_close(&b);
	}
}

TEST(events_of_every_size_and_alignment_lie_apart_and_aligned)
{
	static const uint32_t sizes[] = { 1,    2,    3,    4,    5,    7,   8,   9,   12,  16,
					  17,   24,   31,   32,   33,   40,  48,  55,  56,  57,
					  63,   64,   65,   72,   96,   100, 119, 120, 121, 127,
					  128,  129,  192,  248,  255,  256, 257, 500, 512, 960,
					  1000, 1024, 2048, 4088, 4095, 4096 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (uint32_t align = 1; align <= DISRUPTOR_MAX_ALIGN; align *= 2)
			if (sizes[i] % align == 0)
				try_size(sizes[i], align);
	try_size(8192, 4096);
	try_size(100000, 4);
}

/* The copy of publish_copy and take is of whole events, whatever their size. */
TEST(copies_are_of_whole_events)
{
	static const uint32_t sizes[] = { 1, 3, 8, 24, 57, 64, 100, 1000 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
			struct disruptor_type type = bytes_type(sizes[i], 1);
			unsigned char events[4 * 1000];
			struct bytes_ring b;

			bytes_open(&b, &type, layout);
			for (int lap = 0; lap < 4; lap++) { /* 3 at a time: across the wrap */
				for (size_t k = 0; k < 3 * (size_t)sizes[i]; k++)
					events[k] = mark((uint64_t)lap, k);
				assert_code(disruptor_publish_copy(&b.p, events, 3), 0);
				assert_int_equal(disruptor_ready(&b.c), 3);
				for (uint64_t e = 0; e < 3; e++)
					assert_memory_equal(disruptor_at(&b.c, e),
							    events + e * sizes[i], sizes[i]);
				assert_code(disruptor_release(&b.c, 3), 0);
			}
			bytes_close(&b);
		}
}

/* ---- schemas ---- */

struct mixed {
	int8_t a;
	uint16_t b[3];
	double c;
	char text[12];
	uint64_t when;
	_Bool flag;
};

DISRUPTOR_EVENT(mixed, struct mixed,
	DISRUPTOR_I8(struct mixed, a),
	DISRUPTOR_U16(struct mixed, b),
	DISRUPTOR_F64(struct mixed, c),
	DISRUPTOR_TEXT(struct mixed, text),
	DISRUPTOR_TIME(struct mixed, when),
	DISRUPTOR_BOOL(struct mixed, flag));

TEST(a_schema_tells_name_offset_size_width_and_kind_of_each_field)
{
	static const struct disruptor_field expected[] = {
		{ "a", offsetof(struct mixed, a), 1, 1, DISRUPTOR_KIND_SIGNED },
		{ "b", offsetof(struct mixed, b), 6, 2, DISRUPTOR_KIND_UNSIGNED },
		{ "c", offsetof(struct mixed, c), 8, 8, DISRUPTOR_KIND_FLOAT },
		{ "text", offsetof(struct mixed, text), 12, 1, DISRUPTOR_KIND_TEXT },
		{ "when", offsetof(struct mixed, when), 8, 8, DISRUPTOR_KIND_TIME },
		{ "flag", offsetof(struct mixed, flag), 1, 1, DISRUPTOR_KIND_BOOL },
	};

	assert_string_equal(mixed_type.name, "mixed");
	assert_int_equal(mixed_type.size, sizeof(struct mixed));
	assert_int_equal(mixed_type.align, _Alignof(struct mixed));
	assert_int_equal(mixed_type.field_count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		const struct disruptor_field *f = &mixed_type.fields[i];

		assert_string_equal(f->name, expected[i].name);
		assert_int_equal(f->offset, expected[i].offset);
		assert_int_equal(f->size, expected[i].size);
		assert_int_equal(f->width, expected[i].width);
		assert_int_equal(f->kind, expected[i].kind);
	}
}

/* A copy of a type that is equal to it though nothing is the same memory. */
static struct disruptor_type copy_of(const struct disruptor_type *t, struct disruptor_field *fields)
{
	struct disruptor_type copy = *t;

	memcpy(fields, t->fields, t->field_count * sizeof(*fields));
	copy.fields = fields;
	return copy;
}

TEST(types_are_equal_if_name_size_alignment_and_every_field_are)
{
	struct disruptor_field fields[8];
	struct disruptor_type t = copy_of(&mixed_type, fields);

	assert_true(disruptor_type_equal(&mixed_type, &mixed_type));
	assert_true(disruptor_type_equal(&mixed_type, &t));
	assert_false(disruptor_type_equal(&mixed_type, &tick_type));
#define DIFFERS(place, value)                                                                      \
	do {                                                                                       \
		t = copy_of(&mixed_type, fields);                                                  \
		(place) = (value);                                                                 \
		assert_false(disruptor_type_equal(&mixed_type, &t));                               \
		assert_false(disruptor_type_equal(&t, &mixed_type));                               \
	} while (0)
	DIFFERS(t.name, "Mixed");
	DIFFERS(t.size, mixed_type.size + 8);
	DIFFERS(t.align, mixed_type.align * 2);
	DIFFERS(t.field_count, mixed_type.field_count - 1);
	for (uint32_t i = 0; i < mixed_type.field_count; i++) {
		DIFFERS(fields[i].name, "other");
		DIFFERS(fields[i].offset, fields[i].offset + 1);
		DIFFERS(fields[i].size, fields[i].size + 1);
		DIFFERS(fields[i].width, fields[i].width + 1);
		DIFFERS(fields[i].kind, DISRUPTOR_KIND_BYTES);
	}
#undef DIFFERS
}

TEST(a_view_of_another_type_is_refused_and_both_are_named)
{
	struct disruptor_options o = fixture_options(4);
	struct disruptor_field fields[8];
	struct disruptor_type twin = copy_of(&mixed_type, fields);
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c;
	struct tick_producer tp = { 0 };
	struct tick_consumer tc = { 0 };

	assert_code(disruptor_ring_create(&ring, &mixed_type, &o), 0);
	assert_code(tick_producer_open(&tp, ring, NULL), DISRUPTOR_E_TYPE);
	assert_detail("'tick'");
	assert_detail("'mixed'");
	assert_code(tick_consumer_open(&tc, ring, NULL), DISRUPTOR_E_TYPE);
	assert_detail("'tick'");
	assert_detail("'mixed'");
	fields[2].offset += 8;
	assert_code(disruptor_producer_open(&p, ring, &twin, NULL), DISRUPTOR_E_TYPE);
	assert_code(disruptor_consumer_open(&c, ring, &twin, NULL), DISRUPTOR_E_TYPE);
	assert_int_equal(disruptor_ring_stats(ring).open_producers, 0);
	assert_int_equal(disruptor_ring_stats(ring).consumers, 0);
	fields[2].offset -= 8; /* the same type from another file is the same */
	assert_code(disruptor_producer_open(&p, ring, &twin, NULL), 0);
	assert_code(disruptor_consumer_open(&c, ring, &twin, NULL), 0);
	assert_code(disruptor_producer_close(&p), 0);
	assert_code(disruptor_consumer_close(&c), 0);
	ring_close(&ring);
}

/* The typed handles are the untyped functions. */
TEST(typed_handles_reach_every_function)
{
	struct tick events[2] = { { .value = 4 }, { .value = 5 } };
	struct fixture f;

	fixture_open(&f, 16, 1);
	tick_claim(&f.producer)->value = 0;
	assert_code(tick_publish(&f.producer), 0);
	tick_claim_n(&f.producer, 2)->value = 1;
	tick_claimed_at(&f.producer, 1)->value = 2;
	assert_code(tick_publish_n(&f.producer, 2), 0);
	assert_int_equal(tick_claim_up_to(&f.producer, 1), 1);
	tick_claimed_at(&f.producer, 0)->value = 3;
	assert_code(tick_publish(&f.producer), 0);
	assert_code(tick_publish_copy(&f.producer, events, 2), 0);
	tick_claim_until(&f.producer, DISRUPTOR_FOREVER)->value = 6;
	assert_code(tick_publish(&f.producer), 0);
	assert_non_null(tick_try_claim(&f.producer));
	assert_code(tick_abort(&f.producer), 0);
	assert_int_equal(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), 4);
	read_ticks(&f.consumer[0], 7);
	assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_TIMEOUT);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(events_of_every_size_and_alignment_lie_apart_and_aligned),
		RUN(copies_are_of_whole_events),
		RUN(a_schema_tells_name_offset_size_width_and_kind_of_each_field),
		RUN(types_are_equal_if_name_size_alignment_and_every_field_are),
		RUN(a_view_of_another_type_is_refused_and_both_are_named),
		RUN(typed_handles_reach_every_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
