/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T05: many producers with claims of many sizes into a ring of eight. Each
 * consumer sees each producer's events in order, none lost, none twice.
 */
#include "stress.h"

#include <string.h>

#define PRODUCERS 4
#define CONSUMERS 2
#define CAPACITY 8

struct party {
	struct disruptor_ring *ring;
	struct progress progress;
	struct runner thread[PRODUCERS + CONSUMERS];
	struct writer {
		struct party *party;
		struct tick_producer view;
		uint64_t id, sent, seed;
		int status;
	} writer[PRODUCERS];
	struct reader {
		struct party *party;
		struct tick_consumer view;
		uint64_t got[PRODUCERS];
		uint64_t wrong;
		int64_t status;
	} reader[CONSUMERS];
};

static void fill(struct writer *w, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		*tick_claimed_at(&w->view, i) =
			(struct tick){ .value = w->sent + i, .from = w->id };
}

/* Claim n at once, or what there is of it; publish in one go or in two. */
static int publish_some(struct writer *w, uint64_t n)
{
	struct tick ticks[CAPACITY];
	uint64_t part;

	switch (next_random(&w->seed) % 4) {
	case 0:
		n = tick_claim_up_to(&w->view, n);
		if (n == 0)
			return tick_status(&w->view);
		break;
	case 1:
		for (uint64_t i = 0; i < n; i++)
			ticks[i] = (struct tick){ .value = w->sent + i, .from = w->id };
		w->sent += n;
		return tick_publish_copy(&w->view, ticks, n);
	default:
		if (!tick_claim_n(&w->view, n))
			return tick_status(&w->view);
	}
	fill(w, n);
	w->sent += n;
	part = random_in(&w->seed, 1, n);
	if (part < n && tick_publish_n(&w->view, part) != 0)
		return DISRUPTOR_E_INVAL;
	return tick_publish(&w->view);
}

static void write_batches(void *argument)
{
	struct writer *w = argument;
	struct budget budget = budget_of(1000000, 600);

	disruptor_producer_handoff(&w->view.view);
	while (w->status == 0 && budget_take(&budget)) {
		w->status = publish_some(w, random_in(&w->seed, 1, CAPACITY));
		progress_made(&w->party->progress);
	}
}

static void read_batches(void *argument)
{
	struct reader *r = argument;

	while ((r->status = tick_ready_until(&r->view, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)r->status; i++) {
			const struct tick *t = tick_at(&r->view, i);

			r->wrong += t->from >= PRODUCERS || t->value != r->got[t->from];
			r->got[t->from % PRODUCERS]++;
		}
		(void)tick_release(&r->view, (uint64_t)r->status);
		progress_made(&r->party->progress);
	}
}

static void party_open(struct party *p, struct disruptor_wait wait)
{
	struct disruptor_options options = fixture_options(CAPACITY);

	memset(p, 0, sizeof(*p));
	options.producers = DISRUPTOR_MANY;
	p->ring = ring_open(&options);
	for (uint64_t i = 0; i < CONSUMERS; i++) {
		p->reader[i].party = p;
		open_consumer(&p->reader[i].view, p->ring, wait);
	}
	for (uint64_t i = 0; i < PRODUCERS; i++) {
		struct writer *w = &p->writer[i];

		w->party = p;
		w->id = i;
		w->seed = fixture_seed(0x9e3779b97f4a7c15) + i;
		open_producer(&w->view, p->ring, wait);
	}
}

static void party_run(struct party *p)
{
	for (size_t i = 0; i < CONSUMERS; i++)
		runner_start(&p->thread[PRODUCERS + i], "a consumer", read_batches, &p->reader[i]);
	for (size_t i = 0; i < PRODUCERS; i++)
		runner_start(&p->thread[i], "a producer", write_batches, &p->writer[i]);
	join_with_progress(p->thread, PRODUCERS, &p->progress);
	disruptor_ring_close(p->ring);
	join_with_progress(&p->thread[PRODUCERS], CONSUMERS, &p->progress);
}

static void party_close(struct party *p)
{
	for (size_t i = 0; i < PRODUCERS; i++)
		assert_code(tick_producer_close(&p->writer[i].view), 0);
	for (size_t i = 0; i < CONSUMERS; i++)
		assert_code(tick_consumer_close(&p->reader[i].view), 0);
	ring_close(&p->ring);
}

static void random_batches(struct disruptor_wait wait)
{
	struct party p;

	party_open(&p, wait);
	party_run(&p);
	for (size_t c = 0; c < CONSUMERS; c++) {
		assert_code(p.reader[c].status, DISRUPTOR_E_CLOSED);
		assert_int_equal(p.reader[c].wrong, 0);
		for (size_t i = 0; i < PRODUCERS; i++) {
			assert_code(p.writer[i].status, 0);
			assert_true(p.writer[i].sent > 0);
			assert_int_equal(p.reader[c].got[i], p.writer[i].sent);
		}
	}
	party_close(&p);
}

TEST(many_producers_batches_arrive_whole_when_all_sleep)
{
	random_batches(disruptor_wait_blocking());
}

TEST(many_producers_batches_arrive_whole_when_all_yield)
{
	random_batches(disruptor_wait_yielding());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(many_producers_batches_arrive_whole_when_all_sleep),
		RUN(many_producers_batches_arrive_whole_when_all_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
