/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Streaming: one thread sends events, another sums what it receives, and the
 * sum must be right. The scenarios unicast, batch and blocking are this with
 * other parameters; keepup (scenario_keepup.c) puts work between the events.
 */
#include "loop.h"

/** One stream: what its two threads share. Each writes its own half. */
struct stream {
	const struct bench_subject *subject;
	void *channel;
	uint64_t warm;   /* events before the clock runs */
	uint64_t events; /* timed */
	struct bench_meeting meeting;
	_Alignas(DISRUPTOR_APART) struct bench_task out;
	uint64_t alone, began, sent; /* ns */
	_Alignas(DISRUPTOR_APART) struct bench_task in;
	uint64_t ended;
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

static void producing(void *context)
{
	struct stream *s = context;

	s->out.events = s->warm;
	s->subject->produce(s->channel, &s->out);
	if (s->out.work != 0)
		s->alone = work_alone(&s->out, s->events);
	bench_meet(&s->meeting);
	s->began = disruptor_now();
	s->out.events = s->events;
	s->subject->produce(s->channel, &s->out);
	s->sent = disruptor_now();
}

static void consuming(void *context)
{
	struct stream *s = context;

	s->in.events = s->warm;
	s->subject->consume(s->channel, &s->in);
	bench_meet(&s->meeting);
	s->in.batches = s->in.looks = s->in.lag = 0;
	s->in.events = s->events;
	s->subject->consume(s->channel, &s->in);
	s->ended = disruptor_now();
}

static void check(const struct stream *s, const char *name)
{
	uint64_t n = s->warm + s->events;
	/* without work the values are 1 … n; half of the even one of n, n + 1, as products wrap */
	uint64_t triangle = n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;
	uint64_t expected = s->out.work != 0 ? s->out.sum : triangle;

	if (s->in.sum != expected)
		bench_fail("%s: the events received sum to %llu, those sent to %llu", name,
			   (unsigned long long)s->in.sum, (unsigned long long)expected);
	if (s->in.torn != 0)
		bench_fail("%s: an event was received in part", name);
}

static uint64_t warm_events(const struct bench_params *params)
{
	uint64_t warm = params->events / 10;

	if (warm > 4 * params->capacity)
		warm = 4 * params->capacity;
	return (warm / params->batch + 1) * params->batch;
}

void bench_stream(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_stream *stream)
{
	static void (*const sides[])(void *) = { producing, consuming };
	const struct bench_subject *subject = entry->subject;
	struct bench_task task = { .bytes = params->event_bytes,
				   .batch = params->batch,
				   .work = params->work };
	bool heard = subject->consume != NULL; /* limit:store speaks to nobody */
	struct stream s = { .subject = subject,
			    .channel = subject->open(params),
			    .warm = warm_events(params),
			    .events = params->events,
			    .meeting = { .parties = heard ? 2 : 1 },
			    .out = task,
			    .in = task };

	bench_run_sides(heard ? 2 : 1, params->cpus, sides, &s);
	if (heard)
		check(&s, bench_entry_name(entry));
	else
		s.ended = s.sent;
	*stream = (struct bench_stream){
		.alone = (double)s.alone,
		.sent = (double)(s.sent - s.began),
		.total = (double)(s.ended - s.began),
		.batch = s.in.batches != 0 ? (double)s.events / (double)s.in.batches : 0,
		.lag = s.in.looks != 0 ? (double)s.in.lag / (double)s.in.looks : 0,
		.rung = subject->rung != NULL ? subject->rung(s.channel) : NULL,
	};
	subject->close(s.channel);
}

static void throughput(const struct bench_entry *entry, const struct bench_params *params,
		       struct bench_sample *sample)
{
	struct bench_stream stream;

	bench_stream(entry, params, &stream);
	sample->value = (double)params->events / stream.total * 1e3;
	sample->seconds = stream.total / 1e9;
	sample->batch = stream.batch;
	sample->lag = stream.lag;
	sample->rung = stream.rung;
}

const struct bench_scenario scenario_unicast = {
	.name = "unicast",
	.what = "one producer to one consumer, one event a publish",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.bar = 40,
	.threads = true,
	.defaults = { .event_bytes = 8,
		      .capacity = 8192,
		      .batch = 1,
		      .wait = { .kind = DISRUPTOR_WAIT_BUSY_SPIN } },
	.entries = { { .subject = &limit_store },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex, .role = BENCH_LIMIT },
		     { .subject = &subject_pipe },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = throughput,
};

const struct bench_scenario scenario_batch = {
	.name = "batch",
	.what = "one producer to one consumer, 16 events a publish, packed layout",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.bar = 0.8,
	.threads = true,
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
		     { .subject = &subject_mutex },
		     { .subject = &subject_pipe },
		     { .subject = &subject_disruptor,
		       .role = BENCH_AGAIN,
		       .layout = DISRUPTOR_PACKED } },
	.sample = throughput,
};

const struct bench_scenario scenario_blocking = {
	.name = "blocking",
	.what = "unicast under the blocking strategy, against busy-spin",
	.unit = "Mevents/s",
	.better = BENCH_MORE,
	.bar = 0.9,
	.threads = true,
	.defaults = { .event_bytes = 8,
		      .capacity = 8192,
		      .batch = 1,
		      .wait = { .kind = DISRUPTOR_WAIT_BLOCKING } },
	.entries = { { .subject = &limit_store },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:busy-spin",
		       .role = BENCH_LIMIT,
		       .wait = DISRUPTOR_WAIT_BUSY_SPIN },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex },
		     { .subject = &subject_pipe },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = throughput,
};
