/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records of any length: written and read in place, across the end of the cells, by parts, refused. */
#include "hook.h" /* first: the inline functions have hooks, too */

#include "fixture.h"

#include <disruptor/record.h>

#include <stdlib.h>
#include <string.h>

#define CELL 64

static const struct disruptor_producer_options never_waits = { .size = sizeof(never_waits),
							       .overflow = DISRUPTOR_FAIL };

struct pair {
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c;
};

static struct disruptor_options options_of(uint64_t capacity, enum disruptor_producers producers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.producers = producers;
	o.cell = CELL;
	return o;
}

static void pair_open(struct pair *a, uint64_t capacity, enum disruptor_producers producers,
		      uint32_t batch)
{
	const struct disruptor_options o = options_of(capacity, producers);
	const struct disruptor_consumer_options co = { .size = sizeof(co), .batch = batch };

	assert_code(disruptor_ring_create(&a->ring, disruptor_record_type(), &o), 0);
	assert_code(disruptor_producer_open(&a->p, a->ring, disruptor_record_type(), &never_waits),
		    0);
	assert_code(disruptor_consumer_open(&a->c, a->ring, disruptor_record_type(), &co), 0);
}

static void pair_close(struct pair *a)
{
	assert_code(disruptor_producer_close(&a->p), 0);
	assert_code(disruptor_consumer_close(&a->c), 0);
	assert_code(disruptor_ring_destroy(&a->ring), 0);
}

static unsigned char byte_of(uint64_t number, size_t at)
{
	return (unsigned char)(number * 31 + at * 7 + at / 251);
}

static void fill(unsigned char *to, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = byte_of(number, i);
}

static int put(struct disruptor_producer *p, uint64_t number, size_t bytes)
{
	unsigned char *to = disruptor_record_claim(p, bytes);

	if (!to)
		return disruptor_producer_status(p);
	fill(to, number, bytes);
	return disruptor_record_publish(p, bytes);
}

static void assert_record(const struct disruptor_record *r, uint64_t number, size_t bytes)
{
	const unsigned char *b = r->bytes;

	assert_int_equal(r->size, bytes);
	for (size_t i = 0; i < bytes; i++)
		if (b[i] != byte_of(number, i))
			fail_msg("record %llu: byte %zu", (unsigned long long)number, i);
}

/* The next record is that one; it is released. */
static void expect(struct disruptor_consumer *c, uint64_t number, size_t bytes)
{
	struct disruptor_record r;

	assert_true(disruptor_record_ready(c) > 0);
	assert_int_equal(disruptor_record_next(c, &r), 1);
	assert_record(&r, number, bytes);
	assert_code(disruptor_record_release(c), 0);
}

static void lengths_around_the_cell(enum disruptor_producers producers)
{
	static const size_t lengths[] = { 0, 1, CELL - 1, CELL, CELL + 1, 5 * CELL, 8 * CELL };
	struct pair a;

	pair_open(&a, 8, producers, 0);
	/* as many rounds as put each at each place */
	for (uint64_t i = 0; i < 8 * COUNT(lengths); i++) {
		int rc = put(&a.p, i, lengths[i % COUNT(lengths)]);

		if (rc == DISRUPTOR_E_FULL) { /* until the cells before the end are passed */
			assert_int_equal(disruptor_record_ready(&a.c), 0);
			rc = put(&a.p, i, lengths[i % COUNT(lengths)]);
		}
		assert_code(rc, 0);
		expect(&a.c, i, lengths[i % COUNT(lengths)]);
		assert_int_equal(disruptor_record_ready(&a.c), 0);
	}
	pair_close(&a);
}

TEST(a_record_has_any_length_up_to_all_cells)
{
	lengths_around_the_cell(DISRUPTOR_SINGLE);
	lengths_around_the_cell(DISRUPTOR_MANY);
}

TEST(a_batch_of_records_comes_in_order)
{
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_MANY, 0);
	for (uint64_t i = 0; i < 4; i++)
		assert_code(put(&a.p, i, i * 10), 0);
	a.c.batch = 16;
	assert_int_equal(disruptor_record_ready(&a.c), 4);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(disruptor_record_next(&a.c, &r), 1);
		assert_int_equal(r.position, i);
		assert_record(&r, i, i * 10);
	}
	assert_int_equal(disruptor_record_next(&a.c, &r), 0);
	assert_code(disruptor_record_release(&a.c), 0);
	assert_int_equal(disruptor_consumer_position(&a.c), 4);
	assert_code(disruptor_record_release(&a.c), 0); /* nothing */
	pair_close(&a);
}

TEST(what_was_not_handed_out_is_not_released)
{
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_SINGLE, 16);
	assert_code(put(&a.p, 0, 100), 0);
	assert_code(put(&a.p, 1, 100), 0);
	assert_int_equal(disruptor_record_ready(&a.c), 4);
	assert_int_equal(disruptor_record_next(&a.c, &r), 1);
	assert_code(disruptor_record_release(&a.c), 0);
	assert_int_equal(disruptor_consumer_position(&a.c), 2);
	expect(&a.c, 1, 100);
	pair_close(&a);
}

/* ---- the end of the cells ---- */

TEST(what_does_not_fit_before_the_end_begins_anew)
{
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_MANY, 0);
	assert_code(put(&a.p, 0, 5 * CELL), 0);
	expect(&a.c, 0, 5 * CELL);
	assert_code(put(&a.p, 1, 4 * CELL), 0); /* three cells are left */
	assert_true(disruptor_record_ready(&a.c) > 0);
	assert_int_equal(disruptor_record_next(&a.c, &r), 1);
	assert_int_equal(r.position, 8);
	assert_record(&r, 1, 4 * CELL);
	assert_code(disruptor_record_release(&a.c), 0);
	assert_int_equal(disruptor_ring_stats(a.ring).voids, 3);
	pair_close(&a);
}

TEST(a_full_ring_at_the_end_leaves_nothing_claimed)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_SINGLE, 0);
	assert_code(put(&a.p, 0, 2 * CELL), 0);
	assert_code(put(&a.p, 1, 4 * CELL), 0);
	expect(&a.c, 0, 2 * CELL);
	/* four are free, of which two lie before the end */
	assert_null(disruptor_record_try_claim(&a.p, 4 * CELL));
	assert_int_equal(disruptor_producer_status(&a.p), DISRUPTOR_E_FULL);
	assert_int_equal(disruptor_claimed(&a.p), 0);
	expect(&a.c, 1, 4 * CELL);
	assert_int_equal(disruptor_record_ready(&a.c), 0);
	assert_code(put(&a.p, 2, 4 * CELL), 0);
	expect(&a.c, 2, 4 * CELL);
	pair_close(&a);
}

struct other {
	struct disruptor_producer p;
	size_t bytes;
};

static void put_five(void *argument)
{
	struct other *other = argument;

	(void)put(&other->p, 5, other->bytes);
}

/* Another puts @p bytes before our claim of three cells; all but two cells, or four, are passed. */
static void interfere(size_t passed, size_t bytes, uint64_t voids)
{
	struct other other = { .bytes = bytes };
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_MANY, 0);
	assert_code(disruptor_producer_open(&other.p, a.ring, disruptor_record_type(),
					    &never_waits),
		    0);
	assert_code(put(&a.p, 0, passed), 0);
	expect(&a.c, 0, passed);
	hook_at(HOOK_CLAIM_SWAP, 1, put_five, &other);
	assert_code(put(&a.p, 1, 3 * CELL), 0);
	assert_int_equal(hook_calls(), 1);
	hook_clear();
	assert_int_equal(disruptor_ring_stats(a.ring).voids, voids);
	expect(&a.c, 5, bytes);
	expect(&a.c, 1, 3 * CELL);
	assert_int_equal(disruptor_record_ready(&a.c), 0);
	assert_code(disruptor_producer_close(&other.p), 0);
	pair_close(&a);
}

TEST(another_producer_at_the_end_of_the_cells_does_no_harm)
{
	interfere(14 * CELL, CELL, 2);     /* the two are not the last any more */
	interfere(14 * CELL, 2 * CELL, 2); /* nor are they needed */
	interfere(12 * CELL, 3 * CELL, 3); /* what would have fitted does not */
	interfere(12 * CELL, CELL, 0);
}

static void see_none(void *context)
{
	struct disruptor_consumer *c = context;

	if (disruptor_ready(c) != 0)
		c->batch = 0; /* told so: assertions are not for hooks */
}

TEST(a_record_that_is_being_published_is_not_seen_in_part)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_MANY, 8);
	hook_at(HOOK_PUBLISH_PART, 5, see_none, &a.c);
	assert_code(put(&a.p, 0, 5 * CELL), 0);
	assert_int_equal(hook_calls(), 4); /* between the five stamps */
	hook_clear();
	assert_int_equal(a.c.batch, 8);
	expect(&a.c, 0, 5 * CELL);
	pair_close(&a);
}

/* ---- less than was claimed, and nothing ---- */

TEST(what_a_record_does_not_need_is_given_back)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_MANY, 0);
	for (uint64_t i = 0; i < 30; i++) {
		unsigned char *to = disruptor_record_claim(&a.p, 4 * CELL);

		assert_non_null(to);
		fill(to, i, CELL + 1);
		assert_code(disruptor_record_publish(&a.p, CELL + 1), 0);
		assert_int_equal(disruptor_claimed(&a.p), 0);
		expect(&a.c, i, CELL + 1);
		assert_non_null(disruptor_record_claim(&a.p, 2 * CELL));
		assert_code(disruptor_abort(&a.p), 0);
		assert_int_equal(disruptor_record_ready(&a.c), 0);
	}
	pair_close(&a);
}

TEST(more_than_was_claimed_is_refused)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_SINGLE, 0);
	assert_int_equal(disruptor_record_publish(&a.p, 0), DISRUPTOR_E_INVAL);
	assert_non_null(disruptor_record_claim(&a.p, 1));
	assert_int_equal(disruptor_record_publish(&a.p, CELL + 1), DISRUPTOR_E_INVAL);
	assert_non_null(strstr(disruptor_error_detail(), "1 cells of 64 are claimed"));
	assert_null(disruptor_record_claim(&a.p, 1));
	assert_int_equal(disruptor_producer_status(&a.p), DISRUPTOR_E_STATE);
	assert_code(disruptor_record_publish(&a.p, CELL), 0);
	pair_close(&a);
}

/* ---- batches and places ---- */

TEST(a_batch_grows_to_a_record_that_is_longer)
{
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_SINGLE, 2);
	assert_code(put(&a.p, 0, CELL), 0);
	assert_code(put(&a.p, 1, 5 * CELL), 0);
	assert_int_equal(disruptor_record_ready(&a.c), 2);
	expect(&a.c, 0, CELL);
	expect(&a.c, 1, 5 * CELL);
	assert_code(put(&a.p, 2, 9 * CELL), 0);
	assert_true(disruptor_record_ready_until(&a.c, DISRUPTOR_NOW) > 0);
	expect(&a.c, 2, 9 * CELL);
	assert_int_equal(disruptor_record_ready_until(&a.c, disruptor_in(1000)),
			 DISRUPTOR_E_TIMEOUT);
	pair_close(&a);
}

TEST(a_batch_ends_before_a_record_that_it_would_cut)
{
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_SINGLE, 3);
	assert_code(put(&a.p, 0, 2 * CELL), 0);
	assert_code(put(&a.p, 1, 2 * CELL), 0);
	assert_int_equal(disruptor_record_ready(&a.c), 3);
	assert_int_equal(disruptor_record_next(&a.c, &r), 1);
	assert_int_equal(disruptor_record_next(&a.c, &r), 0);
	assert_code(disruptor_record_release(&a.c), 0);
	assert_int_equal(disruptor_consumer_position(&a.c), 2);
	expect(&a.c, 1, 2 * CELL);
	pair_close(&a);
}

TEST(who_begins_inside_a_record_begins_with_the_next)
{
	const struct disruptor_consumer_options oldest = { .size = sizeof(oldest),
							   .at = DISRUPTOR_AT_OLDEST,
							   .batch = 1 };
	struct disruptor_consumer late;
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_SINGLE, 0);
	assert_code(put(&a.p, 0, 3 * CELL), 0);
	assert_code(put(&a.p, 1, 5 * CELL), 0);
	assert_true(disruptor_record_ready(&a.c) > 0);
	assert_code(disruptor_release(&a.c, 1), 0);
	assert_code(put(&a.p, 2, CELL), 0); /* over the first cell of the first */
	assert_code(disruptor_consumer_open(&late, a.ring, disruptor_record_type(), &oldest), 0);
	assert_int_equal(disruptor_consumer_position(&late), 1);
	expect(&late, 1, 5 * CELL);
	expect(&late, 2, CELL);
	assert_int_equal(disruptor_record_ready(&late), 0);
	assert_int_equal(disruptor_consumer_position(&late), 9);
	assert_code(disruptor_consumer_close(&late), 0);
	pair_close(&a);
}

TEST(who_comes_after_another_sees_what_it_has_released)
{
	const struct disruptor_consumer *before[1];
	struct disruptor_consumer_options after = { .size = sizeof(after),
						    .after = before,
						    .after_count = 1 };
	struct disruptor_consumer late;
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 16, DISRUPTOR_MANY, 0);
	before[0] = &a.c;
	assert_code(disruptor_consumer_open(&late, a.ring, disruptor_record_type(), &after), 0);
	assert_code(put(&a.p, 0, 3 * CELL), 0);
	assert_int_equal(disruptor_record_ready(&late), 0);
	/* one that releases by parts: the whole is waited for */
	assert_int_equal(disruptor_ready(&a.c), 3);
	assert_code(disruptor_release(&a.c, 2), 0);
	assert_int_equal(disruptor_record_ready(&late), 0);
	assert_int_equal(disruptor_record_ready_until(&late, disruptor_in(1000)),
			 DISRUPTOR_E_TIMEOUT);
	assert_code(disruptor_release(&a.c, 1), 0);
	assert_true(disruptor_record_ready_until(&late, DISRUPTOR_NOW) > 0);
	assert_int_equal(disruptor_record_next(&late, &r), 1);
	assert_record(&r, 0, 3 * CELL);
	assert_code(disruptor_record_release(&late), 0);
	assert_code(disruptor_consumer_close(&late), 0);
	pair_close(&a);
}

TEST(a_closed_ring_ends_after_its_last_record)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_MANY, 0);
	assert_code(put(&a.p, 0, 100), 0);
	disruptor_ring_close(a.ring);
	assert_int_equal(put(&a.p, 1, 100), DISRUPTOR_E_CLOSED);
	expect(&a.c, 0, 100);
	assert_int_equal(disruptor_record_ready_until(&a.c, DISRUPTOR_FOREVER), DISRUPTOR_E_CLOSED);
	pair_close(&a);
}

/* ---- what is refused ---- */

TEST(what_is_no_record_is_told)
{
	struct disruptor_record r;
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_SINGLE, 0);
	*(uint64_t *)disruptor_claim(&a.p) = UINT64_C(1) << 63 | 9 * CELL;
	assert_code(disruptor_publish(&a.p), 0);
	assert_int_equal(disruptor_record_ready(&a.c), DISRUPTOR_E_FORMAT);
	assert_non_null(strstr(disruptor_error_detail(), "position 0"));
	assert_int_equal(disruptor_record_next(&a.c, &r), DISRUPTOR_E_FORMAT);
	assert_code(disruptor_release_to(&a.c, 1), 0);
	assert_int_equal(disruptor_record_next(&a.c, &r), 0);              /* it was passed */
	*(uint64_t *)disruptor_claim(&a.p) = UINT64_C(1) << 63 | 8 * CELL; /* beyond the last */
	assert_code(disruptor_publish(&a.p), 0);
	assert_int_equal(disruptor_record_ready_until(&a.c, DISRUPTOR_FOREVER), DISRUPTOR_E_FORMAT);
	assert_code(disruptor_release_to(&a.c, 2), 0);
	*(uint64_t *)disruptor_claim(&a.p) = UINT64_MAX;
	assert_code(disruptor_publish(&a.p), 0);
	assert_int_equal(disruptor_record_ready(&a.c), DISRUPTOR_E_FORMAT);
	assert_code(disruptor_release_to(&a.c, 3), 0);
	*(uint64_t *)disruptor_claim(&a.p) = 17;
	assert_code(disruptor_publish(&a.p), 0);
	assert_int_equal(disruptor_record_ready(&a.c), DISRUPTOR_E_FORMAT);
	assert_code(disruptor_release_to(&a.c, 4), 0);
	assert_code(put(&a.p, 3, 70), 0);
	expect(&a.c, 3, 70);
	pair_close(&a);
}

TEST(other_rings_have_no_records)
{
	const struct disruptor_options o = fixture_options(8);
	struct disruptor_ring *ring = ring_open(&o);
	struct tick_producer p;
	struct tick_consumer c;

	assert_int_equal(disruptor_record_limit(ring), 0);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	assert_code(tick_consumer_open(&c, ring, NULL), 0);
	assert_null(disruptor_record_claim(&p.view, 1));
	assert_int_equal(disruptor_producer_status(&p.view), DISRUPTOR_E_TYPE);
	assert_int_equal(disruptor_record_publish(&p.view, 1), DISRUPTOR_E_TYPE);
	assert_int_equal(disruptor_record_ready(&c.view), DISRUPTOR_E_TYPE);
	assert_int_equal(disruptor_record_ready_until(&c.view, DISRUPTOR_NOW), DISRUPTOR_E_TYPE);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	ring_close(&ring);
}

static void refused(const struct disruptor_options *o, const struct disruptor_type *type, int code,
		    const char *detail)
{
	struct disruptor_ring *ring;

	assert_int_equal(disruptor_ring_create(&ring, type, o), code);
	assert_null(ring);
	if (!strstr(disruptor_error_detail(), detail))
		fail_msg("'%s' is not in '%s'", detail, disruptor_error_detail());
}

static void touch(void *event, void *context)
{
	(void)event, (void)context;
}

TEST(options_that_records_do_not_go_with_are_named)
{
	struct disruptor_options o;

	o = options_of(8, DISRUPTOR_SINGLE), o.cell = 48;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "cell: 48");
	o = options_of(8, DISRUPTOR_SINGLE), o.cell = 4;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "cell: 4");
	o = options_of(8, DISRUPTOR_SINGLE), o.cell = 1u << 21;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "cell: 2097152");
	o = options_of(8, DISRUPTOR_SINGLE);
	refused(&o, &tick_type, DISRUPTOR_E_INVAL, "not 'tick'");
	o = options_of(8, DISRUPTOR_SINGLE), o.layout = DISRUPTOR_PACKED;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "layout");
	o = options_of(8, DISRUPTOR_SINGLE), o.flags = DISRUPTOR_LOSSY;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_UNSUPPORTED, "DISRUPTOR_LOSSY");
	o = options_of(8, DISRUPTOR_SINGLE), o.init = touch;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "init");
	o = options_of(8, DISRUPTOR_SINGLE), o.fini = touch;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "fini");
	o = options_of(8, DISRUPTOR_SINGLE), o.reserved = 1;
	refused(&o, disruptor_record_type(), DISRUPTOR_E_INVAL, "reserved");
}

TEST(stages_are_not_of_records)
{
	const struct disruptor_options o = options_of(8, DISRUPTOR_SINGLE);
	struct disruptor *d;

	assert_code(disruptor_create(&d, disruptor_record_type(), &o), DISRUPTOR_E_UNSUPPORTED);
	assert_null(d);
	assert_detail("cell");
}

TEST(a_record_above_all_cells_is_too_big)
{
	struct pair a;

	pair_open(&a, 8, DISRUPTOR_MANY, 0);
	assert_int_equal(disruptor_record_limit(a.ring), 8 * CELL);
	assert_int_equal(put(&a.p, 0, 8 * CELL + 1), DISRUPTOR_E_TOO_BIG);
	assert_null(disruptor_record_claim(&a.p, SIZE_MAX));
	assert_int_equal(disruptor_producer_status(&a.p), DISRUPTOR_E_TOO_BIG);
	assert_int_equal(disruptor_record_publish_copy(&a.p, "text", 4), 0);
	pair_close(&a);
	assert_null(disruptor_record_claim(&a.p, 1));
	assert_int_equal(disruptor_record_publish(&a.p, 1), DISRUPTOR_E_INVAL);
}

TEST(cells_of_every_size_lie_on_their_own_alignment)
{
	for (uint32_t cell = 8; cell <= 1u << 20; cell *= 2) {
		struct disruptor_options o = options_of(4, DISRUPTOR_SINGLE);
		uint32_t align = cell < DISRUPTOR_MAX_ALIGN ? cell : DISRUPTOR_MAX_ALIGN;
		struct disruptor_producer p;
		struct disruptor_ring *ring;
		void *first;

		o.cell = cell;
		o.flags = DISRUPTOR_FREE_RUN;
		assert_code(disruptor_ring_create(&ring, disruptor_record_type(), &o), 0);
		assert_int_equal(disruptor_ring_info(ring).cell, cell);
		assert_code(disruptor_producer_open(&p, ring, disruptor_record_type(), NULL), 0);
		first = disruptor_record_claim(&p, (size_t)cell * 4);
		assert_non_null(first);
		assert_int_equal((uintptr_t)first % align, 0);
		memset(first, 1, (size_t)cell * 4);
		assert_code(disruptor_record_publish(&p, (size_t)cell * 4), 0);
		assert_code(disruptor_producer_close(&p), 0);
		assert_code(disruptor_ring_destroy(&ring), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_record_has_any_length_up_to_all_cells),
		RUN(a_batch_of_records_comes_in_order),
		RUN(what_was_not_handed_out_is_not_released),
		RUN(what_does_not_fit_before_the_end_begins_anew),
		RUN(a_full_ring_at_the_end_leaves_nothing_claimed),
		RUN(another_producer_at_the_end_of_the_cells_does_no_harm),
		RUN(a_record_that_is_being_published_is_not_seen_in_part),
		RUN(what_a_record_does_not_need_is_given_back),
		RUN(more_than_was_claimed_is_refused),
		RUN(a_batch_grows_to_a_record_that_is_longer),
		RUN(a_batch_ends_before_a_record_that_it_would_cut),
		RUN(who_begins_inside_a_record_begins_with_the_next),
		RUN(who_comes_after_another_sees_what_it_has_released),
		RUN(a_closed_ring_ends_after_its_last_record),
		RUN(what_is_no_record_is_told),
		RUN(other_rings_have_no_records),
		RUN(options_that_records_do_not_go_with_are_named),
		RUN(stages_are_not_of_records),
		RUN(a_record_above_all_cells_is_too_big),
		RUN(cells_of_every_size_lie_on_their_own_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
