/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Medians, ratios, noise, verdict. README.md says why it is done so. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *bench_verdict_name(enum bench_verdict verdict)
{
	switch (verdict) {
	case BENCH_NO_BAR:
		break;
	case BENCH_MET:
		return "MET";
	case BENCH_NOT_MET:
		return "NOT MET";
	case BENCH_WITHIN_NOISE:
		return "WITHIN NOISE";
	case BENCH_NOT_COUNTED:
		return "NOT COUNTED";
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(const double *sorted, unsigned n)
{
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/** Sort the @p n values, leave out those that are no numbers, and tell their range. */
static struct bench_range range_of(double *values, unsigned *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < *n; i++) {
		if (isfinite(values[i]))
			values[count++] = values[i];
	}
	*n = count;
	if (count == 0)
		return (struct bench_range){ NAN, NAN, NAN };
	qsort(values, count, sizeof(*values), compare);
	return (struct bench_range){ values[0], middle(values, count), values[count - 1] };
}

/**
 * How many values to leave out at each end, so that what remains holds the
 * median of the population with at least 95 %: each is above it or below it
 * like a coin thrown.
 */
static unsigned outside_median(unsigned n)
{
	double term = pow(0.5, n), below = term;
	unsigned rank = 0; /* values of which all are below the median: too rare */

	while (below <= 0.025 && rank < n / 2) {
		rank++;
		term *= (double)(n - rank + 1) / rank;
		below += term;
	}
	return rank > 0 ? rank - 1 : 0;
}

bool bench_one_speed(double line, double other)
{
	return line > 0 && other > 0 && fmax(line, other) <= bench_line_factor * fmin(line, other);
}

static double ratio_in(const struct bench_row *row, const struct bench_row *to, unsigned round)
{
	double below = to->sample[round].value;

	return below > 0 ? row->sample[round].value / below : NAN;
}

/** So many alike samples of all tell of them. */
static unsigned enough_of(unsigned rounds, unsigned least)
{
	return rounds / 4 > least ? rounds / 4 : least;
}

/**
 * The ratios of two rows, round by round, in @p ratio; how many in @p n. Those count that the
 * machine treated alike, if these are not too few.
 */
static struct bench_ratio ratio_of(const struct bench_row *row, const struct bench_row *to,
				   unsigned rounds, double *ratio, unsigned *n)
{
	struct bench_ratio r = { .alike = 0 };

	*n = 0;
	for (unsigned i = 0; i < rounds; i++)
		if (bench_one_speed(row->sample[i].line, to->sample[i].line))
			ratio[(*n)++] = ratio_in(row, to, i);
	r.range = range_of(ratio, n);
	if (*n >= enough_of(rounds, 3)) {
		r.alike = *n;
		return r;
	}
	for (unsigned i = 0; i < rounds; i++)
		ratio[i] = ratio_in(row, to, i);
	*n = rounds;
	r.range = range_of(ratio, n);
	return r;
}

/** NAN if there is nothing that it is to. */
static struct bench_ratio ratio_to(const struct bench_row *row, const struct bench_row *to,
				   unsigned rounds)
{
	double ratio[BENCH_ROUNDS];
	unsigned n;

	if (to == NULL)
		return (struct bench_ratio){ .range = { NAN, NAN, NAN } };
	return ratio_of(row, to, rounds, ratio, &n);
}

static double median_of(const struct bench_row *row, unsigned rounds, size_t member)
{
	double values[BENCH_ROUNDS];

	for (unsigned i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&row->sample[i] + member, sizeof(double));
	return range_of(values, &rounds).median;
}

/** The A/A pair: what the ratio of a subject to itself may be. */
static void judge_noise(struct bench_result *result)
{
	double ratio[BENCH_ROUNDS];
	unsigned n;

	result->pair = ratio_of(result->again, result->main, result->rounds, ratio, &n);
	if (n == 0) {
		result->noise = INFINITY;
		return;
	}

	unsigned outside = outside_median(n);
	double low = ratio[outside], high = ratio[n - 1 - outside];

	result->noise = low > 0 ? fmax(1, fmax(high, 1 / low)) : INFINITY;
}

/* How often in a second others may take a CPU from our threads: above it a sample is disturbed. */
static const double tolerated_switches = 20;

/** What an event of a sample uses of @p what; NAN: not known. */
static double each(const struct bench_sample *sample, double what)
{
	return sample->events > 0 && what >= 0 ? what / sample->events : NAN;
}

static double median_each(const struct bench_row *row, unsigned rounds,
			  double (*get)(const struct bench_sample *sample))
{
	double values[BENCH_ROUNDS];

	for (unsigned k = 0; k < rounds; k++)
		values[k] = get(&row->sample[k]);
	return range_of(values, &rounds).median;
}

static double cpu_of(const struct bench_sample *sample)
{
	return each(sample, sample->usage.cpu_ns);
}

static double voluntary_of(const struct bench_sample *sample)
{
	return each(sample, sample->usage.voluntary);
}

static double involuntary_of(const struct bench_sample *sample)
{
	return each(sample, sample->usage.involuntary);
}

static double sleeps_of(const struct bench_sample *sample)
{
	return each(sample, sample->sleeps);
}

static double resident_of(const struct bench_sample *sample)
{
	return sample->resident > 0 ? sample->resident : NAN;
}

/** Whether a thread that is put off its CPU was so for another's sake: ours fit, and none yields. */
static bool tells_disturbance(const struct bench_row *row)
{
	const char *how = row->entry.subject->waits;

	if (row->sample[0].events <= 0 || row->sample[0].crowded ||
	    isnan(row->sample[0].usage.involuntary))
		return false;
	if (how != NULL)
		return strstr(how, "yield") == NULL;
	return row->params.wait.kind == DISRUPTOR_WAIT_BUSY_SPIN ||
	       row->params.wait.kind == DISRUPTOR_WAIT_SPIN;
}

static void sum_up_usage(struct bench_row *row, unsigned rounds)
{
	row->cpu_ns = median_each(row, rounds, cpu_of);
	row->voluntary = median_each(row, rounds, voluntary_of);
	row->involuntary = median_each(row, rounds, involuntary_of);
	row->sleeps = median_each(row, rounds, sleeps_of);
	row->resident = median_each(row, rounds, resident_of);
	row->disturbance = tells_disturbance(row);
	row->slept = NAN;
	for (unsigned k = 0; k < rounds; k++) {
		const struct bench_sample *sample = &row->sample[k];

		if (row->disturbance && sample->usage.involuntary > 1 &&
		    sample->usage.involuntary > tolerated_switches * sample->seconds)
			row->disturbed++;
		if (isnan(sample->value))
			row->out++;
		if (sample->slept > 0 && !(row->slept < sample->slept))
			row->slept = sample->slept;
	}
}

static int by_line(const void *a, const void *b)
{
	double x = ((const struct bench_beside *)a)->line,
	       y = ((const struct bench_beside *)b)->line;

	return (x > y) - (x < y);
}

void bench_sort_beside(struct bench_beside *beside, unsigned n)
{
	qsort(beside, n, sizeof(*beside), by_line);
}

unsigned bench_alike(const struct bench_beside *beside, unsigned n, unsigned from)
{
	unsigned to = from;

	while (to < n && bench_one_speed(beside[from].line, beside[to].line))
		to++;
	return to;
}

static void group_by_line(struct bench_row *row, unsigned rounds)
{
	struct bench_beside beside[BENCH_ROUNDS];
	double values[BENCH_ROUNDS];
	unsigned count = 0;

	row->groups = 0;
	for (unsigned k = 0; k < rounds; k++)
		if (row->sample[k].line > 0 && isfinite(row->sample[k].value))
			beside[count++] =
				(struct bench_beside){ row->sample[k].line, row->sample[k].value };
	bench_sort_beside(beside, count);
	for (unsigned from = 0, to; from < count && row->groups < BENCH_GROUPS; from = to) {
		struct bench_group *group = &row->group[row->groups++];

		to = bench_alike(beside, count, from);
		for (unsigned i = from; i < to; i++)
			values[i - from] = beside[i].value;
		group->line = beside[from].line;
		group->samples = to - from;
		group->value = range_of(values, &group->samples);
	}
}

/** The worst of a group's samples to its best; of several groups of a quarter or more the least. */
static void judge_spread(struct bench_row *row, unsigned rounds)
{
	unsigned enough = enough_of(rounds, 2), in = 0;

	row->spread = NAN;
	for (unsigned i = 0; i < row->groups; i++) {
		const struct bench_group *group = &row->group[i];

		if (group->samples < enough)
			continue;
		in += group->samples;
		row->spread = fmin(row->spread, group->value.min / group->value.max);
	}
	row->elsewhere = rounds - in;
}

static void sum_up_row(const struct bench_result *result, struct bench_row *row)
{
	unsigned rounds = result->rounds, n = rounds;
	double values[BENCH_ROUNDS];

	for (unsigned k = 0; k < rounds; k++)
		values[k] = row->sample[k].value;
	row->value = range_of(values, &n);
	row->ratio = ratio_to(row, result->limit, rounds);
	row->main = ratio_to(row, result->main, rounds);
	row->batch = median_of(row, rounds, offsetof(struct bench_sample, batch));
	row->lag = median_of(row, rounds, offsetof(struct bench_sample, lag));
	row->work = median_of(row, rounds, offsetof(struct bench_sample, work));
	row->rung = row->sample[0].rung;
	group_by_line(row, rounds);
	judge_spread(row, rounds);
	sum_up_usage(row, rounds);
}

static void summarise(struct bench_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		sum_up_row(result, &result->row[i]);
	judge_noise(result);
}

/* ---- Bars ---- */

/** NULL only if it @p may be missing. */
static const struct bench_row *row_named(const struct bench_result *result, const char *name,
					 bool may)
{
	for (size_t i = 0; i < result->count; i++)
		if (result->row[i].entry.role != BENCH_AGAIN &&
		    strcmp(bench_entry_name(&result->row[i].entry), name) == 0)
			return &result->row[i];
	if (may)
		return NULL;
	bench_fail("%s: a bar names '%s', which is no entry", result->scenario->name, name);
}

/** The peer with the best median; NULL if there is none. */
static const struct bench_row *best_peer(const struct bench_result *result, bool ordered)
{
	const struct bench_row *best = NULL;

	for (size_t i = 0; i < result->count; i++) {
		const struct bench_row *row = &result->row[i];

		if (row->entry.role != BENCH_PEER || isnan(row->value.median) ||
		    (ordered && row->entry.peer &&
		     (row->entry.peer->unordered || row->entry.peer->unbounded)))
			continue;
		if (!best || (result->scenario->better == BENCH_MORE
				      ? row->value.median > best->value.median
				      : row->value.median < best->value.median))
			best = row;
	}
	return best;
}

static bool is(const struct bench_bar *bar, const char *against)
{
	return bar->against != NULL && strcmp(bar->against, against) == 0;
}

/** The row that a bar is against; NULL: there is none, or it did not run. */
static const struct bench_row *against(const struct bench_result *result,
				       const struct bench_bar *bar)
{
	if (bar->against == NULL || is(bar, BENCH_OWN_BEST))
		return NULL;
	if (is(bar, BENCH_BEST_PEER))
		return best_peer(result, false);
	if (is(bar, BENCH_BEST_ORDERED))
		return best_peer(result, true);
	return row_named(result, bar->against, bar->peer);
}

/** The peers without which a bar does not count; NULL: all are here, or it is against none. */
static const char *missing(const struct bench_result *result, const struct bench_judgement *j)
{
	const struct bench_bar *bar = j->bar;

	if (bar->peer)
		return j->against != NULL ? NULL : bar->against;
	if (!is(bar, BENCH_BEST_PEER) && !is(bar, BENCH_BEST_ORDERED))
		return NULL;
	if (result->missing[0] != '\0')
		return result->missing;
	return j->against != NULL ? NULL : "all of them";
}

static enum bench_verdict verdict_of(const struct bench_result *result,
				     const struct bench_judgement *j)
{
	double got = j->got.range.median, bar = j->bar->bar;
	bool met = result->scenario->better == BENCH_MORE || is(j->bar, BENCH_OWN_BEST)
			   ? got >= bar
			   : got <= bar;

	if (j->missing != NULL)
		return BENCH_NOT_COUNTED;
	if (isnan(got))
		return BENCH_NO_BAR;
	if (!is(j->bar, BENCH_OWN_BEST) && got > 0 && fmax(got / bar, bar / got) <= result->noise)
		return BENCH_WITHIN_NOISE;
	return met ? BENCH_MET : BENCH_NOT_MET;
}

/** What a bar is compared with. */
static struct bench_ratio got(const struct bench_result *result, const struct bench_judgement *j)
{
	double spread = j->row->spread;

	if (is(j->bar, BENCH_OWN_BEST))
		return (struct bench_ratio){ .range = { spread, spread, spread } };
	if (j->bar->against == NULL)
		return (struct bench_ratio){ .range = j->row->value };
	return ratio_to(j->row, j->against, result->rounds);
}

static void judge_bar(struct bench_result *result, const struct bench_bar *bar)
{
	struct bench_judgement *j = &result->judgement[result->judgements++];

	j->bar = bar;
	j->row = bar->entry ? row_named(result, bar->entry, false) : result->main;
	j->against = against(result, bar);
	j->got = got(result, j);
	j->missing = missing(result, j);
	j->verdict = verdict_of(result, j);
}

static void judge_bars(struct bench_result *result)
{
	for (const struct bench_bar *bar = result->scenario->bars; bar->bar != 0; bar++)
		if (!bar->at || (result->point && strcmp(bar->at, result->point) == 0))
			judge_bar(result, bar);
}

bool bench_within_noise(const struct bench_result *result, const struct bench_row *row)
{
	double ratio = row->ratio.range.median;

	return ratio > 0 && fmax(ratio, 1 / ratio) <= result->noise;
}

void bench_summarise(struct bench_result *result, bool barred)
{
	summarise(result);
	if (barred)
		judge_bars(result);
}
