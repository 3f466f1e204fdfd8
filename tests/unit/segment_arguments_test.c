/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What calls on segments are given: bad arguments are named, and a ring is handed on by a descriptor. Linux. */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/look.h>
#include <disruptor/segment.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY 16

static void refused(const struct disruptor_segment_options *o, const char *detail)
{
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	struct disruptor_segment *s = NULL;

	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, o), DISRUPTOR_E_INVAL);
	assert_detail(detail);
	assert_null(s);
	assert_code(disruptor_segment_make(&s, &tick_type, &ring, o), DISRUPTOR_E_INVAL);
	assert_detail(detail);
	assert_code(disruptor_segment_adopt(&s, 0, &tick_type, o), DISRUPTOR_E_INVAL);
	assert_detail(detail);
	assert_null(s);
}

TEST(options_that_are_none_are_named)
{
	struct disruptor_segment_options o = shared_where(0);

	o.flags = 1u << 30;
	refused(&o, "flags: 0x40000000 is unknown");
	o = shared_where(0);
	o.reserved = 7;
	refused(&o, "reserved: 7 is not zero");
	o = shared_where(0);
	o.mode = 0755;
	refused(&o, "mode: 755");
	o = shared_where(DISRUPTOR_SEGMENT_NEW);
	refused(&o, "DISRUPTOR_SEGMENT_NEW: only with DISRUPTOR_SEGMENT_CREATE");
	o = shared_where(DISRUPTOR_SEGMENT_TEMPORARY);
	refused(&o, "DISRUPTOR_SEGMENT_TEMPORARY: only with");
}

TEST(what_is_missing_is_named)
{
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	const struct disruptor_segment_options make = shared_where(DISRUPTOR_SEGMENT_CREATE);
	struct disruptor_segment *s, *none = NULL;

	assert_code(disruptor_segment_open(NULL, "ring", &tick_type, &ring, &make),
		    DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_open(&s, NULL, &tick_type, &ring, &make), DISRUPTOR_E_INVAL);
	assert_detail("name: NULL");
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, NULL, &make), DISRUPTOR_E_INVAL);
	assert_detail("ring: NULL");
	assert_code(disruptor_segment_open(&s, "ring", NULL, &ring, &make), DISRUPTOR_E_INVAL);
	assert_detail("type: NULL");
	assert_code(disruptor_segment_make(NULL, &tick_type, &ring, NULL), DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_make(&s, &tick_type, NULL, NULL), DISRUPTOR_E_INVAL);
	assert_detail("ring: NULL");
	assert_code(disruptor_segment_make(&s, NULL, &ring, NULL), DISRUPTOR_E_INVAL);
	assert_detail("type: NULL");
	assert_code(disruptor_segment_adopt(NULL, 0, NULL, NULL), DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_await(NULL, "c", 0), DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_dismiss(NULL, "c"), DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_close(NULL), DISRUPTOR_E_INVAL);
	assert_detail("segment: NULL");
	assert_code(disruptor_segment_close(&none), 0);
	assert_code(disruptor_segment_remove(NULL, NULL), DISRUPTOR_E_INVAL);
	assert_detail("name: NULL");
}

TEST(so_it_is_of_one_that_is_open)
{
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;

	assert_code(disruptor_segment_make(&s, &tick_type, &ring, NULL), 0);
	assert_code(disruptor_segment_await(s, NULL, 0), DISRUPTOR_E_INVAL);
	assert_detail("consumer: NULL");
	assert_code(disruptor_segment_dismiss(s, NULL), DISRUPTOR_E_INVAL);
	assert_detail("consumer: NULL");
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(a_look_s_options_are_checked_and_an_answer_has_a_place)
{
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	const struct disruptor_segment_options make =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY);
	struct disruptor_segment_options o = shared_where(0);
	struct disruptor_look_facts facts = { .size = sizeof(facts) };
	struct disruptor_segment *s;
	struct disruptor_look *look;

	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &make), 0);
	o.reserved = 1;
	assert_code(disruptor_look_open(&look, "ring", &o), DISRUPTOR_E_INVAL);
	assert_detail("reserved");
	o = shared_where(0);
	o.mode = 01000;
	assert_code(disruptor_look_open(&look, "ring", &o), DISRUPTOR_E_INVAL);
	assert_detail("mode");
	o = shared_where(0);
	assert_code(disruptor_look_open(&look, "ring", &o), 0);
	assert_code(disruptor_look_facts(look, NULL), DISRUPTOR_E_INVAL);
	assert_detail("out: NULL");
	assert_code(disruptor_look_facts(NULL, &facts), DISRUPTOR_E_INVAL);
	assert_detail("look: NULL");
	disruptor_look_close(&look);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(a_type_of_more_fields_than_a_schema_has_is_too_big)
{
	static struct disruptor_field fields[5000];
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	const struct disruptor_type type = {
		.name = "wide", .size = 8, .align = 8, .fields = fields, .field_count = 5000
	};
	struct disruptor_segment *s;

	for (uint32_t i = 0; i < 5000; i++)
		fields[i] = (struct disruptor_field){ .name = "f", .size = 8, .width = 8 };
	assert_code(disruptor_segment_make(&s, &type, &ring, NULL), DISRUPTOR_E_TOO_BIG);
	assert_detail("5000 fields");
	assert_null(s);
}

TEST(one_without_a_name_is_handed_on_by_its_descriptor)
{
	struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	struct disruptor_segment *made, *adopted;
	struct tick_producer p;
	struct tick_consumer c;

	ring.flags |= DISRUPTOR_HUGE_PAGES_TRY;
	assert_code(disruptor_segment_make(&made, &tick_type, &ring, NULL), 0);
	assert_code(disruptor_segment_adopt(&adopted, disruptor_segment_fd(made), &tick_type, NULL),
		    0);
	assert_code(tick_consumer_open(&c, disruptor_segment_ring(adopted), NULL), 0);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(made), NULL), 0);
	publish_ticks(&p, CAPACITY);
	assert_null(tick_try_claim(&p)); /* the other's consumer holds it */
	read_ticks(&c, CAPACITY);
	publish_ticks(&p, 1);
	assert_code(tick_producer_close(&p), 0);
	/* who made it may go; it is there as long as one has it */
	assert_code(disruptor_segment_close(&made), 0);
	read_ticks(&c, 1);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&adopted), 0);
}

/* The schema is damaged, and the header is not. */
TEST(a_schema_without_its_checksum_is_refused)
{
	const struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	const struct disruptor_segment_options make = shared_where(DISRUPTOR_SEGMENT_CREATE);
	const struct disruptor_segment_options find = shared_where(0);
	struct disruptor_segment *s;
	char path[128], schema[4096];
	ssize_t read_bytes;
	off_t at = 0;
	int fd;

	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &make), 0);
	assert_code(disruptor_segment_close(&s), 0);
	(void)snprintf(path, sizeof(path), "%s/ring", shared_directory);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	/* the field's name is in the schema, and nowhere before it */
	read_bytes = pread(fd, schema, sizeof(schema), 0);
	assert_true(read_bytes > 0);
	while (at + 5 < read_bytes && memcmp(schema + at, "value", 5) != 0)
		at++;
	assert_true(at + 5 < read_bytes);
	assert_int_equal(pwrite(fd, "V", 1, at), 1);
	assert_int_equal(close(fd), 0);
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, NULL, &find),
		    DISRUPTOR_E_FORMAT);
	assert_detail("checksum");
	assert_code(disruptor_segment_remove("ring", &find), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(options_that_are_none_are_named),
		RUN(what_is_missing_is_named),
		RUN(so_it_is_of_one_that_is_open),
		RUN(a_look_s_options_are_checked_and_an_answer_has_a_place),
		RUN(a_type_of_more_fields_than_a_schema_has_is_too_big),
		RUN(one_without_a_name_is_handed_on_by_its_descriptor),
		RUN(a_schema_without_its_checksum_is_refused),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
