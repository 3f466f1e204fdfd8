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
 *	subject.h               what a subject is, for C and for C++
 *	subject_*.c limit_*.c   the subjects; loop.h holds the loops they share
 *	peers/                  what others have made, where it is installed; peers.c lists it
 *	scenario_*.c            the loads; scenario.c lists them
 *	measure.c               rounds, medians, ratios, noise, verdict
 *	report.c report_json.c report_peers.c machine.c progress.c    what is printed
 *	save.c baseline.c       what is kept of a run, and compared with a later one
 *	support.c               threads on cores, memory, failing
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "subject.h"

enum { BENCH_ENTRIES = 32, BENCH_ROUNDS = 999, BENCH_BARS = 8, BENCH_POINTS = 16 };

/* ---- Subjects ---- */

extern const struct bench_subject limit_line, limit_store, limit_cursor, limit_packed;
extern const struct bench_subject subject_disruptor, subject_mutex, subject_pipe, subject_socket;

/** All that this program knows of, built or not, up to one without a name. */
extern const struct bench_peer *const bench_peers[];

/* ---- Scenarios ---- */

enum bench_role {
	BENCH_PLAIN = 0,
	BENCH_LIMIT, /* the one that ratios are taken against */
	BENCH_MAIN,  /* the library as the scenario is meant */
	BENCH_AGAIN, /* the same once more: the A/A pair */
	BENCH_PEER   /* what one would use instead */
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
	const struct bench_graph *graph; /* NULL: not of the graphs */
	const struct bench_peer *peer;   /* NULL: none */
};

/** Parameters that a scenario is run with in turn, a table for each. Zero: the default. */
struct bench_point {
	const char *label; /* "64 B"; NULL: the end of the list */
	uint32_t event_bytes;
	uint64_t capacity;
	uint32_t producers;
	uint32_t consumers;
};

/** What an entry is compared with by a bar, other than by its name. */
#define BENCH_BEST_PEER "the best peer"
#define BENCH_BEST_ORDERED "the best ordered peer"

/** What is hoped for: the ratio of one entry to another, or if it is to none its value. */
struct bench_bar {
	double bar;          /* 0: the end of the list */
	const char *entry;   /* NULL: the main one */
	const char *against; /* another entry, a best peer; NULL: nothing, the value counts */
	const char *at;      /* the point that it holds for; NULL: all */
};

enum bench_better { BENCH_LESS = 0, BENCH_MORE };

struct bench_scenario {
	const char *name;
	const char *what;
	const char *unit;
	enum bench_better better;
	struct bench_bar bars[BENCH_BARS];
	bool threads;    /* needs two processors */
	unsigned rounds; /* at most; 0: as asked */
	double seconds;  /* a sample's length; 0: as asked, by calibrating the number of events */
	struct bench_params defaults;
	const struct bench_point *points;          /* NULL: only the defaults */
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
	double events; /* timed: as asked for, or less what does not go evenly among producers */
	double alone;  /* ns: the producer's work without publishing */
	double sent;   /* ns: until the producer was done */
	double total;  /* ns: until the consumer was done */
	double batch;  /* mean events a look */
	double lag;    /* mean events behind the producer */
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

enum bench_verdict {
	BENCH_NO_BAR = 0,
	BENCH_MET,
	BENCH_NOT_MET,
	BENCH_WITHIN_NOISE,
	BENCH_NOT_COUNTED /* not all peers that suit the scenario ran */
};

struct bench_row {
	struct bench_entry entry;
	struct bench_params params;
	struct bench_sample sample[BENCH_ROUNDS];
	struct bench_range value;
	struct bench_range ratio; /* to the limit's sample of the same round; NAN if there is none */
	double batch, lag, work;  /* medians */
	const char *rung;
};

/** A bar, and what came of it. */
struct bench_judgement {
	const struct bench_bar *bar;
	const struct bench_row *row;
	const struct bench_row *against; /* NULL: the value counts */
	struct bench_range got;
	enum bench_verdict verdict;
};

struct bench_result {
	const struct bench_scenario *scenario;
	const char *point; /* NULL: the scenario has none */
	unsigned rounds;
	size_t count;
	struct bench_row row[BENCH_ENTRIES];
	const struct bench_row *limit, *main, *again; /* NULL: the scenario has none */
	struct bench_range pair;                      /* the A/A pair's ratios */
	uint64_t switches; /* times that a thread of ours was put off its CPU for another's */
	double noise;      /* a factor: medians that differ by less are not told apart */
	size_t judgements; /* that hold for these parameters */
	struct bench_judgement judgement[BENCH_BARS];
	char missing[512]; /* peers that suit the scenario and are not built; "": none */
};

/** The points of a scenario that differ under these options, or one that is NULL; how many. */
unsigned bench_points(const struct bench_scenario *scenario, const struct bench_options *options,
		      const struct bench_point **points, unsigned max);

/** Run a scenario at one of its points (NULL: it has none). The result is to be freed by free(). */
struct bench_result *bench_run(const struct bench_scenario *scenario,
			       const struct bench_point *point,
			       const struct bench_options *options);

/** How long that will take, in seconds. */
double bench_expected(const struct bench_scenario *scenario, const struct bench_point *point,
		      const struct bench_options *options);

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

/** The peers, built or not: for people, or an object a line. */
void bench_report_peers(FILE *out, bool json);

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

/** Two or more threads come together: each spins until all have come. */
struct bench_meeting {
	_Atomic(unsigned) arrived;
	unsigned parties;
};

void bench_meet(struct bench_meeting *meeting);

/** What one thread runs. */
struct bench_side {
	void (*run)(void *context);
	void *context;
};

/**
 * Run @p count sides at once, each in a thread of its own; return when all have. Each is pinned to
 * one of the BENCH_CPUS @p cpus, or if they outnumber these may run on all of them.
 */
void bench_run_sides(unsigned count, const int *cpus, const struct bench_side *sides);

/** Run @p run in a thread that may be on any of @p count CPUs, and so may those that it makes. */
void bench_run_within(unsigned count, const int *cpus, void (*run)(void *context), void *context);

/** The CPUs this process may run on, at most @p max of them; how many it wrote. */
unsigned bench_cpus(int *cpus, unsigned max);

#endif
