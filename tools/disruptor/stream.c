/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What pub and sub have in common. */
#define _GNU_SOURCE /* ppoll */

#include "stream.h"
#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SIZE (UINT64_C(1) << 20)
#define CELL 64
#define RAW_CELL 4096
#define SHOWN_EVERY UINT64_C(1000000000)

/* ---- words ---- */

void stream_say(const struct stream_options *o, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "disruptor %s: ", o->command);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

int stream_failed(const struct stream *s, const char *what, int code)
{
	return cmd_failed(s->options.command, what, code);
}

/* ---- the ring ---- */

bool stream_open(struct stream *s, const struct stream_options *options)
{
	const struct disruptor_segment_options so = {
		.size = sizeof(so),
		.directory = options->directory,
		.flags = DISRUPTOR_SEGMENT_CREATE |
			 (options->stays ? 0u : DISRUPTOR_SEGMENT_TEMPORARY),
		.participant = options->command,
	};
	struct disruptor_options ring = {
		.size = sizeof(ring),
		.producers = DISRUPTOR_MANY,
		.max_producers = 64,
		.max_consumers = DISRUPTOR_MAX_CONSUMERS,
		.cell = options->raw ? RAW_CELL : CELL,
	};
	int rc;

	*s = (struct stream){ .options = *options };
	ring.capacity = (options->size ? options->size : DEFAULT_SIZE) / ring.cell;
	rc = disruptor_segment_open(&s->segment, options->name, disruptor_record_type(), &ring,
				    &so);
	if (rc != 0) {
		stream_failed(s, options->name, rc);
		return false;
	}
	s->ring = disruptor_segment_ring(s->segment);
	if (disruptor_record_limit(s->ring) == 0) {
		stream_say(options, "%s: a ring of events of one size, not of records",
			   options->name);
		stream_close(s);
		return false;
	}
	if (options->size && disruptor_record_limit(s->ring) != options->size) {
		stream_say(options, "--size: %s is there already, and holds %zu bytes",
			   options->name, disruptor_record_limit(s->ring));
		stream_close(s);
		return false;
	}
	s->shows = !options->quiet && isatty(STDERR_FILENO);
	s->began = s->shown = disruptor_now();
	return true;
}

bool stream_is_closed(const struct stream *s)
{
	return disruptor_ring_stats(s->ring).state != 0;
}

void stream_close(struct stream *s)
{
	int rc = disruptor_segment_close(&s->segment);

	if (rc != 0)
		stream_failed(s, s->options.name, rc);
}

/* ---- signals ---- */

static DISRUPTOR_ATOMIC(int) caught;

static void note(int number)
{
	disruptor_store_relaxed(&caught, number);
}

void stream_catch_signals(void)
{
	/* once: who asks twice does not want to wait any longer */
	struct sigaction action = { .sa_handler = note, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool stream_stopped(void)
{
	return disruptor_load_relaxed(&caught) != 0;
}

bool stream_await_input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t both, before;
	int rc = -1;

	/* a signal between the look and the wait would be waited past */
	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &both, &before);
	while (!stream_stopped()) {
		rc = ppoll(&p, 1, NULL, &before);
		if (rc >= 0 || errno != EINTR)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc >= 0 || !stream_stopped();
}

void stream_end_by_signal(bool broken_pipe)
{
	int number = broken_pipe ? SIGPIPE : disruptor_load_relaxed(&caught);

	if (number == 0)
		return;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

void stream_pause(void)
{
	const struct timespec t = { .tv_nsec = STREAM_LOOK_MS * 1000000L };

	nanosleep(&t, NULL);
}

/* ---- how it goes ---- */

/* Three digits of a number, and what they count by. */
static const char *human(char *text, size_t size, double n)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P" };
	size_t u = 0;

	for (; n >= 999.5 && u + 1 < sizeof(units) / sizeof(units[0]); u++)
		n /= 1000;
	(void)snprintf(text, size,
		       n < 9.995 && u   ? "%.2f %s"
		       : n < 99.95 && u ? "%.1f %s"
					: "%.0f %s",
		       n, units[u]);
	return text;
}

static void show(const struct stream *s, double bytes, double records, double seconds,
		 const char *end)
{
	char all[32], rate[32], some[32];

	fprintf(stderr, "%sB  %sB/s  %srecords/s%s", human(all, sizeof(all), (double)s->bytes),
		human(rate, sizeof(rate), bytes / seconds),
		human(some, sizeof(some), records / seconds), end);
}

void stream_tick(struct stream *s)
{
	uint64_t now;

	if (!s->shows)
		return;
	now = disruptor_now();
	if (now - s->shown < SHOWN_EVERY)
		return;
	show(s, (double)(s->bytes - s->shown_bytes), (double)(s->records - s->shown_records),
	     (double)(now - s->shown) / 1e9, "      \r");
	s->shown = now;
	s->shown_bytes = s->bytes;
	s->shown_records = s->records;
}

void stream_count(struct stream *s, uint64_t records, uint64_t bytes)
{
	s->records += records;
	s->bytes += bytes;
	stream_tick(s);
}

void stream_sum_up(struct stream *s)
{
	double seconds = (double)(disruptor_now() - s->began) / 1e9;

	if (s->shows && seconds > 0)
		show(s, (double)s->bytes, (double)s->records, seconds, " in all\n");
}
