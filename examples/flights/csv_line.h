/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_CSV_LINE_H
#define FLIGHTS_CSV_LINE_H

/* What the halves of the reader share; nobody else needs it. */

#include <stddef.h>

struct csv;

/*
 * Take one line, without its end. 1; 0 at the end; -1 with the failure set.
 *
 * *length is beyond CSV_LINE_MAX if the line was overlong; its bytes are then
 * gone. The byte after a line is always there and never a digit, so that a
 * number's digits end by themselves.
 */
int csv_take_line(struct csv *csv, char **line, size_t *length);

#endif
