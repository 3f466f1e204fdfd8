/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One graph in three processes: the parent publishes orders and keeps a journal of them; one child
 * judges their risk; another matches them, after both. Each process has the stages that are its own,
 * and finds the others' by their names. Linux.
 */
#define _POSIX_C_SOURCE 200809L

#include <disruptor/disruptor.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDERS 100000

struct order {
	uint64_t price;
	uint32_t refused; /* written by "risk" */
	uint32_t logged;  /* written by "journal" */
};

DISRUPTOR_EVENT(order, struct order, DISRUPTOR_U64(struct order, price),
		DISRUPTOR_U32(struct order, refused), DISRUPTOR_U32(struct order, logged));

/* ---- what each does ---- */

static int keep_journal(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)position, (void)last;
	((struct order *)event)->logged = 1;
	return 0;
}

static int judge(void *context, void *event, uint64_t position, int last)
{
	struct order *o = event;

	(void)context, (void)position, (void)last;
	o->refused = o->price > 90;
	return 0;
}

struct matched {
	uint64_t orders, refused, too_soon;
};

static int match(void *context, void *event, uint64_t position, int last)
{
	const struct order *o = event;
	struct matched *m = context;

	(void)position, (void)last;
	m->orders++;
	m->refused += o->refused;
	m->too_soon += !o->logged || o->refused != (o->price > 90);
	return 0;
}

/* ---- a process ---- */

static struct disruptor_segment *open_segment(void)
{
	const struct disruptor_options ring = { .size = sizeof(ring), .capacity = 1024 };
	struct disruptor_segment_options options = { .size = sizeof(options) };
	struct disruptor_segment *segment;
	char name[64];

	/* gone when the last of us has left */
	options.flags = DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_TEMPORARY;
	(void)snprintf(name, sizeof(name), "example-23-%d", (int)getsid(0));
	if (disruptor_segment_open(&segment, name, &order_type, &ring, &options) == 0)
		return segment;
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return NULL;
}

/* A graph with one stage, which comes after @p after, as soon as those are there. */
static struct disruptor *begin(struct disruptor_segment *segment,
			       const struct disruptor_handler *handler, const char *const *after,
			       size_t count)
{
	const struct disruptor_attach how = { .size = sizeof(how),
					      .after_names = after,
					      .after_name_count = count };
	struct disruptor *d = NULL;

	for (size_t i = 0; i < count; i++)
		if (disruptor_segment_await(segment, after[i], DISRUPTOR_FOREVER) != 0)
			return NULL;
	if (disruptor_create_on(&d, disruptor_segment_ring(segment), &order_type, 0) == 0 &&
	    disruptor_attach(d, handler, &how) && disruptor_start(d) == 0)
		return d;
	fprintf(stderr, "%s\n", disruptor_error_detail());
	return NULL;
}

/* Until the ring is closed, and all of it handled. */
static int finish(struct disruptor_segment *segment, struct disruptor *d)
{
	int rc = disruptor_join(d, DISRUPTOR_FOREVER);

	if (disruptor_destroy(&d) != 0 || disruptor_segment_close(&segment) != 0)
		return 1;
	return rc != 0;
}

static int risk(void)
{
	const struct disruptor_handler handler = {
		.size = sizeof(handler), .name = "risk", .on_event = judge, .writes = "refused"
	};
	struct disruptor_segment *segment = open_segment();
	struct disruptor *d = segment ? begin(segment, &handler, NULL, 0) : NULL;

	return d ? finish(segment, d) : 1;
}

static int matching(void)
{
	static const char *const after[] = { "journal", "risk" };
	struct matched m = { 0 };
	const struct disruptor_handler handler = {
		.size = sizeof(handler), .name = "match", .on_event = match, .context = &m
	};
	struct disruptor_segment *segment = open_segment();
	struct disruptor *d = segment ? begin(segment, &handler, after, 2) : NULL;

	if (!d || finish(segment, d) != 0)
		return 1;
	printf("%llu orders, %llu refused, %llu matched too soon\n", (unsigned long long)m.orders,
	       (unsigned long long)m.refused, (unsigned long long)m.too_soon);
	return fflush(stdout) == 0 ? 0 : 1;
}

static pid_t start(int (*run)(void))
{
	pid_t child = fork();

	if (child == 0)
		_exit(run());
	return child;
}

static int publish(struct disruptor_segment *segment)
{
	struct order_producer p;

	if (order_producer_open(&p, disruptor_segment_ring(segment), NULL) != 0)
		return 1;
	for (uint64_t i = 0; i < ORDERS; i++) {
		struct order *o = order_claim(&p);

		if (!o)
			break;
		*o = (struct order){ .price = i % 100 };
		(void)order_publish(&p);
	}
	(void)order_producer_close(&p);
	disruptor_ring_close(disruptor_segment_ring(segment)); /* all stages end behind the last */
	return 0;
}

int main(void)
{
	const struct disruptor_handler journal = { .size = sizeof(journal),
						   .name = "journal",
						   .on_event = keep_journal,
						   .writes = "logged" };
	pid_t child[] = { start(risk), start(matching) };
	struct disruptor_segment *segment = open_segment();
	struct disruptor *d;
	int status, well;

	if (!segment) {
		puts("rings between processes need Linux");
		return 77;
	}
	d = begin(segment, &journal, NULL, 0);
	well = d && disruptor_segment_await(segment, "match", disruptor_in(60000000000)) == 0 &&
	       publish(segment) == 0 && finish(segment, d) == 0;
	for (int i = 0; i < 2; i++)
		well &= waitpid(child[i], &status, 0) == child[i] && status == 0;
	puts(well ? "all three have ended well" : "failed");
	return !well;
}
