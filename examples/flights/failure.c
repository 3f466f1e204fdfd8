/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

void failure_set(struct failure *failure, const char *format, ...)
{
	int none = 0;
	va_list args;

	if (!atomic_compare_exchange_strong(&failure->state, &none, 1))
		return;
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	atomic_store(&failure->state, 2);
}
