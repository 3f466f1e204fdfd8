/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The end of a stream: what was claimed before the close is seen, nothing is claimed after it,
 * everyone who waits is told; and the ring can be opened again.
 */
#include "fixture.h"

#include <string.h>

static const struct {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
} modes[] = {
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY },
	{ DISRUPTOR_PACKED, DISRUPTOR_SINGLE },
};

static struct disruptor_options options_of(size_t mode, uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);

	o.layout = modes[mode].layout;
	o.producers = modes[mode].producers;
	return o;
}

static void open_mode(struct fixture *f, size_t mode, uint64_t capacity, unsigned consumers)
{
	struct disruptor_options o = options_of(mode, capacity);

	fixture_open_with(f, &o, consumers);
}

static void assert_no_claim(struct fixture *f, int code)
{
	uint64_t claimed = disruptor_ring_stats(f->ring).claimed;

	assert_null(tick_claim(&f->producer));
	assert_code(tick_status(&f->producer), code);
	assert_null(tick_try_claim(&f->producer));
	assert_code(tick_status(&f->producer), code);
	assert_null(tick_claim_until(&f->producer, DISRUPTOR_FOREVER));
	assert_code(tick_status(&f->producer), code);
	assert_int_equal(tick_claim_up_to(&f->producer, 2), 0);
	assert_code(tick_status(&f->producer), code);
	assert_int_equal(disruptor_ring_stats(f->ring).claimed, claimed);
}

/* The slot that was claimed in vain still tells what it told before. */
TEST(a_claim_that_meets_the_close_leaves_the_last_lap_as_it_was)
{
	const uint64_t capacity = 4;

	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, capacity, 1);
		publish_ticks(&f.producer, capacity);
		while (disruptor_consumer_position(&f.consumer[0].view) < capacity)
			assert_code(tick_release(&f.consumer[0], tick_ready(&f.consumer[0])), 0);
		publish_ticks(&f.producer, 1); /* room for more is known now */
		disruptor_ring_close(f.ring);
		assert_no_claim(&f, DISRUPTOR_E_CLOSED);
		for (uint64_t at = 1; at <= capacity; at++)
			assert_true(disruptor_ring_published(f.ring, at));
		assert_code(tick_release(&f.consumer[0], tick_ready(&f.consumer[0])), 0);
		fixture_close(&f);
	}
}

/* On the fast path, where room is known, as on the slow one, where the ring is full or new. */
/*
 * Where the slot told of a void it says no less that its position is settled: with nobody left who
 * has released it, that alone lets the ring open again, and tells a new consumer where to begin.
 */
TEST(a_claim_that_meets_the_close_over_a_void_leaves_no_hole)
{
	struct fixture f;

	fixture_open(&f, 2, 1);
	assert_non_null(tick_claim_n(&f.producer, 2));
	assert_code(tick_publish_n(&f.producer, 1), 0);
	assert_code(tick_abort(&f.producer), 0);
	assert_int_equal(tick_ready(&f.consumer[0]), 1);
	assert_code(tick_release(&f.consumer[0], 1), 0);
	assert_int_equal(tick_ready(&f.consumer[0]), 0); /* passes the void */
	publish_ticks(&f.producer, 1);
	disruptor_ring_close(f.ring);
	assert_null(tick_claim(&f.producer)); /* in the void's slot */
	assert_code(tick_status(&f.producer), DISRUPTOR_E_CLOSED);
	assert_false(disruptor_ring_published(f.ring, 1)); /* no event now, as it was none before */
	assert_code(tick_consumer_close(&f.consumer[0]), 0);
	assert_int_equal(disruptor_ring_unpublished(f.ring, &(uint64_t){ 0 }, NULL), 0);
	assert_code(disruptor_ring_reopen(f.ring), 0);
	assert_code(tick_consumer_open(&f.consumer[0], f.ring, NULL), 0);
	assert_int_equal(disruptor_consumer_position(&f.consumer[0].view), 3);
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
}

TEST(no_claim_succeeds_after_the_close)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (uint64_t published = 0; published <= 4; published++) {
			struct fixture f;

			open_mode(&f, mode, 4, 1);
			publish_ticks(&f.producer, published);
			disruptor_ring_close(f.ring);
			assert_no_claim(&f, DISRUPTOR_E_CLOSED);
			assert_int_equal(disruptor_claimed(&f.producer.view), 0);
			assert_true(disruptor_ring_stats(f.ring).state & DISRUPTOR_STATE_CLOSED);
			disruptor_ring_close(f.ring); /* idempotent */
			assert_no_claim(&f, DISRUPTOR_E_CLOSED);
			read_ticks(&f.consumer[0], published);
			assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER),
				    DISRUPTOR_E_CLOSED);
			assert_true(disruptor_consumer_finished(&f.consumer[0].view));
			fixture_close(&f);
		}
}

TEST(consumers_see_all_that_was_claimed_before_the_close_and_then_its_end)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		publish_ticks(&f.producer, 2);
		assert_non_null(tick_claim_n(&f.producer, 2));
		disruptor_ring_close(f.ring);
		assert_false(disruptor_consumer_finished(&f.consumer[0].view));
		read_ticks(&f.consumer[0], 2);
		assert_false(disruptor_consumer_finished(&f.consumer[0].view));
		assert_code(tick_ready_until(&f.consumer[0], disruptor_in(2000000)),
			    DISRUPTOR_E_TIMEOUT); /* two more are to come */
		for (uint64_t i = 0; i < 2; i++)
			tick_claimed_at(&f.producer, i)->value = 2 + i;
		assert_code(tick_publish(&f.producer), 0);
		read_ticks(&f.consumer[0], 2);
		assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER),
			    DISRUPTOR_E_CLOSED);
		assert_true(disruptor_consumer_finished(&f.consumer[0].view));
		fixture_close(&f);
	}
}

/* T36: a dead claim does not hang the drain: it has a deadline, and the claim a name. */
TEST(a_dead_claim_is_named_and_the_end_comes_once_it_is_given_up)
{
	struct disruptor_producer_options po = { .size = sizeof(po), .name = "dead" };

	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		const char *name = NULL;
		uint64_t position = 0;
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		assert_code(tick_producer_close(&f.producer), 0);
		assert_code(tick_producer_open(&f.producer, f.ring, &po), 0);
		publish_ticks(&f.producer, 3);
		assert_non_null(tick_claim(&f.producer));
		disruptor_ring_close(f.ring);
		read_ticks(&f.consumer[0], 3);
		assert_code(tick_ready_until(&f.consumer[0], disruptor_in(2000000)),
			    DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_ring_unpublished(f.ring, &position, &name));
		assert_int_equal(position, 3);
		assert_string_equal(name, "dead");
		assert_code(tick_abort(&f.producer), 0);
		assert_false(disruptor_ring_unpublished(f.ring, &position, &name));
		assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER),
			    DISRUPTOR_E_CLOSED);
		fixture_close(&f);
	}
}

/* ---- everyone who waits is told ---- */

struct claimer {
	struct tick_producer p;
	bool claimed;
	int status;
};

static void claim_blocking(void *context)
{
	struct claimer *c = context;

	(void)disruptor_producer_handoff(&c->p.view);
	c->claimed = tick_claim(&c->p) != NULL;
	c->status = c->claimed ? 0 : tick_status(&c->p);
}

/* T38: four producers blocked on a full ring, every strategy. */
TEST(a_close_releases_blocked_producers_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		struct disruptor_options o = options_of(1, 4);
		struct claimer c[4];
		struct runner t[4];
		struct fixture f;

		o.wait = strategy;
		fixture_open_with(&f, &o, 1);
		publish_ticks(&f.producer, 4);
		for (int k = 0; k < 4; k++) {
			memset(&c[k], 0, sizeof(c[k]));
			assert_code(tick_producer_open(&c[k].p, f.ring, NULL), 0);
			runner_start(&t[k], "a blocked producer", claim_blocking, &c[k]);
		}
		if (wait_parks(&strategy))
			await_sleeps(f.ring, 4);
		pause_ms(2);
		disruptor_ring_close(f.ring);
		for (int k = 0; k < 4; k++) {
			runner_join(&t[k]);
			assert_false(c[k].claimed);
			assert_code(c[k].status, DISRUPTOR_E_CLOSED);
			(void)disruptor_producer_handoff(&c[k].p.view);
			assert_code(tick_producer_close(&c[k].p), 0);
		}
		read_ticks(&f.consumer[0], 4);
		fixture_close(&f);
	}
}

/* T38 for one producer, whose close goes another way than that of many. */
TEST(a_close_releases_the_single_producer)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct claimer c = { 0 };
		struct runner t;
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 4);
		c.p = f.producer;
		runner_start(&t, "the blocked producer", claim_blocking, &c);
		await_sleeps(f.ring, 1);
		disruptor_ring_close(f.ring);
		runner_join(&t);
		assert_code(c.status, DISRUPTOR_E_CLOSED);
		f.producer = c.p;
		(void)disruptor_producer_handoff(&f.producer.view);
		fixture_close(&f);
	}
}

struct reader {
	struct tick_consumer *c;
	int64_t result;
};

static void read_blocking(void *context)
{
	struct reader *r = context;

	r->result = tick_ready_until(r->c, DISRUPTOR_FOREVER);
}

TEST(a_close_releases_waiting_consumers_of_every_level_and_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_wait strategy = fixture_wait(i);
		const struct disruptor_consumer *after[1];
		struct disruptor_consumer_options co = { .size = sizeof(co),
							 .after = after,
							 .after_count = 1 };
		struct disruptor_options o = fixture_options(4);
		struct tick_consumer second;
		struct reader r[2];
		struct runner t[2];
		struct fixture f;

		o.wait = strategy;
		fixture_open_with(&f, &o, 1);
		after[0] = &f.consumer[0].view;
		assert_code(tick_consumer_open(&second, f.ring, &co), 0);
		r[0] = (struct reader){ .c = &f.consumer[0] };
		r[1] = (struct reader){ .c = &second };
		for (int k = 0; k < 2; k++)
			runner_start(&t[k], "a waiting consumer", read_blocking, &r[k]);
		if (wait_parks(&strategy))
			await_sleeps(f.ring, 2);
		pause_ms(2);
		disruptor_ring_close(f.ring);
		for (int k = 0; k < 2; k++) {
			runner_join(&t[k]);
			assert_code(r[k].result, DISRUPTOR_E_CLOSED);
		}
		assert_code(tick_consumer_close(&second), 0);
		fixture_close(&f);
	}
}

/* The second stage's end is the ring's, after it has read what the first has released. */
TEST(the_end_passes_down_a_chain_behind_the_last_event)
{
	const struct disruptor_consumer *after[1];
	struct disruptor_consumer_options co = { .size = sizeof(co),
						 .after = after,
						 .after_count = 1 };
	struct tick_consumer second;
	struct fixture f;

	fixture_open(&f, 4, 1);
	after[0] = &f.consumer[0].view;
	assert_code(tick_consumer_open(&second, f.ring, &co), 0);
	publish_ticks(&f.producer, 2);
	disruptor_ring_close(f.ring);
	assert_code(tick_ready_until(&second, disruptor_in(1000000)), DISRUPTOR_E_TIMEOUT);
	read_ticks(&f.consumer[0], 2);
	assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), DISRUPTOR_E_CLOSED);
	read_ticks(&second, 2);
	assert_code(tick_ready_until(&second, DISRUPTOR_FOREVER), DISRUPTOR_E_CLOSED);
	assert_code(tick_consumer_close(&second), 0);
	fixture_close(&f);
}

/* A consumer that waits for a claim that is given up after the close learns of the end by that. */
TEST(giving_up_the_last_claim_after_the_close_ends_the_wait)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct reader r = { 0 };
		struct runner t;
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		assert_non_null(tick_claim_n(&f.producer, 3));
		disruptor_ring_close(f.ring);
		r.c = &f.consumer[0];
		runner_start(&t, "a consumer that waits for a dead claim", read_blocking, &r);
		await_sleeps(f.ring, 1);
		assert_code(tick_abort(&f.producer), 0);
		runner_join(&t);
		assert_code(r.result, DISRUPTOR_E_CLOSED);
		fixture_close(&f);
	}
}

/* ---- a claim and the close at the same time ---- */

#if defined(DISRUPTOR_HOOKS)
/* A second close finds a claim that is about to be taken back, and does not count it. */
static void close_again(void *context)
{
	struct fixture *f = context;

	disruptor_ring_close(f->ring);
	assert_int_equal(disruptor_consumer_finished(&f->consumer[0].view), 1);
}

TEST(a_second_close_leaves_the_end_where_it_is)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 1);
		read_ticks(&f.consumer[0], 1);
		disruptor_ring_close(f.ring);
		assert_int_equal(disruptor_consumer_finished(&f.consumer[0].view), 1);
		hook_at(HOOK_TAKE_BACK, 1, close_again, &f);
		assert_null(tick_claim(&f.producer));
		/* where a claim begins without a look at the state; under ASan none does */
		if (modes[mode].producers == DISRUPTOR_SINGLE &&
		    fixture_rung() == DISRUPTOR_RUNG_MEMBARRIER && !DISRUPTOR_ASAN)
			assert_int_equal(hook_calls(), 1);
		hook_clear();
		assert_int_equal(disruptor_consumer_finished(&f.consumer[0].view), 1);
		fixture_close(&f);
	}
}

struct meeting {
	struct fixture f;
	struct claimer c;
	struct runner t;
	uint64_t before;
};

static bool has_met(void *context)
{
	struct meeting *m = context;

	return disruptor_ring_stats(m->f.ring).claimed > m->before || runner_done(&m->t);
}

/* The flag is up and the end not yet read: a producer claims, and sees the flag or is counted. */
static void claim_meanwhile(void *context)
{
	struct meeting *m = context;

	runner_start(&m->t, "a claim that meets the close", claim_blocking, &m->c);
	await("a claim that meets the close", has_met, m);
}

static void meet(size_t mode, uint64_t published)
{
	struct meeting m = { .before = published };
	uint64_t end;

	open_mode(&m.f, mode, 8, 1);
	publish_ticks(&m.f.producer, published);
	m.c.p = m.f.producer;
	hook_at(HOOK_CLOSE_BEFORE_END, 1, claim_meanwhile, &m);
	disruptor_ring_close(m.f.ring);
	assert_int_equal(hook_calls(), 1);
	runner_join(&m.t);
	hook_clear(); /* not while another thread may pass one */
	m.f.producer = m.c.p;
	(void)disruptor_producer_handoff(&m.f.producer.view);
	end = published;
	if (m.c.claimed) { /* many producers: before the closed bit, so it counts */
		assert_int_equal(modes[mode].producers, DISRUPTOR_MANY);
		tick_claimed_at(&m.f.producer, 0)->value = published;
		assert_code(tick_publish(&m.f.producer), 0);
		end++;
	} else {
		assert_code(m.c.status, DISRUPTOR_E_CLOSED);
		assert_int_equal(disruptor_claimed(&m.f.producer.view), 0);
	}
	assert_int_equal(disruptor_ring_stats(m.f.ring).claimed, end);
	assert_no_claim(&m.f, DISRUPTOR_E_CLOSED);
	read_ticks(&m.f.consumer[0], end);
	assert_code(tick_ready_until(&m.f.consumer[0], disruptor_in(UINT64_C(5000000000))),
		    DISRUPTOR_E_CLOSED);
	/* and it goes on without a gap or a repetition */
	assert_code(disruptor_ring_reopen(m.f.ring), 0);
	publish_ticks(&m.f.producer, 3);
	read_ticks(&m.f.consumer[0], 3);
	fixture_close(&m.f);
}

/* "Close": either the claim is refused and taken back, or the end counts it. */
TEST(a_claim_that_meets_the_close_is_refused_or_counted)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (uint64_t published = 0; published <= 6; published += 3)
			meet(mode, published);
}
#endif

/* ---- reopening ---- */

TEST(a_reopened_ring_goes_on_at_the_next_position)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 2);
		assert_code(disruptor_ring_reopen(f.ring), 0); /* it is open: nothing to do */
		for (int round = 0; round < 3; round++) {
			publish_ticks(&f.producer, 3);
			read_ticks(&f.consumer[0], 3);
			disruptor_ring_close(f.ring);
			assert_no_claim(&f, DISRUPTOR_E_CLOSED);
			assert_code(disruptor_ring_reopen(f.ring), 0);
			assert_int_equal(disruptor_ring_stats(f.ring).state, 0);
			assert_false(disruptor_consumer_finished(&f.consumer[0].view));
			assert_int_equal(disruptor_ring_stats(f.ring).claimed, 3 * (round + 1));
			read_ticks(&f.consumer[1], 3); /* what was unread is still there */
			assert_code(tick_ready_until(&f.consumer[1], 0), DISRUPTOR_E_TIMEOUT);
		}
		fixture_close(&f);
	}
}

TEST(a_ring_with_open_claims_is_not_reopened)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		publish_ticks(&f.producer, 5);
		assert_non_null(tick_claim(&f.producer));
		disruptor_ring_close(f.ring);
		assert_code(disruptor_ring_reopen(f.ring), DISRUPTOR_E_STATE);
		assert_detail("position 5");
		assert_detail("producer");
		assert_no_claim(&f, DISRUPTOR_E_CLOSED);
		assert_code(tick_abort(&f.producer), 0);
		assert_code(disruptor_ring_reopen(f.ring), 0);
		read_ticks(&f.consumer[0], 5);
		publish_ticks(&f.producer, 2);
		fixture_close(&f);
	}
}

/* A closed ring still lets consumers come and go. */
TEST(a_consumer_of_a_closed_ring_is_at_its_end)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 2);
		disruptor_ring_close(f.ring);
		assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
		f.consumers = 2;
		assert_code(tick_ready_until(&f.consumer[1], DISRUPTOR_FOREVER),
			    DISRUPTOR_E_CLOSED);
		assert_int_equal(disruptor_consumer_position(&f.consumer[1].view), 2);
		read_ticks(&f.consumer[0], 2);
		fixture_close(&f);
	}
}

TEST(who_may_be_the_last_closes_it_if_no_producer_is_open)
{
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *ring;
	struct tick_producer one, two;

	o.producers = DISRUPTOR_MANY;
	ring = ring_open(&o);
	assert_code(tick_producer_open(&one, ring, NULL), 0);
	assert_code(tick_producer_open(&two, ring, NULL), 0);
	assert_code(tick_producer_close(&one), 0);
	assert_int_equal(disruptor_ring_close_unused(ring), 0);
	assert_int_equal(disruptor_ring_stats(ring).state, 0);
	assert_code(tick_producer_close(&two), 0);
	assert_int_equal(disruptor_ring_close_unused(ring), 1);
	assert_true(disruptor_ring_stats(ring).state & DISRUPTOR_STATE_ENDED);
	assert_int_equal(disruptor_ring_close_unused(ring), 1);
	ring_close(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_claim_that_meets_the_close_leaves_the_last_lap_as_it_was),
		RUN(a_claim_that_meets_the_close_over_a_void_leaves_no_hole),
		RUN(no_claim_succeeds_after_the_close),
		RUN(consumers_see_all_that_was_claimed_before_the_close_and_then_its_end),
		RUN(a_dead_claim_is_named_and_the_end_comes_once_it_is_given_up),
		RUN(a_close_releases_blocked_producers_of_every_strategy),
		RUN(a_close_releases_the_single_producer),
		RUN(a_close_releases_waiting_consumers_of_every_level_and_strategy),
		RUN(the_end_passes_down_a_chain_behind_the_last_event),
		RUN(giving_up_the_last_claim_after_the_close_ends_the_wait),
#if defined(DISRUPTOR_HOOKS)
		RUN(a_second_close_leaves_the_end_where_it_is),
		RUN(a_claim_that_meets_the_close_is_refused_or_counted),
#endif
		RUN(a_reopened_ring_goes_on_at_the_next_position),
		RUN(a_ring_with_open_claims_is_not_reopened),
		RUN(a_consumer_of_a_closed_ring_is_at_its_end),
		RUN(who_may_be_the_last_closes_it_if_no_producer_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
