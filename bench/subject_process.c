/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * disruptor between processes: the second end is a child's, which opens the segments that the parent
 * has made by their descriptors, as a process would that had been passed them. The loops are those of
 * the ends that are threads.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "histogram.h"
#include "ring_end.h"

#if defined(__linux__)

#include <disruptor/segment.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE = 60000, MOST_WATCHED = 50000 };

/* In memory that both have. */
struct meeting_place {
	struct bench_meeting meeting;
	struct bench_usage used[2];
	uint64_t began, ended; /* ns */
	_Alignas(DISRUPTOR_APART) struct bench_task task[2];
};

/* One process's side of it. */
struct side {
	struct writer {
		_Alignas(DISRUPTOR_APART) struct disruptor_producer producer;
	} writer;
	struct reader reader;
	struct meeting_place *place;
	struct disruptor_type type;
	struct disruptor_field field;
	struct disruptor_segment *segment[2]; /* to the child, and back */
	uint64_t warm, events, pause;
	bool answers; /* ping-pong; else a stream */
	bool child;
};

static void set_type(struct side *s, const struct bench_params *params)
{
	s->field = (struct disruptor_field){ "words", 0, params->event_bytes, 8,
					     DISRUPTOR_KIND_UNSIGNED };
	s->type = (struct disruptor_type){ "event", params->event_bytes, 8, &s->field, 1, 0 };
}

static void make_segments(struct side *s, const struct bench_params *params)
{
	const struct disruptor_options options = { .size = sizeof(options),
						   .capacity = params->capacity,
						   .wait = params->wait,
						   .rung = params->rung,
						   .flags = DISRUPTOR_PREFAULT };

	for (int i = 0; i < (s->answers ? 2 : 1); i++)
		must(disruptor_segment_make(&s->segment[i], &s->type, &options, NULL),
		     "making a segment");
}

/* The child has neither the parent's memory nor its locks. */
static void adopt_segments(struct side *s)
{
	for (int i = 0; i < (s->answers ? 2 : 1); i++)
		must(disruptor_segment_adopt(&s->segment[i], disruptor_segment_fd(s->segment[i]),
					     &s->type, NULL),
		     "adopting a segment");
}

static void open_views(struct side *s, const struct bench_params *params)
{
	const struct disruptor_consumer_options co = { .size = sizeof(co), .wait = params->wait };
	const struct disruptor_producer_options po = { .size = sizeof(po), .wait = params->wait };
	int out = s->child ? 1 : 0;

	if (s->answers || s->child)
		must(disruptor_consumer_open(&s->reader.consumer,
					     disruptor_segment_ring(s->segment[1 - out]), &s->type,
					     &co),
		     "opening a consumer");
	if (s->answers || !s->child)
		must(disruptor_producer_open(&s->writer.producer,
					     disruptor_segment_ring(s->segment[out]), &s->type,
					     &po),
		     "opening a producer");
}

static void close_all(struct side *s)
{
	if (s->answers || s->child)
		must(disruptor_consumer_close(&s->reader.consumer), "closing a consumer");
	if (s->answers || !s->child)
		must(disruptor_producer_close(&s->writer.producer), "closing a producer");
	for (int i = 0; i < (s->answers ? 2 : 1); i++)
		must(disruptor_segment_close(&s->segment[i]), "closing a segment");
}

LOOP_INLINE void produce_as(struct writer *w, struct bench_task *task, uint32_t bytes,
			    uint32_t batch)
{
	struct disruptor_producer producer = w->producer;

	disruptor_producer_handoff(&producer);
	loop_produce(&stamped_use, &producer, task, bytes, batch);
	w->producer = producer;
}
LOOP_PRODUCES(produce, produce_as, struct writer)

LOOP_INLINE void consume_as(struct reader *r, struct bench_task *task, uint32_t bytes)
{
	loop_consume(&stamped_use, r, task, bytes);
}
LOOP_CONSUMES(consume, consume_as, struct reader)

LOOP_INLINE void serve_as(struct side *s, struct bench_task *task, uint32_t bytes, bool watched)
{
	struct disruptor_producer producer = s->writer.producer;

	disruptor_producer_handoff(&producer);
	loop_serve(&stamped_use, &producer, &s->reader, task, bytes, watched);
	s->writer.producer = producer;
}
LOOP_SERVES(serve, serve_as, struct side)

LOOP_INLINE void answer_as(struct side *s, struct bench_task *task, uint32_t bytes, bool late)
{
	struct disruptor_producer producer = s->writer.producer;

	disruptor_producer_handoff(&producer);
	loop_answer(&stamped_use, &producer, &s->reader, task, bytes, late);
	s->writer.producer = producer;
}
LOOP_ANSWERS(answer, answer_as, struct side)

static void go(struct side *s, uint64_t events)
{
	struct bench_task *task = &s->place->task[s->child];

	task->events = events;
	if (s->answers && !s->child)
		serve(s, task);
	else if (s->answers)
		answer(s, task);
	else if (s->child)
		consume(&s->reader, task);
	else
		produce(&s->writer, task);
}

static void run_side(void *context)
{
	struct side *s = context;
	struct meeting_place *place = s->place;
	struct bench_task *task = &place->task[s->child];
	struct bench_usage before, after;
	uint64_t *took = task->took;

	bench_meet(&place->meeting);
	task->took = NULL;
	go(s, s->warm);
	bench_meet(&place->meeting);
	bench_usage_thread(&before);
	if (!s->child)
		place->began = disruptor_now();
	task->took = took;
	task->pause = s->pause;
	go(s, s->events);
	/* a round trip ends where it began, a stream with its consumer */
	if (s->child != s->answers)
		place->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&place->used[s->child], &before, &after);
	bench_meet(&place->meeting);
}

/* A child that fails has said why; its parent would wait for it for ever. */
static void child_ended(int number)
{
	siginfo_t info = { 0 };

	(void)number;
	/* a system call alone, as waitpid() is, which would take the child from its parent */
	/* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c) */
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
	    info.si_status != 0)
		_exit(1);
}

static pid_t start_child(struct side *s, const struct bench_params *params)
{
	const struct bench_side side = { run_side, s };
	pid_t child = fork();

	if (child < 0)
		bench_fail("cannot start a process");
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s->child = true;
	adopt_segments(s);
	open_views(s, params);
	bench_run_sides(1, &params->cpus[1], &side);
	close_all(s);
	_exit(0);
}

static uint64_t sleeps(const struct side *s)
{
	uint64_t all = 0;

	for (int i = 0; i < (s->answers ? 2 : 1); i++)
		all += disruptor_ring_stats(disruptor_segment_ring(s->segment[i])).sleeps;
	return all;
}

static void check(const struct side *s)
{
	const struct bench_task *sent = &s->place->task[0], *got = &s->place->task[1];
	uint64_t n = s->warm + s->events;

	if (sent->torn != 0 || got->torn != 0)
		bench_fail("between processes: an event was not what had been sent");
	if (!s->answers && got->sum != (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n))
		bench_fail("between processes: the events received sum to %llu",
			   (unsigned long long)got->sum);
}

static void tell(const struct side *s, uint64_t slept, struct bench_sample *sample)
{
	const struct bench_usage none = { 0 };
	double ns = (double)(s->place->ended - s->place->began);

	sample->value = s->answers ? ns / (double)s->events : (double)s->events / ns * 1e3;
	sample->seconds = ns / 1e9;
	sample->rung = disruptor_rung_name(
		disruptor_ring_info(disruptor_segment_ring(s->segment[0])).rung);
	sample->events = (double)s->events;
	for (int i = 0; i < 2; i++)
		bench_usage_add(&sample->usage, &none, &s->place->used[i]);
	sample->sleeps = (double)slept;
}

/* The times of each round trip, less the pause of who answered. */
static void record(const struct side *s, const uint64_t *took, struct bench_sample *sample)
{
	for (uint64_t i = 0; i < s->events && took[i] != 0; i++)
		bench_histogram_record(sample->latency,
				       took[i] > s->pause ? took[i] - s->pause : 0);
	if (s->pause)
		sample->value = bench_histogram_at(sample->latency, 0.5);
	bench_judge_sleep(sample);
}

static struct side *make_side(const char *scenario, const struct bench_params *params)
{
	struct side *s = bench_alloc(sizeof(*s));
	const struct bench_task task = { .bytes = params->event_bytes,
					 .batch = params->batch,
					 .producers = 1 };

	s->answers = strcmp(scenario, "processes-stream") != 0;
	s->pause = strcmp(scenario, "processes-wakeup") == 0 ? PAUSE : 0;
	s->warm = params->events / 10 + 1;
	s->events = params->events;
	s->place = mmap(NULL, sizeof(*s->place), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (s->place == MAP_FAILED)
		bench_fail("no memory that two processes have");
	s->place->meeting.parties = 2;
	s->place->task[0] = s->place->task[1] = task;
	set_type(s, params);
	return s;
}

static void run(const char *scenario, const struct bench_params *params,
		struct bench_sample *sample)
{
	struct bench_params own = *params;
	struct side *s = make_side(scenario, params);
	const struct bench_side side = { run_side, s };
	bool timed = s->pause != 0 && sample->latency != NULL;
	uint64_t *took = timed ? bench_alloc((s->events + 1) * sizeof(*took)) : NULL;
	uint64_t slept;
	pid_t child;

	if (s->pause)
		own.wait.spins = own.wait.yields = 0; /* as in scenario_wakeup.c */
	(void)signal(SIGCHLD, child_ended);
	make_segments(s, &own);
	child = start_child(s, &own);
	s->place->task[0].took = took;
	open_views(s, &own);
	slept = sleeps(s);
	bench_run_sides(1, params->cpus, &side);
	slept = sleeps(s) - slept;
	check(s);
	tell(s, slept, sample);
	if (timed)
		record(s, took, sample);
	close_all(s);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)waitpid(child, NULL, 0);
	munmap(s->place, sizeof(*s->place));
	free(took);
	free(s);
}

const struct bench_subject subject_process = { .name = "disruptor:processes", .run = run };

#else

static void run(const char *scenario, const struct bench_params *params,
		struct bench_sample *sample)
{
	(void)scenario, (void)params, (void)sample;
	bench_fail("rings between processes need Linux");
}

const struct bench_subject subject_process = { .name = "disruptor:processes", .run = run };

#endif
