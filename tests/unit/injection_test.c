/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What the system refuses: threads (row T74), memory and locks (row T75); and
 * that nothing is allocated once a disruptor runs. What a graph may have beside
 * its stages is in refusal_test.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "refuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- threads: T74 ---- */

#define STAGES 4

struct crew {
	struct disruptor *d;
	struct probe probe[STAGES];
	struct tick_producer producer;
};

static void crew_open(struct crew *c)
{
	static const char *const names[STAGES] = { "stage-1", "stage-2", "stage-3", "stage-4" };
	struct disruptor_options options = fixture_options(16);

	c->d = graph_open(&options);
	for (size_t i = 0; i < STAGES; i++) {
		probe_init(&c->probe[i], names[i]);
		probe_add(&c->probe[i], c->d);
	}
	assert_code(disruptor_after(c->probe[3].stage, c->probe[0].stage), 0);
	probe_producer(&c->producer, c->d);
}

static void crew_close(struct crew *c)
{
	assert_code(tick_producer_close(&c->producer), 0);
	graph_close(&c->d);
}

/* A start that fails at the @p k th thread, from 1. */
static void crew_fails_to_start(struct crew *c, unsigned k)
{
	char name[16];

	for (size_t i = 0; i < STAGES; i++)
		probe_forget(&c->probe[i]);
	count_calls(THREAD, k);
	assert_code(disruptor_start(c->d), DISRUPTOR_E_SYSTEM);
	count_no_more();
	(void)snprintf(name, sizeof(name), "stage-%u", k);
	assert_detail(name);
	assert_int_equal(calls[THREAD].made, k);
	assert_int_equal(calls[THREAD].balance, 0); /* those made are joined */
	for (size_t i = 0; i < STAGES; i++) {
		assert_int_equal(disruptor_load_acquire(&c->probe[i].starts), i < k - 1);
		assert_int_equal(disruptor_load_acquire(&c->probe[i].stops), i < k - 1);
	}
}

static void crew_works(struct crew *c, uint64_t from, uint64_t events)
{
	for (size_t i = 0; i < STAGES; i++)
		probe_forget(&c->probe[i]);
	graph_start(c->d);
	probe_publish(&c->producer, events);
	graph_drain(c->d);
	for (size_t i = 0; i < STAGES; i++)
		probe_expect(&c->probe[i], from, from + events);
}

TEST(thread_that_cannot_be_made_fails_the_start_and_it_may_be_tried_again)
{
	for (unsigned k = 1; k <= STAGES; k++) {
		struct crew c;

		crew_open(&c);
		crew_fails_to_start(&c, k);
		assert_int_equal(disruptor_state(c.d), DISRUPTOR_INIT);
		crew_fails_to_start(&c, STAGES + 1 - k);
		crew_works(&c, 0, 40);
		crew_close(&c);
	}
}

TEST(stages_may_be_added_after_a_failed_start)
{
	struct probe another;
	struct crew c;

	crew_open(&c);
	crew_fails_to_start(&c, 2);
	probe_init(&another, "another");
	probe_add(&another, c.d);
	crew_works(&c, 0, 20);
	probe_expect(&another, 0, 20);
	crew_close(&c);
}

/* It is stopped as before: closed to producers, who would find nobody to make room for them. */
TEST(failed_restart_leaves_it_stopped_and_closed)
{
	struct crew c;

	crew_open(&c);
	crew_works(&c, 0, 20);
	crew_fails_to_start(&c, 3);
	assert_int_equal(disruptor_state(c.d), DISRUPTOR_STOPPED);
	assert_null(tick_try_claim(&c.producer));
	assert_code(tick_status(&c.producer), DISRUPTOR_E_CLOSED);
	crew_works(&c, 20, 20);
	crew_close(&c);
}

/* ---- memory and locks: T75 ---- */

/* Build and destroy with the @p k th call refused; false once that many are not made. */
static bool build_without(enum call which, unsigned k)
{
	struct disruptor_options options = fixture_options(16);
	struct disruptor *d = NULL;
	bool reached;
	int rc;

	count_calls(which, k);
	rc = disruptor_create(&d, &tick_type, &options);
	reached = calls[which].made >= k;
	if (reached) {
		count_no_more();
		assert_code(rc, DISRUPTOR_E_NOMEM);
		assert_null(d);
		assert_true(disruptor_error_detail()[0] != '\0');
	} else {
		assert_code(rc, 0);
		assert_code(disruptor_destroy(&d), 0);
		count_no_more();
	}
	for (size_t c = 0; c < CALLS; c++)
		assert_int_equal(calls[c].balance, 0);
	return reached;
}

TEST(refused_memory_fails_the_creation_and_nothing_is_kept)
{
	unsigned k = 1;

	while (build_without(MEMORY, k))
		k++;
	assert_true(k > 2); /* the ring and the disruptor at least */
}

TEST(refused_lock_fails_the_creation_and_nothing_is_kept)
{
	unsigned k = 1;

	while (build_without(LOCK, k))
		k++;
	assert_true(k > 6); /* three monitors, each a mutex and a condition variable */
}

TEST(nothing_is_allocated_once_it_has_started)
{
	struct disruptor_handler late;
	struct crew c;

	crew_open(&c);
	late = c.probe[0].handler;
	graph_start(c.d);
	count_calls(MEMORY, 0);
	probe_publish(&c.producer, 500);
	assert_non_null(tick_claim(&c.producer));
	assert_code(tick_abort(&c.producer), 0);
	assert_null(disruptor_stage(c.d, &late)); /* an error with its detail */
	(void)disruptor_ring_stats(disruptor_ring(c.d));
	assert_code(disruptor_stop(c.d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
	graph_start(c.d);
	graph_drain(c.d);
	count_no_more();
	assert_int_equal(calls[MEMORY].made, 0);
	assert_int_equal(calls[MEMORY].balance, 0);
	crew_close(&c);
}

/* ---- the user's allocator ---- */

struct heap {
	unsigned made, refuse;
	size_t bytes; /* taken and not given back */
	unsigned misaligned;
};

static void *heap_take(void *context, size_t size, size_t align)
{
	struct heap *h = context;
	void *memory = NULL;

	if (++h->made == h->refuse || posix_memalign(&memory, align, size) != 0)
		return NULL;
	memset(memory, 0xa5, size); /* it need not be zeroed */
	h->bytes += size;
	h->misaligned += align == 0 || (align & (align - 1)) != 0;
	return memory;
}

static void heap_give_back(void *context, void *memory, size_t size)
{
	struct heap *h = context;

	h->bytes -= size;
	free(memory);
}

static struct disruptor_options heap_options(struct heap *h)
{
	struct disruptor_options options = fixture_options(16);

	options.allocator.allocate = heap_take;
	options.allocator.release = heap_give_back;
	options.allocator.context = h;
	return options;
}

TEST(all_memory_comes_from_the_allocator_and_goes_back)
{
	struct heap h = { 0 };
	struct disruptor_options options = heap_options(&h);
	struct tick_producer producer;
	struct disruptor *d = NULL;
	struct probe probe;

	count_calls(MEMORY, 0);
	assert_code(disruptor_create(&d, &tick_type, &options), 0);
	count_no_more();
	assert_int_equal(calls[MEMORY].made, h.made); /* those of heap_take() alone */
	assert_int_equal(h.misaligned, 0);
	probe_init(&probe, "probe");
	probe_add(&probe, d);
	probe_producer(&producer, d);
	graph_start(d);
	probe_publish(&producer, 50);
	graph_drain(d);
	probe_expect(&probe, 0, 50);
	assert_code(tick_producer_close(&producer), 0);
	graph_close(&d);
	assert_int_equal(h.bytes, 0);
}

TEST(allocator_that_refuses_fails_the_creation_and_gets_everything_back)
{
	for (unsigned k = 1; k <= 2; k++) {
		struct heap h = { .refuse = k };
		struct disruptor_options options = heap_options(&h);
		struct disruptor *d = NULL;

		assert_code(disruptor_create(&d, &tick_type, &options), DISRUPTOR_E_NOMEM);
		assert_null(d);
		assert_int_equal(h.made, k);
		assert_int_equal(h.bytes, 0);
	}
}

#if defined(DISRUPTOR_HOOKS)
/* ---- a consumer that attaches, interrupted at its weakest point ---- */

struct attach {
	struct disruptor_ring *ring;
	struct tick_producer producer;
	struct tick_consumer first, second;
	struct runner blocked;
	bool woken;
};

static void claim_one_more(void *context)
{
	struct attach *a = context;

	uint64_t deadline = in_ms(WATCHDOG_MS / 4);

	disruptor_producer_handoff(&a->producer.view);
	if (!tick_claim_until(&a->producer, deadline))
		return;
	/* at the deadline it looks once more, and finds the room that it was not told of */
	a->woken = disruptor_now() < deadline;
	(void)tick_publish(&a->producer);
}

/* The provisional gate is now where the ring was a lap ago, and a producer sleeps because of it. */
static void lap_the_attacher(void *context)
{
	struct attach *a = context;
	uint64_t before = disruptor_ring_stats(a->ring).sleeps;

	publish_ticks(&a->producer, 4);
	read_ticks(&a->first, 4);
	runner_start(&a->blocked, "a producer that a provisional gate holds back", claim_one_more,
		     a);
	await_sleeps(a->ring, before + 1);
}

TEST(producer_that_a_provisional_gate_put_to_sleep_is_woken)
{
	struct disruptor_options options = fixture_options(4);
	struct attach a = { 0 };

	a.ring = ring_open(&options);
	assert_code(tick_producer_open(&a.producer, a.ring, NULL), 0);
	assert_code(tick_consumer_open(&a.first, a.ring, NULL), 0);
	hook_at(HOOK_ATTACH_PROVISIONAL, 1, lap_the_attacher, &a);
	assert_code(tick_consumer_open(&a.second, a.ring, NULL), 0);
	assert_int_equal(hook_calls(), 1);
	runner_join(&a.blocked);
	disruptor_producer_handoff(&a.producer.view);
	assert_true(a.woken);
	assert_int_equal(disruptor_consumer_position(&a.second.view), 4);
	assert_int_equal(tick_ready(&a.second), 1);
	assert_code(tick_consumer_close(&a.second), 0);
	assert_code(tick_consumer_close(&a.first), 0);
	assert_code(tick_producer_close(&a.producer), 0);
	ring_close(&a.ring);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(thread_that_cannot_be_made_fails_the_start_and_it_may_be_tried_again),
		RUN(stages_may_be_added_after_a_failed_start),
		RUN(failed_restart_leaves_it_stopped_and_closed),
		RUN(refused_memory_fails_the_creation_and_nothing_is_kept),
		RUN(refused_lock_fails_the_creation_and_nothing_is_kept),
		RUN(nothing_is_allocated_once_it_has_started),
		RUN(all_memory_comes_from_the_allocator_and_goes_back),
		RUN(allocator_that_refuses_fails_the_creation_and_gets_everything_back),
#if defined(DISRUPTOR_HOOKS)
		RUN(producer_that_a_provisional_gate_put_to_sleep_is_woken),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
