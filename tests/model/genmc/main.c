/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One client as a program that a model checker of C11 runs: real threads, whose interleavings it
 * tries, and the library's own atomics. The system beneath is os.c beside it.
 */
#include "model.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

extern const struct model_client CLIENT;

void __VERIFIER_assume(int condition);

enum disruptor_rung model_rung(void)
{
	return DISRUPTOR_RUNG_FENCE;
}

void model_failed(const char *what, const char *file, unsigned line)
{
	(void)what, (void)file, (void)line;
	assert(0);
	abort();
}

/* A loop that looks in vain is not followed: the checker has the execution in which it did not. */
void model_pause(void)
{
	__VERIFIER_assume(0);
}

void model_reads(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

void model_writes(const void *p, size_t size, const char *text, const char *file, unsigned line)
{
	(void)p, (void)size, (void)text, (void)file, (void)line;
}

static _Alignas(4096) unsigned char arena[1 << 18];
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

static void *run_thread(void *argument)
{
	CLIENT.threads[(uintptr_t)argument]();
	return NULL;
}

int main(void)
{
	pthread_t threads[MODEL_THREADS_MAX];
	uintptr_t count;

	CLIENT.setup();
	for (count = 0; count < MODEL_THREADS_MAX && CLIENT.threads[count]; count++)
		(void)pthread_create(&threads[count], NULL, run_thread, (void *)count);
	for (uintptr_t i = 0; i < count; i++)
		(void)pthread_join(threads[i], NULL);
	CLIENT.finish();
	return 0;
}
