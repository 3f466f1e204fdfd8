/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct winsize */
#endif

#include "progress.h"
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 24 };

void progress_begin(struct progress *progress, unsigned rounds, unsigned steps, bool quiet)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
	const char *term = getenv("TERM");

	memset(progress, 0, sizeof(*progress));
	progress->rounds = rounds;
	progress->steps = steps;
	progress->quiet = quiet;
	progress->terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

/*
 * Seconds that are left. A step that was done in an earlier round will take as
 * long again; one that was not, as long as those known on average.
 */
static double left(const struct progress *progress, double done)
{
	unsigned all = progress->rounds * progress->steps;
	double known = 0, sum = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < progress->steps; i++)
		if (progress->took_ns[i]) {
			known += (double)progress->took_ns[i];
			count++;
		}
	if (count == 0)
		return -1;
	for (unsigned step = progress->step - 1; step < all; step++) {
		uint64_t took = progress->took_ns[step % progress->steps];
		double whole = took ? (double)took : known / count;

		sum += step == progress->step - 1 ? whole * (1 - done) : whole;
	}
	return 1e-9 * sum;
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* Overwrite the line with the text, and with blanks what the last text had more. */
static void draw(struct progress *progress, char *text)
{
	size_t length = strlen(text);
	size_t room = columns() - 1; /* the last column would wrap on some terminals */

	if (length > room)
		text[length = room] = '\0';
	fprintf(stderr, "\r%s%*s", text,
		progress->drawn > length ? (int)(progress->drawn - length) : 0, "");
	(void)fflush(stderr);
	progress->drawn = length;
}

void progress_tick(void *context, double done)
{
	struct progress *progress = context;
	unsigned all = progress->rounds * progress->steps;
	double part, rest = left(progress, done);
	char bar[BAR + 1], time[32] = "", text[256];
	int filled;

	if (!progress->terminal || progress->quiet)
		return;
	part = ((double)progress->step - 1 + done) / all;
	filled = (int)(part * BAR);
	for (int i = 0; i < BAR; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR] = '\0';
	if (rest >= 0)
		snprintf(time, sizeof(time), ", about %.0f s left", rest);
	snprintf(text, sizeof(text), "[%s] %3d %%%s: %s", bar, (int)(100 * part), time,
		 progress->text);
	draw(progress, text);
}

void progress_step(struct progress *progress, unsigned round, const char *way, const char *feed,
		   const char *kind)
{
	uint64_t now = clock_now();

	if (progress->step)
		progress->took_ns[(progress->step - 1) % progress->steps] =
			now - progress->began_ns;
	progress->step++;
	progress->began_ns = now;
	snprintf(progress->text, sizeof(progress->text), "round %u of %u, %s, %s, %s", round + 1,
		 progress->rounds, way, feed, kind);
	if (progress->quiet)
		return;
	if (progress->terminal) {
		progress_tick(progress, 0);
	} else if ((progress->step - 1) % progress->steps == 0) {
		double rest = left(progress, 0);

		fprintf(stderr, "flights: round %u of %u", round + 1, progress->rounds);
		if (rest >= 0)
			fprintf(stderr, ", about %.0f s left", rest);
		(void)fputc('\n', stderr);
	}
}

void progress_end(struct progress *progress)
{
	char nothing[] = "";

	if (!progress->terminal || progress->quiet || !progress->drawn)
		return;
	draw(progress, nothing);
	(void)fputc('\r', stderr);
	(void)fflush(stderr);
}
