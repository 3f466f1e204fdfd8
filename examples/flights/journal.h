/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_JOURNAL_H
#define FLIGHTS_JOURNAL_H

/*
 * The journal stage: writes each event to a file, in binary, through a buffer
 * of its own. Not synced: what it costs to make a disk obey is not our subject.
 */

#include "failure.h"
#include "flight.h"
#include "stage.h"

#include <stdbool.h>
#include <stddef.h>

/* A journal is a sequence of these, in the machine's byte order. */
struct journal_record {
	uint64_t number;
	int16_t delay;
	uint16_t distance;
	uint16_t minute;
	uint16_t reserved;
};
_Static_assert(sizeof(struct journal_record) == 16, "no padding, or it would reach the file");

enum { JOURNAL_RECORDS = 4096 };

struct journal {
	struct mark mark;
	struct failure *failure;
	char path[4096];
	int fd;
	bool regular;     /* a file with a beginning to go back to; not a pipe or a device */
	size_t fill;      /* records in the buffer */
	uint64_t written; /* records in the file */
	struct journal_record records[JOURNAL_RECORDS];
};

/*
 * Open the file at @path, or without one a temporary file that is gone when
 * the program is. 0, or -1 with the failure set.
 */
int journal_open(struct journal *journal, const char *path, struct failure *failure);

/*
 * Begin a run at the file's beginning. What is there is overwritten and not
 * cut off first, so that no run but the first pays for fresh pages.
 */
void journal_begin(struct journal *journal);

/* The stage's on_event. */
int journal_event(void *self, void *event, uint64_t position, int last);

/* End a run: write what is buffered. */
void journal_end(struct journal *journal);

/* Close the file, cut off after the last run's end. */
void journal_close(struct journal *journal);

#endif
