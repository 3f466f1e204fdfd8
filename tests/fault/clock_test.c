/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Clocks that do what they should not: a monotonic clock that stands still, leaps years ahead, or
 * comes to the end of 64 bits. Nothing wraps: deadlines end once their time has come and not before,
 * and news needs no clock. The realtime clock does not matter, as nobody asks it.
 *
 * The library's clock, and its sleeps by that clock, are replaced by the linker's --wrap: kernel and
 * library agree about the time, as on a machine whose clock does so.
 */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define YEARS(n) ((n)*UINT64_C(31556952) * SECOND)
#define SLICE_NS 2000000 /* sleeps look at the clock so often */

/* ---- the clock ---- */

static DISRUPTOR_ATOMIC(uint64_t) clock_at; /* where it stands … */
static DISRUPTOR_ATOMIC(uint64_t) since; /* … or stood at that real time, if not 0, and goes on */
static DISRUPTOR_ATOMIC(uint32_t) other_clocks;

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

static uint64_t real_now(void)
{
	struct timespec t;

	__real_clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t clock_now(void)
{
	uint64_t from = disruptor_load_acquire(&since), at = disruptor_load_acquire(&clock_at);
	uint64_t passed = from ? real_now() - from : 0;

	return passed < UINT64_MAX - at ? at + passed : UINT64_MAX;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND) };
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	bool monotonic = clock == CLOCK_MONOTONIC;
	bool cpu = clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_PROCESS_CPUTIME_ID;

#ifdef CLOCK_MONOTONIC_COARSE
	monotonic |= clock == CLOCK_MONOTONIC_COARSE;
#endif
	if (!monotonic) {
		if (!cpu) /* that is the tests' */
			disruptor_fetch_add_relaxed(&other_clocks, 1u);
		return __real_clock_gettime(clock, t);
	}
	*t = timespec_of(clock_now());
	return 0;
}

int __real_gettimeofday(struct timeval *t, void *zone);
int __wrap_gettimeofday(struct timeval *t, void *zone);
int __wrap_gettimeofday(struct timeval *t, void *zone)
{
	disruptor_fetch_add_relaxed(&other_clocks, 1u);
	return __real_gettimeofday(t, zone);
}

time_t __real_time(time_t *t);
time_t __wrap_time(time_t *t);
time_t __wrap_time(time_t *t)
{
	disruptor_fetch_add_relaxed(&other_clocks, 1u);
	return __real_time(t);
}

static void stands_at(uint64_t ns)
{
	disruptor_store_release(&since, UINT64_C(0));
	disruptor_store_release(&clock_at, ns);
}

static void goes_from(uint64_t ns)
{
	disruptor_store_release(&clock_at, ns);
	disruptor_store_release(&since, real_now());
}

/* ---- sleeps by it ---- */

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * SECOND + (uint64_t)t->tv_nsec;
}

int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
	struct timespec slice = timespec_of(real_now() + SLICE_NS);
	int rc;

	if (clock_now() >= ns_of(t))
		return ETIMEDOUT;
	rc = __real_pthread_cond_timedwait(c, m, &slice);
	if (rc != ETIMEDOUT)
		return rc;
	return clock_now() >= ns_of(t) ? ETIMEDOUT : 0; /* or for no reason */
}

static DISRUPTOR_ATOMIC(uint32_t) conditions, conditions_by_others;

int __real_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	clockid_t clock = CLOCK_REALTIME;

	if (a)
		pthread_condattr_getclock(a, &clock);
	disruptor_fetch_add_relaxed(&conditions, 1u);
	if (clock != CLOCK_MONOTONIC)
		disruptor_fetch_add_relaxed(&conditions_by_others, 1u);
	return __real_pthread_cond_init(c, a);
}

#ifdef __linux__
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long arguments[6];
	struct timespec slice;
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < COUNT(arguments); i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_futex && (arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
		if (arguments[1] & FUTEX_CLOCK_REALTIME)
			disruptor_fetch_add_relaxed(&other_clocks, 1u);
		slice = timespec_of(real_now() + SLICE_NS);
		if (arguments[3])
			arguments[3] = (long)(intptr_t)&slice; /* it may return for no reason */
	}
	return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
			      arguments[4], arguments[5]);
}
#endif

/* ---- waits ---- */

struct waiter {
	struct fixture f;
	struct disruptor *d;
	struct disruptor_wait wait;
	struct runner thread;
	uint64_t deadline;
	int64_t (*function)(struct waiter *w);
	DISRUPTOR_ATOMIC(uint32_t) done;
	int64_t result;
};

static int64_t for_events(struct waiter *w)
{
	return tick_ready_until(&w->f.consumer[0], w->deadline);
}

static int64_t for_any(struct waiter *w)
{
	struct disruptor_consumer *one = &w->f.consumer[0].view;
	int64_t rc = disruptor_wait_any(&one, 1, w->deadline);

	return rc == 0 ? 1 : rc;
}

static int64_t for_room(struct waiter *w)
{
	disruptor_producer_handoff(&w->f.producer.view);
	return tick_claim_until(&w->f.producer, w->deadline) ? 1 : tick_status(&w->f.producer);
}

static int64_t for_state(struct waiter *w)
{
	int rc = disruptor_await(w->d, DISRUPTOR_RUNNING, w->deadline);

	return rc == 0 ? 1 : rc;
}

static void give_news(struct waiter *w)
{
	if (w->function == for_room)
		read_ticks(&w->f.consumer[0], 1);
	else if (w->function == for_state)
		graph_start(w->d);
	else
		publish_ticks(&w->f.producer, 1);
}

static void wait_main(void *waiter)
{
	struct waiter *w = waiter;

	w->result = w->function(w);
	disruptor_store_release(&w->done, 1u);
}

static struct probe bystander;

static void waiter_open(struct waiter *w, struct disruptor_wait wait,
			int64_t (*function)(struct waiter *), uint64_t deadline)
{
	struct disruptor_options options = fixture_options(2);

	memset(w, 0, sizeof(*w));
	w->function = function;
	w->deadline = deadline;
	w->d = graph_open(&options);
	probe_init(&bystander, "bystander");
	probe_add(&bystander, w->d);
	options.wait = wait;
	fixture_open_with(&w->f, &options, 1);
	if (function == for_room)
		for (unsigned i = 0; i < 2; i++)
			publish_ticks(&w->f.producer, 1);
	runner_start(&w->thread, "a wait", wait_main, w);
}

/* It is waiting still: some while of real time has passed. */
static void still_waits(struct waiter *w)
{
	pause_ms(12);
	assert_int_equal(disruptor_load_acquire(&w->done), 0);
}

static void ends_with(struct waiter *w, int64_t result)
{
	runner_join(&w->thread);
	assert_code(w->result, result);
	disruptor_producer_handoff(&w->f.producer.view);
	if (disruptor_claimed(&w->f.producer.view))
		assert_code(tick_abort(&w->f.producer), 0);
	fixture_close(&w->f);
	graph_close(&w->d);
}

static int64_t (*const functions[])(struct waiter *) = { for_events, for_any, for_room, for_state };

/* Each kind of wait, and of the two commonest each strategy. */
static void each_wait(void (*test)(struct disruptor_wait wait, int64_t (*f)(struct waiter *)))
{
	for (size_t i = 0; i < COUNT(functions); i++)
		test(disruptor_wait_blocking(), functions[i]);
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		test(fixture_wait(i), for_events);
		test(fixture_wait(i), for_room);
	}
}

/* ---- it stands still ---- */

static void stand_still(struct disruptor_wait wait, int64_t (*f)(struct waiter *))
{
	struct waiter w;

	stands_at(1000 * SECOND);
	waiter_open(&w, wait, f, 1000 * SECOND + MS);
	still_waits(&w);
	stands_at(1000 * SECOND + MS - 1);
	still_waits(&w);
	stands_at(1000 * SECOND + MS);
	goes_from(1000 * SECOND + MS); /* strategies that sleep by it go on */
	ends_with(&w, DISRUPTOR_E_TIMEOUT);

	stands_at(1000 * SECOND);
	waiter_open(&w, wait, f, 1000 * SECOND + MS);
	still_waits(&w);
	give_news(&w);
	ends_with(&w, 1);
	goes_from(2000 * SECOND);
}

TEST(while_the_clock_stands_deadlines_wait_and_news_comes)
{
	each_wait(stand_still);
}

/* ---- it leaps ---- */

static void leap(struct disruptor_wait wait, int64_t (*f)(struct waiter *))
{
	struct waiter w;

	goes_from(1000 * SECOND);
	waiter_open(&w, wait, f, 1000 * SECOND + YEARS(10));
	still_waits(&w);
	goes_from(YEARS(100));
	ends_with(&w, DISRUPTOR_E_TIMEOUT);

	goes_from(1000 * SECOND);
	waiter_open(&w, wait, f, DISRUPTOR_FOREVER);
	still_waits(&w);
	goes_from(YEARS(100));
	still_waits(&w);
	give_news(&w);
	ends_with(&w, 1);
}

TEST(when_the_clock_leaps_deadlines_end_and_forever_does_not)
{
	each_wait(leap);
}

/* ---- it comes to its end ---- */

TEST(deadlines_beyond_the_end_of_the_clock_are_none)
{
	stands_at(UINT64_MAX - SECOND);
	assert_int_equal(disruptor_in(0), UINT64_MAX - SECOND);
	assert_int_equal(disruptor_in(SECOND - 1), UINT64_MAX - 1);
	assert_int_equal(disruptor_in(SECOND), DISRUPTOR_FOREVER);
	assert_int_equal(disruptor_in(SECOND + 1), DISRUPTOR_FOREVER);
	assert_int_equal(disruptor_in(UINT64_MAX), DISRUPTOR_FOREVER);
	stands_at(UINT64_MAX);
	assert_int_equal(disruptor_in(0), DISRUPTOR_FOREVER);
	assert_int_equal(disruptor_in(1), DISRUPTOR_FOREVER);
	stands_at(0);
	assert_int_equal(disruptor_in(UINT64_MAX - 1), UINT64_MAX - 1);
	assert_int_equal(disruptor_in(UINT64_MAX), DISRUPTOR_FOREVER);
	goes_from(1000 * SECOND);
}

static void near_the_end(struct disruptor_wait wait, int64_t (*f)(struct waiter *))
{
	struct waiter w;

	stands_at(UINT64_MAX - 100 * SECOND);
	waiter_open(&w, wait, f, UINT64_MAX - 1);
	still_waits(&w);
	stands_at(UINT64_MAX - 1);
	ends_with(&w, DISRUPTOR_E_TIMEOUT);

	goes_from(UINT64_MAX - 1000 * SECOND);
	waiter_open(&w, wait, f, disruptor_in(4000 * SECOND)); /* none */
	still_waits(&w);
	give_news(&w);
	ends_with(&w, 1);

	/* a deadline long past, and one of the first nanosecond */
	waiter_open(&w, wait, f, 1);
	ends_with(&w, DISRUPTOR_E_TIMEOUT);
	waiter_open(&w, wait, f, 0);
	ends_with(&w, DISRUPTOR_E_TIMEOUT);
	goes_from(1000 * SECOND);
}

TEST(at_the_end_of_the_clock_waits_end_and_nothing_wraps)
{
	each_wait(near_the_end);
}

/* ---- timeouts that are lengths ---- */

static DISRUPTOR_ATOMIC(uint32_t) stalls;

static void stalled(void *context, const struct disruptor_diagnosis *found)
{
	(void)context, (void)found;
	disruptor_fetch_add_relaxed(&stalls, 1u);
}

/* A graph with every length of time that there is: @p length. */
static void graph_of_lengths(uint64_t length, bool idles)
{
	const struct disruptor_watchdog dog = { .size = sizeof(dog),
						.threshold_ns = length < MS ? MS : length,
						.stalled = stalled };
	const struct disruptor_policy policy = { .size = sizeof(policy),
						 .remedy = DISRUPTOR_REMEDY_RETRY,
						 .times = 3,
						 .pause_ns = idles ? 1000 : 0 };
	struct disruptor_options options = fixture_options(16);
	const struct disruptor_producer_options po = { .size = sizeof(po),
						       .wait = disruptor_wait_blocking(),
						       .overflow = DISRUPTOR_UNTIL,
						       .timeout_ns = idles ? 100 * SECOND
									   : length };
	struct tick_producer p;
	struct disruptor *d;
	struct probe probe[2];

	options.wait = disruptor_wait_phased(length, length);
	options.wait.timeout_ns = length;
	d = graph_open(&options);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&probe[i], i ? "two" : "one");
		probe[i].handler.batch_min = i ? 4 : 0;
		probe[i].handler.linger_ns = i ? (idles ? length : 1000) : 0;
		probe_add(&probe[i], d);
		assert_code(disruptor_stage_set_policy(probe[i].stage, &policy), 0);
	}
	probe[0].verdict_at = 3;
	probe[0].verdict = -5;
	assert_code(disruptor_set_watchdog(d, &dog), 0);
	assert_code(tick_producer_open(&p, disruptor_ring(d), &po), 0);
	graph_start(d);
	probe_publish(&p, 100);
	probe_await(&probe[0], 100);
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, disruptor_in(100 * SECOND)), 0);
	assert_int_equal(probe[1].events, 100);
	assert_int_equal(probe[0].events, 101); /* one was handed out again */
	assert_int_equal(probe[0].wrong + probe[1].wrong, 0);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(lengths_of_time_that_reach_beyond_the_end_of_the_clock_never_pass)
{
	disruptor_store_relaxed(&stalls, 0u);
	goes_from(1000 * SECOND);
	graph_of_lengths(UINT64_MAX, false);
	goes_from(UINT64_MAX - 1000 * SECOND);
	graph_of_lengths(UINT64_MAX, false);
	graph_of_lengths(UINT64_MAX / 2, false);
	assert_int_equal(disruptor_load_relaxed(&stalls), 0);
}

TEST(near_the_end_of_the_clock_short_lengths_are_what_they_are)
{
	goes_from(UINT64_MAX - 100000 * SECOND);
	graph_of_lengths(MS, true);
	goes_from(1000 * SECOND);
}

/* ---- the realtime clock ---- */

/* Runs last: none of the tests before has asked for another clock than the monotonic one. */
TEST(nobody_has_asked_the_realtime_clock)
{
	assert_int_equal(disruptor_load_relaxed(&other_clocks), 0);
	assert_true(disruptor_load_relaxed(&conditions) > 100);
	assert_int_equal(disruptor_load_relaxed(&conditions_by_others), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(while_the_clock_stands_deadlines_wait_and_news_comes),
		RUN(when_the_clock_leaps_deadlines_end_and_forever_does_not),
		RUN(deadlines_beyond_the_end_of_the_clock_are_none),
		RUN(at_the_end_of_the_clock_waits_end_and_nothing_wraps),
		RUN(lengths_of_time_that_reach_beyond_the_end_of_the_clock_never_pass),
		RUN(near_the_end_of_the_clock_short_lengths_are_what_they_are),
		RUN(nobody_has_asked_the_realtime_clock),
	};

	if (sizeof(time_t) < 8)
		return 77; /* it ends too soon */
	goes_from(1000 * SECOND);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
