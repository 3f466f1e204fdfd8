/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef MODEL_GENMC_CHECKER_H
#define MODEL_GENMC_CHECKER_H

/* What the checker offers to programs; native.c has it for the one thread that prepares memory. */

#include <stdbool.h>

long __VERIFIER_thread_self(void);
int __VERIFIER_thread_create(const void *attributes, void *(*run)(void *), void *argument);
int __VERIFIER_thread_join(long thread, void **result);
int __VERIFIER_mutex_lock(void *mutex);
int __VERIFIER_mutex_unlock(void *mutex);
void __VERIFIER_assert_fail(const char *what, const char *file, int line);
/* A round of a loop that waits: the thread goes no further unless @p done. */
void __VERIFIER_loop_begin(void);
void __VERIFIER_spin_start(void);
void __VERIFIER_spin_end(bool done);

#endif
