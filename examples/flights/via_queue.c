/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The job over bounded queues, one for each arrow of the graph. Events are
 * carried by copy; after the statistics only their numbers, which is all that
 * the report needs of them. Each side moves up to way->batch elements under
 * one lock: 1, as such a queue is mostly used, or more where the table says so.
 */
#include "queue.h"
#include "threads.h"
#include "way.h"

#include <inttypes.h>
#include <stdbool.h>

enum { BATCH_MAX = 64 };

struct line {
	struct queue to_journal, to_statistics; /* struct flight */
	struct queue from_journal;              /* struct flight */
	struct queue from_statistics;           /* uint64_t: numbers */
	struct job *job;
	size_t batch;
};

static void *journal_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->journal;
	struct flight flight[BATCH_MAX];
	uint64_t position = 0;
	size_t n;

	while ((n = queue_take(&line->to_journal, flight, line->batch)) > 0) {
		for (size_t i = 0; i < n; i++)
			stage->on_event(stage->self, &flight[i], position++, i + 1 == n);
		queue_put(&line->from_journal, flight, n);
	}
	queue_close(&line->from_journal);
	return NULL;
}

static void *statistics_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->statistics;
	struct flight flight[BATCH_MAX];
	uint64_t number[BATCH_MAX];
	uint64_t position = 0;
	size_t n;

	while ((n = queue_take(&line->to_statistics, flight, line->batch)) > 0) {
		for (size_t i = 0; i < n; i++) {
			stage->on_event(stage->self, &flight[i], position++, i + 1 == n);
			number[i] = flight[i].number;
		}
		queue_put(&line->from_statistics, number, n);
	}
	queue_close(&line->from_statistics);
	return NULL;
}

/* Give the report an event when its number has come from the statistics too. */
static void *report_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->report;
	struct flight flight[BATCH_MAX];
	uint64_t number[BATCH_MAX];
	size_t have = 0, used = 0;
	uint64_t position = 0;
	size_t n;

	while ((n = queue_take(&line->from_journal, flight, line->batch)) > 0) {
		for (size_t i = 0; i < n; i++) {
			if (used == have) {
				have = queue_take(&line->from_statistics, number, line->batch);
				used = 0;
			}
			if (have == 0 || number[used++] != flight[i].number)
				failure_set(&line->job->failure,
					    "queue: statistics did not pass on event %" PRIu64,
					    flight[i].number);
			stage->on_event(stage->self, &flight[i], position++, i + 1 == n);
		}
	}
	return NULL;
}

static void hand_over(struct line *line, const struct flight *flights, size_t count)
{
	queue_put(&line->to_journal, flights, count);
	queue_put(&line->to_statistics, flights, count);
}

static void produce(struct line *line)
{
	struct flight flight[BATCH_MAX];
	size_t held = 0;

	for (;;) {
		enum source_answer answer = source_next(&line->job->source, &flight[held]);

		if (answer == SOURCE_EVENT && ++held < line->batch)
			continue;
		if (held > 0)
			hand_over(line, flight, held);
		held = 0;
		if (answer == SOURCE_IDLE)
			source_wait(&line->job->source);
		else if (answer == SOURCE_END)
			return;
	}
}

static int open_all(struct line *line)
{
	size_t capacity = line->job->capacity;
	int code = queue_open(&line->to_journal, capacity, sizeof(struct flight));

	if (code == 0)
		code = queue_open(&line->to_statistics, capacity, sizeof(struct flight));
	if (code == 0)
		code = queue_open(&line->from_journal, capacity, sizeof(struct flight));
	if (code == 0)
		code = queue_open(&line->from_statistics, capacity, sizeof(uint64_t));
	if (code != 0)
		failure_set(&line->job->failure, "queue: %s", failure_text(code));
	return code;
}

void via_queue(const struct way *way, struct job *job)
{
	struct line line = { .job = job, .batch = way->batch };
	struct threads threads = { .count = 0 };

	if (open_all(&line) == 0 &&
	    threads_start(&threads, journal_thread, &line, &job->failure) == 0 &&
	    threads_start(&threads, statistics_thread, &line, &job->failure) == 0 &&
	    threads_start(&threads, report_thread, &line, &job->failure) == 0)
		produce(&line);
	/* if a thread is missing nothing was put, and those that run end at once */
	if (threads.count > 0)
		queue_close(&line.to_journal);
	if (threads.count > 1)
		queue_close(&line.to_statistics);
	threads_join(&threads);
	queue_free(&line.to_journal);
	queue_free(&line.to_statistics);
	queue_free(&line.from_journal);
	queue_free(&line.from_statistics);
}
