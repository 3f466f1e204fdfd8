/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "source.h"
#include "clock.h"

#include <errno.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

/* Linux groups the timers of a thread within 50 us, unless it is asked not to. */
static void ask_for_exact_timers(void)
{
#if defined(__linux__)
	prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

void source_begin(struct source *source, uint64_t total, uint64_t rate)
{
	source->total = total;
	source->rate = rate;
	source->number = 0;
	source->pass_began = 0;
	source->at = 0;
	source->start_ns = 0;
	if (source->csv)
		csv_rewind(source->csv);
}

static uint64_t due(const struct source *source)
{
	return source->start_ns + source->number * UINT64_C(1000000000) / source->rate;
}

static bool parsed(struct source *source, struct flight *flight)
{
	for (;;) {
		int got = csv_next(source->csv, flight);

		if (got != 0)
			return got > 0;
		if (source->number == source->pass_began) {
			failure_set(source->failure, "%s: no more records: it has changed",
				    source->csv->path);
			return false;
		}
		source->pass_began = source->number;
		if (csv_rewind(source->csv) != 0)
			return false;
	}
}

static void recorded(struct source *source, struct flight *flight)
{
	const struct record *record = &source->records[source->at];

	flight->delay = record->delay;
	flight->distance = record->distance;
	flight->minute = record->minute;
	flight->reserved = 0;
	if (++source->at == source->record_count)
		source->at = 0;
}

static void start(struct source *source)
{
	if (source->rate)
		ask_for_exact_timers(); /* here, for it holds for the thread that calls it */
	source->start_ns = clock_now();
}

enum source_answer source_next(struct source *source, struct flight *flight)
{
	uint64_t due_ns = 0;

	if (source->number == source->total || failed(source->failure))
		return SOURCE_END;
	if (source->start_ns == 0)
		start(source);
	if (source->rate) {
		due_ns = due(source);
		if (clock_now() < due_ns)
			return SOURCE_IDLE;
	}
	if (!source->csv)
		recorded(source, flight);
	else if (!parsed(source, flight))
		return SOURCE_END;
	flight->due_ns = due_ns;
	flight->number = source->number++;
	return SOURCE_EVENT;
}

/*
 * Sleep, as a source that waits for its input does: spinning until the moment
 * would be more exact, and take a core from the stages that are measured. The
 * timer's lateness counts as latency; it is the same for every way.
 */
void source_wait(const struct source *source)
{
	uint64_t until = due(source);
	struct timespec at = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}
