/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lines of a run: kept, read again, and put together as tables. */
#define _POSIX_C_SOURCE 200809L

#include "results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Members ---- */

const char *bench_text(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

double bench_number(const json_t *line, const char *key)
{
	const json_t *value = json_object_get(line, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *bench_machine_text(const json_t *line, const char *key)
{
	return bench_text(json_object_get(line, "machine"), key);
}

bool bench_is_again(const json_t *line)
{
	return json_is_true(json_object_get(line, "again"));
}

bool bench_has_role(const json_t *line, const char *role)
{
	const char *own = bench_text(line, "role");

	return own != NULL && strcmp(own, role) == 0;
}

bool bench_is_more(const json_t *line)
{
	const char *better = bench_text(line, "better");

	return better != NULL && strcmp(better, "more") == 0;
}

bool bench_same_load(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "scenario",  "point",     "subject",     "again",
					    "wait",      "unit",      "event_bytes", "capacity",
					    "producers", "consumers", "batch",       "layout",
					    "rung" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);

		if (json_is_null(x) && y == NULL)
			continue;
		if (json_is_null(y) && x == NULL)
			continue;
		if (x != y && !json_equal(x, y))
			return false;
	}
	return true;
}

bool bench_same_machine(const json_t *a, const json_t *b)
{
	return strcmp(bench_machine_text(a, "cpu"), bench_machine_text(b, "cpu")) == 0;
}

void bench_slug(char *slug, size_t size, const char *text)
{
	static const char *const marks[] = { "(R)", "(TM)", "(tm)", "(r)" };
	size_t length = 0;

	while (*text != '\0' && length + 1 < size) {
		size_t skip = 0;

		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (strncmp(text, marks[i], strlen(marks[i])) == 0)
				skip = strlen(marks[i]);
		if (skip != 0) {
			text += skip;
			continue;
		}

		char c = *text++;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			slug[length++] = c;
		else if (length > 0 && slug[length - 1] != '-')
			slug[length++] = '-';
	}
	while (length > 0 && slug[length - 1] == '-')
		length--;
	slug[length] = '\0';
}

/* ---- Reading ---- */

/** Whether a text is to be shown as it is. */
static bool is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/** Whether all texts of a value are, and of those in it. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the parser lets values be */
static bool all_clean(const json_t *value)
{
	const char *key;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the loop's macro takes no const */
	json_t *member, *object = (json_t *)(uintptr_t)value;
	size_t i;

	if (json_is_string(value))
		return is_clean(json_string_value(value));
	json_object_foreach(object, key, member)
	{
		if (!is_clean(key) || !all_clean(member))
			return false;
	}
	json_array_foreach(value, i, member)
	{
		if (!all_clean(member))
			return false;
	}
	return true;
}

/** What a line lacks without which it tells nothing; NULL: nothing. */
static const char *lacking(const json_t *line)
{
	const json_t *median = json_object_get(line, "median");

	if (!json_is_object(line))
		return "it is no JSON object";
	if (!all_clean(line))
		return "it has control characters in a text";
	if (bench_text(line, "scenario") == NULL)
		return "it has no text 'scenario'";
	if (bench_machine_text(line, "cpu") == NULL)
		return "its 'machine' has no text 'cpu'";
	if (bench_text(line, "skipped") != NULL)
		return NULL;
	if (bench_text(line, "subject") == NULL)
		return "it has no text 'subject'";
	if (bench_text(line, "unit") == NULL)
		return "it has no text 'unit'";
	if (!json_is_number(median) && !json_is_null(median))
		return "it has no number 'median'";
	return NULL;
}

static void add(struct bench_results *results, json_t *line)
{
	if (json_array_append_new(results->lines, line) != 0)
		bench_fail("no memory for the results");
}

static bool add_line(struct bench_results *results, const char *text, size_t length, char *error,
		     size_t size)
{
	json_error_t parse;
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &parse);
	const char *wrong = line != NULL ? lacking(line) : parse.text;

	if (wrong == NULL) {
		add(results, line);
		return true;
	}
	snprintf(error, size, "%s", wrong);
	json_decref(line);
	return false;
}

static bool read_lines(struct bench_results *results, FILE *file, const char *path, char *error,
		       size_t size)
{
	char *text = NULL, wrong[256] = "";
	size_t room = 0, number = 0;
	ssize_t length;

	errno = 0;
	while (wrong[0] == '\0' && (length = getline(&text, &room, file)) != -1) {
		number++;
		if (!add_line(results, text, (size_t)length, wrong, sizeof(wrong)))
			snprintf(error, size, "%s:%zu: %s", path, number, wrong);
	}
	free(text);
	if (wrong[0] != '\0')
		return false;
	if (!feof(file)) {
		snprintf(error, size, "%s: %s", path, bench_error_text(errno));
		return false;
	}
	if (number == 0)
		snprintf(error, size, "%s:1: the file is empty", path);
	return number != 0;
}

struct bench_results *bench_results_read(const char *path, char *error, size_t size)
{
	FILE *file = fopen(path, "r");
	struct bench_results *results;

	if (file == NULL) {
		snprintf(error, size, "%s: %s", path, bench_error_text(errno));
		return NULL;
	}
	results = bench_results_new();
	if (read_lines(results, file, path, error, size)) {
		bench_results_group(results);
	} else {
		bench_results_free(results);
		results = NULL;
	}
	(void)fclose(file);
	return results;
}

/* ---- Keeping ---- */

struct bench_results *bench_results_new(void)
{
	struct bench_results *results = calloc(1, sizeof(*results));

	if (results == NULL || (results->lines = json_array()) == NULL)
		bench_fail("no memory for the results");
	return results;
}

void bench_results_free(struct bench_results *results)
{
	if (results == NULL)
		return;
	json_decref(results->lines);
	free(results->table);
	free(results->peer);
	free(results);
}

void bench_results_add(struct bench_results *results, const struct bench_result *result,
		       const struct bench_machine *machine)
{
	for (size_t i = 0; i < result->count; i++)
		add(results, bench_row_object(result, &result->row[i], machine));
}

void bench_results_add_skip(struct bench_results *results, const struct bench_scenario *scenario,
			    const char *why, const struct bench_machine *machine)
{
	add(results, bench_skip_object(scenario, why, machine));
}

void bench_results_write(FILE *out, const struct bench_results *results)
{
	const json_t *line;
	size_t i;

	json_array_foreach(results->lines, i, line)
	{
		bench_print_line(out, line);
	}
}

/* ---- Tables ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/** Whether a line goes on with a table; what is there already begins another run of it. */
static bool belongs(const struct bench_table *table, const json_t *line)
{
	if (table->skipped != NULL || bench_text(line, "skipped") != NULL ||
	    table->count == BENCH_ENTRIES)
		return false;
	if (!same_text(table->scenario, bench_text(line, "scenario")) ||
	    !same_text(table->point, bench_text(line, "point")))
		return false;
	for (size_t i = 0; i < table->count; i++)
		if (bench_same_load(table->row[i], line))
			return false;
	return true;
}

static void add_row(struct bench_table *table, const json_t *line)
{
	table->row[table->count++] = line;
	if (bench_has_role(line, "main"))
		table->main = line;
	else if (bench_has_role(line, "limit"))
		table->limit = line;
}

static void add_peer(struct bench_results *results, const json_t *line)
{
	const char *name = bench_text(line, "subject");

	for (size_t i = 0; i < results->peers; i++)
		if (strcmp(results->peer[i], name) == 0)
			return;
	results->peer[results->peers++] = name;
}

void bench_results_group(struct bench_results *results)
{
	size_t lines = json_array_size(results->lines), i;
	const json_t *line;

	free(results->table);
	free(results->peer);
	results->tables = results->peers = 0;
	results->table = calloc(lines + 1, sizeof(*results->table));
	results->peer = calloc(lines + 1, sizeof(*results->peer));
	if (results->table == NULL || results->peer == NULL)
		bench_fail("no memory for the results' tables");
	json_array_foreach(results->lines, i, line)
	{
		struct bench_table *last = results->table;

		if (results->tables != 0)
			last += results->tables - 1;
		if (results->tables == 0 || !belongs(last, line)) {
			last = &results->table[results->tables++];
			last->scenario = bench_text(line, "scenario");
			last->point = bench_text(line, "point");
			last->skipped = bench_text(line, "skipped");
		}
		if (last->skipped == NULL)
			add_row(last, line);
		if (bench_has_role(line, "peer") && last->skipped == NULL)
			add_peer(results, line);
	}
}

/** Whether a table is another point of the scenario of the @p count tables before it. */
static bool is_further_point(const struct bench_table *tables, size_t count)
{
	const struct bench_table *table = &tables[count];

	if (!same_text(tables->scenario, table->scenario) || table->point == NULL)
		return false;
	for (size_t i = 0; i < count; i++) /* a point that comes again is of another run */
		if (tables[i].point == NULL || same_text(tables[i].point, table->point))
			return false;
	return true;
}

size_t bench_same_scenario(const struct bench_results *results, size_t first)
{
	size_t count = 1;

	while (first + count < results->tables && is_further_point(&results->table[first], count))
		count++;
	return count;
}
