/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* atomic_queue: AtomicQueueB for events of a word, AtomicQueueB2 for others. */
#include "queue.h"

#include <atomic_queue/atomic_queue.h>

#include <type_traits>

namespace bench
{

/* As its author's benchmarks have it: of many to many with MAXIMIZE_THROUGHPUT, of one to one not. */
template <bool Many>
using words = ::atomic_queue::AtomicQueueB<std::uint64_t, std::allocator<std::uint64_t>, 0, Many,
					   false, !Many>;
template <std::uint32_t Bytes, bool Many>
using events =
	atomic_queue::AtomicQueueB2<event<Bytes>, std::allocator<event<Bytes>>, Many, false, !Many>;

/*
 * A consumer that takes a place before its producer, put off its processor, has filled it, may be
 * given what another producer writes there a lap later, if the ring is full: out of order. So that
 * no lap is ever complete, what has several producers has twice the places, and they fill half.
 */
template <std::uint32_t Bytes, bool Many> class atomic_queue : public anybody
{
	static constexpr bool word = Bytes == sizeof(std::uint64_t);
	std::conditional_t<word, words<Many>, events<Bytes, Many>> ring;
	const unsigned full;

public:
	static constexpr std::size_t takes = 1;

	explicit atomic_queue(const bench_params &params)
	    : ring(static_cast<unsigned>(params.capacity) * (Many ? 2 : 1)),
	      full(static_cast<unsigned>(params.capacity))
	{
	}

	/* Optimistic: waits by itself. It spins, so where it may be in the way it looks before. */
	std::size_t push(producer /*by*/, const event<Bytes> *events, std::size_t /*n*/)
	{
		if (Many && ring.was_size() >= full)
			return 0;
		if constexpr (word)
			ring.push(events->word[0]); /* never 0, which means none */
		else
			ring.push(*events);
		return 1;
	}

	std::size_t pop(event<Bytes> *events)
	{
		if (Many && ring.was_empty())
			return 0;
		if constexpr (word)
			events->word[0] = ring.pop();
		else
			*events = ring.pop();
		return 1;
	}
};

} // namespace bench

const bench_subject subject_atomic =
	bench::subject_of("atomic_queue", bench::open_any<bench::atomic_queue>);
