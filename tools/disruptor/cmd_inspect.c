/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor inspect: all that is in a segment, as it stands there. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "decode.h"
#include "escape.h"
#include "view.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
	"usage: disruptor inspect NAME [OPTION ...]\n"
	"\n"
	"Print what is in the segment NAME: its header, the type of its events, the ring's\n"
	"state, the tables of producers, consumers and processes; and the events at positions.\n"
	"It is checked, mapped for reading alone, and nothing in it is changed or locked. It may\n"
	"be of processes that hang or have died, or of before the machine was started anew.\n"
	"\n"
	"options:\n"
	"  --slots FROM[:COUNT]\n"
	"                   print the events, or records, at COUNT positions from FROM; default:\n"
	"                   1; 'oldest' and 'newest' stand for the first and last that are there\n"
	"  --json           print one JSON object instead\n"
	"  --directory DIR  where the segment is, if NAME is no path; default:\n"
	"                   $DISRUPTOR_DIRECTORY, or a directory of the user's own in /dev/shm\n"
	"\n"
	"An event that is 'unsure' may have been written over while it was copied.\n";

/* Bytes of a record that are shown as text. */
enum { SHOWN = 60 };

struct inspect {
	const char *name, *directory;
	bool json, slots, newest, oldest;
	uint64_t from, count;
	struct view view;
	struct disruptor_look *look;
	unsigned char *event; /* room for one, or for the longest record */
	size_t room;
};

static int failed(const struct inspect *a, int code)
{
	return cmd_failed("inspect", a->name, code);
}

/* ---- header and type ---- */

static const char *hex_id(const unsigned char id[16], char text[33])
{
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", id[i]);
	return text;
}

static const char *date(uint64_t ns, char *text, size_t size)
{
	time_t seconds = (time_t)(ns / UINT64_C(1000000000));
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, size, "-");
	return text;
}

static const char *kind_name(enum disruptor_kind kind)
{
	static const char *const names[] = { "bytes", "signed", "unsigned", "float",
					     "bool",  "text",   "time" };

	return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

static void print_header(const struct inspect *a)
{
	const struct disruptor_look_facts *f = &a->view.facts;
	char text[256];

	printf("header\n");
	printf("  format %u.%u, %" PRIu64 " bytes\n", f->major, f->minor, f->bytes);
	printf("  id %s\n", hex_id(f->id, text));
	printf("  created %s%s\n", date(f->created_ns, text, sizeof(text)),
	       f->current ? "" : ", before the machine was started anew");
	printf("  %s, %s, rung %s%s%s\n", view_layout_name(f), view_producers_name(f),
	       disruptor_rung_name(f->rung), f->flags & DISRUPTOR_LOSSY ? ", lossy" : "",
	       f->flags & DISRUPTOR_FREE_RUN ? ", free run" : "");
	printf("  %" PRIu64 " slots of %u bytes, the event at %u", f->capacity, f->slot_stride,
	       f->event_offset);
	if (f->cell)
		printf("; cells of %u bytes", f->cell);
	printf("\n  at most %u producers, %u consumers, %u processes\n", f->max_producers,
	       f->max_consumers, f->participants);
}

static void print_type(const struct inspect *a)
{
	const struct disruptor_type *t = a->view.type;
	char name[256];

	printf("type\n  '%s', %u bytes, aligned to %u\n",
	       escape_string(name, sizeof(name), t->name, 256), t->size, t->align);
	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct disruptor_field *f = &t->fields[i];

		printf("  %6u %6u  %-8s", f->offset, f->size, kind_name(f->kind));
		if (f->size != f->width && f->kind != DISRUPTOR_KIND_TEXT &&
		    f->kind != DISRUPTOR_KIND_BYTES)
			printf(" %u x %u", f->size / f->width, f->width);
		printf(" %s\n", escape_string(name, sizeof(name), f->name, 256));
	}
}

/* ---- tables ---- */

static void print_state(const struct inspect *a)
{
	const struct disruptor_look_state *s = &a->view.state;
	char text[512];

	printf("state\n  %s, claimed %" PRIu64 ", published %" PRIu64 ", released %" PRIu64
	       ", oldest %" PRIu64 ", free %" PRIu64 "\n",
	       view_state_name(s->state), s->claimed, s->published, s->released, s->oldest,
	       s->remaining);
	printf("  given up %" PRIu64 ", dropped %" PRIu64 ", slow claims %" PRIu64
	       ", sleeps %" PRIu64 ", wakes %" PRIu64 "\n",
	       s->voids, s->dropped, s->slow_claims, s->sleeps, s->wakes);
	printf("  of the dead: producers %" PRIu64 ", consumers %" PRIu64
	       ", positions that became voids %" PRIu64 "\n",
	       s->dead_producers, s->dead_consumers, s->orphans);
	printf("  %s\n", view_sentence(&a->view, text, sizeof(text)));
}

static const char *place_name(uint32_t place, char text[16])
{
	if (place == DISRUPTOR_LOOK_NOBODY)
		(void)snprintf(text, 16, "-");
	else
		(void)snprintf(text, 16, "%u", place);
	return text;
}

static void print_views(const struct inspect *a)
{
	const struct view *v = &a->view;
	char name[128], place[16], after[256];

	printf("producers\n");
	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_look_producer *p = &v->producer[i];

		printf("  %u '%s' of process %s below, claimed %" PRIu64 "...%" PRIu64
		       ", dropped %" PRIu64 ", slow claims %" PRIu64 ", sleeps %" PRIu64 "\n",
		       v->producer_at[i], escape_string(name, sizeof(name), p->name, 32),
		       place_name(p->participant, place), p->run_first, p->run_end, p->dropped,
		       p->slow_claims, p->sleeps);
	}
	printf("consumers\n");
	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];

		printf("  %u '%s' of process %s below, position %" PRIu64 ", behind %" PRIu64
		       ", ready %" PRIu64 ", after %s, %s%s, sleeps %" PRIu64 "\n",
		       v->consumer_at[i], escape_string(name, sizeof(name), c->name, 32),
		       place_name(c->participant, place), c->position, c->lag, c->ready,
		       view_set(v, c->upstreams, after, sizeof(after)),
		       c->if_dead == DISRUPTOR_OPTIONAL ? "optional" : "required",
		       c->dead ? ", dead" : "", c->sleeps);
	}
}

/* Of the file, which a process has locked as long as it lives: docs/shm-format.md. */
static unsigned lock_byte(uint32_t place)
{
	return 1 + place;
}

static void print_processes(const struct inspect *a)
{
	const struct view *v = &a->view;
	char name[128];

	printf("processes\n");
	for (uint32_t i = 0; i < v->participants; i++) {
		const struct disruptor_participant *p = &v->participant[i];

		printf("  %u '%s', pid %" PRIu64 ", started at tick %" PRIu64
		       ", %s: its lock on byte %u is %s\n",
		       v->participant_at[i], escape_string(name, sizeof(name), p->name, 32), p->pid,
		       p->started, p->alive ? "alive" : "dead", lock_byte(v->participant_at[i]),
		       p->alive ? "held" : "free");
	}
}

/* ---- events ---- */

/* What is at a position: of a ring of records 0 if no record begins there. */
static int copy_one(struct inspect *a, uint64_t position, size_t *size,
		    enum disruptor_look_event *state)
{
	int rc;

	if (a->view.facts.cell)
		return disruptor_look_record(a->look, position, a->event, a->room, size, state);
	rc = disruptor_look_event(a->look, position, a->event, state);
	*size = a->room;
	return rc != 0 ? rc : *state == DISRUPTOR_LOOK_PUBLISHED || *state == DISRUPTOR_LOOK_UNSURE;
}

/* How many of a record's bytes are shown: no character is cut in two. */
static size_t shown_of(const unsigned char *bytes, size_t size)
{
	size_t n = SHOWN;

	if (size <= SHOWN)
		return size;
	while (n > SHOWN - 4 && (bytes[n] & 0xc0) == 0x80)
		n--;
	return (bytes[n] & 0xc0) == 0x80 ? SHOWN : n;
}

static int print_slots(struct inspect *a)
{
	enum disruptor_look_event state;
	size_t size, shown;
	int rc;

	printf("slots\n");
	for (uint64_t i = 0; i < a->count; i++) {
		rc = copy_one(a, a->from + i, &size, &state);
		if (rc < 0)
			return failed(a, rc);
		printf("  %" PRIu64 " %s ", a->from + i, disruptor_look_event_name(state));
		if (rc > 0 && a->view.facts.cell) {
			shown = shown_of(a->event, size);
			printf("%zu bytes ", size);
			escape_write(stdout, (const char *)a->event, shown);
			printf("%s", size > shown ? " ..." : "");
		} else if (rc > 0) {
			decode_text(stdout, a->view.type, a->event);
		} else if (a->view.facts.cell &&
			   (state == DISRUPTOR_LOOK_PUBLISHED || state == DISRUPTOR_LOOK_UNSURE)) {
			printf("no record begins here");
		}
		printf("\n");
	}
	return CMD_OK;
}

/* ---- JSON ---- */

static json_t *place_of(uint32_t place)
{
	return place == DISRUPTOR_LOOK_NOBODY ? json_null() : decode_number(place);
}

static json_t *json_header(const struct inspect *a)
{
	const struct disruptor_look_facts *f = &a->view.facts;
	char text[64];

	return json_pack(
		"{s:i,s:i,s:o,s:s,s:s,s:b,s:s,s:s,s:s,s:b,s:b,s:o,s:i,s:i,s:i,s:i,s:i,s:i}",
		"major", (int)f->major, "minor", (int)f->minor, "bytes", decode_number(f->bytes),
		"id", hex_id(f->id, text), "created",
		date(f->created_ns, text + 33, sizeof(text) - 33), "current", (int)f->current,
		"layout", view_layout_name(f), "producers", view_producers_name(f), "rung",
		disruptor_rung_name(f->rung), "lossy", (f->flags & DISRUPTOR_LOSSY) != 0,
		"free_run", (f->flags & DISRUPTOR_FREE_RUN) != 0, "capacity",
		decode_number(f->capacity), "slot_stride", (int)f->slot_stride, "event_offset",
		(int)f->event_offset, "cell", (int)f->cell, "max_producers", (int)f->max_producers,
		"max_consumers", (int)f->max_consumers, "processes", (int)f->participants);
}

static json_t *json_schema(const struct inspect *a)
{
	const struct disruptor_type *t = a->view.type;
	json_t *fields = json_array();

	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct disruptor_field *f = &t->fields[i];

		(void)json_array_append_new(fields,
					    json_pack("{s:o,s:i,s:i,s:i,s:s}", "name",
						      decode_name(f->name, 4096), "offset",
						      (int)f->offset, "size", (int)f->size, "width",
						      (int)f->width, "kind", kind_name(f->kind)));
	}
	return json_pack("{s:o,s:i,s:i,s:o}", "name", decode_name(t->name, 4096), "size",
			 (int)t->size, "align", (int)t->align, "fields", fields);
}

static json_t *json_state(const struct inspect *a)
{
	const struct disruptor_look_state *s = &a->view.state;
	char text[512];

	return json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}",
			 "state", view_state_name(s->state), "ended",
			 (s->state & DISRUPTOR_STATE_ENDED) != 0, "end", decode_number(s->end),
			 "claimed", decode_number(s->claimed), "published",
			 decode_number(s->published), "released", decode_number(s->released),
			 "oldest", decode_number(s->oldest), "remaining",
			 decode_number(s->remaining), "voids", decode_number(s->voids), "dropped",
			 decode_number(s->dropped), "slow_claims", decode_number(s->slow_claims),
			 "sleeps", decode_number(s->sleeps), "wakes", decode_number(s->wakes),
			 "dead_producers", decode_number(s->dead_producers), "dead_consumers",
			 decode_number(s->dead_consumers), "orphans", decode_number(s->orphans),
			 "verdict", view_sentence(&a->view, text, sizeof(text)));
}

static json_t *json_producers(const struct view *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_look_producer *p = &v->producer[i];

		(void)json_array_append_new(
			all,
			json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "place",
				  (int)v->producer_at[i], "name", decode_name(p->name, 32),
				  "process", place_of(p->participant), "run_first",
				  decode_number(p->run_first), "run_end", decode_number(p->run_end),
				  "dropped", decode_number(p->dropped), "slow_claims",
				  decode_number(p->slow_claims), "sleeps", decode_number(p->sleeps),
				  "blocked_ns", decode_number(p->blocked_ns), "blocked_for",
				  decode_number(p->blocked_for)));
	}
	return all;
}

static json_t *json_consumers(const struct view *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];

		(void)json_array_append_new(
			all,
			json_pack(
				"{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:b,s:b,s:b,s:o,s:o,s:o,s:o}",
				"place", (int)v->consumer_at[i], "name", decode_name(c->name, 32),
				"process", place_of(c->participant), "position",
				decode_number(c->position), "lag", decode_number(c->lag), "ready",
				decode_number(c->ready), "upstreams", decode_number(c->upstreams),
				"required", c->if_dead != DISRUPTOR_OPTIONAL, "dead", (int)c->dead,
				"attached", (int)c->attached, "takes", (int)c->takes, "sleeping",
				(int)c->sleeping, "waiting_ns", decode_number(c->waiting_ns),
				"handling_ns", decode_number(c->handling_ns), "sleeps",
				decode_number(c->sleeps), "wakes", decode_number(c->wakes)));
	}
	return all;
}

static json_t *json_processes(const struct view *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->participants; i++) {
		const struct disruptor_participant *p = &v->participant[i];

		(void)json_array_append_new(
			all, json_pack("{s:i,s:o,s:o,s:o,s:b,s:i,s:i,s:i}", "place",
				       (int)v->participant_at[i], "name", decode_name(p->name, 32),
				       "pid", decode_number(p->pid), "started",
				       decode_number(p->started), "alive", p->alive, "lock_byte",
				       (int)lock_byte(v->participant_at[i]), "producers",
				       (int)p->producers, "consumers", (int)p->consumers));
	}
	return all;
}

static int json_slots(struct inspect *a, json_t *all)
{
	enum disruptor_look_event state;
	size_t size;
	int rc;

	for (uint64_t i = 0; i < a->count; i++) {
		json_t *one;

		rc = copy_one(a, a->from + i, &size, &state);
		if (rc < 0)
			return failed(a, rc);
		one = json_pack("{s:o,s:s}", "position", decode_number(a->from + i), "state",
				disruptor_look_event_name(state));
		if (rc > 0)
			(void)json_object_set_new(one, a->view.facts.cell ? "record" : "event",
						  a->view.facts.cell
							  ? decode_bytes(a->event, size)
							  : decode_json(a->view.type, a->event));
		(void)json_array_append_new(all, one);
	}
	return CMD_OK;
}

static int print_json(struct inspect *a)
{
	const struct view *v = &a->view;
	json_t *slots = json_array();
	int rc = a->slots ? json_slots(a, slots) : CMD_OK;
	json_t *all = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "header", json_header(a), "type",
				json_schema(a), "state", json_state(a), "producers",
				json_producers(v), "consumers", json_consumers(v), "processes",
				json_processes(v), "slots", slots);

	if (rc == CMD_OK)
		/* a terminal obeys more than what JSON has to escape */
		(void)json_dumpf(all, stdout,
				 JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	json_decref(all);
	if (rc == CMD_OK)
		putchar('\n');
	return rc;
}

/* ---- the command ---- */

/* The words for places, and room for what is there. */
static int prepare_slots(struct inspect *a)
{
	const struct view *v = &a->view;

	a->room = v->facts.cell ? (size_t)(v->facts.capacity * v->facts.cell) : v->facts.event_size;
	a->event = malloc(a->room);
	if (!a->event) {
		fprintf(stderr, "disruptor inspect: no memory for %zu bytes\n", a->room);
		return CMD_FAILED;
	}
	if (a->newest)
		a->from = v->state.published >= a->count ? v->state.published - a->count : 0;
	if (a->oldest) {
		a->from = v->state.claimed > v->facts.capacity
				  ? v->state.claimed - v->facts.capacity
				  : 0;
		if (a->from < v->state.oldest)
			a->from = v->state.oldest;
	}
	return CMD_OK;
}

static int tell(struct inspect *a)
{
	int rc = a->slots ? prepare_slots(a) : CMD_OK;

	if (rc != CMD_OK)
		return rc;
	if (a->json)
		return print_json(a);
	print_header(a);
	print_type(a);
	print_state(a);
	print_views(a);
	print_processes(a);
	return a->slots ? print_slots(a) : CMD_OK;
}

static int parse_slots(struct inspect *a, char *text)
{
	char *colon = strchr(text, ':');

	a->slots = true;
	a->count = 1;
	if (colon) {
		*colon = '\0';
		if (!cmd_number(colon + 1, &a->count) || a->count == 0 || a->count > 1000000)
			return cmd_usage("inspect", "--slots: '%s' is not in 1 ... 1000000",
					 colon + 1);
	}
	a->newest = strcmp(text, "newest") == 0;
	a->oldest = strcmp(text, "oldest") == 0;
	if (!a->newest && !a->oldest && (!cmd_number(text, &a->from) || a->from >> 61))
		return cmd_usage("inspect",
				 "--slots: '%s' is neither a position, oldest nor newest", text);
	return CMD_OK;
}

static int parse(struct inspect *a, int argc, char **argv)
{
	enum { SLOTS = 1, JSON, DIRECTORY };
	static const struct option options[] = {
		{ "slots", required_argument, NULL, SLOTS },
		{ "json", no_argument, NULL, JSON },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ 0 },
	};
	int c, rc = CMD_OK;

	while (rc == CMD_OK && (c = cmd_option(argc, argv, options)) != -1) {
		switch (c) {
		case SLOTS:
			rc = parse_slots(a, optarg);
			break;
		case JSON:
			a->json = true;
			break;
		case DIRECTORY:
			a->directory = optarg;
			break;
		default:
			return cmd_bad_option("inspect", c, argv[optind - 1]);
		}
	}
	if (rc != CMD_OK)
		return rc;
	return cmd_operand("inspect", "segment", argc, argv, &a->name);
}

static int run(int argc, char **argv)
{
	struct disruptor_segment_options o = { .size = sizeof(o) };
	struct inspect *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return CMD_FAILED;
	rc = parse(a, argc, argv);
	if (rc == CMD_OK) {
		o.directory = a->directory;
		rc = disruptor_look_open(&a->look, a->name, &o);
		if (rc == 0)
			rc = view_take(&a->view, a->look);
		rc = rc != 0 ? failed(a, rc) : tell(a);
		disruptor_look_close(&a->look);
	}
	free(a->event);
	free(a);
	return rc;
}

const struct command cmd_inspect = {
	.name = "inspect",
	.summary = "print what is in a segment",
	.help = help,
	.run = run,
};
