/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* WATCH: a thread that waits on several edges at once. */
#include "model.h"

static struct disruptor_ring *rings[2];
static struct tick_producer producers[2];
static struct tick_consumer consumers[2];

static void setup(void)
{
	struct disruptor_options o = model_options(2);

	for (int i = 0; i < 2; i++) {
		rings[i] = model_ring(&o);
		model_ok(tick_producer_open(&producers[i], rings[i], NULL));
		model_ok(tick_consumer_open(&consumers[i], rings[i], NULL));
	}
}

static void finish(void)
{
	for (int i = 0; i < 2; i++) {
		model_ok(tick_producer_close(&producers[i]));
		model_ok(tick_consumer_close(&consumers[i]));
		model_ok(disruptor_ring_destroy(&rings[i]));
	}
}

static void produce_first(void)
{
	model_produce(&producers[0], 1);
}

static void produce_second(void)
{
	model_produce(&producers[1], 1);
}

static void wait_for_both(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };
	int64_t i = disruptor_wait_any(views, 2, DISRUPTOR_FOREVER);

	model_assert(i == 0 || i == 1);
	model_assert(model_consume(&consumers[i]) == 1);
	model_assert(model_consume(&consumers[1 - i]) == 1);
}

const struct model_client model_watch = {
	.name = "watch",
	.about = "WATCH, WAKE: one thread sleeps on two rings",
	.setup = setup,
	.threads = { produce_first, produce_second, wait_for_both },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void wait_for_first(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };

	model_assert(disruptor_wait_any(views, 2, DISRUPTOR_FOREVER) == 0);
	model_assert(model_consume(&consumers[0]) == 1);
}

const struct model_client model_watch_one = {
	.name = "watch_one",
	.about = "WATCH, WAKE: one of two rings has news",
	.setup = setup,
	.threads = { produce_first, wait_for_first },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

static void interrupt_second(void)
{
	disruptor_consumer_interrupt(&consumers[1].view);
}

static void wait_for_interrupt(void)
{
	struct disruptor_consumer *const views[] = { &consumers[0].view, &consumers[1].view };

	model_assert(disruptor_wait_any(views, 2, DISRUPTOR_FOREVER) == 1);
	model_assert(tick_ready_until(&consumers[1], DISRUPTOR_FOREVER) == DISRUPTOR_E_INTERRUPTED);
}

const struct model_client model_watch_stop = {
	.name = "watch_stop",
	.about = "WATCH, STOP: who sleeps on two rings is interrupted at one, which is no progress",
	.setup = setup,
	.threads = { interrupt_second, wait_for_interrupt },
	.finish = finish,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};
