/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a stage's handler asks of its thread: name, CPUs, scheduling, stack; and signals. */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- a thread's attributes, which may be refused ---- */

static struct {
	unsigned init, cpus; /* the call to refuse, counted from 1; 0: none */
} attributes;

static bool is_refused(unsigned *call)
{
	return *call != 0 && --*call == 0;
}

int __real_pthread_attr_init(pthread_attr_t *a);
int __wrap_pthread_attr_init(pthread_attr_t *a);
int __wrap_pthread_attr_init(pthread_attr_t *a)
{
	return is_refused(&attributes.init) ? ENOMEM : __real_pthread_attr_init(a);
}

#if defined(__GLIBC__)
int __real_pthread_attr_setaffinity_np(pthread_attr_t *a, size_t size, const cpu_set_t *cpus);
int __wrap_pthread_attr_setaffinity_np(pthread_attr_t *a, size_t size, const cpu_set_t *cpus);
int __wrap_pthread_attr_setaffinity_np(pthread_attr_t *a, size_t size, const cpu_set_t *cpus)
{
	return is_refused(&attributes.cpus) ? ENOMEM
					    : __real_pthread_attr_setaffinity_np(a, size, cpus);
}
#endif

/* What a stage found in its own thread. */
struct found {
	char name[32];
	cpu_set_t cpus;
	int policy;
	struct sched_param parameters;
	size_t stack_size;
	sigset_t blocked;
};

static void look_around(void *context)
{
	struct found *f = context;
	pthread_attr_t attributes;

	(void)pthread_getname_np(pthread_self(), f->name, sizeof(f->name));
	(void)pthread_getaffinity_np(pthread_self(), sizeof(f->cpus), &f->cpus);
	(void)pthread_getschedparam(pthread_self(), &f->policy, &f->parameters);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &f->blocked);
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		(void)pthread_attr_getstacksize(&attributes, &f->stack_size);
		pthread_attr_destroy(&attributes);
	}
}

static bool on_linux(void)
{
	return strcmp(disruptor_version().platform, "linux") == 0;
}

/* A disruptor with one stage, whose handler the test changes before stage_open(). */
struct single {
	struct disruptor *d;
	struct probe probe;
	struct found found;
};

static void single_begin(struct single *s)
{
	struct disruptor_options options = fixture_options(8);

	memset(&s->found, 0, sizeof(s->found));
	s->d = graph_open(&options);
	probe_init(&s->probe, "looker");
	s->probe.act = look_around;
	s->probe.act_context = &s->found;
}

/* Start it, let it handle one event, stop it; what start answered. */
static int single_run(struct single *s)
{
	struct tick_producer p;
	int rc;

	probe_add(&s->probe, s->d);
	rc = disruptor_start(s->d);
	if (rc != 0)
		return rc;
	probe_producer(&p, s->d);
	probe_publish(&p, 1);
	graph_drain(s->d);
	probe_expect(&s->probe, 0, 1);
	assert_code(tick_producer_close(&p), 0);
	return 0;
}

static void single_end(struct single *s)
{
	graph_close(&s->d);
}

/* Refused when the stage is added: the detail names it and the field. */
static void assert_refused(struct single *s, const char *field)
{
	assert_null(disruptor_stage(s->d, &s->probe.handler));
	assert_detail("looker");
	assert_detail(field);
}

/* ---- name ---- */

TEST(thread_has_the_stages_name)
{
	struct single s;

	single_begin(&s);
	assert_code(single_run(&s), 0);
	if (on_linux())
		assert_string_equal(s.found.name, "looker");
	single_end(&s);
}

/* Not that of a thread of the executor's that has nothing to run. */
TEST(thread_of_a_stage_that_joins_has_the_stages_name)
{
	const struct disruptor_thread threads[] = { { .name = "used" }, { .name = "unused" } };
	struct tick_producer p;
	struct probe first;
	struct single s;

	single_begin(&s);
	assert_code(disruptor_set_executor(
			    s.d,
			    &(struct disruptor_executor){ .size = sizeof(struct disruptor_executor),
							  .mapping = DISRUPTOR_MAP_PLACED,
							  .threads = 2,
							  .thread = threads }),
		    0);
	probe_init(&first, "first");
	probe_add(&first, s.d);
	assert_code(disruptor_place(first.stage, 0), 0);
	graph_start(s.d);
	s.probe.stage = disruptor_attach(s.d, &s.probe.handler, NULL);
	assert_non_null(s.probe.stage);
	probe_producer(&p, s.d);
	probe_publish(&p, 1);
	graph_drain(s.d);
	probe_expect(&s.probe, 0, 1);
	if (on_linux())
		assert_string_equal(s.found.name, "looker");
	assert_code(tick_producer_close(&p), 0);
	single_end(&s);
}

TEST(long_name_is_cut_for_the_thread_alone)
{
	struct single s;

	single_begin(&s);
	s.probe.handler.name = "a-name-of-more-than-15-bytes";
	assert_code(single_run(&s), 0);
	if (on_linux())
		assert_string_equal(s.found.name, "a-name-of-more-");
	assert_string_equal(disruptor_stage_name(s.probe.stage), "a-name-of-more-than-15-bytes");
	single_end(&s);
}

/* ---- signals ---- */

TEST(signals_are_blocked_in_a_stages_thread_and_only_there)
{
	static const int some[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD };
	sigset_t before, after;
	struct single s;

	single_begin(&s);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_code(single_run(&s), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (size_t i = 0; i < COUNT(some); i++) {
		assert_true(sigismember(&s.found.blocked, some[i]));
		assert_int_equal(sigismember(&before, some[i]), sigismember(&after, some[i]));
	}
	assert_false(sigismember(&after, SIGALRM)); /* or the watchdog would sleep */
	single_end(&s);
}

/* ---- CPUs ---- */

TEST(text_that_is_no_list_of_cpus_is_refused)
{
	static const char *const bad[] = {
		"",     "a",   " 0",    "0 ",  "-1",   "0-",     "0,",  ",0",
		"0,,1", "3-1", "0-1-2", "0x1", "1024", "0-1024", "0;1", "18446744073709551616",
	};
	char too_long[80];
	struct single s;

	single_begin(&s);
	for (size_t i = 0; i < COUNT(bad); i++) {
		s.probe.handler.cpus = bad[i];
		assert_refused(&s, "cpus");
	}
	memset(too_long, '0', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	s.probe.handler.cpus = too_long;
	assert_refused(&s, "cpus");
	single_end(&s);
}

TEST(lists_of_cpus_are_accepted)
{
	static const char *const good[] = { "0",     "1023", "0-3", "0-3,8",
					    "8,0-3", "5-5",  "0,0", "0-1023" };
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct probe probe;

	for (size_t i = 0; i < COUNT(good); i++) {
		probe_init(&probe, "looker");
		probe.handler.cpus = good[i];
		probe_add(&probe, d);
	}
	assert_code(disruptor_destroy(&d), 0);
}

/* The highest CPU that this process may use, or -1. */
static int some_cpu(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return -1;
}

TEST(thread_runs_on_the_cpus_that_were_asked_for)
{
	cpu_set_t before, after;
	int cpu = some_cpu();
	char text[16];
	struct single s;

	assert_true(cpu >= 0);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	(void)snprintf(text, sizeof(text), "%d", cpu);
	single_begin(&s);
	s.probe.handler.cpus = text;
	if (on_linux()) {
		assert_code(single_run(&s), 0);
		assert_int_equal(CPU_COUNT(&s.found.cpus), 1);
		assert_true(CPU_ISSET(cpu, &s.found.cpus));
	} else {
		assert_code(single_run(&s), DISRUPTOR_E_UNSUPPORTED);
		assert_detail("looker");
	}
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after)); /* of who made it */
	single_end(&s);
}

/* The text is the caller's, and may be gone by the start. */
TEST(list_of_cpus_is_copied)
{
	char text[16];
	struct single s;

	(void)snprintf(text, sizeof(text), "%d", some_cpu());
	single_begin(&s);
	s.probe.handler.cpus = text;
	probe_add(&s.probe, s.d);
	memset(text, 'x', sizeof(text));
	assert_code(disruptor_start(s.d), on_linux() ? 0 : DISRUPTOR_E_UNSUPPORTED);
	single_end(&s);
}

TEST(cpus_that_are_not_there_fail_the_start_by_name)
{
	struct single s;

	if (some_cpu() == 1023)
		skip();
	single_begin(&s);
	s.probe.handler.cpus = "1023";
	assert_code(single_run(&s), on_linux() ? DISRUPTOR_E_SYSTEM : DISRUPTOR_E_UNSUPPORTED);
	assert_detail("looker");
	assert_int_equal(disruptor_state(s.d), DISRUPTOR_INIT);
	assert_int_equal(s.probe.call_count, 0);
	single_end(&s);
}

/* ---- scheduling ---- */

TEST(bad_scheduling_is_refused)
{
	static const struct {
		int scheduling, priority;
		const char *field;
	} bad[] = {
		{ DISRUPTOR_SCHEDULE_INHERIT, 1, "priority" },
		{ DISRUPTOR_SCHEDULE_OTHER, 1, "priority" },
		{ DISRUPTOR_SCHEDULE_FIFO, 0, "priority" },
		{ DISRUPTOR_SCHEDULE_FIFO, 1000, "priority" },
		{ DISRUPTOR_SCHEDULE_ROUND_ROBIN, 0, "priority" },
		{ DISRUPTOR_SCHEDULE_ROUND_ROBIN, -1, "priority" },
		{ DISRUPTOR_SCHEDULE_ROUND_ROBIN + 1, 0, "scheduling" },
	};
	struct single s;

	single_begin(&s);
	for (size_t i = 0; i < COUNT(bad); i++) {
		s.probe.handler.scheduling = (enum disruptor_scheduling)bad[i].scheduling;
		s.probe.handler.priority = bad[i].priority;
		assert_refused(&s, bad[i].field);
	}
	single_end(&s);
}

/* With the privilege it works, without it the start says whose thread could not be made. */
static void real_time(enum disruptor_scheduling scheduling, int policy)
{
	struct single s;
	int rc;

	single_begin(&s);
	s.probe.handler.scheduling = scheduling;
	s.probe.handler.priority = 1;
	rc = single_run(&s);
	if (rc == 0) {
		assert_int_equal(s.found.policy, policy);
		assert_int_equal(s.found.parameters.sched_priority, 1);
	} else {
		assert_code(rc, DISRUPTOR_E_SYSTEM);
		assert_detail("looker");
		assert_int_equal(disruptor_state(s.d), DISRUPTOR_INIT);
	}
	single_end(&s);
}

TEST(real_time_scheduling_works_or_is_refused_by_name)
{
	real_time(DISRUPTOR_SCHEDULE_FIFO, SCHED_FIFO);
	real_time(DISRUPTOR_SCHEDULE_ROUND_ROBIN, SCHED_RR);
}

TEST(ordinary_scheduling_needs_no_privilege)
{
	struct single s;

	single_begin(&s);
	s.probe.handler.scheduling = DISRUPTOR_SCHEDULE_OTHER;
	assert_code(single_run(&s), 0);
	assert_int_equal(s.found.policy, SCHED_OTHER);
	single_end(&s);
}

/* ---- stack ---- */

TEST(stack_has_the_size_that_was_asked_for)
{
	struct single s;

	single_begin(&s);
	s.probe.handler.stack_size = 64u << 20; /* more than the default */
	assert_code(single_run(&s), 0);
	assert_true(s.found.stack_size >= 64u << 20);
	single_end(&s);
}

TEST(stack_that_is_too_small_fails_the_start_by_name)
{
	struct single s;

	single_begin(&s);
	s.probe.handler.stack_size = 16;
	assert_code(single_run(&s), DISRUPTOR_E_INVAL);
	assert_detail("looker");
	assert_detail("stack_size");
	assert_int_equal(disruptor_state(s.d), DISRUPTOR_INIT);
	single_end(&s);
}

/* ---- no memory for what describes a thread ---- */

/* One of two threads is not made: the other ends, and all is as before the start. */
static void start_without_attributes(const char *cpus, unsigned *refuse, unsigned which, int code,
				     const char *word)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d = graph_open(&options);
	struct probe first, second;
	struct tick_producer p;

	probe_init(&first, "first");
	probe_init(&second, "second");
	first.handler.cpus = second.handler.cpus = cpus;
	probe_add(&first, d);
	probe_add(&second, d);
	*refuse = which;
	assert_code(disruptor_start(d), code);
	*refuse = 0;
	assert_detail(which == 1 ? "stage 'first': " : "stage 'second': ");
	assert_detail(word);
	assert_detail(strerror(ENOMEM));
	assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	assert_int_equal(disruptor_thread_count(d), 0);
	assert_int_equal(first.starts, which - 1);
	assert_int_equal(first.stops, which - 1);
	assert_int_equal(second.starts, 0);
	probe_producer(&p, d);
	graph_start(d); /* as soon as there is memory */
	probe_publish(&p, 20);
	graph_drain(d);
	probe_expect(&first, 0, 20);
	probe_expect(&second, 0, 20);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(attributes_that_are_refused_fail_the_start_by_name)
{
	for (unsigned which = 1; which <= 2; which++)
		start_without_attributes(NULL, &attributes.init, which, DISRUPTOR_E_NOMEM,
					 "thread");
#if defined(__GLIBC__)
	for (unsigned which = 1; which <= 2 && on_linux(); which++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", some_cpu());
		start_without_attributes(text, &attributes.cpus, which, DISRUPTOR_E_SYSTEM,
					 "cpus: \"");
	}
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(thread_has_the_stages_name),
		RUN(thread_of_a_stage_that_joins_has_the_stages_name),
		RUN(long_name_is_cut_for_the_thread_alone),
		RUN(signals_are_blocked_in_a_stages_thread_and_only_there),
		RUN(text_that_is_no_list_of_cpus_is_refused),
		RUN(lists_of_cpus_are_accepted),
		RUN(thread_runs_on_the_cpus_that_were_asked_for),
		RUN(list_of_cpus_is_copied),
		RUN(cpus_that_are_not_there_fail_the_start_by_name),
		RUN(bad_scheduling_is_refused),
		RUN(real_time_scheduling_works_or_is_refused_by_name),
		RUN(ordinary_scheduling_needs_no_privilege),
		RUN(stack_has_the_size_that_was_asked_for),
		RUN(stack_that_is_too_small_fails_the_start_by_name),
		RUN(attributes_that_are_refused_fail_the_start_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
