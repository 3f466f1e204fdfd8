/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ru_nvcsw and ru_nivcsw, which POSIX leaves out */
#endif

#include "measure.h"
#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

/* How often the caller is told how far the run is: rarely, for it is counted in the switches. */
#define TICK_NS 200000000L

/* The run has a thread of its own, so that the caller's can look after the progress bar. */
struct runner {
	struct bench *bench;
	const struct way *way;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
};

void bench_begin(struct bench *bench, size_t capacity, const char *wait)
{
	memset(bench, 0, sizeof(*bench));
	bench->job.capacity = capacity;
	bench->job.wait = wait;
	bench->job.journal = (struct stage){ "journal", journal_event, &bench->journal };
	bench->job.statistics =
		(struct stage){ "statistics", statistics_event, &bench->statistics };
	bench->job.report = (struct stage){ "report", report_event, &bench->report };
	bench->job.source.failure = &bench->job.failure;
	bench->report.failure = &bench->job.failure;
	bench->report.before[0] = &bench->journal.mark;
	bench->report.before[1] = &bench->statistics.mark;
	bench->journal.fd = -1;
}

static void *run(void *context)
{
	struct runner *runner = context;

	runner->way->run(runner->way, &runner->bench->job);
	pthread_mutex_lock(&runner->lock);
	runner->over = true;
	pthread_cond_signal(&runner->ended);
	pthread_mutex_unlock(&runner->lock);
	return NULL;
}

static void wait_for_end(struct runner *runner, uint64_t total, measure_tick tick, void *context)
{
	pthread_mutex_lock(&runner->lock);
	while (!runner->over) {
		struct timespec until;
		int code;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TICK_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		code = pthread_cond_timedwait(&runner->ended, &runner->lock, &until);
		if (code == ETIMEDOUT && tick && total)
			tick(context,
			     (double)mark_get(&runner->bench->report.mark) / (double)total);
	}
	pthread_mutex_unlock(&runner->lock);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static void take(struct sample *sample, const struct bench *bench, const struct rusage *before,
		 const struct rusage *after, uint64_t end_ns)
{
	static const unsigned parts[LATENCIES] = { 500, 990, 999, 1000 };
	const struct source *source = &bench->job.source;
	double wall = 1e-9 * (double)(end_ns - source->start_ns);

	sample->rate = source->start_ns ? (double)source->number / wall : 0;
	sample->cpu = seconds(after->ru_utime) + seconds(after->ru_stime) -
		      seconds(before->ru_utime) - seconds(before->ru_stime);
	sample->switches =
		(double)(after->ru_nvcsw + after->ru_nivcsw - before->ru_nvcsw - before->ru_nivcsw);
	for (int i = 0; i < LATENCIES; i++)
		sample->latency[i] = 1e-3 * (double)histogram_at(&bench->report.latency, parts[i]);
}

/* Nothing may be lost: the report must have seen every event that the source gave. */
static void check_complete(struct bench *bench, const struct way *way)
{
	if (bench->report.next != bench->job.source.number)
		failure_set(&bench->job.failure, "%s: the report saw %llu events of %llu",
			    way->name, (unsigned long long)bench->report.next,
			    (unsigned long long)bench->job.source.number);
}

int measure(struct bench *bench, const struct way *way, uint64_t total, uint64_t rate,
	    measure_tick tick, void *context, struct sample *sample)
{
	struct runner runner = { .bench = bench, .way = way };
	struct rusage before, after;
	uint64_t end_ns;
	pthread_t thread;
	int code;

	journal_begin(&bench->journal);
	statistics_begin(&bench->statistics);
	report_begin(&bench->report);
	source_begin(&bench->job.source, total, rate);
	pthread_mutex_init(&runner.lock, NULL);
	pthread_cond_init(&runner.ended, NULL);
	getrusage(RUSAGE_SELF, &before);
	code = pthread_create(&thread, NULL, run, &runner);
	if (code == 0) {
		wait_for_end(&runner, total, tick, context);
		pthread_join(thread, NULL);
		journal_end(&bench->journal);
		end_ns = clock_now();
		getrusage(RUSAGE_SELF, &after);
		take(sample, bench, &before, &after, end_ns);
		if (!failed(&bench->job.failure))
			check_complete(bench, way);
	} else {
		failure_set(&bench->job.failure, "cannot start a thread: %s", failure_text(code));
	}
	pthread_cond_destroy(&runner.ended);
	pthread_mutex_destroy(&runner.lock);
	return failed(&bench->job.failure) ? -1 : 0;
}
