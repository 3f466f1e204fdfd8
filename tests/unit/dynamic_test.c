/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Stages that come and go while the others run; pollers in a graph; waiting for a state. Rows T32,
 * T57, T58.
 */
#include "probe.h"

#include <string.h>

#define MAPPINGS 3

struct graph {
	struct disruptor *d;
	struct probe first, late, after;
	struct tick_producer p;
	bool driven;
};

static const enum disruptor_mapping mappings[MAPPINGS] = { DISRUPTOR_MAP_DEDICATED,
							   DISRUPTOR_MAP_SHARED,
							   DISRUPTOR_MAP_NONE };

static void begin(struct graph *g, uint64_t capacity, size_t mapping)
{
	struct disruptor_options options = fixture_options(capacity);

	g->d = graph_open(&options);
	g->driven = mappings[mapping] == DISRUPTOR_MAP_NONE;
	graph_map(g->d, mappings[mapping], mappings[mapping] == DISRUPTOR_MAP_SHARED);
	probe_init(&g->first, "first");
	probe_init(&g->late, "late");
	probe_init(&g->after, "after");
	probe_add(&g->first, g->d);
	probe_producer(&g->p, g->d);
}

static void finish(struct graph *g)
{
	assert_code(tick_producer_close(&g->p), 0);
	graph_close(&g->d);
}

/* Until @p p has been handed so many. */
static void reach(struct graph *g, struct probe *p, uint64_t events)
{
	while (g->driven && disruptor_load_relaxed(&p->events) < events)
		assert_true(disruptor_poll_until(g->d, 100, in_ms(WATCHDOG_MS)) > 0);
	probe_await(p, events);
}

static void attach(struct graph *g, struct probe *p, enum disruptor_at at, struct probe *behind)
{
	struct disruptor_attach how = { .size = sizeof(how), .at = at };

	how.after = behind ? &behind->stage : NULL;
	how.after_count = behind != NULL;
	p->stage = disruptor_attach(g->d, &p->handler, &how);
	if (!p->stage)
		fail_msg("attach: %s", disruptor_error_detail());
}

TEST(a_stage_joins_a_running_graph_and_leaves_it)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 64, i);
		graph_start(g.d);
		probe_publish(&g.p, 10);
		reach(&g, &g.first, 10);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
		assert_int_equal(g.late.starts, 1);
		probe_publish(&g.p, 5);
		reach(&g, &g.late, 5);
		assert_int_equal(g.late.position[0], 10);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
		assert_int_equal(g.late.stops, 1);
		for (unsigned k = 1; k <= 4;
		     k++) { /* more than the ring holds: nobody is held back */
			probe_publish(&g.p, 25);
			reach(&g, &g.first, 15 + k * 25);
		}
		graph_drain(g.d);
		assert_int_equal(g.late.events, 5);
		assert_int_equal(g.first.events, 115);
		finish(&g);
	}
}

TEST(a_stage_that_joins_at_the_oldest_sees_what_is_still_there)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 64, i);
		graph_start(g.d);
		probe_publish(&g.p, 20);
		reach(&g, &g.first, 20);
		attach(&g, &g.late, DISRUPTOR_AT_OLDEST, &g.first);
		reach(&g, &g.late, 20);
		graph_drain(g.d);
		probe_expect(&g.late, 0, 20);
		/* and takes part in the next run like any other */
		graph_start(g.d);
		probe_publish(&g.p, 4);
		graph_drain(g.d);
		assert_int_equal(g.late.events, 24);
		finish(&g);
	}
}

TEST(a_drain_detaches_after_what_was_claimed_before)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 64, i);
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
		probe_publish(&g.p, 40);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
		probe_expect(&g.late, 0, 40);
		graph_drain(g.d);
		finish(&g);
	}
}

TEST(who_came_after_a_stage_that_leaves_comes_after_those_before_it)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 64, i);
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, &g.first);
		attach(&g, &g.after, DISRUPTOR_AT_NEWEST, &g.late);
		probe_publish(&g.p, 10);
		reach(&g, &g.after, 10);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
		g.first.hold_at = g.driven ? PROBE_NEVER : 12;
		probe_publish(&g.p, 10);
		if (!g.driven) {
			probe_await_hold(&g.first);
			pause_ms(2);
			assert_true(disruptor_load_relaxed(&g.after.events) <= 12);
			probe_let_go(&g.first);
		}
		reach(&g, &g.after, 20);
		graph_drain(g.d);
		probe_expect(&g.after, 0, 20);
		finish(&g);
	}
}

static void detach_behind(void *argument)
{
	struct graph *g = argument;

	await_sleeps(disruptor_ring(g->d), 1);
	(void)disruptor_detach(g->late.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS));
}

/* T32, T57: one of two side by side has been stopped; the other sees everything. */
TEST(a_producer_that_a_leaving_stage_held_back_goes_on)
{
	struct runner detacher;
	struct graph g;

	begin(&g, 8, 0);
	graph_start(g.d);
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
	disruptor_stage_stop(g.late.stage); /* it stands still, and holds the ring */
	probe_await_stops(&g.late, 1);
	runner_start(&detacher, "who detaches", detach_behind, &g);
	probe_publish(&g.p, 50);
	runner_join(&detacher);
	graph_drain(g.d);
	probe_expect(&g.first, 0, 50);
	finish(&g);
}

struct detaching {
	struct disruptor_stage *stage;
	int rc;
};

static void detach_now(void *argument)
{
	struct detaching *w = argument;

	w->rc = disruptor_detach(w->stage, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
}

/* Its thread goes on with another stage: nothing but the end of the stage's run is there to be told. */
TEST(who_detaches_one_of_the_stages_of_a_thread_is_told_of_its_end)
{
	struct detaching w;
	struct runner detacher;
	struct graph g;

	begin(&g, 8, 1);
	probe_add(&g.late, g.d);
	graph_start(g.d);
	w.stage = g.late.stage;
	runner_start(&detacher, "who detaches one of two", detach_now, &w);
	runner_join(&detacher);
	assert_code(w.rc, 0);
	assert_int_equal(g.late.stops, 1);
	probe_publish(&g.p, 20);
	graph_drain(g.d);
	probe_expect(&g.first, 0, 20);
	finish(&g);
}

TEST(stages_come_and_go_many_times_in_the_same_places)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 32, i);
		graph_start(g.d);
		for (unsigned k = 0; k < 40; k++) {
			uint64_t before = disruptor_load_relaxed(&g.late.events);

			attach(&g, &g.late, DISRUPTOR_AT_NEWEST, k % 2 ? &g.first : NULL);
			probe_publish(&g.p, 3);
			reach(&g, &g.late, before + 3);
			assert_code(disruptor_detach(g.late.stage,
						     k % 3 ? DISRUPTOR_NOW : DISRUPTOR_DRAIN,
						     in_ms(WATCHDOG_MS)),
				    0);
		}
		graph_drain(g.d);
		finish(&g);
	}
}

/* ---- what is refused ---- */

TEST(an_attach_that_is_refused_leaves_nothing)
{
	struct disruptor_attach how = { .size = sizeof(how), .at = DISRUPTOR_AT_POSITION };
	struct graph g, other;

	begin(&g, 8, 0);
	begin(&other, 8, 0);
	graph_start(g.d);
	assert_null(disruptor_attach(NULL, &g.late.handler, NULL));
	assert_null(disruptor_attach(g.d, NULL, NULL));
	how.position = 7;
	assert_null(disruptor_attach(g.d, &g.late.handler, &how));
	assert_detail("position: 7");
	how.position = 0;
	how.after = &other.first.stage;
	how.after_count = 1;
	assert_null(disruptor_attach(g.d, &g.late.handler, &how));
	assert_detail("after[0]");
	{
		struct disruptor_stage *const twice[] = { g.first.stage, g.first.stage };

		how.after = twice;
		how.after_count = 2;
		assert_null(disruptor_attach(g.d, &g.late.handler, &how));
		assert_detail("'first' is listed twice");
	}
	how.after_count = 0;
	g.late.start_answer = -44;
	assert_null(disruptor_attach(g.d, &g.late.handler, &how));
	assert_detail("on_start answered -44");
	assert_int_equal(g.late.stops, 1);
	assert_int_equal(disruptor_state(g.d), DISRUPTOR_RUNNING);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 1);
	probe_publish(&g.p, 30);
	graph_drain(g.d);
	probe_expect(&g.first, 0, 30);
	finish(&g);
	finish(&other);
}

/* Nothing of it is left: neither a gate nor a stage that would begin with the next run. */
static void refused(struct graph *g, const char *word)
{
	uint64_t consumers = disruptor_ring_stats(disruptor_ring(g->d)).consumers;

	assert_null(disruptor_attach(g->d, &g->late.handler, NULL));
	assert_detail(word);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(g->d)).consumers, consumers);
	assert_int_equal(g->late.starts, 0);
}

static void drive(void *argument)
{
	struct graph *g = argument;

	(void)disruptor_poll_until(g->d, 100, in_ms(WATCHDOG_MS));
}

TEST(who_does_not_drive_a_graph_attaches_nothing_to_it)
{
	struct runner driver;
	struct graph g;

	begin(&g, 8, 2);
	graph_start(g.d);
	g.first.hold_at = 0;
	probe_publish(&g.p, 1);
	runner_start(&driver, "the driver", drive, &g);
	probe_await_hold(&g.first);
	refused(&g, "another thread drives it");
	probe_let_go(&g.first);
	runner_join(&driver);
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL); /* nobody does now */
	probe_publish(&g.p, 3);
	graph_drain(g.d);
	probe_expect(&g.first, 0, 4);
	probe_expect(&g.late, 1, 4);
	finish(&g);
}

TEST(a_driven_graph_whose_stages_have_ended_is_joined_after_a_stop)
{
	struct graph g;

	begin(&g, 8, 2);
	g.first.verdict_at = 1;
	g.first.verdict = DISRUPTOR_STOP;
	graph_start(g.d);
	probe_publish(&g.p, 3);
	assert_int_equal(disruptor_poll(g.d, 100), 2);
	assert_int_equal(disruptor_state(g.d), DISRUPTOR_RUNNING);
	refused(&g, "every stage has ended: stop it first");
	graph_drain(g.d);
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
	graph_start(g.d);
	graph_drain(g.d);
	probe_expect(&g.first, 0, 3);
	probe_expect(&g.late, 3, 3);
	finish(&g);
}

/* Two stages of one thread leave: the thread is over, and keeps their places until it is joined. */
TEST(places_of_threads_that_are_not_joined_are_taken_until_a_stop)
{
	struct disruptor_options options = fixture_options(8);
	struct graph g;

	options.max_consumers = 2;
	memset(&g, 0, sizeof(g));
	g.d = graph_open(&options);
	graph_map(g.d, DISRUPTOR_MAP_SHARED, 1);
	probe_init(&g.first, "first");
	probe_init(&g.after, "after");
	probe_init(&g.late, "late");
	probe_add(&g.first, g.d);
	probe_add(&g.after, g.d);
	probe_producer(&g.p, g.d);
	graph_start(g.d);
	assert_code(disruptor_detach(g.first.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	refused(&g, "threads of 2 stages have to be joined first, by a stop");
	probe_publish(&g.p, 20); /* the other goes on */
	probe_await(&g.after, 20);
	assert_code(disruptor_detach(g.after.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	refused(&g, "threads of 2 stages have to be joined first, by a stop");
	assert_int_equal(disruptor_state(g.d), DISRUPTOR_RUNNING);
	graph_drain(g.d);
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
	graph_start(g.d);
	probe_publish(&g.p, 20);
	graph_drain(g.d);
	probe_expect(&g.late, 20, 40);
	finish(&g);
}

static void run_stage(void *stage)
{
	(void)disruptor_stage_run(stage);
}

static bool is_running(void *stage)
{
	return disruptor_stage_running(stage) != 0;
}

TEST(a_stage_that_a_thread_of_the_callers_runs_is_not_detached)
{
	struct runner caller;
	struct graph g;

	begin(&g, 8, 0);
	runner_start(&caller, "a stage in a thread of the caller's", run_stage, g.first.stage);
	await("the stage", is_running, g.first.stage);
	for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++) {
		assert_code(disruptor_detach(g.first.stage, (enum disruptor_stop_mode)mode, 0),
			    DISRUPTOR_E_STATE);
		assert_detail("stage 'first' runs in a thread of the caller's");
	}
	probe_publish(&g.p, 20); /* nor told to end */
	probe_await(&g.first, 20);
	disruptor_stage_stop(g.first.stage);
	runner_join(&caller);
	assert_code(disruptor_detach(g.first.stage, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER), 0);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 0);
	finish(&g);
}

/* What it would wait for is not published; the deadline has passed before it begins. */
TEST(a_stage_that_does_not_drain_in_time_is_halted_if_that_was_asked_for)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 8, i);
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
		probe_publish(&g.p, 3);
		reach(&g, &g.late, 3);
		assert_non_null(tick_claim(&g.p));
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, 1),
			    DISRUPTOR_E_TIMEOUT);
		assert_detail("stage 'late' is at position 3 and has not ended");
		assert_true(disruptor_stage_running(g.late.stage));
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN_THEN_HALT, 1), 0);
		assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 1);
		assert_int_equal(g.late.stops, 1);
		probe_expect(&g.late, 0, 3);
		assert_code(tick_abort(&g.p), 0);
		probe_publish(&g.p, 1);
		graph_drain(g.d);
		assert_int_equal(g.first.events, 4);
		finish(&g);
	}
}

static int detach_self(void *context)
{
	struct graph *g = context;

	return disruptor_detach(g->first.stage, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
}

static struct {
	struct graph *g;
	int code;
} self;

static void try_to_detach(void *context)
{
	(void)context;
	self.code = detach_self(self.g);
}

TEST(a_stage_cannot_detach_itself)
{
	struct graph g;

	begin(&g, 8, 0);
	self.g = &g;
	g.first.act = try_to_detach;
	graph_start(g.d);
	probe_publish(&g.p, 1);
	graph_drain(g.d);
	assert_code(self.code, DISRUPTOR_E_DEADLK);
	finish(&g);
}

TEST(a_stage_that_does_not_end_in_time_may_be_detached_again)
{
	struct graph g;

	begin(&g, 8, 0);
	graph_start(g.d);
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
	g.late.hold_at = 1;
	probe_publish(&g.p, 2);
	probe_await_hold(&g.late);
	assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(10)),
		    DISRUPTOR_E_TIMEOUT);
	assert_detail("'late'");
	probe_let_go(&g.late);
	assert_code(disruptor_detach(g.late.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	graph_drain(g.d);
	finish(&g);
}

static bool is_over(void *stage)
{
	return !disruptor_stage_running(stage);
}

/* On a packed ring the positions of a run given up are claimed again, perhaps never. */
TEST(a_stage_that_is_drained_does_not_wait_for_claims_that_were_given_back)
{
	struct disruptor_options options = fixture_options(8);
	struct graph g;

	options.layout = DISRUPTOR_PACKED;
	g.d = graph_open(&options);
	probe_init(&g.first, "first");
	probe_init(&g.late, "late");
	probe_add(&g.first, g.d);
	probe_add(&g.late, g.d);
	probe_producer(&g.p, g.d);
	graph_start(g.d);
	probe_publish(&g.p, 2);
	assert_non_null(tick_claim_n(&g.p, 3));
	assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(1)), DISRUPTOR_E_TIMEOUT);
	assert_code(tick_abort(&g.p), 0);
	await("the end of the stage", is_over, g.late.stage);
	assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	assert_int_equal(g.late.events, 2);
	graph_drain(g.d);
	finish(&g);
}

/* A request to leave that was given up by a stop is not the next run's. */
TEST(a_detach_that_timed_out_does_not_end_the_next_run)
{
	for (size_t i = 0; i < 2; i++) {
		struct graph g;

		begin(&g, 8, i);
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
		g.late.hold_at = 1;
		probe_publish(&g.p, 2);
		probe_await_hold(&g.late);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(1)),
			    DISRUPTOR_E_TIMEOUT);
		probe_let_go(&g.late);
		graph_drain(g.d);
		graph_start(g.d);
		probe_publish(&g.p, 3);
		graph_drain(g.d);
		assert_int_equal(g.late.events, 5);
		finish(&g);
	}
}

TEST(one_whose_stages_have_all_left_is_stopped_before_it_is_destroyed)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 8, i);
		graph_start(g.d);
		assert_code(disruptor_detach(g.first.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
		assert_code(tick_producer_close(&g.p), 0);
		assert_code(disruptor_destroy(&g.d), DISRUPTOR_E_STATE);
		assert_detail("RUNNING");
		graph_drain(g.d);
		graph_close(&g.d);
	}
}

TEST(what_a_detached_stage_had_read_and_not_released_is_told)
{
	struct graph g;

	begin(&g, 8, 0);
	graph_start(g.d);
	g.late.handler.deferred = 8;
	attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
	probe_publish(&g.p, 3);
	probe_await(&g.late, 3);
	while (disruptor_stage_read(g.late.stage) < 3)
		pause_ms(1);
	assert_code(disruptor_detach(g.late.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_detail("had read 3 positions");
	graph_drain(g.d);
	finish(&g);
}

/* ---- pollers, and sequences of the caller's, in a graph ---- */

static bool has_ended(void *context)
{
	const struct graph *g = context;

	if (g->driven)
		(void)disruptor_poll(g->d, 100);
	return !disruptor_stage_running(g->late.stage);
}

/* What comes while it waits for releases is not its own any more. */
TEST(a_deferred_stage_that_leaves_ends_by_the_release_of_what_it_had_read)
{
	for (size_t i = 0; i < 2 * MAPPINGS; i++) {
		const uint64_t more = i < MAPPINGS ? 0 : 10;
		struct graph g;

		begin(&g, 64, i % MAPPINGS);
		g.late.handler.deferred = 32;
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, NULL);
		probe_publish(&g.p, 10);
		reach(&g, &g.late, 10);
		while (disruptor_stage_read(g.late.stage) < 10)
			pause_ms(1);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(1)),
			    DISRUPTOR_E_TIMEOUT);
		probe_publish(&g.p, more);
		reach(&g, &g.first, 10 + more);
		pause_ms(5); /* asleep again */
		assert_true(disruptor_stage_running(g.late.stage));
		assert_code(disruptor_stage_release(g.late.stage, 10), 0);
		await("a stage whose reads were all released", has_ended, &g);
		assert_int_equal(g.late.events, 10);
		assert_code(disruptor_detach(g.late.stage, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
		graph_drain(g.d);
		finish(&g);
	}
}

TEST(a_poller_stands_between_stages)
{
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	const struct disruptor_consumer *before;
	struct tick_consumer poller;
	struct graph g;

	begin(&g, 8, 0);
	before = disruptor_stage_consumer(g.first.stage);
	options.after = &before;
	options.after_count = 1;
	assert_code(tick_consumer_open(&poller, disruptor_ring(g.d), &options), 0);
	probe_add(&g.after, g.d);
	assert_code(disruptor_after_consumer(g.after.stage, &poller.view), 0);
	assert_code(disruptor_after_consumer(g.first.stage, &poller.view), DISRUPTOR_E_INVAL);
	graph_start(g.d);
	probe_publish(&g.p, 4);
	probe_await(&g.first, 4);
	while (tick_ready(&poller) < 2)
		pause_ms(1);
	assert_int_equal(g.after.events, 0);
	assert_code(tick_release(&poller, 2), 0);
	probe_await(&g.after, 2);
	/* or without reading, as a sequence of the caller's own */
	while (disruptor_release_to(&poller.view, 4) != 0)
		pause_ms(1);
	probe_await(&g.after, 4);
	graph_drain(g.d);
	assert_code(tick_consumer_close(&poller), DISRUPTOR_E_BUSY);
	assert_code(disruptor_detach(g.after.stage, DISRUPTOR_NOW, 0), 0);
	assert_code(tick_consumer_close(&poller), 0);
	finish(&g);
}

/* ---- waiting for a state ---- */

static void stop_later(void *argument)
{
	struct graph *g = argument;

	pause_ms(5);
	(void)disruptor_stop(g->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
}

TEST(states_are_awaited)
{
	struct runner stopper;
	struct graph g;

	begin(&g, 8, 0);
	assert_code(disruptor_await(g.d, DISRUPTOR_INIT, 0), 0);
	assert_code(disruptor_await(g.d, DISRUPTOR_RUNNING, in_ms(5)), DISRUPTOR_E_TIMEOUT);
	assert_detail("INIT");
	assert_code(disruptor_await(g.d, (enum disruptor_state)6, 0), DISRUPTOR_E_INVAL);
	graph_start(g.d);
	runner_start(&stopper, "who stops", stop_later, &g);
	assert_code(disruptor_await(g.d, DISRUPTOR_STOPPED, in_ms(WATCHDOG_MS)), 0);
	runner_join(&stopper);
	g.first.verdict_at = 0;
	g.first.verdict = -3;
	graph_start(g.d);
	probe_publish(&g.p, 1);
	assert_code(disruptor_await(g.d, DISRUPTOR_STOPPED, in_ms(WATCHDOG_MS)),
		    DISRUPTOR_E_FAILED);
	assert_detail("'first'");
	assert_code(disruptor_await(g.d, DISRUPTOR_FAILED, 0), 0);
	finish(&g);
}

/* ---- T58: where a stage comes in ---- */

static struct disruptor_stage *attach_at(struct graph *g, enum disruptor_at at, uint64_t position)
{
	struct disruptor_attach how = { .size = sizeof(how), .at = at, .position = position };

	return disruptor_attach(g->d, &g->late.handler, &how);
}

TEST(a_stages_first_event_is_the_one_that_was_asked_for)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 8, i);
		graph_start(g.d);
		probe_publish(&g.p, 8);
		reach(&g, &g.first, 8);
		for (uint64_t from = 0; from <= 8; from += 4) {
			probe_forget(&g.late);
			g.late.stage = attach_at(&g, DISRUPTOR_AT_POSITION, from);
			assert_non_null(g.late.stage);
			reach(&g, &g.late, 8 - from);
			probe_expect(&g.late, from, 8);
			assert_code(disruptor_detach(g.late.stage, DISRUPTOR_NOW,
						     in_ms(WATCHDOG_MS)),
				    0);
		}
		probe_publish(&g.p, 8); /* another lap: 0 … 7 are no more */
		reach(&g, &g.first, 16);
		assert_null(attach_at(&g, DISRUPTOR_AT_POSITION, 7));
		assert_detail("position: 7 is not in 8 ");
		assert_null(attach_at(&g, DISRUPTOR_AT_POSITION, 17));
		assert_detail("position: 17");
		probe_forget(&g.late);
		g.late.stage = attach_at(&g, DISRUPTOR_AT_OLDEST, 0);
		assert_non_null(g.late.stage);
		reach(&g, &g.late, 8);
		probe_expect(&g.late, 8, 16);
		graph_drain(g.d);
		finish(&g);
	}
}

/* ---- the first of a pipeline leaves: those behind come after the stamps ---- */

TEST(who_came_after_the_first_stage_sees_only_what_is_published)
{
	for (size_t i = 0; i < MAPPINGS; i++) {
		struct graph g;

		begin(&g, 8, i);
		graph_start(g.d);
		attach(&g, &g.late, DISRUPTOR_AT_NEWEST, &g.first);
		probe_publish(&g.p, 3);
		reach(&g, &g.late, 3);
		assert_non_null(tick_claim(&g.p)); /* position 3 is claimed, and not published */
		assert_code(disruptor_detach(g.first.stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
		if (g.driven)
			assert_int_equal(disruptor_poll(g.d, 10), 0);
		else
			pause_ms(3);
		assert_int_equal(disruptor_load_acquire(&g.late.events), 3);
		/* aborted: a void, which it passes; and it holds the producer back like a first */
		assert_code(tick_abort(&g.p), 0);
		probe_publish(&g.p, 1);
		reach(&g, &g.late, 4);
		assert_int_equal(g.late.position[3], 4);
		if (!g.driven)
			probe_publish(&g.p, 30);
		graph_drain(g.d);
		assert_int_equal(g.late.wrong, 0);
		assert_int_equal(g.late.events, g.driven ? 4 : 34);
		finish(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_stage_joins_a_running_graph_and_leaves_it),
		RUN(a_stage_that_joins_at_the_oldest_sees_what_is_still_there),
		RUN(a_drain_detaches_after_what_was_claimed_before),
		RUN(who_came_after_a_stage_that_leaves_comes_after_those_before_it),
		RUN(a_producer_that_a_leaving_stage_held_back_goes_on),
		RUN(who_detaches_one_of_the_stages_of_a_thread_is_told_of_its_end),
		RUN(stages_come_and_go_many_times_in_the_same_places),
		RUN(an_attach_that_is_refused_leaves_nothing),
		RUN(who_does_not_drive_a_graph_attaches_nothing_to_it),
		RUN(a_driven_graph_whose_stages_have_ended_is_joined_after_a_stop),
		RUN(places_of_threads_that_are_not_joined_are_taken_until_a_stop),
		RUN(a_stage_that_a_thread_of_the_callers_runs_is_not_detached),
		RUN(a_stage_that_does_not_drain_in_time_is_halted_if_that_was_asked_for),
		RUN(a_stage_cannot_detach_itself),
		RUN(a_stage_that_does_not_end_in_time_may_be_detached_again),
		RUN(a_stage_that_is_drained_does_not_wait_for_claims_that_were_given_back),
		RUN(a_detach_that_timed_out_does_not_end_the_next_run),
		RUN(one_whose_stages_have_all_left_is_stopped_before_it_is_destroyed),
		RUN(what_a_detached_stage_had_read_and_not_released_is_told),
		RUN(a_deferred_stage_that_leaves_ends_by_the_release_of_what_it_had_read),
		RUN(a_poller_stands_between_stages),
		RUN(states_are_awaited),
		RUN(a_stages_first_event_is_the_one_that_was_asked_for),
		RUN(who_came_after_the_first_stage_sees_only_what_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
