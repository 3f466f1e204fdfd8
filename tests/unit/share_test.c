/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Files that processes share: made whole or not at all, opened by those they are meant for alone, and
 * locks that tell who lives. Linux.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include "os/pages.h"
#include "os/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#define SIZE 8192

static const struct disruptor_options plain = { .size = sizeof(plain) };
static const struct disruptor_options huge_try = { .size = sizeof(huge_try),
						   .flags = DISRUPTOR_HUGE_PAGES_TRY };
static const struct disruptor_options huge_require = { .size = sizeof(huge_require),
						       .flags = DISRUPTOR_HUGE_PAGES_REQUIRE };

/* A directory of the test's own. */
struct yard {
	char path[64];
	struct os_place place;
};

static void yard_open(struct yard *y)
{
	(void)snprintf(y->path, sizeof(y->path), "/tmp/disruptor-test-XXXXXX");
	assert_non_null(mkdtemp(y->path));
	y->place = (struct os_place){ .directory = y->path, .name = "ring", .mode = 0600 };
}

static const char *in_yard(const struct yard *y, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", y->path, name);
	return path;
}

static void yard_close(struct yard *y)
{
	(void)unlink(in_yard(y, "ring"));
	(void)unlink(in_yard(y, "other"));
	/* nothing else was left there */
	assert_int_equal(rmdir(y->path), 0);
}

static void make(struct os_share *s, const struct yard *y)
{
	assert_code(os_share_make(s, &y->place, SIZE, &plain), 0);
	assert_code(os_share_show(s, &y->place), 0);
}

static void expect_refused(const struct yard *y, int code, const char *detail)
{
	struct os_share s;

	assert_code(os_share_open(&s, &y->place, SIZE, false), code);
	assert_detail(detail);
	assert_int_equal(s.fd, -1);
	assert_null(s.base);
}

TEST(one_process_writes_what_another_reads)
{
	struct os_share a, b;
	struct yard y;

	yard_open(&y);
	make(&a, &y);
	assert_code(os_share_open(&b, &y.place, SIZE, true), 0);
	assert_int_equal(b.size, SIZE);
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(b.base[i], 0);
	a.base[SIZE - 1] = 7;
	assert_int_equal(b.base[SIZE - 1], 7);
	assert_true(os_share_is_shown(&a, &y.place));
	assert_code(os_share_unlink(&y.place), 0);
	assert_false(os_share_is_shown(&a, &y.place));
	assert_code(os_share_unlink(&y.place), DISRUPTOR_E_NOT_FOUND);
	os_share_close(&a);
	os_share_close(&b);
	yard_close(&y);
}

TEST(nobody_sees_it_before_it_is_shown_and_one_alone_has_the_name)
{
	struct os_share first, second, seen;
	struct yard y;

	yard_open(&y);
	assert_code(os_share_make(&first, &y.place, SIZE, &plain), 0);
	assert_code(os_share_make(&second, &y.place, SIZE, &plain), 0);
	assert_code(os_share_open(&seen, &y.place, SIZE, false), DISRUPTOR_E_NOT_FOUND);
	assert_code(os_share_show(&second, &y.place), 0);
	assert_code(os_share_show(&first, &y.place), DISRUPTOR_E_EXISTS);
	assert_detail("ring");
	assert_true(os_share_is_shown(&second, &y.place));
	assert_false(os_share_is_shown(&first, &y.place));
	os_share_close(&first);
	os_share_close(&second);
	yard_close(&y);
}

TEST(its_mode_is_what_was_asked_for_whatever_the_umask)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	static const unsigned modes[] = { 0600, 0640, 0660 };
	struct yard y;

	yard_open(&y);
	for (size_t m = 0; m < COUNT(masks); m++) {
		for (size_t k = 0; k < COUNT(modes); k++) {
			mode_t before = umask(masks[m]);
			struct os_share s, again;
			struct stat st;

			y.place.mode = modes[k];
			make(&s, &y);
			umask(before);
			assert_int_equal(fstat(s.fd, &st), 0);
			assert_int_equal(st.st_mode & 0777, modes[k]);
			assert_code(os_share_open(&again, &y.place, SIZE, false), 0);
			os_share_close(&again);
			os_share_close(&s);
			assert_code(os_share_unlink(&y.place), 0);
		}
	}
	yard_close(&y);
}

TEST(the_users_own_directory_is_nobody_elses)
{
	struct os_place place = { .name = "ring", .mode = 0600 };
	mode_t before = umask(0);
	char path[256], own[128];
	struct os_share s;
	struct yard y;
	struct stat st;

	assert_code(os_share_path(&place, path, sizeof(path)), 0);
	assert_true(strncmp(path, "/dev/shm/disruptor-", 19) == 0);
	yard_open(&y);
	(void)snprintf(own, sizeof(own), "%s/own", y.path);
	assert_int_equal(setenv("DISRUPTOR_DIRECTORY", own, 1), 0);
	/* it is made, whatever the umask, for its user alone */
	assert_code(os_share_make(&s, &place, SIZE, &plain), 0);
	umask(before);
	assert_int_equal(lstat(own, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	os_share_close(&s);
	/* where others may enter, nothing is made and nothing opened */
	assert_int_equal(chmod(own, 0755), 0);
	assert_code(os_share_make(&s, &place, SIZE, &plain), DISRUPTOR_E_DENIED);
	assert_detail("0700");
	assert_code(os_share_open(&s, &place, SIZE, false), DISRUPTOR_E_DENIED);
	assert_int_equal(rmdir(own), 0);
	/* nor behind a link that was planted in its place */
	assert_int_equal(symlink("/tmp", own), 0);
	assert_code(os_share_make(&s, &place, SIZE, &plain), DISRUPTOR_E_DENIED);
	assert_int_equal(unlink(own), 0);
	assert_int_equal(unsetenv("DISRUPTOR_DIRECTORY"), 0);
	yard_close(&y);
}

TEST(links_and_what_is_no_plain_file_are_refused)
{
	struct os_share s;
	struct yard y;

	yard_open(&y);
	make(&s, &y);
	assert_int_equal(rename(in_yard(&y, "ring"), "/tmp/disruptor-test-elsewhere"), 0);
	assert_int_equal(symlink("/tmp/disruptor-test-elsewhere", in_yard(&y, "ring")), 0);
	expect_refused(&y, DISRUPTOR_E_DENIED, "ring");
	assert_int_equal(unlink(in_yard(&y, "ring")), 0);
	assert_int_equal(unlink("/tmp/disruptor-test-elsewhere"), 0);
	os_share_close(&s);

	assert_int_equal(mkfifo(in_yard(&y, "ring"), 0600), 0);
	expect_refused(&y, DISRUPTOR_E_DENIED, "not a plain file");
	assert_int_equal(unlink(in_yard(&y, "ring")), 0);

	assert_int_equal(mkdir(in_yard(&y, "ring"), 0700), 0);
	expect_refused(&y, DISRUPTOR_E_DENIED, "ring");
	assert_int_equal(rmdir(in_yard(&y, "ring")), 0);
	yard_close(&y);
}

TEST(a_second_name_or_another_writer_is_refused)
{
	struct os_share s;
	struct yard y;

	yard_open(&y);
	make(&s, &y);
	char first[128];

	(void)snprintf(first, sizeof(first), "%s", in_yard(&y, "ring"));
	assert_int_equal(link(first, in_yard(&y, "other")), 0);
	expect_refused(&y, DISRUPTOR_E_DENIED, "2 names");
	assert_int_equal(unlink(in_yard(&y, "other")), 0);
	assert_int_equal(chmod(first, 0660), 0);
	expect_refused(&y, DISRUPTOR_E_DENIED, "others may write");
	assert_int_equal(chmod(first, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(first, 12345, 12345), 0);
		expect_refused(&y, DISRUPTOR_E_DENIED, "belongs to user 12345");
	}
	os_share_close(&s);
	yard_close(&y);
}

TEST(what_is_too_short_is_refused)
{
	struct os_share s;
	struct yard y;

	yard_open(&y);
	make(&s, &y);
	assert_int_equal(ftruncate(s.fd, SIZE - 1), 0);
	expect_refused(&y, DISRUPTOR_E_FORMAT, "8191 bytes");
	os_share_close(&s);
	yard_close(&y);
}

TEST(names_that_are_none_are_refused)
{
	static const char *const names[] = { "",   ".",    "..",   ".hidden",
					     "a/", "a/..", "x\ny", "\x1b[2Jred" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct os_place place = { .name = names[i], .mode = 0600 };
		struct os_share s;

		assert_code(os_share_make(&s, &place, SIZE, &plain), DISRUPTOR_E_INVAL);
		assert_detail("name");
		assert_int_equal(s.fd, -1);
	}
}

/* A limit on the size of files stands for a file system without room. */
TEST(no_room_is_an_error_now_and_leaves_nothing)
{
	struct rlimit before, small;
	struct os_share s;
	struct yard y;

	yard_open(&y);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_code(os_share_make(&s, &y.place, SIZE, &plain), DISRUPTOR_E_NOMEM);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(s.fd, -1);
	yard_close(&y);
}

/* ---- without a name ---- */

TEST(one_without_a_name_cannot_change_its_size)
{
	struct os_share s, other;
	int fd;

	assert_code(os_share_make_unnamed(&s, "ring", SIZE, &plain), 0);
	assert_int_not_equal(ftruncate(s.fd, 0), 0);
	fd = s.fd;
	assert_code(os_share_adopt(&other, fd, SIZE, false), 0);
	s.base[5] = 9;
	assert_int_equal(other.base[5], 9);
	os_share_close(&other);
	os_share_close(&s);
}

TEST(one_whose_size_may_change_is_not_adopted)
{
	struct os_share s;
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_code(os_share_adopt(&s, fd, SIZE, false), DISRUPTOR_E_DENIED);
	assert_detail("sealed");
	assert_int_equal(close(fd), 0); /* it is still ours */
}

TEST(huge_pages_or_a_reason)
{
	struct os_share s;

	assert_code(os_share_make_unnamed(&s, "ring", SIZE, &huge_try), 0);
	assert_true(s.pages != DISRUPTOR_PAGES_CALLER);
	assert_true(s.size >= SIZE);
	memset(s.base, 1, s.size);
	os_share_close(&s);
	if (os_share_make_unnamed(&s, "ring", SIZE, &huge_require) == 0)
		os_share_close(&s);
	else
		assert_detail("nr_hugepages");
}

static size_t huge_page(void)
{
#ifdef DISRUPTOR_PLATFORM_POSIX /* whose tests end before they begin */
	return 1 << 21;
#else
	return os_huge_page_size();
#endif
}

/* A kernel that puts shared memory anywhere, as those before Linux 6.7 do: here, a page off. */
static bool anywhere;
static unsigned put_anywhere;

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	const size_t align = huge_page(), page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *free_room;

	if (!anywhere || at)
		return __real_mmap(at, size, protection, flags, fd, offset);
	free_room =
		__real_mmap(NULL, size + 2 * align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(free_room, MAP_FAILED);
	put_anywhere++;
	return __real_mmap(free_room + align - (uintptr_t)free_room % align + page, size,
			   protection, flags | MAP_FIXED, fd, offset);
}

TEST(what_holds_a_huge_page_is_mapped_where_one_can_lie)
{
	const size_t huge = huge_page();
	struct os_share s, other;
	struct yard y;

	yard_open(&y);
	anywhere = true;
	assert_code(os_share_make(&s, &y.place, 2 * huge + SIZE, &plain), 0);
	assert_code(os_share_show(&s, &y.place), 0);
	assert_code(os_share_open(&other, &y.place, SIZE, true), 0);
	anywhere = false;
	assert_true(put_anywhere != 0);
	assert_int_equal((uintptr_t)s.base % huge, 0);
	assert_int_equal((uintptr_t)other.base % huge, 0);
	/* all of it, to the last byte */
	s.base[s.size - 1] = 7;
	assert_int_equal(other.base[s.size - 1], 7);
	os_share_close(&other);
	os_share_close(&s);
	yard_close(&y);
}

/* ---- locks ---- */

TEST(a_lock_keeps_others_out_and_only_them)
{
	struct os_share a, b;
	struct yard y;

	yard_open(&y);
	make(&a, &y);
	assert_code(os_share_open(&b, &y.place, SIZE, false), 0);
	assert_true(os_share_try_lock(&a, 3));
	assert_false(os_share_try_lock(&b, 3));
	assert_true(os_share_is_locked(&b, 3));
	assert_false(os_share_is_locked(&a, 3)); /* its own */
	assert_false(os_share_is_locked(&b, 4));
	os_share_unlock(&a, 3);
	assert_false(os_share_is_locked(&b, 3));
	assert_code(os_share_lock(&b, 3), 0);
	assert_true(os_share_is_locked(&a, 3));
	os_share_close(&b);
	assert_false(os_share_is_locked(&a, 3));
	os_share_close(&a);
	yard_close(&y);
}

TEST(the_kernel_frees_a_killed_process_s_lock)
{
	struct os_share a;
	struct yard y;
	int ready[2];
	pid_t child;
	char byte;

	yard_open(&y);
	make(&a, &y);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct os_share b;

		if (os_share_open(&b, &y.place, SIZE, false) != 0 || !os_share_try_lock(&b, 1) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(os_share_is_locked(&a, 1));
	assert_int_equal(kill(child, SIGSTOP), 0); /* stopped is not dead */
	assert_true(os_share_is_locked(&a, 1));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(os_share_is_locked(&a, 1));
	close(ready[0]);
	close(ready[1]);
	os_share_close(&a);
	yard_close(&y);
}

TEST(who_a_process_is)
{
	unsigned char one[16], two[16];
	uint64_t self = os_process_id();

	assert_int_equal(self, (uint64_t)getpid());
	assert_true(os_process_start(self) > 0);
	assert_int_equal(os_process_start(self), os_process_start(self));
	assert_true(os_process_start(self) >= os_process_start(1));
	os_boot_id(one);
	os_boot_id(two);
	assert_memory_equal(one, two, 16);
	assert_code(os_random(one, 16), 0);
	assert_code(os_random(two, 16), 0);
	assert_memory_not_equal(one, two, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(one_process_writes_what_another_reads),
		RUN(nobody_sees_it_before_it_is_shown_and_one_alone_has_the_name),
		RUN(its_mode_is_what_was_asked_for_whatever_the_umask),
		RUN(the_users_own_directory_is_nobody_elses),
		RUN(links_and_what_is_no_plain_file_are_refused),
		RUN(a_second_name_or_another_writer_is_refused),
		RUN(what_is_too_short_is_refused),
		RUN(names_that_are_none_are_refused),
		RUN(no_room_is_an_error_now_and_leaves_nothing),
		RUN(one_without_a_name_cannot_change_its_size),
		RUN(one_whose_size_may_change_is_not_adopted),
		RUN(huge_pages_or_a_reason),
		RUN(what_holds_a_huge_page_is_mapped_where_one_can_lie),
		RUN(a_lock_keeps_others_out_and_only_them),
		RUN(the_kernel_frees_a_killed_process_s_lock),
		RUN(who_a_process_is),
	};
	struct os_share s;

	if (os_share_make_unnamed(&s, "ring", SIZE, &plain) == DISRUPTOR_E_UNSUPPORTED) {
		puts("skipped: no memory between processes on this platform layer");
		return 77;
	}
	os_share_close(&s);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
