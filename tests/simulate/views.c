/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Consumers of the caller's own, in every way to read, and lossy readers. */
#include "world.h"

#include "virtual.h"
#include "os/os.h"

#include <stdio.h>

#define ULL(x) ((unsigned long long)(x))

/* ---- joining and leaving ---- */

static unsigned bits_of(unsigned nodes)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < world.plan->nodes; i++)
		if ((nodes >> i & 1) && node_is_there(&world.nodes[i]))
			bits |= model_bit(world.nodes[i].f);
	return bits;
}

static void open_one(struct view *v, unsigned i)
{
	const struct disruptor_consumer *after[PLAN_NODES];
	struct disruptor_consumer_options o = { .size = sizeof(o),
						.name = "view",
						.after = after,
						.batch = v->plan->batch,
						.wait = v->plan->wait,
						.at = v->plan->at,
						.take = v->plan->way == VIEW_TAKE };
	unsigned pinned = 0;
	char name[16];
	int rc;

	(void)snprintf(name, sizeof(name), "view %u.%u", v->index, i);
	v->f[i] = model_follow(name, bits_of(v->plan->after));
	v->f[i]->explicit_release = true;
	for (unsigned k = 0; k < world.plan->nodes; k++)
		if ((v->plan->after >> k & 1) && node_is_there(&world.nodes[k])) {
			pinned |= 1u << k;
			world.nodes[k].pins++;
			after[o.after_count++] = disruptor_stage_consumer(world.nodes[k].stage);
		}
	schedule_begin("attach '%s'", name);
	model_attach_begins(v->f[i], v->plan->at);
	rc = disruptor_consumer_open(&v->c[i], world.ring, &item_type, &o);
	if (rc != 0)
		schedule_fail("attaching '%s' answers %s: %s", name, disruptor_error_name(rc),
			      disruptor_error_detail());
	model_attached(v->f[i], disruptor_consumer_position(&v->c[i]), true);
	schedule_end("at %llu", ULL(disruptor_consumer_position(&v->c[i])));
	for (unsigned k = 0; k < world.plan->nodes; k++)
		if (pinned >> k & 1)
			world.nodes[k].pins--;
	v->open[i] = true;
}

void view_open(struct view *v)
{
	v->count = v->plan->way == VIEW_ANY ? 2 : 1;
	for (unsigned i = 0; i < v->count; i++)
		open_one(v, i);
}

static void close_one(struct view *v, unsigned i)
{
	int rc;

	v->open[i] = false;
	while (v->pins) /* a view is closed when nobody else uses it */
		os_sleep(100);
	schedule_begin("detach '%s'", v->f[i]->name);
	model_detach_begins(v->f[i]);
	rc = disruptor_consumer_close(&v->c[i]);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("detaching '%s' answers %s", v->f[i]->name, disruptor_error_name(rc));
	model_detached(v->f[i]);
}

void view_interrupt(struct view *v)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (!v->open[i])
			continue;
		v->pins++;
		v->interrupts++;
		schedule_begin("interrupt '%s'", v->f[i]->name);
		disruptor_consumer_interrupt(&v->c[i]);
		schedule_end("done");
		v->pins--;
	}
}

/* ---- reading ---- */

static void release(struct view *v, unsigned i, uint64_t n)
{
	int rc;

	schedule_begin("release %llu of '%s'", ULL(n), v->f[i]->name);
	model_releases(v->f[i], disruptor_consumer_position(&v->c[i]) + n);
	rc = disruptor_release(&v->c[i], n);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("a release answers %s", disruptor_error_name(rc));
}

static void see(struct view *v, unsigned i, uint64_t position, const void *event)
{
	model_seen(v->f[i], position, event);
	if (random_once_in(&world.random, 3))
		schedule_yield();
	model_unchanged(v->f[i], position, event);
	model_done(v->f[i], position);
	v->seen++;
}

/* Some of @p n that are ready, then their release. */
static void read_some(struct view *v, unsigned i, uint64_t n)
{
	struct disruptor_consumer *c = &v->c[i];
	uint64_t some = 1 + random_below(&world.random, n);
	int rc;

	/* what is polled comes behind all that was handed out */
	if (v->plan->way == VIEW_POLL || random_once_in(&world.random, 2))
		some = n;
	if (v->plan->way == VIEW_SELF) {
		uint64_t to = disruptor_consumer_position(c) + some;

		schedule_begin("release to %llu of '%s'", ULL(to), v->f[i]->name);
		for (uint64_t p = disruptor_consumer_position(c); p < to; p++)
			model_leave_out(v->f[i], p);
		v->f[i]->expected = to;
		v->seen += some;
		model_releases(v->f[i], to);
		rc = disruptor_release_to(c, to);
		schedule_end("%s", disruptor_error_name(rc));
		if (rc != 0)
			schedule_fail("a release to %llu answers %s", ULL(to),
				      disruptor_error_name(rc));
		return;
	}
	for (uint64_t k = 0; k < some; k++)
		see(v, i, disruptor_consumer_position(c) + k, disruptor_at(c, k));
	release(v, i, some);
}

static uint64_t read_spans(struct view *v)
{
	struct disruptor_span span;
	uint64_t n = disruptor_ready_span(&v->c[0], &span);

	for (uint64_t k = 0; k < n; k++)
		see(v, 0, span.position + k, (unsigned char *)span.first + k * span.stride);
	if (n)
		release(v, 0, n);
	return n;
}

/* Twice before anything is released, as far as there is more. */
static uint64_t read_polled(struct view *v)
{
	struct disruptor_span span;
	uint64_t held = 0;

	for (unsigned turn = 0; turn < 2; turn++) {
		uint64_t n = disruptor_consumer_poll(
			&v->c[0], 1 + random_below(&world.random, model.capacity), &span);

		for (uint64_t k = 0; k < n; k++)
			see(v, 0, span.position + k, (unsigned char *)span.first + k * span.stride);
		held += n;
	}
	if (held)
		release(v, 0, held);
	return held;
}

static uint64_t take_out(struct view *v)
{
	struct item item;
	uint64_t at;
	int taken;

	schedule_begin("take");
	v->f[0]->takes = true; /* it releases voids, and what it takes: somewhere in the call */
	taken = disruptor_take(&v->c[0], &item);
	at = disruptor_consumer_position(&v->c[0]);
	model_releases(v->f[0], at);
	v->f[0]->takes = false;
	schedule_end("%d", taken);
	if (taken != 1)
		return 0;
	at--;
	model_seen(v->f[0], at, &item);
	model_done(v->f[0], at);
	v->seen++;
	return 1;
}

/* ---- waiting ---- */

static uint64_t deadline_of(const struct view *v)
{
	return v->plan->times_out ? disruptor_in(500 + random_below(&world.random, 1500))
				  : DISRUPTOR_FOREVER;
}

static int64_t wait_in_loop(struct view *v)
{
	int fd = disruptor_consumer_fd(&v->c[0]);
	int64_t n;

	if (fd < 0)
		schedule_fail("a descriptor answers %s", disruptor_error_name(fd));
	n = disruptor_consumer_arm(&v->c[0]);
	if (n == 0 && !virtual_event_wait(fd, deadline_of(v)))
		return DISRUPTOR_E_TIMEOUT;
	return n == 0 ? DISRUPTOR_E_TIMEOUT : n;
}

/* How many are ready of which view; or a code. */
static int64_t wait_for(struct view *v, unsigned *which)
{
	struct disruptor_consumer *both[2];
	unsigned open = 0, at[2];
	int64_t found;

	*which = 0;
	if (v->plan->way == VIEW_LOOP)
		return wait_in_loop(v);
	for (unsigned i = 0; i < v->count; i++)
		if (v->open[i]) {
			at[open] = i;
			both[open++] = &v->c[i];
		}
	*which = at[0];
	if (v->plan->way != VIEW_ANY)
		return disruptor_ready_until(both[0], deadline_of(v));
	found = disruptor_wait_any(both, open, deadline_of(v));
	if (found < 0)
		return found;
	*which = at[found];
	return disruptor_ready_until(both[found], disruptor_in(0));
}

/* False once nothing comes any more. */
static bool judge(struct view *v, unsigned which, int64_t code)
{
	switch (code) {
	case DISRUPTOR_E_TIMEOUT:
		if (v->plan->times_out || v->plan->way == VIEW_LOOP || v->plan->way == VIEW_ANY)
			return true;
		break;
	case DISRUPTOR_E_INTERRUPTED:
		if (v->interrupts > 0)
			return !world.leave;
		break;
	case DISRUPTOR_E_CLOSED:
		if (v->plan->way == VIEW_SELF)
			return false;
		model_told_end(v->f[which]);
		return false;
	case DISRUPTOR_E_FAILED:
		if (model.failing)
			return false;
		break;
	default:
		break;
	}
	schedule_fail("'%s' waits and is told %s", v->f[which]->name,
		      disruptor_error_name((int)code));
}

static uint64_t read_at_once(struct view *v)
{
	switch (v->plan->way) {
	case VIEW_SPANS:
		return read_spans(v);
	case VIEW_POLL:
		return read_polled(v);
	case VIEW_TAKE:
		return take_out(v);
	default:
		return 0;
	}
}

/* Wait, and read what that has found; false if that view is at its end. */
static bool turn(struct view *v, unsigned *which)
{
	int64_t n;

	schedule_begin("wait of '%s'", v->f[0]->name);
	n = wait_for(v, which);
	schedule_end("%lld%s%s", (long long)(n > 0 ? n : 0), n < 0 ? ", " : "",
		     n < 0 ? disruptor_error_name((int)n) : "");
	if (n > 0 && v->plan->way == VIEW_TAKE)
		return take_out(v) != 0 || true;
	if (n > 0)
		read_some(v, *which, (uint64_t)n);
	return n > 0 || judge(v, *which, n);
}

void *view_thread(void *view)
{
	struct view *v = view;
	unsigned left, which;

	if (!v->open[0])
		view_open(v);
	for (unsigned i = 0; i < v->count; i++) /* another thread may have opened it */
		(void)disruptor_consumer_handoff(&v->c[i]);
	left = v->count;
	while (left && !world.leave &&
	       !(v->plan->leaves_after && v->seen >= v->plan->leaves_after)) {
		if (read_at_once(v) != 0)
			continue;
		if (turn(v, &which))
			continue;
		close_one(v, which);
		left--;
	}
	for (unsigned i = 0; i < v->count; i++)
		if (v->open[i])
			close_one(v, i);
	return NULL;
}

/* ---- who comes and goes ---- */

static void visit_as_view(void)
{
	const struct view_plan plan = { .way = VIEW_READY,
					.at = random_once_in(&world.random, 2)
						      ? DISRUPTOR_AT_NEWEST
						      : DISRUPTOR_AT_OLDEST };
	struct view visitor = { .plan = &plan, .index = 9, .count = 1 }, *v = &visitor;
	uint64_t n;

	open_one(v, 0);
	if (random_once_in(&world.random, 3))
		view_interrupt(v);
	n = disruptor_ready(&v->c[0]);
	if (n)
		read_some(v, 0, n);
	close_one(v, 0);
}

static void visit_as_reader(void)
{
	const struct disruptor_reader_options o = { .size = sizeof(o),
						    .from = DISRUPTOR_READER_OLDEST };
	struct disruptor_reader r;
	struct item item;
	int rc;

	schedule_begin("open a lossy reader");
	rc = disruptor_reader_open(&r, world.ring, &item_type, &o);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("opening a reader answers %s", disruptor_error_name(rc));
	schedule_begin("read");
	rc = disruptor_reader_next(&r, &item);
	schedule_end("%d", rc);
	if (rc == 1 && item.value != model.at[disruptor_reader_position(&r) - 1].value)
		schedule_fail("a reader reads what was not published");
	(void)disruptor_reader_close(&r);
}

void *visitor_thread(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 3; i++) {
		if (world.plan->readers && random_once_in(&world.random, 2))
			visit_as_reader();
		else
			visit_as_view();
		if (random_once_in(&world.random, 2))
			os_sleep(random_below(&world.random, 800));
	}
	return NULL;
}

/* ---- lossy readers ---- */

struct reading {
	struct disruptor_reader view;
	uint64_t start, read;
};

static void check_read(struct reading *r, const struct item *item)
{
	uint64_t at = disruptor_reader_position(&r->view) - 1;

	r->read++;
	if (at >= model.claimed ||
	    (model.at[at].what != PUBLISHED && model.at[at].what != PUBLISHING))
		schedule_fail("a reader reads position %llu, which is not published", ULL(at));
	if (item->value != model.at[at].value)
		schedule_fail("a reader reads %llx at position %llu, published was %llx",
			      ULL(item->value), ULL(at), ULL(model.at[at].value));
	for (unsigned i = 0; i < MODEL_MARKS; i++)
		if (item->marks[i] != 0)
			schedule_fail("a reader reads position %llu as '%s' has changed it",
				      ULL(at), model.followers[i].name);
	if (at + 1 != r->start + r->read + disruptor_reader_missed(&r->view) +
			      disruptor_reader_voids(&r->view))
		schedule_fail("a reader at position %llu began at %llu, has read %llu, missed "
			      "%llu and passed %llu voids",
			      ULL(at), ULL(r->start), ULL(r->read),
			      ULL(disruptor_reader_missed(&r->view)),
			      ULL(disruptor_reader_voids(&r->view)));
}

void *reader_thread(void *unused)
{
	const struct disruptor_reader_options o = { .size = sizeof(o),
						    .from = DISRUPTOR_READER_NEWEST,
						    .wait = world.plan->ring.wait };
	struct reading r = { .read = 0 };
	struct item item;
	int rc;

	(void)unused;
	schedule_begin("open a lossy reader");
	rc = disruptor_reader_open(&r.view, world.ring, &item_type,
				   random_once_in(&world.random, 2) ? &o : NULL);
	schedule_end("%s", disruptor_error_name(rc));
	if (rc != 0)
		schedule_fail("opening a reader answers %s", disruptor_error_name(rc));
	r.start = disruptor_reader_position(&r.view);
	do {
		schedule_begin("read");
		rc = disruptor_reader_next_until(
			&r.view, &item,
			random_once_in(&world.random, 4) ? disruptor_in(1000) : DISRUPTOR_FOREVER);
		schedule_end("%s at %llu", disruptor_error_name(rc < 0 ? rc : 0),
			     ULL(disruptor_reader_position(&r.view)));
		if (rc == 1)
			check_read(&r, &item);
	} while (rc == 1 || rc == DISRUPTOR_E_TIMEOUT);
	if (rc != DISRUPTOR_E_CLOSED && !(rc == DISRUPTOR_E_FAILED && model.failing))
		schedule_fail("a reader is told %s", disruptor_error_name(rc));
	for (uint64_t p = disruptor_reader_position(&r.view);
	     rc == DISRUPTOR_E_CLOSED && p < model.claimed; p++)
		if (!model_is_void(p))
			schedule_fail("a reader is told that nothing comes at position %llu, but "
				      "%llu is not void",
				      ULL(disruptor_reader_position(&r.view)), ULL(p));
	schedule_begin("close a lossy reader");
	rc = disruptor_reader_close(&r.view);
	schedule_end("%s", disruptor_error_name(rc));
	return NULL;
}
