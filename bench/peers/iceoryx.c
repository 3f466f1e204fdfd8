/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Eclipse iceoryx, whose processes hand on chunks of shared memory that a daemon keeps: the same round
 * trip as of our processes. The daemon is started at the first sample and ends with this program.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "peer.h"

#include <iceoryx_binding_c/enums.h>
#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In memory that all have. */
struct table {
	struct bench_meeting meeting;
	struct bench_usage used[2];
	uint64_t began, ended;
	uint64_t warm, events;
	uint32_t bytes;
	_Atomic(int) failed;
};

struct side {
	struct table *table;
	int which; /* 0 serves, 1 answers */
	iox_pub_t out;
	iox_sub_t in;
};

static void silent(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
}

static void start_daemon(void)
{
	static pid_t daemon;

	if (daemon != 0)
		return;
	daemon = fork();
	if (daemon < 0)
		bench_fail("iceoryx: cannot start its daemon");
	if (daemon > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	silent();
	(void)execlp("iox-roudi", "iox-roudi", "--monitoring-mode", "off", (char *)NULL);
	_exit(127);
}

static void open_side(struct side *s)
{
	static iox_pub_storage_t pub;
	static iox_sub_storage_t sub;
	static const char *const names[] = { "ping", "pong" };
	iox_pub_options_t po;
	iox_sub_options_t so;
	char name[64];

	(void)snprintf(name, sizeof(name), "bench-%d", (int)getpid());
	iox_set_loglevel(Iceoryx_LogLevel_Off);
	iox_runtime_init(name);
	iox_pub_options_init(&po);
	iox_sub_options_init(&so);
	so.queueCapacity = 4;
	s->out = iox_pub_init(&pub, "disruptor", "bench", names[s->which], &po);
	s->in = iox_sub_init(&sub, "disruptor", "bench", names[1 - s->which], &so);
	while (iox_sub_get_subscription_state(s->in) != SubscribeState_SUBSCRIBED ||
	       !iox_pub_has_subscribers(s->out))
		(void)sched_yield();
}

static void send(struct side *s, uint64_t value, uint32_t bytes)
{
	void *chunk;

	if (iox_pub_loan_chunk(s->out, &chunk, bytes) != AllocationResult_SUCCESS) {
		atomic_store(&s->table->failed, 1);
		_exit(1);
	}
	loop_fill(chunk, value, bytes);
	iox_pub_publish_chunk(s->out, chunk);
}

static uint64_t receive(struct side *s, uint32_t bytes)
{
	const void *chunk;
	uint64_t value, torn = 0;

	while (iox_sub_take_chunk(s->in, &chunk) != ChunkReceiveResult_SUCCESS)
		;
	value = loop_read(chunk, bytes, &torn);
	iox_sub_release_chunk(s->in, chunk);
	return torn == 0 ? value : UINT64_MAX;
}

static void rally(struct side *s, uint64_t from, uint64_t events)
{
	uint32_t bytes = s->table->bytes;

	for (uint64_t i = from; i < from + events; i++) {
		if (s->which == 0) {
			send(s, i, bytes);
			if (receive(s, bytes) != i)
				atomic_store(&s->table->failed, 1);
		} else {
			send(s, receive(s, bytes), bytes);
		}
	}
}

static void run_side(void *context)
{
	struct side *s = context;
	struct table *t = s->table;
	struct bench_usage before, after;

	open_side(s);
	bench_meet(&t->meeting);
	rally(s, 1, t->warm);
	bench_meet(&t->meeting);
	bench_usage_thread(&before);
	if (s->which == 0)
		t->began = disruptor_now();
	rally(s, 1 + t->warm, t->events);
	if (s->which == 0)
		t->ended = disruptor_now();
	bench_usage_thread(&after);
	bench_usage_add(&t->used[s->which], &before, &after);
	bench_meet(&t->meeting);
	iox_pub_deinit(s->out);
	iox_sub_deinit(s->in);
	iox_runtime_shutdown();
}

static pid_t start_side(struct table *t, int which, const int *cpus)
{
	struct side s = { .table = t, .which = which };
	const struct bench_side side = { run_side, &s };
	pid_t child = fork();

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	silent();
	bench_run_sides(1, &cpus[which], &side);
	_exit(0);
}

static void run(const char *scenario, const struct bench_params *params,
		struct bench_sample *sample)
{
	struct table *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct bench_usage none = { 0 };
	pid_t child[2];
	int status;

	(void)scenario;
	if (t == MAP_FAILED)
		bench_fail("no memory that processes have");
	start_daemon();
	t->meeting.parties = 2;
	t->warm = params->events / 10 + 1;
	t->events = params->events;
	t->bytes = params->event_bytes;
	for (int i = 0; i < 2; i++)
		child[i] = start_side(t, i, params->cpus);
	for (int i = 0; i < 2; i++)
		if (child[i] < 0 || waitpid(child[i], &status, 0) != child[i] || status != 0)
			bench_fail("iceoryx: a process of it failed; does /dev/shm have room?");
	if (atomic_load(&t->failed))
		bench_fail("iceoryx: an echo was not what had been sent");
	sample->value = (double)(t->ended - t->began) / (double)t->events;
	sample->seconds = (double)(t->ended - t->began) / 1e9;
	sample->events = (double)t->events;
	for (int i = 0; i < 2; i++)
		bench_usage_add(&sample->usage, &none, &t->used[i]);
	munmap(t, sizeof(*t));
}

const struct bench_subject subject_iceoryx = { .name = "iceoryx", .waits = "spin", .run = run };
