// SPDX-License-Identifier: GPL-2.0-or-later
/* pvh_ram.h: where a PVH domain's RAM is. */
#include <check.h>
#include <stdlib.h>

#include "pvh_ram.h"

#define MIB	(1ULL << 20)
#define HIGH	0x100000U

START_TEST(one_piece)
{
	struct pager_slot s[PAGER_SLOTS_MAX] = { 0 };

	ck_assert_uint_eq(pvh_pages(512 * MIB), 131072);
	ck_assert_uint_eq(pvh_slots(512 * MIB, s), 1);
	ck_assert_uint_eq(s[0].gfn, 0);
	ck_assert_uint_eq(s[0].npages, 131072);
	/* as much as there is room for */
	ck_assert_uint_eq(pvh_pages(4032 * MIB), 0xfc000);
	ck_assert_uint_eq(pvh_slots(4032 * MIB, s), 1);
}
END_TEST

START_TEST(two_pieces)
{
	struct pager_slot s[PAGER_SLOTS_MAX] = { 0 };

	ck_assert_uint_eq(pvh_pages(4034 * MIB), HIGH + 512);
	ck_assert_uint_eq(pvh_slots(4034 * MIB, s), 2);
	ck_assert_uint_eq(s[0].npages, 0xfc000);
	ck_assert_uint_eq(s[1].gfn, HIGH);
	ck_assert_uint_eq(s[1].page, HIGH);
	ck_assert_uint_eq(s[1].npages, 512);
	/* no page is lost */
	ck_assert_uint_eq(pvh_slots(8192 * MIB, s), 2);
	ck_assert_uint_eq(s[0].npages + s[1].npages, 8192 * MIB / PAGER_PAGE_SIZE);
}
END_TEST

START_TEST(hole)
{
	ck_assert_int_eq(pvh_has_ram(0), true);
	ck_assert_int_eq(pvh_has_ram(0xfbfff), true);
	ck_assert_int_eq(pvh_has_ram(0xfc000), false);
	ck_assert_int_eq(pvh_has_ram(0xfefff), false);	/* Xen's own pages */
	ck_assert_int_eq(pvh_has_ram(HIGH - 1), false);
	ck_assert_int_eq(pvh_has_ram(HIGH), true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xen-pvh-ram");
	TCase *c = tcase_create("ram");
	SRunner *runner;
	int failed;

	tcase_add_test(c, one_piece);
	tcase_add_test(c, two_pieces);
	tcase_add_test(c, hole);
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
