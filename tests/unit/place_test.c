/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where a consumer attaches, what happens to the order when one leaves, and sequences of one's own.
 * Row T58.
 */
#include "fixture.h"

#include "ring/consumer.h"

static int open_at(struct tick_consumer *c, struct disruptor_ring *ring, enum disruptor_at at,
		   uint64_t position)
{
	const struct disruptor_consumer_options options = {
		.size = sizeof(options), .name = "late", .at = at, .position = position
	};

	return tick_consumer_open(c, ring, &options);
}

static uint64_t start_of(struct disruptor_ring *ring, enum disruptor_at at)
{
	struct tick_consumer c;
	uint64_t start;

	assert_code(open_at(&c, ring, at, 0), 0);
	start = disruptor_consumer_position(&c.view);
	assert_code(tick_consumer_close(&c), 0);
	return start;
}

static void nothing(void *context)
{
	(void)context;
}

/* ---- places ---- */

TEST(oldest_is_the_first_that_no_producer_may_overwrite)
{
	struct fixture f;

	fixture_open(&f, 8, 1);
	publish_ticks(&f.producer, 6);
	read_ticks(&f.consumer[0], 6);
	assert_int_equal(start_of(f.ring, DISRUPTOR_AT_NEWEST), 6);
	/* the producer has been granted the first lap only: all of it is there */
	assert_int_equal(start_of(f.ring, DISRUPTOR_AT_OLDEST), 0);
	publish_ticks(&f.producer, 2);
	read_ticks(&f.consumer[0], 2);
	assert_int_equal(start_of(f.ring, DISRUPTOR_AT_OLDEST), 0);
	/* now it looks, and is granted up to 8 + 8 */
	publish_ticks(&f.producer, 1);
	assert_int_equal(start_of(f.ring, DISRUPTOR_AT_OLDEST), 8);
	fixture_close(&f);
}

TEST(an_old_event_is_read_as_it_was_published)
{
	for (int layout = 0; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_options options = fixture_options(8);
		struct tick_consumer late;
		struct fixture f;

		options.layout = (enum disruptor_layout)layout;
		fixture_open_with(&f, &options, 1);
		publish_ticks(&f.producer, 7);
		read_ticks(&f.consumer[0], 7);
		assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 3), 0);
		assert_int_equal(disruptor_consumer_position(&late.view), 3);
		/* it holds the producer back from where it stands */
		publish_ticks(&f.producer, 4);
		assert_null(tick_try_claim(&f.producer));
		while (disruptor_consumer_position(&late.view) < 11) {
			uint64_t n = tick_ready(&late);

			assert_true(n > 0);
			read_ticks(&late, n);
		}
		read_ticks(&f.consumer[0], 4);
		assert_non_null(tick_try_claim(&f.producer));
		(void)tick_publish(&f.producer);
		assert_code(tick_consumer_close(&late), 0);
		fixture_close(&f);
	}
}

TEST(a_position_that_is_not_there_is_refused_and_changes_nothing)
{
	struct tick_consumer late;
	struct fixture f;

	fixture_open(&f, 8, 1);
	for (unsigned i = 0; i < 3; i++) {
		publish_ticks(&f.producer, 8);
		read_ticks(&f.consumer[0], 8);
	}
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 23), DISRUPTOR_E_RANGE);
	assert_detail("23 is not in 24 … 25");
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 26), DISRUPTOR_E_RANGE);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_OLDEST, 3), DISRUPTOR_E_INVAL);
	assert_detail("position: 3");
	assert_code(open_at(&late, f.ring, (enum disruptor_at)7, 0), DISRUPTOR_E_INVAL);
	assert_detail("at: 7");
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, 1);
	/* and nobody is held back by the refused ones */
	for (unsigned i = 0; i < 3; i++) {
		publish_ticks(&f.producer, 7);
		read_ticks(&f.consumer[0], 7);
	}
	fixture_close(&f);
}

TEST(voids_among_the_old_are_passed)
{
	struct tick_consumer late;
	struct fixture f;

	fixture_open(&f, 8, 1);
	assert_non_null(tick_claim(&f.producer));
	assert_code(tick_abort(&f.producer), 0);
	publish_ticks(&f.producer, 2);
	read_ticks(&f.consumer[0], 2);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_OLDEST, 0), 0);
	assert_int_equal(disruptor_consumer_position(&late.view), 0);
	assert_int_equal(tick_ready(&late), 2);
	assert_int_equal(disruptor_consumer_position(&late.view), 1);
	read_ticks(&late, 2);
	assert_code(tick_consumer_close(&late), 0);
	fixture_close(&f);
}

TEST(an_event_that_was_moved_out_is_not_old_enough)
{
	const struct disruptor_consumer_options options = { .size = sizeof(options), .take = 1 };
	struct tick_producer p;
	struct tick_consumer taker, late;
	struct disruptor_options ring_options = fixture_options(8);
	struct disruptor_ring *ring = ring_open(&ring_options);
	struct tick taken;

	assert_code(tick_consumer_open(&taker, ring, &options), 0);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	publish_ticks(&p, 3);
	assert_int_equal(tick_take(&taker, &taken), 1);
	assert_int_equal(tick_take(&taker, &taken), 1);
	assert_code(tick_consumer_close(&taker), 0);
	assert_code(open_at(&late, ring, DISRUPTOR_AT_OLDEST, 0), 0);
	assert_int_equal(disruptor_consumer_position(&late.view), 2);
	assert_code(tick_consumer_close(&late), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}

TEST(a_refused_place_holds_nobody_back_meanwhile)
{
	struct tick_consumer late;
	struct fixture f;

	fixture_open(&f, 8, 1);
	publish_ticks(&f.producer, 8);
	read_ticks(&f.consumer[0], 8);
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	/* the hook is where the gate stands already: a refused one never comes there */
	hook_at(HOOK_ATTACH_PROVISIONAL, 1, nothing, NULL);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 3), DISRUPTOR_E_RANGE);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 10), DISRUPTOR_E_RANGE);
	assert_int_equal(hook_calls(), 0);
	hook_clear();
	fixture_close(&f);
}

struct overtaken {
	struct fixture f;
	uint64_t granted;
};

static void go_on(void *context)
{
	struct overtaken *o = context;

	while (tick_try_claim(&o->f.producer)) {
		(void)tick_publish(&o->f.producer);
		if (tick_ready(&o->f.consumer[0]))
			(void)tick_release(&o->f.consumer[0], 1);
		o->granted++;
	}
}

/* All that a producer is granted while the gate is provisional is within a lap of the start. */
TEST(no_grant_during_an_attach_reaches_over_its_start)
{
	for (int at = DISRUPTOR_AT_NEWEST; at <= DISRUPTOR_AT_POSITION; at++)
		for (uint64_t before = 0; before < 20; before++) {
			struct overtaken o = { .granted = 0 };
			struct tick_consumer late;
			uint64_t position, start;

			fixture_open(&o.f, 8, 1);
			for (uint64_t i = 0; i < before; i++) {
				publish_ticks(&o.f.producer, 1);
				read_ticks(&o.f.consumer[0], 1);
			}
			position = at == DISRUPTOR_AT_POSITION ? before : 0;
			hook_at(HOOK_ATTACH_PROVISIONAL, 1, go_on, &o);
			assert_code(open_at(&late, o.f.ring, (enum disruptor_at)at, position), 0);
			assert_int_equal(hook_calls(), 1);
			hook_clear();
			start = disruptor_consumer_position(&late.view);
			while (tick_try_claim(&o.f.producer)) {
				(void)tick_publish(&o.f.producer);
				o.granted++;
			}
			assert_true(before + o.granted <= start + 8);
			assert_code(tick_consumer_close(&late), 0);
			fixture_close(&o.f);
		}
}

static void publish_and_read(struct fixture *f, uint64_t n)
{
	publish_ticks(&f->producer, n);
	while (n != 0) {
		uint64_t ready = tick_ready(&f->consumer[0]);

		assert_true(ready > 0);
		read_ticks(&f->consumer[0], ready);
		n -= ready;
	}
}

/* Its position is there when it is chosen, and written over before a gate stands there. */
static void go_round_it(void *context)
{
	publish_and_read(context, 8);
}

TEST(a_place_that_goes_before_it_is_held_is_refused_and_holds_nobody_back)
{
	struct tick_consumer late;
	struct fixture f;

	fixture_open(&f, 8, 1);
	publish_and_read(&f, 8);
	hook_at(HOOK_ATTACH_CHOSEN, 1, go_round_it, &f);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 3), DISRUPTOR_E_RANGE);
	assert_int_equal(hook_calls(), 1);
	hook_clear();
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, 1);
	for (unsigned i = 0; i < 3; i++)
		publish_and_read(&f, 8);
	fixture_close(&f);
}

/* By the limit that was noted last nothing is held before 1; what stands there is a gate at 2. */
static void claim_by_the_gate(void *context)
{
	publish_ticks(context, 1);
}

/* Nobody holds it back, so it is granted nothing, and notes that: less than when the place was chosen. */
static void note_less(void *context)
{
	struct tick_producer *p = context;

	assert_null(disruptor_try_claim_n(&p->view, 2));
	assert_code(tick_status(p), DISRUPTOR_E_NO_CONSUMER);
	hook_at(HOOK_ATTACH_SETTLED, 1, claim_by_the_gate, p);
}

TEST(a_place_is_never_before_the_gate_that_was_shown_for_it)
{
	struct tick_consumer late;
	struct fixture f;

	fixture_open(&f, 4, 1);
	publish_ticks(&f.producer, 4);
	read_ticks(&f.consumer[0], 2);
	publish_ticks(&f.producer, 1); /* it looks, and is granted up to 2 + 4 */
	read_ticks(&f.consumer[0], 3);
	assert_code(tick_consumer_close(&f.consumer[0]), 0);
	hook_at(HOOK_ATTACH_CHOSEN, 1, note_less, &f.producer);
	assert_code(open_at(&late, f.ring, DISRUPTOR_AT_OLDEST, 0), 0);
	hook_clear();
	assert_int_equal(disruptor_consumer_position(&late.view), 2);
	read_ticks(&late, 4);
	assert_code(tick_consumer_close(&late), 0);
	fixture_close(&f);
}

/* A run that is given up takes back what was granted by its being there. */
TEST(a_free_run_given_up_leaves_no_grant_over_who_attaches_then)
{
	for (uint64_t run = 1; run < 8; run++) {
		struct disruptor_options options = fixture_options(8);
		struct tick_consumer late;
		struct fixture f;
		uint64_t granted = 0;

		options.layout = DISRUPTOR_PACKED;
		options.flags = DISRUPTOR_FREE_RUN;
		fixture_open_with(&f, &options, 0);
		publish_ticks(&f.producer, 8 - run);
		assert_non_null(tick_claim_n(&f.producer, run));
		assert_non_null(disruptor_try_claim_n(&f.producer.view, 1)); /* looks anew */
		assert_code(tick_abort(&f.producer), 0);
		assert_code(tick_consumer_open(&late, f.ring, NULL), 0);
		assert_int_equal(disruptor_consumer_position(&late.view), 8 - run);
		while (granted < 100 && tick_try_claim(&f.producer)) {
			(void)tick_publish(&f.producer);
			granted++;
		}
		assert_int_equal(granted, 8);
		assert_code(tick_consumer_close(&late), 0);
		fixture_close(&f);
	}
}

TEST(old_events_that_everyone_released_may_be_read_again)
{
	for (int many = 0; many < 2; many++) {
		struct disruptor_options options = fixture_options(8);
		struct tick_consumer late;
		struct fixture f;

		options.producers = many ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
		fixture_open_with(&f, &options, 2);
		publish_ticks(&f.producer, 6);
		read_ticks(&f.consumer[0], 6);
		read_ticks(&f.consumer[1], 6);
		assert_code(open_at(&late, f.ring, DISRUPTOR_AT_OLDEST, 0), 0);
		read_ticks(&late, 6); /* AddressSanitizer forbade them until now */
		assert_code(tick_consumer_close(&late), 0);
		fixture_close(&f);
	}
}

/* A packed ring claims the positions of such a run again; what it has written over stays lost. */
TEST(an_event_that_a_run_given_up_has_written_over_is_not_old_enough)
{
	for (int closes = 0; closes < 2; closes++) {
		struct disruptor_options options = fixture_options(8);
		struct tick_consumer late;
		struct fixture f;

		options.layout = DISRUPTOR_PACKED;
		fixture_open_with(&f, &options, 1);
		publish_ticks(&f.producer, 8);
		read_ticks(&f.consumer[0], 8);
		assert_non_null(tick_claim_n(&f.producer, 3));
		for (uint64_t i = 0; i < 3; i++)
			tick_claimed_at(&f.producer, i)->value = 1000;
		if (closes)
			assert_code(tick_producer_close(&f.producer), 0);
		else
			assert_code(tick_abort(&f.producer), 0);
		assert_code(open_at(&late, f.ring, DISRUPTOR_AT_POSITION, 2), DISRUPTOR_E_RANGE);
		assert_code(open_at(&late, f.ring, DISRUPTOR_AT_OLDEST, 0), 0);
		assert_in_range(disruptor_consumer_position(&late.view), 3, 8);
		read_ticks(&late, 8 - disruptor_consumer_position(&late.view));
		assert_code(tick_consumer_close(&late), 0);
		fixture_close(&f);
	}
}

/* It may start before what those it comes after have read: they stand behind that already. */
TEST(an_old_start_behind_others_reads_what_they_have_released)
{
	struct tick_consumer late;
	const struct disruptor_consumer *after[1];
	struct disruptor_consumer_options options = { .size = sizeof(options),
						      .after = after,
						      .after_count = 1,
						      .batch = 8,
						      .at = DISRUPTOR_AT_OLDEST };
	struct fixture f;

	fixture_open(&f, 8, 1);
	after[0] = &f.consumer[0].view;
	publish_ticks(&f.producer, 6);
	read_ticks(&f.consumer[0], 4);
	assert_code(tick_consumer_open(&late, f.ring, &options), 0);
	assert_int_equal(disruptor_consumer_position(&late.view), 0);
	assert_int_equal(tick_ready(&late), 4);
	read_ticks(&late, 4);
	assert_int_equal(tick_ready(&late), 0);
	read_ticks(&f.consumer[0], 2);
	read_ticks(&late, 2);
	assert_code(tick_consumer_close(&late), 0);
	fixture_close(&f);
}

/* ---- a sequence of one's own ---- */

TEST(a_sequence_of_ones_own_holds_the_ring_without_reading)
{
	struct fixture f;

	fixture_open(&f, 4, 1);
	publish_ticks(&f.producer, 4);
	assert_null(tick_try_claim(&f.producer));
	assert_code(disruptor_release_to(&f.consumer[0].view, 3), 0);
	assert_non_null(tick_try_claim(&f.producer));
	/* claimed, and not published */
	assert_code(disruptor_release_to(&f.consumer[0].view, 5), DISRUPTOR_E_RANGE);
	assert_detail("position: 5");
	assert_code(tick_publish(&f.producer), 0);
	assert_code(disruptor_release_to(&f.consumer[0].view, 2), DISRUPTOR_E_RANGE);
	assert_code(disruptor_release_to(&f.consumer[0].view, UINT64_MAX), DISRUPTOR_E_RANGE);
	assert_code(disruptor_release_to(&f.consumer[0].view, 5), 0);
	assert_int_equal(tick_ready(&f.consumer[0]), 0);
	fixture_close(&f);
}

/* ---- leaving ---- */

static void open_behind(struct tick_consumer *c, struct disruptor_ring *ring,
			const struct tick_consumer *before)
{
	const struct disruptor_consumer *after[] = { &before->view };
	const struct disruptor_consumer_options options = { .size = sizeof(options),
							    .after = after,
							    .after_count = 1 };

	assert_code(tick_consumer_open(c, ring, &options), 0);
}

/* one → two → three, and two leaves. */
TEST(who_comes_after_one_that_leaves_comes_after_those_before_it)
{
	struct tick_consumer two, three, other;
	struct fixture f;

	fixture_open(&f, 8, 1);
	open_behind(&two, f.ring, &f.consumer[0]);
	open_behind(&three, f.ring, &two);
	publish_ticks(&f.producer, 4);
	read_ticks(&f.consumer[0], 2);
	assert_int_equal(tick_ready(&three), 0);
	assert_code(tick_consumer_close(&two), DISRUPTOR_E_BUSY);
	consumer_detach(&two.view);
	assert_int_equal(tick_ready(&three), 2); /* not 4: it waits for one */
	read_ticks(&three, 2);
	/* another takes two's place in the table: three does not follow it */
	assert_code(tick_consumer_open(&other, f.ring, NULL), 0);
	read_ticks(&f.consumer[0], 2);
	assert_int_equal(tick_ready(&three), 2);
	read_ticks(&three, 2);
	publish_ticks(&f.producer, 2);
	assert_int_equal(tick_ready(&three), 0);
	/* and when one leaves, too, it reads what is published */
	consumer_detach(&f.consumer[0].view);
	assert_int_equal(tick_ready(&three), 2);
	assert_code(tick_consumer_close(&other), 0);
	assert_code(tick_consumer_close(&three), 0);
	fixture_close(&f);
}

struct sleeper {
	struct tick_consumer *c;
	int64_t n;
};

static void sleep_until_ready(void *argument)
{
	struct sleeper *s = argument;

	s->n = tick_ready_until(s->c, DISRUPTOR_FOREVER);
}

TEST(who_sleeps_behind_one_that_leaves_is_woken)
{
	struct tick_consumer two, three;
	struct sleeper s = { .c = &three };
	struct runner thread;
	struct fixture f;

	fixture_open(&f, 8, 1);
	open_behind(&two, f.ring, &f.consumer[0]);
	open_behind(&three, f.ring, &two);
	publish_ticks(&f.producer, 3);
	read_ticks(&f.consumer[0], 3);
	runner_start(&thread, "a consumer behind one that leaves", sleep_until_ready, &s);
	await_sleeps(f.ring, 1);
	consumer_detach(&two.view);
	runner_join(&thread);
	assert_int_equal(s.n, 2); /* a quarter of the ring */
	assert_code(tick_consumer_close(&three), 0);
	fixture_close(&f);
}

static void claim_one(void *argument)
{
	struct tick_producer *p = argument;

	(void)disruptor_producer_handoff(&p->view);
	if (tick_claim(p))
		(void)tick_publish(p);
}

TEST(a_producer_that_sleeps_behind_one_that_leaves_goes_on)
{
	struct tick_consumer slow;
	struct runner thread;
	struct fixture f;

	fixture_open(&f, 4, 1);
	assert_code(tick_consumer_open(&slow, f.ring, NULL), 0);
	publish_ticks(&f.producer, 4);
	read_ticks(&f.consumer[0], 1);
	read_ticks(&f.consumer[0], 1);
	runner_start(&thread, "a producer behind one that leaves", claim_one, &f.producer);
	await_sleeps(f.ring, 1);
	assert_code(tick_consumer_close(&slow), 0);
	runner_join(&thread);
	assert_code(disruptor_producer_handoff(&f.producer.view), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 5);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(oldest_is_the_first_that_no_producer_may_overwrite),
		RUN(an_old_event_is_read_as_it_was_published),
		RUN(a_position_that_is_not_there_is_refused_and_changes_nothing),
		RUN(voids_among_the_old_are_passed),
		RUN(an_event_that_was_moved_out_is_not_old_enough),
		RUN(a_refused_place_holds_nobody_back_meanwhile),
		RUN(no_grant_during_an_attach_reaches_over_its_start),
		RUN(a_place_that_goes_before_it_is_held_is_refused_and_holds_nobody_back),
		RUN(a_place_is_never_before_the_gate_that_was_shown_for_it),
		RUN(a_free_run_given_up_leaves_no_grant_over_who_attaches_then),
		RUN(old_events_that_everyone_released_may_be_read_again),
		RUN(an_event_that_a_run_given_up_has_written_over_is_not_old_enough),
		RUN(an_old_start_behind_others_reads_what_they_have_released),
		RUN(a_sequence_of_ones_own_holds_the_ring_without_reading),
		RUN(who_comes_after_one_that_leaves_comes_after_those_before_it),
		RUN(who_sleeps_behind_one_that_leaves_is_woken),
		RUN(a_producer_that_sleeps_behind_one_that_leaves_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
