/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A table's medians as bars, the best above, with whiskers from the smallest to the largest. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Told apart by those who see fewer colours, too (after Okabe and Ito). */
static const char *const colours[] = {
	[PLOT_MAIN] = "#0072b2",
	[PLOT_VARIANT] = "#56b4e9",
	[PLOT_LIMIT] = "#9aa0a6",
	[PLOT_PEER] = "#e69f00",
};

static const char *const kind_names[] = {
	[PLOT_MAIN] = "library",
	[PLOT_VARIANT] = "library, other setup",
	[PLOT_LIMIT] = "limit",
	[PLOT_PEER] = "peer",
};

enum plot_kind plot_kind_of(const json_t *line)
{
	if (bench_has_role(line, "peer"))
		return PLOT_PEER;
	if (bench_has_role(line, "main") || bench_is_again(line))
		return PLOT_MAIN;
	return strncmp(bench_text(line, "subject"), "limit:", 6) == 0 ? PLOT_LIMIT : PLOT_VARIANT;
}

const char *plot_kind_colour(enum plot_kind kind)
{
	return colours[kind];
}

/** Where everything is. */
struct layout {
	double width, height;
	bool narrow, ratios;
	double top, row;              /* of the first row, and from one to the next */
	double label;                 /* width of the names, if they stand beside */
	double median_end, ratio_end; /* where these columns of numbers end */
	char ratio_head[64];
	struct plot_axis axis;
};

struct bars {
	const json_t *line[BENCH_ENTRIES];
	size_t count;
};

static int better_first(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	double p = bench_number(x, "median"), q = bench_number(y, "median");

	if (isnan(p) || isnan(q))
		return isnan(p) - isnan(q);
	return bench_is_more(x) ? (p < q) - (p > q) : (p > q) - (p < q);
}

/** The lines to be shown: the A/A pair's second half is the first once more. */
static struct bars choose(const struct bench_table *table)
{
	struct bars bars = { .count = 0 };

	for (size_t i = 0; i < table->count; i++)
		if (!bench_is_again(table->row[i]))
			bars.line[bars.count++] = table->row[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted */
	qsort(bars.line, bars.count, sizeof(bars.line[0]), better_first);
	return bars;
}

static void fit(struct layout *layout, const struct bars *bars)
{
	double min = INFINITY, max = -INFINITY;
	bool positive = false;

	for (size_t i = 0; i < bars->count; i++) {
		double median = bench_number(bars->line[i], "median");
		double low = bench_number(bars->line[i], "min");
		double high = bench_number(bars->line[i], "max");

		min = fmin(min, fmin(low > 0 || !(median > 0) ? low : median, median));
		max = fmax(max, fmax(high, median));
		positive |= median > 0;
	}
	/* a bar of nothing or less has no place on a log scale, the others do: it gets no length */
	if (min <= 0 && positive) {
		double least = INFINITY;

		for (size_t i = 0; i < bars->count; i++) {
			double median = bench_number(bars->line[i], "median");

			if (median > 0)
				least = fmin(least, median);
		}
		if (max > least * 100)
			min = least;
	}
	plot_fit(&layout->axis, min, max, layout->narrow ? 4 : 7, plot_short);
}

/** Set what stands at the right: the medians, and their ratios to the limit if it has a name. */
static void lay_out_columns(struct layout *layout, const json_t *limit)
{
	double room = 0;

	layout->ratio_end = layout->width - (layout->narrow ? 4 : 12);
	if (layout->ratios && layout->narrow) {
		snprintf(layout->ratio_head, sizeof(layout->ratio_head), "to limit");
		room = 80;
	} else if (layout->ratios) {
		char head[160];

		snprintf(head, sizeof(head), "to %.140s", bench_text(limit, "subject"));
		svg_shorten(layout->ratio_head, sizeof(layout->ratio_head), head, 12, 150);
		room = fmax(76, svg_text_width(layout->ratio_head, 12) + 14);
	}
	layout->median_end = layout->ratio_end - room;
}

static struct layout lay_out(const struct bars *bars, const struct bench_table *table,
			     const struct plot_frame *frame)
{
	struct layout layout = { .width = frame->width, .narrow = frame->width < PLOT_NARROW };
	double widest = 60;

	for (size_t i = 0; i < bars->count; i++) {
		widest = fmax(widest, svg_text_width(bench_text(bars->line[i], "subject"), 14));
		layout.ratios |= !isnan(bench_number(bars->line[i], "ratio"));
	}
	layout.label = fmin(widest, 230) + 10;
	layout.ratios = layout.ratios && table->limit != NULL;
	layout.row = layout.narrow ? 44 : 27;
	layout.top = (frame->title != NULL ? 62 : 0) + 28;
	layout.height = layout.top + layout.row * (double)bars->count + 82;
	lay_out_columns(&layout, table->limit);
	layout.axis.at = layout.narrow ? 6 : layout.label + 12;
	layout.axis.length =
		(layout.narrow ? layout.width - 14 : layout.median_end - 74) - layout.axis.at;
	return layout;
}

static void draw_grid(FILE *out, const struct layout *layout, const json_t *line)
{
	const struct plot_axis *axis = &layout->axis;
	double bottom = layout->height - 76;
	struct svg_font font = { 12, SVG_MIDDLE, SVG_FAINT, false };
	struct svg_stroke grid = { SVG_GRID, 1, NULL };
	char text[160];

	for (unsigned i = 0; i < axis->count; i++) {
		double x = plot_place(axis, axis->tick[i]);

		svg_line(out, x, layout->top - 4, x, bottom, &grid);
		font.anchor = layout->narrow && i == 0                   ? SVG_START
			      : layout->narrow && x > layout->width - 24 ? SVG_END
									 : SVG_MIDDLE;
		svg_text(out, x, bottom + 16, &font, axis->label[i]);
	}
	snprintf(text, sizeof(text), "%s%s; %s is better", bench_text(line, "unit"),
		 axis->log ? ", log scale" : "", bench_is_more(line) ? "more" : "less");
	font.anchor = layout->narrow ? SVG_START : SVG_MIDDLE;
	font.size = 13;
	svg_text(out, axis->at + (layout->narrow ? 0 : axis->length / 2), bottom + 36, &font, text);
}

static void draw_heads(FILE *out, const struct layout *layout)
{
	struct svg_font font = { 12, SVG_END, SVG_FAINT, false };
	double y = layout->top - 12;

	svg_text(out, layout->median_end, y, &font, "median");
	if (layout->ratios)
		svg_text(out, layout->ratio_end, y, &font, layout->ratio_head);
}

static void draw_whisker(FILE *out, double from, double to, double y)
{
	struct svg_stroke stroke = { SVG_INK, 1.3, NULL };

	svg_line(out, from, y, to, y, &stroke);
	svg_line(out, from, y - 4, from, y + 4, &stroke);
	svg_line(out, to, y - 4, to, y + 4, &stroke);
}

static void draw_bar(FILE *out, const struct layout *layout, const json_t *line, double y)
{
	const struct plot_axis *axis = &layout->axis;
	double median = bench_number(line, "median"), low = bench_number(line, "min");
	double high = bench_number(line, "max"), thick = layout->narrow ? 14 : 17;
	double zero = plot_place(axis, axis->log ? axis->from : 0), end = plot_place(axis, median);
	char hint[256], m[32], l[32], h[32];

	if (isnan(median))
		return;
	plot_figure(m, median), plot_figure(l, low), plot_figure(h, high);
	snprintf(hint, sizeof(hint), "%.100s: %s %.40s, from %s to %s", bench_text(line, "subject"),
		 m, bench_text(line, "unit"), l, h);
	svg_rect(out, fmin(zero, end), y, fmax(fabs(end - zero), 1), thick,
		 plot_kind_colour(plot_kind_of(line)), hint);
	if (isnan(low) || isnan(high))
		return;

	draw_whisker(out, plot_place(axis, low), plot_place(axis, high), y + thick / 2);
}

static void draw_row(FILE *out, const struct layout *layout, const json_t *line, size_t i)
{
	bool own = plot_kind_of(line) == PLOT_MAIN;
	double y = layout->top + layout->row * (double)i, ratio = bench_number(line, "ratio");
	double text_y = y + (layout->narrow ? 13 : 13.5);
	struct svg_font name = { 14, layout->narrow ? SVG_START : SVG_END, SVG_INK, own };
	struct svg_font value = { 14, SVG_END, SVG_INK, own };
	char text[128], number[32];
	double room = layout->narrow ? layout->median_end - 72 : layout->label;

	svg_shorten(text, sizeof(text), bench_text(line, "subject"), 14, room);
	svg_text(out, layout->narrow ? 6 : layout->label + 2, text_y, &name, text);
	plot_figure(number, bench_number(line, "median"));
	svg_text(out, layout->median_end, text_y, &value, number);
	if (layout->ratios && !isnan(ratio)) {
		plot_figure(number, ratio);
		snprintf(text, sizeof(text), "%s ×", number);
		svg_text(out, layout->ratio_end, text_y, &value, text);
	}
	draw_bar(out, layout, line, y + (layout->narrow ? 19 : 0));
}

static void draw_legend(FILE *out, const struct layout *layout, const struct bars *bars)
{
	struct svg_font font = { 12, SVG_START, SVG_FAINT, false };
	double x = layout->narrow ? 6 : layout->axis.at, y = layout->height - 22;

	for (int kind = PLOT_MAIN; kind <= PLOT_PEER; kind++) {
		bool there = false;

		for (size_t i = 0; i < bars->count; i++)
			there |= (int)plot_kind_of(bars->line[i]) == kind;
		if (!there)
			continue;
		svg_rect(out, x, y - 1, 11, 11, colours[kind], NULL);
		svg_text(out, x + 16, y + 9, &font, kind_names[kind]);
		x += 32 + svg_text_width(kind_names[kind], 12) * 0.87; /* few wide letters */
	}
	if (layout->narrow)
		return;
	draw_whisker(out, x, x + 18, y + 5);
	svg_text(out, x + 25, y + 9, &font, "smallest to largest round");
}

void plot_bars(FILE *out, const struct bench_table *table, const struct plot_frame *frame)
{
	struct bars bars = choose(table);

	if (bars.count == 0)
		return;

	struct layout layout = lay_out(&bars, table, frame);
	char about[192];

	fit(&layout, &bars);
	snprintf(about, sizeof(about), "Medians of %.60s%s%.60s in %.30s", table->scenario,
		 table->point ? ", " : "", table->point ? table->point : "",
		 bench_text(bars.line[0], "unit"));
	svg_begin(out, layout.width, layout.height, about, frame->title != NULL);
	plot_title(out, frame);
	draw_grid(out, &layout, bars.line[0]);
	draw_heads(out, &layout);
	for (size_t i = 0; i < bars.count; i++)
		draw_row(out, &layout, bars.line[i], i);
	draw_legend(out, &layout, &bars);
	svg_end(out);
}
