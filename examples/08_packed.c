/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The packed layout: one producer streams in bulk, and events lie side by side,
 * so that a consumer can hand a whole run of them to write(2), to memcpy() or
 * to a loop that the compiler vectorises, without copying them first.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>
#include <unistd.h>

#define LINES 40

/* Eight bytes of a log; a line is one event. */
struct line {
	char text[8];
};

DISRUPTOR_EVENT(line, struct line, DISRUPTOR_BYTES(struct line, text));

/* A stage that is a consumer in the caller's own thread: see 07_poller.c. */
static int write_ready(struct line_consumer *c)
{
	struct disruptor_span span;
	uint64_t n;

	/* a run ends where the ring's memory does; the next one begins at its start */
	while ((n = disruptor_ready_span(&c->view, &span)) > 0) {
		size_t bytes = (size_t)n * sizeof(struct line); /* span.stride is sizeof */

		if (write(STDOUT_FILENO, span.first, bytes) != (ssize_t)bytes)
			return -1;
		line_release(c, n);
	}
	return 0;
}

static void publish_lines(struct line_producer *p, int from, int n)
{
	if (!line_claim_n(p, (uint64_t)n))
		return;
	for (int i = 0; i < n; i++) {
		struct line *l = line_claimed_at(p, (uint64_t)i);

		snprintf(l->text, sizeof(l->text), "line %02d", from + i);
		l->text[7] = '\n'; /* where the text's end was */
	}
	line_publish(p); /* one store shows them all */
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 16,
						   .layout = DISRUPTOR_PACKED };
	const struct disruptor_consumer_options all = { .size = sizeof(all), .batch = 16 };
	struct line_producer producer;
	struct line_consumer consumer;
	struct disruptor_ring *ring;
	int rc = 0;

	if (disruptor_ring_create(&ring, &line_type, &options) != 0 ||
	    line_consumer_open(&consumer, ring, &all) != 0 ||
	    line_producer_open(&producer, ring, NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	for (int i = 0; i < LINES && rc == 0; i += 10) {
		publish_lines(&producer, i, 10);
		rc = write_ready(&consumer);
	}
	line_consumer_close(&consumer);
	line_producer_close(&producer);
	return disruptor_ring_destroy(&ring) == 0 && rc == 0 ? 0 : 1;
}
