/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a segment begins with: written and read back, and refused, with what is wrong named, when any
 * of it is damaged. Row T83.
 */
#include "stress.h"

#include "segment/format.h"

#include <stdlib.h>
#include <string.h>

struct made {
	struct segment_header header;
	struct ring_layout layout;
	unsigned char *schema;
};

/* A segment has a rung that processes can share. */
static struct disruptor_options options_of(uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);

	if (o.rung != DISRUPTOR_RUNG_MEMBARRIER)
		o.rung = DISRUPTOR_RUNG_FENCE;
	return o;
}

static void make(struct made *m, const struct disruptor_type *type,
		 const struct disruptor_options *options, uint32_t participants)
{
	assert_code(segment_lay_out(&m->header, &m->layout, type, options, participants), 0);
	m->schema = test_malloc((size_t)m->header.schema_bytes);
	segment_schema_write(type, m->schema);
	segment_seal(&m->header, m->schema);
}

static void make_ticks(struct made *m)
{
	struct disruptor_options options = options_of(64);

	make(m, &tick_type, &options, 8);
}

static void expect_refusal(const struct made *m, int code, const char *what)
{
	struct ring_layout layout;

	assert_code(segment_check(&m->header, &layout, "ticks", m->header.bytes), code);
	assert_detail(what);
}

/* The checksum is right, so that what is behind it is looked at. */
static void reseal(struct made *m)
{
	segment_seal(&m->header, m->schema);
}

TEST(what_was_laid_out_is_accepted)
{
	static const uint64_t capacities[] = { 1, 2, 64, 4096, 1 << 20 };

	for (size_t i = 0; i < COUNT(capacities); i++)
		for (int producers = DISRUPTOR_SINGLE; producers <= DISRUPTOR_MANY; producers++)
			for (unsigned lossy = 0; lossy <= 1; lossy++) {
				struct disruptor_options o = options_of(capacities[i]);
				struct made m;

				o.producers = (enum disruptor_producers)producers;
				o.flags = lossy ? DISRUPTOR_LOSSY : 0;
				make(&m, &tick_type, &o, 1 + (uint32_t)i * 60);
				assert_code(segment_check(&m.header, &m.layout, "ticks",
							  m.header.bytes),
					    0);
				assert_true(m.header.block_at % 4096 == 0);
				assert_true(m.header.bytes % 4096 == 0);
				assert_true(m.header.block_at + m.header.block_bytes <=
					    m.header.bytes);
				test_free(m.schema);
			}
}

/*
 * The bytes of one segment's header and schema, by their checksums: the same on every processor of
 * this order of bytes. The header tells how the event is aligned, to eight or, where 64 bits are so (i386),
 * to four. Another number is another format, and a new SEGMENT_MAJOR or _MINOR.
 */
TEST(a_reference_segment_has_the_bytes_that_are_written_down)
{
	struct disruptor_options o = options_of(64);
	struct made m;

	o.rung = DISRUPTOR_RUNG_AUTO;
	make(&m, &tick_type, &o, 8);
	assert_int_equal(m.header.schema_at, 256);
	assert_int_equal(m.header.schema_bytes,
			 16 + 2 * 24 + sizeof("tick") + sizeof("value") + sizeof("from"));
	assert_int_equal(m.header.participants_at, 4096);
	assert_int_equal(m.header.block_at, 8192);
	assert_int_equal(m.header.block_bytes, 6912);
	assert_int_equal(m.header.bytes, 16384);
	if (*(const unsigned char *)&m.header.order == 4) {
		assert_int_equal(m.header.schema_check, UINT32_C(0xda880d5e));
		assert_int_equal(m.header.check, m.header.event_align == 8 ? UINT32_C(0x6b6ac3af)
									   : UINT32_C(0x4755ebb6));
	}
	test_free(m.schema);
}

TEST(every_bit_of_the_header_counts)
{
	struct made m;
	unsigned char *bytes = (unsigned char *)&m.header;

	make_ticks(&m);
	for (size_t bit = 0; bit < 8 * sizeof(m.header); bit++) {
		int rc;

		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		rc = segment_check(&m.header, &m.layout, "ticks", m.header.bytes);
		if (rc != DISRUPTOR_E_FORMAT && rc != DISRUPTOR_E_VERSION)
			fail_msg("bit %zu: %s", bit, disruptor_error_name(rc));
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_code(segment_check(&m.header, &m.layout, "ticks", m.header.bytes), 0);
	test_free(m.schema);
}

TEST(a_rung_that_is_none_or_one_process_s_own_is_refused)
{
	static const uint32_t rungs[] = { DISRUPTOR_RUNG_AUTO, DISRUPTOR_RUNG_MUTEX, 7 };
	struct made m;

	make_ticks(&m);
	for (size_t i = 0; i < COUNT(rungs); i++) {
		m.header.rung = rungs[i];
		segment_seal(&m.header, m.schema);
		assert_code(segment_check(&m.header, &m.layout, "ticks", m.header.bytes),
			    DISRUPTOR_E_FORMAT);
		assert_detail("rung");
	}
	test_free(m.schema);
}

/* All parts lie in the segment, one behind the other. */
static void expect_bounds(const struct segment_header *h)
{
	assert_true(h->schema_at >= sizeof(*h));
	assert_true(h->schema_at + h->schema_bytes <= h->participants_at);
	assert_true(h->participants_at + (uint64_t)h->participants * h->participant_bytes <=
		    h->block_at);
	assert_true(h->block_at + h->block_bytes <= h->bytes);
	assert_true(h->participants <= SEGMENT_MAX_PARTICIPANTS);
	assert_in_range(h->rung, DISRUPTOR_RUNG_MEMBARRIER, DISRUPTOR_RUNG_FENCE);
}

/* As if by somebody who knows the checksum. */
TEST(what_is_behind_the_checksum_is_refused_or_in_bounds)
{
	struct made m, before;
	unsigned char *bytes = (unsigned char *)&m.header;
	unsigned refused = 0;

	make_ticks(&m);
	before = m;
	for (size_t bit = 0; bit < 8 * offsetof(struct segment_header, check); bit++) {
		int rc;

		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		m.header.check = segment_crc(&m.header, offsetof(struct segment_header, check));
		rc = segment_check(&m.header, &m.layout, "ticks", before.header.bytes);
		if (rc == 0)
			expect_bounds(&m.header);
		else if (rc != DISRUPTOR_E_FORMAT && rc != DISRUPTOR_E_VERSION)
			fail_msg("bit %zu: %s", bit, disruptor_error_name(rc));
		refused += rc != 0;
		m.header = before.header;
	}
	/* free are: the minor version, features that may be missing, time, id and boot; the rest but a few */
	assert_true(refused > 8 * (sizeof(m.header) - 4 - 2 - 16 - 8 - 32) - 64);
	test_free(m.schema);
}

TEST(what_is_wrong_is_named)
{
	struct made m, before;

	make_ticks(&m);
	before = m;
	m.header.magic = 0;
	expect_refusal(&m, DISRUPTOR_E_FORMAT, "not a segment");
	m.header = before.header;
	m.header.order = UINT32_C(0x04030201);
	expect_refusal(&m, DISRUPTOR_E_FORMAT, "order of bytes");
	m.header = before.header;
	m.header.major++;
	expect_refusal(&m, DISRUPTOR_E_VERSION, "format 2.0");
	m.header = before.header;
	m.header.created_ns++;
	expect_refusal(&m, DISRUPTOR_E_FORMAT, "checksum");
	m.header = before.header;
	m.header.features_needed = 4;
	reseal(&m);
	expect_refusal(&m, DISRUPTOR_E_VERSION, "features 0x4");
	m.header = before.header;
	m.header.capacity = 65;
	reseal(&m);
	expect_refusal(&m, DISRUPTOR_E_FORMAT, "capacity: 65");
	m.header = before.header;
	m.header.block_at += 4096;
	reseal(&m);
	expect_refusal(&m, DISRUPTOR_E_FORMAT, "do not lie where they should");
	m.header = before.header;
	assert_code(segment_check(&m.header, &m.layout, "ticks", m.header.bytes - 1),
		    DISRUPTOR_E_FORMAT);
	assert_detail("its header says");
	test_free(m.schema);
}

/* ---- schemas ---- */

TEST(a_schema_comes_back_as_it_was)
{
	struct segment_type *type;
	struct made m;

	make_ticks(&m);
	assert_code(segment_schema_read(m.schema, (size_t)m.header.schema_bytes, &m.header, &type),
		    0);
	assert_true(disruptor_type_equal(&type->type, &tick_type));
	free(type);
	test_free(m.schema);
}

TEST(a_type_without_fields_has_a_schema_too)
{
	struct disruptor_type bytes = bytes_type(24, 8);
	struct disruptor_options options = options_of(4);
	struct segment_type *type;
	struct made m;

	make(&m, &bytes, &options, 1);
	assert_code(segment_schema_read(m.schema, (size_t)m.header.schema_bytes, &m.header, &type),
		    0);
	assert_true(disruptor_type_equal(&type->type, &bytes));
	free(type);
	test_free(m.schema);
}

/* Whatever stands there: read as a schema that fits its event, or refused. */
TEST(a_damaged_schema_is_refused_or_harmless)
{
	uint64_t seed = fixture_seed(61);
	struct made m;
	size_t bytes;
	unsigned char *copy;

	make_ticks(&m);
	bytes = (size_t)m.header.schema_bytes;
	copy = test_malloc(bytes);
	for (int i = 0; i < 20000; i++) {
		struct segment_type *type = NULL;
		size_t length = i % 3 == 0 ? (size_t)random_in(&seed, 0, bytes) : bytes;
		int rc;

		memcpy(copy, m.schema, bytes);
		for (uint64_t k = random_in(&seed, 1, 4); k != 0; k--)
			copy[random_in(&seed, 0, bytes - 1)] = (unsigned char)next_random(&seed);
		rc = segment_schema_read(copy, length, &m.header, &type);
		assert_true(rc == 0 || rc == DISRUPTOR_E_FORMAT);
		if (rc != 0) {
			assert_null(type);
			continue;
		}
		assert_true(strlen(type->type.name) > 0);
		for (uint32_t f = 0; f < type->type.field_count; f++)
			assert_true(type->fields[f].offset + type->fields[f].size <=
				    m.header.event_size);
		free(type);
	}
	test_free(copy);
	test_free(m.schema);
}

TEST(what_cannot_be_a_segment_is_refused)
{
	struct disruptor_options options = options_of(64);
	struct segment_header h;
	struct ring_layout l;

	assert_code(segment_lay_out(&h, &l, &tick_type, &options, 0), DISRUPTOR_E_INVAL);
	assert_detail("participants");
	assert_code(segment_lay_out(&h, &l, &tick_type, &options, 257), DISRUPTOR_E_INVAL);
	options.capacity = 3;
	assert_code(segment_lay_out(&h, &l, &tick_type, &options, 4), DISRUPTOR_E_INVAL);
	assert_detail("capacity");
}

TEST(the_checksum_is_crc_32c)
{
	assert_int_equal(segment_crc("123456789", 9), UINT32_C(0xe3069283));
	assert_int_equal(segment_crc("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(what_was_laid_out_is_accepted),
		RUN(a_reference_segment_has_the_bytes_that_are_written_down),
		RUN(every_bit_of_the_header_counts),
		RUN(a_rung_that_is_none_or_one_process_s_own_is_refused),
		RUN(what_is_behind_the_checksum_is_refused_or_in_bounds),
		RUN(what_is_wrong_is_named),
		RUN(a_schema_comes_back_as_it_was),
		RUN(a_type_without_fields_has_a_schema_too),
		RUN(a_damaged_schema_is_refused_or_harmless),
		RUN(what_cannot_be_a_segment_is_refused),
		RUN(the_checksum_is_crc_32c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
