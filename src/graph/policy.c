/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is done about a failure: a stage's policy, changeable while it runs. */
#include "error.h"
#include "graph/graph_internal.h"
#include "graph/pool.h"

/* A pause is cut into pieces of this length, so that a stop need not wait for it. */
#define PAUSE_PIECE_NS UINT64_C(5000000)

static bool repeats(enum disruptor_remedy r)
{
	return r == DISRUPTOR_REMEDY_RETRY || r == DISRUPTOR_REMEDY_REWIND;
}

static int check_policy(const struct disruptor_policy *p)
{
	if ((unsigned)p->remedy > DISRUPTOR_REMEDY_ASK)
		return error_set(DISRUPTOR_E_INVAL, "policy: remedy: %d is none", (int)p->remedy);
	if (p->then != DISRUPTOR_REMEDY_FAIL && p->then != DISRUPTOR_REMEDY_SKIP)
		return error_set(DISRUPTOR_E_INVAL, "policy: then: %d is neither FAIL nor SKIP",
				 (int)p->then);
	if (p->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "policy: reserved: %u is not zero",
				 p->reserved);
	if (repeats(p->remedy) && p->times == 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "policy: times: 0 attempts of RETRY or REWIND; use FAIL or SKIP");
	if (!repeats(p->remedy) && p->times != 0)
		return error_set(DISRUPTOR_E_INVAL,
				 "policy: times: %u, but the remedy is neither RETRY nor REWIND",
				 p->times);
	if ((p->remedy == DISRUPTOR_REMEDY_ASK) != (p->ask != NULL))
		return error_set(DISRUPTOR_E_INVAL, "policy: ask: it goes with the remedy ASK");
	return 0;
}

int disruptor_stage_set_policy(struct disruptor_stage *s, const struct disruptor_policy *given)
{
	struct disruptor_policy known;
	int rc;

	if (!s || !given)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", s ? "policy" : "stage");
	rc = ring_copy_options("policy", &known, sizeof(known), given);
	if (rc == 0)
		rc = check_policy(&known);
	if (rc != 0)
		return rc;
	os_lock(&s->owner->monitor);
	s->policy = known;
	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
		s->pool->workers[i]->policy = known;
	os_unlock(&s->owner->monitor);
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): a pool asks its workers, which are no pools */
struct disruptor_stage_trouble disruptor_stage_trouble(const struct disruptor_stage *s)
{
	/* relaxed (figure) */
	struct disruptor_stage_trouble t = {
		.skipped = disruptor_load_relaxed(&s->skipped),
		.retries = disruptor_load_relaxed(&s->retries),
		.rewinds = disruptor_load_relaxed(&s->rewinds),
	};

	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++) {
		const struct disruptor_stage_trouble of =
			disruptor_stage_trouble(s->pool->workers[i]);

		t.skipped += of.skipped;
		t.retries += of.retries;
		t.rewinds += of.rewinds;
	}
	return t;
}

static uint64_t count_attempt(struct stage_attempts *a, const char *hook, uint64_t position)
{
	if (a->hook != hook || a->position != position)
		a->count = 0;
	a->hook = hook;
	a->position = position;
	return ++a->count;
}

static void pause_between(struct disruptor_stage *s, uint64_t ns)
{
	uint64_t until = disruptor_in(ns);
	uint64_t now;

	/* relaxed (hint): looked at again, and acted on, by the loop that this returns to */
	while (disruptor_load_relaxed(&s->consumer.gate->alert) == 0 &&
	       !(disruptor_load_relaxed(&s->consumer.shared->state) & DISRUPTOR_STATE_FAILED) &&
	       (now = os_now()) < until)
		os_sleep(until - now < PAUSE_PIECE_NS ? until - now : PAUSE_PIECE_NS);
}

/* The attempts are used up. An event that rewinding did not help is skipped by one more rewind. */
static enum disruptor_remedy give_up(struct stage_attempts *a, uint64_t position,
				     enum disruptor_remedy then)
{
	a->count = 0;
	if (then != DISRUPTOR_REMEDY_SKIP || !a->of_batch)
		return then;
	a->give_up = position;
	return DISRUPTOR_REMEDY_REWIND;
}

enum disruptor_remedy policy_remedy(struct disruptor_stage *s,
				    const struct disruptor_failure *failure,
				    enum disruptor_remedy wanted, uint64_t batch)
{
	struct disruptor_policy p;
	enum disruptor_remedy r;
	uint64_t attempt;

	os_lock(&s->owner->monitor);
	p = s->policy;
	os_unlock(&s->owner->monitor);
	r = failure->code < 0 ? p.remedy : wanted;
	s->attempts.of_batch = r == DISRUPTOR_REMEDY_REWIND && batch != STAGE_NOWHERE;
	attempt = count_attempt(&s->attempts, failure->hook,
				s->attempts.of_batch ? batch : failure->position);
	if (r == DISRUPTOR_REMEDY_ASK)
		r = p.ask(p.context, failure, attempt);
	else if (repeats(r) && r == p.remedy && attempt > p.times)
		r = give_up(&s->attempts, failure->position, p.then);
	if ((unsigned)r > DISRUPTOR_REMEDY_REWIND)
		r = DISRUPTOR_REMEDY_FAIL;
	if (repeats(r) && p.pause_ns != 0)
		pause_between(s, p.pause_ns);
	return r;
}
