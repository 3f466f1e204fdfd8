/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T67: store buffering and message passing on bare words, as the library spells them, and without
 * any order for comparison: a machine that never shows what is allowed there tests nothing by
 * not showing what is forbidden. Each test prints how often each outcome came up: which of the two
 * words was read as 1, the first word first. `make litmus` runs it at length.
 */
#include "stress.h"

#include "os/os.h"

#include <sched.h>
#include <string.h>

#define ROUNDS_APART 64 /* so many pairs of words, then they are cleared */

enum litmus_kind {
	STORE_BUFFERING, /* each writes its own word, then reads the other's */
	MESSAGE_PASSING  /* one writes both words in order, the other reads them backwards */
};

/* What stands between an access and the next one. */
typedef void (*litmus_order)(void);

struct pair {
	_Alignas(DISRUPTOR_APART) DISRUPTOR_ATOMIC(uint64_t) first;
	_Alignas(DISRUPTOR_APART) DISRUPTOR_ATOMIC(uint64_t) second;
};

struct litmus {
	enum litmus_kind kind;
	bool labelled; /* message passing by release and acquire */
	litmus_order order[2];
	struct pair pair[ROUNDS_APART];
	_Alignas(DISRUPTOR_APART) DISRUPTOR_ATOMIC(uint64_t) at[2]; /* where each has come to */
	_Alignas(DISRUPTOR_APART) DISRUPTOR_ATOMIC(uint32_t) over;
	struct progress progress;
	uint64_t seen[2][ROUNDS_APART]; /* by each side: store buffering uses one word, of each */
	uint64_t outcomes[4];           /* first word read + 2 * second */
};

static void none(void)
{
}

static void fence(void)
{
	disruptor_fence_seq_cst();
}

static void light(void)
{
	disruptor_fence_compiler();
}

/* Both have come to @p round; false if there are no more. */
static bool meet(struct litmus *l, int side, uint64_t round)
{
	disruptor_store_release(&l->at[side], round);
	for (uint32_t looks = 1; disruptor_load_acquire(&l->at[1 - side]) < round; looks++) {
		if (disruptor_load_acquire(&l->over))
			return false;
		if (looks % 1024 == 0)
			sched_yield();
	}
	return true;
}

/* One's own part of a round; what it has read, one bit a word. */
static uint64_t act(struct litmus *l, int side, struct pair *p)
{
	DISRUPTOR_ATOMIC(uint64_t) *own = side == 0 ? &p->first : &p->second;
	DISRUPTOR_ATOMIC(uint64_t) *other = side == 0 ? &p->second : &p->first;
	uint64_t flag;

	if (l->kind == STORE_BUFFERING) {
		disruptor_store_relaxed(own, UINT64_C(1));
		l->order[side]();
		return disruptor_load_relaxed(other);
	}
	if (side == 0) {
		disruptor_store_relaxed(&p->first, UINT64_C(1));
		if (l->labelled)
			disruptor_store_release(&p->second, UINT64_C(1));
		else
			disruptor_store_relaxed(&p->second, UINT64_C(1));
		return 0;
	}
	flag = l->labelled ? disruptor_load_acquire(&p->second)
			   : disruptor_load_relaxed(&p->second);
	return disruptor_load_relaxed(&p->first) + 2 * flag;
}

static void clear(struct litmus *l)
{
	for (size_t i = 0; i < ROUNDS_APART; i++) {
		uint64_t first = l->seen[0][i], second = l->seen[1][i];

		l->outcomes[l->kind == STORE_BUFFERING ? first + 2 * second : second]++;
		disruptor_store_relaxed(&l->pair[i].first, UINT64_C(0));
		disruptor_store_relaxed(&l->pair[i].second, UINT64_C(0));
	}
	progress_made(&l->progress);
}

static void run_side(struct litmus *l, int side)
{
	struct budget budget = budget_of(2000000, 300);
	uint64_t seed = fixture_seed(31 + (uint64_t)side), round = 1;

	for (;;) {
		for (size_t i = 0; i < ROUNDS_APART; i++) {
			uint64_t delay = next_random(&seed) % 32;

			if (!meet(l, side, round++))
				return;
			while (delay-- > 0)
				light();
			l->seen[side][i] = act(l, side, &l->pair[i]);
		}
		if (!meet(l, side, round++))
			return;
		if (side == 0) {
			clear(l);
			for (size_t i = 0; i < ROUNDS_APART; i++)
				if (!budget_take(&budget)) {
					disruptor_store_release(&l->over, 1u);
					return;
				}
		}
		if (!meet(l, side, round++))
			return;
	}
}

static void first_side(void *argument)
{
	run_side(argument, 0);
}

static void second_side(void *argument)
{
	run_side(argument, 1);
}

/* How often both words were read as 0; of message passing, how often the second before the first. */
static uint64_t forbidden(const struct litmus *l)
{
	return l->outcomes[l->kind == STORE_BUFFERING ? 0 : 2];
}

static uint64_t litmus(const char *name, enum litmus_kind kind, bool labelled, litmus_order one,
		       litmus_order other)
{
	static struct litmus l;
	struct runner thread[2];
	uint64_t rounds = 0;

	memset(&l, 0, sizeof(l));
	l.kind = kind;
	l.labelled = labelled;
	l.order[0] = one;
	l.order[1] = other;
	runner_start(&thread[0], "the first side", first_side, &l);
	runner_start(&thread[1], "the second side", second_side, &l);
	join_with_progress(thread, 2, &l.progress);
	print_message("  %s:", name);
	for (size_t i = 0; i < COUNT(l.outcomes); i++) {
		rounds += l.outcomes[i];
		print_message(" %zu%zu %llu%s", i & 1, i >> 1, (unsigned long long)l.outcomes[i],
			      i + 1 < COUNT(l.outcomes) ? "," : "\n");
	}
	assert_true(rounds > 0);
	return forbidden(&l);
}

static bool on_rung(enum disruptor_rung rung)
{
	enum disruptor_rung wanted = fixture_rung();

	return wanted == DISRUPTOR_RUNG_AUTO || wanted == rung;
}

/* 00 is allowed in the first, and comes up on every processor that has store buffers. */
TEST(store_buffering)
{
	(void)litmus("store buffering, no order (00 is allowed)", STORE_BUFFERING, false, none,
		     none);
	if (on_rung(DISRUPTOR_RUNG_FENCE))
		assert_int_equal(
			litmus("store buffering, fences", STORE_BUFFERING, false, fence, fence), 0);
	if (on_rung(DISRUPTOR_RUNG_MEMBARRIER) && (os_rungs() >> DISRUPTOR_RUNG_MEMBARRIER & 1))
		assert_int_equal(litmus("store buffering, membarrier", STORE_BUFFERING, false,
					light, os_membarrier),
				 0);
}

/* 01 is allowed in the first, and comes up where stores or loads overtake each other. */
TEST(message_passing)
{
	(void)litmus("message passing, no order (01 is allowed)", MESSAGE_PASSING, false, none,
		     none);
	assert_int_equal(litmus("message passing, release and acquire", MESSAGE_PASSING, true, none,
				none),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(store_buffering),
		RUN(message_passing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
