/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

/*
 * Times in nanoseconds, counted in buckets: one for each value below 2048,
 * then 1024 for each doubling, so that three digits hold.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	BENCH_LINEAR = 2048,  /* values that have a bucket each */
	BENCH_OCTAVE = 1024,  /* buckets of a doubling */
	BENCH_DOUBLINGS = 31, /* longer times, above an hour, count as the longest */
	BENCH_BUCKETS = BENCH_LINEAR + BENCH_DOUBLINGS * BENCH_OCTAVE
};

struct bench_histogram {
	uint64_t count;
	uint64_t max;
	uint64_t bucket[BENCH_BUCKETS];
};

/** Which bucket a time belongs to. */
static inline size_t bench_histogram_bucket(uint64_t ns)
{
	unsigned doublings = 0;

	while (ns >= BENCH_LINEAR) {
		ns >>= 1;
		doublings++;
	}
	if (doublings > BENCH_DOUBLINGS)
		return BENCH_BUCKETS - 1;
	/* what was halved lies in the upper half of the linear part */
	return doublings == 0 ? (size_t)ns : (size_t)ns + (size_t)doublings * BENCH_OCTAVE;
}

static inline void bench_histogram_record(struct bench_histogram *h, uint64_t ns)
{
	h->bucket[bench_histogram_bucket(ns)]++;
	h->count++;
	if (ns > h->max)
		h->max = ns;
}

/** Zeroed; free() it. Fails the program if there is no memory. */
struct bench_histogram *bench_histogram_new(void);
void bench_histogram_clear(struct bench_histogram *h);
void bench_histogram_add(struct bench_histogram *h, const struct bench_histogram *more);

/** The time that @p part (0 … 1) of all do not exceed, to three digits; NAN: they are too few. */
double bench_histogram_at(const struct bench_histogram *h, double part);

#ifdef __cplusplus
}
#endif

#endif
