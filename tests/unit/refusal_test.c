/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What the system refuses to what a graph may have beside its stages: pools, checks, a watchdog,
 * shared threads, stages that join, descriptors, tables. Each refusal has a code and a detail,
 * leaves everything as it was and keeps nothing; then the same call works. Rows T74, T75.
 */
#define _POSIX_C_SOURCE 200809L
#include "refuse.h"

#include <poll.h>

#define STAGES 4

/* Which calls are refused, one by one; descriptors have tests of their own. */
static const enum call kinds[] = { THREAD, MEMORY, LOCK };

/* ---- one attempt with a refusal in it ---- */

static struct {
	unsigned made; /* of the kind that is refused */
	int balance[CALLS];
	int slack; /* what the last checked run has, until the next one or the disruptor's end */
} before;

/* From now on the @p k th call is refused. A failure then has to set a detail of its own. */
static void refusal(enum call which, unsigned k)
{
	(void)disruptor_await(NULL, DISRUPTOR_RUNNING, 0);
	before.made = calls[which].made;
	for (size_t c = 0; c < CALLS; c++)
		before.balance[c] = calls[c].balance;
	refuse_next(which, k);
}

static const char *reason(enum call which)
{
	static const char *const reasons[CALLS] = { "thread", "bytes", "", "" };

	return reasons[which];
}

/* Whether it came to the refused call. If so it has to have failed, and to have kept nothing. */
static bool was_refused(enum call which, unsigned k, bool failed)
{
	const bool reached = calls[which].made >= before.made + k;

	refuse_next(which, 0);
	assert_int_equal(reached, failed);
	if (!reached)
		return false;
	assert_string_not_equal(disruptor_error_detail(), "d: NULL");
	assert_detail(reason(which));
	for (size_t c = 0; c < CALLS; c++)
		if (c != DESCRIPTOR) /* files that are read on the way are not counted */
			assert_true(abs(calls[c].balance - before.balance[c]) <= before.slack);
	return true;
}

static int code_of(enum call which)
{
	return which == MEMORY || which == LOCK ? DISRUPTOR_E_NOMEM : DISRUPTOR_E_SYSTEM;
}

/* Nothing is left of all that was counted. */
static void expect_balance(void)
{
	count_no_more();
	for (size_t c = 0; c < DESCRIPTOR; c++)
		assert_int_equal(calls[c].balance, 0);
}

/* ---- graphs ---- */

struct graph {
	struct disruptor *d;
	struct probe probe[STAGES];
	struct tick_producer producer;
	uint32_t stages;
	uint64_t published;
};

static void begin(struct graph *g, uint32_t stages, enum disruptor_mapping mapping,
		  uint32_t threads)
{
	static const char *const names[STAGES] = { "one", "two", "three", "four" };
	const struct disruptor_executor e = { .size = sizeof(e),
					      .mapping = mapping,
					      .threads = threads };
	struct disruptor_options options = fixture_options(8);

	count_calls(THREAD, 0);
	before.slack = 0;
	memset(g, 0, sizeof(*g));
	g->stages = stages;
	g->d = graph_open(&options);
	assert_code(disruptor_set_executor(g->d, &e), 0);
	for (uint32_t i = 0; i < stages; i++) {
		probe_init(&g->probe[i], names[i]);
		probe_add(&g->probe[i], g->d);
	}
	probe_producer(&g->producer, g->d);
}

static void finish(struct graph *g)
{
	assert_code(tick_producer_close(&g->producer), 0);
	graph_close(&g->d);
	expect_balance();
}

/* A run hands every event to every stage. */
static void works(struct graph *g)
{
	for (uint32_t i = 0; i < g->stages; i++)
		probe_forget(&g->probe[i]);
	graph_start(g->d);
	probe_publish(&g->producer, 30);
	graph_drain(g->d);
	for (uint32_t i = 0; i < g->stages; i++)
		probe_expect(&g->probe[i], g->published, g->published + 30);
	g->published += 30;
}

/* Whether a start came to the refused call; if so the graph is in @p state, as before. */
static bool starts_without(struct graph *g, enum call which, unsigned k, enum disruptor_state state)
{
	int rc;

	for (uint32_t i = 0; i < g->stages; i++)
		probe_forget(&g->probe[i]);
	refusal(which, k);
	rc = disruptor_start(g->d);
	if (!was_refused(which, k, rc != 0)) {
		assert_code(disruptor_stop(g->d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
		return false;
	}
	assert_code(rc, code_of(which));
	assert_int_equal(disruptor_state(g->d), state);
	assert_int_equal(disruptor_thread_count(g->d), 0);
	for (uint32_t i = 0; i < g->stages; i++) {
		assert_int_equal(g->probe[i].starts, g->probe[i].stops);
		assert_false(disruptor_stage_running(g->probe[i].stage));
	}
	return true;
}

/*
 * Starts and restarts with each call refused in turn; returns how many calls of the kind a start
 * makes. @p prepare what the graph is to have.
 */
static unsigned each_start(enum call which, enum disruptor_mapping mapping, uint32_t threads,
			   void (*prepare)(struct graph *g))
{
	struct graph g;
	unsigned k = 1;

	begin(&g, STAGES, mapping, threads);
	if (prepare)
		prepare(&g);
	while (starts_without(&g, which, k, DISRUPTOR_INIT))
		k++;
	for (unsigned i = 1; i < k; i++)
		assert_true(starts_without(&g, which, i, DISRUPTOR_STOPPED));
	assert_null(tick_try_claim(&g.producer)); /* it is closed, as a stop leaves it */
	assert_code(tick_status(&g.producer), DISRUPTOR_E_CLOSED);
	if (mapping != DISRUPTOR_MAP_NONE)
		works(&g);
	finish(&g);
	return k - 1;
}

/* ---- threads that several stages share ---- */

TEST(shared_threads_that_are_refused_fail_the_start)
{
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_SHARED, 2, NULL), 2);
	assert_int_equal(each_start(MEMORY, DISRUPTOR_MAP_SHARED, 2, NULL), 0);
	/* a monitor for each thread, of a mutex and a condition variable */
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_SHARED, 2, NULL), 4);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_SHARED, 1, NULL), 2);
}

TEST(a_monitor_that_is_refused_fails_the_start_of_what_the_caller_drives)
{
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_NONE, 0, NULL), 0);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_NONE, 0, NULL), 2);
}

/* ---- the watchdog ---- */

static void never_stalled(void *context, const struct disruptor_diagnosis *diagnosis)
{
	(void)context, (void)diagnosis;
}

static void set_watchdog(struct graph *g)
{
	const struct disruptor_watchdog w = { .size = sizeof(w),
					      .threshold_ns = UINT64_C(60000000000),
					      .stalled = never_stalled };

	for (size_t i = 0; i < COUNT(kinds); i++) { /* there is nothing in it to refuse */
		refusal(kinds[i], 1);
		assert_false(was_refused(kinds[i], 1, disruptor_set_watchdog(g->d, &w) != 0));
	}
}

TEST(a_watchdog_beside_threads_that_are_refused_ends_with_the_failed_start)
{
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_DEDICATED, 0, set_watchdog), STAGES + 1);
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_SHARED, 1, set_watchdog), 2);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_SHARED, 1, set_watchdog), 2);
	assert_int_equal(each_start(MEMORY, DISRUPTOR_MAP_DEDICATED, 0, set_watchdog), 0);
}

/* ---- checks, and a checked run ---- */

static void check_run(struct graph *g)
{
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .flags = DISRUPTOR_CHECK_RUN };

	before.slack = 2; /* a mutex and a condition variable, or a block of memory */
	assert_code(disruptor_set_checks(g->d, &checks), 0);
}

TEST(checks_that_are_refused_leave_those_from_before)
{
	const struct disruptor_checks none = { .size = sizeof(none) };
	struct probe late;
	struct graph g;
	unsigned k = 1;

	begin(&g, 1, DISRUPTOR_MAP_DEDICATED, 0);
	check_run(&g);
	probe_init(&late, "late");
	for (;; k++) {
		int rc;

		refusal(MEMORY, k);
		rc = disruptor_set_checks(g.d, &none);
		if (!was_refused(MEMORY, k, rc != 0))
			break;
		assert_code(rc, DISRUPTOR_E_NOMEM);
		graph_start(g.d); /* it is a checked run still, which nobody can join */
		assert_null(disruptor_attach(g.d, &late.handler, NULL));
		assert_detail("checked run");
		graph_drain(g.d);
	}
	assert_int_equal(k, 2);
	works(&g);
	finish(&g);
}

TEST(a_checked_run_that_has_no_memory_or_lock_is_not_started)
{
	assert_int_equal(each_start(MEMORY, DISRUPTOR_MAP_DEDICATED, 0, check_run), 1);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_DEDICATED, 0, check_run), 2);
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_DEDICATED, 0, check_run), STAGES);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_SHARED, 1, check_run), 4);
}

/* ---- pools ---- */

#define WORKERS 2

struct crew {
	struct probe worker[WORKERS];
	struct disruptor_handler handlers[WORKERS];
	struct disruptor_pool_options options;
};

static void crew_init(struct crew *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < WORKERS; i++) {
		probe_init(&c->worker[i], i ? "worker-1" : "worker-0");
		c->handlers[i] = c->worker[i].handler;
	}
	c->options = (struct disruptor_pool_options){ .size = sizeof(c->options),
						      .name = "pool",
						      .handlers = c->handlers,
						      .count = WORKERS };
}

static unsigned each_pool(enum call which)
{
	struct disruptor_stage *pool;
	struct crew c;
	struct graph g;
	unsigned k = 1;

	begin(&g, 1, DISRUPTOR_MAP_DEDICATED, 0);
	crew_init(&c);
	for (;; k++) {
		refusal(which, k);
		pool = disruptor_pool(g.d, &c.options);
		if (!was_refused(which, k, pool == NULL))
			break;
		assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 1);
		works(&g); /* what is not there holds nobody back */
		assert_code(disruptor_destroy(&g.d), DISRUPTOR_E_BUSY); /* our producer */
		assert_code(tick_producer_close(&g.producer), 0);
		graph_close(&g.d);
		begin(&g, 1, DISRUPTOR_MAP_DEDICATED, 0);
	}
	works(&g);
	assert_int_equal(c.worker[0].events + c.worker[1].events, 30);
	assert_int_equal(disruptor_stage_position(pool), 30);
	finish(&g);
	return k - 1;
}

TEST(a_pool_without_memory_or_lock_is_not_made)
{
	assert_int_equal(each_pool(THREAD), 0);
	assert_int_equal(each_pool(MEMORY), 1);
	assert_int_equal(each_pool(LOCK), 2);
}

static void add_pool(struct graph *g)
{
	static struct crew c;

	crew_init(&c);
	assert_non_null(disruptor_pool(g->d, &c.options));
}

TEST(a_worker_without_a_thread_fails_the_start)
{
	assert_int_equal(each_start(THREAD, DISRUPTOR_MAP_DEDICATED, 0, add_pool),
			 STAGES + WORKERS);
	assert_int_equal(each_start(LOCK, DISRUPTOR_MAP_SHARED, 2, add_pool), 4);
}

/* ---- a stage that joins ---- */

static struct disruptor_stage *attach_late(struct graph *g, struct probe *late)
{
	struct disruptor_attach how = { .size = sizeof(how),
					.after = &g->probe[0].stage,
					.after_count = 1 };

	return disruptor_attach(g->d, &late->handler, &how);
}

static void joins_without(enum call which, enum disruptor_mapping mapping, uint32_t threads,
			  unsigned refusals)
{
	struct probe late;
	struct graph g;
	unsigned k = 1;

	begin(&g, 2, mapping, threads);
	probe_init(&late, "late");
	graph_start(g.d);
	for (;; k++) {
		refusal(which, k);
		late.stage = attach_late(&g, &late);
		if (!was_refused(which, k, late.stage == NULL))
			break;
		assert_detail("'late'");
		assert_int_equal(late.starts, 0);
		assert_int_equal(disruptor_state(g.d), DISRUPTOR_RUNNING);
		assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 2);
		probe_publish(&g.producer, 30); /* more than the ring holds */
		g.published += 30;
		probe_await(&g.probe[0], g.published);
		probe_await(&g.probe[1], g.published);
	}
	assert_int_equal(k - 1, refusals);
	probe_publish(&g.producer, 30);
	graph_drain(g.d);
	probe_expect(&late, g.published, g.published + 30);
	probe_expect(&g.probe[0], 0, g.published + 30);
	finish(&g);
}

TEST(a_stage_without_a_thread_does_not_join_and_the_others_go_on)
{
	joins_without(THREAD, DISRUPTOR_MAP_DEDICATED, 0, 1);
	joins_without(THREAD, DISRUPTOR_MAP_SHARED, 1, 1);
	joins_without(MEMORY, DISRUPTOR_MAP_DEDICATED, 0, 0);
	joins_without(LOCK, DISRUPTOR_MAP_SHARED, 1, 0);
}

/* More often than there are places for threads: none is kept by who did not get one. */
TEST(who_is_refused_again_and_again_takes_no_place)
{
	struct probe late;
	struct graph g;

	begin(&g, 2, DISRUPTOR_MAP_DEDICATED, 0);
	probe_init(&late, "late");
	graph_start(g.d);
	for (unsigned i = 0; i < 2 * DISRUPTOR_MAX_CONSUMERS; i++) {
		refusal(THREAD, 1);
		assert_true(was_refused(THREAD, 1, attach_late(&g, &late) == NULL));
	}
	late.stage = attach_late(&g, &late);
	assert_non_null(late.stage);
	probe_publish(&g.producer, 30);
	graph_drain(g.d);
	probe_expect(&late, 0, 30);
	g.published = 30;
	works(&g);
	finish(&g);
}

/* ---- descriptors, and one wait for several ---- */

static void expect_no_descriptor(struct fixture *f, enum call which, unsigned k)
{
	refusal(which, k);
	assert_code(disruptor_consumer_fd(&f->consumer[0].view), code_of(which));
	assert_true(was_refused(which, k, true));
	assert_int_equal(calls[DESCRIPTOR].balance, before.balance[DESCRIPTOR]);
	assert_code(disruptor_consumer_arm(&f->consumer[0].view), DISRUPTOR_E_STATE);
	publish_ticks(&f->producer, 3);
	read_ticks(&f->consumer[0], 3);
}

TEST(a_descriptor_that_is_refused_leaves_the_consumer_as_it_was)
{
	struct pollfd p = { .events = POLLIN };
	struct fixture f;

	count_calls(DESCRIPTOR, 0);
	fixture_open(&f, 8, 1);
	expect_no_descriptor(&f, LOCK, 1);
	expect_no_descriptor(&f, LOCK, 2);
	expect_no_descriptor(&f, DESCRIPTOR, 1);
	p.fd = disruptor_consumer_fd(&f.consumer[0].view);
	assert_true(p.fd >= 0);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	publish_ticks(&f.producer, 1);
	assert_int_equal(poll(&p, 1, WATCHDOG_MS), 1);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 1);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
	expect_balance();
	assert_int_equal(calls[DESCRIPTOR].balance, 0);
}

TEST(a_wait_for_several_that_is_refused_may_be_tried_again)
{
	struct disruptor_consumer *both[2];
	struct fixture f;
	unsigned k = 1;

	count_calls(LOCK, 0);
	fixture_open(&f, 8, 2);
	both[0] = &f.consumer[0].view;
	both[1] = &f.consumer[1].view;
	for (;; k++) {
		int64_t rc;

		refusal(LOCK, k);
		rc = disruptor_wait_any(both, 2, in_ms(1));
		if (!was_refused(LOCK, k, rc == DISRUPTOR_E_NOMEM))
			break;
		publish_ticks(&f.producer, 1);
		/* with events there, nothing is needed that could be refused */
		refusal(LOCK, 1);
		assert_int_equal(disruptor_wait_any(both, 2, in_ms(WATCHDOG_MS)), 0);
		assert_false(was_refused(LOCK, 1, false));
		read_ticks(&f.consumer[0], 1);
		read_ticks(&f.consumer[1], 1);
	}
	assert_int_equal(k, 3);
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	assert_int_equal(disruptor_wait_any(both, 2, in_ms(WATCHDOG_MS)), 1);
	fixture_close(&f);
	expect_balance();
}

/* ---- a table of latest events ---- */

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->from;
}

static unsigned each_table(enum call which)
{
	const struct disruptor_conflate_options o = { .size = sizeof(o), .keys = 4, .key = key_of };
	struct disruptor_conflate *c;
	struct tick t = { .value = 9, .from = 1 };
	unsigned k = 1;

	count_calls(which, 0);
	for (;; k++) {
		int rc;

		c = (void *)&t; /* has to be overwritten */
		refusal(which, k);
		rc = disruptor_conflate_create(&c, &tick_type, &o);
		if (!was_refused(which, k, rc != 0))
			break;
		assert_code(rc, DISRUPTOR_E_NOMEM);
		assert_null(c);
	}
	assert_code(disruptor_conflate_put(c, &t, 0), 0);
	t.value = 0;
	assert_int_equal(disruptor_conflate_take(c, &t, NULL), 1);
	assert_int_equal(t.value, 9);
	disruptor_conflate_destroy(&c);
	expect_balance();
	return k - 1;
}

TEST(a_table_without_memory_or_lock_is_not_made)
{
	assert_int_equal(each_table(MEMORY), 1);
	assert_int_equal(each_table(LOCK), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(shared_threads_that_are_refused_fail_the_start),
		RUN(a_monitor_that_is_refused_fails_the_start_of_what_the_caller_drives),
		RUN(a_watchdog_beside_threads_that_are_refused_ends_with_the_failed_start),
		RUN(checks_that_are_refused_leave_those_from_before),
		RUN(a_checked_run_that_has_no_memory_or_lock_is_not_started),
		RUN(a_pool_without_memory_or_lock_is_not_made),
		RUN(a_worker_without_a_thread_fails_the_start),
		RUN(a_stage_without_a_thread_does_not_join_and_the_others_go_on),
		RUN(who_is_refused_again_and_again_takes_no_place),
		RUN(a_descriptor_that_is_refused_leaves_the_consumer_as_it_was),
		RUN(a_wait_for_several_that_is_refused_may_be_tried_again),
		RUN(a_table_without_memory_or_lock_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
