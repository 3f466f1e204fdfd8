/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A scenario's part of the page: its plots, and the same in numbers. */
#include "html.h"

#include <math.h>
#include <string.h>

/** A column of a table; one that no line has is left out. */
struct column {
	const char *head;
	const char *group; /* an object of the line in which it is; NULL: the line itself */
	const char *key;
	void (*print)(char text[24], double value); /* NULL: as a figure */
};

static const struct column columns[] = {
	{ "median", NULL, "median", NULL },
	{ "min", NULL, "min", NULL },
	{ "max", NULL, "max", NULL },
	{ "ratio to limit", NULL, "ratio", NULL },
	{ "ratio min", NULL, "ratio_min", NULL },
	{ "ratio max", NULL, "ratio_max", NULL },
	{ "p50", "latency", "p50", plot_time },
	{ "p90", "latency", "p90", plot_time },
	{ "p99", "latency", "p99", plot_time },
	{ "p99.9", "latency", "p99.9", plot_time },
	{ "p99.99", "latency", "p99.99", plot_time },
	{ "latency max", "latency", "max", plot_time },
	{ "CPU ns an event", NULL, "cpu_ns_per_event", NULL },
	{ "gave up the CPU", NULL, "switches_voluntary", plot_short },
	{ "put off the CPU", NULL, "switches_involuntary", plot_short },
	{ "sleeps", NULL, "sleeps", plot_short },
	{ "resident KiB", NULL, "rss_kib", plot_short },
	{ "rounds disturbed", NULL, "disturbed", plot_short },
	{ "events a look", NULL, "mean_batch", NULL },
	{ "events behind", NULL, "mean_lag", NULL },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static double value_of(const json_t *line, const struct column *column)
{
	const json_t *object = column->group != NULL ? json_object_get(line, column->group) : line;

	return bench_number(object, column->key);
}

static bool is_empty(const struct bench_table *table, const struct column *column)
{
	for (size_t i = 0; i < table->count; i++)
		if (!isnan(value_of(table->row[i], column)))
			return false;
	return true;
}

static void draw_row(FILE *out, const struct bench_table *table, const json_t *line)
{
	const char *wait = bench_text(line, "wait");

	fprintf(out, "<tr%s><td>", line == table->main ? " class=\"main\"" : "");
	svg_escape(out, bench_text(line, "subject"));
	(void)fputs(bench_is_again(line) ? " (A/A)</td><td>" : "</td><td>", out);
	svg_escape(out, wait != NULL ? wait : "");
	(void)fputs("</td>", out);
	for (size_t i = 0; i < COLUMNS; i++) {
		double value = value_of(line, &columns[i]);
		char text[32];

		if (is_empty(table, &columns[i]))
			continue;
		if (columns[i].print != NULL && !isnan(value))
			columns[i].print(text, value);
		else
			plot_figure(text, value);
		fprintf(out, "<td>%s</td>", text);
	}
	(void)fputs("</tr>\n", out);
}

static void draw_numbers(FILE *out, const struct bench_table *table)
{
	(void)fputs("<div class=\"scroll\"><table>\n<thead><tr><th>subject</th><th>waits</th>",
		    out);
	for (size_t i = 0; i < COLUMNS; i++)
		if (!is_empty(table, &columns[i]))
			fprintf(out, "<th>%s</th>", columns[i].head);
	(void)fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t i = 0; i < table->count; i++)
		draw_row(out, table, table->row[i]);
	(void)fputs("</tbody>\n</table></div>\n", out);
}

/** What the main line was measured with, and how noisy that was. */
static void draw_parameters(FILE *out, const struct bench_table *table)
{
	const json_t *line = table->main != NULL ? table->main : table->row[0];
	static const struct {
		const char *key, *before, *after;
		double least; /* below it goes without saying */
	} words[] = {
		{ "event_bytes", "", "-byte events", 0 },  { "capacity", "", " slots", 0 },
		{ "batch", "", " a publish", 0 },          { "producers", "", " producers", 2 },
		{ "consumers", "", " consumers", 2 },      { "rounds", "rounds: ", "", 0 },
		{ "noise", "noise: a factor of ", "", 0 },
	};
	const char *comma = "";

	(void)fputs("<p class=\"quiet\">", out);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		double value = bench_number(line, words[i].key);

		if (!(value >= words[i].least))
			continue;
		fprintf(out, "%s%s%.4g%s", comma, words[i].before, value, words[i].after);
		comma = ", ";
	}
	(void)fputs("</p>\n", out);
}

static void draw_bar(FILE *out, const json_t *line, const json_t *bar, bool brief)
{
	char words[256], got[32];

	if (isnan(bench_number(bar, "bar")))
		return;
	if (brief) {
		(void)fputc(' ', out);
		html_verdict(out, bench_verdict_of(bar));
		return;
	}
	bench_bar_words(words, sizeof(words), line, bar, false);
	plot_figure(got, bench_number(bar, "got"));
	(void)fputs("<p>", out);
	html_verdict(out, bench_verdict_of(bar));
	(void)fputc(' ', out);
	svg_escape(out, words);
	fprintf(out, ": <b>%s</b></p>\n", got);
}

/** The bars of a table; @p brief: their verdicts alone. */
static void draw_bars(FILE *out, const struct bench_table *table, bool brief)
{
	for (size_t i = 0; i < table->count; i++) {
		const json_t *bars = json_object_get(table->row[i], "bars"), *bar;
		size_t k;

		json_array_foreach(bars, k, bar)
		{
			draw_bar(out, table->row[i], bar, brief);
		}
	}
}

/** The same plot for wide windows and for narrow ones, of which one is shown. */
static void
both(FILE *out, const struct bench_results *results, const struct bench_table *tables, size_t count,
     void (*plot)(FILE *out, const struct bench_results *results, const struct bench_table *tables,
		  size_t count, const struct plot_frame *frame))
{
	static const struct plot_frame wide = { .width = PLOT_WIDE },
				       narrow = { .width = PLOT_SMALL };

	(void)fputs("<div class=\"wide\">", out);
	plot(out, results, tables, count, &wide);
	(void)fputs("</div>\n<div class=\"small\">", out);
	plot(out, results, tables, count, &narrow);
	(void)fputs("</div>\n", out);
}

static void bars(FILE *out, const struct bench_results *results, const struct bench_table *tables,
		 size_t count, const struct plot_frame *frame)
{
	(void)results, (void)count;
	plot_bars(out, tables, frame);
}

static void latency(FILE *out, const struct bench_results *results,
		    const struct bench_table *tables, size_t count, const struct plot_frame *frame)
{
	(void)count;
	plot_latency(out, results, tables, frame);
}

static void draw_table(FILE *out, const struct bench_results *results,
		       const struct bench_table *table)
{
	draw_parameters(out, table);
	draw_bars(out, table, false);
	both(out, results, table, 1, bars);
	if (plot_has_latency(table)) {
		(void)fputs("<h3>Latency by percentiles</h3>\n", out);
		both(out, results, table, 1, latency);
	}
	(void)fputs("<details><summary>In numbers</summary>\n", out);
	draw_numbers(out, table);
	(void)fputs("</details>\n", out);
}

/** Where there are several the plot of all is shown, and each can be unfolded. */
static void draw_point(FILE *out, const struct bench_results *results,
		       const struct bench_table *table, bool folded)
{
	if (folded)
		fprintf(out, "<details class=\"point\"%s><summary>",
			plot_has_latency(table) ? " open" : "");
	else if (table->point != NULL)
		(void)fputs("<h3>", out);
	if (folded || table->point != NULL)
		svg_escape(out, table->point);
	if (folded) {
		draw_bars(out, table, true);
		(void)fputs("</summary>\n", out);
	} else if (table->point != NULL)
		(void)fputs("</h3>\n", out);
	draw_table(out, results, table);
	if (folded)
		(void)fputs("</details>\n", out);
}

void html_scenario(FILE *out, const struct bench_results *results, size_t first, size_t count)
{
	const struct bench_table *tables = &results->table[first];
	const char *what = tables->count != 0 ? bench_text(tables->row[0], "what") : NULL;

	fprintf(out, "<section>\n<h2 id=\"table-%zu\">", first);
	svg_escape(out, tables->scenario);
	(void)fputs("</h2>\n", out);
	if (what != NULL)
		html_paragraph(out, NULL, what);
	if (tables->skipped != NULL) {
		(void)fputs("<p class=\"quiet\">Skipped: ", out);
		svg_escape(out, tables->skipped);
		(void)fputs("</p>\n", out);
	} else if (count > 1) {
		both(out, results, tables, count, plot_scaling);
	}
	for (size_t i = 0; i < count && tables->skipped == NULL; i++)
		draw_point(out, results, &tables[i], count > 1);
	(void)fputs("</section>\n", out);
}
