/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A look at all of a segment at once, and what it comes to in words. */
#include "view.h"
#include "escape.h"

#include <inttypes.h>
#include <string.h>

/* ---- taking ---- */

static int take_producers(struct view *v, const struct disruptor_look *look)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && v->producers < VIEW_PRODUCERS; i++) {
		struct disruptor_look_producer *p = &v->producer[v->producers];

		*p = (struct disruptor_look_producer){ .size = sizeof(*p) };
		rc = disruptor_look_producer(look, i, p);
		if (rc == 0 && p->open)
			v->producer_at[v->producers++] = i;
	}
	return rc == DISRUPTOR_E_NOT_FOUND ? 0 : rc;
}

static int take_consumers(struct view *v, const struct disruptor_look *look)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && v->consumers < VIEW_CONSUMERS; i++) {
		struct disruptor_look_consumer *c = &v->consumer[v->consumers];

		*c = (struct disruptor_look_consumer){ .size = sizeof(*c) };
		rc = disruptor_look_consumer(look, i, c);
		if (rc == 0 && c->open)
			v->consumer_at[v->consumers++] = i;
	}
	return rc == DISRUPTOR_E_NOT_FOUND ? 0 : rc;
}

static int take_participants(struct view *v, const struct disruptor_look *look)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && v->participants < VIEW_PARTICIPANTS; i++) {
		struct disruptor_participant *p = &v->participant[v->participants];

		rc = disruptor_look_participant(look, i, p);
		if (rc == 0 && p->present)
			v->participant_at[v->participants++] = i;
	}
	return rc == DISRUPTOR_E_NOT_FOUND ? 0 : rc;
}

int view_take(struct view *v, const struct disruptor_look *look)
{
	int rc;

	memset(v, 0, sizeof(*v));
	v->facts.size = sizeof(v->facts);
	v->state.size = sizeof(v->state);
	v->type = disruptor_look_type(look);
	v->now = disruptor_now();
	rc = disruptor_look_facts(look, &v->facts);
	if (rc == 0)
		rc = take_participants(v, look);
	if (rc == 0)
		rc = take_producers(v, look);
	if (rc == 0)
		rc = take_consumers(v, look);
	/* last: what others have come to by then is not above it */
	return rc != 0 ? rc : disruptor_look_state(look, &v->state);
}

/* ---- words ---- */

const struct disruptor_participant *view_owner(const struct view *v, uint32_t place)
{
	for (uint32_t i = 0; i < v->participants; i++)
		if (v->participant_at[i] == place)
			return &v->participant[i];
	return NULL;
}

const char *view_who(const struct view *v, const char name[32], uint32_t place, char *text,
		     size_t size)
{
	const struct disruptor_participant *p = view_owner(v, place);
	char safe[128];

	(void)escape_string(safe, sizeof(safe), name, 32);
	if (p)
		(void)snprintf(text, size, "'%s' of process %" PRIu64, safe, p->pid);
	else
		(void)snprintf(text, size, "'%s'", safe);
	return text;
}

const char *view_set(const struct view *v, uint64_t set, char *text, size_t size)
{
	char safe[128];
	size_t used = 0;

	(void)snprintf(text, size, "-");
	for (uint32_t i = 0; i < v->consumers; i++) {
		if (!(set >> v->consumer_at[i] & 1))
			continue;
		(void)escape_string(safe, sizeof(safe), v->consumer[i].name, 32);
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
						 safe);
	}
	return text;
}

const char *view_state_name(unsigned state)
{
	return state & DISRUPTOR_STATE_FAILED ? "failed" : state != 0 ? "closed" : "open";
}

const char *view_layout_name(const struct disruptor_look_facts *f)
{
	return f->layout == DISRUPTOR_PACKED ? "packed" : "stamped";
}

const char *view_producers_name(const struct disruptor_look_facts *f)
{
	return f->producers == DISRUPTOR_MANY ? "many" : "single";
}

const char *view_time(uint64_t ns, char *text, size_t size)
{
	if (ns >= UINT64_C(1000000000))
		(void)snprintf(text, size, "%.1f s", (double)ns / 1e9);
	else if (ns >= 1000000)
		(void)snprintf(text, size, "%.0f ms", (double)ns / 1e6);
	else
		(void)snprintf(text, size, "%.0f us", (double)ns / 1e3);
	return text;
}

/* Of several that are as far, one that could go on: the others come after it, or wait as it does. */
static const struct disruptor_look_consumer *slowest(const struct view *v)
{
	const struct disruptor_look_consumer *found = NULL;

	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];

		if (c->attached &&
		    (!found || c->position < found->position ||
		     (c->position == found->position && found->ready == 0 && c->ready != 0)))
			found = c;
	}
	return found;
}

bool view_is_dead(const struct view *v, const struct disruptor_look_consumer *c)
{
	const struct disruptor_participant *p = view_owner(v, c->participant);

	return c->dead || (p && !p->alive && c->if_dead == DISRUPTOR_REQUIRED);
}

static const struct disruptor_look_consumer *dead(const struct view *v)
{
	const struct disruptor_look_consumer *found = NULL;

	for (uint32_t i = 0; i < v->consumers; i++)
		if (v->consumer[i].attached && view_is_dead(v, &v->consumer[i]) &&
		    (!found || v->consumer[i].position < found->position))
			found = &v->consumer[i];
	return found;
}

static const struct disruptor_look_producer *blocked(const struct view *v)
{
	for (uint32_t i = 0; i < v->producers; i++)
		if (v->producer[i].blocked_ns != 0)
			return &v->producer[i];
	return NULL;
}

/* Whose claim nobody can pass. */
static const struct disruptor_look_producer *holder(const struct view *v)
{
	for (uint32_t i = 0; v->state.published < v->state.claimed && i < v->producers; i++)
		if (v->producer[i].run_first <= v->state.published &&
		    v->state.published < v->producer[i].run_end)
			return &v->producer[i];
	return NULL;
}

static void add(char *text, size_t size, const char *what)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, size - used, "%s", what);
}

static void add_waiting(const struct view *v, const struct disruptor_look_producer *p, char *text,
			size_t size)
{
	char who[192], since[32], more[256];

	(void)snprintf(more, sizeof(more), "; producer %s has been waiting for %s",
		       view_who(v, p->name, p->participant, who, sizeof(who)),
		       view_time(p->blocked_ns, since, sizeof(since)));
	add(text, size, more);
}

static void say_dead(const struct disruptor_look_consumer *c, bool full, char *text, size_t size)
{
	char safe[128];

	(void)snprintf(text, size,
		       "dead: the process of required consumer '%s' has died, and producers %s "
		       "for it, %" PRIu64 " behind: open it again under its name, or "
		       "'disruptor reap --dismiss'",
		       escape_string(safe, sizeof(safe), c->name, 32), full ? "wait" : "will wait",
		       c->lag);
}

static void say_failed(const struct view *v, char *text, size_t size)
{
	const struct disruptor_look_state *s = &v->state;
	char stage[128];

	if (s->failure_code == 0)
		(void)snprintf(text, size, "failed: no claim succeeds, and consumers are told");
	else
		(void)snprintf(text, size,
			       "failed: stage '%s': %s answered %d at position %" PRIu64,
			       escape_string(stage, sizeof(stage), s->failure_stage, 32),
			       s->failure_hook, (int)s->failure_code, s->failure_at);
}

static void say_full(const struct view *v, const struct disruptor_look_consumer *c, char *text,
		     size_t size)
{
	char who[192], since[32];

	view_who(v, c->name, c->participant, who, sizeof(who));
	if (c->handling_ns != 0)
		(void)snprintf(text, size,
			       "full: stage %s is %" PRIu64 " behind, in its handler for %s", who,
			       c->lag, view_time(c->handling_ns, since, sizeof(since)));
	else
		(void)snprintf(text, size, "full: consumer %s is %" PRIu64 " behind", who, c->lag);
}

/* Nobody passes a position that is claimed and not published; who has it may have died. */
static void say_held_up(const struct view *v, const struct disruptor_look_producer *p, char *text,
			size_t size)
{
	const struct disruptor_participant *owner = view_owner(v, p->participant);
	char who[192];

	(void)snprintf(text, size,
		       "held up: producer %s%s has claimed position %" PRIu64
		       " and not published it",
		       view_who(v, p->name, p->participant, who, sizeof(who)),
		       owner && !owner->alive ? ", which has died," : "", v->state.published);
}

static void say_who_is_slow(const struct view *v, const struct disruptor_look_consumer *c,
			    char *text, size_t size)
{
	char who[192];

	if (!c)
		(void)snprintf(text, size, "nobody: there is no consumer%s",
			       v->facts.flags & DISRUPTOR_FREE_RUN ? ""
								   : ", and claims wait for one");
	else if (c->lag == 0)
		(void)snprintf(text, size, "%s: all that was published is released",
			       v->state.state ? "ended" : "idle");
	else
		(void)snprintf(text, size, "running: the slowest is %s, %" PRIu64 " behind",
			       view_who(v, c->name, c->participant, who, sizeof(who)), c->lag);
}

const char *view_sentence(const struct view *v, char *text, size_t size)
{
	const struct disruptor_look_consumer *c = slowest(v), *d = dead(v);
	const struct disruptor_look_producer *p = blocked(v), *h = holder(v);
	bool full = c && c->lag != 0 && (p || v->state.remaining == 0);

	/* who is the slowest because nothing more is published for him is not the cause */
	if (full && h && c->ready == 0 && c->position == v->state.published && !view_is_dead(v, c))
		full = false;
	if (v->state.state & DISRUPTOR_STATE_FAILED)
		say_failed(v, text, size);
	else if (full && view_is_dead(v, c))
		say_dead(c, true, text, size);
	else if (full)
		say_full(v, c, text, size);
	else if (h)
		say_held_up(v, h, text, size);
	else if (d)
		say_dead(d, false, text, size);
	else
		say_who_is_slow(v, c, text, size);
	if (p && (full || h) && !(v->state.state & DISRUPTOR_STATE_FAILED))
		add_waiting(v, p, text, size);
	return text;
}
