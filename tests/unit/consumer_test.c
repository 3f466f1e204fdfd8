/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What one thread can observe of reading and releasing: batches, early release, spans, polling,
 * order between consumers, attaching and detaching. Voids have void_test.c. Rows T56, T57.
 */
#include "fixture.h"

#include <string.h>

static void open_layout(struct fixture *f, int layout, uint64_t capacity, unsigned consumers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.layout = (enum disruptor_layout)layout;
	fixture_open_with(f, &o, consumers);
}

/* A consumer after @p before, with a batch limit of its own. */
static void open_after(struct tick_consumer *c, struct fixture *f,
		       const struct tick_consumer *before, uint32_t batch)
{
	const struct disruptor_consumer *after[1] = { before ? &before->view : NULL };
	struct disruptor_consumer_options o = {
		.size = sizeof(o), .after = after, .after_count = before ? 1 : 0, .batch = batch
	};

	assert_code(tick_consumer_open(c, f->ring, &o), 0);
}

static void reopen_with_batch(struct fixture *f, uint32_t batch)
{
	assert_code(tick_consumer_close(&f->consumer[0]), 0);
	open_after(&f->consumer[0], f, NULL, batch);
}

/* ---- batches ---- */

TEST(ready_is_bounded_by_the_batch_limit)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint32_t batch = 1; batch <= 8; batch++) {
			struct fixture f;

			open_layout(&f, layout, 8, 1);
			reopen_with_batch(&f, batch);
			publish_ticks(&f.producer, 8);
			for (int i = 0; i < 3; i++) /* asking again is no progress */
				assert_int_equal(tick_ready(&f.consumer[0]), batch);
			read_ticks(&f.consumer[0], 8);
			assert_int_equal(tick_ready(&f.consumer[0]), 0);
			fixture_close(&f);
		}
}

TEST(the_default_batch_is_a_quarter_of_the_ring)
{
	static const struct {
		uint64_t capacity, batch;
	} table[] = { { 1, 1 },   { 2, 1 },       { 4, 1 },      { 8, 2 },
		      { 64, 16 }, { 4096, 1024 }, { 8192, 1024 } };

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fixture f;

		fixture_open(&f, table[i].capacity, 1);
		publish_ticks(&f.producer, table[i].capacity);
		assert_int_equal(tick_ready(&f.consumer[0]), table[i].batch);
		fixture_close(&f);
	}
}

/* A poll that was offered more than it could take leaves no more ready than the batch limit. */
TEST(ready_keeps_the_batch_limit_after_a_poll)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_span span;
		struct fixture f;

		open_layout(&f, layout, 8, 1);
		reopen_with_batch(&f, 2);
		publish_ticks(&f.producer, 5);
		read_ticks(&f.consumer[0], 5);
		publish_ticks(&f.producer, 8);
		assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 8, &span), 3);
		assert_code(tick_release(&f.consumer[0], 3), 0);
		assert_int_equal(tick_ready(&f.consumer[0]), 2);
		read_ticks(&f.consumer[0], 5);
		fixture_close(&f);
	}
}

/* ---- releasing ---- */

/* T48: what is released early is free at once, and exactly that. */
TEST(an_early_release_frees_exactly_its_slots)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint64_t k = 0; k <= 4; k++) {
			struct fixture f;

			open_layout(&f, layout, 4, 1);
			reopen_with_batch(&f, 4);
			publish_ticks(&f.producer, 4);
			assert_int_equal(tick_ready(&f.consumer[0]), 4);
			assert_code(tick_release(&f.consumer[0], k), 0);
			assert_int_equal(disruptor_ring_stats(f.ring).remaining, k);
			for (uint64_t i = 0; i < k; i++)
				assert_non_null(tick_try_claim(&f.producer));
			assert_null(tick_try_claim(&f.producer));
			for (uint64_t i = 0; i + k < 4; i++) /* at(k) is at(0) now */
				assert_int_equal(tick_at(&f.consumer[0], i)->value, k + i);
			assert_code(tick_release(&f.consumer[0], 4 - k), 0); /* the rest */
			assert_int_equal(disruptor_ring_stats(f.ring).released, 4);
			fixture_close(&f);
		}
}

/* "Never acknowledging what was not read". */
TEST(no_more_is_released_than_was_handed_out)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_span span;
		struct fixture f;

		open_layout(&f, layout, 8, 1);
		reopen_with_batch(&f, 4);
		publish_ticks(&f.producer, 8);
		assert_code(tick_release(&f.consumer[0], 1), DISRUPTOR_E_INVAL);
		assert_int_equal(tick_ready(&f.consumer[0]), 4);
		assert_code(tick_release(&f.consumer[0], 5), DISRUPTOR_E_INVAL);
		assert_code(tick_release(&f.consumer[0], UINT64_MAX), DISRUPTOR_E_INVAL);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 0);
		assert_code(tick_release(&f.consumer[0], 4), 0);
		assert_code(tick_release(&f.consumer[0], 1), DISRUPTOR_E_INVAL);
		assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 2, &span), 2);
		assert_code(tick_release(&f.consumer[0], 3), DISRUPTOR_E_INVAL);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 4);
		assert_code(tick_release(&f.consumer[0], 0), 0);
		assert_code(tick_release(&f.consumer[0], 2), 0);
		assert_int_equal(disruptor_consumer_position(&f.consumer[0].view), 6);
		fixture_close(&f);
	}
}

/* "A scan is not a snapshot": every attached consumer gates, whichever is slowest now. */
TEST(the_slowest_consumer_gates_whoever_it_is)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct fixture f;

		open_layout(&f, layout, 4, 3);
		for (unsigned slow = 0; slow < 3; slow++) {
			publish_ticks(&f.producer, 4);
			for (unsigned i = 0; i < 3; i++)
				if (i != slow)
					read_ticks(&f.consumer[i], 4);
			assert_null(tick_try_claim(&f.producer));
			read_ticks(&f.consumer[slow], 1);
			assert_int_equal(disruptor_ring_stats(f.ring).remaining, 1);
			read_ticks(&f.consumer[slow], 3);
		}
		fixture_close(&f);
	}
}

/* ---- order ---- */

TEST(a_later_consumer_sees_an_event_once_all_before_it_have_released_it)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		const struct disruptor_consumer *after[2];
		struct disruptor_consumer_options o = {
			.size = sizeof(o), .after = after, .after_count = 2, .batch = 8
		};
		struct tick_consumer last;
		struct fixture f;

		open_layout(&f, layout, 8, 2);
		after[0] = &f.consumer[0].view;
		after[1] = &f.consumer[1].view;
		assert_code(tick_consumer_open(&last, f.ring, &o), 0);
		publish_ticks(&f.producer, 6);
		assert_int_equal(tick_ready(&last), 0);
		read_ticks(&f.consumer[0], 4);
		assert_int_equal(tick_ready(&last), 0);
		read_ticks(&f.consumer[1], 2);
		assert_int_equal(tick_ready(&last), 2);
		read_ticks(&f.consumer[1], 4);
		assert_int_equal(tick_ready(&last), 4);
		read_ticks(&last, 4);
		assert_int_equal(tick_ready(&last), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 4);
		assert_code(tick_consumer_close(&last), 0);
		fixture_close(&f);
	}
}

TEST(a_chain_hands_each_event_from_one_to_the_next)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct tick_consumer second, third;
		struct fixture f;

		open_layout(&f, layout, 4, 1);
		open_after(&second, &f, &f.consumer[0], 0);
		open_after(&third, &f, &second, 0);
		for (int lap = 0; lap < 5; lap++) {
			publish_ticks(&f.producer, 3);
			assert_int_equal(tick_ready(&second), 0);
			assert_int_equal(tick_ready(&third), 0);
			tick_ready(&f.consumer[0]);
			tick_at(&f.consumer[0], 0)->from = 100; /* seen by those after it */
			read_ticks(&f.consumer[0], 3);
			assert_int_equal(tick_ready(&third), 0);
			assert_true(tick_ready(&second) >= 1);
			assert_int_equal(tick_at(&second, 0)->from, 100);
			read_ticks(&second, 3);
			read_ticks(&third, 3);
		}
		assert_code(tick_consumer_close(&third), 0);
		assert_code(tick_consumer_close(&second), 0);
		fixture_close(&f);
	}
}

TEST(who_comes_after_others_is_closed_before_them)
{
	struct disruptor_consumer_options o = { .size = sizeof(o), .name = "behind" };
	const struct disruptor_consumer *after[1];
	struct tick_consumer second;
	struct fixture f;

	fixture_open(&f, 4, 1);
	after[0] = &f.consumer[0].view;
	o.after = after;
	o.after_count = 1;
	assert_code(tick_consumer_open(&second, f.ring, &o), 0);
	assert_code(tick_consumer_close(&f.consumer[0]), DISRUPTOR_E_BUSY);
	assert_detail("behind");
	publish_ticks(&f.producer, 1); /* nothing has changed */
	read_ticks(&f.consumer[0], 1);
	read_ticks(&second, 1);
	assert_code(tick_consumer_close(&second), 0);
	assert_code(tick_consumer_close(&f.consumer[0]), 0);
	assert_code(tick_consumer_close(&f.consumer[0]), DISRUPTOR_E_INVAL);
	fixture_close(&f);
}

/* ---- spans ---- */

static void check_span(const struct disruptor_span *span, const struct disruptor_ring_info *info)
{
	const unsigned char *first = span->first;

	assert_int_equal(span->stride, info->slot_stride);
	if (info->layout == DISRUPTOR_PACKED)
		assert_int_equal(span->stride, sizeof(struct tick));
	for (uint64_t i = 0; i < span->count; i++) {
		struct tick t;

		memcpy(&t, first + i * span->stride, sizeof(t));
		assert_int_equal(t.value, span->position + i);
	}
}

/* Spans end where the ring's memory ends, and together they are everything, in order. */
TEST(spans_cover_all_that_is_ready_and_split_at_the_wrap)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint64_t start = 0; start < 8; start++)
			for (uint64_t n = 1; n <= 8; n++) {
				struct disruptor_ring_info info;
				struct disruptor_span span;
				uint64_t first = n < 8 - start ? n : 8 - start;
				struct fixture f;

				open_layout(&f, layout, 8, 1);
				info = disruptor_ring_info(f.ring);
				reopen_with_batch(&f, 8);
				publish_ticks(&f.producer, start);
				read_ticks(&f.consumer[0], start);
				publish_ticks(&f.producer, n);
				assert_int_equal(disruptor_ready_span(&f.consumer[0].view, &span),
						 first);
				assert_int_equal(span.count, first);
				assert_int_equal(span.position, start);
				check_span(&span, &info);
				assert_code(tick_release(&f.consumer[0], first), 0);
				assert_int_equal(disruptor_ready_span(&f.consumer[0].view, &span),
						 n - first);
				check_span(&span, &info);
				assert_code(tick_release(&f.consumer[0], n - first), 0);
				assert_int_equal(disruptor_ready_span(&f.consumer[0].view, &span),
						 0);
				assert_null(span.first);
				fixture_close(&f);
			}
}

/* ---- polling ---- */

/* A poll hands out each event once; the sequence moves by what is released and nothing else. */
TEST(poll_hands_each_event_out_once)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_consumer *c;
		struct disruptor_span span;
		struct fixture f;

		open_layout(&f, layout, 8, 1);
		c = &f.consumer[0].view;
		publish_ticks(&f.producer, 5);
		assert_int_equal(disruptor_consumer_poll(c, 0, &span), 0);
		assert_null(span.first);
		assert_int_equal(disruptor_consumer_poll(c, 2, &span), 2);
		assert_int_equal(span.position, 0);
		assert_int_equal(disruptor_consumer_poll(c, 2, &span), 2);
		assert_int_equal(span.position, 2);
		assert_int_equal(disruptor_consumer_poll(c, 2, &span), 1);
		assert_int_equal(span.position, 4);
		assert_int_equal(disruptor_consumer_poll(c, 2, &span), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 0);
		assert_code(tick_release(&f.consumer[0], 3), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 3);
		assert_int_equal(disruptor_consumer_poll(c, 8, &span), 0);
		publish_ticks(&f.producer, 6);
		assert_int_equal(disruptor_consumer_poll(c, UINT64_MAX, &span),
				 3); /* to the wrap */
		assert_int_equal(span.position, 5);
		assert_int_equal(disruptor_consumer_poll(c, UINT64_MAX, &span), 3);
		assert_int_equal(span.position, 8);
		assert_int_equal(disruptor_consumer_poll(c, UINT64_MAX, &span), 0);
		assert_code(tick_release(&f.consumer[0], 8), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).released, 11);
		fixture_close(&f);
	}
}

/* T62: a caller that stops in the middle has acknowledged what it accepted, and sees the rest. */
TEST(a_poller_that_stops_early_keeps_what_it_did_not_accept)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint64_t accepted = 0; accepted <= 4; accepted++) {
			struct disruptor_span span;
			struct fixture f;

			open_layout(&f, layout, 8, 1);
			publish_ticks(&f.producer, 4);
			assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 4, &span), 4);
			assert_code(tick_release(&f.consumer[0], accepted), 0);
			assert_int_equal(disruptor_ring_stats(f.ring).released, accepted);
			assert_int_equal(disruptor_consumer_position(&f.consumer[0].view),
					 accepted);
			read_ticks(&f.consumer[0], 4 - accepted); /* ready() begins at the rest */
			fixture_close(&f);
		}
}

TEST(a_poller_may_hold_the_whole_ring_and_no_more)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_span span;
		struct fixture f;

		open_layout(&f, layout, 4, 1);
		for (int i = 0; i < 4; i++) {
			publish_ticks(&f.producer, 1);
			assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 4, &span), 1);
		}
		assert_null(tick_try_claim(&f.producer));
		assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 4, &span), 0);
		assert_code(tick_release(&f.consumer[0], 4), 0);
		publish_ticks(&f.producer, 4);
		assert_int_equal(disruptor_consumer_poll(&f.consumer[0].view, 9, &span), 4);
		fixture_close(&f);
	}
}

/* ---- attaching and detaching ---- */

/* Who attaches begins at the first position not published, not at what is published and unread. */
TEST(a_late_consumer_begins_at_the_first_unpublished_position)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct fixture f;

		open_layout(&f, layout, 8, 1);
		publish_ticks(&f.producer, 5);
		assert_non_null(tick_claim_n(&f.producer, 2));
		assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
		f.consumers = 2;
		assert_int_equal(disruptor_consumer_position(&f.consumer[1].view), 5);
		assert_int_equal(tick_ready(&f.consumer[1]), 0);
		for (uint64_t i = 0; i < 2; i++)
			tick_claimed_at(&f.producer, i)->value = 5 + i;
		assert_code(tick_publish(&f.producer), 0);
		publish_ticks(&f.producer, 1);
		assert_int_equal(tick_at(&f.consumer[1], 0)->value, 5);
		read_ticks(&f.consumer[0], 8);
		read_ticks(&f.consumer[1], 3);
		fixture_close(&f);
	}
}

/* It gates from its first position on, though the producer knew of room before it came. */
TEST(a_late_consumer_is_not_lapped)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint64_t before = 0; before <= 8; before++) {
			struct fixture f;

			open_layout(&f, layout, 4, 1);
			for (uint64_t i = 0; i < before; i++) {
				publish_ticks(&f.producer, 1);
				read_ticks(&f.consumer[0], 1);
			}
			assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
			f.consumers = 2;
			for (uint64_t i = 0; i < 4; i++) {
				publish_ticks(&f.producer, 1);
				read_ticks(&f.consumer[0], 1);
			}
			assert_null(tick_try_claim(&f.producer));
			read_ticks(&f.consumer[1], 4);
			fixture_close(&f);
		}
}

/* Who attaches while a run is open guards it, so that those who were before it may leave. */
TEST(an_unpublished_run_is_not_lapped_when_its_reader_leaves)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct fixture f;
		uint64_t more = 0;

		open_layout(&f, layout, 4, 1);
		publish_ticks(&f.producer, 3);
		read_ticks(&f.consumer[0], 3);
		assert_non_null(tick_claim_n(&f.producer, 2)); /* positions 3 and 4 */
		assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0); /* at 3 */
		assert_code(tick_consumer_close(&f.consumer[0]), 0);
		f.consumers = 2;
		while (more < 4 && tick_try_claim(&f.producer))
			more++;
		assert_int_equal(more, 2);
		assert_int_equal(disruptor_claimed(&f.producer.view), 4);
		for (uint64_t i = 0; i < 4; i++)
			tick_claimed_at(&f.producer, i)->value = 3 + i;
		assert_code(tick_publish(&f.producer), 0);
		read_ticks(&f.consumer[1], 4);
		fixture_close(&f);
	}
}

#if defined(DISRUPTOR_HOOKS)
/* Between the attacher's provisional gate and its second look the stream goes on. */
static void run_on(void *context)
{
	struct fixture *f = context;

	for (int i = 0; i < 3; i++) {
		struct tick *t = tick_try_claim(&f->producer);

		if (!t)
			return;
		t->value = disruptor_producer_position(&f->producer.view);
		(void)tick_publish(&f->producer);
		while (tick_ready(&f->consumer[0]) != 0)
			(void)tick_release(&f->consumer[0], 1);
	}
}

/* "Attach": it starts where the claims are once its gate stands, and is lapped by none of them. */
TEST(a_consumer_that_attaches_while_producers_run_starts_behind_their_claims)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (uint64_t before = 0; before <= 4; before++) {
			struct fixture f;

			open_layout(&f, layout, 4, 1);
			for (uint64_t i = 0; i < before; i++) {
				publish_ticks(&f.producer, 1);
				read_ticks(&f.consumer[0], 1);
			}
			hook_at(HOOK_ATTACH_PROVISIONAL, 1, run_on, &f);
			assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
			assert_int_equal(hook_calls(), 1);
			hook_clear();
			f.consumers = 2;
			assert_int_equal(disruptor_ring_stats(f.ring).claimed, before + 3);
			assert_int_equal(disruptor_consumer_position(&f.consumer[1].view),
					 before + 3);
			assert_int_equal(tick_ready(&f.consumer[1]), 0);
			for (uint64_t i = 0; i < 4; i++) {
				publish_ticks(&f.producer, 1);
				read_ticks(&f.consumer[0], 1);
			}
			assert_null(tick_try_claim(&f.producer));
			read_ticks(&f.consumer[1], 4);
			fixture_close(&f);
		}
}

/* A provisional gate holds producers back at most a lap: a ring that looks full is not overrun. */
static void fill_up(void *context)
{
	struct fixture *f = context;
	uint64_t claimed = disruptor_ring_stats(f->ring).claimed;

	while (tick_try_claim(&f->producer)) {
		(void)tick_publish(&f->producer);
		while (tick_ready(&f->consumer[0]) != 0)
			(void)tick_release(&f->consumer[0], 1);
		if (disruptor_ring_stats(f->ring).claimed > claimed + 4)
			return; /* overrun: seen by the test */
	}
}

TEST(a_provisional_gate_counts)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct fixture f;

		open_layout(&f, layout, 4, 1);
		publish_ticks(&f.producer, 2);
		read_ticks(&f.consumer[0], 2);
		hook_at(HOOK_ATTACH_PROVISIONAL, 1, fill_up, &f);
		assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
		hook_clear();
		f.consumers = 2;
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 6);
		assert_int_equal(disruptor_consumer_position(&f.consumer[1].view), 6);
		publish_ticks(&f.producer, 4);
		assert_null(tick_try_claim(&f.producer));
		fixture_close(&f);
	}
}
#endif

/* T57 on one thread; that a blocked producer is woken is below. */
TEST(a_detached_consumer_gates_no_longer)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct fixture f;

		open_layout(&f, layout, 4, 2);
		publish_ticks(&f.producer, 4);
		read_ticks(&f.consumer[0], 4);
		assert_null(tick_try_claim(&f.producer));
		assert_code(tick_consumer_close(&f.consumer[1]), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).remaining, 4);
		assert_int_equal(disruptor_ring_stats(f.ring).consumers, 1);
		publish_ticks(&f.producer, 4);
		fixture_close(&f);
	}
}

struct claimer {
	struct tick_producer *p;
	bool claimed;
	int status;
};

static void claim_one(void *context)
{
	struct claimer *c = context;

	(void)disruptor_producer_handoff(&c->p->view);
	c->claimed = tick_claim(c->p) != NULL;
	c->status = c->claimed ? 0 : tick_status(c->p);
}

static void detach_with_blocked_producer(size_t wait, unsigned consumers)
{
	struct disruptor_options o = fixture_options(4);
	struct disruptor_wait strategy = fixture_wait(wait);
	struct claimer w = { 0 };
	struct runner t;
	struct fixture f;

	o.wait = strategy;
	fixture_open_with(&f, &o, consumers);
	publish_ticks(&f.producer, 4);
	if (consumers == 2)
		read_ticks(&f.consumer[0], 4);
	w.p = &f.producer;
	runner_start(&t, "a producer blocked by a consumer that leaves", claim_one, &w);
	if (wait_parks(&strategy))
		await_sleeps(f.ring, 1);
	pause_ms(2);
	assert_false(runner_done(&t));
	assert_code(tick_consumer_close(&f.consumer[consumers - 1]), 0);
	runner_join(&t);
	if (consumers == 2)
		assert_true(w.claimed);
	else /* it was the last: nobody holds back, and nobody would read */
		assert_code(w.status, DISRUPTOR_E_NO_CONSUMER);
	(void)disruptor_producer_handoff(&f.producer.view);
	fixture_close(&f);
}

/* T57: detaching wakes the producers that the consumer blocked. */
TEST(detaching_releases_blocked_producers_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		detach_with_blocked_producer(i, 2);
		detach_with_blocked_producer(i, 1);
	}
}

TEST(an_entry_of_the_gate_table_is_used_again)
{
	struct disruptor_options o = fixture_options(4);
	struct tick_consumer one_more;
	struct fixture f;

	o.max_consumers = 2;
	fixture_open_with(&f, &o, 2);
	assert_code(tick_consumer_open(&one_more, f.ring, NULL), DISRUPTOR_E_BUSY);
	assert_detail("max_consumers");
	for (int i = 0; i < 5; i++) {
		publish_ticks(&f.producer, 3);
		read_ticks(&f.consumer[0], 3);
		assert_code(tick_consumer_close(&f.consumer[1]), 0);
		assert_code(tick_consumer_open(&f.consumer[1], f.ring, NULL), 0);
		assert_int_equal(disruptor_consumer_position(&f.consumer[1].view), 3 * (i + 1));
	}
	fixture_close(&f);
}

TEST(all_sixty_four_gates_gate)
{
	static struct tick_consumer c[DISRUPTOR_MAX_CONSUMERS];
	struct disruptor_options o = fixture_options(4);
	struct fixture f;

	o.max_consumers = DISRUPTOR_MAX_CONSUMERS;
	fixture_open_with(&f, &o, 0);
	for (int i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++)
		assert_code(tick_consumer_open(&c[i], f.ring, NULL), 0);
	publish_ticks(&f.producer, 4);
	for (int i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++) {
		assert_null(tick_try_claim(&f.producer));
		read_ticks(&c[i], 4);
	}
	publish_ticks(&f.producer, 1);
	for (int i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++)
		assert_code(tick_consumer_close(&c[i]), 0);
	fixture_close(&f);
}

/* ---- options ---- */

static void refuse_open(struct fixture *f, const struct disruptor_consumer_options *o, int code,
			const char *word)
{
	struct tick_consumer c = { 0 };

	assert_code(tick_consumer_open(&c, f->ring, o), code);
	assert_detail(word);
	assert_code(tick_consumer_close(&c), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_ring_stats(f->ring).consumers, 1);
}

TEST(bad_consumer_options_are_named_and_leave_the_ring_as_it_was)
{
	const struct disruptor_consumer_options good = { .size = sizeof(good) };
	const struct disruptor_consumer *none[1] = { NULL }, *stranger[1], *closed[1];
	struct disruptor_consumer_options o;
	struct tick_consumer c = { 0 }, gone;
	struct fixture f, other;

	fixture_open(&f, 4, 1);
	fixture_open(&other, 4, 1);
	stranger[0] = &other.consumer[0].view;
	assert_code(tick_consumer_open(&gone, f.ring, NULL), 0);
	assert_code(tick_consumer_close(&gone), 0);
	closed[0] = &gone.view;
#define REFUSE(field, value, code, word)                                                           \
	do {                                                                                       \
		o = good;                                                                          \
		o.field = (value);                                                                 \
		refuse_open(&f, &o, (code), (word));                                               \
	} while (0)
#define REFUSE_AFTER(list, word)                                                                   \
	do {                                                                                       \
		o = good;                                                                          \
		o.after = (list);                                                                  \
		o.after_count = 1;                                                                 \
		refuse_open(&f, &o, DISRUPTOR_E_INVAL, (word));                                    \
	} while (0)
	REFUSE(size, 0, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, sizeof(size_t) - 1, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, SIZE_MAX, DISRUPTOR_E_VERSION, "size");
	REFUSE(batch, 5, DISRUPTOR_E_TOO_BIG, "batch");
	REFUSE(wait.kind, (enum disruptor_wait_kind)9, DISRUPTOR_E_INVAL, "wait");
	REFUSE(name, "", DISRUPTOR_E_INVAL, "name");
	REFUSE(name, "01234567890123456789012345678901", DISRUPTOR_E_INVAL, "name");
	REFUSE_AFTER(NULL, "after");
	REFUSE_AFTER(none, "after[0]");
	REFUSE_AFTER(stranger, "after[0]");
	REFUSE_AFTER(closed, "after[0]");
#undef REFUSE
#undef REFUSE_AFTER
	assert_code(disruptor_consumer_open(NULL, f.ring, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_detail("consumer");
	assert_code(disruptor_consumer_open(&c.view, NULL, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_detail("ring");
	assert_code(disruptor_consumer_open(&c.view, f.ring, NULL, NULL), DISRUPTOR_E_INVAL);
	assert_detail("type");
	publish_ticks(&f.producer, 4); /* no refused consumer gates */
	read_ticks(&f.consumer[0], 4);
	publish_ticks(&f.producer, 4);
	fixture_close(&other);
	fixture_close(&f);
}

TEST(a_view_of_another_size_is_refused)
{
	struct tick_consumer c = { 0 };
	struct fixture f;

	fixture_open(&f, 4, 0);
	assert_code(disruptor_consumer_open_sized(&c.view, f.ring, &tick_type, NULL, 64),
		    DISRUPTOR_E_VERSION);
	assert_detail("consumer view");
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, 0);
	fixture_close(&f);
}

/* ---- T56: the table of gates, by how many there are and which of them goes ---- */

/* What the ring is held back by: how many, and the lowest position. */
static void expect_gates(struct fixture *f, unsigned count, uint64_t lowest)
{
	struct disruptor_ring_stats s = disruptor_ring_stats(f->ring);

	assert_int_equal(s.consumers, count);
	assert_int_equal(s.released, lowest);
	if (count > 0)
		assert_int_equal(s.remaining, 64 - (s.claimed - lowest));
}

/* Of @p count, numbered by how far they have read, the @p gone th goes. */
static void one_of_them_goes(unsigned count, unsigned gone)
{
	struct tick_consumer stranger = { 0 };
	struct fixture f;
	uint64_t left = gone == 0 && count > 1; /* the lowest that stays */

	fixture_open(&f, 64, 1);
	publish_ticks(&f.producer, 20); /* not from zero: a new gate begins at the claims */
	read_ticks(&f.consumer[0], 20);
	for (unsigned i = 1; i < count; i++) {
		assert_code(tick_consumer_open(&f.consumer[i], f.ring, NULL), 0);
		f.consumers++;
		assert_int_equal(disruptor_consumer_position(&f.consumer[i].view), 20);
		expect_gates(&f, i + 1, 20);
	}
	publish_ticks(&f.producer, 10);
	for (unsigned i = 0; i < count; i++)
		read_ticks(&f.consumer[i], i);
	expect_gates(&f, count, 20);
	assert_code(tick_consumer_close(&stranger), DISRUPTOR_E_INVAL);
	expect_gates(&f, count, 20);
	assert_code(tick_consumer_close(&f.consumer[gone]), 0);
	expect_gates(&f, count - 1, count > 1 ? 20 + left : 30); /* none: as far as is claimed */
	/* it has gone: once more it is a stranger */
	assert_code(tick_consumer_close(&f.consumer[gone]), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, count - 1);
	/* who comes in its place begins at the claims, not where that one was */
	assert_code(tick_consumer_open(&f.consumer[gone], f.ring, NULL), 0);
	assert_int_equal(disruptor_consumer_position(&f.consumer[gone].view), 30);
	expect_gates(&f, count, count > 1 ? 20 + left : 30);
	fixture_close(&f);
}

TEST(whoever_goes_the_lowest_of_the_others_counts)
{
	for (unsigned count = 1; count <= FIXTURE_CONSUMERS; count++)
		for (unsigned gone = 0; gone < count; gone++)
			one_of_them_goes(count, gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(ready_is_bounded_by_the_batch_limit),
		RUN(the_default_batch_is_a_quarter_of_the_ring),
		RUN(ready_keeps_the_batch_limit_after_a_poll),
		RUN(an_early_release_frees_exactly_its_slots),
		RUN(no_more_is_released_than_was_handed_out),
		RUN(the_slowest_consumer_gates_whoever_it_is),
		RUN(a_later_consumer_sees_an_event_once_all_before_it_have_released_it),
		RUN(a_chain_hands_each_event_from_one_to_the_next),
		RUN(who_comes_after_others_is_closed_before_them),
		RUN(spans_cover_all_that_is_ready_and_split_at_the_wrap),
		RUN(poll_hands_each_event_out_once),
		RUN(a_poller_that_stops_early_keeps_what_it_did_not_accept),
		RUN(a_poller_may_hold_the_whole_ring_and_no_more),
		RUN(a_late_consumer_begins_at_the_first_unpublished_position),
		RUN(a_late_consumer_is_not_lapped),
		RUN(an_unpublished_run_is_not_lapped_when_its_reader_leaves),
#if defined(DISRUPTOR_HOOKS)
		RUN(a_consumer_that_attaches_while_producers_run_starts_behind_their_claims),
		RUN(a_provisional_gate_counts),
#endif
		RUN(a_detached_consumer_gates_no_longer),
		RUN(detaching_releases_blocked_producers_of_every_strategy),
		RUN(an_entry_of_the_gate_table_is_used_again),
		RUN(all_sixty_four_gates_gate),
		RUN(bad_consumer_options_are_named_and_leave_the_ring_as_it_was),
		RUN(a_view_of_another_size_is_refused),
		RUN(whoever_goes_the_lowest_of_the_others_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
