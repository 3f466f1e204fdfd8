/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A run beside an earlier one of the same machine: the lines that --save wrote, read again. */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* What is worse than before by more than this is flagged. */
static const double tolerated = 0.15;

struct bench_baseline {
	json_t *lines; /* an array of objects, in the order of the file */
};

/* ---- Reading ---- */

/** What a line lacks that is compared; NULL: nothing. */
static const char *lacking(const json_t *line)
{
	const json_t *median = json_object_get(line, "median");

	if (!json_is_object(line))
		return "it is no JSON object";
	if (!json_is_string(json_object_get(line, "scenario")))
		return "it has no text 'scenario'";
	if (!json_is_string(json_object_get(json_object_get(line, "machine"), "cpu")))
		return "its 'machine' has no text 'cpu'";
	if (json_is_string(json_object_get(line, "skipped")))
		return NULL;
	if (!json_is_string(json_object_get(line, "subject")))
		return "it has no text 'subject'";
	if (!json_is_string(json_object_get(line, "unit")))
		return "it has no text 'unit'";
	if (!json_is_number(median) && !json_is_null(median))
		return "it has no number 'median'";
	return NULL;
}

static bool add_line(struct bench_baseline *baseline, const char *text, size_t length, char *error,
		     size_t size)
{
	json_error_t parse;
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &parse);
	const char *wrong = line != NULL ? lacking(line) : parse.text;

	if (wrong != NULL)
		snprintf(error, size, "%s", wrong);
	else if (json_array_append(baseline->lines, line) != 0)
		bench_fail("no memory for the baseline");
	json_decref(line);
	return wrong == NULL;
}

static bool read_lines(struct bench_baseline *baseline, FILE *file, const char *path, char *error,
		       size_t size)
{
	char *text = NULL, wrong[256] = "";
	size_t room = 0, number = 0;
	ssize_t length;

	errno = 0;
	while (wrong[0] == '\0' && (length = getline(&text, &room, file)) != -1) {
		number++;
		if (!add_line(baseline, text, (size_t)length, wrong, sizeof(wrong)))
			snprintf(error, size, "%s:%zu: %s", path, number, wrong);
	}
	free(text);
	if (wrong[0] != '\0')
		return false;
	if (!feof(file)) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (number == 0)
		snprintf(error, size, "%s:1: the file is empty", path);
	return number != 0;
}

struct bench_baseline *bench_baseline_read(const char *path, char *error, size_t size)
{
	FILE *file = fopen(path, "r");
	struct bench_baseline *baseline;

	if (file == NULL) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	baseline = calloc(1, sizeof(*baseline));
	if (baseline == NULL || (baseline->lines = json_array()) == NULL)
		bench_fail("no memory for the baseline");
	if (!read_lines(baseline, file, path, error, size)) {
		bench_baseline_free(baseline);
		baseline = NULL;
	}
	fclose(file);
	return baseline;
}

void bench_baseline_free(struct bench_baseline *baseline)
{
	if (baseline == NULL)
		return;
	json_decref(baseline->lines);
	free(baseline);
}

/* ---- Comparing ---- */

/** Whether two lines tell of the same load. How often it was measured may differ. */
static bool same_load(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "scenario",    "subject",  "again",     "wait",
					    "event_bytes", "capacity", "producers", "consumers",
					    "batch",       "layout",   "rung",      "cpus",
					    "unit" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
			return false;
	}
	return true;
}

static const char *cpu_of(const json_t *line)
{
	return json_string_value(json_object_get(json_object_get(line, "machine"), "cpu"));
}

/** What the file has of this load: @p here of this machine, @p elsewhere of another; the last. */
static void find(const struct bench_baseline *baseline, const json_t *now, const json_t **here,
		 const json_t **elsewhere)
{
	const json_t *line;
	size_t i;

	*here = *elsewhere = NULL;
	json_array_foreach(baseline->lines, i, line)
	{
		if (!same_load(line, now))
			continue;
		if (strcmp(cpu_of(line), cpu_of(now)) == 0)
			*here = line;
		else
			*elsewhere = line;
	}
}

/** By what part of the baseline it is worse; NAN: they cannot be compared. */
static double worse_by(enum bench_better better, double now, double then)
{
	if (!(then > 0) || !isfinite(now))
		return NAN; /* of nothing, or less than that, there are no parts */
	return better == BENCH_MORE ? 1 - now / then : now / then - 1;
}

/** How a scenario's rows compare. */
struct tally {
	unsigned compared, flagged, elsewhere;
	const char *cpu; /* the other machine's */
};

static void compare_row(FILE *out, const struct bench_result *result, const struct bench_row *row,
			const json_t *here, struct tally *tally)
{
	const char *again = row == result->again ? " (A/A)" : "";
	const json_t *median = json_object_get(here, "median");
	double now = row->value.median;
	double then = json_is_number(median) ? json_number_value(median) : NAN;
	double worse = worse_by(result->scenario->better, now, then);

	if (isnan(worse)) {
		fprintf(out, "  base:  %s%s: %.4g, was %.4g %s: not comparable\n",
			bench_entry_name(&row->entry), again, now, then, result->scenario->unit);
		return;
	}
	tally->compared++;
	if (!(worse > tolerated))
		return;
	tally->flagged++;
	fprintf(out,
		"  base:  %s%s: %.4g, was %.4g %s: slower than the baseline by %.0f %% (flagged)%s\n",
		bench_entry_name(&row->entry), again, now, then, result->scenario->unit,
		worse * 100, fmax(now / then, then / now) <= result->noise ? " ~" : "");
}

void bench_baseline_report(FILE *out, const struct bench_baseline *baseline,
			   const struct bench_result *result, const struct bench_machine *machine)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];
		const json_t *here, *elsewhere;
		json_t *now = bench_row_object(result, row, machine);

		find(baseline, now, &here, &elsewhere);
		if (here != NULL) {
			compare_row(out, result, row, here, &tally);
		} else if (elsewhere != NULL) {
			tally.elsewhere++;
			tally.cpu = cpu_of(elsewhere);
		} else {
			fprintf(out,
				"  base:  %s%s: the baseline has no line of these parameters\n",
				bench_entry_name(&row->entry),
				row == result->again ? " (A/A)" : "");
		}
		json_decref(now);
	}
	if (tally.elsewhere != 0)
		fprintf(out, "  base:  %u of %zu not compared: taken on another machine, %s\n",
			tally.elsewhere, result->count, tally.cpu);
	if (tally.compared != 0)
		fprintf(out, "  base:  %u of %zu compared, %u slower by more than %.0f %%\n",
			tally.compared, result->count, tally.flagged, tolerated * 100);
	fflush(out);
}
