/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A disruptor's parts: the ring, the stages and the order between them. */
#include "error.h"
#include "graph/check.h"
#include "graph/graph_internal.h"
#include "graph/pool.h"
#include "graph/stats.h"
#include "ring/deferred.h"
#include "wait/core.h"

#include <stdlib.h>
#include <string.h>

void *graph_allocate(const struct disruptor_allocator *a, size_t bytes)
{
	void *memory;

	if (!a->allocate)
		return calloc(1, bytes);
	memory = a->allocate(a->context, bytes, DISRUPTOR_APART);
	return memory ? memset(memory, 0, bytes) : NULL;
}

void graph_release(const struct disruptor_allocator *a, void *memory, size_t bytes)
{
	if (a->release)
		a->release(a->context, memory, bytes);
	else
		free(memory);
}

/* What a disruptor of @p max stages takes beside itself, for each of them. */
static size_t bytes_a_stage(const struct disruptor_type *type)
{
	return sizeof(struct disruptor_stage) + sizeof(struct graph_worker) +
	       sizeof(struct group_member) + sizeof(struct disruptor_stage *) + check_bytes(type);
}

/* The tables lie behind the stages, that of pointers last. */
static void place_tables(struct disruptor *d, size_t set_bytes)
{
	unsigned char *at = (unsigned char *)&d->stages[d->stage_max];

	d->workers = (struct graph_worker *)(void *)at;
	at += d->stage_max * sizeof(d->workers[0]);
	d->members = (struct group_member *)(void *)at;
	at += d->stage_max * sizeof(d->members[0]);
	for (uint32_t i = 0; i < d->stage_max; i++, at += set_bytes) {
		d->stages[i].reads.fields = (uint64_t *)(void *)at;
		d->stages[i].writes.fields = (uint64_t *)(void *)(at + set_bytes / 2);
	}
	d->order = (struct disruptor_stage **)(void *)at;
}

static const char no_records[] =
	"stages handle events of one size; records are read by consumers of a "
	"ring";

#define GRAPH_FLAGS ((unsigned)(DISRUPTOR_TRUST_HANDLERS | DISRUPTOR_NO_STATS))

/* All but the ring, of which @p flags say nothing; *@p d is as before on failure. */
static int make(struct disruptor **d, struct disruptor_ring *ring, uint32_t max,
		const struct disruptor_allocator *allocator, unsigned flags)
{
	size_t bytes = sizeof(**d) + max * bytes_a_stage(ring->type);
	struct disruptor *made = graph_allocate(allocator, bytes);
	int rc;

	if (!made)
		return error_set(DISRUPTOR_E_NOMEM, "%zu bytes for %u stages", bytes, max);
	rc = os_monitor_init(&made->monitor);
	if (rc != 0) {
		graph_release(allocator, made, bytes);
		return rc;
	}
	made->ring = ring;
	made->allocator = *allocator;
	made->bytes = bytes;
	made->stage_max = max;
	made->trusts_handlers = (flags & DISRUPTOR_TRUST_HANDLERS) != 0;
	made->counts = (flags & DISRUPTOR_NO_STATS) == 0;
	place_tables(made, check_bytes(ring->type));
	*d = made;
	return 0;
}

int disruptor_create(struct disruptor **d, const struct disruptor_type *type,
		     const struct disruptor_options *given)
{
	struct disruptor_options known, *options = &known;
	struct disruptor_ring *ring;
	unsigned flags;
	int rc;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	*d = NULL;
	rc = given ? ring_copy_options("options", &known, sizeof(known), given)
		   : error_set(DISRUPTOR_E_INVAL, "options: NULL");
	if (rc == 0 && options->cell)
		rc = error_set(DISRUPTOR_E_UNSUPPORTED, "cell: %s", no_records);
	if (rc != 0)
		return rc;
	flags = options->flags;
	options->flags &= ~GRAPH_FLAGS;
	options->size = sizeof(*options);
	rc = disruptor_ring_create(&ring, type, options);
	if (rc != 0)
		return rc;
	rc = make(d, ring, ring->max_consumers, &options->allocator, flags);
	if (rc != 0)
		(void)disruptor_ring_destroy(&ring);
	return rc;
}

int disruptor_create_on(struct disruptor **d, struct disruptor_ring *ring,
			const struct disruptor_type *type, unsigned flags)
{
	const struct disruptor_allocator none = { 0 };
	int rc = 0;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	*d = NULL;
	if (!ring || !type)
		rc = error_set(DISRUPTOR_E_INVAL, "%s: NULL", ring ? "type" : "ring");
	else if (flags & ~GRAPH_FLAGS)
		rc = error_set(DISRUPTOR_E_INVAL, "flags: 0x%x is unknown here",
			       flags & ~GRAPH_FLAGS);
	else if (ring->cell)
		rc = error_set(DISRUPTOR_E_UNSUPPORTED, "ring: one of records: %s", no_records);
	else if (!disruptor_type_equal(ring->type, type))
		rc = error_set(DISRUPTOR_E_TYPE, "type: '%s', but the ring is one of '%s'",
			       type->name, ring->type->name);
	if (rc == 0)
		rc = make(d, ring, ring->max_consumers, &none, flags);
	if (rc == 0)
		(*d)->borrows = true;
	return rc;
}

int graph_must_own(const struct disruptor *d, const char *what)
{
	if (!d->borrows)
		return 0;
	return error_set(DISRUPTOR_E_UNSUPPORTED,
			 "%s: not on a ring that the caller has brought, where others may have "
			 "stages, too",
			 what);
}

/* A handler may ask, too, while start() makes the threads: so under the monitor. */
static int may_destroy(struct disruptor *d)
{
	int rc = 0;

	os_lock(&d->monitor);
	if (d->state == DISRUPTOR_STARTING)
		rc = error_set(DISRUPTOR_E_STATE, "it is STARTING");
	else if (d->active) /* with a watchdog, perhaps, and threads, though all stages have left */
		rc = error_set(DISRUPTOR_E_STATE, "it is %s: stop it first",
			       disruptor_state_name(d->state));
	for_each_stage (s, d)
		if (rc == 0 && disruptor_stage_running(s))
			rc = error_set(DISRUPTOR_E_STATE, "stage '%s' runs: stop it first",
				       s->name);
	os_unlock(&d->monitor);
	return rc;
}

int disruptor_destroy(struct disruptor **d)
{
	struct disruptor_allocator allocator;
	uint32_t producers, consumers, readers, stages = 0;
	struct disruptor *gone;
	size_t bytes;
	int rc;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	gone = *d;
	if (!gone)
		return 0;
	rc = may_destroy(gone);
	if (rc != 0)
		return rc;
	for_each_stage (s, gone)
		stages++;
	ring_count_open(gone->ring, &producers, &consumers, &readers);
	if (!gone->borrows && (producers || consumers > stages || readers))
		return error_set(DISRUPTOR_E_BUSY,
				 "%u producers, %u consumers and %u lossy readers are still open "
				 "on the ring",
				 producers, consumers - stages, readers);
	checks_release(gone);
	while (gone->pools)
		pool_release(gone, gone->pools);
	for_each_stage (s, gone)
		graph_leave_ring(s);
	if (!gone->borrows)
		(void)disruptor_ring_destroy(&gone->ring);
	os_monitor_destroy(&gone->monitor);
	allocator = gone->allocator;
	bytes = gone->bytes;
	graph_release(&allocator, gone, bytes);
	*d = NULL;
	return 0;
}

struct disruptor_ring *disruptor_ring(struct disruptor *d)
{
	return d->ring;
}

static int check_handler(const struct disruptor_handler *h)
{
	char name[32];
	int rc;

	if (!h->name)
		return error_set(DISRUPTOR_E_INVAL, "handler: name: NULL");
	rc = ring_name(&name, h->name, "");
	if (rc != 0)
		return rc;
	if (!h->on_event == !h->on_span)
		return error_set(DISRUPTOR_E_INVAL, "stage '%s': on_event: %s", h->name,
				 h->on_event ? "on_span is set, too: one of them" : "NULL");
	if ((h->batch_min > 1) != (h->linger_ns != 0))
		return error_set(
			DISRUPTOR_E_INVAL,
			"stage '%s': linger_ns: %llu, but batch_min is %u: they go together",
			h->name, (unsigned long long)h->linger_ns, h->batch_min);
	if (h->cpus && strlen(h->cpus) >= sizeof(((struct disruptor_stage *)0)->cpus))
		return error_set(DISRUPTOR_E_INVAL, "stage '%s': cpus: more than %zu bytes",
				 h->name, sizeof(((struct disruptor_stage *)0)->cpus) - 1);
	return os_thread_check(&(struct os_thread_plan){ .what = "stage",
							 .name = h->name,
							 .cpus = h->cpus,
							 .scheduling = h->scheduling,
							 .priority = h->priority,
							 .stack_size = h->stack_size });
}

int graph_may_change(struct disruptor *d)
{
	if (d->state != DISRUPTOR_INIT)
		return error_set(DISRUPTOR_E_STATE,
				 "stages and their order are fixed once started; it is %s: "
				 "disruptor_attach() and disruptor_detach() change it",
				 disruptor_state_name(d->state));
	for_each_stage (s, d)
		if (disruptor_stage_running(s))
			return error_set(DISRUPTOR_E_STATE,
					 "stages and their order are fixed while stage '%s' runs",
					 s->name);
	return 0;
}

/* What only the consumer's own limits tell. */
static int check_limits(const struct disruptor_stage *s)
{
	if (s->handler.batch_min > s->consumer.batch)
		return error_set(DISRUPTOR_E_INVAL,
				 "stage '%s': batch_min: %u is above its batch of %u", s->name,
				 s->handler.batch_min, s->consumer.batch);
	if (s->handler.deferred > s->owner->ring->capacity)
		return error_set(DISRUPTOR_E_TOO_BIG,
				 "stage '%s': deferred: %u is above the capacity %llu", s->name,
				 s->handler.deferred, (unsigned long long)s->owner->ring->capacity);
	return 0;
}

int graph_copy_handler(struct disruptor_handler *known, const struct disruptor_handler *given)
{
	int rc = given ? ring_copy_options("handler", known, sizeof(*known), given)
		       : error_set(DISRUPTOR_E_INVAL, "handler: NULL");

	return rc != 0 ? rc : check_handler(known);
}

/* A place for a stage, cleared, or NULL with the detail set. */
static struct disruptor_stage *take_place(struct disruptor *d)
{
	struct disruptor_stage *s = d->stages;
	struct access_set reads, writes;

	while (s < &d->stages[d->stage_count] && s->used)
		s++;
	if (s == &d->stages[d->stage_max]) {
		(void)error_set(DISRUPTOR_E_BUSY, "%u stages: raise max_consumers", d->stage_max);
		return NULL;
	}
	reads = s->reads;
	writes = s->writes;
	memset(s, 0, sizeof(*s));
	s->reads.fields = reads.fields;
	s->writes.fields = writes.fields;
	s->owner = d;
	s->attempts.give_up = STAGE_NOWHERE;
	s->placed = WORKER_NONE;
	s->figures.off = !d->counts;
	s->figures.unseen = STATS_LOOK;
	return s;
}

void graph_set_handler(struct disruptor_stage *s, const struct disruptor_handler *handler)
{
	s->handler = *handler;
	s->on_event = handler->on_event;
	s->event_context = handler->context;
	s->handler.name = s->name;
	s->handler.reads = s->handler.writes = NULL; /* taken; the strings need not stay */
	if (handler->cpus) {
		memcpy(s->cpus, handler->cpus, strlen(handler->cpus) + 1);
		s->handler.cpus = s->cpus;
	}
}

void graph_leave_ring(struct disruptor_stage *s)
{
	if (s->resumed)
		consumer_put_back(&s->consumer);
	else
		consumer_detach(&s->consumer);
}

struct disruptor_stage *graph_add(struct disruptor *d, const struct disruptor_handler *handler,
				  struct disruptor_consumer_options *options)
{
	struct disruptor_stage *s = take_place(d);

	if (!s)
		return NULL;
	(void)ring_name(&s->name, handler->name, "");
	if (check_declare(s, handler) != 0)
		return NULL;
	options->size = sizeof(*options);
	options->name = handler->name;
	options->batch = handler->batch;
	options->wait = handler->wait;
	options->if_dead = handler->if_dead;
	if (consumer_open_stage(&s->consumer, d->ring, options, &s->resumed) != 0)
		return NULL;
	s->figures.batch_at = &d->ring->consumer_table[s->consumer.index].batch_at;
	graph_set_handler(s, handler);
	if (check_limits(s) != 0) {
		graph_leave_ring(s);
		return NULL;
	}
	if (s->handler.deferred)
		deferred_open(&s->consumer, s->handler.deferred);
	s->used = true;
	if (s == &d->stages[d->stage_count])
		d->stage_count++;
	return s;
}

struct disruptor_stage *disruptor_stage(struct disruptor *d, const struct disruptor_handler *given)
{
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	struct disruptor_stage *s = NULL;
	struct disruptor_handler handler;

	if (graph_copy_handler(&handler, given) != 0)
		return NULL;
	os_lock(&d->monitor);
	if (graph_may_change(d) == 0)
		s = graph_add(d, &handler, &options);
	os_unlock(&d->monitor);
	return s;
}

/* What stands for @p later after @p earlier, its workers too if it is a pool. Monitor held. */
static int add_edges(struct disruptor_stage *later, const struct disruptor_consumer *earlier)
{
	int rc = consumer_add_upstream(&later->consumer, earlier);

	for (uint32_t i = 0; rc == 0 && later->is_head && i < later->pool->count; i++)
		rc = consumer_add_upstream(&later->pool->workers[i]->consumer, earlier);
	return rc;
}

static int put_after(struct disruptor_stage *later, const struct disruptor_consumer *earlier)
{
	struct disruptor *d = later->owner;
	int rc;

	if (is_worker(later))
		return error_set(DISRUPTOR_E_INVAL,
				 "'%s' is a worker of pool '%s', which stands for it in the order",
				 later->name, later->pool->head->name);
	os_lock(&d->monitor);
	rc = graph_may_change(d);
	if (rc == 0)
		rc = add_edges(later, earlier);
	os_unlock(&d->monitor);
	return rc;
}

int disruptor_after(struct disruptor_stage *later, struct disruptor_stage *earlier)
{
	if (!later || !earlier)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", later ? "earlier" : "later");
	if (later->owner != earlier->owner)
		return error_set(DISRUPTOR_E_INVAL, "'%s' and '%s' belong to different disruptors",
				 later->name, earlier->name);
	return put_after(later, &earlier->consumer);
}

int disruptor_after_consumer(struct disruptor_stage *later,
			     const struct disruptor_consumer *earlier)
{
	if (!later || !earlier)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", later ? "earlier" : "later");
	if (!earlier->ring || earlier->ring != later->owner->ring)
		return error_set(DISRUPTOR_E_INVAL,
				 "earlier: not an open consumer of the ring of stage '%s'",
				 later->name);
	return put_after(later, earlier);
}

const struct disruptor_consumer *disruptor_stage_consumer(const struct disruptor_stage *s)
{
	return &s->consumer;
}

int disruptor_pipeline(struct disruptor_stage *const *stages, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		int rc = disruptor_after(stages[i], stages[i - 1]);

		if (rc != 0)
			return rc;
	}
	return 0;
}
