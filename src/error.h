/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SRC_ERROR_H
#define SRC_ERROR_H

#include <disruptor/error.h>

/** Leave a line of detail for the calling thread. */
void error_tell(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

/** The same, and is @p code: a failure is one line, and the compiler sees what it returns. */
#define error_set(code, ...) (error_tell(__VA_ARGS__), (code))

#endif
