/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is wrong with a line that the parser refused? In words, one line. */
#include "csv.h"

#include <stdio.h>
#include <string.h>

static unsigned count_columns(const char *line, size_t length)
{
	unsigned commas = 0;

	for (size_t i = 0; i < length; i++)
		commas += line[i] == ',';
	return commas + 1;
}

/* Copy a field for print: a terminal must not obey what a file contains. */
static void quote(const char *field, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used + 5 < size; i++) {
		unsigned char c = (unsigned char)field[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		used += (size_t)snprintf(out + used, size - used, plain ? "%c" : "\\x%02x", c);
		if (i == 23 && length > 24) { /* enough to find it by */
			snprintf(out + used, size - used, "...");
			return;
		}
	}
	out[used] = '\0';
}

static bool is_number(const char *field, size_t length)
{
	size_t i = length > 0 && field[0] == '-';

	if (i == length)
		return false;
	for (; i < length; i++)
		if (field[i] < '0' || field[i] > '9')
			return false;
	return true;
}

/* The words for one field; false if nothing is wrong with its form. */
static bool explain_form(const struct csv_column *column, const char *field, size_t length,
			 char *text, size_t size)
{
	char shown[120];

	quote(field, length, shown, sizeof(shown));
	if (length == 0)
		snprintf(text, size, "%s is empty", column->name);
	else if (!is_number(field, length))
		snprintf(text, size, "%s is not a whole number: \"%s\"", column->name, shown);
	else
		return false;
	return true;
}

/* Its form is right: is the number too small or too large? Any length of digits may stand there. */
static bool explain_range(const struct csv_column *column, const char *field, size_t length,
			  char *text, size_t size)
{
	char shown[120];
	size_t i = field[0] == '-';
	int64_t value = 0;

	for (; i < length && value < 1000000000; i++)
		value = value * 10 + (field[i] - '0');
	if (field[0] == '-')
		value = -value;
	if (value >= column->min && value <= column->max)
		return false;
	quote(field, length, shown, sizeof(shown));
	snprintf(text, size, "%s is out of range: %s, not %d to %d", column->name, shown,
		 (int)column->min, (int)column->max);
	return true;
}

void csv_explain(const struct csv *csv, const char *line, size_t length, char *text, size_t size)
{
	const char *end = line + length;
	unsigned columns;

	if (length > CSV_LINE_MAX) {
		snprintf(text, size, "the line is longer than %d bytes", CSV_LINE_MAX);
		return;
	}
	if (length == 0) {
		snprintf(text, size, "the line is empty");
		return;
	}
	if (memchr(line, '\0', length)) {
		snprintf(text, size, "the line holds a NUL byte");
		return;
	}
	columns = count_columns(line, length);
	if (columns != csv->columns) {
		snprintf(text, size, "%u column%s, not %u as in the header", columns,
			 columns == 1 ? "" : "s", csv->columns);
		return;
	}
	for (unsigned i = 0; i < columns; i++) {
		const char *comma = memchr(line, ',', (size_t)(end - line));
		const char *stop = comma ? comma : end;
		size_t n = (size_t)(stop - line);
		const struct csv_column *column = &csv_column[csv->field_of[i]];

		if (csv->field_of[i] != CSV_OTHER && (explain_form(column, line, n, text, size) ||
						      explain_range(column, line, n, text, size)))
			return;
		line = stop + 1;
	}
	snprintf(text, size, "the line cannot be read"); /* parser and explainer disagree */
}
