/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_BASE_H
#define DISRUPTOR_BASE_H

/**
 * @file disruptor/base.h
 * What every other header stands on: one spelling of atomics for C11 and
 * C++11, the sizes that keep words apart, and the version.
 *
 * The memory order is part of each operation's name, so that grep finds every
 * access of one kind, and so that one definition serves production, C++, the
 * sanitizers and a model checker.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
#define DISRUPTOR_ATOMIC(T) std::atomic<T>
#define DISRUPTOR_ORDER(order) std::memory_order_##order
#define DISRUPTOR_ATOMICALLY(op) std::atomic_##op
#define DISRUPTOR_ALIGNOF(T) alignof(T)
#define DISRUPTOR_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#ifdef DISRUPTOR_MODEL /* defines these three so that it sees each access: tests/model/ */
#include <disruptor_model.h>
#else
#include <stdatomic.h>
#define DISRUPTOR_ATOMIC(T) _Atomic(T)
#define DISRUPTOR_ORDER(order) memory_order_##order
#define DISRUPTOR_ATOMICALLY(op) atomic_##op
#endif
#define DISRUPTOR_ALIGNOF(T) _Alignof(T)
#define DISRUPTOR_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define disruptor_load_relaxed(p) DISRUPTOR_ATOMICALLY(load_explicit)((p), DISRUPTOR_ORDER(relaxed))
#define disruptor_load_acquire(p) DISRUPTOR_ATOMICALLY(load_explicit)((p), DISRUPTOR_ORDER(acquire))
#define disruptor_store_relaxed(p, v)                                                              \
	DISRUPTOR_ATOMICALLY(store_explicit)((p), (v), DISRUPTOR_ORDER(relaxed))
#define disruptor_store_release(p, v)                                                              \
	DISRUPTOR_ATOMICALLY(store_explicit)((p), (v), DISRUPTOR_ORDER(release))
#define disruptor_exchange_acq_rel(p, v)                                                           \
	DISRUPTOR_ATOMICALLY(exchange_explicit)((p), (v), DISRUPTOR_ORDER(acq_rel))
#define disruptor_exchange_acquire(p, v)                                                           \
	DISRUPTOR_ATOMICALLY(exchange_explicit)((p), (v), DISRUPTOR_ORDER(acquire))
#define disruptor_exchange_release(p, v)                                                           \
	DISRUPTOR_ATOMICALLY(exchange_explicit)((p), (v), DISRUPTOR_ORDER(release))
#define disruptor_exchange_relaxed(p, v)                                                           \
	DISRUPTOR_ATOMICALLY(exchange_explicit)((p), (v), DISRUPTOR_ORDER(relaxed))
#define disruptor_fetch_or_release(p, v)                                                           \
	DISRUPTOR_ATOMICALLY(fetch_or_explicit)((p), (v), DISRUPTOR_ORDER(release))
#define disruptor_fetch_and_release(p, v)                                                          \
	DISRUPTOR_ATOMICALLY(fetch_and_explicit)((p), (v), DISRUPTOR_ORDER(release))
#define disruptor_fetch_add_release(p, v)                                                          \
	DISRUPTOR_ATOMICALLY(fetch_add_explicit)((p), (v), DISRUPTOR_ORDER(release))
#define disruptor_fetch_add_relaxed(p, v)                                                          \
	DISRUPTOR_ATOMICALLY(fetch_add_explicit)((p), (v), DISRUPTOR_ORDER(relaxed))
/** Compare *p with *expected; store v if equal, else refresh *expected. May fail spuriously. */
#define disruptor_cas_acq_rel(p, expected, v)                                                      \
	DISRUPTOR_ATOMICALLY(compare_exchange_weak_explicit)                                       \
	((p), (expected), (v), DISRUPTOR_ORDER(acq_rel), DISRUPTOR_ORDER(acquire))
#define disruptor_cas_acquire(p, expected, v)                                                      \
	DISRUPTOR_ATOMICALLY(compare_exchange_weak_explicit)                                       \
	((p), (expected), (v), DISRUPTOR_ORDER(acquire), DISRUPTOR_ORDER(acquire))
#define disruptor_cas_release(p, expected, v)                                                      \
	DISRUPTOR_ATOMICALLY(compare_exchange_weak_explicit)                                       \
	((p), (expected), (v), DISRUPTOR_ORDER(release), DISRUPTOR_ORDER(relaxed))
#define disruptor_cas_relaxed(p, expected, v)                                                      \
	DISRUPTOR_ATOMICALLY(compare_exchange_weak_explicit)                                       \
	((p), (expected), (v), DISRUPTOR_ORDER(relaxed), DISRUPTOR_ORDER(relaxed))
/** The store-load fence. It stands where threads announce and look: waking, attach, close. */
#define disruptor_fence_seq_cst() DISRUPTOR_ATOMICALLY(thread_fence)(DISRUPTOR_ORDER(seq_cst))
/** The two halves of a seqlock, where events are copied for lossy readers; nowhere else. */
#define disruptor_fence_release() DISRUPTOR_ATOMICALLY(thread_fence)(DISRUPTOR_ORDER(release))
#define disruptor_fence_acquire() DISRUPTOR_ATOMICALLY(thread_fence)(DISRUPTOR_ORDER(acquire))
/** Keeps the compiler, not the processor, from reordering: the light side of an asymmetric barrier. */
#define disruptor_fence_compiler() DISRUPTOR_ATOMICALLY(signal_fence)(DISRUPTOR_ORDER(seq_cst))

#if defined(__GNUC__)
#define disruptor_likely(x) __builtin_expect(!!(x), 1)
#define disruptor_unlikely(x) __builtin_expect(!!(x), 0)
#define DISRUPTOR_UNUSED __attribute__((unused))
#define DISRUPTOR_API __attribute__((visibility("default")))
#define DISRUPTOR_NODISCARD __attribute__((warn_unused_result))
#else
#define disruptor_likely(x) (x)
#define disruptor_unlikely(x) (x)
#define DISRUPTOR_UNUSED
#define DISRUPTOR_API
#define DISRUPTOR_NODISCARD
#endif

#ifndef DISRUPTOR_HOOK /* tests name instants by it: src/hook.h */
#define DISRUPTOR_HOOK(name) ((void)0)
#endif

#ifndef DISRUPTOR_INLINE /* src/inline_abi.c redefines it, to emit each inline as a symbol too */
#if defined(__GNUC__)
#define DISRUPTOR_INLINE static inline __attribute__((always_inline, unused))
#else
#define DISRUPTOR_INLINE static inline
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define DISRUPTOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DISRUPTOR_ASAN 1
#endif
#endif
#ifndef DISRUPTOR_ASAN
#define DISRUPTOR_ASAN 0
#endif

/** A cache line: a slot of up to this size never straddles two. */
#define DISRUPTOR_LINE 64
/** How far apart words of different writers are kept: two lines, for the adjacent-line prefetcher. */
#define DISRUPTOR_APART 128

/** The library's version: API and ABI follow semantic versioning. */
#define DISRUPTOR_VERSION_MAJOR 0
#define DISRUPTOR_VERSION_MINOR 1
#define DISRUPTOR_VERSION_PATCH 0
/** The version of the block's layout in memory; independent of the library's. */
#define DISRUPTOR_LAYOUT_VERSION 1

/** No deadline. Deadlines are absolute, in nanoseconds of disruptor_now(). */
#define DISRUPTOR_FOREVER UINT64_MAX

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How a thread that makes progress and a thread that goes to sleep agree.
 *
 * Publisher and sleeper each need a store-load barrier between what they store
 * and what they look at next. The rungs differ in who pays for it. Each ring
 * has one rung, chosen when it is created.
 */
enum disruptor_rung {
	DISRUPTOR_RUNG_AUTO = 0,       /**< the best this machine offers */
	DISRUPTOR_RUNG_MEMBARRIER = 1, /**< the sleeper pays for both, by membarrier(2) */
	DISRUPTOR_RUNG_FENCE = 2,      /**< each pays one seq_cst fence */
	DISRUPTOR_RUNG_MUTEX = 3       /**< each takes a mutex; sleeps on a condition variable */
};

/** What disruptor_version() tells. */
struct disruptor_version {
	int major, minor, patch;
	int layout;           /**< DISRUPTOR_LAYOUT_VERSION of the library that runs */
	unsigned rungs;       /**< bit r is set if this machine offers rung r (1u << r) */
	const char *platform; /**< "linux" or "posix" */
	const char *text;     /**< "0.1.0" */
};

/**
 * Tell the version of the library that runs, and what this machine offers it.
 *
 * Threads: any. Progress: two system calls. Errors: none.
 */
DISRUPTOR_API struct disruptor_version disruptor_version(void);

/** Name a rung: "membarrier", "fence", "mutex", "auto"; NULL if it is none of them. Threads: any. */
DISRUPTOR_API const char *disruptor_rung_name(enum disruptor_rung rung);

/** Nanoseconds of the monotonic clock that all deadlines refer to. Threads: any. */
DISRUPTOR_API uint64_t disruptor_now(void);

/** The deadline that lies @p ns nanoseconds ahead; DISRUPTOR_FOREVER if that is out of range. */
DISRUPTOR_API uint64_t disruptor_in(uint64_t ns);

#ifdef __cplusplus
}
#endif
#endif
