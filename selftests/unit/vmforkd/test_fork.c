// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks by a ticket, and what may fail on their way. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "fake.h"
#include "guest.h"
#include "state.h"
#include "watchdog.h"

static uint8_t buf[RING_PAYLOAD_MAX];

START_TEST(ticket_fork)
{
	struct vm *vm = fake_root("web"), *clone;
	struct ticket *t = fork_into(vm, 3);
	struct vmfork_fork f = guest_leave_fork(vm);

	ck_assert_uint_eq(f.state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq((int32_t)f.result, 0);
	ck_assert_uint_eq(f.id, 0);
	ck_assert_uint_eq(f.clones, 3);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 3);
	/* the parent was answered and ran before any clone was loaded */
	ck_assert_uint_eq(fake.parent_block_at_first_load, VMFORK_FORK_RELEASED);
	ck_assert(fake.parent_ran_at_first_load);
	for (uint32_t id = 1; id <= 3; id++) {
		struct vmfork_fork c;

		clone = vm_find(t->slots[id - 1].vm);
		c = channel_head(&clone->channel)->fork;
		ck_assert_uint_eq(c.state, VMFORK_FORK_RELEASED);
		ck_assert_uint_eq(c.id, id);
		ck_assert_uint_eq(c.clones, 3);
		ck_assert_uint_eq(c.depth, 1);
		ck_assert_uint_eq(c.parent, vm->handle);
		ck_assert_uint_eq(c.vm, clone->handle);
		ck_assert_uint_eq(c.family, vm->family);
		ck_assert(memcmp(c.seed, f.seed, sizeof(c.seed)) != 0);
		ck_assert_uint_ne(c.realtime_ns, 0);
		ck_assert_int_eq(clone->state, VM_RUNNING);
	}
	ck_assert_str_eq(clone->name, "web.1.3");
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(freeze_fails)
{
	struct vm *vm = fake_root("web");
	struct vmfork_fork f;
	struct ticket *t;

	fake.freeze_err = -EIO;
	t = fork_into(vm, 2);
	f = guest_leave_fork(vm);
	ck_assert_uint_eq(f.state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq((int32_t)f.result, -EIO);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq(t->state, TICKET_GRANTED);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
	ck_assert(nothing_for(vm));
	/* the same ticket serves for another try */
	fake.freeze_err = 0;
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	fake_settle();
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(one_load_fails)
{
	struct vm *vm = fake_root("web");
	struct vmfork_msg_exited e;
	struct ticket *t;

	fake.load_err = -ENOMEM;
	fake.load_err_id = 2;
	t = fork_into(vm, 3);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, 0);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
	e = next_exit(vm);
	ck_assert_uint_eq(e.id, 2);
	ck_assert_uint_eq(e.reason, VMFORK_LOST);
	ck_assert_uint_eq(e.status, ENOMEM);
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(no_standby_starts)
{
	struct vm *vm = fake_root("web");
	struct ticket *t;

	fake.start_err = -EMFILE;
	t = fork_into(vm, 2);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, 0);
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(next_exit(vm).status, EMFILE);
	ck_assert_uint_eq(next_exit(vm).status, EMFILE);
	ck_assert(nothing_for(vm));
}
END_TEST

START_TEST(late_standbys)
{
	struct vm *vm = fake_root("web");
	int64_t h;
	struct ticket *t;

	fake.hold_starts = true;
	h = guest_ticket(vm, 2);
	t = ticket_find((uint64_t)h);
	fake_settle();
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	/* the parent does not wait for them */
	ck_assert_uint_eq(guest_leave_fork(vm).state, VMFORK_FORK_RELEASED);
	ck_assert_int_eq(vm->state, VM_RUNNING);
	ck_assert_int_eq(t->state, TICKET_FORKING);
	fake_release_starts();
	fake_settle();
	ck_assert_int_eq(t->state, TICKET_FORKED);
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(standby_dies_before_fork)
{
	struct vm *vm = fake_root("web");
	int64_t h = guest_ticket(vm, 2);
	struct ticket *t = ticket_find((uint64_t)h);

	fake_settle();
	fake_die(vm_find(t->slots[1].vm), 9);
	fake_settle();
	ck_assert(nothing_for(vm));
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	ck_assert_uint_eq(ticket_live(t), 2);
}
END_TEST

START_TEST(used_ticket_is_busy)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);

	guest_leave_fork(vm);
	guest_want_fork(vm, VMFORK_FORK_TICKET, t->handle, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EBUSY);
	guest_want_fork(vm, VMFORK_FORK_TICKET, 424242, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -ENOENT);
	guest_want_fork(vm, 99, t->handle, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(vm).result, -EINVAL);
	ck_assert_uint_eq(fake.frozen, 1);
}
END_TEST

START_TEST(foreign_ticket)
{
	struct vm *a = fake_root("a"), *b = fake_root("b");
	int64_t h = guest_ticket(a, 1);

	fake_settle();
	guest_want_fork(b, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	ck_assert_int_eq((int32_t)guest_leave_fork(b).result, -ENOENT);
	guest_close_ticket(b, (uint64_t)h);
	fake_settle();
	ck_assert_ptr_nonnull(ticket_find((uint64_t)h));
}
END_TEST

START_TEST(close_kills)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 2);
	uint64_t h = t->handle;

	guest_leave_fork(vm);
	guest_close_ticket(vm, h);
	fake_settle();
	ck_assert_ptr_null(ticket_find(h));
	ck_assert_uint_eq(vm_count_clones(), 0);
	ck_assert(nothing_for(vm));
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(kill_is_answered_when_done)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 2);
	struct vmfork_msg_ticket m = { .ticket = htole64(t->handle) };
	uint64_t cookie;
	uint32_t len;

	guest_leave_fork(vm);
	m.id = htole32(9);
	guest_put(vm, VMFORK_G2H_KILL, 5, &m, sizeof(m));
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_REPLY);
	ck_assert_int_eq((int32_t)((struct vmfork_msg_reply *)buf)->result, -ECHILD);
	m.id = 0;
	guest_put(vm, VMFORK_G2H_KILL, 6, &m, sizeof(m));
	ck_assert(nothing_for(vm));
	fake_settle();
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_KILLED);
	ck_assert_uint_eq(next_exit(vm).reason, VMFORK_KILLED);
	ck_assert_uint_eq(guest_take(vm, &cookie, buf, &len), VMFORK_H2G_REPLY);
	ck_assert_uint_eq(cookie, 6);
	ck_assert_int_eq((int32_t)((struct vmfork_msg_reply *)buf)->result, 0);
}
END_TEST

START_TEST(parent_dies)
{
	struct vm *vm = fake_root("web");

	fork_into(vm, 2);
	fake_die(vm, 9);
	fake_settle();
	for_each_vm(left)
		ck_abort_msg("%s is left", left->name);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
}
END_TEST

START_TEST(parent_dies_while_freezing)
{
	struct vm *vm = fake_root("web");
	int64_t h = guest_ticket(vm, 2);

	fake_settle();
	fake.hold_freeze = true;
	guest_want_fork(vm, VMFORK_FORK_TICKET, (uint64_t)h, "", 0);
	fake_settle();
	ck_assert_ptr_nonnull(vm->fork);
	fake_die(vm, 9);
	fake_settle();
	for_each_vm(left)
		ck_abort_msg("%s is left", left->name);
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		ck_assert_int_eq(f->state, FORK_FREE);
	ck_assert_uint_eq(fake.checkpoints_destroyed, 1);
	ck_assert_uint_eq(fake.loads, 0);
}
END_TEST

START_TEST(clone_is_lost)
{
	struct vm *vm = fake_root("web");
	struct ticket *t = fork_into(vm, 1);
	struct vmfork_msg_exited e;

	guest_leave_fork(vm);
	fake_die(vm_find(t->slots[0].vm), 11);
	fake_settle();
	e = next_exit(vm);
	ck_assert_uint_eq(e.reason, VMFORK_LOST);
	ck_assert_uint_eq(e.status, EIO);
}
END_TEST

START_TEST(limits)
{
	struct vm *vm = fake_root("web");

	ck_assert_int_eq(guest_ticket(vm, 0), -EINVAL);
	ck_assert_int_eq(guest_ticket(vm, 65), -EINVAL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vmforkd-fork");
	TCase *c = tcase_create("fork");

	tcase_add_checked_fixture(c, fake_set_up, fake_tear_down);
	tcase_add_test(c, ticket_fork);
	tcase_add_test(c, freeze_fails);
	tcase_add_test(c, one_load_fails);
	tcase_add_test(c, no_standby_starts);
	tcase_add_test(c, late_standbys);
	tcase_add_test(c, standby_dies_before_fork);
	tcase_add_test(c, used_ticket_is_busy);
	tcase_add_test(c, foreign_ticket);
	tcase_add_test(c, close_kills);
	tcase_add_test(c, kill_is_answered_when_done);
	tcase_add_test(c, parent_dies);
	tcase_add_test(c, parent_dies_while_freezing);
	tcase_add_test(c, clone_is_lost);
	tcase_add_test(c, limits);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
