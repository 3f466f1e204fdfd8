/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a process asks of the pages of a segment: they are as /proc/self/smaps tells, or it is refused. Linux. */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/segment.h>

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY                                                                                   \
	(UINT64_C(1) << 18) /* some megabytes: more than a huge page, and no multiple of it */
#define NOT_THERE 9999

/* In memory, of which the kernel makes huge pages; what lies on a disk it does not. */
static char memory_directory[64];

static int make_directory(void **state)
{
	(void)state;
	(void)snprintf(memory_directory, sizeof(memory_directory),
		       "/dev/shm/disruptor-test-XXXXXX");
	return mkdtemp(memory_directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(memory_directory);
}

static int open_with(struct disruptor_segment **s, const char *where, unsigned flags,
		     unsigned ring_flags, int node)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = where,
						     .flags = flags };
	struct disruptor_options ring = shared_options(CAPACITY, DISRUPTOR_SINGLE);

	ring.flags |= ring_flags;
	ring.numa_node = node;
	return disruptor_segment_open(s, "ring", &tick_type, &ring, &o);
}

static int make_with(struct disruptor_segment **s, unsigned ring_flags)
{
	return open_with(s, memory_directory, DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW,
			 ring_flags, 0);
}

static int find_with(struct disruptor_segment **s, unsigned ring_flags)
{
	return open_with(s, memory_directory, 0, ring_flags, 0);
}

static enum disruptor_pages pages_of(struct disruptor_segment *s)
{
	return disruptor_ring_info(disruptor_segment_ring(s)).pages;
}

static void close_and_remove(struct disruptor_segment **s)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = memory_directory };

	assert_code(disruptor_segment_close(s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
}

/*
 * Kilobytes of @p key in what the kernel says of this process's mappings of the file, from the @p skip-th
 * on; NOT_THERE without such a line.
 */
static unsigned long kilobytes(const char *key, unsigned skip)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512], file[128];
	unsigned long sum = 0, number;
	bool ours = false, any = false;

	assert_non_null(f);
	(void)snprintf(file, sizeof(file), "%s/", memory_directory);
	while (fgets(line, sizeof(line), f)) {
		if (strchr("0123456789abcdef", line[0]) && strchr(line, '-')) {
			ours = strstr(line, file) != NULL && skip == 0;
			if (strstr(line, file) && skip > 0)
				skip--;
		}
		if (ours && strncmp(line, key, strlen(key)) == 0 &&
		    sscanf(line + strlen(key), ": %lu kB", &number) == 1) {
			sum += number;
			any = true;
		}
	}
	(void)fclose(f);
	return any ? sum : NOT_THERE;
}

/* ---- transparent ---- */

/* Whether this kernel makes huge pages of shared memory when it is asked to: asked without the library. */
static bool kernel_collapses(void)
{
	const size_t huge = 2 << 20;
	int fd = memfd_create("probe", MFD_CLOEXEC);
	unsigned char *room = mmap(NULL, 2 * huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *at = room + (huge - (uintptr_t)room % huge) % huge;
	bool done;

	assert_true(fd >= 0);
	assert_ptr_not_equal(room, MAP_FAILED);
	assert_int_equal(ftruncate(fd, (off_t)huge), 0);
	assert_ptr_equal(mmap(at, huge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0), at);
	memset(at, 1, huge);
	done = madvise(at, huge, 25 /* MADV_COLLAPSE */) == 0;
	assert_int_equal(munmap(room, 2 * huge), 0);
	assert_int_equal(close(fd), 0);
	return done;
}

TEST(huge_pages_are_made_of_a_file_s_memory_or_it_is_said_that_they_are_not)
{
	struct disruptor_segment *s, *other;
	bool collapses = kernel_collapses();

	assert_code(make_with(&s, DISRUPTOR_HUGE_PAGES_TRY), 0);
	assert_int_equal(pages_of(s),
			 collapses ? DISRUPTOR_PAGES_TRANSPARENT : DISRUPTOR_PAGES_NORMAL);
	if (collapses && !FIXTURE_EMULATED) /* qemu-user accepts madvise(2), and does nothing */
		assert_in_range(kilobytes("ShmemPmdMapped", 0), 2048, 1 << 20);
	/* who finds it asks for himself */
	assert_code(find_with(&other, 0), 0);
	assert_int_equal(pages_of(other), DISRUPTOR_PAGES_NORMAL);
	assert_code(disruptor_segment_close(&other), 0);
	assert_code(find_with(&other, DISRUPTOR_HUGE_PAGES_TRY), 0);
	assert_true(collapses || pages_of(other) == DISRUPTOR_PAGES_NORMAL);
	assert_code(disruptor_segment_close(&other), 0);
	close_and_remove(&s);
}

TEST(who_does_not_ask_is_told_that_pages_are_small)
{
	struct disruptor_segment *s;

	assert_code(make_with(&s, 0), 0);
	assert_int_equal(pages_of(s), DISRUPTOR_PAGES_NORMAL);
	close_and_remove(&s);
}

/* ---- reserved ---- */

TEST(huge_pages_that_are_required_and_not_there_are_refused_and_nothing_is_left)
{
	struct disruptor_segment *s;

	assert_code(make_with(&s, DISRUPTOR_HUGE_PAGES_REQUIRE), DISRUPTOR_E_UNSUPPORTED);
	assert_detail("hugetlbfs");
	assert_null(s);
	assert_code(find_with(&s, 0), DISRUPTOR_E_NOT_FOUND);
	assert_code(make_with(&s, 0), 0);
	assert_code(disruptor_segment_close(&s), 0);
	assert_code(find_with(&s, DISRUPTOR_HUGE_PAGES_REQUIRE), DISRUPTOR_E_UNSUPPORTED);
	assert_code(find_with(&s, 0), 0);
	close_and_remove(&s);
}

/* In a child: what is mounted there nobody else sees, and it is gone with the child. */
static int on_a_file_system_of_huge_pages(void)
{
	const unsigned create = DISRUPTOR_SEGMENT_CREATE;
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = memory_directory };
	struct disruptor_segment *s, *other;
	int rc;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", memory_directory, "hugetlbfs", 0, NULL) != 0)
		return 77;
	rc = open_with(&s, memory_directory, create, DISRUPTOR_HUGE_PAGES_REQUIRE, 0);
	if (rc == DISRUPTOR_E_NO_SPACE) /* there are none */
		return strstr(disruptor_error_detail(), "nr_hugepages") ? 78 : 1;
	if (rc != 0 || pages_of(s) != DISRUPTOR_PAGES_HUGE)
		return 2;
	if (find_with(&other, 0) != 0 || pages_of(other) != DISRUPTOR_PAGES_HUGE)
		return 3;
	if (disruptor_segment_close(&other) != 0 || disruptor_segment_close(&s) != 0)
		return 4;
	return disruptor_segment_remove("ring", &o) == 0 ? 0 : 5;
}

TEST(a_file_system_of_huge_pages_makes_a_segment_of_them_or_says_that_there_are_none)
{
	int status;
	pid_t child;

	if (FIXTURE_EMULATED)
		skip(); /* qemu-user maps by pages of its own */
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(on_a_file_system_of_huge_pages());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* not a user who may mount */
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 78);
}

/* ---- locked, touched, of a node ---- */

TEST(each_process_locks_and_touches_its_own_mapping)
{
	struct disruptor_segment *s, *other;
	unsigned long size;

	if (FIXTURE_EMULATED)
		skip(); /* as above: madvise(2) */
	assert_code(make_with(&s, 0), 0);
	size = kilobytes("Size", 0);
	assert_int_not_equal(size, NOT_THERE);
	assert_int_equal(kilobytes("Locked", 0), 0);
	assert_true(kilobytes("Rss", 0) < size);
	assert_code(disruptor_segment_close(&s), 0);

	assert_code(find_with(&other, DISRUPTOR_PREFAULT), 0);
	assert_int_equal(kilobytes("Rss", 0), size);
	assert_code(disruptor_segment_close(&other), 0);

	if (find_with(&other, DISRUPTOR_LOCK_MEMORY) == 0) {
		if (!FIXTURE_TSAN && !DISRUPTOR_ASAN) /* whose mlock(2) does nothing */
			assert_int_equal(kilobytes("Locked", 0), size);
		close_and_remove(&other);
	} else {
		assert_detail("ulimit -l");
		assert_code(find_with(&other, 0), 0);
		close_and_remove(&other);
	}
}

TEST(a_node_that_is_none_is_refused_and_nothing_is_left)
{
	const unsigned create = DISRUPTOR_SEGMENT_CREATE;
	struct disruptor_segment *s;

	assert_code(open_with(&s, memory_directory, create, DISRUPTOR_BIND_NODE, -1),
		    DISRUPTOR_E_INVAL);
	assert_detail("numa_node");
	assert_code(find_with(&s, 0), DISRUPTOR_E_NOT_FOUND);
	assert_code(open_with(&s, memory_directory, create, DISRUPTOR_BIND_NODE, 1023),
		    DISRUPTOR_E_UNSUPPORTED);
	assert_detail("numa_node");
	assert_code(find_with(&s, 0), DISRUPTOR_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(huge_pages_are_made_of_a_file_s_memory_or_it_is_said_that_they_are_not),
		RUN(who_does_not_ask_is_told_that_pages_are_small),
		RUN(huge_pages_that_are_required_and_not_there_are_refused_and_nothing_is_left),
		RUN(a_file_system_of_huge_pages_makes_a_segment_of_them_or_says_that_there_are_none),
		RUN(each_process_locks_and_touches_its_own_mapping),
		RUN(a_node_that_is_none_is_refused_and_nothing_is_left),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
