/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What most clients begin with, whoever runs them. */
#include "model.h"

struct disruptor_options model_options(uint64_t capacity)
{
	struct disruptor_options o = { .size = sizeof(o), .capacity = capacity };

	o.rung = model_rung();
	o.wait = disruptor_wait_blocking();
	o.wait.spins = 0;
	o.wait.yields = 0;
	o.max_consumers = 4;
	o.allocator = model_allocator();
	return o;
}

struct disruptor_ring *model_ring(const struct disruptor_options *options)
{
	struct disruptor_ring *r;

	model_ok(disruptor_ring_create(&r, &tick_type, options));
	return r;
}

void model_own(struct tick_producer *p)
{
	model_ok(disruptor_producer_handoff(&p->view));
}

static void publish_next(struct tick_producer *p, struct tick *t)
{
	model_write(&t->value, disruptor_producer_position(&p->view) + 1);
	model_ok(tick_publish(p));
}

void model_produce(struct tick_producer *p, uint64_t n)
{
	model_own(p);
	for (; n != 0; n--) {
		struct tick *t = tick_claim(p);

		model_assert(t != NULL);
		publish_next(p, t);
	}
}

void model_produce_busy(struct tick_producer *p, uint64_t n)
{
	model_own(p);
	for (; n != 0; n--) {
		struct tick *t;

		while (!(t = tick_try_claim(p)))
			model_pause();
		publish_next(p, t);
	}
}

static void handle(struct tick_consumer *c, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		model_assert(model_read(&tick_at(c, i)->value) ==
			     disruptor_consumer_position(&c->view) + i + 1);
	model_ok(tick_release(c, n));
}

int64_t model_consume(struct tick_consumer *c)
{
	int64_t n = tick_ready_until(c, DISRUPTOR_FOREVER);

	if (n > 0)
		handle(c, (uint64_t)n);
	return n;
}

void model_consume_to(struct tick_consumer *c, uint64_t end)
{
	while (disruptor_consumer_position(&c->view) < end)
		model_assert(model_consume(c) > 0);
}

void model_consume_busy(struct tick_consumer *c, uint64_t end)
{
	uint64_t n;

	while (disruptor_consumer_position(&c->view) < end) {
		while (!(n = tick_ready(c)))
			model_pause();
		handle(c, n);
	}
}

void model_check(int rc, const char *what, const char *file, unsigned line)
{
	if (rc != 0)
		model_failed(disruptor_error_detail()[0] ? disruptor_error_detail() : what, file,
			     line);
}
