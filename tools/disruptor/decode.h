/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_DECODE_H
#define DISRUPTOR_DECODE_H

/* Events by their schema, as text or as JSON. */

#include <disruptor/event.h>

#include <jansson.h>
#include <stdio.h>

/* One line, without its end: name=value of each field, arrays as [a,b], text in quotes, escaped. */
void decode_text(FILE *out, const struct disruptor_type *type, const void *event);

/* An object with a member for each field; what is no UTF-8 or not a number becomes a string of hexadecimal digits, or null. */
json_t *decode_json(const struct disruptor_type *type, const void *event);

/* A number; above what the writer of JSON can hold a string of digits. */
json_t *decode_number(uint64_t number);

/* A name of at most @p most bytes: if it is no UTF-8, escaped as for a terminal. */
json_t *decode_name(const char *name, size_t most);

/* A record of any bytes: text, if it is UTF-8; else the bytes as hexadecimal digits. */
json_t *decode_bytes(const void *bytes, size_t size);

#endif
