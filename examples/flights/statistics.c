/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "statistics.h"

#include <string.h>

void statistics_begin(struct statistics *statistics)
{
	memset(&statistics->answer, 0, sizeof(statistics->answer));
	statistics->answer.delay.min = statistics->answer.distance.min = INT64_MAX;
	statistics->answer.delay.max = statistics->answer.distance.max = INT64_MIN;
	mark_set(&statistics->mark, 0);
}

static void extend(struct extent *extent, int64_t value)
{
	extent->sum += value;
	if (value < extent->min)
		extent->min = value;
	if (value > extent->max)
		extent->max = value;
}

int statistics_event(void *self, void *event, uint64_t position, int last)
{
	struct statistics *statistics = self;
	const struct flight *flight = event;
	struct answer *answer = &statistics->answer;
	struct hour *hour = &answer->hour[flight->minute / 60u];

	(void)position;
	(void)last;
	answer->count++;
	extend(&answer->delay, flight->delay);
	extend(&answer->distance, flight->distance);
	hour->count++;
	hour->delay += flight->delay;
	mark_set(&statistics->mark, flight->number + 1);
	return 0;
}

bool answer_equal(const struct answer *a, const struct answer *b)
{
	return memcmp(a, b, sizeof(*a)) == 0; /* int64_t throughout: no padding to differ */
}

int64_t mean_hundredths(int64_t sum, int64_t count)
{
	int64_t twice = 200 * (sum < 0 ? -sum : sum);
	int64_t mean = count == 0 ? 0 : (twice + count) / (2 * count);

	return sum < 0 ? -mean : mean;
}
