/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Stages come and go while the others run: an audit that begins with what is
 * still in the ring, and one that begins with what is new. Nobody drives them
 * but main(), so that what is printed is the same each time.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct payment {
	uint64_t cents;
};

DISRUPTOR_EVENT(payment, struct payment, DISRUPTOR_U64(struct payment, cents));

struct sum {
	uint64_t count, cents;
};

static int add(void *context, void *event, uint64_t position, int last)
{
	const struct payment *p = event;
	struct sum *s = context;

	(void)position, (void)last;
	s->count++;
	s->cents += p->cents;
	return DISRUPTOR_CONTINUE;
}

static int pay(struct disruptor *d, struct payment_producer *p, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct payment *one = payment_claim(p);

		if (!one)
			return -1;
		one->cents = 100;
		payment_publish(p);
	}
	while (disruptor_poll(d, 100) > 0)
		;
	return 0;
}

static void say(const char *when, const struct sum *ledger, const struct sum *audit)
{
	printf("%s: ledger %llu, audit %llu\n", when, (unsigned long long)ledger->count,
	       (unsigned long long)audit->count);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	const struct disruptor_executor driven = { .size = sizeof(driven),
						   .mapping = DISRUPTOR_MAP_NONE };
	struct sum ledger = { 0 }, audit = { 0 };
	struct disruptor_handler handler = { .size = sizeof(handler),
					     .name = "ledger",
					     .reads = "*",
					     .context = &ledger,
					     .on_event = add };
	struct disruptor_attach how = { .size = sizeof(how), .at = DISRUPTOR_AT_OLDEST };
	struct payment_producer producer;
	struct disruptor_stage *stage;
	struct disruptor *d;

	if (disruptor_create(&d, &payment_type, &options) != 0 ||
	    disruptor_set_executor(d, &driven) != 0 || !(stage = disruptor_stage(d, &handler)) ||
	    disruptor_start(d) != 0 ||
	    payment_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		goto fail;
	if (pay(d, &producer, 10) != 0)
		goto fail;
	say("ten payments", &ledger, &audit);

	handler.name = "audit";
	handler.context = &audit;
	how.after = &stage;
	how.after_count = 1;
	stage = disruptor_attach(d, &handler, &how);
	if (!stage || pay(d, &producer, 5) != 0)
		goto fail;
	say("an audit from the oldest, and five more", &ledger, &audit);

	if (disruptor_detach(stage, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) != 0)
		goto fail;
	/* more than the ring holds: it does not wait for who has left */
	for (int i = 0; i < 2; i++)
		if (pay(d, &producer, 40) != 0)
			goto fail;
	say("without it, eighty more", &ledger, &audit);

	if (!(stage = disruptor_attach(d, &handler, NULL)) || pay(d, &producer, 1) != 0)
		goto fail;
	say("an audit from now on, and one more", &ledger, &audit);

	if (disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) != 0)
		goto fail;
	payment_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
