/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Events that own something: init and fini give each slot its value and take it
 * back, and the last stage may move a value out. What was moved out is the
 * caller's, and each value is finished exactly once, wherever it ended.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct letter {
	char *text; /* malloc'ed, or NULL */
};

DISRUPTOR_EVENT(letter, struct letter, DISRUPTOR_BYTES(struct letter, text));

/* Called for each slot when the ring is destroyed. */
static void finish(void *event, void *finished)
{
	struct letter *l = event;

	*(int *)finished += l->text != NULL;
	free(l->text);
}

static void post(struct letter_producer *p, const char *text)
{
	struct letter *l = letter_claim(p);

	if (!l)
		return;
	free(l->text); /* what an earlier lap left, if nobody took it */
	l->text = malloc(strlen(text) + 1);
	if (l->text)
		memcpy(l->text, text, strlen(text) + 1);
	letter_publish(p);
}

int main(void)
{
	int finished = 0;
	const struct disruptor_options options = {
		.size = sizeof(options), .capacity = 4, .fini = finish, .context = &finished
	};
	const struct disruptor_consumer_options taking = { .size = sizeof(taking), .take = 1 };
	struct letter_producer producer;
	struct letter_consumer consumer;
	struct disruptor_ring *ring;
	struct letter mine;

	if (disruptor_ring_create(&ring, &letter_type, &options) != 0 ||
	    letter_consumer_open(&consumer, ring, &taking) != 0 ||
	    letter_producer_open(&producer, ring, NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	post(&producer, "first");
	post(&producer, "second");
	post(&producer, "third");
	for (int i = 0; i < 2 && letter_take(&consumer, &mine) == 1; i++) {
		printf("took: %s\n", mine.text); /* its slot is empty again, and released */
		free(mine.text);
	}
	letter_consumer_close(&consumer);
	letter_producer_close(&producer);
	if (disruptor_ring_destroy(&ring) != 0)
		return 1;
	printf("left for the ring to finish: %d\n", finished);
	return 0;
}
