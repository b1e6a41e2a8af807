// SPDX-License-Identifier: GPL-2.0-or-later
/* split_run(): a stream as libxl writes it, taken apart. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pager_proto.h"
#include "split.h"

#define NPAGES	16
#define PAGE	4096

static uint8_t stream[1 << 20], presence[NPAGES];
static size_t len;
static struct split s;

static void put(const void *p, size_t n)
{
	memcpy(stream + len, p, n);
	len += n;
}

static void record(uint32_t type, const void *body, uint32_t n)
{
	static const uint8_t zeros[8];
	uint32_t head[2] = { type, n };

	put(head, sizeof(head));
	put(body, n);
	put(zeros, -n & 7);
}

/* libxl's head, a record of its own, libxc's heads */
static void begin(void)
{
	static const uint8_t heads[40] = { 0xff };

	len = 0;
	put("LibxlFmt\0\0\0\2\0\0\0\0", 16);
	record(7, "12345", 5);
	record(1, "", 0);
	put(heads, sizeof(heads));
}

static void pages(const uint64_t *pfns, uint32_t n, const uint8_t *fill)
{
	static uint8_t body[8 + 8 * 8 + 8 * PAGE];
	uint32_t at = 8 + n * 8;

	memset(body, 0, sizeof(body));
	memcpy(body, &n, 4);
	memcpy(body + 8, pfns, n * 8);
	for (uint32_t i = 0; i < n; i++) {
		if (pfns[i] >> 60 >= 0xd)
			continue;
		memset(body + at, fill[i], PAGE);
		at += PAGE;
	}
	record(1, body, at);
}

static void end(void)
{
	record(0, "", 0);
	record(0, "", 0);
}

static int stopped_after;

static bool is_stopped(void *data)
{
	return stopped_after-- <= 0;
}

static uint64_t hold_from;
static int held, hold_result;

static int hold(void *data)
{
	held++;
	return hold_result;
}

static void run(void)
{
	int pipes[2];

	memset(presence, 0, sizeof(presence));
	s = (struct split){
		.presence = presence, .npages = NPAGES, .is_stopped = is_stopped,
		.hold_from = hold_from, .hold = hold, .image = memfd_create("image", 0), .out = memfd_create("out", 0),
	};
	pipes[0] = memfd_create("in", 0);
	ck_assert_int_eq(write(pipes[0], stream, len), (ssize_t)len);
	lseek(pipes[0], 0, SEEK_SET);
	ck_assert_int_eq(ftruncate(s.image, NPAGES * PAGE), 0);
	s.in = pipes[0];
	split_run(&s);
	ck_assert_int_eq(s.in, -1);
}

static uint8_t image_byte(uint64_t pfn)
{
	uint8_t b;

	ck_assert_int_eq(pread(s.image, &b, 1, (off_t)(pfn * PAGE + 77)), 1);
	return b;
}

START_TEST(apart)
{
	uint64_t first[] = { 3, 0xf0001, 5, 0xfULL << 60 | 6, 7 };
	uint64_t again[] = { 5, 7 };
	static const uint8_t zero_ones[] = { 1, 2, 3, 0, 0 }, second[] = { 9, 8 };
	static uint8_t out[64 << 10];
	ssize_t n;

	begin();
	pages(first, 5, zero_ones);
	pages(again, 2, second);
	record(9, "tail", 4);
	end();
	stopped_after = 3;
	run();
	ck_assert_int_eq(s.err, 0);
	ck_assert_int_eq(presence[3], PAGE_PRESENT);
	ck_assert_int_eq(presence[7], PAGE_PRESENT);
	ck_assert_int_eq(presence[6], PAGE_ABSENT);
	ck_assert_int_eq(image_byte(3), 1);
	ck_assert_int_eq(image_byte(5), 9);
	ck_assert_int_eq(image_byte(7), 8);
	ck_assert_uint_eq(s.copied, 5);
	ck_assert_uint_eq(s.copied_late, 2);
	/* what is left: all but 5 pages, their record of 2 and the type without a page */
	n = pread(s.out, out, sizeof(out), 0);
	ck_assert_int_eq(n, 16 + 16 + 8 + 40 + (8 + 8 + 8 + PAGE) + 16 + 8 + 8);
	ck_assert_int_eq(out[16 + 16 + 8 + 40 + 8 + 8 + 8], 2);
}
END_TEST

START_TEST(zero_page)
{
	uint64_t one[] = { 4 };

	begin();
	pages(one, 1, (const uint8_t[]){ 0 });
	end();
	run();
	ck_assert_int_eq(s.err, 0);
	ck_assert_int_eq(presence[4], PAGE_ZERO);
}
END_TEST

/* Pages in a row, with one missing, one that is zero, one that goes back, and one that stays in the stream. */
START_TEST(rows)
{
	uint64_t pfns[] = { 2, 3, 5, 6, 7, 0xf0001, 8, 4 };
	static const uint8_t fill[] = { 1, 2, 3, 0, 4, 9, 5, 6 };
	static const uint8_t want[] = { 1, 2, 6, 3, 0, 4, 5 };

	begin();
	pages(pfns, 8, fill);
	end();
	run();
	ck_assert_int_eq(s.err, 0);
	for (uint64_t pfn = 2; pfn <= 8; pfn++) {
		ck_assert_int_eq(presence[pfn], pfn == 6 ? PAGE_ZERO : PAGE_PRESENT);
		ck_assert_int_eq(image_byte(pfn), want[pfn - 2]);
	}
	ck_assert_int_eq(presence[9], PAGE_ABSENT);
	ck_assert_int_eq(image_byte(9), 0);
	ck_assert_uint_eq(s.copied, 7);
}
END_TEST

START_TEST(cut)
{
	size_t whole;

	begin();
	pages((const uint64_t[]){ 4 }, 1, (const uint8_t[]){ 1 });
	end();
	whole = len;
	for (len = 0; len < whole; len += 997) {
		run();
		ck_assert_int_lt(s.err, 0);
		close(s.image);
		close(s.out);
	}
}
END_TEST

START_TEST(lies)
{
	uint32_t n = 1025;
	uint8_t body[16] = { 0 };

	begin();
	memcpy(body, &n, 4);
	record(1, body, sizeof(body));
	end();
	run();
	ck_assert_int_eq(s.err, -EBADMSG);
	begin();
	n = 1;
	memcpy(body, &n, 4);
	record(1, body, sizeof(body));	/* says a page and brings none */
	end();
	run();
	ck_assert_int_eq(s.err, -EBADMSG);
}
END_TEST

/* Only before the pages that come after page 5, and once. */
START_TEST(held_once)
{
	begin();
	pages((const uint64_t[]){ 3, 5 }, 2, (const uint8_t[]){ 1, 2 });
	pages((const uint64_t[]){ 7 }, 1, (const uint8_t[]){ 3 });
	pages((const uint64_t[]){ 5, 8 }, 2, (const uint8_t[]){ 4, 5 });
	end();
	hold_from = 5;
	held = hold_result = 0;
	stopped_after = 100;
	run();
	ck_assert_int_eq(s.err, 0);
	ck_assert_int_eq(held, 1);
	ck_assert_uint_eq(s.copied_early, 2);
	ck_assert_uint_eq(s.copied, 5);
	ck_assert_int_eq(image_byte(5), 4);
	hold_result = -ECANCELED;
	run();
	ck_assert_int_eq(s.err, -ECANCELED);
	ck_assert_uint_eq(s.copied, 2);
	held = 0;
	hold_from = 9;
	run();
	ck_assert_int_eq(s.err, 0);
	ck_assert_int_eq(held, 0);
	hold_from = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xen-split");
	TCase *t = tcase_create("split");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_test(t, apart);
	tcase_add_test(t, zero_page);
	tcase_add_test(t, rows);
	tcase_add_test(t, cut);
	tcase_add_test(t, lies);
	tcase_add_test(t, held_once);
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
