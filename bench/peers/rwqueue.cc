/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* moodycamel's ReaderWriterQueue. */
#include "queue.h"

#include <readerwriterqueue/readerwriterqueue.h>

namespace bench
{

template <std::uint32_t Bytes, bool> class rwqueue_queue : public anybody
{
	moodycamel::ReaderWriterQueue<event<Bytes>> list;

public:
	static constexpr std::size_t takes = 1;

	explicit rwqueue_queue(const bench_params &params) : list(params.capacity)
	{
	}

	/* try: it would allocate rather than wait, and what was reserved is enough */
	std::size_t push(producer /*by*/, const event<Bytes> *events, std::size_t /*n*/)
	{
		return list.try_enqueue(*events);
	}

	std::size_t pop(event<Bytes> *events)
	{
		return list.try_dequeue(*events);
	}
};

} // namespace bench

const bench_subject subject_rwqueue =
	bench::subject_of("moodycamel::ReaderWriterQueue", bench::open_one<bench::rwqueue_queue>);
