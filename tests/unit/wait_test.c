/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Waiting, by every strategy: it ends when the other side moves, at its deadline, or when it is
 * interrupted, and it costs no processor time where it promises to cost none.
 */
#include "fixture.h"

#include "jump.h"
#include "wait/core.h"

#include <string.h>

#define MS UINT64_C(1000000)

/* ---- one wait, in a thread of its own ---- */

struct waiter {
	struct tick_consumer *c;
	uint64_t deadline;
	int64_t result;
	int status;
	uint64_t began, ended, cpu;
};

static void wait_for_event(void *context)
{
	struct waiter *w = context;
	uint64_t cpu = thread_cpu_ns();

	w->began = disruptor_now();
	w->result = tick_ready_until(w->c, w->deadline);
	w->ended = disruptor_now();
	w->cpu = thread_cpu_ns() - cpu;
}

static void open_with_wait(struct fixture *f, uint64_t capacity, struct disruptor_wait w,
			   unsigned consumers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.wait = w;
	fixture_open_with(f, &o, consumers);
}

/* Give a thread that waits by @p w the time to do so; if it sleeps until woken, wait for that. */
static void let_it_wait(struct disruptor_ring *ring, const struct disruptor_wait *w, uint64_t times)
{
	if (wait_parks(w))
		await_sleeps(ring, times);
	pause_ms(3);
}

TEST(an_event_ends_the_wait_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct waiter w = { .deadline = DISRUPTOR_FOREVER };
		struct runner t;
		struct fixture f;

		open_with_wait(&f, 4, strategy, 1);
		w.c = &f.consumer[0];
		runner_start(&t, disruptor_wait_name(strategy.kind), wait_for_event, &w);
		let_it_wait(f.ring, &strategy, 1);
		assert_false(runner_done(&t));
		publish_ticks(&f.producer, 1);
		runner_join(&t);
		assert_int_equal(w.result, 1);
		fixture_close(&f);
	}
}

struct claimer {
	struct tick_producer *p;
	uint64_t n;
	uint64_t deadline;
	bool claimed;
	int status;
};

static void wait_for_room(void *context)
{
	struct claimer *w = context;

	(void)disruptor_producer_handoff(&w->p->view);
	w->claimed = disruptor_claim_until(&w->p->view, w->n, w->deadline) != NULL;
	w->status = w->claimed ? 0 : tick_status(w->p);
}

TEST(a_release_ends_the_wait_of_a_producer_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct claimer w = { .n = 1, .deadline = DISRUPTOR_FOREVER };
		struct runner t;
		struct fixture f;

		open_with_wait(&f, 4, strategy, 1);
		publish_ticks(&f.producer, 4);
		w.p = &f.producer;
		runner_start(&t, disruptor_wait_name(strategy.kind), wait_for_room, &w);
		let_it_wait(f.ring, &strategy, 1);
		assert_false(runner_done(&t));
		read_ticks(&f.consumer[0], 1);
		runner_join(&t);
		assert_true(w.claimed);
		(void)disruptor_producer_handoff(&f.producer.view);
		fixture_close(&f);
	}
}

/* T19: the state is the ring's, not a barrier's: two levels of one graph, both wake. */
TEST(consumers_of_two_levels_wake_from_one_publish)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		const struct disruptor_consumer *after[1];
		struct disruptor_consumer_options co = { .size = sizeof(co),
							 .after = after,
							 .after_count = 1 };
		struct disruptor_wait strategy = fixture_wait(i);
		struct waiter w[2] = { { .deadline = DISRUPTOR_FOREVER },
				       { .deadline = DISRUPTOR_FOREVER } };
		struct tick_consumer second;
		struct runner t[2];
		struct fixture f;

		open_with_wait(&f, 4, strategy, 1);
		after[0] = &f.consumer[0].view;
		assert_code(tick_consumer_open(&second, f.ring, &co), 0);
		w[0].c = &f.consumer[0];
		w[1].c = &second;
		runner_start(&t[0], "the first level", wait_for_event, &w[0]);
		runner_start(&t[1], "the second level", wait_for_event, &w[1]);
		let_it_wait(f.ring, &strategy, 2);
		publish_ticks(&f.producer, 1);
		runner_join(&t[0]);
		assert_int_equal(w[0].result, 1);
		assert_false(runner_done(&t[1])); /* not before the first has released it */
		assert_code(tick_release(&f.consumer[0], 1), 0);
		runner_join(&t[1]);
		assert_int_equal(w[1].result, 1);
		assert_code(tick_consumer_close(&second), 0);
		fixture_close(&f);
	}
}

/* T19: and two side by side, on the same edge. */
TEST(consumers_side_by_side_wake_from_one_publish)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct waiter w[2];
		struct runner t[2];
		struct fixture f;

		open_with_wait(&f, 4, strategy, 2);
		for (int k = 0; k < 2; k++) {
			w[k] = (struct waiter){ .c = &f.consumer[k],
						.deadline = DISRUPTOR_FOREVER };
			runner_start(&t[k], "one of two consumers", wait_for_event, &w[k]);
		}
		let_it_wait(f.ring, &strategy, 2);
		publish_ticks(&f.producer, 1);
		for (int k = 0; k < 2; k++) {
			runner_join(&t[k]);
			assert_int_equal(w[k].result, 1);
		}
		fixture_close(&f);
	}
}

/* "The waker alone clears the flag": who leaves at its deadline must not take it from the other. */
TEST(a_sleeper_that_times_out_does_not_unannounce_another)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct waiter w[2];
		struct runner t[2];
		struct fixture f;

		open_with_wait(&f, 4, strategy, 2);
		w[0] = (struct waiter){ .c = &f.consumer[0], .deadline = DISRUPTOR_FOREVER };
		runner_start(&t[0], "a sleeper whose neighbour left", wait_for_event, &w[0]);
		if (wait_parks(&strategy))
			await_sleeps(f.ring, 1);
		w[1] = (struct waiter){ .c = &f.consumer[1], .deadline = disruptor_in(20 * MS) };
		runner_start(&t[1], "a sleeper that leaves", wait_for_event, &w[1]);
		runner_join(&t[1]);
		assert_code(w[1].result, DISRUPTOR_E_TIMEOUT);
		assert_false(runner_done(&t[0]));
		publish_ticks(&f.producer, 1);
		runner_join(&t[0]);
		assert_int_equal(w[0].result, 1);
		fixture_close(&f);
	}
}

/*
 * Two producers sleep for different numbers of slots, the one that needs @p first before the other:
 * whoever it is that asks last, the one that needs fewer is not forgotten, nor is the other.
 */
static void sleep_for(uint64_t first, uint64_t second)
{
	struct disruptor_options o = fixture_options(8);
	struct tick_producer p[2];
	struct tick_consumer c;
	struct claimer w[2];
	struct runner t[2];
	struct disruptor_ring *ring;
	int fewer = second < first;

	o.producers = DISRUPTOR_MANY;
	ring = ring_open(&o);
	assert_code(tick_consumer_open(&c, ring, NULL), 0);
	for (int k = 0; k < 2; k++)
		assert_code(tick_producer_open(&p[k], ring, NULL), 0);
	publish_ticks(&p[0], 8);
	w[0] = (struct claimer){ .p = &p[0], .n = first, .deadline = DISRUPTOR_FOREVER };
	w[1] = (struct claimer){ .p = &p[1], .n = second, .deadline = DISRUPTOR_FOREVER };
	runner_start(&t[0], "a producer that sleeps first", wait_for_room, &w[0]);
	await_sleeps(ring, 1);
	runner_start(&t[1], "a producer that sleeps then", wait_for_room, &w[1]);
	await_sleeps(ring, 2);
	read_ticks(&c, 2);
	runner_join(&t[fewer]);
	assert_true(w[fewer].claimed);
	assert_false(runner_done(&t[!fewer]));
	read_ticks(&c, 6); /* six of the ring's eight are now free, two are the other's */
	runner_join(&t[!fewer]);
	assert_true(w[!fewer].claimed);
	for (int k = 0; k < 2; k++) {
		(void)disruptor_producer_handoff(&p[k].view);
		assert_code(tick_producer_close(&p[k]), 0);
	}
	assert_code(tick_consumer_close(&c), 0);
	ring_close(&ring);
}

TEST(sleepers_with_different_needs_are_each_woken_in_time)
{
	sleep_for(6, 2);
	sleep_for(2, 6);
}

/* "A producer waiting for 16 slots is not woken for each". */
TEST(a_producer_that_waits_for_sixteen_slots_is_woken_once)
{
	struct claimer w = { .n = 16, .deadline = DISRUPTOR_FOREVER };
	struct disruptor_ring_stats before, s;
	struct runner t;
	struct fixture f;

	open_with_wait(&f, 32, disruptor_wait_blocking(), 1);
	publish_ticks(&f.producer, 32);
	w.p = &f.producer;
	before = disruptor_ring_stats(f.ring);
	runner_start(&t, "a producer that waits for 16 slots", wait_for_room, &w);
	await_sleeps(f.ring, before.sleeps + 1);
	for (int i = 1; i <= 15; i++) {
		read_ticks(&f.consumer[0], 1);
		pause_ms(1);
		assert_int_equal(disruptor_ring_stats(f.ring).wakes, before.wakes);
	}
	assert_false(runner_done(&t));
	read_ticks(&f.consumer[0], 1);
	runner_join(&t);
	s = disruptor_ring_stats(f.ring);
	assert_true(w.claimed);
	assert_int_equal(s.wakes, before.wakes + 1);
	assert_true(s.sleeps <=
		    before.sleeps + 4); /* a sleep may end for no reason, not each time */
	(void)disruptor_producer_handoff(&f.producer.view);
	fixture_close(&f);
}

/* A publish that finds nobody asleep wakes nobody, and one that does is counted once. */
TEST(only_those_who_sleep_are_woken)
{
	struct waiter w = { .deadline = DISRUPTOR_FOREVER };
	struct runner t;
	struct fixture f;

	open_with_wait(&f, 8, disruptor_wait_blocking(), 1);
	for (int i = 0; i < 20; i++) {
		publish_ticks(&f.producer, 1);
		read_ticks(&f.consumer[0], 1);
	}
	assert_int_equal(disruptor_ring_stats(f.ring).wakes, 0);
	assert_int_equal(disruptor_ring_stats(f.ring).sleeps, 0);
	w.c = &f.consumer[0];
	runner_start(&t, "a consumer", wait_for_event, &w);
	await_sleeps(f.ring, 1);
	publish_ticks(&f.producer, 1);
	runner_join(&t);
	assert_int_equal(disruptor_ring_stats(f.ring).wakes, 1);
	publish_ticks(&f.producer, 1);
	assert_int_equal(disruptor_ring_stats(f.ring).wakes, 1);
	fixture_close(&f);
}

/* ---- T17: progress between the last look and the flag ---- */

#if defined(DISRUPTOR_HOOKS)
static void publish_from_waiter(void *context)
{
	struct fixture *f = context;
	struct tick *t;

	(void)disruptor_producer_handoff(&f->producer.view);
	t = tick_try_claim(&f->producer);
	if (t)
		(void)tick_publish(&f->producer);
}

static void release_from_waiter(void *context)
{
	struct fixture *f = context;

	if (tick_ready(&f->consumer[0]) != 0)
		(void)tick_release(&f->consumer[0], 1);
}

static int publish_in_callback(void *context, uint64_t round)
{
	if (round == 1)
		publish_from_waiter(context);
	return 0;
}

static int release_in_callback(void *context, uint64_t round)
{
	if (round == 1)
		release_from_waiter(context);
	return 0;
}

static const uint64_t deadlines[] = { DISRUPTOR_FOREVER, 60000 * MS };

static uint64_t deadline_of(size_t i)
{
	return deadlines[i] == DISRUPTOR_FOREVER ? DISRUPTOR_FOREVER : disruptor_in(deadlines[i]);
}

/* The custom strategy has its own place between two looks: its callback. */
static void aim_custom(struct disruptor_consumer_options *co, struct disruptor_producer_options *po,
		       struct fixture *f, struct disruptor_wait w)
{
	*co = (struct disruptor_consumer_options){ .size = sizeof(*co), .wait = w };
	*po = (struct disruptor_producer_options){ .size = sizeof(*po), .wait = w };
	if (w.kind == DISRUPTOR_WAIT_CUSTOM) {
		co->wait = disruptor_wait_custom(publish_in_callback, f);
		po->wait = disruptor_wait_custom(release_in_callback, f);
	}
}

static void open_aimed(struct fixture *f, struct disruptor_wait w)
{
	struct disruptor_consumer_options co;
	struct disruptor_producer_options po;

	open_with_wait(f, 4, w, 0);
	aim_custom(&co, &po, f, w);
	assert_code(tick_consumer_open(&f->consumer[0], f->ring, &co), 0);
	f->consumers = 1;
	assert_code(tick_producer_close(&f->producer), 0);
	assert_code(tick_producer_open(&f->producer, f->ring, &po), 0);
}

/* Those that never arm a flag have no such gap: for them the event comes from outside. */
static bool has_hook(const struct disruptor_wait *w)
{
	return wait_parks(w) || w->kind == DISRUPTOR_WAIT_CUSTOM;
}

static void publish_at(enum hook_point point, struct disruptor_wait strategy, uint64_t deadline)
{
	struct waiter w = { .deadline = deadline };
	struct runner t;
	struct fixture f;

	open_aimed(&f, strategy);
	w.c = &f.consumer[0];
	hook_at(point, 1, publish_from_waiter, &f);
	runner_start(&t, "a consumer that looked just before the event", wait_for_event, &w);
	if (!has_hook(&strategy)) {
		pause_ms(2);
		publish_ticks(&f.producer, 1);
	}
	runner_join_within(&t, 1000);
	if (wait_parks(&strategy))
		assert_int_equal(hook_calls(), 1);
	hook_clear();
	assert_int_equal(w.result, 1);
	(void)disruptor_producer_handoff(&f.producer.view);
	fixture_close(&f);
}

static void release_at(enum hook_point point, struct disruptor_wait strategy, uint64_t deadline)
{
	struct claimer w = { .n = 1, .deadline = deadline };
	struct runner t;
	struct fixture f;

	open_aimed(&f, strategy);
	publish_ticks(&f.producer, 4);
	w.p = &f.producer;
	hook_at(point, 1, release_from_waiter, &f);
	runner_start(&t, "a producer that looked just before the release", wait_for_room, &w);
	if (!has_hook(&strategy)) {
		pause_ms(2);
		release_from_waiter(&f);
	}
	runner_join_within(&t, 1000);
	if (wait_parks(&strategy))
		assert_int_equal(hook_calls(), 1);
	hook_clear();
	assert_true(w.claimed);
	(void)disruptor_producer_handoff(&f.producer.view);
	fixture_close(&f);
}

/* T17: an event between "nothing there" and "wake me" is seen, with and without a deadline. */
TEST(an_event_between_the_look_and_the_flag_is_not_missed)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		for (size_t d = 0; d < COUNT(deadlines); d++)
			publish_at(HOOK_WAIT_BEFORE_ARM, fixture_wait(i), deadline_of(d));
}

/* And one after the last look, with the flag up. */
TEST(an_event_between_the_flag_and_the_sleep_is_not_missed)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		for (size_t d = 0; d < COUNT(deadlines); d++)
			publish_at(HOOK_WAIT_BEFORE_PARK, fixture_wait(i), deadline_of(d));
}

TEST(a_release_between_the_look_and_the_flag_is_not_missed)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		for (size_t d = 0; d < COUNT(deadlines); d++)
			release_at(HOOK_WAIT_BEFORE_ARM, fixture_wait(i), deadline_of(d));
}

TEST(a_release_between_the_flag_and_the_sleep_is_not_missed)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		for (size_t d = 0; d < COUNT(deadlines); d++)
			release_at(HOOK_WAIT_BEFORE_PARK, fixture_wait(i), deadline_of(d));
}

/* The edge between two stages: the first releases while the second is about to sleep. */
static void release_to_dependant_at(enum hook_point point, struct disruptor_wait strategy)
{
	const struct disruptor_consumer *after[1];
	struct disruptor_consumer_options co = { .size = sizeof(co),
						 .after = after,
						 .after_count = 1 };
	struct waiter w = { .deadline = DISRUPTOR_FOREVER };
	struct tick_consumer second;
	struct runner t;
	struct fixture f;

	open_with_wait(&f, 4, strategy, 1);
	after[0] = &f.consumer[0].view;
	assert_code(tick_consumer_open(&second, f.ring, &co), 0);
	publish_ticks(&f.producer, 1);
	w.c = &second;
	hook_at(point, 1, release_from_waiter, &f);
	runner_start(&t, "a stage that looked just before the release", wait_for_event, &w);
	runner_join_within(&t, 1000);
	assert_int_equal(hook_calls(), 1);
	hook_clear();
	assert_int_equal(w.result, 1);
	assert_code(tick_consumer_close(&second), 0);
	fixture_close(&f);
}

TEST(a_stages_release_beside_the_flag_is_not_missed)
{
	release_to_dependant_at(HOOK_WAIT_BEFORE_ARM, disruptor_wait_blocking());
	release_to_dependant_at(HOOK_WAIT_BEFORE_PARK, disruptor_wait_blocking());
	release_to_dependant_at(HOOK_WAIT_BEFORE_ARM, disruptor_wait_phased(1000, 1000));
	release_to_dependant_at(HOOK_WAIT_BEFORE_PARK, disruptor_wait_phased(1000, 1000));
}

/* A stage after two others: one of them moves between the look and the flag, the other later. */
TEST(a_stage_after_two_others_waits_for_each_in_turn)
{
	const struct disruptor_consumer *after[2];
	struct disruptor_consumer_options co = { .size = sizeof(co),
						 .after = after,
						 .after_count = 2 };
	struct waiter w = { .deadline = DISRUPTOR_FOREVER };
	struct tick_consumer last;
	struct runner t;
	struct fixture f;

	for (int first = 0; first < 2; first++) {
		open_with_wait(&f, 4, disruptor_wait_blocking(), 2);
		after[0] = &f.consumer[first].view;
		after[1] = &f.consumer[!first].view;
		assert_code(tick_consumer_open(&last, f.ring, &co), 0);
		publish_ticks(&f.producer, 1);
		w.c = &last;
		hook_at(HOOK_WAIT_BEFORE_ARM, 1, release_from_waiter, &f);
		runner_start(&t, "a stage after two others", wait_for_event, &w);
		await_sleeps(f.ring, 1);
		assert_false(runner_done(&t));
		read_ticks(&f.consumer[1], 1);
		runner_join(&t);
		hook_clear();
		assert_int_equal(w.result, 1);
		assert_code(tick_consumer_close(&last), 0);
		fixture_close(&f);
	}
}

/*
 * A futex compares 32 bits of a 64-bit word. Around a position where the low half of the count is 0
 * a cleared flag and a raised one must not look alike.
 */
TEST(no_wake_up_is_lost_where_the_low_half_of_a_position_is_zero)
{
	for (uint64_t start = UINT64_C(0xfffffffe); start < UINT64_C(0x100000002); start++) {
		struct disruptor_options o = fixture_options(4);
		struct waiter w = { .deadline = DISRUPTOR_FOREVER };
		struct runner t;
		struct fixture f = { 0 };

		f.ring = ring_open(&o);
		ring_jump(f.ring, start);
		assert_code(tick_producer_open(&f.producer, f.ring, NULL), 0);
		assert_code(tick_consumer_open(&f.consumer[0], f.ring, NULL), 0);
		f.consumers = 1;
		w.c = &f.consumer[0];
		hook_at(HOOK_WAIT_BEFORE_PARK, 1, publish_from_waiter, &f);
		runner_start(&t, "a consumer at 2^32", wait_for_event, &w);
		runner_join(&t);
		hook_clear();
		assert_int_equal(w.result, 1);
		(void)disruptor_producer_handoff(&f.producer.view);
		fixture_close(&f);
	}
}
#endif

/* ---- T23: deadlines ---- */

TEST(a_past_deadline_is_one_look_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct fixture f;

		open_with_wait(&f, 4, fixture_wait(i), 1);
		assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_TIMEOUT);
		assert_code(tick_ready_until(&f.consumer[0], 1), DISRUPTOR_E_TIMEOUT);
		assert_code(tick_ready_until(&f.consumer[0], disruptor_now()), DISRUPTOR_E_TIMEOUT);
		publish_ticks(&f.producer, 1);
		assert_int_equal(tick_ready_until(&f.consumer[0], 0), 1); /* but a look it is */
		fixture_close(&f);
	}
}

TEST(a_deadline_is_kept_again_and_again_by_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct fixture f;

		open_with_wait(&f, 4, fixture_wait(i), 1);
		for (int round = 0; round < 4; round++) {
			uint64_t deadline = disruptor_in(3 * MS);

			assert_code(tick_ready_until(&f.consumer[0], deadline),
				    DISRUPTOR_E_TIMEOUT);
			assert_true(disruptor_now() >= deadline);
		}
		fixture_close(&f);
	}
}

TEST(the_deadline_arithmetic_saturates)
{
	uint64_t now = disruptor_now();

	assert_true(disruptor_in(0) >= now);
	assert_true(disruptor_in(MS) >= now + MS);
	assert_true(disruptor_in(UINT64_MAX) == DISRUPTOR_FOREVER);
	assert_true(disruptor_in(UINT64_MAX - now) == DISRUPTOR_FOREVER);
	assert_true(disruptor_in(UINT64_MAX / 2) < DISRUPTOR_FOREVER);
}

struct noise {
	struct disruptor_ring *ring;
	DISRUPTOR_ATOMIC(int) stop;
};

/* A wake-up for no reason on every edge, every 5 ms. */
static void make_noise(void *context)
{
	struct noise *n = context;

	while (!disruptor_load_acquire(&n->stop)) {
		ring_wake_everyone(n->ring);
		pause_ms(5);
	}
}

/* T23: a wait that starts anew at each wake-up never ends here. */
TEST(wake_ups_for_no_reason_do_not_move_the_deadline)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct noise n = { 0 };
		struct runner t;
		struct fixture f;
		uint64_t deadline;

		open_with_wait(&f, 4, fixture_wait(i), 1);
		n.ring = f.ring;
		runner_start(&t, "the noise", make_noise, &n);
		deadline = disruptor_in(50 * MS);
		assert_code(tick_ready_until(&f.consumer[0], deadline), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() >= deadline);
		publish_ticks(&f.producer, 4);
		deadline = disruptor_in(50 * MS);
		assert_null(tick_claim_until(&f.producer, deadline));
		assert_code(tick_status(&f.producer), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() >= deadline);
		disruptor_store_release(&n.stop, 1);
		runner_join(&t);
		fixture_close(&f);
	}
}

/* T23: the strategy's own timeout is per wait, and the sooner of the two counts. */
TEST(a_strategys_own_timeout_ends_each_wait)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait w = fixture_wait(i);
		struct fixture f;
		uint64_t before;

		w.timeout_ns = 3 * MS;
		open_with_wait(&f, 4, w, 1);
		for (int round = 0; round < 3; round++) {
			before = disruptor_now();
			assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER),
				    DISRUPTOR_E_TIMEOUT);
			assert_true(disruptor_now() - before >= 3 * MS);
		}
		assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_TIMEOUT);
		publish_ticks(&f.producer, 4);
		before = disruptor_now();
		assert_null(tick_claim(&f.producer)); /* the policy BLOCK, the strategy's timeout */
		assert_code(tick_status(&f.producer), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() - before >= 3 * MS);
		fixture_close(&f);
	}
}

/* A sleep that is longer than what is left until the deadline would end an hour behind it. */
TEST(a_sleep_is_no_longer_than_what_is_left_until_the_deadline)
{
	struct disruptor_wait w = disruptor_wait_sleeping(3600000 * MS, 3600000 * MS);
	struct fixture f;

	w.spins = 0;
	w.yields = 0;
	open_with_wait(&f, 4, w, 1);
	/* until it has come to sleep before the deadline */
	for (uint64_t ms = 2; disruptor_ring_stats(f.ring).sleeps == 0; ms *= 2) {
		struct waiter late = { .c = &f.consumer[0], .deadline = disruptor_in(ms * MS) };
		struct runner t;

		runner_start(&t, "a wait by long sleeps, with a deadline", wait_for_event, &late);
		runner_join(&t);
		assert_code(late.result, DISRUPTOR_E_TIMEOUT);
	}
	fixture_close(&f);
}

/* The sooner of the two also when it is the caller's. */
TEST(a_callers_sooner_deadline_counts)
{
	struct disruptor_wait w = disruptor_wait_blocking();
	struct fixture f;

	w.timeout_ns = 3600000 * MS;
	open_with_wait(&f, 4, w, 1);
	assert_code(tick_ready_until(&f.consumer[0], disruptor_in(2 * MS)), DISRUPTOR_E_TIMEOUT);
	fixture_close(&f);
}

/* ---- T22: what idling costs ---- */

/*
 * Measured on an idle machine in 300 ms: blocking and phased under 0.5 ms, sleeping (1 ms at most)
 * under 15 ms. The bounds have a factor of ten to spare, or are as near to it as the time allows.
 */
static const struct {
	size_t wait;
	unsigned ms;
} idle[] = {
	{ 3, 150 }, /* sleeping */
	{ 4, 20 },  /* phased */
	{ 5, 20 },  /* blocking */
};

TEST(strategies_that_sleep_use_hardly_any_processor)
{
	for (size_t i = 0; i < COUNT(idle); i++) {
		struct disruptor_wait strategy = fixture_wait(idle[i].wait);
		struct waiter w = { 0 };
		struct fixture f;

		open_with_wait(&f, 4, strategy, 1);
		w.c = &f.consumer[0];
		w.deadline = disruptor_in(300 * MS);
		wait_for_event(&w);
		assert_code(w.result, DISRUPTOR_E_TIMEOUT);
		if (w.cpu > idle[i].ms * MS)
			fail_msg("%s used %llu us of 300 ms", disruptor_wait_name(strategy.kind),
				 (unsigned long long)(w.cpu / 1000));
		fixture_close(&f);
	}
}

TEST(a_blocked_producer_uses_hardly_any_processor)
{
	struct fixture f;
	uint64_t cpu;

	open_with_wait(&f, 4, disruptor_wait_blocking(), 1);
	publish_ticks(&f.producer, 4);
	cpu = thread_cpu_ns();
	assert_null(tick_claim_until(&f.producer, disruptor_in(300 * MS)));
	cpu = thread_cpu_ns() - cpu;
	assert_true(cpu < 20 * MS);
	fixture_close(&f);
}

/* ---- interrupting ---- */

TEST(an_interrupt_ends_the_wait_of_every_strategy_once)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct waiter w = { .deadline = DISRUPTOR_FOREVER };
		struct runner t;
		struct fixture f;

		open_with_wait(&f, 4, strategy, 1);
		w.c = &f.consumer[0];
		runner_start(&t, "a consumer to be interrupted", wait_for_event, &w);
		let_it_wait(f.ring, &strategy, 1);
		disruptor_consumer_interrupt(&f.consumer[0].view);
		runner_join(&t);
		assert_code(w.result, DISRUPTOR_E_INTERRUPTED);
		assert_code(tick_ready_until(&f.consumer[0], disruptor_in(MS)),
			    DISRUPTOR_E_TIMEOUT);
		fixture_close(&f);
	}
}

TEST(an_interrupt_before_the_wait_ends_the_next_one)
{
	struct fixture f;

	fixture_open(&f, 4, 2);
	disruptor_consumer_interrupt(&f.consumer[0].view);
	disruptor_consumer_interrupt(&f.consumer[0].view);
	assert_code(tick_ready_until(&f.consumer[1], 0), DISRUPTOR_E_TIMEOUT); /* not its */
	assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_INTERRUPTED);
	assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_TIMEOUT);
	fixture_close(&f);
}

/* An entry of the gate table that is used again does not inherit an interrupt. */
TEST(an_interrupt_is_not_inherited_with_the_gate)
{
	struct fixture f;

	fixture_open(&f, 4, 1);
	disruptor_consumer_interrupt(&f.consumer[0].view);
	assert_code(tick_consumer_close(&f.consumer[0]), 0);
	assert_code(tick_consumer_open(&f.consumer[0], f.ring, NULL), 0);
	assert_code(tick_ready_until(&f.consumer[0], 0), DISRUPTOR_E_TIMEOUT);
	fixture_close(&f);
}

/* A stage sleeps on another edge than a first consumer; the interrupt finds it there. */
TEST(an_interrupt_finds_a_stage_that_waits_for_another)
{
	const struct disruptor_consumer *after[2];
	struct disruptor_consumer_options co = { .size = sizeof(co),
						 .after = after,
						 .after_count = 2 };
	struct waiter w = { .deadline = DISRUPTOR_FOREVER };
	struct tick_consumer last;
	struct runner t;
	struct fixture f;

	for (int behind = 0; behind < 2; behind++) {
		open_with_wait(&f, 4, disruptor_wait_blocking(), 2);
		after[0] = &f.consumer[0].view;
		after[1] = &f.consumer[1].view;
		assert_code(tick_consumer_open(&last, f.ring, &co), 0);
		publish_ticks(&f.producer, 1);
		read_ticks(&f.consumer[!behind], 1);
		w.c = &last;
		runner_start(&t, "a stage to be interrupted", wait_for_event, &w);
		await_sleeps(f.ring, 1);
		disruptor_consumer_interrupt(&last.view);
		runner_join(&t);
		assert_code(w.result, DISRUPTOR_E_INTERRUPTED);
		assert_code(tick_consumer_close(&last), 0);
		fixture_close(&f);
	}
}

/* ---- strategies as values ---- */

static int give_up_at_three(void *context, uint64_t round)
{
	uint64_t *rounds = context;

	*rounds = round;
	return round == 3 ? -1234 : 0;
}

static int answer_one(void *context, uint64_t round)
{
	(void)context;
	(void)round;
	return 1;
}

TEST(a_custom_strategy_counts_rounds_and_its_code_ends_the_wait)
{
	uint64_t rounds = 0;
	struct fixture f;

	open_with_wait(&f, 4, disruptor_wait_custom(give_up_at_three, &rounds), 1);
	assert_int_equal(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), -1234);
	assert_int_equal(rounds, 3);
	publish_ticks(&f.producer, 4);
	rounds = 0;
	assert_null(tick_claim(&f.producer));
	assert_int_equal(tick_status(&f.producer), -1234);
	assert_int_equal(rounds, 3);
	fixture_close(&f);
	open_with_wait(&f, 4, disruptor_wait_custom(answer_one, NULL), 1);
	assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), DISRUPTOR_E_INVAL);
	assert_detail("custom");
	fixture_close(&f);
}

/* A view's own strategy before the ring's, the ring's before the default. */
TEST(a_view_inherits_the_rings_strategy_unless_it_brings_its_own)
{
	uint64_t own = 0, rings = 0;
	struct disruptor_consumer_options co = {
		.size = sizeof(co), .wait = disruptor_wait_custom(give_up_at_three, &own)
	};
	struct tick_consumer c;
	struct fixture f;

	open_with_wait(&f, 4, disruptor_wait_custom(give_up_at_three, &rings), 1);
	assert_code(tick_consumer_open(&c, f.ring, &co), 0);
	assert_int_equal(tick_ready_until(&c, DISRUPTOR_FOREVER), -1234);
	assert_int_equal(own, 3);
	assert_int_equal(rings, 0);
	assert_int_equal(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), -1234);
	assert_int_equal(rings, 3);
	assert_code(tick_consumer_close(&c), 0);
	fixture_close(&f);
}

TEST(strategies_are_found_by_their_names)
{
	struct disruptor_wait w;

	for (size_t i = 0; i + 1 < FIXTURE_WAITS; i++) { /* custom, the last, cannot be named */
		struct disruptor_wait s = fixture_wait(i);

		assert_non_null(disruptor_wait_name(s.kind));
		assert_code(disruptor_wait_parse(&w, disruptor_wait_name(s.kind)), 0);
		assert_int_equal(w.kind, s.kind);
	}
	memset(&w, 0x5a, sizeof(w));
	assert_code(disruptor_wait_parse(&w, "custom"), DISRUPTOR_E_INVAL);
	assert_code(disruptor_wait_parse(&w, "Blocking"), DISRUPTOR_E_INVAL);
	assert_detail("Blocking");
	assert_code(disruptor_wait_parse(&w, ""), DISRUPTOR_E_INVAL);
	assert_code(disruptor_wait_parse(&w, NULL), DISRUPTOR_E_INVAL);
	for (size_t i = 0; i < sizeof(w); i++)
		assert_int_equal(((unsigned char *)&w)[i], 0x5a);
	assert_string_equal(disruptor_wait_name(DISRUPTOR_WAIT_CUSTOM), "custom");
	assert_null(disruptor_wait_name((enum disruptor_wait_kind)8));
	assert_null(disruptor_wait_name((enum disruptor_wait_kind) - 1));
}

/* ---- T25, short: both sides asleep at once; the long one is a stress test ---- */

struct end {
	struct tick_producer p;
	struct tick_consumer c;
	struct disruptor_ring *ring;
};

struct match {
	struct end there, back;
	uint64_t rounds;
	int64_t error;
};

static void open_end(struct end *e, uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);
	struct disruptor_wait w = disruptor_wait_blocking();

	w.spins = 0; /* sleep at once: every hand-over is a wake-up */
	o.wait = w;
	e->ring = ring_open(&o);
	assert_code(tick_producer_open(&e->p, e->ring, NULL), 0);
	assert_code(tick_consumer_open(&e->c, e->ring, NULL), 0);
}

static void close_end(struct end *e)
{
	assert_code(tick_consumer_close(&e->c), 0);
	assert_code(tick_producer_close(&e->p), 0);
	ring_close(&e->ring);
}

/* Read one and send it back. */
static void echo(void *context)
{
	struct match *m = context;

	(void)disruptor_producer_handoff(&m->back.p.view);
	for (uint64_t i = 0; i < m->rounds && m->error == 0; i++) {
		int64_t n = tick_ready_until(&m->there.c, DISRUPTOR_FOREVER);
		struct tick *t;

		if (n < 1 || tick_at(&m->there.c, 0)->value != i) {
			m->error = n < 0 ? n : DISRUPTOR_E_INVAL;
			return;
		}
		(void)tick_release(&m->there.c, 1);
		t = tick_claim(&m->back.p);
		if (!t) {
			m->error = tick_status(&m->back.p);
			return;
		}
		t->value = i;
		(void)tick_publish(&m->back.p);
	}
}

/* Send two ahead, so that on a ring of 1 the producer sleeps for room, too. */
static void serve(void *context)
{
	struct match *m = context;

	(void)disruptor_producer_handoff(&m->there.p.view);
	for (uint64_t i = 0; i < m->rounds; i++) {
		struct tick *t = tick_claim(&m->there.p);

		if (!t)
			return;
		t->value = i;
		(void)tick_publish(&m->there.p);
	}
}

TEST(a_blocked_producer_and_a_blocked_consumer_do_not_wait_for_each_other)
{
	for (uint64_t capacity = 1; capacity <= 2; capacity++) {
		struct match m = { .rounds = FIXTURE_TSAN ? 1000 : 4000 };
		struct runner t[2];

		open_end(&m.there, capacity);
		open_end(&m.back, capacity);
		runner_start(&t[0], "the echo", echo, &m);
		runner_start(&t[1], "the server", serve, &m);
		for (uint64_t i = 0; i < m.rounds; i++) {
			int64_t n = tick_ready_until(&m.back.c, disruptor_in(10000 * MS));

			assert_true(n >= 1);
			assert_int_equal(tick_at(&m.back.c, 0)->value, i);
			assert_code(tick_release(&m.back.c, 1), 0);
		}
		runner_join(&t[0]);
		runner_join(&t[1]);
		assert_code(m.error, 0);
		(void)disruptor_producer_handoff(&m.there.p.view);
		(void)disruptor_producer_handoff(&m.back.p.view);
		close_end(&m.back);
		close_end(&m.there);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(an_event_ends_the_wait_of_every_strategy),
		RUN(a_release_ends_the_wait_of_a_producer_of_every_strategy),
		RUN(consumers_of_two_levels_wake_from_one_publish),
		RUN(consumers_side_by_side_wake_from_one_publish),
		RUN(a_sleeper_that_times_out_does_not_unannounce_another),
		RUN(sleepers_with_different_needs_are_each_woken_in_time),
		RUN(a_producer_that_waits_for_sixteen_slots_is_woken_once),
		RUN(only_those_who_sleep_are_woken),
#if defined(DISRUPTOR_HOOKS)
		RUN(an_event_between_the_look_and_the_flag_is_not_missed),
		RUN(an_event_between_the_flag_and_the_sleep_is_not_missed),
		RUN(a_release_between_the_look_and_the_flag_is_not_missed),
		RUN(a_release_between_the_flag_and_the_sleep_is_not_missed),
		RUN(a_stages_release_beside_the_flag_is_not_missed),
		RUN(a_stage_after_two_others_waits_for_each_in_turn),
		RUN(no_wake_up_is_lost_where_the_low_half_of_a_position_is_zero),
#endif
		RUN(a_past_deadline_is_one_look_of_every_strategy),
		RUN(a_deadline_is_kept_again_and_again_by_every_strategy),
		RUN(the_deadline_arithmetic_saturates),
		RUN(wake_ups_for_no_reason_do_not_move_the_deadline),
		RUN(a_strategys_own_timeout_ends_each_wait),
		RUN(a_sleep_is_no_longer_than_what_is_left_until_the_deadline),
		RUN(a_callers_sooner_deadline_counts),
		RUN(strategies_that_sleep_use_hardly_any_processor),
		RUN(a_blocked_producer_uses_hardly_any_processor),
		RUN(an_interrupt_ends_the_wait_of_every_strategy_once),
		RUN(an_interrupt_before_the_wait_ends_the_next_one),
		RUN(an_interrupt_is_not_inherited_with_the_gate),
		RUN(an_interrupt_finds_a_stage_that_waits_for_another),
		RUN(a_custom_strategy_counts_rounds_and_its_code_ends_the_wait),
		RUN(a_view_inherits_the_rings_strategy_unless_it_brings_its_own),
		RUN(strategies_are_found_by_their_names),
		RUN(a_blocked_producer_and_a_blocked_consumer_do_not_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
