/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * When the ring is full: a producer may wait (the default), wait for a time,
 * fail at once, or drop the new event and count it. Telemetry often prefers
 * losing a sample to delaying the thread that takes it.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct sample {
	uint64_t value;
};

DISRUPTOR_EVENT(sample, struct sample, DISRUPTOR_U64(struct sample, value));

static void try_policy(struct disruptor_ring *ring, const char *name,
		       enum disruptor_overflow overflow, uint64_t timeout_ns)
{
	const struct disruptor_producer_options options = { .size = sizeof(options),
							    .overflow = overflow,
							    .timeout_ns = timeout_ns };
	struct sample_producer p;
	unsigned published = 0;

	if (sample_producer_open(&p, ring, &options) != 0)
		return;
	for (uint64_t i = 0; i < 3; i++) {
		struct sample *s = sample_claim(&p);

		if (!s)
			continue;
		s->value = i;
		sample_publish(&p);
		published++;
	}
	printf("%s: %u published, then %s\n", name, published,
	       disruptor_error_name(sample_status(&p)));
	sample_producer_close(&p);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 4 };
	struct sample_consumer consumer;
	struct disruptor_ring *ring;

	if (disruptor_ring_create(&ring, &sample_type, &options) != 0 ||
	    sample_consumer_open(&consumer, ring, NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	/* nobody reads, and the ring has room for four */
	try_policy(ring, "block", DISRUPTOR_BLOCK, 0); /* three fit: it does not have to wait */
	try_policy(ring, "fail", DISRUPTOR_FAIL, 0);
	try_policy(ring, "until", DISRUPTOR_UNTIL, 1000000); /* a millisecond */
	try_policy(ring, "drop", DISRUPTOR_DROP, 0);
	printf("dropped: %llu\n", (unsigned long long)disruptor_ring_stats(ring).dropped);
	sample_consumer_close(&consumer);
	return disruptor_ring_destroy(&ring) == 0 ? 0 : 1;
}
