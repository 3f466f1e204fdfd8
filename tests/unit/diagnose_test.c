/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who is blocking whom: each way to stand still has its own verdict, with the right names in it. */
#include "probe.h"

#include <string.h>

/* Two stages in a row and a producer; and what the last look at them found. */
struct scene {
	struct disruptor *d;
	struct probe first, second;
	struct tick_producer producer;
	struct disruptor_diagnosis found;
};

static void scene_open(struct scene *s, uint64_t capacity, enum disruptor_producers producers,
		       unsigned flags)
{
	struct disruptor_options options = fixture_options(capacity);

	options.producers = producers;
	options.flags = flags;
	s->d = graph_open(&options);
	probe_init(&s->first, "first");
	probe_init(&s->second, "second");
	probe_add(&s->first, s->d);
	probe_add(&s->second, s->d);
	assert_code(disruptor_after(s->second.stage, s->first.stage), 0);
	probe_producer(&s->producer, s->d);
}

static void scene_close(struct scene *s)
{
	probe_let_go(&s->first);
	probe_let_go(&s->second);
	assert_code(tick_producer_close(&s->producer), 0);
	graph_close(&s->d);
}

static void look(struct scene *s)
{
	s->found.size = sizeof(s->found);
	assert_code(disruptor_diagnose(s->d, &s->found), 0);
	assert_int_equal(s->found.size, sizeof(s->found));
}

/* Looks are repeated until one shows what is awaited: threads may be on their way to it. */
struct sought {
	struct scene *s;
	uint32_t stage;
	enum disruptor_activity activity;
	uint64_t for_ns;
	uint32_t blocked;
};

static bool is_found(void *context)
{
	struct sought *w = context;
	const struct disruptor_stage_diagnosis *e = &w->s->found.stages[w->stage];

	look(w->s);
	return e->activity == w->activity && e->for_ns >= w->for_ns &&
	       w->s->found.blocked_count >= w->blocked;
}

static void await_activity(struct scene *s, uint32_t stage, enum disruptor_activity activity)
{
	struct sought w = { .s = s, .stage = stage, .activity = activity };

	await("a stage's activity", is_found, &w);
}

static void check_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static char report[4096];

static const char *report_of(const struct scene *s)
{
	assert_true(disruptor_diagnosis_text(&s->found, report, sizeof(report)) < sizeof(report));
	return report;
}

static const char *activity_of(const struct scene *s, uint32_t stage)
{
	static char text[128];

	assert_true(disruptor_activity_text(&s->found.stages[stage], text, sizeof(text)) <
		    sizeof(text));
	return text;
}

TEST(a_disruptor_that_was_not_started_says_so)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	look(&s);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_IDLE);
	assert_int_equal(s.found.stage_count, 2);
	assert_string_equal(activity_of(&s, 0), "not started");
	probe_publish(&s.producer, 3);
	look(&s);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_NOT_RUN);
	assert_string_equal(s.found.verdict, "not run: stage 'first' is 3 behind, not started");
	assert_int_equal(s.found.state, DISRUPTOR_INIT);
	scene_close(&s);
}

TEST(nothing_to_do_is_idle)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	graph_start(s.d);
	probe_publish(&s.producer, 5);
	probe_await(&s.second, 5);
	await_activity(&s, 1, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_IDLE);
	assert_string_equal(s.found.verdict, "idle: everything published has been released");
	assert_int_equal(s.found.stages[0].behind + s.found.stages[1].behind, 0);
	assert_int_equal(s.found.claimed, 5);
	assert_int_equal(s.found.unpublished, 5);
	check_text(activity_of(&s, 0), "waits for events");
	scene_close(&s);
}

TEST(how_long_a_stage_has_waited_is_told)
{
	struct sought w = { .activity = DISRUPTOR_ACTIVITY_AWAITS_EVENTS, .for_ns = 20000000 };
	struct scene s;

	w.s = &s;
	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	graph_start(s.d);
	await("a stage that has waited for 20 ms", is_found, &w);
	check_text(activity_of(&s, 0), "waits for events (");
	check_text(activity_of(&s, 0), "s)");
	scene_close(&s);
}

/* The first stage is in its handler at position 2, with the ring full behind it. */
static void hold_first_full(struct scene *s)
{
	s->first.handler.batch = 0;
	disruptor_store_release(&s->first.hold_at, UINT64_C(2));
	graph_start(s->d);
	probe_publish(&s->producer, 2);
	probe_await(&s->second, 2);
	probe_publish(&s->producer, 8);
	probe_await_hold(&s->first);
}

TEST(a_handler_that_stays_is_named_with_its_lag_and_position)
{
	struct sought w = { .activity = DISRUPTOR_ACTIVITY_HANDLING, .for_ns = 20000000 };
	struct scene s;

	w.s = &s;
	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	hold_first_full(&s);
	await("a handler that has taken 20 ms", is_found, &w);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_FULL);
	assert_int_equal(s.found.slowest, 0);
	assert_int_equal(s.found.stages[0].position, 2);
	assert_int_equal(s.found.stages[0].behind, 8);
	assert_int_equal(s.found.stages[0].ready, 8);
	check_text(s.found.verdict,
		   "full: stage 'first' is 8 behind, in its handler at position 2 for ");

	assert_int_equal(s.found.stages[1].activity, DISRUPTOR_ACTIVITY_AWAITS_STAGE);
	assert_string_equal(s.found.stages[1].waits_for, "first");
	assert_int_equal(s.found.stages[1].ready, 0);
	check_text(activity_of(&s, 1), "waits for stage 'first'");

	check_text(report_of(&s), s.found.verdict);
	check_text(report, "  RUNNING, 8 slots, 10 claimed\n");
	check_text(report, "  stage 'first': at 2, 8 behind, in its handler at position 2 for ");
	check_text(report, "  stage 'second': at 2, 8 behind, waits for stage 'first'");
	scene_close(&s);
}

TEST(without_figures_it_is_known_whom_but_not_since_when)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, DISRUPTOR_NO_STATS);
	hold_first_full(&s);
	look(&s);
	assert_string_equal(s.found.verdict,
			    "full: stage 'first' is 8 behind, in its handler at position 2");
	scene_close(&s);
}

static void publish_one(void *context)
{
	struct tick_producer *p = context;
	struct tick *t;

	(void)disruptor_producer_handoff(&p->view);
	t = tick_claim(p);
	if (!t)
		return;
	t->value = disruptor_producer_position(&p->view);
	(void)tick_publish(p);
}

TEST(a_blocked_producer_is_told_with_whom_it_waits_for)
{
	struct sought w = { .activity = DISRUPTOR_ACTIVITY_HANDLING, .blocked = 1 };
	const struct disruptor_producer_diagnosis *b;
	struct disruptor_producer_stats stats = { .size = sizeof(stats) };
	struct runner t;
	struct scene s;

	w.s = &s;
	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	hold_first_full(&s);
	runner_start(&t, "a producer that waits for room", publish_one, &s.producer);
	await("a blocked producer", is_found, &w);
	b = &s.found.blocked[0];
	assert_string_equal(b->name, "producer");
	assert_string_equal(b->waits_for, "first");
	assert_int_equal(b->needs, 3);
	pause_ms(20);
	look(&s);
	assert_true(b->for_ns > 0);
	assert_int_equal(disruptor_producer_stats(s.d, &stats, 1), 1);
	assert_true(stats.blocked_ns > 0);
	check_text(report_of(&s), "  producer 'producer': blocked for ");
	check_text(report, ", waits for 'first' to reach 3\n");
	probe_let_go(&s.first);
	runner_join(&t);
	look(&s);
	assert_int_equal(s.found.blocked_count, 0);
	assert_code(disruptor_producer_handoff(&s.producer.view), 0);
	scene_close(&s);
}

static void publish_four(void *context)
{
	struct tick_producer *p = context;

	(void)disruptor_producer_handoff(&p->view);
	if (tick_claim_n(p, 4))
		(void)tick_abort(p);
}

/* There are free slots, but not as many as it needs: that is full, for it. */
TEST(a_producer_of_many_slots_may_be_blocked_by_a_ring_that_has_some)
{
	struct sought w = { .activity = DISRUPTOR_ACTIVITY_HANDLING, .blocked = 1 };
	struct runner t;
	struct scene s;

	w.s = &s;
	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	disruptor_store_release(&s.first.hold_at, UINT64_C(0));
	graph_start(s.d);
	probe_publish(&s.producer, 6);
	probe_await_hold(&s.first);
	look(&s);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_RUNNING);
	runner_start(&t, "a producer that waits for four slots", publish_four, &s.producer);
	await("a blocked producer", is_found, &w);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_FULL);
	assert_int_equal(s.found.blocked[0].needs, 2);
	probe_let_go(&s.first);
	runner_join(&t);
	assert_code(disruptor_producer_handoff(&s.producer.view), 0);
	scene_close(&s);
}

/* More than a diagnosis has room for: they are counted. */
TEST(producers_that_have_no_room_in_a_diagnosis_are_counted)
{
	enum { PRODUCERS = DISRUPTOR_BLOCKED_MAX + 2 };
	struct sought w = { .activity = DISRUPTOR_ACTIVITY_HANDLING, .blocked = PRODUCERS };
	struct disruptor_options options = fixture_options(8);
	struct tick_producer p[PRODUCERS];
	struct runner t[PRODUCERS];
	const char *at;
	struct scene s;
	unsigned named = 0;

	w.s = &s;
	options.producers = DISRUPTOR_MANY;
	options.max_producers = PRODUCERS + 1;
	s.d = graph_open(&options);
	probe_init(&s.first, "first");
	probe_init(&s.second, "second");
	probe_add(&s.first, s.d);
	probe_producer(&s.producer, s.d);
	disruptor_store_release(&s.first.hold_at, UINT64_C(0));
	graph_start(s.d);
	probe_publish(&s.producer, 8);
	probe_await_hold(&s.first);
	for (size_t i = 0; i < PRODUCERS; i++) {
		probe_producer(&p[i], s.d);
		runner_start(&t[i], "a producer that waits for room", publish_one, &p[i]);
	}
	await("blocked producers", is_found, &w);
	assert_int_equal(s.found.blocked_count, PRODUCERS);
	for (at = report_of(&s); (at = strstr(at, "  producer 'producer': blocked")); at++)
		named++;
	assert_int_equal(named, DISRUPTOR_BLOCKED_MAX);
	check_text(report, "\n  and 2 producers more are blocked\n");
	probe_let_go(&s.first);
	for (size_t i = 0; i < PRODUCERS; i++) {
		runner_join(&t[i]);
		assert_code(disruptor_producer_handoff(&p[i].view), 0);
		assert_code(tick_producer_close(&p[i]), 0);
	}
	look(&s);
	assert_int_equal(s.found.blocked_count, 0);
	scene_close(&s);
}

/* Both stand at the same position; the one that was added first only waits for the other. */
TEST(who_waits_for_another_is_not_the_cause)
{
	struct disruptor_options options = fixture_options(8);
	struct scene s;

	s.d = graph_open(&options);
	probe_init(&s.second, "late");
	probe_init(&s.first, "early");
	probe_add(&s.second, s.d);
	probe_add(&s.first, s.d);
	assert_code(disruptor_after(s.second.stage, s.first.stage), 0);
	probe_producer(&s.producer, s.d);
	disruptor_store_release(&s.first.hold_at, UINT64_C(0));
	graph_start(s.d);
	probe_publish(&s.producer, 8);
	probe_await_hold(&s.first);
	await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_STAGE);
	assert_int_equal(s.found.slowest, 1);
	check_text(s.found.verdict, "full: stage 'early' is 8 behind, in its handler");
	scene_close(&s);
}

TEST(an_unpublished_claim_names_its_producer)
{
	const struct disruptor_producer_options named = { .size = sizeof(named), .name = "gw" };
	struct tick_producer gw;
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_MANY, 0);
	assert_code(tick_producer_open(&gw, disruptor_ring(s.d), &named), 0);
	graph_start(s.d);
	probe_publish(&s.producer, 5);
	assert_non_null(tick_claim(&gw));
	probe_publish(&s.producer, 2); /* is published, and waits all the same */
	probe_await(&s.second, 5);
	await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_PRODUCER);
	pause_ms(20);
	await_activity(&s, 1, DISRUPTOR_ACTIVITY_AWAITS_STAGE);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_UNPUBLISHED);
	assert_int_equal(s.found.unpublished, 5);
	assert_string_equal(s.found.unpublished_by, "gw");
	assert_true(s.found.unpublished_ns >= 20000000);
	check_text(s.found.verdict, "position 5, claimed by producer 'gw' at least ");
	check_text(s.found.verdict,
		   " ago, is neither published nor aborted: every stage waits for it");
	assert_string_equal(s.found.stages[0].waits_for, "gw");
	check_text(activity_of(&s, 0), "waits for position 5, claimed by producer 'gw'");
	check_text(report_of(&s), "not published from 5 on, which 'gw' has claimed at least ");

	assert_code(tick_abort(&gw), 0);
	probe_await(&s.second, 7);
	await_activity(&s, 1, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
	assert_string_equal(s.found.unpublished_by, "");
	assert_int_equal(s.found.unpublished_ns, 0);
	assert_code(tick_producer_close(&gw), 0);
	scene_close(&s);
}

/* The stage that is held is who stands in the way, not the claim further on. */
TEST(an_unpublished_claim_that_nobody_has_come_to_is_not_the_cause)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	disruptor_store_release(&s.first.hold_at, UINT64_C(0));
	graph_start(s.d);
	probe_publish(&s.producer, 2);
	probe_await_hold(&s.first);
	assert_non_null(tick_claim(&s.producer));
	look(&s);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_RUNNING);
	check_text(s.found.verdict,
		   "running: stage 'first' is 3 behind, in its handler at position 0");
	assert_int_equal(s.found.unpublished, 2);
	assert_string_equal(s.found.unpublished_by, "producer");
	assert_code(tick_abort(&s.producer), 0);
	scene_close(&s);
}

TEST(a_failed_ring_says_who_failed_it)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	s.first.verdict_at = 1;
	s.first.verdict = -42;
	probe_publish(&s.producer, 3);
	graph_run_to_failure(s.d);
	look(&s);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_FAILED);
	assert_string_equal(s.found.verdict,
			    "failed: stage 'first': on_event answered -42 at position 1");
	scene_close(&s);
}

TEST(a_stage_that_has_ended_holds_the_others)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	s.second.verdict_at = 0;
	s.second.verdict = DISRUPTOR_STOP;
	graph_start(s.d);
	probe_publish(&s.producer, 1);
	probe_await_stops(&s.second, 1);
	probe_publish(&s.producer, 8);
	probe_await(&s.first, 9);
	await_activity(&s, 1, DISRUPTOR_ACTIVITY_ENDED);
	assert_string_equal(s.found.verdict, "full: stage 'second' is 8 behind, ended");
	scene_close(&s);
}

TEST(a_callers_consumer_is_told_too)
{
	const struct disruptor_consumer_options named = { .size = sizeof(named), .name = "tail" };
	struct tick_consumer tail;
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	assert_code(tick_consumer_open(&tail, disruptor_ring(s.d), &named), 0);
	graph_start(s.d);
	probe_publish(&s.producer, 8);
	probe_await(&s.second, 8);
	await_activity(&s, 1, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
	assert_int_equal(s.found.stage_count, 3);
	assert_false(s.found.stages[2].is_stage);
	assert_string_equal(s.found.verdict,
			    "full: consumer 'tail' is 8 behind, at position 0 with events ready");
	assert_code(tick_consumer_close(&tail), 0);
	look(&s);
	assert_int_equal(s.found.stage_count, 2);
	assert_int_equal(s.found.finding, DISRUPTOR_FINDING_IDLE);
	scene_close(&s);
}

/* From a handler: the disruptor's monitor is free while one runs, and it finds itself. */
static void diagnose_inside(void *context)
{
	look(context);
}

TEST(a_handler_may_ask)
{
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	s.second.act = diagnose_inside;
	s.second.act_context = &s;
	graph_start(s.d);
	probe_publish(&s.producer, 1);
	graph_drain(s.d);
	assert_int_equal(s.found.stages[1].activity, DISRUPTOR_ACTIVITY_HANDLING);
	assert_int_equal(s.found.stages[1].ready, 1);
	scene_close(&s);
}

/* An on_start that stays until it is let go. */
static DISRUPTOR_ATOMIC(uint32_t) held;

static int stay_in_start(void *context)
{
	(void)context;
	while (disruptor_load_acquire(&held))
		pause_ms(1);
	return 0;
}

static void start_it(void *context)
{
	(void)!disruptor_start(context);
}

TEST(a_start_that_takes_long_is_seen)
{
	struct disruptor_options options = fixture_options(8);
	struct probe p;
	struct runner t;
	struct scene s;

	disruptor_store_release(&held, 1u);
	s.d = graph_open(&options);
	probe_init(&p, "slow");
	p.handler.on_start = stay_in_start;
	probe_add(&p, s.d);
	runner_start(&t, "who starts it", start_it, s.d);
	await_activity(&s, 0, DISRUPTOR_ACTIVITY_STARTING);
	assert_int_equal(s.found.state, DISRUPTOR_STARTING);
	assert_string_equal(activity_of(&s, 0), "in its on_start");
	disruptor_store_release(&held, 0u);
	runner_join(&t);
	await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
	graph_close(&s.d);
}

/* ---- pools ---- */

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->value;
}

/* Two workers in the place of the stages. */
static struct disruptor_stage *crew_open(struct scene *s, bool keyed)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_handler h[2];
	const struct disruptor_pool_options o = { .size = sizeof(o),
						  .name = "crew",
						  .handlers = h,
						  .count = 2,
						  .key = keyed ? key_of : NULL };
	struct disruptor_stage *pool;

	s->d = graph_open(&options);
	probe_init(&s->first, "ann");
	probe_init(&s->second, "bob");
	h[0] = s->first.handler;
	h[1] = s->second.handler;
	pool = disruptor_pool(s->d, &o);
	assert_non_null(pool);
	probe_producer(&s->producer, s->d);
	return pool;
}

TEST(a_pool_does_what_the_worker_does_that_holds_it_up)
{
	for (int keyed = 0; keyed <= 1; keyed++) {
		struct scene s;

		(void)crew_open(&s, keyed);
		disruptor_store_release(&s.first.hold_at, UINT64_C(0));
		disruptor_store_release(&s.second.hold_at, UINT64_C(0));
		graph_start(s.d);
		await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
		probe_publish(&s.producer, 1);
		await_activity(&s, 0, DISRUPTOR_ACTIVITY_HANDLING);
		assert_string_equal(s.found.stages[0].name, "crew");
		assert_int_equal(s.found.stages[0].position, 0);
		assert_int_equal(s.found.slowest, 0);
		assert_int_equal(s.found.finding, DISRUPTOR_FINDING_RUNNING);
		check_text(s.found.verdict,
			   "running: stage 'crew' is 1 behind, in its handler at position 0");
		probe_let_go(&s.first);
		probe_let_go(&s.second);
		await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
		scene_close(&s);
	}
}

static bool has_ended(void *pool)
{
	return !disruptor_stage_running(pool);
}

TEST(a_pool_that_nobody_works_for_is_told_like_a_stage)
{
	for (int keyed = 0; keyed <= 1; keyed++) {
		struct disruptor_stage *pool;
		struct scene s;

		pool = crew_open(&s, keyed);
		probe_publish(&s.producer, 3);
		look(&s);
		assert_int_equal(s.found.stages[0].activity, DISRUPTOR_ACTIVITY_NOT_STARTED);
		assert_int_equal(s.found.finding, DISRUPTOR_FINDING_NOT_RUN);
		check_text(s.found.verdict, "not run: stage 'crew' is 3 behind, not started");
		graph_start(s.d);
		await_activity(&s, 0, DISRUPTOR_ACTIVITY_AWAITS_EVENTS);
		disruptor_stage_stop(pool);
		await("the workers' end", has_ended, pool);
		probe_publish(&s.producer, 2);
		look(&s);
		assert_int_equal(s.found.stages[0].activity, DISRUPTOR_ACTIVITY_ENDED);
		assert_int_equal(s.found.finding, DISRUPTOR_FINDING_NOT_RUN);
		check_text(s.found.verdict, "not run: stage 'crew' is 2 behind, ended");
		scene_close(&s);
	}
}

/* ---- as text ---- */

TEST(a_text_that_does_not_fit_is_cut)
{
	struct scene s;
	size_t whole;
	char cut[20];

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	look(&s);
	whole = disruptor_diagnosis_text(&s.found, NULL, 0);
	assert_int_equal(disruptor_diagnosis_text(&s.found, report, sizeof(report)), whole);
	assert_int_equal(strlen(report), whole);
	assert_int_equal(disruptor_diagnosis_text(&s.found, cut, sizeof(cut)), whole);
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
	assert_int_equal(strncmp(cut, report, sizeof(cut) - 1), 0);
	scene_close(&s);
}

TEST(what_lasts_is_told_in_seconds)
{
	static const struct {
		uint64_t for_ns;
		const char *text;
	} table[] = {
		{ 999999, "in its handler at position 7" },
		{ 1000000, "in its handler at position 7 for 1 ms" },
		{ 999999999, "in its handler at position 7 for 999 ms" },
		{ 1000000000, "in its handler at position 7 for 1.0 s" },
		{ 61987654321, "in its handler at position 7 for 61.9 s" },
	};
	struct scene s;

	memset(&s.found, 0, sizeof(s.found));
	s.found.stages[0].activity = DISRUPTOR_ACTIVITY_HANDLING;
	s.found.stages[0].position = 7;
	for (size_t i = 0; i < COUNT(table); i++) {
		s.found.stages[0].for_ns = table[i].for_ns;
		assert_string_equal(activity_of(&s, 0), table[i].text);
	}
	s.found.claimed = 9;
	s.found.unpublished = 8;
	s.found.unpublished_ns = UINT64_C(2500000000);
	check_text(report_of(&s),
		   "not published from 8 on, which '' has claimed at least 2.5 s ago\n");
}

TEST(names_of_activities_and_findings)
{
	assert_string_equal(disruptor_activity_name(DISRUPTOR_ACTIVITY_HANDLING), "handling");
	assert_string_equal(disruptor_finding_name(DISRUPTOR_FINDING_FULL), "full");
	assert_null(disruptor_activity_name((enum disruptor_activity)99));
	assert_null(disruptor_finding_name((enum disruptor_finding)99));
}

TEST(refused_arguments)
{
	struct disruptor_diagnosis out = { .size = 3 };
	struct scene s;

	scene_open(&s, 8, DISRUPTOR_SINGLE, 0);
	assert_code(disruptor_diagnose(NULL, &out), DISRUPTOR_E_INVAL);
	assert_code(disruptor_diagnose(s.d, NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_diagnose(s.d, &out), DISRUPTOR_E_VERSION);
	scene_close(&s);
}

/* ---- while it runs ---- */

struct asker {
	struct scene *s;
	DISRUPTOR_ATOMIC(uint32_t) over;
	uint64_t looks, wrong;
};

/* Ask all there is to ask until told to end; count what cannot be. */
static void ask_on(void *context)
{
	struct asker *a = context;
	struct disruptor_stage_stats stats[2] = { { .size = sizeof(stats[0]) } };
	struct disruptor_diagnosis found = { .size = sizeof(found) };
	struct disruptor_producer_stats producer = { .size = sizeof(producer) };
	char text[1024];
	uint64_t claimed = 0;

	while (!disruptor_load_acquire(&a->over)) {
		a->wrong += disruptor_diagnose(a->s->d, &found) != 0;
		a->wrong += found.stage_count != 2 || found.claimed < claimed;
		a->wrong += found.unpublished > found.claimed;
		for (uint32_t i = 0; i < 2; i++)
			a->wrong += found.stages[i].position > found.claimed;
		claimed = found.claimed;
		a->wrong += disruptor_stats(a->s->d, stats, 2) != 2;
		a->wrong += stats[0].events > stats[0].position + 64;
		a->wrong += disruptor_producer_stats(a->s->d, &producer, 1) != 1;
		a->wrong += disruptor_diagnosis_text(&found, text, sizeof(text)) == 0;
		if (++a->looks % 16 == 0)
			pause_ms(1); /* there may be fewer cores than threads */
	}
}

TEST(asking_while_it_runs_disturbs_nobody)
{
	const uint64_t events = FIXTURE_TSAN ? 10000 : 100000;
	struct asker a = { 0 };
	struct runner t;
	struct scene s;

	scene_open(&s, 64, DISRUPTOR_MANY, 0);
	a.s = &s;
	runner_start(&t, "who asks", ask_on, &a);
	graph_start(s.d);
	probe_publish(&s.producer, events);
	graph_drain(s.d);
	disruptor_store_release(&a.over, 1u);
	runner_join(&t);
	assert_int_equal(a.wrong, 0);
	assert_true(a.looks > 0);
	probe_expect(&s.second, 0, events);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_disruptor_that_was_not_started_says_so),
		RUN(nothing_to_do_is_idle),
		RUN(how_long_a_stage_has_waited_is_told),
		RUN(a_handler_that_stays_is_named_with_its_lag_and_position),
		RUN(without_figures_it_is_known_whom_but_not_since_when),
		RUN(a_blocked_producer_is_told_with_whom_it_waits_for),
		RUN(a_producer_of_many_slots_may_be_blocked_by_a_ring_that_has_some),
		RUN(producers_that_have_no_room_in_a_diagnosis_are_counted),
		RUN(who_waits_for_another_is_not_the_cause),
		RUN(an_unpublished_claim_names_its_producer),
		RUN(an_unpublished_claim_that_nobody_has_come_to_is_not_the_cause),
		RUN(a_failed_ring_says_who_failed_it),
		RUN(a_stage_that_has_ended_holds_the_others),
		RUN(a_callers_consumer_is_told_too),
		RUN(a_handler_may_ask),
		RUN(a_start_that_takes_long_is_seen),
		RUN(a_pool_does_what_the_worker_does_that_holds_it_up),
		RUN(a_pool_that_nobody_works_for_is_told_like_a_stage),
		RUN(a_text_that_does_not_fit_is_cut),
		RUN(what_lasts_is_told_in_seconds),
		RUN(names_of_activities_and_findings),
		RUN(refused_arguments),
		RUN(asking_while_it_runs_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
