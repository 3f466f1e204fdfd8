/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Runs by seeds, in several processes side by side; what they have met; and one seed replayed. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include "plan.h"
#include "points.h"
#include "schedule.h"
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ULL(x) ((unsigned long long)(x))
#define JOBS_MAX 64
#define FAILURES_MAX 16
#define HANGS_AFTER_S 20
/* How often a pair that was not met is tried by itself. */
#define TRIES 10000
/* Every so manieth seed is run twice: the same seed is the same run. */
#define TWICE 64
/* A table with room for twice the seeds, and for those that pairs take by themselves. */
#define PLACES_LEAST (UINT64_C(1) << 20)
#define PROBES 4096 /* places looked at for one schedule, before the table counts as full */

struct options {
	uint64_t first, last;
	unsigned jobs;
	uint64_t seconds;  /* stop then; 0: never */
	uint64_t distinct; /* so many different schedules at least */
	bool trace, json, pairs, keep_going, list;
	const char *bring; /* two hooks to bring together, "A,B" */
};

/* What is run: a seed, and the pair that it is to bring together, PAIRS: what the seed says. */
struct aim {
	uint64_t seed;
	unsigned pair;
};

struct failure {
	struct aim what;
	char text[1024];
};

/* What the processes share. */
struct shared {
	DISRUPTOR_ATOMIC(uint64_t) next, done, steps, distinct;
	DISRUPTOR_ATOMIC(uint64_t) at[JOBS_MAX]; /* the seed that each is at */
	DISRUPTOR_ATOMIC(uint32_t) at_pair[JOBS_MAX];
	DISRUPTOR_ATOMIC(uint32_t) failures, stop;
	struct failure failure[FAILURES_MAX];
	unsigned missed[PAIRS]; /* pairs to be tried by themselves */
	unsigned missed_count;
	unsigned char pairs[PAIRS];
	uint64_t table_mask;
	DISRUPTOR_ATOMIC(uint64_t) table[];
};

static struct shared *shared;

/* ---- one seed ---- */

/* Two hooks that may meet; those that want much are seldom passed, and so chosen more often. */
static void choose_pair(uint64_t seed, struct schedule_options *o)
{
	uint64_t random = seed ^ UINT64_C(0x9a17);
	unsigned wanted;

	do {
		o->first = (unsigned)random_below(&random, HOOK_POINT_COUNT);
		o->second = (unsigned)random_below(&random, HOOK_POINT_COUNT);
		wanted = point_features(o->first) | point_features(o->second);
	} while ((point_excuse(o->first, o->second) >= 0 &&
		  point_excuse(o->second, o->first) >= 0) ||
		 (__builtin_popcount(wanted) < 3 && !random_once_in(&random, 3)));
}

static void run_what(const struct aim *w, bool trace, unsigned char *pairs,
		     struct schedule_result *result)
{
	struct schedule_options o = { .seed = w->seed, .trace = trace, .pairs = pairs };
	static struct plan plan;
	unsigned wanted;

	o.kind = schedule_kind_of(w->seed);
	if (w->pair < PAIRS) {
		o.kind = SCHEDULE_DIRECTED;
		o.first = w->pair / HOOK_POINT_COUNT;
		o.second = w->pair % HOOK_POINT_COUNT;
	} else if (o.kind == SCHEDULE_DIRECTED) {
		choose_pair(w->seed, &o);
	}
	wanted = o.kind == SCHEDULE_DIRECTED ? point_features(o.first) | point_features(o.second)
					     : plan_theme(w->seed);
	plan_draw(&plan, w->seed, wanted);
	o.no_parking = plan.no_parking;
	if (trace) {
		plan_print(&plan);
		if (o.kind == SCHEDULE_DIRECTED)
			(void)printf("  brings together %s and %s\n", hook_name(o.first),
				     hook_name(o.second));
	}
	schedule_run(&o, result, world_run, &plan);
}

static int replay(const struct options *o, unsigned pair)
{
	const struct aim what = { .seed = o->first, .pair = pair };
	struct schedule_result result;

	run_what(&what, o->trace, NULL, &result);
	(void)printf("seed %llu: %s, %llu hooks, schedule %016llx\n", ULL(o->first),
		     result.passed ? "passed" : "FAILED", ULL(result.steps), ULL(result.hash));
	if (!result.passed)
		(void)printf("    %s\n", result.failure);
	return result.passed ? 0 : 1;
}

/* ---- many seeds ---- */

/* A full table counts no more: the number of schedules is then one that they are not below. */
static bool is_new(uint64_t hash)
{
	uint64_t at = hash & shared->table_mask;

	hash |= 1;
	for (uint64_t left = PROBES; left != 0; left--, at = (at + 1) & shared->table_mask) {
		uint64_t found = disruptor_load_relaxed(&shared->table[at]);

		/* relaxed: nothing but the number itself is passed on */
		if (found == 0 && disruptor_cas_relaxed(&shared->table[at], &found, hash))
			return true;
		if (found == hash)
			return false;
	}
	return false;
}

static void note_failure(const struct aim *w, const char *text)
{
	uint32_t i = disruptor_fetch_add_relaxed(&shared->failures, 1u);

	if (i >= FAILURES_MAX)
		return;
	shared->failure[i].what = *w;
	(void)snprintf(shared->failure[i].text, sizeof(shared->failure[i].text), "%s", text);
}

static void run_one(unsigned job, const struct aim *w, const struct options *o)
{
	struct schedule_result result, again;

	disruptor_store_relaxed(&shared->at[job], w->seed);
	disruptor_store_relaxed(&shared->at_pair[job], w->pair);
	run_what(w, false, shared->pairs, &result);
	if (result.passed && w->seed % TWICE == 0) {
		run_what(w, false, NULL, &again);
		if (again.hash != result.hash || again.steps != result.steps) {
			result.passed = false;
			(void)snprintf(result.failure, sizeof(result.failure),
				       "run again it is another schedule");
		}
	}
	if (!result.passed) {
		note_failure(w, result.failure);
		if (!o->keep_going)
			disruptor_store_relaxed(&shared->stop, 1u);
	}
	if (is_new(result.hash))
		disruptor_fetch_add_relaxed(&shared->distinct, UINT64_C(1));
	disruptor_fetch_add_relaxed(&shared->steps, result.steps);
	disruptor_fetch_add_relaxed(&shared->done, UINT64_C(1));
}

static bool is_stopped(void)
{
	return disruptor_load_relaxed(&shared->stop) != 0;
}

/* The seeds, one after another. */
static void work(unsigned job, const struct options *o)
{
	while (!is_stopped()) {
		struct aim w = { .seed = disruptor_fetch_add_relaxed(&shared->next, UINT64_C(1)),
				 .pair = PAIRS };

		if (w.seed > o->last)
			break;
		run_one(job, &w, o);
	}
}

/* The pairs that they have not met, each by itself until it is. */
static void work_at_missed(unsigned job, const struct options *o)
{
	while (!is_stopped()) {
		uint64_t i = disruptor_fetch_add_relaxed(&shared->next, UINT64_C(1));
		struct aim w;

		if (i >= shared->missed_count)
			break;
		w.pair = shared->missed[i];
		for (w.seed = 1; w.seed <= TRIES && !shared->pairs[w.pair] && !is_stopped();
		     w.seed++)
			run_one(job, &w, o);
	}
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show_progress(const struct options *o, double began)
{
	uint64_t done = disruptor_load_relaxed(&shared->done), all = o->last - o->first + 1;
	double passed = now_s() - began;
	double left = done ? passed / (double)done * (double)(all - done) : 0;

	if (o->seconds && left > (double)o->seconds - passed)
		left = (double)o->seconds - passed;
	(void)fprintf(stderr, "\rsimulate: %llu of %llu seeds, %llu schedules, %.0f s left   ",
		      ULL(done), ULL(all), ULL(disruptor_load_relaxed(&shared->distinct)), left);
}

static struct aim what_of(unsigned job)
{
	return (struct aim){ .seed = disruptor_load_relaxed(&shared->at[job]),
			     .pair = disruptor_load_relaxed(&shared->at_pair[job]) };
}

/* Whoever has been at one seed for too long is ended, and the seed has failed. */
static void look_for_hangs(const pid_t *pids, unsigned jobs)
{
	static uint64_t last[JOBS_MAX];
	static double since[JOBS_MAX];

	for (unsigned i = 0; i < jobs; i++) {
		uint64_t at = disruptor_load_relaxed(&shared->at[i]);

		if (at != last[i] || since[i] == 0) {
			last[i] = at;
			since[i] = now_s();
		} else if (at != UINT64_MAX && at != 0 && now_s() - since[i] > HANGS_AFTER_S) {
			const struct aim w = what_of(i);

			note_failure(&w, "it goes on for ever between two hooks");
			disruptor_store_relaxed(&shared->stop, 1u);
			(void)kill(pids[i], SIGKILL);
			since[i] = now_s() + 1e6;
		}
	}
}

static void reap(int status, unsigned job)
{
	const struct aim w = what_of(job);
	char text[64];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    disruptor_load_relaxed(&shared->failures))
		return;
	(void)snprintf(text, sizeof(text), "the process ended by %s %d",
		       WIFSIGNALED(status) ? "signal" : "code",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	note_failure(&w, text);
	disruptor_store_relaxed(&shared->stop, 1u);
}

static void watch_over(const struct options *o, const pid_t *pids, double began)
{
	unsigned alive = o->jobs;
	bool tty = isatty(STDERR_FILENO) != 0;
	int status;
	pid_t pid;

	for (unsigned turn = 1; alive > 0; turn++) {
		const struct timespec pause = { .tv_nsec = 20000000 };

		while (alive > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
			for (unsigned i = 0; i < o->jobs; i++)
				if (pids[i] == pid)
					reap(status, i);
			alive--;
		}
		if (o->seconds && now_s() - began > (double)o->seconds)
			disruptor_store_relaxed(&shared->stop, 1u);
		look_for_hangs(pids, o->jobs);
		if (tty && turn % 25 == 0)
			show_progress(o, began);
		(void)nanosleep(&pause, NULL);
	}
	if (tty)
		(void)fprintf(stderr, "\r%80s\r", "");
}

static void share(const struct options *o)
{
	uint64_t all = o->last - o->first + 1, places = PLACES_LEAST;
	void *memory;

	while (places < 2 * all && places < UINT64_C(1) << 28)
		places *= 2;
	memory = mmap(NULL, sizeof(*shared) + places * sizeof(shared->table[0]),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		perror("simulate: mmap");
		exit(2);
	}
	shared = memory;
	shared->table_mask = places - 1;
	disruptor_store_relaxed(&shared->next, o->first);
}

/* ---- the report ---- */

struct pairs {
	unsigned met, missed, excused;
	unsigned needless; /* excused, and met nevertheless */
};

static struct pairs count_pairs(void)
{
	struct pairs p = { 0 };

	for (unsigned i = 0; i < PAIRS; i++) {
		bool excused = point_excuse(i / HOOK_POINT_COUNT, i % HOOK_POINT_COUNT) >= 0;

		p.met += shared->pairs[i] != 0;
		p.excused += excused && !shared->pairs[i];
		p.needless += excused && shared->pairs[i];
		p.missed += !excused && !shared->pairs[i];
	}
	return p;
}

static void list_missed(void)
{
	for (unsigned i = 0; i < PAIRS; i++)
		if (!shared->pairs[i] &&
		    point_excuse(i / HOOK_POINT_COUNT, i % HOOK_POINT_COUNT) < 0)
			(void)printf("    %s, then %s: never met\n",
				     hook_name(i / HOOK_POINT_COUNT),
				     hook_name(i % HOOK_POINT_COUNT));
}

static void report_json(const struct pairs *p, double took)
{
	(void)printf(
		"{\"seeds\": %llu, \"schedules\": %llu, \"hooks_passed\": %llu, "
		"\"seconds\": %.1f, \"hooks\": %d, \"pairs\": %d, \"met\": %u, \"excused\": %u, "
		"\"missed\": %u, \"failures\": [",
		ULL(disruptor_load_relaxed(&shared->done)),
		ULL(disruptor_load_relaxed(&shared->distinct)),
		ULL(disruptor_load_relaxed(&shared->steps)), took, HOOK_POINT_COUNT, PAIRS, p->met,
		p->excused, p->missed);
	for (unsigned i = 0; i < disruptor_load_relaxed(&shared->failures) && i < FAILURES_MAX; i++)
		(void)printf("%s%llu", i ? ", " : "", ULL(shared->failure[i].what.seed));
	(void)printf("]}\n");
}

static void report_failures(const char *program)
{
	for (unsigned i = 0; i < disruptor_load_relaxed(&shared->failures) && i < FAILURES_MAX;
	     i++) {
		const struct failure *f = &shared->failure[i];

		(void)printf("seed %llu FAILED: %s\n    replay: %s --seed %llu", ULL(f->what.seed),
			     f->text, program, ULL(f->what.seed));
		if (f->what.pair < PAIRS)
			(void)printf(" --bring %s,%s", hook_name(f->what.pair / HOOK_POINT_COUNT),
				     hook_name(f->what.pair % HOOK_POINT_COUNT));
		(void)printf(" --trace\n");
	}
}

static int report(const struct options *o, const char *program, double took)
{
	uint64_t distinct = disruptor_load_relaxed(&shared->distinct);
	struct pairs p = count_pairs();
	bool failed = disruptor_load_relaxed(&shared->failures) != 0;

	if (o->json) {
		report_json(&p, took);
	} else {
		report_failures(program);
		(void)printf("%llu seeds, %llu different schedules, %llu hooks passed, %.1f s\n",
			     ULL(disruptor_load_relaxed(&shared->done)), ULL(distinct),
			     ULL(disruptor_load_relaxed(&shared->steps)), took);
		(void)printf("%d hooks, %d ordered pairs: %u met, %u excused, %u neither\n",
			     HOOK_POINT_COUNT, PAIRS, p.met, p.excused, p.missed);
		if (o->pairs || o->list)
			list_missed();
	}
	if (distinct < o->distinct && !failed) {
		(void)printf("fewer than the %llu different schedules that were asked for\n",
			     ULL(o->distinct));
		failed = true;
	}
	return failed || (o->pairs && p.missed) ? 1 : 0;
}

static void run_jobs(const struct options *o, double began,
		     void (*job)(unsigned number, const struct options *o))
{
	pid_t pids[JOBS_MAX];

	(void)fflush(stdout);
	for (unsigned i = 0; i < o->jobs; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			perror("simulate: fork");
			exit(2);
		}
		if (pids[i] == 0) {
			job(i, o);
			disruptor_store_relaxed(&shared->at[i], UINT64_MAX);
			_exit(0);
		}
	}
	watch_over(o, pids, began);
}

static void gather_missed(void)
{
	for (unsigned i = 0; i < PAIRS; i++)
		if (!shared->pairs[i] &&
		    point_excuse(i / HOOK_POINT_COUNT, i % HOOK_POINT_COUNT) < 0)
			shared->missed[shared->missed_count++] = i;
}

static int run_many(const struct options *o, const char *program)
{
	double began = now_s();

	share(o);
	run_jobs(o, began, work);
	if (o->pairs && !is_stopped()) {
		gather_missed();
		disruptor_store_relaxed(&shared->next, UINT64_C(0));
		run_jobs(o, began, work_at_missed);
	}
	return report(o, program, now_s() - began);
}

/* ---- options ---- */

static const char help[] =
	"usage: simulate [--seeds COUNT | --seeds FROM-TO] [options]\n"
	"       simulate --seed N [--bring A,B] [--trace]\n"
	"\n"
	"Runs the library on simulated threads: a seed determines the ring, the graph, what is done\n"
	"to them, and which thread goes on at each step. Everything is checked against a model.\n"
	"\n"
	"  --seeds COUNT     the seeds 1 to COUNT (default 20000); FROM-TO: those\n"
	"  --seed N          one seed; --trace: tell of each hook and call\n"
	"  --jobs N          processes side by side (default: one for each processor)\n"
	"  --seconds S       stop after so long, however many seeds are left\n"
	"  --distinct N      fail unless there were so many different schedules\n"
	"  --bring A,B       with a schedule that brings these two hooks together\n"
	"  --pairs           try the pairs of hooks that were not met by themselves, and fail unless\n"
	"                    each was met both ways round, or is excused\n"
	"  --list            list the pairs that were not\n"
	"  --keep-going      go on after a failure\n"
	"  --json            report as JSON\n"
	"\n"
	"Exit status: 0 all passed, 1 a seed failed (it is printed, with how to replay it), 2 usage.\n";

static _Noreturn void refuse(const char *what)
{
	(void)fprintf(stderr, "simulate: %s: see --help\n", what);
	exit(2);
}

static uint64_t number(const char *text, const char **end)
{
	char *behind;
	unsigned long long n;

	errno = 0;
	n = text ? strtoull(text, &behind, 10) : 0;
	if (!text || behind == text || errno != 0 || (!end && *behind != '\0'))
		refuse(text ? text : "a number is missing");
	if (end)
		*end = behind;
	return n;
}

static void parse_seeds(struct options *o, const char *text)
{
	const char *end;

	o->first = 1;
	o->last = number(text, &end);
	if (*end == '-') {
		o->first = o->last;
		o->last = number(end + 1, NULL);
	} else if (*end != '\0') {
		refuse(text);
	}
	if (o->first > o->last || o->first == 0)
		refuse(text);
}

static bool parse_flag(struct options *o, const char *text)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "--trace", &o->trace },
		      { "--json", &o->json },
		      { "--pairs", &o->pairs },
		      { "--keep-going", &o->keep_going },
		      { "--list", &o->list } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (strcmp(text, flags[i].name) == 0)
			return *flags[i].flag = true;
	return false;
}

static unsigned parse_hook(const char *text, size_t length)
{
	for (unsigned i = 0; i < HOOK_POINT_COUNT; i++)
		if (strlen(hook_name(i)) == length && strncmp(hook_name(i), text, length) == 0)
			return i;
	refuse(text);
}

/* The pair that was asked for; PAIRS if none was. */
static unsigned parse_pair(const char *text)
{
	const char *comma = text ? strchr(text, ',') : NULL;

	if (!text)
		return PAIRS;
	if (!comma)
		refuse(text);
	return parse_hook(text, (size_t)(comma - text)) * HOOK_POINT_COUNT +
	       parse_hook(comma + 1, strlen(comma + 1));
}

int main(int argc, char **argv)
{
	struct options o = { .first = 1, .last = 20000 };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	bool one = false;

	o.jobs = cores > 0 && cores < JOBS_MAX ? (unsigned)cores : 2;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return fputs(help, stdout) < 0;
		if (parse_flag(&o, argv[i]))
			continue;
		if (i + 1 == argc)
			refuse(argv[i]);
		if (strcmp(argv[i], "--seeds") == 0)
			parse_seeds(&o, argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0) {
			o.first = o.last = number(argv[++i], NULL);
			one = true;
		} else if (strcmp(argv[i], "--bring") == 0)
			o.bring = argv[++i];
		else if (strcmp(argv[i], "--jobs") == 0)
			o.jobs = (unsigned)number(argv[++i], NULL);
		else if (strcmp(argv[i], "--seconds") == 0)
			o.seconds = number(argv[++i], NULL);
		else if (strcmp(argv[i], "--distinct") == 0)
			o.distinct = number(argv[++i], NULL);
		else
			refuse(argv[i]);
	}
	if (o.jobs == 0 || o.jobs > JOBS_MAX)
		refuse("--jobs");
	return one ? replay(&o, parse_pair(o.bring)) : run_many(&o, argv[0]);
}
