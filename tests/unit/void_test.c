/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Claims given up leave voids: positions that every consumer passes without seeing, whatever its
 * place in the graph and however it reads. On a packed ring the positions are claimed again.
 */
#include "fixture.h"

#include <string.h>

/* Publish ('e') or give up ('v') one position a letter. */
static void write_pattern(struct tick_producer *p, const char *pattern)
{
	for (; *pattern; pattern++) {
		struct tick *t = tick_try_claim(p);

		assert_non_null(t);
		t->value = disruptor_producer_position(&p->view);
		assert_code(*pattern == 'e' ? tick_publish(p) : tick_abort(p), 0);
	}
}

/* Read what is there by ready() and check that it is the pattern's events, from @p start. */
static void expect_by_ready(struct tick_consumer *c, uint64_t start, const char *pattern)
{
	for (size_t i = 0; pattern[i]; i++) {
		if (pattern[i] == 'v')
			continue;
		if (tick_ready(c) == 0)
			fail_msg("nothing ready before '%s'[%zu]", pattern, i);
		assert_int_equal(disruptor_consumer_position(&c->view), start + i);
		assert_int_equal(tick_at(c, 0)->value, start + i);
		assert_code(tick_release(c, 1), 0);
	}
	assert_int_equal(tick_ready(c), 0);
	assert_int_equal(disruptor_consumer_position(&c->view), start + strlen(pattern));
}

/* The same in whole batches: each batch is contiguous, so it ends before a void. */
static void expect_by_batch(struct tick_consumer *c, uint64_t start, const char *pattern)
{
	size_t at = 0;
	uint64_t n;

	while ((n = tick_ready(c)) != 0) {
		while (pattern[at] == 'v')
			at++;
		for (uint64_t i = 0; i < n; i++, at++) {
			assert_int_equal(pattern[at], 'e');
			assert_int_equal(tick_at(c, i)->value, start + at);
		}
		assert_code(tick_release(c, n), 0);
	}
	assert_null(strchr(pattern + at, 'e'));
	assert_int_equal(disruptor_consumer_position(&c->view), start + strlen(pattern));
}

/* The same by spans. */
static void expect_by_span(struct tick_consumer *c, uint64_t start, const char *pattern)
{
	struct disruptor_span span;
	size_t at = 0;

	while (disruptor_ready_span(&c->view, &span) != 0) {
		while (pattern[at] == 'v')
			at++;
		assert_int_equal(span.position, start + at);
		for (uint64_t i = 0; i < span.count; i++, at++) {
			struct tick t;

			assert_int_equal(pattern[at], 'e'); /* spans split at voids */
			memcpy(&t, (unsigned char *)span.first + i * span.stride, sizeof(t));
			assert_int_equal(t.value, start + at);
		}
		assert_code(tick_release(c, span.count), 0);
	}
	assert_null(strchr(pattern + at, 'e'));
}

/* The same by polling, releasing each span as it comes. */
static void expect_by_poll(struct tick_consumer *c, uint64_t start, const char *pattern)
{
	struct disruptor_span span;
	size_t at = 0;

	while (disruptor_consumer_poll(&c->view, 3, &span) != 0) {
		while (pattern[at] == 'v')
			at++;
		assert_int_equal(span.position, start + at);
		for (uint64_t i = 0; i < span.count; i++, at++) {
			struct tick t;

			assert_int_equal(pattern[at], 'e');
			memcpy(&t, (unsigned char *)span.first + i * span.stride, sizeof(t));
			assert_int_equal(t.value, start + at);
		}
		assert_code(tick_release(c, span.count), 0);
	}
	assert_null(strchr(pattern + at, 'e'));
	assert_int_equal(disruptor_consumer_position(&c->view), start + strlen(pattern));
}

static void (*const ways[])(struct tick_consumer *, uint64_t,
			    const char *) = { expect_by_ready, expect_by_batch, expect_by_span,
					      expect_by_poll };

/* A consumer that may take the whole ring at once: it looks at many stamps in one go. */
static void reopen_with_batch(struct fixture *f, uint32_t batch)
{
	struct disruptor_consumer_options o = { .size = sizeof(o), .batch = batch };

	assert_code(tick_consumer_close(&f->consumer[0]), 0);
	assert_code(tick_consumer_open(&f->consumer[0], f->ring, &o), 0);
}

/* Every arrangement of events and voids in eight positions. */
static void pattern_of(unsigned bits, char pattern[9])
{
	for (int i = 0; i < 8; i++)
		pattern[i] = bits >> i & 1 ? 'v' : 'e';
	pattern[8] = '\0';
}

/* T15: all 256 arrangements in a ring of 8, across the wrap, by each way of reading. */
TEST(voids_are_skipped_wherever_they_are_and_however_one_reads)
{
	for (size_t way = 0; way < COUNT(ways); way++)
		for (int producers = DISRUPTOR_SINGLE; producers <= DISRUPTOR_MANY; producers++) {
			struct disruptor_options o = fixture_options(8);
			uint64_t start = 0, voids = 0;
			struct fixture f;

			o.producers = (enum disruptor_producers)producers;
			fixture_open_with(&f, &o, 1);
			reopen_with_batch(&f, way % 2 ? 8 : 2);
			for (unsigned bits = 0; bits < 256; bits++, start += 8) {
				char pattern[9];

				pattern_of(bits, pattern);
				write_pattern(&f.producer, pattern);
				voids += (unsigned)__builtin_popcount(bits);
				ways[way](&f.consumer[0], start, pattern);
				if (bits % 16 == 0) { /* shift the whole against the wrap */
					write_pattern(&f.producer, "e");
					ways[way](&f.consumer[0], start + 8, "e");
					start++;
				}
			}
			assert_int_equal(disruptor_ring_stats(f.ring).voids, voids);
			fixture_close(&f);
		}
}

/* One void anywhere in a long row of events, which is looked through in long steps. */
TEST(a_single_void_is_found_in_a_long_row)
{
	enum { ROW = 320 };
	struct fixture f;
	uint64_t start = 0;

	fixture_open(&f, 512, 1);
	reopen_with_batch(&f, 512);
	for (unsigned at = 0; at < ROW; at++, start += ROW) {
		char pattern[ROW + 1];

		memset(pattern, 'e', ROW);
		pattern[ROW] = '\0';
		pattern[at] = 'v';
		write_pattern(&f.producer, pattern);
		ways[1 + at % 2](&f.consumer[0], start, pattern);
	}
	fixture_close(&f);
}

static void open_after(struct tick_consumer *c, struct fixture *f,
		       const struct tick_consumer *const *before, size_t n)
{
	const struct disruptor_consumer *after[4];
	struct disruptor_consumer_options o = { .size = sizeof(o),
						.after = after,
						.after_count = n };

	for (size_t i = 0; i < n; i++)
		after[i] = &before[i]->view;
	assert_code(tick_consumer_open(c, f->ring, &o), 0);
}

/* "Voids reach every stage": a chain of three, each reading in another way. */
TEST(voids_pass_down_a_chain)
{
	struct tick_consumer second, third;
	struct fixture f;
	uint64_t start = 0;

	fixture_open(&f, 8, 1);
	open_after(&second, &f, (const struct tick_consumer *[]){ &f.consumer[0] }, 1);
	open_after(&third, &f, (const struct tick_consumer *[]){ &second }, 1);
	for (unsigned bits = 0; bits < 256; bits++, start += 8) {
		char pattern[9];

		pattern_of(bits, pattern);
		write_pattern(&f.producer, pattern);
		assert_int_equal(tick_ready(&second), 0);
		ways[bits % 4](&f.consumer[0], start, pattern);
		assert_int_equal(tick_ready(&third), 0);
		ways[(bits + 1) % 4](&second, start, pattern);
		ways[(bits + 2) % 4](&third, start, pattern);
	}
	assert_code(tick_consumer_close(&third), 0);
	assert_code(tick_consumer_close(&second), 0);
	fixture_close(&f);
}

/* And a diamond: two side by side, one after both. */
TEST(voids_pass_through_a_diamond)
{
	struct tick_consumer last;
	struct fixture f;
	uint64_t start = 0;

	fixture_open(&f, 8, 2);
	open_after(&last, &f, (const struct tick_consumer *[]){ &f.consumer[0], &f.consumer[1] },
		   2);
	for (unsigned bits = 0; bits < 256; bits++, start += 8) {
		char pattern[9];

		pattern_of(bits, pattern);
		write_pattern(&f.producer, pattern);
		ways[bits % 4](&f.consumer[0], start, pattern);
		assert_int_equal(tick_ready(&last), 0);
		ways[(bits + 1) % 4](&f.consumer[1], start, pattern);
		ways[(bits + 2) % 4](&last, start, pattern);
	}
	assert_code(tick_consumer_close(&last), 0);
	fixture_close(&f);
}

/* T15: a batch of three whose middle is given up, through one view. */
TEST(the_middle_of_a_run_can_be_given_up)
{
	struct fixture f;

	fixture_open(&f, 16, 1);
	assert_non_null(tick_claim_n(&f.producer, 3));
	for (uint64_t i = 0; i < 3; i++)
		tick_claimed_at(&f.producer, i)->value = i;
	assert_code(tick_publish_n(&f.producer, 1), 0);
	assert_code(disruptor_abort_n(&f.producer.view, 1), 0);
	assert_int_equal(disruptor_claimed(&f.producer.view), 1);
	assert_code(tick_publish(&f.producer), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).voids, 1);
	assert_true(disruptor_ring_published(f.ring, 0));
	assert_false(disruptor_ring_published(f.ring, 1));
	assert_true(disruptor_ring_published(f.ring, 2));
	expect_by_batch(&f.consumer[0], 0, "eve");
	disruptor_ring_close(f.ring); /* and the end is reached */
	assert_code(tick_ready_until(&f.consumer[0], DISRUPTOR_FOREVER), DISRUPTOR_E_CLOSED);
	fixture_close(&f);
}

/* The rest of it is still claimed, also for a close, which decides where the stream ends. */
TEST(a_run_whose_beginning_is_given_up_is_claimed_to_its_end)
{
	struct tick_consumer *c;
	struct fixture f;

	fixture_open(&f, 8, 1);
	c = &f.consumer[0];
	publish_ticks(&f.producer,
		      1); /* from then on room is known: the claim is noted in the slot alone */
	read_ticks(c, 1);
	assert_non_null(tick_claim_n(&f.producer, 3));
	assert_code(disruptor_abort_n(&f.producer.view, 1), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 4);
	disruptor_ring_close(f.ring);
	assert_int_equal(tick_ready(c), 0); /* passes the void */
	assert_false(disruptor_consumer_finished(&c->view));
	tick_claimed_at(&f.producer, 0)->value = 2;
	tick_claimed_at(&f.producer, 1)->value = 3;
	assert_code(tick_publish(&f.producer), 0);
	read_ticks(c, 2);
	assert_true(disruptor_consumer_finished(&c->view));
	fixture_close(&f);
}

/* A void behind a gap is not passed before the gap is filled. */
TEST(a_void_behind_an_unpublished_claim_waits_for_it)
{
	struct disruptor_options o = fixture_options(8);
	struct tick_producer other;
	struct fixture f;

	o.producers = DISRUPTOR_MANY;
	fixture_open_with(&f, &o, 1);
	assert_code(tick_producer_open(&other, f.ring, NULL), 0);
	assert_non_null(tick_claim(&f.producer));
	assert_non_null(tick_claim(&other));
	assert_code(tick_abort(&other), 0);
	assert_int_equal(tick_ready(&f.consumer[0]), 0);
	assert_int_equal(disruptor_consumer_position(&f.consumer[0].view), 0);
	tick_claimed_at(&f.producer, 0)->value = 0;
	assert_code(tick_publish(&f.producer), 0);
	expect_by_ready(&f.consumer[0], 0, "ev");
	assert_code(tick_producer_close(&other), 0);
	fixture_close(&f);
}

/* What poll has handed out and is unreleased stands before a void: it is not released for one. */
TEST(a_poller_does_not_release_what_it_holds_to_pass_a_void)
{
	struct disruptor_consumer *c;
	struct disruptor_span span;
	struct fixture f;

	fixture_open(&f, 8, 1);
	c = &f.consumer[0].view;
	write_pattern(&f.producer, "eevve");
	assert_int_equal(disruptor_consumer_poll(c, 8, &span), 2);
	assert_int_equal(disruptor_consumer_poll(c, 8, &span), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).released, 0);
	assert_code(tick_release(&f.consumer[0], 1), 0);
	assert_int_equal(disruptor_consumer_poll(c, 8, &span), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).released, 1);
	assert_code(tick_release(&f.consumer[0], 1), 0);
	assert_int_equal(disruptor_consumer_poll(c, 8, &span), 1);
	assert_int_equal(span.position, 4);
	assert_int_equal(disruptor_ring_stats(f.ring).released, 4);
	assert_code(tick_release(&f.consumer[0], 1), 0);
	fixture_close(&f);
}

struct reader {
	struct tick_consumer *c;
	uint64_t events;
	int64_t end;
};

static void read_to_the_end(void *context)
{
	struct reader *r = context;

	while ((r->end = tick_ready_until(r->c, DISRUPTOR_FOREVER)) > 0) {
		r->events += (uint64_t)r->end;
		(void)tick_release(r->c, (uint64_t)r->end);
	}
}

/* Voids alone wake a sleeper, which frees their slots though it has no event to return. */
TEST(a_stream_of_voids_does_not_block_its_producer)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		struct disruptor_options o = fixture_options(2);
		struct tick_consumer second;
		struct reader r[2];
		struct runner t[2];
		struct fixture f;

		o.wait = fixture_wait(i);
		fixture_open_with(&f, &o, 1);
		open_after(&second, &f, (const struct tick_consumer *[]){ &f.consumer[0] }, 1);
		r[0] = (struct reader){ .c = &f.consumer[0] };
		r[1] = (struct reader){ .c = &second };
		for (int k = 0; k < 2; k++)
			runner_start(&t[k], "a reader of voids", read_to_the_end, &r[k]);
		for (int k = 0; k < 40; k++) {
			assert_non_null(
				tick_claim_until(&f.producer, disruptor_in(UINT64_C(10000000000))));
			assert_code(k % 10 == 9 ? tick_publish(&f.producer)
						: tick_abort(&f.producer),
				    0);
		}
		disruptor_ring_close(f.ring);
		for (int k = 0; k < 2; k++) {
			runner_join(&t[k]);
			assert_code(r[k].end, DISRUPTOR_E_CLOSED);
			assert_int_equal(r[k].events, 4);
		}
		assert_code(tick_consumer_close(&second), 0);
		fixture_close(&f);
	}
}

struct passing {
	struct disruptor_ring *ring;
	uint64_t released;
};

static bool has_passed(void *context)
{
	struct passing *p = context;

	return disruptor_ring_stats(p->ring).released >= p->released;
}

/* Each abort wakes who sleeps, though it will find no event. */
TEST(an_abort_wakes_a_sleeper_to_pass_it)
{
	struct passing passing = { 0 };
	struct reader r = { 0 };
	struct runner t;
	struct fixture f;

	fixture_open(&f, 4, 1);
	passing.ring = f.ring;
	r.c = &f.consumer[0];
	runner_start(&t, "a reader of voids", read_to_the_end, &r);
	for (passing.released = 1; passing.released <= 3; passing.released++) {
		await_sleeps(f.ring, passing.released);
		assert_non_null(tick_claim(&f.producer));
		assert_code(tick_abort(&f.producer), 0);
		await("a void that should be passed", has_passed, &passing);
	}
	disruptor_ring_close(f.ring);
	runner_join(&t);
	assert_int_equal(r.events, 0);
	fixture_close(&f);
}

/* A void of an old lap is not taken for one of this lap. */
TEST(a_slot_that_was_void_is_an_event_in_the_next_lap)
{
	struct fixture f;

	fixture_open(&f, 4, 1);
	write_pattern(&f.producer, "vvvv");
	expect_by_ready(&f.consumer[0], 0, "vvvv");
	write_pattern(&f.producer, "eeee");
	expect_by_batch(&f.consumer[0], 4, "eeee");
	write_pattern(&f.producer, "veve");
	expect_by_batch(&f.consumer[0], 8, "veve");
	write_pattern(&f.producer, "evev");
	expect_by_span(&f.consumer[0], 12, "evev");
	fixture_close(&f);
}

/* ---- packed rings have no voids ---- */

TEST(an_aborted_run_of_a_packed_ring_is_claimed_again)
{
	struct disruptor_options o = fixture_options(4);
	struct fixture f;

	o.layout = DISRUPTOR_PACKED;
	fixture_open_with(&f, &o, 1);
	publish_ticks(&f.producer, 2);
	assert_non_null(tick_claim_n(&f.producer, 2));
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 4);
	assert_code(tick_abort(&f.producer), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 2);
	assert_int_equal(disruptor_ring_stats(f.ring).voids, 0);
	assert_int_equal(disruptor_claimed(&f.producer.view), 0);
	publish_ticks(&f.producer, 2); /* positions 2 and 3, not 4 and 5 */
	assert_null(tick_try_claim(&f.producer));
	read_ticks(&f.consumer[0], 4);
	fixture_close(&f);
}

TEST(a_part_of_a_run_of_a_packed_ring_cannot_be_given_up)
{
	struct disruptor_options o = fixture_options(8);
	struct fixture f;

	o.layout = DISRUPTOR_PACKED;
	fixture_open_with(&f, &o, 1);
	assert_non_null(tick_claim_n(&f.producer, 3));
	for (uint64_t i = 0; i < 3; i++)
		tick_claimed_at(&f.producer, i)->value = i;
	for (uint64_t n = 1; n <= 2; n++) {
		assert_code(disruptor_abort_n(&f.producer.view, n), DISRUPTOR_E_UNSUPPORTED);
		assert_detail("packed");
	}
	assert_code(disruptor_abort_n(&f.producer.view, 4), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_claimed(&f.producer.view), 3);
	assert_code(tick_publish_n(&f.producer, 1), 0); /* its front published, the rest given up */
	assert_code(tick_abort(&f.producer), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 1);
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 2);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(voids_are_skipped_wherever_they_are_and_however_one_reads),
		RUN(a_single_void_is_found_in_a_long_row),
		RUN(voids_pass_down_a_chain),
		RUN(voids_pass_through_a_diamond),
		RUN(the_middle_of_a_run_can_be_given_up),
		RUN(a_run_whose_beginning_is_given_up_is_claimed_to_its_end),
		RUN(a_void_behind_an_unpublished_claim_waits_for_it),
		RUN(a_poller_does_not_release_what_it_holds_to_pass_a_void),
		RUN(a_stream_of_voids_does_not_block_its_producer),
		RUN(an_abort_wakes_a_sleeper_to_pass_it),
		RUN(a_slot_that_was_void_is_an_event_in_the_next_lap),
		RUN(an_aborted_run_of_a_packed_ring_is_claimed_again),
		RUN(a_part_of_a_run_of_a_packed_ring_cannot_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
