/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

/*
 * What carries events from threads to threads, as a benchmark sees it: the
 * library, a limit, or a peer. Valid in C11 and in C++20, in which some peers
 * are written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <disruptor/disruptor.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_CPUS = 2, BENCH_PRODUCERS = 8, BENCH_CONSUMERS = 32 };

/** What an entry is run with. */
struct bench_params {
	uint64_t events;      /* timed ones in a sample, of all producers */
	uint64_t capacity;    /* slots */
	uint32_t event_bytes; /* a multiple of 8 */
	uint32_t batch;       /* events a publish */
	uint32_t work;        /* steps of arithmetic that the producer does for each event */
	uint32_t producers;   /* threads that send, at least one */
	uint32_t consumers;   /* threads that receive, each of them every event; at least one */
	enum disruptor_layout layout;
	enum disruptor_rung rung;
	struct disruptor_wait wait;
	int cpus[BENCH_CPUS];
};

/** Times, counted: histogram.h. */
struct bench_histogram;

/** When events are due that come in bursts, and where to record how late each is read. */
struct bench_schedule {
	uint64_t first;  /* the last value before the first of them */
	uint64_t start;  /* ns: when the first burst is due … */
	uint64_t period; /* … and how much later the next */
	uint64_t burst;  /* events */
	struct bench_histogram *times;
};

/**
 * What one thread is to do, and what it saw. It may be handed on, phase by phase.
 *
 * Values. One producer without work sends 1, 2, 3 …; with work what comes of it. Of several, each
 * sends 1, 2, 3 … with its index above bit 48, and each consumer sees that they come in that order.
 */
struct bench_task {
	uint64_t events; /* to do; a multiple of `batch` */
	uint32_t index;  /* which of the producers, or of the consumers, this is */
	uint32_t producers;
	uint32_t bytes;
	uint32_t batch;
	uint32_t work;
	uint64_t value;                 /* sent: the last event's */
	uint64_t sum;                   /* of the values sent (with work) or received */
	uint64_t torn;                  /* not 0: an event's words disagreed */
	uint64_t wrong;                 /* not 0: a producer's events came out of order */
	uint64_t seen[BENCH_PRODUCERS]; /* received: how many of each; of several producers */
	uint64_t batches;               /* received */
	uint64_t looks;                 /* how often the lag was looked at … */
	uint64_t lag;                   /* … and the sum of what was seen */
	uint64_t *took; /* serving: how long each round trip took, ns; NULL: not told */
	uint64_t pause; /* ns to pass before each is sent (told of by `took`), or answered; 0: none */
	const struct bench_schedule *schedule; /* receiving: when they were due; NULL: not told */
};

/** What threads used up. */
struct bench_usage {
	double cpu_ns;
	double voluntary;   /* switches: they went to sleep, or yielded */
	double involuntary; /* they were put off their CPU for others */
};

/** What one run of an entry gave. */
struct bench_sample {
	double value;   /* in the scenario's unit; NAN: this run does not count */
	double seconds; /* timed */
	double batch;   /* mean events a look of the consumer; 0: not known */
	double lag;     /* mean events behind the producer at a look; 0: not known */
	double work;    /* ns of the producer's own work an event; 0: none */
	const char *rung;
	uint32_t stages;          /* of a graph, else 0 … */
	uint32_t threads;         /* … and how many threads ran them */
	double events;            /* that `usage` is about; 0: it is not known */
	struct bench_usage usage; /* of all threads in the timed part */
	bool crowded;    /* its threads put each other off their CPUs: they are more, or yield */
	double sleeps;   /* of those that wait, as the subject counts; below 0: not known */
	double resident; /* bytes of memory that the channels take; 0: not known */
	double slept;    /* part of the hops that ended a sleep; 0: not told */
	double line; /* ns a bare line took to and fro beside it; NAN: it changed; 0: not measured */
	struct bench_histogram *latency; /* where to record times; NULL: nowhere */
};

/** A way to carry events from threads to threads. What it cannot do is NULL. */
struct bench_subject {
	const char *name;
	const char *waits; /* how both sides wait; NULL: by the wait strategy of the parameters */
	void *(*open)(const struct bench_params *params);
	void (*close)(void *channel);
	/** Send, or receive, the task's events. Threads: one for each index. */
	void (*produce)(void *channel, struct bench_task *task);
	void (*consume)(void *channel, struct bench_task *task);
	/** Send each event on channel 0 and await it on channel 1, or send each back; or with `one`
	 * await on channel 0 itself that the other has released it. */
	void (*serve)(void *const *channels, struct bench_task *task);
	void (*answer)(void *const *channels, struct bench_task *task);
	bool one;
	/** Which rung of the wait/notify ladder it stands on; NULL if it knows of none. */
	const char *(*rung)(void *channel);
	/** How often who uses it has slept in the kernel. NULL if it does not count. */
	uint64_t (*sleeps)(void *channel);
	/**
	 * Instead of all these: take one sample of the scenario of that name. For what runs in a
	 * process of its own, where this library's loops cannot go.
	 */
	void (*run)(const char *scenario, const struct bench_params *params,
		    struct bench_sample *sample);
};

/** What one would use instead, made by others. Where its package is missing it is not built. */
struct bench_peer {
	const char *name;
	const char *package; /* Debian's, that brings it */
	const char *config;  /* how it is used here: the best that its documentation knows */
	const struct bench_subject *subject; /* NULL: not built */
	const char *const *scenarios;        /* the names of those that suit it, up to NULL */
	uint32_t producers, consumers;       /* at most; 0: one */
	uint32_t event_bytes;                /* at most; 0: any */
	bool sized;                          /* compiled for events of a power of two bytes only */
	bool unordered;                      /* only the events of one producer keep their order */
	bool unbounded;                      /* a list, which its user keeps in bounds */
};

/** Say what failed on stderr and end the program with 1. Threads: any. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void bench_fail(const char *format, ...);

/** What the system says of an error's number; the thread's, until it asks again. Threads: any. */
const char *bench_error_text(int error);

/** Zeroed and touched memory that begins a page; fails the program if there is none. free() it. */
void *bench_alloc(size_t size);

#ifdef __cplusplus
}
#endif

#endif
