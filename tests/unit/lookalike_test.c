/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A packed ring has no stamps and no voids: where one would stand is the caller's event. Here each
 * begins with what would be the stamp of a void, at addresses where a stamp could not even lie, and
 * every kind of stage is handed it all the same.
 */
#include "probe.h"

#include <string.h>

struct fake {
	uint32_t word[3];
};

DISRUPTOR_EVENT(fake, struct fake,
	DISRUPTOR_U32(struct fake, word));

#define EVENTS 40

struct seen {
	DISRUPTOR_ATOMIC(uint64_t) events;
	uint64_t wrong;
};

static uint64_t stamp_of_void(uint64_t position)
{
	return (position + 1) | DISRUPTOR_VOID;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	const uint64_t expected = stamp_of_void(position);
	struct seen *s = context;

	(void)last;
	s->wrong += memcmp(event, &expected, sizeof(expected)) != 0;
	disruptor_fetch_add_relaxed(&s->events, UINT64_C(1)); /* relaxed: a count */
	return DISRUPTOR_CONTINUE;
}

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled, int last)
{
	for (uint64_t i = 0; i < *handled; i++)
		(void)on_event(context, (unsigned char *)span->first + i * span->stride,
			       span->position + i, last);
	return DISRUPTOR_CONTINUE;
}

static uint64_t key_of(const void *event, void *context)
{
	uint64_t key;

	(void)context;
	memcpy(&key, event, sizeof(key));
	return key;
}

/* ---- the kinds ---- */

static struct disruptor_stage *pool(struct disruptor *d, const struct disruptor_handler *h,
				    bool keyed)
{
	const struct disruptor_handler two[] = { *h, *h };
	const struct disruptor_pool_options o = { .size = sizeof(o),
						  .name = "pool",
						  .handlers = two,
						  .count = 2,
						  .key = keyed ? key_of : NULL };

	return disruptor_pool(d, &o);
}

enum kind { PLAIN, SPANS, LINGERS, DEFERRED, SHARED, KEYED, KINDS };

static struct disruptor_stage *add(struct disruptor *d, enum kind kind, struct seen *s)
{
	struct disruptor_handler h = { .size = sizeof(h), .name = "stage", .context = s };

	h.on_event = kind == SPANS ? NULL : on_event;
	h.on_span = kind == SPANS ? on_span : NULL;
	h.batch_min = kind == LINGERS ? 4 : 0;
	h.linger_ns = kind == LINGERS ? UINT64_C(3600000000000) : 0;
	h.deferred = kind == DEFERRED ? EVENTS : 0;
	return kind >= SHARED ? pool(d, &h, kind == KEYED) : disruptor_stage(d, &h);
}

static void publish(struct fake_producer *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct fake *f = fake_claim(p);
		uint64_t stamp;

		assert_non_null(f);
		stamp = stamp_of_void(disruptor_producer_position(&p->view));
		memcpy(f, &stamp, sizeof(stamp));
		assert_code(fake_publish(p), 0);
	}
}

/* Releasing one event of many carries the gate over no other. */
static void release_each(struct disruptor_stage *s)
{
	for (uint64_t at = 1; at <= EVENTS; at++) {
		while (disruptor_stage_release(s, at) != 0)
			pause_ms(1);
		assert_int_equal(disruptor_stage_position(s), at);
	}
}

TEST(what_looks_like_a_void_in_a_packed_ring_is_an_event)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct disruptor_options options = fixture_options(64);
		struct seen s = { .wrong = 0 };
		struct disruptor_stage *stage;
		struct fake_producer p;
		struct disruptor *d;

		options.layout = DISRUPTOR_PACKED;
		options.flags = DISRUPTOR_TRUST_HANDLERS;
		assert_code(disruptor_create(&d, &fake_type, &options), 0);
		stage = add(d, (enum kind)kind, &s);
		assert_non_null(stage);
		assert_code(fake_producer_open(&p, disruptor_ring(d), NULL), 0);
		graph_start(d);
		publish(&p, 3);
		pause_ms(2); /* one that waits for four holds these back */
		if (kind == LINGERS)
			assert_int_equal(disruptor_load_relaxed(&s.events), 0);
		publish(&p, EVENTS - 3);
		if (kind == DEFERRED)
			release_each(stage);
		graph_drain(d);
		if (s.events != EVENTS || s.wrong != 0)
			fail_msg("kind %d: %llu events, %llu wrong", kind,
				 (unsigned long long)s.events, (unsigned long long)s.wrong);
		assert_int_equal(disruptor_stage_position(stage), EVENTS);
		assert_code(fake_producer_close(&p), 0);
		graph_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(what_looks_like_a_void_in_a_packed_ring_is_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
