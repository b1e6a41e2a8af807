// SPDX-License-Identifier: GPL-2.0-or-later
/* Line assembly, and exit statuses as one. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "output.h"
#include "summary.h"

static char *got;
static size_t got_len;
static unsigned int writes;
static int sink_error;

static int sink(void *data, const char *buf, size_t len)
{
	ck_assert_ptr_eq(data, &got);
	if (sink_error)
		return sink_error;
	got = realloc(got, got_len + len);
	memcpy(got + got_len, buf, len);
	got_len += len;
	writes++;
	return 0;
}

static void reset(void)
{
	free(got);
	got = NULL;
	got_len = 0;
	writes = 0;
	sink_error = 0;
}

static void is_output(const char *text)
{
	ck_assert_uint_eq(got_len, strlen(text));
	ck_assert_int_eq(got_len ? memcmp(got, text, got_len) : 0, 0);
}

static void feed(struct output_stream *s, const char *text)
{
	ck_assert_int_eq(output_bytes(s, text, strlen(text)), 0);
}

START_TEST(lines_are_whole_and_labelled)
{
	struct output_stream s;

	output_init(&s, 3, true, false, sink, &got);
	feed(&s, "on");
	is_output("");
	feed(&s, "e\ntwo\nth");
	is_output("3| one\n3| two\n");
	ck_assert_uint_eq(writes, 1);
	feed(&s, "ree");
	ck_assert_int_eq(output_end(&s), 0);
	is_output("3| one\n3| two\n3| three\n");
	output_free(&s);
}
END_TEST

START_TEST(every_split_gives_the_same)
{
	static const char text[] = "a\n\nbb\nccc";
	struct output_stream s;
	size_t cut;

	for (cut = 0; cut <= strlen(text); cut++) {
		reset();
		output_init(&s, 12, true, false, sink, &got);
		ck_assert_int_eq(output_bytes(&s, text, cut), 0);
		feed(&s, text + cut);
		ck_assert_int_eq(output_end(&s), 0);
		is_output("12| a\n12| \n12| bb\n12| ccc\n");
		output_free(&s);
	}
}
END_TEST

START_TEST(unlabelled_bytes_stay_as_they_are)
{
	static const char bytes[] = { 'a', 0, '\n', (char)0xff, '\r', 0 };
	struct output_stream s;

	output_init(&s, 1, false, false, sink, &got);
	ck_assert_int_eq(output_bytes(&s, bytes, sizeof(bytes)), 0);
	ck_assert_uint_eq(got_len, 3);
	ck_assert_int_eq(output_end(&s), 0);
	ck_assert_uint_eq(got_len, sizeof(bytes));
	ck_assert_int_eq(memcmp(got, bytes, sizeof(bytes)), 0);
	output_free(&s);
}
END_TEST

START_TEST(group_waits_for_the_end)
{
	struct output_stream s;

	output_init(&s, 2, true, true, sink, &got);
	feed(&s, "one\ntw");
	feed(&s, "o\n");
	is_output("");
	ck_assert_int_eq(output_end(&s), 0);
	is_output("2| one\n2| two\n");
	ck_assert_uint_eq(writes, 1);
	output_free(&s);
}
END_TEST

START_TEST(an_endless_line_is_cut)
{
	size_t len = OUTPUT_LINE_MAX + 5;
	char *big = malloc(len);
	struct output_stream s;

	memset(big, 'x', len);
	output_init(&s, 1, true, false, sink, &got);
	ck_assert_int_eq(output_bytes(&s, big, len), 0);
	ck_assert_uint_eq(got_len, OUTPUT_LINE_MAX + 4);
	ck_assert_int_eq(got[got_len - 1], '\n');
	ck_assert_int_eq(output_end(&s), 0);
	ck_assert_int_eq(memcmp(got + OUTPUT_LINE_MAX + 4, "1| xxxxx\n", 9), 0);
	output_free(&s);

	reset();
	output_init(&s, 1, false, false, sink, &got);
	ck_assert_int_eq(output_bytes(&s, big, len), 0);
	ck_assert_int_eq(output_end(&s), 0);
	ck_assert_uint_eq(got_len, len);
	output_free(&s);
	free(big);
}
END_TEST

START_TEST(nothing_is_nothing)
{
	struct output_stream s;

	output_init(&s, 1, true, false, sink, &got);
	ck_assert_int_eq(output_bytes(&s, "", 0), 0);
	ck_assert_int_eq(output_end(&s), 0);
	ck_assert_uint_eq(writes, 0);
	output_free(&s);
}
END_TEST

START_TEST(an_error_of_the_sink_comes_back)
{
	struct output_stream s;

	output_init(&s, 1, true, false, sink, &got);
	sink_error = -EPIPE;
	ck_assert_int_eq(output_bytes(&s, "x\n", 2), -EPIPE);
	sink_error = 0;
	ck_assert_int_eq(output_end(&s), 0);
	output_free(&s);
}
END_TEST

static const struct {
	struct clone_result result;
	int status;
} statuses[] = {
	{ { .reason = VMFORK_EXITED, .status = 0 }, 0 },
	{ { .reason = VMFORK_EXITED, .status = 3 }, 3 },
	{ { .reason = VMFORK_EXITED, .status = 255 }, 255 },
	{ { .reason = VMFORK_EXITED, .status = 256 + 4 }, 4 },
	{ { .reason = VMFORK_KILLED, .status = 0 }, 137 },
	{ { .reason = VMFORK_LOST, .status = EIO }, 125 },
	{ { .reason = VMFORK_EXPIRED }, 137 },
	{ { .reason = VMFORK_OUT_OF_MEMORY }, 137 },
	{ { .reason = VMFORK_UNIDENTIFIED, .status = EIO }, 125 },
	{ { .reason = VMFORK_KILLED, .timed_out = true }, 124 },
	{ { .reason = 0, .status = 0 }, 125 },
	{ { .reason = 99, .status = 0 }, 125 },
};

START_TEST(one_status)
{
	ck_assert_int_eq(result_status(&statuses[_i].result), statuses[_i].status);
}
END_TEST

START_TEST(the_highest_counts)
{
	struct clone_result r[3] = {
		{ .reason = VMFORK_EXITED, .status = 1 }, { .reason = VMFORK_KILLED },
		{ .reason = VMFORK_EXITED, .status = 2 },
	};

	ck_assert_int_eq(summary_fold(r, 0), 0);
	ck_assert_int_eq(summary_fold(r, 1), 1);
	ck_assert_int_eq(summary_fold(r, 3), 137);
	r[0].timed_out = true;
	ck_assert_int_eq(summary_fold(r, 3), 124);
}
END_TEST

START_TEST(the_summary_is_json)
{
	struct clone_result r[2] = {
		{ .reason = VMFORK_EXITED, .status = 1, .seconds = 0.5, .out_bytes = 7 },
		{ .reason = VMFORK_LOST, .status = EIO, .why = "its kernel panicked: \"x\"" },
	};
	char *sets[] = { "a \"b\" \\ \t \xc3\xa4", "\xff\xc0\x80\xed\xa0\x80" };
	struct summary s = {
		.requested = 3, .granted = 2, .family = UINT64_MAX, .status = 125, .clones = r,
		.n = 2, .sets = sets,
	};
	json_t *json, *first, *second;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_int_eq(summary_print(f, &s), 0);
	fclose(f);
	json = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert_int_eq(text[len - 1], '\n');
	ck_assert_int_eq(json_integer_value(json_object_get(json, "requested")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(json, "family")),
			 "18446744073709551615");
	ck_assert_uint_eq(json_array_size(json_object_get(json, "clones")), 2);
	first = json_array_get(json_object_get(json, "clones"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(first, "stdout_bytes")), 7);
	ck_assert_str_eq(json_string_value(json_object_get(first, "reason")), "exited");
	ck_assert_str_eq(json_string_value(json_object_get(first, "args")), sets[0]);
	ck_assert_ptr_null(json_object_get(first, "why"));
	second = json_array_get(json_object_get(json, "clones"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(second, "why")), r[1].why);
	/* six bytes that are no UTF-8: six times U+FFFD */
	ck_assert_uint_eq(strlen(json_string_value(json_object_get(second, "args"))), 18);
	json_decref(json);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wrapper");
	TCase *lines = tcase_create("output"), *ends = tcase_create("summary");

	tcase_add_checked_fixture(lines, reset, reset);
	tcase_add_test(lines, lines_are_whole_and_labelled);
	tcase_add_test(lines, every_split_gives_the_same);
	tcase_add_test(lines, unlabelled_bytes_stay_as_they_are);
	tcase_add_test(lines, group_waits_for_the_end);
	tcase_add_test(lines, an_endless_line_is_cut);
	tcase_add_test(lines, nothing_is_nothing);
	tcase_add_test(lines, an_error_of_the_sink_comes_back);
	tcase_add_loop_test(ends, one_status, 0, sizeof(statuses) / sizeof(statuses[0]));
	tcase_add_test(ends, the_highest_counts);
	tcase_add_test(ends, the_summary_is_json);
	suite_add_tcase(suite, lines);
	suite_add_tcase(suite, ends);
	return run_suite(suite);
}
