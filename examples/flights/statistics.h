/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_STATISTICS_H
#define FLIGHTS_STATISTICS_H

/*
 * The statistics stage: what the job is asked. All of it is whole numbers, so
 * that the answer is exact, and the same in whatever order flights come.
 */

#include "flight.h"
#include "stage.h"

#include <stdbool.h>

enum { HOURS = 24 };

struct extent {
	int64_t sum, min, max;
};

struct hour {
	int64_t count, delay;
};

struct answer {
	int64_t count;
	struct extent delay, distance;
	struct hour hour[HOURS]; /* of departure */
};

struct statistics {
	struct mark mark;
	struct answer answer;
};

void statistics_begin(struct statistics *statistics);

/* The stage's on_event. */
int statistics_event(void *self, void *event, uint64_t position, int last);

bool answer_equal(const struct answer *a, const struct answer *b);

/* sum / count in hundredths, half away from zero: exact where a double may not be. 0 of nothing. */
int64_t mean_hundredths(int64_t sum, int64_t count);

#endif
