/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The job over pipes, one for each arrow of the graph. A system call an event
 * would be a straw man, so each end is buffered (channel.h): the source writes
 * when 64 KiB are full or it has to wait, a stage when it has used up what it
 * read. After the statistics only the events' numbers travel, which is all
 * that the report needs of them.
 */
#include "channel.h"
#include "threads.h"
#include "way.h"

#include <inttypes.h>

struct line {
	struct channel to_journal, to_statistics; /* struct flight */
	struct channel from_journal;              /* struct flight */
	struct channel from_statistics;           /* uint64_t: numbers */
	struct job *job;
};

static void *journal_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->journal;
	struct flight *flight;
	uint64_t position = 0;

	while ((flight = channel_next(&line->to_journal))) {
		int last = !channel_ready(&line->to_journal);

		stage->on_event(stage->self, flight, position++, last);
		channel_put(&line->from_journal, flight);
		if (last)
			channel_flush(&line->from_journal);
	}
	channel_finish(&line->from_journal);
	return NULL;
}

static void *statistics_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->statistics;
	struct flight *flight;
	uint64_t position = 0;

	while ((flight = channel_next(&line->to_statistics))) {
		int last = !channel_ready(&line->to_statistics);

		stage->on_event(stage->self, flight, position++, last);
		channel_put(&line->from_statistics, &flight->number);
		if (last)
			channel_flush(&line->from_statistics);
	}
	channel_finish(&line->from_statistics);
	return NULL;
}

/* Give the report an event when its number has come from the statistics too. */
static void *report_thread(void *context)
{
	struct line *line = context;
	struct stage *stage = &line->job->report;
	struct flight *flight;
	uint64_t position = 0;

	while ((flight = channel_next(&line->from_journal))) {
		const uint64_t *number = channel_next(&line->from_statistics);

		if (!number || *number != flight->number)
			failure_set(&line->job->failure,
				    "pipe: statistics did not pass on event %" PRIu64,
				    flight->number);
		stage->on_event(stage->self, flight, position++,
				!channel_ready(&line->from_journal));
	}
	return NULL;
}

static void produce(struct line *line)
{
	struct flight flight;

	for (;;) {
		switch (source_next(&line->job->source, &flight)) {
		case SOURCE_EVENT:
			channel_put(&line->to_journal, &flight);
			channel_put(&line->to_statistics, &flight);
			break;
		case SOURCE_IDLE:
			channel_flush(&line->to_journal);
			channel_flush(&line->to_statistics);
			source_wait(&line->job->source);
			break;
		case SOURCE_END:
			return;
		}
	}
}

static int open_all(struct line *line)
{
	size_t capacity = line->job->capacity;
	struct failure *failure = &line->job->failure;

	/* all four, so that all four can be closed */
	int bad = channel_open(&line->to_journal, capacity, sizeof(struct flight), failure);

	bad |= channel_open(&line->to_statistics, capacity, sizeof(struct flight), failure);
	bad |= channel_open(&line->from_journal, capacity, sizeof(struct flight), failure);
	bad |= channel_open(&line->from_statistics, capacity, sizeof(uint64_t), failure);
	return bad;
}

void via_pipe(const struct way *way, struct job *job)
{
	struct line line = { .job = job };
	struct threads threads = { .count = 0 };

	(void)way;
	if (open_all(&line) == 0 &&
	    threads_start(&threads, journal_thread, &line, &job->failure) == 0 &&
	    threads_start(&threads, statistics_thread, &line, &job->failure) == 0 &&
	    threads_start(&threads, report_thread, &line, &job->failure) == 0)
		produce(&line);
	/* if a thread is missing nothing was put, and those that run end at once */
	if (threads.count > 0)
		channel_finish(&line.to_journal);
	if (threads.count > 1)
		channel_finish(&line.to_statistics);
	threads_join(&threads);
	channel_close(&line.to_journal);
	channel_close(&line.to_statistics);
	channel_close(&line.from_journal);
	channel_close(&line.from_statistics);
}
