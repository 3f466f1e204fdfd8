/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* From values to places, and the marks on the way. */
#include "plot.h"

#include <math.h>

/* Values that spread by more than this are told apart on a log scale only. */
static const double large_spread = 20;

double plot_place(const struct plot_axis *axis, double value)
{
	double part;

	if (axis->log)
		part = value > 0 ? log(value / axis->from) / log(axis->to / axis->from) : 0;
	else
		part = (value - axis->from) / (axis->to - axis->from);
	return axis->at + axis->length * fmin(fmax(part, 0), 1);
}

static void add_tick(struct plot_axis *axis, double value,
		     void (*label)(char text[24], double value))
{
	if (axis->count == PLOT_TICKS)
		return;
	axis->tick[axis->count] = value;
	label(axis->label[axis->count], value);
	axis->count++;
}

/** A round number not below a value: 1, 2 or 5 with zeros. */
static double round_up(double value)
{
	double decade = pow(10, floor(log10(value)));
	double digit = value / decade;

	/* what is round already is not to be rounded by an error of the last place */
	return decade * (digit <= 1.0001 ? 1 : digit <= 2.0001 ? 2 : digit <= 5.0001 ? 5 : 10);
}

static void fit_linear(struct plot_axis *axis, double min, double max, unsigned ticks,
		       void (*label)(char text[24], double value))
{
	double span = fmax(max, 0) - fmin(min, 0);
	double step = round_up((span > 0 ? span : 1) / ticks);

	axis->from = floor(fmin(min, 0) / step + 0.0001) * step;
	axis->to = ceil(fmax(max, 0) / step - 0.0001) * step;
	if (!(axis->to > axis->from))
		axis->to = axis->from + step;
	for (int i = 0; axis->from + i * step <= axis->to + step / 2; i++) {
		double value = axis->from + i * step;

		add_tick(axis, fabs(value) < step / 2 ? 0 : value, label);
	}
}

/** A round number not above a value. */
static double round_down(double value)
{
	double decade = pow(10, floor(log10(value)));
	double digit = value / decade;

	return decade * (digit < 1.9999 ? 1 : digit < 4.9999 ? 2 : 5);
}

static void fit_log(struct plot_axis *axis, double min, double max, unsigned ticks,
		    void (*label)(char text[24], double value))
{
	static const double digits[] = { 1, 2, 5 };

	axis->from = round_down(min / 1.3); /* the smallest bar is to have some length */
	axis->to = round_up(max);

	double decades = log10(axis->to / axis->from);
	int first = (int)floor(log10(axis->from) + 0.0001), every = 1 + (int)(decades / ticks);
	unsigned n = decades * 3 < ticks ? 3 : 1;

	for (int d = first; d <= first + (int)decades + 1; d += every)
		for (unsigned i = 0; i < n; i++) {
			double value = pow(10, d) * digits[i];

			if (value >= axis->from * 0.9999 && value <= axis->to * 1.0001)
				add_tick(axis, value, label);
		}
}

void plot_fit(struct plot_axis *axis, double min, double max, unsigned ticks,
	      void (*label)(char text[24], double value))
{
	if (!isfinite(min) || !isfinite(max))
		min = max = 0;
	axis->count = 0;
	axis->log = min > 0 && max > min * large_spread;
	if (axis->log)
		fit_log(axis, min, max, ticks, label);
	else
		fit_linear(axis, min, max, ticks, label);
}

void plot_short(char text[24], double value)
{
	if (fabs(value) >= 1e6)
		snprintf(text, 24, "%.4gM", value / 1e6);
	else if (fabs(value) >= 1e4)
		snprintf(text, 24, "%.4gk", value / 1e3);
	else
		snprintf(text, 24, "%.4g", value);
}

void plot_time(char text[24], double ns)
{
	static const char *const units[] = { "ns", "µs", "ms", "s" };
	size_t unit = 0;

	while (unit < 3 && fabs(ns) >= 999.5) {
		ns /= 1000;
		unit++;
	}
	snprintf(text, 24, "%.3g %s", ns, units[unit]);
}

static void binary(char text[24], double value, const char *unit)
{
	static const char *const prefixes[] = { "", "Ki", "Mi", "Gi" };
	size_t prefix = 0;

	while (prefix < 3 && value >= 1024) {
		value /= 1024;
		prefix++;
	}
	snprintf(text, 24, "%.4g%s%s%s", value, *unit != '\0' || prefix != 0 ? " " : "",
		 prefixes[prefix], unit);
}

void plot_bytes(char text[24], double value)
{
	binary(text, value, "B");
}

void plot_slots(char text[24], double value)
{
	binary(text, value, "");
}

void plot_figure(char text[32], double value)
{
	char digits[32];
	size_t length = 0, used = 0;

	if (isnan(value)) {
		snprintf(text, 32, "–");
		return;
	}
	if (fabs(value) >= 1e9) {
		snprintf(text, 32, "%.3g", value);
		return;
	}
	if (value != 0 && fabs(value) < 0.1) {
		snprintf(text, 32, "%.2g", value);
		return;
	}
	snprintf(digits, sizeof(digits), "%.*f",
		 fabs(value) < 10     ? 2
		 : fabs(value) < 1000 ? 1
				      : 0,
		 value);
	if (fabs(value) < 9999.5) {
		snprintf(text, 32, "%s", digits);
		return;
	}
	while (digits[length] != '\0')
		length++;
	for (size_t i = 0; i < length; i++) {
		text[used++] = digits[i];
		if (i + 1 < length && (length - i - 1) % 3 == 0 && digits[i] != '-')
			used += (size_t)snprintf(text + used, 32 - used, "\xe2\x80\xaf");
	}
	text[used] = '\0';
}

void plot_title(FILE *out, const struct plot_frame *frame)
{
	struct svg_font title = { 19, SVG_START, SVG_INK, true };
	struct svg_font what = { 14, SVG_START, SVG_FAINT, false };
	struct svg_font about = { 12, SVG_END, SVG_FAINT, false };
	char text[256];

	if (frame->title == NULL)
		return;
	svg_shorten(text, sizeof(text), frame->title, 20, frame->width / 2);
	svg_text(out, 12, 30, &title, text);
	svg_shorten(text, sizeof(text), frame->about, 12, frame->width / 2 - 24);
	svg_text(out, frame->width - 12, 30, &about, text);
	svg_shorten(text, sizeof(text), frame->what, 14, frame->width - 24);
	svg_text(out, 12, 53, &what, text);
}
