// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: states of a page, and the answers of the fault path. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "fake_link.h"
#include "pagewrite.h"

START_TEST(absent_becomes_present)
{
	ck_assert_int_eq(fault(3), 0);
	ck_assert_int_eq(image_state(&img, 3), PAGE_PRESENT);
	ck_assert_uint_eq(file_byte(&img, 3), 0x42);
	ck_assert_uint_eq(script.wakes, 1);
	ck_assert_uint_eq(script.zeros + script.copies, 0);
	ck_assert_int_eq(fault(3), 0);
	ck_assert_uint_eq(script.fetches, 1);
	ck_assert_uint_eq(script.wakes, 2);
	ck_assert_uint_eq(clone_.stats.fetched, 1);
	ck_assert_uint_eq(clone_.stats.shared, 1);
}
END_TEST

/* An earlier pager was killed after it had written the page, before it noted it. */
START_TEST(written_but_not_noted)
{
	ck_assert_int_eq(fault(3), 0);
	img.map[3] = PAGE_ABSENT;
	ck_assert_int_eq(fault(3), 0);
	ck_assert_uint_eq(script.fetches, 2);
	ck_assert_int_eq(image_state(&img, 3), PAGE_PRESENT);
	ck_assert_uint_eq(file_byte(&img, 3), 0x42);
	ck_assert_int_eq(fault(3), 0);
	ck_assert_uint_eq(script.fetches, 2);
}
END_TEST

START_TEST(absent_becomes_zero)
{
	script.fetch_byte = 0;
	ck_assert_int_eq(fault(3), 0);
	ck_assert_int_eq(image_state(&img, 3), PAGE_ZERO);
	script.fetch_result = FETCH_ZERO;
	ck_assert_int_eq(fault(4), 0);
	ck_assert_int_eq(image_state(&img, 4), PAGE_ZERO);
	ck_assert_int_eq(fault(3), 0);
	ck_assert_uint_eq(script.fetches, 2);
	ck_assert_uint_eq(script.zeros, 3);
	ck_assert_uint_eq(script.wakes, 0);
	ck_assert_int_eq(lseek(img.file, 0, SEEK_DATA), -1);
}
END_TEST

START_TEST(avoided_leaves_the_image)
{
	set_avoid(9);
	ck_assert_int_eq(fault(9), 0);
	ck_assert_int_eq(image_state(&img, 9), PAGE_ABSENT);
	ck_assert_uint_eq(script.zeros, 1);
	ck_assert_uint_eq(script.fetches, 0);
	ck_assert_uint_eq(clone_.stats.avoided, 1);
	ck_assert_int_eq(fault(8), 0);
	ck_assert_int_eq(fault(10), 0);
	ck_assert_uint_eq(script.fetches, 2);
}
END_TEST

START_TEST(avoided_is_counted_by_kind)
{
	set_avoid(9);
	script.faults[0] = (struct fault){ .page = 9, .write = true };
	script.nfaults = 1;
	ck_assert_int_eq(clone_serve(&clone_), 1);
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(clone_.stats.avoided, 2);
	ck_assert_uint_eq(clone_.stats.avoided_write, 1);
	ck_assert_uint_eq(clone_.stats.poisoned, 0);
}
END_TEST

START_TEST(poison_instead_of_zeros)
{
	const struct pager_poison *p = (const void *)script.copied;

	clone_.poison = true;
	set_avoid(9);
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.copies, 1);
	for (size_t i = 0; i < sizeof(script.copied) / sizeof(*p); i++)
		ck_assert(p[i].magic == PAGER_POISON_MAGIC && p[i].gfn == 9);
	ck_assert_int_eq(image_state(&img, 9), PAGE_ABSENT);
	ck_assert_uint_eq(clone_.stats.avoided, 1);
	ck_assert_uint_eq(clone_.stats.poisoned, 1);
	ck_assert_uint_eq(clone_.stats.fetched, 0);
	ck_assert_int_eq(lseek(img.file, 0, SEEK_DATA), -1);
}
END_TEST

START_TEST(true_zeros_are_not_poisoned)
{
	clone_.poison = true;
	set_avoid(9);
	script.fetch_byte = 0;
	ck_assert_int_eq(fault(9), 0);
	script.fetch_result = FETCH_ZERO;
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.zeros, 2);
	ck_assert_uint_eq(clone_.stats.poisoned, 0);
	ck_assert_int_eq(image_state(&img, 9), PAGE_ABSENT);
	script.fetch_result = -ESRCH;
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(clone_.stats.poisoned, 1);
	ck_assert_int_eq(clone_.lost, 0);
}
END_TEST

static unsigned int zeros_given(uint64_t page)
{
	script.last_npages = 0;
	ck_assert_int_eq(fault(page), 0);
	ck_assert(!script.last_npages || script.last_page == page);
	return script.last_npages;
}

/* Up to a page that is cared for, one that is in the image, or the end. */
START_TEST(zeros_in_runs)
{
	for (uint64_t page = 9; page < 21; page++)
		set_avoid(page);
	for (uint64_t page = 60; page < 70; page++)
		set_avoid(page);
	ck_assert_uint_eq(zeros_given(9), 12);
	ck_assert_uint_eq(clone_.stats.zeroed_ahead, 11);
	ck_assert_uint_eq(zeros_given(20), 1);
	ck_assert_uint_eq(zeros_given(60), NPAGES - 60);
	img.map[15] = PAGE_PRESENT;
	ck_assert_uint_eq(zeros_given(9), 6);
	img.map[10] = PAGE_ZERO;
	ck_assert_uint_eq(zeros_given(9), 6);
	clone_.poison = true;
	script.fetch_byte = 0;
	ck_assert_uint_eq(zeros_given(9), 1);
	for (uint64_t page = 30; page < NPAGES; page++)
		img.map[page] = PAGE_ZERO;
	ck_assert_uint_eq(zeros_given(40), NPAGES - 40);
	img.map[50] = PAGE_ABSENT;
	ck_assert_uint_eq(zeros_given(40), 10);
}
END_TEST

START_TEST(present_wins_over_avoid)
{
	ck_assert_int_eq(fault(9), 0);
	set_avoid(9);
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.zeros, 0);
	ck_assert_uint_eq(clone_.stats.shared, 1);
}
END_TEST

START_TEST(rubbish_in_the_map_is_absent)
{
	img.map[5] = 200;
	ck_assert_int_eq(image_state(&img, 5), PAGE_ABSENT);
	ck_assert_int_eq(fault(5), 0);
	ck_assert_int_eq(image_state(&img, 5), PAGE_PRESENT);
}
END_TEST

static unsigned int fetched_for(uint64_t page)
{
	script.last_run = 0;
	ck_assert_int_eq(fault(page), 0);
	ck_assert_int_ne(image_state(&img, page), PAGE_ABSENT);
	return script.last_run;
}

START_TEST(page_after_page_is_read_ahead)
{
	ck_assert_uint_eq(fetched_for(1), 1);
	ck_assert_uint_eq(fetched_for(2), 1);
	ck_assert_uint_eq(fetched_for(3), 2);
	ck_assert_uint_eq(fetched_for(5), 4);
	ck_assert_uint_eq(fetched_for(9), 8);
	for (uint64_t page = 1; page < 17; page++)
		ck_assert_uint_eq(file_byte(&img, page), 0x42);
	ck_assert_int_eq(image_state(&img, 17), PAGE_ABSENT);
	ck_assert_uint_eq(clone_.stats.fetched, 16);
	ck_assert_uint_eq(clone_.stats.read_ahead, 11);
	ck_assert_uint_eq(script.wakes, 5);
	set_avoid(20);
	ck_assert_uint_eq(fetched_for(17), 3);
	ck_assert_int_eq(image_state(&img, 20), PAGE_ABSENT);
	img.map[26] = PAGE_ZERO;
	ck_assert_uint_eq(fetched_for(21), 1);	/* not expected: begins again */
}
END_TEST

START_TEST(zeros_are_read_ahead)
{
	fault(1);
	fault(2);
	script.fetch_byte = 0;
	ck_assert_uint_eq(fetched_for(3), 2);
	ck_assert_int_eq(image_state(&img, 4), PAGE_ZERO);
	ck_assert_uint_eq(script.last_npages, 2);
	ck_assert_uint_eq(clone_.stats.zero, 1);
	ck_assert_uint_eq(clone_.stats.fetched, 2);
	ck_assert_uint_eq(clone_.stats.read_ahead, 0);
	ck_assert_int_eq(lseek(img.file, 3 * PAGER_PAGE_SIZE, SEEK_DATA), -1);
}
END_TEST

START_TEST(a_batch_is_answered_whole)
{
	for (unsigned int i = 0; i < VMLINK_BATCH; i++)
		script.faults[i] = (struct fault){ .page = i, .write = i & 1 };
	script.nfaults = VMLINK_BATCH;
	ck_assert_int_eq(clone_serve(&clone_), VMLINK_BATCH);
	ck_assert_uint_eq(script.wakes, VMLINK_BATCH);
	ck_assert_uint_eq(clone_.stats.write_faults, VMLINK_BATCH / 2);
	ck_assert_uint_eq(img.stats.present, VMLINK_BATCH);
}
END_TEST

START_TEST(lower_image_is_asked)
{
	uint8_t buf[PAGER_PAGE_SIZE] __attribute__((aligned(8)));

	make_image(&upper, 3, &img, &lower_ops);
	ck_assert_uint_eq(img.users, 2);
	ck_assert_int_eq(fault(1), 0);
	script.fetch_byte = 0;
	ck_assert_int_eq(fault(2), 0);
	script.fetch_byte = 0x77;
	script.fetches = 0;
	ck_assert_int_eq(image_fetch(&upper, 1, buf), FETCH_DATA);
	ck_assert_uint_eq(buf[100], 0x42);
	ck_assert_int_eq(image_fetch(&upper, 2, buf), FETCH_ZERO);
	ck_assert_uint_eq(script.fetches, 0);
	ck_assert_int_eq(image_fetch(&upper, 3, buf), FETCH_DATA);
	ck_assert_uint_eq(buf[100], 0x77);
	ck_assert_int_eq(image_state(&img, 3), PAGE_ABSENT);
	script.fetch_result = -ESRCH;
	ck_assert_int_eq(image_fetch(&upper, 4, buf), -ESRCH);
	image_fini(&upper);
}
END_TEST

START_TEST(each_byte_counts_for_zero)
{
	static uint8_t page[PAGER_PAGE_SIZE] __attribute__((aligned(8)));

	ck_assert(page_is_zero(page));
	for (size_t i = 0; i < sizeof(page); i++) {
		page[i] = 1;
		ck_assert(!page_is_zero(page));
		page[i] = 0;
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		absent_becomes_present, written_but_not_noted, absent_becomes_zero,
		avoided_leaves_the_image, avoided_is_counted_by_kind, poison_instead_of_zeros,
		true_zeros_are_not_poisoned, zeros_in_runs, present_wins_over_avoid,
		rubbish_in_the_map_is_absent, page_after_page_is_read_ahead,
		zeros_are_read_ahead, a_batch_is_answered_whole, lower_image_is_asked,
		each_byte_counts_for_zero,
	};
	Suite *s = suite_create("pager faults");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, fake_setup, fake_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
