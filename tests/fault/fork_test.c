/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Forks in mid-use. The child has a copy of the memory, taken at a moment when other threads may have
 * been anywhere, and none of those threads. It may read what it has been handed, make rings of its
 * own, run another program, or end; the parent never notices.
 */
#define _GNU_SOURCE
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

/*
 * A child that starts threads is not to tsan's liking; in one of asan's the allocator's locks are as
 * the parent's other threads held them.
 */
#define CHILD_MAY_HAVE_THREADS (!FIXTURE_TSAN && !DISRUPTOR_ASAN)

/* ---- the child of a thread that holds events, and a claim ---- */

static int read_on(void *fixture)
{
	struct fixture *f = fixture;

	NEED(tick_ready(&f->consumer[0]) == 3);
	for (uint64_t i = 0; i < 3; i++)
		NEED(tick_at(&f->consumer[0], i)->value == i);
	NEED(disruptor_consumer_position(&f->consumer[0].view) == 0);
	NEED(disruptor_producer_position(&f->producer.view) == 3);
	NEED(disruptor_claimed(&f->producer.view) == 1);
	NEED(disruptor_ring_stats(f->ring).claimed == 4);
	NEED(disruptor_ring_info(f->ring).capacity == 16);
	NEED(disruptor_now() > 0);
	memset(disruptor_claimed_at(&f->producer.view, 0), 0xff, sizeof(struct tick));
	for (uint64_t i = 0; i < 3; i++) /* its copy: the parent does not see it */
		memset(tick_at(&f->consumer[0], i), 0xff, sizeof(struct tick));
	return 0;
}

TEST(a_child_reads_its_copy_and_changes_nothing_for_the_parent)
{
	struct fixture f;
	struct tick *t;

	fixture_open(&f, 16, 1);
	publish_ticks(&f.producer, 3);
	assert_int_equal(tick_ready(&f.consumer[0]), 3);
	t = tick_claim(&f.producer);
	assert_non_null(t);
	t->value = 3;
	child_does(read_on, &f);
	assert_int_equal(t->value, 3);
	assert_code(tick_publish(&f.producer), 0);
	read_ticks(&f.consumer[0], 4);
	publish_ticks(&f.producer, 8);
	read_ticks(&f.consumer[0], 8);
	fixture_close(&f);
}

/* ---- rings of its own ---- */

static int run_own_graph(void *unused)
{
	struct disruptor_options options = fixture_options(8);
	struct tick_producer p;
	struct disruptor *d;
	struct probe probe[2];

	(void)unused;
	d = graph_open(&options);
	NEED(options.rung == DISRUPTOR_RUNG_AUTO ||
	     disruptor_ring_info(disruptor_ring(d)).rung == options.rung);
	probe_init(&probe[0], "one");
	probe_init(&probe[1], "two");
	probe_add(&probe[0], d);
	probe_add(&probe[1], d);
	probe_producer(&p, d);
	NEED(disruptor_start(d) == 0);
	probe_publish(&p, 100);
	pause_ms(5); /* the stages go to sleep, by a barrier of this process */
	probe_publish(&p, 100);
	NEED(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)) == 0);
	NEED(probe[0].events == 200 && probe[1].events == 200);
	NEED(probe[0].wrong + probe[1].wrong == 0);
	NEED(tick_producer_close(&p) == 0);
	NEED(disruptor_destroy(&d) == 0);
	return 0;
}

/* ---- while others are in the middle of things ---- */

struct busy {
	struct disruptor *d;
	struct disruptor_ring *ring;
	struct probe probe[2];
	struct tick_producer producer;
	DISRUPTOR_ATOMIC(uint32_t) stop;
	uint64_t sent;
};

static void send(void *busy)
{
	struct busy *b = busy;

	disruptor_producer_handoff(&b->producer.view);
	while (!disruptor_load_acquire(&b->stop)) {
		struct tick *t = tick_claim(&b->producer);

		if (!t)
			break;
		t->value = b->sent++;
		(void)tick_publish(&b->producer);
		if (b->sent % 200 == 0)
			pause_ms(1);
	}
}

static void busy_open(struct busy *b)
{
	struct disruptor_options options = fixture_options(8);

	memset(b, 0, sizeof(*b));
	b->d = graph_open(&options);
	b->ring = disruptor_ring(b->d);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&b->probe[i], i ? "two" : "one");
		probe_add(&b->probe[i], b->d);
	}
	assert_code(disruptor_after(b->probe[1].stage, b->probe[0].stage), 0);
	probe_producer(&b->producer, b->d);
	graph_start(b->d);
}

static int ends_at_once(void *unused)
{
	(void)unused;
	return 0;
}

static int looks_at_it(void *busy)
{
	struct busy *b = busy;

	/* without locks: whoever had them is not here */
	NEED(disruptor_ring_info(b->ring).capacity == 8);
	NEED(disruptor_ring_stats(b->ring).remaining <= 8);
	NEED(disruptor_stage_position(b->probe[0].stage) <= disruptor_ring_stats(b->ring).claimed);
	NEED(strcmp(disruptor_error_name(DISRUPTOR_E_FULL), "E_FULL") == 0);
	return 0;
}

static int makes_its_own(void *unused)
{
	return CHILD_MAY_HAVE_THREADS ? run_own_graph(unused) : 0;
}

static int runs_another_program(void *unused)
{
	(void)unused;
	execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return 1;
}

/* As a program ends that knows nothing of the ring: the exit handlers run. */
static int exits(void *unused)
{
	(void)unused;
#if !DISRUPTOR_ASAN && !FIXTURE_TSAN /* they look for leaks, and at threads that are not there */
	exit(0);
#endif
	return 0;
}

TEST(children_of_a_busy_process_end_and_it_goes_on)
{
	static int (*const acts[])(void *) = { ends_at_once, looks_at_it, makes_its_own,
					       runs_another_program, exits };
	struct runner sender;
	struct busy b;

	busy_open(&b);
	runner_start(&sender, "who sends", send, &b);
	for (size_t i = 0; i < 8 * COUNT(acts); i++)
		child_does(acts[i % COUNT(acts)], &b);
	disruptor_store_release(&b.stop, 1u);
	runner_join(&sender);
	graph_drain(b.d);
	disruptor_producer_handoff(&b.producer.view);
	assert_true(b.sent > 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(b.probe[i].events, b.sent);
		assert_int_equal(b.probe[i].wrong, 0);
	}
	assert_code(tick_producer_close(&b.producer), 0);
	graph_close(&b.d);
}

/* ---- while another thread sleeps ---- */

static void sleep_for_events(void *fixture)
{
	struct fixture *f = fixture;

	if (tick_ready_until(&f->consumer[0], DISRUPTOR_FOREVER) > 0)
		(void)tick_release(&f->consumer[0], 1);
}

TEST(who_sleeps_in_the_parent_is_woken_by_the_parent)
{
	struct runner sleeper;
	struct fixture f;

	fixture_open(&f, 8, 1);
	runner_start(&sleeper, "who sleeps", sleep_for_events, &f);
	await_sleeps(f.ring, 1);
	child_does(ends_at_once, NULL);
	child_does(makes_its_own, NULL);
	assert_false(runner_done(&sleeper));
	publish_ticks(&f.producer, 1);
	runner_join(&sleeper);
	fixture_close(&f);
}

/* ---- while another thread has the ring's lock ---- */

#if defined(DISRUPTOR_HOOKS)
static DISRUPTOR_ATOMIC(uint32_t) inside, let_go;

static void stay_inside(void *unused)
{
	(void)unused;
	disruptor_store_release(&inside, 1u);
	while (!disruptor_load_acquire(&let_go))
		pause_ms(1);
}

static void attach_one(void *fixture)
{
	struct fixture *f = fixture;

	(void)!tick_consumer_open(&f->consumer[1], f->ring, NULL);
}

static bool is_inside(void *unused)
{
	(void)unused;
	return disruptor_load_acquire(&inside) != 0;
}

static int reads_under_the_lock(void *fixture)
{
	struct fixture *f = fixture;

	NEED(tick_ready(&f->consumer[0]) == 1);
	NEED(tick_at(&f->consumer[0], 0)->value == 0);
	NEED(disruptor_ring_stats(f->ring).claimed == 1);
	return CHILD_MAY_HAVE_THREADS ? run_own_graph(NULL) : 0;
}

TEST(a_child_of_a_moment_when_the_lock_is_taken_waits_for_nobody)
{
	struct runner other;
	struct fixture f;

	disruptor_store_relaxed(&inside, 0u);
	disruptor_store_relaxed(&let_go, 0u);
	fixture_open(&f, 8, 1);
	publish_ticks(&f.producer, 1);
	hook_at(HOOK_ATTACH_PROVISIONAL, 1, stay_inside, NULL);
	runner_start(&other, "who attaches", attach_one, &f);
	await("a thread that should have the lock", is_inside, NULL);
	child_does(reads_under_the_lock, &f);
	disruptor_store_release(&let_go, 1u);
	runner_join(&other);
	read_ticks(&f.consumer[0], 1);
	publish_ticks(&f.producer, 1);
	assert_int_equal(tick_ready(&f.consumer[1]), 1);
	assert_code(tick_consumer_close(&f.consumer[1]), 0);
	fixture_close(&f);
}
#endif

/* ---- descriptors ---- */

static int closes_its_copy(void *fd)
{
	NEED(fcntl(*(int *)fd, F_GETFD) & FD_CLOEXEC); /* and no other program sees it */
	NEED(close(*(int *)fd) == 0);
	return 0;
}

TEST(a_descriptor_goes_on_when_a_child_has_closed_its_own)
{
	struct pollfd p = { .events = POLLIN };
	struct fixture f;

	fixture_open(&f, 8, 1);
	p.fd = disruptor_consumer_fd(&f.consumer[0].view);
	assert_true(p.fd >= 0);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 0);
	child_does(closes_its_copy, &p.fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	publish_ticks(&f.producer, 1);
	assert_int_equal(poll(&p, 1, WATCHDOG_MS), 1);
	assert_int_equal(disruptor_consumer_arm(&f.consumer[0].view), 1);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_child_reads_its_copy_and_changes_nothing_for_the_parent),
		RUN(children_of_a_busy_process_end_and_it_goes_on),
		RUN(who_sleeps_in_the_parent_is_woken_by_the_parent),
#if defined(DISRUPTOR_HOOKS)
		RUN(a_child_of_a_moment_when_the_lock_is_taken_waits_for_nobody),
#endif
		RUN(a_descriptor_goes_on_when_a_child_has_closed_its_own),
	};

	if (FIXTURE_EMULATED) {
		print_message("qemu-user cannot fork while other threads run; not tried\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
