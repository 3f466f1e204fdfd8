/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The cold half of the reader: open a file, understand its header, start over. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "csv.h"
#include "csv_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Drop blanks around a column's name, and the quotes that some programs put there. */
static void trim(const char **name, size_t *length)
{
	while (*length > 0 && (*name)[0] == ' ') {
		(*name)++;
		(*length)--;
	}
	while (*length > 0 && (*name)[*length - 1] == ' ')
		(*length)--;
	if (*length >= 2 && (*name)[0] == '"' && (*name)[*length - 1] == '"') {
		(*name)++;
		*length -= 2;
	}
}

static enum csv_field field_named(const char *name, size_t length)
{
	trim(&name, &length);
	for (unsigned i = 0; i < CSV_FIELDS; i++)
		if (strlen(csv_column[i].name) == length &&
		    memcmp(csv_column[i].name, name, length) == 0)
			return (enum csv_field)i;
	return CSV_OTHER;
}

/* Refuse a header that names a column twice or lacks one, by its name. */
static int check_columns(struct csv *csv, const unsigned seen[])
{
	char missing[64] = "";
	size_t used = 0;

	for (unsigned i = 0; i < CSV_FIELDS; i++) {
		if (seen[i] > 1) {
			failure_set(csv->failure, "%s:1: column %s appears %u times", csv->path,
				    csv_column[i].name, seen[i]);
			return -1;
		}
		if (seen[i] == 0)
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used ? ", " : "", csv_column[i].name);
	}
	if (used == 0)
		return 0;
	failure_set(csv->failure, "%s:1: the header lacks: %s", csv->path, missing);
	return -1;
}

static int understand(struct csv *csv, const char *line, size_t length)
{
	const char *end = line + length;
	unsigned seen[CSV_FIELDS + 1] = { 0 };

	if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3; /* the byte order mark that spreadsheets write */
	for (;;) {
		const char *comma = memchr(line, ',', (size_t)(end - line));
		const char *stop = comma ? comma : end;
		enum csv_field field = field_named(line, (size_t)(stop - line));

		if (csv->columns == CSV_COLUMNS_MAX) {
			failure_set(csv->failure, "%s:1: more than %d columns", csv->path,
				    CSV_COLUMNS_MAX);
			return -1;
		}
		csv->field_of[csv->columns++] = (unsigned char)field;
		seen[field]++;
		if (!comma)
			return check_columns(csv, seen);
		line = comma + 1;
	}
}

static int read_header(struct csv *csv)
{
	char *line;
	size_t length;
	int got = csv_take_line(csv, &line, &length);

	if (got < 0)
		return -1;
	if (got == 0) {
		failure_set(csv->failure, "%s: is empty: there is no header line", csv->path);
		return -1;
	}
	if (length > CSV_LINE_MAX) {
		failure_set(csv->failure, "%s:1: the header is longer than %d bytes", csv->path,
			    CSV_LINE_MAX);
		return -1;
	}
	return understand(csv, line, length);
}

int csv_open(struct csv *csv, const char *path, bool loud, struct failure *failure)
{
	*csv = (struct csv){ .path = path, .failure = failure, .loud = loud, .fd = -1 };
	csv->buffer = malloc(CSV_BUFFER + 1);
	if (!csv->buffer) {
		failure_set(failure, "%s: no memory for the read buffer", path);
		return -1;
	}
	csv->next = csv->end = csv->buffer;
	csv->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (csv->fd < 0)
		failure_set(failure, "%s: open: %s", path, failure_text(errno));
	else if (read_header(csv) == 0)
		return 0;
	csv_close(csv);
	return -1;
}

int csv_rewind(struct csv *csv)
{
	char *line;
	size_t length;

	if (lseek(csv->fd, 0, SEEK_SET) < 0) {
		failure_set(csv->failure, "%s: cannot be read over again: %s", csv->path,
			    failure_text(errno));
		return -1;
	}
	csv->next = csv->end = csv->buffer;
	csv->at_eof = false;
	csv->line = 0;
	csv->malformed = 0;
	return csv_take_line(csv, &line, &length) < 0 ? -1 : 0; /* the header, known already */
}

void csv_close(struct csv *csv)
{
	if (csv->fd >= 0)
		close(csv->fd);
	free(csv->buffer);
	csv->fd = -1;
	csv->buffer = NULL;
}
