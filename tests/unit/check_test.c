/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stages without an order must not touch the same bytes: checked before the start. */
#include "probe.h"

struct trade {
	int64_t price;
	int64_t quantity;
	int64_t value;
	int64_t tax;
};

DISRUPTOR_EVENT(trade, struct trade,
	DISRUPTOR_I64(struct trade, price),
	DISRUPTOR_I64(struct trade, quantity),
	DISRUPTOR_I64(struct trade, value),
	DISRUPTOR_I64(struct trade, tax));

/* Fields that share bytes: both halves of a word, the word, and what is behind it. */
static const struct disruptor_field shared_fields[] = {
	{ "low", 0, 4, 4, DISRUPTOR_KIND_UNSIGNED },
	{ "high", 4, 4, 4, DISRUPTOR_KIND_UNSIGNED },
	{ "word", 0, 8, 8, DISRUPTOR_KIND_UNSIGNED },
	{ "next", 8, 8, 8, DISRUPTOR_KIND_UNSIGNED },
};
static const struct disruptor_type shared_type = {
	.name = "shared", .size = 16, .align = 8, .fields = shared_fields, .field_count = 4
};

static int pass(void *context, void *event, uint64_t position, int last)
{
	(void)context, (void)event, (void)position, (void)last;
	return DISRUPTOR_CONTINUE;
}

static struct disruptor *open_graph(const struct disruptor_type *type, unsigned flags)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor *d;

	options.flags = flags;
	assert_code(disruptor_create(&d, type, &options), 0);
	return d;
}

static struct disruptor_stage *add(struct disruptor *d, const char *name, const char *reads,
				   const char *writes)
{
	const struct disruptor_handler h = {
		.size = sizeof(h), .name = name, .on_event = pass, .reads = reads, .writes = writes
	};

	return disruptor_stage(d, &h);
}

/* What the start of two stages side by side says. */
static int side_by_side(const struct disruptor_type *type, unsigned flags, const char *reads_a,
			const char *writes_a, const char *reads_b, const char *writes_b)
{
	struct disruptor *d = open_graph(type, flags);
	int rc;

	assert_non_null(add(d, "first", reads_a, writes_a));
	assert_non_null(add(d, "second", reads_b, writes_b));
	rc = disruptor_start(d);
	if (rc != 0)
		assert_int_equal(disruptor_state(d), DISRUPTOR_INIT);
	graph_close(&d);
	return rc;
}

/* Both ways round. */
static int pair(const char *reads_a, const char *writes_a, const char *reads_b,
		const char *writes_b)
{
	int rc = side_by_side(&trade_type, 0, reads_a, writes_a, reads_b, writes_b);

	assert_code(side_by_side(&trade_type, 0, reads_b, writes_b, reads_a, writes_a), rc);
	return rc;
}

static int shared(const char *writes_a, const char *writes_b)
{
	int rc = side_by_side(&shared_type, 0, NULL, writes_a, NULL, writes_b);

	assert_code(side_by_side(&shared_type, 0, NULL, writes_b, NULL, writes_a), rc);
	return rc;
}

TEST(separate_fields_may_be_written_side_by_side)
{
	assert_code(pair("price", "value", "price, quantity", "tax"), 0);
	assert_code(pair(NULL, "price,quantity", NULL, " value , tax "), 0);
}

TEST(everybody_may_read_what_nobody_writes)
{
	assert_code(pair("*", NULL, "*", ""), 0);
	assert_code(pair("price", NULL, "price", NULL), 0);
	assert_code(pair("", "*", "", ""), 0); /* who touches nothing meets nobody */
}

TEST(two_writers_of_a_field_are_refused)
{
	assert_code(pair(NULL, "price, value", NULL, "value"), DISRUPTOR_E_CONFLICT);
	assert_detail("'first'");
	assert_detail("'second'");
	assert_detail("writes value");
	assert_detail("bytes 16 to 23");
	assert_code(pair(NULL, "*", NULL, "tax"), DISRUPTOR_E_CONFLICT);
}

TEST(writer_beside_a_reader_is_refused)
{
	assert_code(pair(NULL, "value", "value", NULL), DISRUPTOR_E_CONFLICT);
	assert_detail("writes value");
	assert_detail("reads value");
	assert_code(pair(NULL, "value", "*", NULL), DISRUPTOR_E_CONFLICT);
	assert_detail("the whole event");
}

/* It is the bytes that count. */
TEST(fields_that_share_bytes_are_one)
{
	assert_code(shared("low", "high"), 0);
	assert_code(shared("word", "next"), 0);
	assert_code(shared("low", "word"), DISRUPTOR_E_CONFLICT);
	assert_detail("bytes 0 to 3");
	assert_code(shared("word", "high"), DISRUPTOR_E_CONFLICT);
	assert_detail("bytes 4 to 7");
}

TEST(order_makes_it_right_also_through_others)
{
	struct disruptor *d = open_graph(&trade_type, 0);
	struct disruptor_stage *s[3];

	for (size_t i = 0; i < 3; i++) {
		s[i] = add(d, i == 0 ? "one" : i == 1 ? "two" : "three", NULL, "price");
		assert_non_null(s[i]);
	}
	assert_code(disruptor_start(d), DISRUPTOR_E_CONFLICT);
	assert_code(disruptor_after(s[1], s[0]), 0);
	assert_code(disruptor_start(d), DISRUPTOR_E_CONFLICT);
	assert_detail("'three'");
	assert_code(disruptor_after(s[2], s[1]), 0);
	assert_code(disruptor_start(d), 0);
	graph_close(&d);
}

TEST(undeclared_handler_touches_everything)
{
	assert_code(pair(NULL, NULL, NULL, NULL), DISRUPTOR_E_CONFLICT);
	assert_detail("DISRUPTOR_TRUST_HANDLERS");
	assert_code(pair(NULL, NULL, "price", NULL), DISRUPTOR_E_CONFLICT);
	assert_detail("declares neither");
	assert_code(pair(NULL, NULL, NULL, ""), 0);
}

TEST(trusted_handlers_are_not_checked_but_declared_ones_are)
{
	const unsigned trust = DISRUPTOR_TRUST_HANDLERS;

	assert_code(side_by_side(&trade_type, trust, NULL, NULL, NULL, NULL), 0);
	assert_code(side_by_side(&trade_type, trust, NULL, NULL, NULL, "price"), 0);
	assert_code(side_by_side(&trade_type, trust, NULL, "price", NULL, "price"),
		    DISRUPTOR_E_CONFLICT);
}

static void refused(const char *reads, const char *writes, const char *word)
{
	struct disruptor *d = open_graph(&trade_type, 0);

	assert_null(add(d, "wrong", reads, writes));
	assert_detail("'wrong'");
	assert_detail(reads ? "reads" : "writes");
	assert_detail(word);
	/* nothing of it has stayed */
	assert_non_null(add(d, "right", "price", NULL));
	assert_code(disruptor_start(d), 0);
	graph_close(&d);
}

TEST(names_that_are_no_fields_are_refused)
{
	refused("price, volume", NULL, "\"volume\" is no field of type 'trade'");
	refused(NULL, "pric", "pric");
	refused(NULL, "price, price", "twice");
	refused("price,", NULL, "list");
	refused(", price", NULL, "\"\"");
	refused("price quantity", NULL, "list");
	refused("*, price", NULL, "*");
}

TEST(bare_ring_knows_no_handlers)
{
	struct disruptor_options options = fixture_options(8);
	struct disruptor_ring *ring;

	options.flags = DISRUPTOR_TRUST_HANDLERS;
	assert_code(disruptor_ring_create(&ring, &trade_type, &options), DISRUPTOR_E_INVAL);
	assert_detail("flags");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(separate_fields_may_be_written_side_by_side),
		RUN(everybody_may_read_what_nobody_writes),
		RUN(two_writers_of_a_field_are_refused),
		RUN(writer_beside_a_reader_is_refused),
		RUN(fields_that_share_bytes_are_one),
		RUN(order_makes_it_right_also_through_others),
		RUN(undeclared_handler_touches_everything),
		RUN(trusted_handlers_are_not_checked_but_declared_ones_are),
		RUN(names_that_are_no_fields_are_refused),
		RUN(bare_ring_knows_no_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
