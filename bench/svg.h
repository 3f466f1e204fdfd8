/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_SVG_H
#define BENCH_SVG_H

/* Scalable vector graphics: the few elements that plots are made of. Lengths are in pixels. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

#define SVG_INK "#222222"
#define SVG_FAINT "#5f6368"
#define SVG_GRID "#e3e5e8"

struct svg_font {
	double size;
	enum svg_anchor anchor;
	const char *colour;
	bool bold;
};

struct svg_stroke {
	const char *colour;
	double width;
	const char *dashes; /* NULL: none */
};

/** Begin a picture; with @p alone, one for a file of its own, on white. */
void svg_begin(FILE *out, double width, double height, const char *about, bool alone);
void svg_end(FILE *out);

void svg_text(FILE *out, double x, double y, const struct svg_font *font, const char *text);
/** A rectangle; @p hint is shown when it is pointed at (NULL: nothing). */
void svg_rect(FILE *out, double x, double y, double width, double height, const char *colour,
	      const char *hint);
void svg_line(FILE *out, double x1, double y1, double x2, double y2,
	      const struct svg_stroke *stroke);
void svg_dot(FILE *out, double x, double y, double radius, const char *colour, const char *hint);

/** A line through points, to be told one after the other. */
void svg_path_begin(FILE *out, double x, double y);
void svg_path_to(FILE *out, double x, double y);
void svg_path_end(FILE *out, const struct svg_stroke *stroke);

/** About how wide a text will be: fonts differ. */
double svg_text_width(const char *text, double size);
/** Copy a text, shortened to a width by an ellipsis. */
void svg_shorten(char *copy, size_t size, const char *text, double font_size, double width);

/** Write a text as markup's content or an attribute's value. */
void svg_escape(FILE *out, const char *text);

#endif
