/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The watchdog: what stands still is told once, again if it lasts, and anew after it has moved. */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include <errno.h>
#include <string.h>

#define THRESHOLD_MS 30

/* ---- a thread that cannot be made, by the linker's --wrap ---- */

static DISRUPTOR_ATOMIC(uint32_t) refuse_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *argument)
{
	if (disruptor_load_acquire(&refuse_threads))
		return EAGAIN;
	return __real_pthread_create(thread, attributes, run, argument);
}

/* ---- a disruptor under watch ---- */

struct watched {
	struct disruptor *d;
	struct probe probe;
	struct tick_producer producer;
	struct disruptor_watchdog watchdog;
	DISRUPTOR_ATOMIC(uint64_t) calls;
	struct disruptor_diagnosis
		told;       /* the last one; of the watchdog's thread until it is joined */
	uint64_t stood[16]; /* stalled_ns of each call */
	int codes[3];       /* what it was answered to start, stop and destroy */
	void (*act)(struct watched *w);
};

static void stalled(void *context, const struct disruptor_diagnosis *diagnosis)
{
	struct watched *w = context;
	uint64_t n = disruptor_load_relaxed(&w->calls);

	w->told = *diagnosis;
	if (n < COUNT(w->stood))
		w->stood[n] = diagnosis->stalled_ns;
	if (w->act)
		w->act(w);
	disruptor_store_release(&w->calls, n + 1);
}

static void watched_open(struct watched *w, enum disruptor_producers producers)
{
	struct disruptor_options options = fixture_options(8);

	memset(w, 0, sizeof(*w));
	options.producers = producers;
	w->d = graph_open(&options);
	probe_init(&w->probe, "watched");
	probe_add(&w->probe, w->d);
	probe_producer(&w->producer, w->d);
	w->watchdog = (struct disruptor_watchdog){
		.size = sizeof(w->watchdog),
		.threshold_ns = THRESHOLD_MS * UINT64_C(1000000),
		.stalled = stalled,
		.context = w,
	};
	assert_code(disruptor_set_watchdog(w->d, &w->watchdog), 0);
}

static void watched_close(struct watched *w)
{
	probe_let_go(&w->probe);
	assert_code(tick_producer_close(&w->producer), 0);
	graph_close(&w->d);
}

static uint64_t calls_of(struct watched *w)
{
	return disruptor_load_acquire(&w->calls);
}

struct wanted {
	struct watched *w;
	uint64_t calls;
};

static bool has_called(void *context)
{
	struct wanted *c = context;

	return calls_of(c->w) >= c->calls;
}

static void await_calls(struct watched *w, uint64_t calls)
{
	struct wanted c = { w, calls };

	await("the watchdog's call", has_called, &c);
}

/* Stay in the handler of the next event to be published. */
static void stall_at(struct watched *w, uint64_t position)
{
	disruptor_store_release(&w->probe.hold_at, position);
	probe_publish(&w->producer, 1);
	probe_await_hold(&w->probe);
}

TEST(a_handler_that_stays_is_told)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	graph_start(w.d);
	stall_at(&w, 0);
	await_calls(&w, 1);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	assert_int_equal(w.told.finding, DISRUPTOR_FINDING_STALLED);
	assert_true(w.told.stalled_ns >= w.watchdog.threshold_ns);
	assert_non_null(
		strstr(w.told.verdict,
		       "stalled: stage 'watched' is 1 behind, in its handler at position 0 for "));
	watched_close(&w);
}

TEST(an_idle_ring_is_no_stall)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	/* the machine may keep a stage with work from running for a while */
	w.watchdog.threshold_ns *= 7;
	assert_code(disruptor_set_watchdog(w.d, &w.watchdog), 0);
	graph_start(w.d);
	probe_publish(&w.producer, 3);
	probe_await(&w.probe, 3);
	pause_ms(20 * THRESHOLD_MS);
	graph_drain(w.d);
	assert_int_equal(calls_of(&w), 0);
	watched_close(&w);
}

TEST(a_stall_that_lasts_is_told_again_at_twice_the_time)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	graph_start(w.d);
	stall_at(&w, 0);
	await_calls(&w, 3);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	assert_true(w.stood[0] >= w.watchdog.threshold_ns);
	assert_true(w.stood[1] >= 2 * w.stood[0]);
	assert_true(w.stood[2] >= 2 * w.stood[1]);
	watched_close(&w);
}

TEST(after_it_has_moved_a_stall_is_told_anew)
{
	struct watched w;
	uint64_t before;

	watched_open(&w, DISRUPTOR_SINGLE);
	graph_start(w.d);
	stall_at(&w, 0);
	await_calls(&w, 4); /* the fifth would come at sixteen thresholds */
	probe_let_go(&w.probe);
	probe_await(&w.probe, 1);
	before = calls_of(&w);
	stall_at(&w, 1);
	await_calls(&w, before + 1);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	/* that it was counted from the new stall: less than the next doubling of the old one's */
	assert_int_equal(w.told.stages[0].position, 1);
	assert_true(w.stood[before] < 2 * w.stood[before - 1]);
	watched_close(&w);
}

TEST(a_claim_that_is_not_published_is_told_with_its_producer)
{
	const struct disruptor_producer_options named = { .size = sizeof(named), .name = "gw" };
	struct tick_producer gw;
	struct watched w;

	watched_open(&w, DISRUPTOR_MANY);
	assert_code(tick_producer_open(&gw, disruptor_ring(w.d), &named), 0);
	graph_start(w.d);
	assert_non_null(tick_claim(&gw));
	probe_publish(&w.producer, 1);
	await_calls(&w, 1);
	assert_code(tick_abort(&gw), 0);
	graph_drain(w.d);
	assert_int_equal(w.told.finding, DISRUPTOR_FINDING_UNPUBLISHED);
	assert_non_null(strstr(w.told.verdict, "position 0, claimed by producer 'gw' at least "));
	assert_code(tick_producer_close(&gw), 0);
	watched_close(&w);
}

/* Stages that move, but never catch up, do not stand still. */
static int on_slow_event(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	pause_ms(1);
	return DISRUPTOR_RELEASE;
}

TEST(a_slow_stage_that_moves_is_no_stall)
{
	struct disruptor_options options = fixture_options(8);
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	assert_code(tick_producer_close(&w.producer), 0);
	graph_close(&w.d);
	w.d = graph_open(&options);
	w.probe.handler.on_event = on_slow_event;
	probe_add(&w.probe, w.d);
	probe_producer(&w.producer, w.d);
	/* the machine may keep the stage from running for a while */
	w.watchdog.threshold_ns = 1000000000;
	assert_code(disruptor_set_watchdog(w.d, &w.watchdog), 0);
	graph_start(w.d);
	probe_publish(&w.producer, 1500);
	graph_drain(w.d);
	assert_int_equal(calls_of(&w), 0);
	watched_close(&w);
}

static void try_the_forbidden(struct watched *w)
{
	struct disruptor *d = w->d;

	w->codes[0] = disruptor_start(d);
	w->codes[1] = disruptor_stop(d, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
	w->codes[2] = disruptor_destroy(&d);
	disruptor_stage_stop(w->probe.stage); /* does not wait, so it may */
}

TEST(its_callback_cannot_wait_for_its_own_end)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	w.act = try_the_forbidden;
	graph_start(w.d);
	stall_at(&w, 0);
	await_calls(&w, 1);
	probe_let_go(&w.probe);
	probe_await_stops(&w.probe, 1);
	assert_code(disruptor_stop(w.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	assert_code(w.codes[0], DISRUPTOR_E_STATE);
	assert_code(w.codes[1], DISRUPTOR_E_DEADLK);
	assert_code(w.codes[2], DISRUPTOR_E_STATE);
	watched_close(&w);
}

TEST(it_watches_a_drain_and_the_next_run)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	graph_start(w.d);
	stall_at(&w, 0);
	assert_code(disruptor_stop(w.d, DISRUPTOR_DRAIN, in_ms(5)), DISRUPTOR_E_TIMEOUT);
	await_calls(&w, calls_of(&w) + 1);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	assert_int_equal(w.told.state, DISRUPTOR_DRAINING);

	disruptor_store_release(&w.calls, UINT64_C(0));
	graph_start(w.d);
	stall_at(&w, 1);
	await_calls(&w, 1);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	assert_int_equal(w.told.stages[0].position, 1);

	disruptor_store_release(&w.calls, UINT64_C(0));
	assert_code(disruptor_set_watchdog(w.d, NULL), 0);
	graph_start(w.d);
	stall_at(&w, 2);
	pause_ms(3 * THRESHOLD_MS);
	probe_let_go(&w.probe);
	graph_drain(w.d);
	assert_int_equal(calls_of(&w), 0);
	watched_close(&w);
}

struct stopper {
	struct watched *w;
	int rc;
};

static void stop_it(void *context)
{
	struct stopper *s = context;

	s->rc = disruptor_stop(s->w->d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS));
}

/* Whichever stop joins it, all return after its end, and a start finds it gone or still serving. */
TEST(several_stops_and_a_start_agree_about_it)
{
	struct stopper stoppers[3];
	struct runner threads[3];
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	for (unsigned round = 0; round < 50; round++) {
		graph_start(w.d);
		for (size_t i = 0; i < COUNT(threads); i++) {
			stoppers[i] = (struct stopper){ .w = &w };
			runner_start(&threads[i], "one of three stops", stop_it, &stoppers[i]);
		}
		for (size_t i = 0; i < COUNT(threads); i++) {
			runner_join(&threads[i]);
			assert_code(stoppers[i].rc, 0);
		}
	}
	watched_close(&w);
}

TEST(without_its_thread_there_is_no_start)
{
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	disruptor_store_release(&refuse_threads, 1u);
	assert_code(disruptor_start(w.d), DISRUPTOR_E_SYSTEM);
	disruptor_store_release(&refuse_threads, 0u);
	assert_detail("'watchdog': thread: ");
	assert_int_equal(disruptor_state(w.d), DISRUPTOR_INIT);
	graph_start(w.d);
	probe_publish(&w.producer, 2);
	graph_drain(w.d);
	probe_expect(&w.probe, 0, 2);
	watched_close(&w);
}

TEST(refused_watchdogs)
{
	struct disruptor_watchdog bad;
	struct watched w;

	watched_open(&w, DISRUPTOR_SINGLE);
	bad = w.watchdog;
	bad.stalled = NULL;
	assert_code(disruptor_set_watchdog(w.d, &bad), DISRUPTOR_E_INVAL);
	assert_detail("stalled");
	bad = w.watchdog;
	bad.threshold_ns = 999999;
	assert_code(disruptor_set_watchdog(w.d, &bad), DISRUPTOR_E_INVAL);
	assert_detail("threshold_ns");
	bad = w.watchdog;
	bad.flags = 1;
	assert_code(disruptor_set_watchdog(w.d, &bad), DISRUPTOR_E_INVAL);
	assert_detail("flags");
	bad = w.watchdog;
	bad.reserved = 1;
	assert_code(disruptor_set_watchdog(w.d, &bad), DISRUPTOR_E_INVAL);
	assert_detail("reserved");
	bad = w.watchdog;
	bad.size = 0;
	assert_code(disruptor_set_watchdog(w.d, &bad), DISRUPTOR_E_VERSION);
	assert_code(disruptor_set_watchdog(NULL, &w.watchdog), DISRUPTOR_E_INVAL);
	graph_start(w.d);
	assert_code(disruptor_set_watchdog(w.d, &w.watchdog), DISRUPTOR_E_STATE);
	assert_code(disruptor_set_watchdog(w.d, NULL), DISRUPTOR_E_STATE);
	watched_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_handler_that_stays_is_told),
		RUN(an_idle_ring_is_no_stall),
		RUN(a_stall_that_lasts_is_told_again_at_twice_the_time),
		RUN(after_it_has_moved_a_stall_is_told_anew),
		RUN(a_claim_that_is_not_published_is_told_with_its_producer),
		RUN(a_slow_stage_that_moves_is_no_stall),
		RUN(its_callback_cannot_wait_for_its_own_end),
		RUN(it_watches_a_drain_and_the_next_run),
		RUN(several_stops_and_a_start_agree_about_it),
		RUN(without_its_thread_there_is_no_start),
		RUN(refused_watchdogs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
