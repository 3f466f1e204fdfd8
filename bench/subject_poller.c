/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disruptor from a loop of the caller's: by disruptor_consumer_poll(), which
 * hands out what is there and never waits; and by disruptor_poll(), which
 * drives the stages of a graph that has no threads.
 */
#include "bench.h"
#include "ring_end.h"

#include <stdlib.h>

enum { POLLED = 1024 }; /* events asked for at a time */

/* ---- disruptor_consumer_poll() ---- */

struct poll_channel {
	struct disruptor_ring *ring;
	struct disruptor_field field;
	struct disruptor_type type;
	_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
	struct reader reader;
};

static void *poll_open(const struct bench_params *params)
{
	struct poll_channel *c = bench_alloc(sizeof(*c));
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = params->capacity,
						   .layout = params->layout,
						   .wait = params->wait,
						   .rung = params->rung,
						   .flags = DISRUPTOR_PREFAULT };

	c->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	c->type = (struct disruptor_type){ "event", params->event_bytes, 8, &c->field, 1, 0 };
	must(disruptor_ring_create(&c->ring, &c->type, &options), "creating a ring");
	must(disruptor_consumer_open(&c->reader.consumer, c->ring, &c->type, NULL),
	     "opening a consumer");
	must(disruptor_producer_open(&c->producer, c->ring, &c->type, NULL), "opening a producer");
	return c;
}

static void poll_close(void *channel)
{
	struct poll_channel *c = channel;

	must(disruptor_producer_handoff(&c->producer), "taking over a producer");
	must(disruptor_producer_close(&c->producer), "closing a producer");
	must(disruptor_consumer_close(&c->reader.consumer), "closing a consumer");
	must(disruptor_ring_destroy(&c->ring), "destroying a ring");
	free(c);
}

LOOP_INLINE uint64_t poll_ready(void *end, uint32_t bytes)
{
	struct reader *r = end;
	uint64_t n;

	(void)bytes;
	do {
		n = disruptor_consumer_poll(&r->consumer, POLLED, &r->span);
	} while (n == 0);
	return n;
}

LOOP_INLINE const void *poll_at(void *end, uint64_t i, uint32_t bytes)
{
	const struct reader *r = end;

	(void)bytes;
	return (const unsigned char *)r->span.first + i * r->span.stride;
}

static const struct loop_end poll_use = {
	.claim = ring_claim,
	.claimed = stamped_claimed,
	.publish = ring_publish,
	.ready = poll_ready,
	.at = poll_at,
	.release = ring_release,
	.lag = ring_lag,
};

LOOP_INLINE void send_polled(struct disruptor_producer *p, struct bench_task *task, uint32_t bytes,
			     uint32_t batch)
{
	struct disruptor_producer producer =
		*p; /* the compiler sees that nobody else stores to it */

	must(disruptor_producer_handoff(&producer), "taking over a producer");
	loop_produce(&poll_use, &producer, task, bytes, batch);
	*p = producer;
}
LOOP_PRODUCES(poll_send, send_polled, struct disruptor_producer)

static void poll_produce(void *channel, struct bench_task *task)
{
	poll_send(&((struct poll_channel *)channel)->producer, task);
}

LOOP_INLINE void consume_polled(void *channel, struct bench_task *task, uint32_t bytes)
{
	loop_consume(&poll_use, &((struct poll_channel *)channel)->reader, task, bytes);
}
LOOP_CONSUMES(poll_consume, consume_polled, void)

static const char *poll_rung(void *channel)
{
	const struct poll_channel *c = channel;

	return disruptor_rung_name(disruptor_ring_info(c->ring).rung);
}

const struct bench_subject subject_poller = {
	.name = "disruptor",
	.waits = "polls",
	.open = poll_open,
	.close = poll_close,
	.produce = poll_produce,
	.consume = poll_consume,
	.rung = poll_rung,
};

/* ---- disruptor_poll() ---- */

struct driven_channel {
	_Alignas(DISRUPTOR_APART) struct disruptor *d;
	struct disruptor_field field;
	struct disruptor_type type;
	_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
	_Alignas(DISRUPTOR_APART) struct bench_task *task; /* the consumer's, while it polls */
};

static int on_polled(void *context, void *event, uint64_t position, int last)
{
	struct bench_task *task = ((struct driven_channel *)context)->task;

	(void)position;
	task->sum += loop_read(event, task->bytes, &task->torn);
	task->batches += last != 0;
	return DISRUPTOR_CONTINUE;
}

static void *driven_open(const struct bench_params *params)
{
	struct driven_channel *c = bench_alloc(sizeof(*c));
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = params->capacity,
						   .wait = params->wait,
						   .rung = params->rung,
						   .flags = DISRUPTOR_PREFAULT };
	const struct disruptor_executor executor = { .size = sizeof(executor),
						     .mapping = DISRUPTOR_MAP_NONE };
	const struct disruptor_handler handler = { .size = sizeof(handler),
						   .name = "polled",
						   .context = c,
						   .reads = "words",
						   .on_event = on_polled };

	c->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	c->type = (struct disruptor_type){ "event", params->event_bytes, 8, &c->field, 1, 0 };
	must(disruptor_create(&c->d, &c->type, &options), "creating a disruptor");
	must(disruptor_set_executor(c->d, &executor), "setting the executor");
	if (disruptor_stage(c->d, &handler) == NULL)
		bench_fail("adding a stage: %s", disruptor_error_detail());
	must(disruptor_start(c->d), "starting");
	must(disruptor_producer_open(&c->producer, disruptor_ring(c->d), &c->type, NULL),
	     "opening a producer");
	return c;
}

static void driven_close(void *channel)
{
	struct driven_channel *c = channel;

	must(disruptor_producer_handoff(&c->producer), "taking over a producer");
	must(disruptor_producer_close(&c->producer), "closing a producer");
	must(disruptor_stop(c->d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER), "stopping");
	must(disruptor_destroy(&c->d), "destroying");
	free(c);
}

static void driven_produce(void *channel, struct bench_task *task)
{
	poll_send(&((struct driven_channel *)channel)->producer, task);
}

static void driven_consume(void *channel, struct bench_task *task)
{
	struct driven_channel *c = channel;

	c->task = task;
	for (uint64_t left = task->events; left != 0;) {
		int64_t n = disruptor_poll(c->d, POLLED);

		if (disruptor_unlikely(n < 0))
			must((int)n, "polling");
		left -= (uint64_t)n;
	}
}

static const char *driven_rung(void *channel)
{
	const struct driven_channel *c = channel;

	return disruptor_rung_name(disruptor_ring_info(disruptor_ring(c->d)).rung);
}

const struct bench_subject subject_driven = {
	.name = "disruptor:graph",
	.waits = "polls",
	.open = driven_open,
	.close = driven_close,
	.produce = driven_produce,
	.consume = driven_consume,
	.rung = driven_rung,
};
