/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A process that writes records to a ring that others share dies at every named instant: what it has
 * published is there, each record whole or not at all, and others go on. Linux.
 */
#define _GNU_SOURCE
#include "hook.h" /* first: the inline functions have hooks, too */

#include "shared.h"

#include <disruptor/record.h>
#include <disruptor/segment.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 16
#define CELL 64
#define MAX_DEATHS 2000

/* What the doomed process has done. */
static struct told {
	uint64_t begun, done; /* records whose publish has begun, has ended */
	uint64_t hooks;
	int failed; /* line */
} * told;

static uint64_t lives; /* hooks */

static void die(enum hook_point point, void *context)
{
	(void)point, (void)context;
	if (++told->hooks == lives)
		(void)kill(getpid(), SIGKILL);
}

static struct disruptor_segment *get(unsigned flags, enum disruptor_producers producers)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory,
						     .flags = flags };
	struct disruptor_options ring = fixture_options(CAPACITY);
	struct disruptor_segment *s = NULL;

	ring.producers = producers;
	ring.cell = CELL;
	if (ring.rung == DISRUPTOR_RUNG_MUTEX)
		ring.rung = DISRUPTOR_RUNG_AUTO;
	return disruptor_segment_open(&s, "ring", disruptor_record_type(), flags ? &ring : NULL,
				      &o) == 0
		       ? s
		       : NULL;
}

/* Records of 0 to 5 cells, each filled with its number. */
static size_t length_of(uint64_t number)
{
	return (size_t)(number * 101 % (5 * CELL + 1));
}

static void write_record(struct disruptor_producer *p, uint64_t number, size_t room)
{
	void *to = disruptor_record_claim(p, room);

	if (!to) {
		told->failed = __LINE__;
		_exit(1);
	}
	memset(to, (int)number + 1, length_of(number));
	told->begun = number + 1;
	if (disruptor_record_publish(p, length_of(number)) != 0)
		told->failed = __LINE__;
	told->done = number + 1;
}

static void write_records(struct disruptor_segment *s)
{
	struct disruptor_producer p;

	if (disruptor_producer_open(&p, disruptor_segment_ring(s), disruptor_record_type(), NULL) !=
	    0)
		told->failed = __LINE__;
	for (uint64_t i = 0; i < 4; i++)
		write_record(&p, i, i % 2 ? length_of(i) : length_of(i) + CELL);
	(void)disruptor_producer_close(&p);
}

/* Whether it died, at its n-th hook. */
static bool run(uint64_t n)
{
	pid_t child;
	int status;

	*told = (struct told){ 0 };
	child = fork();
	if (child == 0) {
		struct disruptor_segment *s = get(0, DISRUPTOR_SINGLE);

		alarm(60);
		if (!s) {
			fprintf(stderr, "%s\n", disruptor_error_detail());
			_exit(1);
		}
		lives = n;
		hook_function = die;
		write_records(s);
		hook_function = NULL;
		_exit(disruptor_segment_close(&s) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(told->failed, 0);
	if (WIFSIGNALED(status))
		return true;
	assert_int_equal(status, 0);
	return false;
}

/* What the dead has published: whole, in order, all that had ended; released as it is read. */
static void read_of_the_dead(struct disruptor_consumer *c)
{
	struct disruptor_record r;
	uint64_t next = 0;

	while (disruptor_record_ready(c) > 0) {
		while (disruptor_record_next(c, &r) > 0) {
			const unsigned char *b = r.bytes;

			assert_true(next < told->begun);
			assert_int_equal(r.size, length_of(next));
			for (size_t i = 0; i < r.size; i++)
				assert_int_equal(b[i], next + 1);
			next++;
		}
		assert_code(disruptor_record_release(c), 0);
	}
	assert_true(next >= told->done);
}

static bool one_death(enum disruptor_producers producers, uint64_t n)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory };
	struct disruptor_segment *s;
	struct disruptor_consumer c;
	struct disruptor_producer p;
	struct disruptor_ring *r;
	struct disruptor_record record;
	bool died;

	(void)disruptor_segment_remove("ring", &o); /* of a test that failed */
	s = get(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW, producers);
	assert_non_null(s);
	r = disruptor_segment_ring(s);
	assert_code(disruptor_consumer_open(&c, r, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_producer_open(&p, r, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_record_publish_copy(&p, "so that what follows goes round", 10), 0);
	assert_true(disruptor_record_ready(&c) > 0);
	assert_int_equal(disruptor_record_next(&c, &record), 1);
	assert_code(disruptor_record_release(&c), 0);
	assert_code(disruptor_producer_close(&p), 0);
	died = run(n);
	disruptor_segment_tend(s);
	read_of_the_dead(&c);
	assert_int_equal(disruptor_ring_stats(r).open_producers, 0);
	assert_code(disruptor_producer_open(&p, r, disruptor_record_type(), NULL), 0);
	for (int i = 0; i < 2 * CAPACITY; i++) {
		assert_code(disruptor_record_publish_copy(&p, &i, sizeof(i)), 0);
		assert_true(disruptor_record_ready(&c) > 0);
		assert_int_equal(disruptor_record_next(&c, &record), 1);
		assert_int_equal(record.size, sizeof(i));
		assert_memory_equal(record.bytes, &i, sizeof(i));
		assert_code(disruptor_record_release(&c), 0);
	}
	assert_code(disruptor_producer_close(&p), 0);
	assert_code(disruptor_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
	return died;
}

static void deaths(enum disruptor_producers producers)
{
	uint64_t n = 1;

	while (one_death(producers, n))
		assert_true(n++ < MAX_DEATHS);
	assert_true(n > 25);
}

TEST(its_only_writer_dies_at_any_instant)
{
	deaths(DISRUPTOR_SINGLE);
}

TEST(one_of_its_writers_dies_at_any_instant)
{
	deaths(DISRUPTOR_MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(its_only_writer_dies_at_any_instant),
		RUN(one_of_its_writers_dies_at_any_instant),
	};

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!shared_there_are_on_this_rung())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
