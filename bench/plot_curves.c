/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Which series there are: latencies over percentiles, medians over a scenario's points. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 64 };

/** Which of the peers it is. */
static size_t peer_index(const struct bench_results *results, const char *name)
{
	size_t i = 0;

	while (i < results->peers && strcmp(results->peer[i], name) != 0)
		i++;
	return i;
}

static struct plot_point *points(size_t count)
{
	struct plot_point *all = calloc(count + 1, sizeof(*all));

	if (all == NULL)
		bench_fail("no memory for a plot");
	return all;
}

/** Begin a series for a line; @p before are those that there are already. */
static struct plot_series begin(const struct bench_results *results, const json_t *line,
				const struct plot_series *before, size_t count)
{
	struct plot_series series = { .name = bench_text(line, "subject"),
				      .kind = plot_kind_of(line) };

	if (series.kind == PLOT_PEER)
		series.index = peer_index(results, series.name);
	else
		for (size_t i = 0; i < count; i++)
			series.index += before[i].kind == series.kind;
	return series;
}

static void free_series(struct plot_series *series, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(series[i].point);
}

/* ---- Latency ---- */

static bool has_curve(const json_t *line)
{
	return json_array_size(json_object_get(line, "curve")) > 1 && !bench_is_again(line);
}

bool plot_has_latency(const struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (has_curve(table->row[i]))
			return true;
	return false;
}

static double nines(double percentile)
{
	return percentile < 100 ? -log10(1 - percentile / 100) : INFINITY;
}

/** Points whose x counts the nines of the percentile; the largest of all has infinitely many. */
static void read_curve(struct plot_series *series, const json_t *line)
{
	const json_t *curve = json_object_get(line, "curve"), *pair;
	size_t i;

	series->point = points(json_array_size(curve));
	json_array_foreach(curve, i, pair)
	{
		const json_t *percentile = json_array_get(pair, 0), *ns = json_array_get(pair, 1);

		if (!json_is_number(percentile) || !json_is_number(ns))
			continue;
		series->point[series->count++] =
			(struct plot_point){ .x = nines(json_number_value(percentile)),
					     .y = json_number_value(ns),
					     .low = NAN };
	}
}

/** The axis of percentiles: as far as they go, and a bit on for the largest of all. */
static void percentiles(struct plot_axis *axis, const struct plot_series *series, size_t count)
{
	static const double ticks[] = { 0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999 };
	double most = 1;
	bool max = false;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < series[i].count; k++) {
			double x = series[i].point[k].x;

			max |= isinf(x);
			most = isinf(x) ? most : fmax(most, fmin(x, 6));
		}
	axis->to = max ? most + 0.7 : most;
	axis->title = "percentile, log scale of what lies above it";
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		if (nines(ticks[i]) > most + 0.001)
			break;
		axis->tick[axis->count] = nines(ticks[i]);
		snprintf(axis->label[axis->count++], 24, "%.7g", ticks[i]);
	}
	if (max) {
		axis->tick[axis->count] = axis->to;
		snprintf(axis->label[axis->count++], 24, "max");
	}
}

void plot_latency(FILE *out, const struct bench_results *results, const struct bench_table *table,
		  const struct plot_frame *frame)
{
	struct plot_axis x = { .count = 0 }, y = { .title = "latency, less is better" };
	struct plot_series series[SERIES];
	double min = INFINITY, max = -INFINITY;
	size_t count = 0;

	for (size_t i = 0; i < table->count && count < SERIES; i++) {
		if (!has_curve(table->row[i]))
			continue;
		series[count] = begin(results, table->row[i], series, count);
		read_curve(&series[count], table->row[i]);
		for (size_t k = 0; k < series[count].count; k++) {
			double ns = series[count].point[k].y;

			min = ns > 0 ? fmin(min, ns) : min;
			max = fmax(max, ns);
		}
		if (series[count].count != 0)
			count++;
		else
			free(series[count].point);
	}
	percentiles(&x, series, count);
	plot_fit(&y, min, max, 8, plot_time);
	if (count != 0)
		plot_lines(out, frame, &x, &y, series, count);
	free_series(series, count);
}

/* ---- Scaling ---- */

/** What may differ between the points of a scenario. */
static const struct {
	const char *key, *title;
	void (*label)(char text[24], double value);
} ways[] = {
	{ "producers", "producers", plot_short },
	{ "consumers", "consumers", plot_short },
	{ "event_bytes", "bytes of an event, log scale", plot_bytes },
	{ "capacity", "slots, log scale", plot_slots },
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static double at_point(const struct bench_table *table, size_t way)
{
	return table->count != 0 ? bench_number(table->row[0], ways[way].key) : NAN;
}

/** What differs between all points; WAYS: nothing does, they have but their names. */
static size_t which_way(const struct bench_table *tables, size_t count)
{
	for (size_t way = 0; way < WAYS; way++) {
		bool different = true;

		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k <= i; k++) {
				double a = at_point(&tables[i], way), b = at_point(&tables[k], way);

				different &= i == k ? a > 0 : a != b;
			}
		if (different)
			return way;
	}
	return WAYS;
}

static double x_of(const struct bench_table *table, size_t index, size_t way)
{
	return way < WAYS ? at_point(table, way) : (double)index;
}

static void set_ticks(struct plot_axis *x, const struct bench_table *tables, size_t count,
		      size_t way)
{
	x->from = INFINITY;
	x->to = -INFINITY;
	x->title = way < WAYS ? ways[way].title : "";
	for (size_t i = 0; i < count; i++) {
		double value = x_of(&tables[i], i, way);
		const char *point = tables[i].point;

		x->from = fmin(x->from, value);
		x->to = fmax(x->to, value);
		if (x->count == PLOT_TICKS)
			continue;
		x->tick[x->count] = value;
		if (way < WAYS)
			ways[way].label(x->label[x->count++], value);
		else
			snprintf(x->label[x->count++], 24, "%.20s", point != NULL ? point : "");
	}
	x->log = way < WAYS;
	if (!(x->to > x->from))
		x->to = x->from + 1;
}

static int by_x(const void *a, const void *b)
{
	double x = ((const struct plot_point *)a)->x, y = ((const struct plot_point *)b)->x;

	return (x > y) - (x < y);
}

/** The line of a subject in a table; NULL: it has none. */
static const json_t *line_named(const struct bench_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!bench_is_again(table->row[i]) &&
		    strcmp(bench_text(table->row[i], "subject"), name) == 0)
			return table->row[i];
	return NULL;
}

/** All medians of a subject; false: there is none. */
static bool gather(struct plot_series *series, const struct bench_table *tables, size_t count,
		   size_t way)
{
	series->marked = true;
	series->point = points(count);
	for (size_t i = 0; i < count; i++) {
		const json_t *line = line_named(&tables[i], series->name);
		double median = line != NULL ? bench_number(line, "median") : NAN;

		if (!isnan(median))
			series->point[series->count++] =
				(struct plot_point){ .x = x_of(&tables[i], i, way),
						     .y = median,
						     .low = bench_number(line, "min"),
						     .high = bench_number(line, "max") };
	}
	if (series->count == 0)
		free(series->point);
	else
		qsort(series->point, series->count, sizeof(*series->point), by_x);
	return series->count != 0;
}

static bool known(const struct plot_series *series, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(series[i].name, name) == 0)
			return true;
	return false;
}

static size_t gather_all(const struct bench_results *results, struct plot_series *series,
			 const struct bench_table *tables, size_t tables_count, size_t way)
{
	size_t count = 0;

	for (size_t i = 0; i < tables_count; i++)
		for (size_t k = 0; k < tables[i].count && count < SERIES; k++) {
			const json_t *line = tables[i].row[k];

			if (bench_is_again(line) ||
			    known(series, count, bench_text(line, "subject")))
				continue;
			series[count] = begin(results, line, series, count);
			count += gather(&series[count], tables, tables_count, way);
		}
	return count;
}

void plot_scaling(FILE *out, const struct bench_results *results, const struct bench_table *tables,
		  size_t count, const struct plot_frame *frame)
{
	struct plot_axis x = { .count = 0 }, y = { .count = 0 };
	size_t way = which_way(tables, count), lines;
	struct plot_series series[SERIES];
	double min = INFINITY, max = -INFINITY;
	const json_t *line = tables[0].count != 0 ? tables[0].row[0] : NULL;
	char title[96];

	lines = gather_all(results, series, tables, count, way);
	for (size_t i = 0; i < lines; i++)
		for (size_t k = 0; k < series[i].count; k++) {
			const struct plot_point *p = &series[i].point[k];

			min = fmin(min, p->low > 0 ? fmin(p->low, p->y) : p->y);
			max = fmax(max, fmax(p->high, p->y));
		}
	set_ticks(&x, tables, count, way);
	plot_fit(&y, min, max, 8, plot_short);
	if (lines != 0) {
		snprintf(title, sizeof(title), "%.60s, %s is better%s", bench_text(line, "unit"),
			 bench_is_more(line) ? "more" : "less", y.log ? "; log scale" : "");
		y.title = title;
		plot_lines(out, frame, &x, &y, series, lines);
	}
	free_series(series, lines);
}
