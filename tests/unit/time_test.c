/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Deadlines of 64 bits, where the C library's seconds may have 32: waits sleep, and do not spin. */
#include "fixture.h"

#include "os/os.h"

#include <time.h>

#define SECOND UINT64_C(1000000000)
#define YEAR (UINT64_C(31557600) * SECOND)

TEST(seconds_that_time_t_cannot_tell_are_its_last)
{
	const uint64_t last = sizeof(time_t) == 4 ? INT32_MAX : INT64_MAX;
	const uint64_t some[] = { 0,
				  SECOND - 1,
				  INT32_MAX * SECOND,
				  INT32_MAX * SECOND + SECOND,
				  UINT32_MAX * SECOND + 3 * SECOND,
				  UINT64_MAX - 1 };

	for (size_t i = 0; i < COUNT(some); i++) {
		struct timespec t = os_timespec(some[i]);
		uint64_t seconds = some[i] / SECOND;

		assert_true(t.tv_sec >= 0);
		assert_int_equal(t.tv_sec, seconds < last ? seconds : last);
		assert_int_equal(t.tv_nsec, some[i] % SECOND);
	}
}

struct sleeper {
	struct fixture f;
	uint64_t deadline;
	int64_t got;
};

static void sleep_until(void *argument)
{
	struct sleeper *s = argument;

	s->got = tick_ready_until(&s->f.consumer[0], s->deadline);
}

/* 2038 is nearer than these deadlines, and so are 32 bits of seconds since the system's start. */
static void sleeps_for(uint64_t years)
{
	struct disruptor_options o = fixture_options(4);
	struct runner thread;
	struct sleeper s;
	uint64_t cpu;

	o.wait = disruptor_wait_blocking();
	s.got = 0;
	s.deadline = disruptor_in(years * YEAR);
	assert_true(s.deadline != DISRUPTOR_FOREVER);
	fixture_open_with(&s.f, &o, 1);
	runner_start(&thread, "who sleeps for years", sleep_until, &s);
	await_sleeps(s.f.ring, 1);
	cpu = process_cpu_ns();
	pause_ms(200);
	cpu = process_cpu_ns() - cpu;
	if (cpu > 100 * 1000000)
		fail_msg("asleep, it used %llu us of CPU in 200 ms",
			 (unsigned long long)cpu / 1000);
	assert_true(disruptor_ring_stats(s.f.ring).sleeps < 10);
	publish_ticks(&s.f.producer, 1);
	runner_join(&thread);
	assert_int_equal(s.got, 1);
	fixture_close(&s.f);
}

TEST(a_wait_of_seventy_years_sleeps)
{
	sleeps_for(70);
}

TEST(a_wait_of_five_hundred_years_sleeps)
{
	sleeps_for(500);
}

TEST(a_short_wait_ends_in_time)
{
	struct disruptor_options o = fixture_options(4);
	struct fixture f;
	uint64_t began, passed;

	o.wait = disruptor_wait_blocking();
	fixture_open_with(&f, &o, 1);
	began = disruptor_now();
	assert_code(tick_ready_until(&f.consumer[0], disruptor_in(SECOND / 20)),
		    DISRUPTOR_E_TIMEOUT);
	passed = disruptor_now() - began;
	assert_true(passed >= SECOND / 20);
	assert_true(passed < 10 * SECOND);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(seconds_that_time_t_cannot_tell_are_its_last),
		RUN(a_wait_of_seventy_years_sleeps),
		RUN(a_wait_of_five_hundred_years_sleeps),
		RUN(a_short_wait_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
