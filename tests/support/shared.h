/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_SHARED_H
#define SUPPORT_SHARED_H

/* What tests of rings between processes share: a directory of their own, and options that suit them. */

#include "fixture.h"

#include <disruptor/segment.h>

/* Of the running test group, by these two; empty again when it ends, or that is a failure. */
extern char shared_directory[64];
int shared_setup(void **state);
int shared_teardown(void **state);

/* Whether this platform layer has such rings; if not, it is said, and the program's status is 77. */
bool shared_there_are(void);
/* The same, but not on the rung that is one process's own either: for what is slow. */
bool shared_there_are_on_this_rung(void);

/* In that directory. */
struct disruptor_segment_options shared_where(unsigned flags);
/* On the rung under test, if processes can share it. */
struct disruptor_options shared_options(uint64_t capacity, enum disruptor_producers producers);

#endif
