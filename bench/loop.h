/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

/*
 * The timed loops, once for all subjects.
 *
 * A subject describes its two ends by a constant struct loop_end. The loops
 * are always inlined where that struct is named, and so are the functions in
 * it: what runs is as if each loop had been written out for each subject, and
 * none can have a better loop than another. Event size and batch become
 * constants too, for the cases that the scenarios use: for all alike, as some
 * peers cannot but be compiled for each size.
 */

#include "histogram.h"
#include "subject.h"

#if defined(__GNUC__)
#define LOOP_INLINE static inline __attribute__((always_inline, unused))
#define LOOP_APART static __attribute__((noinline))
#else
#define LOOP_INLINE static inline
#define LOOP_APART static
#endif

enum {
	LOOP_LOOK = 50000, /* events between two looks at how far the consumer is behind */
	LOOP_MARK = 48     /* where a value of several producers tells whose it is */
};

/** How to use a subject's ends. @p end is whatever the subject handed to the loop. */
struct loop_end {
	/** Wait for room; the first of @p n events to be filled. */
	void *(*claim)(void *end, uint64_t n, uint32_t bytes);
	/** The @p i th of them, given the first. */
	void *(*claimed)(void *end, void *first, uint64_t i, uint32_t bytes);
	void (*publish)(void *end, uint64_t n, uint32_t bytes);
	/** Wait for events; how many are ready, at least one. */
	uint64_t (*ready)(void *end, uint32_t bytes);
	const void *(*at)(void *end, uint64_t i, uint32_t bytes);
	void (*release)(void *end, uint64_t n);
	/** How many events lie between the producer and what is released; NULL: not known. */
	uint64_t (*lag)(void *end);
};

/*
 * gcc's analyser sees NULL come here from a claim that was refused. It does not know that the status
 * of one is below 0, at which must() ends the program. Code that says so makes other loops of those
 * that are timed.
 */
#if defined(__GNUC__) && __GNUC__ >= 10 /* clang says 4 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-null-dereference"
#endif

/** Words that one step of a loop stores or reads. With one, the place of its code decides how long. */
enum { LOOP_STEP = 8 };

/** An event's words are all alike, so that a torn one is noticed. */
LOOP_INLINE void loop_fill(void *event, uint64_t value, uint32_t bytes)
{
	uint64_t *word = (uint64_t *)event;
	uint32_t words = bytes / sizeof(*word), i = 0;

	for (; i + LOOP_STEP <= words; i += LOOP_STEP)
		for (uint32_t k = 0; k < LOOP_STEP; k++)
			word[i + k] = value;
	for (; i < words; i++)
		word[i] = value;
}

#if defined(__GNUC__) && __GNUC__ >= 10 /* clang says 4 */
#pragma GCC diagnostic pop
#endif

LOOP_INLINE uint64_t loop_read(const void *event, uint32_t bytes, uint64_t *torn)
{
	const uint64_t *word = (const uint64_t *)event;
	uint32_t words = bytes / sizeof(*word), i = 1;
	uint64_t first = word[0], other = 0;

	for (; i + LOOP_STEP <= words; i += LOOP_STEP)
		for (uint32_t k = 0; k < LOOP_STEP; k++)
			other |= word[i + k] ^ first;
	for (; i < words; i++)
		other |= word[i] ^ first;
	*torn |= other;
	return first;
}

/** The most steps of loop_work(). */
enum { LOOP_WORK = 16 };

LOOP_INLINE uint64_t loop_work_step(uint64_t value)
{
	return (value ^ (value >> 3)) + UINT64_C(0x9e3779b97f4a7c15);
}

/**
 * The producer's work: arithmetic that nothing can hurry, as each step needs the last. A jump to
 * where @p steps are left, always the same, and no loop, whose end might be predicted here and
 * not there: the work is subtracted, so it must take as long with publishing as without.
 */
LOOP_INLINE uint64_t loop_work(uint64_t value, uint32_t steps)
{
	switch (steps) {
	/* NOLINTNEXTLINE(bugprone-branch-clone): each falls through to the next */
	default:
		value = loop_work_step(value); /* fall through */
	case 15:
		value = loop_work_step(value); /* fall through */
	case 14:
		value = loop_work_step(value); /* fall through */
	case 13:
		value = loop_work_step(value); /* fall through */
	case 12:
		value = loop_work_step(value); /* fall through */
	case 11:
		value = loop_work_step(value); /* fall through */
	case 10:
		value = loop_work_step(value); /* fall through */
	case 9:
		value = loop_work_step(value); /* fall through */
	case 8:
		value = loop_work_step(value); /* fall through */
	case 7:
		value = loop_work_step(value); /* fall through */
	case 6:
		value = loop_work_step(value); /* fall through */
	case 5:
		value = loop_work_step(value); /* fall through */
	case 4:
		value = loop_work_step(value); /* fall through */
	case 3:
		value = loop_work_step(value); /* fall through */
	case 2:
		value = loop_work_step(value); /* fall through */
	case 1:
		value = loop_work_step(value);
		break;
	}
	return value;
}

LOOP_INLINE void loop_produce_sized(const struct loop_end *use, void *end, struct bench_task *task,
				    uint32_t bytes, uint32_t batch)
{
	uint64_t value = task->value;

	for (uint64_t left = task->events; left != 0; left -= batch) {
		void *first = use->claim(end, batch, bytes);

		for (uint32_t i = 0; i < batch; i++)
			loop_fill(use->claimed(end, first, i, bytes), value + 1 + i, bytes);
		value += batch;
		use->publish(end, batch, bytes);
	}
	task->value = value;
}

/** Work, then publish one event with the outcome. */
LOOP_INLINE void loop_produce_working(const struct loop_end *use, void *end,
				      struct bench_task *task, uint32_t bytes)
{
	uint64_t value = task->value, sum = task->sum;
	uint32_t work = task->work;

	for (uint64_t left = task->events; left != 0; left--) {
		value = loop_work(value, work);
		sum += value;
		loop_fill(use->claim(end, 1, bytes), value, bytes);
		use->publish(end, 1, bytes);
	}
	task->value = value;
	task->sum = sum;
}

/** One of several producers: each event tells whose it is. */
LOOP_INLINE void loop_produce_marked(const struct loop_end *use, void *end, struct bench_task *task,
				     uint32_t bytes, uint32_t batch)
{
	uint64_t mark = (uint64_t)task->index << LOOP_MARK, value = task->value;

	for (uint64_t left = task->events; left != 0; left -= batch) {
		void *first = use->claim(end, batch, bytes);

		for (uint32_t i = 0; i < batch; i++)
			loop_fill(use->claimed(end, first, i, bytes), mark + value + 1 + i, bytes);
		value += batch;
		use->publish(end, batch, bytes);
	}
	task->value = value;
}

/** Instead of a batch: one event a publish, and work before each. */
enum { LOOP_WORKING = 0 };

/** @p bytes and @p batch: constants where this is called, or such as are seldom. */
LOOP_INLINE void loop_produce(const struct loop_end *use, void *end, struct bench_task *task,
			      uint32_t bytes, uint32_t batch)
{
	if (batch == LOOP_WORKING)
		loop_produce_working(use, end, task, bytes);
	else
		loop_produce_sized(use, end, task, bytes, batch);
}

/** name(who, task): a function apart that calls as(who, task, …), a LOOP_INLINE, with constants. */
#define LOOP_ONE(name, as, who_type, ...)                                                          \
	LOOP_APART void name(who_type *who, struct bench_task *task)                               \
	{                                                                                          \
		as(who, task, __VA_ARGS__);                                                        \
	}

/** name(who, task) of those for each size of event that the scenarios use. */
#define LOOP_BY_BYTES(name, who_type)                                                              \
	static void name(who_type *who, struct bench_task *task)                                   \
	{                                                                                          \
		if (task->bytes == 8)                                                              \
			name##_8(who, task);                                                       \
		else if (task->bytes == 16)                                                        \
			name##_16(who, task);                                                      \
		else if (task->bytes == 32)                                                        \
			name##_32(who, task);                                                      \
		else if (task->bytes == 64)                                                        \
			name##_64(who, task);                                                      \
		else                                                                               \
			name##_any(who, task);                                                     \
	}

/**
 * Define name(who, task), which has a function of its own for each batch that the scenarios use: the
 * registers of one loop are not spilled for another. They call @p as, a LOOP_INLINE that ends in
 * loop_produce(), with two constants more: @p bytes, in which `task` may stand, and the batch.
 */
#define LOOP_PRODUCES_OF(name, as, who_type, bytes)                                                \
	LOOP_ONE(name##_working, as, who_type, bytes, LOOP_WORKING)                                \
	LOOP_ONE(name##_one, as, who_type, bytes, 1)                                               \
	LOOP_ONE(name##_sixteen, as, who_type, bytes, 16)                                          \
	LOOP_ONE(name##_more, as, who_type, bytes, task->batch)                                    \
	static void name(who_type *who, struct bench_task *task)                                   \
	{                                                                                          \
		if (task->work != 0)                                                               \
			name##_working(who, task);                                                 \
		else if (task->batch == 1)                                                         \
			name##_one(who, task);                                                     \
		else if (task->batch == 16)                                                        \
			name##_sixteen(who, task);                                                 \
		else                                                                               \
			name##_more(who, task);                                                    \
	}

/** The same for each size of event. */
#define LOOP_PRODUCES(name, as, who_type)                                                          \
	LOOP_PRODUCES_OF(name##_8, as, who_type, 8)                                                \
	LOOP_PRODUCES_OF(name##_16, as, who_type, 16)                                              \
	LOOP_PRODUCES_OF(name##_32, as, who_type, 32)                                              \
	LOOP_PRODUCES_OF(name##_64, as, who_type, 64)                                              \
	LOOP_PRODUCES_OF(name##_any, as, who_type, task->bytes)                                    \
	LOOP_BY_BYTES(name, who_type)

LOOP_INLINE void loop_consume_sized(const struct loop_end *use, void *end, struct bench_task *task,
				    uint32_t bytes)
{
	uint64_t sum = 0, torn = 0, batches = 0, seen = 0;

	for (uint64_t left = task->events; left != 0;) {
		uint64_t n = use->ready(end, bytes);

		/* looking at the producer's position costs it a cache line: seldom */
		if (use->lag != NULL && seen >= LOOP_LOOK) {
			task->lag += use->lag(end);
			task->looks++;
			seen = 0;
		}
		seen += n;
		batches++;
		for (uint64_t i = 0; i < n; i++)
			sum += loop_read(use->at(end, i, bytes), bytes, &torn);
		use->release(end, n);
		left -= n;
	}
	task->sum += sum;
	task->torn |= torn;
	task->batches += batches;
}

/** From several producers: the events of each must come in their order. */
LOOP_INLINE void loop_consume_marked(const struct loop_end *use, void *end, struct bench_task *task,
				     uint32_t bytes)
{
	uint64_t sum = 0, torn = 0, wrong = 0, batches = 0;

	for (uint64_t left = task->events; left != 0;) {
		uint64_t n = use->ready(end, bytes);

		batches++;
		for (uint64_t i = 0; i < n; i++) {
			uint64_t value = loop_read(use->at(end, i, bytes), bytes, &torn);
			uint64_t *seen = &task->seen[value >> LOOP_MARK & (BENCH_PRODUCERS - 1)];

			sum += value;
			wrong |= ++*seen ^ (value & ((UINT64_C(1) << LOOP_MARK) - 1));
		}
		use->release(end, n);
		left -= n;
	}
	task->sum += sum;
	task->torn |= torn;
	task->wrong |= wrong;
	task->batches += batches;
}

/** With a look at the clock after each batch, which tells how late its events are. */
LOOP_INLINE void loop_consume_due(const struct loop_end *use, void *end, struct bench_task *task)
{
	const struct bench_schedule *due = task->schedule;

	for (uint64_t left = task->events; left != 0;) {
		uint64_t n = use->ready(end, task->bytes), first = 0, now;

		for (uint64_t i = 0; i < n; i++) {
			uint64_t value =
				loop_read(use->at(end, i, task->bytes), task->bytes, &task->torn);

			first = i == 0 ? value : first;
			task->sum += value;
		}
		now = disruptor_now();
		for (uint64_t i = 0; i < n; i++) {
			uint64_t burst = (first + i - due->first - 1) / due->burst;

			bench_histogram_record(due->times, now - due->start - burst * due->period);
		}
		use->release(end, n);
		left -= n;
	}
}

/** Instead of a size: the events come by the clock. */
enum { LOOP_DUE = 0 };

/** @p bytes: as in loop_produce(). */
LOOP_INLINE void loop_consume(const struct loop_end *use, void *end, struct bench_task *task,
			      uint32_t bytes)
{
	if (bytes == LOOP_DUE)
		loop_consume_due(use, end, task);
	else
		loop_consume_sized(use, end, task, bytes);
}

/** As LOOP_PRODUCES(); @p as ends in loop_consume(). */
#define LOOP_CONSUMES(name, as, who_type)                                                          \
	LOOP_ONE(name##_due, as, who_type, LOOP_DUE)                                               \
	LOOP_ONE(name##_by_8, as, who_type, 8)                                                     \
	LOOP_ONE(name##_by_16, as, who_type, 16)                                                   \
	LOOP_ONE(name##_by_32, as, who_type, 32)                                                   \
	LOOP_ONE(name##_by_64, as, who_type, 64)                                                   \
	LOOP_ONE(name##_by_any, as, who_type, task->bytes)                                         \
	LOOP_BY_BYTES(name##_by, who_type)                                                         \
	static void name(who_type *who, struct bench_task *task)                                   \
	{                                                                                          \
		if (task->schedule != NULL)                                                        \
			name##_due(who, task);                                                     \
		else                                                                               \
			name##_by(who, task);                                                      \
	}

/* Of several producers. A function of its own calls these, lest registers be spilled for them. */

LOOP_INLINE void loop_produce_many_of(const struct loop_end *use, void *end,
				      struct bench_task *task, uint32_t bytes)
{
	if (task->batch == 1)
		loop_produce_marked(use, end, task, bytes, 1);
	else
		loop_produce_marked(use, end, task, bytes, task->batch);
}

LOOP_INLINE void loop_produce_many(const struct loop_end *use, void *end, struct bench_task *task)
{
	if (task->bytes == 8)
		loop_produce_many_of(use, end, task, 8);
	else
		loop_produce_many_of(use, end, task, task->bytes);
}

LOOP_INLINE void loop_consume_many(const struct loop_end *use, void *end, struct bench_task *task)
{
	if (task->bytes == 8)
		loop_consume_marked(use, end, task, 8);
	else
		loop_consume_marked(use, end, task, task->bytes);
}

LOOP_INLINE void loop_send(const struct loop_end *use, void *out, uint64_t value, uint32_t bytes)
{
	loop_fill(use->claim(out, 1, bytes), value, bytes);
	use->publish(out, 1, bytes);
}

LOOP_INLINE void loop_serve_sized(const struct loop_end *use, void *out, void *in,
				  struct bench_task *task, uint32_t bytes)
{
	uint64_t torn = 0;

	for (uint64_t left = task->events; left != 0; left--) {
		uint64_t value = ++task->value;

		loop_send(use, out, value, bytes);
		use->ready(in, bytes);
		torn |= loop_read(use->at(in, 0, bytes), bytes, &torn) ^ value;
		use->release(in, 1);
	}
	task->torn |= torn;
}

/** Let time pass; the time then. */
LOOP_INLINE uint64_t loop_pause(uint64_t ns)
{
	uint64_t began = disruptor_now(), now;

	do {
		now = disruptor_now();
	} while (now - began < ns);
	return now;
}

/** That with a look at the clock after each round trip. */
LOOP_INLINE void loop_serve_watched(const struct loop_end *use, void *out, void *in,
				    struct bench_task *task, uint32_t bytes)
{
	uint64_t began = disruptor_now();
	struct bench_task one = *task;

	one.events = 1;
	for (uint64_t i = 0; i < task->events; i++) {
		if (task->pause != 0)
			began = loop_pause(task->pause);
		loop_serve_sized(use, out, in, &one, bytes);

		uint64_t ended = disruptor_now();

		task->took[i] = ended - began;
		began = ended;
	}
	task->value = one.value;
	task->torn |= one.torn;
}

LOOP_INLINE void loop_answer_sized(const struct loop_end *use, void *out, void *in,
				   struct bench_task *task, uint32_t bytes)
{
	uint64_t torn = 0;

	for (uint64_t left = task->events; left != 0; left--) {
		use->ready(in, bytes);
		loop_send(use, out, loop_read(use->at(in, 0, bytes), bytes, &torn), bytes);
		use->release(in, 1);
	}
	task->torn |= torn;
}

/** That with a pause before each answer. */
LOOP_INLINE void loop_answer_late(const struct loop_end *use, void *out, void *in,
				  struct bench_task *task, uint32_t bytes)
{
	uint64_t torn = 0;

	for (uint64_t left = task->events; left != 0; left--) {
		use->ready(in, bytes);
		(void)loop_pause(task->pause);
		loop_send(use, out, loop_read(use->at(in, 0, bytes), bytes, &torn), bytes);
		use->release(in, 1);
	}
	task->torn |= torn;
}

/** @p bytes, and whether each is watched: as in loop_produce(). */
LOOP_INLINE void loop_serve(const struct loop_end *use, void *out, void *in,
			    struct bench_task *task, uint32_t bytes, bool watched)
{
	if (watched)
		loop_serve_watched(use, out, in, task, bytes);
	else
		loop_serve_sized(use, out, in, task, bytes);
}

LOOP_INLINE void loop_answer(const struct loop_end *use, void *out, void *in,
			     struct bench_task *task, uint32_t bytes, bool late)
{
	if (late)
		loop_answer_late(use, out, in, task, bytes);
	else
		loop_answer_sized(use, out, in, task, bytes);
}

/** As LOOP_PRODUCES_OF(); @p as ends in loop_serve() or in loop_answer(), @p slow says which of its ways. */
#define LOOP_RALLIES_OF(name, as, who_type, bytes, slow)                                           \
	LOOP_ONE(name##_fast, as, who_type, bytes, false)                                          \
	LOOP_ONE(name##_slow, as, who_type, bytes, true)                                           \
	static void name(who_type *who, struct bench_task *task)                                   \
	{                                                                                          \
		if (slow)                                                                          \
			name##_slow(who, task);                                                    \
		else                                                                               \
			name##_fast(who, task);                                                    \
	}

#define LOOP_RALLIES(name, as, who_type, slow)                                                     \
	LOOP_RALLIES_OF(name##_of_32, as, who_type, 32, slow)                                      \
	LOOP_RALLIES_OF(name##_of_any, as, who_type, task->bytes, slow)                            \
	static void name(who_type *who, struct bench_task *task)                                   \
	{                                                                                          \
		if (task->bytes == 32)                                                             \
			name##_of_32(who, task);                                                   \
		else                                                                               \
			name##_of_any(who, task);                                                  \
	}

#define LOOP_SERVES(name, as, who_type) LOOP_RALLIES(name, as, who_type, task->took != NULL)
#define LOOP_ANSWERS(name, as, who_type) LOOP_RALLIES(name, as, who_type, task->pause != 0)

/** All four, name_produce() and so on, of a subject whose channel is both of its ends; @p use: how. */
#define LOOP_CHANNEL(name, use)                                                                    \
	LOOP_INLINE void name##_producing(void *channel, struct bench_task *task, uint32_t bytes,  \
					  uint32_t batch)                                          \
	{                                                                                          \
		loop_produce(use, channel, task, bytes, batch);                                    \
	}                                                                                          \
	LOOP_INLINE void name##_consuming(void *channel, struct bench_task *task, uint32_t bytes)  \
	{                                                                                          \
		loop_consume(use, channel, task, bytes);                                           \
	}                                                                                          \
	LOOP_INLINE void name##_serving(void *const *channels, struct bench_task *task,            \
					uint32_t bytes, bool watched)                              \
	{                                                                                          \
		loop_serve(use, channels[0], channels[1], task, bytes, watched);                   \
	}                                                                                          \
	LOOP_INLINE void name##_answering(void *const *channels, struct bench_task *task,          \
					  uint32_t bytes, bool late)                               \
	{                                                                                          \
		loop_answer(use, channels[1], channels[0], task, bytes, late);                     \
	}                                                                                          \
	LOOP_PRODUCES(name##_produce, name##_producing, void)                                      \
	LOOP_CONSUMES(name##_consume, name##_consuming, void)                                      \
	LOOP_SERVES(name##_serve, name##_serving, void *const)                                     \
	LOOP_ANSWERS(name##_answer, name##_answering, void *const)

#endif
