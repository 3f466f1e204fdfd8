/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the commands say of their command lines and of failures, and how they read numbers. */
#define _POSIX_C_SOURCE 200809L /* strerror_r */

#include "cmd.h"
#include "escape.h"

#include <disruptor/error.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the command line ---- */

int cmd_usage(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "disruptor%s%s: ", *command != '\0' ? " " : "", command);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (*command != '\0')
		fprintf(stderr, "\nTry 'disruptor help %s'.\n", command);
	else
		fprintf(stderr, "\nTry 'disruptor --help'.\n");
	return CMD_USAGE;
}

int cmd_option(int argc, char **argv, const struct option *options)
{
	opterr = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no command has a second thread yet */
	return getopt_long(argc, argv, ":", options, NULL);
}

int cmd_bad_option(const char *command, int option, const char *word)
{
	if (option == ':')
		return cmd_usage(command, "option %s needs a value", word);
	return cmd_usage(command, "there is no option '%s', or it takes no value", word);
}

int cmd_operand(const char *command, const char *what, int argc, char **argv, const char **name)
{
	if (optind == argc)
		return cmd_usage(command, "the %s's NAME is missing", what);
	if (optind + 1 < argc)
		return cmd_usage(command, "one %s at a time, not '%s' too", what, argv[optind + 1]);
	*name = argv[optind];
	return CMD_OK;
}

bool cmd_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

bool cmd_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit;
	unsigned shift = 0;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno != 0)
		return false;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (!unit || end[1] != '\0')
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (*bytes == 0 || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

bool cmd_ring_size(const char *text, uint64_t *bytes)
{
	return cmd_bytes(text, bytes) && (*bytes & (*bytes - 1)) == 0 && *bytes >= 4096;
}

/* ---- failures ---- */

const char *cmd_error_text(int error)
{
	static _Thread_local char text[128];

	if (strerror_r(error, text, sizeof(text)) != 0)
		(void)snprintf(text, sizeof(text), "error %d", error);
	return text;
}

const char *cmd_detail(int code, char *text, size_t size)
{
	const char *detail = disruptor_error_detail();

	return escape_string(text, size, *detail ? detail : disruptor_error_text(code), size);
}

int cmd_failed(const char *command, const char *name, int code)
{
	char safe[160], detail[512];

	fprintf(stderr, "disruptor %s: %s: %s\n", command,
		escape_string(safe, sizeof(safe), name, strlen(name)),
		cmd_detail(code, detail, sizeof(detail)));
	return CMD_FAILED;
}
