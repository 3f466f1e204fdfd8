/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pipe. A pipe(2) of the default size: one write(2) a publish; each read(2)
 * takes as many events as there are, up to 64 KiB.
 */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIPE_BUFFER = 65536 };

struct pipe_channel {
	/* file descriptors */
	_Alignas(DISRUPTOR_APART) int from;
	int to;
	/* what each side copies from and to */
	_Alignas(DISRUPTOR_APART) unsigned char *to_send;
	_Alignas(DISRUPTOR_APART) unsigned char *received;
};

static void *pipe_open(const struct bench_params *params)
{
	struct pipe_channel *p = bench_alloc(sizeof(*p));
	int ends[2];

	if (pipe(ends) != 0)
		bench_fail("pipe: %s", bench_error_text(errno));
	p->from = ends[0];
	p->to = ends[1];
	p->to_send = bench_alloc((size_t)params->batch * params->event_bytes);
	p->received = bench_alloc(PIPE_BUFFER);
	return p;
}

static void pipe_close(void *channel)
{
	struct pipe_channel *p = channel;

	close(p->to);
	close(p->from);
	free(p->received);
	free(p->to_send);
	free(p);
}

LOOP_INLINE void *pipe_claim(void *end, uint64_t n, uint32_t bytes)
{
	(void)n;
	(void)bytes;
	return ((struct pipe_channel *)end)->to_send;
}

LOOP_INLINE void *pipe_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void pipe_publish(void *end, uint64_t n, uint32_t bytes)
{
	const struct pipe_channel *p = end;
	size_t size = (size_t)n * bytes;

	for (size_t done = 0; done < size;) {
		ssize_t wrote = write(p->to, p->to_send + done, size - done);

		if (wrote < 0 && errno != EINTR)
			bench_fail("pipe: write: %s", bench_error_text(errno));
		done += wrote > 0 ? (size_t)wrote : 0;
	}
}

LOOP_INLINE uint64_t pipe_ready(void *end, uint32_t bytes)
{
	const struct pipe_channel *p = end;
	size_t most = (size_t)PIPE_BUFFER / bytes * bytes;
	size_t have = 0;

	do { /* as a rule once; again only to complete an event */
		size_t want = have == 0 ? most : bytes - have % bytes;
		ssize_t got = read(p->from, p->received + have, want);

		if (got == 0 || (got < 0 && errno != EINTR))
			bench_fail("pipe: read: %s", got == 0 ? "closed" : bench_error_text(errno));
		have += got > 0 ? (size_t)got : 0;
	} while (have == 0 || have % bytes != 0);
	return have / bytes;
}

LOOP_INLINE const void *pipe_at(void *end, uint64_t i, uint32_t bytes)
{
	return ((struct pipe_channel *)end)->received + i * bytes;
}

/* reading was releasing: the events were copied out */
LOOP_INLINE void pipe_release(void *end, uint64_t n)
{
	(void)end;
	(void)n;
}

static const struct loop_end pipe_use = {
	.claim = pipe_claim,
	.claimed = pipe_claimed,
	.publish = pipe_publish,
	.ready = pipe_ready,
	.at = pipe_at,
	.release = pipe_release,
};

LOOP_CHANNEL(pipe, &pipe_use)

const struct bench_subject subject_pipe = {
	.name = "pipe",
	.waits = "read(2)",
	.open = pipe_open,
	.close = pipe_close,
	.produce = pipe_produce,
	.consume = pipe_consume,
	.serve = pipe_serve,
	.answer = pipe_answer,
};
