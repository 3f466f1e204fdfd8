/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A run beside an earlier one of the same machine: the lines that --save wrote, read again. */
#include "results.h"

#include <math.h>

/* What is worse than before by more than this is flagged. */
static const double tolerated = 0.15;

/** What the file has of this load: @p here of this machine, @p elsewhere of another; the last. */
static void find(const struct bench_results *baseline, const json_t *now, const json_t **here,
		 const json_t **elsewhere)
{
	const json_t *line;
	size_t i;

	*here = *elsewhere = NULL;
	json_array_foreach(baseline->lines, i, line)
	{
		if (!bench_same_load(line, now) ||
		    !json_equal(json_object_get(line, "cpus"), json_object_get(now, "cpus")))
			continue;
		if (bench_same_machine(line, now))
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
	double now = row->value.median;
	double then = bench_number(here, "median");
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

void bench_baseline_report(FILE *out, const struct bench_results *baseline,
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
			tally.cpu = bench_machine_text(elsewhere, "cpu");
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
	(void)fflush(out);
}
