/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_PROGRESS_H
#define FLIGHTS_PROGRESS_H

/*
 * How far the comparison is, on stderr: on a terminal a bar that is redrawn in
 * place, with the time left; elsewhere a line a round and no control character.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_STEPS_MAX = 64 };

struct progress {
	bool terminal;
	bool quiet;
	unsigned rounds;
	unsigned steps;    /* of a round: they take different times, but the same each round */
	unsigned step;     /* now, counted through all rounds, from 1; 0: none yet */
	uint64_t began_ns; /* this step */
	uint64_t took_ns[PROGRESS_STEPS_MAX]; /* each step of a round, when it was last done; 0 */
	char text[64];                        /* what this step is */
	size_t drawn;                         /* characters of the bar that are on the screen */
};

void progress_begin(struct progress *progress, unsigned rounds, unsigned steps, bool quiet);

/* A step begins; the one before is over. */
void progress_step(struct progress *progress, unsigned round, const char *way, const char *feed,
		   const char *kind);

/* Part of the step is done, 0 to 1. Of the shape of a measure_tick. */
void progress_tick(void *context, double done);

/* All is done, or given up: clear the bar. */
void progress_end(struct progress *progress);

#endif
