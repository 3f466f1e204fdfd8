/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_STATS_H
#define DISRUPTOR_STATS_H

/**
 * @file disruptor/stats.h
 * Who is blocking whom: figures of stages and producers, a diagnosis of a disruptor from outside,
 * and a watchdog that calls back when something stands still.
 *
 * All of it may be asked for from any thread, at any time between create and destroy. It never
 * waits for a handler, and slows nobody down but by reading what they write.
 */

#include <disruptor/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- figures ---- */

/**
 * What a stage has done since it was added. Counted once for each batch, relaxed: estimates while
 * it runs, exact when it rests. With DISRUPTOR_NO_STATS the fields marked (*) stay 0. What stands
 * for a pool tells of its workers together, who are listed, too.
 */
struct disruptor_stage_stats {
	size_t size;        /**< sizeof(struct disruptor_stage_stats), set by the caller */
	const char *name;   /**< valid as long as the disruptor */
	uint64_t position;  /**< first position not released */
	uint64_t events;    /**< (*) handled and released, or skipped; each once, voids are none */
	uint64_t batches;   /**< (*) of which something was released */
	uint64_t batch_max; /**< (*) events of the largest */
	double batch_mean;  /**< (*) events / batches */
	uint64_t lag; /**< positions that wait for it: released by those before it, or claimed */
	/**
	 * (*) The largest lag that was seen. Looking costs a cache line of the other side, so it is
	 * the batch's size that counts at most batches; all that waits is looked at as a batch
	 * begins once 1024 events, or 64 batches, have passed since the last such look; and by
	 * whoever asks for these figures. A short peak between two looks may be missed.
	 */
	uint64_t lag_max;
	uint64_t sleeps;  /**< times it went to sleep */
	uint64_t wakes;   /**< times it woke others */
	uint64_t skipped; /**< events passed over, by verdict or policy */
	uint64_t retries; /**< events handed out again */
	uint64_t rewinds; /**< batches handed out again */
	uint64_t batch_at; /**< (*) disruptor_now() as its last batch began, ± a tick; 0: none has */
};

/**
 * Tell a stage's figures. Writes as much of @p out as its size says.
 *
 * Threads: any. Progress: wait-free.
 * Errors:  DISRUPTOR_E_INVAL for NULL, E_VERSION if the size is none.
 */
DISRUPTOR_API int disruptor_stage_stats(const struct disruptor_stage *stage,
					struct disruptor_stage_stats *out);

/**
 * Tell the figures of a disruptor's stages, in the order in which they were added: of the first
 * @p count. The size of each element is that of the first, table[0].size. @p table may be NULL if
 * @p count is 0.
 *
 * Returns how many stages there are, or a code. The producers' figures are
 * disruptor_producer_stats(), those of all together disruptor_ring_stats().
 *
 * Threads: any. Progress: takes the disruptor's monitor, never held while a handler runs.
 * Errors:  as disruptor_stage_stats().
 */
DISRUPTOR_API int disruptor_stats(const struct disruptor *d, struct disruptor_stage_stats *table,
				  size_t count);

/** What a producer has done since its place in the ring's table was first used. */
struct disruptor_producer_stats {
	size_t size;          /**< sizeof(struct disruptor_producer_stats), set by the caller */
	char name[32];        /**< of the view that is open */
	uint64_t dropped;     /**< events dropped, of DISRUPTOR_DROP */
	uint64_t slow_claims; /**< claims that had to look at the consumers */
	uint64_t sleeps;      /**< times it went to sleep, for want of room */
	uint64_t wakes;       /**< times it woke others */
	uint64_t blocked_ns;  /**< how long it has been waiting for room, ± a tick; 0: it is not */
};

/** disruptor_stats() of the producers that are open. Returns how many there are, or a code. */
DISRUPTOR_API int disruptor_producer_stats(const struct disruptor *d,
					   struct disruptor_producer_stats *table, size_t count);

/* ---- diagnosis ---- */

/** What a stage is about. */
enum disruptor_activity {
	DISRUPTOR_ACTIVITY_NOT_STARTED = 0,
	DISRUPTOR_ACTIVITY_STARTING = 1,      /**< in its on_start */
	DISRUPTOR_ACTIVITY_HANDLING = 2,      /**< in the callbacks of a batch */
	DISRUPTOR_ACTIVITY_AWAITS_EVENTS = 3, /**< nothing is claimed that it has not released */
	DISRUPTOR_ACTIVITY_AWAITS_STAGE =
		4, /**< `waits_for` comes before it and has not released */
	DISRUPTOR_ACTIVITY_AWAITS_PRODUCER = 5, /**< `waits_for` has claimed and not published */
	DISRUPTOR_ACTIVITY_HAS_EVENTS =
		6, /**< events are ready, and it is in no batch as far as known */
	DISRUPTOR_ACTIVITY_ENDED = 7
};

/** One stage; or a consumer that the caller opened on the disruptor's ring. */
struct disruptor_stage_diagnosis {
	char name[32];
	enum disruptor_activity activity;
	uint32_t is_stage; /**< 0: a consumer without callbacks; of its caller nothing is known */
	uint64_t position; /**< first position not released; when HANDLING, of the batch or behind it */
	uint64_t behind; /**< its lag: claimed positions that it has not released */
	uint64_t ready;  /**< of these, the ones that it could handle now */
	/**
	 * HANDLING: how long it has been in this batch; AWAITS_… and HAS_EVENTS: how long it has
	 * been waiting; ± a tick of the system's coarse clock. 0: not known, or too short.
	 */
	uint64_t for_ns;
	char waits_for[32]; /**< the stage's or producer's name; "" if it is nobody's fault */
};

/** A producer that waits for room. */
struct disruptor_producer_diagnosis {
	char name[32];
	uint64_t needs;     /**< every consumer has to reach this position */
	uint64_t for_ns;    /**< how long it has been waiting, ± a tick */
	char waits_for[32]; /**< the slowest stage or consumer that has not */
};

/** What a diagnosis comes to. */
enum disruptor_finding {
	DISRUPTOR_FINDING_IDLE = 0,        /**< everything claimed has been released */
	DISRUPTOR_FINDING_RUNNING = 1,     /**< there is work, and room */
	DISRUPTOR_FINDING_FULL = 2,        /**< producers are held back, or would be */
	DISRUPTOR_FINDING_UNPUBLISHED = 3, /**< every stage waits for one claim */
	DISRUPTOR_FINDING_NOT_RUN = 4,     /**< the slowest stage has not started, or has ended */
	DISRUPTOR_FINDING_FAILED = 5,
	DISRUPTOR_FINDING_STALLED =
		6 /**< the watchdog's: there is work and room, and no progress */
};

/** The most blocked producers that are told by name. */
#define DISRUPTOR_BLOCKED_MAX 16

/** What disruptor_diagnose() finds. It holds copies, and stays valid when the disruptor is gone. */
struct disruptor_diagnosis {
	size_t size; /**< sizeof(struct disruptor_diagnosis), set by the caller */
	enum disruptor_finding finding;
	enum disruptor_state state;
	char verdict[256]; /**< the finding in one sentence, with who and where */
	uint64_t now;      /**< disruptor_now() when it was made */
	uint64_t capacity;
	uint64_t claimed; /**< first position not claimed */
	/** First position neither published nor given up; `claimed` if there is none. */
	uint64_t unpublished;
	char unpublished_by[32]; /**< the producer that has claimed it; "" if there is none */
	/**
	 * How long it has been so at least. A claim reads no clock: this is counted from when a
	 * diagnosis, or the watchdog, first met it. 0: this one did.
	 */
	uint64_t unpublished_ns;
	/** Of the watchdog's diagnosis: how long what stands still has done so at least. Else 0. */
	uint64_t stalled_ns;
	uint32_t stage_count; /**< in `stages`, in the order in which they were added, consumers last */
	uint32_t slowest; /**< index in `stages` of who holds up the others; if none, stage_count */
	uint32_t blocked_count; /**< producers that wait for room; of more than fit in `blocked`, too */
	uint32_t reserved;
	struct disruptor_producer_diagnosis blocked[DISRUPTOR_BLOCKED_MAX];
	struct disruptor_stage_diagnosis stages[DISRUPTOR_MAX_CONSUMERS];
};

/**
 * Find out who is blocking whom. Writes as much of @p out (8 KiB) as its size says.
 *
 * While others run it is not a snapshot of one moment: each figure is true of some moment during
 * the call. Where all stand still it is exact.
 *
 * Threads:  any, handlers and wait strategies included, from create to destroy.
 * Progress: takes the disruptor's monitor and the ring's lock, which nobody holds while a handler
 *           runs; looks at the stamps of what has been published and no stage has released, each
 *           once.
 * Errors:   DISRUPTOR_E_INVAL for NULL, E_VERSION if the size is none.
 */
DISRUPTOR_API int disruptor_diagnose(struct disruptor *d, struct disruptor_diagnosis *out);

/** Name an activity, "handling"; NULL if it is none. Threads: any. */
DISRUPTOR_API const char *disruptor_activity_name(enum disruptor_activity activity);

/** Name a finding, "full"; NULL if it is none. Threads: any. */
DISRUPTOR_API const char *disruptor_finding_name(enum disruptor_finding finding);

/**
 * Say what a stage is about: "in its handler for 12.0 s, at position 17", "waits for stage 'risk'".
 *
 * Threads: any. Returns the length that the text has, as snprintf(3) does; 0 for no activity.
 */
DISRUPTOR_API size_t disruptor_activity_text(const struct disruptor_stage_diagnosis *stage,
					     char *buffer, size_t size);

/**
 * Make a report of it for people, of several lines, each ended by a newline: the verdict, each
 * stage, each blocked producer.
 *
 * Threads: any. Returns the length that the whole has, as snprintf(3) does: if that is not below
 * @p size, the end is cut off. @p buffer may be NULL if @p size is 0.
 */
DISRUPTOR_API size_t disruptor_diagnosis_text(const struct disruptor_diagnosis *diagnosis,
					      char *buffer, size_t size);

/* ---- watchdog ---- */

/** A watchdog, for disruptor_set_watchdog(). */
struct disruptor_watchdog {
	size_t size;           /**< sizeof(struct disruptor_watchdog) */
	uint64_t threshold_ns; /**< what stands still longer is stalled; at least 1 ms */
	/**
	 * Something has stalled. Called in the watchdog's own thread, with a diagnosis that is
	 * valid during the call. It may use the disruptor, but not start, stop or destroy it:
	 * disruptor_stage_stop() and disruptor_ring_close() do not wait.
	 */
	void (*stalled)(void *context, const struct disruptor_diagnosis *diagnosis);
	void *context;
	uint32_t flags;    /**< zero */
	uint32_t reserved; /**< zero */
};

/**
 * Have a watchdog look at the disruptor while it runs, in a thread of its own that
 * disruptor_start() makes and the disruptor_stop() that ends the run joins. NULL: none any more.
 *
 * A stall is a stage or consumer with events ready, or a claim neither published nor given up,
 * whose position does not move for longer than the threshold. It is told once, again whenever it
 * has lasted twice as long as the last time, and anew if it stalls after having moved. An idle ring
 * is no stall, nor is a failed one. It looks four times in a threshold, so that a stall is told
 * after 1 to 1.5 thresholds. A stage moves with each batch, or verdict DISRUPTOR_RELEASE: the
 * threshold has to be above the time that a batch takes.
 *
 * Threads: one at a time, while the disruptor does not run.
 * Errors:  DISRUPTOR_E_STATE if it runs, E_INVAL (the detail names the field), E_VERSION. If its
 *          thread cannot be made, disruptor_start() says E_SYSTEM.
 */
DISRUPTOR_API int disruptor_set_watchdog(struct disruptor *d,
					 const struct disruptor_watchdog *watchdog);

#ifdef __cplusplus
}
#endif
#endif
