/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor pub: standard input to a ring that other processes read. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "stream.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most bytes of a record of --raw: such a read is worth its system call, and fits a near cache. */
#define RAW_BYTES ((size_t)128 << 10)

static const char help[] =
	"usage: disruptor pub NAME [OPTION ...]\n"
	"\n"
	"Publish standard input to the ring NAME, each line as a record, for any number of\n"
	"'disruptor sub NAME', each of which gets all of it. Whoever comes first makes the\n"
	"ring. Several may publish at once; when the last has come to its end of input, each\n"
	"sub ends behind the last record. Nothing is lost: while the ring is full, or nobody\n"
	"has subscribed, pub waits.\n"
	"\n"
	"options:\n"
	"  --raw            publish bytes as they come, cut anywhere\n"
	"  --fixed BYTES    publish records of so many bytes each\n"
	"  --wait N         begin once N have subscribed; default: 1\n"
	"  --lossy          never wait for them: drop records that do not fit, or that nobody\n"
	"                   has subscribed to, and tell how many\n"
	"  --stay           leave the ring open at the end of input: others go on waiting; one\n"
	"                   that is made stays when the last has left\n"
	"  --size BYTES     of a ring that is made: how much it holds, a power of two, as 64K,\n"
	"                   16M; the longest record, too; default: 1M\n"
	"  --directory DIR  where the ring is; default: $DISRUPTOR_DIRECTORY, or a directory\n"
	"                   of the user's own in /dev/shm\n"
	"  --quiet          do not tell how it goes, at a terminal\n"
	"\n"
	"The last line gets a newline if it has none. A line that is longer than the ring\n"
	"takes is an error, and those before it are published.\n"
	"On SIGINT and SIGTERM pub ends as at the end of input.\n";

enum mode { LINES, FIXED, RAW };

struct pub {
	struct stream stream;
	struct disruptor_producer p;
	enum mode mode;
	bool lossy;
	uint64_t fixed; /* bytes of a record */
	uint64_t wait;  /* for so many subscribers */
	uint64_t dropped;
	bool told_dead; /* that a required consumer's process has died */
};

/* ---- publishing ---- */

/* What a claim was refused for: true if it is to be tried again. */
static bool again(struct pub *a, int code)
{
	disruptor_segment_tend(a->stream.segment);
	stream_tick(&a->stream);
	if (stream_stopped())
		return false;
	if (code == DISRUPTOR_E_NO_CONSUMER) {
		stream_pause();
		return true;
	}
	if (code == DISRUPTOR_E_PEER_DEAD && !a->told_dead) {
		char detail[512];

		stream_say(&a->stream.options, "%s; waiting",
			   cmd_detail(code, detail, sizeof(detail)));
		a->told_dead = true;
	}
	return code == DISRUPTOR_E_TIMEOUT || code == DISRUPTOR_E_PEER_DEAD;
}

/* Room for a record; NULL: *rc is CMD_FAILED, with a message, or CMD_OK if it was dropped or we stop. */
static void *claim(struct pub *a, size_t bytes, int *rc)
{
	void *to;
	int code;

	do {
		to = a->lossy ? disruptor_record_try_claim(&a->p, bytes)
			      : disruptor_record_claim_until(&a->p, bytes,
							     disruptor_in(STREAM_WAIT_NS));
		if (to)
			return to;
		code = disruptor_producer_status(&a->p);
		if (a->lossy && (code == DISRUPTOR_E_FULL || code == DISRUPTOR_E_NO_CONSUMER)) {
			a->dropped++;
			*rc = CMD_OK;
			return NULL;
		}
	} while (again(a, code));
	*rc = stream_stopped() ? CMD_OK : stream_failed(&a->stream, a->stream.options.name, code);
	return NULL;
}

static int put(struct pub *a, const void *bytes, size_t n)
{
	int rc;
	void *to = claim(a, n, &rc);

	if (!to)
		return rc;
	memcpy(to, bytes, n);
	(void)disruptor_record_publish(&a->p, n);
	stream_count(&a->stream, 1, n);
	return CMD_OK;
}

/* ---- reading ---- */

struct input {
	char *bytes;
	size_t size, from, end; /* what is there: [from, end) */
	bool ended;
};

static int input_failed(const struct pub *a)
{
	stream_say(&a->stream.options, "standard input: %s", cmd_error_text(errno));
	return CMD_FAILED;
}

static void move_to_front(struct input *in)
{
	memmove(in->bytes, in->bytes + in->from, in->end - in->from);
	in->end -= in->from;
	in->from = 0;
}

/* At least one byte more, at the end of the input or a signal none. */
static int fill(struct pub *a, struct input *in)
{
	ssize_t n;

	move_to_front(in);
	if (!stream_await_input(STDIN_FILENO)) {
		in->ended = true;
		return CMD_OK;
	}
	do
		n = read(STDIN_FILENO, in->bytes + in->end, in->size - in->end);
	while (n < 0 && errno == EINTR && !stream_stopped());
	if (n < 0 && errno != EINTR)
		return input_failed(a);
	if (n <= 0)
		in->ended = true;
	else
		in->end += (size_t)n;
	return CMD_OK;
}

static int make_room(struct pub *a, struct input *in, size_t most)
{
	size_t size = in->size * 2 < most ? in->size * 2 : most;
	char *bytes = realloc(in->bytes, size);

	if (!bytes) {
		stream_say(&a->stream.options, "no memory for a line of %zu bytes", size);
		return CMD_FAILED;
	}
	in->bytes = bytes;
	in->size = size;
	return CMD_OK;
}

static int put_line(struct pub *a, struct input *in, size_t bytes)
{
	int rc = put(a, in->bytes + in->from, bytes);

	in->from += bytes;
	return rc;
}

/* It has no newline, and is shorter than the longest. */
static int put_last_line(struct pub *a, struct input *in, size_t limit)
{
	int rc = CMD_OK;

	move_to_front(in);
	if (in->end == in->size)
		rc = make_room(a, in, limit + 1);
	if (rc != CMD_OK)
		return rc;
	in->bytes[in->end] = '\n';
	return put_line(a, in, in->end + 1);
}

static int publish_lines(struct pub *a, struct input *in)
{
	size_t limit = disruptor_record_limit(a->stream.ring), looked = 0;
	uint64_t number = 1;
	int rc = CMD_OK;

	while (rc == CMD_OK && !stream_stopped()) {
		const char *from = in->bytes + in->from;
		const char *end = memchr(from + looked, '\n', in->end - in->from - looked);

		if (end) {
			rc = put_line(a, in, (size_t)(end + 1 - from));
			looked = 0;
			number++;
			continue;
		}
		looked = in->end - in->from;
		if (looked >= limit) {
			stream_say(&a->stream.options,
				   "line %llu is longer than the %zu bytes that the ring takes; "
				   "make one with --size",
				   (unsigned long long)number, limit);
			return CMD_FAILED;
		}
		if (in->ended)
			break;
		if (in->from == 0 && in->end == in->size)
			rc = make_room(a, in, limit + 1);
		if (rc == CMD_OK)
			rc = fill(a, in);
	}
	if (rc == CMD_OK && looked != 0 && in->ended && !stream_stopped())
		rc = put_last_line(a, in, limit);
	return rc;
}

static int publish_fixed(struct pub *a, struct input *in)
{
	size_t bytes = (size_t)a->fixed;
	int rc = CMD_OK;

	while (rc == CMD_OK && !stream_stopped()) {
		if (in->end - in->from >= bytes) {
			rc = put_line(a, in, bytes);
			continue;
		}
		if (in->ended)
			break;
		rc = fill(a, in);
	}
	if (rc == CMD_OK && in->ended && in->end != in->from && !stream_stopped()) {
		stream_say(&a->stream.options,
			   "the input ends inside a record: %zu bytes of %zu are not published",
			   in->end - in->from, bytes);
		return CMD_FAILED;
	}
	return rc;
}

/* A file is read into the ring itself. Not what may keep us waiting: others come behind our claim. */
static int publish_file(struct pub *a, size_t most)
{
	int rc = CMD_OK;
	ssize_t n;

	while (!stream_stopped()) {
		void *to = claim(a, most, &rc);

		if (!to)
			return rc;
		n = read(STDIN_FILENO, to, most);
		if (n <= 0) {
			(void)disruptor_abort(&a->p);
			if (n == 0)
				return CMD_OK;
			if (errno != EINTR)
				return input_failed(a);
			continue;
		}
		(void)disruptor_record_publish(&a->p, (size_t)n);
		stream_count(&a->stream, 1, (uint64_t)n);
	}
	return rc;
}

static int publish_raw(struct pub *a, struct input *in)
{
	int rc = CMD_OK;

	while (rc == CMD_OK && !in->ended && !stream_stopped()) {
		rc = fill(a, in);
		if (rc == CMD_OK && in->end != in->from)
			rc = put_line(a, in, in->end - in->from);
	}
	return rc;
}

static int publish(struct pub *a)
{
	size_t limit = disruptor_record_limit(a->stream.ring);
	size_t most = limit / 4 < RAW_BYTES ? limit / 4 : RAW_BYTES;
	struct input in = { .size = a->mode == FIXED ? (size_t)a->fixed * 16 : most };
	struct stat st;
	int rc;

	if (a->mode == FIXED && a->fixed > limit) {
		stream_say(&a->stream.options,
			   "--fixed %llu: the ring takes records of up to %zu bytes",
			   (unsigned long long)a->fixed, limit);
		return CMD_FAILED;
	}
	if (a->mode == RAW && !a->lossy && fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return publish_file(a, most);
	in.bytes = malloc(in.size);
	if (!in.bytes) {
		stream_say(&a->stream.options, "no memory for %zu bytes", in.size);
		return CMD_FAILED;
	}
	rc = a->mode == LINES   ? publish_lines(a, &in)
	     : a->mode == FIXED ? publish_fixed(a, &in)
				: publish_raw(a, &in);
	free(in.bytes);
	return rc;
}

/* ---- coming and going ---- */

/* Another's last record may still be on its way to those who subscribed to that. */
static int begin_anew(struct pub *a)
{
	while (!stream_stopped()) {
		disruptor_segment_tend(a->stream.segment);
		if (!stream_is_closed(&a->stream) ||
		    (disruptor_ring_stats(a->stream.ring).consumers == 0 &&
		     disruptor_ring_reopen(a->stream.ring) == 0))
			break;
		stream_pause();
	}
	return CMD_OK;
}

static int open_producer(struct pub *a)
{
	const struct disruptor_producer_options o = { .size = sizeof(o), .name = "pub" };
	int rc;

	while (!stream_stopped()) {
		rc = disruptor_producer_open(&a->p, a->stream.ring, disruptor_record_type(), &o);
		if (rc != 0)
			return stream_failed(&a->stream, a->stream.options.name, rc);
		/* who closes it looks whether a producer is open: it was closed before, or is not now */
		if (!stream_is_closed(&a->stream))
			return CMD_OK;
		(void)disruptor_producer_close(&a->p);
		(void)begin_anew(a);
	}
	return CMD_OK;
}

static void await_subscribers(struct pub *a)
{
	while (!stream_stopped() && disruptor_ring_stats(a->stream.ring).consumers < a->wait) {
		disruptor_segment_tend(a->stream.segment);
		stream_pause();
	}
}

static int work(struct pub *a)
{
	int rc = open_producer(a);

	if (rc != CMD_OK || stream_stopped())
		return rc;
	await_subscribers(a);
	if (!stream_stopped())
		rc = publish(a);
	(void)disruptor_producer_close(&a->p);
	if (a->dropped)
		stream_say(&a->stream.options, "%llu records dropped",
			   (unsigned long long)a->dropped);
	disruptor_segment_tend(a->stream.segment); /* the dead are no producers */
	if (!a->stream.options.stays)
		(void)disruptor_ring_close_unused(a->stream.ring);
	return rc;
}

/* ---- the command line ---- */

static int parse(struct pub *a, struct stream_options *o, int argc, char **argv)
{
	enum { RAW_OPTION = 1, FIXED_OPTION, WAIT, LOSSY, STAY, SIZE, DIRECTORY, QUIET };
	static const struct option options[] = {
		{ "raw", no_argument, NULL, RAW_OPTION },
		{ "fixed", required_argument, NULL, FIXED_OPTION },
		{ "wait", required_argument, NULL, WAIT },
		{ "lossy", no_argument, NULL, LOSSY },
		{ "stay", no_argument, NULL, STAY },
		{ "size", required_argument, NULL, SIZE },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ "quiet", no_argument, NULL, QUIET },
		{ 0 },
	};
	int c;

	while ((c = cmd_option(argc, argv, options)) != -1) {
		switch (c) {
		case RAW_OPTION:
			a->mode = RAW;
			o->raw = true;
			break;
		case FIXED_OPTION:
			a->mode = FIXED;
			if (!cmd_bytes(optarg, &a->fixed) || a->fixed > UINT32_MAX)
				return cmd_usage("pub", "--fixed: '%s' is no number of bytes",
						 optarg);
			break;
		case WAIT:
			if (!cmd_number(optarg, &a->wait) || a->wait > DISRUPTOR_MAX_CONSUMERS)
				return cmd_usage("pub", "--wait: '%s' is not in 0 ... %d", optarg,
						 DISRUPTOR_MAX_CONSUMERS);
			break;
		case LOSSY:
			a->lossy = true;
			break;
		case STAY:
			o->stays = true;
			break;
		case SIZE:
			if (!cmd_ring_size(optarg, &o->size))
				return cmd_usage("pub", "--size: '%s' is no power of two from 4K",
						 optarg);
			break;
		case DIRECTORY:
			o->directory = optarg;
			break;
		case QUIET:
			o->quiet = true;
			break;
		default:
			return cmd_bad_option("pub", c, argv[optind - 1]);
		}
	}
	if (o->raw && a->fixed)
		return cmd_usage("pub", "--raw and --fixed do not go together");
	return cmd_operand("pub", "ring", argc, argv, &o->name);
}

static int run(int argc, char **argv)
{
	struct stream_options o = { .command = "pub" };
	struct pub a = { .wait = 1 };
	int rc = parse(&a, &o, argc, argv);

	if (rc != CMD_OK)
		return rc;
	stream_catch_signals();
	if (!stream_open(&a.stream, &o))
		return CMD_FAILED;
	rc = work(&a);
	stream_sum_up(&a.stream);
	stream_close(&a.stream);
	stream_end_by_signal(false);
	return rc;
}

const struct command cmd_pub = {
	.name = "pub",
	.summary = "publish standard input to a ring that other processes read",
	.help = help,
	.run = run,
};
