/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * holds NAME: make a ring of 64 slots, a consumer 'reader', and producers 'holder' and 'rival'. The holder
 * claims a position and keeps it; the rival publishes behind it until the ring is full, and waits for
 * room. At the end of standard input the holder publishes, and all is read.
 *
 * holds NAME stage: instead of the reader a stage 'risk', which stays in its handler until a line comes,
 * and then fails; and the rival alone. It ends at the end of standard input.
 */
#define _POSIX_C_SOURCE 200809L

#include <disruptor/disruptor.h>

#include <pthread.h>
#include <stdio.h>

enum { SLOTS = 64 };

struct count {
	uint64_t n;
};

DISRUPTOR_EVENT(count, struct count, DISRUPTOR_U64(struct count, n));

static int fail(void)
{
	fprintf(stderr, "holds: %s\n", disruptor_error_detail());
	return 1;
}

/* One event more than there is room for: the last claim waits. */
static void *publish_all(void *context)
{
	struct count_producer *rival = context;

	if (disruptor_producer_handoff(&rival->view) != 0)
		return context;
	for (int i = 0; i < SLOTS; i++) {
		struct count *c = count_claim(rival);

		if (!c)
			return context;
		c->n = 1;
		if (count_publish(rival) < 0)
			return context;
	}
	return NULL;
}

static int read_all(struct count_consumer *reader)
{
	int64_t n;

	for (int64_t seen = 0; seen < SLOTS + 1; seen += n) {
		n = count_ready_until(reader, disruptor_in(UINT64_C(60000000000)));
		if (n <= 0 || count_release(reader, (uint64_t)n) != 0)
			return fail();
	}
	return 0;
}

static int hold(struct disruptor_ring *ring)
{
	const struct disruptor_producer_options as_holder = { .size = sizeof(as_holder),
							      .name = "holder" };
	const struct disruptor_producer_options as_rival = { .size = sizeof(as_rival),
							     .name = "rival" };
	const struct disruptor_consumer_options as_reader = { .size = sizeof(as_reader),
							      .name = "reader" };
	struct count_producer holder, rival;
	struct count_consumer reader;
	struct count *held;
	pthread_t thread;
	void *failed;

	if (count_consumer_open(&reader, ring, &as_reader) != 0 ||
	    count_producer_open(&holder, ring, &as_holder) != 0 ||
	    count_producer_open(&rival, ring, &as_rival) != 0)
		return fail();
	held = count_claim(&holder);
	if (!held || pthread_create(&thread, NULL, publish_all, &rival) != 0)
		return fail();
	while (getchar() != EOF)
		;
	held->n = 0;
	if (count_publish(&holder) < 0 || read_all(&reader) != 0)
		return fail();
	pthread_join(thread, &failed);
	(void)count_producer_close(&rival);
	(void)count_producer_close(&holder);
	(void)count_consumer_close(&reader);
	return failed ? fail() : 0;
}

static int risk(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	(void)getchar();
	return -5;
}

static int fail_late(struct disruptor_ring *ring)
{
	const struct disruptor_producer_options as_rival = { .size = sizeof(as_rival),
							     .name = "rival" };
	const struct disruptor_handler handler = { .size = sizeof(handler),
						   .name = "risk",
						   .on_event = risk };
	struct count_producer rival;
	struct disruptor *d;

	if (disruptor_create_on(&d, ring, &count_type, 0) != 0 || !disruptor_stage(d, &handler) ||
	    disruptor_start(d) != 0 || count_producer_open(&rival, ring, &as_rival) != 0)
		return fail();
	while (publish_all(&rival) == NULL)
		; /* until it is refused */
	if (disruptor_join(d, DISRUPTOR_FOREVER) != DISRUPTOR_E_FAILED)
		return fail();
	while (getchar() != EOF)
		;
	(void)count_producer_close(&rival);
	return disruptor_destroy(&d) == 0 ? 0 : fail();
}

int main(int argc, char **argv)
{
	const struct disruptor_segment_options so = {
		.size = sizeof(so), .flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY
	};
	const struct disruptor_options o = { .size = sizeof(o),
					     .capacity = SLOTS,
					     .producers = DISRUPTOR_MANY };
	struct disruptor_segment *segment;
	int rc;

	if (argc < 2)
		return 2;
	if (disruptor_segment_open(&segment, argv[1], &count_type, &o, &so) != 0)
		return fail();
	rc = argc > 2 ? fail_late(disruptor_segment_ring(segment))
		      : hold(disruptor_segment_ring(segment));
	return disruptor_segment_close(&segment) == 0 ? rc : fail();
}
