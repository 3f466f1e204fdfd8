/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "stress.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SANITIZED (FIXTURE_TSAN || DISRUPTOR_ASAN)
#define MS UINT64_C(1000000)
#define EVENTS_PER_CLOCK 64
#define NO_PROGRESS_MS (SANITIZED || FIXTURE_EMULATED ? 20000u : 2000u)

struct budget budget_of(uint64_t events, unsigned ms)
{
	uint64_t percent = fixture_percent();

	if (events < UINT64_MAX / 2) /* more than that is "all the time" */
		events = events * percent / 100 + 1;
	return (struct budget){ .left = SANITIZED ? events / 10 + 1 : events,
				.deadline = disruptor_in(ms * percent * (MS / 100)),
				.until_clock = EVENTS_PER_CLOCK };
}

bool budget_take(struct budget *b)
{
	if (b->left == 0)
		return false;
	if (--b->until_clock == 0) {
		b->until_clock = EVENTS_PER_CLOCK;
		if (disruptor_now() >= b->deadline)
			b->left = 1;
	}
	b->left--;
	return true;
}

void progress_made(struct progress *p)
{
	disruptor_fetch_add_relaxed(&p->count, UINT64_C(1));
}

static bool all_done(struct runner *threads, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!runner_done(&threads[i]))
			return false;
	return true;
}

static void say_who_hangs(struct runner *threads, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!runner_done(&threads[i]))
			print_error("[ WATCHDOG ] no progress for %u ms: %s\n", NO_PROGRESS_MS,
				    threads[i].what);
	fflush(NULL);
	_exit(1);
}

void join_with_progress(struct runner *threads, size_t n, struct progress *p)
{
	uint64_t seen = UINT64_MAX, since = disruptor_now();

	while (!all_done(threads, n)) {
		uint64_t now = disruptor_now();
		uint64_t count = disruptor_load_relaxed(&p->count);

		if (count != seen) {
			seen = count;
			since = now;
		} else if (now - since > NO_PROGRESS_MS * MS) {
			say_who_hangs(threads, n);
		}
		pause_ms(1);
	}
	for (size_t i = 0; i < n; i++)
		runner_join(&threads[i]);
}

uint64_t random_in(uint64_t *state, uint64_t from, uint64_t to)
{
	return from + next_random(state) % (to - from + 1);
}

void random_pause(uint64_t *state)
{
	uint64_t n = next_random(state) % 64;
	struct timespec t = { .tv_nsec = (long)(n * 2000) };

	if (n < 40)
		return;
	if (n < 56)
		sched_yield();
	else
		nanosleep(&t, NULL);
}

static void refused(const char *what)
{
	print_error("%s: %s\n", what, disruptor_error_detail());
	fflush(NULL);
	_exit(1);
}

void open_producer(struct tick_producer *p, struct disruptor_ring *ring, struct disruptor_wait wait)
{
	const struct disruptor_producer_options options = { .size = sizeof(options), .wait = wait };

	if (tick_producer_open(p, ring, &options) != 0)
		refused("producer");
}

void open_consumer(struct tick_consumer *c, struct disruptor_ring *ring, struct disruptor_wait wait)
{
	const struct disruptor_consumer_options options = { .size = sizeof(options), .wait = wait };

	if (tick_consumer_open(c, ring, &options) != 0)
		refused("consumer");
}

/* ---- checkers ---- */

static int checker_start(void *context)
{
	((struct checker *)context)->starts++;
	return 0;
}

static int checker_event(void *context, void *event, uint64_t position, int last)
{
	struct checker *c = context;
	const struct tick *t = event;

	(void)last;
	c->wrong += position != c->next || t->value != position;
	c->next = position + 1;
	if (c->progress)
		progress_made(c->progress);
	return DISRUPTOR_CONTINUE;
}

static int checker_stop(void *context)
{
	((struct checker *)context)->stops++;
	return 0;
}

void checker_init(struct checker *c, const char *name, struct progress *progress)
{
	memset(c, 0, sizeof(*c));
	c->progress = progress;
	c->handler = (struct disruptor_handler){
		.size = sizeof(c->handler),
		.name = name,
		.context = c,
		.on_start = checker_start,
		.on_event = checker_event,
		.on_stop = checker_stop,
	};
}

void checker_add(struct checker *c, struct disruptor *d)
{
	c->stage = disruptor_stage(d, &c->handler);
	if (!c->stage)
		refused("stage");
}
