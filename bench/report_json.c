/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What programs read: one JSON object a line, each complete in itself. */
#include "bench.h"
#include "histogram.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

/* A latency curve: points, down to one in so many powers of ten. */
#define CURVE_POINTS 60
#define CURVE_DECADES 6.0

/** Set a member. A value that could not be made, or is NULL, fails the program. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		bench_fail("no memory for the JSON of %s", key);
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
	return value != NULL ? json_string(value) : json_null();
}

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *machine_object(const struct bench_machine *machine)
{
	json_t *object = json_object();

	set(object, "cpu", text(machine->cpu));
	set(object, "cores", integer((uint64_t)machine->cores));
	set(object, "kernel", text(machine->kernel));
	set(object, "compiler", text(machine->compiler));
	set(object, "flags", text(machine->flags));
	set(object, "governor", text(machine->governor));
	set(object, "version", text(machine->version));
	set(object, "commit", text(machine->commit));
	return object;
}

void bench_print_line(FILE *out, const json_t *object)
{
	if (json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0)
		bench_fail("cannot write JSON");
	(void)fputc('\n', out);
	(void)fflush(out);
}

static void print(FILE *out, json_t *object)
{
	bench_print_line(out, object);
	json_decref(object);
}

static void set_params(json_t *object, const struct bench_result *result,
		       const struct bench_row *row)
{
	const struct bench_params *params = &row->params;
	const char *waits = row->entry.subject->waits;
	uint32_t stages = row->sample[0].stages;
	json_t *cpus = json_array();

	set(object, "wait", text(waits != NULL ? waits : disruptor_wait_name(params->wait.kind)));
	set(object, "event_bytes", integer(params->event_bytes));
	set(object, "capacity", integer(params->capacity));
	set(object, "producers", integer(params->producers));
	set(object, "consumers", integer(params->consumers));
	set(object, "batch", integer(params->batch));
	set(object, "layout",
	    row->entry.subject != &subject_disruptor ? json_null()
	    : params->layout == DISRUPTOR_PACKED     ? text("packed")
						     : text("stamped"));
	set(object, "rung", text(row->rung));
	set(object, "stages", stages != 0 ? integer(stages) : json_null());
	set(object, "threads", stages != 0 ? integer(row->sample[0].threads) : json_null());
	set(object, "events", integer(params->events));
	for (int i = 0; result->scenario->threads && i < BENCH_CPUS; i++)
		json_array_append_new(cpus, json_integer(params->cpus[i]));
	set(object, "cpus", cpus);
}

static json_t *judgement_object(const struct bench_result *result, const struct bench_judgement *j)
{
	json_t *object = json_object();
	bool own = j->bar->against != NULL && strcmp(j->bar->against, BENCH_OWN_BEST) == 0;
	bool more = own || result->scenario->better == BENCH_MORE;

	set(object, "bar", number(j->bar->bar));
	set(object, "bar_is", text(more ? "at least" : "at most"));
	set(object, "of", text(j->bar->against));
	set(object, "against", text(j->against ? bench_entry_name(&j->against->entry) : NULL));
	set(object, "got", number(j->got.range.median));
	set(object, "got_min", number(j->got.range.min));
	set(object, "got_max", number(j->got.range.max));
	set(object, "alike", integer(j->got.alike));
	set(object, "verdict", text(bench_verdict_name(j->verdict)));
	set(object, "missing", text(j->missing));
	return object;
}

static void set_bars(json_t *object, const struct bench_result *result, const struct bench_row *row)
{
	json_t *bars = json_array();

	for (size_t i = 0; i < result->judgements; i++)
		if (result->judgement[i].row == row &&
		    json_array_append_new(bars, judgement_object(result, &result->judgement[i])))
			bench_fail("no memory for the JSON of bars");
	set(object, "bars", bars);
}

/** Percentiles, closer together the rarer they are, as far as the count of times allows. */
static json_t *curve_of(const struct bench_histogram *times)
{
	json_t *curve = json_array();

	for (int i = 0; i <= CURVE_POINTS; i++) {
		double rest = pow(10, -CURVE_DECADES * i / CURVE_POINTS);
		json_t *point = json_array();

		if (rest * (double)times->count < 1)
			rest = 0; /* the longest of all */
		json_array_append_new(point, json_real(100 * (1 - rest)));
		json_array_append_new(point, json_real(bench_histogram_at(times, 1 - rest)));
		if (json_array_append_new(curve, point) != 0)
			bench_fail("no memory for the JSON of a curve");
		if (rest == 0)
			break;
	}
	return curve;
}

static void set_latency(json_t *object, const struct bench_row *row)
{
	static const struct {
		const char *name;
		double part;
	} percentiles[] = { { "p50", 0.5 },
			    { "p90", 0.9 },
			    { "p99", 0.99 },
			    { "p99.9", 0.999 },
			    { "p99.99", 0.9999 } };
	const struct bench_histogram *times = row->latency;
	json_t *latency;

	if (times == NULL || times->count == 0) {
		set(object, "latency", json_null());
		set(object, "curve", json_null());
		return;
	}
	latency = json_object();
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		set(latency, percentiles[i].name,
		    number(bench_histogram_at(times, percentiles[i].part)));
	set(latency, "max", number((double)times->max));
	set(latency, "count", integer(times->count));
	set(object, "latency", latency);
	set(object, "curve", curve_of(times));
}

/** Null: no bare line was measured beside the samples. */
static json_t *groups_of(const struct bench_row *row)
{
	json_t *list = row->groups > 0 ? json_array() : json_null();

	for (unsigned i = 0; i < row->groups; i++) {
		json_t *group = json_object();

		set(group, "line_ns", number(row->group[i].line));
		set(group, "samples", integer(row->group[i].samples));
		set(group, "min", number(row->group[i].value.min));
		set(group, "median", number(row->group[i].value.median));
		set(group, "max", number(row->group[i].value.max));
		if (json_array_append_new(list, group) != 0)
			bench_fail("no memory for a line of the results");
	}
	return list;
}

static void set_usage(json_t *object, const struct bench_row *row)
{
	set(object, "cpu_ns_per_event", number(row->cpu_ns));
	set(object, "switches_voluntary", number(row->voluntary));
	set(object, "switches_involuntary", number(row->involuntary));
	set(object, "sleeps", number(row->sleeps));
	set(object, "rss_kib", number(row->resident / 1024));
	set(object, "disturbed", row->disturbance ? integer(row->disturbed) : json_null());
	set(object, "slept", number(row->slept));
	set(object, "thrown_out", integer(row->out));
	set(object, "beside", groups_of(row));
	set(object, "elsewhere", integer(row->elsewhere));
}

static const char *role_name(enum bench_role role)
{
	static const char *const names[] = { "plain", "limit", "main", "again", "peer" };

	return names[role];
}

json_t *bench_row_object(const struct bench_result *result, const struct bench_row *row,
			 const struct bench_machine *machine)
{
	json_t *object = json_object();
	const struct bench_row *limit = result->limit;

	set(object, "scenario", text(result->scenario->name));
	set(object, "what", text(result->scenario->what));
	set(object, "subject", text(bench_entry_name(&row->entry)));
	set(object, "point", text(result->point));
	set(object, "role", text(role_name(row->entry.role)));
	set(object, "again", json_boolean(row == result->again));
	set(object, "package", text(row->entry.peer ? row->entry.peer->package : NULL));
	set(object, "package_version",
	    text(row->entry.peer ? bench_peer_version(row->entry.peer) : NULL));
	set(object, "config", text(row->entry.peer ? row->entry.peer->config : NULL));
	set_params(object, result, row);
	set(object, "unit", text(result->scenario->unit));
	set(object, "better", text(result->scenario->better == BENCH_MORE ? "more" : "less"));
	set(object, "min", number(row->value.min));
	set(object, "median", number(row->value.median));
	set(object, "max", number(row->value.max));
	set(object, "rounds", integer(result->rounds));
	set(object, "limit", text(limit != NULL ? bench_entry_name(&limit->entry) : NULL));
	set(object, "ratio", number(row->ratio.range.median));
	set(object, "ratio_min", number(row->ratio.range.min));
	set(object, "ratio_max", number(row->ratio.range.max));
	set(object, "alike", integer(row->ratio.alike));
	set(object, "to_main", number(row->main.range.median));
	set(object, "noise", number(result->noise));
	set(object, "switches", integer(result->switches));
	set_bars(object, result, row);
	set(object, "mean_batch", row->batch > 0 ? number(row->batch) : json_null());
	set(object, "mean_lag", row->lag > 0 ? number(row->lag) : json_null());
	set(object, "work_ns", row->work > 0 ? number(row->work) : json_null());
	set_usage(object, row);
	set_latency(object, row);
	set(object, "machine", machine_object(machine));
	return object;
}

void bench_report_json(FILE *out, const struct bench_result *result,
		       const struct bench_machine *machine)
{
	for (size_t i = 0; i < result->count; i++)
		print(out, bench_row_object(result, &result->row[i], machine));
}

json_t *bench_skip_object(const struct bench_scenario *scenario, const char *why,
			  const struct bench_machine *machine)
{
	json_t *object = json_object();

	set(object, "scenario", text(scenario->name));
	set(object, "skipped", text(why));
	set(object, "machine", machine_object(machine));
	return object;
}

void bench_report_skip_json(FILE *out, const struct bench_scenario *scenario, const char *why,
			    const struct bench_machine *machine)
{
	print(out, bench_skip_object(scenario, why, machine));
}
