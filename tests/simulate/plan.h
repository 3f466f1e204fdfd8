/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SIMULATE_PLAN_H
#define SIMULATE_PLAN_H

/*
 * What happens in a run, but for who runs when: the ring, the graph, who produces and who reads,
 * and what is done to them meanwhile. Drawn from a seed.
 */

#include <disruptor/disruptor.h>

#include <stdbool.h>
#include <stdint.h>

#define PLAN_NODES 6
#define PLAN_PRODUCERS 3
#define PLAN_WORKERS 3
#define PLAN_VIEWS 3
#define PLAN_ACTS 5

/* What a plan must contain, where somebody asks for it. */
enum plan_feature {
	PLAN_SINGLE = 1 << 0, /* one producer */
	PLAN_MANY = 1 << 1,   /* many */
	PLAN_STAMPED = 1 << 2,
	PLAN_PACKED = 1 << 3,
	PLAN_LOSSY = 1 << 4, /* lossy readers */
	PLAN_VOIDS = 1 << 5, /* claims given up, on a stamped ring */
	PLAN_CLOSE = 1 << 6, /* closed while producers claim */
	PLAN_POOL = 1 << 7,  /* a shared pool */
	PLAN_LEAVE = 1 << 8, /* whose workers end early */
	PLAN_DEFER = 1 << 9, /* a deferred stage */
	PLAN_CONFLATE = 1 << 10,
	PLAN_ATTACH = 1 << 11,  /* stages or views come */
	PLAN_DETACH = 1 << 12,  /* stages go */
	PLAN_AGAIN = 1 << 13,   /* stopped, and started again */
	PLAN_FAIL = 1 << 14,    /* a handler fails */
	PLAN_TROUBLE = 1 << 15, /* verdicts other than to go on */
	PLAN_GROUP = 1 << 16,   /* several edges waited for at once */
	PLAN_BLOCK = 1 << 17,   /* waits that sleep */
	PLAN_TAKE = 1 << 18,    /* events moved out */
	PLAN_VIEW = 1 << 19,    /* consumers of the caller's own */
	PLAN_CHAIN = 1 << 20,   /* stages behind stages */
	PLAN_JOIN = 1 << 21,    /* a stage behind several */
	PLAN_ALERT = 1 << 22,   /* waits are interrupted, stages told to stop */
	PLAN_GRAPH = 1 << 23,   /* stages at all */
	PLAN_RUNS = 1 << 24,    /* runs of several events */
	PLAN_QUICK = 1 << 25,   /* claims where room is known */
	PLAN_LAPPED = 1 << 26,  /* readers that are overtaken */
	PLAN_STOPS = 1 << 27,   /* several stop it */
	PLAN_BACK = 1 << 28     /* claims are given back */
};

enum node_kind { NODE_STAGE, NODE_POOL, NODE_KEYED };

struct node_plan {
	bool there; /* from the start on */
	bool comes; /* attached later */
	bool goes;  /* detached */
	bool conflates;
	enum node_kind kind;
	unsigned after; /* a bit for each earlier node */
	uint32_t batch, batch_min, deferred, workers, chunk;
	uint64_t linger_ns;
	bool spans, idles;
	struct disruptor_wait wait;
	struct disruptor_policy policy;
	/* one event in so many gets that verdict; 0: none */
	uint64_t release_in, skip_in, retry_in, rewind_in, fail_in, stop_in;
	enum disruptor_at at;
};

struct producer_plan {
	unsigned operations;
	struct disruptor_producer_options options;
	bool reopens;
};

/* A consumer of the caller's own. */
enum view_way {
	VIEW_READY,
	VIEW_SPANS,
	VIEW_POLL,
	VIEW_LOOP,
	VIEW_ANY,
	VIEW_TAKE,
	VIEW_SELF,
	VIEW_WAYS
};

struct view_plan {
	enum view_way way;
	unsigned after; /* nodes */
	enum disruptor_at at;
	uint32_t batch;
	uint64_t leaves_after; /* so many events; 0: at the end */
	bool times_out;
	struct disruptor_wait wait;
};

enum act {
	ACT_NOTHING,
	ACT_ATTACH,
	ACT_DETACH,
	ACT_INTERRUPT,
	ACT_STOP_STAGE,
	ACT_POLICY,
	ACT_PAUSE,
	ACT_CLOSE,
	ACT_REPLACE,
	ACT_STOP,
	ACT_KINDS
};

struct plan {
	uint64_t seed;
	unsigned features;
	struct disruptor_options ring;
	bool no_parking;
	unsigned nodes; /* of the array below */
	struct node_plan node[PLAN_NODES];
	struct disruptor_executor executor;
	unsigned producers;
	struct producer_plan producer[PLAN_PRODUCERS];
	unsigned views;
	struct view_plan view[PLAN_VIEWS];
	unsigned readers; /* lossy */
	unsigned act_count;
	enum act acts[PLAN_ACTS];
	unsigned rounds; /* 1, or 2: stopped and started again */
	bool early;      /* stages may end before the stream does */
	bool hasty;      /* stopped while producers are at work */
	bool eager;      /* producers are at work before it is started */
	bool visited;    /* somebody comes and goes, without waiting for anything */
	enum disruptor_stop_mode mode;
	uint64_t patience_ns; /* of a stop; 0: forever */
};

/* Draw a plan that has at least @p features. */
void plan_draw(struct plan *p, uint64_t seed, unsigned features);
void plan_print(const struct plan *p);

#endif
