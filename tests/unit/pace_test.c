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
	pace_learn(&f->consumer[0].view, (int64_t)tick_ready(&f->consumer[0]));
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
	for (int i = 0; i < 10; i++)
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
		a_wait_for(&f, n); /* half of enough, to enough: it stays */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(who_waits_for_one_event_at_a_time_never_pauses),
		RUN(some_events_at_once_let_it_wait_for_more_up_to_a_bound),
		RUN(enough_at_once_ends_the_pauses),
		RUN(a_wait_that_ends_with_a_code_counts_as_one_without_more),
		RUN(small_rings_never_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
