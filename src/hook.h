/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SRC_HOOK_H
#define SRC_HOOK_H

/*
 * Named points at which a test may act: between a waiter's look and its flag,
 * between a thread's creation and its loop. Empty in the library that is
 * installed.
 */

#ifdef DISRUPTOR_HOOKS

enum hook_point {
	HOOK_WAIT_BEFORE_ARM,    /* the predicate was false, the edge's flag not yet raised */
	HOOK_WAIT_BEFORE_PARK,   /* raised, looked again, about to sleep */
	HOOK_WATCH_NEWS,         /* a parker's event and its epoch, one done, the other not */
	HOOK_STAGE_BEFORE_LOOP,  /* a stage's thread exists, its loop has not begun */
	HOOK_ATTACH_PROVISIONAL, /* a new gate stands at a provisional position */
	HOOK_CLOSE_BEFORE_END,   /* the flag is up, the end not yet read */
	HOOK_POINTS
};

extern void (*hook_function)(enum hook_point point, void *context);
extern void *hook_context;

#define HOOK(point)                                                                                \
	do {                                                                                       \
		if (hook_function)                                                                 \
			hook_function((point), hook_context);                                      \
	} while (0)
#else
#define HOOK(point) ((void)0)
#endif

#endif
