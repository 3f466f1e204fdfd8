/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor doctor: the CPUs that the process may use, and how fast they come when called. */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define CPU "/sys/devices/system/cpu"

/* From this exit latency on an idle CPU is a cost: a wake-up by futex takes less. */
#define SLOW_US 10

/* A list of CPUs in a file; false: d->why. */
static bool read_cpus(struct doctor *d, struct doctor_cpus *cpus, const char *path)
{
	char *text = doctor_read(d, "%s", path);
	bool is_list;

	if (!text)
		return false;
	/* how some kernels write that there are none */
	is_list = doctor_parse_cpus(cpus, strstr(text, "(null)") ? "" : text);
	if (!is_list)
		(void)snprintf(d->why, sizeof(d->why), "%s: '%.60s' is no list of CPUs", path,
			       text);
	free(text);
	return is_list;
}

static void list_both(const struct doctor_cpus *a, const struct doctor_cpus *b,
		      struct doctor_cpus *both)
{
	memset(both, 0, sizeof(*both));
	for (unsigned i = 0; i < DOCTOR_CPUS; i++) {
		both->has[i] = a->has[i] && b->has[i];
		both->count += both->has[i];
	}
}

/* ---- which ---- */

void doctor_look_cpus(struct doctor *d)
{
	static const char subject[] = "cpus";
	char list[256], text[256], *status = doctor_read(d, "/proc/self/status");
	struct doctor_cpus online;
	bool found = status && doctor_field(status, "Cpus_allowed_list", list, sizeof(list)) &&
		     doctor_parse_cpus(&d->allowed, list) && d->allowed.count != 0;

	if (!found) {
		const char *meaning = "how many threads can run at once is not known";

		memset(&d->allowed, 0, sizeof(d->allowed));
		if (!status)
			doctor_unknown(d, subject, meaning, "%s", d->why);
		else
			doctor_unknown(d, subject, meaning,
				       "/proc/self/status: no list of allowed CPUs");
		free(status);
		return;
	}
	free(status);
	if (read_cpus(d, &online, CPU "/online"))
		(void)snprintf(text, sizeof(text), " of %u online", online.count);
	else
		text[0] = '\0';
	doctor_cpus_text(&d->allowed, list, sizeof(list));
	if (d->allowed.count == 1)
		doctor_costs(
			d, subject,
			"one thread runs at a time: who spins keeps the one it waits for from "
			"running",
			"allow more (taskset, the container's cpuset), or wait by the blocking "
			"strategy",
			"1%s: %s", text, list);
	else
		doctor_good(d, subject, "so many threads run at once; spin in fewer than that",
			    "%u%s: %s", d->allowed.count, text, list);
}

/* The first CPU from @p from on that is allowed; all count if that is not known. */
static bool next_allowed(const struct doctor *d, unsigned *from)
{
	if (d->allowed.count == 0)
		return *from == 0;
	while (*from < DOCTOR_CPUS && !d->allowed.has[*from])
		++*from;
	return *from < DOCTOR_CPUS;
}

void doctor_look_smt(struct doctor *d)
{
	static const char subject[] = "smt";
	struct doctor_cpus siblings, shared;
	unsigned looked = 0;

	for (unsigned cpu = 0; next_allowed(d, &cpu); cpu++) {
		char path[128], text[256];

		(void)snprintf(path, sizeof(path), CPU "/cpu%u/topology/thread_siblings_list", cpu);
		if (!read_cpus(d, &siblings, path))
			continue;
		looked++;
		list_both(&siblings, &d->allowed, &shared);
		if (shared.count < 2)
			continue;
		doctor_cpus_text(&shared, text, sizeof(text));
		doctor_costs(
			d, subject,
			"threads on siblings slow each other down, most of all one that spins",
			"name one CPU of each core (cpus of a stage, taskset), or write off to " CPU
			"/smt/control",
			"CPUs %s are one core, and maybe others", text);
		return;
	}
	if (looked == 0)
		doctor_unknown(d, subject, "whether two of the CPUs are one core is not known",
			       "%s", d->why);
	else
		doctor_good(d, subject, "each allowed CPU has a core of its own",
			    "no two of them are siblings");
}

/* ---- speed ---- */

void doctor_look_governor(struct doctor *d)
{
	static const char subject[] = "governor";
	struct doctor_cpus slow = { .count = 0 };
	char first[64] = "", text[256];
	unsigned looked = 0;

	for (unsigned cpu = 0; next_allowed(d, &cpu); cpu++) {
		char *governor = doctor_read(d, CPU "/cpu%u/cpufreq/scaling_governor", cpu);

		if (!governor)
			continue;
		looked++;
		if (strcmp(governor, "performance") != 0) {
			slow.has[cpu] = true;
			if (slow.count++ == 0)
				(void)snprintf(first, sizeof(first), "%.63s", governor);
		}
		free(governor);
	}
	if (looked == 0) {
		doctor_unknown(d, subject,
			       "how the frequency is chosen is not known: in a guest the host does",
			       "%s", d->why);
	} else if (slow.count == 0) {
		doctor_good(d, subject, "CPUs keep their speed while they have little to do",
			    "performance");
	} else {
		doctor_cpus_text(&slow, text, sizeof(text));
		doctor_costs(d, subject,
			     "a CPU slows down while it has little to do: what comes first after a "
			     "pause is late",
			     "cpupower frequency-set -g performance", "%s on CPU %s", first, text);
	}
}

/* The slowest state of a CPU that is not switched off; false: it has none. */
static bool slowest_state(struct doctor *d, unsigned cpu, uint64_t *most, char (*name)[64])
{
	bool found = false;
	uint64_t latency, disabled;

	for (unsigned state = 0; state < 32; state++) {
		char *text;

		if (!doctor_read_number(d, &latency, CPU "/cpu%u/cpuidle/state%u/latency", cpu,
					state))
			break;
		if (doctor_read_number(d, &disabled, CPU "/cpu%u/cpuidle/state%u/disable", cpu,
				       state) &&
		    disabled != 0)
			continue;
		if (found && latency <= *most)
			continue;
		found = true;
		*most = latency;
		text = doctor_read(d, CPU "/cpu%u/cpuidle/state%u/name", cpu, state);
		(void)snprintf(*name, sizeof(*name), "%.60s", text ? text : "a state");
		free(text);
	}
	return found;
}

void doctor_look_idle(struct doctor *d)
{
	static const char subject[] = "idle";
	uint64_t most = 0, latency;
	char name[64], slowest[64] = "";
	bool found = false;

	for (unsigned cpu = 0; next_allowed(d, &cpu); cpu++) {
		if (!slowest_state(d, cpu, &latency, &name))
			continue;
		if (!found || latency > most) {
			most = latency;
			memcpy(slowest, name, sizeof(slowest));
		}
		found = true;
	}
	if (!found)
		doctor_unknown(d, subject,
			       "how long a sleeping CPU takes to wake is not known: in a guest the "
			       "host decides",
			       "%s", d->why);
	else if (most > SLOW_US)
		doctor_costs(
			d, subject,
			"a CPU that sleeps so deep takes as long to run who is woken on it",
			"hold /dev/cpu_dma_latency open with 0 in it, cpupower idle-set -D 10, or "
			"spin",
			"up to %" PRIu64 " us (%s)", most, slowest);
	else
		doctor_good(d, subject, "a CPU that sleeps is back at once",
			    "at most %" PRIu64 " us (%s)", most, slowest);
}

/* ---- peace ---- */

void doctor_look_isolated(struct doctor *d)
{
	static const char subject[] = "isolated";
	struct doctor_cpus isolated, both;
	char text[256];

	if (!read_cpus(d, &isolated, CPU "/isolated")) {
		doctor_unknown(d, subject, "whether CPUs are kept free of other work is not known",
			       "%s", d->why);
		return;
	}
	list_both(&isolated, &d->allowed, &both);
	doctor_cpus_text(both.count ? &both : &isolated, text, sizeof(text));
	if (both.count)
		doctor_good(
			d, subject,
			"the scheduler puts nothing else there, and spreads nothing: name the CPU "
			"of each stage",
			"%s", text);
	else if (isolated.count)
		doctor_costs(d, subject, "the CPUs that are kept free are not allowed here",
			     "taskset -c with those CPUs, or the container's cpuset", "%s", text);
	else
		doctor_costs(
			d, subject,
			"any other thread may be put on the CPU of one that must not wait",
			"boot with isolcpus= for the CPUs of such threads, and name these (cpus "
			"of a stage)",
			"none");
}

void doctor_look_nohz(struct doctor *d)
{
	static const char subject[] = "nohz_full";
	struct doctor_cpus quiet, both;
	char text[256];

	if (!read_cpus(d, &quiet, CPU "/nohz_full")) {
		doctor_unknown(
			d, subject,
			"the kernel says nothing of CPUs without a tick; most are built without",
			"%s", d->why);
		return;
	}
	list_both(&quiet, &d->allowed, &both);
	doctor_cpus_text(both.count ? &both : &quiet, text, sizeof(text));
	if (both.count)
		doctor_good(d, subject, "one thread on such a CPU is not interrupted by the tick",
			    "%s", text);
	else
		doctor_costs(d, subject,
			     "the tick interrupts each thread 100 to 1000 times a second",
			     quiet.count ? "taskset -c with those CPUs, or the container's cpuset"
					 : "boot with nohz_full= for the CPUs of threads that spin",
			     quiet.count ? "%s, none of them allowed" : "none", text);
}

static void tell_preempt(struct doctor *d, const char *how, const char *source)
{
	static const char subject[] = "preempt";

	if (strcmp(how, "full") == 0 || strcmp(how, "rt") == 0)
		doctor_good(d, subject,
			    "the kernel's own work makes way for a thread that is woken", "%s (%s)",
			    how, source);
	else if (strcmp(how, "none") == 0 || strcmp(how, "voluntary") == 0 ||
		 strcmp(how, "lazy") == 0 || strcmp(how, "none or voluntary") == 0)
		doctor_costs(
			d, subject,
			"a thread that is woken waits until the kernel's own work there makes way",
			"boot with preempt=full, or spin", "%s (%s)", how, source);
	else
		doctor_unknown(d, subject, "what a woken thread may have to wait for is not known",
			       "'%s' (%s)", how, source);
}

void doctor_look_preempt(struct doctor *d)
{
	char *chosen = doctor_read(d, "/sys/kernel/debug/sched/preempt");
	char *version = NULL, *line = NULL, how[64];
	const char *boot;

	if (chosen && doctor_choice(chosen, how, sizeof(how))) {
		tell_preempt(d, how, "/sys/kernel/debug/sched/preempt");
		goto out;
	}
	line = doctor_read(d, "/proc/cmdline");
	boot = line ? strstr(line, "preempt=") : NULL;
	version = doctor_read(d, "/proc/version");
	if (!version)
		doctor_unknown(d, "preempt",
			       "what a woken thread may have to wait for is not known", "%s",
			       d->why);
	else if (strstr(version, "PREEMPT_RT"))
		tell_preempt(d, "rt", "/proc/version");
	else if (strstr(version, "PREEMPT_DYNAMIC") && boot && (boot == line || boot[-1] == ' ')) {
		(void)snprintf(how, sizeof(how), "%.*s", (int)strcspn(boot + 8, " ") % 64,
			       boot + 8);
		tell_preempt(d, how, "/proc/cmdline");
	} else if (strstr(version, "PREEMPT_DYNAMIC"))
		doctor_unknown(d, "preempt",
			       "it is chosen at boot; /sys/kernel/debug/sched/preempt says how, to "
			       "root",
			       "dynamic (/proc/version)");
	else
		tell_preempt(d, strstr(version, "PREEMPT") ? "full" : "none or voluntary",
			     "/proc/version");
out:
	free(version);
	free(line);
	free(chosen);
}
