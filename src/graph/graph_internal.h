/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_GRAPH_INTERNAL_H
#define GRAPH_GRAPH_INTERNAL_H

#include "os/os.h"
#include "ring/consumer.h"
#include "ring/group.h"
#include "ring/hold.h"

#include <disruptor/executor.h>
#include <disruptor/graph.h>
#include <disruptor/stats.h>

/* Fields of the event, a bit each in the order of the schema; or all of it. */
struct access_set {
	bool all;
	uint64_t *fields;
};

#define STAGE_NOWHERE UINT64_MAX

/* How often the same thing has failed in a row. */
struct stage_attempts {
	const char *hook;  /* which … */
	uint64_t position; /* … and where: the event, or of rewinds the batch's first */
	uint64_t count;
	bool of_batch;    /* the last one concerned the batch, not the event alone */
	uint64_t give_up; /* the event to skip once those before it are done, or STAGE_NOWHERE */
};

/*
 * What a stage counts, once for each batch; written by the thread that runs it and apart from
 * all else, so that readers slow down this line and no other.
 */
struct stage_figures {
	char apart_before[DISRUPTOR_APART];
	atomic_word events, batches, batch_max;
	atomic_word lag_max;
	/* in the ring's table, where other processes look: os_now_coarse() as the last batch began */
	atomic_word *batch_at;
	uint64_t unseen; /* the owner's: what has passed since it looked how much waits */
	bool off;        /* fixed */
	char apart_behind[DISRUPTOR_APART];
};

/* What was seen when somebody last looked at the whole, for what no clock is read elsewhere. */
struct graph_seen {
	uint64_t published; /* everything before it was published */
	uint64_t since;     /* since when it has been met as the first unpublished, or 0 */
};

struct watched {
	uint64_t position;
	uint64_t since; /* it has not moved, and has had work to do; 0: neither */
	uint64_t due;   /* tell once it has lasted so long */
};

/* The watchdog; see watchdog.c. */
struct watch {
	struct disruptor_watchdog ask; /* `stalled` is NULL: there is to be none */
	struct os_thread thread;
	uint64_t thread_id; /* of its thread, while there is one */
	bool made, leaving, quit;
	struct watched claim;
	struct watched gates[DISRUPTOR_MAX_CONSUMERS];
};

struct disruptor_stage {
	struct disruptor *owner;
	struct disruptor_handler handler; /* its name and cpus point to the copies below */
	struct disruptor_consumer consumer;
	/* the handler's, or what a checked run puts in its place; fixed during a run */
	int (*on_event)(void *context, void *event, uint64_t position, int last);
	void *event_context;
	struct stage_check *check; /* of a checked run */
	bool in_conflict;          /* what on_event has just answered is a checked run's answer */
	DISRUPTOR_ATOMIC(uint32_t) running; /* a run is in progress */
	/* of the thread that runs it; others read the counters */
	atomic_word skipped, retries, rewinds;
	struct stage_attempts attempts;
	struct ring_hold hold;
	uint64_t idle_at; /* on a shared thread: when on_idle is due; 0 while it moves */
	uint64_t linger_at; /* on a shared thread: when too small a batch is not waited for any more */
	int result;         /* of its run */
	struct graph_pool *pool; /* that it stands for, or is a worker of; fixed once added */
	uint32_t pool_index;
	bool is_head;   /* it stands for a pool, and nobody runs it */
	bool retired;   /* a pool's worker that was detached: nobody runs it any more */
	uint64_t moved; /* positions that its last step has passed */
	bool failed_to_start;
	bool attaching; /* its on_start concerns nobody but who attaches it */
	/* the rest under the owner's monitor */
	bool used;
	bool reported;   /* its on_start is done, or has failed */
	uint32_t worker; /* which runs it */
	uint32_t placed; /* which is to run it, or WORKER_NONE */
	struct disruptor_policy policy;
	char name[32];
	char cpus[64];
	bool resumed; /* it is to go on in the place of one that died, and has not begun */
	struct access_set reads, writes; /* fixed once added */
	bool declared;                   /* neither is a guess */
	struct stage_figures figures;
};

#define WORKER_NONE UINT32_MAX

/* A thread that runs stages; or, if the caller drives them, what it would be. */
struct graph_worker {
	struct disruptor *owner;
	struct os_thread thread;
	/* its stages, d->order[first] and on; fixed while it runs */
	uint32_t first, count;
	uint32_t live; /* those whose run has not ended; the worker's own */
	uint32_t spins;
	struct consumer_group group; /* of several stages; members lie parallel to the order */
	bool opened;
	bool attached; /* its stage came while others ran: it is none of the executor's threads */
	int cancel_before; /* the driving thread's cancellation, to be put back */
	/* under the owner's monitor */
	bool made;          /* the thread, and it is not yet joined */
	bool leaving;       /* somebody joins it at this moment */
	uint64_t thread_id; /* while it runs stages */
	/* how it is to be */
	struct disruptor_thread plan;
	char name[32];
	char cpus[64];
};

struct graph_pool;

struct disruptor {
	struct disruptor_ring *ring;
	bool borrows; /* the ring is the caller's: neither opened, closed nor destroyed here */
	struct disruptor_allocator allocator;
	size_t bytes;
	bool trusts_handlers;
	struct graph_checks *checks; /* NULL: none were set */
	struct checked_run *checked; /* NULL: runs are ordinary ones */
	struct os_monitor monitor;   /* of all that follows */
	enum disruptor_state state;
	bool active;      /* started, and not yet joined */
	bool driven;      /* by the caller, not by threads of ours */
	bool driving;     /* some thread drives at this moment */
	uint32_t alive;   /* workers whose stages' runs have not all ended */
	uint64_t starts;  /* tells one run from the next */
	uint32_t leavers; /* calls that detach a stage at this moment: no run begins meanwhile */
	struct disruptor_failure failure;
	char failed_stage[32]; /* another process's, which it names */
	bool counts;           /* fixed: no DISRUPTOR_NO_STATS */
	struct graph_seen seen;
	struct watch watch;
	struct graph_pool *pools;
	uint32_t stage_count;
	uint32_t stage_max;
	/* the executor: see executor_map() */
	struct disruptor_executor executor;
	uint32_t worker_count;
	struct graph_worker *workers;   /* stage_max */
	struct disruptor_stage **order; /* by worker, and within it by the graph */
	struct group_member *members;   /* parallel to order */
	struct disruptor_stage stages[];
};

/* The stages that there are, in a loop: for_each_stage (s, d). */
static inline struct disruptor_stage *next_stage(struct disruptor *d, struct disruptor_stage *s)
{
	while (s < &d->stages[d->stage_count] && !s->used)
		s++;
	return s < &d->stages[d->stage_count] ? s : NULL;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): s is a name that it declares */
#define for_each_stage(s, d)                                                                       \
	for (struct disruptor_stage *s = next_stage(d, (d)->stages); s; s = next_stage(d, s + 1))
/* NOLINTEND(bugprone-macro-parentheses) */

/* What @p s declares, @p to declares, too. */
void check_join(struct disruptor_stage *to, const struct disruptor_stage *s);
/* A stage that threads run. */
static inline bool is_unit(const struct disruptor_stage *s)
{
	return !s->is_head && !s->retired;
}

/* One of those that share a pool's events; the pool's head stands for it in the order. */
static inline bool is_worker(const struct disruptor_stage *s)
{
	return s->pool && !s->is_head;
}

/* E_STATE unless stages and their order may be changed without attaching. Monitor held. */
int graph_may_change(struct disruptor *d);
/* The handler is the stage's from now on; its strings are copied. */
void graph_set_handler(struct disruptor_stage *s, const struct disruptor_handler *handler);
/* Whether a stage may join now; a code with its detail set. Monitor held. */
int attach_allowed(const struct disruptor *d);
/* The first run of a stage that joins begins, if the others' has; likewise. */
int attach_begin(struct disruptor_stage *s);
/* The caller's handler as this library knows it, checked. */
int graph_copy_handler(struct disruptor_handler *known, const struct disruptor_handler *given);
/* The stage leaves the ring; a place that it has taken up, and not begun to use, stays. */
void graph_leave_ring(struct disruptor_stage *s);
/* E_UNSUPPORTED if other processes may have stages there, too: @p what is for all of an order. */
int graph_must_own(const struct disruptor *d, const char *what);
/* A new stage, whose consumer is opened with @p options; NULL with the detail set. Monitor held. */
struct disruptor_stage *graph_add(struct disruptor *d, const struct disruptor_handler *handler,
				  struct disruptor_consumer_options *options);
/* Whether the calling thread runs stages. Monitor held. */
bool graph_is_own_thread(const struct disruptor *d);
/* The disruptor's allocator, or malloc(3); zeroed. */
void *graph_allocate(const struct disruptor_allocator *a, size_t bytes);
void graph_release(const struct disruptor_allocator *a, void *memory, size_t bytes);
/* Take note of a failure, the first one, and make everyone return. */
void graph_fail(struct disruptor *d, const struct disruptor_failure *failure);
/* A stage was told that the ring has failed: if that was none of ours, take note of it. */
void graph_hear_failure(struct disruptor *d);
/* A thread's stage has done its on_start (or could not). */
void graph_report(struct disruptor_stage *s);
/*
 * What is to be done about @p failure, by the policy of @p s: FAIL, SKIP, RETRY or REWIND. A
 * failure of code 0 is a verdict that asks for @p wanted. Counts the attempt, and pauses if there
 * is to be another. @p batch is the first position of the batch in hand, STAGE_NOWHERE if a hook
 * failed. A REWIND with attempts.give_up set is the last: it is to end before that event.
 */
enum disruptor_remedy policy_remedy(struct disruptor_stage *s,
				    const struct disruptor_failure *failure,
				    enum disruptor_remedy wanted, uint64_t batch);

/* ---- a run, in parts (stage.c) ---- */

enum stage_progress { STAGE_IDLE = 0, STAGE_MOVED = 1, STAGE_ENDED = 2 };

/* Nobody else runs it from now on; false if somebody does. */
bool stage_take(struct disruptor_stage *s);
/* on_start, and report it. STAGE_ENDED if it failed. */
enum stage_progress stage_begin(struct disruptor_stage *s);
/* Handle what is ready, at most @p most events of it; never waits. The result is in s->result. */
enum stage_progress stage_step(struct disruptor_stage *s, uint64_t most);
/* Its wait strategy's timeout has passed without an event. */
enum stage_progress stage_idle(struct disruptor_stage *s);
/* The run is over: on_stop, pop its hold, and others may run it. Its result. */
int stage_finish(struct disruptor_stage *s);
/* All of a run, waiting as the stage asks; it has been taken. Its result. */
int stage_run(struct disruptor_stage *s);
/* It has been taken, and does not run after all: others may. */
void stage_give_back(struct disruptor_stage *s);
/* Waiting failed with @p code: the ring has failed. */
void stage_wait_failed(struct disruptor_stage *s, int code);

/* ---- threads (executor.c, worker.c) ---- */

/* Tell each stage its worker, and each worker its stages. Codes as disruptor_start(). */
int executor_map(struct disruptor *d);
/* How @p w 's thread is to be. */
struct os_thread_plan executor_plan(const struct graph_worker *w);
/* A thread for @p w; a code with its detail set. Monitor held. */
int worker_make_thread(struct graph_worker *w);
/* Run one stage more, which has been taken, in the worker of a driven disruptor. Monitor held. */
void worker_add(struct graph_worker *w, struct disruptor_stage *s);
/* Get ready to run, and take its stages: E_STATE or E_NOMEM with its detail set. */
int worker_open(struct graph_worker *w);
/* The opposite; @p ran: its stages' runs have begun, and ended. Nothing if it is not open. */
void worker_close(struct graph_worker *w, bool ran);
/* What a worker's thread runs. */
void *worker_thread(void *worker);
/* The runs of its stages begin. */
void worker_begin(struct graph_worker *w);
/* One round over its stages, or a part: at most @p budget events; how many, and whether any moved. */
uint64_t worker_round(struct graph_worker *w, uint64_t budget, bool *moved);
/* Wait until a stage can go on, or the deadline. False if the deadline has passed. */
bool worker_wait(struct graph_worker *w, uint64_t deadline);
/* The calling thread runs its stages, so it must not wait for them; and no longer. */
void worker_enter(struct graph_worker *w);
void worker_leave(struct graph_worker *w);
/* The same until @p s has ended. Monitor held. */
void poll_until_ended(struct disruptor *d, const struct disruptor_stage *s, uint64_t deadline);
/* Drive a disruptor whose caller does until all has ended or the deadline. Monitor held. */
void poll_to_end(struct disruptor *d, uint64_t deadline);

#endif
