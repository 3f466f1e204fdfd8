/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Linux: files and memfds that processes share, and locks on their bytes. */
#define _GNU_SOURCE
#include "error.h"
#include "os/pages.h"
#include "os/share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_DIRECTORY "/dev/shm"

static int system_error(const char *what, const char *path)
{
	/* a directory (EISDIR) and a socket (ENXIO) are no plain files, whatever their modes */
	int code = errno == EACCES || errno == EPERM || errno == ELOOP || errno == ENOTDIR ||
				   errno == EISDIR || errno == ENXIO
			   ? DISRUPTOR_E_DENIED
		   : errno == ENOENT                    ? DISRUPTOR_E_NOT_FOUND
		   : errno == EEXIST                    ? DISRUPTOR_E_EXISTS
		   : errno == ENOSPC || errno == EDQUOT ? DISRUPTOR_E_NO_SPACE
		   : errno == ENOMEM || errno == EFBIG  ? DISRUPTOR_E_NOMEM
							: DISRUPTOR_E_SYSTEM;

	return error_set(code, "%s: %s: %s", path, what, os_error_text(errno));
}

/* ---- names and directories ---- */

static bool is_path(const char *name)
{
	return strchr(name, '/') != NULL;
}

static int check_name(const char *name)
{
	const char *last = strrchr(name, '/');
	const char *file = last ? last + 1 : name;

	if (!file[0] || strcmp(file, ".") == 0 || strcmp(file, "..") == 0 ||
	    strlen(file) > NAME_MAX - 32)
		return error_set(DISRUPTOR_E_INVAL, "name: \"%s\" is no file's", name);
	for (const char *c = file; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return error_set(DISRUPTOR_E_INVAL, "name: byte %zu is a control character",
					 (size_t)(c - name));
	if (!last && file[0] == '.')
		return error_set(DISRUPTOR_E_INVAL, "name: \"%s\" begins with a dot", name);
	return 0;
}

static int default_directory(char *path, size_t size)
{
	const char *chosen = secure_getenv("DISRUPTOR_DIRECTORY");
	int n = chosen && chosen[0] ? snprintf(path, size, "%s", chosen)
				    : snprintf(path, size, "%s/disruptor-%lu", MEMORY_DIRECTORY,
					       (unsigned long)geteuid());

	return n > 0 && (size_t)n < size
		       ? 0
		       : error_set(DISRUPTOR_E_INVAL, "directory: the path is too long");
}

/* The directory of @p place, and where in its name the file's begins. */
static int directory_of(const struct os_place *place, char *path, size_t size, const char **file)
{
	const char *last = strrchr(place->name, '/');
	int n;

	*file = last ? last + 1 : place->name;
	if (!last && !place->directory)
		return default_directory(path, size);
	if (!last)
		n = snprintf(path, size, "%s", place->directory);
	else
		n = snprintf(path, size, "%.*s",
			     last == place->name ? 1 : (int)(last - place->name), place->name);
	return n > 0 && (size_t)n < size
		       ? 0
		       : error_set(DISRUPTOR_E_INVAL, "directory: the path is too long, or empty");
}

int os_share_path(const struct os_place *place, char *path, size_t size)
{
	const char *file;
	size_t used;
	int rc = check_name(place->name);

	if (rc == 0)
		rc = directory_of(place, path, size, &file);
	if (rc != 0)
		return rc;
	used = strlen(path);
	if (used + 1 + strlen(file) + 1 > size)
		return error_set(DISRUPTOR_E_INVAL, "name: the path is too long");
	(void)snprintf(path + used, size - used, "/%s", file);
	return 0;
}

/* The user's own directory: nobody else may have a say in what lies there. */
static int check_own(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return system_error("fstat", path);
	if (st.st_uid != geteuid())
		return error_set(DISRUPTOR_E_DENIED, "%s: belongs to user %lu, not to %lu", path,
				 (unsigned long)st.st_uid, (unsigned long)geteuid());
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(DISRUPTOR_E_DENIED, "%s: mode %03o; others may enter it, use 0700",
				 path, (unsigned)st.st_mode & 0777u);
	return 0;
}

/* Open the directory of @p place; its own is made when @p make. A descriptor, or a code. */
static int open_directory(const struct os_place *place, bool make, const char **file)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char path[PATH_MAX];
	bool own;
	int fd, rc;

	if (!place->name)
		return error_set(DISRUPTOR_E_INVAL, "name: NULL");
	*file = "";
	own = !place->directory && !is_path(place->name);
	rc = check_name(place->name);
	if (rc == 0)
		rc = directory_of(place, path, sizeof(path), file);
	if (rc != 0)
		return rc;
	/* what stands at the name that only this user uses must be the user's; a caller's path may be a link */
	fd = open(path, own ? flags | O_NOFOLLOW : flags);
	if (fd < 0 && errno == ENOENT && own && make) {
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return system_error("mkdir", path);
		fd = open(path, flags | O_NOFOLLOW);
	}
	if (fd < 0)
		return system_error("open", path);
	rc = own ? check_own(fd, path) : 0;
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* ---- pages ---- */

static size_t round_up(size_t size, size_t page)
{
	return (size + page - 1) / page * page;
}

/* The size of the reserved huge pages that a file is made of; 0 if it is not. */
static size_t reserved_page(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == HUGETLBFS_MAGIC
		       ? (size_t)fs.f_bsize
		       : 0;
}

/* Where @p size bytes may be mapped from a multiple of @p align; NULL: wherever the kernel likes. */
static unsigned char *aligned_place(size_t size, size_t align)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), needed = round_up(size, page);
	unsigned char *room = mmap(NULL, needed + align, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *place;

	if (room == MAP_FAILED)
		return NULL;
	place = room + (align - (uintptr_t)room % align) % align;
	if (place != room)
		(void)munmap(room, (size_t)(place - room));
	(void)munmap(place + needed, (size_t)(room + align - place));
	return place;
}

static int map(struct os_share *s, const char *path)
{
	size_t reserved = reserved_page(s->fd), huge = reserved ? 0 : os_huge_page_size();
	int protection = s->read_only ? PROT_READ : PROT_READ | PROT_WRITE, flags = MAP_SHARED;
	unsigned char *place = NULL;
	void *base;

	/* transparent huge pages, whoever made them, are mapped as such only where they would lie */
	if (!reserved && s->size >= huge)
		place = aligned_place(s->size, huge);
	if (place)
		flags |= MAP_FIXED;
	base = mmap(place, s->size, protection, flags, s->fd, 0);
	if (base == MAP_FAILED) {
		int rc =
			reserved && errno == ENOMEM
				? error_set(DISRUPTOR_E_NO_SPACE,
					    "%s: %zu pages of %zu bytes are not to be had; reserve "
					    "them in /proc/sys/vm/nr_hugepages",
					    path, s->size / reserved, reserved)
				: system_error("mmap", path);

		if (place)
			(void)munmap(place, s->size);
		return rc;
	}
	s->base = base;
	s->pages = reserved ? DISRUPTOR_PAGES_HUGE : DISRUPTOR_PAGES_NORMAL;
	/* a child has other locks than its parent, so it must not have the memory either */
	(void)madvise(base, s->size, MADV_DONTFORK);
	return 0;
}

int os_share_settle(struct os_share *s, unsigned flags)
{
	int rc = 0;

	if ((flags & DISRUPTOR_HUGE_PAGES_REQUIRE) && s->pages != DISRUPTOR_PAGES_HUGE)
		return error_set(
			DISRUPTOR_E_UNSUPPORTED,
			"flags: DISRUPTOR_HUGE_PAGES_REQUIRE: the segment does not lie on "
			"reserved huge pages; one with a name does if its directory is of a "
			"file system of type hugetlbfs");
	if (os_wants_huge(flags) && s->pages == DISRUPTOR_PAGES_NORMAL &&
	    os_collapse(s->base, s->size))
		s->pages = DISRUPTOR_PAGES_TRANSPARENT;
	if (flags & DISRUPTOR_PREFAULT)
		rc = os_prefault(s->base, s->size);
	if (rc == 0 && (flags & DISRUPTOR_LOCK_MEMORY))
		rc = os_lock_memory(s->base, s->size);
	return rc;
}

/* ---- making ---- */

/* All of it, now: a write to a page that the file system has no room for would end the process. */
static int fill(struct os_share *s, const char *path, const struct disruptor_options *o)
{
	int rc;

	/* mapped first: where the pages come from is said of a mapping */
	if (ftruncate(s->fd, (off_t)s->size) != 0)
		return system_error("truncate", path);
	rc = map(s, path);
	if (rc == 0 && (o->flags & DISRUPTOR_BIND_NODE))
		rc = os_bind_node(s->base, s->size, o->numa_node);
	if (rc != 0)
		return rc;
	do
		rc = posix_fallocate(s->fd, 0, (off_t)s->size);
	while (rc == EINTR);
	if (rc == 0)
		return 0;
	errno = rc;
	return system_error(rc == ENOSPC ? "no room for the segment" : "fallocate", path);
}

/* A file in @p directory without a name; where files must have one, with one that nobody looks for. */
static int open_unseen(struct os_share *s, int directory, const char *file, mode_t mode)
{
	uint64_t number;

	s->fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (s->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return s->fd < 0 ? system_error("create", file) : 0;
	if (os_random(&number, sizeof(number)) != 0)
		return DISRUPTOR_E_SYSTEM;
	(void)snprintf(s->unseen, sizeof(s->unseen), ".%s.%016llx", file,
		       (unsigned long long)number);
	s->fd = openat(directory, s->unseen, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW,
		       mode);
	return s->fd < 0 ? system_error("create", file) : 0;
}

int os_share_make(struct os_share *s, const struct os_place *place, size_t size,
		  const struct disruptor_options *o)
{
	const char *file;
	int directory, rc;
	size_t page;

	*s = (struct os_share){ .fd = -1, .size = size, .pages = DISRUPTOR_PAGES_NORMAL };
	directory = open_directory(place, true, &file);
	if (directory < 0)
		return directory;
	rc = open_unseen(s, directory, file, (mode_t)place->mode);
	/* whatever the umask is, it is the mode that was asked for */
	if (rc == 0 && fchmod(s->fd, (mode_t)place->mode) != 0)
		rc = system_error("chmod", place->name);
	page = rc == 0 ? reserved_page(s->fd) : 0;
	if (page)
		s->size = round_up(size, page);
	if (rc == 0)
		rc = fill(s, place->name, o);
	if (rc != 0 && s->unseen[0])
		(void)unlinkat(directory, s->unseen, 0);
	close(directory);
	if (rc != 0)
		os_share_close(s);
	return rc;
}

static int link_to(const struct os_share *s, int directory, const char *file)
{
	char self[64];

	if (s->unseen[0])
		return linkat(directory, s->unseen, directory, file, 0);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", s->fd);
	/* by the descriptor alone it is a privilege before Linux 6.10 */
	if (linkat(s->fd, "", directory, file, AT_EMPTY_PATH) == 0 || errno == EEXIST)
		return errno == EEXIST ? -1 : 0;
	return linkat(AT_FDCWD, self, directory, file, AT_SYMLINK_FOLLOW);
}

int os_share_show(struct os_share *s, const struct os_place *place)
{
	const char *file;
	int directory = open_directory(place, true, &file);
	int rc;

	if (directory < 0)
		return directory;
	errno = 0;
	rc = link_to(s, directory, file) == 0 ? 0 : system_error("link", place->name);
	if (s->unseen[0])
		(void)unlinkat(directory, s->unseen, 0);
	s->unseen[0] = '\0';
	close(directory);
	return rc;
}

/* On reserved huge pages: they are reserved when it is mapped. */
static int make_huge(struct os_share *s, const char *name, const struct disruptor_options *o)
{
	size_t page = os_huge_page_size();

	s->size = round_up(s->size, page);
	s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size) != 0 || map(s, name) != 0)
		return os_refuse_huge(s->size, page);
	return o->flags & DISRUPTOR_BIND_NODE ? os_bind_node(s->base, s->size, o->numa_node) : 0;
}

static int make_small(struct os_share *s, const char *name, const struct disruptor_options *o)
{
	s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return s->fd < 0 ? system_error("memfd_create", name) : fill(s, name, o);
}

int os_share_make_unnamed(struct os_share *s, const char *name, size_t size,
			  const struct disruptor_options *o)
{
	int rc = DISRUPTOR_E_UNSUPPORTED;

	*s = (struct os_share){ .fd = -1, .size = size };
	if (os_wants_huge(o->flags))
		rc = make_huge(s, name, o);
	if (rc == DISRUPTOR_E_UNSUPPORTED && !(o->flags & DISRUPTOR_HUGE_PAGES_REQUIRE)) {
		os_share_close(s);
		*s = (struct os_share){ .fd = -1, .size = size };
		rc = make_small(s, name, o);
	}
	if (rc == 0 && fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		rc = system_error("F_ADD_SEALS", name);
	if (rc != 0)
		os_share_close(s);
	return rc;
}

/* ---- opening ---- */

/* What the file itself says, before a byte of it is looked at. */
static int check_file(const struct os_share *s, const struct os_place *place, size_t least,
		      struct stat *st)
{
	const char *name = place->name;
	unsigned others;

	if (fstat(s->fd, st) != 0)
		return system_error("fstat", name);
	if (!S_ISREG(st->st_mode))
		return error_set(DISRUPTOR_E_DENIED, "%s: not a plain file", name);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return error_set(DISRUPTOR_E_DENIED, "%s: belongs to user %lu, not to %lu", name,
				 (unsigned long)st->st_uid, (unsigned long)geteuid());
	if (st->st_nlink == 0)
		return error_set(DISRUPTOR_E_NOT_FOUND, "%s: it has just been removed", name);
	if (st->st_nlink != 1)
		return error_set(DISRUPTOR_E_DENIED, "%s: has %lu names, not one", name,
				 (unsigned long)st->st_nlink);
	others = (unsigned)st->st_mode & (S_IWGRP | S_IWOTH) & ~place->mode;
	if (others)
		return error_set(DISRUPTOR_E_DENIED,
				 "%s: mode %03o; others may write to it: ask for that mode, or "
				 "chmod it",
				 name, (unsigned)st->st_mode & 0777u);
	if (st->st_size < 0 || (uint64_t)st->st_size < least || (uint64_t)st->st_size > SIZE_MAX)
		return error_set(DISRUPTOR_E_FORMAT, "%s: %lld bytes are no segment", name,
				 (long long)st->st_size);
	return 0;
}

int os_share_open(struct os_share *s, const struct os_place *place, size_t least, bool read_only)
{
	/* a FIFO must not keep us waiting */
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	const char *file;
	struct stat st;
	int directory, rc = 0;

	*s = (struct os_share){ .fd = -1, .read_only = read_only };
	directory = open_directory(place, false, &file);
	if (directory < 0)
		return directory;
	s->fd = openat(directory, file, (read_only ? O_RDONLY : O_RDWR) | flags);
	if (s->fd < 0)
		rc = system_error("open", place->name);
	close(directory);
	if (rc == 0)
		rc = check_file(s, place, least, &st);
	if (rc == 0) {
		s->size = (size_t)st.st_size;
		rc = map(s, place->name);
	}
	if (rc != 0)
		os_share_close(s);
	return rc;
}

int os_share_adopt(struct os_share *s, int fd, size_t least, bool read_only)
{
	const int needed = F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS), rc = 0;
	char self[64];
	struct stat st;

	*s = (struct os_share){ .fd = -1, .read_only = read_only };
	/* a description of our own, for its locks: that of a descriptor that was passed on is shared */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	s->fd = open(self, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (s->fd < 0)
		return system_error("open", self);
	if (fstat(s->fd, &st) != 0)
		rc = system_error("fstat", "descriptor");
	else if (seals < 0 || (seals & needed) != needed)
		rc = error_set(DISRUPTOR_E_DENIED,
			       "descriptor %d: its size is not sealed: who passed it could take "
			       "pages away",
			       fd);
	else if (st.st_size < 0 || (uint64_t)st.st_size < least || (uint64_t)st.st_size > SIZE_MAX)
		rc = error_set(DISRUPTOR_E_FORMAT, "descriptor %d: %lld bytes are no segment", fd,
			       (long long)st.st_size);
	if (rc == 0) {
		s->size = (size_t)st.st_size;
		rc = map(s, "descriptor");
	}
	if (rc != 0)
		os_share_close(s);
	return rc;
}

void os_share_close(struct os_share *s)
{
	int before = os_cancel_off();

	if (s->base)
		(void)munmap(s->base, s->size);
	if (s->fd >= 0)
		(void)close(s->fd);
	s->base = NULL;
	s->fd = -1;
	os_cancel_back(before);
}

bool os_share_is_shown(const struct os_share *s, const struct os_place *place)
{
	const char *file;
	struct stat ours, there;
	int directory = open_directory(place, false, &file);
	bool same;

	if (directory < 0)
		return false;
	same = fstat(s->fd, &ours) == 0 &&
	       fstatat(directory, file, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
	close(directory);
	return same;
}

bool os_share_is_whole(const struct os_share *s)
{
	struct stat st;

	return fstat(s->fd, &st) == 0 && (uint64_t)st.st_size >= s->size;
}

int os_share_each(const char *directory, int (*each)(void *context, const char *name),
		  void *context)
{
	const struct os_place place = { .directory = directory, .name = "any" };
	const char *unused;
	struct dirent *e;
	struct stat st;
	DIR *d;
	int fd = open_directory(&place, false, &unused), rc = 0;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		rc = system_error("fdopendir", directory ? directory : "directory");
		close(fd);
		return rc;
	}
	/* its stream is ours alone, and readdir_r() is deprecated */
	/* cppcheck-suppress readdirCalled */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			rc = each(context, e->d_name);
	closedir(d);
	return rc;
}

int os_share_unlink(const struct os_place *place)
{
	const char *file;
	int directory = open_directory(place, false, &file);
	int rc = 0;

	if (directory < 0)
		return directory;
	if (unlinkat(directory, file, 0) != 0)
		rc = system_error("unlink", place->name);
	close(directory);
	return rc;
}

/* ---- locks ---- */

/* Open file description locks: of the descriptor, so that threads, too, keep each other out. */
static int lock(const struct os_share *s, uint64_t byte, short type, int command,
		struct flock *answer)
{
	int rc;

	do {
		*answer = (struct flock){
			.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1
		};
		rc = fcntl(s->fd, command, answer);
	} while (rc != 0 && errno == EINTR);
	return rc;
}

int os_share_lock(const struct os_share *s, uint64_t byte)
{
	struct flock f;
	int before = os_cancel_off();
	int rc = lock(s, byte, F_WRLCK, F_OFD_SETLKW, &f);

	os_cancel_back(before);
	return rc == 0 ? 0 : system_error("lock", "segment");
}

bool os_share_try_lock(const struct os_share *s, uint64_t byte)
{
	struct flock f;

	return lock(s, byte, F_WRLCK, F_OFD_SETLK, &f) == 0;
}

void os_share_unlock(const struct os_share *s, uint64_t byte)
{
	struct flock f;

	(void)lock(s, byte, F_UNLCK, F_OFD_SETLK, &f);
}

bool os_share_is_locked(const struct os_share *s, uint64_t byte)
{
	struct flock f;

	/* what cannot be found out is no proof of a death */
	return lock(s, byte, F_WRLCK, F_OFD_GETLK, &f) != 0 || f.l_type != F_UNLCK;
}

/* ---- who it is ---- */

int os_random(void *bytes, size_t size)
{
	ssize_t got;

	do
		got = getrandom(bytes, size, 0);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)size ? 0 : system_error("getrandom", "segment");
}

static bool read_small(const char *path, char *text, size_t size)
{
	int before = os_cancel_off();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		(void)close(fd);
	os_cancel_back(before);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

void os_boot_id(unsigned char id[16])
{
	char text[64];
	unsigned digits = 0;

	memset(id, 0, 16);
	if (!read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text)))
		return;
	for (const char *c = text; *c && digits < 32; c++) {
		static const char hex[] = "0123456789abcdef";
		const char *at = strchr(hex, *c);

		if (!at)
			continue;
		id[digits / 2] = (unsigned char)(id[digits / 2] << 4 | (at - hex));
		digits++;
	}
}

uint64_t os_process_id(void)
{
	return (uint64_t)getpid();
}

uint64_t os_process_start(uint64_t pid)
{
	char path[64], text[1024];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	if (!read_small(path, text, sizeof(text)))
		return 0;
	/* the name, in brackets, may hold anything; what we want is the 20th field behind it */
	at = strrchr(text, ')');
	for (unsigned field = 0; at && field < 20; field++) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t os_wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}
