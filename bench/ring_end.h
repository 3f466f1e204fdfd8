/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_RING_END_H
#define BENCH_RING_END_H

/*
 * The library's two ends as the loops of loop.h use them, as its headers say:
 * claim, fill in place, publish; ready_until, read in place, release.
 */

#include "loop.h"

/** A receiving end. */
struct reader {
	_Alignas(DISRUPTOR_APART) struct disruptor_consumer consumer;
	struct disruptor_span span; /* packed: the ready events */
};

LOOP_INLINE void must(int code, const char *what)
{
	if (code >= 0)
		return;
	bench_fail("%s: %s: %s", what, disruptor_error_name(code),
		   *disruptor_error_detail() != '\0' ? disruptor_error_detail()
						     : disruptor_error_text(code));
}

/* The sending end is a producer, the receiving one a reader. */

LOOP_INLINE void *ring_claim(void *end, uint64_t n, uint32_t bytes)
{
	struct disruptor_producer *p = end;
	void *first = n == 1 ? disruptor_claim(p) : disruptor_claim_n(p, n);

	(void)bytes;
	if (disruptor_unlikely(first == NULL))
		must(disruptor_producer_status(p), "claiming");
	return first;
}

LOOP_INLINE void *stamped_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)bytes;
	return i == 0 ? first : disruptor_claimed_at((struct disruptor_producer *)end, i);
}

/* events of a packed ring lie side by side, and our batches divide its capacity: none wraps */
LOOP_INLINE void *packed_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void ring_publish(void *end, uint64_t n, uint32_t bytes)
{
	int code = disruptor_publish((struct disruptor_producer *)end);

	(void)n;
	(void)bytes;
	if (disruptor_unlikely(code != 0))
		must(code, "publishing");
}

LOOP_INLINE uint64_t stamped_ready(void *end, uint32_t bytes)
{
	struct reader *r = end;
	int64_t n = disruptor_ready_until(&r->consumer, DISRUPTOR_FOREVER);

	(void)bytes;
	if (disruptor_unlikely(n <= 0))
		must((int)n, "waiting for events");
	return (uint64_t)n;
}

LOOP_INLINE const void *stamped_at(void *end, uint64_t i, uint32_t bytes)
{
	const struct reader *r = end;

	(void)bytes;
	return disruptor_at(&r->consumer, i);
}

LOOP_INLINE uint64_t packed_ready(void *end, uint32_t bytes)
{
	struct reader *r = end;

	stamped_ready(end, bytes);
	return disruptor_ready_span(&r->consumer, &r->span);
}

LOOP_INLINE const void *packed_at(void *end, uint64_t i, uint32_t bytes)
{
	const struct reader *r = end;

	return (const unsigned char *)r->span.first + i * bytes;
}

LOOP_INLINE void ring_release(void *end, uint64_t n)
{
	struct reader *r = end;
	int code = disruptor_release(&r->consumer, n);

	if (disruptor_unlikely(code != 0))
		must(code, "releasing");
}

LOOP_INLINE uint64_t ring_lag(void *end)
{
	const struct reader *r = end;

	return disruptor_ring_stats(r->consumer.ring).claimed -
	       disruptor_consumer_position(&r->consumer);
}

static const struct loop_end stamped_use = {
	.claim = ring_claim,
	.claimed = stamped_claimed,
	.publish = ring_publish,
	.ready = stamped_ready,
	.at = stamped_at,
	.release = ring_release,
	.lag = ring_lag,
};

static const struct loop_end packed_use = {
	.claim = ring_claim,
	.claimed = packed_claimed,
	.publish = ring_publish,
	.ready = packed_ready,
	.at = packed_at,
	.release = ring_release,
	.lag = ring_lag,
};

/** Publish @p events, one by one, of the values that follow @p value. */
LOOP_INLINE void ring_send_sized(struct disruptor_producer *p, uint64_t value, uint64_t events,
				 uint32_t bytes)
{
	for (uint64_t end = value + events; value != end;) {
		void *event = disruptor_claim(p);

		if (disruptor_unlikely(event == NULL))
			must(disruptor_producer_status(p), "claiming");
		loop_fill(event, ++value, bytes);
		if (disruptor_unlikely(disruptor_publish(p) != 0))
			bench_fail("publishing: %s", disruptor_error_detail());
	}
}

#endif
