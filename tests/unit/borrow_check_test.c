/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What stages of several graphs on one ring read and write is compared, as that of one graph is. What is
 * one process here and another there is each a view of the segment.
 */
#include "probe.h"
#include "shared.h"

#include <stdio.h>

#define CAPACITY 64

/* A graph of one stage. */
struct party {
	struct disruptor_segment *segment;
	struct disruptor_ring *ring;
	struct disruptor *d;
	struct probe probe;
};

static void enter_with(struct party *p, const struct disruptor_type *type, const char *stage,
		       unsigned flags)
{
	const struct disruptor_segment_options where =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY);
	struct disruptor_options o = shared_options(CAPACITY, DISRUPTOR_SINGLE);

	assert_code(disruptor_segment_open(&p->segment, "graph", type, &o, &where), 0);
	p->ring = disruptor_segment_ring(p->segment);
	assert_code(disruptor_create_on(&p->d, p->ring, type, flags), 0);
	probe_init(&p->probe, stage);
}

static void enter(struct party *p, const char *stage, const char *reads, const char *writes)
{
	enter_with(p, &tick_type, stage, 0);
	p->probe.handler.reads = reads;
	p->probe.handler.writes = writes;
	probe_add(&p->probe, p->d);
}

static void leave(struct party *p)
{
	graph_close(&p->d);
	assert_code(disruptor_segment_close(&p->segment), 0);
}

static void stop(struct party *p)
{
	assert_code(disruptor_stop(p->d, DISRUPTOR_NOW, DISRUPTOR_FOREVER), 0);
}

static void expect_conflict(struct party *p, const char *detail)
{
	assert_code(disruptor_start(p->d), DISRUPTOR_E_CONFLICT);
	assert_detail(detail);
}

TEST(who_comes_second_is_told_of_the_first)
{
	struct party a, b;

	enter(&a, "a", "", "value");
	enter(&b, "b", "value", "");
	graph_start(a.d);
	expect_conflict(&b, "stages 'a' and 'b' have no order: 'a' writes value (bytes 0 to 7), of "
			    "which 'b' reads value");
	/* it may run again, and is not gone while it does not */
	stop(&a);
	expect_conflict(&b, "'a' writes value");
	leave(&a);
	graph_start(b.d);
	stop(&b);
	leave(&b);
}

TEST(separate_fields_are_no_conflict_and_nor_are_two_readers)
{
	struct party a, b, c;

	enter(&a, "a", "from", "value");
	enter(&b, "b", "from", "");
	enter(&c, "c", "", "value");
	graph_start(a.d);
	graph_start(b.d);
	expect_conflict(&c, "'c' writes value (bytes 0 to 7), of which 'a' writes value");
	stop(&a);
	stop(&b);
	leave(&a);
	leave(&b);
	leave(&c);
}

TEST(an_order_settles_it_whichever_of_them_is_first)
{
	struct party a, b, c;
	const char *after_b[] = { "b" };
	struct disruptor_attach how = { .size = sizeof(how),
					.after_names = after_b,
					.after_name_count = 1 };

	/* "a" comes after "b", and is started before it */
	enter(&b, "b", "", "value");
	enter_with(&a, &tick_type, "a", 0);
	a.probe.handler.reads = "value";
	a.probe.stage = disruptor_attach(a.d, &a.probe.handler, &how);
	assert_non_null(a.probe.stage);
	graph_start(a.d);
	graph_start(b.d);
	stop(&a);
	stop(&b);
	/* and the other way round */
	graph_start(b.d);
	graph_start(a.d);

	enter_with(&c, &tick_type, "c", 0);
	c.probe.handler.writes = "from, value";
	assert_null(disruptor_attach(c.d, &c.probe.handler, &how));
	assert_detail("stages 'c' and 'a' have no order: 'c' writes value");
	stop(&a);
	stop(&b);
	leave(&c);
	leave(&a);
	leave(&b);
}

TEST(who_declares_nothing_writes_all_unless_a_graph_trusts)
{
	struct party a, b, c;

	enter(&a, "a", NULL, NULL);
	enter(&b, "b", "value", NULL);
	graph_start(a.d);
	expect_conflict(&b, "'a' declares neither reads nor writes");
	enter_with(&c, &tick_type, "c", DISRUPTOR_TRUST_HANDLERS);
	probe_add(&c.probe, c.d);
	graph_start(c.d);
	stop(&c);
	stop(&a);
	leave(&a);
	/* "c", which declares nothing, is trusted by its own graph */
	graph_start(b.d);
	stop(&b);
	leave(&b);
	leave(&c);
}

TEST(a_start_that_was_refused_tells_nobody_anything)
{
	struct party a, b, c;

	enter(&a, "a", "value", "");
	enter(&b, "b", "", "value, from");
	enter(&c, "c", "from", "");
	graph_start(a.d);
	expect_conflict(&b, "of which 'a' reads value");
	graph_start(c.d);
	expect_conflict(&b, "stages 'b' and 'a'");
	stop(&a);
	leave(&a);
	expect_conflict(&b, "stages 'b' and 'c'");
	stop(&c);
	leave(&c);
	leave(&b);
}

TEST(a_consumer_has_nothing_of_the_stage_before_it)
{
	struct party a, b;
	struct tick_consumer c;

	enter(&a, "a", "", "*");
	graph_start(a.d);
	stop(&a);
	graph_close(&a.d);
	/* its entry is free, and this one takes it */
	assert_code(tick_consumer_open(&c, a.ring, NULL), 0);
	enter(&b, "b", "*", "");
	graph_start(b.d);
	stop(&b);
	leave(&b);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&a.segment), 0);
}

/* Two graphs of one process, on a ring of its own. */
TEST(so_it_is_without_a_segment)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *one, *other;
	struct probe a, b;

	assert_code(disruptor_create_on(&one, ring, &tick_type, 0), 0);
	assert_code(disruptor_create_on(&other, ring, &tick_type, 0), 0);
	probe_init(&a, "a");
	probe_init(&b, "b");
	a.handler.writes = "value";
	b.handler.reads = "*";
	probe_add(&a, one);
	probe_add(&b, other);
	graph_start(one);
	assert_code(disruptor_start(other), DISRUPTOR_E_CONFLICT);
	assert_detail("stages 'a' and 'b' have no order");
	assert_code(disruptor_stop(one, DISRUPTOR_NOW, DISRUPTOR_FOREVER), 0);
	assert_code(disruptor_destroy(&one), 0);
	assert_code(disruptor_destroy(&other), 0);
	ring_close(&ring);
}

/* ---- more fields than the table has room for ---- */

#define MANY_FIELDS 257

static void enter_wide(struct party *p, const struct disruptor_type *type, const char *stage,
		       const char *writes)
{
	enter_with(p, type, stage, 0);
	p->probe.handler.writes = writes;
	probe_add(&p->probe, p->d);
}

TEST(of_too_many_fields_each_set_is_the_whole_event)
{
	static char names[MANY_FIELDS][8];
	static struct disruptor_field fields[MANY_FIELDS];
	struct disruptor_type type = {
		.name = "wide", .size = MANY_FIELDS, .align = 1, .fields = fields
	};
	struct party a, b;

	for (uint32_t i = 0; i < MANY_FIELDS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%u", i);
		fields[i] = (struct disruptor_field){ .name = names[i],
						      .offset = i,
						      .size = 1,
						      .width = 1,
						      .kind = DISRUPTOR_KIND_UNSIGNED };
	}
	/* the last that fits is told by its name … */
	type.field_count = MANY_FIELDS - 1;
	type.size = MANY_FIELDS - 1;
	enter_wide(&a, &type, "a", "f255");
	enter_wide(&b, &type, "b", "f254");
	graph_start(a.d);
	graph_start(b.d);
	stop(&a);
	stop(&b);
	leave(&a);
	leave(&b);
	/* … and one more makes all of it one */
	type.field_count = MANY_FIELDS;
	type.size = MANY_FIELDS;
	enter_wide(&a, &type, "a", "f255");
	enter_wide(&b, &type, "b", "f254");
	graph_start(a.d);
	expect_conflict(&b, "'b' writes f254");
	stop(&a);
	leave(&a);
	leave(&b);
}

int main(void)
{
	const struct CMUnitTest own[] = {
		RUN(so_it_is_without_a_segment),
	};
	const struct CMUnitTest shared[] = {
		RUN(who_comes_second_is_told_of_the_first),
		RUN(separate_fields_are_no_conflict_and_nor_are_two_readers),
		RUN(an_order_settles_it_whichever_of_them_is_first),
		RUN(who_declares_nothing_writes_all_unless_a_graph_trusts),
		RUN(a_start_that_was_refused_tells_nobody_anything),
		RUN(a_consumer_has_nothing_of_the_stage_before_it),
		RUN(of_too_many_fields_each_set_is_the_whole_event),
	};
	int failed = cmocka_run_group_tests(own, NULL, NULL);

	if (shared_there_are())
		failed += cmocka_run_group_tests(shared, shared_setup, shared_teardown);
	return failed;
}
