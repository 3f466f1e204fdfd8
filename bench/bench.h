/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/*
 * The words of the benchmarks, and how they hang together.
 *
 * A *subject* carries events from one thread to another: the library, what
 * people use instead, or a limit: bare code that does the least that must be
 * done. A *scenario* is a load, with its subjects as *entries* of a table. It
 * is run in *rounds*, each of which takes one *sample* of every entry in turn,
 * A B C A B C, so that a drifting machine hits all alike. What comes out is a
 * *result*: per entry a *row* of medians, and of ratios taken round by round.
 *
 *	subject_*.c limit_*.c   the subjects; loop.h holds the loops they share
 *	scenario_*.c            the loads; scenario.c lists them
 *	measure.c               rounds, medians, ratios, noise, verdict
 *	report.c report_json.c machine.c progress.c    what is printed
 *	save.c baseline.c       what is kept of a run, and compared with a later one
 *	support.c               threads on cores, memory, failing
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <disruptor/disruptor.h>

enum { BENCH_ENTRIES = 16, BENCH_ROUNDS = 999, BENCH_CPUS = 2 };

/* ---- Subjects ---- */

/** What an entry is run with. */
struct bench_params {
	uint64_t events;      /* timed ones in a sample */
	uint64_t capacity;    /* slots */
	uint32_t event_bytes; /* a multiple of 8 */
	uint32_t batch;       /* events a publish */
	uint32_t work;        /* steps of arithmetic that the producer does for each event */
	enum disruptor_layout layout;
	enum disruptor_rung rung;
	struct disruptor_wait wait;
	int cpus[BENCH_CPUS];
};

/** What one thread is to do, and what it saw. It may be handed on, phase by phase. */
struct bench_task {
	uint64_t events; /* to do; a multiple of `batch` */
	uint32_t bytes;
	uint32_t batch;
	uint32_t work;
	uint64_t value;   /* the last event's; without work they count up from 1 */
	uint64_t sum;     /* of the values sent (with work) or received */
	uint64_t torn;    /* not 0: an event's words disagreed */
	uint64_t batches; /* received */
	uint64_t looks;   /* how often the lag was looked at … */
	uint64_t lag;     /* … and the sum of what was seen */
};

/** A way to carry events from one thread to another. What it cannot do is NULL. */
struct bench_subject {
	const char *name;
	const char *waits; /* how both sides wait; NULL: by the wait strategy of the parameters */
	void *(*open)(const struct bench_params *params);
	void (*close)(void *channel);
	/** Send, or receive, the task's events. */
	void (*produce)(void *channel, struct bench_task *task);
	void (*consume)(void *channel, struct bench_task *task);
	/** Send each event on channel 0 and await it on channel 1; or send each back. */
	void (*serve)(void *const *channels, struct bench_task *task);
	void (*answer)(void *const *channels, struct bench_task *task);
	/** Which rung of the wait/notify ladder it stands on; NULL if it knows of none. */
	const char *(*rung)(void *channel);
};

extern const struct bench_subject limit_line, limit_store, limit_cursor, limit_packed;
extern const struct bench_subject subject_disruptor, subject_mutex, subject_pipe;

/* ---- Scenarios ---- */

enum bench_role {
	BENCH_PLAIN = 0,
	BENCH_LIMIT, /* the one that ratios are taken against */
	BENCH_MAIN,  /* the one that the bar is for */
	BENCH_AGAIN  /* the same once more: the A/A pair */
};

/** A graph of stages to stream through: scenario_graph.c. */
struct bench_graph;

/** One line of a scenario's table. */
struct bench_entry {
	const struct bench_subject *subject;
	const char *name; /* NULL: the subject's */
	enum bench_role role;
	enum disruptor_wait_kind wait; /* DISRUPTOR_WAIT_DEFAULT: the parameters' */
	enum disruptor_layout layout;
	double bar;                      /* its own, of its ratio; 0: only the main one has one */
	const struct bench_graph *graph; /* NULL: not of the graphs */
};

/** What one run of an entry gave. */
struct bench_sample {
	double value;   /* in the scenario's unit */
	double seconds; /* timed */
	double batch;   /* mean events a look of the consumer; 0: not known */
	double lag;     /* mean events behind the producer at a look; 0: not known */
	double work;    /* ns of the producer's own work an event; 0: none */
	const char *rung;
	uint32_t stages;  /* of a graph, else 0 … */
	uint32_t threads; /* … and how many threads ran them */
};

enum bench_better { BENCH_LESS = 0, BENCH_MORE };

struct bench_scenario {
	const char *name;
	const char *what;
	const char *unit;
	enum bench_better better;
	double bar;      /* of the ratio, or where there is no limit of the value; 0: none */
	bool threads;    /* needs two processors */
	unsigned rounds; /* at most; 0: as asked */
	double seconds;  /* a sample's length; 0: as asked, by calibrating the number of events */
	struct bench_params defaults;
	struct bench_entry entries[BENCH_ENTRIES]; /* up to the first without a subject */
	/** Why it cannot be measured with this library; NULL: it can. May be NULL itself. */
	const char *(*unavailable)(void);
	/** Complete the parameters that hold for all entries; may be NULL. */
	void (*prepare)(struct bench_params *params);
	void (*sample)(const struct bench_entry *entry, const struct bench_params *params,
		       struct bench_sample *sample);
};

/** All scenarios, up to NULL. */
extern const struct bench_scenario *const bench_scenarios[];
extern const struct bench_scenario scenario_pingpong, scenario_unicast, scenario_batch,
	scenario_blocking, scenario_keepup, scenario_graph, scenario_shared, scenario_stats,
	scenario_wide, scenario_waiting, scenario_idle;

/** What streaming through a channel took: scenario_stream.c. */
struct bench_stream {
	double alone; /* ns: the producer's work without publishing */
	double sent;  /* ns: until the producer was done */
	double total; /* ns: until the consumer was done */
	double batch; /* mean events a look */
	double lag;   /* mean events behind the producer */
	const char *rung;
};

/** Stream events from a thread on the first CPU to one on the second; check what arrives. */
void bench_stream(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_stream *stream);

/* ---- Measuring ---- */

/** What the user asked for; zero means the scenario's own. */
struct bench_options {
	uint64_t events;
	uint64_t capacity;
	uint32_t event_bytes;
	unsigned rounds;
	enum disruptor_wait_kind wait;
	enum disruptor_rung rung;
	int cpus[BENCH_CPUS];
	unsigned cpu_count; /* 1: no two to be had */
	bool quick;
};

struct bench_range {
	double min, median, max;
};

enum bench_verdict { BENCH_NO_BAR = 0, BENCH_MET, BENCH_NOT_MET, BENCH_WITHIN_NOISE };

struct bench_row {
	const struct bench_entry *entry;
	struct bench_params params;
	struct bench_sample sample[BENCH_ROUNDS];
	struct bench_range value;
	struct bench_range ratio; /* to the limit's sample of the same round; NAN if there is none */
	double batch, lag, work;  /* medians */
	const char *rung;
	double bar; /* 0: none, or it does not hold for these parameters */
	enum bench_verdict verdict;
};

struct bench_result {
	const struct bench_scenario *scenario;
	unsigned rounds;
	size_t count;
	struct bench_row row[BENCH_ENTRIES];
	const struct bench_row *limit, *main, *again; /* NULL: the scenario has none */
	struct bench_range pair;                      /* the A/A pair's ratios */
	uint64_t switches; /* times that a thread of ours was put off its CPU for another's */
	double noise;      /* a factor: medians that differ by less are not told apart */
};

/** Run a scenario. The result is to be freed by free(). */
struct bench_result *bench_run(const struct bench_scenario *scenario,
			       const struct bench_options *options);

/** How long that will take, in seconds. */
double bench_expected(const struct bench_scenario *scenario, const struct bench_options *options);

/** An entry's name in its table. */
const char *bench_entry_name(const struct bench_entry *entry);

/** "MET", "NOT MET", "WITHIN NOISE"; NULL if there is no bar. */
const char *bench_verdict_name(enum bench_verdict verdict);

/** Whether a row's ratio cannot be told from 1. */
bool bench_within_noise(const struct bench_result *result, const struct bench_row *row);

/* ---- Reporting ---- */

struct bench_machine {
	char cpu[128];
	char kernel[160];
	char compiler[96];
	char governor[32];
	const char *flags;
	const char *commit;
	const char *version;
	int cores; /* this process may run on */
};

void bench_machine(struct bench_machine *machine);
/** For people: the machine once, and a table for each scenario. */
void bench_report_machine(FILE *out, const struct bench_machine *machine);
void bench_report_table(FILE *out, const struct bench_result *result);
/** For programs: one JSON object a line, each complete in itself. */
void bench_report_json(FILE *out, const struct bench_result *result,
		       const struct bench_machine *machine);
/** A scenario that this machine cannot run, and why. */
void bench_report_skip(FILE *out, const struct bench_scenario *scenario, const char *why);
void bench_report_skip_json(FILE *out, const struct bench_scenario *scenario, const char *why,
			    const struct bench_machine *machine);

struct json_t;

/** One line of that, a new reference. */
struct json_t *bench_row_object(const struct bench_result *result, const struct bench_row *row,
				const struct bench_machine *machine);

/** A file of JSON lines that appears when all are written. */
struct bench_save {
	FILE *lines; /* write them here */
	const char *path;
	char *text; /* what was written */
	size_t size;
};

/** Answers 0 or an errno: the file could not be written at the end either. */
int bench_save_begin(struct bench_save *save, const char *path);
/** Put the file in its place, whole, or leave what is there. Answers 0 or an errno. */
int bench_save_end(struct bench_save *save);

/** An earlier run: the lines of a file that --save wrote. */
struct bench_baseline;

/** NULL: @p error tells what is wrong with the file, and in which line. */
struct bench_baseline *bench_baseline_read(const char *path, char *error, size_t size);
void bench_baseline_free(struct bench_baseline *baseline);
/** Say what is much worse than it was on this machine, and what cannot be compared. */
void bench_baseline_report(FILE *out, const struct bench_baseline *baseline,
			   const struct bench_result *result, const struct bench_machine *machine);

/** The progress line, on a terminal's stderr: @p seconds is what all will take. */
void bench_progress_begin(double seconds);
/** Now in this round (0: calibrating) of this entry; @p seconds of the expected are behind us. */
void bench_progress(const struct bench_scenario *scenario, const struct bench_entry *entry,
		    unsigned round, unsigned rounds, double seconds);
/** Take the line away, as something else is printed. */
void bench_progress_clear(void);

/* ---- Support ---- */

#if defined(__GNUC__)
#define BENCH_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define BENCH_PRINTF(text, first)
#endif

/** Say what failed on stderr and end the program with 1. Threads: any. */
_Noreturn void bench_fail(const char *format, ...) BENCH_PRINTF(1, 2);

/** Zeroed and touched memory that begins a page; fails the program if there is none. */
void *bench_alloc(size_t size);

/** Two or more threads come together: each spins until all have come. */
struct bench_meeting {
	_Atomic(unsigned) arrived;
	unsigned parties;
};

void bench_meet(struct bench_meeting *meeting);

/** Run @p count sides at once, each in a thread of its own on its CPU; return when all have. */
void bench_run_sides(unsigned count, const int *cpus, void (*const *sides)(void *context),
		     void *context);

/** Run @p run in a thread that may be on any of @p count CPUs, and so may those that it makes. */
void bench_run_within(unsigned count, const int *cpus, void (*run)(void *context), void *context);

/** The CPUs this process may run on, at most @p max of them; how many it wrote. */
unsigned bench_cpus(int *cpus, unsigned max);

#endif
