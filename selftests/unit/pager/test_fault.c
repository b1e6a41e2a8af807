// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: states of a page, and the answers of the fault path, over a scripted link. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../run.h"
#include "clone.h"
#include "image.h"
#include "pagewrite.h"

/*
 * The link and the source are scripted, so that answers which a kernel gives once in a
 * year (-EAGAIN, -EEXIST, -ESRCH) are given here; file, map and bitmap are real.
 */
#define NPAGES 64U

static struct script {
	struct fault faults[VMLINK_BATCH];
	int nfaults;
	int zero_result, copy_result;	/* given @results times, then 0 */
	unsigned int results;
	unsigned int wakes, zeros, copies;
	uint64_t last_page;
	unsigned int last_npages;
	uint8_t copied[PAGER_PAGE_SIZE] __attribute__((aligned(8)));
	int fetch_result;
	uint8_t fetch_byte;
	unsigned int fetches, last_run;
} script;

static struct image img, upper;
static struct clone clone_;
static int avoid_fd;

static int s_read(struct vmlink *l, struct fault *faults)
{
	int n = script.nfaults;

	if (n > 0)
		memcpy(faults, script.faults, (size_t)n * sizeof(*faults));
	script.nfaults = 0;
	return n;
}

static int s_wake(struct vmlink *l, uint64_t page, uint64_t npages)
{
	script.wakes++;
	script.last_page = page;
	return 0;
}

static int private_result(int result)
{
	if (!script.results)
		return 0;
	script.results--;
	return result;
}

static int s_zero(struct vmlink *l, uint64_t page, unsigned int npages)
{
	int r = private_result(script.zero_result);

	script.zeros++;
	script.last_page = page;
	script.last_npages = npages;
	return r ? r : (int)npages;
}

static int s_copy(struct vmlink *l, uint64_t page, const void *data)
{
	script.copies++;
	memcpy(script.copied, data, PAGER_PAGE_SIZE);
	return private_result(script.copy_result);
}

static void s_close(struct vmlink *l)
{
}

static const struct vmlink_ops link_ops = {
	.read = s_read, .wake = s_wake, .zero = s_zero, .copy = s_copy, .close = s_close,
};

static int s_fetch(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
		   uint8_t *results)
{
	script.fetches++;
	script.last_run = n;
	if (script.fetch_result < 0)
		return script.fetch_result;
	if (script.fetch_result == FETCH_DATA)
		memset(buf, script.fetch_byte, n * PAGER_PAGE_SIZE);
	memset(results, script.fetch_result, n);
	return 0;
}

static int always_lower(const struct source *s, uint64_t page, unsigned int n, uint8_t *buf,
			uint8_t *results)
{
	memset(results, FETCH_LOWER, n);
	return 0;
}

static void s_source_close(struct source *s)
{
}

static const struct source_ops source_ops = { .fetch = s_fetch, .close = s_source_close };
static const struct source_ops lower_ops = { .fetch = always_lower, .close = s_source_close };

static int memory_file(size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	return fd;
}

static void make_image(struct image *i, uint64_t handle, struct image *lower,
		       const struct source_ops *ops)
{
	struct source source = { .ops = ops };

	ck_assert_int_eq(image_init(i, handle, NPAGES, memory_file(NPAGES * PAGER_PAGE_SIZE),
				    memory_file(NPAGES), lower, &source), 0);
}

static void setup(void)
{
	const struct slots slots = { .n = 1, .slot = { { .npages = NPAGES } } };
	struct vmlink link = { .ops = &link_ops, .npages = NPAGES };
	struct avoid avoid;

	memset(&script, 0, sizeof(script));
	script.fetch_byte = 0x42;
	ck_assert_int_eq(pagewrite_init(), 0);
	make_image(&img, 1, NULL, &source_ops);
	avoid_fd = memory_file(4096);
	ck_assert_int_eq(avoid_init(&avoid, avoid_fd, 0, 4096, &slots), 0);
	clone_init(&clone_, 2, &img, &link, &avoid);
}

static void teardown(void)
{
	clone_fini(&clone_);
	ck_assert_uint_eq(img.users, 0);
	image_fini(&img);
}

/* 0: answered */
static int fault(uint64_t page)
{
	int n;

	script.faults[0] = (struct fault){ .page = page };
	script.nfaults = 1;
	n = clone_serve(&clone_);
	return n == 1 ? 0 : n;
}

static void set_avoid(uint64_t page)
{
	uint8_t byte;

	ck_assert_int_eq(pread(avoid_fd, &byte, 1, (off_t)page / 8), 1);
	byte |= (uint8_t)(1 << page % 8);
	ck_assert_int_eq(pwrite(avoid_fd, &byte, 1, (off_t)page / 8), 1);
}

static uint8_t file_byte(const struct image *i, uint64_t page)
{
	uint8_t b;

	ck_assert_int_eq(pread(i->file, &b, 1, (off_t)(page * PAGER_PAGE_SIZE + 4095)), 1);
	return b;
}

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
		absent_becomes_present, absent_becomes_zero, avoided_leaves_the_image,
		present_wins_over_avoid, rubbish_in_the_map_is_absent, exists_already_is_woken,
		again_is_retried, again_for_ever_is_woken, dead_vm_is_lost, gone_source_gives_no_page,
		broken_link_is_lost, full_image_gives_private_copies, full_image_and_no_memory_is_lost,
		writes_go_on_after_a_failure, present_page_that_is_not_there_is_lost,
		a_batch_is_answered_whole, lower_image_is_asked, counts_survive_a_restart,
		page_after_page_is_read_ahead, zeros_are_read_ahead, full_image_reads_nothing_ahead,
		zeros_in_runs, avoided_is_counted_by_kind, poison_instead_of_zeros,
		true_zeros_are_not_poisoned,
		short_files_are_refused, each_byte_counts_for_zero, written_but_not_noted,
	};
	Suite *s = suite_create("pager faults");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
