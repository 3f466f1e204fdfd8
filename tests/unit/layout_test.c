/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where things lie and how positions are compared: words of different writers keep apart (T68), and
 * the seed's tables of availability (T86).
 */
#include "fixture.h"

#include "jump.h"
#include "ring/layout.h"
#include "ring/loop.h"

#include <stdlib.h>
#include <string.h>

/* ---- T68 ---- */

static size_t apart(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;

	return (size_t)(x < y ? y - x : x - y);
}

/* Whether the adjacent-line prefetcher takes them for neighbours. */
static bool neighbours(const void *a, const void *b)
{
	return (uintptr_t)a / DISRUPTOR_APART == (uintptr_t)b / DISRUPTOR_APART;
}

TEST(words_of_different_writers_keep_apart)
{
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *r = ring_open(&o);
	const struct disruptor_shared *s = r->shared;
	/* one word of each kind of writer; each line's other words are the same writer's or cold */
	const void *words[] = { &r->header->capacity,
				&s->claimed, /* and the cursor: of one producer, or not used */
				&s->wake_consumers,
				&s->wake_producers,
				&r->gates[0].sequence,
				&r->gates[1].sequence,
				&r->gates[15].sequence,
				r->slots };

	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < i; k++)
			if (neighbours(words[i], words[k]))
				fail_msg("word %zu and word %zu are neighbours", i, k);
	assert_true(apart(&s->claimed, &s->cursor) < DISRUPTOR_LINE);
	assert_true(apart(&s->claimed, &s->wake_consumers) >= DISRUPTOR_APART);
	assert_true(apart(&s->wake_consumers, &s->wake_producers) >= DISRUPTOR_APART);
	assert_true(apart(&s->wake_producers, &r->gates[0]) >= DISRUPTOR_APART);
	assert_true(apart(&r->gates[0].sequence, &r->gates[1].sequence) >= DISRUPTOR_APART);
	assert_true(apart(&r->gates[15].sequence, r->slots) >= DISRUPTOR_APART);
	ring_close(&r);
}

/* The private part likewise: what one producer counts is not on another's line. */
TEST(private_entries_keep_apart)
{
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *r;

	o.producers = DISRUPTOR_MANY;
	r = ring_open(&o);
	assert_true(apart(&r->producer_table[0].wakes, &r->producer_table[1].run_first) >=
		    DISRUPTOR_LINE);
	assert_true(sizeof(r->producer_table[0]) >= DISRUPTOR_APART);
	assert_true(apart(&r->consumer_table[0].wakes, &r->consumer_table[1].wakes) >=
		    DISRUPTOR_APART);
	ring_close(&r);
}

TEST(blocks_and_words_are_aligned)
{
	static const uint32_t aligns[] = { 1, 8, 64, 128, 256, 1024, 4096 };

	for (size_t i = 0; i < COUNT(aligns); i++) {
		struct disruptor_type type = bytes_type(4096, aligns[i]);
		struct disruptor_options o = fixture_options(2);
		size_t align = disruptor_ring_align(&type, &o);
		struct disruptor_ring *r;

		assert_true(align >= aligns[i]);
		assert_true(align >= DISRUPTOR_APART);
		assert_int_equal(disruptor_ring_size(&type, &o) % align, 0);
		assert_code(disruptor_ring_create(&r, &type, &o), 0);
		assert_int_equal((uintptr_t)r->header % align, 0);
		assert_int_equal((uintptr_t)&r->shared->claimed % DISRUPTOR_APART, 0);
		assert_int_equal((uintptr_t)&r->shared->wake_consumers % DISRUPTOR_APART, 0);
		assert_int_equal((uintptr_t)&r->shared->wake_producers % DISRUPTOR_APART, 0);
		assert_int_equal((uintptr_t)&r->gates[1].sequence % DISRUPTOR_APART, 0);
		assert_int_equal((uintptr_t)r->slots % align, 0);
		ring_close(&r);
	}
}

/* The parts of the memory follow each other without overlap, and end within the size told. */
TEST(the_parts_of_the_memory_do_not_overlap)
{
	for (uint64_t capacity = 1; capacity <= 64; capacity *= 2)
		for (uint32_t consumers = 1; consumers <= 64; consumers += 21) {
			struct disruptor_options o = fixture_options(capacity);
			struct ring_layout l;

			o.max_consumers = consumers;
			assert_code(layout_make(&l, &tick_type, &o), 0);
			assert_true(l.header.shared_at >= sizeof(struct ring_header));
			assert_true(l.header.gates_at >=
				    l.header.shared_at + sizeof(struct disruptor_shared));
			assert_true(l.header.slots_at >=
				    l.header.gates_at + consumers * sizeof(struct disruptor_gate));
			assert_true(l.header.block_bytes >=
				    l.header.slots_at + capacity * l.header.slot_stride);
			assert_true(l.producers_at >= l.header.block_bytes);
			assert_true(l.consumers_at >=
				    l.producers_at +
					    l.max_producers * sizeof(struct ring_producer));
			assert_true(l.shared_bytes >=
				    l.consumers_at + consumers * sizeof(struct ring_consumer));
			assert_true(l.ring_at >= l.shared_bytes);
			assert_true(l.own_producers_at >=
				    l.ring_at + sizeof(struct disruptor_ring));
			assert_true(l.own_consumers_at >=
				    l.own_producers_at +
					    l.max_producers * sizeof(struct ring_own_producer));
			assert_true(l.loops_at >=
				    l.own_consumers_at +
					    consumers * sizeof(struct ring_own_consumer));
			assert_true(l.bytes >=
				    l.loops_at + consumers * sizeof(struct consumer_loop));
			assert_int_equal(l.bytes, disruptor_ring_size(&tick_type, &o));
		}
}

/* The block holds no pointers: its words are the same wherever it lies. */
TEST(the_block_is_the_same_wherever_it_lies)
{
	struct disruptor_options o = fixture_options(4);
	size_t size = disruptor_ring_size(&tick_type, &o);
	size_t align = disruptor_ring_align(&tick_type, &o);
	struct disruptor_ring *r[2];
	unsigned char *memory[2];

	o.memory_size = size;
	for (int i = 0; i < 2; i++) {
		struct tick_producer p;
		struct tick_consumer c;

		memory[i] = aligned_alloc(align, size);
		assert_non_null(memory[i]);
		o.memory = memory[i];
		r[i] = ring_open(&o);
		assert_code(tick_consumer_open(&c, r[i], NULL), 0);
		assert_code(tick_producer_open(&p, r[i], NULL), 0);
		publish_ticks(&p, 3);
		read_ticks(&c, 2);
		assert_code(tick_producer_close(&p), 0);
		assert_code(tick_consumer_close(&c), 0);
	}
	if (!DISRUPTOR_ASAN) /* which forbids released events */
		assert_memory_equal(r[0]->header, r[1]->header, r[0]->header->block_bytes);
	for (int i = 0; i < 2; i++) {
		ring_close(&r[i]);
		free(memory[i]);
	}
}

/* ---- T86 ---- */

/*
 * The seed's table of a publisher that waits for a consumer: (gating, waiting, buffer size) and how
 * many slots are free. Its sequences wrapped at four buffers; ours are counts below 2^62, and the
 * subtraction holds across 2^64 as well.
 */
static const struct {
	uint64_t slowest, claimed, capacity, room;
} publisher[] = {
	{ 17, 17, 8, 8 }, { 5, 12, 8, 1 }, { 5, 13, 8, 0 }, { 6, 13, 8, 1 },
	{ 0, 0, 2, 2 },   { 0, 1, 2, 1 },  { 0, 2, 2, 0 },  { 1, 2, 2, 1 },
	{ 1, 3, 2, 0 },   { 2, 3, 2, 1 },  { 3, 3, 2, 2 },
};

TEST(room_is_as_the_seeds_table_says_from_any_start)
{
	static const uint64_t starts[] = { 0,
					   8,
					   UINT32_MAX - 10,
					   UINT64_C(1) << 32,
					   (UINT64_C(1) << 62) - 32,
					   (UINT64_C(1) << 63) - 8,
					   UINT64_MAX - 15,
					   UINT64_MAX - 7,
					   UINT64_MAX };

	for (size_t s = 0; s < COUNT(starts); s++)
		for (size_t i = 0; i < COUNT(publisher); i++)
			assert_int_equal(disruptor_room(starts[s] + publisher[i].claimed,
							starts[s] + publisher[i].slowest,
							publisher[i].capacity),
					 publisher[i].room);
}

/* Beyond the table: a gate more than a lap behind is no room, never a huge one. */
TEST(room_is_never_more_than_the_capacity)
{
	for (uint64_t capacity = 1; capacity <= 16; capacity *= 2)
		for (uint64_t used = 0; used <= 64; used++) {
			uint64_t expected = used < capacity ? capacity - used : 0;

			assert_int_equal(disruptor_room(used, 0, capacity), expected);
			assert_int_equal(disruptor_room(100 + used, 100, capacity), expected);
			assert_int_equal(disruptor_room(used - 3, UINT64_C(0) - 3, capacity),
					 expected);
		}
	assert_int_equal(disruptor_room(UINT64_C(1) << 62, 0, 8), 0);
	assert_int_equal(disruptor_room(0, 1, 8), 0); /* a gate ahead of the claims: not a lap */
}

/* A ring whose first position is @p start, with a second consumer after the first. */
struct far {
	struct fixture f;
	struct tick_consumer second;
};

static void far_open(struct far *x, int layout, uint64_t capacity, uint64_t start)
{
	struct disruptor_consumer_options co = { .size = sizeof(co), .batch = (uint32_t)capacity };
	struct disruptor_options o = fixture_options(capacity);
	const struct disruptor_consumer *after[1];

	o.layout = (enum disruptor_layout)layout;
	memset(x, 0, sizeof(*x));
	x->f.ring = ring_open(&o);
	ring_jump(x->f.ring, start);
	assert_code(tick_producer_open(&x->f.producer, x->f.ring, NULL), 0);
	assert_code(tick_consumer_open(&x->f.consumer[0], x->f.ring, &co), 0);
	x->f.consumers = 1;
	after[0] = &x->f.consumer[0].view;
	co.after = after;
	co.after_count = 1;
	assert_code(tick_consumer_open(&x->second, x->f.ring, &co), 0);
}

static void far_close(struct far *x)
{
	assert_code(tick_consumer_close(&x->second), 0);
	fixture_close(&x->f);
}

/* Take @p n that are ready and release them. */
static void pass(struct tick_consumer *c, uint64_t n)
{
	assert_true(tick_ready(c) >= n);
	assert_code(tick_release(c, n), 0);
}

/*
 * The seed's table of a consumer that waits for a publisher or an earlier consumer: (gating,
 * waiting, buffer size) and how many are there. Its last rows wrap at 32; ours do not, so they read
 * 32 for 0.
 */
static const struct {
	uint64_t gating, waiting, capacity, available;
} consumer[] = {
	{ 13, 12, 8, 1 }, { 1, 0, 2, 1 },   { 2, 0, 2, 2 },   { 0, 0, 8, 0 },   { 1, 0, 8, 1 },
	{ 8, 0, 8, 8 },   { 31, 24, 8, 7 }, { 32, 24, 8, 8 }, { 32, 25, 8, 7 },
};

static void ready_at(int layout, size_t row, uint64_t start)
{
	uint64_t waiting = consumer[row].waiting, gating = consumer[row].gating;
	struct far x;

	far_open(&x, layout, consumer[row].capacity, start);
	for (uint64_t i = 0; i < waiting; i++) { /* both have come to `waiting` */
		publish_ticks(&x.f.producer, 1);
		pass(&x.f.consumer[0], 1);
		pass(&x.second, 1);
	}
	publish_ticks(&x.f.producer, gating - waiting);
	assert_int_equal(tick_ready(&x.f.consumer[0]), consumer[row].available);
	assert_int_equal(tick_ready(&x.second), 0);
	assert_int_equal(disruptor_ring_stats(x.f.ring).remaining,
			 consumer[row].capacity - consumer[row].available);
	pass(&x.f.consumer[0], consumer[row].available);
	assert_int_equal(tick_ready(&x.f.consumer[0]), 0);
	assert_int_equal(tick_ready(&x.second), consumer[row].available);
	assert_int_equal(disruptor_ring_stats(x.f.ring).remaining,
			 consumer[row].capacity - consumer[row].available);
	pass(&x.second, consumer[row].available);
	assert_int_equal(disruptor_ring_stats(x.f.ring).remaining, consumer[row].capacity);
	far_close(&x);
}

/* From 0, across 2^32, and up to where positions end. */
TEST(ready_is_as_the_seeds_table_says_from_any_start)
{
	static const uint64_t starts[] = { 0, 8, UINT32_MAX - 12, UINT64_C(1) << 32,
					   (UINT64_C(1) << 62) - 40 };

	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++)
		for (size_t s = 0; s < COUNT(starts); s++)
			for (size_t row = 0; row < COUNT(consumer); row++)
				ready_at(layout, row, starts[s]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(words_of_different_writers_keep_apart),
		RUN(private_entries_keep_apart),
		RUN(blocks_and_words_are_aligned),
		RUN(the_parts_of_the_memory_do_not_overlap),
		RUN(the_block_is_the_same_wherever_it_lies),
		RUN(room_is_as_the_seeds_table_says_from_any_start),
		RUN(room_is_never_more_than_the_capacity),
		RUN(ready_is_as_the_seeds_table_says_from_any_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
