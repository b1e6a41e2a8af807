// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: a clone that shares no pages with the image, as a Xen domain; over a scripted link. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clone.h"
#include "fill.h"
#include "image.h"

#define NPAGES	256U
#define NO_ROOM	7U	/* give() refuses this page if told so */

static struct script {
	struct fault fault;
	int nfaults;
	bool has[NPAGES];	/* the VM has the page */
	uint64_t order[NPAGES];	/* pages that came unasked */
	unsigned int given, woken, zeroed;
	bool no_room;
} script;

static struct image img;
static struct clone clone_;
static int avoid_fd;

static int s_read(struct vmlink *l, struct fault *faults)
{
	int n = script.nfaults;

	faults[0] = script.fault;
	script.nfaults = 0;
	return n;
}

static int s_wake(struct vmlink *l, uint64_t page, uint64_t npages)
{
	script.woken++;
	script.has[page] = true;
	return 0;
}

static int s_zero(struct vmlink *l, uint64_t page, unsigned int npages)
{
	script.zeroed++;
	script.has[page] = true;
	return 1;
}

static int s_copy(struct vmlink *l, uint64_t page, const void *data)
{
	return -EIO;
}

static int s_give(struct vmlink *l, uint64_t page)
{
	if (script.no_room && page == NO_ROOM)
		return -ENOSPC;
	if (script.has[page])
		return 0;
	script.has[page] = true;
	script.order[script.given++] = page;
	return 1;
}

static void s_close(struct vmlink *l)
{
}

static const struct vmlink_ops link_ops = {
	.read = s_read, .wake = s_wake, .zero = s_zero, .copy = s_copy, .give = s_give,
	.close = s_close,
};

static int memory_file(size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	return fd;
}

static void setup(void)
{
	const struct slots slots = { .n = 1, .slot = { { .npages = NPAGES } } };
	struct vmlink link = { .ops = &link_ops, .npages = NPAGES };
	struct source source;
	struct avoid avoid;

	memset(&script, 0, sizeof(script));
	source_none_init(&source);
	ck_assert_int_eq(image_init(&img, 1, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE),
				    memory_file(NPAGES), NULL, &source), 0);
	memset(img.map, PAGE_PRESENT, NPAGES / 2);
	memset(img.map + NPAGES / 2, PAGE_ZERO, NPAGES / 2);
	ck_assert_int_eq(record_init(&img.record, memory_file(4096), NPAGES), 0);
	avoid_fd = memory_file(4096);
	ck_assert_int_eq(avoid_init(&avoid, avoid_fd, 0, 4096, &slots), 0);
	clone_init(&clone_, 2, &img, &link, &avoid);
}

static void teardown(void)
{
	clone_fini(&clone_);
	image_fini(&img);
}

static void fault(uint64_t page)
{
	script.fault = (struct fault){ .page = page };
	script.nfaults = 1;
	ck_assert_int_eq(clone_serve(&clone_), 1);
	ck_assert(script.has[page]);
}

static void fill(uint64_t left, bool all)
{
	fill_begin(&img, left, all);
	fill_clone_begin(&clone_);
	while (fill_clone_step(&clone_))
		;
}

START_TEST(each_page_is_fetched_and_recorded)
{
	for (unsigned int i = 0; i < 2; i++) {
		fault(40);
		fault(20);
	}
	ck_assert_uint_eq(clone_.stats.fetched, 4);
	ck_assert_uint_eq(clone_.stats.shared, 0);
	ck_assert_uint_eq(script.woken, 4);
	ck_assert_uint_eq(script.given, 0);
	ck_assert_uint_eq(img.record.file->count, 2);
	ck_assert_uint_eq(img.record.file->entry[0], 40);
	ck_assert_uint_eq(img.record.file->entry[1], 20);
}
END_TEST

START_TEST(zeros_are_no_use_of_the_image)
{
	fault(NPAGES - 1);
	ck_assert_uint_eq(script.zeroed, 1);
	ck_assert_uint_eq(img.record.file->count, 0);
}
END_TEST

START_TEST(page_after_page_comes_with_what_is_behind)
{
	for (uint64_t page = 1; page < 100; page++) {
		if (!script.has[page])
			fault(page);
	}
	ck_assert_uint_gt(script.given, 50);
	ck_assert_uint_eq(clone_.stats.read_ahead, script.given);
	ck_assert_uint_eq(clone_.stats.fetched, img.record.file->count);
	ck_assert_uint_ge(clone_.stats.fetched, 99);
}
END_TEST

START_TEST(nothing_is_read_ahead_behind_the_data)
{
	uint8_t avoided = 0x0f;		/* pages 112 to 115 */

	ck_assert_int_eq(pwrite(avoid_fd, &avoided, 1, 112 / 8), 1);
	for (uint64_t page = 90; page < NPAGES; page++) {
		if (!script.has[page])
			fault(page);
	}
	for (unsigned int i = 0; i < script.given; i++)
		ck_assert(script.order[i] < 112 || (script.order[i] > 115 && script.order[i] < 128));
}
END_TEST

START_TEST(all_that_is_data_is_given)
{
	uint8_t avoided = 1;	/* page 8 */

	ck_assert_int_eq(pwrite(avoid_fd, &avoided, 1, 1), 1);
	script.has[3] = true;
	fill(UINT64_MAX, true);
	ck_assert_uint_eq(script.given, NPAGES / 2 - 2);
	ck_assert(!script.has[8]);
	ck_assert_uint_eq(img.stats.prefetched, script.given);
	ck_assert(!fill_clone_step(&clone_));
}
END_TEST

START_TEST(no_more_than_is_allowed)
{
	fill(10, true);
	ck_assert_uint_eq(script.given, 10);
}
END_TEST

START_TEST(no_room_ends_it)
{
	script.no_room = true;
	fill(UINT64_MAX, true);
	ck_assert_uint_eq(script.given, NO_ROOM);
	ck_assert_uint_eq(clone_.lost, 0);
	fault(NO_ROOM);
}
END_TEST

START_TEST(what_the_record_says_comes_first)
{
	int earlier = memory_file(4096);
	struct record r;

	ck_assert_int_eq(record_init(&r, dup(earlier), NPAGES), 0);
	for (uint64_t page = 99; page >= 60; page--)
		record_note(&r, page);
	record_note(&r, NPAGES - 2);
	record_fini(&r);
	record_seed(&img.record, earlier);
	close(earlier);
	fill(UINT64_MAX, false);
	for (uint64_t page = 0; page < NPAGES; page++)
		ck_assert(script.has[page] == (page >= 60 && page < 100 &&
					       !record_held_back(&img.record, page)));
}
END_TEST

/* The image is as good as it was for the next clone: it must be told what the first one asked for. */
START_TEST(what_siblings_asked_for_comes_too)
{
	fault(40);
	fault(20);
	memset(script.has, 0, sizeof(script.has));
	fill(UINT64_MAX, false);
	ck_assert_uint_eq(script.given, 2);
	ck_assert(script.has[20] && script.has[40]);
}
END_TEST

/* However quickly it asks, without a moment of the loop's own. */
START_TEST(each_fault_brings_some_of_the_record)
{
	for (uint64_t page = 0; page < 40; page += 2)
		fault(page);
	memset(script.has, 0, sizeof(script.has));
	fill_begin(&img, UINT64_MAX, false);
	fill_clone_begin(&clone_);
	fault(101);
	ck_assert_uint_eq(script.given, FETCH_MAX);
	fault(103);
	fault(105);
	ck_assert_uint_eq(script.given, 20);
	ck_assert_uint_eq(img.stats.prefetched, 20);
}
END_TEST

START_TEST(what_is_asked_for_later_is_not_given_back)
{
	fill_begin(&img, UINT64_MAX, false);
	fill_clone_begin(&clone_);
	fault(40);
	while (fill_clone_step(&clone_))
		;
	ck_assert_uint_eq(clone_.fill.entry, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_page_is_fetched_and_recorded, zeros_are_no_use_of_the_image,
		page_after_page_comes_with_what_is_behind, nothing_is_read_ahead_behind_the_data,
		all_that_is_data_is_given, no_more_than_is_allowed, no_room_ends_it,
		what_the_record_says_comes_first, what_siblings_asked_for_comes_too,
		each_fault_brings_some_of_the_record, what_is_asked_for_later_is_not_given_back,
	};
	Suite *s = suite_create("pager own pages");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
