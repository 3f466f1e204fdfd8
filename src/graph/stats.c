/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Figures of stages and producers, for whoever asks. */
#include "graph/stats.h"

#include "error.h"
#include "graph/pool.h"

#include <string.h>

int stats_give(const char *what, void *out, size_t out_size, const void *known, size_t known_size)
{
	unsigned char *bytes = out;
	size_t common = out_size < known_size ? out_size : known_size;

	if (out_size <= sizeof(size_t) || out_size > 65536)
		return error_set(DISRUPTOR_E_VERSION,
				 "%s: size: %zu; set it to sizeof the structure", what, out_size);
	memset(bytes, 0, out_size);
	memcpy(bytes, known, common);
	memcpy(bytes, &out_size, sizeof(out_size)); /* it stays what the caller said */
	return 0;
}

static size_t size_of(const void *out)
{
	size_t size;

	memcpy(&size, out, sizeof(size));
	return size;
}

/* A pool's figures are its workers' together; what went otherwise is summed already. */
static void add_worker(struct disruptor_stage_stats *out, const struct disruptor_stage *s)
{
	const struct stage_figures *f = &s->figures;
	/* relaxed (figure), all: another thread's */
	uint64_t batch_max = disruptor_load_relaxed(&f->batch_max);
	uint64_t batch_at = disruptor_load_relaxed(f->batch_at) & ~UINT64_C(1);

	out->events += disruptor_load_relaxed(&f->events);
	out->batches += disruptor_load_relaxed(&f->batches);
	out->sleeps += disruptor_load_relaxed(&s->consumer.gate->sleeps);
	out->wakes +=
		disruptor_load_relaxed(&s->owner->ring->consumer_table[s->consumer.index].wakes);
	if (batch_max > out->batch_max)
		out->batch_max = batch_max;
	if (batch_at > out->batch_at)
		out->batch_at = batch_at;
}

static struct disruptor_stage_stats figures_of(const struct disruptor_stage *s)
{
	const struct stage_figures *f = &s->figures;
	const struct disruptor_ring *r = s->owner->ring;
	struct disruptor_stage_trouble trouble = disruptor_stage_trouble(s);
	/* relaxed (figure), all: another thread's */
	struct disruptor_stage_stats out = {
		.name = s->name,
		.position = disruptor_stage_position(s),
		.events = disruptor_load_relaxed(&f->events),
		.batches = disruptor_load_relaxed(&f->batches),
		.batch_max = disruptor_load_relaxed(&f->batch_max),
		.lag_max = disruptor_load_relaxed(&f->lag_max),
		.sleeps = disruptor_load_relaxed(&s->consumer.gate->sleeps),
		.wakes = disruptor_load_relaxed(&r->consumer_table[s->consumer.index].wakes),
		.skipped = trouble.skipped,
		.retries = trouble.retries,
		.rewinds = trouble.rewinds,
		.batch_at = disruptor_load_relaxed(f->batch_at) & ~UINT64_C(1),
	};

	for (uint32_t i = 0; s->is_head && i < s->pool->count; i++)
		add_worker(&out, s->pool->workers[i]);
	out.batch_mean = out.batches ? (double)out.events / (double)out.batches : 0;
	out.lag = consumer_lag(r, s->consumer.index, out.position);
	if (!f->off && out.lag > out.lag_max)
		out.lag_max = out.lag;
	return out;
}

int disruptor_stage_stats(const struct disruptor_stage *s, struct disruptor_stage_stats *out)
{
	struct disruptor_stage_stats known;

	if (!s || !out)
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", s ? "out" : "stage");
	known = figures_of(s);
	return stats_give("stage stats", out, size_of(out), &known, sizeof(known));
}

int disruptor_stats(const struct disruptor *d, struct disruptor_stage_stats *table, size_t count)
{
	struct disruptor *locked = (struct disruptor *)d;
	struct disruptor_stage_stats known;
	uint32_t stages = 0;
	size_t size;
	int rc = 0;

	if (!d || (!table && count != 0))
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "table" : "d");
	size = count ? size_of(table) : 0;
	os_lock(&locked->monitor);
	for_each_stage (s, locked) {
		if (rc == 0 && stages < count) {
			known = figures_of(s);
			rc = stats_give("table[0]", (unsigned char *)table + stages * size, size,
					&known, sizeof(known));
		}
		stages++;
	}
	os_unlock(&locked->monitor);
	return rc == 0 ? (int)stages : rc;
}

static void read_producer(const struct ring_producer *p, struct disruptor_producer_stats *out)
{
	/* relaxed (figure), all: another thread's */
	uint64_t since = disruptor_load_relaxed(&p->blocked_since);
	uint64_t now = os_now();

	*out = (struct disruptor_producer_stats){
		.dropped = disruptor_load_relaxed(&p->dropped),
		.slow_claims = disruptor_load_relaxed(&p->slow_claims),
		.sleeps = disruptor_load_relaxed(&p->sleeps),
		.wakes = disruptor_load_relaxed(&p->wakes),
		.blocked_ns = since != 0 && since < now ? now - since : 0,
	};
	memcpy(out->name, p->name,
	       sizeof(out->name) - 1); /* others may have written it: it ends here */
}

int disruptor_producer_stats(const struct disruptor *d, struct disruptor_producer_stats *table,
			     size_t count)
{
	struct disruptor_producer_stats known;
	struct disruptor_ring *r;
	size_t open = 0, size;
	int rc = 0;

	if (!d || (!table && count != 0))
		return error_set(DISRUPTOR_E_INVAL, "%s: NULL", d ? "table" : "d");
	r = d->ring;
	size = count ? size_of(table) : 0;
	ring_lock(r);
	for (uint32_t i = 0; i < r->max_producers && rc == 0; i++) {
		if (!r->producer_table[i].used)
			continue;
		if (open < count) {
			read_producer(&r->producer_table[i], &known);
			rc = stats_give("table[0]", (unsigned char *)table + open * size, size,
					&known, sizeof(known));
		}
		open++;
	}
	ring_unlock(r);
	return rc != 0 ? rc : (int)open;
}
