/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_RING_H
#define RING_RING_H

/* The private side of a ring: resolved pointers, and what must not be in the block. */

#include "os/os.h"
#include "ring/layout.h"
#include "wait/bridge.h"

#include <disruptor/consumer.h>
#include <disruptor/producer.h>

typedef DISRUPTOR_ATOMIC(uint64_t) atomic_word;
typedef DISRUPTOR_ATOMIC(uint32_t) atomic_epoch;

/*
 * One open producer, one attached consumer: what its view has no room for and others ask about, or
 * reports need. Behind the block, where all who have the ring can see it; no pointers.
 */
struct ring_producer {
	/* of many producers: what it has claimed, or is about to; see ring/repair.h */
	atomic_word run_first;
	atomic_word run_end;
	atomic_word opened; /* 1 while it is, for reports */
	/* counters, written by the owner alone */
	atomic_word dropped;
	atomic_word slow_claims;
	atomic_word sleeps;
	atomic_word wakes;
	/*
	 * First position not known to be free. The owner's, but an attacher reads it: what lies a
	 * lap before it may be overwritten at any time.
	 */
	atomic_word limit;
	/* for reports, likewise: while it waits for room, since when, and which position must be free */
	atomic_word blocked_since;
	atomic_word blocked_for;
	char name[32];
	uint32_t used; /* 0 or 1, under the ring's lock, as all that is no atomic word here */
	atomic_epoch participant; /* of processes that share the ring, whose it is; 0: nobody's */
	char apart[DISRUPTOR_APART - 120];
};

/* Fields of the event that a stage touches, a bit each in the order of the schema; of more, all is. */
#define RING_ACCESS_WORDS 4u
enum ring_access_bit {
	RING_ACCESS_TOLD = 1,     /* it is a stage's, and has been compared with the others' */
	RING_ACCESS_DECLARED = 2, /* not a guess */
	RING_ACCESS_TRUSTED = 4,  /* its graph trusts handlers that declare nothing */
	RING_ACCESS_READS_ALL = 8,
	RING_ACCESS_WRITES_ALL = 16
};

struct ring_consumer {
	atomic_word wakes;
	atomic_word waits_since; /* for reports: 0, or since when it has been waiting for events */
	atomic_word until;       /* it ends once it has come so far; UINT64_MAX: never */
	uint32_t used;
	uint32_t take;
	atomic_epoch participant; /* as a producer's; RING_DEAD: it was one's that has died */
	uint32_t if_dead;         /* enum disruptor_if_dead */
	uint32_t attached;        /* its gate stands where it begins */
	/* for reports, of a stage: as its last batch began; the lowest bit is set while it is in hand */
	atomic_word batch_at;
	/* what it declares, for the stages of other graphs on the ring; under the lock */
	uint64_t reads[RING_ACCESS_WORDS], writes[RING_ACCESS_WORDS];
	uint32_t access; /* enum ring_access_bit */
	uint32_t reserved;
};

#define RING_DEAD UINT32_MAX

/* What is to be known of the ring itself, in front of those. */
struct ring_common {
	atomic_word voids; /* claims given up */
	/* events before it may be gone: moved out, or under a run given up; under the lock */
	uint64_t gone;
	/* of processes that have died: what was found of them */
	atomic_word dead_producers;
	atomic_word dead_consumers;
	atomic_word orphans; /* positions claimed and not published, which became voids */
	/* the first failure since it was opened; under the lock. See failure.c */
	uint64_t failed_at;
	int32_t failed_code;  /* 0: there is none */
	uint32_t failed_hook; /* which, by its place among the names */
	char failed_stage[32];
	char apart[DISRUPTOR_APART - 88];
};

/* The rest is private to the process that has the view. */
struct ring_own_producer {
	atomic_word owner; /* os_thread_id() of the thread that may claim; 0: none of this process */
	uint64_t timeout_ns; /* of DISRUPTOR_UNTIL */
	enum disruptor_overflow overflow;
	int status;     /* why the last claim that failed did so */
	uint32_t spins; /* what the adaptive wait has learnt */
	struct disruptor_wait wait;
	/* a wait for room that timed out: for which position, and since when; for reports */
	uint64_t gave_up_for, gave_up_since;
	bool open; /* by this process; under the lock */
	char apart[DISRUPTOR_APART];
};

struct ring_share;

struct ring_own_consumer {
	/* written by whoever uses the view, see ring_hold_note() */
	atomic_word holder; /* os_thread_id() of the thread that was last handed events; 0: none */
	atomic_word handed; /* first position that was not handed out then */
	struct disruptor_wait wait;
	/* of a deferred one: see deferred.h */
	atomic_word read;
	uint64_t ahead;
	/* of one that shares its stream with others: see share.h */
	struct ring_share *share; /* NULL: it does not */
	uint32_t share_index;
	uint64_t at_a_time; /* positions of a chunk, at most */
	uint64_t chunk_end; /* of what it has taken */
	bool of_stage;      /* fixed before it is read from, both */
	bool deferred;
	bool open; /* by this process; under the lock */
	char apart[DISRUPTOR_APART];
};

struct consumer_loop;
struct wait_watch;

/* Other processes that have the block. All NULL: there are none. */
struct ring_peers {
	/* of the cold side, beside the ring's lock, and taken behind it */
	void (*lock)(void *context);
	void (*unlock)(void *context);
	/* find out who has died, and repair what they have left */
	void (*tend)(void *context);
	void *context;
	enum disruptor_pages pages; /* that the block lies on */
	uint32_t self;              /* this process, from 1 */
	atomic_word tend_at;        /* not before then */
};

struct disruptor_ring {
	struct ring_header *header; /* the block */
	struct disruptor_shared *shared;
	struct disruptor_gate *gates;
	unsigned char *slots;
	unsigned char *mirror; /* NULL unless the ring is lossy */
	unsigned char *cells;  /* NULL unless it is one of records */
	uint64_t capacity;
	uint32_t mask;
	uint32_t stride;
	uint32_t offset;
	uint32_t mirror_stride;
	uint32_t cell; /* bytes */
	uint32_t event_size;
	uint64_t block_bytes;
	uint64_t gate_set; /* a bit for each entry of the gate table */
	uint32_t readers;  /* lossy ones that are open; under the lock */
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	enum disruptor_rung rung;
	bool parks;   /* sleep on the word (futex); if not, on `lot` */
	bool between; /* processes: words and barriers are theirs, too */
	struct ring_peers peers;
	bool free_run;
	bool locked; /* the caller's memory, by mlock(2) */
	const struct disruptor_type *type;
	struct disruptor_wait wait;
	struct os_monitor lock; /* of attach, detach, open, close, and of the failure */
	char failed_detail[sizeof(((struct disruptor_failure *)0)->detail)]; /* if that is ours */
	struct os_monitor
		lot; /* where threads sleep that cannot park, and the mutex rung's barrier */
	struct os_monitor watch_lock; /* of the watches: who sleeps on several edges at once */
	struct wait_watch *watch_list;
	atomic_epoch watches; /* how many */
	struct wait_bridge bridge;
	struct ring_common *common;
	struct ring_producer *producer_table;
	struct ring_own_producer *own_producers; /* parallel to it */
	struct ring_consumer *consumer_table;
	struct ring_own_consumer *own_consumers; /* parallel to it, both */
	struct consumer_loop *loop_table;
	uint32_t max_producers;
	uint32_t max_consumers;
	atomic_word reader_sleeps;
	void (*init)(void *event, void *context);
	void (*fini)(void *event, void *context);
	void *context;
	struct disruptor_allocator allocator;
	struct os_memory memory;
};

static inline unsigned char *ring_slot(const struct disruptor_ring *r, uint64_t position)
{
	return r->slots + (size_t)(position & r->mask) * r->stride;
}

static inline atomic_word *ring_stamp(const struct disruptor_ring *r, uint64_t position)
{
	return (atomic_word *)(void *)ring_slot(r, position);
}

/*
 * Others may have written anything to a block that they have, too. What is read there as an index, a
 * length or a set of entries is cut to what exists; places and sizes are the private ones above.
 */
static inline uint32_t ring_gates_used(const struct disruptor_ring *r, uint32_t read)
{
	return read < r->max_consumers ? read : r->max_consumers;
}

/* Whether its producer notes claims in the slots: see disruptor_claim_n(). */
static inline bool ring_marks_claims(const struct disruptor_ring *r)
{
	return r->producers == DISRUPTOR_SINGLE && r->layout == DISRUPTOR_STAMPED && !r->mirror &&
	       r->rung == DISRUPTOR_RUNG_MEMBARRIER;
}

/* What was read as a stamp is the mark of an open run. */
static inline bool ring_is_mark(uint64_t stamp)
{
	return (stamp & DISRUPTOR_CLAIMED) == DISRUPTOR_CLAIMED;
}

/* Whether what was read as the stamp of a position says that it is published, or void. */
static inline bool ring_is_settled(const struct disruptor_ring *r, uint64_t stamp,
				   uint64_t position)
{
	/*
	 * A later lap's stamp, or mark, is in a slot whose event was published, too. A run is no
	 * longer than the ring: one that begins here ends within a lap, a later one behind it.
	 */
	return ring_is_mark(stamp) ? ~stamp > position + r->capacity
				   : (stamp & ~DISRUPTOR_VOID) > position;
}

/* Where everything lies that others may have, too: @p block is of layout @p l. */
void ring_place(struct disruptor_ring *r, const struct ring_layout *l, unsigned char *block,
		const struct disruptor_type *type, const struct disruptor_options *o);
/* Of attach, detach, open, close, and of the failure: in this process and in others that have it. */
void ring_lock(struct disruptor_ring *r);
void ring_unlock(struct disruptor_ring *r);
/*
 * A ring on the shared part @p shared of layout @p l, which others may have, too; with @p fresh it is
 * made there first, in memory of zeroes. The private part is the process's own.
 */
int ring_join(struct disruptor_ring **ring, const struct ring_layout *l,
	      const struct disruptor_type *type, const struct disruptor_options *options,
	      unsigned char *shared, const struct ring_peers *peers, bool fresh);
/* Whether a view of this process is open: E_BUSY, and the detail names it. */
int ring_refuse_if_open(struct disruptor_ring *r);
void ring_leave(struct disruptor_ring *r);
/* Close it, or finish a close that was begun; @p bits are added to the state. Lock held. */
void ring_close_locked(struct disruptor_ring *r, unsigned bits);
/* Show that it is open again; the closed bit is gone. Lock held. */
void ring_reopen_locked(struct disruptor_ring *r);
/*
 * Make voids of [from, end), which the caller has claimed or nobody any more; the run goes on to
 * @p rest. Nobody is woken.
 */
void ring_void(struct disruptor_ring *r, uint64_t from, uint64_t end, uint64_t rest);
/* Claims up to @p claimed go back to @p to: so does the end, if it counts them. Lock held. */
void ring_unclaim(struct disruptor_ring *r, uint64_t claimed, uint64_t to);
/* Keep @p failure, if it is the first, and forget it. Lock held. */
void ring_keep_failure(struct disruptor_ring *r, const struct disruptor_failure *failure);
void ring_forget_failure(struct disruptor_ring *r);
/* Keep @p failure, if it is the first; set the state, so that everyone returns, and wake everyone. */
void ring_fail(struct disruptor_ring *r, const struct disruptor_failure *failure);
/* E_FAILED if the ring has failed, and the failure is the detail; the lock is taken. */
int ring_tell_failure(const struct disruptor_ring *r);
/* Of what lies in the tables as a number. */
const char *ring_hook_name(uint32_t hook);
/* Leave a failure as the detail; returns E_FAILED. */
int ring_failed_by(const struct disruptor_failure *failure);
/* Wake whoever sleeps on any edge of the ring: something other than progress has changed. */
void ring_wake_everyone(struct disruptor_ring *r);
/* First position not claimed, without the closed bit. */
uint64_t ring_claimed(const struct disruptor_ring *r);
/* Views that are open; the lock is taken. */
void ring_count_open(struct disruptor_ring *r, uint32_t *producers, uint32_t *consumers,
		     uint32_t *readers);
/* AddressSanitizer: forbid or allow the events at [from, to); nothing in other builds. */
void ring_poison(const struct disruptor_ring *r, uint64_t from, uint64_t to);
void ring_unpoison(const struct disruptor_ring *r, uint64_t from, uint64_t to);
/* Copy at most 31 bytes of a name, `fallback` for NULL; E_INVAL if it is longer or empty. */
int ring_name(char (*to)[32], const char *name, const char *fallback);
/*
 * What opening a producer or a consumer begins with: the view has the size this library knows and
 * is cleared, nothing is NULL, and the event types agree.
 */
int ring_check_open(const char *what, void *view, size_t view_size, size_t expected,
		    const struct disruptor_ring *ring, const struct disruptor_type *type);
/*
 * Copy an options structure, which begins with its size, of a caller compiled
 * against an older or newer header: missing fields are zero, and fields that
 * this library does not know must be.
 */
int ring_copy_options(const char *what, void *known, size_t known_size, const void *given);
/* First position that is neither published nor void; the claim position if all are. */
uint64_t ring_first_unpublished(const struct disruptor_ring *r);
/* The same, given that everything before @p known was published. */
uint64_t ring_first_unpublished_from(const struct disruptor_ring *r, uint64_t known);
/* The name of the producer whose run @p position is in, "" if unknown. Changes under the lock. */
const char *ring_claimer(const struct disruptor_ring *r, uint64_t position);

#endif
