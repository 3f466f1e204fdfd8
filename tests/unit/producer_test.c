/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What one thread can observe of claiming, publishing and giving up, with one producer or several,
 * in both layouts. Voids have void_test.c; several producers at once many_test.c.
 */
#include "fixture.h"
#include "ring/ring.h"

#include <string.h>

/* The ways a ring can be written to: each test of the common protocol runs on all of them. */
static const struct {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
} modes[] = {
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY },
	{ DISRUPTOR_PACKED, DISRUPTOR_SINGLE },
};

static void open_mode(struct fixture *f, size_t mode, uint64_t capacity, unsigned consumers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.layout = modes[mode].layout;
	o.producers = modes[mode].producers;
	fixture_open_with(f, &o, consumers);
}

/* A claim that was refused for @p code has left view and ring as they were. */
static void assert_refused(struct fixture *f, const void *claimed, int code)
{
	uint64_t open = disruptor_claimed(&f->producer.view);
	uint64_t at = disruptor_producer_position(&f->producer.view);

	assert_null(claimed);
	assert_code(tick_status(&f->producer), code);
	assert_int_equal(disruptor_ring_stats(f->ring).claimed, at + open);
}

TEST(a_claimed_event_is_invisible_until_it_is_published)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;
		struct tick *t;

		open_mode(&f, mode, 4, 1);
		t = tick_claim(&f.producer);
		assert_non_null(t);
		t->value = 42;
		assert_int_equal(tick_ready(&f.consumer[0]), 0);
		assert_code(tick_publish(&f.producer), 0);
		assert_int_equal(tick_ready(&f.consumer[0]), 1);
		assert_int_equal(tick_at(&f.consumer[0], 0)->value, 42);
		fixture_close(&f);
	}
}

/* T01: the slow path of a claim publishes nothing. A ring of 4: claim all, publish none. */
TEST(a_refused_claim_publishes_nothing)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		for (int i = 0; i < 4; i++)
			assert_non_null(tick_claim(&f.producer));
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		/* the consumers would have to pass what this view has not published */
		assert_refused(&f, tick_claim_until(&f.producer, disruptor_in(1000000)),
			       DISRUPTOR_E_DEADLK);
		assert_refused(&f, tick_claim(&f.producer), DISRUPTOR_E_DEADLK);
		assert_int_equal(tick_ready(&f.consumer[0]), 0);
		for (uint64_t p = 0; p < 4; p++)
			assert_false(disruptor_ring_published(f.ring, p));
		assert_int_equal(disruptor_claimed(&f.producer.view), 4);
		assert_code(tick_publish(&f.producer), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 4);
		assert_true(disruptor_ring_published(f.ring, 3));
		fixture_close(&f);
	}
}

/* T01, with a run that is published: now it is the consumer who is late, and the deadline counts. */
TEST(a_claim_on_a_full_ring_times_out_and_publishes_nothing)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;
		uint64_t deadline;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 2);
		assert_non_null(disruptor_claim_n(&f.producer.view, 2));
		deadline = disruptor_in(2000000);
		assert_refused(&f, tick_claim_until(&f.producer, deadline), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() >= deadline);
		assert_false(disruptor_ring_published(f.ring, 2));
		assert_false(disruptor_ring_published(f.ring, 3));
		assert_int_equal(disruptor_claimed(&f.producer.view), 2);
		fixture_close(&f);
	}
}

/* T09: no number of slots hangs or changes anything, however it is asked for. */
TEST(impossible_numbers_are_refused_at_once)
{
	static const struct {
		uint64_t n;
		int code;
	} table[] = {
		{ 0, DISRUPTOR_E_INVAL },
		{ 9, DISRUPTOR_E_TOO_BIG },
		{ INT32_MAX, DISRUPTOR_E_TOO_BIG },
		{ UINT32_MAX, DISRUPTOR_E_TOO_BIG },
		{ UINT64_C(1) << 32, DISRUPTOR_E_TOO_BIG },
		{ UINT64_MAX - 8, DISRUPTOR_E_TOO_BIG },
		{ UINT64_MAX, DISRUPTOR_E_TOO_BIG }, /* -1 */
	};
	struct tick events[1] = { { 0 } };

	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (size_t i = 0; i < 2 * COUNT(table); i++) {
			uint64_t n = table[i / 2].n;
			int code = table[i / 2].code;
			struct disruptor_producer *p;
			struct fixture f;

			open_mode(&f, mode, 8, 1);
			p = &f.producer.view;
			if (i % 2 == 1) /* once on a fresh view, once where room is known */
				publish_ticks(&f.producer, 3);
			assert_refused(&f, disruptor_claim_n(p, n), code);
			assert_refused(&f, disruptor_try_claim_n(p, n), code);
			assert_refused(&f, disruptor_claim_until(p, n, disruptor_in(1)), code);
			assert_refused(&f, disruptor_claim_until(p, n, DISRUPTOR_FOREVER), code);
			assert_int_equal(disruptor_claim_up_to(p, n), 0);
			assert_refused(&f, NULL, code);
			assert_code(disruptor_publish_copy(p, events, n), code);
			assert_refused(&f, NULL, code);
			assert_code(disruptor_publish_n(p, n), DISRUPTOR_E_INVAL);
			assert_code(disruptor_abort_n(p, n), DISRUPTOR_E_INVAL);
			assert_int_equal(disruptor_ring_stats(f.ring).voids, 0);
			assert_int_equal(disruptor_claimed(p), 0);
			publish_ticks(&f.producer, 5);
			fixture_close(&f);
		}
}

/* T14: what is published cannot be published or given up again. */
TEST(publishing_twice_is_refused_and_moves_no_stamp)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		assert_code(tick_publish(&f.producer), DISRUPTOR_E_INVAL); /* never claimed */
		publish_ticks(&f.producer, 4);
		read_ticks(&f.consumer[0], 4);
		publish_ticks(&f.producer, 2); /* the second lap's stamps */
		assert_code(tick_publish(&f.producer), DISRUPTOR_E_INVAL);
		assert_code(tick_publish_n(&f.producer, 1), DISRUPTOR_E_INVAL);
		assert_code(tick_abort(&f.producer), DISRUPTOR_E_INVAL);
		assert_true(disruptor_ring_published(f.ring, 4));
		assert_true(disruptor_ring_published(f.ring, 5));
		assert_int_equal(disruptor_ring_stats(f.ring).voids, 0);
		read_ticks(&f.consumer[0], 2);
		fixture_close(&f);
	}
}

/* T14: an aborted run is over. */
TEST(publishing_after_an_abort_is_refused)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		assert_non_null(disruptor_claim_n(&f.producer.view, 2));
		assert_code(tick_abort(&f.producer), 0);
		assert_code(tick_publish(&f.producer), DISRUPTOR_E_INVAL);
		assert_code(tick_publish_n(&f.producer, 1), DISRUPTOR_E_INVAL);
		assert_code(tick_abort(&f.producer), DISRUPTOR_E_INVAL);
		assert_int_equal(tick_ready(&f.consumer[0]), 0);
		fixture_close(&f);
	}
}

TEST(publishing_more_than_the_open_run_publishes_none_of_it)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		assert_non_null(disruptor_claim_n(&f.producer.view, 3));
		assert_code(tick_publish_n(&f.producer, 4), DISRUPTOR_E_INVAL);
		assert_code(disruptor_abort_n(&f.producer.view, 4), DISRUPTOR_E_INVAL);
		assert_code(tick_publish_n(&f.producer, 0), DISRUPTOR_E_INVAL);
		assert_int_equal(disruptor_claimed(&f.producer.view), 3);
		assert_false(disruptor_ring_published(f.ring, 0));
		assert_code(tick_publish_n(&f.producer, 3), 0);
		fixture_close(&f);
	}
}

/* "One open run a view": claims extend it at its end, publish takes from its front. */
TEST(a_claim_extends_the_open_run_and_publish_takes_its_front)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct tick *first, *second;
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		first = tick_claim_n(&f.producer, 2);
		second = tick_claim_n(&f.producer, 3);
		assert_int_equal(disruptor_claimed(&f.producer.view), 5);
		assert_ptr_equal(first, tick_claimed_at(&f.producer, 0));
		assert_ptr_equal(second, tick_claimed_at(&f.producer, 2));
		for (uint64_t i = 0; i < 5; i++)
			tick_claimed_at(&f.producer, i)->value = i;
		assert_code(tick_publish_n(&f.producer, 2), 0);
		assert_int_equal(disruptor_producer_position(&f.producer.view), 2);
		assert_ptr_equal(second, tick_claimed_at(&f.producer, 0));
		assert_true(disruptor_ring_published(f.ring, 1));
		assert_false(disruptor_ring_published(f.ring, 2));
		read_ticks(&f.consumer[0], 2);
		assert_code(tick_publish(&f.producer), 0);
		assert_int_equal(disruptor_claimed(&f.producer.view), 0);
		read_ticks(&f.consumer[0], 3);
		fixture_close(&f);
	}
}

/* T04: a range is published from its first to its last and no further, wherever it lies. */
static void publish_range_at(size_t mode, uint64_t capacity, uint64_t lo, uint64_t n)
{
	uint64_t from = lo > capacity / 2 ? lo - capacity / 2 : 0;
	struct fixture f;

	open_mode(&f, mode, capacity, 1);
	for (uint64_t i = 0; i < lo; i++) {
		publish_ticks(&f.producer, 1);
		read_ticks(&f.consumer[0], 1);
	}
	assert_non_null(disruptor_claim_n(&f.producer.view, n));
	for (uint64_t i = 0; i < n; i++)
		tick_claimed_at(&f.producer, i)->value = lo + i;
	for (uint64_t p = lo; p < lo + capacity + 2; p++)
		assert_false(disruptor_ring_published(f.ring, p));
	assert_code(tick_publish(&f.producer), 0);
	for (uint64_t p = from; p < lo + capacity + 2; p++) {
		bool in_lap = p < lo + n && lo + n - p <= capacity;

		assert_int_equal(disruptor_ring_published(f.ring, p), in_lap);
	}
	read_ticks(&f.consumer[0], n);
	assert_int_equal(tick_ready(&f.consumer[0]), 0);
	fixture_close(&f);
}

TEST(a_published_range_is_available_from_its_first_to_its_last)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		for (uint64_t lo = 0; lo <= 8; lo++)
			for (uint64_t n = 1; n <= 8; n++)
				publish_range_at(mode, 8, lo, n); /* and across the wrap */
		publish_range_at(mode, 128, 60, 10);              /* across a 64-bit word */
		publish_range_at(mode, 128, 120, 20);
		publish_range_at(mode, 128, 127, 128);
	}
}

/* The last free slot can be claimed, the one after it cannot; the slowest consumer decides. */
TEST(try_claim_fails_only_when_a_consumer_is_a_full_lap_behind)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 2);
		publish_ticks(&f.producer, 4);
		read_ticks(&f.consumer[0], 4);
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		read_ticks(&f.consumer[1], 1);
		publish_ticks(&f.producer, 1);
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		fixture_close(&f);
	}
}

/* T48 from the producer's side: n slots are had when n are free, not one earlier. */
TEST(a_claim_of_n_needs_n_free_slots)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		publish_ticks(&f.producer, 8);
		read_ticks(&f.consumer[0], 2);
		assert_refused(&f, disruptor_try_claim_n(&f.producer.view, 3), DISRUPTOR_E_FULL);
		assert_non_null(disruptor_try_claim_n(&f.producer.view, 2));
		assert_refused(&f, disruptor_try_claim_n(&f.producer.view, 1), DISRUPTOR_E_FULL);
		fixture_close(&f);
	}
}

/* Wherever a claim is noted, in a word or in the slots: of any length, in any lap, open or not. */
TEST(the_claim_position_is_known_at_every_claim)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (uint64_t capacity = 8; capacity <= 512; capacity *= 4) {
			struct fixture f;
			uint64_t at = 0;

			open_mode(&f, mode, capacity, 1);
			for (uint64_t i = 0; i < 1000; i++) {
				uint64_t n = 1 + i * i % 5;
				bool held = i % 3 == 0 && 2 * n <= capacity;

				assert_non_null(disruptor_claim_n(&f.producer.view, n));
				assert_int_equal(disruptor_ring_stats(f.ring).claimed, at + n);
				if (held) /* and behind an open run */
					assert_non_null(disruptor_claim_n(&f.producer.view, n));
				at += held ? 2 * n : n;
				assert_int_equal(disruptor_ring_stats(f.ring).claimed, at);
				assert_int_equal(disruptor_ring_published(f.ring, at - 1), 0);
				if (i % 7 == 0 && modes[mode].layout == DISRUPTOR_STAMPED)
					assert_code(tick_abort(&f.producer), 0);
				else
					assert_code(tick_publish(&f.producer), 0);
				assert_int_equal(disruptor_ring_stats(f.ring).claimed, at);
				while (disruptor_consumer_position(&f.consumer[0].view) < at)
					(void)tick_release(&f.consumer[0],
							   tick_ready(&f.consumer[0]));
			}
			fixture_close(&f);
		}
}

/* Who looks at a position a lap too late finds a mark of the next lap there, and not its own. */
TEST(a_later_laps_mark_is_no_claim_of_a_position_before)
{
	const uint64_t capacity = 8;
	struct fixture f;

	open_mode(&f, 0, capacity, 1);
	publish_ticks(&f.producer, capacity);
	while (disruptor_consumer_position(&f.consumer[0].view) < capacity)
		assert_code(tick_release(&f.consumer[0], tick_ready(&f.consumer[0])), 0);
	publish_ticks(&f.producer, 1); /* out of line: the ring was full as far as was known */
	assert_non_null(tick_claim(&f.producer));
	assert_true(ring_is_settled(f.ring, disruptor_load_relaxed(ring_stamp(f.ring, 1)), 1));
	assert_false(ring_is_settled(
		f.ring, disruptor_load_relaxed(ring_stamp(f.ring, capacity + 1)), capacity + 1));
	assert_code(tick_publish(&f.producer), 0);
	fixture_close(&f);
}

TEST(claim_up_to_takes_what_there_is)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		assert_int_equal(tick_claim_up_to(&f.producer, 3), 3);
		assert_int_equal(disruptor_claimed(&f.producer.view), 3);
		assert_int_equal(tick_claim_up_to(&f.producer, 8), 5); /* extends the run */
		for (uint64_t i = 0; i < 8; i++)
			tick_claimed_at(&f.producer, i)->value = i;
		assert_int_equal(disruptor_claimed(&f.producer.view), 8);
		assert_code(tick_publish(&f.producer), 0);
		read_ticks(&f.consumer[0], 2);
		assert_int_equal(tick_claim_up_to(&f.producer, 8), 2);
		assert_int_equal(tick_claim_up_to(&f.producer, 0), 0);
		assert_code(tick_status(&f.producer), DISRUPTOR_E_INVAL);
		fixture_close(&f);
	}
}

/* ---- what happens while the ring is full: the overflow policies ---- */

static void open_policy(struct fixture *f, size_t mode, enum disruptor_overflow overflow,
			uint64_t timeout_ns)
{
	struct disruptor_producer_options po = { .size = sizeof(po),
						 .overflow = overflow,
						 .timeout_ns = timeout_ns };

	open_mode(f, mode, 4, 1);
	assert_code(tick_producer_close(&f->producer), 0);
	assert_code(tick_producer_open(&f->producer, f->ring, &po), 0);
}

TEST(the_policy_fail_refuses_at_once)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_policy(&f, mode, DISRUPTOR_FAIL, 0);
		publish_ticks(&f.producer, 4);
		assert_refused(&f, tick_claim(&f.producer), DISRUPTOR_E_FULL);
		assert_int_equal(tick_claim_up_to(&f.producer, 2), 0);
		assert_code(tick_status(&f.producer), DISRUPTOR_E_FULL);
		assert_int_equal(disruptor_ring_stats(f.ring).dropped, 0);
		read_ticks(&f.consumer[0], 1);
		assert_non_null(tick_claim(&f.producer));
		fixture_close(&f);
	}
}

TEST(the_policy_drop_counts_what_it_drops_and_keeps_the_old)
{
	struct tick events[3] = { { 0 } };

	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_policy(&f, mode, DISRUPTOR_DROP, 0);
		publish_ticks(&f.producer, 4);
		assert_refused(&f, tick_claim(&f.producer), DISRUPTOR_E_DROPPED);
		assert_refused(&f, tick_claim_n(&f.producer, 2), DISRUPTOR_E_DROPPED);
		assert_code(tick_publish_copy(&f.producer, events, 3), DISRUPTOR_E_DROPPED);
		assert_int_equal(disruptor_ring_stats(f.ring).dropped, 6);
		/* a try is a question, not an event */
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		assert_int_equal(disruptor_ring_stats(f.ring).dropped, 6);
		read_ticks(&f.consumer[0], 4);
		publish_ticks(&f.producer, 1);
		read_ticks(&f.consumer[0], 1);
		fixture_close(&f);
	}
}

TEST(the_policy_until_waits_so_long_and_no_longer)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;
		uint64_t before;

		open_policy(&f, mode, DISRUPTOR_UNTIL, 2000000);
		publish_ticks(&f.producer, 4);
		for (int i = 0; i < 3; i++) { /* each claim anew */
			before = disruptor_now();
			assert_refused(&f, tick_claim(&f.producer), DISRUPTOR_E_TIMEOUT);
			assert_true(disruptor_now() - before >= 2000000);
		}
		read_ticks(&f.consumer[0], 1);
		assert_non_null(tick_claim(&f.producer));
		fixture_close(&f);
	}
}

TEST(a_try_never_waits_and_a_deadline_holds_whatever_the_policy)
{
	static const enum disruptor_overflow policies[] = { DISRUPTOR_BLOCK, DISRUPTOR_UNTIL,
							    DISRUPTOR_FAIL, DISRUPTOR_DROP };

	for (size_t i = 0; i < COUNT(policies); i++) {
		struct fixture f;
		uint64_t deadline;

		open_policy(&f, 0, policies[i], UINT64_C(3600000000000));
		publish_ticks(&f.producer, 4);
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		deadline = disruptor_in(2000000);
		assert_refused(&f, tick_claim_until(&f.producer, deadline), DISRUPTOR_E_TIMEOUT);
		assert_true(disruptor_now() >= deadline);
		fixture_close(&f);
	}
}

/* T23: a deadline of 0 or in the past is one look. */
TEST(a_past_deadline_is_one_look)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 2, 1);
		assert_non_null(
			tick_claim_until(&f.producer, 0)); /* there is room: no deadline counts */
		assert_code(tick_publish(&f.producer), 0);
		assert_non_null(tick_claim_until(&f.producer, 1));
		assert_code(tick_publish(&f.producer), 0);
		assert_refused(&f, tick_claim_until(&f.producer, 0), DISRUPTOR_E_TIMEOUT);
		assert_refused(&f, tick_claim_until(&f.producer, 1), DISRUPTOR_E_TIMEOUT);
		assert_refused(&f, tick_claim_until(&f.producer, disruptor_now()),
			       DISRUPTOR_E_TIMEOUT);
		fixture_close(&f);
	}
}

/* "NULL from a typed claim means not claimed; the reason is in the view", until the next success. */
TEST(the_reason_of_a_refusal_is_in_the_view)
{
	struct fixture f;

	fixture_open(&f, 2, 1);
	assert_code(tick_status(&f.producer), 0);
	publish_ticks(&f.producer, 2);
	assert_null(tick_try_claim(&f.producer));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_FULL);
	assert_null(tick_claim_n(&f.producer, 0));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_INVAL);
	assert_null(tick_claim_n(&f.producer, 3));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_TOO_BIG);
	disruptor_ring_close(f.ring);
	assert_null(tick_claim(&f.producer));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_CLOSED);
	fixture_close(&f);
}

/* A claim that would wait for the view's own run is told so, a run of the whole ring is fine. */
TEST(waiting_for_ones_own_run_is_a_deadlock_and_refused)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		assert_non_null(tick_claim_n(&f.producer, 4));
		assert_code(tick_publish(&f.producer), 0);
		assert_int_equal(tick_ready(&f.consumer[0]), 1);
		assert_code(tick_release(&f.consumer[0], 1), 0);
		assert_non_null(tick_claim_n(&f.producer, 1));
		assert_refused(&f, tick_claim_n(&f.producer, 4), DISRUPTOR_E_DEADLK);
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_FULL);
		fixture_close(&f);
	}
}

/* ---- no consumer ---- */

/* T12: without a consumer there is no back-pressure, and so no claim, unless asked for. */
TEST(without_a_consumer_claims_are_refused)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 0);
		assert_refused(&f, tick_claim(&f.producer), DISRUPTOR_E_NO_CONSUMER);
		assert_refused(&f, tick_try_claim(&f.producer), DISRUPTOR_E_NO_CONSUMER);
		assert_refused(&f, tick_claim_until(&f.producer, DISRUPTOR_FOREVER),
			       DISRUPTOR_E_NO_CONSUMER);
		fixture_close(&f);
	}
}

TEST(free_running_without_a_consumer_looks_at_the_gates_once_a_lap)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_options o = fixture_options(8);
		struct disruptor_ring_stats s;
		struct fixture f;

		o.flags = DISRUPTOR_FREE_RUN;
		o.layout = (enum disruptor_layout)layout;
		fixture_open_with(&f, &o, 0);
		publish_ticks(&f.producer, 80);
		s = disruptor_ring_stats(f.ring);
		assert_int_equal(s.claimed, 80);
		assert_int_equal(s.consumers, 0);
		assert_int_equal(s.released, s.claimed);
		assert_int_equal(s.remaining, 8);
		assert_true(s.slow_claims >= 1);
		assert_true(s.slow_claims <= 11);
		fixture_close(&f);
	}
}

TEST(a_producer_whose_consumer_keeps_up_looks_at_the_gates_once_a_lap)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 8, 1);
		for (int i = 0; i < 80; i++) {
			publish_ticks(&f.producer, 1);
			read_ticks(&f.consumer[0], 1);
		}
		assert_true(disruptor_ring_stats(f.ring).slow_claims <= 11);
		fixture_close(&f);
	}
}

/* A free-running ring that gets a consumer is held back by it. */
TEST(a_consumer_stops_free_running)
{
	struct disruptor_options o = fixture_options(8);
	struct fixture f;

	o.flags = DISRUPTOR_FREE_RUN;
	fixture_open_with(&f, &o, 0);
	publish_ticks(&f.producer, 13);
	assert_code(tick_consumer_open(&f.consumer[0], f.ring, NULL), 0);
	f.consumers = 1;
	assert_int_equal(disruptor_consumer_position(&f.consumer[0].view), 13);
	publish_ticks(&f.producer, 8);
	assert_null(tick_try_claim(&f.producer));
	read_ticks(&f.consumer[0], 8);
	fixture_close(&f);
}

/* ---- publish_copy ---- */

TEST(publish_copy_copies_all_across_the_wrap)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++)
		for (uint64_t start = 0; start < 8; start++)
			for (uint64_t n = 1; n <= 8; n++) {
				struct tick events[8];
				struct fixture f;

				open_mode(&f, mode, 8, 1);
				publish_ticks(&f.producer, start);
				read_ticks(&f.consumer[0], start);
				for (uint64_t i = 0; i < n; i++)
					events[i] = (struct tick){ .value = start + i, .from = i };
				assert_code(tick_publish_copy(&f.producer, events, n), 0);
				assert_int_equal(disruptor_claimed(&f.producer.view), 0);
				read_ticks(&f.consumer[0], n);
				assert_int_equal(tick_ready(&f.consumer[0]), 0);
				fixture_close(&f);
			}
}

TEST(publish_copy_is_all_or_nothing)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct tick events[4] = {
			{ .value = 2 }, { .value = 3 }, { .value = 4 }, { .value = 5 }
		};
		struct fixture f;

		open_policy(&f, mode, DISRUPTOR_FAIL, 0);
		publish_ticks(&f.producer, 2);
		assert_code(tick_publish_copy(&f.producer, events, 3), DISRUPTOR_E_FULL);
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 2);
		read_ticks(&f.consumer[0], 2);
		assert_int_equal(tick_ready(&f.consumer[0]), 0);
		assert_non_null(tick_claim(&f.producer));
		assert_code(tick_publish_copy(&f.producer, events, 1), DISRUPTOR_E_STATE);
		assert_int_equal(disruptor_claimed(&f.producer.view), 1);
		assert_code(tick_abort(&f.producer), 0);
		fixture_close(&f);
	}
}

/* ---- opening and closing views ---- */

/* A view opened with these options is refused for @p code, @p word says why, and it is closed. */
static void refuse_open(struct disruptor_ring *ring, const struct disruptor_producer_options *o,
			int code, const char *word)
{
	struct tick_producer p;

	memset(&p, 0x5a, sizeof(p));
	assert_code(tick_producer_open(&p, ring, o), code);
	assert_detail(word);
	assert_null(tick_try_claim(&p));
	assert_code(tick_status(&p), DISRUPTOR_E_INVAL);
	assert_code(tick_producer_close(&p), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_ring_stats(ring).open_producers, 0);
}

TEST(bad_producer_options_are_named_and_leave_the_ring_as_it_was)
{
	const char *longest = "0123456789012345678901234567890"; /* 31 bytes */
	const char *longer = "01234567890123456789012345678901";
	const struct disruptor_producer_options good = { .size = sizeof(good) };
	struct disruptor_options ro = fixture_options(4);
	struct disruptor_ring *ring = ring_open(&ro);
	struct disruptor_producer_options o;
	struct tick_producer p;

#define REFUSE(field, value, code, word)                                                           \
	do {                                                                                       \
		o = good;                                                                          \
		o.field = (value);                                                                 \
		refuse_open(ring, &o, (code), (word));                                             \
	} while (0)
	REFUSE(size, 0, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, sizeof(size_t) - 1, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, SIZE_MAX, DISRUPTOR_E_VERSION, "size");
	REFUSE(overflow, (enum disruptor_overflow)4, DISRUPTOR_E_INVAL, "overflow");
	REFUSE(overflow, DISRUPTOR_UNTIL, DISRUPTOR_E_INVAL, "timeout_ns");
	REFUSE(reserved, 1, DISRUPTOR_E_INVAL, "reserved");
	REFUSE(wait.kind, (enum disruptor_wait_kind)9, DISRUPTOR_E_INVAL, "wait");
	REFUSE(name, "", DISRUPTOR_E_INVAL, "name");
	REFUSE(name, longer, DISRUPTOR_E_INVAL, "name");
#undef REFUSE
	assert_code(disruptor_producer_open(NULL, ring, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_detail("producer");
	assert_code(disruptor_producer_open(&p.view, NULL, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_detail("ring");
	assert_code(disruptor_producer_open(&p.view, ring, NULL, NULL), DISRUPTOR_E_INVAL);
	assert_detail("type");
	assert_code(disruptor_producer_do_open(&p.view, ring, &tick_type, NULL, 64),
		    DISRUPTOR_E_VERSION);
	assert_detail("producer view");
	o = good;
	o.name = longest;
	assert_code(tick_producer_open(&p, ring, &o), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}

TEST(a_single_producer_ring_has_one_producer_at_a_time)
{
	struct disruptor_producer_options po = { .size = sizeof(po), .name = "first" };
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *ring = ring_open(&o);
	struct tick_producer a, b;

	assert_code(tick_producer_open(&a, ring, &po), 0);
	assert_code(tick_producer_open(&b, ring, NULL), DISRUPTOR_E_BUSY);
	assert_detail("first");
	assert_int_equal(disruptor_ring_stats(ring).open_producers, 1);
	assert_code(tick_producer_close(&a), 0);
	assert_code(tick_producer_close(&a), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_ring_stats(ring).open_producers, 0);
	assert_code(tick_producer_open(&b, ring, NULL), 0);
	assert_code(tick_producer_close(&b), 0);
	ring_close(&ring);
}

TEST(the_next_producer_goes_on_where_the_last_one_stopped)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 3);
		assert_code(tick_producer_close(&f.producer), 0);
		assert_code(tick_producer_open(&f.producer, f.ring, NULL), 0);
		assert_int_equal(disruptor_producer_position(&f.producer.view), 3);
		publish_ticks(&f.producer, 1);
		assert_null(tick_try_claim(&f.producer));
		read_ticks(&f.consumer[0], 4);
		fixture_close(&f);
	}
}

TEST(a_closed_view_claims_and_publishes_nothing)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		struct tick events[1] = { { 0 } };
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 1); /* room for three more is known to it */
		assert_code(tick_producer_close(&f.producer), 0);
		assert_null(tick_claim(&f.producer));
		assert_true(tick_status(&f.producer) < 0);
		assert_null(tick_try_claim(&f.producer));
		assert_int_equal(tick_claim_up_to(&f.producer, 1), 0);
		assert_true(tick_publish_copy(&f.producer, events, 1) < 0);
		assert_code(tick_publish(&f.producer), DISRUPTOR_E_INVAL);
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 1);
		fixture_close(&f);
	}
}

/* T15: a view that is closed with an open run leaves no hole. */
TEST(closing_a_view_gives_its_open_run_up)
{
	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		const char *name;
		uint64_t position;
		struct fixture f;

		open_mode(&f, mode, 4, 1);
		publish_ticks(&f.producer, 1);
		assert_non_null(tick_claim_n(&f.producer, 2));
		assert_code(tick_producer_close(&f.producer), 0);
		assert_false(disruptor_ring_unpublished(f.ring, &position, &name));
		read_ticks(&f.consumer[0], 1);
		disruptor_ring_close(f.ring);
		assert_code(tick_ready_until(&f.consumer[0], disruptor_in(1000000000)),
			    DISRUPTOR_E_CLOSED);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_claimed_event_is_invisible_until_it_is_published),
		RUN(a_refused_claim_publishes_nothing),
		RUN(a_claim_on_a_full_ring_times_out_and_publishes_nothing),
		RUN(impossible_numbers_are_refused_at_once),
		RUN(publishing_twice_is_refused_and_moves_no_stamp),
		RUN(publishing_after_an_abort_is_refused),
		RUN(publishing_more_than_the_open_run_publishes_none_of_it),
		RUN(a_claim_extends_the_open_run_and_publish_takes_its_front),
		RUN(a_published_range_is_available_from_its_first_to_its_last),
		RUN(try_claim_fails_only_when_a_consumer_is_a_full_lap_behind),
		RUN(a_claim_of_n_needs_n_free_slots),
		RUN(the_claim_position_is_known_at_every_claim),
		RUN(a_later_laps_mark_is_no_claim_of_a_position_before),
		RUN(claim_up_to_takes_what_there_is),
		RUN(the_policy_fail_refuses_at_once),
		RUN(the_policy_drop_counts_what_it_drops_and_keeps_the_old),
		RUN(the_policy_until_waits_so_long_and_no_longer),
		RUN(a_try_never_waits_and_a_deadline_holds_whatever_the_policy),
		RUN(a_past_deadline_is_one_look),
		RUN(the_reason_of_a_refusal_is_in_the_view),
		RUN(waiting_for_ones_own_run_is_a_deadlock_and_refused),
		RUN(without_a_consumer_claims_are_refused),
		RUN(free_running_without_a_consumer_looks_at_the_gates_once_a_lap),
		RUN(a_producer_whose_consumer_keeps_up_looks_at_the_gates_once_a_lap),
		RUN(a_consumer_stops_free_running),
		RUN(publish_copy_copies_all_across_the_wrap),
		RUN(publish_copy_is_all_or_nothing),
		RUN(bad_producer_options_are_named_and_leave_the_ring_as_it_was),
		RUN(a_single_producer_ring_has_one_producer_at_a_time),
		RUN(the_next_producer_goes_on_where_the_last_one_stopped),
		RUN(a_closed_view_claims_and_publishes_nothing),
		RUN(closing_a_view_gives_its_open_run_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
