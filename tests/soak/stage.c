/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The stages of a graph: each checks every event that it is handed, and now and then makes trouble. */
#define _POSIX_C_SOURCE 200809L
#include "soak.h"

#include <stdio.h>
#include <string.h>

#define TROUBLE (-77) /* what a handler answers when it fails */

uint64_t sum_of(const struct load *e)
{
	uint64_t sum = e->source * UINT64_C(0x9e3779b97f4a7c15) ^ e->number;

	sum = (sum ^ sum >> 29) * UINT64_C(0xbf58476d1ce4e5b9) ^ e->position;
	return ((sum ^ sum >> 32) + e->words[0]) * UINT64_C(0x94d049bb133111eb) ^ e->words[1];
}

static void check_whole(struct world *w, const struct load *e, uint64_t position, const char *who)
{
	if (e->sum != sum_of(e) || e->source >= SOURCES)
		die(w, "%s: the event at %llu is torn: source %llu, number %llu", who,
		    (unsigned long long)position, (unsigned long long)e->source,
		    (unsigned long long)e->number);
	if (e->position != UNKNOWN && e->position != position)
		die(w, "%s: the event at %llu was published at %llu", who,
		    (unsigned long long)position, (unsigned long long)e->position);
}

void view_event(struct world *w, struct view *v, const struct load *e, uint64_t position,
		const char *who)
{
	check_whole(w, e, position, who);
	if (position < v->next)
		die(w, "%s: position %llu comes after %llu", who, (unsigned long long)position,
		    (unsigned long long)v->next);
	if ((v->known >> e->source & 1) && v->number[e->source] != e->number)
		die(w, "%s: at %llu producer %llu is at %llu, expected %llu", who,
		    (unsigned long long)position, (unsigned long long)e->source,
		    (unsigned long long)e->number, (unsigned long long)v->number[e->source]);
	v->known |= 1u << e->source;
	v->number[e->source] = e->number + 1;
	v->next = position + 1;
}

/* ---- accounting, which rewinds take back ---- */

static void account(struct node *n, const struct load *e, uint64_t position)
{
	const size_t at = position % SLOTS_MAX;

	if (n->kind == POOL)
		return;
	view_event(n->w, &n->view, e, position, n->handler.name);
	n->log[at].at = position + 1;
	n->log[at].source = (uint32_t)e->source;
}

static void take_back(struct node *n, uint64_t from)
{
	for (uint64_t p = n->view.next; p > from && p + SLOTS_MAX > n->view.next; p--)
		if (n->log[(p - 1) % SLOTS_MAX].at == p) {
			n->log[(p - 1) % SLOTS_MAX].at = 0;
			n->view.number[n->log[(p - 1) % SLOTS_MAX].source]--;
		}
	if (from < n->view.next)
		n->view.next = from;
}

static void on_rewind(void *context, uint64_t from, uint64_t to)
{
	struct node *n = context;

	(void)to;
	count_by(REWINDS, 1);
	take_back(n, from);
}

/* A run begins at the first event that was not released: nothing comes again that was. */
static int on_start(void *context)
{
	struct node *n = context;
	uint64_t at;

	if (!n->stage || n->kind == POOL)
		return 0;
	at = n->kind == DEFERRED ? disruptor_stage_read(n->stage)
				 : disruptor_stage_position(n->stage);
	if (at < n->view.next && !n->restless)
		die(n->w, "%s: begins at %llu, though it has handled all before %llu",
		    n->handler.name, (unsigned long long)at, (unsigned long long)n->view.next);
	take_back(n, at);
	return 0;
}

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	struct node *n = context;

	if (size == 0 || depth < size)
		die(n->w, "%s: a batch of %llu of %llu", n->handler.name, (unsigned long long)size,
		    (unsigned long long)depth);
	n->released = false;
	return 0;
}

/* ---- trouble ---- */

static int verdict(struct node *n)
{
	const uint64_t dice = next_random(&n->random) % 65536;

	if (is_set(&n->w->calm) || !is_set(&n->set))
		return DISRUPTOR_CONTINUE;
	if (dice < 600)
		return DISRUPTOR_RELEASE;
	if (dice < 1200)
		return DISRUPTOR_RETRY;
	if (dice < 1400 && !n->released && !n->worker && n->kind == PLAIN)
		return DISRUPTOR_REWIND;
	if (dice < 1405 && n->kind != DEFERRED)
		return TROUBLE;
	if (dice < 1407 && n->kind != DEFERRED)
		return DISRUPTOR_STOP;
	return dice < 1500 ? DISRUPTOR_SKIP : DISRUPTOR_CONTINUE;
}

/* ---- events ---- */

static void check_order(const struct node *n, uint64_t position)
{
	for (uint32_t i = 0; i < n->w->shape.count; i++)
		if ((n->before >> i & 1) &&
		    disruptor_stage_position(n->w->node[i].stage) <= position)
			die(n->w, "%s: has %llu before %s has released it", n->handler.name,
			    (unsigned long long)position, n->w->node[i].handler.name);
}

static void put_latest(struct node *n, const struct load *e, uint64_t position)
{
	struct load copy = { .mark = 0 }; /* that of the event a pool beside us may be writing */
	int rc;

	memcpy(&copy, e, offsetof(struct load, mark));
	rc = disruptor_conflate_put(n->w->table, &copy, position);
	if (rc != 0)
		die(n->w, "%s: put: %s", n->handler.name, disruptor_error_name(rc));
}

/* The event is handled: note it, and leave what others are to find. */
static void handled(struct node *n, struct load *e, uint64_t position)
{
	account(n, e, position);
	if (n->kind == POOL) {
		if (e->mark != 0)
			die(n->w, "%s: the event at %llu was handled by %s twice", n->handler.name,
			    (unsigned long long)position, "the pool");
		e->mark = ~e->sum;
		disruptor_fetch_add_relaxed(&n->w->pooled, UINT64_C(1)); /* relaxed: a count */
	}
	if (n->kind == LATEST)
		put_latest(n, e, position);
}

static enum disruptor_remedy ask(void *context, const struct disruptor_failure *failure,
				 uint64_t attempt)
{
	struct node *n = context;

	if (failure->code != TROUBLE || failure->position != n->failing_at || attempt == 0)
		die(n->w, "%s: asked about code %d at %llu", n->handler.name, failure->code,
		    (unsigned long long)failure->position);
	if (one_in(&n->random, 4))
		return DISRUPTOR_REMEDY_FAIL;
	if (one_in(&n->random, 2))
		return DISRUPTOR_REMEDY_RETRY;
	count_by(SKIPS, 1);
	handled(n, n->failing, n->failing_at); /* it will not come again */
	return DISRUPTOR_REMEDY_SKIP;
}

void node_policy(struct node *n)
{
	struct disruptor_policy p = { .size = sizeof(p), .remedy = n->remedy };

	if (n->remedy == DISRUPTOR_REMEDY_RETRY || n->remedy == DISRUPTOR_REMEDY_REWIND) {
		p.times = 1 + (uint32_t)(next_random(&n->w->random) % 8);
		p.pause_ns = one_in(&n->w->random, 2) ? 100000 : 0;
	}
	p.ask = n->remedy == DISRUPTOR_REMEDY_ASK ? ask : NULL;
	p.context = n;
	if (disruptor_stage_set_policy(n->stage, &p) != 0)
		die(n->w, "%s: policy: %s", n->handler.name, disruptor_error_detail());
	disruptor_store_release(&n->set, 1u);
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct node *n = context;
	struct load *e = event;
	int answer;

	check_whole(n->w, e, position, n->handler.name);
	if (n->marked && e->mark != ~e->sum)
		die(n->w, "%s: no worker has handled the event at %llu", n->handler.name,
		    (unsigned long long)position);
	if (last || position % 16 == 0)
		check_order(n, position);
	count_by(EVENTS, 1);
	random_stall(&n->random);
	answer = verdict(n);
	n->released |= answer == DISRUPTOR_RELEASE;
	if (answer == DISRUPTOR_RETRY)
		count_by(RETRIES, 1);
	if (answer == DISRUPTOR_STOP)
		count_by(STOPPED, 1);
	if (answer == TROUBLE) {
		n->failing = e;
		n->failing_at = position;
		if (n->remedy == DISRUPTOR_REMEDY_SKIP)
			count_by(SKIPS, 1);
	}
	if (answer == DISRUPTOR_RETRY || answer == DISRUPTOR_REWIND ||
	    (answer == TROUBLE && n->remedy != DISRUPTOR_REMEDY_SKIP))
		return answer; /* it comes again */
	handled(n, e, position);
	return answer;
}

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled_count,
		   int last)
{
	struct node *n = context;

	(void)last;
	for (uint64_t i = 0; i < span->count; i++) {
		struct load *e = (void *)((unsigned char *)span->first + i * span->stride);

		check_whole(n->w, e, span->position + i, n->handler.name);
		if (n->marked && e->mark != ~e->sum)
			die(n->w, "%s: not marked at %llu", n->handler.name,
			    (unsigned long long)(span->position + i));
		handled(n, e, span->position + i);
		count_by(EVENTS, 1);
		if (!is_set(&n->w->calm) && one_in(&n->random, 200)) {
			*handled_count = i + 1;
			break;
		}
	}
	check_order(n, span->position);
	random_stall(&n->random);
	return DISRUPTOR_CONTINUE;
}

void node_handler(struct node *n, const char *name)
{
	const uint64_t most = n->w->options.capacity < 64 ? n->w->options.capacity : 64;
	struct disruptor_handler *h = &n->handler;

	*h = (struct disruptor_handler){ .size = sizeof(*h),
					 .name = name,
					 .context = n,
					 .on_start = on_start,
					 .on_batch = on_batch,
					 .on_rewind = on_rewind,
					 .wait = random_wait(&n->random) };
	if (n->kind == SPANS)
		h->on_span = on_span;
	else
		h->on_event = on_event;
	if (one_in(&n->random, 3))
		h->batch = (uint32_t)random_in(&n->random, 1, most);
	if (n->kind == DEFERRED)
		h->deferred = (uint32_t)random_in(&n->random, 1, n->w->options.capacity);
	else if (!n->worker && most >= 8 && h->batch == 0 && one_in(&n->random, 5)) {
		h->batch_min = (uint32_t)random_in(&n->random, 2, most / 4);
		h->linger_ns = random_in(&n->random, 1000, 300000);
	}
	/* a place is on a thread that has its own */
	if (one_in(&n->random, 6) && n->kind != LATER && n->w->mapping != DISRUPTOR_MAP_PLACED)
		h->stack_size = (size_t)256 << 10;
	if (one_in(&n->random, 5))
		h->wait.timeout_ns = random_in(&n->random, 10000, 2000000);
	n->remedy = (enum disruptor_remedy)random_in(&n->random, 0, DISRUPTOR_REMEDY_ASK);
	if (n->worker || n->kind == LATEST) /* what was left with others cannot be taken back */
		n->remedy = n->remedy == DISRUPTOR_REMEDY_REWIND ? DISRUPTOR_REMEDY_RETRY
								 : n->remedy;
	n->restless = n->kind == PLAIN || n->kind == LATER;
}

void node_check(struct node *n)
{
	struct world *w = n->w;

	if (n->kind == POOL)
		return;
	for (uint32_t i = 0; i < w->sources; i++)
		if ((n->view.known >> i & 1) && n->view.number[i] != w->source[i].sent)
			die(w, "%s: has seen %llu events of producer %u, which has sent %llu",
			    n->handler.name, (unsigned long long)n->view.number[i], i,
			    (unsigned long long)w->source[i].sent);
}
