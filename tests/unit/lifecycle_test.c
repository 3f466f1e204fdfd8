/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Starting, stopping, draining, failing, and starting again.
 * Rows T27, T28, T29, T31, T35, T36, T37, T38, T40, T41.
 */
#include "probe.h"

#include <string.h>

#define MS UINT64_C(1000000)

/* A disruptor with some probes side by side and a producer. */
struct life {
	struct disruptor *d;
	struct probe probe[3];
	size_t count;
	struct tick_producer producer;
};

static void life_open(struct life *l, uint64_t capacity, size_t probes)
{
	static const char *const names[] = { "first", "second", "third" };
	struct disruptor_options options = fixture_options(capacity);

	l->d = graph_open(&options);
	l->count = probes;
	for (size_t i = 0; i < probes; i++) {
		probe_init(&l->probe[i], names[i]);
		probe_add(&l->probe[i], l->d);
	}
	probe_producer(&l->producer, l->d);
}

static void life_close(struct life *l)
{
	assert_code(tick_producer_close(&l->producer), 0);
	graph_close(&l->d);
}

static void hold(struct probe *p, uint64_t position)
{
	disruptor_store_release(&p->hold_at, position);
}

static uint64_t events_of(struct probe *p)
{
	return disruptor_load_acquire(&p->events);
}

/* ---- states ---- */

struct observer {
	struct disruptor *d;
	enum disruptor_state in_start, in_event;
};

static int observe_start(void *context)
{
	struct observer *o = context;

	o->in_start = disruptor_state(o->d);
	return 0;
}

static int observe_event(void *context, void *event, uint64_t position, int last)
{
	struct observer *o = context;

	(void)event;
	(void)position;
	(void)last;
	o->in_event = disruptor_state(o->d);
	return DISRUPTOR_CONTINUE;
}

TEST(states_follow_one_another)
{
	struct observer o = { .in_event = DISRUPTOR_INIT };
	struct disruptor_options options = fixture_options(8);
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = "observer",
				       .context = &o,
				       .on_start = observe_start,
				       .on_event = observe_event };
	struct tick_producer producer;
	struct disruptor *d = graph_open(&options);

	o.d = d;
	assert_non_null(disruptor_stage(d, &h));
	probe_producer(&producer, d);
	assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	graph_start(d);
	assert_int_equal(disruptor_state(d), DISRUPTOR_RUNNING);
	probe_publish(&producer, 1);
	graph_drain(d);
	assert_int_equal(disruptor_state(d), DISRUPTOR_STOPPED);
	assert_int_equal(o.in_start, DISRUPTOR_STARTING);
	assert_true(o.in_event == DISRUPTOR_RUNNING || o.in_event == DISRUPTOR_DRAINING);
	assert_code(tick_producer_close(&producer), 0);
	graph_close(&d);
}

TEST(every_state_has_a_name)
{
	static const char *const names[] = { "INIT",     "STARTING", "RUNNING",
					     "DRAINING", "STOPPED",  "FAILED" };

	for (int i = 0; i < (int)COUNT(names); i++)
		assert_string_equal(disruptor_state_name((enum disruptor_state)i), names[i]);
	assert_null(disruptor_state_name((enum disruptor_state)COUNT(names)));
}

/* ---- what is refused: T40 ---- */

TEST(start_without_a_stage_is_refused)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);

	assert_code(disruptor_start(d), DISRUPTOR_E_STATE);
	assert_detail("stage");
	assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	graph_close(&d);
}

TEST(start_twice_is_refused)
{
	struct life l;

	life_open(&l, 8, 1);
	graph_start(l.d);
	assert_code(disruptor_start(l.d), DISRUPTOR_E_STATE);
	assert_detail("RUNNING");
	probe_publish(&l.producer, 5);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 5);
	assert_int_equal(disruptor_load_acquire(&l.probe[0].starts), 1);
	life_close(&l);
}

TEST(destroy_while_running_is_refused)
{
	struct disruptor *d;
	struct life l;

	life_open(&l, 8, 1);
	assert_code(tick_producer_close(&l.producer), 0);
	graph_start(l.d);
	d = l.d;
	assert_code(disruptor_destroy(&l.d), DISRUPTOR_E_STATE);
	assert_detail("first");
	assert_ptr_equal(l.d, d);
	probe_producer(&l.producer, l.d);
	probe_publish(&l.producer, 5);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 5);
	life_close(&l);
}

TEST(unknown_stop_mode_is_refused)
{
	struct life l;

	life_open(&l, 8, 1);
	graph_start(l.d);
	assert_code(disruptor_stop(l.d, (enum disruptor_stop_mode)3, DISRUPTOR_FOREVER),
		    DISRUPTOR_E_INVAL);
	assert_detail("mode");
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_RUNNING);
	life_close(&l);
}

TEST(stop_before_start_does_nothing)
{
	struct life l;

	life_open(&l, 8, 1);
	for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++)
		assert_code(disruptor_stop(l.d, (enum disruptor_stop_mode)mode, 0), 0);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_INIT);
	probe_publish(&l.producer, 3);
	graph_start(l.d);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 3);
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN, 0), 0);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_STOPPED);
	life_close(&l);
}

/* ---- a stage's own run: T27, T31 ---- */

TEST(stop_of_a_stage_before_its_run_ends_that_run_and_only_that)
{
	struct life l;

	life_open(&l, 8, 1);
	probe_publish(&l.producer, 3);
	disruptor_stage_stop(l.probe[0].stage);
	assert_false(disruptor_stage_running(l.probe[0].stage));
	assert_code(disruptor_stage_run(l.probe[0].stage), 0);
	assert_string_equal(l.probe[0].calls, "sx");
	disruptor_ring_close(disruptor_ring(l.d));
	assert_code(disruptor_stage_run(l.probe[0].stage), 0);
	probe_expect(&l.probe[0], 0, 3);
	assert_false(disruptor_stage_running(l.probe[0].stage));
	life_close(&l);
}

TEST(stop_of_a_stage_before_start_ends_its_run_at_once)
{
	struct life l;

	life_open(&l, 8, 1);
	disruptor_stage_stop(l.probe[0].stage);
	graph_start(l.d);
	probe_await_stops(&l.probe[0], 1);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_RUNNING);
	graph_drain(l.d);
	assert_string_equal(l.probe[0].calls, "sx");
	graph_start(l.d);
	probe_publish(&l.producer, 3);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 3);
	life_close(&l);
}

/* A stop that meets a run already over is not the next one's. */
TEST(stop_now_of_ended_stages_does_not_reach_the_next_run)
{
	struct life l;

	life_open(&l, 8, 1);
	l.probe[0].verdict_at = 0;
	l.probe[0].verdict = DISRUPTOR_STOP;
	graph_start(l.d);
	probe_publish(&l.producer, 1);
	probe_await_stops(&l.probe[0], 1);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	graph_start(l.d);
	probe_publish(&l.producer, 3);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 4);
	life_close(&l);
}

static void run_stage(void *stage)
{
	(void)disruptor_stage_run(stage);
}

TEST(stage_runs_in_the_callers_thread)
{
	struct runner caller;
	struct life l;

	life_open(&l, 8, 1);
	runner_start(&caller, "a stage in a thread of the caller's", run_stage, l.probe[0].stage);
	probe_publish(&l.producer, 100);
	probe_await(&l.probe[0], 100);
	assert_true(disruptor_stage_running(l.probe[0].stage));
	assert_code(disruptor_stage_run(l.probe[0].stage), DISRUPTOR_E_BUSY);
	assert_detail("first");
	assert_code(disruptor_start(l.d), DISRUPTOR_E_STATE);
	assert_detail("first");
	disruptor_stage_stop(l.probe[0].stage);
	runner_join(&caller);
	probe_expect(&l.probe[0], 0, 100);
	life_close(&l);
}

TEST(stage_in_the_callers_thread_ends_with_the_ring)
{
	struct runner caller;
	struct life l;

	life_open(&l, 8, 1);
	probe_publish(&l.producer, 6);
	runner_start(&caller, "a stage that should end with its ring", run_stage, l.probe[0].stage);
	disruptor_ring_close(disruptor_ring(l.d));
	runner_join(&caller);
	probe_expect(&l.probe[0], 0, 6);
	life_close(&l);
}

TEST(failure_in_the_callers_thread_is_returned)
{
	struct life l;

	life_open(&l, 8, 2);
	l.probe[0].verdict_at = 1;
	l.probe[0].verdict = -5;
	probe_publish(&l.producer, 3);
	assert_int_equal(disruptor_stage_run(l.probe[0].stage), -5);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_FAILED);
	assert_int_equal(disruptor_failure(l.d).position, 1);
	/* the other returns, too, once it has nothing to do */
	assert_code(disruptor_stage_run(l.probe[1].stage), DISRUPTOR_E_FAILED);
	life_close(&l);
}

/* A stop in a thread of its own. */
struct stopping {
	struct life *life;
	enum disruptor_stop_mode mode;
	int rc;
	struct runner runner;
};

static void stop_it(void *context)
{
	struct stopping *s = context;

	s->rc = disruptor_stop(s->life->d, s->mode, in_ms(WATCHDOG_MS / 2));
}

static bool has_ended(void *context)
{
	return !disruptor_stage_running(context);
}

/* A stage whose own thread has ended may be run on by the caller; a stop is meant for it, too. */
TEST(stop_now_reaches_a_stage_in_the_callers_thread)
{
	struct runner caller;
	struct life l;

	life_open(&l, 16, 2);
	l.probe[0].verdict_at = 0;
	l.probe[0].verdict = DISRUPTOR_STOP;
	graph_start(l.d);
	probe_publish(&l.producer, 1);
	probe_await_stops(&l.probe[0], 1);
	await("the stage's own thread", has_ended, l.probe[0].stage);
	hold(&l.probe[0], 1);
	probe_publish(&l.producer, 5);
	runner_start(&caller, "a stage in a thread of the caller's", run_stage, l.probe[0].stage);
	probe_await_hold(&l.probe[0]);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	probe_let_go(&l.probe[0]);
	runner_join(&caller);
	probe_expect(&l.probe[0], 0, 2); /* the event in hand is the last */
	life_close(&l);
}

#if defined(DISRUPTOR_HOOKS)
static void stop_first(void *context)
{
	struct life *l = context;

	disruptor_stage_stop(l->probe[0].stage);
}

/* T31: the thread is there, its loop has not begun. */
TEST(stop_between_a_threads_creation_and_its_loop_is_not_lost)
{
	struct life l;

	life_open(&l, 8, 1);
	hook_at(HOOK_STAGE_BEFORE_LOOP, 1, stop_first, &l);
	graph_start(l.d);
	probe_await_stops(&l.probe[0], 1);
	assert_int_equal(hook_calls(), 1);
	graph_drain(l.d);
	assert_string_equal(l.probe[0].calls, "sx");
	hook_clear();
	probe_forget(&l.probe[0]);
	graph_start(l.d);
	probe_publish(&l.producer, 4);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 4);
	life_close(&l);
}

/* In the stage's thread, before its loop: another thread stops the whole while it starts. */
static void stop_while_starting(void *context)
{
	struct stopping *s = context;

	runner_start(&s->runner, "a stop while starting", stop_it, s);
	pause_ms(10);
}

TEST(stop_while_starting_ends_what_has_started)
{
	for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++) {
		struct stopping s = { .mode = (enum disruptor_stop_mode)mode, .rc = 1 };
		struct life l;

		life_open(&l, 8, 2);
		s.life = &l;
		hook_at(HOOK_STAGE_BEFORE_LOOP, 1, stop_while_starting, &s);
		graph_start(l.d);
		runner_join(&s.runner);
		assert_code(s.rc, 0);
		assert_int_equal(disruptor_state(l.d), DISRUPTOR_STOPPED);
		hook_clear();
		graph_start(l.d);
		probe_publish(&l.producer, 4);
		graph_drain(l.d);
		probe_expect(&l.probe[0], 0, 4);
		probe_expect(&l.probe[1], 0, 4);
		life_close(&l);
	}
}
#endif

/* T28, in short; tests/stress/lifecycle_stress.c has many rounds of it. */
TEST(three_threads_stop_a_running_disruptor_at_once)
{
	struct life l;

	life_open(&l, 8, 2);
	for (uint64_t round = 0; round < 20; round++) {
		struct stopping s[3] = { { .mode = DISRUPTOR_NOW },
					 { .mode = DISRUPTOR_DRAIN },
					 { .mode = DISRUPTOR_DRAIN_THEN_HALT } };

		graph_start(l.d);
		for (size_t i = 0; i < COUNT(s); i++) {
			s[i].life = &l;
			s[i].rc = 1;
			runner_start(&s[i].runner, "one of three stops", stop_it, &s[i]);
		}
		for (size_t i = 0; i < COUNT(s); i++) {
			runner_join(&s[i].runner);
			assert_code(s[i].rc, 0);
		}
		for (size_t i = 0; i < l.count; i++) {
			assert_int_equal(disruptor_load_acquire(&l.probe[i].starts), round + 1);
			assert_int_equal(disruptor_load_acquire(&l.probe[i].stops), round + 1);
		}
	}
	life_close(&l);
}

/* ---- restart: T29 ---- */

TEST(restart_after_a_drain_goes_on_at_the_next_event)
{
	struct life l;

	life_open(&l, 16, 2);
	for (uint64_t round = 0; round < 5; round++) {
		for (size_t i = 0; i < l.count; i++)
			probe_forget(&l.probe[i]);
		graph_start(l.d);
		probe_publish(&l.producer, 30);
		graph_drain(l.d);
		for (size_t i = 0; i < l.count; i++)
			probe_expect(&l.probe[i], round * 30, round * 30 + 30);
		assert_null(tick_claim(&l.producer));
		assert_code(tick_status(&l.producer), DISRUPTOR_E_CLOSED);
	}
	life_close(&l);
}

TEST(restart_after_a_stop_in_a_batch_goes_on_at_the_next_event)
{
	uint64_t met;
	struct life l;

	life_open(&l, 16, 1);
	hold(&l.probe[0], 5);
	probe_publish(&l.producer, 12);
	graph_start(l.d);
	probe_await_hold(&l.probe[0]);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, 0), DISRUPTOR_E_TIMEOUT);
	probe_let_go(&l.probe[0]);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	met = events_of(&l.probe[0]);
	assert_int_equal(met, 6); /* the event in hand is the last */
	probe_expect(&l.probe[0], 0, 6);
	assert_int_equal(disruptor_stage_position(l.probe[0].stage), 6);
	probe_forget(&l.probe[0]);
	graph_start(l.d);
	probe_publish(&l.producer, 4);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 6, 16);
	life_close(&l);
}

TEST(start_is_refused_while_a_claim_from_before_is_open)
{
	struct life l;

	life_open(&l, 16, 1);
	graph_start(l.d);
	assert_non_null(tick_claim(&l.producer));
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_code(disruptor_start(l.d), DISRUPTOR_E_STATE);
	assert_detail("producer");
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_STOPPED);
	assert_code(tick_abort(&l.producer), 0);
	graph_start(l.d);
	probe_publish(&l.producer, 2);
	graph_drain(l.d);
	assert_int_equal(events_of(&l.probe[0]), 2);
	life_close(&l);
}

/* ---- draining: T35, T36, T41 ---- */

TEST(drain_that_runs_out_of_time_says_what_is_left_and_goes_on)
{
	struct life l;

	life_open(&l, 16, 2);
	hold(&l.probe[1], 3);
	probe_publish(&l.producer, 10);
	graph_start(l.d);
	probe_await_hold(&l.probe[1]);
	probe_await(&l.probe[0], 10);
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN, in_ms(50)), DISRUPTOR_E_TIMEOUT);
	assert_detail("second");
	assert_detail("position 0");        /* its batch is not released yet */
	assert_detail("10 before the end"); /* the lag */
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_DRAINING);
	assert_null(tick_claim(&l.producer));
	assert_code(tick_status(&l.producer), DISRUPTOR_E_CLOSED);
	assert_code(disruptor_start(l.d), DISRUPTOR_E_STATE);
	assert_code(disruptor_destroy(&l.d), DISRUPTOR_E_STATE);
	probe_let_go(&l.probe[1]);
	graph_drain(l.d);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_STOPPED);
	probe_expect(&l.probe[0], 0, 10);
	probe_expect(&l.probe[1], 0, 10);
	life_close(&l);
}

static void let_go_later(void *context)
{
	struct probe *p = context;

	pause_ms(100);
	probe_let_go(p);
}

TEST(drain_then_halt_ends_after_the_event_in_hand)
{
	struct runner helper;
	struct life l;

	life_open(&l, 16, 1);
	hold(&l.probe[0], 3);
	probe_publish(&l.producer, 10);
	graph_start(l.d);
	probe_await_hold(&l.probe[0]);
	runner_start(&helper, "who lets go", let_go_later, &l.probe[0]);
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN_THEN_HALT, in_ms(20)), 0);
	runner_join(&helper);
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_STOPPED);
	probe_expect(&l.probe[0], 0, 4);
	life_close(&l);
}

TEST(drain_then_halt_drains_if_there_is_time)
{
	struct life l;

	life_open(&l, 16, 1);
	probe_publish(&l.producer, 10);
	graph_start(l.d);
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN_THEN_HALT, in_ms(WATCHDOG_MS)), 0);
	probe_expect(&l.probe[0], 0, 10);
	life_close(&l);
}

/* A claim that is never published: one producer, many, and the packed layout. */
static void dead_claim(struct disruptor_options options)
{
	const struct disruptor_producer_options who = { .size = sizeof(who), .name = "absent" };
	struct probe probe;
	struct tick_producer p;
	struct disruptor *d = graph_open(&options);

	probe_init(&probe, "probe");
	probe_add(&probe, d);
	assert_code(tick_producer_open(&p, disruptor_ring(d), &who), 0);
	graph_start(d);
	publish_ticks(&p, 3);
	assert_non_null(tick_claim(&p));
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(50)), DISRUPTOR_E_TIMEOUT);
	assert_detail("position 3");
	assert_detail("absent");
	assert_int_equal(disruptor_state(d), DISRUPTOR_DRAINING);
	assert_code(tick_abort(&p), 0);
	graph_drain(d);
	probe_expect(&probe, 0, 3);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(drain_names_the_claim_that_was_never_published)
{
	struct disruptor_options options = fixture_options(8);

	dead_claim(options);
	options.producers = DISRUPTOR_MANY;
	dead_claim(options);
	options.producers = DISRUPTOR_SINGLE;
	options.layout = DISRUPTOR_PACKED;
	dead_claim(options);
}

/* What was claimed before the stop may still be published after it. */
TEST(claim_from_before_the_stop_is_drained_once_published)
{
	struct tick *t;
	struct life l;

	life_open(&l, 8, 1);
	graph_start(l.d);
	t = tick_claim(&l.producer);
	assert_non_null(t);
	t->value = 0;
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN, in_ms(10)), DISRUPTOR_E_TIMEOUT);
	assert_code(tick_publish(&l.producer), 0);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 1);
	life_close(&l);
}

static void sleep_a_while(void *context)
{
	(void)context;
	pause_ms(100);
}

/* T41: at most a tenth of what a second of spinning would take, and really far less. */
TEST(drain_sleeps_rather_than_spins)
{
	uint64_t before, used;
	struct life l;

	life_open(&l, 16, 1);
	l.probe[0].act = sleep_a_while;
	graph_start(l.d);
	probe_publish(&l.producer, 10);
	before = thread_cpu_ns();
	graph_drain(l.d);
	used = thread_cpu_ns() - before;
	assert_true(used < 20 * MS);
	probe_expect(&l.probe[0], 0, 10);
	life_close(&l);
}

TEST(stopping_twice_at_once_ends_both)
{
	struct stopping a = { .mode = DISRUPTOR_DRAIN, .rc = 1 }, b = a;
	struct life l;

	life_open(&l, 16, 1);
	a.life = b.life = &l;
	hold(&l.probe[0], 0);
	graph_start(l.d);
	probe_publish(&l.producer, 5);
	probe_await_hold(&l.probe[0]);
	runner_start(&a.runner, "one stop", stop_it, &a);
	runner_start(&b.runner, "another stop", stop_it, &b);
	pause_ms(20);
	assert_false(runner_done(&a.runner));
	assert_false(runner_done(&b.runner));
	probe_let_go(&l.probe[0]);
	runner_join(&a.runner);
	runner_join(&b.runner);
	assert_code(a.rc, 0);
	assert_code(b.rc, 0);
	probe_expect(&l.probe[0], 0, 5);
	life_close(&l);
}

/* A second stop in another mode overtakes a drain that cannot end. */
TEST(stop_now_ends_a_drain_under_way)
{
	struct stopping drain = { .mode = DISRUPTOR_DRAIN, .rc = 1 };
	struct life l;

	life_open(&l, 16, 1);
	drain.life = &l;
	graph_start(l.d);
	probe_publish(&l.producer, 2);
	assert_non_null(tick_claim(&l.producer));
	runner_start(&drain.runner, "a drain", stop_it, &drain);
	while (disruptor_state(l.d) != DISRUPTOR_DRAINING)
		pause_ms(1);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	runner_join(&drain.runner);
	assert_code(drain.rc, 0);
	assert_code(tick_abort(&l.producer), 0);
	life_close(&l);
}

/* Who waits for the end of one run does not go on to wait for the end of the next. */
TEST(stop_ends_with_its_run_even_if_another_has_begun)
{
	struct life l;

	life_open(&l, 16, 1);
	for (uint64_t round = 0; round < 30; round++) {
		struct stopping other = { .life = &l, .mode = DISRUPTOR_DRAIN, .rc = 1 };

		hold(&l.probe[0], round);
		graph_start(l.d);
		probe_publish(&l.producer, 1);
		probe_await_hold(&l.probe[0]);
		runner_start(&other.runner, "a stop of the run before", stop_it, &other);
		while (disruptor_state(l.d) != DISRUPTOR_DRAINING)
			pause_ms(1);
		probe_let_go(&l.probe[0]);
		graph_drain(l.d);
		graph_start(l.d);
		pause_ms(1);
		assert_int_equal(disruptor_state(l.d), DISRUPTOR_RUNNING);
		runner_join(&other.runner);
		assert_code(other.rc, 0);
		graph_drain(l.d);
	}
	life_close(&l);
}

/* ---- a stage that stops its own disruptor ---- */

struct self_stop {
	struct disruptor *d;
	int stop, start, destroy;
};

static void try_everything(void *context)
{
	struct self_stop *s = context;
	struct disruptor *same = s->d;

	s->stop = disruptor_stop(s->d, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
	s->start = disruptor_start(s->d);
	s->destroy = disruptor_destroy(&same);
}

TEST(stage_cannot_stop_start_or_destroy_its_own_disruptor)
{
	struct self_stop s = { 0 };
	struct life l;

	life_open(&l, 8, 1);
	s.d = l.d;
	l.probe[0].act = try_everything;
	l.probe[0].act_context = &s;
	graph_start(l.d);
	probe_publish(&l.producer, 1);
	graph_drain(l.d);
	assert_code(s.stop, DISRUPTOR_E_DEADLK);
	assert_code(s.start, DISRUPTOR_E_STATE);
	assert_code(s.destroy, DISRUPTOR_E_STATE);
	life_close(&l);
}

static void stop_own_stage(void *context)
{
	disruptor_stage_stop(*(struct disruptor_stage **)context);
}

TEST(stage_may_stop_its_own_run)
{
	struct life l;

	life_open(&l, 8, 1);
	l.probe[0].act = stop_own_stage;
	l.probe[0].act_context = &l.probe[0].stage;
	probe_publish(&l.producer, 5);
	graph_start(l.d);
	probe_await_stops(&l.probe[0], 1);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 0, 1);
	l.probe[0].act = NULL;
	probe_forget(&l.probe[0]);
	graph_start(l.d);
	graph_drain(l.d);
	probe_expect(&l.probe[0], 1, 5);
	life_close(&l);
}

/* ---- failing: T37 ---- */

struct blocked {
	struct disruptor_ring *ring;
	struct disruptor_wait wait;
	DISRUPTOR_ATOMIC(uint64_t) trying;
	int status;
	struct runner runner;
};

/* Publish until a claim is refused. */
static void publish_until_refused(void *context)
{
	struct blocked *b = context;
	struct disruptor_producer_options options = { .size = sizeof(options), .wait = b->wait };
	struct tick_producer p;
	struct tick *t;

	b->status = tick_producer_open(&p, b->ring, &options);
	if (b->status != 0)
		return;
	while ((t = tick_claim(&p))) {
		t->value = disruptor_producer_position(&p.view);
		(void)tick_publish(&p);
		disruptor_fetch_add_relaxed(&b->trying, UINT64_C(1));
	}
	b->status = tick_status(&p);
	(void)tick_producer_close(&p);
}

static bool is_full(void *context)
{
	return disruptor_ring_stats(context).remaining == 0;
}

static void start_blocked(struct blocked *b, size_t n, struct disruptor *d,
			  struct disruptor_wait wait)
{
	for (size_t i = 0; i < n; i++) {
		b[i].ring = disruptor_ring(d);
		b[i].wait = wait;
		b[i].status = 0;
		disruptor_store_relaxed(&b[i].trying, UINT64_C(0));
		runner_start(&b[i].runner, "a blocked producer", publish_until_refused, &b[i]);
	}
	await("the ring should be full", is_full, disruptor_ring(d));
	pause_ms(5); /* most of them wait by now, whatever their strategy */
}

static void join_blocked(struct blocked *b, size_t n, int status)
{
	for (size_t i = 0; i < n; i++) {
		runner_join(&b[i].runner);
		assert_code(b[i].status, status);
	}
}

static void fail_one_of_three(enum disruptor_stop_mode mode)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_failure why;
	struct probe probe[3];
	struct blocked b[2];
	struct disruptor *d;

	options.producers = DISRUPTOR_MANY;
	d = graph_open(&options);
	for (size_t i = 0; i < 3; i++) {
		probe_init(&probe[i], i == 1 ? "culprit" : "innocent");
		probe_add(&probe[i], d);
	}
	assert_code(disruptor_after(probe[2].stage, probe[1].stage), 0);
	hold(&probe[1], 2);
	probe[1].verdict_at = 2;
	probe[1].verdict = -11;
	graph_start(d);
	start_blocked(b, COUNT(b), d, fixture_wait(5));
	probe_await_hold(&probe[1]);
	probe_let_go(&probe[1]);
	join_blocked(b, COUNT(b), DISRUPTOR_E_FAILED);
	assert_int_equal(disruptor_state(d), DISRUPTOR_FAILED);
	assert_code(disruptor_stop(d, mode, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
	assert_detail("culprit");
	why = disruptor_failure(d);
	assert_int_equal(why.code, -11);
	assert_int_equal(why.position, 2);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(disruptor_load_acquire(&probe[i].stops), 1);
	/* what is stopped already has nothing more to say */
	assert_code(disruptor_stop(d, mode, in_ms(WATCHDOG_MS)), 0);
	assert_int_equal(disruptor_state(d), DISRUPTOR_FAILED);
	graph_start(d);
	assert_int_equal(disruptor_failure(d).code, 0);
	graph_drain(d);
	assert_int_equal(disruptor_state(d), DISRUPTOR_STOPPED);
	graph_close(&d);
}

TEST(failed_stage_lets_every_stop_mode_end)
{
	fail_one_of_three(DISRUPTOR_NOW);
	fail_one_of_three(DISRUPTOR_DRAIN);
	fail_one_of_three(DISRUPTOR_DRAIN_THEN_HALT);
}

/* Stages that wait, on producers or on another stage, return when one fails. */
TEST(failed_stage_ends_those_that_wait)
{
	struct life l;

	life_open(&l, 16, 3);
	assert_code(disruptor_after(l.probe[1].stage, l.probe[0].stage), 0);
	hold(&l.probe[0], 1);
	l.probe[0].verdict_at = 1;
	l.probe[0].verdict = -1000;
	graph_start(l.d);
	probe_publish(&l.producer, 2);
	probe_await_hold(&l.probe[0]);
	probe_await(&l.probe[2], 2);
	pause_ms(5);
	probe_let_go(&l.probe[0]);
	for (size_t i = 0; i < 3; i++)
		probe_await_stops(&l.probe[i], 1);
	assert_code(disruptor_stop(l.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
	assert_int_equal(disruptor_stage_position(l.probe[1].stage), 1);
	life_close(&l);
}

TEST(first_of_two_failures_is_the_one_reported)
{
	struct life l;

	life_open(&l, 16, 2);
	for (size_t i = 0; i < 2; i++) {
		hold(&l.probe[i], i);
		l.probe[i].verdict_at = i;
		l.probe[i].verdict = -1 - (int)i;
	}
	graph_start(l.d);
	probe_publish(&l.producer, 2);
	probe_await_hold(&l.probe[0]);
	probe_await_hold(&l.probe[1]);
	probe_let_go(&l.probe[1]);
	probe_await_stops(&l.probe[1], 1);
	probe_let_go(&l.probe[0]);
	assert_code(disruptor_stop(l.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
	assert_int_equal(disruptor_failure(l.d).code, -2);
	assert_string_equal(disruptor_failure(l.d).stage, "second");
	life_close(&l);
}

TEST(each_of_two_stops_at_once_is_told_of_the_failure)
{
	struct stopping s[2] = { { .mode = DISRUPTOR_DRAIN, .rc = 1 },
				 { .mode = DISRUPTOR_NOW, .rc = 1 } };
	struct life l;

	life_open(&l, 16, 1);
	hold(&l.probe[0], 0);
	l.probe[0].verdict_at = 0;
	l.probe[0].verdict = -4;
	graph_start(l.d);
	probe_publish(&l.producer, 1);
	probe_await_hold(&l.probe[0]);
	for (size_t i = 0; i < COUNT(s); i++) {
		s[i].life = &l;
		runner_start(&s[i].runner, "one of two stops", stop_it, &s[i]);
	}
	pause_ms(20); /* both wait by now */
	probe_let_go(&l.probe[0]);
	for (size_t i = 0; i < COUNT(s); i++) {
		runner_join(&s[i].runner);
		assert_code(s[i].rc, DISRUPTOR_E_FAILED);
	}
	life_close(&l);
}

/* ---- blocked producers: T38 ---- */

static void stop_frees_blocked(enum disruptor_stop_mode mode, struct disruptor_wait wait)
{
	struct disruptor_options options = fixture_options(4);
	struct blocked b[4];
	struct probe probe;
	struct disruptor *d;

	options.producers = DISRUPTOR_MANY;
	d = graph_open(&options);
	probe_init(&probe, "probe");
	probe_add(&probe, d);
	hold(&probe, 0);
	graph_start(d);
	start_blocked(b, COUNT(b), d, wait);
	probe_await_hold(&probe);
	assert_code(disruptor_stop(d, mode, in_ms(1)), DISRUPTOR_E_TIMEOUT);
	/* the stage is still held, so nothing but the close can have freed them */
	join_blocked(b, COUNT(b), DISRUPTOR_E_CLOSED);
	probe_let_go(&probe);
	assert_code(disruptor_stop(d, mode, in_ms(WATCHDOG_MS)), 0);
	graph_close(&d);
}

TEST(stop_frees_blocked_producers_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		stop_frees_blocked(DISRUPTOR_NOW, fixture_wait(i));
		stop_frees_blocked(DISRUPTOR_DRAIN, fixture_wait(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(states_follow_one_another),
		RUN(every_state_has_a_name),
		RUN(start_without_a_stage_is_refused),
		RUN(start_twice_is_refused),
		RUN(destroy_while_running_is_refused),
		RUN(unknown_stop_mode_is_refused),
		RUN(stop_before_start_does_nothing),
		RUN(stop_of_a_stage_before_its_run_ends_that_run_and_only_that),
		RUN(stop_of_a_stage_before_start_ends_its_run_at_once),
		RUN(stop_now_of_ended_stages_does_not_reach_the_next_run),
		RUN(stage_runs_in_the_callers_thread),
		RUN(stage_in_the_callers_thread_ends_with_the_ring),
		RUN(failure_in_the_callers_thread_is_returned),
		RUN(stop_now_reaches_a_stage_in_the_callers_thread),
#if defined(DISRUPTOR_HOOKS)
		RUN(stop_between_a_threads_creation_and_its_loop_is_not_lost),
		RUN(stop_while_starting_ends_what_has_started),
#endif
		RUN(three_threads_stop_a_running_disruptor_at_once),
		RUN(restart_after_a_drain_goes_on_at_the_next_event),
		RUN(restart_after_a_stop_in_a_batch_goes_on_at_the_next_event),
		RUN(start_is_refused_while_a_claim_from_before_is_open),
		RUN(drain_that_runs_out_of_time_says_what_is_left_and_goes_on),
		RUN(drain_then_halt_ends_after_the_event_in_hand),
		RUN(drain_then_halt_drains_if_there_is_time),
		RUN(drain_names_the_claim_that_was_never_published),
		RUN(claim_from_before_the_stop_is_drained_once_published),
		RUN(drain_sleeps_rather_than_spins),
		RUN(stopping_twice_at_once_ends_both),
		RUN(stop_now_ends_a_drain_under_way),
		RUN(stop_ends_with_its_run_even_if_another_has_begun),
		RUN(stage_cannot_stop_start_or_destroy_its_own_disruptor),
		RUN(stage_may_stop_its_own_run),
		RUN(failed_stage_lets_every_stop_mode_end),
		RUN(failed_stage_ends_those_that_wait),
		RUN(first_of_two_failures_is_the_one_reported),
		RUN(each_of_two_stops_at_once_is_told_of_the_failure),
		RUN(stop_frees_blocked_producers_of_every_strategy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
