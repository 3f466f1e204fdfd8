/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sharing work: each event to one of three workers, and a pool by key; a stage after both. */
#include <disruptor/disruptor.h>

#include <stdio.h>

#define WORKERS 3
#define JOBS 300
#define ACCOUNTS 10

struct job {
	uint64_t account;
	uint64_t number;   /* of its account's jobs */
	uint64_t square;   /* the free pool's result */
	uint64_t in_order; /* the keyed pool's */
};

DISRUPTOR_EVENT(job, struct job,
	DISRUPTOR_U64(struct job, account),
	DISRUPTOR_U64(struct job, number),
	DISRUPTOR_U64(struct job, square),
	DISRUPTOR_U64(struct job, in_order));

/* Whoever is free. */
static int compute(void *context, void *event, uint64_t position, int last)
{
	struct job *j = event;

	(void)context, (void)position, (void)last;
	j->square = j->number * j->number;
	return DISRUPTOR_CONTINUE;
}

/* An account's jobs are one worker's, in order: so each has its accounts' state to itself. */
static int book(void *context, void *event, uint64_t position, int last)
{
	uint64_t *next = context;
	struct job *j = event;

	(void)position, (void)last;
	j->in_order = j->number == next[j->account]++;
	return DISRUPTOR_CONTINUE;
}

static uint64_t account_of(const void *event, void *context)
{
	(void)context;
	return ((const struct job *)event)->account;
}

static struct {
	uint64_t jobs, computed, in_order;
} total;

static int count(void *context, void *event, uint64_t position, int last)
{
	const struct job *j = event;

	(void)context, (void)position, (void)last;
	total.jobs++;
	total.computed += j->square == j->number * j->number;
	total.in_order += j->in_order;
	return DISRUPTOR_CONTINUE;
}

static struct disruptor_stage *add_pools(struct disruptor *d, struct disruptor_stage **keyed)
{
	static uint64_t next[WORKERS][ACCOUNTS];
	struct disruptor_handler free_hands[WORKERS], clerks[WORKERS];

	for (uint32_t i = 0; i < WORKERS; i++) {
		free_hands[i] = (struct disruptor_handler){ .size = sizeof(free_hands[i]),
							    .name = "compute",
							    .on_event = compute,
							    .reads = "number",
							    .writes = "square" };
		clerks[i] = (struct disruptor_handler){ .size = sizeof(clerks[i]),
							.name = "book",
							.context = next[i],
							.on_event = book,
							.reads = "account, number",
							.writes = "in_order" };
	}
	*keyed = disruptor_pool(
		d, &(struct disruptor_pool_options){ .size = sizeof(struct disruptor_pool_options),
						     .name = "by account",
						     .handlers = clerks,
						     .count = WORKERS,
						     .key = account_of });
	return disruptor_pool(
		d, &(struct disruptor_pool_options){ .size = sizeof(struct disruptor_pool_options),
						     .name = "whoever is free",
						     .handlers = free_hands,
						     .count = WORKERS,
						     .chunk = 4 });
}

static int send(struct disruptor *d)
{
	struct job_producer producer;

	if (job_producer_open(&producer, disruptor_ring(d), NULL) != 0)
		return -1;
	for (uint64_t i = 0; i < JOBS; i++) {
		struct job *j = job_claim(&producer);

		if (!j)
			return -1;
		*j = (struct job){ .account = i % ACCOUNTS, .number = i / ACCOUNTS };
		job_publish(&producer);
	}
	return job_producer_close(&producer);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 64 };
	const struct disruptor_handler counter = {
		.size = sizeof(counter), .name = "count", .on_event = count, .reads = "*"
	};
	struct disruptor_stage *free_pool, *keyed, *after;
	struct disruptor *d;

	if (disruptor_create(&d, &job_type, &options) != 0)
		goto fail;
	free_pool = add_pools(d, &keyed);
	after = disruptor_stage(d, &counter);
	if (!free_pool || !keyed || !after || disruptor_after(after, free_pool) != 0 ||
	    disruptor_after(after, keyed) != 0 || disruptor_start(d) != 0 || send(d) != 0 ||
	    disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER) != 0)
		goto fail;
	printf("jobs: %llu\n", (unsigned long long)total.jobs);
	printf("computed by some worker: %llu\n", (unsigned long long)total.computed);
	printf("booked in their account's order: %llu\n", (unsigned long long)total.in_order);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
