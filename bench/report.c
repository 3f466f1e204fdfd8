/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What people read: a table for each scenario, its A/A pair, its bar. */
#include "bench.h"
#include "histogram.h"

#include <math.h>
#include <string.h>

void bench_report_machine(FILE *out, const struct bench_machine *machine)
{
	fprintf(out, "disruptor %s (commit %s) on %s, %d CPU%s, %s, governor %s\n",
		machine->version, machine->commit, machine->cpu, machine->cores,
		machine->cores == 1 ? "" : "s", machine->kernel, machine->governor);
	fprintf(out, "compiled by %s, flags: %s\n", machine->compiler, machine->flags);
}

/** A number in at most seven places. */
static const char *figure(char text[32], double value)
{
	if (isnan(value))
		return "-";
	snprintf(text, 32, "%.*f", fabs(value) < 10 ? 2 : fabs(value) < 1000 ? 1 : 0, value);
	return text;
}

/** A number without the places it does not need. */
static const char *plain(char text[32], double value)
{
	if (isnan(value))
		return "-";
	snprintf(text, 32, "%.7g", value);
	return text;
}

static const char *range(char text[128], struct bench_range value)
{
	char median[32], min[32], max[32];

	if (isnan(value.median))
		return "-";
	snprintf(text, 128, "%s [%s, %s]", figure(median, value.median), figure(min, value.min),
		 figure(max, value.max));
	return text;
}

/** How many rounds a ratio is of, where some do not count; "" where all do. */
static const char *counted(char text[48], const struct bench_result *result,
			   const struct bench_ratio *ratio)
{
	text[0] = '\0';
	if (ratio->alike != 0 && ratio->alike < result->rounds)
		snprintf(text, 48, " in %u alike rounds", ratio->alike);
	return text;
}

static const char *waits(const struct bench_row *row)
{
	const char *how = row->entry.subject->waits;

	return how != NULL ? how : disruptor_wait_name(row->params.wait.kind);
}

static const char *row_name(char text[64], const struct bench_result *result,
			    const struct bench_row *row)
{
	snprintf(text, 64, "%s%s", bench_entry_name(&row->entry),
		 row == result->again ? " (A/A)" : "");
	return text;
}

static void print_row(FILE *out, const struct bench_result *result, const struct bench_row *row)
{
	char name[64], median[32], min[32], max[32], ratio[128];

	fprintf(out, "  %-29s %-10s %8s %8s %8s", row_name(name, result, row), waits(row),
		figure(median, row->value.median), figure(min, row->value.min),
		figure(max, row->value.max));
	if (result->limit != NULL)
		fprintf(out, "  %s", row == result->limit ? "1" : range(ratio, row->ratio.range));
	if (result->limit != NULL && row != result->limit && bench_within_noise(result, row))
		(void)fputs(" ~", out);
	if (row->disturbed != 0)
		fprintf(out, " !%u", row->disturbed);
	(void)fputc('\n', out);
}

/** A number of events' use, per million of them. */
static const char *million(char text[32], double each)
{
	return figure(text, each * 1e6);
}

static void print_usage(FILE *out, const struct bench_result *result)
{
	char name[64], cpu[32], voluntary[32], involuntary[32], sleeps[32], kib[32], batch[32],
		lag[32];

	fprintf(out, "  %-29s %8s %8s %8s %8s %9s %7s %7s\n", "uses, of a million events", "CPU s",
		"gave way", "put off", "sleeps", "KiB", "batch", "lag");
	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];

		fprintf(out, "  %-29s %8s %8s %8s %8s %9s %7s %7s\n", row_name(name, result, row),
			plain(cpu, round(row->cpu_ns * 1e2) / 1e5),
			million(voluntary, row->voluntary), million(involuntary, row->involuntary),
			million(sleeps, row->sleeps), plain(kib, round(row->resident / 1024)),
			row->batch > 0 ? figure(batch, row->batch) : "-",
			row->lag > 0 ? figure(lag, row->lag) : "-");
	}
}

static void print_latency(FILE *out, const struct bench_result *result)
{
	static const double parts[] = { 0.5, 0.9, 0.99, 0.999, 0.9999 };
	char name[64], time[32];

	fprintf(out, "  %-29s %9s %9s %9s %9s %9s %9s\n", "latency, ns", "p50", "p90", "p99",
		"p99.9", "p99.99", "max");
	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];

		if (row->latency == NULL || row->latency->count == 0)
			continue;
		fprintf(out, "  %-29s", row_name(name, result, row));
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			fprintf(out, " %9s",
				figure(time, bench_histogram_at(row->latency, parts[k])));
		fprintf(out, " %9s\n", figure(time, (double)row->latency->max));
	}
}

enum { LINE = 98, INDENT = 9 };

/** Begin, or go on with, a list that begins with @p label; @p column is 0 before its first item. */
static void list_item(FILE *out, int *column, const char *label, const char *text)
{
	int length = (int)strlen(text);

	if (*column == 0)
		*column = fprintf(out, "  %-*s", INDENT - 2, label);
	else if (*column + length + 2 > LINE)
		*column = fprintf(out, ";\n%*s", INDENT, "") - 2;
	else
		*column += fprintf(out, "; ");
	*column += fprintf(out, "%s", text);
}

/** That sleeping was measured, and not spinning. */
static void print_slept(FILE *out, const struct bench_result *result)
{
	char name[64], text[160];
	int column = 0;

	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];

		if (isnan(row->slept))
			continue;
		if (row->out == 0)
			snprintf(text, sizeof(text), "%s %.1f %%", row_name(name, result, row),
				 row->slept * 100);
		else
			snprintf(text, sizeof(text), "%s %.1f %%, %u of %u samples thrown out",
				 row_name(name, result, row), row->slept * 100, row->out,
				 result->rounds);
		list_item(out, &column, "slept:", text);
	}
	if (column != 0)
		fprintf(out, "\n%*sof the hops, in the sample with the fewest\n", INDENT, "");
}

static void print_disturbed(FILE *out, const struct bench_result *result)
{
	unsigned all = 0;

	for (size_t i = 0; i < result->count; i++)
		all += result->row[i].disturbed;
	if (all != 0)
		fprintf(out,
			"         !: so many of its samples were disturbed by others, %u in all\n",
			all);
}

static void print_head(FILE *out, const struct bench_result *result)
{
	const struct bench_scenario *scenario = result->scenario;
	const struct bench_params *params = &result->main->params;

	fprintf(out, "\n%s%s%s: %s\n", scenario->name, result->point ? ", " : "",
		result->point ? result->point : "", scenario->what);
	fprintf(out, "  %s; %u-byte events, %llu slots, %u a publish", scenario->unit,
		params->event_bytes, (unsigned long long)params->capacity, params->batch);
	if (params->producers > 1 || params->consumers > 1)
		fprintf(out, ", %u to %u", params->producers, params->consumers);
	if (scenario->threads)
		fprintf(out, ", CPUs %d, %d", params->cpus[0], params->cpus[1]);
	if (result->main->rung != NULL)
		fprintf(out, ", rung %s", result->main->rung);
	fprintf(out, "; %u rounds\n", result->rounds);
	fprintf(out, "  %-29s %-10s %8s %8s %8s", "subject", "waits", "median", "min", "max");
	if (result->limit != NULL)
		fprintf(out, "  to %s", bench_entry_name(&result->limit->entry));
	(void)fputc('\n', out);
}

/** What the samples came to, by how the machine treated them. */
static void print_groups(FILE *out, const struct bench_result *result, const struct bench_row *row)
{
	char line[32], value[128];

	for (unsigned i = 0; i < row->groups; i++)
		fprintf(out,
			"         beside a bare line of %s ns, or up to half as much again: %u, %s\n",
			figure(line, row->group[i].line), row->group[i].samples,
			range(value, row->group[i].value));
	if (row->elsewhere != 0)
		fprintf(out,
			"         %u of %u samples, with too few others of their kind, do not count\n",
			row->elsewhere, result->rounds);
}

static void print_bar(FILE *out, const struct bench_result *result, const struct bench_judgement *j)
{
	bool own = j->bar->against != NULL && strcmp(j->bar->against, BENCH_OWN_BEST) == 0;
	bool best = j->against && !j->bar->peer && j->against->entry.role == BENCH_PEER;
	char bar[32], value[128], rounds[48];

	fprintf(out, "  bar:   %s%s %s %s", own ? "the worst of " : "",
		bench_entry_name(&j->row->entry),
		result->scenario->better == BENCH_MORE || own ? ">=" : "<=",
		plain(bar, j->bar->bar));
	if (j->bar->against == NULL)
		fprintf(out, " %s", result->scenario->unit);
	else if (best)
		fprintf(out, " x %s, %s", j->bar->against, bench_entry_name(&j->against->entry));
	else
		fprintf(out, " x %s", j->bar->against);
	if (own)
		fprintf(out, ": %s", figure(value, j->got.range.median));
	else if (!isnan(j->got.range.median))
		fprintf(out, ": %s%s", range(value, j->got.range),
			counted(rounds, result, &j->got));
	fprintf(out, "  %s",
		j->verdict != BENCH_NO_BAR ? bench_verdict_name(j->verdict) : "not measurable");
	if (j->verdict == BENCH_NOT_COUNTED)
		fprintf(out, ": not built%s%s", j->bar->peer ? "" : ": ",
			j->bar->peer ? "" : j->missing);
	(void)fputc('\n', out);
	if (own)
		print_groups(out, result, j->row);
}

static void print_bars(FILE *out, const struct bench_result *result)
{
	for (size_t i = 0; i < result->judgements; i++)
		print_bar(out, result, &result->judgement[i]);
	if (result->judgements == 0)
		fprintf(out, "  bar:   none for these parameters\n");
}

/** How many threads the graphs' stages had. */
static void print_threads(FILE *out, const struct bench_result *result)
{
	char text[160];
	int column = 0;

	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];
		const struct bench_sample *sample = &row->sample[0];

		if (sample->stages == 0 || row == result->again)
			continue;
		snprintf(text, sizeof(text), "%s: %u stage%s on %u thread%s",
			 bench_entry_name(&row->entry), sample->stages,
			 sample->stages == 1 ? "" : "s", sample->threads,
			 sample->threads == 1 ? "" : "s");
		list_item(out, &column, "runs:", text);
	}
	if (column != 0)
		(void)fputc('\n', out);
}

/** That the consumer was right behind, without which the cost of a publish is another one. */
static void print_keeping_up(FILE *out, const struct bench_row *row)
{
	char work[32], batch[32], lag[32];

	fprintf(out, "  work:  %s ns an event, subtracted\n", figure(work, row->work));
	fprintf(out, "  lag:   the consumer of %s %s: %s events a look, %s of %llu slots behind\n",
		bench_entry_name(&row->entry),
		row->lag < (double)row->params.capacity / 2 ? "keeps up" : "DOES NOT KEEP UP",
		figure(batch, row->batch), figure(lag, row->lag),
		(unsigned long long)row->params.capacity);
}

void bench_report_table(FILE *out, const struct bench_result *result, bool usage)
{
	char text[128], rounds[48], noise[32];

	print_head(out, result);
	for (size_t i = 0; i < result->count; i++)
		print_row(out, result, &result->row[i]);
	if (result->scenario->latency)
		print_latency(out, result);
	if (usage)
		print_usage(out, result);
	print_slept(out, result);
	if (result->main->work > 0)
		print_keeping_up(out, result->main);
	print_threads(out, result);
	fprintf(out,
		"  noise: A/A ratio %s%s; medians within a factor of %s are not told apart (~)\n",
		range(text, result->pair.range), counted(rounds, result, &result->pair),
		figure(noise, result->noise));
	fprintf(out, "         our threads were put off their CPUs %llu times in %llu samples\n",
		(unsigned long long)result->switches,
		(unsigned long long)result->count * result->rounds);
	print_disturbed(out, result);
	print_bars(out, result);
	(void)fflush(out);
}

void bench_report_skip(FILE *out, const struct bench_scenario *scenario, const char *why)
{
	fprintf(out, "\n%s: %s\n  skipped: %s\n", scenario->name, scenario->what, why);
}
