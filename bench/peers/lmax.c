/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The LMAX Disruptor, in a Java machine beside this process: lmax/ has its
 * side. Each table of results has a machine of its own, as in LMAX's tests of
 * performance: what its compiler learns from one scenario is no use to another.
 * It is started and warmed up at the first sample; from then on a line asks for
 * a sample and a line answers, and in between it blocks in a read.
 */
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"

#if defined(BENCH_LMAX_JAVA)

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <dirent.h>
#include <sched.h>
#endif

enum { WORDS = 24, WORD = 512, LINE = 512 };

/** A command line. */
struct command {
	char word[WORDS][WORD];
	unsigned count;
};

static struct {
	pid_t pid; /* 0: none is running */
	int socket;
	FILE *in;               /* the same: its stdout and stderr */
	struct command command; /* that it was started by */
	char said[LINE];        /* the last line that was no answer */
} machine;

#if !defined(_GNU_SOURCE)
extern char **environ; /* POSIX leaves it to the program */
#endif

/* ---- lines ---- */

__attribute__((noreturn)) static void lost(const char *what)
{
	kill(machine.pid, SIGKILL);
	waitpid(machine.pid, NULL, 0);
	bench_fail("LMAX Disruptor: %s%s%s", what, machine.said[0] != '\0' ? ": " : "",
		   machine.said);
}

static void ask(const char *line)
{
	for (size_t left = strlen(line); left != 0;) {
		ssize_t sent = send(machine.socket, line, left, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return; /* it has ended: what it said is still to be read */
		line += sent > 0 ? sent : 0;
		left -= sent > 0 ? (size_t)sent : 0;
	}
}

/** Await the line that begins with @p word, as others are for people; what comes after that. */
static const char *answer(const char *word, char line[LINE])
{
	size_t length = strlen(word);

	while (fgets(line, LINE, machine.in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, word, length) == 0)
			return line + length;
		if (line[0] != '\0')
			memcpy(machine.said, line, LINE);
	}
	lost("its Java machine has ended");
}

/** The number that is all of @p text, or of its line; -1: it is none, or too large. */
static int count_of(const char *text)
{
	char *end;
	long count = strtol(text, &end, 10);

	if (end == text || (*end != '\0' && *end != '\n'))
		return -1;
	return count >= 0 && count < INT_MAX ? (int)count : -1;
}

/** The first @p n numbers in @p text. */
static bool figures_of(const char *text, double *figures, int n)
{
	for (int i = 0; i < n; i++) {
		char *end;

		figures[i] = strtod(text, &end);
		if (end == text)
			return false;
		text = end;
	}
	return true;
}

/* ---- the command line ---- */

__attribute__((format(printf, 2, 3))) static void add(struct command *c, const char *format, ...)
{
	va_list arguments;
	int length;

	if (c->count == WORDS - 1)
		bench_fail("LMAX Disruptor: a command line of too many words");
	va_start(arguments, format);
	length = vsnprintf(c->word[c->count++], WORD, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= WORD)
		bench_fail("LMAX Disruptor: too long a word on a command line");
}

/** How its threads wait when there are more of them than CPUs: as was found to be best. */
static const char *crowded(const char *scenario, const struct bench_params *params)
{
	if (strcmp(scenario, "diamond") == 0)
		return "sleeping";
	return params->producers > 4 ? "blocking" : "yielding";
}

static void compose(struct command *c, const char *scenario, const struct bench_params *params)
{
	/* an object has a head, an array of its own, references; twice, while old ones are moved */
	uint64_t ring = params->capacity * (params->event_bytes + 64) * 2;
	uint64_t rings = params->producers > 2 ? params->producers : 2;
	uint64_t heap = 256 + ((ring * rings) >> 20);

	c->count = 0;
	add(c, "%s", BENCH_LMAX_JAVA);
	add(c, "-XX:+UseParallelGC");
	add(c, "-Xms%" PRIu64 "m", heap);
	add(c, "-Xmx%" PRIu64 "m", heap);
	add(c, "-cp");
	add(c, "%s", BENCH_LMAX_CLASSES);
	add(c, "bench.lmax.Main");
	add(c, "scenario=%s", scenario);
	add(c, "bytes=%" PRIu32, params->event_bytes);
	add(c, "capacity=%" PRIu64, params->capacity);
	add(c, "batch=%" PRIu32, params->batch);
	add(c, "producers=%" PRIu32, params->producers);
	add(c, "consumers=%" PRIu32, params->consumers);
	add(c, "cpus=%d", BENCH_CPUS);
	add(c, "wait=busy-spin");
	add(c, "crowded=%s", crowded(scenario, params));
}

static bool same(const struct command *a, const struct command *b)
{
	bool alike = a->count == b->count;

	for (unsigned i = 0; alike && i < a->count; i++)
		alike = strcmp(a->word[i], b->word[i]) == 0;
	return alike;
}

/* ---- starting, pinning, stopping ---- */

/** Its end of the socket becomes its stdin, stdout and stderr. Answers 0 or an errno. */
static int spawn_with(int end)
{
	posix_spawn_file_actions_t actions;
	char *argv[WORDS] = { NULL };
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	for (int fd = 0; error == 0 && fd <= 2; fd++)
		error = posix_spawn_file_actions_adddup2(&actions, end, fd);
	for (unsigned i = 0; i < machine.command.count; i++)
		argv[i] = machine.command.word[i];
	if (error == 0)
		error = posix_spawn(&machine.pid, machine.command.word[0], &actions, NULL, argv,
				    environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* in a thread that may be on the scenario's CPUs only: the child inherits that */
static void spawn(void *context)
{
	int ends[2], error;

	(void)context;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		bench_fail("LMAX Disruptor: socketpair: %s", bench_error_text(errno));
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
			bench_fail("LMAX Disruptor: fcntl: %s", bench_error_text(errno));
	error = spawn_with(ends[1]);
	if (error != 0)
		bench_fail("LMAX Disruptor: cannot start %s: %s", machine.command.word[0],
			   bench_error_text(error));
	close(ends[1]);
	machine.socket = ends[0];
	machine.in = fdopen(ends[0], "r");
	if (machine.in == NULL)
		bench_fail("LMAX Disruptor: no memory to read from its Java machine");
}

#if defined(__linux__)

/** Which of the sides a thread is, by its name; -1: none. */
static int side_of(const char *tasks, const char *tid)
{
	static const char side[] = "side ";
	char path[sizeof("/proc//task//comm") + 64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.20s/comm", tasks, tid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1; /* it has ended, or "." */
	if (fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0'; /* it has ended since */
	(void)fclose(file);
	return strncmp(name, side, strlen(side)) == 0 ? count_of(name + strlen(side)) : -1;
}

/** Pin each of the machine's threads that carry events, as support.c does with ours. */
static void pin(unsigned threads, const int *cpus)
{
	char tasks[48];
	unsigned pinned = 0;
	struct dirent *entry;
	DIR *directory;

	snprintf(tasks, sizeof(tasks), "/proc/%ld/task", (long)machine.pid);
	directory = opendir(tasks);
	if (directory == NULL)
		bench_fail("LMAX Disruptor: cannot read %s: %s", tasks, bench_error_text(errno));
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this directory */
	while ((entry = readdir(directory)) != NULL) {
		int tid = count_of(entry->d_name), side = side_of(tasks, entry->d_name);
		cpu_set_t set;

		if (tid < 0 || side < 0 || side >= BENCH_CPUS)
			continue;
		CPU_ZERO(&set);
		CPU_SET((unsigned)cpus[side], &set);
		if (sched_setaffinity(tid, sizeof(set), &set) == 0)
			pinned++;
	}
	closedir(directory);
	if (pinned != threads)
		bench_fail("LMAX Disruptor: only %u of its %u threads could be pinned", pinned,
			   threads);
}

#else

static void pin(unsigned threads, const int *cpus)
{
	(void)threads, (void)cpus;
}

#endif

static void stop(void)
{
	if (machine.pid == 0)
		return;
	(void)fclose(machine.in); /* the end of its stdin, at which it ends */
	waitpid(machine.pid, NULL, 0);
	machine.pid = 0;
}

static void start(const struct command *command, const struct bench_params *params)
{
	char line[LINE];
	int threads;

	stop();
	machine.command = *command;
	machine.said[0] = '\0';
	bench_run_within(BENCH_CPUS, params->cpus, spawn, NULL);
	threads = count_of(answer("ready ", line));
	if (threads < 0)
		lost("its Java machine does not say how many threads it has");
	if (threads <= BENCH_CPUS)
		pin((unsigned)threads, params->cpus);
	ask("warm\n");
	(void)answer("warm ", line);
}

/* ---- the peer ---- */

static bool is_graph(const char *scenario)
{
	return strcmp(scenario, "pipeline") == 0 || strcmp(scenario, "multicast") == 0 ||
	       strcmp(scenario, "diamond") == 0;
}

static void run(const char *scenario, const struct bench_params *params,
		struct bench_sample *sample)
{
	static struct command command; /* large */
	char line[LINE];
	double told[3], ns, events;

	compose(&command, scenario, params);
	if (machine.pid == 0 || !same(&command, &machine.command))
		start(&command, params);
	snprintf(line, sizeof(line), "run %" PRIu64 "\n", params->events);
	ask(line);
	if (!figures_of(answer("done ", line), told, 3) || !(told[0] > 0))
		lost("its Java machine does not tell what it measured");
	ns = told[0];
	events = told[1];
	sample->seconds = ns / 1e9;
	sample->sleeps = -1; /* it counts none */
	sample->crowded = params->producers + params->consumers > BENCH_CPUS || is_graph(scenario);
	if (strcmp(scenario, "pingpong") == 0) {
		sample->value = ns / events;
	} else {
		sample->value = events / ns * 1e3;
		sample->batch = told[2];
	}
	if (is_graph(scenario))
		sample->stages = sample->threads = 3;
}

static const struct bench_subject subject_lmax = {
	.name = "LMAX Disruptor",
	.waits = "its own",
	.run = run,
};

#define SUBJECT &subject_lmax
#else
#define SUBJECT NULL
#endif

static const char *const scenarios[] = { "pingpong", "unicast",   "sizes",  "batch",    "producers",
					 "three",    "consumers", "threes", "pipeline", "multicast",
					 "diamond",  "array",     "poller", NULL };

const struct bench_peer peer_lmax = {
	.name = "LMAX Disruptor",
	.package = "libdisruptor-java",
	.config =
		"BatchEventProcessor, ProducerType SINGLE for one producer, BusySpinWaitStrategy; "
		"for more threads than CPUs YieldingWaitStrategy, for 2 to 7 producers "
		"BlockingWaitStrategy; -XX:+UseParallelGC",
	.subject = SUBJECT,
	.scenarios = scenarios,
	.producers = BENCH_PRODUCERS,
	.consumers = BENCH_CONSUMERS,
};
