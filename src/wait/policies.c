/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The wait strategies: what to do between two fruitless looks. */
#include "error.h"
#include "hook.h"
#include "ring/repair.h"
#include "wait/core.h"

#include <string.h>

/* How many looks between two readings of the clock, where nothing else takes time. */
#define LOOKS_PER_CLOCK 64
/* The blocking strategy's looks: at most, and at least. */
#define BLOCKING_SPINS 2000
#define BLOCKING_SPINS_MIN 20
/* Looks before a wait is worth a clock. */
#define UNMARKED_LOOKS 8
/* Its yields between looking and sleeping: where threads outnumber cores, the others run on them. */
#define BLOCKING_YIELDS 16

static const char *const names[] = {
	[DISRUPTOR_WAIT_BUSY_SPIN] = "busy-spin", [DISRUPTOR_WAIT_SPIN] = "spin",
	[DISRUPTOR_WAIT_YIELDING] = "yielding",   [DISRUPTOR_WAIT_SLEEPING] = "sleeping",
	[DISRUPTOR_WAIT_PHASED] = "phased",       [DISRUPTOR_WAIT_BLOCKING] = "blocking",
	[DISRUPTOR_WAIT_CUSTOM] = "custom",
};

struct disruptor_wait disruptor_wait_busy_spin(void)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_BUSY_SPIN };
}

struct disruptor_wait disruptor_wait_spin(void)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_SPIN };
}

struct disruptor_wait disruptor_wait_yielding(void)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_YIELDING, .spins = 100 };
}

struct disruptor_wait disruptor_wait_sleeping(uint64_t min_ns, uint64_t max_ns)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_SLEEPING,
					.spins = 100,
					.yields = 100,
					.sleep_min_ns = min_ns,
					.sleep_max_ns = max_ns };
}

struct disruptor_wait disruptor_wait_phased(uint64_t spin_ns, uint64_t yield_ns)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_PHASED,
					.spin_ns = spin_ns,
					.yield_ns = yield_ns };
}

struct disruptor_wait disruptor_wait_blocking(void)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_BLOCKING,
					.spins = BLOCKING_SPINS,
					.yields = BLOCKING_YIELDS };
}

struct disruptor_wait disruptor_wait_custom(disruptor_wait_function function, void *context)
{
	return (struct disruptor_wait){ .kind = DISRUPTOR_WAIT_CUSTOM,
					.function = function,
					.context = context };
}

const char *disruptor_wait_name(enum disruptor_wait_kind kind)
{
	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

int disruptor_wait_parse(struct disruptor_wait *wait, const char *name)
{
	const struct disruptor_wait all[] = {
		disruptor_wait_busy_spin(), disruptor_wait_spin(),
		disruptor_wait_yielding(),  disruptor_wait_sleeping(1000, 1000000),
		disruptor_wait_blocking(),  disruptor_wait_phased(20000, 100000),
	};

	for (size_t i = 0; name && i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(name, names[all[i].kind]) == 0) {
			*wait = all[i];
			return 0;
		}
	return error_set(DISRUPTOR_E_INVAL,
			 "wait strategy: \"%s\" is none of busy-spin, spin, yielding, sleeping, "
			 "phased, blocking",
			 name ? name : "");
}

int wait_check(const char *what, const struct disruptor_wait *w)
{
	if ((unsigned)w->kind > DISRUPTOR_WAIT_CUSTOM)
		return error_set(DISRUPTOR_E_INVAL, "%s: kind: %d is no wait strategy", what,
				 (int)w->kind);
	if (w->reserved != 0)
		return error_set(DISRUPTOR_E_INVAL, "%s: reserved: %u is not zero", what,
				 w->reserved);
	if (w->kind == DISRUPTOR_WAIT_CUSTOM && !w->function)
		return error_set(DISRUPTOR_E_INVAL,
				 "%s: function: NULL, but the strategy is custom", what);
	if (w->kind == DISRUPTOR_WAIT_SLEEPING &&
	    (w->sleep_min_ns == 0 || w->sleep_max_ns < w->sleep_min_ns))
		return error_set(DISRUPTOR_E_INVAL,
				 "%s: sleep_min_ns: %llu is not in 1 … sleep_max_ns (%llu)", what,
				 (unsigned long long)w->sleep_min_ns,
				 (unsigned long long)w->sleep_max_ns);
	return 0;
}

struct disruptor_wait wait_choose(const struct disruptor_wait *own,
				  const struct disruptor_wait *inherited)
{
	struct disruptor_wait w = own->kind != DISRUPTOR_WAIT_DEFAULT ? *own : *inherited;

	if (w.kind == DISRUPTOR_WAIT_DEFAULT)
		w = disruptor_wait_blocking();
	if (own->kind == DISRUPTOR_WAIT_DEFAULT && own->timeout_ns != 0)
		w.timeout_ns = own->timeout_ns;
	return w;
}

/* One wait under way. */
struct turn {
	const struct wait_request *q;
	struct wait_need need;
	uint64_t round;    /* fruitless looks so far */
	uint64_t deadline; /* the request's, or the strategy's own if that is sooner */
	uint64_t began;    /* phased */
	uint64_t sleep;    /* sleeping: the next one's length */
	uint64_t yields;   /* blocking: the round at which yielding ends */
};

static int64_t spin_turn(struct turn *t)
{
	if (t->q->policy->kind != DISRUPTOR_WAIT_BUSY_SPIN)
		os_pause();
	return 0;
}

static int64_t yield_turn(struct turn *t)
{
	if (t->round > t->q->policy->spins)
		os_yield();
	else
		os_pause();
	return 0;
}

static int64_t sleep_turn(struct turn *t)
{
	const struct disruptor_wait *w = t->q->policy;
	uint64_t sleep, now;

	if (t->round <= w->spins) {
		os_pause();
		return 0;
	}
	if (t->round <= (uint64_t)w->spins + w->yields) {
		os_yield();
		return 0;
	}
	sleep = t->sleep ? t->sleep : w->sleep_min_ns;
	t->sleep = sleep < w->sleep_max_ns / 2 ? sleep * 2 : w->sleep_max_ns;
	if (t->deadline != DISRUPTOR_FOREVER) {
		now = os_now();
		if (now >= t->deadline)
			return 0;
		if (sleep > t->deadline - now)
			sleep = t->deadline - now;
	}
	/* relaxed (figure): a ring's lossy readers share one */
	disruptor_fetch_add_relaxed(t->q->sleeps, UINT64_C(1));
	os_sleep(sleep);
	return 0;
}

static int64_t block(const struct turn *t)
{
	return t->q->block ? t->q->block(t->q, t->deadline)
			   : wait_block(t->q, &t->need, t->deadline);
}

static int64_t phased_turn(struct turn *t)
{
	const struct disruptor_wait *w = t->q->policy;
	uint64_t passed;

	if (t->round % LOOKS_PER_CLOCK != 0 && t->began != 0) {
		os_pause();
		return 0;
	}
	if (t->began == 0)
		t->began = os_now();
	passed = os_now() - t->began;
	if (passed < w->spin_ns)
		os_pause();
	else if (passed - w->spin_ns < w->yield_ns)
		os_yield();
	else
		return block(t);
	return 0;
}

/*
 * Look for as long as that has paid lately, then sleep. A wait that ends while
 * looking earns the next one twice as many looks as it took, one that has to
 * sleep halves them: a stream keeps its consumer looking, a trickle lets it sleep.
 */
static int64_t blocking_turn(struct turn *t)
{
	const struct disruptor_wait *w = t->q->policy;
	uint64_t spins = *t->q->spins < w->spins ? *t->q->spins : w->spins;

	if (t->round <= spins) {
		os_pause();
		return 0;
	}
	if (t->round == spins + 1) {
		spins = spins / 2 > BLOCKING_SPINS_MIN ? spins / 2 : BLOCKING_SPINS_MIN;
		*t->q->spins = (uint32_t)spins;
		t->yields = t->round + w->yields;
	}
	if (t->round < t->yields) {
		os_yield();
		return 0;
	}
	return block(t);
}

static void blocking_learn(const struct turn *t)
{
	const struct disruptor_wait *w = t->q->policy;
	uint64_t earned = t->round * 2;

	if (w->kind != DISRUPTOR_WAIT_BLOCKING || t->round > *t->q->spins)
		return;
	if (earned > *t->q->spins)
		*t->q->spins = (uint32_t)(earned < w->spins ? earned : w->spins);
}

static int64_t custom_turn(struct turn *t)
{
	int answer = t->q->policy->function(t->q->policy->context, t->round);

	return answer <= 0
		       ? answer
		       : error_set(DISRUPTOR_E_INVAL,
				   "wait: the custom function answered %d; 0 or a negative code "
				   "is allowed",
				   answer);
}

static int64_t (*const turns[])(struct turn *) = {
	[DISRUPTOR_WAIT_DEFAULT] = blocking_turn,  [DISRUPTOR_WAIT_BUSY_SPIN] = spin_turn,
	[DISRUPTOR_WAIT_SPIN] = spin_turn,         [DISRUPTOR_WAIT_YIELDING] = yield_turn,
	[DISRUPTOR_WAIT_SLEEPING] = sleep_turn,    [DISRUPTOR_WAIT_PHASED] = phased_turn,
	[DISRUPTOR_WAIT_BLOCKING] = blocking_turn, [DISRUPTOR_WAIT_CUSTOM] = custom_turn,
};

/* Looking is cheap, a clock is not: one is read at first, then now and then while spinning. */
static bool is_clock_round(const struct turn *t)
{
	enum disruptor_wait_kind kind = t->q->policy->kind;
	uint64_t spins = kind == DISRUPTOR_WAIT_BLOCKING && *t->q->spins < t->q->policy->spins
				 ? *t->q->spins
				 : t->q->policy->spins;
	bool cheap = kind == DISRUPTOR_WAIT_BUSY_SPIN || kind == DISRUPTOR_WAIT_SPIN ||
		     t->round <= spins;

	return !cheap || t->round == 1 || t->round % LOOKS_PER_CLOCK == 0;
}

static bool too_late(const struct turn *t)
{
	if (t->q->ring->between && t->round != 1 && is_clock_round(t))
		ring_tend(t->q->ring);
	if (t->deadline == DISRUPTOR_FOREVER)
		return false;
	return is_clock_round(t) && os_now() >= t->deadline;
}

/*
 * The round in which a wait is marked, by a clock, for reports: before anything that takes longer
 * than the clock, and not at once where the next look may well be the last.
 */
static uint64_t marked_round(const struct disruptor_wait *w)
{
	switch (w->kind) {
	case DISRUPTOR_WAIT_CUSTOM:
	case DISRUPTOR_WAIT_PHASED: /* reads it at once, too */
		return 1;
	case DISRUPTOR_WAIT_BLOCKING:
	case DISRUPTOR_WAIT_SLEEPING:
		return w->spins < UNMARKED_LOOKS ? 1 : UNMARKED_LOOKS;
	default:
		return UNMARKED_LOOKS;
	}
}

static int64_t wait_rounds(struct turn *t)
{
	const struct wait_request *q = t->q;
	uint64_t marked = marked_round(q->policy);
	int64_t result;

	for (t->round = 1;; t->round++) {
		result = q->look(q->who, &t->need);
		if (result != 0) {
			blocking_learn(t);
			return result;
		}
		HOOK(HOOK_WAIT_FRUITLESS);
		if (t->round == 1 && q->policy->timeout_ns != 0) {
			uint64_t own = disruptor_in(q->policy->timeout_ns);

			t->deadline = own < t->deadline ? own : t->deadline;
		}
		if (t->round == marked && q->since)
			/* relaxed (figure): owner-written */
			disruptor_store_relaxed(q->since, q->began ? q->began : os_now_coarse());
		if (too_late(t))
			return DISRUPTOR_E_TIMEOUT;
		result = turns[q->policy->kind](t);
		if (result != 0)
			return result;
	}
}

int64_t wait_until(const struct wait_request *q)
{
	struct turn t = { .q = q, .deadline = q->deadline };
	int64_t result = wait_rounds(&t);

	/* relaxed (figure), both: owner-written */
	if (q->since && disruptor_load_relaxed(q->since) != 0)
		disruptor_store_relaxed(q->since, UINT64_C(0));
	return result;
}
