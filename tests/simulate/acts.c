/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is done to the graph while it runs: stages come and go, waits are interrupted, it is closed. */
#include "world.h"

#include "graph/graph_internal.h"
#include "os/os.h"

#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

/* ---- coming ---- */

static void attach(struct node *n)
{
	struct disruptor_stage *after[PLAN_NODES];
	struct disruptor_attach how = { .size = sizeof(how), .after = after, .at = n->plan->at };
	struct disruptor_stage *made;
	struct disruptor_handler h;
	unsigned ups = 0;
	char name[16];

	for (unsigned k = 0; k < n->index; k++)
		if ((n->plan->after >> k & 1) && node_is_there(&world.nodes[k])) {
			world.nodes[k].pins++;
			after[how.after_count++] = world.nodes[k].stage;
			ups |= model_bit(world.nodes[k].f);
		}
	(void)snprintf(name, sizeof(name), "node %u", n->index);
	n->f = model_follow(name, ups);
	h = node_handler(n, 0);
	n->hands[0].policy = (struct disruptor_policy){ 0 };
	schedule_begin("attach '%s'", name);
	model_attach_begins(n->f, n->plan->at);
	made = disruptor_attach(world.d, &h, &how);
	n->stage = made; /* another may detach it as soon as it is there */
	n->hands[0].stage = made;
	if (made)
		model_attached(n->f, 0, false);
	schedule_end("%s", made ? "done" : disruptor_error_detail());
	if (!made && world.quiet && world.plan->executor.mapping != DISRUPTOR_MAP_NONE)
		schedule_fail("attaching '%s' is refused: %s", name, disruptor_error_detail());
	if (!made) {
		model.attaching--;
		model_detached(n->f);
	}
	for (unsigned k = 0; k < n->index; k++)
		if (ups & model_bit(world.nodes[k].f))
			world.nodes[k].pins--;
}

/* ---- going ---- */

static void expect_ended(const struct node *n, unsigned index)
{
	if (n->hands[index].running)
		schedule_fail("'%s' is detached and still runs", n->f->name);
}

static int end(struct disruptor_stage *s)
{
	enum disruptor_stop_mode mode = random_once_in(&world.random, 2) ? DISRUPTOR_NOW
									 : world.plan->mode;
	bool patient = !random_once_in(&world.random, 3) && !world.plan->early &&
		       !world.plan->hasty;
	int rc;

	do
		rc = disruptor_detach(s, mode, patient ? DISRUPTOR_FOREVER : disruptor_in(800));
	while (rc == DISRUPTOR_E_TIMEOUT);
	return rc;
}

static void detach(struct node *n)
{
	int rc;

	n->leaves = true;
	while (n->pins) /* nobody else uses it meanwhile */
		os_sleep(100);
	n->stopped = true;
	schedule_begin("detach '%s'", n->f->name);
	model_detach_begins(n->f);
	rc = end(n->stage);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("detaching '%s' answers %s: %s", n->f->name, disruptor_error_name(rc),
			      disruptor_error_detail());
	for (unsigned i = 0; i <= PLAN_WORKERS; i++) {
		expect_ended(n, i);
		n->hands[i].stage = NULL;
	}
	model_detached(n->f);
	n->stage = NULL;
	n->leaves = false;
}

/* ---- another worker in the place of one ---- */

static unsigned live_workers(const struct node *n)
{
	unsigned live = 0;

	for (unsigned i = 0; i < n->plan->workers; i++)
		live += disruptor_pool_worker(n->stage, i) != NULL;
	return live;
}

static unsigned first_vacant(const struct node *n)
{
	unsigned i = 0;

	while (disruptor_pool_worker(n->stage, i))
		i++;
	return i;
}

static void replace(struct node *n)
{
	unsigned i = (unsigned)random_below(&world.random, n->plan->workers);
	struct disruptor_stage *worker = disruptor_pool_worker(n->stage, i), *made;
	struct disruptor_handler h;
	struct hand before;
	int rc;

	if (!worker)
		return;
	n->pins++;
	n->stopped = n->stopped || live_workers(n) == 1;
	schedule_begin("detach worker %u of '%s'", i, n->f->name);
	rc = end(worker);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("detaching a worker answers %s: %s", disruptor_error_name(rc),
			      disruptor_error_detail());
	expect_ended(n, i);
	/* or in the place of nobody: what it has left is for the others, who may sleep */
	if (live_workers(n) > 0 && random_once_in(&world.random, 2)) {
		n->pins--;
		return;
	}
	i = first_vacant(n);
	before = n->hands[i];
	h = node_handler(n, i);
	/* the place is the same, and what it has counted stays */
	n->hands[i].stage = before.stage;
	n->hands[i].skips = before.skips;
	n->hands[i].skips_perhaps = before.skips_perhaps;
	n->hands[i].retries = before.retries;
	n->hands[i].rewinds = before.rewinds;
	n->hands[i].policy = (struct disruptor_policy){ 0 };
	schedule_begin("attach worker %u of '%s'", i, n->f->name);
	made = disruptor_pool_attach(n->stage, &h);
	schedule_end("%s", made ? "done" : disruptor_error_detail());
	if (!made && live_workers(n) == 0)
		world.crippled = true;
	if (!made && world.quiet && world.plan->executor.mapping != DISRUPTOR_MAP_NONE)
		schedule_fail("attaching a worker is refused: %s", disruptor_error_detail());
	n->pins--;
}

/* ---- all of it ---- */

static struct node *pick(bool (*is_fit)(const struct node *n))
{
	struct node *fit[PLAN_NODES];
	unsigned count = 0;

	for (unsigned i = 0; i < world.plan->nodes; i++)
		if (is_fit(&world.nodes[i]))
			fit[count++] = &world.nodes[i];
	return count ? fit[random_below(&world.random, count)] : NULL;
}

static bool comes(const struct node *n)
{
	return !n->stage && n->plan->comes && !n->stopped;
}

static bool goes(const struct node *n)
{
	return node_is_there(n) && n->plan->goes;
}

static bool is_pool(const struct node *n)
{
	/* without threads nobody drives on once all stages have ended */
	return node_is_there(n) && n->plan->kind == NODE_POOL &&
	       (live_workers(n) > 1 || world.plan->executor.mapping != DISRUPTOR_MAP_NONE);
}

static bool is_there(const struct node *n)
{
	return node_is_there(n);
}

static void stop_stage(struct node *n)
{
	n->pins++;
	n->stopped = true;
	schedule_begin("stop '%s'", n->f->name);
	disruptor_stage_stop(n->stage);
	schedule_end("done");
	n->pins--;
}

static void close_ring(void)
{
	schedule_begin("close");
	world_begin_closing();
	disruptor_ring_close(world.ring);
	model.closed = true;
	schedule_end("done");
}

static void perform(enum act act)
{
	struct node *n = act == ACT_ATTACH    ? pick(comes)
			 : act == ACT_DETACH  ? pick(goes)
			 : act == ACT_REPLACE ? pick(is_pool)
					      : pick(is_there);

	switch (act) {
	case ACT_INTERRUPT:
		if (world.plan->views)
			view_interrupt(
				&world.views[random_below(&world.random, world.plan->views)]);
		break;
	case ACT_CLOSE:
		close_ring();
		break;
	case ACT_STOP:
		world_stop();
		break;
	case ACT_ATTACH:
		if (n)
			attach(n);
		break;
	case ACT_DETACH:
		if (n)
			detach(n);
		break;
	case ACT_REPLACE:
		if (n)
			replace(n);
		break;
	case ACT_STOP_STAGE:
		if (n)
			stop_stage(n);
		break;
	default:
		break;
	}
}

/* Two share the acts: every other one each. */
void *act_thread(void *which)
{
	for (unsigned i = (unsigned)(uintptr_t)which; i < world.plan->act_count; i += 2) {
		if (random_once_in(&world.random, 2))
			os_sleep(random_below(&world.random, 1500));
		perform(world.plan->acts[i]);
	}
	return NULL;
}

/* ---- who drives a disruptor without threads ---- */

void *driver_thread(void *unused)
{
	int64_t n;

	(void)unused;
	do {
		uint64_t budget = 1 + random_below(&world.random, 5);

		schedule_begin("poll for %llu", ULL(budget));
		n = random_once_in(&world.random, 4)
			    ? disruptor_poll(world.d, budget)
			    : disruptor_poll_until(world.d, budget,
						   random_once_in(&world.random, 3)
							   ? disruptor_in(1000)
							   : DISRUPTOR_FOREVER);
		schedule_end("%lld", (long long)n);
		if (n == DISRUPTOR_E_BUSY || n == 0)
			os_sleep(100);
	} while (n >= 0 || n == DISRUPTOR_E_BUSY || n == DISRUPTOR_E_TIMEOUT);
	/* once all stages have ended, by themselves or by being detached; STATE: it is stopped already */
	if (n != DISRUPTOR_E_CLOSED && n != DISRUPTOR_E_STATE &&
	    !(n == DISRUPTOR_E_FAILED && model.failing))
		schedule_fail("polling answers %s", disruptor_error_name((int)n));
	return NULL;
}
