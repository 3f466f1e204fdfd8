/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_MODEL_H
#define DISRUPTOR_MODEL_H

/*
 * The library's atomics for a model checker of C11: <stdatomic.h>'s, as they are. Only what such a
 * checker takes for more than it is, or does not know, is replaced: what disruptor/base.h includes
 * in place of <stdatomic.h>.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DISRUPTOR_ATOMIC(T) _Atomic(T)
#define DISRUPTOR_ORDER(order) memory_order_##order
#define DISRUPTOR_ATOMICALLY(op) model_##op

#define model_load_explicit atomic_load_explicit
#define model_store_explicit atomic_store_explicit
#define model_exchange_explicit atomic_exchange_explicit
#define model_fetch_add_explicit atomic_fetch_add_explicit
#define model_fetch_or_explicit atomic_fetch_or_explicit
#define model_fetch_and_explicit atomic_fetch_and_explicit
#define model_compare_exchange_weak_explicit atomic_compare_exchange_weak_explicit
#define model_thread_fence(order) atomic_thread_fence(order)
/* Between threads it orders nothing; the checker would take it for a fence that does. */
#define model_signal_fence(order) ((void)0)

/* Of a size and of types that the compiler may know; what is left of them is in main.c. */
#define memcpy(to, from, size) __builtin_memcpy(to, from, size)
#define memset(to, value, size) __builtin_memset(to, value, size)
size_t model_length(const char *text);
int model_compare(const char *a, const char *b);
#define strlen(text) model_length(text)
#define strcmp(a, b) model_compare(a, b)

/* Nobody asks a thread to end. */
#define pthread_setcancelstate(state, before) ((void)(*(before) = 0))

/* Where a round of a loop that waits begins: what was read since is what it waits by. */
void model_round(void);
#define model_look() model_round()

#endif
