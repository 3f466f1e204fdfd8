/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FLIGHTS_CHANNEL_H
#define FLIGHTS_CHANNEL_H

/*
 * Elements of one size through a pipe(2), as well as a pipe can do it: as
 * large as is asked and allowed, and both ends buffered, so that a system call
 * moves up to 64 KiB. Sixteen pages is what a pipe holds unless it is
 * enlarged; writing more at a time gains nothing measurable.
 */

#include "failure.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHANNEL_CHUNK = 64 * 1024 };

struct channel {
	struct failure *failure;
	size_t element;
	/* the writing end, one thread's */
	int write_fd;
	size_t chunk; /* bytes: flush when so many are held */
	size_t held;
	unsigned char *out;
	/* the reading end, another's */
	int read_fd;
	size_t first, end; /* what was read and not yet given out: [first, end) of in */
	unsigned char *in;
};

/* 0, or -1 with the failure set; close in any case. */
int channel_open(struct channel *channel, size_t capacity, size_t element, struct failure *failure);

/* Hold a copy; write when a chunk is full. */
void channel_put(struct channel *channel, const void *element);
void channel_flush(struct channel *channel);
/* Flush, and let the reader see the end. */
void channel_finish(struct channel *channel);

/* The next element, valid until the next call; NULL at the end. Waits for it. */
void *channel_next(struct channel *channel);
/* Whether channel_next() will not wait, or lets its caller flush first. */
bool channel_ready(const struct channel *channel);

void channel_close(struct channel *channel);

#endif
