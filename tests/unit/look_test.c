/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Looking into a segment from outside: what is told, and that nothing there can do harm. Linux. */
#define _GNU_SOURCE
#include "probe.h"
#include "shared.h"
#include "segment/format.h"

#include <disruptor/look.h>
#include <disruptor/record.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct disruptor_segment *make_with(const struct disruptor_options *ring)
{
	struct disruptor_segment_options o =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW);
	struct disruptor_segment *s;

	o.participant = "maker";
	o.participants = 4;
	(void)disruptor_segment_remove("ring", &o); /* of a test that failed */
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, ring, &o), 0);
	return s;
}

static struct disruptor_segment *make(uint64_t capacity, enum disruptor_producers producers)
{
	const struct disruptor_options ring = shared_options(capacity, producers);

	return make_with(&ring);
}

static void finish(struct disruptor_segment **s)
{
	const struct disruptor_segment_options o = shared_where(0);

	assert_code(disruptor_segment_close(s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
}

static struct disruptor_look *look_into(void)
{
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_look *l;

	assert_code(disruptor_look_open(&l, "ring", &o), 0);
	return l;
}

static struct disruptor_look_state state_of(const struct disruptor_look *l)
{
	struct disruptor_look_state s = { .size = sizeof(s) };

	assert_code(disruptor_look_state(l, &s), 0);
	return s;
}

static struct disruptor_look_producer producer_of(const struct disruptor_look *l, uint32_t i)
{
	struct disruptor_look_producer p = { .size = sizeof(p) };

	assert_code(disruptor_look_producer(l, i, &p), 0);
	return p;
}

static struct disruptor_look_consumer consumer_of(const struct disruptor_look *l, uint32_t i)
{
	struct disruptor_look_consumer c = { .size = sizeof(c) };

	assert_code(disruptor_look_consumer(l, i, &c), 0);
	return c;
}

static void expect_event(const struct disruptor_look *l, uint64_t position,
			 enum disruptor_look_event expected, uint64_t value)
{
	struct tick t = { .value = 99, .from = 99 };
	enum disruptor_look_event state = DISRUPTOR_LOOK_GONE;

	assert_code(disruptor_look_event(l, position, &t, &state), 0);
	assert_string_equal(disruptor_look_event_name(state), disruptor_look_event_name(expected));
	assert_int_equal(t.value, value);
	assert_code(disruptor_look_event(l, position, NULL, &state), 0);
	assert_int_equal(state, expected);
}

/* ---- a ring whose every position is known ---- */

struct known {
	struct disruptor_segment *segment;
	struct disruptor_look *look;
	struct tick_producer left, right;
	struct tick_consumer parse, risk, journal;
};

static void open_consumer(struct tick_consumer *c, struct disruptor_ring *r, const char *name,
			  const struct tick_consumer *after, enum disruptor_if_dead if_dead)
{
	const struct disruptor_consumer *upstream[] = { after ? &after->view : NULL };
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .name = name,
						      .after = upstream,
						      .after_count = after != NULL,
						      .if_dead = if_dead };

	assert_code(tick_consumer_open(c, r, &o), 0);
}

static void open_producer(struct tick_producer *p, struct disruptor_ring *r, const char *name)
{
	const struct disruptor_producer_options o = { .size = sizeof(o), .name = name };

	assert_code(tick_producer_open(p, r, &o), 0);
}

/* Ten are claimed of a ring of 8: 0 … 5 are events, 6 a void, 7 claimed, 8 and 9 events. */
static void open_known(struct known *k)
{
	struct disruptor_ring *r;

	k->segment = make(8, DISRUPTOR_MANY);
	r = disruptor_segment_ring(k->segment);
	open_producer(&k->left, r, "left");
	open_producer(&k->right, r, "right");
	open_consumer(&k->parse, r, "parse", NULL, DISRUPTOR_REQUIRED);
	open_consumer(&k->risk, r, "risk", &k->parse, DISRUPTOR_REQUIRED);
	open_consumer(&k->journal, r, "journal", NULL, DISRUPTOR_OPTIONAL);
	publish_ticks(&k->left, 6);
	read_ticks(&k->parse, 5);
	read_ticks(&k->risk, 3);
	read_ticks(&k->journal, 2);
	assert_non_null(tick_claim(&k->right));
	assert_code(tick_abort(&k->right), 0);
	assert_non_null(tick_claim(&k->right)); /* position 7 stays open */
	publish_ticks(&k->left, 2);
	k->look = look_into();
}

static void close_known(struct known *k)
{
	disruptor_look_close(&k->look);
	assert_null(k->look);
	assert_code(tick_abort(&k->right), 0);
	assert_code(tick_producer_close(&k->left), 0);
	assert_code(tick_producer_close(&k->right), 0);
	assert_code(tick_consumer_close(&k->journal), 0);
	assert_code(tick_consumer_close(&k->risk), 0);
	assert_code(tick_consumer_close(&k->parse), 0);
	finish(&k->segment);
}

TEST(what_it_is_is_told_with_its_type)
{
	struct known k;
	struct disruptor_look_facts f = { .size = sizeof(f) };
	const struct disruptor_type *type;
	struct disruptor_ring_info info;

	open_known(&k);
	info = disruptor_ring_info(disruptor_segment_ring(k.segment));
	assert_code(disruptor_look_facts(k.look, &f), 0);
	assert_int_equal(f.size, sizeof(f));
	assert_int_equal(f.major, 1);
	assert_int_equal(f.capacity, 8);
	assert_int_equal(f.producers, DISRUPTOR_MANY);
	assert_int_equal(f.layout, DISRUPTOR_STAMPED);
	assert_int_equal(f.event_size, sizeof(struct tick));
	assert_int_equal(f.slot_stride, info.slot_stride);
	assert_int_equal(f.event_offset, info.event_offset);
	assert_int_equal(f.rung, info.rung);
	assert_int_equal(f.participants, 4);
	assert_int_equal(f.max_consumers, 16);
	assert_int_equal(f.current, 1);
	type = disruptor_look_type(k.look);
	assert_true(disruptor_type_equal(type, &tick_type));
	assert_ptr_not_equal(type, &tick_type);
	close_known(&k);
}

TEST(positions_are_told_as_they_are)
{
	struct known k;
	struct disruptor_look_state s;

	open_known(&k);
	s = state_of(k.look);
	assert_int_equal(s.state, 0);
	assert_int_equal(s.claimed, 10);
	assert_int_equal(s.published, 7);
	assert_int_equal(s.released, 2);
	assert_int_equal(s.remaining, 0);
	assert_int_equal(s.voids, 1);
	assert_int_equal(s.open_producers, 2);
	assert_int_equal(s.consumers, 3);
	assert_int_equal(s.dead_producers + s.dead_consumers + s.orphans, 0);
	disruptor_ring_close(disruptor_segment_ring(k.segment));
	s = state_of(k.look);
	assert_int_equal(s.state, DISRUPTOR_STATE_CLOSED | DISRUPTOR_STATE_ENDED);
	assert_int_equal(s.end, 10);
	assert_int_equal(s.claimed, 10);
	close_known(&k);
}

TEST(producers_are_told_with_what_they_have_claimed)
{
	struct known k;
	struct disruptor_look_producer p;

	open_known(&k);
	p = producer_of(k.look, 0);
	assert_int_equal(p.open, 1);
	assert_string_equal(p.name, "left");
	assert_int_equal(p.participant, 0);
	assert_int_equal(p.run_end, 0);
	p = producer_of(k.look, 1);
	assert_string_equal(p.name, "right");
	assert_int_equal(p.run_first, 7);
	assert_int_equal(p.run_end, 8);
	p = producer_of(k.look, 2);
	assert_int_equal(p.open, 0);
	assert_int_equal(p.participant, DISRUPTOR_LOOK_NOBODY);
	assert_code(disruptor_look_producer(k.look, 16, &p), DISRUPTOR_E_NOT_FOUND);
	close_known(&k);
}

TEST(consumers_are_told_with_what_waits_for_them)
{
	struct known k;
	struct disruptor_look_consumer c;

	open_known(&k);
	c = consumer_of(k.look, 0);
	assert_string_equal(c.name, "parse");
	assert_true(c.open && c.attached && !c.dead && !c.sleeping);
	assert_int_equal(c.position, 5);
	assert_int_equal(c.lag, 5);
	assert_int_equal(c.ready, 2); /* an event, and the void */
	assert_int_equal(c.upstreams, 0);
	assert_int_equal(c.if_dead, DISRUPTOR_REQUIRED);
	c = consumer_of(k.look, 1);
	assert_string_equal(c.name, "risk");
	assert_int_equal(c.position, 3);
	assert_int_equal(c.lag, 7);
	assert_int_equal(c.ready, 2);
	assert_int_equal(c.upstreams, 1);
	assert_int_equal(c.participant, 0);
	c = consumer_of(k.look, 2);
	assert_string_equal(c.name, "journal");
	assert_int_equal(c.position, 2);
	assert_int_equal(c.if_dead, DISRUPTOR_OPTIONAL);
	assert_int_equal(consumer_of(k.look, 3).open, 0);
	assert_code(disruptor_look_consumer(k.look, 16, &c), DISRUPTOR_E_NOT_FOUND);
	close_known(&k);
}

TEST(an_event_is_told_with_what_is_known_of_it)
{
	struct known k;
	enum disruptor_look_event found;

	open_known(&k);
	expect_event(k.look, 0, DISRUPTOR_LOOK_GONE, 0);
	expect_event(k.look, 1, DISRUPTOR_LOOK_GONE, 0);
	for (uint64_t i = 2; i < 6; i++)
		expect_event(k.look, i, DISRUPTOR_LOOK_PUBLISHED, i);
	expect_event(k.look, 6, DISRUPTOR_LOOK_VOID, 0);
	expect_event(k.look, 7, DISRUPTOR_LOOK_CLAIMED, 0);
	expect_event(k.look, 9, DISRUPTOR_LOOK_PUBLISHED, 9);
	expect_event(k.look, 10, DISRUPTOR_LOOK_UNCLAIMED, 0);
	assert_code(disruptor_look_event(k.look, UINT64_MAX, NULL, &found), DISRUPTOR_E_INVAL);
	assert_code(disruptor_look_event(k.look, 0, NULL, NULL), DISRUPTOR_E_INVAL);
	close_known(&k);
}

/* A producer that may write the next lap says nothing while it does so. */
TEST(an_event_that_may_be_written_over_is_not_sure)
{
	struct disruptor_segment *s = make(4, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct disruptor_look *l;
	struct tick_producer p;
	struct tick_consumer c;

	open_producer(&p, r, "only");
	open_consumer(&c, r, "reader", NULL, DISRUPTOR_REQUIRED);
	publish_ticks(&p, 4);
	l = look_into();
	read_ticks(&c, 3);
	/* all are released but one, and the producer has not looked yet */
	for (uint64_t i = 0; i < 4; i++)
		expect_event(l, i, DISRUPTOR_LOOK_PUBLISHED, i);
	publish_ticks(&p, 1); /* it has: it may go to 6 now */
	expect_event(l, 0, DISRUPTOR_LOOK_GONE, 0);
	expect_event(l, 1, DISRUPTOR_LOOK_UNSURE, 1);
	expect_event(l, 2, DISRUPTOR_LOOK_UNSURE, 2);
	expect_event(l, 3, DISRUPTOR_LOOK_PUBLISHED, 3);
	expect_event(l, 4, DISRUPTOR_LOOK_PUBLISHED, 4);
	assert_code(tick_producer_close(&p), 0);
	expect_event(l, 1, DISRUPTOR_LOOK_PUBLISHED, 1); /* nobody is left who might */
	disruptor_look_close(&l);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

static void other_rings(enum disruptor_layout layout, unsigned flags)
{
	struct disruptor_options o = shared_options(4, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;
	struct disruptor_look *l;
	struct tick_producer p;
	struct tick_consumer c;

	o.layout = layout;
	o.flags = flags;
	s = make_with(&o);
	open_producer(&p, disruptor_segment_ring(s), "only");
	open_consumer(&c, disruptor_segment_ring(s), "reader", NULL, DISRUPTOR_REQUIRED);
	l = look_into();
	publish_ticks(&p, 3);
	read_ticks(&c, 2);
	publish_ticks(&p, 2);
	assert_non_null(tick_claim(&p)); /* position 5 */
	expect_event(l, 0, DISRUPTOR_LOOK_GONE, 0);
	expect_event(l, 2, DISRUPTOR_LOOK_PUBLISHED, 2);
	expect_event(l, 4, DISRUPTOR_LOOK_PUBLISHED, 4);
	expect_event(l, 5, DISRUPTOR_LOOK_CLAIMED, 0);
	expect_event(l, 6, DISRUPTOR_LOOK_UNCLAIMED, 0);
	assert_int_equal(state_of(l).claimed, 6);
	assert_int_equal(state_of(l).published, 5);
	assert_int_equal(producer_of(l, 0).run_first, 5);
	assert_int_equal(producer_of(l, 0).run_end, 6);
	assert_code(tick_publish(&p), 0);
	disruptor_look_close(&l);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

TEST(packed_and_lossy_rings_are_looked_into_too)
{
	other_rings(DISRUPTOR_STAMPED, 0);
	other_rings(DISRUPTOR_PACKED, 0);
	other_rings(DISRUPTOR_STAMPED, DISRUPTOR_LOSSY);
}

/* ---- who sleeps, who is dead ---- */

static void wait_for_event(void *argument)
{
	struct tick_consumer *c = argument;

	if (tick_ready_until(c, disruptor_in(UINT64_C(1000000) * WATCHDOG_MS)) == 1)
		(void)tick_release(c, 1);
}

TEST(who_sleeps_is_told_until_it_is_woken)
{
	struct disruptor_segment *s = make(4, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct disruptor_look *l = look_into();
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .name = "sleeper",
						      .wait = { .kind = DISRUPTOR_WAIT_BLOCKING } };
	struct runner sleeper;
	struct tick_producer p;
	struct tick_consumer c;

	open_producer(&p, r, "waker");
	assert_code(tick_consumer_open(&c, r, &o), 0);
	assert_false(consumer_of(l, 0).sleeping);
	runner_start(&sleeper, "sleeper", wait_for_event, &c);
	while (!consumer_of(l, 0).sleeping || state_of(l).sleeps == 0)
		pause_ms(1);
	assert_true(consumer_of(l, 0).waiting_ns > 0);
	publish_ticks(&p, 1);
	runner_join(&sleeper);
	assert_false(consumer_of(l, 0).sleeping);
	assert_int_equal(consumer_of(l, 0).position, 1);
	disruptor_look_close(&l);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

static DISRUPTOR_ATOMIC(int) steps_end;

static void wait_in_steps(void *argument)
{
	struct tick_producer *p = argument;

	(void)disruptor_producer_handoff(&p->view);
	while (!disruptor_load_relaxed(&steps_end) && !tick_claim_until(p, in_ms(2)))
		;
}

TEST(who_waits_in_steps_has_waited_since_the_first)
{
	struct disruptor_segment *s = make(4, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct disruptor_look *l = look_into();
	struct runner waiter;
	struct tick_producer p;
	struct tick_consumer c;
	uint64_t longest = 0, since;

	open_producer(&p, r, "waiter");
	assert_code(tick_consumer_open(&c, r, NULL), 0);
	publish_ticks(&p, 4);
	runner_start(&waiter, "waiter", wait_in_steps, &p);
	while (longest < UINT64_C(100000000)) { /* fifty steps */
		since = producer_of(l, 0).blocked_ns;
		longest = since > longest ? since : longest;
		pause_ms(1);
	}
	assert_int_equal(producer_of(l, 0).blocked_for ? producer_of(l, 0).blocked_for : 1, 1);
	disruptor_store_relaxed(&steps_end, 1);
	runner_join(&waiter);
	disruptor_look_close(&l);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

TEST(a_stage_is_told_of_with_its_batch_and_its_failure)
{
	struct disruptor_segment *s = make(4, DISRUPTOR_SINGLE);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct disruptor_look *l = look_into();
	struct tick_producer p;
	struct disruptor *d;
	struct probe risk;

	assert_code(disruptor_create_on(&d, r, &tick_type, 0), 0);
	probe_init(&risk, "risk");
	risk.hold_at = 1;
	risk.verdict_at = 2;
	risk.verdict = -9;
	probe_add(&risk, d);
	graph_start(d);
	open_producer(&p, r, "producer");
	assert_int_equal(consumer_of(l, 0).handling_ns, 0);
	publish_ticks(&p, 3);
	probe_await_hold(&risk);
	while (consumer_of(l, 0).handling_ns == 0)
		pause_ms(1);
	assert_int_equal(state_of(l).failure_code, 0);
	probe_let_go(&risk);
	assert_code(disruptor_join(d, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_int_equal(consumer_of(l, 0).handling_ns, 0);
	assert_int_equal(state_of(l).failure_code, -9);
	assert_int_equal(state_of(l).failure_at, 2);
	assert_string_equal(state_of(l).failure_hook, "on_event");
	assert_string_equal(state_of(l).failure_stage, "risk");
	assert_code(disruptor_destroy(&d), 0);
	disruptor_look_close(&l);
	assert_code(tick_producer_close(&p), 0);
	finish(&s);
}

/* Attach as @p name with a producer and two consumers, say so, and stay until killed. */
static void doomed(int ready)
{
	struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *s;
	struct tick_producer p;
	struct tick_consumer c[2];
	const struct disruptor_producer_options po = { .size = sizeof(po), .name = "lost" };
	struct disruptor_consumer_options co = { .size = sizeof(co), .name = "needed" };

	alarm(60);
	o.participant = "doomed";
	if (disruptor_segment_open(&s, "ring", &tick_type, NULL, &o) != 0)
		_exit(1);
	if (tick_producer_open(&p, disruptor_segment_ring(s), &po) != 0 ||
	    tick_consumer_open(&c[0], disruptor_segment_ring(s), &co) != 0)
		_exit(2);
	co.name = "other";
	co.if_dead = DISRUPTOR_OPTIONAL;
	if (tick_consumer_open(&c[1], disruptor_segment_ring(s), &co) != 0 || !tick_claim(&p) ||
	    write(ready, "x", 1) != 1)
		_exit(3);
	for (;;)
		pause();
}

static pid_t start_doomed(void)
{
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		doomed(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

TEST(a_process_that_dies_is_told_dead_until_it_is_repaired)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_MANY);
	struct disruptor_look *l = look_into();
	struct disruptor_participant who;
	struct disruptor_look_consumer c;
	struct disruptor_look_state found;
	pid_t child = start_doomed();

	assert_code(disruptor_look_participant(l, 1, &who), 0);
	assert_true(who.present && who.alive);
	assert_int_equal(who.pid, child);
	assert_true(who.started != 0);
	assert_int_equal(who.producers, 1);
	assert_int_equal(who.consumers, 2);
	assert_string_equal(who.name, "doomed");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_code(disruptor_look_participant(l, 1, &who), 0);
	assert_true(who.present && !who.alive);
	assert_int_equal(who.pid, child);
	assert_code(disruptor_look_participant(l, 0, &who), 0);
	assert_true(who.present && who.alive && !who.self);
	assert_string_equal(who.name, "maker");
	assert_int_equal(producer_of(l, 0).participant, 1); /* a look repairs nothing */
	assert_int_equal(producer_of(l, 0).run_end, 1);
	disruptor_segment_tend(s);
	assert_code(disruptor_look_participant(l, 1, &who), 0);
	assert_false(who.present);
	assert_int_equal(producer_of(l, 0).open, 0);
	c = consumer_of(l, 0);
	assert_true(c.open && c.dead);
	assert_string_equal(c.name, "needed");
	assert_int_equal(c.participant, DISRUPTOR_LOOK_NOBODY);
	assert_int_equal(consumer_of(l, 1).open, 0);
	found = state_of(l);
	assert_int_equal(found.dead_producers, 1);
	assert_int_equal(found.dead_consumers, 1);
	assert_int_equal(found.orphans, 1);
	expect_event(l, 0, DISRUPTOR_LOOK_VOID, 0);
	assert_code(disruptor_segment_dismiss(s, "needed"), 0);
	disruptor_look_close(&l);
	finish(&s);
}

/* ---- nothing is written, nothing is believed ---- */

static void path_of(char *path, size_t size)
{
	(void)snprintf(path, size, "%s/ring", shared_directory);
}

/* Whether the kernel says that this process has the file mapped so. */
static bool is_mapped(const char *path, const char *how)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		found = found || (strstr(line, path) && strstr(line, how));
	fclose(maps);
	return found;
}

TEST(who_may_only_read_the_file_may_look)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE);
	struct disruptor_look *l;
	struct disruptor_look_producer p;
	struct tick_producer view;
	struct tick_consumer reader;
	char path[128];

	path_of(path, sizeof(path));
	open_producer(&view, disruptor_segment_ring(s), "only");
	open_consumer(&reader, disruptor_segment_ring(s), "reader", NULL, DISRUPTOR_REQUIRED);
	publish_ticks(&view, 1);
	assert_int_equal(chmod(path, 0400), 0);
	l = look_into();
	assert_true(is_mapped(path, "r--s")); /* whatever the file's mode lets this user do */
	assert_int_equal(state_of(l).claimed, 1);
	p = producer_of(l, 0);
	assert_string_equal(p.name, "only");
	disruptor_look_close(&l);
	assert_code(tick_producer_close(&view), 0);
	assert_code(tick_consumer_close(&reader), 0);
	finish(&s);
}

/* The whole file, byte by byte: it is the same behind all that can be asked. */
TEST(a_look_writes_nothing)
{
	struct known k;
	struct stat before, after;
	unsigned char *copy, *now;
	char path[128];
	int fd;

	open_known(&k);
	path_of(path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &before) == 0);
	copy = malloc((size_t)before.st_size);
	now = malloc((size_t)before.st_size);
	assert_true(copy && now);
	assert_int_equal(pread(fd, copy, (size_t)before.st_size, 0), before.st_size);
	disruptor_look_close(&k.look);
	k.look = look_into();
	(void)state_of(k.look);
	for (uint32_t i = 0; i < 16; i++) {
		(void)producer_of(k.look, i);
		(void)consumer_of(k.look, i);
		expect_event(k.look, 2, DISRUPTOR_LOOK_PUBLISHED, 2);
	}
	assert_int_equal(pread(fd, now, (size_t)before.st_size, 0), before.st_size);
	assert_int_equal(fstat(fd, &after), 0);
	assert_memory_equal(copy, now, (size_t)before.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	close(fd);
	free(copy);
	free(now);
	close_known(&k);
}

/* Everything behind the first pages becomes noise, while and before it is looked at. */
struct scribbler {
	_Atomic uint64_t *words;
	size_t count;
	atomic_bool stop;
};

static uint64_t noise(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void scribble(void *argument)
{
	struct scribbler *s = argument;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	while (!atomic_load(&s->stop))
		for (size_t i = 0; i < s->count; i++)
			/* small numbers, too, which pass for positions and indices */
			atomic_store_explicit(&s->words[i],
					      i % 3 ? noise(&state) : noise(&state) >> 48,
					      memory_order_relaxed);
}

/* The words beside cells of records, which a record's first bit tells, become lengths of all kinds. */
static void scribble_lengths(void *argument)
{
	const uint64_t first = UINT64_C(1) << 63;
	struct scribbler *s = argument;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15), word;

	while (!atomic_load(&s->stop))
		for (size_t i = 0; i < s->count; i++) {
			word = atomic_load_explicit(&s->words[i], memory_order_relaxed);
			if ((word & ~UINT64_C(0xff)) == first)
				atomic_store_explicit(&s->words[i], first | (noise(&state) & 0xff),
						      memory_order_relaxed);
		}
}

static void ask_everything(const struct disruptor_look *l)
{
	struct disruptor_look_state s = { .size = sizeof(s) };
	struct disruptor_look_producer p = { .size = sizeof(p) };
	struct disruptor_look_consumer c = { .size = sizeof(c) };
	struct disruptor_participant who;
	enum disruptor_look_event state;
	struct tick t;

	assert_code(disruptor_look_state(l, &s), 0);
	assert_true(s.remaining <= 64);
	for (uint32_t i = 0; i < 16; i++) {
		/* of one producer there is one place */
		if (disruptor_look_producer(l, i, &p) != 0)
			assert_true(i > 0);
		assert_true(memchr(p.name, 0, sizeof(p.name)) != NULL);
		assert_true(p.participant < 4 || p.participant == DISRUPTOR_LOOK_NOBODY);
		assert_true(p.run_end - p.run_first <= 64);
		assert_code(disruptor_look_consumer(l, i, &c), 0);
		assert_true(memchr(c.name, 0, sizeof(c.name)) != NULL);
		assert_true(c.participant < 4 || c.participant == DISRUPTOR_LOOK_NOBODY);
		assert_true(c.upstreams < 65536 && c.ready <= c.lag);
	}
	for (uint32_t i = 0; i < 4; i++) {
		assert_code(disruptor_look_participant(l, i, &who), 0);
		assert_true(memchr(who.name, 0, sizeof(who.name)) != NULL);
	}
	for (uint64_t i = 0; i < 128; i++) {
		assert_code(disruptor_look_event(l, i, &t, &state), 0);
		assert_true(disruptor_look_event_name(state) != NULL);
	}
}

static void scribble_on(enum disruptor_layout layout, enum disruptor_producers producers,
			unsigned flags)
{
	struct disruptor_options o = shared_options(64, producers);
	struct disruptor_look_facts f = { .size = sizeof(f) };
	struct disruptor_segment *s;
	struct disruptor_look *l;
	struct scribbler scribbler = { .count = 0 };
	struct runner runner;
	struct stat st;
	void *base;

	o.layout = layout;
	o.flags = flags;
	s = make_with(&o);
	l = look_into();
	assert_int_equal(fstat(disruptor_segment_fd(s), &st), 0);
	base = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    disruptor_segment_fd(s), 0);
	assert_true(base != MAP_FAILED);
	/* the header, too: nobody looks there any more */
	scribbler.words = base;
	scribbler.count = (size_t)st.st_size / sizeof(uint64_t);
	runner_start(&runner, "scribbler", scribble, &scribbler);
	for (int i = 0; i < 100; i++)
		ask_everything(l);
	atomic_store(&scribbler.stop, true);
	runner_join(&runner);
	assert_code(disruptor_look_facts(l, &f), 0);
	assert_int_equal(f.capacity, 64);
	assert_true(disruptor_type_equal(disruptor_look_type(l), &tick_type));
	memset(base, 0xff, (size_t)st.st_size);
	ask_everything(l);
	memset(base, 0, (size_t)st.st_size);
	ask_everything(l);
	assert_int_equal(munmap(base, (size_t)st.st_size), 0);
	disruptor_look_close(&l);
	finish(&s);
}

TEST(a_segment_that_is_scribbled_over_can_be_looked_into)
{
	scribble_on(DISRUPTOR_STAMPED, DISRUPTOR_MANY, 0);
	scribble_on(DISRUPTOR_STAMPED, DISRUPTOR_SINGLE, 0);
	scribble_on(DISRUPTOR_PACKED, DISRUPTOR_SINGLE, 0);
	scribble_on(DISRUPTOR_STAMPED, DISRUPTOR_MANY, DISRUPTOR_LOSSY);
}

TEST(what_was_cut_short_is_refused_and_so_is_what_is_no_segment)
{
	struct disruptor_segment *s = make(64, DISRUPTOR_SINGLE);
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_look_state found = { .size = sizeof(found) };
	struct disruptor_look *l = look_into(), *other;
	char path[128] = { 0 };
	int fd;

	path_of(path, sizeof(path));
	assert_code(disruptor_segment_close(&s), 0);
	assert_int_equal(truncate(path, 4096), 0);
	assert_code(disruptor_look_state(l, &found), DISRUPTOR_E_FORMAT);
	assert_detail("cut short");
	assert_code(disruptor_look_open(&other, "ring", &o), DISRUPTOR_E_FORMAT);
	assert_null(other);
	disruptor_look_close(&l);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0 && write(fd, path, sizeof(path)) == sizeof(path));
	close(fd);
	assert_code(disruptor_look_open(&other, "ring", &o), DISRUPTOR_E_FORMAT);
	assert_int_equal(unlink(path), 0);
	assert_code(disruptor_look_open(&other, "ring", &o), DISRUPTOR_E_NOT_FOUND);
}

TEST(options_of_those_who_take_part_are_refused)
{
	struct disruptor_segment_options o = shared_where(DISRUPTOR_SEGMENT_CREATE);
	struct disruptor_look *l;

	assert_code(disruptor_look_open(&l, "ring", &o), DISRUPTOR_E_INVAL);
	assert_detail("flags");
	o = shared_where(0);
	o.participant = "me";
	assert_code(disruptor_look_open(&l, "ring", &o), DISRUPTOR_E_INVAL);
	assert_detail("participant");
	assert_code(disruptor_look_open(&l, NULL, NULL), DISRUPTOR_E_INVAL);
	assert_code(disruptor_look_open(NULL, "ring", NULL), DISRUPTOR_E_INVAL);
	l = NULL;
	disruptor_look_close(&l);
}

/* A caller of an older header has a smaller structure; one of none is refused. */
TEST(answers_are_as_long_as_their_size_says)
{
	struct known k;
	struct disruptor_look_state s = { .size = offsetof(struct disruptor_look_state, published),
					  .published = 77 };

	open_known(&k);
	assert_code(disruptor_look_state(k.look, &s), 0);
	assert_int_equal(s.claimed, 10);
	assert_int_equal(s.published, 77);
	s.size = 0;
	assert_code(disruptor_look_state(k.look, &s), DISRUPTOR_E_VERSION);
	close_known(&k);
}

/* ---- what later versions may add ---- */

TEST(what_is_not_known_to_write_may_be_looked_into)
{
	const struct disruptor_segment_options o = shared_where(0);
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE), *other;
	struct segment_header h;
	struct disruptor_look *l;
	int fd = disruptor_segment_fd(s);

	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	h.features_to_write = 8;
	h.check = segment_crc(&h, offsetof(struct segment_header, check));
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	assert_code(disruptor_segment_open(&other, "ring", &tick_type, NULL, &o),
		    DISRUPTOR_E_VERSION);
	assert_detail("0x8");
	l = look_into();
	assert_int_equal(state_of(l).claimed, 0);
	disruptor_look_close(&l);
	finish(&s);
}

/* ---- records ---- */

static struct disruptor_segment *make_records(void)
{
	const struct disruptor_segment_options o =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW);
	struct disruptor_options ring = shared_options(8, DISRUPTOR_SINGLE);
	struct disruptor_segment *s;

	ring.cell = 8;
	(void)disruptor_segment_remove("ring", &o); /* of a test that failed */
	assert_code(disruptor_segment_open(&s, "ring", disruptor_record_type(), &ring, &o), 0);
	return s;
}

static void assert_record(const struct disruptor_look *l, uint64_t position, int begins,
			  const char *text, enum disruptor_look_event expected)
{
	enum disruptor_look_event what;
	char bytes[64];
	size_t size = 77;

	assert_int_equal(disruptor_look_record(l, position, bytes, sizeof(bytes), &size, &what),
			 begins);
	assert_int_equal(what, expected);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(bytes, text, size);
}

TEST(a_record_is_told_from_its_first_cell)
{
	struct disruptor_segment *s = make_records();
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct disruptor_look_facts f = { .size = sizeof(f) };
	enum disruptor_look_event what;
	struct disruptor_look *l;
	struct disruptor_consumer c;
	struct disruptor_producer p;
	uint64_t *word;
	size_t size;

	assert_code(disruptor_consumer_open(&c, r, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_producer_open(&p, r, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_record_publish_copy(&p, "ten bytes!", 10), 0);
	assert_code(disruptor_record_publish_copy(&p, "", 0), 0);
	l = look_into();
	assert_code(disruptor_look_facts(l, &f), 0);
	assert_int_equal(f.cell, 8);
	assert_record(l, 0, 1, "ten bytes!", DISRUPTOR_LOOK_PUBLISHED);
	assert_record(l, 1, 0, "", DISRUPTOR_LOOK_PUBLISHED); /* the rest of it */
	assert_record(l, 2, 1, "", DISRUPTOR_LOOK_PUBLISHED);
	assert_record(l, 3, 0, "", DISRUPTOR_LOOK_UNCLAIMED);
	assert_code(disruptor_look_record(l, 0, NULL, 0, &size, &what), 1);
	assert_int_equal(size, 10);
	/* a length that reaches over the last cell is none */
	word = disruptor_claim(&p);
	*word = UINT64_C(1) << 63 | 48;
	assert_code(disruptor_publish(&p), 0);
	assert_record(l, 3, 0, "", DISRUPTOR_LOOK_PUBLISHED);
	assert_code(disruptor_look_record(l, 0, NULL, 1, &size, &what), DISRUPTOR_E_INVAL);
	assert_code(disruptor_look_record(l, 0, NULL, 0, NULL, &what), DISRUPTOR_E_INVAL);
	disruptor_look_close(&l);
	assert_code(disruptor_producer_close(&p), 0);
	assert_code(disruptor_consumer_close(&c), 0);
	finish(&s);
}

static void open_views(struct disruptor_segment *s, struct disruptor_producer *p,
		       struct disruptor_consumer *c)
{
	struct disruptor_ring *r = disruptor_segment_ring(s);

	assert_code(disruptor_producer_open(p, r, disruptor_record_type(), NULL), 0);
	assert_code(disruptor_consumer_open(c, r, disruptor_record_type(), NULL), 0);
}

static void close_views(struct disruptor_producer *p, struct disruptor_consumer *c)
{
	assert_code(disruptor_producer_close(p), 0);
	assert_code(disruptor_consumer_close(c), 0);
}

static void put(struct disruptor_producer *p, const char *text)
{
	assert_code(disruptor_record_publish_copy(p, text, strlen(text)), 0);
}

/* Release so many records. */
static void take(struct disruptor_consumer *c, int n)
{
	struct disruptor_record record;

	while (n-- > 0) {
		assert_true(disruptor_record_ready(c) > 0);
		assert_int_equal(disruptor_record_next(c, &record), 1);
		assert_code(disruptor_record_release(c), 0);
	}
}

TEST(a_record_that_may_be_written_over_is_not_sure)
{
	struct disruptor_segment *s = make_records();
	struct disruptor_look *l = look_into();
	struct disruptor_producer p;
	struct disruptor_consumer c;

	open_views(s, &p, &c);
	put(&p, "one cell");
	put(&p, "this takes three cells");
	put(&p, "and this four, up to the end");
	take(&c, 2); /* up to 4, and the producer has not looked yet */
	assert_record(l, 1, 1, "this takes three cells", DISRUPTOR_LOOK_PUBLISHED);
	put(&p, "next lap");
	assert_record(l, 0, 0, "", DISRUPTOR_LOOK_GONE);
	assert_record(l, 1, 1, "this takes three cells", DISRUPTOR_LOOK_UNSURE);
	assert_record(l, 4, 1, "and this four, up to the end", DISRUPTOR_LOOK_PUBLISHED);
	assert_record(l, 8, 1, "next lap", DISRUPTOR_LOOK_PUBLISHED);
	put(&p, "its rest"); /* over the first cell of three */
	assert_record(l, 1, 0, "", DISRUPTOR_LOOK_GONE);
	assert_record(l, 2, 0, "", DISRUPTOR_LOOK_UNSURE);
	/* room for two cells of which one is needed */
	assert_non_null(disruptor_record_claim(&p, 9));
	assert_record(l, 10, 0, "", DISRUPTOR_LOOK_CLAIMED);
	assert_code(disruptor_record_publish(&p, 0), 0);
	assert_record(l, 10, 1, "", DISRUPTOR_LOOK_PUBLISHED);
	assert_record(l, 11, 0, "", DISRUPTOR_LOOK_VOID);
	disruptor_look_close(&l);
	close_views(&p, &c);
	finish(&s);
}

TEST(a_record_is_cut_at_the_room_there_is)
{
	struct disruptor_segment *s = make_records();
	struct disruptor_look *l = look_into();
	struct disruptor_producer p;
	struct disruptor_consumer c;
	enum disruptor_look_event what;
	char bytes[16];
	size_t size;

	open_views(s, &p, &c);
	put(&p, "twenty bytes of text");
	memset(bytes, '#', sizeof(bytes));
	assert_int_equal(disruptor_look_record(l, 0, bytes, 9, &size, &what), 1);
	assert_int_equal(size, 20);
	assert_memory_equal(bytes, "twenty by#######", sizeof(bytes));
	disruptor_look_close(&l);
	close_views(&p, &c);
	finish(&s);
}

/* The only word of the file that is @p found, written over. */
static void replace_word(const struct disruptor_segment *s, uint64_t found, uint64_t word)
{
	struct stat st;
	uint64_t *words;
	int times = 0;

	assert_int_equal(fstat(disruptor_segment_fd(s), &st), 0);
	words = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     disruptor_segment_fd(s), 0);
	assert_true(words != MAP_FAILED);
	for (size_t i = 0; i < (size_t)st.st_size / sizeof(*words); i++) {
		if (words[i] != found)
			continue;
		words[i] = word;
		times++;
	}
	assert_int_equal(munmap(words, (size_t)st.st_size), 0);
	assert_int_equal(times, 1);
}

TEST(what_is_no_record_is_told_as_none)
{
	const uint64_t first = UINT64_C(1) << 63, rest = UINT64_C(1) << 62;
	/* too long, of two kinds, of none; and of eight cells, of which seven are before the end */
	const uint64_t broken[] = { first | 65,     rest | first | 8,   rest | 1,   ~rest,
				    UINT64_MAX - 1, first | (rest - 1), first | 57, first | 64 };
	struct disruptor_segment *s = make_records();
	struct disruptor_look *l = look_into();
	struct disruptor_producer p;
	struct disruptor_consumer c;
	enum disruptor_look_event what;
	uint64_t word = first | 20;
	char bytes[64];
	size_t size;

	open_views(s, &p, &c);
	put(&p, "");
	put(&p, "twenty bytes of text");
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		replace_word(s, word, broken[i]);
		word = broken[i];
		assert_record(l, 1, 0, "", DISRUPTOR_LOOK_PUBLISHED);
	}
	replace_word(s, word, first | 56); /* all that are before the end */
	assert_int_equal(disruptor_look_record(l, 1, bytes, 56, &size, &what), 1);
	assert_int_equal(size, 56);
	replace_word(s, first, first | 64); /* all cells */
	assert_int_equal(disruptor_look_record(l, 0, bytes, 64, &size, &what), 1);
	assert_int_equal(size, 64);
	assert_code(disruptor_look_record(l, UINT64_C(1) << 62, NULL, 0, &size, &what),
		    DISRUPTOR_E_INVAL);
	disruptor_look_close(&l);
	close_views(&p, &c);
	finish(&s);
}

/* Words that pass for records come and go while they are copied. */
TEST(records_that_are_scribbled_over_can_be_looked_at)
{
	struct disruptor_segment *s = make_records();
	struct disruptor_look *l = look_into();
	struct disruptor_producer p;
	struct disruptor_consumer c;
	struct scribbler scribbler = { .count = 0 };
	enum disruptor_look_event what;
	struct runner runner;
	struct stat st;
	char bytes[64];
	size_t size;
	int rc, found = 0;
	void *base;

	open_views(s, &p, &c);
	for (int i = 0; i < 8; i++)
		put(&p, "a record");
	assert_int_equal(fstat(disruptor_segment_fd(s), &st), 0);
	base = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    disruptor_segment_fd(s), 0);
	assert_true(base != MAP_FAILED);
	/* the stamps stay, and what stands beside them changes */
	scribbler.words = base;
	scribbler.count = (size_t)st.st_size / sizeof(uint64_t);
	runner_start(&runner, "scribbler", scribble_lengths, &scribbler);
	for (int i = 0; i < 20000 || found < 100; i++) {
		rc = disruptor_look_record(l, (uint64_t)i % 8, bytes, sizeof(bytes), &size, &what);
		assert_true(rc == 0 || rc == 1);
		assert_true(size <= sizeof(bytes) - 8 * ((size_t)i % 8));
		found += rc;
	}
	atomic_store(&scribbler.stop, true);
	runner_join(&runner);
	assert_int_equal(munmap(base, (size_t)st.st_size), 0);
	disruptor_look_close(&l);
	close_views(&p, &c);
	finish(&s);
}

TEST(a_ring_of_events_has_no_records)
{
	struct disruptor_segment *s = make(8, DISRUPTOR_SINGLE);
	struct disruptor_look *l = look_into();
	enum disruptor_look_event what;
	size_t size;

	assert_code(disruptor_look_record(l, 0, NULL, 0, &size, &what), DISRUPTOR_E_TYPE);
	disruptor_look_close(&l);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(what_it_is_is_told_with_its_type),
		RUN(positions_are_told_as_they_are),
		RUN(producers_are_told_with_what_they_have_claimed),
		RUN(consumers_are_told_with_what_waits_for_them),
		RUN(an_event_is_told_with_what_is_known_of_it),
		RUN(an_event_that_may_be_written_over_is_not_sure),
		RUN(packed_and_lossy_rings_are_looked_into_too),
		RUN(who_sleeps_is_told_until_it_is_woken),
		RUN(who_waits_in_steps_has_waited_since_the_first),
		RUN(a_stage_is_told_of_with_its_batch_and_its_failure),
		RUN(a_process_that_dies_is_told_dead_until_it_is_repaired),
		RUN(who_may_only_read_the_file_may_look),
		RUN(a_look_writes_nothing),
		RUN(a_segment_that_is_scribbled_over_can_be_looked_into),
		RUN(what_was_cut_short_is_refused_and_so_is_what_is_no_segment),
		RUN(options_of_those_who_take_part_are_refused),
		RUN(answers_are_as_long_as_their_size_says),
		RUN(what_is_not_known_to_write_may_be_looked_into),
		RUN(a_record_is_told_from_its_first_cell),
		RUN(a_record_that_may_be_written_over_is_not_sure),
		RUN(a_record_is_cut_at_the_room_there_is),
		RUN(what_is_no_record_is_told_as_none),
		RUN(records_that_are_scribbled_over_can_be_looked_at),
		RUN(a_ring_of_events_has_no_records),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
