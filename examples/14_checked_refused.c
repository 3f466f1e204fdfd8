/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A graph that is refused: two stages side by side would write the same field.
 * Handlers say what they touch, so the start can tell, before anything races.
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

static int on_event(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

static struct disruptor_stage *stage(struct disruptor *d, const char *name, const char *reads,
				     const char *writes)
{
	const struct disruptor_handler h = { .size = sizeof(h),
					     .name = name,
					     .on_event = on_event,
					     .reads = reads,
					     .writes = writes };

	return disruptor_stage(d, &h);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	struct disruptor_stage *fees, *risk, *discount;
	struct disruptor *d;
	int rc;

	if (disruptor_create(&d, &order_type, &options) != 0)
		goto fail;
	fees = stage(d, "fees", "price", "fee");
	risk = stage(d, "risk", "price", "refused");
	discount = stage(d, "discount", "price, refused", "fee");

	rc = disruptor_start(d);
	printf("%s: %s\n", disruptor_error_name(rc), disruptor_error_detail());

	if (disruptor_after(discount, fees) != 0)
		goto fail;
	rc = disruptor_start(d);
	printf("%s: %s\n", disruptor_error_name(rc), disruptor_error_detail());

	if (disruptor_after(discount, risk) != 0)
		goto fail;
	rc = disruptor_start(d);
	printf("%s: the discount comes after both, which are side by side\n",
	       disruptor_error_name(rc));
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
