/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What may be called from a stage's callbacks, and what is refused: the guide's table. Row T78. */
#include "probe.h"

#include <string.h>

#define CAPACITY 4

enum hook { ON_START, ON_BATCH, ON_EVENT, ON_IDLE, ON_REWIND, ON_ASK, ON_STOP, HOOKS };

/* What a stage's callback finds: its own disruptor, and another with a stage that runs. */
struct scene {
	struct disruptor *d, *other;
	struct disruptor_stage *own, *beside;
	struct disruptor_ring *ring;
	struct tick_producer inside;  /* of the own ring, the callback's */
	struct tick_producer outside; /* of the other ring */
	struct probe elsewhere;       /* the other's stage */
	enum hook hook;               /* which callback acts, once */
	void (*act)(struct scene *s);
	bool acted;
	uint64_t handled;
	/* findings, for the main thread to judge */
	int code[64];
	bool detail[64]; /* was as it should be */
	size_t codes;
};

static void found(struct scene *s, int code, const char *detail)
{
	if (s->codes == COUNT(s->code))
		return;
	s->code[s->codes] = code;
	s->detail[s->codes++] = !detail || strstr(disruptor_error_detail(), detail);
}

/* ---- the callbacks ---- */

static void act_in(struct scene *s, enum hook hook)
{
	if (s->hook != hook || s->acted)
		return;
	s->acted = true;
	(void)disruptor_producer_handoff(&s->inside.view);
	(void)disruptor_producer_handoff(&s->outside.view);
	s->act(s);
}

static int on_start(void *context)
{
	act_in(context, ON_START);
	return 0;
}

static int on_batch(void *context, uint64_t size, uint64_t depth)
{
	(void)size, (void)depth;
	act_in(context, ON_BATCH);
	return 0;
}

static int on_event(void *context, void *event, uint64_t position, int last)
{
	struct scene *s = context;

	(void)event, (void)last;
	act_in(s, ON_EVENT);
	if (position == 0 && !s->acted && s->hook == ON_REWIND)
		return DISRUPTOR_REWIND;
	if (position == 0 && !s->acted && s->hook == ON_ASK)
		return -1;
	s->handled++;
	return DISRUPTOR_CONTINUE;
}

static int on_idle(void *context)
{
	act_in(context, ON_IDLE);
	return 0;
}

static int on_stop(void *context)
{
	act_in(context, ON_STOP);
	return 0;
}

static void on_rewind(void *context, uint64_t from, uint64_t to)
{
	(void)from, (void)to;
	act_in(context, ON_REWIND);
}

static enum disruptor_remedy ask(void *context, const struct disruptor_failure *failure,
				 uint64_t attempt)
{
	(void)failure, (void)attempt;
	act_in(context, ON_ASK);
	return DISRUPTOR_REMEDY_SKIP;
}

static int ignore(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

/* ---- the scene ---- */

static const struct disruptor_handler spare = {
	.size = sizeof(spare), .name = "spare", .on_event = ignore, .reads = "*"
};

static void open_other(struct scene *s)
{
	struct disruptor_options options = fixture_options(CAPACITY);

	options.producers = DISRUPTOR_MANY;
	s->other = graph_open(&options);
	probe_init(&s->elsewhere, "elsewhere");
	probe_add(&s->elsewhere, s->other);
	assert_code(tick_producer_open(&s->outside, disruptor_ring(s->other), NULL), 0);
	graph_start(s->other);
}

static void scene_open(struct scene *s, enum hook hook, void (*act)(struct scene *s))
{
	struct disruptor_options options = fixture_options(CAPACITY);
	struct disruptor_handler h = { .size = sizeof(h), .name = "own", .context = s };
	const struct disruptor_policy policy = {
		.size = sizeof(policy), .remedy = DISRUPTOR_REMEDY_ASK, .ask = ask, .context = s
	};

	*s = (struct scene){ .hook = hook, .act = act };
	options.producers = DISRUPTOR_MANY;
	s->d = graph_open(&options);
	s->ring = disruptor_ring(s->d);
	h.on_start = on_start;
	h.on_batch = on_batch;
	h.on_event = on_event;
	h.on_idle = on_idle;
	h.on_stop = on_stop;
	h.on_rewind = on_rewind;
	h.wait = disruptor_wait_blocking();
	h.wait.timeout_ns = 1000000;
	s->own = disruptor_stage(s->d, &h);
	assert_non_null(s->own);
	s->beside = disruptor_stage(s->d, &spare);
	assert_non_null(s->beside);
	assert_code(disruptor_stage_set_policy(s->own, &policy), 0);
	assert_code(tick_producer_open(&s->inside, s->ring, NULL), 0);
	open_other(s);
}

static bool has_ended(void *context)
{
	return !disruptor_stage_running(((struct scene *)context)->own);
}

/* Run it until the callback has acted, and ended the run. */
static void scene_play(struct scene *s)
{
	if (s->hook != ON_IDLE)
		publish_ticks(&s->inside, 1);
	graph_start(s->d);
	if (s->hook == ON_STOP)
		disruptor_stage_stop(s->own);
	await("a stage that should come to an end", has_ended, s);
}

static void scene_close(struct scene *s)
{
	assert_true(s->acted);
	assert_code(disruptor_producer_handoff(&s->inside.view), 0);
	assert_code(disruptor_producer_handoff(&s->outside.view), 0);
	assert_code(tick_producer_close(&s->inside), 0);
	assert_code(tick_producer_close(&s->outside), 0);
	graph_close(&s->d);
	graph_close(&s->other);
}

/* ---- what is refused ---- */

static void told_of_nothing(void *context, const struct disruptor_diagnosis *diagnosis)
{
	(void)context, (void)diagnosis;
}

/* A stage that has begun may be called while others are still beginning. */
static void await_start(struct scene *s)
{
	while (disruptor_state(s->d) == DISRUPTOR_STARTING)
		pause_ms(1);
}

/* What came with executors, pools and stages that come and go. */
static void refused_changes(struct scene *s)
{
	const struct disruptor_executor executor = { .size = sizeof(executor) };
	const struct disruptor_watchdog watchdog = { .size = sizeof(watchdog),
						     .threshold_ns = 1000000000,
						     .stalled = told_of_nothing };
	const struct disruptor_pool_options pool = {
		.size = sizeof(pool), .name = "pool", .handlers = &spare, .count = 1
	};
	bool starting = s->hook == ON_START;

	if (!starting)
		await_start(s);
	found(s, disruptor_set_executor(s->d, &executor) - DISRUPTOR_E_STATE, NULL);
	found(s, disruptor_place(s->own, 0) - DISRUPTOR_E_STATE, NULL);
	found(s, disruptor_set_watchdog(s->d, &watchdog) - DISRUPTOR_E_STATE, NULL);
	found(s, disruptor_pool(s->d, &pool) != NULL, "fixed");
	found(s, disruptor_await(s->d, DISRUPTOR_STOPPED, DISRUPTOR_FOREVER) - DISRUPTOR_E_DEADLK,
	      NULL);
	found(s, (int)disruptor_poll(s->d, 1) - DISRUPTOR_E_STATE, NULL);
	found(s,
	      disruptor_detach(s->own, DISRUPTOR_NOW, DISRUPTOR_FOREVER) -
		      (starting ? DISRUPTOR_E_STATE : DISRUPTOR_E_DEADLK),
	      starting ? "STARTING" : "'own' runs in this thread");
	if (!starting)
		return;
	found(s, disruptor_attach(s->d, &spare, NULL) != NULL, "STARTING");
	found(s, disruptor_detach(s->beside, DISRUPTOR_NOW, 0) - DISRUPTOR_E_STATE, "STARTING");
}

static void refused_calls(struct scene *s)
{
	struct disruptor_stage *const both[] = { s->own, s->beside };
	const struct disruptor_checks checks = { .size = sizeof(checks) };
	const struct disruptor_executor executor = { .size = sizeof(executor) };
	struct disruptor_ring *ring = s->ring;
	struct disruptor *d = s->d;
	int rc;

	for (int mode = DISRUPTOR_NOW; mode <= DISRUPTOR_DRAIN_THEN_HALT; mode++)
		found(s,
		      disruptor_stop(d, (enum disruptor_stop_mode)mode, DISRUPTOR_FOREVER) -
			      DISRUPTOR_E_DEADLK,
		      "its own end");
	found(s, disruptor_start(d) - DISRUPTOR_E_STATE, "stop it first");
	found(s, disruptor_destroy(&d) - DISRUPTOR_E_STATE, NULL);
	found(s, disruptor_set_checks(d, &checks) - DISRUPTOR_E_STATE, "fixed");
	found(s, disruptor_set_executor(d, &executor) - DISRUPTOR_E_STATE, "fixed");
	found(s, disruptor_place(s->beside, 0) - DISRUPTOR_E_STATE, "fixed");
	found(s, disruptor_set_watchdog(d, NULL) - DISRUPTOR_E_STATE, "before start");
	found(s, (int)disruptor_poll(d, 1) - DISRUPTOR_E_STATE, "threads of its own");
	found(s, disruptor_await(d, DISRUPTOR_STOPPED, DISRUPTOR_FOREVER) - DISRUPTOR_E_DEADLK,
	      NULL);
	rc = disruptor_detach(s->own, DISRUPTOR_NOW, DISRUPTOR_FOREVER);
	found(s, rc != DISRUPTOR_E_STATE && rc != DISRUPTOR_E_DEADLK, NULL); /* E_STATE: STARTING */
	found(s, disruptor_stage(d, &spare) != NULL, "fixed");
	found(s, disruptor_after(s->own, s->beside) - DISRUPTOR_E_STATE, "fixed");
	found(s, disruptor_pipeline(both, 2) - DISRUPTOR_E_STATE, "fixed");
	found(s, disruptor_stage_run(s->own) - DISRUPTOR_E_BUSY, "'own' is running");
	found(s, disruptor_ring_destroy(&ring) - DISRUPTOR_E_BUSY, "still open");
	found(s, d != s->d || ring != s->ring, NULL);
}

/* Fill the ring, which holds this stage's event or position, and claim once more. */
static void claim_too_much(struct scene *s)
{
	struct tick *t;

	/* or it would be the other stage that the claim waits for, which comes on */
	while (disruptor_stage_position(s->beside) < disruptor_stage_position(s->own))
		pause_ms(1);
	while ((t = tick_try_claim(&s->inside))) {
		t->value = disruptor_producer_position(&s->inside.view);
		found(s, tick_publish(&s->inside), NULL);
	}
	found(s, tick_status(&s->inside) - DISRUPTOR_E_FULL, NULL);
	found(s, tick_claim(&s->inside) != NULL, "'own'");
	found(s, tick_status(&s->inside) - DISRUPTOR_E_DEADLK, NULL);
	found(s, tick_claim_until(&s->inside, DISRUPTOR_FOREVER) != NULL, "'own'");
	found(s, tick_claim_up_to(&s->inside, 2) != 0, "'own'");
}

/* ---- what is allowed ---- */

static void looks(struct scene *s)
{
	uint64_t position;

	found(s, disruptor_state(s->d) < DISRUPTOR_STARTING, NULL);
	found(s, disruptor_failure(s->d).code, NULL);
	found(s, disruptor_ring_failure(s->ring).code, NULL);
	found(s, !disruptor_stage_running(s->own), NULL);
	found(s, strcmp(disruptor_stage_name(s->own), "own"), NULL);
	found(s, disruptor_stage_position(s->own) > 1, NULL);
	found(s, disruptor_stage_trouble(s->own).skipped != 0, NULL);
	found(s, disruptor_ring_stats(s->ring).consumers != 2, NULL);
	found(s, disruptor_ring_info(s->ring).capacity != CAPACITY, NULL);
	found(s, disruptor_ring_unpublished(s->ring, &position, NULL), NULL);
	found(s, disruptor_ring(s->d) != s->ring, NULL);
}

static void views_of_the_own_ring(struct scene *s)
{
	struct tick_producer p;
	struct tick_consumer c;

	found(s, !tick_claim(&s->inside), NULL);
	found(s, tick_abort(&s->inside), NULL);
	found(s, disruptor_ring_reopen(s->ring), NULL); /* it is open: nothing */
	found(s, tick_producer_open(&p, s->ring, NULL), NULL);
	found(s, tick_producer_close(&p), NULL);
	found(s, tick_consumer_open(&c, s->ring, NULL), NULL);
	found(s, tick_ready(&c) != 0, NULL);
	found(s, (int)tick_ready_until(&c, in_ms(1)) - DISRUPTOR_E_TIMEOUT, NULL);
	found(s, tick_consumer_close(&c), NULL);
}

static void other_disruptors(struct scene *s)
{
	const struct disruptor_options options = { .size = sizeof(options), .capacity = 2 };
	struct disruptor *made;

	for (uint64_t i = 0; i < 3 * CAPACITY; i++) { /* more than it holds: waits for its stage */
		struct tick *t = tick_claim(&s->outside);

		if (!t) {
			found(s, tick_status(&s->outside), NULL);
			return;
		}
		t->value = disruptor_producer_position(&s->outside.view);
		(void)tick_publish(&s->outside);
	}
	found(s, disruptor_stop(s->other, DISRUPTOR_DRAIN, DISRUPTOR_FOREVER), NULL);
	found(s, disruptor_start(s->other), NULL);
	found(s, disruptor_create(&made, &tick_type, &options), NULL);
	found(s, !disruptor_stage(made, &spare), NULL);
	found(s, disruptor_start(made), NULL);
	found(s, disruptor_stop(made, DISRUPTOR_NOW, DISRUPTOR_FOREVER), NULL);
	found(s, disruptor_destroy(&made), NULL);
}

static void newcomer(struct scene *s)
{
	struct disruptor_stage *made;

	if (s->hook == ON_START) {
		found(s, disruptor_attach(s->d, &spare, NULL) != NULL, "STARTING");
		return;
	}
	while (!(made = disruptor_attach(s->d, &spare, NULL)) &&
	       disruptor_state(s->d) == DISRUPTOR_STARTING)
		pause_ms(1);
	/* it may have come to run between the two */
	if (!made)
		made = disruptor_attach(s->d, &spare, NULL);
	found(s, !made, NULL);
	if (made)
		found(s, disruptor_detach(made, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), NULL);
}

static void figures(struct scene *s)
{
	struct disruptor_stage_stats stats = { .size = sizeof(stats) };
	struct disruptor_diagnosis diagnosis = { .size = sizeof(diagnosis) };

	found(s, disruptor_stage_stats(s->own, &stats), NULL);
	found(s, disruptor_diagnose(s->d, &diagnosis), NULL);
	found(s, disruptor_thread_count(s->d) == 0, NULL);
}

static void allowed_calls(struct scene *s)
{
	const struct disruptor_policy policy = {
		.size = sizeof(policy), .remedy = DISRUPTOR_REMEDY_ASK, .ask = ask, .context = s
	};

	looks(s);
	found(s, disruptor_stage_set_policy(s->own, &policy), NULL);
	found(s, disruptor_stage_set_policy(s->beside, &policy), NULL);
	figures(s);
	views_of_the_own_ring(s);
	newcomer(s);
	other_disruptors(s);
}

/* ---- the table ---- */

static void judge(const struct scene *s, size_t least)
{
	assert_true(s->codes >= least);
	for (size_t i = 0; i < s->codes; i++)
		if (s->code[i] != 0 || !s->detail[i])
			fail_msg("callback %d, call %zu: off by %d%s", (int)s->hook, i, s->code[i],
				 s->detail[i] ? "" : ", detail");
}

static void each_callback(void (*act)(struct scene *s), size_t least)
{
	for (int hook = 0; hook < HOOKS; hook++) {
		struct scene s;

		scene_open(&s, (enum hook)hook, act);
		scene_play(&s);
		judge(&s, least);
		scene_close(&s);
	}
}

static void then_end(struct scene *s, void (*act)(struct scene *s))
{
	act(s);
	disruptor_stage_stop(s->own);
	disruptor_stage_stop(s->beside);
}

static void refused_then_end(struct scene *s)
{
	then_end(s, refused_calls);
}

static void changes_then_end(struct scene *s)
{
	then_end(s, refused_changes);
}

/* Stages come and go from a callback of another one, in a graph that runs. */
static void others_come_and_go(struct scene *s)
{
	struct disruptor_stage *late;

	if (s->hook == ON_START) { /* it is STARTING still; see refused_changes() */
		found(s, 0, NULL);
		return;
	}
	await_start(s);
	late = disruptor_attach(s->d, &spare, NULL);
	found(s, !late, NULL);
	if (late)
		found(s, disruptor_detach(late, DISRUPTOR_DRAIN, in_ms(WATCHDOG_MS)), NULL);
	found(s, disruptor_detach(s->beside, DISRUPTOR_NOW, in_ms(WATCHDOG_MS)), NULL);
	s->beside = NULL;
	found(s, disruptor_ring_stats(s->ring).consumers != 1, NULL);
}

static void come_and_go_then_end(struct scene *s)
{
	others_come_and_go(s);
	disruptor_stage_stop(s->own);
}

static void allowed_then_end(struct scene *s)
{
	then_end(s, allowed_calls);
}

static void too_much_then_end(struct scene *s)
{
	then_end(s, claim_too_much);
}

TEST(callback_cannot_stop_start_change_or_destroy_its_own_disruptor)
{
	each_callback(refused_then_end, 12);
}

TEST(callback_cannot_change_its_own_graph_wait_for_it_or_leave_it)
{
	each_callback(changes_then_end, 7);
}

TEST(callback_may_attach_stages_and_detach_others)
{
	each_callback(come_and_go_then_end, 1);
}

TEST(callback_may_look_open_views_and_use_other_disruptors)
{
	each_callback(allowed_then_end, 20);
}

TEST(callback_that_fills_its_own_ring_is_refused)
{
	each_callback(too_much_then_end, 7);
}

/* ---- ending from inside ---- */

static void close_own_ring(struct scene *s)
{
	disruptor_ring_close(s->ring);
	found(s, tick_claim(&s->inside) != NULL, NULL);
	found(s, tick_status(&s->inside) - DISRUPTOR_E_CLOSED, NULL);
}

TEST(callback_may_close_its_own_ring)
{
	each_callback(close_own_ring, 2);
}

static void stop_own_stage(struct scene *s)
{
	disruptor_stage_stop(s->own);
	found(s, 0, NULL);
}

TEST(callback_may_stop_its_own_stage)
{
	each_callback(stop_own_stage, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(callback_cannot_stop_start_change_or_destroy_its_own_disruptor),
		RUN(callback_may_look_open_views_and_use_other_disruptors),
		RUN(callback_that_fills_its_own_ring_is_refused),
		RUN(callback_may_close_its_own_ring),
		RUN(callback_may_stop_its_own_stage),
		RUN(callback_cannot_change_its_own_graph_wait_for_it_or_leave_it),
		RUN(callback_may_attach_stages_and_detach_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
