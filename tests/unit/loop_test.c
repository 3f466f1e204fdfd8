/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Consumers watched through a descriptor, and one wait for several rings. */
#define _XOPEN_SOURCE 500 /* usleep() */
#include "fixture.h"

#include <poll.h>
#include <unistd.h>

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* ---- the descriptor ---- */

TEST(descriptor_is_readable_once_an_armed_consumer_has_events)
{
	struct fixture f;
	int fd;

	fixture_open(&f, 8, 1);
	fd = disruptor_consumer_fd(&f.consumer[0].view);
	assert_true(fd >= 0);
	assert_int_equal(disruptor_consumer_fd(&f.consumer[0].view), fd);
	for (unsigned round = 0; round < 5; round++) {
		assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
		assert_false(readable(fd, 0));
		publish_ticks(&f.producer, 2);
		assert_true(readable(fd, WATCHDOG_MS));
		assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 2);
		read_ticks(&f.consumer[0], 2);
	}
	fixture_close(&f);
}

#if defined(DISRUPTOR_HOOKS)
struct busy {
	struct fixture f;
	struct runner runner;
	int64_t first, second;
};

static void handle_and_arm(void *context)
{
	struct busy *b = context;
	struct disruptor_consumer *c = &b->f.consumer[0].view;

	b->first = disruptor_consumer_arm(c);
	(void)disruptor_release(c, 1);
	b->second = disruptor_consumer_arm(c);
}

static void meanwhile(void *context)
{
	struct busy *b = context;

	runner_start(&b->runner, "a consumer that is not asleep", handle_and_arm, b);
	pause_ms(50); /* it ends behind us */
}

/* Its consumer has found the event itself while the publisher was about to write. */
TEST(descriptor_that_was_written_late_does_not_stay_readable)
{
	struct busy b = { 0 };
	int fd;

	fixture_open(&b.f, 8, 1);
	fd = disruptor_consumer_fd(&b.f.consumer[0].view);
	assert_int_equal(disruptor_consumer_arm(&b.f.consumer[0].view), 0);
	hook_at(HOOK_WATCH_NEWS, 1, meanwhile, &b);
	publish_ticks(&b.f.producer, 1);
	assert_int_equal(hook_calls(), 1);
	runner_join(&b.runner);
	hook_clear();
	assert_int_equal(b.first, 1);
	assert_int_equal(b.second, 0);
	/* once for nothing, perhaps */
	assert_int_equal(disruptor_consumer_arm(&b.f.consumer[0].view), 0);
	assert_false(readable(fd, 0));
	fixture_close(&b.f);
}
#endif

TEST(nothing_is_written_while_the_consumer_is_not_idle)
{
	struct fixture f;
	int fd;

	fixture_open(&f, 64, 1);
	fd = disruptor_consumer_fd(&f.consumer[0].view);
	publish_ticks(&f.producer, 1);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 1);
	publish_ticks(&f.producer, 20);
	assert_false(readable(fd, 0));
	read_ticks(&f.consumer[0], 21);
	/* armed once: written once, however much is published */
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	publish_ticks(&f.producer, 5);
	assert_true(readable(fd, WATCHDOG_MS));
	assert_int_equal(disruptor_ring_stats(f.ring).wakes, 1);
	fixture_close(&f);
}

TEST(descriptor_tells_of_the_end_and_of_an_interrupt)
{
	struct fixture f;
	int fd;

	fixture_open(&f, 8, 1);
	fd = disruptor_consumer_fd(&f.consumer[0].view);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	disruptor_consumer_interrupt(&f.consumer[0].view);
	assert_true(readable(fd, WATCHDOG_MS));
	assert_code(disruptor_consumer_arm(&f.consumer[0].view), DISRUPTOR_E_INTERRUPTED);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	disruptor_ring_close(f.ring);
	assert_true(readable(fd, WATCHDOG_MS));
	assert_code(disruptor_consumer_arm(&f.consumer[0].view), DISRUPTOR_E_CLOSED);
	fixture_close(&f);
}

TEST(descriptor_of_a_later_consumer_follows_the_earlier_ones)
{
	const struct disruptor_consumer *after[2];
	struct disruptor_consumer_options options = { .size = sizeof(options),
						      .after = after,
						      .after_count = 2 };
	struct tick_consumer later;
	struct fixture f;
	int fd;

	fixture_open(&f, 8, 2);
	after[0] = &f.consumer[0].view;
	after[1] = &f.consumer[1].view;
	assert_code(tick_consumer_open(&later, f.ring, &options), 0);
	fd = disruptor_consumer_fd(&later.view);
	assert_int_equal(disruptor_consumer_arm(&later.view), 0);
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	/* it may be told that one of them is done; it is not ready, and asks for the other */
	assert_int_equal(disruptor_consumer_arm(&later.view), 0);
	assert_false(readable(fd, 0));
	read_ticks(&f.consumer[1], 1);
	assert_true(readable(fd, WATCHDOG_MS));
	assert_int_equal(disruptor_consumer_arm(&later.view), 1);
	assert_code(tick_consumer_close(&later), 0);
	fixture_close(&f);
}

#if defined(DISRUPTOR_HOOKS)
struct meanwhile {
	struct tick_producer *producer;
	unsigned looks;
};

static void publish_meanwhile(void *context)
{
	struct meanwhile *m = context;

	if (++m->looks == 3) /* the one behind the barrier */
		publish_ticks(m->producer, 1);
}

/* The event comes when all has been looked at and asked for, before arm() has returned. */
TEST(news_that_come_while_it_is_armed_make_the_descriptor_readable)
{
	struct fixture f;
	struct meanwhile m = { .producer = &f.producer };
	int fd;

	fixture_open(&f, 8, 1);
	fd = disruptor_consumer_fd(&f.consumer[0].view);
	hook_at(HOOK_LOOK_EMPTY, 3, publish_meanwhile, &m);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	hook_clear();
	assert_int_equal(m.looks, 3);
	assert_true(readable(fd, WATCHDOG_MS));
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 1);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
}
#endif

TEST(descriptor_is_closed_with_its_consumer)
{
	struct pollfd p = { .events = POLLIN };
	struct fixture f;

	fixture_open(&f, 8, 1);
	p.fd = disruptor_consumer_fd(&f.consumer[0].view);
	fixture_close(&f);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(p.revents & POLLNVAL);
}

TEST(arming_needs_a_descriptor)
{
	struct disruptor_consumer closed = { 0 };
	struct fixture f;

	fixture_open(&f, 8, 1);
	assert_code(disruptor_consumer_arm(&f.consumer[0].view), DISRUPTOR_E_STATE);
	assert_detail("disruptor_consumer_fd");
	assert_code(disruptor_consumer_arm(&closed), DISRUPTOR_E_INVAL);
	assert_code(disruptor_consumer_fd(&closed), DISRUPTOR_E_INVAL);
	fixture_close(&f);
}

/* ---- a stream through a loop: no wake-up is lost ---- */

#define STREAM 20000

static void stream(void *argument)
{
	struct tick_producer *p = argument;

	(void)disruptor_producer_handoff(&p->view);
	for (uint64_t i = 0; i < STREAM; i++) {
		struct tick *t = tick_claim(p);

		if (!t)
			return;
		t->value = i;
		(void)tick_publish(p);
		if (i % 512 == 0)
			usleep(100);
	}
}

TEST(a_stream_through_poll_loses_no_wake_up)
{
	struct runner publisher;
	uint64_t next = 0;
	struct fixture f;
	int fd;

	fixture_open(&f, 16, 1);
	fd = disruptor_consumer_fd(&f.consumer[0].view);
	runner_start(&publisher, "the publisher", stream, &f.producer);
	while (next < STREAM) {
		int64_t n = disruptor_consumer_arm(&f.consumer[0].view);

		assert_true(n >= 0);
		if (n == 0) {
			assert_true(readable(fd, WATCHDOG_MS));
			continue;
		}
		for (int64_t i = 0; i < n; i++) {
			const struct tick *t = disruptor_at(&f.consumer[0].view, (uint64_t)i);

			assert_int_equal(t->value, next++);
		}
		assert_code(disruptor_release(&f.consumer[0].view, (uint64_t)n), 0);
	}
	runner_join(&publisher);
	assert_code(disruptor_producer_handoff(&f.producer.view), 0);
	fixture_close(&f);
}

/* ---- several rings ---- */

#define RINGS 3

TEST(wait_any_tells_which_of_several_rings_has_events)
{
	struct disruptor_consumer *all[RINGS];
	struct fixture f[RINGS];

	for (size_t i = 0; i < RINGS; i++) {
		fixture_open(&f[i], 8, 1);
		all[i] = &f[i].consumer[0].view;
	}
	assert_code(disruptor_wait_any(all, RINGS, disruptor_in(2000000)), DISRUPTOR_E_TIMEOUT);
	for (size_t i = 0; i < RINGS; i++) {
		publish_ticks(&f[i].producer, 1);
		assert_int_equal(disruptor_wait_any(all, RINGS, DISRUPTOR_FOREVER), i);
		read_ticks(&f[i].consumer[0], 1);
	}
	disruptor_ring_close(f[1].ring);
	assert_int_equal(disruptor_wait_any(all, RINGS, DISRUPTOR_FOREVER), 1);
	for (size_t i = 0; i < RINGS; i++)
		fixture_close(&f[i]);
}

struct late {
	struct fixture *f;
	uint64_t after; /* sleeps of the first ring's consumer */
};

static void publish_when_asleep(void *argument)
{
	struct late *l = argument;
	struct tick *t;

	await_sleeps(l->f[0].ring, l->after);
	(void)disruptor_producer_handoff(&l->f[2].producer.view);
	t = tick_claim(&l->f[2].producer);
	if (t)
		t->value = 0;
	(void)tick_publish(&l->f[2].producer);
}

TEST(wait_any_sleeps_and_any_ring_wakes_it)
{
	struct disruptor_consumer *all[RINGS];
	struct fixture f[RINGS];
	struct runner publisher;
	struct late late = { .f = f, .after = 1 };

	for (size_t i = 0; i < RINGS; i++) {
		fixture_open(&f[i], 8, 1);
		all[i] = &f[i].consumer[0].view;
	}
	runner_start(&publisher, "the publisher", publish_when_asleep, &late);
	assert_int_equal(disruptor_wait_any(all, RINGS, DISRUPTOR_FOREVER), 2);
	runner_join(&publisher);
	assert_code(disruptor_producer_handoff(&f[2].producer.view), 0);
	for (size_t i = 0; i < RINGS; i++)
		fixture_close(&f[i]);
}

TEST(wait_any_refuses_what_it_cannot_wait_for)
{
	struct disruptor_consumer closed = { 0 };
	struct disruptor_consumer *all[2] = { NULL, &closed };
	struct fixture f;

	fixture_open(&f, 8, 1);
	all[0] = &f.consumer[0].view;
	assert_code(disruptor_wait_any(NULL, 1, 0), DISRUPTOR_E_INVAL);
	assert_code(disruptor_wait_any(all, 0, 0), DISRUPTOR_E_INVAL);
	assert_code(disruptor_wait_any(all, 65, 0), DISRUPTOR_E_INVAL);
	assert_code(disruptor_wait_any(all, 2, 0), DISRUPTOR_E_INVAL);
	assert_detail("consumers[1]");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(descriptor_is_readable_once_an_armed_consumer_has_events),
#if defined(DISRUPTOR_HOOKS)
		RUN(descriptor_that_was_written_late_does_not_stay_readable),
#endif
		RUN(nothing_is_written_while_the_consumer_is_not_idle),
		RUN(descriptor_tells_of_the_end_and_of_an_interrupt),
		RUN(descriptor_of_a_later_consumer_follows_the_earlier_ones),
#if defined(DISRUPTOR_HOOKS)
		RUN(news_that_come_while_it_is_armed_make_the_descriptor_readable),
#endif
		RUN(descriptor_is_closed_with_its_consumer),
		RUN(arming_needs_a_descriptor),
		RUN(a_stream_through_poll_loses_no_wake_up),
		RUN(wait_any_tells_which_of_several_rings_has_events),
		RUN(wait_any_sleeps_and_any_ring_wakes_it),
		RUN(wait_any_refuses_what_it_cannot_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
