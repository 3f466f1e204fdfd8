/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SIMULATE_SCHEDULE_H
#define SIMULATE_SCHEDULE_H

/*
 * Who runs next: decided by a seed, at each hook, lock, sleep and wake-up. What was passed is
 * hashed, so that schedules can be counted and compared, and its neighbours are noted, so that a
 * run can tell which pairs of hooks have met.
 */

#include "hook.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- numbers at random ---- */

/* splitmix64: any state will do. */
uint64_t random_next(uint64_t *state);
/* 0 … n - 1. */
uint64_t random_below(uint64_t *state, uint64_t n);
/* True once in n times. */
bool random_once_in(uint64_t *state, uint64_t n);

/* ---- a run ---- */

/* Pairs: [a * HOOK_POINT_COUNT + b] is not 0 once b has been passed right behind a, in another thread. */
#define PAIRS (HOOK_POINT_COUNT * HOOK_POINT_COUNT)

enum schedule_kind { SCHEDULE_WALK, SCHEDULE_PRIORITIES, SCHEDULE_DIRECTED, SCHEDULE_KINDS };

struct schedule_options {
	uint64_t seed;
	enum schedule_kind kind;
	bool trace;           /* tell of everything on stdout */
	unsigned char *pairs; /* PAIRS of them, or NULL */
	bool no_parking;
	unsigned first, second; /* the hooks that a directed one brings together */
};

struct schedule_result {
	bool passed;
	uint64_t hash;  /* of the hooks passed, with the threads that passed them */
	uint64_t steps; /* hooks passed */
	char failure[1024];
};

/* The kind of schedule that a seed gets. */
enum schedule_kind schedule_kind_of(uint64_t seed);
/* Run run(argument) in the first of the simulated threads. */
void schedule_run(const struct schedule_options *o, struct schedule_result *result,
		  void (*run)(void *argument), void *argument);

/* ---- for who runs in it ---- */

/* An operation begins, of the calling thread; two hooks meet only while both operations last. */
void schedule_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
void schedule_end(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A remark for the trace. */
void schedule_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something is wrong: the run ends here, as failed. */
_Noreturn void schedule_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Let others run, perhaps: in a handler, between two calls. */
void schedule_yield(void);

const char *hook_name(enum hook_point point);
const char *hook_instant(enum hook_point point);

#endif
