/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Ping-pong: one thread sends an event on one channel and awaits its echo on
 * another; the other thread sends each back. Every value is compared.
 */
#include "bench.h"

struct rally {
	const struct bench_subject *subject;
	void *channels[2];
	uint64_t warm;   /* round trips before the clock runs */
	uint64_t events; /* timed */
	struct bench_meeting meeting;
	_Alignas(DISRUPTOR_APART) struct bench_task serve;
	uint64_t began, ended; /* ns */
	_Alignas(DISRUPTOR_APART) struct bench_task answer;
};

static void serving(void *context)
{
	struct rally *r = context;

	r->serve.events = r->warm;
	r->subject->serve(r->channels, &r->serve);
	bench_meet(&r->meeting);
	r->began = disruptor_now();
	r->serve.events = r->events;
	r->subject->serve(r->channels, &r->serve);
	r->ended = disruptor_now();
}

static void answering(void *context)
{
	struct rally *r = context;

	r->answer.events = r->warm;
	r->subject->answer(r->channels, &r->answer);
	bench_meet(&r->meeting);
	r->answer.events = r->events;
	r->subject->answer(r->channels, &r->answer);
}

static void round_trip(const struct bench_entry *entry, const struct bench_params *params,
		       struct bench_sample *sample)
{
	const struct bench_subject *subject = entry->subject;
	struct bench_task task = { .bytes = params->event_bytes, .batch = 1 };
	struct rally r = { .subject = subject,
			   .channels = { subject->open(params), subject->open(params) },
			   .warm = params->events / 10 + 1,
			   .events = params->events,
			   .meeting = { .parties = 2 },
			   .serve = task,
			   .answer = task };

	const struct bench_side sides[] = { { serving, &r }, { answering, &r } };

	bench_run_sides(2, params->cpus, sides);
	if (r.serve.torn != 0 || r.answer.torn != 0)
		bench_fail("%s: an echo was not what had been sent", bench_entry_name(entry));
	sample->value = (double)(r.ended - r.began) / (double)r.events;
	sample->seconds = (double)(r.ended - r.began) / 1e9;
	sample->rung = subject->rung != NULL ? subject->rung(r.channels[0]) : NULL;
	subject->close(r.channels[1]);
	subject->close(r.channels[0]);
}

const struct bench_scenario scenario_pingpong = {
	.name = "pingpong",
	.what = "a round trip of one event over two rings",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.bars = { { 1.10, NULL, "limit:line", NULL } },
	.threads = true,
	.defaults = { .event_bytes = 32,
		      .capacity = 1024,
		      .batch = 1,
		      .wait = { .kind = DISRUPTOR_WAIT_BUSY_SPIN } },
	.entries = { { .subject = &limit_line, .role = BENCH_LIMIT },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = round_trip,
};
