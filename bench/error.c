/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Errors of the system in words, for any thread. Not of _GNU_SOURCE, whose strerror_r() is another. */
#define _POSIX_C_SOURCE 200809L

#include "subject.h"

#include <stdio.h>
#include <string.h>

const char *bench_error_text(int error)
{
	static _Thread_local char text[128];

	if (strerror_r(error, text, sizeof(text)) != 0)
		(void)snprintf(text, sizeof(text), "error %d", error);
	return text;
}
