/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A disruptor's parts: the ring, the stages and the order between them. */
#include "error.h"
#include "graph/check.h"
#include "graph/graph_internal.h"
#include "graph/stats.h"
#include "wait/core.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(const struct disruptor_allocator *a, size_t bytes)
{
	void *memory;

	if (!a->allocate)
		return calloc(1, bytes);
	memory = a->allocate(a->context, bytes, DISRUPTOR_APART);
	return memory ? memset(memory, 0, bytes) : NULL;
}

static void release(const struct disruptor_allocator *a, void *memory, size_t bytes)
{
	if (a->release)
		a->release(a->context, memory, bytes);
	else
		free(memory);
}

/* The stages' field sets lie behind the stages. */
static void place_sets(struct disruptor *d, size_t set_bytes)
{
	unsigned char *at = (unsigned char *)&d->stages[d->stage_max];

	for (uint32_t i = 0; i < d->stage_max; i++, at += set_bytes) {
		d->stages[i].reads.fields = (uint64_t *)(void *)at;
		d->stages[i].writes.fields = (uint64_t *)(void *)(at + set_bytes / 2);
	}
}

int disruptor_create(struct disruptor **d, const struct disruptor_type *type,
		     const struct disruptor_options *given)
{
	struct disruptor_options known, *options = &known;
	struct disruptor_ring *ring;
	struct disruptor *made;
	size_t bytes;
	uint32_t max;
	bool trusts, counts;
	int rc;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	*d = NULL;
	rc = given ? ring_copy_options("options", &known, sizeof(known), given)
		   : error_set(DISRUPTOR_E_INVAL, "options: NULL");
	if (rc != 0)
		return rc;
	trusts = (options->flags & DISRUPTOR_TRUST_HANDLERS) != 0;
	counts = (options->flags & DISRUPTOR_NO_STATS) == 0;
	options->flags &= ~(unsigned)(DISRUPTOR_TRUST_HANDLERS | DISRUPTOR_NO_STATS);
	options->size = sizeof(*options);
	rc = disruptor_ring_create(&ring, type, options);
	if (rc != 0)
		return rc;
	max = options->max_consumers ? options->max_consumers : 16;
	bytes = sizeof(*made) + max * (sizeof(made->stages[0]) + check_bytes(type));
	made = allocate(&options->allocator, bytes);
	if (!made) {
		rc = error_set(DISRUPTOR_E_NOMEM, "%zu bytes for %u stages", bytes, max);
		goto fail_ring;
	}
	rc = os_monitor_init(&made->monitor);
	if (rc != 0)
		goto fail_made;
	made->ring = ring;
	made->allocator = options->allocator;
	made->bytes = bytes;
	made->stage_max = max;
	made->trusts_handlers = trusts;
	made->counts = counts;
	place_sets(made, check_bytes(type));
	*d = made;
	return 0;
fail_made:
	release(&options->allocator, made, bytes);
fail_ring:
	(void)disruptor_ring_destroy(&ring);
	return rc;
}

int disruptor_destroy(struct disruptor **d)
{
	struct disruptor_allocator allocator;
	uint32_t producers, consumers;
	struct disruptor *gone;
	size_t bytes;

	if (!d)
		return error_set(DISRUPTOR_E_INVAL, "d: NULL");
	gone = *d;
	if (!gone)
		return 0;
	for (uint32_t i = 0; i < gone->stage_count; i++)
		if (gone->threads || disruptor_stage_running(&gone->stages[i]))
			return error_set(DISRUPTOR_E_STATE, "stage '%s' runs: stop it first",
					 gone->stages[i].name);
	ring_count_open(gone->ring, &producers, &consumers);
	if (producers || consumers > gone->stage_count)
		return error_set(DISRUPTOR_E_BUSY,
				 "%u producers and %u consumers are still open on the ring",
				 producers, consumers - gone->stage_count);
	for (uint32_t i = 0; i < gone->stage_count; i++)
		consumer_detach(&gone->stages[i].consumer);
	(void)disruptor_ring_destroy(&gone->ring);
	os_monitor_destroy(&gone->monitor);
	allocator = gone->allocator;
	bytes = gone->bytes;
	release(&allocator, gone, bytes);
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
	if (!h->on_event)
		return error_set(DISRUPTOR_E_INVAL, "stage '%s': on_event: NULL", h->name);
	if (h->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "stage '%s': reserved: %u is not zero", h->name,
				 h->reserved);
	if (h->cpus && strlen(h->cpus) >= sizeof(((struct disruptor_stage *)0)->cpus))
		return error_set(DISRUPTOR_E_INVAL, "stage '%s': cpus: more than %zu bytes",
				 h->name, sizeof(((struct disruptor_stage *)0)->cpus) - 1);
	return os_thread_check(h);
}

static int may_change(struct disruptor *d)
{
	if (d->state != DISRUPTOR_INIT)
		return error_set(DISRUPTOR_E_STATE,
				 "stages and their order are fixed once started; it is %s",
				 disruptor_state_name(d->state));
	for (uint32_t i = 0; i < d->stage_count; i++)
		if (disruptor_stage_running(&d->stages[i]))
			return error_set(DISRUPTOR_E_STATE,
					 "stages and their order are fixed while stage '%s' runs",
					 d->stages[i].name);
	return 0;
}

struct disruptor_stage *disruptor_stage(struct disruptor *d, const struct disruptor_handler *given)
{
	struct disruptor_handler known, *handler = &known;
	struct disruptor_consumer_options options = { .size = sizeof(options) };
	struct disruptor_stage *s;

	if (!given) {
		(void)error_set(DISRUPTOR_E_INVAL, "handler: NULL");
		return NULL;
	}
	if (ring_copy_options("handler", &known, sizeof(known), given) != 0 ||
	    check_handler(handler) != 0 || may_change(d) != 0)
		return NULL;
	if (d->stage_count == d->stage_max) {
		(void)error_set(DISRUPTOR_E_BUSY, "%u stages: raise max_consumers", d->stage_max);
		return NULL;
	}
	s = &d->stages[d->stage_count];
	s->owner = d;
	(void)ring_name(&s->name, handler->name, "");
	if (check_declare(s, handler) != 0)
		return NULL;
	options.name = handler->name;
	options.batch = handler->batch;
	options.wait = handler->wait;
	if (disruptor_consumer_open(&s->consumer, d->ring, d->ring->type, &options) != 0)
		return NULL;
	s->attempts.give_up = STAGE_NOWHERE;
	s->handler = *handler;
	s->handler.name = s->name;
	s->handler.reads = s->handler.writes = NULL; /* taken; the strings need not stay */
	if (handler->cpus) {
		memcpy(s->cpus, handler->cpus, strlen(handler->cpus) + 1);
		s->handler.cpus = s->cpus;
	}
	s->figures.off = !d->counts;
	s->figures.unseen = STATS_LOOK;
	os_lock(&d->monitor); /* a diagnosis sees it whole, or not at all */
	d->stage_count++;
	os_unlock(&d->monitor);
	return s;
}

int disruptor_after(struct disruptor_stage *later, struct disruptor_stage *earlier)
{
	int rc;

	if (!later || !earlier)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", later ? "earlier" : "later");
	if (later->owner != earlier->owner)
		return error_set(DISRUPTOR_E_INVAL, "'%s' and '%s' belong to different disruptors",
				 later->name, earlier->name);
	rc = may_change(later->owner);
	return rc != 0 ? rc : consumer_add_upstream(&later->consumer, &earlier->consumer);
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
