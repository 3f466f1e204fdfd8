/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* OWNER: two threads run one stage, one after the other; and what others see of it. */
#include "graph/diagnose.h"
#include "graph/graph_internal.h"
#include "model.h"

#include "ring/hold.h"

static struct disruptor owner;
static struct disruptor_stage stage;
static struct disruptor_gate gate;
static uint64_t position; /* what a run leaves in the stage's view for the next */
static DISRUPTOR_ATOMIC(uint64_t) runs;

static void setup(void)
{
	stage = (struct disruptor_stage){ .owner = &owner, .consumer.gate = &gate };
	position = 0;
	/* relaxed: nobody else runs yet */
	disruptor_store_relaxed(&runs, UINT64_C(0));
}

/* A run takes the view up where the last one left it. */
static void run(void)
{
	if (!stage_take(&stage))
		return;
	model_write(&position, model_read(&position) + 1);
	disruptor_fetch_add_relaxed(&runs, UINT64_C(1)); /* relaxed: a count */
	stage_give_back(&stage);
}

/* Who saw it run, and sees its end, sees what the run did. */
static void look(void)
{
	if (!disruptor_stage_running(&stage))
		return;
	while (disruptor_stage_running(&stage))
		model_pause();
	model_assert(model_read(&position) == 1);
}

static void finish(void)
{
	/* relaxed: all others have ended */
	model_assert(position == disruptor_load_relaxed(&runs) && position != 0);
}

const struct model_client model_owner = {
	.name = "owner",
	.about = "OWNER: a run takes over what the one before it left",
	.setup = setup,
	.threads = { run, run },
	.finish = finish,
	.bound = 4,
};

const struct model_client model_owner_end = {
	.name = "owner_end",
	.about = "OWNER: who sees that a run has ended sees what it did",
	.setup = setup,
	.threads = { run, look },
	.finish = finish,
	.bound = 4,
};

/* A whole run, which is empty; its end is told by stage_finish(). */
static struct disruptor_ring *ring;
static struct tick_producer producer;
static struct tick_consumer consumer;

static void setup_ring(void)
{
	struct disruptor_options o = model_options(2);

	setup();
	ring = model_ring(&o);
	owner.ring = ring;
	model_ok(tick_producer_open(&producer, ring, NULL));
	model_ok(tick_consumer_open(&consumer, ring, NULL));
	stage.consumer = consumer.view;
	model_ok(os_monitor_init(&owner.monitor));
}

static void finish_ring(void)
{
	os_monitor_destroy(&owner.monitor);
	model_ok(tick_producer_close(&producer));
	model_ok(tick_consumer_close(&consumer));
	model_ok(disruptor_ring_destroy(&ring));
}

static void run_to_the_end(void)
{
	model_assert(stage_take(&stage));
	ring_hold_push(&stage.hold);
	model_write(&position, model_read(&position) + 1);
	model_ok(stage_finish(&stage));
}

const struct model_client model_owner_finish = {
	.name = "owner_finish",
	.about = "OWNER: the same of a run that ends by itself",
	.setup = setup_ring,
	.threads = { run_to_the_end, look },
	.finish = finish_ring,
	.bound = 3,
	.stale = 2,
};

/* Who is told a stage's place sees what the stage did before. */
static void move_on(void)
{
	model_produce_busy(&producer, 1);
	model_consume_busy(&consumer, 1);
	model_write(&position, 7); /* with what it releases next */
	model_produce_busy(&producer, 1);
	model_consume_busy(&consumer, 2);
}

static void look_where_it_is(void)
{
	while (disruptor_stage_position(&stage) != 2)
		model_pause();
	model_assert(model_read(&position) == 7);
}

const struct model_client model_owner_place = {
	.name = "owner_place",
	.about = "STAGE: who asks a stage where it is sees what it did before",
	.setup = setup_ring,
	.threads = { move_on, look_where_it_is },
	.finish = finish_ring,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};

/* Nobody is seen ahead of what was claimed. */
static void produce_and_consume(void)
{
	model_produce_busy(&producer, 1);
	model_consume_busy(&consumer, 1);
}

static void diagnose(void)
{
	struct disruptor_diagnosis found;
	uint32_t gate[DISRUPTOR_MAX_CONSUMERS];

	diagnose_look(&owner, &found, gate);
	model_assert(found.stage_count == 1);
	model_assert(found.stages[0].position <= found.unpublished);
	model_assert(found.unpublished <= found.claimed);
}

const struct model_client model_owner_diagnose = {
	.name = "owner_diagnose",
	.about = "STAGE: a look at who blocks whom sees nobody ahead of what was published",
	.setup = setup_ring,
	.threads = { produce_and_consume, diagnose },
	.finish = finish_ring,
	.rungs = true,
	.bound = 2,
	.stale = 2,
};
