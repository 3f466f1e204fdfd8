/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Who is measured with what, and the rounds. README.md says why it is done so.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"
#include "histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/*
 * How long a sample is to be, in seconds, and how many rounds there are. Rather many that are short: a
 * machine that others share changes many times a second.
 */
static const double full_sample = 0.016, quick_part = 0.25;
static const unsigned full_rounds = 41, quick_rounds = 3;

const char *bench_entry_name(const struct bench_entry *entry)
{
	return entry->name != NULL ? entry->name : entry->subject->name;
}

static unsigned rounds_of(const struct bench_scenario *scenario,
			  const struct bench_options *options)
{
	unsigned rounds = scenario->rounds != 0 ? scenario->rounds : full_rounds;

	if (options->rounds != 0)
		return options->rounds;
	if (!options->quick)
		return rounds;
	return scenario->seconds != 0 ? 1 : rounds < quick_rounds ? rounds : quick_rounds;
}

static double sample_seconds(const struct bench_scenario *scenario,
			     const struct bench_options *options)
{
	double seconds = scenario->sample_seconds != 0 ? scenario->sample_seconds : full_sample;

	if (scenario->seconds != 0)
		return scenario->seconds;
	return options->quick ? seconds * quick_part : seconds;
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
		bool known = options->quick && p != scenario->points && p[1].label != NULL;

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
	size_t count;
	double samples = rounds_of(scenario, options);

	(void)choose_params(scenario, point, options, &params);
	count = list_entries(scenario, &params, entries, missing, sizeof(missing));
	/* warming up, opening, joining; and finding the number of events */
	if (scenario->seconds == 0)
		samples = samples * 1.2 + 1;
	return (double)count * samples * sample_seconds(scenario, options);
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
static void calibrate(const struct bench_scenario *scenario, struct bench_row *row, double seconds,
		      struct bench_histogram *times)
{
	double events =
		256; /* few: of what hands over once in a time slice they take long enough */

	for (;;) {
		struct bench_sample sample = { .sleeps = -1, .latency = times };

		if (times != NULL)
			bench_histogram_clear(times);
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

/* ---- Running ---- */

/** How often a thread of this process, living or not, had to give way to another's. */
static uint64_t switches_so_far(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}

enum { LINE_TRIPS = 1000 };

double bench_line_now(const struct bench_params *params)
{
	const struct bench_entry line = { .subject = &limit_line };
	struct bench_params few = *params;
	struct bench_sample sample = { .sleeps = -1 };

	few.events = LINE_TRIPS;
	bench_round_trip(&line, &few, &sample);
	return sample.value;
}

/** One sample, and the times that it has recorded in @p times, if any. */
static void take_round(const struct bench_scenario *scenario, struct bench_row *row,
		       struct bench_sample *sample, struct bench_histogram *times)
{
	sample->sleeps = -1;
	sample->latency = times;
	if (times != NULL)
		bench_histogram_clear(times);
	take_sample(scenario, row, sample);
	sample->latency = NULL; /* the next one's now */
	if (times != NULL && isfinite(sample->value))
		bench_histogram_add(row->latency, times);
}

/** The rounds, and beside each sample what the machine was like; @p seconds a sample is to take. */
static void take_all(struct bench_result *result, double seconds, struct bench_histogram *times)
{
	const struct bench_scenario *scenario = result->scenario;
	/* beside samples of seconds it would tell nothing, nor where only one CPU matters */
	bool beside = scenario->threads && scenario->seconds == 0;
	double before = beside ? bench_line_now(&result->main->params) : 0, behind = 0;

	for (unsigned k = 0; k < result->rounds; k++) {
		for (size_t i = 0; i < result->count; i++) {
			struct bench_row *row = &result->row[i];
			struct bench_sample *sample = &row->sample[k];

			bench_progress(scenario, &row->entry, k + 1, result->rounds, 0);
			take_round(scenario, row, sample, times);
			if (beside)
				behind = bench_line_now(&row->params);
			if (beside && sample->line == 0)
				sample->line = bench_one_speed(before, behind)
						       ? fmax(before, behind)
						       : NAN;
			before = behind;
			bench_progress(scenario, &row->entry, k + 1, result->rounds, seconds);
		}
	}
}

static void take_rounds(struct bench_result *result, const struct bench_options *options)
{
	const struct bench_scenario *scenario = result->scenario;
	struct bench_histogram *times = scenario->latency ? bench_histogram_new() : NULL;
	double seconds = sample_seconds(scenario, options);

	for (size_t i = 0; i < result->count; i++) {
		struct bench_row *row = &result->row[i];

		if (scenario->latency)
			row->latency = bench_histogram_new();
		if (options->events != 0 || scenario->seconds != 0)
			continue;
		bench_progress(scenario, &row->entry, 0, result->rounds, 0);
		calibrate(scenario, row, seconds, times);
	}
	result->switches = switches_so_far();
	take_all(result, seconds, times);
	result->switches = switches_so_far() - result->switches;
	free(times);
}

struct bench_result *bench_run(const struct bench_scenario *scenario,
			       const struct bench_point *point, const struct bench_options *options)
{
	struct bench_result *result = calloc(1, sizeof(*result));
	struct bench_entry entries[BENCH_ENTRIES];
	struct bench_params params;

	if (result == NULL)
		bench_fail("no memory for the result of %s", scenario->name);
	/* cppcheck-suppress nullPointerRedundantCheck; bench_fail() does not return */
	result->scenario = scenario;
	result->point = point != NULL ? point->label : NULL;
	result->rounds = rounds_of(scenario, options);

	bool barred = choose_params(scenario, point, options, &params);

	if (scenario->prepare != NULL)
		scenario->prepare(&params);
	result->count =
		list_entries(scenario, &params, entries, result->missing, sizeof(result->missing));
	set_rows(result, &params, entries);
	take_rounds(result, options);
	bench_summarise(result, barred);
	return result;
}

void bench_result_free(struct bench_result *result)
{
	for (size_t i = 0; result != NULL && i < result->count; i++)
		free(result->row[i].latency);
	free(result);
}
