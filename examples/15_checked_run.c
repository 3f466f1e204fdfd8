/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A checked run: the graph is right by what its handlers declare, and one of
 * them does not keep its word. Nobody would see it in an ordinary run, until
 * the fee of some order is wrong. Here the run ends at the first such write.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct order {
	int64_t price;
	int64_t fee;
	uint8_t refused;
};

DISRUPTOR_EVENT(order, struct order,
	DISRUPTOR_I64(struct order, price),
	DISRUPTOR_I64(struct order, fee),
	DISRUPTOR_BOOL(struct order, refused));

static int on_fees(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->fee = o->price / 100;
	return DISRUPTOR_CONTINUE;
}

static int on_risk(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->refused = o->price > 2000;
	if (o->refused)
		o->price = -1; /* not its own to write, and 'fees' may be reading it */
	return DISRUPTOR_CONTINUE;
}

static void on_warning(void *context, enum disruptor_warning kind, const char *text)
{
	(void)context, (void)kind;
	printf("warning: %s\n", text);
}

static struct disruptor_stage *stage(struct disruptor *d, const char *name, const char *writes,
				     int (*on_event)(void *, void *, uint64_t, int))
{
	struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .reads = "price", .writes = writes
	};

	h.on_event = on_event;
	return disruptor_stage(d, &h);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	const struct disruptor_checks checks = { .size = sizeof(checks),
						 .produced = "price",
						 .warn = on_warning,
						 .flags = DISRUPTOR_CHECK_RUN };
	struct order_producer producer;
	struct disruptor_failure failure;
	struct disruptor *d;
	struct order *o;

	if (disruptor_create(&d, &order_type, &options) != 0 ||
	    disruptor_set_checks(d, &checks) != 0 || !stage(d, "fees", "fee", on_fees) ||
	    !stage(d, "risk", "refused", on_risk) || disruptor_start(d) != 0 ||
	    order_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		goto fail;
	for (int64_t i = 0; (o = order_claim(&producer)); i++) {
		o->price = 100 * (i + 1);
		order_publish(&producer);
	}
	printf("producer: %s: %s\n", disruptor_error_name(order_status(&producer)),
	       disruptor_error_detail());
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	failure = disruptor_failure(d);
	printf("%s in stage '%s' at position %llu\n", disruptor_error_name(failure.code),
	       failure.stage, (unsigned long long)failure.position);
	order_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
