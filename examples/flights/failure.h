/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_FAILURE_H
#define FLIGHTS_FAILURE_H

/*
 * How a job ends early. Any of its threads may fail; the first one's words
 * are kept. Nobody is interrupted: the source sees the flag and stops giving
 * events, the stages see the end of the stream and finish as they always do.
 */

#include <stdatomic.h>
#include <stdbool.h>

struct failure {
	atomic_int state; /* 0; 1 while the text is written; 2 */
	char text[512];
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
/* Keep the words, unless another thread was first. Threads: any. */
void failure_set(struct failure *failure, const char *format, ...);

/* What an error's number means, as strerror(3); the thread's, until it asks again. */
const char *failure_text(int error);

/* Has any thread failed? The text may be read once the threads are joined. */
static inline bool failed(struct failure *failure)
{
	/* relaxed: a late answer costs some more events, nothing is read through it */
	return atomic_load_explicit(&failure->state, memory_order_relaxed) != 0;
}

#endif
