/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Verdicts that repeat, and what a stage's policy does about failures. Rows T33, T42, T44, T45, T47. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#define CODE (-42)
#define EVENTS 6

/* A stage whose handler follows a script, and writes down what it was called with. */
struct script {
	struct disruptor_handler handler;
	struct disruptor_stage *stage;
	struct disruptor *d;
	struct tick_producer producer;
	struct probe *behind; /* if any: at position 3 it is waited for, until handed all before */
	int verdict[EVENTS];  /* answered at that position … */
	unsigned times[EVENTS]; /* … so many times */
	char trace[512];        /* "0 1 2! r0-2 0 1 2 |": | behind the last of a batch */
	unsigned start_fails, batch_fails, idle_fails, stop_fails;
	DISRUPTOR_ATOMIC(uint64_t) calls;
	DISRUPTOR_ATOMIC(uint64_t) ended;
	DISRUPTOR_ATOMIC(uint64_t) idles;
	/* what `ask` was told */
	struct disruptor_failure failure;
	uint64_t attempts;
	enum disruptor_remedy advice;
};

static void note(struct script *s, const char *format, uint64_t a, uint64_t b)
{
	size_t length = strlen(s->trace);

	(void)snprintf(s->trace + length, sizeof(s->trace) - length, format, (unsigned)a,
		       (unsigned)b);
}

static int fail_some(struct script *s, unsigned *left, const char *what)
{
	if (*left == 0)
		return 0;
	--*left;
	note(s, what, 0, 0);
	return CODE;
}

static int on_start(void *context)
{
	struct script *s = context;

	return fail_some(s, &s->start_fails, "start! ");
}

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	struct script *s = context;

	(void)size, (void)depth;
	return fail_some(s, &s->batch_fails, "batch! ");
}

static int on_idle(void *context)
{
	struct script *s = context;

	disruptor_fetch_add_relaxed(&s->idles, UINT64_C(1));
	return fail_some(s, &s->idle_fails, "idle! ");
}

static int on_stop(void *context)
{
	struct script *s = context;
	int rc = fail_some(s, &s->stop_fails, "stop! ");

	disruptor_fetch_add_relaxed(&s->ended, (uint64_t)(rc == 0));
	return rc;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct script *s = context;
	bool odd = position < EVENTS && s->times[position] > 0;

	(void)event;
	while (s->behind && position == 3 && disruptor_load_acquire(&s->behind->events) < 3)
		pause_ms(1);
	note(s, odd ? "%u! " : "%u ", position, 0);
	if (last)
		note(s, "| ", 0, 0);
	disruptor_fetch_add_relaxed(&s->calls, UINT64_C(1));
	if (!odd)
		return DISRUPTOR_CONTINUE;
	s->times[position]--;
	return s->verdict[position];
}

static void on_rewind(void *context, uint64_t from, uint64_t to)
{
	note(context, "r%u-%u ", from, to);
}

static enum disruptor_remedy ask(void *context, const struct disruptor_failure *failure,
				 uint64_t attempt)
{
	struct script *s = context;

	s->failure = *failure;
	s->attempts = attempt;
	return s->advice;
}

static void script_open_with(struct script *s, unsigned flags)
{
	struct disruptor_options options = fixture_options(16);

	memset(s, 0, sizeof(*s));
	options.flags = flags;
	s->d = graph_open(&options);
	s->handler = (struct disruptor_handler){
		.size = sizeof(s->handler),
		.name = "scripted",
		.context = s,
		.on_start = on_start,
		.on_batch = on_batch,
		.on_event = on_event,
		.on_idle = on_idle,
		.on_stop = on_stop,
		.on_rewind = on_rewind,
		.batch = EVENTS,
	};
}

static void script_open(struct script *s)
{
	script_open_with(s, 0);
}

static void script_ready(struct script *s, const struct disruptor_policy *policy)
{
	s->stage = disruptor_stage(s->d, &s->handler);
	assert_non_null(s->stage);
	if (policy)
		assert_code(disruptor_stage_set_policy(s->stage, policy), 0);
	probe_producer(&s->producer, s->d);
}

static void script_close(struct script *s)
{
	assert_code(tick_producer_close(&s->producer), 0);
	graph_close(&s->d);
}

static struct disruptor_policy policy(enum disruptor_remedy remedy, uint32_t times,
				      enum disruptor_remedy then)
{
	return (struct disruptor_policy){ .size = sizeof(struct disruptor_policy),
					  .remedy = remedy,
					  .times = times,
					  .then = then };
}

/* Six events, of which position @p at answers @p verdict @p times times. */
static void run(struct script *s, const struct disruptor_policy *p, uint64_t at, int verdict,
		unsigned times)
{
	script_open(s);
	s->verdict[at] = verdict;
	s->times[at] = times;
	script_ready(s, p);
	probe_publish(&s->producer, EVENTS);
}

static void expect_run(struct script *s, const char *trace)
{
	graph_start(s->d);
	graph_drain(s->d);
	assert_string_equal(s->trace, trace);
	assert_int_equal(disruptor_stage_position(s->stage), EVENTS);
	assert_int_equal(disruptor_load_acquire(&s->ended), 1);
	script_close(s);
}

static void expect_failure(struct script *s, const char *trace, const char *hook, uint64_t position,
			   uint64_t released)
{
	graph_run_to_failure(s->d);
	assert_string_equal(s->trace, trace);
	assert_string_equal(disruptor_failure(s->d).hook, hook);
	assert_string_equal(disruptor_failure(s->d).stage, "scripted");
	assert_int_equal(disruptor_failure(s->d).position, position);
	assert_int_equal(disruptor_stage_position(s->stage), released);
	assert_null(tick_claim(&s->producer));
	assert_code(tick_status(&s->producer), DISRUPTOR_E_FAILED);
	script_close(s);
}

/* ---- verdicts ---- */

TEST(retry_hands_out_the_event_again)
{
	struct script s;

	run(&s, NULL, 2, DISRUPTOR_RETRY, 3);
	graph_start(s.d);
	graph_drain(s.d);
	assert_string_equal(s.trace, "0 1 2! 2! 2! 2 3 4 5 | ");
	assert_int_equal(disruptor_stage_trouble(s.stage).retries, 3);
	script_close(&s);
}

TEST(rewind_hands_out_the_batch_again)
{
	struct script s;

	run(&s, NULL, 2, DISRUPTOR_REWIND, 2);
	graph_start(s.d);
	graph_drain(s.d);
	assert_string_equal(s.trace, "0 1 2! r0-2 0 1 2! r0-2 0 1 2 3 4 5 | ");
	assert_int_equal(disruptor_stage_trouble(s.stage).rewinds, 2);
	script_close(&s);
}

TEST(skip_goes_on_and_is_counted)
{
	struct script s;

	run(&s, NULL, 5, DISRUPTOR_SKIP, 1);
	graph_start(s.d);
	graph_drain(s.d);
	assert_string_equal(s.trace, "0 1 2 3 4 5! | ");
	assert_int_equal(disruptor_stage_trouble(s.stage).skipped, 1);
	script_close(&s);
}

/* T47: others may have seen what was released. */
TEST(rewind_below_a_release_fails)
{
	struct script s;

	run(&s, NULL, 3, DISRUPTOR_REWIND, 1);
	s.verdict[1] = DISRUPTOR_RELEASE;
	s.times[1] = 1;
	graph_run_to_failure(s.d);
	assert_code(disruptor_failure(s.d).code, DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_failure(s.d).position, 3);
	assert_int_equal(disruptor_stage_position(s.stage), 2);
	script_close(&s);
}

/* T47: a dependant sees nothing of a batch that is rewound, with batches of three. */
TEST(rewound_batch_is_seen_by_nobody_behind)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_REWIND, 2, DISRUPTOR_REMEDY_FAIL);
	struct probe behind;
	struct script s;

	script_open(&s);
	s.handler.batch = 3;
	s.verdict[4] = CODE;
	s.times[4] = 3;
	script_ready(&s, &p);
	probe_init(&behind, "behind");
	probe_add(&behind, s.d);
	assert_code(disruptor_after(behind.stage, s.stage), 0);
	s.behind = &behind; /* the failure stops it, wherever it is */
	probe_publish(&s.producer, EVENTS);
	graph_run_to_failure(s.d);
	probe_expect(&behind, 0, 3);
	assert_string_equal(s.trace, "0 1 2 | 3 4! r3-4 3 4! r3-4 3 4! ");
	script_close(&s);
}

/* ---- policies: T42, T44 ---- */

static const uint64_t places[] = { 0, 2, 5 }; /* first, middle, last of the batch */

TEST(default_policy_fails_the_ring)
{
	static const char *const traces[] = { "0! ", "0 1 2! ", "0 1 2 3 4 5! | " };
	struct script s;

	for (size_t i = 0; i < COUNT(places); i++) {
		run(&s, NULL, places[i], CODE, 1);
		expect_failure(&s, traces[i], "on_event", places[i], places[i]);
	}
}

TEST(skip_policy_goes_on_behind_the_event)
{
	static const char *const traces[] = { "0! 1 2 3 4 5 | ", "0 1 2! 3 4 5 | ",
					      "0 1 2 3 4 5! | " };
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_SKIP, 0, DISRUPTOR_REMEDY_FAIL);
	struct script s;

	for (size_t i = 0; i < COUNT(places); i++) {
		run(&s, &p, places[i], CODE, 9);
		expect_run(&s, traces[i]);
	}
}

TEST(retry_policy_tries_so_often_and_then_skips_or_fails)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_RETRY, 2, DISRUPTOR_REMEDY_SKIP);
	struct script s;

	run(&s, &p, 2, CODE, 2);
	expect_run(&s, "0 1 2! 2! 2 3 4 5 | ");
	run(&s, &p, 2, CODE, 9);
	expect_run(&s, "0 1 2! 2! 2! 3 4 5 | ");
	p.then = DISRUPTOR_REMEDY_FAIL;
	run(&s, &p, 2, CODE, 9);
	expect_failure(&s, "0 1 2! 2! 2! ", "on_event", 2, 2);
	/* it bounds the verdict, too */
	run(&s, &p, 2, DISRUPTOR_RETRY, 9);
	expect_failure(&s, "0 1 2! 2! 2! ", "on_event", 2, 2);
}

TEST(rewind_policy_replays_so_often_and_then_skips_the_event_or_fails_the_batch)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_REWIND, 1, DISRUPTOR_REMEDY_SKIP);
	struct script s;

	run(&s, &p, 2, CODE, 1);
	expect_run(&s, "0 1 2! r0-2 0 1 2 3 4 5 | ");
	run(&s, &p, 2, CODE, 9);
	expect_run(&s, "0 1 2! r0-2 0 1 2! r0-2 0 1 | 3 4 5 | ");
	run(&s, &p, 0, CODE, 9);
	expect_run(&s, "0! r0-0 0! r0-0 1 2 3 4 5 | ");
	run(&s, &p, 5, DISRUPTOR_REWIND, 9);
	expect_run(&s, "0 1 2 3 4 5! | r0-5 0 1 2 3 4 5! | r0-5 0 1 2 3 4 | ");
	p.then = DISRUPTOR_REMEDY_FAIL;
	run(&s, &p, 2, CODE, 9);
	expect_failure(&s, "0 1 2! r0-2 0 1 2! ", "on_event", 2, 0);
}

/* Each of two bad events of one batch has its attempts. */
/* What went wrong is counted in any case; how much went well only if figures are. */
TEST(an_event_that_is_passed_over_is_no_figure_where_none_are_kept)
{
	const struct disruptor_policy p = policy(DISRUPTOR_REMEDY_REWIND, 2, DISRUPTOR_REMEDY_SKIP);

	for (int off = 0; off <= 1; off++) {
		struct disruptor_stage_stats stats = { .size = sizeof(stats) };
		struct script s;

		script_open_with(&s, off ? DISRUPTOR_NO_STATS : 0);
		s.verdict[2] = CODE;
		s.times[2] = 99;
		script_ready(&s, &p);
		probe_publish(&s.producer, EVENTS);
		graph_start(s.d);
		graph_drain(s.d);
		assert_int_equal(disruptor_stage_position(s.stage), EVENTS);
		assert_int_equal(disruptor_stage_trouble(s.stage).skipped, 1);
		assert_true(disruptor_stage_trouble(s.stage).rewinds >= 2);
		assert_code(disruptor_stage_stats(s.stage, &stats), 0);
		assert_int_equal(stats.events, off ? 0 : EVENTS);
		assert_int_equal(stats.batches, off ? 0 : 2);
		assert_int_equal(off ? stats.batch_at + stats.lag_max : 0, 0);
		script_close(&s);
	}
}

TEST(two_events_that_rewinding_does_not_help_are_both_skipped)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_REWIND, 1, DISRUPTOR_REMEDY_SKIP);
	struct script s;

	run(&s, &p, 1, CODE, 9);
	s.verdict[3] = CODE;
	s.times[3] = 9;
	graph_start(s.d);
	graph_drain(s.d);
	assert_string_equal(s.trace, "0 1! r0-1 0 1! r0-1 0 | 2 3! r2-3 2 3! r2-3 2 | 4 5 | ");
	assert_int_equal(disruptor_stage_trouble(s.stage).skipped, 2);
	script_close(&s);
}

TEST(callback_is_asked_with_all_that_is_known)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_ASK, 0, DISRUPTOR_REMEDY_FAIL);
	struct script s;

	p.ask = ask;
	p.context = &s;
	run(&s, &p, 2, CODE, 1);
	s.advice = DISRUPTOR_REMEDY_RETRY;
	expect_run(&s, "0 1 2! 2 3 4 5 | ");
	assert_int_equal(s.failure.code, CODE);
	assert_string_equal(s.failure.hook, "on_event");
	assert_int_equal(s.failure.position, 2);
	assert_int_equal(s.attempts, 1);
	run(&s, &p, 2, CODE, 9);
	s.advice = DISRUPTOR_REMEDY_FAIL;
	expect_failure(&s, "0 1 2! ", "on_event", 2, 2);
	run(&s, &p, 2, CODE, 9);
	s.advice = DISRUPTOR_REMEDY_SKIP;
	expect_run(&s, "0 1 2! 3 4 5 | ");
	run(&s, &p, 2, CODE, 9);
	s.advice = DISRUPTOR_REMEDY_ASK; /* no answer */
	expect_failure(&s, "0 1 2! ", "on_event", 2, 2);
}

/* ---- hooks: T45 ---- */

static void hook_run(const struct disruptor_policy *p, const char *hook, struct script *s,
		     size_t member)
{
	unsigned once = 1;

	script_open(s);
	if (strcmp(hook, "on_idle") == 0)
		s->handler.wait.timeout_ns = 1000000;
	memcpy((char *)s + member, &once, sizeof(once));
	script_ready(s, p);
	if (strcmp(hook, "on_idle") != 0)
		probe_publish(&s->producer, EVENTS);
}

static bool has_idled(void *context)
{
	return disruptor_load_acquire(&((struct script *)context)->idles) > 1;
}

static const struct {
	const char *hook, *trace;
	size_t member;
} hooks[] = {
	{ "on_start", "start! ", offsetof(struct script, start_fails) },
	{ "on_batch", "batch! ", offsetof(struct script, batch_fails) },
	{ "on_idle", "idle! ", offsetof(struct script, idle_fails) },
	{ "on_stop", "stop! ", offsetof(struct script, stop_fails) },
};

TEST(hook_that_fails_is_handled_like_an_event)
{
	static const enum disruptor_remedy remedies[] = { DISRUPTOR_REMEDY_SKIP,
							  DISRUPTOR_REMEDY_RETRY,
							  DISRUPTOR_REMEDY_REWIND };

	for (size_t i = 0; i < COUNT(hooks); i++)
		for (size_t k = 0; k < COUNT(remedies); k++) {
			struct disruptor_policy p =
				policy(remedies[k], k > 0, DISRUPTOR_REMEDY_FAIL);
			struct script s;

			hook_run(&p, hooks[i].hook, &s, hooks[i].member);
			graph_start(s.d);
			if (i == 2) {
				await("a stage that should idle", has_idled, &s);
				probe_publish(&s.producer, EVENTS);
			}
			graph_drain(s.d);
			assert_non_null(strstr(s.trace, hooks[i].trace));
			assert_int_equal(disruptor_stage_position(s.stage), EVENTS);
			/* skipped, a stop is over; retried, it is called again */
			assert_int_equal(disruptor_load_acquire(&s.ended),
					 i == 3 && k == 0 ? 0 : 1);
			script_close(&s);
		}
}

static bool has_failed(void *context)
{
	return disruptor_state(context) == DISRUPTOR_FAILED;
}

TEST(hook_that_fails_the_ring_is_named)
{
	for (size_t i = 0; i < COUNT(hooks); i++) {
		struct script s;
		int rc;

		hook_run(NULL, hooks[i].hook, &s, hooks[i].member);
		rc = disruptor_start(s.d);
		if (rc == 0 && i == 3)
			rc = disruptor_stop(s.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS));
		else if (rc == 0)
			await("a stage that should have failed", has_failed, s.d);
		if (i == 0 || i == 3) /* the start, or the stop, tells of it */
			assert_code(rc, DISRUPTOR_E_FAILED);
		assert_int_equal(disruptor_state(s.d), DISRUPTOR_FAILED);
		assert_string_equal(disruptor_failure(s.d).hook, hooks[i].hook);
		assert_int_equal(disruptor_failure(s.d).code, CODE);
		script_close(&s);
	}
}

/* ---- changing it while it runs: T33 ---- */

TEST(policy_may_be_changed_while_an_event_is_retried)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_SKIP, 0, DISRUPTOR_REMEDY_FAIL);
	struct script s;

	run(&s, NULL, 2, DISRUPTOR_RETRY, 1000000);
	p = policy(DISRUPTOR_REMEDY_RETRY, UINT32_MAX, DISRUPTOR_REMEDY_SKIP);
	p.pause_ns = 1000000;
	assert_code(disruptor_stage_set_policy(s.stage, &p), 0);
	graph_start(s.d);
	while (disruptor_load_acquire(&s.calls) < 6)
		pause_ms(1);
	p = policy(DISRUPTOR_REMEDY_RETRY, 1, DISRUPTOR_REMEDY_SKIP);
	assert_code(disruptor_stage_set_policy(s.stage, &p), 0);
	graph_drain(s.d);
	assert_int_equal(disruptor_stage_position(s.stage), EVENTS);
	assert_int_equal(disruptor_stage_trouble(s.stage).skipped, 1);
	script_close(&s);
}

TEST(policy_may_be_changed_while_the_stage_sleeps)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_SKIP, 0, DISRUPTOR_REMEDY_FAIL);
	struct script s;

	script_open(&s);
	s.verdict[0] = CODE;
	s.times[0] = 1;
	script_ready(&s, NULL);
	graph_start(s.d);
	await_sleeps(disruptor_ring(s.d), 1);
	assert_code(disruptor_stage_set_policy(s.stage, &p), 0);
	probe_publish(&s.producer, EVENTS);
	graph_drain(s.d);
	assert_int_equal(disruptor_load_acquire(&s.calls), EVENTS);
	script_close(&s);
}

TEST(stop_ends_a_stage_that_retries_for_ever)
{
	struct script s;

	run(&s, NULL, 2, DISRUPTOR_RETRY, UINT32_MAX);
	graph_start(s.d);
	while (disruptor_load_acquire(&s.calls) < 6)
		pause_ms(1);
	assert_code(disruptor_stop(s.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_int_equal(disruptor_stage_position(s.stage), 2);
	s.times[2] = 0;
	s.trace[0] = '\0';
	graph_start(s.d);
	graph_drain(s.d);
	assert_string_equal(s.trace, "2 3 4 5 | ");
	script_close(&s);
}

TEST(policies_that_are_none_are_refused)
{
	struct disruptor_policy p = policy((enum disruptor_remedy)7, 0, DISRUPTOR_REMEDY_FAIL);
	struct script s;

	script_open(&s);
	script_ready(&s, NULL);
	assert_code(disruptor_stage_set_policy(s.stage, &p), DISRUPTOR_E_INVAL);
	assert_detail("remedy");
	p = policy(DISRUPTOR_REMEDY_RETRY, 0, DISRUPTOR_REMEDY_FAIL);
	assert_code(disruptor_stage_set_policy(s.stage, &p), DISRUPTOR_E_INVAL);
	assert_detail("times");
	p = policy(DISRUPTOR_REMEDY_SKIP, 1, DISRUPTOR_REMEDY_FAIL);
	assert_code(disruptor_stage_set_policy(s.stage, &p), DISRUPTOR_E_INVAL);
	assert_detail("times");
	p = policy(DISRUPTOR_REMEDY_RETRY, 1, DISRUPTOR_REMEDY_ASK);
	assert_code(disruptor_stage_set_policy(s.stage, &p), DISRUPTOR_E_INVAL);
	assert_detail("then");
	p = policy(DISRUPTOR_REMEDY_ASK, 0, DISRUPTOR_REMEDY_FAIL);
	assert_code(disruptor_stage_set_policy(s.stage, &p), DISRUPTOR_E_INVAL);
	assert_detail("ask");
	assert_code(disruptor_stage_set_policy(s.stage, NULL), DISRUPTOR_E_INVAL);
	script_close(&s);
}

struct change {
	struct script s;
	struct disruptor_policy to;
	int code;
};

/* In the handler of the event that is retried, so between two events of a batch. */
static int on_event_that_changes(void *context, void *event, uint64_t position, int last)
{
	struct change *c = context;

	if (position == 1)
		c->code = disruptor_stage_set_policy(c->s.stage, &c->to);
	return on_event(&c->s, event, position, last);
}

/* T33: what was set amid a batch is for the rest of it, and no event is lost or comes twice. */
TEST(policy_may_be_changed_in_the_middle_of_a_batch)
{
	struct change c;

	script_open(&c.s);
	c.to = policy(DISRUPTOR_REMEDY_RETRY, 1, DISRUPTOR_REMEDY_SKIP);
	c.s.handler = (struct disruptor_handler){ .size = sizeof(c.s.handler),
						  .name = "scripted",
						  .context = &c,
						  .on_event = on_event_that_changes,
						  .batch = EVENTS };
	c.s.verdict[3] = c.s.verdict[4] = CODE;
	c.s.times[3] = 1;
	c.s.times[4] = 9;
	script_ready(&c.s, NULL); /* as it was, the ring would fail at position 3 */
	probe_publish(&c.s.producer, EVENTS);
	graph_start(c.s.d);
	graph_drain(c.s.d);
	assert_code(c.code, 0);
	assert_string_equal(c.s.trace, "0 1 2 3! 3 4! 4! 5 | ");
	assert_int_equal(disruptor_stage_trouble(c.s.stage).skipped, 1);
	script_close(&c.s);
}

/* What a stage passes over, by verdict or by policy, is an event for everybody else. */
TEST(event_that_one_stage_skips_is_seen_by_those_beside_and_behind)
{
	struct disruptor_policy p = policy(DISRUPTOR_REMEDY_SKIP, 0, DISRUPTOR_REMEDY_FAIL);
	struct probe beside, behind;
	struct script s;

	script_open(&s);
	s.verdict[1] = CODE;
	s.verdict[3] = s.verdict[5] = DISRUPTOR_SKIP;
	s.times[1] = s.times[3] = s.times[5] = 1;
	script_ready(&s, &p);
	probe_init(&beside, "beside");
	probe_add(&beside, s.d);
	probe_init(&behind, "behind");
	probe_add(&behind, s.d);
	assert_code(disruptor_after(behind.stage, s.stage), 0);
	probe_publish(&s.producer, EVENTS);
	graph_start(s.d);
	graph_drain(s.d);
	assert_int_equal(disruptor_stage_trouble(s.stage).skipped, 3);
	probe_expect(&beside, 0, EVENTS);
	probe_expect(&behind, 0, EVENTS);
	assert_true(behind.last[EVENTS - 1]);
	assert_int_equal(disruptor_stage_trouble(behind.stage).skipped, 0);
	for (uint64_t at = 0; at < EVENTS; at++) /* nor has its stamp changed */
		assert_true(disruptor_ring_published(disruptor_ring(s.d), at));
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(retry_hands_out_the_event_again),
		RUN(rewind_hands_out_the_batch_again),
		RUN(skip_goes_on_and_is_counted),
		RUN(rewind_below_a_release_fails),
		RUN(rewound_batch_is_seen_by_nobody_behind),
		RUN(default_policy_fails_the_ring),
		RUN(skip_policy_goes_on_behind_the_event),
		RUN(retry_policy_tries_so_often_and_then_skips_or_fails),
		RUN(rewind_policy_replays_so_often_and_then_skips_the_event_or_fails_the_batch),
		RUN(an_event_that_is_passed_over_is_no_figure_where_none_are_kept),
		RUN(two_events_that_rewinding_does_not_help_are_both_skipped),
		RUN(callback_is_asked_with_all_that_is_known),
		RUN(hook_that_fails_is_handled_like_an_event),
		RUN(hook_that_fails_the_ring_is_named),
		RUN(policy_may_be_changed_while_an_event_is_retried),
		RUN(policy_may_be_changed_while_the_stage_sleeps),
		RUN(stop_ends_a_stage_that_retries_for_ever),
		RUN(policies_that_are_none_are_refused),
		RUN(policy_may_be_changed_in_the_middle_of_a_batch),
		RUN(event_that_one_stage_skips_is_seen_by_those_beside_and_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
