/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor sub: a ring that other processes publish to, to standard output. */
#define _GNU_SOURCE

#include "cmd.h"
#include "relay.h"
#include "stream.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Records that are written by one system call, and pieces of them. */
#define MOST 512

static const char help[] =
	"usage: disruptor sub NAME [OPTION ...]\n"
	"\n"
	"Write what 'disruptor pub NAME' publishes to standard output, as it is, from now on\n"
	"to the end. Whoever comes first makes the ring: a sub before any pub waits for one.\n"
	"Each of several subs gets everything. A sub whose output is slow holds publishers up\n"
	"once the ring is full, unless it is lossy; one that ends or is killed does not.\n"
	"\n"
	"options:\n"
	"  --from PLACE     begin at 'newest', what is published from now on, the default; at\n"
	"                   'oldest', what is still there; or at a position, as stat tells them\n"
	"  --count N        end after N records\n"
	"  --lines          put a newline behind each record that does not end with one\n"
	"  --fixed BYTES    a record of another length is an error\n"
	"  --lossy          hold nobody up: drop what the output is too slow for, and tell how\n"
	"                   many records\n"
	"  --name NAME      what it is called in reports; default: sub\n"
	"  --required       of a NAME: if this sub is killed its place is kept, and publishers\n"
	"                   wait, until a sub of that name goes on there\n"
	"  --raw            of a ring that is made: for streams of bytes, as with pub\n"
	"  --size BYTES     of a ring that is made, as with pub\n"
	"  --directory DIR  where the ring is, as with pub\n"
	"  --quiet          do not tell how it goes, at a terminal\n"
	"\n"
	"On SIGINT, SIGTERM, or when nobody reads its output any more, sub leaves, and the\n"
	"others go on.\n";

struct sub {
	struct stream stream;
	struct disruptor_consumer c;
	struct relay relay;                /* if lossy */
	struct disruptor_consumer *source; /* c, or the relay's */
	struct disruptor_consumer_options place;
	uint64_t count; /* records still to come */
	uint64_t fixed;
	bool lines, lossy, broken;
};

/* ---- writing ---- */

/* All of it. False: it failed, or a signal came before anything was written. */
static bool write_all(struct sub *a, struct iovec *piece, int pieces)
{
	ssize_t n;

	while (pieces != 0) {
		n = writev(STDOUT_FILENO, piece, pieces);
		if (n < 0 && errno == EINTR && !stream_stopped())
			continue;
		if (n < 0) {
			a->broken = errno == EPIPE;
			if (!a->broken && errno != EINTR)
				stream_say(&a->stream.options, "standard output: %s",
					   cmd_error_text(errno));
			return false;
		}
		for (; pieces != 0 && (size_t)n >= piece->iov_len; pieces--)
			n -= (ssize_t)(piece++)->iov_len;
		if (pieces != 0) {
			piece->iov_base = (char *)piece->iov_base + n;
			piece->iov_len -= (size_t)n;
		}
	}
	return true;
}

/* Append a record to what is written next. */
static int add(const struct sub *a, const struct disruptor_record *r, struct iovec *piece)
{
	static char newline[] = "\n";

	piece[0] = (struct iovec){ .iov_base = r->bytes, .iov_len = r->size };
	if (!a->lines || (r->size != 0 && ((const char *)r->bytes)[r->size - 1] == '\n'))
		return 1;
	piece[1] = (struct iovec){ .iov_base = newline, .iov_len = 1 };
	return 2;
}

static bool has_length(const struct sub *a, const struct disruptor_record *r)
{
	if (a->fixed == 0 || r->size == a->fixed)
		return true;
	stream_say(&a->stream.options, "position %llu: a record of %zu bytes, not of %llu",
		   (unsigned long long)r->position, r->size, (unsigned long long)a->fixed);
	return false;
}

/* Write the records that are ready, at most so many as go at once. */
static int write_some(struct sub *a)
{
	struct iovec piece[2 * MOST];
	struct disruptor_record r;
	uint64_t records = 0, bytes = 0;
	int pieces = 0, rc = 0;

	while (records < MOST && records < a->count &&
	       (rc = disruptor_record_next(a->source, &r)) > 0) {
		if (!has_length(a, &r))
			return CMD_FAILED;
		pieces += add(a, &r, &piece[pieces]);
		records++;
		bytes += r.size;
	}
	if (rc < 0)
		return stream_failed(&a->stream, a->stream.options.name, rc);
	if (!write_all(a, piece, pieces))
		return CMD_FAILED;
	(void)disruptor_record_release(a->source);
	a->count -= records;
	stream_count(&a->stream, records, bytes);
	return CMD_OK;
}

static int copy(struct sub *a)
{
	int64_t n;
	int rc = CMD_OK;

	while (rc == CMD_OK && a->count != 0 && !stream_stopped()) {
		n = disruptor_record_ready_until(a->source, disruptor_in(STREAM_WAIT_NS));
		if (n > 0)
			rc = write_some(a);
		else if (n == DISRUPTOR_E_TIMEOUT)
			stream_tick(&a->stream);
		else if (n == DISRUPTOR_E_CLOSED)
			break;
		else
			return stream_failed(&a->stream, a->stream.options.name, (int)n);
	}
	return stream_stopped() ? CMD_OK : rc;
}

static int copy_lossy(struct sub *a)
{
	struct relay *relay = &a->relay;
	uint64_t dropped;
	int rc = relay_start(relay, &a->c, false);

	if (rc != 0)
		return stream_failed(&a->stream, "--lossy", rc);
	a->source = &relay->c;
	rc = copy(a);
	relay_stop(relay);
	dropped = disruptor_load_relaxed(&relay->dropped);
	if (dropped)
		stream_say(&a->stream.options, "%llu records dropped", (unsigned long long)dropped);
	if (rc == CMD_OK && relay->ended < 0 && relay->ended != DISRUPTOR_E_CLOSED &&
	    relay->ended != DISRUPTOR_E_TIMEOUT)
		return stream_failed(&a->stream, a->stream.options.name, (int)relay->ended);
	return rc;
}

/* ---- coming and going ---- */

/* A ring that is closed was others': a pub opens it again once they have left. */
static int subscribe(struct sub *a)
{
	int rc;

	while (!stream_stopped()) {
		disruptor_segment_tend(a->stream.segment);
		if (stream_is_closed(&a->stream)) {
			stream_pause();
			continue;
		}
		rc = disruptor_consumer_open(&a->c, a->stream.ring, disruptor_record_type(),
					     &a->place);
		if (rc != 0)
			return stream_failed(&a->stream, a->stream.options.name, rc);
		if (!stream_is_closed(&a->stream))
			return CMD_OK;
		/* in between: what was published meanwhile was not for us */
		(void)disruptor_consumer_close(&a->c);
	}
	return CMD_OK;
}

static int work(struct sub *a)
{
	int rc = subscribe(a);

	if (rc != CMD_OK || stream_stopped())
		return rc;
	a->source = &a->c;
	rc = a->lossy ? copy_lossy(a) : copy(a);
	(void)disruptor_consumer_close(&a->c);
	return rc;
}

/* ---- the command line ---- */

static int parse_place(struct sub *a, const char *text)
{
	if (strcmp(text, "newest") == 0)
		a->place.at = DISRUPTOR_AT_NEWEST;
	else if (strcmp(text, "oldest") == 0)
		a->place.at = DISRUPTOR_AT_OLDEST;
	else if (cmd_number(text, &a->place.position))
		a->place.at = DISRUPTOR_AT_POSITION;
	else
		return cmd_usage("sub", "--from: '%s' is neither newest, oldest nor a position",
				 text);
	return CMD_OK;
}

static int parse_number(const char *option, bool (*parse)(const char *, uint64_t *),
			const char *text, uint64_t *number)
{
	if (parse(text, number) && *number != 0)
		return CMD_OK;
	return cmd_usage("sub", "%s: '%s' is no number above 0", option, text);
}

static int parse_size(const char *text, uint64_t *size)
{
	if (cmd_ring_size(text, size))
		return CMD_OK;
	return cmd_usage("sub", "--size: '%s' is no power of two from 4K", text);
}

enum { FROM = 1, COUNT, LINES, FIXED, LOSSY, NAME, REQUIRED, RAW, SIZE, DIRECTORY, QUIET };

static int parse_option(struct sub *a, struct stream_options *o, int option)
{
	switch (option) {
	case FROM:
		return parse_place(a, optarg);
	case COUNT:
		return parse_number("--count", cmd_number, optarg, &a->count);
	case FIXED:
		return parse_number("--fixed", cmd_bytes, optarg, &a->fixed);
	case SIZE:
		return parse_size(optarg, &o->size);
	case LINES:
		a->lines = true;
		break;
	case LOSSY:
		a->lossy = true;
		break;
	case NAME:
		a->place.name = optarg;
		break;
	case REQUIRED:
		a->place.if_dead = DISRUPTOR_REQUIRED;
		break;
	case RAW:
		o->raw = true;
		break;
	case DIRECTORY:
		o->directory = optarg;
		break;
	case QUIET:
		o->quiet = true;
		break;
	default:
		return CMD_FAILED;
	}
	return CMD_OK;
}

static int parse(struct sub *a, struct stream_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, FROM },
		{ "count", required_argument, NULL, COUNT },
		{ "lines", no_argument, NULL, LINES },
		{ "fixed", required_argument, NULL, FIXED },
		{ "lossy", no_argument, NULL, LOSSY },
		{ "name", required_argument, NULL, NAME },
		{ "required", no_argument, NULL, REQUIRED },
		{ "raw", no_argument, NULL, RAW },
		{ "size", required_argument, NULL, SIZE },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ "quiet", no_argument, NULL, QUIET },
		{ 0 },
	};
	int c, rc;

	while ((c = cmd_option(argc, argv, options)) != -1) {
		if (c == ':' || c == '?')
			return cmd_bad_option("sub", c, argv[optind - 1]);
		rc = parse_option(a, o, c);
		if (rc != CMD_OK)
			return rc;
	}
	if (a->place.if_dead == DISRUPTOR_REQUIRED && !a->place.name)
		return cmd_usage("sub", "--required: only with a --name to go on under");
	if (a->place.if_dead == DISRUPTOR_REQUIRED && a->lossy)
		return cmd_usage("sub", "--required and --lossy do not go together");
	return cmd_operand("sub", "ring", argc, argv, &o->name);
}

static int run(int argc, char **argv)
{
	struct stream_options o = { .command = "sub" };
	struct sub a = { .count = UINT64_MAX,
			 .place = { .size = sizeof(a.place), .if_dead = DISRUPTOR_OPTIONAL } };
	int rc = parse(&a, &o, argc, argv);

	if (rc != CMD_OK)
		return rc;
	if (!a.place.name)
		a.place.name = "sub";
	stream_catch_signals();
	if (!stream_open(&a.stream, &o))
		return CMD_FAILED;
	rc = work(&a);
	stream_sum_up(&a.stream);
	stream_close(&a.stream);
	stream_end_by_signal(a.broken);
	return rc;
}

const struct command cmd_sub = {
	.name = "sub",
	.summary = "write what others publish to a ring to standard output",
	.help = help,
	.run = run,
};
