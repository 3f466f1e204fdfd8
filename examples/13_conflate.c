/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The latest price of each instrument. A stage sees every tick and keeps the
 * last of each key; a slow reader takes what has changed, when it likes. Here it
 * likes when all is over, so that the output is always the same.
 */
#include <disruptor/disruptor.h>

#include <inttypes.h>
#include <stdio.h>

struct tick {
	uint64_t instrument;
	int64_t price;
};

DISRUPTOR_EVENT(tick, struct tick,
	DISRUPTOR_U64(struct tick, instrument),
	DISRUPTOR_I64(struct tick, price));

static uint64_t instrument_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->instrument;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, disruptor_error_detail());
	return 1;
}

static void feed(struct disruptor *d)
{
	struct tick_producer p;

	if (tick_producer_open(&p, disruptor_ring(d), NULL) != 0)
		return;
	for (int64_t i = 0; i < 30000; i++) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		t->instrument = 103 - (uint64_t)i % 3;
		t->price = 1000 + i;
		tick_publish(&p);
	}
	tick_producer_close(&p);
}

static void show(struct disruptor_conflate *latest)
{
	uint64_t position;
	struct tick t;

	while (disruptor_conflate_take_until(latest, &t, &position, DISRUPTOR_FOREVER) == 1)
		printf("instrument %" PRIu64 ": %" PRId64 ", event %" PRIu64 "\n", t.instrument,
		       t.price, position);
	printf("%" PRIu64 " prices were replaced before they were taken\n",
	       disruptor_conflate_conflated(latest));
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 1024 };
	const struct disruptor_conflate_options table = { .size = sizeof(table),
							  .keys = 100,
							  .key = instrument_of };
	struct disruptor_handler stage = { .size = sizeof(stage),
					   .name = "latest",
					   .reads = "*",
					   .on_event = disruptor_conflate_on_event };
	struct disruptor_conflate *latest;
	struct disruptor *d;

	if (disruptor_conflate_create(&latest, &tick_type, &table) != 0)
		return fail("table");
	stage.context = latest;
	if (disruptor_create(&d, &tick_type, &options) != 0 || !disruptor_stage(d, &stage) ||
	    disruptor_start(d) != 0)
		return fail("start");
	feed(d);
	if (disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) != 0)
		return fail("stop");
	disruptor_conflate_close(latest); /* nothing more will come: the reader ends */
	show(latest);
	disruptor_conflate_destroy(&latest);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
}
