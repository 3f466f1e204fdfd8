/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Checked parallel mutation. A handler declares the schema's fields that it
 * reads and writes. Before a run, every two stages without an order between
 * them are compared: what one writes, the other must not touch. It is bytes
 * that are compared, not names, since fields may overlap.
 */
#include "graph/check.h"

#include "error.h"
#include "ring/gate.h"

#include <stdio.h>
#include <string.h>

#define WORD_BITS CHECK_WORD_BITS

static size_t set_words(const struct disruptor_type *type)
{
	return (type->field_count + WORD_BITS - 1) / WORD_BITS;
}

size_t check_bytes(const struct disruptor_type *type)
{
	return 2 * set_words(type) * sizeof(uint64_t); /* reads, then writes */
}

/* ---- what a handler declares ---- */

static const struct disruptor_field *find_field(const struct disruptor_type *type, const char *name,
						size_t length, uint32_t *index)
{
	for (uint32_t i = 0; i < type->field_count; i++)
		if (strlen(type->fields[i].name) == length &&
		    memcmp(type->fields[i].name, name, length) == 0) {
			*index = i;
			return &type->fields[i];
		}
	return NULL;
}

static int add_name(const struct disruptor_type *type, const char *who, const char *what,
		    struct access_set *set, const char *name, size_t length)
{
	uint32_t i = 0;

	if (!find_field(type, name, length, &i))
		return error_set(DISRUPTOR_E_INVAL, "%s: %s: \"%.*s\" is no field of type '%s'",
				 who, what, (int)length, name, type->name);
	if (set->fields[i / WORD_BITS] >> (i % WORD_BITS) & 1)
		return error_set(DISRUPTOR_E_INVAL, "%s: %s: '%s' is listed twice", who, what,
				 type->fields[i].name);
	set->fields[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
	return 0;
}

/* "price, quantity", "*" or "". */
int check_parse(const struct disruptor_type *type, const char *who, const char *what,
		struct access_set *set, const char *text)
{
	set->all = false;
	memset(set->fields, 0, set_words(type) * sizeof(uint64_t));
	if (strcmp(text, "*") == 0) {
		set->all = true;
		return 0;
	}
	text += strspn(text, " ");
	while (*text) {
		size_t length = strcspn(text, ", ");
		int rc = add_name(type, who, what, set, text, length);

		if (rc != 0)
			return rc;
		text += length;
		text += strspn(text, " ");
		if (*text == '\0')
			break;
		if (*text != ',' || text[1 + strspn(text + 1, " ")] == '\0')
			return error_set(DISRUPTOR_E_INVAL,
					 "%s: %s: \"%s\" is not a list such as \"price, "
					 "quantity\"",
					 who, what, text);
		text += 1 + strspn(text + 1, " ");
	}
	return 0;
}

int check_declare(struct disruptor_stage *s, const struct disruptor_handler *h)
{
	const struct disruptor_type *type = s->owner->ring->type;
	char who[sizeof(s->name) + 8];
	int rc;

	(void)snprintf(who, sizeof(who), "stage '%s'", h->name);
	s->declared = h->reads || h->writes;
	rc = check_parse(type, who, "reads", &s->reads, h->reads ? h->reads : "");
	if (rc == 0)
		rc = check_parse(type, who, "writes", &s->writes, h->writes ? h->writes : "");
	if (!s->declared) {
		s->reads.all = true;
		s->writes.all = true;
	}
	return rc;
}

/* ---- two stages without an order ---- */

bool check_next(const struct disruptor_type *type, const struct access_set *set, uint32_t *i,
		struct touched *t)
{
	if (set->all) {
		*t = (struct touched){ "the whole event", 0, type->size };
		return (*i)++ == 0;
	}
	for (; *i < type->field_count; (*i)++) {
		const struct disruptor_field *f = &type->fields[*i];

		if (!(set->fields[*i / WORD_BITS] >> (*i % WORD_BITS) & 1) || f->size == 0)
			continue;
		*t = (struct touched){ f->name, f->offset, f->offset + f->size };
		(*i)++;
		return true;
	}
	return false;
}

static bool overlap(const struct disruptor_type *type, const struct access_set *a,
		    const struct access_set *b, struct touched *in_a, struct touched *in_b)
{
	for (uint32_t i = 0; check_next(type, a, &i, in_a);)
		for (uint32_t k = 0; check_next(type, b, &k, in_b);)
			if (in_a->from < in_b->to && in_b->from < in_a->to)
				return true;
	return false;
}

static int refuse(const struct check_side *writer, const struct touched *written,
		  const struct check_side *other, const struct touched *touched, const char *verb)
{
	const struct check_side *undeclared = !writer->declared ? writer : other;
	uint32_t from = written->from > touched->from ? written->from : touched->from;
	uint32_t to = written->to < touched->to ? written->to : touched->to;

	if (!undeclared->declared)
		return error_set(
			DISRUPTOR_E_CONFLICT,
			"stages '%s' and '%s' have no order, and '%s' declares neither reads nor "
			"writes: declare them (\"*\" is every field), put one after the other, or "
			"set DISRUPTOR_TRUST_HANDLERS",
			writer->name, other->name, undeclared->name);
	return error_set(DISRUPTOR_E_CONFLICT,
			 "stages '%s' and '%s' have no order: '%s' writes %s (bytes %u to %u), "
			 "of which '%s' %s %s: put one after the other",
			 writer->name, other->name, writer->name, written->name, from, to - 1,
			 other->name, verb, touched->name);
}

static int compare(const struct disruptor_type *type, const struct check_side *writer,
		   const struct check_side *other)
{
	struct touched a, b;

	if (overlap(type, &writer->writes, &other->writes, &a, &b))
		return refuse(writer, &a, other, &b, "writes");
	if (overlap(type, &writer->writes, &other->reads, &a, &b))
		return refuse(writer, &a, other, &b, "reads");
	return 0;
}

struct check_side check_side(const struct disruptor_stage *s)
{
	return (struct check_side){
		.name = s->name, .declared = s->declared, .reads = s->reads, .writes = s->writes
	};
}

int check_two(const struct disruptor_type *type, const struct check_side *a,
	      const struct check_side *b)
{
	int rc = compare(type, a, b);

	return rc != 0 ? rc : compare(type, b, a);
}

bool check_ordered(struct disruptor *d, const struct disruptor_stage *a,
		   const struct disruptor_stage *b)
{
	return (gate_ancestors(d->ring, a->consumer.index) >> b->consumer.index & 1) ||
	       (gate_ancestors(d->ring, b->consumer.index) >> a->consumer.index & 1);
}

void check_join(struct disruptor_stage *to, const struct disruptor_stage *s)
{
	size_t words = set_words(s->owner->ring->type);

	to->declared &= s->declared;
	to->reads.all |= s->reads.all;
	to->writes.all |= s->writes.all;
	for (size_t i = 0; i < words; i++) {
		to->reads.fields[i] |= s->reads.fields[i];
		to->writes.fields[i] |= s->writes.fields[i];
	}
}

int check_covers(const struct disruptor_stage *whole, const struct disruptor_stage *s,
		 const char *name)
{
	size_t words = set_words(s->owner->ring->type);
	bool covers = (whole->writes.all || !s->writes.all) &&
		      (whole->reads.all || !s->reads.all) && (!whole->declared || s->declared);

	for (size_t i = 0; i < words; i++)
		covers = covers &&
			 (whole->writes.all || !(s->writes.fields[i] & ~whole->writes.fields[i])) &&
			 (whole->reads.all || !(s->reads.fields[i] & ~whole->reads.fields[i]));
	return covers ? 0
		      : error_set(DISRUPTOR_E_CONFLICT,
				  "worker '%s' reads or writes fields that no worker of pool '%s' "
				  "declared when it was checked",
				  name, whole->name);
}

static int compare_own(struct disruptor *d)
{
	for_each_stage (b, d)
		for_each_stage (a, d) {
			struct check_side one, other;
			int rc;

			if (a == b)
				break;
			if (is_worker(a) || is_worker(b))
				continue; /* its pool's head stands for it */
			if (d->trusts_handlers && (!a->declared || !b->declared))
				continue;
			if (check_ordered(d, a, b))
				continue;
			one = check_side(a);
			other = check_side(b);
			rc = check_two(d->ring->type, &one, &other);
			if (rc != 0)
				return rc;
		}
	return 0;
}

int check_order(struct disruptor *d)
{
	int rc = compare_own(d);

	return rc == 0 && d->borrows ? check_others(d) : rc;
}
