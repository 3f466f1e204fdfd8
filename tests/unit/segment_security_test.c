/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What SECURITY.md promises of segments: who else can have a say in one is found out before a byte of
 * it is looked at, and a segment that is made is the maker's alone. Linux.
 */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/segment.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 65534 /* a user who owns nothing here */

/* Where files must have a name: O_TMPFILE is refused, as some file systems do. */
static bool no_unnamed_files;
static unsigned refusals;

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
	if (no_unnamed_files && (flags & O_TMPFILE) == O_TMPFILE) {
		refusals++;
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_openat(fd, path, flags, mode);
}

/* ---- segments ---- */

static const char *path_of(const char *file)
{
	static char path[2][128];
	static unsigned turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", shared_directory, file);
	return path[turn];
}

static int open_at(struct disruptor_segment **s, const char *where, const char *name,
		   unsigned flags, unsigned mode)
{
	const struct disruptor_segment_options o = {
		.size = sizeof(o), .directory = where, .flags = flags, .mode = mode
	};
	struct disruptor_options ring = fixture_options(8);

	if (ring.rung == DISRUPTOR_RUNG_MUTEX) /* which is one process's own */
		ring.rung = DISRUPTOR_RUNG_AUTO;
	return disruptor_segment_open(s, name, &tick_type, &ring, &o);
}

static void make(unsigned mode)
{
	struct disruptor_segment *s;

	assert_code(open_at(&s, shared_directory, "ring",
			    DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW, mode),
		    0);
	assert_code(disruptor_segment_close(&s), 0);
}

static void remove_ring(void)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory };

	assert_code(disruptor_segment_remove("ring", &o), 0);
}

static void expect_found(unsigned mode)
{
	struct disruptor_segment *s;

	assert_code(open_at(&s, shared_directory, "ring", 0, mode), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

/* Neither found nor made anew; the detail says why. */
static void expect_refusal(const char *name, unsigned mode, int code, const char *detail)
{
	static const unsigned ways[] = { 0, DISRUPTOR_SEGMENT_CREATE };

	for (size_t i = 0; i < COUNT(ways); i++) {
		struct disruptor_segment *s = (struct disruptor_segment *)1;

		assert_code(open_at(&s, shared_directory, name, ways[i], mode), code);
		assert_null(s);
		assert_detail(detail);
	}
}

/* Names in the directory, those that begin with a dot, too. */
static unsigned names_there(void)
{
	DIR *d = opendir(shared_directory);
	unsigned count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	(void)closedir(d);
	return count - 2;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* ---- what stands at the name ---- */

TEST(a_link_at_the_name_is_not_followed)
{
	struct disruptor_segment *s;
	struct stat st;

	make(0);
	assert_int_equal(symlink("ring", path_of("link")), 0);
	expect_refusal("link", 0, DISRUPTOR_E_DENIED, "link");
	/* nor does anything come to be where one leads to nothing */
	assert_int_equal(symlink("nothing", path_of("dangling")), 0);
	expect_refusal("dangling", 0, DISRUPTOR_E_DENIED, "dangling");
	assert_code(open_at(&s, shared_directory, "dangling",
			    DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW, 0),
		    DISRUPTOR_E_EXISTS);
	assert_int_equal(lstat(path_of("nothing"), &st), -1);
	/* what is removed is the link */
	assert_code(disruptor_segment_remove(path_of("link"), NULL), 0);
	expect_found(0);
	remove_ring();
	assert_int_equal(unlink(path_of("dangling")), 0);
	assert_int_equal(names_there(), 0);
}

TEST(what_is_no_plain_file_is_refused_at_once)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* which nobody else has open: it would keep a plain open(2) waiting */
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	expect_refusal("fifo", 0, DISRUPTOR_E_DENIED, "not a plain file");
	expect_refusal("/dev/null", 0666, DISRUPTOR_E_DENIED, "not a plain file");
	assert_int_equal(mkdir(path_of("below"), 0700), 0);
	expect_refusal("below", 0, DISRUPTOR_E_DENIED, "below");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_refusal("socket", 0, DISRUPTOR_E_DENIED, "socket");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path_of("socket")), 0);
	assert_int_equal(rmdir(path_of("below")), 0);
	assert_int_equal(unlink(path_of("fifo")), 0);
}

TEST(a_file_of_two_names_is_refused)
{
	make(0);
	assert_int_equal(link(path_of("ring"), path_of("other")), 0);
	expect_refusal("ring", 0, DISRUPTOR_E_DENIED, "has 2 names");
	expect_refusal("other", 0, DISRUPTOR_E_DENIED, "has 2 names");
	assert_int_equal(unlink(path_of("other")), 0);
	expect_found(0);
	remove_ring();
}

TEST(a_file_of_another_user_is_refused)
{
	if (geteuid() != 0)
		skip();
	make(0);
	assert_int_equal(chown(path_of("ring"), STRANGER, (gid_t)-1), 0);
	expect_refusal("ring", 0, DISRUPTOR_E_DENIED, "belongs to user 65534");
	assert_int_equal(chown(path_of("ring"), geteuid(), (gid_t)-1), 0);
	expect_found(0);
	remove_ring();
}

TEST(a_file_that_others_may_write_to_is_refused_unless_that_is_asked_for)
{
	make(0);
	for (unsigned mode = 0600; mode <= 0677; mode++) {
		assert_int_equal(chmod(path_of("ring"), mode), 0);
		if (mode & 022)
			expect_refusal("ring", 0, DISRUPTOR_E_DENIED, "others may write to it");
		else
			expect_found(0);
		if (mode & 02)
			expect_refusal("ring", 0660, DISRUPTOR_E_DENIED, "others may write to it");
		else
			expect_found(0660);
		expect_found(0666);
	}
	remove_ring();
}

TEST(a_file_that_is_shorter_or_longer_than_it_says_is_refused)
{
	static const off_t sizes[] = { 0, 1, 255, 256, 4096, 8192 };
	struct stat st;

	make(0);
	assert_int_equal(stat(path_of("ring"), &st), 0);
	assert_int_equal(truncate(path_of("ring"), st.st_size + 4096), 0);
	expect_refusal("ring", 0, DISRUPTOR_E_FORMAT, "ring");
	for (size_t i = COUNT(sizes); i-- != 0;) {
		assert_int_equal(truncate(path_of("ring"), sizes[i]), 0);
		expect_refusal("ring", 0, DISRUPTOR_E_FORMAT, "ring");
	}
	remove_ring();
}

TEST(a_name_that_a_terminal_must_not_be_shown_is_refused)
{
	static const char *const names[] = { "",         ".",          "..",     ".hidden",
					     "a\033[2J", "two\nlines", "\x7f",   "tab\t",
					     "/",        "sub/",       "/tmp/.", "/tmp/.." };
	char longest[300];

	for (size_t i = 0; i < COUNT(names); i++)
		expect_refusal(names[i], 0, DISRUPTOR_E_INVAL, "name: ");
	memset(longest, 'x', sizeof(longest));
	longest[255] = '\0';
	expect_refusal(longest, 0, DISRUPTOR_E_INVAL, "name: ");
	assert_int_equal(names_there(), 0);
}

/* ---- the user's own directory ---- */

/* $DISRUPTOR_DIRECTORY, which is not there yet, and a segment of no directory in it. */
static int open_own(struct disruptor_segment **s, const char *own, unsigned flags)
{
	int rc;

	assert_int_equal(setenv("DISRUPTOR_DIRECTORY", own, 1), 0);
	rc = open_at(s, NULL, "ring", flags, 0);
	assert_int_equal(unsetenv("DISRUPTOR_DIRECTORY"), 0);
	return rc;
}

static void make_own(const char *own)
{
	struct disruptor_segment *s;

	assert_code(open_own(&s, own, DISRUPTOR_SEGMENT_CREATE), 0);
	assert_code(disruptor_segment_close(&s), 0);
}

static void expect_own_refused(const char *own, const char *detail)
{
	struct disruptor_segment *s;

	assert_code(open_own(&s, own, 0), DISRUPTOR_E_DENIED);
	assert_detail(detail);
	assert_code(open_own(&s, own, DISRUPTOR_SEGMENT_CREATE), DISRUPTOR_E_DENIED);
	assert_detail(detail);
}

static void remove_own(void)
{
	assert_int_equal(unlink(path_of("own/ring")), 0);
	assert_int_equal(rmdir(path_of("own")), 0);
}

TEST(the_own_directory_is_made_for_the_user_alone)
{
	static const mode_t masks[] = { 000, 002, 022, 027, 077 };

	for (size_t i = 0; i < COUNT(masks); i++) {
		mode_t before = umask(masks[i]);

		make_own(path_of("own"));
		(void)umask(before);
		assert_int_equal(mode_of(path_of("own")), 0700);
		assert_int_equal(mode_of(path_of("own/ring")), 0600);
		remove_own();
	}
}

TEST(an_own_directory_that_others_may_enter_is_refused)
{
	make_own(path_of("own"));
	for (unsigned mode = 0700; mode <= 0777; mode++) {
		struct disruptor_segment *s;

		assert_int_equal(chmod(path_of("own"), mode), 0);
		if (mode != 0700) {
			expect_own_refused(path_of("own"), "others may enter it");
			continue;
		}
		assert_code(open_own(&s, path_of("own"), 0), 0);
		assert_code(disruptor_segment_close(&s), 0);
	}
	remove_own();
}

TEST(an_own_directory_that_is_a_link_or_another_user_s_is_refused)
{
	make_own(path_of("own"));
	assert_int_equal(symlink("own", path_of("link")), 0);
	expect_own_refused(path_of("link"), "link");
	/* nor is one made where the link leads to */
	assert_int_equal(unlink(path_of("link")), 0);
	assert_int_equal(symlink("nothing", path_of("link")), 0);
	expect_own_refused(path_of("link"), "link");
	assert_int_equal(access(path_of("nothing"), F_OK), -1);
	assert_int_equal(unlink(path_of("link")), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path_of("own"), STRANGER, (gid_t)-1), 0);
		expect_own_refused(path_of("own"), "belongs to user 65534");
	}
	remove_own();
}

/* ---- other users ---- */

/* Open what root has made, as a stranger; the code is the exit status. */
static void expect_stranger(unsigned mode, int code)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct disruptor_segment *s;

		if (setresgid(STRANGER, STRANGER, STRANGER) != 0 ||
		    setresuid(STRANGER, STRANGER, STRANGER) != 0)
			_exit(100);
		_exit(-open_at(&s, shared_directory, "ring", 0, mode));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(-WEXITSTATUS(status), code);
}

TEST(others_have_what_the_mode_gives_them)
{
	if (geteuid() != 0)
		skip();
	make(0);
	expect_stranger(0, DISRUPTOR_E_DENIED); /* by the directory, which is 0700 */
	assert_int_equal(chmod(shared_directory, 0755), 0);
	expect_stranger(0, DISRUPTOR_E_DENIED); /* by the file, which is 0600 */
	remove_ring();
	make(0644);
	expect_stranger(0644, DISRUPTOR_E_DENIED); /* to take part is to write */
	remove_ring();
	make(0666);
	expect_stranger(0, DISRUPTOR_E_DENIED); /* by itself: others may write to it */
	expect_stranger(0666, 0);               /* root's, and asked for */
	remove_ring();
	assert_int_equal(chmod(shared_directory, 0700), 0);
}

/* ---- what is made ---- */

static void expect_modes(void)
{
	static const unsigned modes[] = { 0600, 0640, 0644, 0660, 0666, 0622 };

	for (mode_t mask = 0; mask <= 0777; mask++) {
		mode_t before = umask(mask);
		unsigned mode = modes[mask % COUNT(modes)];

		make(mode);
		(void)umask(before);
		assert_int_equal(mode_of(path_of("ring")), mode);
		assert_int_equal(names_there(), 1);
		remove_ring();
	}
}

TEST(a_file_has_the_mode_that_is_asked_for_whatever_the_umask_is)
{
	expect_modes();
}

TEST(so_it_has_where_a_file_must_have_a_name)
{
	struct disruptor_segment *s;

	no_unnamed_files = true;
	make(0);
	if (refusals == 0) {
		/* the C library's headers call it by another name */
		no_unnamed_files = false;
		remove_ring();
		skip();
	}
	/* one that cannot be shown leaves nothing */
	assert_code(open_at(&s, shared_directory, "ring",
			    DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW, 0),
		    DISRUPTOR_E_EXISTS);
	assert_int_equal(names_there(), 1);
	remove_ring();
	expect_modes();
	no_unnamed_files = false;
}

TEST(a_mode_that_is_more_than_reading_and_writing_is_refused)
{
	static const unsigned modes[] = { 0700, 0601, 01600, 04600 };

	for (size_t i = 0; i < COUNT(modes); i++)
		expect_refusal("ring", modes[i], DISRUPTOR_E_INVAL, "mode: ");
}

static void expect_zeroes(struct disruptor_segment *s)
{
	static const struct tick zero;
	struct tick_producer p;

	assert_code(tick_producer_open(&p, disruptor_segment_ring(s), NULL), 0);
	for (uint64_t i = 0; i < 8; i++) {
		struct tick *t = tick_claim(&p);

		assert_non_null(t);
		assert_memory_equal(t, &zero, sizeof(zero));
		*t = (struct tick){ .value = ~i, .from = ~i };
		assert_code(tick_publish(&p), 0);
	}
	assert_code(tick_producer_close(&p), 0);
}

TEST(events_are_zero_before_they_are_written)
{
	struct disruptor_options ring = fixture_options(8);
	struct disruptor_segment *s;

	ring.flags = DISRUPTOR_FREE_RUN; /* nobody reads */
	if (ring.rung == DISRUPTOR_RUNG_MUTEX)
		ring.rung = DISRUPTOR_RUNG_AUTO;
	/* again behind one that was full of something */
	for (unsigned i = 0; i < 2; i++) {
		const struct disruptor_segment_options o = { .size = sizeof(o),
							     .directory = shared_directory,
							     .flags = DISRUPTOR_SEGMENT_CREATE };

		assert_code(disruptor_segment_open(&s, "ring", &tick_type, &ring, &o), 0);
		expect_zeroes(s);
		assert_code(disruptor_segment_close(&s), 0);
		remove_ring();
		assert_code(disruptor_segment_make(&s, &tick_type, &ring, NULL), 0);
		expect_zeroes(s);
		assert_code(disruptor_segment_close(&s), 0);
	}
}

/* ---- without a name ---- */

TEST(the_size_of_one_without_a_name_is_sealed)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct disruptor_options ring = fixture_options(8);
	struct disruptor_segment *s;
	struct stat st;
	int fd;

	if (ring.rung == DISRUPTOR_RUNG_MUTEX)
		ring.rung = DISRUPTOR_RUNG_AUTO;
	assert_code(disruptor_segment_make(&s, &tick_type, &ring, NULL), 0);
	fd = disruptor_segment_fd(s);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, st.st_size + 4096), -1);
	/* who executes another program does not hand it over */
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_code(disruptor_segment_close(&s), 0);
}

TEST(one_whose_size_may_change_is_not_adopted)
{
	static const unsigned enough[] = { 0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE };
	struct disruptor_segment *s;
	int fd;

	for (size_t i = 0; i < COUNT(enough); i++) {
		fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, 65536), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, enough[i]), 0);
		assert_code(disruptor_segment_adopt(&s, fd, &tick_type, NULL), DISRUPTOR_E_DENIED);
		assert_null(s);
		assert_int_equal(close(fd), 0);
	}
	/* a file, which knows no seals */
	make(0);
	fd = open(path_of("ring"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_code(disruptor_segment_adopt(&s, fd, &tick_type, NULL), DISRUPTOR_E_DENIED);
	assert_detail("not sealed");
	assert_int_equal(close(fd), 0);
	remove_ring();
	assert_code(disruptor_segment_adopt(&s, -1, &tick_type, NULL), DISRUPTOR_E_NOT_FOUND);
	/* one that is sealed, and of nothing */
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_code(disruptor_segment_adopt(&s, fd, &tick_type, NULL), DISRUPTOR_E_FORMAT);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_link_at_the_name_is_not_followed),
		RUN(what_is_no_plain_file_is_refused_at_once),
		RUN(a_file_of_two_names_is_refused),
		RUN(a_file_of_another_user_is_refused),
		RUN(a_file_that_others_may_write_to_is_refused_unless_that_is_asked_for),
		RUN(a_file_that_is_shorter_or_longer_than_it_says_is_refused),
		RUN(a_name_that_a_terminal_must_not_be_shown_is_refused),
		RUN(the_own_directory_is_made_for_the_user_alone),
		RUN(an_own_directory_that_others_may_enter_is_refused),
		RUN(an_own_directory_that_is_a_link_or_another_user_s_is_refused),
		RUN(others_have_what_the_mode_gives_them),
		RUN(a_file_has_the_mode_that_is_asked_for_whatever_the_umask_is),
		RUN(so_it_has_where_a_file_must_have_a_name),
		RUN(a_mode_that_is_more_than_reading_and_writing_is_refused),
		RUN(events_are_zero_before_they_are_written),
		RUN(the_size_of_one_without_a_name_is_sealed),
		RUN(one_whose_size_may_change_is_not_adopted),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
