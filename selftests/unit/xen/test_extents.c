// SPDX-License-Identifier: GPL-2.0-or-later
/* extents_parse(): a guest's list of frames. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "extents.h"

#define LIMIT 0x8000

static uint64_t gfns[8];

START_TEST(good)
{
	ck_assert_int_eq(extents_parse("10+3 7fff+1 ", gfns, 4, LIMIT), 0);
	ck_assert_uint_eq(gfns[0], 0x10);
	ck_assert_uint_eq(gfns[2], 0x12);
	ck_assert_uint_eq(gfns[3], 0x7fff);
	ck_assert_int_eq(extents_parse("aB+1 ", gfns, 1, LIMIT), 0);
	ck_assert_uint_eq(gfns[0], 0xab);
}
END_TEST

static const char *const wrong[] = {
	"", " ", "10", "10+", "10+4", "+4 ", "10+0 10+4 ", "10+3 ", "10+5 ", "10+4 x", "10+4 1+1 ",
	"8000+4 ", "7ffd+4 ", "-1+4 ", "0x10+4 ", " 10+4 ", "10 +4 ", "10+ 4 ", "ffffffffffffffff+4 ",
	"ffffffffffffffffff+4 ", "10+fffffffffffffffc 1+4 ", "g+4 ",
};

START_TEST(bad)
{
	ck_assert_int_eq(extents_parse(wrong[_i], gfns, 4, LIMIT), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xen-extents");
	TCase *t = tcase_create("parse");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, good);
	tcase_add_loop_test(t, bad, 0, sizeof(wrong) / sizeof(*wrong));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
