/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Handlers that follow a script, and tell the model. */
#include "world.h"

#include "graph/graph_internal.h"
#include "os/os.h"

#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

/* ---- the script ---- */

static uint64_t dice(const struct node *n, uint64_t position, unsigned what)
{
	uint64_t state = world.plan->seed ^ (n->index * UINT64_C(1000003) + position * 64 + what);

	return random_next(&state);
}

static bool hits(const struct node *n, uint64_t position, unsigned what, uint64_t one_in)
{
	return one_in != 0 && dice(n, position, what) % one_in == 0;
}

/* What the handler answers at a position, when it is handed out for the nth time, from 0. */
static int script(const struct node *n, uint64_t position)
{
	const struct node_plan *p = n->plan;
	uint64_t nth = n->attempts[position];

	if (hits(n, position, 1, p->fail_in) && nth < 1 + dice(n, position, 2) % 3)
		return DISRUPTOR_E_INVAL;
	if (hits(n, position, 3, p->retry_in) && nth < 1 + dice(n, position, 4) % 2 &&
	    p->policy.remedy != DISRUPTOR_REMEDY_RETRY)
		return DISRUPTOR_RETRY;
	if (hits(n, position, 5, p->rewind_in) && nth < 1 + dice(n, position, 6) % 2 &&
	    p->policy.remedy != DISRUPTOR_REMEDY_REWIND)
		return DISRUPTOR_REWIND;
	if (hits(n, position, 7, p->stop_in) && nth == 0)
		return DISRUPTOR_STOP;
	if (hits(n, position, 8, p->skip_in))
		return DISRUPTOR_SKIP;
	return hits(n, position, 9, p->release_in) ? DISRUPTOR_RELEASE : DISRUPTOR_CONTINUE;
}

/* ---- what follows from an answer ---- */

/* The library is to end the run, as failed, and has told nobody yet. */
static void expect_failure(struct hand *h, uint64_t position)
{
	model.closing = model.failing = true;
	world.quiet = false;
	h->node->stopped = true;
	model_again(h->node->f, position);
}

static bool is_own(const struct hand *h, uint64_t position)
{
	return h->node->plan->kind != NODE_KEYED ||
	       disruptor_pool_lane(h->node->stage, model.at[position].value % KEYS) == h->index;
}

/* What of the batch is its own comes again. */
static void see_again(struct hand *h, uint64_t from, uint64_t to)
{
	for (uint64_t p = from; p <= to; p++)
		if (is_own(h, p))
			model_rewound(h->node->f, p, p);
}

/* The attempt, as policy_remedy() counts it. */
static uint64_t count_attempt(struct hand *h, uint64_t key)
{
	if (h->key != key)
		h->count = 0;
	h->key = key;
	return ++h->count;
}

static void give_up(struct hand *h, uint64_t position, bool of_batch)
{
	const struct disruptor_policy *p = &h->policy;

	h->count = 0;
	if (p->then == DISRUPTOR_REMEDY_FAIL) {
		expect_failure(h, position);
		if (of_batch)
			see_again(h, h->stage->consumer.next, position);
	} else if (of_batch) {
		/* one more rewind; then it is passed over, unless another worker has it by then */
		model_leave_out(h->node->f, position);
		h->node->f->again[position] = true;
		h->skips_perhaps++;
		h->rewinds++;
	} else {
		model_done(h->node->f, position);
		h->skips++;
	}
}

static void repeat(struct hand *h, uint64_t position, bool of_batch)
{
	model_again(h->node->f, position);
	if (of_batch)
		h->rewinds++;
	else
		h->retries++;
}

static void account_failure(struct hand *h, uint64_t position)
{
	const struct disruptor_policy *p = &h->policy;
	bool of_batch = p->remedy == DISRUPTOR_REMEDY_REWIND;
	uint64_t attempt = count_attempt(h, of_batch ? h->stage->consumer.next : position);

	switch (p->remedy) {
	case DISRUPTOR_REMEDY_SKIP:
		model_done(h->node->f, position);
		h->skips++;
		break;
	case DISRUPTOR_REMEDY_RETRY:
	case DISRUPTOR_REMEDY_REWIND:
		if (attempt > p->times)
			give_up(h, position, of_batch);
		else
			repeat(h, position, of_batch);
		break;
	default:
		expect_failure(h, position);
	}
}

static void account(struct hand *h, uint64_t position, int verdict)
{
	struct node *n = h->node;

	n->attempts[position]++;
	switch (verdict) {
	case DISRUPTOR_RETRY:
		(void)count_attempt(h, position);
		repeat(h, position, false);
		break;
	case DISRUPTOR_REWIND:
		(void)count_attempt(h, h->stage->consumer.next);
		repeat(h, position, true);
		break;
	case DISRUPTOR_SKIP:
		h->skips++;
		model_done(n->f, position);
		break;
	case DISRUPTOR_STOP:
		n->stopped = true;
		model_done(n->f, position);
		break;
	case DISRUPTOR_CONTINUE:
	case DISRUPTOR_RELEASE:
		model_done(n->f, position);
		break;
	default:
		account_failure(h, position);
	}
}

/* ---- callbacks ---- */

static void put(struct node *n, const struct item *item, uint64_t position)
{
	int rc;

	n->last_put[item->value % KEYS] = position + 1;
	rc = disruptor_conflate_put(n->table, item, position);
	if (rc != 0)
		schedule_fail("a put answers %s", disruptor_error_name(rc));
}

static void check_allowed(const struct hand *h, uint64_t position, const struct item *item)
{
	const struct node *n = h->node;

	if (!h->running)
		schedule_fail("'%s' is handed position %llu, but does not run", n->f->name,
			      ULL(position));
	if (n->plan->kind == NODE_KEYED &&
	    disruptor_pool_lane(n->stage, item->value % KEYS) != h->index)
		schedule_fail("worker %u of '%s' is handed another's position %llu", h->index,
			      n->f->name, ULL(position));
	if (n->plan->deferred && position >= model_furthest_released(n->f) + n->plan->deferred)
		schedule_fail("'%s' is handed position %llu, released is %llu, and it is to read "
			      "%u ahead",
			      n->f->name, ULL(position), ULL(model_furthest_released(n->f)),
			      n->plan->deferred);
}

static int handle(struct hand *h, struct item *item, uint64_t position)
{
	struct node *n = h->node;
	int verdict = script(n, position);
	unsigned mark = (unsigned)(n->f - model.followers);

	schedule_say("handles position %llu, answers %d", ULL(position), verdict);
	model_seen(n->f, position, item);
	check_allowed(h, position, item);
	if (random_once_in(&h->random, 2))
		schedule_yield();
	model_unchanged(n->f, position, item);
	item->marks[mark] = item->value ^ (mark + 1);
	if (n->table)
		put(n, item, position);
	account(h, position, verdict);
	return verdict;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	(void)last;
	return handle(context, event, position);
}

static int on_span(void *context, const struct disruptor_span *span, uint64_t *handled, int last)
{
	struct hand *h = context;

	(void)last;
	for (uint64_t i = 0; i < span->count; i++) {
		unsigned char *event = (unsigned char *)span->first + i * span->stride;
		uint64_t position = span->position + i;
		int verdict = script(h->node, position);

		if (verdict != DISRUPTOR_CONTINUE && i > 0) {
			*handled = i; /* it comes again as a span's first */
			return DISRUPTOR_CONTINUE;
		}
		(void)handle(h, (struct item *)(void *)event, position);
		if (verdict != DISRUPTOR_CONTINUE) {
			*handled = verdict == DISRUPTOR_RETRY || verdict == DISRUPTOR_REWIND ||
						   verdict < 0
					   ? 0
					   : 1;
			return verdict;
		}
	}
	return DISRUPTOR_CONTINUE;
}

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	struct hand *h = context;
	const struct node_plan *p = h->node->plan;
	uint64_t most = p->batch ? p->batch : world.plan->ring.capacity;

	if (size == 0 || size > most || depth < size)
		schedule_fail("'%s' is told of a batch of %llu of %llu; at most %llu",
			      h->node->f->name, ULL(size), ULL(depth), ULL(most));
	return 0;
}

static int on_start(void *context)
{
	struct hand *h = context;

	if (h->running)
		schedule_fail("'%s' is started twice", h->node->f->name);
	h->running = true;
	h->count = 0;
	return 0;
}

static int on_stop(void *context)
{
	struct hand *h = context;

	if (!h->running)
		schedule_fail("'%s' is stopped, but does not run", h->node->f->name);
	h->running = false;
	h->count = 0;
	return 0;
}

static int on_idle(void *context)
{
	struct hand *h = context;

	if (!h->running)
		schedule_fail("'%s' is told that it is idle, but does not run", h->node->f->name);
	h->count = 0;
	return 0;
}

static void on_rewind(void *context, uint64_t from, uint64_t to)
{
	struct hand *h = context;

	schedule_say("rewinds from %llu to %llu", ULL(to), ULL(from));
	see_again(h, from, to);
}

struct disruptor_handler node_handler(struct node *n, unsigned index)
{
	const struct node_plan *p = n->plan;
	struct hand *h = &n->hands[index];

	*h = (struct hand){ .node = n,
			    .index = index,
			    .policy = p->policy,
			    .key = UINT64_MAX,
			    .random = world.plan->seed + n->index * 64 + index };
	return (struct disruptor_handler){
		.size = sizeof(struct disruptor_handler),
		.name = n->f->name,
		.context = h,
		.on_start = on_start,
		.on_batch = on_batch,
		.on_event = p->spans ? NULL : on_event,
		.on_span = p->spans ? on_span : NULL,
		.on_idle = p->idles ? on_idle : NULL,
		.on_stop = on_stop,
		.on_rewind = on_rewind,
		.wait = p->wait,
		.batch = p->batch,
		.batch_min = p->kind == NODE_STAGE ? p->batch_min : 0,
		.linger_ns = p->kind == NODE_STAGE ? p->linger_ns : 0,
		.deferred = p->kind == NODE_STAGE ? p->deferred : 0,
	};
}

void node_check_counts(const struct node *n)
{
	unsigned hands = n->plan->kind == NODE_STAGE ? 1 : n->plan->workers;

	for (unsigned i = 0; i < hands; i++) {
		const struct hand *h = &n->hands[i];
		struct disruptor_stage_trouble t;

		if (!h->stage || h->stage->retired)
			continue;
		t = disruptor_stage_trouble(h->stage);
		if (t.skipped < h->skips || t.skipped > h->skips + h->skips_perhaps)
			schedule_fail("'%s' has skipped %llu, and counts %llu", n->f->name,
				      ULL(h->skips), ULL(t.skipped));
		if (t.retries != h->retries || t.rewinds != h->rewinds)
			schedule_fail("'%s' was handed %llu events and %llu batches again, and "
				      "counts %llu and %llu",
				      n->f->name, ULL(h->retries), ULL(h->rewinds), ULL(t.retries),
				      ULL(t.rewinds));
	}
}

/* ---- who releases for a deferred stage ---- */

void *node_releaser(void *node)
{
	struct node *n = node;
	uint64_t random = world.plan->seed ^ UINT64_C(0xdefe);

	while (!world.over) {
		uint64_t read = disruptor_stage_read(n->stage);
		uint64_t at = n->f->released, to;
		int rc;

		if (read <= at) {
			os_sleep(300);
			continue;
		}
		to = at + 1 + random_below(&random, read - at);
		schedule_begin("release of '%s' up to %llu", n->f->name, ULL(to));
		model_releases(n->f, to);
		rc = disruptor_stage_release(n->stage, to);
		schedule_end("%s", disruptor_error_name(rc));
		if (rc != 0)
			schedule_fail("a release up to %llu of %llu read answers %s", ULL(to),
				      ULL(read), disruptor_error_name(rc));
	}
	return NULL;
}

/* ---- who reads a conflating table ---- */

void *node_conflate_reader(void *node)
{
	struct node *n = node;
	uint64_t last[KEYS] = { 0 }, position;
	struct item item;
	int rc;

	for (;;) {
		schedule_begin("take from the table");
		rc = disruptor_conflate_take_until(n->table, &item, &position, DISRUPTOR_FOREVER);
		schedule_end("%s", disruptor_error_name(rc < 0 ? rc : 0));
		if (rc != 1)
			break;
		if (position >= model.claimed || item.value != model.at[position].value)
			schedule_fail("the table gives %llx for position %llu, which is %llx",
				      ULL(item.value), ULL(position),
				      ULL(position < model.claimed ? model.at[position].value : 0));
		if (position + 1 <= last[item.value % KEYS])
			schedule_fail("the table gives position %llu behind %llu", ULL(position),
				      ULL(last[item.value % KEYS] - 1));
		last[item.value % KEYS] = position + 1;
	}
	for (unsigned i = 0; i < KEYS; i++)
		if (rc != DISRUPTOR_E_CLOSED || last[i] != n->last_put[i])
			schedule_fail("the table ends with %s at %llu of key %u, last put was %llu",
				      disruptor_error_name(rc), ULL(last[i]), i,
				      ULL(n->last_put[i]));
	return NULL;
}
