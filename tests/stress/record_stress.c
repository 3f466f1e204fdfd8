/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Records of every length from several producers through a ring that is hardly longer than the longest:
 * each consumer sees each producer's in order, whole, none lost, none twice.
 */
#include "stress.h"

#include <disruptor/record.h>

#include <string.h>

#define PRODUCERS 3
#define CONSUMERS 2
#define CAPACITY 16
#define CELL 16
#define LONGEST 160 /* bytes of a record */

/* What a record begins with; bytes that follow from these are behind it. */
struct head {
	uint32_t from, bytes;
	uint64_t number;
};

struct party {
	struct disruptor_ring *ring;
	struct progress progress;
	struct runner thread[PRODUCERS + CONSUMERS];
	struct writer {
		struct party *party;
		struct disruptor_producer view;
		uint64_t sent, seed;
		uint32_t id;
		int status;
	} writer[PRODUCERS];
	struct reader {
		struct party *party;
		struct disruptor_consumer view;
		uint64_t got[PRODUCERS];
		uint64_t wrong;
		int64_t status;
	} reader[CONSUMERS];
};

static unsigned char byte_of(const struct head *h, size_t at)
{
	return (unsigned char)(h->number * 13 + h->from * 101 + at);
}

static int write_one(struct writer *w)
{
	uint32_t bytes = (uint32_t)random_in(&w->seed, sizeof(struct head), LONGEST);
	const struct head h = { .from = w->id, .bytes = bytes, .number = w->sent };
	uint32_t room = (uint32_t)random_in(&w->seed, bytes, LONGEST);
	unsigned char *to = disruptor_record_claim(&w->view, room);

	if (!to)
		return disruptor_producer_status(&w->view);
	if (next_random(&w->seed) % 8 == 0) {
		memset(to, 0xff, room);
		return disruptor_abort(&w->view);
	}
	memcpy(to, &h, sizeof(h));
	for (size_t i = sizeof(h); i < bytes; i++)
		to[i] = byte_of(&h, i);
	w->sent++;
	return disruptor_record_publish(&w->view, bytes);
}

static void write_records(void *argument)
{
	struct writer *w = argument;
	struct budget budget = budget_of(1000000, 600);

	disruptor_producer_handoff(&w->view);
	while (w->status == 0 && budget_take(&budget)) {
		w->status = write_one(w);
		progress_made(&w->party->progress);
	}
}

static void check(struct reader *r, const struct disruptor_record *record)
{
	const unsigned char *b = record->bytes;
	struct head h;

	if (record->size < sizeof(h)) {
		r->wrong++;
		return;
	}
	memcpy(&h, b, sizeof(h));
	if (h.from >= PRODUCERS || h.bytes != record->size || h.number != r->got[h.from]) {
		r->wrong++;
		return;
	}
	for (size_t i = sizeof(h); i < h.bytes; i++)
		r->wrong += b[i] != byte_of(&h, i);
	r->got[h.from]++;
}

static void read_records(void *argument)
{
	struct reader *r = argument;
	struct disruptor_record record;

	while ((r->status = disruptor_record_ready_until(&r->view, DISRUPTOR_FOREVER)) > 0) {
		while (disruptor_record_next(&r->view, &record) > 0)
			check(r, &record);
		(void)disruptor_record_release(&r->view);
		progress_made(&r->party->progress);
	}
}

static void party_open(struct party *p, struct disruptor_wait wait,
		       enum disruptor_producers producers)
{
	const struct disruptor_type *type = disruptor_record_type();
	struct disruptor_options o = fixture_options(CAPACITY);

	memset(p, 0, sizeof(*p));
	o.producers = producers;
	o.wait = wait;
	o.cell = CELL;
	assert_code(disruptor_ring_create(&p->ring, type, &o), 0);
	for (size_t i = 0; i < CONSUMERS; i++) {
		p->reader[i].party = p;
		assert_code(disruptor_consumer_open(&p->reader[i].view, p->ring, type, NULL), 0);
	}
	for (uint32_t i = 0; i < (producers == DISRUPTOR_MANY ? PRODUCERS : 1); i++) {
		struct writer *w = &p->writer[i];

		w->party = p;
		w->id = i;
		w->seed = fixture_seed(0x9e3779b97f4a7c15) + i;
		assert_code(disruptor_producer_open(&w->view, p->ring, type, NULL), 0);
	}
}

static void everything_arrives(struct disruptor_wait wait, enum disruptor_producers producers)
{
	size_t writers = producers == DISRUPTOR_MANY ? PRODUCERS : 1;
	struct party p;

	party_open(&p, wait, producers);
	for (size_t i = 0; i < CONSUMERS; i++)
		runner_start(&p.thread[PRODUCERS + i], "a consumer", read_records, &p.reader[i]);
	for (size_t i = 0; i < writers; i++)
		runner_start(&p.thread[i], "a producer", write_records, &p.writer[i]);
	join_with_progress(p.thread, writers, &p.progress);
	disruptor_ring_close(p.ring);
	join_with_progress(&p.thread[PRODUCERS], CONSUMERS, &p.progress);
	for (size_t i = 0; i < writers; i++) {
		assert_code(p.writer[i].status, 0);
		assert_true(p.writer[i].sent > 0);
		for (size_t c = 0; c < CONSUMERS; c++)
			assert_int_equal(p.reader[c].got[i], p.writer[i].sent);
		assert_code(disruptor_producer_close(&p.writer[i].view), 0);
	}
	for (size_t c = 0; c < CONSUMERS; c++) {
		assert_code(p.reader[c].status, DISRUPTOR_E_CLOSED);
		assert_int_equal(p.reader[c].wrong, 0);
		assert_code(disruptor_consumer_close(&p.reader[c].view), 0);
	}
	assert_code(disruptor_ring_destroy(&p.ring), 0);
}

TEST(records_of_one_producer_arrive_whole)
{
	everything_arrives(disruptor_wait_blocking(), DISRUPTOR_SINGLE);
}

TEST(records_of_many_producers_arrive_whole_when_all_sleep)
{
	everything_arrives(disruptor_wait_blocking(), DISRUPTOR_MANY);
}

TEST(records_of_many_producers_arrive_whole_when_all_yield)
{
	everything_arrives(disruptor_wait_yielding(), DISRUPTOR_MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(records_of_one_producer_arrive_whole),
		RUN(records_of_many_producers_arrive_whole_when_all_sleep),
		RUN(records_of_many_producers_arrive_whole_when_all_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
