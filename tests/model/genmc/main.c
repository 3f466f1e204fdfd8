/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One client as a program that a model checker of C11 runs: its threads, whose interleavings it
 * tries, and the library's own atomics. The system beneath is os.c beside it. What the client's
 * setup leaves in memory is there when the program begins: see snapshot.
 */
#include "checker.h"
#include "model.h"

#include <stdlib.h>

extern const struct model_client CLIENT;

enum disruptor_rung model_rung(void)
{
	return RUNG;
}

void model_failed(const char *what, const char *file, unsigned line)
{
	__VERIFIER_assert_fail(what, file, (int)line);
	abort();
}

void model_round(void)
{
	__VERIFIER_loop_begin();
	__VERIFIER_spin_start();
}

/* A loop that looks in vain is not followed: the checker has the execution in which it did not. */
void model_pause(void)
{
	__VERIFIER_spin_end(false);
}

void model_reads(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

void model_writes(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

static _Alignas(4096) unsigned char arena[1 << 16];
static size_t arena_used;

static void *allocate(void *context, size_t size, size_t align)
{
	size_t at = (arena_used + align - 1) / align * align;

	(void)context;
	arena_used = at + size;
	return arena_used <= sizeof(arena) ? arena + at : NULL;
}

static void give_back(void *context, void *base, size_t size)
{
	(void)context, (void)base, (void)size;
}

struct disruptor_allocator model_allocator(void)
{
	return (struct disruptor_allocator){ .allocate = allocate, .release = give_back };
}

/*
 * Blocks that the compiler could not take apart: see spell_out() in snapshot.py. By words, as the
 * checker has it that what is written by eight bytes is read by eight.
 */
#define BY(type)                                                                                   \
	for (size_t i = 0; i < size / sizeof(type); i++)                                           \
	((type *)to)[i]

void model_move(void *to, const void *from, size_t size, bool is_volatile)
{
	uintptr_t bits = (uintptr_t)to | (uintptr_t)from | size;

	(void)is_volatile;
	if ((bits & 7) == 0)
		BY(uint64_t) = ((const uint64_t *)from)[i];
	else if ((bits & 3) == 0)
		BY(uint32_t) = ((const uint32_t *)from)[i];
	else
		BY(unsigned char) = ((const unsigned char *)from)[i];
}

void model_set(void *to, unsigned char value, size_t size, bool is_volatile)
{
	uint64_t bytes = value * UINT64_C(0x0101010101010101);

	(void)is_volatile;
	if ((((uintptr_t)to | size) & 7) == 0)
		BY(uint64_t) = bytes;
	else if ((((uintptr_t)to | size) & 3) == 0)
		BY(uint32_t) = (uint32_t)bytes;
	else
		BY(unsigned char) = value;
}

size_t model_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int model_compare(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

/* Each by itself, so that the compiler knows which, and the client's setup is gone. */
#define RUN(n)                                                                                     \
	static void *run_##n(void *argument)                                                       \
	{                                                                                          \
		(void)argument;                                                                    \
		model_round(); /* who waits without a round waits by all that was read */          \
		CLIENT.threads[n]();                                                               \
		return NULL;                                                                       \
	}
RUN(0)
RUN(1)
RUN(2)
RUN(3)

static long start(unsigned n, void *(*run)(void *))
{
	return CLIENT.threads[n] ? __VERIFIER_thread_create(NULL, run, NULL) : 0;
}

static void end(long thread)
{
	if (thread != 0)
		(void)__VERIFIER_thread_join(thread, NULL);
}

/* On this machine, before anything is checked: native.c calls it. */
void prepare(void)
{
	CLIENT.setup();
}

int check(void)
{
	const long threads[] = { start(0, run_0), start(1, run_1), start(2, run_2),
				 start(3, run_3) };

	for (unsigned i = 0; i < MODEL_THREADS_MAX; i++)
		end(threads[i]);
	if (CLIENT.finish)
		CLIENT.finish();
	return 0;
}
