/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Producers that pause at random, so that consumers really sleep and must be
 * woken; and slow stages, behind which others sleep rather than spin.
 */
#include "stress.h"

#include <string.h>

#define STAGES 3

struct drowsy {
	struct disruptor *d;
	struct checker checker[STAGES];
	struct progress progress;
	uint64_t sent;
};

/* As many as a quarter of the time brings on an idle machine; on a busy one it takes as long as it takes. */
static bool has_slept_enough(const struct drowsy *d)
{
	return disruptor_ring_stats(disruptor_ring(d->d)).sleeps > 10u * fixture_percent() / 100;
}

static void publish_and_pause(void *argument)
{
	struct drowsy *d = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 500);
	uint64_t seed = fixture_seed(29);
	struct tick_producer p;

	open_producer(&p, disruptor_ring(d->d), (struct disruptor_wait){ 0 });
	do {
		for (uint64_t n = random_in(&seed, 1, 5); n > 0; n--) {
			struct tick *t = tick_claim(&p);

			if (!t)
				return;
			t->value = disruptor_producer_position(&p.view);
			(void)tick_publish(&p);
			d->sent++;
		}
		random_pause(&seed);
		if (d->sent % 7 == 0)
			pause_ms(1);
		budget.until_clock = 1;
	} while (budget_take(&budget) || !has_slept_enough(d));
	(void)tick_producer_close(&p);
}

/* One and two side by side, three behind both. */
static void drowse(struct disruptor_wait wait, enum disruptor_layout layout)
{
	struct disruptor_options options = fixture_options(8);
	struct runner thread;
	struct drowsy d;

	memset(&d, 0, sizeof(d));
	options.wait = wait;
	options.layout = layout;
	d.d = graph_open(&options);
	for (size_t i = 0; i < STAGES; i++) {
		checker_init(&d.checker[i], "drowsy", &d.progress);
		checker_add(&d.checker[i], d.d);
	}
	assert_code(disruptor_after(d.checker[2].stage, d.checker[0].stage), 0);
	assert_code(disruptor_after(d.checker[2].stage, d.checker[1].stage), 0);
	graph_start(d.d);
	runner_start(&thread, "the producer", publish_and_pause, &d);
	join_with_progress(&thread, 1, &d.progress);
	graph_drain(d.d);
	assert_true(has_slept_enough(&d));
	for (size_t i = 0; i < STAGES; i++) {
		assert_int_equal(d.checker[i].wrong, 0);
		assert_int_equal(d.checker[i].next, d.sent);
	}
	graph_close(&d.d);
}

TEST(consumers_that_sleep_are_woken)
{
	drowse(disruptor_wait_blocking(), DISRUPTOR_STAMPED);
	drowse(disruptor_wait_phased(1000, 1000), DISRUPTOR_STAMPED);
	drowse(disruptor_wait_blocking(), DISRUPTOR_PACKED);
}

/* ---- behind a slow stage ---- */

static void take_time(void *context)
{
	(void)context;
	pause_ms(4);
}

/* What is measured is some ms; spinning instead of sleeping would be all of it. */
TEST(stages_and_producer_behind_a_slow_stage_sleep)
{
	struct disruptor_options options = fixture_options(4);
	struct tick_producer producer;
	struct probe probe[3];
	uint64_t began, passed, own;
	struct disruptor *d;

	d = graph_open(&options);
	for (size_t i = 0; i < 3; i++) {
		probe_init(&probe[i], i == 0 ? "slow" : "behind");
		probe_add(&probe[i], d);
	}
	assert_code(disruptor_after(probe[1].stage, probe[0].stage), 0);
	assert_code(disruptor_after(probe[2].stage, probe[1].stage), 0);
	probe[0].act = take_time;
	graph_start(d);
	probe_producer(&producer, d);
	began = disruptor_now();
	own = thread_cpu_ns();
	probe_publish(&producer, 100);
	own = thread_cpu_ns() - own;
	graph_drain(d);
	passed = disruptor_now() - began;
	for (size_t i = 0; i < 3; i++) {
		probe_expect(&probe[i], 0, 100);
		assert_true(probe[i].cpu_ns < passed / 3);
	}
	assert_true(own < passed / 3);
	assert_code(tick_producer_close(&producer), 0);
	graph_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(consumers_that_sleep_are_woken),
		RUN(stages_and_producer_behind_a_slow_stage_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
