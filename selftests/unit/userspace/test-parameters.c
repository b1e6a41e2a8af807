// SPDX-License-Identifier: GPL-2.0-or-later
/* Parameters of clones: made in the parent, parsed in the clone. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "parameters.h"

static char *no_argv[] = { NULL };
static struct options o;

static void setup(void)
{
	o = (struct options){ .argv = no_argv };
}

START_TEST(nothing_is_nothing)
{
	char *text;

	ck_assert_int_eq(params_make(&o, &text), 0);
	ck_assert_ptr_null(text);
	o.from = "cp";
	ck_assert_int_eq(params_make(&o, &text), 0);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(pairs)
{
	char *text;

	o.param = (struct paths){ { "a=1", "b=x=y", "a=2" }, 3 };
	o.env = (struct paths){ { "E=\"q\"" }, 1 };
	ck_assert_int_eq(params_make(&o, &text), 0);
	ck_assert_str_eq(text, "{\"a\":\"2\",\"b\":\"x=y\",\"env\":{\"E\":\"\\\"q\\\"\"}}");
	free(text);
	o.param.path[0] = "=1";
	ck_assert_int_eq(params_make(&o, &text), STATUS_FAILED);
	o.param.path[0] = "a";
	ck_assert_int_eq(params_make(&o, &text), STATUS_FAILED);
	o.param.path[0] = "a=\xff";
	ck_assert_int_eq(params_make(&o, &text), STATUS_FAILED);
}
END_TEST

START_TEST(a_run_comes_back)
{
	char *argv[] = { "sh", "-c", "x y", NULL }, *text, **got = NULL;
	struct options back = { .put.n = 3 };

	o.from = "cp";
	o.argv = argv;
	o.use_stdin = true;
	o.get = (struct paths){ { "/a", "/b" }, 2 };
	o.keep = "k";
	ck_assert_int_eq(params_make(&o, &text), 0);
	ck_assert_int_eq(params_parse(text, strlen(text), &back, &got), 0);
	free(text);
	ck_assert(back.use_stdin);
	ck_assert_uint_eq(back.put.n, 0);
	ck_assert_uint_eq(back.get.n, 2);
	ck_assert_str_eq(back.get.path[1], "/b");
	ck_assert_str_eq(back.keep, "k");
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got[2], "x y");
	ck_assert_ptr_null(got[3]);
	free(got);
}
END_TEST

static const char *const wrong[] = {
	"", "x", "[]", "1", "{\"env\":1}", "{\"env\":{\"a\":1}}", "{\"env\":{\"\":\"x\"}}",
	"{\"env\":{\"a=b\":\"x\"}}", "{\"vmfork\":[]}", "{\"vmfork\":{\"argv\":[]}}",
	"{\"vmfork\":{\"argv\":[1]}}", "{\"vmfork\":{\"argv\":{}}}", "{\"vmfork\":{\"get\":\"x\"}}",
	"{\"a\":1,\"a\":2}",
};

START_TEST(wrong_is_refused)
{
	char **got = NULL;

	ck_assert_int_eq(params_parse(wrong[_i], strlen(wrong[_i]), &o, &got), -EINVAL);
	ck_assert_ptr_null(got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("params");
	TCase *t = tcase_create("params");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, nothing_is_nothing);
	tcase_add_test(t, pairs);
	tcase_add_test(t, a_run_comes_back);
	tcase_add_loop_test(t, wrong_is_refused, 0, sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
