/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_CMD_H
#define DISRUPTOR_CMD_H

/* What the commands of the disruptor program have in common. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How the program ends. */
enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

struct option;

struct command {
	const char *name;
	const char *summary; /* one line, for the list */
	const char *help;    /* all of it */
	/** Called with argv[0] the command's name. Answers how the program ends. */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_bench;
extern const struct command cmd_pub;
extern const struct command cmd_sub;
extern const struct command cmd_tail;
extern const struct command cmd_reap;
extern const struct command cmd_inspect;
extern const struct command cmd_stat;
extern const struct command cmd_top;
extern const struct command cmd_doctor;

/** Say on stderr what is wrong with the command line, and where help is. Answers CMD_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int cmd_usage(const char *command, const char *format, ...);
/** getopt_long(3) for options of whole words, which says nothing itself: the next, or -1. */
int cmd_option(int argc, char **argv, const struct option *options);
/** cmd_option() has answered @p option, ':' or '?', at @p word: say so. Answers CMD_USAGE. */
int cmd_bad_option(const char *command, int option, const char *word);
/** The one word behind the options, a ring's or segment's name; or CMD_USAGE, and why. */
int cmd_operand(const char *command, const char *what, int argc, char **argv, const char **name);

/** A whole number; false if it is none. */
bool cmd_number(const char *text, uint64_t *number);
/** A number of bytes, as 65536, 64K, 1M, 2G; false if it is none, or 0. */
bool cmd_bytes(const char *text, uint64_t *bytes);
/** One that a ring may have: a power of two, from 4K. */
bool cmd_ring_size(const char *text, uint64_t *bytes);

/** What the system says of an error's number; the thread's, until it asks again. */
const char *cmd_error_text(int error);
/** What the library says of a failure, escaped: names in it may be another process's. */
const char *cmd_detail(int code, char *text, size_t size);
/** Say that on stderr, of @p name. Answers CMD_FAILED. */
int cmd_failed(const char *command, const char *name, int code);

#endif
