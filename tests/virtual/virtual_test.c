/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The virtual system itself: threads, locks, sleeping, the clock, and the library upon it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "error.h"
#include "os/os.h"
#include "virtual.h"

#include <disruptor/disruptor.h>

#include <string.h>

/* cmocka's assertions jump, so they belong to the thread itself: fibers call virtual_fail(). */

struct tick {
	uint64_t value;
};
DISRUPTOR_EVENT(tick, struct tick, DISRUPTOR_U64(struct tick, value));

/* Decides by a number that is the same for the same seed. */
struct dice {
	uint64_t state;
	unsigned long choices, stuck, failed;
};

static unsigned roll(void *context, enum virtual_point point, const unsigned *ready, unsigned count)
{
	struct dice *d = context;

	(void)point;
	d->choices++;
	d->state = d->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ready[(d->state >> 33) % count];
}

static void note_stuck(void *context)
{
	((struct dice *)context)->stuck++;
}

static void note_failure(void *context, const char *what)
{
	(void)what;
	((struct dice *)context)->failed++;
}

static bool play(uint64_t seed, struct dice *dice, void (*run)(void *), void *argument)
{
	struct virtual_scheduler s = { .context = dice,
				       .choose = roll,
				       .stuck = note_stuck,
				       .fail = note_failure,
				       .tick = 100 };

	*dice = (struct dice){ .state = seed };
	return virtual_run(&s, run, argument);
}

/* ---- a lock keeps others out; a failed one does not ---- */

static struct {
	struct os_monitor monitor;
	bool locks;
	unsigned inside, most, sum;
	char order[16];
} shared;

static void *enter_twice(void *name)
{
	for (int i = 0; i < 2; i++) {
		if (shared.locks)
			os_lock(&shared.monitor);
		shared.order[shared.sum++ % sizeof(shared.order)] = *(const char *)name;
		if (++shared.inside > shared.most)
			shared.most = shared.inside;
		os_yield();
		shared.inside--;
		if (shared.locks)
			os_unlock(&shared.monitor);
	}
	return NULL;
}

static void contend(void *unused)
{
	unsigned a, b;

	(void)unused;
	if (os_monitor_init(&shared.monitor) != 0)
		virtual_fail(disruptor_error_detail());
	a = virtual_start("a", enter_twice, "a");
	b = virtual_start("b", enter_twice, "b");
	virtual_join(a);
	virtual_join(b);
	os_monitor_destroy(&shared.monitor);
}

static unsigned count_overlaps(bool locks)
{
	unsigned overlaps = 0;
	struct dice dice;

	for (uint64_t seed = 0; seed < 200; seed++) {
		memset(&shared, 0, sizeof(shared));
		shared.locks = locks;
		assert_true(play(seed, &dice, contend, NULL));
		assert_int_equal(shared.sum, 4);
		overlaps += shared.most > 1;
	}
	return overlaps;
}

static void a_lock_keeps_others_out(void **state)
{
	(void)state;
	assert_int_equal(count_overlaps(true), 0);
	assert_true(count_overlaps(false) > 50);
}

static void the_same_choices_give_the_same_run(void **state)
{
	char order[16];
	unsigned different = 0;
	struct dice dice;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		memset(&shared, 0, sizeof(shared));
		assert_true(play(seed, &dice, contend, NULL));
		different += seed != 0 && memcmp(order, shared.order, sizeof(order)) != 0;
		memcpy(order, shared.order, sizeof(order));
		memset(&shared, 0, sizeof(shared));
		assert_true(play(seed, &dice, contend, NULL));
		assert_memory_equal(order, shared.order, sizeof(order));
	}
	assert_true(different > 5);
}

/* ---- thread-local variables, and what a thread is known by ---- */

static _Thread_local unsigned own = 7;

static void *count_own(void *found)
{
	for (unsigned i = 0; i < 5; i++) {
		own++;
		(void)error_set(DISRUPTOR_E_INVAL, "%s", (const char *)found);
		os_yield();
	}
	if (own != 12 || strcmp(disruptor_error_detail(), found) != 0)
		virtual_fail("a thread-local variable is not the thread's own");
	return NULL;
}

static void start_counters(void *unused)
{
	unsigned a = virtual_start("a", count_own, "one"), b = virtual_start("b", count_own, "two");

	(void)unused;
	own = 100;
	virtual_join(a);
	virtual_join(b);
	if (own != 100)
		virtual_fail("a thread-local variable is not the first thread's own");
}

static void threads_have_variables_of_their_own(void **state)
{
	struct dice dice;

	(void)state;
	own = 50;
	for (uint64_t seed = 0; seed < 20; seed++)
		assert_true(play(seed, &dice, start_counters, NULL));
	assert_int_equal(own, 50);
}

/* ---- sleeping ---- */

static DISRUPTOR_ATOMIC(uint32_t) word;

static void *sleep_on_word(void *until)
{
	os_park(&word, 0, *(const uint64_t *)until);
	return NULL;
}

static void sleep_unwoken(void *until)
{
	virtual_join(virtual_start("sleeper", sleep_on_word, until));
}

static void a_sleeper_that_nobody_wakes_is_told(void **state)
{
	uint64_t until = DISRUPTOR_FOREVER;
	struct dice dice;

	(void)state;
	disruptor_store_relaxed(&word, 0u); /* relaxed, here and below: one thread */
	assert_false(play(1, &dice, sleep_unwoken, &until));
	assert_int_equal(dice.stuck, 1);
	until = UINT64_C(5000000000);
	assert_true(play(1, &dice, sleep_unwoken, &until));
	assert_int_equal(dice.stuck, 0);
	assert_true(virtual_now() >= until);
	until = DISRUPTOR_FOREVER;
	disruptor_store_relaxed(&word, 1u);
	assert_true(play(1, &dice, sleep_unwoken, &until));
}

static void misuse(void *unused)
{
	struct os_monitor m;

	(void)unused;
	if (os_monitor_init(&m) != 0)
		virtual_abandon();
	os_monitor_destroy(&m);
	os_lock(&m);
}

static void a_destroyed_lock_is_refused(void **state)
{
	struct dice dice;

	(void)state;
	assert_false(play(1, &dice, misuse, NULL));
	assert_int_equal(dice.failed, 1);
}

/* ---- the library ---- */

#define EVENTS 20

struct stream {
	enum disruptor_rung rung;
	struct disruptor_ring *ring;
	struct tick_producer producer;
	struct tick_consumer consumer;
	uint64_t sum;
};

static void *produce(void *argument)
{
	struct stream *s = argument;

	(void)disruptor_producer_handoff(&s->producer.view);
	for (uint64_t i = 1; i <= EVENTS; i++) {
		struct tick *t = tick_claim(&s->producer);

		if (!t)
			virtual_fail("a claim was refused");
		t->value = i;
		(void)tick_publish(&s->producer);
	}
	disruptor_ring_close(s->ring);
	return NULL;
}

static void *consume(void *argument)
{
	struct stream *s = argument;
	int64_t n;

	while ((n = disruptor_ready_until(&s->consumer.view, DISRUPTOR_FOREVER)) > 0) {
		for (int64_t i = 0; i < n; i++)
			s->sum += tick_at(&s->consumer, (uint64_t)i)->value;
		(void)disruptor_release(&s->consumer.view, (uint64_t)n);
	}
	return NULL;
}

static void stream(void *argument)
{
	struct stream *s = argument;
	struct disruptor_options o = { .size = sizeof(o), .capacity = 2, .rung = s->rung };
	unsigned producer, consumer;

	o.wait = disruptor_wait_blocking();
	o.wait.spins = 0;
	o.wait.yields = 0;
	if (disruptor_ring_create(&s->ring, &tick_type, &o) != 0 ||
	    tick_producer_open(&s->producer, s->ring, NULL) != 0 ||
	    tick_consumer_open(&s->consumer, s->ring, NULL) != 0)
		virtual_fail(disruptor_error_detail());
	producer = virtual_start("producer", produce, s);
	consumer = virtual_start("consumer", consume, s);
	virtual_join(producer);
	virtual_join(consumer);
	(void)disruptor_producer_close(&s->producer.view);
	(void)disruptor_consumer_close(&s->consumer.view);
	if (disruptor_ring_destroy(&s->ring) != 0)
		virtual_fail(disruptor_error_detail());
}

static void a_ring_works_on_it_on_every_rung(void **state)
{
	unsigned long choices = 0;
	struct dice dice;

	(void)state;
	for (unsigned rung = DISRUPTOR_RUNG_MEMBARRIER; rung <= DISRUPTOR_RUNG_MUTEX; rung++)
		for (uint64_t seed = 0; seed < 200; seed++) {
			struct stream s = { .rung = (enum disruptor_rung)rung };

			assert_true(play(seed, &dice, stream, &s));
			assert_int_equal(s.sum, EVENTS * (EVENTS + 1) / 2);
			choices += dice.choices;
		}
	assert_true(choices > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_keeps_others_out),
		cmocka_unit_test(the_same_choices_give_the_same_run),
		cmocka_unit_test(threads_have_variables_of_their_own),
		cmocka_unit_test(a_sleeper_that_nobody_wakes_is_told),
		cmocka_unit_test(a_destroyed_lock_is_refused),
		cmocka_unit_test(a_ring_works_on_it_on_every_rung),
	};

	return cmocka_run_group_tests_name("virtual", tests, NULL, NULL);
}
