/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_HISTOGRAM_H
#define FLIGHTS_HISTOGRAM_H

/*
 * Latencies, counted in buckets that grow with the value: each power of two
 * is cut into 64, so a percentile is at most 1.6 % too high, in 30 KB, from
 * a nanosecond to eighteen minutes. The maximum is kept exactly.
 */

#include <stdint.h>

enum {
	HISTOGRAM_SUB = 64,  /* buckets per power of two; the first ones are exact */
	HISTOGRAM_BITS = 40, /* values at and above 2^40 ns share the last bucket */
	HISTOGRAM_BUCKETS = (HISTOGRAM_BITS - 6 + 1) * HISTOGRAM_SUB
};

struct histogram {
	uint64_t count, max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that @parts of 1000 values do not exceed, to the bucket's upper end; 0 if empty. */
uint64_t histogram_at(const struct histogram *histogram, unsigned parts);

#endif
