/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_LOOK_H
#define DISRUPTOR_LOOK_H

/**
 * @file disruptor/look.h
 * Look into a segment from outside: what it is, who has it, how far each has come, what an event
 * holds. No type is needed, as the segment tells its own.
 *
 * A look takes no part. The file is opened and mapped for reading alone; no lock is taken, nobody is
 * woken, no place is taken, and nobody goes slower but by what is read. It may be had of a segment whose
 * processes hang, are dead, or write anywhere: nothing that is read there is used as a length, an
 * offset or an index, and strings are copied and cut. What is told is then as true as what stands
 * there; of a segment that is sound, each figure is true of some moment during the call. Linux.
 *
 * Two things end who looks as they end any reader of a file: its being cut short at the very moment
 * (each call first makes sure that it was not), and a bad page of the machine's memory.
 *
 * Text in the answers is as the processes wrote it: not to be trusted by a terminal.
 */

#include <disruptor/event.h>
#include <disruptor/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor_look;

/**
 * Look into the segment of that name.
 *
 * Of @p options, which may be NULL, `directory` says where it is, and `mode` which files are refused:
 * those that others than @p mode says may write to, 0: none. The rest is zero. A segment of before the
 * machine was started anew may be looked into, too. On failure *@p look is NULL.
 *
 * Threads: any. Progress: blocks (system calls).
 * Errors:  DISRUPTOR_E_NOT_FOUND, E_DENIED (the detail says why), E_FORMAT (it is no segment, or
 *          damaged), E_VERSION, E_INVAL, E_NOMEM, E_SYSTEM, E_UNSUPPORTED (not Linux).
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int
disruptor_look_open(struct disruptor_look **look, const char *name,
		    const struct disruptor_segment_options *options);

/** End it; *@p look is then NULL, and so may it be before. Threads: one. */
DISRUPTOR_API void disruptor_look_close(struct disruptor_look **look);

/** What a segment is: from its header, which was checked when it was opened and never changes. */
struct disruptor_look_facts {
	size_t size;           /**< sizeof(struct disruptor_look_facts), set by the caller */
	uint32_t major, minor; /**< of the format: docs/shm-format.md */
	uint64_t bytes;        /**< of the whole */
	uint64_t created_ns;   /**< by the time of day */
	unsigned char id[16];  /**< at random: which segment this is */
	uint32_t current;      /**< 0: of before the machine was started anew */
	uint32_t participants; /**< processes at a time */
	uint64_t capacity;     /**< slots */
	uint32_t event_size;   /**< bytes */
	uint32_t event_align;  /**< bytes */
	uint32_t slot_stride;  /**< bytes from one slot to the next */
	uint32_t event_offset; /**< bytes from a slot to its event */
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	enum disruptor_rung rung;
	unsigned flags;         /**< DISRUPTOR_FREE_RUN, DISRUPTOR_LOSSY */
	uint32_t max_producers; /**< open at a time */
	uint32_t max_consumers; /**< open at a time */
	uint32_t cell; /**< of a ring of records (disruptor/record.h): bytes of a cell; else 0 */
	uint32_t reserved; /**< zero */
};

/**
 * Tell what it is. Writes as much of @p out as its size says, as all that follow do.
 *
 * Threads: any. Progress: wait-free. Errors: DISRUPTOR_E_INVAL for NULL, E_VERSION if the size is none.
 */
DISRUPTOR_API int disruptor_look_facts(const struct disruptor_look *look,
				       struct disruptor_look_facts *out);

/** The type of its events, valid until the look's end. NULL only for NULL. Threads: any. */
DISRUPTOR_API const struct disruptor_type *disruptor_look_type(const struct disruptor_look *look);

/** How a ring does. */
struct disruptor_look_state {
	size_t size;    /**< sizeof(struct disruptor_look_state), set by the caller */
	unsigned state; /**< enum disruptor_state_bit; 0 is open */
	uint32_t open_producers;
	uint32_t consumers; /**< attached */
	uint32_t reserved;  /**< zero */
	uint64_t claimed;   /**< first position not claimed */
	uint64_t published; /**< first position neither published nor given up; or `claimed` */
	uint64_t released;  /**< the slowest consumer's position; `claimed` if there is none */
	uint64_t remaining; /**< slots that could be claimed now: 0 … capacity */
	uint64_t oldest;    /**< no event before it is whole: moved out, or died upon */
	uint64_t end;     /**< of DISRUPTOR_STATE_ENDED: what will never be claimed begins there */
	uint64_t voids;   /**< claims given up */
	uint64_t dropped; /**< events dropped by producers with that policy */
	uint64_t slow_claims; /**< claims that had to look at the consumers */
	uint64_t sleeps;      /**< times that one slept in the kernel */
	uint64_t wakes;       /**< times that one was woken */
	/** Of processes that died, and were found: the views that they had open … */
	uint64_t dead_producers, dead_consumers;
	uint64_t orphans; /**< … and positions they had claimed, which became voids */
	/** With DISRUPTOR_STATE_FAILED: what a stage's handler answered; else 0, and no more is told. */
	int32_t failure_code;
	uint32_t reserved2;    /**< zero */
	uint64_t failure_at;   /**< position of the event in hand */
	char failure_hook[16]; /**< "on_event", "on_start", … */
	char failure_stage[32];
};

/**
 * Tell how the ring does.
 *
 * Threads: any. Progress: wait-free; looks once at the stamp of each position that is published and
 * that no consumer has released.
 * Errors:  DISRUPTOR_E_FORMAT (the file has been cut short), E_INVAL, E_VERSION.
 */
DISRUPTOR_API int disruptor_look_state(const struct disruptor_look *look,
				       struct disruptor_look_state *out);

/** Of a view: no process is known to have it. */
#define DISRUPTOR_LOOK_NOBODY UINT32_MAX

/** A producer's place in the table. */
struct disruptor_look_producer {
	size_t size;          /**< sizeof(struct disruptor_look_producer), set by the caller */
	uint32_t open;        /**< 0: the place is free, and only its counts are told */
	uint32_t participant; /**< whose it is, for disruptor_look_participant(); or NOBODY */
	char name[32];
	uint64_t run_first; /**< what it has claimed and neither published nor given up … */
	uint64_t run_end;   /**< … ends here; both 0: nothing */
	uint64_t dropped, slow_claims, sleeps, wakes; /**< since the place was first used */
	uint64_t blocked_ns;  /**< how long it has been waiting for room, ± a tick; 0: it is not */
	uint64_t blocked_for; /**< when it is: every consumer has to reach this position */
};

/**
 * Tell of producer @p index, from 0.
 *
 * Threads: any. Progress: wait-free.
 * Errors:  DISRUPTOR_E_NOT_FOUND: there are no more places; E_FORMAT, E_INVAL, E_VERSION as above.
 */
DISRUPTOR_API int disruptor_look_producer(const struct disruptor_look *look, uint32_t index,
					  struct disruptor_look_producer *out);

/** A consumer's place in the table. */
struct disruptor_look_consumer {
	size_t size;          /**< sizeof(struct disruptor_look_consumer), set by the caller */
	uint32_t open;        /**< 0: the place is free, and nothing else is told */
	uint32_t attached;    /**< 0: it is just being opened, and has no position yet */
	uint32_t participant; /**< whose it is, for disruptor_look_participant(); or NOBODY */
	uint32_t dead;        /**< its process died, and it waits to be opened anew, or dismissed */
	uint32_t if_dead;     /**< enum disruptor_if_dead */
	uint32_t takes;       /**< it moves events out */
	/**
	 * It has been waiting, and whoever brings it news is asked to wake: it sleeps, or is about to.
	 * An estimate where several wait for the same and not all of them sleep.
	 */
	uint32_t sleeping;
	uint32_t reserved; /**< zero */
	char name[32];
	uint64_t position;  /**< first position not released */
	uint64_t lag;       /**< claimed positions that it has not released */
	uint64_t ready;     /**< of these, those that all before it have released; or published */
	uint64_t upstreams; /**< bit i: it comes after consumer i */
	uint64_t sleeps, wakes;
	uint64_t waiting_ns; /**< how long it has been waiting for events, ± a tick; 0: it is not */
	uint64_t handling_ns; /**< of a stage: how long it has had a batch in hand, ± a tick; 0: it has none */
};

/** Tell of consumer @p index, from 0. As disruptor_look_producer(), but looks at stamps, too. */
DISRUPTOR_API int disruptor_look_consumer(const struct disruptor_look *look, uint32_t index,
					  struct disruptor_look_consumer *out);

/**
 * Tell who has place @p index, from 0. Whether it lives is the kernel's word, not the segment's.
 *
 * Threads: any. Progress: a system call. Errors: as disruptor_look_producer().
 */
DISRUPTOR_API int disruptor_look_participant(const struct disruptor_look *look, uint32_t index,
					     struct disruptor_participant *out);

/** What there is of a position. */
enum disruptor_look_event {
	DISRUPTOR_LOOK_UNCLAIMED = 0, /**< nobody has claimed it yet */
	DISRUPTOR_LOOK_CLAIMED = 1,   /**< claimed, and neither published nor given up */
	/** Published, and no producer was allowed to write there while it was copied: it is whole. */
	DISRUPTOR_LOOK_PUBLISHED = 2,
	/**
	 * Published, but all consumers have released it, and a producer may have been writing the next
	 * lap's event there; or an event that was moved out. The copy may be of two events.
	 */
	DISRUPTOR_LOOK_UNSURE = 3,
	DISRUPTOR_LOOK_VOID = 4, /**< the claim was given up */
	DISRUPTOR_LOOK_GONE = 5  /**< a later lap is there */
};

/**
 * Copy the event at @p position, and tell in *@p state what there is. @p event has room for one event
 * of the segment's type (disruptor_look_type()), and is all zero unless *@p state is PUBLISHED or
 * UNSURE. It may be NULL.
 *
 * That an event is whole holds as far as the processes keep to the protocol: a consumer may change
 * the events that it reads, and another that comes behind it sees them so; a copy may be of what lies
 * between. Of a ring with DISRUPTOR_LOSSY it is the copy kept for lossy readers, as it was published.
 *
 * Threads: any. Progress: wait-free.
 * Errors:  DISRUPTOR_E_FORMAT (the file has been cut short), E_INVAL.
 */
DISRUPTOR_API int disruptor_look_event(const struct disruptor_look *look, uint64_t position,
				       void *event, enum disruptor_look_event *state);

/**
 * Copy the record that begins at @p position, of a ring of records: as many of its bytes as @p room says
 * at most. *@p size is how many it has, *@p state what there is, as for disruptor_look_event().
 *
 * Returns 1; or 0 if none begins there: the position is in a record, or *@p state is neither PUBLISHED
 * nor UNSURE.
 *
 * Threads: any. Progress: wait-free.
 * Errors:  DISRUPTOR_E_TYPE (it is no ring of records), E_FORMAT (the file has been cut short), E_INVAL.
 */
DISRUPTOR_API int disruptor_look_record(const struct disruptor_look *look, uint64_t position,
					void *bytes, size_t room, size_t *size,
					enum disruptor_look_event *state);

/** Name one, "published"; NULL if it is none. Threads: any. */
DISRUPTOR_API const char *disruptor_look_event_name(enum disruptor_look_event state);

#ifdef __cplusplus
}
#endif
#endif
