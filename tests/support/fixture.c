/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
/* Threads under a sanitizer are slower, and share two cores with other tests. */
#define SLOWER (FIXTURE_TSAN || DISRUPTOR_ASAN || FIXTURE_EMULATED ? 10 : 1)

/* ---- events ---- */

struct disruptor_type bytes_type(uint32_t size, uint32_t align)
{
	return (struct disruptor_type){ .name = "bytes", .size = size, .align = align };
}

/* ---- rings ---- */

enum disruptor_rung fixture_rung(void)
{
	const char *wanted = getenv("DISRUPTOR_TEST_RUNG");

	if (!wanted || !wanted[0])
		return DISRUPTOR_RUNG_AUTO;
	for (int rung = DISRUPTOR_RUNG_AUTO; rung <= DISRUPTOR_RUNG_MUTEX; rung++)
		if (strcmp(wanted, disruptor_rung_name((enum disruptor_rung)rung)) == 0)
			return (enum disruptor_rung)rung;
	fprintf(stderr, "DISRUPTOR_TEST_RUNG: \"%s\" is no rung\n", wanted);
	exit(2);
}

struct disruptor_options fixture_options(uint64_t capacity)
{
	return (struct disruptor_options){
		.size = sizeof(struct disruptor_options),
		.capacity = capacity,
		.rung = fixture_rung(),
	};
}

struct disruptor_ring *ring_open(const struct disruptor_options *options)
{
	struct disruptor_ring *ring = NULL;
	int rc = disruptor_ring_create(&ring, &tick_type, options);

	if (rc != 0)
		fail_msg("ring: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	return ring;
}

void ring_close(struct disruptor_ring **ring)
{
	int rc = disruptor_ring_destroy(ring);

	if (rc != 0)
		fail_msg("ring: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
}

void fixture_open(struct fixture *f, uint64_t capacity, unsigned consumers)
{
	struct disruptor_options options = fixture_options(capacity);

	fixture_open_with(f, &options, consumers);
}

void fixture_open_with(struct fixture *f, const struct disruptor_options *options,
		       unsigned consumers)
{
	memset(f, 0, sizeof(*f));
	assert_true(consumers <= FIXTURE_CONSUMERS);
	f->ring = ring_open(options);
	f->consumers = consumers;
	assert_code(tick_producer_open(&f->producer, f->ring, NULL), 0);
	for (unsigned i = 0; i < consumers; i++)
		assert_code(tick_consumer_open(&f->consumer[i], f->ring, NULL), 0);
}

void fixture_close(struct fixture *f)
{
	/* those that the test has closed itself refuse */
	(void)tick_producer_close(&f->producer);
	for (unsigned i = f->consumers; i-- > 0;)
		(void)tick_consumer_close(&f->consumer[i]);
	ring_close(&f->ring);
}

void publish_ticks(struct tick_producer *p, uint64_t n)
{
	while (n-- > 0) {
		struct tick *t = tick_try_claim(p);

		if (!t)
			fail_msg("claim: %s", disruptor_error_name(tick_status(p)));
		t->value = disruptor_producer_position(&p->view);
		assert_code(tick_publish(p), 0);
	}
}

void read_ticks(struct tick_consumer *c, uint64_t n)
{
	while (n > 0) {
		uint64_t ready = tick_ready(c);
		uint64_t take = ready < n ? ready : n;

		if (ready == 0)
			fail_msg("%llu more ticks should be ready", (unsigned long long)n);
		for (uint64_t i = 0; i < take; i++)
			assert_int_equal(tick_at(c, i)->value,
					 disruptor_consumer_position(&c->view) + i);
		assert_code(tick_release(c, take), 0);
		n -= take;
	}
}

/* ---- wait strategies ---- */

static int yield_between(void *context, uint64_t round)
{
	(void)context;
	(void)round;
	sched_yield();
	return 0;
}

struct disruptor_wait fixture_wait(size_t i)
{
	switch (i) {
	case 0:
		return disruptor_wait_busy_spin();
	case 1:
		return disruptor_wait_spin();
	case 2:
		return disruptor_wait_yielding();
	case 3:
		return disruptor_wait_sleeping(1000, 1000000);
	case 4:
		return disruptor_wait_phased(20000, 100000);
	case 5:
		return disruptor_wait_blocking();
	default:
		return disruptor_wait_custom(yield_between, NULL);
	}
}

bool wait_parks(const struct disruptor_wait *w)
{
	return w->kind == DISRUPTOR_WAIT_BLOCKING || w->kind == DISRUPTOR_WAIT_PHASED ||
	       w->kind == DISRUPTOR_WAIT_DEFAULT;
}

/* ---- threads ---- */

static struct timespec timespec_at(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / (1000 * MS)),
				  .tv_nsec = (long)(ns % (1000 * MS)) };
}

/* Not an assertion: the thread that hangs still uses the test's stack, so nothing may go on. */
static void give_up(const char *what, uint64_t ms)
{
	print_error("[ WATCHDOG ] %s: still not done after %llu ms\n", what,
		    (unsigned long long)ms);
	fflush(NULL);
	_exit(1);
}

static void *runner_main(void *argument)
{
	struct runner *t = argument;

	t->run(t->argument);
	pthread_mutex_lock(&t->lock);
	t->done = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

void runner_start(struct runner *t, const char *what, void (*run)(void *), void *argument)
{
	pthread_condattr_t attributes;
	int rc;

	*t = (struct runner){ .what = what, .run = run, .argument = argument };
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	rc = pthread_create(&t->thread, NULL, runner_main, t);
	if (rc != 0)
		fail_msg("thread '%s': %s", what, strerror(rc));
}

bool runner_done(struct runner *t)
{
	bool done;

	pthread_mutex_lock(&t->lock);
	done = t->done;
	pthread_mutex_unlock(&t->lock);
	return done;
}

static void join_within(struct runner *t, uint64_t ms)
{
	struct timespec until = timespec_at(disruptor_in(ms * MS));
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	while (!t->done && rc == 0)
		rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
	if (!t->done)
		give_up(t->what, ms);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
}

void runner_join(struct runner *t)
{
	join_within(t, WATCHDOG_MS);
}

void runner_join_within(struct runner *t, uint64_t ms)
{
	join_within(t, ms * SLOWER);
}

/* ---- watchdogs ---- */

static const char *watched;

static void on_alarm(int signal)
{
	static const char text[] = "[ WATCHDOG ] the test takes too long: ";

	(void)signal;
	/* nothing to do about a failing write: the program ends with a failure in any case */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) > 0 && watched)
		(void)!write(STDERR_FILENO, watched, strlen(watched));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(1);
}

void watchdog(const char *what, unsigned seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };

	watched = what;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

int watchdog_setup(void **state)
{
	unsigned percent = fixture_percent();

	(void)state;
	watchdog("see the last RUN line", percent > 100 ? 60 * (percent / 100 + 1) : 60);
	return 0;
}

int watchdog_teardown(void **state)
{
	(void)state;
	watchdog(NULL, 0);
#if defined(DISRUPTOR_HOOKS)
	hook_clear();
#endif
	return 0;
}

void await(const char *what, bool (*done)(void *context), void *context)
{
	uint64_t deadline = disruptor_in(WATCHDOG_MS * MS);

	while (!done(context)) {
		if (disruptor_now() > deadline)
			give_up(what, WATCHDOG_MS);
		pause_ms(1);
	}
}

struct sleeps {
	struct disruptor_ring *ring;
	uint64_t times;
};

static bool has_slept(void *context)
{
	struct sleeps *s = context;

	return disruptor_ring_stats(s->ring).sleeps >= s->times;
}

void await_sleeps(struct disruptor_ring *ring, uint64_t times)
{
	struct sleeps s = { ring, times };

	await("a thread that should go to sleep", has_slept, &s);
}

void pause_ms(unsigned ms)
{
	struct timespec t = timespec_at(ms * MS);

	nanosleep(&t, NULL);
}

/* ---- clocks ---- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

uint64_t thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t process_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- numbers at random ---- */

unsigned fixture_percent(void)
{
	const char *text = getenv("DISRUPTOR_STRESS_PERCENT");
	char *end;
	unsigned long percent;

	if (!text)
		return 100;
	percent = strtoul(text, &end, 10);
	if (*end != '\0' || percent < 1 || percent > 1000000) {
		print_error("DISRUPTOR_STRESS_PERCENT: '%s' is not in 1 … 1000000\n", text);
		exit(1);
	}
	return (unsigned)percent;
}

uint64_t fixture_seed(uint64_t otherwise)
{
	const char *seed = getenv("DISRUPTOR_TEST_SEED");
	uint64_t n = seed ? strtoull(seed, NULL, 0) : 0;

	return n ? n : otherwise;
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

/* ---- assertions ---- */

void check_detail(const char *word, const char *file, int line)
{
	if (strstr(disruptor_error_detail(), word))
		return;
	print_error("the detail does not mention \"%s\": %s\n", word, disruptor_error_detail());
	_fail(file, line);
}

static const char *code_text(int64_t code)
{
	return code > 0 ? "a count" : disruptor_error_name((int)code);
}

void check_code(int64_t result, int64_t code, const char *file, int line)
{
	if (result == code)
		return;
	print_error("%s (%lld), expected %s (%lld); detail: %s\n", code_text(result),
		    (long long)result, code_text(code), (long long)code, disruptor_error_detail());
	_fail(file, line);
}

/* ---- hooks ---- */

#if defined(DISRUPTOR_HOOKS)
static struct {
	enum hook_point point;
	DISRUPTOR_ATOMIC(unsigned) left;
	DISRUPTOR_ATOMIC(unsigned) calls;
	void (*act)(void *context);
	void *context;
} hook;

static void on_hook(enum hook_point point, void *context)
{
	unsigned left = disruptor_load_acquire(&hook.left);

	(void)context;
	if (point != hook.point)
		return;
	while (left != 0)
		if (disruptor_cas_acq_rel(&hook.left, &left, left - 1)) {
			hook.act(hook.context);
			disruptor_fetch_add_relaxed(&hook.calls, 1u);
			return;
		}
}

void hook_at(enum hook_point point, unsigned times, void (*act)(void *context), void *context)
{
	hook.point = point;
	hook.act = act;
	hook.context = context;
	disruptor_store_relaxed(&hook.calls, 0u);
	disruptor_store_release(&hook.left, times);
	hook_context = NULL;
	hook_function = on_hook;
}

unsigned hook_calls(void)
{
	return disruptor_load_acquire(&hook.calls);
}

void hook_clear(void)
{
	disruptor_store_release(&hook.left, 0u);
	hook_function = NULL;
}
#endif
