/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_SEGMENT_H
#define DISRUPTOR_SEGMENT_H

/**
 * @file disruptor/segment.h
 * A ring that processes share: in a file with a name, or in memory that is passed on.
 *
 * Whoever comes first makes it, whole or not at all; the others find it, and are refused if it is not
 * what they expect. Each process opens producers and consumers of the ring as in one of its own
 * (disruptor_segment_ring()), and waits by the same strategies; a consumer asleep in one process costs
 * the publishers of another nothing. Linux.
 *
 * A process that dies with views open, however it dies, loses none of what it has published. What it
 * had claimed and not published is skipped as voids; its consumers leave, or are kept for it
 * (enum disruptor_if_dead). That it is dead is the kernel's word, by a lock that ends with the process:
 * a process that is stopped or slow is waited for. Whoever waits on the ring looks every 10 ms, and
 * repairs what he finds; who never waits calls disruptor_segment_tend().
 *
 * The stages of one graph may be several processes': see disruptor_create_on().
 *
 * Who waits for several things at once there (disruptor_wait_any(), stages that share a thread) or by a
 * descriptor (disruptor_consumer_fd()) is told by a thread of the library's, which this process has from
 * the first such wait to the segment's close: one hand-over more for the sleeper, and nothing more for
 * publishers. Before Linux 5.16 it looks every millisecond.
 *
 * Fork: the child has neither the memory nor the locks; it opens the segment anew.
 */

#include <disruptor/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_segment;

/** Bits of disruptor_segment_options.flags. */
enum disruptor_segment_flag {
	DISRUPTOR_SEGMENT_CREATE = 1, /**< make it if there is none; `ring` says what */
	DISRUPTOR_SEGMENT_NEW = 2,    /**< with CREATE: fail if there is one */
	/**
	 * With CREATE, of one that is made: when the last process that has it leaves its name goes, too;
	 * unless it keeps a place for a required consumer that has died.
	 */
	DISRUPTOR_SEGMENT_TEMPORARY = 4,
	DISRUPTOR_SEGMENT_UNUSED = 8 /**< of remove: fail if a process has it */
};

/** Where a segment is, and how this process takes part. Zero means the default, but for `size`. */
struct disruptor_segment_options {
	size_t size; /**< sizeof(struct disruptor_segment_options) */
	/**
	 * Where the file is; not if the name is a path. NULL: $DISRUPTOR_DIRECTORY, or a directory of
	 * the user's own in /dev/shm, which is made.
	 */
	const char *directory;
	unsigned flags;          /**< enum disruptor_segment_flag */
	unsigned mode;           /**< of a file that is made, and at most of one found; 0 is 0600 */
	const char *participant; /**< this process, in reports; NULL: its number */
	uint32_t participants;   /**< of one that is made: how many processes at a time; 0 is 64 */
	uint32_t reserved;       /**< zero */
};

/**
 * Open the segment of that name, or make it.
 *
 * @p ring is what a ring is made from, as for disruptor_ring_create(), less what only one process can
 * bring: `memory`, `allocator`, `init`, `fini`. It may be NULL if nothing is to be made. What is found
 * has the options that it was made with, whatever @p ring says; its events must be of @p type. Only what
 * its flags ask of pages is each process's own: DISRUPTOR_PREFAULT and DISRUPTOR_LOCK_MEMORY concern the
 * pages as this process has them mapped. DISRUPTOR_HUGE_PAGES_REQUIRE is met where the directory is of a
 * file system of reserved huge pages (hugetlbfs), and refused elsewhere; DISRUPTOR_HUGE_PAGES_TRY has
 * the kernel make transparent ones of what is there (from Linux 6.1, in memory). disruptor_ring_info()
 * tells what has come of it. DISRUPTOR_BIND_NODE is of who makes it. Who is
 * to serve any segment, and makes none, may leave that NULL: it is then the type that the segment's own
 * schema tells (disruptor_ring_info()). @p options may be NULL. On failure *@p segment is NULL, and nothing is left.
 *
 * Threads: any. Progress: blocks (system calls; another process that attaches).
 * Errors:  DISRUPTOR_E_NOT_FOUND, E_EXISTS (with NEW), E_DENIED (its owner, mode or kind: the detail
 *          says which), E_FORMAT (it is none, or damaged), E_VERSION, E_TYPE, E_NO_SPACE, E_BUSY (as
 *          many processes as it has places for), E_INVAL, E_TOO_BIG, E_NOMEM, E_SYSTEM,
 *          E_UNSUPPORTED (not Linux, or a rung, huge pages or a NUMA node that are not to be had).
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_segment_open(struct disruptor_segment **segment, const char *name,
		       const struct disruptor_type *type, const struct disruptor_options *ring,
		       const struct disruptor_segment_options *options);

/**
 * Make one without a name, for disruptor_segment_fd() and disruptor_segment_adopt(). Its size is
 * sealed: nobody can take its pages away. It lies on reserved huge pages if @p ring asks for such and the
 * kernel has some, wherever it is adopted.
 *
 * Threads, Errors: as disruptor_segment_open().
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_segment_make(struct disruptor_segment **segment, const struct disruptor_type *type,
		       const struct disruptor_options *ring,
		       const struct disruptor_segment_options *options);

/**
 * Open one that another process has made and passed on. A descriptor received by a socket is a file
 * description that both have: it is opened anew, through /proc, as the locks that tell who lives
 * belong to that. @p fd stays the caller's.
 *
 * Threads, Errors: as disruptor_segment_open(); E_DENIED also if its size is not sealed.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_segment_adopt(struct disruptor_segment **segment, int fd,
			const struct disruptor_type *type,
			const struct disruptor_segment_options *options);

/** The ring: open views on it, not later than the segment's close. */
DISRUPTOR_API struct disruptor_ring *disruptor_segment_ring(struct disruptor_segment *segment);

/**
 * Look for processes that have died, and repair what they have left. Who waits on the ring does so
 * anyway, every 10 ms.
 *
 * Threads: any. Progress: blocks if one is found (the lock of the cold side, which no handler holds).
 */
DISRUPTOR_API void disruptor_segment_tend(struct disruptor_segment *segment);

/**
 * Let a required consumer go whose process has died: producers go on, and what it has not released is
 * lost to it.
 *
 * Threads: any. Errors: DISRUPTOR_E_NOT_FOUND, E_BUSY (it lives), E_INVAL.
 */
DISRUPTOR_API int disruptor_segment_dismiss(struct disruptor_segment *segment,
					    const char *consumer);

/**
 * Wait until a consumer called @p consumer is on the ring, of whatever process: a stage that others are
 * to come after, or that is not to miss anything. It looks every millisecond.
 *
 * Threads: any. Progress: sleeps. Errors: DISRUPTOR_E_TIMEOUT, E_INVAL.
 */
DISRUPTOR_API int disruptor_segment_await(struct disruptor_segment *segment, const char *consumer,
					  uint64_t deadline);

/** One process that has the segment, as disruptor_segment_participant() tells. */
struct disruptor_participant {
	int present;                   /**< 0: the place is free, and nothing else is told */
	int alive;                     /**< by the kernel's word */
	int self;                      /**< it is the caller's own */
	uint64_t pid;                  /**< of its own process space: for people */
	uint64_t started;              /**< in the kernel's ticks since boot */
	uint32_t producers, consumers; /**< views that it has open */
	char name[32];                 /**< as it says: not to be trusted by a terminal */
};

/**
 * Tell who has place @p index, from 0.
 *
 * Threads: any. Errors: DISRUPTOR_E_NOT_FOUND: there are no more places; E_INVAL.
 */
DISRUPTOR_API int disruptor_segment_participant(const struct disruptor_segment *segment,
						uint32_t index, struct disruptor_participant *out);

/** Its descriptor, for passing it on. It stays the segment's. */
DISRUPTOR_API int disruptor_segment_fd(const struct disruptor_segment *segment);

/**
 * Leave the segment; *@p segment is then NULL, and so may it be before. The file stays, unless it was
 * made DISRUPTOR_SEGMENT_TEMPORARY and this was the last to leave.
 *
 * Threads: one. Errors: DISRUPTOR_E_BUSY while a view of this process is open: nothing is done.
 */
DISRUPTOR_API int disruptor_segment_close(struct disruptor_segment **segment);

/**
 * Take a segment's name away. Who has it open keeps it. With DISRUPTOR_SEGMENT_UNUSED among the
 * options' flags only if it is a segment, and no process has it; who comes to open it at the same time
 * either has it first, or does not find it.
 *
 * Threads: any. Progress: with that flag, blocks (another process that attaches).
 * Errors:  DISRUPTOR_E_NOT_FOUND, E_DENIED, E_INVAL, E_SYSTEM; with that flag also E_BUSY, E_FORMAT,
 *          E_VERSION.
 */
DISRUPTOR_API int disruptor_segment_remove(const char *name,
					   const struct disruptor_segment_options *options);

/**
 * Tell the names of all plain files in the directory where the options say that segments are; whether
 * they are segments, opening them tells. Ends when @p each answers another than 0.
 *
 * Threads: any. Errors: what @p each answered; DISRUPTOR_E_NOT_FOUND (no directory), E_DENIED, E_INVAL,
 *          E_SYSTEM, E_UNSUPPORTED.
 */
DISRUPTOR_API int disruptor_segment_each(const struct disruptor_segment_options *options,
					 int (*each)(void *context, const char *name),
					 void *context);

#ifdef __cplusplus
}
#endif
#endif
