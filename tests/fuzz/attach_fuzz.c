/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A segment whose bytes are not what they should be: opened, and if it is accepted, used.
 *
 * The segments are made when the program starts, one of each kind, as a process leaves them that
 * dies with views open; an input is what is changed in one, and what is then done with it. So the
 * inputs do not depend on the format. Of a segment that others may write to nothing that is read can
 * be believed; whatever is there, no access may lie outside of it, nothing may wait without its
 * deadline, and what the caller is handed lies in the slots. Where the layout has gaps between what
 * is used they are poisoned, so that AddressSanitizer sees an index beyond a table.
 *
 * Input: which segment, how (enum how), how many changes, the changes (change()), then steps of a
 * byte each (steps[]), of which some change more.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "ring/consumer.h"
#include "segment/segment.h"

#include <disruptor/disruptor.h>

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if DISRUPTOR_ASAN
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(at, bytes) ((void)(at), (void)(bytes))
#define __asan_unpoison_memory_region(at, bytes) ((void)(at), (void)(bytes))
#endif

/* With a gap between the stamp and the event. */
struct sample {
	_Alignas(64) uint64_t value;
	uint32_t more[14];
};

DISRUPTOR_EVENT(sample, struct sample, DISRUPTOR_U64(struct sample, value),
		DISRUPTOR_U32(struct sample, more));

#define CAPACITY 8
#define MOST_STEPS 64
#define SHORT_NS UINT64_C(20000)

enum how {
	FIX_HEADER = 1, /* its checksum, after the changes */
	FIX_SCHEMA = 2,
	UNNAMED = 4, /* memory that is passed on, not a file */
	SHORTER = 8, /* by some bytes */
	FRESH = 16,  /* not what the dead have left, but a segment left in order */
	SCRIBBLE = 32
};

static const struct kind {
	enum disruptor_layout layout;
	enum disruptor_producers producers;
	enum disruptor_rung rung;
	unsigned flags;
} kinds[] = {
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE, DISRUPTOR_RUNG_AUTO, 0 },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY, DISRUPTOR_RUNG_AUTO, 0 },
	{ DISRUPTOR_PACKED, DISRUPTOR_SINGLE, DISRUPTOR_RUNG_AUTO, 0 },
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE, DISRUPTOR_RUNG_FENCE, DISRUPTOR_LOSSY },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY, DISRUPTOR_RUNG_FENCE, DISRUPTOR_LOSSY },
	{ DISRUPTOR_STAMPED, DISRUPTOR_SINGLE, DISRUPTOR_RUNG_AUTO, DISRUPTOR_FREE_RUN },
	{ DISRUPTOR_PACKED, DISRUPTOR_SINGLE, DISRUPTOR_RUNG_FENCE, DISRUPTOR_LOSSY },
	{ DISRUPTOR_STAMPED, DISRUPTOR_MANY, DISRUPTOR_RUNG_FENCE, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A segment as it is before an input changes it. */
struct original {
	struct segment_header header;
	struct ring_layout layout;
	size_t bytes;
	unsigned char *left;  /* by a process that died */
	unsigned char *fresh; /* by one that closed everything */
};

static struct original originals[KINDS];
static char directory[128];

/* One process's side: there may be two, which are strangers to each other. */
struct seat {
	struct disruptor_segment *segment;
	struct sample_producer producers[2];
	struct sample_consumer consumers[2];
	struct sample_reader reader;
};

struct world {
	struct fuzz_input in;
	const struct original *original;
	unsigned how;
	int fd;
	unsigned char *bytes; /* our own mapping, to change it by */
	size_t size;
	struct seat seats[2];
	struct seat *seat;
};

/* ---- the segments that are there to begin with ---- */

static unsigned char *copy_of(const struct disruptor_segment *s)
{
	unsigned char *copy = malloc(s->share.size);

	FUZZ_NEED(copy);
	memcpy(copy, s->share.base, s->share.size);
	return copy;
}

static struct disruptor_consumer_options named(const char *name)
{
	return (struct disruptor_consumer_options){
		.size = sizeof(struct disruptor_consumer_options), .name = name
	};
}

/* A lap and a half of events, the last ones unread; a claim that is not published. */
static void use(struct disruptor_ring *ring, struct seat *seat)
{
	struct sample_producer *p = &seat->producers[0];
	struct sample_consumer *c = seat->consumers;
	const struct disruptor_consumer *const after[] = { &c[0].view };
	struct disruptor_consumer_options first = named("kept"), second = named("other");

	second.after = after;
	second.after_count = 1;
	second.if_dead = DISRUPTOR_OPTIONAL;
	FUZZ_NEED(sample_consumer_open(&c[0], ring, &first) == 0);
	FUZZ_NEED(sample_consumer_open(&c[1], ring, &second) == 0);
	FUZZ_NEED(sample_producer_open(p, ring, NULL) == 0);
	for (unsigned i = 0; i < CAPACITY + CAPACITY / 2; i++) {
		struct sample *e = sample_try_claim(p);

		FUZZ_NEED(e);
		e->value = i;
		FUZZ_NEED(sample_publish(p) == 0);
		if (i < CAPACITY) {
			FUZZ_NEED(sample_ready(&c[0]) == 1 && sample_release(&c[0], 1) == 0);
			FUZZ_NEED(sample_ready(&c[1]) == 1 && sample_release(&c[1], 1) == 0);
		}
	}
	FUZZ_NEED(sample_try_claim(p));
}

static void make(struct original *o, const struct kind *kind)
{
	struct disruptor_options ring = { .size = sizeof(ring),
					  .capacity = CAPACITY,
					  .layout = kind->layout,
					  .producers = kind->producers,
					  .rung = kind->rung,
					  .flags = kind->flags,
					  .max_consumers = 4,
					  .max_producers = kind->producers == DISRUPTOR_MANY ? 3
											     : 0 };
	const struct disruptor_segment_options options = { .size = sizeof(options),
							   .participants = 4 };
	struct disruptor_segment *s;
	struct seat seat;

	FUZZ_NEED(disruptor_segment_make(&s, &sample_type, &ring, &options) == 0);
	use(s->ring, &seat);
	o->header = s->header;
	o->layout = s->layout;
	o->bytes = s->share.size;
	o->left = copy_of(s);
	(void)sample_abort(&seat.producers[0]);
	FUZZ_NEED(sample_producer_close(&seat.producers[0]) == 0);
	FUZZ_NEED(sample_consumer_close(&seat.consumers[1]) == 0);
	FUZZ_NEED(sample_consumer_close(&seat.consumers[0]) == 0);
	o->fresh = copy_of(s);
	FUZZ_NEED(disruptor_segment_close(&s) == 0);
}

static void remove_directory(void)
{
	(void)rmdir(directory);
}

static void begin(void)
{
	const char *where = getenv("TMPDIR");

	if (directory[0])
		return;
	(void)snprintf(directory, sizeof(directory), "%s/attach-fuzz.XXXXXX",
		       where ? where : "/dev/shm");
	FUZZ_NEED(mkdtemp(directory));
	(void)atexit(remove_directory);
	for (size_t i = 0; i < KINDS; i++)
		make(&originals[i], &kinds[i]);
}

/* ---- changes ---- */

struct region {
	uint64_t at, bytes;
};

/* What the bytes of a segment are, by the numbers that an input has for them. */
static struct region region(const struct original *o, unsigned number)
{
	const struct segment_header *h = &o->header;
	const struct ring_header *b = &o->layout.header;
	const struct region regions[16] = {
		{ 0, sizeof(*h) },
		{ h->schema_at, h->schema_bytes },
		{ h->participants_at, (uint64_t)h->participants * h->participant_bytes },
		{ h->block_at, sizeof(*b) },
		{ h->block_at + b->shared_at, sizeof(struct disruptor_shared) },
		{ h->block_at + b->gates_at, b->max_consumers * sizeof(struct disruptor_gate) },
		{ h->block_at + b->slots_at, b->capacity * b->slot_stride },
		{ h->block_at + b->mirror_at,
		  b->mirror_at ? b->capacity * b->mirror_stride : sizeof(*b) },
		{ h->block_at + o->layout.common_at, sizeof(struct ring_common) },
		{ h->block_at + o->layout.producers_at,
		  o->layout.max_producers * sizeof(struct ring_producer) },
		{ h->block_at + o->layout.consumers_at,
		  b->max_consumers * sizeof(struct ring_consumer) },
	};

	return regions[number].bytes ? regions[number] : (struct region){ 0, o->bytes };
}

/* Numbers at which something may turn. */
static const uint64_t turns[16] = { 0,
				    1,
				    2,
				    CAPACITY,
				    CAPACITY + 1,
				    64,
				    65535,
				    UINT32_MAX,
				    UINT64_C(1) << 31,
				    UINT64_C(1) << 32,
				    UINT64_C(1) << 40,
				    UINT64_C(1) << 62,
				    UINT64_C(3) << 62,
				    UINT64_C(1) << 63,
				    INT64_MAX,
				    UINT64_MAX };

struct change {
	size_t at;
	unsigned bytes;
	uint64_t value;
};

/* A byte: region, length, which kind of value; two: where in the region; then the value. */
static struct change next_change(struct world *w)
{
	unsigned what = (unsigned)fuzz_number(&w->in, 1);
	struct region r = region(w->original, what & 15);
	unsigned bytes = 1u << (what >> 4 & 3);
	uint64_t at = r.at + fuzz_number(&w->in, 2) % r.bytes;
	struct change c = { .at = (size_t)at / bytes * bytes, .bytes = bytes };

	if (what & 64)
		c.value = turns[fuzz_number(&w->in, 1) & 15];
	else if (what & 128)
		c.value = fuzz_number(&w->in, 1);
	else
		c.value = fuzz_number(&w->in, bytes);
	return c;
}

static void apply(const struct world *w, const struct change *c)
{
	if (c->at + c->bytes <= w->size)
		memcpy(w->bytes + c->at, &c->value, c->bytes);
}

static void change(struct world *w)
{
	struct change c = next_change(w);

	apply(w, &c);
}

/* So that the changes behind the checksums are looked at, too. */
static void seal(const struct world *w)
{
	struct segment_header h;

	memcpy(&h, w->bytes, sizeof(h));
	if ((w->how & FIX_SCHEMA) && h.schema_at <= w->size &&
	    h.schema_bytes <= w->size - h.schema_at)
		h.schema_check = segment_crc(w->bytes + h.schema_at, (size_t)h.schema_bytes);
	h.check = segment_crc(&h, offsetof(struct segment_header, check));
	if (w->how & FIX_HEADER)
		memcpy(w->bytes, &h, sizeof(h));
}

/* ---- the file, or what is in its place ---- */

static int open_file(const struct world *w)
{
	char path[192];
	int fd;

	if (w->how & UNNAMED)
		return memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	(void)snprintf(path, sizeof(path), "%s/segment", directory);
	(void)unlink(path); /* of a run that was ended */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd;
}

static void lay_down(struct world *w)
{
	size_t had = w->original->bytes;

	w->size = had;
	if (w->how & SHORTER)
		w->size = 1 + (size_t)fuzz_number(&w->in, 2) % had;
	w->fd = open_file(w);
	FUZZ_NEED(w->fd >= 0 && ftruncate(w->fd, (off_t)w->size) == 0);
	w->bytes = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	FUZZ_NEED(w->bytes != MAP_FAILED);
	memcpy(w->bytes, w->how & FRESH ? w->original->fresh : w->original->left, w->size);
	for (uint64_t n = fuzz_number(&w->in, 1) % 16; n != 0; n--)
		change(w);
	if (w->size >= sizeof(struct segment_header))
		seal(w);
	if (w->how & UNNAMED)
		FUZZ_NEED(fcntl(w->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
}

static void take_up(struct world *w)
{
	char path[192];

	(void)munmap(w->bytes, w->size);
	(void)close(w->fd);
	(void)snprintf(path, sizeof(path), "%s/segment", directory);
	if (!(w->how & UNNAMED))
		(void)unlink(path);
}

/* ---- what lies between ---- */

static void fence(const struct disruptor_segment *s, bool up)
{
	const struct disruptor_ring *r = s->ring;

	for (uint32_t i = 0; i < r->max_consumers; i++) {
		void *gap = r->gates[i].apart;

		if (up)
			__asan_poison_memory_region(gap, sizeof(r->gates[i].apart));
		else
			__asan_unpoison_memory_region(gap, sizeof(r->gates[i].apart));
	}
	for (uint64_t i = 0; i < r->capacity && r->offset > sizeof(uint64_t); i++) {
		unsigned char *gap = ring_slot(r, i) + sizeof(uint64_t);

		if (up)
			__asan_poison_memory_region(gap, r->offset - sizeof(uint64_t));
		else
			__asan_unpoison_memory_region(gap, r->offset - sizeof(uint64_t));
	}
}

/* An event that the caller was given. */
static void touch(const struct seat *seat, void *event)
{
	const struct disruptor_ring *r = seat->segment->ring;
	const unsigned char *at = event;

	FUZZ_NEED(at >= r->slots &&
		  at + sizeof(struct sample) <= r->slots + r->capacity * r->stride);
	FUZZ_NEED((size_t)(at - r->slots) % r->stride == r->offset);
	memset(event, 0x5a, sizeof(struct sample));
}

/* A refusal says why, in a text that ends. */
static void refused(void)
{
	FUZZ_NEED(strlen(disruptor_error_detail()) < 256);
}

/* ---- steps: each is given the highest bits of its byte ---- */

static void open_seat(struct world *w, struct seat *seat)
{
	const struct disruptor_segment_options o = { .size = sizeof(o),
						     .directory = directory,
						     .participant = "fuzz" };
	int rc = w->how & UNNAMED ? disruptor_segment_adopt(&seat->segment, w->fd, &sample_type, &o)
				  : disruptor_segment_open(&seat->segment, "segment", &sample_type,
							   NULL, &o);

	FUZZ_NEED((rc == 0) == (seat->segment != NULL));
	if (rc == 0)
		fence(seat->segment, true);
	else
		refused();
}

static void other_seat(struct world *w, unsigned x)
{
	struct seat *other = &w->seats[x & 1];

	if (!other->segment)
		open_seat(w, other);
	if (other->segment)
		w->seat = other;
}

static void open_producer(struct world *w, unsigned x)
{
	struct sample_producer *p = &w->seat->producers[x & 1];
	const struct disruptor_producer_options o = {
		.size = sizeof(o),
		.overflow = x & 2   ? DISRUPTOR_FAIL
			    : x & 4 ? DISRUPTOR_DROP
				    : DISRUPTOR_UNTIL,
		.timeout_ns = x & 6 ? 0 : SHORT_NS,
	};

	if (!p->view.ring && sample_producer_open(p, w->seat->segment->ring, &o) != 0)
		refused();
}

static void open_consumer(struct world *w, unsigned x)
{
	struct sample_consumer *c = &w->seat->consumers[x & 1];
	struct disruptor_consumer_options o = named(x & 2 ? "kept" : "other");

	o.if_dead = x & 4 ? DISRUPTOR_OPTIONAL : DISRUPTOR_REQUIRED;
	o.at = x & 4 ? DISRUPTOR_AT_OLDEST : DISRUPTOR_AT_NEWEST;
	o.batch = CAPACITY;
	if (!c->view.open_mark && sample_consumer_open(c, w->seat->segment->ring, &o) != 0)
		refused();
}

static void open_later(struct world *w, unsigned x)
{
	struct sample_consumer *c = w->seat->consumers;
	const struct disruptor_consumer *const after[] = { &c[0].view };
	struct disruptor_consumer_options o = named("later");

	o.after = after;
	o.after_count = c[0].view.open_mark ? 1 : 0;
	o.take = x & 1;
	if (!c[1].view.open_mark && sample_consumer_open(&c[1], w->seat->segment->ring, &o) != 0)
		refused();
}

/* The step's producer, if it is open. */
static struct disruptor_producer *producer(const struct world *w, unsigned x)
{
	struct disruptor_producer *p = &w->seat->producers[x & 1].view;

	return p->ring ? p : NULL;
}

static struct disruptor_consumer *consumer(const struct world *w, unsigned x)
{
	struct disruptor_consumer *c = &w->seat->consumers[x & 1].view;

	return c->open_mark ? c : NULL;
}

static void fill(const struct world *w, struct disruptor_producer *p, uint64_t n)
{
	for (uint64_t i = p->next - p->open - n; i < p->next - p->open; i++)
		touch(w->seat, disruptor_claimed_at(p, i));
}

static void try_claim(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p && disruptor_try_claim_n(p, x / 2 + 1))
		fill(w, p, x / 2 + 1);
}

static void claim_until(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p && disruptor_claim_until(p, x / 2 + 1, disruptor_in(SHORT_NS)))
		fill(w, p, x / 2 + 1);
	else
		refused();
}

static void claim_up_to(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p)
		fill(w, p, disruptor_claim_up_to(p, CAPACITY));
}

static void publish(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p && disruptor_publish_n(p, x / 2 + 1) != 0 && p->next != p->open)
		(void)disruptor_publish_n(p, p->next - p->open);
}

static void give_up(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p && disruptor_abort_n(p, x / 2 + 1) != 0)
		refused();
}

static void handle(const struct world *w, struct disruptor_consumer *c, uint64_t n)
{
	FUZZ_NEED(n <= CAPACITY);
	for (uint64_t i = 0; i < n; i++)
		touch(w->seat, disruptor_at(c, i));
	FUZZ_NEED(disruptor_release(c, n) == 0);
}

static void ready(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);

	if (c)
		handle(w, c, disruptor_ready(c));
}

static void ready_until(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);
	int64_t n = c ? disruptor_ready_until(c, disruptor_in(SHORT_NS)) : 0;

	if (n > 0)
		handle(w, c, (uint64_t)n);
	else
		refused();
}

static void poll(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);
	struct disruptor_span span;

	if (!c)
		return;
	if (disruptor_consumer_poll(c, x, &span) == 0 && disruptor_ready_span(c, &span) == 0)
		return;
	FUZZ_NEED(span.count <= CAPACITY);
	for (uint64_t i = 0; i < span.count; i++)
		touch(w->seat, (unsigned char *)(uintptr_t)span.first + i * span.stride);
	if (disruptor_release_to(c, span.position + span.count) != 0)
		refused();
}

static void take(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);
	/* of exactly its size, so that a sanitizer sees what lies behind it */
	struct sample *event = aligned_alloc(64, sizeof(*event));

	FUZZ_NEED(event);
	if (c && disruptor_take(c, event) < 0)
		refused();
	free(event);
}

static void read_lossy(struct world *w, unsigned x)
{
	const struct disruptor_reader_options o = { .size = sizeof(o),
						    .from = x & 2 ? DISRUPTOR_READER_OLDEST
								  : DISRUPTOR_READER_NEWEST };
	struct sample_reader *r = &w->seat->reader;
	struct sample *event = aligned_alloc(64, sizeof(*event));

	FUZZ_NEED(event);
	if (!r->view.open_mark && sample_reader_open(r, w->seat->segment->ring, &o) != 0)
		refused();
	else if (x == 0)
		(void)sample_reader_close(r);
	else if (x & 4)
		(void)sample_reader_next_until(r, event, disruptor_in(SHORT_NS));
	else if (x == 3)
		(void)disruptor_reader_skip_to_newest(&r->view);
	else
		(void)sample_reader_next(r, event);
	free(event);
}

static void tend(struct world *w, unsigned x)
{
	if (x & 1)
		disruptor_segment_tend(w->seat->segment);
	else if (disruptor_segment_dismiss(w->seat->segment, x & 2 ? "kept" : "other") != 0)
		refused();
}

static void close_ring(struct world *w, unsigned x)
{
	if (x & 1)
		disruptor_ring_close(w->seat->segment->ring);
	else if (disruptor_ring_reopen(w->seat->segment->ring) != 0)
		refused();
}

static void look(struct world *w, unsigned x)
{
	struct disruptor_ring *ring = w->seat->segment->ring;
	struct disruptor_participant p;
	const char *claimer = NULL;
	uint64_t position;

	for (uint32_t i = 0; disruptor_segment_participant(w->seat->segment, i, &p) == 0; i++)
		FUZZ_NEED(memchr(p.name, 0, sizeof(p.name)));
	FUZZ_NEED(disruptor_ring_info(ring).event_size == sizeof(struct sample));
	(void)disruptor_ring_stats(ring);
	(void)disruptor_ring_published(ring, x);
	if (disruptor_ring_unpublished(ring, &position, &claimer))
		FUZZ_NEED(claimer);
}

static void interrupt(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);

	if (c)
		disruptor_consumer_interrupt(c);
}

static void close_producer(struct world *w, unsigned x)
{
	struct disruptor_producer *p = producer(w, x);

	if (p)
		FUZZ_NEED(disruptor_producer_close(p) == 0);
}

static void close_consumer(struct world *w, unsigned x)
{
	struct disruptor_consumer *c = consumer(w, x);

	/* others may come after it, or so the bytes say */
	if (c && disruptor_consumer_close(c) != 0)
		refused();
}

static void change_more(struct world *w, unsigned x)
{
	(void)x;
	change(w);
}

static void (*const steps[])(struct world *w, unsigned x) = {
	change_more, open_producer,  open_consumer,  open_later, try_claim,   claim_until,
	claim_up_to, publish,        give_up,        ready,      ready_until, poll,
	take,        read_lossy,     tend,           close_ring, look,        interrupt,
	other_seat,  close_producer, close_consumer,
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* ---- somebody else, meanwhile ---- */

struct scribbler {
	struct world *w;
	struct change changes[8];
	unsigned count;
	DISRUPTOR_ATOMIC(uint32_t) done;
};

/* In turn its changes, and the bytes that were there. */
static void *scribble(void *argument)
{
	struct scribbler *s = argument;
	struct change was[8];

	for (unsigned i = 0; i < s->count; i++) {
		was[i] = s->changes[i];
		if (was[i].at + was[i].bytes <= s->w->size)
			memcpy(&was[i].value, s->w->bytes + was[i].at, was[i].bytes);
	}
	while (!disruptor_load_acquire(&s->done))
		for (unsigned i = 0; i < s->count; i++) {
			apply(s->w, &s->changes[i]);
			apply(s->w, &was[i]);
		}
	return NULL;
}

/* ---- all of it ---- */

static void leave(struct seat *seat)
{
	for (unsigned i = 0; i < 2; i++)
		if (seat->producers[i].view.ring)
			FUZZ_NEED(sample_producer_close(&seat->producers[i]) == 0);
	for (unsigned i = 2; i-- != 0;)
		/* if it is refused, some entry names it as its upstream: that is what lies there */
		if (seat->consumers[i].view.open_mark &&
		    sample_consumer_close(&seat->consumers[i]) != 0)
			consumer_detach(&seat->consumers[i].view);
	if (seat->reader.view.open_mark)
		(void)sample_reader_close(&seat->reader);
	fence(seat->segment, false);
	FUZZ_NEED(disruptor_segment_close(&seat->segment) == 0);
}

static void run_steps(struct world *w)
{
	w->seat = &w->seats[0];
	open_seat(w, w->seat);
	for (unsigned n = 0; n < MOST_STEPS && w->in.left != 0 && w->seat->segment; n++) {
		unsigned step = (unsigned)fuzz_number(&w->in, 1);

		if ((step & 31) < STEPS)
			steps[step & 31](w, step >> 5);
	}
	for (unsigned i = 0; i < 2; i++)
		if (w->seats[i].segment)
			leave(&w->seats[i]);
}

static void run_beside_a_scribbler(struct world *w)
{
	struct scribbler s = { .w = w, .count = 1 + (unsigned)fuzz_number(&w->in, 1) % 8 };
	pthread_t thread;

	for (unsigned i = 0; i < s.count; i++)
		s.changes[i] = next_change(w);
	FUZZ_NEED(pthread_create(&thread, NULL, scribble, &s) == 0);
	run_steps(w);
	disruptor_store_release(&s.done, 1u);
	FUZZ_NEED(pthread_join(thread, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .in = { data, size } };

	begin();
	w.original = &originals[fuzz_number(&w.in, 1) % KINDS];
	w.how = (unsigned)fuzz_number(&w.in, 1);
	lay_down(&w);
	if (w.how & SCRIBBLE)
		run_beside_a_scribbler(&w);
	else
		run_steps(&w);
	take_up(&w);
	return 0;
}
