/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Processes that die on a ring that others share: at every named instant, one after the other, and
 * the repairer, too. Nothing published is lost, out of order or seen twice, and the others go on. Linux.
 */
#define _GNU_SOURCE
#include "hook.h" /* first: the inline functions have hooks, too */

#include "shared.h"

#include <disruptor/segment.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_DEATHS 2000

/* What the doomed process has done, told to us in memory of our own. */
struct told {
	uint64_t begun;  /* values of a publish, or positions of a release, that has begun … */
	uint64_t done;   /* … and that has ended */
	uint64_t opened; /* views */
	uint64_t hooks;  /* passed */
	int failed;      /* line */
};

static struct told *told;

/* ---- the end of a process at its n-th hook ---- */

static uint64_t lives;       /* hooks */
static bool repairs;         /* what it does on opening counts, too */
static bool dies_with_claim; /* at its first claim, or ready event */
static bool dies_with_news;  /* when it has cleared a word, and not told who raised it */

static void die(enum hook_point point, void *context)
{
	(void)context;
	if (++told->hooks == lives ||
	    (dies_with_claim && (point == HOOK_CLAIM_SWAPPED || point == HOOK_READY)) ||
	    (dies_with_news && point == HOOK_WAKE_CLEARED))
		(void)kill(getpid(), SIGKILL);
}

#define DO(what)                                                                                   \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			told->failed = __LINE__;                                                   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* ---- rings ---- */

struct kind {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	unsigned flags;
};

static struct disruptor_segment *make(const struct kind *kind, uint64_t capacity)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory,
						     .flags = DISRUPTOR_SEGMENT_CREATE |
							      DISRUPTOR_SEGMENT_NEW };
	struct disruptor_options ring = fixture_options(capacity);
	struct disruptor_segment *s;

	ring.layout = kind->layout;
	ring.producers = kind->producers;
	ring.flags = kind->flags;
	ring.max_producers = kind->producers == DISRUPTOR_MANY ? 4 : 0;
	if (ring.rung == DISRUPTOR_RUNG_MUTEX)
		ring.rung = DISRUPTOR_RUNG_AUTO;
	(void)disruptor_segment_remove("ring", &o); /* of a test that failed */
	assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o), 0);
	return s;
}

static struct disruptor_segment *find(void)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory };
	struct disruptor_segment *s = NULL;

	return disruptor_segment_open(&s, "ring", &tick_type, NULL, &o) == 0 ? s : NULL;
}

static void finish(struct disruptor_segment **s)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory };
	struct disruptor_participant p;
	uint32_t present = 0;

	for (uint32_t i = 0; disruptor_segment_participant(*s, i, &p) == 0; i++)
		present += (uint32_t)p.present;
	assert_int_equal(present, 1); /* us: the dead are buried */
	assert_code(disruptor_segment_close(s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
}

/* Run @p script in a process that dies at its @p n-th hook, 0: lives. Whether it died. */
static bool run(void (*script)(struct disruptor_segment *s), uint64_t n)
{
	pid_t child;
	int status;

	*told = (struct told){ 0 };
	child = fork();
	if (child == 0) {
		struct disruptor_segment *s;

		alarm(60);
		lives = n;
		if (repairs)
			hook_function = die;
		s = find();
		DO(s);
		hook_function = die;
		script(s);
		hook_function = NULL;
		_exit(disruptor_segment_close(&s) == 0 ? 0 : 2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(told->failed, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* ---- a producer ---- */

#define BEFORE 13 /* events, so that what follows goes round */
#define CAPACITY 16

static void publish(struct tick_producer *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct tick *t = disruptor_claimed_at(&p->view, i);

		*t = (struct tick){ .value = told->begun + i, .from = 1 };
	}
	told->begun += n;
	DO(disruptor_publish_n(&p->view, n) == 0);
	told->done += n;
}

static void produce(struct disruptor_segment *s)
{
	const struct disruptor_ring_info info = disruptor_ring_info(disruptor_segment_ring(s));
	struct tick_producer p;

	DO(tick_producer_open(&p, disruptor_segment_ring(s), NULL) == 0);
	for (int i = 0; i < 2; i++) {
		DO(disruptor_claim_n(&p.view, 1));
		publish(&p, 1);
		DO(disruptor_claim_n(&p.view, 3));
		publish(&p, 2);
		if (info.layout == DISRUPTOR_STAMPED)
			DO(disruptor_abort_n(&p.view, 1) == 0);
		else
			publish(&p, 1);
	}
	DO(disruptor_claim_n(&p.view, 2));
	DO(tick_producer_close(&p) == 0); /* gives them up */
}

/* Let @p n of ours through, value from @p from. */
static void pass(struct tick_producer *p, struct tick_consumer *c, uint64_t from, uint64_t n)
{
	for (uint64_t i = from; i < from + n; i++) {
		struct tick *t =
			disruptor_claim_until(&p->view, 1, disruptor_in(UINT64_C(5000000000)));

		assert_non_null(t);
		*t = (struct tick){ .value = i, .from = 0 };
		assert_code(tick_publish(p), 0);
		assert_int_equal(tick_ready_until(c, disruptor_in(UINT64_C(5000000000))), 1);
		assert_int_equal(tick_at(c, 0)->value, i);
		assert_int_equal(tick_at(c, 0)->from, 0);
		(void)tick_release(c, 1);
	}
}

/* What the child has published: all of it that a publish ended for, in order, nothing else. */
static void read_of_the_dead(struct tick_consumer *c)
{
	uint64_t next = 0, n;

	while ((n = tick_ready(c)) != 0) {
		for (uint64_t i = 0; i < n; i++) {
			const struct tick *t = tick_at(c, i);

			assert_int_equal(t->from, 1);
			assert_true(t->value >= next && t->value < told->begun);
			/* a gap is of a run whose publish had not ended */
			assert_true(t->value == next || next >= told->done);
			next = t->value + 1;
		}
		(void)tick_release(c, n);
	}
	assert_true(next >= told->done);
}

static void expect_life(struct disruptor_segment *s, struct tick_consumer *c)
{
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct tick_producer p;
	uint64_t position;

	read_of_the_dead(c);
	assert_int_equal(disruptor_ring_stats(r).open_producers, 0);
	assert_int_equal(disruptor_ring_unpublished(r, &position, NULL), 0);
	assert_code(tick_producer_open(&p, r, NULL), 0);
	pass(&p, c, 100, 2 * CAPACITY);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(c), 0);
	finish(&s);
}

static struct disruptor_segment *begin(const struct kind *kind, struct tick_consumer *c)
{
	struct disruptor_segment *s = make(kind, CAPACITY);
	struct tick_producer p;

	assert_code(tick_consumer_open(c, disruptor_segment_ring(s), NULL), 0);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	pass(&p, c, 0, BEFORE);
	assert_code(tick_producer_close(&p), 0);
	return s;
}

static const struct kind kinds[] = {
	{ .layout = DISRUPTOR_STAMPED, .producers = DISRUPTOR_SINGLE },
	{ .layout = DISRUPTOR_STAMPED, .producers = DISRUPTOR_MANY },
	{ .layout = DISRUPTOR_STAMPED, .producers = DISRUPTOR_SINGLE, .flags = DISRUPTOR_LOSSY },
	{ .layout = DISRUPTOR_PACKED, .producers = DISRUPTOR_SINGLE },
};

TEST(a_producer_dies_at_any_instant)
{
	for (size_t k = 0; k < COUNT(kinds); k++) {
		uint64_t n = 1;

		for (bool died = true; died; n++) {
			struct tick_consumer c;
			struct disruptor_segment *s = begin(&kinds[k], &c);

			died = run(produce, n);
			disruptor_segment_tend(s);
			expect_life(s, &c);
			assert_true(n < MAX_DEATHS);
		}
		assert_true(n > 30);
	}
}

/* ---- the repairer ---- */

static void tend(struct disruptor_segment *s)
{
	disruptor_segment_tend(s);
}

TEST(who_repairs_dies_at_any_instant)
{
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (uint64_t n = 4;; n += 3) {
			uint64_t m = 1;

			for (bool died = true; died; m++) {
				struct tick_consumer c;
				struct disruptor_segment *s = begin(&kinds[k], &c);
				struct told first;

				if (!run(produce, n))
					goto next;
				first = *told;
				repairs = true;
				died = run(tend, m);
				repairs = false;
				*told = first;
				disruptor_segment_tend(s);
				expect_life(s, &c);
				assert_true(m < MAX_DEATHS);
				continue;
next:
				expect_life(s, &c);
				n = MAX_DEATHS;
				break;
			}
			if (n >= MAX_DEATHS)
				break;
		}
}

/* ---- two at a time ---- */

TEST(two_producers_have_died_and_a_third_lives)
{
	struct tick_consumer c;
	struct disruptor_segment *s = begin(&kinds[1], &c);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct tick_producer p;
	struct told first;
	struct tick *t;

	assert_code(tick_producer_open(&p, r, NULL), 0);
	/* each dies with a run of three open */
	dies_with_claim = true;
	assert_true(run(produce, UINT64_MAX));
	t = tick_claim(&p); /* behind a claim of the dead, before another */
	assert_non_null(t);
	*t = (struct tick){ .value = 0, .from = 1 };
	first = *told;
	assert_true(run(produce, UINT64_MAX));
	dies_with_claim = false;
	assert_int_equal(first.begun, 0);
	disruptor_segment_tend(s);
	/* ours is not voided, and nothing passes it */
	assert_int_equal(tick_ready(&c), 0);
	assert_code(tick_publish(&p), 0);
	told->begun = told->done = 1;
	disruptor_segment_tend(s);
	assert_code(tick_producer_close(&p), 0);
	expect_life(s, &c);
}

/* ---- a consumer ---- */

static uint32_t if_dead;

static void consume(struct disruptor_segment *s)
{
	const struct disruptor_consumer_options o = {
		.size = sizeof(o), .name = "worker", .at = DISRUPTOR_AT_OLDEST, .if_dead = if_dead
	};
	struct tick_consumer c;

	for (uint64_t i = 1; i < 4; i++) {
		DO(tick_consumer_open(&c, disruptor_segment_ring(s), &o) == 0);
		told->opened++;
		DO(tick_ready(&c) > i);
		told->begun = disruptor_consumer_position(&c.view) + i;
		(void)tick_release(&c, i);
		told->done = told->begun;
		DO(tick_consumer_close(&c) == 0);
	}
}

/* The ring is full for who died; it is opened again, and goes on. */
static void take_up(struct disruptor_ring *r, struct tick_producer *p)
{
	struct disruptor_consumer_options o = { .size = sizeof(o), .name = "worker" };
	struct tick_consumer worker;
	uint64_t next;

	assert_int_equal(disruptor_producer_status(&p->view), DISRUPTOR_E_PEER_DEAD);
	assert_detail("'worker'");
	o.at = DISRUPTOR_AT_POSITION;
	o.position = UINT64_C(1) << 40;
	assert_code(tick_consumer_open(&worker, r, &o), DISRUPTOR_E_RANGE);
	o.at = DISRUPTOR_AT_NEWEST;
	o.position = 0;
	assert_code(tick_consumer_open(&worker, r, &o), 0);
	next = disruptor_consumer_position(&worker.view);
	if (told->opened == 1) /* it has not begun anew */
		assert_true(next >= told->done && (next <= told->begun || told->begun == 0));
	for (uint64_t n; (n = tick_ready(&worker)) != 0;) {
		for (uint64_t i = 0; i < n; i++)
			assert_int_equal(tick_at(&worker, i)->value, next++);
		(void)tick_release(&worker, n);
	}
	assert_code(tick_consumer_close(&worker), 0);
}

static bool a_consumer_dies(uint64_t n, bool *held)
{
	struct tick_consumer c;
	struct disruptor_segment *s = begin(&kinds[0], &c);
	struct disruptor_ring *r = disruptor_segment_ring(s);
	struct tick_producer p;
	bool died;

	assert_code(tick_producer_open(&p, r, NULL), 0);
	died = run(consume, n);
	*held = false;
	for (uint64_t i = BEFORE; i < BEFORE + 2 * CAPACITY; i++) {
		struct tick *t =
			disruptor_claim_until(&p.view, 1, disruptor_in(UINT64_C(30000000)));

		if (!t) {
			assert_false(*held);
			*held = true;
			take_up(r, &p);
			t = tick_claim(&p);
		}
		t->value = i;
		assert_code(tick_publish(&p), 0);
		while (tick_ready(&c))
			(void)tick_release(&c, 1);
	}
	disruptor_segment_tend(s);
	assert_code(tick_producer_close(&p), 0);
	assert_int_equal(disruptor_ring_stats(r).consumers, 1);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
	return died;
}

TEST(a_required_consumer_dies_and_is_taken_up_again)
{
	uint64_t helds = 0, n = 1;
	bool held;

	if_dead = DISRUPTOR_REQUIRED;
	for (; a_consumer_dies(n, &held); n++)
		helds += held;
	assert_true(n > 20);
	assert_true(helds > 5);
}

TEST(an_optional_consumer_dies_and_nobody_waits_for_it)
{
	uint64_t n = 1;
	bool held;

	if_dead = DISRUPTOR_OPTIONAL;
	for (; a_consumer_dies(n, &held); n++)
		assert_false(held);
	assert_true(n > 20);
}

TEST(a_required_consumer_is_dismissed)
{
	struct tick_consumer c;
	struct disruptor_segment *s = begin(&kinds[0], &c);
	struct tick_producer p;

	if_dead = DISRUPTOR_REQUIRED;
	assert_code(disruptor_segment_dismiss(s, "worker"), DISRUPTOR_E_NOT_FOUND);
	assert_code(disruptor_segment_dismiss(s, "consumer"), DISRUPTOR_E_BUSY);
	dies_with_claim = true;
	assert_true(run(consume, UINT64_MAX));
	dies_with_claim = false;
	assert_int_equal(disruptor_ring_stats(disruptor_segment_ring(s)).consumers, 2);
	assert_code(disruptor_segment_dismiss(s, "worker"), 0);
	assert_int_equal(disruptor_ring_stats(disruptor_segment_ring(s)).consumers, 1);
	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	pass(&p, &c, 50, 2 * CAPACITY);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

/* ---- who closes ---- */

static void close_and_open(struct disruptor_segment *s)
{
	struct disruptor_ring *r = disruptor_segment_ring(s);

	disruptor_ring_close(r);
	DO(disruptor_ring_reopen(r) == 0);
	disruptor_ring_close(r);
}

TEST(who_closes_dies_at_any_instant)
{
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (uint64_t n = 1;; n++) {
			struct tick_consumer c;
			struct disruptor_segment *s = begin(&kinds[k], &c);
			struct disruptor_ring *r = disruptor_segment_ring(s);
			bool died = run(close_and_open, n);

			disruptor_segment_tend(s);
			if (disruptor_ring_stats(r).state != 0) {
				assert_int_equal(
					tick_ready_until(&c, disruptor_in(UINT64_C(5000000000))),
					DISRUPTOR_E_CLOSED);
				assert_code(disruptor_ring_reopen(r), 0);
			}
			*told = (struct told){ 0 };
			expect_life(s, &c);
			if (!died)
				break;
		}
}

/* ---- that others wait for ---- */

_Noreturn static void claims_and_sleeps(struct disruptor_segment *s)
{
	struct tick_producer p;

	if (tick_producer_open(&p, disruptor_segment_ring(s), NULL) == 0 && tick_claim(&p))
		told->done = 1;
	for (;;)
		(void)pause();
}

TEST(who_waits_finds_out_and_who_is_stopped_is_waited_for)
{
	struct tick_consumer c;
	struct disruptor_segment *s = begin(&kinds[1], &c);
	struct tick_producer p;
	struct tick *t;
	pid_t child;

	*told = (struct told){ 0 };
	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	child = fork();
	if (child == 0) {
		alarm(60);
		s = find();
		claims_and_sleeps(s);
	}
	while (disruptor_ring_stats(disruptor_segment_ring(s)).claimed == BEFORE)
		pause_ms(1);
	t = tick_claim(&p);
	assert_non_null(t);
	t->value = 7;
	assert_code(tick_publish(&p), 0);
	assert_int_equal(kill(child, SIGSTOP), 0);
	/* however long it takes, it lives */
	assert_int_equal(tick_ready_until(&c, disruptor_in(UINT64_C(100000000))),
			 DISRUPTOR_E_TIMEOUT);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(tick_ready_until(&c, disruptor_in(UINT64_C(5000000000))), 1);
	assert_int_equal(tick_at(&c, 0)->value, 7);
	(void)tick_release(&c, 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_code(tick_producer_close(&p), 0);
	assert_code(tick_consumer_close(&c), 0);
	finish(&s);
}

/* Sleep on a descriptor until somebody publishes; @p told_so gets a byte before. The exit status. */
static int watch(int told_so)
{
	struct disruptor_segment *s = find();
	struct pollfd p = { .events = POLLIN };
	struct tick_consumer c;

	alarm(60);
	if (!s || tick_consumer_open(&c, disruptor_segment_ring(s), NULL) != 0)
		return 1;
	p.fd = disruptor_consumer_fd(&c.view);
	if (disruptor_consumer_arm(&c.view) != 0 || write(told_so, "w", 1) != 1)
		return 2;
	if (poll(&p, 1, WATCHDOG_MS) != 1)
		return 3;
	if (disruptor_consumer_arm(&c.view) != 1 || tick_consumer_close(&c) != 0)
		return 4;
	return disruptor_segment_close(&s) == 0 ? 0 : 5;
}

/*
 * The dead one has published, taken the word, and told nobody; and it is another process that finds
 * it dead, for the one that watches is stopped meanwhile.
 */
TEST(who_watches_is_told_though_the_one_with_the_news_has_died)
{
	struct tick_consumer c;
	struct disruptor_segment *s = begin(&kinds[0], &c);
	int ends[2], status;
	pid_t child;
	char byte;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		_exit(watch(ends[1]));
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(kill(child, SIGSTOP), 0);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	dies_with_news = true;
	assert_true(run(produce, UINT64_MAX));
	dies_with_news = false;
	disruptor_segment_tend(s);
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(close(ends[0]) + close(ends[1]), 0);
	expect_life(s, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_producer_dies_at_any_instant),
		RUN(who_repairs_dies_at_any_instant),
		RUN(two_producers_have_died_and_a_third_lives),
		RUN(a_required_consumer_dies_and_is_taken_up_again),
		RUN(an_optional_consumer_dies_and_nobody_waits_for_it),
		RUN(a_required_consumer_is_dismissed),
		RUN(who_closes_dies_at_any_instant),
		RUN(who_waits_finds_out_and_who_is_stopped_is_waited_for),
		RUN(who_watches_is_told_though_the_one_with_the_news_has_died),
	};

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!shared_there_are_on_this_rung())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
