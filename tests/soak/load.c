/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who works on a graph from outside: producers, consumers without a stage, readers. */
#define _POSIX_C_SOURCE 200809L
#include "soak.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>

/* Mostly nothing; burns some µs, or sleeps some hundred, or rarely some ms. */
void random_stall(uint64_t *random)
{
	const uint64_t dice = next_random(random) % 65536;
	struct timespec t = { .tv_nsec = (long)(next_random(random) % 300000) };

	if (dice >= 400)
		return;
	if (dice < 4)
		t.tv_nsec *= 40;
	if (dice < 100) {
		nanosleep(&t, NULL);
	} else if (dice < 200) {
		sched_yield();
	} else {
		uint64_t until = disruptor_in(next_random(random) % 20000);

		while (disruptor_now() < until)
			;
	}
}

/* Stand aside until the graph has been started again. */
static void park(struct world *w)
{
	uint64_t seen;

	pthread_mutex_lock(&w->lock);
	seen = w->generation;
	w->parked++;
	pthread_cond_broadcast(&w->changed);
	while (w->generation == seen && !is_set(&w->over))
		pthread_cond_wait(&w->changed, &w->lock);
	w->parked--;
	pthread_mutex_unlock(&w->lock);
}

static void leave(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->live--;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* ---- producers ---- */

static void open_source(struct worker *s, struct load_producer *p)
{
	struct disruptor_producer_options o = { .size = sizeof(o),
						.name = "source",
						.wait = random_wait(&s->random) };

	o.overflow = (enum disruptor_overflow)random_in(&s->random, 0, DISRUPTOR_DROP);
	o.timeout_ns = random_in(&s->random, 1000, 3000000);
	if (load_producer_open(p, s->w->ring, &o) != 0)
		die(s->w, "producer: %s", disruptor_error_detail());
}

static void fill(struct worker *s, struct load *e, uint64_t position)
{
	e->source = s->index;
	e->number = s->sent++;
	e->position = position;
	e->words[0] = next_random(&s->random);
	e->words[1] = ~e->words[0];
	e->mark = 0;
	e->sum = sum_of(e);
}

/* Publish and give up what is claimed, in parts. */
static void settle(struct worker *s, struct load_producer *p)
{
	const bool packed = s->w->options.layout == DISRUPTOR_PACKED;
	uint64_t left;

	while ((left = disruptor_claimed(&p->view)) != 0) {
		uint64_t n = one_in(&s->random, 3) ? random_in(&s->random, 1, left) : left;
		int rc;

		if (one_in(&s->random, 40)) {
			rc = disruptor_abort_n(&p->view, packed ? left : n);
			count_by(ABORTS, 1);
		} else {
			for (uint64_t i = 0; i < n; i++)
				fill(s, disruptor_claimed_at(&p->view, i),
				     disruptor_producer_position(&p->view) + i);
			random_stall(&s->random);
			rc = load_publish_n(p, n);
		}
		if (rc != 0)
			die(s->w, "producer %u: %s", s->index, disruptor_error_name(rc));
	}
}

/* Some slots, one way or another; how many, 0 if there was no room. */
static uint64_t claim_some(struct worker *s, struct load_producer *p)
{
	const uint64_t most = s->w->options.capacity < 8 ? s->w->options.capacity : 8;
	const uint64_t n = one_in(&s->random, 2) ? 1 : random_in(&s->random, 1, most);

	switch (next_random(&s->random) % 5) {
	case 0:
		return disruptor_try_claim_n(&p->view, n) ? n : 0;
	case 1:
		return disruptor_claim_until(&p->view, n, disruptor_in(n * 100000)) ? n : 0;
	case 2:
		return load_claim_up_to(p, n);
	default:
		return disruptor_claim_n(&p->view, n) ? n : 0;
	}
}

static uint64_t publish_copies(struct worker *s, struct load_producer *p)
{
	const uint64_t n = s->w->options.capacity < 3 ? 1 : random_in(&s->random, 1, 3);
	const uint64_t before = s->sent;
	struct load e[3];
	int rc;

	for (uint64_t i = 0; i < n; i++)
		fill(s, &e[i], UNKNOWN);
	rc = load_publish_copy(p, e, n);
	if (rc != 0)
		s->sent = before;
	return rc == 0 ? n : 0;
}

/* Why a claim was refused; false if the graph has to be started again first. */
static bool bear(struct worker *s, struct load_producer *p)
{
	switch (load_status(p)) {
	case DISRUPTOR_E_CLOSED:
	case DISRUPTOR_E_FAILED:
		return false;
	case DISRUPTOR_E_FULL:
	case DISRUPTOR_E_TIMEOUT:
	case DISRUPTOR_E_DROPPED:
		random_pause(&s->random);
		return true;
	default:
		die(s->w, "producer %u: claim: %s; %s", s->index,
		    disruptor_error_name(load_status(p)), disruptor_error_detail());
	}
}

void produce(void *worker)
{
	struct worker *s = worker;
	struct load_producer p;

	open_source(s, &p);
	while (!is_set(&s->w->finish)) {
		uint64_t n = one_in(&s->random, 8) ? publish_copies(s, &p) : claim_some(s, &p);

		if (n == 0 && !bear(s, &p)) {
			park(s->w);
			continue;
		}
		settle(s, &p);
		if (is_set(&s->w->halt))
			park(s->w);
		if (one_in(&s->random, 300)) /* a long pause: those behind go to sleep */
			pause_ms((unsigned)random_in(&s->random, 1, 4));
		if (one_in(&s->random, 400)) {
			if (load_producer_close(&p) != 0)
				die(s->w, "producer: close: %s", disruptor_error_detail());
			count_by(REOPENED, 1);
			open_source(s, &p);
		}
	}
	if (load_producer_close(&p) != 0)
		die(s->w, "producer: close: %s", disruptor_error_detail());
	leave(s->w);
}

/* ---- consumers ---- */

struct session {
	struct worker *c;
	struct load_consumer view;
	bool behind; /* it comes after a stage */
	bool polls;
};

static void open_session(struct session *s)
{
	struct worker *c = s->c;
	struct world *w = c->w;
	struct node *n = &w->node[random_in(&c->random, 0, w->shape.count - 1)];
	const struct disruptor_consumer *after;
	struct disruptor_consumer_options o = { .size = sizeof(o),
						.name = "reader",
						.wait = random_wait(&c->random) };

	s->behind = n->kind != POOL && n->kind != KEYED && one_in(&c->random, 2);
	s->polls = one_in(&c->random, 3);
	after = s->behind ? disruptor_stage_consumer(n->stage) : NULL;
	o.after = &after;
	o.after_count = s->behind;
	o.at = one_in(&c->random, 2) ? DISRUPTOR_AT_OLDEST : DISRUPTOR_AT_NEWEST;
	o.batch = (uint32_t)random_in(&c->random, 0,
				      w->options.capacity < 32 ? w->options.capacity : 32);
	if (load_consumer_open(&s->view, w->ring, &o) != 0)
		die(w, "consumer: %s", disruptor_error_detail());
	c->view = (struct view){ .next = disruptor_consumer_position(&s->view.view) };
	count_by(SESSIONS, 1);
}

static uint64_t soon(struct session *s)
{
	/* behind a stage that has ended nobody ends its wait */
	if (!s->behind && one_in(&s->c->random, 8))
		return DISRUPTOR_FOREVER;
	return disruptor_in(random_in(&s->c->random, 1000, 3000000));
}

/* Wait by the descriptor. */
static int64_t wait_by_poll(struct session *s)
{
	struct pollfd p = { .events = POLLIN };
	int64_t n;

	p.fd = disruptor_consumer_fd(&s->view.view);
	if (p.fd < 0)
		die(s->c->w, "descriptor: %s", disruptor_error_detail());
	n = disruptor_consumer_arm(&s->view.view);
	if (n != 0)
		return n;
	(void)poll(&p, 1, 2);
	return disruptor_consumer_arm(&s->view.view);
}

static int64_t wait_somehow(struct session *s)
{
	struct disruptor_consumer *one = &s->view.view;
	int64_t n;

	switch (next_random(&s->c->random) % 4) {
	case 0:
		return (int64_t)load_ready(&s->view);
	case 1:
		return wait_by_poll(s);
	case 2:
		n = disruptor_wait_any(&one, 1, soon(s));
		return n < 0 ? n : load_ready_until(&s->view, 0);
	default:
		return load_ready_until(&s->view, soon(s));
	}
}

static void check_span(struct session *s, const struct disruptor_span *span)
{
	for (uint64_t i = 0; i < span->count; i++)
		view_event(s->c->w, &s->c->view,
			   (void *)((unsigned char *)span->first + i * span->stride),
			   span->position + i, "a consumer");
}

static void release_span(struct session *s, const struct disruptor_span *span)
{
	check_span(s, span);
	if (load_release(&s->view, span->count) != 0)
		die(s->c->w, "consumer: release of a span");
}

/*
 * By polls; and where there is nothing, by a wait. What that names counts as handed out: all of it
 * is released before the next poll.
 */
static bool poll_some(struct session *s)
{
	struct disruptor_span span;
	int64_t n;

	if (disruptor_consumer_poll(&s->view.view, 8, &span) != 0) {
		release_span(s, &span);
		return true;
	}
	n = load_ready_until(&s->view, soon(s));
	if (n == DISRUPTOR_E_CLOSED || n == DISRUPTOR_E_FAILED)
		return false;
	while (disruptor_ready_span(&s->view.view, &span) != 0)
		release_span(s, &span);
	return true;
}

/* One look; false if the ring has ended for now. */
static bool consume_some(struct session *s)
{
	struct worker *c = s->c;
	int64_t n;

	if (s->polls)
		return poll_some(s);
	n = wait_somehow(s);
	if (n == DISRUPTOR_E_CLOSED || n == DISRUPTOR_E_FAILED)
		return false;
	if (n < 0 && n != DISRUPTOR_E_TIMEOUT)
		die(c->w, "consumer: %s: %s", disruptor_error_name((int)n),
		    disruptor_error_detail());
	for (int64_t i = 0; i < n; i++)
		view_event(c->w, &c->view, load_at(&s->view, (uint64_t)i),
			   disruptor_consumer_position(&s->view.view) + (uint64_t)i, "a consumer");
	random_stall(&c->random);
	if (n > 0 && load_release(&s->view, (uint64_t)n) != 0)
		die(c->w, "consumer: release");
	return true;
}

/* It was open to the end: it has seen all that was sent. */
static void check_end(struct session *s)
{
	struct world *w = s->c->w;

	if (s->behind) /* it may not have had the time */
		return;
	for (uint32_t i = 0; i < w->sources; i++)
		if ((s->c->view.known >> i & 1) && s->c->view.number[i] != w->source[i].sent)
			die(w, "consumer: has seen %llu of producer %u, which has sent %llu",
			    (unsigned long long)s->c->view.number[i], i,
			    (unsigned long long)w->source[i].sent);
}

void consume(void *worker)
{
	struct worker *c = worker;
	struct session s = { .c = c };

	open_session(&s);
	for (;;) {
		if (!consume_some(&s)) {
			if (is_set(&c->w->over))
				break;
			park(c->w);
			continue;
		}
		if (is_set(&c->w->over) && s.behind)
			break;
		if (is_set(&c->w->halt))
			park(c->w);
		if (one_in(&c->random, 200) && !is_set(&c->w->over)) {
			if (load_consumer_close(&s.view) != 0)
				die(c->w, "consumer: close: %s", disruptor_error_detail());
			random_pause(&c->random);
			open_session(&s);
		}
	}
	check_end(&s);
	if (load_consumer_close(&s.view) != 0)
		die(c->w, "consumer: close: %s", disruptor_error_detail());
	leave(c->w);
}

/* ---- who holds nobody back ---- */

/* Its events may have gaps, and go forward only. */
static void check_newer(struct world *w, struct view *v, const struct load *e, uint64_t position,
			const char *who)
{
	if ((v->known >> e->source & 1) && e->number < v->number[e->source])
		v->known = 1u << SOURCES; /* say so below */
	if (v->known >> SOURCES || position < v->next || e->sum != sum_of(e))
		die(w, "%s: at %llu number %llu of producer %llu, after %llu and %llu", who,
		    (unsigned long long)position, (unsigned long long)e->number,
		    (unsigned long long)e->source, (unsigned long long)v->next,
		    (unsigned long long)(e->source < SOURCES ? v->number[e->source] : 0));
	v->known |= 1u << e->source;
	v->number[e->source] = e->number + 1;
	v->next = position + 1;
}

void read_lossily(void *worker)
{
	struct worker *r = worker;
	const struct disruptor_reader_options o = { .size = sizeof(o),
						    .wait = random_wait(&r->random) };
	struct load_reader reader;
	struct load e;
	int rc;

	if (load_reader_open(&reader, r->w->ring, &o) != 0)
		die(r->w, "lossy reader: %s", disruptor_error_detail());
	for (;;) {
		rc = load_reader_next_until(&reader, &e, disruptor_in(2000000));
		if (rc == DISRUPTOR_E_CLOSED || rc == DISRUPTOR_E_FAILED) {
			if (is_set(&r->w->over))
				break;
			park(r->w);
			continue;
		}
		if (rc != 1 && rc != DISRUPTOR_E_TIMEOUT)
			die(r->w, "lossy reader: %s", disruptor_error_name(rc));
		if (rc == 1) {
			check_newer(r->w, &r->view, &e, disruptor_reader_position(&reader.view) - 1,
				    "a lossy reader");
			count_by(READ, 1);
		}
		random_stall(&r->random);
		if (one_in(&r->random, 500))
			(void)disruptor_reader_skip_to_newest(&reader.view);
		if (is_set(&r->w->halt))
			park(r->w);
	}
	count_by(MISSED, disruptor_reader_missed(&reader.view));
	if (load_reader_close(&reader) != 0)
		die(r->w, "lossy reader: close");
	leave(r->w);
}

/* Until the table is closed; then it has the last event of every producer. */
void take_latest(void *worker)
{
	struct worker *t = worker;
	struct world *w = t->w;
	uint64_t position;
	struct load e;
	int rc;

	while ((rc = disruptor_conflate_take_until(w->table, &e, &position, DISRUPTOR_FOREVER)) ==
	       1) {
		if (e.sum != sum_of(&e) || e.source >= SOURCES)
			die(w, "a table's event is torn");
		if (e.number < w->latest[e.source])
			die(w, "a table: number %llu of producer %llu after %llu",
			    (unsigned long long)e.number, (unsigned long long)e.source,
			    (unsigned long long)w->latest[e.source]);
		w->latest[e.source] = e.number + 1;
		count_by(TAKEN, 1);
		random_stall(&t->random);
	}
	if (rc != DISRUPTOR_E_CLOSED)
		die(w, "a table: %s", disruptor_error_name(rc));
	for (uint32_t i = 0; i < w->sources; i++)
		if (w->latest[i] != w->source[i].sent)
			die(w, "a table: the last of producer %u was %llu of %llu", i,
			    (unsigned long long)w->latest[i],
			    (unsigned long long)w->source[i].sent);
}

/* ---- who completes what deferred stages have read, and who drives ---- */

void reap_deferred(void *worker)
{
	struct worker *r = worker;
	struct world *w = r->w;

	while (!is_set(&r->ended)) {
		for (uint32_t i = 0; i < w->shape.count; i++) {
			struct disruptor_stage *s = w->node[i].stage;

			if (w->node[i].kind == DEFERRED &&
			    disruptor_stage_release(s, disruptor_stage_read(s)) != 0)
				die(w, "release: %s", disruptor_error_detail());
		}
		random_pause(&r->random);
	}
}

void drive(void *worker)
{
	struct worker *r = worker;
	struct world *w = r->w;

	while (!is_set(&r->ended)) {
		int64_t n = one_in(&r->random, 2)
				    ? disruptor_poll(w->d, random_in(&r->random, 1, 64))
				    : disruptor_poll_until(w->d, random_in(&r->random, 1, 64),
							   disruptor_in(1000000));

		if (n < 0 && n != DISRUPTOR_E_TIMEOUT && n != DISRUPTOR_E_CLOSED &&
		    n != DISRUPTOR_E_FAILED && n != DISRUPTOR_E_STATE && n != DISRUPTOR_E_BUSY)
			die(w, "poll: %s: %s", disruptor_error_name((int)n),
			    disruptor_error_detail());
		if (n <= 0 && n != DISRUPTOR_E_TIMEOUT)
			random_pause(&r->random);
		if (n < 0 && n != DISRUPTOR_E_TIMEOUT)
			pause_ms(1);
	}
}
