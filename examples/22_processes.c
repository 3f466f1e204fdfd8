/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A ring between two processes, found by its name: the parent publishes, the child adds up. Whoever
 * comes first makes the ring. The child is killed half way, and another takes its place where it
 * stopped. Linux.
 */
#define _POSIX_C_SOURCE 200809L

#include <disruptor/disruptor.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 100000

struct number {
	uint64_t value;
};

DISRUPTOR_EVENT(number, struct number, DISRUPTOR_U64(struct number, value));

static struct disruptor_segment *open_segment(void)
{
	const struct disruptor_options ring = { .size = sizeof(ring), .capacity = 1024 };
	struct disruptor_segment_options options = { .size = sizeof(options) };
	struct disruptor_segment *segment;
	char name[64];

	/* gone when the last of us has left */
	options.flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY;
	(void)snprintf(name, sizeof(name), "example-22-%d", (int)getsid(0));
	if (disruptor_segment_open(&segment, name, &number_type, &ring, &options) == 0)
		return segment;
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return NULL;
}

/* What it has released is done. */
static int add_up(uint64_t stop_after)
{
	/* required: publishers wait for it, and its successor goes on where it stopped */
	const struct disruptor_consumer_options options = { .size = sizeof(options),
							    .name = "adder" };
	struct disruptor_segment *segment = open_segment();
	struct number_consumer c;
	uint64_t position;

	if (!segment || number_consumer_open(&c, disruptor_segment_ring(segment), &options) != 0)
		return 1;
	while (number_ready_until(&c, DISRUPTOR_FOREVER) > 0) {
		position = disruptor_consumer_position(&c.view);
		if (number_at(&c, 0)->value != position)
			return 2; /* lost, or seen twice */
		(void)number_release(&c, 1);
		if (position == stop_after)
			(void)raise(SIGKILL);
	}
	(void)number_consumer_close(&c);
	return disruptor_segment_close(&segment) == 0 ? 0 : 3;
}

static int wait_for(pid_t child, const char *what)
{
	int status;

	(void)waitpid(child, &status, 0);
	printf("%s %s\n", what,
	       WIFSIGNALED(status)        ? "was killed"
	       : WEXITSTATUS(status) == 0 ? "has seen the rest, each once"
					  : "failed");
	return WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
}

static pid_t start(uint64_t stop_after)
{
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(add_up(stop_after));
	return child;
}

int main(void)
{
	struct disruptor_segment *segment = open_segment();
	struct number_producer p;
	struct number *n;
	const struct timespec moment = { .tv_nsec = 1000000 };
	pid_t first, second;
	int well;

	if (!segment) {
		puts("rings between processes need Linux");
		return 77;
	}
	if (number_producer_open(&p, disruptor_segment_ring(segment), NULL) != 0)
		return 1;
	first = start(EVENTS / 2);
	second = -1;
	while (disruptor_ring_stats(disruptor_segment_ring(segment)).consumers == 0)
		nanosleep(&moment, NULL);
	for (uint64_t i = 0; i < EVENTS; i++) {
		while (!(n = number_claim_until(&p, disruptor_in(100000000)))) {
			if (number_status(&p) != DISRUPTOR_E_PEER_DEAD || second > 0)
				continue;
			puts("nobody adds up: another is started");
			second = start(UINT64_MAX);
		}
		n->value = i;
		(void)number_publish(&p);
	}
	(void)number_producer_close(&p);
	disruptor_ring_close(disruptor_segment_ring(segment));
	well = wait_for(first, "the first") && second > 0 && wait_for(second, "the second");
	return disruptor_segment_close(&segment) == 0 && well ? 0 : 1;
}
