/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The lossy reader: gates nobody, reads whole events or none, and knows what it missed. That nothing
 * is torn while threads race is reader_stress.c's; here is what one thread can see.
 */
#include "probe.h"

#include "ring/layout.h"
#include "ring/mirror.h"

#include <string.h>

#define CAPACITY 16
/* How far behind the oldest event an overtaken reader goes on; see reader.h. */
#define SLACK (CAPACITY / 8)

static struct disruptor_options lossy_options(unsigned more)
{
	struct disruptor_options o = fixture_options(CAPACITY);

	o.flags = DISRUPTOR_LOSSY | more;
	return o;
}

/* A free-running ring of one producer, and a reader at its beginning. */
struct scene {
	struct fixture f;
	struct tick_reader r;
	uint64_t read;
};

static void scene_open(struct scene *s, int layout)
{
	struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);

	memset(s, 0, sizeof(*s));
	o.layout = (enum disruptor_layout)layout;
	fixture_open_with(&s->f, &o, 0);
	assert_code(tick_reader_open(&s->r, s->f.ring, NULL), 0);
}

static void scene_close(struct scene *s)
{
	assert_code(tick_reader_close(&s->r), 0);
	fixture_close(&s->f);
}

/* The next event is that of @p position, right behind @p missed ones. */
static void expect_next(struct scene *s, uint64_t position, uint64_t missed)
{
	struct tick t;

	assert_int_equal(tick_reader_next(&s->r, &t), 1);
	assert_int_equal(t.value, position);
	s->read++;
	assert_int_equal(disruptor_reader_position(&s->r.view), position + 1);
	assert_int_equal(disruptor_reader_missed_before(&s->r.view), missed);
	assert_int_equal(s->read + disruptor_reader_missed(&s->r.view) +
				 disruptor_reader_voids(&s->r.view),
			 position + 1);
}

static void expect_nothing(struct scene *s)
{
	struct tick t;

	assert_int_equal(tick_reader_next(&s->r, &t), 0);
}

/* ---- reading ---- */

TEST(a_reader_gets_what_is_published_in_order)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct scene s;

		scene_open(&s, layout);
		expect_nothing(&s);
		for (uint64_t i = 0; i < 5 * CAPACITY; i++) {
			publish_ticks(&s.f.producer, 1);
			expect_next(&s, i, 0);
			expect_nothing(&s);
		}
		assert_int_equal(disruptor_reader_missed(&s.r.view), 0);
		scene_close(&s);
	}
}

/* Whatever the event's size, its bytes and no others are written. */
TEST(events_of_every_size_are_copied_whole)
{
	static const uint32_t sizes[] = { 1, 2, 7, 8, 9, 15, 16, 23, 24, 56, 57, 63, 64, 65, 1001 };
	unsigned char given[1001], got[1001 + 8], zone[8];

	memset(zone, 0xee, sizeof(zone));
	for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
		struct disruptor_type type = bytes_type(sizes[i / 2], 1);
		struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
		struct disruptor_ring *ring;
		struct disruptor_producer p;
		struct disruptor_reader r;

		o.layout = (enum disruptor_layout)(i % 2);
		assert_code(disruptor_ring_create(&ring, &type, &o), 0);
		assert_code(disruptor_producer_open(&p, ring, &type, NULL), 0);
		assert_code(disruptor_reader_open(&r, ring, &type, NULL), 0);
		for (unsigned n = 0; n < 3 * CAPACITY; n++) {
			for (size_t b = 0; b < type.size; b++)
				given[b] = (unsigned char)(n * 31 + b * 7 + 1);
			assert_code(disruptor_publish_copy(&p, given, 1), 0);
			memset(got, 0xee, sizeof(got));
			assert_int_equal(disruptor_reader_next(&r, got), 1);
			assert_memory_equal(got, given, type.size);
			assert_memory_equal(got + type.size, zone, sizeof(zone));
		}
		assert_code(disruptor_reader_close(&r), 0);
		assert_code(disruptor_producer_close(&p), 0);
		ring_close(&ring);
	}
}

TEST(a_run_is_seen_as_far_as_it_is_published)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct scene s;

		scene_open(&s, layout);
		publish_ticks(&s.f.producer, CAPACITY - 2); /* so that the run wraps */
		for (uint64_t i = 0; i < CAPACITY - 2; i++)
			expect_next(&s, i, 0);
		assert_non_null(tick_claim_n(&s.f.producer, 5));
		expect_nothing(&s);
		for (uint64_t i = 0; i < 5; i++)
			tick_claimed_at(&s.f.producer, i)->value = CAPACITY - 2 + i;
		expect_nothing(&s);
		assert_code(tick_publish_n(&s.f.producer, 3), 0);
		for (uint64_t i = 0; i < 3; i++)
			expect_next(&s, CAPACITY - 2 + i, 0);
		expect_nothing(&s);
		assert_code(tick_publish(&s.f.producer), 0);
		for (uint64_t i = 3; i < 5; i++)
			expect_next(&s, CAPACITY - 2 + i, 0);
		expect_nothing(&s);
		scene_close(&s);
	}
}

/* The slot is being filled again while its stamp still names the old event: the trap of design. */
TEST(an_event_is_whole_while_its_slot_is_filled_again)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct scene s;

		scene_open(&s, layout);
		publish_ticks(&s.f.producer, CAPACITY);
		assert_non_null(tick_claim_n(&s.f.producer, CAPACITY));
		for (uint64_t i = 0; i < CAPACITY; i++)
			tick_claimed_at(&s.f.producer, i)->value = UINT64_MAX;
		for (uint64_t i = 0; i < CAPACITY; i++)
			expect_next(&s, i, 0);
		expect_nothing(&s);
		scene_close(&s);
	}
}

TEST(a_reader_sees_the_event_as_it_was_published)
{
	struct disruptor_options o = lossy_options(0);
	struct tick_reader r;
	struct fixture f;
	struct tick t;

	fixture_open_with(&f, &o, 1);
	assert_code(tick_reader_open(&r, f.ring, NULL), 0);
	publish_ticks(&f.producer, 1);
	assert_int_equal(tick_ready(&f.consumer[0]), 1);
	tick_at(&f.consumer[0], 0)->value = 99;
	assert_code(tick_release(&f.consumer[0], 1), 0);
	assert_int_equal(tick_reader_next(&r, &t), 1);
	assert_int_equal(t.value, 0);
	assert_code(tick_reader_close(&r), 0);
	fixture_close(&f);
}

/* ---- what it misses ---- */

TEST(a_reader_holds_nobody_back_and_knows_what_it_missed)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		const uint64_t first = 100 - CAPACITY + SLACK;
		struct scene s;

		scene_open(&s, layout);
		publish_ticks(&s.f.producer, 100);
		expect_next(&s, first, first);
		for (uint64_t i = first + 1; i < 100; i++)
			expect_next(&s, i, 0);
		expect_nothing(&s);
		assert_int_equal(disruptor_reader_missed(&s.r.view), first);
		publish_ticks(&s.f.producer, CAPACITY);
		expect_next(&s, 100, 0); /* a lap is all there: not overtaken */
		publish_ticks(&s.f.producer, 2);
		expect_next(&s, 102 + SLACK, 1 + SLACK);
		scene_close(&s);
	}
}

/* Rings too small for an eighth, down to one slot. */
TEST(small_rings_have_lossy_readers_too)
{
	for (uint64_t capacity = 1; capacity <= 8; capacity *= 2) {
		struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
		uint64_t first = 100 - capacity + capacity / 8;
		struct scene s;

		memset(&s, 0, sizeof(s));
		o.capacity = capacity;
		fixture_open_with(&s.f, &o, 0);
		assert_code(tick_reader_open(&s.r, s.f.ring, NULL), 0);
		publish_ticks(&s.f.producer, 1);
		expect_next(&s, 0, 0);
		publish_ticks(&s.f.producer, 99);
		for (uint64_t i = first; i < 100; i++)
			expect_next(&s, i, i == first ? first - 1 : 0);
		expect_nothing(&s);
		scene_close(&s);
	}
}

/* Claimed slots may stay unpublished for long: what is behind them is not missed. */
TEST(an_overtaken_reader_never_goes_beyond_what_is_published)
{
	struct scene s;

	scene_open(&s, DISRUPTOR_STAMPED);
	publish_ticks(&s.f.producer, CAPACITY + 1);
	assert_non_null(tick_claim_n(&s.f.producer, CAPACITY));
	expect_next(&s, CAPACITY, CAPACITY);
	expect_nothing(&s);
	assert_code(tick_abort(&s.f.producer), 0);
	expect_nothing(&s);
	assert_int_equal(disruptor_reader_voids(&s.r.view), CAPACITY);
	assert_int_equal(disruptor_reader_missed(&s.r.view), CAPACITY);
	scene_close(&s);
}

TEST(readers_beside_consumers_do_not_gate)
{
	for (int many = DISRUPTOR_SINGLE; many <= DISRUPTOR_MANY; many++) {
		struct disruptor_options o = lossy_options(0);
		struct tick_reader r;
		struct fixture f;
		struct tick t;

		o.producers = (enum disruptor_producers)many;
		fixture_open_with(&f, &o, 1);
		assert_code(tick_reader_open(&r, f.ring, NULL), 0);
		for (int lap = 0; lap < 4; lap++) {
			publish_ticks(&f.producer, CAPACITY);
			assert_null(tick_try_claim(&f.producer)); /* the consumer does */
			read_ticks(&f.consumer[0], CAPACITY);
		}
		assert_int_equal(disruptor_ring_stats(f.ring).consumers, 1);
		assert_int_equal(tick_reader_next(&r, &t), 1);
		assert_int_equal(t.value, 3 * CAPACITY + SLACK);
		assert_int_equal(disruptor_reader_missed(&r.view), t.value);
		assert_code(tick_reader_close(&r), 0);
		fixture_close(&f);
	}
}

TEST(voids_are_passed_and_not_missed)
{
	struct scene s;

	scene_open(&s, DISRUPTOR_STAMPED);
	for (uint64_t i = 0; i < 3 * CAPACITY; i += 3) {
		publish_ticks(&s.f.producer, 1);
		assert_non_null(tick_claim_n(&s.f.producer, 2));
		assert_code(disruptor_abort_n(&s.f.producer.view, 1), 0);
		assert_code(tick_abort(&s.f.producer), 0);
		expect_next(&s, i, 0);
		expect_nothing(&s);
		assert_int_equal(disruptor_reader_position(&s.r.view), i + 3);
	}
	assert_int_equal(disruptor_reader_missed(&s.r.view), 0);
	assert_int_equal(disruptor_reader_voids(&s.r.view), 2 * CAPACITY);
	scene_close(&s);
}

/* A packed ring takes aborted claims back: the positions come again. */
TEST(a_packed_run_that_was_given_up_is_not_seen)
{
	struct scene s;

	scene_open(&s, DISRUPTOR_PACKED);
	publish_ticks(&s.f.producer, 2);
	assert_non_null(tick_claim_n(&s.f.producer, 4));
	assert_code(tick_abort(&s.f.producer), 0);
	expect_next(&s, 0, 0);
	expect_next(&s, 1, 0);
	expect_nothing(&s);
	publish_ticks(&s.f.producer, 1);
	expect_next(&s, 2, 0);
	assert_int_equal(disruptor_reader_voids(&s.r.view), 0);
	scene_close(&s);
}

TEST(many_producers_are_read_in_the_order_of_positions)
{
	struct disruptor_options o = lossy_options(0);
	struct tick_producer second;
	struct tick_reader r;
	struct fixture f;
	struct tick t;

	o.producers = DISRUPTOR_MANY;
	fixture_open_with(&f, &o, 1);
	assert_code(tick_producer_open(&second, f.ring, NULL), 0);
	assert_code(tick_reader_open(&r, f.ring, NULL), 0);
	tick_claim(&f.producer)->value = 0;
	tick_claim(&second)->value = 1;
	assert_code(tick_publish(&second), 0);
	assert_int_equal(tick_reader_next(&r, &t), 0); /* 0 is not there yet */
	assert_int_equal(disruptor_reader_skip_to_newest(&r.view), 0);
	assert_code(tick_publish(&f.producer), 0);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(tick_reader_next(&r, &t), 1);
		assert_int_equal(t.value, i);
	}
	assert_int_equal(tick_reader_next(&r, &t), 0);
	assert_code(tick_reader_close(&r), 0);
	assert_code(tick_producer_close(&second), 0);
	fixture_close(&f);
}

/* ---- an entry that is just being written ---- */

static void set_entry(struct disruptor_ring *ring, uint64_t position, uint64_t stamp)
{
	atomic_word *entry = (atomic_word *)(void *)(ring->mirror +
						     (position & ring->mask) * ring->mirror_stride);

	disruptor_store_relaxed(entry, stamp);
}

TEST(an_entry_that_is_being_written_is_not_read)
{
	const uint64_t writing = UINT64_C(1) << 62;
	struct scene s;

	scene_open(&s, DISRUPTOR_STAMPED);
	publish_ticks(&s.f.producer, CAPACITY);
	expect_next(&s, 0, 0);
	set_entry(s.f.ring, 1, 2 | writing); /* position 1, this lap: not there yet */
	expect_nothing(&s);
	set_entry(s.f.ring, 1, (CAPACITY + 2) | writing); /* the next lap's: overtaken */
	expect_next(&s, 2 + SLACK, 1 + SLACK);
	scene_close(&s);
}

/* ---- where it starts, and skipping ---- */

TEST(a_reader_starts_where_it_is_told)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_reader_options ro = { .size = sizeof(ro) };
		struct tick_reader newest, oldest;
		struct scene s;

		scene_open(&s, layout);
		for (uint64_t published = 0; published < 4 * CAPACITY; published++) {
			uint64_t from = published > CAPACITY ? published - CAPACITY : 0;

			ro.from = DISRUPTOR_READER_NEWEST;
			assert_code(tick_reader_open(&newest, s.f.ring, &ro), 0);
			ro.from = DISRUPTOR_READER_OLDEST;
			assert_code(tick_reader_open(&oldest, s.f.ring, &ro), 0);
			assert_int_equal(disruptor_reader_position(&newest.view), published);
			assert_int_equal(disruptor_reader_position(&oldest.view), from);
			assert_code(tick_reader_close(&newest), 0);
			assert_code(tick_reader_close(&oldest), 0);
			publish_ticks(&s.f.producer, 1);
		}
		/* an open run is not published */
		assert_non_null(tick_claim_n(&s.f.producer, 3));
		ro.from = DISRUPTOR_READER_NEWEST;
		assert_code(tick_reader_open(&newest, s.f.ring, &ro), 0);
		assert_int_equal(disruptor_reader_position(&newest.view), 4 * CAPACITY);
		assert_code(tick_reader_close(&newest), 0);
		scene_close(&s);
	}
}

TEST(a_reader_starts_at_a_position_that_is_there)
{
	struct disruptor_reader_options ro = { .size = sizeof(ro),
					       .from = DISRUPTOR_READER_POSITION };
	struct tick_reader r;
	struct scene s;
	struct tick t;

	scene_open(&s, DISRUPTOR_STAMPED);
	publish_ticks(&s.f.producer, 2 * CAPACITY);
	ro.position = CAPACITY + 3;
	assert_code(tick_reader_open(&r, s.f.ring, &ro), 0);
	assert_int_equal(tick_reader_next(&r, &t), 1);
	assert_int_equal(t.value, CAPACITY + 3);
	assert_code(tick_reader_close(&r), 0);
	ro.position = 2 * CAPACITY;
	assert_code(tick_reader_open(&r, s.f.ring, &ro), 0);
	assert_int_equal(tick_reader_next(&r, &t), 0);
	assert_code(tick_reader_close(&r), 0);
	ro.position = CAPACITY - 1;
	assert_code(tick_reader_open(&r, s.f.ring, &ro), DISRUPTOR_E_RANGE);
	assert_detail("position: ");
	ro.position = 2 * CAPACITY + 1;
	assert_code(tick_reader_open(&r, s.f.ring, &ro), DISRUPTOR_E_RANGE);
	ro.from = DISRUPTOR_READER_OLDEST;
	assert_code(tick_reader_open(&r, s.f.ring, &ro), DISRUPTOR_E_INVAL);
	assert_detail("position");
	scene_close(&s);
}

TEST(a_reader_may_skip_to_the_newest)
{
	struct scene s;

	scene_open(&s, DISRUPTOR_STAMPED);
	assert_int_equal(disruptor_reader_skip_to_newest(&s.r.view), 0);
	publish_ticks(&s.f.producer, 1);
	assert_int_equal(disruptor_reader_skip_to_newest(&s.r.view), 0);
	publish_ticks(&s.f.producer, 9);
	assert_non_null(tick_claim_n(&s.f.producer, 2));
	assert_int_equal(disruptor_reader_skip_to_newest(&s.r.view), 9);
	assert_int_equal(disruptor_reader_skip_to_newest(&s.r.view), 0);
	expect_next(&s, 9, 9);
	expect_nothing(&s);
	assert_int_equal(disruptor_reader_skip_to_newest(&s.r.view), 0);
	expect_nothing(&s);
	scene_close(&s);
}

/* ---- the end ---- */

TEST(a_reader_reads_a_closed_ring_to_its_end)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct scene s;
		struct tick t;

		scene_open(&s, layout);
		publish_ticks(&s.f.producer, 3);
		tick_claim(&s.f.producer)->value = 3;
		disruptor_ring_close(s.f.ring);
		for (uint64_t i = 0; i < 3; i++)
			expect_next(&s, i, 0);
		expect_nothing(&s); /* claimed before the close: it may still come */
		assert_code(tick_publish(&s.f.producer), 0);
		expect_next(&s, 3, 0);
		assert_code(tick_reader_next(&s.r, &t), DISRUPTOR_E_CLOSED);
		assert_code(tick_reader_next_until(&s.r, &t, DISRUPTOR_FOREVER),
			    DISRUPTOR_E_CLOSED);
		assert_code(disruptor_ring_reopen(s.f.ring), 0);
		publish_ticks(&s.f.producer, 1);
		expect_next(&s, 4, 0);
		scene_close(&s);
	}
}

static int always_fails(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return -77;
}

/* A whole disruptor hands the flag on, tells readers of its failure, and counts them. */
TEST(a_disruptor_with_lossy_readers_fails_and_is_destroyed_in_order)
{
	struct disruptor_options o = lossy_options(DISRUPTOR_TRUST_HANDLERS);
	struct disruptor_handler h = { .size = sizeof(h), .name = "bad", .on_event = always_fails };
	struct disruptor *d = graph_open(&o);
	struct tick_producer p;
	struct tick_reader r;
	struct tick t;

	assert_non_null(disruptor_stage(d, &h));
	assert_code(tick_reader_open(&r, disruptor_ring(d), NULL), 0);
	probe_producer(&p, d);
	publish_ticks(&p, 1);
	graph_run_to_failure(d);
	assert_int_equal(tick_reader_next(&r, &t),
			 1); /* what was published is there all the same */
	assert_int_equal(t.value, 0);
	assert_code(tick_reader_next(&r, &t), DISRUPTOR_E_FAILED);
	assert_code(tick_producer_close(&p), 0);
	assert_code(disruptor_destroy(&d), DISRUPTOR_E_BUSY);
	assert_detail("1 lossy reader");
	assert_code(tick_reader_close(&r), 0);
	graph_close(&d);
}

TEST(a_ring_with_open_readers_is_not_destroyed)
{
	struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
	struct disruptor_ring *ring = ring_open(&o);
	struct tick_reader a, b;

	assert_code(tick_reader_open(&a, ring, NULL), 0);
	assert_code(tick_reader_open(&b, ring, NULL), 0);
	assert_code(disruptor_ring_destroy(&ring), DISRUPTOR_E_BUSY);
	assert_detail("2 lossy readers");
	assert_code(tick_reader_close(&a), 0);
	assert_code(disruptor_ring_destroy(&ring), DISRUPTOR_E_BUSY);
	assert_code(tick_reader_close(&b), 0);
	assert_code(tick_reader_close(&b), DISRUPTOR_E_INVAL);
	ring_close(&ring);
}

/* ---- waiting ---- */

struct waiter {
	struct tick_reader r;
	struct tick t;
	int rc;
};

static void wait_for_one(void *argument)
{
	struct waiter *w = argument;

	w->rc = tick_reader_next_until(&w->r, &w->t, DISRUPTOR_FOREVER);
}

static void publish_one(struct tick_producer *p)
{
	publish_ticks(p, 1);
}

static void abort_then_publish(struct tick_producer *p)
{
	assert_non_null(tick_claim(p));
	assert_code(tick_abort(p), 0);
	publish_ticks(p, 1);
}

static void publish_a_run(struct tick_producer *p)
{
	assert_non_null(tick_claim_n(p, 3));
	for (uint64_t i = 0; i < 3; i++)
		tick_claimed_at(p, i)->value = disruptor_producer_position(&p->view) + i;
	assert_code(tick_publish(p), 0);
}

TEST(a_sleeping_reader_is_woken)
{
	static void (*const ways[])(struct tick_producer *) = { publish_one, abort_then_publish,
								publish_a_run };

	for (size_t i = 0; i < FIXTURE_WAITS * COUNT(ways); i++) {
		struct disruptor_wait wait = fixture_wait(i / COUNT(ways));
		struct disruptor_reader_options ro = { .size = sizeof(ro), .wait = wait };
		struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
		struct runner thread;
		struct waiter w;
		struct fixture f;

		fixture_open_with(&f, &o, 0);
		assert_code(tick_reader_open(&w.r, f.ring, &ro), 0);
		runner_start(&thread, "a reader", wait_for_one, &w);
		if (wait_parks(&wait))
			await_sleeps(f.ring, 1);
		ways[i % COUNT(ways)](&f.producer);
		runner_join(&thread);
		assert_code(w.rc, 1);
		assert_int_equal(w.t.value, disruptor_reader_position(&w.r.view) - 1);
		assert_code(tick_reader_close(&w.r), 0);
		fixture_close(&f);
	}
}

TEST(a_sleeping_reader_is_woken_by_the_close)
{
	struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
	struct runner thread;
	struct waiter w;
	struct fixture f;

	fixture_open_with(&f, &o, 0);
	assert_code(tick_reader_open(&w.r, f.ring, NULL), 0);
	runner_start(&thread, "a reader", wait_for_one, &w);
	await_sleeps(f.ring, 1);
	disruptor_ring_close(f.ring);
	runner_join(&thread);
	assert_code(w.rc, DISRUPTOR_E_CLOSED);
	assert_code(tick_reader_close(&w.r), 0);
	fixture_close(&f);
}

TEST(a_wait_ends_at_its_deadline)
{
	struct disruptor_reader_options ro = { .size = sizeof(ro) };
	struct scene s;
	struct tick t;

	scene_open(&s, DISRUPTOR_STAMPED);
	assert_code(tick_reader_next_until(&s.r, &t, disruptor_in(1000000)), DISRUPTOR_E_TIMEOUT);
	assert_code(tick_reader_close(&s.r), 0);
	ro.wait.timeout_ns = 1000000; /* the default strategy's own */
	assert_code(tick_reader_open(&s.r, s.f.ring, &ro), 0);
	assert_code(tick_reader_next_until(&s.r, &t, DISRUPTOR_FOREVER), DISRUPTOR_E_TIMEOUT);
	publish_ticks(&s.f.producer, 1);
	assert_code(tick_reader_next_until(&s.r, &t, 0), 1);
	scene_close(&s);
}

/* ---- what is refused ---- */

TEST(a_ring_without_the_flag_has_no_readers_and_no_mirror)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *plain = ring_open(&o), *lossy;
	struct tick_reader r;
	uint64_t end;

	assert_code(tick_reader_open(&r, plain, NULL), DISRUPTOR_E_UNSUPPORTED);
	assert_detail("DISRUPTOR_LOSSY");
	assert_code(tick_reader_close(&r), DISRUPTOR_E_INVAL);
	o.flags = DISRUPTOR_LOSSY;
	lossy = ring_open(&o);
	assert_null(plain->mirror);
	assert_int_equal(plain->header->mirror_at, 0);
	assert_int_equal(plain->header->mirror_stride, 0);
	end = plain->header->slots_at + CAPACITY * plain->stride;
	assert_true(plain->header->block_bytes - end < DISRUPTOR_APART);
	assert_int_equal(lossy->header->slots_at, plain->header->slots_at);
	assert_int_equal(lossy->header->mirror_at, plain->header->block_bytes);
	assert_true(disruptor_ring_info(lossy).bytes >=
		    lossy->header->mirror_at + CAPACITY * lossy->header->mirror_stride);
	assert_true(lossy->header->mirror_stride >= 8 + sizeof(struct tick));
	ring_close(&plain);
	ring_close(&lossy);
}

static void refuse(struct disruptor_ring *ring, const struct disruptor_reader_options *o, int code,
		   const char *word)
{
	struct tick_reader r;
	struct tick t;

	assert_code(tick_reader_open(&r, ring, o), code);
	assert_detail(word);
	assert_code(tick_reader_next(&r, &t), DISRUPTOR_E_INVAL);
	assert_code(tick_reader_next_until(&r, &t, 0), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_reader_skip_to_newest(&r.view), 0);
}

TEST(what_makes_no_sense_is_refused)
{
	const struct disruptor_reader_options good = { .size = sizeof(good) };
	struct disruptor_consumer_options co = { .size = sizeof(co), .take = 1 };
	struct disruptor_type other = bytes_type(sizeof(struct tick), 8);
	struct disruptor_options o = lossy_options(DISRUPTOR_FREE_RUN);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor_reader_options bad;
	struct disruptor_reader r;
	struct tick_consumer c;

	bad = good;
	bad.size = 3;
	refuse(ring, &bad, DISRUPTOR_E_VERSION, "reader options");
	bad = good;
	bad.from = (enum disruptor_reader_from)3;
	refuse(ring, &bad, DISRUPTOR_E_INVAL, "from");
	bad = good;
	bad.reserved = 1;
	refuse(ring, &bad, DISRUPTOR_E_INVAL, "reserved");
	bad = good;
	bad.wait.kind = (enum disruptor_wait_kind)99;
	refuse(ring, &bad, DISRUPTOR_E_INVAL, "wait");
	refuse(NULL, &good, DISRUPTOR_E_INVAL, "ring");
	assert_code(disruptor_reader_open(&r, ring, &other, NULL), DISRUPTOR_E_TYPE);
	assert_code(disruptor_reader_open(NULL, ring, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_reader_open_sized(&r, ring, &tick_type, NULL, sizeof(r) - 8),
		    DISRUPTOR_E_VERSION);
	assert_code(tick_consumer_open(&c, ring, &co), DISRUPTOR_E_UNSUPPORTED);
	assert_detail("take");
	ring_close(&ring);

	/* still: claims of many producers need a gate, and a free run has one producer */
	o.producers = DISRUPTOR_MANY;
	assert_int_equal(disruptor_ring_size(&tick_type, &o), 0);
	assert_detail("FREE_RUN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_reader_gets_what_is_published_in_order),
		RUN(events_of_every_size_are_copied_whole),
		RUN(a_run_is_seen_as_far_as_it_is_published),
		RUN(an_event_is_whole_while_its_slot_is_filled_again),
		RUN(a_reader_sees_the_event_as_it_was_published),
		RUN(a_reader_holds_nobody_back_and_knows_what_it_missed),
		RUN(small_rings_have_lossy_readers_too),
		RUN(an_overtaken_reader_never_goes_beyond_what_is_published),
		RUN(readers_beside_consumers_do_not_gate),
		RUN(voids_are_passed_and_not_missed),
		RUN(a_packed_run_that_was_given_up_is_not_seen),
		RUN(many_producers_are_read_in_the_order_of_positions),
		RUN(an_entry_that_is_being_written_is_not_read),
		RUN(a_reader_starts_where_it_is_told),
		RUN(a_reader_starts_at_a_position_that_is_there),
		RUN(a_reader_may_skip_to_the_newest),
		RUN(a_reader_reads_a_closed_ring_to_its_end),
		RUN(a_disruptor_with_lossy_readers_fails_and_is_destroyed_in_order),
		RUN(a_ring_with_open_readers_is_not_destroyed),
		RUN(a_sleeping_reader_is_woken),
		RUN(a_sleeping_reader_is_woken_by_the_close),
		RUN(a_wait_ends_at_its_deadline),
		RUN(a_ring_without_the_flag_has_no_readers_and_no_mirror),
		RUN(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
