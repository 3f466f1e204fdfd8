/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T38 under load: the ring is closed while producers claim, publish and wait
 * for room. Each returns E_CLOSED; what was published is all there, and
 * nothing else; the ring opens again and goes on.
 */
#include "stress.h"

#include <string.h>

#define PRODUCERS 4
#define CAPACITY 4

struct closing {
	struct disruptor_ring *ring;
	struct progress progress;
	struct tick_consumer consumer;
	uint64_t seed, consumer_seed;
	bool dawdle; /* the consumer: so that the ring is mostly full */
	uint64_t received, wrong;
	int64_t end;
	struct writer {
		struct closing *c;
		struct tick_producer view;
		uint64_t published, seed;
		int status;
	} writer[PRODUCERS];
};

static void write_until_closed(void *argument)
{
	struct writer *w = argument;

	disruptor_producer_handoff(&w->view.view);
	for (;;) {
		uint64_t n = random_in(&w->seed, 1, CAPACITY / 2);

		if (!tick_claim_n(&w->view, n))
			break;
		for (uint64_t i = 0; i < n; i++)
			tick_claimed_at(&w->view, i)->value =
				disruptor_producer_position(&w->view.view) + i;
		(void)tick_publish(&w->view);
		w->published += n;
		progress_made(&w->c->progress);
	}
	w->status = tick_status(&w->view);
}

static void read_to_the_end(void *argument)
{
	struct closing *c = argument;
	int64_t n;

	while ((n = tick_ready_until(&c->consumer, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++)
			c->wrong += tick_at(&c->consumer, i)->value !=
				    disruptor_consumer_position(&c->consumer.view) + i;
		c->received += (uint64_t)n;
		if (c->dawdle)
			random_pause(&c->consumer_seed);
		(void)tick_release(&c->consumer, (uint64_t)n);
		progress_made(&c->progress);
	}
	c->end = n;
}

static void close_once(struct closing *c, size_t producers)
{
	struct runner thread[PRODUCERS + 1];
	uint64_t published = 0;

	runner_start(&thread[producers], "the consumer", read_to_the_end, c);
	for (size_t i = 0; i < producers; i++)
		runner_start(&thread[i], "a producer", write_until_closed, &c->writer[i]);
	random_pause(&c->seed);
	random_pause(&c->seed);
	disruptor_ring_close(c->ring);
	join_with_progress(thread, producers + 1, &c->progress);
	for (size_t i = 0; i < producers; i++) {
		assert_code(c->writer[i].status, DISRUPTOR_E_CLOSED);
		published += c->writer[i].published;
	}
	assert_code(c->end, DISRUPTOR_E_CLOSED);
	assert_int_equal(c->wrong, 0);
	assert_int_equal(c->received, published);
	assert_code(disruptor_ring_reopen(c->ring), 0);
}

static void close_often(size_t producers, enum disruptor_layout layout, struct disruptor_wait wait,
			bool dawdle)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct budget budget = budget_of(UINT64_MAX / 2, 100);
	struct closing c;

	memset(&c, 0, sizeof(c));
	c.seed = fixture_seed(3);
	c.consumer_seed = c.seed + 1;
	c.dawdle = dawdle;
	options.layout = layout;
	options.producers = producers > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	c.ring = ring_open(&options);
	open_consumer(&c.consumer, c.ring, wait);
	for (size_t i = 0; i < producers; i++) {
		c.writer[i].c = &c;
		c.writer[i].seed = fixture_seed(5) + i;
		open_producer(&c.writer[i].view, c.ring, wait);
	}
	/* some of it must meet events: how soon producers begin is the machine's matter */
	while (budget_take(&budget) || c.received == 0) {
		close_once(&c, producers);
		budget.until_clock = 1; /* each round is long */
	}
	for (size_t i = 0; i < producers; i++)
		assert_code(tick_producer_close(&c.writer[i].view), 0);
	assert_code(tick_consumer_close(&c.consumer), 0);
	ring_close(&c.ring);
}

TEST(close_meets_many_producers_of_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		close_often(PRODUCERS, DISRUPTOR_STAMPED, fixture_wait(i), false);
		close_often(PRODUCERS, DISRUPTOR_STAMPED, fixture_wait(i), true);
	}
}

/* One producer claims by a plain store, and takes it back if the close was first. */
TEST(close_meets_one_producer)
{
	close_often(1, DISRUPTOR_STAMPED, disruptor_wait_blocking(), false);
	close_often(1, DISRUPTOR_STAMPED, disruptor_wait_blocking(), true);
	close_often(1, DISRUPTOR_PACKED, disruptor_wait_blocking(), false);
	close_often(1, DISRUPTOR_PACKED, disruptor_wait_blocking(), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(close_meets_many_producers_of_every_strategy),
		RUN(close_meets_one_producer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
