/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include "os/os.h"

#define OS_CPU_MAX 1024

struct os_cpu_set {
	uint64_t bits[OS_CPU_MAX / 64];
};

/* Restrict a thread to be made to @p cpus; E_UNSUPPORTED where that cannot be done. */
int os_attribute_cpus(pthread_attr_t *a, const struct os_cpu_set *cpus,
		      const struct os_thread_plan *p);
/* Shown by ps and gdb; cut to what the system takes. */
void os_name_thread(struct os_thread *t, const char *name);

#endif
