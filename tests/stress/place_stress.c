/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Consumers attach at the oldest event, or at a position, while producers run
 * flat out, and consumers in the middle leave. Each sees consecutive events,
 * whole, and none that those before it have not marked.
 */
#include "stress.h"

#include "ring/consumer.h"

#include <string.h>

#define PRODUCERS_MAX 2
#define VISITORS 3

struct place {
	struct disruptor_ring *ring;
	struct progress progress;
	struct tick_consumer resident;
	uint64_t resident_wrong;
	DISRUPTOR_ATOMIC(uint32_t) over;
	struct visitor {
		struct place *place;
		uint64_t id, visits, refused, events, wrong, seed;
	} visitor[VISITORS];
};

/* Now and then a claim is given up; a packed ring then claims the position again. */
static void write_ticks(void *argument)
{
	struct place *h = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 700);
	uint64_t seed = fixture_seed(23);
	struct tick_producer p;

	open_producer(&p, h->ring, disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		*t = (struct tick){ .value = disruptor_producer_position(&p.view) };
		if (next_random(&seed) % 16 == 0)
			(void)tick_abort(&p);
		else
			(void)tick_publish(&p);
		progress_made(&h->progress);
	}
	(void)tick_producer_close(&p);
}

/* Marks each event, for those who come after it. */
static void reside(void *argument)
{
	struct place *h = argument;
	int64_t n;

	while ((n = tick_ready_until(&h->resident, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++) {
			struct tick *t = tick_at(&h->resident, i);
			uint64_t position = disruptor_consumer_position(&h->resident.view) + i;

			h->resident_wrong += t->value != position;
			t->from = position + 1;
		}
		(void)tick_release(&h->resident, (uint64_t)n);
	}
}

static void look(struct visitor *v, struct tick_consumer *c, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		const struct tick *t = tick_at(c, i);
		uint64_t position = disruptor_consumer_position(&c->view) + i;

		v->wrong += t->value != position || t->from != position + 1;
	}
	v->events += n;
}

/* Some batches of it; the ring's end is not an error. */
static bool read_some(struct visitor *v, struct tick_consumer *c, uint64_t batches)
{
	while (batches-- > 0) {
		int64_t n = tick_ready_until(c, DISRUPTOR_FOREVER);

		if (n <= 0)
			return false;
		look(v, c, (uint64_t)n);
		(void)tick_release(c, random_in(&v->seed, 1, (uint64_t)n));
	}
	return true;
}

static int open_after(struct visitor *v, struct tick_consumer *c,
		      const struct tick_consumer *before, enum disruptor_at at, uint64_t position)
{
	const struct disruptor_consumer *after[] = { &before->view };
	const struct disruptor_consumer_options options = {
		.size = sizeof(options),
		.after = after,
		.after_count = 1,
		.at = at,
		.position = position,
		.wait = disruptor_wait_blocking(),
	};

	return tick_consumer_open(c, v->place->ring, &options);
}

/* All come after the resident, which writes: a reader beside it would race with its marks. */
static void visit(void *argument)
{
	struct visitor *v = argument;
	struct place *h = v->place;

	while (!disruptor_load_acquire(&h->over)) {
		enum disruptor_at at = v->id ? DISRUPTOR_AT_OLDEST : DISRUPTOR_AT_POSITION;
		struct disruptor_ring_stats s = disruptor_ring_stats(h->ring);
		uint64_t back = random_in(&v->seed, 0, 6);
		uint64_t position = s.released > back ? s.released - back : 0;
		struct tick_consumer c;
		int rc = open_after(v, &c, &h->resident, at, v->id ? 0 : position);

		if (rc != 0) {
			v->wrong += v->id != 0 || rc != DISRUPTOR_E_RANGE;
			v->refused++;
			random_pause(&v->seed);
			continue;
		}
		if (!v->id)
			v->wrong += disruptor_consumer_position(&c.view) != position;
		(void)read_some(v, &c, next_random(&v->seed) % 8);
		(void)tick_consumer_close(&c);
		v->visits++;
	}
}

static void open_place(struct place *h, uint64_t capacity, size_t producers,
		       enum disruptor_layout layout)
{
	struct disruptor_options options = fixture_options(capacity);

	memset(h, 0, sizeof(*h));
	options.layout = layout;
	options.producers = producers > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	h->ring = ring_open(&options);
	open_consumer(&h->resident, h->ring, disruptor_wait_blocking());
	for (size_t i = 0; i < VISITORS; i++) {
		h->visitor[i].place = h;
		h->visitor[i].id = i;
		h->visitor[i].seed = fixture_seed(17) + i;
	}
}

static void run_place(struct place *h, size_t producers, size_t visitors, void (*as)(void *))
{
	struct runner thread[PRODUCERS_MAX + VISITORS + 1];

	runner_start(&thread[PRODUCERS_MAX], "the resident", reside, h);
	for (size_t i = 0; i < visitors; i++)
		runner_start(&thread[PRODUCERS_MAX + 1 + i], "a visitor", as, &h->visitor[i]);
	for (size_t i = 0; i < producers; i++)
		runner_start(&thread[i], "a producer", write_ticks, h);
	join_with_progress(thread, producers, &h->progress);
	disruptor_store_release(&h->over, 1u);
	disruptor_ring_close(h->ring);
	join_with_progress(&thread[PRODUCERS_MAX], visitors + 1, &h->progress);
	assert_int_equal(h->resident_wrong, 0);
	for (size_t i = 0; i < visitors; i++) {
		assert_int_equal(h->visitor[i].wrong, 0);
		assert_true(h->visitor[i].visits + h->visitor[i].refused > 0);
	}
	assert_true(h->visitor[visitors - 1].events > 0);
	assert_code(tick_consumer_close(&h->resident), 0);
	ring_close(&h->ring);
}

TEST(consumers_attach_at_old_events_under_one_producer)
{
	struct place h;

	open_place(&h, 8, 1, DISRUPTOR_STAMPED);
	run_place(&h, 1, VISITORS, visit);
}

TEST(consumers_attach_at_old_events_under_many_producers)
{
	struct place h;

	open_place(&h, 8, PRODUCERS_MAX, DISRUPTOR_STAMPED);
	run_place(&h, PRODUCERS_MAX, VISITORS, visit);
}

TEST(consumers_attach_at_old_events_of_a_packed_ring)
{
	struct place h;

	open_place(&h, 64, 1, DISRUPTOR_PACKED);
	run_place(&h, 1, VISITORS, visit);
}

/* ---- leaving ---- */

struct last {
	struct visitor *v;
	struct tick_consumer c;
	DISRUPTOR_ATOMIC(uint64_t) batches;
	DISRUPTOR_ATOMIC(uint32_t) over;
};

/* Interrupted, not told by a flag alone: an interrupt must not be lost to a change of the order. */
static void be_last(void *argument)
{
	struct last *l = argument;
	int64_t n;

	while ((n = tick_ready_until(&l->c, DISRUPTOR_FOREVER)) > 0) {
		look(l->v, &l->c, (uint64_t)n);
		(void)tick_release(&l->c, (uint64_t)n);
		disruptor_fetch_add_relaxed(&l->batches, UINT64_C(1));
	}
	l->v->wrong += n != DISRUPTOR_E_INTERRUPTED && n != DISRUPTOR_E_CLOSED;
}

/* The resident → middle → last; the middle reads a little, leaves, and its entry is used again. */
static void leave_and_come(void *argument)
{
	struct visitor *v = argument;
	struct place *h = v->place;

	while (!disruptor_load_acquire(&h->over)) {
		struct tick_consumer middle, next;
		struct last l = { .v = v };
		struct visitor own = { .place = h, .seed = v->seed };
		struct runner thread;

		if (open_after(v, &middle, &h->resident, DISRUPTOR_AT_OLDEST, 0) != 0 ||
		    open_after(v, &l.c, &middle, DISRUPTOR_AT_NEWEST, 0) != 0)
			break;
		runner_start(&thread, "who comes after one that leaves", be_last, &l);
		(void)read_some(&own, &middle, random_in(&own.seed, 0, 3));
		consumer_detach(&middle.view);
		if (open_after(v, &next, &h->resident, DISRUPTOR_AT_NEWEST, 0) == 0) {
			(void)read_some(&own, &next, 1);
			(void)tick_consumer_close(&next);
		}
		disruptor_consumer_interrupt(&l.c.view);
		runner_join(&thread);
		(void)tick_consumer_close(&l.c);
		v->seed = own.seed;
		v->wrong += own.wrong;
		v->events += own.events;
		v->visits++;
	}
}

TEST(those_behind_one_that_leaves_go_on_under_one_producer)
{
	struct place h;

	open_place(&h, 8, 1, DISRUPTOR_STAMPED);
	run_place(&h, 1, 2, leave_and_come);
}

TEST(those_behind_one_that_leaves_go_on_under_many_producers)
{
	struct place h;

	open_place(&h, 8, PRODUCERS_MAX, DISRUPTOR_STAMPED);
	run_place(&h, PRODUCERS_MAX, 2, leave_and_come);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(consumers_attach_at_old_events_under_one_producer),
		RUN(consumers_attach_at_old_events_under_many_producers),
		RUN(consumers_attach_at_old_events_of_a_packed_ring),
		RUN(those_behind_one_that_leaves_go_on_under_one_producer),
		RUN(those_behind_one_that_leaves_go_on_under_many_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
