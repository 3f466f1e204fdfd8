/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_SETPIPE_SZ, where there is one */
#endif

#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enlarge the pipe; return the bytes it holds. Refusal is fine: it stays as it was. */
static size_t enlarge(int fd, size_t bytes)
{
	long size = PIPE_BUF;

#if defined(F_SETPIPE_SZ) && defined(F_GETPIPE_SZ)
	fcntl(fd, F_SETPIPE_SZ, (int)bytes);
	size = fcntl(fd, F_GETPIPE_SZ);
#else
	(void)fd;
	(void)bytes;
#endif
	return size > 0 ? (size_t)size : PIPE_BUF;
}

/*
 * Half of what the pipe holds, at most. The graph is a diamond: while one arm
 * waits for a chunk that the source still holds back, the other arm must be
 * able to take the same chunk without the report reading any of it.
 */
static size_t chunk_for(size_t pipe, size_t element)
{
	size_t chunk = pipe / 2 < CHANNEL_CHUNK ? pipe / 2 : CHANNEL_CHUNK;

	return chunk - chunk % element;
}

int channel_open(struct channel *channel, size_t capacity, size_t element, struct failure *failure)
{
	int fd[2];

	*channel = (struct channel){
		.failure = failure, .element = element, .write_fd = -1, .read_fd = -1
	};
	if (pipe(fd) != 0) {
		failure_set(failure, "pipe: %s", failure_text(errno));
		return -1;
	}
	channel->read_fd = fd[0];
	channel->write_fd = fd[1];
	channel->chunk = chunk_for(enlarge(fd[1], capacity * element), element);
	channel->out = malloc(channel->chunk);
	channel->in = malloc(CHANNEL_CHUNK);
	if (channel->out && channel->in)
		return 0;
	failure_set(failure, "pipe: no memory for its buffers");
	return -1;
}

void channel_flush(struct channel *channel)
{
	const unsigned char *bytes = channel->out;
	size_t left = channel->held;

	channel->held = 0;
	while (left > 0) {
		ssize_t put = write(channel->write_fd, bytes, left);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) { /* not EPIPE: the reader reads to the end */
			failure_set(channel->failure, "pipe: write: %s", failure_text(errno));
			return;
		}
		bytes += put;
		left -= (size_t)put;
	}
}

void channel_put(struct channel *channel, const void *element)
{
	memcpy(channel->out + channel->held, element, channel->element);
	channel->held += channel->element;
	if (channel->held == channel->chunk)
		channel_flush(channel);
}

void channel_finish(struct channel *channel)
{
	channel_flush(channel);
	close(channel->write_fd);
	channel->write_fd = -1;
}

bool channel_ready(const struct channel *channel)
{
	return channel->end - channel->first >= channel->element;
}

void *channel_next(struct channel *channel)
{
	void *element;

	while (!channel_ready(channel)) {
		size_t kept = channel->end - channel->first; /* a read may end inside an element */
		ssize_t got;

		memmove(channel->in, channel->in + channel->first, kept);
		channel->first = 0;
		channel->end = kept;
		got = read(channel->read_fd, channel->in + kept, CHANNEL_CHUNK - kept);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			failure_set(channel->failure, "pipe: read: %s", failure_text(errno));
		if (got <= 0)
			return NULL;
		channel->end += (size_t)got;
	}
	element = channel->in + channel->first;
	channel->first += channel->element;
	return element;
}

void channel_close(struct channel *channel)
{
	if (channel->write_fd >= 0)
		close(channel->write_fd);
	if (channel->read_fd >= 0)
		close(channel->read_fd);
	free(channel->out);
	free(channel->in);
}
