/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A claim that would wait for what its own thread holds is refused: events handed out and not
 * released, another view's open run. One that another thread can help is not. Row T63.
 */
#include "probe.h"
#include "ring/ring.h"

#define CAPACITY 4

static const struct {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
} modes[] = {
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY },
	{ DISRUPTOR_PACKED, DISRUPTOR_SINGLE },
};

static void open_mode(struct fixture *f, size_t mode)
{
	struct disruptor_options o = fixture_options(CAPACITY);

	o.layout = modes[mode].layout;
	o.producers = modes[mode].producers;
	fixture_open_with(f, &o, 1);
}

/* ---- events handed out ---- */

static uint64_t by_poll(struct tick_consumer *c)
{
	struct disruptor_span span;

	return disruptor_consumer_poll(&c->view, 2, &span);
}

static uint64_t by_span(struct tick_consumer *c)
{
	struct disruptor_span span;

	return disruptor_ready_span(&c->view, &span);
}

static uint64_t by_waiting(struct tick_consumer *c)
{
	return (uint64_t)tick_ready_until(c, DISRUPTOR_FOREVER);
}

static uint64_t (*const ways[])(struct tick_consumer *c) = { by_poll, by_span, by_waiting };

static void assert_deadlock(struct tick_producer *p, const char *name, const char *position)
{
	assert_null(tick_claim(p));
	assert_code(tick_status(p), DISRUPTOR_E_DEADLK);
	assert_detail(name);
	assert_detail(position);
	assert_null(tick_claim_until(p, disruptor_in(UINT64_C(4000000) * WATCHDOG_MS)));
	assert_code(tick_status(p), DISRUPTOR_E_DEADLK);
	assert_int_equal(tick_claim_up_to(p, 3), 0);
	assert_code(tick_status(p), DISRUPTOR_E_DEADLK);
	assert_null(tick_try_claim(p));
	assert_code(tick_status(p), DISRUPTOR_E_FULL);
}

/* It is waited for, in vain. */
static void assert_waits(struct tick_producer *p)
{
	assert_null(tick_claim_until(p, in_ms(2)));
	assert_code(tick_status(p), DISRUPTOR_E_TIMEOUT);
}

TEST(thread_with_unreleased_events_may_not_wait_for_their_release)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (size_t way = 0; way < COUNT(ways); way++) {
			struct fixture f;

			open_mode(&f, mode);
			publish_ticks(&f.producer, CAPACITY);
			assert_in_range(ways[way](&f.consumer[0]), 1, CAPACITY);
			assert_deadlock(&f.producer, "consumer 'consumer'", "position 0 ");
			assert_code(tick_release(&f.consumer[0], 1), 0);
			publish_ticks(&f.producer, 1);
			fixture_close(&f);
		}
}

TEST(position_named_is_the_first_not_released)
{
	struct fixture f;

	open_mode(&f, 0);
	publish_ticks(&f.producer, CAPACITY);
	assert_int_equal(by_poll(&f.consumer[0]), 2);
	assert_code(tick_release(&f.consumer[0], 1), 0);
	publish_ticks(&f.producer, 1);
	assert_deadlock(&f.producer, "before position 2", "position 1 ");
	fixture_close(&f);
}

/* Nobody holds what was not handed out: another thread may be handed it, and release it. */
TEST(thread_that_has_released_all_may_wait)
{
	for (size_t way = 0; way < COUNT(ways); way++) {
		struct fixture f;
		uint64_t n;

		open_mode(&f, 0);
		publish_ticks(&f.producer, CAPACITY);
		n = ways[way](&f.consumer[0]);
		assert_code(tick_release(&f.consumer[0], n), 0);
		publish_ticks(&f.producer, n);
		assert_waits(&f.producer);
		fixture_close(&f);
	}
}

TEST(events_that_are_not_in_the_way_are_no_reason)
{
	struct tick_consumer slow;
	struct fixture f;

	open_mode(&f, 0);
	assert_code(tick_consumer_open(&slow, f.ring, NULL), 0);
	publish_ticks(&f.producer, CAPACITY);
	read_ticks(&f.consumer[0], 3);
	/* this one's is at 3, and only position 0 of the other's has to be free */
	assert_int_equal(by_poll(&f.consumer[0]), 1);
	assert_waits(&f.producer);
	assert_code(tick_consumer_close(&slow), 0);
	fixture_close(&f);
}

/* It is waited for, and not in vain. */
static void assert_goes_on(struct tick_producer *p)
{
	struct tick *t = tick_claim_until(p, in_ms(WATCHDOG_MS));

	assert_non_null(t);
	t->value = disruptor_producer_position(&p->view);
	assert_code(tick_publish(p), 0);
}

/* ---- events that another thread has, or will release ---- */

struct helper {
	struct fixture *f;
	bool hand_off;
	uint64_t polled;
	int released;
	DISRUPTOR_ATOMIC(uint32_t) ready;
};

static bool producer_sleeps(void *context)
{
	return disruptor_ring_stats(context).sleeps > 0;
}

/* Release an event once the producer waits for it. */
static void help(void *argument)
{
	struct helper *h = argument;
	struct tick_consumer *c = &h->f->consumer[0];

	if (h->hand_off)
		h->released = disruptor_consumer_handoff(&c->view);
	else
		h->polled = by_poll(c);
	disruptor_store_release(&h->ready, 1u);
	await("a producer that should wait", producer_sleeps, h->f->ring);
	if (h->released == 0)
		h->released = tick_release(c, 1);
}

static bool helper_is_ready(void *context)
{
	return disruptor_load_acquire(&((struct helper *)context)->ready) != 0;
}

static void helped(bool hand_off, uint64_t polled_before)
{
	struct helper h = { .hand_off = hand_off };
	struct runner thread;
	struct fixture f;

	open_mode(&f, 0);
	h.f = &f;
	publish_ticks(&f.producer, CAPACITY);
	for (uint64_t i = 0; i < polled_before; i++)
		assert_int_equal(by_poll(&f.consumer[0]), 2);
	runner_start(&thread, "a thread that releases for another", help, &h);
	await("a thread that takes the view", helper_is_ready, &h);
	assert_goes_on(&f.producer);
	runner_join(&thread);
	assert_code(h.released, 0);
	fixture_close(&f);
}

TEST(thread_may_wait_for_what_another_was_handed)
{
	helped(false, 0);
}

TEST(thread_that_has_handed_the_view_over_may_wait)
{
	helped(true, 1);
	helped(false, 1); /* the other polls on: that hands it over, too */
}

TEST(only_an_open_view_is_handed_over)
{
	struct tick_consumer closed = { .view = { .next = 0 } };

	assert_code(disruptor_consumer_handoff(&closed.view), DISRUPTOR_E_INVAL);
	assert_code(disruptor_consumer_handoff(NULL), DISRUPTOR_E_INVAL);
}

/* What a run has left over is the next run's, whatever thread that is in. */
TEST(thread_that_ended_a_run_amid_a_batch_may_wait)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct tick_producer p;
	struct probe probe;
	struct disruptor *d;

	options.wait = disruptor_wait_blocking();
	d = graph_open(&options);
	probe_init(&probe, "leaves");
	probe.handler.batch = CAPACITY;
	probe.verdict_at = 1;
	probe.verdict = DISRUPTOR_STOP;
	probe_add(&probe, d);
	probe_producer(&p, d);
	probe_publish(&p, CAPACITY);
	assert_code(disruptor_stage_run(probe.stage), 0);
	assert_int_equal(disruptor_stage_position(probe.stage), 2);
	probe_publish(&p, 2);
	assert_waits(&p);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

/* ---- open runs ---- */

struct views {
	struct fixture f; /* its producer is `a` */
	struct tick_producer b;
};

static void views_open(struct views *v)
{
	const struct disruptor_producer_options name = { .size = sizeof(name), .name = "second" };

	open_mode(&v->f, 1);
	assert_code(tick_producer_open(&v->b, v->f.ring, &name), 0);
}

static void views_close(struct views *v)
{
	assert_code(tick_producer_close(&v->b), 0);
	fixture_close(&v->f);
}

static void fill(struct tick_producer *p, uint64_t n)
{
	assert_non_null(tick_claim_n(p, n));
	for (uint64_t i = 0; i < n; i++)
		tick_claimed_at(p, i)->value = disruptor_producer_position(&p->view) + i;
}

TEST(view_may_not_wait_for_another_views_run_of_its_thread)
{
	struct views v;

	views_open(&v);
	fill(&v.b, 1);
	publish_ticks(&v.f.producer, CAPACITY - 1);
	assert_deadlock(&v.f.producer, "producer 'second'", "position 0 ");
	assert_code(tick_publish(&v.b), 0);
	read_ticks(&v.f.consumer[0], 1);
	publish_ticks(&v.f.producer, 1);
	/* what was published long ago is no reason */
	assert_waits(&v.f.producer);
	views_close(&v);
}

TEST(part_of_a_run_that_is_published_is_no_reason)
{
	struct views v;

	views_open(&v);
	fill(&v.b, 2);
	assert_code(tick_publish_n(&v.b, 1), 0);
	publish_ticks(&v.f.producer, CAPACITY - 2);
	assert_waits(&v.f.producer); /* one slot: the consumer can release position 0 */
	read_ticks(&v.f.consumer[0], 1);
	publish_ticks(&v.f.producer, 1);
	assert_deadlock(&v.f.producer, "'second'", "position 1 ");
	assert_code(tick_abort(&v.b), 0); /* a void is passed like an event */
	assert_waits(&v.f.producer);
	views_close(&v);
}

TEST(claim_of_several_slots_reaches_as_far)
{
	struct views v;

	views_open(&v);
	publish_ticks(&v.f.producer, 1);
	fill(&v.b, 1);
	publish_ticks(&v.f.producer, CAPACITY - 2);
	assert_waits(&v.f.producer); /* position 0 is not the run's */
	assert_null(tick_claim_n(&v.f.producer, 2));
	assert_code(tick_status(&v.f.producer), DISRUPTOR_E_DEADLK);
	assert_detail("position 1 ");
	assert_code(tick_publish(&v.b), 0);
	views_close(&v);
}

static void publish_for_another(void *argument)
{
	struct views *v = argument;

	(void)disruptor_producer_handoff(&v->b.view);
	await("a producer that should wait", producer_sleeps, v->f.ring);
	(void)tick_publish(&v->b);
	(void)tick_ready(&v->f.consumer[0]);
	(void)tick_release(&v->f.consumer[0], 1);
}

static bool is_handed_over(void *context)
{
	struct views *v = context;

	return disruptor_load_relaxed(&v->f.ring->own_producers[v->b.view.index].owner) !=
	       os_thread_id();
}

TEST(view_may_wait_for_the_run_of_a_view_that_another_thread_has)
{
	struct runner thread;
	struct views v;

	views_open(&v);
	fill(&v.b, 1);
	publish_ticks(&v.f.producer, CAPACITY - 1);
	runner_start(&thread, "a thread that publishes", publish_for_another, &v);
	await("a view that another thread takes", is_handed_over, &v);
	assert_goes_on(&v.f.producer);
	runner_join(&thread);
	assert_code(disruptor_producer_handoff(&v.b.view), 0);
	views_close(&v);
}

/* ---- the view's own run ---- */

TEST(run_and_claim_above_the_capacity_are_refused_and_up_to_it_waited_for)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode);
		publish_ticks(&f.producer, 3);
		fill(&f.producer, 1);
		assert_null(disruptor_claim_until(&f.producer.view, 3, in_ms(2)));
		assert_code(tick_status(&f.producer), DISRUPTOR_E_TIMEOUT);
		assert_null(disruptor_claim_until(&f.producer.view, 4, in_ms(2)));
		assert_code(tick_status(&f.producer), DISRUPTOR_E_DEADLK);
		assert_detail("open run of 1 and 4 more are above the capacity 4");
		assert_code(tick_publish(&f.producer), 0);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(thread_with_unreleased_events_may_not_wait_for_their_release),
		RUN(position_named_is_the_first_not_released),
		RUN(thread_that_has_released_all_may_wait),
		RUN(events_that_are_not_in_the_way_are_no_reason),
		RUN(thread_may_wait_for_what_another_was_handed),
		RUN(thread_that_has_handed_the_view_over_may_wait),
		RUN(only_an_open_view_is_handed_over),
		RUN(thread_that_ended_a_run_amid_a_batch_may_wait),
		RUN(view_may_not_wait_for_another_views_run_of_its_thread),
		RUN(part_of_a_run_that_is_published_is_no_reason),
		RUN(claim_of_several_slots_reaches_as_far),
		RUN(view_may_wait_for_the_run_of_a_view_that_another_thread_has),
		RUN(run_and_claim_above_the_capacity_are_refused_and_up_to_it_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
