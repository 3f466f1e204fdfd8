/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

/*
 * Plots of results, each one <svg>: in the page, or a file of its own.
 *
 *	svg.c           elements and texts
 *	plot_scale.c    from values to places
 *	plot_bars.c     a table's medians, one below the other
 *	plot_lines.c    series over an axis
 *	plot_curves.c   which series: latency over percentiles, medians over points
 */

#include "results.h"
#include "svg.h"

/** What a plot is drawn on. */
struct plot_frame {
	double width;      /* below PLOT_NARROW: labels stand above instead of beside */
	const char *title; /* it is a file of its own, and says these; NULL: none of them */
	const char *what;
	const char *about;
};

enum { PLOT_WIDE = 800, PLOT_NARROW = 500, PLOT_SMALL = 360 };

/** What a subject is, which is how it is coloured. */
enum plot_kind { PLOT_MAIN, PLOT_VARIANT, PLOT_LIMIT, PLOT_PEER };

enum plot_kind plot_kind_of(const json_t *line);
const char *plot_kind_colour(enum plot_kind kind);

/* ---- Scales ---- */

enum { PLOT_TICKS = 24 };

/** An axis: values from the one to the other on a way of a length. */
struct plot_axis {
	double from, to;
	double at, length; /* length < 0: upwards */
	bool log;
	const char *title;
	unsigned count;
	double tick[PLOT_TICKS];
	char label[PLOT_TICKS][24];
};

double plot_place(const struct plot_axis *axis, double value);
/** Choose a log scale for large spreads, round the ends, and set ticks, at most @p ticks. */
void plot_fit(struct plot_axis *axis, double min, double max, unsigned ticks,
	      void (*label)(char text[24], double value));
/** 0.25, 12, 3.5k */
void plot_short(char text[24], double value);
/** 250 ns, 12 µs */
void plot_time(char text[24], double ns);
/** 8 B, 4 KiB; 64, 8 Ki */
void plot_bytes(char text[24], double value);
void plot_slots(char text[24], double value);
/** A number for a table: 0.25, 12.3, 12 345 */
void plot_figure(char text[32], double value);

/* ---- Plots ---- */

/** The heading of a plot in a file of its own. */
void plot_title(FILE *out, const struct plot_frame *frame);

void plot_bars(FILE *out, const struct bench_table *table, const struct plot_frame *frame);

struct plot_point {
	double x, y, low, high; /* low is NAN: there is no range */
};

struct plot_series {
	const char *name;
	size_t index; /* among the peers or the variants, whose colours differ */
	size_t count;
	struct plot_point *point;
	enum plot_kind kind;
	bool marked; /* each point has a mark */
};

void plot_lines(FILE *out, const struct plot_frame *frame, struct plot_axis *x, struct plot_axis *y,
		const struct plot_series *series, size_t count);

/** Whether any line of the table has a curve of latencies. */
bool plot_has_latency(const struct bench_table *table);
void plot_latency(FILE *out, const struct bench_results *results, const struct bench_table *table,
		  const struct plot_frame *frame);
/** Medians over what differs between the tables, all of one scenario. */
void plot_scaling(FILE *out, const struct bench_results *results, const struct bench_table *tables,
		  size_t count, const struct plot_frame *frame);

/** The page: html.c. */
void bench_html(FILE *out, const struct bench_results *results);

/** Write all plots into files of a directory. Answers 0 or an errno, with @p path what failed. */
int plot_files(const char *directory, const struct bench_results *results, char *path, size_t size);

#endif
