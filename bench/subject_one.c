/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disruptor, one ring. There and back over one ring: the other thread is the
 * first consumer, and who has sent an event is the second, after the first. So
 * the way back is the first one's sequence.
 */
#include "bench.h"
#include "ring_end.h"

#include <stdlib.h>

struct one_channel {
	struct disruptor_ring *ring;
	struct disruptor_field field;
	struct disruptor_type type;
	struct reader there;
	_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
	struct reader back;
};

static void *one_open(const struct bench_params *params)
{
	struct one_channel *c = bench_alloc(sizeof(*c));
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = params->capacity,
						   .wait = params->wait,
						   .rung = params->rung,
						   .flags = DISRUPTOR_PREFAULT };
	const struct disruptor_consumer *first = &c->there.consumer;
	const struct disruptor_consumer_options after = { .size = sizeof(after),
							  .after = &first,
							  .after_count = 1 };

	c->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	c->type = (struct disruptor_type){ "event", params->event_bytes, 8, &c->field, 1, 0 };
	must(disruptor_ring_create(&c->ring, &c->type, &options), "creating a ring");
	must(disruptor_consumer_open(&c->there.consumer, c->ring, &c->type, NULL),
	     "opening a consumer");
	must(disruptor_consumer_open(&c->back.consumer, c->ring, &c->type, &after),
	     "opening a consumer after it");
	must(disruptor_producer_open(&c->producer, c->ring, &c->type, NULL), "opening a producer");
	return c;
}

static void one_close(void *channel)
{
	struct one_channel *c = channel;

	must(disruptor_producer_handoff(&c->producer), "taking over a producer");
	must(disruptor_producer_close(&c->producer), "closing a producer");
	must(disruptor_consumer_close(&c->back.consumer), "closing a consumer");
	must(disruptor_consumer_close(&c->there.consumer), "closing a consumer");
	must(disruptor_ring_destroy(&c->ring), "destroying a ring");
	free(c);
}

LOOP_INLINE void serve_one(void *const *channels, struct bench_task *task, uint32_t bytes,
			   bool watched)
{
	struct one_channel *c = channels[0];
	struct disruptor_producer producer = c->producer;

	must(disruptor_producer_handoff(&producer), "taking over a producer");
	loop_serve(&stamped_use, &producer, &c->back, task, bytes, watched);
	c->producer = producer;
}
LOOP_SERVES(one_serve, serve_one, void *const)

/* the values are 1, 2, 3 …, as one_serve() sends them */
static void one_answer(void *const *channels, struct bench_task *task)
{
	struct one_channel *c = channels[0];

	for (uint64_t left = task->events; left != 0; left--) {
		uint64_t torn = 0;

		stamped_ready(&c->there, task->bytes);
		torn |= loop_read(stamped_at(&c->there, 0, task->bytes), task->bytes, &torn) ^
			++task->value;
		task->torn |= torn;
		ring_release(&c->there, 1);
	}
}

static const char *one_rung(void *channel)
{
	const struct one_channel *c = channel;

	return disruptor_rung_name(disruptor_ring_info(c->ring).rung);
}

static uint64_t one_sleeps(void *channel)
{
	const struct one_channel *c = channel;

	return disruptor_ring_stats(c->ring).sleeps;
}

const struct bench_subject subject_one = {
	.name = "disruptor",
	.open = one_open,
	.close = one_close,
	.serve = one_serve,
	.answer = one_answer,
	.one = true,
	.rung = one_rung,
	.sleeps = one_sleeps,
};
