/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A claim that would wait for its own thread is refused. Rows T63, T78. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#define CAPACITY 4

/* Two stages, and a producer that the handler of one of them uses. */
struct loop {
	struct disruptor *d;
	struct probe probe[2];
	struct tick_producer outside; /* the test's, while no handler uses one */
	struct tick_producer inside;  /* the handler's */
	uint64_t deadline_ns;         /* of the handler's claims; 0: none */
	uint64_t wanted;              /* claims that the handler makes */
	uint64_t made;
	int status;     /* of the claim that was refused */
	int try_status; /* of try_claim after that */
	char detail[256];
};

static void claim_inside(void *context)
{
	struct loop *l = context;

	for (; l->wanted > 0; l->wanted--) {
		struct tick *t =
			l->deadline_ns ? tick_claim_until(&l->inside, disruptor_in(l->deadline_ns))
				       : tick_claim(&l->inside);

		if (!t) {
			l->status = tick_status(&l->inside);
			(void)snprintf(l->detail, sizeof(l->detail), "%s",
				       disruptor_error_detail());
			(void)tick_try_claim(&l->inside);
			l->try_status = tick_status(&l->inside);
			l->wanted = 0;
			return;
		}
		t->value = disruptor_producer_position(&l->inside.view);
		(void)tick_publish(&l->inside);
		l->made++;
	}
}

static void loop_open(struct loop *l, size_t publisher, bool ordered)
{
	static const char *const names[] = { "early", "late" };
	struct disruptor_options options = fixture_options(CAPACITY);
	/* many: a view for the test and one for the handler, which owns it by opening it */
	options.producers = DISRUPTOR_MANY;
	*l = (struct loop){ .status = 1, .try_status = 1 };
	l->d = graph_open(&options);
	for (size_t i = 0; i < 2; i++) {
		probe_init(&l->probe[i], names[i]);
		if (i == publisher) {
			l->probe[i].act = claim_inside;
			l->probe[i].act_context = l;
		}
		probe_add(&l->probe[i], l->d);
	}
	if (ordered)
		assert_code(disruptor_after(l->probe[1].stage, l->probe[0].stage), 0);
	probe_producer(&l->outside, l->d);
	assert_code(tick_producer_open(&l->inside, disruptor_ring(l->d), NULL), 0);
}

static int take_over(void *context)
{
	struct loop *l = context;

	return disruptor_producer_handoff(&l->inside.view);
}

static void loop_close(struct loop *l)
{
	assert_code(tick_producer_close(&l->inside), 0);
	assert_code(tick_producer_close(&l->outside), 0);
	graph_close(&l->d);
}

static void act_as_owner(void *context)
{
	(void)take_over(context);
	claim_inside(context);
}

/* The handler claims one event more than there is room for. */
static void refused(size_t publisher, bool ordered, uint64_t deadline_ns)
{
	static const char *const names[] = { "early", "late" };
	struct loop l;

	loop_open(&l, publisher, ordered);
	l.probe[publisher].act = act_as_owner;
	l.deadline_ns = deadline_ns;
	l.wanted = 2 * CAPACITY;
	probe_publish(&l.outside, 1);
	graph_start(l.d);
	probe_await(&l.probe[publisher], 1);
	graph_drain(l.d);
	assert_code(l.status, DISRUPTOR_E_DEADLK);
	assert_code(l.try_status, DISRUPTOR_E_FULL);
	assert_non_null(strstr(l.detail, names[publisher]));
	assert_int_equal(l.made, CAPACITY - 1);
	for (size_t i = 0; i < 2; i++)
		probe_expect(&l.probe[i], 0, CAPACITY);
	loop_close(&l);
}

TEST(handler_that_waits_for_its_own_stage_is_refused)
{
	refused(0, false, 0);
	refused(1, false, 0);
}

TEST(handler_of_the_first_or_last_stage_is_refused_alike)
{
	refused(0, true, 0);
	refused(1, true, 0);
}

TEST(handler_with_a_deadline_is_refused_at_once)
{
	refused(0, false, UINT64_C(1000000) * WATCHDOG_MS * 4);
}

TEST(handler_may_publish_while_there_is_room)
{
	struct loop l;

	loop_open(&l, 0, true);
	l.probe[0].act = act_as_owner;
	l.wanted = CAPACITY - 1;
	probe_publish(&l.outside, 1);
	graph_start(l.d);
	probe_await(&l.probe[1], CAPACITY);
	graph_drain(l.d);
	assert_code(l.status, 1); /* none was refused */
	assert_int_equal(l.made, CAPACITY - 1);
	loop_close(&l);
}

/* Another ring's stage may be waited for: here one that another thread drains. */
TEST(handler_may_wait_for_another_ring)
{
	struct loop l, other;

	loop_open(&l, 0, false);
	loop_open(&other, 2, false);
	/* swap the views: the handler of `l` publishes into `other` */
	assert_code(tick_producer_close(&l.inside), 0);
	assert_code(tick_producer_open(&l.inside, disruptor_ring(other.d), NULL), 0);
	l.probe[0].act = act_as_owner;
	l.wanted = 50 * CAPACITY;
	graph_start(other.d);
	graph_start(l.d);
	probe_publish(&l.outside, 1);
	probe_await(&other.probe[1], 50 * CAPACITY);
	graph_drain(l.d);
	assert_code(l.status, 1);
	graph_drain(other.d);
	probe_expect(&other.probe[0], 0, 50 * CAPACITY);
	loop_close(&l);
	loop_close(&other);
}

/* Once the run is over, its thread holds nothing. */
TEST(thread_that_ran_a_stage_may_wait_afterwards)
{
	struct loop l;

	loop_open(&l, 2, false);
	probe_publish(&l.outside, CAPACITY);
	disruptor_stage_stop(l.probe[0].stage);
	assert_code(disruptor_stage_run(l.probe[0].stage), 0);
	assert_null(tick_claim_until(&l.outside, in_ms(5)));
	assert_code(tick_status(&l.outside), DISRUPTOR_E_TIMEOUT);
	loop_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(handler_that_waits_for_its_own_stage_is_refused),
		RUN(handler_of_the_first_or_last_stage_is_refused_alike),
		RUN(handler_with_a_deadline_is_refused_at_once),
		RUN(handler_may_publish_while_there_is_room),
		RUN(handler_may_wait_for_another_ring),
		RUN(thread_that_ran_a_stage_may_wait_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
