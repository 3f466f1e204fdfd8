/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp() refuses to go to another stack */
#include "fiber.h"

#include <disruptor/base.h>

#include <link.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)(DISRUPTOR_ASAN ? 1024 : 128) * 1024)

struct fiber {
	struct fiber *next; /* in the list of free ones */
	void (*run)(void *argument);
	void *argument;
	unsigned char *stack; /* NULL: the thread's own */
	unsigned char *locals;
	ucontext_t context;
	jmp_buf at;
	bool begun;
};

static struct fiber first = { .begun = true };
static struct fiber *current = &first;
static struct fiber *idle;

/* The program's thread-local variables: where they are, and what they are at first. */
static struct {
	unsigned char *now;
	const unsigned char *initial;
	size_t initialised;
	size_t size;
} locals;

static void no_memory(const char *what)
{
	perror(what);
	exit(2);
}

/* The program itself is the first object that is listed. */
static int find_locals(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size, (void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type != PT_TLS)
			continue;
		locals.now = info->dlpi_tls_data;
		locals.initial = (const unsigned char *)(info->dlpi_addr + h->p_vaddr);
		locals.initialised = h->p_filesz;
		locals.size = locals.now ? h->p_memsz : 0;
	}
	return 1;
}

static unsigned char *make_locals(void)
{
	unsigned char *made = calloc(1, locals.size + 1);

	if (!made)
		no_memory("fiber");
	return made;
}

static struct fiber *make_stack(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct fiber *f = calloc(1, sizeof(*f));

	if (!f)
		no_memory("fiber");
	f->stack = mmap(NULL, page + STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* a stack that is too small is to trap */
	if (f->stack == MAP_FAILED || mprotect(f->stack, page, PROT_NONE) != 0)
		no_memory("fiber stack");
	f->stack += page;
	f->locals = make_locals();
	return f;
}

struct fiber *fiber_make(void (*run)(void *argument), void *argument)
{
	struct fiber *f;

	if (!first.locals) {
		(void)dl_iterate_phdr(find_locals, NULL);
		first.locals = make_locals();
	}
	f = idle;
	if (f)
		idle = f->next;
	else
		f = make_stack();
	f->run = run;
	f->argument = argument;
	f->begun = false;
	memset(f->locals, 0, locals.size);
	memcpy(f->locals, locals.initial, locals.initialised);
	return f;
}

void fiber_free(struct fiber *f)
{
	f->next = idle;
	idle = f;
}

struct fiber *fiber_self(void)
{
	return current;
}

static void enter(void)
{
	current->run(current->argument);
	abort();
}

static void begin(struct fiber *f)
{
	if (getcontext(&f->context) != 0)
		no_memory("getcontext");
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK_SIZE;
	f->context.uc_link = NULL;
	makecontext(&f->context, enter, 0);
	f->begun = true;
}

void fiber_switch(struct fiber *to)
{
	struct fiber *from = current;
	bool begun = to->begun;

	if (to == from)
		return;
	memcpy(from->locals, locals.now, locals.size);
	memcpy(locals.now, to->locals, locals.size);
	current = to;
	if (!begun)
		begin(to);
#if DISRUPTOR_ASAN
	/* it follows this one from stack to stack */
	swapcontext(&from->context, &to->context);
#else
	/* the contexts' own switch asks the kernel about signals each time */
	if (_setjmp(from->at) != 0)
		return;
	if (begun)
		_longjmp(to->at, 1);
	setcontext(&to->context);
#endif
}
