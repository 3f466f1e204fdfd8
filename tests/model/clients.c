/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "model.h"

#define CLIENTS(X)                                                                                 \
	X(publish)                                                                                 \
	X(packed)                                                                                  \
	X(publish_n)                                                                               \
	X(leap)                                                                                    \
	X(reuse)                                                                                   \
	X(claim_up_to)                                                                             \
	X(stage_order)                                                                             \
	X(stage_join)                                                                              \
	X(many_claim)                                                                              \
	X(many_sleep)                                                                              \
	X(abort)                                                                                   \
	X(abort_last)                                                                              \
	X(take_back)                                                                               \
	X(wake_consumer)                                                                           \
	X(wake_producer)                                                                           \
	X(wake_producer_slow)                                                                      \
	X(wake_both)                                                                               \
	X(wake_two)                                                                                \
	X(wake_stage)                                                                              \
	X(wake_count)                                                                              \
	X(wake_detach)                                                                             \
	X(wake_stop)                                                                               \
	X(wake_stop_stage)                                                                         \
	X(wake_close)                                                                              \
	X(wake_end)                                                                                \
	X(wake_close_producer)                                                                     \
	X(attach)                                                                                  \
	X(attach_oldest)                                                                           \
	X(attach_free)                                                                             \
	X(attach_free_oldest)                                                                      \
	X(attach_many)                                                                             \
	X(attach_sleep)                                                                            \
	X(attach_lap)                                                                              \
	X(attach_lap_oldest)                                                                       \
	X(attach_between)                                                                          \
	X(attach_recount)                                                                          \
	X(leave)                                                                                   \
	X(leave_sleep)                                                                             \
	X(leave_after)                                                                             \
	X(leave_reused)                                                                            \
	X(leave_reused_sleep)                                                                      \
	X(leave_stop)                                                                              \
	X(close_claim)                                                                             \
	X(close_claim_sleep)                                                                       \
	X(close_claim_packed)                                                                      \
	X(close_claim_many)                                                                        \
	X(mark)                                                                                    \
	X(mark_seen)                                                                               \
	X(fail_many)                                                                               \
	X(fail_one)                                                                                \
	X(reopen)                                                                                  \
	X(reopen_many)                                                                             \
	X(told_finished)                                                                           \
	X(told_failed)                                                                             \
	X(told_one)                                                                                \
	X(told_many)                                                                               \
	X(told_asleep)                                                                             \
	X(told_open)                                                                               \
	X(told_open_many)                                                                          \
	X(told_open_known)                                                                         \
	X(told_given_back)                                                                         \
	X(told_published)                                                                          \
	X(told_published_packed)                                                                   \
	X(told_settled)                                                                            \
	X(told_settled_packed)                                                                     \
	X(told_released)                                                                           \
	X(shared_pool)                                                                             \
	X(shared_leave)                                                                            \
	X(shared_settle)                                                                           \
	X(shared_hand_over)                                                                        \
	X(shared_take)                                                                             \
	X(shared_carry)                                                                            \
	X(shared_end)                                                                              \
	X(shared_place)                                                                            \
	X(shared_next)                                                                             \
	X(shared_note)                                                                             \
	X(mirror)                                                                                  \
	X(mirror_sleep)                                                                            \
	X(mirror_wake)                                                                             \
	X(mirror_end)                                                                              \
	X(mirror_packed)                                                                           \
	X(conflate)                                                                                \
	X(conflate_sleep)                                                                          \
	X(conflate_close)                                                                          \
	X(watch)                                                                                   \
	X(watch_one)                                                                               \
	X(deferred)                                                                                \
	X(deferred_void)                                                                           \
	X(deferred_blind)                                                                          \
	X(deferred_seen)                                                                           \
	X(deferred_room)                                                                           \
	X(deferred_carry)                                                                          \
	X(hold)                                                                                    \
	X(owner)                                                                                   \
	X(owner_end)

#define DECLARE(name) extern const struct model_client model_##name;
#define ADDRESS(name) &model_##name,
CLIENTS(DECLARE)

const struct model_client *const model_clients[] = { CLIENTS(ADDRESS) NULL };
