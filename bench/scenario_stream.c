/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Streaming: one thread sends events, another sums what it receives, and the
 * sum must be right. The scenarios unicast, batch and blocking are this with
 * other parameters; keepup (scenario_keepup.c) puts work between the events.
 */
#include "bench.h"
#include "loop.h"

#include <math.h>
#include <stdlib.h>

/** One thread of a stream. */
struct end {
	_Alignas(DISRUPTOR_APART) struct bench_task task;
	struct stream *stream;
	uint64_t warm;               /* events before the clock runs */
	uint64_t events;             /* timed */
	uint64_t alone, began, done; /* ns */
	struct bench_usage used;     /* in the timed part */
};

/** What all its threads share. */
struct stream {
	const struct bench_subject *subject;
	void *channel;
	struct bench_meeting meeting;
	uint64_t slept; /* before the clock ran */
	struct end out[BENCH_PRODUCERS], in[BENCH_CONSUMERS];
};

/** The work of all events without publishing them. */
static uint64_t work_alone(const struct bench_task *task, uint64_t events)
{
	uint64_t began = disruptor_now();
	uint64_t value = task->value, sum = 0;
	uint32_t work = task->work;

	for (uint64_t left = events; left != 0; left--) {
		value = loop_work(value, work);
		sum += value;
	}

	uint64_t took = disruptor_now() - began;

	/* never so, but the compiler cannot know: the work must be done */
	return sum == 0 && value == 0 ? 0 : took;
}

static uint64_t sleeps(const struct stream *s)
{
	return s->subject->sleeps != NULL ? s->subject->sleeps(s->channel) : 0;
}

static void producing(void *context)
{
	struct bench_usage before, after;
	struct end *e = context;
	struct stream *s = e->stream;

	e->task.events = e->warm;
	s->subject->produce(s->channel, &e->task);
	if (e->task.work != 0)
		e->alone = work_alone(&e->task, e->events);
	if (e == &s->out[0])
		s->slept = sleeps(s);
	bench_meet(&s->meeting);
	bench_usage_thread(&before);
	e->began = disruptor_now();
	e->task.events = e->events;
	s->subject->produce(s->channel, &e->task);
	e->done = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&e->used, &before, &after);
}

static void consuming(void *context)
{
	struct bench_usage before, after;
	struct end *e = context;
	struct stream *s = e->stream;

	e->task.events = e->warm;
	s->subject->consume(s->channel, &e->task);
	bench_meet(&s->meeting);
	bench_usage_thread(&before);
	e->task.batches = e->task.looks = e->task.lag = 0;
	e->task.events = e->events;
	s->subject->consume(s->channel, &e->task);
	e->done = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&e->used, &before, &after);
}

/* half of the even one of n, n + 1, as products wrap */
static uint64_t triangle(uint64_t n)
{
	return n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;
}

static void check(const struct end *in, const struct stream *s, uint32_t producers,
		  const char *name)
{
	uint64_t expected = 0;

	for (uint32_t i = 0; i < producers; i++) {
		const struct end *out = &s->out[i];
		uint64_t n = out->warm + out->events;

		expected += out->task.work != 0 ? out->task.sum
						: triangle(n) + n * ((uint64_t)i << 48);
	}
	if (in->task.sum != expected)
		bench_fail("%s: the events received sum to %llu, those sent to %llu", name,
			   (unsigned long long)in->task.sum, (unsigned long long)expected);
	if (in->task.torn != 0)
		bench_fail("%s: an event was received in part", name);
	if (in->task.wrong != 0)
		bench_fail("%s: a producer's events were received out of order", name);
}

static uint64_t warm_events(const struct bench_params *params)
{
	uint64_t warm = params->events / 10;

	if (warm > 4 * params->capacity)
		warm = 4 * params->capacity;
	return (warm / params->batch + 1) * params->batch;
}

/** Each producer has its share, in whole batches; each consumer all of them. */
static unsigned set_ends(struct stream *s, const struct bench_params *params,
			 struct bench_side *sides)
{
	bool heard = s->subject->consume != NULL; /* limit:store speaks to nobody */
	struct bench_task task = { .producers = params->producers,
				   .bytes = params->event_bytes,
				   .batch = params->batch,
				   .work = params->work };
	uint64_t share = params->events / params->producers / params->batch * params->batch;
	struct end end = { .stream = s,
			   .task = task,
			   .warm = warm_events(params),
			   .events = share != 0 ? share : params->batch };
	unsigned count = 0;

	for (uint32_t i = 0; i < params->producers; i++) {
		s->out[i] = end;
		s->out[i].task.index = i;
		sides[count++] = (struct bench_side){ producing, &s->out[i] };
	}
	end.warm *= params->producers;
	end.events *= params->producers;
	for (uint32_t i = 0; heard && i < params->consumers; i++) {
		s->in[i] = end;
		s->in[i].task.index = i;
		sides[count++] = (struct bench_side){ consuming, &s->in[i] };
	}
	return count;
}

static struct bench_usage used_by_all(const struct stream *s, const struct bench_params *params)
{
	const struct bench_usage none = { 0 };
	struct bench_usage all = { 0 };

	for (uint32_t i = 0; i < params->producers; i++)
		bench_usage_add(&all, &none, &s->out[i].used);
	for (uint32_t i = 0; i < params->consumers; i++)
		bench_usage_add(&all, &none, &s->in[i].used);
	return all;
}

static void tell(const struct stream *s, const struct bench_params *params,
		 struct bench_stream *stream)
{
	const struct end *in = &s->in[0];
	uint64_t began = UINT64_MAX, sent = 0, ended = 0;

	for (uint32_t i = 0; i < params->producers; i++) {
		began = s->out[i].began < began ? s->out[i].began : began;
		sent = s->out[i].done > sent ? s->out[i].done : sent;
	}
	for (uint32_t i = 0; i < params->consumers; i++)
		ended = s->in[i].done > ended ? s->in[i].done : ended;
	ended = ended != 0 ? ended : sent;
	*stream = (struct bench_stream){
		.events = (double)(s->out[0].events * params->producers),
		.alone = (double)s->out[0].alone,
		.sent = (double)(sent - began),
		.total = (double)(ended - began),
		.batch = in->task.batches != 0 ? (double)in->events / (double)in->task.batches : 0,
		.lag = in->task.looks != 0 ? (double)in->task.lag / (double)in->task.looks : 0,
		.sleeps = s->subject->sleeps != NULL ? (double)(sleeps(s) - s->slept) : -1,
		.usage = used_by_all(s, params),
		.threads = s->meeting.parties,
		.rung = s->subject->rung != NULL ? s->subject->rung(s->channel) : NULL,
	};
}

void bench_stream(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_stream *stream)
{
	const struct bench_subject *subject = entry->subject;
	struct bench_side sides[BENCH_PRODUCERS + BENCH_CONSUMERS];
	struct stream *s = bench_alloc(sizeof(*s));
	double before = bench_resident();

	s->subject = subject;
	s->channel = subject->open(params);
	s->meeting.parties = set_ends(s, params, sides);
	bench_run_sides(s->meeting.parties, params->cpus, sides);
	for (uint32_t i = 0; subject->consume != NULL && i < params->consumers; i++)
		check(&s->in[i], s, params->producers, bench_entry_name(entry));
	tell(s, params, stream);
	stream->resident = fmax(bench_resident() - before, 0);
	subject->close(s->channel);
	free(s);
}

void bench_tell_stream(const struct bench_stream *stream, struct bench_sample *sample)
{
	sample->seconds = stream->total / 1e9;
	sample->batch = stream->batch;
	sample->lag = stream->lag;
	sample->rung = stream->rung;
	sample->events = stream->events;
	sample->usage = stream->usage;
	sample->sleeps = stream->sleeps;
	sample->resident = stream->resident;
	sample->crowded = stream->threads > BENCH_CPUS;
}

void bench_throughput(const struct bench_entry *entry, const struct bench_params *params,
		      struct bench_sample *sample)
{
	struct bench_stream stream;

	bench_stream(entry, params, &stream);
	sample->value = stream.events / stream.total * 1e3;
	bench_tell_stream(&stream, sample);
}

static const struct bench_point sizes_to_64[] = {
	{ .label = "8 B", .event_bytes = 8 },
	{ .label = "16 B", .event_bytes = 16 },
	{ .label = "32 B", .event_bytes = 32 },
	{ .label = "64 B", .event_bytes = 64 },
	{ .label = NULL },
};

const struct bench_scenario scenario_unicast = {
	.name = "unicast",
	.what = "one producer to one consumer, one event a publish",
	BENCH_STREAM,
	.bars = { { .bar = 3, .against = BENCH_BEST_PEER } },
	.points = sizes_to_64,
	.defaults = BENCH_PARAMS(8, 8192, BUSY_SPIN),
	.entries = { { .subject = &limit_store, .role = BENCH_LIMIT },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:packed",
		       .layout = DISRUPTOR_PACKED },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};

const struct bench_scenario scenario_batch = {
	.name = "batch",
	.what = "one producer to one consumer, 16 events a publish, packed layout",
	BENCH_STREAM,
	.bars = { { .bar = 0.9, .against = "limit:packed" },
		  { .bar = 3, .against = BENCH_BEST_PEER },
		  { .bar = 1.5, .entry = "disruptor:stamped", .against = BENCH_BEST_PEER } },
	.defaults = { .event_bytes = 8,
		      .capacity = 8192,
		      .batch = 16,
		      .wait = { .kind = DISRUPTOR_WAIT_BUSY_SPIN } },
	.entries = { { .subject = &limit_store },
		     { .subject = &limit_packed, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor,
		       .role = BENCH_MAIN,
		       .layout = DISRUPTOR_PACKED },
		     { .subject = &subject_disruptor, .name = "disruptor:stamped" },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_disruptor,
		       .role = BENCH_AGAIN,
		       .layout = DISRUPTOR_PACKED } },
	.sample = bench_throughput,
};

const struct bench_scenario scenario_blocking = {
	.name = "blocking",
	.what = "unicast under the blocking strategy, against busy-spin",
	BENCH_STREAM,
	.bars = { { .bar = 0.95, .against = "disruptor:busy-spin" } },
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_store },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:busy-spin",
		       .role = BENCH_LIMIT,
		       .wait = DISRUPTOR_WAIT_BUSY_SPIN },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_throughput,
};
