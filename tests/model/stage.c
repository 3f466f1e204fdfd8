/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* STAGE: consumers that come after others. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer first, second, third;

static void open_after(struct tick_consumer *c, const struct disruptor_consumer *const *after,
		       size_t count)
{
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .after = after,
						      .after_count = count };

	model_ok(tick_consumer_open(c, ring, &o));
}

static void setup_chain(void)
{
	const struct disruptor_consumer *after = &first.view;
	struct disruptor_options o = model_options(1);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	open_after(&second, &after, 1);
}

static void finish_chain(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&second));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

static void produce(void)
{
	model_produce_busy(&producer, 2);
}

/* Each stage changes what the one before it has left. */
static void work(struct tick_consumer *c, uint64_t before, uint64_t after)
{
	for (uint64_t i = 1; i <= 2; i++) {
		while (!tick_ready(c))
			model_pause();
		model_assert(model_read(&tick_at(c, 0)->value) == i + before);
		model_write(&tick_at(c, 0)->value, i + after);
		model_ok(tick_release(c, 1));
	}
}

static void work_first(void)
{
	work(&first, 0, 10);
}

static void work_second(void)
{
	work(&second, 10, 20);
}

const struct model_client model_stage_order = {
	.name = "stage_order",
	.about =
		"STAGE, FREE: a stage reads what the one before it wrote, before the slot is reused",
	.setup = setup_chain,
	.threads = { produce, work_first, work_second },
	.finish = finish_chain,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* Two side by side, and one after both; what is read was published before. */
static void setup_join(void)
{
	const struct disruptor_consumer *after[] = { &first.view, &second.view };
	struct disruptor_options o = model_options(2);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	model_ok(tick_consumer_open(&second, ring, NULL));
	open_after(&third, after, 2);
	model_produce(&producer, 1);
}

static uint64_t left, right;

static void write_left(void)
{
	while (!tick_ready(&first))
		model_pause();
	model_write(&left, 1);
	model_ok(tick_release(&first, 1));
}

static void write_right(void)
{
	while (!tick_ready(&second))
		model_pause();
	model_write(&right, 2);
	model_ok(tick_release(&second, 1));
}

static void read_both(void)
{
	while (!tick_ready(&third))
		model_pause();
	model_assert(model_read(&left) + model_read(&right) == 3);
	model_ok(tick_release(&third, 1));
}

static void finish_join(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&third));
	model_ok(tick_consumer_close(&second));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

const struct model_client model_stage_join = {
	.name = "stage_join",
	.about = "STAGE: after two stages, both have been",
	.setup = setup_join,
	.threads = { write_left, write_right, read_both },
	.finish = finish_join,
	.bound = 3,
	.stale = 2,
};
