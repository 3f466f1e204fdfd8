/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A ring's life: create, close, reopen, destroy; and what can be said about it. */
#include "ring/ring.h"

#include "error.h"
#include "hook.h"
#include "ring/gate.h"
#include "ring/loop.h"
#include "wait/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if DISRUPTOR_ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifdef DISRUPTOR_HOOKS
void (*hook_function)(enum hook_point point, void *context);
void *hook_context;
#endif

/* ---- arguments that several functions share ---- */

int ring_check_open(const char *what, void *view, size_t view_size, size_t expected,
		    const struct disruptor_ring *ring, const struct disruptor_type *type)
{
	if (view_size != expected)
		return error_set(DISRUPTOR_E_VERSION,
				 "%s view: %zu bytes, this library's has %zu: compile against its "
				 "headers",
				 what, view_size, expected);
	if (view)
		memset(view, 0, expected);
	if (!view || !ring || !type)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL",
				 !view   ? what
				 : !ring ? "ring"
					 : "type");
	if (!disruptor_type_equal(type, ring->type))
		return error_set(DISRUPTOR_E_TYPE, "type: '%s', the ring's is '%s'", type->name,
				 ring->type->name);
	return 0;
}

int ring_copy_options(const char *what, void *known, size_t known_size, const void *given)
{
	const unsigned char *bytes = given;
	size_t size;

	memcpy(&size, given, sizeof(size));
	if (size < sizeof(size) || size > 65536)
		return error_set(DISRUPTOR_E_VERSION,
				 "%s: size: %zu; set it to sizeof the structure", what, size);
	for (size_t i = known_size; i < size; i++)
		if (bytes[i] != 0)
			return error_set(DISRUPTOR_E_VERSION,
					 "%s: byte %zu is set, this library knows %zu: it is older "
					 "than the headers this was compiled against",
					 what, i, known_size);
	memset(known, 0, known_size);
	memcpy(known, given, size < known_size ? size : known_size);
	return 0;
}

int ring_name(char (*to)[32], const char *name, const char *fallback)
{
	if (!name)
		name = fallback;
	if (!name[0] || strlen(name) >= sizeof(*to))
		return error_set(DISRUPTOR_E_INVAL, "name: \"%s\" is not of 1 … %zu bytes", name,
				 sizeof(*to) - 1);
	memset(*to, 0, sizeof(*to));
	memcpy(*to, name, strlen(name));
	return 0;
}

void ring_lock(struct disruptor_ring *r)
{
	os_lock(&r->lock);
	if (r->peers.lock)
		r->peers.lock(r->peers.context);
}

void ring_unlock(struct disruptor_ring *r)
{
	if (r->peers.unlock)
		r->peers.unlock(r->peers.context);
	os_unlock(&r->lock);
}

/* ---- creation ---- */

static int choose_rung(enum disruptor_rung *rung, enum disruptor_rung wanted, bool between)
{
	unsigned offered = between ? os_rungs_between() : os_rungs();

	if (wanted == DISRUPTOR_RUNG_AUTO)
		for (wanted = DISRUPTOR_RUNG_MEMBARRIER; !(offered >> wanted & 1); wanted++)
			;
	if (!(offered >> wanted & 1))
		return error_set(DISRUPTOR_E_UNSUPPORTED, "rung: %s is not offered by this %s",
				 disruptor_rung_name(wanted),
				 wanted == DISRUPTOR_RUNG_MEMBARRIER ? "kernel or build" : "build");
	*rung = wanted;
	return 0;
}

static int take_memory(struct os_memory *m, const struct ring_layout *l,
		       const struct disruptor_options *o)
{
	*m = (struct os_memory){ .size = l->bytes, .pages = DISRUPTOR_PAGES_CALLER };
	if (o->memory) {
		if ((uintptr_t)o->memory % l->align != 0)
			return error_set(DISRUPTOR_E_INVAL, "memory: not aligned to %zu bytes",
					 l->align);
		if (o->memory_size < l->bytes)
			return error_set(DISRUPTOR_E_INVAL,
					 "memory_size: %zu bytes, the ring takes %zu",
					 o->memory_size, l->bytes);
		m->base = o->memory;
	} else if (o->allocator.allocate) {
		m->base = o->allocator.allocate(o->allocator.context, l->bytes, l->align);
		if (!m->base)
			return error_set(DISRUPTOR_E_NOMEM, "allocator: no %zu bytes", l->bytes);
		if ((uintptr_t)m->base % l->align != 0) {
			o->allocator.release(o->allocator.context, m->base, l->bytes);
			return error_set(DISRUPTOR_E_INVAL,
					 "allocator: its memory is not aligned to %zu bytes",
					 l->align);
		}
	} else {
		return os_map(m, l->bytes, o); /* zeroed */
	}
	memset(m->base, 0, l->bytes);
	return 0;
}

static void give_memory_back(struct os_memory *m, const struct disruptor_allocator *a, size_t bytes)
{
	if (m->pages != DISRUPTOR_PAGES_CALLER)
		os_unmap(m);
	else if (a->release)
		a->release(a->context, m->base, bytes);
}

void ring_place(struct disruptor_ring *r, const struct ring_layout *l, unsigned char *block,
		const struct disruptor_type *type, const struct disruptor_options *o)
{
	r->header = (struct ring_header *)(void *)block;
	r->shared = (struct disruptor_shared *)(void *)(block + l->header.shared_at);
	r->gates = (struct disruptor_gate *)(void *)(block + l->header.gates_at);
	r->slots = block + l->header.slots_at;
	r->mirror = l->header.mirror_at ? block + l->header.mirror_at : NULL;
	r->mirror_stride = l->header.mirror_stride;
	r->cells = l->header.cells_at ? block + l->header.cells_at : NULL;
	r->cell = l->header.cell;
	r->common = (struct ring_common *)(void *)(block + l->common_at);
	r->producer_table = (struct ring_producer *)(void *)(block + l->producers_at);
	r->consumer_table = (struct ring_consumer *)(void *)(block + l->consumers_at);
	r->capacity = o->capacity;
	r->mask = (uint32_t)(o->capacity - 1);
	r->stride = l->header.slot_stride;
	r->offset = l->header.event_offset;
	r->event_size = l->header.event_size;
	r->block_bytes = l->header.block_bytes;
	r->gate_set = UINT64_MAX >> (DISRUPTOR_MAX_CONSUMERS - l->header.max_consumers);
	r->layout = o->layout;
	r->producers = o->producers;
	r->free_run = (o->flags & DISRUPTOR_FREE_RUN) != 0;
	r->type = type;
	r->max_producers = l->max_producers;
	r->max_consumers = l->header.max_consumers;
}

/* The parts: what others may have, too, from @p block on, and the private one, which begins with @p r. */
static void place(struct disruptor_ring *r, const struct ring_layout *l, unsigned char *block,
		  const struct disruptor_type *type, const struct disruptor_options *o)
{
	unsigned char *own = (unsigned char *)r;

	ring_place(r, l, block, type, o);
	r->own_producers =
		(struct ring_own_producer *)(void *)(own + (l->own_producers_at - l->ring_at));
	r->own_consumers =
		(struct ring_own_consumer *)(void *)(own + (l->own_consumers_at - l->ring_at));
	r->loop_table = (struct consumer_loop *)(void *)(own + (l->loops_at - l->ring_at));
	r->parks = os_can_park() && r->rung != DISRUPTOR_RUNG_MUTEX;
	r->wait = o->wait;
	r->init = o->init;
	r->fini = o->fini;
	r->context = o->context;
	r->allocator = o->allocator;
}

static void init_slots(struct disruptor_ring *r)
{
	for (uint32_t i = 0; i < r->max_consumers; i++)
		/* relaxed (private): nobody else knows the ring yet */
		disruptor_store_relaxed(&r->gates[i].sequence, DISRUPTOR_VACANT);
	for (uint64_t i = 0; r->init && i < r->capacity; i++)
		r->init(ring_slot(r, i) + r->offset, r->context);
}

/*
 * Positions are words of 64 bits, shared with signal handlers, too. Compilers know that they take no
 * lock, but for 32-bit processors of old: there the library of atomics looks when it runs.
 */
static int check_words(void)
{
	static atomic_word word;

	if (atomic_is_lock_free(&word))
		return 0;
	return error_set(DISRUPTOR_E_UNSUPPORTED,
			 "64-bit atomics take a lock here: this processor has none of its own, or "
			 "the library was compiled for one that has none");
}

/* What create, size and align begin with: the caller's options as this library knows them. */
static int copy_and_lay_out(struct ring_layout *l, struct disruptor_options *known,
			    const struct disruptor_type *type,
			    const struct disruptor_options *given)
{
	int rc = check_words();

	if (rc == 0)
		rc = given ? ring_copy_options("options", known, sizeof(*known), given)
			   : error_set(DISRUPTOR_E_INVAL, "options: NULL");
	return rc != 0 ? rc : layout_make(l, type, known);
}

static int init_monitors(struct disruptor_ring *r)
{
	int rc = os_monitor_init(&r->lock);

	if (rc != 0)
		return rc;
	rc = os_monitor_init(&r->lot);
	if (rc != 0)
		goto fail_lock;
	rc = os_monitor_init(&r->watch_lock);
	if (rc == 0)
		return 0;
	os_monitor_destroy(&r->lot);
fail_lock:
	os_monitor_destroy(&r->lock);
	return rc;
}

static void destroy_monitors(struct disruptor_ring *r)
{
	os_monitor_destroy(&r->watch_lock);
	os_monitor_destroy(&r->lot);
	os_monitor_destroy(&r->lock);
}

int disruptor_ring_create(struct disruptor_ring **ring, const struct disruptor_type *type,
			  const struct disruptor_options *given)
{
	struct disruptor_options known, *options = &known;
	struct os_memory memory;
	struct disruptor_ring *r;
	struct ring_layout l;
	enum disruptor_rung rung = DISRUPTOR_RUNG_AUTO;
	int rc;

	if (!ring)
		return error_set(DISRUPTOR_E_INVAL, "ring: NULL");
	*ring = NULL;
	rc = copy_and_lay_out(&l, &known, type, given);
	if (rc == 0)
		rc = choose_rung(&rung, options->rung, false);
	if (rc == 0)
		rc = take_memory(&memory, &l, options);
	if (rc != 0)
		return rc;
	r = (struct disruptor_ring *)(void *)((unsigned char *)memory.base + l.ring_at);
	r->memory = memory;
	r->rung = rung;
	rc = init_monitors(r);
	if (rc != 0)
		goto fail_memory;
	if (options->memory && (options->flags & DISRUPTOR_LOCK_MEMORY) &&
	    (rc = os_lock_memory(memory.base, l.bytes)) != 0)
		goto fail_monitors;
	r->locked = options->memory && (options->flags & DISRUPTOR_LOCK_MEMORY);
	memcpy(memory.base, &l.header, sizeof(l.header));
	place(r, &l, memory.base, type, options);
	init_slots(r);
	*ring = r;
	return 0;
fail_monitors:
	destroy_monitors(r);
fail_memory:
	give_memory_back(&memory, &options->allocator, l.bytes);
	return rc;
}

int ring_join(struct disruptor_ring **ring, const struct ring_layout *l,
	      const struct disruptor_type *type, const struct disruptor_options *options,
	      unsigned char *shared, const struct ring_peers *peers, bool fresh)
{
	size_t bytes = l->bytes - l->ring_at;
	enum disruptor_rung rung;
	struct disruptor_ring *r;
	int rc = choose_rung(&rung, options->rung, true);

	*ring = NULL;
	if (rc != 0)
		return rc;
	r = aligned_alloc(DISRUPTOR_APART, (size_t)round_up(bytes, DISRUPTOR_APART));
	if (!r)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for the ring's private part", bytes);
	memset(r, 0, bytes);
	r->memory = (struct os_memory){ .base = r, .size = bytes, .pages = DISRUPTOR_PAGES_CALLER };
	rc = init_monitors(r);
	if (rc != 0) {
		free(r);
		return rc;
	}
	r->rung = rung;
	r->between = true;
	r->peers.lock = peers->lock;
	r->peers.unlock = peers->unlock;
	r->peers.tend = peers->tend;
	r->peers.context = peers->context;
	r->peers.pages = peers->pages;
	if (fresh)
		memcpy(shared, &l->header, sizeof(l->header));
	place(r, l, shared, type, options);
	if (fresh)
		init_slots(r);
	*ring = r;
	return 0;
}

size_t disruptor_ring_size(const struct disruptor_type *type,
			   const struct disruptor_options *options)
{
	struct disruptor_options known;
	struct ring_layout l;

	return copy_and_lay_out(&l, &known, type, options) == 0 ? l.bytes : 0;
}

size_t disruptor_ring_align(const struct disruptor_type *type,
			    const struct disruptor_options *options)
{
	struct disruptor_options known;
	struct ring_layout l;

	return copy_and_lay_out(&l, &known, type, options) == 0 ? l.align : 0;
}

/* ---- destruction ---- */

void ring_count_open(struct disruptor_ring *r, uint32_t *producers, uint32_t *consumers,
		     uint32_t *readers)
{
	*producers = 0;
	*consumers = 0;
	ring_lock(r);
	*readers = r->readers;
	for (uint32_t i = 0; i < r->max_producers; i++)
		*producers += r->producer_table[i].used;
	for (uint32_t i = 0; i < r->max_consumers; i++)
		*consumers += r->consumer_table[i].used;
	ring_unlock(r);
}

int ring_refuse_if_open(struct disruptor_ring *r)
{
	for (uint32_t i = 0; i < r->max_producers; i++)
		if (r->own_producers[i].open)
			return error_set(DISRUPTOR_E_BUSY, "producer '%.31s' is still open",
					 r->producer_table[i].name);
	for (uint32_t i = 0; i < r->max_consumers; i++)
		if (r->own_consumers[i].open)
			return error_set(DISRUPTOR_E_BUSY, "consumer '%.31s' is still open",
					 r->gates[i].name);
	if (r->readers)
		return error_set(DISRUPTOR_E_BUSY, "%u lossy readers are still open", r->readers);
	return 0;
}

void ring_leave(struct disruptor_ring *r)
{
	bridge_stop(r);
	destroy_monitors(r);
	free(r->memory.base);
}

int disruptor_ring_destroy(struct disruptor_ring **ring)
{
	struct disruptor_allocator allocator;
	struct disruptor_ring *r;
	struct os_memory memory;
	int rc;

	if (!ring)
		return error_set(DISRUPTOR_E_INVAL, "ring: NULL");
	r = *ring;
	if (!r)
		return 0;
	if (r->between)
		return error_set(
			DISRUPTOR_E_STATE,
			"the ring is a segment's: disruptor_segment_close() gives it back");
	ring_lock(r);
	rc = ring_refuse_if_open(r);
	ring_unlock(r);
	if (rc != 0)
		return rc;
	ring_unpoison(r, 0, r->capacity);
	for (uint64_t i = 0; r->fini && i < r->capacity; i++)
		r->fini(ring_slot(r, i) + r->offset, r->context);
	destroy_monitors(r);
	/* the private part lies in the memory that goes back */
	memory = r->memory;
	if (r->locked)
		os_unlock_memory(memory.base, memory.size);
	allocator = r->allocator;
	give_memory_back(&memory, &allocator, memory.size);
	*ring = NULL;
	return 0;
}

/* ---- closing ---- */

/* PUB.acquire: who acts on a claim position acts on all before it */
static bool is_settled(const struct disruptor_ring *r, uint64_t position)
{
	return ring_is_settled(r, disruptor_load_acquire(ring_stamp(r, position)), position);
}

/*
 * The claim position, from @p from, which is claimed up to, and at most a lap behind. What one
 * producer has published has no gaps: leap to its end. There lies the mark of an open run, or
 * nothing of this lap. What a later lap covers meanwhile counts as published, which it was.
 */
static uint64_t last_claimed(const struct disruptor_ring *r, uint64_t from)
{
	uint64_t end = from + r->capacity, step, stamp;

	for (step = 1; from + step <= end && is_settled(r, from + step - 1); step *= 2)
		from += step;
	for (step /= 2; step != 0; step /= 2)
		if (from + step <= end && is_settled(r, from + step - 1))
			from += step;
	for (; from < end; from++) {
		/* relaxed (hint): a mark is a number; who reads what was published looks at the stamps again */
		stamp = disruptor_load_relaxed(ring_stamp(r, from));
		if (!ring_is_settled(r, stamp, from))
			/* a run that `claimed` tells of may have left a mark that is lower */
			return ring_is_mark(stamp) && ~stamp > from ? ~stamp : from;
	}
	return from;
}

uint64_t ring_claimed(const struct disruptor_ring *r)
{
	/* CLOSE.back.acquire: who acts on a claim position (attach, drain) acts on all before it */
	uint64_t claimed = disruptor_load_acquire(&r->shared->claimed) & ~DISRUPTOR_CLOSED;

	return ring_marks_claims(r) ? last_claimed(r, claimed) : claimed;
}

void ring_wake_everyone(struct disruptor_ring *r)
{
	/* relaxed (hint): who attached before the caller had the lock is in it; others see what has changed */
	uint32_t used = ring_gates_used(r, disruptor_load_relaxed(&r->header->gates_used));

	/* who sleeps on several edges is told by each that he asked, as he has raised its word */
	edge_wake_all(r, edge_to_consumers(r));
	edge_wake_all(r, edge_to_producers(r));
	for (uint32_t i = 0; i < used; i++)
		edge_wake_all(r, edge_from(&r->gates[i]));
}

/*
 * Many producers: the bit in the claim word is the close, and the word it met is
 * the end. One producer: it stores its position, then looks at the state; we
 * store the state, and behind a heavy barrier read the position. Either it sees
 * the state and takes its claim back, or we see its claim (CLOSE).
 */
void ring_close_locked(struct disruptor_ring *r, unsigned bits)
{
	/* relaxed (lock): changes under it only */
	bool ended = disruptor_load_relaxed(&r->shared->state) & DISRUPTOR_STATE_ENDED;
	uint64_t end;

	HOOK(HOOK_CLOSE);
	/* CLOSE.close, pairs with CLOSE.claim in disruptor_claim_n(): the state, then the claims */
	disruptor_fetch_or_release(&r->shared->state, bits | DISRUPTOR_STATE_CLOSED);
	if (ended)
		return;
	HOOK(HOOK_CLOSE_BEFORE_END);
	if (r->producers == DISRUPTOR_MANY) {
		/* CLOSE.bit.release, pairs with CLOSE.bit.acquire in claim_many(): the state, then the bit */
		end = disruptor_fetch_or_release(&r->shared->claimed, DISRUPTOR_CLOSED);
		end &= ~DISRUPTOR_CLOSED; /* of one who died while he closed it */
	} else {
		/* CLOSE.close: as above */
		wait_heavy_barrier(r);
		end = ring_claimed(r);
	}
	HOOK(HOOK_CLOSE_END);
	/* CLOSE.end.release, relaxed: carried by the flag below */
	disruptor_store_relaxed(&r->shared->end, end);
	/*
	 * CLOSE.end.release, pairs with CLOSE.end.acquire in disruptor_consumer_finished(): the end
	 * before its flag
	 */
	disruptor_fetch_or_release(&r->shared->state, DISRUPTOR_STATE_ENDED);
	HOOK(HOOK_CLOSED);
}

void disruptor_ring_close(struct disruptor_ring *r)
{
	ring_lock(r);
	ring_close_locked(r, 0);
	ring_unlock(r);
	ring_wake_everyone(r);
}

int disruptor_ring_close_unused(struct disruptor_ring *r)
{
	uint32_t open = 0;

	ring_lock(r);
	for (uint32_t i = 0; i < r->max_producers; i++)
		open += r->producer_table[i].used;
	if (open == 0)
		ring_close_locked(r, 0);
	ring_unlock(r);
	if (open == 0)
		ring_wake_everyone(r);
	return open == 0;
}

void ring_fail(struct disruptor_ring *r, const struct disruptor_failure *failure)
{
	ring_lock(r);
	ring_keep_failure(r, failure);
	ring_close_locked(r, DISRUPTOR_STATE_FAILED);
	ring_unlock(r);
	ring_wake_everyone(r);
}

void ring_reopen_locked(struct disruptor_ring *r)
{
	ring_forget_failure(r);
	/* CLOSE.open.release, pairs with CLOSE.open.acquire in claim_single() */
	disruptor_store_release(&r->shared->state, 0u);
	HOOK(HOOK_REOPENED);
}

int disruptor_ring_reopen(struct disruptor_ring *r)
{
	const char *producer;
	uint64_t position;
	int rc = 0;

	ring_lock(r);
	/* relaxed (lock): changes under it only */
	if (!disruptor_load_relaxed(&r->shared->state))
		goto out;
	if (disruptor_ring_unpublished(r, &position, &producer)) {
		rc = error_set(DISRUPTOR_E_STATE,
			       "position %llu, claimed by producer '%s', is neither published nor "
			       "aborted",
			       (unsigned long long)position, producer);
		goto out;
	}
	/* CLOSE.bit.release: who claims behind it sees what the close and this have done */
	disruptor_fetch_and_release(&r->shared->claimed, ~DISRUPTOR_CLOSED);
	HOOK(HOOK_REOPEN_WORD);
	ring_reopen_locked(r);
out:
	ring_unlock(r);
	return rc;
}

/* ---- what can be said about it ---- */

struct disruptor_ring_info disruptor_ring_info(const struct disruptor_ring *r)
{
	return (struct disruptor_ring_info){
		.capacity = r->capacity,
		.bytes = r->block_bytes,
		.event_size = r->event_size,
		.event_align = r->type->align,
		.slot_stride = r->stride,
		.event_offset = r->offset,
		.cell = r->cell,
		.lossy = r->mirror != NULL,
		.layout = r->layout,
		.producers = r->producers,
		.rung = r->rung,
		.pages = r->between ? r->peers.pages : r->memory.pages,
		.type = r->type,
	};
}

struct disruptor_ring_stats disruptor_ring_stats(const struct disruptor_ring *r)
{
	/* relaxed (figure), all: an estimate while others run */
	struct disruptor_ring_stats s = {
		.claimed = ring_claimed(r),
		.voids = disruptor_load_relaxed(&r->common->voids),
		.sleeps = disruptor_load_relaxed(&r->reader_sleeps),
		.state = disruptor_load_relaxed(&r->shared->state),
	};

	s.released = gate_slowest(r, s.claimed, &s.consumers);
	s.remaining = disruptor_room(s.claimed, s.released, r->capacity);
	for (uint32_t i = 0; i < r->max_producers; i++) {
		const struct ring_producer *p = &r->producer_table[i];

		/* relaxed (figure), all */
		s.open_producers += disruptor_load_relaxed(&p->opened) != 0;
		s.dropped += disruptor_load_relaxed(&p->dropped);
		s.slow_claims += disruptor_load_relaxed(&p->slow_claims);
		s.sleeps += disruptor_load_relaxed(&p->sleeps);
		s.wakes += disruptor_load_relaxed(&p->wakes);
	}
	for (uint32_t i = 0; i < r->max_consumers; i++) {
		/* relaxed (figure), all */
		s.sleeps += disruptor_load_relaxed(&r->gates[i].sleeps);
		s.wakes += disruptor_load_relaxed(&r->consumer_table[i].wakes);
	}
	return s;
}

static bool is_published(const struct disruptor_ring *r, uint64_t position)
{
	if (r->layout == DISRUPTOR_PACKED)
		/* PUB.acquire: as a consumer's look at the cursor */
		return position < disruptor_load_acquire(&r->shared->cursor);
	/* PUB.acquire: as a consumer's look at the stamp */
	return disruptor_load_acquire(ring_stamp(r, position)) == position + 1;
}

int disruptor_ring_published(const struct disruptor_ring *r, uint64_t position)
{
	uint64_t claimed = ring_claimed(r);

	return position < claimed && claimed - position <= r->capacity && is_published(r, position);
}

const char *ring_claimer(const struct disruptor_ring *r, uint64_t position)
{
	static _Thread_local char ours[sizeof(r->producer_table->name)];

	for (uint32_t i = 0; i < r->max_producers; i++) {
		const struct ring_producer *p = &r->producer_table[i];
		const char *name = p->name;

		/* what others may write need not end */
		if (r->between)
			name = memcpy(ours, p->name, sizeof(ours) - 1);
		if (r->producers == DISRUPTOR_SINGLE)
			return name;
		/* relaxed (figure) */
		if (disruptor_load_relaxed(&p->run_first) <= position &&
		    position < disruptor_load_relaxed(&p->run_end))
			return name;
	}
	return "";
}

uint64_t ring_first_unpublished(const struct disruptor_ring *r)
{
	return ring_first_unpublished_from(r, 0);
}

uint64_t ring_first_unpublished_from(const struct disruptor_ring *r, uint64_t known)
{
	uint64_t claimed = ring_claimed(r);
	uint64_t at = claimed > r->capacity ? claimed - r->capacity : 0;

	if (known > at && known <= claimed)
		at = known;
	if (r->layout == DISRUPTOR_PACKED)
		/* PUB.acquire: as a consumer's look at the cursor */
		return disruptor_load_acquire(&r->shared->cursor);
	/* what any consumer has released was published */
	for (uint32_t i = 0; i < r->max_consumers; i++) {
		/* STAGE.acquire: who starts behind another starts after what it has done */
		uint64_t released = disruptor_load_acquire(&r->gates[i].sequence);

		if (released != DISRUPTOR_VACANT && released > at && released <= claimed)
			at = released;
	}
	/* as a consumer's look at the stamps; a later lap's is of a slot published, too */
	while (at < claimed && is_settled(r, at))
		at++;
	return at;
}

int disruptor_ring_unpublished(const struct disruptor_ring *r, uint64_t *position,
			       const char **producer)
{
	uint64_t at = ring_first_unpublished(r);

	if (at >= ring_claimed(r))
		return 0;
	*position = at;
	if (producer)
		*producer = ring_claimer(r, at);
	return 1;
}

int disruptor_type_equal(const struct disruptor_type *a, const struct disruptor_type *b)
{
	if (a == b)
		return 1;
	if (strcmp(a->name, b->name) != 0 || a->size != b->size || a->align != b->align ||
	    a->field_count != b->field_count)
		return 0;
	for (uint32_t i = 0; i < a->field_count; i++) {
		const struct disruptor_field *f = &a->fields[i], *g = &b->fields[i];

		if (strcmp(f->name, g->name) != 0 || f->offset != g->offset || f->size != g->size ||
		    f->width != g->width || f->kind != g->kind)
			return 0;
	}
	return 1;
}

/* ---- AddressSanitizer ---- */

void ring_poison(const struct disruptor_ring *r, uint64_t from, uint64_t to)
{
#if DISRUPTOR_ASAN
	/* whole granules of 8 bytes only: packed events may share one; what others write is not known here */
	for (; from < to && !r->between && r->event_size % 8 == 0; from++)
		__asan_poison_memory_region(ring_slot(r, from) + r->offset, r->event_size);
#else
	(void)r, (void)from, (void)to;
#endif
}

void ring_unpoison(const struct disruptor_ring *r, uint64_t from, uint64_t to)
{
#if DISRUPTOR_ASAN
	for (; from < to && r->event_size % 8 == 0; from++)
		__asan_unpoison_memory_region(ring_slot(r, from) + r->offset, r->event_size);
#else
	(void)r, (void)from, (void)to;
#endif
}
