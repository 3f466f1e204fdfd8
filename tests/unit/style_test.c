/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Ways to be handed events: spans, several handlers as one, batches that linger. Row T49. */
#include "probe.h"

#include <string.h>

#define HOUR UINT64_C(3600000000000)

/* ---- spans ---- */

struct spans {
	uint64_t next; /* position */
	uint64_t count, wrong, longest;
	uint64_t most; /* handle so many of a span; 0: all */
	uint64_t verdict_at;
	int verdict;
	uint64_t lasts;
	uint64_t rewinds;
};

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled, int last)
{
	struct spans *s = context;

	s->count++;
	s->lasts += last != 0;
	s->wrong += span->count == 0 || *handled != span->count;
	if (s->most && span->count > s->most)
		*handled = s->most;
	if (span->count > s->longest)
		s->longest = span->count;
	for (uint64_t i = 0; i < *handled; i++) {
		const struct tick *t =
			(const void *)((const unsigned char *)span->first + i * span->stride);

		if (span->position + i == s->verdict_at) {
			s->verdict_at = UINT64_MAX;
			*handled = i;
			return s->verdict;
		}
		s->wrong += t->value != span->position + i || span->position + i < s->next;
		s->next = span->position + i + 1;
	}
	return DISRUPTOR_CONTINUE;
}

static void forget(void *context, uint64_t from, uint64_t to)
{
	struct spans *s = context;

	s->wrong += to < from;
	s->next = from;
	s->rewinds++;
}

struct spanned {
	struct disruptor *d;
	struct disruptor_stage *stage;
	struct tick_producer p;
	struct spans s;
};

static void spans_begin(struct spanned *g, uint64_t capacity, enum disruptor_layout layout)
{
	struct disruptor_options options = fixture_options(capacity);
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = "spans",
				       .context = &g->s,
				       .on_span = on_span,
				       .on_rewind = forget,
				       .batch = (uint32_t)capacity };

	memset(g, 0, sizeof(*g));
	g->s.verdict_at = UINT64_MAX;
	options.layout = layout;
	g->d = graph_open(&options);
	g->stage = disruptor_stage(g->d, &h);
	assert_non_null(g->stage);
	probe_producer(&g->p, g->d);
}

static void spans_end(struct spanned *g)
{
	assert_int_equal(g->s.wrong, 0);
	assert_code(tick_producer_close(&g->p), 0);
	graph_close(&g->d);
}

TEST(spans_carry_every_event_in_either_layout)
{
	for (int layout = 0; layout <= DISRUPTOR_PACKED; layout++) {
		struct spanned g;

		spans_begin(&g, 8, (enum disruptor_layout)layout);
		probe_publish(&g.p, 6);
		graph_start(g.d);
		probe_publish(&g.p, 200);
		graph_drain(g.d);
		assert_int_equal(g.s.next, 206);
		assert_in_range(g.s.longest, 1, 8);
		assert_true(g.s.lasts >= 1 && g.s.lasts <= g.s.count);
		spans_end(&g);
	}
}

TEST(what_a_span_handler_leaves_comes_again)
{
	struct spanned g;

	spans_begin(&g, 16, DISRUPTOR_STAMPED);
	g.s.most = 2;
	probe_publish(&g.p, 15);
	graph_start(g.d);
	graph_drain(g.d);
	assert_int_equal(g.s.next, 15);
	assert_int_equal(g.s.count, 8);
	assert_int_equal(g.s.lasts, 8); /* each time it was handed the rest */
	spans_end(&g);
}

TEST(spans_end_before_voids)
{
	struct spanned g;

	spans_begin(&g, 16, DISRUPTOR_STAMPED);
	probe_publish(&g.p, 3);
	assert_non_null(tick_claim(&g.p));
	assert_code(tick_abort(&g.p), 0);
	probe_publish(&g.p, 4);
	graph_start(g.d);
	graph_drain(g.d);
	assert_int_equal(g.s.next, 8);
	assert_int_equal(g.s.count, 2);
	assert_int_equal(g.s.longest, 4);
	spans_end(&g);
}

TEST(verdicts_of_a_span_are_about_what_it_handled)
{
	static const int verdicts[] = { DISRUPTOR_RELEASE, DISRUPTOR_STOP, DISRUPTOR_SKIP,
					DISRUPTOR_RETRY, DISRUPTOR_REWIND };

	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct spanned g;

		spans_begin(&g, 16, DISRUPTOR_STAMPED);
		g.s.verdict_at = 5;
		g.s.verdict = verdicts[i];
		probe_publish(&g.p, 12);
		graph_start(g.d);
		graph_drain(g.d);
		if (verdicts[i] == DISRUPTOR_STOP) {
			assert_int_equal(disruptor_stage_position(g.stage), 5);
		} else {
			assert_int_equal(disruptor_stage_position(g.stage), 12);
			assert_int_equal(g.s.next, 12);
		}
		assert_int_equal(disruptor_stage_trouble(g.stage).skipped,
				 verdicts[i] == DISRUPTOR_SKIP ? 5 : 0);
		assert_int_equal(disruptor_stage_trouble(g.stage).retries,
				 verdicts[i] == DISRUPTOR_RETRY);
		assert_int_equal(g.s.rewinds, verdicts[i] == DISRUPTOR_REWIND);
		spans_end(&g);
	}
}

TEST(a_failure_in_a_span_names_the_event_behind_what_was_handled)
{
	struct spanned g;

	spans_begin(&g, 16, DISRUPTOR_STAMPED);
	g.s.verdict_at = 5;
	g.s.verdict = -31;
	probe_publish(&g.p, 12);
	graph_run_to_failure(g.d);
	assert_int_equal(disruptor_failure(g.d).code, -31);
	assert_int_equal(disruptor_failure(g.d).position, 5);
	assert_string_equal(disruptor_failure(g.d).hook, "on_span");
	assert_int_equal(disruptor_stage_position(g.stage), 5);
	spans_end(&g);
}

static int handle_nothing(void *context, const struct disruptor_span *span, uint64_t *handled,
			  int last)
{
	(void)span;
	(void)last;
	*handled = *(uint64_t *)context;
	return DISRUPTOR_CONTINUE;
}

TEST(a_span_handler_that_counts_wrong_fails_the_ring)
{
	uint64_t counts[] = { 0, 99 };

	for (size_t i = 0; i < COUNT(counts); i++) {
		struct disruptor_options options = fixture_options(8);
		struct disruptor_handler h = { .size = sizeof(h),
					       .name = "miscounts",
					       .context = &counts[i],
					       .on_span = handle_nothing };
		struct disruptor *d = graph_open(&options);
		struct tick_producer p;

		assert_non_null(disruptor_stage(d, &h));
		probe_producer(&p, d);
		probe_publish(&p, 3);
		graph_run_to_failure(d);
		assert_code(disruptor_failure(d).code, DISRUPTOR_E_INVAL);
		assert_code(tick_producer_close(&p), 0);
		graph_close(&d);
	}
}

/* ---- several handlers as one ---- */

TEST(an_aggregate_reaches_every_member_with_every_hook)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler members[3], h;
	struct disruptor_aggregate a = { .members = members, .count = 3 };
	struct probe probe[3];
	struct tick_producer p;

	for (size_t i = 0; i < 3; i++) {
		probe_init(&probe[i], "member");
		members[i] = probe[i].handler;
	}
	h = disruptor_aggregate_handler("all", &a);
	h.wait = disruptor_wait_blocking();
	h.wait.timeout_ns = 1000000;
	assert_non_null(disruptor_stage(d, &h));
	graph_start(d);
	while (disruptor_load_relaxed(&probe[2].idles) < 2)
		pause_ms(1);
	probe_producer(&p, d);
	probe_publish(&p, 30);
	graph_drain(d);
	for (size_t i = 0; i < 3; i++) {
		probe_expect(&probe[i], 0, 30);
		assert_int_equal(probe[i].starts, 1);
		assert_int_equal(probe[i].stops, 1);
		assert_int_equal(probe[i].batches, probe[0].batches);
		assert_int_equal(probe[i].idles, probe[0].idles);
	}
	assert_true(probe[0].batches > 0);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_member_that_fails_leaves_none_out)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler members[3], h;
	struct disruptor_aggregate a = { .members = members, .count = 3 };
	struct probe probe[3];
	struct tick_producer p;

	for (size_t i = 0; i < 3; i++) {
		probe_init(&probe[i], "member");
		members[i] = probe[i].handler;
	}
	probe[0].verdict_at = probe[1].verdict_at = 4;
	probe[0].verdict = DISRUPTOR_RELEASE;
	probe[1].verdict = -12;
	probe[2].stop_answer = -13;
	h = disruptor_aggregate_handler("all", &a);
	assert_non_null(disruptor_stage(d, &h));
	probe_producer(&p, d);
	probe_publish(&p, 6);
	graph_run_to_failure(d);
	assert_int_equal(disruptor_failure(d).code, -12);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(probe[i].events, 5);
		assert_int_equal(probe[i].stops, 1);
	}
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(an_aggregate_without_proper_members_is_refused)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler member = { .size = sizeof(member), .on_span = on_span }, h;
	struct disruptor_aggregate a = { .members = &member };

	h = disruptor_aggregate_handler("none", &a);
	assert_detail("no members");
	assert_null(disruptor_stage(d, &h));
	a.count = 1;
	h = disruptor_aggregate_handler("spans", &a);
	assert_detail("members[0]");
	assert_null(disruptor_stage(d, &h));
	graph_close(&d);
}

/* ---- batches that linger ---- */

static void linger(uint32_t threads, uint64_t first, uint64_t then, uint64_t linger_ms)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;
	/* a thread that is late or early may have cut batches elsewhere: up to 7 wait for the end */
	uint64_t at_least = first + then - (linger_ms > 1000 && first >= 8 ? 7 : 0);

	if (threads == 1)
		graph_map(d, DISRUPTOR_MAP_NONE, 0);
	probe_init(&probe, "lingers");
	probe.handler.batch_min = 8;
	probe.handler.linger_ns = linger_ms * 1000000;
	probe_add(&probe, d);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, first);
	if (threads == 1)
		while (disruptor_poll_until(d, 100, in_ms(5)) > 0)
			;
	else
		pause_ms(5);
	if (linger_ms > 1000 && first < 8)
		assert_int_equal(disruptor_load_relaxed(&probe.events), 0);
	probe_publish(&p, then);
	if (threads == 1)
		while (disruptor_load_relaxed(&probe.events) < at_least &&
		       disruptor_poll_until(d, 100, in_ms(WATCHDOG_MS)) > 0)
			;
	probe_await(&probe, at_least);
	graph_drain(d);
	probe_expect(&probe, 0, first + then);
	if (linger_ms > 1000 && first < 8)
		assert_int_equal(probe.size[0], first + then);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_batch_waits_until_it_is_large_enough)
{
	for (uint32_t threads = 1; threads <= 2; threads++) {
		linger(threads, 3, 5, 3600000);
		linger(threads, 7, 1, 3600000);
		linger(threads, 9, 8, 3600000);
	}
}

TEST(a_batch_that_stays_small_is_handed_out_after_its_time)
{
	for (uint32_t threads = 1; threads <= 2; threads++) {
		linger(threads, 3, 0, 2);
		linger(threads, 7, 2, 2);
		linger(threads, 3, 0, 50); /* still lingering when it is driven again */
	}
}

TEST(the_end_and_a_void_end_the_wait_for_a_larger_batch)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "lingers");
	probe.handler.batch_min = 8;
	probe.handler.linger_ns = 20000000; /* at the latest */
	probe_add(&probe, d);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 3);
	assert_non_null(tick_claim(&p));
	assert_code(tick_abort(&p), 0);
	probe_await(&probe, 3);
	probe_publish(&p, 2);
	graph_drain(d);
	assert_int_equal(probe.events, 5);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

/* The same with an hour to wait, and all there before it begins to: nothing else could end it. */
TEST(a_void_ends_the_wait_for_a_batch_that_it_keeps_small)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "lingers");
	probe.handler.batch_min = 8;
	probe.handler.linger_ns = HOUR;
	probe_add(&probe, d);
	probe_producer(&p, d);
	probe_publish(&p, 3);
	assert_non_null(tick_claim(&p));
	assert_code(tick_abort(&p), 0);
	graph_start(d);
	probe_await(&probe, 3);
	graph_drain(d);
	assert_int_equal(probe.size[0], 3);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

/* It asks to be woken for as many as it wants, not before; and by the end, which it has not reached. */
TEST(who_waits_for_a_larger_batch_is_woken_once_it_is_there_or_by_the_end)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "lingers");
	probe.handler.batch_min = 4;
	probe.handler.linger_ns = HOUR;
	probe_add(&probe, d);
	probe_producer(&p, d);
	probe_publish(&p, 2); /* there before it begins to wait */
	graph_start(d);
	await_sleeps(disruptor_ring(d), 1);
	probe_publish(&p, 1);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).wakes, 0);
	probe_publish(&p, 1);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).wakes, 1);
	probe_await(&probe, 4);
	probe_publish(&p, 3);
	graph_drain(d);
	probe_expect(&probe, 0, 7);
	assert_int_equal(probe.size[0], 4);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

static bool has_slept_often(void *context)
{
	struct disruptor *d = context;

	return disruptor_ring_stats(disruptor_ring(d)).sleeps >= 4;
}

/* The wait strategy's own timeout passes again and again while it lingers. */
TEST(a_strategy_that_gives_up_sooner_does_not_cut_a_linger_short)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "lingers");
	probe.handler.batch_min = 4;
	probe.handler.linger_ns = HOUR;
	probe.handler.wait = disruptor_wait_blocking();
	probe.handler.wait.spins = 1; /* on a busy machine its yields alone may take that long */
	probe.handler.wait.yields = 0;
	probe.handler.wait.timeout_ns = 1000000;
	probe.handler.on_idle = NULL;
	probe_add(&probe, d);
	probe_producer(&p, d);
	probe_publish(&p, 2); /* there before it begins to wait */
	graph_start(d);
	await("a stage that lingers through four timeouts", has_slept_often, d);
	probe_publish(&p, 2);
	probe_await(&probe, 4);
	graph_drain(d);
	assert_int_equal(probe.size[0], 4);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_linger_that_makes_no_sense_is_refused)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct probe probe;

	probe_init(&probe, "lingers");
	probe.handler.batch_min = 8;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("linger_ns");
	probe.handler.linger_ns = 5;
	probe.handler.batch_min = 0;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("batch_min");
	probe.handler.batch_min = 17;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("batch of 16");
	probe.handler.on_span = on_span;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("on_span");
	graph_close(&d); /* nothing of the refused ones is left */
}

/* ---- T49: every hook to every member, in order ---- */

/* Members that write down their calls, "0s" for on_start of the first; b e i r x. */
struct member {
	size_t number;
	char *trace; /* of them all */
	char fails;  /* in that hook, once */
	uint64_t lasts;
	bool rewound;
};

static char trace[256];

static int called(struct member *m, char hook)
{
	size_t length = strlen(m->trace);

	if (length + 3 < sizeof(trace)) {
		m->trace[length] = (char)('0' + m->number);
		m->trace[length + 1] = hook;
		m->trace[length + 2] = '\0';
	}
	if (m->fails != hook)
		return 0;
	m->fails = 0;
	return -20 - (int)m->number;
}

static int member_start(void *context)
{
	return called(context, 's');
}

static int member_batch(void *context, uint64_t size, uint64_t depth)
{
	(void)size, (void)depth;
	return called(context, 'b');
}

static int member_event(void *context, void *event, uint64_t position, int last)
{
	struct member *m = context;
	int answer = called(m, 'e');

	(void)event;
	m->lasts += last != 0;
	if (answer != 0 || position != 1 || m->number != 1 || m->rewound)
		return answer;
	m->rewound = true;
	return DISRUPTOR_REWIND;
}

static void member_rewind(void *context, uint64_t from, uint64_t to)
{
	(void)from, (void)to;
	(void)called(context, 'r');
}

static int member_stop(void *context)
{
	return called(context, 'x');
}

/* Two events in one batch, which the second member has handed out again; @p fails once. */
static void members_run(size_t who, char fails, bool rewinds)
{
	const struct disruptor_policy retry = { .size = sizeof(retry),
						.remedy = DISRUPTOR_REMEDY_RETRY,
						.times = 1,
						.then = DISRUPTOR_REMEDY_FAIL };
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler handlers[3], h;
	struct disruptor_aggregate a = { .members = handlers, .count = 3 };
	struct member m[3];
	struct disruptor_stage *stage;
	struct tick_producer p;

	trace[0] = '\0';
	for (size_t i = 0; i < 3; i++) {
		m[i] = (struct member){ .number = i, .trace = trace, .rewound = !rewinds };
		handlers[i] = (struct disruptor_handler){ .size = sizeof(h),
							  .context = &m[i],
							  .on_start = member_start,
							  .on_batch = member_batch,
							  .on_event = member_event,
							  .on_rewind = member_rewind,
							  .on_stop = member_stop };
	}
	m[who].fails = fails;
	h = disruptor_aggregate_handler("all", &a);
	stage = disruptor_stage(d, &h);
	assert_non_null(stage);
	assert_code(disruptor_stage_set_policy(stage, &retry), 0);
	probe_producer(&p, d);
	probe_publish(&p, 2);
	graph_start(d);
	graph_drain(d);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(m[i].lasts, rewinds ? 2 : 1);
	assert_int_equal(disruptor_stage_position(stage), 2);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(an_aggregates_members_are_called_in_order_and_stopped_in_reverse)
{
	members_run(0, 0, true);
	assert_string_equal(trace, "0s1s2s"
				   "0b1b2b0e1e2e0e1e2e"
				   "0r1r2r"
				   "0b1b2b0e1e2e0e1e2e"
				   "2x1x0x");
}

TEST(a_hook_in_which_a_member_fails_reaches_the_others_and_all_of_them_again)
{
	for (size_t who = 0; who < 3; who++) {
		members_run(who, 's', false);
		assert_string_equal(trace, "0s1s2s0s1s2s0b1b2b0e1e2e0e1e2e2x1x0x");
		members_run(who, 'b', false);
		assert_string_equal(trace, "0s1s2s0b1b2b0b1b2b0e1e2e0e1e2e2x1x0x");
		members_run(who, 'e', false);
		assert_string_equal(trace, "0s1s2s0b1b2b0e1e2e0e1e2e0e1e2e2x1x0x");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(spans_carry_every_event_in_either_layout),
		RUN(what_a_span_handler_leaves_comes_again),
		RUN(spans_end_before_voids),
		RUN(verdicts_of_a_span_are_about_what_it_handled),
		RUN(a_failure_in_a_span_names_the_event_behind_what_was_handled),
		RUN(a_span_handler_that_counts_wrong_fails_the_ring),
		RUN(an_aggregate_reaches_every_member_with_every_hook),
		RUN(a_member_that_fails_leaves_none_out),
		RUN(an_aggregate_without_proper_members_is_refused),
		RUN(a_batch_waits_until_it_is_large_enough),
		RUN(a_batch_that_stays_small_is_handed_out_after_its_time),
		RUN(the_end_and_a_void_end_the_wait_for_a_larger_batch),
		RUN(a_void_ends_the_wait_for_a_batch_that_it_keeps_small),
		RUN(who_waits_for_a_larger_batch_is_woken_once_it_is_there_or_by_the_end),
		RUN(a_strategy_that_gives_up_sooner_does_not_cut_a_linger_short),
		RUN(a_linger_that_makes_no_sense_is_refused),
		RUN(an_aggregates_members_are_called_in_order_and_stopped_in_reverse),
		RUN(a_hook_in_which_a_member_fails_reaches_the_others_and_all_of_them_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
