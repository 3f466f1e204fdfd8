/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* oneTBB's concurrent_bounded_queue. */
#include "queue.h"

#include <oneapi/tbb/concurrent_queue.h>

namespace bench
{

template <std::uint32_t Bytes, bool Many> class tbb_queue : public anybody
{
	tbb::concurrent_bounded_queue<event<Bytes>> list;

public:
	static constexpr std::size_t takes = 1;

	explicit tbb_queue(const bench_params &params)
	{
		list.set_capacity(static_cast<std::ptrdiff_t>(params.capacity));
	}

	std::size_t push(producer /*by*/, const event<Bytes> *events, std::size_t /*n*/)
	{
		return list.try_push(*events);
	}

	std::size_t pop(event<Bytes> *events)
	{
		return list.try_pop(*events);
	}
};

} // namespace bench

const bench_subject subject_tbb =
	bench::subject_of("tbb::concurrent_bounded_queue", bench::open_any<bench::tbb_queue>);
