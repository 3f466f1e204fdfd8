/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a consumer learns of its distance to the producer: who is given one event at a time never
 * pauses, who is given some lets more come, and no longer than that gives it more.
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

	fixture_open(&f, 64, 1); /* batches of 16: 8 are enough */
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

TEST(enough_at_once_ends_the_pauses)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	for (int i = 0; i < 20; i++)
		a_wait_for(&f, 2);
	for (uint64_t n = 4; n <= 8; n++) {
		a_wait_for(&f, n); /* half of enough, to enough: it stays at the most */
		assert_int_equal(f.consumer[0].view.pace, PACE_MOST);
	}
	a_wait_for(&f, 9);
	assert_int_equal(f.consumer[0].view.pace, PACE_MOST / 2);
	a_wait_for(&f, 16);
	assert_int_equal(f.consumer[0].view.pace, PACE_MOST / 4);
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
	for (uint64_t capacity = 1; capacity <= 8; capacity *= 2) {
		struct fixture f;

		fixture_open(&f, capacity, 1);
		for (int i = 0; i < 20; i++) {
			a_wait_for(&f, f.consumer[0].view.batch);
			assert_int_equal(f.consumer[0].view.pace, 0);
		}
		fixture_close(&f);
	}
}

TEST(half_of_a_ring_keeps_the_pauses_and_nothing_at_a_glance_halves_them)
{
	struct fixture f;

	fixture_open(&f, 64, 1);
	f.consumer[0].view.pace = 200;
	pace_learn(&f.consumer[0].view, PACE_FAR, 16);
	assert_int_equal(f.consumer[0].view.pace, 200);
	pace_learn(&f.consumer[0].view, PACE_FAR, 2);
	assert_int_equal(f.consumer[0].view.pace, 200);
	pace_learn(&f.consumer[0].view, PACE_IDLE, 5);
	assert_int_equal(f.consumer[0].view.pace, 100);
	fixture_close(&f);
}

TEST(pauses_grow_until_enough_comes_at_once)
{
	struct fixture f;

	fixture_open(&f, 64, 1); /* batches of 16: 8 are enough */
	f.consumer[0].view.pace = 10;
	pace_learn(&f.consumer[0].view, PACE_OVER, 8);
	assert_int_equal(f.consumer[0].view.pace, 21);
	pace_learn(&f.consumer[0].view, PACE_OVER, 9);
	assert_int_equal(f.consumer[0].view.pace, 10);
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

/* What the last consumer's pauses end with, once @p n events have come to it. */
static enum pace_end end_behind(struct fixture *f, uint32_t last, uint64_t n)
{
	struct tick_consumer *c = &f->consumer[last];
	enum pace_end end;

	publish_ticks(&f->producer, n);
	for (uint32_t i = 0; i < last; i++)
		read_ticks(&f->consumer[i], n);
	c->view.pace = PACE_MOST;
	end = pace(&c->view, DISRUPTOR_FOREVER);
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
				assert_int_equal(end_behind(&f, before, 32), PACE_FAR);
				assert_int_equal(end_behind(&f, before, 31), PACE_OVER);
				assert_int_equal(end_behind(&f, before, 1), PACE_OVER);
				assert_int_equal(end_behind(&f, before, 0), PACE_IDLE);
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
	assert_int_equal(pace(&f.consumer[0].view, 0), PACE_OVER);
	assert_int_equal(pace(&f.consumer[0].view, disruptor_now()), PACE_OVER);
	assert_int_equal(pace(&f.consumer[0].view, disruptor_in(UINT64_C(3600000000000))),
			 PACE_IDLE);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(who_waits_for_one_event_at_a_time_never_pauses),
		RUN(some_events_at_once_let_it_wait_for_more_up_to_a_bound),
		RUN(enough_at_once_ends_the_pauses),
		RUN(a_wait_that_ends_with_a_code_counts_as_one_without_more),
		RUN(small_rings_never_pause),
		RUN(half_of_a_ring_keeps_the_pauses_and_nothing_at_a_glance_halves_them),
		RUN(pauses_grow_until_enough_comes_at_once),
		RUN(it_sees_how_far_those_before_it_have_come),
		RUN(who_comes_behind_its_deadline_looks_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
