/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_THREADS_H
#define FLIGHTS_THREADS_H

/* The three threads of a way that brings no threads of its own. */

#include "failure.h"

#include <pthread.h>

struct threads {
	pthread_t id[3];
	int count;
};

/* Start one more. 0, or -1 with the failure set. */
int threads_start(struct threads *threads, void *(*run)(void *), void *context,
		  struct failure *failure);

void threads_join(struct threads *threads);

#endif
