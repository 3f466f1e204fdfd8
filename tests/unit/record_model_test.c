/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A ring of records beside a model of it that is one thread's: filled from every place with records of
 * every length, and then at random. What a try is answered, where the record lies, and what is read,
 * are the model's. Row T82.
 */
#include "fixture.h"

#include <disruptor/record.h>

#include <string.h>

#define CELL 16
#define MOST 16 /* cells of a ring */

/* ---- the model ---- */

struct kept {
	uint64_t at, cells, number;
	size_t bytes;
};

struct model {
	uint64_t capacity;
	uint64_t head; /* first cell that is not claimed */
	uint64_t tail; /* first that is not released */
	struct kept records[MOST];
	unsigned count; /* published and not read */
};

static uint64_t cells_of(size_t bytes)
{
	return bytes ? (bytes + CELL - 1) / CELL : 1;
}

static bool has_room(const struct model *m, uint64_t cells)
{
	return m->head + cells - m->tail <= m->capacity;
}

/* What a try of @p cells is to be answered; what lies before the end and is too little is passed. */
static int model_claim(struct model *m, uint64_t cells, uint64_t *at)
{
	uint64_t before_end = m->capacity - m->head % m->capacity;

	if (cells > m->capacity)
		return DISRUPTOR_E_TOO_BIG;
	if (cells > before_end) {
		if (!has_room(m, before_end))
			return DISRUPTOR_E_FULL;
		m->head += before_end;
	}
	if (!has_room(m, cells))
		return DISRUPTOR_E_FULL;
	*at = m->head;
	m->head += cells;
	return 0;
}

static void model_publish(struct model *m, uint64_t at, uint64_t number, size_t bytes)
{
	m->records[m->count++] = (struct kept){
		.at = at, .cells = cells_of(bytes), .number = number, .bytes = bytes
	};
}

/* The first record is read; what lies before the next one is no record's, and goes with it. */
static struct kept model_read(struct model *m)
{
	struct kept first = m->records[0];

	memmove(&m->records[0], &m->records[1], --m->count * sizeof(m->records[0]));
	m->tail = first.at + first.cells;
	return first;
}

/* ---- both ---- */

struct pair {
	struct model m;
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c;
	uint64_t number;
};

static void pair_open(struct pair *a, uint64_t capacity, enum disruptor_producers producers)
{
	struct disruptor_options o = fixture_options(capacity);

	o.producers = producers;
	o.cell = CELL;
	*a = (struct pair){ .m = { .capacity = capacity } };
	assert_code(disruptor_ring_create(&a->ring, disruptor_record_type(), &o), 0);
	assert_code(disruptor_producer_open(&a->p, a->ring, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_consumer_open(&a->c, a->ring, disruptor_record_type(), NULL), 0);
}

static void pair_close(struct pair *a)
{
	assert_code(disruptor_producer_close(&a->p), 0);
	assert_code(disruptor_consumer_close(&a->c), 0);
	assert_code(disruptor_ring_destroy(&a->ring), 0);
}

/* Voids at the front are passed by whoever looks: then they are released. */
static void look(struct pair *a)
{
	(void)disruptor_record_ready(&a->c);
	a->m.tail = disruptor_consumer_position(&a->c);
	assert_true(a->m.count == 0 ? a->m.tail == a->m.head : a->m.tail <= a->m.records[0].at);
}

/* One record of @p bytes of which @p used are published; or none, as the model says. Whether it was. */
static bool put(struct pair *a, size_t bytes, size_t used)
{
	uint64_t at = 0;
	int expected = model_claim(&a->m, cells_of(bytes), &at);
	unsigned char *to = disruptor_record_try_claim(&a->p, bytes);

	assert_code(to ? 0 : disruptor_producer_status(&a->p), expected);
	assert_int_equal(disruptor_ring_stats(a->ring).claimed, a->m.head);
	if (!to)
		return false;
	assert_int_equal(disruptor_producer_position(&a->p), at);
	memset(to, (int)(a->number & 255), used);
	assert_code(disruptor_record_publish(&a->p, used), 0);
	model_publish(&a->m, at, a->number++, used);
	return true;
}

static void get(struct pair *a)
{
	const struct kept first = model_read(&a->m);
	struct disruptor_record r;

	assert_true(disruptor_record_ready(&a->c) > 0);
	assert_int_equal(disruptor_record_next(&a->c, &r), 1);
	assert_int_equal(r.position, first.at);
	assert_int_equal(r.size, first.bytes);
	for (size_t i = 0; i < r.size; i++)
		assert_int_equal(((unsigned char *)r.bytes)[i], first.number & 255);
	assert_code(disruptor_record_release(&a->c), 0);
	/* voids behind it may have gone with it */
	assert_true(disruptor_consumer_position(&a->c) >= a->m.tail);
	a->m.tail = disruptor_consumer_position(&a->c);
}

/* From place @p from: as many records of @p bytes as go in; then one out, as many in, and so on. */
static void fill_from(uint64_t capacity, enum disruptor_producers producers, uint64_t from,
		      size_t bytes)
{
	struct pair a;

	pair_open(&a, capacity, producers);
	for (uint64_t i = 0; i < from; i++) {
		assert_true(put(&a, 1, 1));
		get(&a);
	}
	for (uint64_t round = 0; round < 2 * capacity + 2; round++) {
		while (put(&a, bytes, bytes))
			;
		assert_false(put(&a, bytes, bytes)); /* and so it stays */
		if (a.m.count)
			get(&a);
		look(&a);
	}
	pair_close(&a);
}

static void fill_all(enum disruptor_producers producers)
{
	for (uint64_t capacity = 1; capacity <= MOST; capacity *= 2)
		for (uint64_t from = 0; from < capacity; from++)
			for (size_t bytes = 0; bytes <= (capacity + 1) * CELL; bytes += CELL / 2)
				fill_from(capacity, producers, from, bytes);
}

TEST(one_producer_fills_it_from_every_place_with_every_length)
{
	fill_all(DISRUPTOR_SINGLE);
}

TEST(one_of_many_fills_it_from_every_place_with_every_length)
{
	fill_all(DISRUPTOR_MANY);
}

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void mix(uint64_t capacity, enum disruptor_producers producers, uint64_t steps)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15) + capacity;
	struct pair a;

	pair_open(&a, capacity, producers);
	for (uint64_t i = 0; i < steps; i++) {
		uint64_t what = draw(&seed) % 4;
		size_t bytes = (size_t)(draw(&seed) % ((capacity + 1) * CELL + 1));

		if (what < 2)
			(void)put(&a, bytes, bytes - (size_t)(draw(&seed) % (bytes + 1)));
		else if (what == 2 && a.m.count)
			get(&a);
		else
			look(&a);
	}
	pair_close(&a);
}

TEST(at_random_it_is_as_the_model)
{
	for (uint64_t capacity = 1; capacity <= MOST; capacity *= 2) {
		mix(capacity, DISRUPTOR_SINGLE, 20000);
		mix(capacity, DISRUPTOR_MANY, 20000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(one_producer_fills_it_from_every_place_with_every_length),
		RUN(one_of_many_fills_it_from_every_place_with_every_length),
		RUN(at_random_it_is_as_the_model),
	};

	return cmocka_run_group_tests_name("record model", tests, NULL, NULL);
}
