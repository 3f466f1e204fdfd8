/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A display that must not hold up the sensor. The sensor publishes to a ring
 * that runs free; the display is a lossy reader: it reads what is still there,
 * and knows how much it missed. (One thread, so that the output is always the
 * same; each side would have its own.)
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct reading {
	uint64_t number;
	double celsius;
};

DISRUPTOR_EVENT(reading, struct reading,
	DISRUPTOR_U64(struct reading, number),
	DISRUPTOR_F64(struct reading, celsius));

static void measure(struct reading_producer *p, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct reading *r = reading_claim(p); /* never waits: nobody holds it back */

		if (!r)
			return;
		r->number = disruptor_producer_position(&p->view);
		r->celsius = 20 + (double)(r->number % 10) / 10;
		reading_publish(p);
	}
}

/* Show what is there, at most @p limit readings. */
static void show(struct reading_reader *display, unsigned limit)
{
	struct reading r;

	while (limit-- > 0 && reading_reader_next(display, &r) == 1) {
		uint64_t missed = disruptor_reader_missed_before(&display->view);

		if (missed)
			printf("… %llu missed\n", (unsigned long long)missed);
		printf("%llu: %.1f\n", (unsigned long long)r.number, r.celsius);
	}
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 8,
						   .flags = DISRUPTOR_LOSSY | DISRUPTOR_FREE_RUN };
	struct reading_reader display;
	struct reading_producer sensor;
	struct disruptor_ring *ring;

	if (disruptor_ring_create(&ring, &reading_type, &options) != 0 ||
	    reading_producer_open(&sensor, ring, NULL) != 0 ||
	    reading_reader_open(&display, ring, NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	measure(&sensor, 3);
	show(&display, 10);
	measure(&sensor, 1000); /* far more than the ring holds, while the display does not look */
	show(&display, 2);
	printf("skipped %llu\n",
	       (unsigned long long)disruptor_reader_skip_to_newest(&display.view));
	show(&display, 10);
	printf("missed %llu of %llu\n", (unsigned long long)disruptor_reader_missed(&display.view),
	       (unsigned long long)disruptor_reader_position(&display.view));
	reading_reader_close(&display);
	reading_producer_close(&sensor);
	return disruptor_ring_destroy(&ring) == 0 ? 0 : 1;
}
