/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_FIXTURE_H
#define SUPPORT_FIXTURE_H

/*
 * What the tests share: a ring on the rung under test, ticks to put through it, threads that are
 * joined or reported but never waited for in vain, clocks, and the library's hooks.
 *
 * cmocka's assertions end the test by a jump, so they belong to the main thread. A thread of a test
 * leaves its findings in memory, for the main thread to judge after runner_join().
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <disruptor/disruptor.h>

#include <pthread.h>

#if defined(DISRUPTOR_HOOKS)
#include "hook.h"
#endif

#if defined(__SANITIZE_THREAD__)
#define FIXTURE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIXTURE_TSAN 1
#endif
#endif
#ifndef FIXTURE_TSAN
#define FIXTURE_TSAN 0
#endif

#ifndef FIXTURE_EMULATED /* set for programs of another processor, which an emulator runs */
#define FIXTURE_EMULATED 0
#endif

/* How long anything that must happen may take before the test fails. */
#ifndef WATCHDOG_MS
#define WATCHDOG_MS (FIXTURE_TSAN || DISRUPTOR_ASAN || FIXTURE_EMULATED ? 20000 : 10000)
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* TEST(a_sentence) { … } is a test; RUN(a_sentence) lists it for cmocka, with a watchdog on it. */
#define TEST(name) static void name(void **state DISRUPTOR_UNUSED)
#define RUN(name) cmocka_unit_test_setup_teardown(name, watchdog_setup, watchdog_teardown)

/* ---- events ---- */

/* The event of most tests: publish_ticks() sets value to the position. */
struct tick {
	uint64_t value;
	uint64_t from; /* which producer */
};

DISRUPTOR_EVENT(tick, struct tick,
	DISRUPTOR_U64(struct tick, value),
	DISRUPTOR_U64(struct tick, from));

/* A type without fields, of any size and alignment. */
struct disruptor_type bytes_type(uint32_t size, uint32_t align);

/* ---- rings ---- */

/* The rung that DISRUPTOR_TEST_RUNG names; AUTO if it is not set. Anything else ends the program. */
enum disruptor_rung fixture_rung(void);

/* Options of a ring of @p capacity slots on that rung, everything else the default. */
struct disruptor_options fixture_options(uint64_t capacity);

/* A ring of ticks on that rung; fails the test with the library's detail if there is none. */
struct disruptor_ring *ring_open(const struct disruptor_options *options);
/* Destroy it, *ring is then NULL; fails the test if views are still open. */
void ring_close(struct disruptor_ring **ring);

#define FIXTURE_CONSUMERS 4

/* A ring with one producer and some consumers side by side. */
struct fixture {
	struct disruptor_ring *ring;
	struct tick_producer producer;
	struct tick_consumer consumer[FIXTURE_CONSUMERS];
	unsigned consumers;
};

void fixture_open(struct fixture *f, uint64_t capacity, unsigned consumers);
void fixture_open_with(struct fixture *f, const struct disruptor_options *options,
		       unsigned consumers);
/* Close what is still open, the consumers in reverse order, and destroy the ring. */
void fixture_close(struct fixture *f);

/* Claim and publish @p n ticks one by one, value = position; none may have to wait. */
void publish_ticks(struct tick_producer *p, uint64_t n);
/* Read and release @p n ticks, checking that value = position; all must be ready. */
void read_ticks(struct tick_consumer *c, uint64_t n);

/* ---- wait strategies ---- */

/* Every strategy once, the custom one included; parameters so that tests are quick. */
#define FIXTURE_WAITS 7
struct disruptor_wait fixture_wait(size_t i);
/* Whether it sleeps until woken, so that it is counted by stats().sleeps. */
bool wait_parks(const struct disruptor_wait *w);

/* ---- threads, and not waiting for them in vain ---- */

struct runner {
	const char *what;
	void (*run)(void *argument);
	void *argument;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

/* Start a thread; @p what names it if it hangs. */
void runner_start(struct runner *t, const char *what, void (*run)(void *), void *argument);
/* Whether it has returned. */
bool runner_done(struct runner *t);
/* Join it; if it does not end in WATCHDOG_MS, say so and end the program with a failure. */
void runner_join(struct runner *t);
/* The same with a time of one's own, which is scaled up under a sanitizer. */
void runner_join_within(struct runner *t, uint64_t ms);

/* End the program with a message if the calling test runs longer; 0 takes it back. */
void watchdog(const char *what, unsigned seconds);
/* cmocka setup and teardown that put a watchdog of 60 s on a test, of more on one made longer. */
int watchdog_setup(void **state);
int watchdog_teardown(void **state);

/* Wait until @p done says so; end the program with a failure after WATCHDOG_MS. */
void await(const char *what, bool (*done)(void *context), void *context);
/* Wait until threads have gone to sleep on the ring at least @p times in all. */
void await_sleeps(struct disruptor_ring *ring, uint64_t times);

void pause_ms(unsigned ms);

/* ---- clocks ---- */

/* CPU time of the calling thread, and of the process. */
uint64_t thread_cpu_ns(void);
uint64_t process_cpu_ns(void);

/* DISRUPTOR_STRESS_PERCENT, of what stress tests do by themselves; 100 if it is not set. */
unsigned fixture_percent(void);

/* ---- numbers at random, the same for the same seed ---- */

/* DISRUPTOR_TEST_SEED, or @p otherwise. */
uint64_t fixture_seed(uint64_t otherwise);
/* xorshift64*: @p state must not be 0. */
uint64_t next_random(uint64_t *state);

/* ---- assertions ---- */

/* The last failure's detail line contains @p word. */
#define assert_detail(word) check_detail((word), __FILE__, __LINE__)
void check_detail(const char *word, const char *file, int line);

/* A result code, reported by its name. */
#define assert_code(result, code) check_code((result), (code), __FILE__, __LINE__)
void check_code(int64_t result, int64_t code, const char *file, int line);

/* ---- hooks ---- */

#if defined(DISRUPTOR_HOOKS)
/*
 * Call @p act the first @p times that any thread comes to @p point. Not while threads run in the
 * library that may come to a hook.
 */
void hook_at(enum hook_point point, unsigned times, void (*act)(void *context), void *context);
/* How often @p act has been called since. */
unsigned hook_calls(void);
void hook_clear(void);
#endif

#endif
