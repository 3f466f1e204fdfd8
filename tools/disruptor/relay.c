/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records and events from a shared ring to one of this process, by a thread that waits for nobody. */
#include "relay.h"
#include "stream.h"

#include <string.h>

#define CELL 64 /* bytes */

/* Nobody must be able to hold up the thread: what does not fit is dropped. */
static void pass(struct relay *r, uint64_t position, const void *bytes, size_t size)
{
	size_t before = r->positions ? sizeof(position) : 0;
	unsigned char *to = disruptor_record_try_claim(&r->p, before + size);

	if (!to) {
		disruptor_fetch_add_relaxed(&r->dropped, UINT64_C(1));
		return;
	}
	memcpy(to, &position, before);
	memcpy(to + before, bytes, size);
	(void)disruptor_record_publish(&r->p, before + size);
}

/* What is there, or the code that waiting for it answered. */
static int64_t pass_records(struct relay *r)
{
	int64_t n = disruptor_record_ready_until(r->from, disruptor_in(STREAM_WAIT_NS));
	struct disruptor_record record;
	int rc;

	if (n < 0)
		return n;
	while ((rc = disruptor_record_next(r->from, &record)) > 0)
		pass(r, record.position, record.bytes, record.size);
	(void)disruptor_record_release(r->from);
	return rc < 0 ? rc : n;
}

static int64_t pass_events(struct relay *r)
{
	int64_t n = disruptor_ready_until(r->from, disruptor_in(STREAM_WAIT_NS));
	size_t size = disruptor_ring_info(r->from->ring).event_size;
	uint64_t first = disruptor_consumer_position(r->from);

	for (int64_t i = 0; i < n; i++)
		pass(r, first + (uint64_t)i, disruptor_at(r->from, (uint64_t)i), size);
	if (n > 0)
		(void)disruptor_release(r->from, (uint64_t)n);
	return n;
}

static void *run(void *argument)
{
	struct relay *r = argument;
	bool records = disruptor_record_limit(r->from->ring) != 0;

	(void)disruptor_producer_handoff(&r->p);
	(void)disruptor_consumer_handoff(r->from);
	while (!disruptor_load_relaxed(&r->stops)) {
		r->ended = records ? pass_records(r) : pass_events(r);
		if (r->ended < 0 && r->ended != DISRUPTOR_E_TIMEOUT)
			break;
	}
	disruptor_ring_close(r->ring);
	return NULL;
}

/* A power of two of cells of a line: as many bytes as the other has, and not too few. */
static uint64_t cells_like(const struct disruptor_ring *ring)
{
	const struct disruptor_ring_info info = disruptor_ring_info(ring);
	uint64_t bytes = info.capacity * (info.cell ? info.cell : info.event_size);
	uint64_t cells = 1024;

	while (cells * CELL < bytes && cells < DISRUPTOR_MAX_CAPACITY)
		cells *= 2;
	return cells;
}

int relay_start(struct relay *r, struct disruptor_consumer *from, bool positions)
{
	const struct disruptor_options o = { .size = sizeof(o),
					     .capacity = cells_like(from->ring),
					     .cell = CELL };
	const struct disruptor_type *type = disruptor_record_type();
	int rc;

	memset(r, 0, sizeof(*r));
	r->from = from;
	r->positions = positions;
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
