/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * socket. A pair of connected UNIX sockets, SOCK_STREAM, with buffers of the
 * default size: one send(2) a publish; each recv(2) takes as many events as
 * there are, up to 64 KiB. A stream, as only there one call takes several
 * events.
 */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_BUFFER = 65536 };

struct socket_channel {
	/* file descriptors */
	_Alignas(DISRUPTOR_APART) int from;
	int to;
	/* what each side copies from and to */
	_Alignas(DISRUPTOR_APART) unsigned char *to_send;
	_Alignas(DISRUPTOR_APART) unsigned char *received;
};

static void *socket_open(const struct bench_params *params)
{
	struct socket_channel *s = bench_alloc(sizeof(*s));
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		bench_fail("socket: %s", bench_error_text(errno));
	s->from = ends[0];
	s->to = ends[1];
	s->to_send = bench_alloc((size_t)params->batch * params->event_bytes);
	s->received = bench_alloc(SOCKET_BUFFER);
	return s;
}

static void socket_close(void *channel)
{
	struct socket_channel *s = channel;

	close(s->to);
	close(s->from);
	free(s->received);
	free(s->to_send);
	free(s);
}

LOOP_INLINE void *socket_claim(void *end, uint64_t n, uint32_t bytes)
{
	(void)n;
	(void)bytes;
	return ((struct socket_channel *)end)->to_send;
}

LOOP_INLINE void *socket_claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)end;
	return (unsigned char *)first + i * bytes;
}

LOOP_INLINE void socket_publish(void *end, uint64_t n, uint32_t bytes)
{
	const struct socket_channel *s = end;
	size_t size = (size_t)n * bytes;

	for (size_t done = 0; done < size;) {
		ssize_t sent = send(s->to, s->to_send + done, size - done, 0);

		if (sent < 0 && errno != EINTR)
			bench_fail("socket: send: %s", bench_error_text(errno));
		done += sent > 0 ? (size_t)sent : 0;
	}
}

LOOP_INLINE uint64_t socket_ready(void *end, uint32_t bytes)
{
	const struct socket_channel *s = end;
	size_t most = (size_t)SOCKET_BUFFER / bytes * bytes;
	size_t have = 0;

	do { /* as a rule once; again only to complete an event */
		size_t want = have == 0 ? most : bytes - have % bytes;
		ssize_t got = recv(s->from, s->received + have, want, 0);

		if (got == 0 || (got < 0 && errno != EINTR))
			bench_fail("socket: recv: %s",
				   got == 0 ? "closed" : bench_error_text(errno));
		have += got > 0 ? (size_t)got : 0;
	} while (have == 0 || have % bytes != 0);
	return have / bytes;
}

LOOP_INLINE const void *socket_at(void *end, uint64_t i, uint32_t bytes)
{
	return ((struct socket_channel *)end)->received + i * bytes;
}

/* receiving was releasing: the events were copied out */
LOOP_INLINE void socket_release(void *end, uint64_t n)
{
	(void)end;
	(void)n;
}

static const struct loop_end socket_use = {
	.claim = socket_claim,
	.claimed = socket_claimed,
	.publish = socket_publish,
	.ready = socket_ready,
	.at = socket_at,
	.release = socket_release,
};

LOOP_CHANNEL(socket, &socket_use)

const struct bench_subject subject_socket = {
	.name = "socket",
	.waits = "recv(2)",
	.open = socket_open,
	.close = socket_close,
	.produce = socket_produce,
	.consume = socket_consume,
	.serve = socket_serve,
	.answer = socket_answer,
};
