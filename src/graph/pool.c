/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "graph/pool.h"

#include "error.h"
#include "graph/check.h"
#include "wait/core.h"

#include <string.h>

#define DEFAULT_CHUNK 16

/* ---- keyed ---- */

/* The finaliser of splitmix64: spreads keys that count up over all workers. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint32_t lane(const struct graph_pool *p, uint64_t key)
{
	return (uint32_t)(mix(key) % p->count);
}

bool pool_is_anothers(const struct disruptor_stage *s, uint64_t position)
{
	const struct disruptor_consumer *c = &s->consumer;
	const struct graph_pool *p = s->pool;
	const void *event;

	if (!p || !p->key)
		return false;
	event = disruptor_consumer_slot(c, position) + c->offset;
	return lane(p, p->key(event, p->context)) != s->pool_index;
}

/* ---- shared: taking ---- */

static atomic_word *hand_of(const struct disruptor_stage *s)
{
	return &s->consumer.gate->sequence;
}

static struct ring_consumer *entry_of(const struct disruptor_stage *s)
{
	return &s->consumer.ring->consumer_table[s->consumer.index];
}

static void hold(struct disruptor_stage *s, uint64_t from, uint64_t to)
{
	struct disruptor_consumer *c = &s->consumer;

	c->next = c->read = from;
	c->limit = to;
	entry_of(s)->chunk_end = to;
}

/* What another worker has left. */
static bool adopt(struct disruptor_stage *s)
{
	struct graph_pool *p = s->pool;
	bool found = false;

	/* relaxed: looked at again under the lock; one that appears later has its maker's wake-up */
	if (disruptor_likely(disruptor_load_relaxed(&p->left_count) == 0))
		return false;
	/* relaxed: perhaps the very event that a worker has failed at; graph_fail() came before */
	if (disruptor_load_relaxed(&s->consumer.shared->state) & DISRUPTOR_STATE_FAILED)
		return false;
	os_lock(&p->lock);
	/* its own first: so it has no note while it holds a chunk, and has one to leave that by */
	for (uint32_t k = 0; k < p->count && !found; k++) {
		uint32_t i = (s->pool_index + k) % p->count;
		uint64_t from = disruptor_load_relaxed(&p->left[i].from); /* relaxed: the lock */

		if (from == DISRUPTOR_VACANT)
			continue;
		/* POOL.leave: the hand, then the note goes; release, both */
		disruptor_store_release(hand_of(s), from);
		disruptor_store_release(&p->left[i].from, DISRUPTOR_VACANT);
		hold(s, from, p->left[i].to);
		/* relaxed: under the lock; only whether to look */
		disruptor_store_relaxed(&p->left_count, disruptor_load_relaxed(&p->left_count) - 1);
		found = true;
	}
	os_unlock(&p->lock);
	return found;
}

/* The pool's chunk, or what the worker's handler takes at most. */
static uint64_t at_a_time(const struct disruptor_stage *s)
{
	uint64_t batch = s->handler.batch;

	return batch != 0 && batch < s->pool->chunk ? batch : s->pool->chunk;
}

/* Up to a chunk of what is published and nobody has taken. */
static bool take(struct disruptor_stage *s)
{
	struct disruptor_consumer *c = &s->consumer;
	struct graph_pool *p = s->pool;
	/* acquire: POOL.take, with the chunks before it */
	uint64_t from = disruptor_load_acquire(&p->taken);
	bool tried = false;

	/* relaxed: once the ring has failed nothing more is taken; a late look takes one chunk more */
	if (disruptor_load_relaxed(&c->shared->state) & DISRUPTOR_STATE_FAILED)
		return false;

	for (;;) {
		uint64_t to;

		hold(s, from, from);
		to = consumer_available(c, from, from + at_a_time(s));
		if (to == from)
			break;
		tried = true;
		/* POOL.take: the hand, then `taken` behind it; ordered by the fence */
		disruptor_store_release(hand_of(s), from);
		disruptor_fence_seq_cst();
		/* acq_rel: who reads it sees the hand, and we those before */
		if (disruptor_cas_acq_rel(&p->taken, &from, to)) {
			hold(s, from, to);
			return true;
		}
	}
	if (tried) {
		/* release: POOL.settle; the hand was on something that is another's */
		disruptor_store_release(hand_of(s), DISRUPTOR_VACANT);
		pool_settle(s);
	}
	return false;
}

static void fill_window(const struct disruptor_consumer *c, struct consumer_window *w, uint64_t end)
{
	*w = (struct consumer_window){ .end = end };
	for (uint64_t at = c->next; at < end; at++) {
		if (consumer_is_void(c, at)) {
			w->voids = true;
			continue;
		}
		w->events++;
		w->last = at;
	}
}

bool pool_window(struct disruptor_stage *s, struct consumer_window *w, uint64_t most)
{
	struct disruptor_consumer *c = &s->consumer;
	uint64_t end;

	if (c->next >= entry_of(s)->chunk_end && !adopt(s) && !take(s))
		return false;
	end = entry_of(s)->chunk_end;
	if (most > at_a_time(s))
		most = at_a_time(s); /* what another has left may be longer */
	fill_window(c, w, end - c->next < most ? end : c->next + most);
	if (w->events != 0)
		return true;
	consumer_release_to(c, w->end);
	pool_settle(s);
	return false;
}

/* ---- shared: settling ---- */

static uint64_t least_left(const struct graph_pool *p, uint64_t least)
{
	for (uint32_t i = 0; i < p->count; i++) {
		/* acquire: POOL.leave; who sees the note gone sees the hand on it */
		uint64_t from = disruptor_load_acquire(&p->left[i].from);

		least = from < least ? from : least;
	}
	return least;
}

static uint64_t least_in_hand(const struct graph_pool *p, uint64_t least)
{
	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t at;

		/* acquire: POOL.done; what the worker did with the events before its hand */
		at = disruptor_load_acquire(hand_of(p->workers[i]));
		least = at < least ? at : least;
	}
	return least;
}

void pool_settle(struct disruptor_stage *s)
{
	struct graph_pool *p = s->pool;
	struct disruptor_gate *gate = p->head->consumer.gate;
	struct disruptor_ring *r = s->consumer.ring;
	uint64_t least, at;

	if (s->consumer.next >= entry_of(s)->chunk_end)
		/* POOL.done, release: what was done with the chunk, then the open hand */
		disruptor_store_release(hand_of(s), DISRUPTOR_VACANT);
	/* POOL.settle: our hand, then the others' */
	disruptor_fence_seq_cst();
	/* POOL.take, acquire: before the hands that are on what lies before it */
	least = disruptor_load_acquire(&p->taken);
	least = least_left(p, least);
	least = least_in_hand(p, least);
	least = least_left(p, least);
	/* relaxed: where to begin; the exchange is what counts */
	at = disruptor_load_relaxed(&gate->sequence);
	while (at < least)
		/* STAGE.release, FREE.release, of all workers, whose hands were acquired above */
		if (disruptor_cas_acq_rel(&gate->sequence, &at, least))
			break;
	/* relaxed: at least what we have stored or seen */
	at = disruptor_load_relaxed(&gate->sequence);
	(void)edge_signal(r, edge_from(gate), at);
	(void)edge_signal(r, edge_to_producers(r), at);
}

void pool_leave(struct disruptor_stage *s)
{
	struct graph_pool *p = s->pool;
	struct disruptor_consumer *c = &s->consumer;
	uint64_t end = entry_of(s)->chunk_end;
	uint64_t from = c->next;

	if (from < end) {
		os_lock(&p->lock);
		p->left[s->pool_index].to = end;
		/* POOL.leave: the note, then the hand opens; release, with all that was done */
		disruptor_store_release(&p->left[s->pool_index].from, from);
		/* relaxed: under the lock; those who wait are woken below */
		disruptor_store_relaxed(&p->left_count, disruptor_load_relaxed(&p->left_count) + 1);
		os_unlock(&p->lock);
		hold(s, from, from);
	}
	pool_settle(s); /* opens the hand */
	if (from < end)
		for (uint32_t i = 0; i < p->count; i++)
			if (p->workers[i] != s)
				consumer_wake_up(&p->workers[i]->consumer);
}

uint64_t pool_position(const struct disruptor_stage *s)
{
	/* acquire, all: who sees the position sees what was done before it */
	uint64_t taken = disruptor_load_acquire(&s->pool->taken);
	uint64_t hand = disruptor_load_acquire(hand_of(s));
	uint64_t left = disruptor_load_acquire(&s->pool->left[s->pool_index].from);

	if (hand == DISRUPTOR_VACANT)
		hand = left;
	return hand == DISRUPTOR_VACANT ? taken : hand;
}

struct disruptor_stage *pool_slowest(const struct graph_pool *p)
{
	struct disruptor_stage *slowest = NULL;
	uint64_t low = DISRUPTOR_VACANT;

	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t at;

		/* relaxed: a report */
		at = disruptor_load_relaxed(hand_of(p->workers[i]));
		if (at < low) {
			low = at;
			slowest = p->workers[i];
		}
	}
	return slowest;
}

/* ---- making one ---- */

static int check_pool(const struct disruptor *d, const struct disruptor_pool_options *p)
{
	char name[32];

	if (!p->name)
		return error_set(DISRUPTOR_E_INVAL, "pool: name: NULL");
	if (ring_name(&name, p->name, "") != 0)
		return DISRUPTOR_E_INVAL;
	if (!p->handlers)
		return error_set(DISRUPTOR_E_INVAL, "pool '%s': handlers: NULL", p->name);
	if (p->count == 0 || p->count >= DISRUPTOR_MAX_CONSUMERS)
		return error_set(DISRUPTOR_E_INVAL, "pool '%s': count: %u workers; 1 … %d", p->name,
				 p->handlers ? p->count : 0, DISRUPTOR_MAX_CONSUMERS - 1);
	if (p->key_context && !p->key)
		return error_set(DISRUPTOR_E_INVAL, "pool '%s': key_context, but key is NULL",
				 p->name);
	if (p->chunk > d->ring->capacity)
		return error_set(DISRUPTOR_E_TOO_BIG,
				 "pool '%s': chunk: %u is above the capacity %llu", p->name,
				 p->chunk, (unsigned long long)d->ring->capacity);
	if (p->key && p->chunk != 0)
		return error_set(DISRUPTOR_E_INVAL, "pool '%s': chunk: %u, but it is keyed",
				 p->name, p->chunk);
	return 0;
}

static int check_room(struct disruptor *d, const struct disruptor_pool_options *p)
{
	uint32_t used = 0;

	for_each_stage (s, d)
		used++;
	if (p->count + 1 <= d->stage_max - used)
		return 0;
	return error_set(
		DISRUPTOR_E_BUSY,
		"pool '%s': %u workers and the whole beside %u stages: raise max_consumers "
		"(%u)",
		p->name, p->count, used, d->stage_max);
}

static struct graph_pool *make(struct disruptor *d, const struct disruptor_pool_options *o)
{
	size_t bytes = sizeof(struct graph_pool) + o->count * sizeof(struct disruptor_stage *);
	struct graph_pool *p = graph_allocate(&d->allocator, bytes);
	uint64_t quarter = d->ring->capacity / 4 ? d->ring->capacity / 4 : 1;

	if (!p) {
		(void)error_set(DISRUPTOR_E_NOMEM, "%zu bytes for pool '%s'", bytes, o->name);
		return NULL;
	}
	if (os_monitor_init(&p->lock) != 0) {
		graph_release(&d->allocator, p, bytes);
		return NULL;
	}
	p->bytes = bytes;
	p->count = o->count;
	p->key = o->key;
	p->context = o->key_context;
	p->chunk = o->chunk ? o->chunk : DEFAULT_CHUNK < quarter ? DEFAULT_CHUNK : quarter;
	for (uint32_t i = 0; i < DISRUPTOR_MAX_CONSUMERS; i++)
		/* relaxed: nobody else knows it yet */
		disruptor_store_relaxed(&p->left[i].from, DISRUPTOR_VACANT);
	return p;
}

static int no_event(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_E_STATE; /* nobody runs a head */
}

/* The stage that stands for all, and holds the gate of a shared pool. */
static int make_head(struct disruptor *d, struct graph_pool *p, const char *name)
{
	const struct disruptor_handler handler = {
		.size = sizeof(handler), .name = name, .on_event = no_event, .reads = ""
	};
	struct disruptor_consumer_options options = { .size = sizeof(options) };

	p->head = graph_add(d, &handler, &options);
	if (!p->head)
		return DISRUPTOR_E_INVAL;
	p->head->pool = p;
	p->head->is_head = true;
	/* relaxed: nobody takes yet */
	disruptor_store_relaxed(&p->taken, p->head->consumer.next);
	if (p->key)
		/* the workers' own gates hold; release: as a detach */
		disruptor_store_release(hand_of(p->head), DISRUPTOR_VACANT);
	return 0;
}

/* Handler number @p i of an array of structures as large as the first says it is. */
static int copy_handler(struct disruptor_handler *known, const struct disruptor_handler *first,
			uint32_t i)
{
	const unsigned char *at = (const unsigned char *)first;
	size_t stride, size;
	int rc;

	memcpy(&stride, at, sizeof(stride));
	if (stride < sizeof(stride) || stride > 65536)
		return error_set(DISRUPTOR_E_VERSION,
				 "handlers[0]: size: %zu; set it to sizeof the structure", stride);
	at += i * stride;
	memcpy(&size, at, sizeof(size));
	if (size != stride)
		return error_set(DISRUPTOR_E_VERSION, "handlers[%u]: size: %zu, the first's is %zu",
				 i, size, stride);
	rc = graph_copy_handler(known, (const struct disruptor_handler *)(const void *)at);
	return rc;
}

static int check_worker(const struct disruptor_handler *h, bool keyed)
{
	if (!h->deferred && (keyed || !h->batch_min))
		return 0;
	return error_set(DISRUPTOR_E_INVAL,
			 "worker '%s': deferred and batch_min are not for a pool's workers",
			 h->name);
}

static int add_worker(struct disruptor *d, struct graph_pool *p, uint32_t i,
		      const struct disruptor_handler *first)
{
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	struct disruptor_handler handler;
	struct disruptor_stage *s;
	int rc = copy_handler(&handler, first, i);

	if (rc == 0)
		rc = check_worker(&handler, p->key != NULL);
	if (rc != 0)
		return rc;
	s = graph_add(d, &handler, &options);
	if (!s)
		return DISRUPTOR_E_INVAL;
	s->pool = p;
	s->pool_index = i;
	p->workers[i] = s;
	check_join(p->head, s);
	if (p->key)
		return 0;
	s->consumer.flags |= DISRUPTOR_VIEW_POOLED;
	entry_of(s)->work = &p->taken;
	entry_of(s)->left = &p->left_count;
	entry_of(s)->whole = p->head->consumer.gate;
	hold(s, s->consumer.next, s->consumer.next);
	/* release: as a detach; it holds nothing until it takes something */
	disruptor_store_release(hand_of(s), DISRUPTOR_VACANT);
	return 0;
}

static void unmake(struct disruptor *d, struct graph_pool *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->workers[i]) {
			consumer_detach(&p->workers[i]->consumer);
			p->workers[i]->used = false;
		}
	if (p->head) {
		consumer_detach(&p->head->consumer);
		p->head->used = false;
	}
	os_monitor_destroy(&p->lock);
	graph_release(&d->allocator, p, p->bytes);
}

struct disruptor_stage *disruptor_pool(struct disruptor *d,
				       const struct disruptor_pool_options *given)
{
	struct disruptor_pool_options o;
	struct graph_pool *p = NULL;
	int rc;

	if (!d || !given) {
		(void)error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "pool" : "d");
		return NULL;
	}
	rc = ring_copy_options("pool", &o, sizeof(o), given);
	if (rc == 0)
		rc = check_pool(d, &o);
	os_lock(&d->monitor);
	if (rc == 0)
		rc = graph_may_change(d);
	if (rc == 0)
		rc = check_room(d, &o);
	if (rc == 0 && !(p = make(d, &o)))
		rc = DISRUPTOR_E_NOMEM;
	if (rc == 0)
		rc = make_head(d, p, o.name);
	for (uint32_t i = 0; rc == 0 && i < p->count; i++)
		rc = add_worker(d, p, i, o.handlers);
	if (rc == 0) {
		p->next = d->pools;
		d->pools = p;
	} else if (p) {
		unmake(d, p);
	}
	os_unlock(&d->monitor);
	return rc == 0 ? p->head : NULL;
}

struct disruptor_stage *disruptor_pool_worker(const struct disruptor_stage *pool, uint32_t i)
{
	struct disruptor_stage *s;

	if (!pool || !pool->is_head || i >= pool->pool->count)
		return NULL;
	s = pool->pool->workers[i];
	return s->retired ? NULL : s;
}

uint32_t disruptor_pool_count(const struct disruptor_stage *pool)
{
	return pool && pool->is_head ? pool->pool->count : 0;
}

uint32_t disruptor_pool_lane(const struct disruptor_stage *pool, uint64_t key)
{
	return pool && pool->is_head ? lane(pool->pool, key) : 0;
}

void pool_release(struct disruptor *d, struct graph_pool *p)
{
	struct graph_pool **at = &d->pools;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	os_monitor_destroy(&p->lock);
	graph_release(&d->allocator, p, p->bytes);
}

/* ---- a worker in the place of one that was detached ---- */

static struct disruptor_stage *retired_worker(const struct graph_pool *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->workers[i]->retired)
			return p->workers[i];
	(void)error_set(DISRUPTOR_E_BUSY, "pool '%s': none of its %u workers was detached",
			p->head->name, p->count);
	return NULL;
}

/* Take over the place. The monitor is held. */
static int fill_place(struct disruptor_stage *s, const struct disruptor_handler *handler)
{
	struct disruptor_ring *r = s->consumer.ring;
	int rc = check_declare(s, handler);

	if (rc == 0)
		rc = check_covers(s->pool->head, s);
	if (rc != 0)
		return rc;
	os_lock(&r->lock); /* of the names in the table */
	(void)ring_name(&s->name, handler->name, "");
	(void)ring_name(&s->consumer.gate->name, handler->name, "");
	os_unlock(&r->lock);
	entry_of(s)->wait = wait_choose(&handler->wait, &r->wait);
	graph_set_handler(s, handler);
	memset(&s->policy, 0, sizeof(s->policy));
	s->attempts = (struct stage_attempts){ .give_up = STAGE_NOWHERE };
	s->reported = false;
	s->failed_to_start = false;
	s->placed = WORKER_NONE;
	return 0;
}

struct disruptor_stage *disruptor_pool_attach(struct disruptor_stage *pool,
					      const struct disruptor_handler *given)
{
	struct disruptor_handler handler;
	struct disruptor_stage *s = NULL;

	if (!pool || !pool->is_head || pool->pool->key) {
		(void)error_set(DISRUPTOR_E_INVAL, "pool: %s",
				!pool || !pool->is_head ? "it is none"
							: "a key's worker cannot change");
		return NULL;
	}
	if (graph_copy_handler(&handler, given) != 0 || check_worker(&handler, false) != 0)
		return NULL;
	os_lock(&pool->owner->monitor);
	if (attach_allowed(pool->owner) == 0)
		s = retired_worker(pool->pool);
	if (s && fill_place(s, &handler) != 0)
		s = NULL;
	if (s) {
		s->retired = false;
		if (attach_begin(s) != 0) {
			s->retired = true;
			s = NULL;
		}
	}
	os_unlock(&pool->owner->monitor);
	return s;
}
