/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "probe.h"

#include <string.h>

static void note(struct probe *p, char call)
{
	if (p->call_count < PROBE_RECORD - 1)
		p->calls[p->call_count++] = call;
}

static int on_start(void *context)
{
	struct probe *p = context;

	note(p, 's');
	disruptor_fetch_add_relaxed(&p->starts, UINT64_C(1));
	return p->start_answer;
}

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	struct probe *p = context;

	note(p, 'b');
	if (p->batches < PROBE_RECORD) {
		p->size[p->batches] = size;
		p->depth[p->batches] = depth;
	}
	p->batches++;
	return p->batch_answer;
}

static void stay(struct probe *p, uint64_t position)
{
	disruptor_store_release(&p->holding, UINT64_C(1));
	while (disruptor_load_acquire(&p->hold_at) == position)
		pause_ms(1);
	disruptor_store_release(&p->holding, UINT64_C(0));
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct probe *p = context;
	const struct tick *t = event;
	uint64_t n = disruptor_load_relaxed(&p->events);

	note(p, 'e');
	p->wrong += t->value != position;
	if (n < PROBE_RECORD) {
		p->position[n] = position;
		p->last[n] = (unsigned char)last;
	}
	if (disruptor_load_relaxed(&p->hold_at) == position)
		stay(p, position);
	if (p->act)
		p->act(p->act_context);
	disruptor_store_release(&p->events, n + 1);
	if (position != p->verdict_at)
		return DISRUPTOR_CONTINUE;
	p->verdict_at = PROBE_NEVER;
	return p->verdict;
}

static int on_idle(void *context)
{
	struct probe *p = context;

	note(p, 'i');
	disruptor_fetch_add_relaxed(&p->idles, UINT64_C(1));
	return p->idle_answer;
}

static int on_stop(void *context)
{
	struct probe *p = context;

	note(p, 'x');
	p->cpu_ns = thread_cpu_ns();
	disruptor_fetch_add_relaxed(&p->stops, UINT64_C(1));
	return p->stop_answer;
}

void probe_init(struct probe *p, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->handler = (struct disruptor_handler){
		.size = sizeof(p->handler),
		.name = name,
		.context = p,
		.on_start = on_start,
		.on_batch = on_batch,
		.on_event = on_event,
		.on_idle = on_idle,
		.on_stop = on_stop,
	};
	p->verdict_at = PROBE_NEVER;
	disruptor_store_relaxed(&p->hold_at, PROBE_NEVER);
}

void probe_add(struct probe *p, struct disruptor *d)
{
	p->stage = disruptor_stage(d, &p->handler);
	if (!p->stage)
		fail_msg("stage '%s': %s", p->handler.name, disruptor_error_detail());
}

void probe_forget(struct probe *p)
{
	disruptor_store_relaxed(&p->events, UINT64_C(0));
	disruptor_store_relaxed(&p->idles, UINT64_C(0));
	disruptor_store_relaxed(&p->starts, UINT64_C(0));
	disruptor_store_relaxed(&p->stops, UINT64_C(0));
	p->wrong = 0;
	p->batches = 0;
	p->call_count = 0;
	memset(p->calls, 0, sizeof(p->calls));
}

/* ---- waiting for it ---- */

static bool is_holding(void *context)
{
	return disruptor_load_acquire(&((struct probe *)context)->holding) != 0;
}

void probe_await_hold(struct probe *p)
{
	await("a stage that should be held in its handler", is_holding, p);
}

void probe_let_go(struct probe *p)
{
	disruptor_store_release(&p->hold_at, PROBE_NEVER);
}

struct count {
	DISRUPTOR_ATOMIC(uint64_t) * counter;
	uint64_t wanted;
};

static bool has_counted(void *context)
{
	struct count *c = context;

	return disruptor_load_acquire(c->counter) >= c->wanted;
}

void probe_await(struct probe *p, uint64_t events)
{
	struct count c = { &p->events, events };

	await("a stage that should have been handed its events", has_counted, &c);
}

void probe_await_starts(struct probe *p, uint64_t times)
{
	struct count c = { &p->starts, times };

	await("a stage that should have started", has_counted, &c);
}

void probe_await_stops(struct probe *p, uint64_t times)
{
	struct count c = { &p->stops, times };

	await("a stage that should have stopped", has_counted, &c);
}

void probe_expect(const struct probe *p, uint64_t from, uint64_t to)
{
	assert_int_equal(p->wrong, 0);
	assert_int_equal(disruptor_load_acquire(&p->events), to - from);
	for (uint64_t i = 0; i < to - from && i < PROBE_RECORD; i++)
		assert_int_equal(p->position[i], from + i);
}

/* ---- the disruptors they are stages of ---- */

struct disruptor *graph_open(const struct disruptor_options *options)
{
	struct disruptor_options trusting = *options; /* side by side is not what most test */
	struct disruptor *d = NULL;
	int rc;

	trusting.flags |= DISRUPTOR_TRUST_HANDLERS;
	rc = disruptor_create(&d, &tick_type, &trusting);
	if (rc != 0)
		fail_msg("disruptor: %s: %s", disruptor_error_name(rc), disruptor_error_detail());
	/* tests hold some handlers up while others go on, on as few cores as there may be */
	graph_map(d, DISRUPTOR_MAP_DEDICATED, 0);
	return d;
}

void graph_map(struct disruptor *d, enum disruptor_mapping mapping, uint32_t threads)
{
	const struct disruptor_executor e = { .size = sizeof(e),
					      .mapping = mapping,
					      .threads = threads };

	assert_code(disruptor_set_executor(d, &e), 0);
}

void graph_close(struct disruptor **d)
{
	int rc = disruptor_stop(*d, DISRUPTOR_NOW, in_ms(WATCHDOG_MS));

	if (rc != DISRUPTOR_E_FAILED)
		assert_code(rc, 0);
	assert_code(disruptor_destroy(d), 0);
	assert_null(*d);
}

void graph_start(struct disruptor *d)
{
	assert_code(disruptor_start(d), 0);
}

void graph_drain(struct disruptor *d)
{
	assert_code(disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), 0);
}

static bool has_failed(void *context)
{
	return disruptor_state(context) == DISRUPTOR_FAILED;
}

void graph_run_to_failure(struct disruptor *d)
{
	int rc = disruptor_start(d);

	await("a stage that should have failed", has_failed, d);
	if (rc == 0)
		rc = disruptor_stop(d, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS));
	assert_code(rc, DISRUPTOR_E_FAILED);
}

void probe_producer(struct tick_producer *p, struct disruptor *d)
{
	const struct disruptor_producer_options options = {
		.size = sizeof(options),
		.overflow = DISRUPTOR_UNTIL,
		.timeout_ns = (uint64_t)WATCHDOG_MS * 1000000,
	};

	assert_code(tick_producer_open(p, disruptor_ring(d), &options), 0);
}

void probe_publish(struct tick_producer *p, uint64_t n)
{
	while (n-- > 0) {
		struct tick *t = tick_claim(p);

		if (!t)
			fail_msg("claim: %s", disruptor_error_name(tick_status(p)));
		t->value = disruptor_producer_position(&p->view);
		assert_code(tick_publish(p), 0);
	}
}

uint64_t in_ms(unsigned ms)
{
	return disruptor_in((uint64_t)ms * 1000000);
}
