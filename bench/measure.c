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
	case BENCH_NOT_COUNTED:
		return "NOT COUNTED";
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

static bool suits(const struct bench_peer *peer, const struct bench_scenario *scenario)
{
	for (size_t i = 0; peer->scenarios[i] != NULL; i++)
		if (strcmp(peer->scenarios[i], scenario->name) == 0)
			return true;
	return false;
}

/** Whether a peer can take part with these parameters. */
static bool can(const struct bench_peer *peer, const struct bench_params *params)
{
	return params->producers <= (peer->producers != 0 ? peer->producers : 1) &&
	       params->consumers <= (peer->consumers != 0 ? peer->consumers : 1) &&
	       (peer->event_bytes == 0 || params->event_bytes <= peer->event_bytes) &&
	       !(peer->sized && (params->event_bytes & (params->event_bytes - 1)) != 0);
}

/** The scenario's entries and the peers that suit it; what is missing among these. */
static size_t list_entries(const struct bench_scenario *scenario, const struct bench_params *params,
			   struct bench_entry *entries, char *missing, size_t size)
{
	size_t count = 0;

	missing[0] = '\0';
	while (count < BENCH_ENTRIES && scenario->entries[count].subject != NULL) {
		entries[count] = scenario->entries[count];
		count++;
	}
	for (size_t i = 0; bench_peers[i] != NULL; i++) {
		const struct bench_peer *peer = bench_peers[i];
		size_t used = strlen(missing);

		if (!suits(peer, scenario) || !can(peer, params))
			continue;
		if (peer->subject == NULL)
			snprintf(missing + used, size - used, "%s%s", used != 0 ? ", " : "",
				 peer->name);
		else if (count == BENCH_ENTRIES)
			bench_fail("%s: too many entries", scenario->name);
		else
			entries[count++] = (struct bench_entry){ .subject = peer->subject,
								 .name = peer->name,
								 .role = BENCH_PEER,
								 .peer = peer };
	}
	return count;
}

/* ---- Parameters ---- */

static struct disruptor_wait wait_of(enum disruptor_wait_kind kind)
{
	struct disruptor_wait wait;

	if (disruptor_wait_parse(&wait, disruptor_wait_name(kind)) != 0)
		bench_fail("there is no wait strategy %d", (int)kind);
	return wait;
}

/** The parameters at a point as the user wants them; whether the bars are meant for these. */
static bool choose_params(const struct bench_scenario *scenario, const struct bench_point *point,
			  const struct bench_options *options, struct bench_params *params)
{
	struct bench_params own = scenario->defaults;

	own.producers = point != NULL && point->producers != 0 ? point->producers : 1;
	own.consumers = point != NULL && point->consumers != 0 ? point->consumers : 1;
	if (point != NULL && point->event_bytes != 0)
		own.event_bytes = point->event_bytes;
	if (point != NULL && point->capacity != 0)
		own.capacity = point->capacity;
	*params = own;
	params->events = options->events;
	if (options->event_bytes != 0)
		params->event_bytes = options->event_bytes;
	if (options->capacity != 0)
		params->capacity = options->capacity;
	if (options->wait != DISRUPTOR_WAIT_DEFAULT)
		params->wait.kind = options->wait;
	params->rung = options->rung;
	memcpy(params->cpus, options->cpus, sizeof(params->cpus));
	return params->event_bytes == own.event_bytes && params->capacity == own.capacity &&
	       params->wait.kind == own.wait.kind && params->rung == DISRUPTOR_RUNG_AUTO;
}

static bool same_params(const struct bench_params *a, const struct bench_params *b)
{
	return a->event_bytes == b->event_bytes && a->capacity == b->capacity &&
	       a->producers == b->producers && a->consumers == b->consumers;
}

unsigned bench_points(const struct bench_scenario *scenario, const struct bench_options *options,
		      const struct bench_point **points, unsigned max)
{
	struct bench_params params[BENCH_POINTS];
	unsigned count = 0;

	if (scenario->points == NULL) {
		points[0] = NULL;
		return 1;
	}
	for (const struct bench_point *p = scenario->points; p->label != NULL; p++) {
		bool known = false;

		if (count == max || count == BENCH_POINTS)
			bench_fail("%s: too many points", scenario->name);
		(void)choose_params(scenario, p, options, &params[count]);
		for (unsigned i = 0; i < count; i++)
			known |= same_params(&params[i], &params[count]);
		if (!known)
			points[count++] = p;
	}
	return count;
}

double bench_expected(const struct bench_scenario *scenario, const struct bench_point *point,
		      const struct bench_options *options)
{
	struct bench_entry entries[BENCH_ENTRIES];
	struct bench_params params;
	char missing[512];
	double samples;

	(void)choose_params(scenario, point, options, &params);
	samples = (double)(list_entries(scenario, &params, entries, missing, sizeof(missing)) *
			   rounds_of(scenario, options));
	return samples * sample_seconds(scenario, options);
}

static uint64_t whole_batches(double events, uint32_t batch)
{
	uint64_t batches = (uint64_t)(events / batch);

	return (batches > 0 ? batches : 1) * batch;
}

static void take_sample(const struct bench_scenario *scenario, const struct bench_row *row,
			struct bench_sample *sample)
{
	if (row->entry.subject->run != NULL)
		row->entry.subject->run(scenario->name, &row->params, sample);
	else
		scenario->sample(&row->entry, &row->params, sample);
}

/** Find how many events make a sample of the length that is wanted. Warms up as it does. */
static void calibrate(const struct bench_scenario *scenario, struct bench_row *row, double seconds)
{
	double events = 2000;

	for (;;) {
		struct bench_sample sample = { 0 };

		row->params.events = whole_batches(events, row->params.batch);
		take_sample(scenario, row, &sample);

		double grow = seconds / (sample.seconds > 0 ? sample.seconds : 1e-9);

		events *= grow < 50 ? grow : 50;
		if (grow < 5)
			break;
	}
	row->params.events = whole_batches(events, row->params.batch);
}

static void set_rows(struct bench_result *result, const struct bench_params *params,
		     const struct bench_entry *entries)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct bench_entry *entry = &entries[i];
		struct bench_row *row = &result->row[i];

		row->entry = *entry;
		row->params = *params;
		row->params.layout = entry->layout;
		row->params.wait = wait_of(
			entry->wait != DISRUPTOR_WAIT_DEFAULT ? entry->wait : params->wait.kind);
		row->params.events = whole_batches((double)params->events, params->batch);
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
}

/* ---- Bars ---- */

static const struct bench_row *row_named(const struct bench_result *result, const char *name)
{
	for (size_t i = 0; i < result->count; i++)
		if (result->row[i].entry.role != BENCH_AGAIN &&
		    strcmp(bench_entry_name(&result->row[i].entry), name) == 0)
			return &result->row[i];
	bench_fail("%s: a bar names '%s', which is no entry", result->scenario->name, name);
}

/** The peer with the best median; NULL if there is none. */
static const struct bench_row *best_peer(const struct bench_result *result, bool ordered)
{
	const struct bench_row *best = NULL;

	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];

		if (row->entry.role != BENCH_PEER ||
		    (ordered && row->entry.peer && row->entry.peer->unordered))
			continue;
		if (!best || (result->scenario->better == BENCH_MORE
				      ? row->value.median > best->value.median
				      : row->value.median < best->value.median))
			best = row;
	}
	return best;
}

static enum bench_verdict verdict_of(const struct bench_result *result,
				     const struct bench_judgement *j)
{
	double got = j->got.median, bar = j->bar->bar;
	bool met = result->scenario->better == BENCH_MORE ? got >= bar : got <= bar;

	if (isnan(got))
		return BENCH_NO_BAR;
	if (j->against && j->against->entry.role == BENCH_PEER && result->missing[0] != '\0')
		return BENCH_NOT_COUNTED;
	if (got > 0 && fmax(got / bar, bar / got) <= result->noise)
		return BENCH_WITHIN_NOISE;
	return met ? BENCH_MET : BENCH_NOT_MET;
}

/** What a bar is against; NULL with one against nothing, or against peers of which none ran. */
static const struct bench_row *against(const struct bench_result *result,
				       const struct bench_bar *bar)
{
	if (!bar->against)
		return NULL;
	if (strcmp(bar->against, BENCH_BEST_PEER) == 0)
		return best_peer(result, false);
	if (strcmp(bar->against, BENCH_BEST_ORDERED) == 0)
		return best_peer(result, true);
	return row_named(result, bar->against);
}

static void judge_bar(struct bench_result *result, const struct bench_bar *bar)
{
	struct bench_judgement *j = &result->judgement[result->judgements];
	double ratio[BENCH_ROUNDS];
	unsigned n;

	j->bar = bar;
	j->row = bar->entry ? row_named(result, bar->entry) : result->main;
	j->against = against(result, bar);
	j->got = j->row->value;
	if (bar->against && !j->against)
		return;
	if (j->against) {
		n = ratios(j->row, j->against, result->rounds, ratio);
		j->got = range_of(ratio, &n);
	}
	j->verdict = verdict_of(result, j);
	result->judgements++;
}

static void judge_bars(struct bench_result *result)
{
	for (const struct bench_bar *bar = result->scenario->bars; bar->bar != 0; bar++)
		if (!bar->at || (result->point && strcmp(bar->at, result->point) == 0))
			judge_bar(result, bar);
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
			       const struct bench_point *point, const struct bench_options *options)
{
	struct bench_result *result = calloc(1, sizeof(*result));
	double seconds = sample_seconds(scenario, options);
	struct bench_entry entries[BENCH_ENTRIES];
	struct bench_params params;

	if (result == NULL)
		bench_fail("no memory for the result of %s", scenario->name);
	result->scenario = scenario;
	result->point = point != NULL ? point->label : NULL;
	result->rounds = rounds_of(scenario, options);

	bool barred = choose_params(scenario, point, options, &params);

	if (scenario->prepare != NULL)
		scenario->prepare(&params);
	result->count =
		list_entries(scenario, &params, entries, result->missing, sizeof(result->missing));
	set_rows(result, &params, entries);
	if (options->events == 0 && scenario->seconds == 0) {
		for (size_t i = 0; i < result->count; i++) {
			bench_progress(scenario, &result->row[i].entry, 0, result->rounds, 0);
			calibrate(scenario, &result->row[i], seconds);
		}
	}
	result->switches = switches_so_far();
	for (unsigned k = 0; k < result->rounds; k++) {
		for (size_t i = 0; i < result->count; i++) {
			struct bench_row *row = &result->row[i];

			bench_progress(scenario, &row->entry, k + 1, result->rounds, 0);
			take_sample(scenario, row, &row->sample[k]);
			bench_progress(scenario, &row->entry, k + 1, result->rounds, seconds);
		}
	}
	result->switches = switches_so_far() - result->switches;
	summarise(result);
	if (barred)
		judge_bars(result);
	return result;
}
