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
 *	measure.c judge.c       rounds; medians, ratios, noise, verdict
 *	histogram.c usage.c     latencies; processor time, switches, memory
 *	report.c report_json.c report_peers.c machine.c progress.c    what is printed
 *	results.c save.c outputs.c    the lines of a run, and the files that are kept of it
 *	summary.c baseline.c compare.c    all bars; against an earlier run; two earlier runs
 *	html.c plot_*.c svg.c   the page, drawn from the lines alone
 *	support.c               threads on cores, memory, failing
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "subject.h"

enum { BENCH_ENTRIES = 32, BENCH_ROUNDS = 999, BENCH_BARS = 12, BENCH_POINTS = 16 };

/* ---- Subjects ---- */

extern const struct bench_subject limit_line, limit_lines, limit_store, limit_cursor, limit_packed,
	limit_add, limit_alone, limit_copy, limit_futex;
extern const struct bench_subject subject_disruptor, subject_one, subject_poller, subject_driven,
	subject_mutex, subject_pipe, subject_socket, subject_process;

#if defined(__linux__)
#define BENCH_LIMIT_FUTEX "limit:futex"
#else
#define BENCH_LIMIT_FUTEX "limit:condvar"
#endif

/** All that this program knows of, built or not, up to one without a name. */
extern const struct bench_peer *const bench_peers[];
/** The version of its package that was there when this was built; NULL: not known. */
const char *bench_peer_version(const struct bench_peer *peer);

/* ---- Scenarios ---- */

enum bench_role {
	BENCH_PLAIN = 0,
	BENCH_LIMIT, /* the one that ratios are taken against */
	BENCH_MAIN,  /* the library as the scenario is meant */
	BENCH_AGAIN, /* the same once more: the A/A pair */
	BENCH_PEER   /* what one would use instead */
};

/** A graph of stages to stream through: graph.h. */
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

/** Parameters: one event a publish, by that wait strategy. */
#define BENCH_PARAMS(bytes, slots, strategy)                                                       \
	{                                                                                          \
		.event_bytes = (bytes), .capacity = (slots), .batch = 1,                           \
		.wait = { .kind = DISRUPTOR_WAIT_##strategy },                                     \
	}

/** A scenario between threads that measures events by time. */
#define BENCH_STREAM .unit = "Mevents/s", .better = BENCH_MORE, .threads = true

/** What an entry is compared with by a bar, other than by its name. */
#define BENCH_BEST_PEER "the best peer"
#define BENCH_BEST_ORDERED "the best ordered ring"
/** Not another entry: its worst sample is compared with its best. */
#define BENCH_OWN_BEST "its own best"

/** What is hoped for: the ratio of one entry to another, or if it is to none its value. */
struct bench_bar {
	double bar;          /* 0: the end of the list */
	const char *entry;   /* NULL: the main one */
	const char *against; /* another entry, a best peer; NULL: nothing, the value counts */
	const char *at;      /* the point that it holds for; NULL: all */
	bool peer;           /* `against` is the name of a peer, which may not be built */
};

enum bench_better { BENCH_LESS = 0, BENCH_MORE };

struct bench_scenario {
	const char *name;
	const char *what;
	const char *unit;
	enum bench_better better;
	struct bench_bar bars[BENCH_BARS];
	bool threads;    /* needs two processors */
	bool latency;    /* its samples record times, one by one */
	unsigned rounds; /* if none are asked for; 0: the usual number */
	double seconds; /* a sample's length, whatever is asked for; 0: the number of events is found */
	double sample_seconds; /* the length to find it for; 0: the usual one */
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
extern const struct bench_scenario scenario_pingpong, scenario_pingpong_one, scenario_wakeup,
	scenario_burst, scenario_unicast, scenario_sizes, scenario_capacity, scenario_steady,
	scenario_array, scenario_batch, scenario_poller, scenario_blocking, scenario_keepup,
	scenario_producers, scenario_three, scenario_threes, scenario_consumers, scenario_pipeline,
	scenario_multicast, scenario_diamond, scenario_oversubscribed, scenario_shared,
	scenario_stats, scenario_wide, scenario_create, scenario_waiting, scenario_idle,
	scenario_processes, scenario_processes_stream, scenario_processes_wakeup;

/** Sizes of events, each with a capacity: scenario_sweep.c. */
extern const struct bench_point bench_sizes[];

/** A round trip of an event over two channels as a sample, in nanoseconds: scenario_pingpong.c. */
void bench_round_trip(const struct bench_entry *entry, const struct bench_params *params,
		      struct bench_sample *sample);

/**
 * The same, where each side lets @p pause ns pass before it sends, so that the other is at rest; they
 * are not counted. The value is the median of the sample's round trips.
 */
void bench_slow_round_trip(const struct bench_entry *entry, const struct bench_params *params,
			   uint64_t pause, struct bench_sample *sample);

/** bench_slow_round_trip() with sides that sleep, and its verdict on whether they did: scenario_wakeup.c. */
void bench_wake_up(const struct bench_entry *entry, const struct bench_params *params,
		   struct bench_sample *sample);
/** Tell what part of the hops slept; too few, and the sample does not count. */
void bench_judge_sleep(struct bench_sample *sample);

/** What a bare line takes to and fro between the two CPUs now, in ns: measure.c. */
double bench_line_now(const struct bench_params *params);

/** What streaming through a channel took: scenario_stream.c. */
struct bench_stream {
	double events;   /* timed: as asked for, or less what does not go evenly among producers */
	double alone;    /* ns: the producer's work without publishing */
	double sent;     /* ns: until the producer was done */
	double total;    /* ns: until the consumer was done */
	double batch;    /* mean events a look */
	double lag;      /* mean events behind the producer */
	double sleeps;   /* below 0: not known */
	double resident; /* bytes */
	unsigned threads;
	struct bench_usage usage;
	const char *rung;
};

/** Stream events from a thread on the first CPU to one on the second; check what arrives. */
void bench_stream(const struct bench_entry *entry, const struct bench_params *params,
		  struct bench_stream *stream);

/** That as a sample, in millions of events a second. */
void bench_throughput(const struct bench_entry *entry, const struct bench_params *params,
		      struct bench_sample *sample);
/** The rest of a sample: who waited, and what all used. */
void bench_tell_stream(const struct bench_stream *stream, struct bench_sample *sample);

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

/** One row's samples to another's of the same rounds; NAN if there is no other. */
struct bench_ratio {
	struct bench_range range;
	/** Rounds in which the machine treated both alike, and only these count; 0: too few, so all do. */
	unsigned alike;
};

enum bench_verdict {
	BENCH_NO_BAR = 0,
	BENCH_MET,
	BENCH_NOT_MET,
	BENCH_WITHIN_NOISE,
	BENCH_NOT_COUNTED /* not all the peers that it is against ran */
};

/** A bare line's round trip that differs by more is another speed of the machine; noise is less. */
static const double bench_line_factor = 1.5;

/** What was measured, and what a bare line took to and fro beside it, in ns. */
struct bench_beside {
	double line, value;
};

/** Whether two lines tell of one speed; not if either is none. */
bool bench_one_speed(double line, double other);
/** Put them in the order of their lines. */
void bench_sort_beside(struct bench_beside *beside, unsigned n);
/** Where those end that the machine treated as it did the one at @p from. They are sorted. */
unsigned bench_alike(const struct bench_beside *beside, unsigned n, unsigned from);

/** Samples that the machine treated alike. */
struct bench_group {
	double line; /* ns a bare line took to and fro beside them: that, or up to half as much again */
	unsigned samples;
	struct bench_range value;
};

enum { BENCH_GROUPS = 4 };

struct bench_row {
	struct bench_entry entry;
	struct bench_params params;
	struct bench_sample sample[BENCH_ROUNDS];
	struct bench_range value;
	struct bench_ratio ratio; /* to the limit */
	struct bench_ratio main;  /* to the main subject */
	double batch, lag, work;  /* medians */
	/* Medians, of what an event uses; NAN: not known. */
	double cpu_ns, voluntary, involuntary, sleeps;
	double resident;    /* bytes, median; NAN: not known */
	double slept;       /* the least part of the hops that slept; NAN: not told */
	unsigned disturbed; /* samples in which others took a CPU too often */
	bool disturbance;   /* that can be told */
	unsigned out;       /* samples that do not count */
	struct bench_group group[BENCH_GROUPS]; /* none: no bare line was measured beside them */
	unsigned groups;
	double spread; /* the worst to the best within a group; NAN: no group is large enough */
	unsigned elsewhere;              /* samples of groups that are too small for that */
	struct bench_histogram *latency; /* of all samples that count; NULL: none is taken */
	const char *rung;
};

/** A bar, and what came of it. */
struct bench_judgement {
	const struct bench_bar *bar;
	const struct bench_row *row;
	const struct bench_row *against; /* NULL: the value counts, or it did not run */
	struct bench_ratio got;
	const char *missing; /* the peers without which it does not count; NULL: none */
	enum bench_verdict verdict;
};

struct bench_result {
	const struct bench_scenario *scenario;
	const char *point; /* NULL: the scenario has none */
	unsigned rounds;
	size_t count;
	struct bench_row row[BENCH_ENTRIES];
	const struct bench_row *limit, *main, *again; /* NULL: the scenario has none */
	struct bench_ratio pair;                      /* the A/A pair's */
	uint64_t switches; /* times that a thread of ours was put off its CPU for another's */
	double noise;      /* a factor: medians that differ by less are not told apart */
	size_t judgements; /* that hold for these parameters */
	struct bench_judgement judgement[BENCH_BARS];
	char missing[512]; /* peers that suit the scenario and are not built; "": none */
};

/** The points of a scenario that differ under these options, or one that is NULL; how many. */
unsigned bench_points(const struct bench_scenario *scenario, const struct bench_options *options,
		      const struct bench_point **points, unsigned max);

/** Run a scenario at one of its points (NULL: it has none). bench_result_free() the result. */
struct bench_result *bench_run(const struct bench_scenario *scenario,
			       const struct bench_point *point,
			       const struct bench_options *options);

void bench_result_free(struct bench_result *result);

/** How long that will take, in seconds. */
double bench_expected(const struct bench_scenario *scenario, const struct bench_point *point,
		      const struct bench_options *options);

/** Work out medians, ratios and noise of the samples; then, if they hold, what comes of the bars. */
void bench_summarise(struct bench_result *result, bool barred);

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
/** For people: the machine once, and a table for each scenario, with what events use if asked. */
void bench_report_machine(FILE *out, const struct bench_machine *machine);
void bench_report_table(FILE *out, const struct bench_result *result, bool usage);
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
struct json_t *bench_skip_object(const struct bench_scenario *scenario, const char *why,
				 const struct bench_machine *machine);
void bench_print_line(FILE *out, const struct json_t *object);

/** A file that appears when all of it is written. */
struct bench_save {
	FILE *lines; /* write here */
	const char *path;
	char *text; /* what was written */
	size_t size;
};

/** Answers 0 or an errno: the file could not be written at the end either. */
int bench_save_begin(struct bench_save *save, const char *path);
/** Put the file in its place, whole, or leave what is there. Answers 0 or an errno. */
int bench_save_end(struct bench_save *save);
/** Instead of that: forget what was written. */
void bench_save_drop(struct bench_save *save);

struct bench_results;

/** Say what is much worse than it was on this machine, and what cannot be compared. */
void bench_baseline_report(FILE *out, const struct bench_results *baseline,
			   const struct bench_result *result, const struct bench_machine *machine);

/** The progress line, on a terminal's stderr: @p seconds is what all will take. */
void bench_progress_begin(double seconds);
/** Now in this round (0: calibrating) of this entry; @p seconds of the expected are behind us. */
void bench_progress(const struct bench_scenario *scenario, const struct bench_entry *entry,
		    unsigned round, unsigned rounds, double seconds);
/** Take the line away, as something else is printed. */
void bench_progress_clear(void);

/* ---- Support ---- */

/** Two or more threads come together: each spins, or yields, until all have come. */
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

/** What this thread, or the whole process, has used so far. */
void bench_usage_thread(struct bench_usage *now);
void bench_usage_process(struct bench_usage *now);
/** Add what was used between two of these. */
void bench_usage_add(struct bench_usage *sum, const struct bench_usage *from,
		     const struct bench_usage *to);
/** Bytes of memory that this process has now; 0 if the system does not tell. */
double bench_resident(void);

/** The CPUs this process may run on, at most @p max of them; how many it wrote. */
unsigned bench_cpus(int *cpus, unsigned max);

#endif
