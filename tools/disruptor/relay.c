/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records from a shared ring to one of this process, by a thread that waits for nobody. */
#include "relay.h"
#include "stream.h"

#include <string.h>

/* Nobody must be able to hold up the thread: what does not fit is dropped. */
static void pass(struct relay *r, const struct disruptor_record *record)
{
	void *to = disruptor_record_try_claim(&r->p, record->size);

	if (!to) {
		disruptor_fetch_add_relaxed(&r->dropped, UINT64_C(1));
		return;
	}
	memcpy(to, record->bytes, record->size);
	(void)disruptor_record_publish(&r->p, record->size);
}

static void *run(void *argument)
{
	struct relay *r = argument;
	struct disruptor_record record;
	int rc = 0;

	(void)disruptor_producer_handoff(&r->p);
	(void)disruptor_consumer_handoff(r->from);
	while (rc >= 0 && !disruptor_load_relaxed(&r->stops)) {
		r->ended = disruptor_record_ready_until(r->from, disruptor_in(STREAM_WAIT_NS));
		if (r->ended == DISRUPTOR_E_TIMEOUT)
			continue;
		if (r->ended < 0)
			break;
		while ((rc = disruptor_record_next(r->from, &record)) > 0)
			pass(r, &record);
		(void)disruptor_record_release(r->from);
	}
	if (rc < 0)
		r->ended = rc;
	disruptor_ring_close(r->ring);
	return NULL;
}

int relay_start(struct relay *r, struct disruptor_consumer *from)
{
	const struct disruptor_ring_info info = disruptor_ring_info(from->ring);
	const struct disruptor_options o = { .size = sizeof(o),
					     .capacity = info.capacity,
					     .cell = info.cell };
	const struct disruptor_type *type = disruptor_record_type();
	int rc;

	memset(r, 0, sizeof(*r));
	r->from = from;
	rc = disruptor_ring_create(&r->ring, type, &o);
	if (rc != 0)
		return rc;
	rc = disruptor_producer_open(&r->p, r->ring, type, NULL);
	if (rc == 0)
		rc = disruptor_consumer_open(&r->c, r->ring, type, NULL);
	if (rc == 0 && pthread_create(&r->thread, NULL, run, r) == 0)
		return 0;
	if (r->c.ring)
		(void)disruptor_consumer_close(&r->c);
	if (r->p.ring)
		(void)disruptor_producer_close(&r->p);
	(void)disruptor_ring_destroy(&r->ring);
	return rc != 0 ? rc : DISRUPTOR_E_SYSTEM;
}

void relay_stop(struct relay *r)
{
	disruptor_store_relaxed(&r->stops, 1);
	pthread_join(r->thread, NULL);
	(void)disruptor_consumer_handoff(r->from);
	(void)disruptor_producer_handoff(&r->p);
	(void)disruptor_consumer_close(&r->c);
	(void)disruptor_producer_close(&r->p);
	(void)disruptor_ring_destroy(&r->ring);
}
