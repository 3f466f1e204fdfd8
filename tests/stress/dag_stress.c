/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Graphs at random of up to 8 stages, under every wait strategy and every way to
 * map stages to threads: each stage is handed every event once, in order, and
 * behind every stage that it comes after.
 */
#include "dag.h"

struct node;

struct dag {
	struct disruptor *d;
	struct progress progress;
	uint64_t seed;
	struct dag_shape shape;
	uint64_t sent;
	struct node *node;
};

struct node {
	struct dag *dag;
	struct disruptor_stage *stage;
	uint64_t next;
	uint64_t wrong, early;
};

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct node *n = context;
	struct dag *g = n->dag;
	const uint32_t before = g->shape.before[n - g->node];
	const struct tick *t = event;

	n->wrong += position != n->next++ || t->value != position;
	if (last || position % 16 == 0)
		for (uint32_t i = 0; i < g->shape.count; i++)
			n->early += (before >> i & 1) &&
				    disruptor_stage_position(g->node[i].stage) <= position;
	if (last)
		progress_made(&g->progress);
	return position % 7 == 0 ? DISRUPTOR_RELEASE : DISRUPTOR_CONTINUE;
}

static void send(void *argument)
{
	struct dag *g = argument;
	struct budget budget = budget_of(20000, 8);
	struct tick_producer p;

	open_producer(&p, disruptor_ring(g->d), disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		t->value = g->sent++;
		(void)tick_publish(&p);
		if (g->sent % 64 == 0)
			random_pause(&g->seed);
	}
	(void)tick_producer_close(&p);
}

static void build(struct dag *g, struct node *node, enum disruptor_mapping mapping,
		  struct disruptor_wait wait)
{
	struct disruptor_stage *stages[DAG_NODES];
	struct disruptor_options options =
		fixture_options(UINT64_C(1) << random_in(&g->seed, 0, 6));

	options.wait = wait;
	g->d = graph_open(&options);
	g->node = node;
	for (uint32_t i = 0; i < g->shape.count; i++) {
		struct disruptor_handler h = {
			.size = sizeof(h), .name = "node", .context = &node[i], .on_event = on_event
		};

		node[i] = (struct node){ .dag = g, .stage = disruptor_stage(g->d, &h) };
		assert_non_null(node[i].stage);
		stages[i] = node[i].stage;
	}
	assert_code(dag_connect(&g->shape, stages), 0);
	assert_code(dag_map(g->d, stages, g->shape.count, mapping, wait, &g->seed), 0);
}

static void run(enum disruptor_mapping mapping, struct disruptor_wait wait, uint64_t seed)
{
	struct node node[DAG_NODES];
	struct dag g = { .seed = seed };
	struct runner sender;

	g.shape = dag_shape(&g.seed);
	build(&g, node, mapping, wait);
	graph_start(g.d);
	runner_start(&sender, "the producer", send, &g);
	/* until all is sent the caller has to drive */
	while (mapping == DISRUPTOR_MAP_NONE && !runner_done(&sender))
		(void)disruptor_poll_until(g.d, 100, in_ms(10));
	join_with_progress(&sender, 1, &g.progress);
	graph_drain(g.d);
	for (uint32_t i = 0; i < g.shape.count; i++) {
		if (node[i].wrong || node[i].early || node[i].next != g.sent)
			fail_msg("seed %llu, mapping %d, node %u of %u: %llu of %llu events, %llu "
				 "wrong, %llu early",
				 (unsigned long long)seed, (int)mapping, i, g.shape.count,
				 (unsigned long long)node[i].next, (unsigned long long)g.sent,
				 (unsigned long long)node[i].wrong,
				 (unsigned long long)node[i].early);
	}
	graph_close(&g.d);
}

TEST(graphs_at_random_hand_every_event_to_every_stage_in_order)
{
	uint64_t seed = fixture_seed(20);

	for (unsigned round = 0; round < 2; round++)
		for (size_t wait = 0; wait < FIXTURE_WAITS; wait++)
			for (int mapping = 0; mapping <= DISRUPTOR_MAP_NONE; mapping++)
				run((enum disruptor_mapping)mapping, fixture_wait(wait),
				    next_random(&seed) | 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(graphs_at_random_hand_every_event_to_every_stage_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
