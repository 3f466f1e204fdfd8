/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_CMD_H
#define DISRUPTOR_CMD_H

/* What the commands of the disruptor program have in common. */

/** How the program ends. */
enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

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

#endif
