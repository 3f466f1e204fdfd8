/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Defects that were found once and belong to no other test: spans behind voids, views that were not
 * opened, options of other versions of the headers, signals of stages, stops of a run gone by.
 */
#define _XOPEN_SOURCE 700
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- spans ---- */

/* Passing voids moves the consumer: the span begins behind them, in every lap. */
TEST(a_span_begins_behind_the_voids_at_the_front)
{
	for (int many = 0; many < 2; many++) {
		struct disruptor_options options = fixture_options(8);
		struct disruptor_span span;
		struct fixture f;

		options.producers = many ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
		fixture_open_with(&f, &options, 1);
		for (uint64_t voids = 1; voids < 6; voids++) {
			uint64_t at = disruptor_ring_stats(f.ring).claimed;

			assert_non_null(tick_claim_n(&f.producer, voids));
			assert_code(tick_abort(&f.producer), 0);
			publish_ticks(&f.producer, 1);
			assert_int_equal(disruptor_ready_span(&f.consumer[0].view, &span), 1);
			assert_int_equal(span.count, 1);
			assert_int_equal(span.position, at + voids);
			assert_int_equal(((struct tick *)span.first)->value, at + voids);
			assert_code(tick_release(&f.consumer[0], 1), 0);
		}
		assert_int_equal(disruptor_ready_span(&f.consumer[0].view, &span), 0);
		assert_null(span.first);
		fixture_close(&f);
	}
}

/* ---- views that could not be opened ---- */

/* Leave something other than zeroes where the next call's variables will lie. */
static size_t soil_the_stack(void)
{
	char soil[4096];

	return (size_t)snprintf(soil, sizeof(soil), "%04090d", 0);
}

/* Opened in vain, the view is a closed one, whatever it and the stack held before. */
static void producer_is_refused(struct disruptor_ring *ring, const struct disruptor_type *type,
				const struct disruptor_producer_options *options, int code)
{
	struct disruptor_producer view;

	memset(&view, 0xa5, sizeof(view));
	assert_true(soil_the_stack() != 0);
	assert_code(disruptor_producer_open(&view, ring, type, options), code);
	assert_null(view.ring);
	assert_int_equal(view.next, 0);
	assert_int_equal(view.open, 0);
	assert_null(disruptor_claim(&view));
	assert_null(disruptor_try_claim(&view));
	assert_code(disruptor_producer_status(&view), DISRUPTOR_E_INVAL);
	assert_code(disruptor_publish(&view), DISRUPTOR_E_INVAL);
	assert_code(disruptor_abort(&view), DISRUPTOR_E_INVAL);
	assert_code(disruptor_producer_close(&view), DISRUPTOR_E_INVAL);
}

TEST(a_producer_that_could_not_be_opened_is_closed)
{
	struct disruptor_producer_options bad = { .size = sizeof(bad), .reserved = 1 };
	struct disruptor_type other = bytes_type(16, 8);
	struct fixture f;

	fixture_open(&f, 4, 1);
	producer_is_refused(NULL, &tick_type, NULL, DISRUPTOR_E_INVAL);
	producer_is_refused(f.ring, NULL, NULL, DISRUPTOR_E_INVAL);
	producer_is_refused(f.ring, &tick_type, &bad, DISRUPTOR_E_INVAL);
	bad.size = 0;
	producer_is_refused(f.ring, &tick_type, &bad, DISRUPTOR_E_VERSION);
	producer_is_refused(f.ring, &other, NULL, DISRUPTOR_E_TYPE);
	producer_is_refused(f.ring, &tick_type, NULL, DISRUPTOR_E_BUSY); /* the fixture's is open */
	fixture_close(&f);
}

static void consumer_is_refused(struct disruptor_ring *ring, const struct disruptor_type *type,
				const struct disruptor_consumer_options *options, int code)
{
	struct disruptor_consumer view;

	memset(&view, 0xa5, sizeof(view));
	assert_true(soil_the_stack() != 0);
	assert_code(disruptor_consumer_open(&view, ring, type, options), code);
	assert_null(view.ring);
	assert_int_equal(view.open_mark, 0);
	assert_code(disruptor_consumer_close(&view), DISRUPTOR_E_INVAL);
}

TEST(a_consumer_that_could_not_be_opened_is_closed)
{
	struct disruptor_consumer_options bad = { .size = sizeof(bad), .batch = 1000 };
	struct disruptor_type other = bytes_type(16, 8);
	struct disruptor_options options = fixture_options(4);
	struct fixture f;

	options.max_consumers = 1;
	fixture_open_with(&f, &options, 1);
	consumer_is_refused(NULL, &tick_type, NULL, DISRUPTOR_E_INVAL);
	consumer_is_refused(f.ring, NULL, NULL, DISRUPTOR_E_INVAL);
	consumer_is_refused(f.ring, &tick_type, &bad, DISRUPTOR_E_TOO_BIG);
	bad.size = 0;
	consumer_is_refused(f.ring, &tick_type, &bad, DISRUPTOR_E_VERSION);
	consumer_is_refused(f.ring, &other, NULL, DISRUPTOR_E_TYPE);
	consumer_is_refused(f.ring, &tick_type, NULL, DISRUPTOR_E_BUSY);
	fixture_close(&f);
}

/* ---- options of other versions of the headers ---- */

#define NEWER 24 /* bytes that a later version has more */

union options {
	size_t size;
	struct disruptor_options ring;
	struct disruptor_producer_options producer;
	struct disruptor_consumer_options consumer;
	struct disruptor_handler handler;
	unsigned char bytes[512];
};

static int ignore_event(void *context, void *event, uint64_t position, int last)
{
	(void)context;
	(void)event;
	(void)position;
	(void)last;
	return 0;
}

static void fill_ring(union options *o)
{
	o->ring = fixture_options(8);
}

static void fill_producer(union options *o)
{
	o->producer.name = "feed";
}

static void fill_consumer(union options *o)
{
	o->consumer.name = "reader";
}

static void fill_handler(union options *o)
{
	o->handler.name = "stage";
	o->handler.on_event = ignore_event;
}

/* Use options as they lie; the code. */
static int use_ring(const void *o)
{
	struct disruptor_ring *ring;
	struct disruptor *d;
	int rc = disruptor_create(&d, &tick_type, o);

	if (rc == 0)
		assert_code(disruptor_destroy(&d), 0);
	assert_code(disruptor_ring_create(&ring, &tick_type, o), rc);
	assert_int_equal(disruptor_ring_size(&tick_type, o) != 0, rc == 0);
	assert_int_equal(disruptor_ring_align(&tick_type, o) != 0, rc == 0);
	if (rc == 0)
		ring_close(&ring);
	return rc;
}

static int use_producer(const void *o)
{
	struct disruptor_options options = fixture_options(4);
	struct disruptor_ring *ring = ring_open(&options);
	struct tick_producer p;
	int rc = tick_producer_open(&p, ring, o);

	if (rc == 0)
		assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
	return rc;
}

static int use_consumer(const void *o)
{
	struct disruptor_options options = fixture_options(4);
	struct disruptor_ring *ring = ring_open(&options);
	struct tick_consumer c;
	int rc = tick_consumer_open(&c, ring, o);

	if (rc == 0)
		assert_code(tick_consumer_close(&c), 0);
	ring_close(&ring);
	return rc;
}

/* A stage has no code to answer with: any refusal counts as this one, and has its detail. */
static int use_handler(const void *o)
{
	struct disruptor_options options = fixture_options(4);
	struct disruptor *d = graph_open(&options);
	int rc = disruptor_stage(d, o) ? 0 : DISRUPTOR_E_VERSION;

	graph_close(&d);
	return rc;
}

static const struct kind {
	void (*fill)(union options *o);
	int (*use)(const void *o);
	size_t known; /* this version's size */
	size_t older; /* that of one which ended in the middle, behind all that fill() sets */
} kinds[] = {
	{ fill_ring, use_ring, sizeof(struct disruptor_options),
	  offsetof(struct disruptor_options, allocator) },
	{ fill_producer, use_producer, sizeof(struct disruptor_producer_options),
	  offsetof(struct disruptor_producer_options, timeout_ns) },
	{ fill_producer, use_producer, sizeof(struct disruptor_producer_options),
	  offsetof(struct disruptor_producer_options, overflow) },
	{ fill_consumer, use_consumer, sizeof(struct disruptor_consumer_options),
	  offsetof(struct disruptor_consumer_options, batch) },
	{ fill_consumer, use_consumer, sizeof(struct disruptor_consumer_options),
	  offsetof(struct disruptor_consumer_options, after) },
	{ fill_handler, use_handler, sizeof(struct disruptor_handler),
	  offsetof(struct disruptor_handler, wait) },
};

/* Options of @p size bytes, in memory of no more, so that a sanitizer sees a read behind them. */
static int use_sized(const struct kind *k, union options *o, size_t size)
{
	size_t room = size < sizeof(size) ? sizeof(size) : size;
	void *exact;
	int rc;

	assert_true(room <= sizeof(*o));
	exact = malloc(room);
	assert_non_null(exact);
	o->size = size;
	memcpy(exact, o, room);
	rc = k->use(exact);
	free(exact);
	return rc;
}

TEST(options_of_an_older_version_are_accepted_and_nothing_behind_them_is_read)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		union options o;

		memset(&o, 0, sizeof(o));
		kinds[i].fill(&o);
		memset(o.bytes + kinds[i].older, 0xa5, sizeof(o) - kinds[i].older);
		assert_code(use_sized(&kinds[i], &o, kinds[i].older), 0);
		/* not in memory of their own: what lies behind them is there to be misread */
		o.size = kinds[i].older;
		assert_code(kinds[i].use(&o), 0);
	}
}

TEST(options_of_a_newer_version_are_accepted_if_what_is_new_is_zero)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		size_t newer = kinds[i].known + NEWER;
		union options o;

		memset(&o, 0, sizeof(o));
		kinds[i].fill(&o);
		assert_code(use_sized(&kinds[i], &o, newer), 0);
		for (size_t at = kinds[i].known; at < newer; at++) {
			char byte[32];

			(void)snprintf(byte, sizeof(byte), "byte %zu ", at);
			o.bytes[at] = 1;
			assert_code(use_sized(&kinds[i], &o, newer), DISRUPTOR_E_VERSION);
			assert_detail(byte);
			assert_code(use_sized(&kinds[i], &o, at), 0); /* not told of it */
			o.bytes[at] = 0;
		}
	}
}

TEST(options_without_a_size_are_refused)
{
	static const size_t none[] = { 0, 1, sizeof(size_t) - 1 };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		union options o;

		memset(&o, 0, sizeof(o));
		kinds[i].fill(&o);
		for (size_t k = 0; k < COUNT(none); k++) {
			assert_code(use_sized(&kinds[i], &o, none[k]), DISRUPTOR_E_VERSION);
			assert_detail("size: ");
		}
		o.size = SIZE_MAX; /* garbage, and not a length to read */
		assert_code(kinds[i].use(&o), DISRUPTOR_E_VERSION);
		assert_detail("size: ");
	}
}

/* ---- signals ---- */

/* Those of a thread's own fault, which would end the process if blocked, and the profiler's. */
static const int left_open[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF
};
static const int blocked[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
			       SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE };
static DISRUPTOR_ATOMIC(uint32_t) caught[COUNT(left_open)];

static void on_signal(int signal)
{
	for (size_t i = 0; i < COUNT(left_open); i++)
		if (left_open[i] == signal)
			disruptor_fetch_add_relaxed(&caught[i], 1u);
}

static int raise_all(void *mask)
{
	pthread_sigmask(SIG_BLOCK, NULL, mask);
	for (size_t i = 0; i < COUNT(left_open); i++)
		(void)raise(left_open[i]);
	return 0;
}

/* Also if the thread that starts it has them blocked. */
TEST(a_stages_thread_has_its_own_faults_and_the_profilers_signal_open)
{
	struct sigaction action = { .sa_handler = on_signal }, before[COUNT(left_open)];
	struct disruptor_options options = fixture_options(4);
	sigset_t mask, profiler, own;
	struct disruptor_handler handler = {
		.size = sizeof(handler),
		.name = "raises",
		.context = &mask,
		.on_start = raise_all,
		.on_event = ignore_event,
	};
	struct disruptor *d = graph_open(&options);

	sigemptyset(&mask);
	sigemptyset(&action.sa_mask);
	sigemptyset(&profiler);
	sigaddset(&profiler, SIGPROF);
	for (size_t i = 0; i < COUNT(left_open); i++) {
		disruptor_store_relaxed(&caught[i], 0u);
		sigaction(left_open[i], &action, &before[i]);
	}
	pthread_sigmask(SIG_BLOCK, &profiler, &own);
	assert_non_null(disruptor_stage(d, &handler));
	graph_start(d);
	graph_drain(d);
	for (size_t i = 0; i < COUNT(left_open); i++)
		sigaction(left_open[i], &before[i], NULL);
	for (size_t i = 0; i < COUNT(left_open); i++) {
		assert_false(sigismember(&mask, left_open[i]));
		assert_int_equal(disruptor_load_acquire(&caught[i]), 1);
	}
	for (size_t i = 0; i < COUNT(blocked); i++)
		assert_true(sigismember(&mask, blocked[i]));
	pthread_sigmask(SIG_SETMASK, &own, &mask);
	assert_true(sigismember(&mask, SIGPROF)); /* the starting thread's mask is its own again */
	graph_close(&d);
}

/* ---- stops ---- */

struct stopper {
	struct disruptor *d;
	struct runner runner;
	int rc;
};

static void drain(void *context)
{
	struct stopper *s = context;

	s->rc = disruptor_stop(s->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
}

/*
 * Two wait for a run's end; a third sees it first, and starts the next run. Each of the two returns,
 * though that run goes on. One that comes too late to wait for the first run closes the second,
 * which then ends: that is as it should be, and the reason to publish nothing in it.
 */
TEST(two_stops_end_with_their_run_while_a_third_thread_starts_the_next)
{
	struct disruptor_options options = fixture_options(16);
	struct disruptor *d = graph_open(&options);
	struct tick_producer producer;
	struct probe probe;

	probe_init(&probe, "probe");
	probe_add(&probe, d);
	probe_producer(&producer, d);
	for (uint64_t round = 0; round < 30; round++) {
		struct stopper s[2] = { { .d = d, .rc = 1 }, { .d = d, .rc = 1 } };

		disruptor_store_release(&probe.hold_at, round);
		graph_start(d);
		probe_publish(&producer, 1);
		probe_await_hold(&probe);
		for (size_t i = 0; i < COUNT(s); i++)
			runner_start(&s[i].runner, "one of two stops of the run before", drain,
				     &s[i]);
		pause_ms(5); /* so that they do wait, mostly */
		probe_let_go(&probe);
		graph_drain(d);
		graph_start(d);
		for (size_t i = 0; i < COUNT(s); i++) {
			runner_join(&s[i].runner);
			assert_code(s[i].rc, 0);
		}
		assert_code(disruptor_stop(d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
		assert_int_equal(disruptor_state(d), DISRUPTOR_STOPPED);
	}
	probe_expect(&probe, 0, 30);
	assert_code(tick_producer_close(&producer), 0);
	graph_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_span_begins_behind_the_voids_at_the_front),
		RUN(a_producer_that_could_not_be_opened_is_closed),
		RUN(a_consumer_that_could_not_be_opened_is_closed),
		RUN(options_of_an_older_version_are_accepted_and_nothing_behind_them_is_read),
		RUN(options_of_a_newer_version_are_accepted_if_what_is_new_is_zero),
		RUN(options_without_a_size_are_refused),
		RUN(a_stages_thread_has_its_own_faults_and_the_profilers_signal_open),
		RUN(two_stops_end_with_their_run_while_a_third_thread_starts_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
