/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_COMPARE_H
#define FLIGHTS_COMPARE_H

/*
 * The comparison: every way, with the parser and without, at full speed and
 * paced, round after round, so that whatever else the machine does meanwhile
 * falls on all of them; and their answers against each other's.
 */

#include "measure.h"
#include "progress.h"

enum { COMPARE_PARSE, COMPARE_PREPARED, COMPARE_TABLES };
enum { COMPARE_WAYS_MAX = 8, COMPARE_ROUNDS_MAX = 99 };

struct comparison {
	/* given */
	struct bench *bench;
	struct csv *csv;
	const struct record *records;
	uint64_t record_count;
	const struct way *way[COMPARE_WAYS_MAX];
	unsigned way_count;
	unsigned rounds;
	uint64_t events;       /* of a run at full speed */
	uint64_t rate;         /* of a paced run, events per second; 0: none is made */
	uint64_t paced_events; /* of a paced run */
	/* found */
	struct answer answer; /* of a run at full speed, the same in all of them */
	unsigned answers;     /* how many runs gave an answer that was checked */
	struct sample full[COMPARE_TABLES][COMPARE_WAYS_MAX][COMPARE_ROUNDS_MAX];
	struct sample paced[COMPARE_TABLES][COMPARE_WAYS_MAX][COMPARE_ROUNDS_MAX];
};

/*
 * Run each way over the file once, uncounted: so that no way is the one that
 * meets a cold cache or a fresh journal. 0, or -1 with the failure set.
 */
int compare_warm_up(struct comparison *comparison);

/* Run all rounds. 0, or -1 with the failure set: also if any answer differs. */
int compare_run(struct comparison *comparison, struct progress *progress);

/* Smallest, middle and largest of one figure over the rounds. */
struct spread {
	double min, median, max;
};

/* The spread of the figure @which picks from each sample. */
struct spread compare_spread(const struct sample *samples, unsigned rounds,
			     double (*which)(const struct sample *sample));

#endif
