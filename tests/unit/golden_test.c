/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T69: where the words of the block lie, written down for each version of its layout. The numbers
 * are the same on every processor, of 32 bits and of 64, of either byte order. A change of one of
 * them is a new DISRUPTOR_LAYOUT_VERSION, and a new table beside this one.
 */
#include "fixture.h"

#include "ring/layout.h"
#include "ring/ring.h"

#include <string.h>

_Static_assert(DISRUPTOR_LAYOUT_VERSION == 1, "write down the table of the new version");

/* ---- the fixed part ---- */

#define FIELD(type, field, offset, size)                                                           \
	{                                                                                          \
#type "." #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), \
			offset, size                                                               \
	}

static const struct {
	const char *name;
	size_t offset, size, golden_offset, golden_size;
} fields[] = {
	FIELD(ring_header, magic, 0, 8),
	FIELD(ring_header, layout_version, 8, 4),
	FIELD(ring_header, layout, 12, 4),
	FIELD(ring_header, producers, 16, 4),
	FIELD(ring_header, max_consumers, 20, 4),
	FIELD(ring_header, event_size, 24, 4),
	FIELD(ring_header, event_align, 28, 4),
	FIELD(ring_header, slot_stride, 32, 4),
	FIELD(ring_header, event_offset, 36, 4),
	FIELD(ring_header, capacity, 40, 8),
	FIELD(ring_header, shared_at, 48, 8),
	FIELD(ring_header, gates_at, 56, 8),
	FIELD(ring_header, slots_at, 64, 8),
	FIELD(ring_header, block_bytes, 72, 8),
	FIELD(ring_header, gates_used, 80, 4),
	FIELD(ring_header, attaches, 84, 4),
	FIELD(ring_header, mirror_at, 88, 8),
	FIELD(ring_header, mirror_stride, 96, 4),
	FIELD(ring_header, cell, 100, 4),
	FIELD(ring_header, cells_at, 104, 8),
	FIELD(ring_header, reserved, 112, 16),
	FIELD(disruptor_shared, claimed, 0, 8),
	FIELD(disruptor_shared, cursor, 8, 8),
	FIELD(disruptor_shared, wake_consumers, 128, 8),
	FIELD(disruptor_shared, voids_end, 136, 8),
	FIELD(disruptor_shared, end, 144, 8),
	FIELD(disruptor_shared, state, 152, 4),
	FIELD(disruptor_shared, consumers_epoch, 156, 4),
	FIELD(disruptor_shared, wake_producers, 256, 8),
	FIELD(disruptor_shared, producers_epoch, 264, 4),
	FIELD(disruptor_gate, sequence, 0, 8),
	FIELD(disruptor_gate, wake, 8, 8),
	FIELD(disruptor_gate, upstreams, 16, 8),
	FIELD(disruptor_gate, sleeps, 24, 8),
	FIELD(disruptor_gate, alert, 32, 4),
	FIELD(disruptor_gate, epoch, 36, 4),
	FIELD(disruptor_gate, name, 40, 32),
};

TEST(each_word_lies_where_layout_1_has_it)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].offset != fields[i].golden_offset ||
		    fields[i].size != fields[i].golden_size)
			fail_msg("%s: %zu bytes at %zu, not %zu at %zu", fields[i].name,
				 fields[i].size, fields[i].offset, fields[i].golden_size,
				 fields[i].golden_offset);
	assert_int_equal(sizeof(struct ring_header), 128);
	assert_int_equal(sizeof(struct disruptor_shared), 384);
	assert_int_equal(sizeof(struct disruptor_gate), 128);
}

/* ---- what depends on the options ---- */

static const struct {
	uint32_t size, align;
	enum disruptor_layout layout;
	uint32_t flags;
	uint64_t capacity;
	uint32_t consumers;
	uint32_t offset, stride;
	uint64_t slots_at, mirror_at;
	uint32_t mirror_stride;
	uint64_t block_bytes;
} blocks[] = {
	{ 1, 1, DISRUPTOR_STAMPED, 0, 1, 1, 8, 16, 640, 0, 0, 768 },
	{ 8, 8, DISRUPTOR_STAMPED, 0, 1024, 16, 8, 16, 2560, 0, 0, 18944 },
	{ 12, 4, DISRUPTOR_STAMPED, 0, 64, 4, 8, 32, 1024, 0, 0, 3072 },
	{ 16, 8, DISRUPTOR_STAMPED, 0, 8, 4, 8, 32, 1024, 0, 0, 1280 },
	{ 56, 8, DISRUPTOR_STAMPED, 0, 8, 4, 8, 64, 1024, 0, 0, 1536 },
	{ 57, 1, DISRUPTOR_STAMPED, 0, 8, 4, 8, 72, 1024, 0, 0, 1664 },
	{ 64, 8, DISRUPTOR_STAMPED, 0, 8, 4, 8, 72, 1024, 0, 0, 1664 },
	{ 112, 8, DISRUPTOR_STAMPED, 0, 8, 4, 8, 128, 1024, 0, 0, 2048 },
	{ 64, 64, DISRUPTOR_STAMPED, 0, 8, 4, 64, 128, 1024, 0, 0, 2048 },
	{ 256, 256, DISRUPTOR_STAMPED, 0, 8, 4, 256, 512, 1024, 0, 0, 5120 },
	{ 4096, 4096, DISRUPTOR_STAMPED, 0, 2, 64, 4096, 8192, 12288, 0, 0, 28672 },
	{ 1, 1, DISRUPTOR_PACKED, 0, 1, 1, 0, 1, 640, 0, 0, 768 },
	{ 12, 4, DISRUPTOR_PACKED, 0, 64, 4, 0, 12, 1024, 0, 0, 1792 },
	{ 16, 8, DISRUPTOR_PACKED, 0, 8, 4, 0, 16, 1024, 0, 0, 1152 },
	{ 16, 8, DISRUPTOR_STAMPED, DISRUPTOR_LOSSY, 8, 4, 8, 32, 1024, 1280, 32, 1536 },
	{ 12, 4, DISRUPTOR_PACKED, DISRUPTOR_LOSSY, 64, 4, 0, 12, 1024, 1792, 32, 3840 },
	{ 100, 4, DISRUPTOR_STAMPED, DISRUPTOR_LOSSY, 16, 2, 8, 128, 768, 2816, 128, 4864 },
};

TEST(each_block_is_laid_out_as_layout_1_has_it)
{
	for (size_t i = 0; i < COUNT(blocks); i++) {
		struct disruptor_type type = bytes_type(blocks[i].size, blocks[i].align);
		struct disruptor_options o = fixture_options(blocks[i].capacity);
		const struct ring_header *h;
		struct ring_layout l;

		o.layout = blocks[i].layout;
		o.flags = blocks[i].flags;
		o.max_consumers = blocks[i].consumers;
		assert_code(layout_make(&l, &type, &o), 0);
		h = &l.header;
		assert_int_equal(h->shared_at, 128);
		assert_int_equal(h->gates_at, 512);
		assert_int_equal(h->event_offset, blocks[i].offset);
		assert_int_equal(h->slot_stride, blocks[i].stride);
		assert_int_equal(h->slots_at, blocks[i].slots_at);
		assert_int_equal(h->mirror_at, blocks[i].mirror_at);
		assert_int_equal(h->mirror_stride, blocks[i].mirror_stride);
		assert_int_equal(h->block_bytes, blocks[i].block_bytes);
	}
}

/* ---- a ring in use, byte by byte ---- */

/*
 * A word of the block, in the machine's own byte order: of a block of the other one, the magic
 * number reads backwards.
 */
struct word {
	size_t at, size;
	uint64_t value;
};

static uint64_t word_at(const unsigned char *block, const struct word *w)
{
	uint32_t narrow;
	uint64_t wide;

	if (w->size == sizeof(narrow)) {
		memcpy(&narrow, block + w->at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, block + w->at, sizeof(wide));
	return wide;
}

static void expect_words(const struct disruptor_ring *r, const struct word *words, size_t n)
{
	const unsigned char *block = (const unsigned char *)r->header;

	for (size_t i = 0; i < n; i++) {
		uint64_t value = word_at(block, &words[i]);

		if (value != words[i].value)
			fail_msg("%zu bytes at %zu are 0x%llx, not 0x%llx", words[i].size,
				 words[i].at, (unsigned long long)value,
				 (unsigned long long)words[i].value);
	}
}

static void publish_bytes(struct disruptor_producer *p, unsigned char byte)
{
	unsigned char *event = disruptor_claim(p);

	assert_non_null(event);
	memset(event, byte, 16);
	assert_code(disruptor_publish(p), 0);
}

/*
 * Five events through a stamped ring of 4, of which the third is void; the consumer has released
 * two, and the ring is closed.
 */
TEST(a_stamped_ring_in_use_has_these_words)
{
	static const struct word words[] = {
		{ 0, 8, UINT64_C(0x474e495252534944) },
		{ 8, 4, 1 }, /* the version */
		{ 12, 4, 0 },
		{ 16, 4, 1 },
		{ 20, 4, 2 },
		{ 24, 4, 16 },
		{ 28, 4, 8 },
		{ 32, 4, 32 },
		{ 36, 4, 8 },
		{ 40, 8, 4 },
		{ 48, 8, 128 },
		{ 56, 8, 512 },
		{ 64, 8, 768 },
		{ 72, 8, 896 },
		{ 80, 4, 1 },
		{ 88, 8, 0 },
		{ 128, 8, (UINT64_C(1) << 63) | 5 }, /* claimed, and the closed bit */
		{ 128 + 136, 8, 3 },                 /* one past the last void */
		{ 128 + 144, 8, 5 },
		{ 128 + 152, 4, 5 }, /* closed and ended */
		{ 512, 8, 2 },       /* the consumer */
		{ 512 + 128, 8, UINT64_MAX },
		{ 768, 8, 5 }, /* the slots: position 4, in the second lap … */
		{ 768 + 8, 8, UINT64_C(0x5555555555555555) },
		{ 768 + 32, 8, 2 },
		{ 768 + 32 + 16, 8, UINT64_C(0x2222222222222222) },
		{ 768 + 64, 8, (UINT64_C(1) << 63) | 3 }, /* … the void … */
		{ 768 + 96, 8, 4 },                       /* … and position 3 */
	};
	struct disruptor_type type = bytes_type(16, 8);
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *r;
	struct disruptor_producer p;
	struct disruptor_consumer c;

	o.producers = DISRUPTOR_MANY;
	o.max_consumers = 2;
	assert_code(disruptor_ring_create(&r, &type, &o), 0);
	assert_code(disruptor_consumer_open(&c, r, &type, NULL), 0);
	assert_code(disruptor_producer_open(&p, r, &type, NULL), 0);
	publish_bytes(&p, 0x11);
	publish_bytes(&p, 0x22);
	assert_non_null(disruptor_claim(&p));
	assert_code(disruptor_abort(&p), 0);
	publish_bytes(&p, 0x44);
	for (int i = 0; i < 2; i++) {
		assert_true(disruptor_ready(&c) > 0);
		assert_code(disruptor_release(&c, 1), 0);
	}
	publish_bytes(&p, 0x55);
	disruptor_ring_close(r);
	if (!DISRUPTOR_ASAN) /* which forbids released events */
		expect_words(r, words, COUNT(words));
	assert_code(disruptor_producer_close(&p), 0);
	assert_code(disruptor_consumer_close(&c), 0);
	ring_close(&r);
}

/* Three events through a packed ring of 4 with a mirror. */
TEST(a_packed_ring_in_use_has_these_words)
{
	static const struct word words[] = {
		{ 12, 4, 1 },
		{ 16, 4, 0 },
		{ 32, 4, 16 },
		{ 36, 4, 0 },
		{ 64, 8, 768 },
		{ 72, 8, 1024 },
		{ 88, 8, 896 },
		{ 96, 4, 32 },
		{ 128, 8, 3 }, /* claimed */
		{ 136, 8, 3 }, /* the cursor */
		{ 768, 8, UINT64_C(0x1111111111111111) },
		{ 768 + 16, 8, UINT64_C(0x2222222222222222) },
		{ 768 + 32, 8, UINT64_C(0x3333333333333333) },
		{ 768 + 48, 8, 0 },
		{ 896 + 8, 8, UINT64_C(0x1111111111111111) }, /* the mirror's, behind its stamps */
		{ 896 + 40, 8, UINT64_C(0x2222222222222222) },
		{ 896 + 72, 8, UINT64_C(0x3333333333333333) },
		{ 896 + 96, 8, 0 },
	};
	struct disruptor_type type = bytes_type(16, 8);
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *r;
	struct disruptor_producer p;

	o.layout = DISRUPTOR_PACKED;
	o.flags = DISRUPTOR_LOSSY | DISRUPTOR_FREE_RUN;
	o.max_consumers = 2;
	assert_code(disruptor_ring_create(&r, &type, &o), 0);
	assert_code(disruptor_producer_open(&p, r, &type, NULL), 0);
	for (unsigned i = 1; i <= 3; i++)
		publish_bytes(&p, (unsigned char)(0x11 * i));
	if (!DISRUPTOR_ASAN)
		expect_words(r, words, COUNT(words));
	assert_code(disruptor_producer_close(&p), 0);
	ring_close(&r);
}

/* ---- the schema ---- */

struct wide {
	uint8_t a;
	uint16_t b;
	uint32_t c;
	_Alignas(8) uint64_t d; /* as it is on most, and is not by itself on 32-bit x86 */
	_Alignas(8) double e;
	char f[5];
};

DISRUPTOR_EVENT(wide, struct wide,
	DISRUPTOR_U8(struct wide, a),
	DISRUPTOR_U16(struct wide, b),
	DISRUPTOR_U32(struct wide, c),
	DISRUPTOR_U64(struct wide, d),
	DISRUPTOR_F64(struct wide, e),
	DISRUPTOR_BYTES(struct wide, f));

TEST(a_schema_says_the_same_everywhere)
{
	static const struct {
		uint32_t offset, size, width;
		enum disruptor_kind kind;
	} golden[] = {
		{ 0, 1, 1, DISRUPTOR_KIND_UNSIGNED }, { 2, 2, 2, DISRUPTOR_KIND_UNSIGNED },
		{ 4, 4, 4, DISRUPTOR_KIND_UNSIGNED }, { 8, 8, 8, DISRUPTOR_KIND_UNSIGNED },
		{ 16, 8, 8, DISRUPTOR_KIND_FLOAT },   { 24, 5, 1, DISRUPTOR_KIND_BYTES },
	};

	assert_int_equal(wide_type.size, 32);
	assert_int_equal(wide_type.align, 8);
	assert_int_equal(wide_type.field_count, COUNT(golden));
	for (size_t i = 0; i < COUNT(golden); i++) {
		assert_int_equal(wide_type.fields[i].offset, golden[i].offset);
		assert_int_equal(wide_type.fields[i].size, golden[i].size);
		assert_int_equal(wide_type.fields[i].width, golden[i].width);
		assert_int_equal(wide_type.fields[i].kind, golden[i].kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(each_word_lies_where_layout_1_has_it),
		RUN(each_block_is_laid_out_as_layout_1_has_it),
		RUN(a_stamped_ring_in_use_has_these_words),
		RUN(a_packed_ring_in_use_has_these_words),
		RUN(a_schema_says_the_same_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
