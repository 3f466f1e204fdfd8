/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor reap: processes that have died on a ring, and what they have left. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "escape.h"

#include <disruptor/look.h>

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: disruptor reap NAME [OPTION ...]\n"
	"       disruptor reap --all [OPTION ...]\n"
	"\n"
	"Find the processes that have died on the ring NAME, and repair what they have left: what\n"
	"they had claimed and not published becomes void, and their optional consumers leave. Who\n"
	"waits on a ring does the same every 10 ms; this is for a ring on which nobody does. That\n"
	"a process is dead is the kernel's word: the lock that it held as long as it lived is\n"
	"free. One that is stopped, or slow, is not dead.\n"
	"\n"
	"A required consumer whose process has died still holds up the producers, until it is\n"
	"started again under its name, or dismissed.\n"
	"\n"
	"options:\n"
	"  --all               every ring of the directory\n"
	"  --dry-run           only tell what would be done; nothing is written\n"
	"  --dismiss CONSUMER  let that required consumer go, if its process has died: what it\n"
	"                      has not read is lost to it\n"
	"  --remove            remove the ring if no process has it any more, and no required\n"
	"                      consumer waits to be started again; a temporary one goes anyway\n"
	"  --json              print a JSON object a line for each ring\n"
	"  --directory DIR     where the ring is; default: $DISRUPTOR_DIRECTORY, or a directory\n"
	"                      of the user's own in /dev/shm\n";

struct reap {
	const char *name, *directory, *dismiss;
	bool all, dry_run, remove, json;
	int status; /* of those so far */
};

/* One ring: what was found, and what was done. */
struct found {
	uint32_t dead, alive, waiting, dismissed;
	bool removed;
	struct disruptor_look_state before, after;
	json_t *object;
};

static struct disruptor_segment_options where(const struct reap *r, unsigned flags)
{
	return (struct disruptor_segment_options){ .size = sizeof(struct disruptor_segment_options),
						   .directory = r->directory,
						   .flags = flags };
}

static int failed(const char *name, int code)
{
	(void)cmd_failed("reap", name, code);
	return code;
}

/* ---- finding ---- */

static void tell_participant(const struct reap *r, const struct found *f,
			     const struct disruptor_participant *p, uint32_t place,
			     const char *verb)
{
	/* docs/shm-format.md: one that lives has a lock on it */
	const uint32_t byte = 1 + place;
	char name[160];

	if (r->json) {
		json_array_append_new(
			json_object_get(f->object, "dead"),
			json_pack("{s:I,s:s,s:s,s:I,s:i,s:i}", "pid", (json_int_t)p->pid, "name",
				  escape_string(name, sizeof(name), p->name, strlen(p->name)),
				  "proof", "lock", "byte", (json_int_t)byte, "producers",
				  (int)p->producers, "consumers", (int)p->consumers));
		return;
	}
	printf("  process %" PRIu64 " '%s' is dead, its lock on byte %u is free: %u producers, "
	       "%u consumers %s\n",
	       p->pid, escape_string(name, sizeof(name), p->name, strlen(p->name)), byte,
	       p->producers, p->consumers, verb);
}

/* Who is there: before anything is repaired, as a repair frees the places of the dead. */
static int count_participants(const struct reap *r, const struct disruptor_look *l, struct found *f)
{
	struct disruptor_participant p;
	int rc;

	for (uint32_t i = 0; (rc = disruptor_look_participant(l, i, &p)) == 0; i++) {
		f->alive += p.present && p.alive;
		f->dead += p.present && !p.alive;
		if (p.present && !p.alive)
			tell_participant(r, f, &p, i, r->dry_run ? "to repair" : "repaired");
	}
	return rc == DISRUPTOR_E_NOT_FOUND ? 0 : rc;
}

/* Required consumers without a process: who waits for whom. */
static void tell_waiting(const struct reap *r, const struct disruptor_look *l, struct found *f)
{
	struct disruptor_look_consumer c = { .size = sizeof(c) };
	char name[160];

	for (uint32_t i = 0; disruptor_look_consumer(l, i, &c) == 0; i++) {
		if (!c.open || !c.dead)
			continue;
		f->waiting++;
		(void)escape_string(name, sizeof(name), c.name, strlen(c.name));
		if (r->json)
			json_array_append_new(json_object_get(f->object, "waiting"),
					      json_pack("{s:s,s:I}", "consumer", name, "lag",
							(json_int_t)c.lag));
		else
			printf("  consumer '%s' is required and %" PRIu64
			       " behind: start it again, or --dismiss it\n",
			       name, c.lag);
	}
}

/* ---- acting ---- */

/* Whoever enters a segment repairs it first; so does who asks for it. */
static int repair(const struct reap *r, const char *name, struct found *f)
{
	struct disruptor_segment_options o = where(r, 0);
	struct disruptor_segment *s;
	int rc;

	o.participant = "reap";
	rc = disruptor_segment_open(&s, name, NULL, NULL, &o);
	if (rc != 0)
		return rc;
	disruptor_segment_tend(s);
	if (r->dismiss) {
		rc = disruptor_segment_dismiss(s, r->dismiss);
		f->dismissed = rc == 0;
		if (rc != 0) /* told now, as leaving may leave a detail of its own */
			(void)failed(name, rc);
	}
	(void)disruptor_segment_close(&s);
	return 0;
}

/* What has become of a ring that nobody has. */
static const char *rest_of(const struct found *f)
{
	if (f->removed)
		return "; removed";
	if (f->alive != 0)
		return "";
	return f->waiting != 0 ? "; it is kept for who is to start again"
			       : "; --remove takes it away";
}

static void tell_outcome(const struct reap *r, const struct found *f)
{
	/* nothing was looked at behind it if the ring went meanwhile */
	uint64_t voids = f->after.orphans > f->before.orphans ? f->after.orphans - f->before.orphans
							      : 0;

	if (r->json) {
		json_object_set_new(f->object, "alive", json_integer(f->alive));
		json_object_set_new(f->object, "voids", json_integer((json_int_t)voids));
		json_object_set_new(f->object, "dismissed", json_boolean(f->dismissed));
		json_object_set_new(f->object, "removed", json_boolean(f->removed));
		json_dumpf(f->object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
		return;
	}
	if (voids != 0)
		printf("  %" PRIu64 " positions that were claimed became void\n", voids);
	if (f->dismissed)
		printf("  consumer dismissed\n");
	printf("  %u processes live%s\n", f->alive, rest_of(f));
}

static int look_and_repair(const struct reap *r, const char *name, struct found *f)
{
	const struct disruptor_segment_options o = where(r, 0),
					       u = where(r, DISRUPTOR_SEGMENT_UNUSED);
	struct disruptor_look_facts facts = { .size = sizeof(facts) };
	struct disruptor_look *l;
	int rc = disruptor_look_open(&l, name, &o);

	if (rc != 0)
		return rc;
	f->before.size = f->after.size = sizeof(f->before);
	rc = disruptor_look_facts(l, &facts);
	if (rc == 0)
		rc = disruptor_look_state(l, &f->before);
	if (rc == 0)
		rc = count_participants(r, l, f);
	/* of before the machine was started anew: there is nobody, and nothing to repair */
	if (rc == 0 && !r->dry_run && facts.current)
		rc = repair(r, name, f);
	if (rc == 0)
		rc = disruptor_look_state(l, &f->after);
	if (rc == 0)
		tell_waiting(r, l, f);
	disruptor_look_close(&l);
	if (rc == 0 && r->remove && !r->dry_run && f->alive == 0 && f->waiting == 0) {
		rc = disruptor_segment_remove(name, &u);
		f->removed = rc == 0;
	}
	/* a temporary one goes with the last who leaves it, and that may have been us */
	if (rc == DISRUPTOR_E_NOT_FOUND)
		rc = 0;
	if (rc == 0 && !r->dry_run && f->alive == 0 && !f->removed) {
		f->removed = disruptor_look_open(&l, name, &o) == DISRUPTOR_E_NOT_FOUND;
		disruptor_look_close(&l);
	}
	return rc;
}

/* Answers 0, so that others get their turn. */
static int reap_one(void *context, const char *name)
{
	struct reap *r = context;
	struct found f = { 0 };
	char shown[160];
	int rc;

	(void)escape_string(shown, sizeof(shown), name, strlen(name));
	if (r->json)
		f.object = json_pack("{s:s,s:[],s:[]}", "name", shown, "dead", "waiting");
	else
		printf("%s\n", shown);
	rc = look_and_repair(r, name, &f);
	if (rc == 0)
		tell_outcome(r, &f);
	else
		(void)failed(name, rc);
	if (rc != 0 || (r->dismiss && !r->dry_run && !f.dismissed))
		r->status = CMD_FAILED;
	json_decref(f.object);
	return 0;
}

/* ---- the command line ---- */

enum { ALL = 1, DRY_RUN, DISMISS, REMOVE, JSON, DIRECTORY };

static void take_option(struct reap *r, int option)
{
	switch (option) {
	case ALL:
		r->all = true;
		break;
	case DRY_RUN:
		r->dry_run = true;
		break;
	case DISMISS:
		r->dismiss = optarg;
		break;
	case REMOVE:
		r->remove = true;
		break;
	case JSON:
		r->json = true;
		break;
	default:
		r->directory = optarg;
		break;
	}
}

static int parse(struct reap *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, ALL },
		{ "dry-run", no_argument, NULL, DRY_RUN },
		{ "dismiss", required_argument, NULL, DISMISS },
		{ "remove", no_argument, NULL, REMOVE },
		{ "json", no_argument, NULL, JSON },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ 0 },
	};
	int c;

	while ((c = cmd_option(argc, argv, options)) != -1) {
		if (c == ':' || c == '?')
			return cmd_bad_option("reap", c, argv[optind - 1]);
		take_option(r, c);
	}
	if (r->all && optind != argc)
		return cmd_usage("reap", "--all, or '%s', not both", argv[optind]);
	if (r->all && r->dismiss)
		return cmd_usage("reap", "--dismiss is of one ring, not of --all");
	if (!r->all && optind == argc)
		return cmd_usage("reap", "the ring's NAME is missing, or --all");
	if (!r->all && optind + 1 < argc)
		return cmd_usage("reap", "one ring at a time, not '%s' too", argv[optind + 1]);
	r->name = argv[optind]; /* NULL with --all */
	return CMD_OK;
}

static int run(int argc, char **argv)
{
	struct reap r = { .status = CMD_OK };
	int rc = parse(&r, argc, argv);

	if (rc != CMD_OK)
		return rc;
	if (!r.name) { /* all of them */
		const struct disruptor_segment_options o = where(&r, 0);

		rc = disruptor_segment_each(&o, reap_one, &r);
		/* where there is no directory yet there are no rings; one that was named has to be there */
		if (rc != 0 && (rc != DISRUPTOR_E_NOT_FOUND || r.directory)) {
			(void)failed(r.directory ? r.directory : "directory", rc);
			r.status = CMD_FAILED;
		}
	} else {
		(void)reap_one(&r, r.name);
	}
	return r.status;
}

const struct command cmd_reap = {
	.name = "reap",
	.summary = "find processes that have died on a ring, and repair what they have left",
	.help = help,
	.run = run,
};
