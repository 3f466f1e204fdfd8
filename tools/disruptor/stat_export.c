/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How a ring does, for programs: as JSON, and in Prometheus's text format, of the same figures. */
#define _POSIX_C_SOURCE 200809L /* strnlen */

#include "decode.h"
#include "escape.h"
#include "stat.h"

#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>

/* ---- the figures ---- */

/* All of them are uint64_t, and lie in the answer of a look. */
struct figure {
	const char *name;   /* in JSON */
	const char *metric; /* for Prometheus, whose counters end in _total and times are seconds */
	const char *type, *what;
	size_t at;
	bool is_time; /* nanoseconds */
};

#define RING(FIELD) offsetof(struct disruptor_look_state, FIELD)
#define PRODUCER(FIELD) offsetof(struct disruptor_look_producer, FIELD)
#define CONSUMER(FIELD) offsetof(struct disruptor_look_consumer, FIELD)

static const struct figure ring_figures[] = {
	{ "claimed", "claimed_total", "counter", "Positions claimed.", RING(claimed), false },
	{ "published", "published_total", "counter", "First position not published.",
	  RING(published), false },
	{ "released", "released_total", "counter", "Positions that all consumers have released.",
	  RING(released), false },
	{ "remaining", "remaining", "gauge", "Slots that could be claimed now.", RING(remaining),
	  false },
	{ "oldest", "oldest", "gauge", "No event before it is whole.", RING(oldest), false },
	{ "voids", "voids_total", "counter", "Claims given up.", RING(voids), false },
	{ "dropped", "dropped_total", "counter", "Events dropped by producers.", RING(dropped),
	  false },
	{ "slow_claims", "slow_claims_total", "counter",
	  "Claims that had to look at the consumers.", RING(slow_claims), false },
	{ "sleeps", "sleeps_total", "counter", "Times that one slept in the kernel.", RING(sleeps),
	  false },
	{ "wakes", "wakes_total", "counter", "Times that one was woken.", RING(wakes), false },
	{ "dead_producers", "dead_producers_total", "counter",
	  "Producers that processes which died had open.", RING(dead_producers), false },
	{ "dead_consumers", "dead_consumers_total", "counter",
	  "Consumers that processes which died had open.", RING(dead_consumers), false },
	{ "orphans", "orphans_total", "counter", "Positions that the dead had claimed.",
	  RING(orphans), false },
};

static const struct figure producer_figures[] = {
	{ "run_first", "producer_run_first", "gauge", "First position of its open run.",
	  PRODUCER(run_first), false },
	{ "run_end", "producer_run_end", "gauge", "Where its open run ends; 0 if it has none.",
	  PRODUCER(run_end), false },
	{ "dropped", "producer_dropped_total", "counter", "Events dropped.", PRODUCER(dropped),
	  false },
	{ "slow_claims", "producer_slow_claims_total", "counter",
	  "Claims that had to look at the consumers.", PRODUCER(slow_claims), false },
	{ "sleeps", "producer_sleeps_total", "counter", "Times it slept in the kernel.",
	  PRODUCER(sleeps), false },
	{ "wakes", "producer_wakes_total", "counter", "Times it was woken.", PRODUCER(wakes),
	  false },
	{ "blocked_ns", "producer_blocked_seconds", "gauge", "How long it has waited for room.",
	  PRODUCER(blocked_ns), true },
	{ "blocked_for", "producer_blocked_for", "gauge",
	  "Position that all consumers have to reach for it; 0 if it does not wait.",
	  PRODUCER(blocked_for), false },
};

static const struct figure consumer_figures[] = {
	{ "position", "consumer_position", "counter", "First position not released.",
	  CONSUMER(position), false },
	{ "lag", "consumer_lag", "gauge", "Positions claimed and not released by it.",
	  CONSUMER(lag), false },
	{ "ready", "consumer_ready", "gauge", "Positions that it could release now.",
	  CONSUMER(ready), false },
	{ "sleeps", "consumer_sleeps_total", "counter", "Times it slept in the kernel.",
	  CONSUMER(sleeps), false },
	{ "wakes", "consumer_wakes_total", "counter", "Times it was woken.", CONSUMER(wakes),
	  false },
	{ "waiting_ns", "consumer_waiting_seconds", "gauge", "How long it has waited for events.",
	  CONSUMER(waiting_ns), true },
	{ "handling_ns", "consumer_handling_seconds", "gauge",
	  "How long a stage has had a batch in hand.", CONSUMER(handling_ns), true },
};

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static uint64_t value_of(const struct figure *f, const void *from)
{
	uint64_t value;

	memcpy(&value, (const char *)from + f->at, sizeof(value));
	return value;
}

/* ---- as JSON ---- */

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void set_figures(json_t *object, const struct figure *f, size_t count, const void *from)
{
	for (size_t i = 0; i < count; i++)
		set(object, f[i].name, decode_number(value_of(&f[i], from)));
}

static void set_owner(json_t *object, const struct view *v, uint32_t place)
{
	const struct disruptor_participant *p = view_owner(v, place);

	set(object, "process", p ? decode_number(p->pid) : json_null());
	set(object, "alive", p ? json_boolean(p->alive) : json_null());
}

static json_t *json_producers(const struct view *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->producers; i++) {
		json_t *o = json_object();

		set(o, "name", decode_name(v->producer[i].name, 32));
		set_owner(o, v, v->producer[i].participant);
		set_figures(o, producer_figures, COUNT(producer_figures), &v->producer[i]);
		(void)json_array_append_new(all, o);
	}
	return all;
}

static json_t *json_consumers(const struct stat_command *s)
{
	const struct view *v = &s->now;
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];
		json_t *o = json_object(), *after = json_array();

		for (uint32_t k = 0; k < v->consumers; k++)
			if (c->upstreams >> v->consumer_at[k] & 1)
				(void)json_array_append_new(after,
							    decode_name(v->consumer[k].name, 32));
		set(o, "name", decode_name(c->name, 32));
		set_owner(o, v, c->participant);
		set(o, "dead", json_boolean(view_is_dead(v, c)));
		set(o, "required", json_boolean(c->if_dead == DISRUPTOR_REQUIRED));
		set(o, "attached", json_boolean(c->attached));
		set(o, "takes", json_boolean(c->takes));
		set(o, "sleeping", json_boolean(c->sleeping));
		set(o, "after", after);
		set_figures(o, consumer_figures, COUNT(consumer_figures), c);
		if (s->before.now != 0)
			set(o, "per_second", json_real(stat_consumer_rate(s, i)));
		(void)json_array_append_new(all, o);
	}
	return all;
}

void stat_print_json(const struct stat_command *s)
{
	const struct view *v = &s->now;
	json_t *o = json_object();
	char text[512];

	set(o, "name", decode_name(s->name, 4096));
	set(o, "state", json_string(view_state_name(v->state.state)));
	set(o, "type", decode_name(v->type->name, 4096));
	set(o, "capacity", decode_number(v->facts.capacity));
	set(o, "event_size", decode_number(v->facts.event_size));
	set(o, "layout", json_string(view_layout_name(&v->facts)));
	set(o, "many_producers", json_boolean(v->facts.producers == DISRUPTOR_MANY));
	set(o, "rung", json_string(disruptor_rung_name(v->facts.rung)));
	set_figures(o, ring_figures, COUNT(ring_figures), &v->state);
	if (s->before.now != 0) {
		set(o, "claimed_per_second",
		    json_real(stat_rate(s, v->state.claimed, s->before.state.claimed)));
		set(o, "sleeps_per_second",
		    json_real(stat_rate(s, v->state.sleeps, s->before.state.sleeps)));
	}
	set(o, "producers", json_producers(v));
	set(o, "consumers", json_consumers(s));
	set(o, "verdict", decode_name(view_sentence(v, text, sizeof(text)), sizeof(text)));
	/* a terminal obeys more than what JSON has to escape */
	(void)json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
}

/* ---- for Prometheus ---- */

/*
 * A label's value. What would harm a terminal is escaped first, newlines among it; of what is then
 * left, the format escapes the backslash and the quote.
 */
static void print_label(const char *label, const char *text, size_t most)
{
	char safe[4 * 256 + 1];

	(void)escape_string(safe, sizeof(safe), text, most);
	printf("%s=\"", label);
	for (const char *c = safe; *c; c++)
		printf("%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	putchar('"');
}

static void print_metric(const char *name, const char *type, const char *what)
{
	printf("# HELP disruptor_%s %s\n# TYPE disruptor_%s %s\n", name, what, name, type);
}

/* A sample's name and labels; two views of one name are told apart by their place. */
static void print_sample(const struct stat_command *s, const char *metric, const char *kind,
			 const char *name, uint32_t place)
{
	printf("disruptor_%s{", metric);
	print_label("ring", s->name, 256);
	if (kind) {
		putchar(',');
		print_label(kind, name, 32);
		printf(",place=\"%u\"", place);
	}
	printf("} ");
}

static void print_value(const struct figure *f, const void *from)
{
	uint64_t value = value_of(f, from);

	if (f->is_time)
		printf("%" PRIu64 ".%09" PRIu64 "\n", value / UINT64_C(1000000000),
		       value % UINT64_C(1000000000));
	else
		printf("%" PRIu64 "\n", value);
}

static void print_gauge(const struct stat_command *s, const char *name, const char *what,
			uint64_t value)
{
	print_metric(name, "gauge", what);
	print_sample(s, name, NULL, NULL, 0);
	printf("%" PRIu64 "\n", value);
}

static void print_producers(const struct stat_command *s)
{
	const struct view *v = &s->now;

	for (size_t k = 0; k < COUNT(producer_figures); k++) {
		const struct figure *f = &producer_figures[k];

		print_metric(f->metric, f->type, f->what);
		for (uint32_t i = 0; i < v->producers; i++) {
			print_sample(s, f->metric, "producer", v->producer[i].name,
				     v->producer_at[i]);
			print_value(f, &v->producer[i]);
		}
	}
	print_metric("producer_alive", "gauge", "1 if its process lives.");
	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_participant *p = view_owner(v, v->producer[i].participant);

		print_sample(s, "producer_alive", "producer", v->producer[i].name,
			     v->producer_at[i]);
		printf("%d\n", p && p->alive);
	}
}

static void print_consumers(const struct stat_command *s)
{
	const struct view *v = &s->now;

	for (size_t k = 0; k < COUNT(consumer_figures); k++) {
		const struct figure *f = &consumer_figures[k];

		print_metric(f->metric, f->type, f->what);
		for (uint32_t i = 0; i < v->consumers; i++) {
			print_sample(s, f->metric, "consumer", v->consumer[i].name,
				     v->consumer_at[i]);
			print_value(f, &v->consumer[i]);
		}
	}
	print_metric("consumer_dead", "gauge", "1 if its process has died and its place is kept.");
	for (uint32_t i = 0; i < v->consumers; i++) {
		print_sample(s, "consumer_dead", "consumer", v->consumer[i].name,
			     v->consumer_at[i]);
		printf("%d\n", view_is_dead(v, &v->consumer[i]));
	}
}

void stat_print_prom(const struct stat_command *s)
{
	const struct view *v = &s->now;

	print_gauge(s, "capacity", "Slots of the ring.", v->facts.capacity);
	print_gauge(s, "event_bytes", "Bytes of an event.", v->facts.event_size);
	for (size_t k = 0; k < COUNT(ring_figures); k++) {
		const struct figure *f = &ring_figures[k];

		print_metric(f->metric, f->type, f->what);
		print_sample(s, f->metric, NULL, NULL, 0);
		print_value(f, &v->state);
	}
	print_gauge(s, "closed", "1 if no claim succeeds any more.", v->state.state != 0);
	print_gauge(s, "producers", "Producers that are open.", v->state.open_producers);
	print_gauge(s, "consumers", "Consumers that are attached.", v->state.consumers);
	print_producers(s);
	print_consumers(s);
}
