/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_TABLE_H
#define FLIGHTS_TABLE_H

/* The comparison, for people and for programs. */

#include "compare.h"

#include <stdio.h>

void table_print(FILE *out, const struct comparison *comparison, int table);
void table_print_json(FILE *out, const struct comparison *comparison, int table);

#endif
