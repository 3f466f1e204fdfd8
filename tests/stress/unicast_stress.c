/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T87: numbers through 8192 slots and a pipeline; each stage's sum is the
 * triangle number. Every wait strategy; as many as a million where time allows.
 */
#include "stress.h"

#include <string.h>

#define CAPACITY 8192
#define STAGES_MAX 4

struct summer {
	uint64_t sum, count;
	struct progress *progress;
};

static int add(void *context, void *event, uint64_t position, int last)
{
	struct summer *s = context;

	(void)position;
	s->sum += ((const struct tick *)event)->value;
	s->count++;
	if (last)
		progress_made(s->progress);
	return DISRUPTOR_CONTINUE;
}

struct unicast {
	struct disruptor *d;
	struct progress progress;
	struct summer summer[STAGES_MAX];
	struct budget budget;
	uint64_t batch; /* events a publish */
	uint64_t sent;
};

static void count_up(void *argument)
{
	struct unicast *u = argument;
	struct tick_producer p;

	open_producer(&p, disruptor_ring(u->d), (struct disruptor_wait){ 0 });
	while (budget_take(&u->budget) && tick_claim_n(&p, u->batch)) {
		for (uint64_t i = 0; i < u->batch; i++)
			tick_claimed_at(&p, i)->value = ++u->sent;
		(void)tick_publish(&p);
	}
	(void)tick_producer_close(&p);
}

static void add_stages(struct unicast *u, size_t stages)
{
	struct disruptor_stage *order[STAGES_MAX];

	for (size_t i = 0; i < stages; i++) {
		struct disruptor_handler h = { .size = sizeof(h),
					       .name = "summer",
					       .context = &u->summer[i],
					       .on_event = add };

		u->summer[i].progress = &u->progress;
		order[i] = disruptor_stage(u->d, &h);
		assert_non_null(order[i]);
	}
	assert_code(disruptor_pipeline(order, stages), 0);
}

static uint64_t unicast(struct disruptor_options options, size_t stages, uint64_t batch,
			struct budget budget)
{
	struct runner thread;
	struct unicast u;

	memset(&u, 0, sizeof(u));
	u.budget = budget;
	u.batch = batch;
	u.d = graph_open(&options);
	add_stages(&u, stages);
	graph_start(u.d);
	runner_start(&thread, "the producer", count_up, &u);
	join_with_progress(&thread, 1, &u.progress);
	graph_drain(u.d);
	assert_true(u.sent > 0);
	for (size_t i = 0; i < stages; i++) {
		assert_int_equal(u.summer[i].count, u.sent);
		assert_int_equal(u.summer[i].sum, u.sent * (u.sent + 1) / 2);
	}
	graph_close(&u.d);
	return u.sent;
}

TEST(million_numbers_add_up_to_the_triangle_number)
{
	/* generous: it takes a few milliseconds */
	struct budget budget = budget_of(1000000, 20000);
	uint64_t wanted = budget.left;

	assert_int_equal(unicast(fixture_options(CAPACITY), 1, 1, budget), wanted);
}

TEST(pipelines_add_up_with_every_strategy)
{
	for (size_t i = 0; i < FIXTURE_WAITS; i++) {
		for (size_t stages = 1; stages <= STAGES_MAX; stages++) {
			struct disruptor_options options = fixture_options(CAPACITY);

			options.wait = fixture_wait(i);
			(void)unicast(options, stages, 1, budget_of(1000000, 30));
		}
	}
}

TEST(batches_add_up_in_both_layouts)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct disruptor_options options = fixture_options(CAPACITY);

		options.layout = (enum disruptor_layout)layout;
		(void)unicast(options, 2, 16, budget_of(100000, 100));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(million_numbers_add_up_to_the_triangle_number),
		RUN(pipelines_add_up_with_every_strategy),
		RUN(batches_add_up_in_both_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
