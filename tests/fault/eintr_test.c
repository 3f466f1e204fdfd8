/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A storm of signals, one every 50 µs or as fast as they are taken, at every thread that sleeps for
 * another, with SA_RESTART and without: nothing is lost, and deadlines are kept. Row T23.
 */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TARGETS 4
#define MS UINT64_C(1000000)
#define EVENTS (FIXTURE_TSAN || DISRUPTOR_ASAN ? 300u : 1500u)
/* How much later than its deadline a wait may end, on cores that others use, too. */
#define LATE_MS (FIXTURE_TSAN || DISRUPTOR_ASAN ? 2000u : 500u)

/* ---- the storm ---- */

static DISRUPTOR_ATOMIC(uint64_t) taken; /* signals, by their handlers */

static void on_signal(int signal)
{
	(void)signal;
	disruptor_fetch_add_relaxed(&taken, UINT64_C(1)); /* relaxed: a count */
}

struct storm {
	struct runner thread;
	pthread_t target[TARGETS];
	DISRUPTOR_ATOMIC(uint32_t) count, stop;
	pthread_mutex_t lock;
};

static struct storm storm = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void blow(void *unused)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	(void)unused;
	while (!disruptor_load_acquire(&storm.stop)) {
		pthread_mutex_lock(&storm.lock); /* nobody leaves meanwhile */
		for (uint32_t i = 0; i < disruptor_load_relaxed(&storm.count); i++)
			pthread_kill(storm.target[i], SIGUSR1);
		pthread_mutex_unlock(&storm.lock);
		nanosleep(&pause, NULL);
	}
}

static void storm_begin(bool restart)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0 };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	disruptor_store_relaxed(&storm.stop, 0u);
	disruptor_store_relaxed(&storm.count, 0u);
	runner_start(&storm.thread, "the storm", blow, NULL);
}

/* The calling thread is a target from now on, and until it leaves. */
static void stand_in_it(void)
{
	uint32_t n;

	pthread_mutex_lock(&storm.lock);
	n = disruptor_load_relaxed(&storm.count);
	storm.target[n] = pthread_self();
	disruptor_store_relaxed(&storm.count, n + 1);
	pthread_mutex_unlock(&storm.lock);
}

static void leave_it(void)
{
	pthread_mutex_lock(&storm.lock);
	for (uint32_t i = 0, n = disruptor_load_relaxed(&storm.count); i < n; i++)
		if (pthread_equal(storm.target[i], pthread_self())) {
			storm.target[i] = storm.target[n - 1];
			disruptor_store_relaxed(&storm.count, n - 1);
			break;
		}
	pthread_mutex_unlock(&storm.lock);
}

static void storm_end(void)
{
	disruptor_store_release(&storm.stop, 1u);
	runner_join(&storm.thread);
}

/* ---- nothing is lost ---- */

struct stream {
	struct disruptor_ring *ring;
	struct disruptor *d;
	struct disruptor_wait wait;
	struct tick_consumer consumer;
	uint64_t seen, wrong, sent;
	bool polls;
};

static void send(void *stream)
{
	struct stream *s = stream;
	const struct disruptor_producer_options o = { .size = sizeof(o), .wait = s->wait };
	struct tick_producer p;

	if (tick_producer_open(&p, s->ring, &o) != 0)
		return;
	stand_in_it();
	for (uint64_t i = 0; i < EVENTS; i++) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		t->value = i;
		s->sent += tick_publish(&p) == 0;
		if (i % 64 == 0)
			pause_ms(1); /* those who read go to sleep */
	}
	leave_it();
	(void)tick_producer_close(&p);
}

static void take(struct stream *s, int64_t n)
{
	for (uint64_t i = 0; i < (uint64_t)n; i++)
		s->wrong += tick_at(&s->consumer, i)->value != s->seen + i;
	s->seen += (uint64_t)n;
	(void)tick_release(&s->consumer, (uint64_t)n);
	if (s->seen % 50 == 0)
		pause_ms(1); /* who sends goes to sleep */
}

static void receive(void *stream)
{
	struct stream *s = stream;
	int64_t n;

	stand_in_it();
	while ((n = tick_ready_until(&s->consumer, DISRUPTOR_FOREVER)) > 0)
		take(s, n);
	leave_it();
}

static void receive_by_descriptor(void *stream)
{
	struct stream *s = stream;
	struct pollfd p = { .events = POLLIN };
	int64_t n;

	p.fd = disruptor_consumer_fd(&s->consumer.view);
	stand_in_it();
	for (;;) {
		while ((n = disruptor_consumer_arm(&s->consumer.view)) > 0)
			take(s, n);
		if (n < 0)
			break;
		(void)poll(&p, 1, -1); /* EINTR as well: one arms again */
	}
	leave_it();
}

static void receive_any(void *stream)
{
	struct stream *s = stream;
	struct disruptor_consumer *one = &s->consumer.view;
	int64_t n;

	stand_in_it();
	while (disruptor_wait_any(&one, 1, DISRUPTOR_FOREVER) == 0 &&
	       (n = tick_ready_until(&s->consumer, 0)) > 0)
		take(s, n);
	leave_it();
}

static void stream_through(struct disruptor_wait wait, void (*receiver)(void *), bool restart)
{
	struct disruptor_options options = fixture_options(4);
	struct disruptor_consumer_options o = { .size = sizeof(o), .wait = wait };
	struct stream s = { .wait = wait };
	struct runner ends[2];

	s.ring = ring_open(&options);
	assert_code(tick_consumer_open(&s.consumer, s.ring, &o), 0);
	storm_begin(restart);
	runner_start(&ends[0], "who sends", send, &s);
	runner_start(&ends[1], "who receives", receiver, &s);
	runner_join(&ends[0]);
	disruptor_ring_close(s.ring);
	runner_join(&ends[1]);
	storm_end();
	assert_int_equal(s.sent, EVENTS);
	assert_int_equal(s.seen, EVENTS);
	assert_int_equal(s.wrong, 0);
	assert_code(tick_consumer_close(&s.consumer), 0);
	ring_close(&s.ring);
}

TEST(a_stream_of_two_that_sleep_for_each_other_loses_nothing)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		stream_through(fixture_wait(i), receive, false);
		stream_through(fixture_wait(i), receive, true);
	}
}

TEST(a_loop_around_a_descriptor_loses_nothing)
{
	stream_through(disruptor_wait_blocking(), receive_by_descriptor, false);
	stream_through(disruptor_wait_blocking(), receive_by_descriptor, true);
}

TEST(a_wait_for_several_loses_nothing)
{
	stream_through(disruptor_wait_blocking(), receive_any, false);
	stream_through(disruptor_wait_blocking(), receive_any, true);
}

/* ---- a graph that the caller drives, starts and stops in the storm ---- */

static void send_to_graph(void *stream)
{
	struct stream *s = stream;

	s->ring = disruptor_ring(s->d);
	send(s);
}

static void graph_in_it(enum disruptor_mapping mapping, bool restart)
{
	struct disruptor_options options = fixture_options(8);
	struct stream s = { .d = graph_open(&options), .wait = disruptor_wait_blocking() };
	struct runner sender;
	struct probe probe;

	graph_map(s.d, mapping, mapping == DISRUPTOR_MAP_SHARED ? 1 : 0);
	probe_init(&probe, "probe");
	probe_add(&probe, s.d);
	storm_begin(restart);
	stand_in_it();
	graph_start(s.d);
	runner_start(&sender, "who sends", send_to_graph, &s);
	while (mapping == DISRUPTOR_MAP_NONE && !runner_done(&sender))
		(void)disruptor_poll_until(s.d, 100, in_ms(5));
	runner_join(&sender);
	assert_code(disruptor_await(s.d, DISRUPTOR_STOPPED, in_ms(20)), DISRUPTOR_E_TIMEOUT);
	graph_drain(s.d);
	leave_it();
	storm_end();
	assert_int_equal(probe.events, EVENTS);
	assert_int_equal(probe.wrong, 0);
	graph_close(&s.d);
}

TEST(a_graph_that_is_started_driven_and_stopped_in_it_loses_nothing)
{
	for (int restart = 0; restart < 2; restart++) {
		graph_in_it(DISRUPTOR_MAP_NONE, restart);
		graph_in_it(DISRUPTOR_MAP_DEDICATED, restart);
		graph_in_it(DISRUPTOR_MAP_SHARED, restart);
	}
}

/* ---- deadlines ---- */

struct late {
	struct fixture f;
	struct disruptor *d;
	struct disruptor_conflate *table;
	struct tick_reader reader;
	uint64_t deadline;
	int64_t result;
	uint64_t ended;
	int64_t (*wait)(struct late *l);
};

static int64_t wait_ready(struct late *l)
{
	return tick_ready_until(&l->f.consumer[0], l->deadline);
}

static int64_t wait_any(struct late *l)
{
	struct disruptor_consumer *one = &l->f.consumer[0].view;

	return disruptor_wait_any(&one, 1, l->deadline);
}

static int64_t wait_for_room(struct late *l)
{
	disruptor_producer_handoff(&l->f.producer.view);
	while (tick_try_claim(&l->f.producer))
		(void)tick_publish(&l->f.producer);
	return tick_claim_until(&l->f.producer, l->deadline) ? 1 : tick_status(&l->f.producer);
}

static int64_t wait_lossily(struct late *l)
{
	struct tick t;

	return tick_reader_next_until(&l->reader, &t, l->deadline);
}

static int64_t wait_for_latest(struct late *l)
{
	struct tick t;

	return disruptor_conflate_take_until(l->table, &t, NULL, l->deadline);
}

static int64_t wait_for_state(struct late *l)
{
	return disruptor_await(l->d, DISRUPTOR_RUNNING, l->deadline);
}

static void wait_in_it(void *late)
{
	struct late *l = late;

	stand_in_it();
	l->deadline = in_ms(50);
	l->result = l->wait(l);
	l->ended = disruptor_now();
	leave_it();
}

static uint64_t no_key(const void *event, void *context)
{
	(void)event, (void)context;
	return 0;
}

static void deadline_kept(struct disruptor_wait wait, int64_t (*function)(struct late *),
			  bool restart)
{
	const struct disruptor_conflate_options co = { .size = sizeof(co),
						       .keys = 1,
						       .key = no_key };
	struct disruptor_options options = fixture_options(4);
	struct runner thread;
	struct late l = { .wait = function };

	l.d = graph_open(&options);
	options.wait = wait;
	options.flags = DISRUPTOR_LOSSY;
	fixture_open_with(&l.f, &options, 1);
	assert_code(tick_reader_open(&l.reader, l.f.ring, NULL), 0);
	assert_code(disruptor_conflate_create(&l.table, &tick_type, &co), 0);
	storm_begin(restart);
	runner_start(&thread, "a wait with a deadline", wait_in_it, &l);
	runner_join(&thread);
	storm_end();
	assert_code(l.result, DISRUPTOR_E_TIMEOUT);
	assert_true(l.ended >= l.deadline);
	assert_true(l.ended < l.deadline + LATE_MS * MS);
	assert_code(tick_reader_close(&l.reader), 0);
	disruptor_conflate_destroy(&l.table);
	fixture_close(&l.f);
	graph_close(&l.d);
}

TEST(waits_end_at_their_deadlines_not_before_and_not_much_later)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		for (int restart = 0; restart < 2; restart++) {
			deadline_kept(fixture_wait(i), wait_ready, restart);
			deadline_kept(fixture_wait(i), wait_for_room, restart);
		}
}

TEST(other_waits_do_so_too)
{
	static int64_t (*const waits[])(struct late *) = { wait_any, wait_lossily, wait_for_latest,
							   wait_for_state };

	for (size_t i = 0; i < COUNT(waits); i++)
		for (int restart = 0; restart < 2; restart++)
			deadline_kept(disruptor_wait_blocking(), waits[i], restart);
}

/* How many signals one test takes is the machine's matter; together they took some. */
TEST(the_storms_have_blown)
{
	assert_true(disruptor_load_relaxed(&taken) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_stream_of_two_that_sleep_for_each_other_loses_nothing),
		RUN(a_loop_around_a_descriptor_loses_nothing),
		RUN(a_wait_for_several_loses_nothing),
		RUN(a_graph_that_is_started_driven_and_stopped_in_it_loses_nothing),
		RUN(waits_end_at_their_deadlines_not_before_and_not_much_later),
		RUN(other_waits_do_so_too),
		RUN(the_storms_have_blown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
