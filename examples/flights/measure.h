/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_MEASURE_H
#define FLIGHTS_MEASURE_H

/* One run of the job by one way, and what it took. */

#include "journal.h"
#include "report.h"
#include "statistics.h"
#include "way.h"

struct sample {
	double rate;       /* events per second */
	double cpu;        /* seconds, user and system, of the whole process */
	double switches;   /* context switches, voluntary and not */
	double latency[4]; /* of a paced run, µs: p50, p99, p99.9, max */
};

enum { LATENCY_P50, LATENCY_P99, LATENCY_P999, LATENCY_MAX, LATENCIES };

/* The job and the stages that work on it. */
struct bench {
	struct job job;
	struct journal journal;
	struct statistics statistics;
	struct report report;
};

/* Called from time to time while a run is under way, with the part of it that is done, 0 to 1. */
typedef void (*measure_tick)(void *context, double done);

void bench_begin(struct bench *bench, size_t capacity, const char *wait);

/*
 * Run the job once, of @total events, paced if @rate is not 0. The source must
 * have its file or its records. 0, or -1 with the failure set.
 */
int measure(struct bench *bench, const struct way *way, uint64_t total, uint64_t rate,
	    measure_tick tick, void *context, struct sample *sample);

#endif
