/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Creating a ring, all its memory at hand, and what memory that is. Beside it
 * the memory alone: as many bytes mapped, and each page of them written to.
 */
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct disruptor_field field = { "words", 0, 8, 8, DISRUPTOR_KIND_UNSIGNED };
static const struct disruptor_type type = { "event", 8, 8, &field, 1, 0 };

/* Slots made in one sample, at most: however many rings were asked for, it shall end. */
static const uint64_t most_slots = UINT64_C(1) << 24;

/** What is made, over and over. */
struct making {
	const struct bench_entry *entry;
	struct disruptor_options options;
	uint64_t times;
	double took; /* ns, making alone */
	double resident;
	struct bench_usage used;
	const char *rung;
};

static void make_ring(struct making *m)
{
	struct disruptor_ring *ring;
	uint64_t began = disruptor_now();

	if (disruptor_ring_create(&ring, &type, &m->options) != 0)
		bench_fail("creating a ring: %s", disruptor_error_detail());
	m->took += (double)(disruptor_now() - began);
	if (disruptor_ring_info(ring).capacity != m->options.capacity)
		bench_fail("the ring is not what was asked for");
	m->rung = disruptor_rung_name(disruptor_ring_info(ring).rung);
	m->resident = fmax(m->resident, bench_resident());
	if (disruptor_ring_destroy(&ring) != 0)
		bench_fail("destroying a ring: %s", disruptor_error_detail());
}

#if defined(__linux__)

static unsigned char *map(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("no memory for %zu bytes", size);
#if defined(MADV_POPULATE_WRITE)
	if (madvise(memory, size, MADV_POPULATE_WRITE) == 0)
		return memory;
#endif
	for (size_t at = 0; at < size; at += page)
		memory[at] = 1;
	return memory;
}

static void unmap(unsigned char *memory, size_t size)
{
	munmap(memory, size);
}

#else

static unsigned char *map(size_t size)
{
	return bench_alloc(size);
}

static void unmap(unsigned char *memory, size_t size)
{
	(void)size;
	free(memory);
}

#endif

static void make_memory(struct making *m)
{
	size_t size = disruptor_ring_size(&type, &m->options);
	uint64_t began = disruptor_now();
	unsigned char *memory = map(size);

	m->took += (double)(disruptor_now() - began);
	m->resident = fmax(m->resident, bench_resident());
	unmap(memory, size);
}

static const struct bench_subject limit_memory = { .name = "limit:memory", .waits = "never" };

static void making(void *context)
{
	struct making *m = context;
	struct bench_usage before, after;

	bench_usage_thread(&before);
	for (uint64_t i = 0; i < m->times; i++) {
		if (m->entry->subject == &limit_memory)
			make_memory(m);
		else
			make_ring(m);
	}
	bench_usage_thread(&after);
	bench_usage_add(&m->used, &before, &after);
}

static void create(const struct bench_entry *entry, const struct bench_params *params,
		   struct bench_sample *sample)
{
	bool many = entry->name != NULL && strcmp(entry->name, "disruptor:many") == 0;
	struct making m = {
		.entry = entry,
		.options = { .size = sizeof(m.options),
			     .capacity = params->capacity,
			     .wait = params->wait,
			     .rung = params->rung,
			     .producers = many ? DISRUPTOR_MANY : DISRUPTOR_SINGLE,
			     .layout = entry->layout,
			     .flags = DISRUPTOR_PREFAULT },
		.times = params->events,
	};
	struct bench_side side = { making, &m };
	uint64_t most = most_slots / params->capacity + 1;
	double before = bench_resident();

	m.times = m.times < most ? m.times : most;
	bench_run_sides(1, params->cpus, &side);
	sample->value = m.took / (double)m.times / 1e3;
	sample->seconds = m.took / 1e9;
	sample->rung = m.rung;
	sample->events = (double)m.times;
	sample->usage = m.used;
	sample->resident = fmax(m.resident - before, 0);
}

static const struct bench_point capacities[] = {
	{ .label = "64 slots", .capacity = 64 },
	{ .label = "1024 slots", .capacity = 1024 },
	{ .label = "65536 slots", .capacity = 65536 },
	{ .label = "1 Mi slots", .capacity = 1 << 20 },
	{ .label = NULL },
};

const struct bench_scenario scenario_create = {
	.name = "create",
	.what = "creating a ring, with all its memory at hand",
	.unit = "us/ring",
	.better = BENCH_LESS,
	.rounds = 11,
	.sample_seconds = 0.02,
	.points = capacities,
	.defaults = BENCH_PARAMS(8, 1024, BLOCKING),
	.entries = { { .subject = &limit_memory, .role = BENCH_LIMIT },
		     { .subject = &subject_disruptor, .role = BENCH_MAIN },
		     { .subject = &subject_disruptor,
		       .name = "disruptor:packed",
		       .layout = DISRUPTOR_PACKED },
		     { .subject = &subject_disruptor, .name = "disruptor:many" },
		     { .subject = &subject_disruptor, .role = BENCH_AGAIN } },
	.sample = create,
};
