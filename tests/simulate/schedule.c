/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "schedule.h"

#include "virtual.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Points at most: what takes longer goes round in circles. */
#define STEPS_MAX 60000
/* How far looking in vain, and reading the clock, move it. */
#define TICK_NS 100
/* How often a thread may be kept from going on, for the sake of a pair. */
#define HOLDS_MAX 400
/* How often a pair is brought together: hooks of a loop would meet for ever. */
#define MEETINGS_MAX 12
#define CHANGES_MAX 4
#define NOWHERE HOOK_POINT_COUNT

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

bool random_once_in(uint64_t *state, uint64_t n)
{
	return random_next(state) % n == 0;
}

#define NAME(name, instant) #name,
static const char *const names[] = { HOOK_POINTS(NAME) };
#undef NAME
#define INSTANT(name, instant) instant,
static const char *const instants[] = { HOOK_POINTS(INSTANT) };
#undef INSTANT

const char *hook_name(enum hook_point point)
{
	return point < HOOK_POINT_COUNT ? names[point] : "-";
}

const char *hook_instant(enum hook_point point)
{
	return point < HOOK_POINT_COUNT ? instants[point] : "";
}

struct thread_state {
	unsigned at;      /* the hook that it is about to pass, or NOWHERE */
	unsigned last;    /* the last that it has passed */
	unsigned weight;  /* of a walk */
	int64_t priority; /* of priorities */
	uint64_t operation;
	bool let;      /* it is not kept where it is any more */
	char what[96]; /* its operation */
};

static struct {
	struct schedule_options o;
	struct schedule_result *result;
	enum schedule_kind kind;
	uint64_t random;
	uint64_t points;
	struct thread_state threads[VIRTUAL_THREADS];
	/* a walk */
	uint64_t run_length; /* hooks passed in a row, on average */
	uint64_t stay;
	uint64_t seldom; /* one time in so many, time passes though somebody could run */
	/* priorities */
	uint64_t changes[CHANGES_MAX];
	int64_t lowest;
	/* directed */
	unsigned next; /* thread + 1, to run at the next point */
	unsigned holds, meetings;
	/* what was passed */
	unsigned last_thread, last_hook;
	uint64_t last_operation;
} run;

/* ---- telling ---- */

static void tell(char sign, const char *format, va_list arguments)
{
	(void)printf("%6llu %9llu ns  %-10s %c ", (unsigned long long)run.result->steps,
		     (unsigned long long)(virtual_now() - UINT64_C(1000000000)),
		     virtual_name(virtual_self()), sign);
	(void)vprintf(format, arguments);
	(void)putchar('\n');
}

void schedule_begin(const char *format, ...)
{
	struct thread_state *t = &run.threads[virtual_self()];
	va_list arguments;

	t->operation++;
	va_start(arguments, format);
	(void)vsnprintf(t->what, sizeof(t->what), format, arguments);
	va_end(arguments);
	if (!run.o.trace)
		return;
	va_start(arguments, format);
	tell('>', format, arguments);
	va_end(arguments);
}

void schedule_end(const char *format, ...)
{
	struct thread_state *t = &run.threads[virtual_self()];
	va_list arguments;

	/* what was passed last may be followed by another's while the operation still lasts */
	virtual_point(VIRTUAL_HOOK);
	t->operation++;
	t->what[0] = '\0';
	if (!run.o.trace)
		return;
	va_start(arguments, format);
	tell('<', format, arguments);
	va_end(arguments);
}

void schedule_say(const char *format, ...)
{
	va_list arguments;

	if (!run.o.trace)
		return;
	va_start(arguments, format);
	tell(' ', format, arguments);
	va_end(arguments);
}

static size_t add(size_t at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static size_t add(size_t at, const char *format, ...)
{
	va_list arguments;
	int n;

	if (at >= sizeof(run.result->failure))
		return at;
	va_start(arguments, format);
	n = vsnprintf(run.result->failure + at, sizeof(run.result->failure) - at, format,
		      arguments);
	va_end(arguments);
	return at + (n > 0 ? (size_t)n : 0);
}

/* Who is where. */
static void dump(size_t at)
{
	for (unsigned i = 0; i < virtual_count(); i++) {
		const struct thread_state *t = &run.threads[i];

		if (strcmp(virtual_state(i), "ended") == 0)
			continue;
		at = add(at, "\n    %-10s %-16s", virtual_name(i), virtual_state(i));
		if (t->at != NOWHERE)
			at = add(at, " at %s", hook_name(t->at));
		else if (t->last != NOWHERE)
			at = add(at, " behind %s", hook_name(t->last));
		if (t->what[0])
			at = add(at, ", in %s", t->what);
	}
}

void schedule_fail(const char *format, ...)
{
	va_list arguments;
	size_t at;

	va_start(arguments, format);
	(void)vsnprintf(run.result->failure, sizeof(run.result->failure) / 2, format, arguments);
	va_end(arguments);
	at = strlen(run.result->failure);
	at = add(at, "\n    found by '%s'", virtual_name(virtual_self()));
	dump(at);
	virtual_abandon();
}

/* ---- choosing ---- */

static bool is_asleep(unsigned thread)
{
	return virtual_state(thread)[0] == 's';
}

static unsigned walk(enum virtual_point point, const unsigned *ready, unsigned count)
{
	bool here = ready[0] == virtual_self() && point != VIRTUAL_BLOCK && point != VIRTUAL_END;
	unsigned weights[VIRTUAL_THREADS], total = 0, dice;

	if (here && point != VIRTUAL_LOOP && run.stay > 0) {
		run.stay--;
		return ready[0];
	}
	run.stay = random_below(&run.random, 2 * run.run_length);
	for (unsigned i = 0; i < count; i++) {
		bool asleep = is_asleep(ready[i]);

		weights[i] = run.threads[ready[i]].weight * 8;
		if (asleep && !random_once_in(&run.random, run.seldom))
			weights[i] = 0;
		if (i == 0 && here && point == VIRTUAL_LOOP) /* let others, mostly */
			weights[i] = 1;
		total += weights[i];
	}
	if (total == 0)
		return ready[random_below(&run.random, count)];
	dice = (unsigned)random_below(&run.random, total);
	for (unsigned i = 0; i < count; i++) {
		if (dice < weights[i])
			return ready[i];
		dice -= weights[i];
	}
	return ready[0];
}

static unsigned by_priority(enum virtual_point point, const unsigned *ready, unsigned count)
{
	unsigned best = ready[0];

	for (unsigned i = 0; i < CHANGES_MAX; i++)
		if (run.points == run.changes[i])
			run.threads[ready[0]].priority = --run.lowest;
	/* who goes round in a loop, of looks or of short sleeps, must not keep the others from moving */
	if (point == VIRTUAL_LOOP || (point == VIRTUAL_BLOCK && random_once_in(&run.random, 2)))
		run.threads[virtual_self()].priority = --run.lowest;
	for (unsigned i = 1; i < count; i++)
		if (run.threads[ready[i]].priority > run.threads[best].priority)
			best = ready[i];
	return best;
}

static bool is_wanted(unsigned thread)
{
	const struct thread_state *t = &run.threads[thread];

	return !t->let && !is_asleep(thread) && (t->at == run.o.first || t->at == run.o.second);
}

/* The two that are to meet, if they stand ready; one of them, and the other comes next. */
static bool bring_together(const unsigned *ready, unsigned count, unsigned *chosen)
{
	unsigned f = VIRTUAL_THREADS, g = VIRTUAL_THREADS;
	bool swap;

	for (unsigned i = 0; i < count; i++) {
		if (!is_wanted(ready[i]))
			continue;
		if (f == VIRTUAL_THREADS && run.threads[ready[i]].at == run.o.first)
			f = ready[i];
		else if (run.threads[ready[i]].at == run.o.second)
			g = ready[i];
	}
	if (f == VIRTUAL_THREADS || g == VIRTUAL_THREADS)
		return false;
	run.meetings++;
	swap = random_once_in(&run.random, 2);
	run.threads[f].let = run.threads[g].let = true;
	run.next = (swap ? f : g) + 1;
	*chosen = swap ? g : f;
	return true;
}

static unsigned directed(enum virtual_point point, const unsigned *ready, unsigned count)
{
	unsigned others[VIRTUAL_THREADS], n = 0, chosen;

	if (run.next != 0) {
		unsigned next = run.next - 1;

		run.next = 0;
		for (unsigned i = 0; i < count; i++)
			if (ready[i] == next && !is_asleep(next)) {
				run.stay = 0;
				return next;
			}
	}
	if (run.meetings >= MEETINGS_MAX)
		return walk(point, ready, count);
	if (bring_together(ready, count, &chosen))
		return chosen;
	for (unsigned i = 0; i < count; i++)
		if (!is_wanted(ready[i]))
			others[n++] = ready[i];
	if (n == count || n == 0 || run.holds >= HOLDS_MAX) {
		chosen = walk(point, ready, count);
		run.threads[chosen].let = true;
		return chosen;
	}
	run.holds++;
	return walk(point, others, n);
}

static unsigned choose(void *unused, enum virtual_point point, const unsigned *ready,
		       unsigned count)
{
	(void)unused;
	if (++run.points > STEPS_MAX)
		schedule_fail("no end after %u points", STEPS_MAX);
	if (count == 1 && run.kind != SCHEDULE_PRIORITIES)
		return ready[0];
	switch (run.kind) {
	case SCHEDULE_PRIORITIES:
		return by_priority(point, ready, count);
	case SCHEDULE_DIRECTED:
		return directed(point, ready, count);
	default:
		return walk(point, ready, count);
	}
}

static void stuck(void *unused)
{
	(void)unused;
	dump(add(0, "nobody can go on"));
}

static void failed(void *unused, const char *what)
{
	(void)unused;
	dump(add(0, "%s", what));
}

/* ---- hooks ---- */

static void pass(unsigned me, enum hook_point point)
{
	struct thread_state *t = &run.threads[me];

	run.result->hash = (run.result->hash ^ (me * UINT64_C(256) + point + 1)) *
			   UINT64_C(0x9e3779b97f4a7c15);
	run.result->hash ^= run.result->hash >> 29;
	run.result->steps++;
	if (run.o.pairs && run.last_hook != NOWHERE && run.last_thread != me &&
	    run.threads[run.last_thread].operation == run.last_operation) {
		unsigned char *met = &run.o.pairs[run.last_hook * HOOK_POINT_COUNT + point];

		if (!*met)
			*met = 1;
	}
	run.last_thread = me;
	run.last_hook = point;
	run.last_operation = t->operation;
	t->last = point;
	schedule_say("%s: %s", hook_name(point), hook_instant(point));
}

static void on_hook(enum hook_point point, void *unused)
{
	unsigned me = virtual_self();
	struct thread_state *t = &run.threads[me];

	(void)unused;
	t->at = point;
	t->let = false;
	if (point == HOOK_WAIT_FRUITLESS) {
		virtual_pass(TICK_NS);
		virtual_point(VIRTUAL_LOOP);
	} else if (run.kind != SCHEDULE_WALK || run.stay == 0) {
		virtual_point(VIRTUAL_HOOK);
	} else {
		run.stay--;
	}
	t->at = NOWHERE;
	pass(me, point);
}

void schedule_yield(void)
{
	virtual_point(VIRTUAL_HOOK);
}

/* ---- a run ---- */

enum schedule_kind schedule_kind_of(uint64_t seed)
{
	uint64_t random = seed ^ UINT64_C(0x5ced);
	uint64_t dice = random_below(&random, 8);

	return dice < 2 ? SCHEDULE_WALK : dice < 4 ? SCHEDULE_PRIORITIES : SCHEDULE_DIRECTED;
}

static void prepare(const struct schedule_options *o, struct schedule_result *result)
{
	static const uint64_t lengths[] = { 1, 1, 2, 3, 5, 8, 20, 60 };

	memset(result, 0, sizeof(*result));
	memset(&run, 0, sizeof(run));
	run.o = *o;
	run.result = result;
	run.kind = o->kind;
	run.random = o->seed * 2 + 1;
	run.run_length = lengths[random_below(&run.random, sizeof(lengths) / sizeof(*lengths))];
	run.seldom = UINT64_C(1) << random_below(&run.random, 7);
	run.last_hook = NOWHERE;
	for (unsigned i = 0; i < VIRTUAL_THREADS; i++) {
		bool even = random_once_in(&run.random, 2);

		run.threads[i].at = run.threads[i].last = NOWHERE;
		run.threads[i].weight = even ? 4 : 1u << (unsigned)random_below(&run.random, 5);
		run.threads[i].priority = (int64_t)random_below(&run.random, 1000);
	}
	for (unsigned i = 0; i < CHANGES_MAX; i++)
		run.changes[i] = random_below(&run.random, UINT64_C(16) << (i * 2));
}

void schedule_run(const struct schedule_options *o, struct schedule_result *result,
		  void (*body)(void *argument), void *argument)
{
	struct virtual_scheduler s = { .choose = choose, .stuck = stuck, .fail = failed };

	prepare(o, result);
	s.tick = TICK_NS;
	s.no_parking = o->no_parking;
	s.time_may_pass = run.kind != SCHEDULE_PRIORITIES && random_once_in(&run.random, 2);
	hook_function = on_hook;
	result->passed = virtual_run(&s, body, argument);
	hook_function = NULL;
}
