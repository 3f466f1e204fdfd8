/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Many producers: each thread opens a view of its own, and its events keep their order. */
#include <disruptor/disruptor.h>

#include <pthread.h>
#include <stdio.h>

#define PRODUCERS 4
#define EVENTS 1000

struct message {
	uint32_t from;
	uint32_t number;
};

DISRUPTOR_EVENT(message, struct message,
	DISRUPTOR_U32(struct message, from),
	DISRUPTOR_U32(struct message, number));

static struct inbox {
	uint32_t next[PRODUCERS]; /* the number that each producer sends next */
	uint32_t out_of_order;
} inbox;

static int receive(void *context, void *event, uint64_t position, int last)
{
	const struct message *m = event;

	(void)context, (void)position, (void)last;
	inbox.out_of_order += m->number != inbox.next[m->from]++;
	return DISRUPTOR_CONTINUE;
}

static struct disruptor *d;

static void *send(void *id)
{
	struct message_producer producer;

	if (message_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		return NULL;
	for (uint32_t i = 0; i < EVENTS; i++) {
		struct message *m = message_claim(&producer);

		if (!m)
			break;
		*m = (struct message){ .from = *(uint32_t *)id, .number = i };
		message_publish(&producer);
	}
	message_producer_close(&producer);
	return NULL;
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 256,
						   .producers = DISRUPTOR_MANY };
	const struct disruptor_handler receiver = { .size = sizeof(receiver),
						    .name = "inbox",
						    .on_event = receive };
	uint32_t ids[PRODUCERS];
	pthread_t threads[PRODUCERS];

	if (disruptor_create(&d, &message_type, &options) != 0 || !disruptor_stage(d, &receiver) ||
	    disruptor_start(d) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		ids[i] = i;
		pthread_create(&threads[i], NULL, send, &ids[i]);
	}
	for (uint32_t i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	for (uint32_t i = 0; i < PRODUCERS; i++)
		printf("from %u: %u\n", i, inbox.next[i]);
	printf("out of order: %u\n", inbox.out_of_order);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
}
