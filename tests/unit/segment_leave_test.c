/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Leaving a temporary segment, with another that leaves at the worst moment: when the lock of the cold
 * side has just been given back. Linux.
 */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/segment.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The other's: closed once, after so many times that the file's first byte was unlocked. */
static struct disruptor_segment *closes_at_unlock;
static unsigned unlocks;
static int closed_with;

int __real_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
	struct disruptor_segment *other = closes_at_unlock;
	const struct flock *lock;
	void *argument;
	va_list rest;
	int rc;

	va_start(rest, command);
	argument = va_arg(rest, void *);
	va_end(rest);
	rc = __real_fcntl(fd, command, argument);
	lock = argument;
	if (other && command == F_OFD_SETLK && lock->l_type == F_UNLCK && lock->l_start == 0 &&
	    --unlocks == 0) {
		closes_at_unlock = NULL;
		closed_with = disruptor_segment_close(&other);
	}
	return rc;
}

static struct disruptor_segment *open_segment(unsigned flags)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory,
						     .flags = flags };
	struct disruptor_options ring = fixture_options(8);
	struct disruptor_segment *s;

	if (ring.rung == DISRUPTOR_RUNG_MUTEX) /* which is one process's own */
		ring.rung = DISRUPTOR_RUNG_AUTO;
	return disruptor_segment_open(&s, "ring", &tick_type, flags ? &ring : NULL, &o) == 0 ? s
											     : NULL;
}

/* Whichever of the times that the first gives the lock back the second leaves at. */
TEST(two_that_leave_at_once_take_the_name_with_them)
{
	const unsigned flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY;
	unsigned at = 0;
	bool left;

	do {
		struct disruptor_segment *first = open_segment(flags),
					 *second = open_segment(flags);

		assert_non_null(first);
		assert_non_null(second);
		closes_at_unlock = second;
		unlocks = ++at;
		assert_code(disruptor_segment_close(&first), 0);
		left = !closes_at_unlock;
		if (left)
			assert_code(closed_with, 0);
		closes_at_unlock = NULL;
		if (!left)
			assert_code(disruptor_segment_close(&second), 0);
		assert_null(open_segment(0));
	} while (left);
	assert_true(at > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(two_that_leave_at_once_take_the_name_with_them),
	};

	if (!shared_there_are_on_this_rung())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
