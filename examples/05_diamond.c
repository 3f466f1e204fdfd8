/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A diamond: an order is matched once it is in the journal and its risk is known. */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct order {
	int64_t quantity;
	uint8_t refused; /* risk's alone to write */
};

DISRUPTOR_EVENT(order, struct order,
	DISRUPTOR_I64(struct order, quantity),
	DISRUPTOR_BOOL(struct order, refused));

static uint64_t journalled, matched;

static int on_journal(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	journalled++; /* a real one writes, and syncs at the last of a batch */
	return DISRUPTOR_CONTINUE;
}

static int on_risk(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->refused = o->quantity > 75;
	return DISRUPTOR_CONTINUE;
}

static int on_match(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)position, (void)last;
	matched += !((const struct order *)event)->refused;
	return DISRUPTOR_CONTINUE;
}

/* journal and risk run side by side: start() checks that neither writes what the other touches. */
static struct disruptor_stage *stage(struct disruptor *d, const char *name, const char *reads,
				     const char *writes,
				     int (*on_event)(void *, void *, uint64_t, int))
{
	struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .reads = reads, .writes = writes
	};

	h.on_event = on_event;
	return disruptor_stage(d, &h);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	struct disruptor_stage *journal, *risk, *match;
	struct order_producer producer;
	struct disruptor *d;

	if (disruptor_create(&d, &order_type, &options) != 0)
		goto fail;
	journal = stage(d, "journal", "quantity", NULL, on_journal);
	risk = stage(d, "risk", "quantity", "refused", on_risk);
	match = stage(d, "match", "refused", NULL, on_match);
	if (disruptor_after(match, journal) != 0 || disruptor_after(match, risk) != 0 ||
	    disruptor_start(d) != 0 || order_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		goto fail;
	for (int i = 0; i < 1000; i++) {
		struct order *o = order_claim(&producer);

		if (!o)
			goto fail;
		o->quantity = i % 100 + 1;
		order_publish(&producer);
	}
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	printf("%llu in the journal, %llu matched\n", (unsigned long long)journalled,
	       (unsigned long long)matched);
	order_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
