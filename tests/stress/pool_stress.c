/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Pools under load: workers that are stopped and run again at random, one producer
 * or several, aborted claims, a stage before and one after. Each event goes to
 * exactly one worker, the stage after finds that worker's mark, and a producer
 * never writes over an event in hand. Rows T51, T52.
 */
#include "stress.h"

#include <string.h>

#define WORKERS 4
#define PRODUCERS 3
#define KEYS 16

/* The event: `value` is the producer's count, `from` the producer; the pool adds its mark. */
struct job {
	uint64_t from, number, key;
	uint64_t mark; /* of the worker: 1 + its number; a producer sets 0 */
	uint64_t sum;  /* of the above but the mark */
};

DISRUPTOR_EVENT(job, struct job,
	DISRUPTOR_U64(struct job, from),
	DISRUPTOR_U64(struct job, number),
	DISRUPTOR_U64(struct job, key),
	DISRUPTOR_U64(struct job, mark),
	DISRUPTOR_U64(struct job, sum));

struct load;

struct hand {
	struct load *load;
	uint64_t number;
	struct disruptor_stage *stage;
	uint64_t seed;
	uint64_t handled, wrong;
	uint64_t last[PRODUCERS][KEYS]; /* keyed: the number after the last of each */
	DISRUPTOR_ATOMIC(uint32_t) done;
};

struct source {
	struct load *load;
	uint64_t from, seed, sent;
};

struct load {
	struct disruptor *d;
	struct disruptor_stage *pool;
	struct progress progress;
	uint64_t seed;
	uint32_t workers, producers;
	bool keyed, stops;
	struct hand hand[WORKERS];
	struct source source[PRODUCERS];
	DISRUPTOR_ATOMIC(uint32_t) sending;
	uint64_t before, after, unmarked;
	uint64_t next[PRODUCERS];
};

static uint64_t sum_of(const struct job *j)
{
	return (j->from * 31 + j->number) * 31 + j->key;
}

static int work(void *context, void *event, uint64_t position, int last)
{
	struct hand *h = context;
	struct job *j = event;

	(void)position;
	h->handled++;
	h->wrong += j->mark != 0 || j->sum != sum_of(j);
	if (h->load->keyed) {
		uint64_t *expected = &h->last[j->from][j->key];

		h->wrong += j->number < *expected ||
			    disruptor_pool_lane(h->load->pool, j->key) != h->number;
		*expected = j->number + 1;
	}
	if (h->handled % 64 == 0)
		random_pause(&h->seed);
	/* nobody has written over it meanwhile, nor marked it */
	h->wrong += j->mark != 0 || j->sum != sum_of(j);
	j->mark = 1 + h->number;
	if (last)
		progress_made(&h->load->progress);
	return random_in(&h->seed, 0, 5) == 0 ? DISRUPTOR_RELEASE : DISRUPTOR_CONTINUE;
}

static int check_before(void *context, void *event, uint64_t position, int last)
{
	struct load *l = context;
	const struct job *j = event;

	(void)position, (void)last;
	l->before++;
	l->unmarked += j->mark != 0;
	return DISRUPTOR_CONTINUE;
}

static int check_after(void *context, void *event, uint64_t position, int last)
{
	struct load *l = context;
	const struct job *j = event;

	(void)position, (void)last;
	l->after++;
	l->unmarked += j->mark == 0 || j->mark > l->workers || j->sum != sum_of(j);
	l->unmarked += j->number != l->next[j->from]++;
	return DISRUPTOR_CONTINUE;
}

static void send(void *argument)
{
	struct source *s = argument;
	struct budget budget = budget_of(20000, 60);
	struct job_producer p;

	if (job_producer_open(&p, disruptor_ring(s->load->d), NULL) != 0)
		return;
	while (budget_take(&budget)) {
		struct job *j = job_claim(&p);

		if (!j)
			break;
		if (random_in(&s->seed, 0, 15) == 0) {
			(void)job_abort(&p);
			continue;
		}
		j->from = s->from;
		j->number = s->sent++;
		j->key = random_in(&s->seed, 0, KEYS - 1);
		j->mark = 0;
		j->sum = sum_of(j);
		(void)job_publish(&p);
		if (s->sent % 64 == 0)
			random_pause(&s->seed);
	}
	(void)job_producer_close(&p);
	disruptor_fetch_add_release(&s->load->sending, UINT32_MAX);
}

/* Run the worker whenever nobody else does. */
static void run_again(void *argument)
{
	struct hand *h = argument;

	while (!disruptor_load_acquire(&h->done))
		(void)disruptor_stage_run(h->stage);
}

static void stop_at_random(void *argument)
{
	struct load *l = argument;

	while (disruptor_load_acquire(&l->sending) != 0) {
		disruptor_stage_stop(l->hand[random_in(&l->seed, 0, l->workers - 1)].stage);
		random_pause(&l->seed);
	}
}

static struct disruptor_stage *add(struct load *l, const char *name,
				   int (*function)(void *, void *, uint64_t, int))
{
	const struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .context = l, .on_event = function
	};

	return disruptor_stage(l->d, &h);
}

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct job *)event)->key;
}

static void build(struct load *l, struct disruptor_wait wait)
{
	struct disruptor_handler handler[WORKERS];
	struct disruptor_pool_options o = { .size = sizeof(o),
					    .name = "pool",
					    .handlers = handler };
	struct disruptor_options options =
		fixture_options(UINT64_C(1) << random_in(&l->seed, 0, 6));
	struct disruptor_stage *line[3];

	options.wait = wait;
	options.producers = l->producers == 1 ? DISRUPTOR_SINGLE : DISRUPTOR_MANY;
	options.flags |= DISRUPTOR_TRUST_HANDLERS;
	assert_code(disruptor_create(&l->d, &job_type, &options), 0);
	for (uint32_t i = 0; i < l->workers; i++) {
		l->hand[i].load = l;
		l->hand[i].number = i;
		l->hand[i].seed = next_random(&l->seed) | 1;
		handler[i] = (struct disruptor_handler){ .size = sizeof(handler[i]),
							 .name = "worker",
							 .context = &l->hand[i],
							 .on_event = work };
	}
	o.count = l->workers;
	o.key = l->keyed ? key_of : NULL;
	if (!l->keyed)
		o.chunk = (uint32_t)random_in(&l->seed, 1, options.capacity);
	l->pool = disruptor_pool(l->d, &o);
	if (!l->pool)
		fail_msg("%s", disruptor_error_detail());
	line[0] = add(l, "before", check_before);
	line[1] = l->pool;
	line[2] = add(l, "after", check_after);
	assert_code(disruptor_pipeline(line, 3), 0);
	for (uint32_t i = 0; i < l->workers; i++)
		l->hand[i].stage = disruptor_pool_worker(l->pool, i);
}

static void check(struct load *l, uint64_t seed)
{
	uint64_t sent = 0, handled = 0, wrong = l->unmarked;

	for (uint32_t i = 0; i < l->producers; i++)
		sent += l->source[i].sent;
	for (uint32_t i = 0; i < l->workers; i++) {
		handled += l->hand[i].handled;
		wrong += l->hand[i].wrong;
	}
	if (handled != sent || l->before != sent || l->after != sent || wrong != 0)
		fail_msg("seed %llu, %u workers, %u producers%s: %llu sent, %llu before, %llu "
			 "handled, %llu after, %llu wrong",
			 (unsigned long long)seed, l->workers, l->producers,
			 l->keyed ? ", keyed" : "", (unsigned long long)sent,
			 (unsigned long long)l->before, (unsigned long long)handled,
			 (unsigned long long)l->after, (unsigned long long)wrong);
}

/* The threads of the test run everything, so that workers can come back while the rest runs. */
static void run_freely(struct load *l)
{
	struct runner worker[WORKERS], source[PRODUCERS], stopper;

	graph_start(l->d);
	for (uint32_t i = 0; i < l->producers; i++) {
		l->source[i].load = l;
		l->source[i].from = i;
		l->source[i].seed = next_random(&l->seed) | 1;
	}
	disruptor_store_relaxed(&l->sending, l->producers);
	for (uint32_t i = 0; l->stops && i < l->workers; i++)
		runner_start(&worker[i], "a worker", run_again, &l->hand[i]);
	for (uint32_t i = 0; i < l->producers; i++)
		runner_start(&source[i], "a producer", send, &l->source[i]);
	if (l->stops)
		runner_start(&stopper, "who stops workers", stop_at_random, l);
	join_with_progress(source, l->producers, &l->progress);
	if (l->stops)
		runner_join(&stopper);
	graph_drain(l->d); /* its end waits for workers that come back */
	for (uint32_t i = 0; l->stops && i < l->workers; i++)
		disruptor_store_release(&l->hand[i].done, 1u);
	for (uint32_t i = 0; l->stops && i < l->workers; i++)
		runner_join(&worker[i]);
	/* nothing is left for another run */
	graph_start(l->d);
	graph_drain(l->d);
}

static void run(bool keyed, bool stops, struct disruptor_wait wait, uint64_t seed)
{
	struct load l;

	memset(&l, 0, sizeof(l));
	l.seed = seed;
	l.keyed = keyed;
	l.stops = stops;
	l.workers = (uint32_t)random_in(&l.seed, 1, WORKERS);
	l.producers = (uint32_t)random_in(&l.seed, 1, PRODUCERS);
	build(&l, wait);
	run_freely(&l);
	check(&l, seed);
	assert_code(disruptor_destroy(&l.d), 0);
}

static void rounds(bool keyed, bool stops, uint64_t seed)
{
	for (unsigned round = 0; round < 2; round++)
		for (size_t wait = 0; wait < FIXTURE_WAITS; wait++)
			run(keyed, stops, fixture_wait(wait), next_random(&seed) | 1);
}

TEST(each_event_is_handled_once)
{
	rounds(false, false, fixture_seed(51));
}

TEST(each_event_is_handled_once_though_workers_come_and_go)
{
	rounds(false, true, fixture_seed(52));
}

TEST(keys_keep_their_order_and_their_worker)
{
	rounds(true, false, fixture_seed(53));
}

TEST(keys_keep_their_order_though_workers_come_and_go)
{
	rounds(true, true, fixture_seed(54));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(each_event_is_handled_once),
		RUN(each_event_is_handled_once_though_workers_come_and_go),
		RUN(keys_keep_their_order_and_their_worker),
		RUN(keys_keep_their_order_though_workers_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
