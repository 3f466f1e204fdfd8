/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor bench: the command line of the benchmarks in bench/. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "results.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: disruptor bench SCENARIO... [OPTION ...]\n"
	"       disruptor bench --report FILE [--html FILE] [--svg DIR]\n"
	"       disruptor bench --compare FILE FILE [--json]\n"
	"       disruptor bench --peers [--json]\n"
	"\n"
	"Measure this library beside what the hardware allows and beside what others made,\n"
	"in one run, in interleaved rounds, and print medians and ratios.\n"
	"\n"
	"scenarios:\n"
	"  one to one         unicast sizes capacity batch array poller blocking keepup steady\n"
	"  latencies          pingpong pingpong-one burst wakeup\n"
	"  several threads    producers three threes consumers oversubscribed\n"
	"  handlers           pipeline multicast diamond shared stats wide\n"
	"  what it costs      create waiting idle\n"
	"  all of them        all; --list says what each measures, and how long it takes\n"
	"\n"
	"options:\n"
	"  --events N        timed events in a sample; default: as many as take 16 to 80 ms\n"
	"  --rounds R        rounds, 1 ... 999; default 41, of some scenarios others\n"
	"  --wait P          wait strategy: busy-spin, spin, yielding, sleeping, phased, blocking\n"
	"  --event-bytes B   bytes of an event, a multiple of 8, 8 ... 65536\n"
	"  --capacity C      slots of a ring, a power of two, 16 ... 16777216\n"
	"  --rung R          force a rung of the wait/notify ladder: membarrier, fence, mutex\n"
	"  --cpus A,B        pin the two threads to these; default: the first two allowed\n"
	"  --quick           at most 3 rounds of samples a quarter as long\n"
	"  --usage           a second table: processor time, switches, sleeps, memory\n"
	"  --list            tell the scenarios, their points and how long they take\n"
	"  --json            one JSON object a line instead of tables\n"
	"  --save FILE       write these JSON lines to FILE too, whole, when all is done\n"
	"  --html FILE       draw a page of all results too, in one file without scripts\n"
	"  --svg DIR         draw each plot into a file of its own too, in DIR\n"
	"  --results DIR     save and draw the page as DIR/COMMIT.CPU.json and .html\n"
	"  --baseline FILE   compare with an earlier run of the same machine, saved so:\n"
	"                    what is slower by more than 15 % is flagged\n"
	"  --peers           tell instead what others made it is measured beside, which of\n"
	"                    that is built here, and how each is used\n"
	"\n"
	"without measuring:\n"
	"  --report FILE     sum up what --save wrote to FILE; with --html or --svg draw it\n"
	"  --compare         tell what changed from one such file to another, and whether\n"
	"                    it is outside the noise of both\n"
	"\n"
	"The bars hold for a scenario's own parameters; with others, ratios stand without.\n"
	"A bar that is not met, or a flag, is said so and is not a failure of the command.\n"
	"bench/README.md in the source tells how it is measured.\n";

struct request {
	struct bench_options options;
	const struct bench_scenario *scenarios[64];
	size_t count;
	bool json;
	bool peers;                                 /* tell of them, and measure nothing */
	bool usage;                                 /* what events use, too */
	bool list;                                  /* the scenarios, instead of running them */
	const char *save, *html, *baseline, *saved; /* files; NULL: none */
	const char *svg, *results;                  /* directories */
	bool compare;
	const char *compared[2];
};

/** What a run needs beside the request. */
struct session {
	struct bench_machine machine;
	struct bench_outputs outputs;
	struct bench_results *results;  /* so far */
	struct bench_results *baseline; /* NULL: none */
};

static int wrong(const char *option, const char *value, const char *must)
{
	return cmd_usage("bench", "option --%s: '%s' is not %s", option, value, must);
}

/** Parse a decimal number from @p min to @p max. Answers whether it is one. */
static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= min && *number <= max;
}

static int parse_wait(const char *text, enum disruptor_wait_kind *kind)
{
	struct disruptor_wait wait;

	if (disruptor_wait_parse(&wait, text) != 0)
		return wrong("wait", text,
			     "busy-spin, spin, yielding, sleeping, phased or blocking");
	*kind = wait.kind;
	return CMD_OK;
}

static int parse_rung(const char *text, enum disruptor_rung *rung)
{
	for (int r = DISRUPTOR_RUNG_AUTO; r <= DISRUPTOR_RUNG_MUTEX; r++) {
		if (strcmp(text, disruptor_rung_name((enum disruptor_rung)r)) != 0)
			continue;
		if (r != DISRUPTOR_RUNG_AUTO && !(disruptor_version().rungs & (1u << r)))
			return wrong("rung", text, "offered by this machine");
		*rung = (enum disruptor_rung)r;
		return CMD_OK;
	}
	return wrong("rung", text, "membarrier, fence, mutex or auto");
}

static int parse_cpus(const char *text, struct bench_options *options)
{
	int allowed[1024];
	unsigned count = bench_cpus(allowed, sizeof(allowed) / sizeof(allowed[0]));
	const char *comma = strchr(text, ',');
	char first[16];
	uint64_t cpu[BENCH_CPUS];

	if (comma == NULL || (size_t)(comma - text) >= sizeof(first))
		return wrong("cpus", text, "two CPU numbers, as 0,1");
	snprintf(first, sizeof(first), "%.*s", (int)(comma - text), text);
	if (!parse_number(first, 0, 1 << 20, &cpu[0]) ||
	    !parse_number(comma + 1, 0, 1 << 20, &cpu[1]) || cpu[0] == cpu[1])
		return wrong("cpus", text, "two different CPU numbers, as 0,1");
	for (int i = 0; i < BENCH_CPUS; i++) {
		bool found = false;

		for (unsigned k = 0; k < count; k++)
			found = found || (uint64_t)allowed[k] == cpu[i];
		if (!found)
			return cmd_usage("bench",
					 "option --cpus: this process may not run on CPU %d",
					 (int)cpu[i]);
		options->cpus[i] = (int)cpu[i];
	}
	options->cpu_count = BENCH_CPUS;
	return CMD_OK;
}

static int add_scenario(struct request *request, const char *name)
{
	bool all = strcmp(name, "all") == 0, found = false;

	for (const struct bench_scenario *const *s = bench_scenarios; *s != NULL; s++) {
		if (!all && strcmp((*s)->name, name) != 0)
			continue;
		found = true;
		if (request->count == sizeof(request->scenarios) / sizeof(request->scenarios[0]))
			return cmd_usage("bench", "too many scenarios");
		request->scenarios[request->count++] = *s;
	}
	if (!found)
		return cmd_usage("bench", "there is no scenario '%s'", name);
	return CMD_OK;
}

enum {
	EVENTS = 256,
	ROUNDS,
	WAIT,
	EVENT_BYTES,
	CAPACITY,
	RUNG,
	CPUS,
	QUICK,
	JSON,
	SAVE,
	HTML,
	SVG,
	RESULTS,
	BASELINE,
	REPORT,
	COMPARE,
	USAGE,
	LIST,
	PEERS
};

static const struct option long_options[] = {
	{ "events", required_argument, NULL, EVENTS },
	{ "rounds", required_argument, NULL, ROUNDS },
	{ "wait", required_argument, NULL, WAIT },
	{ "event-bytes", required_argument, NULL, EVENT_BYTES },
	{ "capacity", required_argument, NULL, CAPACITY },
	{ "rung", required_argument, NULL, RUNG },
	{ "cpus", required_argument, NULL, CPUS },
	{ "quick", no_argument, NULL, QUICK },
	{ "json", no_argument, NULL, JSON },
	{ "usage", no_argument, NULL, USAGE },
	{ "list", no_argument, NULL, LIST },
	{ "save", required_argument, NULL, SAVE },
	{ "html", required_argument, NULL, HTML },
	{ "svg", required_argument, NULL, SVG },
	{ "results", required_argument, NULL, RESULTS },
	{ "baseline", required_argument, NULL, BASELINE },
	{ "report", required_argument, NULL, REPORT },
	{ "compare", no_argument, NULL, COMPARE },
	{ "peers", no_argument, NULL, PEERS },
	{ NULL, 0, NULL, 0 },
};

/** The options that name files, or what is done with them. */
static int parse_file(struct request *request, int option, const char *value)
{
	switch (option) {
	case SAVE:
		request->save = value;
		return CMD_OK;
	case HTML:
		request->html = value;
		return CMD_OK;
	case SVG:
		request->svg = value;
		return CMD_OK;
	case RESULTS:
		request->results = value;
		return CMD_OK;
	case BASELINE:
		request->baseline = value;
		return CMD_OK;
	case REPORT:
		request->saved = value;
		return CMD_OK;
	case COMPARE:
		request->compare = true;
		return CMD_OK;
	default:
		return CMD_USAGE;
	}
}

static int parse_option(struct request *request, int option, const char *value)
{
	struct bench_options *options = &request->options;
	uint64_t number;

	switch (option) {
	case EVENTS:
		if (!parse_number(value, 1, UINT64_C(1) << 40, &options->events))
			return wrong("events", value, "a number from 1 to 2^40");
		return CMD_OK;
	case ROUNDS:
		if (!parse_number(value, 1, BENCH_ROUNDS, &number))
			return wrong("rounds", value, "a number from 1 to 999");
		options->rounds = (unsigned)number;
		return CMD_OK;
	case WAIT:
		return parse_wait(value, &options->wait);
	case EVENT_BYTES:
		if (!parse_number(value, 8, 65536, &number) || number % 8 != 0)
			return wrong("event-bytes", value, "a multiple of 8 from 8 to 65536");
		options->event_bytes = (uint32_t)number;
		return CMD_OK;
	case CAPACITY:
		if (!parse_number(value, 16, 1 << 24, &options->capacity) ||
		    (options->capacity & (options->capacity - 1)) != 0)
			return wrong("capacity", value, "a power of two from 16 to 16777216");
		return CMD_OK;
	case RUNG:
		return parse_rung(value, &options->rung);
	case CPUS:
		return parse_cpus(value, options);
	case QUICK:
		options->quick = true;
		return CMD_OK;
	case JSON:
		request->json = true;
		return CMD_OK;
	case USAGE:
		request->usage = true;
		return CMD_OK;
	case LIST:
		request->list = true;
		return CMD_OK;
	case PEERS:
		request->peers = true;
		return CMD_OK;
	default:
		return parse_file(request, option, value);
	}
}

/** What is no option: scenarios, or the files to be compared. */
static int parse_words(struct request *request, int count, char **words)
{
	int status = CMD_OK;

	if (request->compare) {
		if (count != 2)
			return cmd_usage("bench", "option --compare needs two files");
		request->compared[0] = words[0];
		request->compared[1] = words[1];
		return CMD_OK;
	}
	if (request->saved != NULL)
		return count == 0 ? CMD_OK
				  : cmd_usage("bench",
					      "option --report measures nothing: '%s' "
					      "is too much",
					      words[0]);
	for (int i = 0; status == CMD_OK && i < count; i++)
		status = add_scenario(request, words[i]);
	if (status == CMD_OK && request->peers && request->count != 0)
		return cmd_usage("bench", "option --peers measures nothing: leave out '%s'",
				 request->scenarios[0]->name);
	if (status == CMD_OK && request->list && request->count == 0)
		status = add_scenario(request, "all");
	if (status == CMD_OK && !request->peers && request->count == 0)
		status = cmd_usage("bench", "which scenario? 'disruptor help bench' lists them; "
					    "'all' runs each");
	return status;
}

static int parse(struct request *request, int argc, char **argv)
{
	int option, status = CMD_OK;

	while (status == CMD_OK && (option = cmd_option(argc, argv, long_options)) != -1) {
		if (option == ':' || option == '?')
			return cmd_bad_option("bench", option, argv[optind - 1]);
		status = parse_option(request, option, optarg);
	}
	return status == CMD_OK ? parse_words(request, argc - optind, argv + optind) : status;
}

static const char *cannot_run(const struct bench_scenario *scenario,
			      const struct bench_options *options)
{
	if (scenario->threads && options->cpu_count < BENCH_CPUS)
		return "its two threads need a CPU each, and this process may use one only: "
		       "what they would measure is the scheduler";
	if (scenario->unavailable != NULL)
		return scenario->unavailable();
	return NULL;
}

static void report_skip(const struct request *request, const struct session *session,
			const struct bench_scenario *scenario, const char *why)
{
	if (request->json)
		bench_report_skip_json(stdout, scenario, why, &session->machine);
	else
		bench_report_skip(stdout, scenario, why);
	bench_results_add_skip(session->results, scenario, why, &session->machine);
}

static void report(const struct request *request, const struct session *session,
		   const struct bench_result *result)
{
	FILE *people = request->json ? stderr : stdout; /* nothing but JSON on stdout then */

	if (request->json)
		bench_report_json(stdout, result, &session->machine);
	else
		bench_report_table(stdout, result, request->usage);
	bench_results_add(session->results, result, &session->machine);
	if (session->baseline == NULL)
		return;
	if (request->json)
		fprintf(people, "%s%s%s: against the baseline\n", result->scenario->name,
			result->point ? ", " : "", result->point ? result->point : "");
	bench_baseline_report(people, session->baseline, result, &session->machine);
}

static void run_point(const struct request *request, const struct session *session,
		      const struct bench_scenario *scenario, const struct bench_point *point)
{
	struct bench_result *result = bench_run(scenario, point, &request->options);

	bench_progress_clear();
	report(request, session, result);
	bench_result_free(result);
}

static void run_scenarios(const struct request *request, const struct session *session)
{
	for (size_t i = 0; i < request->count; i++) {
		const struct bench_scenario *scenario = request->scenarios[i];
		const char *why = cannot_run(scenario, &request->options);

		if (why != NULL) {
			report_skip(request, session, scenario, why);
			continue;
		}

		const struct bench_point *points[BENCH_POINTS];
		unsigned count = bench_points(scenario, &request->options, points, BENCH_POINTS);

		for (unsigned k = 0; k < count; k++)
			run_point(request, session, scenario, points[k]);
	}
}

static double expected(const struct request *request)
{
	double seconds = 0;

	for (size_t i = 0; i < request->count; i++) {
		const struct bench_scenario *scenario = request->scenarios[i];
		const struct bench_point *points[BENCH_POINTS];
		unsigned count = bench_points(scenario, &request->options, points, BENCH_POINTS);

		for (unsigned k = 0; k < count && !cannot_run(scenario, &request->options); k++)
			seconds += bench_expected(scenario, points[k], &request->options);
	}
	return seconds;
}

/** Each scenario with the seconds that it takes, and its points. */
static void list(const struct request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		const struct bench_scenario *scenario = request->scenarios[i];
		const struct bench_point *points[BENCH_POINTS];
		unsigned count = bench_points(scenario, &request->options, points, BENCH_POINTS);
		double seconds = 0;

		for (unsigned k = 0; k < count; k++)
			seconds += bench_expected(scenario, points[k], &request->options);
		printf("%-15s %5.1f s  %s\n", scenario->name, seconds, scenario->what);
		for (unsigned k = 0; k < count && points[k] != NULL; k++)
			printf("%s%s", k == 0 ? "                         at " : ", ",
			       points[k]->label);
		if (points[0] != NULL)
			putchar('\n');
	}
	printf("%-15s %5.1f s\n", "together", expected(request));
}

static int cannot_write(const char *option, const char *path, int error)
{
	return error == 0 ? CMD_OK
			  : cmd_usage("bench", "option --%s: cannot write %s: %s", option, path,
				      cmd_error_text(error));
}

/** Whether they can be written is found out before anything is measured. */
static int open_outputs(const struct request *request, struct session *session)
{
	struct bench_outputs *outputs = &session->outputs;
	int status = CMD_OK;

	if (request->save != NULL)
		status = cannot_write("save", request->save,
				      bench_outputs_add(outputs, BENCH_LINES, request->save));
	if (status == CMD_OK && request->html != NULL)
		status = cannot_write("html", request->html,
				      bench_outputs_add(outputs, BENCH_PAGE, request->html));
	if (status == CMD_OK && request->svg != NULL)
		status = cannot_write("svg", request->svg,
				      bench_outputs_add_plots(outputs, request->svg));
	if (status == CMD_OK && request->results != NULL)
		status = cannot_write("results", request->results,
				      bench_outputs_add_results(outputs, request->results,
								&session->machine));
	if (status != CMD_OK)
		bench_outputs_drop(outputs);
	return status;
}

/** Read a file of results; NULL: it was said what is wrong with it. */
static struct bench_results *read_file(const char *option, const char *path)
{
	char why[512];
	struct bench_results *results = bench_results_read(path, why, sizeof(why));

	if (results == NULL)
		cmd_usage("bench", "option --%s: %s", option, why);
	return results;
}

/** Sum up, and draw, what was measured before. */
static int report_saved(const struct request *request, struct session *session)
{
	struct bench_results *results = read_file("report", request->saved);
	int status = CMD_USAGE;

	if (results != NULL)
		status = open_outputs(request, session);
	if (results != NULL && status == CMD_OK) {
		bench_summary(stdout, results);
		if (!bench_outputs_write(&session->outputs, stdout, results))
			status = CMD_FAILED;
	}
	bench_results_free(results);
	return status;
}

static int compare_saved(const struct request *request)
{
	struct bench_results *before = read_file("compare", request->compared[0]), *after = NULL;

	if (before != NULL)
		after = read_file("compare", request->compared[1]);
	if (after != NULL)
		bench_compare(stdout, request->compared, before, after, request->json);

	int status = after != NULL ? CMD_OK : CMD_USAGE;

	bench_results_free(before);
	bench_results_free(after);
	return status;
}

/** Whether the files are as they must be is found out before anything is measured. */
static int open_files(const struct request *request, struct session *session)
{
	int status;

	if (request->baseline != NULL) {
		session->baseline = read_file("baseline", request->baseline);
		if (session->baseline == NULL)
			return CMD_USAGE;
	}
	status = open_outputs(request, session);
	if (status != CMD_OK)
		bench_results_free(session->baseline);
	return status;
}

static int finish(const struct request *request, struct session *session)
{
	FILE *people = request->json ? stderr : stdout;
	bool written;

	bench_results_group(session->results);
	if (!request->json && session->results->tables > 1)
		bench_summary(stdout, session->results);
	written = bench_outputs_write(&session->outputs, people, session->results);
	bench_results_free(session->results);
	bench_results_free(session->baseline);
	return written ? CMD_OK : CMD_FAILED;
}

static int measure(const struct request *request, struct session *session)
{
	int status = open_files(request, session);

	if (status != CMD_OK)
		return status;
#if !defined(__OPTIMIZE__)
	fputs("disruptor bench: not compiled for speed (-O2 or -O3): the figures mean little\n",
	      stderr);
#endif
	session->results = bench_results_new();
	if (!request->json)
		bench_report_machine(stdout, &session->machine);
	bench_progress_begin(expected(request));
	run_scenarios(request, session);
	return finish(request, session);
}

static int run(int argc, char **argv)
{
	struct request request = { .count = 0 };
	struct session session = { .baseline = NULL };
	int status;

	request.options.cpu_count = bench_cpus(request.options.cpus, BENCH_CPUS);
	status = parse(&request, argc, argv);
	if (status != CMD_OK)
		return status;
	if (request.list) {
		list(&request);
		return CMD_OK;
	}
	if (request.peers) {
		bench_report_peers(stdout, request.json);
		return CMD_OK;
	}
	bench_machine(&session.machine);
	if (request.compare)
		return compare_saved(&request);
	if (request.saved != NULL)
		return report_saved(&request, &session);
	return measure(&request, &session);
}

const struct command cmd_bench = {
	.name = "bench",
	.summary = "measure this machine: ping-pong, throughput, cost of a publish, graphs, idle",
	.help = help,
	.run = run,
};
