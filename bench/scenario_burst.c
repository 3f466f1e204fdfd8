/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Bursts: the producer sends 64 events at a time, every 100 microseconds by
 * the clock, whether or not it could send the last ones in time. An event's
 * number tells when it was meant to be sent, and its latency counts from then
 * until the consumer has read it: what is held up makes all that comes behind
 * it late, and nothing is left out because nobody asked meanwhile.
 */
#include "bench.h"
#include "histogram.h"
#include "loop.h"

#include <math.h>
#include <stdlib.h>

enum { BURST = 64, PERIOD = 100000 /* ns */, LEAD = 50000 /* ns before the first */ };

struct bursts {
	const struct bench_subject *subject;
	void *channel;
	uint64_t warm, events; /* whole bursts */
	uint64_t slept;        /* before the clock ran; then while it did */
	struct bench_meeting meeting;
	struct bench_schedule schedule;
	_Alignas(DISRUPTOR_APART) struct bench_task send;
	struct bench_usage sending;
	_Alignas(DISRUPTOR_APART) struct bench_task receive;
	uint64_t ended; /* ns */
	struct bench_usage receiving;
};

static uint64_t sleeps(const struct bursts *b)
{
	return b->subject->sleeps != NULL ? b->subject->sleeps(b->channel) : 0;
}

static void wait_until(uint64_t time)
{
	while (disruptor_now() < time)
		;
}

static void sending(void *context)
{
	struct bursts *b = context;
	struct bench_usage before, after;

	b->send.events = b->warm;
	b->subject->produce(b->channel, &b->send);
	b->slept = sleeps(b);
	b->schedule.first = b->send.value;
	b->schedule.start = disruptor_now() + LEAD;
	bench_meet(&b->meeting);
	bench_usage_thread(&before);
	b->send.events = BURST;
	for (uint64_t i = 0; i < b->events / BURST; i++) {
		wait_until(b->schedule.start + i * PERIOD);
		b->subject->produce(b->channel, &b->send);
	}
	bench_usage_thread(&after);
	bench_usage_add(&b->sending, &before, &after);
}

static void receiving(void *context)
{
	struct bursts *b = context;
	struct bench_usage before, after;

	b->receive.events = b->warm;
	b->subject->consume(b->channel, &b->receive);
	bench_meet(&b->meeting);
	bench_usage_thread(&before);
	b->receive.events = b->events;
	b->receive.schedule = &b->schedule;
	b->subject->consume(b->channel, &b->receive);
	b->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&b->receiving, &before, &after);
}

static void tell(struct bursts *b, struct bench_sample *sample)
{
	const struct bench_usage none = { 0 };

	sample->value = bench_histogram_at(sample->latency, 0.5);
	sample->seconds = (double)(b->ended - b->schedule.start) / 1e9;
	sample->rung = b->subject->rung != NULL ? b->subject->rung(b->channel) : NULL;
	sample->events = (double)b->events;
	bench_usage_add(&sample->usage, &none, &b->sending);
	bench_usage_add(&sample->usage, &none, &b->receiving);
	sample->sleeps = b->subject->sleeps != NULL ? (double)(sleeps(b) - b->slept) : -1;
}

static void burst(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_sample *sample)
{
	const struct bench_task task = { .bytes = params->event_bytes, .batch = 1, .producers = 1 };
	struct bursts b = { .subject = entry->subject,
			    .warm = UINT64_C(4) * BURST,
			    .events = (params->events + BURST - 1) / BURST * BURST,
			    .meeting = { .parties = 2 },
			    .schedule = { .period = PERIOD, .burst = BURST },
			    .send = task,
			    .receive = task };
	const struct bench_side sides[] = { { sending, &b }, { receiving, &b } };
	uint64_t n = b.warm + b.events;
	double before = bench_resident();

	b.schedule.times = sample->latency;
	b.channel = b.subject->open(params);
	bench_run_sides(2, params->cpus, sides);
	if (b.receive.torn != 0 ||
	    b.receive.sum != (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n))
		bench_fail("%s: an event was lost or torn", bench_entry_name(entry));
	tell(&b, sample);
	sample->resident = fmax(bench_resident() - before, 0);
	b.subject->close(b.channel);
}

const struct bench_scenario scenario_burst = {
	.name = "burst",
	.what = "64 events every 100 us by the clock, from when one is due until it is read",
	.unit = "ns/event",
	.better = BENCH_LESS,
	.threads = true,
	.latency = true,
	.rounds = 15,
	.sample_seconds = 0.08, /* 800 bursts */
	.defaults = BENCH_PARAMS(8, 8192, BLOCKING),
	.entries = { { .subject = &limit_cursor, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:busy-spin",
		       .wait = DISRUPTOR_WAIT_BUSY_SPIN },
		     { .subject = &subject_mutex, .role = BENCH_PEER },
		     { .subject = &subject_pipe, .role = BENCH_PEER },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = burst,
};
