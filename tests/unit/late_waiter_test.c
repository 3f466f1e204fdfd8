/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Who waits on the disruptor's monitor is slow to come back from it, and others stop, start and
 * attach meanwhile: what the model tests/spin/lifecycle.pml has found.
 */
#include "probe.h"

#include <semaphore.h>

static _Thread_local bool is_slow; /* this thread's next return from a wait comes late */
static sem_t came, let_go;

int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);

/* As if another thread, or several, had taken the mutex before us. */
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	int rc = __real_pthread_cond_wait(c, m);

	if (is_slow) {
		is_slow = false;
		pthread_mutex_unlock(m);
		sem_post(&came);
		while (sem_wait(&let_go) != 0)
			;
		pthread_mutex_lock(m);
	}
	return rc;
}

struct call {
	struct disruptor *d;
	struct probe *probe;
	int rc;
};

static void start_slowly(void *argument)
{
	struct call *c = argument;

	is_slow = true;
	c->rc = disruptor_start(c->d);
	is_slow = false;
}

static void attach_slowly(void *argument)
{
	struct call *c = argument;

	is_slow = true;
	c->probe->stage = disruptor_attach(c->d, &c->probe->handler, NULL);
	is_slow = false;
}

static void begin(struct call *c, struct probe *first, struct probe *late)
{
	struct disruptor_options options = fixture_options(64);

	sem_init(&came, 0, 0);
	sem_init(&let_go, 0, 0);
	*c = (struct call){ .d = graph_open(&options), .probe = late };
	probe_init(first, "first");
	probe_init(late, "late");
	probe_add(first, c->d);
}

static void wait_for_it(void)
{
	while (sem_wait(&came) != 0)
		;
}

/* The run that a start waits for is over, and a stage has come that was not in it. */
TEST(a_start_does_not_wait_for_a_stage_that_came_after_its_run)
{
	struct probe first, late;
	struct runner starter;
	struct call c;

	begin(&c, &first, &late);
	runner_start(&starter, "start", start_slowly, &c);
	wait_for_it(); /* woken by the report of the first stage */
	assert_code(disruptor_stop(c.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	late.stage = disruptor_attach(c.d, &late.handler, NULL);
	assert_non_null(late.stage);
	sem_post(&let_go);
	runner_join(&starter);
	assert_code(c.rc, 0);
	assert_int_equal(disruptor_state(c.d), DISRUPTOR_STOPPED);
	graph_start(c.d); /* the late one counts in from now on */
	assert_int_equal(late.starts, 1);
	graph_close(&c.d);
}

/* The failure is the start's, which tells of it; the stage had joined, and stays. */
TEST(a_stage_that_has_joined_is_not_taken_out_for_a_later_run_s_failure)
{
	struct probe first, late;
	struct runner attacher;
	struct call c;

	begin(&c, &first, &late);
	graph_start(c.d);
	runner_start(&attacher, "attach", attach_slowly, &c);
	wait_for_it(); /* its on_start is done, and well */
	assert_code(disruptor_stop(c.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	late.start_answer = -1;
	assert_code(disruptor_start(c.d), DISRUPTOR_E_FAILED);
	sem_post(&let_go);
	runner_join(&attacher);
	assert_non_null(late.stage);
	assert_int_equal(late.starts, 2);
	late.start_answer = 0;
	graph_start(c.d);
	assert_int_equal(late.starts, 3);
	graph_close(&c.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_start_does_not_wait_for_a_stage_that_came_after_its_run),
		RUN(a_stage_that_has_joined_is_not_taken_out_for_a_later_run_s_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
