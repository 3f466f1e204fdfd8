/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a graph is made of and what is refused; which order its stages see events in. Rows T32, T40. */
#include "probe.h"

#include <string.h>

#define STAGES_MAX 5

/* A disruptor with some probes, not yet in any order, and a producer. */
struct graph {
	struct disruptor *d;
	struct probe probe[STAGES_MAX];
	struct disruptor_stage *stage[STAGES_MAX];
	size_t count;
	struct tick_producer producer;
};

static void graph_begin(struct graph *g, uint64_t capacity, size_t stages)
{
	static const char *const names[STAGES_MAX] = { "one", "two", "three", "four", "five" };
	struct disruptor_options options = fixture_options(capacity);

	g->d = graph_open(&options);
	g->count = stages;
	for (size_t i = 0; i < stages; i++) {
		probe_init(&g->probe[i], names[i]);
		probe_add(&g->probe[i], g->d);
		g->stage[i] = g->probe[i].stage;
	}
	probe_producer(&g->producer, g->d);
}

static void graph_end(struct graph *g)
{
	assert_code(tick_producer_close(&g->producer), 0);
	graph_close(&g->d);
}

/* Run it over @p n events and see that each stage was handed each of them. */
static void graph_carries(struct graph *g, uint64_t n)
{
	uint64_t from = disruptor_stage_position(g->stage[0]);

	for (size_t i = 0; i < g->count; i++)
		probe_forget(&g->probe[i]);
	graph_start(g->d);
	probe_publish(&g->producer, n);
	graph_drain(g->d);
	for (size_t i = 0; i < g->count; i++)
		probe_expect(&g->probe[i], from, from + n);
}

/* ---- shapes ---- */

/* What a stage checks against the ones before it: they have released what it is handed. */
struct order {
	struct probe *self;
	struct probe *before[STAGES_MAX];
	uint64_t early;
};

static void check_order(void *context)
{
	struct order *o = context;
	/* the probe counts after this call */
	uint64_t at = disruptor_load_relaxed(&o->self->events);

	for (size_t i = 0; i < STAGES_MAX && o->before[i]; i++)
		o->early += disruptor_stage_position(o->before[i]->stage) <= at;
}

static void comes_after(struct order *o, struct probe *self, struct probe *before)
{
	size_t i = 0;

	while (o->before[i])
		i++;
	o->before[i] = before;
	o->self = self;
	self->act = check_order;
	self->act_context = o;
}

TEST(pipelines_of_one_to_five_stages_keep_their_order)
{
	for (size_t n = 1; n <= STAGES_MAX; n++) {
		struct order order[STAGES_MAX] = { { 0 } };
		struct graph g;

		graph_begin(&g, 8, n);
		assert_code(disruptor_pipeline(g.stage, n), 0);
		for (size_t i = 1; i < n; i++)
			comes_after(&order[i], &g.probe[i], &g.probe[i - 1]);
		graph_carries(&g, 300);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(order[i].early, 0);
		graph_end(&g);
	}
}

TEST(multicasts_of_one_to_five_stages_show_everything_to_each)
{
	for (size_t n = 1; n <= STAGES_MAX; n++) {
		struct graph g;

		graph_begin(&g, 8, n);
		graph_carries(&g, 300);
		graph_end(&g);
	}
}

TEST(diamond_joins_behind_both_sides)
{
	struct order order[STAGES_MAX] = { { 0 } };
	struct graph g;

	graph_begin(&g, 8, 4); /* one, then two and three, then four */
	for (size_t side = 1; side <= 2; side++) {
		assert_code(disruptor_after(g.stage[side], g.stage[0]), 0);
		assert_code(disruptor_after(g.stage[3], g.stage[side]), 0);
		comes_after(&order[side], &g.probe[side], &g.probe[0]);
		comes_after(&order[3], &g.probe[3], &g.probe[side]);
	}
	graph_carries(&g, 400);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(order[i].early, 0);
	graph_end(&g);
}

/* The slower side holds the join back, the faster one runs ahead. */
TEST(diamond_waits_for_its_slower_side)
{
	struct graph g;

	graph_begin(&g, 8, 3); /* one and two, then three */
	assert_code(disruptor_after(g.stage[2], g.stage[0]), 0);
	assert_code(disruptor_after(g.stage[2], g.stage[1]), 0);
	disruptor_store_relaxed(&g.probe[1].hold_at, UINT64_C(2));
	g.probe[1].verdict_at = 1;
	g.probe[1].verdict = DISRUPTOR_RELEASE;
	probe_publish(&g.producer, 6);
	graph_start(g.d);
	probe_await_hold(&g.probe[1]);
	probe_await(&g.probe[0], 6);
	probe_await(&g.probe[2], 2);
	pause_ms(10);
	assert_int_equal(disruptor_load_acquire(&g.probe[2].events), 2);
	probe_let_go(&g.probe[1]);
	graph_drain(g.d);
	probe_expect(&g.probe[2], 0, 6);
	graph_end(&g);
}

/* A stage between two others gates the producers as the last one does. */
TEST(every_stage_holds_producers_back)
{
	for (size_t slow = 0; slow < 3; slow++) {
		struct graph g;

		graph_begin(&g, 4, 3);
		assert_code(disruptor_pipeline(g.stage, 3), 0);
		disruptor_store_relaxed(&g.probe[slow].hold_at, UINT64_C(0));
		graph_start(g.d);
		probe_publish(&g.producer, 4);
		probe_await_hold(&g.probe[slow]);
		assert_null(tick_try_claim(&g.producer));
		assert_code(tick_status(&g.producer), DISRUPTOR_E_FULL);
		probe_let_go(&g.probe[slow]);
		probe_publish(&g.producer, 4);
		graph_drain(g.d);
		for (size_t i = 0; i < 3; i++)
			probe_expect(&g.probe[i], 0, 8);
		graph_end(&g);
	}
}

/* Writes of one stage are there for the next. */
static int add_one(void *context, void *event, uint64_t position, int last)
{
	struct tick *t = event;

	(void)context;
	(void)position;
	(void)last;
	t->from++;
	return DISRUPTOR_CONTINUE;
}

static uint64_t unseen;

static int expect_two(void *context, void *event, uint64_t position, int last)
{
	struct tick *t = event;

	(void)context;
	(void)position;
	(void)last;
	unseen += t->from != 2;
	t->from = 0;
	return DISRUPTOR_CONTINUE;
}

TEST(stage_sees_what_the_stages_before_it_wrote)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_stage *stages[3];
	struct tick_producer producer;

	for (size_t i = 0; i < 3; i++) {
		struct disruptor_handler h = { .size = sizeof(h), .name = "writer" };

		h.on_event = i < 2 ? add_one : expect_two;
		stages[i] = disruptor_stage(d, &h);
		assert_non_null(stages[i]);
	}
	unseen = 0;
	assert_code(disruptor_pipeline(stages, 3), 0);
	probe_producer(&producer, d);
	graph_start(d);
	probe_publish(&producer, 500);
	graph_drain(d);
	assert_int_equal(unseen, 0);
	assert_code(tick_producer_close(&producer), 0);
	graph_close(&d);
}

/* ---- refusals: T40 ---- */

TEST(duplicate_edge_is_refused_and_the_graph_still_works)
{
	struct graph g;

	graph_begin(&g, 8, 2);
	assert_code(disruptor_after(g.stage[1], g.stage[0]), 0);
	assert_code(disruptor_after(g.stage[1], g.stage[0]), DISRUPTOR_E_INVAL);
	assert_detail("one");
	assert_detail("two");
	graph_carries(&g, 20);
	graph_end(&g);
}

TEST(stage_after_itself_is_refused)
{
	struct graph g;

	graph_begin(&g, 8, 1);
	assert_code(disruptor_after(g.stage[0], g.stage[0]), DISRUPTOR_E_INVAL);
	assert_detail("one");
	graph_carries(&g, 20);
	graph_end(&g);
}

TEST(cycle_of_two_is_refused_and_the_graph_still_works)
{
	struct graph g;

	graph_begin(&g, 8, 2);
	assert_code(disruptor_after(g.stage[1], g.stage[0]), 0);
	assert_code(disruptor_after(g.stage[0], g.stage[1]), DISRUPTOR_E_INVAL);
	assert_detail("one");
	assert_detail("two");
	assert_detail("cycle");
	graph_carries(&g, 20);
	graph_end(&g);
}

TEST(cycle_of_three_is_refused_and_the_graph_still_works)
{
	struct graph g;

	graph_begin(&g, 8, 3);
	assert_code(disruptor_pipeline(g.stage, 3), 0);
	assert_code(disruptor_after(g.stage[0], g.stage[2]), DISRUPTOR_E_INVAL);
	assert_detail("cycle");
	graph_carries(&g, 20);
	graph_end(&g);
}

/* However far apart: the order is followed to its beginning. */
TEST(cycle_of_five_is_refused_and_the_graph_still_works)
{
	struct graph g;

	graph_begin(&g, 8, 5);
	/* not in the order in which they were added */
	assert_code(disruptor_after(g.stage[4], g.stage[0]), 0);
	assert_code(disruptor_after(g.stage[0], g.stage[3]), 0);
	assert_code(disruptor_after(g.stage[3], g.stage[1]), 0);
	assert_code(disruptor_after(g.stage[1], g.stage[2]), 0);
	assert_code(disruptor_after(g.stage[2], g.stage[4]), DISRUPTOR_E_INVAL);
	assert_detail("cycle");
	graph_carries(&g, 20);
	graph_end(&g);
}

/* A short cut past a stage is no cycle. */
TEST(edge_that_order_implies_already_is_allowed)
{
	struct graph g;

	graph_begin(&g, 8, 3);
	assert_code(disruptor_pipeline(g.stage, 3), 0);
	assert_code(disruptor_after(g.stage[2], g.stage[0]), 0);
	graph_carries(&g, 20);
	graph_end(&g);
}

TEST(stages_of_two_disruptors_cannot_be_put_in_order)
{
	struct graph g, h;

	graph_begin(&g, 8, 1);
	graph_begin(&h, 8, 2);
	assert_code(disruptor_after(h.stage[1], g.stage[0]), DISRUPTOR_E_INVAL);
	assert_detail("one");
	assert_detail("two");
	graph_carries(&g, 20);
	graph_carries(&h, 20);
	graph_end(&h);
	graph_end(&g);
}

TEST(null_stages_are_refused)
{
	struct graph g;

	graph_begin(&g, 8, 1);
	assert_code(disruptor_after(NULL, g.stage[0]), DISRUPTOR_E_INVAL);
	assert_detail("later");
	assert_code(disruptor_after(g.stage[0], NULL), DISRUPTOR_E_INVAL);
	assert_detail("earlier");
	assert_code(disruptor_pipeline(g.stage, 1), 0);
	assert_code(disruptor_pipeline(g.stage, 0), 0);
	graph_end(&g);
}

TEST(stages_and_order_are_fixed_once_started)
{
	struct disruptor_handler another;
	struct graph g;

	graph_begin(&g, 8, 2);
	another = g.probe[0].handler;
	graph_start(g.d);
	assert_null(disruptor_stage(g.d, &another));
	assert_detail("RUNNING");
	assert_code(disruptor_after(g.stage[1], g.stage[0]), DISRUPTOR_E_STATE);
	graph_drain(g.d);
	assert_null(disruptor_stage(g.d, &another));
	assert_detail("STOPPED");
	assert_code(disruptor_after(g.stage[1], g.stage[0]), DISRUPTOR_E_STATE);
	graph_carries(&g, 20);
	graph_end(&g);
}

static void run_stage(void *stage)
{
	(void)disruptor_stage_run(stage);
}

static bool is_running(void *stage)
{
	return disruptor_stage_running(stage) != 0;
}

TEST(a_graph_is_fixed_and_stays_while_a_thread_of_the_callers_runs_a_stage)
{
	struct disruptor_handler another;
	struct disruptor_pool_options pool = {
		.size = sizeof(pool), .name = "crew", .handlers = &another, .count = 1
	};
	struct runner caller;
	struct disruptor *d;
	struct graph g;

	graph_begin(&g, 8, 2);
	another = g.probe[0].handler;
	assert_code(tick_producer_close(&g.producer), 0);
	runner_start(&caller, "a stage in a thread of the caller's", run_stage, g.stage[1]);
	await("the stage", is_running, g.stage[1]);
	assert_null(disruptor_stage(g.d, &another));
	assert_detail("fixed while stage 'two' runs");
	assert_null(disruptor_pool(g.d, &pool));
	assert_detail("fixed while stage 'two' runs");
	assert_code(disruptor_after(g.stage[1], g.stage[0]), DISRUPTOR_E_STATE);
	assert_detail("fixed while stage 'two' runs");
	d = g.d;
	assert_code(disruptor_destroy(&g.d), DISRUPTOR_E_STATE);
	assert_detail("'two'");
	assert_ptr_equal(g.d, d);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(g.d)).consumers, 2);
	disruptor_stage_stop(g.stage[1]);
	runner_join(&caller);
	assert_code(disruptor_after(g.stage[0], g.stage[1]), 0); /* there was no order yet */
	probe_producer(&g.producer, g.d);
	graph_carries(&g, 20);
	graph_end(&g);
}

/* ---- handlers that are refused ---- */

static struct disruptor_handler good_handler(void)
{
	return (struct disruptor_handler){ .size = sizeof(struct disruptor_handler),
					   .name = "good",
					   .on_event = add_one };
}

static void refuse(struct disruptor *d, const struct disruptor_handler *h, const char *word)
{
	assert_null(disruptor_stage(d, h));
	assert_detail(word);
}

TEST(bad_handlers_are_refused_by_name)
{
	static const char long_name[] = "a name of thirty-two bytes, that";
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler h;

	refuse(d, NULL, "handler");
	h = good_handler(), h.size = 0;
	refuse(d, &h, "size");
	h = good_handler(), h.size = SIZE_MAX;
	refuse(d, &h, "size");
	h = good_handler(), h.name = NULL;
	refuse(d, &h, "name");
	h = good_handler(), h.name = "";
	refuse(d, &h, "name");
	h = good_handler(), h.name = long_name;
	refuse(d, &h, "name");
	h = good_handler(), h.on_event = NULL;
	refuse(d, &h, "on_event");
	h = good_handler(), h.if_dead = 1;
	refuse(d, &h, "if_dead");
	h = good_handler(), h.batch = 9;
	refuse(d, &h, "batch");
	h = good_handler(), h.wait.kind = (enum disruptor_wait_kind)99;
	refuse(d, &h, "wait");
	h = good_handler(), h.wait.kind = DISRUPTOR_WAIT_CUSTOM;
	refuse(d, &h, "function");
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, 0);
	h = good_handler(), h.name = long_name + 1;
	assert_non_null(disruptor_stage(d, &h));
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, 1);
	assert_code(disruptor_destroy(&d), 0);
}

/* A handler compiled against headers of another age. */
TEST(handler_of_another_size_is_taken_if_it_asks_nothing_unknown)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct {
		struct disruptor_handler known;
		uint64_t unknown;
	} h = { good_handler(), 1 };

	h.known.size = sizeof(h);
	refuse(d, &h.known, "handler");
	h.unknown = 0;
	assert_non_null(disruptor_stage(d, &h.known));
	h.known.size = offsetof(struct disruptor_handler, on_batch);
	refuse(d, &h.known, "on_event"); /* what comes later is as if zero */
	h.known.size = offsetof(struct disruptor_handler, wait);
	assert_non_null(disruptor_stage(d, &h.known));
	assert_code(disruptor_destroy(&d), 0);
}

TEST(name_is_copied)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler h = good_handler();
	struct disruptor_stage *stage;
	char name[] = "journal";

	h.name = name;
	stage = disruptor_stage(d, &h);
	assert_non_null(stage);
	memset(name, 'x', sizeof(name) - 1);
	assert_string_equal(disruptor_stage_name(stage), "journal");
	assert_code(disruptor_destroy(&d), 0);
}

TEST(stages_beyond_max_consumers_are_refused)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_handler h = good_handler();
	struct tick_consumer own;
	struct disruptor *d;

	options.max_consumers = 3;
	d = graph_open(&options);
	/* the caller's consumers take places in the same table */
	assert_code(tick_consumer_open(&own, disruptor_ring(d), NULL), 0);
	assert_non_null(disruptor_stage(d, &h));
	assert_non_null(disruptor_stage(d, &h));
	assert_null(disruptor_stage(d, &h));
	assert_detail("max_consumers");
	assert_code(tick_consumer_close(&own), 0);
	assert_non_null(disruptor_stage(d, &h));
	assert_null(disruptor_stage(d, &h));
	assert_detail("max_consumers");
	assert_code(disruptor_destroy(&d), 0);
}

/* ---- create and destroy ---- */

TEST(disruptor_with_bad_options_is_not_made)
{
	struct disruptor_options options = fixture_options(3);
	struct disruptor *d = (struct disruptor *)&options;

	assert_code(disruptor_create(NULL, &tick_type, &options), DISRUPTOR_E_INVAL);
	assert_code(disruptor_create(&d, &tick_type, &options), DISRUPTOR_E_INVAL);
	assert_detail("capacity");
	assert_null(d);
	assert_code(disruptor_create(&d, &tick_type, NULL), DISRUPTOR_E_INVAL);
	assert_null(d);
	assert_code(disruptor_destroy(NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_destroy(&d), 0);
}

TEST(disruptor_with_open_views_is_not_destroyed)
{
	struct tick_consumer consumer;
	struct disruptor *d;
	struct graph g;

	graph_begin(&g, 8, 1);
	assert_code(disruptor_destroy(&g.d), DISRUPTOR_E_BUSY);
	assert_detail("1 producers");
	assert_code(tick_producer_close(&g.producer), 0);
	assert_code(tick_consumer_open(&consumer, disruptor_ring(g.d), NULL), 0);
	d = g.d;
	assert_code(disruptor_destroy(&g.d), DISRUPTOR_E_BUSY);
	assert_detail("1 consumers");
	assert_ptr_equal(g.d, d);
	assert_code(tick_consumer_close(&consumer), 0);
	assert_code(disruptor_destroy(&g.d), 0);
}

/* ---- stages and the caller's own consumers on one ring: T32 ---- */

static bool has_position(void *context)
{
	return disruptor_stage_position(context) >= 3;
}

TEST(stopping_one_of_two_parallel_stages_leaves_the_other_everything)
{
	struct graph g;

	graph_begin(&g, 32, 2);
	graph_start(g.d);
	probe_publish(&g.producer, 3);
	await("both stages", has_position, g.stage[0]);
	await("both stages", has_position, g.stage[1]);
	disruptor_stage_stop(g.stage[0]);
	probe_await_stops(&g.probe[0], 1);
	probe_publish(&g.producer, 20);
	probe_await(&g.probe[1], 23);
	assert_int_equal(disruptor_load_acquire(&g.probe[0].events), 3);
	/* it still holds the producers back */
	assert_null(disruptor_try_claim_n(&g.producer.view, 13));
	assert_code(tick_status(&g.producer), DISRUPTOR_E_FULL);
	graph_drain(g.d);
	probe_expect(&g.probe[0], 0, 3);
	probe_expect(&g.probe[1], 0, 23);
	/* and goes on where it was */
	probe_forget(&g.probe[0]);
	graph_start(g.d);
	probe_publish(&g.producer, 20);
	graph_drain(g.d);
	probe_expect(&g.probe[0], 3, 43);
	graph_end(&g);
}

TEST(consumer_of_the_callers_own_sees_what_the_stages_see)
{
	struct tick_consumer own;
	struct graph g;

	graph_begin(&g, 32, 1);
	assert_code(tick_consumer_open(&own, disruptor_ring(g.d), NULL), 0);
	graph_start(g.d);
	probe_publish(&g.producer, 20);
	graph_drain(g.d);
	read_ticks(&own, 20);
	assert_code(tick_ready_until(&own, DISRUPTOR_FOREVER), DISRUPTOR_E_CLOSED);
	assert_code(tick_consumer_close(&own), 0);
	graph_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(pipelines_of_one_to_five_stages_keep_their_order),
		RUN(multicasts_of_one_to_five_stages_show_everything_to_each),
		RUN(diamond_joins_behind_both_sides),
		RUN(diamond_waits_for_its_slower_side),
		RUN(every_stage_holds_producers_back),
		RUN(stage_sees_what_the_stages_before_it_wrote),
		RUN(duplicate_edge_is_refused_and_the_graph_still_works),
		RUN(stage_after_itself_is_refused),
		RUN(cycle_of_two_is_refused_and_the_graph_still_works),
		RUN(cycle_of_three_is_refused_and_the_graph_still_works),
		RUN(cycle_of_five_is_refused_and_the_graph_still_works),
		RUN(edge_that_order_implies_already_is_allowed),
		RUN(stages_of_two_disruptors_cannot_be_put_in_order),
		RUN(null_stages_are_refused),
		RUN(stages_and_order_are_fixed_once_started),
		RUN(a_graph_is_fixed_and_stays_while_a_thread_of_the_callers_runs_a_stage),
		RUN(bad_handlers_are_refused_by_name),
		RUN(handler_of_another_size_is_taken_if_it_asks_nothing_unknown),
		RUN(name_is_copied),
		RUN(stages_beyond_max_consumers_are_refused),
		RUN(disruptor_with_bad_options_is_not_made),
		RUN(disruptor_with_open_views_is_not_destroyed),
		RUN(stopping_one_of_two_parallel_stages_leaves_the_other_everything),
		RUN(consumer_of_the_callers_own_sees_what_the_stages_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
