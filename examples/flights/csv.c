/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The hot half of the reader: find a line, turn it into numbers, refuse what
 * is not exactly right. What was wrong is worked out in csv_explain.c, from
 * the same line, so that the common path need not carry reasons along.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "csv.h"
#include "csv_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Larger than any bound of any field, small enough to take one digit more. */
#define SATURATED 100000000

const struct csv_column csv_column[CSV_FIELDS] = {
	[CSV_DELAY] = { "delay", FLIGHT_DELAY_MIN, FLIGHT_DELAY_MAX },
	[CSV_DISTANCE] = { "distance", FLIGHT_DISTANCE_MIN, FLIGHT_DISTANCE_MAX },
	[CSV_TIME] = { "time", FLIGHT_MINUTE_MIN, FLIGHT_MINUTE_MAX },
};

/*
 * Append to the buffer what the file has next. 1, 0 at its end, -1 on error.
 * There is room: a line that nearly fills the buffer was dropped as overlong.
 */
static int refill(struct csv *csv)
{
	size_t kept = (size_t)(csv->end - csv->next);
	ssize_t got;

	memmove(csv->buffer, csv->next, kept);
	csv->next = csv->buffer;
	csv->end = csv->buffer + kept;
	do
		got = read(csv->fd, csv->end, CSV_BUFFER - kept);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		failure_set(csv->failure, "%s: read: %s", csv->path, failure_text(errno));
		return -1;
	}
	csv->end += got;
	csv->at_eof = got == 0;
	return got > 0;
}

int csv_take_line(struct csv *csv, char **line, size_t *length)
{
	bool overlong = false;
	char *stop;

	while (!(stop = memchr(csv->next, '\n', (size_t)(csv->end - csv->next)))) {
		int got;

		if (csv->end - csv->next > CSV_LINE_MAX + 1) { /* + 1 for a CR */
			overlong = true;
			csv->next = csv->end;
		}
		got = csv->at_eof ? 0 : refill(csv);
		if (got < 0)
			return -1;
		if (got == 0) {
			if (csv->next == csv->end && !overlong)
				return 0;
			stop = csv->end; /* the last line lacks its end: lend it one */
			*stop = '\n';
			break;
		}
	}
	*line = csv->next;
	csv->next = stop == csv->end ? stop : stop + 1;
	if (stop > *line && stop[-1] == '\r')
		stop--;
	*length = overlong ? CSV_LINE_MAX + 1 : (size_t)(stop - *line);
	csv->line++;
	return 1;
}

/* Read a whole number; NULL if there is none, else where it ends. */
static const char *number(const char *p, int32_t *value)
{
	bool negative = *p == '-';
	const char *first = p += negative;
	int32_t sum = 0;
	unsigned digit;

	while ((digit = (unsigned)*p - '0') < 10) {
		if (sum < SATURATED)
			sum = sum * 10 + (int32_t)digit;
		p++;
	}
	*value = negative ? -sum : sum;
	return p == first ? NULL : p;
}

/* Pass over a field that nobody asked for; NULL if it holds a NUL. */
static const char *skip(const char *p, const char *end)
{
	while (p != end && *p != ',')
		if (*p++ == '\0')
			return NULL;
	return p;
}

static bool within(int32_t value, enum csv_field field)
{
	return value >= csv_column[field].min && value <= csv_column[field].max;
}

static bool parse(const struct csv *csv, const char *p, const char *end, struct flight *flight)
{
	int32_t value[CSV_FIELDS + 1] = { 0 };

	for (unsigned column = 0; column < csv->columns; column++) {
		enum csv_field field = csv->field_of[column];

		if (column > 0 && (p == end || *p++ != ','))
			return false;
		p = field == CSV_OTHER ? skip(p, end) : number(p, &value[field]);
		if (!p)
			return false;
	}
	if (p != end || !within(value[CSV_DELAY], CSV_DELAY) ||
	    !within(value[CSV_DISTANCE], CSV_DISTANCE) || !within(value[CSV_TIME], CSV_TIME))
		return false;
	flight->delay = (int16_t)value[CSV_DELAY];
	flight->distance = (uint16_t)value[CSV_DISTANCE];
	flight->minute = (uint16_t)value[CSV_TIME];
	flight->reserved = 0;
	return true;
}

static void tell(struct csv *csv, const char *line, size_t length)
{
	char text[160];

	csv->malformed++;
	if (!csv->loud || csv->malformed > CSV_REPORTS_MAX)
		return;
	csv_explain(csv, line, length, text, sizeof(text));
	fprintf(stderr, "%s:%" PRIu64 ": %s\n", csv->path, csv->line, text);
}

int csv_next(struct csv *csv, struct flight *flight)
{
	char *line;
	size_t length;
	int got;

	while ((got = csv_take_line(csv, &line, &length)) > 0) {
		if (length <= CSV_LINE_MAX && parse(csv, line, line + length, flight))
			break;
		tell(csv, line, length);
	}
	return got;
}
