/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a start allows, and warns of: lines shared by writers, fields that nobody writes. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

struct trade {
	int64_t price;
	int64_t quantity;
	int64_t value;
	int64_t tax;
};

DISRUPTOR_EVENT(trade, struct trade,
	DISRUPTOR_I64(struct trade, price),
	DISRUPTOR_I64(struct trade, quantity),
	DISRUPTOR_I64(struct trade, value),
	DISRUPTOR_I64(struct trade, tax));

#define FIELD(name, offset, size)                                                                  \
	{                                                                                          \
		(name), (offset), (size), (size), DISRUPTOR_KIND_BYTES                             \
	}

/* In a stamped slot it begins 8 bytes behind a line's beginning. */
static const struct disruptor_field wide_fields[] = {
	FIELD("first", 0, 8),    FIELD("edge", 48, 8), FIELD("behind", 56, 8),
	FIELD("further", 64, 8), FIELD("far", 192, 8), FIELD("long", 72, 64),
};
static const struct disruptor_type wide_type = {
	.name = "wide", .size = 256, .align = 8, .fields = wide_fields, .field_count = 6
};

/* Packed, every second one begins in the middle of a line. */
static const struct disruptor_field odd_fields[] = { FIELD("first", 0, 8), FIELD("half", 32, 8),
						     FIELD("line", 64, 8), FIELD("last", 88, 8) };
static const struct disruptor_type odd_type = {
	.name = "odd", .size = 96, .align = 8, .fields = odd_fields, .field_count = 4
};

static const struct disruptor_field halves_fields[] = { FIELD("low", 0, 4), FIELD("high", 4, 4),
							FIELD("word", 0, 8), FIELD("none", 3, 0) };
static const struct disruptor_type halves_type = {
	.name = "halves", .size = 8, .align = 8, .fields = halves_fields, .field_count = 4
};

/* ---- what was warned of ---- */

struct warnings {
	unsigned count;
	enum disruptor_warning kind[16];
	char text[16][512];
};

static void keep(void *context, enum disruptor_warning kind, const char *text)
{
	struct warnings *w = context;

	assert_in_range(w->count, 0, COUNT(w->kind) - 1);
	w->kind[w->count] = kind;
	(void)snprintf(w->text[w->count++], sizeof(w->text[0]), "%s", text);
}

static void assert_text(const struct warnings *w, unsigned i, enum disruptor_warning kind,
			const char *text)
{
	assert_in_range(i, 0, w->count - 1);
	assert_int_equal(w->kind[i], kind);
	assert_string_equal(w->text[i], text);
}

static int pass(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

static struct disruptor *open_graph(const struct disruptor_type *type,
				    struct disruptor_options options, struct warnings *w,
				    const char *produced)
{
	const struct disruptor_checks checks = {
		.size = sizeof(checks), .produced = produced, .warn = keep, .context = w
	};
	struct disruptor *d;

	memset(w, 0, sizeof(*w));
	assert_code(disruptor_create(&d, type, &options), 0);
	assert_code(disruptor_set_checks(d, &checks), 0);
	return d;
}

static struct disruptor_stage *add(struct disruptor *d, const char *name, const char *reads,
				   const char *writes)
{
	const struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .on_event = pass, .reads = reads, .writes = writes
	};
	struct disruptor_stage *s = disruptor_stage(d, &h);

	if (!s)
		fail_msg("%s", disruptor_error_detail());
	return s;
}

static void start_and_close(struct disruptor **d)
{
	assert_code(disruptor_start(*d), 0);
	graph_close(d);
}

/* ---- cache lines ---- */

/* How many warnings there are of two stages side by side that write these. */
static unsigned of_lines(const struct disruptor_type *type, struct disruptor_options options,
			 const char *writes_a, const char *writes_b)
{
	struct warnings w;
	struct disruptor *d = open_graph(type, options, &w, NULL);

	add(d, "a", "", writes_a);
	add(d, "b", "", writes_b);
	start_and_close(&d);
	for (unsigned i = 0; i < w.count; i++)
		assert_int_equal(w.kind[i], DISRUPTOR_WARN_SHARED_LINE);
	return w.count;
}

TEST(writers_side_by_side_on_a_line_are_named_with_their_fields)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, NULL);

	add(d, "value", "price, quantity", "value");
	add(d, "tax", "price", "tax");
	add(d, "reader", "quantity", NULL);
	start_and_close(&d);
	assert_int_equal(w.count, 1);
	assert_text(&w, 0, DISRUPTOR_WARN_SHARED_LINE,
		    "stages 'value' and 'tax' have no order and write to the same cache line: "
		    "'value' value; 'tax' tax");
}

TEST(fields_on_other_lines_are_not_named)
{
	struct disruptor_options apart = fixture_options(8);
	struct disruptor *d;
	struct warnings w;

	apart.producers = DISRUPTOR_MANY; /* each slot begins with a line */
	d = open_graph(&wide_type, apart, &w, NULL);
	add(d, "one", "", "far, edge, first");
	add(d, "two", "", "long, further, behind");
	add(d, "three", "", "");
	start_and_close(&d);
	assert_int_equal(w.count, 0); /* edge ends a line */
	assert_int_equal(of_lines(&wide_type, apart, "behind", "further"), 1);
	/* one producer's slots lie close together: in the next, what was at an edge is in a line */
	assert_int_equal(of_lines(&wide_type, apart, "edge", "further"), 0);
	assert_int_equal(of_lines(&wide_type, fixture_options(8), "edge", "further"), 1);
	d = open_graph(&wide_type, apart, &w, NULL);
	add(d, "one", "", "first, behind");
	add(d, "two", "", "edge, further, far");
	start_and_close(&d);
	assert_text(&w, 0, DISRUPTOR_WARN_SHARED_LINE,
		    "stages 'one' and 'two' have no order and write to the same cache line: "
		    "'one' first, behind; 'two' edge, further");
}

TEST(order_between_writers_is_no_reason_for_a_warning)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, NULL);
	struct disruptor_stage *a = add(d, "a", "", "value"), *b = add(d, "b", "", "tax");

	assert_code(disruptor_after(b, a), 0);
	start_and_close(&d);
	assert_int_equal(w.count, 0);
}

/* The slot's stride and its place count: 96 bytes apart, lines are met differently. */
TEST(every_slots_lines_are_looked_at)
{
	struct disruptor_options packed = fixture_options(8);
	struct disruptor_options single = fixture_options(1);

	packed.layout = single.layout = DISRUPTOR_PACKED;
	assert_int_equal(of_lines(&odd_type, packed, "first", "line"), 0);
	assert_int_equal(of_lines(&odd_type, packed, "half", "line"), 1);
	assert_int_equal(of_lines(&odd_type, single, "half", "line"), 0);
	assert_int_equal(of_lines(&odd_type, single, "half", "first"), 1);
	/* stamped: 8 bytes further on, whole lines apart */
	assert_int_equal(of_lines(&odd_type, fixture_options(8), "first", "half"), 1);
	assert_int_equal(of_lines(&odd_type, fixture_options(8), "half", "line"), 0);
}

TEST(what_touches_no_byte_shares_no_line)
{
	assert_int_equal(of_lines(&halves_type, fixture_options(8), "low", "high"), 1);
	assert_int_equal(of_lines(&halves_type, fixture_options(8), "low", "none"), 0);
	assert_int_equal(of_lines(&halves_type, fixture_options(8), "none", "word"), 0);
	assert_int_equal(of_lines(&halves_type, fixture_options(8), "none, low", "high"), 1);
}

#define LONG                                                                                       \
	"_whose_name_is_as_long_as_that_of_a_field_of_a_generated_schema_with_nested_types_may_be"

/* Eight bytes, a field each, of which every second one is one stage's. */
static const struct disruptor_field long_fields[] = {
	FIELD("a" LONG, 0, 1), FIELD("b" LONG, 1, 1), FIELD("c" LONG, 2, 1), FIELD("d" LONG, 3, 1),
	FIELD("e" LONG, 4, 1), FIELD("f" LONG, 5, 1), FIELD("g" LONG, 6, 1), FIELD("h" LONG, 7, 1),
};
static const struct disruptor_type long_type = {
	.name = "long", .size = 8, .align = 8, .fields = long_fields, .field_count = 8
};

TEST(a_warning_that_is_too_long_is_cut_and_the_next_is_whole)
{
	static const char writes_a[] = "a" LONG ",c" LONG ",e" LONG ",g" LONG;
	static const char writes_b[] = "b" LONG ",d" LONG ",f" LONG;
	static const char whole[] =
		"stages 'one' and 'two' have no order and write to the same cache line: 'one' a" LONG
		", c" LONG ", e" LONG ", g" LONG "; 'two' b" LONG ", d" LONG ", f" LONG;
	struct warnings w;
	struct disruptor *d = open_graph(&long_type, fixture_options(8), &w, "");

	add(d, "one", "", writes_a);
	add(d, "two", "h" LONG, writes_b);
	start_and_close(&d);
	assert_int_equal(w.count, 2);
	assert_true(strlen(whole) > sizeof(w.text[0]));
	assert_int_equal(w.kind[0], DISRUPTOR_WARN_SHARED_LINE);
	assert_int_equal(strlen(w.text[0]), sizeof(w.text[0]) - 1);
	assert_memory_equal(w.text[0], whole, sizeof(w.text[0]) - 1);
	assert_text(&w, 1, DISRUPTOR_WARN_UNWRITTEN,
		    "stage 'two' reads h" LONG ", of which neither the producers nor a stage "
		    "before it write byte 7");
}

/* ---- pools ---- */

static struct disruptor_stage *add_pool(struct disruptor *d, const char *reads, const char *writes)
{
	struct disruptor_handler h[2] = {
		{ .size = sizeof(h[0]), .name = "ann", .on_event = pass },
		{ .size = sizeof(h[0]), .name = "bob", .on_event = pass },
	};
	const struct disruptor_pool_options o = {
		.size = sizeof(o), .name = "crew", .handlers = h, .count = 2
	};
	struct disruptor_stage *pool;

	for (size_t i = 0; i < 2; i++) {
		h[i].reads = reads;
		h[i].writes = writes;
	}
	pool = disruptor_pool(d, &o);
	if (!pool)
		fail_msg("%s", disruptor_error_detail());
	return pool;
}

/* Workers have no event in common, and their pool is told of once. */
TEST(a_pool_stands_for_its_workers_beside_a_stage)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, NULL);

	(void)add_pool(d, "", "value");
	add(d, "beside", "", "tax");
	start_and_close(&d);
	assert_int_equal(w.count, 1);
	assert_text(&w, 0, DISRUPTOR_WARN_SHARED_LINE,
		    "stages 'crew' and 'beside' have no order and write to the same cache line: "
		    "'crew' value; 'beside' tax");
}

static unsigned warned_of(const struct warnings *w, const char *stage)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->count; i++)
		n += strstr(w->text[i], stage) != NULL;
	return n;
}

TEST(a_worker_that_has_left_is_not_warned_of)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "price");
	struct disruptor_stage *pool = add_pool(d, "price, tax", "");

	assert_code(disruptor_start(d), 0);
	assert_int_equal(warned_of(&w, "stage 'ann' reads tax"), 1);
	assert_int_equal(warned_of(&w, "stage 'bob' reads tax"), 1);
	graph_drain(d);
	assert_code(disruptor_detach(disruptor_pool_worker(pool, 1), DISRUPTOR_NOW, 0), 0);
	w.count = 0;
	start_and_close(&d);
	assert_int_equal(warned_of(&w, "stage 'ann' reads tax"), 1);
	assert_int_equal(warned_of(&w, "stage 'bob'"), 0);
}

TEST(undeclared_handlers_are_not_warned_of)
{
	struct disruptor_options options = fixture_options(8);

	options.flags = DISRUPTOR_TRUST_HANDLERS;
	assert_int_equal(of_lines(&trade_type, options, "value", "tax"), 1);
	{
		struct warnings w;
		struct disruptor *d = open_graph(&trade_type, options, &w, "");

		add(d, "a", NULL, NULL);
		add(d, "b", NULL, "tax");
		start_and_close(&d);
		assert_int_equal(w.count, 0);
	}
}

/* ---- fields that nobody writes ---- */

TEST(field_that_nobody_upstream_writes_is_warned_of)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "price, quantity");
	struct disruptor_stage *s[4];

	s[0] = add(d, "early", "price, value", NULL);
	s[1] = add(d, "value", "price, quantity", "value");
	s[2] = add(d, "own", "tax", "tax");
	s[3] = add(d, "late", "*", NULL);
	assert_code(disruptor_pipeline(s, 4), 0);
	start_and_close(&d);
	assert_int_equal(w.count, 2);
	assert_text(&w, 0, DISRUPTOR_WARN_UNWRITTEN,
		    "stage 'early' reads value, of which neither the producers nor a stage before "
		    "it write byte 16");
	assert_text(&w, 1, DISRUPTOR_WARN_UNWRITTEN,
		    "stage 'own' reads tax, of which neither the producers nor a stage before it "
		    "write byte 24");
}

TEST(producers_write_everything_unless_it_is_said)
{
	static const char *const produced[] = { NULL, "*", "tax,value,quantity,price" };

	for (size_t i = 0; i < COUNT(produced); i++) {
		struct warnings w;
		struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, produced[i]);

		add(d, "reader", "*", NULL);
		start_and_close(&d);
		assert_int_equal(w.count, 0);
	}
}

static unsigned of_halves(const char *produced, const char *reads, const char *byte)
{
	struct warnings w;
	struct disruptor *d = open_graph(&halves_type, fixture_options(8), &w, produced);

	add(d, "reader", reads, NULL);
	start_and_close(&d);
	if (w.count)
		assert_non_null(strstr(w.text[0], byte));
	return w.count;
}

TEST(bytes_are_what_counts)
{
	assert_int_equal(of_halves("low", "word", "byte 4"), 1);
	assert_int_equal(of_halves("high", "word", "byte 0"), 1);
	assert_int_equal(of_halves("high, low", "word", ""), 0);
	assert_int_equal(of_halves("word", "high", ""), 0);
	assert_int_equal(of_halves("", "none", ""), 0);
	assert_int_equal(of_halves("", "*", "byte 0"), 3);
}

/* ---- setting ---- */

TEST(without_a_callback_nothing_is_looked_for)
{
	const struct disruptor_checks checks = { .size = sizeof(checks), .produced = "" };
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "");

	add(d, "reader", "*", NULL);
	assert_code(disruptor_set_checks(d, &checks), 0);
	start_and_close(&d);
	assert_int_equal(w.count, 0);
}

TEST(refused_start_warns_of_nothing_and_each_start_warns_anew)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "");
	struct disruptor_stage *a = add(d, "a", "price", "tax"), *b = add(d, "b", "", "tax");

	assert_code(disruptor_start(d), DISRUPTOR_E_CONFLICT);
	assert_int_equal(w.count, 0);
	assert_code(disruptor_after(b, a), 0);
	for (unsigned i = 1; i <= 2; i++) {
		assert_code(disruptor_start(d), 0);
		assert_int_equal(w.count, i);
		assert_code(disruptor_start(d), DISRUPTOR_E_STATE);
		assert_int_equal(w.count, i);
		graph_drain(d);
	}
	graph_close(&d);
}

static void refused(struct disruptor_checks checks, int code, const char *word)
{
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "quantity");

	if (!checks.size)
		checks.size = sizeof(checks);
	assert_code(disruptor_set_checks(d, &checks), code);
	assert_detail(word);
	/* what was set before stays */
	add(d, "reader", "price, quantity", NULL);
	start_and_close(&d);
	assert_int_equal(w.count, 1);
}

TEST(wrong_checks_are_refused)
{
	refused((struct disruptor_checks){ .produced = "price, volume" }, DISRUPTOR_E_INVAL,
		"checks: produced: \"volume\" is no field of type 'trade'");
	refused((struct disruptor_checks){ .flags = 64 }, DISRUPTOR_E_INVAL, "flags");
	refused((struct disruptor_checks){ .reserved = 1 }, DISRUPTOR_E_INVAL, "reserved");
	refused((struct disruptor_checks){ .size = 3 }, DISRUPTOR_E_VERSION, "size");
	assert_code(disruptor_set_checks(NULL, NULL), DISRUPTOR_E_INVAL);
}

TEST(checks_are_fixed_while_it_runs)
{
	const struct disruptor_checks checks = { .size = sizeof(checks) };
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, NULL);

	add(d, "reader", "*", NULL);
	assert_code(disruptor_start(d), 0);
	assert_code(disruptor_set_checks(d, &checks), DISRUPTOR_E_STATE);
	graph_drain(d);
	assert_code(disruptor_set_checks(d, &checks), 0);
	graph_close(&d);
}

static void run_stage(void *stage)
{
	(void)disruptor_stage_run(stage);
}

static bool is_running(void *stage)
{
	return disruptor_stage_running(stage) != 0;
}

TEST(checks_are_fixed_while_a_thread_of_the_callers_runs_a_stage)
{
	const struct disruptor_checks all = { .size = sizeof(all), .produced = "*" };
	struct warnings w;
	struct disruptor *d = open_graph(&trade_type, fixture_options(8), &w, "price");
	struct disruptor_stage *s = add(d, "reader", "tax", NULL);
	struct runner caller;

	runner_start(&caller, "a stage in a thread of the caller's", run_stage, s);
	await("the stage", is_running, s);
	assert_code(disruptor_set_checks(d, &all), DISRUPTOR_E_STATE);
	assert_detail("checks are fixed while stage 'reader' runs");
	disruptor_stage_stop(s);
	runner_join(&caller);
	assert_code(disruptor_start(d), 0); /* those from before hold */
	assert_int_equal(w.count, 1);
	graph_drain(d);
	assert_code(disruptor_set_checks(d, &all), 0);
	start_and_close(&d);
	assert_int_equal(w.count, 1);
}

struct meddler {
	struct disruptor *d;
	struct disruptor_stage *s;
	unsigned calls;
};

/* Row T78, for this callback. */
static void meddle(void *context, enum disruptor_warning kind, const char *text)
{
	const struct disruptor_checks checks = { .size = sizeof(checks) };
	const struct disruptor_handler h = { .size = sizeof(h), .name = "h", .on_event = pass };
	struct meddler *m = context;
	struct disruptor *same = m->d;

	(void)kind, (void)text;
	m->calls++;
	assert_int_equal(disruptor_state(m->d), DISRUPTOR_STARTING);
	assert_code(disruptor_start(m->d), DISRUPTOR_E_STATE);
	assert_code(disruptor_destroy(&same), DISRUPTOR_E_STATE);
	assert_code(disruptor_set_checks(m->d, &checks), DISRUPTOR_E_STATE);
	assert_code(disruptor_set_executor(m->d,
					   &(struct disruptor_executor){
						   .size = sizeof(struct disruptor_executor) }),
		    DISRUPTOR_E_STATE);
	assert_code(disruptor_place(m->s, 0), DISRUPTOR_E_STATE);
	assert_null(disruptor_stage(m->d, &h));
	assert_code(disruptor_after(m->s, m->s), DISRUPTOR_E_STATE);
	assert_code(disruptor_stop(m->d, DISRUPTOR_NOW, DISRUPTOR_FOREVER), 0); /* nothing runs */
}

TEST(callback_may_look_but_not_change)
{
	struct meddler m = { 0 };
	const struct disruptor_checks checks = {
		.size = sizeof(checks), .produced = "", .warn = meddle, .context = &m
	};
	struct warnings w;

	m.d = open_graph(&trade_type, fixture_options(8), &w, NULL);
	m.s = add(m.d, "reader", "price", NULL);
	assert_code(disruptor_set_checks(m.d, &checks), 0);
	start_and_close(&m.d);
	assert_int_equal(m.calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(writers_side_by_side_on_a_line_are_named_with_their_fields),
		RUN(fields_on_other_lines_are_not_named),
		RUN(order_between_writers_is_no_reason_for_a_warning),
		RUN(every_slots_lines_are_looked_at),
		RUN(what_touches_no_byte_shares_no_line),
		RUN(a_warning_that_is_too_long_is_cut_and_the_next_is_whole),
		RUN(a_pool_stands_for_its_workers_beside_a_stage),
		RUN(a_worker_that_has_left_is_not_warned_of),
		RUN(undeclared_handlers_are_not_warned_of),
		RUN(field_that_nobody_upstream_writes_is_warned_of),
		RUN(producers_write_everything_unless_it_is_said),
		RUN(bytes_are_what_counts),
		RUN(without_a_callback_nothing_is_looked_for),
		RUN(refused_start_warns_of_nothing_and_each_start_warns_anew),
		RUN(wrong_checks_are_refused),
		RUN(checks_are_fixed_while_it_runs),
		RUN(checks_are_fixed_while_a_thread_of_the_callers_runs_a_stage),
		RUN(callback_may_look_but_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
