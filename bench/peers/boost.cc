/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Boost.Lockfree's spsc_queue. */
#include "queue.h"

#include <boost/lockfree/spsc_queue.hpp>

namespace bench
{

template <std::uint32_t Bytes, bool> class boost_queue : public anybody
{
	boost::lockfree::spsc_queue<event<Bytes>> ring;

public:
	static constexpr std::size_t takes = PEER_TAKEN;

	explicit boost_queue(const bench_params &params) : ring(params.capacity)
	{
	}

	std::size_t push(producer /*by*/, const event<Bytes> *events, std::size_t n)
	{
		return n == 1 ? ring.push(*events) : ring.push(events, n);
	}

	std::size_t pop(event<Bytes> *events)
	{
		return ring.pop(events, takes);
	}
};

} // namespace bench

const bench_subject subject_boost =
	bench::subject_of("boost::lockfree::spsc_queue", bench::open_one<bench::boost_queue>);
