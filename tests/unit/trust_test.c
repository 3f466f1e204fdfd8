/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What others have written into a ring that they share is cut to what exists: no access lies outside
 * of it, no wait goes past its deadline. Linux. tests/fuzz looks for more of these.
 */
#include "shared.h"

#include "segment/segment.h"

#include <stdio.h>
#include <string.h>

#define SHORT_NS UINT64_C(1000000)

static struct disruptor_segment *make(enum disruptor_layout layout, unsigned flags)
{
	struct disruptor_options o = fixture_options(8);
	struct disruptor_segment *s;

	o.layout = layout;
	o.flags = flags;
	o.max_consumers = 4;
	if (o.rung == DISRUPTOR_RUNG_MUTEX)
		o.rung = DISRUPTOR_RUNG_AUTO;
	assert_code(disruptor_segment_make(&s, &tick_type, &o, NULL), 0);
	return s;
}

static void publish_one(struct disruptor_ring *ring, uint64_t value)
{
	struct tick_producer p;
	struct tick *t;

	assert_code(tick_producer_open(&p, ring, NULL), 0);
	t = tick_try_claim(&p);
	assert_non_null(t);
	t->value = value;
	assert_code(tick_publish(&p), 0);
	assert_code(tick_producer_close(&p), 0);
}

TEST(more_gates_than_there_are_are_not_looked_at)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, 0);
	struct tick_consumer c;

	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	disruptor_store_relaxed(&s->ring->header->gates_used, UINT32_MAX);
	assert_int_equal(disruptor_ring_stats(s->ring).consumers, 1);
	disruptor_ring_close(s->ring); /* wakes them all */
	assert_int_equal(tick_ready_until(&c, disruptor_in(SHORT_NS)), DISRUPTOR_E_CLOSED);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(an_order_of_consumers_that_there_cannot_be_is_no_index)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, 0);
	struct tick_consumer c, later;
	const struct disruptor_consumer *const after[] = { &c.view };
	const struct disruptor_consumer_options o = {
		.size = sizeof(o), .name = "later", .after = after, .after_count = 1
	};
	uint32_t slept;

	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	assert_code(tick_consumer_open(&later, s->ring, &o), 0);
	publish_one(s->ring, 1);
	/* where a gate would stand that is none: in the slots */
	slept = disruptor_load_relaxed(&s->ring->gates[4].epoch);
	disruptor_store_relaxed(&later.view.gate->upstreams, UINT64_C(1) << 4 | UINT64_C(1));
	assert_int_equal(tick_ready(&later), 0); /* the first has not released it */
	assert_int_equal(tick_ready_until(&later, disruptor_in(SHORT_NS)), DISRUPTOR_E_TIMEOUT);
	disruptor_consumer_interrupt(&later.view);
	assert_int_equal(disruptor_load_relaxed(&s->ring->gates[4].epoch), slept);
	assert_int_equal(tick_ready(&c), 1);
	assert_code(tick_release(&c, 1), 0);
	assert_int_equal(tick_ready(&later), 1);
	disruptor_store_relaxed(&later.view.gate->upstreams, UINT64_C(1));
	assert_code(tick_consumer_close(&later), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(an_order_that_a_first_stage_did_not_have_ends_its_wait_by_its_deadline)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, 0);
	struct tick_consumer c;

	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	/* entry 3 is nobody's, so whoever comes after it has nobody to wait for */
	disruptor_store_relaxed(&c.view.gate->upstreams, UINT64_C(1) << 3);
	/* it goes by the order that is there, or by the stamps: it does not look for ever */
	(void)tick_ready_until(&c, disruptor_in(SHORT_NS));
	disruptor_store_relaxed(&c.view.gate->upstreams, UINT64_C(0));
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(an_event_is_as_large_as_its_type_says)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, DISRUPTOR_LOSSY);
	struct tick_reader reader;
	struct {
		struct tick event;
		unsigned char behind[64];
	} to;

	memset(&to, 0x5a, sizeof(to));
	s->ring->header->event_size = 80;
	assert_code(tick_reader_open(&reader, s->ring, NULL), 0);
	{
		struct tick_consumer c; /* so that there is room */

		assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
		publish_one(s->ring, 7);
		assert_code(tick_consumer_close(&c), 0);
	}
	assert_int_equal(tick_reader_next(&reader, &to.event), 1);
	assert_int_equal(to.event.value, 7);
	for (size_t i = 0; i < sizeof(to.behind); i++)
		assert_int_equal(to.behind[i], 0x5a);
	assert_int_equal(disruptor_ring_info(s->ring).event_size, sizeof(struct tick));
	assert_code(tick_reader_close(&reader), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(a_name_without_an_end_is_told_as_far_as_it_goes)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, 0);
	struct tick_producer p, second;
	struct tick_consumer c;
	const char *name = NULL;
	uint64_t position;
	struct ring_producer *entry = &s->ring->producer_table[0];

	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	assert_code(tick_producer_open(&p, s->ring, NULL), 0);
	assert_non_null(tick_try_claim(&p));
	memset(entry->name, 'x', sizeof(entry->name));
	disruptor_store_relaxed(&entry->participant, UINT32_C(0x79797979)); /* what is read on */
	assert_int_equal(tick_producer_open(&second, s->ring, NULL), DISRUPTOR_E_BUSY);
	assert_null(strstr(disruptor_error_detail(), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	assert_int_equal(disruptor_ring_unpublished(s->ring, &position, &name), 1);
	assert_int_equal(strlen(name), sizeof(entry->name) - 1);
	assert_code(tick_publish(&p), 0);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(a_lossy_reader_that_is_told_of_later_events_does_not_go_back)
{
	struct disruptor_segment *s = make(DISRUPTOR_STAMPED, DISRUPTOR_LOSSY);
	struct tick_reader reader;
	struct tick_consumer c;
	struct tick event;

	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	for (uint64_t i = 0; i < 12; i++) {
		publish_one(s->ring, i);
		assert_int_equal(tick_ready(&c), 1);
		assert_code(tick_release(&c, 1), 0);
	}
	assert_code(tick_reader_open(&reader, s->ring, NULL), 0);
	publish_one(s->ring, 12);
	/* its copy says that it is the next one's: less than a lap further, so nobody has written that */
	disruptor_store_relaxed(
		(atomic_word *)(void *)(s->ring->mirror + UINT64_C(4) * s->ring->mirror_stride),
		UINT64_C(14));
	assert_int_equal(tick_reader_next(&reader, &event), 0);
	assert_in_range(disruptor_reader_position(&reader.view), 12, 13);
	assert_code(tick_reader_close(&reader), 0);
	assert_int_equal(tick_ready(&c), 1);
	assert_code(tick_release(&c, 1), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(what_cannot_be_a_position_is_refused)
{
	struct disruptor_segment *s = make(DISRUPTOR_PACKED, 0);
	struct tick_consumer c;

	disruptor_store_relaxed(&s->ring->shared->cursor, UINT64_MAX - 1);
	assert_int_equal(tick_consumer_open(&c, s->ring, NULL), DISRUPTOR_E_FORMAT);
	assert_non_null(strstr(disruptor_error_detail(), "damaged"));
	disruptor_store_relaxed(&s->ring->shared->cursor, UINT64_C(0));
	assert_code(tick_consumer_open(&c, s->ring, NULL), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(more_gates_than_there_are_are_not_looked_at),
		RUN(an_order_of_consumers_that_there_cannot_be_is_no_index),
		RUN(an_order_that_a_first_stage_did_not_have_ends_its_wait_by_its_deadline),
		RUN(an_event_is_as_large_as_its_type_says),
		RUN(a_name_without_an_end_is_told_as_far_as_it_goes),
		RUN(a_lossy_reader_that_is_told_of_later_events_does_not_go_back),
		RUN(what_cannot_be_a_position_is_refused),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
