/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_GRAPH_H
#define DISRUPTOR_GRAPH_H

/**
 * @file disruptor/graph.h
 * A disruptor: a ring, stages and the order between them, each stage with a thread.
 *
 * Stages without an order between them run side by side and each see every
 * event (multicast); stages after one another form a pipeline.
 */

#include <disruptor/consumer.h>
#include <disruptor/event.h>
#include <disruptor/ring.h>
#include <disruptor/stage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct disruptor;

/** Where a disruptor is in its life. */
enum disruptor_state {
	DISRUPTOR_INIT = 0,
	DISRUPTOR_STARTING = 1,
	DISRUPTOR_RUNNING = 2,
	DISRUPTOR_DRAINING = 3, /**< closed; stages finish what was published */
	DISRUPTOR_STOPPED = 4,
	DISRUPTOR_FAILED = 5 /**< a handler failed; stop() joins the threads */
};

/** How to stop. */
enum disruptor_stop_mode {
	DISRUPTOR_NOW = 0,            /**< each stage ends after the event in hand */
	DISRUPTOR_DRAIN = 1,          /**< each stage ends after the last published event */
	DISRUPTOR_DRAIN_THEN_HALT = 2 /**< drain, and at the deadline stop now */
};

/**
 * Create a disruptor: a ring of events of @p type, without stages yet.
 *
 * Threads: any. Errors: those of disruptor_ring_create(), E_UNSUPPORTED with `cell`; *@p d is then NULL.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int disruptor_create(struct disruptor **d,
						       const struct disruptor_type *type,
						       const struct disruptor_options *options);

/**
 * Create a disruptor on a ring that is there already, of which its stages may be a part: of a ring that
 * processes share (disruptor_segment_ring()) each adds and starts the stages that are its own, in any
 * order of coming in which those come first that others are to be after.
 *
 * The ring stays the caller's. Starting does not open it: if it is closed, stages read what is left and
 * end. Stopping does not close it: draining ends each stage behind what had been claimed by then;
 * disruptor_join() waits until somebody else has closed it, and all is read. A failure, as always, fails
 * the ring, for everybody on it; after that it has to be opened again (disruptor_ring_reopen()) before
 * a start. Destroying takes the stages away and leaves the rest.
 *
 * On a ring that processes share a stage's name is its alone, and it comes after others' by their names,
 * in one step: disruptor_attach(). When its process dies it is kept or goes (struct disruptor_handler,
 * `if_dead`); a stage added under the name of one that is kept goes on where that stopped, handles again
 * what had not been released, and has to come after what that came after, which is checked.
 * What its stages read and write is compared with what those of other disruptors on the ring do that have
 * been started or attached before, in whichever process: without an order between them, E_CONFLICT. There
 * are no pools and no checks (disruptor_set_checks()).
 *
 * @p flags: DISRUPTOR_TRUST_HANDLERS, DISRUPTOR_NO_STATS, or 0.
 *
 * Threads: any. Errors: DISRUPTOR_E_INVAL, E_TYPE, E_UNSUPPORTED (a ring of records), E_NOMEM; *@p d
 * is then NULL.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int disruptor_create_on(struct disruptor **d,
							  struct disruptor_ring *ring,
							  const struct disruptor_type *type,
							  unsigned flags);

/**
 * Destroy a disruptor that does not run, its stages and its ring; set *@p d to NULL.
 *
 * Threads: one. Errors: DISRUPTOR_E_STATE if it runs (stop it first), E_BUSY if a producer or a
 * consumer of the caller's is still open on the ring; nothing is changed then.
 */
DISRUPTOR_API int disruptor_destroy(struct disruptor **d);

/** The ring: for opening producers and consumers on it. Threads: any. */
DISRUPTOR_API struct disruptor_ring *disruptor_ring(struct disruptor *d);

/**
 * Add a stage. It sees every event claimed from now on, and from now on holds producers back.
 *
 * Threads: one at a time, before start.
 * Errors:  NULL; disruptor_error_detail() names the field that was refused, or says that the gate
 *          table is full (`max_consumers`), or that the disruptor has been started.
 */
DISRUPTOR_API struct disruptor_stage *disruptor_stage(struct disruptor *d,
						      const struct disruptor_handler *handler);

/**
 * Put @p later after @p earlier: it sees an event once @p earlier has released it.
 *
 * Threads: one at a time, before start.
 * Errors:  DISRUPTOR_E_INVAL for a stage of another disruptor, an edge that is there already or
 *          that would close a cycle; E_STATE after start. The detail names both stages; nothing
 *          is changed.
 */
DISRUPTOR_API int disruptor_after(struct disruptor_stage *later, struct disruptor_stage *earlier);

/**
 * Put @p count stages one after another: a pipeline.
 *
 * Threads: as disruptor_after(). Errors: as disruptor_after(); the edges before the refused one stay.
 */
DISRUPTOR_API int disruptor_pipeline(struct disruptor_stage *const *stages, size_t count);

/**
 * Start a thread for each stage; return when every stage has reported in (its on_start is done).
 * After a stop, stages continue at the next event, and the ring is open again.
 *
 * Threads: one at a time.
 * Errors:  DISRUPTOR_E_STATE if it runs already or has no stage; E_SYSTEM, E_INVAL or
 *          E_UNSUPPORTED if a thread could not be made as asked (the detail names the stage and the
 *          field); E_FAILED if an on_start failed, or the ring, which is the caller's, has; E_CONFLICT if stages without
 *          an order touch the same bytes and one writes them (the detail names the stages, the
 *          fields and the bytes; see struct disruptor_handler). No thread
 *          is left then, and start may be tried again.
 */
DISRUPTOR_API DISRUPTOR_NODISCARD int disruptor_start(struct disruptor *d);

/**
 * Stop every stage, by @p mode, and join the threads. The ring is closed: blocked producers return
 * DISRUPTOR_E_CLOSED.
 *
 * Sleeps until @p deadline (see disruptor_in()). At the deadline NOW and DRAIN return E_TIMEOUT,
 * the detail says what is left and where, stopping goes on, and stop may be called again, in any
 * mode; DRAIN_THEN_HALT waits on for the events in hand. Stopping what does not run does nothing.
 * A stage that has ended by itself, by its verdict or disruptor_stage_stop(), is not waited for:
 * disruptor_stage_position() tells where it stands. Where a deferred stage has read what nobody has
 * released, the detail says so, also if this returns 0.
 *
 * Threads: any but the disruptor's own stages; several may stop at once.
 * Errors:  DISRUPTOR_E_TIMEOUT; E_FAILED if a stage had failed (all is joined); E_DEADLK if called
 *          by a stage's thread, or the watchdog's.
 */
DISRUPTOR_API int disruptor_stop(struct disruptor *d, enum disruptor_stop_mode mode,
				 uint64_t deadline);

/**
 * Wait until every stage has ended by itself: the ring was closed, by whoever, and all of it is
 * handled, or its verdict was to stop; then join the threads. Nobody is asked to end.
 *
 * Threads: as disruptor_stop(). Progress: sleeps.
 * Errors:  DISRUPTOR_E_TIMEOUT, and all is as before; E_FAILED, E_DEADLK as disruptor_stop().
 */
DISRUPTOR_API int disruptor_join(struct disruptor *d, uint64_t deadline);

/** Where a stage that is added to a running graph comes in; zero means the default. */
struct disruptor_attach {
	size_t size; /**< sizeof(struct disruptor_attach) */
	/** The stages that must have released an event before this one sees it. */
	struct disruptor_stage *const *after;
	size_t after_count;
	enum disruptor_at at; /**< where in the stream it begins */
	uint32_t reserved;    /**< zero */
	uint64_t position;    /**< of DISRUPTOR_AT_POSITION, else zero */
	/** As `after`, by their names: stages of other processes, too. */
	const char *const *after_names;
	size_t after_name_count;
};

/**
 * Add a stage to a disruptor in whatever state, also while it runs: with a thread of its own, or
 * to what the caller drives. It holds producers back from where it begins. Returns when the stage
 * has reported in; later starts count it in like any other. @p how may be NULL.
 *
 * Threads: any, also a stage's own.
 * Errors:  NULL, and the graph is as before; disruptor_error_detail() names what was refused: as
 *          disruptor_stage(), a position that is not there, an `after` of another disruptor, bytes
 *          that it would touch beside another stage, its on_start's answer, a thread that cannot
 *          be had, a disruptor that is DRAINING or FAILED, a checked run, a driven one that is
 *          being driven by another thread.
 */
DISRUPTOR_API struct disruptor_stage *disruptor_attach(struct disruptor *d,
						       const struct disruptor_handler *handler,
						       const struct disruptor_attach *how);

/**
 * Take a stage out of its disruptor, also while it runs, and end its life: @p stage is not to be
 * used again. Stages after it come after those before it from then on; producers that it held back
 * go on. NOW ends it after the event in hand; DRAIN and DRAIN_THEN_HALT after what had been claimed
 * before the call, the latter at the deadline like NOW. What a deferred stage has read that nobody
 * has released is given up; the detail says so, also if this returns 0.
 *
 * Threads: any but one that runs the stage; others must not use it meanwhile.
 * Errors:  DISRUPTOR_E_TIMEOUT if it has not ended at the deadline: it will end, and this may be
 *          called again; E_DEADLK in the stage's own thread; E_STATE while it is STARTING, if a
 *          thread of the caller's runs it, or in a checked run; E_UNSUPPORTED for one worker of a
 *          keyed pool.
 */
DISRUPTOR_API int disruptor_detach(struct disruptor_stage *stage, enum disruptor_stop_mode mode,
				   uint64_t deadline);

/**
 * Put a stage after a consumer that the caller opened on the disruptor's ring: a poller, or a
 * sequence of the caller's own (see disruptor_release_to()). The other way, open the consumer with
 * disruptor_stage_consumer() in its `after`.
 *
 * Threads and errors: as disruptor_after().
 */
DISRUPTOR_API int disruptor_after_consumer(struct disruptor_stage *later,
					   const struct disruptor_consumer *earlier);

/**
 * Wait until it is in @p state.
 *
 * Threads: any but its own stages'. Progress: sleeps.
 * Errors:  DISRUPTOR_E_TIMEOUT; E_FAILED if it failed instead; E_DEADLK in a stage's thread.
 */
DISRUPTOR_API int disruptor_await(struct disruptor *d, enum disruptor_state state,
				  uint64_t deadline);

/** Where it is in its life. Threads: any. */
DISRUPTOR_API enum disruptor_state disruptor_state(const struct disruptor *d);

/** Name a state. Threads: any. */
DISRUPTOR_API const char *disruptor_state_name(enum disruptor_state state);

/** Why it failed; code 0 if it did not. Threads: any. */
DISRUPTOR_API struct disruptor_failure disruptor_failure(const struct disruptor *d);

#ifdef __cplusplus
}
#endif
#endif
