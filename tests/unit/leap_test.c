/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * With one producer the consumer's scan leaps over many stamps at a time. Whatever is published,
 * and wherever the scan begins, it ends at the first position that is not, and never passes a void.
 */
#include "fixture.h"

enum { SLOTS = 1024 };

static void publish(struct tick_producer *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct tick *t = tick_claim(p);

		assert_non_null(t);
		t->value = (uint64_t)disruptor_producer_position(&p->view);
		assert_int_equal(tick_publish(p), 0);
	}
}

static struct disruptor_ring *ring_of(enum disruptor_producers producers)
{
	struct disruptor_options options = { .size = sizeof(options),
					     .capacity = SLOTS,
					     .producers = producers,
					     .rung = fixture_rung() };
	struct disruptor_ring *ring = NULL;

	assert_int_equal(disruptor_ring_create(&ring, &tick_type, &options), 0);
	return ring;
}

/* T05, T06: nothing unpublished is ready, all that is published is. */
static void every_length_ends_at_the_last_stamp(void **state)
{
	struct disruptor_consumer_options options = { .size = sizeof(options), .batch = SLOTS };

	(void)state;
	for (int many = 0; many <= 1; many++) {
		struct disruptor_ring *ring = ring_of(many ? DISRUPTOR_MANY : DISRUPTOR_SINGLE);
		struct tick_producer p;
		struct tick_consumer c;

		assert_int_equal(tick_consumer_open(&c, ring, &options), 0);
		assert_int_equal(tick_producer_open(&p, ring, NULL), 0);
		for (uint64_t n = 1; n <= SLOTS; n++) {
			publish(&p, n);
			assert_int_equal(tick_ready(&c), n);
			for (uint64_t i = 0; i < n; i++)
				assert_int_equal(tick_at(&c, i)->value,
						 disruptor_consumer_position(&c.view) + i);
			assert_int_equal(tick_release(&c, n), 0);
			assert_int_equal(tick_ready(&c), 0);
		}
		tick_producer_close(&p);
		tick_consumer_close(&c);
		assert_int_equal(disruptor_ring_destroy(&ring), 0);
	}
}

/* A claimed and unpublished tail, and what a scan has seen already, do not matter. */
static void a_scan_goes_on_where_it_ended(void **state)
{
	struct disruptor_consumer_options options = { .size = sizeof(options), .batch = SLOTS };
	struct disruptor_ring *ring = ring_of(DISRUPTOR_SINGLE);
	struct tick_producer p;
	struct tick_consumer c;

	(void)state;
	assert_int_equal(tick_consumer_open(&c, ring, &options), 0);
	assert_int_equal(tick_producer_open(&p, ring, NULL), 0);
	for (uint64_t first = 1; first < 300; first += 7) {
		for (uint64_t more = 1; more < 300; more += 11) {
			publish(&p, first);
			assert_int_equal(tick_ready(&c), first);
			assert_non_null(tick_claim_n(&p, more));
			assert_int_equal(tick_ready(&c), first);
			assert_int_equal(tick_publish_n(&p, more), 0);
			assert_int_equal(tick_ready(&c), first + more);
			assert_int_equal(tick_release(&c, first + more), 0);
		}
	}
	tick_producer_close(&p);
	tick_consumer_close(&c);
	assert_int_equal(disruptor_ring_destroy(&ring), 0);
}

/* T15: a void anywhere in the leap's way is found. */
static void a_leap_never_passes_a_void(void **state)
{
	struct disruptor_consumer_options options = { .size = sizeof(options), .batch = SLOTS };
	struct disruptor_ring *ring = ring_of(DISRUPTOR_SINGLE);
	struct tick_producer p;
	struct tick_consumer c;

	(void)state;
	assert_int_equal(tick_consumer_open(&c, ring, &options), 0);
	assert_int_equal(tick_producer_open(&p, ring, NULL), 0);
	for (uint64_t at = 0; at < 600; at++) {
		publish(&p, at);
		assert_non_null(tick_claim(&p));
		assert_int_equal(tick_abort(&p), 0);
		publish(&p, SLOTS - 1 - at);
		if (at > 0) {
			assert_int_equal(tick_ready(&c), at);
			assert_int_equal(tick_release(&c, at), 0);
		}
		assert_int_equal(tick_ready(&c), SLOTS - 1 - at);
		assert_int_equal(tick_release(&c, SLOTS - 1 - at), 0);
	}
	tick_producer_close(&p);
	tick_consumer_close(&c);
	assert_int_equal(disruptor_ring_destroy(&ring), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_ends_at_the_last_stamp),
		cmocka_unit_test(a_scan_goes_on_where_it_ended),
		cmocka_unit_test(a_leap_never_passes_a_void),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
