/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Producers: each a thread with a view, which claims, fills, publishes and gives up at random. */
#include "world.h"

#include "ring/layout.h"
#include "ring/ring.h"
#include "os/os.h"

#include <string.h>

#define ULL(x) ((unsigned long long)(x))

struct producing {
	const struct producer_plan *plan;
	struct disruptor_producer view;
	uint64_t random;
	bool ended;
};

static uint64_t below(struct producing *p, uint64_t n)
{
	return random_below(&p->random, n);
}

/* ---- claims, and what may refuse them ---- */

static bool has_gate(void)
{
	for (unsigned i = 0; i < MODEL_FOLLOWERS; i++)
		if (model.followers[i].used && model.followers[i].gates)
			return true;
	return false;
}

static bool has_pool(void)
{
	for (unsigned i = 0; i < world.plan->nodes; i++)
		if (world.plan->node[i].kind == NODE_POOL && world.plan->node[i].workers > 1)
			return true;
	return false;
}

/* What the ring itself says at this moment, without a hook. */
struct room {
	bool opening; /* the ring is being opened again */
	uint64_t end; /* there is room up to here, and will be; 0: that cannot be told */
	uint64_t attaches;
};

static struct room look_at_room(void)
{
	const struct disruptor_ring *r = world.ring;
	struct room room = { .opening = model.opening, .attaches = model.attaches };
	uint64_t low = DISRUPTOR_VACANT;

	/* a pool's worker may hold its hand for a moment on what others have taken and released */
	if (model.free_run || model.attaching != 0 || !has_gate() || has_pool())
		return room;
	for (uint32_t i = 0; i < r->max_consumers; i++) {
		uint64_t at = disruptor_load_relaxed(&r->gates[i].sequence);

		low = at < low ? at : low;
	}
	room.end = low != DISRUPTOR_VACANT ? low + model.capacity : 0;
	return room;
}

/* Gates only move on, and nobody has joined: there was room if there is for all that is claimed by now. */
static void check_full(const struct room *before, uint64_t least)
{
	uint64_t claimed = model.claimed;

	if (world.plan->ring.producers == DISRUPTOR_MANY)
		claimed = disruptor_load_relaxed(&world.ring->shared->claimed) & ~DISRUPTOR_CLOSED;
	if (claimed + least <= before->end && model.attaches == before->attaches)
		schedule_fail("a claim of %llu behind %llu was refused as full, but there was room "
			      "up to %llu",
			      ULL(least), ULL(claimed), ULL(before->end));
}

static void check_refusal(struct producing *p, int code, const struct room *before, uint64_t least,
			  bool extends)
{
	enum disruptor_overflow overflow = p->plan->options.overflow;

	switch (code) {
	case DISRUPTOR_E_FULL:
		if (!extends)
			check_full(before, least);
		return;
	case DISRUPTOR_E_TIMEOUT:
		return;
	case DISRUPTOR_E_DROPPED:
		if (overflow == DISRUPTOR_DROP)
			return;
		break;
	case DISRUPTOR_E_CLOSED:
	case DISRUPTOR_E_FAILED: /* as the last run ended */
		if (before->opening) {
			os_sleep(300);
			return;
		}
		p->ended = true;
		if (code == DISRUPTOR_E_CLOSED ? model.closing : model.failing)
			return;
		break;
	case DISRUPTOR_E_NO_CONSUMER:
		if (!model.free_run)
			return;
		break;
	case DISRUPTOR_E_BUSY:
		if (extends && world.plan->ring.producers == DISRUPTOR_MANY)
			return;
		break;
	default:
		break;
	}
	schedule_fail("a claim of %llu answers %s: %s", ULL(least), disruptor_error_name(code),
		      disruptor_error_detail());
}

static void fill(struct producing *p, uint64_t from, uint64_t n)
{
	uint64_t front = disruptor_producer_position(&p->view);

	for (uint64_t i = from; i < from + n; i++)
		model_fill(disruptor_claimed_at(&p->view, i), front + i, random_next(&p->random));
}

/* How many were claimed. */
static uint64_t claim_by(struct producing *p, uint64_t n, unsigned way)
{
	switch (way) {
	case 0:
		return disruptor_try_claim_n(&p->view, n) ? n : 0;
	case 1:
		return disruptor_claim_until(&p->view, n, disruptor_in(below(p, 3000))) ? n : 0;
	case 2:
		return disruptor_claim_up_to(&p->view, n);
	default:
		return disruptor_claim_n(&p->view, n) ? n : 0;
	}
}

static uint64_t claim(struct producing *p, uint64_t n, bool extends)
{
	static const char *const ways[] = { "try", "until", "up to", "claim", "claim", "claim" };
	unsigned way = extends ? 0 : (unsigned)below(p, 6);
	uint64_t before = disruptor_claimed(&p->view), taken;
	struct claim_began began;
	struct room room;

	schedule_begin("%s %llu", ways[way], ULL(n));
	room = look_at_room();
	began = model_claim_begins();
	taken = claim_by(p, n, way);
	model_claimed(&began, disruptor_producer_position(&p->view) + before, taken);
	schedule_end("%llu at %llu%s%s", ULL(taken),
		     ULL(disruptor_producer_position(&p->view) + before), taken ? "" : ", ",
		     taken ? "" : disruptor_error_name(disruptor_producer_status(&p->view)));
	if (taken == 0)
		check_refusal(p, disruptor_producer_status(&p->view), &room, way == 2 ? 1 : n,
			      extends);
	else
		fill(p, before, taken);
	return taken;
}

/* ---- what becomes of a run ---- */

static void expect_ok(const char *what, int rc)
{
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("%s answers %s: %s", what, disruptor_error_name(rc),
			      disruptor_error_detail());
}

static void publish(struct producing *p, uint64_t n, bool all)
{
	uint64_t at = disruptor_producer_position(&p->view);

	schedule_begin("publish %llu from %llu", ULL(n), ULL(at));
	model_publish_begins(at, n);
	expect_ok("a publish",
		  all ? disruptor_publish(&p->view) : disruptor_publish_n(&p->view, n));
	model_published(at, n);
}

static void give_up(struct producing *p, uint64_t n)
{
	uint64_t at = disruptor_producer_position(&p->view);
	bool packed = world.plan->ring.layout == DISRUPTOR_PACKED;

	schedule_begin("abort %llu from %llu", ULL(n), ULL(at));
	if (packed)
		model_taken_back(at, n);
	else
		model_void_begins(at, n);
	expect_ok("an abort", disruptor_abort_n(&p->view, n));
	if (!packed)
		model_voided(at, n);
}

static void settle(struct producing *p)
{
	bool packed = world.plan->ring.layout == DISRUPTOR_PACKED;
	bool voids = (world.plan->features & (PLAN_VOIDS | PLAN_BACK)) != 0;
	uint64_t n;

	while ((n = disruptor_claimed(&p->view)) != 0) {
		if (below(p, voids ? 2 : 5) == 0)
			give_up(p, packed ? n : 1 + below(p, n));
		else if (below(p, 2))
			publish(p, n, true);
		else
			publish(p, 1 + below(p, n), false);
	}
}

static void copy(struct producing *p)
{
	struct item item = { .value = random_next(&p->random) };
	struct claim_began began;
	struct room room;
	uint64_t at;
	int rc;

	schedule_begin("publish a copy");
	room = look_at_room();
	began = model_claim_begins();
	/* claimed and published in one call: what it will be is told to the model by its halves */
	at = 0;
	rc = disruptor_claim_n(&p->view, 1) ? 0 : disruptor_producer_status(&p->view);
	at = disruptor_producer_position(&p->view);
	model_claimed(&began, at, rc == 0);
	if (rc != 0) {
		schedule_end("%s", disruptor_error_name(rc));
		check_refusal(p, rc, &room, 1, false);
		return;
	}
	model_fill(disruptor_claimed_at(&p->view, 0), at, item.value);
	model_publish_begins(at, 1);
	expect_ok("a copy", disruptor_publish(&p->view));
	model_published(at, 1);
}

static void operate(struct producing *p)
{
	uint64_t most = model.capacity < 4 ? model.capacity : 4, n = 1;

	if (below(p, 3) == 0 || (world.plan->features & (PLAN_RUNS | PLAN_LEAVE | PLAN_QUICK)))
		n = 1 + below(p, most);
	if (n == 1 && below(p, 6) == 0) {
		copy(p);
		return;
	}
	if (claim(p, n, false) == 0)
		return;
	if (disruptor_claimed(&p->view) < model.capacity && below(p, 4) == 0)
		(void)claim(p, 1 + below(p, model.capacity - disruptor_claimed(&p->view)), true);
	if (below(p, 4) == 0)
		schedule_yield();
	settle(p);
}

/* ---- the view ---- */

static void open_view(struct producing *p)
{
	int rc;

	schedule_begin("open a producer");
	rc = disruptor_producer_open(&p->view, world.ring, &item_type, &p->plan->options);
	expect_ok("opening a producer", rc);
}

/* With a run that is open, perhaps: closing gives it up. */
static void close_view(struct producing *p, bool abandon)
{
	bool packed = world.plan->ring.layout == DISRUPTOR_PACKED;
	uint64_t at, n = 0;

	if (abandon)
		(void)claim(p, 1, false);
	n = disruptor_claimed(&p->view);
	at = disruptor_producer_position(&p->view);
	schedule_begin("close a producer");
	if (packed)
		model_taken_back(at, n);
	else
		model_void_begins(at, n);
	expect_ok("closing a producer", disruptor_producer_close(&p->view));
	if (!packed)
		model_voided(at, n);
}

void *producer_thread(void *plan)
{
	const struct producer_plan *q = plan;
	struct producing producing = { .plan = q }, *p = &producing;

	p->random = world.plan->seed ^
		    (UINT64_C(0x960d) + model.openings * 64 + (uint64_t)(q - world.plan->producer));
	open_view(p);
	for (unsigned i = 0; i < q->operations && !p->ended; i++) {
		operate(p);
		if (q->reopens && !p->ended && below(p, 3) == 0) {
			close_view(p, below(p, 2) == 0);
			open_view(p);
		}
	}
	close_view(p, q->reopens && !p->ended);
	return NULL;
}
