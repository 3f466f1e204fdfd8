/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Segments: made whole, found, checked, joined, left. */
#include "error.h"
#include "segment/segment.h"

#include "ring/gate.h"
#include "ring/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks whether a consumer has come. */
#define LOOK_NS UINT64_C(1000000)

/* What to do, from the caller's options. */
struct plan {
	struct os_place place;
	struct disruptor_segment_options o;
	struct disruptor_options ring;
	const struct disruptor_type *type;
	bool can_make;
};

/* ---- arguments ---- */

static int refuse_private(const struct disruptor_options *r)
{
	const char *what = r->memory               ? "memory"
			   : r->allocator.allocate ? "allocator"
			   : r->init               ? "init"
			   : r->fini               ? "fini"
						   : NULL;

	if (what)
		return error_set(DISRUPTOR_E_INVAL,
				 "%s: one process's own; others have the segment, too", what);
	if (r->rung == DISRUPTOR_RUNG_MUTEX)
		return error_set(DISRUPTOR_E_UNSUPPORTED,
				 "rung: the mutex is one process's own; use another");
	return 0;
}

static int make_plan(struct plan *p, const char *name, const struct disruptor_type *type,
		     const struct disruptor_options *ring,
		     const struct disruptor_segment_options *options)
{
	const unsigned known = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW |
			       DISRUPTOR_SEGMENT_TEMPORARY;
	int rc = 0;

	*p = (struct plan){ .type = type, .o = { .size = sizeof(p->o) } };
	if (options)
		rc = ring_copy_options("segment options", &p->o, sizeof(p->o), options);
	if (rc == 0 && ring)
		rc = ring_copy_options("options", &p->ring, sizeof(p->ring), ring);
	if (rc == 0 && ring)
		rc = refuse_private(&p->ring);
	if (rc != 0)
		return rc;
	if (p->o.flags & ~known)
		return error_set(DISRUPTOR_E_INVAL, "flags: 0x%x is unknown", p->o.flags & ~known);
	if (p->o.reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "reserved: %u is not zero", p->o.reserved);
	if (p->o.mode & ~0666u)
		return error_set(DISRUPTOR_E_INVAL, "mode: %03o has more than reading and writing",
				 p->o.mode);
	p->can_make = (p->o.flags & DISRUPTOR_SEGMENT_CREATE) != 0;
	if (p->can_make && !ring)
		return error_set(DISRUPTOR_E_INVAL,
				 "ring: NULL, but the segment may have to be made");
	if (p->can_make && !type)
		return error_set(DISRUPTOR_E_INVAL,
				 "type: NULL, but the segment may have to be made");
	if ((p->o.flags & (DISRUPTOR_SEGMENT_NEW | DISRUPTOR_SEGMENT_TEMPORARY)) && !p->can_make)
		return error_set(DISRUPTOR_E_INVAL,
				 "flags: DISRUPTOR_SEGMENT_%s: only with DISRUPTOR_SEGMENT_CREATE",
				 p->o.flags & DISRUPTOR_SEGMENT_NEW ? "NEW" : "TEMPORARY");
	if (p->o.participants == 0)
		p->o.participants = 64;
	p->place = (struct os_place){ .directory = p->o.directory,
				      .name = name,
				      .mode = p->o.mode ? p->o.mode : 0600 };
	p->ring.size = sizeof(p->ring);
	return 0;
}

static struct disruptor_segment *allocate(const char *name)
{
	struct disruptor_segment *s = calloc(1, sizeof(*s));

	if (!s) {
		error_tell("%zu bytes for the segment", sizeof(*s));
		return NULL;
	}
	s->share.fd = -1;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

/* ---- joining ---- */

static void discard(struct disruptor_segment *s)
{
	segment_leave(s);
	if (s->ring)
		ring_leave(s->ring);
	os_share_close(&s->share);
	free(s->directory);
	free(s->file);
	free(s->found);
	free(s);
}

struct disruptor_options segment_options(const struct segment_header *h)
{
	return (struct disruptor_options){
		.size = sizeof(struct disruptor_options),
		.capacity = h->capacity,
		.layout = (enum disruptor_layout)h->layout,
		.producers = (enum disruptor_producers)h->producers,
		.rung = (enum disruptor_rung)h->rung,
		.flags = h->flags,
		.cell = h->cell,
	};
}

static int join(struct disruptor_segment *s, const struct plan *p, bool fresh)
{
	const struct ring_peers peers = {
		.lock = segment_lock,
		.unlock = segment_unlock,
		.tend = segment_tend,
		.context = s,
		.pages = s->share.pages,
	};
	struct disruptor_options o = segment_options(&s->header);
	int rc;

	o.wait = p->ring.wait;
	rc = ring_join(&s->ring, &s->layout, p->type ? p->type : &s->found->type, &o,
		       s->share.base + s->header.block_at, &peers, fresh);
	return rc != 0 ? rc : segment_enter(s, p->o.participant);
}

/* First the header, then the schema. */
int segment_examine(const struct os_share *share, const char *name, struct segment_header *h,
		    struct ring_layout *l, struct segment_type **type)
{
	unsigned char *schema;
	size_t bytes;
	int rc;

	*type = NULL;
	segment_copy(h, share->base, sizeof(*h));
	rc = segment_check(h, l, name, share->size);
	if (rc != 0)
		return rc;
	bytes = (size_t)h->schema_bytes;
	schema = malloc(bytes);
	if (!schema)
		return error_set(DISRUPTOR_E_NOMEM, "%s: %zu bytes for its schema", name, bytes);
	segment_copy(schema, share->base + h->schema_at, bytes);
	if (segment_crc(schema, bytes) != h->schema_check)
		rc = error_set(DISRUPTOR_E_FORMAT, "%s: its schema does not have its checksum",
			       name);
	else
		rc = segment_schema_read(schema, bytes, h, type);
	free(schema);
	return rc;
}

bool segment_is_current(const struct segment_header *h)
{
	unsigned char boot[16];

	os_boot_id(boot);
	return memcmp(boot, h->boot, sizeof(boot)) == 0;
}

/* Whether it is what the caller expects. */
static int examine(struct disruptor_segment *s, const struct plan *p)
{
	int rc = segment_examine(&s->share, s->name, &s->header, &s->layout, &s->found);

	if (rc == 0 && s->header.features_to_write != 0)
		rc = error_set(DISRUPTOR_E_VERSION,
			       "%s: who takes part needs features 0x%llx, which this library does "
			       "not have; it can be looked into",
			       s->name, (unsigned long long)s->header.features_to_write);
	if (rc == 0 && !segment_is_current(&s->header))
		rc = error_set(DISRUPTOR_E_FORMAT,
			       "%s: of before the machine was started anew: remove it", s->name);
	if (rc == 0 && p->type && !disruptor_type_equal(&s->found->type, p->type))
		rc = error_set(DISRUPTOR_E_TYPE,
			       "%s: its events are of type '%s' (%u bytes), not '%s' (%u)", s->name,
			       s->found->type.name, s->found->type.size, p->type->name,
			       p->type->size);
	return rc;
}

/* ---- making ---- */

/* The rung that all will have: the best that this process can. */
static int settle_rung(struct plan *p)
{
	unsigned offered = os_rungs_between();

	if (p->ring.rung == DISRUPTOR_RUNG_AUTO)
		p->ring.rung = offered >> DISRUPTOR_RUNG_MEMBARRIER & 1 ? DISRUPTOR_RUNG_MEMBARRIER
									: DISRUPTOR_RUNG_FENCE;
	return 0;
}

static int lay_out(struct disruptor_segment *s, struct plan *p)
{
	int rc = settle_rung(p);

	if (rc == 0)
		rc = segment_lay_out(&s->header, &s->layout, p->type, &p->ring, p->o.participants);
	if (rc == 0)
		rc = os_random(s->header.id, sizeof(s->header.id));
	if (p->o.flags & DISRUPTOR_SEGMENT_TEMPORARY)
		s->header.features_optional |= SEGMENT_TEMPORARY;
	s->header.created_ns = os_wall_clock();
	os_boot_id(s->header.boot);
	return rc;
}

/* Everything, the header last, in memory that nobody else can see. */
static int fill(struct disruptor_segment *s, const struct plan *p)
{
	unsigned char *schema = s->share.base + s->header.schema_at;
	int rc;

	/* huge pages round it up */
	s->header.bytes = s->share.size;
	segment_schema_write(p->type, schema);
	segment_seal(&s->header, schema);
	rc = join(s, p, true);
	if (rc == 0)
		memcpy(s->share.base, &s->header, sizeof(s->header));
	return rc;
}

static int make(struct disruptor_segment *s, struct plan *p)
{
	int rc = lay_out(s, p);

	if (rc == 0)
		rc = os_share_make(&s->share, &p->place, (size_t)s->header.bytes, &p->ring);
	if (rc == 0)
		rc = os_share_settle(&s->share, p->ring.flags);
	if (rc == 0)
		rc = fill(s, p);
	if (rc == 0)
		rc = os_share_show(&s->share, &p->place);
	return rc;
}

/* ---- the functions ---- */

static int find(struct disruptor_segment *s, const struct plan *p)
{
	int rc = os_share_open(&s->share, &p->place, sizeof(s->header), false);

	if (rc == 0)
		rc = examine(s, p);
	if (rc == 0)
		rc = os_share_settle(&s->share, p->ring.flags);
	if (rc == 0)
		rc = join(s, p, false);
	/* the last of those before us may have left meanwhile, and taken the name with him */
	if (rc == 0 && !os_share_is_shown(&s->share, &p->place))
		rc = error_set(DISRUPTOR_E_NOT_FOUND, "%s: it has just been removed", s->name);
	return rc;
}

static char *copy_of(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = malloc(bytes);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

/* What the close of a temporary one has to know. */
static int keep_place(struct disruptor_segment *s, const struct plan *p)
{
	s->file = copy_of(p->place.name);
	s->directory = p->o.directory ? copy_of(p->o.directory) : NULL;
	return s->file && (s->directory || !p->o.directory)
		       ? 0
		       : error_set(DISRUPTOR_E_NOMEM, "%s: its name", s->name);
}

int disruptor_segment_open(struct disruptor_segment **segment, const char *name,
			   const struct disruptor_type *type, const struct disruptor_options *ring,
			   const struct disruptor_segment_options *options)
{
	struct plan p;
	int rc;

	if (!segment)
		return error_set(DISRUPTOR_E_INVAL, "segment: NULL");
	*segment = NULL;
	if (!name)
		return error_set(DISRUPTOR_E_INVAL, "name: NULL");
	rc = make_plan(&p, name, type, ring, options);
	for (int tries = 0; rc == 0; tries++) {
		struct disruptor_segment *s = allocate(name);
		bool makes = tries % 2 != 0 || (p.o.flags & DISRUPTOR_SEGMENT_NEW);

		if (!s)
			return DISRUPTOR_E_NOMEM;
		rc = keep_place(s, &p);
		if (rc == 0)
			rc = makes ? make(s, &p) : find(s, &p);
		if (rc == 0) {
			*segment = s;
			return 0;
		}
		discard(s);
		/* it may come and go between our looks: then look again */
		if (p.can_make && !(p.o.flags & DISRUPTOR_SEGMENT_NEW) && tries < 100 &&
		    rc == (makes ? DISRUPTOR_E_EXISTS : DISRUPTOR_E_NOT_FOUND))
			rc = 0;
	}
	return rc;
}

int disruptor_segment_make(struct disruptor_segment **segment, const struct disruptor_type *type,
			   const struct disruptor_options *ring,
			   const struct disruptor_segment_options *options)
{
	struct disruptor_segment *s;
	struct plan p;
	int rc;

	if (!segment)
		return error_set(DISRUPTOR_E_INVAL, "segment: NULL");
	*segment = NULL;
	if (!ring || !type)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", ring ? "type" : "ring");
	rc = make_plan(&p, "unnamed", type, ring, options);
	if (rc != 0)
		return rc;
	s = allocate("unnamed");
	if (!s)
		return DISRUPTOR_E_NOMEM;
	rc = lay_out(s, &p);
	if (rc == 0)
		rc = os_share_make_unnamed(&s->share, "disruptor", (size_t)s->header.bytes,
					   &p.ring);
	if (rc == 0)
		rc = os_share_settle(&s->share, p.ring.flags);
	if (rc == 0)
		rc = fill(s, &p);
	if (rc != 0)
		discard(s);
	else
		*segment = s;
	return rc;
}

int disruptor_segment_adopt(struct disruptor_segment **segment, int fd,
			    const struct disruptor_type *type,
			    const struct disruptor_segment_options *options)
{
	struct disruptor_segment *s;
	struct plan p;
	int rc;

	if (!segment)
		return error_set(DISRUPTOR_E_INVAL, "segment: NULL");
	*segment = NULL;
	rc = make_plan(&p, "unnamed", type, NULL, options);
	if (rc != 0)
		return rc;
	s = allocate("unnamed");
	if (!s)
		return DISRUPTOR_E_NOMEM;
	rc = os_share_adopt(&s->share, fd, sizeof(s->header), false);
	if (rc == 0)
		rc = examine(s, &p);
	if (rc == 0)
		rc = join(s, &p, false);
	if (rc != 0)
		discard(s);
	else
		*segment = s;
	return rc;
}

struct disruptor_ring *disruptor_segment_ring(struct disruptor_segment *segment)
{
	return segment->ring;
}

void disruptor_segment_tend(struct disruptor_segment *segment)
{
	segment_tend(segment);
}

int disruptor_segment_dismiss(struct disruptor_segment *segment, const char *consumer)
{
	int rc;

	if (!segment || !consumer)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", segment ? "consumer" : "segment");
	segment_tend(segment);
	ring_lock(segment->ring);
	rc = ring_dismiss(segment->ring, consumer);
	ring_unlock(segment->ring);
	return rc;
}

int disruptor_segment_await(struct disruptor_segment *segment, const char *consumer,
			    uint64_t deadline)
{
	bool there = false;

	if (!segment || !consumer)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", segment ? "consumer" : "segment");
	for (;;) {
		ring_lock(segment->ring);
		there = gate_named(segment->ring, consumer) != 0;
		ring_unlock(segment->ring);
		if (there)
			return 0;
		if (deadline != DISRUPTOR_FOREVER && os_now() >= deadline)
			return error_set(DISRUPTOR_E_TIMEOUT, "there is no consumer '%s' yet",
					 consumer);
		os_sleep(LOOK_NS);
	}
}

int disruptor_segment_fd(const struct disruptor_segment *segment)
{
	return segment->share.fd;
}

/* Lock held: who comes now finds another, or sees that the name does not lead to this one any more. */
static void remove_name(const struct disruptor_segment *s)
{
	const struct os_place place = { .directory = s->directory, .name = s->file };

	if (os_share_is_shown(&s->share, &place))
		(void)os_share_unlink(&place);
}

int disruptor_segment_close(struct disruptor_segment **segment)
{
	struct disruptor_segment *s;
	bool temporary;
	int rc;

	if (!segment)
		return error_set(DISRUPTOR_E_INVAL, "segment: NULL");
	s = *segment;
	if (!s)
		return 0;
	temporary = s->file && (s->header.features_optional & SEGMENT_TEMPORARY);
	if (temporary)
		segment_tend(s);
	ring_lock(s->ring);
	rc = ring_refuse_if_open(s->ring);
	ring_unlock(s->ring);
	if (rc != 0)
		return rc;
	/* it looks for the dead, and is not to do so while we leave */
	bridge_stop(s->ring);
	ring_lock(s->ring);
	rc = ring_refuse_if_open(s->ring);
	if (rc == 0 && temporary && segment_is_last(s))
		remove_name(s);
	/* under the same lock, or two that leave at once each see the other */
	if (rc == 0)
		segment_leave(s);
	ring_unlock(s->ring);
	if (rc != 0)
		return rc;
	discard(s);
	*segment = NULL;
	return 0;
}

/* Its name goes under the lock that everybody takes who enters: see find(). */
static int remove_unused(const struct os_place *place)
{
	struct segment_type *type = NULL;
	struct segment_header h = { 0 };
	struct ring_layout l;
	struct os_share share;
	int rc = os_share_open(&share, place, sizeof(h), false);

	if (rc == 0)
		rc = segment_examine(&share, place->name, &h, &l, &type);
	free(type);
	if (rc == 0)
		rc = os_share_lock(&share, SEGMENT_ADMIN_BYTE);
	for (uint32_t i = 0; rc == 0 && i < h.participants; i++)
		if (os_share_is_locked(&share, SEGMENT_FIRST_BYTE + i))
			rc = error_set(DISRUPTOR_E_BUSY, "%s: process %u of it lives", place->name,
				       i);
	if (rc == 0 && !os_share_is_shown(&share, place))
		rc = error_set(DISRUPTOR_E_NOT_FOUND, "%s: was removed meanwhile", place->name);
	if (rc == 0)
		rc = os_share_unlink(place);
	os_share_close(&share);
	return rc;
}

int disruptor_segment_remove(const char *name, const struct disruptor_segment_options *options)
{
	struct disruptor_segment_options o = { .size = sizeof(o) };
	struct os_place place;
	int rc = 0;

	if (!name)
		return error_set(DISRUPTOR_E_INVAL, "name: NULL");
	if (options)
		rc = ring_copy_options("segment options", &o, sizeof(o), options);
	if (rc != 0)
		return rc;
	place = (struct os_place){ .directory = o.directory,
				   .name = name,
				   .mode = o.mode ? o.mode : 0600 };
	return o.flags & DISRUPTOR_SEGMENT_UNUSED ? remove_unused(&place) : os_share_unlink(&place);
}

int disruptor_segment_each(const struct disruptor_segment_options *options,
			   int (*each)(void *context, const char *name), void *context)
{
	struct disruptor_segment_options o = { .size = sizeof(o) };
	int rc = 0;

	if (!each)
		return error_set(DISRUPTOR_E_INVAL, "each: NULL");
	if (options)
		rc = ring_copy_options("segment options", &o, sizeof(o), options);
	return rc != 0 ? rc : os_share_each(o.directory, each, context);
}
