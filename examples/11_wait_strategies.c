/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Wait strategies: how a stage passes the time until the next event. They are
 * values, set for a whole ring or for one stage, and change speed and CPU use,
 * never the result. If in doubt, leave it alone: blocking is the default, sleeps
 * when there is nothing to do, and costs the publisher nothing while awake.
 */
#include <disruptor/disruptor.h>

#include <stdio.h>

struct number {
	uint64_t value;
};

DISRUPTOR_EVENT(number, struct number, DISRUPTOR_U64(struct number, value));

static int add(void *sum, void *event, uint64_t position, int last)
{
	(void)position, (void)last;
	*(uint64_t *)sum += ((const struct number *)event)->value;
	return DISRUPTOR_CONTINUE;
}

/* A strategy of one's own is asked between two looks, with their number so far. */
static int give_up_never(void *context, uint64_t round)
{
	(void)context, (void)round;
	return 0; /* look again; a negative code would end the wait */
}

static int run(struct disruptor_wait wait)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = 1024,
						   .wait = wait };
	uint64_t sum = 0;
	const struct disruptor_handler adder = {
		.size = sizeof(adder), .name = "adder", .context = &sum, .on_event = add
	};
	struct number_producer producer;
	struct disruptor *d;

	if (disruptor_create(&d, &number_type, &options) != 0 || !disruptor_stage(d, &adder) ||
	    disruptor_start(d) != 0 ||
	    number_producer_open(&producer, disruptor_ring(d), NULL) != 0) {
		fprintf(stderr, "%s\n", disruptor_error_detail());
		return 1;
	}
	for (uint64_t i = 1; i <= 1000; i++) {
		struct number *n = number_claim(&producer);

		if (!n)
			break; /* the ring has failed: the sum will be too small */
		n->value = i;
		number_publish(&producer);
	}
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	printf("%-10s %llu\n", disruptor_wait_name(wait.kind), (unsigned long long)sum);
	number_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
}

int main(void)
{
	int rc = 0;

	rc |= run(disruptor_wait_busy_spin());            /* a core for the lowest latency */
	rc |= run(disruptor_wait_spin());                 /* the same, kinder to the other thread */
	rc |= run(disruptor_wait_yielding());             /* more threads than cores */
	rc |= run(disruptor_wait_sleeping(1000, 100000)); /* background work: 1 … 100 µs naps */
	rc |= run(disruptor_wait_phased(20000, 50000));   /* spin, then yield, then block */
	rc |= run(disruptor_wait_blocking());             /* the default */
	rc |= run(disruptor_wait_custom(give_up_never, NULL));
	return rc;
}
