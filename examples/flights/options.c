/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* getopt_long() */
#endif

#include "options.h"

#include <disruptor/error.h>
#include <disruptor/wait.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct options defaults = {
	.wait = "blocking",
	.rounds = 5,
	.events = 5000000,
	.rate = 20000,
	.paced_ms = 500,
	.capacity = 8192,
};

/* Short enough for a test and for the impatient; too short for figures to quote. */
static const struct options quick = {
	.wait = "blocking",
	.rounds = 2,
	.events = 500000,
	.rate = 20000,
	.paced_ms = 150,
	.capacity = 8192,
};

static void help(void)
{
	printf("usage: flights [OPTION]... FILE\n"
	       "\n"
	       "Read flights from the CSV FILE (columns delay, distance and time, found by\n"
	       "their names in the header line; minutes, miles, minutes since midnight), write\n"
	       "them to a journal and make statistics of them, side by side, and report after\n"
	       "both: with each of these ways to hand events from thread to thread, in turns,\n"
	       "to compare them.\n"
	       "\n");
	for (size_t i = 0; i < way_count; i++)
		printf("  %-9s %s\n", ways[i].name, ways[i].what);
	printf("\n"
	       "      --ways LIST     only these, by name, with commas; the others are\n"
	       "                      compared with the first\n"
	       "      --rounds N      take medians over N rounds, 1 to %d (default %u)\n"
	       "      --passes N      read the file N times a run (default: as many as make\n"
	       "                      %" PRIu64 " events)\n"
	       "      --rate N        N events per second in the paced runs, in which latency is\n"
	       "                      taken (default %" PRIu64 "); 0: no such runs\n"
	       "      --paced-ms N    length of a paced run in milliseconds (default %" PRIu64 ")\n"
	       "      --capacity N    events that ring, pipe and queue hold; a power of two,\n"
	       "                      64 to %d (default %zu)\n"
	       "      --wait NAME     the ring's wait strategy (default %s)\n"
	       "      --journal PATH  keep the journal of the last run there (default: a\n"
	       "                      temporary file in $TMPDIR)\n"
	       "      --quick         short runs: %u rounds of %" PRIu64 " events, %" PRIu64
	       " ms paced\n"
	       "      --json          print the results as JSON, one object a line\n"
	       "      --quiet         show no progress\n"
	       "      --help          print this\n",
	       COMPARE_ROUNDS_MAX, defaults.rounds, defaults.events, defaults.rate,
	       defaults.paced_ms, 1 << 20, defaults.capacity, defaults.wait, quick.rounds,
	       quick.events, quick.paced_ms);
}

/* A whole number within bounds; else say what is wrong. */
static bool number(const char *option, const char *text, uint64_t min, uint64_t max,
		   uint64_t *value)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max) {
		fprintf(stderr,
			"flights: --%s: \"%s\" is not a number from %" PRIu64 " to %" PRIu64 "\n",
			option, text, min, max);
		return false;
	}
	*value = n;
	return true;
}

static bool add_way(struct options *options, const char *name, size_t length)
{
	for (size_t i = 0; i < way_count; i++) {
		if (strlen(ways[i].name) != length || memcmp(ways[i].name, name, length) != 0)
			continue;
		if (options->way_count == COMPARE_WAYS_MAX) {
			fprintf(stderr, "flights: --ways: more than %d\n", COMPARE_WAYS_MAX);
			return false;
		}
		options->way[options->way_count++] = &ways[i];
		return true;
	}
	fprintf(stderr, "flights: --ways: there is no way \"%.*s\"\n", (int)length, name);
	return false;
}

static bool choose_ways(struct options *options, const char *list)
{
	options->way_count = 0;
	for (;;) {
		size_t length = strcspn(list, ",");

		if (!add_way(options, list, length))
			return false;
		if (!list[length])
			return true;
		list += length + 1;
	}
}

static bool choose_wait(struct options *options, const char *name)
{
	struct disruptor_wait wait;

	if (disruptor_wait_parse(&wait, name) != 0) {
		fprintf(stderr, "flights: --wait: there is no wait strategy \"%s\"\n", name);
		return false;
	}
	options->wait = name;
	return true;
}

static bool choose_capacity(struct options *options, const char *text)
{
	uint64_t n;

	if (!number("capacity", text, 64, 1 << 20, &n))
		return false;
	if (n & (n - 1)) {
		fprintf(stderr, "flights: --capacity: %" PRIu64 " is not a power of two\n", n);
		return false;
	}
	options->capacity = (size_t)n;
	return true;
}

static void be_quick(struct options *options)
{
	options->rounds = quick.rounds;
	options->events = quick.events;
	options->paced_ms = quick.paced_ms;
}

enum letter {
	WAYS = 256,
	ROUNDS,
	PASSES,
	RATE,
	PACED_MS,
	CAPACITY,
	WAIT,
	JOURNAL,
	QUICK,
	JSON,
	QUIET,
	HELP
};

static const struct option table[] = {
	{ "ways", required_argument, NULL, WAYS },
	{ "rounds", required_argument, NULL, ROUNDS },
	{ "passes", required_argument, NULL, PASSES },
	{ "rate", required_argument, NULL, RATE },
	{ "paced-ms", required_argument, NULL, PACED_MS },
	{ "capacity", required_argument, NULL, CAPACITY },
	{ "wait", required_argument, NULL, WAIT },
	{ "journal", required_argument, NULL, JOURNAL },
	{ "quick", no_argument, NULL, QUICK },
	{ "json", no_argument, NULL, JSON },
	{ "quiet", no_argument, NULL, QUIET },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static bool take(struct options *options, int letter, const char *value)
{
	uint64_t n = options->rounds;
	bool good;

	switch (letter) {
	case WAYS:
		return choose_ways(options, value);
	case ROUNDS:
		good = number("rounds", value, 1, COMPARE_ROUNDS_MAX, &n);
		options->rounds = (unsigned)n;
		return good;
	case PASSES:
		return number("passes", value, 1, 1000000, &options->passes);
	case RATE:
		return number("rate", value, 0, 100000000, &options->rate);
	case PACED_MS:
		return number("paced-ms", value, 1, 3600000, &options->paced_ms);
	case CAPACITY:
		return choose_capacity(options, value);
	case WAIT:
		return choose_wait(options, value);
	case JOURNAL:
		options->journal = value;
		return true;
	case QUICK:
		be_quick(options);
		return true;
	case JSON:
		options->json = true;
		return true;
	case QUIET:
		options->quiet = true;
		return true;
	default:
		return false; /* getopt has said what it did not like */
	}
}

enum options_answer options_read(struct options *options, int argc, char **argv)
{
	int letter;

	*options = defaults;
	for (size_t i = 0; i < way_count; i++)
		options->way[options->way_count++] = &ways[i];
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet */
	while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (letter == HELP) {
			help();
			return OPTIONS_DONE;
		}
		if (!take(options, letter, optarg)) {
			(void)fputs("Try flights --help.\n", stderr);
			return OPTIONS_WRONG;
		}
	}
	if (optind + 1 != argc) {
		(void)fputs(optind == argc ? "flights: FILE is missing\n"
					   : "flights: one FILE only\n",
			    stderr);
		(void)fputs("Try flights --help.\n", stderr);
		return OPTIONS_WRONG;
	}
	options->file = argv[optind];
	return OPTIONS_RUN;
}
