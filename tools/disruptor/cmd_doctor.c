/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor doctor: what on this machine costs latency, and what to do about it. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

static const char help[] =
	"usage: disruptor doctor [--json] [--root DIR] [--save DIR]\n"
	"\n"
	"Look at what on this machine costs latency: its CPUs and who else has them, the\n"
	"kernel, memory, and room for segments. Changes nothing. Each finding is what was\n"
	"read, what that means, and, if it costs something, what to do about it.\n"
	"\n"
	"  good      it costs nothing\n"
	"  costs     it does\n"
	"  unknown   it cannot be read, and why; or what was read is not known here\n"
	"\n"
	"options:\n"
	"  --json            one JSON object a line instead of text; the last sums up\n"
	"  --root DIR        read the files below DIR instead: of another root directory,\n"
	"                    or what --save kept of another machine\n"
	"  --save DIR        keep what was read below DIR, which is made, too\n"
	"\n"
	"Exit status: 0 whatever it finds, 1 if it could not look at all, or not write what it\n"
	"was to write, 2 the command line is wrong.\n";

static const char *const states[] = { "good", "costs", "unknown" };

/* CPUs first: others ask which are allowed. */
static void (*const looks[])(struct doctor *d) = {
	doctor_look_cpus,  doctor_look_quota,    doctor_look_smt,     doctor_look_governor,
	doctor_look_idle,  doctor_look_isolated, doctor_look_nohz,    doctor_look_preempt,
	doctor_look_clock, doctor_look_guest,    doctor_look_rungs,   doctor_look_thp,
	doctor_look_shmem, doctor_look_huge,     doctor_look_memlock, doctor_look_swap,
	doctor_look_shm,
};

_Static_assert(sizeof(looks) / sizeof(looks[0]) <= DOCTOR_FINDINGS, "a finding of each");

/* ---- findings ---- */

static void add(struct doctor *d, const char *subject, enum doctor_state state, const char *meaning,
		const char *remedy, const char *format, va_list arguments)
{
	struct doctor_finding *f = &d->findings[d->count++];

	*f = (struct doctor_finding){
		.subject = subject, .state = state, .meaning = meaning, .remedy = remedy
	};
	(void)vsnprintf(f->reading, sizeof(f->reading), format, arguments);
	doctor_make_plain(f->reading);
	/* of one line, whatever file it comes from */
	for (char *c = f->reading; (c = strpbrk(c, "\n\t")) != NULL;)
		*c = ' ';
}

void doctor_good(struct doctor *d, const char *subject, const char *meaning, const char *format,
		 ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, subject, DOCTOR_GOOD, meaning, NULL, format, arguments);
	va_end(arguments);
}

void doctor_costs(struct doctor *d, const char *subject, const char *meaning, const char *remedy,
		  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, subject, DOCTOR_COSTS, meaning, remedy, format, arguments);
	va_end(arguments);
}

void doctor_unknown(struct doctor *d, const char *subject, const char *meaning, const char *format,
		    ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, subject, DOCTOR_UNKNOWN, meaning, NULL, format, arguments);
	va_end(arguments);
}

/* ---- telling ---- */

static unsigned count_of(const struct doctor *d, enum doctor_state state)
{
	unsigned count = 0;

	for (size_t i = 0; i < d->count; i++)
		count += d->findings[i].state == state;
	return count;
}

static bool print_object(json_t *object)
{
	bool printed = object && json_dumpf(object, stdout, JSON_COMPACT) == 0 &&
		       putchar('\n') != EOF;

	json_decref(object);
	return printed;
}

static int print_json(const struct doctor *d)
{
	bool printed = true;

	for (size_t i = 0; printed && i < d->count; i++) {
		const struct doctor_finding *f = &d->findings[i];

		printed = print_object(json_pack("{ss ss ss ss ss?}", "finding", f->subject,
						 "state", states[f->state], "reading", f->reading,
						 "meaning", f->meaning, "remedy", f->remedy));
	}
	printed = printed && print_object(json_pack("{ss si si si}", "is", "summary", "good",
						    (int)count_of(d, DOCTOR_GOOD), "costs",
						    (int)count_of(d, DOCTOR_COSTS), "unknown",
						    (int)count_of(d, DOCTOR_UNKNOWN)));
	if (printed)
		return CMD_OK;
	fprintf(stderr, "disruptor doctor: the findings could not be written\n");
	return CMD_FAILED;
}

/* Colours are for people who see them and have not said that they want none. */
static bool wants_colour(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) == 1 && !(none && none[0]) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static void print_text(const struct doctor *d)
{
	static const char *const colours[] = { "\033[32m", "\033[1;33m", "\033[2m" };
	bool colour = wants_colour();

	for (size_t i = 0; i < d->count; i++) {
		const struct doctor_finding *f = &d->findings[i];

		printf("%s%-7s%s  %-9s  %s\n", colour ? colours[f->state] : "", states[f->state],
		       colour ? "\033[0m" : "", f->subject, f->reading);
		printf("%20s%s\n", "", f->meaning);
		if (f->remedy)
			printf("%20sto do: %s\n", "", f->remedy);
	}
	printf("%zu findings: %u good, %u cost latency, %u unknown\n", d->count,
	       count_of(d, DOCTOR_GOOD), count_of(d, DOCTOR_COSTS), count_of(d, DOCTOR_UNKNOWN));
}

/* ---- the command line ---- */

struct request {
	bool json;
	const char *root, *save; /* NULL: this machine's; nowhere */
};

enum { JSON = 256, ROOT, SAVE };

static int parse(struct request *request, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, JSON },
		{ "root", required_argument, NULL, ROOT },
		{ "save", required_argument, NULL, SAVE },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = cmd_option(argc, argv, long_options)) != -1) {
		if (option == ':' || option == '?')
			return cmd_bad_option("doctor", option, argv[optind - 1]);
		if (option == JSON)
			request->json = true;
		else if (*optarg == '\0')
			return cmd_usage("doctor", "option --%s: '' is no directory",
					 option == ROOT ? "root" : "save");
		else if (option == ROOT)
			request->root = optarg;
		else
			request->save = optarg;
	}
	if (optind != argc)
		return cmd_usage("doctor", "'%s' is too much", argv[optind]);
	return CMD_OK;
}

/* Whether there is a directory to look below. */
static bool has_root(const char *root)
{
	struct stat st;

	errno = stat(root, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (errno == 0)
		return true;
	fprintf(stderr, "disruptor doctor: %s: %s\n", root, cmd_error_text(errno));
	return false;
}

static int run(int argc, char **argv)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
	const char *shm = getenv("DISRUPTOR_DIRECTORY");
	struct doctor *d;
	struct request request = { .json = false };
	int status = parse(&request, argc, argv);

	if (status != CMD_OK)
		return status;
	if (request.root && !has_root(request.root))
		return CMD_FAILED;
	d = calloc(1, sizeof(*d));
	if (!d) {
		perror("disruptor doctor");
		return CMD_FAILED;
	}
	/* "/" is no prefix of a path that begins with it */
	d->root = request.root && strcmp(request.root, "/") != 0 ? request.root : "";
	d->save = request.save;
	d->shm = shm && shm[0] == '/' && !d->root[0] ? shm : "/dev/shm";
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		looks[i](d);
	if (d->files == 0) {
		fprintf(stderr,
			"disruptor doctor: nothing below %s can be read of what it looks at, as %s\n",
			d->root[0] ? d->root : "/", d->why);
		status = CMD_FAILED;
	} else if (request.json) {
		status = print_json(d);
	} else {
		print_text(d);
	}
	if (d->save_failed)
		status = CMD_FAILED;
	free(d);
	return status;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "tell what on this machine costs latency, and what to do about it",
	.help = help,
	.run = run,
};
