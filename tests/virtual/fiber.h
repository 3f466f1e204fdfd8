/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef VIRTUAL_FIBER_H
#define VIRTUAL_FIBER_H

/*
 * Fibers: several stacks on one thread, switched by hand. Each has thread-local
 * variables of its own, those of the program that it is linked into, so that the
 * code under test cannot tell fibers from threads.
 */

struct fiber;

/* A fiber that begins with run(argument) when it is first switched to. run must not return. */
struct fiber *fiber_make(void (*run)(void *argument), void *argument);
/* Its stack is for the next one; whatever it was at is forgotten. Not the one that runs. */
void fiber_free(struct fiber *f);
/* The one that runs; at first that is the thread itself. */
struct fiber *fiber_self(void);
/* Let another go on where it was; returns when somebody switches back. */
void fiber_switch(struct fiber *to);

#endif
