/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the figures were taken on. What cannot be found out is "unknown". */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"
#include "commit.h" /* DISRUPTOR_COMMIT, written by each build: cmake/commit.cmake */

#include <string.h>
#include <sys/utsname.h>

#ifndef DISRUPTOR_FLAGS
#define DISRUPTOR_FLAGS "unknown"
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

/** The rest of the first line of a file that begins with @p key ("" is any line). */
static void read_line(const char *path, const char *key, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[512];

	snprintf(text, size, "unknown");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		snprintf(text, size, "%.*s", (int)strcspn(line + strlen(key), "\n"),
			 line + strlen(key));
		break;
	}
	(void)fclose(file);
}

void bench_machine(struct bench_machine *machine)
{
	int cpus[1024];
	struct utsname name;
	size_t end;

	read_line("/proc/cpuinfo", "model name\t: ", machine->cpu, sizeof(machine->cpu));
	read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", machine->governor,
		  sizeof(machine->governor));
	snprintf(machine->kernel, sizeof(machine->kernel), "unknown");
	if (uname(&name) == 0)
		snprintf(machine->kernel, sizeof(machine->kernel), "%.40s %.64s %.40s",
			 name.sysname, name.release, name.machine);
	snprintf(machine->compiler, sizeof(machine->compiler), "%s", COMPILER);
	for (end = strlen(machine->compiler); end > 0 && machine->compiler[end - 1] == ' '; end--)
		machine->compiler[end - 1] = '\0';
	machine->flags = DISRUPTOR_FLAGS;
	machine->commit = DISRUPTOR_COMMIT;
	machine->version = disruptor_version().text;
	machine->cores = (int)bench_cpus(cpus, sizeof(cpus) / sizeof(cpus[0]));
}
