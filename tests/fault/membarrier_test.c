/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * membarrier(2) refused by a seccomp filter, as container runtimes do. Before a ring is made: the
 * ring falls to the fence rung, and says so. Afterwards: wake-ups could be lost in silence, so the
 * process ends at the first barrier, with a message that says what to do.
 */
#define _GNU_SOURCE
#include "probe.h"

#ifndef DISRUPTOR_PLATFORM_POSIX

#include "child.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Which commands of membarrier(2) are refused, and how. */
struct filter {
	uint32_t only; /* this command; 0: every one */
	int error;
};

/* From now on, in every thread of the process. */
static int install(const struct filter *f)
{
	const uint64_t one = 1;
	const uint32_t low = *(const unsigned char *)&one ? 0 : 4; /* the half that counts */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + low),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->only, 0, f->only ? 1 : 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)f->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = COUNT(code), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			    &program);
}

static bool offers_membarrier(void)
{
	return disruptor_version().rungs >> DISRUPTOR_RUNG_MEMBARRIER & 1;
}

static struct disruptor_options options_on(enum disruptor_rung rung)
{
	struct disruptor_options o = fixture_options(4);

	o.rung = rung;
	return o;
}

/* ---- a stream whose ends sleep for each other ---- */

static void consume(void *consumer)
{
	struct tick_consumer *c = consumer;
	uint64_t sum = 0;
	int64_t n;

	while ((n = tick_ready_until(c, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t i = 0; i < (uint64_t)n; i++)
			sum += tick_at(c, i)->value;
		(void)tick_release(c, (uint64_t)n);
	}
	if (sum != 200 * 199 / 2)
		abort();
}

static int stream(struct disruptor_ring *ring)
{
	struct disruptor_wait wait = disruptor_wait_blocking();
	const struct disruptor_consumer_options o = { .size = sizeof(o), .wait = wait };
	struct tick_producer p;
	struct tick_consumer c;
	struct runner thread;

	NEED(tick_producer_open(&p, ring, NULL) == 0);
	NEED(tick_consumer_open(&c, ring, &o) == 0);
	runner_start(&thread, "a consumer", consume, &c);
	await_sleeps(ring, 1); /* a thread that begins late might find all of it there */
	for (uint64_t i = 0; i < 200; i++) {
		struct tick *t = tick_claim_until(&p, in_ms(WATCHDOG_MS));

		NEED(t != NULL);
		t->value = i;
		NEED(tick_publish(&p) == 0);
		if (i % 20 == 0)
			pause_ms(20); /* longer than it spins, even where nothing is optimised */
	}
	disruptor_ring_close(ring);
	runner_join(&thread);
	NEED(disruptor_ring_stats(ring).sleeps > 0);
	NEED(tick_producer_close(&p) == 0);
	NEED(tick_consumer_close(&c) == 0);
	return 0;
}

/* ---- before ---- */

static int refused_before(void *filter)
{
	struct disruptor_options any = options_on(DISRUPTOR_RUNG_AUTO);
	struct disruptor_options forced = options_on(DISRUPTOR_RUNG_MEMBARRIER);
	struct disruptor_ring *ring = NULL;
	int rc;

	if (!offers_membarrier() || install(filter) != 0)
		return CHILD_SKIPPED;
	NEED(!offers_membarrier());
	NEED(disruptor_ring_create(&ring, &tick_type, &any) == 0);
	NEED(disruptor_ring_info(ring).rung == DISRUPTOR_RUNG_FENCE);
	rc = stream(ring);
	NEED(disruptor_ring_destroy(&ring) == 0);
	ring = (void *)&any; /* has to be overwritten */
	NEED(disruptor_ring_create(&ring, &tick_type, &forced) == DISRUPTOR_E_UNSUPPORTED);
	NEED(ring == NULL);
	NEED(strstr(disruptor_error_detail(), "membarrier"));
	return rc;
}

TEST(a_ring_is_made_on_the_fence_rung_where_membarrier_is_refused)
{
	static const int errors[] = { ENOSYS, EPERM, EINVAL };

	for (size_t i = 0; i < COUNT(errors); i++)
		child_does(refused_before, &(struct filter){ .error = errors[i] });
}

TEST(a_ring_is_made_on_the_fence_rung_where_registering_is_refused)
{
	struct filter f = { .only = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, .error = EPERM };

	child_does(refused_before, &f);
}

/* ---- afterwards ---- */

static void sleep_for_events(struct fixture *f)
{
	(void)tick_ready_until(&f->consumer[0], DISRUPTOR_FOREVER);
}

static void sleep_for_room(struct fixture *f)
{
	while (tick_claim(&f->producer))
		(void)tick_publish(&f->producer);
}

static void close_it(struct fixture *f)
{
	disruptor_ring_close(f->ring);
}

static void interrupt_it(struct fixture *f)
{
	disruptor_consumer_interrupt(&f->consumer[0].view);
}

static void (*const barriers[])(struct fixture *) = { sleep_for_events, sleep_for_room, close_it,
						      interrupt_it };

struct later {
	void (*act)(struct fixture *f);
	enum disruptor_rung rung;
};

static int refused_later(void *later)
{
	const struct later *l = later;
	const struct filter filter = { .error = EPERM };
	struct disruptor_options o = options_on(l->rung);
	struct fixture f;

	if (!offers_membarrier())
		return CHILD_SKIPPED;
	fixture_open_with(&f, &o, 1);
	if (install(&filter) != 0)
		return CHILD_SKIPPED;
	publish_ticks(&f.producer, 2); /* what needs no barrier goes on */
	read_ticks(&f.consumer[0], 2);
	if (l->act)
		l->act(&f);
	else
		return stream(f.ring);
	fprintf(stderr, "it went on\n");
	return 1;
}

TEST(a_process_that_loses_membarrier_ends_with_a_message)
{
	for (size_t i = 0; i < COUNT(barriers); i++) {
		struct later l = { barriers[i], DISRUPTOR_RUNG_MEMBARRIER };
		int status = in_child(refused_later, &l);

		if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED)
			skip();
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		assert_non_null(strstr(child_said, "membarrier was taken away"));
		assert_non_null(strstr(child_said, "DISRUPTOR_RUNG_FENCE")); /* what to do */
	}
}

static int others_go_on(void *rung)
{
	const struct filter filter = { .error = EPERM };
	struct disruptor_options o = options_on(*(enum disruptor_rung *)rung);
	struct disruptor_ring *ring = ring_open(&o);
	int rc;

	if (install(&filter) != 0)
		return CHILD_SKIPPED;
	rc = stream(ring);
	NEED(disruptor_ring_destroy(&ring) == 0);
	return rc;
}

TEST(rings_on_other_rungs_do_not_notice)
{
	enum disruptor_rung rungs[] = { DISRUPTOR_RUNG_FENCE, DISRUPTOR_RUNG_MUTEX };

	for (size_t i = 0; i < COUNT(rungs); i++)
		child_does(others_go_on, &rungs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_ring_is_made_on_the_fence_rung_where_membarrier_is_refused),
		RUN(a_ring_is_made_on_the_fence_rung_where_registering_is_refused),
		RUN(a_process_that_loses_membarrier_ends_with_a_message),
		RUN(rings_on_other_rungs_do_not_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else /* it is Linux's */
int main(void)
{
	return 77;
}
#endif
