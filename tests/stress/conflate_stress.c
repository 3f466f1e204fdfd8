/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One thread puts, one takes. What is taken is whole and of its key, the positions of a key only
 * grow, the last event of each key arrives, and what was put was taken or replaced.
 */
#include "stress.h"

#include <string.h>

#define KEYS 5
#define WORDS 12

struct quote {
	uint64_t key;
	uint64_t word[WORDS];
};

static const struct disruptor_type quote_type = { "quote", sizeof(struct quote), 8, NULL, 0, 0 };

struct market {
	struct disruptor_conflate *table;
	struct progress progress;
	bool paused, polls;
	uint64_t put, last[KEYS]; /* position + 1 of the key's last put */
	int status;
	uint64_t taken, wrong, seen[KEYS];
	int end;
};

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct quote *)event)->key;
}

static void put_all(void *argument)
{
	struct market *m = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 400);
	uint64_t seed = fixture_seed(41);
	struct quote q;

	while (m->status == 0 && budget_take(&budget)) {
		q.key = next_random(&seed) % KEYS;
		for (uint64_t i = 0; i < WORDS; i++)
			q.word[i] = m->put * WORDS + i;
		m->status = disruptor_conflate_put(m->table, &q, m->put);
		m->last[q.key] = ++m->put;
		if (m->paused)
			random_pause(&seed);
		progress_made(&m->progress);
	}
	disruptor_conflate_close(m->table);
}

static void take_all(void *argument)
{
	struct market *m = argument;
	uint64_t position;
	struct quote q;

	for (;;) {
		m->end = m->polls ? disruptor_conflate_take(m->table, &q, &position)
				  : disruptor_conflate_take_until(m->table, &q, &position,
								  DISRUPTOR_FOREVER);
		if (m->end < 0)
			break;
		if (m->end == 0)
			continue;
		for (uint64_t i = 0; i < WORDS; i++)
			m->wrong += q.word[i] != position * WORDS + i;
		m->wrong += q.key >= KEYS || m->seen[q.key % KEYS] > position;
		m->seen[q.key % KEYS] = position + 1;
		m->taken++;
		progress_made(&m->progress);
	}
}

static void race(bool paused, bool polls)
{
	const struct disruptor_conflate_options o = { .size = sizeof(o),
						      .keys = KEYS,
						      .key = key_of };
	struct runner thread[2];
	struct market m;

	memset(&m, 0, sizeof(m));
	m.paused = paused;
	m.polls = polls;
	assert_code(disruptor_conflate_create(&m.table, &quote_type, &o), 0);
	runner_start(&thread[0], "the writer", put_all, &m);
	runner_start(&thread[1], "the reader", take_all, &m);
	join_with_progress(thread, 2, &m.progress);
	assert_code(m.status, 0);
	assert_code(m.end, DISRUPTOR_E_CLOSED);
	assert_int_equal(m.wrong, 0);
	assert_int_equal(m.taken + disruptor_conflate_conflated(m.table), m.put);
	assert_memory_equal(m.seen, m.last, sizeof(m.seen));
	disruptor_conflate_destroy(&m.table);
}

TEST(a_reader_that_polls_gets_the_latest)
{
	race(false, true);
}

TEST(a_reader_that_waits_gets_the_latest)
{
	race(false, false);
}

TEST(a_reader_that_sleeps_is_woken)
{
	race(true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_reader_that_polls_gets_the_latest),
		RUN(a_reader_that_waits_gets_the_latest),
		RUN(a_reader_that_sleeps_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
