/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A stage that reads ahead, another thread that releases in steps of its own, a
 * stage behind it, and voids in between: no release is lost at a void.
 */
#include "stress.h"

struct journal {
	struct disruptor *d;
	struct disruptor_stage *stage, *later;
	struct progress progress;
	uint64_t sent;
	uint64_t read, wrong, seen, later_wrong;
	DISRUPTOR_ATOMIC(uint32_t) over; /* nothing more is sent */
};

static int on_read(void *context, void *event, uint64_t position, int last)
{
	struct journal *j = context;
	const struct tick *t = event;

	(void)last;
	j->wrong += t->value != position;
	j->read++;
	return DISRUPTOR_CONTINUE;
}

static int on_later(void *context, void *event, uint64_t position, int last)
{
	struct journal *j = context;
	const struct tick *t = event;

	j->later_wrong += t->value != position || position >= disruptor_stage_position(j->stage);
	j->seen++;
	if (last)
		progress_made(&j->progress);
	return DISRUPTOR_CONTINUE;
}

static void send(void *argument)
{
	struct journal *j = argument;
	struct budget budget = budget_of(1000000, 400);
	uint64_t seed = fixture_seed(41);
	struct tick_producer p;

	open_producer(&p, disruptor_ring(j->d), disruptor_wait_blocking());
	while (budget_take(&budget)) {
		struct tick *t = tick_claim(&p);

		if (!t)
			break;
		if (next_random(&seed) % 3 == 0) {
			(void)tick_abort(&p);
			continue;
		}
		t->value = disruptor_producer_position(&p.view);
		(void)tick_publish(&p);
		j->sent++;
	}
	(void)tick_producer_close(&p);
	disruptor_store_release(&j->over, 1u); /* release: j->sent, to the thread that joins */
}

/* Releases what was read, now all of it, now a part. */
static void complete(void *argument)
{
	struct journal *j = argument;
	uint64_t seed = fixture_seed(42);

	for (;;) {
		uint32_t over = disruptor_load_acquire(&j->over); /* acquire: pairs with send() */
		uint64_t read = disruptor_stage_read(j->stage);
		uint64_t released = disruptor_stage_position(j->stage);

		if (read == released) {
			if (over && disruptor_ring_stats(disruptor_ring(j->d)).claimed == read)
				return;
			random_pause(&seed);
			continue;
		}
		(void)disruptor_stage_release(j->stage, random_in(&seed, released + 1, read));
	}
}

TEST(another_thread_releases_what_a_stage_reads_ahead)
{
	struct disruptor_options options = fixture_options(32);
	struct disruptor_handler h = {
		.size = sizeof(h), .name = "journal", .on_event = on_read, .deferred = 20
	};
	struct journal j = { 0 };
	struct runner threads[2];

	j.d = graph_open(&options);
	h.context = &j;
	j.stage = disruptor_stage(j.d, &h);
	h.on_event = on_later;
	h.name = "later";
	h.deferred = 0;
	j.later = disruptor_stage(j.d, &h);
	assert_non_null(j.stage);
	assert_non_null(j.later);
	assert_code(disruptor_after(j.later, j.stage), 0);
	graph_start(j.d);
	runner_start(&threads[0], "the producer", send, &j);
	runner_start(&threads[1], "the releaser", complete, &j);
	join_with_progress(threads, 2, &j.progress);
	graph_drain(j.d);
	assert_true(j.sent > 0);
	assert_int_equal(j.read, j.sent);
	assert_int_equal(j.seen, j.sent);
	assert_int_equal(j.wrong, 0);
	assert_int_equal(j.later_wrong, 0);
	graph_close(&j.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(another_thread_releases_what_a_stage_reads_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
