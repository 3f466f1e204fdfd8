/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* OWNER: two threads run one stage, one after the other. */
#include "graph/graph_internal.h"
#include "model.h"

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
