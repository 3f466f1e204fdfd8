/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where a ring's memory comes from, that it all goes back, and that none is taken after creation.
 *
 * The functions that the library takes memory and locks from are replaced, by the linker's --wrap
 * (see tests/CMakeLists.txt): they count, and fail where a test wants them to.
 */
#define _GNU_SOURCE /* mincore */
#include "fixture.h"

#include "ring/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the library's calls, counted, and failing at will ---- */

static struct {
	unsigned calls;   /* since the last reset */
	unsigned fail_at; /* this call fails; 0: none */
	int held;         /* taken and not given back */
} spy;

static void spy_reset(unsigned fail_at)
{
	spy.calls = 0;
	spy.fail_at = fail_at;
}

static bool spy_refuses(void)
{
	return ++spy.calls == spy.fail_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __real_posix_memalign(void **memory, size_t align, size_t size);
int __wrap_posix_memalign(void **memory, size_t align, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);
void *__real_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __real_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int __real_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m);
int __real_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a);
int __real_pthread_cond_destroy(pthread_cond_t *c);
int __wrap_pthread_cond_destroy(pthread_cond_t *c);
int __real_mlock(const void *at, size_t size);
int __wrap_mlock(const void *at, size_t size);

/* What NULL, MAP_FAILED or an error number says; @p taken is what the real call has given. */
static void *spy_took(void *taken, const void *nothing)
{
	spy.held += taken != nothing;
	return taken;
}

static int spy_made(int rc)
{
	spy.held += rc == 0;
	return rc;
}

void *__wrap_malloc(size_t size)
{
	return spy_refuses() ? NULL : spy_took(__real_malloc(size), NULL);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return spy_refuses() ? NULL : spy_took(__real_calloc(n, size), NULL);
}

void *__wrap_realloc(void *old, size_t size)
{
	return spy_refuses() ? NULL : spy_took(__real_realloc(old, size), NULL);
}

int __wrap_posix_memalign(void **memory, size_t align, size_t size)
{
	return spy_refuses() ? 12 : spy_made(__real_posix_memalign(memory, align, size));
}

/* The tests' own memory: held, but no call of the library's. */
void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return spy_took(__real_aligned_alloc(align, size), NULL);
}

void __wrap_free(void *memory)
{
	spy.held -= memory != NULL;
	__real_free(memory);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
	if (spy_refuses())
		return MAP_FAILED;
	return spy_took(__real_mmap(at, size, protection, flags, file, offset), MAP_FAILED);
}

int __wrap_munmap(void *at, size_t size)
{
	spy.held--;
	return __real_munmap(at, size);
}

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	return spy_refuses() ? 11 : spy_made(__real_pthread_mutex_init(m, a));
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
	spy.held--;
	return __real_pthread_mutex_destroy(m);
}

int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	return spy_refuses() ? 11 : spy_made(__real_pthread_cond_init(c, a));
}

int __wrap_pthread_cond_destroy(pthread_cond_t *c)
{
	spy.held--;
	return __real_pthread_cond_destroy(c);
}

int __wrap_mlock(const void *at, size_t size)
{
	return spy_refuses() ? -1 : __real_mlock(at, size);
}

/* ---- T75: what fails leaves nothing behind ---- */

/* A ring of @p options with each of creation's calls failing in turn. */
static void fail_each_call(const struct disruptor_options *options)
{
	int held = spy.held;
	bool refused = false;

	for (unsigned k = 1;; k++) {
		struct disruptor_ring *ring = (void *)(uintptr_t)1;
		unsigned calls;
		int rc;

		spy_reset(k);
		rc = disruptor_ring_create(&ring, &tick_type, options);
		calls = spy.calls;
		spy_reset(0);
		if (rc == 0) {
			ring_close(&ring);
			assert_int_equal(spy.held, held);
			if (calls >= k)
				continue; /* one that creation can do without */
			assert_true(refused);
			return; /* no k-th call any more */
		}
		refused = true;
		assert_null(ring);
		assert_true(rc == DISRUPTOR_E_NOMEM || rc == DISRUPTOR_E_SYSTEM ||
			    rc == DISRUPTOR_E_UNSUPPORTED);
		assert_true(strlen(disruptor_error_detail()) > 0);
		assert_int_equal(spy.held, held);
		assert_true(k < 100);
	}
}

TEST(each_call_that_fails_during_creation_leaves_nothing_behind)
{
	static const unsigned flags[] = { 0, DISRUPTOR_HUGE_PAGES_TRY, DISRUPTOR_PREFAULT };

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct disruptor_options o = fixture_options(64);

		o.flags = flags[i];
		fail_each_call(&o);
	}
}

/* Counts what it gave, and what for; fails the k-th time. */
struct pool {
	unsigned calls, fail_at;
	int held;
	size_t size, align;
	size_t offset; /* how much its memory is off the alignment */
	bool dirty;
};

static void *pool_allocate(void *context, size_t size, size_t align)
{
	struct pool *p = context;
	unsigned char *memory;

	if (++p->calls == p->fail_at)
		return NULL;
	p->size = size;
	p->align = align;
	p->held++;
	memory = aligned_alloc(align, size + align);
	memset(memory, p->dirty ? 0xa5 : 0, size + align);
	return memory + p->offset;
}

static void pool_release(void *context, void *memory, size_t size)
{
	struct pool *p = context;

	assert_int_equal(size, p->size);
	p->held--;
	free((unsigned char *)memory - p->offset);
}

static struct disruptor_options pool_options(struct pool *p)
{
	struct disruptor_options o = fixture_options(16);

	o.allocator = (struct disruptor_allocator){ pool_allocate, pool_release, p };
	return o;
}

TEST(an_allocator_that_fails_is_reported_and_nothing_is_kept)
{
	for (unsigned k = 1;; k++) {
		struct pool p = { .fail_at = k };
		struct disruptor_options o = pool_options(&p);
		struct disruptor_ring *ring;
		int rc = disruptor_ring_create(&ring, &tick_type, &o);

		if (rc == 0) {
			assert_true(p.calls < k);
			assert_true(k > 1);
			ring_close(&ring);
			assert_int_equal(p.held, 0);
			return;
		}
		assert_code(rc, DISRUPTOR_E_NOMEM);
		assert_detail("allocator");
		assert_null(ring);
		assert_int_equal(p.held, 0);
	}
}

/* With an allocator, what fails later gives its memory back, too. */
TEST(an_allocators_memory_goes_back_when_creation_fails_later)
{
	struct pool p = { 0 };
	struct disruptor_options o = pool_options(&p);

	fail_each_call(&o);
	assert_int_equal(p.held, 0);
}

TEST(an_allocator_is_asked_for_what_ring_size_and_align_say)
{
	struct pool p = { .dirty = true };
	struct disruptor_options o = pool_options(&p);
	struct fixture f;

	fixture_open_with(&f, &o, 1);
	assert_int_equal(p.size, disruptor_ring_size(&tick_type, &o));
	assert_int_equal(p.align, disruptor_ring_align(&tick_type, &o));
	assert_int_equal(disruptor_ring_info(f.ring).pages, DISRUPTOR_PAGES_CALLER);
	assert_int_equal(tick_ready(&f.consumer[0]), 0); /* its memory was not zeroed: ours is */
	publish_ticks(&f.producer, 16);
	read_ticks(&f.consumer[0], 16);
	fixture_close(&f);
	assert_int_equal(p.held, 0);
	assert_int_equal(p.calls, 1);
}

TEST(an_allocator_of_misaligned_memory_is_refused_and_has_it_back)
{
	struct pool p = { .offset = 8 };
	struct disruptor_options o = pool_options(&p);
	struct disruptor_ring *ring;

	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("aligned");
	assert_null(ring);
	assert_int_equal(p.held, 0);
}

/* T75: nothing is allocated after creation, whatever is done. */
static void use_everything(struct disruptor_ring *ring)
{
	struct disruptor_consumer_options co = { .size = sizeof(co) };
	const struct disruptor_consumer *after[1];
	struct tick events[4] = { { 0 } };
	struct tick_consumer first, second;
	struct tick_producer p;

	assert_code(tick_producer_open(&p, ring, NULL), 0);
	assert_code(tick_consumer_open(&first, ring, NULL), 0);
	after[0] = &first.view;
	co.after = after;
	co.after_count = 1;
	assert_code(tick_consumer_open(&second, ring, &co), 0);
	publish_ticks(&p, 4);
	read_ticks(&first, 4);
	read_ticks(&second, 4);
	assert_code(tick_publish_copy(&p, events, 4), 0);
	assert_non_null(tick_claim(&p));
	assert_code(tick_abort(&p), 0);
	assert_code(tick_ready_until(&second, disruptor_in(1000000)), DISRUPTOR_E_TIMEOUT);
	while (tick_claim_until(&p, disruptor_in(1000000)))
		assert_code(tick_publish(&p), 0);
	disruptor_ring_close(ring);
	while (tick_ready_until(&first, 0) > 0)
		assert_code(tick_release(&first, 1), 0);
	while (tick_ready_until(&second, 0) > 0)
		assert_code(tick_release(&second, 1), 0);
	assert_code(tick_consumer_close(&second), 0);
	assert_code(tick_consumer_close(&first), 0);
	assert_code(tick_producer_close(&p), 0);
	assert_code(disruptor_ring_reopen(ring), 0);
	(void)disruptor_ring_stats(ring);
}

TEST(nothing_is_allocated_after_creation)
{
	for (int producers = DISRUPTOR_SINGLE; producers <= DISRUPTOR_MANY; producers++) {
		struct disruptor_options o = fixture_options(16);
		struct disruptor_ring *ring;

		o.producers = (enum disruptor_producers)producers;
		ring = ring_open(&o);
		spy_reset(0);
		for (int i = 0; i < 3; i++)
			use_everything(ring);
		assert_int_equal(spy.calls, 0);
		ring_close(&ring);
		assert_int_equal(spy.calls, 0);
	}
}

/* ---- the caller's memory ---- */

TEST(a_ring_works_wherever_the_caller_puts_it)
{
	struct disruptor_options o = fixture_options(16);
	size_t size = disruptor_ring_size(&tick_type, &o);
	size_t align = disruptor_ring_align(&tick_type, &o);
	unsigned char *memory = aligned_alloc(align, size + 4 * align);
	int held = spy.held;

	for (size_t at = 0; at < 3 * align; at += align) {
		struct fixture f;

		memset(memory, 0xc3, size + 4 * align);
		o.memory = memory + at;
		o.memory_size = size + (at ? 0 : 1); /* more than enough is enough */
		fixture_open_with(&f, &o, 2);
		assert_true((unsigned char *)f.ring >= memory + at &&
			    (unsigned char *)f.ring < memory + at + size);
		assert_int_equal(disruptor_ring_info(f.ring).pages, DISRUPTOR_PAGES_CALLER);
		publish_ticks(&f.producer, 16);
		read_ticks(&f.consumer[0], 16);
		read_ticks(&f.consumer[1], 16);
		fixture_close(&f);
		for (size_t i = 0; i < size + 4 * align; i++) /* nothing beside it was touched */
			if (i < at || i >= at + size)
				assert_int_equal(memory[i], 0xc3);
	}
	assert_int_equal(spy.held, held); /* the memory is the caller's to free */
	free(memory);
}

/* What an earlier ring has left in it is not taken for events. */
TEST(memory_can_be_used_for_one_ring_after_another)
{
	struct disruptor_options o = fixture_options(4);
	size_t size = disruptor_ring_size(&tick_type, &o);
	void *memory = aligned_alloc(disruptor_ring_align(&tick_type, &o), size);

	o.memory = memory;
	o.memory_size = size;
	for (int i = 0; i < 3; i++) {
		struct fixture f;

		fixture_open_with(&f, &o, 1);
		assert_int_equal(tick_ready(&f.consumer[0]), 0);
		assert_int_equal(disruptor_ring_stats(f.ring).claimed, 0);
		publish_ticks(&f.producer, 4);
		read_ticks(&f.consumer[0], 3);
		fixture_close(&f);
	}
	free(memory);
}

TEST(memory_that_does_not_do_is_refused_and_untouched)
{
	struct disruptor_options o = fixture_options(16);
	size_t size = disruptor_ring_size(&tick_type, &o);
	size_t align = disruptor_ring_align(&tick_type, &o);
	unsigned char *memory = aligned_alloc(align, size + align);
	struct disruptor_ring *ring;

	memset(memory, 0xc3, size + align);
	for (size_t off = 1; off < align; off *= 2) {
		o.memory = memory + off;
		o.memory_size = size;
		assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
		assert_detail("memory");
	}
	o.memory = memory;
	o.memory_size = size - 1;
	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("memory_size");
	o.memory_size = 0;
	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("memory_size");
	for (size_t i = 0; i < size + align; i++)
		assert_int_equal(memory[i], 0xc3);
	free(memory);
}

/* ---- options that exclude each other ---- */

TEST(memory_allocator_and_page_flags_exclude_each_other)
{
	static const unsigned pages[] = { DISRUPTOR_HUGE_PAGES_TRY, DISRUPTOR_HUGE_PAGES_REQUIRE,
					  DISRUPTOR_PREFAULT, DISRUPTOR_BIND_NODE };
	struct pool p = { 0 };
	struct disruptor_options o = pool_options(&p);
	struct disruptor_ring *ring;

	o.memory = &p;
	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("allocator");
	o.memory = NULL;
	o.allocator.release = NULL;
	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	assert_detail("allocator");
	o.allocator.release = pool_release;
	o.allocator.allocate = NULL;
	assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
	for (size_t i = 0; i < COUNT(pages); i++) {
		o = pool_options(&p);
		o.flags = pages[i];
		assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_INVAL);
		assert_detail("flags");
	}
	assert_int_equal(p.calls, 0);
}

/* ---- pages ---- */

static bool is_linux(void)
{
	return strcmp(disruptor_version().platform, "linux") == 0;
}

TEST(huge_pages_are_reported_as_they_are)
{
	struct disruptor_options o = fixture_options(4096);
	struct disruptor_ring *ring;
	enum disruptor_pages pages;
	int rc;

	ring = ring_open(&o);
	assert_int_equal(disruptor_ring_info(ring).pages, DISRUPTOR_PAGES_NORMAL);
	ring_close(&ring);
	o.flags = DISRUPTOR_HUGE_PAGES_TRY;
	ring = ring_open(&o); /* never a reason to fail */
	pages = disruptor_ring_info(ring).pages;
	assert_true(pages == DISRUPTOR_PAGES_NORMAL ||
		    (is_linux() &&
		     (pages == DISRUPTOR_PAGES_TRANSPARENT || pages == DISRUPTOR_PAGES_HUGE)));
	ring_close(&ring);
	o.flags = DISRUPTOR_HUGE_PAGES_REQUIRE;
	rc = disruptor_ring_create(&ring, &tick_type, &o);
	if (rc == 0) {
		assert_int_equal(disruptor_ring_info(ring).pages, DISRUPTOR_PAGES_HUGE);
		ring_close(&ring);
		return;
	}
	assert_code(rc, DISRUPTOR_E_UNSUPPORTED);
	assert_detail("HUGE_PAGES");
}

/* How many of the block's pages are in memory; all of them if that cannot be told. */
static size_t resident(const struct disruptor_ring *ring, size_t *pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), found = 0;
	static unsigned char map[4096];

	*pages = (ring->memory.size + page - 1) / page;
	assert_true(*pages <= sizeof(map));
	if (mincore(ring->memory.base, ring->memory.size, map) != 0)
		return *pages;
	for (size_t i = 0; i < *pages; i++)
		found += map[i] & 1;
	return found;
}

TEST(prefault_touches_every_page)
{
	struct disruptor_options o = fixture_options(16384);
	struct disruptor_ring *ring;
	size_t pages, found;

	if (FIXTURE_EMULATED)
		skip(); /* qemu-user accepts madvise(2), and does nothing */
	ring = ring_open(&o);
	found = resident(ring, &pages);
	if (is_linux())
		assert_true(found < pages / 2); /* so that what follows says something */
	ring_close(&ring);
	o.flags = DISRUPTOR_PREFAULT;
	ring = ring_open(&o);
	found = resident(ring, &pages);
	assert_int_equal(found, pages);
	ring_close(&ring);
}

/* Kilobytes that are locked in memory. */
static unsigned long locked(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kilobytes = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %lu kB", &kilobytes) == 1)
			break;
	if (f)
		fclose(f);
	return kilobytes;
}

TEST(locked_memory_is_locked_or_the_refusal_says_so)
{
	struct disruptor_options o = fixture_options(1024);
	unsigned long before = locked();
	struct disruptor_ring *ring;
	int rc;

	o.flags = DISRUPTOR_LOCK_MEMORY;
	spy_reset(0);
	rc = disruptor_ring_create(&ring, &tick_type, &o);
	if (rc == 0) {
		if (is_linux() && !FIXTURE_TSAN && !DISRUPTOR_ASAN)
			assert_true(locked() >= before + 16);
		ring_close(&ring);
	} else {
		assert_code(rc, DISRUPTOR_E_SYSTEM);
		assert_detail("LOCK_MEMORY");
	}
	fail_each_call(&o);
}

/* Locking is for memory of the caller's, too. */
TEST(the_callers_memory_is_locked_if_asked)
{
	struct disruptor_options o = fixture_options(64);
	size_t size = disruptor_ring_size(&tick_type, &o);
	struct disruptor_ring *ring;
	unsigned calls;
	int held, rc;

	o.memory = aligned_alloc(disruptor_ring_align(&tick_type, &o), size);
	o.memory_size = size;
	o.flags = DISRUPTOR_LOCK_MEMORY;
	held = spy.held;
	spy_reset(0);
	rc = disruptor_ring_create(&ring, &tick_type, &o);
	calls = spy.calls;
	if (rc == 0)
		ring_close(&ring);
	assert_true(calls > 1);
	for (unsigned k = 1; k <= calls; k++) {
		spy_reset(k);
		rc = disruptor_ring_create(&ring, &tick_type, &o);
		spy_reset(0);
		assert_code(rc, k < calls ? DISRUPTOR_E_NOMEM : DISRUPTOR_E_SYSTEM);
		if (k == calls) /* the lock is the last that it asks for */
			assert_detail("flags: DISRUPTOR_LOCK_MEMORY");
		assert_null(ring);
		assert_int_equal(spy.held, held);
	}
	munlock(o.memory, size);
	free(o.memory);
}

TEST(a_numa_node_is_bound_or_refused_by_name)
{
	static const int nodes[] = { -1, 0, 1023, 1024, INT32_MAX };

	for (size_t i = 0; i < COUNT(nodes); i++) {
		struct disruptor_options o = fixture_options(4);
		struct disruptor_ring *ring;
		int rc;

		o.flags = DISRUPTOR_BIND_NODE;
		o.numa_node = nodes[i];
		rc = disruptor_ring_create(&ring, &tick_type, &o);
		if (rc == 0) {
			assert_int_equal(nodes[i], 0);
			ring_close(&ring);
			continue;
		}
		assert_true(rc == DISRUPTOR_E_INVAL || rc == DISRUPTOR_E_UNSUPPORTED);
		assert_detail("numa_node");
		assert_null(ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(each_call_that_fails_during_creation_leaves_nothing_behind),
		RUN(an_allocator_that_fails_is_reported_and_nothing_is_kept),
		RUN(an_allocators_memory_goes_back_when_creation_fails_later),
		RUN(an_allocator_is_asked_for_what_ring_size_and_align_say),
		RUN(an_allocator_of_misaligned_memory_is_refused_and_has_it_back),
		RUN(nothing_is_allocated_after_creation),
		RUN(a_ring_works_wherever_the_caller_puts_it),
		RUN(memory_can_be_used_for_one_ring_after_another),
		RUN(memory_that_does_not_do_is_refused_and_untouched),
		RUN(memory_allocator_and_page_flags_exclude_each_other),
		RUN(huge_pages_are_reported_as_they_are),
		RUN(prefault_touches_every_page),
		RUN(locked_memory_is_locked_or_the_refusal_says_so),
		RUN(the_callers_memory_is_locked_if_asked),
		RUN(a_numa_node_is_bound_or_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
