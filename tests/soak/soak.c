/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Endurance: graphs at random, one after another, under load and trouble, each event checked. When
 * a graph has gone the process is as before it: no memory, descriptor or thread is kept.
 */
#define _POSIX_C_SOURCE 200809L
#include "soak.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define SANITIZED (FIXTURE_TSAN || DISRUPTOR_ASAN)
/* No event for so long: the graph is stuck. Or it does not come to its end. */
#define STUCK_NS ((SANITIZED ? 60 : 20) * SECOND)
#define ENDLESS_NS ((SANITIZED ? 300 : 90) * SECOND)
/* Memory may vary with what graphs there were; asan keeps what is freed, tsan what happened. */
#define SLACK_KIB (SANITIZED ? 1024 * 1024 : 24 * 1024)
#define WARM_UP_GRAPHS 30

static const char usage[] =
	"usage: soak [--minutes M | --seconds S] [--graphs N] [--seed SEED] [--run-ms MS]\n"
	"            [--quiet] [--json]\n"
	"\n"
	"Runs graphs at random under load, and checks every event, until the time is over.\n"
	"\n"
	"  --minutes M    how long; the default is 1\n"
	"  --seconds S    the same in seconds\n"
	"  --graphs N     end after so many graphs\n"
	"  --seed SEED    of the first graph; the seeds of the others follow from it. To run one\n"
	"                 graph again: --seed ITS-SEED --graphs 1. Threads go their own ways:\n"
	"                 the graph and what is done to it are the same, their moments are not\n"
	"  --run-ms MS    how long each graph is under load; the default is 300\n"
	"  --quiet        no line for each graph\n"
	"  --json         the result as one JSON object\n"
	"\n"
	"DISRUPTOR_TEST_RUNG=fence (membarrier, mutex) keeps all of them on one rung.\n"
	"Exits with 1 if an event is wrong, a graph stuck, or something is not given back.\n";

static const char *const tally_names[TALLIES] = {
	"events",          "graphs",
	"restarts",        "failures",
	"stopped_stages",  "retries",
	"rewinds",         "skips",
	"aborts",          "reopened_producers",
	"attached",        "detached",
	"changed_workers", "consumer_sessions",
	"lossy_reads",     "missed",
	"taken",           "conflated",
};

DISRUPTOR_ATOMIC(uint64_t) soak_tally[TALLIES];

static struct world world;

static struct soak {
	uint64_t until, began;
	uint64_t graphs; /* at most */
	uint64_t seed;
	unsigned run_ms;
	bool quiet, json, terminal;
	long threads, descriptors;          /* before the first graph */
	long rss_first, rss_last, rss_most; /* KiB */
	DISRUPTOR_ATOMIC(uint32_t) done;    /* the graph */
} soak = { .graphs = UINT64_MAX, .run_ms = 300 };

static uint64_t tally_of(enum tally_of what)
{
	return disruptor_load_relaxed(&soak_tally[what]); /* relaxed: a statistic */
}

/* ---- what is wrong ---- */

static void say_where(struct world *w)
{
	static struct disruptor_diagnosis found = { .size = sizeof(found) };
	static char text[8192];

	fprintf(stderr, "  graph %llu: %s\n  again: soak --seed 0x%llx --graphs 1\n",
		(unsigned long long)tally_of(GRAPHS), w->text, (unsigned long long)w->seed);
	fflush(stderr);
	if (!w->d || disruptor_diagnose(w->d, &found) != 0)
		return;
	(void)disruptor_diagnosis_text(&found, text, sizeof(text));
	fputs(text, stderr);
}

void die(struct world *w, const char *format, ...)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	va_list arguments;

	pthread_mutex_lock(&once); /* for good */
	alarm(10);                 /* the diagnosis may find its locks taken */
	fflush(stdout);
	fprintf(stderr, "\nsoak: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	say_where(w);
	fflush(NULL);
	_exit(1);
}

/* ---- what the process has ---- */

/* A number of /proc/self/status; -1 where there is none. */
static long status_of(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	const size_t length = strlen(field);
	char line[256];
	long value = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			value = strtol(line + length + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static long open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	long n = -1;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Threads leave the list shortly after they are joined. */
static bool has_returned_to(long threads)
{
	for (unsigned i = 0; i < 2000 && status_of("Threads") > threads; i++)
		pause_ms(1);
	return status_of("Threads") <= threads;
}

static void expect_all_given_back(void)
{
	long descriptors = open_descriptors(), rss = status_of("VmRSS");

	if (descriptors != soak.descriptors)
		die(&world, "%ld descriptors are open, before the first graph there were %ld",
		    descriptors, soak.descriptors);
	if (!has_returned_to(soak.threads))
		die(&world, "%ld threads are there, before the first graph there were %ld",
		    status_of("Threads"), soak.threads);
	soak.rss_last = rss;
	if (tally_of(GRAPHS) <= WARM_UP_GRAPHS) {
		soak.rss_first = rss > soak.rss_first ? rss : soak.rss_first;
		return;
	}
	soak.rss_most = rss > soak.rss_most ? rss : soak.rss_most;
	if (rss > soak.rss_first + SLACK_KIB)
		die(&world, "memory grows: %ld KiB, after %u graphs it was %ld", rss,
		    WARM_UP_GRAPHS, soak.rss_first);
}

/* ---- watching a graph ---- */

static void run_graph(void *unused)
{
	(void)unused;
	world_run(&world);
	disruptor_store_release(&soak.done, 1u);
}

static void print_progress(void)
{
	const uint64_t now = disruptor_now();
	const uint64_t left = now < soak.until ? (soak.until - now) / SECOND : 0;

	if (!soak.terminal)
		return;
	fprintf(stderr, "\r%3llu:%02llu left  %llu graphs  %.1f M events  %llu restarts  %ld MiB ",
		(unsigned long long)(left / 60), (unsigned long long)(left % 60),
		(unsigned long long)tally_of(GRAPHS), (double)tally_of(EVENTS) / 1e6,
		(unsigned long long)tally_of(RESTARTS), status_of("VmRSS") / 1024);
}

static void watch_graph(void)
{
	const uint64_t began = disruptor_now();
	uint64_t seen = UINT64_MAX, since = began;

	while (!disruptor_load_acquire(&soak.done)) {
		const uint64_t now = disruptor_now(), events = tally_of(EVENTS);

		if (events != seen) {
			seen = events;
			since = now;
		}
		if (now - since > STUCK_NS)
			die(&world, "stuck: no event for %llu s",
			    (unsigned long long)((now - since) / SECOND));
		if (now - began > ENDLESS_NS + soak.run_ms * UINT64_C(1000000))
			die(&world, "it does not come to its end");
		print_progress();
		pause_ms(10);
	}
}

static void soak_graph(uint64_t seed)
{
	const uint64_t before = tally_of(EVENTS), began = disruptor_now();
	struct runner thread;

	disruptor_store_release(&soak.done, 0u);
	world_build(&world, seed, soak.run_ms * UINT64_C(1000000));
	runner_start(&thread, "the graph", run_graph, NULL);
	watch_graph();
	runner_join(&thread);
	expect_all_given_back();
	if (!soak.quiet && !soak.terminal)
		printf("%llu: 0x%llx: %llu events in %llu ms: %s\n",
		       (unsigned long long)tally_of(GRAPHS), (unsigned long long)seed,
		       (unsigned long long)(tally_of(EVENTS) - before),
		       (unsigned long long)((disruptor_now() - began) / 1000000), world.text);
	fflush(stdout);
}

/* ---- the program ---- */

static uint64_t number_of(const char *option, const char *text)
{
	char *end = NULL;
	uint64_t n = text ? strtoull(text, &end, 0) : 0;

	if (!text || end == text || *end != '\0') {
		fprintf(stderr, "soak: %s needs a number; see soak --help\n", option);
		exit(2);
	}
	return n;
}

static void parse(int count, char **arguments)
{
	uint64_t seconds = 60;

	for (int i = 1; i < count; i++) {
		const char *o = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;

		if (strcmp(o, "--help") == 0) {
			fputs(usage, stdout);
			exit(0);
		}
		if (strcmp(o, "--quiet") == 0 || strcmp(o, "--json") == 0) {
			soak.quiet = true;
			soak.json |= o[2] == 'j';
			continue;
		}
		i++;
		if (strcmp(o, "--minutes") == 0)
			seconds = 60 * number_of(o, value);
		else if (strcmp(o, "--seconds") == 0)
			seconds = number_of(o, value);
		else if (strcmp(o, "--graphs") == 0)
			soak.graphs = number_of(o, value);
		else if (strcmp(o, "--seed") == 0)
			soak.seed = number_of(o, value);
		else if (strcmp(o, "--run-ms") == 0)
			soak.run_ms = (unsigned)number_of(o, value);
		else {
			fprintf(stderr, "soak: %s is no option; see soak --help\n", o);
			exit(2);
		}
	}
	soak.began = disruptor_now();
	soak.until = disruptor_in(seconds * SECOND);
}

static void print_result(void)
{
	const double seconds = (double)(disruptor_now() - soak.began) / 1e9;

	if (soak.terminal)
		fputc('\n', stderr);
	if (soak.json) {
		printf("{\"seed\": \"0x%llx\", \"seconds\": %.1f", (unsigned long long)soak.seed,
		       seconds);
		for (int i = 0; i < TALLIES; i++)
			printf(", \"%s\": %llu", tally_names[i],
			       (unsigned long long)tally_of((enum tally_of)i));
		printf(", \"rss_kib_warm\": %ld, \"rss_kib_most\": %ld, \"rss_kib_last\": %ld}\n",
		       soak.rss_first, soak.rss_most, soak.rss_last);
		return;
	}
	printf("first seed 0x%llx, %.0f s:", (unsigned long long)soak.seed, seconds);
	for (int i = 0; i < TALLIES; i++)
		printf("%s %llu %s", i ? "," : "", (unsigned long long)tally_of((enum tally_of)i),
		       tally_names[i]);
	printf("; memory %ld KiB after %d graphs, at most %ld, at the end %ld; all right\n",
	       soak.rss_first, WARM_UP_GRAPHS, soak.rss_most, soak.rss_last);
}

/* What a long run must have met, or it has not tested what it says. */
static bool has_met_everything(void)
{
	bool all = true;

	for (int i = 0; i < TALLIES && tally_of(GRAPHS) >= 200; i++)
		if (tally_of((enum tally_of)i) == 0) {
			fprintf(stderr, "soak: no %s in %llu graphs\n", tally_names[i],
				(unsigned long long)tally_of(GRAPHS));
			all = false;
		}
	return all;
}

static void do_nothing(void *unused)
{
	(void)unused;
}

int main(int count, char **arguments)
{
	struct runner first;
	uint64_t seed;

	parse(count, arguments);
	soak.terminal = isatty(STDERR_FILENO) != 0;
	if (soak.seed == 0)
		soak.seed = ((uint64_t)time(NULL) << 20 ^ (uint64_t)getpid()) | 1;
	seed = soak.seed;
	fprintf(soak.json ? stderr : stdout, "seed 0x%llx\n", (unsigned long long)seed);
	fflush(NULL);
	runner_start(&first, "a thread", do_nothing, NULL); /* a sanitizer adds one of its own */
	runner_join(&first);
	soak.descriptors = open_descriptors();
	soak.threads = status_of("Threads");
	for (uint64_t n = 0; n < soak.graphs && disruptor_now() < soak.until; n++) {
		soak_graph(seed);
		seed = next_random(&seed) | 1; /* not its state: graphs would be alike */
	}
	print_result();
	return has_met_everything() ? 0 : 1;
}
