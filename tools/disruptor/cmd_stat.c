/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor stat: how a ring does, who is how far, and who waits for whom. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "escape.h"
#include "stat.h"
#include "stream.h"

#include <getopt.h>
#include <inttypes.h>
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

/* ---- as a table ---- */

double stat_rate(const struct stat_command *s, uint64_t now, uint64_t before)
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
	char name[128], owner[48], since[32];

	if (v->producers)
		printf("  %-20s %14s %20s %10s %11s %10s  %s\n", "producer", "process", "claimed",
		       "dropped", "slow claims", "sleeps", "waits for room");
	for (uint32_t i = 0; i < v->producers; i++) {
		const struct disruptor_look_producer *p = &v->producer[i];
		char run[48] = "-";

		if (p->run_end != 0)
			(void)snprintf(run, sizeof(run), "%" PRIu64 "...%" PRIu64, p->run_first,
				       p->run_end);
		printf("  %-20s %14s %20s %10" PRIu64 " %11" PRIu64 " %10" PRIu64 "  %s\n",
		       escape_string(name, sizeof(name), p->name, 32),
		       process(v, p->participant, owner, sizeof(owner)), run, p->dropped,
		       p->slow_claims, p->sleeps,
		       p->blocked_ns ? view_time(p->blocked_ns, since, sizeof(since)) : "-");
	}
}

double stat_consumer_rate(const struct stat_command *s, uint32_t i)
{
	const struct view *old = &s->before;

	for (uint32_t k = 0; k < old->consumers; k++)
		if (old->consumer_at[k] == s->now.consumer_at[i])
			return stat_rate(s, s->now.consumer[i].position, old->consumer[k].position);
	return 0;
}

/* What it does, and how long it has: "sleeps 1.2 s". */
static const char *doing(const struct view *v, const struct disruptor_look_consumer *c, char *text,
			 size_t size)
{
	char since[32];

	if (view_is_dead(v, c))
		return "dead";
	if (!c->attached)
		return "opening";
	if (c->handling_ns != 0) {
		(void)snprintf(text, size, "handles %s",
			       view_time(c->handling_ns, since, sizeof(since)));
		return text;
	}
	if (c->waiting_ns == 0)
		return "works";
	(void)snprintf(text, size, "%s %s", c->sleeping ? "sleeps" : "waits",
		       view_time(c->waiting_ns, since, sizeof(since)));
	return text;
}

static void print_consumers(const struct stat_command *s)
{
	const struct view *v = &s->now;
	char name[128], owner[48], after[256], now[48];

	if (v->consumers)
		printf("  %-20s %14s %20s %10s %10s %10s %-14s %-8s %s%s\n", "consumer", "process",
		       "position", "behind", "ready", "sleeps", " now", "if dead",
		       s->before.now != 0 ? "  released/s " : "", "after");
	for (uint32_t i = 0; i < v->consumers; i++) {
		const struct disruptor_look_consumer *c = &v->consumer[i];

		printf("  %-20s %14s %20" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
		       "  %-13s %-8s ",
		       escape_string(name, sizeof(name), c->name, 32),
		       process(v, c->participant, owner, sizeof(owner)), c->position, c->lag,
		       c->ready, c->sleeps, doing(v, c, now, sizeof(now)),
		       c->if_dead == DISRUPTOR_REQUIRED ? "is kept" : "leaves");
		if (s->before.now != 0)
			printf("%12.0f ", stat_consumer_rate(s, i));
		printf("%s\n", view_set(v, c->upstreams, after, sizeof(after)));
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
		       stat_rate(s, v->state.claimed, s->before.state.claimed),
		       stat_rate(s, v->state.sleeps, s->before.state.sleeps));
	print_producers(v);
	print_consumers(s);
	printf("%s\n", view_sentence(v, text, sizeof(text)));
}

/* ---- the command ---- */

static int failed(const struct stat_command *s, int code)
{
	return cmd_failed("stat", s->name, code);
}

static int look_once(struct stat_command *s, const struct disruptor_look *look)
{
	int rc;

	s->before = s->now;
	rc = view_take(&s->now, look);
	if (rc != 0)
		return failed(s, rc);
	if (s->json)
		stat_print_json(s);
	else if (s->prom)
		stat_print_prom(s);
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

	while ((c = cmd_option(argc, argv, options)) != -1) {
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
			if (!cmd_number(optarg, &s->count) || s->count == 0)
				return cmd_usage("stat", "--count: '%s' is no number above 0",
						 optarg);
			break;
		case DIRECTORY:
			s->directory = optarg;
			break;
		default:
			return cmd_bad_option("stat", c, argv[optind - 1]);
		}
	}
	if (s->json && s->prom)
		return cmd_usage("stat", "--json and --prom do not go together");
	if (s->count && s->every == 0)
		return cmd_usage("stat", "--count: only with --every");
	return cmd_operand("stat", "ring", argc, argv, &s->name);
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
