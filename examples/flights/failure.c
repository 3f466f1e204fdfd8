/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void failure_set(struct failure *failure, const char *format, ...)
{
	int none = 0;
	va_list args;

	if (!atomic_compare_exchange_strong(&failure->state, &none, 1))
		return;
	va_start(args, format);
	(void)vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	atomic_store(&failure->state, 2);
}

const char *failure_text(int error)
{
	static _Thread_local char text[128];

	if (strerror_r(error, text, sizeof(text)) != 0)
		(void)snprintf(text, sizeof(text), "error %d", error);
	return text;
}
