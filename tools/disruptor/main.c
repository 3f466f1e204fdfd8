/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The disruptor program: a table of commands, and the two options that need none. */
#include "cmd.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <disruptor/disruptor.h>

static int run_help(int argc, char **argv);

static const struct command cmd_help = {
	.name = "help",
	.summary = "explain a command",
	.help = "usage: disruptor help [COMMAND]\n",
	.run = run_help,
};

static const struct command *const commands[] = {
#if defined(DISRUPTOR_WITH_BENCH)
	&cmd_bench,
#endif
	/* one a line */
	/* clang-format off */
	&cmd_pub,
	&cmd_sub,
	&cmd_tail,
	&cmd_reap,
	&cmd_inspect,
	&cmd_stat,
#if defined(DISRUPTOR_WITH_TOP)
	&cmd_top,
#endif
	&cmd_doctor,
	&cmd_help,
	NULL,
	/* clang-format on */
};

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = commands; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

static int print_help(void)
{
	printf("usage: disruptor COMMAND [ARGUMENT ...]\n"
	       "       disruptor --version | --help\n"
	       "\n"
	       "commands:\n");
	for (const struct command *const *c = commands; *c != NULL; c++)
		printf("  %-8s  %s\n", (*c)->name, (*c)->summary);
	printf("\n"
	       "'disruptor help COMMAND' explains one.\n"
	       "Exit status: 0 done, 1 failed, 2 the command line is wrong.\n");
	return CMD_OK;
}

static int run_help(int argc, char **argv)
{
	if (argc == 1)
		return print_help();
	if (argc > 2)
		return cmd_usage("help", "one command at a time, not '%s' too", argv[2]);

	const struct command *command = find_command(argv[1]);

	if (command == NULL)
		return cmd_usage("", "there is no command '%s'", argv[1]);
	(void)fputs(command->help, stdout);
	return CMD_OK;
}

/** The best rung first, which is what a ring gets that asks for none. */
static int print_version(void)
{
	struct disruptor_version version = disruptor_version();
	bool first = true;

	printf("disruptor %s\n", version.text);
	printf("layout version %d\n", version.layout);
	printf("platform %s\n", version.platform);
	printf("rungs");
	for (int rung = DISRUPTOR_RUNG_MEMBARRIER; rung <= DISRUPTOR_RUNG_MUTEX; rung++) {
		if (!(version.rungs & (1u << rung)))
			continue;
		printf(" %s%s", disruptor_rung_name((enum disruptor_rung)rung),
		       first ? " (chosen)" : "");
		first = false;
	}
	printf("\n");
	return CMD_OK;
}

/** What was printed may not have been written: a full disk is a failure too. */
static int flushed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("disruptor: standard output");
	return CMD_FAILED;
}

static bool asks_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return cmd_usage("", "a command is missing");
	if (strcmp(argv[1], "--version") == 0)
		return flushed(print_version());
	if (asks_help(argv[1]))
		return flushed(print_help());
	if (argv[1][0] == '-')
		return cmd_usage("", "there is no option '%s'", argv[1]);

	const struct command *command = find_command(argv[1]);

	if (command == NULL)
		return cmd_usage("", "there is no command '%s'", argv[1]);
	for (int i = 2; i < argc; i++) {
		if (asks_help(argv[i])) {
			(void)fputs(command->help, stdout);
			return flushed(CMD_OK);
		}
	}
	return flushed(command->run(argc - 1, argv + 1));
}
