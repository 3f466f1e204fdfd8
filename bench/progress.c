/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The progress line: what runs now and how long the rest will take. On a terminal only. */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <unistd.h>

/* the main thread's; bench_fail() in another only asks whether a line stands there */
static struct {
	bool on;
	double planned, done; /* seconds, as expected */
	uint64_t began;
} progress;

void bench_progress_begin(double seconds)
{
	progress.on = isatty(STDERR_FILENO) == 1;
	progress.planned = seconds;
	progress.done = 0;
	progress.began = disruptor_now();
}

/** What is left, at the pace so far; before there is one, as expected. */
static double seconds_left(void)
{
	double left = progress.planned - progress.done;
	double took = (double)(disruptor_now() - progress.began) / 1e9;

	if (progress.done > progress.planned / 20)
		left *= took / progress.done;
	return left > 0 ? left : 0;
}

void bench_progress(const struct bench_scenario *scenario, const struct bench_entry *entry,
		    unsigned round, unsigned rounds, double seconds)
{
	char what[32] = "calibrating";

	progress.done += seconds;
	if (!progress.on || seconds != 0)
		return;
	if (round != 0)
		snprintf(what, sizeof(what), "round %u of %u", round, rounds);
	fprintf(stderr, "\r%s: %s, %s, %.0f s left\033[K", scenario->name, what,
		bench_entry_name(entry), seconds_left());
	(void)fflush(stderr);
}

void bench_progress_clear(void)
{
	if (progress.on)
		(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}
