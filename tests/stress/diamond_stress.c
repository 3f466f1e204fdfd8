/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A diamond whose sides each write to the event and whose end checks all of it,
 * in both layouts: every stage's writes are there for the stages behind it, and
 * no producer writes under a reader.
 */
#include "stress.h"

#include <string.h>

#define WORDS 4

struct gem {
	uint64_t word[WORDS];  /* the producer's */
	uint64_t sum, product; /* the sides' */
};

static const struct disruptor_type gem_type = { .name = "gem",
						.size = sizeof(struct gem),
						.align = 8 };

struct diamond {
	struct disruptor *d;
	struct progress progress;
	uint64_t batch; /* events a publish at most */
	uint64_t sent, checked, wrong, side_wrong[2];
};

static uint64_t word_of(uint64_t position, uint64_t i)
{
	return (position + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ i;
}

static uint64_t sum_of(const struct gem *g)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < WORDS; i++)
		sum += g->word[i];
	return sum;
}

static uint64_t product_of(const struct gem *g)
{
	uint64_t product = 1;

	for (size_t i = 0; i < WORDS; i++)
		product *= g->word[i] | 1;
	return product;
}

static uint64_t words_wrong(const struct gem *g, uint64_t position)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < WORDS; i++)
		wrong += g->word[i] != word_of(position, i);
	return wrong;
}

static int left(void *context, void *event, uint64_t position, int last)
{
	struct diamond *d = context;
	struct gem *g = event;

	(void)last;
	d->side_wrong[0] += words_wrong(g, position);
	g->sum = sum_of(g);
	return DISRUPTOR_CONTINUE;
}

static int right(void *context, void *event, uint64_t position, int last)
{
	struct diamond *d = context;
	struct gem *g = event;

	(void)last;
	d->side_wrong[1] += words_wrong(g, position);
	g->product = product_of(g);
	/* now and then an early release, so that positions move inside batches */
	return position % 5 == 0 ? DISRUPTOR_RELEASE : DISRUPTOR_CONTINUE;
}

static int end(void *context, void *event, uint64_t position, int last)
{
	struct diamond *d = context;
	const struct gem *g = event;

	d->wrong += position != d->checked++ || words_wrong(g, position) != 0;
	d->wrong += g->sum != sum_of(g) || g->product != product_of(g);
	if (last)
		progress_made(&d->progress);
	return DISRUPTOR_CONTINUE;
}

static void cut(void *argument)
{
	struct diamond *d = argument;
	struct budget budget = budget_of(3000000, 300);
	uint64_t seed = fixture_seed(31);
	struct disruptor_producer p;

	if (disruptor_producer_open(&p, disruptor_ring(d->d), &gem_type, NULL) != 0)
		return;
	while (budget_take(&budget)) {
		uint64_t n = random_in(&seed, 1, d->batch);

		if (!disruptor_claim_n(&p, n))
			break;
		for (uint64_t k = 0; k < n; k++) {
			struct gem *g = disruptor_claimed_at(&p, k);

			/* the sides' words keep what the last lap left: they must be written */
			for (size_t i = 0; i < WORDS; i++)
				g->word[i] = word_of(d->sent + k, i);
		}
		(void)disruptor_publish(&p);
		d->sent += n;
	}
	(void)disruptor_producer_close(&p);
}

static void mine(struct diamond *d, struct disruptor_options options)
{
	static int (*const on_event[])(void *, void *, uint64_t, int) = { left, right, end };
	struct disruptor_stage *stage[3];

	assert_code(disruptor_create(&d->d, &gem_type, &options), 0);
	for (size_t i = 0; i < 3; i++) {
		struct disruptor_handler h = {
			.size = sizeof(h), .name = "facet", .context = d, .on_event = on_event[i]
		};

		stage[i] = disruptor_stage(d->d, &h);
		assert_non_null(stage[i]);
	}
	assert_code(disruptor_after(stage[2], stage[0]), 0);
	assert_code(disruptor_after(stage[2], stage[1]), 0);
}

static void diamond(uint64_t capacity, enum disruptor_layout layout, uint64_t batch)
{
	struct disruptor_options options = fixture_options(capacity);
	struct runner thread;
	struct diamond d;

	memset(&d, 0, sizeof(d));
	d.batch = batch;
	options.flags = DISRUPTOR_TRUST_HANDLERS; /* its type names no fields */
	options.layout = layout;
	mine(&d, options);
	graph_start(d.d);
	runner_start(&thread, "the producer", cut, &d);
	join_with_progress(&thread, 1, &d.progress);
	graph_drain(d.d);
	assert_true(d.sent > 0);
	assert_int_equal(d.checked, d.sent);
	assert_int_equal(d.wrong, 0);
	assert_int_equal(d.side_wrong[0], 0);
	assert_int_equal(d.side_wrong[1], 0);
	graph_close(&d.d);
}

TEST(diamond_of_stamped_slots_is_flawless)
{
	diamond(4, DISRUPTOR_STAMPED, 3);
	diamond(1024, DISRUPTOR_STAMPED, 16);
}

TEST(diamond_of_packed_events_is_flawless)
{
	diamond(4, DISRUPTOR_PACKED, 3);
	diamond(1024, DISRUPTOR_PACKED, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(diamond_of_stamped_slots_is_flawless),
		RUN(diamond_of_packed_events_is_flawless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
