/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

/*
 * The answer without any hand-over: the statistics, called in a loop. Every
 * run of as many events is held against it, so all ways are held against each
 * other too.
 */
static struct answer expected(const struct comparison *c, uint64_t events)
{
	struct statistics statistics;
	uint64_t at = 0;

	statistics_begin(&statistics);
	for (uint64_t number = 0; number < events; number++) {
		const struct record *record = &c->records[at];
		struct flight flight = { .number = number,
					 .delay = record->delay,
					 .distance = record->distance,
					 .minute = record->minute };

		statistics_event(&statistics, &flight, number, 0);
		if (++at == c->record_count)
			at = 0;
	}
	return statistics.answer;
}

static void feed(struct comparison *c, int table)
{
	struct source *source = &c->bench->job.source;

	source->csv = table == COMPARE_PARSE ? c->csv : NULL;
	source->records = c->records;
	source->record_count = c->record_count;
}

static int run_checked(struct comparison *c, const struct way *way, uint64_t events, uint64_t rate,
		       const struct answer *answer, struct progress *progress,
		       struct sample *sample)
{
	if (measure(c->bench, way, events, rate, progress ? progress_tick : NULL, progress,
		    sample) != 0)
		return -1;
	c->answers++;
	if (answer_equal(&c->bench->statistics.answer, answer))
		return 0;
	failure_set(&c->bench->job.failure, "%s: its answer differs from the records'", way->name);
	return -1;
}

int compare_warm_up(struct comparison *c)
{
	struct answer answer = expected(c, c->record_count);
	struct sample sample;

	for (unsigned w = 0; w < c->way_count; w++) {
		feed(c, COMPARE_PARSE);
		if (run_checked(c, c->way[w], c->record_count, 0, &answer, NULL, &sample) != 0)
			return -1;
	}
	return 0;
}

/* One turn: every way once, of one kind. */
static int turn(struct comparison *c, int table, unsigned round, uint64_t events, uint64_t rate,
		const struct answer *answer, struct progress *progress)
{
	for (unsigned w = 0; w < c->way_count; w++) {
		struct sample *sample = rate ? &c->paced[table][w][round]
					     : &c->full[table][w][round];

		progress_step(progress, round, c->way[w]->name,
			      table == COMPARE_PARSE ? "parsed" : "prepared",
			      rate ? "paced" : "full speed");
		feed(c, table);
		if (run_checked(c, c->way[w], events, rate, answer, progress, sample) != 0)
			return -1;
	}
	return 0;
}

int compare_run(struct comparison *c, struct progress *progress)
{
	struct answer paced = expected(c, c->rate ? c->paced_events : 0);

	c->answer = expected(c, c->events);
	for (unsigned round = 0; round < c->rounds; round++)
		for (int table = 0; table < COMPARE_TABLES; table++) {
			if (turn(c, table, round, c->events, 0, &c->answer, progress) != 0)
				return -1;
			if (c->rate &&
			    turn(c, table, round, c->paced_events, c->rate, &paced, progress) != 0)
				return -1;
		}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread compare_spread(const struct sample *samples, unsigned rounds,
			     double (*which)(const struct sample *sample))
{
	double value[COMPARE_ROUNDS_MAX] = { 0 };
	unsigned middle = rounds / 2;

	for (unsigned i = 0; i < rounds; i++)
		value[i] = which(&samples[i]);
	qsort(value, rounds, sizeof(value[0]), ascending);
	return (struct spread){ .min = value[0],
				.median = rounds % 2 ? value[middle]
						     : (value[middle - 1] + value[middle]) / 2,
				.max = value[rounds - 1] };
}
