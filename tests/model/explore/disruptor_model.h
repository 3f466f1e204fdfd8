/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_MODEL_H
#define DISRUPTOR_MODEL_H

/*
 * The library's atomics as calls of the explorer: what disruptor/base.h includes
 * in place of <stdatomic.h>. Each call tells what it accesses, and where it stands
 * in the source.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bit each for acquire and release, so that acq_rel is both. */
enum model_order {
	model_relaxed = 0,
	model_acquire = 1,
	model_release = 2,
	model_acq_rel = 3,
	model_seq_cst = 7
};

/* An access in the source. */
struct model_site {
	const char *text; /* the address, as it is written there */
	const char *file;
	unsigned line;
	unsigned size; /* of the word, in bytes */
};

enum model_change { MODEL_EXCHANGE, MODEL_ADD, MODEL_OR, MODEL_AND };

uint64_t model_load(const void *word, struct model_site site, enum model_order order);
void model_store(void *word, struct model_site site, uint64_t value, enum model_order order);
uint64_t model_change(void *word, struct model_site site, enum model_change change, uint64_t value,
		      enum model_order order);
bool model_cas(void *word, struct model_site site, void *expected, uint64_t value,
	       enum model_order success, enum model_order failure);
void model_fence(struct model_site site, enum model_order order);
void model_compiler_fence(struct model_site site);

/* In the library, whose plain accesses are checked, too: see plain.c. */
#if defined(__SANITIZE_THREAD__)
#define MODEL_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MODEL_PLAIN 1
#endif
#endif
#ifdef MODEL_PLAIN
#include <string.h>
void *model_memcpy(void *to, const void *from, size_t size);
void *model_memset(void *to, int value, size_t size);
#define memcpy(to, from, size) model_memcpy(to, from, size)
#define memset(to, value, size) model_memset(to, value, size)
#endif

#define MODEL_SITE(text, size) ((struct model_site){ text, __FILE__, __LINE__, size })
#define MODEL_AT(p) (void *)(uintptr_t)(const void *)(p), MODEL_SITE(#p, sizeof(*(p)))
#define MODEL_VALUE(p) __typeof__(*(p) + 0)

#define DISRUPTOR_ATOMIC(T) T
#define DISRUPTOR_ORDER(order) model_##order
#define DISRUPTOR_ATOMICALLY(op) model_##op

#define model_load_explicit(p, order) ((MODEL_VALUE(p))model_load(MODEL_AT(p), order))
#define model_store_explicit(p, v, order) model_store(MODEL_AT(p), (uint64_t)(v), order)
#define model_exchange_explicit(p, v, order)                                                       \
	((MODEL_VALUE(p))model_change(MODEL_AT(p), MODEL_EXCHANGE, (uint64_t)(v), order))
#define model_fetch_add_explicit(p, v, order)                                                      \
	((MODEL_VALUE(p))model_change(MODEL_AT(p), MODEL_ADD, (uint64_t)(v), order))
#define model_fetch_or_explicit(p, v, order)                                                       \
	((MODEL_VALUE(p))model_change(MODEL_AT(p), MODEL_OR, (uint64_t)(v), order))
#define model_fetch_and_explicit(p, v, order)                                                      \
	((MODEL_VALUE(p))model_change(MODEL_AT(p), MODEL_AND, (uint64_t)(v), order))
#define model_compare_exchange_weak_explicit(p, expected, v, success, failure)                     \
	model_cas(MODEL_AT(p), expected, (uint64_t)(v), success, failure)
#define model_thread_fence(order) model_fence(MODEL_SITE("fence", 0), order)
/* Fibers run the program in its order as it was compiled; what else it allows memory.c knows. */
#define model_signal_fence(order) model_compiler_fence(MODEL_SITE("fence", 0))

/* What <stdatomic.h> says of words that take no lock; the explorer's are plain ones. */
#define ATOMIC_LLONG_LOCK_FREE 2
#define ATOMIC_INT_LOCK_FREE 2
#define atomic_is_lock_free(p) ((void)(p), true)

#endif
