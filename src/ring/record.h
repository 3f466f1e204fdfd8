/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef RING_RECORD_H
#define RING_RECORD_H

/* What the words beside a ring's cells say: for who looks from outside, too. */

#include "ring/ring.h"

/* What the word of the cell at a position is. */
enum record_word {
	RECORD_NONE, /* nothing that belongs there */
	RECORD_REST, /* of a cell that is none's first */
	RECORD_FIRST /* of a record's first cell */
};

/* What @p word is at @p position; of a first its bytes and cells, which then lie within the cells. */
enum record_word record_read(const struct disruptor_ring *r, uint64_t word, uint64_t position,
			     size_t *bytes, uint64_t *cells);

/* The memory of the cell at @p position. */
static inline unsigned char *record_cell(const struct disruptor_ring *r, uint64_t position)
{
	return r->cells + (size_t)(position & r->mask) * r->cell;
}

#endif
