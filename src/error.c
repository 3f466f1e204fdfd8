/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char detail[256];

const char *disruptor_error_name(int code)
{
#define NAME(name, value, text)                                                                    \
	case value:                                                                                \
		return #name;
	switch (code) {
		DISRUPTOR_ERRORS(NAME)
	default:
		return "E_UNKNOWN";
	}
#undef NAME
}

const char *disruptor_error_text(int code)
{
#define TEXT(name, value, text)                                                                    \
	case value:                                                                                \
		return text;
	switch (code) {
		DISRUPTOR_ERRORS(TEXT)
	default:
		return "not a code of this library";
	}
#undef TEXT
}

const char *disruptor_error_detail(void)
{
	return detail;
}

void error_tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
}
