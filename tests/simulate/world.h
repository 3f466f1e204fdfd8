/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SIMULATE_WORLD_H
#define SIMULATE_WORLD_H

/* A run: what a plan asks for, made real, with the model beside it. */

#include "model.h"
#include "plan.h"
#include "schedule.h"

#include <disruptor/disruptor.h>

#define KEYS 3

struct node;

/* What one handler is called for: a node, or one worker of its pool. */
struct hand {
	struct node *node;
	unsigned index;
	struct disruptor_stage *stage;
	bool running;
	uint64_t random;
	struct disruptor_policy policy; /* of its stage */
	/* as the library counts attempts */
	uint64_t key, count;
	uint64_t skips, skips_perhaps, retries, rewinds;
};

struct node {
	const struct node_plan *plan;
	unsigned index;
	struct disruptor_stage *stage; /* NULL: it is not there */
	struct follower *f;
	struct hand hands[PLAN_WORKERS + 1];
	uint64_t attempts[MODEL_POSITIONS]; /* events handed out, each time counted */
	struct disruptor_conflate *table;
	uint64_t last_put[KEYS];
	bool stopped;  /* it may have ended before the stream did */
	bool leaves;   /* it is being detached, and not to be used any more */
	unsigned pins; /* calls of others that use the stage */
	unsigned releaser;
};

struct view {
	const struct view_plan *plan;
	unsigned index;
	struct disruptor_consumer c[2];
	struct follower *f[2];
	bool open[2];
	unsigned count;
	uint64_t seen;
	unsigned pins;
	uint64_t interrupts;
	unsigned thread;
	bool started;
};

struct world {
	const struct plan *plan;
	uint64_t random;
	struct disruptor *d;
	struct disruptor_ring *ring;
	struct node nodes[PLAN_NODES];
	struct view views[PLAN_VIEWS];
	bool over;     /* the stages are stopped */
	bool leave;    /* whoever still waits is to leave: what it waits for may never come */
	bool crippled; /* a pool has lost its last worker */
	bool quiet;    /* nobody has begun to stop, to close, or to fail */
};

extern struct world world;

/* The whole of a run, in its first thread. */
void world_run(void *plan);
/* Nobody needs to be surprised from now on that things end. */
void world_begin_closing(void);
/* Stop the disruptor, as the plan says; and again, until it has ended. */
void world_stop(void);

/* ---- stages.c ---- */

static inline bool node_is_there(const struct node *n)
{
	return n->stage && !n->leaves;
}

/* The handler of a node, or of one of its workers. */
struct disruptor_handler node_handler(struct node *n, unsigned index);
/* All that its stage has counted is what it was told. */
void node_check_counts(const struct node *n);
void *node_releaser(void *node);
void *node_conflate_reader(void *node);

/* ---- producers.c, views.c ---- */

void *producer_thread(void *plan);
void view_open(struct view *v);
void *view_thread(void *view);
void view_interrupt(struct view *v);
void *reader_thread(void *unused);
/* Comes and goes, as a view and as a lossy reader, and waits for nothing. */
void *visitor_thread(void *unused);

/* ---- acts.c ---- */

/* What is done to the graph meanwhile. */
void *act_thread(void *which);
void *driver_thread(void *unused);

#endif
