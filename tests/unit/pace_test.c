/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a consumer learns of its distance to the producer: who is given one event at a time never
 * pauses, who is given some lets those before it get ahead, and who is far behind takes what there is.
 */
#include "fixture.h"

#include "ring/pace.h"

/* One wait that ends with @p n events, all of them released. */
static void a_wait_for(struct fixture *f, uint64_t n)
{
	assert_int_equal(tick_ready(&f->consumer[0]), 0);
	publish_ticks(&f->producer, n);
	pace_learn(&f->consumer[0].view, PACE_OVER, (int64_t)tick_ready(&f->consumer[0]));
	read_ticks(&f->consumer[0], n);
}

TEST(who_waits_for_one_event_at_a_time_never_pauses)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	for (int i = 0; i < 200; i++) {
		a_wait_for(&f, 1);
		assert_int_equal(f.consumer[0].view.pace, 0);
	}
	fixture_close(&f);
}

TEST(some_events_at_once_let_it_wait_for_more_up_to_a_bound)
{
	struct fixture f;
	uint32_t before = 0;

	fixture_open(&f, 64, 1);
	for (int i = 0; i < 20; i++) {
		a_wait_for(&f, 2);
		assert_true(f.consumer[0].view.pace > before || before == PACE_MOST);
		before = f.consumer[0].view.pace;
	}
	assert_int_equal(before, PACE_MOST);
	/* it goes by itself when the stream ends in single events */
	for (int i = 0; i < 11; i++)
		a_wait_for(&f, 1);
	assert_int_equal(f.consumer[0].view.pace, 0);
	fixture_close(&f);
}

TEST(a_wait_that_ends_with_a_code_counts_as_one_without_more)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	for (int i = 0; i < 20; i++)
		a_wait_for(&f, 2);
	assert_code(tick_ready_until(&f.consumer[0], disruptor_now()), DISRUPTOR_E_TIMEOUT);
	assert_int_equal(f.consumer[0].view.pace, PACE_MOST / 2);
	fixture_close(&f);
}

TEST(small_rings_never_pause)
{
	for (uint64_t capacity = 1; capacity <= 128; capacity *= 2) {
		struct fixture f;

		fixture_open(&f, capacity, 1);
		f.consumer[0].view.pace = PACE_MOST;
		assert_int_equal(pace_is_close(&f.consumer[0].view, 0), capacity >= PACE_CLOSE);
		fixture_close(&f);
	}
}

TEST(far_enough_keeps_the_pauses_and_nothing_more_at_a_glance_ends_them)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	f.consumer[0].view.pace = 100;
	pace_learn(&f.consumer[0].view, PACE_FAR, 16);
	assert_int_equal(f.consumer[0].view.pace, 100);
	pace_learn(&f.consumer[0].view, PACE_FAR, 2);
	assert_int_equal(f.consumer[0].view.pace, 100);
	pace_learn(&f.consumer[0].view, PACE_OVER, 16);
	assert_int_equal(f.consumer[0].view.pace, 201);
	pace_learn(&f.consumer[0].view, PACE_IDLE, 5);
	assert_int_equal(f.consumer[0].view.pace, 0);
	fixture_close(&f);
}

/* Of a ring of 1024 less than 16 events are few, and the batch limit is 256. */
TEST(who_finds_few_is_close_if_it_has_learnt_so)
{
	struct disruptor_consumer *c;
	struct fixture f;

	fixture_open(&f, 1024, 1);
	c = &f.consumer[0].view;
	for (int64_t n = 1; n <= 16; n++)
		assert_false(pace_is_close(c, n));
	assert_true(pace_is_close(c, 0));
	c->pace = 1;
	for (int64_t n = 0; n < 16; n++)
		assert_true(pace_is_close(c, n));
	assert_false(pace_is_close(c, 16));
	c->batch = 4; /* four may be all that it is told of */
	assert_true(pace_is_close(c, 3));
	assert_false(pace_is_close(c, 4));
	fixture_close(&f);
}

TEST(who_finds_few_is_given_them_when_no_more_come)
{
	struct disruptor_consumer *c;
	struct fixture f;

	fixture_open(&f, 1024, 1);
	c = &f.consumer[0].view;
	for (uint64_t n = 1; n < 16; n += 7) {
		publish_ticks(&f.producer, n);
		c->pace = PACE_MOST;
		assert_int_equal(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), n);
		assert_int_equal(c->pace, 0);
		read_ticks(&f.consumer[0], n);
	}
	publish_ticks(&f.producer, 16);
	c->pace = PACE_MOST;
	assert_int_equal(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), 16);
	assert_int_equal(c->pace, PACE_MOST); /* it was not close: nothing is learnt */
	read_ticks(&f.consumer[0], 16);
	fixture_close(&f);
}

/* A ring with @p before consumers side by side, and one behind them. */
static void open_behind(struct fixture *f, const struct disruptor_options *options, uint32_t before)
{
	const struct disruptor_consumer *after[FIXTURE_CONSUMERS];
	struct disruptor_consumer_options o = {
		.size = sizeof(o),
		.after = before != 0 ? after : NULL,
		.after_count = before,
	};

	fixture_open_with(f, options, before);
	for (uint32_t i = 0; i < before; i++)
		after[i] = &f->consumer[i].view;
	assert_code(tick_consumer_open(&f->consumer[before], f->ring, &o), 0);
	f->consumers = before + 1;
}

/* What the last consumer's pauses end with, once @p n events have come to it, and it had found @p few. */
static enum pace_end end_behind(struct fixture *f, uint32_t last, uint64_t n, int64_t few)
{
	struct tick_consumer *c = &f->consumer[last];
	enum pace_end end;

	publish_ticks(&f->producer, n);
	for (uint32_t i = 0; i < last; i++)
		read_ticks(&f->consumer[i], n);
	c->view.pace = PACE_MOST;
	end = pace(&c->view, few, DISRUPTOR_FOREVER);
	read_ticks(c, n);
	return end;
}

/* The stamps of one producer or of many, a cursor, one stage before it, several. */
TEST(it_sees_how_far_those_before_it_have_come)
{
	const struct disruptor_options rings[] = {
		{ .producers = DISRUPTOR_SINGLE },
		{ .producers = DISRUPTOR_MANY },
		{ .producers = DISRUPTOR_SINGLE, .layout = DISRUPTOR_PACKED },
	};

	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		for (uint32_t before = 0; before <= 2; before++) {
			struct disruptor_options o = fixture_options(64);
			struct fixture f;

			o.producers = rings[i].producers;
			o.layout = rings[i].layout;
			open_behind(&f, &o, before);
			for (int lap = 0; lap < 6; lap++) {
				assert_int_equal(end_behind(&f, before, 8, 0), PACE_FAR);
				assert_int_equal(end_behind(&f, before, 7, 0), PACE_OVER);
				assert_int_equal(end_behind(&f, before, 1, 0), PACE_OVER);
				assert_int_equal(end_behind(&f, before, 0, 0), PACE_IDLE);
				assert_int_equal(end_behind(&f, before, 8, 8), PACE_FAR);
				assert_int_equal(end_behind(&f, before, 7, 6), PACE_OVER);
				assert_int_equal(end_behind(&f, before, 7, 7), PACE_IDLE);
			}
			fixture_close(&f);
		}
	}
}

TEST(who_comes_behind_its_deadline_looks_at_once)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	f.consumer[0].view.pace = PACE_MOST;
	assert_int_equal(pace(&f.consumer[0].view, 0, 0), PACE_OVER);
	assert_int_equal(pace(&f.consumer[0].view, 0, disruptor_now()), PACE_OVER);
	assert_int_equal(pace(&f.consumer[0].view, 0, disruptor_in(UINT64_C(3600000000000))),
			 PACE_IDLE);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(who_waits_for_one_event_at_a_time_never_pauses),
		RUN(some_events_at_once_let_it_wait_for_more_up_to_a_bound),
		RUN(a_wait_that_ends_with_a_code_counts_as_one_without_more),
		RUN(small_rings_never_pause),
		RUN(far_enough_keeps_the_pauses_and_nothing_more_at_a_glance_ends_them),
		RUN(who_finds_few_is_close_if_it_has_learnt_so),
		RUN(who_finds_few_is_given_them_when_no_more_come),
		RUN(it_sees_how_far_those_before_it_have_come),
		RUN(who_comes_behind_its_deadline_looks_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
