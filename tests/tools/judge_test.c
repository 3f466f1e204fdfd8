/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What the benchmarks make of samples: two speeds of a stream are told from two of the machine, and
 * what the machine treated alike is compared.
 */
#include "bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The rest of the benchmarks is not needed for that. */
const char *bench_entry_name(const struct bench_entry *entry)
{
	return entry->name;
}

void bench_fail(const char *format, ...)
{
	print_error("%s\n", format);
	abort();
}

enum { ROUNDS = 20 };

static const struct bench_scenario scenario = {
	.name = "steady",
	.better = BENCH_MORE,
	.bars = { { .bar = 0.5, .against = BENCH_OWN_BEST } },
};

static const struct bench_subject subject = { .name = "stream", .waits = "busy-spin" };

/* A pair of rows with the same samples. */
static struct bench_result *judged(const struct bench_beside *samples)
{
	struct bench_result *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->scenario = &scenario;
	r->rounds = ROUNDS;
	r->count = 2;
	r->main = &r->row[0];
	r->again = &r->row[1];
	r->row[1].entry.role = BENCH_AGAIN;
	for (size_t i = 0; i < r->count; i++) {
		r->row[i].entry.subject = &subject;
		r->row[i].entry.name = "stream";
		for (unsigned k = 0; k < ROUNDS; k++) {
			r->row[i].sample[k].line = samples[k].line;
			r->row[i].sample[k].value = samples[k].value;
		}
	}
	bench_summarise(r, true);
	assert_int_equal(r->judgements, 1);
	return r;
}

static void expect(const struct bench_beside *samples, enum bench_verdict verdict, double got,
		   unsigned groups, unsigned elsewhere)
{
	struct bench_result *r = judged(samples);

	assert_int_equal(r->judgement[0].verdict, verdict);
	if (isnan(got))
		assert_true(isnan(r->judgement[0].got.range.median));
	else
		assert_true(fabs(r->judgement[0].got.range.median - got) < 1e-9);
	assert_int_equal(r->main->groups, groups);
	assert_int_equal(r->main->elsewhere, elsewhere);
	free(r);
}

static const struct bench_scenario compared = {
	.name = "compared",
	.better = BENCH_MORE,
	.bars = { { .bar = 0.5, .against = "limit" } },
};

/* A limit, a stream beside lines of its own, and the stream again; the bar is the stream's. */
static struct bench_result *compare(const struct bench_beside *limit,
				    const struct bench_beside *stream,
				    const struct bench_beside *again)
{
	static const enum bench_role roles[] = { BENCH_LIMIT, BENCH_MAIN, BENCH_AGAIN };
	const struct bench_beside *samples[] = { limit, stream, again };
	struct bench_result *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->scenario = &compared;
	r->rounds = ROUNDS;
	r->count = 3;
	r->limit = &r->row[0];
	r->main = &r->row[1];
	r->again = &r->row[2];
	for (size_t i = 0; i < r->count; i++) {
		r->row[i].entry = (struct bench_entry){ .subject = &subject,
							.name = i == 0 ? "limit" : "stream",
							.role = roles[i] };
		for (unsigned k = 0; k < ROUNDS; k++) {
			r->row[i].sample[k].line = samples[i][k].line;
			r->row[i].sample[k].value = samples[i][k].value;
		}
	}
	bench_summarise(r, true);
	assert_int_equal(r->judgements, 1);
	return r;
}

static void all_alike(struct bench_beside *samples, double value)
{
	for (unsigned k = 0; k < ROUNDS; k++)
		samples[k] = (struct bench_beside){ 120 + k, value };
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void rounds_that_the_machine_treated_unlike_do_not_count(void **state)
{
	struct bench_beside limit[ROUNDS], stream[ROUNDS], again[ROUNDS];
	struct bench_result *r;

	(void)state;
	all_alike(limit, 100);
	all_alike(stream, 60);
	all_alike(again, 66);
	for (unsigned k = 0; k < ROUNDS; k++) {
		if (k % 3 == 0) /* 7 of 20 */
			stream[k] = (struct bench_beside){ 500, 10 };
		if (k % 3 == 1) /* 7 more, and the limit is fast in them */
			limit[k] = (struct bench_beside){ k == 1 ? NAN : 60, 400 };
	}
	r = compare(limit, stream, again);
	assert_int_equal(r->judgement[0].got.alike, 6);
	assert_true(near(r->judgement[0].got.range.min, 0.6));
	assert_true(near(r->judgement[0].got.range.max, 0.6));
	assert_int_equal(r->judgement[0].verdict, BENCH_MET);
	assert_int_equal(r->main->ratio.alike, 6);
	assert_true(near(r->main->ratio.range.median, 0.6));
	assert_true(near(r->limit->main.range.median, 1 / 0.6));
	assert_int_equal(r->pair.alike, 13);
	assert_true(near(r->pair.range.min, 1.1) && near(r->noise, 1.1));
	assert_true(near(r->main->value.min, 10)); /* the samples are told, all of them */
	free(r);
}

static void where_few_are_alike_all_rounds_count(void **state)
{
	struct bench_beside limit[ROUNDS], stream[ROUNDS];
	struct bench_result *r;

	(void)state;
	all_alike(limit, 100);
	all_alike(stream, 60);
	for (unsigned k = 5; k < ROUNDS; k++) {
		limit[k].line = 500;
		limit[k].value = 200;
	}
	r = compare(limit, stream, stream);
	assert_int_equal(r->judgement[0].got.alike, 5);
	assert_int_equal(r->judgement[0].verdict, BENCH_MET);
	free(r);

	limit[4].line = 500; /* less than a quarter are left */
	r = compare(limit, stream, stream);
	assert_int_equal(r->judgement[0].got.alike, 0);
	assert_true(near(r->judgement[0].got.range.median, 0.3));
	assert_int_equal(r->judgement[0].verdict, BENCH_NOT_MET);
	free(r);
}

static void without_lines_all_rounds_count(void **state)
{
	struct bench_beside limit[ROUNDS], stream[ROUNDS];
	struct bench_result *r;

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		limit[k] = (struct bench_beside){ 0, 100 };
		stream[k] = (struct bench_beside){ 0, k % 2 != 0 ? 60 : 20 };
	}
	r = compare(limit, stream, stream);
	assert_int_equal(r->judgement[0].got.alike, 0);
	assert_int_equal(r->main->groups, 0);
	assert_true(near(r->judgement[0].got.range.median, 0.4));
	assert_true(near(r->judgement[0].got.range.max, 0.6));
	free(r);
}

static void two_speeds_of_the_machine_are_no_matter_of_the_stream(void **state)
{
	struct bench_beside samples[ROUNDS];

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		samples[k].line = k % 2 != 0 ? 500 + k : 120 + k;
		samples[k].value = k % 2 != 0 ? 40 : 150 - k;
	}
	expect(samples, BENCH_MET, 132.0 / 150, 2, 0);
}

static void two_speeds_of_the_stream_are_told(void **state)
{
	struct bench_beside samples[ROUNDS];

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		samples[k].line = k % 2 != 0 ? 500 : 120;
		samples[k].value = k % 2 != 0 ? 40 : 150;
	}
	samples[7].value = 15; /* in the group that is slower anyhow */
	expect(samples, BENCH_NOT_MET, 15.0 / 40, 2, 0);
	samples[7].value = 40;
	samples[4].value = 60;
	expect(samples, BENCH_NOT_MET, 60.0 / 150, 2, 0);
}

static void samples_of_a_small_group_are_counted_and_do_not_count(void **state)
{
	struct bench_beside samples[ROUNDS];

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		samples[k].line = k < 4 ? 65 : 120;
		samples[k].value = k == 0 ? 10 : 100;
	}
	expect(samples, BENCH_MET, 1, 2, 4);
	samples[4].line = 65; /* a quarter */
	expect(samples, BENCH_NOT_MET, 0.1, 2, 0);
}

static void samples_without_a_line_are_counted_and_do_not_count(void **state)
{
	struct bench_beside samples[ROUNDS];

	(void)state;
	for (unsigned k = 0; k < ROUNDS; k++) {
		samples[k].line = k < 3 ? NAN : 120;
		samples[k].value = k < 3 ? NAN : 100;
	}
	expect(samples, BENCH_MET, 1, 1, 3);
	for (unsigned k = 0; k < ROUNDS; k++)
		samples[k].line = samples[k].value = NAN;
	expect(samples, BENCH_NO_BAR, NAN, 0, ROUNDS);
}

static void a_group_reaches_half_as_far_again_as_its_first(void **state)
{
	struct bench_beside b[] = { { 180, 1 }, { 100, 2 }, { 151, 3 }, { 150, 4 } };

	(void)state;
	bench_sort_beside(b, 4);
	assert_true(b[0].value == 2 && b[1].value == 4 && b[2].value == 3 && b[3].value == 1);
	assert_int_equal(bench_alike(b, 4, 0), 2);
	assert_int_equal(bench_alike(b, 4, 2), 4);
	assert_int_equal(bench_alike(b, 4, 4), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_speeds_of_the_machine_are_no_matter_of_the_stream),
		cmocka_unit_test(two_speeds_of_the_stream_are_told),
		cmocka_unit_test(samples_of_a_small_group_are_counted_and_do_not_count),
		cmocka_unit_test(samples_without_a_line_are_counted_and_do_not_count),
		cmocka_unit_test(a_group_reaches_half_as_far_again_as_its_first),
		cmocka_unit_test(rounds_that_the_machine_treated_unlike_do_not_count),
		cmocka_unit_test(where_few_are_alike_all_rounds_count),
		cmocka_unit_test(without_lines_all_rounds_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
