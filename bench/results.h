/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

/*
 * Results: the JSON lines of a run, as they come or read again from a file.
 * What is drawn, summed up and compared is made of these alone, so that any
 * file that was saved will do. A line may lack what it does not need.
 */

#include <jansson.h>

#include "bench.h"

/** Lines of one scenario at one point: what was measured interleaved. */
struct bench_table {
	const char *scenario;
	const char *point;   /* NULL: the scenario has none */
	const char *skipped; /* why it was not measured, then it has no rows; NULL: it was */
	size_t count;
	const json_t *row[BENCH_ENTRIES];
	const json_t *main, *limit; /* NULL: none */
};

struct bench_results {
	json_t *lines; /* an array of objects */
	struct bench_table *table;
	size_t tables;
	const char **peer; /* the names of all peers that ran, each once */
	size_t peers;
};

struct bench_results *bench_results_new(void);
/** NULL: @p error tells what is wrong with the file, and in which line. */
struct bench_results *bench_results_read(const char *path, char *error, size_t size);
void bench_results_free(struct bench_results *results);

void bench_results_add(struct bench_results *results, const struct bench_result *result,
		       const struct bench_machine *machine);
void bench_results_add_skip(struct bench_results *results, const struct bench_scenario *scenario,
			    const char *why, const struct bench_machine *machine);
/** Find the tables and the peers, when all lines are there. */
void bench_results_group(struct bench_results *results);
/** How many tables from the @p first on are of its scenario: its points. */
size_t bench_same_scenario(const struct bench_results *results, size_t first);
void bench_results_write(FILE *out, const struct bench_results *results);

/** A member of a line; NULL or NAN: it has none of that type. */
const char *bench_text(const json_t *line, const char *key);
double bench_number(const json_t *line, const char *key);
/** What it was measured on. */
const char *bench_machine_text(const json_t *line, const char *key);
/** Whether the line is the second half of its A/A pair. */
bool bench_is_again(const json_t *line);
bool bench_has_role(const json_t *line, const char *role);
/** Whether more is better. */
bool bench_is_more(const json_t *line);
/** Whether two lines tell of the same load. How often it was measured may differ, and where. */
bool bench_same_load(const json_t *a, const json_t *b);
/** Whether the CPUs of two lines have the same name. */
bool bench_same_machine(const json_t *a, const json_t *b);

/** Make lower-case words with hyphens of a text, for a file's name. */
void bench_slug(char *slug, size_t size, const char *text);

/* ---- Bars of all tables: summary.c ---- */

/** What has become of the bars, by verdict; the one against LMAX is one of them. */
struct bench_tally {
	unsigned count[BENCH_NOT_COUNTED + 1]; /* BENCH_NO_BAR: not measurable */
};

/** The library against LMAX in all tables that have both. */
struct bench_lmax {
	size_t tables;
	double mean; /* geometric, of the medians' ratios, so that more is better */
	double noise;
	enum bench_verdict verdict;
};

/** Call @p each with every bar of the results, and the line it belongs to. */
void bench_each_bar(const struct bench_results *results,
		    void (*each)(void *context, const json_t *line, const json_t *bar),
		    void *context);
struct bench_tally bench_count_bars(const struct bench_results *results);
struct bench_lmax bench_against_lmax(const struct bench_results *results);
extern const double bench_lmax_bar;
/** "disruptor >= 3 x the best peer, rte_ring"; not in ASCII, with the proper signs. */
void bench_bar_words(char *words, size_t size, const json_t *line, const json_t *bar, bool ascii);
enum bench_verdict bench_verdict_of(const json_t *bar);
/** For people, on a terminal. */
void bench_summary(FILE *out, const struct bench_results *results);

/* ---- Files: outputs.c ---- */

enum bench_format { BENCH_LINES, BENCH_PAGE };

/** Files that are written at the end, each whole or not at all. */
struct bench_outputs {
	struct bench_save save[4];
	enum bench_format format[4];
	char path[4][512];
	size_t count;
	const char *plots; /* a directory for single plots; NULL: none */
};

/** Foresee a file, or the directory of the plots. Answers 0 or an errno: it cannot be written. */
int bench_outputs_add(struct bench_outputs *outputs, enum bench_format format, const char *path);
int bench_outputs_add_plots(struct bench_outputs *outputs, const char *directory);
/** Foresee COMMIT.CPU.json and COMMIT.CPU.html in a directory, which is made if there is none. */
int bench_outputs_add_results(struct bench_outputs *outputs, const char *directory,
			      const struct bench_machine *machine);
/** Write them. What is written is said on @p out, and what could not be on stderr: false. */
bool bench_outputs_write(struct bench_outputs *outputs, FILE *out,
			 const struct bench_results *results);
/** Instead of writing them. */
void bench_outputs_drop(struct bench_outputs *outputs);

/* ---- Two runs: compare.c ---- */

void bench_compare(FILE *out, const char *const *paths, const struct bench_results *before,
		   const struct bench_results *after, bool json);

#endif
