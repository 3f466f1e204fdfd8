/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One thread, one epoll(7), two sources: a ring and a socket. The ring's consumer has a
 * descriptor that is armed when there is nothing left to do, so a busy ring costs no system call.
 */
#define _POSIX_C_SOURCE 200809L

#include <disruptor/disruptor.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct reading {
	uint64_t value;
};

DISRUPTOR_EVENT(reading, struct reading, DISRUPTOR_U64(struct reading, value));

struct total {
	uint64_t count, sum;
};

struct wire {
	struct disruptor_ring *ring;
	int socket;
};

/* ---- the other side: it publishes readings, and now and then asks for their total ---- */

static int publish(struct reading_producer *p, uint64_t from, uint64_t to)
{
	for (uint64_t value = from; value <= to; value++) {
		struct reading *r = reading_claim(p);

		if (!r)
			return -1;
		r->value = value;
		reading_publish(p);
	}
	return 0;
}

static void *client(void *argument)
{
	const struct timespec pause = { .tv_nsec = 10000000 }; /* the server falls asleep */
	struct wire *w = argument;
	struct reading_producer producer;
	struct total total;

	if (reading_producer_open(&producer, w->ring, NULL) != 0) {
		close(w->socket);
		return NULL;
	}
	for (uint64_t round = 0; round < 3; round++) {
		if (publish(&producer, round * 1000 + 1, round * 1000 + 1000) != 0 ||
		    write(w->socket, "?", 1) != 1 ||
		    read(w->socket, &total, sizeof(total)) != (ssize_t)sizeof(total))
			break;
		printf("%llu readings, total %llu\n", (unsigned long long)total.count,
		       (unsigned long long)total.sum);
		nanosleep(&pause, NULL);
	}
	reading_producer_close(&producer);
	disruptor_ring_close(w->ring);
	close(w->socket);
	return NULL;
}

/* ---- the server ---- */

/* All that is ready; then the descriptor is armed, and 0 returned. A code at the ring's end. */
static int serve_ring(struct disruptor_consumer *c, struct total *total)
{
	int64_t n;

	while ((n = disruptor_consumer_arm(c)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++)
			total->sum += ((const struct reading *)disruptor_at(c, i))->value;
		total->count += (uint64_t)n;
		disruptor_release(c, (uint64_t)n);
	}
	return (int)n;
}

/* Answer a question; false once the other side has hung up. */
static int serve_socket(int socket, const struct total *total)
{
	char question;

	return read(socket, &question, 1) == 1 &&
	       write(socket, total, sizeof(*total)) == (ssize_t)sizeof(*total);
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int serve(struct disruptor_consumer *c, int socket)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), rc = 0, open = 1, asked = 0;
	struct total total = { 0, 0 };
	struct epoll_event event;

	if (epoll < 0 || watch(epoll, disruptor_consumer_fd(c)) != 0 || watch(epoll, socket) != 0)
		return -1;
	while (open) {
		/* the ring first: what was published before a question is part of its answer */
		if (rc == 0) {
			rc = serve_ring(c, &total);
			if (rc != 0)
				epoll_ctl(epoll, EPOLL_CTL_DEL, disruptor_consumer_fd(c), NULL);
		}
		if (asked)
			open = serve_socket(socket, &total);
		asked = open && epoll_wait(epoll, &event, 1, -1) == 1 && event.data.fd == socket;
	}
	printf("the ring ended with %s, at %llu readings\n", disruptor_error_name(rc),
	       (unsigned long long)total.count);
	return close(epoll);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 256 };
	struct reading_consumer consumer;
	struct wire wire;
	pthread_t thread;
	int ends[2], rc;

	if (disruptor_ring_create(&wire.ring, &reading_type, &options) != 0 ||
	    reading_consumer_open(&consumer, wire.ring, NULL) != 0 ||
	    disruptor_consumer_fd(&consumer.view) < 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	wire.socket = ends[1];
	if (pthread_create(&thread, NULL, client, &wire) != 0)
		return 1;
	rc = serve(&consumer.view, ends[0]);
	pthread_join(thread, NULL);
	close(ends[0]);
	reading_consumer_close(&consumer);
	return disruptor_ring_destroy(&wire.ring) == 0 && rc == 0 ? 0 : 1;
}
