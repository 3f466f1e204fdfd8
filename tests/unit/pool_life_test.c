/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pools: each event to one worker, shared or by key. Rows T37, T51 in part. */
#include "probe.h"

#include <string.h>

#define WORKERS 3

struct crew {
	struct disruptor *d;
	struct disruptor_stage *pool;
	struct probe worker[WORKERS];
	struct probe after;
	struct tick_producer p;
	bool driven;
};

static const enum disruptor_mapping mappings[] = { DISRUPTOR_MAP_DEDICATED, DISRUPTOR_MAP_SHARED,
						   DISRUPTOR_MAP_NONE };

/* The key of a tick: groups of three. */
static uint64_t key_of(const void *event, void *context)
{
	const struct tick *t = event;

	(void)context;
	return t->value / 3;
}

static void begin_by(uint32_t chunk, struct crew *c, uint64_t capacity,
		     enum disruptor_mapping mapping, bool keyed)
{
	static const char *const names[WORKERS] = { "ann", "bob", "cid" };
	struct disruptor_options options = fixture_options(capacity);
	struct disruptor_handler handlers[WORKERS];
	struct disruptor_pool_options pool = { .size = sizeof(pool),
					       .name = "crew",
					       .handlers = handlers,
					       .count = WORKERS,
					       .chunk = keyed ? 0 : chunk,
					       .key = keyed ? key_of : NULL };

	c->d = graph_open(&options);
	c->driven = mapping == DISRUPTOR_MAP_NONE;
	graph_map(c->d, mapping, mapping == DISRUPTOR_MAP_SHARED);
	for (size_t i = 0; i < WORKERS; i++) {
		probe_init(&c->worker[i], names[i]);
		handlers[i] = c->worker[i].handler;
	}
	c->pool = disruptor_pool(c->d, &pool);
	if (!c->pool)
		fail_msg("pool: %s", disruptor_error_detail());
	for (size_t i = 0; i < WORKERS; i++)
		c->worker[i].stage = disruptor_pool_worker(c->pool, i);
	probe_init(&c->after, "after");
	probe_add(&c->after, c->d);
	assert_code(disruptor_after(c->after.stage, c->pool), 0);
	probe_producer(&c->p, c->d);
}

/* Two at a time. */
static void begin(struct crew *c, uint64_t capacity, enum disruptor_mapping mapping, bool keyed)
{
	begin_by(2, c, capacity, mapping, keyed);
}

static void finish(struct crew *c)
{
	assert_code(tick_producer_close(&c->p), 0);
	graph_close(&c->d);
}

static uint64_t handled(const struct crew *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < WORKERS; i++)
		n += disruptor_load_relaxed(&c->worker[i].events);
	return n;
}

/* Every position of [from, to) but the voids was handed to exactly one worker, in order to each. */
static void expect_each_once(const struct crew *c, uint64_t from, uint64_t to, uint64_t voids)
{
	unsigned char seen[PROBE_RECORD] = { 0 };
	uint64_t n = 0;

	for (size_t i = 0; i < WORKERS; i++) {
		const struct probe *w = &c->worker[i];

		assert_int_equal(w->wrong, 0);
		for (uint64_t k = 0; k < w->events; k++) {
			assert_in_range(w->position[k], from, to - 1);
			assert_int_equal(seen[w->position[k] - from], 0);
			seen[w->position[k] - from] = 1;
			n++;
		}
	}
	assert_int_equal(n, to - from - voids);
}

static void forget(struct crew *c)
{
	for (size_t i = 0; i < WORKERS; i++)
		probe_forget(&c->worker[i]);
	probe_forget(&c->after);
}

TEST(each_event_is_handed_to_one_worker)
{
	for (int keyed = 0; keyed <= 1; keyed++)
		for (size_t i = 0; i < COUNT(mappings); i++) {
			struct crew c;

			begin(&c, 512, mappings[i], keyed);
			graph_start(c.d);
			probe_publish(&c.p, 300);
			graph_drain(c.d);
			expect_each_once(&c, 0, 300, 0);
			probe_expect(&c.after, 0, 300);
			assert_int_equal(disruptor_stage_position(c.pool), 300);
			forget(&c);
			graph_start(c.d);
			probe_publish(&c.p, 60);
			graph_drain(c.d);
			expect_each_once(&c, 300, 360, 0);
			assert_int_equal(c.after.events, 60);
			finish(&c);
		}
}

TEST(a_slow_worker_holds_the_ring_at_its_hand_while_the_others_go_on)
{
	struct crew c;

	begin(&c, 16, DISRUPTOR_MAP_DEDICATED, false);
	for (size_t i = 0; i < WORKERS; i++)
		c.worker[i].hold_at = 4;
	probe_publish(&c.p, 16); /* before, so that every chunk is a whole one */
	graph_start(c.d);
	while (handled(&c) < 14) /* all but the one in hand and the other of its chunk */
		pause_ms(1);
	probe_await(&c.after, 4); /* the others release what they have handled */
	pause_ms(2);
	assert_int_equal(handled(&c), 14);
	assert_int_equal(disruptor_stage_position(c.pool), 4);
	assert_int_equal(c.after.events, 4);
	probe_publish(&c.p, 4);
	assert_null(tick_try_claim(&c.p));
	for (size_t i = 0; i < WORKERS; i++)
		if (disruptor_load_relaxed(&c.worker[i].holding))
			probe_let_go(&c.worker[i]);
	graph_drain(c.d);
	expect_each_once(&c, 0, 20, 0);
	finish(&c);
}

TEST(only_what_is_published_is_taken)
{
	struct crew c;
	struct tick *t;

	begin(&c, 64, DISRUPTOR_MAP_DEDICATED, false);
	graph_start(c.d);
	probe_publish(&c.p, 3);
	t = tick_claim(&c.p);
	assert_non_null(t);
	t->value = 3;
	while (handled(&c) < 3)
		pause_ms(1);
	pause_ms(2);
	assert_int_equal(handled(&c), 3);
	assert_int_equal(disruptor_stage_position(c.pool), 3);
	assert_code(tick_publish(&c.p), 0);
	graph_drain(c.d);
	expect_each_once(&c, 0, 4, 0);
	finish(&c);
}

TEST(a_pools_figures_are_its_workers_together)
{
	for (int keyed = 0; keyed <= 1; keyed++) {
		struct disruptor_stage_stats whole = { .size = sizeof(whole) };
		struct disruptor_stage_stats one = { .size = sizeof(one) };
		uint64_t events = 0, batches = 0;
		struct crew c;

		begin(&c, 512, DISRUPTOR_MAP_DEDICATED, keyed);
		graph_start(c.d);
		probe_publish(&c.p, 200);
		graph_drain(c.d);
		for (size_t i = 0; i < WORKERS; i++) {
			assert_code(disruptor_stage_stats(c.worker[i].stage, &one), 0);
			assert_int_equal(one.events, c.worker[i].events);
			events += one.events;
			batches += one.batches;
		}
		assert_code(disruptor_stage_stats(c.pool, &whole), 0);
		assert_int_equal(whole.events, 200);
		assert_int_equal(whole.events, events);
		assert_int_equal(whole.batches, batches);
		assert_int_equal(whole.position, 200);
		assert_in_range(whole.batch_max, 1, 200);
		finish(&c);
	}
}

TEST(voids_are_nobodys)
{
	for (int keyed = 0; keyed <= 1; keyed++) {
		struct crew c;

		begin(&c, 64, DISRUPTOR_MAP_DEDICATED, keyed);
		for (unsigned i = 0; i < 10; i++) {
			probe_publish(&c.p, i % 3);
			assert_non_null(tick_claim(&c.p));
			assert_code(tick_abort(&c.p), 0);
		}
		graph_start(c.d);
		graph_drain(c.d);
		expect_each_once(&c, 0, 19, 10);
		assert_int_equal(c.after.events, 9);
		assert_int_equal(disruptor_stage_position(c.pool), 19);
		finish(&c);
	}
}

TEST(what_a_worker_has_taken_and_not_handled_goes_to_the_others)
{
	for (size_t i = 0; i < COUNT(mappings); i++) {
		struct crew c;

		begin(&c, 64, mappings[i], false);
		for (size_t k = 0; k < WORKERS; k++) {
			c.worker[k].verdict_at = 6; /* the first of a chunk of two */
			c.worker[k].verdict = DISRUPTOR_STOP;
		}
		graph_start(c.d);
		probe_publish(&c.p, 20);
		graph_drain(c.d);
		expect_each_once(&c, 0, 20, 0);
		probe_expect(&c.after, 0, 20);
		finish(&c);
	}
}

struct leaver {
	struct probe *probe;
	DISRUPTOR_ATOMIC(uint64_t) * busy; /* how many hold a chunk; NULL: nobody is waited for */
};

/* Stop after this event; at first wait until every worker has a chunk. */
static void leave(void *context)
{
	struct leaver *l = context;

	/* acq_rel and acquire: a count of those who have come */
	if (l->busy && disruptor_load_relaxed(&l->probe->events) == 0)
		for (disruptor_fetch_add_release(l->busy, UINT64_C(1));
		     disruptor_load_acquire(l->busy) < WORKERS;)
			pause_ms(1);
	disruptor_stage_stop(l->probe->stage);
}

TEST(a_worker_takes_up_its_own_rest_before_anothers)
{
	DISRUPTOR_ATOMIC(uint64_t) busy = 0;
	struct leaver leaver[WORKERS];
	struct crew c;

	begin_by(4, &c, 64, DISRUPTOR_MAP_DEDICATED, false);
	for (size_t k = 0; k < WORKERS; k++) {
		leaver[k] = (struct leaver){ .probe = &c.worker[k], .busy = &busy };
		c.worker[k].act = leave;
		c.worker[k].act_context = &leaver[k];
	}
	probe_publish(&c.p, 12); /* before, so that every chunk is a whole one */
	graph_start(c.d);
	for (size_t k = 0; k < WORKERS; k++)
		probe_await_stops(&c.worker[k], 1);
	assert_code(disruptor_stop(c.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_int_equal(handled(&c), WORKERS); /* each has left three */
	/* the last would have no place for another's rest beside its own */
	leaver[WORKERS - 1].busy = NULL;
	for (uint64_t k = 2; k <= 3; k++) {
		assert_code(disruptor_stage_run(c.worker[WORKERS - 1].stage), 0);
		assert_int_equal(c.worker[WORKERS - 1].events, k);
	}
	for (size_t k = 0; k < WORKERS; k++)
		c.worker[k].act = NULL;
	graph_start(c.d);
	graph_drain(c.d);
	expect_each_once(&c, 0, 12, 0);
	finish(&c);
}

TEST(what_all_workers_leave_waits_for_the_next_run)
{
	struct crew c;

	begin(&c, 64, DISRUPTOR_MAP_DEDICATED, false);
	graph_start(c.d);
	disruptor_stage_stop(c.pool);
	for (size_t k = 0; k < WORKERS; k++)
		probe_await_stops(&c.worker[k], 1);
	assert_false(disruptor_stage_running(c.pool));
	probe_publish(&c.p, 9);
	assert_code(disruptor_stop(c.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	graph_start(c.d);
	graph_drain(c.d);
	expect_each_once(&c, 0, 9, 0);
	finish(&c);
}

TEST(a_detached_worker_loses_nothing)
{
	struct crew c;

	begin(&c, 16, DISRUPTOR_MAP_DEDICATED, false);
	graph_start(c.d);
	probe_publish(&c.p, 10);
	assert_code(disruptor_detach(c.worker[1].stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_null(disruptor_pool_worker(c.pool, 1));
	probe_publish(&c.p, 100);
	graph_drain(c.d);
	expect_each_once(&c, 0, 110, 0);
	graph_start(c.d);
	assert_int_equal(disruptor_thread_count(c.d), 3);
	probe_publish(&c.p, 10);
	graph_drain(c.d);
	expect_each_once(&c, 0, 120, 0);
	finish(&c);
}

TEST(a_worker_takes_the_place_of_one_that_was_detached)
{
	for (size_t i = 0; i < COUNT(mappings); i++) {
		struct probe late;
		struct crew c;

		begin(&c, 16, mappings[i], false);
		probe_init(&late, "dan");
		graph_start(c.d);
		probe_publish(&c.p, 6);
		assert_null(disruptor_pool_attach(c.pool, &late.handler));
		assert_detail("none of its 3 workers");
		for (size_t k = 0; k < WORKERS; k++)
			assert_code(disruptor_detach(c.worker[k].stage, DISRUPTOR_NOW,
						     in_ms(WATCHDOG_MS)),
				    0);
		late.stage = disruptor_pool_attach(c.pool, &late.handler);
		if (c.driven && !late.stage) {
			/* every stage but the last has ended: it drives on */
			fail_msg("%s", disruptor_error_detail());
		}
		assert_non_null(late.stage);
		assert_string_equal(disruptor_stage_name(late.stage), "dan");
		assert_ptr_equal(disruptor_pool_worker(c.pool, 0), late.stage);
		for (unsigned k = 0; k < 4; k++) {
			probe_publish(&c.p, 10);
			while (c.driven && disruptor_poll(c.d, 100) > 0)
				;
		}
		graph_drain(c.d);
		assert_int_equal(handled(&c) + late.events, 46);
		assert_int_equal(late.wrong, 0);
		assert_true(late.events >= 40);
		assert_int_equal(c.after.events, 46);
		/* and it is there in the next run */
		graph_start(c.d);
		probe_publish(&c.p, 4);
		graph_drain(c.d);
		assert_int_equal(c.after.events, 50);
		finish(&c);
	}
}

TEST(a_worker_that_cannot_join_leaves_the_pool_as_it_was)
{
	struct probe late;
	struct crew c;

	begin(&c, 16, DISRUPTOR_MAP_DEDICATED, false);
	graph_start(c.d);
	probe_init(&late, "dan");
	assert_code(disruptor_detach(c.worker[2].stage, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	assert_null(disruptor_pool_attach(NULL, &late.handler));
	assert_null(disruptor_pool_attach(c.after.stage, &late.handler));
	assert_detail("it is none");
	assert_null(disruptor_pool_attach(c.pool, NULL));
	late.handler.deferred = 1;
	assert_null(disruptor_pool_attach(c.pool, &late.handler));
	assert_detail("deferred");
	late.handler.deferred = 0;
	late.start_answer = -6;
	assert_null(disruptor_pool_attach(c.pool, &late.handler));
	assert_detail("on_start answered -6");
	assert_null(disruptor_pool_worker(c.pool, 2));
	assert_int_equal(disruptor_state(c.d), DISRUPTOR_RUNNING);
	late.start_answer = 0;
	assert_non_null(disruptor_pool_attach(c.pool, &late.handler));
	probe_publish(&c.p, 40);
	graph_drain(c.d);
	assert_int_equal(handled(&c) + late.events, 40);
	finish(&c);
}

/* Two workers that read `value` and write `from`, of which the second has left, in a graph at rest. */
static struct disruptor_stage *open_declared(struct disruptor *d, struct probe worker[2])
{
	struct disruptor_handler handlers[2];
	const struct disruptor_pool_options o = {
		.size = sizeof(o), .name = "crew", .handlers = handlers, .count = 2
	};
	struct disruptor_stage *pool;

	probe_init(&worker[0], "ann");
	probe_init(&worker[1], "bob");
	for (size_t i = 0; i < 2; i++) {
		handlers[i] = worker[i].handler;
		handlers[i].reads = "value";
		handlers[i].writes = "from";
	}
	pool = disruptor_pool(d, &o);
	assert_non_null(pool);
	assert_code(disruptor_detach(disruptor_pool_worker(pool, 1), DISRUPTOR_NOW, 0), 0);
	return pool;
}

TEST(a_worker_that_touches_more_than_its_pool_is_refused_by_its_own_name)
{
	static const struct {
		const char *reads, *writes, *word;
	} table[] = {
		{ NULL, NULL, "worker 'dan' reads or writes fields that no worker of pool 'crew'" },
		{ "value", "*", "worker 'dan' reads or writes" },
		{ "*", "from", "worker 'dan' reads or writes" },
		{ "value", "value", "worker 'dan' reads or writes" },
		{ "from", NULL, "worker 'dan' reads or writes" },
		{ "volume", NULL, "stage 'dan': reads: \"volume\" is no field of type 'tick'" },
		{ NULL, "from, from", "stage 'dan': writes: 'from' is listed twice" },
	};
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_stage *pool, *s;
	struct probe worker[2], late;
	struct tick_producer p;

	pool = open_declared(d, worker);
	probe_producer(&p, d);
	probe_init(&late, "dan");
	for (size_t i = 0; i < COUNT(table); i++) {
		late.handler.reads = table[i].reads;
		late.handler.writes = table[i].writes;
		assert_null(disruptor_pool_attach(pool, &late.handler));
		assert_detail(table[i].word);
		assert_null(disruptor_pool_worker(pool, 1));
		assert_string_equal(disruptor_stage_name(pool), "crew");
	}
	graph_start(d); /* the other works alone */
	probe_publish(&p, 20);
	graph_drain(d);
	probe_expect(&worker[0], 0, 20);
	late.handler.reads = "value";
	late.handler.writes = "";
	s = disruptor_pool_attach(pool, &late.handler); /* less is no harm */
	assert_non_null(s);
	assert_ptr_equal(disruptor_pool_worker(pool, 1), s);
	assert_string_equal(disruptor_stage_name(s), "dan");
	graph_start(d);
	probe_publish(&p, 20);
	graph_drain(d);
	assert_int_equal(worker[0].events + late.events, 40);
	assert_int_equal(late.starts, 1);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

/* What the one before it was asked for, an end at what had been claimed, is not for the next. */
TEST(a_worker_in_the_place_of_one_that_was_drained_goes_on_working)
{
	struct probe late;
	struct crew c;

	begin(&c, 16, DISRUPTOR_MAP_DEDICATED, 0);
	graph_start(c.d);
	probe_publish(&c.p, 6);
	for (size_t k = 0; k < WORKERS; k++)
		assert_code(disruptor_detach(c.worker[k].stage, DISRUPTOR_DRAIN,
					     in_ms(WATCHDOG_MS)),
			    0);
	probe_init(&late, "dan");
	late.stage = disruptor_pool_attach(c.pool, &late.handler);
	assert_non_null(late.stage);
	probe_publish(&c.p, 40);
	graph_drain(c.d);
	assert_int_equal(handled(&c) + late.events, 46);
	assert_int_equal(c.after.events, 46);
	finish(&c);
}

TEST(only_the_whole_pool_is_come_after)
{
	for (int keyed = 0; keyed <= 1; keyed++) {
		struct disruptor_attach how = { .size = sizeof(how), .after_count = 1 };
		struct disruptor_consumer_options options = { .size = sizeof(options),
							      .after_count = 1 };
		const struct disruptor_consumer *before;
		struct tick_consumer poller;
		struct probe late;
		struct crew c;

		begin(&c, 16, DISRUPTOR_MAP_DEDICATED, keyed);
		graph_start(c.d);
		probe_init(&late, "late");
		how.after = &c.worker[1].stage;
		assert_null(disruptor_attach(c.d, &late.handler, &how));
		assert_detail("worker of pool 'crew'");
		before = disruptor_stage_consumer(c.worker[1].stage);
		options.after = &before;
		assert_code(tick_consumer_open(&poller, disruptor_ring(c.d), &options),
			    DISRUPTOR_E_INVAL);
		assert_detail("worker of pool 'crew'");
		/* after the whole, either may come */
		before = disruptor_stage_consumer(c.pool);
		assert_code(tick_consumer_open(&poller, disruptor_ring(c.d), &options), 0);
		how.after = &c.pool;
		late.stage = disruptor_attach(c.d, &late.handler, &how);
		assert_non_null(late.stage);
		probe_publish(&c.p, 4);
		for (uint64_t read = 0; read < 4;) {
			uint64_t n = tick_ready(&poller);

			assert_true(disruptor_consumer_position(&poller.view) + n <=
				    disruptor_stage_position(c.pool));
			read_ticks(&poller, n);
			read += n;
		}
		graph_drain(c.d);
		probe_expect(&late, 0, 4);
		assert_code(tick_consumer_close(&poller), 0);
		finish(&c);
	}
}

TEST(a_pool_is_detached_as_a_whole)
{
	for (size_t i = 0; i < COUNT(mappings); i++) {
		struct crew c;

		begin(&c, 16, mappings[i], i == 0);
		graph_start(c.d);
		probe_publish(&c.p, 10);
		assert_code(disruptor_detach(c.pool, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
		expect_each_once(&c, 0, 10, 0);
		for (unsigned k = 0; k < 5; k++) {
			probe_publish(&c.p, 10); /* the pool holds nobody back any more */
			while (c.driven && disruptor_poll(c.d, 100) > 0)
				;
		}
		graph_drain(c.d);
		probe_expect(&c.after, 0, 60);
		finish(&c);
	}
}

TEST(verdicts_and_policies_are_each_workers)
{
	const struct disruptor_policy policy = { .size = sizeof(policy),
						 .remedy = DISRUPTOR_REMEDY_RETRY,
						 .times = 3 };
	struct disruptor_stage_trouble trouble = { 0 };
	struct crew c;

	begin(&c, 64, DISRUPTOR_MAP_DEDICATED, false);
	assert_code(disruptor_stage_set_policy(c.pool, &policy), 0);
	for (size_t k = 0; k < WORKERS; k++) {
		c.worker[k].verdict_at = 2 + k;
		c.worker[k].verdict = k == 1 ? DISRUPTOR_REWIND : -9;
	}
	graph_start(c.d);
	probe_publish(&c.p, 40);
	graph_drain(c.d);
	assert_int_equal(c.after.events, 40);
	assert_int_equal(disruptor_stage_position(c.pool), 40);
	for (size_t k = 0; k < WORKERS; k++)
		trouble.retries += disruptor_stage_trouble(c.worker[k].stage).retries;
	assert_true(trouble.retries <= 2);
	finish(&c);
}

TEST(a_worker_that_fails_fails_the_ring_and_loses_nothing)
{
	struct crew c;

	begin(&c, 64, DISRUPTOR_MAP_DEDICATED, false);
	for (size_t k = 0; k < WORKERS; k++) {
		c.worker[k].verdict_at = 5;
		c.worker[k].verdict = -8;
	}
	probe_publish(&c.p, 12);
	graph_run_to_failure(c.d);
	assert_int_equal(disruptor_failure(c.d).code, -8);
	assert_int_equal(disruptor_failure(c.d).position, 5);
	for (size_t k = 0; k < WORKERS; k++)
		c.worker[k].verdict_at = PROBE_NEVER;
	graph_start(c.d);
	graph_drain(c.d);
	/* the event that failed was handed out twice */
	assert_int_equal(handled(&c), 13);
	assert_int_equal(c.after.events, 12);
	finish(&c);
}

TEST(a_key_belongs_to_one_worker_and_keeps_its_order)
{
	int owner[100];
	struct crew c;

	begin(&c, 512, DISRUPTOR_MAP_DEDICATED, true);
	graph_start(c.d);
	probe_publish(&c.p, 300);
	graph_drain(c.d);
	for (size_t i = 0; i < COUNT(owner); i++)
		owner[i] = -1;
	for (int k = 0; k < WORKERS; k++) {
		const struct probe *w = &c.worker[k];

		assert_in_range(w->events, 30, 200); /* the keys are spread */
		for (uint64_t i = 0; i < w->events; i++) {
			int *of = &owner[w->position[i] / 3];

			assert_true(*of == -1 || *of == k);
			*of = k;
			assert_true(i == 0 || w->position[i] > w->position[i - 1]);
		}
		assert_int_equal(w->last[w->events - 1], 1);
	}
	assert_code(disruptor_detach(c.worker[0].stage, DISRUPTOR_NOW, 0), DISRUPTOR_E_UNSUPPORTED);
	finish(&c);
}

TEST(pools_follow_one_another)
{
	struct disruptor_options options = fixture_options(32);
	struct disruptor *d = graph_open(&options);
	struct probe first[2], second[2], end;
	struct disruptor_handler handlers[2];
	struct disruptor_pool_options o = { .size = sizeof(o), .handlers = handlers, .count = 2 };
	struct disruptor_stage *order[3];
	struct tick_producer p;

	for (size_t i = 0; i < 2; i++) {
		probe_init(&first[i], "first");
		handlers[i] = first[i].handler;
	}
	o.name = "keyed";
	o.key = key_of;
	order[0] = disruptor_pool(d, &o);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&second[i], "second");
		handlers[i] = second[i].handler;
	}
	o.name = "shared";
	o.key = NULL;
	order[1] = disruptor_pool(d, &o);
	probe_init(&end, "end");
	probe_add(&end, d);
	order[2] = end.stage;
	assert_non_null(order[0]);
	assert_non_null(order[1]);
	assert_code(disruptor_pipeline(order, 3), 0);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 200);
	graph_drain(d);
	assert_int_equal(first[0].events + first[1].events, 200);
	assert_int_equal(second[0].events + second[1].events, 200);
	probe_expect(&end, 0, 200);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_pool_that_cannot_be_is_refused_and_leaves_nothing)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct disruptor_handler handlers[2];
	struct disruptor_pool_options o = { .size = sizeof(o), .handlers = handlers, .count = 2 };
	struct probe probe;

	probe_init(&probe, "worker");
	handlers[0] = handlers[1] = probe.handler;
	assert_null(disruptor_pool(NULL, &o));
	assert_null(disruptor_pool(d, NULL));
	assert_null(disruptor_pool(d, &o));
	assert_detail("name");
	o.name = "crew";
	o.count = 0;
	assert_null(disruptor_pool(d, &o));
	assert_detail("count");
	o.count = 2;
	o.chunk = 9;
	assert_null(disruptor_pool(d, &o));
	assert_detail("chunk: 9");
	o.chunk = 1;
	o.key = key_of;
	assert_null(disruptor_pool(d, &o));
	assert_detail("keyed");
	o.key = NULL;
	handlers[1].on_event = NULL;
	assert_null(disruptor_pool(d, &o));
	assert_detail("on_event");
	handlers[1] = probe.handler;
	handlers[1].deferred = 2;
	assert_null(disruptor_pool(d, &o));
	assert_detail("deferred");
	assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, 0);
	handlers[1].deferred = 0;
	assert_non_null(disruptor_pool(d, &o));
	graph_close(&d);
}

/* Consumers of the caller's take places on the ring, too, which the stages' count does not show. */
TEST(a_pool_that_the_ring_has_no_place_for_is_refused_and_leaves_nothing)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_handler handlers[2];
	const struct disruptor_pool_options o = {
		.size = sizeof(o), .name = "crew", .handlers = handlers, .count = 2
	};
	struct probe worker[2];
	struct tick_consumer own[4];
	struct tick_producer p;
	struct disruptor *d;

	options.max_consumers = 4;
	d = graph_open(&options);
	probe_init(&worker[0], "ann");
	probe_init(&worker[1], "bob");
	handlers[0] = worker[0].handler;
	handlers[1] = worker[1].handler;
	for (size_t i = 0; i < COUNT(own); i++)
		assert_code(tick_consumer_open(&own[i], disruptor_ring(d), NULL), 0);
	for (size_t i = COUNT(own); i > 1; i--) { /* for the head, a worker, another */
		assert_null(disruptor_pool(d, &o));
		assert_detail("4 consumers");
		assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, i);
		assert_code(disruptor_start(d), DISRUPTOR_E_STATE);
		assert_detail("it has no stage");
		assert_code(tick_consumer_close(&own[i - 1]), 0);
	}
	assert_non_null(disruptor_pool(d, &o));
	assert_code(tick_consumer_close(&own[0]), 0);
	probe_producer(&p, d);
	graph_start(d);
	probe_publish(&p, 20);
	graph_drain(d);
	assert_int_equal(worker[0].events + worker[1].events, 20);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

static struct disruptor_stage *add_pool(struct disruptor *d, const char *name, struct probe *only)
{
	const struct disruptor_pool_options o = {
		.size = sizeof(o), .name = name, .handlers = &only->handler, .count = 1
	};
	struct disruptor_stage *pool;

	probe_init(only, name);
	pool = disruptor_pool(d, &o);
	assert_non_null(pool);
	return pool;
}

TEST(pools_leave_in_any_order_and_the_others_go_on)
{
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (size_t k = 0; k < COUNT(orders); k++) {
		struct disruptor_options options = fixture_options(8);
		struct disruptor *d = graph_open(&options);
		struct disruptor_stage *pool[3];
		struct probe only[3], after;
		struct tick_producer p;

		pool[0] = add_pool(d, "first", &only[0]);
		pool[1] = add_pool(d, "second", &only[1]);
		pool[2] = add_pool(d, "third", &only[2]);
		probe_init(&after, "after");
		probe_add(&after, d);
		for (size_t i = 0; i < 3; i++)
			assert_code(disruptor_after(after.stage, pool[i]), 0);
		probe_producer(&p, d);
		for (size_t i = 0; i < 3; i++) {
			graph_start(d);
			probe_publish(&p, 10);
			assert_code(disruptor_detach(pool[orders[k][i]], DISRUPTOR_DRAIN,
						     in_ms(WATCHDOG_MS)),
				    0);
			probe_expect(&only[orders[k][i]], 0, 10 * (i + 1));
			graph_drain(d);
		}
		probe_expect(&after, 0, 30);
		assert_int_equal(disruptor_ring_stats(disruptor_ring(d)).consumers, 1);
		assert_code(tick_producer_close(&p), 0);
		graph_close(&d);
	}
}

/* ---- T37: the end of a run in which a worker failed ---- */

struct claimer {
	struct tick_producer *p;
	int status;
};

static void claim_until_refused(void *context)
{
	struct claimer *c = context;
	struct tick *t;

	(void)disruptor_producer_handoff(&c->p->view);
	while ((t = tick_claim(c->p))) {
		t->value = disruptor_producer_position(&c->p->view);
		(void)tick_publish(c->p);
	}
	c->status = tick_status(c->p);
}

/* The first position that no worker was handed; others may have taken it when one failed. */
static uint64_t first_not_handed(const struct crew *c)
{
	for (uint64_t position = 0;; position++) {
		bool handed = false;

		for (size_t i = 0; i < WORKERS; i++)
			for (uint64_t k = 0; k < c->worker[i].events; k++)
				handed |= c->worker[i].position[k] == position;
		if (!handed)
			return position;
	}
}

static void fail_a_worker(enum disruptor_stop_mode mode, bool keyed)
{
	struct claimer blocked;
	struct runner t;
	struct crew c;
	uint64_t end;

	begin(&c, 8, DISRUPTOR_MAP_DEDICATED, keyed);
	for (size_t k = 0; k < WORKERS; k++) { /* whose event it is */
		disruptor_store_relaxed(&c.worker[k].hold_at, UINT64_C(4));
		c.worker[k].verdict_at = 4;
		c.worker[k].verdict = -8;
	}
	graph_start(c.d);
	blocked.p = &c.p;
	runner_start(&t, "a producer that a worker holds back", claim_until_refused, &blocked);
	await_sleeps(disruptor_ring(c.d), 1);
	while (!disruptor_load_acquire(&c.worker[0].holding) &&
	       !disruptor_load_acquire(&c.worker[1].holding) &&
	       !disruptor_load_acquire(&c.worker[2].holding))
		pause_ms(1);
	for (size_t k = 0; k < WORKERS; k++)
		probe_let_go(&c.worker[k]);
	runner_join(&t);
	(void)disruptor_producer_handoff(&c.p.view);
	assert_code(blocked.status, DISRUPTOR_E_FAILED);
	assert_code(disruptor_stop(c.d, mode, in_ms(WATCHDOG_MS)), DISRUPTOR_E_FAILED);
	assert_int_equal(disruptor_failure(c.d).code, -8);
	assert_int_equal(disruptor_failure(c.d).position, 4);
	for (size_t k = 0; k < WORKERS; k++) {
		assert_int_equal(c.worker[k].stops, 1);
		assert_false(disruptor_stage_running(c.worker[k].stage));
	}
	end = first_not_handed(&c);
	end = end < 4 ? end : 4;
	if (keyed) /* one that the others' events pass by may not have come so far */
		assert_true(disruptor_stage_position(c.pool) <= end);
	else
		assert_int_equal(disruptor_stage_position(c.pool), end);
	assert_true(c.after.events <= 4); /* nothing behind what was not handled */
	finish(&c);
}

TEST(a_failed_worker_lets_every_stop_mode_end_and_frees_blocked_producers)
{
	for (int keyed = 0; keyed <= 1; keyed++)
		for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++)
			fail_a_worker((enum disruptor_stop_mode)mode, keyed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(each_event_is_handed_to_one_worker),
		RUN(a_slow_worker_holds_the_ring_at_its_hand_while_the_others_go_on),
		RUN(only_what_is_published_is_taken),
		RUN(a_pools_figures_are_its_workers_together),
		RUN(voids_are_nobodys),
		RUN(what_a_worker_has_taken_and_not_handled_goes_to_the_others),
		RUN(a_worker_takes_up_its_own_rest_before_anothers),
		RUN(what_all_workers_leave_waits_for_the_next_run),
		RUN(a_detached_worker_loses_nothing),
		RUN(a_worker_takes_the_place_of_one_that_was_detached),
		RUN(a_worker_that_cannot_join_leaves_the_pool_as_it_was),
		RUN(a_worker_that_touches_more_than_its_pool_is_refused_by_its_own_name),
		RUN(a_worker_in_the_place_of_one_that_was_drained_goes_on_working),
		RUN(only_the_whole_pool_is_come_after),
		RUN(a_pool_is_detached_as_a_whole),
		RUN(verdicts_and_policies_are_each_workers),
		RUN(a_worker_that_fails_fails_the_ring_and_loses_nothing),
		RUN(a_key_belongs_to_one_worker_and_keeps_its_order),
		RUN(pools_follow_one_another),
		RUN(a_pool_that_cannot_be_is_refused_and_leaves_nothing),
		RUN(a_pool_that_the_ring_has_no_place_for_is_refused_and_leaves_nothing),
		RUN(pools_leave_in_any_order_and_the_others_go_on),
		RUN(a_failed_worker_lets_every_stop_mode_end_and_frees_blocked_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
