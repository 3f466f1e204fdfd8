/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_STREAM_H
#define DISRUPTOR_STREAM_H

/* What pub and sub have in common: a ring of records by its name, signals, and telling how it goes. */

#include <disruptor/record.h>
#include <disruptor/segment.h>

#include <stdbool.h>

/* What the command line says of the ring. */
struct stream_options {
	const char *command;   /* for messages */
	const char *name;      /* of the ring */
	const char *directory; /* NULL: the default */
	uint64_t size;         /* bytes of the cells of a ring that is made; 0: the default */
	bool raw;              /* large cells */
	bool stays;            /* its name stays when the last has left */
	bool quiet;
};

struct stream {
	struct stream_options options;
	struct disruptor_segment *segment;
	struct disruptor_ring *ring;
	uint64_t records, bytes; /* passed */
	/* for people at a terminal */
	bool shows;
	uint64_t began, shown, shown_bytes, shown_records;
};

/* How long a wait may last before signals and deaths are looked for. */
#define STREAM_WAIT_NS UINT64_C(100000000)
/* Between two looks at what tells nobody. */
#define STREAM_LOOK_MS 10

/* Find the ring, or make it. False: the reason has been said. */
bool stream_open(struct stream *s, const struct stream_options *options);
/* Whether no claim succeeds any more. */
bool stream_is_closed(const struct stream *s);
/* Leave it. */
void stream_close(struct stream *s);

/* Say on stderr what went wrong, of the library its detail; answers CMD_FAILED. */
int stream_failed(const struct stream *s, const char *what, int code);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void stream_say(const struct stream_options *o, const char *format, ...);

/* From now on SIGINT and SIGTERM are only noted, the first time, and SIGPIPE is an error of write. */
void stream_catch_signals(void);
bool stream_stopped(void);
/* Wait until @p fd can be read: false if a signal came first. */
bool stream_await_input(int fd);
/* If a signal has been noted, or @p pipe is broken, end by it, as if it had not been caught. */
void stream_end_by_signal(bool broken_pipe);

void stream_pause(void);

/* Count what has passed, and now and then tell it. */
void stream_count(struct stream *s, uint64_t records, uint64_t bytes);
void stream_tick(struct stream *s);
/* The last word, at a terminal. */
void stream_sum_up(struct stream *s);

#endif
