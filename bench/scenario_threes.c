/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Three producers, each with a ring of its own, and one thread that takes from
 * all three as they come. Events of 24 bytes.
 */
#include "bench.h"
#include "loop.h"
#include "ring_end.h"

#include <math.h>
#include <stdlib.h>

enum { RINGS = 3 };

/** One ring and the two sides' views of it. */
struct lane {
	struct merge *merge;
	struct disruptor_ring *ring;
	struct { /* the producer's */
		_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
		uint64_t began;
		struct bench_usage used;
	};
	struct { /* the consumer's */
		_Alignas(DISRUPTOR_APART) struct disruptor_consumer consumer;
		uint64_t value; /* the last event's */
	};
};

struct merge {
	const struct bench_params *params;
	struct disruptor_field field;
	struct disruptor_type type;
	uint64_t warm, events; /* of each producer: before the clock runs, timed */
	struct bench_meeting meeting;
	struct lane lane[RINGS];
	uint64_t batches, sleeps, torn, wrong;
	uint64_t ended;
	struct bench_usage used; /* by the consumer */
};

LOOP_APART void send(struct disruptor_producer *p, uint64_t value, uint64_t n, uint32_t bytes)
{
	struct disruptor_producer view = *p; /* the compiler sees that nobody else stores to it */

	if (bytes == 24)
		ring_send_sized(&view, value, n, 24);
	else
		ring_send_sized(&view, value, n, bytes);
	*p = view;
}

static void producing(void *context)
{
	struct lane *l = context;
	struct merge *m = l->merge;
	struct bench_usage before, after;

	must(disruptor_producer_handoff(&l->producer), "taking over a producer");
	send(&l->producer, 0, m->warm, m->params->event_bytes);
	bench_meet(&m->meeting);
	bench_usage_thread(&before);
	l->began = disruptor_now();
	send(&l->producer, m->warm, m->events, m->params->event_bytes);
	bench_usage_thread(&after);
	bench_usage_add(&l->used, &before, &after);
}

LOOP_INLINE uint64_t take_sized(struct merge *m, struct lane *l, uint64_t n, uint32_t bytes)
{
	uint64_t value = l->value, wrong = 0;

	for (uint64_t i = 0; i < n; i++)
		wrong |= loop_read(disruptor_at(&l->consumer, i), bytes, &m->torn) ^ ++value;
	m->wrong |= wrong;
	l->value = value;
	must(disruptor_release(&l->consumer, n), "releasing");
	m->batches++;
	return n;
}

/** What is ready in each ring, up to value @p end; how many events. */
static uint64_t take(struct merge *m, uint64_t end)
{
	uint64_t all = 0;

	for (int i = 0; i < RINGS; i++) {
		struct lane *l = &m->lane[i];
		uint64_t n = disruptor_ready(&l->consumer);

		n = n < end - l->value ? n : end - l->value;
		if (n == 0)
			continue;
		all += m->params->event_bytes == 24 ? take_sized(m, l, n, 24)
						    : take_sized(m, l, n, m->params->event_bytes);
	}
	return all;
}

/** Take each ring's events up to value @p end. */
static void take_all(struct merge *m, uint64_t end)
{
	uint64_t left = RINGS * end - m->lane[0].value - m->lane[1].value - m->lane[2].value;

	while (left != 0) {
		uint64_t n = take(m, end);
		struct disruptor_consumer *waiting[RINGS];
		size_t count = 0;

		left -= n;
		if (n != 0 || left == 0)
			continue;
		for (int i = 0; i < RINGS; i++)
			if (m->lane[i].value != end)
				waiting[count++] = &m->lane[i].consumer;
		must((int)disruptor_wait_any(waiting, count, DISRUPTOR_FOREVER),
		     "waiting for any ring");
	}
}

static void consuming(void *context)
{
	struct merge *m = context;
	struct bench_usage before, after;

	take_all(m, m->warm);
	bench_meet(&m->meeting);
	m->batches = 0;
	bench_usage_thread(&before);
	take_all(m, m->warm + m->events);
	m->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&m->used, &before, &after);
}

static void open_lane(struct merge *m, struct lane *l)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = m->params->capacity,
						   .wait = m->params->wait,
						   .rung = m->params->rung,
						   .flags = DISRUPTOR_PREFAULT };

	l->merge = m;
	must(disruptor_ring_create(&l->ring, &m->type, &options), "creating a ring");
	must(disruptor_consumer_open(&l->consumer, l->ring, &m->type, NULL), "opening a consumer");
	must(disruptor_producer_open(&l->producer, l->ring, &m->type, NULL), "opening a producer");
}

static void close_lane(struct merge *m, struct lane *l)
{
	m->sleeps += disruptor_ring_stats(l->ring).sleeps;
	must(disruptor_producer_handoff(&l->producer), "taking over a producer");
	must(disruptor_producer_close(&l->producer), "closing a producer");
	must(disruptor_consumer_close(&l->consumer), "closing a consumer");
	must(disruptor_ring_destroy(&l->ring), "destroying a ring");
}

static void run_merge(struct merge *m, struct bench_sample *sample)
{
	struct bench_side sides[RINGS + 1] = { { consuming, m } };
	const struct bench_usage none = { 0 };
	uint64_t began = UINT64_MAX;

	for (int i = 0; i < RINGS; i++)
		sides[i + 1] = (struct bench_side){ producing, &m->lane[i] };
	bench_run_sides(RINGS + 1, m->params->cpus, sides);
	if (m->torn != 0 || m->wrong != 0)
		bench_fail("threes: an event was torn, or out of its order");
	sample->usage = m->used;
	for (int i = 0; i < RINGS; i++) {
		began = m->lane[i].began < began ? m->lane[i].began : began;
		bench_usage_add(&sample->usage, &none, &m->lane[i].used);
	}
	sample->events = (double)(RINGS * m->events);
	sample->seconds = (double)(m->ended - began) / 1e9;
	sample->value = sample->events / sample->seconds / 1e6;
	sample->batch = sample->events / (double)m->batches;
	sample->rung = disruptor_rung_name(disruptor_ring_info(m->lane[0].ring).rung);
	sample->crowded = true;
}

static void merge(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_sample *sample)
{
	struct bench_params alone = *params;
	double before = bench_resident();
	uint64_t share = params->events / RINGS + 1;

	if (entry->subject != &subject_disruptor) { /* limit:alone */
		alone.producers = 1;
		bench_throughput(entry, &alone, sample);
		return;
	}

	struct merge *m = bench_alloc(sizeof(*m));

	m->params = params;
	m->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	m->type = (struct disruptor_type){ "event", params->event_bytes, 8, &m->field, 1, 0 };
	m->warm = share / 10 < 4 * params->capacity ? share / 10 + 1 : 4 * params->capacity;
	m->events = share;
	m->meeting.parties = RINGS + 1;
	for (int i = 0; i < RINGS; i++)
		open_lane(m, &m->lane[i]);
	run_merge(m, sample);
	sample->resident = fmax(bench_resident() - before, 0);
	for (int i = 0; i < RINGS; i++)
		close_lane(m, &m->lane[i]);
	sample->sleeps = (double)m->sleeps;
	free(m);
}

static const struct bench_point three[] = {
	{ .label = "3 to 3", .producers = RINGS },
	{ .label = NULL },
};

const struct bench_scenario scenario_threes = {
	.name = "threes",
	.what = "three producers, each with its own ring, to one thread that takes from all",
	BENCH_STREAM,
	.points = three,
	.defaults = BENCH_PARAMS(24, 8192, BLOCKING),
	.entries = { { .subject = &limit_alone, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:yielding",
		       .wait = DISRUPTOR_WAIT_YIELDING },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = merge,
};
