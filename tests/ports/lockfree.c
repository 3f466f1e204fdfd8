/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* T70: run by tests/ports/lockfree, compiled for a processor without 64-bit atomics of its own. */
#include <disruptor/disruptor.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tick {
	uint64_t value;
};

DISRUPTOR_EVENT(tick, struct tick, DISRUPTOR_U64(struct tick, value));

#ifdef TAKES_A_LOCK
/* Instead of libatomic's, which asks the processor; that it is called shows that nobody knew. */
bool is_lock_free(size_t size, const void *object) __asm__("__atomic_is_lock_free");
bool is_lock_free(size_t size, const void *object)
{
	(void)object;
	return size < sizeof(uint64_t);
}

int main(void)
{
	struct disruptor_options options = { .size = sizeof(options), .capacity = 8 };
	struct disruptor_ring *ring;
	int rc = disruptor_ring_create(&ring, &tick_type, &options);

	if (rc != DISRUPTOR_E_UNSUPPORTED || ring ||
	    disruptor_ring_size(&tick_type, &options) != 0 ||
	    !strstr(disruptor_error_detail(), "64-bit atomics take a lock")) {
		printf("not refused: %d, %s\n", rc, disruptor_error_detail());
		return 1;
	}
	puts(disruptor_error_detail());
	return 0;
}
#else
int main(void)
{
	struct disruptor_options options = { .size = sizeof(options), .capacity = 8 };
	struct disruptor_ring *ring;
	struct tick_producer p;
	struct tick_consumer c;

	if (disruptor_ring_create(&ring, &tick_type, &options) != 0 ||
	    tick_consumer_open(&c, ring, NULL) != 0 || tick_producer_open(&p, ring, NULL) != 0) {
		puts(disruptor_error_detail());
		return 1;
	}
	for (uint64_t i = 0; i < 100; i++) {
		tick_claim(&p)->value = i << 40;
		(void)tick_publish(&p);
		if (tick_ready(&c) != 1 || tick_at(&c, 0)->value != i << 40)
			return 1;
		(void)tick_release(&c, 1);
	}
	return tick_producer_close(&p) || tick_consumer_close(&c) || disruptor_ring_destroy(&ring);
}
#endif
