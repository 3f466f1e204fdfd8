/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Memory and locks refused, each in turn, to what ../unit/{injection,refusal,memory}_test.c leave
 * out: rings with everything on, a worker that joins a pool. Rows T74, T75.
 */
#define _POSIX_C_SOURCE 200809L
#include "refuse.h"

/* ---- rings of every make ---- */

static struct disruptor_options make(unsigned i)
{
	struct disruptor_options o = fixture_options(16);

	o.layout = i & 1 ? DISRUPTOR_PACKED : DISRUPTOR_STAMPED;
	o.producers = i & 1 ? DISRUPTOR_SINGLE : DISRUPTOR_MANY;
	o.flags = (i & 2 ? DISRUPTOR_LOSSY : 0u) | (i & 4 ? DISRUPTOR_PREFAULT : 0u) |
		  (i & 8 ? DISRUPTOR_HUGE_PAGES_TRY : 0u);
	o.max_consumers = i & 1 ? DISRUPTOR_MAX_CONSUMERS : 1;
	return o;
}

static void expect_nothing_kept(void)
{
	for (size_t c = 0; c < DESCRIPTOR; c++)
		assert_int_equal(calls[c].balance, 0);
}

/* With the @p k th call refused; false once so many are not made. */
static bool ring_without(const struct disruptor_options *o, enum call which, unsigned k)
{
	struct disruptor_ring *ring = (void *)&calls; /* has to be overwritten */
	bool reached;
	int rc;

	count_calls(which, k);
	rc = disruptor_ring_create(&ring, &tick_type, o);
	reached = calls[which].made >= k;
	if (reached && rc == 0) { /* huge pages that are only tried: normal ones do */
		assert_true(o->flags & DISRUPTOR_HUGE_PAGES_TRY && which == MEMORY);
	} else if (reached) {
		assert_code(rc, DISRUPTOR_E_NOMEM);
		assert_null(ring);
		assert_true(disruptor_error_detail()[0] != '\0');
	} else {
		assert_code(rc, 0);
	}
	if (rc == 0)
		assert_code(disruptor_ring_destroy(&ring), 0);
	count_no_more();
	expect_nothing_kept();
	return reached;
}

TEST(a_ring_of_any_make_is_made_whole_or_not_at_all)
{
	for (unsigned i = 0; i < 16; i++) {
		struct disruptor_options o = make(i);
		unsigned memory = 1, locks = 1;

		while (ring_without(&o, MEMORY, memory))
			memory++;
		while (ring_without(&o, LOCK, locks))
			locks++;
		assert_true(memory > 1);
		assert_true(locks > 2);
	}
}

/* ---- a worker that joins ---- */

#define WORKERS 2

static int work(void *context, void *event, uint64_t position, int last)
{
	(void)event, (void)position, (void)last;
	disruptor_fetch_add_relaxed((DISRUPTOR_ATOMIC(uint64_t) *)context, UINT64_C(1));
	return DISRUPTOR_CONTINUE;
}

static void joins_without(enum disruptor_mapping mapping, uint32_t threads, enum call which,
			  unsigned refusals)
{
	static DISRUPTOR_ATOMIC(uint64_t) handled;
	struct disruptor_options options = fixture_options(8);
	struct disruptor_handler h[WORKERS];
	const struct disruptor_pool_options po = {
		.size = sizeof(po), .name = "pool", .handlers = h, .count = WORKERS
	};
	struct disruptor *d = graph_open(&options);
	struct disruptor_stage *pool, *late;
	struct tick_producer p;
	unsigned k = 1;

	for (size_t i = 0; i < WORKERS; i++)
		h[i] = (struct disruptor_handler){ .size = sizeof(h[i]),
						   .name = i ? "worker-1" : "worker-0",
						   .context = &handled,
						   .on_event = work };
	disruptor_store_relaxed(&handled, UINT64_C(0));
	graph_map(d, mapping, threads);
	pool = disruptor_pool(d, &po);
	assert_non_null(pool);
	probe_producer(&p, d);
	graph_start(d);
	assert_code(disruptor_detach(disruptor_pool_worker(pool, 1), DISRUPTOR_NOW,
				     in_ms(WATCHDOG_MS)),
		    0);
	for (;; k++) {
		int before;

		count_calls(which, k);
		before = calls[which].balance;
		late = disruptor_pool_attach(pool, &h[1]);
		if (calls[which].made < k)
			break;
		count_no_more();
		assert_null(late);
		assert_detail("'worker-1'");
		assert_int_equal(calls[which].balance, before);
		assert_null(disruptor_pool_worker(pool, 1));
		assert_int_equal(disruptor_state(d), DISRUPTOR_RUNNING);
		probe_publish(&p, 20); /* the other goes on alone */
	}
	count_no_more();
	assert_int_equal(k - 1, refusals);
	assert_non_null(late);
	probe_publish(&p, 20);
	graph_drain(d);
	assert_int_equal(disruptor_load_relaxed(&handled), 20 * k);
	assert_code(tick_producer_close(&p), 0);
	graph_close(&d);
}

TEST(a_worker_that_cannot_have_its_thread_does_not_join_its_pool)
{
	joins_without(DISRUPTOR_MAP_DEDICATED, 0, THREAD, 1);
	joins_without(DISRUPTOR_MAP_DEDICATED, 0, MEMORY, 0);
	joins_without(DISRUPTOR_MAP_SHARED, 1, THREAD, 1);
	joins_without(DISRUPTOR_MAP_SHARED, 1, LOCK, 0);
}

static int refuse_to_start(void *context)
{
	(void)context;
	return -9;
}

/* That nobody but who attached it was to hear of its on_start is over with the refusal. */
TEST(a_worker_that_had_no_thread_once_fails_a_later_start_like_any_other)
{
	struct disruptor_options o = fixture_options(8);
	struct disruptor *d = graph_open(&o);
	struct disruptor_handler h[WORKERS];
	const struct disruptor_pool_options po = {
		.size = sizeof(po), .name = "pool", .handlers = h, .count = WORKERS
	};
	DISRUPTOR_ATOMIC(uint64_t) handled;
	struct disruptor_stage *pool, *late;

	for (size_t i = 0; i < WORKERS; i++)
		h[i] = (struct disruptor_handler){ .size = sizeof(h[i]),
						   .name = i ? "worker-1" : "worker-0",
						   .context = &handled,
						   .on_event = work };
	pool = disruptor_pool(d, &po);
	assert_non_null(pool);
	graph_start(d);
	assert_code(disruptor_detach(disruptor_pool_worker(pool, 1), DISRUPTOR_NOW,
				     in_ms(WATCHDOG_MS)),
		    0);
	count_calls(THREAD, 1);
	late = disruptor_pool_attach(pool, &h[1]);
	count_no_more();
	assert_null(late);
	graph_drain(d);
	h[1].on_start = refuse_to_start;
	late = disruptor_pool_attach(pool, &h[1]);
	assert_non_null(late);
	assert_code(disruptor_start(d), DISRUPTOR_E_FAILED);
	assert_detail("stage 'worker-1': on_start answered -9");
	assert_false(disruptor_stage_running(late));
	assert_int_equal(disruptor_thread_count(d), 0);
	graph_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_ring_of_any_make_is_made_whole_or_not_at_all),
		RUN(a_worker_that_cannot_have_its_thread_does_not_join_its_pool),
		RUN(a_worker_that_had_no_thread_once_fails_a_later_start_like_any_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
