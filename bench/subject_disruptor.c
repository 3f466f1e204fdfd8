/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disruptor. The library as its header tells users to call it: claim, fill in
 * place, publish; ready_until, read in place, release. One set of functions
 * for each layout, as a packed ring is written and read as plain arrays.
 */
#include "bench.h"
#include "ring_end.h"

#include <stdlib.h>

struct disruptor_channel {
	struct disruptor_ring *ring;
	struct disruptor_field field;
	struct disruptor_type type;
	struct bench_params params;
	struct writer {
		_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
	} writer[BENCH_PRODUCERS];
	struct reader reader[BENCH_CONSUMERS];
};

static void *ring_open(const struct bench_params *params)
{
	struct disruptor_channel *c = bench_alloc(sizeof(*c));
	struct disruptor_options options = {
		.size = sizeof(options),
		.capacity = params->capacity,
		.layout = params->layout,
		.wait = params->wait,
		.rung = params->rung,
		.max_consumers =
			params->consumers == 1 || params->consumers > 16 ? params->consumers : 0,
		.producers = params->producers > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE,
		.flags = DISRUPTOR_PREFAULT,
	};

	c->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	c->type = (struct disruptor_type){ "event", params->event_bytes, 8, &c->field, 1, 0 };
	c->params = *params;
	must(disruptor_ring_create(&c->ring, &c->type, &options), "creating a ring");
	for (uint32_t i = 0; i < params->consumers; i++)
		must(disruptor_consumer_open(&c->reader[i].consumer, c->ring, &c->type, NULL),
		     "opening a consumer");
	for (uint32_t i = 0; i < params->producers; i++)
		must(disruptor_producer_open(&c->writer[i].producer, c->ring, &c->type, NULL),
		     "opening a producer");
	return c;
}

static void ring_close(void *channel)
{
	struct disruptor_channel *c = channel;

	for (uint32_t i = 0; i < c->params.producers; i++) {
		disruptor_producer_handoff(&c->writer[i].producer);
		must(disruptor_producer_close(&c->writer[i].producer), "closing a producer");
	}
	for (uint32_t i = 0; i < c->params.consumers; i++)
		must(disruptor_consumer_close(&c->reader[i].consumer), "closing a consumer");
	must(disruptor_ring_destroy(&c->ring), "destroying a ring");
	free(c);
}

/*
 * Each thread works on a view of its own function's, as a user's thread does: the compiler then
 * knows that nobody else stores to it.
 */
LOOP_INLINE void produce_stamped(struct writer *w, struct bench_task *task, uint32_t bytes,
				 uint32_t batch)
{
	struct disruptor_producer producer = w->producer;

	disruptor_producer_handoff(&producer);
	loop_produce(&stamped_use, &producer, task, bytes, batch);
	w->producer = producer;
}
LOOP_PRODUCES(stamped_produce, produce_stamped, struct writer)

LOOP_INLINE void produce_packed(struct writer *w, struct bench_task *task, uint32_t bytes,
				uint32_t batch)
{
	struct disruptor_producer producer = w->producer;

	disruptor_producer_handoff(&producer);
	loop_produce(&packed_use, &producer, task, bytes, batch);
	w->producer = producer;
}
LOOP_PRODUCES(packed_produce, produce_packed, struct writer)

LOOP_APART void many_produce(struct writer *w, struct bench_task *task)
{
	struct disruptor_producer producer = w->producer;

	disruptor_producer_handoff(&producer);
	loop_produce_many(&stamped_use, &producer, task);
	w->producer = producer;
}

LOOP_INLINE void consume_stamped(struct reader *r, struct bench_task *task, uint32_t bytes)
{
	loop_consume(&stamped_use, r, task, bytes);
}
LOOP_CONSUMES(stamped_consume, consume_stamped, struct reader)

LOOP_INLINE void consume_packed(struct reader *r, struct bench_task *task, uint32_t bytes)
{
	loop_consume(&packed_use, r, task, bytes);
}
LOOP_CONSUMES(packed_consume, consume_packed, struct reader)

LOOP_APART void many_consume(struct reader *r, struct bench_task *task)
{
	loop_consume_many(&stamped_use, r, task);
}

static void ring_produce(void *channel, struct bench_task *task)
{
	struct disruptor_channel *c = channel;

	if (task->producers > 1)
		many_produce(&c->writer[task->index], task);
	else if (c->params.layout == DISRUPTOR_PACKED)
		packed_produce(&c->writer[task->index], task);
	else
		stamped_produce(&c->writer[task->index], task);
}

static void ring_consume(void *channel, struct bench_task *task)
{
	struct disruptor_channel *c = channel;

	if (task->producers > 1)
		many_consume(&c->reader[task->index], task);
	else if (c->params.layout == DISRUPTOR_PACKED)
		packed_consume(&c->reader[task->index], task);
	else
		stamped_consume(&c->reader[task->index], task);
}

LOOP_INLINE void serve_ring(void *const *channels, struct bench_task *task, uint32_t bytes,
			    bool watched)
{
	struct disruptor_channel *out = channels[0], *in = channels[1];
	struct disruptor_producer producer = out->writer[0].producer;

	disruptor_producer_handoff(&producer);
	loop_serve(&stamped_use, &producer, &in->reader[0], task, bytes, watched);
	out->writer[0].producer = producer;
}
LOOP_SERVES(ring_serve, serve_ring, void *const)

LOOP_INLINE void answer_ring(void *const *channels, struct bench_task *task, uint32_t bytes,
			     bool late)
{
	struct disruptor_channel *out = channels[1], *in = channels[0];
	struct disruptor_producer producer = out->writer[0].producer;

	disruptor_producer_handoff(&producer);
	loop_answer(&stamped_use, &producer, &in->reader[0], task, bytes, late);
	out->writer[0].producer = producer;
}
LOOP_ANSWERS(ring_answer, answer_ring, void *const)

static const char *ring_rung(void *channel)
{
	const struct disruptor_channel *c = channel;

	return disruptor_rung_name(disruptor_ring_info(c->ring).rung);
}

static uint64_t ring_sleeps(void *channel)
{
	const struct disruptor_channel *c = channel;

	return disruptor_ring_stats(c->ring).sleeps;
}

const struct bench_subject subject_disruptor = {
	.name = "disruptor",
	.open = ring_open,
	.close = ring_close,
	.produce = ring_produce,
	.consume = ring_consume,
	.serve = ring_serve,
	.answer = ring_answer,
	.rung = ring_rung,
	.sleeps = ring_sleeps,
};
