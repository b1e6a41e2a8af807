// SPDX-License-Identifier: GPL-2.0-or-later
/* Control killed between any two stores that outlive it: no message is lost or doubled. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../run.h"
#include "fake.h"
#include "guest.h"
#include "identity.h"
#include "journal.h"

/**
 * DOC: Killing at every store
 *
 * Journals and channels are shared memory, all else of the control role is its own.
 * So a forked child that deals with a message, is single-stepped, and killed once
 * shared memory has changed for the N-th time, leaves exactly what a killed control
 * role leaves; the test itself, which has seen nothing, is the next control role.
 * N grows until the child gets through.
 */
#define HEADS_MAX 4

struct watched {
	const void *memory;
	size_t len;
	uint8_t seen[8192];
};

static struct watched watched[HEADS_MAX];
static unsigned int nwatched;
static uint8_t buf[RING_PAYLOAD_MAX];

static void watch(const void *memory, size_t len)
{
	struct watched *w = &watched[nwatched++];

	ck_assert_uint_le(nwatched, HEADS_MAX);
	ck_assert_uint_le(len, sizeof(w->seen));
	w->memory = memory;
	w->len = len;
	memcpy(w->seen, memory, len);
}

static void watch_vm(const struct vm *vm)
{
	watch(vm->channel.j, offsetof(struct journal, queue));
	watch(vm->channel.map, sizeof(struct vmfork_channel));
}

static bool changed(void)
{
	bool any = false;

	for (struct watched *w = watched; w < watched + nwatched; w++)
		if (memcmp(w->seen, w->memory, w->len)) {
			memcpy(w->seen, w->memory, w->len);
			any = true;
		}
	return any;
}

/* Return: true: @vm's bell was answered to the end before the @n-th change. */
static bool answer_bell_until(struct vm *vm, unsigned int n)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		guest_rang(vm);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	while (WIFSTOPPED(status) && n) {
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		n -= changed();
	}
	if (WIFEXITED(status)) {
		ck_assert_int_eq(WEXITSTATUS(status), 0);
		return true;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

/* What a new control role does with what it finds. */
static void adopt(void)
{
	for_each_vm(vm)
		journal_recover(vm);
	for_each_vm(vm) {
		vm->reason = reason_known(vm->channel.j->reason);
		vm->status = vm->channel.j->status;
		memcpy(vm->why, vm->channel.j->why, sizeof(vm->why));
		identity_over(vm);
		if (vm->reason)
			vm_end_as_noted(vm);
		else
			identity_adopt(vm);
		for (unsigned int i = 0; i < JOURNAL_PENDING_MAX; i++)
			if (vm->channel.j->pending[i].type)
				pending_reply(vm, &vm->channel.j->pending[i], -EIO, 0, 0);
	}
	for_each_vm(vm)
		guest_rang(vm);
}

/* into the ring, and no bell */
static void put(struct vm *vm, uint32_t type, uint64_t cookie, const void *payload, uint32_t len)
{
	enum vm_state s = vm->state;

	vm->state = VM_DEAD;
	guest_put(vm, type, cookie, payload, len);
	vm->state = s;
}

static void put_data(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t len)
{
	struct vmfork_msg_data m = { htole64(ticket), htole32(id), htole32(7) };

	memcpy(buf, &m, sizeof(m));
	memset(buf + sizeof(m), 'x', len);
	put(vm, VMFORK_G2H_DATA, 0, buf, (uint32_t)sizeof(m) + len);
}

static void put_credit(struct vm *vm, uint64_t ticket, uint32_t id, uint32_t bytes)
{
	struct vmfork_msg_credit m = { htole64(ticket), htole32(id), htole32(bytes) };

	put(vm, VMFORK_G2H_CREDIT, 0, &m, sizeof(m));
}

static void expect(struct vm *vm, uint32_t type, unsigned int n)
{
	uint64_t cookie;
	uint32_t len;

	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), type);
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), 0);
}

struct family {
	struct vm *parent;
	struct vm *clone;
	uint64_t ticket;
};

static struct family make_family(bool agent)
{
	struct family f = { .parent = fake_root("web") };
	int64_t t = guest_ticket(f.parent, 1);

	ck_assert_int_gt(t, 0);
	fake_settle();
	if (agent)
		guest_want_held_fork(f.parent, VMFORK_FORK_TICKET, (uint64_t)t, "", 60000);
	else
		guest_want_fork(f.parent, VMFORK_FORK_TICKET, (uint64_t)t, "", 0);
	fake_settle();
	guest_leave_fork(f.parent);
	f.ticket = (uint64_t)t;
	f.clone = vm_find(ticket_find(f.ticket)->slots[0].vm);
	guest_leave_fork(f.clone);
	guest_rang(f.clone);
	nwatched = 0;
	watch_vm(f.parent);
	watch_vm(f.clone);
	return f;
}

static void unmake_family(struct family *f)
{
	fake_die(f->parent, 9);
	fake_settle();
}

/* Return: true: the last one, nobody was killed. */
static bool once(struct vm *who, unsigned int n)
{
	bool whole;

	changed();
	whole = answer_bell_until(who, n);
	adopt();
	return whole;
}

START_TEST(data_up)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct family f = make_family(false);

		put_data(f.clone, 0, 0, 100);
		put_data(f.clone, 0, 0, 200);
		whole = once(f.clone, n);
		expect(f.parent, VMFORK_H2G_DATA, 2);
		ck_assert_uint_eq(f.clone->channel.j->up, 300);
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(data_down)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct family f = make_family(false);

		put_data(f.parent, f.ticket, 1, 200);
		whole = once(f.parent, n);
		expect(f.clone, VMFORK_H2G_DATA, 1);
		ck_assert_uint_eq(f.clone->channel.j->down, 200);
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(credit_up)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct family f = make_family(false);

		f.clone->channel.j->down = 1000;
		put_credit(f.clone, 0, 0, 900);
		whole = once(f.clone, n);
		expect(f.parent, VMFORK_H2G_CREDIT, 1);
		ck_assert_uint_eq(f.clone->channel.j->down, 100);
		ck_assert(channel_ready(&f.clone->channel));
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(credit_down)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct family f = make_family(false);

		f.clone->channel.j->up = 1000;
		put_credit(f.parent, f.ticket, 1, 900);
		whole = once(f.parent, n);
		expect(f.clone, VMFORK_H2G_CREDIT, 1);
		ck_assert_uint_eq(f.clone->channel.j->up, 100);
		ck_assert(channel_ready(&f.parent->channel));
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* One answer, whichever: asked again, EIO, or the first control role's own. */
START_TEST(request)
{
	struct vmfork_msg_ticket none = { 0 };
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct family f = make_family(false);

		put(f.parent, VMFORK_G2H_KILL, 5, &none, sizeof(none));
		whole = once(f.parent, n);
		expect(f.parent, VMFORK_H2G_REPLY, 1);
		ck_assert_uint_eq(f.parent->channel.j->pending[0].type, 0);
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* However often control is killed: shut until it was opened, opened before the answer. */
START_TEST(report)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct vmfork_msg_report m = { 0 };
		struct family f = make_family(true);

		put(f.clone, VMFORK_G2H_REPORT, 5, &m, sizeof(m));
		whole = once(f.clone, n);
		expect(f.clone, VMFORK_H2G_REPLY, 1);
		ck_assert_int_eq((int32_t)((struct vmfork_msg_reply *)buf)->result, 0);
		ck_assert_str_eq(identity_name(f.clone), "complete");
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(report_of_an_error)
{
	bool whole = false;
	unsigned int n;

	for (n = 1; !whole; n++) {
		struct vmfork_msg_report m = { .result = htole32((uint32_t)-EIO), .why = "no link" };
		struct family f = make_family(true);
		struct vmfork_msg_exited e;

		put(f.clone, VMFORK_G2H_REPORT, 5, &m, sizeof(m));
		whole = once(f.clone, n);
		fake_settle();
		expect(f.parent, VMFORK_H2G_EXITED, 1);
		memcpy(&e, buf, sizeof(e));
		ck_assert_uint_eq(e.reason, VMFORK_UNIDENTIFIED);
		ck_assert_uint_eq(e.status, EIO);
		ck_assert_str_eq(e.why, "no link");
		unmake_family(&f);
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-kill");
	TCase *c = tcase_create("kill");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_set_timeout(c, 600);
	tcase_add_test(c, data_up);
	tcase_add_test(c, data_down);
	tcase_add_test(c, credit_up);
	tcase_add_test(c, credit_down);
	tcase_add_test(c, request);
	tcase_add_test(c, report);
	tcase_add_test(c, report_of_an_error);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
