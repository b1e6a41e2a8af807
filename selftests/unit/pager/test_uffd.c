// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests: events of a userfaultfd, written into a pipe in its place. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <unistd.h>

#include "../run.h"
#include "pager_proto.h"
#include "vmlink.h"

#define BASE	0x7f0000000000ULL
#define NPAGES	16ULL

static struct vmlink link_;
static int writer;
static struct fault faults[VMLINK_BATCH];

static void setup(void)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	writer = p[1];
	vmlink_uffd_init(&link_, p[0], BASE, NPAGES);
}

static void teardown(void)
{
	link_.ops->close(&link_);
	close(writer);
}

static void event(struct uffd_msg m)
{
	ck_assert_int_eq(write(writer, &m, sizeof(m)), sizeof(m));
}

static void page_fault(uint64_t address, uint64_t flags)
{
	event((struct uffd_msg){
		.event = UFFD_EVENT_PAGEFAULT,
		.arg.pagefault = { .address = address, .flags = flags },
	});
}

static int take(void)
{
	return link_.ops->read(&link_, faults);
}

START_TEST(nothing_there)
{
	ck_assert(fcntl(link_.fd, F_GETFL) & O_NONBLOCK);
	ck_assert_int_eq(take(), 0);
}
END_TEST

START_TEST(faults_are_translated)
{
	page_fault(BASE, 0);
	page_fault(BASE + 5 * PAGER_PAGE_SIZE + 123, UFFD_PAGEFAULT_FLAG_WRITE);
	page_fault(BASE + NPAGES * PAGER_PAGE_SIZE - 1, 0);
	ck_assert_int_eq(take(), 3);
	ck_assert(faults[0].page == 0 && !faults[0].write);
	ck_assert(faults[1].page == 5 && faults[1].write);
	ck_assert(faults[2].page == NPAGES - 1);
	ck_assert_int_eq(take(), 0);
}
END_TEST

START_TEST(a_batch_at_a_time)
{
	for (unsigned int i = 0; i < VMLINK_BATCH + 3; i++)
		page_fault(BASE, 0);
	ck_assert_int_eq(take(), VMLINK_BATCH);
	ck_assert_int_eq(take(), 3);
}
END_TEST

START_TEST(outside_is_refused)
{
	page_fault(BASE - 1, 0);
	ck_assert_int_eq(take(), -ERANGE);
	page_fault(BASE + NPAGES * PAGER_PAGE_SIZE, 0);
	ck_assert_int_eq(take(), -ERANGE);
}
END_TEST

START_TEST(fork_event_is_closed)
{
	int child = dup(writer);

	event((struct uffd_msg){ .event = UFFD_EVENT_FORK, .arg.fork.ufd = (uint32_t)child });
	page_fault(BASE + PAGER_PAGE_SIZE, 0);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(faults[0].page, 1);
	ck_assert_int_eq(fcntl(child, F_GETFD), -1);
}
END_TEST

START_TEST(changed_mappings_are_refused)
{
	static const uint8_t kinds[] = {
		UFFD_EVENT_REMAP, UFFD_EVENT_REMOVE, UFFD_EVENT_UNMAP, 0xff,
	};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		event((struct uffd_msg){ .event = kinds[i] });
		ck_assert_int_eq(take(), -EPROTO);
	}
}
END_TEST

START_TEST(not_a_userfaultfd)
{
	ck_assert_int_eq(link_.ops->wake(&link_, 0, NPAGES), -ENOTTY);
	ck_assert_int_eq(link_.ops->zero(&link_, 0, 1), -ENOTTY);
	ck_assert_int_eq(link_.ops->copy(&link_, 0, faults), -ENOTTY);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_there, faults_are_translated, a_batch_at_a_time, outside_is_refused,
		fork_event_is_closed, changed_mappings_are_refused, not_a_userfaultfd,
	};
	Suite *s = suite_create("pager userfaultfd");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return run_suite(s);
}
