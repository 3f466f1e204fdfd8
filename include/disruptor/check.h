/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_CHECK_H
#define DISRUPTOR_CHECK_H

/**
 * @file disruptor/check.h
 * Checks beyond those of every start, for development: warnings about a graph, and a checked run.
 *
 * All of them go by what handlers declare: see `reads` and `writes` in struct disruptor_handler.
 */

#include <disruptor/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor;

/** What a warning is about. */
enum disruptor_warning {
	/**
	 * Two stages without an order write separate bytes of the same cache line (64 bytes) of an
	 * event: right, but each write takes the line from the other's core.
	 */
	DISRUPTOR_WARN_SHARED_LINE = 1,
	/** A stage reads a field that neither the producers nor a stage before it write. */
	DISRUPTOR_WARN_UNWRITTEN = 2
};

/** Bits of disruptor_checks.flags. */
enum disruptor_check_flag {
	/**
	 * A checked run: around each on_event of a declared handler the bytes of the event that it
	 * does not declare to write are compared. If they have changed the ring fails, whatever the
	 * stage's policy: the failure's code is DISRUPTOR_E_CONFLICT, and its detail names the
	 * field, or the byte of padding. The event is left as it is.
	 *
	 * Handlers of the same event exclude one another for that, undeclared ones too, which are
	 * not compared: a handler must not wait for what another does with the same event. Events
	 * are copied, so this is for tests. Not seen: a write of the value that was there, a write
	 * after on_event has returned, and reads. What writes to events without being a stage (a
	 * bare consumer, a thread of the handler's) is taken for the handler. Its memory is
	 * allocated by disruptor_start().
	 */
	DISRUPTOR_CHECK_RUN = 1
};

/** What disruptor_set_checks() is given; zero means the default. */
struct disruptor_checks {
	size_t size; /**< sizeof(struct disruptor_checks) */
	/** The fields that the producers write, as in `writes`; copied. NULL: everything. */
	const char *produced;
	/**
	 * Called by disruptor_start(), in its thread, with a line of text for each warning; it is
	 * valid during the call. NULL: nothing is looked for. It must not change, start or
	 * destroy the disruptor: those calls are refused.
	 */
	void (*warn)(void *context, enum disruptor_warning kind, const char *text);
	void *context;     /**< of warn */
	unsigned flags;    /**< enum disruptor_check_flag */
	uint32_t reserved; /**< zero */
};

/**
 * Set what disruptor_start() checks from now on, in place of what was set before.
 *
 * Threads: one at a time, while it does not run.
 * Errors:  DISRUPTOR_E_STATE if it runs, E_INVAL (the detail names the field), E_VERSION, E_NOMEM;
 *          nothing is changed then.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int disruptor_set_checks(struct disruptor *d,
							   const struct disruptor_checks *checks);

#ifdef __cplusplus
}
#endif
#endif
