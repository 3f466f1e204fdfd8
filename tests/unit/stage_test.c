/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a stage's handler is called with, and what its answers do. Rows T15, T43, T44, T45, T48. */
#include "probe.h"

#include <string.h>

/* A disruptor with one probe and a producer. */
struct line {
	struct disruptor *d;
	struct probe probe;
	struct tick_producer producer;
};

/* Half-way: the probe's handler may still be changed. */
static void line_begin(struct line *l, const struct disruptor_options *options)
{
	l->d = graph_open(options);
	probe_init(&l->probe, "probe");
}

static void line_ready(struct line *l)
{
	probe_add(&l->probe, l->d);
	probe_producer(&l->producer, l->d);
}

static void line_open(struct line *l, uint64_t capacity)
{
	struct disruptor_options options = fixture_options(capacity);

	line_begin(l, &options);
	line_ready(l);
}

static void line_close(struct line *l)
{
	assert_code(tick_producer_close(&l->producer), 0);
	graph_close(&l->d);
}

static void publish_voids(struct line *l, uint64_t n)
{
	assert_non_null(tick_claim_n(&l->producer, n));
	assert_code(tick_abort(&l->producer), 0);
}

/* Published before the start, so that the batches are known. */
static void line_run(struct line *l)
{
	graph_start(l->d);
	graph_drain(l->d);
}

/* ---- batches ---- */

TEST(batches_have_their_size_and_depth)
{
	struct line l;
	uint64_t left = 10, sum = 0;

	line_open(&l, 16); /* a quarter of it is the batch limit */
	probe_publish(&l.producer, 10);
	line_run(&l);
	probe_expect(&l.probe, 0, 10);
	assert_int_equal(l.probe.batches, 3);
	for (uint64_t i = 0; i < l.probe.batches; i++) {
		assert_int_equal(l.probe.size[i], left < 4 ? left : 4);
		assert_int_equal(l.probe.depth[i], left);
		left -= l.probe.size[i];
		sum += l.probe.size[i];
	}
	assert_int_equal(sum, 10);
	assert_string_equal(l.probe.calls, "sbeeeebeeeebeex");
	line_close(&l);
}

TEST(only_the_last_event_of_a_batch_is_flagged)
{
	struct line l;

	line_open(&l, 16);
	probe_publish(&l.producer, 10);
	line_run(&l);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(l.probe.last[i] != 0, i == 3 || i == 7 || i == 9);
	line_close(&l);
}

TEST(batch_limit_of_the_handler_is_kept)
{
	struct disruptor_options options = fixture_options(16);
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.batch = 3;
	line_ready(&l);
	probe_publish(&l.producer, 8);
	line_run(&l);
	assert_string_equal(l.probe.calls, "sbeeebeeebeex");
	line_close(&l);
}

/* Woken for each of them: sizes sum to the events, and no batch is announced that is empty. */
TEST(batches_of_a_trickle_sum_to_the_events)
{
	struct line l;
	uint64_t sum = 0;

	line_open(&l, 8);
	graph_start(l.d);
	for (unsigned i = 0; i < 100; i++) {
		if (i % 5 == 0)
			publish_voids(&l, 1 + i % 3);
		probe_publish(&l.producer, 1);
		if (i % 10 == 0)
			pause_ms(1);
	}
	graph_drain(l.d);
	assert_int_equal(disruptor_load_acquire(&l.probe.events), 100);
	assert_true(l.probe.batches <= PROBE_RECORD);
	for (uint64_t i = 0; i < l.probe.batches; i++) {
		assert_true(l.probe.size[i] >= 1);
		assert_true(l.probe.depth[i] >= l.probe.size[i]);
		sum += l.probe.size[i];
	}
	assert_int_equal(sum, 100);
	line_close(&l);
}

/* ---- voids: T15 ---- */

TEST(void_in_the_middle_of_a_batch_is_passed_over)
{
	struct line l;

	line_open(&l, 16);
	probe_publish(&l.producer, 1);
	publish_voids(&l, 1);
	probe_publish(&l.producer, 1);
	line_run(&l);
	assert_string_equal(l.probe.calls, "sbeex");
	assert_int_equal(l.probe.size[0], 2);
	assert_int_equal(l.probe.position[0], 0);
	assert_int_equal(l.probe.position[1], 2);
	assert_false(l.probe.last[0]);
	assert_true(l.probe.last[1]);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(l.d)).voids, 1);
	line_close(&l);
}

TEST(void_at_the_end_leaves_the_flag_to_the_last_real_event)
{
	struct line l;

	line_open(&l, 16);
	probe_publish(&l.producer, 2);
	publish_voids(&l, 2);
	line_run(&l);
	assert_string_equal(l.probe.calls, "sbeex");
	assert_int_equal(l.probe.size[0], 2);
	assert_false(l.probe.last[0]);
	assert_true(l.probe.last[1]);
	assert_int_equal(disruptor_stage_position(l.probe.stage), 4);
	line_close(&l);
}

TEST(void_at_the_front_is_passed_over)
{
	struct line l;

	line_open(&l, 16);
	publish_voids(&l, 3);
	probe_publish(&l.producer, 2);
	line_run(&l);
	assert_string_equal(l.probe.calls, "sbeex");
	assert_int_equal(l.probe.position[0], 3);
	assert_int_equal(disruptor_stage_position(l.probe.stage), 5);
	line_close(&l);
}

struct position {
	struct disruptor_stage *stage;
	uint64_t wanted;
};

static bool has_released(void *context)
{
	struct position *p = context;

	return disruptor_stage_position(p->stage) >= p->wanted;
}

static void await_position(struct disruptor_stage *stage, uint64_t wanted)
{
	struct position p = { stage, wanted };

	await("a stage that should have released its events", has_released, &p);
}

TEST(batch_of_voids_is_released_without_a_call)
{
	struct line l;

	line_open(&l, 8);
	graph_start(l.d);
	publish_voids(&l, 8);
	await_position(l.probe.stage, 8);
	publish_voids(&l, 5); /* its slots are free again, and it is woken for voids, too */
	await_position(l.probe.stage, 13);
	graph_drain(l.d);
	assert_string_equal(l.probe.calls, "sx");
	line_close(&l);
}

TEST(voids_are_passed_over_in_every_stage)
{
	struct disruptor_options options = fixture_options(16);
	struct probe second;
	struct line l;

	line_begin(&l, &options);
	line_ready(&l);
	probe_init(&second, "second");
	probe_add(&second, l.d);
	assert_code(disruptor_after(second.stage, l.probe.stage), 0);
	publish_voids(&l, 1);
	probe_publish(&l.producer, 1);
	publish_voids(&l, 1);
	probe_publish(&l.producer, 1);
	publish_voids(&l, 1);
	line_run(&l);
	assert_int_equal(disruptor_load_acquire(&second.events), 2);
	assert_int_equal(second.position[0], 1);
	assert_int_equal(second.position[1], 3);
	assert_int_equal(second.wrong, 0);
	assert_true(second.last[1]);
	assert_int_equal(disruptor_stage_position(second.stage), 5);
	line_close(&l);
}

/* ---- verdicts: T48 ---- */

TEST(released_event_frees_exactly_the_slots_up_to_it)
{
	struct disruptor_options options = fixture_options(8);
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.batch = 8;
	l.probe.verdict_at = 2;
	l.probe.verdict = DISRUPTOR_RELEASE;
	disruptor_store_relaxed(&l.probe.hold_at, UINT64_C(3));
	line_ready(&l);
	probe_publish(&l.producer, 8);
	graph_start(l.d);
	probe_await_hold(&l.probe);
	assert_int_equal(disruptor_stage_position(l.probe.stage), 3);
	probe_publish(&l.producer, 3);
	assert_null(tick_try_claim(&l.producer));
	assert_code(tick_status(&l.producer), DISRUPTOR_E_FULL);
	probe_let_go(&l.probe);
	graph_drain(l.d);
	probe_expect(&l.probe, 0, 11);
	assert_int_equal(disruptor_stage_position(l.probe.stage), 11);
	line_close(&l);
}

static void claim_two(void *context)
{
	struct line *l = context;

	disruptor_producer_handoff(&l->producer.view);
	for (unsigned i = 0; i < 2; i++) {
		struct tick *t = tick_claim_n(&l->producer, 1);

		if (!t)
			return;
		t->value = disruptor_producer_position(&l->producer.view);
		(void)tick_publish(&l->producer);
	}
}

TEST(released_event_wakes_a_blocked_producer)
{
	struct disruptor_options options = fixture_options(4);
	struct runner blocked;
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.batch = 4;
	l.probe.verdict_at = 1;
	l.probe.verdict = DISRUPTOR_RELEASE;
	disruptor_store_relaxed(&l.probe.hold_at, UINT64_C(1));
	line_ready(&l);
	probe_publish(&l.producer, 4);
	graph_start(l.d);
	probe_await_hold(&l.probe);
	runner_start(&blocked, "a producer blocked by a held stage", claim_two, &l);
	await_sleeps(disruptor_ring(l.d), 1);
	assert_false(runner_done(&blocked));
	/* on to position 2 and no further: the batch does not end, so only RELEASE frees slots */
	disruptor_store_release(&l.probe.hold_at, UINT64_C(2));
	runner_join(&blocked);
	probe_let_go(&l.probe);
	disruptor_producer_handoff(&l.producer.view);
	graph_drain(l.d);
	probe_expect(&l.probe, 0, 6);
	line_close(&l);
}

TEST(stop_verdict_ends_the_run_behind_its_event)
{
	struct line l;

	line_open(&l, 16);
	l.probe.verdict_at = 2;
	l.probe.verdict = DISRUPTOR_STOP;
	probe_publish(&l.producer, 6);
	graph_start(l.d);
	probe_await_stops(&l.probe, 1);
	graph_drain(l.d);
	probe_expect(&l.probe, 0, 3);
	assert_int_equal(disruptor_stage_position(l.probe.stage), 3);
	assert_string_equal(l.probe.calls, "sbeeex");
	probe_forget(&l.probe);
	line_run(&l);
	probe_expect(&l.probe, 3, 6);
	line_close(&l);
}

TEST(unknown_verdict_is_a_failure)
{
	struct line l;

	line_open(&l, 4);
	l.probe.verdict_at = 0;
	l.probe.verdict = DISRUPTOR_SKIP + 1;
	probe_publish(&l.producer, 1);
	graph_run_to_failure(l.d);
	assert_code(disruptor_failure(l.d).code, DISRUPTOR_E_INVAL);
	line_close(&l);
}

/* ---- failures: T44, T45 ---- */

/* Six events in batches of three; the one at @p position fails, once. */
static void fail_at(uint64_t position)
{
	struct disruptor_options options = fixture_options(16);
	struct disruptor_failure why;
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.batch = 3;
	l.probe.verdict_at = position;
	l.probe.verdict = -42;
	line_ready(&l);
	probe_publish(&l.producer, 6);
	graph_run_to_failure(l.d);
	assert_detail("probe");
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_FAILED);
	why = disruptor_failure(l.d);
	assert_int_equal(why.code, -42);
	assert_string_equal(why.stage, "probe");
	assert_string_equal(why.hook, "on_event");
	assert_int_equal(why.position, position);
	/* what was before it is released, it and what is behind it are not */
	assert_int_equal(disruptor_stage_position(l.probe.stage), position);
	probe_expect(&l.probe, 0, position + 1);
	/* nothing is dropped or told twice but the event that failed */
	probe_forget(&l.probe);
	line_run(&l);
	probe_expect(&l.probe, position, 6);
	assert_int_equal(disruptor_failure(l.d).code, 0);
	line_close(&l);
}

TEST(failure_at_the_first_event_of_a_batch)
{
	fail_at(0);
	fail_at(3);
}

TEST(failure_in_the_middle_of_a_batch)
{
	fail_at(1);
	fail_at(4);
}

TEST(failure_at_the_last_event_of_a_batch)
{
	fail_at(2);
	fail_at(5);
}

TEST(failure_of_on_batch_names_the_hook)
{
	struct line l;

	line_open(&l, 16);
	l.probe.batch_answer = -7;
	probe_publish(&l.producer, 2);
	graph_run_to_failure(l.d);
	assert_string_equal(disruptor_failure(l.d).hook, "on_batch");
	assert_int_equal(disruptor_failure(l.d).code, -7);
	assert_string_equal(l.probe.calls, "sbx");
	l.probe.batch_answer = 0;
	probe_forget(&l.probe);
	line_run(&l);
	probe_expect(&l.probe, 0, 2);
	line_close(&l);
}

TEST(failure_of_on_start_fails_the_start)
{
	struct line l;

	line_open(&l, 16);
	l.probe.start_answer = -9;
	assert_code(disruptor_start(l.d), DISRUPTOR_E_FAILED);
	assert_detail("on_start");
	assert_detail("probe");
	assert_string_equal(l.probe.calls, "sx");
	assert_int_equal(disruptor_state(l.d), DISRUPTOR_FAILED);
	assert_int_equal(disruptor_failure(l.d).code, -9);
	assert_null(tick_claim(&l.producer));
	assert_code(tick_status(&l.producer), DISRUPTOR_E_FAILED);
	l.probe.start_answer = 0;
	probe_forget(&l.probe);
	graph_start(l.d);
	probe_publish(&l.producer, 3);
	graph_drain(l.d);
	probe_expect(&l.probe, 0, 3);
	line_close(&l);
}

TEST(failure_of_on_idle_names_the_hook)
{
	struct disruptor_options options = fixture_options(16);
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.wait.timeout_ns = 1000000;
	l.probe.idle_answer = -3;
	line_ready(&l);
	graph_run_to_failure(l.d);
	assert_string_equal(disruptor_failure(l.d).hook, "on_idle");
	assert_int_equal(disruptor_load_acquire(&l.probe.idles), 1);
	line_close(&l);
}

static int refuse_to_wait(void *context, uint64_t round)
{
	(void)context;
	(void)round;
	return -77;
}

TEST(failure_of_a_custom_wait_strategy_fails_the_stage)
{
	struct disruptor_options options = fixture_options(16);
	struct line l;

	line_begin(&l, &options);
	l.probe.handler.wait = disruptor_wait_custom(refuse_to_wait, NULL);
	line_ready(&l);
	graph_run_to_failure(l.d);
	assert_string_equal(disruptor_failure(l.d).hook, "wait");
	assert_int_equal(disruptor_failure(l.d).code, -77);
	line_close(&l);
}

/* ---- idling ---- */

TEST(idle_repeats_and_events_are_handled_in_between)
{
	struct disruptor_options options = fixture_options(16);

	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct line l;

		line_begin(&l, &options);
		l.probe.handler.wait = fixture_wait(i);
		l.probe.handler.wait.timeout_ns = 2000000;
		line_ready(&l);
		graph_start(l.d);
		while (disruptor_load_acquire(&l.probe.idles) < 3)
			pause_ms(1);
		probe_publish(&l.producer, 2);
		probe_await(&l.probe, 2);
		graph_drain(l.d);
		probe_expect(&l.probe, 0, 2);
		assert_memory_equal(l.probe.calls, "siii", 4);
		line_close(&l);
	}
}

TEST(idle_is_not_called_without_a_timeout)
{
	struct line l;

	line_open(&l, 16);
	graph_start(l.d);
	pause_ms(20);
	graph_drain(l.d);
	assert_string_equal(l.probe.calls, "sx");
	line_close(&l);
}

/* ---- hooks that are not there ---- */

static uint64_t seen;

static int count_event(void *context, void *event, uint64_t position, int last)
{
	(void)context;
	(void)event;
	(void)position;
	(void)last;
	seen++;
	return DISRUPTOR_CONTINUE;
}

TEST(every_hook_but_on_event_may_be_missing)
{
	struct disruptor_options options = fixture_options(8);
	struct line l;

	line_begin(&l, &options);
	l.probe.handler = (struct disruptor_handler){ .size = sizeof(l.probe.handler),
						      .name = "bare",
						      .on_event = count_event };
	l.probe.handler.wait.timeout_ns = 1000000;
	line_ready(&l);
	seen = 0;
	graph_start(l.d);
	pause_ms(5);
	probe_publish(&l.producer, 20);
	graph_drain(l.d);
	assert_int_equal(seen, 20);
	line_close(&l);
}

/* T50: one function, two contexts, two sequences. */
TEST(same_function_with_two_contexts_is_two_stages)
{
	struct disruptor_options options = fixture_options(8);
	struct probe other;
	struct line l;

	line_begin(&l, &options);
	line_ready(&l);
	probe_init(&other, "other");
	probe_add(&other, l.d);
	other.verdict_at = 1;
	other.verdict = DISRUPTOR_STOP;
	probe_publish(&l.producer, 4);
	graph_start(l.d);
	probe_await_stops(&other, 1);
	graph_drain(l.d);
	probe_expect(&l.probe, 0, 4);
	probe_expect(&other, 0, 2);
	line_close(&l);
}

/* The batches of a packed ring's stage. */
TEST(packed_ring_feeds_a_stage)
{
	struct disruptor_options options = fixture_options(16);
	struct line l;

	options.layout = DISRUPTOR_PACKED;
	line_begin(&l, &options);
	line_ready(&l);
	probe_publish(&l.producer, 10);
	line_run(&l);
	probe_expect(&l.probe, 0, 10);
	assert_string_equal(l.probe.calls, "sbeeeebeeeebeex");
	line_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(batches_have_their_size_and_depth),
		RUN(only_the_last_event_of_a_batch_is_flagged),
		RUN(batch_limit_of_the_handler_is_kept),
		RUN(batches_of_a_trickle_sum_to_the_events),
		RUN(void_in_the_middle_of_a_batch_is_passed_over),
		RUN(void_at_the_end_leaves_the_flag_to_the_last_real_event),
		RUN(void_at_the_front_is_passed_over),
		RUN(batch_of_voids_is_released_without_a_call),
		RUN(voids_are_passed_over_in_every_stage),
		RUN(released_event_frees_exactly_the_slots_up_to_it),
		RUN(released_event_wakes_a_blocked_producer),
		RUN(stop_verdict_ends_the_run_behind_its_event),
		RUN(unknown_verdict_is_a_failure),
		RUN(failure_at_the_first_event_of_a_batch),
		RUN(failure_in_the_middle_of_a_batch),
		RUN(failure_at_the_last_event_of_a_batch),
		RUN(failure_of_on_batch_names_the_hook),
		RUN(failure_of_on_start_fails_the_start),
		RUN(failure_of_on_idle_names_the_hook),
		RUN(failure_of_a_custom_wait_strategy_fails_the_stage),
		RUN(idle_repeats_and_events_are_handled_in_between),
		RUN(idle_is_not_called_without_a_timeout),
		RUN(every_hook_but_on_event_may_be_missing),
		RUN(same_function_with_two_contexts_is_two_stages),
		RUN(packed_ring_feeds_a_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
