/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A handler that never returns. Nothing can end it: the watchdog tells of it, a stop with a deadline
 * comes back and names it, and everybody whom it does not hold up goes on and ends.
 */
#define _POSIX_C_SOURCE 200809L
#include "child.h"

#include <stdlib.h>

/* first → stuck → behind, and beside them apart. */
enum { FIRST, STUCK, BEHIND, APART, STAGES };

struct world {
	struct disruptor *d;
	struct probe probe[STAGES];
	struct tick_producer producer;
	DISRUPTOR_ATOMIC(uint32_t) told;
	struct disruptor_diagnosis found; /* by the watchdog, the first time */
};

static void stalled(void *context, const struct disruptor_diagnosis *found)
{
	struct world *w = context;

	if (disruptor_load_acquire(&w->told) == 0)
		w->found = *found;
	disruptor_fetch_add_release(&w->told, 1u);
}

static bool was_told(void *world)
{
	return disruptor_load_acquire(&((struct world *)world)->told) != 0;
}

static void build(struct world *w, enum disruptor_mapping mapping, uint32_t threads)
{
	static const char *const names[STAGES] = { "first", "stuck", "behind", "apart" };
	const struct disruptor_watchdog dog = {
		.size = sizeof(dog), .threshold_ns = 20000000, .stalled = stalled, .context = w
	};
	struct disruptor_options options = fixture_options(16);

	memset(w, 0, sizeof(*w));
	w->d = graph_open(&options);
	graph_map(w->d, mapping, threads);
	for (size_t i = 0; i < STAGES; i++) {
		probe_init(&w->probe[i], names[i]);
		probe_add(&w->probe[i], w->d);
	}
	assert_code(disruptor_pipeline((struct disruptor_stage *const[]){ w->probe[FIRST].stage,
									  w->probe[STUCK].stage,
									  w->probe[BEHIND].stage },
				       3),
		    0);
	assert_code(disruptor_set_watchdog(w->d, &dog), 0);
	probe_producer(&w->producer, w->d);
	w->probe[STUCK].verdict_at = 3; /* what is before it is behind's to handle */
	w->probe[STUCK].verdict = DISRUPTOR_RELEASE;
	disruptor_store_relaxed(&w->probe[STUCK].hold_at, UINT64_C(4));
	graph_start(w->d);
	probe_publish(&w->producer, 4);
	probe_await(&w->probe[BEHIND], 4);
	probe_publish(&w->producer, 8);
	probe_await_hold(&w->probe[STUCK]);
}

/* Every mode comes back at its deadline, but DRAIN_THEN_HALT, which waits for the event in hand. */
static void stops_in_vain(struct world *w)
{
	static const enum disruptor_stop_mode modes[] = { DISRUPTOR_DRAIN, DISRUPTOR_NOW };

	for (size_t i = 0; i < COUNT(modes); i++) {
		uint64_t before = disruptor_now();

		assert_code(disruptor_stop(w->d, modes[i], in_ms(30)), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() - before >= UINT64_C(30000000));
		assert_detail("stage 'stuck' is at position 4");
	}
	assert_int_equal(disruptor_state(w->d), DISRUPTOR_DRAINING);
	assert_code(disruptor_start(w->d), DISRUPTOR_E_STATE);
	assert_code(disruptor_destroy(&w->d), DISRUPTOR_E_STATE);
	assert_non_null(w->d);
	assert_code(disruptor_detach(w->probe[STUCK].stage, DISRUPTOR_NOW, in_ms(5)),
		    DISRUPTOR_E_TIMEOUT);
	assert_detail("'stuck'");
}

static void expect_told(struct world *w)
{
	const struct disruptor_diagnosis *f = &w->found;

	await("a watchdog that should have told of a stall", was_told, w);
	assert_true(f->slowest < f->stage_count);
	assert_string_equal(f->stages[f->slowest].name, "stuck");
	assert_int_equal(f->stages[f->slowest].activity, DISRUPTOR_ACTIVITY_HANDLING);
	assert_int_equal(f->stages[f->slowest].position, 4);
	assert_non_null(strstr(f->verdict, "'stuck'"));
	assert_true(f->stalled_ns >= 20000000);
}

TEST(a_handler_that_does_not_return_is_told_and_holds_up_nobody_but_those_behind_it)
{
	struct world w;

	build(&w, DISRUPTOR_MAP_DEDICATED, 0);
	expect_told(&w);
	assert_code(disruptor_stop(w.d, DISRUPTOR_DRAIN, in_ms(30)), DISRUPTOR_E_TIMEOUT);
	assert_detail("stage 'stuck' is at position 4, 8 before the end");
	/* the others have drained and ended; who comes after it has handled all that it released */
	probe_await_stops(&w.probe[FIRST], 1);
	probe_await_stops(&w.probe[APART], 1);
	probe_expect(&w.probe[FIRST], 0, 12);
	probe_expect(&w.probe[APART], 0, 12);
	assert_int_equal(w.probe[BEHIND].events, 4);
	assert_null(tick_try_claim(&w.producer));
	assert_code(tick_status(&w.producer), DISRUPTOR_E_CLOSED);
	stops_in_vain(&w);
	probe_let_go(&w.probe[STUCK]); /* it returns after all: the stop that waits ends */
	assert_code(disruptor_stop(w.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_code(tick_producer_close(&w.producer), 0);
	graph_close(&w.d);
}

TEST(those_that_share_its_thread_stand_still_with_it_and_are_run_once_it_returns)
{
	struct world w;

	build(&w, DISRUPTOR_MAP_SHARED, 1);
	expect_told(&w);
	assert_code(disruptor_stop(w.d, DISRUPTOR_DRAIN, in_ms(30)), DISRUPTOR_E_TIMEOUT);
	assert_detail("stage '");
	probe_let_go(&w.probe[STUCK]);
	graph_drain(w.d);
	for (size_t i = 0; i < STAGES; i++)
		probe_expect(&w.probe[i], 0, 12);
	assert_code(tick_producer_close(&w.producer), 0);
	graph_close(&w.d);
}

static void claim_blocked(void *world)
{
	struct world *w = world;

	disruptor_producer_handoff(&w->producer.view);
	while (tick_claim(&w->producer))
		(void)tick_publish(&w->producer);
}

TEST(producers_that_it_holds_back_are_let_go_by_the_stop)
{
	struct runner blocked;
	struct world w;

	build(&w, DISRUPTOR_MAP_DEDICATED, 0);
	runner_start(&blocked, "a producer that the close should end", claim_blocked, &w);
	await_sleeps(disruptor_ring(w.d), 1);
	assert_code(disruptor_stop(w.d, DISRUPTOR_NOW, in_ms(30)), DISRUPTOR_E_TIMEOUT);
	runner_join(&blocked);
	assert_code(tick_status(&w.producer), DISRUPTOR_E_CLOSED);
	probe_let_go(&w.probe[STUCK]);
	assert_code(disruptor_stop(w.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_code(tick_producer_close(&w.producer), 0);
	graph_close(&w.d);
}

/* The process may end whenever it likes: nothing waits at exit. */
static int exits_with_it(void *unused)
{
	struct world w;

	(void)unused;
	build(&w, DISRUPTOR_MAP_DEDICATED, 0);
	NEED(disruptor_stop(w.d, DISRUPTOR_DRAIN, in_ms(10)) == DISRUPTOR_E_TIMEOUT);
	_exit(0);
}

TEST(a_process_ends_though_a_handler_does_not)
{
	if (FIXTURE_TSAN)
		skip(); /* which complains of threads that are not joined */
	child_does(exits_with_it, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_handler_that_does_not_return_is_told_and_holds_up_nobody_but_those_behind_it),
		RUN(those_that_share_its_thread_stand_still_with_it_and_are_run_once_it_returns),
		RUN(producers_that_it_holds_back_are_let_go_by_the_stop),
		RUN(a_process_ends_though_a_handler_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
