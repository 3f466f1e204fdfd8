/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A table of the latest event of each key, between one writer and one reader.
 *
 * Why not a mutex: the writer is a stage, whose ring waits for it. A reader that
 * is preempted while it holds the lock would stop the producers for a time
 * slice, and to spare them that is what conflation is for.
 *
 * Each key has three cells: the writer's own, the reader's own, and one between
 * them, known by `middle`. The writer fills its cell and swaps it for the middle
 * one, marked FRESH; the reader swaps its own in and takes what was there. So
 * neither ever touches a cell that the other one has.
 *
 *	writer                              reader
 *	fill the own cell                   key := the queue's first
 *	old := swap(middle, own | FRESH)    old := swap(middle, own)
 *	own := old                          own := old; read it
 *	if old was not FRESH: queue the key
 *
 * A key is queued when its middle cell becomes FRESH, and ceases to be FRESH only
 * after it was taken from the queue. So it is in the queue at most once: the queue,
 * of one place a key, is never full, and keeps the order of first change.
 */
#include <disruptor/conflate.h>

#include "error.h"
#include "hook.h"
#include "graph/graph_internal.h"

#include <string.h>

#define FRESH (UINT32_C(1) << 31)
#define NO_KEY UINT32_MAX

typedef DISRUPTOR_ATOMIC(uint32_t) atomic_cell;

struct entry {
	uint64_t key;
	atomic_cell middle; /* a cell, and FRESH if it was not taken */
	uint32_t writers;   /* the writer's cell */
	uint32_t readers;   /* the reader's cell */
};

struct disruptor_conflate {
	/* the writer's */
	uint64_t (*key)(const void *event, void *context);
	void *context;
	uint32_t *index; /* open addressing: entry of a key, or NO_KEY; twice as many as keys */
	uint32_t index_mask;
	uint32_t shift; /* of the hash */
	uint32_t used;  /* entries */
	atomic_word keys_used;
	atomic_word conflated;
	/* both: set once */
	struct entry *entries;
	unsigned char *cells; /* each a position, then an event */
	uint32_t *queue;
	size_t cell_stride;
	size_t event_size;
	size_t bytes;
	uint32_t keys;
	uint32_t queue_mask;
	struct disruptor_allocator allocator;
	char apart_head[DISRUPTOR_APART];
	atomic_word head; /* first not taken; the reader's */
	char apart_tail[DISRUPTOR_APART];
	atomic_word tail;    /* end of the queue; the writer's */
	atomic_word sleeper; /* not 0: the reader sleeps, or is about to */
	atomic_word closed;
	struct os_monitor monitor;
};

/* ---- create and destroy ---- */

static int check_options(const struct disruptor_type *type,
			 const struct disruptor_conflate_options *o)
{
	if (!type || type->size == 0)
		return error_set(DISRUPTOR_E_INVAL, "type: %s", type ? "its size is 0" : "NULL");
	if (type->size > INT32_MAX / 2)
		return error_set(DISRUPTOR_E_TOO_BIG, "type '%s': size: %u", type->name,
				 type->size);
	if (o->keys == 0)
		return error_set(DISRUPTOR_E_INVAL, "keys: 0");
	if (o->keys > DISRUPTOR_CONFLATE_MAX_KEYS)
		return error_set(DISRUPTOR_E_TOO_BIG, "keys: %u is above %u", o->keys,
				 DISRUPTOR_CONFLATE_MAX_KEYS);
	if (o->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", o->reserved);
	if (!o->key)
		return error_set(DISRUPTOR_E_INVAL, "key: NULL");
	if (!o->allocator.allocate != !o->allocator.release)
		return error_set(DISRUPTOR_E_INVAL, "allocator: allocate and release go together");
	return 0;
}

/* Offsets of the arrays behind the table itself. */
struct plan {
	uint64_t index, queue, entries, cells, bytes;
	uint64_t places; /* of the index: a power of two */
	uint64_t cell_stride;
};

/* At most 3 * 2^24 cells of 2^31 bytes: no overflow. */
static struct plan plan_of(uint32_t keys, uint32_t event_size)
{
	struct plan p = { .index = sizeof(struct disruptor_conflate), .places = 2 };

	while (p.places < 2 * (uint64_t)keys)
		p.places *= 2;
	p.queue = p.index + p.places * sizeof(uint32_t);
	p.entries = round_up(p.queue + p.places / 2 * sizeof(uint32_t), DISRUPTOR_LINE);
	p.cells = round_up(p.entries + keys * sizeof(struct entry), DISRUPTOR_LINE);
	p.cell_stride = round_up(sizeof(uint64_t) + event_size, DISRUPTOR_LINE);
	p.bytes = p.cells + 3 * (uint64_t)keys * p.cell_stride;
	return p;
}

static void place(struct disruptor_conflate *c, const struct plan *p)
{
	unsigned char *base = (unsigned char *)c;

	c->index = (uint32_t *)(void *)(base + p->index);
	c->queue = (uint32_t *)(void *)(base + p->queue);
	c->entries = (struct entry *)(void *)(base + p->entries);
	c->cells = base + p->cells;
	c->cell_stride = (size_t)p->cell_stride;
	c->index_mask = (uint32_t)(p->places - 1);
	c->queue_mask = (uint32_t)(p->places / 2 - 1);
	c->shift = 64;
	for (uint64_t places = p->places; places > 1; places /= 2)
		c->shift--;
	for (uint64_t i = 0; i < p->places; i++)
		c->index[i] = NO_KEY;
}

int disruptor_conflate_create(struct disruptor_conflate **c, const struct disruptor_type *type,
			      const struct disruptor_conflate_options *given)
{
	struct disruptor_conflate_options o;
	struct disruptor_conflate *made;
	struct plan p;
	int rc;

	if (!c)
		return error_set(DISRUPTOR_E_INVAL, "c: NULL");
	*c = NULL;
	rc = given ? ring_copy_options("conflate options", &o, sizeof(o), given)
		   : error_set(DISRUPTOR_E_INVAL, "options: NULL");
	if (rc == 0)
		rc = check_options(type, &o);
	if (rc != 0)
		return rc;
	p = plan_of(o.keys, type->size);
	if (p.bytes > PTRDIFF_MAX)
		return error_set(DISRUPTOR_E_TOO_BIG,
				 "keys: %u of %u bytes do not fit the address space", o.keys,
				 type->size);
	made = graph_allocate(&o.allocator, (size_t)p.bytes);
	if (!made)
		return error_set(DISRUPTOR_E_NOMEM, "%llu bytes for %u keys",
				 (unsigned long long)p.bytes, o.keys);
	rc = os_monitor_init(&made->monitor);
	if (rc != 0) {
		graph_release(&o.allocator, made, (size_t)p.bytes);
		return rc;
	}
	made->key = o.key;
	made->context = o.context;
	made->keys = o.keys;
	made->event_size = type->size;
	made->allocator = o.allocator;
	made->bytes = (size_t)p.bytes;
	place(made, &p);
	*c = made;
	return 0;
}

void disruptor_conflate_destroy(struct disruptor_conflate **c)
{
	struct disruptor_allocator allocator;

	if (!c || !*c)
		return;
	os_monitor_destroy(&(*c)->monitor);
	allocator = (*c)->allocator;
	graph_release(&allocator, *c, (*c)->bytes);
	*c = NULL;
}

/* ---- the writer ---- */

static unsigned char *cell(const struct disruptor_conflate *c, uint32_t i)
{
	return c->cells + i * c->cell_stride;
}

static int add_key(struct disruptor_conflate *c, uint64_t key, uint32_t *place)
{
	struct entry *e;

	if (c->used == c->keys)
		return error_set(DISRUPTOR_E_FULL,
				 "keys: the table has its %u keys, and %llu would be one more",
				 c->keys, (unsigned long long)key);
	e = &c->entries[c->used];
	e->key = key;
	e->writers = 3 * c->used;
	e->readers = 3 * c->used + 1;
	/* relaxed (private): the reader comes to the entry by QUEUE */
	disruptor_store_relaxed(&e->middle, 3 * c->used + 2);
	*place = c->used++;
	disruptor_store_relaxed(&c->keys_used, c->used); /* relaxed (figure) */
	return 0;
}

/* The key's entry, a new one if it is new; NULL with the detail set if there is no room. */
static struct entry *find(struct disruptor_conflate *c, uint64_t key)
{
	/* Fibonacci hashing: keys that lie close come apart */
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> c->shift);

	/* half of the places are free: it ends */
	for (;; at = (at + 1) & c->index_mask) {
		if (c->index[at] == NO_KEY && add_key(c, key, &c->index[at]) != 0)
			return NULL;
		if (c->entries[c->index[at]].key == key)
			return &c->entries[c->index[at]];
	}
}

static void wake_reader(struct disruptor_conflate *c)
{
	os_lock(&c->monitor);
	os_broadcast(&c->monitor);
	os_unlock(&c->monitor);
}

static void enqueue(struct disruptor_conflate *c, const struct entry *e)
{
	uint64_t tail = disruptor_load_relaxed(&c->tail); /* relaxed (own) */

	HOOK(HOOK_CONFLATE_SWAPPED);
	c->queue[tail & c->queue_mask] = (uint32_t)(e - c->entries);
	/*
	 * QUEUE.release, pairs with QUEUE.acquire in is_empty(): the key's entry and the swap of
	 * its cell, then the key. If relaxed: the reader takes a key without a cell.
	 */
	disruptor_store_release(&c->tail, tail + 1);
	HOOK(HOOK_CONFLATE_QUEUED);
	/*
	 * QUEUE.wake.progress, pairs with QUEUE.wake.announce in sleep_until_changed(): our tail,
	 * then the sleeper; there the sleeper, then the tail. Only at a first change.
	 */
	disruptor_fence_seq_cst();
	/* QUEUE.wake.progress, relaxed: the fence orders it; the monitor does the rest */
	if (disruptor_load_relaxed(&c->sleeper))
		wake_reader(c);
}

int disruptor_conflate_put(struct disruptor_conflate *c, const void *event, uint64_t position)
{
	struct entry *e;
	uint32_t old;

	/* QUEUE.close.acquire, as a take's */
	if (disruptor_load_acquire(&c->closed))
		return error_set(DISRUPTOR_E_CLOSED, "the table is closed");
	e = find(c, c->key(event, c->context));
	if (!e)
		return DISRUPTOR_E_FULL;
	memcpy(cell(c, e->writers), &position, sizeof(position));
	memcpy(cell(c, e->writers) + sizeof(position), event, c->event_size);
	HOOK(HOOK_CONFLATE_FILLED);
	/*
	 * SWAP.release, SWAP.acquire: our cell's bytes before it is the middle one; the reader's last
	 * look at the cell that we get back before we fill it. If weaker: torn events.
	 */
	old = disruptor_exchange_acq_rel(&e->middle, e->writers | FRESH);
	e->writers = old & ~FRESH;
	if (old & FRESH)
		/* relaxed (figure), both: owner-written */
		disruptor_store_relaxed(&c->conflated, disruptor_load_relaxed(&c->conflated) + 1);
	else
		enqueue(c, e);
	return 0;
}

int disruptor_conflate_on_event(void *table, void *event, uint64_t position, int last)
{
	(void)last;
	return disruptor_conflate_put(table, event, position);
}

/* ---- the reader ---- */

static bool is_empty(const struct disruptor_conflate *c)
{
	/* QUEUE.acquire, pairs with QUEUE.release in enqueue(). relaxed (own): the reader's */
	return disruptor_load_acquire(&c->tail) == disruptor_load_relaxed(&c->head);
}

int disruptor_conflate_take(struct disruptor_conflate *c, void *event, uint64_t *position)
{
	struct entry *e;
	uint64_t head;
	uint32_t old;

	if (is_empty(c)) {
		/* QUEUE.close.acquire: what was put before the close is seen by the look behind it */
		if (!disruptor_load_acquire(&c->closed))
			return 0;
		if (is_empty(c))
			return DISRUPTOR_E_CLOSED;
	}
	head = disruptor_load_relaxed(&c->head); /* relaxed (own) */
	e = &c->entries[c->queue[head & c->queue_mask]];
	/*
	 * relaxed (own): no one else looks at the head; the place is free for the writer only after
	 * the key ceases to be FRESH, by the swap below.
	 */
	disruptor_store_relaxed(&c->head, head + 1);
	HOOK(HOOK_CONFLATE_TAKING);
	/* SWAP.release, SWAP.acquire: as in disruptor_conflate_put(), for our cell and the one we get */
	old = disruptor_exchange_acq_rel(&e->middle, e->readers);
	e->readers = old & ~FRESH;
	HOOK(HOOK_CONFLATE_TOOK);
	if (position)
		memcpy(position, cell(c, e->readers), sizeof(*position));
	memcpy(event, cell(c, e->readers) + sizeof(*position), c->event_size);
	return 1;
}

/* Sleep until a key is queued, or the table closed; false once the deadline has passed. */
static bool sleep_until_changed(struct disruptor_conflate *c, uint64_t deadline)
{
	bool in_time = true;

	os_lock(&c->monitor);
	/*
	 * QUEUE.wake.announce, relaxed: the fence orders it, see enqueue(). Who sees it takes the
	 * monitor, so not between our look and our sleep.
	 */
	disruptor_store_relaxed(&c->sleeper, UINT64_C(1));
	/* QUEUE.wake.announce: the sleeper, then the tail */
	disruptor_fence_seq_cst();
	HOOK(HOOK_CONFLATE_SLEEP);
	/* relaxed (lock): the monitor */
	if (is_empty(c) && !disruptor_load_relaxed(&c->closed))
		in_time = os_monitor_wait(&c->monitor, deadline);
	/* relaxed (hint): a wake-up for nobody is fine */
	disruptor_store_relaxed(&c->sleeper, UINT64_C(0));
	os_unlock(&c->monitor);
	return in_time;
}

int disruptor_conflate_take_until(struct disruptor_conflate *c, void *event, uint64_t *position,
				  uint64_t deadline)
{
	bool in_time = true;
	int rc;

	while ((rc = disruptor_conflate_take(c, event, position)) == 0 && in_time)
		in_time = sleep_until_changed(c, deadline);
	return rc != 0 ? rc : DISRUPTOR_E_TIMEOUT;
}

/* ---- both ---- */

void disruptor_conflate_close(struct disruptor_conflate *c)
{
	os_lock(&c->monitor);
	/* QUEUE.close.release: what was put before */
	disruptor_store_release(&c->closed, UINT64_C(1));
	os_broadcast(&c->monitor);
	os_unlock(&c->monitor);
}

uint64_t disruptor_conflate_conflated(const struct disruptor_conflate *c)
{
	return disruptor_load_relaxed(&c->conflated); /* relaxed (figure) */
}

uint64_t disruptor_conflate_keys(const struct disruptor_conflate *c)
{
	return disruptor_load_relaxed(&c->keys_used); /* relaxed (figure) */
}
