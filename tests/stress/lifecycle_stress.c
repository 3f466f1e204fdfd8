/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T28: one thread runs, three stop, at random moments. Every run returns, each
 * on_start has its on_stop, and no event is lost or told twice on the way.
 */
#include "stress.h"

#include <string.h>

#define STOPPERS 3
#define CAPACITY 16

/* ---- a stage's own run ---- */

struct stage_rounds {
	struct checker checker;
	struct progress progress;
	uint64_t runs;
	DISRUPTOR_ATOMIC(uint32_t) over;
	DISRUPTOR_ATOMIC(uint32_t) next_stopper;
};

static void run_rounds(void *argument)
{
	struct stage_rounds *r = argument;
	struct budget budget = budget_of(10000, 500);

	while (budget_take(&budget)) {
		(void)disruptor_stage_run(r->checker.stage);
		r->runs++;
		progress_made(&r->progress);
	}
	disruptor_store_release(&r->over, 1u);
}

static void stop_rounds(void *argument)
{
	struct stage_rounds *r = argument;
	uint64_t seed = fixture_seed(7) + disruptor_fetch_add_relaxed(&r->next_stopper, 1u);

	while (!disruptor_load_acquire(&r->over)) {
		random_pause(&seed);
		disruptor_stage_stop(r->checker.stage);
	}
}

TEST(stage_is_run_and_stopped_by_many_threads)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct runner thread[STOPPERS + 1];
	struct stage_rounds r;
	struct disruptor *d;

	memset(&r, 0, sizeof(r));
	d = graph_open(&options);
	checker_init(&r.checker, "stopped", NULL);
	checker_add(&r.checker, d);
	runner_start(&thread[0], "the runner", run_rounds, &r);
	for (size_t i = 1; i <= STOPPERS; i++)
		runner_start(&thread[i], "a stopper", stop_rounds, &r);
	join_with_progress(thread, COUNT(thread), &r.progress);
	assert_true(r.runs > 0);
	assert_int_equal(r.checker.starts, r.runs);
	assert_int_equal(r.checker.stops, r.runs);
	graph_close(&d);
}

/* ---- a whole disruptor, which also has work to do ---- */

struct rounds {
	struct disruptor *d;
	struct checker checker[2];
	struct progress progress;
	uint64_t starts, published;
	int failed; /* a code that should not have been */
	DISRUPTOR_ATOMIC(uint32_t) refused_stops;
	DISRUPTOR_ATOMIC(uint32_t) over;
	DISRUPTOR_ATOMIC(uint32_t) next_stopper;
};

/* Publish until another thread has stopped it, and see that it is. */
static void publish_until_stopped(struct rounds *r, struct tick_producer *p)
{
	struct tick *t;

	while ((t = tick_claim(p))) {
		t->value = disruptor_producer_position(&p->view);
		(void)tick_publish(p);
		r->published++;
	}
	if (tick_status(p) != DISRUPTOR_E_CLOSED)
		r->failed = tick_status(p);
}

static void start_again_and_again(void *argument)
{
	struct rounds *r = argument;
	struct budget budget = budget_of(5000, 700);
	struct tick_producer p;

	open_producer(&p, disruptor_ring(r->d), (struct disruptor_wait){ 0 });
	while (r->failed == 0 && budget_take(&budget)) {
		r->failed = disruptor_start(r->d);
		if (r->failed != 0)
			break;
		r->starts++;
		publish_until_stopped(r, &p);
		r->failed = disruptor_stop(r->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
		progress_made(&r->progress);
	}
	disruptor_store_release(&r->over, 1u);
	(void)tick_producer_close(&p);
}

static void stop_again_and_again(void *argument)
{
	struct rounds *r = argument;
	uint64_t seed = fixture_seed(11) + disruptor_fetch_add_relaxed(&r->next_stopper, 1u);

	while (!disruptor_load_acquire(&r->over)) {
		uint64_t mode = next_random(&seed) % 3;
		int rc;

		random_pause(&seed);
		rc = disruptor_stop(r->d, (enum disruptor_stop_mode)mode, DISRUPTOR_FOREVER);
		if (rc != 0)
			disruptor_fetch_add_relaxed(&r->refused_stops, 1u);
	}
}

TEST(disruptor_is_started_and_stopped_by_many_threads)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct runner thread[STOPPERS + 1];
	struct rounds r;

	memset(&r, 0, sizeof(r));
	r.d = graph_open(&options);
	for (size_t i = 0; i < 2; i++) {
		checker_init(&r.checker[i], "restarted", NULL); /* rounds are what counts */
		checker_add(&r.checker[i], r.d);
	}
	assert_code(disruptor_after(r.checker[1].stage, r.checker[0].stage), 0);
	runner_start(&thread[0], "who starts", start_again_and_again, &r);
	for (size_t i = 1; i <= STOPPERS; i++)
		runner_start(&thread[i], "who stops", stop_again_and_again, &r);
	join_with_progress(thread, COUNT(thread), &r.progress);
	assert_code(r.failed, 0);
	assert_int_equal(disruptor_load_acquire(&r.refused_stops), 0);
	assert_true(r.starts > 0);
	/* what a stop left behind is there in the last run */
	graph_start(r.d);
	graph_drain(r.d);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(r.checker[i].wrong, 0);
		assert_int_equal(r.checker[i].next, r.published);
		assert_int_equal(r.checker[i].starts, r.starts + 1);
		assert_int_equal(r.checker[i].stops, r.starts + 1);
	}
	graph_close(&r.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(stage_is_run_and_stopped_by_many_threads),
		RUN(disruptor_is_started_and_stopped_by_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
