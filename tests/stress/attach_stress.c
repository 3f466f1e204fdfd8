/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Consumers come and go while producers run, now at the newest event, now at the
 * oldest. Each sees every event from where it attached, whole and in order;
 * producers are held back by it from then on and not a moment longer than it
 * stays.
 */
#include "stress.h"

#include <string.h>

#define PRODUCERS_MAX 2
#define VISITORS 3
#define CAPACITY 8

struct house {
	struct disruptor_ring *ring;
	struct progress progress;
	struct tick_consumer resident; /* always there */
	uint64_t resident_wrong;
	DISRUPTOR_ATOMIC(uint32_t) over;
	struct visitor {
		struct house *house;
		uint64_t id, visits, events, wrong, seed;
	} visitor[VISITORS];
};

static void write_ticks(void *argument)
{
	struct house *h = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 700);
	struct tick_producer p;

	open_producer(&p, h->ring, disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		*t = (struct tick){ .value = disruptor_producer_position(&p.view) };
		(void)tick_publish(&p);
		progress_made(&h->progress);
	}
	(void)tick_producer_close(&p);
}

/* Marks each event, for those who come after it. */
static void reside(void *argument)
{
	struct house *h = argument;
	int64_t n;

	while ((n = tick_ready_until(&h->resident, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++) {
			struct tick *t = tick_at(&h->resident, i);
			uint64_t position = disruptor_consumer_position(&h->resident.view) + i;

			h->resident_wrong += t->value != position;
			t->from = position + 1;
		}
		(void)tick_release(&h->resident, (uint64_t)n);
	}
}

/* Every other visitor comes after the resident, and sees its marks. */
static int enter(struct visitor *v, struct tick_consumer *c)
{
	const struct disruptor_consumer *after[] = { &v->house->resident.view };
	const struct disruptor_consumer_options options = {
		.size = sizeof(options),
		.after = after,
		.after_count = v->id % 2,
		.at = v->visits % 2 ? DISRUPTOR_AT_OLDEST : DISRUPTOR_AT_NEWEST,
		.wait = disruptor_wait_blocking(),
	};

	return tick_consumer_open(c, v->house->ring, &options);
}

static void look(struct visitor *v, struct tick_consumer *c, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		const struct tick *t = tick_at(c, i);
		uint64_t position = disruptor_consumer_position(&c->view) + i;

		v->wrong += t->value != position;
		if (v->id % 2)
			v->wrong += t->from != position + 1;
	}
	v->events += n;
}

static void visit(void *argument)
{
	struct visitor *v = argument;

	while (!disruptor_load_acquire(&v->house->over)) {
		uint64_t stay = next_random(&v->seed) % 100;
		struct tick_consumer c;
		int64_t n = 1;

		if (enter(v, &c) != 0)
			break;
		while (stay-- > 0 && n > 0) {
			n = tick_ready_until(&c, DISRUPTOR_FOREVER);
			if (n <= 0)
				break;
			look(v, &c, (uint64_t)n);
			(void)tick_release(&c, random_in(&v->seed, 1, (uint64_t)n));
		}
		/* what it leaves unreleased holds nobody back any more */
		(void)tick_consumer_close(&c);
		v->visits++;
		random_pause(&v->seed);
	}
}

static void open_house(size_t producers, enum disruptor_layout layout)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct runner thread[PRODUCERS_MAX + VISITORS + 1];
	struct house h;

	memset(&h, 0, sizeof(h));
	options.layout = layout;
	options.producers = producers > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	h.ring = ring_open(&options);
	open_consumer(&h.resident, h.ring, disruptor_wait_blocking());
	for (size_t i = 0; i < VISITORS; i++) {
		h.visitor[i].house = &h;
		h.visitor[i].id = i;
		h.visitor[i].seed = fixture_seed(17) + i;
		runner_start(&thread[PRODUCERS_MAX + i], "a visitor", visit, &h.visitor[i]);
	}
	runner_start(&thread[PRODUCERS_MAX + VISITORS], "the resident", reside, &h);
	for (size_t i = 0; i < producers; i++)
		runner_start(&thread[i], "a producer", write_ticks, &h);
	join_with_progress(thread, producers, &h.progress);
	disruptor_store_release(&h.over, 1u);
	disruptor_ring_close(h.ring);
	join_with_progress(&thread[PRODUCERS_MAX], VISITORS + 1, &h.progress);
	assert_int_equal(h.resident_wrong, 0);
	for (size_t i = 0; i < VISITORS; i++) {
		assert_int_equal(h.visitor[i].wrong, 0);
		assert_true(h.visitor[i].visits > 0);
	}
	assert_code(tick_consumer_close(&h.resident), 0);
	ring_close(&h.ring);
}

TEST(consumers_come_and_go_under_one_producer)
{
	open_house(1, DISRUPTOR_STAMPED);
}

TEST(consumers_come_and_go_under_many_producers)
{
	open_house(PRODUCERS_MAX, DISRUPTOR_STAMPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(consumers_come_and_go_under_one_producer),
		RUN(consumers_come_and_go_under_many_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
