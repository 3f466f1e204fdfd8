/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Ping-pong: one thread sends an event on one channel and awaits its echo on
 * another; the other thread sends each back. Every value is compared. After
 * the timed round trips come some more, with a look at the clock after each:
 * their lengths make the histogram. So the clock does not slow down the
 * former, while a round trip of the latter includes one reading of it.
 */
#include "bench.h"
#include "histogram.h"

#include <math.h>
#include <stdlib.h>

enum { WATCHED = 50000 }; /* round trips with the clock, at most */

struct rally {
	const struct bench_subject *subject;
	void *channels[2];
	uint64_t warm;    /* round trips before the clock runs */
	uint64_t events;  /* timed */
	uint64_t watched; /* then one by one, … */
	uint64_t *took;   /* … each of which took so long, ns */
	uint64_t pause;   /* ns before each event; then all timed ones are watched */
	uint64_t slept;   /* before the clock ran; then while it did */
	struct bench_meeting meeting;
	_Alignas(DISRUPTOR_APART) struct bench_task serve;
	uint64_t began, ended; /* ns */
	struct bench_usage serving;
	_Alignas(DISRUPTOR_APART) struct bench_task answer;
	struct bench_usage answering;
};

static uint64_t sleeps(const struct rally *r)
{
	uint64_t all = 0;

	for (int i = 0; i < 2 && r->subject->sleeps != NULL; i++)
		all += r->channels[i] != NULL ? r->subject->sleeps(r->channels[i]) : 0;
	return all;
}

static void serving(void *context)
{
	struct rally *r = context;
	struct bench_usage before, after;

	r->serve.events = r->warm;
	r->subject->serve(r->channels, &r->serve);
	r->slept = sleeps(r);
	bench_meet(&r->meeting);
	bench_usage_thread(&before);
	r->began = disruptor_now();
	r->serve.events = r->events;
	r->serve.took = r->pause != 0 ? r->took : NULL;
	r->serve.pause = r->pause;
	r->subject->serve(r->channels, &r->serve);
	r->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&r->serving, &before, &after);
	r->slept = sleeps(r) - r->slept;
	if (r->watched == 0)
		return;
	bench_meet(&r->meeting);
	r->serve.events = r->watched;
	r->serve.took = r->took;
	r->subject->serve(r->channels, &r->serve);
}

static void answering(void *context)
{
	struct rally *r = context;
	struct bench_usage before, after;

	r->answer.events = r->warm;
	r->subject->answer(r->channels, &r->answer);
	bench_meet(&r->meeting);
	bench_usage_thread(&before);
	r->answer.events = r->events;
	r->answer.pause = r->pause;
	r->subject->answer(r->channels, &r->answer);
	bench_usage_thread(&after);
	bench_usage_add(&r->answering, &before, &after);
	if (r->watched == 0)
		return;
	bench_meet(&r->meeting);
	r->answer.events = r->watched;
	r->subject->answer(r->channels, &r->answer);
}

static void tell(const struct rally *r, struct bench_sample *sample)
{
	const struct bench_usage none = { 0 };

	sample->value = (double)(r->ended - r->began) / (double)r->events;
	sample->seconds = (double)(r->ended - r->began) / 1e9;
	sample->rung = r->subject->rung != NULL ? r->subject->rung(r->channels[0]) : NULL;
	sample->events = (double)r->events;
	bench_usage_add(&sample->usage, &none, &r->serving);
	bench_usage_add(&sample->usage, &none, &r->answering);
	sample->sleeps = r->subject->sleeps != NULL ? (double)r->slept : -1;
}

/** A round trip holds the answering side's pause. Whose loops tell nothing have left zeroes. */
static void record(const struct rally *r, uint64_t n, struct bench_histogram *times)
{
	for (uint64_t i = 0; i < n && r->took[i] != 0; i++)
		bench_histogram_record(times, r->took[i] > r->pause ? r->took[i] - r->pause : 0);
}

static void run_rally(struct rally *r, const char *name, const struct bench_params *params,
		      struct bench_sample *sample)
{
	const struct bench_side sides[] = { { serving, r }, { answering, r } };
	double before = bench_resident();
	uint64_t recorded = r->pause != 0 ? r->events : r->watched;

	r->channels[0] = r->subject->open(params);
	r->channels[1] = r->subject->one ? NULL : r->subject->open(params);
	r->took = bench_alloc((recorded + 1) * sizeof(*r->took));
	bench_run_sides(2, params->cpus, sides);
	if (r->serve.torn != 0 || r->answer.torn != 0)
		bench_fail("%s: an echo was not what had been sent", name);
	tell(r, sample);
	record(r, recorded, sample->latency);
	free(r->took);
	sample->resident = fmax(bench_resident() - before, 0);
	if (r->channels[1] != NULL)
		r->subject->close(r->channels[1]);
	r->subject->close(r->channels[0]);
}

static struct rally rally_of(const struct bench_entry *entry, const struct bench_params *params)
{
	const struct bench_task task = { .bytes = params->event_bytes, .batch = 1 };

	return (struct rally){ .subject = entry->subject,
			       .warm = params->events / 10 + 1,
			       .events = params->events,
			       .meeting = { .parties = 2 },
			       .serve = task,
			       .answer = task };
}

void bench_round_trip(const struct bench_entry *entry, const struct bench_params *params,
		      struct bench_sample *sample)
{
	struct rally r = rally_of(entry, params);

	if (sample->latency != NULL)
		r.watched = params->events / 4 < WATCHED ? params->events / 4 + 2 : WATCHED;
	run_rally(&r, bench_entry_name(entry), params, sample);
}

void bench_slow_round_trip(const struct bench_entry *entry, const struct bench_params *params,
			   uint64_t pause, struct bench_sample *sample)
{
	struct rally r = rally_of(entry, params);

	r.pause = pause;
	run_rally(&r, bench_entry_name(entry), params, sample);
	sample->value = bench_histogram_at(sample->latency, 0.5);
}

const struct bench_scenario scenario_pingpong = {
	.name = "pingpong",
	.what = "a round trip of one event over two rings",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.bars = { { .bar = 1.10, .against = "limit:line" } },
	.threads = true,
	.latency = true,
	.defaults = BENCH_PARAMS(32, 1024, BUSY_SPIN),
	.entries = { { .subject = &limit_line, .role = BENCH_LIMIT },
		     { .subject = &limit_lines },
		     { .subject = &limit_cursor },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_socket, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = bench_round_trip,
};

const struct bench_scenario scenario_pingpong_one = {
	.name = "pingpong-one",
	.what = "a round trip over one ring: who sent an event reads it after the other has",
	.unit = "ns/round trip",
	.better = BENCH_LESS,
	.threads = true,
	.latency = true,
	.defaults = BENCH_PARAMS(32, 1024, BUSY_SPIN),
	.entries = { { .subject = &limit_line, .role = BENCH_LIMIT },
		     { .subject = &subject_one, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor, .name = "disruptor:two rings" },
		     { .subject = &subject_one, .role = BENCH_AGAIN } },
	.sample = bench_round_trip,
};
