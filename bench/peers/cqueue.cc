/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* moodycamel's ConcurrentQueue: a queue of queues, one for each producer's token. */
#include "queue.h"

#include <concurrentqueue/concurrentqueue.h>

#include <vector>

namespace bench
{

template <std::uint32_t Bytes, bool Many> class cqueue_queue
{
	using list_type = moodycamel::ConcurrentQueue<event<Bytes>>;

	struct alignas(DISRUPTOR_APART) token : moodycamel::ProducerToken {
		using moodycamel::ProducerToken::ProducerToken;
	};

	list_type list;
	std::vector<token> tokens;
	alignas(DISRUPTOR_APART) moodycamel::ConsumerToken consumer;

public:
	static constexpr std::size_t takes = PEER_TAKEN;
	using producer = moodycamel::ProducerToken *;

	/*
	 * A token for each thread, and as many blocks as it takes without allocating. A producer
	 * keeps the blocks that it has had. So that none has them all, each is given its share.
	 */
	explicit cqueue_queue(const bench_params &params)
	    : list(params.capacity / params.producers, params.producers, 0), consumer(list)
	{
		const event<Bytes> nothing{};
		event<Bytes> taken[takes];

		tokens.reserve(params.producers);
		for (std::uint32_t i = 0; i < params.producers; i++) {
			token &t = tokens.emplace_back(list);

			for (std::uint64_t n = params.capacity / params.producers; n != 0; n--)
				list.enqueue(t, nothing);
			while (list.try_dequeue_bulk_from_producer(t, taken, takes) != 0)
				;
		}
	}

	static producer producer_of(cqueue_queue &queue, std::uint32_t index)
	{
		return &queue.tokens[index];
	}

	/* all of them or none; try: it would allocate rather than wait */
	std::size_t push(producer by, const event<Bytes> *events, std::size_t n)
	{
		bool put = n == 1 ? list.try_enqueue(*by, *events)
				  : list.try_enqueue_bulk(*by, events, n);

		return put ? n : 0;
	}

	std::size_t pop(event<Bytes> *events)
	{
		if constexpr (Many)
			return list.try_dequeue_bulk(consumer, events, takes);
		else
			return list.try_dequeue_bulk_from_producer(tokens[0], events, takes);
	}
};

} // namespace bench

const bench_subject subject_cqueue =
	bench::subject_of("moodycamel::ConcurrentQueue", bench::open_any<bench::cqueue_queue>);
