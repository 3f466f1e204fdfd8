/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What others have made, in the order in which it is shown. The adapters are in
 * peers/; cmake/peers.cmake builds those whose packages it finds. The others
 * are listed all the same: a report says what is missing.
 */
#include "bench.h"
#include "peers/peer.h"

#include "peers_built.h" /* BUILT_x: &subject_x, or NULL; PACKAGE_VERSIONS */

#include <string.h>

static const char *const one_to_one[] = { "unicast", "sizes", "batch", "pingpong", NULL };
static const char *const any_to_one[] = {
	"unicast", "sizes", "batch", "pingpong", "producers", "three", NULL,
};

/** The largest event for which a queue of elements of a type is compiled. */
enum { LARGEST = 256 };

#define YIELDS "; with several producers a thread yields after each 100 looks in vain"

static const struct bench_peer peer_rte = {
	.name = "DPDK rte_ring",
	.package = "libdpdk-dev",
	.config =
		"SP/SC, filled and read in place (zero-copy API), bulk of a publish, burst of 64; "
		"with 2 producers MP, with more RTS, copied in" YIELDS,
	.subject = BUILT_rte,
	.scenarios = any_to_one,
	.producers = BENCH_PRODUCERS,
};

static const struct bench_peer peer_ck = {
	.name = "ck_ring",
	.package = "libck-dev",
	.config = "typed ring (CK_RING_PROTOTYPE), SPSC, with 2 producers MPSC; reserve, fill in "
		  "place, commit; copied out one at a time" YIELDS,
	.subject = BUILT_ck,
	.scenarios = any_to_one,
	.producers = 2, /* they spin until their turn: more than processors take ages */
	.event_bytes = LARGEST,
	.sized = true,
};

static const struct bench_peer peer_urcu = {
	.name = "liburcu wfcqueue",
	.package = "liburcu-dev",
	.config = "inlined; events lie in the nodes, which each producer recycles within its share "
		  "of the capacity; spliced out, taken 64 at a time" YIELDS,
	.subject = BUILT_urcu,
	.scenarios = any_to_one,
	.producers = BENCH_PRODUCERS,
	.unbounded = true,
};

static const struct bench_peer peer_boost = {
	.name = "boost::lockfree::spsc_queue",
	.package = "libboost-dev",
	.config =
		"spsc_queue of a capacity given at run time; push of an array for a batch, pop of "
		"64 at a time",
	.subject = BUILT_boost,
	.scenarios = one_to_one,
	.event_bytes = LARGEST,
	.sized = true,
};

static const struct bench_peer peer_rwqueue = {
	.name = "moodycamel::ReaderWriterQueue",
	.package = "libreaderwriterqueue-dev",
	.config = "preallocated, try_enqueue, try_dequeue; one at a time",
	.subject = BUILT_rwqueue,
	.scenarios = one_to_one,
	.event_bytes = LARGEST,
	.sized = true,
};

static const struct bench_peer peer_cqueue = {
	.name = "moodycamel::ConcurrentQueue",
	.package = "libconcurrentqueue-dev",
	.config =
		"preallocated, try_enqueue with a token for each producer, bulk for a batch; taken "
		"in bulk, 64 at a time, from the one producer's token, with several a "
		"consumer's" YIELDS,
	.subject = BUILT_cqueue,
	.scenarios = any_to_one,
	.producers = BENCH_PRODUCERS,
	.event_bytes = LARGEST,
	.sized = true,
	.unordered = true,
};

static const struct bench_peer peer_atomic = {
	.name = "atomic_queue",
	.package = "libatomic-queue-dev",
	.config =
		"AtomicQueueB of 8-byte events, else AtomicQueueB2; optimistic push and pop; SPSC "
		"without MAXIMIZE_THROUGHPUT; with several producers MPMC with it, twice the "
		"places of which half are filled, and a look first whether it would wait" YIELDS,
	.subject = BUILT_atomic,
	.scenarios = any_to_one,
	.producers = BENCH_PRODUCERS,
	.event_bytes = LARGEST,
	.sized = true,
};

static const struct bench_peer peer_tbb = {
	.name = "tbb::concurrent_bounded_queue",
	.package = "libtbb-dev",
	.config = "concurrent_bounded_queue, try_push and try_pop" YIELDS,
	.subject = BUILT_tbb,
	.scenarios = any_to_one,
	.producers = BENCH_PRODUCERS,
	.event_bytes = LARGEST,
	.sized = true,
};

extern const struct bench_peer peer_lmax, peer_crossbeam;

static const char *const between_processes[] = { "processes", NULL };

static const struct bench_peer peer_iceoryx = {
	.name = "iceoryx",
	.package = "libiceoryx-binding-c-dev",
	.config =
		"C binding, a publisher and a subscriber a process, queue of 4; loan, fill in place, "
		"publish; take_chunk until there is one, read in place, release; iox-roudi without "
		"monitoring",
	.subject = BUILT_iceoryx,
	.scenarios = between_processes,
};

const struct bench_peer *const bench_peers[] = {
	&peer_rte,    &peer_ck,  &peer_urcu, &peer_boost,     &peer_rwqueue, &peer_cqueue,
	&peer_atomic, &peer_tbb, &peer_lmax, &peer_crossbeam, &peer_iceoryx, NULL,
};

const char *bench_peer_version(const struct bench_peer *peer)
{
	static const struct {
		const char *package, *version;
	} installed[] = { PACKAGE_VERSIONS };

	for (size_t i = 0; installed[i].package != NULL; i++)
		if (strcmp(installed[i].package, peer->package) == 0)
			return installed[i].version;
	return NULL;
}
