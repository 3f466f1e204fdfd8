/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A pool under load, whose workers end at random and are run again: each event
 * is handled exactly once, and whole before the stage behind the pool sees it.
 */
#include "stress.h"

#define WORKERS 4
#define PRODUCERS 2

struct crew {
	struct disruptor *d;
	struct disruptor_stage *pool, *after;
	struct progress progress;
	DISRUPTOR_ATOMIC(uint64_t) handled;
	DISRUPTOR_ATOMIC(uint64_t) sent;
	uint64_t seen, wrong;
	bool keyed;
};

/* Marks the event: `from` becomes the complement of the value, if nobody has marked it. */
static int work(void *context, void *event, uint64_t position, int last)
{
	struct crew *c = context;
	struct tick *t = event;

	(void)last;
	if (t->from == t->value)
		t->from = ~t->value;
	else
		t->from = 0; /* a second time: the stage behind finds it wrong */
	disruptor_fetch_add_relaxed(&c->handled, UINT64_C(1)); /* relaxed: a count */
	return position % 37 == 5 ? DISRUPTOR_RELEASE : DISRUPTOR_CONTINUE;
}

static int look(void *context, void *event, uint64_t position, int last)
{
	struct crew *c = context;
	const struct tick *t = event;

	(void)position;
	c->wrong += t->from != ~t->value;
	c->seen++;
	if (last)
		progress_made(&c->progress);
	return DISRUPTOR_CONTINUE;
}

static void send(void *argument)
{
	struct crew *c = argument;
	struct budget budget = budget_of(500000, 250);
	uint64_t seed = fixture_seed(51), value = 1;
	struct tick_producer p;

	open_producer(&p, disruptor_ring(c->d), disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		if (next_random(&seed) % 11 == 0) {
			(void)tick_abort(&p);
			continue;
		}
		*t = (struct tick){ .value = value, .from = value };
		value++;
		(void)tick_publish(&p);
		disruptor_fetch_add_relaxed(&c->sent, UINT64_C(1)); /* relaxed: a count */
	}
	(void)tick_producer_close(&p);
}

static uint64_t key_of(const void *event, void *context)
{
	const struct tick *t = event;

	(void)context;
	return t->value;
}

static void build(struct crew *c, enum disruptor_producers producers, uint32_t workers)
{
	struct disruptor_options options = fixture_options(64);
	struct disruptor_handler h[WORKERS];
	struct disruptor_handler after = {
		.size = sizeof(after), .name = "after", .context = c, .on_event = look
	};
	struct disruptor_pool_options pool = {
		.size = sizeof(pool), .name = "pool", .handlers = h, .count = workers
	};

	options.producers = producers;
	for (uint32_t i = 0; i < workers; i++)
		h[i] = (struct disruptor_handler){
			.size = sizeof(h[i]), .name = "worker", .context = c, .on_event = work
		};
	pool.chunk = c->keyed ? 0 : 5;
	pool.key = c->keyed ? key_of : NULL;
	c->d = graph_open(&options);
	c->pool = disruptor_pool(c->d, &pool);
	c->after = disruptor_stage(c->d, &after);
	assert_non_null(c->pool);
	assert_non_null(c->after);
	assert_code(disruptor_after(c->after, c->pool), 0);
}

static void run(bool keyed, enum disruptor_producers producers, uint32_t workers)
{
	uint32_t senders = producers == DISRUPTOR_MANY ? PRODUCERS : 1;
	struct crew c = { .keyed = keyed };
	struct runner threads[PRODUCERS];

	build(&c, producers, workers);
	graph_start(c.d);
	for (uint32_t i = 0; i < senders; i++)
		runner_start(&threads[i], "a producer", send, &c);
	join_with_progress(threads, senders, &c.progress);
	graph_drain(c.d);
	assert_true(c.sent > 0);
	assert_int_equal(c.handled, c.sent);
	assert_int_equal(c.seen, c.sent);
	assert_int_equal(c.wrong, 0);
	graph_close(&c.d);
}

TEST(every_event_is_handled_once_by_one_of_several_workers)
{
	for (uint32_t workers = 1; workers <= WORKERS; workers++) {
		run(false, DISRUPTOR_SINGLE, workers);
		run(false, DISRUPTOR_MANY, workers);
	}
	run(true, DISRUPTOR_MANY, WORKERS);
}

/* The run ends with claims that the sender has not published yet: until it has, none can begin. */
static void start_anew(struct disruptor *d)
{
	uint64_t deadline = in_ms(WATCHDOG_MS);
	int rc;

	while ((rc = disruptor_start(d)) == DISRUPTOR_E_STATE && disruptor_now() < deadline)
		pause_ms(1);
	assert_code(rc, 0);
}

/* Stops single workers at random: what they leave goes to others, who run on. */
static void disturb(struct crew *c, struct runner *sender)
{
	uint64_t seed = fixture_seed(52);

	while (!runner_done(sender)) {
		struct disruptor_stage *w =
			disruptor_pool_worker(c->pool, (size_t)random_in(&seed, 1, WORKERS - 1));

		disruptor_stage_stop(w);
		pause_ms(1);
		/* all but the first may have ended: run the graph anew */
		if (next_random(&seed) % 8 == 0) {
			assert_code(disruptor_stop(c->d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
			start_anew(c->d);
		}
	}
}

static void send_on(void *argument)
{
	struct crew *c = argument;
	struct budget budget = budget_of(500000, 500);
	uint64_t value = 1;
	struct tick_producer p;

	open_producer(&p, disruptor_ring(c->d), disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t) { /* it was stopped: the next run opens it again */
			pause_ms(1);
			continue;
		}
		*t = (struct tick){ .value = value, .from = value };
		value++;
		(void)tick_publish(&p);
		disruptor_fetch_add_relaxed(&c->sent, UINT64_C(1)); /* relaxed: a count */
	}
	(void)tick_producer_close(&p);
}

TEST(workers_that_end_lose_nothing)
{
	struct crew c = { .keyed = false };
	struct runner sender;

	build(&c, DISRUPTOR_SINGLE, WORKERS);
	graph_start(c.d);
	runner_start(&sender, "the producer", send_on, &c);
	disturb(&c, &sender);
	runner_join(&sender);
	assert_code(disruptor_stop(c.d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
	graph_start(c.d);
	graph_drain(c.d);
	assert_true(c.sent > 0);
	assert_int_equal(c.handled, c.sent);
	assert_int_equal(c.seen, c.sent);
	assert_int_equal(c.wrong, 0);
	graph_close(&c.d);
}

/* Detaches single workers at random, and puts others in their places. Row T51. */
TEST(workers_that_are_detached_and_replaced_lose_nothing)
{
	struct disruptor_handler h = { .size = sizeof(h), .name = "late", .on_event = work };
	uint64_t seed = fixture_seed(53), changes = 0;
	struct crew c = { .keyed = false };
	struct runner sender;

	build(&c, DISRUPTOR_SINGLE, WORKERS);
	h.context = &c;
	graph_start(c.d);
	runner_start(&sender, "the producer", send, &c);
	while (!runner_done(&sender)) {
		uint32_t i = (uint32_t)random_in(&seed, 0, WORKERS - 1);
		struct disruptor_stage *w = disruptor_pool_worker(c.pool, i);

		if (w)
			assert_code(disruptor_detach(w, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), 0);
		else if (!disruptor_pool_attach(c.pool, &h))
			fail_msg("%s", disruptor_error_detail());
		changes++;
	}
	while (disruptor_pool_attach(c.pool, &h))
		;
	join_with_progress(&sender, 1, &c.progress);
	graph_drain(c.d);
	assert_true(c.sent > 0 && changes > 0);
	assert_int_equal(c.handled, c.sent);
	assert_int_equal(c.seen, c.sent);
	assert_int_equal(c.wrong, 0);
	graph_close(&c.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(every_event_is_handled_once_by_one_of_several_workers),
		RUN(workers_that_end_lose_nothing),
		RUN(workers_that_are_detached_and_replaced_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
