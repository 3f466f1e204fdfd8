/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A loop of your own: no thread is made, the caller looks when it likes. The
 * consumer polls a few events, does something else, and releases them when it
 * is done with them, which may be much later.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct job {
	uint64_t id;
};

DISRUPTOR_EVENT(job, struct job, DISRUPTOR_U64(struct job, id));

static void publish(struct job_producer *p, uint64_t from, uint64_t to)
{
	for (uint64_t id = from; id < to; id++) {
		struct job *j = job_try_claim(p); /* never waits: there is no other thread */

		if (!j) {
			printf("job %llu: %s\n", (unsigned long long)id,
			       disruptor_error_name(job_status(p)));
			return;
		}
		j->id = id;
		job_publish(p);
	}
}

/* Take up to three new jobs; a span is a run of events, each `stride` bytes from the last. */
static uint64_t poll_jobs(struct job_consumer *c)
{
	struct disruptor_span span;
	uint64_t n = disruptor_consumer_poll(&c->view, 3, &span);

	printf("polled %llu:", (unsigned long long)n);
	for (uint64_t i = 0; i < n; i++) {
		const struct job *j =
			(const void *)((const unsigned char *)span.first + i * span.stride);

		printf(" %llu", (unsigned long long)j->id);
	}
	printf("\n");
	return n;
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 4 };
	struct job_producer producer;
	struct job_consumer consumer;
	struct disruptor_ring *ring;
	uint64_t held;

	if (disruptor_ring_create(&ring, &job_type, &options) != 0 ||
	    job_consumer_open(&consumer, ring, NULL) != 0 ||
	    job_producer_open(&producer, ring, NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	publish(&producer, 0, 4);
	held = poll_jobs(&consumer);  /* 0 1 2 */
	held += poll_jobs(&consumer); /* 3: what was polled is not polled again */
	publish(&producer, 4, 5);     /* full: polled is not yet released */
	job_release(&consumer, 2);
	held -= 2;
	publish(&producer, 4, 6);
	held += poll_jobs(&consumer);
	job_release(&consumer, held);
	job_consumer_close(&consumer);
	job_producer_close(&producer);
	return disruptor_ring_destroy(&ring) == 0 ? 0 : 1;
}
