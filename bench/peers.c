/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What others have made, in the order in which it is shown. The adapters are in peers/. */
#include "bench.h"

extern const struct bench_peer peer_lmax, peer_crossbeam;

const struct bench_peer *const bench_peers[] = {
	&peer_lmax,
	&peer_crossbeam,
	NULL,
};
