/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Figures of stages and producers: exact at rest, kept from each other, and off when not wanted. */
#include "probe.h"

#include "graph/graph_internal.h"

#include <string.h>

#define BATCH 8

struct counted {
	struct disruptor *d;
	struct probe probe[2];
	struct tick_producer producer;
};

/* Two stages in a row; the first takes at most BATCH at a time. */
static void counted_open(struct counted *c, uint64_t capacity, unsigned flags)
{
	struct disruptor_options options = fixture_options(capacity);

	options.flags = flags;
	c->d = graph_open(&options);
	probe_init(&c->probe[0], "first");
	probe_init(&c->probe[1], "second");
	c->probe[0].handler.batch = BATCH;
	probe_add(&c->probe[0], c->d);
	probe_add(&c->probe[1], c->d);
	assert_code(disruptor_after(c->probe[1].stage, c->probe[0].stage), 0);
	probe_producer(&c->producer, c->d);
}

static void counted_close(struct counted *c)
{
	assert_code(tick_producer_close(&c->producer), 0);
	graph_close(&c->d);
}

static struct disruptor_stage_stats stats_of(const struct probe *p)
{
	struct disruptor_stage_stats s = { .size = sizeof(s) };

	assert_code(disruptor_stage_stats(p->stage, &s), 0);
	assert_int_equal(s.size, sizeof(s));
	return s;
}

TEST(before_anything_has_run_all_is_zero)
{
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, 0);
	s = stats_of(&c.probe[0]);
	assert_string_equal(s.name, "first");
	assert_int_equal(s.events + s.batches + s.batch_max + s.lag + s.lag_max + s.batch_at, 0);
	assert_true(s.batch_mean >= 0 && s.batch_mean <= 0);
	counted_close(&c);
}

TEST(a_drained_run_is_counted_exactly)
{
	struct disruptor_stage_stats s;
	struct counted c;
	uint64_t before;

	counted_open(&c, 64, 0);
	probe_publish(&c.producer, 2 * BATCH + 4); /* before the start: batches of 8, 8, 4 */
	before = disruptor_now();
	graph_start(c.d);
	probe_await(&c.probe[1], 2 * BATCH + 4);
	graph_drain(c.d);

	s = stats_of(&c.probe[0]);
	assert_int_equal(s.events, 2 * BATCH + 4);
	assert_int_equal(s.batches, 3);
	assert_int_equal(s.batch_max, BATCH);
	assert_true(s.batch_mean > 6.66 && s.batch_mean < 6.67);
	assert_int_equal(s.position, 2 * BATCH + 4);
	assert_int_equal(s.lag, 0);
	assert_int_equal(s.lag_max, 2 * BATCH + 4); /* seen as the first batch began */
	/* a tick of the coarse clock, at most some milliseconds, early */
	assert_true(s.batch_at + 100000000 > before && s.batch_at <= disruptor_now());

	s = stats_of(&c.probe[1]);
	assert_int_equal(s.events, 2 * BATCH + 4);
	assert_int_equal(s.batches, c.probe[1].batches);
	counted_close(&c);
}

TEST(voids_are_no_events)
{
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, 0);
	probe_publish(&c.producer, 2);
	assert_non_null(tick_claim(&c.producer));
	assert_code(tick_abort(&c.producer), 0);
	probe_publish(&c.producer, 3);
	assert_non_null(tick_claim(&c.producer));
	assert_code(tick_abort(&c.producer), 0);
	graph_start(c.d);
	graph_drain(c.d);
	s = stats_of(&c.probe[0]);
	assert_int_equal(s.events, 5);
	assert_int_equal(s.batches, 1);
	assert_int_equal(s.batch_max, 5);
	assert_int_equal(s.position, 7);
	counted_close(&c);
}

TEST(a_batch_that_stops_counts_as_far_as_it_came)
{
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, 0);
	c.probe[0].verdict_at = 2;
	c.probe[0].verdict = DISRUPTOR_STOP;
	probe_publish(&c.producer, BATCH);
	graph_start(c.d);
	probe_await_stops(&c.probe[0], 1);
	assert_code(disruptor_stop(c.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	s = stats_of(&c.probe[0]);
	assert_int_equal(s.events, 3);
	assert_int_equal(s.batches, 1);
	assert_int_equal(s.lag, BATCH - 3);
	counted_close(&c);
}

TEST(what_comes_again_is_counted_once)
{
	const struct disruptor_policy patient = { .size = sizeof(patient),
						  .remedy = DISRUPTOR_REMEDY_REWIND,
						  .times = 1,
						  .then = DISRUPTOR_REMEDY_SKIP };
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, 0);
	c.probe[0].verdict_at = 2;
	c.probe[0].verdict = DISRUPTOR_REWIND;
	assert_code(disruptor_stage_set_policy(c.probe[0].stage, &patient), 0);
	probe_publish(&c.producer, BATCH);
	graph_start(c.d);
	graph_drain(c.d);
	s = stats_of(&c.probe[0]);
	assert_int_equal(s.events, BATCH);
	assert_int_equal(s.batches, 1);
	assert_int_equal(s.rewinds, 1);
	assert_int_equal(s.skipped + s.retries, 0);
	counted_close(&c);
}

/* Two probes in a row, the first held at its first event: it lags, the second does not. */
TEST(a_lag_is_the_stages_own)
{
	struct disruptor_stage_stats s[3];
	struct counted c;

	counted_open(&c, 64, 0);
	disruptor_store_release(&c.probe[0].hold_at, UINT64_C(0));
	probe_publish(&c.producer, 40);
	graph_start(c.d);
	probe_await_hold(&c.probe[0]);
	memset(s, 0, sizeof(s));
	s[0].size = sizeof(s[0]);
	assert_int_equal(disruptor_stats(c.d, s, 3), 2);
	assert_string_equal(s[0].name, "first");
	assert_string_equal(s[1].name, "second");
	assert_null(s[2].name);
	assert_int_equal(s[0].lag, 40);
	assert_int_equal(s[0].lag_max, 40);
	assert_int_equal(s[1].lag, 0);
	assert_int_equal(s[0].events, 0);
	probe_let_go(&c.probe[0]);
	graph_drain(c.d);
	s[0] = stats_of(&c.probe[0]);
	assert_int_equal(s[0].lag, 0);
	assert_int_equal(s[0].lag_max, 40); /* the high-water mark stays */
	counted_close(&c);
}

TEST(without_stats_nothing_is_counted_but_what_costs_nothing)
{
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, DISRUPTOR_NO_STATS);
	probe_publish(&c.producer, 20);
	graph_start(c.d);
	graph_drain(c.d);
	s = stats_of(&c.probe[0]);
	assert_int_equal(s.events + s.batches + s.batch_max + s.lag_max + s.batch_at, 0);
	assert_int_equal(s.position, 20);
	counted_close(&c);
}

TEST(a_bare_ring_has_no_flag_for_it)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_ring *ring;

	options.flags = DISRUPTOR_NO_STATS;
	assert_code(disruptor_ring_create(&ring, &tick_type, &options), DISRUPTOR_E_INVAL);
}

/* A caller compiled against an older header gets what it knows of; a newer one, zeroes beyond. */
TEST(only_as_much_is_written_as_the_size_says)
{
	struct {
		struct disruptor_stage_stats s;
		uint64_t beyond;
	} newer;
	struct disruptor_stage_stats s;
	struct counted c;

	counted_open(&c, 64, 0);
	memset(&s, 0x5a, sizeof(s));
	s.size = offsetof(struct disruptor_stage_stats, events);
	assert_code(disruptor_stage_stats(c.probe[0].stage, &s), 0);
	assert_int_equal(s.size, offsetof(struct disruptor_stage_stats, events));
	assert_int_equal(s.position, 0);
	assert_int_equal(s.events, UINT64_C(0x5a5a5a5a5a5a5a5a));
	newer.s.size = sizeof(newer);
	newer.beyond = 1;
	assert_code(disruptor_stage_stats(c.probe[0].stage, &newer.s), 0);
	assert_int_equal(newer.beyond, 0);

	s.size = 0;
	assert_code(disruptor_stage_stats(c.probe[0].stage, &s), DISRUPTOR_E_VERSION);
	assert_code(disruptor_stats(c.d, &s, 1), DISRUPTOR_E_VERSION);
	assert_code(disruptor_stage_stats(c.probe[0].stage, NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_stage_stats(NULL, &s), DISRUPTOR_E_INVAL);
	assert_code(disruptor_stats(c.d, NULL, 1), DISRUPTOR_E_INVAL);
	assert_int_equal(disruptor_stats(c.d, NULL, 0), 2);
	counted_close(&c);
}

TEST(producers_are_told_by_name)
{
	const struct disruptor_producer_options dropping = { .size = sizeof(dropping),
							     .name = "gw",
							     .overflow = DISRUPTOR_DROP };
	struct disruptor_options options = fixture_options(4);
	struct disruptor_producer_stats s[3] = { { .size = sizeof(s[0]) } };
	struct tick_producer gw, other;
	struct disruptor *d;
	struct probe p;

	options.producers = DISRUPTOR_MANY;
	d = graph_open(&options);
	probe_init(&p, "only");
	probe_add(&p, d);
	assert_code(tick_producer_open(&gw, disruptor_ring(d), &dropping), 0);
	probe_producer(&other, d);
	probe_publish(&gw, 4);
	assert_null(tick_claim(&gw));
	assert_int_equal(disruptor_producer_stats(d, s, 3), 2);
	assert_string_equal(s[0].name, "gw");
	assert_int_equal(s[0].dropped, 1);
	assert_true(s[0].slow_claims > 0);
	assert_int_equal(s[0].blocked_ns, 0);
	assert_string_equal(s[1].name, "producer");
	assert_int_equal(s[1].dropped, 0);
	assert_code(tick_producer_close(&gw), 0);
	assert_int_equal(disruptor_producer_stats(d, s, 1), 1);
	assert_string_equal(s[0].name, "producer");
	assert_code(tick_producer_close(&other), 0);
	graph_close(&d);
}

TEST(figures_lie_apart_from_what_others_write)
{
	assert_true(offsetof(struct stage_figures, events) >= DISRUPTOR_APART);
	assert_true(sizeof(struct stage_figures) - offsetof(struct stage_figures, off) >=
		    DISRUPTOR_APART);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(before_anything_has_run_all_is_zero),
		RUN(a_drained_run_is_counted_exactly),
		RUN(voids_are_no_events),
		RUN(a_batch_that_stops_counts_as_far_as_it_came),
		RUN(what_comes_again_is_counted_once),
		RUN(a_lag_is_the_stages_own),
		RUN(without_stats_nothing_is_counted_but_what_costs_nothing),
		RUN(a_bare_ring_has_no_flag_for_it),
		RUN(only_as_much_is_written_as_the_size_says),
		RUN(producers_are_told_by_name),
		RUN(figures_lie_apart_from_what_others_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
