/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_LOAD_H
#define FLIGHTS_LOAD_H

/* Read the whole file once: for the runs without the parser, and to tell what is wrong with it. */

#include "csv.h"

struct records {
	struct record *record;
	uint64_t count;
	uint64_t malformed;
};

/* Read from where the file stands to its end. 0, or -1 with the file's failure set. */
int load(struct csv *csv, struct records *records);

#endif
