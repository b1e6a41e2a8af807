// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: the fault path when the link, the source or the image fails it. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "fake_link.h"
#include "pagewrite.h"

START_TEST(exists_already_is_woken)
{
	set_avoid(9);
	script.zero_result = -EEXIST;
	script.results = 1;
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.wakes, 1);
	ck_assert_uint_eq(clone_.stats.repeated, 1);
}
END_TEST

START_TEST(again_is_retried)
{
	set_avoid(9);
	script.zero_result = -EAGAIN;
	script.results = 5;
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.zeros, 6);
	ck_assert_uint_eq(script.wakes, 0);
}
END_TEST

START_TEST(again_for_ever_is_woken)
{
	set_avoid(9);
	script.zero_result = -EAGAIN;
	script.results = 1000000;
	ck_assert_int_eq(fault(9), 0);
	ck_assert_uint_eq(script.wakes, 1);
}
END_TEST

static void check_lost(int err)
{
	ck_assert_int_eq(clone_.lost, err);
	ck_assert_uint_eq(clone_.stats.errors, 1);
}

START_TEST(dead_vm_is_lost)
{
	set_avoid(9);
	script.zero_result = -ESRCH;
	script.results = 1;
	ck_assert_int_eq(fault(9), -ESRCH);
	check_lost(-ESRCH);
}
END_TEST

START_TEST(gone_source_gives_no_page)
{
	script.fetch_result = -ESRCH;
	ck_assert_int_eq(fault(9), -ESRCH);
	check_lost(-ESRCH);
	ck_assert_int_eq(image_state(&img, 9), PAGE_ABSENT);
	ck_assert_uint_eq(script.wakes + script.zeros + script.copies, 0);
}
END_TEST

START_TEST(broken_link_is_lost)
{
	script.nfaults = -ERANGE;
	ck_assert_int_eq(clone_serve(&clone_), -ERANGE);
	check_lost(-ERANGE);
}
END_TEST

/* A file that cannot be written to stands for a full one. */
static void make_full(void)
{
	ck_assert_int_eq(fcntl(img.file, F_ADD_SEALS, F_SEAL_WRITE), 0);
}

START_TEST(full_image_gives_private_copies)
{
	make_full();
	ck_assert_int_eq(fault(9), 0);
	ck_assert_int_eq(image_state(&img, 9), PAGE_ABSENT);
	ck_assert_uint_eq(script.copies, 1);
	ck_assert_uint_eq(script.wakes, 0);
	ck_assert_uint_eq(script.copied[0], 0x42);
	ck_assert_uint_eq(script.copied[4095], 0x42);
	ck_assert(img.full);
	ck_assert_uint_eq(clone_.stats.private_copies, 1);
	ck_assert_uint_eq(img.stats.nospace, 1);
}
END_TEST

START_TEST(full_image_reads_nothing_ahead)
{
	fault(1);
	fault(2);
	make_full();
	ck_assert_int_eq(fault(3), 0);
	ck_assert_uint_eq(script.copies, 1);
	ck_assert_int_eq(image_state(&img, 3), PAGE_ABSENT);
	ck_assert_int_eq(image_state(&img, 4), PAGE_ABSENT);
	script.fetch_result = -ESRCH;
	ck_assert_int_eq(fault(4), -ESRCH);
	check_lost(-ESRCH);
}
END_TEST

START_TEST(full_image_and_no_memory_is_lost)
{
	make_full();
	script.copy_result = -ENOMEM;
	script.results = 1;
	ck_assert_int_eq(fault(9), -ENOMEM);
	check_lost(-ENOMEM);
}
END_TEST

/* After a failed write nothing of it may be in the next one. */
START_TEST(writes_go_on_after_a_failure)
{
	static uint8_t a[PAGER_PAGE_SIZE] __attribute__((aligned(PAGER_PAGE_SIZE)));
	static uint8_t b[PAGER_PAGE_SIZE] __attribute__((aligned(PAGER_PAGE_SIZE)));
	int fd = memory_file(PAGER_PAGE_SIZE), sealed = img.file;
	uint8_t back[PAGER_PAGE_SIZE];

	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	make_full();
	for (int i = 0; i < 40; i++)
		ck_assert_int_lt(pagewrite(sealed, 0, a, 1), 0);
	ck_assert_int_eq(pagewrite(fd, 0, b, 1), 0);
	ck_assert_int_eq(pread(fd, back, sizeof(back), 0), PAGER_PAGE_SIZE);
	ck_assert_mem_eq(back, b, sizeof(b));
	close(fd);
}
END_TEST

START_TEST(present_page_that_is_not_there_is_lost)
{
	int err = 0;

	img.map[9] = PAGE_PRESENT;
	for (int i = 0; i < 2000 && !err; i++)
		err = fault(9);
	ck_assert_int_eq(err, -EUCLEAN);
}
END_TEST

START_TEST(counts_survive_a_restart)
{
	struct source source = { .ops = &source_ops };
	struct image again;
	int map = memory_file(NPAGES);
	uint8_t states[] = { PAGE_PRESENT, PAGE_ZERO, PAGE_PRESENT, 99 };

	ck_assert_int_eq(pwrite(map, states, sizeof(states), 0), sizeof(states));
	ck_assert_int_eq(image_init(&again, 7, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE),
				    map, NULL, &source), 0);
	ck_assert_uint_eq(again.stats.present, 2);
	ck_assert_uint_eq(again.stats.zero, 1);
	image_fini(&again);
}
END_TEST

START_TEST(short_files_are_refused)
{
	struct source source = { .ops = &source_ops };
	struct slots none = { .n = 0 };
	struct image i;
	struct avoid a;

	ck_assert_int_eq(image_init(&i, 7, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE - 1),
				    memory_file(NPAGES), NULL, &source), -EINVAL);
	ck_assert_int_eq(image_init(&i, 7, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE),
				    memory_file(NPAGES - 1), NULL, &source), -EINVAL);
	ck_assert_int_eq(avoid_init(&a, memory_file(100), 1, 100, &none), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		exists_already_is_woken, again_is_retried, again_for_ever_is_woken,
		dead_vm_is_lost, gone_source_gives_no_page, broken_link_is_lost,
		full_image_gives_private_copies, full_image_reads_nothing_ahead,
		full_image_and_no_memory_is_lost, writes_go_on_after_a_failure,
		present_page_that_is_not_there_is_lost, counts_survive_a_restart,
		short_files_are_refused,
	};
	Suite *s = suite_create("pager trouble");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, fake_setup, fake_teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
