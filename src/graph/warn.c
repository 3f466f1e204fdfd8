/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a graph may do, and hardly means to: told by a callback at the start. */
#include "graph/check.h"
#include "ring/gate.h"

#include <stdarg.h>
#include <stdio.h>

struct line {
	char text[512];
	size_t length;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What does not fit is cut off. */
static void add(struct line *l, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(l->text + l->length, sizeof(l->text) - l->length, format, arguments);
	va_end(arguments);
	if (n > 0)
		l->length += (size_t)n;
	if (l->length >= sizeof(l->text))
		l->length = sizeof(l->text) - 1;
}

static void tell(struct disruptor *d, enum disruptor_warning kind, const struct line *l)
{
	d->checks->given.warn(d->checks->given.context, kind, l->text);
}

/* ---- cache lines ---- */

/* Whether two runs of bytes have a line in common in any slot; the slots begin with a line. */
static bool share_line(const struct disruptor_ring *r, const struct touched *a,
		       const struct touched *b)
{
	uint64_t slots = r->stride % DISRUPTOR_LINE == 0 ? 1 : DISRUPTOR_LINE;

	for (uint64_t i = 0; i < slots && i < r->capacity; i++) {
		uint64_t at = i * r->stride + r->offset;

		if ((at + a->from) / DISRUPTOR_LINE <= (at + b->to - 1) / DISRUPTOR_LINE &&
		    (at + b->from) / DISRUPTOR_LINE <= (at + a->to - 1) / DISRUPTOR_LINE)
			return true;
	}
	return false;
}

/* Add the things that @p s writes and that share a line with something of @p other. How many. */
static uint32_t add_shared(struct line *l, const struct disruptor_stage *s,
			   const struct disruptor_stage *other)
{
	const struct disruptor_ring *r = s->owner->ring;
	struct touched mine, others;
	uint32_t found = 0;

	for (uint32_t i = 0; check_next(r->type, &s->writes, &i, &mine);)
		for (uint32_t k = 0; check_next(r->type, &other->writes, &k, &others);)
			if (share_line(r, &mine, &others)) {
				if (found++ == 0)
					add(l, "'%s' %s", s->name, mine.name);
				else
					add(l, ", %s", mine.name);
				break;
			}
	return found;
}

static void warn_of_lines(struct disruptor *d, const struct disruptor_stage *a,
			  const struct disruptor_stage *b)
{
	struct line l = { .length = 0 };

	add(&l, "stages '%s' and '%s' have no order and write to the same cache line: ", a->name,
	    b->name);
	if (add_shared(&l, a, b) == 0)
		return;
	add(&l, "; ");
	(void)add_shared(&l, b, a);
	tell(d, DISRUPTOR_WARN_SHARED_LINE, &l);
}

/* ---- fields that nobody writes ---- */

/* The end of what @p set writes at byte @p at, or @p at if it does not write there. */
static uint32_t written_to(const struct disruptor_type *type, const struct access_set *set,
			   uint32_t at)
{
	struct touched t;

	for (uint32_t i = 0; check_next(type, set, &i, &t);)
		if (t.from <= at && at < t.to)
			return t.to;
	return at;
}

/* First byte of the field that neither the producers nor a stage before @p s write, or its end. */
static uint32_t first_unwritten(struct disruptor *d, const struct disruptor_stage *s,
				const struct disruptor_field *f)
{
	uint64_t before = gate_ancestors(d->ring, s->consumer.index);
	uint32_t at = f->offset, from;

	do {
		from = at;
		at = written_to(d->ring->type, &d->checks->produced, at);
		for_each_stage (other, d)
			if (before >> other->consumer.index & 1)
				at = written_to(d->ring->type, &other->writes, at);
	} while (at != from && at < f->offset + f->size);
	return at < f->offset + f->size ? at : f->offset + f->size;
}

static void warn_of_unwritten(struct disruptor *d, const struct disruptor_stage *s)
{
	const struct disruptor_type *type = d->ring->type;

	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct disruptor_field *f = &type->fields[i];
		struct line l = { .length = 0 };
		uint32_t at;

		if (!s->reads.all && !(s->reads.fields[i / 64] >> (i % 64) & 1))
			continue;
		at = first_unwritten(d, s, f);
		if (at == f->offset + f->size)
			continue;
		add(&l,
		    "stage '%s' reads %s, of which neither the producers nor a stage before it "
		    "write byte %u",
		    s->name, f->name, at);
		tell(d, DISRUPTOR_WARN_UNWRITTEN, &l);
	}
}

void check_warn(struct disruptor *d)
{
	int cancel_before;

	if (!d->checks || !d->checks->given.warn)
		return;
	cancel_before = os_cancel_off(); /* ended in the callback, it would be STARTING for ever */
	for_each_stage (s, d) {
		for_each_stage (earlier, d) {
			if (earlier == s)
				break;
			if (is_worker(s) || is_worker(earlier))
				continue; /* its pool's head stands for it */
			if (s->declared && earlier->declared && !check_ordered(d, s, earlier))
				warn_of_lines(d, earlier, s);
		}
		if (s->declared && !s->retired)
			warn_of_unwritten(d, s);
	}
	os_cancel_back(cancel_before);
}
