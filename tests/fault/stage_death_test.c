/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A process that dies in the handler of its stage, which others come after: kept, it is gone on with
 * where it stopped, behind what it came after; if not, the others go on without it. Linux.
 */
#define _GNU_SOURCE
#include "probe.h"
#include "shared.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 16
#define LAST_WORDS 5 /* the position at which it dies */

/* ---- the one that dies ---- */

static int die(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)last;
	if (position == LAST_WORDS)
		(void)kill(getpid(), SIGKILL);
	return DISRUPTOR_RELEASE;
}

/* Stage "risk" after "journal", as a process of its own, once the ring is there. */
static int live(uint32_t if_dead)
{
	const struct disruptor_segment_options where = shared_where(0);
	const struct disruptor_handler handler = {
		.size = sizeof(handler), .name = "risk", .on_event = die, .if_dead = if_dead
	};
	const char *const names[] = { "journal" };
	const struct disruptor_attach how = { .size = sizeof(how),
					      .after_names = names,
					      .after_name_count = 1 };
	struct disruptor_segment *segment;
	struct disruptor *d;

	alarm(60);
	while (disruptor_segment_open(&segment, "graph", &tick_type, NULL, &where) != 0)
		pause_ms(1);
	if (disruptor_segment_await(segment, "journal", DISRUPTOR_FOREVER) != 0 ||
	    disruptor_create_on(&d, disruptor_segment_ring(segment), &tick_type, 0) != 0)
		return 1;
	if (!disruptor_attach(d, &handler, &how) || disruptor_start(d) != 0)
		return 2;
	(void)disruptor_join(d, DISRUPTOR_FOREVER);
	return 3;
}

/* ---- those that go on ---- */

struct world {
	pid_t child;
	struct disruptor_segment *segment;
	struct disruptor *d;
	struct tick_producer producer;
	struct probe journal, out;
};

/* "journal", then the one that is to die, and "out" behind that. */
static void begin(struct world *w, uint32_t if_dead)
{
	const struct disruptor_segment_options where =
		shared_where(DISRUPTOR_SEGMENT_CREATE | DISRUPTOR_SEGMENT_NEW);
	struct disruptor_options o = shared_options(CAPACITY, DISRUPTOR_SINGLE);
	const char *const names[] = { "risk" };
	const struct disruptor_attach how = { .size = sizeof(how),
					      .after_names = names,
					      .after_name_count = 1 };

	w->child = fork();
	if (w->child == 0)
		_exit(live(if_dead));
	assert_true(w->child > 0);
	assert_code(disruptor_segment_open(&w->segment, "graph", &tick_type, &o, &where), 0);
	assert_code(disruptor_create_on(&w->d, disruptor_segment_ring(w->segment), &tick_type, 0),
		    0);
	probe_init(&w->journal, "journal");
	probe_init(&w->out, "out");
	probe_add(&w->journal, w->d);
	assert_code(disruptor_segment_await(w->segment, "risk", DISRUPTOR_FOREVER), 0);
	w->out.stage = disruptor_attach(w->d, &w->out.handler, &how);
	assert_non_null(w->out.stage);
	graph_start(w->d);
	assert_code(tick_producer_open(&w->producer, disruptor_segment_ring(w->segment), NULL), 0);
	publish_ticks(&w->producer, CAPACITY / 2);
}

static void await_death(const struct world *w)
{
	int status;

	assert_int_equal(waitpid(w->child, &status, 0), w->child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	disruptor_segment_tend(w->segment);
}

static void end(struct world *w)
{
	const struct disruptor_segment_options where = shared_where(0);

	graph_close(&w->d);
	assert_code(tick_producer_close(&w->producer), 0);
	assert_code(disruptor_segment_close(&w->segment), 0);
	assert_code(disruptor_segment_remove("graph", &where), 0);
}

static uint32_t consumers(const struct world *w)
{
	return disruptor_ring_stats(disruptor_segment_ring(w->segment)).consumers;
}

/* All others are through with everything: the ring goes round several times. */
static void go_on(struct world *w)
{
	for (int i = 0; i < 5; i++) {
		publish_ticks(&w->producer, CAPACITY / 2);
		probe_await(&w->out, CAPACITY / 2 * (uint64_t)(i + 2));
	}
	disruptor_ring_close(disruptor_segment_ring(w->segment));
	assert_code(disruptor_join(w->d, DISRUPTOR_FOREVER), 0);
	probe_expect(&w->journal, 0, CAPACITY / 2 * 6);
	probe_expect(&w->out, 0, CAPACITY / 2 * 6);
}

TEST(one_that_is_kept_is_gone_on_with)
{
	struct disruptor_attach how = { .size = sizeof(how) };
	const char *const names[] = { "journal", "out" };
	struct disruptor *other;
	struct probe risk;
	struct world w;

	begin(&w, DISRUPTOR_REQUIRED);
	await_death(&w);
	assert_int_equal(consumers(&w), 3);
	probe_await(&w.out, LAST_WORDS);

	/* what it came after has to be said again; who does not takes nothing away */
	assert_code(disruptor_create_on(&other, disruptor_segment_ring(w.segment), &tick_type, 0),
		    0);
	probe_init(&risk, "risk");
	assert_null(disruptor_stage(other, &risk.handler));
	assert_detail("came after 'journal'");
	how.after_names = names;
	how.after_name_count = 2;
	assert_null(disruptor_attach(other, &risk.handler, &how));
	assert_detail("'risk' after 'out' would close a cycle");
	how.after_name_count = 1;
	risk.handler.batch_min = CAPACITY;
	risk.handler.linger_ns = 1;
	assert_null(disruptor_attach(other, &risk.handler, &how));
	assert_detail("batch_min");
	risk.handler.batch_min = 0;
	risk.handler.linger_ns = 0;
	assert_int_equal(consumers(&w), 3);

	/* nor does who fails to start, or leaves without a start */
	risk.start_answer = -3;
	risk.stage = disruptor_attach(other, &risk.handler, &how);
	assert_non_null(risk.stage);
	assert_code(disruptor_start(other), DISRUPTOR_E_FAILED);
	assert_code(disruptor_stop(w.d, DISRUPTOR_NOW, DISRUPTOR_FOREVER), DISRUPTOR_E_FAILED);
	assert_code(disruptor_destroy(&other), 0);
	assert_code(disruptor_ring_reopen(disruptor_segment_ring(w.segment)), 0);
	assert_int_equal(consumers(&w), 3);
	assert_int_equal(w.out.events, LAST_WORDS);

	graph_start(w.d);
	assert_code(disruptor_create_on(&other, disruptor_segment_ring(w.segment), &tick_type, 0),
		    0);
	risk.start_answer = 0;
	risk.stage = disruptor_attach(other, &risk.handler, &how);
	assert_non_null(risk.stage);
	assert_int_equal(disruptor_stage_position(risk.stage), LAST_WORDS);
	graph_start(other);
	go_on(&w);
	assert_code(disruptor_join(other, DISRUPTOR_FOREVER), 0);
	probe_expect(&risk, LAST_WORDS, CAPACITY / 2 * 6);
	assert_code(disruptor_destroy(&other), 0);
	end(&w);
}

TEST(without_one_that_is_not_kept_the_others_go_on)
{
	struct world w;

	begin(&w, DISRUPTOR_OPTIONAL);
	await_death(&w);
	assert_int_equal(consumers(&w), 2);
	go_on(&w);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(one_that_is_kept_is_gone_on_with),
		RUN(without_one_that_is_not_kept_the_others_go_on),
	};

	if (!shared_there_are())
		return 77;
	return cmocka_run_group_tests_name("stage death", tests, shared_setup, shared_teardown);
}
