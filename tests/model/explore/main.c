/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The command: explore clients, print what was found; 1 if anything was, or anything left out. */
#define _POSIX_C_SOURCE 200809L
#include "explore.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: model [OPTION...] [CLIENT[.RUNG]...]\n"
	"Explore the interleavings of small clients of the library, and the values that C11 lets them\n"
	"read. Without a client: all, on every rung that matters to each.\n"
	"\n"
	"  --list            list the clients\n"
	"  --bound N         at most N preemptions an execution (each client has its own, mostly 2)\n"
	"  --stale N         threads are late to see at most N stores an execution (2)\n"
	"  --spurious N      weak compare and swaps fail N times for no reason (1)\n"
	"  --random N        N executions at random instead of all, with --bound changes of priority\n"
	"  --seed S          of --random (1)\n"
	"  --limit N         give up after N executions\n"
	"  --trace           print a failing execution, access by access\n"
	"  --replay R:C,...  the one execution that a failure named so\n"
	"  --json            one line of JSON for each client\n"
	"  --sites           list the ordered accesses to shared words that the clients made, and how\n"
	"                    each could be weaker\n"
	"  --weaken FILE:LINE:KIND\n"
	"                    explore with that access weaker; KIND is acquire, release, failure, fence\n"
	"                    (acquire and release alone), or gone; FILE 'membarrier', LINE 0: the call;\n"
	"                    up to four times\n"
	"  --weaken-each     each of --sites in turn: print which client finds it; 1 if none does\n"
	"  --help            this text\n"
	"\n"
	"Exit status: 0 all was explored and holds; 1 not; 2 it was called wrongly.\n";

static const char *const rungs[] = { "", "membarrier", "fence", "mutex" };

static struct {
	struct explore_options explore;
	bool list, json, sites, weaken_each, bound_given, stale_given;
} options = { .explore = { .bound = 2, .stale = 2, .spurious = 1, .seed = 1 } };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_result(const char *name, const struct explore_result *r, double took)
{
	const char *verdict = r->failed                     ? "VIOLATION"
			      : r->truncated                ? "TRUNCATED"
			      : r->complete                 ? "holds"
			      : options.explore.random != 0 ? "holds, as far as tried"
							    : "UNFINISHED";

	if (options.json) {
		(void)printf("{\"client\": \"%s\", \"verdict\": \"%s\", \"executions\": %lu, "
			     "\"same\": %lu, \"truncated\": %lu, \"states\": %lu, \"depth\": %u, "
			     "\"seconds\": %.2f}\n",
			     name, verdict, r->executions, r->same, r->truncated, r->states,
			     r->depth, took);
		return;
	}
	(void)printf(
		"%-24s %s: %lu executions, %lu given up as the same, %lu truncated, %lu states, "
		"depth %u, %.2f s\n",
		name, verdict, r->executions, r->same, r->truncated, r->states, r->depth, took);
	if (r->failed)
		(void)printf("  %s\n  again: --replay %s\n", r->failure, r->replay);
}

static bool is_good(const struct explore_result *r)
{
	return !r->failed && r->truncated == 0 && (r->complete || options.explore.random != 0);
}

static struct explore_options options_for(const struct model_client *c, enum disruptor_rung rung)
{
	struct explore_options o = options.explore;

	o.rung = rung;
	if (!options.bound_given && c->bound)
		o.bound = c->bound;
	if (!options.stale_given && c->stale)
		o.stale = c->stale;
	return o;
}

static const char *name_of(const struct model_client *c, unsigned rung)
{
	static char name[80];

	(void)snprintf(name, sizeof(name), c->rungs ? "%s.%s" : "%s", c->name, rungs[rung]);
	return name;
}

/* ---- sites ---- */

struct site {
	struct used_site used;
	char killer[WEAKER_KINDS][80]; /* the client that fails; "": none so far */
};

static struct site found[512];
static size_t found_count;

static struct site *find_site(const struct used_site *u)
{
	for (size_t i = 0; i < found_count; i++)
		if (found[i].used.line == u->line && strcmp(found[i].used.file, u->file) == 0)
			return &found[i];
	if (found_count == sizeof(found) / sizeof(found[0]))
		return NULL;
	found[found_count].used = *u;
	return &found[found_count++];
}

static void weaken_one(const struct model_client *c, enum disruptor_rung rung, struct site *s,
		       unsigned kind)
{
	struct explore_options o = options_for(c, rung);
	struct explore_result r;

	if (s->killer[kind][0])
		return;
	o.weak[0] = (struct weak_site){ (enum weaker)kind, s->used.file, s->used.line };
	o.trace = false;
	r = explore(c, &o);
	if (!r.failed)
		return;
	(void)snprintf(s->killer[kind], sizeof(s->killer[kind]), "%s", name_of(c, rung));
}

static void weaken_all(const struct model_client *c, enum disruptor_rung rung)
{
	struct used_site copy[512];
	const struct used_site *used;
	size_t count;

	used = memory_sites(&count);
	memcpy(copy, used, count * sizeof(copy[0]));
	for (size_t i = 0; i < count; i++) {
		struct site *s = find_site(&copy[i]);

		if (!s)
			continue;
		s->used.kinds |= copy[i].kinds;
		for (unsigned kind = 1; options.weaken_each && kind < WEAKER_KINDS; kind++)
			if (copy[i].kinds >> kind & 1)
				weaken_one(c, rung, s, kind);
		if (options.weaken_each && isatty(2))
			(void)fprintf(stderr, "\r%s: site %zu of %zu  ", name_of(c, rung), i + 1,
				      count);
	}
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	int order = strcmp(x->used.file, y->used.file);

	return order ? order : (int)x->used.line - (int)y->used.line;
}

static const char *short_name(const char *file)
{
	const char *at = strstr(file, "include/disruptor/");

	if (!at)
		at = strstr(file, "src/");
	return at ? at : file;
}

/* False if a weaker site is found by nobody. */
static bool print_sites(void)
{
	unsigned survivors = 0, total = 0;

	qsort(found, found_count, sizeof(found[0]), compare_sites);
	for (size_t i = 0; i < found_count; i++)
		for (unsigned kind = 1; kind < WEAKER_KINDS; kind++) {
			if (!(found[i].used.kinds >> kind & 1))
				continue;
			total++;
			survivors += !found[i].killer[kind][0];
			(void)printf("%s:%u:%s%s%s\n", short_name(found[i].used.file),
				     found[i].used.line, weaker_names[kind],
				     options.weaken_each ? "  " : "",
				     !options.weaken_each       ? ""
				     : found[i].killer[kind][0] ? found[i].killer[kind]
								: "SURVIVES");
		}
	if (options.weaken_each)
		(void)printf("%u weaker sites, %u found by no client\n", total, survivors);
	return !options.weaken_each || survivors == 0;
}

/* ---- clients ---- */

static bool run_client(const struct model_client *c, enum disruptor_rung rung)
{
	struct explore_options o = options_for(c, rung);
	double start = seconds();
	struct explore_result r = explore(c, &o);

	if (!options.sites && !options.weaken_each)
		print_result(name_of(c, rung), &r, seconds() - start);
	else if (r.failed || r.truncated != 0)
		print_result(name_of(c, rung), &r, seconds() - start);
	else
		weaken_all(c, rung);
	(void)fflush(stdout);
	return is_good(&r);
}

/* The name of a client, or one of a client and a rung; all of it that it means are run. */
static bool run_named(const char *name, bool *known)
{
	bool good = true;

	for (size_t i = 0; model_clients[i]; i++) {
		const struct model_client *c = model_clients[i];
		size_t length = strlen(c->name);

		if (name && (strncmp(name, c->name, length) != 0 ||
			     (name[length] != '\0' && name[length] != '.')))
			continue;
		for (unsigned rung = 1; rung <= (c->rungs ? 3u : 1u); rung++)
			if (!name || !name[length] || strcmp(name + length + 1, rungs[rung]) == 0) {
				*known = true;
				good &= run_client(c, (enum disruptor_rung)rung);
			}
	}
	return good;
}

static void list_clients(void)
{
	for (size_t i = 0; model_clients[i]; i++) {
		const struct model_client *c = model_clients[i];

		for (unsigned rung = 1; rung <= (c->rungs ? 3u : 1u); rung++)
			(void)printf("%-24s %s\n", name_of(c, rung), c->about);
	}
}

static unsigned long number(const char *text, const char *option)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n > UINT32_MAX) {
		(void)fprintf(stderr, "model: %s: '%s' is no number\n", option, text);
		exit(2);
	}
	return n;
}

static void parse_weaken(char *text)
{
	static size_t count;
	struct weak_site *w = &options.explore.weak[count++];
	char *kind = strrchr(text, ':'), *line;

	if (kind && count <= sizeof(options.explore.weak) / sizeof(*w)) {
		*kind++ = '\0';
		line = strrchr(text, ':');
		for (unsigned i = 1; line && i < WEAKER_KINDS; i++)
			if (strcmp(kind, weaker_names[i]) == 0) {
				*line++ = '\0';
				*w = (struct weak_site){ (enum weaker)i, text,
							 (unsigned)number(line, "--weaken") };
				return;
			}
	}
	(void)fprintf(stderr, "model: --weaken: FILE:LINE:KIND, at most four; see --help\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	enum {
		LIST = 256,
		BOUND,
		STALE,
		SPURIOUS,
		RANDOM,
		SEED,
		LIMIT,
		TRACE,
		REPLAY,
		JSON,
		SITES,
		WEAKEN,
		WEAKEN_EACH,
		HELP
	};
	static const struct option known[] = {
		{ "list", 0, NULL, LIST },
		{ "bound", 1, NULL, BOUND },
		{ "stale", 1, NULL, STALE },
		{ "spurious", 1, NULL, SPURIOUS },
		{ "random", 1, NULL, RANDOM },
		{ "seed", 1, NULL, SEED },
		{ "limit", 1, NULL, LIMIT },
		{ "trace", 0, NULL, TRACE },
		{ "replay", 1, NULL, REPLAY },
		{ "json", 0, NULL, JSON },
		{ "sites", 0, NULL, SITES },
		{ "weaken", 1, NULL, WEAKEN },
		{ "weaken-each", 0, NULL, WEAKEN_EACH },
		{ "help", 0, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct explore_options *e = &options.explore;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (option) {
		case LIST:
			options.list = true;
			break;
		case BOUND:
			e->bound = (unsigned)number(optarg, "--bound");
			options.bound_given = true;
			break;
		case STALE:
			e->stale = (unsigned)number(optarg, "--stale");
			options.stale_given = true;
			break;
		case SPURIOUS:
			e->spurious = (unsigned)number(optarg, "--spurious");
			break;
		case RANDOM:
			e->random = number(optarg, "--random");
			break;
		case SEED:
			e->seed = number(optarg, "--seed");
			break;
		case LIMIT:
			e->limit = number(optarg, "--limit");
			break;
		case TRACE:
			e->trace = true;
			break;
		case REPLAY:
			e->replay = optarg;
			e->trace = true;
			break;
		case JSON:
			options.json = true;
			break;
		case SITES:
			options.sites = true;
			break;
		case WEAKEN:
			parse_weaken(optarg);
			break;
		case WEAKEN_EACH:
			options.weaken_each = true;
			break;
		case HELP:
			(void)fputs(usage, stdout);
			exit(0);
		default:
			(void)fputs(usage, stderr);
			exit(2);
		}
}

int main(int argc, char **argv)
{
	bool good = true, known = true;

	parse(argc, argv);
	if (options.list) {
		list_clients();
		return 0;
	}
	if (optind == argc)
		good = run_named(NULL, &known);
	for (int i = optind; i < argc; i++) {
		known = false;
		good &= run_named(argv[i], &known);
		if (!known) {
			(void)fprintf(stderr, "model: there is no client '%s'; see --list\n",
				      argv[i]);
			return 2;
		}
	}
	if (options.sites || options.weaken_each)
		good &= print_sites();
	return good ? 0 : 1;
}
