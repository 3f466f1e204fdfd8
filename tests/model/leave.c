/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* LEAVE: a stage in the middle goes; those after it come after those before it. */
#include "model.h"

#include "ring/consumer.h"

static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer first, middle, last;
static uint64_t reason;

static void open_after(struct tick_consumer *c, const struct tick_consumer *before)
{
	const struct disruptor_consumer *after = &before->view;
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .after = &after,
						      .after_count = 1 };

	model_ok(tick_consumer_open(c, ring, &o));
}

static void setup(void)
{
	struct disruptor_options o = model_options(2);

	ring = model_ring(&o);
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&first, ring, NULL));
	open_after(&middle, &first);
	open_after(&last, &middle);
	model_produce(&producer, 2);
	reason = 0;
}

static void finish(void)
{
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&last));
	model_ok(tick_consumer_close(&first));
	model_ok(disruptor_ring_destroy(&ring));
}

static void change(struct tick_consumer *c, uint64_t n)
{
	for (uint64_t i = 1; i <= n; i++) {
		while (!tick_ready(c))
			model_pause();
		model_write(&tick_at(c, 0)->value, i + 10);
		model_ok(tick_release(c, 1));
	}
}

static void change_first(void)
{
	change(&first, 2);
}

static void leave_middle(void)
{
	consumer_detach(&middle.view);
}

static void read_changed(struct tick_consumer *c, bool sleeps)
{
	for (uint64_t i = 1; i <= 2; i++) {
		if (sleeps)
			model_assert(tick_ready_until(c, DISRUPTOR_FOREVER) > 0);
		while (!tick_ready(c))
			model_pause();
		model_assert(model_read(&tick_at(c, 0)->value) == i + 10);
		model_ok(tick_release(c, 1));
	}
}

static void read_last(void)
{
	read_changed(&last, false);
}

static void sleep_last(void)
{
	read_changed(&last, true);
}

const struct model_client model_leave = {
	.name = "leave",
	.about = "LEAVE: the last stage is never ahead of the first when the one between them goes",
	.setup = setup,
	.threads = { change_first, leave_middle, read_last },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

const struct model_client model_leave_sleep = {
	.name = "leave_sleep",
	.about = "LEAVE, WAKE: the last stage sleeps on the edge of the one that goes",
	.setup = setup,
	.threads = { change_first, leave_middle, sleep_last },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void change_before_leaving(void)
{
	change(&middle, 1);
	consumer_detach(&middle.view);
}

static void first_passes(void)
{
	for (int i = 0; i < 2; i++) {
		while (!tick_ready(&first))
			model_pause();
		model_ok(tick_release(&first, 1));
	}
}

static void read_one_changed(void)
{
	while (!tick_ready(&last))
		model_pause();
	/* the middle one has changed it, and released it or left */
	model_assert(model_read(&tick_at(&last, 0)->value) == 11);
	model_ok(tick_release(&last, 1));
}

const struct model_client model_leave_after = {
	.name = "leave_after",
	.about = "LEAVE, STAGE: what it did before it left is seen",
	.setup = setup,
	.threads = { first_passes, change_before_leaving, read_one_changed },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

/* The entry of the one that left is another's; it stands further back, or ahead. */
static void leave_and_return(void)
{
	consumer_detach(&middle.view);
	model_ok(tick_consumer_open(&middle, ring, NULL));
	model_ok(tick_consumer_close(&middle));
}

const struct model_client model_leave_reused = {
	.name = "leave_reused",
	.about = "LEAVE: the entry of the one that left is given to a stranger",
	.setup = setup,
	.threads = { change_first, leave_and_return, read_last },
	.finish = finish,
	.bound = 1,
	.stale = 2,
};

static void change_one(void)
{
	change(&first, 1);
}

static void sleep_for_one(void)
{
	model_assert(tick_ready_until(&last, DISRUPTOR_FOREVER) > 0);
	model_assert(model_read(&tick_at(&last, 0)->value) == 11);
	model_ok(tick_release(&last, 1));
}

const struct model_client model_leave_reused_sleep = {
	.name = "leave_reused_sleep",
	.about = "LEAVE, WAKE: likewise, and the last stage sleeps",
	.setup = setup,
	.threads = { change_one, leave_and_return, sleep_for_one },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

static void interrupt_last(void)
{
	model_write(&reason, 5);
	disruptor_consumer_interrupt(&last.view);
}

static void wait_last(void)
{
	int64_t n = tick_ready_until(&last, DISRUPTOR_FOREVER);

	model_assert(n == DISRUPTOR_E_INTERRUPTED);
	model_assert(model_read(&reason) == 5);
}

const struct model_client model_leave_stop = {
	.name = "leave_stop",
	.about = "LEAVE.alert: an interrupt meets a leave, and the sleeper is woken",
	.setup = setup,
	.threads = { interrupt_last, leave_middle, wait_last },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 2,
};
