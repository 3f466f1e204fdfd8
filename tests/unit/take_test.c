/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T89: values that own memory. Whatever way an event goes (published and taken, published and not
 * taken, given up, never claimed) its value is finished exactly once. Run under AddressSanitizer a
 * second free or a leak shows itself; the counts show it everywhere.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

/* An event that owns a string. */
struct parcel {
	char *text;
	uint64_t serial;
};

DISRUPTOR_EVENT(parcel, struct parcel,
	DISRUPTOR_BYTES(struct parcel, text),
	DISRUPTOR_U64(struct parcel, serial));

#define SERIALS 4096

/* Every value made has a serial; each is finished once. */
static struct {
	uint64_t made;
	unsigned char finished[SERIALS];
} ledger;

static void parcel_make(struct parcel *p)
{
	assert_true(ledger.made < SERIALS);
	p->serial = ledger.made++;
	p->text = malloc(16);
	assert_non_null(p->text);
	memset(p->text, 'x', 16);
}

static void parcel_finish(struct parcel *p)
{
	assert_int_equal(ledger.finished[p->serial], 0);
	ledger.finished[p->serial] = 1;
	free(p->text);
	p->text = NULL;
}

/* Slots begin with a value of their own, as a pool of buffers would. */
static void init(void *event, void *context)
{
	struct parcel *p = event;

	(void)context;
	assert_null(p->text); /* the slot is zeroed before */
	parcel_make(p);
}

static void fini(void *event, void *context)
{
	(void)context;
	parcel_finish(event);
}

/* The producer's refill: the slot's old value goes, a new one comes. */
static void refill(struct parcel *p)
{
	parcel_finish(p);
	parcel_make(p);
}

struct store {
	struct disruptor_ring *ring;
	struct parcel_producer p;
	struct parcel_consumer c;
};

static void open_store(struct store *s, int layout, uint64_t capacity)
{
	struct disruptor_consumer_options co = { .size = sizeof(co), .take = 1 };
	struct disruptor_options o = fixture_options(capacity);

	memset(&ledger, 0, sizeof(ledger));
	o.layout = (enum disruptor_layout)layout;
	o.init = init;
	o.fini = fini;
	assert_code(disruptor_ring_create(&s->ring, &parcel_type, &o), 0);
	assert_code(parcel_producer_open(&s->p, s->ring, NULL), 0);
	assert_code(parcel_consumer_open(&s->c, s->ring, &co), 0);
}

static void close_store(struct store *s)
{
	assert_code(parcel_producer_close(&s->p), 0);
	assert_code(parcel_consumer_close(&s->c), 0);
	assert_code(disruptor_ring_destroy(&s->ring), 0);
	for (uint64_t i = 0; i < ledger.made; i++)
		if (!ledger.finished[i])
			fail_msg("value %llu was never finished", (unsigned long long)i);
}

static void publish_parcel(struct store *s)
{
	struct parcel *p = parcel_try_claim(&s->p);

	assert_non_null(p);
	refill(p);
	assert_code(parcel_publish(&s->p), 0);
}

TEST(a_value_is_moved_out_exactly_once)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct parcel out;
		struct store s;

		open_store(&s, layout, 4);
		assert_int_equal(parcel_take(&s.c, &out), 0);
		for (int lap = 0; lap < 3; lap++) {
			uint64_t first = ledger.made;

			for (int i = 0; i < 4; i++)
				publish_parcel(&s);
			for (uint64_t i = 0; i < 4; i++) {
				assert_int_equal(parcel_take(&s.c, &out), 1);
				/* each refill made one, and each take another for the slot */
				assert_int_equal(out.serial, first + i);
				assert_memory_equal(out.text, "xxxxxxxxxxxxxxxx", 16);
				parcel_finish(&out);
			}
			assert_int_equal(parcel_take(&s.c, &out), 0);
			assert_int_equal(disruptor_ring_stats(s.ring).remaining, 4);
		}
		close_store(&s);
	}
}

TEST(a_value_that_nobody_takes_is_finished_with_the_ring)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct parcel out;
		struct store s;

		open_store(&s, layout, 8);
		for (int i = 0; i < 5; i++)
			publish_parcel(&s);
		assert_int_equal(parcel_take(&s.c, &out), 1);
		parcel_finish(&out);
		close_store(&s); /* four published, three never claimed, one fresh */
	}
}

TEST(a_value_that_is_released_without_being_taken_stays_in_its_slot)
{
	struct store s;

	open_store(&s, DISRUPTOR_STAMPED, 2);
	for (int i = 0; i < 6; i++) {
		publish_parcel(&s);
		assert_int_equal(parcel_ready(&s.c), 1);
		assert_code(parcel_release(&s.c, 1), 0);
	}
	close_store(&s);
}

TEST(a_value_that_is_given_up_stays_in_its_slot)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct parcel out;
		struct store s;

		open_store(&s, layout, 4);
		for (int lap = 0; lap < 3; lap++) {
			struct parcel *p = parcel_try_claim(&s.p);

			assert_non_null(p);
			refill(p);
			assert_code(parcel_abort(&s.p), 0);
			publish_parcel(&s);
			assert_int_equal(parcel_take(&s.c, &out), 1);
			parcel_finish(&out);
			assert_int_equal(parcel_take(&s.c, &out), 0);
		}
		/* a run that the closing of the view gives up */
		refill(parcel_try_claim(&s.p));
		close_store(&s);
	}
}

/* Drain: what was published before the close is taken, then comes the end. */
TEST(a_closed_ring_is_taken_to_its_end)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct parcel out;
		struct store s;
		int taken = 0;

		open_store(&s, layout, 8);
		for (int i = 0; i < 6; i++)
			publish_parcel(&s);
		disruptor_ring_close(s.ring);
		while (parcel_ready_until(&s.c, DISRUPTOR_FOREVER) > 0) {
			assert_int_equal(parcel_take(&s.c, &out), 1);
			parcel_finish(&out);
			taken++;
		}
		assert_int_equal(taken, 6);
		assert_true(disruptor_consumer_finished(&s.c.view));
		close_store(&s);
	}
}

/* Without an init the slot that was taken from is zeroes. */
TEST(a_slot_that_was_taken_from_is_fresh)
{
	struct disruptor_consumer_options co = { .size = sizeof(co), .take = 1 };
	struct disruptor_options o = fixture_options(1);
	struct tick_consumer c;
	struct tick out, *t;
	struct fixture f;

	fixture_open_with(&f, &o, 0);
	assert_code(tick_consumer_open(&c, f.ring, &co), 0);
	t = tick_claim(&f.producer);
	*t = (struct tick){ .value = 1, .from = 2 };
	assert_code(tick_publish(&f.producer), 0);
	assert_int_equal(tick_take(&c, &out), 1);
	assert_int_equal(out.value, 1);
	assert_int_equal(out.from, 2);
	t = tick_claim(&f.producer);
	assert_int_equal(t->value, 0);
	assert_int_equal(t->from, 0);
	assert_code(tick_abort(&f.producer), 0);
	assert_code(tick_consumer_close(&c), 0);
	fixture_close(&f);
}

/* ---- who may take ---- */

TEST(only_a_consumer_that_asked_for_it_may_take)
{
	struct tick out = { .value = 7 };
	struct fixture f;

	fixture_open(&f, 4, 1);
	publish_ticks(&f.producer, 1);
	assert_code(tick_take(&f.consumer[0], &out), DISRUPTOR_E_STATE);
	assert_detail("consumer");
	assert_int_equal(out.value, 7);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
}

/* Two would each move the same value out: the taker is the last stage, alone. */
TEST(only_the_last_stage_alone_may_take)
{
	struct disruptor_consumer_options co = { .size = sizeof(co), .take = 1, .name = "taker" };
	const struct disruptor_consumer *after[2];
	struct tick_consumer c, d;
	struct fixture f;

	fixture_open(&f, 4, 2);
	assert_code(tick_consumer_open(&c, f.ring, &co), DISRUPTOR_E_BUSY); /* beside two others */
	assert_detail("take");
	after[0] = &f.consumer[0].view;
	after[1] = &f.consumer[1].view;
	co.after = after;
	co.after_count = 1;
	assert_code(tick_consumer_open(&c, f.ring, &co), DISRUPTOR_E_BUSY); /* beside one */
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, 2);
	co.after_count = 2;
	assert_code(tick_consumer_open(&c, f.ring, &co), 0);
	assert_code(tick_consumer_open(&d, f.ring, NULL), DISRUPTOR_E_BUSY); /* beside the taker */
	assert_detail("taker");
	after[0] = &c.view;
	co.take = 0;
	co.after_count = 1;
	assert_code(tick_consumer_open(&d, f.ring, &co), DISRUPTOR_E_BUSY); /* after it */
	publish_ticks(&f.producer, 1);
	read_ticks(&f.consumer[0], 1);
	read_ticks(&f.consumer[1], 1);
	assert_int_equal(tick_ready(&c), 1);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(tick_consumer_open(&d, f.ring, NULL), 0); /* it is gone: others may come */
	assert_code(tick_consumer_close(&d), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_value_is_moved_out_exactly_once),
		RUN(a_value_that_nobody_takes_is_finished_with_the_ring),
		RUN(a_value_that_is_released_without_being_taken_stays_in_its_slot),
		RUN(a_value_that_is_given_up_stays_in_its_slot),
		RUN(a_closed_ring_is_taken_to_its_end),
		RUN(a_slot_that_was_taken_from_is_fresh),
		RUN(only_a_consumer_that_asked_for_it_may_take),
		RUN(only_the_last_stage_alone_may_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
