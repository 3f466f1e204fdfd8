/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* All bars in one list, and the library against LMAX over all that both were measured in. */
#include "results.h"

#include <math.h>
#include <string.h>

static const char lmax_name[] = "LMAX Disruptor";

const double bench_lmax_bar = 4;

enum bench_verdict bench_verdict_of(const json_t *bar)
{
	const char *name = bench_text(bar, "verdict");

	for (int v = BENCH_MET; name != NULL && v <= BENCH_NOT_COUNTED; v++)
		if (strcmp(name, bench_verdict_name((enum bench_verdict)v)) == 0)
			return (enum bench_verdict)v;
	return BENCH_NO_BAR;
}

void bench_each_bar(const struct bench_results *results,
		    void (*each)(void *context, const json_t *line, const json_t *bar),
		    void *context)
{
	const json_t *line, *bar;
	size_t i, k;

	json_array_foreach(results->lines, i, line)
	{
		const json_t *bars = json_object_get(line, "bars");

		json_array_foreach(bars, k, bar)
		{
			if (!isnan(bench_number(bar, "bar")))
				each(context, line, bar);
		}
	}
}

static void count_bar(void *context, const json_t *line, const json_t *bar)
{
	struct bench_tally *tally = context;

	(void)line;
	tally->count[bench_verdict_of(bar)]++;
}

/** Whether it is one of LMAX's own scenarios, and not a sweep that its implementation takes part in. */
static bool is_lmax_scenario(const json_t *line)
{
	static const char *const own[] = { "unicast", "batch",  "array",    "pingpong",  "poller",
					   "three",   "threes", "pipeline", "multicast", "diamond" };
	const char *scenario = bench_text(line, "scenario");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(scenario, own[i]) == 0)
			/* at several sizes of event: the first, as LMAX's has one number */
			return strcmp(scenario, "unicast") != 0 ||
			       bench_number(line, "event_bytes") == 8;
	return false;
}

/** How many times as good the library is as LMAX in a table; NAN: it has not both. */
static double times_lmax(const struct bench_table *table)
{
	double own = table->main != NULL ? bench_number(table->main, "median") : NAN;

	for (size_t i = 0; i < table->count && own > 0; i++) {
		const json_t *line = table->row[i];
		double to_main = bench_number(line, "to_main");

		if (!bench_has_role(line, "peer") ||
		    strcmp(bench_text(line, "subject"), lmax_name) != 0 || !is_lmax_scenario(line))
			continue;
		if (isnan(to_main)) /* a file of before there was that */
			to_main = bench_number(line, "median") / own;
		if (to_main > 0)
			return bench_is_more(line) ? 1 / to_main : to_main;
	}
	return NAN;
}

struct bench_lmax bench_against_lmax(const struct bench_results *results)
{
	struct bench_lmax lmax = { .verdict = BENCH_NOT_COUNTED };
	double sum = 0, noise = 0;

	for (size_t i = 0; i < results->tables; i++) {
		const struct bench_table *table = &results->table[i];
		double times = times_lmax(table);

		if (isnan(times))
			continue;

		double factor = bench_number(table->main, "noise");

		lmax.tables++;
		sum += log(times);
		noise += factor >= 1 ? log(factor) : INFINITY;
	}
	if (lmax.tables == 0)
		return lmax;
	/* each may be off by its factor: all of them one way, at the worst */
	lmax.mean = exp(sum / (double)lmax.tables);
	lmax.noise = exp(noise / (double)lmax.tables);
	if (fmax(lmax.mean / bench_lmax_bar, bench_lmax_bar / lmax.mean) <= lmax.noise)
		lmax.verdict = BENCH_WITHIN_NOISE;
	else
		lmax.verdict = lmax.mean > bench_lmax_bar ? BENCH_MET : BENCH_NOT_MET;
	return lmax;
}

struct bench_tally bench_count_bars(const struct bench_results *results)
{
	struct bench_tally tally = { { 0 } };

	bench_each_bar(results, count_bar, &tally);
	tally.count[bench_against_lmax(results).verdict]++;
	return tally;
}

void bench_bar_words(char *words, size_t size, const json_t *line, const json_t *bar, bool ascii)
{
	const char *times = ascii ? "x" : "×";
	const char *is = bench_text(bar, "bar_is"), *of = bench_text(bar, "of");
	const char *against = bench_text(bar, "against");
	bool most = is != NULL && strcmp(is, "at most") == 0;
	const char *than = most ? ascii ? "<=" : "≤" : ascii ? ">=" : "≥";
	int used = snprintf(words, size, "%s %s %g", bench_text(line, "subject"), than,
			    bench_number(bar, "bar"));

	if (used < 0 || (size_t)used >= size)
		return;
	words += used;
	size -= (size_t)used;
	if (of == NULL && against == NULL)
		snprintf(words, size, " %s", bench_text(line, "unit"));
	else if (of == NULL || against == NULL || strcmp(of, against) == 0)
		snprintf(words, size, " %s %s", times, of != NULL ? of : against);
	else
		snprintf(words, size, " %s %s, %s", times, of, against);
}

static void print_bar(void *context, const json_t *line, const json_t *bar)
{
	const char *point = bench_text(line, "point"), *missing = bench_text(bar, "missing");
	enum bench_verdict verdict = bench_verdict_of(bar);
	double got = bench_number(bar, "got");
	char where[64], words[256];
	FILE *out = context;

	snprintf(where, sizeof(where), "%s%s%s", bench_text(line, "scenario"),
		 point != NULL ? ", " : "", point != NULL ? point : "");
	bench_bar_words(words, sizeof(words), line, bar, true);
	fprintf(out,
		"  %-12s  %-22s  %s: ", verdict != BENCH_NO_BAR ? bench_verdict_name(verdict) : "-",
		where, words);
	if (isnan(got))
		fprintf(out, "not measurable");
	else
		fprintf(out, "%.3g [%.3g, %.3g]", got, bench_number(bar, "got_min"),
			bench_number(bar, "got_max"));
	if (verdict == BENCH_NOT_COUNTED && missing != NULL)
		fprintf(out, "; not built: %s", missing);
	(void)fputc('\n', out);
}

static void print_lmax(FILE *out, const struct bench_results *results)
{
	struct bench_lmax lmax = bench_against_lmax(results);

	fprintf(out,
		"  %-12s  %-22s  geometric mean >= %g x LMAX: ", bench_verdict_name(lmax.verdict),
		"LMAX's as a whole", bench_lmax_bar);
	if (lmax.tables == 0)
		fprintf(out, "%s did not run\n", lmax_name);
	else
		fprintf(out, "%.3g in %zu table%s, within a factor of %.3g\n", lmax.mean,
			lmax.tables, lmax.tables == 1 ? "" : "s", lmax.noise);
}

void bench_summary(FILE *out, const struct bench_results *results)
{
	struct bench_tally tally = bench_count_bars(results);

	fprintf(out, "\nsummary: all bars\n");
	bench_each_bar(results, print_bar, out);
	print_lmax(out, results);
	fprintf(out, "  bars: %u met, %u not met, %u within noise, %u not counted\n",
		tally.count[BENCH_MET], tally.count[BENCH_NOT_MET], tally.count[BENCH_WITHIN_NOISE],
		tally.count[BENCH_NOT_COUNTED]);
	(void)fflush(out);
}
