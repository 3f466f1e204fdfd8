/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Messages of any length: a thread splits a text into words, another counts their lengths. Each word
 * is written into the ring and read there, in place.
 */
#include <disruptor/disruptor.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char text[] = "a ring of records takes words of one letter and words that are "
			   "antidisestablishmentarianism";

static void *split(void *argument)
{
	struct disruptor_producer *p = argument;
	const char *word = text;

	(void)disruptor_producer_handoff(p);
	while (*word) {
		size_t length = strcspn(word, " ");
		char *to = disruptor_record_claim(p, length);

		if (!to)
			break;
		memcpy(to, word, length);
		(void)disruptor_record_publish(p, length);
		word += length + (word[length] == ' ');
	}
	disruptor_ring_close(p->ring);
	return NULL;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, disruptor_error_detail());
	return 1;
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 16,
						   .cell = 8 };
	const struct disruptor_type *type = disruptor_record_type();
	unsigned words = 0, letters = 0, longest = 0;
	struct disruptor_record word;
	struct disruptor_ring *ring;
	struct disruptor_producer p;
	struct disruptor_consumer c;
	pthread_t thread;

	if (disruptor_ring_create(&ring, type, &options) != 0)
		return fail("create");
	if (disruptor_consumer_open(&c, ring, type, NULL) != 0)
		return fail("consumer");
	if (disruptor_producer_open(&p, ring, type, NULL) != 0)
		return fail("producer");
	if (pthread_create(&thread, NULL, split, &p) != 0)
		return 1;
	while (disruptor_record_ready_until(&c, DISRUPTOR_FOREVER) > 0) {
		while (disruptor_record_next(&c, &word) > 0) {
			words++;
			letters += (unsigned)word.size;
			longest = word.size > longest ? (unsigned)word.size : longest;
		}
		(void)disruptor_record_release(&c);
	}
	pthread_join(thread, NULL);
	printf("%u words, %u letters, the longest of %u\n", words, letters, longest);
	(void)disruptor_producer_close(&p);
	(void)disruptor_consumer_close(&c);
	return disruptor_ring_destroy(&ring) == 0 ? 0 : 1;
}
