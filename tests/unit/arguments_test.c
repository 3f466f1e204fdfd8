/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Arguments that are refused where the other tests of their functions do not go: each has a code
 * and a detail that names it, and leaves the graph so that the right call works behind it.
 */
#include "probe.h"

#define CAPACITY 8

struct graph {
	struct disruptor *d;
	struct probe first, second;
};

static void open_graph(struct graph *g)
{
	const struct disruptor_options o = fixture_options(CAPACITY);

	g->d = graph_open(&o);
	probe_init(&g->first, "first");
	probe_add(&g->first, g->d);
	probe_init(&g->second, "second");
}

/* It runs, and @p events go through its first stage. */
static void expect_it_works(struct graph *g, uint64_t events)
{
	struct tick_producer p;

	graph_start(g->d);
	probe_producer(&p, g->d);
	probe_publish(&p, events);
	assert_code(tick_producer_close(&p), 0);
	graph_drain(g->d);
	probe_expect(&g->first, 0, events);
}

TEST(a_place_that_is_none_is_refused_to_a_stage_that_comes)
{
	struct disruptor_attach how = { .size = sizeof(how), .after_count = 2 };
	struct disruptor_stage *many[DISRUPTOR_MAX_CONSUMERS + 1];
	struct graph g;

	open_graph(&g);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = g.first.stage;
	assert_null(disruptor_attach(g.d, &g.second.handler, &how));
	assert_detail("after: NULL");
	how.after = many;
	how.after_count = COUNT(many);
	assert_null(disruptor_attach(g.d, &g.second.handler, &how));
	assert_detail("after: at most 64");
	how.after_count = 1;
	how.size = 0;
	assert_null(disruptor_attach(g.d, &g.second.handler, &how));
	assert_detail("attach");
	how.size = sizeof(how);
	g.second.stage = disruptor_attach(g.d, &g.second.handler, &how);
	assert_non_null(g.second.stage);
	expect_it_works(&g, 3);
	probe_expect(&g.second, 0, 3);
	graph_close(&g.d);
}

TEST(no_stage_leaves_by_a_mode_that_is_none)
{
	struct graph g;

	open_graph(&g);
	assert_code(disruptor_detach(NULL, DISRUPTOR_DRAIN, 0), DISRUPTOR_E_INVAL);
	assert_detail("stage: NULL");
	assert_code(disruptor_detach(g.first.stage, (enum disruptor_stop_mode)99, 0),
		    DISRUPTOR_E_INVAL);
	assert_detail("mode: 99");
	expect_it_works(&g, 3);
	graph_close(&g.d);
}

TEST(a_stage_comes_only_after_a_consumer_of_its_own_ring)
{
	struct disruptor_consumer closed = { 0 };
	struct fixture other;
	struct graph g;

	open_graph(&g);
	fixture_open(&other, CAPACITY, 1);
	assert_code(disruptor_after_consumer(NULL, &other.consumer[0].view), DISRUPTOR_E_INVAL);
	assert_detail("later: NULL");
	assert_code(disruptor_after_consumer(g.first.stage, NULL), DISRUPTOR_E_INVAL);
	assert_detail("earlier: NULL");
	assert_code(disruptor_after_consumer(g.first.stage, &other.consumer[0].view),
		    DISRUPTOR_E_INVAL);
	assert_detail("first");
	assert_code(disruptor_after_consumer(g.first.stage, &closed), DISRUPTOR_E_INVAL);
	assert_detail("first");
	fixture_close(&other);
	expect_it_works(&g, 3);
	graph_close(&g.d);
}

TEST(a_thread_has_cpus_of_a_length_that_can_be_kept)
{
	char cpus[128];
	struct disruptor_thread thread = { .name = "shared", .cpus = cpus };
	const struct disruptor_executor e = {
		.size = sizeof(e), .mapping = DISRUPTOR_MAP_PLACED, .threads = 1, .thread = &thread
	};
	struct graph g;

	open_graph(&g);
	assert_code(disruptor_place(NULL, 0), DISRUPTOR_E_INVAL);
	assert_detail("stage: NULL");
	for (size_t i = 0; i < sizeof(cpus); i++)
		cpus[i] = i % 2 ? ',' : '0';
	cpus[sizeof(cpus) - 1] = '\0';
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("more than 63 bytes");
	thread.cpus = NULL;
	assert_code(disruptor_set_executor(g.d, &e), 0);
	assert_code(disruptor_place(g.first.stage, 0), 0);
	expect_it_works(&g, 3);
	graph_close(&g.d);
}

TEST(fields_that_are_reserved_are_zero)
{
	struct disruptor_policy policy = { .size = sizeof(policy),
					   .remedy = DISRUPTOR_REMEDY_SKIP,
					   .reserved = 1 };
	struct disruptor_consumer_options o = { .size = sizeof(o), .if_dead = 2 };
	struct tick_consumer c;
	struct graph g;

	open_graph(&g);
	assert_code(disruptor_stage_set_policy(g.first.stage, &policy), DISRUPTOR_E_INVAL);
	assert_detail("reserved: 1");
	assert_code(tick_consumer_open(&c, disruptor_ring(g.d), &o), DISRUPTOR_E_INVAL);
	assert_detail("if_dead: 2");
	o.if_dead = DISRUPTOR_OPTIONAL;
	assert_code(tick_consumer_open(&c, disruptor_ring(g.d), &o), DISRUPTOR_E_INVAL);
	assert_detail("no other process");
	policy.reserved = 0;
	assert_code(disruptor_stage_set_policy(g.first.stage, &policy), 0);
	expect_it_works(&g, 3);
	graph_close(&g.d);
}

TEST(figures_of_producers_need_a_table)
{
	struct disruptor_producer_stats table = { .size = sizeof(table) };
	struct tick_producer p;
	struct graph g;

	open_graph(&g);
	assert_code(disruptor_producer_stats(NULL, &table, 1), DISRUPTOR_E_INVAL);
	assert_detail("d: NULL");
	assert_code(disruptor_producer_stats(g.d, NULL, 1), DISRUPTOR_E_INVAL);
	assert_detail("table: NULL");
	probe_producer(&p, g.d);
	assert_int_equal(disruptor_producer_stats(g.d, NULL, 0), 1);
	assert_int_equal(disruptor_producer_stats(g.d, &table, 1), 1);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&g.d);
}

TEST(a_view_that_is_not_open_is_handed_to_nobody)
{
	struct disruptor_producer closed = { 0 };

	assert_code(disruptor_producer_handoff(&closed), DISRUPTOR_E_INVAL);
	assert_detail("not open");
}

TEST(events_beyond_a_gigabyte_are_not_conflated)
{
	const struct disruptor_type huge = bytes_type((uint32_t)INT32_MAX / 2 + 1, 8);
	struct disruptor_conflate_options o = { .size = sizeof(o), .keys = 1 };
	struct disruptor_conflate *c = NULL;

	assert_code(disruptor_conflate_create(&c, &huge, &o), DISRUPTOR_E_TOO_BIG);
	assert_detail("size: 1073741824");
	assert_null(c);
}

/* ---- spans in a checked run ---- */

struct spanner {
	uint64_t calls, wrong;
	uint64_t claims; /* what it says of how many it has handled */
	int verdict;
	size_t touches; /* a byte of the event that it adds 1 to */
};

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled, int last)
{
	struct spanner *s = context;
	struct tick *t = span->first;

	(void)last;
	s->wrong += span->count != 1 || *handled != 1 || span->position != s->calls ||
		    t->value != span->position;
	s->calls++;
	((unsigned char *)span->first)[s->touches]++;
	*handled = s->claims;
	return s->verdict;
}

/* A checked run of two events through one span handler that may write `from`; how it ended. */
static struct disruptor_failure run_checked(struct spanner *s)
{
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .flags = DISRUPTOR_CHECK_RUN };
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = "spans",
				       .context = s,
				       .on_span = on_span,
				       .reads = "value",
				       .writes = "from" };
	struct disruptor *d = graph_open(&o);
	struct disruptor_failure failure;
	struct tick_producer p;

	assert_code(disruptor_set_checks(d, &checks), 0);
	assert_non_null(disruptor_stage(d, &h));
	graph_start(d);
	probe_producer(&p, d);
	for (uint64_t i = 0; i < 2; i++) {
		struct tick *t = tick_claim(&p);

		if (!t) /* the first has failed it */
			break;
		t->value = i;
		(void)tick_publish(&p);
	}
	(void)tick_producer_close(&p);
	(void)disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS));
	failure = disruptor_failure(d);
	if (failure.code != 0)
		assert_string_equal(failure.stage, "spans");
	failure.stage = NULL; /* it lives as long as the disruptor */
	graph_close(&d);
	return failure;
}

TEST(a_checked_run_hands_spans_of_one_event)
{
	struct spanner s = { .claims = 1, .touches = offsetof(struct tick, from) };

	assert_code(run_checked(&s).code, 0);
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.wrong, 0);
}

TEST(a_span_that_writes_what_it_does_not_declare_fails_a_checked_run)
{
	struct spanner s = { .claims = 1, .touches = offsetof(struct tick, value) };
	struct disruptor_failure f = run_checked(&s);

	assert_code(f.code, DISRUPTOR_E_CONFLICT);
	assert_int_equal(f.position, 0);
	assert_int_equal(s.calls, 1);
}

TEST(a_span_of_one_event_handles_that_one_or_says_why_not)
{
	struct spanner more = { .claims = 2, .touches = offsetof(struct tick, from) };
	struct spanner none = { .claims = 0, .touches = offsetof(struct tick, from) };

	assert_code(run_checked(&more).code, DISRUPTOR_E_INVAL);
	assert_code(run_checked(&none).code, DISRUPTOR_E_INVAL);
	assert_int_equal(more.calls, 1);
	assert_int_equal(none.calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_place_that_is_none_is_refused_to_a_stage_that_comes),
		RUN(no_stage_leaves_by_a_mode_that_is_none),
		RUN(a_stage_comes_only_after_a_consumer_of_its_own_ring),
		RUN(a_thread_has_cpus_of_a_length_that_can_be_kept),
		RUN(fields_that_are_reserved_are_zero),
		RUN(figures_of_producers_need_a_table),
		RUN(a_view_that_is_not_open_is_handed_to_nobody),
		RUN(events_beyond_a_gigabyte_are_not_conflated),
		RUN(a_checked_run_hands_spans_of_one_event),
		RUN(a_span_that_writes_what_it_does_not_declare_fails_a_checked_run),
		RUN(a_span_of_one_event_handles_that_one_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
