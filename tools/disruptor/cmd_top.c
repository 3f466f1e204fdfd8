/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor top: the rings of a directory, live, on a whole terminal. */
#include "cmd.h"
#include "escape.h"
#include "stream.h"
#include "view.h"

#include <curses.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"usage: disruptor top [NAME ...] [OPTION ...]\n"
	"\n"
	"Show the rings of those names, or all in the directory, live: how fast they are and how\n"
	"full; and of the one that is chosen its producers, its consumers, and who waits for\n"
	"whom. It looks from outside, as stat does. On a terminal.\n"
	"\n"
	"keys:\n"
	"  up, down, k, j   choose a ring\n"
	"  q                end\n"
	"\n"
	"options:\n"
	"  --every SECONDS  look so often; default: 1\n"
	"  --directory DIR  where the rings are; default: $DISRUPTOR_DIRECTORY, or a directory\n"
	"                   of the user's own in /dev/shm\n";

enum { RINGS = 64, NAME = 256 };

struct ring {
	char name[NAME];
	struct disruptor_look *look; /* NULL: it cannot be looked into, or has gone */
	bool there;
	struct view now;
	unsigned char id[16]; /* of the segment that the figures before are of */
	uint64_t claimed_before, time_before;
	double rate; /* claimed a second */
	uint64_t position_before[VIEW_CONSUMERS];
	double consumer_rate[VIEW_CONSUMERS];
	char why[160]; /* it cannot */
};

struct top {
	struct ring *ring; /* RINGS of them */
	uint32_t rings, chosen;
	const char *directory;
	char *const *names; /* of the command line … */
	int count;          /* … or all */
	double every;
	char why[160]; /* the directory cannot be read */
};

/* ---- looking ---- */

static struct ring *find(struct top *t, const char *name)
{
	for (uint32_t i = 0; i < t->rings; i++)
		if (strcmp(t->ring[i].name, name) == 0)
			return &t->ring[i];
	return NULL;
}

static int note_name(void *context, const char *name)
{
	struct top *t = context;
	struct ring *r = find(t, name);

	if (!r && t->rings < RINGS && strlen(name) < NAME) {
		r = &t->ring[t->rings++];
		memset(r, 0, sizeof(*r));
		(void)snprintf(r->name, sizeof(r->name), "%s", name);
	}
	if (r)
		r->there = true;
	return 0;
}

static void take_rates(struct ring *r)
{
	double seconds = (double)(r->now.now - r->time_before) / 1e9;
	/* another segment of that name begins anew */
	bool same = memcmp(r->id, r->now.facts.id, sizeof(r->id)) == 0;
	bool again = same && r->time_before != 0 && seconds > 0;

	r->rate = again ? (double)(r->now.state.claimed - r->claimed_before) / seconds : 0;
	for (uint32_t i = 0; i < r->now.consumers; i++) {
		uint32_t at = r->now.consumer_at[i] % VIEW_CONSUMERS;
		uint64_t position = r->now.consumer[i].position;

		r->consumer_rate[at] =
			again && position >= r->position_before[at]
				? (double)(position - r->position_before[at]) / seconds
				: 0;
		r->position_before[at] = position;
	}
	memcpy(r->id, r->now.facts.id, sizeof(r->id));
	r->claimed_before = r->now.state.claimed;
	r->time_before = r->now.now;
}

/* A name may lead to another segment than a moment ago: it is opened anew each time. */
static void look_at(struct top *t, struct ring *r)
{
	const struct disruptor_segment_options o = { .size = sizeof(o), .directory = t->directory };
	int rc;

	disruptor_look_close(&r->look);
	rc = disruptor_look_open(&r->look, r->name, &o);
	if (rc == 0)
		rc = view_take(&r->now, r->look);
	if (rc == 0) {
		take_rates(r);
		return;
	}
	(void)escape_string(r->why, sizeof(r->why), disruptor_error_detail(), 128);
	disruptor_look_close(&r->look);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ring *)a)->name, ((const struct ring *)b)->name);
}

static void note_names(struct top *t)
{
	const struct disruptor_segment_options o = { .size = sizeof(o), .directory = t->directory };
	int rc = 0;

	t->why[0] = '\0';
	for (uint32_t i = 0; i < t->rings; i++)
		t->ring[i].there = false;
	for (int i = 0; i < t->count; i++)
		(void)note_name(t, t->names[i]);
	if (t->count == 0)
		rc = disruptor_segment_each(&o, note_name, t);
	if (rc != 0)
		(void)escape_string(t->why, sizeof(t->why), disruptor_error_detail(), 128);
}

/* The one that is chosen stays so, wherever it comes to stand; if it has gone, the one in its place. */
static void choose_by_name(struct top *t, const char *name)
{
	const struct ring *r = find(t, name);

	if (r)
		t->chosen = (uint32_t)(r - t->ring);
	else if (t->chosen >= t->rings)
		t->chosen = t->rings ? t->rings - 1 : 0;
}

static void look_at_all(struct top *t)
{
	char chosen[NAME] = "";
	uint32_t kept = 0;

	if (t->chosen < t->rings)
		memcpy(chosen, t->ring[t->chosen].name, sizeof(chosen));
	note_names(t);
	for (uint32_t i = 0; i < t->rings; i++) {
		if (!t->ring[i].there) {
			disruptor_look_close(&t->ring[i].look);
			continue;
		}
		look_at(t, &t->ring[i]);
		if (kept != i)
			t->ring[kept] = t->ring[i];
		kept++;
	}
	t->rings = kept;
	if (t->count == 0)
		qsort(t->ring, t->rings, sizeof(t->ring[0]), by_name);
	choose_by_name(t, chosen);
}

/* ---- showing ---- */

static const char *human(double n, char text[16])
{
	static const char units[] = " kMGT";
	size_t u = 0;

	for (; n >= 1000 && u + 2 < sizeof(units); u++)
		n /= 1000;
	(void)snprintf(text, 16, u ? "%.1f%c" : "%.0f%c", n, units[u]);
	return text;
}

static void show_ring(const struct top *t, uint32_t i, int line)
{
	const struct ring *r = &t->ring[i];
	const struct disruptor_look_state *s = &r->now.state;
	char name[128], rate[16];
	double full;

	(void)escape_string(name, sizeof(name), r->name, NAME);
	if (i == t->chosen)
		attron(A_REVERSE);
	if (!r->look) {
		mvprintw(line, 0, "%c %-24.24s %s", i == t->chosen ? '>' : ' ', name, r->why);
	} else {
		full = 100.0 * (double)(r->now.facts.capacity - s->remaining) /
		       (double)r->now.facts.capacity;
		mvprintw(line, 0, "%c %-24.24s %-7s %9s/s %5.0f%% %9u %9u %10" PRIu64,
			 i == t->chosen ? '>' : ' ', name, view_state_name(s->state),
			 human(r->rate, rate), full, s->open_producers, s->consumers, s->dropped);
	}
	clrtoeol();
	attroff(A_REVERSE);
}

static int show_producers(const struct ring *r, int line)
{
	char who[192], since[32];

	for (uint32_t i = 0; i < r->now.producers && line < LINES - 1; i++) {
		const struct disruptor_look_producer *p = &r->now.producer[i];

		mvprintw(line, 0, "  producer %-40.40s",
			 view_who(&r->now, p->name, p->participant, who, sizeof(who)));
		if (p->blocked_ns)
			printw(" waits for room, %s",
			       view_time(p->blocked_ns, since, sizeof(since)));
		else if (p->run_end)
			printw(" has claimed %" PRIu64, p->run_end - p->run_first);
		line++;
	}
	return line;
}

static int show_consumers(const struct ring *r, int line)
{
	char who[192], after[128], rate[16];

	for (uint32_t i = 0; i < r->now.consumers && line < LINES - 1; i++) {
		const struct disruptor_look_consumer *c = &r->now.consumer[i];

		mvprintw(line++, 0, "  consumer %-40.40s %9s/s %10" PRIu64 " behind  %-7s %s",
			 view_who(&r->now, c->name, c->participant, who, sizeof(who)),
			 human(r->consumer_rate[r->now.consumer_at[i] % VIEW_CONSUMERS], rate),
			 c->lag,
			 view_is_dead(&r->now, c) ? "dead"
			 : c->sleeping            ? "sleeps"
			 : c->handling_ns         ? "handles"
			 : c->waiting_ns          ? "waits"
						  : "works",
			 c->upstreams ? view_set(&r->now, c->upstreams, after, sizeof(after)) : "");
	}
	return line;
}

static void show(const struct top *t)
{
	const uint32_t rows = LINES < 6 ? 1 : (uint32_t)LINES / 2 - 1;
	char sentence[512];
	uint32_t first = 0;
	int line = 1;

	erase();
	attron(A_BOLD);
	mvprintw(0, 0, "  %-24s %-7s %11s %6s %9s %9s %10s", "ring", "state", "claimed", "full",
		 "producers", "consumers", "dropped");
	attroff(A_BOLD);
	if (t->rings == 0)
		mvprintw(line++, 0, "  %s", t->why[0] ? t->why : "no rings here");
	/* as many as leave room for what is told of one, which is among them */
	if (t->chosen >= rows)
		first = t->chosen - rows + 1;
	for (uint32_t i = first; i < t->rings && i < first + rows; i++)
		show_ring(t, i, line++);
	line++;
	if (t->chosen < t->rings && t->ring[t->chosen].look) {
		const struct ring *r = &t->ring[t->chosen];

		line = show_producers(r, line);
		line = show_consumers(r, line);
		if (line < LINES)
			mvprintw(line, 0, "%s", view_sentence(&r->now, sentence, sizeof(sentence)));
	}
	refresh();
}

static void choose(struct top *t, int key)
{
	if ((key == KEY_UP || key == 'k') && t->chosen > 0)
		t->chosen--;
	if ((key == KEY_DOWN || key == 'j') && t->chosen + 1 < t->rings)
		t->chosen++;
}

static void run_screen(struct top *t)
{
	uint64_t next = 0;
	int key = ERR;

	while (key != 'q' && !stream_stopped()) {
		if (disruptor_now() >= next) {
			look_at_all(t);
			next = disruptor_in((uint64_t)(t->every * 1e9));
		}
		show(t);
		timeout(100);
		key = getch();
		choose(t, key);
	}
}

/* ---- the command line ---- */

static int parse(struct top *t, int argc, char **argv)
{
	enum { EVERY = 1, DIRECTORY };
	static const struct option options[] = {
		{ "every", required_argument, NULL, EVERY },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ 0 },
	};
	char *end;
	int c;

	while ((c = cmd_option(argc, argv, options)) != -1) {
		switch (c) {
		case EVERY:
			t->every = strtod(optarg, &end);
			if (*optarg < '0' || *optarg > '9' || *end != '\0' || t->every < 0.1 ||
			    t->every > 3600)
				return cmd_usage("top", "--every: '%s' is not in 0.1 ... 3600",
						 optarg);
			break;
		case DIRECTORY:
			t->directory = optarg;
			break;
		default:
			return cmd_bad_option("top", c, argv[optind - 1]);
		}
	}
	t->names = argv + optind;
	t->count = argc - optind;
	if (t->count > RINGS)
		return cmd_usage("top", "%d rings; at most %d", t->count, RINGS);
	return CMD_OK;
}

static int run(int argc, char **argv)
{
	struct top t = { .every = 1 };
	int rc = parse(&t, argc, argv);

	if (rc != CMD_OK)
		return rc;
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		fprintf(stderr, "disruptor top: standard input and output: no terminal; "
				"'disruptor stat' tells the same once\n");
		return CMD_FAILED;
	}
	t.ring = calloc(RINGS, sizeof(*t.ring));
	if (!t.ring) {
		fprintf(stderr, "disruptor top: no memory\n");
		return CMD_FAILED;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): top has one thread */
	(void)setlocale(LC_ALL, "");
	stream_catch_signals();
	if (!initscr()) { /* curses ends the program itself, and says why */
		free(t.ring);
		return CMD_FAILED;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	run_screen(&t);
	endwin();
	for (uint32_t i = 0; i < t.rings; i++)
		disruptor_look_close(&t.ring[i].look);
	free(t.ring);
	stream_end_by_signal(false);
	return CMD_OK;
}

const struct command cmd_top = {
	.name = "top",
	.summary = "show rings live, on a terminal",
	.help = help,
	.run = run,
};
