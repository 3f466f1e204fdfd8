/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "points.h"

#include "plan.h"

static const unsigned features[HOOK_POINT_COUNT] = {
	[HOOK_CLAIM_KNOWN] = PLAN_SINGLE | PLAN_QUICK,
	[HOOK_CLAIM_NOTED] = PLAN_SINGLE,
	[HOOK_CLAIM_ROOM] = PLAN_SINGLE,
	[HOOK_CLAIM_SWAP] = PLAN_MANY,
	[HOOK_CLAIM_SWAPPED] = PLAN_MANY,
	[HOOK_TAKE_BACK] = PLAN_SINGLE | PLAN_BACK,
	[HOOK_TAKEN_BACK] = PLAN_SINGLE | PLAN_BACK,
	[HOOK_TAKE_BACK_TOLD] = PLAN_SINGLE | PLAN_BACK,
	[HOOK_PUBLISH_PART] = PLAN_STAMPED | PLAN_RUNS,
	[HOOK_VOID_END] = PLAN_STAMPED | PLAN_VOIDS,
	[HOOK_VOID_PART] = PLAN_STAMPED | PLAN_VOIDS,
	[HOOK_VOIDED] = PLAN_STAMPED | PLAN_VOIDS,
	[HOOK_MIRROR_WRITING] = PLAN_LOSSY,
	[HOOK_MIRROR_WRITTEN] = PLAN_LOSSY,
	[HOOK_MIRROR_READING] = PLAN_LOSSY,
	[HOOK_MIRROR_READ] = PLAN_LOSSY,
	[HOOK_READER_LAPPED] = PLAN_LOSSY | PLAN_LAPPED,
	[HOOK_ATTACH_CHOSEN] = PLAN_ATTACH,
	[HOOK_ATTACH_SHOWN] = PLAN_ATTACH,
	[HOOK_ATTACH_PROVISIONAL] = PLAN_ATTACH,
	[HOOK_ATTACH_SETTLED] = PLAN_ATTACH,
	[HOOK_ATTACHED] = PLAN_ATTACH,
	[HOOK_HAND_OVER] = PLAN_DETACH | PLAN_CHAIN,
	[HOOK_DETACH] = PLAN_DETACH,
	[HOOK_DETACHED] = PLAN_DETACH,
	[HOOK_READY] = PLAN_STAMPED,
	[HOOK_AVAILABLE] = PLAN_CHAIN,
	[HOOK_VOID_SKIP] = PLAN_STAMPED | PLAN_VOIDS,
	[HOOK_TAKEN_OUT] = PLAN_TAKE,
	[HOOK_FINISH_FLAG] = PLAN_CLOSE,
	[HOOK_ALERT_SET] = PLAN_ALERT,
	[HOOK_ALERT_BARRIER] = PLAN_ALERT,
	[HOOK_WAIT_BEFORE_ARM] = PLAN_BLOCK,
	[HOOK_ARM_SEEN] = PLAN_BLOCK,
	[HOOK_ARMED] = PLAN_BLOCK,
	[HOOK_WAIT_BEFORE_PARK] = PLAN_BLOCK,
	[HOOK_WAIT_AWAKE] = PLAN_BLOCK,
	[HOOK_WAKE_FOUND] = PLAN_BLOCK,
	[HOOK_WAKE_ALL] = PLAN_CLOSE,
	[HOOK_WAKE_CLEARED] = PLAN_BLOCK,
	[HOOK_WAKE_COUNTED] = PLAN_BLOCK,
	[HOOK_WAKE_TELL] = PLAN_BLOCK,
	[HOOK_WATCH_EXPECT] = PLAN_GROUP | PLAN_BLOCK,
	[HOOK_WATCH_FOUND] = PLAN_GROUP | PLAN_BLOCK,
	[HOOK_WATCH_NEWS] = PLAN_GROUP | PLAN_BLOCK,
	[HOOK_PARKER_ARMED] = PLAN_GROUP | PLAN_BLOCK,
	[HOOK_GROUP_ASKED] = PLAN_GROUP | PLAN_BLOCK,
	[HOOK_CLOSE] = PLAN_CLOSE,
	[HOOK_CLOSE_BEFORE_END] = PLAN_CLOSE,
	[HOOK_CLOSE_END] = PLAN_CLOSE,
	[HOOK_CLOSED] = PLAN_CLOSE,
	[HOOK_REOPEN_WORD] = PLAN_AGAIN,
	[HOOK_REOPENED] = PLAN_AGAIN,
	[HOOK_FAIL] = PLAN_FAIL,
	[HOOK_DEFER_READ] = PLAN_DEFER,
	[HOOK_DEFER_CARRY] = PLAN_DEFER | PLAN_VOIDS | PLAN_STAMPED,
	[HOOK_DEFER_RELEASED] = PLAN_DEFER,
	[HOOK_POOL_LOOK] = PLAN_POOL,
	[HOOK_POOL_HAND] = PLAN_POOL,
	[HOOK_POOL_TAKEN] = PLAN_POOL,
	[HOOK_POOL_RELEASED] = PLAN_POOL,
	[HOOK_POOL_HANDS] = PLAN_POOL,
	[HOOK_POOL_SETTLE] = PLAN_POOL,
	[HOOK_POOL_NOTED] = PLAN_LEAVE,
	[HOOK_POOL_LEFT] = PLAN_LEAVE,
	[HOOK_POOL_TAKE_UP] = PLAN_LEAVE,
	[HOOK_POOL_MOVED] = PLAN_LEAVE,
	[HOOK_STAGE_BEFORE_LOOP] = PLAN_GRAPH,
	[HOOK_STAGE_REPORT] = PLAN_GRAPH,
	[HOOK_BATCH_BEGIN] = PLAN_GRAPH,
	[HOOK_VERDICT] = PLAN_TROUBLE,
	[HOOK_REMEDY] = PLAN_FAIL,
	[HOOK_BATCH_END] = PLAN_GRAPH,
	[HOOK_STAGE_ENDING] = PLAN_GRAPH,
	[HOOK_STAGE_ENDED] = PLAN_GRAPH,
	[HOOK_WORKER_ENDED] = PLAN_GRAPH,
	[HOOK_START] = PLAN_GRAPH | PLAN_AGAIN,
	[HOOK_STOP_CLOSED] = PLAN_GRAPH | PLAN_STOPS,
	[HOOK_STOP_ENDED] = PLAN_GRAPH | PLAN_STOPS,
	[HOOK_JOINING] = PLAN_GRAPH | PLAN_DETACH,
	[HOOK_ENDED_ALONE] = PLAN_GRAPH | PLAN_DETACH,
	[HOOK_CONFLATE_FILLED] = PLAN_CONFLATE,
	[HOOK_CONFLATE_SWAPPED] = PLAN_CONFLATE,
	[HOOK_CONFLATE_QUEUED] = PLAN_CONFLATE,
	[HOOK_CONFLATE_TAKING] = PLAN_CONFLATE,
	[HOOK_CONFLATE_TOOK] = PLAN_CONFLATE,
	[HOOK_CONFLATE_SLEEP] = PLAN_CONFLATE,
};

unsigned point_features(enum hook_point point)
{
	return features[point];
}

/* ---- pairs that do not meet ---- */

#define END HOOK_POINT_COUNT
#define LIST static const enum hook_point

/* The ring's lock is held throughout. */
LIST ring_lock[] = { HOOK_PRODUCER_OPENED,
		     HOOK_TAKEN_BACK,
		     HOOK_ATTACH_CHOSEN,
		     HOOK_ATTACH_SHOWN,
		     HOOK_ATTACH_PROVISIONAL,
		     HOOK_ATTACH_SETTLED,
		     HOOK_ATTACHED,
		     HOOK_HAND_OVER,
		     HOOK_DETACH,
		     HOOK_DETACHED,
		     HOOK_CLOSE,
		     HOOK_CLOSE_BEFORE_END,
		     HOOK_CLOSE_END,
		     HOOK_CLOSED,
		     HOOK_REOPEN_WORD,
		     HOOK_REOPENED,
		     END };
/* Of these: another hook is passed before it is given back; or has been since it was taken. */
LIST ring_lock_kept[] = { HOOK_ATTACH_CHOSEN,  HOOK_ATTACH_SHOWN, HOOK_ATTACH_PROVISIONAL,
			  HOOK_ATTACH_SETTLED, HOOK_ATTACHED,     HOOK_HAND_OVER,
			  HOOK_DETACH,         HOOK_DETACHED,     HOOK_CLOSE_BEFORE_END,
			  HOOK_CLOSE_END,      HOOK_REOPEN_WORD,  END };
LIST ring_lock_taken[] = { HOOK_ATTACH_SHOWN,   HOOK_ATTACH_PROVISIONAL,
			   HOOK_ATTACH_SETTLED, HOOK_ATTACHED,
			   HOOK_DETACHED,       HOOK_CLOSE_BEFORE_END,
			   HOOK_CLOSE_END,      HOOK_CLOSED,
			   HOOK_REOPENED,       END };
/* Likewise, of the disruptor's monitor. */
LIST monitor[] = { HOOK_FAIL,        HOOK_HAND_OVER,  HOOK_STOP_CLOSED,
		   HOOK_ENDED_ALONE, HOOK_STOP_ENDED, END };
LIST monitor_kept[] = { HOOK_FAIL, HOOK_HAND_OVER, END };
LIST monitor_taken[] = { HOOK_STOP_CLOSED, END };
/* And of the watches' lock. */
LIST watch_kept[] = { HOOK_WATCH_NEWS, END };
LIST watch_lock[] = { HOOK_WATCH_FOUND, HOOK_WATCH_NEWS, END };

/* Passed by the thread of the only producer, and by producers at all. */
LIST one_producer[] = { HOOK_CLAIM_KNOWN,
			HOOK_CLAIM_NOTED,
			HOOK_CLAIM_ROOM,
			HOOK_TAKE_BACK,
			HOOK_TAKEN_BACK,
			HOOK_TAKE_BACK_TOLD,
			END };
LIST producers[] = { HOOK_PRODUCER_OPENED, HOOK_PRODUCER_CLOSING, HOOK_CLAIM_KNOWN,
		     HOOK_CLAIM_NOTED,     HOOK_CLAIM_ROOM,       HOOK_CLAIM_SWAP,
		     HOOK_CLAIM_SWAPPED,   HOOK_CLAIM_WAIT,       HOOK_TAKE_BACK,
		     HOOK_TAKEN_BACK,      HOOK_TAKE_BACK_TOLD,   HOOK_PUBLISH,
		     HOOK_PUBLISH_PART,    HOOK_PUBLISHED,        HOOK_VOID_END,
		     HOOK_VOID_PART,       HOOK_VOIDED,           HOOK_MIRROR_WRITING,
		     HOOK_MIRROR_WRITTEN,  HOOK_LIMIT_NOTED,      END };

LIST taken_out[] = { HOOK_TAKEN_OUT, END };
LIST mirror[] = { HOOK_MIRROR_WRITING, HOOK_MIRROR_WRITTEN, HOOK_MIRROR_READING,
		  HOOK_MIRROR_READ,    HOOK_READER_LAPPED,  END };
LIST attach[] = { HOOK_ATTACH_CHOSEN,
		  HOOK_ATTACH_SHOWN,
		  HOOK_ATTACH_PROVISIONAL,
		  HOOK_ATTACH_SETTLED,
		  HOOK_ATTACHED,
		  HOOK_TAKEN_OUT,
		  END };
LIST pool[] = { HOOK_POOL_LOOK,
		HOOK_POOL_HAND,
		HOOK_POOL_TAKEN,
		HOOK_POOL_RELEASED,
		HOOK_POOL_HANDS,
		HOOK_POOL_SETTLE,
		HOOK_POOL_NOTED,
		HOOK_POOL_LEFT,
		HOOK_POOL_TAKE_UP,
		HOOK_POOL_MOVED,
		END };
LIST begins[] = { HOOK_STAGE_BEFORE_LOOP, HOOK_STAGE_REPORT, HOOK_START, END };

LIST finish_flag[] = { HOOK_FINISH_FLAG, END };
LIST before_flag[] = { HOOK_CLOSE_BEFORE_END, HOOK_CLOSE_END, END };

LIST opening[] = { HOOK_REOPEN_WORD, HOOK_REOPENED, END };
LIST opening_word[] = { HOOK_REOPEN_WORD, END };
LIST back_told[] = { HOOK_TAKE_BACK_TOLD, END };
LIST waiting[] = { HOOK_WAIT_FRUITLESS,
		   HOOK_WAIT_BEFORE_ARM,
		   HOOK_ARM_SEEN,
		   HOOK_ARMED,
		   HOOK_WAIT_BEFORE_PARK,
		   HOOK_WAIT_AWAKE,
		   HOOK_PARKER_ARMED,
		   HOOK_WATCH_EXPECT,
		   HOOK_GROUP_ASKED,
		   HOOK_WATCH_FOUND,
		   HOOK_WATCH_NEWS,
		   HOOK_LOOK_EMPTY,
		   HOOK_FINISH_FLAG,
		   HOOK_WAKE_FOUND,
		   HOOK_TAKEN_OUT,
		   HOOK_READER_LAPPED,
		   END };
LIST finishing[] = { HOOK_FINISH_FLAG, HOOK_READER_LAPPED, END };

/* Within a run of a stage; `put` is by one here. */
LIST run[] = { HOOK_STAGE_BEFORE_LOOP,
	       HOOK_STAGE_REPORT,
	       HOOK_BATCH_BEGIN,
	       HOOK_VERDICT,
	       HOOK_REMEDY,
	       HOOK_BATCH_END,
	       HOOK_STAGE_ENDING,
	       HOOK_STAGE_ENDED,
	       HOOK_WORKER_ENDED,
	       HOOK_DEFER_READ,
	       HOOK_POOL_LOOK,
	       HOOK_POOL_HAND,
	       HOOK_POOL_TAKEN,
	       HOOK_POOL_RELEASED,
	       HOOK_POOL_HANDS,
	       HOOK_POOL_SETTLE,
	       HOOK_POOL_NOTED,
	       HOOK_POOL_LEFT,
	       HOOK_POOL_TAKE_UP,
	       HOOK_POOL_MOVED,
	       HOOK_CONFLATE_FILLED,
	       HOOK_CONFLATE_SWAPPED,
	       HOOK_CONFLATE_QUEUED,
	       HOOK_FAIL,
	       END };
/* And not the last of it. */
LIST run_kept[] = { HOOK_STAGE_BEFORE_LOOP,
		    HOOK_STAGE_REPORT,
		    HOOK_BATCH_BEGIN,
		    HOOK_VERDICT,
		    HOOK_REMEDY,
		    HOOK_BATCH_END,
		    HOOK_STAGE_ENDING,
		    HOOK_DEFER_READ,
		    HOOK_POOL_LOOK,
		    HOOK_POOL_HAND,
		    HOOK_POOL_TAKEN,
		    HOOK_POOL_RELEASED,
		    HOOK_POOL_HANDS,
		    HOOK_POOL_SETTLE,
		    HOOK_POOL_NOTED,
		    HOOK_POOL_LEFT,
		    HOOK_POOL_TAKE_UP,
		    HOOK_POOL_MOVED,
		    HOOK_CONFLATE_FILLED,
		    HOOK_CONFLATE_SWAPPED,
		    HOOK_CONFLATE_QUEUED,
		    HOOK_FAIL,
		    END };
/* What is passed in a run, but for what begins it. */
LIST run_on[] = {
	HOOK_STAGE_REPORT,     HOOK_BATCH_BEGIN,     HOOK_VERDICT,     HOOK_REMEDY,
	HOOK_BATCH_END,        HOOK_STAGE_ENDING,    HOOK_STAGE_ENDED, HOOK_WORKER_ENDED,
	HOOK_DEFER_READ,       HOOK_POOL_LOOK,       HOOK_POOL_HAND,   HOOK_POOL_TAKEN,
	HOOK_POOL_RELEASED,    HOOK_POOL_HANDS,      HOOK_POOL_SETTLE, HOOK_POOL_NOTED,
	HOOK_POOL_LEFT,        HOOK_POOL_TAKE_UP,    HOOK_POOL_MOVED,  HOOK_CONFLATE_FILLED,
	HOOK_CONFLATE_SWAPPED, HOOK_CONFLATE_QUEUED, HOOK_FAIL,        END
};
LIST start[] = { HOOK_START, END };
LIST stop_ended[] = { HOOK_STOP_ENDED, END };
LIST starting[] = { HOOK_START, HOOK_REOPEN_WORD, HOOK_REOPENED, END };
LIST leaving[] = { HOOK_STOP_CLOSED, HOOK_STOP_ENDED, HOOK_JOINING, HOOK_ENDED_ALONE,
		   HOOK_HAND_OVER,   HOOK_START,      END };
LIST joining[] = { HOOK_JOINING, HOOK_HAND_OVER, END };
LIST closes[] = { HOOK_CLOSE, HOOK_CLOSE_BEFORE_END, HOOK_CLOSE_END, HOOK_CLOSED, END };
LIST closes_once[] = { HOOK_CLOSE_BEFORE_END, HOOK_CLOSE_END, HOOK_CLOSED, END };
LIST closed[] = { HOOK_STOP_CLOSED, HOOK_STOP_ENDED, END };

/* What only a process passes that shares the ring with others. */
LIST repairs[] = { HOOK_REPAIR,          HOOK_REPAIR_VOID, HOOK_REPAIR_CONSUMER,
		   HOOK_REPAIR_PRODUCER, HOOK_REPAIRED,    END };

/* A class of pairs: any of @p a and then any of @p b, NULL: of all; or, `both`, either way round. */
struct excuse {
	const enum hook_point *a, *b;
	bool both;
	const char *reason;
};

static const struct excuse excuses[] = {
	{ repairs, NULL, true, "here is one process: fault/death has those that die" },
	{ ring_lock_kept, ring_lock, false, "the first keeps the ring's lock, the second has it" },
	{ ring_lock, ring_lock_taken, false,
	  "the first has the ring's lock, the second had it before" },
	{ monitor_kept, monitor, false, "the first keeps the monitor, the second has it" },
	{ monitor, monitor_taken, false, "the first has the monitor, the second had it before" },
	{ watch_kept, watch_lock, false, "the first keeps the watches' lock, the second has it" },
	{ one_producer, producers, true, "one producer is one thread; a ring has one or many" },
	{ taken_out, mirror, true, "no events are taken from a lossy ring" },
	{ taken_out, attach, true, "nobody joins who takes events, and it takes alone" },
	{ taken_out, pool, true, "a pool's workers are beside, not before, who takes" },
	{ taken_out, begins, true, "who takes is behind all stages: they have begun" },
	{ finish_flag, before_flag, true,
	  "the flag is seen behind the end, and looked for at a hook" },
	{ start, finishing, true, "nothing ends, and nothing is overwritten, as it starts" },
	{ opening, waiting, true, "it is opened again while nobody waits" },
	{ opening, run, true, "it is opened again while no stage runs" },
	{ start, run_on, true, "it starts while no stage runs" },
	{ run_kept, start, false, "it starts while no stage runs" },
	{ stop_ended, run, false, "all runs have ended" },
	{ run_kept, stop_ended, false, "a run that ends passes others first" },
	{ starting, leaving, true,
	  "who starts waits for who stops and who leaves, and they for it" },
	{ stop_ended, joining, false, "a stop ends behind those who leave" },
	{ closes_once, closed, true, "it is closed once" },
	{ closes, starting, true,
	  "not run: the model does not follow a close that meets the opening" },
	{ opening, opening, true, "it is opened once" },
	{ back_told, opening, true,
	  "not run: claims are over, and their producers joined, before it is opened again" },
	{ one_producer, opening_word, true,
	  "not run: claims are over, and their producers joined, before it is opened again" },
};

static bool has(const enum hook_point *list, enum hook_point point)
{
	if (!list)
		return true;
	while (*list != END && *list != point)
		list++;
	return *list != END;
}

unsigned point_excuse_count(void)
{
	return sizeof(excuses) / sizeof(*excuses);
}

const char *point_excuse_reason(unsigned i)
{
	return excuses[i].reason;
}

int point_excuse(enum hook_point a, enum hook_point b)
{
	for (unsigned i = 0; i < point_excuse_count(); i++) {
		const struct excuse *e = &excuses[i];

		if ((has(e->a, a) && has(e->b, b)) || (e->both && has(e->a, b) && has(e->b, a)))
			return (int)i;
	}
	return -1;
}
