/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stages that read ahead of what they release. */
#include "probe.h"

struct deferral {
	struct disruptor *d;
	struct tick_producer p;
	struct probe probe;
	struct probe later; /* after it */
};

static void begin(struct deferral *f, uint64_t capacity, uint32_t ahead)
{
	struct disruptor_options options = fixture_options(capacity);

	f->d = graph_open(&options);
	probe_init(&f->probe, "journal");
	f->probe.handler.deferred = ahead;
	probe_add(&f->probe, f->d);
	probe_init(&f->later, "later");
	probe_add(&f->later, f->d);
	assert_code(disruptor_after(f->later.stage, f->probe.stage), 0);
	probe_producer(&f->p, f->d);
}

static void finish(struct deferral *f)
{
	assert_code(tick_producer_close(&f->p), 0);
	graph_close(&f->d);
}

static bool has_read(void *context)
{
	const struct deferral *f = context;

	return disruptor_stage_read(f->probe.stage) == 4;
}

TEST(what_is_read_is_not_released_until_it_is_said_so)
{
	struct deferral f;

	begin(&f, 8, 8);
	graph_start(f.d);
	probe_publish(&f.p, 4);
	await("a stage that should have read four events", has_read, &f);
	assert_int_equal(disruptor_stage_position(f.probe.stage), 0);
	assert_int_equal(f.later.events, 0);
	assert_code(disruptor_stage_release(f.probe.stage, 5), DISRUPTOR_E_INVAL);
	assert_detail("'journal' has read up to 4 only");
	assert_code(disruptor_stage_release(f.probe.stage, 3), 0);
	assert_int_equal(disruptor_stage_position(f.probe.stage), 3);
	probe_await(&f.later, 3);
	assert_code(disruptor_stage_release(f.probe.stage, 2), 0); /* it was already */
	assert_int_equal(disruptor_stage_position(f.probe.stage), 3);
	assert_code(disruptor_stage_release(f.probe.stage, 4), 0);
	graph_drain(f.d);
	assert_int_equal(f.later.events, 4);
	finish(&f);
}

TEST(it_holds_producers_back)
{
	struct deferral f;

	begin(&f, 4, 4);
	graph_start(f.d);
	probe_publish(&f.p, 4);
	await("a stage that should have read four events", has_read, &f);
	assert_null(tick_try_claim(&f.p));
	assert_code(disruptor_stage_release(f.probe.stage, 1), 0);
	probe_await(&f.later, 1);
	probe_publish(&f.p, 1); /* waits until `later` has released it, too */
	assert_code(disruptor_stage_release(f.probe.stage, 4), 0);
	probe_await(&f.probe, 5);
	while (disruptor_stage_release(f.probe.stage, 5) != 0)
		pause_ms(1); /* handed out, not yet read to the end */
	graph_drain(f.d);
	finish(&f);
}

TEST(it_reads_no_further_ahead_than_it_may)
{
	for (int mapping = DISRUPTOR_MAP_DEDICATED; mapping <= DISRUPTOR_MAP_SHARED; mapping++) {
		struct deferral f;

		begin(&f, 16, 3);
		graph_map(f.d, (enum disruptor_mapping)mapping, mapping == DISRUPTOR_MAP_SHARED);
		probe_publish(&f.p, 12);
		graph_start(f.d);
		for (uint64_t released = 0; released < 12; released++) {
			probe_await(&f.probe, released + 3 < 12 ? released + 3 : 12);
			pause_ms(1);
			assert_true(disruptor_load_relaxed(&f.probe.events) <= released + 3);
			while (disruptor_stage_release(f.probe.stage, released + 1) != 0)
				pause_ms(1);
		}
		graph_drain(f.d);
		probe_expect(&f.later, 0, 12);
		finish(&f);
	}
}

TEST(voids_need_no_release)
{
	struct deferral f;

	begin(&f, 16, 16);
	graph_start(f.d);
	probe_publish(&f.p, 2);
	/* behind events that are not released … */
	assert_non_null(tick_claim(&f.p));
	assert_code(tick_abort(&f.p), 0);
	probe_publish(&f.p, 1);
	probe_await(&f.probe, 3);
	while (disruptor_stage_release(f.probe.stage, 2) != 0)
		pause_ms(1);
	assert_int_equal(disruptor_stage_position(f.probe.stage), 3);
	while (disruptor_stage_release(f.probe.stage, 4) != 0)
		pause_ms(1);
	/* … and with nothing before them, so that only the stage itself comes to them */
	assert_non_null(tick_claim(&f.p));
	assert_code(tick_abort(&f.p), 0);
	graph_drain(f.d);
	assert_int_equal(disruptor_stage_position(f.probe.stage), 5);
	assert_int_equal(disruptor_stage_position(f.later.stage), 5);
	finish(&f);
}

TEST(a_drain_waits_for_releases_and_tells_which)
{
	struct deferral f;

	begin(&f, 8, 8);
	graph_start(f.d);
	probe_publish(&f.p, 4);
	await("a stage that should have read four events", has_read, &f);
	assert_code(disruptor_stage_release(f.probe.stage, 1), 0);
	assert_code(disruptor_stop(f.d, DISRUPTOR_DRAIN, in_ms(20)), DISRUPTOR_E_TIMEOUT);
	assert_detail("'journal' has read up to position 4 and released up to 1");
	assert_code(disruptor_stage_release(f.probe.stage, 4), 0);
	assert_code(disruptor_stop(f.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	assert_int_equal(f.later.events, 4);
	finish(&f);
}

TEST(a_halt_keeps_what_was_read_for_later_releases)
{
	struct deferral f;

	begin(&f, 8, 8);
	graph_start(f.d);
	probe_publish(&f.p, 4);
	await("a stage that should have read four events", has_read, &f);
	assert_code(disruptor_stop(f.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_detail("'journal' has read up to position 4 and released up to 0");
	assert_code(disruptor_stage_release(f.probe.stage, 2), 0);
	graph_start(f.d);
	probe_publish(&f.p, 1);
	probe_await(&f.probe, 5); /* it went on at the next event */
	while (disruptor_stage_release(f.probe.stage, 5) != 0)
		pause_ms(1);
	graph_drain(f.d);
	probe_expect(&f.probe, 0, 5);
	probe_expect(&f.later, 0, 5);
	finish(&f);
}

TEST(only_deferred_stages_are_released_so)
{
	struct deferral f;

	begin(&f, 8, 8);
	assert_code(disruptor_stage_release(f.later.stage, 0), DISRUPTOR_E_STATE);
	assert_detail("'later'");
	finish(&f);
}

TEST(more_ahead_than_the_ring_holds_is_refused)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct probe probe;

	probe_init(&probe, "journal");
	probe.handler.deferred = 9;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("deferred: 9");
	graph_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(what_is_read_is_not_released_until_it_is_said_so),
		RUN(it_holds_producers_back),
		RUN(it_reads_no_further_ahead_than_it_may),
		RUN(voids_need_no_release),
		RUN(a_drain_waits_for_releases_and_tells_which),
		RUN(a_halt_keeps_what_was_read_for_later_releases),
		RUN(only_deferred_stages_are_released_so),
		RUN(more_ahead_than_the_ring_holds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
