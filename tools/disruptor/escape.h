/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_ESCAPE_H
#define DISRUPTOR_ESCAPE_H

/*
 * Text that others have written, on its way to a terminal: what is no printable character is shown as
 * an escape, so that nothing in it moves the cursor, changes colours or hides.
 */

#include <stddef.h>
#include <stdio.h>

/*
 * Write @p bytes bytes of @p text to @p out. Printable UTF-8 stays as it is; a backslash, control
 * characters (those of C1 and the ones that turn the direction of text, too) and what is no UTF-8 become \\, \n, \t, \r or \xNN.
 */
void escape_write(FILE *out, const char *text, size_t bytes);

/* The same of a string, cut at @p most bytes, into a buffer of @p size; it is @p to. */
const char *escape_string(char *to, size_t size, const char *text, size_t most);

#endif
