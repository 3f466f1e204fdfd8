/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* disruptor tail: what goes through a ring, a line an event, by the ring's own schema. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"
#include "decode.h"
#include "escape.h"
#include "relay.h"
#include "stream.h"

#include <disruptor/reader.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: disruptor tail NAME [OPTION ...]\n"
	"\n"
	"Print the events that are published to the ring NAME, a line each, from now on to the\n"
	"end: their position, and their fields by the schema that the ring has; of a ring of\n"
	"records the bytes. It holds nobody up: what the output is too slow for is dropped,\n"
	"and it tells how many.\n"
	"\n"
	"options:\n"
	"  --json           print a JSON object a line: position, and event or record\n"
	"  --from PLACE     begin at 'newest', what is published from now on, the default; at\n"
	"                   'oldest', what is still there; or at a position\n"
	"  --count N        end after N events\n"
	"  --directory DIR  where the ring is; default: $DISRUPTOR_DIRECTORY, or a directory\n"
	"                   of the user's own in /dev/shm\n"
	"\n"
	"Of a ring that was made for lossy readers it is one. Of others it is a consumer for the\n"
	"time, whose events a thread takes out at once, and which leaves if it is killed.\n";

struct tail {
	struct stream_options options;
	struct stream stream; /* its name for messages, and the ring */
	const struct disruptor_type *type;
	bool records, json, lossy;
	uint64_t count;
	enum disruptor_at at;
	uint64_t position;
	uint64_t dropped;
};

/* ---- printing ---- */

static bool print_json(const struct tail *t, uint64_t position, const void *bytes, size_t size)
{
	json_t *object = json_object();
	bool well;

	(void)json_object_set_new(object, "position", json_integer((json_int_t)position));
	if (t->records)
		(void)json_object_set_new(object, "record", decode_bytes(bytes, size));
	else
		(void)json_object_set_new(object, "event", decode_json(t->type, bytes));
	well = json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) ==
	       0;
	json_decref(object);
	return well && putchar('\n') != EOF;
}

static bool print_text(const struct tail *t, uint64_t position, const void *bytes, size_t size)
{
	const char *text = bytes;

	printf("%" PRIu64 " ", position);
	if (!t->records)
		decode_text(stdout, t->type, bytes);
	else /* the newline of a line is not told */
		escape_write(stdout, text, size != 0 && text[size - 1] == '\n' ? size - 1 : size);
	return putchar('\n') != EOF;
}

/* False: the output is broken, or that was all that was asked for. */
static bool print(struct tail *t, uint64_t position, const void *bytes, size_t size)
{
	if (t->json ? !print_json(t, position, bytes, size) : !print_text(t, position, bytes, size))
		return false;
	return --t->count != 0;
}

/* A line is to be seen once it is there; a broken pipe is no news. */
static int shown(struct tail *t)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CMD_OK;
	if (errno != EPIPE && !stream_stopped())
		stream_say(&t->options, "standard output: %s", cmd_error_text(errno));
	return CMD_FAILED;
}

/* ---- as a consumer, by way of a relay ---- */

static bool print_relayed(struct tail *t, const struct disruptor_record *r)
{
	uint64_t position;

	memcpy(&position, r->bytes, sizeof(position));
	return print(t, position, (const char *)r->bytes + sizeof(position),
		     r->size - sizeof(position));
}

static int follow_relay(struct tail *t, struct relay *relay)
{
	struct disruptor_record record;
	bool more = true;
	int64_t n;

	while (more && !stream_stopped()) {
		n = disruptor_record_ready_until(&relay->c, disruptor_in(STREAM_WAIT_NS));
		if (n == DISRUPTOR_E_CLOSED)
			break;
		while (n > 0 && more && disruptor_record_next(&relay->c, &record) > 0)
			more = print_relayed(t, &record);
		(void)disruptor_record_release(&relay->c);
		if (n > 0 && shown(t) != CMD_OK)
			return CMD_FAILED;
	}
	return CMD_OK;
}

static int follow_as_consumer(struct tail *t)
{
	const struct disruptor_consumer_options o = { .size = sizeof(o),
						      .name = "tail",
						      .at = t->at,
						      .position = t->position,
						      .if_dead = DISRUPTOR_OPTIONAL };
	struct disruptor_consumer c;
	struct relay relay;
	int rc = disruptor_consumer_open(&c, t->stream.ring, t->type, &o);

	if (rc != 0)
		return stream_failed(&t->stream, t->options.name, rc);
	rc = relay_start(&relay, &c, true);
	if (rc != 0) {
		(void)disruptor_consumer_close(&c);
		return stream_failed(&t->stream, t->options.name, rc);
	}
	rc = follow_relay(t, &relay);
	relay_stop(&relay);
	(void)disruptor_consumer_close(&c);
	t->dropped = disruptor_load_relaxed(&relay.dropped);
	if (rc == CMD_OK &&
	    (relay.ended == DISRUPTOR_E_FAILED || relay.ended == DISRUPTOR_E_FORMAT))
		return stream_failed(&t->stream, t->options.name, (int)relay.ended);
	return rc;
}

/* ---- as a lossy reader ---- */

static int follow_reader(struct tail *t, struct disruptor_reader *r, void *event)
{
	bool more = true;
	int n;

	while (more && !stream_stopped()) {
		n = disruptor_reader_next_until(r, event, disruptor_in(STREAM_WAIT_NS));
		while (n > 0 && more) {
			more = print(t, disruptor_reader_position(r) - 1, event, t->type->size);
			if (more)
				n = disruptor_reader_next(r, event);
		}
		if (shown(t) != CMD_OK)
			return CMD_FAILED;
		if (n == DISRUPTOR_E_CLOSED)
			break;
		if (n < 0 && n != DISRUPTOR_E_TIMEOUT)
			return stream_failed(&t->stream, t->options.name, n);
	}
	return CMD_OK;
}

static int follow_as_reader(struct tail *t)
{
	const struct disruptor_reader_options o = {
		.size = sizeof(o),
		.from = t->at == DISRUPTOR_AT_NEWEST   ? DISRUPTOR_READER_NEWEST
			: t->at == DISRUPTOR_AT_OLDEST ? DISRUPTOR_READER_OLDEST
						       : DISRUPTOR_READER_POSITION,
		.position = t->position,
	};
	struct disruptor_reader r;
	int rc = disruptor_reader_open(&r, t->stream.ring, t->type, &o);
	void *event;

	if (rc != 0)
		return stream_failed(&t->stream, t->options.name, rc);
	event = malloc(t->type->size);
	rc = event ? follow_reader(t, &r, event) : CMD_FAILED;
	if (!event)
		stream_say(&t->options, "no memory for an event of %u bytes", t->type->size);
	free(event);
	t->dropped = disruptor_reader_missed(&r);
	(void)disruptor_reader_close(&r);
	return rc;
}

/* ---- the ring, whatever it is of ---- */

static bool open_ring(struct tail *t)
{
	const struct disruptor_segment_options so = { .size = sizeof(so),
						      .directory = t->options.directory,
						      .participant = "tail" };
	struct disruptor_ring_info info;
	int rc;

	t->stream = (struct stream){ .options = t->options };
	rc = disruptor_segment_open(&t->stream.segment, t->options.name, NULL, NULL, &so);
	if (rc != 0) {
		stream_failed(&t->stream, t->options.name, rc);
		return false;
	}
	t->stream.ring = disruptor_segment_ring(t->stream.segment);
	info = disruptor_ring_info(t->stream.ring);
	t->type = info.type;
	t->records = info.cell != 0;
	t->lossy = info.lossy != 0;
	return true;
}

/* ---- the command line ---- */

enum { JSON = 1, FROM, COUNT, DIRECTORY };

static int parse_option(struct tail *t, int option)
{
	switch (option) {
	case JSON:
		t->json = true;
		break;
	case FROM:
		t->at = strcmp(optarg, "newest") == 0   ? DISRUPTOR_AT_NEWEST
			: strcmp(optarg, "oldest") == 0 ? DISRUPTOR_AT_OLDEST
							: DISRUPTOR_AT_POSITION;
		if (t->at == DISRUPTOR_AT_POSITION && !cmd_number(optarg, &t->position))
			return cmd_usage("tail",
					 "--from: '%s' is neither newest, oldest nor a position",
					 optarg);
		break;
	case COUNT:
		if (!cmd_number(optarg, &t->count) || t->count == 0)
			return cmd_usage("tail", "--count: '%s' is no number above 0", optarg);
		break;
	default:
		t->options.directory = optarg;
		break;
	}
	return CMD_OK;
}

static int parse(struct tail *t, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, JSON },
		{ "from", required_argument, NULL, FROM },
		{ "count", required_argument, NULL, COUNT },
		{ "directory", required_argument, NULL, DIRECTORY },
		{ 0 },
	};
	int c, rc;

	while ((c = cmd_option(argc, argv, options)) != -1) {
		if (c == ':' || c == '?')
			return cmd_bad_option("tail", c, argv[optind - 1]);
		rc = parse_option(t, c);
		if (rc != CMD_OK)
			return rc;
	}
	return cmd_operand("tail", "ring", argc, argv, &t->options.name);
}

static int run(int argc, char **argv)
{
	struct tail t = { .options = { .command = "tail" }, .count = UINT64_MAX };
	int rc = parse(&t, argc, argv);

	if (rc != CMD_OK)
		return rc;
	stream_catch_signals();
	if (!open_ring(&t))
		return CMD_FAILED;
	rc = t.lossy ? follow_as_reader(&t) : follow_as_consumer(&t);
	if (t.dropped)
		stream_say(&t.options, "%" PRIu64 " events dropped", t.dropped);
	stream_close(&t.stream);
	stream_end_by_signal(rc != CMD_OK && ferror(stdout) && errno == EPIPE);
	return rc;
}

const struct command cmd_tail = {
	.name = "tail",
	.summary = "print the events of a ring that other processes use",
	.help = help,
	.run = run,
};
