/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Producers give up claims at random, whole or in part. Every stage, of a
 * pipeline and of a multicast, sees what was published and no void; batch sizes
 * and the flag of the last event stay right.
 */
#include "stress.h"

#include <string.h>

#define PRODUCERS 3
#define STAGES 4
#define CAPACITY 16

struct field {
	struct disruptor *d;
	struct progress progress;
	struct sower {
		struct field *field;
		uint64_t id, sown, given_up, seed;
		int status;
	} sower[PRODUCERS];
	struct reaper {
		struct field *field;
		struct disruptor_stage *stage;
		uint64_t next[PRODUCERS];
		uint64_t wrong, announced, seen, batches, lasts;
		int ended; /* the last event was the last of its batch */
	} reaper[STAGES];
};

/* ---- stages ---- */

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	struct reaper *r = context;

	/* the batch before is complete */
	r->wrong += size == 0 || depth < size || r->announced != r->seen;
	r->wrong += r->batches > 0 && !r->ended;
	r->announced += size;
	r->batches++;
	return 0;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct reaper *r = context;
	const struct tick *t = event;

	(void)position;
	r->wrong += t->from >= PRODUCERS || t->value != r->next[t->from % PRODUCERS]++;
	r->seen++;
	r->lasts += last != 0;
	r->ended = last;
	progress_made(&r->field->progress);
	return DISRUPTOR_CONTINUE;
}

static void add_reapers(struct field *f)
{
	for (size_t i = 0; i < STAGES; i++) {
		struct disruptor_handler h = { .size = sizeof(h),
					       .name = "reaper",
					       .context = &f->reaper[i],
					       .on_batch = on_batch,
					       .on_event = on_event };

		f->reaper[i].field = f;
		f->reaper[i].stage = disruptor_stage(f->d, &h);
		assert_non_null(f->reaper[i].stage);
	}
}

/* ---- producers ---- */

/* Publish a part of the open run or give it up; the rest likewise. */
static void sow(struct sower *s, struct tick_producer *p)
{
	uint64_t left;

	while ((left = disruptor_claimed(&p->view)) > 0) {
		uint64_t n = random_in(&s->seed, 1, left);

		if (next_random(&s->seed) % 3 == 0) {
			(void)disruptor_abort_n(&p->view, n);
			s->given_up += n;
			continue;
		}
		for (uint64_t i = 0; i < n; i++)
			*tick_claimed_at(p, i) = (struct tick){ .value = s->sown++, .from = s->id };
		(void)tick_publish_n(p, n);
	}
}

static void sow_all(void *argument)
{
	struct sower *s = argument;
	struct budget budget = budget_of(UINT64_MAX / 2, 500);
	struct tick_producer p;

	open_producer(&p, disruptor_ring(s->field->d), (struct disruptor_wait){ 0 });
	while (budget_take(&budget) && s->status == 0) {
		if (tick_claim_n(&p, random_in(&s->seed, 1, 6)))
			sow(s, &p);
		else
			s->status = tick_status(&p);
		progress_made(&s->field->progress);
	}
	(void)tick_producer_close(&p);
}

/* ---- the test ---- */

static void field_run(struct field *f, size_t producers)
{
	struct runner thread[PRODUCERS];

	graph_start(f->d);
	for (size_t i = 0; i < producers; i++) {
		struct sower *s = &f->sower[i];

		s->field = f;
		s->id = i;
		s->seed = fixture_seed(23) + i;
		runner_start(&thread[i], "a producer", sow_all, s);
	}
	join_with_progress(thread, producers, &f->progress);
	graph_drain(f->d);
}

static void field_check(const struct field *f, size_t producers)
{
	uint64_t sown = 0, given_up = 0;

	for (size_t i = 0; i < producers; i++) {
		assert_code(f->sower[i].status, 0);
		assert_true(f->sower[i].sown > 0);
		sown += f->sower[i].sown;
		given_up += f->sower[i].given_up;
	}
	assert_true(given_up > 0);
	assert_int_equal(disruptor_ring_stats(disruptor_ring(f->d)).voids, given_up);
	for (size_t i = 0; i < STAGES; i++) {
		const struct reaper *r = &f->reaper[i];

		assert_int_equal(r->wrong, 0);
		assert_int_equal(r->seen, sown);
		assert_int_equal(r->announced, sown);
		assert_int_equal(r->lasts, r->batches);
		assert_true(r->ended);
		assert_int_equal(disruptor_stage_position(r->stage), sown + given_up);
	}
}

/* One and two side by side, three behind both, four behind three. */
static void voids(size_t producers)
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct field f;

	memset(&f, 0, sizeof(f));
	options.producers = producers > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	f.d = graph_open(&options);
	add_reapers(&f);
	assert_code(disruptor_after(f.reaper[2].stage, f.reaper[0].stage), 0);
	assert_code(disruptor_after(f.reaper[2].stage, f.reaper[1].stage), 0);
	assert_code(disruptor_after(f.reaper[3].stage, f.reaper[2].stage), 0);
	field_run(&f, producers);
	field_check(&f, producers);
	graph_close(&f.d);
}

TEST(one_producer_gives_claims_up_at_random)
{
	voids(1);
}

TEST(many_producers_give_claims_up_at_random)
{
	voids(PRODUCERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(one_producer_gives_claims_up_at_random),
		RUN(many_producers_give_claims_up_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
