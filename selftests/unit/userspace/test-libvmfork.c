// SPDX-License-Identifier: GPL-2.0-or-later
/* libvmfork's own work: records, names, words for errors. No machine is needed. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../run.h"
#include "private.h"

static int ends[2];	/* of a socket that keeps records apart, as a ticket does */

static void open_ends(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
}

static void close_ends(void)
{
	close(ends[0]);
	close(ends[1]);
}

static void put(const struct vmfork_record *head, const void *payload, size_t len)
{
	char record[sizeof(*head) + sizeof(struct vmfork_exit_info)];

	memcpy(record, head, sizeof(*head));
	memcpy(record + sizeof(*head), payload, len);
	ck_assert_int_eq(write(ends[1], record, sizeof(*head) + len), (int)(sizeof(*head) + len));
}

START_TEST(what_is_sent_is_received)
{
	struct vmfork_record r;
	char big[VMFORK_MSG_MAX], back[VMFORK_MSG_MAX];

	memset(big, 7, sizeof(big));
	ck_assert_int_eq(vmfork_send(ends[0], 3, 9, big, sizeof(big)), 0);
	ck_assert_int_eq(vmfork_recv(ends[1], &r, back, sizeof(back)), 1);
	ck_assert_uint_eq(r.type, VMFORK_RECORD_DATA);
	ck_assert_uint_eq(r.id, 3);
	ck_assert_uint_eq(r.tag, 9);
	ck_assert_uint_eq(r.len, sizeof(big));
	ck_assert_int_eq(memcmp(big, back, sizeof(big)), 0);
}
END_TEST

START_TEST(sizes_are_checked)
{
	char big[VMFORK_MSG_MAX + 1] = { 0 };

	ck_assert_int_eq(vmfork_send(ends[0], 0, 0, big, 0), -EINVAL);
	ck_assert_int_eq(vmfork_send(ends[0], 0, 0, big, sizeof(big)), -EINVAL);
}
END_TEST

START_TEST(a_bad_record_is_refused)
{
	struct vmfork_record head = { .type = VMFORK_RECORD_DATA, .len = 5 }, r = { .tag = 77 };
	char buf[32];

	ck_assert_int_eq(write(ends[1], "short", 5), 5);
	ck_assert_int_eq(vmfork_recv(ends[0], &r, buf, sizeof(buf)), -EBADMSG);
	put(&head, "four", 4);
	ck_assert_int_eq(vmfork_recv(ends[0], &r, buf, sizeof(buf)), -EBADMSG);
	head.type = VMFORK_RECORD_EXIT;
	head.len = 4;
	put(&head, "four", 4);
	ck_assert_int_eq(vmfork_recv(ends[0], &r, buf, sizeof(buf)), -EBADMSG);
	ck_assert_uint_eq(r.tag, 77);
}
END_TEST

START_TEST(the_end_is_zero)
{
	struct vmfork_record r;
	char buf[32];

	shutdown(ends[1], SHUT_WR);
	ck_assert_int_eq(vmfork_recv(ends[0], &r, buf, sizeof(buf)), 0);
}
END_TEST

START_TEST(join_counts_exits_and_skips_messages)
{
	struct vmfork_exit_info info = { .id = 1, .reason = VMFORK_EXITED, .status = 4 }, one;
	struct vmfork_record head = { .type = VMFORK_RECORD_EXIT, .len = sizeof(info) };
	int ticket = dup(ends[0]);

	ck_assert_int_eq(vmfork_send(ends[1], 1, 0, "x", 1), 0);
	put(&head, &info, sizeof(info));
	info.id = 2;
	put(&head, &info, sizeof(info));
	shutdown(ends[1], SHUT_WR);
	ck_assert_int_eq(vmfork_join(ticket, &one, 1), 2);
	ck_assert_uint_eq(one.id, 1);
	ck_assert_int_eq(one.status, 4);
	ck_assert_int_eq(fcntl(ticket, F_GETFD), -1);
}
END_TEST

static int stop_at_first(const struct vmfork_record *record, const void *payload, void *data)
{
	(*(int *)data)++;
	return 42;
}

START_TEST(a_callback_may_stop)
{
	int calls = 0;

	ck_assert_int_eq(vmfork_send(ends[1], 1, 0, "x", 1), 0);
	ck_assert_int_eq(vmfork_send(ends[1], 1, 0, "y", 1), 0);
	ck_assert_int_eq(vmfork_collect(ends[0], stop_at_first, &calls), 42);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(names_fit_or_are_refused)
{
	char field[VMFORK_NAME_MAX] = "", longest[VMFORK_NAME_MAX + 1];

	memset(longest, 'a', VMFORK_NAME_MAX);
	longest[VMFORK_NAME_MAX] = 0;
	ck_assert_int_eq(vmfork_set_name(field, ""), -EINVAL);
	ck_assert_int_eq(vmfork_set_name(field, longest), -EINVAL);
	ck_assert_str_eq(field, "");
	ck_assert_int_eq(vmfork_set_name(field, longest + 1), 0);
	ck_assert_str_eq(field, longest + 1);
}
END_TEST

START_TEST(errors_come_through)
{
	struct vmfork_api api = { .version = 77 };
	int null = open("/dev/null", O_RDWR), cp = 77;

	ck_assert_int_eq(vmfork_get_api(-1, &api), -EBADF);
	ck_assert_int_eq(vmfork_get_api(null, &api), -ENOTTY);
	ck_assert_uint_eq(api.version, 77);
	ck_assert_int_eq(vmfork_clone(null, 0), -ENOTTY);
	ck_assert_int_eq(vmfork_checkpoint(null, "x", 0, &cp), -ENOTTY);
	ck_assert_int_eq(cp, 77);
	ck_assert_int_eq(vmfork_exit(null, 0), -ENOTTY);
	vmfork_close(null);
	vmfork_close(-1);
}
END_TEST

START_TEST(words)
{
	ck_assert_ptr_nonnull(strstr(vmfork_strerror(-ENOENT, VMFORK_CALL_OPEN), "modprobe"));
	ck_assert_ptr_nonnull(strstr(vmfork_strerror(ENOENT, VMFORK_CALL_CHECKPOINT), "name"));
	ck_assert_ptr_nonnull(strstr(vmfork_strerror(ENODEV, VMFORK_CALL_CLONE), "vmforkd"));
	ck_assert_str_eq(vmfork_strerror(ENOENT, VMFORK_CALL_EXIT), strerror(ENOENT));
	ck_assert_str_eq(vmfork_strerror(123456, VMFORK_CALL_OTHER), "unknown error");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libvmfork");
	TCase *records = tcase_create("records"), *rest = tcase_create("rest");

	tcase_add_checked_fixture(records, open_ends, close_ends);
	tcase_add_test(records, what_is_sent_is_received);
	tcase_add_test(records, sizes_are_checked);
	tcase_add_test(records, a_bad_record_is_refused);
	tcase_add_test(records, the_end_is_zero);
	tcase_add_test(records, join_counts_exits_and_skips_messages);
	tcase_add_test(records, a_callback_may_stop);
	tcase_add_test(rest, names_fit_or_are_refused);
	tcase_add_test(rest, errors_come_through);
	tcase_add_test(rest, words);
	suite_add_tcase(suite, records);
	suite_add_tcase(suite, rest);
	return run_suite(suite);
}
