/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef OS_SHARE_H
#define OS_SHARE_H

/*
 * Memory that processes share: a file with a name, or one without that is passed on; and locks on
 * its bytes, which the kernel frees when the descriptor that took them is gone. Linux has it; the
 * portable layer answers E_UNSUPPORTED.
 */

#include "os/os.h"

struct os_share {
	int fd; /* -1: none */
	unsigned char *base;
	size_t size;
	bool read_only;             /* how it is mapped */
	enum disruptor_pages pages; /* TRANSPARENT: all that can be huge is, at this moment */
	char unseen[256];           /* where files must have a name: its own until it is shown */
};

/* Where a named one is. */
struct os_place {
	/* NULL: the user's own, $DISRUPTOR_DIRECTORY or one in /dev/shm; made if it is not there */
	const char *directory;
	const char *name; /* a file of it; with a slash: a path, and no directory */
	unsigned mode;    /* of the file: who may read and write it */
};

/*
 * A file of @p size bytes that nobody else can see yet, mapped, all zero and all there; it stays so
 * until os_share_show(). On a file system of huge pages it is as many of those as it takes. What
 * @p o says of a NUMA node is done, the rest is os_share_settle()'s. On failure nothing is left.
 * E_INVAL (name), E_DENIED (directory), E_NO_SPACE, E_SYSTEM, E_UNSUPPORTED.
 */
int os_share_make(struct os_share *s, const struct os_place *place, size_t size,
		  const struct disruptor_options *o);
/* Give it its name. E_EXISTS if there is one of that name. */
int os_share_show(struct os_share *s, const struct os_place *place);
/*
 * The same without a name, for os_share_adopt() elsewhere; reserved huge pages if @p o asks for such
 * and the kernel has some. Its size is sealed.
 */
int os_share_make_unnamed(struct os_share *s, const char *name, size_t size,
			  const struct disruptor_options *o);
/*
 * What one process asks of the pages as it has them mapped: huge, touched, locked. @p flags are those of a
 * ring's options. E_UNSUPPORTED, E_NOMEM, E_SYSTEM.
 */
int os_share_settle(struct os_share *s, unsigned flags);
/*
 * Open a named one and map it whole. No link is followed; what is no plain file, belongs to
 * another user, has other names, or is open to others though @p place's mode is not, is refused.
 * E_NOT_FOUND, E_DENIED, E_FORMAT (shorter than @p least), E_SYSTEM.
 */
int os_share_open(struct os_share *s, const struct os_place *place, size_t least, bool read_only);
/* Open and map one that was passed on, anew; @p fd stays the caller's. One that can shrink is refused. */
int os_share_adopt(struct os_share *s, int fd, size_t least, bool read_only);
void os_share_close(struct os_share *s);
/* Whether the name still leads to it. */
bool os_share_is_shown(const struct os_share *s, const struct os_place *place);
/* Whether it is as long as it was: what lies behind its end would end who looks there. */
bool os_share_is_whole(const struct os_share *s);
/*
 * The plain files of a directory, as os_place has it, but for those whose names begin with a dot: until
 * @p each answers another than 0, which is the answer. E_NOT_FOUND, E_DENIED, E_SYSTEM.
 */
int os_share_each(const char *directory, int (*each)(void *context, const char *name),
		  void *context);
/* Take the name away. E_NOT_FOUND if there is none. */
int os_share_unlink(const struct os_place *place);

/* The path of @p place, for messages and listings; E_INVAL if it does not fit or is no name. */
int os_share_path(const struct os_place *place, char *path, size_t size);

/*
 * Lock one byte, of the file at large: others wait, or find out who is alive. Belongs to the
 * descriptor: freed when the last process that has it ends, so never let a child inherit it.
 */
int os_share_lock(const struct os_share *s, uint64_t byte);
bool os_share_try_lock(const struct os_share *s, uint64_t byte);
void os_share_unlock(const struct os_share *s, uint64_t byte);
/* Whether another descriptor than ours holds it. */
bool os_share_is_locked(const struct os_share *s, uint64_t byte);

/* ---- who it is ---- */

/* Sixteen bytes that nothing else has. */
int os_random(void *bytes, size_t size);
/* Sixteen bytes that change when the machine starts anew; zeroes if it does not tell. */
void os_boot_id(unsigned char id[16]);
/* The calling process, and when it started, in the kernel's ticks; 0 if it does not tell. */
uint64_t os_process_id(void);
uint64_t os_process_start(uint64_t pid);
/* The time of day in nanoseconds, for people. */
uint64_t os_wall_clock(void);

#endif
