/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Conflation: the latest event of each key, in the order of first change. */
#define _POSIX_C_SOURCE 200809L
#include "probe.h"

#include <stdlib.h>
#include <string.h>

/* The key of a tick is `from`; the context counts the calls. */
static uint64_t tick_key(const void *event, void *context)
{
	if (context)
		(*(unsigned *)context)++;
	return ((const struct tick *)event)->from;
}

static struct disruptor_conflate_options table_options(uint32_t keys)
{
	return (struct disruptor_conflate_options){
		.size = sizeof(struct disruptor_conflate_options), .keys = keys, .key = tick_key
	};
}

static struct disruptor_conflate *table_open(uint32_t keys)
{
	struct disruptor_conflate_options o = table_options(keys);
	struct disruptor_conflate *c = NULL;

	assert_code(disruptor_conflate_create(&c, &tick_type, &o), 0);
	return c;
}

/* @p value is put as the event of position @p value. */
static void put(struct disruptor_conflate *c, uint64_t key, uint64_t value)
{
	const struct tick t = { .value = value, .from = key };

	assert_code(disruptor_conflate_put(c, &t, value), 0);
}

static void expect(struct disruptor_conflate *c, uint64_t key, uint64_t value)
{
	uint64_t position;
	struct tick t;

	assert_int_equal(disruptor_conflate_take(c, &t, &position), 1);
	assert_int_equal(t.from, key);
	assert_int_equal(t.value, value);
	assert_int_equal(position, value);
}

static void expect_nothing(struct disruptor_conflate *c)
{
	struct tick t = { .value = 7 };

	assert_int_equal(disruptor_conflate_take(c, &t, NULL), 0);
	assert_int_equal(t.value, 7);
}

/* ---- what is taken ---- */

TEST(the_latest_of_each_key_is_taken_in_the_order_of_first_change)
{
	struct disruptor_conflate *c = table_open(4);

	expect_nothing(c);
	put(c, 30, 1);
	put(c, 10, 2);
	put(c, 30, 3);
	put(c, 20, 4);
	put(c, 30, 5);
	assert_int_equal(disruptor_conflate_conflated(c), 2);
	assert_int_equal(disruptor_conflate_keys(c), 3);
	expect(c, 30, 5);
	put(c, 30, 6); /* taken already: it queues again, behind the others */
	put(c, 10, 7);
	expect(c, 10, 7);
	expect(c, 20, 4);
	expect(c, 30, 6);
	expect_nothing(c);
	assert_int_equal(disruptor_conflate_conflated(c), 3);
	put(c, 20, 8);
	expect(c, 20, 8);
	expect_nothing(c);
	disruptor_conflate_destroy(&c);
	assert_null(c);
	disruptor_conflate_destroy(&c);
}

/* Against a model: some keys that collide, some extreme, put and taken at random. */
TEST(it_agrees_with_a_model)
{
	enum { KEYS = 37 };
	uint64_t seed = fixture_seed(5), latest[KEYS] = { 0 }, conflated = 0, value = 0;
	struct disruptor_conflate *c = table_open(KEYS);
	unsigned order[KEYS], queued = 0;

	for (int step = 0; step < 20000; step++) {
		unsigned k = (unsigned)(next_random(&seed) % KEYS);

		if (next_random(&seed) % 3 != 0) {
			put(c, UINT64_MAX - k * (UINT64_C(1) << 40), ++value);
			conflated += latest[k] != 0;
			if (latest[k] == 0)
				order[queued++] = k;
			latest[k] = value;
		} else if (queued == 0) {
			expect_nothing(c);
		} else {
			k = order[0];
			expect(c, UINT64_MAX - k * (UINT64_C(1) << 40), latest[k]);
			latest[k] = 0;
			memmove(order, order + 1, --queued * sizeof(order[0]));
		}
		assert_int_equal(disruptor_conflate_conflated(c), conflated);
	}
	disruptor_conflate_destroy(&c);
}

static uint64_t first_byte(const void *event, void *context)
{
	(void)context;
	return *(const unsigned char *)event;
}

TEST(events_of_every_size_are_copied_whole)
{
	static const uint32_t sizes[] = { 1, 7, 8, 55, 56, 57, 1001 };
	unsigned char given[1001], got[1001 + 8], zone[8];

	memset(zone, 0xee, sizeof(zone));
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct disruptor_type type = bytes_type(sizes[i], 1);
		struct disruptor_conflate_options o = table_options(3);
		struct disruptor_conflate *c;

		o.key = first_byte;
		assert_code(disruptor_conflate_create(&c, &type, &o), 0);
		for (unsigned n = 0; n < 12; n++) {
			memset(given, (int)(n % 3), type.size);
			assert_code(disruptor_conflate_put(c, given, n), 0);
			memset(got, 0xee, sizeof(got));
			assert_int_equal(disruptor_conflate_take(c, got, NULL), 1);
			assert_memory_equal(got, given, type.size);
			assert_memory_equal(got + type.size, zone, sizeof(zone));
		}
		disruptor_conflate_destroy(&c);
	}
}

TEST(one_key_too_many_is_an_error)
{
	for (uint32_t keys = 1; keys <= 5; keys++) {
		struct disruptor_conflate *c = table_open(keys);
		struct tick t = { .value = 1, .from = 4711 };

		for (uint32_t k = 0; k < keys; k++)
			put(c, k, k);
		assert_code(disruptor_conflate_put(c, &t, 1), DISRUPTOR_E_FULL);
		assert_detail("4711");
		assert_int_equal(disruptor_conflate_keys(c), keys);
		for (uint32_t k = 0; k < keys; k++) /* the others go on */
			put(c, k, 100 + k);
		for (uint32_t k = 0; k < keys; k++)
			expect(c, k, 100 + k);
		expect_nothing(c);
		assert_code(disruptor_conflate_put(c, &t, 1), DISRUPTOR_E_FULL);
		disruptor_conflate_destroy(&c);
	}
}

/* ---- as a stage ---- */

static struct disruptor *stage_open(struct disruptor_conflate *c, uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = "latest",
				       .reads = "*",
				       .on_event = disruptor_conflate_on_event,
				       .context = c };
	struct disruptor *d = graph_open(&o);

	assert_non_null(disruptor_stage(d, &h));
	return d;
}

static void publish_keys(struct disruptor *d, unsigned events, unsigned keys)
{
	struct tick_producer p;

	probe_producer(&p, d);
	for (unsigned i = 0; i < events; i++) {
		struct tick *t = tick_claim(&p);

		assert_non_null(t);
		*t = (struct tick){ .value = i, .from = i % keys };
		assert_code(tick_publish(&p), 0);
	}
	assert_code(tick_producer_close(&p), 0);
}

TEST(a_stage_fills_the_table)
{
	struct disruptor_conflate *c = table_open(8);
	struct disruptor *d = stage_open(c, 16);

	graph_start(d);
	publish_keys(d, 1000, 8);
	graph_drain(d);
	for (unsigned k = 0; k < 8; k++)
		expect(c, k, 1000 - 8 + k);
	expect_nothing(c);
	assert_int_equal(disruptor_conflate_conflated(c), 1000 - 8);
	graph_close(&d);
	disruptor_conflate_destroy(&c);
}

TEST(a_full_table_fails_the_stage)
{
	struct disruptor_conflate *c = table_open(3);
	struct disruptor *d = stage_open(c, 16);

	publish_keys(d, 4, 4);
	graph_run_to_failure(d);
	assert_code(disruptor_failure(d).code, DISRUPTOR_E_FULL);
	assert_string_equal(disruptor_failure(d).stage, "latest");
	assert_int_equal(disruptor_failure(d).position, 3);
	graph_close(&d);
	disruptor_conflate_destroy(&c);
}

/* ---- waiting and the end ---- */

struct taker {
	struct disruptor_conflate *c;
	struct tick t;
	uint64_t position;
	int rc;
};

static void take_one(void *argument)
{
	struct taker *w = argument;

	w->rc = disruptor_conflate_take_until(w->c, &w->t, &w->position, DISRUPTOR_FOREVER);
}

/* With and without the time to go to sleep. */
TEST(a_waiting_reader_is_woken_by_a_put)
{
	for (unsigned ms = 0; ms <= 20; ms += 10) {
		struct taker w = { .c = table_open(1) };
		struct runner thread;

		runner_start(&thread, "a reader", take_one, &w);
		pause_ms(ms);
		put(w.c, 5, 6);
		runner_join(&thread);
		assert_int_equal(w.rc, 1);
		assert_int_equal(w.t.from, 5);
		assert_int_equal(w.position, 6);
		disruptor_conflate_destroy(&w.c);
	}
}

TEST(a_waiting_reader_is_woken_by_the_close)
{
	for (unsigned ms = 0; ms <= 20; ms += 10) {
		struct taker w = { .c = table_open(1) };
		struct runner thread;

		runner_start(&thread, "a reader", take_one, &w);
		pause_ms(ms);
		disruptor_conflate_close(w.c);
		runner_join(&thread);
		assert_code(w.rc, DISRUPTOR_E_CLOSED);
		disruptor_conflate_destroy(&w.c);
	}
}

TEST(a_closed_table_is_taken_to_its_end)
{
	struct disruptor_conflate *c = table_open(2);
	struct tick t = { .value = 9 };

	put(c, 1, 1);
	put(c, 2, 2);
	disruptor_conflate_close(c);
	disruptor_conflate_close(c);
	assert_code(disruptor_conflate_put(c, &t, 3), DISRUPTOR_E_CLOSED);
	expect(c, 1, 1);
	assert_code(disruptor_conflate_take_until(c, &t, NULL, DISRUPTOR_FOREVER), 1);
	assert_int_equal(t.value, 2);
	assert_code(disruptor_conflate_take(c, &t, NULL), DISRUPTOR_E_CLOSED);
	assert_code(disruptor_conflate_take_until(c, &t, NULL, DISRUPTOR_FOREVER),
		    DISRUPTOR_E_CLOSED);
	disruptor_conflate_destroy(&c);
}

TEST(a_wait_ends_at_its_deadline)
{
	struct disruptor_conflate *c = table_open(1);
	struct tick t;

	assert_code(disruptor_conflate_take_until(c, &t, NULL, 0), DISRUPTOR_E_TIMEOUT);
	assert_code(disruptor_conflate_take_until(c, &t, NULL, disruptor_in(1000000)),
		    DISRUPTOR_E_TIMEOUT);
	put(c, 0, 0);
	assert_code(disruptor_conflate_take_until(c, &t, NULL, 0), 1);
	disruptor_conflate_destroy(&c);
}

/* ---- memory and arguments ---- */

struct purse {
	unsigned taken, given;
	size_t size;
	bool empty;
};

static void *purse_take(void *context, size_t size, size_t align)
{
	struct purse *p = context;
	void *memory = NULL;

	p->taken++;
	p->size = size;
	if (p->empty || posix_memalign(&memory, align, size) != 0)
		return NULL;
	return memset(memory, 0xa5, size);
}

static void purse_give(void *context, void *memory, size_t size)
{
	struct purse *p = context;

	p->given++;
	assert_int_equal(size, p->size);
	free(memory);
}

TEST(all_memory_is_taken_at_once)
{
	struct disruptor_conflate_options o = table_options(100);
	struct disruptor_conflate *c;
	struct purse purse = { 0 };
	unsigned calls = 0;

	o.context = &calls;
	o.allocator = (struct disruptor_allocator){ .allocate = purse_take,
						    .release = purse_give,
						    .context = &purse };
	assert_code(disruptor_conflate_create(&c, &tick_type, &o), 0);
	for (uint64_t i = 0; i < 100; i++)
		put(c, i * i, i);
	for (uint64_t i = 0; i < 100; i++)
		expect(c, i * i, i);
	assert_int_equal(calls, 100);
	assert_int_equal(purse.taken, 1);
	disruptor_conflate_destroy(&c);
	assert_int_equal(purse.given, 1);
	purse.empty = true;
	assert_code(disruptor_conflate_create(&c, &tick_type, &o), DISRUPTOR_E_NOMEM);
	assert_null(c);
	assert_int_equal(purse.given, 1);
}

/* The largest table needs 56 bits of addresses. */
TEST(a_table_that_is_larger_than_memory_is_refused)
{
	struct disruptor_conflate_options o = table_options(DISRUPTOR_CONFLATE_MAX_KEYS);
	struct disruptor_type large = bytes_type(UINT32_C(1) << 29, 1);
	struct disruptor_conflate *c = (struct disruptor_conflate *)(uintptr_t)1;
	struct purse purse = { .empty = true };

	o.allocator = (struct disruptor_allocator){ .allocate = purse_take,
						    .release = purse_give,
						    .context = &purse };
	if (sizeof(size_t) == 4) {
		assert_code(disruptor_conflate_create(&c, &large, &o), DISRUPTOR_E_TOO_BIG);
		assert_detail("keys: 16777216 of 536870912 bytes");
		assert_int_equal(purse.taken, 0);
	} else {
		assert_code(disruptor_conflate_create(&c, &large, &o), DISRUPTOR_E_NOMEM);
		assert_detail("bytes for 16777216 keys");
		assert_true(purse.size > 3 * UINT64_C(16777216) << 29);
		assert_int_equal(purse.taken, 1);
	}
	assert_null(c);
	assert_int_equal(purse.given, 0);
}

static void refuse(const struct disruptor_type *type, const struct disruptor_conflate_options *o,
		   int code, const char *word)
{
	struct disruptor_conflate *c = (struct disruptor_conflate *)(uintptr_t)1;

	assert_code(disruptor_conflate_create(&c, type, o), code);
	assert_detail(word);
	assert_null(c);
}

TEST(what_makes_no_sense_is_refused)
{
	const struct disruptor_conflate_options good = table_options(1);
	struct disruptor_conflate_options bad = good;

	bad.size = 1;
	refuse(&tick_type, &bad, DISRUPTOR_E_VERSION, "size");
	bad = good;
	bad.keys = 0;
	refuse(&tick_type, &bad, DISRUPTOR_E_INVAL, "keys");
	bad.keys = DISRUPTOR_CONFLATE_MAX_KEYS + 1;
	refuse(&tick_type, &bad, DISRUPTOR_E_TOO_BIG, "keys");
	bad = good;
	bad.key = NULL;
	refuse(&tick_type, &bad, DISRUPTOR_E_INVAL, "key: NULL");
	bad = good;
	bad.reserved = 1;
	refuse(&tick_type, &bad, DISRUPTOR_E_INVAL, "reserved");
	bad = good;
	bad.allocator.allocate = purse_take;
	refuse(&tick_type, &bad, DISRUPTOR_E_INVAL, "allocator");
	refuse(&tick_type, NULL, DISRUPTOR_E_INVAL, "options");
	refuse(NULL, &good, DISRUPTOR_E_INVAL, "type");
	assert_code(disruptor_conflate_create(NULL, &tick_type, &good), DISRUPTOR_E_INVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(the_latest_of_each_key_is_taken_in_the_order_of_first_change),
		RUN(it_agrees_with_a_model),
		RUN(events_of_every_size_are_copied_whole),
		RUN(one_key_too_many_is_an_error),
		RUN(a_stage_fills_the_table),
		RUN(a_full_table_fails_the_stage),
		RUN(a_waiting_reader_is_woken_by_a_put),
		RUN(a_waiting_reader_is_woken_by_the_close),
		RUN(a_closed_table_is_taken_to_its_end),
		RUN(a_wait_ends_at_its_deadline),
		RUN(all_memory_is_taken_at_once),
		RUN(a_table_that_is_larger_than_memory_is_refused),
		RUN(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
