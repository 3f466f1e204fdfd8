/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_SOURCE_H
#define FLIGHTS_SOURCE_H

/*
 * Where a run's events come from: a file that is parsed as it goes, or
 * records parsed beforehand; read over until the run has its events; as fast
 * as they are taken, or each when it is due.
 */

#include "csv.h"
#include "failure.h"
#include "flight.h"

enum source_answer {
	SOURCE_END,   /* there are no more */
	SOURCE_EVENT, /* here is one */
	SOURCE_IDLE   /* the next is not due: hand over what you hold back, then source_wait() */
};

struct source {
	struct failure *failure;
	struct csv *csv; /* parse this; NULL: use the records */
	const struct record *records;
	uint64_t record_count;
	uint64_t at;         /* next of the records */
	uint64_t total;      /* events of this run */
	uint64_t number;     /* of the next event */
	uint64_t pass_began; /* number of the first event of this reading of the file */
	uint64_t rate;       /* events per second; 0: as fast as they are taken */
	uint64_t start_ns;   /* when the first event was asked for */
};

/* Begin a run of @total events from the file's, or the records', beginning. */
void source_begin(struct source *source, uint64_t total, uint64_t rate);

/* Fill in the next event, if there is one and it is due. */
enum source_answer source_next(struct source *source, struct flight *flight);

/* Wait until the next event is due. */
void source_wait(const struct source *source);

#endif
