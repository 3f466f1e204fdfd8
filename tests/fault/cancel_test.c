/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Cancelled threads, row T85. No function of the library is a cancellation point, and callbacks run
 * with cancellation off: so a request acts where the caller's own code lets it, never with a lock
 * taken or a run that nobody ends. What is claimed then is given up by a cleanup handler.
 */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A thread that is to be cancelled, and how far it has come. */
struct victim {
	pthread_t thread;
	struct disruptor_ring *ring;
	struct disruptor *d;
	struct disruptor_stage *stage;
	struct tick_producer producer;
	struct tick_consumer consumer;
	struct disruptor_wait wait;
	DISRUPTOR_ATOMIC(uint32_t) ready;    /* about to wait */
	DISRUPTOR_ATOMIC(uint32_t) returned; /* the wait is over */
	DISRUPTOR_ATOMIC(int64_t) result;    /* of it */
};

static void victim_start(struct victim *v, void *(*run)(void *))
{
	assert_int_equal(pthread_create(&v->thread, NULL, run, v), 0);
}

static bool is_ready(void *victim)
{
	return disruptor_load_acquire(&((struct victim *)victim)->ready) != 0;
}

static void victim_await(struct victim *v)
{
	await("a thread that should be about to wait", is_ready, v);
}

/* Joins it: it was cancelled, and did not return. The test's watchdog ends a wait in vain. */
static void expect_cancelled(struct victim *v)
{
	void *result = NULL;

	assert_int_equal(pthread_join(v->thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

/* The wait has ended with @p result; if anybody has cancelled us, this is where that acts. */
static void came_back(struct victim *v, int64_t result)
{
	disruptor_store_release(&v->result, result);
	disruptor_store_release(&v->returned, 1u);
	pthread_testcancel();
}

static void give_up_claim(void *victim)
{
	struct victim *v = victim;

	if (disruptor_claimed(&v->producer.view))
		(void)tick_abort(&v->producer);
	(void)tick_producer_close(&v->producer);
}

/* ---- inside a claim ---- */

static void *claim_and_stay(void *victim)
{
	struct victim *v = victim;
	struct tick *t;

	if (tick_producer_open(&v->producer, v->ring, NULL) != 0)
		return NULL;
	pthread_cleanup_push(give_up_claim, v);
	t = tick_claim(&v->producer);
	if (t)
		t->value = 77; /* half done */
	disruptor_store_release(&v->ready, 1u);
	for (;;) { /* not out of a sleep: tsan loses its thread of what happens then */
		int before;

		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
		pause_ms(1);
		pthread_setcancelstate(before, &before);
		pthread_testcancel();
	}
	pthread_cleanup_pop(1);
	return NULL;
}

static void cancelled_with_a_claim(enum disruptor_layout layout, enum disruptor_producers producers)
{
	struct disruptor_options options = fixture_options(4);
	struct victim v = { .ready = 0 };
	struct tick_producer other;
	struct tick_consumer c;

	options.layout = layout;
	options.producers = producers;
	v.ring = ring_open(&options);
	assert_code(tick_consumer_open(&c, v.ring, NULL), 0);
	victim_start(&v, claim_and_stay);
	victim_await(&v);
	if (producers == DISRUPTOR_MANY) { /* others go on behind the claim, unseen as yet */
		assert_code(tick_producer_open(&other, v.ring, NULL), 0);
		publish_ticks(&other, 1);
		assert_int_equal(tick_ready(&c), 0);
	}
	assert_int_equal(pthread_cancel(v.thread), 0);
	expect_cancelled(&v);
	if (producers == DISRUPTOR_SINGLE) {
		assert_code(tick_producer_open(&other, v.ring, NULL), 0);
		publish_ticks(&other, 1);
	}
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(tick_ready(&c), 1);
		assert_int_equal(tick_at(&c, 0)->value, disruptor_consumer_position(&c.view));
		assert_code(tick_release(&c, 1), 0);
		publish_ticks(&other, 1);
	}
	assert_int_equal(disruptor_ring_stats(v.ring).voids, layout == DISRUPTOR_STAMPED);
	assert_code(tick_producer_close(&other), 0);
	assert_code(tick_consumer_close(&c), 0);
	ring_close(&v.ring);
}

TEST(a_cleanup_handler_gives_up_what_a_cancelled_thread_had_claimed)
{
	cancelled_with_a_claim(DISRUPTOR_STAMPED, DISRUPTOR_SINGLE);
	cancelled_with_a_claim(DISRUPTOR_STAMPED, DISRUPTOR_MANY);
	cancelled_with_a_claim(DISRUPTOR_PACKED, DISRUPTOR_SINGLE);
}

/* ---- inside waits ---- */

static void *claim_when_full(void *victim)
{
	struct victim *v = victim;
	const struct disruptor_producer_options o = { .size = sizeof(o), .wait = v->wait };

	if (tick_producer_open(&v->producer, v->ring, &o) != 0)
		return NULL;
	pthread_cleanup_push(give_up_claim, v);
	while (tick_try_claim(&v->producer))
		(void)tick_publish(&v->producer);
	disruptor_store_release(&v->ready, 1u);
	came_back(v, tick_claim(&v->producer) ? 1 : 0);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *wait_for_events(void *victim)
{
	struct victim *v = victim;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, tick_ready_until(&v->consumer, DISRUPTOR_FOREVER));
	return NULL;
}

static void *wait_for_any(void *victim)
{
	struct victim *v = victim;
	struct disruptor_consumer *one = &v->consumer.view;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, disruptor_wait_any(&one, 1, DISRUPTOR_FOREVER) == 0);
	return NULL;
}

static void *arm_and_clear(void *victim)
{
	struct victim *v = victim;
	int64_t n = disruptor_consumer_fd(&v->consumer.view);

	pthread_cancel(pthread_self()); /* acts at once where something is a cancellation point */
	for (unsigned i = 0; i < 3 && n >= 0; i++)
		n = disruptor_consumer_arm(&v->consumer.view);
	disruptor_store_release(&v->ready, 1u);
	while (n == 0)
		n = disruptor_consumer_arm(&v->consumer.view);
	came_back(v, n);
	return NULL;
}

static void close_reader(void *reader)
{
	(void)tick_reader_close(reader);
}

static void *read_lossily(void *victim)
{
	const struct disruptor_reader_options o = { .size = sizeof(o),
						    .wait = ((struct victim *)victim)->wait };
	struct victim *v = victim;
	struct tick_reader r;
	struct tick t;

	if (tick_reader_open(&r, v->ring, &o) != 0)
		return NULL;
	pthread_cleanup_push(close_reader, &r);
	disruptor_store_release(&v->ready, 1u);
	came_back(v, tick_reader_next_until(&r, &t, DISRUPTOR_FOREVER));
	pthread_cleanup_pop(1);
	return NULL;
}

/* It is cancelled as it waits, goes on waiting, ends its wait as if nothing were, and then ends. */
static void cancelled_in_a_wait(struct victim *v, bool sleeps, void (*end_wait)(struct victim *v))
{
	victim_await(v);
	if (sleeps)
		await_sleeps(v->ring, 1);
	pause_ms(1);
	assert_int_equal(pthread_cancel(v->thread), 0);
	pause_ms(3);
	assert_int_equal(disruptor_load_acquire(&v->returned), 0);
	assert_true(disruptor_ring_stats(v->ring).consumers >= 1);
	end_wait(v);
	expect_cancelled(v);
	assert_int_equal(disruptor_load_acquire(&v->returned), 1);
	assert_int_equal(disruptor_load_acquire(&v->result), 1);
}

static void make_room(struct victim *v)
{
	assert_true(tick_ready(&v->consumer) >= 1);
	assert_code(tick_release(&v->consumer, 1), 0);
}

static void publish_one(struct victim *v)
{
	struct tick *t = tick_claim(&v->producer);

	assert_non_null(t);
	t->value = disruptor_producer_position(&v->producer.view);
	assert_code(tick_publish(&v->producer), 0);
}

TEST(a_claim_that_waits_is_no_cancellation_point)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_options options = fixture_options(2);
		struct victim v = { .wait = fixture_wait(i) };
		struct tick_producer next;

		v.ring = ring_open(&options);
		assert_code(tick_consumer_open(&v.consumer, v.ring, NULL), 0);
		victim_start(&v, claim_when_full);
		cancelled_in_a_wait(&v, wait_parks(&v.wait), make_room);
		/* the claim was given up: the place is free, and so is the ring */
		assert_code(tick_producer_open(&next, v.ring, NULL), 0);
		make_room(&v);
		assert_int_equal(tick_ready(&v.consumer), 0);
		publish_ticks(&next, 1);
		read_ticks(&v.consumer, 1);
		assert_code(tick_producer_close(&next), 0);
		assert_code(tick_consumer_close(&v.consumer), 0);
		ring_close(&v.ring);
	}
}

static void waits_for_an_event(void *(*run)(void *), bool own_view)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_options options = fixture_options(2);
		struct disruptor_consumer_options o = { .size = sizeof(o),
							.wait = fixture_wait(i) };
		struct victim v = { .wait = fixture_wait(i) };

		options.flags = DISRUPTOR_LOSSY;
		v.ring = ring_open(&options);
		assert_code(tick_consumer_open(&v.consumer, v.ring, &o), 0);
		assert_code(tick_producer_open(&v.producer, v.ring, NULL), 0);
		victim_start(&v, run);
		cancelled_in_a_wait(&v, wait_parks(&v.wait) && run != arm_and_clear, publish_one);
		if (own_view) /* the consumer has the events still, and may be used by who joined */
			assert_code(disruptor_consumer_handoff(&v.consumer.view), 0);
		read_ticks(&v.consumer, 1);
		publish_ticks(&v.producer, 2);
		read_ticks(&v.consumer, 2);
		assert_code(tick_producer_close(&v.producer), 0);
		assert_code(tick_consumer_close(&v.consumer), 0);
		ring_close(&v.ring);
	}
}

TEST(a_wait_for_events_is_no_cancellation_point)
{
	waits_for_an_event(wait_for_events, true);
}

TEST(a_wait_for_several_consumers_is_no_cancellation_point)
{
	waits_for_an_event(wait_for_any, true);
}

TEST(arming_a_descriptor_is_no_cancellation_point)
{
	waits_for_an_event(arm_and_clear, true);
}

TEST(a_lossy_reader_that_waits_is_no_cancellation_point)
{
	waits_for_an_event(read_lossily, false);
}

/* ---- a table of latest events ---- */

static uint64_t any_key(const void *event, void *context)
{
	(void)event, (void)context;
	return 1;
}

static struct disruptor_conflate *table;

static void *take_latest(void *victim)
{
	struct victim *v = victim;
	struct tick t;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, disruptor_conflate_take_until(table, &t, NULL, DISRUPTOR_FOREVER));
	return NULL;
}

TEST(a_wait_for_the_latest_event_is_no_cancellation_point)
{
	const struct disruptor_conflate_options o = { .size = sizeof(o),
						      .keys = 1,
						      .key = any_key };
	struct tick t = { .value = 5 };
	struct victim v = { .ready = 0 };

	assert_code(disruptor_conflate_create(&table, &tick_type, &o), 0);
	victim_start(&v, take_latest);
	victim_await(&v);
	pause_ms(2);
	assert_int_equal(pthread_cancel(v.thread), 0);
	pause_ms(2);
	assert_code(disruptor_conflate_put(table, &t, 0), 0);
	expect_cancelled(&v);
	assert_int_equal(disruptor_load_acquire(&v.result), 1);
	assert_code(disruptor_conflate_put(table, &t, 1), 0); /* its lock is free */
	assert_int_equal(disruptor_conflate_take_until(table, &t, NULL, in_ms(1000)), 1);
	assert_code(disruptor_conflate_take_until(table, &t, NULL, in_ms(1)), DISRUPTOR_E_TIMEOUT);
	disruptor_conflate_destroy(&table);
}

/* ---- inside callbacks ---- */

/* A handler whose thread is cancelled, and which then does what would be a cancellation point. */
static void cancel_self(void *context)
{
	(void)context;
	pthread_cancel(pthread_self());
	pause_ms(1);
	pthread_testcancel();
}

static void cancelled_in_handlers(enum disruptor_mapping mapping, uint32_t threads)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe[2];

	graph_map(d, mapping, threads);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&probe[i], i ? "two" : "one");
		probe[i].act = cancel_self;
		probe_add(&probe[i], d);
	}
	probe_producer(&p, d);
	for (uint64_t run = 0; run < 2; run++) {
		probe_forget(&probe[0]);
		probe_forget(&probe[1]);
		graph_start(d);
		probe_publish(&p, 12);
		graph_drain(d);
		probe_expect(&probe[0], 12 * run, 12 * run + 12);
		probe_expect(&probe[1], 12 * run, 12 * run + 12);
	}
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_stages_thread_that_is_cancelled_goes_on)
{
	cancelled_in_handlers(DISRUPTOR_MAP_DEDICATED, 0);
	cancelled_in_handlers(DISRUPTOR_MAP_SHARED, 1);
	cancelled_in_handlers(DISRUPTOR_MAP_SHARED, 2);
}

static void *run_stage(void *victim)
{
	struct victim *v = victim;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, disruptor_stage_run(v->stage) == 0);
	return NULL;
}

static void *drive(void *victim)
{
	struct victim *v = victim;
	int64_t n = 0, sum = 0;

	disruptor_store_release(&v->ready, 1u);
	while (n >= 0 && sum < 6) { /* no cancellation point in here, whatever it waits for */
		n = disruptor_poll_until(v->d, 6, DISRUPTOR_FOREVER);
		sum += n;
	}
	came_back(v, sum == 6);
	return NULL;
}

/* Six events through a stage that @p v's thread runs, and which is cancelled by its handler. */
static void cancelled_while_it_runs_a_stage(bool driven)
{
	struct disruptor_options options = fixture_options(8);
	struct victim v = { .ready = 0 };
	struct probe probe;

	v.d = graph_open(&options);
	v.ring = disruptor_ring(v.d);
	graph_map(v.d, driven ? DISRUPTOR_MAP_NONE : DISRUPTOR_MAP_DEDICATED, 0);
	probe_init(&probe, "probe");
	probe.act = cancel_self;
	probe_add(&probe, v.d);
	v.stage = probe.stage;
	probe_producer(&v.producer, v.d);
	if (driven)
		graph_start(v.d);
	victim_start(&v, driven ? drive : run_stage);
	victim_await(&v);
	probe_publish(&v.producer, 6);
	probe_await(&probe, 6);
	if (!driven)
		disruptor_stage_stop(v.stage);
	expect_cancelled(&v);
	assert_int_equal(disruptor_load_acquire(&v.result), 1);
	assert_int_equal(disruptor_stage_running(v.stage), driven);
	probe_expect(&probe, 0, 6);
	probe.act = NULL;
	probe_forget(&probe);
	if (!driven)
		graph_start(v.d);
	probe_publish(&v.producer, 3); /* it can be driven on by any other thread */
	graph_drain(v.d);
	probe_expect(&probe, 6, 9);
	assert_int_equal(probe.stops, 1);
	assert_code(tick_producer_close(&v.producer), 0);
	graph_close(&v.d);
}

TEST(a_thread_that_runs_a_stage_is_cancelled_behind_its_run)
{
	cancelled_while_it_runs_a_stage(false);
}

TEST(a_thread_that_drives_is_cancelled_behind_its_call)
{
	cancelled_while_it_runs_a_stage(true);
}

/* ---- who starts, stops and waits for a disruptor ---- */

static void *stop_it(void *victim)
{
	struct victim *v = victim;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, disruptor_stop(v->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) == 0);
	return NULL;
}

static void *await_its_end(void *victim)
{
	struct victim *v = victim;

	disruptor_store_release(&v->ready, 1u);
	came_back(v, disruptor_await(v->d, DISRUPTOR_STOPPED, DISRUPTOR_FOREVER) == 0);
	return NULL;
}

TEST(a_stop_that_waits_is_no_cancellation_point)
{
	struct disruptor_options options = fixture_options(8);
	struct victim v = { .d = graph_open(&options) }, w = { .d = v.d };
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "probe");
	disruptor_store_relaxed(&probe.hold_at, UINT64_C(2));
	probe_add(&probe, v.d);
	probe_producer(&p, v.d);
	graph_start(v.d);
	probe_publish(&p, 5);
	probe_await_hold(&probe);
	victim_start(&v, stop_it);
	victim_start(&w, await_its_end);
	victim_await(&v);
	victim_await(&w);
	pause_ms(2);
	assert_int_equal(pthread_cancel(v.thread), 0);
	assert_int_equal(pthread_cancel(w.thread), 0);
	pause_ms(2);
	assert_int_equal(disruptor_state(v.d), DISRUPTOR_DRAINING); /* its lock is free */
	probe_let_go(&probe);
	expect_cancelled(&v);
	expect_cancelled(&w);
	assert_int_equal(v.result, 1);
	assert_int_equal(w.result, 1);
	probe_expect(&probe, 0, 5);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&v.d);
}

static void watchdog_cancelled(void *context, const struct disruptor_diagnosis *found)
{
	(void)found;
	cancel_self(NULL);
	disruptor_fetch_add_release((DISRUPTOR_ATOMIC(uint32_t) *)context, 1u);
}

static bool was_told(void *told)
{
	return disruptor_load_acquire((DISRUPTOR_ATOMIC(uint32_t) *)told) > 1;
}

TEST(a_watchdog_whose_thread_is_cancelled_goes_on)
{
	static DISRUPTOR_ATOMIC(uint32_t) told;
	const struct disruptor_watchdog w = { .size = sizeof(w),
					      .threshold_ns = 2000000,
					      .stalled = watchdog_cancelled,
					      .context = &told };
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "probe");
	disruptor_store_relaxed(&probe.hold_at, UINT64_C(0));
	probe_add(&probe, d);
	assert_code(disruptor_set_watchdog(d, &w), 0);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 1);
	await("a watchdog that should call again", was_told, &told);
	probe_let_go(&probe);
	graph_drain(d);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_cleanup_handler_gives_up_what_a_cancelled_thread_had_claimed),
		RUN(a_claim_that_waits_is_no_cancellation_point),
		RUN(a_wait_for_events_is_no_cancellation_point),
		RUN(a_wait_for_several_consumers_is_no_cancellation_point),
		RUN(arming_a_descriptor_is_no_cancellation_point),
		RUN(a_lossy_reader_that_waits_is_no_cancellation_point),
		RUN(a_wait_for_the_latest_event_is_no_cancellation_point),
		RUN(a_stages_thread_that_is_cancelled_goes_on),
		RUN(a_thread_that_runs_a_stage_is_cancelled_behind_its_run),
		RUN(a_thread_that_drives_is_cancelled_behind_its_call),
		RUN(a_stop_that_waits_is_no_cancellation_point),
		RUN(a_watchdog_whose_thread_is_cancelled_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
