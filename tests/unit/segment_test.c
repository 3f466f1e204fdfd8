/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Rings that processes share: made, found, refused; and events from one process to another. Linux. */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/segment.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS 50000

static struct disruptor_segment *make(uint64_t capacity, enum disruptor_producers producers)
{
	const struct disruptor_segment_options o =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW);
	const struct disruptor_options ring = shared_options(capacity, producers);
	struct disruptor_segment *s;

	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o), 0);
	return s;
}

static struct disruptor_segment *find(void)
{
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *s;

	return disruptor_segment_open(&s, "ring", &tick_type, NULL, &o) == 0 ? s : NULL;
}

static void finish(struct disruptor_segment **s)
{
	const struct disruptor_segment_options o = shared_where(0);

	assert_code(disruptor_segment_close(s), 0);
	assert_null(*s);
	assert_code(disruptor_segment_remove("ring", &o), 0);
}

/* ---- other processes: what they find is their exit status, 0 for well ---- */

static pid_t start(int (*run)(struct disruptor_segment *s, uint64_t argument), uint64_t argument)
{
	pid_t child = fork();

	if (child == 0) {
		struct disruptor_segment *s = find();

		if (!s)
			_exit(100);
		_exit(run(s, argument));
	}
	assert_true(child > 0);
	return child;
}

static void expect_well(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int produce(struct disruptor_segment *s, uint64_t from)
{
	struct tick_producer p;

	if (tick_producer_open(&p, disruptor_segment_ring(s), NULL) != 0)
		return 1;
	for (uint64_t i = 0; i < EVENTS; i++) {
		struct tick *t = tick_claim(&p);

		if (!t)
			return 2;
		*t = (struct tick){ .value = i, .from = from };
		if (tick_publish(&p) != 0)
			return 3;
	}
	return tick_producer_close(&p) == 0 && disruptor_segment_close(&s) == 0 ? 0 : 4;
}

/* All events of @p producers, each producer's in order. 0 if so. */
static int consume(struct tick_consumer *c, uint64_t producers)
{
	uint64_t next[4] = { 0 }, left = producers * EVENTS;

	while (left != 0) {
		int64_t n = tick_ready_until(c, disruptor_in(UINT64_C(1000000) * WATCHDOG_MS));

		if (n <= 0)
			return 10;
		for (int64_t i = 0; i < n; i++) {
			const struct tick *t = tick_at(c, (uint64_t)i);

			if (t->from >= producers || t->value != next[t->from]++)
				return 11;
		}
		left -= (uint64_t)n;
		(void)tick_release(c, (uint64_t)n);
	}
	return 0;
}

static int consume_all(struct disruptor_segment *s, uint64_t producers)
{
	struct tick_consumer c;
	int rc;

	if (tick_consumer_open(&c, disruptor_segment_ring(s), NULL) != 0)
		return 1;
	rc = consume(&c, producers);
	if (rc != 0)
		return rc;
	return tick_consumer_close(&c) == 0 && disruptor_segment_close(&s) == 0 ? 0 : 2;
}

/* ---- events from process to process ---- */

static void from_process_to_process(uint64_t capacity, enum disruptor_producers kind,
				    uint64_t producers)
{
	struct disruptor_segment *s = make(capacity, kind);
	struct tick_consumer c;
	pid_t child[4];

	assert_code(tick_consumer_open(&c, disruptor_segment_ring(s), NULL), 0);
	for (uint64_t i = 0; i < producers; i++)
		child[i] = start(produce, i);
	assert_int_equal(consume(&c, producers), 0);
	for (uint64_t i = 0; i < producers; i++)
		expect_well(child[i]);
	assert_int_equal(disruptor_ring_stats(disruptor_segment_ring(s)).open_producers, 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

TEST(one_process_is_read_by_another)
{
	from_process_to_process(1, DISRUPTOR_SINGLE, 1);
	from_process_to_process(1024, DISRUPTOR_SINGLE, 1);
}

TEST(several_processes_are_read_by_one)
{
	from_process_to_process(2, DISRUPTOR_MANY, 3);
	from_process_to_process(1024, DISRUPTOR_MANY, 3);
}

TEST(several_processes_each_read_all)
{
	struct disruptor_segment *s = make(64, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	pid_t child[3];

	for (size_t i = 0; i < 3; i++)
		child[i] = start(consume_all, 1);
	while (disruptor_ring_stats(r).consumers < 3)
		pause_ms(1);
	assert_int_equal(produce(s, 0), 0); /* closes the segment, too */
	for (size_t i = 0; i < 3; i++)
		expect_well(child[i]);
	s = find();
	assert_non_null(s);
	assert_int_equal(disruptor_ring_stats(disruptor_segment_ring(s)).claimed, EVENTS);
	finish(&s);
}

static int read_until_closed(struct disruptor_segment *s, uint64_t events)
{
	struct tick_consumer c;
	uint64_t seen = 0;
	int64_t n;

	if (tick_consumer_open(&c, disruptor_segment_ring(s), NULL) != 0)
		return 1;
	while ((n = tick_ready_until(&c, disruptor_in(UINT64_C(1000000) * WATCHDOG_MS))) > 0) {
		seen += (uint64_t)n;
		(void)tick_release(&c, (uint64_t)n);
	}
	return n == DISRUPTOR_E_CLOSED && seen == events ? 0 : 2;
}

TEST(a_close_ends_readers_of_other_processes_behind_the_last_event)
{
	struct disruptor_segment *s = make(16, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	pid_t child = start(read_until_closed, 5);
	struct tick_producer p;

	while (disruptor_ring_stats(r).consumers < 1)
		pause_ms(1);
	assert_code(tick_producer_open(&p, r, NULL), 0);
	publish_ticks(&p, 5);
	pause_ms(20); /* most likely it sleeps: then it is woken */
	disruptor_ring_close(r);
	expect_well(child);
	assert_code(tick_producer_close(&p), 0);
	finish(&s);
}

/* ---- finding and making ---- */

TEST(who_comes_first_makes_it_and_the_others_find_it)
{
	const struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_CREATE);
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	const struct disruptor_options other = shared_options(64, DISRUPTOR_MANY);
	struct disruptor_segment *first, *second;
	struct tick_consumer c;
	struct tick_producer p;

	assert_code(disruptor_segment_open(&first, "ring", &tick_type, &ring, &o), 0);
	assert_code(disruptor_segment_open(&second, "ring", &tick_type, &other, &o), 0);
	assert_int_equal(disruptor_ring_info(disruptor_segment_ring(second)).capacity, 8);
	/* one process may have it twice, and talk to itself */
	assert_code(tick_consumer_open(&c, disruptor_segment_ring(second), NULL), 0);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(first), NULL), 0);
	publish_ticks(&p, 8);
	assert_null(tick_try_claim(&p));
	read_ticks(&c, 8);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&second), 0);
	finish(&first);
}

TEST(a_producer_s_place_is_taken_in_all_processes)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE), *again = find();
	struct tick_producer p, q;

	assert_non_null(again);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	assert_code(tick_producer_open(&q, disruptor_segment_ring(again), NULL), DISRUPTOR_E_BUSY);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_producer_open(&q, disruptor_segment_ring(again), NULL), 0);
	assert_code(tick_producer_close(&q), 0);
	assert_code(disruptor_segment_close(&again), 0);
	finish(&s);
}

TEST(what_is_not_there_or_there_already_is_refused)
{
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *s, *other = (struct disruptor_segment *)1;

	assert_code(disruptor_segment_open(&other, "ring", &tick_type, &ring, &o),
		    DISRUPTOR_E_NOT_FOUND);
	assert_null(other);
	s = make(8, DISRUPTOR_SINGLE);
	o.flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW;
	assert_code(disruptor_segment_open(&other, "ring", &tick_type, &ring, &o),
		    DISRUPTOR_E_EXISTS);
	assert_null(other);
	finish(&s);
	assert_code(disruptor_segment_remove("ring", &o), DISRUPTOR_E_NOT_FOUND);
}

struct pair {
	int32_t left, right;
};

DISRUPTOR_EVENT(pair, struct pair,
	DISRUPTOR_I32(struct pair, left),
	DISRUPTOR_I32(struct pair, right));

TEST(another_type_of_event_is_refused_by_name)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE), *other;
	const struct disruptor_segment_options o = shared_where(0);

	assert_code(disruptor_segment_open(&other, "ring", &pair_type, NULL, &o), DISRUPTOR_E_TYPE);
	assert_detail("'tick'");
	assert_detail("'pair'");
	finish(&s);
}

TEST(who_serves_any_segment_takes_the_type_that_it_tells)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE), *other;
	const struct disruptor_segment_options o = shared_where(0),
					       c = shared_where(DISRUPTOR_SEGMENT_CREATE);
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	const struct disruptor_type *type;
	struct disruptor_consumer reader;
	struct tick_producer p;

	assert_code(disruptor_segment_open(&other, "ring", NULL, NULL, &o), 0);
	type = disruptor_ring_info(disruptor_segment_ring(other)).type;
	assert_true(disruptor_type_equal(type, &tick_type));
	assert_code(disruptor_consumer_open(&reader, disruptor_segment_ring(other), type, NULL), 0);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	publish_ticks(&p, 1);
	assert_int_equal(disruptor_ready(&reader), 1);
	assert_int_equal(((struct tick *)disruptor_at(&reader, 0))->value, 0);
	assert_code(disruptor_consumer_close(&reader), 0);
	assert_code(tick_producer_close(&p), 0);
	assert_code(disruptor_segment_close(&other), 0);
	/* but nothing is made of no type */
	assert_code(disruptor_segment_open(&other, "new", NULL, &ring, &c), DISRUPTOR_E_INVAL);
	assert_detail("type");
	assert_code(disruptor_segment_make(&other, NULL, &ring, NULL), DISRUPTOR_E_INVAL);
	finish(&s);
}

static int note_name(void *context, const char *name)
{
	struct {
		unsigned count;
		char last[16];
	} *seen = context;

	seen->count++;
	(void)snprintf(seen->last, sizeof(seen->last), "%s", name);
	return 0;
}

static int stop_there(void *context, const char *name)
{
	(void)context, (void)name;
	return -77;
}

TEST(segments_are_listed)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE);
	struct disruptor_segment_options o = shared_where(0);
	struct {
		unsigned count;
		char last[16];
	} seen = { 0 };

	assert_code(disruptor_segment_each(&o, note_name, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.last, "ring");
	assert_int_equal(disruptor_segment_each(&o, stop_there, NULL), -77);
	assert_code(disruptor_segment_each(&o, NULL, NULL), DISRUPTOR_E_INVAL);
	finish(&s);
	assert_code(disruptor_segment_each(&o, stop_there, NULL), 0);
	o.directory = "/nowhere/at/all";
	assert_code(disruptor_segment_each(&o, stop_there, NULL), DISRUPTOR_E_NOT_FOUND);
}

TEST(one_that_nobody_has_is_removed_and_no_other)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE);
	const struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_UNUSED);
	char path[128];
	FILE *file;

	assert_code(disruptor_segment_remove("ring", &o), DISRUPTOR_E_BUSY);
	assert_code(disruptor_segment_close(&s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
	assert_code(disruptor_segment_remove("ring", &o), DISRUPTOR_E_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/ring", shared_directory);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("no segment", file);
	fclose(file);
	assert_code(disruptor_segment_remove("ring", &o), DISRUPTOR_E_FORMAT);
	assert_int_equal(unlink(path), 0);
}

/* Come and go until told to stop; 0 if what was had was what the name led to, each time. */
static int come_and_go(const atomic_bool *stop)
{
	const struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_CREATE);
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_MANY);
	struct disruptor_segment *s;
	char path[128];
	struct stat ours, there;

	(void)snprintf(path, sizeof(path), "%s/ring", shared_directory);
	while (!atomic_load(stop)) {
		if (disruptor_segment_open(&s, "ring", &tick_type, &ring, &o) != 0)
			return 1;
		/* as long as we have it, nobody has removed it */
		if (fstat(disruptor_segment_fd(s), &ours) != 0 || stat(path, &there) != 0 ||
		    ours.st_ino != there.st_ino)
			return 2;
		if (disruptor_segment_close(&s) != 0)
			return 3;
	}
	return 0;
}

TEST(who_opens_one_as_it_is_removed_has_it_or_does_not_find_it)
{
	const struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_UNUSED);
	atomic_bool *stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned removed = 0;
	bool ended = false;
	pid_t child[2];

	assert_true(stop != MAP_FAILED);
	for (size_t i = 0; i < COUNT(child); i++) {
		child[i] = fork();
		if (child[i] == 0) {
			alarm(60);
			_exit(come_and_go(stop));
		}
		assert_true(child[i] > 0);
	}
	while (removed < 50 && !ended) {
		siginfo_t info = { 0 };

		removed += disruptor_segment_remove("ring", &o) == 0;
		assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
		ended = info.si_pid != 0;
	}
	atomic_store(stop, true);
	for (size_t i = 0; i < COUNT(child); i++)
		expect_well(child[i]);
	assert_int_equal(removed, 50);
	(void)disruptor_segment_remove("ring", &o);
	assert_int_equal(munmap(stop, sizeof(*stop)), 0);
}

TEST(what_one_process_alone_has_is_refused)
{
	const struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_CREATE);
	struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;
	char memory[64];

	ring.memory = memory;
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o), DISRUPTOR_E_INVAL);
	assert_detail("memory");
	ring.memory = NULL;
	ring.rung = DISRUPTOR_RUNG_MUTEX;
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o),
		    DISRUPTOR_E_UNSUPPORTED);
	assert_detail("rung");
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, NULL, &o), DISRUPTOR_E_INVAL);
	assert_detail("ring: NULL");
}

TEST(it_is_left_when_its_views_are_closed)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct tick_consumer c;

	assert_code(tick_consumer_open(&c, r, NULL), 0);
	assert_code(disruptor_segment_close(&s), DISRUPTOR_E_BUSY);
	assert_detail("consumer");
	assert_non_null(s);
	assert_code(disruptor_ring_destroy(&r), DISRUPTOR_E_STATE);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

TEST(as_many_processes_as_it_has_places_for)
{
	struct disruptor_segment_options o =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW);
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	struct disruptor_segment *a, *b, *c;

	o.participants = 2;
	assert_code(disruptor_segment_open(&a, "ring", &tick_type, &ring, &o), 0);
	o.flags = 0;
	assert_code(disruptor_segment_open(&b, "ring", &tick_type, NULL, &o), 0);
	assert_code(disruptor_segment_open(&c, "ring", &tick_type, NULL, &o), DISRUPTOR_E_BUSY);
	assert_detail("2 processes");
	assert_code(disruptor_segment_close(&b), 0);
	assert_code(disruptor_segment_open(&c, "ring", &tick_type, NULL, &o), 0);
	assert_code(disruptor_segment_close(&c), 0);
	finish(&a);
}

/* ---- without a name ---- */

TEST(one_without_a_name_is_passed_on)
{
	const struct disruptor_options ring = shared_options(64, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;
	struct tick_consumer c;
	pid_t child;
	int fd;

	assert_code(disruptor_segment_make(&s, &tick_type, &ring, NULL), 0);
	fd = disruptor_segment_fd(s);
	assert_code(tick_consumer_open(&c, disruptor_segment_ring(s), NULL), 0);
	child = fork();
	if (child == 0) {
		struct disruptor_segment *theirs;

		if (disruptor_segment_adopt(&theirs, fd, &tick_type, NULL) != 0)
			_exit(100);
		_exit(produce(theirs, 0));
	}
	assert_true(child > 0);
	assert_int_equal(consume(&c, 1), 0);
	expect_well(child);
	assert_code(tick_consumer_close(&c), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

/* ---- names that go with the last who has them ---- */

static struct disruptor_segment *open_temporary(void)
{
	const struct disruptor_segment_options o =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY);
	const struct disruptor_options ring = shared_options(8, DISRUPTOR_MANY);
	struct disruptor_segment *s;

	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o), 0);
	return s;
}

TEST(a_temporary_name_goes_with_the_last_who_has_it)
{
	struct disruptor_segment *first = open_temporary(), *second = open_temporary(), *found;

	assert_code(disruptor_segment_close(&first), 0);
	found = find();
	assert_non_null(found);
	assert_code(disruptor_segment_close(&second), 0);
	second = find();
	assert_non_null(second);
	assert_code(disruptor_segment_close(&second), 0);
	assert_code(disruptor_segment_close(&found), 0); /* whoever is the last */
	assert_null(find());
	found = make(8, DISRUPTOR_SINGLE);
	first = open_temporary(); /* it was not made so */
	assert_code(disruptor_segment_close(&found), 0);
	assert_code(disruptor_segment_close(&first), 0);
	found = find();
	finish(&found);
}

TEST(a_temporary_name_is_not_taken_from_another)
{
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *first = open_temporary(), *other;

	assert_code(disruptor_segment_remove("ring", &o), 0);
	other = make(8, DISRUPTOR_SINGLE);
	assert_code(disruptor_segment_close(&first), 0);
	finish(&other); /* which removes it */
}

static int die_as_a_required_consumer(struct disruptor_segment *s, uint64_t unused)
{
	const struct disruptor_consumer_options o = { .size = sizeof(o), .name = "kept" };
	struct tick_consumer c;

	(void)unused;
	_exit(tick_consumer_open(&c, disruptor_segment_ring(s), &o) == 0 ? 0 : 1);
}

TEST(a_temporary_name_stays_for_a_required_consumer_that_has_died)
{
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *s = open_temporary();

	expect_well(start(die_as_a_required_consumer, 0));
	assert_code(disruptor_segment_close(&s), 0);
	s = open_temporary();
	assert_code(disruptor_segment_dismiss(s, "kept"), 0);
	assert_code(disruptor_segment_close(&s), 0);
	assert_code(disruptor_segment_remove("ring", &o), DISRUPTOR_E_NOT_FOUND);
}

static ino_t file_of(const struct disruptor_segment *s)
{
	struct stat st;

	return fstat(disruptor_segment_fd(s), &st) == 0 ? st.st_ino : 0;
}

/* Processes that come and go at once: each finds one with all who are there, or makes it. */
static int come_and_leave(void)
{
	for (int i = 0; i < 100; i++) {
		const struct disruptor_segment_options o =
			shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY);
		const struct disruptor_options ring = shared_options(8, DISRUPTOR_MANY);
		struct disruptor_segment *s, *again;

		if (disruptor_segment_open(&s, "ring", &tick_type, &ring, &o) != 0)
			return 1;
		/* while it is open its name leads to it, whoever leaves */
		again = find();
		if (!again)
			return 2;
		if (file_of(s) != file_of(again))
			return 3;
		if (disruptor_segment_close(&again) != 0 || disruptor_segment_close(&s) != 0)
			return 4;
	}
	return 0;
}

TEST(a_temporary_name_leads_to_one_segment_while_processes_come_and_go)
{
	pid_t children[3];

	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(come_and_leave());
		assert_true(children[i] > 0);
	}
	for (size_t i = 0; i < COUNT(children); i++)
		expect_well(children[i]);
	assert_null(find());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_temporary_name_goes_with_the_last_who_has_it),
		RUN(a_temporary_name_is_not_taken_from_another),
		RUN(a_temporary_name_stays_for_a_required_consumer_that_has_died),
		RUN(a_temporary_name_leads_to_one_segment_while_processes_come_and_go),
		RUN(one_process_is_read_by_another),
		RUN(several_processes_are_read_by_one),
		RUN(several_processes_each_read_all),
		RUN(a_close_ends_readers_of_other_processes_behind_the_last_event),
		RUN(who_comes_first_makes_it_and_the_others_find_it),
		RUN(a_producer_s_place_is_taken_in_all_processes),
		RUN(what_is_not_there_or_there_already_is_refused),
		RUN(another_type_of_event_is_refused_by_name),
		RUN(who_serves_any_segment_takes_the_type_that_it_tells),
		RUN(segments_are_listed),
		RUN(one_that_nobody_has_is_removed_and_no_other),
		RUN(who_opens_one_as_it_is_removed_has_it_or_does_not_find_it),
		RUN(what_one_process_alone_has_is_refused),
		RUN(it_is_left_when_its_views_are_closed),
		RUN(as_many_processes_as_it_has_places_for),
		RUN(one_without_a_name_is_passed_on),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
