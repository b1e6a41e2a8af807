// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes, tables, the config of a VM, and vmforkd's answers. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "answer.h"
#include "client.h"
#include "cloneconfig.h"
#include "size.h"
#include "table.h"
#include "vmconfig.h"

static const struct {
	const char *text;
	int err;
	uint64_t bytes;
} sizes[] = {
	{ "0", 0, 0 }, { "17", 0, 17 }, { "1K", 0, 1024 }, { "1k", 0, 1024 },
	{ "512M", 0, 512ULL << 20 }, { "2G", 0, 2ULL << 30 }, { "1T", 0, 1ULL << 40 },
	{ "18446744073709551615", 0, UINT64_MAX }, { "16777215T", 0, 16777215ULL << 40 },
	{ "18446744073709551616", -ERANGE, 0 }, { "16777216T", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "M", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 }, { "1MB", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1P", -EINVAL, 0 },
};

START_TEST(a_size_is_parsed_strictly)
{
	uint64_t bytes = 4711;

	ck_assert_int_eq(size_parse(sizes[_i].text, &bytes), sizes[_i].err);
	ck_assert_uint_eq(bytes, sizes[_i].err ? 4711 : sizes[_i].bytes);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} size_texts[] = {
	{ 0, "0" }, { 999, "999" }, { 1000, "1K" }, { 1024, "1K" }, { 1536, "1.5K" },
	{ 98 << 10, "98K" }, { 512ULL << 20, "512M" }, { 1023ULL << 20, "1G" },
	{ 3ULL << 29, "1.5G" }, { 1ULL << 50, "1024T" },
};

START_TEST(a_size_is_written_short)
{
	char text[SIZE_TEXT];

	ck_assert_str_eq(size_text(size_texts[_i].bytes, text), size_texts[_i].text);
}
END_TEST

START_TEST(a_number_has_its_range)
{
	uint64_t n = 7;

	ck_assert_int_eq(number_parse("0", 1, 16, &n), -EINVAL);
	ck_assert_int_eq(number_parse("17", 1, 16, &n), -EINVAL);
	ck_assert_int_eq(number_parse("4x", 1, 16, &n), -EINVAL);
	ck_assert_int_eq(number_parse("", 0, 16, &n), -EINVAL);
	ck_assert_uint_eq(n, 7);
	ck_assert_int_eq(number_parse("16", 1, 16, &n), 0);
	ck_assert_uint_eq(n, 16);
}
END_TEST

START_TEST(durations)
{
	char text[SIZE_TEXT];

	ck_assert_str_eq(duration_text(850, text), "850ms");
	ck_assert_str_eq(duration_text(12345, text), "12.3s");
	ck_assert_str_eq(duration_text(250000, text), "4m10s");
	ck_assert_str_eq(duration_text(11100000, text), "3h05m");
	ck_assert_str_eq(duration_text(198000000, text), "2d07h");
}
END_TEST

static char *printed(const struct table *t)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	table_print(t, f);
	fclose(f);
	return text;
}

START_TEST(a_table_is_aligned)
{
	struct table t;
	char *text;

	table_init(&t, "lrl", "NAME N LAST");
	table_add(&t, "a");
	table_add(&t, "%d", 12345);
	table_add(&t, "x");
	table_add(&t, "longer");
	table_add(&t, "%d", 1);
	table_add(&t, "%s", "");
	text = printed(&t);
	ck_assert_str_eq(text, "NAME        N  LAST\n"
			       "a       12345  x\n"
			       "longer      1  -\n");
	free(text);
	table_free(&t);
}
END_TEST

START_TEST(a_cell_cannot_steer_the_terminal)
{
	struct table t;
	char *text, cut[4];

	table_init(&t, "l", "A");
	table_add(&t, "%s", "\033[2J\n\302\233x");
	text = printed(&t);
	ck_assert_str_eq(text, "A\n?[2J???x\n");
	free(text);
	table_free(&t);
	text_clean(cut, sizeof(cut), "abcdef");
	ck_assert_str_eq(cut, "abc");
}
END_TEST

static const struct {
	const char *line;
	int err;
} answers[] = {
	{ "{\"id\": 7, \"ok\": true, \"result\": {}}", 0 },
	{ "{\"id\": 7, \"ok\": false, \"error\": {}}", 0 },
	{ "{\"id\": 7, \"ok\": false, \"error\": {\"message\": 3, \"errno\": []}}", 0 },
	{ "{\"id\": 8, \"ok\": true, \"result\": {}}", -EBADMSG },
	{ "{\"id\": \"7\", \"ok\": true, \"result\": {}}", -EBADMSG },
	{ "{\"id\": 7.0, \"ok\": true, \"result\": {}}", -EBADMSG },
	{ "{\"ok\": true, \"result\": {}}", -EBADMSG },
	{ "{\"id\": 7, \"result\": {}}", -EBADMSG },
	{ "{\"id\": 7, \"ok\": 1, \"result\": {}}", -EBADMSG },
	{ "{\"id\": 7, \"ok\": true}", -EBADMSG },
	{ "{\"id\": 7, \"ok\": true, \"result\": []}", -EBADMSG },
	{ "{\"id\": 7, \"ok\": false}", -EBADMSG },
	{ "{\"id\": 7, \"ok\": false, \"error\": \"no\"}", -EBADMSG },
	{ "[]", -EBADMSG },
};

START_TEST(an_answer_is_checked)
{
	json_t *line = json_loads(answers[_i].line, 0, NULL);
	struct answer a = { .name = "unset" };

	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(answer_check(line, 7, &a), answers[_i].err);
	if (answers[_i].err) {
		ck_assert_str_eq(a.name, "unset");
	} else if (!a.result) {
		ck_assert_str_eq(a.name, "");
		ck_assert_str_eq(a.message, "no reason given");
		ck_assert_str_eq(a.hint, "");
	}
	json_decref(line);
}
END_TEST

START_TEST(members_may_be_missing_or_odd)
{
	json_t *o = json_loads("{\"s\": 1, \"n\": \"x\", \"o\": [], \"a\": {}, \"h\": 12, "
			       "\"t\": \"13\", \"z\": 0, \"long\": \"1234567890123456789012345678\"}",
			       0, NULL);
	char text[HANDLE_TEXT];

	ck_assert_str_eq(get_text(o, "s"), "-");
	ck_assert_str_eq(get_text(NULL, "s"), "-");
	ck_assert_int_eq(get_int(o, "n"), 0);
	ck_assert(!has_number(o, "n"));
	ck_assert(!has_number(NULL, "n"));
	ck_assert_ptr_null(get_object(o, "o"));
	ck_assert_ptr_null(get_array(o, "a"));
	ck_assert_str_eq(get_handle(o, "h", text), "12");
	ck_assert_str_eq(get_handle(o, "t", text), "13");
	ck_assert_str_eq(get_handle(o, "z", text), "-");
	ck_assert_str_eq(get_handle(o, "none", text), "-");
	ck_assert_uint_eq(strlen(get_handle(o, "long", text)), HANDLE_TEXT - 1);
	json_decref(o);
}
END_TEST

START_TEST(a_vm_is_found_by_name_or_handle)
{
	json_t *o = json_loads("{\"vms\": [3, {}, {\"name\": \"web\", \"handle\": 5}]}", 0, NULL);

	ck_assert_ptr_nonnull(find_vm(o, "web"));
	ck_assert_ptr_eq(find_vm(o, "5"), find_vm(o, "web"));
	ck_assert_ptr_null(find_vm(o, "w"));
	ck_assert_ptr_null(find_vm(NULL, "web"));
	json_decref(o);
}
END_TEST

START_TEST(memory_is_a_multiple)
{
	json_t *config = json_object();
	char why[128] = "";

	ck_assert_int_eq(vmconfig_memory(config, "511M", why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "512M"));
	ck_assert_int_eq(vmconfig_memory(config, "0", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(vmconfig_memory(config, "x", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(vmconfig_memory(config, "18446744073709551615", why, sizeof(why)),
			 -EINVAL);
	ck_assert_uint_eq(json_object_size(config), 0);
	ck_assert_int_eq(vmconfig_memory(config, "512M", why, sizeof(why)), 0);
	ck_assert_int_eq(get_int(config, "memory"), 512 << 20);
	json_decref(config);
}
END_TEST

START_TEST(a_disk_has_a_path_and_a_format)
{
	json_t *config = json_object(), *disk;
	char why[256] = "";

	ck_assert_int_eq(vmconfig_disk(config, "/dev/null,format=vmdk", why, sizeof(why)),
			 -EINVAL);
	ck_assert_int_eq(vmconfig_disk(config, "/nonexistent/x", why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/x"));
	ck_assert_uint_eq(json_object_size(config), 0);
	ck_assert_int_eq(vmconfig_disk(config, "/dev/null", why, sizeof(why)), 0);
	ck_assert_int_eq(vmconfig_disk(config, "/dev/null,format=qcow2", why, sizeof(why)), 0);
	ck_assert_uint_eq(json_array_size(get_array(config, "disks")), 2);
	disk = json_array_get(get_array(config, "disks"), 0);
	ck_assert_str_eq(get_text(disk, "format"), "raw");
	disk = json_array_get(get_array(config, "disks"), 1);
	ck_assert_str_eq(get_text(disk, "path"), "/dev/null");
	ck_assert_str_eq(get_text(disk, "format"), "qcow2");
	json_decref(config);
}
END_TEST

static const struct {
	const char *text;
	int err;
	uint64_t seconds;
} times[] = {
	{ "1", 0, 1 }, { "90s", 0, 90 }, { "5m", 0, 300 }, { "2h", 0, 7200 }, { "1d", 0, 86400 },
	{ "4294967295", 0, UINT32_MAX }, { "4294967296", -EINVAL, 0 }, { "71582789m", -EINVAL, 0 },
	{ "0", -EINVAL, 0 }, { "", -EINVAL, 0 }, { "h", -EINVAL, 0 }, { "5mm", -EINVAL, 0 },
	{ "5w", -EINVAL, 0 }, { "-5", -EINVAL, 0 }, { "1.5h", -EINVAL, 0 },
};

START_TEST(a_time_is_parsed_strictly)
{
	uint64_t seconds = 0;

	ck_assert_int_eq(seconds_parse(times[_i].text, &seconds), times[_i].err);
	ck_assert_uint_eq(seconds, times[_i].seconds);
}
END_TEST

START_TEST(limits_have_their_ranges)
{
	json_t *limits = json_object();
	char why[256];

	ck_assert_int_eq(limit_set(limits, "lifetime", "2m", why, sizeof(why)), 0);
	ck_assert_int_eq(limit_set(limits, "memory-limit", "2G", why, sizeof(why)), 0);
	ck_assert_int_eq(limit_set(limits, "cpu-weight", "10000", why, sizeof(why)), 0);
	ck_assert_int_eq(get_int(limits, "lifetime_s"), 120);
	ck_assert_int_eq(get_int(limits, "memory_mib"), 2048);
	ck_assert_int_eq(get_int(limits, "cpu_weight"), 10000);
	ck_assert_int_eq(limit_set(limits, "memory-limit", "1023K", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(limit_set(limits, "cpu-weight", "10001", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(limit_set(limits, "lifetime", "soon", why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "soon"));
	json_decref(limits);
}
END_TEST

START_TEST(params_are_members)
{
	json_t *params = json_object();
	char why[256];

	ck_assert_int_eq(param_set(params, "k=v=w", why, sizeof(why)), 0);
	ck_assert_int_eq(param_set(params, "empty=", why, sizeof(why)), 0);
	ck_assert_str_eq(get_text(params, "k"), "v=w");
	ck_assert_str_eq(get_text(params, "empty"), "");
	ck_assert_int_eq(param_set(params, "k", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(param_set(params, "=v", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(param_set(params, "k=\xff", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(params_file(params, "/nonexistent", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(params_file(params, "/dev/null", why, sizeof(why)), -EINVAL);
	ck_assert_uint_eq(json_object_size(params), 2);
	json_decref(params);
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *suite = suite_create("vmforkctl");
	TCase *tc = tcase_create("vmforkctl");

	tcase_add_loop_test(tc, a_size_is_parsed_strictly, 0, ROWS(sizes));
	tcase_add_loop_test(tc, a_size_is_written_short, 0, ROWS(size_texts));
	tcase_add_test(tc, a_number_has_its_range);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, a_table_is_aligned);
	tcase_add_test(tc, a_cell_cannot_steer_the_terminal);
	tcase_add_loop_test(tc, an_answer_is_checked, 0, ROWS(answers));
	tcase_add_test(tc, members_may_be_missing_or_odd);
	tcase_add_test(tc, a_vm_is_found_by_name_or_handle);
	tcase_add_test(tc, memory_is_a_multiple);
	tcase_add_loop_test(tc, a_time_is_parsed_strictly, 0, ROWS(times));
	tcase_add_test(tc, limits_have_their_ranges);
	tcase_add_test(tc, params_are_members);
	tcase_add_test(tc, a_disk_has_a_path_and_a_format);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
