/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The explorer itself: small programs whose outcomes under C11 are known. What is allowed must be
 * found, what is not must not. r0 … r3 are what the threads read, as digits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "explore.h"
#include "os/os.h"

#include <string.h>

typedef DISRUPTOR_ATOMIC(uint64_t) word;

static word x, y, z;
static uint64_t plain;
static uint64_t r[4];
static bool seen[10000];

static uint64_t rlx(const word *w)
{
	return disruptor_load_relaxed(w);
}

static uint64_t acq(const word *w)
{
	return disruptor_load_acquire(w);
}

static void set(word *w, uint64_t v)
{
	disruptor_store_relaxed(w, v);
}

static void rel(word *w, uint64_t v)
{
	disruptor_store_release(w, v);
}

static void reset(void)
{
	set(&x, 0);
	set(&y, 0);
	set(&z, 0);
	plain = 0;
	memset(r, 0, sizeof(r));
}

static void note(void)
{
	seen[r[0] * 1000 + r[1] * 100 + r[2] * 10 + r[3]] = true;
}

/* clang-format off */
#define THREAD(name, body) static void name(void) body
#define LITMUS(title, ...)                                                                         \
	static const struct model_client title = { .name = #title, .setup = reset,                 \
		.threads = { __VA_ARGS__ }, .finish = note }

/* store buffering */
THREAD(sb_a, { set(&x, 1); r[0] = rlx(&y); })
THREAD(sb_b, { set(&y, 1); r[1] = rlx(&x); })
LITMUS(sb, sb_a, sb_b);
THREAD(sbf_a, { set(&x, 1); disruptor_fence_seq_cst(); r[0] = rlx(&y); })
THREAD(sbf_b, { set(&y, 1); disruptor_fence_seq_cst(); r[1] = rlx(&x); })
LITMUS(sb_fences, sbf_a, sbf_b);
LITMUS(sb_one_fence, sbf_a, sb_b);
THREAD(sbr_a, { rel(&x, 1); r[0] = acq(&y); })
THREAD(sbr_b, { rel(&y, 1); r[1] = acq(&x); })
LITMUS(sb_release_acquire, sbr_a, sbr_b);
THREAD(sbm_a, { set(&x, 1); os_membarrier(); r[0] = rlx(&y); })
LITMUS(sb_membarrier, sbm_a, sb_b);
/* the other thread is interrupted: a compiler fence keeps its store in front of its load */
THREAD(sbc_b, { set(&y, 1); disruptor_fence_compiler(); r[1] = rlx(&x); })
LITMUS(sb_membarrier_compiler, sbm_a, sbc_b);
THREAD(sbcl_b, { disruptor_fence_compiler(); set(&y, 1); r[1] = rlx(&x); })
LITMUS(sb_membarrier_early, sbm_a, sbcl_b);
THREAD(sbcr_b, { rel(&y, 1); r[1] = acq(&x); })
LITMUS(sb_membarrier_release, sbm_a, sbcr_b);
THREAD(sbcx_b, { set(&y, 1); (void)disruptor_exchange_acq_rel(&z, UINT64_C(1)); r[1] = rlx(&x); })
THREAD(sbmz_a, { set(&z, 2); set(&x, 1); os_membarrier(); r[0] = rlx(&y); })
LITMUS(sb_membarrier_exchange, sbmz_a, sbcx_b);
THREAD(sbx_a, { (void)disruptor_exchange_acq_rel(&x, UINT64_C(1)); r[0] = rlx(&y); })
LITMUS(sb_exchange_and_fence, sbx_a, sbf_b);

/* message passing */
THREAD(mp_a, { set(&x, 1); set(&y, 1); })
THREAD(mp_b, { r[0] = rlx(&y); r[1] = rlx(&x); })
LITMUS(mp, mp_a, mp_b);
THREAD(mpr_a, { set(&x, 1); rel(&y, 1); })
THREAD(mpa_b, { r[0] = acq(&y); r[1] = rlx(&x); })
LITMUS(mp_release_acquire, mpr_a, mpa_b);
LITMUS(mp_release, mpr_a, mp_b);
LITMUS(mp_acquire, mp_a, mpa_b);
THREAD(mpf_a, { set(&x, 1); disruptor_fence_release(); set(&y, 1); })
THREAD(mpf_b, { r[0] = rlx(&y); disruptor_fence_acquire(); r[1] = rlx(&x); })
LITMUS(mp_fences, mpf_a, mpf_b);
LITMUS(mp_release_fence, mpf_a, mp_b);
LITMUS(mp_fence_and_acquire, mpf_a, mpa_b);
LITMUS(mp_release_and_fence, mpr_a, mpf_b);

/* load buffering is never found; C11 allows it */
THREAD(lb_a, { r[0] = rlx(&x); set(&y, 1); })
THREAD(lb_b, { r[1] = rlx(&y); set(&x, 1); })
LITMUS(lb, lb_a, lb_b);

/* independent reads of independent writes */
THREAD(iriw_a, { rel(&x, 1); })
THREAD(iriw_b, { rel(&y, 1); })
THREAD(iriw_c, { r[0] = acq(&x); r[1] = acq(&y); })
THREAD(iriw_d, { r[2] = acq(&y); r[3] = acq(&x); })
LITMUS(iriw, iriw_a, iriw_b, iriw_c, iriw_d);
THREAD(iriwf_c, { r[0] = rlx(&x); disruptor_fence_seq_cst(); r[1] = rlx(&y); })
THREAD(iriwf_d, { r[2] = rlx(&y); disruptor_fence_seq_cst(); r[3] = rlx(&x); })
LITMUS(iriw_fences, iriw_a, iriw_b, iriwf_c, iriwf_d);

/* coherence */
THREAD(corr_a, { set(&x, 1); set(&x, 2); })
THREAD(corr_b, { r[0] = rlx(&x); r[1] = rlx(&x); })
LITMUS(corr, corr_a, corr_b);
THREAD(cowr_b, { set(&x, 3); r[0] = rlx(&x); })
LITMUS(cowr, corr_a, cowr_b);

/* two words written both ways: the weak outcome needs a store before one that was made earlier */
THREAD(ww_a, { set(&x, 1); set(&y, 2); })
THREAD(ww_b, { set(&y, 1); set(&x, 2); })
static void ww_note(void) { r[0] = rlx(&x); r[1] = rlx(&y); note(); }
static const struct model_client two_two_w = { .name = "2+2w", .setup = reset,
	.threads = { ww_a, ww_b }, .finish = ww_note };

/* a release sequence goes on through read-modify-writes, and through nothing else */
THREAD(rs_b, { (void)disruptor_fetch_add_relaxed(&y, UINT64_C(1)); })
THREAD(rs_c, { r[0] = acq(&y); r[1] = rlx(&x); })
LITMUS(release_sequence, mpr_a, rs_b, rs_c);
THREAD(rsw_b, { if (rlx(&y) == 1) set(&y, 2); })
LITMUS(release_sequence_broken, mpr_a, rsw_b, rs_c);

/* read-modify-writes read the last store */
THREAD(rmw, { r[disruptor_fetch_add_relaxed(&z, UINT64_C(1))] = 1; })
LITMUS(add_twice, rmw, rmw);
THREAD(swap_a, { uint64_t v = 0; r[0] = (uint64_t)disruptor_cas_relaxed(&x, &v, UINT64_C(1)); })
THREAD(swap_b, { uint64_t v = 0; r[1] = (uint64_t)disruptor_cas_relaxed(&x, &v, UINT64_C(1)); })
LITMUS(swap_once, swap_a, swap_b);

/* causality: write to read, twice */
THREAD(wrc_b, { if (acq(&x) == 1) rel(&y, 1); })
THREAD(wrc_c, { r[0] = acq(&y); r[1] = rlx(&x); })
LITMUS(wrc, iriw_a, wrc_b, wrc_c);
THREAD(wrcx_b, { if (rlx(&x) == 1) rel(&y, 1); })
THREAD(wrcx_a, { set(&x, 1); })
THREAD(wrcx_c, { r[0] = rlx(&y); r[1] = rlx(&x); })
LITMUS(wrc_relaxed, wrcx_a, wrcx_b, wrcx_c);

/* plain accesses */
THREAD(race_a, { model_write(&plain, 1); rel(&y, 1); })
THREAD(race_b, { if (acq(&y) == 1) r[0] = model_read(&plain); })
LITMUS(handed_over, race_a, race_b);
THREAD(race_c, { if (rlx(&y) == 1) r[0] = model_read(&plain); })
LITMUS(raced, race_a, race_c);
THREAD(race_d, { if (acq(&y) == 0) model_write(&plain, 2); })
LITMUS(raced_by_writes, race_a, race_d);

/* waiting */
THREAD(spin, { while (rlx(&y) == 0) model_pause(); r[0] = rlx(&y); })
LITMUS(spun, mp_a, spin);
THREAD(spin_vain, { while (rlx(&y) != 2) model_pause(); })
LITMUS(spun_in_vain, mp_a, spin_vain);

static DISRUPTOR_ATOMIC(uint32_t) bell;
static void reset_bell(void) { reset(); disruptor_store_relaxed(&bell, 0u); }
THREAD(ring_bell, { (void)disruptor_fetch_add_release(&bell, 1u); os_unpark_all(&bell); })
THREAD(ring_first, { os_unpark_all(&bell); (void)disruptor_fetch_add_release(&bell, 1u); })
THREAD(hear, { os_park(&bell, 0, DISRUPTOR_FOREVER); r[0] = 1; })
static const struct model_client heard = { .name = "heard", .setup = reset_bell,
	.threads = { ring_bell, hear }, .finish = note };
static const struct model_client missed = { .name = "missed", .setup = reset_bell,
	.threads = { ring_first, hear }, .finish = note };
/* clang-format on */

const struct model_client *const model_clients[] = { NULL };

static struct explore_result run(const struct model_client *c)
{
	const struct explore_options o = { .bound = 20,
					   .stale = 20,
					   .rung = DISRUPTOR_RUNG_MEMBARRIER };
	struct explore_result result;

	memset(seen, 0, sizeof(seen));
	result = explore(c, &o);
	assert_int_equal(result.truncated, 0);
	assert_true(result.failed || result.complete);
	return result;
}

static void is_seen(const struct model_client *c, unsigned outcome, bool expected)
{
	if (seen[outcome] != expected)
		fail_msg("%s: outcome %04u is %s", c->name, outcome,
			 expected ? "not found" : "found, and not allowed");
}

/* Each outcome that is listed, and no other. */
static void expect(const struct model_client *c, const unsigned *outcomes)
{
	struct explore_result result = run(c);
	bool listed[10000] = { false };

	if (result.failed)
		fail_msg("%s: %s", c->name, result.failure);
	for (; *outcomes != 9999; outcomes++)
		listed[*outcomes] = true;
	for (unsigned i = 0; i < 9999; i++)
		is_seen(c, i, listed[i]);
}
#define EXPECT(c, ...) expect(&(c), (const unsigned[]){ __VA_ARGS__, 9999 })

static void expect_failure(const struct model_client *c, const char *what)
{
	struct explore_result result = run(c);

	if (!result.failed || !strstr(result.failure, what))
		fail_msg("%s: '%s' where %s is expected", c->name,
			 result.failed ? result.failure : "holds", what);
}

static void stores_may_pass_loads_unless_both_are_fenced(void **state)
{
	(void)state;
	EXPECT(sb, 0, 100, 1000, 1100);
	EXPECT(sb_release_acquire, 0, 100, 1000, 1100);
	EXPECT(sb_one_fence, 0, 100, 1000, 1100);
	EXPECT(sb_fences, 100, 1000, 1100);
	EXPECT(sb_membarrier, 0, 100, 1000, 1100);
	EXPECT(sb_membarrier_compiler, 100, 1000, 1100);
	EXPECT(sb_membarrier_early, 0, 100, 1000, 1100);
	EXPECT(sb_membarrier_release, 0, 100, 1000, 1100);
	EXPECT(sb_membarrier_exchange, 100, 1000, 1100);
	EXPECT(sb_exchange_and_fence, 0, 100, 1000, 1100);
}

static void messages_need_a_release_and_an_acquire(void **state)
{
	(void)state;
	EXPECT(mp, 0, 100, 1000, 1100);
	EXPECT(mp_release, 0, 100, 1000, 1100);
	EXPECT(mp_acquire, 0, 100, 1000, 1100);
	EXPECT(mp_release_fence, 0, 100, 1000, 1100);
	EXPECT(mp_release_acquire, 0, 100, 1100);
	EXPECT(mp_fences, 0, 100, 1100);
	EXPECT(mp_fence_and_acquire, 0, 100, 1100);
	EXPECT(mp_release_and_fence, 0, 100, 1100);
}

static void loads_are_not_buffered(void **state)
{
	(void)state;
	EXPECT(lb, 0, 100, 1000);
}

static void readers_may_disagree_unless_they_are_fenced(void **state)
{
	(void)state;
	(void)run(&iriw);
	is_seen(&iriw, 1010, true);
	(void)run(&iriw_fences);
	is_seen(&iriw_fences, 1010, false);
	is_seen(&iriw_fences, 1011, true);
}

static void a_word_has_one_order(void **state)
{
	(void)state;
	EXPECT(corr, 0, 100, 200, 1100, 1200, 2200);
	EXPECT(cowr, 1000, 2000, 3000);
	EXPECT(two_two_w, 1200, 2100, 2200);
}

static void read_modify_writes_carry_on_what_they_read(void **state)
{
	(void)state;
	(void)run(&release_sequence);
	is_seen(&release_sequence, 2000, false);
	is_seen(&release_sequence, 2100, true);
	is_seen(&release_sequence, 1000, true); /* the addition came first */
	(void)run(&release_sequence_broken);
	is_seen(&release_sequence_broken, 2000, true);
	EXPECT(add_twice, 1100);
	EXPECT(swap_once, 100, 1000);
}

static void what_happened_before_is_passed_on(void **state)
{
	(void)state;
	EXPECT(wrc, 0, 100, 1100);
	EXPECT(wrc_relaxed, 0, 100, 1000, 1100);
}

static void races_of_plain_accesses_are_found(void **state)
{
	(void)state;
	EXPECT(handed_over, 0, 1000);
	expect_failure(&raced, "data race");
	expect_failure(&raced_by_writes, "data race");
}

static void waiting_ends_or_is_told(void **state)
{
	(void)state;
	EXPECT(spun, 1000);
	expect_failure(&spun_in_vain, "looks in vain");
	EXPECT(heard, 1000);
	expect_failure(&missed, "sleeps");
}

static void a_failure_is_found_again_by_its_choices(void **state)
{
	struct explore_options o = { .bound = 20, .stale = 20, .rung = DISRUPTOR_RUNG_FENCE };
	struct explore_result first, again;

	(void)state;
	first = explore(&raced, &o);
	assert_true(first.failed);
	o.replay = first.replay;
	again = explore(&raced, &o);
	assert_true(again.failed);
	assert_string_equal(again.replay, first.replay);
	assert_string_equal(again.failure, first.failure);
}

static void random_executions_find_weak_outcomes(void **state)
{
	const struct explore_options o = { .bound = 3, .random = 2000, .seed = 7 };
	struct explore_result result;

	(void)state;
	memset(seen, 0, sizeof(seen));
	result = explore(&mp, &o);
	assert_int_equal(result.executions, 2000);
	is_seen(&mp, 1000, true);
	assert_true(explore(&raced, &o).failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_may_pass_loads_unless_both_are_fenced),
		cmocka_unit_test(messages_need_a_release_and_an_acquire),
		cmocka_unit_test(loads_are_not_buffered),
		cmocka_unit_test(readers_may_disagree_unless_they_are_fenced),
		cmocka_unit_test(a_word_has_one_order),
		cmocka_unit_test(read_modify_writes_carry_on_what_they_read),
		cmocka_unit_test(what_happened_before_is_passed_on),
		cmocka_unit_test(races_of_plain_accesses_are_found),
		cmocka_unit_test(waiting_ends_or_is_told),
		cmocka_unit_test(a_failure_is_found_again_by_its_choices),
		cmocka_unit_test(random_executions_find_weak_outcomes),
	};

	return cmocka_run_group_tests_name("litmus", tests, NULL, NULL);
}
