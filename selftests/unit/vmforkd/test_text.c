// SPDX-License-Identifier: GPL-2.0-or-later
/* Pure functions on what users give: names, options, sizes, limits, configurations, requests; and on consoles. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "keeper.h"
#include "last_words.h"
#include "names.h"
#include "ops.h"
#include "options.h"
#include "policy.h"

static int parse_options(struct options *o, const char *a, const char *b, const char *c,
			 const char *d)
{
	char *argv[] = { (char *)"vmforkd", (char *)a, (char *)b, (char *)c, (char *)d, NULL };

	optind = 0;
	return options_parse(o, d ? 5 : 3, argv);
}

START_TEST(last_line_says)
{
	char panic[] = "[   12.3] Kernel panic - not syncing: no agent";
	char end[] = "[   12.4] ---[ end Kernel panic - not syncing: no agent ]---";
	char other[] = "[   12.5] reboot: machine restart", plain[] = "bye \x20", open[] = "[x";

	ck_assert_str_eq(last_words_of(panic), "no agent");
	ck_assert_str_eq(last_words_of(end), "no agent");
	ck_assert_str_eq(last_words_of(other), "reboot: machine restart");
	ck_assert_str_eq(last_words_of(plain), "bye");
	ck_assert_str_eq(last_words_of(open), "[x");
}
END_TEST

START_TEST(console_lines)
{
	char text[] = "cut off\r\n\n\x1b[31mred\xff\nunfinished";
	size_t pos = 0;

	ck_assert_str_eq(last_words_next(text, sizeof(text) - 1, &pos), "cut off ");
	ck_assert_str_eq(last_words_next(text, sizeof(text) - 1, &pos), "?[31mred?");
	ck_assert_ptr_null(last_words_next(text, sizeof(text) - 1, &pos));
	ck_assert_ptr_null(last_words_next(text, sizeof(text) - 1, &pos));
	pos = 0;
	ck_assert_ptr_null(last_words_next(text, 0, &pos));
}
END_TEST

/* nobody and daemon are on every Debian */
START_TEST(pager_user)
{
	struct options o;

	if (geteuid() != 0) {
		ck_assert_int_eq(parse_options(&o, "--pager-user", "nobody", NULL, NULL), -EINVAL);
		return;
	}
	ck_assert_int_eq(parse_options(&o, "--user", "daemon", NULL, NULL), 0);
	ck_assert_str_eq(o.pager_user, "nobody");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", NULL, NULL), 0);
	ck_assert_str_eq(o.pager_user, "nobody");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "daemon"), 0);
	ck_assert_str_eq(o.pager_user, "daemon");
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "root"), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--user", "nobody", "--pager-user", "no.one"), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--user", "root", NULL, NULL), -EINVAL);
}
END_TEST

START_TEST(fill_policies)
{
	struct options o;
	enum fill fill = FILL_NONE;

	ck_assert_int_eq(fill_parse("record", &fill), 0);
	ck_assert_int_eq(fill, FILL_RECORD);
	ck_assert_int_eq(fill_parse("all", &fill), 0);
	ck_assert_int_eq(fill, FILL_ALL);
	ck_assert_int_eq(fill_parse("none", &fill), 0);
	ck_assert_int_eq(fill, FILL_NONE);
	ck_assert_int_eq(fill_parse("", &fill), -EINVAL);
	ck_assert_int_eq(fill_parse("allx", &fill), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--fill", "some", NULL, NULL), -EINVAL);
	ck_assert_int_eq(parse_options(&o, "--fill-max", "8Q", NULL, NULL), -EINVAL);
	if (geteuid() == 0)
		ck_assert_int_eq(parse_options(&o, "--fill-max", "1M", "--user", "daemon"), 0);
	else
		ck_assert_int_eq(parse_options(&o, "--fill-max", "1M", NULL, NULL), 0);
	ck_assert_int_eq(o.fill, FILL_RECORD);
	ck_assert_uint_eq(o.fill_max, 1 << 20);
}
END_TEST

START_TEST(names)
{
	char buf[64], field[64] = "good";

	ck_assert(name_valid("a.b_c-9"));
	ck_assert(!name_valid(""));
	ck_assert(!name_valid(".a"));
	ck_assert(!name_valid("-a"));
	ck_assert(!name_valid("a/b"));
	ck_assert(!name_valid("a\n"));
	ck_assert(root_name_valid("Web"));
	ck_assert(!root_name_valid("9web"));
	ck_assert(!root_name_valid("@x"));
	ck_assert(!checkpoint_name_valid("a/b"));
	ck_assert(!checkpoint_name_valid("99999999999999999999"));
	ck_assert(checkpoint_name_valid("1.2"));
	ck_assert(name_field_valid(field, sizeof(field)));
	field[10] = 'x';
	ck_assert(!name_field_valid(field, sizeof(field)));
	ck_assert(!name_field_valid("123\0\0\0\0", 8));
	ck_assert_uint_eq(name_handle("120"), 120);
	ck_assert_uint_eq(name_handle("12a"), 0);
	ck_assert_uint_eq(name_handle("99999999999999999999"), 0);
	clone_name(buf, sizeof(buf), "web", 2, 3, 77);
	ck_assert_str_eq(buf, "web.2.3");
	memset(field, 'w', 63);
	field[63] = '\0';
	clone_name(buf, sizeof(buf), field, 2, 3, 77);
	ck_assert_str_eq(buf, "vm77");
}
END_TEST

START_TEST(policy)
{
	struct policy_input in = {
		.wanted = 8, .clones_max = 16, .clones_total = 100, .clone_bytes = 10,
		.memory_available = 1000,
	};
	unsigned int n = 0;
	char why[128];

	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_str_eq(why, "");
	in.clones_now = 95;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_ptr_nonnull(strstr(why, "--clones-total"));
	in.exact = true;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.exact = false;
	in.clones_now = 200;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.clones_now = 0;
	in.memory_max = 100;
	in.memory_used = 70;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_nonnull(strstr(why, "--memory-max"));
	in.memory_max = 0;
	in.memory_available = 9;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EDQUOT);
	in.wanted = 0;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EINVAL);
	in.wanted = 17;
	ck_assert_int_eq(policy_decide(&in, &n, why, sizeof(why)), -EINVAL);
}
END_TEST

START_TEST(sizes_of_options)
{
	uint64_t v;

	ck_assert_int_eq(parse_size("512M", &v), 0);
	ck_assert_uint_eq(v, 512ULL << 20);
	ck_assert_int_eq(parse_size("0", &v), 0);
	ck_assert_int_eq(parse_size("", &v), -EINVAL);
	ck_assert_int_eq(parse_size("-1", &v), -EINVAL);
	ck_assert_int_eq(parse_size("1GB", &v), -EINVAL);
	ck_assert_int_eq(parse_size("99999999T", &v), -EINVAL);
	ck_assert_int_eq(parse_size("99999999999999999999", &v), -EINVAL);
}
END_TEST

START_TEST(blobs)
{
	char blob[] = "qemu\0-x\0A=1", *argv[4], *envp[4];

	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 2, 1, argv, envp), 0);
	ck_assert_str_eq(argv[1], "-x");
	ck_assert_ptr_null(argv[2]);
	ck_assert_str_eq(envp[0], "A=1");
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 3, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 1, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob) - 1, 2, 1, argv, envp), -EINVAL);
	ck_assert_int_eq(spawn_unpack(blob, sizeof(blob), 0, 3, argv, envp), -EINVAL);
}
END_TEST

START_TEST(stored_descriptors)
{
	int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY), got;

	ck_assert_int_eq(store_put("vm1.x", a), 0);
	ck_assert_int_eq(store_put("vm12.x", b), 0);
	ck_assert_str_eq(store_get(1, &got), "vm12.x");
	store_drop("vm1.*");
	ck_assert_int_eq(fcntl(a, F_GETFD), -1);
	ck_assert_int_ge(fcntl(b, F_GETFD), 0);
	ck_assert_str_eq(store_get(0, &got), "vm12.x");
	store_drop("vm12.x");
	ck_assert_ptr_null(store_get(0, &got));
}
END_TEST

static int config(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	struct vm_config c;
	char why[256];
	int r = config_parse(o, &c, why, sizeof(why));

	json_decref(o);
	return r;
}

START_TEST(configs)
{
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\"}"), 0);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217729,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":\"1\",\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"1\",\"memory\":134217728,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728}"), -EINVAL);
	ck_assert_int_eq(config("{\"memory\":134217728,\"kernel\":\"/k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"k\"}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"x\":1}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"vcpus\":17}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"kernel\":\"/k\",\"net\":\"x\"}"),
			 -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,"
				"\"disks\":[{\"path\":\"/d\",\"format\":\"qcow2\"}]}"), 0);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,"
				"\"disks\":[{\"path\":\"/d\",\"format\":\"vmdk\"}]}"), -EINVAL);
	ck_assert_int_eq(config("{\"name\":\"a\",\"memory\":134217728,\"disks\":[7]}"), -EINVAL);
}
END_TEST

static int request(const char *text)
{
	struct request q = { 0 };
	char why[256];
	int r = request_parse(text, strlen(text), &q, why, sizeof(why));

	json_decref(q.json);
	return r;
}

START_TEST(requests)
{
	ck_assert_int_eq(request("{\"id\":7,\"op\":\"ps\"}"), 0);
	ck_assert_int_eq(request("{\"id\":\"7\",\"op\":\"ps\"}"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7}"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7,\"op\":1}"), -EINVAL);
	ck_assert_int_eq(request("[1]"), -EINVAL);
	ck_assert_int_eq(request("{\"id\":7,\"id\":8,\"op\":\"ps\"}"), -EINVAL);
	ck_assert_int_eq(request("{"), -EINVAL);
	ck_assert_int_eq(request(""), -EINVAL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-text");
	TCase *c = tcase_create("text");

	tcase_add_test(c, last_line_says);
	tcase_add_test(c, console_lines);
	tcase_add_test(c, pager_user);
	tcase_add_test(c, fill_policies);
	tcase_add_test(c, names);
	tcase_add_test(c, policy);
	tcase_add_test(c, sizes_of_options);
	tcase_add_test(c, blobs);
	tcase_add_test(c, stored_descriptors);
	tcase_add_test(c, configs);
	tcase_add_test(c, requests);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
