/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

/*
 * Inside the explorer: search.c decides who runs and which of several values is
 * read, over and over until all was tried; memory.c knows what may be read.
 */

#include "disruptor_model.h"
#include "model.h"

#include <stdio.h>

/* Threads of a run: the clients', and the first, which sets up and waits. */
#define EXPLORE_THREADS (MODEL_THREADS_MAX + 1)

/* A site made weaker than it is written. */
enum weaker {
	WEAKER_NONE,
	WEAKER_ACQUIRE, /* without its acquire half, of a failed compare and swap, too */
	WEAKER_RELEASE, /* without its release half */
	WEAKER_FAILURE, /* a failed compare and swap, relaxed */
	WEAKER_FENCE,   /* a sequentially consistent fence that is acquire and release alone */
	WEAKER_GONE,    /* a fence that is not there */
	WEAKER_KINDS
};
extern const char *const weaker_names[WEAKER_KINDS];

/* An ordered access that was made to a word which threads share. */
struct used_site {
	const char *file;
	unsigned line;
	unsigned kinds; /* a bit for each enum weaker that would make it weaker */
};

struct explore_options {
	unsigned bound;       /* preemptions */
	unsigned stale;       /* stores that a thread is late to see */
	unsigned spurious;    /* failures of weak compare and swaps for no reason */
	unsigned long random; /* so many executions at random instead; 0: all */
	unsigned long limit;  /* stop after so many executions, unfinished; 0: none */
	uint64_t seed;        /* of random */
	const char *replay;   /* the choices of one execution, as a failure prints them */
	bool trace;           /* print the failing execution */
	enum disruptor_rung rung;
	/* sites to make weaker */
	struct weak_site {
		enum weaker kind;
		const char *file;
		unsigned line;
	} weak[4];
};

struct explore_result {
	unsigned long executions; /* to their end */
	unsigned long same;       /* given up where another had been in the same state */
	unsigned long truncated;  /* given up at a limit of the explorer's: not proved */
	unsigned long states;
	unsigned long restarts; /* begun anew, with more words known to be shared */
	unsigned depth;         /* steps of the longest */
	bool complete;          /* nothing is left to try, within the bounds */
	bool failed;
	char failure[512];
	char replay[8192];
};

/* search.c */
struct explore_result explore(const struct model_client *client, const struct explore_options *o);
/* Whether the client's threads are at it, and not setup or finish. */
bool explore_is_on(void);
bool explore_traces(void);
const struct explore_options *explore_options(void);
/* One of 0 … n - 1; in the end each is tried. */
unsigned explore_choose(unsigned n);
/* The same, of which all but the first cost a preemption. */
unsigned explore_choose_preemption(unsigned n);
/* Whether a load may return another old value; that it does. */
bool explore_may_be_stale(void);
void explore_is_stale(void);
uint64_t explore_mix(uint64_t x);
/* The running thread has done something that makes its state, or others', another. */
void explore_event(uint64_t what, uint64_t with, uint64_t result);
void explore_event_of(unsigned thread, uint64_t what, uint64_t with, uint64_t result);
/* Give this execution up: a limit was met, or what is shared was not known at its beginning. */
_Noreturn void explore_truncate(void);
_Noreturn void explore_restart(void);
_Noreturn void explore_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* memory.c: what threads may read. */
void memory_begin(void);  /* an execution */
void memory_forget(void); /* all that was learnt of earlier ones */
bool memory_is_shared(const void *object);
/* Scheduler's functions, see virtual.h. */
void memory_release(const void *object);
void memory_acquire(const void *object);
void memory_barrier(void);
void memory_end(void);
void memory_turn(const void *object);
uint32_t memory_load_now(const void *word);
/* The running thread looked in vain; whether there is anything new for that thread since. */
void memory_looked(void);
bool memory_has_news(unsigned thread);
void memory_take_news(unsigned thread);
/* A plain access of the library's; @p caller is the instruction behind it. */
void memory_plain(const void *p, bool writes, const void *caller);
/* Memory that nobody is to use any more in this execution. */
void memory_gone(const void *base, size_t size);
/* A number for it that is the same in each execution. */
unsigned memory_number(const void *object);
uint64_t memory_number_of_fences(void);
const struct used_site *memory_sites(size_t *count);

#endif
