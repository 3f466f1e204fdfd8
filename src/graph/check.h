/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef GRAPH_CHECK_H
#define GRAPH_CHECK_H

/* What handlers declare that they touch, and whether stages without an order touch the same. */

#include "graph/graph_internal.h"

/* Bytes of field sets that one stage of a disruptor of @p type needs: see check_declare(). */
size_t check_bytes(const struct disruptor_type *type);
/* Take a handler's `reads` and `writes`; names are refused as disruptor_stage() says. */
int check_declare(struct disruptor_stage *s, const struct disruptor_handler *h);
/* E_CONFLICT if two stages without an order touch the same bytes and one of them writes. */
int check_order(struct disruptor *d);

#endif
