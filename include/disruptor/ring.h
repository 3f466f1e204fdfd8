/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_RING_H
#define DISRUPTOR_RING_H

/**
 * @file disruptor/ring.h
 * The ring: one relocatable block of memory that holds shared words, the gate
 * table and the slots, and the small private object that refers to it.
 *
 * Positions are counts, half open: the event at position p is the (p+1)th ever
 * claimed; b - a is a length; a ring of zeroes is an empty ring. They stay
 * below 2^62. In LMAX's words a position is a sequence.
 *
 * Two layouts. Stamped, the default: each slot begins with a 64-bit stamp,
 * p + 1 once position p is published, so that one cache line carries both the
 * news and the event. Packed, for one producer in bulk: events lie side by
 * side and a cursor publishes them, so that consumers see contiguous spans.
 *
 * Cancellation: no function of this library is a cancellation point. A request
 * (pthread_cancel(3)) stays pending until the caller's own code lets it act. No callback may be
 * left but by its return: not by longjmp(3), pthread_exit(3) or an exception.
 *
 * Fork: the child of fork(2) has a copy of the ring and none of its threads. On
 * what its parent made it may use disruptor_ready() and disruptor_at(), to read what was there,
 * and whatever takes no lock and changes nothing (disruptor_ring_info(), disruptor_ring_stats(),
 * positions, names); no more than that, and nothing at all if the ring lies in memory that the two
 * share. It may make rings of its own, run another program, or end: its parent does not notice.
 */

#include <disruptor/base.h>
#include <disruptor/wait.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_type;
struct disruptor_ring;

/** Stamp bit: the position was claimed and given up; consumers skip it. */
#define DISRUPTOR_VOID (UINT64_C(1) << 63)
/**
 * Both bits: the complement of the end of a run that begins in this slot, claimed and not yet
 * published. Of one producer.
 */
#define DISRUPTOR_CLAIMED (UINT64_C(3) << 62)
/** Claim-word bit of a ring of many producers: no claim succeeds any more. */
#define DISRUPTOR_CLOSED (UINT64_C(1) << 63)
/** The sequence of a gate that nobody holds: never the slowest. */
#define DISRUPTOR_VACANT UINT64_MAX
/** The most slots a ring may have, and the most consumers. */
#define DISRUPTOR_MAX_CAPACITY (UINT64_C(1) << 31)
#define DISRUPTOR_MAX_CONSUMERS 64
/** The largest alignment of an event: a page. */
#define DISRUPTOR_MAX_ALIGN 4096

/** Bits of the shared state word; 0 is open. */
enum disruptor_state_bit {
	DISRUPTOR_STATE_CLOSED = 1, /**< no claim succeeds; consumers end at `end` */
	DISRUPTOR_STATE_FAILED = 2, /**< a stage has failed; everyone returns */
	DISRUPTOR_STATE_ENDED = 4   /**< closed, and `end` is known */
};

/**
 * The words that producers and consumers of a ring share, each line with one
 * kind of frequent writer. Part of the block's layout; the inline functions use it,
 * nothing else should.
 */
struct disruptor_shared {
	/**
	 * First position not claimed. Many producers compare and swap it. One producer stores it; of a
	 * stamped ring, now and then: its open run is marked in a slot (DISRUPTOR_CLAIMED).
	 */
	DISRUPTOR_ATOMIC(uint64_t) claimed;
	/** Packed layout: first position not published. Its producer stores it right before `claimed`. */
	DISRUPTOR_ATOMIC(uint64_t) cursor;
	char apart_claimed[DISRUPTOR_APART - 16];
	/** The edge producers look at: 0, or wake the sleepers once this count is published. */
	DISRUPTOR_ATOMIC(uint64_t) wake_consumers;
	/** One past the last void; no position at or after it needs a look for voids. */
	DISRUPTOR_ATOMIC(uint64_t) voids_end;
	/** Once closed: the first position that will never be claimed. */
	DISRUPTOR_ATOMIC(uint64_t) end;
	/** enum disruptor_state_bit. */
	DISRUPTOR_ATOMIC(uint32_t) state;
	/** Counts the times wake_consumers was cleared: what its sleepers sleep on. */
	DISRUPTOR_ATOMIC(uint32_t) consumers_epoch;
	char apart_state[DISRUPTOR_APART - 32];
	/** The edge consumers look at: 0, or wake the producers once this count is released. */
	DISRUPTOR_ATOMIC(uint64_t) wake_producers;
	/** Counts the times wake_producers was cleared. */
	DISRUPTOR_ATOMIC(uint32_t) producers_epoch;
	char apart_producers[DISRUPTOR_APART - 12];
};
DISRUPTOR_STATIC_ASSERT(sizeof(struct disruptor_shared) == (size_t)3 * DISRUPTOR_APART, "layout 1");

/** One consumer's entry in the ring's gate table. Part of the block's layout. */
struct disruptor_gate {
	/** First position this consumer has not released; DISRUPTOR_VACANT if nobody's. */
	DISRUPTOR_ATOMIC(uint64_t) sequence;
	/** The edge to its dependants: 0, or wake them once this count is released. */
	DISRUPTOR_ATOMIC(uint64_t) wake;
	/** Bit i is set if it comes after the consumer in entry i. */
	DISRUPTOR_ATOMIC(uint64_t) upstreams;
	/** How often it went to sleep. */
	DISRUPTOR_ATOMIC(uint64_t) sleeps;
	/** Not 0: its wait ends with DISRUPTOR_E_INTERRUPTED. */
	DISRUPTOR_ATOMIC(uint32_t) alert;
	/** Counts the times wake was cleared. */
	DISRUPTOR_ATOMIC(uint32_t) epoch;
	char name[32];
	char apart[DISRUPTOR_APART - 72];
};
DISRUPTOR_STATIC_ASSERT(sizeof(struct disruptor_gate) == DISRUPTOR_APART, "layout 1");

/** How events lie in the block. */
enum disruptor_layout {
	DISRUPTOR_STAMPED = 0, /**< a stamp in each slot; one producer or many */
	DISRUPTOR_PACKED = 1   /**< contiguous events and a cursor; one producer */
};

/** How many producers may be open at a time. */
enum disruptor_producers {
	DISRUPTOR_SINGLE = 0, /**< one, used by one thread at a time */
	DISRUPTOR_MANY = 1    /**< up to max_producers */
};

/** Bits of disruptor_options.flags. */
enum disruptor_ring_flag {
	DISRUPTOR_HUGE_PAGES_TRY =
		1, /**< huge pages if there are any; disruptor_ring_info() tells */
	DISRUPTOR_HUGE_PAGES_REQUIRE = 2, /**< huge pages or fail */
	/** Touch every page now, not on the hot path; E_NOMEM if the kernel says that there is none. */
	DISRUPTOR_PREFAULT = 4,
	DISRUPTOR_LOCK_MEMORY = 8, /**< mlock(2) the block */
	DISRUPTOR_BIND_NODE = 16,  /**< allocate on the NUMA node `numa_node` */
	DISRUPTOR_FREE_RUN = 32,   /**< one producer: claims need no consumer */
	/**
	 * Of a disruptor, not of a bare ring. The unsafe way to change events side by side: a
	 * handler that declares neither reads nor writes is not checked against the stages beside
	 * it. That they do not touch the same bytes at the same time is then the caller's
	 * responsibility. Declared handlers are still checked against each other.
	 */
	DISRUPTOR_TRUST_HANDLERS = 64,
	/**
	 * Lossy readers may open (disruptor/reader.h). The ring keeps a second copy of each event for
	 * them, which costs producers that copy, and about the slots' memory once more.
	 */
	DISRUPTOR_LOSSY = 128,
	/** Of a disruptor, not of a bare ring: its stages do not count, see disruptor/stats.h. */
	DISRUPTOR_NO_STATS = 256
};

/** Where the block comes from, instead of mmap(2). */
struct disruptor_allocator {
	/** @p size bytes aligned to @p align, zeroed or not; NULL if there are none. */
	void *(*allocate)(void *context, size_t size, size_t align);
	void (*release)(void *context, void *memory, size_t size);
	void *context;
};

/**
 * What a ring, or a whole disruptor, is made from. Zero means the default for
 * every field but `size` and `capacity`.
 */
struct disruptor_options {
	size_t size;       /**< sizeof(struct disruptor_options) */
	uint64_t capacity; /**< slots: a power of two, at most DISRUPTOR_MAX_CAPACITY */
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	struct disruptor_wait
		wait; /**< of its consumers and producers, unless they bring their own */
	enum disruptor_rung rung; /**< force a rung of the wait/notify ladder */
	unsigned flags;           /**< enum disruptor_ring_flag */
	int numa_node;            /**< with DISRUPTOR_BIND_NODE */
	uint32_t max_consumers;   /**< entries in the gate table; 0 is 16; 1 makes streams faster */
	uint32_t max_producers;   /**< producers open at a time; 0 is 16; of DISRUPTOR_SINGLE, 1 */
	void *memory;             /**< the caller's memory for the ring, instead of mmap(2) … */
	size_t memory_size;       /**< … at least disruptor_ring_size() bytes of it */
	struct disruptor_allocator allocator; /**< instead of mmap(2); not with `memory` */
	/** Called once for each slot's event at creation, after it was zeroed. */
	void (*init)(void *event, void *context);
	/** Called exactly once for each slot's event when the ring is destroyed. */
	void (*fini)(void *event, void *context);
	void *context; /**< of init and fini */
	/**
	 * Not 0: a ring of records (disruptor/record.h), and this is the bytes of a cell: a power of two from
	 * 8 to 2^20. A record takes whole cells. Its `capacity` counts them; a line, 64, suits short messages.
	 */
	uint32_t cell;
	uint32_t reserved; /**< zero */
};

/** The pages a ring lies on. */
enum disruptor_pages {
	DISRUPTOR_PAGES_CALLER = 0, /**< supplied memory or an allocator's: not known */
	DISRUPTOR_PAGES_NORMAL = 1,
	DISRUPTOR_PAGES_TRANSPARENT =
		2,               /**< transparent huge pages: advised; of a segment: there */
	DISRUPTOR_PAGES_HUGE = 3 /**< reserved huge pages */
};

/** What disruptor_ring_info() tells. */
struct disruptor_ring_info {
	uint64_t capacity;     /**< slots */
	uint64_t bytes;        /**< of the block */
	uint32_t event_size;   /**< bytes */
	uint32_t event_align;  /**< bytes */
	uint32_t slot_stride;  /**< bytes from one slot to the next */
	uint32_t event_offset; /**< bytes from a slot to its event */
	uint32_t cell;         /**< bytes, of a ring of records, else 0 */
	uint32_t lossy;        /**< 1: lossy readers may open (DISRUPTOR_LOSSY) */
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	enum disruptor_rung rung;
	enum disruptor_pages pages;
	const struct disruptor_type *type;
};

/** What disruptor_ring_stats() tells: estimates while others run, exact when they rest. */
struct disruptor_ring_stats {
	uint64_t claimed;     /**< first position not claimed */
	uint64_t released;    /**< the slowest consumer's position; `claimed` if there is none */
	uint64_t remaining;   /**< slots that could be claimed now: 0 … capacity */
	uint64_t voids;       /**< claims given up */
	uint64_t dropped;     /**< events dropped by producers with that policy */
	uint64_t slow_claims; /**< claims that had to look at the gates */
	uint64_t sleeps;      /**< times a consumer, producer or reader slept in the kernel */
	uint64_t wakes;       /**< times one was woken */
	uint32_t consumers;   /**< attached */
	uint32_t open_producers;
	unsigned state; /**< enum disruptor_state_bit */
};

/** Why a ring, and the disruptor that it belongs to, has failed. */
struct disruptor_failure {
	int code;          /**< what the handler answered; 0 if nothing has failed */
	const char *stage; /**< its name; it lives as long as the disruptor, or see who tells it */
	const char *hook;  /**< "on_event", "on_start", … */
	uint64_t position; /**< of the event in hand */
	char detail[128];  /**< what was wrong, of a checked run; else empty */
};

/**
 * Tell how many bytes a ring with these options takes, everything included.
 *
 * Threads: any. Errors: 0 if the options are refused; disruptor_error_detail() says why.
 */
DISRUPTOR_API size_t disruptor_ring_size(const struct disruptor_type *type,
					 const struct disruptor_options *options);

/** The alignment that memory for such a ring must have. Errors: 0 if the options are refused. */
DISRUPTOR_API size_t disruptor_ring_align(const struct disruptor_type *type,
					  const struct disruptor_options *options);

/**
 * Create a ring of events of @p type.
 *
 * All memory is taken here; nothing is allocated afterwards. But the kernel may promise more than
 * it has, and end the process when that is used; with DISRUPTOR_PREFAULT it is used here. The rung
 * is chosen here, too: where membarrier(2) is refused it is the fence; a process from which it is
 * taken later is ended, with a message, as wake-ups would be lost in silence. @p type must
 * outlive the ring. On failure *@p ring is NULL and nothing is kept.
 *
 * Threads: any. Progress: blocks (system calls).
 * Errors:  DISRUPTOR_E_INVAL (the detail names the option), E_TOO_BIG (capacity times slot does
 *          not fit), E_NOMEM, E_UNSUPPORTED (rung, huge pages or NUMA node not to be had; or a
 *          32-bit processor whose 64-bit atomics take a lock),
 *          E_SYSTEM (mlock or membarrier registration failed), E_VERSION (options' size).
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_ring_create(struct disruptor_ring **ring, const struct disruptor_type *type,
		      const struct disruptor_options *options);

/**
 * Destroy a ring: call fini once for each slot, return the memory, set *@p ring to NULL.
 *
 * NULL in *@p ring is allowed and does nothing.
 *
 * Threads: one; no view of the ring may be in use.
 * Errors:  DISRUPTOR_E_BUSY if a producer, consumer or lossy reader is still open (the detail names
 *          one);
 *          the ring is then unchanged.
 */
DISRUPTOR_API int disruptor_ring_destroy(struct disruptor_ring **ring);

/**
 * Close the ring: no claim succeeds any more and every blocked producer
 * returns DISRUPTOR_E_CLOSED. What was claimed before may still be published
 * or aborted; consumers see it all and then DISRUPTOR_E_CLOSED.
 *
 * Idempotent. Threads: any. Progress: one barrier (see enum disruptor_rung).
 */
DISRUPTOR_API void disruptor_ring_close(struct disruptor_ring *ring);

/**
 * disruptor_ring_close(), if no producer is open: for who may be the last to close his.
 *
 * Returns 1 if the ring is closed now, 0 if a producer is open. Threads: any. Progress: as that.
 */
DISRUPTOR_API int disruptor_ring_close_unused(struct disruptor_ring *ring);

/**
 * Open a closed or failed ring again; it continues at the next position, and its failure is
 * forgotten.
 *
 * Threads: any, while no consumer or producer is waiting on it.
 * Errors:  DISRUPTOR_E_STATE if claims from before are still open (the detail names one).
 */
DISRUPTOR_API int disruptor_ring_reopen(struct disruptor_ring *ring);

/**
 * Tell why the ring has failed: the first failure since it was made or opened again; code 0 if
 * none. A producer whose claim was refused with DISRUPTOR_E_FAILED, and a consumer whose wait was,
 * find the same in their thread's disruptor_error_detail(). The name of the stage, which may be
 * another process's, lives until the thread asks again; of that one's detail nothing is known here.
 *
 * Threads: any. Progress: takes the ring's lock.
 */
DISRUPTOR_API struct disruptor_failure disruptor_ring_failure(const struct disruptor_ring *ring);

/** Tell what the ring is. Threads: any. */
DISRUPTOR_API struct disruptor_ring_info disruptor_ring_info(const struct disruptor_ring *ring);

/** Tell how the ring does. Changes nothing. Threads: any. Progress: wait-free, scans the gates. */
DISRUPTOR_API struct disruptor_ring_stats disruptor_ring_stats(const struct disruptor_ring *ring);

/** Whether the event at @p position is published (not void) and its slot not yet claimed again. */
DISRUPTOR_API int disruptor_ring_published(const struct disruptor_ring *ring, uint64_t position);

/**
 * Find the lowest claimed position that is neither published nor aborted.
 *
 * @p producer, if not NULL, receives the name of the producer that claimed it ("" if unknown).
 * Returns 1 and sets *@p position, or 0 if there is none. Threads: any; an estimate while
 * producers run.
 */
DISRUPTOR_API int disruptor_ring_unpublished(const struct disruptor_ring *ring, uint64_t *position,
					     const char **producer);

/** How many more positions may be claimed: 0 … capacity, whatever the arguments' distance. */
DISRUPTOR_INLINE uint64_t disruptor_room(uint64_t claimed, uint64_t slowest, uint64_t capacity)
{
	uint64_t used = claimed - slowest;

	return used < capacity ? capacity - used : 0;
}

#ifdef __cplusplus
}
#endif
#endif
