/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The smallest whole program: one thread hands numbers to another.
 *
 * The ring holds 8 events that are made once and used again and again. main()
 * is the producer. The stage is the consumer; the library runs it in a thread.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

/* An event is a struct of yours. */
struct tick {
	int64_t price;
	int64_t quantity;
};

/* This makes tick_type, struct tick_producer, tick_claim(), tick_publish(), … */
DISRUPTOR_EVENT(tick, struct tick,
	DISRUPTOR_I64(struct tick, price),
	DISRUPTOR_I64(struct tick, quantity));

/* Called for each event, in the order of publication. */
static int print_tick(void *context, void *event, uint64_t position, int last)
{
	const struct tick *t = event;

	(void)context;
	(void)last;
	printf("%llu: %lld at %lld\n", (unsigned long long)position, (long long)t->quantity,
	       (long long)t->price);
	return DISRUPTOR_CONTINUE;
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "%s: %s: %s\n", what, disruptor_error_text(code), disruptor_error_detail());
	return 1;
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 8 };
	const struct disruptor_handler printer = { .size = sizeof(printer),
						   .name = "printer",
						   .on_event = print_tick };
	struct tick_producer producer;
	struct disruptor *d;
	int rc;

	rc = disruptor_create(&d, &tick_type, &options);
	if (rc != 0)
		return fail("create", rc);
	if (!disruptor_stage(d, &printer))
		return fail("stage", DISRUPTOR_E_INVAL);
	rc = disruptor_start(d); /* the stage's thread runs when this returns */
	if (rc != 0)
		return fail("start", rc);
	rc = tick_producer_open(&producer, disruptor_ring(d), NULL);
	if (rc != 0)
		return fail("producer", rc);

	for (int64_t i = 1; i <= 20; i++) {
		struct tick *t = tick_claim(&producer); /* waits while the ring is full */

		if (!t) /* refused: the ring has failed or was closed */
			return fail("claim", tick_status(&producer));
		t->price = 100 + i; /* the slot is ours until it is published */
		t->quantity = 10 * i;
		tick_publish(&producer);
	}

	/* The stage finishes what was published; then its thread is joined. */
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	tick_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
}
