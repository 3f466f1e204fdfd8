/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef SRC_HOOK_H
#define SRC_HOOK_H

/*
 * Named points at which a test may act: before and after each step that other threads can see, and
 * around each sleep. Empty in the library that is installed.
 *
 * The inline halves in the public headers have theirs by DISRUPTOR_HOOK(), which is empty as well
 * unless this header comes before them: tests/simulate compiles everything so.
 */

/* X(name, instant): each with the instant that it names. */
#define HOOK_POINTS(X)                                                                             \
	/* a producer */                                                                           \
	X(PRODUCER_OPENED, "a producer has its entry, under the lock")                             \
	X(PRODUCER_CLOSING, "a producer's open run is settled, its entry still used")              \
	X(CLAIM_KNOWN, "room is known without a look, nothing noted yet")                          \
	X(CLAIM_NOTED, "the claim is noted, the state not yet looked at")                          \
	X(CLAIM_ROOM, "the gates have been asked for room, nothing noted yet")                     \
	X(CLAIM_SWAP, "there is room behind the claim word as it was read; not yet swapped")       \
	X(CLAIM_SWAPPED, "the claim word has been moved, the view not")                            \
	X(CLAIM_WAIT, "the ring is full, the wait for room has not begun")                         \
	X(TAKE_BACK, "a claim has met the close, the lock is not yet taken")                       \
	X(TAKEN_BACK, "the claim position went back, the end has not")                             \
	X(TAKE_BACK_TOLD, "all went back, nobody is woken yet")                                    \
	X(PUBLISH, "about to show what is published")                                              \
	X(PUBLISH_PART, "some slots of a run are stamped, those before them not")                  \
	X(PUBLISHED, "it is shown, sleepers are not yet looked for")                               \
	X(VOID_END, "the last void's end stands, no void is stamped")                              \
	X(VOID_PART, "some slots are stamped void, those before them not")                         \
	X(VOIDED, "all are void, sleepers are not yet looked for")                                 \
	/* the mirror for lossy readers, and they */                                               \
	X(MIRROR_WRITING, "the entry is marked as being written, no word is")                      \
	X(MIRROR_WRITTEN, "an entry's words are there, its stamp is not")                          \
	X(MIRROR_READING, "an entry's stamp was read, its words are not")                          \
	X(MIRROR_READ, "an entry's words were read, its stamp not looked at again")                \
	X(READER_LAPPED, "a reader was overtaken and has not chosen where to go on")               \
	/* the gate table */                                                                       \
	X(GATE_SCAN, "a scan of the gates is about to read the next one")                          \
	X(LIMIT_NOTED, "scan and limit are noted, the count of attaches not compared")             \
	X(ATTACH_CHOSEN, "a provisional place is chosen, no gate shown")                           \
	X(ATTACH_SHOWN, "the gate stands, scans may not reach it yet")                             \
	X(ATTACH_PROVISIONAL, "a new gate stands at a provisional position, and is counted")       \
	X(ATTACH_SETTLED, "the second look is done, the gate still provisional")                   \
	X(ATTACHED, "the gate stands where it begins, producers are not yet woken")                \
	X(HAND_OVER, "one dependant of who leaves is handed over, others perhaps not")             \
	X(DETACH, "dependants are handed over, the gate still stands")                             \
	X(DETACHED, "the gate is vacant, nobody woken")                                            \
	/* a consumer */                                                                           \
	X(READY, "about to look at a stamp")                                                       \
	X(AVAILABLE, "an upstream's place was read, whether it is still one not yet looked at")    \
	X(VOID_SKIP, "voids at the front are passed, not yet released")                            \
	X(RELEASE, "about to release")                                                             \
	X(RELEASED, "the gate has moved, sleepers are not yet looked for")                         \
	X(TAKEN_OUT, "an event was moved out, its slot has no fresh value")                        \
	X(LOOK_EMPTY, "nothing is ready, the end and the alert are not yet looked at")             \
	X(FINISH_FLAG, "the end's flag is seen, the end not yet read")                             \
	X(ALERT_SET, "an alert or an end is set, nobody woken")                                    \
	X(ALERT_BARRIER, "behind the barrier, the edges to wake not yet read")                     \
	/* waiting and waking */                                                                   \
	X(WAIT_FRUITLESS, "a look was fruitless, whatever is done about it comes next")            \
	X(WAIT_BEFORE_ARM, "the predicate was false, the edge's flag not yet raised")              \
	X(ARM_SEEN, "the epoch is read, the edge's flag not yet raised")                           \
	X(ARMED, "the edge's flag is raised, the barrier not passed")                              \
	X(WAIT_BEFORE_PARK, "raised, looked again, about to sleep")                                \
	X(WAIT_AWAKE, "the sleep is over, nothing looked at")                                      \
	X(WAKE_FOUND, "a raised flag was found, not yet cleared")                                  \
	X(WAKE_ALL, "about to clear a flag, whatever it asks for")                                 \
	X(WAKE_CLEARED, "the flag is cleared, the epoch not counted up")                           \
	X(WAKE_COUNTED, "the epoch is counted up, nobody woken")                                   \
	X(WAKE_TELL, "sleepers are woken, watches not yet told")                                   \
	X(WATCH_EXPECT, "a watch expects an edge that is not yet raised")                          \
	X(WATCH_FOUND, "a watch that expects the edge is found, its parker not told")              \
	X(WATCH_NEWS, "a parker's event and its epoch, one done, the other not")                   \
	X(PARKER_ARMED, "a parker is armed, no edge is asked")                                     \
	X(GROUP_ASKED, "all edges are asked, no barrier passed")                                   \
	/* close, open again, fail */                                                              \
	X(CLOSE, "about to close, the lock taken")                                                 \
	X(CLOSE_BEFORE_END, "the flag is up, the end not yet read")                                \
	X(CLOSE_END, "the end is read, not yet shown")                                             \
	X(CLOSED, "closed, nobody woken")                                                          \
	X(REOPEN_WORD, "the claim word is open again, the state is not")                           \
	X(REOPENED, "the state is open again, the lock still held")                                \
	X(FAIL, "the disruptor has failed, its ring has not")                                      \
	/* what a process leaves that dies */                                                      \
	X(REPAIR, "about to repair what a dead process has left, the lock taken")                  \
	X(REPAIR_VOID, "claims of nobody are found, none is void")                                 \
	X(REPAIR_CONSUMER, "a dead consumer's gate is vacant, its entry still the dead's")         \
	X(REPAIR_PRODUCER, "a dead producer is closed, its entry still the dead's")                \
	X(REPAIRED, "all is repaired, nobody woken")                                               \
	/* a deferred stage */                                                                     \
	X(DEFER_READ, "what was read is told, the gate not carried over voids")                    \
	X(DEFER_CARRY, "a void is seen behind the gate, the gate not moved")                       \
	X(DEFER_RELEASED, "the gate has moved, what was read not looked at again")                 \
	/* a pool */                                                                               \
	X(POOL_LOOK, "what is taken was read, what is there not yet looked at")                    \
	X(POOL_HAND, "the hand is on a chunk, the chunk not taken")                                \
	X(POOL_TAKEN, "a chunk is taken, the view does not know it")                               \
	X(POOL_RELEASED, "the hand has moved, the whole not worked out")                           \
	X(POOL_HANDS, "the hands were looked at, the notes not")                                   \
	X(POOL_SETTLE, "the whole's place is worked out, not yet raised")                          \
	X(POOL_NOTED, "what is left is noted, the hand not open")                                  \
	X(POOL_LEFT, "what is left is noted, nobody woken")                                        \
	X(POOL_TAKE_UP, "the hand is on what another has left, the note still there")              \
	X(POOL_MOVED, "the hand is counted, the note still there")                                 \
	/* stages, and the whole */                                                                \
	X(STAGE_BEFORE_LOOP, "a stage's thread exists, its loop has not begun")                    \
	X(STAGE_REPORT, "its on_start is done, not yet reported")                                  \
	X(BATCH_BEGIN, "a batch is found, nothing of it handled")                                  \
	X(VERDICT, "a verdict other than to go on, nothing done about it")                         \
	X(REMEDY, "what is to be done about a failure is known, nothing done")                     \
	X(BATCH_END, "a batch is over, it is not counted")                                         \
	X(STAGE_ENDING, "a run is over, on_stop not called")                                       \
	X(STAGE_ENDED, "what it was asked for is forgotten, it still counts as running")           \
	X(WORKER_ENDED, "a thread's stages have ended, the disruptor does not know")               \
	X(START, "it is starting, no thread made")                                                 \
	X(STOP_CLOSED, "the ring is closed, stages are not told to halt")                          \
	X(STOP_ENDED, "all runs have ended, no thread joined")                                     \
	X(JOINING, "who detaches a stage is about to join its thread")                             \
	X(ENDED_ALONE, "a stage that is detached has ended, it is still a gate")                   \
	/* the conflating table */                                                                 \
	X(CONFLATE_FILLED, "a cell is filled, not yet the middle one")                             \
	X(CONFLATE_SWAPPED, "the cell is the middle one, the key not queued")                      \
	X(CONFLATE_QUEUED, "the key is queued, the sleeper not looked for")                        \
	X(CONFLATE_TAKING, "the head has moved, the cell not swapped")                             \
	X(CONFLATE_TOOK, "the reader has its cell, nothing copied")                                \
	X(CONFLATE_SLEEP, "the sleeper is told, the queue not looked at again")

#ifdef DISRUPTOR_HOOKS

#define HOOK_ENUM(name, instant) HOOK_##name,
enum hook_point { HOOK_POINTS(HOOK_ENUM) HOOK_POINT_COUNT };
#undef HOOK_ENUM

extern void (*hook_function)(enum hook_point point, void *context);
extern void *hook_context;

#define HOOK(point)                                                                                \
	do {                                                                                       \
		if (hook_function)                                                                 \
			hook_function((point), hook_context);                                      \
	} while (0)

#ifndef DISRUPTOR_HOOK
#define DISRUPTOR_HOOK(name) HOOK(HOOK_##name)
#endif
#else
#define HOOK(point) ((void)0)
#endif

#endif
