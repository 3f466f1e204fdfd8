/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lossy reader: follows the mirror, gates nobody, counts what it misses. */
#include <disruptor/reader.h>

#include "error.h"
#include "hook.h"
#include "ring/mirror.h"
#include "ring/ring.h"
#include "wait/core.h"

#define OPEN_MARK UINT64_C(0x7265616465722121)

static bool is_open(const struct disruptor_reader *v)
{
	return v && v->open_mark == OPEN_MARK;
}

/* ---- open and close ---- */

static int check_options(const struct disruptor_reader_options *o)
{
	if ((unsigned)o->from > DISRUPTOR_READER_POSITION)
		return error_set(DISRUPTOR_E_INVAL,
				 "from: %d is neither newest, oldest nor position", (int)o->from);
	if (o->position != 0 && o->from != DISRUPTOR_READER_POSITION)
		return error_set(DISRUPTOR_E_INVAL,
				 "position: %llu, but `from` is not DISRUPTOR_READER_POSITION",
				 (unsigned long long)o->position);
	if (o->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", o->reserved);
	return wait_check("wait", &o->wait);
}

/*
 * First position not in the mirror. One producer puts positions in order, so
 * the answer is found by halving; it may be claimed by then, and is never too
 * far: what is behind it was not there when we looked.
 */
static uint64_t first_missing(const struct disruptor_ring *r)
{
	uint64_t end, from, middle;

	if (r->producers == DISRUPTOR_MANY)
		return ring_first_unpublished(r);
	end = ring_claimed(r);
	from = end > r->capacity ? end - r->capacity : 0;
	while (from != end) {
		middle = from + (end - from) / 2;
		if (mirror_has(r, middle))
			from = middle + 1;
		else
			end = middle;
	}
	return from;
}

static uint64_t start_of(const struct disruptor_ring *r, enum disruptor_reader_from from)
{
	uint64_t newest = first_missing(r);

	if (from == DISRUPTOR_READER_NEWEST)
		return newest;
	return newest > r->capacity ? newest - r->capacity : 0;
}

/* Where to begin; E_RANGE with its detail. It may be overwritten a moment later: then it is missed. */
static int choose_start(const struct disruptor_ring *r, const struct disruptor_reader_options *o,
			uint64_t *start)
{
	uint64_t oldest, newest;

	if (o->from != DISRUPTOR_READER_POSITION) {
		*start = start_of(r, o->from);
		return 0;
	}
	oldest = start_of(r, DISRUPTOR_READER_OLDEST);
	newest = start_of(r, DISRUPTOR_READER_NEWEST);
	*start = o->position;
	if (oldest <= o->position && o->position <= newest)
		return 0;
	return error_set(DISRUPTOR_E_RANGE, "position: %llu is not in %llu … %llu",
			 (unsigned long long)o->position, (unsigned long long)oldest,
			 (unsigned long long)newest);
}

int disruptor_reader_open_sized(struct disruptor_reader *v, struct disruptor_ring *ring,
				const struct disruptor_type *type,
				const struct disruptor_reader_options *options, size_t view_size)
{
	struct disruptor_reader_options o = { .size = sizeof(o) };
	uint64_t start = 0;
	int rc = ring_check_open("reader", v, view_size, sizeof(*v), ring, type);

	if (rc == 0 && options)
		rc = ring_copy_options("reader options", &o, sizeof(o), options);
	if (rc == 0)
		rc = check_options(&o);
	if (rc == 0 && !ring->mirror)
		rc = error_set(DISRUPTOR_E_UNSUPPORTED,
			       "ring: lossy readers need one created with DISRUPTOR_LOSSY");
	if (rc == 0)
		rc = choose_start(ring, &o, &start);
	if (rc != 0)
		return rc;
	ring_lock(ring);
	ring->readers++;
	ring_unlock(ring);
	*v = (struct disruptor_reader){
		.ring = ring,
		.next = start,
		.open_mark = OPEN_MARK,
		.spins = UINT32_MAX,
		.wait = wait_choose(&o.wait, &ring->wait),
	};
	return 0;
}

int disruptor_reader_close(struct disruptor_reader *v)
{
	if (!is_open(v))
		return error_set(DISRUPTOR_E_INVAL, "reader: not open");
	ring_lock(v->ring);
	v->ring->readers--;
	ring_unlock(v->ring);
	v->open_mark = 0;
	return 0;
}

/* ---- reading ---- */

static void pass_over(struct disruptor_reader *v, uint64_t to)
{
	v->missed += to - v->next;
	v->gap += to - v->next;
	v->next = to;
}

/*
 * Where `next` was, @p at stands or is being written, a lap or more further. The oldest event left
 * will be overwritten next: start some way behind it. But not at a position that is only claimed: it
 * may stay so for long, and what lies before it can be read.
 */
static void catch_up(struct disruptor_reader *v, uint64_t at)
{
	const struct disruptor_ring *r = v->ring;
	uint64_t claimed = ring_claimed(r), to;

	HOOK(HOOK_READER_LAPPED);
	if (claimed <= at) /* an old value: the stamp is news of its own */
		claimed = at + 1;
	to = claimed - r->capacity + r->capacity / 8;
	/* what overtakes is a lap ahead; of words that are not to be trusted it may not be, and we go on */
	if (to <= v->next)
		to = at;
	pass_over(v, to > at && !mirror_has(r, to) ? at : to);
}

/* Nothing is there: 0, or the code if nothing will be. */
static int check_end(const struct disruptor_reader *v)
{
	const struct disruptor_shared *s = v->ring->shared;
	/* CLOSE.end.acquire, pairs with CLOSE.end.release in ring_close_locked(): the flag, then the end */
	uint32_t state = disruptor_load_acquire(&s->state);

	if (disruptor_likely(state == 0))
		return 0;
	if (state & DISRUPTOR_STATE_FAILED)
		return DISRUPTOR_E_FAILED;
	/* CLOSE.end.acquire, relaxed: the flag has brought the end; a claim taken back may have lowered it */
	return (state & DISRUPTOR_STATE_ENDED) && v->next >= disruptor_load_relaxed(&s->end)
		       ? DISRUPTOR_E_CLOSED
		       : 0;
}

int disruptor_reader_next(struct disruptor_reader *v, void *event)
{
	uint64_t at = 0;

	if (!is_open(v))
		return error_set(DISRUPTOR_E_INVAL, "reader: not open");
	for (;;) {
		switch (mirror_get(v->ring, v->next, event, &at)) {
		case MIRROR_EVENT:
			v->next++;
			v->before = v->gap;
			v->gap = 0;
			return 1;
		case MIRROR_VOIDED:
			v->next++;
			v->voids++;
			break;
		case MIRROR_LAPPED:
			catch_up(v, at);
			break;
		case MIRROR_NOT_YET:
			return check_end(v);
		}
	}
}

uint64_t disruptor_reader_skip_to_newest(struct disruptor_reader *v)
{
	uint64_t end, skipped = 0;

	if (!is_open(v))
		return 0;
	end = first_missing(v->ring);
	if (end > v->next + 1) {
		skipped = end - 1 - v->next;
		pass_over(v, end - 1);
	}
	return skipped;
}

/* ---- waiting ---- */

struct sought {
	struct disruptor_reader *view;
	void *event;
};

/* A reader sleeps on the consumers' edge: the mirror is written before publishers look at it. */
static int64_t event_look(void *who, struct wait_need *need)
{
	struct sought *s = who;
	int rc = disruptor_reader_next(s->view, s->event);

	/* after the look: it may have passed voids and what was missed */
	need->edge = edge_to_consumers(s->view->ring);
	need->count = s->view->next + 1;
	return rc;
}

int disruptor_reader_next_until(struct disruptor_reader *v, void *event, uint64_t deadline)
{
	int rc = disruptor_reader_next(v, event);
	struct sought sought = { .view = v, .event = event };
	struct wait_request request = {
		.look = event_look,
		.who = &sought,
		.deadline = deadline,
	};

	if (rc != 0)
		return rc;
	request.ring = v->ring;
	request.policy = &v->wait;
	request.spins = &v->spins;
	request.sleeps = &v->ring->reader_sleeps;
	return (int)wait_until(&request);
}
