/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_CSV_H
#define FLIGHTS_CSV_H

/*
 * Flights from a CSV file.
 *
 * The header line names the columns; `delay`, `distance` and `time` are found
 * by name, in any order, and others are skipped. Fields are not quoted (names
 * in the header may be). Lines end in LF or CRLF, the last one may lack both.
 * A line that is not exactly that is reported with file and line number, is
 * counted, and is skipped.
 */

#include "failure.h"
#include "flight.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	CSV_LINE_MAX = 1024, /* bytes, without the line's end */
	CSV_COLUMNS_MAX = 64,
	CSV_REPORTS_MAX = 10, /* malformed lines told one by one; the rest is counted */
	CSV_BUFFER = 256 * 1024
};

enum csv_field { CSV_DELAY, CSV_DISTANCE, CSV_TIME, CSV_FIELDS, CSV_OTHER = CSV_FIELDS };

struct csv {
	const char *path;
	struct failure *failure;
	int fd;
	bool at_eof;
	bool loud; /* report malformed lines; else only count them */
	unsigned columns;
	unsigned char field_of[CSV_COLUMNS_MAX]; /* enum csv_field of each column */
	uint64_t line;                           /* number of the line last taken, from 1 */
	uint64_t malformed; /* lines skipped since csv_open() or csv_rewind() */
	char *buffer;       /* CSV_BUFFER bytes and one for a missing line end */
	char *next;         /* first byte not yet taken */
	char *end;          /* end of what was read */
};

/* Open and read the header. 0, or -1 with the failure set; then closed. */
int csv_open(struct csv *csv, const char *path, bool loud, struct failure *failure);

/* Read the next flight's delay, distance and minute. 1; 0 at the end; -1 with the failure set. */
int csv_next(struct csv *csv, struct flight *flight);

/* Start over with the first record. 0, or -1 with the failure set. */
int csv_rewind(struct csv *csv);

void csv_close(struct csv *csv);

/* What is wrong with the line? Its words, in text. Slow; csv_next() has refused it. */
void csv_explain(const struct csv *csv, const char *line, size_t length, char *text, size_t size);

/* The name and the range of a field. */
struct csv_column {
	const char *name;
	int32_t min, max;
};
extern const struct csv_column csv_column[CSV_FIELDS];

#endif
