/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor doctor: what the kernel, and a host below it, let the process have. */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the quota of control groups ---- */

struct quota {
	bool found;        /* a group could be looked at */
	char strange[512]; /* what could not be read or understood of one */
	double cpus;       /* the least; 0: none */
	char group[256];   /* whose it is */
	uint64_t stopped;
};

/* Microseconds of a period, "max" or a negative number for all of it; the period behind, or alone. */
static bool parse_quota(const char *text, const char *period_text, double *cpus)
{
	uint64_t quota, period;

	*cpus = 0;
	if (strncmp(text, "max", 3) == 0 || *text == '-')
		return true;
	if (!doctor_take_number(&text, &quota) ||
	    !doctor_take_number(period_text ? &period_text : &text, &period) || quota == 0 ||
	    period == 0)
		return false;
	*cpus = (double)quota / (double)period;
	return true;
}

/* The quota of the group in directory @p dir, 0 for none: there may be no such file. */
static double quota_in(struct doctor *d, const char *dir, struct quota *q)
{
	char *text = doctor_read(d, "%s/cpu.max", dir), *period = NULL;
	double cpus = 0;
	bool clear;

	if (!text && d->absent) {
		text = doctor_read(d, "%s/cpu.cfs_quota_us", dir);
		if (text)
			period = doctor_read(d, "%s/cpu.cfs_period_us", dir);
		else if (d->absent)
			return 0;
		if (text && !period) {
			free(text);
			text = NULL;
		}
	}
	clear = text && parse_quota(text, period, &cpus);
	if (!clear && text)
		(void)snprintf(q->strange, sizeof(q->strange), "%.200s: '%.40s' is no quota", dir,
			       text);
	else if (!clear)
		memcpy(q->strange, d->why, sizeof(q->strange));
	free(period);
	free(text);
	return cpus;
}

static void note_group(struct doctor *d, const char *dir, const char *group, struct quota *q)
{
	double cpus = quota_in(d, dir, q);
	char *stat, times[32];

	if (cpus <= 0 || (q->cpus > 0 && q->cpus <= cpus))
		return;
	q->cpus = cpus;
	q->stopped = 0;
	(void)snprintf(q->group, sizeof(q->group), "%.255s", group[0] ? group : "/");
	stat = doctor_read(d, "%s/cpu.stat", dir);
	if (stat && doctor_field(stat, "nr_throttled", times, sizeof(times)))
		q->stopped = strtoull(times, NULL, 10);
	free(stat);
}

/* From a group up to what is mounted at @p m. */
static void walk_up(struct doctor *d, const struct doctor_mount *m, const char *group,
		    struct quota *q)
{
	size_t skip = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
	char path[512], dir[1200];

	q->found = true;
	/* a group outside of what is mounted is one of the host's: begin with what can be seen */
	if (strncmp(group, m->root, skip) != 0 || (group[skip] && group[skip] != '/') ||
	    strstr(group, "/.."))
		group = "";
	else
		group += skip;
	(void)snprintf(path, sizeof(path), "%.511s", strcmp(group, "/") == 0 ? "" : group);
	for (;;) {
		char *slash = strrchr(path, '/');

		(void)snprintf(dir, sizeof(dir), "%s%s", m->at, path);
		note_group(d, dir, path, q);
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* Where the hierarchy with the cpu controller is mounted that @p controllers name. */
static bool find_hierarchy(const char *mounts, const char *controllers, struct doctor_mount *m)
{
	while (doctor_next_mount(&mounts, m)) {
		if (controllers[0] == '\0' && strcmp(m->type, "cgroup2") == 0)
			return true;
		if (controllers[0] && strcmp(m->type, "cgroup") == 0 &&
		    doctor_has_option(m->super, "cpu"))
			return true;
	}
	return false;
}

/* A line of /proc/self/cgroup is "number:controllers:/group"; version 2 names no controllers. */
static void read_groups(struct doctor *d, char *groups, const char *mounts, struct quota *q)
{
	struct doctor_mount m;
	char *line, *next = groups;

	while ((line = next) != NULL) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!group || (next && group >= next))
			continue;
		*group++ = '\0';
		controllers++;
		if ((controllers[0] == '\0' || doctor_has_option(controllers, "cpu")) &&
		    find_hierarchy(mounts, controllers, &m))
			walk_up(d, &m, group, q);
	}
}

void doctor_look_quota(struct doctor *d)
{
	static const char subject[] = "quota";
	static const char unclear[] =
		"whether threads are stopped for a part of the time is not known";
	char *groups = doctor_read(d, "/proc/self/cgroup");
	char *mounts = groups ? doctor_read(d, "/proc/self/mountinfo") : NULL;
	struct quota q = { .found = false };

	if (mounts)
		read_groups(d, groups, mounts, &q);
	if (!mounts)
		doctor_unknown(d, subject, unclear, "%s", d->why);
	else if (!q.found)
		doctor_unknown(d, subject, unclear, "no control group with CPUs is mounted");
	else if (q.strange[0] && (q.cpus <= 0 || (d->allowed.count && q.cpus >= d->allowed.count)))
		doctor_unknown(d, subject, unclear, "%s", q.strange);
	else if (q.cpus <= 0)
		doctor_good(d, subject, "nothing stops a thread that has work to do", "none");
	else if (d->allowed.count && q.cpus >= d->allowed.count)
		doctor_good(d, subject, "as many CPUs as are allowed: it is never reached",
			    "%.2f CPUs, of group %s", q.cpus, q.group);
	else
		doctor_costs(
			d, subject,
			"once it is used up all threads stand still until the period ends; who "
			"spins uses it up",
			"raise it (cpu.max, cpu.cfs_quota_us, --cpus of the container), or wait "
			"by the blocking strategy",
			"%.2f CPUs, of group %s; stopped %" PRIu64 " times", q.cpus, q.group,
			q.stopped);
	free(mounts);
	free(groups);
}

/* ---- the clock ---- */

void doctor_look_clock(struct doctor *d)
{
	static const char subject[] = "clock";
	static const char *const quick[] = { "tsc",
					     "kvm-clock",
					     "hyperv_clocksource_tsc_page",
					     "arch_sys_counter",
					     "riscv_clocksource",
					     "tod" };
	static const char *const slow[] = {
		"hpet", "acpi_pm", "xen", "jiffies", "refined-jiffies", "hyperv_clocksource_msr"
	};
	char *clock =
		doctor_read(d, "/sys/devices/system/clocksource/clocksource0/current_clocksource");

	if (!clock) {
		doctor_unknown(d, subject, "what reading the time costs is not known", "%s",
			       d->why);
		return;
	}
	for (size_t i = 0; i < sizeof(quick) / sizeof(quick[0]); i++)
		if (strcmp(clock, quick[i]) == 0) {
			doctor_good(d, subject, "the time is read without a system call", "%.60s",
				    clock);
			goto out;
		}
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		if (strcmp(clock, slow[i]) == 0) {
			doctor_costs(
				d, subject,
				"each look at the time is a system call; a wait with a deadline "
				"takes many",
				"boot with clocksource=tsc tsc=reliable if the processor's is "
				"(constant_tsc, nonstop_tsc)",
				"%.60s", clock);
			goto out;
		}
	doctor_unknown(d, subject, "this clock is not known here", "%.60s", clock);
out:
	free(clock);
}

/* ---- a host ---- */

/* How much of the time since boot the host had the CPUs elsewhere, in percent; -1: not known. */
static double stolen(struct doctor *d)
{
	char *stat = doctor_read(d, "/proc/stat"), line[512], *at = line, *end;
	double sum = 0, steal = -1;

	if (!stat || !doctor_field(stat, "cpu", line, sizeof(line)))
		line[0] = '\0';
	free(stat);
	for (unsigned i = 0; i < 8; i++, at = end) {
		double ticks = strtod(at, &end);

		if (end == at)
			return -1;
		sum += ticks;
		steal = ticks;
	}
	return sum > 0 ? 100 * steal / sum : -1;
}

void doctor_look_guest(struct doctor *d)
{
	static const char subject[] = "guest";
	static const char unclear[] = "whether there is a host below is not known";
	char *below = doctor_read(d, "/sys/hypervisor/type"), flags[8192], share[64] = "";
	char *info = doctor_read(d, "/proc/cpuinfo");
	bool has_flags = info && doctor_field(info, "flags", flags, sizeof(flags));

	if (below || (has_flags && strstr(flags, " hypervisor"))) {
		double steal = stolen(d);

		if (steal >= 0)
			(void)snprintf(share, sizeof(share), "; the host took %.2f %% of the time",
				       steal);
		doctor_costs(d, subject,
			     "the host may run others on our CPUs, and putting one to sleep goes "
			     "through it",
			     "use the machine itself, or CPUs that the host gives to nobody else; "
			     "spin rather than sleep",
			     "yes%s%.20s%s", below ? ", " : "", below ? below : "", share);
	} else if (!info) {
		doctor_unknown(d, subject, unclear, "%s", d->why);
	} else if (!has_flags) {
		doctor_unknown(d, subject, unclear,
			       "/proc/cpuinfo: this processor has no flag for it");
	} else {
		doctor_good(d, subject, "the kernel has the processors to itself", "no");
	}
	free(below);
	free(info);
}

/* ---- barriers ---- */

void doctor_look_rungs(struct doctor *d)
{
	char rungs[128];

	if (!doctor_read_rungs(d, rungs, sizeof(rungs)))
		doctor_unknown(d, "rungs", "what a publish costs beside a sleeper is not known",
			       "%s", d->why);
	else if (strstr(rungs, "membarrier"))
		doctor_good(d, "rungs", "a publish needs no fence: who goes to sleep pays for it",
			    "%s", rungs);
	else
		doctor_costs(
			d, "rungs", "each publish carries a fence, or takes a lock",
			"allow membarrier(2) in the container's seccomp profile; a kernel with "
			"CONFIG_MEMBARRIER; the library built for linux",
			"%s", rungs);
}
