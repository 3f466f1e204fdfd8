/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pools: each event to one worker. Rows T51 to T53. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#define WORKERS 4

struct pool {
	struct disruptor *d;
	struct disruptor_stage *stage;
	struct disruptor_handler handler[WORKERS];
	struct probe worker[WORKERS];
	uint32_t count;
	struct tick_producer producer;
	unsigned char seen[PROBE_RECORD]; /* how often each position was handled */
};

static const char *const names[WORKERS] = { "w0", "w1", "w2", "w3" };

static struct disruptor_pool_options pool_options(struct pool *p, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		p->handler[i] = p->worker[i].handler;
	return (struct disruptor_pool_options){ .size = sizeof(struct disruptor_pool_options),
						.name = "pool",
						.handlers = p->handler,
						.count = count };
}

static void prepare(struct pool *p, uint64_t capacity, enum disruptor_mapping mapping)
{
	struct disruptor_options options = fixture_options(capacity);

	memset(p, 0, sizeof(*p));
	options.producers = DISRUPTOR_MANY;
	p->d = graph_open(&options);
	graph_map(p->d, mapping, 0);
	for (size_t i = 0; i < WORKERS; i++)
		probe_init(&p->worker[i], names[i]);
}

static void add(struct pool *p, const struct disruptor_pool_options *o)
{
	p->count = o->count;
	p->stage = disruptor_pool(p->d, o);
	if (!p->stage)
		fail_msg("%s", disruptor_error_detail());
	for (uint32_t i = 0; i < o->count; i++)
		p->worker[i].stage = disruptor_pool_worker(p->stage, i);
}

/* A pool alone, with a producer. */
static void begin(struct pool *p, uint64_t capacity, enum disruptor_mapping mapping, uint32_t count,
		  uint32_t chunk)
{
	struct disruptor_pool_options o;

	prepare(p, capacity, mapping);
	o = pool_options(p, count);
	o.chunk = chunk;
	add(p, &o);
	probe_producer(&p->producer, p->d);
}

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->value % 7;
}

static void begin_keyed(struct pool *p, uint64_t capacity, enum disruptor_mapping mapping,
			uint32_t count)
{
	struct disruptor_pool_options o;

	prepare(p, capacity, mapping);
	o = pool_options(p, count);
	o.key = key_of;
	add(p, &o);
	probe_producer(&p->producer, p->d);
}

static void finish(struct pool *p)
{
	assert_code(tick_producer_close(&p->producer), 0);
	graph_close(&p->d);
}

static void count_seen(struct pool *p)
{
	memset(p->seen, 0, sizeof(p->seen));
	for (uint32_t i = 0; i < p->count; i++) {
		const struct probe *w = &p->worker[i];

		assert_int_equal(w->wrong, 0);
		assert_true(w->events <= PROBE_RECORD);
		for (uint64_t k = 0; k < w->events; k++) {
			assert_true(w->position[k] < PROBE_RECORD);
			p->seen[w->position[k]]++;
		}
	}
}

/* Each of [0, end) was handled by one worker, and nothing else was. */
static void expect_once(struct pool *p, uint64_t end)
{
	count_seen(p);
	for (uint64_t at = 0; at < PROBE_RECORD; at++)
		if (p->seen[at] != (at < end))
			fail_msg("position %llu of %llu: handled %u times", (unsigned long long)at,
				 (unsigned long long)end, p->seen[at]);
}

/* The worker was handed exactly these, in this order. */
static void expect_positions(const struct probe *w, size_t n, const uint64_t *positions)
{
	assert_int_equal(w->events, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(w->position[i], positions[i]);
}

#define EXPECT(w, ...)                                                                             \
	expect_positions((w), sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t),              \
			 (uint64_t[]){ __VA_ARGS__ })

struct sum {
	struct pool *p;
	uint64_t wanted;
};

static bool have_handled(void *context)
{
	const struct sum *s = context;
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->p->count; i++)
		n += disruptor_load_acquire(&s->p->worker[i].events);
	return n >= s->wanted;
}

static void await_events(struct pool *p, uint64_t n)
{
	struct sum s = { p, n };

	await("the workers, to handle what there is", have_handled, &s);
}

/* Whoever is handed the position stays there. */
static void hold_at(struct pool *p, uint64_t position)
{
	for (uint32_t i = 0; i < p->count; i++)
		disruptor_store_release(&p->worker[i].hold_at, position);
}

static bool one_holds(void *context)
{
	struct pool *p = context;

	for (uint32_t i = 0; i < p->count; i++)
		if (disruptor_load_acquire(&p->worker[i].holding))
			return true;
	return false;
}

static struct probe *await_hold(struct pool *p)
{
	await("a worker that should be held", one_holds, p);
	for (uint32_t i = 0; i < p->count; i++)
		if (disruptor_load_acquire(&p->worker[i].holding))
			return &p->worker[i];
	return NULL;
}

static void let_go(struct pool *p)
{
	hold_at(p, PROBE_NEVER);
}

/* ---- who gets what ---- */

TEST(each_event_goes_to_one_worker_under_every_mapping)
{
	for (int mapping = 0; mapping <= DISRUPTOR_MAP_DEDICATED; mapping++)
		for (uint32_t count = 1; count <= WORKERS; count++) {
			struct pool p;

			begin(&p, 16, (enum disruptor_mapping)mapping, count, count);
			graph_start(p.d);
			probe_publish(&p.producer, 400);
			graph_drain(p.d);
			expect_once(&p, 400);
			assert_int_equal(disruptor_stage_position(p.stage), 400);
			finish(&p);
		}
}

TEST(workers_share_threads_or_are_placed)
{
	struct disruptor_executor e = { .size = sizeof(e), .threads = 2 };

	for (int placed = 0; placed < 2; placed++) {
		struct pool p;

		begin(&p, 8, DISRUPTOR_MAP_AUTO, 4, 2);
		e.mapping = placed ? DISRUPTOR_MAP_PLACED : DISRUPTOR_MAP_SHARED;
		assert_code(disruptor_set_executor(p.d, &e), 0);
		if (placed) {
			assert_code(disruptor_place(p.stage, 1), 0);
			assert_code(disruptor_place(p.worker[0].stage, 0), 0);
		}
		graph_start(p.d);
		assert_int_equal(disruptor_thread_count(p.d), 2);
		assert_int_equal(disruptor_stage_thread(p.stage), 0);
		assert_int_equal(disruptor_stage_thread(p.worker[3].stage), 1);
		probe_publish(&p.producer, 400);
		graph_drain(p.d);
		expect_once(&p, 400);
		finish(&p);
	}
}

TEST(a_worker_claims_a_chunk_at_a_time)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_NONE, 3, 4);
	graph_start(p.d);
	probe_publish(&p.producer, 10);
	assert_int_equal(disruptor_poll(p.d, 100), 10);
	EXPECT(&p.worker[0], 0, 1, 2, 3);
	EXPECT(&p.worker[1], 4, 5, 6, 7);
	EXPECT(&p.worker[2], 8, 9);
	assert_memory_equal(p.worker[0].last, "\0\0\0\1", 4);
	assert_memory_equal(p.worker[2].last, "\0\1", 2);
	/* of the ten: its own four and what nobody has claimed */
	assert_int_equal(p.worker[0].size[0], 4);
	assert_int_equal(p.worker[0].depth[0], 10);
	assert_int_equal(p.worker[2].size[0], 2);
	assert_int_equal(p.worker[2].depth[0], 2);
	graph_drain(p.d);
	finish(&p);
}

TEST(a_handlers_batch_limits_its_chunk_and_the_default_is_sixteen)
{
	struct pool p;
	struct disruptor_pool_options o;

	prepare(&p, 64, DISRUPTOR_MAP_NONE);
	p.worker[0].handler.batch = 2;
	o = pool_options(&p, 2);
	add(&p, &o);
	probe_producer(&p.producer, p.d);
	graph_start(p.d);
	probe_publish(&p.producer, 40);
	assert_int_equal(disruptor_poll(p.d, 18), 18);
	EXPECT(&p.worker[0], 0, 1);
	assert_int_equal(p.worker[1].events, 16);
	assert_int_equal(p.worker[1].position[15], 17);
	assert_int_equal(disruptor_poll(p.d, 100), 22);
	expect_once(&p, 40);
	finish(&p);
}

TEST(a_budget_cuts_a_chunk_and_the_rest_comes_next)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_NONE, 2, 4);
	graph_start(p.d);
	probe_publish(&p.producer, 8);
	assert_int_equal(disruptor_poll(p.d, 3), 3);
	assert_int_equal(disruptor_stage_position(p.stage), 3);
	assert_int_equal(disruptor_stage_position(p.worker[0].stage), 3);
	assert_int_equal(disruptor_stage_position(p.worker[1].stage), 4);
	assert_int_equal(disruptor_poll(p.d, 1), 1);
	EXPECT(&p.worker[0], 0, 1, 2, 3);
	assert_int_equal(disruptor_poll(p.d, 100), 4);
	assert_int_equal(disruptor_poll(p.d, 100), 0);
	expect_once(&p, 8);
	finish(&p);
}

TEST(only_what_is_published_is_claimed)
{
	struct tick_producer slow;
	struct pool p;
	struct tick *t;

	begin(&p, 8, DISRUPTOR_MAP_NONE, 2, 8);
	probe_producer(&slow, p.d);
	graph_start(p.d);
	probe_publish(&p.producer, 1);
	t = tick_claim(&slow); /* position 1 */
	assert_non_null(t);
	probe_publish(&p.producer, 2);
	assert_int_equal(disruptor_poll(p.d, 100), 1);
	assert_int_equal(disruptor_stage_position(p.stage), 1);
	assert_int_equal(disruptor_stage_position(p.worker[1].stage), 1);
	t->value = 1;
	assert_code(tick_publish(&slow), 0);
	assert_int_equal(disruptor_poll(p.d, 100), 3);
	expect_once(&p, 4);
	assert_code(tick_producer_close(&slow), 0);
	finish(&p);
}

/* ---- gates ---- */

TEST(a_slow_worker_holds_producers_at_its_event_while_the_others_go_on)
{
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 3, 1);
	hold_at(&p, 0);
	graph_start(p.d);
	probe_publish(&p.producer, 8);
	(void)await_hold(&p);
	await_events(&p, 7); /* all but the one */
	assert_int_equal(disruptor_stage_position(p.stage), 0);
	assert_null(tick_try_claim(&p.producer));
	assert_code(tick_status(&p.producer), DISRUPTOR_E_FULL);
	let_go(&p);
	probe_publish(&p.producer, 100);
	graph_drain(p.d);
	expect_once(&p, 108);
	finish(&p);
}

TEST(a_stage_after_the_pool_sees_an_event_once_its_worker_has_released_it)
{
	struct probe after;
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 2, 1);
	probe_init(&after, "after");
	probe_add(&after, p.d);
	assert_code(disruptor_after(after.stage, p.stage), 0);
	hold_at(&p, 2);
	graph_start(p.d);
	probe_publish(&p.producer, 8);
	(void)await_hold(&p);
	await_events(&p, 7);
	probe_await(&after, 2);
	pause_ms(5);
	assert_int_equal(disruptor_load_acquire(&after.events), 2);
	let_go(&p);
	probe_publish(&p.producer, 100);
	graph_drain(p.d);
	expect_once(&p, 108);
	probe_expect(&after, 0, 108);
	finish(&p);
}

TEST(a_pool_after_a_stage_is_handed_what_that_has_released)
{
	struct probe before;
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_DEDICATED, 2, 4);
	probe_init(&before, "before");
	before.handler.batch = 1;
	disruptor_store_relaxed(&before.hold_at, 3);
	probe_add(&before, p.d);
	assert_code(disruptor_after(p.stage, before.stage), 0);
	graph_start(p.d);
	probe_publish(&p.producer, 10);
	probe_await_hold(&before);
	await_events(&p, 3);
	pause_ms(5);
	assert_int_equal(disruptor_stage_position(p.stage), 3);
	probe_let_go(&before);
	graph_drain(p.d);
	expect_once(&p, 10);
	probe_expect(&before, 0, 10);
	finish(&p);
}

static int declared(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

TEST(a_pool_has_a_gate_for_each_worker_and_one_for_the_whole)
{
	for (int keyed = 0; keyed < 2; keyed++) {
		struct tick_consumer c[64];
		uint32_t n = 0;
		struct pool p;

		if (keyed)
			begin_keyed(&p, 8, DISRUPTOR_MAP_AUTO, 3);
		else
			begin(&p, 8, DISRUPTOR_MAP_AUTO, 3, 1);
		while (tick_consumer_open(&c[n], disruptor_ring(p.d), NULL) == 0)
			n++;
		assert_int_equal(n, 12); /* one for each worker, and one for the whole */
		assert_code(tick_producer_close(&p.producer), 0);
		assert_code(disruptor_destroy(&p.d), DISRUPTOR_E_BUSY);
		assert_detail("12 consumers");
		while (n > 0)
			assert_code(tick_consumer_close(&c[--n]), 0);
		graph_close(&p.d);
	}
}

/* ---- voids, verdicts, policies ---- */

TEST(voids_are_passed_also_within_a_chunk)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_NONE, 2, 4);
	graph_start(p.d);
	probe_publish(&p.producer, 2);
	assert_int_equal(tick_claim_up_to(&p.producer, 2), 2);
	assert_code(tick_abort(&p.producer), 0); /* 2, 3 */
	probe_publish(&p.producer, 1);
	assert_non_null(tick_claim(&p.producer));
	assert_code(tick_abort(&p.producer), 0); /* 5 */
	probe_publish(&p.producer, 1);
	assert_int_equal(disruptor_poll(p.d, 100), 7);
	EXPECT(&p.worker[0], 0, 1);
	EXPECT(&p.worker[1], 4, 6);
	assert_memory_equal(p.worker[0].last, "\0\1", 2);
	assert_memory_equal(p.worker[1].last, "\0\1", 2);
	assert_int_equal(p.worker[0].size[0], 2);
	/* nothing but voids, more than a chunk of them, and one behind */
	assert_int_equal(tick_claim_up_to(&p.producer, 9), 9);
	assert_code(tick_abort(&p.producer), 0);
	assert_int_equal(disruptor_poll(p.d, 100), 0);
	assert_int_equal(disruptor_stage_position(p.stage), 16);
	probe_publish(&p.producer, 1);
	assert_int_equal(disruptor_poll(p.d, 100), 1);
	graph_drain(p.d);
	finish(&p);
}

TEST(an_early_release_moves_the_gate_within_a_chunk)
{
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 1, 4);
	p.worker[0].verdict = DISRUPTOR_RELEASE;
	p.worker[0].verdict_at = 1;
	hold_at(&p, 2);
	probe_publish(&p.producer, 4);
	graph_start(p.d);
	(void)await_hold(&p);
	assert_int_equal(disruptor_stage_position(p.stage), 2);
	let_go(&p);
	graph_drain(p.d);
	EXPECT(&p.worker[0], 0, 1, 2, 3);
	finish(&p);
}

static void run_with(struct pool *p, int verdict, uint64_t at)
{
	begin(p, 8, DISRUPTOR_MAP_NONE, 2, 4);
	p->worker[0].verdict = verdict;
	p->worker[0].verdict_at = at;
	graph_start(p->d);
	probe_publish(&p->producer, 6);
	assert_true(disruptor_poll(p->d, 100) > 0);
}

TEST(verdicts_work_for_each_worker)
{
	struct pool p;

	run_with(&p, DISRUPTOR_RETRY, 2);
	EXPECT(&p.worker[0], 0, 1, 2, 2, 3);
	assert_int_equal(disruptor_stage_trouble(p.stage).retries, 1);
	finish(&p);
	run_with(&p, DISRUPTOR_REWIND, 2);
	/* its own chunk again; nobody else has seen it */
	EXPECT(&p.worker[0], 0, 1, 2, 0, 1, 2, 3);
	EXPECT(&p.worker[1], 4, 5);
	assert_int_equal(disruptor_stage_trouble(p.worker[0].stage).rewinds, 1);
	finish(&p);
	run_with(&p, DISRUPTOR_SKIP, 1);
	EXPECT(&p.worker[0], 0, 1, 2, 3);
	assert_int_equal(disruptor_stage_trouble(p.stage).skipped, 1);
	assert_int_equal(disruptor_stage_trouble(p.worker[1].stage).skipped, 0);
	finish(&p);
}

TEST(a_policy_of_the_pool_is_that_of_each_worker)
{
	const struct disruptor_policy skip = { .size = sizeof(skip),
					       .remedy = DISRUPTOR_REMEDY_SKIP };
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_NONE, 2, 4);
	assert_code(disruptor_stage_set_policy(p.stage, &skip), 0);
	for (uint32_t i = 0; i < 2; i++) {
		p.worker[i].verdict = -7;
		p.worker[i].verdict_at = 4 * i + 1;
	}
	graph_start(p.d);
	probe_publish(&p.producer, 8);
	assert_int_equal(disruptor_poll(p.d, 100), 8);
	assert_int_equal(disruptor_stage_trouble(p.stage).skipped, 2);
	graph_drain(p.d);
	expect_once(&p, 8);
	finish(&p);
}

TEST(a_failure_names_the_worker_and_its_event_comes_again)
{
	struct pool p;

	run_with(&p, -7, 1);
	assert_code(disruptor_stop(p.d, DISRUPTOR_DRAIN, in_ms(5000)), DISRUPTOR_E_FAILED);
	assert_string_equal(disruptor_failure(p.d).stage, "w0");
	assert_int_equal(disruptor_failure(p.d).position, 1);
	assert_int_equal(disruptor_stage_position(p.stage), 1);
	/* once it has failed the others claim nothing */
	EXPECT(&p.worker[0], 0, 1);
	assert_int_equal(p.worker[1].events, 0);
	graph_start(p.d);
	assert_int_equal(disruptor_poll(p.d, 100), 5);
	EXPECT(&p.worker[0], 0, 1, 1, 2, 3);
	EXPECT(&p.worker[1], 4, 5);
	graph_drain(p.d);
	finish(&p);
}

/* ---- workers that end ---- */

TEST(what_a_worker_leaves_is_taken_up_before_anything_new)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_NONE, 3, 4);
	p.worker[0].verdict = DISRUPTOR_STOP;
	p.worker[0].verdict_at = 1;
	graph_start(p.d);
	probe_publish(&p.producer, 10);
	assert_int_equal(disruptor_poll(p.d, 100), 10);
	EXPECT(&p.worker[0], 0, 1);
	EXPECT(&p.worker[1], 2, 3, 8, 9);
	EXPECT(&p.worker[2], 4, 5, 6, 7);
	graph_drain(p.d);
	assert_int_equal(disruptor_stage_position(p.stage), 10);
	finish(&p);
}

TEST(what_is_left_is_cut_to_the_batch_of_who_takes_it_up)
{
	struct disruptor_pool_options o;
	struct pool p;

	prepare(&p, 16, DISRUPTOR_MAP_NONE);
	p.worker[1].handler.batch = 2;
	p.worker[0].verdict = DISRUPTOR_STOP;
	p.worker[0].verdict_at = 0;
	o = pool_options(&p, 2);
	o.chunk = 8;
	add(&p, &o);
	probe_producer(&p.producer, p.d);
	graph_start(p.d);
	probe_publish(&p.producer, 8);
	assert_int_equal(disruptor_poll(p.d, 100), 8);
	EXPECT(&p.worker[1], 1, 2, 3, 4, 5, 6, 7);
	assert_int_equal(p.worker[1].batches, 4);
	assert_memory_equal(p.worker[1].last, "\0\1\0\1\0\1\1", 7);
	finish(&p);
}

TEST(what_all_have_left_waits_for_the_next_run)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_NONE, 2, 4);
	for (uint32_t i = 0; i < 2; i++)
		p.worker[i].verdict = DISRUPTOR_STOP;
	p.worker[0].verdict_at = 1;
	p.worker[1].verdict_at = 4;
	graph_start(p.d);
	probe_publish(&p.producer, 10);
	assert_int_equal(disruptor_poll(p.d, 100), 5);
	EXPECT(&p.worker[1], 2, 3, 4); /* and leaves 5, 6, 7 */
	assert_int_equal(disruptor_stage_running(p.stage), 0);
	graph_drain(p.d);
	assert_int_equal(disruptor_stage_position(p.stage), 5);
	assert_int_equal(disruptor_stage_position(p.worker[1].stage), 5);
	assert_int_equal(disruptor_stage_position(p.worker[0].stage), 8);
	graph_start(p.d);
	assert_int_equal(disruptor_stage_running(p.stage), 1);
	probe_publish(&p.producer, 5);
	assert_int_equal(disruptor_poll(p.d, 100), 10);
	graph_drain(p.d);
	expect_once(&p, 15);
	EXPECT(&p.worker[0], 0, 1, 5, 6, 7, 12, 13, 14);
	finish(&p);
}

TEST(a_worker_that_is_stopped_in_its_handler_leaves_the_rest)
{
	struct probe *held;
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_DEDICATED, 2, 4);
	hold_at(&p, 1);
	graph_start(p.d);
	probe_publish(&p.producer, 12);
	held = await_hold(&p);
	disruptor_stage_stop(held->stage);
	let_go(&p);
	probe_await_stops(held, 1);
	/* the other one may sleep by now; what is left wakes it */
	await_events(&p, 12);
	graph_drain(p.d);
	expect_once(&p, 12);
	finish(&p);
}

struct join {
	struct disruptor_stage *stage;
	int result;
};

static void run_worker(void *context)
{
	struct join *j = context;

	j->result = disruptor_stage_run(j->stage);
}

TEST(a_worker_may_go_and_come_back_while_the_others_run)
{
	struct runner thread;
	struct join j;
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 2, 2);
	graph_start(p.d);
	probe_publish(&p.producer, 50);
	disruptor_stage_stop(p.worker[0].stage);
	probe_await_stops(&p.worker[0], 1);
	probe_publish(&p.producer, 50); /* an absent worker is no gate */
	j.stage = p.worker[0].stage;
	runner_start(&thread, "a worker's second run", run_worker, &j);
	probe_await_starts(&p.worker[0], 2);
	probe_publish(&p.producer, 100);
	graph_drain(p.d);
	runner_join(&thread);
	assert_code(j.result, 0);
	expect_once(&p, 200);
	finish(&p);
}

TEST(a_drain_waits_for_what_is_in_hand)
{
	struct pool p;

	begin(&p, 16, DISRUPTOR_MAP_DEDICATED, 2, 4);
	hold_at(&p, 1);
	probe_publish(&p.producer, 4);
	graph_start(p.d);
	(void)await_hold(&p);
	assert_code(disruptor_stop(p.d, DISRUPTOR_DRAIN, in_ms(20)), DISRUPTOR_E_TIMEOUT);
	assert_detail("is at position 0");
	/* both are still there: the one could leave what the other has to take up */
	assert_int_equal(disruptor_stage_running(p.worker[0].stage), 1);
	assert_int_equal(disruptor_stage_running(p.worker[1].stage), 1);
	disruptor_stage_stop(await_hold(&p)->stage);
	let_go(&p);
	assert_code(disruptor_stop(p.d, DISRUPTOR_DRAIN, in_ms(5000)), 0);
	expect_once(&p, 4);
	finish(&p);
}

TEST(stopping_the_pool_ends_every_worker)
{
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 3, 1);
	graph_start(p.d);
	disruptor_stage_stop(p.stage);
	for (uint32_t i = 0; i < 3; i++)
		probe_await_stops(&p.worker[i], 1);
	assert_code(disruptor_stop(p.d, DISRUPTOR_NOW, in_ms(5000)), 0);
	assert_code(disruptor_stage_run(p.stage), DISRUPTOR_E_INVAL);
	assert_detail("run its workers");
	finish(&p);
}

/* ---- waiting ---- */

TEST(idle_workers_are_told_so_and_then_work)
{
	struct disruptor_pool_options o;
	struct pool p;

	prepare(&p, 8, DISRUPTOR_MAP_DEDICATED);
	for (uint32_t i = 0; i < 2; i++)
		p.worker[i].handler.wait.timeout_ns = 500000;
	o = pool_options(&p, 2);
	add(&p, &o);
	probe_producer(&p.producer, p.d);
	graph_start(p.d);
	for (uint32_t i = 0; i < 2; i++)
		while (disruptor_load_acquire(&p.worker[i].idles) < 10)
			pause_ms(1);
	probe_publish(&p.producer, 100);
	graph_drain(p.d);
	expect_once(&p, 100);
	finish(&p);
}

TEST(one_event_wakes_a_sleeping_pool)
{
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_DEDICATED, 3, 4);
	graph_start(p.d);
	for (uint64_t i = 0; i < 20; i++) {
		await_sleeps(disruptor_ring(p.d), i + 1); /* who has taken an event sleeps again */
		probe_publish(&p.producer, 1);
		await_events(&p, i + 1);
	}
	graph_drain(p.d);
	expect_once(&p, 20);
	finish(&p);
}

/* ---- claims by a worker's handler ---- */

struct inside {
	struct tick_producer producer;
	struct probe *probe;
	uint64_t at; /* act at the probe's event with this number */
	DISRUPTOR_ATOMIC(uint32_t) begun;
	int status;
	char detail[256];
};

static void claim_one(void *context)
{
	struct inside *in = context;
	struct tick *t;

	if (disruptor_load_relaxed(&in->probe->events) != in->at)
		return;
	disruptor_store_relaxed(&in->begun, 1u); /* relaxed: nothing is read through it */
	(void)disruptor_producer_handoff(&in->producer.view);
	t = tick_claim(&in->producer);
	in->status = t ? 0 : tick_status(&in->producer);
	(void)snprintf(in->detail, sizeof(in->detail), "%s", t ? "" : disruptor_error_detail());
	if (!t)
		return;
	t->value = disruptor_producer_position(&in->producer.view);
	(void)tick_publish(&in->producer);
}

static void claims_inside(struct inside *in, struct pool *p, struct probe *probe, uint64_t at)
{
	memset(in, 0, sizeof(*in));
	in->probe = probe;
	in->at = at;
	in->status = 1;
	probe->act = claim_one;
	probe->act_context = in;
	probe_producer(&in->producer, p->d);
}

TEST(a_claim_that_would_wait_for_the_workers_own_event_is_refused)
{
	struct inside in;
	struct pool p;

	begin(&p, 4, DISRUPTOR_MAP_DEDICATED, 1, 4);
	claims_inside(&in, &p, &p.worker[0], 0);
	probe_publish(&p.producer, 4);
	graph_start(p.d);
	await_events(&p, 4);
	graph_drain(p.d);
	assert_code(in.status, DISRUPTOR_E_DEADLK);
	assert_non_null(strstr(in.detail, "w0"));
	expect_once(&p, 4);
	assert_code(tick_producer_close(&in.producer), 0);
	finish(&p);
}

static bool has_begun(void *context)
{
	struct inside *in = context;

	/* relaxed: nothing is read through it */
	return disruptor_load_relaxed(&in->begun) != 0;
}

TEST(a_claim_that_waits_for_another_worker_is_let_wait)
{
	struct inside in[2];
	struct pool p;
	uint32_t holder;

	begin(&p, 4, DISRUPTOR_MAP_DEDICATED, 2, 1);
	/* one stays at event 0; the other one, at 1, 2 or 3, needs 0 to be released */
	hold_at(&p, 0);
	for (uint32_t i = 0; i < 2; i++)
		claims_inside(&in[i], &p, &p.worker[i], 0);
	graph_start(p.d);
	probe_publish(&p.producer, 1);
	holder = (uint32_t)(await_hold(&p) - p.worker);
	in[holder].at = UINT64_MAX;
	assert_int_equal(tick_claim_up_to(&p.producer, 3), 3);
	for (uint64_t i = 0; i < 3; i++)
		tick_claimed_at(&p.producer, i)->value = 1 + i;
	assert_code(tick_publish(&p.producer), 0);
	/* else the holder might handle them all by itself, once it is let go */
	await("the other worker, to claim", has_begun, &in[1 - holder]);
	pause_ms(10);
	assert_int_equal(disruptor_load_acquire(&p.worker[0].events) +
				 disruptor_load_acquire(&p.worker[1].events),
			 0);
	let_go(&p);
	await_events(&p, 5);
	graph_drain(p.d);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(in[i].status, in[i].at == UINT64_MAX ? 1 : 0);
		assert_code(tick_producer_close(&in[i].producer), 0);
	}
	expect_once(&p, 5);
	finish(&p);
}

TEST(a_claim_beside_idle_workers_of_the_same_thread_is_refused)
{
	struct probe beside;
	struct inside in;
	struct pool p;

	prepare(&p, 4, DISRUPTOR_MAP_NONE);
	probe_init(&beside, "beside");
	beside.handler.batch = 1;
	probe_add(&beside, p.d);
	add(&p, &(struct disruptor_pool_options){
			.size = sizeof(struct disruptor_pool_options),
			.name = "pool",
			.handlers = memcpy(p.handler, &p.worker[0].handler, sizeof(p.handler[0])),
			.count = 1,
			.chunk = 1 });
	probe_producer(&p.producer, p.d);
	claims_inside(&in, &p, &beside, 3);
	graph_start(p.d);
	probe_publish(&p.producer, 4);
	/* the first in order uses the budget up: the worker has not come to anything yet */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(disruptor_poll(p.d, 1), 1);
	assert_int_equal(beside.events, 4);
	assert_code(in.status, DISRUPTOR_E_DEADLK);
	assert_non_null(strstr(in.detail, "w0"));
	assert_int_equal(disruptor_poll(p.d, 100), 4);
	assert_code(tick_producer_close(&in.producer), 0);
	finish(&p);
}

/* ---- keyed ---- */

/* Each worker has handled exactly the events of its lane, in order. */
static void expect_lanes(struct pool *p, uint64_t end)
{
	expect_once(p, end);
	for (uint32_t i = 0; i < p->count; i++) {
		const struct probe *w = &p->worker[i];

		for (uint64_t k = 0; k < w->events; k++) {
			assert_int_equal(disruptor_pool_lane(p->stage, w->position[k] % 7), i);
			assert_true(k == 0 || w->position[k] > w->position[k - 1]);
		}
	}
}

TEST(a_key_goes_to_one_worker_in_order)
{
	for (int mapping = 0; mapping <= DISRUPTOR_MAP_DEDICATED; mapping++)
		for (uint32_t count = 1; count <= WORKERS; count++) {
			struct pool p;

			begin_keyed(&p, 16, (enum disruptor_mapping)mapping, count);
			graph_start(p.d);
			probe_publish(&p.producer, 400);
			graph_drain(p.d);
			expect_lanes(&p, 400);
			assert_int_equal(disruptor_stage_position(p.stage), 400);
			finish(&p);
		}
}

TEST(a_keyed_workers_batch_is_what_is_its_own)
{
	struct pool p;

	begin_keyed(&p, 128, DISRUPTOR_MAP_NONE, 3);
	graph_start(p.d);
	probe_publish(&p.producer, 20);
	assert_non_null(tick_claim(&p.producer));
	assert_code(tick_abort(&p.producer), 0);
	probe_publish(&p.producer, 9);
	assert_int_equal(disruptor_poll(p.d, 1000), 3 * 30); /* what is passed over counts */
	for (uint32_t i = 0; i < 3; i++) {
		const struct probe *w = &p.worker[i];

		assert_int_equal(w->batches, w->events ? 1 : 0);
		if (w->events)
			assert_int_equal(w->size[0], w->events);
		for (uint64_t k = 0; k < w->events; k++)
			assert_int_equal(w->last[k], k + 1 == w->events);
	}
	count_seen(&p);
	for (uint64_t at = 0; at < 31; at++)
		assert_int_equal(p.seen[at], at != 20 && at < 30);
	graph_drain(p.d);
	finish(&p);
}

TEST(a_keyed_worker_rewinds_its_own)
{
	const struct disruptor_policy patient = { .size = sizeof(patient),
						  .remedy = DISRUPTOR_REMEDY_REWIND,
						  .times = 2,
						  .then = DISRUPTOR_REMEDY_SKIP };
	struct pool p;
	uint32_t lane;

	begin_keyed(&p, 64, DISRUPTOR_MAP_NONE, 2);
	lane = disruptor_pool_lane(p.stage, 3);
	assert_code(disruptor_stage_set_policy(p.stage, &patient), 0);
	p.worker[lane].verdict = DISRUPTOR_REWIND;
	p.worker[lane].verdict_at = 10; /* key 3 */
	graph_start(p.d);
	probe_publish(&p.producer, 14);
	assert_true(disruptor_poll(p.d, 1000) > 0);
	count_seen(&p);
	for (uint64_t at = 0; at < 14; at++)
		assert_int_equal(p.seen[at],
				 disruptor_pool_lane(p.stage, at % 7) == lane && at <= 10 ? 2 : 1);
	graph_drain(p.d);
	finish(&p);
}

TEST(keys_are_spread_over_the_workers)
{
	uint32_t found[WORKERS] = { 0 };
	struct pool p;

	begin_keyed(&p, 8, DISRUPTOR_MAP_AUTO, 4);
	for (uint64_t key = 0; key < 4000; key++)
		found[disruptor_pool_lane(p.stage, key * 1024)]++;
	for (uint32_t i = 0; i < 4; i++)
		assert_in_range(found[i], 800, 1200);
	finish(&p);
}

TEST(a_keyed_pool_stands_in_a_pipeline)
{
	struct disruptor_stage *line[3];
	struct probe first, last;
	struct pool p;

	begin_keyed(&p, 16, DISRUPTOR_MAP_DEDICATED, 2);
	probe_init(&first, "first");
	probe_init(&last, "last");
	probe_add(&last, p.d);
	probe_add(&first, p.d);
	line[0] = first.stage;
	line[1] = p.stage;
	line[2] = last.stage;
	assert_code(disruptor_pipeline(line, 3), 0);
	assert_code(disruptor_after(p.stage, last.stage), DISRUPTOR_E_INVAL);
	assert_code(disruptor_after(last.stage, p.stage), DISRUPTOR_E_INVAL);
	disruptor_store_relaxed(&first.hold_at, 0);
	graph_start(p.d);
	probe_publish(&p.producer, 16);
	probe_await_hold(&first);
	pause_ms(5);
	assert_int_equal(disruptor_stage_position(p.stage), 0);
	assert_false(have_handled(&(struct sum){ &p, 1 }));
	probe_let_go(&first);
	probe_publish(&p.producer, 100);
	graph_drain(p.d);
	expect_lanes(&p, 116);
	probe_expect(&last, 0, 116);
	finish(&p);
}

/* ---- refusals ---- */

static void refused(struct disruptor *d, const struct disruptor_pool_options *o, const char *word)
{
	struct tick_consumer c[16];
	uint32_t n = 0;

	assert_null(disruptor_pool(d, o));
	check_detail(word, __FILE__, __LINE__);
	/* nothing is left behind */
	while (n < 16 && tick_consumer_open(&c[n], disruptor_ring(d), NULL) == 0)
		n++;
	assert_int_equal(n, 16);
	while (n > 0)
		assert_code(tick_consumer_close(&c[--n]), 0);
}

TEST(what_makes_no_sense_is_refused)
{
	const struct disruptor_handler good = { .size = sizeof(good),
						.name = "good",
						.on_event = declared };
	struct disruptor_handler two[2] = { good, good };
	const struct disruptor_pool_options fine = {
		.size = sizeof(fine), .name = "pool", .handlers = two, .count = 2
	};
	struct disruptor_pool_options o = fine;
	struct disruptor_options options = fixture_options(16);
	struct disruptor *d = graph_open(&options);

	assert_null(disruptor_pool(NULL, &o));
	refused(d, NULL, "NULL");
	refused(d, (o.size = 3, &o), "size");
	o = fine;
	refused(d, (o.name = NULL, &o), "name");
	refused(d, (o.name = "", &o), "name");
	o = fine;
	refused(d, (o.handlers = NULL, &o), "handlers");
	o = fine;
	refused(d, (o.count = 0, &o), "count");
	refused(d, (o.count = 17, &o), "max_consumers");
	o = fine;
	refused(d, (o.chunk = 17, &o), "capacity");
	o = fine;
	refused(d, (o.key_context = d, &o), "key");
	o.key = key_of;
	refused(d, (o.chunk = 1, &o), "chunk");
	for (int keyed = 0; keyed < 2; keyed++) {
		o = fine;
		o.key = keyed ? key_of : NULL;
		two[1].on_event = NULL;
		refused(d, &o, "on_event");
		two[1] = good;
		two[1].batch = 17;
		refused(d, &o, "batch");
		two[1] = good;
		two[1].size--;
		refused(d, &o, "handlers[1]");
		two[1] = good;
		two[1].wait.reserved = 1;
		refused(d, &o, "wait");
		two[1] = good;
	}
	two[0].size = 1;
	refused(d, &o, "handlers[0]");
	graph_close(&d);
}

TEST(only_the_pool_has_a_place_in_the_order)
{
	struct probe other;
	struct pool p;

	begin(&p, 8, DISRUPTOR_MAP_AUTO, 2, 1);
	probe_init(&other, "other");
	probe_add(&other, p.d);
	assert_code(disruptor_after(other.stage, p.worker[0].stage), DISRUPTOR_E_INVAL);
	assert_detail("worker of pool 'pool'");
	assert_code(disruptor_after(p.worker[0].stage, other.stage), DISRUPTOR_E_INVAL);
	assert_code(disruptor_after(p.stage, p.stage), DISRUPTOR_E_INVAL);
	assert_code(disruptor_after(p.stage, other.stage), 0);
	assert_code(disruptor_after(other.stage, p.stage), DISRUPTOR_E_INVAL);
	assert_detail("cycle");
	assert_int_equal(disruptor_pool_count(p.stage), 2);
	assert_int_equal(disruptor_pool_count(other.stage), 0);
	assert_int_equal(disruptor_pool_count(p.worker[0].stage), 0);
	assert_null(disruptor_pool_worker(other.stage, 0));
	assert_null(disruptor_pool_worker(p.stage, 2));
	assert_null(disruptor_pool_worker(NULL, 0));
	graph_start(p.d);
	assert_null(disruptor_pool(p.d, &(struct disruptor_pool_options){
						.size = sizeof(struct disruptor_pool_options),
						.name = "late",
						.handlers = p.handler,
						.count = 1 }));
	assert_detail("fixed once started");
	finish(&p);
}

TEST(workers_may_write_the_same_fields_and_others_may_not)
{
	for (int keyed = 0; keyed < 2; keyed++) {
		struct disruptor_options options = fixture_options(16);
		struct disruptor_handler h = {
			.size = sizeof(h), .name = "w", .on_event = declared, .writes = "value"
		};
		struct disruptor_handler two[2] = { h, h };
		struct disruptor_stage *pool, *other;
		struct disruptor *d;

		options.flags &= ~(unsigned)DISRUPTOR_TRUST_HANDLERS;
		d = graph_open(&options);
		pool = disruptor_pool(d, &(struct disruptor_pool_options){
						 .size = sizeof(struct disruptor_pool_options),
						 .name = "pool",
						 .handlers = two,
						 .count = 2,
						 .key = keyed ? key_of : NULL });
		assert_non_null(pool);
		h.name = "other";
		h.writes = "from";
		other = disruptor_stage(d, &h);
		assert_non_null(other);
		graph_start(d);
		graph_close(&d);
		d = graph_open(&options);
		pool = disruptor_pool(d, &(struct disruptor_pool_options){
						 .size = sizeof(struct disruptor_pool_options),
						 .name = "pool",
						 .handlers = two,
						 .count = 2,
						 .key = keyed ? key_of : NULL });
		h.writes = NULL;
		h.reads = "value";
		other = disruptor_stage(d, &h);
		assert_code(disruptor_start(d), DISRUPTOR_E_CONFLICT);
		assert_detail("'pool'");
		assert_code(disruptor_after(other, pool), 0);
		graph_start(d);
		graph_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(each_event_goes_to_one_worker_under_every_mapping),
		RUN(workers_share_threads_or_are_placed),
		RUN(a_worker_claims_a_chunk_at_a_time),
		RUN(a_handlers_batch_limits_its_chunk_and_the_default_is_sixteen),
		RUN(a_budget_cuts_a_chunk_and_the_rest_comes_next),
		RUN(only_what_is_published_is_claimed),
		RUN(a_slow_worker_holds_producers_at_its_event_while_the_others_go_on),
		RUN(a_stage_after_the_pool_sees_an_event_once_its_worker_has_released_it),
		RUN(a_pool_after_a_stage_is_handed_what_that_has_released),
		RUN(a_pool_has_a_gate_for_each_worker_and_one_for_the_whole),
		RUN(voids_are_passed_also_within_a_chunk),
		RUN(an_early_release_moves_the_gate_within_a_chunk),
		RUN(verdicts_work_for_each_worker),
		RUN(a_policy_of_the_pool_is_that_of_each_worker),
		RUN(a_failure_names_the_worker_and_its_event_comes_again),
		RUN(what_a_worker_leaves_is_taken_up_before_anything_new),
		RUN(what_is_left_is_cut_to_the_batch_of_who_takes_it_up),
		RUN(what_all_have_left_waits_for_the_next_run),
		RUN(a_worker_that_is_stopped_in_its_handler_leaves_the_rest),
		RUN(a_worker_may_go_and_come_back_while_the_others_run),
		RUN(a_drain_waits_for_what_is_in_hand),
		RUN(stopping_the_pool_ends_every_worker),
		RUN(idle_workers_are_told_so_and_then_work),
		RUN(one_event_wakes_a_sleeping_pool),
		RUN(a_claim_that_would_wait_for_the_workers_own_event_is_refused),
		RUN(a_claim_that_waits_for_another_worker_is_let_wait),
		RUN(a_claim_beside_idle_workers_of_the_same_thread_is_refused),
		RUN(a_key_goes_to_one_worker_in_order),
		RUN(a_keyed_workers_batch_is_what_is_its_own),
		RUN(a_keyed_worker_rewinds_its_own),
		RUN(keys_are_spread_over_the_workers),
		RUN(a_keyed_pool_stands_in_a_pipeline),
		RUN(what_makes_no_sense_is_refused),
		RUN(only_the_pool_has_a_place_in_the_order),
		RUN(workers_may_write_the_same_fields_and_others_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
