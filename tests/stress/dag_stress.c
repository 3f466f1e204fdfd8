/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Graphs at random of up to 8 stages, under every wait strategy and every way to
 * map stages to threads: each stage is handed every event once, in order, and
 * behind every stage that it comes after.
 */
#include "stress.h"

#include <string.h>

#define NODES 8

struct node;

struct dag {
	struct disruptor *d;
	struct progress progress;
	uint64_t seed;
	uint32_t count;
	uint64_t sent;
	struct node *node;
};

struct node {
	struct dag *dag;
	struct disruptor_stage *stage;
	uint32_t before; /* a bit for each node that it comes after */
	uint64_t next;
	uint64_t wrong, early;
};

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct node *n = context;
	struct dag *g = n->dag;
	const struct tick *t = event;

	n->wrong += position != n->next++ || t->value != position;
	if (last || position % 16 == 0)
		for (uint32_t i = 0; i < g->count; i++)
			n->early += (n->before >> i & 1) &&
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

static void map(struct dag *g, enum disruptor_mapping mapping, struct disruptor_wait wait)
{
	struct disruptor_executor e = { .size = sizeof(e), .mapping = mapping, .wait = wait };

	if (mapping == DISRUPTOR_MAP_SHARED || mapping == DISRUPTOR_MAP_PLACED)
		e.threads = (uint32_t)random_in(&g->seed, 1, 3);
	assert_code(disruptor_set_executor(g->d, &e), 0);
	for (uint32_t i = 0; mapping == DISRUPTOR_MAP_PLACED && i < g->count; i++)
		assert_code(disruptor_place(g->node[i].stage,
					    (uint32_t)random_in(&g->seed, 0, e.threads - 1)),
			    0);
}

static void build(struct dag *g, struct node *node, struct disruptor_wait wait)
{
	struct disruptor_options options =
		fixture_options(UINT64_C(1) << random_in(&g->seed, 0, 6));

	options.wait = wait;
	g->d = graph_open(&options);
	g->node = node;
	for (uint32_t i = 0; i < g->count; i++) {
		struct disruptor_handler h = {
			.size = sizeof(h), .name = "node", .context = &node[i], .on_event = on_event
		};

		node[i] = (struct node){ .dag = g, .stage = disruptor_stage(g->d, &h) };
		assert_non_null(node[i].stage);
		/* edges from any earlier one: so there is no cycle */
		for (uint32_t k = 0; k < i; k++)
			if (random_in(&g->seed, 0, 2) == 0) {
				node[i].before |= 1u << k;
				assert_code(disruptor_after(node[i].stage, node[k].stage), 0);
			}
	}
}

static void run(enum disruptor_mapping mapping, struct disruptor_wait wait, uint64_t seed)
{
	struct node node[NODES];
	struct dag g = { .seed = seed };
	struct runner sender;

	g.count = (uint32_t)random_in(&g.seed, 1, NODES);
	build(&g, node, wait);
	map(&g, mapping, wait);
	graph_start(g.d);
	runner_start(&sender, "the producer", send, &g);
	/* until all is sent the caller has to drive */
	while (mapping == DISRUPTOR_MAP_NONE && !runner_done(&sender))
		(void)disruptor_poll_until(g.d, 100, in_ms(10));
	join_with_progress(&sender, 1, &g.progress);
	graph_drain(g.d);
	for (uint32_t i = 0; i < g.count; i++) {
		if (node[i].wrong || node[i].early || node[i].next != g.sent)
			fail_msg("seed %llu, mapping %d, node %u of %u: %llu of %llu events, %llu "
				 "wrong, %llu early",
				 (unsigned long long)seed, (int)mapping, i, g.count,
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
