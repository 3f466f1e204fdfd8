/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The search: an execution is run again and again, each time with the last of its choices that has
 * another answer left answered by that. Choices are who runs next, and which value a load returns.
 *
 * Two prefixes in which every thread has made the same accesses, read the same stores, and each
 * word's stores are in the same order, lead to the same state: a number stands for it, the sum over
 * the events of both. Where a state was met before with as many preemptions left, or more, nothing
 * new can come, and the execution is given up.
 */
#include "explore.h"
#include "virtual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CHOICES 20000 /* of an execution */
#define STEPS 20000   /* likewise: points */
#define STATES_MAX ((size_t)1 << 24)

struct choice {
	uint8_t count, taken;
};

enum end { END_DONE, END_SAME, END_TRUNCATED, END_RESTART, END_FAILED };

static struct {
	const struct model_client *client;
	struct explore_options options;
	struct explore_result result;
	/* the execution */
	struct choice choices[CHOICES];
	unsigned length; /* choices known, to be taken again */
	unsigned at;     /* of those, the next */
	unsigned steps, preemptions, stale;
	unsigned events[EXPLORE_THREADS];
	uint64_t state;
	enum end end;
	bool on, replays;
	unsigned running; /* client threads that have not ended */
	/* states met: the number; what it took, preemptions in the upper byte, old values in the lower */
	uint64_t *states;
	uint16_t *costs;
	size_t size, used;
	/* at random */
	uint64_t random;
	unsigned priority[EXPLORE_THREADS];
	unsigned change_at[16];
	unsigned longest;
} search;

bool explore_is_on(void)
{
	return search.on;
}

bool explore_traces(void)
{
	return search.replays && search.on;
}

const struct explore_options *explore_options(void)
{
	return &search.options;
}

uint64_t explore_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t draw(void)
{
	search.random += UINT64_C(0x9e3779b97f4a7c15);
	return explore_mix(search.random);
}

/* ---- giving up ---- */

static _Noreturn void finish_with(enum end end)
{
	search.end = end;
	search.on = false;
	virtual_abandon();
}

void explore_truncate(void)
{
	finish_with(END_TRUNCATED);
}

void explore_restart(void)
{
	finish_with(END_RESTART);
}

void explore_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(search.result.failure, sizeof(search.result.failure), format, arguments);
	va_end(arguments);
	finish_with(END_FAILED);
}

/* ---- choices ---- */

unsigned explore_choose(unsigned n)
{
	unsigned taken = 0;

	if (n <= 1)
		return 0;
	if (search.at < search.length) {
		struct choice *c = &search.choices[search.at++];

		/* the same choices lead to the same choice, or the client looks at something else */
		if (c->count != n && (c->count != 0 || c->taken >= n))
			explore_fail(
				"not the same when it is run again: %u ways where there were %u", n,
				c->count);
		return c->taken;
	}
	if (search.at == CHOICES || n > UINT8_MAX)
		explore_truncate();
	if (search.options.random) /* the last value half of the time */
		taken = draw() & 1 ? 0 : (unsigned)(draw() % n);
	search.choices[search.at++] = (struct choice){ (uint8_t)n, (uint8_t)taken };
	search.length = search.at;
	return taken;
}

unsigned explore_choose_preemption(unsigned n)
{
	unsigned taken = 0;

	if (search.preemptions < search.options.bound || search.options.random)
		taken = explore_choose(n);
	search.preemptions += taken != 0;
	return taken;
}

bool explore_may_be_stale(void)
{
	return search.options.random || search.stale < search.options.stale;
}

void explore_is_stale(void)
{
	search.stale++;
}

unsigned model_any(unsigned n)
{
	unsigned taken = explore_choose(n);

	explore_event(10, n, taken);
	return taken;
}

void explore_event(uint64_t what, uint64_t with, uint64_t result)
{
	explore_event_of(virtual_self(), what, with, result);
}

void explore_event_of(unsigned thread, uint64_t what, uint64_t with, uint64_t result)
{
	uint64_t event = what << 56 ^ (uint64_t)thread << 48 ^ (uint64_t)search.events[thread]++;

	search.state += explore_mix(explore_mix(event) ^ explore_mix(with << 32 ^ result));
}

/* ---- states ---- */

static void keep(uint64_t state, unsigned cost);

static void grow(void)
{
	uint64_t *states = search.states;
	uint16_t *costs = search.costs;
	size_t size = search.size;

	search.size = size ? 2 * size : 1 << 14;
	search.states = calloc(search.size, sizeof(*search.states));
	search.costs = calloc(search.size, sizeof(*search.costs));
	if (!search.states || !search.costs) {
		perror("explorer");
		exit(2);
	}
	search.used = 0;
	for (size_t i = 0; i < size; i++)
		if (states[i])
			keep(states[i], costs[i]);
	free(states);
	free(costs);
}

static size_t place_of(uint64_t state)
{
	size_t i = (size_t)state & (search.size - 1);

	while (search.states[i] && search.states[i] != state)
		i = (i + 1) & (search.size - 1);
	return i;
}

static void keep(uint64_t state, unsigned cost)
{
	size_t i = place_of(state);

	if (!search.states[i])
		search.used++;
	search.states[i] = state;
	search.costs[i] = (uint16_t)cost;
}

/* Who came for @p a could do all that who comes for @p b can. */
static bool is_as_cheap(unsigned a, unsigned b)
{
	return a >> 8 <= b >> 8 && (a & 255) <= (b & 255);
}

/* Whether the execution has come to where another has been, with nothing left to it but to follow. */
static bool is_known(void)
{
	uint64_t state = search.state + explore_mix(memory_number_of_fences());
	unsigned cost = search.preemptions << 8 | search.stale;
	size_t i;

	for (unsigned t = 1; t < virtual_count(); t++)
		state += explore_mix((uint64_t)t << 32 ^ memory_number(virtual_waits_for(t)) ^
				     (uint64_t)(virtual_self() == t) << 63);
	state = state ? state : 1;
	if (search.used >= search.size / 2 && search.size < STATES_MAX)
		grow();
	i = place_of(state);
	if (search.states[i] == state && is_as_cheap(search.costs[i], cost))
		return true;
	if (search.states[i] ? is_as_cheap(cost, search.costs[i]) : search.used < search.size / 2)
		keep(state, cost);
	return false;
}

/* ---- the scheduler ---- */

/* Priorities, changed at a few steps drawn in advance (PCT). */
static unsigned choose_at_random(enum virtual_point point, const unsigned *ready, unsigned count)
{
	unsigned best = 0, self = virtual_self();

	for (unsigned i = 0; i < search.options.bound && i < 16; i++)
		if (search.change_at[i] == search.steps)
			search.priority[self] = i;
	if (point == VIRTUAL_LOOP)
		search.priority[self] = 0;
	for (unsigned i = 1; i < count; i++)
		if (search.priority[ready[i]] > search.priority[ready[best]])
			best = i;
	return best;
}

static unsigned pick(enum virtual_point point, const unsigned *ready, unsigned count)
{
	/* a hook is a barrier's, where stopping was chosen and paid for before */
	bool goes_on = ready[0] == virtual_self() && point != VIRTUAL_LOOP && point != VIRTUAL_HOOK;
	unsigned taken;

	if (goes_on && point != VIRTUAL_BLOCK && point != VIRTUAL_END &&
	    search.preemptions >= search.options.bound && !search.options.random)
		return 0;
	if (search.options.random && search.at >= search.length && count > 1) {
		taken = choose_at_random(point, ready, count);
		search.choices[search.at++] = (struct choice){ (uint8_t)count, (uint8_t)taken };
		search.length = search.at;
	} else {
		taken = explore_choose(count);
	}
	search.preemptions += goes_on && taken != 0;
	return taken;
}

static unsigned choose(void *context, enum virtual_point point, const unsigned *ready,
		       unsigned count)
{
	unsigned next;

	(void)context;
	if (!search.on || point == VIRTUAL_START || point == VIRTUAL_UNLOCK)
		return ready[0];
	/* a lock that one thread alone takes, a word that it alone uses */
	if ((point == VIRTUAL_LOCK || point == VIRTUAL_PARK || point == VIRTUAL_WAKE) &&
	    !memory_is_shared(virtual_object()))
		return ready[0];
	if (++search.steps == STEPS || search.at == CHOICES)
		explore_truncate();
	if (search.at >= search.length && !search.options.random && is_known())
		finish_with(END_SAME);
	next = ready[pick(point, ready, count)];
	memory_take_news(next);
	return next;
}

/* Sleeping and waking have an order, too, where it is about the same word. */
static void goes_on(void *context, enum virtual_point point, const void *object)
{
	(void)context;
	if (search.on && (point == VIRTUAL_PARK || point == VIRTUAL_WAKE))
		memory_turn(object);
}

static void stuck(void *context)
{
	char text[256] = "";
	size_t at = 0;

	(void)context;
	for (unsigned i = 1; i < virtual_count() && at < sizeof(text); i++) {
		const char *state = virtual_state(i);

		if (strcmp(state, "ready") == 0)
			state = "looks in vain";
		at += (size_t)snprintf(text + at, sizeof(text) - at, ", '%s' %s", virtual_name(i),
				       state);
	}
	explore_fail("nobody can go on: a wake-up is lost, or all wait for each other%s", text);
}

static void fail(void *context, const char *what)
{
	(void)context;
	explore_fail("%s", what);
}

static bool may_run(void *context, unsigned thread)
{
	(void)context;
	return !search.on || memory_has_news(thread);
}

static void looked(void *context)
{
	(void)context;
	if (search.on)
		memory_looked();
}

static void release(void *context, const void *object)
{
	(void)context;
	memory_release(object);
}

static void acquire(void *context, const void *object)
{
	(void)context;
	memory_acquire(object);
}

static void barrier(void *context)
{
	(void)context;
	memory_barrier();
}

static uint32_t load(void *context, const void *word)
{
	(void)context;
	return memory_load_now(word);
}

static void unmapped(void *context, const void *base, size_t size)
{
	(void)context;
	memory_gone(base, size);
}

static const struct virtual_scheduler scheduler = {
	.choose = choose,
	.goes_on = goes_on,
	.stuck = stuck,
	.fail = fail,
	.may_run = may_run,
	.looked = looked,
	.release = release,
	.acquire = acquire,
	.barrier = barrier,
	.load = load,
	.unmapped = unmapped,
};

/* ---- an execution ---- */

static void *client_thread(void *argument)
{
	search.client->threads[(uintptr_t)argument]();
	memory_end();
	if (--search.running == 0)
		virtual_wake(&search.running);
	return NULL;
}

static void client_main(void *unused)
{
	static const char *const names[] = { "A", "B", "C", "D" };
	const struct model_client *c = search.client;

	(void)unused;
	if (c->setup)
		c->setup();
	for (unsigned i = 0; i < MODEL_THREADS_MAX && c->threads[i]; i++) {
		search.running++;
		(void)virtual_start(names[i], client_thread, (void *)(uintptr_t)i);
	}
	search.on = true;
	(void)virtual_block(&search.running, DISRUPTOR_FOREVER);
	search.on = false;
	if (c->finish)
		c->finish();
	search.end = END_DONE;
}

static void run_once(void)
{
	search.at = 0;
	search.steps = 0;
	search.preemptions = 0;
	search.stale = 0;
	search.state = 0;
	search.running = 0;
	search.on = false;
	search.end = END_TRUNCATED;
	memset(search.events, 0, sizeof(search.events));
	memory_begin();
	for (unsigned i = 0; search.options.random && i < EXPLORE_THREADS; i++)
		search.priority[i] = 100 + (unsigned)(draw() % 1000);
	for (unsigned i = 0; search.options.random && i < 16; i++)
		search.change_at[i] = 1 + (unsigned)(draw() % (search.longest + 1));
	(void)virtual_run(&scheduler, client_main, NULL);
	if (search.steps > search.longest)
		search.longest = search.steps;
}

/* The last choice that has another answer gets it; false if there is none. */
static bool step_back(void)
{
	while (search.length != 0) {
		struct choice *last = &search.choices[search.length - 1];

		if (last->taken + 1 < last->count) {
			last->taken++;
			return true;
		}
		search.length--;
	}
	return false;
}

static void start_anew(void)
{
	search.length = 0;
	search.longest = 0;
	search.used = 0;
	if (search.states)
		memset(search.states, 0, search.size * sizeof(*search.states));
	search.random = search.options.seed;
	search.result.executions = 0;
	search.result.same = 0;
	search.result.truncated = 0;
}

/* How often it was begun anew, which tells the words that are shared; and the choices. */
static void note_choices(void)
{
	size_t at = 0, size = sizeof(search.result.replay);

	at += (size_t)snprintf(search.result.replay, size, "%lu", search.result.restarts);
	for (unsigned i = 0; i < search.at && at + 8 < size; i++)
		at += (size_t)snprintf(search.result.replay + at, size - at, "%c%u", i ? ',' : ':',
				       search.choices[i].taken);
}

/* Again, with a line for each access. What is shared is known by now. */
static void replay_traced(void)
{
	search.length = search.at;
	search.replays = true;
	run_once();
	search.replays = false;
}

/* The choices of a failure, read back; how many ways there were shows when they are taken. */
static void replay_given(void)
{
	const char *text = search.options.replay;
	char *end;

	if (!text || strtoul(text, &end, 10) != search.result.restarts || *end != ':')
		return;
	while (*end && search.length != CHOICES) {
		text = end + 1;
		search.choices[search.length++] =
			(struct choice){ .taken = (uint8_t)strtoul(text, &end, 10) };
		if (end == text)
			break;
	}
	search.options.replay = NULL;
}

/* False if this was the last. */
static bool go_on(void)
{
	struct explore_result *r = &search.result;

	switch (search.end) {
	case END_RESTART:
		r->restarts++;
		start_anew();
		replay_given();
		return true;
	case END_FAILED:
		r->executions++;
		r->failed = true;
		note_choices();
		return false;
	case END_SAME:
		r->same++;
		break;
	case END_TRUNCATED:
		r->truncated++;
		if (!search.options.trace)
			break;
		(void)snprintf(r->failure, sizeof(r->failure), "truncated: too long");
		r->failed = true;
		note_choices();
		return false;
	default:
		r->executions++;
	}
	if (search.options.random) {
		search.length = 0;
		return r->executions + r->truncated < search.options.random;
	}
	if (search.options.limit && r->executions + r->same + r->truncated >= search.options.limit)
		return false;
	r->complete = !step_back();
	return !r->complete;
}

struct explore_result explore(const struct model_client *client, const struct explore_options *o)
{
	search.client = client;
	search.options = *o;
	search.result = (struct explore_result){ .complete = false };
	memory_forget();
	start_anew();
	if (!search.states)
		grow();
	replay_given();
	do
		run_once();
	while (go_on());
	search.result.states = search.used;
	search.result.depth = search.longest;
	if (search.result.failed && o->trace)
		replay_traced();
	return search.result;
}

enum disruptor_rung model_rung(void)
{
	return search.options.rung;
}

void model_failed(const char *what, const char *file, unsigned line)
{
	explore_fail("%s:%u: does not hold: %s", file, line, what);
}

void model_pause(void)
{
	looked(NULL);
	virtual_point(VIRTUAL_LOOP);
}
