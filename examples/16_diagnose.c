/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Who is blocking whom: a stage waits in its handler for an answer that does
 * not come. The watchdog notices, and its callback says who holds up whom. Here
 * it then gives the answer, so that the program goes on.
 */
#define _POSIX_C_SOURCE 200809L
#include <disruptor/disruptor.h>

#include <semaphore.h>
#include <stdio.h>

struct order {
	int64_t quantity;
};

DISRUPTOR_EVENT(order, struct order, DISRUPTOR_I64(struct order, quantity));

static sem_t answer;

static int on_risk(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)last;
	if (position == 2)
		sem_wait(&answer);
	return DISRUPTOR_RELEASE; /* each at once, so that its position is that of the event */
}

static int on_other(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

/* In the watchdog's thread. A program would log found->verdict, or disruptor_diagnosis_text(). */
static void stalled(void *context, const struct disruptor_diagnosis *found)
{
	static int told;

	(void)context;
	/* it calls again if it lasts; by then all the others have come to a rest */
	if (told || found->blocked_count == 0 || found->stages[0].behind != 0)
		return;
	told = 1;
	printf("%s, because of '%s'\n", disruptor_finding_name(found->finding),
	       found->stages[found->slowest].name);
	for (uint32_t i = 0; i < found->stage_count; i++) {
		const struct disruptor_stage_diagnosis *s = &found->stages[i];

		printf("stage '%s' at %llu: %s%s%s\n", s->name, (unsigned long long)s->position,
		       disruptor_activity_name(s->activity), s->waits_for[0] ? " " : "",
		       s->waits_for);
	}
	printf("producer '%s' is blocked by '%s'\n", found->blocked[0].name,
	       found->blocked[0].waits_for);
	sem_post(&answer);
}

static struct disruptor_stage *stage(struct disruptor *d, const char *name,
				     int (*on_event)(void *, void *, uint64_t, int))
{
	struct disruptor_handler h = { .size = sizeof(h), .name = name, .reads = "*" };

	h.on_event = on_event;
	return disruptor_stage(d, &h);
}

int main(void)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 8 };
	const struct disruptor_producer_options named = { .size = sizeof(named), .name = "gw" };
	const struct disruptor_watchdog watchdog = { .size = sizeof(watchdog),
						     .threshold_ns = 100000000, /* 100 ms */
						     .stalled = stalled };
	/* a handler that waits is to hold up nobody but those who come after it */
	const struct disruptor_executor dedicated = { .size = sizeof(dedicated),
						      .mapping = DISRUPTOR_MAP_DEDICATED };
	struct disruptor_stage *journal, *risk, *match;
	struct disruptor_stage_stats figures = { .size = sizeof(figures) };
	struct order_producer producer;
	struct disruptor *d;

	sem_init(&answer, 0, 0);
	if (disruptor_create(&d, &order_type, &options) != 0)
		goto fail;
	journal = stage(d, "journal", on_other);
	risk = stage(d, "risk", on_risk);
	match = stage(d, "match", on_other);
	if (!journal || disruptor_after(match, risk) != 0 ||
	    disruptor_set_executor(d, &dedicated) != 0 ||
	    disruptor_set_watchdog(d, &watchdog) != 0 || disruptor_start(d) != 0 ||
	    order_producer_open(&producer, disruptor_ring(d), &named) != 0)
		goto fail;
	for (int i = 0; i < 20; i++) { /* blocks once 'risk' is 8 behind */
		struct order *o = order_claim(&producer);

		if (!o)
			goto fail;
		o->quantity = i;
		order_publish(&producer);
	}
	disruptor_stop(d, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER);
	disruptor_stage_stats(match, &figures);
	printf("'%s' has handled %llu\n", figures.name, (unsigned long long)figures.events);
	order_producer_close(&producer);
	return disruptor_destroy(&d) == 0 ? 0 : 1;
fail:
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return 1;
}
