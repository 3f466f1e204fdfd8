/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A failed ring tells its producers and consumers the stage, the position and the code. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#define CAPACITY 8
#define BROKEN_AT 5
#define CODE (-77)

/* A stage 'risk' that fails at an event, beside one that does not. */
struct scene {
	struct disruptor *d;
	struct disruptor_ring *ring;
	struct probe risk, other;
	struct tick_producer producer;
};

static void scene_open(struct scene *s)
{
	struct disruptor_options options = fixture_options(CAPACITY);

	s->d = graph_open(&options);
	s->ring = disruptor_ring(s->d);
	probe_init(&s->risk, "risk");
	s->risk.verdict_at = BROKEN_AT;
	s->risk.verdict = CODE;
	probe_add(&s->risk, s->d);
	probe_init(&s->other, "other");
	probe_add(&s->other, s->d);
	probe_producer(&s->producer, s->d);
}

static void scene_close(struct scene *s)
{
	assert_code(tick_producer_close(&s->producer), 0);
	graph_close(&s->d);
}

static void check_failure(struct disruptor_failure f)
{
	assert_code(f.code, CODE);
	assert_string_equal(f.stage, "risk");
	assert_string_equal(f.hook, "on_event");
	assert_int_equal(f.position, BROKEN_AT);
}

static void leave_another_detail(void)
{
	assert_code(disruptor_ring_create(NULL, NULL, NULL), DISRUPTOR_E_INVAL);
}

static void check_detail_line(void)
{
	assert_string_equal(disruptor_error_detail(),
			    "stage 'risk' failed: on_event answered -77 at position 5");
	leave_another_detail();
}

TEST(claims_on_a_failed_ring_tell_who_failed)
{
	struct scene s;

	scene_open(&s);
	assert_code(disruptor_ring_failure(s.ring).code, 0);
	probe_publish(&s.producer, BROKEN_AT + 1);
	leave_another_detail();
	graph_run_to_failure(s.d);
	check_detail_line(); /* stop's */
	check_failure(disruptor_ring_failure(s.ring));
	check_failure(disruptor_failure(s.d));

	assert_null(tick_claim(&s.producer));
	assert_code(tick_status(&s.producer), DISRUPTOR_E_FAILED);
	check_detail_line();
	assert_null(tick_try_claim(&s.producer));
	check_detail_line();
	assert_null(tick_claim_until(&s.producer, DISRUPTOR_FOREVER));
	check_detail_line();
	assert_int_equal(tick_claim_up_to(&s.producer, 2), 0);
	check_detail_line();
	assert_code(tick_publish_copy(&s.producer, &(struct tick){ 0 }, 1), DISRUPTOR_E_FAILED);
	check_detail_line();
	scene_close(&s);
}

/* A thread that waits for room, or for events, while the stage fails. */
struct waiter {
	struct scene *s;
	int code;
	char detail[256];
};

static void claim_to_the_end(void *argument)
{
	struct waiter *w = argument;
	struct tick_producer *p = &w->s->producer;
	struct tick *t;

	(void)disruptor_producer_handoff(&p->view);
	while ((t = tick_claim(p))) {
		t->value = disruptor_producer_position(&p->view);
		(void)tick_publish(p);
	}
	w->code = tick_status(p);
	(void)snprintf(w->detail, sizeof(w->detail), "%s", disruptor_error_detail());
}

static void read_to_the_end(void *argument)
{
	struct waiter *w = argument;
	struct tick_consumer c;
	int64_t n;

	if (tick_consumer_open(&c, w->s->ring, NULL) != 0)
		return;
	while ((n = tick_ready_until(&c, DISRUPTOR_FOREVER)) > 0)
		(void)tick_release(&c, (uint64_t)n);
	w->code = (int)n;
	(void)snprintf(w->detail, sizeof(w->detail), "%s", disruptor_error_detail());
	(void)tick_consumer_close(&c);
}

TEST(who_waits_while_a_stage_fails_is_told_too)
{
	static void (*const runs[])(void *) = { claim_to_the_end, read_to_the_end };
	struct waiter waiter[COUNT(runs)];
	struct runner thread[COUNT(runs)];
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < COUNT(runs); i++) {
		waiter[i] = (struct waiter){ .s = &s };
		runner_start(&thread[i], "a thread on a failing ring", runs[i], &waiter[i]);
	}
	await_sleeps(s.ring, 2);
	graph_run_to_failure(s.d);
	for (size_t i = 0; i < COUNT(runs); i++) {
		runner_join(&thread[i]);
		assert_code(waiter[i].code, DISRUPTOR_E_FAILED);
		assert_non_null(strstr(waiter[i].detail, "'risk' failed: on_event answered -77"));
		assert_non_null(strstr(waiter[i].detail, "position 5"));
	}
	assert_code(disruptor_producer_handoff(&s.producer.view), 0);
	scene_close(&s);
}

TEST(failure_is_told_of_hooks_too)
{
	struct scene s;

	scene_open(&s);
	s.other.start_answer = CODE;
	assert_code(disruptor_start(s.d), DISRUPTOR_E_FAILED);
	assert_string_equal(disruptor_ring_failure(s.ring).stage, "other");
	assert_string_equal(disruptor_ring_failure(s.ring).hook, "on_start");
	assert_null(tick_claim(&s.producer));
	assert_detail("stage 'other' failed: on_start answered -77");
	scene_close(&s);
}

TEST(reopening_forgets_the_failure)
{
	struct scene s;

	scene_open(&s);
	probe_publish(&s.producer, BROKEN_AT + 1);
	graph_run_to_failure(s.d);
	check_failure(disruptor_ring_failure(s.ring));
	assert_code(disruptor_ring_reopen(s.ring), 0);
	assert_code(disruptor_ring_failure(s.ring).code, 0);
	assert_null(disruptor_ring_failure(s.ring).stage);
	/* and the next is the first again */
	s.risk.verdict_at = BROKEN_AT;
	graph_run_to_failure(s.d);
	check_failure(disruptor_ring_failure(s.ring));
	scene_close(&s);
}

TEST(first_of_several_failures_is_told)
{
	struct scene s;

	scene_open(&s);
	s.other.stop_answer = -78; /* after risk, since the run ends by its failure */
	probe_publish(&s.producer, BROKEN_AT + 1);
	graph_run_to_failure(s.d);
	check_failure(disruptor_failure(s.d));
	check_failure(disruptor_ring_failure(s.ring));
	scene_close(&s);
}

TEST(closed_ring_has_no_failure)
{
	struct fixture f;

	fixture_open(&f, CAPACITY, 1);
	leave_another_detail();
	disruptor_ring_close(f.ring);
	assert_null(tick_claim(&f.producer));
	assert_code(tick_status(&f.producer), DISRUPTOR_E_CLOSED);
	assert_null(strstr(disruptor_error_detail(), "failed"));
	assert_code(disruptor_ring_failure(f.ring).code, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(claims_on_a_failed_ring_tell_who_failed),
		RUN(who_waits_while_a_stage_fails_is_told_too),
		RUN(failure_is_told_of_hooks_too),
		RUN(reopening_forgets_the_failure),
		RUN(first_of_several_failures_is_told),
		RUN(closed_ring_has_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
