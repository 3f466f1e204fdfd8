/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A segment whose bytes are not what they should be, looked into from outside; and one of records that is
 * then read by who takes part. Whatever is there, nothing outside of it is touched, and no loop is without
 * an end.
 *
 * Input: which segment and how (enum how), how many changes, the changes (change()), then positions
 * that are asked for, two bytes each.
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

struct sample {
	uint64_t value;
	char text[24];
};

DISRUPTOR_EVENT(sample, struct sample, DISRUPTOR_U64(struct sample, value),
		DISRUPTOR_TEXT(struct sample, text));

#define CAPACITY 8
#define CELL 16
#define MOST_POSITIONS 32

enum how {
	RECORDS = 1,
	FIX_HEADER = 2, /* its checksums, after the changes */
	SHORTER = 4,    /* cut while it is looked into */
	SCRIBBLE = 8
};

static struct original {
	unsigned char *bytes;
	size_t size;
	struct disruptor_segment *segment; /* which stays as it was left */
} originals[2];

static char directory[128], path[192];

/* ---- the segments that are there to begin with ---- */

static void keep(struct original *o, struct disruptor_segment *s)
{
	o->segment = s;
	o->size = s->share.size;
	o->bytes = malloc(o->size);
	FUZZ_NEED(o->bytes);
	memcpy(o->bytes, s->share.base, o->size);
}

/* As by one that dies: the last event is not read, and its views stay open. */
static void use(struct disruptor_ring *ring, const struct disruptor_type *type, bool records)
{
	struct disruptor_producer p;
	struct disruptor_consumer c;
	struct disruptor_record r;

	FUZZ_NEED(disruptor_consumer_open(&c, ring, type, NULL) == 0);
	FUZZ_NEED(disruptor_producer_open(&p, ring, type, NULL) == 0);
	for (uint64_t i = 0; i < CAPACITY / 2; i++) {
		if (records) {
			FUZZ_NEED(disruptor_record_publish_copy(&p, "more than a cell has", 20) ==
				  0);
			if (i < 3)
				FUZZ_NEED(disruptor_record_ready(&c) > 0 &&
					  disruptor_record_next(&c, &r) == 1 &&
					  disruptor_record_release(&c) == 0);
		} else {
			FUZZ_NEED(disruptor_try_claim(&p) && disruptor_publish(&p) == 0);
			if (i < 3)
				FUZZ_NEED(disruptor_ready(&c) == 1 &&
					  disruptor_release(&c, 1) == 0);
		}
	}
}

static void make(struct original *o, bool records)
{
	const struct disruptor_type *type = records ? disruptor_record_type() : &sample_type;
	const struct disruptor_options ring = { .size = sizeof(ring),
						.capacity = CAPACITY,
						.producers = DISRUPTOR_MANY,
						.max_producers = 3,
						.max_consumers = 4,
						.cell = records ? CELL : 0 };
	const struct disruptor_segment_options options = { .size = sizeof(options),
							   .participants = 4 };
	struct disruptor_segment *s;

	FUZZ_NEED(disruptor_segment_make(&s, type, &ring, &options) == 0);
	use(s->ring, type, records);
	keep(o, s);
}

static void remove_directory(void)
{
	(void)unlink(path);
	(void)rmdir(directory);
}

static void begin(void)
{
	const char *where = getenv("TMPDIR");

	if (directory[0])
		return;
	(void)snprintf(directory, sizeof(directory), "%s/look-fuzz.XXXXXX",
		       where ? where : "/dev/shm");
	FUZZ_NEED(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/segment", directory);
	(void)atexit(remove_directory);
	make(&originals[0], false);
	make(&originals[1], true);
}

/* ---- changes ---- */

struct world {
	struct fuzz_input in;
	const struct original *original;
	unsigned how;
	unsigned char *bytes; /* our own mapping, to change it by */
	DISRUPTOR_ATOMIC(uint32_t) done;
};

/* Three bytes: where, and how long; then the value. */
static void change(struct world *w)
{
	uint64_t at = fuzz_number(&w->in, 2);
	unsigned bytes = 1u << (fuzz_number(&w->in, 1) & 3);
	uint64_t value = fuzz_number(&w->in, bytes);

	at = at * 8 % w->original->size;
	memcpy(w->bytes + at, &value, bytes);
}

static void seal(struct world *w)
{
	struct segment_header h;

	memcpy(&h, w->bytes, sizeof(h));
	if (h.schema_at <= w->original->size && h.schema_bytes <= w->original->size - h.schema_at)
		h.schema_check = segment_crc(w->bytes + h.schema_at, (size_t)h.schema_bytes);
	h.check = segment_crc(&h, offsetof(struct segment_header, check));
	memcpy(w->bytes, &h, sizeof(h));
}

static void *scribble(void *argument)
{
	struct world *w = argument;
	unsigned char *block = w->bytes + 4096;
	size_t size = w->original->size - 4096;

	/* all of it but the header and the schema, back and forth */
	for (uint8_t turn = 1; !disruptor_load_acquire(&w->done); turn = (uint8_t)(turn * 5 + 1))
		for (size_t i = turn % 8; i < size; i += 61)
			block[i] ^= turn;
	return NULL;
}

/* ---- looking ---- */

static void ask_tables(const struct disruptor_look *l)
{
	struct disruptor_look_producer p = { .size = sizeof(p) };
	struct disruptor_look_consumer c = { .size = sizeof(c) };
	struct disruptor_participant who;

	for (uint32_t i = 0; disruptor_look_producer(l, i, &p) == 0; i++)
		FUZZ_NEED(i < 65536 && memchr(p.name, 0, sizeof(p.name)));
	for (uint32_t i = 0; disruptor_look_consumer(l, i, &c) == 0; i++)
		FUZZ_NEED(i < DISRUPTOR_MAX_CONSUMERS && memchr(c.name, 0, sizeof(c.name)));
	for (uint32_t i = 0; disruptor_look_participant(l, i, &who) == 0; i++)
		FUZZ_NEED(i < SEGMENT_MAX_PARTICIPANTS && memchr(who.name, 0, sizeof(who.name)));
}

static void ask_positions(struct world *w, const struct disruptor_look *l,
			  const struct disruptor_look_facts *f)
{
	/* of exactly its size, so that a sanitizer sees what lies behind it */
	size_t room = f->cell ? (size_t)f->cell * 3 : f->event_size;
	unsigned char *bytes = malloc(room);
	enum disruptor_look_event state;
	size_t size;

	FUZZ_NEED(bytes);
	for (unsigned i = 0; i < MOST_POSITIONS; i++) {
		uint64_t position = i < 2 * CAPACITY ? i : fuzz_number(&w->in, 2) << (i & 31);
		int rc = f->cell ? disruptor_look_record(l, position, bytes, room, &size, &state)
				 : disruptor_look_event(l, position, bytes, &state);

		FUZZ_NEED(rc < 0 || disruptor_look_event_name(state));
		FUZZ_NEED(rc <= 0 || size <= f->capacity * f->cell);
	}
	free(bytes);
}

static void look(struct world *w)
{
	const struct disruptor_segment_options o = { .size = sizeof(o), .directory = directory };
	struct disruptor_look_facts f = { .size = sizeof(f) };
	struct disruptor_look_state s = { .size = sizeof(s) };
	struct disruptor_look *l;

	if (disruptor_look_open(&l, "segment", &o) != 0) {
		FUZZ_NEED(!l && disruptor_error_detail()[0]);
		return;
	}
	FUZZ_NEED(disruptor_look_facts(l, &f) == 0 && disruptor_look_type(l));
	(void)disruptor_look_state(l, &s);
	ask_tables(l);
	ask_positions(w, l, &f);
	if (w->how & SHORTER) { /* which each question finds out */
		FUZZ_NEED(truncate(path, 4096) == 0);
		FUZZ_NEED(disruptor_look_state(l, &s) == DISRUPTOR_E_FORMAT);
		ask_tables(l);
	}
	disruptor_look_close(&l);
}

/* ---- taking part ---- */

static void read_records(const struct disruptor_ring *ring, struct disruptor_consumer *c)
{
	struct disruptor_record r;

	for (unsigned i = 0; i < 4 * CAPACITY; i++) {
		if (disruptor_record_ready(c) < 0 &&
		    disruptor_release_to(c, disruptor_consumer_position(c) + 1) != 0)
			return;
		while (disruptor_record_next(c, &r) > 0) {
			const unsigned char *at = r.bytes;

			FUZZ_NEED(at >= ring->cells);
			FUZZ_NEED(at + r.size <= ring->cells + ring->capacity * ring->cell);
			memset(r.bytes, 0x5a, r.size);
		}
		if (disruptor_record_release(c) != 0)
			return;
	}
}

static void take_part(void)
{
	const struct disruptor_segment_options o = { .size = sizeof(o), .directory = directory };
	const struct disruptor_consumer_options co = { .size = sizeof(co),
						       .at = DISRUPTOR_AT_OLDEST,
						       .if_dead = DISRUPTOR_OPTIONAL };
	const struct disruptor_type *type = disruptor_record_type();
	struct disruptor_segment *s;
	struct disruptor_consumer c;
	struct disruptor_producer p;

	if (disruptor_segment_open(&s, "segment", type, NULL, &o) != 0)
		return;
	if (disruptor_consumer_open(&c, s->ring, type, &co) == 0) {
		read_records(s->ring, &c);
		if (disruptor_producer_open(&p, s->ring, type, NULL) == 0) {
			unsigned char *to = disruptor_record_try_claim(&p, 3 * CELL);

			if (to) {
				memset(to, 1, 3 * CELL);
				(void)disruptor_record_publish(&p, 20);
			}
			(void)disruptor_producer_close(&p);
		}
		read_records(s->ring, &c);
		if (disruptor_consumer_close(&c) != 0) /* others come after it, the bytes say */
			consumer_detach(&c);
	}
	(void)disruptor_segment_close(&s);
}

/* ---- all of it ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .in = { data, size } };
	pthread_t thread;
	int fd;

	begin();
	w.how = (unsigned)fuzz_number(&w.in, 1);
	w.original = &originals[w.how & RECORDS];
	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FUZZ_NEED(fd >= 0 && ftruncate(fd, (off_t)w.original->size) == 0);
	w.bytes = mmap(NULL, w.original->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	FUZZ_NEED(w.bytes != MAP_FAILED);
	memcpy(w.bytes, w.original->bytes, w.original->size);
	for (uint64_t n = fuzz_number(&w.in, 1) % 16; n != 0; n--)
		change(&w);
	if (w.how & FIX_HEADER)
		seal(&w);
	if (w.how & SHORTER)
		w.how &= ~(unsigned)SCRIBBLE; /* it would be the scribbler's own end */
	if (w.how & SCRIBBLE)
		FUZZ_NEED(pthread_create(&thread, NULL, scribble, &w) == 0);
	look(&w);
	if ((w.how & RECORDS) && !(w.how & SHORTER))
		take_part();
	if (w.how & SCRIBBLE) {
		disruptor_store_release(&w.done, 1u);
		FUZZ_NEED(pthread_join(thread, NULL) == 0);
	}
	(void)munmap(w.bytes, w.original->size);
	(void)close(fd);
	return 0;
}
