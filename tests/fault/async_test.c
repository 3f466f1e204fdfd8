/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Publishing from a signal handler, row T85: with a producer that nobody else uses, on the rungs
 * membarrier and fence of the Linux build. The handler interrupts the consumer, other producers, and
 * threads that look at the ring, wherever they are; events come whole, in order, and none is lost.
 * And a jump out of the time between a claim and its publish.
 */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define SIGNALS (FIXTURE_TSAN || DISRUPTOR_ASAN ? 1000u : 6000u)

enum who { CONSUMER, OTHER_PRODUCER, ONLOOKER, THREADS };

static struct async {
	struct disruptor_ring *ring;
	struct tick_producer dedicated; /* the handlers' alone */
	struct tick_consumer consumer;
	struct disruptor_wait wait;
	struct runner thread[THREADS];
	pthread_t target[THREADS];
	DISRUPTOR_ATOMIC(uint32_t) targets; /* that are known */
	DISRUPTOR_ATOMIC(uint32_t) stop;
	DISRUPTOR_ATOMIC(uint64_t) handled, published; /* by handlers */
	DISRUPTOR_ATOMIC(uint64_t) failed, errno_changed;
	uint64_t others, seen_dedicated, seen_others, wrong;
} a;

static void publish_one(int signal)
{
	/* acquire: behind the handler before us, in whichever thread */
	uint64_t turn = disruptor_load_acquire(&a.handled);
	uint64_t n = disruptor_load_relaxed(&a.published);
	int before = errno;
	struct tick *t;

	(void)signal;
	disruptor_producer_handoff(&a.dedicated.view); /* whichever thread was interrupted */
	t = tick_try_claim(&a.dedicated);
	if (t) {
		t->value = n;
		t->from = 1;
		if (tick_publish(&a.dedicated) != 0)
			disruptor_fetch_add_relaxed(&a.failed, UINT64_C(1));
		disruptor_store_relaxed(&a.published, n + 1);
	}
	errno = before; /* a wake-up may have changed it */
	disruptor_store_release(&a.handled, turn + 1);
}

static void arrive(enum who who)
{
	a.target[who] = pthread_self();
	disruptor_fetch_add_release(&a.targets, 1u);
}

/* No thread ends before the last signal has been handled. */
static void stay(void)
{
	while (!disruptor_load_acquire(&a.stop))
		pause_ms(1);
}

static void consume(void *unused)
{
	int64_t n;

	(void)unused;
	arrive(CONSUMER);
	while ((n = tick_ready_until(&a.consumer, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++) {
			const struct tick *t = tick_at(&a.consumer, i);
			uint64_t *next = t->from ? &a.seen_dedicated : &a.seen_others;

			a.wrong += t->value != *next;
			++*next;
		}
		(void)tick_release(&a.consumer, (uint64_t)n);
	}
}

static void produce(void *unused)
{
	const struct disruptor_producer_options o = { .size = sizeof(o), .wait = a.wait };
	struct tick_producer p;

	(void)unused;
	if (tick_producer_open(&p, a.ring, &o) != 0)
		return;
	arrive(OTHER_PRODUCER); /* behind what takes the ring's lock */
	while (!disruptor_load_acquire(&a.stop)) {
		struct tick *t = tick_claim_until(&p, in_ms(1));

		if (!t)
			continue;
		*t = (struct tick){ .value = a.others++ };
		(void)tick_publish(&p);
		if (a.others % 16 == 0)
			pause_ms(1);
	}
	(void)tick_producer_close(&p);
}

/* Everything that may be called at any time without the ring's lock, and then some sleep. */
static void look_on(void *unused)
{
	(void)unused;
	arrive(ONLOOKER);
	while (!disruptor_load_acquire(&a.stop)) {
		uint64_t position = disruptor_ring_stats(a.ring).claimed;

		(void)disruptor_ring_published(a.ring, position ? position - 1 : 0);
		(void)disruptor_ring_info(a.ring);
		(void)disruptor_in(5);
	}
	stay();
}

static bool all_arrived(void *unused)
{
	(void)unused;
	return disruptor_load_acquire(&a.targets) == THREADS;
}

/* One handler at a time: the view is used by one thread at a time. So many, or for some seconds. */
static void send_signals(void)
{
	const uint64_t enough = in_ms(4000);

	for (uint64_t i = 0; i < SIGNALS && (i < 100 || disruptor_now() < enough); i++) {
		const uint64_t deadline = in_ms(WATCHDOG_MS);

		pthread_kill(a.target[i % THREADS], SIGUSR1);
		while (disruptor_load_acquire(&a.handled) != i + 1) {
			struct timespec little = { .tv_nsec = 2000 };

			if (disruptor_now() > deadline)
				fail_msg("signal %llu was not handled: a deadlock",
					 (unsigned long long)i);
			nanosleep(&little, NULL);
		}
	}
}

static bool has_seen_all(void *unused)
{
	(void)unused;
	return disruptor_ring_stats(a.ring).released == disruptor_ring_stats(a.ring).claimed;
}

static void publish_in_handlers(struct disruptor_wait wait, uint64_t capacity)
{
	struct sigaction action = { .sa_handler = publish_one, .sa_flags = SA_RESTART };
	struct disruptor_options options = fixture_options(capacity);
	const struct disruptor_consumer_options co = { .size = sizeof(co), .wait = wait };

	memset(&a, 0, sizeof(a));
	a.wait = wait;
	options.producers = DISRUPTOR_MANY;
	a.ring = ring_open(&options);
	assert_code(tick_consumer_open(&a.consumer, a.ring, &co), 0);
	assert_code(tick_producer_open(&a.dedicated, a.ring, NULL), 0);
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	runner_start(&a.thread[CONSUMER], "the consumer", consume, NULL);
	runner_start(&a.thread[OTHER_PRODUCER], "the other producer", produce, NULL);
	runner_start(&a.thread[ONLOOKER], "the onlooker", look_on, NULL);
	await("threads that should have begun", all_arrived, NULL);
	send_signals();
	disruptor_store_release(&a.stop, 1u);
	runner_join(&a.thread[OTHER_PRODUCER]);
	runner_join(&a.thread[ONLOOKER]);
	await("a consumer that should have seen all", has_seen_all, NULL);
	disruptor_ring_close(a.ring);
	runner_join(&a.thread[CONSUMER]);
	assert_int_equal(a.failed, 0);
	assert_int_equal(a.wrong, 0);
	assert_true(a.published > 0);
	assert_int_equal(a.seen_dedicated, a.published);
	assert_int_equal(a.seen_others, a.others);
	disruptor_producer_handoff(&a.dedicated.view);
	assert_code(tick_producer_close(&a.dedicated), 0);
	assert_code(tick_consumer_close(&a.consumer), 0);
	ring_close(&a.ring);
}

static bool may_publish_in_handlers(void)
{
#ifdef DISRUPTOR_PLATFORM_POSIX
	return false; /* a wake-up takes a mutex there, which the interrupted thread may have */
#else
	return fixture_rung() != DISRUPTOR_RUNG_MUTEX;
#endif
}

TEST(events_published_by_signal_handlers_come_whole_and_in_order)
{
	if (!may_publish_in_handlers())
		skip();
	publish_in_handlers(disruptor_wait_blocking(), 64);
	publish_in_handlers(disruptor_wait_yielding(), 4);
	publish_in_handlers(fixture_wait(3), 1024);
}

/* ---- jumps ---- */

static jmp_buf back;

static void claim_and_jump(struct tick_producer *p, unsigned n)
{
	if (!disruptor_try_claim_n(&p->view, n))
		return;
	longjmp(back, 1);
}

/* Its view is not left in registers by a jump: it is not a local of who calls setjmp(3). */
static struct fixture jumper;

static void jump_out_of_a_claim(enum disruptor_layout layout, enum disruptor_producers producers)
{
	struct disruptor_options options = fixture_options(4);

	options.layout = layout;
	options.producers = producers;
	fixture_open_with(&jumper, &options, 1);
	publish_ticks(&jumper.producer, 2);
	if (setjmp(back) == 0) {
		claim_and_jump(&jumper.producer, 2);
		fail_msg("no jump");
	}
	assert_int_equal(disruptor_claimed(&jumper.producer.view), 2); /* the run is open still */
	read_ticks(&jumper.consumer[0], 2);
	assert_int_equal(tick_ready(&jumper.consumer[0]), 0);
	assert_code(tick_abort(&jumper.producer), 0);
	publish_ticks(&jumper.producer, 2);
	read_ticks(&jumper.consumer[0], 2);
	fixture_close(&jumper);
}

TEST(a_jump_between_claim_and_publish_leaves_the_run_open_to_be_given_up)
{
	jump_out_of_a_claim(DISRUPTOR_STAMPED, DISRUPTOR_SINGLE);
	jump_out_of_a_claim(DISRUPTOR_STAMPED, DISRUPTOR_MANY);
	jump_out_of_a_claim(DISRUPTOR_PACKED, DISRUPTOR_SINGLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(events_published_by_signal_handlers_come_whole_and_in_order),
		RUN(a_jump_between_claim_and_publish_leaves_the_run_open_to_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
