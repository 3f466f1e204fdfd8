/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_VIEW_H
#define DISRUPTOR_VIEW_H

/* A look at all of a segment at once, and what it comes to in words. */

#include <disruptor/look.h>

#include <stdbool.h>
#include <stdio.h>

enum { VIEW_CONSUMERS = DISRUPTOR_MAX_CONSUMERS, VIEW_PRODUCERS = 256, VIEW_PARTICIPANTS = 256 };

struct view {
	struct disruptor_look_facts facts;
	const struct disruptor_type *type; /* until the look's end */
	struct disruptor_look_state state;
	/* places that are in use alone; `at` is which */
	struct disruptor_look_producer producer[VIEW_PRODUCERS];
	struct disruptor_look_consumer consumer[VIEW_CONSUMERS];
	struct disruptor_participant participant[VIEW_PARTICIPANTS];
	uint32_t producer_at[VIEW_PRODUCERS], consumer_at[VIEW_CONSUMERS];
	uint32_t participant_at[VIEW_PARTICIPANTS];
	uint32_t producers, consumers, participants;
	uint64_t now; /* disruptor_now() */
};

/* Take one: 0, or a code with its detail. */
int view_take(struct view *v, const struct disruptor_look *look);

/* The process of a view, by its place among the participants; NULL if it is not there. */
const struct disruptor_participant *view_owner(const struct view *v, uint32_t place);

/*
 * A consumer's process has died, and its place is kept: as the others have found, or, if nobody has yet,
 * by the kernel's word.
 */
bool view_is_dead(const struct view *v, const struct disruptor_look_consumer *c);

/* Who gates whom, in a sentence, escaped. */
const char *view_sentence(const struct view *v, char *text, size_t size);

/* "risk of process 4711", escaped. */
const char *view_who(const struct view *v, const char name[32], uint32_t place, char *text,
		     size_t size);

/* The names of consumers of a set, separated by commas, escaped; "-" if there are none. */
const char *view_set(const struct view *v, uint64_t set, char *text, size_t size);

/* "open", "closed", "failed"; how a layout and the producers are called. */
const char *view_state_name(unsigned state);
const char *view_layout_name(const struct disruptor_look_facts *f);
const char *view_producers_name(const struct disruptor_look_facts *f);

/* Seconds, milliseconds or less, as people write them. */
const char *view_time(uint64_t ns, char *text, size_t size);

#endif
