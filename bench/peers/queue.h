/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

/*
 * For the adapters in C++20, all of them queues of elements of a type: events
 * are copied in and out. An adapter defines a queue's policy,
 *
 *	template <std::uint32_t Bytes, bool Many> class NAME_queue {
 *	public:
 *		static constexpr std::size_t takes; // events at a time, at most
 *		explicit NAME_queue(const bench_params &params);
 *		// what a producer puts them by, given its index
 *		static producer producer_of(NAME_queue &queue, std::uint32_t index);
 *		// put at most n events; how many
 *		std::size_t push(producer &by, const event<Bytes> *events, std::size_t n);
 *		// take at most `takes`; how many
 *		std::size_t pop(event<Bytes> *events);
 *	};
 *
 * where Many says that there are several producers. Events and constants that
 * the compiler can keep in registers it does keep there: the thread's end is a
 * local variable, and one event a publish is not an array.
 */

#include "peer.h"

#include <cstddef>
#include <cstdint>
#include <new>

namespace bench
{

template <std::uint32_t Bytes> struct event {
	std::uint64_t word[Bytes / sizeof(std::uint64_t)];
};

/** Where a producer is nobody in particular. */
struct anybody {
	struct producer {
	};

	static producer producer_of(anybody & /*queue*/, std::uint32_t /*index*/)
	{
		return {};
	}
};

/** A sending end, of N events a publish at most. */
template <class Queue, std::uint32_t Bytes, bool Many, std::uint32_t N> class out
{
	Queue *queue;
	typename Queue::producer by;
	event<Bytes> to_send[N];

public:
	out(Queue &to, std::uint32_t index) : queue(&to), by(Queue::producer_of(to, index))
	{
	}

	LOOP_INLINE void *claim(void *end, std::uint64_t /*n*/, std::uint32_t /*bytes*/)
	{
		return static_cast<out *>(end)->to_send;
	}

	LOOP_INLINE void *claimed(void * /*end*/, void *first, std::uint64_t i,
				  std::uint32_t /*bytes*/)
	{
		return static_cast<event<Bytes> *>(first) + i;
	}

	LOOP_INLINE void publish(void *end, std::uint64_t n, std::uint32_t /*bytes*/)
	{
		out *o = static_cast<out *>(end);
		std::uint32_t looks = 0;

		for (std::uint64_t done = 0; done < n;) {
			std::size_t put = o->queue->push(o->by, o->to_send + done, n - done);

			done += put;
			if (put == 0)
				peer_wait(&looks, Many);
		}
	}
};

/** The receiving end. */
template <class Queue, std::uint32_t Bytes, bool Many> class in
{
	Queue *queue;
	event<Bytes> taken[Queue::takes] = {};

public:
	explicit in(Queue &from) : queue(&from)
	{
	}

	LOOP_INLINE std::uint64_t ready(void *end, std::uint32_t /*bytes*/)
	{
		in *i = static_cast<in *>(end);
		std::uint32_t looks = 0;
		std::size_t n;

		while ((n = i->queue->pop(i->taken)) == 0)
			peer_wait(&looks, Many);
		return n;
	}

	LOOP_INLINE const void *at(void *end, std::uint64_t i, std::uint32_t /*bytes*/)
	{
		return static_cast<in *>(end)->taken + i;
	}

	/* taking was releasing: the events were copied out */
	LOOP_INLINE void release(void * /*end*/, std::uint64_t /*n*/)
	{
	}
};

template <class Queue, std::uint32_t Bytes, bool Many, std::uint32_t N>
inline constexpr loop_end use = {
	out<Queue, Bytes, Many, N>::claim,
	out<Queue, Bytes, Many, N>::claimed,
	out<Queue, Bytes, Many, N>::publish,
	in<Queue, Bytes, Many>::ready,
	in<Queue, Bytes, Many>::at,
	in<Queue, Bytes, Many>::release,
	nullptr,
};

/** What every channel of ours begins with. */
struct closable : peer_channel {
	void (*close)(void *channel);
};

/** A channel's queue, and the loops over it. */
template <class Queue, std::uint32_t Bytes, bool Many> class channel : public closable
{
	alignas(DISRUPTOR_APART) Queue queue;

public:
	explicit channel(const bench_params &params)
	    : closable{ { &table }, destroy }, queue(params)
	{
	}

	static constexpr std::uint32_t any = UINT32_MAX;

	/** Apart, as loop.h does it. */
	template <std::uint32_t Batch>
	__attribute__((noinline)) static void produce_as(void *self, bench_task *task)
	{
		constexpr std::uint32_t n = Batch <= 1 ? 1 : PEER_BATCH;
		out<Queue, Bytes, Many, n> end(static_cast<channel *>(self)->queue, task->index);

		if constexpr (Many)
			loop_produce_marked(&use<Queue, Bytes, Many, n>, &end, task, Bytes,
					    Batch == any ? task->batch : Batch);
		else
			loop_produce(&use<Queue, Bytes, Many, n>, &end, task, Bytes,
				     Batch == any ? task->batch : Batch);
	}

	static void produce(void *self, bench_task *task)
	{
		if (task->batch > PEER_BATCH)
			bench_fail("at most %d events a publish are copied in", PEER_BATCH);
		if (task->work != 0 && !Many)
			produce_as<Many ? 1 : LOOP_WORKING>(self, task);
		else if (task->batch == 1)
			produce_as<1>(self, task);
		else if (task->batch == 16)
			produce_as<16>(self, task);
		else
			produce_as<any>(self, task);
	}

	static void consume(void *self, bench_task *task)
	{
		in<Queue, Bytes, Many> end(static_cast<channel *>(self)->queue);

		if constexpr (Many)
			loop_consume_marked(&use<Queue, Bytes, Many, 1>, &end, task, Bytes);
		else
			loop_consume_sized(&use<Queue, Bytes, Many, 1>, &end, task, Bytes);
	}

	template <bool Watched>
	__attribute__((noinline)) static void serve_as(void *const *channels, bench_task *task)
	{
		out<Queue, Bytes, Many, 1> to(static_cast<channel *>(channels[0])->queue, 0);
		in<Queue, Bytes, Many> from(static_cast<channel *>(channels[1])->queue);

		loop_serve(&use<Queue, Bytes, Many, 1>, &to, &from, task, Bytes, Watched);
	}

	static void serve(void *const *channels, bench_task *task)
	{
		if (task->took != nullptr)
			serve_as<true>(channels, task);
		else
			serve_as<false>(channels, task);
	}

	template <bool Late>
	__attribute__((noinline)) static void answer_as(void *const *channels, bench_task *task)
	{
		out<Queue, Bytes, Many, 1> to(static_cast<channel *>(channels[1])->queue, 0);
		in<Queue, Bytes, Many> from(static_cast<channel *>(channels[0])->queue);

		loop_answer(&use<Queue, Bytes, Many, 1>, &to, &from, task, Bytes, Late);
	}

	static void answer(void *const *channels, bench_task *task)
	{
		if (task->pause != 0)
			answer_as<true>(channels, task);
		else
			answer_as<false>(channels, task);
	}

	static void destroy(void *self)
	{
		delete static_cast<channel *>(self);
	}

	static constexpr peer_loops table = { produce, consume, produce, consume, serve, answer };
};

template <template <std::uint32_t, bool> class Queue, bool Many>
void *open_sized(const bench_params &params)
{
	switch (params.event_bytes) {
	case 8:
		return new channel<Queue<8, Many>, 8, Many>(params);
	case 16:
		return new channel<Queue<16, Many>, 16, Many>(params);
	case 32:
		return new channel<Queue<32, Many>, 32, Many>(params);
	case 64:
		return new channel<Queue<64, Many>, 64, Many>(params);
	case 128:
		return new channel<Queue<128, Many>, 128, Many>(params);
	case 256:
		return new channel<Queue<256, Many>, 256, Many>(params);
	}
	bench_fail("no queue was compiled for events of %u bytes", params.event_bytes);
}

/** Of one producer only. */
template <template <std::uint32_t, bool> class Queue> void *open_one(const bench_params *params)
{
	return open_sized<Queue, false>(*params);
}

template <template <std::uint32_t, bool> class Queue> void *open_any(const bench_params *params)
{
	return params->producers > 1 ? open_sized<Queue, true>(*params)
				     : open_sized<Queue, false>(*params);
}

inline void close(void *channel)
{
	closable *c = static_cast<closable *>(channel);

	c->close(c);
}

constexpr bench_subject subject_of(const char *name,
				   void *(*open)(const bench_params *params)) noexcept
{
	bench_subject subject{};

	subject.name = name;
	subject.waits = "spin";
	subject.open = open;
	subject.close = close;
	subject.produce = peer_produce;
	subject.consume = peer_consume;
	subject.serve = peer_serve;
	subject.answer = peer_answer;
	return subject;
}

} // namespace bench

#endif
