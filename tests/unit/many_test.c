/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Several producers on one ring: order, gaps, runs that cannot be extended; and who may use a view.
 */
#include "fixture.h"

#include <string.h>

#define PRODUCERS 4

struct many {
	struct disruptor_ring *ring;
	struct tick_producer p[PRODUCERS];
	struct tick_consumer c;
};

static void many_open(struct many *m, uint64_t capacity)
{
	struct disruptor_options o = fixture_options(capacity);

	o.producers = DISRUPTOR_MANY;
	o.max_producers = PRODUCERS;
	m->ring = ring_open(&o);
	assert_code(tick_consumer_open(&m->c, m->ring, NULL), 0);
	for (int i = 0; i < PRODUCERS; i++)
		assert_code(tick_producer_open(&m->p[i], m->ring, NULL), 0);
}

static void many_close(struct many *m)
{
	for (int i = 0; i < PRODUCERS; i++)
		(void)tick_producer_close(&m->p[i]);
	assert_code(tick_consumer_close(&m->c), 0);
	ring_close(&m->ring);
}

/* Claim one through @p p and write its position into it. */
static void claim_one(struct tick_producer *p)
{
	struct tick *t = tick_try_claim(p);

	assert_non_null(t);
	t->value = disruptor_producer_position(&p->view) + disruptor_claimed(&p->view) - 1;
}

/* T06: a gap hides everything behind it; filling it shows all at once. */
TEST(a_gap_hides_what_is_published_behind_it)
{
	struct many m;

	many_open(&m, 16);
	for (int i = 0; i < 3; i++)
		claim_one(&m.p[i]);
	assert_code(tick_publish(&m.p[2]), 0);
	assert_int_equal(tick_ready(&m.c), 0);
	assert_code(tick_publish(&m.p[1]), 0);
	assert_int_equal(tick_ready(&m.c), 0);
	assert_true(disruptor_ring_published(m.ring, 1));
	assert_true(disruptor_ring_published(m.ring, 2));
	assert_false(disruptor_ring_published(m.ring, 0));
	assert_code(tick_publish(&m.p[0]), 0);
	assert_int_equal(tick_ready(&m.c), 3);
	read_ticks(&m.c, 3);
	many_close(&m);
}

/* T06, one lap later: the stamps of the first lap are not taken for the second's. */
TEST(a_gap_is_a_gap_in_every_lap)
{
	struct many m;

	many_open(&m, 4);
	for (int lap = 0; lap < 3; lap++) {
		for (int i = 0; i < 4; i++)
			claim_one(&m.p[i]);
		for (int i = 3; i > 0; i--) {
			assert_code(tick_publish(&m.p[i]), 0);
			assert_int_equal(tick_ready(&m.c), 0);
		}
		assert_code(tick_publish(&m.p[0]), 0);
		read_ticks(&m.c, 4);
	}
	many_close(&m);
}

/* "One open run a view": what another has claimed behind it cannot be jumped. */
TEST(a_run_that_another_claimed_behind_is_published_before_it_grows)
{
	struct many m;

	many_open(&m, 16);
	claim_one(&m.p[0]);
	claim_one(&m.p[0]); /* nobody in between: the run grows */
	assert_int_equal(disruptor_claimed(&m.p[0].view), 2);
	claim_one(&m.p[1]);
	assert_null(tick_claim(&m.p[0]));
	assert_code(tick_status(&m.p[0]), DISRUPTOR_E_BUSY);
	assert_null(tick_try_claim(&m.p[0]));
	assert_code(tick_status(&m.p[0]), DISRUPTOR_E_BUSY);
	assert_int_equal(tick_claim_up_to(&m.p[0], 4), 0);
	assert_code(tick_status(&m.p[0]), DISRUPTOR_E_BUSY);
	assert_null(tick_claim_until(&m.p[0], DISRUPTOR_FOREVER));
	assert_code(tick_status(&m.p[0]), DISRUPTOR_E_BUSY);
	assert_int_equal(disruptor_ring_stats(m.ring).claimed, 3);
	assert_code(tick_publish(&m.p[0]), 0);
	claim_one(&m.p[0]);
	assert_int_equal(disruptor_producer_position(&m.p[0].view), 3);
	assert_code(tick_publish(&m.p[1]), 0);
	assert_code(tick_publish(&m.p[0]), 0);
	read_ticks(&m.c, 4);
	many_close(&m);
}

/* What this view knew of the room is no longer so once others have claimed it. */
TEST(room_that_others_have_claimed_is_not_claimed_again)
{
	struct many m;

	many_open(&m, 4);
	claim_one(&m.p[0]);
	assert_code(tick_publish(&m.p[0]), 0);
	for (int i = 0; i < 3; i++)
		claim_one(&m.p[1]);
	assert_code(tick_publish(&m.p[1]), 0);
	assert_null(tick_try_claim(&m.p[0]));
	assert_code(tick_status(&m.p[0]), DISRUPTOR_E_FULL);
	assert_int_equal(disruptor_ring_stats(m.ring).claimed, 4);
	read_ticks(&m.c, 4);
	many_close(&m);
}

/* Nor are the slots that another view holds unpublished, when who was to read them leaves. */
TEST(an_unpublished_slot_of_another_producer_is_not_lapped)
{
	struct tick_consumer late;
	struct many m;
	uint64_t more = 0;

	many_open(&m, 4);
	claim_one(&m.p[0]);                                      /* position 0, open */
	assert_code(tick_consumer_open(&late, m.ring, NULL), 0); /* at 0 */
	assert_code(tick_consumer_close(&m.c), 0);
	while (more < 4 && tick_try_claim(&m.p[1]))
		more++;
	assert_int_equal(more, 3); /* the fourth would be position 4, in the slot of 0 */
	assert_code(tick_publish(&m.p[1]), 0);
	assert_code(tick_publish(&m.p[0]), 0);
	assert_int_equal(tick_ready(&late), 1);
	m.c = late;
	many_close(&m);
}

struct waiting {
	struct tick_producer *p;
	void *claimed;
	int status;
};

static void claim_in_thread(void *context)
{
	struct waiting *w = context;

	disruptor_producer_handoff(&w->p->view);
	w->claimed = tick_claim(w->p);
	w->status = tick_status(w->p);
}

/* The policy's time counts although this view once knew of room that others have claimed since. */
TEST(the_policy_until_holds_when_others_have_claimed_the_room)
{
	struct disruptor_producer_options po = { .size = sizeof(po),
						 .overflow = DISRUPTOR_UNTIL,
						 .timeout_ns = 2000000 };
	struct waiting w = { 0 };
	struct runner t;
	struct many m;

	many_open(&m, 4);
	assert_code(tick_producer_close(&m.p[0]), 0);
	assert_code(tick_producer_open(&m.p[0], m.ring, &po), 0);
	claim_one(&m.p[0]); /* learns that there is room for three more … */
	assert_code(tick_publish(&m.p[0]), 0);
	for (int i = 0; i < 3; i++)
		claim_one(&m.p[1]); /* … which is then taken */
	assert_code(tick_publish(&m.p[1]), 0);
	w.p = &m.p[0];
	runner_start(&t, "a claim with the policy UNTIL", claim_in_thread, &w);
	runner_join(&t);
	assert_null(w.claimed);
	assert_code(w.status, DISRUPTOR_E_TIMEOUT);
	many_close(&m);
}

#if defined(DISRUPTOR_HOOKS)
/* While the first view goes to sleep, room appears and the second view takes it. */
static void overtake(void *context)
{
	struct many *m = context;

	disruptor_producer_handoff(&m->p[1].view);
	if (tick_ready(&m->c) != 0 && tick_release(&m->c, 1) == 0 && tick_try_claim(&m->p[1]))
		(void)tick_publish(&m->p[1]);
}

/*
 * A view that waits for room behind its own open run, and is overtaken: it can never be served, for
 * the room it now waits for lies behind its own unpublished slot.
 */
TEST(a_run_that_is_overtaken_while_it_waits_is_told_so)
{
	struct waiting w = { 0 };
	struct runner t;
	struct many m;

	many_open(&m, 4);
	for (int i = 0; i < 3; i++) {
		claim_one(&m.p[1]);
		assert_code(tick_publish(&m.p[1]), 0);
	}
	claim_one(&m.p[0]); /* the fourth slot, open */
	hook_at(HOOK_WAIT_BEFORE_ARM, 1, overtake, &m);
	w.p = &m.p[0];
	runner_start(&t, "a claim behind an open run", claim_in_thread, &w);
	runner_join(&t);
	hook_clear();
	assert_null(w.claimed);
	assert_code(w.status, DISRUPTOR_E_BUSY);
	many_close(&m);
}
#endif

TEST(as_many_producers_as_were_asked_for_and_no_more)
{
	struct tick_producer one_more;
	struct many m;

	many_open(&m, 8);
	assert_int_equal(disruptor_ring_stats(m.ring).open_producers, PRODUCERS);
	assert_code(tick_producer_open(&one_more, m.ring, NULL), DISRUPTOR_E_BUSY);
	assert_detail("max_producers");
	assert_code(tick_producer_close(&m.p[2]), 0);
	assert_code(tick_producer_open(&one_more, m.ring, NULL), 0);
	claim_one(&one_more);
	assert_code(tick_publish(&one_more), 0);
	read_ticks(&m.c, 1);
	assert_code(tick_producer_close(&one_more), 0);
	many_close(&m);
}

/* Who left the hole is told by name, among several. */
TEST(unpublished_names_the_producer_among_many)
{
	static const char *const names[] = { "north", "east", "south", "west" };
	const char *name = NULL;
	uint64_t position = 0;
	struct many m;

	many_open(&m, 8);
	for (int i = 0; i < PRODUCERS; i++) {
		struct disruptor_producer_options po = { .size = sizeof(po), .name = names[i] };

		assert_code(tick_producer_close(&m.p[i]), 0);
		assert_code(tick_producer_open(&m.p[i], m.ring, &po), 0);
	}
	for (int i = 0; i < PRODUCERS; i++)
		claim_one(&m.p[i]);
	assert_code(tick_publish(&m.p[3]), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(disruptor_ring_unpublished(m.ring, &position, &name));
		assert_int_equal(position, i);
		assert_string_equal(name, names[i]);
		assert_code(tick_publish(&m.p[i]), 0);
	}
	assert_false(disruptor_ring_unpublished(m.ring, &position, &name));
	many_close(&m);
}

/* ---- T05, short: batches of random sizes from four threads; the long one is a stress test ---- */

#define EVENTS (FIXTURE_TSAN || DISRUPTOR_ASAN ? 4000 : 12000)

struct writer {
	struct tick_producer *p;
	uint64_t from;
	uint64_t seed;
	int error;
};

static void write_batches(void *context)
{
	struct writer *w = context;
	uint64_t sent = 0;

	disruptor_producer_handoff(&w->p->view);
	while (sent < EVENTS && w->error == 0) {
		uint64_t n = 1 + next_random(&w->seed) % 8;

		n = n < EVENTS - sent ? n : EVENTS - sent;
		if (!tick_claim_n(w->p, n)) {
			w->error = tick_status(w->p);
			return;
		}
		for (uint64_t i = 0; i < n; i++)
			*tick_claimed_at(w->p, i) =
				(struct tick){ .value = sent + i, .from = w->from };
		w->error = tick_publish(w->p);
		sent += n;
	}
}

TEST(batches_of_four_threads_arrive_in_order_without_loss_or_duplicate)
{
	uint64_t next[PRODUCERS] = { 0 }, seed = fixture_seed(UINT64_C(0x9e3779b97f4a7c15));
	struct writer w[PRODUCERS];
	struct runner t[PRODUCERS];
	struct many m;

	many_open(&m, 8);
	for (int i = 0; i < PRODUCERS; i++) {
		w[i] = (struct writer){ .p = &m.p[i],
					.from = (uint64_t)i,
					.seed = seed + (unsigned)i };
		runner_start(&t[i], "a producer of random batches", write_batches, &w[i]);
	}
	for (uint64_t seen = 0; seen < PRODUCERS * (uint64_t)EVENTS;) {
		int64_t n = tick_ready_until(&m.c, disruptor_in(UINT64_C(10000000000)));

		assert_true(n > 0);
		for (uint64_t i = 0; i < (uint64_t)n; i++) {
			const struct tick *e = tick_at(&m.c, i);

			assert_true(e->from < PRODUCERS);
			assert_int_equal(e->value, next[e->from]);
			next[e->from]++;
		}
		assert_code(tick_release(&m.c, (uint64_t)n), 0);
		seen += (uint64_t)n;
	}
	for (int i = 0; i < PRODUCERS; i++) {
		runner_join(&t[i]);
		assert_code(w[i].error, 0);
	}
	assert_int_equal(tick_ready(&m.c), 0);
	many_close(&m);
}

/* ---- T73: who may use a view ---- */

enum use { USE_CLAIM, USE_CLAIM_N, USE_TRY, USE_UNTIL, USE_UP_TO, USE_COPY, USES };

struct trespass {
	struct tick_producer *p;
	enum use use;
	bool handoff;
	bool claimed;
	int status;
};

static bool use_view(struct tick_producer *p, enum use use)
{
	const struct tick event = { .value = 0 };

	switch (use) {
	case USE_CLAIM:
		return tick_claim(p) != NULL;
	case USE_CLAIM_N:
		return tick_claim_n(p, 2) != NULL;
	case USE_TRY:
		return tick_try_claim(p) != NULL;
	case USE_UNTIL:
		return tick_claim_until(p, disruptor_in(1000000)) != NULL;
	case USE_UP_TO:
		return tick_claim_up_to(p, 2) != 0;
	default:
		return tick_publish_copy(p, &event, 1) == 0;
	}
}

static void trespass(void *context)
{
	struct trespass *t = context;

	if (t->handoff)
		disruptor_producer_handoff(&t->p->view);
	t->claimed = use_view(t->p, t->use);
	t->status = tick_status(t->p);
}

static void use_in_thread(struct trespass *what)
{
	struct runner t;

	runner_start(&t, "a claim by another thread", trespass, what);
	runner_join(&t);
}

#ifdef DISRUPTOR_DEBUG
/* Both where room is known to the view and where it has to look. */
TEST(another_threads_view_is_refused_in_debug_builds)
{
	for (int fresh = 0; fresh <= 1; fresh++)
		for (int use = 0; use < USES; use++) {
			struct trespass t = { .use = (enum use)use };
			struct fixture f;

			fixture_open(&f, 8, 1);
			if (!fresh)
				publish_ticks(&f.producer, 1);
			t.p = &f.producer;
			use_in_thread(&t);
			if (t.claimed || t.status != DISRUPTOR_E_OWNER)
				fail_msg("use %d, fresh %d: claimed %d, %s", use, fresh, t.claimed,
					 disruptor_error_name(t.status));
			assert_int_equal(disruptor_ring_stats(f.ring).claimed, fresh ? 0 : 1);
			publish_ticks(&f.producer, 1); /* the owner's still */
			fixture_close(&f);
		}
}
#endif

TEST(a_view_that_is_handed_over_works_in_the_other_thread)
{
	for (int use = 0; use < USES; use++) {
		struct trespass t = { .use = (enum use)use, .handoff = true };
		struct fixture f;

		fixture_open(&f, 8, 1);
		publish_ticks(&f.producer, 1);
		t.p = &f.producer;
		use_in_thread(&t);
		assert_true(t.claimed);
		assert_code(t.status, 0);
		disruptor_producer_handoff(&f.producer.view);
		if (t.use != USE_COPY)
			assert_code(tick_publish(&f.producer), 0);
		publish_ticks(&f.producer, 1);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(a_gap_hides_what_is_published_behind_it),
		RUN(a_gap_is_a_gap_in_every_lap),
		RUN(a_run_that_another_claimed_behind_is_published_before_it_grows),
		RUN(room_that_others_have_claimed_is_not_claimed_again),
		RUN(an_unpublished_slot_of_another_producer_is_not_lapped),
		RUN(the_policy_until_holds_when_others_have_claimed_the_room),
#if defined(DISRUPTOR_HOOKS)
		RUN(a_run_that_is_overtaken_while_it_waits_is_told_so),
#endif
		RUN(as_many_producers_as_were_asked_for_and_no_more),
		RUN(unpublished_names_the_producer_among_many),
		RUN(batches_of_four_threads_arrive_in_order_without_loss_or_duplicate),
#ifdef DISRUPTOR_DEBUG
		RUN(another_threads_view_is_refused_in_debug_builds),
#endif
		RUN(a_view_that_is_handed_over_works_in_the_other_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
