/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Multicast: stages without an order between them run side by side; each sees every event.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct reading {
	int64_t celsius;
};

DISRUPTOR_EVENT(reading, struct reading, DISRUPTOR_I64(struct reading, celsius));

struct statistic {
	const char *name;
	int64_t value;
};

static int sum(void *context, void *event, uint64_t position, int last)
{
	(void)position, (void)last;
	((struct statistic *)context)->value += ((const struct reading *)event)->celsius;
	return DISRUPTOR_CONTINUE;
}

static int highest(void *context, void *event, uint64_t position, int last)
{
	int64_t celsius = ((const struct reading *)event)->celsius;
	struct statistic *s = context;

	(void)last;
	s->value = position == 0 || celsius > s->value ? celsius : s->value;
	return DISRUPTOR_CONTINUE;
}

static int below_zero(void *context, void *event, uint64_t position, int last)
{
	(void)position, (void)last;
	((struct statistic *)context)->value += ((const struct reading *)event)->celsius < 0;
	return DISRUPTOR_CONTINUE;
}

int main(void)
{
	static int (*const handlers[])(void *, void *, uint64_t, int) = { sum, highest,
									  below_zero };
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 32 };
	struct statistic statistics[] = { { "sum", 0 }, { "highest", 0 }, { "below zero", 0 } };
	struct reading_producer producer;
	struct disruptor *d;

	if (disruptor_create(&d, &reading_type, &options) != 0)
		goto fail;
	for (int i = 0; i < 3; i++) {
		const struct disruptor_handler h = { .size = sizeof(h),
						     .name = statistics[i].name,
						     .context = &statistics[i],
						     .on_event = handlers[i],
						     .reads = "*" };

		if (!disruptor_stage(d, &h))
			goto fail;
	}
	if (disruptor_start(d) != 0 ||
	    reading_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		goto fail;
	for (int i = 0; i < 1000; i++) {
		struct reading *r = reading_claim(&producer);

		if (!r)
			goto fail;
		r->celsius = i * 37 % 51 - 10;
		reading_publish(&producer);
	}
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	for (int i = 0; i < 3; i++)
		printf("%s: %lld\n", statistics[i].name, (long long)statistics[i].value);
	reading_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
