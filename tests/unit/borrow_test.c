/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Graphs on a ring that was there before them: one of the caller's own, and one of a segment, on which
 * several have their stages. What is one process here and another there is each a view of the segment.
 */
#include "probe.h"
#include "shared.h"

#include "ring/ring.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

#define CAPACITY 64

/* ---- a ring of the caller's own ---- */

static struct disruptor *borrow(struct disruptor_ring *ring)
{
	struct disruptor *d;

	assert_code(disruptor_create_on(&d, ring, &tick_type, 0), 0);
	return d;
}

TEST(starting_and_stopping_leave_the_ring_as_it_is)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "probe");
	probe_add(&probe, d);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	publish_ticks(&p, 3);
	graph_start(d);
	probe_await(&probe, 3);
	assert_code(disruptor_stop(d, DISRUPTOR_NOW, DISRUPTOR_FOREVER), 0);
	assert_int_equal(disruptor_ring_stats(ring).state, 0);
	assert_int_equal(disruptor_state(d), DISRUPTOR_STOPPED);

	/* what comes meanwhile waits for the next run; a drain ends behind what it finds */
	publish_ticks(&p, 5);
	graph_start(d);
	graph_drain(d);
	probe_expect(&probe, 0, 8);
	publish_ticks(&p, 1);
	assert_int_equal(disruptor_ring_stats(ring).state, 0);
	graph_start(d);
	assert_code(disruptor_join(d, in_ms(20)), DISRUPTOR_E_TIMEOUT);
	assert_int_equal(disruptor_state(d), DISRUPTOR_RUNNING);
	disruptor_ring_close(ring);
	assert_code(disruptor_join(d, DISRUPTOR_FOREVER), 0);
	assert_int_equal(disruptor_state(d), DISRUPTOR_STOPPED);
	probe_expect(&probe, 0, 9);
	assert_code(disruptor_join(d, DISRUPTOR_FOREVER),
		    0); /* there is nothing more to wait for */

	/* a start reads what a closed ring has left, and does not open it */
	graph_start(d);
	assert_code(disruptor_join(d, DISRUPTOR_FOREVER), 0);
	assert_true(disruptor_ring_stats(ring).state & DISRUPTOR_STATE_CLOSED);

	assert_code(disruptor_ring_destroy(&ring), DISRUPTOR_E_BUSY);
	assert_code(disruptor_destroy(&d), 0); /* though a producer is open */
	assert_int_equal(disruptor_ring_stats(ring).consumers, 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}

TEST(a_drain_that_is_out_of_time_goes_on)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "probe");
	probe.hold_at = 2;
	probe_add(&probe, d);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	graph_start(d);
	publish_ticks(&p, 5);
	probe_await_hold(&probe);
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(10)), DISRUPTOR_E_TIMEOUT);
	publish_ticks(&p, 3); /* behind what the drain is for: not of this run */
	probe_let_go(&probe);
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN_THEN_HALT, DISRUPTOR_FOREVER), 0);
	assert_true(probe.events >= 5);
	graph_start(d);
	graph_drain(d);
	probe_expect(&probe, 0, 8);
	assert_code(disruptor_destroy(&d), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}

#if defined(DISRUPTOR_HOOKS)
/* A thread that is about to sleep, and is kept from it. */
struct keeper {
	DISRUPTOR_ATOMIC(uint64_t) wanted, kept;
};

static void keep(void *context)
{
	struct keeper *k = context;

	while (disruptor_load_acquire(&k->wanted)) {
		disruptor_store_release(&k->kept, UINT64_C(1));
		pause_ms(1);
	}
}

static bool is_kept(void *context)
{
	return disruptor_load_acquire(&((struct keeper *)context)->kept) != 0;
}

static void release_when_read(const struct probe *probe, uint64_t position)
{
	while (disruptor_stage_release(probe->stage, position) != 0)
		pause_ms(1);
}

/*
 * A deferred stage that was to end waits for all that it has read to be released. A later drain has it
 * read on, for which one release is enough; it comes while the stage is about to sleep.
 */
TEST(a_deferred_stage_reads_on_to_a_later_end)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring);
	struct keeper k = { 0 };
	struct tick_producer p;
	struct probe probe;
	uint64_t slept;

	probe_init(&probe, "journal");
	probe.handler.deferred = 4;
	probe_add(&probe, d);
	graph_map(d, DISRUPTOR_MAP_DEDICATED, 0);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	publish_ticks(&p, 4);
	hook_at(HOOK_WAIT_BEFORE_ARM, UINT_MAX, keep, &k);
	graph_start(d);
	probe_await(&probe, 4);
	await_sleeps(ring, 1);
	disruptor_store_release(&k.wanted, UINT64_C(1));
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(0)), DISRUPTOR_E_TIMEOUT);
	await("a stage that should wait for releases", is_kept, &k);
	publish_ticks(&p, 2);
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(0)), DISRUPTOR_E_TIMEOUT);
	slept = disruptor_ring_stats(ring).sleeps;
	disruptor_store_release(&k.wanted, UINT64_C(0));
	await_sleeps(ring, slept + 1);
	assert_code(disruptor_stage_release(probe.stage, 1), 0);
	probe_await(&probe, 5);
	release_when_read(&probe, 5);
	probe_await(&probe, 6);
	release_when_read(&probe, 6);
	graph_drain(d);
	hook_clear();
	probe_expect(&probe, 0, 6);
	assert_code(disruptor_destroy(&d), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
}
#endif

static void join_it(void *context)
{
	struct disruptor *d = *(struct disruptor **)context;

	if (disruptor_join(d, DISRUPTOR_FOREVER) != DISRUPTOR_E_DEADLK)
		*(struct disruptor **)context = NULL;
}

TEST(its_own_thread_cannot_join_it)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring), *seen = d;
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "probe");
	probe.act = join_it;
	probe.act_context = &seen;
	probe_add(&probe, d);
	assert_code(tick_producer_open(&p, ring, NULL), 0);
	graph_start(d);
	publish_ticks(&p, 1);
	graph_drain(d);
	assert_ptr_equal(seen, d);
	assert_code(disruptor_destroy(&d), 0);
	assert_code(tick_producer_close(&p), 0);
	ring_close(&ring);
	assert_code(disruptor_join(NULL, 0), DISRUPTOR_E_INVAL);
}

DISRUPTOR_EVENT(other, struct tick, DISRUPTOR_U64(struct tick, value));

TEST(what_it_is_created_on_is_checked)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o), *records;
	struct disruptor *d = (struct disruptor *)&o;

	assert_code(disruptor_create_on(NULL, ring, &tick_type, 0), DISRUPTOR_E_INVAL);
	assert_code(disruptor_create_on(&d, NULL, &tick_type, 0), DISRUPTOR_E_INVAL);
	assert_null(d);
	assert_detail("ring");
	assert_code(disruptor_create_on(&d, ring, NULL, 0), DISRUPTOR_E_INVAL);
	assert_detail("type");
	assert_code(disruptor_create_on(&d, ring, &tick_type, DISRUPTOR_FREE_RUN),
		    DISRUPTOR_E_INVAL);
	assert_detail("flags");
	assert_code(disruptor_create_on(&d, ring, &other_type, 0), DISRUPTOR_E_TYPE);
	o.cell = 64;
	assert_code(disruptor_ring_create(&records, disruptor_record_type(), &o), 0);
	assert_code(disruptor_create_on(&d, records, disruptor_record_type(), 0),
		    DISRUPTOR_E_UNSUPPORTED);
	assert_detail("records");
	ring_close(&records);
	ring_close(&ring);
}

TEST(what_is_for_all_of_an_order_is_refused)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring);
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .flags = DISRUPTOR_CHECK_RUN };
	struct disruptor_pool_options pool = { .size = sizeof(pool), .name = "pool" };
	struct probe probe;

	probe_init(&probe, "probe");
	pool.handlers = &probe.handler;
	pool.count = 1;
	assert_null(disruptor_pool(d, &pool));
	assert_detail("pool: not on a ring");
	assert_code(disruptor_set_checks(d, &checks), DISRUPTOR_E_UNSUPPORTED);
	assert_detail("checks: not on a ring");
	probe.handler.if_dead = DISRUPTOR_OPTIONAL;
	assert_null(disruptor_stage(d, &probe.handler));
	assert_detail("if_dead");
	assert_code(disruptor_destroy(&d), 0);
	ring_close(&ring);
}

TEST(an_order_by_names)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct disruptor_ring *ring = ring_open(&o);
	struct disruptor *d = borrow(ring);
	struct tick_consumer twin[2];
	struct probe first, second, third;
	const struct disruptor_consumer_options co = { .size = sizeof(co), .name = "twin" };
	struct disruptor_attach how = { .size = sizeof(how) };
	const char *names[1];
	struct disruptor_consumer_options bad = { .size = sizeof(bad), .after_name_count = 1 };

	probe_init(&first, "first");
	probe_init(&second, "second");
	probe_init(&third, "third");
	probe_add(&first, d);
	how.after_names = names;
	how.after_name_count = 1;
	names[0] = "nobody";
	assert_null(disruptor_attach(d, &second.handler, &how));
	assert_detail("'nobody'");
	names[0] = NULL;
	assert_null(disruptor_attach(d, &second.handler, &how));
	assert_detail("after_names[0]");
	names[0] = "first";
	second.stage = disruptor_attach(d, &second.handler, &how);
	assert_non_null(second.stage);
	assert_code(disruptor_after(first.stage, second.stage), DISRUPTOR_E_INVAL);
	assert_detail("cycle");

	/* of consumers that are no stages, too */
	assert_code(tick_consumer_open(&twin[0], ring, &co), 0);
	assert_code(tick_consumer_open(&twin[1], ring, &co), 0);
	names[0] = "twin";
	assert_null(disruptor_attach(d, &third.handler, &how));
	assert_detail("2 consumers are called 'twin'");
	assert_code(tick_consumer_close(&twin[1]), 0);
	assert_code(tick_consumer_open(&twin[1], ring, &bad), DISRUPTOR_E_INVAL);
	assert_detail("after_names");
	bad.after_names = &bad.name;
	assert_code(tick_consumer_open(&twin[1], ring, &bad), DISRUPTOR_E_INVAL);
	assert_detail("after_names[0]");
	bad.after_names = names;
	names[0] = "second";
	assert_code(tick_consumer_open(&twin[1], ring, &bad), 0);
	assert_code(tick_consumer_close(&twin[0]), 0);
	assert_code(tick_consumer_close(&twin[1]), 0);
	assert_code(disruptor_destroy(&d), 0);
	ring_close(&ring);
}

/* ---- a ring of several processes ---- */

/* One of them. */
struct process {
	struct disruptor_segment *segment;
	struct disruptor_ring *ring;
	struct disruptor *d;
};

static void enter(struct process *p)
{
	const struct disruptor_segment_options where =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY);
	struct disruptor_options o = shared_options(CAPACITY, DISRUPTOR_SINGLE);

	assert_code(disruptor_segment_open(&p->segment, "graph", &tick_type, &o, &where), 0);
	p->ring = disruptor_segment_ring(p->segment);
	p->d = borrow(p->ring);
}

static void leave(struct process *p)
{
	graph_close(&p->d);
	assert_code(disruptor_segment_close(&p->segment), 0);
}

/* It sees that @p earlier has handled what it is handed. */
struct follows {
	const struct probe *earlier;
	uint64_t too_soon;
};

static void look(void *context)
{
	struct follows *f = context;

	if (f->earlier->events == 0)
		f->too_soon++;
}

TEST(stages_of_several_processes_are_one_graph)
{
	struct process a, b, c;
	struct probe journal, risk, out;
	struct follows after_journal = { .earlier = &journal }, after_risk = { .earlier = &risk };
	struct disruptor_attach how = { .size = sizeof(how) };
	const char *const names[] = { "risk", "journal" };
	struct disruptor_diagnosis g = { .size = sizeof(g) };
	struct tick_producer p;

	enter(&a);
	enter(&b);
	enter(&c);
	probe_init(&journal, "journal");
	probe_init(&risk, "risk");
	probe_init(&out, "out");
	journal.hold_at = 0;
	risk.act = out.act = look;
	risk.act_context = &after_journal;
	out.act_context = &after_risk;
	how.after_names = &names[1];
	how.after_name_count = 1;
	assert_null(disruptor_attach(b.d, &risk.handler, &how));
	assert_code(disruptor_segment_await(b.segment, "journal", in_ms(5)), DISRUPTOR_E_TIMEOUT);
	assert_detail("'journal'");
	probe_add(&journal, a.d);
	assert_code(disruptor_segment_await(b.segment, "journal", DISRUPTOR_FOREVER), 0);
	risk.stage = disruptor_attach(b.d, &risk.handler, &how);
	assert_non_null(risk.stage);
	graph_start(a.d);
	graph_start(b.d);
	assert_code(disruptor_start(c.d), DISRUPTOR_E_STATE); /* it has none yet */
	how.after_names = names;
	how.after_name_count = 2;
	out.stage = disruptor_attach(c.d, &out.handler, &how);
	assert_non_null(out.stage);
	graph_start(c.d);

	assert_code(tick_producer_open(&p, a.ring, NULL), 0);
	publish_ticks(&p, 3);
	probe_await_hold(&journal);
	assert_int_equal(risk.events, 0);
	assert_code(disruptor_diagnose(c.d, &g), 0);
	assert_int_equal(g.stage_count, 3);
	probe_let_go(&journal);
	for (int i = 0; i < 5; i++) {
		publish_ticks(&p, CAPACITY - 3);
		probe_await(&out, 3 + (uint64_t)(i + 1) * (CAPACITY - 3));
	}
	disruptor_ring_close(a.ring);
	assert_code(disruptor_join(a.d, DISRUPTOR_FOREVER), 0);
	assert_code(disruptor_join(b.d, DISRUPTOR_FOREVER), 0);
	assert_code(disruptor_join(c.d, DISRUPTOR_FOREVER), 0);
	probe_expect(&journal, 0, 3 + 5 * (CAPACITY - 3));
	probe_expect(&risk, 0, 3 + 5 * (CAPACITY - 3));
	probe_expect(&out, 0, 3 + 5 * (CAPACITY - 3));
	assert_int_equal(after_journal.too_soon + after_risk.too_soon, 0);
	assert_code(tick_producer_close(&p), 0);
	leave(&b); /* in the middle: what comes after it comes after what it came after */
	leave(&a);
	leave(&c);
}

TEST(a_name_is_one_stages_alone)
{
	struct process a, b;
	struct probe first, second;

	enter(&a);
	enter(&b);
	probe_init(&first, "risk");
	probe_init(&second, "risk");
	probe_add(&first, a.d);
	assert_null(disruptor_stage(b.d, &second.handler));
	assert_detail("'risk' is on the ring already");
	assert_null(disruptor_attach(b.d, &second.handler, NULL));
	leave(&a);
	probe_add(&second, b.d);
	leave(&b);
}

TEST(a_failure_is_everybodys)
{
	struct process a, b;
	struct probe first, second;
	struct tick_producer p;
	struct disruptor_failure f;

	enter(&a);
	enter(&b);
	probe_init(&first, "first");
	probe_init(&second, "second");
	first.verdict_at = 2;
	first.verdict = -7;
	first.handler.reads = "*";
	second.handler.reads = "*";
	probe_add(&first, a.d);
	probe_add(&second, b.d);
	graph_start(a.d);
	graph_start(b.d);
	assert_code(tick_producer_open(&p, b.ring, NULL), 0);
	publish_ticks(&p, 5);
	assert_code(disruptor_await(b.d, DISRUPTOR_FAILED, DISRUPTOR_FOREVER), 0);
	assert_code(disruptor_join(b.d, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_detail("stage 'first' failed: on_event answered -7 at position 2");
	f = disruptor_failure(b.d);
	assert_string_equal(f.stage, "first");
	assert_string_equal(f.hook, "on_event");
	assert_int_equal(f.code, -7);
	assert_int_equal(f.position, 2);
	assert_code(disruptor_stop(a.d, DISRUPTOR_NOW, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_null(disruptor_try_claim(&p.view));
	assert_int_equal(disruptor_producer_status(&p.view), DISRUPTOR_E_FAILED);
	assert_detail("stage 'first' failed");

	/* nobody starts again before the ring is opened again */
	assert_code(disruptor_start(b.d), DISRUPTOR_E_FAILED);
	assert_detail("stage 'first' failed");
	assert_code(disruptor_ring_reopen(b.ring), 0);
	assert_int_equal(disruptor_ring_failure(a.ring).code, 0);
	graph_start(a.d);
	graph_start(b.d);
	publish_ticks(&p, 4);
	graph_drain(a.d);
	graph_drain(b.d);
	probe_expect(&second, 0, 9);
	assert_int_equal(first.events, 10); /* the failed one twice */
	assert_code(tick_producer_close(&p), 0);
	leave(&a);
	leave(&b);
}

TEST(who_was_told_to_stop_hears_of_it_too)
{
	struct process a, b;
	struct probe first, second;
	struct tick_producer p;

	enter(&a);
	enter(&b);
	probe_init(&first, "first");
	probe_init(&second, "second");
	first.verdict_at = 1;
	first.verdict = -7;
	second.hold_at = 0;
	first.handler.reads = "*";
	second.handler.reads = "*";
	probe_add(&first, a.d);
	probe_add(&second, b.d);
	graph_start(b.d);
	assert_code(tick_producer_open(&p, b.ring, NULL), 0);
	publish_ticks(&p, 2);
	probe_await_hold(&second);
	graph_run_to_failure(a.d);
	disruptor_stage_stop(second.stage);
	probe_let_go(&second);
	assert_code(disruptor_join(b.d, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_int_equal(second.events, 1);
	assert_string_equal(disruptor_failure(b.d).stage, "first");
	assert_code(tick_producer_close(&p), 0);
	leave(&a);
	leave(&b);
}

TEST(what_the_ring_says_of_a_failure_is_not_believed)
{
	struct process a;
	struct disruptor_failure f;
	struct probe probe;

	enter(&a);
	probe_init(&probe, "probe");
	probe_add(&probe, a.d);
	graph_start(a.d);
	ring_fail(a.ring,
		  &(struct disruptor_failure){ .code = -1, .stage = "other", .hook = "nonsense" });
	memset(a.ring->common->failed_stage, 'x', sizeof(a.ring->common->failed_stage));
	f = disruptor_ring_failure(a.ring);
	assert_string_equal(f.hook, "a handler");
	assert_int_equal(strlen(f.stage), 31);
	a.ring->common->failed_hook = UINT32_MAX;
	assert_string_equal(disruptor_ring_failure(a.ring).hook, "a handler");
	assert_code(disruptor_join(a.d, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_detail("a handler answered -1");
	leave(&a);
}

/* ---- who waits for several things, and is told by another process ---- */

struct waiting {
	struct disruptor_consumer *of[2];
	uint64_t read[2];
	int64_t ended;
};

static void wait_for_any(void *argument)
{
	struct waiting *w = argument;
	int64_t i;

	while ((i = disruptor_wait_any(w->of, 2, DISRUPTOR_FOREVER)) >= 0) {
		uint64_t n = disruptor_ready(w->of[i]);

		if (n == 0 && disruptor_consumer_finished(w->of[i]))
			break;
		w->read[i] += n;
		(void)disruptor_release(w->of[i], n);
	}
	w->ended = i;
}

TEST(one_wait_for_two_is_ended_by_another_process)
{
	const struct disruptor_consumer_options co = {
		.size = sizeof(co), .wait = { .kind = DISRUPTOR_WAIT_BLOCKING }
	};
	struct process a, b;
	struct tick_consumer one, two;
	struct tick_producer p;
	struct waiting w = { .of = { &one.view, &two.view } };
	struct runner waiter;

	enter(&a);
	enter(&b);
	assert_code(tick_consumer_open(&one, b.ring, &co), 0);
	assert_code(tick_consumer_open(&two, b.ring, &co), 0);
	assert_code(tick_producer_open(&p, a.ring, NULL), 0);
	runner_start(&waiter, "waiter", wait_for_any, &w);
	for (uint64_t i = 0; i < 200; i++) {
		await_sleeps(b.ring, i + 1);
		publish_ticks(&p, 1);
		while (disruptor_ring_stats(a.ring).released != i + 1)
			pause_ms(1);
	}
	disruptor_ring_close(a.ring);
	runner_join(&waiter);
	assert_int_equal(w.read[0], 200);
	assert_int_equal(w.read[1], 200);
	assert_true(w.ended >= 0);
	assert_code(tick_consumer_close(&one), 0);
	assert_code(tick_consumer_close(&two), 0);
	assert_code(tick_producer_close(&p), 0);
	leave(&a);
	leave(&b);
}

TEST(a_descriptor_is_set_by_another_process)
{
	struct process a, b;
	struct tick_consumer c;
	struct tick_producer p;
	struct pollfd event = { .events = POLLIN };

	enter(&a);
	enter(&b);
	assert_code(tick_consumer_open(&c, b.ring, NULL), 0);
	assert_code(tick_producer_open(&p, a.ring, NULL), 0);
	event.fd = disruptor_consumer_fd(&c.view);
	assert_true(event.fd >= 0);
	for (uint64_t i = 0; i < 200; i++) {
		/* it may be set for nothing: then it is armed anew */
		do
			assert_int_equal(disruptor_consumer_arm(&c.view), 0);
		while (poll(&event, 1, 1) == 1);
		publish_ticks(&p, 1);
		assert_int_equal(poll(&event, 1, WATCHDOG_MS), 1);
		assert_int_equal(disruptor_consumer_arm(&c.view), 1);
		read_ticks(&c, 1);
	}
	do
		assert_int_equal(disruptor_consumer_arm(&c.view), 0);
	while (poll(&event, 1, 1) == 1);
	disruptor_ring_close(a.ring);
	assert_int_equal(poll(&event, 1, WATCHDOG_MS), 1);
	assert_int_equal(disruptor_consumer_arm(&c.view), DISRUPTOR_E_CLOSED);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(tick_producer_close(&p), 0);
	leave(&a);
	leave(&b);
}

TEST(stages_that_share_a_thread_are_told_by_another_process)
{
	struct process a, b;
	struct probe first, second, other;
	struct tick_producer p;

	enter(&a);
	enter(&b);
	probe_init(&first, "first");
	probe_init(&second, "second");
	probe_init(&other, "other");
	first.handler.reads = second.handler.reads = other.handler.reads = "*";
	probe_add(&first, b.d);
	probe_add(&second, b.d);
	assert_code(disruptor_after(second.stage, first.stage), 0);
	probe_add(&other, a.d);
	graph_map(b.d, DISRUPTOR_MAP_SHARED, 1);
	graph_start(b.d);
	graph_start(a.d);
	assert_code(tick_producer_open(&p, a.ring, NULL), 0);
	for (uint64_t i = 0; i < 100; i++) {
		publish_ticks(&p, 1);
		probe_await(&second, i + 1);
		probe_await(&other, i + 1);
	}
	disruptor_ring_close(a.ring);
	assert_code(disruptor_join(b.d, DISRUPTOR_FOREVER), 0);
	assert_code(disruptor_join(a.d, DISRUPTOR_FOREVER), 0);
	probe_expect(&second, 0, 100);
	assert_code(tick_producer_close(&p), 0);
	leave(&a);
	leave(&b);
}

int main(void)
{
	const struct CMUnitTest alone[] = {
		RUN(starting_and_stopping_leave_the_ring_as_it_is),
		RUN(a_drain_that_is_out_of_time_goes_on),
#if defined(DISRUPTOR_HOOKS)
		RUN(a_deferred_stage_reads_on_to_a_later_end),
#endif
		RUN(its_own_thread_cannot_join_it),
		RUN(what_it_is_created_on_is_checked),
		RUN(what_is_for_all_of_an_order_is_refused),
		RUN(an_order_by_names),
	};
	const struct CMUnitTest together[] = {
		RUN(stages_of_several_processes_are_one_graph),
		RUN(a_name_is_one_stages_alone),
		RUN(a_failure_is_everybodys),
		RUN(who_was_told_to_stop_hears_of_it_too),
		RUN(one_wait_for_two_is_ended_by_another_process),
		RUN(a_descriptor_is_set_by_another_process),
		RUN(stages_that_share_a_thread_are_told_by_another_process),
		RUN(what_the_ring_says_of_a_failure_is_not_believed),
	};
	int failed = cmocka_run_group_tests_name("borrow", alone, NULL, NULL);

	if (failed || !shared_there_are())
		return failed;
	return cmocka_run_group_tests_name("borrow together", together, shared_setup,
					   shared_teardown);
}
