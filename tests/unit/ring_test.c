/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A ring's birth and death: which options are accepted, which are refused and with what words, what
 * can be asked about it, and that asking changes nothing.
 */
#include "fixture.h"

#include <string.h>

/* ---- options ---- */

/* Creation is refused with @p code, names @p word, and leaves no ring. */
static void refuse(const struct disruptor_type *type, const struct disruptor_options *o, int code,
		   const char *word)
{
	struct disruptor_ring *ring = (void *)(uintptr_t)1;

	assert_code(disruptor_ring_create(&ring, type, o), code);
	assert_null(ring);
	assert_detail(word);
	assert_int_equal(disruptor_ring_size(type, o), 0);
	assert_int_equal(disruptor_ring_align(type, o), 0);
	assert_detail(word);
}

/* T76: the table of capacities; nothing is rounded to the next power of two. */
TEST(a_capacity_is_a_power_of_two_or_refused)
{
	static const struct {
		uint64_t capacity;
		int code;
	} table[] = {
		{ 0, DISRUPTOR_E_INVAL },
		{ 1, 0 },
		{ 2, 0 },
		{ 3, DISRUPTOR_E_INVAL },
		{ 4, 0 },
		{ 5, DISRUPTOR_E_INVAL },
		{ 6, DISRUPTOR_E_INVAL },
		{ 7, DISRUPTOR_E_INVAL },
		{ 8, 0 },
		{ 9, DISRUPTOR_E_INVAL },
		{ 1000, DISRUPTOR_E_INVAL },
		{ 1024, 0 },
		{ 65535, DISRUPTOR_E_INVAL },
		{ 65536, 0 },
		{ DISRUPTOR_MAX_CAPACITY - 1, DISRUPTOR_E_INVAL },
		{ DISRUPTOR_MAX_CAPACITY + 1, DISRUPTOR_E_TOO_BIG },
		{ DISRUPTOR_MAX_CAPACITY * 2, DISRUPTOR_E_TOO_BIG },
		{ UINT64_C(1) << 63, DISRUPTOR_E_TOO_BIG },
		{ UINT64_MAX, DISRUPTOR_E_TOO_BIG },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct disruptor_options o = fixture_options(table[i].capacity);
		struct disruptor_ring *ring;

		if (table[i].code != 0) {
			refuse(&tick_type, &o, table[i].code, "capacity");
			continue;
		}
		ring = ring_open(&o);
		assert_int_equal(disruptor_ring_info(ring).capacity, table[i].capacity);
		assert_int_equal(disruptor_ring_stats(ring).remaining, table[i].capacity);
		ring_close(&ring);
	}
}

/* T76: the largest ring's size is told right, and what exceeds the address space is refused. */
TEST(capacity_times_stride_does_not_overflow)
{
	struct disruptor_options o = fixture_options(DISRUPTOR_MAX_CAPACITY);
	struct disruptor_type large = bytes_type(UINT32_C(1) << 29, 1);
	struct disruptor_type huge = bytes_type(UINT32_C(1) << 31, 1);

	assert_true(disruptor_ring_size(&tick_type, &o) > DISRUPTOR_MAX_CAPACITY * 16 ||
		    sizeof(size_t) == 4);
	if (sizeof(size_t) == 8) {
		/* 2^31 slots of more than 2^29 bytes: the size needs 61 bits, and is exact in them */
		assert_true(disruptor_ring_size(&large, &o) > (UINT64_C(1) << 60));
	} else {
		refuse(&large, &o, DISRUPTOR_E_TOO_BIG, "capacity");
	}
	refuse(&huge, &o, DISRUPTOR_E_TOO_BIG, "size");
}

TEST(each_refused_option_is_named)
{
	struct disruptor_options good = fixture_options(8), o;

#define REFUSE(field, value, code, word)                                                           \
	do {                                                                                       \
		o = good;                                                                          \
		o.field = (value);                                                                 \
		refuse(&tick_type, &o, (code), (word));                                            \
	} while (0)
	REFUSE(size, 0, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, sizeof(size_t) - 1, DISRUPTOR_E_VERSION, "size");
	REFUSE(size, SIZE_MAX, DISRUPTOR_E_VERSION, "size");
	REFUSE(layout, (enum disruptor_layout)2, DISRUPTOR_E_INVAL, "layout");
	REFUSE(producers, (enum disruptor_producers)2, DISRUPTOR_E_INVAL, "producers");
	REFUSE(max_producers, 2, DISRUPTOR_E_INVAL, "max_producers");
	REFUSE(max_consumers, DISRUPTOR_MAX_CONSUMERS + 1, DISRUPTOR_E_TOO_BIG, "max_consumers");
	REFUSE(rung, (enum disruptor_rung)4, DISRUPTOR_E_INVAL, "rung");
	REFUSE(flags, 64u, DISRUPTOR_E_INVAL, "flags");
	REFUSE(flags, 0x80000000u, DISRUPTOR_E_INVAL, "0x80000000");
	REFUSE(wait.kind, (enum disruptor_wait_kind)8, DISRUPTOR_E_INVAL, "wait: kind");
	REFUSE(wait.kind, DISRUPTOR_WAIT_CUSTOM, DISRUPTOR_E_INVAL, "function");
	REFUSE(wait.reserved, 1, DISRUPTOR_E_INVAL, "reserved");
	REFUSE(wait, disruptor_wait_sleeping(0, 5), DISRUPTOR_E_INVAL, "sleep_min_ns");
	REFUSE(wait, disruptor_wait_sleeping(6, 5), DISRUPTOR_E_INVAL, "sleep_min_ns");
#undef REFUSE
	o = good;
	o.layout = DISRUPTOR_PACKED;
	o.producers = DISRUPTOR_MANY;
	refuse(&tick_type, &o, DISRUPTOR_E_INVAL, "packed");
	o = good;
	o.producers = DISRUPTOR_MANY;
	o.max_producers = 65536;
	refuse(&tick_type, &o, DISRUPTOR_E_TOO_BIG, "max_producers");
}

/* A caller compiled against an older or a newer header: what it sets is known, or refused. */
TEST(options_of_another_size_are_taken_as_far_as_they_are_known)
{
	struct {
		struct disruptor_options known;
		unsigned char unknown[16];
	} newer = { .known = fixture_options(8) };
	struct disruptor_options older = fixture_options(8);
	struct disruptor_ring *ring;

	newer.known.size = sizeof(newer);
	ring = ring_open(&newer.known);
	ring_close(&ring);
	newer.unknown[15] = 1; /* asks for what this library does not have */
	refuse(&tick_type, &newer.known, DISRUPTOR_E_VERSION, "options");
	older.size = offsetof(struct disruptor_options, flags);
	older.flags = 0x80000000u; /* beyond its end, and not read */
	ring = ring_open(&older);
	assert_int_equal(disruptor_ring_info(ring).capacity, 8);
	ring_close(&ring);
}

/* Several producers cannot guard each other's unpublished slots without a consumer. */
TEST(free_running_is_for_one_producer)
{
	struct disruptor_options o = fixture_options(8);

	o.flags = DISRUPTOR_FREE_RUN;
	o.producers = DISRUPTOR_MANY;
	refuse(&tick_type, &o, DISRUPTOR_E_INVAL, "FREE_RUN");
}

TEST(null_arguments_are_named)
{
	struct disruptor_options o = fixture_options(8);
	struct disruptor_ring *ring = NULL;

	refuse(NULL, &o, DISRUPTOR_E_INVAL, "type");
	refuse(&tick_type, NULL, DISRUPTOR_E_INVAL, "options");
	assert_code(disruptor_ring_create(NULL, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("ring");
	assert_code(disruptor_ring_destroy(NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_ring_destroy(&ring), 0); /* NULL in *ring is nothing to do */
}

TEST(a_type_that_is_none_is_refused_by_name)
{
	struct disruptor_options o = fixture_options(8);
	const struct disruptor_field outside = { "far", 8, 1, 1, DISRUPTOR_KIND_BYTES };
	const struct disruptor_field overlong = { "long", 4, 5, 1, DISRUPTOR_KIND_BYTES };
	struct disruptor_type t = bytes_type(8, 8);

	t.name = NULL;
	refuse(&t, &o, DISRUPTOR_E_INVAL, "name");
	t.name = "";
	refuse(&t, &o, DISRUPTOR_E_INVAL, "name");
	t = bytes_type(0, 1);
	refuse(&t, &o, DISRUPTOR_E_INVAL, "size");
	t = bytes_type(8, 0);
	refuse(&t, &o, DISRUPTOR_E_INVAL, "align");
	t = bytes_type(24, 3);
	refuse(&t, &o, DISRUPTOR_E_INVAL, "align");
	t = bytes_type(8192, 8192);
	refuse(&t, &o, DISRUPTOR_E_INVAL, "align");
	t = bytes_type(12, 8);
	refuse(&t, &o, DISRUPTOR_E_INVAL, "multiple");
	t = bytes_type(8, 8);
	t.fields = &outside;
	t.field_count = 1;
	refuse(&t, &o, DISRUPTOR_E_INVAL, "far");
	t.fields = &overlong;
	refuse(&t, &o, DISRUPTOR_E_INVAL, "long");
}

/* ---- rungs ---- */

TEST(a_forced_rung_is_the_rings_rung_and_auto_is_the_best)
{
	unsigned offered = disruptor_version().rungs;
	struct disruptor_options o = fixture_options(8);
	int best = DISRUPTOR_RUNG_MEMBARRIER;

	while (!(offered >> best & 1))
		best++;
	for (int rung = DISRUPTOR_RUNG_AUTO; rung <= DISRUPTOR_RUNG_MUTEX; rung++) {
		struct disruptor_ring *ring;
		int expected = rung == DISRUPTOR_RUNG_AUTO ? best : rung;

		o.rung = (enum disruptor_rung)rung;
		if (!(offered >> expected & 1)) {
			assert_code(disruptor_ring_create(&ring, &tick_type, &o),
				    DISRUPTOR_E_UNSUPPORTED);
			assert_detail(disruptor_rung_name((enum disruptor_rung)rung));
			continue;
		}
		ring = ring_open(&o);
		assert_int_equal(disruptor_ring_info(ring).rung, expected);
		ring_close(&ring);
	}
}

/* The suite runs once for each rung: this shows that it does. */
TEST(the_rung_under_test_is_the_one_in_use)
{
	struct disruptor_options o = fixture_options(8);
	struct disruptor_ring *ring = ring_open(&o);

	if (fixture_rung() != DISRUPTOR_RUNG_AUTO)
		assert_int_equal(disruptor_ring_info(ring).rung, fixture_rung());
	ring_close(&ring);
}

TEST(every_machine_offers_fence_and_mutex)
{
	struct disruptor_version v = disruptor_version();

	assert_true(v.rungs >> DISRUPTOR_RUNG_FENCE & 1);
	assert_true(v.rungs >> DISRUPTOR_RUNG_MUTEX & 1);
	assert_int_equal(v.rungs & ~0xeu, 0);
	assert_int_equal(v.layout, DISRUPTOR_LAYOUT_VERSION);
	assert_int_equal(v.major, DISRUPTOR_VERSION_MAJOR);
	assert_string_equal(disruptor_rung_name(DISRUPTOR_RUNG_AUTO), "auto");
	assert_string_equal(disruptor_rung_name(DISRUPTOR_RUNG_MEMBARRIER), "membarrier");
	assert_string_equal(disruptor_rung_name(DISRUPTOR_RUNG_FENCE), "fence");
	assert_string_equal(disruptor_rung_name(DISRUPTOR_RUNG_MUTEX), "mutex");
	assert_null(disruptor_rung_name((enum disruptor_rung)4));
	assert_null(disruptor_rung_name((enum disruptor_rung) - 1));
}

/* ---- what it says of itself ---- */

TEST(info_tells_what_the_ring_was_made_from)
{
	struct disruptor_options o = fixture_options(32);
	struct disruptor_ring *ring;
	struct disruptor_ring_info info;

	o.producers = DISRUPTOR_MANY;
	ring = ring_open(&o);
	info = disruptor_ring_info(ring);
	assert_int_equal(info.capacity, 32);
	assert_int_equal(info.event_size, sizeof(struct tick));
	assert_int_equal(info.event_align, DISRUPTOR_ALIGNOF(struct tick));
	assert_int_equal(info.layout, DISRUPTOR_STAMPED);
	assert_int_equal(info.producers, DISRUPTOR_MANY);
	assert_true(disruptor_type_equal(info.type, &tick_type));
	assert_true(info.event_offset >= 8);
	assert_true(info.slot_stride >= info.event_offset + info.event_size);
	assert_true(info.bytes >= 32 * info.slot_stride);
	assert_true(info.bytes < disruptor_ring_size(&tick_type, &o));
	ring_close(&ring);
}

/* T16 in spirit: remaining is 0 … capacity at every distance, never more. */
TEST(remaining_goes_from_capacity_to_zero_and_back)
{
	struct fixture f;

	fixture_open(&f, 8, 1);
	for (unsigned lap = 0; lap < 3; lap++) {
		for (uint64_t k = 0; k < 8; k++) {
			assert_int_equal(disruptor_ring_stats(f.ring).remaining, 8 - k);
			publish_ticks(&f.producer, 1);
		}
		assert_int_equal(disruptor_ring_stats(f.ring).remaining, 0);
		for (uint64_t k = 1; k <= 8; k++) {
			read_ticks(&f.consumer[0], 1);
			assert_int_equal(disruptor_ring_stats(f.ring).remaining, k);
		}
	}
	fixture_close(&f);
}

static void assert_same_stats(struct disruptor_ring *ring, const struct disruptor_ring_stats *was)
{
	struct disruptor_ring_stats now = disruptor_ring_stats(ring);

	assert_int_equal(now.claimed, was->claimed);
	assert_int_equal(now.released, was->released);
	assert_int_equal(now.remaining, was->remaining);
	assert_int_equal(now.voids, was->voids);
	assert_int_equal(now.dropped, was->dropped);
	assert_int_equal(now.slow_claims, was->slow_claims);
	assert_int_equal(now.sleeps, was->sleeps);
	assert_int_equal(now.wakes, was->wakes);
	assert_int_equal(now.consumers, was->consumers);
	assert_int_equal(now.open_producers, was->open_producers);
	assert_int_equal(now.state, was->state);
}

static void ask_everything(struct fixture *f)
{
	const char *name;
	uint64_t position;

	(void)disruptor_ring_stats(f->ring);
	(void)disruptor_ring_info(f->ring);
	for (uint64_t p = 0; p < 16; p++)
		(void)disruptor_ring_published(f->ring, p);
	(void)disruptor_ring_unpublished(f->ring, &position, &name);
	(void)disruptor_producer_position(&f->producer.view);
	(void)disruptor_claimed(&f->producer.view);
	(void)disruptor_consumer_position(&f->consumer[0].view);
	(void)disruptor_consumer_finished(&f->consumer[0].view);
	(void)tick_ready(&f->consumer[0]);
}

/* T02: asking between claim and publish publishes nothing and claims nothing. */
TEST(asking_between_claim_and_publish_changes_nothing)
{
	for (int producers = DISRUPTOR_SINGLE; producers <= DISRUPTOR_MANY; producers++) {
		struct disruptor_options o = fixture_options(8);
		struct disruptor_ring_stats was;
		struct fixture f;

		o.producers = (enum disruptor_producers)producers;
		fixture_open_with(&f, &o, 1);
		publish_ticks(&f.producer, 2);
		assert_non_null(disruptor_claim_n(&f.producer.view, 3));
		was = disruptor_ring_stats(f.ring);
		assert_int_equal(was.claimed, 5);
		for (int i = 0; i < 3; i++)
			ask_everything(&f);
		assert_same_stats(f.ring, &was);
		assert_int_equal(tick_ready(&f.consumer[0]), 2);
		assert_int_equal(disruptor_claimed(&f.producer.view), 3);
		assert_code(tick_publish(&f.producer), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 5);
		fixture_close(&f);
	}
}

/* "A position everyone can read": a single producer's claims are seen by who is not the producer. */
TEST(the_claim_position_is_readable_by_everyone)
{
	struct fixture f;

	fixture_open(&f, 8, 1);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 0);
	assert_non_null(disruptor_claim_n(&f.producer.view, 3));
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 3);
	assert_non_null(tick_claim(&f.producer));
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 4);
	assert_code(tick_publish(&f.producer), 0);
	assert_int_equal(disruptor_ring_stats(f.ring).claimed, 4);
	fixture_close(&f);
}

/* "Zeroed slots are an empty ring": position 0's stamp is not mistaken for published. */
TEST(a_fresh_ring_has_nothing_published)
{
	struct fixture f;
	const char *name = "?";
	uint64_t position = 99;

	fixture_open(&f, 4, 1);
	for (uint64_t p = 0; p < 12; p++)
		assert_false(disruptor_ring_published(f.ring, p));
	assert_false(disruptor_ring_unpublished(f.ring, &position, &name));
	assert_int_equal(position, 99);
	assert_int_equal(tick_ready(&f.consumer[0]), 0);
	fixture_close(&f);
}

/* "The gate table is not zero-initialised": entries that nobody holds do not gate. */
TEST(vacant_gates_hold_nobody_back)
{
	struct disruptor_options o = fixture_options(4);
	struct fixture f;

	o.max_consumers = DISRUPTOR_MAX_CONSUMERS;
	fixture_open_with(&f, &o, 1);
	for (int i = 0; i < 10; i++) {
		publish_ticks(&f.producer, 4);
		read_ticks(&f.consumer[0], 4);
	}
	assert_int_equal(disruptor_ring_stats(f.ring).consumers, 1);
	assert_int_equal(disruptor_ring_stats(f.ring).released, 40);
	fixture_close(&f);
}

TEST(published_is_true_for_one_lap)
{
	struct fixture f;

	fixture_open(&f, 4, 1);
	publish_ticks(&f.producer, 4);
	read_ticks(&f.consumer[0], 4);
	for (uint64_t p = 0; p < 4; p++)
		assert_true(disruptor_ring_published(f.ring, p));
	assert_non_null(tick_claim(&f.producer));
	assert_false(disruptor_ring_published(f.ring, 0)); /* its slot is claimed again */
	assert_false(disruptor_ring_published(f.ring, 4)); /* claimed, not published */
	assert_true(disruptor_ring_published(f.ring, 1));
	assert_code(tick_publish(&f.producer), 0);
	assert_true(disruptor_ring_published(f.ring, 4));
	assert_false(disruptor_ring_published(f.ring, UINT64_MAX));
	fixture_close(&f);
}

TEST(unpublished_names_the_lowest_hole_and_its_producer)
{
	struct disruptor_producer_options po = { .size = sizeof(po), .name = "feed" };
	struct disruptor_options o = fixture_options(8);
	struct disruptor_ring *ring = ring_open(&o);
	struct tick_producer p;
	struct tick_consumer c;
	const char *name = NULL;
	uint64_t position = 0;

	assert_code(tick_consumer_open(&c, ring, NULL), 0);
	assert_code(tick_producer_open(&p, ring, &po), 0);
	publish_ticks(&p, 3);
	assert_non_null(disruptor_claim_n(&p.view, 2));
	assert_int_equal(disruptor_ring_unpublished(ring, &position, &name), 1);
	assert_int_equal(position, 3);
	assert_string_equal(name, "feed");
	assert_code(disruptor_abort_n(&p.view, 1), 0);
	assert_int_equal(disruptor_ring_unpublished(ring, &position, NULL), 1);
	assert_int_equal(position, 4);
	assert_code(tick_publish(&p), 0);
	assert_int_equal(disruptor_ring_unpublished(ring, &position, NULL), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}

/* ---- slots' life ---- */

struct counted {
	unsigned init, fini;
	unsigned char *first, *last;
	bool zeroed;
};

static void count_init(void *event, void *context)
{
	struct counted *c = context;
	const struct tick *t = event;

	c->zeroed = c->zeroed && t->value == 0 && t->from == 0;
	((struct tick *)event)->from = 77;
	c->init++;
}

static void count_fini(void *event, void *context)
{
	struct counted *c = context;

	assert_int_equal(((struct tick *)event)->from, 77);
	c->fini++;
}

TEST(init_and_fini_meet_each_slot_exactly_once)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct counted counted = { .zeroed = true };
		struct disruptor_options o = fixture_options(16);
		struct fixture f;

		o.layout = (enum disruptor_layout)layout;
		o.init = count_init;
		o.fini = count_fini;
		o.context = &counted;
		fixture_open_with(&f, &o, 1);
		assert_int_equal(counted.init, 16);
		assert_true(counted.zeroed);
		publish_ticks(&f.producer, 5);
		read_ticks(&f.consumer[0], 5);
		assert_int_equal(counted.fini, 0);
		fixture_close(&f);
		assert_int_equal(counted.init, 16);
		assert_int_equal(counted.fini, 16);
	}
}

TEST(destroying_a_ring_in_use_is_refused_and_names_the_user)
{
	struct disruptor_producer_options po = { .size = sizeof(po), .name = "writer" };
	struct disruptor_consumer_options co = { .size = sizeof(co), .name = "reader" };
	struct counted counted = { .zeroed = true };
	struct disruptor_options o = fixture_options(4);
	struct disruptor_ring *ring, *same;
	struct tick_producer p;
	struct tick_consumer c;

	o.init = count_init;
	o.fini = count_fini;
	o.context = &counted;
	same = ring = ring_open(&o);
	assert_code(tick_producer_open(&p, ring, &po), 0);
	assert_code(disruptor_ring_destroy(&ring), DISRUPTOR_E_BUSY);
	assert_detail("writer");
	assert_ptr_equal(ring, same);
	assert_code(tick_consumer_open(&c, ring, &co), 0);
	assert_code(tick_producer_close(&p), 0);
	assert_code(disruptor_ring_destroy(&ring), DISRUPTOR_E_BUSY);
	assert_detail("reader");
	assert_int_equal(counted.fini, 0);
	assert_code(tick_producer_open(&p, ring, &po), 0); /* still works */
	publish_ticks(&p, 4);
	read_ticks(&c, 4);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	ring_close(&ring);
	assert_null(ring);
	assert_int_equal(counted.fini, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_capacity_is_a_power_of_two_or_refused),
		RUN(capacity_times_stride_does_not_overflow),
		RUN(each_refused_option_is_named),
		RUN(options_of_another_size_are_taken_as_far_as_they_are_known),
		RUN(free_running_is_for_one_producer),
		RUN(null_arguments_are_named),
		RUN(a_type_that_is_none_is_refused_by_name),
		RUN(a_forced_rung_is_the_rings_rung_and_auto_is_the_best),
		RUN(the_rung_under_test_is_the_one_in_use),
		RUN(every_machine_offers_fence_and_mutex),
		RUN(info_tells_what_the_ring_was_made_from),
		RUN(remaining_goes_from_capacity_to_zero_and_back),
		RUN(asking_between_claim_and_publish_changes_nothing),
		RUN(the_claim_position_is_readable_by_everyone),
		RUN(a_fresh_ring_has_nothing_published),
		RUN(vacant_gates_hold_nobody_back),
		RUN(published_is_true_for_one_lap),
		RUN(unpublished_names_the_lowest_hole_and_its_producer),
		RUN(init_and_fini_meet_each_slot_exactly_once),
		RUN(destroying_a_ring_in_use_is_refused_and_names_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
