/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SRC_ERROR_H
#define SRC_ERROR_H

#include <disruptor/error.h>

/** Leave a line of detail for the calling thread; returns @p code, so that a failure is one line. */
int error_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

#endif
