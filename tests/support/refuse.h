/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SUPPORT_REFUSE_H
#define SUPPORT_REFUSE_H

/*
 * System calls that a test may refuse, and counts. They are replaced by the linker's --wrap, which
 * ../CMakeLists.txt asks for by the program's name, so they are defined here, for its one source.
 */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum call { THREAD, MEMORY, LOCK, DESCRIPTOR, CALLS };

static struct {
	unsigned made;   /* since the test began to count */
	unsigned refuse; /* the one to refuse, counted from 1; 0: none */
	int balance;     /* taken and not given back */
} calls[CALLS];
static DISRUPTOR_ATOMIC(uint32_t) counting;
static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;

/* Count a call; whether it is the one to be refused. */
static bool refused(enum call c)
{
	bool no;

	if (!disruptor_load_acquire(&counting))
		return false;
	pthread_mutex_lock(&calls_lock);
	no = ++calls[c].made == calls[c].refuse;
	calls[c].balance += !no;
	pthread_mutex_unlock(&calls_lock);
	return no;
}

static void balance(enum call c, int by)
{
	if (!disruptor_load_acquire(&counting))
		return;
	pthread_mutex_lock(&calls_lock);
	calls[c].balance += by;
	pthread_mutex_unlock(&calls_lock);
}

static void taken(enum call c)
{
	balance(c, 1);
}

static void given_back(enum call c)
{
	balance(c, -1);
}

static void count_calls(enum call refuse, unsigned which)
{
	memset(calls, 0, sizeof(calls));
	calls[refuse].refuse = which;
	disruptor_store_release(&counting, 1u);
}

/* Refuse the @p which th call from now on, and go on counting; 0: none. */
DISRUPTOR_UNUSED static void refuse_next(enum call refuse, unsigned which)
{
	pthread_mutex_lock(&calls_lock);
	for (size_t c = 0; c < CALLS; c++)
		calls[c].refuse = 0;
	calls[refuse].refuse = which ? calls[refuse].made + which : 0;
	pthread_mutex_unlock(&calls_lock);
}

static void count_no_more(void)
{
	disruptor_store_release(&counting, 0u);
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	return refused(THREAD) ? EAGAIN : __real_pthread_create(t, a, run, arg);
}

int __real_pthread_join(pthread_t t, void **result);
int __wrap_pthread_join(pthread_t t, void **result);
int __wrap_pthread_join(pthread_t t, void **result)
{
	given_back(THREAD);
	return __real_pthread_join(t, result);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return refused(MEMORY) ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return refused(MEMORY) ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
	return refused(MEMORY) ? NULL : __real_realloc(memory, size);
}

int __real_posix_memalign(void **memory, size_t align, size_t size);
int __wrap_posix_memalign(void **memory, size_t align, size_t size);
int __wrap_posix_memalign(void **memory, size_t align, size_t size)
{
	return refused(MEMORY) ? ENOMEM : __real_posix_memalign(memory, align, size);
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	if (memory)
		given_back(MEMORY);
	__real_free(memory);
}

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (refused(MEMORY)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	at = __real_mmap(at, size, protection, flags, fd, offset);
	if (at == MAP_FAILED)
		given_back(MEMORY); /* refused by the system itself */
	return at;
}

int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size)
{
	given_back(MEMORY);
	return __real_munmap(at, size);
}

int __real_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	return refused(LOCK) ? EAGAIN : __real_pthread_mutex_init(m, a);
}

int __real_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
	given_back(LOCK);
	return __real_pthread_mutex_destroy(m);
}

int __real_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	return refused(LOCK) ? ENOMEM : __real_pthread_cond_init(c, a);
}

int __real_pthread_cond_destroy(pthread_cond_t *c);
int __wrap_pthread_cond_destroy(pthread_cond_t *c);
int __wrap_pthread_cond_destroy(pthread_cond_t *c)
{
	given_back(LOCK);
	return __real_pthread_cond_destroy(c);
}

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
	if (refused(DESCRIPTOR)) {
		errno = EMFILE;
		return -1;
	}
	return __real_eventfd(count, flags);
}

int __real_pipe(int ends[2]);
int __wrap_pipe(int ends[2]);
int __wrap_pipe(int ends[2])
{
	if (refused(DESCRIPTOR)) {
		errno = EMFILE;
		return -1;
	}
	taken(DESCRIPTOR); /* the other end */
	return __real_pipe(ends);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	given_back(DESCRIPTOR);
	return __real_close(fd);
}

#endif
