/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T88: round trips through two rings, and through two stages of one ring, with
 * every wait strategy. A million of them, or as many as time allows.
 */
#include "stress.h"

#include <string.h>

#define CAPACITY 64

/* ---- two rings ---- */

struct pingpong {
	struct disruptor_ring *ping, *pong;
	struct tick_consumer at_ping, at_pong;
	struct tick_producer to_ping, to_pong;
	struct progress progress;
	uint64_t rounds, wrong;
};

/* Send a number, and take the one that comes back. */
static void serve(void *argument)
{
	struct pingpong *g = argument;
	struct budget budget = budget_of(1000000, 80);

	disruptor_producer_handoff(&g->to_ping.view);
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&g->to_ping);

		if (!t)
			break;
		t->value = g->rounds;
		(void)tick_publish(&g->to_ping);
		if (tick_ready_until(&g->at_pong, DISRUPTOR_FOREVER) != 1)
			break;
		g->wrong += tick_at(&g->at_pong, 0)->value != g->rounds + 1;
		(void)tick_release(&g->at_pong, 1);
		g->rounds++;
		progress_made(&g->progress);
	}
	disruptor_ring_close(g->ping);
}

static void give_back(void *argument)
{
	struct pingpong *g = argument;

	disruptor_producer_handoff(&g->to_pong.view);
	while (tick_ready_until(&g->at_ping, DISRUPTOR_FOREVER) == 1) {
		struct tick *t = tick_claim(&g->to_pong);

		if (!t)
			break;
		t->value = tick_at(&g->at_ping, 0)->value + 1;
		(void)tick_release(&g->at_ping, 1);
		(void)tick_publish(&g->to_pong);
	}
	disruptor_ring_close(g->pong);
}

static void two_rings(struct disruptor_wait wait)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct runner thread[2];
	struct pingpong g;

	memset(&g, 0, sizeof(g));
	g.ping = ring_open(&options);
	g.pong = ring_open(&options);
	open_consumer(&g.at_ping, g.ping, wait);
	open_consumer(&g.at_pong, g.pong, wait);
	open_producer(&g.to_ping, g.ping, wait);
	open_producer(&g.to_pong, g.pong, wait);
	runner_start(&thread[1], "who gives back", give_back, &g);
	runner_start(&thread[0], "who serves", serve, &g);
	join_with_progress(thread, 2, &g.progress);
	assert_true(g.rounds > 0);
	assert_int_equal(g.wrong, 0);
	assert_code(tick_producer_close(&g.to_ping), 0);
	assert_code(tick_producer_close(&g.to_pong), 0);
	assert_code(tick_consumer_close(&g.at_ping), 0);
	assert_code(tick_consumer_close(&g.at_pong), 0);
	ring_close(&g.ping);
	ring_close(&g.pong);
}

TEST(ball_goes_to_and_fro_through_two_rings)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		two_rings(fixture_wait(i));
}

/* ---- one ring: the first stage gives back in the event, the second one serves again ---- */

struct rally {
	struct disruptor *d;
	struct tick_producer producer;
	struct progress progress;
	struct budget budget;
	uint64_t rounds, wrong;
};

static int return_ball(void *context, void *event, uint64_t position, int last)
{
	struct tick *t = event;

	(void)context;
	(void)position;
	(void)last;
	t->from = t->value + 1;
	return DISRUPTOR_CONTINUE;
}

static int serve_again(void *context, void *event, uint64_t position, int last)
{
	struct rally *r = context;
	const struct tick *ball = event;
	struct tick *t;

	(void)last;
	r->wrong += ball->value != position || ball->from != position + 1;
	progress_made(&r->progress);
	if (!budget_take(&r->budget)) {
		disruptor_ring_close(disruptor_ring(r->d));
		return DISRUPTOR_CONTINUE;
	}
	if (r->rounds++ == 0)
		disruptor_producer_handoff(&r->producer.view);
	t = tick_claim(&r->producer); /* there is room: the ball is the only event */
	if (!t)
		return -1;
	*t = (struct tick){ .value = position + 1 };
	(void)tick_publish(&r->producer);
	return DISRUPTOR_CONTINUE;
}

static void run_stage(void *stage)
{
	(void)disruptor_stage_run(stage);
}

static void one_ring(struct disruptor_wait wait)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct disruptor_handler h = { .size = sizeof(h) };
	struct disruptor_stage *stage[2];
	struct runner thread[2];
	struct rally r;

	memset(&r, 0, sizeof(r));
	options.wait = wait;
	r.budget = budget_of(1000000, 80);
	r.d = graph_open(&options);
	h.context = &r;
	h.name = "returns";
	h.on_event = return_ball;
	stage[0] = disruptor_stage(r.d, &h);
	h.name = "serves";
	h.on_event = serve_again;
	stage[1] = disruptor_stage(r.d, &h);
	assert_code(disruptor_pipeline(stage, 2), 0);
	assert_code(tick_producer_open(&r.producer, disruptor_ring(r.d), NULL), 0);
	publish_ticks(&r.producer, 1);
	for (size_t i = 0; i < 2; i++)
		runner_start(&thread[i], disruptor_stage_name(stage[i]), run_stage, stage[i]);
	join_with_progress(thread, 2, &r.progress);
	assert_true(r.rounds > 0);
	assert_int_equal(r.wrong, 0);
	assert_int_equal(disruptor_stage_position(stage[0]), r.rounds + 1);
	assert_int_equal(disruptor_stage_position(stage[1]), r.rounds + 1);
	assert_code(tick_producer_close(&r.producer), 0);
	graph_close(&r.d);
}

TEST(ball_goes_round_through_two_stages_of_one_ring)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++)
		one_ring(fixture_wait(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(ball_goes_to_and_fro_through_two_rings),
		RUN(ball_goes_round_through_two_stages_of_one_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
