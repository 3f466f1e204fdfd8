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

/* ---- shared ---- */

/* The pool's chunk, or what the worker's handler takes at most. */
static uint64_t at_a_time(const struct graph_pool *p, const struct disruptor_handler *h)
{
	return h->batch != 0 && h->batch < p->chunk ? h->batch : p->chunk;
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
	uint64_t own = at_a_time(s->pool, &s->handler); /* what another has left may be longer */

	if (!share_take(c))
		return false;
	most = most < own ? most : own;
	fill_window(c, w, c->limit - c->next < most ? c->limit : c->next + most);
	if (w->events != 0)
		return true;
	consumer_release_to(c, w->end);
	return false;
}

struct disruptor_stage *pool_slowest(const struct graph_pool *p)
{
	struct disruptor_stage *slowest = p->workers[0];
	uint64_t low = DISRUPTOR_VACANT;

	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t at;

		/* relaxed (figure) */
		at = disruptor_load_relaxed(&p->workers[i]->consumer.gate->sequence);
		if (at < low || (low == DISRUPTOR_VACANT && !disruptor_stage_running(slowest))) {
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
	p->bytes = bytes;
	p->count = o->count;
	p->key = o->key;
	p->context = o->key_context;
	p->chunk = o->chunk ? o->chunk : DEFAULT_CHUNK < quarter ? DEFAULT_CHUNK : quarter;
	return p;
}

static int no_event(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_E_STATE; /* nobody runs a head */
}

/* The stage that stands for all, and holds the gate of the whole. */
static int make_head(struct disruptor *d, struct graph_pool *p, const char *name)
{
	const struct disruptor_handler handler = {
		.size = sizeof(handler), .name = name, .on_event = no_event, .reads = ""
	};
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	struct disruptor_stage *head = graph_add(d, &handler, &options);
	int rc;

	if (!head)
		return DISRUPTOR_E_INVAL;
	rc = share_open(&p->share, &head->consumer, !p->key);
	if (rc != 0) {
		consumer_detach(&head->consumer);
		head->used = false;
		return rc;
	}
	head->pool = p;
	head->is_head = true;
	p->head = head;
	return 0;
}

/* Handler number @p i of an array of structures as large as the first says it is. */
static int copy_handler(struct disruptor_handler *known, const struct disruptor_handler *first,
			uint32_t i)
{
	const unsigned char *at = (const unsigned char *)first;
	size_t stride, size;

	memcpy(&stride, at, sizeof(stride));
	if (stride < sizeof(stride) || stride > 65536)
		return error_set(DISRUPTOR_E_VERSION,
				 "handlers[0]: size: %zu; set it to sizeof the structure", stride);
	at += i * stride;
	memcpy(&size, at, sizeof(size));
	if (size != stride)
		return error_set(DISRUPTOR_E_VERSION, "handlers[%u]: size: %zu, the first's is %zu",
				 i, size, stride);
	return graph_copy_handler(known, (const struct disruptor_handler *)(const void *)at);
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
	/* where the head stands, which holds everything behind it: no worker misses what another sees */
	struct disruptor_consumer_options options = { .size = sizeof(options),
						      .at = DISRUPTOR_AT_POSITION,
						      .position = p->head->consumer.next };
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
	share_join(&p->share, &s->consumer, at_a_time(p, &handler));
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
		share_close(&p->share);
	}
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
		rc = graph_must_own(d, "pool");
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
	share_close(&p->share);
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
		rc = check_covers(s->pool->head, s, handler->name);
	if (rc != 0)
		return rc;
	ring_lock(r); /* of the names in the table */
	(void)ring_name(&s->name, handler->name, "");
	(void)ring_name(&s->consumer.gate->name, handler->name, "");
	ring_unlock(r);
	r->own_consumers[s->consumer.index].wait = wait_choose(&handler->wait, &r->wait);
	r->own_consumers[s->consumer.index].at_a_time = at_a_time(s->pool, handler);
	graph_set_handler(s, handler);
	/* that the last run was to end, and where, is not for the next */
	consumer_forget_requests(&s->consumer);
	memset(&s->policy, 0, sizeof(s->policy));
	s->attempts = (struct stage_attempts){ .give_up = STAGE_NOWHERE };
	s->reported = false;
	s->attaching = false; /* as it is left by one that got no thread */
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
