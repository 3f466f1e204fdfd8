/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Codes, their names and texts, and the line of detail that each thread has for itself. */
#include "fixture.h"

#include <string.h>

static const struct {
	int code;
	const char *name;
} codes[] = {
#define ROW(name, value, text) { DISRUPTOR_##name, #name },
	DISRUPTOR_ERRORS(ROW)
#undef ROW
};

TEST(every_code_has_a_name_and_a_text_of_its_own)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		const char *text = disruptor_error_text(codes[i].code);

		assert_string_equal(disruptor_error_name(codes[i].code), codes[i].name);
		assert_true(strlen(text) > 0);
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(codes[i].code, codes[k].code);
			assert_string_not_equal(text, disruptor_error_text(codes[k].code));
		}
		assert_true(codes[i].code == 0 || codes[i].code < 0);
	}
	assert_int_equal(DISRUPTOR_OK, 0);
}

TEST(a_number_that_is_no_code_is_said_to_be_none)
{
	static const int none[] = { 1, 42, -1000, INT32_MAX, INT32_MIN };

	for (size_t i = 0; i < COUNT(none); i++) {
		assert_string_equal(disruptor_error_name(none[i]), "E_UNKNOWN");
		assert_true(strlen(disruptor_error_text(none[i])) > 0);
	}
}

static void fail_by(const char *name)
{
	struct disruptor_wait w;

	assert_code(disruptor_wait_parse(&w, name), DISRUPTOR_E_INVAL);
}

TEST(success_does_not_clear_the_detail_and_the_next_failure_replaces_it)
{
	struct fixture f;

	fail_by("first");
	assert_detail("first");
	fixture_open(&f, 4, 1);
	publish_ticks(&f.producer, 1);
	assert_detail("first");
	fixture_close(&f);
	fail_by("second");
	assert_detail("second");
	assert_null(strstr(disruptor_error_detail(), "first"));
}

TEST(a_long_detail_is_cut_and_ended)
{
	char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fail_by(name);
	assert_detail("nnnn");
	assert_true(strlen(disruptor_error_detail()) < 512);
}

struct other {
	char before[64], after[64];
};

static void fail_elsewhere(void *context)
{
	struct other *o = context;
	struct disruptor_wait w;

	strncpy(o->before, disruptor_error_detail(), sizeof(o->before) - 1);
	(void)!disruptor_wait_parse(&w, "elsewhere");
	strncpy(o->after, disruptor_error_detail(), sizeof(o->after) - 1);
}

TEST(each_thread_has_its_own_detail)
{
	struct other o = { { 0 }, { 0 } };
	struct runner t;

	fail_by("here");
	runner_start(&t, "a failure in another thread", fail_elsewhere, &o);
	runner_join(&t);
	assert_string_equal(o.before, "");
	assert_non_null(strstr(o.after, "elsewhere"));
	assert_detail("here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(every_code_has_a_name_and_a_text_of_its_own),
		RUN(a_number_that_is_no_code_is_said_to_be_none),
		RUN(success_does_not_clear_the_detail_and_the_next_failure_replaces_it),
		RUN(a_long_detail_is_cut_and_ended),
		RUN(each_thread_has_its_own_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
