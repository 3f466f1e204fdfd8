/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counted times: adding them up, and asking for percentiles. */
#include "histogram.h"

#include "bench.h"

#include <math.h>
#include <string.h>

struct bench_histogram *bench_histogram_new(void)
{
	return bench_alloc(sizeof(struct bench_histogram));
}

void bench_histogram_clear(struct bench_histogram *h)
{
	memset(h, 0, sizeof(*h));
}

void bench_histogram_add(struct bench_histogram *h, const struct bench_histogram *more)
{
	for (size_t i = 0; i < BENCH_BUCKETS; i++)
		h->bucket[i] += more->bucket[i];
	h->count += more->count;
	h->max = more->max > h->max ? more->max : h->max;
}

/** The middle of a bucket's values. */
static double value_of(size_t bucket)
{
	unsigned doublings;
	double width;

	if (bucket < BENCH_LINEAR)
		return (double)bucket;
	doublings = (unsigned)(bucket - BENCH_OCTAVE) / BENCH_OCTAVE;
	width = ldexp(1, (int)doublings);
	return (double)(bucket - (size_t)doublings * BENCH_OCTAVE) * width + (width - 1) / 2;
}

double bench_histogram_at(const struct bench_histogram *h, double part)
{
	uint64_t rank = (uint64_t)ceil(part * (double)h->count), seen = 0;
	double value;

	if (h->count == 0 || (part < 1 && (1 - part) * (double)h->count < 1))
		return NAN;
	if (rank < 1)
		rank = 1;
	for (size_t i = 0; i < BENCH_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen < rank)
			continue;
		value = value_of(i);
		return value < (double)h->max ? value : (double)h->max;
	}
	return (double)h->max;
}
