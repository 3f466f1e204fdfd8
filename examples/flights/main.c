/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A job on real data, done over a disruptor, over pipes and over queues: the
 * order in which things happen. What happens is in the other files, in the
 * order of an event's way: csv, source, via_…, journal, statistics, report.
 */
#include "compare.h"
#include "load.h"
#include "options.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Large, and there is one of each. */
static struct bench bench;
static struct comparison comparison;

static void tell_malformed(const struct options *options, const struct records *records)
{
	if (records->malformed == 0)
		return;
	fprintf(stderr, "%s: %" PRIu64 " malformed line%s skipped", options->file,
		records->malformed, records->malformed == 1 ? "" : "s");
	if (records->malformed > CSV_REPORTS_MAX)
		fprintf(stderr, ", the first %d of them shown", CSV_REPORTS_MAX);
	(void)fputc('\n', stderr);
}

static void print_setting(const struct options *options, const struct records *records,
			  uint64_t passes)
{
	printf("%s: flights: %" PRIu64 ", malformed lines skipped: %" PRIu64 ".\n", options->file,
	       records->count, records->malformed);
	printf("Read over %" PRIu64 " time%s: %" PRIu64 " events a run%s.\n", passes,
	       passes == 1 ? "" : "s", comparison.events,
	       passes > 1 ? ", as one reading is too short to measure" : "");
	printf("A source, a journal and a statistics stage side by side, and a report after\n"
	       "both: four threads, in each of these ways:\n");
	for (unsigned i = 0; i < options->way_count; i++)
		printf("  %-9s %s\n", options->way[i]->name, options->way[i]->what);
	printf("Each of them holds %zu events from thread to thread. The ring's wait\n"
	       "strategy is %s.\n\n",
	       options->capacity, options->wait);
	(void)fflush(stdout);
}

static void print_reading(const struct options *options)
{
	printf("Throughput, CPU seconds (of all threads) and context switches (voluntary and\n"
	       "not) are of runs at full speed; medians of %u rounds, in each of which every way\n"
	       "had its turn. ratio: of throughput, to %s's.\n",
	       options->rounds, options->way[0]->name);
	if (comparison.rate)
		printf("Latency, from publish to report, is taken in runs of their own: at full speed\n"
		       "it would tell how long the queues are. There, an event is due every %.1f us,\n"
		       "and its time counts from then, so that a source that is held up hides nothing;\n"
		       "the lateness of the timer that wakes the source is in it, for all ways alike.\n"
		       "Percentiles are medians of the rounds (%" PRIu64
		       " events each); max is of all.\n",
		       1e6 / (double)comparison.rate, comparison.paced_events);
}

static void print_results(const struct options *options)
{
	void (*print)(FILE *, const struct comparison *, int) = options->json ? table_print_json
									      : table_print;

	if (options->json) {
		report_print_json(stdout, &comparison.answer);
	} else {
		printf("The answer, checked in each of %u runs:\n", comparison.answers);
		report_print(stdout, &comparison.answer);
	}
	for (int table = 0; table < COMPARE_TABLES && comparison.answer.count; table++) {
		if (!options->json)
			(void)fputc('\n', stdout);
		print(stdout, &comparison, table);
	}
	if (!options->json && comparison.answer.count) {
		(void)fputc('\n', stdout);
		print_reading(options);
	}
}

static void prepare(const struct options *options, const struct records *records, struct csv *csv,
		    uint64_t passes)
{
	comparison.bench = &bench;
	comparison.csv = csv;
	comparison.records = records->record;
	comparison.record_count = records->count;
	for (unsigned i = 0; i < options->way_count; i++)
		comparison.way[i] = options->way[i];
	comparison.way_count = options->way_count;
	comparison.rounds = options->rounds;
	comparison.events = passes * records->count;
	comparison.rate = records->count ? options->rate : 0;
	comparison.paced_events = options->rate * options->paced_ms / 1000;
	if (comparison.paced_events == 0)
		comparison.rate = 0;
}

static int compare(const struct options *options)
{
	struct progress progress;
	int code = compare_warm_up(&comparison);

	if (code != 0 || comparison.record_count == 0)
		return code;
	progress_begin(&progress, options->rounds,
		       COMPARE_TABLES * options->way_count * (comparison.rate ? 2 : 1),
		       options->quiet);
	code = compare_run(&comparison, &progress);
	progress_end(&progress);
	return code;
}

/* Everything between opening the file and closing it. */
static int with_file(const struct options *options, struct csv *csv, struct records *records)
{
	uint64_t passes;

	if (load(csv, records) != 0)
		return -1;
	csv->loud = false; /* each malformed line has been told once */
	tell_malformed(options, records);
	passes = options->passes;
	if (passes == 0 && records->count)
		passes = (options->events + records->count - 1) / records->count;
	prepare(options, records, csv, passes);
	if (!options->json)
		print_setting(options, records, passes);
	else
		printf("{\"scenario\":\"flights\",\"result\":\"input\",\"flights\":%" PRIu64
		       ",\"malformed\":%" PRIu64 ",\"passes\":%" PRIu64 ",\"events\":%" PRIu64
		       "}\n",
		       records->count, records->malformed, passes, comparison.events);
	if (journal_open(&bench.journal, options->journal, &bench.job.failure) != 0)
		return -1;
	return compare(options);
}

int main(int argc, char **argv)
{
	struct options options;
	struct records records = { NULL, 0, 0 };
	struct csv csv;

	switch (options_read(&options, argc, argv)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return 2;
	}
	bench_begin(&bench, options.capacity, options.wait);
	if (csv_open(&csv, options.file, true, &bench.job.failure) == 0) {
		with_file(&options, &csv, &records);
		csv_close(&csv);
	}
	journal_close(&bench.journal);
	free(records.record);
	if (!failed(&bench.job.failure))
		print_results(&options);
	if (!failed(&bench.job.failure) && fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	if (failed(&bench.job.failure))
		fprintf(stderr, "flights: %s\n", bench.job.failure.text);
	else
		(void)fputs("flights: cannot write the results\n", stderr);
	return EXIT_FAILURE;
}
