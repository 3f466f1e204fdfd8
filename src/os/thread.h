/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include "os/os.h"

#define OS_CPU_MAX 1024

struct os_cpu_set {
	uint64_t bits[OS_CPU_MAX / 64];
};

/* What the calling thread was restricted to, where that had to change for a while. */
struct os_cpus_before {
	bool changed;
	struct os_cpu_set cpus;
};

/*
 * Restrict a thread to be made to @p cpus; E_UNSUPPORTED where that cannot be done. What it takes
 * is undone by os_cpus_back(), once the thread is made; @p before is cleared.
 */
int os_attribute_cpus(pthread_attr_t *a, const struct os_cpu_set *cpus,
		      const struct os_thread_plan *p, struct os_cpus_before *before);
void os_cpus_back(const struct os_cpus_before *before);
/* Shown by ps and gdb; cut to what the system takes. */
void os_name_thread(struct os_thread *t, const char *name);

#endif
