/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_CHECK_H
#define GRAPH_CHECK_H

/* What handlers declare that they touch, and whether stages without an order touch the same. */

#include "graph/graph_internal.h"

#include <disruptor/check.h>

/* A run of bytes that a stage touches, and what it is called. */
struct touched {
	const char *name;
	uint32_t from, to;
};

#define CHECK_WORD_BITS 64u /* of an access_set */

/* One of two stages that are compared, of whichever graph. */
struct check_side {
	const char *name;
	bool declared;
	struct access_set reads, writes;
};

/* What disruptor_set_checks() was given; the set's bits lie behind it. */
struct graph_checks {
	struct disruptor_checks given;
	struct access_set produced;
	size_t bytes;
};

/* Bytes of field sets that one stage of a disruptor of @p type needs: see check_declare(). */
size_t check_bytes(const struct disruptor_type *type);
/* Take a handler's `reads` and `writes`; names are refused as disruptor_stage() says. */
int check_declare(struct disruptor_stage *s, const struct disruptor_handler *h);
/* A list of fields of @p type into @p set, which is cleared; @p who and @p what name it if refused. */
int check_parse(const struct disruptor_type *type, const char *who, const char *what,
		struct access_set *set, const char *text);
/* The next thing of a set from @p i on: the whole event, or a field with bytes. False at its end. */
bool check_next(const struct disruptor_type *type, const struct access_set *set, uint32_t *i,
		struct touched *t);
/* Whether one comes before the other, through others included. */
bool check_ordered(struct disruptor *d, const struct disruptor_stage *a,
		   const struct disruptor_stage *b);
/* E_CONFLICT, told of @p name, unless all that @p s declares @p whole does, too. */
int check_covers(const struct disruptor_stage *whole, const struct disruptor_stage *s,
		 const char *name);
struct check_side check_side(const struct disruptor_stage *s);
/* E_CONFLICT if both touch the same bytes and one of them writes. */
int check_two(const struct disruptor_type *type, const struct check_side *a,
	      const struct check_side *b);
/*
 * E_CONFLICT if two stages without an order touch the same bytes and one of them writes; on a ring that
 * others may have stages on, one of ours and one of theirs, too.
 */
int check_order(struct disruptor *d);
/* That of ours and of theirs. What ours touch is told in the ring's table, unless it is refused. */
int check_others(struct disruptor *d);

/* Tell what is allowed and still worth a word. Not under the monitor: it calls the user's. */
void check_warn(struct disruptor *d);

/* Make the next run a checked one, or an ordinary one, as was asked for. E_NOMEM. */
int checked_run_prepare(struct disruptor *d);
/* Back to ordinary runs; its memory goes back. */
void checked_run_release(struct disruptor *d);
/* Fail the ring: the handler of @p s has changed what it must not, at @p position. E_CONFLICT. */
int checked_run_fail(struct disruptor_stage *s, uint64_t position);

/* Give back what checks hold. */
void checks_release(struct disruptor *d);

#endif
