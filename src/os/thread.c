/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A thread as it is asked for: name, CPUs, scheduling, stack; signals blocked. */
#define _XOPEN_SOURCE 700
#include "os/thread.h"

#include "error.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int sched_policy(enum disruptor_scheduling scheduling)
{
	switch (scheduling) {
	case DISRUPTOR_SCHEDULE_FIFO:
		return SCHED_FIFO;
	case DISRUPTOR_SCHEDULE_ROUND_ROBIN:
		return SCHED_RR;
	default:
		return SCHED_OTHER;
	}
}

static int check_scheduling(const struct os_thread_plan *p)
{
	int policy = sched_policy(p->scheduling);
	int low = sched_get_priority_min(policy);
	int high = sched_get_priority_max(policy);

	if (p->scheduling > DISRUPTOR_SCHEDULE_ROUND_ROBIN)
		return error_set(DISRUPTOR_E_INVAL, "%s '%s': scheduling: %d is none", p->what,
				 p->name, (int)p->scheduling);
	if (p->scheduling == DISRUPTOR_SCHEDULE_INHERIT && p->priority != 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "%s '%s': priority: %d, but scheduling is inherited", p->what,
				 p->name, p->priority);
	if (p->scheduling != DISRUPTOR_SCHEDULE_INHERIT &&
	    (p->priority < low || p->priority > high))
		return error_set(DISRUPTOR_E_INVAL, "%s '%s': priority: %d is not in %d … %d",
				 p->what, p->name, p->priority, low, high);
	return 0;
}

/* "0-3,8" into a set; false if it is no such list. */
static bool parse_cpus(struct os_cpu_set *set, const char *text)
{
	memset(set, 0, sizeof(*set));
	for (;;) {
		char *end;
		unsigned long first, last;

		if (*text < '0' || *text > '9')
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			text = end + 1;
			if (*text < '0' || *text > '9')
				return false;
			last = strtoul(text, &end, 10);
		}
		if (first > last || last >= OS_CPU_MAX)
			return false;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
}

int os_thread_check(const struct os_thread_plan *p)
{
	struct os_cpu_set cpus;

	if (p->cpus && !parse_cpus(&cpus, p->cpus))
		return error_set(DISRUPTOR_E_INVAL,
				 "%s '%s': cpus: \"%s\" is not a list such as \"0-3,8\"", p->what,
				 p->name, p->cpus);
	return check_scheduling(p);
}

static int set_attributes(pthread_attr_t *a, const struct os_thread_plan *p,
			  struct os_cpus_before *before)
{
	struct sched_param parameters = { .sched_priority = p->priority };
	struct os_cpu_set cpus;
	int rc;

	if (p->stack_size && (rc = pthread_attr_setstacksize(a, p->stack_size)) != 0)
		return error_set(DISRUPTOR_E_INVAL, "%s '%s': stack_size: %zu: %s", p->what,
				 p->name, p->stack_size, strerror(rc));
	if (p->scheduling != DISRUPTOR_SCHEDULE_INHERIT) {
		pthread_attr_setinheritsched(a, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(a, sched_policy(p->scheduling));
		pthread_attr_setschedparam(a, &parameters);
	}
	if (p->cpus && parse_cpus(&cpus, p->cpus))
		return os_attribute_cpus(a, &cpus, p, before);
	return 0;
}

int os_thread_start(struct os_thread *t, const struct os_thread_plan *p, void *(*run)(void *),
		    void *argument)
{
	static const int left_open[] = { SIGSEGV, SIGBUS, SIGFPE,  SIGILL,
					 SIGTRAP, SIGSYS, SIGABRT, SIGPROF };
	struct os_cpus_before cpus = { .changed = false };
	pthread_attr_t attributes;
	sigset_t all, before;
	int rc = pthread_attr_init(&attributes);

	if (rc != 0)
		return error_set(DISRUPTOR_E_NOMEM, "%s '%s': thread: %s", p->what, p->name,
				 strerror(rc));
	rc = set_attributes(&attributes, p, &cpus);
	if (rc != 0)
		goto out;
	/* but not those that a thread's own fault raises, nor the profiler's */
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(left_open) / sizeof(left_open[0]); i++)
		sigdelset(&all, left_open[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&t->handle, &attributes, run, argument);
	os_cpus_back(&cpus);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		rc = error_set(DISRUPTOR_E_SYSTEM, "%s '%s': thread: %s", p->what, p->name,
			       strerror(rc));
		goto out;
	}
	os_name_thread(t, p->name);
out:
	pthread_attr_destroy(&attributes);
	return rc;
}
