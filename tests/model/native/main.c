/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The clients on real threads: as often as there is time for, with what the machine does to them. */
#define _POSIX_C_SOURCE 200809L
#include "model.h"

#include "os/os.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: model_native [--ms N] [CLIENT[.RUNG]...]\n"
	"Run clients of the library on real threads, again and again for N ms each (100), on every\n"
	"rung that matters to each and that this machine has. Without a client: all.\n"
	"Exit status: 0 all holds; 1 not; 2 it was called wrongly.\n";

/* How long a round may take before it is said to hang, in s. */
#define HANGS_AFTER 30

static const char *const rungs[] = { "", "membarrier", "fence", "mutex" };

typedef DISRUPTOR_ATOMIC(unsigned) counter;

static const struct model_client *client;
static enum disruptor_rung rung;
static unsigned thread_count;
static counter round_started, round_done;
static DISRUPTOR_ATOMIC(uint64_t) seed;
static bool over;

enum disruptor_rung model_rung(void)
{
	return rung;
}

void model_failed(const char *what, const char *file, unsigned line)
{
	(void)fprintf(stderr, "%s.%s: %s:%u: does not hold: %s\n", client->name, rungs[rung], file,
		      line, what);
	_exit(1);
}

void model_pause(void)
{
	os_yield();
}

unsigned model_any(unsigned n)
{
	/* relaxed: any number will do */
	uint64_t x = disruptor_fetch_add_relaxed(&seed, UINT64_C(0x9e3779b97f4a7c15));

	return (unsigned)((x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9) >> 40) % n;
}

/* The compiler, a sanitizer and the processor see the accesses themselves. */
void model_reads(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

void model_writes(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

struct disruptor_allocator model_allocator(void)
{
	return (struct disruptor_allocator){ .allocate = NULL };
}

static void hangs(void)
{
	(void)fprintf(stderr, "%s.%s: hangs\n", client->name, rungs[rung]);
	_exit(1);
}

/* Rounds begin and end together, by counters: creating threads for each would take longer than it. */
static void *run_thread(void *argument)
{
	void (*body)(void) = client->threads[(uintptr_t)argument];

	for (unsigned round = 1;; round++) {
		while (disruptor_load_acquire(&round_started) != round) /* acquire: the setup */
			os_yield();
		if (over)
			return NULL;
		body();
		/* release: what the thread did, before finish() */
		(void)disruptor_fetch_add_release(&round_done, 1u);
	}
}

static void run_round(unsigned round)
{
	uint64_t deadline = os_now() + HANGS_AFTER * UINT64_C(1000000000);

	if (client->setup)
		client->setup();
	/* relaxed, then release: the others begin behind the second */
	disruptor_store_relaxed(&round_done, 0u);
	disruptor_store_release(&round_started, round);
	while (disruptor_load_acquire(&round_done) != thread_count) { /* acquire: what they did */
		if (os_now() > deadline)
			hangs();
		os_yield();
	}
	if (client->finish)
		client->finish();
}

static void run_client(const struct model_client *c, enum disruptor_rung on, unsigned long ms)
{
	pthread_t threads[MODEL_THREADS_MAX];
	uint64_t end = os_now() + ms * UINT64_C(1000000);
	unsigned round = 0;

	client = c;
	rung = on;
	over = false;
	/* relaxed: nobody else runs */
	disruptor_store_relaxed(&round_started, 0u);
	for (thread_count = 0; thread_count < MODEL_THREADS_MAX && c->threads[thread_count];
	     thread_count++)
		if (pthread_create(&threads[thread_count], NULL, run_thread,
				   (void *)(uintptr_t)thread_count) != 0) {
			perror("model_native: thread");
			exit(2);
		}
	do
		run_round(++round);
	while (os_now() < end);
	over = true;
	/* release: `over` */
	disruptor_store_release(&round_started, round + 1);
	for (unsigned i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	(void)printf("%s%s%s holds: %u rounds\n", c->name, c->rungs ? "." : "",
		     c->rungs ? rungs[on] : "", round);
}

/* False if there is no such client. */
static bool run_named(const char *name, unsigned long ms)
{
	bool known = false;

	for (size_t i = 0; model_clients[i]; i++) {
		const struct model_client *c = model_clients[i];
		size_t length = strlen(c->name);
		bool first = true;

		if (name && (strncmp(name, c->name, length) != 0 ||
			     (name[length] != '\0' && name[length] != '.')))
			continue;
		for (unsigned on = 1; on <= 3; on++) {
			if (name && name[length] && strcmp(name + length + 1, rungs[on]) != 0)
				continue;
			known = true;
			if (!(os_rungs() >> on & 1) || (!c->rungs && !first))
				continue;
			run_client(c, (enum disruptor_rung)on, ms);
			first = false;
		}
	}
	return known;
}

int main(int argc, char **argv)
{
	unsigned long ms = 100;
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (argc > 2 && strcmp(argv[1], "--ms") == 0) {
		ms = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	if (first == argc)
		return run_named(NULL, ms) ? 0 : 2;
	for (int i = first; i < argc; i++)
		if (!run_named(argv[i], ms)) {
			(void)fputs(usage, stderr);
			return 2;
		}
	return 0;
}
