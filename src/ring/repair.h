/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_REPAIR_H
#define RING_REPAIR_H

/*
 * What a process leaves in a ring that dies with views open, and how others go on.
 *
 * What the dead have done is a beginning of their program: its last stores are there, and the
 * kernel has told of the death behind them. So every step on a ring that others share leaves it
 * so that the rest can be done by anybody, or be done twice.
 *
 * Claims. A producer of many writes what it is about to claim into its entry, and only then moves
 * the claim word. So a position that is claimed, not settled, and in nobody's entry who lives is
 * nobody's: it becomes a void. A living producer may have written down a claim that another has
 * won, and not come to look again; then its entry is waited for, which it clears. A single
 * producer's claims are all its own.
 *
 *	producer                          repairer
 *	end, first  (release)             claimed            (acquire)
 *	claimed     (compare and swap)    first, end         (acquire)
 *	stamp       (release)             stamp              (acquire)
 *	end, first of its next (release)
 *
 * Who meets the claim meets the entry that covers it, or one behind it; and with that the stamp.
 *
 * Consumers. One that is required stays a gate, without a process, until it is opened again under its
 * name or dismissed; others leave. Who died while attaching leaves.
 *
 * The lock of the cold side is the kernel's, and free again when its holder dies.
 */

#include "ring/ring.h"

/*
 * Repair what participant @p who has left, who is dead. Lock held. False if positions before @p end, which were
 * claimed when the death was found, are still in the entry of somebody alive: then come again.
 */
bool ring_repair(struct disruptor_ring *r, uint32_t who, uint64_t end);
/* Let a required consumer go whose process has died. Lock held. E_NOT_FOUND, E_BUSY: it lives. */
int ring_dismiss(struct disruptor_ring *r, const char *name);
/* The entry of a required consumer of that name whose process has died; -1: none. Lock held. */
int ring_dead_consumer(const struct disruptor_ring *r, const char *name);
/* One that holds back whoever needs @p position released: its name, or NULL. */
const char *ring_dead_gate(const struct disruptor_ring *r, uint64_t position);
/* Now and then, by who waits: have the dead looked for. */
void ring_tend(struct disruptor_ring *r);

/* What stands before it is done when what stands behind it is, for who finds us dead. */
static inline void ring_step(void)
{
	/*
	 * DEATH.left, pairs with DEATH.found in ring_repair(): what a process has done when it dies is
	 * a beginning of its program, and the kernel's lock orders that for who finds out. Only the
	 * compiler has to keep to it. If it does not: a view is in the table, and nobody's.
	 */
	disruptor_fence_compiler();
}

#endif
