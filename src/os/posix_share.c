/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The portable layer has no memory that processes share: it takes locks that tell of a death. */
#define _POSIX_C_SOURCE 200809L
#include "error.h"
#include "os/share.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static int unsupported(void)
{
	return error_set(DISRUPTOR_E_UNSUPPORTED,
			 "segments need Linux: this library was built for any POSIX system");
}

int os_share_make(struct os_share *s, const struct os_place *place, size_t size,
		  const struct disruptor_options *o)
{
	(void)place, (void)size, (void)o;
	*s = (struct os_share){ .fd = -1 };
	return unsupported();
}

int os_share_show(struct os_share *s, const struct os_place *place)
{
	(void)s, (void)place;
	return unsupported();
}

int os_share_make_unnamed(struct os_share *s, const char *name, size_t size,
			  const struct disruptor_options *o)
{
	(void)name, (void)size, (void)o;
	*s = (struct os_share){ .fd = -1 };
	return unsupported();
}

int os_share_settle(struct os_share *s, unsigned flags)
{
	(void)s, (void)flags;
	return unsupported();
}

int os_share_open(struct os_share *s, const struct os_place *place, size_t least, bool read_only)
{
	(void)place, (void)least, (void)read_only;
	*s = (struct os_share){ .fd = -1 };
	return unsupported();
}

int os_share_adopt(struct os_share *s, int fd, size_t least, bool read_only)
{
	(void)fd, (void)least, (void)read_only;
	*s = (struct os_share){ .fd = -1 };
	return unsupported();
}

void os_share_close(struct os_share *s)
{
	(void)s;
}

bool os_share_is_shown(const struct os_share *s, const struct os_place *place)
{
	(void)s, (void)place;
	return false;
}

bool os_share_is_whole(const struct os_share *s)
{
	(void)s;
	return false;
}

int os_share_each(const char *directory, int (*each)(void *context, const char *name),
		  void *context)
{
	(void)directory, (void)each, (void)context;
	return unsupported();
}

int os_share_unlink(const struct os_place *place)
{
	(void)place;
	return unsupported();
}

int os_share_path(const struct os_place *place, char *path, size_t size)
{
	(void)place, (void)path, (void)size;
	return unsupported();
}

int os_share_lock(const struct os_share *s, uint64_t byte)
{
	(void)s, (void)byte;
	return unsupported();
}

bool os_share_try_lock(const struct os_share *s, uint64_t byte)
{
	(void)s, (void)byte;
	return false;
}

void os_share_unlock(const struct os_share *s, uint64_t byte)
{
	(void)s, (void)byte;
}

bool os_share_is_locked(const struct os_share *s, uint64_t byte)
{
	(void)s, (void)byte;
	return true; /* what cannot be found out is no proof of a death */
}

int os_random(void *bytes, size_t size)
{
	(void)bytes, (void)size;
	return unsupported();
}

void os_boot_id(unsigned char id[16])
{
	memset(id, 0, 16);
}

uint64_t os_process_id(void)
{
	return (uint64_t)getpid();
}

uint64_t os_process_start(uint64_t pid)
{
	(void)pid;
	return 0;
}

uint64_t os_wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}
