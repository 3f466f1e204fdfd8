/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A sequential model of a ring, driven by random operations beside the real one and compared after
 * each. It knows what every position is, and nothing of how a ring finds that out.
 *
 * DISRUPTOR_TEST_SEED=… runs the one seed that a failure has printed.
 */
#include "fixture.h"

#include "jump.h"

#include <string.h>

#define STEPS 400
#define SEEDS (FIXTURE_TSAN || DISRUPTOR_ASAN ? 100 : 1000)
#define MAX_POSITIONS (STEPS * 8 + 16)
#define PRODUCERS 2
#define CONSUMERS 3

/* ---- the model ---- */

enum what { NOTHING, CLAIMED, PUBLISHED, VOIDED };

struct model_producer {
	bool open;
	uint64_t front, end; /* its open run */
};

struct model_consumer {
	bool attached;
	uint64_t next, read;
	uint64_t batch;
	bool polled;    /* what is handed out came from poll() */
	unsigned after; /* a bit for each consumer before it */
};

static struct model {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	uint64_t capacity, base, claimed, end, voids;
	/*
	 * The last lap's position in whose slot a claim may have been noted that met the close: where
	 * that may have been a void it is one from then on. Or beyond all.
	 */
	uint64_t doubtful;
	bool closed;
	enum what what[MAX_POSITIONS]; /* of position base + i */
	uint64_t value[MAX_POSITIONS];
	struct model_producer p[PRODUCERS];
	struct model_consumer c[CONSUMERS];
} m;

static enum what *at(uint64_t position)
{
	return &m.what[position - m.base];
}

static uint64_t slowest(void)
{
	uint64_t low = m.claimed;

	for (int i = 0; i < CONSUMERS; i++)
		if (m.c[i].attached && m.c[i].next < low)
			low = m.c[i].next;
	return low;
}

static uint64_t room(void)
{
	return m.capacity - (m.claimed - slowest());
}

/* How far consumer @p c could see if it looked at everything. */
static uint64_t visible(const struct model_consumer *c)
{
	uint64_t upto = m.claimed;

	for (int i = 0; i < CONSUMERS; i++)
		if ((c->after >> i & 1) && m.c[i].next < upto)
			upto = m.c[i].next;
	return upto;
}

static bool is_there(const struct model_consumer *c, uint64_t position, enum what what)
{
	return position < visible(c) && *at(position) == what;
}

/* What a look hands out: voids right at the front are passed, then events up to anything else. */
static uint64_t look(struct model_consumer *c, uint64_t from, uint64_t most)
{
	uint64_t n = 0;

	if (from == c->next) {
		while (is_there(c, c->next, VOIDED))
			c->next++;
		from = c->next;
	}
	while (n < most && is_there(c, from + n, PUBLISHED))
		n++;
	c->read = from + n;
	return n;
}

/* 0 if producer @p p may claim one at least, else why not. */
static int refusal(const struct model_producer *p, uint64_t least)
{
	if (least == 0)
		return DISRUPTOR_E_INVAL;
	if (least > m.capacity)
		return DISRUPTOR_E_TOO_BIG;
	if (m.closed)
		return DISRUPTOR_E_CLOSED;
	if (p->front != p->end && p->end != m.claimed)
		return DISRUPTOR_E_BUSY;
	return room() < least ? DISRUPTOR_E_FULL : 0;
}

static void take_claim(struct model_producer *p, uint64_t n)
{
	if (p->front == p->end)
		p->front = m.claimed;
	for (uint64_t i = 0; i < n; i++)
		*at(m.claimed + i) = CLAIMED;
	m.claimed += n;
	p->end = m.claimed;
}

/* The first @p n of the run become @p what; on a packed ring voids are claimed again. */
static void settle(struct model_producer *p, uint64_t n, enum what what)
{
	if (what == VOIDED && m.layout == DISRUPTOR_PACKED) {
		for (uint64_t i = p->front; i < p->end; i++)
			*at(i) = NOTHING;
		m.claimed = p->end = p->front;
		if (m.closed)
			m.end = m.claimed;
		return;
	}
	m.voids += what == VOIDED ? n : 0;
	for (uint64_t i = 0; i < n; i++)
		*at(p->front + i) = what;
	p->front += n;
}

static int abort_refusal(const struct model_producer *p, uint64_t n)
{
	if (n == 0 || n > p->end - p->front)
		return DISRUPTOR_E_INVAL;
	if (m.layout == DISRUPTOR_PACKED && n != p->end - p->front)
		return DISRUPTOR_E_UNSUPPORTED;
	return 0;
}

/* The lowest claimed position that is neither published nor given up; `claimed` if none is. */
static uint64_t hole(void)
{
	uint64_t position = m.base;

	while (position < m.claimed && *at(position) != CLAIMED)
		position++;
	return position;
}

/* ---- the real one beside it ---- */

static struct {
	struct disruptor_ring *ring;
	struct tick_producer p[PRODUCERS];
	struct tick_consumer c[CONSUMERS];
	uint64_t seed, random;
	int step;
	const char *doing;
} real;

static void expect(const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		fail_msg("seed %llu (%s, %s, capacity %llu) step %d, %s: %s is %lld, not %lld; "
			 "run again with DISRUPTOR_TEST_SEED=%llu",
			 (unsigned long long)real.seed,
			 m.layout == DISRUPTOR_PACKED ? "packed" : "stamped",
			 m.producers == DISRUPTOR_MANY ? "many" : "single",
			 (unsigned long long)m.capacity, real.step, real.doing, what,
			 (long long)got, (long long)wanted, (unsigned long long)real.seed);
}

static uint64_t below(uint64_t n)
{
	return next_random(&real.random) % n;
}

static void compare_positions(void)
{
	uint64_t from = m.claimed - m.base > 2 * m.capacity ? m.claimed - 2 * m.capacity : m.base;
	uint64_t lowest = 0;
	bool found = disruptor_ring_unpublished(real.ring, &lowest, NULL);

	for (uint64_t p = from; p < m.claimed + 2; p++) {
		bool current = p < m.claimed && m.claimed - p <= m.capacity;

		if (p == m.doubtful && !disruptor_ring_published(real.ring, p))
			continue;
		expect("published", (uint64_t)disruptor_ring_published(real.ring, p),
		       current && *at(p) == PUBLISHED);
	}
	expect("unpublished", found, hole() != m.claimed);
	if (found)
		expect("the lowest unpublished", lowest, hole());
}

static void compare(void)
{
	struct disruptor_ring_stats s = disruptor_ring_stats(real.ring);
	uint64_t consumers = 0, producers = 0;

	for (int i = 0; i < CONSUMERS; i++) {
		consumers += m.c[i].attached;
		if (!m.c[i].attached)
			continue;
		expect("a consumer's position", disruptor_consumer_position(&real.c[i].view),
		       m.c[i].next);
		expect("finished", (uint64_t)disruptor_consumer_finished(&real.c[i].view),
		       m.closed && m.c[i].next >= m.end);
	}
	for (int i = 0; i < PRODUCERS; i++) {
		producers += m.p[i].open;
		if (m.p[i].open)
			expect("an open run", disruptor_claimed(&real.p[i].view),
			       m.p[i].end - m.p[i].front);
	}
	expect("claimed", s.claimed, m.claimed);
	expect("released", s.released, slowest());
	expect("remaining", s.remaining, room());
	expect("voids", s.voids, m.voids);
	expect("consumers", s.consumers, consumers);
	expect("producers", s.open_producers, producers);
	expect("closed", s.state != 0, m.closed);
	compare_positions();
}

/* ---- operations ---- */

static void do_claim(int i)
{
	uint64_t n = below(m.capacity + 2), from, taken;
	bool up_to = below(3) == 0;
	int code;

	if (up_to && n > 0 && n <= m.capacity) {
		code = refusal(&m.p[i], 1);
		taken = code != 0 ? 0 : n < room() ? n : room();
		expect("claim_up_to", tick_claim_up_to(&real.p[i], n), taken);
	} else {
		code = refusal(&m.p[i], n);
		taken = code == 0 ? n : 0;
		expect("claim",
		       (below(2) ? disruptor_claim_n(&real.p[i].view, n)
				 : disruptor_try_claim_n(&real.p[i].view, n)) != NULL,
		       taken != 0);
	}
	if (taken == 0 && code == DISRUPTOR_E_CLOSED && m.voids > 0)
		m.doubtful = m.claimed - m.capacity; /* beyond all in the first lap */
	if (taken == 0) {
		expect("the status", (uint64_t)(int64_t)tick_status(&real.p[i]),
		       (uint64_t)(int64_t)code);
		return;
	}
	take_claim(&m.p[i], taken);
	from = m.p[i].end - m.p[i].front - taken;
	for (uint64_t k = from; k < from + taken; k++) {
		uint64_t value = next_random(&real.random);

		tick_claimed_at(&real.p[i], k)->value = value;
		m.value[m.p[i].front + k - m.base] = value;
	}
	expect("the run's front", disruptor_producer_position(&real.p[i].view), m.p[i].front);
}

static void do_publish(int i)
{
	uint64_t run = m.p[i].end - m.p[i].front, n = below(3) == 0 ? run : below(run + 2);
	bool possible = n > 0 && n <= run;
	int code = n == run && below(2) ? tick_publish(&real.p[i]) : tick_publish_n(&real.p[i], n);

	expect("publish", (uint64_t)(int64_t)code,
	       (uint64_t)(int64_t)(possible ? 0 : DISRUPTOR_E_INVAL));
	if (possible)
		settle(&m.p[i], n, PUBLISHED);
}

static void do_abort(int i)
{
	uint64_t run = m.p[i].end - m.p[i].front, n = below(3) == 0 ? run : below(run + 2);
	int code = abort_refusal(&m.p[i], n);

	expect("abort", (uint64_t)(int64_t)disruptor_abort_n(&real.p[i].view, n),
	       (uint64_t)(int64_t)code);
	if (code == 0)
		settle(&m.p[i], n, VOIDED);
}

/* Close the view, or open it again. */
static void do_producer(int i)
{
	const struct disruptor_producer_options po = { .size = sizeof(po),
						       .overflow = DISRUPTOR_FAIL };

	if (m.producers == DISRUPTOR_SINGLE && i > 0)
		return;
	if (m.p[i].open) {
		expect("close", (uint64_t)tick_producer_close(&real.p[i]), 0);
		if (m.p[i].front != m.p[i].end)
			settle(&m.p[i], m.p[i].end - m.p[i].front, VOIDED);
		m.p[i].open = false;
	}
	expect("open", (uint64_t)tick_producer_open(&real.p[i], real.ring, &po), 0);
	m.p[i] = (struct model_producer){ true, m.claimed, m.claimed };
}

static void check_value(const struct tick *t, uint64_t position)
{
	expect("an event", t->value, m.value[position - m.base]);
}

static void do_ready(int i)
{
	struct model_consumer *c = &m.c[i];
	uint64_t n;

	if (c->read != c->next && c->polled)
		return; /* not to be mixed */
	c->polled = false;
	n = look(c, c->next, c->batch);
	if (below(2)) {
		expect("ready", tick_ready(&real.c[i]), n);
	} else {
		int64_t none = m.closed && c->next >= m.end ? DISRUPTOR_E_CLOSED
							    : DISRUPTOR_E_TIMEOUT;

		expect("ready_until", (uint64_t)tick_ready_until(&real.c[i], 0),
		       n ? n : (uint64_t)none);
	}
	for (uint64_t k = 0; k < n; k++)
		check_value(tick_at(&real.c[i], k), c->next + k);
}

static void do_poll(int i)
{
	struct model_consumer *c = &m.c[i];
	uint64_t limit = 1 + below(m.capacity + 1), read, n, to_wrap;
	struct disruptor_span span;

	c->polled = true;
	n = look(c, c->read, limit);
	read = c->read - n;
	to_wrap = m.capacity - (read & (m.capacity - 1));
	n = n < to_wrap ? n : to_wrap;
	c->read = read + n;
	expect("poll", disruptor_consumer_poll(&real.c[i].view, limit, &span), n);
	expect("the span's position", span.position, read);
	for (uint64_t k = 0; k < n; k++)
		check_value((void *)((unsigned char *)span.first + k * span.stride), read + k);
}

static void do_release(int i)
{
	uint64_t held = m.c[i].read - m.c[i].next, n = below(2) ? held : below(held + 2);
	int code = n <= held ? 0 : DISRUPTOR_E_INVAL;

	expect("release", (uint64_t)(int64_t)tick_release(&real.c[i], n), (uint64_t)(int64_t)code);
	if (code == 0)
		m.c[i].next += n;
}

static unsigned dependants(int i)
{
	unsigned found = 0;

	for (int k = 0; k < CONSUMERS; k++)
		found += m.c[k].attached && (m.c[k].after >> i & 1);
	return found;
}

static void do_attach(int i)
{
	const struct disruptor_consumer *after[CONSUMERS];
	struct disruptor_consumer_options co = { .size = sizeof(co), .after = after };
	unsigned set = 0;

	for (int k = 0; k < CONSUMERS; k++)
		if (m.c[k].attached && below(2)) {
			set |= 1u << k;
			after[co.after_count++] = &real.c[k].view;
		}
	co.batch = (uint32_t)(1 + below(m.capacity));
	expect("attach", (uint64_t)tick_consumer_open(&real.c[i], real.ring, &co), 0);
	m.c[i] = (struct model_consumer){ true, hole(), hole(), co.batch, false, set };
}

static void do_detach(int i)
{
	int code = dependants(i) ? DISRUPTOR_E_BUSY : 0;

	if (i == 0)
		return; /* the first stays: without a consumer nothing can be claimed */
	expect("detach", (uint64_t)(int64_t)tick_consumer_close(&real.c[i]),
	       (uint64_t)(int64_t)code);
	m.c[i].attached = code != 0;
}

static void do_close(int unused)
{
	(void)unused;
	disruptor_ring_close(real.ring);
	if (!m.closed)
		m.end = m.claimed;
	m.closed = true;
}

static void do_reopen(int unused)
{
	bool possible = !m.closed || hole() == m.claimed;

	(void)unused;
	expect("reopen", (uint64_t)(int64_t)disruptor_ring_reopen(real.ring),
	       (uint64_t)(int64_t)(possible ? 0 : DISRUPTOR_E_STATE));
	if (possible)
		m.closed = false;
}

enum whose { A_PRODUCERS, A_CONSUMERS, THE_RINGS };

static const struct {
	unsigned share; /* of a hundred */
	enum whose whose;
	const char *name;
	void (*run)(int who);
} operations[] = {
	{ 22, A_PRODUCERS, "claim", do_claim },
	{ 18, A_PRODUCERS, "publish", do_publish },
	{ 7, A_PRODUCERS, "abort", do_abort },
	{ 2, A_PRODUCERS, "close and open", do_producer },
	{ 16, A_CONSUMERS, "ready", do_ready },
	{ 8, A_CONSUMERS, "poll", do_poll },
	{ 20, A_CONSUMERS, "release", do_release },
	{ 3, A_CONSUMERS, "detach", do_detach },
	{ 1, THE_RINGS, "close", do_close },
	{ 3, THE_RINGS, "reopen", do_reopen },
};

/* A consumer that is not attached is so first, whatever was to be done with it. */
static void one_step(void)
{
	int who = 0;
	uint64_t dice = below(100);
	size_t i = 0;

	while (dice >= operations[i].share)
		dice -= operations[i++].share;
	real.doing = operations[i].name;
	if (operations[i].whose == A_PRODUCERS && m.producers == DISRUPTOR_MANY)
		who = (int)below(PRODUCERS);
	if (operations[i].whose == A_CONSUMERS)
		who = (int)below(CONSUMERS);
	if (operations[i].whose == A_CONSUMERS && !m.c[who].attached) {
		real.doing = "attach";
		do_attach(who);
		return;
	}
	operations[i].run(who);
}

static void begin(size_t mode, uint64_t capacity, uint64_t base)
{
	struct disruptor_options o = fixture_options(capacity);

	memset(&m, 0, sizeof(m));
	o.layout = m.layout = mode == 2 ? DISRUPTOR_PACKED : DISRUPTOR_STAMPED;
	o.producers = m.producers = mode == 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	m.capacity = capacity;
	m.base = m.claimed = base;
	m.doubtful = UINT64_MAX;
	real.ring = ring_open(&o);
	ring_jump(real.ring, base);
	do_attach(0);
	for (int i = 0; i < PRODUCERS; i++)
		do_producer(i);
}

static void finish(void)
{
	bool left = true;

	for (int i = 0; i < PRODUCERS; i++)
		if (m.p[i].open)
			assert_code(tick_producer_close(&real.p[i]), 0);
	while (left) { /* dependants first */
		left = false;
		for (int i = 0; i < CONSUMERS; i++)
			if (m.c[i].attached) {
				m.c[i].attached = tick_consumer_close(&real.c[i]) != 0;
				left = left || m.c[i].attached;
			}
	}
	ring_close(&real.ring);
}

static void run(uint64_t seed)
{
	static const uint64_t bases[] = { 0, 0, UINT32_MAX - 40, UINT64_C(1) << 33 };

	real.seed = seed;
	real.random = seed;
	for (int i = 0; i < 8; i++)
		(void)next_random(&real.random);
	real.step = -1;
	real.doing = "begin";
	begin(below(3), UINT64_C(1) << below(4), bases[below(COUNT(bases))]);
	for (real.step = 0; real.step < STEPS; real.step++) {
		one_step();
		compare();
	}
	finish();
}

TEST(a_ring_does_what_the_model_does)
{
	uint64_t one = fixture_seed(0);

	if (one) {
		run(one);
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(seed * UINT64_C(0x9e3779b97f4a7c15) | 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { RUN(a_ring_does_what_the_model_does) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
