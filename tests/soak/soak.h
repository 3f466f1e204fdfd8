/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SOAK_SOAK_H
#define SOAK_SOAK_H

/*
 * One graph at random under load. Producers number their events, each its own, without a gap; every
 * stage, consumer and reader checks each event's sum, its position and its number. What is checked
 * stands in stage.c and load.c, who disturbs it in graph.c.
 */
#include "dag.h"

#define SOURCES 3      /* producers */
#define READERS 2      /* consumers without a stage */
#define LATE 3         /* stages that come and go */
#define WORKERS 3      /* of a pool */
#define SLOTS_MAX 4096 /* of a ring */
#define UNKNOWN UINT64_MAX

struct load {
	uint64_t source; /* which producer */
	uint64_t number; /* its count of events published */
	uint64_t position;
	uint64_t words[2];
	uint64_t sum;  /* of all the above */
	uint64_t mark; /* the pool's: 0 until a worker has had it */
};

DISRUPTOR_EVENT(load, struct load,
	DISRUPTOR_U64(struct load, source),
	DISRUPTOR_U64(struct load, number),
	DISRUPTOR_U64(struct load, position),
	DISRUPTOR_U64(struct load, sum),
	DISRUPTOR_U64(struct load, mark));

struct world;

/* What has been seen of a stream: the next number of each producer. */
struct view {
	uint64_t next; /* position */
	uint64_t number[SOURCES];
	uint32_t known; /* a bit for each producer of which an event was seen */
};

enum kind { PLAIN, SPANS, DEFERRED, LATEST, POOL, KEYED, LATER };

/* A stage, or a pool, or a worker of one. */
struct node {
	struct world *w;
	struct disruptor_stage *stage;
	struct disruptor_handler handler;
	enum kind kind;
	uint32_t before; /* a bit for each of the shape's that it comes after */
	bool marked;     /* it comes behind the shared pool */
	bool restless;   /* it may rewind: after a failure a batch may come again */
	bool released;   /* it has answered RELEASE in this batch */
	bool worker;     /* of a pool */
	enum disruptor_remedy remedy;
	DISRUPTOR_ATOMIC(uint32_t) set; /* the policy; before that it makes no trouble */
	uint64_t random;
	struct view view;
	struct load *failing; /* the event for which `ask` is asked */
	uint64_t failing_at;  /* its position */
	struct {
		uint64_t at; /* position + 1; 0: none */
		uint32_t source;
	} log[SLOTS_MAX]; /* what was accounted, to be taken back by a rewind */
};

/* A thread of the load. */
struct worker {
	struct world *w;
	struct runner thread;
	uint64_t random;
	uint32_t index;
	uint64_t sent; /* producers: numbers used */
	struct view view;
	DISRUPTOR_ATOMIC(uint32_t) ended; /* it is to end */
};

/* What has been done, over all graphs. */
enum tally_of {
	EVENTS, /* looked at by stages */
	GRAPHS,
	RESTARTS,
	FAILURES,
	STOPPED, /* stages that ended by their verdict */
	RETRIES,
	REWINDS,
	SKIPS,
	ABORTS,
	REOPENED, /* producers */
	ATTACHED,
	DETACHED,
	WORKERS_CHANGED,
	SESSIONS, /* of consumers without a stage */
	READ,     /* by lossy readers */
	MISSED,
	TAKEN, /* from conflating tables */
	CONFLATED,
	TALLIES
};
extern DISRUPTOR_ATOMIC(uint64_t) soak_tally[TALLIES];
static inline void count_by(enum tally_of what, uint64_t n)
{
	disruptor_fetch_add_relaxed(&soak_tally[what], n); /* relaxed: a statistic */
}

struct world {
	uint64_t seed;
	uint64_t random; /* the controller's */
	uint64_t run_ns;
	char text[512]; /* what it is, for people */
	struct disruptor *d;
	struct disruptor_ring *ring;
	struct disruptor_options options;
	enum disruptor_mapping mapping;
	struct dag_shape shape;
	struct node node[DAG_NODES];
	struct node crew[WORKERS];
	struct node late[LATE];
	uint32_t pool; /* index of the node that is one, or UINT32_MAX */
	struct disruptor_conflate *table;
	uint32_t sources, readers;
	struct worker source[SOURCES], reader[READERS], lossy, taker, reaper, driver, controller;
	uint64_t latest[SOURCES];          /* what the taker has seen: the number, + 1 */
	DISRUPTOR_ATOMIC(uint64_t) pooled; /* events that the shared pool has handled */
	/* the load stands aside while the graph is started again */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t live, parked;
	uint64_t generation;
	DISRUPTOR_ATOMIC(uint32_t) halt;   /* stand aside */
	DISRUPTOR_ATOMIC(uint32_t) calm;   /* no more trouble */
	DISRUPTOR_ATOMIC(uint32_t) finish; /* producers: it is enough */
	DISRUPTOR_ATOMIC(uint32_t) over;   /* the rest: it is the end */
};

static inline bool is_set(DISRUPTOR_ATOMIC(uint32_t) * flag)
{
	return disruptor_load_acquire(flag) != 0;
}
static inline bool one_in(uint64_t *random, uint64_t n)
{
	return next_random(random) % n == 0;
}

/* Say what is wrong with which graph, print a diagnosis, and end the program with 1. */
void die(struct world *w, const char *format, ...)
#if defined(__GNUC__)
	__attribute__((format(printf, 2, 3), noreturn))
#endif
	;

/* ---- graph.c ---- */

/* Choose a graph by its seed; run it for about so long, and check it. */
void world_build(struct world *w, uint64_t seed, uint64_t run_ns);
void world_run(struct world *w);
struct disruptor_wait random_wait(uint64_t *random);

/* ---- stage.c ---- */

uint64_t sum_of(const struct load *e);
/* Check one event of a stream: whole, in its place, and its producer's next. */
void view_event(struct world *w, struct view *v, const struct load *e, uint64_t position,
		const char *who);
/* Make it the handler of @p n, whose kind and random state are set. */
void node_handler(struct node *n, const char *name);
/* The node has got its stage: give it a policy. */
void node_policy(struct node *n);
/* At the end: it has seen all that was sent. */
void node_check(struct node *n);

/* ---- load.c ---- */

void produce(void *worker);
void consume(void *worker);
void read_lossily(void *worker);
void take_latest(void *worker);
void reap_deferred(void *worker);
void drive(void *worker);
void random_stall(uint64_t *random);

#endif
