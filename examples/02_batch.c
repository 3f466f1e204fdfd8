/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Batches on both sides: claim several slots at once and publish them together,
 * or publish copies of events that lie ready. The consumer gets whatever has
 * gathered, and can do its dear work, a flush say, once a batch.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct sample {
	uint64_t value;
};

DISRUPTOR_EVENT(sample, struct sample, DISRUPTOR_U64(struct sample, value));

struct totals {
	uint64_t events, sum, flushes;
};

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	(void)depth; /* how many wait in all; size of them come now */
	((struct totals *)context)->events += size;
	return 0;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct totals *t = context;

	(void)position;
	t->sum += ((const struct sample *)event)->value;
	if (last)
		t->flushes++; /* the batch is complete */
	return DISRUPTOR_CONTINUE;
}

static void publish_all(struct sample_producer *p)
{
	const struct sample ready[] = { { 1000 }, { 2000 }, { 3000 } };

	for (uint64_t i = 0; i < 100; i += 10) {
		if (!sample_claim_n(p, 10)) /* all ten, or none */
			return;
		for (uint64_t k = 0; k < 10; k++)
			sample_claimed_at(p, k)->value = i + k + 1;
		sample_publish(p);
	}
	sample_publish_copy(p, ready, 3);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	struct totals totals = { 0 };
	const struct disruptor_handler adder = { .size = sizeof(adder),
						 .name = "adder",
						 .context = &totals,
						 .on_batch = on_batch,
						 .on_event = on_event };
	struct sample_producer producer;
	struct disruptor *d;

	if (disruptor_create(&d, &sample_type, &options) != 0 || !disruptor_stage(d, &adder) ||
	    disruptor_start(d) != 0 ||
	    sample_producer_open(&producer, disruptor_ring(d), NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	publish_all(&producer);
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	printf("%llu events, sum %llu\n", (unsigned long long)totals.events,
	       (unsigned long long)totals.sum);
	printf("fewer flushes than events: %s\n", totals.flushes < totals.events ? "yes" : "no");
	sample_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
}
