/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Series over an axis, each named at its end or, where it is narrow, below. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>

enum { SERIES = 64 };

/** How a series is drawn. */
struct look {
	const char *colour, *dashes;
	double width;
};

static struct look look_of(const struct plot_series *series)
{
	static const char *const peers[] = { "#e69f00", "#009e73", "#d55e00", "#cc79a7",
					     "#7a5c00" };
	static const char *const dashes[] = { NULL, "7 3", "2 3", "9 3 2 3" };
	const size_t count = sizeof(peers) / sizeof(peers[0]);

	switch (series->kind) {
	case PLOT_MAIN:
		return (struct look){ plot_kind_colour(PLOT_MAIN), NULL, 3 };
	case PLOT_VARIANT:
		return (struct look){ plot_kind_colour(PLOT_VARIANT), dashes[series->index % 4],
				      2 };
	case PLOT_LIMIT:
		return (struct look){ "#70757a", dashes[(series->index + 1) % 4], 1.5 };
	case PLOT_PEER:
		break;
	}
	return (struct look){ peers[series->index % count], dashes[series->index / count % 4],
			      1.8 };
}

/** Where a name stands beside the end of its line. */
struct tag {
	double wanted, y;
	size_t series;
};

static int higher_first(const void *a, const void *b)
{
	double x = ((const struct tag *)a)->wanted, y = ((const struct tag *)b)->wanted;

	return (x > y) - (x < y);
}

/** Move names apart that would overlap, staying between @p top and @p bottom. */
static void spread(struct tag *tags, size_t count, double top, double bottom)
{
	const double apart = 17;

	qsort(tags, count, sizeof(*tags), higher_first);
	for (size_t i = 0; i < count; i++) {
		tags[i].y = fmax(tags[i].wanted, i > 0 ? tags[i - 1].y + apart : top);
	}
	for (size_t i = count; i-- > 0;) {
		double most = i + 1 < count ? tags[i + 1].y - apart : bottom;

		tags[i].y = fmin(tags[i].y, most);
	}
}

static void draw_axes(FILE *out, const struct plot_axis *x, const struct plot_axis *y)
{
	double left = x->at, right = x->at + x->length, bottom = y->at, top = y->at + y->length;
	struct svg_stroke grid = { SVG_GRID, 1, NULL }, edge = { SVG_FAINT, 1, NULL };
	struct svg_font font = { 12, SVG_MIDDLE, SVG_FAINT, false };

	for (unsigned i = 0; i < x->count; i++) {
		double at = plot_place(x, x->tick[i]);

		svg_line(out, at, top, at, bottom, &grid);
		svg_text(out, at, bottom + 18, &font, x->label[i]);
	}
	font.anchor = SVG_END;
	for (unsigned i = 0; i < y->count; i++) {
		double at = plot_place(y, y->tick[i]);

		svg_line(out, left, at, right, at, &grid);
		svg_text(out, left - 7, at + 4, &font, y->label[i]);
	}
	svg_line(out, left, bottom, right, bottom, &edge);
	font.size = 13;
	font.anchor = SVG_MIDDLE;
	svg_text(out, left + x->length / 2, bottom + 39, &font, x->title);
	font.anchor = SVG_START;
	svg_text(out, left < 60 ? 6 : 12, top - 12, &font, y->title);
}

static void draw_range(FILE *out, double x, double low, double high, const char *colour)
{
	struct svg_stroke stroke = { colour, 1, NULL };

	svg_line(out, x, low, x, high, &stroke);
	svg_line(out, x - 3, low, x + 3, low, &stroke);
	svg_line(out, x - 3, high, x + 3, high, &stroke);
}

static void draw_series(FILE *out, const struct plot_axis *x, const struct plot_axis *y,
			const struct plot_series *series)
{
	struct look look = look_of(series);
	struct svg_stroke stroke = { look.colour, look.width, look.dashes };
	const struct plot_point *p = series->point;

	svg_path_begin(out, plot_place(x, p->x), plot_place(y, p->y));
	for (size_t i = 1; i < series->count; i++)
		svg_path_to(out, plot_place(x, p[i].x), plot_place(y, p[i].y));
	svg_path_end(out, &stroke);
	for (size_t i = 0; i < series->count && series->marked; i++) {
		double at = plot_place(x, p[i].x);
		char hint[192], value[32];

		if (!isnan(p[i].low) && !isnan(p[i].high))
			draw_range(out, at, plot_place(y, p[i].low), plot_place(y, p[i].high),
				   look.colour);
		plot_figure(value, p[i].y);
		snprintf(hint, sizeof(hint), "%.100s: %s", series->name, value);
		svg_dot(out, at, plot_place(y, p[i].y), series->kind == PLOT_MAIN ? 4.5 : 3.5,
			look.colour, hint);
	}
}

/** Names at the right, each with a line to the end of its series. */
static void draw_tags(FILE *out, const struct plot_axis *x, const struct plot_axis *y,
		      const struct plot_series *series, size_t count, double width)
{
	struct tag tags[SERIES] = { 0 };
	double right = x->at + x->length;

	for (size_t i = 0; i < count; i++) {
		const struct plot_point *end = &series[i].point[series[i].count - 1];

		tags[i] = (struct tag){ .wanted = plot_place(y, end->y), .series = i };
	}
	spread(tags, count, y->at + y->length + 4, y->at - 2);
	for (size_t i = 0; i < count; i++) {
		const struct plot_series *s = &series[tags[i].series];
		struct look look = look_of(s);
		struct svg_stroke leader = { look.colour, 1, NULL };
		struct svg_font font = { 13, SVG_START, SVG_INK, s->kind == PLOT_MAIN };
		struct svg_stroke sample = { look.colour, look.width, look.dashes };
		double end = plot_place(x, s->point[s->count - 1].x);
		char name[96];

		svg_shorten(name, sizeof(name), s->name, 13, width - right - 56);
		svg_line(out, end + 5, tags[i].wanted, right + 20, tags[i].y, &leader);
		svg_line(out, right + 20, tags[i].y, right + 44, tags[i].y, &sample);
		svg_text(out, right + 49, tags[i].y + 4.5, &font, name);
	}
}

/** Names below, in two columns. */
static void draw_legend(FILE *out, double top, const struct plot_series *series, size_t count,
			double width)
{
	for (size_t i = 0; i < count; i++) {
		struct look look = look_of(&series[i]);
		struct svg_stroke sample = { look.colour, look.width, look.dashes };
		struct svg_font font = { 13, SVG_START, SVG_INK, series[i].kind == PLOT_MAIN };
		size_t row = i / 2;
		double x = 6 + (double)(i % 2) * width / 2, y = top + (double)row * 22;
		char name[96];

		svg_shorten(name, sizeof(name), series[i].name, 13, width / 2 - 36);
		svg_line(out, x, y, x + 24, y, &sample);
		svg_text(out, x + 29, y + 4.5, &font, name);
	}
}

void plot_lines(FILE *out, const struct plot_frame *frame, struct plot_axis *x, struct plot_axis *y,
		const struct plot_series *series, size_t count)
{
	bool narrow = frame->width < PLOT_NARROW;
	double top = (frame->title != NULL ? 66 : 0) + 34, widest = 0;
	double plot = fmax(narrow ? 240 : 300, narrow ? 0 : (double)count * 17);
	size_t rows = narrow ? (count + 1) / 2 : 0;
	double height = top + plot + 54 + (narrow ? (double)rows * 22 + 8 : 0);
	char about[160];

	if (count > SERIES)
		count = SERIES;
	for (size_t i = 0; i < count; i++)
		widest = fmax(widest, svg_text_width(series[i].name, 13));
	x->at = narrow ? 54 : 66;
	x->length = frame->width - x->at - (narrow ? 18 : fmin(widest, 200) + 62);
	y->at = top + plot;
	y->length = -plot;
	snprintf(about, sizeof(about), "%.70s over %.70s", y->title, x->title);
	svg_begin(out, frame->width, height, about, frame->title != NULL);
	plot_title(out, frame);
	draw_axes(out, x, y);
	for (int main = 0; main <= 1; main++) /* what matters most is drawn above the rest */
		for (size_t i = 0; i < count; i++)
			if ((series[i].kind == PLOT_MAIN) == (main == 1))
				draw_series(out, x, y, &series[i]);
	if (narrow)
		draw_legend(out, y->at + 62, series, count, frame->width);
	else
		draw_tags(out, x, y, series, count, frame->width);
	svg_end(out);
}
