/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "table.h"

#include <inttypes.h>

/* The figures of a sample, as functions, for compare_spread(). */
static double rate(const struct sample *s)
{
	return s->rate;
}
static double cpu(const struct sample *s)
{
	return s->cpu;
}
static double switches(const struct sample *s)
{
	return s->switches;
}
static double p50(const struct sample *s)
{
	return s->latency[LATENCY_P50];
}
static double p99(const struct sample *s)
{
	return s->latency[LATENCY_P99];
}
static double p999(const struct sample *s)
{
	return s->latency[LATENCY_P999];
}
static double longest(const struct sample *s)
{
	return s->latency[LATENCY_MAX];
}

struct figure {
	const char *name, *unit;
	double (*which)(const struct sample *);
	bool paced;
};

static const struct figure figures[] = {
	{ "throughput", "events/s", rate, false },
	{ "cpu", "s", cpu, false },
	{ "context_switches", "switches", switches, false },
	{ "latency_p50", "us", p50, true },
	{ "latency_p99", "us", p99, true },
	{ "latency_p999", "us", p999, true },
	{ "latency_max", "us", longest, true },
	{ "paced_cpu", "s", cpu, true },
	{ "paced_context_switches", "switches", switches, true },
};
enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

static struct spread spread(const struct comparison *c, int table, unsigned way, bool paced,
			    double (*which)(const struct sample *))
{
	return compare_spread(paced ? c->paced[table][way] : c->full[table][way], c->rounds, which);
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/* 78 columns: it has to fit on any terminal. */
static void print_head(FILE *out, const struct comparison *c, int table)
{
	fprintf(out, "Table %d. %s\n\n", table + 1,
		table == COMPARE_PARSE
			? "Parsing and hand-over: each event is parsed as it is published."
			: "Hand-over: the same stages, fed from events parsed beforehand.");
	fprintf(out, "%-9s %19s %6s %5s %7s", "", "million events/s", "", "CPU", "context");
	if (c->rate)
		fprintf(out, "   latency, us, at %" PRIu64 "/s", c->rate);
	fprintf(out, "\n%-9s %6s %12s %6s %5s %7s", "way", "median", "min .. max", "ratio", "s",
		"switch.");
	if (c->rate)
		fprintf(out, " %6s %6s %6s %6s", "p50", "p99", "p99.9", "max");
	(void)fputc('\n', out);
}

static void print_row(FILE *out, const struct comparison *c, int table, unsigned way)
{
	struct spread s = spread(c, table, way, false, rate);
	double first = spread(c, table, 0, false, rate).median;
	char range[48];

	snprintf(range, sizeof(range), "%.1f .. %.1f", 1e-6 * s.min, 1e-6 * s.max);
	fprintf(out, "%-9s %6.2f %12s %6.3f %5.2f %7.0f", c->way[way]->name, 1e-6 * s.median, range,
		ratio(s.median, first), spread(c, table, way, false, cpu).median,
		spread(c, table, way, false, switches).median);
	if (c->rate)
		fprintf(out, " %6.1f %6.1f %6.1f %6.0f", spread(c, table, way, true, p50).median,
			spread(c, table, way, true, p99).median,
			spread(c, table, way, true, p999).median,
			spread(c, table, way, true, longest).max);
	(void)fputc('\n', out);
}

/* A way that cannot keep the pace builds up a backlog: its latencies say how long the run was. */
static void print_unsustained(FILE *out, const struct comparison *c, int table)
{
	for (unsigned w = 0; c->rate && w < c->way_count; w++) {
		double kept = spread(c, table, w, true, rate).median;

		if (kept < 0.95 * (double)c->rate)
			fprintf(out,
				"%s handed over only %.0f events/s: its latencies are of a growing backlog.\n",
				c->way[w]->name, kept);
	}
}

void table_print(FILE *out, const struct comparison *c, int table)
{
	print_head(out, c, table);
	for (unsigned w = 0; w < c->way_count; w++)
		print_row(out, c, table, w);
	print_unsustained(out, c, table);
}

void table_print_json(FILE *out, const struct comparison *c, int table)
{
	for (unsigned w = 0; w < c->way_count; w++)
		for (unsigned f = 0; f < FIGURES; f++) {
			const struct figure *figure = &figures[f];
			struct spread s, first;

			if (figure->paced && !c->rate)
				continue;
			s = spread(c, table, w, figure->paced, figure->which);
			first = spread(c, table, 0, figure->paced, figure->which);
			fprintf(out,
				"{\"scenario\":\"flights\",\"result\":\"%s\",\"feed\":\"%s\","
				"\"subject\":\"%s\",\"events\":%" PRIu64 ",\"rate\":%" PRIu64
				",\"capacity\":%zu,\"unit\":\"%s\",\"min\":%.6g,\"median\":%.6g,"
				"\"max\":%.6g,\"rounds\":%u,\"against\":\"%s\",\"ratio\":%.4g}\n",
				figure->name, table == COMPARE_PARSE ? "parsed" : "prepared",
				c->way[w]->name, figure->paced ? c->paced_events : c->events,
				figure->paced ? c->rate : 0, c->bench->job.capacity, figure->unit,
				s.min, s.median, s.max, c->rounds, c->way[0]->name,
				ratio(s.median, first.median));
		}
}
