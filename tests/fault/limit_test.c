/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Limits of the process: address space, locked memory, memory that was promised and is not there,
 * threads, stacks, descriptors. What does not fit is refused by name, nothing half made is left,
 * and what does fit works.
 */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifdef MADV_POPULATE_WRITE
#define POPULATE MADV_POPULATE_WRITE
#else
#define POPULATE 23
#endif

/* ---- madvise(2), as the kernel may answer ---- */

static int populate_error; /* 0: as it comes */
static unsigned populated;

int __real_madvise(void *base, size_t size, int advice);
int __wrap_madvise(void *base, size_t size, int advice);
int __wrap_madvise(void *base, size_t size, int advice)
{
	if (advice != POPULATE)
		return __real_madvise(base, size, advice);
	populated++;
	if (populate_error == 0)
		return __real_madvise(base, size, advice);
	errno = populate_error;
	return -1;
}

/* ---- limits ---- */

static int set_limit(int what, rlim_t soft)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) != 0)
		return -1;
	limit.rlim_cur = soft;
	return setrlimit(what, &limit);
}

/* Limits do not bind who may do everything. */
static int drop_privileges(void)
{
	return geteuid() == 0 ? setuid(65534) : 0;
}

/* Pages of the address space in use. */
static rlim_t bytes_in_use(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static struct disruptor_options many_slots(uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);

	o.flags = DISRUPTOR_TRUST_HANDLERS;
	return o;
}

static int needs_ring_refused(const struct disruptor_options *o, int code, const char *word)
{
	struct disruptor_options bare = *o;
	struct disruptor_ring *ring = (void *)&bare; /* has to be overwritten */
	struct disruptor *d = (void *)&bare;

	bare.flags &= ~(unsigned)DISRUPTOR_TRUST_HANDLERS;
	NEED(disruptor_ring_create(&ring, &tick_type, &bare) == code);
	NEED(ring == NULL);
	NEED(strstr(disruptor_error_detail(), word));
	NEED(disruptor_create(&d, &tick_type, o) == code);
	NEED(d == NULL);
	NEED(strstr(disruptor_error_detail(), word));
	return 0;
}

static int needs_ring_works(uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);
	struct fixture f;

	fixture_open_with(&f, &o, 1);
	publish_ticks(&f.producer, 3);
	read_ticks(&f.consumer[0], 3);
	fixture_close(&f);
	return 0;
}

/* ---- address space ---- */

/* An emulator takes the limit, and does not keep it. */
static bool has_room_for(size_t bytes)
{
	void *room = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room != MAP_FAILED && munmap(room, bytes) == 0;
}

#if FIXTURE_TSAN || DISRUPTOR_ASAN
#define ADDRESS_SPACE_IS_OURS 0 /* a sanitizer has reserved terabytes of it */
#else
#define ADDRESS_SPACE_IS_OURS 1
#endif

static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->from;
}

static int little_address_space(void *unused)
{
	const rlim_t room = (rlim_t)16 << 20;
	const struct disruptor_conflate_options table = { .size = sizeof(table),
							  .keys = 1u << 20,
							  .key = key_of };
	struct disruptor_options large = many_slots(UINT64_C(1) << 20);
	struct disruptor_conflate *c = (void *)&large;

	(void)unused;
	if (bytes_in_use() == 0 || set_limit(RLIMIT_AS, bytes_in_use() + room) != 0 ||
	    has_room_for(2 * (size_t)room))
		return CHILD_SKIPPED;
	for (unsigned i = 0; i < 50; i++) /* a leak would use up what there is */
		if (needs_ring_refused(&large, DISRUPTOR_E_NOMEM, "bytes for the ring"))
			return 1;
	NEED(disruptor_conflate_create(&c, &tick_type, &table) == DISRUPTOR_E_NOMEM);
	NEED(c == NULL);
	return needs_ring_works(1024);
}

TEST(a_ring_that_the_address_space_has_no_room_for_is_refused)
{
	if (!ADDRESS_SPACE_IS_OURS)
		skip();
	child_does(little_address_space, NULL);
}

static int thread_without_room(void *unused)
{
	struct disruptor_options o = many_slots(8);
	struct disruptor *d = graph_open(&o);
	struct probe small, large;

	(void)unused;
	probe_init(&small, "small");
	probe_init(&large, "large");
	large.handler.stack_size = (size_t)256 << 20;
	probe_add(&small, d);
	probe_add(&large, d);
	if (bytes_in_use() == 0 ||
	    set_limit(RLIMIT_AS, bytes_in_use() + ((rlim_t)160 << 20)) != 0 ||
	    has_room_for((size_t)170 << 20))
		return CHILD_SKIPPED;
	NEED(disruptor_start(d) == DISRUPTOR_E_SYSTEM);
	NEED(strstr(disruptor_error_detail(), "stage 'large': thread"));
	NEED(disruptor_state(d) == DISRUPTOR_INIT);
	NEED(small.starts == 1 && small.stops == 1 && large.starts == 0);
	NEED(set_limit(RLIMIT_AS, RLIM_INFINITY) == 0);
	NEED(disruptor_start(d) == 0); /* as soon as there is room */
	NEED(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)) == 0);
	NEED(disruptor_destroy(&d) == 0);
	return 0;
}

TEST(a_stack_that_the_address_space_has_no_room_for_fails_the_start)
{
	if (!ADDRESS_SPACE_IS_OURS)
		skip();
	child_does(thread_without_room, NULL);
}

/* More than any machine has: refused, or where the kernel promises anything, only promised. */
TEST(a_ring_that_is_larger_than_memory_is_refused_or_only_promised)
{
	struct disruptor_options o = fixture_options(DISRUPTOR_MAX_CAPACITY);
	struct disruptor_type page = bytes_type(1u << 20, 8);
	struct disruptor_ring *ring = NULL;
	int rc;

#ifdef DISRUPTOR_PLATFORM_POSIX
	skip(); /* it is touched at once, all of it */
#endif
	rc = disruptor_ring_create(&ring, &page, &o);
	if (rc == 0) {
		assert_true(disruptor_ring_info(ring).bytes > UINT64_C(1) << 50);
		assert_code(disruptor_ring_destroy(&ring), 0);
		return;
	}
	assert_true(rc == DISRUPTOR_E_NOMEM || rc == DISRUPTOR_E_TOO_BIG);
	assert_null(ring);
	if (rc == DISRUPTOR_E_NOMEM)
		assert_detail("bytes");
}

/* ---- memory that was promised ---- */

TEST(prefaulting_memory_that_is_not_there_is_refused)
{
	static const int errors[] = { ENOMEM, EFAULT };
	struct disruptor_options o = fixture_options(1024);

#ifdef DISRUPTOR_PLATFORM_POSIX
	skip();
#endif
	o.flags = DISRUPTOR_PREFAULT;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct disruptor_ring *ring = (void *)&o; /* has to be overwritten */

		populate_error = errors[i];
		populated = 0;
		assert_code(disruptor_ring_create(&ring, &tick_type, &o), DISRUPTOR_E_NOMEM);
		populate_error = 0;
		assert_null(ring);
		assert_int_equal(populated, 1);
		assert_detail("DISRUPTOR_PREFAULT");
	}
}

TEST(kernels_that_cannot_populate_have_each_page_touched)
{
	static const int errors[] = { 0, EINVAL, EPERM };
	struct disruptor_options o = fixture_options(1024);

	o.flags = DISRUPTOR_PREFAULT;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct fixture f;

		populate_error = errors[i];
		fixture_open_with(&f, &o, 1);
		populate_error = 0;
		publish_ticks(&f.producer, 3);
		read_ticks(&f.consumer[0], 3);
		fixture_close(&f);
	}
}

/* ---- locked memory ---- */

static int nothing_may_be_locked(void *unused)
{
	struct disruptor_options o = many_slots(4096);
	void *own = NULL;

	(void)unused;
	if (drop_privileges() != 0 || set_limit(RLIMIT_MEMLOCK, 0) != 0 ||
	    mlock(&o, sizeof(o)) == 0) /* an emulator, or who is not bound */
		return CHILD_SKIPPED;
	o.flags |= DISRUPTOR_LOCK_MEMORY;
	if (needs_ring_refused(&o, DISRUPTOR_E_SYSTEM, "ulimit -l"))
		return 1;
	o.flags &= ~(unsigned)DISRUPTOR_TRUST_HANDLERS;
	o.memory_size = disruptor_ring_size(&tick_type, &o);
	NEED(posix_memalign(&own, disruptor_ring_align(&tick_type, &o), o.memory_size) == 0);
	o.memory = own;
	o.flags |= DISRUPTOR_TRUST_HANDLERS;
	if (needs_ring_refused(&o, DISRUPTOR_E_SYSTEM, "ulimit -l"))
		return 1;
	free(own);
	return needs_ring_works(4096);
}

TEST(memory_that_may_not_be_locked_is_refused)
{
	if (FIXTURE_TSAN || DISRUPTOR_ASAN)
		skip(); /* sanitizers lock nothing, and say that they did */
	child_does(nothing_may_be_locked, NULL);
}

/* ---- threads ---- */

#define STAGES 4

static int few_threads(void *unused)
{
	static const char *const names[STAGES] = { "one", "two", "three", "four" };
	struct disruptor_options o = many_slots(8);
	struct probe probe[STAGES];
	struct tick_producer p;
	struct rlimit before;
	struct disruptor *d;

	(void)unused;
	if (FIXTURE_TSAN || getrlimit(RLIMIT_NPROC, &before) != 0 || drop_privileges() != 0 ||
	    geteuid() == 0)
		return CHILD_SKIPPED; /* tsan has a thread of its own */
	d = graph_open(&o);
	for (size_t i = 0; i < STAGES; i++) {
		probe_init(&probe[i], names[i]);
		probe_add(&probe[i], d);
	}
	probe_producer(&p, d);
	for (rlim_t most = 1; most <= STAGES; most++) {
		if (set_limit(RLIMIT_NPROC, most) != 0)
			return CHILD_SKIPPED;
		if (disruptor_start(d) != DISRUPTOR_E_SYSTEM)
			return CHILD_SKIPPED; /* somebody else's threads count, or none do */
		NEED(strstr(disruptor_error_detail(), "thread"));
		NEED(disruptor_state(d) == DISRUPTOR_INIT);
		for (size_t i = 0; i < STAGES; i++)
			NEED(probe[i].starts == probe[i].stops);
	}
	/* others of the same user may run just now: they count, too */
	NEED(set_limit(RLIMIT_NPROC, before.rlim_cur) == 0);
	NEED(disruptor_start(d) == 0);
	probe_publish(&p, 20);
	NEED(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)) == 0);
	for (size_t i = 0; i < STAGES; i++)
		NEED(probe[i].events == 20 && probe[i].wrong == 0);
	NEED(tick_producer_close(&p) == 0);
	NEED(disruptor_destroy(&d) == 0);
	return 0;
}

TEST(a_limit_on_threads_fails_the_start_until_it_is_raised)
{
	child_does(few_threads, NULL);
}

/* ---- stacks ---- */

static void stack_of(size_t size, int code, const char *word)
{
	struct disruptor_options o = many_slots(8);
	struct disruptor *d = graph_open(&o);
	struct tick_producer p;
	struct probe probe;

	probe_init(&probe, "deep");
	probe.handler.stack_size = size;
	probe_add(&probe, d);
	probe_producer(&p, d);
	assert_code(disruptor_start(d), code);
	if (code == 0) {
		probe_publish(&p, 20);
		graph_drain(d);
		probe_expect(&probe, 0, 20);
	} else {
		assert_detail("stage 'deep'");
		assert_detail(word);
		assert_int_equal(probe.starts, 0);
		assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	}
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_stack_is_refused_if_it_is_too_small_or_too_large_and_the_least_will_do)
{
	size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);

	stack_of(1, DISRUPTOR_E_INVAL, "stack_size: 1");
	stack_of(least - 1, DISRUPTOR_E_INVAL, "stack_size");
	if (ADDRESS_SPACE_IS_OURS) { /* sanitizers need more, and change the size */
		stack_of(least, 0, NULL);
		if (sizeof(size_t) == 8 && !FIXTURE_EMULATED) /* qemu-user runs out of memory */
			stack_of(SIZE_MAX / 65536 / 4, DISRUPTOR_E_SYSTEM, "thread");
	}
}

/* ---- descriptors ---- */

static int no_descriptor(void *unused)
{
	struct disruptor_options huge = fixture_options(1024);
	struct disruptor_ring *ring = NULL;
	struct pollfd ready = { .events = POLLIN };
	struct fixture f;
	int next = dup(STDERR_FILENO);

	(void)unused;
	fixture_open(&f, 8, 1);
	close(next);
	NEED(set_limit(RLIMIT_NOFILE, (rlim_t)next) == 0);
	NEED(disruptor_consumer_fd(&f.consumer[0].view) == DISRUPTOR_E_SYSTEM);
	NEED(strstr(disruptor_error_detail(), strerror(EMFILE)));
	NEED(disruptor_consumer_arm(&f.consumer[0].view) == DISRUPTOR_E_STATE);
	publish_ticks(&f.producer, 3); /* all else goes on */
	read_ticks(&f.consumer[0], 3);
	/* files that would be read are done without: the size of huge pages, the control group */
	huge.flags = DISRUPTOR_HUGE_PAGES_TRY;
	NEED(disruptor_ring_create(&ring, &tick_type, &huge) == 0);
	NEED(disruptor_ring_destroy(&ring) == 0);
	NEED(set_limit(RLIMIT_NOFILE, (rlim_t)next + 16) == 0);
	ready.fd = disruptor_consumer_fd(&f.consumer[0].view);
	NEED(ready.fd >= 0);
	NEED(disruptor_consumer_arm(&f.consumer[0].view) == 0);
	publish_ticks(&f.producer, 1);
	NEED(poll(&ready, 1, WATCHDOG_MS) == 1);
	read_ticks(&f.consumer[0], 1);
	fixture_close(&f);
	return 0;
}

static int start_without_descriptors(void *unused)
{
	struct disruptor_options o = many_slots(8);
	struct disruptor *d = graph_open(&o);
	struct tick_producer p;
	struct probe probe;
	int next = dup(STDERR_FILENO);

	(void)unused;
	close(next);
	graph_map(d, DISRUPTOR_MAP_AUTO, 0); /* reads the affinity and the control group's quota */
	probe_init(&probe, "probe");
	probe_add(&probe, d);
	probe_producer(&p, d);
	NEED(set_limit(RLIMIT_NOFILE, (rlim_t)next) == 0);
	NEED(disruptor_start(d) == 0);
	probe_publish(&p, 20);
	NEED(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)) == 0);
	NEED(probe.events == 20 && probe.wrong == 0);
	NEED(tick_producer_close(&p) == 0);
	NEED(disruptor_destroy(&d) == 0);
	return 0;
}

TEST(without_a_descriptor_only_what_needs_one_is_refused)
{
	child_does(no_descriptor, NULL);
	child_does(start_without_descriptors, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_ring_that_the_address_space_has_no_room_for_is_refused),
		RUN(a_stack_that_the_address_space_has_no_room_for_fails_the_start),
		RUN(a_ring_that_is_larger_than_memory_is_refused_or_only_promised),
		RUN(prefaulting_memory_that_is_not_there_is_refused),
		RUN(kernels_that_cannot_populate_have_each_page_touched),
		RUN(memory_that_may_not_be_locked_is_refused),
		RUN(a_limit_on_threads_fails_the_start_until_it_is_raised),
		RUN(a_stack_is_refused_if_it_is_too_small_or_too_large_and_the_least_will_do),
		RUN(without_a_descriptor_only_what_needs_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
