/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which thread runs which stage, and stages that share one or have none. Row T78 in part. */
#define _GNU_SOURCE /* affinity */
#include "probe.h"

#if defined(__linux__)
#include <sched.h>
#endif

#define STAGES 4

struct graph {
	struct disruptor *d;
	struct probe probe[STAGES];
	struct disruptor_stage *stage[STAGES];
	struct tick_producer producer;
	uint64_t filled;
};

/* Four stages side by side. */
static void begin(struct graph *g, uint64_t capacity, enum disruptor_mapping mapping,
		  uint32_t threads)
{
	static const char *const names[STAGES] = { "one", "two", "three", "four" };
	struct disruptor_options options = fixture_options(capacity);

	g->d = graph_open(&options);
	graph_map(g->d, mapping, threads);
	for (size_t i = 0; i < STAGES; i++) {
		probe_init(&g->probe[i], names[i]);
		probe_add(&g->probe[i], g->d);
		g->stage[i] = g->probe[i].stage;
	}
	probe_producer(&g->producer, g->d);
}

static void finish(struct graph *g)
{
	assert_code(tick_producer_close(&g->producer), 0);
	graph_close(&g->d);
}

static void carries(struct graph *g, uint64_t n)
{
	uint64_t from = disruptor_stage_position(g->stage[0]);

	for (size_t i = 0; i < STAGES; i++)
		probe_forget(&g->probe[i]);
	graph_start(g->d);
	probe_publish(&g->producer, n);
	graph_drain(g->d);
	for (size_t i = 0; i < STAGES; i++)
		probe_expect(&g->probe[i], from, from + n);
}

/* ---- who runs where ---- */

TEST(a_thread_for_each_stage)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_DEDICATED, 0);
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), STAGES);
	for (uint32_t i = 0; i < STAGES; i++)
		assert_int_equal(disruptor_stage_thread(g.stage[i]), i);
	graph_drain(g.d);
	assert_int_equal(disruptor_thread_count(g.d), 0);
	finish(&g);
}

TEST(shared_threads_take_neighbours_in_the_order_of_the_graph)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_SHARED, 2);
	/* one → three, two → four: chains stay together, though they were not added so */
	assert_code(disruptor_after(g.stage[2], g.stage[0]), 0);
	assert_code(disruptor_after(g.stage[3], g.stage[1]), 0);
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), 2);
	assert_int_equal(disruptor_stage_thread(g.stage[0]), disruptor_stage_thread(g.stage[2]));
	assert_int_equal(disruptor_stage_thread(g.stage[1]), disruptor_stage_thread(g.stage[3]));
	assert_int_not_equal(disruptor_stage_thread(g.stage[0]),
			     disruptor_stage_thread(g.stage[1]));
	graph_drain(g.d);
	finish(&g);
}

TEST(more_shared_threads_than_stages_are_not_made)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_SHARED, 9);
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), STAGES);
	graph_drain(g.d);
	finish(&g);
}

TEST(the_default_makes_no_more_threads_than_stages_and_at_least_one)
{
	struct graph g;
	uint32_t threads;

	begin(&g, 8, DISRUPTOR_MAP_AUTO, 0);
	graph_start(g.d);
	threads = disruptor_thread_count(g.d);
	assert_in_range(threads, 1, STAGES);
	graph_drain(g.d);
	carries(&g, 100);
	finish(&g);
}

#if defined(__linux__) && !defined(DISRUPTOR_PLATFORM_POSIX)
TEST(on_one_processor_the_default_is_one_thread)
{
	cpu_set_t before, one;
	struct graph g;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	begin(&g, 8, DISRUPTOR_MAP_AUTO, 0);
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), 1);
	graph_drain(g.d);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	finish(&g);
}
#else
TEST(on_one_processor_the_default_is_one_thread)
{
	skip(); /* this platform layer does not know the affinity mask */
}
#endif

TEST(placed_stages_run_where_they_were_placed)
{
	static const uint32_t where[STAGES] = { 2, 0, 2, 0 };
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_PLACED, 3);
	assert_code(disruptor_start(g.d), DISRUPTOR_E_INVAL);
	assert_detail("'one' has no place");
	for (size_t i = 0; i < STAGES; i++)
		assert_code(disruptor_place(g.stage[i], where[i]), 0);
	graph_start(g.d);
	for (size_t i = 0; i < STAGES; i++)
		assert_int_equal(disruptor_stage_thread(g.stage[i]), where[i]);
	assert_int_equal(disruptor_thread_count(g.d), 2); /* nobody is on thread 1 */
	assert_code(disruptor_place(g.stage[0], 1), DISRUPTOR_E_STATE);
	graph_drain(g.d);
	assert_code(disruptor_place(g.stage[0], 3), 0);
	assert_code(disruptor_start(g.d), DISRUPTOR_E_INVAL);
	assert_detail("thread 3 of 3");
	assert_code(disruptor_place(g.stage[0], 0), 0);
	carries(&g, 100);
	finish(&g);
}

/* ---- what is refused ---- */

TEST(a_pool_is_placed_as_a_whole_or_not_at_all)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler handlers[2];
	const struct disruptor_pool_options o = {
		.size = sizeof(o), .name = "crew", .handlers = handlers, .count = 2
	};
	struct disruptor_stage *pool;
	struct probe ann, bob;

	graph_map(d, DISRUPTOR_MAP_PLACED, 2);
	probe_init(&ann, "ann");
	probe_init(&bob, "bob");
	bob.handler.stack_size = (size_t)1 << 20;
	handlers[0] = ann.handler;
	handlers[1] = bob.handler;
	pool = disruptor_pool(d, &o);
	assert_non_null(pool);
	assert_code(disruptor_place(pool, 1), DISRUPTOR_E_INVAL);
	assert_detail("stage 'bob': cpus, scheduling and stack_size");
	assert_code(disruptor_start(d), DISRUPTOR_E_INVAL);
	assert_detail("stage 'ann' has no place");
	assert_code(disruptor_place(disruptor_pool_worker(pool, 1), 1), DISRUPTOR_E_INVAL);
	assert_detail("'bob'");
	assert_code(disruptor_place(disruptor_pool_worker(pool, 0), 1), 0);
	assert_code(disruptor_start(d), DISRUPTOR_E_INVAL);
	assert_detail("stage 'bob' has no place");
	/* what has left asks for nothing */
	assert_code(disruptor_detach(disruptor_pool_worker(pool, 1), DISRUPTOR_NOW, 0), 0);
	assert_code(disruptor_place(pool, 0), 0);
	graph_start(d);
	assert_int_equal(disruptor_stage_thread(disruptor_pool_worker(pool, 0)), 0);
	assert_code(disruptor_place(pool, 1), DISRUPTOR_E_STATE);
	graph_close(&d);
}

TEST(an_executor_that_cannot_be_is_refused_by_field)
{
	struct disruptor_executor e = { .size = sizeof(e) };
	const struct disruptor_thread bad_cpus = { .cpus = "two" };
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_DEDICATED, 0);
	assert_code(disruptor_set_executor(g.d, NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_set_executor(NULL, &e), DISRUPTOR_E_INVAL);
	e.mapping = (enum disruptor_mapping)9;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("mapping");
	e.mapping = DISRUPTOR_MAP_SHARED;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("threads: 0");
	e.threads = 17;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("threads: 17");
	e.threads = 1;
	e.thread = &bad_cpus;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("thread '0': cpus");
	e.mapping = DISRUPTOR_MAP_NONE;
	e.threads = 0;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("thread:");
	e.thread = NULL;
	e.wait.reserved = 1;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_INVAL);
	assert_detail("executor: wait");
	/* and the mapping is as it was */
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), STAGES);
	e.wait.reserved = 0;
	assert_code(disruptor_set_executor(g.d, &e), DISRUPTOR_E_STATE);
	graph_drain(g.d);
	finish(&g);
}

TEST(a_stage_with_a_wish_for_its_thread_has_it_to_itself)
{
	struct graph g;

	struct disruptor_options options = fixture_options(8);
	struct disruptor_stage *picky;

	g.d = graph_open(&options);
	graph_map(g.d, DISRUPTOR_MAP_SHARED, 1);
	for (size_t i = 0; i < 3; i++) {
		probe_init(&g.probe[i], "plain");
		if (i == 1)
			g.probe[i].handler.stack_size = (size_t)1 << 20;
		probe_add(&g.probe[i], g.d);
	}
	picky = g.probe[1].stage;
	assert_code(disruptor_place(picky, 0), DISRUPTOR_E_INVAL);
	assert_detail("stack_size");
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), 2);
	assert_int_equal(disruptor_stage_thread(g.probe[0].stage),
			 disruptor_stage_thread(g.probe[2].stage));
	assert_int_not_equal(disruptor_stage_thread(g.probe[0].stage),
			     disruptor_stage_thread(picky));
	graph_drain(g.d);
	graph_close(&g.d);
}

/* ---- stages that share a thread ---- */

TEST(shared_threads_carry_every_event_to_every_stage)
{
	for (uint32_t threads = 1; threads <= STAGES; threads++) {
		struct graph g;

		begin(&g, 8, DISRUPTOR_MAP_SHARED, threads);
		assert_code(disruptor_after(g.stage[1], g.stage[0]), 0);
		assert_code(disruptor_after(g.stage[2], g.stage[0]), 0);
		assert_code(disruptor_after(g.stage[3], g.stage[1]), 0);
		assert_code(disruptor_after(g.stage[3], g.stage[2]), 0);
		carries(&g, 300);
		carries(&g, 300); /* and again, from where it stopped */
		finish(&g);
	}
}

/* Stage two of a thread stands behind a stage of the other thread: its edge has to wake it. */
TEST(each_edge_wakes_a_thread_that_sleeps_for_several)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_PLACED, 2);
	for (size_t i = 0; i < STAGES; i++)
		assert_code(disruptor_place(g.stage[i], i % 2), 0);
	assert_code(disruptor_pipeline(g.stage, STAGES), 0);
	graph_start(g.d);
	for (uint64_t i = 0; i < 20; i++) {
		probe_publish(&g.producer, 1);
		probe_await(&g.probe[3], i + 1);
		if (i % 4 == 0)
			pause_ms(5); /* both threads fall asleep */
	}
	graph_drain(g.d);
	probe_expect(&g.probe[3], 0, 20);
	finish(&g);
}

TEST(a_stage_that_ends_leaves_the_others_of_its_thread_at_work)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_SHARED, 1);
	assert_code(disruptor_after(g.stage[3], g.stage[2]), 0);
	g.probe[1].verdict_at = 4;
	g.probe[1].verdict = DISRUPTOR_STOP;
	graph_start(g.d);
	probe_publish(&g.producer, 30);
	probe_await(&g.probe[3], 30);
	probe_await_stops(&g.probe[1], 1);
	assert_false(disruptor_stage_running(g.stage[1]));
	assert_true(disruptor_stage_running(g.stage[0]));
	disruptor_stage_stop(g.stage[2]);
	probe_await_stops(&g.probe[2], 1);
	graph_drain(g.d);
	assert_int_equal(disruptor_stage_position(g.stage[1]), 5);
	probe_expect(&g.probe[0], 0, 30);
	finish(&g);
}

/* What it waits for is its own thread's: nobody wakes that edge, so the asker wakes the thread. */
TEST(a_stage_behind_another_of_its_sleeping_thread_stops_when_told)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_SHARED, 1);
	for (size_t i = 1; i < STAGES; i++)
		assert_code(disruptor_after(g.stage[i], g.stage[i - 1]), 0);
	graph_start(g.d);
	probe_publish(&g.producer, 3);
	probe_await(&g.probe[STAGES - 1], 3);
	pause_ms(20); /* asleep, most likely */
	disruptor_stage_stop(g.stage[STAGES - 1]);
	probe_await_stops(&g.probe[STAGES - 1], 1);
	assert_true(disruptor_stage_running(g.stage[0]));
	assert_code(disruptor_stop(g.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	finish(&g);
}

TEST(a_failure_ends_every_stage_of_a_shared_thread)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_SHARED, 2);
	g.probe[2].verdict_at = 3;
	g.probe[2].verdict = -77;
	probe_publish(&g.producer, 10);
	graph_run_to_failure(g.d);
	assert_int_equal(disruptor_failure(g.d).code, -77);
	assert_string_equal(disruptor_failure(g.d).stage, "three");
	for (size_t i = 0; i < STAGES; i++)
		assert_int_equal(g.probe[i].stops, 1);
	finish(&g);
}

TEST(an_on_start_that_fails_on_a_shared_thread_leaves_nothing)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_SHARED, 1);
	g.probe[1].start_answer = -5;
	assert_code(disruptor_start(g.d), DISRUPTOR_E_FAILED);
	assert_detail("'two': on_start answered -5");
	for (size_t i = 0; i < STAGES; i++) {
		assert_int_equal(g.probe[i].starts, g.probe[i].stops);
		assert_false(disruptor_stage_running(g.stage[i]));
	}
	g.probe[1].start_answer = 0;
	carries(&g, 50);
	finish(&g);
}

static int refuse_to_wait(void *context, uint64_t round)
{
	(void)context, (void)round;
	return -78;
}

/* The wait is for all that the thread runs, and so is its failure. */
static void waits_in_vain(enum disruptor_mapping mapping)
{
	struct disruptor_executor e = { .size = sizeof(e),
					.mapping = mapping,
					.threads = mapping == DISRUPTOR_MAP_SHARED,
					.wait = disruptor_wait_custom(refuse_to_wait, NULL) };
	struct graph g;

	begin(&g, 64, mapping, e.threads);
	assert_code(disruptor_set_executor(g.d, &e), 0);
	probe_publish(&g.producer, 5);
	if (mapping == DISRUPTOR_MAP_NONE) {
		graph_start(g.d);
		assert_int_equal(disruptor_poll_until(g.d, 100, in_ms(WATCHDOG_MS)), 20);
		assert_code(disruptor_poll_until(g.d, 100, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
		assert_code(disruptor_stop(g.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)),
			    DISRUPTOR_E_FAILED);
	} else {
		graph_run_to_failure(g.d);
	}
	assert_detail("stage 'one' failed: wait answered -78 at position 5");
	assert_int_equal(disruptor_failure(g.d).code, -78);
	assert_string_equal(disruptor_failure(g.d).hook, "wait");
	assert_string_equal(disruptor_failure(g.d).stage, "one");
	assert_int_equal(disruptor_failure(g.d).position, 5);
	for (size_t i = 0; i < STAGES; i++) {
		probe_expect(&g.probe[i], 0, 5); /* what was there before the wait */
		assert_int_equal(g.probe[i].stops, 1);
		assert_false(disruptor_stage_running(g.stage[i]));
	}
	e.wait = (struct disruptor_wait){ 0 };
	assert_code(disruptor_set_executor(g.d, &e), 0);
	carries(&g, 50);
	finish(&g);
}

TEST(a_custom_wait_that_fails_fails_every_stage_of_its_thread)
{
	waits_in_vain(DISRUPTOR_MAP_SHARED);
	waits_in_vain(DISRUPTOR_MAP_NONE);
}

TEST(stages_of_a_shared_thread_are_told_that_they_idle_each_by_its_own_timeout)
{
	struct disruptor_options options = fixture_options(8);
	struct tick_producer p;
	struct probe probe[2];
	struct disruptor *d = graph_open(&options);

	graph_map(d, DISRUPTOR_MAP_SHARED, 1);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&probe[i], i ? "patient" : "hasty");
		probe[i].handler.wait = disruptor_wait_blocking();
		probe[i].handler.wait.timeout_ns = i ? 0 : 2000000;
		probe_add(&probe[i], d);
	}
	graph_start(d);
	while (disruptor_load_relaxed(&probe[0].idles) < 3)
		pause_ms(1);
	probe_producer(&p, d);
	probe_publish(&p, 3);
	graph_drain(d);
	probe_expect(&probe[0], 0, 3);
	assert_int_equal(probe[1].idles, 0);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

static void fill_own_ring(void *context)
{
	struct graph *g = context;

	g->probe[0].act = NULL;
	(void)disruptor_producer_handoff(&g->producer.view);
	for (struct tick *t; (t = tick_try_claim(&g->producer)) != NULL;) {
		t->value = 1 + g->filled++;
		(void)tick_publish(&g->producer);
	}
	(void)tick_claim(&g->producer);
}

/* Stage one waits for room that stage four, of the same thread, would have to make. */
TEST(a_claim_that_waits_for_a_stage_of_the_same_thread_is_refused)
{
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_SHARED, 1);
	g.filled = 0;
	g.probe[0].act = fill_own_ring;
	g.probe[0].act_context = &g;
	probe_publish(&g.producer, 1); /* then the producer is the handler's */
	graph_start(g.d);
	probe_await(&g.probe[3], 8);
	graph_drain(g.d);
	assert_code(disruptor_producer_handoff(&g.producer.view), 0);
	assert_code(tick_status(&g.producer), DISRUPTOR_E_DEADLK);
	finish(&g);
}

/* ---- the caller drives ---- */

TEST(an_on_start_that_fails_where_the_caller_drives_leaves_nothing)
{
	for (size_t failing = 1; failing <= STAGES; failing += STAGES - 1) {
		struct graph g;

		begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
		for (size_t i = 0; i < failing; i++)
			g.probe[i].start_answer = -6;
		assert_code(disruptor_start(g.d), DISRUPTOR_E_FAILED);
		assert_detail("'one': on_start answered -6");
		assert_int_equal(disruptor_failure(g.d).code, -6);
		for (size_t i = 0; i < STAGES; i++) {
			assert_int_equal(g.probe[i].starts, 1);
			assert_int_equal(g.probe[i].stops, 1);
			assert_false(disruptor_stage_running(g.stage[i]));
			g.probe[i].start_answer = 0;
		}
		assert_code(disruptor_poll(g.d, 1), DISRUPTOR_E_STATE);
		carries(&g, 50);
		finish(&g);
	}
}

TEST(polling_drives_every_stage_within_the_budget)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	assert_code(disruptor_after(g.stage[1], g.stage[0]), 0);
	assert_code(disruptor_poll(g.d, 1), DISRUPTOR_E_STATE);
	graph_start(g.d);
	assert_int_equal(disruptor_thread_count(g.d), 0);
	assert_int_equal(g.probe[0].starts, 1);
	assert_int_equal(disruptor_poll(g.d, 100), 0);
	probe_publish(&g.producer, 10);
	assert_int_equal(disruptor_poll(g.d, 3), 3);
	assert_int_equal(g.probe[0].events, 3);
	assert_int_equal(g.probe[1].events, 0);
	assert_int_equal(disruptor_poll(g.d, 1000), 37);
	for (size_t i = 0; i < STAGES; i++)
		assert_int_equal(g.probe[i].events, 10);
	assert_code(disruptor_poll(g.d, 0), DISRUPTOR_E_INVAL);
	probe_publish(&g.producer, 2);
	graph_drain(g.d); /* drives the rest itself */
	assert_int_equal(g.probe[3].events, 12);
	assert_int_equal(g.probe[3].stops, 1);
	assert_code(disruptor_poll(g.d, 1), DISRUPTOR_E_STATE);
	carries(&g, 20);
	finish(&g);
}

/* Position 5 never succeeds. */
static int fail_at_five(void *context, void *event, uint64_t position, int last)
{
	uint64_t *handled = context;

	(void)event, (void)last;
	if (position == 5)
		return -1;
	handled[position]++;
	return DISRUPTOR_CONTINUE;
}

TEST(an_event_that_rewinding_does_not_help_is_skipped_when_polled)
{
	const struct disruptor_policy policy = { .size = sizeof(policy),
						 .remedy = DISRUPTOR_REMEDY_REWIND,
						 .times = 2,
						 .then = DISRUPTOR_REMEDY_SKIP };
	struct disruptor_options options = fixture_options(64);
	struct disruptor *d = graph_open(&options);
	struct disruptor_stage *s;
	uint64_t handled[12] = { 0 };
	struct tick_producer p;

	s = disruptor_stage(d,
			    &(struct disruptor_handler){ .size = sizeof(struct disruptor_handler),
							 .name = "fails",
							 .context = handled,
							 .on_event = fail_at_five });
	assert_non_null(s);
	assert_code(disruptor_stage_set_policy(s, &policy), 0);
	graph_map(d, DISRUPTOR_MAP_NONE, 0);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 12);
	/* budgets cut the batch as they will */
	for (unsigned i = 0; i < 3; i++)
		(void)disruptor_poll(d, 8 - i);
	for (unsigned i = 0; i < 20 && disruptor_stage_position(s) < 12; i++)
		assert_in_range(disruptor_poll(d, 2), 0, 2);
	assert_int_equal(disruptor_stage_position(s), 12);
	assert_int_equal(disruptor_stage_trouble(s).skipped, 1);
	for (size_t i = 0; i < 12; i++)
		assert_true(i == 5 ? handled[i] == 0 : handled[i] >= 1);
	for (size_t i = 6; i < 12; i++)
		assert_int_equal(handled[i], 1);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(polling_passes_voids_and_counts_them_like_the_ring)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	graph_start(g.d);
	probe_publish(&g.producer, 2);
	assert_non_null(tick_claim(&g.producer));
	assert_code(tick_abort(&g.producer), 0);
	probe_publish(&g.producer, 3);
	while (disruptor_poll(g.d, 2) > 0)
		;
	for (size_t i = 0; i < STAGES; i++) {
		assert_int_equal(g.probe[i].events, 5);
		assert_int_equal(disruptor_stage_position(g.stage[i]), 6);
	}
	graph_drain(g.d);
	finish(&g);
}

static void publish_later(void *argument)
{
	struct graph *g = argument;

	pause_ms(20);
	(void)disruptor_producer_handoff(&g->producer.view);
	for (uint64_t i = 0; i < 5; i++) {
		struct tick *t = tick_claim(&g->producer);

		if (t)
			t->value = i;
		(void)tick_publish(&g->producer);
	}
}

TEST(polling_with_a_deadline_sleeps_until_there_is_something)
{
	struct runner publisher;
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	graph_start(g.d);
	assert_code(disruptor_poll_until(g.d, 10, in_ms(5)), DISRUPTOR_E_TIMEOUT);
	runner_start(&publisher, "the publisher", publish_later, &g);
	while (disruptor_load_relaxed(&g.probe[3].events) < 5)
		assert_true(disruptor_poll_until(g.d, 1, in_ms(WATCHDOG_MS)) > 0);
	runner_join(&publisher);
	assert_code(disruptor_producer_handoff(&g.producer.view), 0);
	graph_drain(g.d);
	finish(&g);
}

static int64_t nested;

static void poll_again(void *context)
{
	nested = disruptor_poll(context, 1);
	if (nested == DISRUPTOR_E_BUSY)
		nested = disruptor_stop(context, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
}

TEST(a_handler_that_polls_or_stops_is_refused)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	g.probe[0].act = poll_again;
	g.probe[0].act_context = g.d;
	graph_start(g.d);
	probe_publish(&g.producer, 1);
	assert_int_equal(disruptor_poll(g.d, 100), 4);
	assert_code(nested, DISRUPTOR_E_DEADLK);
	graph_drain(g.d);
	finish(&g);
}

static void drive(void *argument)
{
	struct graph *g = argument;

	while (disruptor_poll_until(g->d, 7, DISRUPTOR_FOREVER) > 0)
		;
}

TEST(another_thread_may_stop_what_this_one_drives)
{
	struct runner driver;
	struct graph g;

	begin(&g, 8, DISRUPTOR_MAP_NONE, 0);
	graph_start(g.d);
	runner_start(&driver, "the driver", drive, &g);
	probe_publish(&g.producer, 100);
	graph_drain(g.d);
	runner_join(&driver);
	for (size_t i = 0; i < STAGES; i++)
		probe_expect(&g.probe[i], 0, 100);
	finish(&g);
}

TEST(a_failure_while_polling_is_told_and_ends_the_stages)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	g.probe[1].verdict_at = 2;
	g.probe[1].verdict = -9;
	graph_start(g.d);
	probe_publish(&g.producer, 4);
	while (disruptor_poll(g.d, 100) > 0)
		;
	assert_code(disruptor_poll(g.d, 100), DISRUPTOR_E_FAILED);
	assert_code(disruptor_stop(g.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
	assert_detail("'two'");
	for (size_t i = 0; i < STAGES; i++)
		assert_int_equal(g.probe[i].stops, 1);
	finish(&g);
}

TEST(a_drain_that_cannot_end_tells_what_is_left_and_may_be_halted)
{
	struct graph g;

	begin(&g, 64, DISRUPTOR_MAP_NONE, 0);
	graph_start(g.d);
	probe_publish(&g.producer, 1);
	assert_non_null(tick_claim(&g.producer));
	assert_code(disruptor_stop(g.d, DISRUPTOR_DRAIN, in_ms(20)), DISRUPTOR_E_TIMEOUT);
	assert_detail("position 1");
	assert_code(disruptor_stop(g.d, DISRUPTOR_DRAIN_THEN_HALT, in_ms(20)), 0);
	assert_code(tick_abort(&g.producer), 0);
	finish(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_thread_for_each_stage),
		RUN(shared_threads_take_neighbours_in_the_order_of_the_graph),
		RUN(more_shared_threads_than_stages_are_not_made),
		RUN(the_default_makes_no_more_threads_than_stages_and_at_least_one),
		RUN(on_one_processor_the_default_is_one_thread),
		RUN(placed_stages_run_where_they_were_placed),
		RUN(a_pool_is_placed_as_a_whole_or_not_at_all),
		RUN(an_executor_that_cannot_be_is_refused_by_field),
		RUN(a_stage_with_a_wish_for_its_thread_has_it_to_itself),
		RUN(shared_threads_carry_every_event_to_every_stage),
		RUN(each_edge_wakes_a_thread_that_sleeps_for_several),
		RUN(a_stage_that_ends_leaves_the_others_of_its_thread_at_work),
		RUN(a_stage_behind_another_of_its_sleeping_thread_stops_when_told),
		RUN(a_failure_ends_every_stage_of_a_shared_thread),
		RUN(an_on_start_that_fails_on_a_shared_thread_leaves_nothing),
		RUN(a_custom_wait_that_fails_fails_every_stage_of_its_thread),
		RUN(stages_of_a_shared_thread_are_told_that_they_idle_each_by_its_own_timeout),
		RUN(a_claim_that_waits_for_a_stage_of_the_same_thread_is_refused),
		RUN(an_on_start_that_fails_where_the_caller_drives_leaves_nothing),
		RUN(polling_drives_every_stage_within_the_budget),
		RUN(an_event_that_rewinding_does_not_help_is_skipped_when_polled),
		RUN(polling_passes_voids_and_counts_them_like_the_ring),
		RUN(polling_with_a_deadline_sleeps_until_there_is_something),
		RUN(a_handler_that_polls_or_stops_is_refused),
		RUN(another_thread_may_stop_what_this_one_drives),
		RUN(a_failure_while_polling_is_told_and_ends_the_stages),
		RUN(a_drain_that_cannot_end_tells_what_is_left_and_may_be_halted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
