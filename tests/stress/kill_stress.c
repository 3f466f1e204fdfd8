/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Three processes that produce and three that consume, killed or stopped one after the other at
 * random instants and started again, while every event is accounted for. Linux.
 *
 * DISRUPTOR_KILLS says how many die (100); DISRUPTOR_SEED from which seed (another each time).
 */
#define _GNU_SOURCE
#include "shared.h"

#include <disruptor/segment.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRODUCERS 3
#define CONSUMERS 3 /* two that are required, and one that is optional */
#define PARTIES (PRODUCERS + CONSUMERS)
#define CAPACITY 256
#define LIMIT_NS UINT64_C(20000000000) /* nothing may stand still for so long */

struct parcel {
	uint64_t from, value, check;
};

DISRUPTOR_EVENT(parcel, struct parcel,
	DISRUPTOR_U64(struct parcel, from),
	DISRUPTOR_U64(struct parcel, value),
	DISRUPTOR_U64(struct parcel, check));

typedef DISRUPTOR_ATOMIC(uint64_t) word;

/* What a consumer knows, whole at any instant: two, of which one counts. */
struct knowledge {
	uint64_t position;        /* the first not handled */
	uint64_t next[PRODUCERS]; /* the first value not seen */
};

#define DOUBTS 65536

/* Outlives them all. */
struct world {
	word stop;
	word failed; /* line */
	word killed; /* of all parties */
	struct {
		word begun, done; /* values of which a publish began, and ended */
		word doubts;      /* values whose producer died between: they may be there */
		word doubtful[DOUBTS];
	} producers[PRODUCERS];
	struct {
		struct knowledge known[2];
		word which;
		word handled, again; /* events, and of those the ones seen before a death */
		word finished;
	} consumers[CONSUMERS];
};

static struct world *world;
#define DEMAND(what)                                                                               \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			disruptor_store_relaxed(&world->failed, (uint64_t)__LINE__);               \
			(void)fprintf(stderr, "%s:%d: not so: %s; %s\n", __FILE__, __LINE__,       \
				      #what, disruptor_error_detail());                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static uint64_t check_of(const struct parcel *p)
{
	return (p->from + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
	       p->value * UINT64_C(0xff51afd7ed558ccd);
}

static struct disruptor_segment *find(void)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory };
	struct disruptor_segment *s;

	DEMAND(disruptor_segment_open(&s, "ring", &parcel_type, NULL, &o) == 0);
	return s;
}

/* ---- a producer ---- */

/* The last one that had this number may have died between the beginning and the end of a publish. */
static uint64_t go_on(unsigned me)
{
	uint64_t begun = disruptor_load_acquire(&world->producers[me].begun);
	uint64_t doubts = disruptor_load_relaxed(&world->producers[me].doubts);

	if (begun != disruptor_load_relaxed(&world->producers[me].done)) {
		DEMAND(doubts < DOUBTS);
		disruptor_store_relaxed(&world->producers[me].doubtful[doubts], begun - 1);
		disruptor_store_release(&world->producers[me].doubts, doubts + 1);
		disruptor_store_release(&world->producers[me].done, begun);
	}
	return begun;
}

static void produce(unsigned me)
{
	struct disruptor_segment *s = find();
	struct parcel_producer p;
	uint64_t value = go_on(me);

	DEMAND(parcel_producer_open(&p, disruptor_segment_ring(s), NULL) == 0);
	while (!disruptor_load_relaxed(&world->stop)) {
		struct parcel *e =
			disruptor_claim_until(&p.view, 1, disruptor_in(UINT64_C(20000000)));

		if (!e) {
			int why = disruptor_producer_status(&p.view);

			/* who is required and dead comes back */
			DEMAND(why == DISRUPTOR_E_TIMEOUT || why == DISRUPTOR_E_PEER_DEAD);
			continue;
		}
		*e = (struct parcel){ .from = me, .value = value };
		e->check = check_of(e);
		value++;
		disruptor_store_release(&world->producers[me].begun, value);
		DEMAND(parcel_publish(&p) == 0);
		disruptor_store_release(&world->producers[me].done, value);
	}
	DEMAND(parcel_producer_close(&p) == 0);
	DEMAND(disruptor_segment_close(&s) == 0);
}

/* ---- a consumer ---- */

static bool is_doubtful(unsigned producer, uint64_t value)
{
	uint64_t n = disruptor_load_acquire(&world->producers[producer].doubts);

	for (uint64_t i = 0; i < n; i++)
		if (disruptor_load_relaxed(&world->producers[producer].doubtful[i]) == value)
			return true;
	return false;
}

static void handle(struct knowledge *k, const struct parcel *p, bool all)
{
	DEMAND(p->from < PRODUCERS);
	DEMAND(p->check == check_of(p));
	DEMAND(p->value >= k->next[p->from]);
	for (uint64_t v = k->next[p->from]; all && v < p->value; v++)
		DEMAND(is_doubtful((unsigned)p->from, v));
	k->next[p->from] = p->value + 1;
}

static bool is_over(const struct knowledge *k)
{
	if (disruptor_load_acquire(&world->stop) != 2) /* no producer lives */
		return false;
	for (unsigned i = 0; i < PRODUCERS; i++)
		for (uint64_t v = k->next[i]; v < disruptor_load_relaxed(&world->producers[i].done);
		     v++)
			if (!is_doubtful(i, v))
				return false;
	return true;
}

static void count(word *counter)
{
	disruptor_store_relaxed(counter, disruptor_load_relaxed(counter) + 1);
}

static void consume(unsigned me)
{
	static const char *const names[CONSUMERS] = { "first", "second", "optional" };
	const bool required = me < 2;
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .name = names[me],
						      .if_dead = required ? DISRUPTOR_REQUIRED
									  : DISRUPTOR_OPTIONAL };
	struct disruptor_segment *s = find();
	struct parcel_consumer c;
	uint64_t which = disruptor_load_acquire(&world->consumers[me].which);
	struct knowledge k = world->consumers[me].known[which];

	DEMAND(parcel_consumer_open(&c, disruptor_segment_ring(s), &o) == 0);
	/*
	 * It goes on behind what it has released, which may be more than it knows to have handled: voids that
	 * it had passed when it died. A producer leaves at most one of them behind, as it claims one at a time.
	 */
	if (required)
		DEMAND(disruptor_consumer_position(&c.view) <=
			       k.position + disruptor_load_acquire(&world->killed) ||
		       k.position == 0);
	while (!is_over(&k)) {
		uint64_t at;
		int64_t n = parcel_ready_until(&c, disruptor_in(UINT64_C(20000000)));

		DEMAND(n > 0 || n == DISRUPTOR_E_TIMEOUT);
		at = disruptor_consumer_position(&c.view); /* voids are passed */
		for (int64_t i = 0; i < n; i++, at++) {
			if (at < k.position) {
				count(&world->consumers[me].again);
				continue;
			}
			handle(&k, parcel_at(&c, (uint64_t)i), required);
			k.position = at + 1;
			which = 1 - which;
			world->consumers[me].known[which] = k;
			disruptor_store_release(&world->consumers[me].which, which);
			count(&world->consumers[me].handled);
		}
		if (n > 0)
			(void)parcel_release(&c, (uint64_t)n);
	}
	disruptor_store_release(&world->consumers[me].finished, UINT64_C(1));
	DEMAND(parcel_consumer_close(&c) == 0);
	DEMAND(disruptor_segment_close(&s) == 0);
}

/* ---- who kills them ---- */

static uint64_t state;

static uint64_t random_below(uint64_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % n;
}

static void start(unsigned party, pid_t *pid)
{
	*pid = fork();
	if (*pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (party < PRODUCERS)
			produce(party);
		else
			consume(party - PRODUCERS);
		_exit(0);
	}
	assert_true(*pid > 0);
}

/* What the first required consumer has handled: where the stream is. */
static uint64_t progress(void)
{
	return disruptor_load_relaxed(&world->consumers[0].handled) +
	       disruptor_load_relaxed(&world->consumers[1].handled);
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

/* How long it takes from @p pid's death, which is provable once it is reaped, until events move. */
static uint64_t kill_one(pid_t pid)
{
	uint64_t died, before;

	assert_int_equal(kill(pid, SIGKILL), 0);
	reap(pid);
	died = disruptor_now();
	before = progress();
	while (progress() == before && disruptor_now() - died < LIMIT_NS &&
	       !disruptor_load_relaxed(&world->failed))
		(void)usleep(50);
	return disruptor_now() - died;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void harm(pid_t *pids, unsigned kills, uint64_t *took)
{
	for (unsigned i = 0; i < kills; i++) {
		unsigned victim = (unsigned)random_below(PARTIES);
		bool needed = victim == PRODUCERS || victim == PRODUCERS + 1;

		(void)usleep((unsigned)random_below(4000));
		disruptor_store_release(&world->killed, i + UINT64_C(1));
		if (random_below(4) == 0) {
			assert_int_equal(kill(pids[victim], SIGSTOP), 0);
			(void)usleep((unsigned)random_below(3000));
			if (random_below(2) == 0) {
				assert_int_equal(kill(pids[victim], SIGCONT), 0);
				(void)usleep((unsigned)random_below(1000));
			}
		}
		if (needed) {
			assert_int_equal(kill(pids[victim], SIGKILL), 0);
			reap(pids[victim]);
			took[i] = 0;
		} else {
			took[i] = kill_one(pids[victim]);
			assert_true(took[i] < LIMIT_NS);
		}
		assert_int_equal(world->failed, 0);
		start(victim, &pids[victim]);
	}
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

TEST(all_events_are_accounted_for)
{
	const unsigned kills = number_of("DISRUPTOR_KILLS", 100);
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = shared_directory,
						     .flags = DISRUPTOR_SEGMENT_CREATE };
	struct disruptor_options ring = fixture_options(CAPACITY);
	uint64_t *took = calloc(kills + 1, sizeof(*took)), events = 0, doubts = 0;
	struct disruptor_ring_stats stats;
	struct disruptor_segment *s;
	pid_t pids[PARTIES];

	ring.producers = DISRUPTOR_MANY;
	assert_non_null(took);
	assert_code(disruptor_segment_open(&s, "ring", &parcel_type, &ring, &o), 0);
	for (unsigned i = PARTIES; i-- != 0;) {
		start(i, &pids[i]);
		/* the required ones are there before the first event */
		while (i >= PRODUCERS &&
		       disruptor_ring_stats(disruptor_segment_ring(s)).consumers < PARTIES - i)
			(void)usleep(100);
	}
	harm(pids, kills, took);
	disruptor_store_release(&world->stop, UINT64_C(1));
	for (unsigned i = 0; i < PRODUCERS; i++) {
		reap(pids[i]);
		(void)go_on(i);
	}
	disruptor_store_release(&world->stop, UINT64_C(2));
	reap(pids[PRODUCERS]);
	reap(pids[PRODUCERS + 1]);
	assert_int_equal(world->consumers[0].finished, 1);
	assert_int_equal(world->consumers[1].finished, 1);
	assert_int_equal(kill(pids[PRODUCERS + 2], SIGKILL), 0);
	reap(pids[PRODUCERS + 2]);
	assert_int_equal(world->failed, 0);
	disruptor_segment_tend(s);
	stats = disruptor_ring_stats(disruptor_segment_ring(s));
	assert_int_equal(stats.open_producers, 0);
	assert_int_equal(stats.consumers, 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		events += world->producers[i].done;
		doubts += world->producers[i].doubts;
	}
	qsort(took, kills, sizeof(*took), by_size);
	printf("%u killed, %llu events, 0 missing, 0 corrupted; %llu in doubt when their producer died, "
	       "%llu seen again after their consumer died; from a death until events moved: 99 %% %.1f "
	       "ms, at most %.1f ms\n",
	       kills, (unsigned long long)events, (unsigned long long)doubts,
	       (unsigned long long)(world->consumers[0].again + world->consumers[1].again),
	       kills ? (double)took[kills * 99 / 100] / 1e6 : 0.0,
	       kills ? (double)took[kills - 1] / 1e6 : 0.0);
	free(took);
	assert_code(disruptor_segment_close(&s), 0);
	assert_code(disruptor_segment_remove("ring", &o), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_events_are_accounted_for),
	};

	if (!shared_there_are_on_this_rung())
		return 77;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED)
		return 1;
	state = number_of("DISRUPTOR_SEED", (unsigned)disruptor_now());
	printf("seed %u\n", (unsigned)state);
	return cmocka_run_group_tests(tests, shared_setup, shared_teardown);
}
