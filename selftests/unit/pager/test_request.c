// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: requests and slots. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "request.h"
#include "slots.h"

static struct pager_req image_req(void)
{
	return (struct pager_req){
		.op = PAGER_IMAGE_ADD, .seq = 1, .handle = 5, .base = 0x7f0000000000,
		.npages = 1024, .bitmap_bytes = 4096, .source = PAGER_SOURCE_SNAPSHOT,
		.nslots = 2,
		.slots = { { .gfn = 0, .page = 0, .npages = 512 },
			   { .gfn = 0x100000, .page = 512, .npages = 512 } },
	};
}

static struct pager_req clone_req(void)
{
	struct pager_req r = image_req();

	r.op = PAGER_CLONE_ADD;
	r.source = 0;
	r.image = 5;
	r.handle = 6;
	return r;
}

static int parse(const struct pager_req *r, unsigned int nfds)
{
	struct pager_req out;

	memset(&out, 0xa5, sizeof(out));
	int err = request_parse(r, sizeof(*r), nfds, &out);

	if (err == 0)
		ck_assert_mem_eq(&out, r, sizeof(out));
	else
		ck_assert_uint_eq(out.op, 0xa5a5a5a5);
	return err;
}

START_TEST(good_requests)
{
	struct pager_req r = image_req(), c = clone_req();
	struct pager_req ping = { .op = PAGER_PING, .seq = 9 };
	struct pager_req fill = {
		.op = PAGER_IMAGE_FILL, .seq = 9, .handle = 5, .fill = UINT64_MAX,
		.flags = PAGER_F_FILL_ALL,
	};

	ck_assert_int_eq(parse(&r, 4), 0);
	r.lower = 4;
	ck_assert_int_eq(parse(&r, 5), 0);
	r.flags = PAGER_F_RECORD | PAGER_F_FILL_ALL;
	ck_assert_int_eq(parse(&r, 6), 0);
	r.flags |= PAGER_F_EARLIER;
	ck_assert_int_eq(parse(&r, 7), 0);
	r.lower = 0;
	ck_assert_int_eq(parse(&r, 6), 0);
	ck_assert_int_eq(parse(&c, 2), 0);
	c.flags = PAGER_F_NO_AVOID;
	ck_assert_int_eq(parse(&c, 2), 0);
	c.flags = PAGER_F_NO_AVOID | PAGER_F_POISON;
	ck_assert_int_eq(parse(&c, 2), 0);
	c.nslots = 0;
	ck_assert_int_eq(parse(&c, 2), 0);
	ck_assert_int_eq(parse(&ping, 0), 0);
	ck_assert_int_eq(parse(&fill, 0), 0);
}
END_TEST

START_TEST(complete_images)
{
	struct pager_req r = image_req();

	r.source = PAGER_SOURCE_FILE;
	for (unsigned int n = 0; n < 33; n++)
		ck_assert_int_eq(parse(&r, n), n == 2 ? 0 : -EINVAL);
	r.flags = PAGER_F_RECORD | PAGER_F_FILL_ALL;
	ck_assert_int_eq(parse(&r, 2), -EINVAL);
	ck_assert_int_eq(parse(&r, 3), 0);
	r.flags |= PAGER_F_EARLIER;
	ck_assert_int_eq(parse(&r, 3), -EINVAL);
	ck_assert_int_eq(parse(&r, 4), 0);
	r.flags = PAGER_F_EARLIER;
	ck_assert_int_eq(parse(&r, 3), -EINVAL);
	r.flags = 0;
	r.lower = 4;
	ck_assert_int_eq(parse(&r, 2), -EINVAL);
	ck_assert_int_eq(parse(&r, 3), -EINVAL);
	r.lower = 0;
	r.npages = 0;
	ck_assert_int_eq(parse(&r, 2), -EINVAL);
	r.source = PAGER_SOURCE_FILE + 1;
	ck_assert_int_eq(parse(&r, 2), -EOPNOTSUPP);
}
END_TEST

START_TEST(every_wrong_size)
{
	struct pager_req r = image_req(), out;
	char buf[2 * sizeof(r)] = { 0 };

	memcpy(buf, &r, sizeof(r));
	for (size_t len = 0; len < sizeof(buf); len++) {
		int want = len == sizeof(r) ? 0 : -EINVAL;

		ck_assert_int_eq(request_parse(buf, len, 4, &out), want);
		ck_assert_uint_eq(request_seq(buf, len), len == sizeof(r) ? 1 : 0);
	}
}
END_TEST

START_TEST(wrong_counts_of_descriptors)
{
	struct pager_req r = image_req(), c = clone_req();

	for (unsigned int n = 0; n < 33; n++) {
		r.lower = 0;
		ck_assert_int_eq(parse(&r, n), n == 4 ? 0 : -EINVAL);
		r.lower = 1;
		ck_assert_int_eq(parse(&r, n), n == 5 ? 0 : -EINVAL);
		ck_assert_int_eq(parse(&c, n), n == 2 ? 0 : -EINVAL);
	}
}
END_TEST

/* One field at a time. */
START_TEST(wrong_fields)
{
#define WRONG(make, nfds, want, change) do {		\
		struct pager_req r = make();		\
		change;					\
		ck_assert_int_eq(parse(&r, nfds), want);\
	} while (0)
	WRONG(image_req, 4, -EINVAL, r.seq = 0);
	WRONG(image_req, 4, -EINVAL, r.reserved = 1);
	WRONG(image_req, 4, -EINVAL, r.handle = 0);
	WRONG(image_req, 4, -EOPNOTSUPP, r.op = 0);
	WRONG(image_req, 4, -EOPNOTSUPP, r.op = PAGER_PING + 1);
	WRONG(image_req, 4, -EOPNOTSUPP, r.source = 0);
	WRONG(image_req, 4, -EOPNOTSUPP, r.flags = 1);
	WRONG(image_req, 5, -EINVAL, r.flags = PAGER_F_EARLIER);
	WRONG(image_req, 4, -EINVAL, r.flags = PAGER_F_RECORD);
	WRONG(image_req, 5, -EINVAL, r.flags = PAGER_F_RECORD | PAGER_F_EARLIER);
	WRONG(image_req, 0, -EOPNOTSUPP, r.op = PAGER_IMAGE_FILL; r.flags = PAGER_F_RECORD);
	WRONG(image_req, 1, -EINVAL, r.op = PAGER_IMAGE_FILL);
	WRONG(image_req, 0, -EINVAL, r.op = PAGER_IMAGE_FILL; r.handle = 0);
	WRONG(image_req, 4, -EINVAL, r.npages = 0);
	WRONG(image_req, 4, -EINVAL, r.npages = REQUEST_PAGES_MAX + 1);
	WRONG(image_req, 4, -EINVAL, r.npages = UINT64_MAX);
	WRONG(image_req, 4, -EINVAL, r.base = 1);
	WRONG(image_req, 4, -EINVAL, r.base = UINT64_MAX - 4095);
	WRONG(image_req, 5, -EINVAL, r.lower = r.handle);
	WRONG(image_req, 4, -EINVAL, r.nslots = PAGER_SLOTS_MAX + 1);
	WRONG(image_req, 4, -EINVAL, r.bitmap_offset = UINT64_MAX);
	WRONG(image_req, 4, -EINVAL, r.bitmap_bytes = INT64_MAX; r.bitmap_offset = 1);
	WRONG(clone_req, 2, -EINVAL, r.image = 0);
	WRONG(clone_req, 2, -EOPNOTSUPP, r.flags = 4);
	WRONG(clone_req, 2, -EINVAL, r.slots[1].page = 511);
#undef WRONG
}
END_TEST

#define CHECK_SLOTS(want, ...) do {					\
		const struct pager_slot s[] = { __VA_ARGS__ };		\
		ck_assert_int_eq(slots_check(s, sizeof(s) / sizeof(s[0]), 100), want); \
	} while (0)

START_TEST(slots_that_are_wrong)
{
	CHECK_SLOTS(0, { 0, 0, 100 });
	CHECK_SLOTS(0, { 50, 0, 50 }, { 0, 50, 50 });
	CHECK_SLOTS(-EINVAL, { 0, 0, 0 });
	CHECK_SLOTS(-EINVAL, { 0, 0, 101 });
	CHECK_SLOTS(-EINVAL, { 0, 100, 1 });
	CHECK_SLOTS(-EINVAL, { 0, UINT64_MAX, 2 });
	CHECK_SLOTS(-EINVAL, { UINT64_MAX, 0, 2 });
	CHECK_SLOTS(-EINVAL, { 0, 0, UINT64_MAX });
	CHECK_SLOTS(-EINVAL, { 0, 0, 50 }, { 100, 49, 50 });
	CHECK_SLOTS(-EINVAL, { 0, 0, 50 }, { 49, 50, 50 });
	CHECK_SLOTS(-EINVAL, { 10, 10, 5 }, { 30, 0, 50 });
	CHECK_SLOTS(-EINVAL, { 0, 0, 10 }, { 10, 10, 10 }, { 20, 20, 10 }, { 30, 30, 10 },
		    { 40, 40, 10 });
}
END_TEST

START_TEST(slots_translate)
{
	const struct slots s = {
		.n = 2, .slot = { { .gfn = 0, .page = 0, .npages = 10 },
				  { .gfn = 1000, .page = 20, .npages = 10 } },
	};
	uint64_t gfn = 7, left = 0;

	ck_assert(slots_gfn(&s, 0, &gfn, &left) && gfn == 0);
	ck_assert(slots_gfn(&s, 9, &gfn, &left) && gfn == 9 && left == 1);
	ck_assert(!slots_gfn(&s, 10, &gfn, &left) && gfn == 9);
	ck_assert(!slots_gfn(&s, 19, &gfn, &left));
	ck_assert(slots_gfn(&s, 20, &gfn, &left) && gfn == 1000 && left == 10);
	ck_assert(slots_gfn(&s, 29, &gfn, &left) && gfn == 1009);
	ck_assert(!slots_gfn(&s, 30, &gfn, &left));
	ck_assert(!slots_gfn(&s, UINT64_MAX, &gfn, &left));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pager requests");
	TCase *t = tcase_create("all");

	tcase_add_test(t, good_requests);
	tcase_add_test(t, complete_images);
	tcase_add_test(t, every_wrong_size);
	tcase_add_test(t, wrong_counts_of_descriptors);
	tcase_add_test(t, wrong_fields);
	tcase_add_test(t, slots_that_are_wrong);
	tcase_add_test(t, slots_translate);
	suite_add_tcase(s, t);
	return run_suite(s);
}
