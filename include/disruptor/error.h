/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_ERROR_H
#define DISRUPTOR_ERROR_H

/**
 * @file disruptor/error.h
 * The codes, their names and texts, from one table; and the detail line.
 *
 * Functions return 0 (or a count) for success and a negative code otherwise.
 * A failure on a cold path also leaves one line of detail for the thread it
 * happened in, which names the argument, the stage or the position.
 */

#include <disruptor/base.h>

/** X(name, value, text): the one list that the enum, the names and the texts are made from. */
#define DISRUPTOR_ERRORS(X)                                                                        \
	X(OK, 0, "success")                                                                        \
	X(E_INVAL, -1, "an argument is invalid")                                                   \
	X(E_TOO_BIG, -2, "more was asked for than the ring holds")                                 \
	X(E_FULL, -3, "the ring is full")                                                          \
	X(E_TIMEOUT, -4, "the deadline has passed")                                                \
	X(E_CLOSED, -5, "the ring is closed")                                                      \
	X(E_FAILED, -6, "a stage of this ring has failed")                                         \
	X(E_DEADLK, -7, "the caller would wait for itself")                                        \
	X(E_NO_CONSUMER, -8, "the ring has no consumer")                                           \
	X(E_DROPPED, -9, "the ring is full and the new event was dropped")                         \
	X(E_OWNER, -10, "another thread owns this view")                                           \
	X(E_BUSY, -11, "it is in use")                                                             \
	X(E_STATE, -12, "not possible in this state")                                              \
	X(E_TYPE, -13, "the event types differ")                                                   \
	X(E_NOMEM, -14, "memory could not be allocated")                                           \
	X(E_SYSTEM, -15, "a system call failed")                                                   \
	X(E_UNSUPPORTED, -16, "this machine or build does not offer it")                           \
	X(E_INTERRUPTED, -17, "the wait was interrupted")                                          \
	X(E_VERSION, -18, "compiled against another version of the headers")                       \
	X(E_CONFLICT, -19, "a stage touches bytes of an event that it must not")                   \
	X(E_RANGE, -20, "the ring does not hold that position, or not any more")                   \
	X(E_EXISTS, -21, "there is one of that name already")                                      \
	X(E_NOT_FOUND, -22, "there is none of that name")                                          \
	X(E_FORMAT, -23, "it is no segment of this library, or a damaged one")                     \
	X(E_DENIED, -24, "its owner, mode or kind does not let it be trusted")                     \
	X(E_NO_SPACE, -25, "the file system has no room for it")                                   \
	X(E_PEER_DEAD, -26, "a process that others wait for has died")

#ifdef __cplusplus
extern "C" {
#endif

#define DISRUPTOR_ERROR_ENUM(name, value, text) DISRUPTOR_##name = (value),
/** Every code that a function of this library returns. */
enum disruptor_error { DISRUPTOR_ERRORS(DISRUPTOR_ERROR_ENUM) };
#undef DISRUPTOR_ERROR_ENUM

/** The name of a code, for example "E_FULL"; "E_UNKNOWN" if it is none. Threads: any. */
DISRUPTOR_API const char *disruptor_error_name(int code);

/** One sentence about a code. Threads: any. */
DISRUPTOR_API const char *disruptor_error_text(int code);

/**
 * The line that the calling thread's last failure on a cold path left: what
 * exactly was wrong and what to do. Empty if there was none. Valid until the
 * thread's next failure. Success does not clear it.
 *
 * Threads: any; each has its own line.
 */
DISRUPTOR_API const char *disruptor_error_detail(void);

#ifdef __cplusplus
}
#endif
#endif
