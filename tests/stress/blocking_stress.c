/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T25: rings of one and of two slots, where whoever moves must wake the other
 * every time. The strategy does not look before it sleeps, so that every wait
 * is a handshake; two seconds without progress are a lost wake-up.
 */
#include "stress.h"

#include <string.h>

#define PRODUCERS_MAX 3

static struct disruptor_wait sleep_at_once(void)
{
	struct disruptor_wait w = disruptor_wait_blocking();

	w.spins = 0;
	w.yields = 0;
	return w;
}

/* ---- a stream through a tiny ring ---- */

struct stream {
	struct disruptor_ring *ring;
	struct progress progress;
	struct tick_consumer consumer;
	uint64_t sent[PRODUCERS_MAX], got;
	unsigned sources;
	DISRUPTOR_ATOMIC(uint32_t) next_source;
};

static void send(void *argument)
{
	struct stream *s = argument;
	uint32_t me = disruptor_fetch_add_relaxed(&s->next_source, 1u);
	struct budget budget = budget_of(200000, 300);
	struct tick_producer p;

	open_producer(&p, s->ring, sleep_at_once());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		*t = (struct tick){ .value = s->sent[me], .from = me };
		(void)tick_publish(&p);
		s->sent[me]++;
		progress_made(&s->progress);
	}
	(void)tick_producer_close(&p);
}

static void receive(void *argument)
{
	struct stream *s = argument;
	uint64_t expected[PRODUCERS_MAX] = { 0 };
	int64_t n;

	while ((n = tick_ready_until(&s->consumer, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++) {
			const struct tick *t = tick_at(&s->consumer, i);

			s->got += t->value == expected[t->from % PRODUCERS_MAX]++;
		}
		(void)tick_release(&s->consumer, (uint64_t)n);
		progress_made(&s->progress);
	}
}

static void stream_through(uint64_t capacity, enum disruptor_layout layout, unsigned sources)
{
	struct disruptor_options options = fixture_options(capacity);
	struct runner thread[PRODUCERS_MAX + 1];
	struct stream s;
	uint64_t sent = 0;

	memset(&s, 0, sizeof(s));
	options.layout = layout;
	options.producers = sources > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	s.ring = ring_open(&options);
	open_consumer(&s.consumer, s.ring, sleep_at_once());
	runner_start(&thread[sources], "the consumer", receive, &s);
	for (unsigned i = 0; i < sources; i++)
		runner_start(&thread[i], "a producer", send, &s);
	join_with_progress(thread, sources, &s.progress);
	disruptor_ring_close(s.ring);
	join_with_progress(&thread[sources], 1, &s.progress);
	for (unsigned i = 0; i < sources; i++)
		sent += s.sent[i];
	assert_int_equal(s.got, sent);
	assert_true(disruptor_ring_stats(s.ring).sleeps > 0);
	assert_code(tick_consumer_close(&s.consumer), 0);
	ring_close(&s.ring);
}

TEST(stream_through_one_slot)
{
	stream_through(1, DISRUPTOR_STAMPED, 1);
}

TEST(stream_through_two_slots)
{
	stream_through(2, DISRUPTOR_STAMPED, 1);
}

TEST(stream_of_many_producers_through_one_slot)
{
	stream_through(1, DISRUPTOR_STAMPED, PRODUCERS_MAX);
}

TEST(stream_through_one_packed_slot)
{
	stream_through(1, DISRUPTOR_PACKED, 1);
}

/* ---- a pipeline through a tiny ring: each stage wakes the next, the last one the producer ---- */

static void feed(void *argument)
{
	struct stream *s = argument;
	struct budget budget = budget_of(200000, 300);
	struct tick_producer p;

	open_producer(&p, s->ring, sleep_at_once());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		t->value = disruptor_producer_position(&p.view);
		(void)tick_publish(&p);
		s->sent[0]++;
		progress_made(&s->progress);
	}
	(void)tick_producer_close(&p);
}

static void pipeline_through(uint64_t capacity, size_t stages)
{
	struct disruptor_options options = fixture_options(capacity);
	struct disruptor_stage *order[3];
	struct checker checker[3];
	struct runner thread;
	struct disruptor *d;
	struct stream s;

	memset(&s, 0, sizeof(s));
	options.wait = sleep_at_once();
	d = graph_open(&options);
	s.ring = disruptor_ring(d);
	for (size_t i = 0; i < stages; i++) {
		checker_init(&checker[i], "sleeper", &s.progress);
		checker_add(&checker[i], d);
		order[i] = checker[i].stage;
	}
	assert_code(disruptor_pipeline(order, stages), 0);
	graph_start(d);
	runner_start(&thread, "the producer", feed, &s);
	join_with_progress(&thread, 1, &s.progress);
	graph_drain(d);
	for (size_t i = 0; i < stages; i++) {
		assert_int_equal(checker[i].wrong, 0);
		assert_int_equal(checker[i].next, s.sent[0]);
	}
	graph_close(&d);
}

TEST(pipeline_through_one_slot)
{
	pipeline_through(1, 3);
}

TEST(pipeline_through_two_slots)
{
	pipeline_through(2, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(stream_through_one_slot),
		RUN(stream_through_two_slots),
		RUN(stream_of_many_producers_through_one_slot),
		RUN(stream_through_one_packed_slot),
		RUN(pipeline_through_one_slot),
		RUN(pipeline_through_two_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
