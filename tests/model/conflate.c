/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* SWAP and QUEUE: a table of the latest event of each key. */
#include "model.h"

static struct disruptor_conflate *table;

/* Values 10 … 19 are of one key, 20 … 29 of another. */
static uint64_t key_of(const void *event, void *context)
{
	(void)context;
	return ((const struct tick *)event)->value / 10;
}

static void setup(void)
{
	struct disruptor_conflate_options o = { .size = sizeof(o), .keys = 2, .key = key_of };

	o.allocator = model_allocator();
	model_ok(disruptor_conflate_create(&table, &tick_type, &o));
}

static void finish(void)
{
	disruptor_conflate_destroy(&table);
}

static void put(uint64_t value, uint64_t position)
{
	struct tick t = { .value = value };

	model_ok(disruptor_conflate_put(table, &t, position));
}

static void put_three(void)
{
	put(10, 0);
	put(20, 1);
	put(11, 2);
	disruptor_conflate_close(table);
}

/* Each has its own position, newer ones of a key after older ones, and the last of each comes. */
static void take_all(void)
{
	uint64_t position, last_of_first = 0, last_of_second = 0;
	struct tick t;
	int rc;

	while ((rc = disruptor_conflate_take_until(table, &t, &position, DISRUPTOR_FOREVER)) == 1) {
		model_assert((t.value == 10 && position == 0) || (t.value == 20 && position == 1) ||
			     (t.value == 11 && position == 2));
		if (t.value / 10 == 1) {
			model_assert(t.value > last_of_first);
			last_of_first = t.value;
		} else {
			model_assert(last_of_second == 0);
			last_of_second = t.value;
		}
	}
	model_assert(rc == DISRUPTOR_E_CLOSED);
	model_assert(last_of_first == 11 && last_of_second == 20);
}

const struct model_client model_conflate = {
	.name = "conflate",
	.about = "SWAP, QUEUE, WAKE: every key's latest event arrives, whole, and the reader wakes",
	.setup = setup,
	.threads = { put_three, take_all },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};

static void put_one(void)
{
	put(10, 0);
}

static void take_one(void)
{
	uint64_t position;
	struct tick t;

	model_assert(disruptor_conflate_take_until(table, &t, &position, DISRUPTOR_FOREVER) == 1);
	model_assert(t.value == 10 && position == 0);
}

const struct model_client model_conflate_sleep = {
	.name = "conflate_sleep",
	.about = "QUEUE.wake: the first change wakes the reader, with nothing behind it that would",
	.setup = setup,
	.threads = { put_one, take_one },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

static void close_table(void)
{
	put(10, 0);
	put(11, 1);
	disruptor_conflate_close(table);
}

static void take_looking(void)
{
	struct tick t = { 0 };
	int rc;

	while ((rc = disruptor_conflate_take(table, &t, NULL)) != DISRUPTOR_E_CLOSED)
		if (rc == 0)
			model_pause();
	model_assert(t.value == 11);
}

const struct model_client model_conflate_close = {
	.name = "conflate_close",
	.about = "QUEUE.close, SWAP: who looks without sleeping takes all before the close",
	.setup = setup,
	.threads = { close_table, take_looking },
	.finish = finish,
	.bound = 3,
	.stale = 2,
};

/* Whoever closes has seen, in its own way, that all is put. */
static DISRUPTOR_ATOMIC(uint64_t) all_put;

static void setup_for_other(void)
{
	setup();
	/* relaxed: nobody else runs yet */
	disruptor_store_relaxed(&all_put, UINT64_C(0));
}

static void put_and_tell(void)
{
	put(10, 0);
	/* release: to the one who closes */
	disruptor_store_release(&all_put, UINT64_C(1));
}

static void close_when_told(void)
{
	/* acquire: all that was put before */
	while (!disruptor_load_acquire(&all_put))
		model_pause();
	disruptor_conflate_close(table);
}

static void take_the_last(void)
{
	struct tick t = { 0 };
	int rc;

	while ((rc = disruptor_conflate_take(table, &t, NULL)) != DISRUPTOR_E_CLOSED)
		if (rc == 0)
			model_pause();
	model_assert(t.value == 10);
}

const struct model_client model_conflate_close_other = {
	.name = "conflate_close_other",
	.about = "QUEUE.close: the same, where another than the writer closes",
	.setup = setup_for_other,
	.threads = { put_and_tell, close_when_told, take_the_last },
	.finish = finish,
	.bound = 2,
	.stale = 2,
};
