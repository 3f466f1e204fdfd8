/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A consumer that comes while claims are open: it holds back what is not published, misses nothing
 * that is published later, and leaves no producer asleep. And runs that nobody holds back.
 */
#include "fixture.h"

#include <string.h>

static struct disruptor_ring *open_many(uint64_t capacity)
{
	struct disruptor_options options = fixture_options(capacity);

	options.producers = DISRUPTOR_MANY;
	return ring_open(&options);
}

/* ---- a producer that sleeps because of the provisional gate ---- */

struct provisional {
	struct disruptor_ring *ring;
	struct tick_producer producer;
	struct tick_consumer first, second;
	struct runner runner;
	struct tick *claimed;
};

static void claim_when_there_is_room(void *context)
{
	struct provisional *p = context;

	disruptor_producer_handoff(&p->producer.view);
	p->claimed = tick_claim(&p->producer);
}

/* The ring goes once round while the new gate stands at 0; the next claim sleeps for it. */
static void go_round(void *context)
{
	struct provisional *p = context;

	publish_ticks(&p->producer, 4);
	read_ticks(&p->first, 4);
	runner_start(&p->runner, "a producer behind a provisional gate", claim_when_there_is_room,
		     p);
	await_sleeps(p->ring, 1);
}

TEST(a_producer_asleep_behind_a_provisional_gate_is_woken)
{
	for (int many = 0; many < 2; many++) {
		struct disruptor_options options = fixture_options(4);
		struct provisional p = { 0 };

		options.producers = many ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
		p.ring = ring_open(&options);
		assert_code(tick_producer_open(&p.producer, p.ring, NULL), 0);
		assert_code(tick_consumer_open(&p.first, p.ring, NULL), 0);
		hook_at(HOOK_ATTACH_PROVISIONAL, 1, go_round, &p);
		assert_code(tick_consumer_open(&p.second, p.ring, NULL), 0);
		assert_int_equal(hook_calls(), 1);
		runner_join(&p.runner);
		hook_clear();
		assert_non_null(p.claimed);
		p.claimed->value = 4;
		disruptor_producer_handoff(&p.producer.view);
		assert_code(tick_publish(&p.producer), 0);
		assert_int_equal(disruptor_consumer_position(&p.second.view), 4);
		read_ticks(&p.first, 1);
		read_ticks(&p.second, 1);
		assert_code(tick_consumer_close(&p.second), 0);
		assert_code(tick_consumer_close(&p.first), 0);
		assert_code(tick_producer_close(&p.producer), 0);
		ring_close(&p.ring);
	}
}

/* ---- a claimed slot has one owner ---- */

TEST(a_slot_that_one_producer_fills_is_not_claimed_by_another)
{
	struct disruptor_ring *ring = open_many(4);
	struct tick_producer slow, quick;
	struct tick_consumer leaves, stays;
	struct tick *open;

	assert_code(tick_consumer_open(&leaves, ring, NULL), 0);
	assert_code(tick_producer_open(&slow, ring, NULL), 0);
	assert_code(tick_producer_open(&quick, ring, NULL), 0);
	open = tick_try_claim(&slow);
	assert_non_null(open);
	open->value = 0;
	assert_code(tick_consumer_open(&stays, ring, NULL), 0);
	assert_int_equal(disruptor_consumer_position(&stays.view), 0);
	assert_code(tick_consumer_close(&leaves), 0);
	publish_ticks(&quick, 3);
	assert_int_equal(tick_ready(&stays), 0);
	assert_null(tick_try_claim(&quick));
	assert_code(tick_status(&quick), DISRUPTOR_E_FULL);
	assert_code(tick_publish(&slow), 0);
	read_ticks(&stays, 4);
	publish_ticks(&quick, 4);
	read_ticks(&stays, 4);
	assert_code(tick_consumer_close(&stays), 0);
	assert_code(tick_producer_close(&quick), 0);
	assert_code(tick_producer_close(&slow), 0);
	ring_close(&ring);
}

TEST(an_open_run_does_not_grow_beyond_the_ring_when_its_reader_is_replaced)
{
	struct tick_consumer second;
	struct fixture f;

	fixture_open(&f, 4, 1);
	assert_non_null(tick_claim_n(&f.producer, 3));
	assert_code(tick_consumer_open(&second, f.ring, NULL), 0);
	assert_code(tick_consumer_close(&f.consumer[0]), 0);
	assert_null(disruptor_try_claim_n(&f.producer.view, 2));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_FULL);
	assert_null(tick_claim_n(&f.producer, 4));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_DEADLK);
	assert_int_equal(disruptor_claimed(&f.producer.view), 3);
	for (uint64_t i = 0; i < 3; i++)
		((struct tick *)disruptor_claimed_at(&f.producer.view, i))->value = i;
	assert_code(tick_publish(&f.producer), 0);
	read_ticks(&second, 3);
	assert_code(tick_consumer_close(&second), 0);
	fixture_close(&f);
}

/* Without a consumer nothing but the run itself holds a free-running producer back. */
TEST(a_free_run_is_no_longer_than_the_ring)
{
	for (uint64_t step = 1; step <= 4; step++) {
		struct disruptor_options options = fixture_options(4);
		struct fixture f;

		options.flags = DISRUPTOR_FREE_RUN;
		fixture_open_with(&f, &options, 0);
		for (int lap = 0; lap < 3; lap++) {
			while (disruptor_try_claim_n(&f.producer.view, step))
				assert_in_range(disruptor_claimed(&f.producer.view), 1, 4);
			assert_code(tick_status(&f.producer), DISRUPTOR_E_FULL);
			assert_int_equal(disruptor_claimed(&f.producer.view), 4 / step * step);
			if (step != 3) {
				assert_null(tick_claim(&f.producer));
				assert_code(tick_status(&f.producer), DISRUPTOR_E_DEADLK);
				assert_int_equal(tick_claim_up_to(&f.producer, 4), 0);
			} else {
				assert_int_equal(tick_claim_up_to(&f.producer, 4), 1);
			}
			assert_int_equal(disruptor_claimed(&f.producer.view), 4);
			/* what is published makes room again, no more and no less */
			assert_code(tick_publish_n(&f.producer, 1), 0);
			assert_int_equal(tick_claim_up_to(&f.producer, 4), 1);
			assert_null(tick_try_claim(&f.producer));
			assert_code(tick_publish(&f.producer), 0);
		}
		fixture_close(&f);
	}
}

TEST(many_producers_cannot_run_free)
{
	struct disruptor_options options = fixture_options(4);
	struct disruptor_ring *ring = NULL;
	struct disruptor *d = NULL;

	options.producers = DISRUPTOR_MANY;
	options.flags = DISRUPTOR_FREE_RUN;
	assert_code(disruptor_ring_create(&ring, &tick_type, &options), DISRUPTOR_E_INVAL);
	assert_detail("DISRUPTOR_FREE_RUN");
	assert_null(ring);
	assert_int_equal(disruptor_ring_size(&tick_type, &options), 0);
	assert_code(disruptor_create(&d, &tick_type, &options), DISRUPTOR_E_INVAL);
	assert_null(d);
	options.producers = DISRUPTOR_SINGLE;
	ring = ring_open(&options);
	ring_close(&ring);
}

/* ---- a packed ring, whose claims go back when they are given up ---- */

static void packed_open(struct fixture *f)
{
	struct disruptor_options options = fixture_options(8);

	options.layout = DISRUPTOR_PACKED;
	fixture_open_with(f, &options, 1);
	publish_ticks(&f->producer, 2);
	read_ticks(&f->consumer[0], 2);
	assert_non_null(tick_claim_n(&f->producer, 3));
}

/* The positions that were given up are claimed again, and both see them. */
static void packed_shows_all(struct fixture *f, struct tick_consumer *late)
{
	publish_ticks(&f->producer, 4);
	assert_int_equal(disruptor_consumer_position(&late->view), 2);
	read_ticks(late, 4);
	read_ticks(&f->consumer[0], 4);
	assert_code(tick_consumer_close(late), 0);
	fixture_close(f);
}

TEST(a_run_given_up_after_an_attach_hides_nothing_from_the_new_consumer)
{
	struct tick_consumer late;
	struct fixture f;

	packed_open(&f);
	assert_code(tick_consumer_open(&late, f.ring, NULL), 0);
	assert_code(tick_abort(&f.producer), 0);
	packed_shows_all(&f, &late);
}

struct giving_up {
	struct fixture f;
	struct runner runner;
	int rc;
};

static void give_up(void *context)
{
	struct giving_up *g = context;

	disruptor_producer_handoff(&g->f.producer.view);
	g->rc = tick_abort(&g->f.producer);
}

static void start_giving_up(void *context)
{
	struct giving_up *g = context;

	runner_start(&g->runner, "an abort during an attach", give_up, g);
	pause_ms(2); /* whether it comes before or after the gate has its place, all is seen */
}

TEST(a_run_given_up_during_an_attach_hides_nothing_from_the_new_consumer)
{
	for (int round = 0; round < 10; round++) {
		struct giving_up g = { .rc = 1 };
		struct tick_consumer late;

		packed_open(&g.f);
		hook_at(HOOK_ATTACH_PROVISIONAL, 1, start_giving_up, &g);
		assert_code(tick_consumer_open(&late, g.f.ring, NULL), 0);
		runner_join(&g.runner);
		hook_clear();
		assert_code(g.rc, 0);
		disruptor_producer_handoff(&g.f.producer.view);
		packed_shows_all(&g.f, &late);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_producer_asleep_behind_a_provisional_gate_is_woken),
		RUN(a_slot_that_one_producer_fills_is_not_claimed_by_another),
		RUN(an_open_run_does_not_grow_beyond_the_ring_when_its_reader_is_replaced),
		RUN(a_free_run_is_no_longer_than_the_ring),
		RUN(many_producers_cannot_run_free),
		RUN(a_run_given_up_after_an_attach_hides_nothing_from_the_new_consumer),
		RUN(a_run_given_up_during_an_attach_hides_nothing_from_the_new_consumer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
