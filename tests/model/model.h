/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

/*
 * What a model client is: a few threads that meet on one edge of the library, and
 * what must hold. The same client runs under the explorer (explore/), which tries
 * what the memory model allows, and on real threads (native/).
 */

#include <disruptor/disruptor.h>

#include <stdbool.h>

#define MODEL_THREADS_MAX 4

struct model_client {
	const char *name;
	const char *about; /* the edges it is for */
	/* All is set up by one thread, before the others begin; what it leaves in memory is theirs. */
	void (*setup)(void);
	void (*threads[MODEL_THREADS_MAX])(void);
	/* When all have ended: what must hold then; closes what setup opened. May be NULL. */
	void (*finish)(void);
	/* Whether it is run on each rung of the wait ladder. */
	bool rungs;
	/* What CI explores it up to: preemptions, and stores that are seen late; 0: 2. */
	unsigned bound, stale;
};

/* The rung to create rings on. */
enum disruptor_rung model_rung(void);

/* It must hold, in every execution. */
#define model_assert(condition)                                                                    \
	((condition) ? (void)0 : model_failed(#condition, __FILE__, (unsigned)__LINE__))
void model_failed(const char *what, const char *file, unsigned line);

/* Look again, but let others come first: the body of a loop that waits for another thread. */
void model_pause(void);
/* A number of 0 … n - 1: the explorer tries each. */
unsigned model_any(unsigned n);

/*
 * Plain accesses to what threads hand to each other, e.g. an event's bytes. Of two by different
 * threads, one of them a write, one must happen before the other.
 */
#define model_read(p) (model_reads((p), sizeof(*(p)), #p, __FILE__, (unsigned)__LINE__), *(p))
#define model_write(p, v)                                                                          \
	(model_writes((p), sizeof(*(p)), #p, __FILE__, (unsigned)__LINE__), (void)(*(p) = (v)))
void model_reads(const void *p, size_t size, const char *text, const char *file, unsigned line);
void model_writes(const void *p, size_t size, const char *text, const char *file, unsigned line);

/* Memory for rings and the like, the same in each execution; nothing is to use it once released. */
struct disruptor_allocator model_allocator(void);

/* ---- what most clients begin with ---- */

struct tick {
	uint64_t value;
};
DISRUPTOR_EVENT(tick, struct tick, DISRUPTOR_U64(struct tick, value));

/* Options of a ring of @p capacity slots with few tables, whose waits go to sleep at once. */
struct disruptor_options model_options(uint64_t capacity);
/* Create it; the client fails with the library's detail if there is none. */
struct disruptor_ring *model_ring(const struct disruptor_options *options);
/* What the library returned is 0, or the client fails with its detail. */
#define model_ok(rc) model_check((rc), #rc, __FILE__, (unsigned)__LINE__)
void model_check(int rc, const char *what, const char *file, unsigned line);

/* The calling thread is the producer's owner from now on. */
void model_own(struct tick_producer *p);
/* Claim, write position + 1, publish: @p n events, each by itself; waits by the producer's policy. */
void model_produce(struct tick_producer *p, uint64_t n);
/* The same, but looks for room and never sleeps. */
void model_produce_busy(struct tick_producer *p, uint64_t n);
/* Wait, check that each event that is ready has its position + 1, release them. As ready_until(). */
int64_t model_consume(struct tick_consumer *c);
/* Until @p end is released; looks, and never sleeps. */
void model_consume_busy(struct tick_consumer *c, uint64_t end);
/* Until @p end is released. */
void model_consume_to(struct tick_consumer *c, uint64_t end);

/* All clients; the last is NULL. */
extern const struct model_client *const model_clients[];

#endif
