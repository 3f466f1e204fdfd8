/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_OPTIONS_H
#define FLIGHTS_OPTIONS_H

/* What the command line says. */

#include "way.h"

#include "compare.h"

#include <stdbool.h>
#include <stdint.h>

struct options {
	const char *file;
	const char *journal; /* NULL: a temporary file */
	const char *wait;
	const struct way *way[COMPARE_WAYS_MAX];
	unsigned way_count;
	unsigned rounds;
	uint64_t passes;   /* over the file; 0: as many as make `events` */
	uint64_t events;   /* at least, in a run at full speed */
	uint64_t rate;     /* of the paced runs, events per second; 0: none */
	uint64_t paced_ms; /* how long a paced run takes */
	size_t capacity;
	bool json;
	bool quiet;
};

enum options_answer { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Read the command line; help is printed, and what is wrong with it is told on stderr. */
enum options_answer options_read(struct options *options, int argc, char **argv);

#endif
