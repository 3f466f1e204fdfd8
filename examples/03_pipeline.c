/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A pipeline: parse, then price, then print, each with a thread of its own. A
 * stage sees an event once the one before it is done with it, and what it wrote.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>
#include <stdlib.h>

struct order {
	char text[16];
	int64_t quantity;
	int64_t cost;
};

DISRUPTOR_EVENT(order, struct order,
	DISRUPTOR_TEXT(struct order, text),
	DISRUPTOR_I64(struct order, quantity),
	DISRUPTOR_I64(struct order, cost));

static int parse(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->quantity = strtoll(o->text, NULL, 10);
	return DISRUPTOR_CONTINUE;
}

static int price(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->cost = o->quantity * 7;
	return DISRUPTOR_CONTINUE;
}

static int print(void *context, void *event, uint64_t position, int last)
{
	const struct order *o = event;

	(void)context, (void)position, (void)last;
	printf("%s: %lld\n", o->text, (long long)o->cost);
	return DISRUPTOR_CONTINUE;
}

int main(void)
{
	static const char *const names[] = { "parse", "price", "print" };
	static int (*const handlers[])(void *, void *, uint64_t, int) = { parse, price, print };
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 16 };
	struct disruptor_handler h = { .size = sizeof(h) };
	struct disruptor_stage *stages[3];
	struct order_producer producer;
	struct disruptor *d;

	if (disruptor_create(&d, &order_type, &options) != 0)
		goto fail;
	for (int i = 0; i < 3; i++) {
		h.name = names[i];
		h.on_event = handlers[i];
		stages[i] = disruptor_stage(d, &h);
	}
	if (disruptor_pipeline(stages, 3) != 0 || disruptor_start(d) != 0 ||
	    order_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		goto fail;
	for (int i = 1; i <= 10; i++) {
		struct order *o = order_claim(&producer);

		if (!o)
			goto fail;
		snprintf(o->text, sizeof(o->text), "%d pieces", i);
		order_publish(&producer);
	}
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	order_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
