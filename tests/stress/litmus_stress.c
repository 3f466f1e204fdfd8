/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T66, T67: the library's own inline functions as litmus tests. Message
 * passing: who sees an event published sees all its bytes; who may claim a slot
 * again does not write under a reader. Store buffering: who publishes and who
 * goes to sleep cannot both miss the other.
 *
 * ../lint/lto also builds this file and the library as one -O3 unit, without
 * assertions and hooks, so that the optimiser sees both ends of every edge.
 */
#include "stress.h"

#include <sched.h>
#include <string.h>

#define WORDS 15
#define PRODUCERS 3

/* Every word says the same, so a torn event shows. */
struct message {
	uint64_t word[WORDS];
};

static const struct disruptor_type message_type = { .name = "message",
						    .size = sizeof(struct message),
						    .align = 8 };

struct litmus {
	struct disruptor_ring *ring;
	struct disruptor_wait wait;
	struct progress progress;
	struct disruptor_consumer consumer[2];
	uint64_t sent[PRODUCERS], got[2], torn[2];
	unsigned sources;
	DISRUPTOR_ATOMIC(uint32_t) next_source;
	DISRUPTOR_ATOMIC(uint32_t) next_reader;
};

static void write_messages(void *argument)
{
	struct litmus *l = argument;
	uint32_t me = disruptor_fetch_add_relaxed(&l->next_source, 1u);
	struct disruptor_producer_options options = { .size = sizeof(options), .wait = l->wait };
	struct budget budget = budget_of(2000000, 120);
	struct disruptor_producer p;

	if (disruptor_producer_open(&p, l->ring, &message_type, &options) != 0)
		return;
	while (budget_take(&budget)) {
		struct message *m = disruptor_claim(&p);

		if (!m)
			break;
		for (size_t i = 0; i < WORDS; i++)
			m->word[i] = disruptor_producer_position(&p);
		(void)disruptor_publish(&p);
		l->sent[me]++;
		if (l->sent[me] % 64 == 0)
			progress_made(&l->progress);
	}
	(void)disruptor_producer_close(&p);
}

static void read_messages(void *argument)
{
	struct litmus *l = argument;
	uint32_t me = disruptor_fetch_add_relaxed(&l->next_reader, 1u);
	struct disruptor_consumer *c = &l->consumer[me];
	int64_t n;

	while ((n = disruptor_ready_until(c, DISRUPTOR_FOREVER)) > 0) {
		for (uint64_t k = 0; k < (uint64_t)n; k++) {
			const struct message *m = disruptor_at(c, k);
			uint64_t position = disruptor_consumer_position(c) + k;

			for (size_t i = 0; i < WORDS; i++)
				l->torn[me] += m->word[i] != position;
		}
		l->got[me] += (uint64_t)n;
		(void)disruptor_release(c, (uint64_t)n);
		progress_made(&l->progress);
	}
}

/* The second consumer after the first, or beside it. */
static void litmus_open(struct litmus *l, struct disruptor_options *options, bool in_series)
{
	struct disruptor_consumer_options o = { .size = sizeof(o), .wait = l->wait };
	const struct disruptor_consumer *after[] = { &l->consumer[0] };

	assert_code(disruptor_ring_create(&l->ring, &message_type, options), 0);
	assert_code(disruptor_consumer_open(&l->consumer[0], l->ring, &message_type, &o), 0);
	o.after = after;
	o.after_count = in_series ? 1 : 0;
	assert_code(disruptor_consumer_open(&l->consumer[1], l->ring, &message_type, &o), 0);
}

static void pass_messages(uint64_t capacity, enum disruptor_layout layout, unsigned sources,
			  bool in_series, struct disruptor_wait wait)
{
	struct disruptor_options options = fixture_options(capacity);
	struct runner thread[PRODUCERS + 2];
	struct litmus l;
	uint64_t sent = 0;

	memset(&l, 0, sizeof(l));
	l.wait = wait;
	options.layout = layout;
	options.producers = sources > 1 ? DISRUPTOR_MANY : DISRUPTOR_SINGLE;
	litmus_open(&l, &options, in_series);
	for (unsigned i = 0; i < 2; i++)
		runner_start(&thread[sources + i], "a reader", read_messages, &l);
	for (unsigned i = 0; i < sources; i++)
		runner_start(&thread[i], "a writer", write_messages, &l);
	join_with_progress(thread, sources, &l.progress);
	disruptor_ring_close(l.ring);
	join_with_progress(&thread[sources], 2, &l.progress);
	for (unsigned i = 0; i < sources; i++)
		sent += l.sent[i];
	assert_true(sent > 0);
	print_message("  %u to 2, ring of %llu, %s: %llu messages, words torn %llu\n", sources,
		      (unsigned long long)capacity, in_series ? "in series" : "side by side",
		      (unsigned long long)sent, (unsigned long long)(l.torn[0] + l.torn[1]));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(l.torn[i], 0);
		assert_int_equal(l.got[i], sent);
	}
	assert_code(disruptor_consumer_close(&l.consumer[1]), 0);
	assert_code(disruptor_consumer_close(&l.consumer[0]), 0);
	assert_code(disruptor_ring_destroy(&l.ring), 0);
}

static void pass_messages_all_ways(enum disruptor_layout layout, unsigned sources)
{
	pass_messages(2, layout, sources, false, disruptor_wait_yielding());
	pass_messages(2, layout, sources, true, disruptor_wait_yielding());
	pass_messages(64, layout, sources, true, disruptor_wait_blocking());
}

TEST(message_passing_of_one_producer)
{
	pass_messages_all_ways(DISRUPTOR_STAMPED, 1);
}

TEST(message_passing_of_many_producers)
{
	pass_messages_all_ways(DISRUPTOR_STAMPED, PRODUCERS);
}

TEST(message_passing_in_the_packed_layout)
{
	pass_messages_all_ways(DISRUPTOR_PACKED, 1);
}

/* ---- store buffering ---- */

static struct disruptor_wait sleep_at_once(void)
{
	struct disruptor_wait w = disruptor_wait_blocking();

	w.spins = 0;
	w.yields = 0;
	return w;
}

/*
 * Both sides meet before each round, so that one publishes (or releases) at the
 * very moment at which the other goes to sleep for it. If both miss the other,
 * nothing moves any more.
 */
struct duel {
	struct disruptor_ring *ring;
	struct tick_consumer consumer;
	struct progress progress;
	bool by_release;                  /* the round begins before the release, not after it */
	DISRUPTOR_ATOMIC(uint64_t) round; /* that the consumer has called out */
	uint64_t rounds;
};

/* A delay of a few cycles at random, so that every interleaving of the handshake comes up. */
static void jitter(uint64_t *seed)
{
	static DISRUPTOR_ATOMIC(uint64_t) sink;

	for (uint64_t n = next_random(seed) % 128; n > 0; n--)
		disruptor_store_relaxed(&sink, n);
}

static void meet(struct duel *d, uint64_t round)
{
	for (uint32_t looks = 1; disruptor_load_acquire(&d->round) < round; looks++)
		if (looks % 4096 == 0)
			sched_yield();
}

static void publish_side(void *argument)
{
	struct duel *d = argument;
	struct budget budget = budget_of(2000000, 300);
	uint64_t seed = fixture_seed(13);
	struct tick_producer p;

	open_producer(&p, d->ring, sleep_at_once());
	while (budget_take(&budget)) {
		struct tick *t;

		meet(d, d->rounds);
		jitter(&seed);
		t = tick_claim(&p);
		if (!t)
			break;
		t->value = d->rounds++;
		(void)tick_publish(&p);
		progress_made(&d->progress);
	}
	disruptor_ring_close(d->ring);
	(void)tick_producer_close(&p);
}

static void consume_side(void *argument)
{
	struct duel *d = argument;
	uint64_t seed = fixture_seed(19), round = 0;

	while (tick_ready_until(&d->consumer, DISRUPTOR_FOREVER) == 1) {
		if (d->by_release)
			disruptor_store_release(&d->round, ++round);
		jitter(&seed);
		(void)tick_release(&d->consumer, 1);
		if (!d->by_release)
			disruptor_store_release(&d->round, ++round);
		jitter(&seed);
	}
}

static void duel(bool by_release)
{
	struct disruptor_options options = fixture_options(1);
	struct runner thread[2];
	struct duel d;

	memset(&d, 0, sizeof(d));
	d.by_release = by_release;
	d.ring = ring_open(&options);
	open_consumer(&d.consumer, d.ring, sleep_at_once());
	runner_start(&thread[0], "who publishes", publish_side, &d);
	runner_start(&thread[1], "who consumes", consume_side, &d);
	join_with_progress(thread, 2, &d.progress);
	print_message("  %llu rounds, %llu times asleep, missed 0\n", (unsigned long long)d.rounds,
		      (unsigned long long)disruptor_ring_stats(d.ring).sleeps);
	assert_true(d.rounds > 0);
	assert_true(disruptor_ring_stats(d.ring).sleeps > 0);
	assert_code(tick_consumer_close(&d.consumer), 0);
	ring_close(&d.ring);
}

TEST(store_buffering_of_publish_and_sleep)
{
	duel(false);
}

TEST(store_buffering_of_release_and_sleep)
{
	duel(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(message_passing_of_one_producer),
		RUN(message_passing_of_many_producers),
		RUN(message_passing_in_the_packed_layout),
		RUN(store_buffering_of_publish_and_sleep),
		RUN(store_buffering_of_release_and_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
