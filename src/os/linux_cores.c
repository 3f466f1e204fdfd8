/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: how many threads can run at once, by the affinity mask and the control group's quota. */
#define _GNU_SOURCE
#include "os/os.h"

#include <sched.h>
#include <stdio.h>
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
	fclose(f);
	return read;
}

static unsigned whole_cores(long long quota, long long period)
{
	return (unsigned)((quota + period - 1) / period);
}

/* The quota in directory @p dir of either version, in whole cores; @p most if it has none. */
static unsigned quota_of(const char *dir, unsigned most)
{
	char path[1280], line[128];
	long long quota = 0, period = 100000;

	(void)snprintf(path, sizeof(path), "%s/cpu.max", dir);
	if (!read_line(line, sizeof(line), path) ||
	    sscanf(line, "%lld %lld", &quota, &period) != 2) {
		(void)snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", dir);
		if (!read_line(line, sizeof(line), path) || sscanf(line, "%lld", &quota) != 1)
			return most;
		(void)snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", dir);
		if (!read_line(line, sizeof(line), path) || sscanf(line, "%lld", &period) != 1)
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
	fclose(f);
	return most;
}

unsigned os_cores(void)
{
	int before = os_cancel_off(); /* files are read */
	unsigned cores = cgroup_cores(affine_cores());

	os_cancel_back(before);
	return cores ? cores : 1;
}
