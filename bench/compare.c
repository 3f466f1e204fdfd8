/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two files of results, one beside the other: what changed, and whether more than the noise. */
#include "results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No pair of runs is taken to be quieter than this factor. */
static const double least_noise = 1.01;

/** A line of the one file and the same of the other. */
struct pair {
	const json_t *before, *after;
	bool by_ratio;     /* compared is the ratio to the limit, else the median */
	double times;      /* as good as before; NAN: not comparable */
	double noise;      /* a factor: both runs' together */
	double importance; /* above 1: outside the noise */
};

struct comparison {
	struct pair *pair;
	size_t pairs, gone, new, incomparable, same, moved, better, worse, within;
	bool same_machine;
};

static double noise_of(const json_t *before, const json_t *after)
{
	double a = bench_number(before, "noise"), b = bench_number(after, "noise");

	/* without a factor nothing can be told: it was infinite, or never taken */
	return a >= 1 && b >= 1 ? fmax(a * b, least_noise) : INFINITY;
}

/** Whether it is what others have their ratios to. */
static bool is_limit(const json_t *line)
{
	return bench_has_role(line, "limit");
}

/** Whether it tells of the machine alone: no code of the library is in it. */
static bool is_bare(const json_t *line)
{
	return strncmp(bench_text(line, "subject"), "limit:", 6) == 0;
}

static struct pair weigh(const json_t *before, const json_t *after, bool same_machine)
{
	struct pair pair = { before, after, false, NAN, noise_of(before, after), 0 };
	double a = bench_number(before, "ratio"), b = bench_number(after, "ratio");

	pair.by_ratio = !is_limit(before) && a > 0 && b > 0;
	if (!pair.by_ratio) {
		a = bench_number(before, "median");
		b = bench_number(after, "median");
	}
	if ((pair.by_ratio || same_machine) && a > 0 && b > 0) {
		pair.times = bench_is_more(after) ? b / a : a / b;
		pair.importance = fabs(log(pair.times)) / log(pair.noise);
	}
	return pair;
}

/** The last line of a load, from those that count: not the A/A pair's second half. */
static const json_t *find(const struct bench_results *results, const json_t *load,
			  bool same_machine)
{
	const json_t *line, *found = NULL;
	size_t i;

	json_array_foreach(results->lines, i, line)
	{
		if (bench_text(line, "skipped") == NULL && bench_same_load(line, load) &&
		    (!same_machine ||
		     json_equal(json_object_get(line, "cpus"), json_object_get(load, "cpus"))))
			found = line;
	}
	return found;
}

static bool counts(const struct bench_results *results, const json_t *line, bool same_machine)
{
	return bench_text(line, "skipped") == NULL && !bench_is_again(line) &&
	       find(results, line, same_machine) == line;
}

static int important_first(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (isnan(x->times) || isnan(y->times))
		return isnan(x->times) - isnan(y->times);
	if (x->importance != y->importance)
		return x->importance < y->importance ? 1 : -1;
	return fabs(log(y->times)) > fabs(log(x->times)) ? 1 : -1;
}

static bool is_same(const struct pair *pair)
{
	return pair->times == 1 && json_equal(json_object_get(pair->before, "median"),
					      json_object_get(pair->after, "median"));
}

static void count(struct comparison *comparison, const struct pair *pair)
{
	if (isnan(pair->times))
		comparison->incomparable++;
	else if (is_same(pair))
		comparison->same++;
	else if (!(pair->importance > 1))
		comparison->within++;
	else if (is_limit(pair->after) && is_bare(pair->after))
		comparison->moved++;
	else if (pair->times > 1)
		comparison->better++;
	else
		comparison->worse++;
}

static struct comparison compare(const struct bench_results *before,
				 const struct bench_results *after)
{
	struct comparison comparison = { .pair = NULL };
	const json_t *line;
	size_t i;

	comparison.same_machine = bench_same_machine(json_array_get(before->lines, 0),
						     json_array_get(after->lines, 0));
	comparison.pair = calloc(json_array_size(after->lines) + 1, sizeof(struct pair));
	if (comparison.pair == NULL)
		bench_fail("no memory to compare");
	json_array_foreach(after->lines, i, line)
	{
		const json_t *old;

		if (!counts(after, line, comparison.same_machine))
			continue;
		old = find(before, line, comparison.same_machine);
		comparison.new += old == NULL;
		if (old != NULL)
			comparison.pair[comparison.pairs++] =
				weigh(old, line, comparison.same_machine);
	}
	json_array_foreach(before->lines, i, line)
	{
		comparison.gone += counts(before, line, comparison.same_machine) &&
				   find(after, line, comparison.same_machine) == NULL;
	}
	qsort(comparison.pair, comparison.pairs, sizeof(struct pair), important_first);
	for (i = 0; i < comparison.pairs; i++)
		count(&comparison, &comparison.pair[i]);
	return comparison;
}

static const char *word_of(const struct pair *pair)
{
	if (isnan(pair->times))
		return "not comparable";
	if (!(pair->importance > 1))
		return "within noise";
	if (is_limit(pair->after) && is_bare(pair->after))
		return "limit moved";
	return pair->times > 1 ? "better" : "worse";
}

/* ---- For people ---- */

static void name_of(char name[160], const json_t *line)
{
	const char *point = bench_text(line, "point");

	snprintf(name, 160, "%s%s%s: %s", bench_text(line, "scenario"), point != NULL ? ", " : "",
		 point != NULL ? point : "", bench_text(line, "subject"));
}

/** A number without an exponent, if that goes. */
static const char *figure(char text[32], double value)
{
	snprintf(text, 32, fabs(value) >= 1000 && fabs(value) < 1e9 ? "%.0f" : "%.3g", value);
	return text;
}

/** The way from one number to another. */
static void print_way(FILE *out, const struct pair *pair, const char *key)
{
	char a[32], b[32];

	fprintf(out, "%s -> %s", figure(a, bench_number(pair->before, key)),
		figure(b, bench_number(pair->after, key)));
}

static void print_pair(FILE *out, const struct comparison *comparison, const struct pair *pair,
		       int width)
{
	const char *limit = bench_text(pair->after, "limit");
	char name[160], change[32] = "-", noise[32] = "?";

	if (!isnan(pair->times) && pair->times < 10 && pair->times > 0.1)
		snprintf(change, sizeof(change), "%+.1f %%", (pair->times - 1) * 100);
	else if (!isnan(pair->times))
		snprintf(change, sizeof(change), "x %.3g", pair->times);
	if (isfinite(pair->noise))
		snprintf(noise, sizeof(noise), "%.3g", pair->noise);
	name_of(name, pair->after);
	fprintf(out, "  %-14s %10s  %8s  %-*s  ", word_of(pair), change, noise, width, name);
	if (pair->by_ratio) {
		print_way(out, pair, "ratio");
		fprintf(out, " x %s%s", limit != NULL ? limit : "the limit",
			comparison->same_machine ? "; " : "");
	}
	if (comparison->same_machine) {
		print_way(out, pair, "median");
		fprintf(out, " %s", bench_text(pair->after, "unit"));
	}
	(void)fputc('\n', out);
}

static void print_pairs(FILE *out, const struct comparison *comparison)
{
	int width = 8;
	bool any = false;
	char name[160];

	for (size_t i = 0; i < comparison->pairs; i++) {
		name_of(name, comparison->pair[i].after);
		any |= !is_same(&comparison->pair[i]);
		if (!is_same(&comparison->pair[i]) && (int)strlen(name) > width)
			width = (int)strlen(name);
	}
	if (any)
		fprintf(out, "  %-14s %10s  %8s  %-*s  from -> to\n", "", "better by", "noise x",
			width, "subject");
	for (size_t i = 0; i < comparison->pairs; i++)
		if (!is_same(&comparison->pair[i]))
			print_pair(out, comparison, &comparison->pair[i], width);
}

/** Verdicts of bars that are another now. */
static void print_verdicts(FILE *out, const struct pair *pair)
{
	const json_t *before = json_object_get(pair->before, "bars");
	const json_t *after = json_object_get(pair->after, "bars"), *was, *is;
	size_t i, k;

	json_array_foreach(after, i, is)
	{
		json_array_foreach(before, k, was)
		{
			enum bench_verdict old = bench_verdict_of(was);
			enum bench_verdict now = bench_verdict_of(is);
			char words[256];

			if (!json_equal(json_object_get(was, "bar"), json_object_get(is, "bar")) ||
			    !json_equal(json_object_get(was, "of"), json_object_get(is, "of")) ||
			    old == now || old == BENCH_NO_BAR || now == BENCH_NO_BAR)
				continue;
			bench_bar_words(words, sizeof(words), pair->after, is, true);
			fprintf(out, "  bar:   %s: %s: %s, was %s\n",
				bench_text(pair->after, "scenario"), words, bench_verdict_name(now),
				bench_verdict_name(old));
		}
	}
}

static void print_file(FILE *out, const char *word, const char *path,
		       const struct bench_results *results)
{
	const json_t *line = json_array_get(results->lines, 0);
	const char *commit = bench_machine_text(line, "commit");

	fprintf(out, "%s %s: commit %s on %s\n", word, path, commit != NULL ? commit : "unknown",
		bench_machine_text(line, "cpu"));
}

static void print_counts(FILE *out, const struct comparison *c)
{
	size_t changed = c->moved + c->better + c->worse;

	if (changed + c->within + c->gone + c->new == 0 && c->same != 0)
		fprintf(out, "  nothing changed\n");
	else if (changed == 0)
		fprintf(out, "  nothing changed by more than the noise\n");
	fprintf(out,
		"  %zu compared: %zu better, %zu worse, %zu limit%s moved, %zu within noise, "
		"%zu the same; %zu not comparable\n",
		changed + c->within + c->same, c->better, c->worse, c->moved,
		c->moved == 1 ? "" : "s", c->within, c->same, c->incomparable);
	if (c->gone != 0 || c->new != 0)
		fprintf(out, "  %zu only in the first file, %zu only in the second\n", c->gone,
			c->new);
}

static void print_all(FILE *out, const char *const *paths, const struct bench_results *before,
		      const struct bench_results *after, const struct comparison *comparison)
{
	print_file(out, "from", paths[0], before);
	print_file(out, "to  ", paths[1], after);
	if (!comparison->same_machine)
		fprintf(out, "These are different machines: only ratios are compared.\n");
	(void)fputc('\n', out);
	print_pairs(out, comparison);
	for (size_t i = 0; i < comparison->pairs; i++)
		print_verdicts(out, &comparison->pair[i]);
	print_counts(out, comparison);
}

/* ---- For programs ---- */

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		bench_fail("no memory for the JSON of %s", key);
}

static void set_number(json_t *object, const char *key, double value)
{
	set(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void set_both(json_t *object, const struct pair *pair, const char *key)
{
	char name[48];

	snprintf(name, sizeof(name), "%s_before", key);
	set_number(object, name, bench_number(pair->before, key));
	snprintf(name, sizeof(name), "%s_after", key);
	set_number(object, name, bench_number(pair->after, key));
}

static void print_pair_json(FILE *out, const struct pair *pair)
{
	static const char *const texts[] = { "scenario", "point", "subject", "unit", "better" };
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = bench_text(pair->after, texts[i]);

		set(object, texts[i], text != NULL ? json_string(text) : json_null());
	}
	set_both(object, pair, "median");
	set_both(object, pair, "ratio");
	set_both(object, pair, "noise");
	set(object, "compared", json_string(pair->by_ratio ? "ratio" : "median"));
	set_number(object, "times_as_good", pair->times);
	set_number(object, "noise", pair->noise);
	set(object, "outside_noise", json_boolean(pair->importance > 1));
	set(object, "is", json_string(word_of(pair)));
	bench_print_line(out, object);
	json_decref(object);
}

static void print_json(FILE *out, const struct comparison *comparison)
{
	json_t *object = json_object();

	for (size_t i = 0; i < comparison->pairs; i++)
		print_pair_json(out, &comparison->pair[i]);
	set(object, "is", json_string("summary"));
	set(object, "same_machine", json_boolean(comparison->same_machine));
	set(object, "better", json_integer((json_int_t)comparison->better));
	set(object, "worse", json_integer((json_int_t)comparison->worse));
	set(object, "limits_moved", json_integer((json_int_t)comparison->moved));
	set(object, "within_noise", json_integer((json_int_t)comparison->within));
	set(object, "same", json_integer((json_int_t)comparison->same));
	set(object, "not_comparable", json_integer((json_int_t)comparison->incomparable));
	set(object, "only_before", json_integer((json_int_t)comparison->gone));
	set(object, "only_after", json_integer((json_int_t)comparison->new));
	bench_print_line(out, object);
	json_decref(object);
}

void bench_compare(FILE *out, const char *const *paths, const struct bench_results *before,
		   const struct bench_results *after, bool json)
{
	struct comparison comparison = compare(before, after);

	if (json)
		print_json(out, &comparison);
	else
		print_all(out, paths, before, after, &comparison);
	free(comparison.pair);
}
