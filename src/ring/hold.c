/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ring/hold.h"

static _Thread_local struct ring_hold *holds;

void ring_hold_push(struct ring_hold *hold)
{
	hold->next = holds;
	holds = hold;
}

void ring_hold_pop(struct ring_hold *hold)
{
	struct ring_hold **at = &holds;

	while (*at != hold)
		at = &(*at)->next;
	*at = hold->next;
}

const struct ring_hold *ring_hold_behind(const struct disruptor_ring *r, uint64_t need)
{
	for (const struct ring_hold *h = holds; h; h = h->next)
		/* relaxed: this thread's own stores, as far as they move while it looks */
		if (h->ring == r && disruptor_load_relaxed(h->sequence) < need)
			return h;
	return NULL;
}
