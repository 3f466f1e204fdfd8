/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rounds, medians, ratios, noise, verdict. README.md says why it is done so.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* How long a sample is to be, in seconds, and how many rounds there are. */
static const double full_sample = 0.08, quick_sample = 0.015;
static const unsigned full_rounds = 9, quick_rounds = 5;

const char *bench_entry_name(const struct bench_entry *entry)
{
	return entry->name != NULL ? entry->name : entry->subject->name;
}

const char *bench_verdict_name(enum bench_verdict verdict)
{
	switch (verdict) {
	case BENCH_NO_BAR:
		break;
	case BENCH_MET:
		return "MET";
	case BENCH_NOT_MET:
		return "NOT MET";
	case BENCH_WITHIN_NOISE:
		return "WITHIN NOISE";
	}
	return NULL;
}

static unsigned rounds_of(const struct bench_scenario *scenario,
			  const struct bench_options *options)
{
	unsigned rounds = options->quick ? quick_rounds : full_rounds;

	if (options->rounds != 0)
		return options->rounds;
	if (scenario->rounds != 0)
		return options->quick ? 1 : scenario->rounds;
	return rounds;
}

static double sample_seconds(const struct bench_scenario *scenario,
			     const struct bench_options *options)
{
	if (scenario->seconds != 0)
		return scenario->seconds;
	return options->quick ? quick_sample : full_sample;
}

static size_t count_entries(const struct bench_scenario *scenario)
{
	size_t count = 0;

	while (count < BENCH_ENTRIES && scenario->entries[count].subject != NULL)
		count++;
	return count;
}

double bench_expected(const struct bench_scenario *scenario, const struct bench_options *options)
{
	double samples = (double)(count_entries(scenario) * rounds_of(scenario, options));

	return samples * sample_seconds(scenario, options);
}

/* ---- Parameters ---- */

static struct disruptor_wait wait_of(enum disruptor_wait_kind kind)
{
	struct disruptor_wait wait;

	if (disruptor_wait_parse(&wait, disruptor_wait_name(kind)) != 0)
		bench_fail("there is no wait strategy %d", (int)kind);
	return wait;
}

/** The scenario's parameters as the user wants them; whether its bar is meant for these. */
static bool choose_params(const struct bench_scenario *scenario,
			  const struct bench_options *options, struct bench_params *params)
{
	const struct bench_params *defaults = &scenario->defaults;

	*params = *defaults;
	params->events = options->events;
	if (options->event_bytes != 0)
		params->event_bytes = options->event_bytes;
	if (options->capacity != 0)
		params->capacity = options->capacity;
	if (options->wait != DISRUPTOR_WAIT_DEFAULT)
		params->wait.kind = options->wait;
	params->rung = options->rung;
	memcpy(params->cpus, options->cpus, sizeof(params->cpus));
	if (scenario->prepare != NULL)
		scenario->prepare(params);
	return params->event_bytes == defaults->event_bytes &&
	       params->capacity == defaults->capacity && params->wait.kind == defaults->wait.kind &&
	       params->rung == DISRUPTOR_RUNG_AUTO;
}

static uint64_t whole_batches(double events, uint32_t batch)
{
	uint64_t batches = (uint64_t)(events / batch);

	return (batches > 0 ? batches : 1) * batch;
}

/** Find how many events make a sample of the length that is wanted. Warms up as it does. */
static void calibrate(const struct bench_scenario *scenario, struct bench_row *row, double seconds)
{
	double events = 2000;

	for (;;) {
		struct bench_sample sample = { 0 };

		row->params.events = whole_batches(events, row->params.batch);
		scenario->sample(row->entry, &row->params, &sample);

		double grow = seconds / (sample.seconds > 0 ? sample.seconds : 1e-9);

		events *= grow < 50 ? grow : 50;
		if (grow < 5)
			break;
	}
	row->params.events = whole_batches(events, row->params.batch);
}

static void set_rows(struct bench_result *result, const struct bench_params *params, bool barred)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct bench_entry *entry = &result->scenario->entries[i];
		struct bench_row *row = &result->row[i];

		row->entry = entry;
		row->params = *params;
		row->params.layout = entry->layout;
		row->params.wait = wait_of(
			entry->wait != DISRUPTOR_WAIT_DEFAULT ? entry->wait : params->wait.kind);
		row->params.events = whole_batches((double)params->events, params->batch);
		if (entry->bar != 0)
			row->bar = entry->bar;
		else if (entry->role == BENCH_MAIN)
			row->bar = result->scenario->bar;
		if (!barred)
			row->bar = 0;
		if (entry->role == BENCH_LIMIT)
			result->limit = row;
		else if (entry->role == BENCH_MAIN)
			result->main = row;
		else if (entry->role == BENCH_AGAIN)
			result->again = row;
	}
}

/* ---- Statistics ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(const double *sorted, unsigned n)
{
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/** Sort the @p n values, leave out those that are no numbers, and tell their range. */
static struct bench_range range_of(double *values, unsigned *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < *n; i++) {
		if (isfinite(values[i]))
			values[count++] = values[i];
	}
	*n = count;
	if (count == 0)
		return (struct bench_range){ NAN, NAN, NAN };
	qsort(values, count, sizeof(*values), compare);
	return (struct bench_range){ values[0], middle(values, count), values[count - 1] };
}

/**
 * How many values to leave out at each end, so that what remains holds the
 * median of the population with at least 95 %: each is above it or below it
 * like a coin thrown.
 */
static unsigned outside_median(unsigned n)
{
	double term = pow(0.5, n), below = term;
	unsigned rank = 0; /* values of which all are below the median: too rare */

	while (below <= 0.025 && rank < n / 2) {
		rank++;
		term *= (double)(n - rank + 1) / rank;
		below += term;
	}
	return rank > 0 ? rank - 1 : 0;
}

/** The ratios of two rows, round by round. */
static unsigned ratios(const struct bench_row *row, const struct bench_row *to, unsigned rounds,
		       double *ratio)
{
	for (unsigned i = 0; i < rounds; i++) {
		double below = to->sample[i].value;

		ratio[i] = below > 0 ? row->sample[i].value / below : NAN;
	}
	return rounds;
}

static double median_of(const struct bench_row *row, unsigned rounds, size_t member)
{
	double values[BENCH_ROUNDS];

	for (unsigned i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&row->sample[i] + member, sizeof(double));
	return range_of(values, &rounds).median;
}

/** The A/A pair: what the ratio of a subject to itself may be. */
static void judge_noise(struct bench_result *result)
{
	double ratio[BENCH_ROUNDS];
	unsigned n = ratios(result->again, result->main, result->rounds, ratio);

	result->pair = range_of(ratio, &n);
	if (n == 0) {
		result->noise = INFINITY;
		return;
	}

	unsigned outside = outside_median(n);
	double low = ratio[outside], high = ratio[n - 1 - outside];

	result->noise = low > 0 ? fmax(1, fmax(high, 1 / low)) : INFINITY;
}

static void judge_bar(const struct bench_result *result, struct bench_row *row)
{
	double got = result->limit != NULL ? row->ratio.median : row->value.median;
	bool met = result->scenario->better == BENCH_MORE ? got >= row->bar : got <= row->bar;

	if (row->bar == 0 || isnan(got))
		row->verdict = BENCH_NO_BAR;
	else if (got > 0 && fmax(got / row->bar, row->bar / got) <= result->noise)
		row->verdict = BENCH_WITHIN_NOISE;
	else
		row->verdict = met ? BENCH_MET : BENCH_NOT_MET;
}

static void summarise(struct bench_result *result)
{
	unsigned rounds = result->rounds;
	double values[BENCH_ROUNDS];

	for (size_t i = 0; i < result->count; i++) {
		struct bench_row *row = &result->row[i];
		unsigned n = rounds;

		for (unsigned k = 0; k < rounds; k++)
			values[k] = row->sample[k].value;
		row->value = range_of(values, &n);
		row->ratio = (struct bench_range){ NAN, NAN, NAN };
		if (result->limit != NULL) {
			n = ratios(row, result->limit, rounds, values);
			row->ratio = range_of(values, &n);
		}
		row->batch = median_of(row, rounds, offsetof(struct bench_sample, batch));
		row->lag = median_of(row, rounds, offsetof(struct bench_sample, lag));
		row->work = median_of(row, rounds, offsetof(struct bench_sample, work));
		row->rung = row->sample[0].rung;
	}
	judge_noise(result);
	for (size_t i = 0; i < result->count; i++)
		judge_bar(result, &result->row[i]);
}

bool bench_within_noise(const struct bench_result *result, const struct bench_row *row)
{
	double ratio = row->ratio.median;

	return ratio > 0 && fmax(ratio, 1 / ratio) <= result->noise;
}

/* ---- Running ---- */

/** How often a thread of this process, living or not, had to give way to another's. */
static uint64_t switches_so_far(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}

struct bench_result *bench_run(const struct bench_scenario *scenario,
			       const struct bench_options *options)
{
	struct bench_result *result = calloc(1, sizeof(*result));
	double seconds = sample_seconds(scenario, options);
	struct bench_params params;

	if (result == NULL)
		bench_fail("no memory for the result of %s", scenario->name);
	result->scenario = scenario;
	result->rounds = rounds_of(scenario, options);
	result->count = count_entries(scenario);

	bool barred = choose_params(scenario, options, &params);

	set_rows(result, &params, barred);
	if (options->events == 0 && scenario->seconds == 0) {
		for (size_t i = 0; i < result->count; i++) {
			bench_progress(scenario, result->row[i].entry, 0, result->rounds, 0);
			calibrate(scenario, &result->row[i], seconds);
		}
	}
	result->switches = switches_so_far();
	for (unsigned k = 0; k < result->rounds; k++) {
		for (size_t i = 0; i < result->count; i++) {
			struct bench_row *row = &result->row[i];

			bench_progress(scenario, row->entry, k + 1, result->rounds, 0);
			scenario->sample(row->entry, &row->params, &row->sample[k]);
			bench_progress(scenario, row->entry, k + 1, result->rounds, seconds);
		}
	}
	result->switches = switches_so_far() - result->switches;
	summarise(result);
	return result;
}
