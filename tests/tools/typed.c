/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * typed NAME EVENTS CONSUMERS|lossy: make a segment whose events have fields of every kind; wait for so
 * many consumers; then, for each line of standard input, publish so many events; at its end close the ring.
 */
#define _POSIX_C_SOURCE 200809L

#include <disruptor/disruptor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sample {
	int64_t negative;
	uint64_t large;
	double real;
	uint64_t when;
	int16_t pair[2];
	uint8_t truth;
	char text[7];
	unsigned char raw[4];
	uint32_t pad;
};

DISRUPTOR_EVENT(sample, struct sample,
	DISRUPTOR_I64(struct sample, negative),
	DISRUPTOR_U64(struct sample, large),
	DISRUPTOR_F64(struct sample, real),
	DISRUPTOR_TIME(struct sample, when),
	DISRUPTOR_FIELD(struct sample, pair, 2, DISRUPTOR_KIND_SIGNED),
	DISRUPTOR_BOOL(struct sample, truth),
	DISRUPTOR_TEXT(struct sample, text),
	DISRUPTOR_BYTES(struct sample, raw));

static int fail(void)
{
	fprintf(stderr, "typed: %s\n", disruptor_error_detail());
	return 1;
}

static void fill(struct sample *s, uint64_t i)
{
	*s = (struct sample){ .negative = -(int64_t)i,
			      .large = UINT64_MAX - i,
			      .real = (double)i / 4,
			      .when = i * 1000,
			      .pair = { -1, (int16_t)i },
			      .truth = i % 2,
			      .text = "a\033[31m",
			      .raw = { 0xde, 0xad, 0xbe, 0xef } };
}

int main(int argc, char **argv)
{
	const struct disruptor_segment_options so = {
		.size = sizeof(so), .flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY
	};
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct disruptor_options o = { .size = sizeof(o), .capacity = 64 };
	struct disruptor_segment *segment;
	struct sample_producer p;
	uint64_t events, i = 0;
	char line[64];

	if (argc != 4)
		return 2;
	events = strtoull(argv[2], NULL, 10);
	if (strcmp(argv[3], "lossy") == 0)
		o.flags = DISRUPTOR_LOSSY | DISRUPTOR_FREE_RUN;
	if (disruptor_segment_open(&segment, argv[1], &sample_type, &o, &so) != 0 ||
	    sample_producer_open(&p, disruptor_segment_ring(segment), NULL) != 0)
		return fail();
	while (disruptor_ring_stats(disruptor_segment_ring(segment)).consumers <
	       strtoul(argv[3], NULL, 10))
		nanosleep(&moment, NULL);
	while (fgets(line, sizeof(line), stdin))
		for (uint64_t end = i + events; i < end; i++) {
			struct sample *s = sample_claim(&p);

			if (!s)
				return fail();
			fill(s, i);
			(void)sample_publish(&p);
		}
	(void)sample_producer_close(&p);
	disruptor_ring_close(disruptor_segment_ring(segment));
	return disruptor_segment_close(&segment) == 0 ? 0 : fail();
}
