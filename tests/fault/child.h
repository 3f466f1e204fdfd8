/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAULT_CHILD_H
#define FAULT_CHILD_H

/*
 * A part of a test in a process of its own: for what ends a process, or cannot be taken back. cmocka's
 * assertions belong to the parent; the child uses NEED(), whose failure it prints and returns.
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SKIPPED 77

#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "child: line %d: %s; detail: %s\n", __LINE__, #condition,  \
				disruptor_error_detail());                                         \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* What the last child wrote to stderr. */
static char child_said[4096];

static void child_listen(int fd)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, child_said + length, sizeof(child_said) - 1 - length)) > 0)
		length += (size_t)n;
	child_said[length] = '\0';
}

/* Run @p act in a child; its wait status. The child ends after a minute in any case. */
static int in_child(int (*act)(void *context), void *context)
{
	int ends[2], status = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		alarm(60);
		_exit(act(context));
	}
	close(ends[1]);
	child_listen(ends[0]);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* It has to end well; or the test is skipped if the child says that it cannot be made. */
static void child_does(int (*act)(void *context), void *context)
{
	int status = in_child(act, context);

	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED) {
		print_message("skipped: %s\n", child_said);
		skip();
	}
	if (status != 0)
		fail_msg("the child's wait status is 0x%x; it said: %s", status, child_said);
}

#endif
