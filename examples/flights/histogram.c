/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "histogram.h"

#include <string.h>

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

/*
 * Values below 64 have a bucket each. Above, shift the value until 64 <= v < 128:
 * the shift tells the power of two, the low six bits which of its 64 parts.
 */
static unsigned bucket_of(uint64_t value)
{
	unsigned shift = 0;

	if (value >= UINT64_C(1) << HISTOGRAM_BITS)
		return HISTOGRAM_BUCKETS - 1;
	while (value >> shift >= UINT64_C(2) * HISTOGRAM_SUB)
		shift++;
	return shift * HISTOGRAM_SUB + (unsigned)(value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t upper_end(unsigned bucket)
{
	unsigned shift = bucket < 2 * HISTOGRAM_SUB ? 0 : bucket / HISTOGRAM_SUB - 1;
	uint64_t part = bucket - shift * HISTOGRAM_SUB;

	return ((part + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->bucket[bucket_of(value)]++;
	if (value > histogram->max)
		histogram->max = value;
}

uint64_t histogram_at(const struct histogram *histogram, unsigned parts)
{
	/* the rank of the value asked for, from 1, rounded up: p99 of 10 values is the tenth */
	uint64_t rank = (histogram->count * parts + 999) / 1000;
	uint64_t seen = 0;

	if (histogram->count == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= rank && seen > 0) {
			uint64_t value = upper_end(i);

			return value < histogram->max ? value : histogram->max;
		}
	}
	return histogram->max;
}
