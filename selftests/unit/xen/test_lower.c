// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: a new image that begins with a lower one. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lower.h"
#include "pager_proto.h"

#define NPAGES 1200U

static int image, lower, lower_map;
static uint8_t presence[NPAGES], states[NPAGES];

static int memory_file(size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	return fd;
}

static void put(uint64_t page)
{
	uint8_t data[PAGER_PAGE_SIZE];

	memset(data, (int)(page % 251) + 1, sizeof(data));
	ck_assert_int_eq(pwrite(lower, data, sizeof(data), (off_t)(page * sizeof(data))),
			 sizeof(data));
	states[page] = PAGE_PRESENT;
}

static void setup(void)
{
	image = memory_file((size_t)NPAGES * PAGER_PAGE_SIZE);
	lower = memory_file((size_t)NPAGES * PAGER_PAGE_SIZE);
	lower_map = memory_file(NPAGES);
	memset(states, PAGE_ABSENT, sizeof(states));
}

static void teardown(void)
{
	close(image);
	close(lower);
	close(lower_map);
}

static int copy(void)
{
	ck_assert_int_eq(pwrite(lower_map, states, NPAGES, 0), NPAGES);
	return lower_copy(image, presence, NPAGES, lower, lower_map);
}

START_TEST(pages_and_map_are_copied)
{
	struct stat st;
	uint8_t byte;

	put(0);
	for (uint64_t page = 300; page < 900; page++)
		put(page);
	put(NPAGES - 1);
	states[7] = PAGE_ZERO;
	ck_assert_int_eq(copy(), 0);
	ck_assert_mem_eq(presence, states, NPAGES);
	for (uint64_t page = 0; page < NPAGES; page++) {
		ck_assert_int_eq(pread(image, &byte, 1, (off_t)(page * PAGER_PAGE_SIZE + 4095)), 1);
		ck_assert_uint_eq(byte, states[page] == PAGE_PRESENT ? page % 251 + 1 : 0);
	}
	ck_assert_int_eq(fstat(image, &st), 0);
	ck_assert_int_eq(st.st_blocks, 602 * 8);
}
END_TEST

START_TEST(nothing_is_there)
{
	ck_assert_int_eq(copy(), 0);
	ck_assert_mem_eq(presence, states, NPAGES);
}
END_TEST

START_TEST(a_short_image_is_an_error)
{
	put(NPAGES - 1);
	ck_assert_int_eq(ftruncate(lower, 4096), 0);
	ck_assert_int_eq(copy(), -EIO);
}
END_TEST

START_TEST(an_image_that_cannot_be_written_is_an_error)
{
	char path[64];

	put(3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	image = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_lt(copy(), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xen lower images");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, pages_and_map_are_copied);
	tcase_add_test(t, nothing_is_there);
	tcase_add_test(t, a_short_image_is_an_error);
	tcase_add_test(t, an_image_that_cannot_be_written_is_an_error);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
