/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * T61: under AddressSanitizer an event that everyone has released is forbidden, so that a reference
 * kept beyond the release traps. Each access is made in a child, which must die of it or live.
 */
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether reading @p t ends the process. */
static bool traps(const struct tick *t)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDERR_FILENO);
		_exit(t->value == UINT64_MAX); /* 0 if the read is allowed */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void open_layout(struct fixture *f, int layout, uint64_t capacity, unsigned consumers)
{
	struct disruptor_options o = fixture_options(capacity);

	if (!DISRUPTOR_ASAN)
		skip();
	o.layout = (enum disruptor_layout)layout;
	fixture_open_with(f, &o, consumers);
}

TEST(an_event_that_is_read_after_its_release_traps)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct tick *kept[2];
		struct fixture f;

		open_layout(&f, layout, 8, 1);
		publish_ticks(&f.producer, 2);
		assert_int_equal(tick_ready(&f.consumer[0]), 2);
		kept[0] = tick_at(&f.consumer[0], 0);
		kept[1] = tick_at(&f.consumer[0], 1);
		assert_false(traps(kept[0]));
		assert_code(tick_release(&f.consumer[0], 1), 0);
		assert_true(traps(kept[0]));
		assert_false(traps(kept[1])); /* not released yet */
		assert_code(tick_release(&f.consumer[0], 1), 0);
		assert_true(traps(kept[1]));
		fixture_close(&f);
	}
}

TEST(an_event_traps_once_the_last_consumer_has_released_it)
{
	for (unsigned first = 0; first < 2; first++) {
		struct tick *kept;
		struct fixture f;

		open_layout(&f, DISRUPTOR_STAMPED, 4, 2);
		publish_ticks(&f.producer, 1);
		assert_int_equal(tick_ready(&f.consumer[0]), 1);
		kept = tick_at(&f.consumer[0], 0);
		read_ticks(&f.consumer[first], 1);
		assert_false(traps(kept));
		read_ticks(&f.consumer[!first], 1);
		assert_true(traps(kept));
		fixture_close(&f);
	}
}

TEST(a_slot_that_is_claimed_again_may_be_written_again)
{
	for (int layout = DISRUPTOR_STAMPED; layout <= DISRUPTOR_PACKED; layout++) {
		struct tick *again;
		struct fixture f;

		open_layout(&f, layout, 2, 1);
		for (int lap = 0; lap < 3; lap++) {
			publish_ticks(&f.producer, 2);
			read_ticks(&f.consumer[0], 2);
		}
		again = tick_claim(&f.producer);
		assert_false(traps(again));
		assert_true(traps(again + 1 + (layout == DISRUPTOR_STAMPED ? 1 : 0)));
		assert_code(tick_abort(&f.producer), 0);
		fixture_close(&f);
	}
}

/* The caller's memory is the caller's again, with nothing forbidden in it. */
TEST(a_destroyed_ring_leaves_nothing_forbidden)
{
	struct disruptor_options o = fixture_options(4);
	size_t size = disruptor_ring_size(&tick_type, &o);
	unsigned char *memory;
	struct fixture f;

	if (!DISRUPTOR_ASAN)
		skip();
	memory = aligned_alloc(disruptor_ring_align(&tick_type, &o), size);
	o.memory = memory;
	o.memory_size = size;
	fixture_open_with(&f, &o, 1);
	publish_ticks(&f.producer, 4);
	read_ticks(&f.consumer[0], 4);
	fixture_close(&f);
	for (size_t i = 0; i < size; i++)
		memory[i] = 1;
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(an_event_that_is_read_after_its_release_traps),
		RUN(an_event_traps_once_the_last_consumer_has_released_it),
		RUN(a_slot_that_is_claimed_again_may_be_written_again),
		RUN(a_destroyed_ring_leaves_nothing_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
