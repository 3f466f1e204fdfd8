/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A checked run: a handler that writes what it does not declare fails the ring. */
#include "probe.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY 8

struct order {
	int64_t price;
	uint8_t side;              /* padding behind it */
	_Alignas(8) int64_t value; /* as it is anyway, but on 32-bit x86 */
	int64_t tax;
};

DISRUPTOR_EVENT(order, struct order,
	DISRUPTOR_I64(struct order, price),
	DISRUPTOR_U8(struct order, side),
	DISRUPTOR_I64(struct order, value),
	DISRUPTOR_I64(struct order, tax));

#define PADDING (offsetof(struct order, side) + 3)

/* A handler that adds 1 to some bytes of each event, and 1 to another at one position. */
struct writer {
	const char *name, *reads, *writes;
	size_t always;     /* a byte of each event, its own */
	uint64_t wrong_at; /* the position at which it … */
	size_t wrong;      /* … writes this byte, too */
	int verdict;       /* what it answers then */
	struct disruptor_stage *stage;
	DISRUPTOR_ATOMIC(uint64_t) * inside; /* if not NULL: handlers in each event, a counter each */
	uint64_t met, calls;
};

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct writer *w = context;
	unsigned char *bytes = event;

	(void)last;
	w->calls++;
	if (w->inside) {
		w->met += disruptor_fetch_add_relaxed(&w->inside[position], UINT64_C(1));
		pause_ms(1);
		disruptor_fetch_add_relaxed(&w->inside[position], UINT64_MAX);
	}
	bytes[w->always]++;
	if (position != w->wrong_at)
		return DISRUPTOR_CONTINUE;
	bytes[w->wrong]++;
	return w->verdict;
}

static struct disruptor *open_checked(struct disruptor_options options, unsigned flags)
{
	const struct disruptor_checks checks = { .size = sizeof(checks), .flags = flags };
	struct disruptor *d;

	assert_code(disruptor_create(&d, &order_type, &options), 0);
	assert_code(disruptor_set_checks(d, &checks), 0);
	return d;
}

static struct disruptor_stage *add(struct disruptor *d, struct writer *w)
{
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = w->name,
				       .context = w,
				       .reads = w->reads,
				       .writes = w->writes };

	h.on_event = on_event;
	w->stage = disruptor_stage(d, &h);
	if (!w->stage)
		fail_msg("%s", disruptor_error_detail());
	return w->stage;
}

static struct writer writer(const char *name, const char *writes, size_t always)
{
	return (struct writer){
		.name = name, .writes = writes, .always = always, .wrong_at = UINT64_MAX
	};
}

static void publish(struct disruptor *d, uint64_t n)
{
	struct order_producer p;

	assert_code(order_producer_open(&p, disruptor_ring(d), NULL), 0);
	while (n-- > 0) {
		assert_non_null(order_claim_until(&p, in_ms(WATCHDOG_MS)));
		assert_code(order_publish(&p), 0);
	}
	assert_code(order_producer_close(&p), 0);
}

static void assert_conflict(struct disruptor *d, const char *stage, uint64_t position,
			    const char *what)
{
	struct disruptor_failure f = disruptor_failure(d);

	assert_code(f.code, DISRUPTOR_E_CONFLICT);
	assert_string_equal(f.stage, stage);
	assert_string_equal(f.hook, "on_event");
	assert_int_equal(f.position, position);
	assert_non_null(strstr(f.detail, what));
	assert_string_equal(disruptor_ring_failure(disruptor_ring(d)).detail, f.detail);
}

/* One stage that writes byte @p wrong at position 2. */
static struct disruptor *fails(struct writer *w, size_t wrong, const char *what,
			       const struct disruptor_policy *policy)
{
	struct disruptor *d = open_checked(fixture_options(CAPACITY), DISRUPTOR_CHECK_RUN);

	w->wrong_at = 2;
	w->wrong = wrong;
	add(d, w);
	if (policy)
		assert_code(disruptor_stage_set_policy(w->stage, policy), 0);
	publish(d, 5);
	graph_run_to_failure(d);
	assert_detail(what);
	assert_detail("at position 2");
	assert_conflict(d, w->name, 2, what);
	assert_int_equal(disruptor_stage_position(w->stage), 2);
	assert_int_equal(w->calls, 3);
	return d;
}

TEST(write_outside_the_declared_fields_is_named)
{
	static const struct {
		const char *writes;
		size_t always, wrong;
		const char *what;
	} rows[] = {
		{ "value", offsetof(struct order, value), 0, "changed price (byte 0)" },
		{ "value", offsetof(struct order, value), 5, "changed price (byte 5)" },
		{ "price", 0, offsetof(struct order, tax) + 7, "changed tax (byte " },
		{ "tax, price", 0, offsetof(struct order, value), "changed value (byte 16)" },
		{ "side", 8, PADDING, "changed padding at byte 11" },
		{ "price, side, value, tax", 0, 15, "changed padding at byte 15" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct writer w = writer("risk", rows[i].writes, rows[i].always);
		struct disruptor *d = fails(&w, rows[i].wrong, rows[i].what, NULL);

		graph_close(&d);
	}
}

TEST(producers_are_told_of_the_conflict)
{
	struct writer w = writer("risk", "value", offsetof(struct order, value));
	struct disruptor *d = fails(&w, 0, "price", NULL);
	struct order_producer p;

	assert_code(order_producer_open(&p, disruptor_ring(d), NULL), 0);
	assert_null(order_claim(&p));
	assert_code(order_status(&p), DISRUPTOR_E_FAILED);
	assert_string_equal(disruptor_error_detail(),
			    "stage 'risk' failed: on_event changed price (byte 0), which it does "
			    "not declare to write, at position 2");
	assert_code(order_producer_close(&p), 0);
	graph_close(&d);
}

TEST(no_policy_and_no_verdict_hides_a_conflict)
{
	static const int verdicts[] = { DISRUPTOR_CONTINUE,
					DISRUPTOR_RELEASE,
					DISRUPTOR_STOP,
					DISRUPTOR_RETRY,
					DISRUPTOR_REWIND,
					DISRUPTOR_SKIP,
					-1,
					99 };
	static const struct disruptor_policy policies[] = {
		{ .size = sizeof(policies[0]), .remedy = DISRUPTOR_REMEDY_SKIP },
		{ .size = sizeof(policies[0]),
		  .remedy = DISRUPTOR_REMEDY_RETRY,
		  .times = 9,
		  .then = DISRUPTOR_REMEDY_SKIP },
		{ .size = sizeof(policies[0]),
		  .remedy = DISRUPTOR_REMEDY_REWIND,
		  .times = 9,
		  .then = DISRUPTOR_REMEDY_SKIP },
	};

	for (size_t v = 0; v < COUNT(verdicts); v++)
		for (size_t p = 0; p < COUNT(policies); p++) {
			struct writer w = writer("risk", "value", offsetof(struct order, value));
			struct disruptor *d;

			w.verdict = verdicts[v];
			d = fails(&w, 0, "changed price", &policies[p]);
			graph_close(&d);
		}
}

/* A run that goes well to its end. */
static void passes(struct writer *w, unsigned flags, unsigned trust)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct disruptor *d;

	options.flags = trust;
	d = open_checked(options, flags);
	add(d, w);
	publish(d, 5);
	graph_start(d);
	graph_drain(d);
	assert_int_equal(w->calls, 5);
	assert_code(disruptor_failure(d).code, 0);
	graph_close(&d);
}

TEST(who_declares_everything_or_nothing_is_not_compared)
{
	struct writer w = writer("all", "*", 0);

	w.wrong_at = 2;
	w.wrong = PADDING;
	passes(&w, DISRUPTOR_CHECK_RUN, 0);
	w.calls = 0;
	w.writes = NULL;
	passes(&w, DISRUPTOR_CHECK_RUN, DISRUPTOR_TRUST_HANDLERS);
}

TEST(ordinary_run_compares_nothing)
{
	struct writer w = writer("risk", "value", offsetof(struct order, value));

	w.wrong_at = 2;
	passes(&w, 0, 0);
}

/* Answers that need a second look work as in an ordinary run. */
TEST(verdicts_and_codes_of_a_rightful_handler_are_its_own)
{
	struct disruptor *d = open_checked(fixture_options(CAPACITY), DISRUPTOR_CHECK_RUN);
	struct writer w = writer("risk", "value", offsetof(struct order, value));

	w.wrong_at = 2;
	w.wrong = w.always;
	w.verdict = DISRUPTOR_E_CONFLICT; /* a code like any other */
	add(d, &w);
	publish(d, 5);
	graph_run_to_failure(d);
	assert_code(disruptor_failure(d).code, DISRUPTOR_E_CONFLICT);
	assert_string_equal(disruptor_failure(d).detail, "");
	w.verdict = DISRUPTOR_SKIP;
	graph_start(d);
	graph_drain(d);
	assert_int_equal(disruptor_stage_trouble(w.stage).skipped, 1);
	graph_close(&d);
}

TEST(run_after_a_conflict_goes_on_at_that_event)
{
	const struct disruptor_checks none = { .size = sizeof(none) };
	struct writer w = writer("risk", "value", offsetof(struct order, value));
	struct disruptor *d = fails(&w, 0, "price", NULL);

	w.wrong_at = 3;
	graph_run_to_failure(d);
	assert_conflict(d, "risk", 3, "price");
	assert_code(disruptor_set_checks(d, &none), 0);
	w.verdict = DISRUPTOR_SKIP;
	graph_start(d);
	graph_drain(d);
	assert_int_equal(disruptor_stage_trouble(w.stage).skipped, 1);
	assert_int_equal(w.calls, 3 + 2 + 2);
	graph_close(&d);
}

/* ---- stages side by side ---- */

TEST(writers_side_by_side_are_not_taken_for_each_other)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct writer w[] = {
		writer("price", "price", 0),
		writer("value", "value", offsetof(struct order, value)),
		writer("tax", "tax", offsetof(struct order, tax)),
		writer("trusted", NULL, offsetof(struct order, side)),
	};
	struct disruptor *d;

	options.flags = DISRUPTOR_TRUST_HANDLERS;
	d = open_checked(options, DISRUPTOR_CHECK_RUN);
	for (size_t i = 0; i < COUNT(w); i++)
		add(d, &w[i]);
	graph_start(d);
	publish(d, FIXTURE_TSAN ? 2000 : 20000);
	graph_drain(d);
	for (size_t i = 1; i < COUNT(w); i++)
		assert_int_equal(w[i].calls, w[0].calls);
	graph_close(&d);
}

TEST(handlers_of_an_event_take_turns)
{
	DISRUPTOR_ATOMIC(uint64_t) inside[CAPACITY] = { 0 };
	struct disruptor_options options = fixture_options(CAPACITY);
	struct writer w[] = {
		writer("value", "value", offsetof(struct order, value)),
		writer("tax", "tax", offsetof(struct order, tax)),
		writer("trusted", NULL, offsetof(struct order, side)),
	};
	struct disruptor *d;

	options.flags = DISRUPTOR_TRUST_HANDLERS;
	d = open_checked(options, DISRUPTOR_CHECK_RUN);
	for (size_t i = 0; i < COUNT(w); i++) {
		w[i].inside = inside;
		add(d, &w[i]);
	}
	publish(d, CAPACITY);
	graph_start(d);
	graph_drain(d);
	for (size_t i = 0; i < COUNT(w); i++) {
		assert_int_equal(w[i].calls, CAPACITY);
		assert_int_equal(w[i].met, 0);
	}
	graph_close(&d);
}

/* A handler that stays in one event holds up nobody at another. */
TEST(handlers_of_different_events_do_not_wait_for_each_other)
{
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .flags = DISRUPTOR_CHECK_RUN };
	struct disruptor_options options = fixture_options(CAPACITY);
	struct disruptor *d = graph_open(&options);
	struct tick_producer p;
	struct probe stage[2];

	assert_code(disruptor_set_checks(d, &checks), 0);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&stage[i], i ? "late" : "early");
		stage[i].handler.reads = "*";
		probe_add(&stage[i], d);
	}
	disruptor_store_relaxed(&stage[1].hold_at, UINT64_C(0));
	assert_code(disruptor_after(stage[1].stage, stage[0].stage), 0);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 1);
	probe_await_hold(&stage[1]);
	probe_publish(&p, CAPACITY - 1);
	probe_await(&stage[0], CAPACITY);
	probe_let_go(&stage[1]);
	graph_drain(d);
	probe_expect(&stage[1], 0, CAPACITY);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(nobody_joins_or_leaves_a_checked_run)
{
	struct writer w = writer("risk", "value", offsetof(struct order, value));
	struct writer late = writer("late", "tax", offsetof(struct order, tax));
	struct disruptor *d = open_checked(fixture_options(CAPACITY), DISRUPTOR_CHECK_RUN);
	struct disruptor_handler h = { .size = sizeof(h),
				       .name = late.name,
				       .context = &late,
				       .on_event = on_event,
				       .writes = late.writes };

	add(d, &w);
	assert_code(disruptor_start(d), 0);
	for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++) {
		assert_code(disruptor_detach(w.stage, (enum disruptor_stop_mode)mode, 0),
			    DISRUPTOR_E_STATE);
		assert_detail("no stage can leave a checked run");
	}
	assert_null(disruptor_attach(d, &h, NULL));
	assert_detail("no stage can join a checked run");
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, 1);
	publish(d, 20); /* it was not told to end */
	graph_drain(d);
	assert_int_equal(w.calls, 20);
	assert_int_equal(late.calls, 0);
	assert_code(disruptor_detach(w.stage, DISRUPTOR_NOW, 0), 0);
	graph_close(&d);
}

/* ---- memory ---- */

struct heap {
	unsigned left; /* allocations that succeed */
	int in_use;
};

static void *take(void *context, size_t size, size_t align)
{
	struct heap *h = context;

	if (h->left == 0)
		return NULL;
	h->left--;
	h->in_use++;
	return aligned_alloc(align, (size + align - 1) / align * align);
}

static void give(void *context, void *memory, size_t size)
{
	(void)size;
	((struct heap *)context)->in_use--;
	free(memory);
}

TEST(memory_comes_from_the_disruptors_allocator_and_goes_back)
{
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .flags = DISRUPTOR_CHECK_RUN };
	struct writer w = writer("risk", "value", offsetof(struct order, value));
	struct disruptor_options options = fixture_options(CAPACITY);
	struct heap heap = { .left = 2 };
	struct disruptor *d;

	options.allocator = (struct disruptor_allocator){ take, give, &heap };
	assert_code(disruptor_create(&d, &order_type, &options), 0);
	add(d, &w);
	assert_code(disruptor_set_checks(d, &checks), DISRUPTOR_E_NOMEM);
	heap.left = 1;
	assert_code(disruptor_set_checks(d, &checks), 0);
	assert_code(disruptor_start(d), DISRUPTOR_E_NOMEM);
	assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	for (int i = 0; i < 3; i++) {
		heap.left = 1;
		assert_code(disruptor_start(d), 0);
		assert_int_equal(heap.in_use, 4);
		publish(d, 3);
		graph_drain(d);
		assert_code(disruptor_ring_reopen(disruptor_ring(d)), 0);
	}
	assert_int_equal(w.calls, 9);
	graph_close(&d);
	assert_int_equal(heap.in_use, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(write_outside_the_declared_fields_is_named),
		RUN(producers_are_told_of_the_conflict),
		RUN(no_policy_and_no_verdict_hides_a_conflict),
		RUN(who_declares_everything_or_nothing_is_not_compared),
		RUN(ordinary_run_compares_nothing),
		RUN(verdicts_and_codes_of_a_rightful_handler_are_its_own),
		RUN(run_after_a_conflict_goes_on_at_that_event),
		RUN(writers_side_by_side_are_not_taken_for_each_other),
		RUN(handlers_of_an_event_take_turns),
		RUN(handlers_of_different_events_do_not_wait_for_each_other),
		RUN(nobody_joins_or_leaves_a_checked_run),
		RUN(memory_comes_from_the_disruptors_allocator_and_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
