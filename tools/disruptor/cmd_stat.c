/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor stat: how a ring does, who is how far, and who waits for whom. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "escape.h"
#include "stream.h"
#include "view.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
	"usage: disruptor stat NAME [OPTION ...]\n"
	"\n"
	"Tell how the ring NAME does: its producers and consumers, their processes, how far\n"
	"each has come and how often it slept; and in a sentence who waits for whom. It looks\n"
	"from outside and takes no part: nobody goes slower, whatever state the ring is in.\n"
	"\n"
	"options:\n"
	"  --json           one JSON object a look\n"
	"  --prom           the figures as Prometheus reads them\n"
	"  --every SECONDS  look again and again, and tell rates, too\n"
	"  --count N        with --every: so many times\n"
	"  --directory DIR  where the ring is; default: $DISRUPTOR_DIRECTORY, or a directory\n"
	"                   of the user's own in /dev/shm\n"
	"\n"
	"Figures of a ring that runs are each of some moment during the look.\n";

struct stat_command {
	const char *name, *directory;
	bool json, prom;
	double every; /* seconds; 0: once */
	uint64_t count;
	struct view now, before;
};

/* ---- as a table ---- */

static double rate(const struct stat_command *s, uint64_t now, uint64_t before)
{
	double seconds = (double)(s->now.now - s->before.now) / 1e9;

	return s->before.now != 0 && seconds > 0 && now >= before ? (double)(now - before) / seconds
								  : 0;
}

static const char *process(const struct view *v, uint32_t place, char *text, size_t size)
{
	const struct disruptor_participant *p = view_owner(v, place);

	if (p)
		(void)snprintf(text, size, "%" PRIu64 "%s", p->pid, p->alive ? "" : " (dead)");
	else
		(void)snprintf(text, size, "-");
	return text;
}

static void print_producers(const struct view *v)
{
	char name[128], owner[48];

	if (v->producers)
		printf("  %-20s %12s %20s %10s %10s\n", "producer", "process", "claimed", "dropped",
		       "sleeps");
	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_look_producer *p = &v->producer[i];
		char run[48] = "-";

		if (p->run_end != 0)
			(void)snprintf(run, sizeof(run), "%" PRIu64 "...%" PRIu64, p->run_first,
				       p->run_end);
		printf("  %-20s %12s %20s %10" PRIu64 " %10" PRIu64 "\n",
		       escape_string(name, sizeof(name), p->name, 32),
		       process(v, p->participant, owner, sizeof(owner)), run, p->dropped,
		       p->sleeps);
	}
}

static uint64_t position_before(const struct stat_command *s, uint32_t at)
{
	for (uint32_t i = 0; i < s->before.consumers; i++)
		if (s->before.consumer_at[i] == at)
			return s->before.consumer[i].position;
	return UINT64_MAX;
}

static void print_consumers(const struct stat_command *s)
{
	const struct view *v = &s->now;
	char name[128], owner[48], after[256], how[48];

	if (v->consumers)
		printf("  %-20s %12s %20s %10s %10s %10s  %-10s %s\n", "consumer", "process",
		       "position", "behind", "ready", "sleeps", "now", "after");
	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];

		(void)snprintf(how, sizeof(how), "%s",
			       view_is_dead(v, c) ? "dead"
			       : !c->attached     ? "opening"
			       : c->sleeping      ? "sleeps"
			       : c->waiting_ns    ? "waits"
						  : "works");
		printf("  %-20s %12s %20" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
		       "  %-10s %s",
		       escape_string(name, sizeof(name), c->name, 32),
		       process(v, c->participant, owner, sizeof(owner)), c->position, c->lag,
		       c->ready, c->sleeps, how, view_set(v, c->upstreams, after, sizeof(after)));
		if (s->before.now != 0)
			printf("  %.0f/s",
			       rate(s, c->position, position_before(s, v->consumer_at[i])));
		printf("\n");
	}
}

static void print_table(const struct stat_command *s)
{
	const struct view *v = &s->now;
	char text[512];

	(void)escape_string(text, sizeof(text), s->name, 256);
	printf("%s: %s, %" PRIu64 " slots of %u bytes", text, view_state_name(v->state.state),
	       v->facts.capacity, v->facts.event_size);
	(void)escape_string(text, sizeof(text), v->type->name, 128);
	printf(" ('%s'), %s, %s producer%s, rung %s\n", text, view_layout_name(&v->facts),
	       view_producers_name(&v->facts), v->facts.producers == DISRUPTOR_MANY ? "s" : "",
	       disruptor_rung_name(v->facts.rung));
	printf("  claimed %" PRIu64 ", published %" PRIu64 ", released %" PRIu64 ", free %" PRIu64
	       ", given up %" PRIu64 ", dropped %" PRIu64 "\n",
	       v->state.claimed, v->state.published, v->state.released, v->state.remaining,
	       v->state.voids, v->state.dropped);
	if (s->before.now != 0)
		printf("  %.0f claimed/s, %.0f sleeps/s\n",
		       rate(s, v->state.claimed, s->before.state.claimed),
		       rate(s, v->state.sleeps, s->before.state.sleeps));
	print_producers(v);
	print_consumers(s);
	printf("%s\n", view_sentence(v, text, sizeof(text)));
}

/* ---- as JSON ---- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)(n & INT64_MAX));
}

/* Names are of any bytes: those that are no UTF-8 are told escaped. */
static json_t *text_of(const char *text, size_t most)
{
	json_t *s = json_stringn(text, strnlen(text, most));
	char safe[256];

	return s ? s : json_string(escape_string(safe, sizeof(safe), text, most));
}

static void set_owner(json_t *object, const struct view *v, uint32_t place)
{
	const struct disruptor_participant *p = view_owner(v, place);

	(void)json_object_set_new(object, "process", p ? number(p->pid) : json_null());
	(void)json_object_set_new(object, "alive", p ? json_boolean(p->alive) : json_null());
}

static json_t *json_producers(const struct view *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_look_producer *p = &v->producer[i];
		json_t *o = json_object();

		(void)json_object_set_new(o, "name", text_of(p->name, 32));
		set_owner(o, v, p->participant);
		(void)json_object_set_new(o, "run_first", number(p->run_first));
		(void)json_object_set_new(o, "run_end", number(p->run_end));
		(void)json_object_set_new(o, "dropped", number(p->dropped));
		(void)json_object_set_new(o, "slow_claims", number(p->slow_claims));
		(void)json_object_set_new(o, "sleeps", number(p->sleeps));
		(void)json_object_set_new(o, "blocked_ns", number(p->blocked_ns));
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
							    text_of(v->consumer[k].name, 32));
		(void)json_object_set_new(o, "name", text_of(c->name, 32));
		set_owner(o, v, c->participant);
		(void)json_object_set_new(o, "dead", json_boolean(view_is_dead(v, c)));
		(void)json_object_set_new(o, "position", number(c->position));
		(void)json_object_set_new(o, "lag", number(c->lag));
		(void)json_object_set_new(o, "ready", number(c->ready));
		(void)json_object_set_new(o, "after", after);
		(void)json_object_set_new(o, "sleeping", json_boolean(c->sleeping));
		(void)json_object_set_new(o, "waiting_ns", number(c->waiting_ns));
		(void)json_object_set_new(o, "sleeps", number(c->sleeps));
		if (s->before.now != 0)
			(void)json_object_set_new(
				o, "per_second",
				json_real(rate(s, c->position,
					       position_before(s, v->consumer_at[i]))));
		(void)json_array_append_new(all, o);
	}
	return all;
}

static void print_json(const struct stat_command *s)
{
	const struct view *v = &s->now;
	json_t *o = json_object();
	char text[512];

	(void)json_object_set_new(o, "name", text_of(s->name, 4096));
	(void)json_object_set_new(o, "state", json_string(view_state_name(v->state.state)));
	(void)json_object_set_new(o, "type", text_of(v->type->name, 4096));
	(void)json_object_set_new(o, "capacity", number(v->facts.capacity));
	(void)json_object_set_new(o, "event_size", number(v->facts.event_size));
	(void)json_object_set_new(o, "layout", json_string(view_layout_name(&v->facts)));
	(void)json_object_set_new(o, "claimed", number(v->state.claimed));
	(void)json_object_set_new(o, "published", number(v->state.published));
	(void)json_object_set_new(o, "released", number(v->state.released));
	(void)json_object_set_new(o, "remaining", number(v->state.remaining));
	(void)json_object_set_new(o, "voids", number(v->state.voids));
	(void)json_object_set_new(o, "dropped", number(v->state.dropped));
	(void)json_object_set_new(o, "sleeps", number(v->state.sleeps));
	(void)json_object_set_new(o, "wakes", number(v->state.wakes));
	if (s->before.now != 0)
		(void)json_object_set_new(
			o, "claimed_per_second",
			json_real(rate(s, v->state.claimed, s->before.state.claimed)));
	(void)json_object_set_new(o, "producers", json_producers(v));
	(void)json_object_set_new(o, "consumers", json_consumers(s));
	(void)json_object_set_new(o, "verdict", json_string(view_sentence(v, text, sizeof(text))));
	(void)json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(o);
}

/* ---- for Prometheus ---- */

/* A label's value: backslash, quote and newline are escaped; nothing else that is UTF-8 has to be. */
static void print_label(const char *label, const char *text, size_t most)
{
	char safe[512];

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

static void print_whole(const struct stat_command *s, const char *name, const char *type,
			const char *what, uint64_t value)
{
	print_metric(name, type, what);
	printf("disruptor_%s{", name);
	print_label("ring", s->name, 256);
	printf("} %" PRIu64 "\n", value);
}

/* One line a consumer or producer; two of one name are told apart by their place. */
static void print_each(const struct stat_command *s, const char *metric, const char *kind,
		       const char *name, uint32_t place, uint64_t value)
{
	printf("disruptor_%s{", metric);
	print_label("ring", s->name, 256);
	putchar(',');
	print_label(kind, name, 32);
	printf(",place=\"%u\"} %" PRIu64 "\n", place, value);
}

static void print_prom_consumers(const struct stat_command *s)
{
	const struct view *v = &s->now;

	print_metric("consumer_position", "counter", "First position not released.");
	for (uint32_t i = 0; i < v->consumers; i++)
		print_each(s, "consumer_position", "consumer", v->consumer[i].name,
			   v->consumer_at[i], v->consumer[i].position);
	print_metric("consumer_lag", "gauge", "Positions claimed and not released by it.");
	for (uint32_t i = 0; i < v->consumers; i++)
		print_each(s, "consumer_lag", "consumer", v->consumer[i].name, v->consumer_at[i],
			   v->consumer[i].lag);
	print_metric("consumer_sleeps_total", "counter", "Times it slept in the kernel.");
	for (uint32_t i = 0; i < v->consumers; i++)
		print_each(s, "consumer_sleeps_total", "consumer", v->consumer[i].name,
			   v->consumer_at[i], v->consumer[i].sleeps);
	print_metric("consumer_dead", "gauge", "1 if its process has died and its place is kept.");
	for (uint32_t i = 0; i < v->consumers; i++)
		print_each(s, "consumer_dead", "consumer", v->consumer[i].name, v->consumer_at[i],
			   view_is_dead(v, &v->consumer[i]));
}

static void print_prom(const struct stat_command *s)
{
	const struct view *v = &s->now;

	print_whole(s, "capacity", "gauge", "Slots of the ring.", v->facts.capacity);
	print_whole(s, "claimed_total", "counter", "Positions claimed.", v->state.claimed);
	print_whole(s, "released_total", "counter", "Positions that all consumers have released.",
		    v->state.released);
	print_whole(s, "remaining", "gauge", "Slots that could be claimed now.",
		    v->state.remaining);
	print_whole(s, "voids_total", "counter", "Claims given up.", v->state.voids);
	print_whole(s, "dropped_total", "counter", "Events dropped by producers.",
		    v->state.dropped);
	print_whole(s, "sleeps_total", "counter", "Times that one slept in the kernel.",
		    v->state.sleeps);
	print_whole(s, "wakes_total", "counter", "Times that one was woken.", v->state.wakes);
	print_whole(s, "closed", "gauge", "1 if no claim succeeds any more.", v->state.state != 0);
	print_whole(s, "producers", "gauge", "Producers that are open.", v->state.open_producers);
	print_whole(s, "consumers", "gauge", "Consumers that are attached.", v->state.consumers);
	print_prom_consumers(s);
	print_metric("producer_blocked_seconds", "gauge", "How long it has waited for room.");
	for (uint32_t i = 0; i < v->producers; i++)
		print_each(s, "producer_blocked_seconds", "producer", v->producer[i].name,
			   v->producer_at[i], v->producer[i].blocked_ns / UINT64_C(1000000000));
}

/* ---- the command ---- */

static int failed(const struct stat_command *s, int code)
{
	char detail[512];

	fprintf(stderr, "disruptor stat: %s: %s\n", s->name,
		stream_detail(code, detail, sizeof(detail)));
	return CMD_FAILED;
}

static int look_once(struct stat_command *s, const struct disruptor_look *look)
{
	int rc;

	s->before = s->now;
	rc = view_take(&s->now, look);
	if (rc != 0)
		return failed(s, rc);
	if (s->json)
		print_json(s);
	else if (s->prom)
		print_prom(s);
	else
		print_table(s);
	return fflush(stdout) == 0 ? CMD_OK : CMD_FAILED;
}

static int look_and_tell(struct stat_command *s)
{
	const struct disruptor_segment_options o = { .size = sizeof(o), .directory = s->directory };
	const struct timespec pause = { .tv_sec = (time_t)s->every,
					.tv_nsec = (long)((s->every - (double)(time_t)s->every) *
							  1e9) };
	struct disruptor_look *look;
	int rc = disruptor_look_open(&look, s->name, &o);

	if (rc != 0)
		return failed(s, rc);
	stream_catch_signals();
	rc = look_once(s, look);
	while (rc == CMD_OK && s->every != 0 && --s->count != 0 && !stream_stopped()) {
		nanosleep(&pause, NULL);
		if (stream_stopped())
			break;
		if (!s->json && !s->prom)
			putchar('\n');
		rc = look_once(s, look);
	}
	disruptor_look_close(&look);
	stream_end_by_signal(false);
	return rc;
}

static int parse(struct stat_command *s, int argc, char **argv)
{
	enum { JSON = 1, PROM, EVERY, COUNT, DIRECTORY };
	static const struct option options[] = {
		{ "json", no_argument, NULL, JSON },
		{ "prom", no_argument, NULL, PROM },
		{ "every", required_argument, NULL, EVERY },
		{ "count", required_argument, NULL, COUNT },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ 0 },
	};
	char *end;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case JSON:
			s->json = true;
			break;
		case PROM:
			s->prom = true;
			break;
		case EVERY:
			s->every = strtod(optarg, &end);
			if (*optarg < '0' || *optarg > '9' || *end != '\0' || s->every < 0.01 ||
			    s->every > 86400)
				return cmd_usage("stat", "--every: '%s' is not in 0.01 ... 86400",
						 optarg);
			break;
		case COUNT:
			if (!stream_number(optarg, &s->count) || s->count == 0)
				return cmd_usage("stat", "--count: '%s' is no number above 0",
						 optarg);
			break;
		case DIRECTORY:
			s->directory = optarg;
			break;
		default:
			return cmd_usage("stat", "%s '%s'",
					 c == ':' ? "a value is missing after"
						  : "there is no option",
					 argv[optind - 1]);
		}
	}
	if (s->json && s->prom)
		return cmd_usage("stat", "--json and --prom do not go together");
	if (s->count && s->every == 0)
		return cmd_usage("stat", "--count: only with --every");
	if (optind == argc)
		return cmd_usage("stat", "the ring's NAME is missing");
	if (optind + 1 < argc)
		return cmd_usage("stat", "one ring at a time, not '%s' too", argv[optind + 1]);
	s->name = argv[optind];
	return CMD_OK;
}

static int run(int argc, char **argv)
{
	struct stat_command *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return CMD_FAILED;
	rc = parse(s, argc, argv);
	if (rc == CMD_OK)
		rc = look_and_tell(s);
	free(s);
	return rc;
}

const struct command cmd_stat = {
	.name = "stat",
	.summary = "tell how a ring does, and who waits for whom",
	.help = help,
	.run = run,
};
