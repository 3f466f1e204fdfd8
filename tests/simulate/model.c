/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "model.h"

#include "schedule.h"

#include <stdio.h>
#include <string.h>

#define ULL(x) ((unsigned long long)(x))

struct model model;

const struct disruptor_type item_type = { .name = "item",
					  .size = sizeof(struct item),
					  .align = _Alignof(struct item) };

static const char *const whats[] = { "not claimed", "claimed",        "being published",
				     "published",   "being given up", "given up" };

void model_reset(uint64_t capacity, bool free_run)
{
	memset(&model, 0, sizeof(model));
	model.capacity = capacity;
	model.free_run = free_run;
}

static struct position *at(uint64_t position)
{
	if (position >= MODEL_POSITIONS)
		schedule_fail("position %llu is beyond all that was claimed", ULL(position));
	return &model.at[position];
}

bool model_is_void(uint64_t position)
{
	enum what w = at(position)->what;

	return w == VOIDING || w == VOIDED;
}

static bool is_settled(uint64_t position)
{
	enum what w = at(position)->what;

	return w == PUBLISHED || w == VOIDED;
}

/* First position that is surely not settled, or, being settled, may be counted as not. */
static uint64_t first_unsettled(bool begun_counts)
{
	uint64_t p = 0;

	while (p < model.claimed &&
	       (is_settled(p) || (begun_counts && at(p)->what != CLAIMED && at(p)->what != FREE)))
		p++;
	return p;
}

/* ---- what a follower may have released ---- */

static uint64_t behind_voids(uint64_t position)
{
	while (position < model.claimed && model_is_void(position))
		position++;
	return position;
}

uint64_t model_furthest_released(struct follower *f)
{
	uint64_t p;

	if (f->explicit_release) {
		p = behind_voids(f->released);
		return f->takes && p < model.claimed ? behind_voids(p + 1) : p;
	}
	while (f->floor < model.claimed && (f->done[f->floor] || model_is_void(f->floor)))
		f->floor++;
	return f->floor;
}

/* ---- producers ---- */

struct claim_began model_claim_begins(void)
{
	model.in_claim++;
	return (struct claim_began){ .closed = model.closed,
				     .opening = model.opening,
				     .openings = model.openings };
}

/* Whether those behind it may see that position. */
static bool is_passed_on(struct follower *f, uint64_t position)
{
	return f->explicit_release ? position < model_furthest_released(f) : f->done[position];
}

static void check_gates(uint64_t end)
{
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++) {
		struct follower *f = &model.followers[i];
		uint64_t released;

		if (!f->used || !f->gates)
			continue;
		released = model_furthest_released(f);
		if (end > released + model.capacity)
			schedule_fail(
				"claimed up to %llu, but '%s' has released up to %llu at most, "
				"and the ring has %llu slots",
				ULL(end), f->name, ULL(released), ULL(model.capacity));
	}
}

void model_claimed(const struct claim_began *b, uint64_t first, uint64_t n)
{
	model.in_claim--;
	if (n == 0)
		return;
	if (b->closed && b->openings == model.openings)
		schedule_fail("a claim of %llu succeeded that began after the close", ULL(first));
	for (uint64_t p = first; p < first + n; p++) {
		if (at(p)->what != FREE)
			schedule_fail("claimed position %llu, which is %s", ULL(p),
				      whats[at(p)->what]);
		at(p)->what = CLAIMED;
	}
	if (first + n > model.claimed)
		model.claimed = first + n;
	check_gates(first + n);
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++)
		if (model.followers[i].used && model.followers[i].told_end)
			schedule_fail("claimed position %llu, but '%s' was told that nothing comes",
				      ULL(first), model.followers[i].name);
}

void model_fill(struct item *item, uint64_t position, uint64_t value)
{
	memset(item, 0, sizeof(*item));
	item->value = value;
	at(position)->value = value;
}

static void change(uint64_t first, uint64_t n, enum what from, enum what to)
{
	for (uint64_t p = first; p < first + n; p++) {
		if (at(p)->what != from)
			schedule_fail("position %llu is to be %s, but is %s", ULL(p), whats[to],
				      whats[at(p)->what]);
		at(p)->what = to;
	}
}

void model_publish_begins(uint64_t first, uint64_t n)
{
	change(first, n, CLAIMED, PUBLISHING);
}

void model_published(uint64_t first, uint64_t n)
{
	change(first, n, PUBLISHING, PUBLISHED);
	model.published += n;
}

void model_void_begins(uint64_t first, uint64_t n)
{
	change(first, n, CLAIMED, VOIDING);
}

void model_voided(uint64_t first, uint64_t n)
{
	change(first, n, VOIDING, VOIDED);
	model.voids += n;
}

void model_taken_back(uint64_t first, uint64_t n)
{
	change(first, n, CLAIMED, FREE);
	if (model.claimed == first + n)
		model.claimed = first;
}

/* ---- who follows ---- */

struct follower *model_follow(const char *name, unsigned ups)
{
	struct follower *f = model.followers;

	while (f->used && f < &model.followers[MODEL_FOLLOWERS - 1])
		f++;
	memset(f, 0, sizeof(*f));
	f->used = true;
	f->ups = ups;
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

unsigned model_bit(const struct follower *f)
{
	return 1u << (f - model.followers);
}

void model_attach_begins(struct follower *f, enum disruptor_at where)
{
	model.attaching++;
	model.attaches++;
	f->low = where == DISRUPTOR_AT_NEWEST && !model.free_run ? first_unsettled(false) : 0;
	f->high = UINT64_MAX;
}

static void begin_at(struct follower *f, uint64_t position)
{
	f->begun = true;
	f->expected = f->released = f->floor = f->batch_from = position;
}

void model_attached(struct follower *f, uint64_t position, bool known)
{
	uint64_t newest = first_unsettled(true);

	model.attaching -= model.attaching != 0;
	if (!model.free_run && f->high > newest)
		f->high = newest;
	if (known) {
		if (position < f->low || (position > f->high && !model.free_run))
			schedule_fail("'%s' begins at %llu, not in %llu to %llu", f->name,
				      ULL(position), ULL(f->low), ULL(f->high));
		begin_at(f, position);
		f->gates = true;
	} else if (f->begun) {
		f->gates = true; /* it has seen its first event meanwhile */
	}
}

/* Who comes after it comes after those before it from now on. */
void model_detach_begins(struct follower *f)
{
	f->gates = false;
	f->leaves = true;
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++) {
		struct follower *g = &model.followers[i];

		if (g->used && (g->ups & model_bit(f)))
			g->ups = (g->ups & ~model_bit(f)) | f->ups;
	}
}

void model_detached(struct follower *f)
{
	f->used = false;
}

/* ---- what it sees ---- */

void model_unchanged(const struct follower *f, uint64_t position, const struct item *item)
{
	if (item->value != at(position)->value)
		schedule_fail("'%s' finds %llx at position %llu, published was %llx: its slot was "
			      "used again, or not yet",
			      f->name, ULL(item->value), ULL(position), ULL(at(position)->value));
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++) {
		struct follower *up = &model.followers[i];

		if (!(f->ups >> i & 1) || !up->used)
			continue;
		if (!is_passed_on(up, position))
			schedule_fail("'%s' sees position %llu before '%s' is done with it",
				      f->name, ULL(position), up->name);
		if (item->marks[i] != (item->value ^ (i + 1)) && !up->left_out[position])
			schedule_fail("'%s' does not see at position %llu what '%s' has written",
				      f->name, ULL(position), up->name);
	}
}

/* All before @p position that it has not seen is nothing to be seen. */
static void check_gap(const struct follower *f, uint64_t from, uint64_t position)
{
	for (uint64_t p = from; p < position; p++)
		if (!model_is_void(p) && !f->left_out[p])
			schedule_fail("'%s' sees position %llu, but never saw %llu, which is %s",
				      f->name, ULL(position), ULL(p), whats[at(p)->what]);
}

/* The first event that an attached one sees tells where it has begun. */
static void see_first(struct follower *f, uint64_t position)
{
	if (position < f->low)
		schedule_fail("'%s' begins at %llu, before %llu", f->name, ULL(position),
			      ULL(f->low));
	if (!model.free_run && position > f->high)
		check_gap(f, f->high, position);
	begin_at(f, position);
	if (f->high != UINT64_MAX && !f->leaves)
		f->gates = true;
}

void model_seen(struct follower *f, uint64_t position, const struct item *item)
{
	if (at(position)->what != PUBLISHING && at(position)->what != PUBLISHED)
		schedule_fail("'%s' sees position %llu, which is %s", f->name, ULL(position),
			      whats[at(position)->what]);
	if (f->told_end)
		schedule_fail("'%s' sees position %llu, but was told that nothing comes", f->name,
			      ULL(position));
	if (!f->begun)
		see_first(f, position);
	if (f->pooled) {
		if (f->done[position] && !f->again[position])
			schedule_fail("two workers of '%s' see position %llu", f->name,
				      ULL(position));
	} else if (position < f->expected) {
		if (!f->again[position])
			schedule_fail("'%s' sees position %llu again, it is to see %llu", f->name,
				      ULL(position), ULL(f->expected));
		f->expected = position;
	} else {
		check_gap(f, f->expected, position);
		f->expected = position;
	}
	f->again[position] = false;
	model_unchanged(f, position, item);
}

void model_done(struct follower *f, uint64_t position)
{
	f->done[position] = true;
	f->handled++;
	if (!f->pooled && f->expected == position)
		f->expected = position + 1;
}

void model_again(struct follower *f, uint64_t position)
{
	f->again[position] = true;
	f->done[position] = f->left_out[position]; /* then somebody may still pass it over */
}

void model_leave_out(struct follower *f, uint64_t position)
{
	f->left_out[position] = true;
	f->done[position] = true;
}

void model_rewound(struct follower *f, uint64_t from, uint64_t to)
{
	for (uint64_t p = from; p <= to && p < model.claimed; p++) {
		if (!f->done[p] && p >= f->expected)
			continue;
		f->again[p] = true;
		f->done[p] = f->left_out[p]; /* as in model_again() */
	}
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++) {
		const struct follower *g = &model.followers[i];

		if (g->used && g->begun && !g->pooled && (g->ups & model_bit(f)) &&
		    g->expected > from && g->done[from])
			schedule_fail("'%s' is rewound to %llu, which '%s' has seen", f->name,
				      ULL(from), g->name);
	}
	if (f->floor > from)
		f->floor = from;
	if (!f->pooled && f->expected > from)
		f->expected = from;
}

void model_releases(struct follower *f, uint64_t position)
{
	if (position > f->released)
		f->released = position;
}

void model_saw_all(const struct follower *f)
{
	for (uint64_t p = f->pooled ? 0 : f->expected; p < model.claimed; p++) {
		if (model_is_void(p) || f->left_out[p] || (f->pooled && f->done[p]) ||
		    p < (f->begun ? f->low : first_unsettled(true)))
			continue;
		schedule_fail("'%s' is at its end, but never saw position %llu, which is %s",
			      f->name, ULL(p), whats[at(p)->what]);
	}
}

void model_told_end(struct follower *f)
{
	if (!model.closing)
		schedule_fail("'%s' is told that nothing comes, but nobody closes", f->name);
	model_saw_all(f);
	f->told_end = true;
}
