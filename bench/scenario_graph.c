/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Graphs of stages through the handler interface: one producer publishes event
 * by event, each stage sums what it sees, and the order and the sum must be
 * right at each. The producer is pinned to the first CPU; the stages' threads
 * may be on both.
 */
#define _POSIX_C_SOURCE 200809L

#include "graph.h"
#include "loop.h"
#include "ring_end.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>

enum { STAGES = 32 };

/** A stage's own: written by its thread alone. */
struct end {
	_Alignas(DISRUPTOR_APART) uint64_t sum;
	uint64_t wrong; /* not 0: an event was torn, or not the one of its position */
	uint64_t batches;
	uint64_t ended; /* ns: the last event was handled */
	uint64_t end;   /* position behind it */
	uint32_t bytes;
};

/** One stream through a graph. */
struct flow {
	const struct bench_graph *graph;
	const struct bench_params *params;
	uint64_t warm;
	struct disruptor_field field;
	struct disruptor_type type;
	struct disruptor *d;
	struct disruptor_stage *stage[STAGES];
	struct end *end; /* of each stage */
	uint32_t threads;
	uint64_t began; /* ns */
	uint64_t slept; /* sleeps, until then; after that those in the timed part */
	struct bench_usage used;
	const char *rung;
};

/* ---- stages ---- */

LOOP_INLINE int check_event(struct end *e, const void *event, uint64_t position, int last,
			    uint32_t bytes)
{
	uint64_t value = loop_read(event, bytes, &e->wrong);

	e->sum += value;
	e->wrong |= value ^ (position + 1);
	if (last) {
		e->batches++;
		if (position + 1 == e->end)
			e->ended = disruptor_now();
	}
	return DISRUPTOR_CONTINUE;
}

static int on_word(void *context, void *event, uint64_t position, int last)
{
	return check_event(context, event, position, last, 8);
}

static int on_words(void *context, void *event, uint64_t position, int last)
{
	return check_event(context, event, position, last, ((struct end *)context)->bytes);
}

/** A span at once: what changes with each event stays in registers. */
LOOP_INLINE int check_span(struct end *e, const struct disruptor_span *span, int last,
			   uint32_t bytes)
{
	const unsigned char *event = span->first;
	uint64_t position = span->position, end = position + span->count, sum = 0, wrong = 0;

	for (; position != end; position++, event += span->stride) {
		uint64_t value = loop_read(event, bytes, &wrong);

		sum += value;
		wrong |= value ^ (position + 1);
	}
	e->sum += sum;
	e->wrong |= wrong;
	e->batches += (uint64_t)last;
	if (end == e->end)
		e->ended = disruptor_now();
	return DISRUPTOR_CONTINUE;
}

static int on_word_span(void *context, const struct disruptor_span *span, uint64_t *handled,
			int last)
{
	(void)handled; /* all */
	return check_span(context, span, last, 8);
}

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled, int last)
{
	(void)handled; /* all */
	return check_span(context, span, last, ((struct end *)context)->bytes);
}

static void add_stages(struct flow *f)
{
	const struct bench_graph *g = f->graph;
	struct disruptor_handler handler = { .size = sizeof(handler), .reads = "words" };
	char name[32];
	int code = 0;

	if (g->spans)
		handler.on_span = f->params->event_bytes == 8 ? on_word_span : on_span;
	else
		handler.on_event = f->params->event_bytes == 8 ? on_word : on_words;
	for (uint32_t i = 0; i < g->stages; i++) {
		f->end[i].bytes = f->params->event_bytes;
		f->end[i].end = f->warm + f->params->events;
		snprintf(name, sizeof(name), "stage %u", i);
		handler.name = name;
		handler.context = &f->end[i];
		f->stage[i] = disruptor_stage(f->d, &handler);
		if (f->stage[i] == NULL)
			bench_fail("adding a stage: %s", disruptor_error_detail());
	}
	if (g->shape == GRAPH_CHAIN && g->stages > 1)
		code = disruptor_pipeline(f->stage, g->stages);
	for (uint32_t i = 0; g->shape == GRAPH_DIAMOND && code == 0 && i < g->stages - 1; i++)
		code = disruptor_after(f->stage[g->stages - 1], f->stage[i]);
	must(code, "ordering the stages");
}

static void start(struct flow *f)
{
	const struct disruptor_executor executor = { .size = sizeof(executor),
						     .mapping = f->graph->mapping,
						     .threads = f->graph->threads };
	const struct disruptor_options options = {
		.size = sizeof(options),
		.capacity = f->params->capacity,
		.wait = f->params->wait,
		.rung = f->params->rung,
		.max_consumers = STAGES,
		.flags = DISRUPTOR_PREFAULT | f->graph->flags,
	};

	f->field = (struct disruptor_field){ "words", 0, f->params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	f->type = (struct disruptor_type){ "event", f->params->event_bytes, 8, &f->field, 1, 0 };
	f->end = bench_alloc(STAGES * sizeof(*f->end));
	must(disruptor_create(&f->d, &f->type, &options), "creating a disruptor");
	must(disruptor_set_executor(f->d, &executor), "setting the executor");
	add_stages(f);
	must(disruptor_start(f->d), "starting");
	f->threads = disruptor_thread_count(f->d);
	f->rung = disruptor_rung_name(disruptor_ring_info(disruptor_ring(f->d)).rung);
}

/* ---- the producer ---- */

LOOP_APART void produce(struct disruptor_producer *p, uint64_t value, uint64_t events,
			uint32_t bytes)
{
	struct disruptor_producer view = *p; /* the compiler sees that nobody else stores to it */

	if (bytes == 8)
		ring_send_sized(&view, value, events, 8);
	else
		ring_send_sized(&view, value, events, bytes);
	*p = view;
}

static void await(const struct flow *f, uint64_t position)
{
	for (uint32_t i = 0; i < f->graph->stages; i++)
		while (disruptor_stage_position(f->stage[i]) < position)
			sched_yield();
}

static void producing(void *context)
{
	struct flow *f = context;
	struct disruptor_producer producer;
	struct bench_usage before, after;

	must(disruptor_producer_open(&producer, disruptor_ring(f->d), &f->type, NULL),
	     "opening a producer");
	produce(&producer, 0, f->warm, f->params->event_bytes);
	await(f, f->warm);
	f->slept = disruptor_ring_stats(disruptor_ring(f->d)).sleeps;
	bench_usage_process(&before); /* nobody else's threads are at work */
	f->began = disruptor_now();
	produce(&producer, f->warm, f->params->events, f->params->event_bytes);
	await(f, f->warm + f->params->events);
	bench_usage_process(&after);
	bench_usage_add(&f->used, &before, &after);
	f->slept = disruptor_ring_stats(disruptor_ring(f->d)).sleeps - f->slept;
	must(disruptor_producer_close(&producer), "closing a producer");
}

/* ---- a sample ---- */

static void run_flow(void *context)
{
	struct flow *f = context;
	struct bench_side side = { producing, f };

	start(f);
	bench_run_sides(1, f->params->cpus, &side);
	must(disruptor_stop(f->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER), "stopping");
}

/** What every stage saw; when the last of them was done. */
static uint64_t check_stages(const struct flow *f, const char *name)
{
	uint64_t n = f->warm + f->params->events, ended = 0;
	uint64_t triangle = n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;

	for (uint32_t i = 0; i < f->graph->stages; i++) {
		const struct end *e = &f->end[i];

		if (e->wrong != 0 || e->sum != triangle)
			bench_fail("%s: stage %u: the events sum to %llu, those sent to %llu%s",
				   name, i, (unsigned long long)e->sum,
				   (unsigned long long)triangle,
				   e->wrong != 0 ? ", and one was torn or out of order" : "");
		if (e->ended > ended)
			ended = e->ended;
	}
	return ended;
}

static void flow(const struct bench_entry *entry, const struct bench_params *params,
		 struct bench_sample *sample)
{
	struct flow f = { .graph = entry->graph, .params = params };
	uint64_t warm = params->events / 10;
	double before = bench_resident();
	uint64_t took;

	f.warm = (warm < 4 * params->capacity ? warm : 4 * params->capacity) + 1;
	bench_run_within(BENCH_CPUS, params->cpus, run_flow, &f);
	took = check_stages(&f, bench_entry_name(entry)) - f.began;
	sample->seconds = (double)took / 1e9;
	sample->batch = (double)(f.warm + params->events) / (double)f.end[0].batches;
	sample->rung = f.rung;
	sample->stages = f.graph->stages;
	sample->threads = f.threads;
	sample->events = (double)params->events;
	sample->usage = f.used;
	sample->sleeps = (double)f.slept;
	sample->resident = fmax(bench_resident() - before, 0);
	sample->crowded = true; /* the producer yields while it waits for the stages */
	must(disruptor_destroy(&f.d), "destroying");
	free(f.end);
}

void bench_graph_throughput(const struct bench_entry *entry, const struct bench_params *params,
			    struct bench_sample *sample)
{
	struct bench_params alone = *params;

	if (entry->subject != &subject_disruptor) {
		alone.consumers = entry->graph->stages;
		bench_throughput(entry, &alone, sample);
		return;
	}
	flow(entry, params, sample);
	sample->value = (double)params->events / sample->seconds / 1e6;
}

static void time_per_stage(const struct bench_entry *entry, const struct bench_params *params,
			   struct bench_sample *sample)
{
	flow(entry, params, sample);
	sample->value = sample->seconds * 1e9 / (double)params->events / entry->graph->stages;
}

/* ---- the scenarios ---- */

/* DISRUPTOR_NO_STATS of a library that keeps statistics */
#define NO_STATS DISRUPTOR_NO_STATS

#define AUTO .mapping = DISRUPTOR_MAP_AUTO
#define DEDICATED .mapping = DISRUPTOR_MAP_DEDICATED
#define OF_THREE(shape_, how)                                                                      \
	{                                                                                          \
		.shape = (shape_), .stages = 3, how                                                \
	}

static const struct bench_graph unicast = { .stages = 1, AUTO };
static const struct bench_graph pipeline = OF_THREE(GRAPH_CHAIN, AUTO);
static const struct bench_graph multicast = OF_THREE(GRAPH_SIDES, AUTO);
static const struct bench_graph diamond = OF_THREE(GRAPH_DIAMOND, AUTO);
static const struct bench_graph pipeline_spans = { GRAPH_CHAIN, 3, AUTO, .spans = true };
static const struct bench_graph multicast_spans = { GRAPH_SIDES, 3, AUTO, .spans = true };
static const struct bench_graph diamond_spans = { GRAPH_DIAMOND, 3, AUTO, .spans = true };
static const struct bench_graph dedicated = OF_THREE(GRAPH_CHAIN, DEDICATED);
static const struct bench_graph dedicated_sides = OF_THREE(GRAPH_SIDES, DEDICATED);
static const struct bench_graph dedicated_diamond = OF_THREE(GRAPH_DIAMOND, DEDICATED);
static const struct bench_graph one_thread = { GRAPH_CHAIN, 3, DISRUPTOR_MAP_SHARED, .threads = 1 };
static const struct bench_graph without_stats = { GRAPH_CHAIN, 3, AUTO, .flags = NO_STATS };
static const struct bench_graph wide = { GRAPH_SIDES, STAGES, AUTO };

static const char *no_stats(void)
{
	const struct disruptor_field field = { "words", 0, 8, 8, DISRUPTOR_KIND_UNSIGNED };
	const struct disruptor_type type = { "event", 8, 8, &field, 1, 0 };
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 16,
						   .flags = NO_STATS };
	struct disruptor *d;

	if (disruptor_create(&d, &type, &options) != 0)
		return "not available: this library keeps no statistics that could be off";
	must(disruptor_destroy(&d), "destroying");
	return NULL;
}

/*
 * The entries of a graph of three stages: handlers that get the events of a batch at once, and one
 * by one, with a thread for all, which is the default on two processors, and one for each.
 */
#define GRAPH_OF_THREE(shape, spans, dedicated)                                                    \
	BENCH_STREAM,                                                                              \
		.bars = { { .bar = 0.25, .entry = "disruptor:event", .against = "1 stage" },       \
			  { .bar = 3, .against = "LMAX Disruptor", .peer = true } },               \
		.defaults = BENCH_PARAMS(8, 8192, BLOCKING), .sample = bench_graph_throughput,     \
		.entries = {                                                                       \
			{ .subject = &limit_alone, .graph = &(shape), .role = BENCH_LIMIT },       \
			{ .subject = &subject_disruptor, .name = "1 stage", .graph = &unicast },   \
			{ .subject = &subject_disruptor, .graph = &(spans), .role = BENCH_MAIN },  \
			{ .subject = &subject_disruptor,                                           \
			  .name = "disruptor:event",                                               \
			  .graph = &(shape) },                                                     \
			{ .subject = &subject_disruptor,                                           \
			  .name = "disruptor:dedicated",                                           \
			  .graph = &(dedicated) },                                                 \
			{ .subject = &subject_disruptor, .graph = &(spans), .role = BENCH_AGAIN }  \
		}

const struct bench_scenario scenario_pipeline = {
	.name = "pipeline",
	.what = "one producer to three handlers, one after another, default mapping",
	GRAPH_OF_THREE(pipeline, pipeline_spans, dedicated),
};

const struct bench_scenario scenario_multicast = {
	.name = "multicast",
	.what = "one producer to three handlers side by side, default mapping",
	GRAPH_OF_THREE(multicast, multicast_spans, dedicated_sides),
};

const struct bench_scenario scenario_diamond = {
	.name = "diamond",
	.what = "one producer to two handlers and one after both, default mapping",
	GRAPH_OF_THREE(diamond, diamond_spans, dedicated_diamond),
};

const struct bench_scenario scenario_shared = {
	.name = "shared",
	.what = "a pipeline of 3 on one shared thread, against three threads",
	BENCH_STREAM,
	.bars = { { .bar = 1.1, .entry = "shared", .against = "dedicated" } },
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &subject_disruptor,
		       .name = "dedicated",
		       .graph = &dedicated,
		       .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor,
		       .name = "shared",
		       .graph = &one_thread,
		       .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "shared",
		       .graph = &one_thread,
		       .role = BENCH_AGAIN } },
	.sample = bench_graph_throughput,
};

const struct bench_scenario scenario_stats = {
	.name = "stats",
	.what = "a pipeline of 3 with statistics, against the same without",
	BENCH_STREAM,
	.bars = { { .bar = 0.97, .entry = "stats:on", .against = "stats:off" } },
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &subject_disruptor,
		       .name = "stats:off",
		       .graph = &without_stats,
		       .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor,
		       .name = "stats:on",
		       .graph = &pipeline,
		       .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "stats:on",
		       .graph = &pipeline,
		       .role = BENCH_AGAIN } },
	.unavailable = no_stats,
	.sample = bench_graph_throughput,
};

const struct bench_scenario scenario_wide = {
	.name = "wide",
	.what = "32 stages side by side, time per event and stage, against one stage",
	.unit = "ns/event/stage",
	.better = BENCH_LESS,
	.bars = { { .bar = 2, .entry = "32 stages", .against = "1 stage" } },
	.threads = true,
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &subject_disruptor,
		       .name = "1 stage",
		       .graph = &unicast,
		       .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor,
		       .name = "32 stages",
		       .graph = &wide,
		       .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "32 stages",
		       .graph = &wide,
		       .role = BENCH_AGAIN } },
	.sample = time_per_stage,
};
