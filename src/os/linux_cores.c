/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: how many threads can run at once, by the affinity mask and the control group's quota. */
#define _GNU_SOURCE
#include "os/os.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

static unsigned affine_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* One line of a file; false if there is none. */
static bool read_line(char *line, size_t size, const char *path)
{
	FILE *f = fopen(path, "re");
	bool read;

	if (!f)
		return false;
	read = fgets(line, (int)size, f) != NULL;
	(void)fclose(f);
	return read;
}

/* The first @p n numbers of a file's first line. */
static bool read_numbers(long long *number, unsigned n, const char *dir, const char *name)
{
	char path[1280], line[128], *at = line;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!read_line(line, sizeof(line), path))
		return false;
	for (unsigned i = 0; i < n; i++) {
		char *end;

		number[i] = strtoll(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

static unsigned whole_cores(long long quota, long long period)
{
	return (unsigned)((quota + period - 1) / period);
}

/* The quota in directory @p dir of either version, in whole cores; @p most if it has none. */
static unsigned quota_of(const char *dir, unsigned most)
{
	long long both[2], quota, period;

	if (read_numbers(both, 2, dir, "cpu.max")) {
		quota = both[0];
		period = both[1];
	} else if (!read_numbers(&quota, 1, dir, "cpu.cfs_quota_us") ||
		   !read_numbers(&period, 1, dir, "cpu.cfs_period_us")) {
		return most;
	}
	if (quota <= 0 || period <= 0 || quota / period >= most)
		return most;
	return whole_cores(quota, period);
}

/* The least quota on the way from @p group up to the root of its hierarchy at @p root. */
static unsigned quota_upwards(const char *root, char *group, unsigned most)
{
	char dir[1200];

	for (;;) {
		char *slash = strrchr(group, '/');

		(void)snprintf(dir, sizeof(dir), "%s%s", root, group);
		most = quota_of(dir, most);
		if (!slash)
			return most;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup is "number:controllers:/group"; version 2 names no controllers. */
static unsigned cgroup_cores(unsigned most)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[1024];

	if (!f)
		return most;
	while (fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		controllers++;
		if (controllers[0] == '\0')
			most = quota_upwards(CGROUP_ROOT, group, most);
		else if (strstr(controllers, "cpu") && !strstr(controllers, "cpuset"))
			most = quota_upwards(CGROUP_ROOT "/cpu", group, most);
	}
	(void)fclose(f);
	return most;
}

unsigned os_cores(void)
{
	int before = os_cancel_off(); /* files are read */
	unsigned cores = cgroup_cores(affine_cores());

	os_cancel_back(before);
	return cores ? cores : 1;
}
