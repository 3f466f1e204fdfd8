/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The library's own plain accesses. Its sources are compiled with -fsanitize=thread, which calls
 * these functions before each; the sanitizer's own library is not linked. Words of 4 bytes are told
 * apart, and of smaller accesses the bytes.
 */
#include "explore.h"

#include <string.h>

#undef memcpy
#undef memset

void *model_memcpy(void *to, const void *from, size_t size);
void *model_memset(void *to, int value, size_t size);

static void check(const void *p, size_t size, bool writes, const void *caller)
{
	uintptr_t at = (uintptr_t)p, step = size < 4 ? 1 : 4, end = at + size;

	if (!explore_is_on())
		return;
	if (step == 4)
		at &= ~(uintptr_t)3;
	for (; at < end; at += step)
		memory_plain((const void *)at, writes, caller);
}

#define READ(name, size)                                                                           \
	void name(void *p);                                                                        \
	void name(void *p)                                                                         \
	{                                                                                          \
		check(p, size, false, __builtin_return_address(0));                                \
	}
#define WRITE(name, size)                                                                          \
	void name(void *p);                                                                        \
	void name(void *p)                                                                         \
	{                                                                                          \
		check(p, size, true, __builtin_return_address(0));                                 \
	}

READ(__tsan_read1, 1)
READ(__tsan_read2, 2)
READ(__tsan_read4, 4)
READ(__tsan_read8, 8)
READ(__tsan_read16, 16)
READ(__tsan_unaligned_read2, 2)
READ(__tsan_unaligned_read4, 4)
READ(__tsan_unaligned_read8, 8)
READ(__tsan_unaligned_read16, 16)
WRITE(__tsan_write1, 1)
WRITE(__tsan_write2, 2)
WRITE(__tsan_write4, 4)
WRITE(__tsan_write8, 8)
WRITE(__tsan_write16, 16)
WRITE(__tsan_unaligned_write2, 2)
WRITE(__tsan_unaligned_write4, 4)
WRITE(__tsan_unaligned_write8, 8)
WRITE(__tsan_unaligned_write16, 16)

void __tsan_read_range(void *p, unsigned long size);
void __tsan_read_range(void *p, unsigned long size)
{
	check(p, size, false, __builtin_return_address(0));
}

void __tsan_write_range(void *p, unsigned long size);
void __tsan_write_range(void *p, unsigned long size)
{
	check(p, size, true, __builtin_return_address(0));
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

/* clang: copies and fills, which the sanitizer's library would have seen */
void *__tsan_memcpy(void *to, const void *from, unsigned long size);
void *__tsan_memcpy(void *to, const void *from, unsigned long size)
{
	return model_memcpy(to, from, size);
}

void *__tsan_memset(void *to, int value, unsigned long size);
void *__tsan_memset(void *to, int value, unsigned long size)
{
	return model_memset(to, value, size);
}

void *model_memcpy(void *to, const void *from, size_t size)
{
	check(from, size, false, __builtin_return_address(0));
	check(to, size, true, __builtin_return_address(0));
	return memcpy(to, from, size);
}

void *model_memset(void *to, int value, size_t size)
{
	check(to, size, true, __builtin_return_address(0));
	return memset(to, value, size);
}
