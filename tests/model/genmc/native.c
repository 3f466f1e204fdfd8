/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Run a client's setup on this machine, and write what it leaves in memory: an address that
 * snapshot knows from the program's symbols, the place of the data, its size, then its bytes.
 */
#include "checker.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void prepare(void);
extern char __data_start[], _end[]; /* the linker's */

long __VERIFIER_thread_self(void)
{
	return 0;
}

int __VERIFIER_thread_create(const void *attributes, void *(*run)(void *), void *argument)
{
	(void)attributes, (void)run, (void)argument;
	abort();
}

int __VERIFIER_thread_join(long thread, void **result)
{
	(void)thread, (void)result;
	abort();
}

int __VERIFIER_mutex_lock(void *mutex)
{
	(void)mutex;
	return 0;
}

int __VERIFIER_mutex_unlock(void *mutex)
{
	(void)mutex;
	return 0;
}

void __VERIFIER_assert_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: setup: %s does not hold\n", file, line, what);
	abort();
}

void __VERIFIER_loop_begin(void)
{
}

void __VERIFIER_spin_start(void)
{
}

void __VERIFIER_spin_end(bool done)
{
	if (!done) {
		fprintf(stderr, "setup waits\n");
		abort();
	}
}

int main(void)
{
	uint64_t head[3] = { (uintptr_t)&prepare, (uintptr_t)__data_start,
			     (uintptr_t)(_end - __data_start) };

	prepare();
	if (fwrite(head, sizeof(head), 1, stdout) != 1 ||
	    fwrite(__data_start, (size_t)head[2], 1, stdout) != 1)
		return 1;
	return fflush(stdout) != 0;
}
