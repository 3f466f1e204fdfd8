/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Lossy readers of events of several words, while producers overwrite them flat out. What a reader
 * gets is never torn: each word follows from the event's number, and the number from its position.
 * Positions only grow, and what was read, missed and void is together all there was.
 */
#include "stress.h"

#include <string.h>

#define READERS 3
#define PRODUCERS 2
#define CAPACITY 8
#define WORDS 9 /* more than a line, and a tail of half a word */

struct parcel {
	uint64_t number;
	uint64_t word[WORDS];
	uint32_t tail;
} __attribute__((packed));

static const struct disruptor_type parcel_type = { "parcel", sizeof(struct parcel), 1, NULL, 0, 0 };

struct yard {
	struct disruptor_ring *ring;
	struct progress progress;
	bool aborts;
	bool paused; /* producers rest now and then, so that readers sleep */
	struct sender {
		struct yard *yard;
		uint64_t voids, seed;
		uint64_t status;
	} sender[PRODUCERS];
	struct watcher {
		struct yard *yard;
		struct disruptor_reader view;
		uint64_t start, read, torn, disorder, gaps, last;
		int status;
		bool waits;
	} watcher[READERS];
};

static uint64_t mix(uint64_t number, uint64_t i)
{
	return (number + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (i << 56);
}

static void fill(struct parcel *p, uint64_t number)
{
	p->number = number;
	for (uint64_t i = 0; i < WORDS; i++)
		p->word[i] = mix(number, i);
	p->tail = (uint32_t)number;
}

static bool is_torn(const struct parcel *p)
{
	bool torn = p->tail != (uint32_t)p->number;

	for (uint64_t i = 0; i < WORDS; i++)
		torn |= p->word[i] != mix(p->number, i);
	return torn;
}

/* ---- threads ---- */

static void send_all(void *argument)
{
	struct sender *s = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 400);
	struct disruptor_producer p;

	s->status = (uint64_t)disruptor_producer_open(&p, s->yard->ring, &parcel_type, NULL);
	while (s->status == 0 && budget_take(&budget)) {
		uint64_t n = next_random(&s->seed) % 3 + 1;

		if (!disruptor_claim_n(&p, n)) {
			s->status = (uint64_t)disruptor_producer_status(&p);
			break;
		}
		if (s->yard->aborts && next_random(&s->seed) % 4 == 0) {
			(void)disruptor_abort_n(&p, 1);
			s->voids++;
			n--;
		}
		for (uint64_t i = 0; i < n; i++)
			fill(disruptor_claimed_at(&p, i), disruptor_producer_position(&p) + i);
		if (n)
			(void)disruptor_publish(&p);
		if (s->yard->paused)
			random_pause(&s->seed);
		progress_made(&s->yard->progress);
	}
	(void)disruptor_producer_close(&p);
}

static void watch(void *argument)
{
	struct watcher *w = argument;
	struct parcel p;

	for (;;) {
		w->status = w->waits ? disruptor_reader_next_until(&w->view, &p, DISRUPTOR_FOREVER)
				     : disruptor_reader_next(&w->view, &p);
		if (w->status < 0)
			break;
		if (w->status == 0)
			continue;
		w->torn += is_torn(&p);
		w->disorder += p.number + 1 != disruptor_reader_position(&w->view);
		w->disorder += w->read > 0 && p.number <= w->last;
		w->gaps += disruptor_reader_missed_before(&w->view);
		w->last = p.number;
		w->read++;
		progress_made(&w->yard->progress);
	}
}

/* The consumer that many producers need: it keeps up, so that they go as fast as they can. */
static void consume(void *argument)
{
	struct yard *y = argument;
	struct disruptor_consumer c;
	int64_t n;

	if (disruptor_consumer_open(&c, y->ring, &parcel_type, NULL) != 0)
		return;
	while ((n = disruptor_ready_until(&c, DISRUPTOR_FOREVER)) > 0)
		(void)disruptor_release(&c, (uint64_t)n);
	(void)disruptor_consumer_close(&c);
}

/* ---- the tests ---- */

static void open_watchers(struct yard *y)
{
	for (size_t i = 0; i < READERS; i++) {
		struct watcher *w = &y->watcher[i];

		w->yard = y;
		w->waits = i > 0 || y->paused;
		assert_code(disruptor_reader_open(&w->view, y->ring, &parcel_type, NULL), 0);
		w->start = disruptor_reader_position(&w->view);
	}
}

static void check_watchers(struct yard *y)
{
	uint64_t end = disruptor_ring_stats(y->ring).claimed;
	uint64_t voids = disruptor_ring_stats(y->ring).voids;

	for (size_t i = 0; i < READERS; i++) {
		struct watcher *w = &y->watcher[i];
		uint64_t missed = disruptor_reader_missed(&w->view);
		uint64_t passed = disruptor_reader_voids(&w->view);

		assert_code(w->status, DISRUPTOR_E_CLOSED);
		assert_true(w->read > 0);
		assert_int_equal(w->torn, 0);
		assert_int_equal(w->disorder, 0);
		assert_true(w->gaps <= missed); /* the last gap may have no event behind it */
		assert_true(passed <= voids);
		assert_int_equal(w->start + w->read + missed + passed, end);
		assert_code(disruptor_reader_close(&w->view), 0);
	}
}

static bool has_consumer(void *ring)
{
	return disruptor_ring_stats(ring).consumers == 1;
}

static void run(struct yard *y, size_t producers)
{
	struct runner sending[PRODUCERS], watching[READERS], consuming;

	open_watchers(y);
	if (producers > 1) {
		runner_start(&consuming, "the consumer", consume, y);
		await("a consumer", has_consumer, y->ring);
	}
	for (size_t i = 0; i < READERS; i++)
		runner_start(&watching[i], "a reader", watch, &y->watcher[i]);
	for (size_t i = 0; i < producers; i++) {
		y->sender[i].yard = y;
		y->sender[i].seed = fixture_seed(31) + i;
		runner_start(&sending[i], "a producer", send_all, &y->sender[i]);
	}
	join_with_progress(sending, producers, &y->progress);
	disruptor_ring_close(y->ring);
	join_with_progress(watching, READERS, &y->progress);
	if (producers > 1)
		runner_join(&consuming);
	for (size_t i = 0; i < producers; i++)
		assert_code((int)y->sender[i].status, 0);
	check_watchers(y);
}

static void race(int layout, size_t producers, bool aborts, bool paused)
{
	struct disruptor_options o = fixture_options(CAPACITY);
	struct yard y;

	memset(&y, 0, sizeof(y));
	y.aborts = aborts;
	y.paused = paused;
	o.layout = (enum disruptor_layout)layout;
	o.flags = DISRUPTOR_LOSSY;
	if (producers > 1)
		o.producers = DISRUPTOR_MANY;
	else
		o.flags |= DISRUPTOR_FREE_RUN;
	assert_code(disruptor_ring_create(&y.ring, &parcel_type, &o), 0);
	run(&y, producers);
	ring_close(&y.ring);
}

TEST(a_free_running_producer_is_never_read_torn)
{
	race(DISRUPTOR_STAMPED, 1, false, false);
}

TEST(a_packed_producer_is_never_read_torn)
{
	race(DISRUPTOR_PACKED, 1, false, false);
}

TEST(voids_are_accounted_for)
{
	race(DISRUPTOR_STAMPED, 1, true, false);
}

TEST(many_producers_are_never_read_torn)
{
	race(DISRUPTOR_STAMPED, PRODUCERS, true, false);
}

/* Slow producers: the readers sleep and are woken. */
TEST(readers_that_sleep_are_woken)
{
	race(DISRUPTOR_STAMPED, 1, true, true);
	race(DISRUPTOR_STAMPED, PRODUCERS, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_free_running_producer_is_never_read_torn),
		RUN(a_packed_producer_is_never_read_torn),
		RUN(voids_are_accounted_for),
		RUN(many_producers_are_never_read_torn),
		RUN(readers_that_sleep_are_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
