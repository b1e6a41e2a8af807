// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: which faults are read ahead of. */
#include <check.h>
#include <stdlib.h>

#include "../run.h"
#include "ahead.h"
#include "source.h"

static struct ahead a;

static void setup(void)
{
	a = (struct ahead){ .clock = 0xfffffff0U };
}

/* A fault, and all that was worth it fetched. */
static unsigned int fault(uint64_t page)
{
	unsigned int n = ahead_window(&a, page);

	ahead_fetched(&a, page, n);
	return n;
}

/* A program that reads @n pages; Return: how many faults it took. */
static unsigned int reads(uint64_t page, unsigned int n)
{
	unsigned int faults = 0;
	uint64_t end = page + n;

	for (; page < end; faults++)
		page += fault(page);
	return faults;
}

START_TEST(grows_and_stays)
{
	static const unsigned int want[] = { 1, 1, 2, 4, 8, 8, 8 };
	uint64_t page = 1000;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_uint_eq(fault(page), want[i]);
		page += want[i];
	}
	ck_assert_uint_le(reads(page, 8000), 8000 / FETCH_MAX + 1);
}
END_TEST

START_TEST(no_order_no_ahead)
{
	for (uint64_t i = 1; i < 10000; i++)
		ck_assert_uint_eq(fault(i * 7919 % 10007 * 3), 1);
	for (uint64_t i = 10000; i; i--)
		ck_assert_uint_eq(fault(i), 1);
}
END_TEST

START_TEST(first_page_is_no_hit)
{
	ck_assert_uint_eq(fault(0), 1);
	ck_assert_uint_eq(fault(0), 1);
	ck_assert_uint_eq(fault(0), 1);
	ck_assert_uint_eq(fault(1), 1);
}
END_TEST

START_TEST(several_streams)
{
	for (uint64_t i = 0; i < 3; i++)
		for (uint64_t s = 1; s <= STREAMS; s++)
			ck_assert_uint_eq(fault(s * 1000 + i), i == 2 ? 2 : 1);
	for (uint64_t s = 1; s <= STREAMS; s++)
		ck_assert_uint_eq(fault(s * 1000 + 4), 4);
}
END_TEST

START_TEST(the_oldest_goes)
{
	reads(1000, 100);
	for (uint64_t s = 2; s < STREAMS + 2; s++)
		fault(s * 10000);
	ck_assert_uint_eq(fault(2 * 10000 + 1), 1);
	ck_assert_uint_eq(fault(2 * 10000 + 2), 2);
}
END_TEST

/* Not all that was worth it was absent. */
START_TEST(fetched_less)
{
	fault(10);
	fault(11);
	ck_assert_uint_eq(ahead_window(&a, 12), 2);
	ahead_fetched(&a, 12, 1);
	ck_assert_uint_eq(ahead_window(&a, 13), 4);
	ahead_fetched(&a, 13, 3);
	ck_assert_uint_eq(ahead_window(&a, 16), 8);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		grows_and_stays, no_order_no_ahead, first_page_is_no_hit, several_streams,
		the_oldest_goes, fetched_less,
	};
	Suite *s = suite_create("pager reading ahead");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, NULL);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
