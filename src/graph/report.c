/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A diagnosis as text, for people. */
#include "graph/diagnose.h"

#include <stdarg.h>
#include <stdio.h>

#define MS UINT64_C(1000000)

static const char *const activities[] = {
	[DISRUPTOR_ACTIVITY_NOT_STARTED] = "not started",
	[DISRUPTOR_ACTIVITY_STARTING] = "starting",
	[DISRUPTOR_ACTIVITY_HANDLING] = "handling",
	[DISRUPTOR_ACTIVITY_AWAITS_EVENTS] = "awaits events",
	[DISRUPTOR_ACTIVITY_AWAITS_STAGE] = "awaits stage",
	[DISRUPTOR_ACTIVITY_AWAITS_PRODUCER] = "awaits producer",
	[DISRUPTOR_ACTIVITY_HAS_EVENTS] = "has events",
	[DISRUPTOR_ACTIVITY_ENDED] = "ended",
};

static const char *const findings[] = {
	[DISRUPTOR_FINDING_IDLE] = "idle",       [DISRUPTOR_FINDING_RUNNING] = "running",
	[DISRUPTOR_FINDING_FULL] = "full",       [DISRUPTOR_FINDING_UNPUBLISHED] = "unpublished",
	[DISRUPTOR_FINDING_NOT_RUN] = "not run", [DISRUPTOR_FINDING_FAILED] = "failed",
	[DISRUPTOR_FINDING_STALLED] = "stalled",
};

const char *disruptor_activity_name(enum disruptor_activity activity)
{
	return (size_t)activity < sizeof(activities) / sizeof(activities[0]) ? activities[activity]
									     : NULL;
}

const char *disruptor_finding_name(enum disruptor_finding finding)
{
	return (size_t)finding < sizeof(findings) / sizeof(findings[0]) ? findings[finding] : NULL;
}

void report_add(struct report *r, const char *format, ...)
{
	size_t left = r->length < r->size ? r->size - r->length : 0;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(left ? r->buffer + r->length : NULL, left, format, arguments);
	va_end(arguments);
	if (n > 0)
		r->length += (size_t)n;
}

/* Nothing for what is too short to be known. */
void report_duration(struct report *r, const char *before, uint64_t ns, const char *behind)
{
	unsigned long long ms = ns / MS;

	if (ms == 0)
		return;
	if (ms < 1000)
		report_add(r, "%s%llu ms%s", before, ms, behind);
	else
		report_add(r, "%s%llu.%llu s%s", before, ms / 1000, ms % 1000 / 100, behind);
}

void report_activity(struct report *r, const struct disruptor_stage_diagnosis *s)
{
	switch (s->activity) {
	case DISRUPTOR_ACTIVITY_NOT_STARTED:
		report_add(r, "not started");
		return;
	case DISRUPTOR_ACTIVITY_STARTING:
		report_add(r, "in its on_start");
		return;
	case DISRUPTOR_ACTIVITY_HANDLING:
		report_add(r, "in its handler at position %llu", (unsigned long long)s->position);
		report_duration(r, " for ", s->for_ns, "");
		return;
	case DISRUPTOR_ACTIVITY_AWAITS_EVENTS:
		report_add(r, "waits for events");
		break;
	case DISRUPTOR_ACTIVITY_AWAITS_STAGE:
		report_add(r, "waits for stage '%s'", s->waits_for);
		break;
	case DISRUPTOR_ACTIVITY_AWAITS_PRODUCER:
		report_add(r, "waits for position %llu, claimed by producer '%s'",
			   (unsigned long long)s->position, s->waits_for);
		break;
	case DISRUPTOR_ACTIVITY_HAS_EVENTS:
		report_add(r, "at position %llu with events ready",
			   (unsigned long long)s->position);
		break;
	case DISRUPTOR_ACTIVITY_ENDED:
		report_add(r, "ended");
		return;
	}
	report_duration(r, " (", s->for_ns, ")");
}

size_t disruptor_activity_text(const struct disruptor_stage_diagnosis *stage, char *buffer,
			       size_t size)
{
	struct report r = { .buffer = buffer, .size = size };

	if (size)
		buffer[0] = '\0';
	report_activity(&r, stage);
	return r.length;
}

static void report_stage(struct report *r, const struct disruptor_stage_diagnosis *s)
{
	report_add(r, "  %s '%s': at %llu, %llu behind, ", s->is_stage ? "stage" : "consumer",
		   s->name, (unsigned long long)s->position, (unsigned long long)s->behind);
	report_activity(r, s);
	report_add(r, "\n");
}

static void report_blocked(struct report *r, const struct disruptor_producer_diagnosis *b)
{
	report_add(r, "  producer '%s': blocked", b->name);
	report_duration(r, " for ", b->for_ns, "");
	if (b->waits_for[0])
		report_add(r, ", waits for '%s' to reach %llu", b->waits_for,
			   (unsigned long long)b->needs);
	report_add(r, "\n");
}

size_t disruptor_diagnosis_text(const struct disruptor_diagnosis *d, char *buffer, size_t size)
{
	struct report r = { .buffer = buffer, .size = size };
	uint32_t named = d->blocked_count < DISRUPTOR_BLOCKED_MAX ? d->blocked_count
								  : DISRUPTOR_BLOCKED_MAX;
	const char *state = disruptor_state_name(d->state);

	if (size)
		buffer[0] = '\0';
	report_add(&r, "%s\n", d->verdict);
	report_add(&r, "  %s, %llu slots, %llu claimed", state ? state : "?",
		   (unsigned long long)d->capacity, (unsigned long long)d->claimed);
	if (d->unpublished < d->claimed) {
		report_add(&r, ", not published from %llu on, which '%s' has claimed",
			   (unsigned long long)d->unpublished, d->unpublished_by);
		report_duration(&r, " at least ", d->unpublished_ns, " ago");
	}
	report_add(&r, "\n");
	for (uint32_t i = 0; i < d->stage_count && i < DISRUPTOR_MAX_CONSUMERS; i++)
		report_stage(&r, &d->stages[i]);
	for (uint32_t i = 0; i < named; i++)
		report_blocked(&r, &d->blocked[i]);
	if (named < d->blocked_count)
		report_add(&r, "  and %u producers more are blocked\n", d->blocked_count - named);
	return r.length;
}
