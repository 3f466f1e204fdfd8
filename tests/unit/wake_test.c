/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Two who sleep on one edge: a wake-up, or an interrupt, meant for both or for one of them, at the
 * moment when one is about to sleep and the other asks to be woken again. And waits that nothing
 * can end but being told so: a deadline passed, an open run overtaken.
 */
#include "fixture.h"

#include <limits.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* ---- threads that are held at a hook ---- */

/* Where a thread of the test is held, the first time that it comes there. */
struct stopover {
	int who; /* 0: nobody */
	enum hook_point point;
	DISRUPTOR_ATOMIC(uint32_t) arrived;
	DISRUPTOR_ATOMIC(uint32_t) go;
};

static struct stopover stopovers[2];
static _Thread_local int who;

static void stop_over(enum hook_point point, void *context)
{
	(void)context;
	for (size_t i = 0; i < COUNT(stopovers); i++) {
		struct stopover *s = &stopovers[i];

		if (who == 0 || s->who != who || s->point != point ||
		    disruptor_load_acquire(&s->arrived))
			continue;
		disruptor_store_release(&s->arrived, 1u);
		while (!disruptor_load_acquire(&s->go))
			pause_ms(1);
	}
}

static void plan_stopover(size_t i, int whose, enum hook_point point)
{
	stopovers[i].who = whose;
	stopovers[i].point = point;
	disruptor_store_relaxed(&stopovers[i].arrived, 0u);
	disruptor_store_relaxed(&stopovers[i].go, 0u);
	hook_function = stop_over; /* hook_clear() takes it back */
}

static bool has_arrived(void *stopover)
{
	struct stopover *s = stopover;

	return disruptor_load_acquire(&s->arrived) != 0;
}

static void await_stopover(size_t i)
{
	await("a thread that should come to a hook", has_arrived, &stopovers[i]);
}

static void let_go(size_t i)
{
	disruptor_store_release(&stopovers[i].go, 1u);
}

/* ---- two consumers that wait for the same event ---- */

enum { A = 1, B = 2 };

struct sleeper {
	int who;
	struct tick_consumer consumer;
	int64_t result;
	struct runner runner;
};

struct pair {
	bool chained; /* behind `first`, on its edge; if not, on the producers' */
	struct disruptor_ring *ring;
	struct tick_producer producer;
	struct tick_consumer first;
	struct sleeper a, b;
};

static void pair_open(struct pair *p, bool chained)
{
	struct disruptor_options options = fixture_options(8);
	const struct disruptor_consumer *const before[] = { &p->first.view };
	const struct disruptor_consumer_options after = { .size = sizeof(after),
							  .after = before,
							  .after_count = chained ? 1 : 0 };

	memset(p, 0, sizeof(*p));
	p->chained = chained;
	p->a.who = A;
	p->b.who = B;
	p->ring = ring_open(&options);
	assert_code(tick_producer_open(&p->producer, p->ring, NULL), 0);
	assert_code(tick_consumer_open(&p->first, p->ring, NULL), 0);
	assert_code(tick_consumer_open(&p->a.consumer, p->ring, &after), 0);
	assert_code(tick_consumer_open(&p->b.consumer, p->ring, &after), 0);
}

static void pair_close(struct pair *p)
{
	hook_clear();
	assert_code(tick_consumer_close(&p->b.consumer), 0);
	assert_code(tick_consumer_close(&p->a.consumer), 0);
	assert_code(tick_consumer_close(&p->first), 0);
	assert_code(tick_producer_close(&p->producer), 0);
	ring_close(&p->ring);
}

/* One more event on the edge that both wait at. */
static void pair_progress(struct pair *p)
{
	publish_ticks(&p->producer, 1);
	read_ticks(&p->first, 1);
}

static void wait_for_events(void *sleeper)
{
	struct sleeper *s = sleeper;

	who = s->who;
	s->result = tick_ready_until(&s->consumer, DISRUPTOR_FOREVER);
}

static void sleeper_start(struct sleeper *s)
{
	runner_start(&s->runner, s->who == A ? "consumer A" : "consumer B", wait_for_events, s);
}

static void sleeper_ends(struct sleeper *s, int64_t result)
{
	runner_join(&s->runner);
	assert_code(s->result, result);
}

/* A has looked in vain and not yet asked to be woken; B has asked and is about to sleep. */
static void pair_hold(struct pair *p)
{
	plan_stopover(0, A, HOOK_WAIT_BEFORE_ARM);
	plan_stopover(1, B, HOOK_WAIT_BEFORE_PARK);
	sleeper_start(&p->a);
	await_stopover(0);
	sleeper_start(&p->b);
	await_stopover(1);
}

/* The event clears B's request; A's, from before the event, then looks exactly as B's did. */
TEST(a_request_raised_again_to_the_same_count_does_not_put_the_first_to_sleep)
{
	for (int chained = 0; chained < 2; chained++) {
		struct pair p;

		pair_open(&p, chained != 0);
		pair_hold(&p);
		pair_progress(&p);
		let_go(0);
		sleeper_ends(&p.a, 1);
		let_go(1);
		sleeper_ends(&p.b, 1);
		read_ticks(&p.a.consumer, 1);
		read_ticks(&p.b.consumer, 1);
		pair_close(&p);
	}
}

/* The same with an interrupt in place of the event: it is for B, and A goes to sleep. */
TEST(an_interrupt_is_not_lost_while_the_other_asks_again)
{
	for (int chained = 0; chained < 2; chained++) {
		struct pair p;

		pair_open(&p, chained != 0);
		pair_hold(&p);
		disruptor_consumer_interrupt(&p.b.consumer.view);
		let_go(0);
		await_sleeps(p.ring, 1); /* A: B has not come so far */
		let_go(1);
		sleeper_ends(&p.b, DISRUPTOR_E_INTERRUPTED);
		assert_false(runner_done(&p.a.runner));
		pair_progress(&p);
		sleeper_ends(&p.a, 1);
		read_ticks(&p.a.consumer, 1);
		read_ticks(&p.b.consumer, 1);
		pair_close(&p);
	}
}

/* Both asleep: the interrupt wakes both, and the one that it is not for sleeps on until the event. */
TEST(an_interrupt_of_one_of_two_sleepers_leaves_the_other_its_wake_up)
{
	for (int chained = 0; chained < 2; chained++) {
		struct pair p;

		pair_open(&p, chained != 0);
		for (int round = 0; round < 20; round++) {
			struct sleeper *interrupted = round % 2 ? &p.a : &p.b;
			struct sleeper *other = round % 2 ? &p.b : &p.a;
			uint64_t before = disruptor_ring_stats(p.ring).sleeps;

			sleeper_start(interrupted);
			sleeper_start(other);
			await_sleeps(p.ring, before + 2);
			disruptor_consumer_interrupt(&interrupted->consumer.view);
			sleeper_ends(interrupted, DISRUPTOR_E_INTERRUPTED);
			assert_false(runner_done(&other->runner));
			pair_progress(&p);
			sleeper_ends(other, 1);
			read_ticks(&p.a.consumer, 1);
			read_ticks(&p.b.consumer, 1);
		}
		pair_close(&p);
	}
}

/* ---- producers that wait for room ---- */

struct claimer {
	int who;
	struct tick_producer producer;
	struct tick *claimed;
	int status;
	struct runner runner;
};

static void claim_one(void *claimer)
{
	struct claimer *c = claimer;

	who = c->who;
	disruptor_producer_handoff(&c->producer.view);
	c->claimed = tick_claim(&c->producer);
	c->status = tick_status(&c->producer);
}

static void claimer_start(struct claimer *c)
{
	runner_start(&c->runner, c->who == A ? "producer A" : "producer B", claim_one, c);
}

/* The thread has ended: what it used is the main thread's again. */
static void claimer_join(struct claimer *c)
{
	runner_join(&c->runner);
	disruptor_producer_handoff(&c->producer.view);
}

struct rivals {
	struct disruptor_ring *ring;
	struct tick_consumer consumer;
	struct claimer a, b;
};

static void rivals_open(struct rivals *r)
{
	struct disruptor_options options = fixture_options(4);

	memset(r, 0, sizeof(*r));
	options.producers = DISRUPTOR_MANY;
	r->a.who = A;
	r->b.who = B;
	r->ring = ring_open(&options);
	assert_code(tick_consumer_open(&r->consumer, r->ring, NULL), 0);
	assert_code(tick_producer_open(&r->a.producer, r->ring, NULL), 0);
	assert_code(tick_producer_open(&r->b.producer, r->ring, NULL), 0);
}

static void rivals_close(struct rivals *r)
{
	hook_clear();
	assert_code(tick_producer_close(&r->b.producer), 0);
	assert_code(tick_producer_close(&r->a.producer), 0);
	assert_code(tick_consumer_close(&r->consumer), 0);
	ring_close(&r->ring);
}

/* As with two consumers: room for two comes at once, and each must get its slot. */
TEST(two_producers_are_both_told_of_the_room_that_came_at_once)
{
	struct rivals r;

	rivals_open(&r);
	publish_ticks(&r.a.producer, 4);
	plan_stopover(0, A, HOOK_WAIT_BEFORE_ARM);
	plan_stopover(1, B, HOOK_WAIT_BEFORE_PARK);
	claimer_start(&r.a);
	await_stopover(0);
	claimer_start(&r.b);
	await_stopover(1);
	/* both are over before either claims, and the second finds nobody's request */
	for (int i = 0; i < 2; i++) {
		assert_true(tick_ready(&r.consumer) >= 1);
		assert_code(tick_release(&r.consumer, 1), 0);
	}
	let_go(0);
	claimer_join(&r.a);
	let_go(1);
	claimer_join(&r.b);
	assert_non_null(r.a.claimed);
	assert_non_null(r.b.claimed);
	assert_ptr_not_equal(r.a.claimed, r.b.claimed);
	rivals_close(&r);
}

/* A waits behind its open run; B takes the room, so that A's own slot is what everyone waits for. */
static void overtake_at(enum hook_point point)
{
	struct rivals r;
	struct tick *open;

	rivals_open(&r);
	publish_ticks(&r.b.producer, 3);
	open = tick_try_claim(&r.a.producer);
	assert_non_null(open);
	open->value = 3;
	plan_stopover(0, A, point);
	plan_stopover(1, 0, point);
	claimer_start(&r.a);
	await_stopover(0);
	read_ticks(&r.consumer, 3);
	publish_ticks(&r.b.producer, 3);
	let_go(0);
	claimer_join(&r.a);
	assert_null(r.a.claimed);
	assert_code(r.a.status, DISRUPTOR_E_BUSY);
	assert_int_equal(disruptor_claimed(&r.a.producer.view), 1);
	assert_null(tick_claim(&r.a.producer)); /* and so it stays until the run is published */
	assert_code(tick_status(&r.a.producer), DISRUPTOR_E_BUSY);
	assert_code(tick_publish(&r.a.producer), 0);
	read_ticks(&r.consumer, 4);
	publish_ticks(&r.a.producer, 1);
	read_ticks(&r.consumer, 1);
	rivals_close(&r);
}

TEST(a_run_overtaken_before_its_producer_asks_to_be_woken_is_busy)
{
	overtake_at(HOOK_WAIT_BEFORE_ARM);
}

TEST(a_run_overtaken_while_its_producer_sleeps_is_busy)
{
	overtake_at(HOOK_WAIT_BEFORE_PARK);
}

/* ---- deadlines ---- */

static void nothing(void *context)
{
	(void)context;
}

/*
 * Asking to be woken costs a barrier, so it is not done again once the deadline has passed: as
 * often as the waiter sleeps, and it sleeps until the deadline.
 */
TEST(a_passed_deadline_is_not_met_by_asking_again_and_again)
{
	struct fixture f;

	fixture_open(&f, 4, 1);
	for (int round = 0; round < 12; round++) {
		hook_at(HOOK_WAIT_BEFORE_ARM, UINT_MAX, nothing, NULL);
		assert_code(tick_ready_until(&f.consumer[0], disruptor_in(2 * MS)),
			    DISRUPTOR_E_TIMEOUT);
		assert_in_range(hook_calls(), 0, 2);
	}
	publish_ticks(&f.producer, 4);
	for (int round = 0; round < 12; round++) {
		hook_at(HOOK_WAIT_BEFORE_ARM, UINT_MAX, nothing, NULL);
		assert_null(tick_claim_until(&f.producer, disruptor_in(2 * MS)));
		assert_code(tick_status(&f.producer), DISRUPTOR_E_TIMEOUT);
		assert_in_range(hook_calls(), 0, 2);
	}
	hook_clear();
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_request_raised_again_to_the_same_count_does_not_put_the_first_to_sleep),
		RUN(an_interrupt_is_not_lost_while_the_other_asks_again),
		RUN(an_interrupt_of_one_of_two_sleepers_leaves_the_other_its_wake_up),
		RUN(two_producers_are_both_told_of_the_room_that_came_at_once),
		RUN(a_run_overtaken_before_its_producer_asks_to_be_woken_is_busy),
		RUN(a_run_overtaken_while_its_producer_sleeps_is_busy),
		RUN(a_passed_deadline_is_not_met_by_asking_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
