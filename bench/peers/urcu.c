/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Userspace RCU's wfcqueue: an unbounded list of nodes that the user owns. One
 * who wants it bounded recycles his nodes: here each producer has its share of
 * the capacity, and takes a node anew when the consumer has counted it as done.
 * As each producer's nodes come back in their order, a count is all it takes.
 */
/* its inline functions, not those of its library */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): its name for that */
#define _LGPL_SOURCE

#include "sized.h"

#include <stdlib.h>

/* instead of sleeping for 10 ms where a producer was put off in the middle of enqueuing */
#define CDS_WFCQ_WAIT_SLEEP(ms) sched_yield()
#include <urcu/wfcqueue.h>

struct node {
	struct cds_wfcq_node link;
	uint64_t event[];
};

/** One producer's nodes. */
struct pool {
	/* the producer's own */
	_Alignas(DISRUPTOR_APART) uint64_t claimed;
	unsigned char *nodes;
	/* the consumer's */
	_Alignas(DISRUPTOR_APART) DISRUPTOR_ATOMIC(uint64_t) done;
};

/** What the consumer has spliced out of the queue, and not yet taken. */
struct spliced {
	_Alignas(DISRUPTOR_APART) struct __cds_wfcq_head head;
	struct cds_wfcq_tail tail;
	struct cds_wfcq_node *next; /* NULL: all is taken */
	uint64_t done[BENCH_PRODUCERS];
};

struct channel {
	_Alignas(DISRUPTOR_APART) const struct peer_loops *loops;
	unsigned char *nodes; /* of all producers */
	uint64_t share;       /* nodes of each producer, a power of two */
	unsigned pool_shift;  /* pools lie 1 << this apart */
	uint32_t producers;
	_Alignas(DISRUPTOR_APART) struct cds_wfcq_tail tail;
	_Alignas(DISRUPTOR_APART) struct __cds_wfcq_head head;
	struct spliced spliced;
	struct pool pool[BENCH_PRODUCERS];
};

struct out {
	struct channel *channel;
	struct pool *pool;
	unsigned char *nodes;
	uint64_t claimed, bound, share; /* may claim below `bound` */
};

struct in {
	struct channel *channel;
	struct node *taken[PEER_TAKEN];
};

LOOP_INLINE struct out out_begin(struct channel *c, uint32_t index)
{
	struct pool *pool = &c->pool[index];

	return (struct out){ .channel = c,
			     .pool = pool,
			     .nodes = pool->nodes,
			     .claimed = pool->claimed,
			     .bound = pool->claimed, /* looks at once */
			     .share = c->share };
}

LOOP_INLINE void out_end(struct channel *c, uint32_t index, const struct out *out)
{
	c->pool[index].claimed = out->claimed;
}

LOOP_INLINE struct in in_begin(struct channel *c)
{
	return (struct in){ .channel = c };
}

LOOP_INLINE void in_end(struct channel *c, const struct in *in)
{
	(void)c, (void)in;
}

LOOP_INLINE size_t node_size(uint32_t bytes)
{
	return (sizeof(struct node) + bytes + 15) / 16 * 16;
}

LOOP_INLINE struct node *node_of(const struct out *o, uint64_t i, uint32_t bytes)
{
	uint64_t at = (o->claimed + i) & (o->share - 1);

	return (struct node *)(o->nodes + at * node_size(bytes));
}

/** Wait until @p n nodes are done with. */
LOOP_INLINE void *claim(struct out *o, uint64_t n, uint32_t bytes, bool many)
{
	uint32_t looks = 0;

	while (o->claimed + n > o->bound) {
		/* pairs with release(): the consumer has read what is to be written anew */
		o->bound = disruptor_load_acquire(&o->pool->done) + o->share;
		if (o->claimed + n > o->bound)
			peer_wait(&looks, many);
	}
	return node_of(o, 0, bytes)->event;
}

LOOP_INLINE void *one_claim(void *end, uint64_t n, uint32_t bytes)
{
	return claim(end, n, bytes, false);
}

LOOP_INLINE void *many_claim(void *end, uint64_t n, uint32_t bytes)
{
	return claim(end, n, bytes, true);
}

LOOP_INLINE void *claimed(void *end, void *first, uint64_t i, uint32_t bytes)
{
	(void)first;
	return node_of(end, i, bytes)->event;
}

/* it takes one node at a time */
LOOP_INLINE void publish(void *end, uint64_t n, uint32_t bytes)
{
	struct out *o = end;

	for (uint64_t i = 0; i < n; i++) {
		struct cds_wfcq_node *link = &node_of(o, i, bytes)->link;

		cds_wfcq_node_init(link);
		cds_wfcq_enqueue(&o->channel->head, &o->channel->tail, link);
	}
	o->claimed += n;
}

/** The first node that is not taken, out of the queue if need be. */
LOOP_INLINE struct cds_wfcq_node *splice(struct channel *c, bool many)
{
	struct spliced *s = &c->spliced;
	uint32_t looks = 0;

	if (s->next != NULL)
		return s->next;
	__cds_wfcq_init(&s->head, &s->tail);
	while (__cds_wfcq_splice_blocking(&s->head, &s->tail, &c->head, &c->tail) ==
	       CDS_WFCQ_RET_SRC_EMPTY)
		peer_wait(&looks, many);
	return __cds_wfcq_first_blocking(&s->head, &s->tail);
}

LOOP_INLINE uint64_t ready(struct in *in, bool many)
{
	struct spliced *s = &in->channel->spliced;
	struct cds_wfcq_node *link = splice(in->channel, many);
	uint64_t n = 0;

	do {
		in->taken[n++] = caa_container_of(link, struct node, link);
		link = __cds_wfcq_next_blocking(&s->head, &s->tail, link);
	} while (link != NULL && n < PEER_TAKEN);
	s->next = link;
	return n;
}

LOOP_INLINE uint64_t one_ready(void *end, uint32_t bytes)
{
	(void)bytes;
	return ready(end, false);
}

LOOP_INLINE uint64_t many_ready(void *end, uint32_t bytes)
{
	(void)bytes;
	return ready(end, true);
}

LOOP_INLINE const void *at(void *end, uint64_t i, uint32_t bytes)
{
	(void)bytes;
	return ((struct in *)end)->taken[i]->event;
}

LOOP_INLINE void one_release(void *end, uint64_t n)
{
	struct channel *c = ((struct in *)end)->channel;

	c->spliced.done[0] += n;
	/* after our reads of the events and of their links; pairs with claim() */
	disruptor_store_release(&c->pool[0].done, c->spliced.done[0]);
}

LOOP_INLINE void many_release(void *end, uint64_t n)
{
	struct in *in = end;
	struct channel *c = in->channel;
	uint64_t *done = c->spliced.done;

	for (uint64_t i = 0; i < n; i++)
		done[(size_t)((unsigned char *)in->taken[i] - c->nodes) >> c->pool_shift]++;
	for (uint32_t i = 0; i < c->producers; i++) {
		/* relaxed: nobody else stores it; release as in one_release() */
		if (disruptor_load_relaxed(&c->pool[i].done) != done[i])
			disruptor_store_release(&c->pool[i].done, done[i]);
	}
}

static const struct loop_end use_one = {
	.claim = one_claim,
	.claimed = claimed,
	.publish = publish,
	.ready = one_ready,
	.at = at,
	.release = one_release,
};

static const struct loop_end use_many = {
	.claim = many_claim,
	.claimed = claimed,
	.publish = publish,
	.ready = many_ready,
	.at = at,
	.release = many_release,
};

PEER_LOOPS_TO_128
PEER_LOOPS(any, task->bytes)

static void *urcu_open(const struct bench_params *params)
{
	struct channel *c = bench_alloc(sizeof(*c));

	c->loops = PEER_LOOPS_OF(params->event_bytes, &loops_any);
	c->producers = params->producers;
	c->share = params->capacity;
	while (c->share * params->producers > params->capacity)
		c->share /= 2;
	while (c->share < params->batch)
		c->share *= 2;
	while ((size_t)1 << c->pool_shift < c->share * node_size(params->event_bytes))
		c->pool_shift++;
	c->nodes = bench_alloc((size_t)params->producers << c->pool_shift);
	for (uint32_t i = 0; i < params->producers; i++)
		c->pool[i].nodes = c->nodes + ((size_t)i << c->pool_shift);
	__cds_wfcq_init(&c->head, &c->tail);
	return c;
}

static void urcu_close(void *channel)
{
	struct channel *c = channel;

	free(c->nodes);
	free(c);
}

const struct bench_subject subject_urcu = {
	.name = "liburcu wfcqueue",
	.waits = "spin",
	.open = urcu_open,
	.close = urcu_close,
	.produce = peer_produce,
	.consume = peer_consume,
	.serve = peer_serve,
	.answer = peer_answer,
};
