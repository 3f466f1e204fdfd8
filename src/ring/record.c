/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Records: runs of cells, each beside a slot of an ordinary stamped ring whose event is one word.
 *
 * The word of a record's first cell has its length, those of the others say that they are none's
 * first. All are written before any is stamped, and the first is stamped last: whoever sees it sees the
 * whole. A consumer meets a cell that is none's first where it began in the middle of a record, or
 * where the first cells of one became voids, as its producer died while it published it.
 */
#include "hook.h" /* first: the inline functions have hooks, too */

#include <disruptor/record.h>

#include "error.h"
#include "ring/record.h"

#define FIRST (UINT64_C(1) << 63) /* and the record's bytes */
#define REST (UINT64_C(1) << 62)

static const struct disruptor_field fields[] = {
	{ "word", 0, 8, 8, DISRUPTOR_KIND_UNSIGNED },
};
static const struct disruptor_type type = {
	.name = "record", .size = 8, .align = 8, .fields = fields, .field_count = 1
};

const struct disruptor_type *disruptor_record_type(void)
{
	return &type;
}

size_t disruptor_record_limit(const struct disruptor_ring *ring)
{
	return ring->cells ? (size_t)ring->capacity * ring->cell : 0;
}

/* At least one: a record of nothing has a place, too. */
static uint64_t cells_for(const struct disruptor_ring *r, uint64_t bytes)
{
	return bytes == 0 ? 1 : bytes / r->cell + (bytes % r->cell != 0);
}

/* Cells from @p position to the end of their memory. */
static uint64_t up_to_end(const struct disruptor_ring *r, uint64_t position)
{
	return r->capacity - (position & r->mask);
}

enum record_word record_read(const struct disruptor_ring *r, uint64_t word, uint64_t position,
			     size_t *bytes, uint64_t *cells)
{
	if (word == REST)
		return RECORD_REST;
	if (!(word & FIRST) || cells_for(r, word & ~FIRST) > up_to_end(r, position))
		return RECORD_NONE;
	*bytes = (size_t)(word & ~FIRST);
	*cells = cells_for(r, *bytes);
	return RECORD_FIRST;
}

/* ---- the writing side ---- */

/* How to claim @p n slots more. */
struct way {
	enum { BY_POLICY, NEVER, UNTIL } wait;
	uint64_t deadline;
};

static void *claim_slots(struct disruptor_producer *p, uint64_t n, const struct way *way)
{
	return way->wait == BY_POLICY ? disruptor_claim_n(p, n)
	       : way->wait == NEVER   ? disruptor_try_claim_n(p, n)
				      : disruptor_claim_until(p, n, way->deadline);
}

static void *refuse(struct disruptor_producer *p, int code)
{
	if (p->ring)
		p->ring->own_producers[p->index].status = code;
	return NULL;
}

/*
 * What lies before the end of the cells and is too little is claimed and given up first; then nothing is
 * in the way, unless another has claimed meanwhile. Then what we have got is given up, too: it may
 * reach over the end.
 */
static void *claim(struct disruptor_producer *p, size_t bytes, const struct way *way)
{
	struct disruptor_ring *r = p->ring;
	uint64_t n, before_end, part;

	if (!r || !r->cells)
		return refuse(p, r ? DISRUPTOR_E_TYPE : DISRUPTOR_E_INVAL);
	if (disruptor_claimed(p) != 0)
		return refuse(p, DISRUPTOR_E_STATE);
	n = cells_for(r, bytes);
	for (;;) {
		/* of many, a guess: to look first would fetch the line twice, to read and to write */
		before_end = up_to_end(r, p->next);
		part = n > r->capacity || n <= before_end ? n : before_end;
		if (!claim_slots(p, part, way))
			return NULL;
		if (part == n && n <= up_to_end(r, p->open))
			return record_cell(r, p->open);
		(void)disruptor_abort(p);
	}
}

void *disruptor_record_claim(struct disruptor_producer *p, size_t bytes)
{
	return claim(p, bytes, &(struct way){ .wait = BY_POLICY });
}

void *disruptor_record_try_claim(struct disruptor_producer *p, size_t bytes)
{
	return claim(p, bytes, &(struct way){ .wait = NEVER });
}

void *disruptor_record_claim_until(struct disruptor_producer *p, size_t bytes, uint64_t deadline)
{
	return claim(p, bytes, &(struct way){ .wait = UNTIL, .deadline = deadline });
}

int disruptor_record_publish(struct disruptor_producer *p, size_t bytes)
{
	uint64_t n;
	int rc;

	if (!p->ring)
		return error_set(DISRUPTOR_E_INVAL, "producer: not open");
	if (!p->ring->cells)
		return error_set(DISRUPTOR_E_TYPE, "producer: its ring is not one of records");
	n = cells_for(p->ring, bytes);
	if (n > disruptor_claimed(p))
		return error_set(DISRUPTOR_E_INVAL, "bytes: %zu, but %llu cells of %u are claimed",
				 bytes, (unsigned long long)disruptor_claimed(p), p->ring->cell);
	*(uint64_t *)disruptor_claimed_at(p, 0) = FIRST | bytes;
	for (uint64_t i = 1; i < n; i++)
		*(uint64_t *)disruptor_claimed_at(p, i) = REST;
	rc = disruptor_publish_n(p, n);
	return rc == 0 && disruptor_claimed(p) != 0 ? disruptor_abort(p) : rc;
}

int disruptor_record_publish_copy(struct disruptor_producer *p, const void *from, size_t bytes)
{
	void *to = disruptor_record_claim(p, bytes);

	if (!to)
		return disruptor_producer_status(p);
	memcpy(to, from, bytes);
	return disruptor_record_publish(p, bytes);
}

/* ---- the reading side ---- */

static uint64_t word_of(const struct disruptor_consumer *c, uint64_t position)
{
	/*
	 * PUB.acquire, relaxed: carried by that of the stamp. Atomic, as it is to be read once: what is
	 * checked here is what is used, though another process may write to it.
	 */
	return disruptor_load_relaxed((DISRUPTOR_ATOMIC(
		uint64_t) *)(void *)(disruptor_consumer_slot(c, position) + c->offset));
}

static int no_record(const struct disruptor_consumer *c, uint64_t position)
{
	return error_set(DISRUPTOR_E_FORMAT,
			 "position %llu: what '%.31s' finds there is no record: something else has "
			 "written to the ring's slots",
			 (unsigned long long)position, c->gate->name);
}

/*
 * The next record of [c->cursor, end): 1 and its cells and bytes; 0: none begins there; E_FORMAT. It may
 * reach beyond @p end, not beyond the last cell.
 */
static int find(struct disruptor_consumer *c, uint64_t end, uint64_t *cells, size_t *bytes)
{
	for (; c->cursor != end; c->cursor++)
		switch (record_read(c->ring, word_of(c, c->cursor), c->cursor, bytes, cells)) {
		case RECORD_FIRST:
			return 1;
		case RECORD_NONE:
			return no_record(c, c->cursor);
		default:
			break;
		}
	return 0;
}

/*
 * What the first record is still to be waited for: cells, or 0 if it is there whole, or none is. Cells
 * without one are passed.
 */
static int64_t lacking(struct disruptor_consumer *c, uint64_t ready)
{
	uint64_t cells = 0;
	size_t bytes = 0;
	int found;

	c->cursor = c->next;
	found = find(c, c->next + ready, &cells, &bytes);
	if (found < 0)
		return found;
	if (c->cursor != c->next) {
		/* no one's: nobody is to be handed them */
		(void)disruptor_release(c, c->cursor - c->next);
		ready = c->read - c->next;
	}
	return found && cells > ready ? (int64_t)cells : 0;
}

static int check_view(const struct disruptor_consumer *c)
{
	return c->ring->cells ? 0
			      : error_set(DISRUPTOR_E_TYPE,
					  "consumer '%.31s': its ring is not one of records",
					  c->gate->name);
}

int64_t disruptor_record_ready(struct disruptor_consumer *c)
{
	int64_t lacks = check_view(c);
	uint64_t n, from;

	if (lacks != 0)
		return lacks;
	for (;;) {
		n = disruptor_ready(c);
		from = c->next;
		if (n == 0)
			return 0;
		lacks = lacking(c, n);
		if (lacks < 0)
			return lacks;
		if (lacks == 0 && c->read != c->next)
			return (int64_t)(c->read - c->next);
		if (lacks > (int64_t)c->batch)
			c->batch = (uint32_t)lacks; /* which is at least a record */
		else if (c->next == from)
			return 0; /* one before us releases it by parts */
	}
}

int64_t disruptor_record_ready_until(struct disruptor_consumer *c, uint64_t deadline)
{
	int64_t n, lacks = check_view(c);

	if (lacks != 0)
		return lacks;
	for (;;) {
		n = disruptor_ready_until(c, deadline);
		c->least = 0;
		if (n <= 0)
			return n;
		lacks = lacking(c, (uint64_t)n);
		if (lacks < 0)
			return lacks;
		if (lacks == 0 && c->read != c->next)
			return (int64_t)(c->read - c->next);
		if (lacks > (int64_t)c->batch)
			c->batch = (uint32_t)lacks;
		c->least = (uint32_t)lacks;
	}
}

int disruptor_record_next(struct disruptor_consumer *c, struct disruptor_record *record)
{
	uint64_t cells = 0;
	size_t bytes = 0;
	int found;

	if (c->cursor - c->next > c->read - c->next)
		c->cursor = c->next;
	found = find(c, c->read, &cells, &bytes);
	if (found <= 0)
		return found;
	/* a batch ends in the middle of it: it is the next one's first */
	if (cells > c->read - c->cursor)
		return 0;
	*record = (struct disruptor_record){ .bytes = record_cell(c->ring, c->cursor),
					     .size = bytes,
					     .position = c->cursor };
	c->cursor += cells;
	return 1;
}

int disruptor_record_release(struct disruptor_consumer *c)
{
	return disruptor_release(c, c->cursor - c->next);
}
