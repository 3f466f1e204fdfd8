/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_SIZED_H
#define BENCH_SIZED_H

/*
 * For the adapters in C: their loops, for each event size. Before PEER_LOOPS an
 * adapter defines struct channel, which begins as a struct peer_channel does;
 * struct out and struct in, what a thread knows of its end; how to come by
 * them, and what to do when it has done with one phase:
 *
 *	struct out out_begin(struct channel *c, uint32_t index);
 *	void out_end(struct channel *c, uint32_t index, const struct out *out);
 *	struct in in_begin(struct channel *c);
 *	void in_end(struct channel *c, const struct in *in);
 *
 * and the constants use_one and use_many, each a struct loop_end.
 */

#include "peer.h"

#define PEER_LOOPS_OUT(name, bytes)                                                                \
	LOOP_INLINE void produce_as_##name(void *channel, struct bench_task *task, uint32_t size,  \
					   uint32_t batch)                                         \
	{                                                                                          \
		struct out out = out_begin((struct channel *)channel, task->index);                \
		loop_produce(&use_one, &out, task, size, batch);                                   \
		out_end((struct channel *)channel, task->index, &out);                             \
	}                                                                                          \
	LOOP_PRODUCES_OF(produce_##name, produce_as_##name, void, bytes)                           \
	static void produce_many_##name(void *channel, struct bench_task *task)                    \
	{                                                                                          \
		struct out out = out_begin((struct channel *)channel, task->index);                \
		loop_produce_many_of(&use_many, &out, task, bytes);                                \
		out_end((struct channel *)channel, task->index, &out);                             \
	}

#define PEER_LOOPS_IN(name, bytes)                                                                 \
	static void consume_##name(void *channel, struct bench_task *task)                         \
	{                                                                                          \
		struct in in = in_begin((struct channel *)channel);                                \
		loop_consume_sized(&use_one, &in, task, bytes);                                    \
		in_end((struct channel *)channel, &in);                                            \
	}                                                                                          \
	static void consume_many_##name(void *channel, struct bench_task *task)                    \
	{                                                                                          \
		struct in in = in_begin((struct channel *)channel);                                \
		loop_consume_marked(&use_many, &in, task, bytes);                                  \
		in_end((struct channel *)channel, &in);                                            \
	}

#define PEER_LOOPS_BOTH(name, bytes)                                                               \
	LOOP_INLINE void serve_as_##name(void *const *channels, struct bench_task *task,           \
					 uint32_t size, bool watched)                              \
	{                                                                                          \
		struct out out = out_begin((struct channel *)channels[0], 0);                      \
		struct in in = in_begin((struct channel *)channels[1]);                            \
		loop_serve(&use_one, &out, &in, task, size, watched);                              \
		out_end((struct channel *)channels[0], 0, &out);                                   \
		in_end((struct channel *)channels[1], &in);                                        \
	}                                                                                          \
	LOOP_RALLIES_OF(serve_##name, serve_as_##name, void *const, bytes, task->took != NULL)     \
	LOOP_INLINE void answer_as_##name(void *const *channels, struct bench_task *task,          \
					  uint32_t size, bool late)                                \
	{                                                                                          \
		struct out out = out_begin((struct channel *)channels[1], 0);                      \
		struct in in = in_begin((struct channel *)channels[0]);                            \
		loop_answer(&use_one, &out, &in, task, size, late);                                \
		out_end((struct channel *)channels[1], 0, &out);                                   \
		in_end((struct channel *)channels[0], &in);                                        \
	}                                                                                          \
	LOOP_RALLIES_OF(answer_##name, answer_as_##name, void *const, bytes, task->pause != 0)

/** All loops for events of @p bytes, an expression in which `task` may stand. */
#define PEER_LOOPS(name, bytes)                                                                    \
	PEER_LOOPS_OUT(name, bytes)                                                                \
	PEER_LOOPS_IN(name, bytes)                                                                 \
	PEER_LOOPS_BOTH(name, bytes)                                                               \
	static const struct peer_loops loops_##name = {                                            \
		produce_##name,      consume_##name, produce_many_##name,                          \
		consume_many_##name, serve_##name,   answer_##name,                                \
	};

/** For the sizes that all adapters have. */
#define PEER_LOOPS_TO_128                                                                          \
	PEER_LOOPS(8, 8)                                                                           \
	PEER_LOOPS(16, 16)                                                                         \
	PEER_LOOPS(32, 32)                                                                         \
	PEER_LOOPS(64, 64)                                                                         \
	PEER_LOOPS(128, 128)

/** Those for the event size; @p rest for another than these. */
#define PEER_LOOPS_OF(bytes, rest)                                                                 \
	((bytes) == 8     ? &loops_8                                                               \
	 : (bytes) == 16  ? &loops_16                                                              \
	 : (bytes) == 32  ? &loops_32                                                              \
	 : (bytes) == 64  ? &loops_64                                                              \
	 : (bytes) == 128 ? &loops_128                                                             \
			  : (rest))

#endif
