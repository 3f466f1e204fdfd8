/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ATTACH: a consumer that comes while producers run. */
#include "model.h"

static struct disruptor_ring *ring;
static struct tick_producer producers[2];
static struct tick_consumer old, comer;

static void setup_of(uint64_t capacity, enum disruptor_producers many, unsigned flags)
{
	struct disruptor_options o = model_options(capacity);

	o.producers = many;
	o.max_producers = many == DISRUPTOR_MANY ? 2 : 0;
	o.flags = flags;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producers[0], ring, NULL));
	if (many == DISRUPTOR_MANY)
		model_ok(tick_producer_open(&producers[1], ring, NULL));
	if (!(flags & DISRUPTOR_FREE_RUN))
		model_ok(tick_consumer_open(&old, ring, NULL));
}

static void setup(void)
{
	setup_of(1, DISRUPTOR_SINGLE, 0);
}

static void setup_two(void)
{
	setup_of(2, DISRUPTOR_SINGLE, 0);
}

static void setup_many(void)
{
	setup_of(2, DISRUPTOR_MANY, 0);
}

static void setup_free(void)
{
	setup_of(2, DISRUPTOR_SINGLE, DISRUPTOR_FREE_RUN);
}

static void finish_of(bool many, bool had_old)
{
	model_ok(tick_producer_close(&producers[0]));
	if (many)
		model_ok(tick_producer_close(&producers[1]));
	if (had_old)
		model_ok(tick_consumer_close(&old));
	model_ok(disruptor_ring_destroy(&ring));
}

static void finish(void)
{
	finish_of(false, true);
}

static void finish_free(void)
{
	finish_of(false, false);
}

static void produce(void)
{
	model_produce_busy(&producers[0], 3);
}

static void consume(void)
{
	model_consume_busy(&old, 3);
}

/* Not on the stack: a checker reads by a word of any size only what nobody writes. */
static const struct disruptor_consumer_options newest = { .size = sizeof(newest),
							  .at = DISRUPTOR_AT_NEWEST };
static const struct disruptor_consumer_options oldest = { .size = sizeof(oldest),
							  .at = DISRUPTOR_AT_OLDEST };

/* It has missed nothing from where it begins, and no producer comes round to it. */
static void read_and_go(const struct disruptor_consumer_options *c)
{
	model_ok(tick_consumer_open(&comer, ring, c));
	if (tick_ready(&comer))
		model_assert(model_read(&tick_at(&comer, 0)->value) ==
			     disruptor_consumer_position(&comer.view) + 1);
	model_ok(tick_consumer_close(&comer));
}

static void attach_newest(void)
{
	read_and_go(&newest);
}

static void attach_oldest(void)
{
	read_and_go(&oldest);
}

const struct model_client model_attach = {
	.name = "attach",
	.about = "ATTACH: at the newest position, one slot; its gate holds the producer",
	.setup = setup,
	.threads = { produce, consume, attach_newest },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

const struct model_client model_attach_oldest = {
	.name = "attach_oldest",
	.about = "ATTACH: at the oldest position; what it is shown is not overwritten",
	.setup = setup_two,
	.threads = { produce, consume, attach_oldest },
	.finish = finish,
	.bound = 1,
	.stale = 1,
};

static void produce_free(void)
{
	model_produce_busy(&producers[0], 4);
}

const struct model_client model_attach_free = {
	.name = "attach_free",
	.about = "ATTACH: to a ring that ran free until now",
	.setup = setup_free,
	.threads = { produce_free, attach_newest },
	.finish = finish_free,
	.rungs = true,
	.bound = 1,
	.stale = 2,
};

const struct model_client model_attach_free_oldest = {
	.name = "attach_free_oldest",
	.about = "ATTACH: at the oldest position of a ring that ran free until now",
	.setup = setup_free,
	.threads = { produce_free, attach_oldest },
	.finish = finish_free,
	.bound = 1,
	.stale = 2,
};

static void produce_second(void)
{
	model_produce_busy(&producers[1], 1);
}

static void produce_two(void)
{
	model_produce_busy(&producers[0], 2);
}

/* The one that was there goes at once: from then on it is the comer that holds the slots. */
static void take_over(void)
{
	model_ok(tick_consumer_open(&comer, ring, NULL));
	model_ok(tick_consumer_close(&old));
	model_consume_busy(&comer, 3);
	model_ok(tick_consumer_close(&comer));
}

static void finish_many(void)
{
	finish_of(true, false);
}

const struct model_client model_attach_many = {
	.name = "attach_many",
	.about = "ATTACH: while two producers claim, one slow between claim and publish",
	.setup = setup_many,
	.threads = { produce_two, produce_second, take_over },
	.finish = finish_many,
	.bound = 1,
	.stale = 1,
};

/* The old consumer is the producer's own thread, so that these are two, and more can be tried. */
static void produce_and_consume(uint64_t n)
{
	for (; n != 0; n--) {
		model_produce_busy(&producers[0], 1);
		model_consume_busy(&old, disruptor_consumer_position(&old.view) + 1);
	}
}

static void go_round(void)
{
	produce_and_consume(2);
}

const struct model_client model_attach_lap = {
	.name = "attach_lap",
	.about = "ATTACH, ATTACH.count: one slot; the comer is not lapped",
	.setup = setup,
	.threads = { go_round, attach_newest },
	.finish = finish,
	.bound = 1,
	.stale = 3,
};

const struct model_client model_attach_lap_oldest = {
	.name = "attach_lap_oldest",
	.about = "ATTACH: two slots, from the oldest position; the comer is not lapped",
	.setup = setup_two,
	.threads = { go_round, attach_oldest },
	.finish = finish,
	.bound = 2,
	.stale = 1,
};

/* The producer sleeps; the comer's gate, provisional or not, may be why. */
static void go_round_sleeping(void)
{
	for (int i = 0; i < 2; i++) {
		model_produce(&producers[0], 1);
		model_consume_busy(&old, disruptor_consumer_position(&old.view) + 1);
	}
}

const struct model_client model_attach_sleep = {
	.name = "attach_sleep",
	.about = "ATTACH, WAKE: a producer that sleeps before a comer's gate is woken",
	.setup = setup,
	.threads = { go_round_sleeping, attach_newest },
	.finish = finish,
	.rungs = true,
	.bound = 1,
	.stale = 1,
};

/*
 * One slot of two producers. Between them stands the comer alone, who has read nothing of what the
 * first wrote: it has the stamp, and its gate passes on what that brought. Its entry is not new.
 */
static void setup_between(void)
{
	struct disruptor_options o = model_options(1);

	o.producers = DISRUPTOR_MANY;
	o.max_producers = 2;
	ring = model_ring(&o);
	model_ok(tick_producer_open(&producers[0], ring, NULL));
	model_ok(tick_producer_open(&producers[1], ring, NULL));
	model_ok(tick_consumer_open(&old, ring, NULL));
	model_ok(tick_consumer_open(&comer, ring, NULL));
	model_ok(tick_consumer_close(&comer));
}

static void try_once(struct tick_producer *p)
{
	struct tick *t;

	model_own(p);
	t = tick_try_claim(p);
	if (!t)
		return;
	model_write(&t->value, disruptor_producer_position(&p->view) + 1);
	model_ok(tick_publish(p));
}

static void produce_first_once(void)
{
	try_once(&producers[0]);
}

static void come(void)
{
	model_ok(tick_consumer_open(&comer, ring, NULL));
}

static void part_and_produce(void)
{
	model_ok(tick_consumer_close(&old));
	try_once(&producers[1]);
}

static void finish_between(void)
{
	model_ok(tick_consumer_close(&comer));
	finish_of(true, false);
}

const struct model_client model_attach_between = {
	.name = "attach_between",
	.about =
		"FREE, PUB: a comer's gate passes on to a producer what another published before it",
	.setup = setup_between,
	.threads = { produce_first_once, come, part_and_produce },
	.finish = finish_between,
	.bound = 2,
	.stale = 1,
};

/*
 * The old consumer goes on while the producer looks, then the comer comes, at what the first look
 * has left to it. The second look finds more room, unless it finds the comer, too.
 */
static void setup_lap(void)
{
	setup_two();
	model_produce_busy(&producers[0], 2);
	model_consume_busy(&old, 1);
}

static void produce_over(void)
{
	try_once(&producers[0]);
	try_once(&producers[0]);
}

static void go_on_and_attach(void)
{
	model_consume_busy(&old, 2);
	attach_oldest();
}

const struct model_client model_attach_recount = {
	.name = "attach_recount",
	.about =
		"ATTACH.count: a look that has met a comer's count is repeated, and meets its gate",
	.setup = setup_lap,
	.threads = { produce_over, go_on_and_attach },
	.finish = finish,
	.bound = 1,
	.stale = 2,
};
