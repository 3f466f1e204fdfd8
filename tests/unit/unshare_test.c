/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A consumer that is alone writes to each line again, what stands there, before it releases it: the lines
 * are then its own. That nothing changes by it is seen in all tests; that it is done, and by whom, here: a
 * page of the slots is closed to writing, and a signal tells of the first that writes there.
 */
#define _DEFAULT_SOURCE
#include "fixture.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAPACITY = 4096, LINE = 64 };

/* For the handler. */
static unsigned char *volatile page;
static unsigned char *volatile written; /* where, first; NULL: nowhere */
static volatile size_t page_size;

static void on_write(int number, siginfo_t *info, void *context)
{
	unsigned char *at = info->si_addr;

	(void)context;
	if (at < page || at >= page + page_size || written) {
		signal(number, SIG_DFL); /* not ours: it comes again, and ends the program */
		return;
	}
	written = at;
	(void)mprotect(page, page_size, PROT_READ | PROT_WRITE);
}

struct watched {
	struct fixture f;
	struct sigaction segv, bus;
	uint64_t first; /* position of the page's first slot, in the first lap */
};

static void open_watched_for(struct watched *w, enum disruptor_layout layout, unsigned consumers,
			     uint32_t max_consumers)
{
	struct sigaction action = { .sa_sigaction = on_write, .sa_flags = SA_SIGINFO };
	struct disruptor_options options = fixture_options(CAPACITY);
	unsigned char *slots;

	options.layout = layout;
	options.max_consumers = max_consumers;
	fixture_open_with(&w->f, &options, consumers);
	sigaction(SIGSEGV, &action, &w->segv);
	sigaction(SIGBUS, &action, &w->bus);
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	slots = w->f.consumer[0].view.slots;
	page = slots + page_size - (uintptr_t)slots % page_size;
	w->first = (uint64_t)(page - slots) / w->f.consumer[0].view.stride;
}

static void open_watched(struct watched *w, enum disruptor_layout layout, unsigned consumers)
{
	open_watched_for(w, layout, consumers, 0);
}

static void close_watched(struct watched *w)
{
	sigaction(SIGSEGV, &w->segv, NULL);
	sigaction(SIGBUS, &w->bus, NULL);
	fixture_close(&w->f);
}

/* Where a release of @p n events writes first in the page; NULL: nowhere. */
static unsigned char *release_watched(struct watched *w, unsigned consumer, uint64_t n)
{
	written = NULL;
	assert_code(mprotect(page, page_size, PROT_READ), 0);
	assert_code(tick_release(&w->f.consumer[consumer], n), 0);
	assert_code(mprotect(page, page_size, PROT_READ | PROT_WRITE), 0);
	return written;
}

/* Slots of a line. */
static uint64_t in_a_line(const struct watched *w)
{
	return LINE / w->f.consumer[0].view.stride;
}

TEST(who_is_alone_writes_the_last_stamp_of_each_line_again)
{
	struct watched w;
	uint64_t stamps[CAPACITY], n;

	open_watched(&w, DISRUPTOR_STAMPED, 1);
	publish_ticks(&w.f.producer, CAPACITY);
	while (disruptor_consumer_position(&w.f.consumer[0].view) + tick_ready(&w.f.consumer[0]) <=
	       w.first)
		read_ticks(&w.f.consumer[0], tick_ready(&w.f.consumer[0]));
	for (uint64_t i = 0; i < CAPACITY; i++)
		memcpy(&stamps[i], w.f.consumer[0].view.slots + i * w.f.consumer[0].view.stride,
		       sizeof(stamps[i]));
	n = tick_ready(&w.f.consumer[0]);
	assert_ptr_equal(release_watched(&w, 0, n),
			 page + (in_a_line(&w) - 1) * w.f.consumer[0].view.stride);
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_memory_equal(w.f.consumer[0].view.slots + i * w.f.consumer[0].view.stride,
				    &stamps[i], sizeof(stamps[i]));
	close_watched(&w);
}

TEST(nothing_is_lost_by_it_lap_after_lap)
{
	struct watched w;

	open_watched(&w, DISRUPTOR_STAMPED, 1);
	for (uint64_t k = 1; k < 200; k++) {
		publish_ticks(&w.f.producer, k * 7);
		read_ticks(&w.f.consumer[0], k * 7);
	}
	close_watched(&w);
}

TEST(a_line_with_slots_that_stay_is_left_alone)
{
	struct watched w;
	uint64_t line;

	open_watched(&w, DISRUPTOR_STAMPED, 1);
	line = in_a_line(&w);
	assert_true(line > 1);
	publish_ticks(&w.f.producer, w.first + line + 1);
	read_ticks(&w.f.consumer[0], w.first - 1);
	assert_int_equal(tick_ready(&w.f.consumer[0]), line + 2);
	assert_null(release_watched(&w, 0, line));
	assert_non_null(release_watched(&w, 0, 2));
	close_watched(&w);
}

TEST(events_that_are_released_one_by_one_are_left_alone)
{
	struct watched w;

	open_watched(&w, DISRUPTOR_STAMPED, 1);
	publish_ticks(&w.f.producer, w.first + 2 * in_a_line(&w));
	read_ticks(&w.f.consumer[0], w.first);
	for (uint64_t i = 0; i < 2 * in_a_line(&w); i++) {
		assert_true(tick_ready(&w.f.consumer[0]) != 0);
		assert_null(release_watched(&w, 0, 1));
	}
	close_watched(&w);
}

TEST(of_several_consumers_none_does_it_nor_one_when_another_has_come)
{
	struct watched w;
	uint64_t n;

	open_watched(&w, DISRUPTOR_STAMPED, 2);
	n = w.first + 2 * in_a_line(&w);
	publish_ticks(&w.f.producer, n);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(tick_ready(&w.f.consumer[i]), n);
		assert_null(release_watched(&w, i, n));
	}
	close_watched(&w);

	open_watched(&w, DISRUPTOR_STAMPED, 1);
	publish_ticks(&w.f.producer, n);
	assert_int_equal(tick_ready(&w.f.consumer[0]), n);
	assert_non_null(release_watched(&w, 0, n));
	assert_code(tick_consumer_open(&w.f.consumer[1], w.f.ring, NULL), 0);
	w.f.consumers = 2;
	/* on to the same place, a lap later */
	for (uint64_t left = CAPACITY - n; left != 0;) {
		uint64_t part = left < n ? left : n;

		publish_ticks(&w.f.producer, part);
		read_ticks(&w.f.consumer[0], part);
		read_ticks(&w.f.consumer[1], part);
		left -= part;
	}
	publish_ticks(&w.f.producer, n);
	assert_int_equal(tick_ready(&w.f.consumer[0]), n);
	assert_null(release_watched(&w, 0, n));
	close_watched(&w);
}

/* Slots of the page, without what a line at its end shares with the next page's. */
static uint64_t up_to(const struct watched *w, uint64_t bytes)
{
	return w->first + bytes / w->f.consumer[0].view.stride;
}

TEST(of_a_packed_ring_it_is_a_word_of_each_whole_line)
{
	struct watched w;
	uint64_t stride, before, after;

	open_watched_for(&w, DISRUPTOR_PACKED, 1, 1);
	stride = w.f.consumer[0].view.stride;
	assert_int_equal(page_size % stride, 0);
	publish_ticks(&w.f.producer, CAPACITY);
	/* two lines less a slot, from the middle of the first */
	read_ticks(&w.f.consumer[0], w.first + 1);
	assert_true(tick_ready(&w.f.consumer[0]) >= 2 * LINE / stride);
	before = 2 * LINE / stride - 2;
	assert_null(release_watched(&w, 0, before));
	/* the rest of the second, the third, and a slot of the fourth */
	after = LINE / stride + 2;
	assert_true(tick_ready(&w.f.consumer[0]) >= after);
	assert_ptr_equal(release_watched(&w, 0, after), page + 2 * (ptrdiff_t)LINE);
	close_watched(&w);
}

TEST(of_a_packed_ring_the_lines_behind_its_end_are_written_too)
{
	struct watched w;
	uint64_t left;

	open_watched_for(&w, DISRUPTOR_PACKED, 1, 1);
	for (left = CAPACITY - 8; left > 0; left -= left < 512 ? left : 512) {
		publish_ticks(&w.f.producer, left < 512 ? left : 512);
		read_ticks(&w.f.consumer[0], left < 512 ? left : 512);
	}
	left = 8 + up_to(&w, page_size);
	publish_ticks(&w.f.producer, left);
	assert_int_equal(tick_ready(&w.f.consumer[0]), left);
	assert_ptr_equal(release_watched(&w, 0, left), page);
	close_watched(&w);
}

/* He might write to events, and what he wrote meanwhile would be lost. */
TEST(events_are_not_written_to_where_another_consumer_may_come)
{
	struct watched w;
	uint64_t n;

	open_watched(&w, DISRUPTOR_PACKED, 1);
	publish_ticks(&w.f.producer, CAPACITY);
	while ((n = tick_ready(&w.f.consumer[0])) != 0)
		assert_null(release_watched(&w, 0, n));
	close_watched(&w);
}

/* Events of three pages: there is one that has no stamp. Where a release writes in it first. */
static void release_large(uint32_t max_consumers, bool expected)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE) * 3;
	struct disruptor_type type = bytes_type((uint32_t)bytes, 8);
	struct disruptor_options options = fixture_options(8);
	struct disruptor_consumer_options all = { .size = sizeof(all), .batch = 8 };
	struct sigaction action = { .sa_sigaction = on_write, .sa_flags = SA_SIGINFO }, segv, bus;
	struct disruptor_producer producer;
	struct disruptor_consumer consumer;
	struct disruptor_ring *ring;
	unsigned char *event;

	options.max_consumers = max_consumers;
	assert_code(disruptor_ring_create(&ring, &type, &options), 0);
	assert_code(disruptor_producer_open(&producer, ring, &type, NULL), 0);
	assert_code(disruptor_consumer_open(&consumer, ring, &type, &all), 0);
	for (int i = 0; i < 3; i++) {
		event = disruptor_claim(&producer);
		assert_non_null(event);
		for (size_t k = 0; k < bytes; k++)
			event[k] = (unsigned char)(k * 7 + (size_t)i);
		assert_code(disruptor_publish(&producer), 0);
	}
	assert_int_equal(disruptor_ready(&consumer), 3);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	event = (unsigned char *)(uintptr_t)disruptor_at(&consumer, 1);
	page_size = bytes / 3;
	page = event + page_size - (uintptr_t)event % page_size;
	written = NULL;
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	assert_code(mprotect(page, page_size, PROT_READ), 0);
	assert_code(disruptor_release(&consumer, 3), 0);
	assert_code(mprotect(page, page_size, PROT_READ | PROT_WRITE), 0);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	assert_ptr_equal(written, expected ? page : NULL);
	if (!DISRUPTOR_ASAN) /* what is released is nobody's to read */
		for (size_t k = 0; k < bytes; k++)
			assert_int_equal(event[k], (unsigned char)(k * 7 + 1));
	assert_code(disruptor_producer_close(&producer), 0);
	assert_code(disruptor_consumer_close(&consumer), 0);
	assert_code(disruptor_ring_destroy(&ring), 0);
}

TEST(of_a_large_event_each_line_is_written_again)
{
	release_large(1, true);
}

TEST(of_a_large_event_the_stamp_only_where_another_consumer_may_come)
{
	release_large(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_alone_writes_the_last_stamp_of_each_line_again),
		cmocka_unit_test(nothing_is_lost_by_it_lap_after_lap),
		cmocka_unit_test(a_line_with_slots_that_stay_is_left_alone),
		cmocka_unit_test(events_that_are_released_one_by_one_are_left_alone),
		cmocka_unit_test(of_several_consumers_none_does_it_nor_one_when_another_has_come),
		cmocka_unit_test(of_a_packed_ring_it_is_a_word_of_each_whole_line),
		cmocka_unit_test(of_a_packed_ring_the_lines_behind_its_end_are_written_too),
		cmocka_unit_test(events_are_not_written_to_where_another_consumer_may_come),
		cmocka_unit_test(of_a_large_event_each_line_is_written_again),
		cmocka_unit_test(of_a_large_event_the_stamp_only_where_another_consumer_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
