/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "report.h"
#include "clock.h"

#include <inttypes.h>

/*
 * Journal and statistics are looked at for every 64th event: each look takes
 * a line from the core that writes it, which would weigh on every way alike.
 */
enum { LOOK_EVERY = 64 };

void report_begin(struct report *report)
{
	mark_set(&report->mark, 0);
	report->next = 0;
	histogram_clear(&report->latency);
}

static void check_before(struct report *report, uint64_t number)
{
	static const char *const name[] = { "journal", "statistics" };

	for (int i = 0; i < 2; i++)
		if (mark_get(report->before[i]) <= number)
			failure_set(report->failure, "report got event %" PRIu64 " before %s",
				    number, name[i]);
}

int report_event(void *self, void *event, uint64_t position, int last)
{
	struct report *report = self;
	const struct flight *flight = event;

	(void)position;
	if (flight->number != report->next)
		failure_set(report->failure,
			    "report got event %" PRIu64 " where %" PRIu64 " was due",
			    flight->number, report->next);
	report->next = flight->number + 1;
	if (flight->number % LOOK_EVERY == 0) {
		check_before(report, flight->number);
		mark_set(&report->mark, report->next);
	}
	if (last)
		mark_set(&report->mark, report->next);
	if (flight->due_ns) {
		uint64_t now = clock_now();

		/* now < due is impossible: the source waits for it, on the same clock */
		histogram_add(&report->latency, now - flight->due_ns);
	}
	return 0;
}

/* Print hundredths with their point: -5 as -0.05, which a division would lose the sign of. */
static const char *decimal(int64_t hundredths, char text[static 32])
{
	uint64_t size = hundredths < 0 ? 0 - (uint64_t)hundredths : (uint64_t)hundredths;

	snprintf(text, 32, "%s%" PRIu64 ".%02" PRIu64, hundredths < 0 ? "-" : "", size / 100,
		 size % 100);
	return text;
}

static void print_extent(FILE *out, const char *name, const char *unit, const struct extent *extent,
			 int64_t count)
{
	char mean[32];

	fprintf(out,
		"  %-8s  sum %" PRId64 "  least %" PRId64 "  greatest %" PRId64 "  mean %s %s\n",
		name, extent->sum, extent->min, extent->max,
		decimal(mean_hundredths(extent->sum, count), mean), unit);
}

void report_print(FILE *out, const struct answer *answer)
{
	char mean[32];

	fprintf(out, "  flights   %" PRId64 "\n", answer->count);
	if (answer->count == 0)
		return;
	print_extent(out, "delay", "min", &answer->delay, answer->count);
	print_extent(out, "distance", "miles", &answer->distance, answer->count);
	for (int i = 0; i < HOURS; i++) {
		const struct hour *hour = &answer->hour[i];

		if (hour->count)
			fprintf(out, "  hour %02d   flights %10" PRId64 "  mean delay %7s min\n", i,
				hour->count,
				decimal(mean_hundredths(hour->delay, hour->count), mean));
	}
}

static void print_extent_json(FILE *out, const char *name, const struct extent *extent,
			      int64_t count)
{
	char mean[32];

	fprintf(out,
		",\"%s\":{\"sum\":%" PRId64 ",\"min\":%" PRId64 ",\"max\":%" PRId64 ",\"mean\":%s}",
		name, extent->sum, extent->min, extent->max,
		decimal(mean_hundredths(extent->sum, count), mean));
}

void report_print_json(FILE *out, const struct answer *answer)
{
	const char *comma = "";
	char mean[32];

	fprintf(out, "{\"scenario\":\"flights\",\"result\":\"answer\",\"flights\":%" PRId64,
		answer->count);
	if (answer->count) {
		print_extent_json(out, "delay", &answer->delay, answer->count);
		print_extent_json(out, "distance", &answer->distance, answer->count);
	}
	(void)fputs(",\"hours\":[", out);
	for (int i = 0; i < HOURS; i++) {
		const struct hour *hour = &answer->hour[i];

		if (!hour->count)
			continue;
		fprintf(out,
			"%s{\"hour\":%d,\"flights\":%" PRId64 ",\"delay\":{\"sum\":%" PRId64
			",\"mean\":%s}}",
			comma, i, hour->count, hour->delay,
			decimal(mean_hundredths(hour->delay, hour->count), mean));
		comma = ",";
	}
	(void)fputs("]}\n", out);
}
