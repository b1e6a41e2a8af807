// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: records, and what a pager makes of one that another has left. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../run.h"
#include "record.h"

#define NPAGES	1000U
#define ROOM	200U

static struct record rec;
static int file;

static int record_file(size_t entries)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)(sizeof(struct pager_record) +
					       entries * sizeof(uint32_t))), 0);
	return fd;
}

static void setup(void)
{
	file = record_file(ROOM);
	ck_assert_int_eq(record_init(&rec, dup(file), NPAGES), 0);
}

static void teardown(void)
{
	record_fini(&rec);
	close(file);
}

/* Another pager gets the same file. */
static void restart(void)
{
	record_fini(&rec);
	ck_assert_int_eq(record_init(&rec, dup(file), NPAGES), 0);
}

static void note(uint32_t from, uint32_t to)
{
	for (uint32_t page = from; page < to; page++)
		record_note(&rec, page);
}

/* What would be filled: how many pages, and their sum. */
static unsigned int fillable(uint64_t *ret_sum)
{
	uint32_t at = 0;
	unsigned int n = 0;
	uint64_t page;

	*ret_sum = 0;
	while ((page = record_next(&rec, &at, record_seeded(&rec))) != UINT64_MAX) {
		*ret_sum += page;
		n++;
	}
	return n;
}

static unsigned int held_back(void)
{
	unsigned int n = 0;

	for (uint64_t page = 0; page < NPAGES; page++)
		n += record_held_back(&rec, page);
	return n;
}

START_TEST(order_and_once)
{
	record_note(&rec, 7);
	record_note(&rec, 3);
	record_note(&rec, 7);
	record_note(&rec, NPAGES - 1);
	ck_assert_uint_eq(rec.file->count, 3);
	ck_assert_uint_eq(rec.file->entry[0], 7);
	ck_assert_uint_eq(rec.file->entry[1], 3);
	ck_assert_uint_eq(rec.file->entry[2], NPAGES - 1);
	restart();
	record_note(&rec, 3);
	record_note(&rec, 4);
	ck_assert_uint_eq(rec.file->count, 4);
}
END_TEST

START_TEST(bounded)
{
	note(0, NPAGES);
	ck_assert_uint_eq(rec.file->count, ROOM);
	restart();
	record_note(&rec, NPAGES - 1);
	ck_assert_uint_eq(rec.file->count, ROOM);
}
END_TEST

START_TEST(own_entries_are_not_filled)
{
	uint64_t sum;

	note(0, 10);
	ck_assert_uint_eq(fillable(&sum), 0);
}
END_TEST

START_TEST(none_at_all)
{
	struct record none = { 0 };
	uint32_t at = 0;

	record_note(&none, 1);
	record_seed(&none, file);
	record_settle(&none);
	ck_assert_uint_eq(record_next(&none, &at, UINT32_MAX), UINT64_MAX);
	record_fini(&none);
}
END_TEST

/* A chain of records: each begins with the one before, as of an image of the same VM. */
static void next_generation(void)
{
	int earlier = file;

	record_fini(&rec);
	file = record_file(ROOM);
	ck_assert_int_eq(record_init(&rec, dup(file), NPAGES), 0);
	record_seed(&rec, earlier);
	close(earlier);
}

START_TEST(probes_that_are_used_stay)
{
	uint64_t sum;

	note(0, 160);
	for (uint32_t g = 1; g < 40; g++) {
		next_generation();
		ck_assert_uint_eq(rec.file->generation, g);
		ck_assert_uint_eq(rec.file->seeded, 160);
		ck_assert(rec.probes >= 5 && rec.probes <= 15);
		ck_assert_uint_eq(fillable(&sum), 160 - rec.probes);
		ck_assert_uint_eq(held_back(), rec.probes);
		note(0, 160);
		ck_assert_uint_eq(rec.probes_used, rec.probes);
		ck_assert_uint_eq(rec.file->count, 160);
		record_settle(&rec);
		for (uint32_t i = 0; i < 160; i++)
			ck_assert_uint_eq(rec.file->entry[i], i);
	}
}
END_TEST

START_TEST(what_is_no_longer_used_goes)
{
	uint64_t sum;

	note(0, 160);
	for (uint32_t g = 0; g < RECORD_PROBES; g++) {
		next_generation();
		note(0, 80);
	}
	next_generation();
	ck_assert_uint_eq(rec.file->seeded, 80);
	ck_assert_uint_eq(fillable(&sum) + rec.probes, 80);
}
END_TEST

/* A killed pager: probes that were asked for since are forgotten, nothing else. */
START_TEST(killed_before_it_settles)
{
	unsigned int probes;

	note(0, 160);
	next_generation();
	probes = rec.probes;
	note(0, 160);
	rec.unsettled = false;		/* as if it had died here */
	restart();
	ck_assert_uint_eq(rec.probes, probes);
	record_seed(&rec, file);	/* has begun: nothing happens */
	ck_assert_uint_eq(rec.file->seeded, 160);
	next_generation();
	ck_assert_uint_eq(rec.file->seeded, 160 - probes);
}
END_TEST

/* Killed while it seeded: no count was written, so the next one does it again. */
START_TEST(killed_while_it_seeds)
{
	int earlier;

	note(0, 100);
	earlier = dup(file);
	next_generation();
	rec.file->count = 0;
	restart();
	ck_assert_uint_eq(rec.probes, 0);
	record_seed(&rec, earlier);
	ck_assert_uint_eq(rec.file->seeded, 100);
	close(earlier);
}
END_TEST

START_TEST(rubbish_is_left_out)
{
	uint64_t sum;

	for (uint32_t i = 0; i < ROOM; i++)
		rec.file->entry[i] = i < 4 ? 5 : 0xffffffff - i;
	rec.file->count = 0xffffffff;
	rec.file->seeded = 0xffffffff;
	restart();
	ck_assert_uint_eq(fillable(&sum), 4);
	record_note(&rec, 6);
	next_generation();
	ck_assert_uint_eq(rec.file->count, 1);
	ck_assert_uint_eq(rec.file->seeded, 1);
}
END_TEST

START_TEST(files_that_are_none)
{
	struct record r;
	int p[2];

	ck_assert_int_eq(record_init(&r, record_file(0), NPAGES), -EINVAL);
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(record_init(&r, p[0], NPAGES), -EINVAL);
	record_seed(&rec, p[1]);
	ck_assert_uint_eq(rec.file->count, 0);
	close(p[1]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		order_and_once, bounded, own_entries_are_not_filled, none_at_all,
		probes_that_are_used_stay, what_is_no_longer_used_goes, killed_before_it_settles,
		killed_while_it_seeds, rubbish_is_left_out, files_that_are_none,
	};
	Suite *s = suite_create("pager records");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
