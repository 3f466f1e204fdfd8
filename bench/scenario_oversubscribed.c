/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Oversubscribed: six threads on two processors, a producer and a pipeline of
 * five stages. Beside it the same as people write it with queues: a thread for
 * each stage, which takes an event from one queue and puts it into the next.
 */
#include "bench.h"
#include "graph.h"

#include <math.h>
#include <stdlib.h>

enum { LINKS = 5 };

/** A chain of queues: the producer puts into the first, the last stage takes from the last. */
struct chain {
	const struct bench_subject *subject;
	void *queue[LINKS];
	uint64_t warm, events;
	struct bench_meeting meeting;
	struct link {
		_Alignas(DISRUPTOR_APART) struct bench_task task;
		struct chain *chain;
		uint32_t index;
		uint64_t began, ended;
		struct bench_usage used;
	} link[LINKS + 1]; /* the first is the producer's */
};

static void step(struct link *l, uint64_t events)
{
	struct chain *c = l->chain;

	l->task.events = events;
	if (l->index == 0)
		c->subject->produce(c->queue[0], &l->task);
	else if (l->index < LINKS)
		c->subject->answer(&c->queue[l->index - 1], &l->task);
	else
		c->subject->consume(c->queue[LINKS - 1], &l->task);
}

static void linking(void *context)
{
	struct link *l = context;
	struct bench_usage before, after;

	step(l, l->chain->warm);
	bench_meet(&l->chain->meeting);
	bench_usage_thread(&before);
	l->began = disruptor_now();
	step(l, l->chain->events);
	l->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&l->used, &before, &after);
}

static void run_chain(struct chain *c, const struct bench_params *params,
		      struct bench_sample *sample)
{
	struct bench_side sides[LINKS + 1];
	const struct bench_usage none = { 0 };
	uint64_t n = c->warm + c->events, torn = 0;

	for (uint32_t i = 0; i <= LINKS; i++)
		sides[i] = (struct bench_side){ linking, &c->link[i] };
	bench_run_sides(LINKS + 1, params->cpus, sides);
	for (uint32_t i = 0; i <= LINKS; i++) {
		torn |= c->link[i].task.torn;
		bench_usage_add(&sample->usage, &none, &c->link[i].used);
	}
	if (torn != 0 ||
	    c->link[LINKS].task.sum != (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n))
		bench_fail("%s: the chain lost or tore an event", c->subject->name);
	sample->seconds = (double)(c->link[LINKS].ended - c->link[0].began) / 1e9;
	sample->events = (double)c->events;
	sample->value = sample->events / sample->seconds / 1e6;
	sample->stages = sample->threads = LINKS;
	sample->crowded = true;
}

static void chain(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_sample *sample)
{
	struct chain *c = bench_alloc(sizeof(*c));
	double before = bench_resident();

	c->subject = entry->subject;
	c->warm = params->events / 10 + 1;
	c->events = params->events;
	c->meeting.parties = LINKS + 1;
	for (uint32_t i = 0; i < LINKS; i++)
		c->queue[i] = entry->subject->open(params);
	for (uint32_t i = 0; i <= LINKS; i++) {
		c->link[i].chain = c;
		c->link[i].index = i;
		c->link[i].task = (struct bench_task){ .bytes = params->event_bytes,
						       .batch = 1,
						       .producers = 1 };
	}
	run_chain(c, params, sample);
	sample->resident = fmax(bench_resident() - before, 0);
	for (uint32_t i = 0; i < LINKS; i++)
		entry->subject->close(c->queue[i]);
	free(c);
}

static void oversubscribed(const struct bench_entry *entry, const struct bench_params *params,
			   struct bench_sample *sample)
{
	if (entry->graph == NULL)
		chain(entry, params, sample);
	else
		bench_graph_throughput(entry, params, sample);
}

static const struct bench_graph dedicated = { .shape = GRAPH_CHAIN,
					      .stages = LINKS,
					      .mapping = DISRUPTOR_MAP_DEDICATED };
static const struct bench_graph by_default = { .shape = GRAPH_CHAIN,
					       .stages = LINKS,
					       .mapping = DISRUPTOR_MAP_AUTO };

const struct bench_scenario scenario_oversubscribed = {
	.name = "oversubscribed",
	.what = "a producer and a pipeline of 5 stages, six threads on two processors",
	BENCH_STREAM,
	.rounds = 11,
	.sample_seconds = 0.06,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_alone, .graph = &dedicated, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .graph = &dedicated, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:yielding",
		       .graph = &dedicated,
		       .wait = DISRUPTOR_WAIT_YIELDING },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:default mapping",
		       .graph = &by_default },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .graph = &dedicated, .role = BENCH_AGAIN } },
	.sample = oversubscribed,
};
