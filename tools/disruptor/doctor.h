/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_DOCTOR_H
#define DISRUPTOR_DOCTOR_H

/*
 * What disruptor doctor looks at. It reads files of the kernel, below a root directory that may be
 * another one than this machine's, and makes findings of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DOCTOR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define DOCTOR_PRINTF(text, first)
#endif

#define DOCTOR_CPUS 8192
#define DOCTOR_FINDINGS 24

enum doctor_state { DOCTOR_GOOD, DOCTOR_COSTS, DOCTOR_UNKNOWN };

struct doctor_finding {
	const char *subject;
	enum doctor_state state;
	char reading[512];   /* what is there; if unknown, why it is not known */
	const char *meaning; /* what that does to latency */
	const char *remedy;  /* NULL if it costs nothing */
};

/** A set of CPUs. */
struct doctor_cpus {
	bool has[DOCTOR_CPUS];
	unsigned count;
};

struct doctor {
	const char *root; /* "" is this machine's */
	const char *save; /* directory that what was read is kept in; NULL: none */
	const char *shm;  /* directory of segments */
	unsigned files;   /* that could be read */
	bool save_failed;
	char why[512]; /* the last file could not be read */
	bool absent;   /* and that is because there is none */
	struct doctor_cpus allowed;
	struct doctor_finding findings[DOCTOR_FINDINGS];
	size_t count;
};

/* ---- findings ---- */

void doctor_good(struct doctor *d, const char *subject, const char *meaning, const char *format,
		 ...) DOCTOR_PRINTF(4, 5);
void doctor_costs(struct doctor *d, const char *subject, const char *meaning, const char *remedy,
		  const char *format, ...) DOCTOR_PRINTF(5, 6);
/** Its reading is why it is not known: d->why, if the last file could not be read. */
void doctor_unknown(struct doctor *d, const char *subject, const char *meaning, const char *format,
		    ...) DOCTOR_PRINTF(4, 5);

/* ---- reading ---- */

/**
 * All of a file below the root, of printable ASCII, tabs and newlines only, without the last
 * newline; for free(). NULL: it cannot be read; d->why says why.
 */
char *doctor_read(struct doctor *d, const char *format, ...) DOCTOR_PRINTF(2, 3);
/** The same of a file of one number. */
bool doctor_read_number(struct doctor *d, uint64_t *number, const char *format, ...)
	DOCTOR_PRINTF(3, 4);
/** Whatever may stand in it, a terminal can be shown it; without newlines at the end. */
void doctor_make_plain(char *text);
/** Take a number, and blanks before it, off *@p text. False: none stands there. */
bool doctor_take_number(const char **text, uint64_t *number);
/** What stands in a line that begins with @p key and a colon or a blank; false: there is none. */
bool doctor_field(const char *text, const char *key, char *value, size_t size);
/** The word of a list as "always [madvise] never" that is in brackets. */
bool doctor_choice(const char *text, char *value, size_t size);
/** Numbers and ranges, as "0-3,8"; false: it is none. */
bool doctor_parse_cpus(struct doctor_cpus *cpus, const char *text);
/** The other way round. Ends in "..." if it does not fit. */
void doctor_cpus_text(const struct doctor_cpus *cpus, char *text, size_t size);
/**
 * Room of the file system at @p path, as statvfs(3) has it; in a saved tree @p path is a file of
 * these numbers.
 */
struct doctor_room {
	uint64_t block, blocks, available, inodes;
};
bool doctor_read_room(struct doctor *d, const char *path, struct doctor_room *room);
/** What `disruptor --version` says: the line that begins with "rungs"; false: not known. */
bool doctor_read_rungs(struct doctor *d, char *rungs, size_t size);
/** As "64.0 MiB", for people. */
const char *doctor_bytes(char (*text)[32], uint64_t bytes);

/** One line of /proc/self/mountinfo. */
struct doctor_mount {
	char root[512]; /* what of the file system is mounted */
	char at[512];
	char options[256];
	char type[64];
	char super[512]; /* options of the file system itself */
};
/** Take the next line off *@p text. False: there is none. */
bool doctor_next_mount(const char **text, struct doctor_mount *mount);
/** Whether a list as "rw,nosuid" has @p option. */
bool doctor_has_option(const char *options, const char *option);

/* ---- what is looked at ---- */

void doctor_look_cpus(struct doctor *d); /* sets d->allowed, which others need */
void doctor_look_quota(struct doctor *d);
void doctor_look_smt(struct doctor *d);
void doctor_look_governor(struct doctor *d);
void doctor_look_idle(struct doctor *d);
void doctor_look_isolated(struct doctor *d);
void doctor_look_nohz(struct doctor *d);
void doctor_look_preempt(struct doctor *d);
void doctor_look_clock(struct doctor *d);
void doctor_look_guest(struct doctor *d);
void doctor_look_rungs(struct doctor *d);
void doctor_look_thp(struct doctor *d);
void doctor_look_shmem(struct doctor *d);
void doctor_look_huge(struct doctor *d);
void doctor_look_memlock(struct doctor *d);
void doctor_look_swap(struct doctor *d);
void doctor_look_shm(struct doctor *d);

#endif
